package pay

import (
	"cmp"
	"context"
	"strings"
	"time"
)

// BalanceTransaction is one of Stripe's as our books keep it: the other side of the
// proof of books.
type BalanceTransaction struct {
	StripeBalanceTransaction
	TenantID string
	// Fact is what the ledger must have for it, such as pi_1:captured or re_1:refunded.
	Fact string
	// Source is what Fact moves on the account stripe_balance, a debit positive, in the
	// currency in which it was made; that of Amount, unless Stripe converted.
	Source   Money
	PayoutID string // what paid it out, "" until that is known
	LearntAt time.Time
}

// Payout is one of Stripe's payouts as our books keep it.
type Payout struct {
	StripePayout
	TenantID string
	// ForeignMinor is what of it is another tenant's, who has the same Stripe account.
	ForeignMinor int64
	MatchedAt    time.Time // when its balance transactions were listed, zero until then
	UpdatedAt    time.Time
}

// balanceLine is a balance transaction on its way into the books.
type balanceLine struct {
	*BalanceTransaction
	// settles says that its fact comes from Settle: it is of an intent.
	settles bool
	// nobodys says that no fact of ours can explain it: a person must look.
	nobodys bool
}

// readBalance says which fact of ours a balance transaction is
// (docs.stripe.com/reports/balance-transaction-types).
func readBalance(tenantID string, bt *StripeBalanceTransaction, now time.Time) *balanceLine {
	l := &balanceLine{BalanceTransaction: &BalanceTransaction{StripeBalanceTransaction: *bt, TenantID: tenantID, Source: bt.Amount, LearntAt: now}}
	if l.CreatedAt.IsZero() {
		l.CreatedAt = now
	}
	if s := bt.SourceAmount; s.Currency != "" && s.Currency != bt.Amount.Currency {
		l.Source = s
		if bt.Amount.Minor < 0 {
			l.Source.Minor = -s.Minor
		}
	}
	if l.Source.Currency != l.Amount.Currency && l.ExchangeRate == "" {
		l.ExchangeRate = "a rate that Stripe does not tell"
	}
	dispute := strings.HasPrefix(bt.SourceID, "dp_") || strings.HasPrefix(bt.SourceID, "du_")
	switch kind := bt.Type; {
	case (kind == "charge" || kind == "payment") && bt.IntentID != "":
		l.Fact, l.settles = bt.IntentID+":captured", true
	case (kind == "refund" || kind == "payment_refund") && bt.IntentID != "":
		l.Fact, l.settles = bt.SourceID+":refunded", true
	case kind == "refund_failure" && bt.IntentID != "":
		l.Fact, l.settles = bt.SourceID+":reversed", true
	case kind == "adjustment" && dispute && bt.IntentID != "" && bt.Amount.Minor < 0:
		l.Fact, l.settles = bt.SourceID+":withdrawn", true
	case kind == "adjustment" && dispute && bt.IntentID != "":
		l.Fact, l.settles = bt.SourceID+":reinstated", true
	case kind == "payout":
		l.Fact = bt.SourceID + ":paid"
	case kind == "payout_failure" || kind == "payout_cancel":
		l.Fact = bt.SourceID + ":returned"
	case strings.HasSuffix(kind, "_fee") || kind == "network_cost":
		l.Fact = bt.ID + ":fee"
	default:
		l.Fact, l.nobodys = bt.ID+":other", true
		l.Source = bt.Amount // it is held in the currency of settlement, so nothing was converted for us
	}
	return l
}

// bookBalance stores balance transactions and books what only they tell: fees, what
// Stripe converted, payouts, and money that moved for something that is not ours. In
// one transaction, and safe to call again with the same ones.
func (s *Service) bookBalance(ctx context.Context, lines []*balanceLine) error {
	return s.Store.InTx(ctx, func(tx Tx) error {
		for _, l := range lines {
			if err := bookBalanceLine(ctx, tx, l); err != nil {
				return err
			}
		}
		return nil
	})
}

