package pay

import (
	"context"
	"errors"
	"time"
)

// bookMoneyBack books what left again for the payment of this intent: Stripe's
// fee once it is known, and every refund, whoever started it. It changes nothing
// when nothing is new.
func (b *booking) bookMoneyBack() error {
	i := b.facts.intent
	if i == nil || i.Charge == nil {
		return nil
	}
	p, err := b.tx.LockPayment(b.ctx, b.tenant.ID, i.ID)
	if IsNotFound(err) {
		return nil // held in suspense, where bookSuspense books its refunds too
	}
	if err != nil {
		return err
	}
	if err := b.bookFee(p, i.Charge.Balance); err != nil {
		return err
	}
	if err := b.bookRefunds(p, i.Charge.Refunds); err != nil {
		return err
	}
	return b.bookDisputes(p, i.Charge.Disputes)
}

// bookFee books what Stripe kept, in the currency of settlement, the tax on it
// apart.
func (b *booking) bookFee(p *Payment, bt *StripeBalanceTransaction) error {
	if bt == nil || p.BalanceTransaction != "" {
		return nil
	}
	p.Fee, p.BalanceTransaction, p.UpdatedAt = bt.Fee, bt.ID, b.now
	if err := b.tx.SetPaymentFee(b.ctx, p); err != nil || bt.Fee.Minor == 0 {
		return err
	}
	return b.entry(EntryFee, bt.ID+":fee", bt.Fee.Currency, "Stripe's fee", feeLines(bt.Fee, bt.TaxFee)...)
}

func (b *booking) bookRefunds(p *Payment, refunds []StripeRefund) error {
	known, err := b.tx.ListRefunds(b.ctx, b.tenant.ID, p.ID)
	if err != nil {
		return err
	}
	stored := make(map[string]*Refund, len(known))
	for _, r := range known {
		stored[r.StripeRefundID] = r
	}
	changed := false
	for _, at := range refunds {
		if !at.Status.known() { // of a later release of Stripe's: made, and its end not known here
			at.Status = RefundPending
		}
		if err := b.refundMade(at); err != nil {
			return err
		}
		r := stored[at.ID]
		switch {
		case r == nil:
			err = b.bookNewRefund(p, at)
		case at.Status.rank() > r.State.rank():
			err = b.bookRefundMove(p, r, at)
		default:
			continue // known, or an older fact than the one we have
		}
		if err != nil {
			return err
		}
		changed = true
	}
	if !changed {
		return nil
	}
	// The sum is taken from what is stored, not from these facts: a settle that asked
	// Stripe earlier may come later.
	known, err = b.tx.ListRefunds(b.ctx, b.tenant.ID, p.ID)
	if err != nil {
		return err
	}
	refunded := int64(0)
	for _, r := range known {
		if r.State.GivesBack() {
			refunded += r.Amount.Minor
		}
	}
	p.RefundedMinor = refunded
	return b.tx.SetRefunded(b.ctx, b.tenant.ID, p.ID, refunded, b.now)
}

// bookNewRefund books a refund when it is first seen. Stripe takes the money from
// the balance when the refund is made, also while it is pending
// (docs.stripe.com/refunds), so the books do too.
func (b *booking) bookNewRefund(p *Payment, at StripeRefund) error {
	r := &Refund{ID: NewID("ref", b.now), TenantID: b.tenant.ID, PaymentID: p.ID, OrderID: p.OrderID, StripeRefundID: at.ID,
		State: at.Status, Amount: at.Amount, Reason: at.Reason, Cause: b.cause, CreatedAt: b.now, UpdatedAt: b.now}
	if err := b.tx.InsertRefund(b.ctx, r); err != nil {
		return err
	}
	if err := b.refundEntry(EntryRefund, at.ID+":refunded", p, at.Amount.Minor); err != nil {
		return err
	}
	if !at.Status.GivesBack() { // it left Stripe's balance and came back before we heard of it
		if err := b.refundEntry(EntryRefundReversal, at.ID+":reversed", p, -at.Amount.Minor); err != nil {
			return err
		}
		return b.tell("refund_"+string(at.Status), at.Amount.String()+" "+at.FailureReason)
	}
	if err := b.post(PostingRefund, r.ID, at.Amount); err != nil {
		return err
	}
	return b.tellRefund(r, "refund.created", at)
}

// refundMade closes the request that a refund of ours was made for: its own answer is
// lost, or not stored yet.
func (b *booking) refundMade(at StripeRefund) error {
	return requestMade(b.ctx, b.tx, b.tenant.ID, at, b.now)
}

func requestMade(ctx context.Context, tx Tx, tenantID string, at StripeRefund, now time.Time) error {
	if at.Request == "" {
		return nil
	}
	r, err := tx.RefundRequestByID(ctx, tenantID, at.Request)
	if IsNotFound(err) {
		return nil
	}
	if err != nil || r.State != RefundRequested {
		return err
	}
	r.StripeRefundID, r.UpdatedAt = at.ID, now
	_, err = tx.MoveRefundRequest(ctx, r, RefundMade)
	return err
}

// bookRefundMove books a refund's later fate; one that failed or was cancelled
// gives the money back, exactly once.
func (b *booking) bookRefundMove(p *Payment, r *Refund, at StripeRefund) error {
	moved, err := b.tx.MoveRefund(b.ctx, b.tenant.ID, r.ID, r.State, at.Status, b.now)
	if err != nil || !moved {
		return errors.Join(err, unlessMoved(moved, r.ID))
	}
	if r.State.GivesBack() && !at.Status.GivesBack() {
		if err := b.refundEntry(EntryRefundReversal, at.ID+":reversed", p, -at.Amount.Minor); err != nil {
			return err
		}
		if err := b.post(PostingReversal, r.ID, at.Amount); err != nil {
			return err
		}
	}
	return b.tellRefund(r, "refund."+string(at.Status), at)
}

// refundEntry moves a refund through the clearing account: what the customer is
// owed becomes what is on its way to them, which leaves the balance at Stripe.
func (b *booking) refundEntry(kind EntryKind, fact string, p *Payment, minor int64) error {
	return b.entry(kind, fact, p.Amount.Currency, "",
		LedgerLine{Account: AccountCustomer, CustomerID: p.CustomerID, AmountMinor: minor},
		LedgerLine{Account: AccountRefunds, AmountMinor: -minor},
		LedgerLine{Account: AccountRefunds, AmountMinor: minor},
		LedgerLine{Account: AccountStripe, AmountMinor: -minor})
}

func (b *booking) tellRefund(r *Refund, kind string, at StripeRefund) error {
	b.note = kind + " " + at.Amount.String()
	if err := notifyAmount(b.ctx, b.tx, b.order, kind, r.StripeRefundID+":"+string(at.Status), r.StripeRefundID, at.Amount, b.now); err != nil {
		return err
	}
	return b.tell(kind, at.Amount.String())
}
