package pay

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"
)

// JournalLine is one line of the ledger with its entry, and with what Stripe calls it.
type JournalLine struct {
	Seq       int64 // the entry's place in the ledger
	At        time.Time
	EntryID   string
	Kind      EntryKind
	Fact      string
	Account   Account
	ICustomer int64 // whose line it is, 0 for accounts without customers
	Amount    Money // a debit is positive
	OrderID   string
	// Object is the Stripe object that the entry is about (pi_…, re_…, ch_… for a fee), ""
	// when it is about none.
	Object             string
	BalanceTransaction string // "" until a sweep has listed it, and for what moves no money at Stripe
	PayoutID           string // what paid it out, "" until that is known
	Memo               string
	Cause              Cause
}

// ExportSpan is what is exported: a tenant's time from one moment until before another.
// The zero From is the beginning.
type ExportSpan struct {
	TenantID    string
	From, Until time.Time
}

// Days is the span of whole days, in UTC, from one until another, that one included.
func Days(tenantID string, from, until time.Time) ExportSpan {
	return ExportSpan{TenantID: tenantID, From: dayOf(from), Until: dayOf(until).AddDate(0, 0, 1)}
}

// JournalSum is what a journal's lines sum to in one currency.
type JournalSum struct {
	Currency Currency
	Lines    int64
	// DebitMinor and CreditMinor are both positive, and equal.
	DebitMinor  int64
	CreditMinor int64
}

// journalSums adds lines up as they go by.
type journalSums map[Currency]*JournalSum

func (j journalSums) add(l *JournalLine) {
	s := j[l.Amount.Currency]
	if s == nil {
		s = &JournalSum{Currency: l.Amount.Currency}
		j[l.Amount.Currency] = s
	}
	s.Lines++
	if l.Amount.Minor > 0 {
		s.DebitMinor += l.Amount.Minor
	} else {
		s.CreditMinor -= l.Amount.Minor
	}
}

// sorted are the sums by currency.
func (j journalSums) sorted() []JournalSum {
	out := make([]JournalSum, 0, len(j))
	for _, s := range slices.SortedFunc(maps.Values(j), func(a, b *JournalSum) int { return cmp.Compare(a.Currency, b.Currency) }) {
		out = append(out, *s)
	}
	return out
}

// Journal calls fn for every ledger line that was booked in a span, in the order in which
// entries were booked, and returns what they sum to. It is the same selection as DayBooks:
// the sums of a day's lines are what `books --day` shows. It holds one line at a time; fn
// must not use the store.
func (s *Service) Journal(ctx context.Context, span ExportSpan, fn func(*JournalLine) error) ([]JournalSum, error) {
	sums := journalSums{}
	err := s.Store.WalkJournal(ctx, span, func(l *JournalLine) error {
		sums.add(l)
		return fn(l)
	})
	return sums.sorted(), err
}

// PayoutLine is a ledger line of a payout, beside the balance transaction that it is.
type PayoutLine struct {
	BalanceTransaction string
	Net                Money // what the balance transaction adds to the payout
	Line               *JournalLine
}

// PayoutCheck is a payout beside the ledger.
type PayoutCheck struct {
	Payout *Payout
	// Transactions is how many of the tenant's balance transactions it contains.
	Transactions int64
	// Ledger is the sum of their lines on stripe_balance, in the payout's currency.
	Ledger Money
	// Difference is the payout less the ledger and less what is another tenant's: 0, or the
	// books are wrong. Zero without a currency until the payout is matched.
	Difference Money
	// Objects are the first few balance transactions that are not in the ledger as Stripe
	// has them. Only PayoutJournal looks for them.
	Objects []string
	Sums    []JournalSum
}

// Square reports whether the ledger has all of the payout.
func (c *PayoutCheck) Square() bool { return c.Difference.Minor == 0 && len(c.Objects) == 0 }