func bookBalanceLine(ctx context.Context, tx Tx, l *balanceLine) error {
	stored := *l.BalanceTransaction
	fresh, err := tx.InsertBalanceTransaction(ctx, &stored)
	if err != nil || !fresh {
		return err
	}
	cause := Cause{CauseSweep, l.ID}
	book := func(kind EntryKind, fact, memo string, m Money, debit, credit Account, more ...LedgerLine) error {
		if m.Minor == 0 {
			return nil
		}
		_, err := tx.InsertEntry(ctx, &LedgerEntry{ID: NewID("led", l.LearntAt), TenantID: l.TenantID, Kind: kind, Fact: fact, Currency: m.Currency,
			Cause: cause, Memo: memo, At: l.LearntAt, Lines: append([]LedgerLine{{Account: debit, AmountMinor: m.Minor}, {Account: credit, AmountMinor: -m.Minor}}, more...)})
		return err
	}
	amount := Money{-stored.Source.Minor, stored.Source.Currency}
	switch {
	case stored.Fact != l.Fact || l.nobodys: // what its fact would be is another's: no second one books in silence
		err = bookOther(ctx, tx, &stored, cause)
	case stored.Fact == l.ID+":fee" && l.Type == "tax_fee":
		err = book(EntryFee, stored.Fact, "tax on Stripe's fees", amount, AccountVAT, AccountStripe)
	case stored.Fact == l.ID+":fee":
		err = book(EntryFee, stored.Fact, "Stripe's "+strings.TrimPrefix(strings.ReplaceAll(l.Type, "_", " "), "stripe "), amount, AccountFees, AccountStripe)
	case l.Type == "payout":
		err = book(EntryPayout, stored.Fact, "paid out to the bank", amount, AccountPayouts, AccountStripe)
	case !l.settles:
		err = book(EntryPayoutReturn, stored.Fact, "came back from the bank", amount, AccountPayouts, AccountStripe)
	}
	if err != nil {
		return err
	}
	if l.Fee.Minor != 0 {
		if err := bookFeeOf(ctx, tx, &stored, cause); err != nil {
			return err
		}
	}
	if stored.Source.Currency == stored.Amount.Currency {
		return nil
	}
	memo := stored.Source.String() + " became " + stored.Amount.String() + ", rate " + stored.ExchangeRate + " (minor units)"
	if err := book(EntryConversion, l.ID+":converted_from", memo, stored.Source, AccountConversion, AccountStripe); err != nil {
		return err
	}
	return book(EntryConversion, l.ID+":converted_to", memo, stored.Amount, AccountStripe, AccountConversion)
}

// bookFeeOf books what Stripe kept of a balance transaction, tax apart; a settle may
// have done so before.
func bookFeeOf(ctx context.Context, tx Tx, b *BalanceTransaction, cause Cause) error {
	_, err := tx.InsertEntry(ctx, &LedgerEntry{ID: NewID("led", b.LearntAt), TenantID: b.TenantID, Kind: EntryFee, Fact: b.ID + ":fee", Currency: b.Fee.Currency,
		Cause: cause, Memo: "Stripe's fee", At: b.LearntAt, Lines: feeLines(b.Fee, b.TaxFee)})
	return err
}

// feeLines takes a fee from the balance at Stripe, the tax on it apart; a negative one
// is given back.
func feeLines(fee, tax Money) []LedgerLine {
	lines := []LedgerLine{{Account: AccountStripe, AmountMinor: -fee.Minor}}
	if net := fee.Minor - tax.Minor; net != 0 {
		lines = append(lines, LedgerLine{Account: AccountFees, AmountMinor: net})
	}
	if tax.Minor != 0 {
		lines = append(lines, LedgerLine{Account: AccountVAT, AmountMinor: tax.Minor})
	}
	return lines
}

// bookOther keeps in suspense what moved the balance at Stripe and is nothing of ours,
// and opens a case for it. What moves of a charge without a payment intent is one case,
// the charge's, or the customer's to whom it was assigned.
func bookOther(ctx context.Context, tx Tx, b *BalanceTransaction, cause Cause) error {
	now, moved := b.LearntAt, b.Amount
	u := &Unclaimed{ID: NewID("unc", now), TenantID: b.TenantID, ObjectID: cmp.Or(b.ChargeID, b.ID), Amount: Money{max(moved.Minor, -moved.Minor), moved.Currency},
		Reason: "other_movement", State: UnclaimedOpen, CreatedAt: now, UpdatedAt: now,
		Detail: strings.TrimSpace("Stripe's balance moved by " + moved.String() + " for something that is no payment of ours: " + cmp.Or(b.Category, b.Type) + " " + b.SourceID)}
	if err := tx.InsertUnclaimed(ctx, u); err != nil {
		return err
	}
	u, err := tx.LockUnclaimed(ctx, b.TenantID, u.ObjectID)
	if err != nil {
		return err
	}
	if u.Amount.Currency != moved.Currency { // converted otherwise than the charge was: a case of its own
		alone := *b
		alone.ChargeID = ""
		return bookOther(ctx, tx, &alone, cause)
	}
	h := &holding{ctx: ctx, tx: tx, u: u, orderID: u.OrderID, cause: cause, now: now}
	if u.State == UnclaimedAssigned {
		if h.customer, err = tx.CustomerByID(ctx, b.TenantID, u.CustomerID); err != nil {
			return err
		}
	}
	return h.other(b)
}

// other books one movement of a case: money that came in, went back, or came back again.
func (h *holding) other(b *BalanceTransaction) error {
	from, moved := h.u.State, b.Amount
	debit, credit, m := LedgerLine{Account: AccountStripe}, h.owner(), moved
	kind, posting, what := EntrySuspense, PostingReversal, "unclaimed.returned"
	if moved.Minor < 0 {
		debit, credit, m.Minor = credit, debit, -moved.Minor
		posting, what = PostingRefund, "unclaimed.went_back"
	}
	booked, err := h.entry(kind, b.Fact, "Stripe moved it: "+cmp.Or(b.Category, b.Type)+" "+b.SourceID, m, debit, credit)
	if err != nil || !booked {
		return err
	}
	h.changedBy(moved.Minor)
	if err := h.tell(what, posting, PostingNeedsReview, b.ID, m); err != nil || !h.changed {
		return err
	}
	h.settleState()
	h.u.UpdatedAt = h.now
	ok, err := h.tx.MoveUnclaimed(h.ctx, h.u, from)
	return orElse(err, unlessMoved(ok, h.u.ID))
}
