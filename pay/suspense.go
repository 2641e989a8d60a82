package pay

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// holding is the money of one intent that no order could take: in suspense until a
// person decides, a customer's when it was assigned.
type holding struct {
	ctx      context.Context
	tx       Tx
	u        *Unclaimed
	customer *Customer // whose it is, nil as long as it is nobody's
	orderID  string    // the order it came in for or was assigned to, "" for none
	cause    Cause
	now      time.Time
	changed  bool
}

// bookSuspense books money that has no owner yet, what Stripe kept of it, and what
// was given back since. Each is a fact, so it may be called again with newer or older
// ones. Once a person has assigned the money, what goes back is that customer's, and
// PortaBilling is told. The case is there already.
func bookSuspense(ctx context.Context, tx Tx, tenantID, orderID string, intent *StripeIntent, cause Cause, now time.Time) error {
	if intent.AmountReceived.Minor <= 0 {
		return nil
	}
	u, err := tx.LockUnclaimed(ctx, tenantID, intent.ID)
	if err != nil {
		return fmt.Errorf("the case of %s: %w", intent.ID, err)
	}
	h := &holding{ctx: ctx, tx: tx, u: u, orderID: cmp.Or(orderID, u.OrderID), cause: cause, now: now}
	if u.State == UnclaimedAssigned {
		if h.customer, err = tx.CustomerByID(ctx, tenantID, u.CustomerID); err != nil {
			return err
		}
	}
	from := u.State
	booked, err := h.entry(EntrySuspense, intent.ID+":captured", "money without an owner", intent.AmountReceived,
		LedgerLine{Account: AccountStripe}, LedgerLine{Account: AccountSuspense})
	if err != nil {
		return err
	}
	if booked {
		u.Amount, u.HeldMinor, u.State, u.Decision, h.changed = intent.AmountReceived, u.HeldMinor+intent.AmountReceived.Minor, UnclaimedOpen, Decision{}, true
	}
	if err := h.charge(intent.Charge); err != nil || !h.changed {
		return err
	}
	h.settleState()
	u.UpdatedAt = now
	moved, err := tx.MoveUnclaimed(ctx, u, from)
	return orElse(err, unlessMoved(moved, u.ID))
}

// settleState closes a case of which nothing is left, and opens it again when a refund
// that failed gave some back.
func (h *holding) settleState() {
	switch u := h.u; {
	case u.State == UnclaimedRefunded && u.HeldMinor != 0:
		u.State, u.Decision = UnclaimedOpen, Decision{}
	case u.State == UnclaimedOpen && u.HeldMinor == 0:
		u.State, u.Decision = UnclaimedRefunded, Decision{Reason: "nothing of it is left: it went back", Cause: h.cause, At: h.now}
	}
}

// entry books one fact with two lines.
func (h *holding) entry(kind EntryKind, fact, memo string, m Money, debit, credit LedgerLine) (bool, error) {
	if m.Minor == 0 {
		return false, nil
	}
	debit.AmountMinor, credit.AmountMinor = m.Minor, -m.Minor
	return h.lines(kind, fact, memo, m.Currency, debit, credit)
}

func (h *holding) lines(kind EntryKind, fact, memo string, c Currency, lines ...LedgerLine) (bool, error) {
	return h.tx.InsertEntry(h.ctx, &LedgerEntry{ID: NewID("led", h.now), TenantID: h.u.TenantID, Kind: kind, Fact: fact,
		OrderID: h.orderID, UnclaimedID: h.u.ID, Currency: c, Cause: h.cause, At: h.now, Memo: memo, Lines: lines})
}

// owner is the account of whoever has the money now.
func (h *holding) owner() LedgerLine {
	if h.customer != nil {
		return LedgerLine{Account: AccountCustomer, CustomerID: h.customer.ID}
	}
	return LedgerLine{Account: AccountSuspense}
}

// changedBy notes that the owner has minor units more, or less, than before.
func (h *holding) changedBy(minor int64) {
	if h.customer == nil {
		h.u.HeldMinor += minor
		h.changed = true
	}
}

// charge books what became of the money at Stripe.
func (h *holding) charge(c *StripeCharge) error {
	if c == nil {
		return nil
	}
	if bt := c.Balance; bt != nil {
		if _, err := h.entry(EntryFee, bt.ID+":fee", "Stripe's fee", bt.Fee, LedgerLine{Account: AccountFees}, LedgerLine{Account: AccountStripe}); err != nil {
			return err
		}
	}
	for _, r := range c.Refunds {
		if err := h.refund(r); err != nil {
			return err
		}
	}
	for _, d := range c.Disputes {
		if err := h.dispute(d); err != nil {
			return err
		}
	}
	return nil
}

