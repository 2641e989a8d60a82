package handlers

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/daybook"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

var overviewPeriods = []views.BooksChoice{{Value: "7", Label: "7 days"}, {Value: "30", Label: "30 days"}, {Value: "90", Label: "90 days"}}

// showOverviewPage is where a sign-in leads.
func (h *Handlers) showOverviewPage(c echo.Context) error {
	scope, err := h.bookScope(c)
	if err != nil {
		return err
	}
	q := newBooksQuery(c)
	period := cmp.Or(q.oneOf("period", "period", overviewPeriods), "30")
	days, _ := strconv.Atoi(period) // it is one of the list
	o := &overview{h: h, c: c, scope: scope, now: h.Pay.Now(), days: days}
	if err := o.read(c.Request().Context()); err != nil {
		return err
	}
	choices := o.currencies()
	o.currency = pay.Currency(cmp.Or(q.oneOf("currency", "currency", choices), choices[0].Value))
	v := views.OverviewView{AdminFrame: h.booksFrame(c, "admin_overview", "admin_poll"), Version: h.Version, Message: q.message(), Tenants: scope.choices(), Tenant: scope.slug,
		Currencies: choices, Currency: string(o.currency), Periods: overviewPeriods, Period: period, PeriodName: period + " days"}
	if err := o.proof(&v); err != nil {
		return err
	}
	if err := o.tasks(&v); err != nil {
		return err
	}
	v.Tiles = o.tiles()
	v.Charts = o.charts()
	return page(c, q.status(), views.OverviewPage(v))
}

// overview is one look at it.
type overview struct {
	h        *Handlers
	c        echo.Context
	scope    *bookScope
	now      time.Time
	days     int // of the period
	currency pay.Currency

	from      time.Time // the first day of the period; the period before is as long
	book      []*daybook.Day
	waiting   []*pay.Waiting
	attention pay.Attention
	gaveUp    int
	unclaimed [2]int64 // new cases of the period, and of the one before
}

// refundsFor is how long a refund that failed is shown: what became of it is in the order.
const refundsFor = 30 * 24 * time.Hour

func (o *overview) read(ctx context.Context) error {
	today := o.now.UTC().Truncate(24 * time.Hour)
	o.from = today.AddDate(0, 0, 1-o.days)
	before := o.from.AddDate(0, 0, -o.days)
	for _, t := range o.scope.chosen {
		days, err := o.h.daybook.Days(ctx, t.ID, before, today.AddDate(0, 0, 1))
		if err != nil {
			return err
		}
		o.book = append(o.book, days...)
		waiting, err := o.h.Books.OrdersWaiting(ctx, t.ID)
		if err != nil {
			return err
		}
		o.waiting = append(o.waiting, waiting...)
		a, err := o.h.Books.NeedsPerson(ctx, t.ID, o.now.Add(-refundsFor))
		if err != nil {
			return err
		}
		addAttention(&o.attention, a)
		for i, span := range [][2]time.Time{{o.from, o.now.Add(time.Hour)}, {before, o.from}} {
			n, err := o.h.Books.UnclaimedMade(ctx, t.ID, span[0], span[1])
			if err != nil {
				return err
			}
			o.unclaimed[i] += n
		}
		n, err := o.h.Runs.GaveUp(ctx, t.ID)
		if err != nil {
			return err
		}
		o.gaveUp += n
	}
	return nil
}

func addAttention(to *pay.Attention, a *pay.Attention) {
	to.Unclaimed, to.Mismatches, to.Postings = to.Unclaimed+a.Unclaimed, to.Mismatches+a.Mismatches, to.Postings+a.Postings
	to.RefundsFailed, to.Disputes, to.EventsFailed = to.RefundsFailed+a.RefundsFailed, to.Disputes+a.Disputes, to.EventsFailed+a.EventsFailed
	if !a.DisputeDue.IsZero() && (to.DisputeDue.IsZero() || a.DisputeDue.Before(to.DisputeDue)) {
		to.DisputeDue = a.DisputeDue
	}
}

// currencies are those that something is in, the one with most orders first; the tenants'
// own when there is nothing yet.
func (o *overview) currencies() []views.BooksChoice {
	orders := map[pay.Currency]int64{}
	for _, t := range o.scope.chosen {
		orders[t.DefaultCurrency] += 0
	}
	for _, d := range o.book {
		for _, m := range d.Made {
			orders[m.Currency] += m.Count
		}
		for _, m := range d.Taken {
			orders[m.Currency] += m.Count
		}
	}
	var out []views.BooksChoice
	for _, cur := range slices.SortedFunc(maps.Keys(orders), func(a, b pay.Currency) int {
		return cmp.Or(cmp.Compare(orders[b], orders[a]), cmp.Compare(a, b))
	}) {
		out = append(out, views.BooksChoice{Value: string(cur), Label: string(cur)})
	}
	if len(out) == 0 {
		return []views.BooksChoice{{Value: "GBP", Label: "GBP"}}
	}
	return out
}

