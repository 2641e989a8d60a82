package pay

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// provingFact is what one fact moves on stripe_balance, as Stripe or our ledger has it.
type provingFact struct {
	TenantID string
	Fact     string
	Stripe   bool // Stripe's word, else the ledger's
	At       time.Time
	Minor    int64
	Currency Currency
}

type factKey struct{ tenantID, fact string }

// accountKey is an account in a day; reason is the cases' of suspense.
type accountKey struct {
	proofKey
	account Account
	reason  string
}

type accountSum struct{ minor, count int64 }

// entry takes an entry of the ledger: its place in the chain of hashes, what it moves
// on the accounts, and its half of a fact.
func (w *proving) entry(e *LedgerEntry, reason string) error {
	if t := w.tenants[e.TenantID]; t != nil {
		t.chain.entry(e)
	}
	if w.asked(e.At) {
		k := accountKey{proofKey: proofKey{e.TenantID, e.Currency, unixDay(e.At)}}
		for _, l := range e.Lines {
			k.account, k.reason = l.Account, ""
			if l.Account == AccountSuspense {
				k.reason = reason
			}
			sum := w.accounts[k]
			if sum == nil {
				sum = &accountSum{}
				w.accounts[k] = sum
			}
			sum.minor, sum.count = sum.minor+l.AmountMinor, sum.count+1
		}
	}
	// Outside the window Stripe's half was not asked for.
	if e.At.Before(w.from.Add(-sweepDeep)) && !w.from.IsZero() || !e.At.Before(w.until.Add(sweepDeep)) {
		return nil
	}
	for _, l := range e.Lines {
		if l.Account == AccountStripe {
			w.half(provingFact{TenantID: e.TenantID, Fact: e.Fact, At: e.At, Minor: l.AmountMinor, Currency: e.Currency})
		}
	}
	return nil
}

// transaction takes what Stripe says: the fact itself, its fee, and, where Stripe
// converted, what left the currency in which it came in and what came into the other.
func (w *proving) transaction(b *BalanceTransaction) error {
	half := func(fact string, m Money) {
		if m.Minor == 0 {
			return
		}
		f := provingFact{TenantID: b.TenantID, Fact: fact, Stripe: true, At: b.CreatedAt, Minor: m.Minor, Currency: m.Currency}
		if w.asked(f.At) {
			w.cell(f.TenantID, f.Currency, unixDay(f.At)).stripe += f.Minor
		}
		w.half(f)
	}
	half(b.Fact, b.Source)
	if b.Fee.Minor != 0 {
		half(b.ID+":fee", Money{-b.Fee.Minor, b.Fee.Currency})
	}
	if b.Source.Currency != b.Amount.Currency {
		half(b.ID+":converted_from", Money{-b.Source.Minor, b.Source.Currency})
		half(b.ID+":converted_to", b.Amount)
	}
	return nil
}

// half takes one half of a fact. The two of one that agrees are forgotten as soon as
// the second comes; what is left waits for the end.
func (w *proving) half(f provingFact) {
	k := factKey{f.TenantID, f.Fact}
	others := w.waiting[k]
	if len(others) == 1 && others[0].Stripe != f.Stripe && others[0].Minor == f.Minor && others[0].Currency == f.Currency {
		if o := others[0]; unixDay(o.At) != unixDay(f.At) {
			for _, half := range []provingFact{o, f} {
				minor := half.Minor
				if !half.Stripe {
					minor = -minor
				}
				w.note(half, "in_transit", minor, "")
			}
		}
		delete(w.waiting, k)
		return
	}
	w.waiting[k] = append(others, f)
}

// compareRest takes what did not find a half that agrees with it.
func (w *proving) compareRest() {
	for _, k := range slices.SortedFunc(maps.Keys(w.waiting), func(a, b factKey) int {
		return cmp.Or(cmp.Compare(a.tenantID, b.tenantID), cmp.Compare(a.fact, b.fact))
	}) {
		var stripe, ledger []provingFact
		for _, f := range w.waiting[k] {
			if f.Stripe {
				stripe = append(stripe, f)
			} else {
				ledger = append(ledger, f)
			}
		}
		if len(stripe) > 0 || len(ledger) > 1 {
			w.unexplained(stripe, ledger)
			continue
		}
		root, suffix, _ := strings.Cut(k.fact, ":")
		if suffix == "refunded" || suffix == "reversed" {
			w.undone[root] = append(w.undone[root], ledger[0])
			continue
		}
		w.alone = append(w.alone, ledger[0])
	}
}

// explainAccounts takes what the accounts moved: why the balance at Stripe is not what
// customers were credited.
func (w *proving) explainAccounts() {
	for k, sum := range w.accounts {
		w.account(k, sum.minor, sum.count)
	}
}

func (w *proving) account(k accountKey, minor, count int64) {
	c := w.cell(k.tenantID, k.currency, k.day)
	cause, mend := "", ""
	switch k.account {
	case AccountStripe:
		c.ledger += minor
		return
	case AccountCustomer:
		c.customers -= minor
		return
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
		// A case that was decided since is in the list with --all only.
		cause, mend = cmp.Or(k.reason, "unclaimed"), "portatill unclaimed list --all"
		switch cause {
		case "no_order":
			cause = "unclaimed"
		case ReasonIgnored:
			mend = ""
		}
	default:
		cause = CauseUnexplained
	}
	c.differ(ledgerCustomers, cause, -minor, count, "", mend)
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
		// There may be very many of them, so that none is named.
		cause, mend = "posting_waiting", "portatill postings list --state "+string(p.State)
	default:
		cause, mend = "posting_"+string(p.State), "portatill postings list --about "+p.First
		if strings.HasPrefix(p.First, "unc_") { // of money that came in without an order
			mend = "portatill unclaimed list --all"
		}
	}
	c.portabilling -= p.Minor
	c.differ(customersPortaBilling, cause, p.Minor, p.Count, p.First, mend)
	if d := c.differences[[2]string{customersPortaBilling, cause}]; d != nil && p.Last != p.First && len(d.objects) < maxObjects {
		d.objects = append(d.objects, p.Last)
	}
	return nil
}