// PayoutJournal calls fn for every ledger line of the balance transactions in a payout:
// what each moved, its fee, and what Stripe converted. The lines on stripe_balance in the
// payout's currency sum to its amount, and the check that is returned says whether they
// do. The payout's own entry is none of them: it is in the journal of its day.
//
// Errors: CodeNotFound; CodeConflict when Stripe has not said what the payout contains.
func (s *Service) PayoutJournal(ctx context.Context, tenantID, payoutID string, fn func(*JournalLine) error) (*PayoutCheck, error) {
	p, err := s.Store.PayoutByID(ctx, tenantID, payoutID)
	switch {
	case IsNotFound(err):
		return nil, Errorf(CodeNotFound, "payout", "this tenant has no payout %s; see portatill payouts list", clip(payoutID, 60))
	case err != nil:
		return nil, err
	case p.MatchedAt.IsZero() && !p.Automatic:
		// docs.stripe.com/payouts/reconciliation: only automatic payouts can be taken apart.
		return nil, Errorf(CodeConflict, "payout", "%s was not an automatic payout, so Stripe does not say which payments are in it; export the journal of its days instead, with --from and --until", p.ID)
	case p.MatchedAt.IsZero():
		return nil, Errorf(CodeConflict, "payout", "%s is not matched yet: what it contains was not listed, or Stripe is still working it out; portatill sweep asks Stripe at once", p.ID)
	}
	w := &payoutWalk{check: &PayoutCheck{Payout: p, Ledger: Money{0, p.Amount.Currency}}, sums: journalSums{}, fn: fn}
	if err := s.Store.WalkPayout(ctx, tenantID, payoutID, w.line); err != nil {
		return nil, err
	}
	w.end()
	w.check.settle()
	w.check.Sums = w.sums.sorted()
	return w.check, nil
}

// settle finds the difference.
func (c *PayoutCheck) settle() {
	c.Difference = Money{c.Payout.Amount.Minor - c.Payout.ForeignMinor - c.Ledger.Minor, c.Payout.Amount.Currency}
}

// payoutWalk compares each balance transaction of a payout with its ledger lines.
type payoutWalk struct {
	check *PayoutCheck
	sums  journalSums
	fn    func(*JournalLine) error
	id    string // the balance transaction whose lines go by
	net   Money
	moved int64 // of it, on stripe_balance in the currency of net
	other int64 // amounts in other currencies: what came in and was converted leaves 0
}

func (w *payoutWalk) line(l *PayoutLine) error {
	if l.BalanceTransaction != w.id {
		w.end()
		w.id, w.net, w.moved, w.other = l.BalanceTransaction, l.Net, 0, 0
		w.check.Transactions++
	}
	if l.Line == nil {
		return nil
	}
	if l.Line.Account == AccountStripe {
		if l.Line.Amount.Currency == w.net.Currency {
			w.moved += l.Line.Amount.Minor
		} else {
			w.other += l.Line.Amount.Minor
		}
		if l.Line.Amount.Currency == w.check.Payout.Amount.Currency {
			w.check.Ledger.Minor += l.Line.Amount.Minor
		}
	}
	w.sums.add(l.Line)
	return w.fn(l.Line)
}

func (w *payoutWalk) end() {
	if w.id != "" && (w.moved != w.net.Minor || w.other != 0) && len(w.check.Objects) < maxObjects {
		w.check.Objects = append(w.check.Objects, w.id)
	}
}

// PayoutFilter asks for a page of a tenant's payouts, newest first.
type PayoutFilter struct {
	TenantID string
	After    string // the last id of the page before
	Limit    int    // 1 to 200; 0 means 50
}

// Payouts lists a tenant's payouts, newest first, each beside the ledger.
func (s *Service) Payouts(ctx context.Context, f PayoutFilter) ([]*PayoutCheck, error) {
	list, err := s.Store.ListPayouts(ctx, f)
	if err != nil {
		return nil, err
	}
	for _, c := range list {
		if !c.Payout.MatchedAt.IsZero() {
			c.settle()
		}
	}
	return list, nil
}
