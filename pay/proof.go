package pay

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"
)

// Proof is the proof of books: per tenant, currency and day what Stripe says, what our
// ledger says and what PortaBilling was told, and why they differ. Amounts are decimal
// text; what came in is positive.
type Proof struct {
	From  string `json:"from"`  // the first day, UTC
	Until string `json:"until"` // the last day
	// Unexplained is what nothing explains, per tenant and currency; "0.00" is the goal.
	Unexplained []ProofSum `json:"unexplained"`
	Rows        []ProofRow `json:"rows"`
	// Broken has one line for every closed day that is not what it was; empty is good.
	Broken []string `json:"broken"`
}

// ProofSum is an amount of one tenant in one currency.
type ProofSum struct {
	Tenant   string   `json:"tenant"`
	Currency Currency `json:"currency"`
	Amount   string   `json:"amount"`
}

// ProofRow is one day. Stripe less PortaBilling is the sum of the Differences.
type ProofRow struct {
	Tenant       string       `json:"tenant"`
	Currency     Currency     `json:"currency"`
	Day          string       `json:"day"`
	Stripe       string       `json:"stripe"`       // the balance transactions' net
	Ledger       string       `json:"ledger"`       // what moved on stripe_balance
	Customers    string       `json:"customers"`    // what customers were credited
	PortaBilling string       `json:"portabilling"` // what PortaBilling has posted
	Differences  []Difference `json:"differences"`
	// Unexplained is the sum of what nothing explains, each amount without its sign: two
	// faults never hide each other.
	Unexplained string `json:"unexplained"`
	Closed      string `json:"closed,omitempty"` // the closed day's hash
}

// Difference is one reason why two of the three differ.
type Difference struct {
	Between string   `json:"between"` // stripe-ledger, ledger-customers, customers-portabilling
	Cause   string   `json:"cause"`
	Amount  string   `json:"amount"`
	Minor   int64    `json:"-"` // Amount in minor units
	Count   int64    `json:"count"`
	Objects []string `json:"objects,omitempty"` // the first few
	// Mend is the command that ends the difference, "" where time does or nothing is wrong.
	Mend string `json:"mend,omitempty"`
}

// CauseUnexplained is the difference that must not be.
const CauseUnexplained = "unexplained"

// ProofQuery asks for the days from From until before Until; TenantID "" means all.
type ProofQuery struct {
	TenantID    string
	From, Until time.Time
	// Around widens the window in which the other half of a fact is looked for.
	Around time.Duration
}

// ProofSides takes what the store reads. Facts come by tenant and fact.
type ProofSides struct {
	Fact    func(ProofFact) error
	Account func(ProofAccount) error
	Posting func(ProofPosting) error
}

// ProofFact is what one fact moves on stripe_balance, as Stripe or our ledger has it.
type ProofFact struct {
	TenantID string
	Fact     string
	Stripe   bool // Stripe's word, else the ledger's
	At       time.Time
	Minor    int64
	Currency Currency
	Object   string // Stripe's object behind it, "" when only the ledger has it
}

// ProofAccount is what one account moved in a day; Reason is the cases' of suspense.
type ProofAccount struct {
	TenantID string
	Currency Currency
	Day      int64 // days since 1970
	Account  Account
	Reason   string
	Minor    int64 // a debit is positive
	Count    int64
}

// ProofPosting is what the postings of a day are, money to customers positive.
type ProofPosting struct {
	TenantID string
	Currency Currency
	Day      int64
	State    PostingState
	Minor    int64
	Count    int64
}

