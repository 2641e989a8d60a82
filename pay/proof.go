package pay

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
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
	// Listed is, per tenant, up to when Stripe's balance was listed: the proof is as fresh.
	Listed []ProofListed `json:"listed"`
	// Broken has one line for every closed day that is not what it was; empty is good.
	Broken []string `json:"broken"`
}

// ProofSum is an amount of one tenant in one currency.
type ProofSum struct {
	Tenant   string   `json:"tenant"`
	Currency Currency `json:"currency"`
	Amount   string   `json:"amount"`
}

// ProofListed is up to when a tenant's balance transactions were listed at Stripe; Through
// is nil when they never were.
type ProofListed struct {
	Tenant  string     `json:"tenant"`
	Through *time.Time `json:"through"`
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

// ProofQuery asks for the days from From until before Until of one tenant.
type ProofQuery struct {
	TenantID    string
	From, Until time.Time
	// Around widens the window in which the other half of a fact is looked for.
	Around time.Duration
	// After is, by tenant, the Seq from after which the ledger is wanted.
	After map[string]int64
}

// ProofSides takes what the store reads. A tenant's ledger comes in the order of Seq, its balance transactions within the window in the order in which they were
// learnt, and the two side by side in time: the halves of a fact are never far from
// each other, so that few wait in memory for the other one.
type ProofSides struct {
	// Entry takes an entry, and the reason of the case whose money it moves, or
	// ReasonIgnored, "" for none.
	Entry       func(e *LedgerEntry, reason string) error
	Transaction func(*BalanceTransaction) error
	Posting     func(ProofPosting) error
}

// ProofPosting is what the postings of a day are, money to customers positive.
type ProofPosting struct {
	TenantID string
	Currency Currency
	Day      int64
	State    PostingState
	Minor    int64
	Count    int64
	// First and Last are the orders of two of them, or the cases where there is no order; ""
	// for those that nobody has to look at.
	First, Last string
}

// ReasonIgnored stands in the place of a case's reason once somebody decided that
// nothing is to be done about it.
const ReasonIgnored = "ignored"

// Proof proves the books of the days from one until another, that one included; from the
// zero time for everything. It asks nobody: it is as fresh as the last sweep. Memory
// grows with days and currencies, not with payments, and time with what was booked in the
// window and the five weeks around it: the entries before are VerifyLedger's to read.
func (s *Service) Proof(ctx context.Context, tenantID string, from, until time.Time) (*Proof, error) {
	until = dayOf(until).AddDate(0, 0, 1)
	w := &proving{ctx: ctx, s: s, from: dayOf(from), until: until, cells: map[proofKey]*proofCell{}, tenants: map[string]*provingTenant{},
		accounts: map[accountKey]*accountSum{}, waiting: map[factKey][]provingFact{}, undone: map[string][]provingFact{}}
	tenants, err := s.Store.ListTenants(ctx)
	if err != nil {
		return nil, err
	}
	after := map[string]int64{}
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
		before, seq := w.closedBefore(days)
		after[t.ID] = seq
		w.tenants[t.ID] = &provingTenant{t, mark.Through, days, newChain(t, days, before)}
	}
	if err := w.read(ProofQuery{From: w.from, Until: until, Around: sweepDeep, After: after}); err != nil {
		return nil, err
	}
	w.compareRest()
	w.explainAccounts()
	if err := w.explainAlone(); err != nil {
		return nil, err
	}
	p := w.proof()
	for _, t := range tenants {
		if known := w.tenants[t.ID]; known != nil {
			listed := ProofListed{Tenant: t.Slug}
			if !known.through.IsZero() {
				listed.Through = &known.through
			}
			p.Listed = append(p.Listed, listed)
			p.Broken = append(p.Broken, known.chain.end()...)
		}
	}
	return p, nil
}

// provedAtOnce is how many tenants are read side by side: each as of one moment of its
// own, because nothing of one explains anything of another. A store has a connection
// more than that, for those who wait for a page meanwhile.
const provedAtOnce = 3

// read takes the sides of every tenant.
func (w *proving) read(q ProofQuery) error {
	var mu sync.Mutex // of all that is found
	var group sync.WaitGroup
	var errs []error
	slots := make(chan struct{}, provedAtOnce)
	for _, id := range slices.Sorted(maps.Keys(w.tenants)) {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			own := q
			own.TenantID = id
			err := w.s.Store.ReadProof(w.ctx, own, ProofSides{
				Entry: func(e *LedgerEntry, reason string) error {
					mu.Lock()
					defer mu.Unlock()
					return w.entry(e, reason)
				},
				Transaction: func(b *BalanceTransaction) error {
					mu.Lock()
					defer mu.Unlock()
					return w.transaction(b)
				},
				Posting: func(p ProofPosting) error {
					mu.Lock()
					defer mu.Unlock()
					return w.posting(p)
				},
			})
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// closedBefore tells how many closed days end well before the window, and the Seq of the
// last entry in them.
func (w *proving) closedBefore(days []*ClosedDay) (n int, seq int64) {
	if w.from.IsZero() {
		return 0, 0
	}
	first := w.from.Add(-sweepDeep).AddDate(0, 0, -1).Format(time.DateOnly)
	for n < len(days) && days[n].Day < first {
		seq = days[n].LastSeq
		n++
	}
	return n, seq
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
	accounts    map[accountKey]*accountSum
	waiting     map[factKey][]provingFact // halves whose other half has not come
	alone       []provingFact             // the ledger's, without Stripe's half: causes are looked up later
	undone      map[string][]provingFact  // refunds without Stripe's half, by refund
}

type provingTenant struct {
	*Tenant
	through time.Time // all that Stripe made before was listed
	closed  []*ClosedDay
	chain   *chain
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
	if object != "" && len(d.objects) < maxObjects && !slices.Contains(d.objects, object) {
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

// unexplained notes what does not agree.
func (w *proving) unexplained(stripe, ledger []provingFact) {
	for _, f := range stripe {
		w.note(f, CauseUnexplained, f.Minor, settleCommand(w.tenants[f.TenantID], f))
	}
	for _, f := range ledger {
		w.note(f, CauseUnexplained, -f.Minor, settleCommand(w.tenants[f.TenantID], f))
	}
}

func settleCommand(t *provingTenant, f provingFact) string {
	object, _, _ := strings.Cut(f.Fact, ":")
	if t == nil || strings.HasPrefix(object, "txn_") || strings.HasPrefix(object, "po_") || strings.HasPrefix(object, "unc_") {
		return "portatill sweep"
	}
	return "portatill settle --tenant " + t.Slug + " " + object
}

// note adds a difference of a fact to its day, when that day was asked for.
func (w *proving) note(f provingFact, cause string, minor int64, mend string) {
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

func (w *proving) aloneCause(f provingFact) string {
	if t := w.tenants[f.TenantID]; t == nil || f.At.After(t.through.Add(-settleTime)) {
		return "in_transit"
	}
	return CauseUnexplained
}

func (w *proving) aloneMend(f provingFact, cause string) string {
	switch cause {
	case "in_transit":
		return "portatill sweep"
	case CauseUnexplained:
		return settleCommand(w.tenants[f.TenantID], f)
	}
	return ""
}

// proof writes what was found, sorted, and what is left over.
func (w *proving) proof() *Proof {
	p := &Proof{From: w.from.Format(time.DateOnly), Until: w.until.AddDate(0, 0, -1).Format(time.DateOnly), Rows: []ProofRow{}, Unexplained: []ProofSum{}, Broken: []string{}, Listed: []ProofListed{}}
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
