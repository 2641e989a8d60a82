package handlers

import (
	"fmt"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/backoffice"
	"github.com/portatill/portatill/internal/csvout"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// mostDisputes is how many open disputes are shown; they are sorted by urgency and not paged.
const mostDisputes = 200

// disputeQuery reads what the list of disputes is asked for. Without a state it is those
// that are open: what a person comes for.
func (h *Handlers) disputeQuery(c echo.Context) (*listQuery, backoffice.DisputeFilter, error) {
	q, err := h.readListQuery(c, "/admin/disputes", "dsp")
	if err != nil {
		return nil, backoffice.DisputeFilter{}, err
	}
	f := backoffice.DisputeFilter{Open: q.known("all") == ""}
	f.Filter = q.filter
	if f.Open {
		f.Paging = backoffice.Paging{Limit: mostDisputes}
	}
	return q, f, nil
}

func disputeID(d *backoffice.DisputeRow) string { return d.ID }

func (h *Handlers) showDisputesPage(c echo.Context) error {
	q, f, err := h.disputeQuery(c)
	if err != nil {
		return err
	}
	var found backoffice.Page[backoffice.DisputeRow]
	if q.message == "" {
		if found, err = h.Backoffice.PageDisputes(c.Request().Context(), f); err != nil {
			return err
		}
	}
	first, last := ends(found.Rows, disputeID)
	v := views.DisputesView{ListFrame: q.frame(h, c, found.Newer, found.Older && !f.Open, first, last)}
	v.Filter.SearchHint = moneySearchHint
	q.tabs(&v.Filter, views.FilterOption{Label: "Open"}, views.FilterOption{Value: "all", Label: "All"})
	q.fields(&v.Filter, "Booked")
	v.Empty = q.empty("No open disputes", "No bank wants money back at the moment.")
	for _, d := range found.Rows {
		v.Rows = append(v.Rows, h.disputeRow(q, d))
	}
	return page(c, q.status(), views.DisputesPage(v))
}

func (h *Handlers) disputeRow(q *listQuery, d *backoffice.DisputeRow) views.DisputeRow {
	v := views.DisputeRow{OrderURL: "/admin/orders/" + d.OrderID, Amount: d.Amount.Display(), State: disputePill(d.State), Reason: inWords(d.Reason),
		Customer: customerLink(d.CustomerID, d.ICustomer, d.CustomerName), Tenant: q.tenantName(d.TenantID), Todo: disputeTodo(d.State),
		Stripe: views.StripeLink{ID: d.StripeDisputeID}, AnswerURL: h.stripeURL(q.account(d.TenantID), q.livemode(d.TenantID), "payments", d.IntentID)}
	if needsAnswer(d.State) {
		v.Due = staffMoment(d.DueBy, q.now)
		v.DueText, v.DueTone = dueIn(d.DueBy, q.now)
	}
	return v
}

func needsAnswer(s pay.DisputeState) bool {
	return s == pay.DisputeNeedsResponse || s == pay.DisputeWarningNeedsResponse
}

// dueIn says how long there is to answer.
func dueIn(due, now time.Time) (text, tone string) {
	left := due.Sub(now)
	switch days := int(left / (24 * time.Hour)); {
	case due.IsZero():
		return "", ""
	case left <= 0:
		return "over", "bad"
	case left < time.Hour:
		return "less than an hour", "bad"
	case days < 1:
		return fmt.Sprintf("%d h left", int(left.Hours())), "bad"
	case days < 4:
		return plural(days, "day", "days") + " left", "warning"
	default:
		return plural(days, "day", "days") + " left", ""
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// disputeTodo says what a person can do (docs.stripe.com/disputes/responding).
func disputeTodo(s pay.DisputeState) string {
	switch s {
	case pay.DisputeNeedsResponse:
		return "Send evidence, or accept it: unanswered, it is lost."
	case pay.DisputeWarningNeedsResponse:
		return "The bank asks. Answer, or refund now so that it does not become a dispute."
	case pay.DisputeUnderReview, pay.DisputeWarningUnderReview:
		return "Nothing: the bank decides, which may take months."
	case pay.DisputeLost:
		return "Nothing at Stripe. Tell PortaBilling: see the order's postings."
	case pay.DisputeWon, pay.DisputeWarningClosed, pay.DisputePrevented:
		return "Nothing: it is over."
	}
	return "Look at it in Stripe's dashboard."
}

func disputePill(s pay.DisputeState) views.AdminPill {
	if p, ok := map[pay.DisputeState]views.AdminPill{
		pay.DisputeNeedsResponse: {Text: "Needs an answer", Tone: "bad"}, pay.DisputeWarningNeedsResponse: {Text: "Inquiry", Tone: "warning"},
		pay.DisputeUnderReview: {Text: "Under review", Tone: "calm"}, pay.DisputeWarningUnderReview: {Text: "Inquiry under review", Tone: "calm"},
		pay.DisputeWon: {Text: "Won", Tone: "good"}, pay.DisputeLost: {Text: "Lost", Tone: "bad"}, pay.DisputeWarningClosed: {Text: "Inquiry closed"},
		pay.DisputePrevented: {Text: "Prevented", Tone: "good"},
	}[s]; ok {
		return p
	}
	return views.AdminPill{Text: inWords(string(s))}
}

var disputeColumns = []string{"dispute", "tenant", "booked_at", "state", "answer_by", "amount", "currency", "reason", "i_customer", "customer", "order", "payment", "stripe_dispute", "intent", "charge"}

// exportDisputes takes all that the filter leaves; the open ones too come newest first, because
// a file is sorted by who reads it.
func (h *Handlers) exportDisputes(c echo.Context) error {
	q, f, err := h.disputeQuery(c)
	if err != nil {
		return err
	}
	open := f.Open
	f.Open = false
	return exportList(h, c, q, "disputes", disputeColumns, func(p backoffice.Paging) (backoffice.Page[backoffice.DisputeRow], error) {
		f.Paging = p
		found, err := h.Backoffice.PageDisputes(c.Request().Context(), f)
		return found, err
	}, disputeID, func(d *backoffice.DisputeRow) []csvout.Cell {
		if open && d.State.Closed() {
			return nil
		}
		return []csvout.Cell{csvout.Text(d.ID), csvout.Text(q.slug(d.TenantID)), isoTime(d.CreatedAt), csvout.Text(string(d.State)), isoTime(d.DueBy), csvout.Number(d.Amount.Text()),
			csvout.Text(string(d.Amount.Currency)), csvout.Text(d.Reason), csvout.Int(d.ICustomer), csvout.Text(d.CustomerName), csvout.Text(d.OrderID), csvout.Text(d.PaymentID),
			csvout.Text(d.StripeDisputeID), csvout.Text(d.IntentID), csvout.Text(d.ChargeID)}
	})
}