// Proof proves the books of the days from one until another, that one included; from the
// zero time for everything. It asks nobody: it is as fresh as the last sweep. Memory
// grows with days and currencies, not with payments.
func (s *Service) Proof(ctx context.Context, tenantID string, from, until time.Time) (*Proof, error) {
	until = dayOf(until).AddDate(0, 0, 1)
	w := &proving{ctx: ctx, s: s, from: dayOf(from), until: until, cells: map[proofKey]*proofCell{}, tenants: map[string]*provingTenant{}, undone: map[string][]ProofFact{}}
	tenants, err := s.Store.ListTenants(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range tenants {
		if tenantID != "" && t.ID != tenantID {
			continue
		}
		mark, err := s.Store.SweepMark(ctx, t.ID, ListBalance)
		if err != nil {
			return nil, err
		}
		days, err := s.Store.ListClosedDays(ctx, t.ID)
		if err != nil {
			return nil, err
		}
		w.tenants[t.ID] = &provingTenant{t, mark.Through, days}
	}
	err = s.Store.ReadProof(ctx, ProofQuery{TenantID: tenantID, From: w.from, Until: until, Around: sweepDeep},
		ProofSides{Fact: w.fact, Account: w.account, Posting: w.posting})
	if err != nil {
		return nil, err
	}
	w.flush()
	if err := w.explainAlone(); err != nil {
		return nil, err
	}
	p := w.proof()
	for _, t := range tenants {
		if w.tenants[t.ID] == nil {
			continue
		}
		broken, err := s.VerifyLedger(ctx, t)
		if err != nil {
			return nil, err
		}
		p.Broken = append(p.Broken, broken...)
	}
	return p, nil
}

func dayOf(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// proving is a proof in the making.
type proving struct {
	ctx         context.Context
	s           *Service
	from, until time.Time
	cells       map[proofKey]*proofCell
	tenants     map[string]*provingTenant
	stripe      []ProofFact // of the fact that is being read
	ledger      []ProofFact
	alone       []ProofFact            // the ledger's, without Stripe's half: causes are looked up later
	undone      map[string][]ProofFact // refunds without Stripe's half, by refund
}

type provingTenant struct {
	*Tenant
	through time.Time // all that Stripe made before was listed
	closed  []*ClosedDay
}

type proofKey struct {
	tenantID string
	currency Currency
	day      int64 // days since 1970
}

type proofCell struct {
	stripe, ledger, customers, portabilling int64
	differences                             map[[2]string]*proofDifference
	unexplained                             int64 // amounts without their sign
}

type proofDifference struct {
	minor, count int64
	objects      []string
	mend         string
}

// maxObjects is how many objects a difference names.
const maxObjects = 5

func (w *proving) cell(tenantID string, c Currency, day int64) *proofCell {
	k := proofKey{tenantID, c, day}
	if w.cells[k] == nil {
		w.cells[k] = &proofCell{differences: map[[2]string]*proofDifference{}}
	}
	return w.cells[k]
}

func unixDay(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }

// asked reports whether a time is within the days that were asked for.
func (w *proving) asked(t time.Time) bool { return !t.Before(w.from) && t.Before(w.until) }

const (
	stripeLedger          = "stripe-ledger"
	ledgerCustomers       = "ledger-customers"
	customersPortaBilling = "customers-portabilling"
)

func (c *proofCell) differ(between, cause string, minor, count int64, object, mend string) {
	if minor == 0 {
		return
	}
	k := [2]string{between, cause}
	d := c.differences[k]
	if d == nil {
		d = &proofDifference{}
		c.differences[k] = d
	}
	d.minor, d.count = d.minor+minor, d.count+count
	if object != "" && len(d.objects) < maxObjects {
		d.objects = append(d.objects, object)
		d.mend = cmp.Or(d.mend, mend)
	}
	if object == "" {
		d.mend = cmp.Or(d.mend, mend)
	}
	if cause == CauseUnexplained {
		c.unexplained += max(minor, -minor)
	}
}

// fact takes one half of a fact; both halves of one come one after the other.
func (w *proving) fact(f ProofFact) error {
	if head := w.head(); head != nil && (head.TenantID != f.TenantID || head.Fact != f.Fact) {
		w.flush()
	}
	if f.Stripe {
		w.stripe = append(w.stripe, f)
	} else {
		w.ledger = append(w.ledger, f)
	}
	if w.asked(f.At) {
		c := w.cell(f.TenantID, f.Currency, unixDay(f.At))
		if f.Stripe {
			c.stripe += f.Minor
		} else {
			c.ledger += f.Minor
		}
	}
	return nil
}

func (w *proving) head() *ProofFact {
	switch {
	case len(w.stripe) > 0:
		return &w.stripe[0]
	case len(w.ledger) > 0:
		return &w.ledger[0]
	}
	return nil
}

// flush compares the two halves of the fact that was read.
func (w *proving) flush() {
	stripe, ledger := w.stripe, w.ledger
	w.stripe, w.ledger = w.stripe[:0], w.ledger[:0]
	switch {
	case len(stripe) == 1 && len(ledger) == 1 && stripe[0].Minor == ledger[0].Minor && stripe[0].Currency == ledger[0].Currency:
		s, l := stripe[0], ledger[0]
		if unixDay(s.At) == unixDay(l.At) {
			return
		}
		w.note(s, "in_transit", s.Minor, "")
		w.note(l, "in_transit", -l.Minor, "")
	case len(stripe) == 0 && len(ledger) == 1:
		root, suffix, _ := strings.Cut(ledger[0].Fact, ":")
		if suffix == "refunded" || suffix == "reversed" {
			w.undone[root] = append(w.undone[root], ledger[0])
			return
		}
		w.alone = append(w.alone, ledger[0])
	default:
		w.unexplained(stripe, ledger)
	}
}

// unexplained notes what does not agree.
func (w *proving) unexplained(stripe, ledger []ProofFact) {
	for _, f := range stripe {
		w.note(f, CauseUnexplained, f.Minor, settleCommand(w.tenants[f.TenantID], f))
	}
	for _, f := range ledger {
		w.note(f, CauseUnexplained, -f.Minor, settleCommand(w.tenants[f.TenantID], f))
	}
}

func settleCommand(t *provingTenant, f ProofFact) string {
	object, _, _ := strings.Cut(f.Fact, ":")
	if t == nil || strings.HasPrefix(object, "txn_") || strings.HasPrefix(object, "po_") || strings.HasPrefix(object, "unc_") {
		return "portatill sweep"
	}
	return "portatill settle --tenant " + t.Slug + " " + object
}

// note adds a difference of a fact to its day, when that day was asked for.
func (w *proving) note(f ProofFact, cause string, minor int64, mend string) {
	if !w.asked(f.At) {
		return
	}
	object, _, _ := strings.Cut(f.Fact, ":")
	w.cell(f.TenantID, f.Currency, unixDay(f.At)).differ(stripeLedger, cause, minor, 1, object, mend)
}

// settleTime is how long Stripe may take to show the balance transaction of what it
// has told us of.
const settleTime = time.Hour

// explainAlone finds the causes of what only the ledger has: Stripe was not asked since,
// or moves the money of a refund later, or never.
func (w *proving) explainAlone() error {
	for _, root := range slices.Sorted(maps.Keys(w.undone)) {
		facts := w.undone[root]
		if len(facts) == 2 && facts[0].Minor == -facts[1].Minor && facts[0].Currency == facts[1].Currency {
			for _, f := range facts {
				w.note(f, "refund_undone", -f.Minor, "")
			}
			continue
		}
		for _, f := range facts {
			cause := w.aloneCause(f)
			if cause == CauseUnexplained && strings.HasSuffix(f.Fact, ":refunded") {
				pending, err := w.s.Store.RefundPending(w.ctx, f.TenantID, root)
				if err != nil {
					return err
				}
				if pending {
					cause = "refund_pending"
				}
			}
			w.note(f, cause, -f.Minor, w.aloneMend(f, cause))
		}
	}
	for _, f := range w.alone {
		cause := w.aloneCause(f)
		w.note(f, cause, -f.Minor, w.aloneMend(f, cause))
	}
	return nil
}

func (w *proving) aloneCause(f ProofFact) string {
	if t := w.tenants[f.TenantID]; t == nil || f.At.After(t.through.Add(-settleTime)) {
		return "in_transit"
	}
	return CauseUnexplained
}

func (w *proving) aloneMend(f ProofFact, cause string) string {
	switch cause {
	case "in_transit":
		return "portatill sweep"
	case CauseUnexplained:
		return settleCommand(w.tenants[f.TenantID], f)
	}
	return ""
}

// account takes what the other accounts moved: why the balance at Stripe is not what
// customers were credited.
func (w *proving) account(a ProofAccount) error {
	c := w.cell(a.TenantID, a.Currency, a.Day)
	cause, mend := "", ""
	switch a.Account {
	case AccountStripe:
		return nil
	case AccountCustomer:
		c.customers -= a.Minor
		return nil
	case AccountFees:
		cause = "fees"
	case AccountVAT:
		cause = "tax_on_fees"
	case AccountPayouts:
		cause = "payouts"
	case AccountConversion:
		cause = "converted"
	case AccountDisputes:
		cause = "disputes"
	case AccountRefunds:
		cause = "refunds"
	case AccountSuspense:
		cause, mend = cmp.Or(a.Reason, "unclaimed"), "portatill unclaimed list"
		if cause == "no_order" {
			cause = "unclaimed"
		}
	default:
		cause = CauseUnexplained
	}
	c.differ(ledgerCustomers, cause, -a.Minor, a.Count, "", mend)
	return nil
}

// posting takes what PortaBilling has, and what it waits for.
func (w *proving) posting(p ProofPosting) error {
	c := w.cell(p.TenantID, p.Currency, p.Day)
	c.portabilling += p.Minor
	cause, mend := "", ""
	switch p.State {
	case PostingPosted:
		return nil
	case PostingPending, PostingSending:
		cause = "posting_waiting"
	default:
		cause, mend = "posting_"+string(p.State), "portatill orders show ORDER"
	}
	c.portabilling -= p.Minor
	c.differ(customersPortaBilling, cause, p.Minor, p.Count, "", mend)
	return nil
}

// proof writes what was found, sorted, and what is left over.
func (w *proving) proof() *Proof {
	p := &Proof{From: w.from.Format(time.DateOnly), Until: w.until.AddDate(0, 0, -1).Format(time.DateOnly), Rows: []ProofRow{}, Unexplained: []ProofSum{}, Broken: []string{}}
	keys := slices.SortedFunc(maps.Keys(w.cells), func(a, b proofKey) int {
		return cmp.Or(cmp.Compare(w.slug(a.tenantID), w.slug(b.tenantID)), cmp.Compare(a.currency, b.currency), cmp.Compare(a.day, b.day))
	})
	if w.from.IsZero() {
		p.From = ""
		for _, k := range keys {
			if day := time.Unix(k.day*24*60*60, 0).UTC().Format(time.DateOnly); p.From == "" || day < p.From {
				p.From = day
			}
		}
	}
	var total *ProofSum
	var sum int64
	for _, k := range keys {
		row, left := w.row(k)
		p.Rows = append(p.Rows, row)
		if total == nil || total.Tenant != row.Tenant || total.Currency != row.Currency {
			p.Unexplained = append(p.Unexplained, ProofSum{Tenant: row.Tenant, Currency: row.Currency})
			total, sum = &p.Unexplained[len(p.Unexplained)-1], 0
		}
		sum += left
		total.Amount = Money{sum, row.Currency}.Text()
	}
	return p
}

func (w *proving) slug(tenantID string) string {
	if t := w.tenants[tenantID]; t != nil {
		return t.Slug
	}
	return tenantID
}

func (w *proving) row(k proofKey) (row ProofRow, unexplained int64) {
	c := w.cells[k]
	// What no cause was found for: the ledger's own accounts, or the postings, do not add up.
	named := map[string]int64{}
	for at, d := range c.differences {
		named[at[0]] += d.minor
	}
	c.differ(stripeLedger, CauseUnexplained, c.stripe-c.ledger-named[stripeLedger], 1, "", "portatill books --verify")
	c.differ(ledgerCustomers, CauseUnexplained, c.ledger-c.customers-named[ledgerCustomers], 1, "", "portatill books --verify")
	c.differ(customersPortaBilling, CauseUnexplained, c.customers-c.portabilling-named[customersPortaBilling], 1, "", "portatill books --verify")
	text := func(minor int64) string { return Money{minor, k.currency}.Text() }
	row = ProofRow{Tenant: w.slug(k.tenantID), Currency: k.currency, Day: time.Unix(k.day*24*60*60, 0).UTC().Format(time.DateOnly),
		Stripe: text(c.stripe), Ledger: text(c.ledger), Customers: text(c.customers), PortaBilling: text(c.portabilling),
		Unexplained: text(c.unexplained), Differences: []Difference{}}
	for _, at := range slices.SortedFunc(maps.Keys(c.differences), func(a, b [2]string) int {
		return cmp.Or(cmp.Compare(betweenOrder[a[0]], betweenOrder[b[0]]), cmp.Compare(a[1], b[1]))
	}) {
		d := c.differences[at]
		if d.minor == 0 && at[1] != CauseUnexplained {
			continue
		}
		row.Differences = append(row.Differences, Difference{Between: at[0], Cause: at[1], Amount: text(d.minor), Minor: d.minor, Count: d.count, Objects: d.objects, Mend: d.mend})
	}
	if t := w.tenants[k.tenantID]; t != nil {
		for _, day := range t.closed {
			if day.Day == row.Day {
				row.Closed = day.Hash
			}
		}
	}
	return row, c.unexplained
}

var betweenOrder = map[string]int{stripeLedger: 1, ledgerCustomers: 2, customersPortaBilling: 3}

// Square reports whether nothing is unexplained and no closed day was changed.
func (p *Proof) Square() bool {
	for _, r := range p.Rows {
		if r.Unexplained != (Money{0, r.Currency}).Text() {
			return false
		}
	}
	return len(p.Broken) == 0
}
