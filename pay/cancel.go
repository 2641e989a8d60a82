package pay

import (
	"context"
	"errors"
	"time"
)

// CancelOrder ends an order that still waits for its customer: nobody can pay it any more,
// and the same request makes a new order. reason is words for staff, at most 200
// characters. It is safe to call again: an order that is cancelled stays so.
//
// An open Checkout session is expired at Stripe before. Money that came in at the same
// moment wins: it is settled, and the answer is CodeConflict; a payment that Stripe tells
// of later reopens the order (I-14).
//
// Errors: CodeNotFound; CodeTooLong; CodeConflict for an order that cannot be cancelled,
// with why; CodeStripeError and CodeStripeUnavailable when the session could not be
// expired: the order is as it was.
func (s *Service) CancelOrder(ctx context.Context, tenantID, orderID, reason string, cause Cause) (*Order, error) {
	if err := tooLong("reason", reason, 200); err != nil {
		return nil, err
	}
	t, err := s.Store.TenantByID(ctx, tenantID)
	if err != nil {
		return nil, err
	}
	for try := 0; ; try++ {
		c, err := s.reload(ctx, tenantID, orderID)
		if err != nil {
			return nil, err
		}
		if c.Order.State == OrderCancelled {
			return c.Order, nil
		}
		if err := cancellable(c); err != nil {
			return nil, err
		}
		if err := s.endSession(ctx, t, c, cause); err != nil {
			return nil, err
		}
		err = s.Store.InTx(ctx, func(tx Tx) error { return s.cancel(ctx, tx, c, reason, cause) })
		if CodeOf(err) == CodeConflict && try < 4 {
			continue
		}
		if err != nil {
			return nil, err
		}
		return s.Store.OrderByID(ctx, tenantID, orderID)
	}
}

// cancellable refuses an order that no longer waits for its customer, in words.
func cancellable(c *Checkout) error {
	switch o, a := c.Order, c.Attempt; {
	case o.State == OrderPaid:
		return Errorf(CodeConflict, "", "The order is paid. Give the money back by a refund instead.")
	case o.State == OrderProcessing:
		return Errorf(CodeConflict, "", "The bank has been asked for the money and cannot be stopped. Wait for its answer, and refund the payment then.")
	case !o.State.MayMove(OrderCancelled):
		return Errorf(CodeConflict, "", "The order is %s; there is nothing to cancel.", o.State)
	case a != nil && a.Kind == AttemptIntent && !a.State.Final():
		return Errorf(CodeConflict, "", "A charge of a saved card is under way, and its outcome is not known yet. Recheck the order first.")
	}
	return nil
}

// endSession expires the session that the customer may be looking at.
func (s *Service) endSession(ctx context.Context, t *Tenant, c *Checkout, cause Cause) error {
	a := c.Attempt
	if a == nil || a.State != AttemptOpen || a.SessionID == "" {
		return nil
	}
	session, err := s.Gateway.ExpireSession(ctx, t, a.SessionID, a.IdempotencyKey+":expire")
	if err != nil {
		return stripeError("expire session of "+c.Order.ID, err)
	}
	if session.Status == "expired" {
		return nil
	}
	if _, err := s.Settle(ctx, t.ID, a.SessionID, cause); err != nil {
		return stripeError("settle "+c.Order.ID, err)
	}
	return Errorf(CodeConflict, "", "The customer paid at the same moment. The order was not cancelled.")
}

// cancel closes attempt and order as they were read; CodeConflict when either has moved.
func (s *Service) cancel(ctx context.Context, tx Tx, c *Checkout, reason string, cause Cause) error {
	now, o := s.Now(), *c.Order
	if a := c.Attempt; a != nil && !a.State.Final() {
		gone := *a
		gone.Failure, gone.UpdatedAt, gone.CheckAt = "cancelled", now, time.Time{}
		end := AttemptExpired
		if a.State == AttemptCreated { // nobody was given its page
			end = AttemptFailed
		}
		moved, err := tx.MoveAttempt(ctx, &gone, end)
		if err != nil || !moved {
			return errors.Join(err, unlessMoved(moved, a.ID))
		}
	}
	moved, err := tx.MoveOrder(ctx, o.TenantID, o.ID, o.State, OrderCancelled, reason, now)
	if err != nil || !moved {
		return errors.Join(err, unlessMoved(moved, o.ID))
	}
	o.State, o.UpdatedAt = OrderCancelled, now
	if err := notify(ctx, tx, &o, "order.cancelled", o.ID+":cancelled", now); err != nil {
		return err
	}
	return tell(ctx, tx, &o, now, "cancelled", cause, reason)
}