// sums is what days came to in the currency that is shown.
type sums struct {
	volume, payments    int64
	paid, decided, made int64
}

func (s *sums) add(d *daybook.Day, currency pay.Currency) {
	for _, m := range d.Taken {
		if m.Currency == currency {
			s.volume, s.payments = s.volume+m.Minor, s.payments+m.Count
		}
	}
	for _, m := range d.Made {
		if m.Currency != currency {
			continue
		}
		s.made += m.Count
		switch m.State {
		case pay.OrderDraft, pay.OrderOpen, pay.OrderProcessing:
			continue
		case pay.OrderPaid:
			s.paid += m.Count
		}
		s.decided += m.Count
	}
}

// permille is the success rate in thousandths, -1 when nothing is decided.
func (s *sums) permille() int64 {
	if s.decided == 0 {
		return -1
	}
	return (s.paid*1000 + s.decided/2) / s.decided
}

// percent writes thousandths as a percentage.
func percent(permille int64) string {
	if permille < 0 {
		return "–"
	}
	return fmt.Sprintf("%d.%d", permille/10, permille%10)
}

// trend tells how a figure changed against the period before. good says which way is good:
// 1 up, -1 down, 0 neither.
func trend(now, before int64, good int) (text, tone string) {
	if before == 0 {
		return "", ""
	}
	change := (now - before) * 1000 / before
	arrow := "→"
	switch {
	case change > 0:
		arrow = "↑"
	case change < 0:
		arrow, good, change = "↓", -good, -change
	default:
		good = 0
	}
	tone = map[int]string{1: "good", -1: "bad"}[good]
	if change >= 10_000 {
		return arrow + " × " + strconv.FormatInt(now/before, 10), tone
	}
	return arrow + " " + percent(change) + " %", tone
}

func (o *overview) tiles() []views.OverviewTile {
	var now, before sums
	for _, d := range o.book {
		if d.Date.Before(o.from) {
			before.add(d, o.currency)
		} else {
			now.add(d, o.currency)
		}
	}
	against := "against the " + strconv.Itoa(o.days) + " days before"
	tile := func(name, value, unit string, n, b int64, good int) views.OverviewTile {
		t := views.OverviewTile{Name: name, Value: value, Unit: unit}
		if t.Trend, t.TrendTone = trend(n, b, good); t.Trend != "" {
			t.Note = against
		} else {
			t.Note = "nothing in the " + strconv.Itoa(o.days) + " days before"
		}
		return t
	}
	money := pay.Money{Minor: now.volume, Currency: o.currency}
	all := []views.OverviewTile{tile("Volume", grouped(money.Text()), string(o.currency), now.volume, before.volume, 1),
		tile("Payments", grouped(strconv.FormatInt(now.payments, 10)), "", now.payments, before.payments, 1)}
	rate := views.OverviewTile{Name: "Success rate", Value: percent(now.permille()), Unit: "%", Note: "of the orders that are decided"}
	if now.decided == 0 {
		rate.Unit = ""
	}
	if now.decided > 0 && before.decided > 0 {
		change := now.permille() - before.permille()
		sign, tone := "↑ ", "good"
		if change < 0 {
			sign, tone, change = "↓ ", "bad", -change
		}
		rate.Note = against
		if rate.Trend, rate.TrendTone = sign+percent(change)+" points", tone; change == 0 {
			rate.Trend, rate.TrendTone = "→ 0.0 points", ""
		}
	}
	all = append(all, rate)
	var open, processing int64
	for _, w := range o.waiting {
		if w.Currency != o.currency {
			continue
		}
		if w.State == pay.OrderOpen {
			open += w.Count
		} else {
			processing += w.Count
		}
	}
	cases := views.OverviewTile{Name: "Unclaimed", Value: most(o.attention.Unclaimed), URL: "/admin/unclaimed?state=open", Note: fmt.Sprintf("%d new; %d in the %d days before", o.unclaimed[0], o.unclaimed[1], o.days)}
	jobs := views.OverviewTile{Name: "Failed jobs", Value: most(o.gaveUp), Note: "within seven days"}
	if staffOf(o.c).Role.May(staff.SeeEvents) {
		jobs.URL = "/admin/events?state=failed"
	}
	return append(all, views.OverviewTile{Name: "Open orders", Value: grouped(strconv.FormatInt(open, 10)), Note: "wait for their customer now"},
		views.OverviewTile{Name: "Processing", Value: grouped(strconv.FormatInt(processing, 10)), Note: "on their way from a bank now"}, cases, jobs)
}