// refund books one refund, whoever started it, and gives the money back to its owner
// when it failed.
func (h *holding) refund(r StripeRefund) error {
	if err := requestMade(h.ctx, h.tx, h.u.TenantID, r, h.now); err != nil {
		return err
	}
	gone, err := h.entry(EntryRefund, r.ID+":refunded", "given back", r.Amount, h.owner(), LedgerLine{Account: AccountStripe})
	if err != nil {
		return err
	}
	back := false
	if !r.Status.GivesBack() {
		if back, err = h.entry(EntryRefundReversal, r.ID+":reversed", "not given back after all", r.Amount, LedgerLine{Account: AccountStripe}, h.owner()); err != nil {
			return err
		}
	}
	switch {
	case gone == back: // nothing new, or it had failed before we heard of it
		return nil
	case gone:
		h.changedBy(-r.Amount.Minor)
		return h.tell("refund.created", PostingRefund, PostingPending, r.ID, r.Amount)
	}
	h.changedBy(r.Amount.Minor)
	return h.tell("refund."+string(r.Status), PostingReversal, PostingPending, r.ID, r.Amount)
}

// dispute books one dispute. What PortaBilling is told of a lost one, and of one that
// is won after it was lost, a person decides (portabilling.md section 8.2).
func (h *holding) dispute(d StripeDispute) error {
	if d.Reinstated == nil {
		won, err := h.tx.FactBooked(h.ctx, h.u.TenantID, d.ID+":reinstated")
		if err != nil || won {
			return err // an older fact than the one we have
		}
	}
	lost, err := bookDispute(d, h.owner(), h.lines)
	if err != nil {
		return err
	}
	if lost {
		amount := disputed(d, d.Withdrawn)
		h.changedBy(-amount.Minor)
		return h.tell("dispute.lost", PostingDispute, PostingNeedsReview, d.ID, amount)
	}
	if d.Reinstated == nil {
		return nil
	}
	was, err := h.tx.FactBooked(h.ctx, h.u.TenantID, d.ID+":lost")
	if err != nil || !was {
		return err
	}
	amount := disputed(d, d.Reinstated)
	won, err := h.entry(EntryDisputeReversal, d.ID+":lost_reversed", "the dispute was won after all", amount, LedgerLine{Account: AccountDisputes}, h.owner())
	if err != nil || !won {
		return err
	}
	h.changedBy(amount.Minor)
	return h.tell("dispute.won", PostingReversal, PostingNeedsReview, d.ID, amount)
}

// tell puts it into the order's story, when there is one, and what concerns a
// customer's money also into a posting and a notice.
func (h *holding) tell(what string, kind PostingKind, state PostingState, objectID string, amount Money) error {
	if err := tellOrder(h.ctx, h.tx, h.u.TenantID, h.orderID, h.now, what, h.cause, amount.String()+" of "+h.u.ID); err != nil || h.customer == nil {
		return err
	}
	if err := h.tx.InsertPosting(h.ctx, &Posting{ID: NewID("pst", h.now), TenantID: h.u.TenantID, OrderID: h.orderID, CustomerID: h.customer.ID,
		Kind: kind, SubjectID: h.u.ID + ":" + objectID, Amount: amount, State: state, CreatedAt: h.now, UpdatedAt: h.now}); err != nil {
		return err
	}
	return h.notify(what, h.u.ID+":"+objectID+":"+what, objectID, amount)
}

// assignedNotice is what a tenant's own system is told of assigned money. It has the
// customer, because there need not be an order.
type assignedNotice struct {
	Type      string   `json:"type"`
	Object    string   `json:"object"`
	Amount    string   `json:"amount"`
	Currency  Currency `json:"currency"`
	ICustomer int64    `json:"i_customer"`
	Order     string   `json:"order,omitempty"`
	Unclaimed string   `json:"unclaimed"`
	At        int64    `json:"at"` // Unix seconds
}

func (h *holding) notify(kind, fact, object string, amount Money) error {
	payload, err := json.Marshal(assignedNotice{Type: kind, Object: object, Amount: amount.Text(), Currency: amount.Currency,
		ICustomer: h.customer.ICustomer, Order: h.orderID, Unclaimed: h.u.ID, At: h.now.Unix()})
	if err != nil {
		return fmt.Errorf("write the notice of %s: %w", fact, err)
	}
	return h.tx.InsertDelivery(h.ctx, &Delivery{ID: NewID("dlv", h.now), TenantID: h.u.TenantID, OrderID: h.orderID, Type: kind,
		Fact: fact, Payload: string(payload), State: DeliveryPending, CreatedAt: h.now, UpdatedAt: h.now})
}

// tellOrder adds to an order's story; what has no order has no story.
func tellOrder(ctx context.Context, tx Tx, tenantID, orderID string, now time.Time, what string, cause Cause, detail string) error {
	if orderID == "" {
		return nil
	}
	return tx.InsertStory(ctx, &StoryLine{ID: NewID("sto", now), TenantID: tenantID, OrderID: orderID, At: now, What: what, Cause: cause, Detail: detail})
}