// most is a count that stopped at pay.AttentionMost.
func most(n int) string {
	if n >= pay.AttentionMost {
		return strconv.Itoa(pay.AttentionMost) + "+"
	}
	return strconv.Itoa(n)
}

// grouped writes a number with a comma after each three digits before the point.
func grouped(text string) string {
	whole, rest := text, ""
	for i, r := range text {
		if r == '.' {
			whole, rest = text[:i], text[i:]
			break
		}
	}
	sign := ""
	if len(whole) > 0 && whole[0] == '-' {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return sign + whole + rest
}

// charts are the period's days. Heights are thousandths of the highest day.
func (o *overview) charts() []views.OverviewChart {
	byDay := map[time.Time]*sums{}
	for _, d := range o.book {
		if d.Date.Before(o.from) {
			continue
		}
		if byDay[d.Date] == nil {
			byDay[d.Date] = &sums{}
		}
		byDay[d.Date].add(d, o.currency)
	}
	var all sums
	highest := int64(1)
	for _, s := range byDay {
		highest = max(highest, s.volume)
		all.volume, all.paid, all.decided = all.volume+s.volume, all.paid+s.paid, all.decided+s.decided
	}
	total := pay.Money{Minor: all.volume, Currency: o.currency}
	volume := views.OverviewChart{ID: "volume", Title: "Volume", Unit: string(o.currency), Kind: "bars", Total: grouped(total.Text()) + " " + string(o.currency)}
	rate := views.OverviewChart{ID: "rate", Title: "Success rate", Unit: "%", Kind: "line", Total: percent(all.permille()) + " %"}
	if all.decided == 0 {
		rate.Total = "nothing decided yet"
	}
	for _, date := range slices.SortedFunc(maps.Keys(byDay), time.Time.Compare) {
		s := byDay[date]
		text := pay.Money{Minor: s.volume, Currency: o.currency}.Text()
		orders := grouped(strconv.FormatInt(s.made, 10))
		bar := views.OverviewDay{Day: date, Label: grouped(text), Value: text, Mille: int(s.volume / max(1, highest/1000)), Extra: orders}
		if bar.Mille = min(bar.Mille, 1000); s.volume == 0 {
			bar.Mille = -1
		}
		volume.Rows = append(volume.Rows, bar)
		dot := views.OverviewDay{Day: date, Label: percent(s.permille()), Mille: int(s.permille()), Extra: orders}
		if s.decided > 0 {
			dot.Label, dot.Value = dot.Label+" %", percent(s.permille())
		}
		rate.Rows = append(rate.Rows, dot)
	}
	return []views.OverviewChart{volume, rate}
}

// proofAge is how old the last proof may be before a look makes a new one, and squareAge
// how old one may be of which the headline still speaks.
const proofAge, squareAge = time.Hour, 25 * time.Hour

// lastProof is the last proof of the last days, of all that the person may see. Where there
// is none, or an old one, a new one is begun: it runs with the jobs, and costs the page
// nothing.
func (h *Handlers) lastProof(c echo.Context) (run *pay.Run, began int64, err error) {
	ctx, tenant, now := c.Request().Context(), tenantScope(c), h.Pay.Now()
	if run, err = h.Runs.LastRun(ctx, pay.RunLast, tenant); err != nil {
		return nil, 0, err
	}
	if run != nil && now.Sub(run.EndedAt) < proofAge {
		return run, 0, nil
	}
	began, err = h.Runs.StartRun(ctx, pay.RunAsk{Kind: pay.RunLast, TenantID: tenant, From: now.UTC().AddDate(0, 0, 1-pay.ProofDays).Format(time.DateOnly),
		Until: now.UTC().Format(time.DateOnly)})
	return run, began, err
}

// proof fills in what the last proof says of the tenants that are shown.
func (o *overview) proof(v *views.OverviewView) error {
	if o.c.Request().Method == http.MethodHead {
		return nil
	}
	run, began, err := o.h.lastProof(o.c)
	if err != nil {
		return err
	}
	v.Proving = began != 0
	if v.Proving && run == nil {
		v.PollURL = o.c.Request().URL.RequestURI()
	}
	out := proofOf(run)
	if out == nil {
		return nil
	}
	v.ProvedAt = run.EndedAt
	var sum int64
	for _, u := range out.Proof.Unexplained {
		if !o.shows(u.Tenant) {
			continue
		}
		m, err := pay.ParseMoney("amount", u.Amount, u.Currency)
		if err != nil {
			return err
		}
		if u.Currency == o.currency {
			sum += m.Minor
		}
		if m.Minor != 0 {
			v.Tasks = append(v.Tasks, views.OverviewTask{Text: u.Amount + " " + string(u.Currency) + " unexplained", URL: "/admin/proof", Tone: "bad"})
		}
	}
	if n := len(out.Proof.Broken); n > 0 && o.scope.slug == "" {
		v.Tasks = append(v.Tasks, views.OverviewTask{Text: counted(n, "entry or day was", "entries or days were") + " changed after the booking", URL: "/admin/proof", Tone: "bad"})
	}
	v.Unexplained, v.UnexplainedTone = pay.Money{Minor: sum, Currency: o.currency}.Text(), "good"
	if sum != 0 {
		v.UnexplainedTone = "bad"
	}
	v.Square = len(v.Tasks) == 0 && o.now.Sub(run.EndedAt) < squareAge
	return nil
}

// shows reports whether a tenant, by its slug, is among those that are shown.
func (o *overview) shows(slug string) bool {
	return slices.ContainsFunc(o.scope.chosen, func(t *pay.Tenant) bool { return t.Slug == slug })
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return most(n) + " " + many
}

// sweepLate is how old the last whole listing may be; portatill doctor warns as soon.
const sweepLate = 2 * time.Hour

// tasks fills in what needs a person, and the sentence on top.
func (o *overview) tasks(v *views.OverviewView) error {
	a := &o.attention
	task := func(n int, one, many, url, tone string) {
		if n > 0 {
			v.Tasks = append(v.Tasks, views.OverviewTask{Text: counted(n, one, many), URL: url, Tone: tone})
		}
	}
	tenant := ""
	if o.scope.slug != "" {
		tenant = "&tenant=" + o.scope.slug
	}
	task(a.Mismatches, "order disagrees with Stripe", "orders disagree with Stripe", "/admin/orders?state=mismatch"+tenant, "bad")
	task(a.Unclaimed, "payment is unclaimed", "payments are unclaimed", "/admin/unclaimed?state=open"+tenant, "warning")
	task(a.Postings, "posting needs a review", "postings need a review", "/admin/postings?state=attention"+tenant, "warning")
	due := ""
	if !a.DisputeDue.IsZero() {
		due = ", the first by " + a.DisputeDue.UTC().Format("2 Jan")
	}
	if a.Disputes > 0 {
		v.Tasks = append(v.Tasks, views.OverviewTask{Text: counted(a.Disputes, "dispute waits", "disputes wait") + " for evidence" + due, URL: "/admin/disputes", Tone: "warning"})
	}
	task(a.RefundsFailed, "refund failed", "refunds failed", "/admin/refunds?state=failed"+tenant, "warning")
	if staffOf(o.c).Role.May(staff.SeeEvents) {
		task(max(a.EventsFailed, o.gaveUp), "job gave up", "jobs gave up", "/admin/events?state=failed"+tenant, "warning")
	}
	late, err := o.sweepsLate()
	if err != nil {
		return err
	}
	if late != "" {
		v.Tasks = append(v.Tasks, views.OverviewTask{Text: late, URL: "/admin/sweeps", Tone: "warning"})
	}
	switch {
	case len(v.Tasks) > 0:
		v.Square, v.Headline = false, counted(len(v.Tasks), "thing needs a person", "things need a person")
	case v.Square:
		v.Headline = "All square: nothing needs a person, and every difference between Stripe and the books has a cause."
	case v.ProvedAt.IsZero():
		v.Headline = "Nothing needs a person. Whether the books are square is being found out."
	default:
		v.Headline = "Nothing needs a person. The last proof of the books is more than a day old."
	}
	return nil
}

// sweepsLate says what is wrong with the sweeps, "" for nothing.
func (o *overview) sweepsLate() (string, error) {
	ctx := o.c.Request().Context()
	late, err := o.h.listings(ctx, o.scope.chosen)
	if err != nil {
		return "", err
	}
	n := 0
	for _, l := range late {
		if l.late {
			n++
		}
	}
	if n > 0 {
		return counted(n, "tenant was", "tenants were") + " not listed at Stripe for two hours", nil
	}
	if !staffOf(o.c).Role.May(staff.Sweep) {
		return "", nil
	}
	runs, err := o.h.Runs.ListRuns(ctx, pay.RunSweep, "", 3)
	if err != nil {
		return "", err
	}
	for _, r := range runs {
		if r.State.Over() {
			if sweepFailed(r) {
				return "the last sweep failed", nil
			}
			break
		}
	}
	return "", nil
}
