package pay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// Authenticate finds the tenant of a licence key. Every key that is not good gets
// the same CodeInvalidLicense; a good key of a suspended tenant CodeTenantSuspended.
func (s *Service) Authenticate(ctx context.Context, key string) (*Tenant, error) {
	if key == "" || len(key) > 200 {
		return nil, Errorf(CodeInvalidLicense, "License", "The licence key is missing or not valid")
	}
	t, err := s.Store.TenantByLicense(ctx, HashLicense(key))
	if IsNotFound(err) {
		return nil, Errorf(CodeInvalidLicense, "License", "The licence key is missing or not valid")
	}
	if err != nil {
		return nil, fmt.Errorf("authenticate: %w", err)
	}
	if t.State == TenantSuspended {
		return nil, Errorf(CodeTenantSuspended, "", "This tenant is suspended and takes no new payments")
	}
	return t, nil
}

// Choice is what the customer chose on the order's page.
type Choice struct {
	CardID   string // the saved card to pay with, "" for Stripe's page
	SaveCard bool   // keep the card that is paid with on Stripe's page, where the tenant asks
	// Language is the one that the customer asked for, a BCP 47 tag such as "de"; ""
	// when they asked for none. Stripe's page is in it too.
	Language string
}

// StartPayment is the pay button: it returns the page of Stripe's where the
// customer pays, or a page of ours when there is nothing (more) to pay there. It
// may be pressed any number of times, in any number of tabs: an order has one
// attempt that can be paid at a time, and one that may have been paid already is
// settled before the customer is sent anywhere.
//
// A chosen saved card is charged at once; refused, it leads back to the order's page,
// and to Stripe's when the bank wants the customer present.
func (s *Service) StartPayment(ctx context.Context, token string, choice Choice) (string, error) {
	for try := 0; ; try++ {
		to, err := s.startPayment(ctx, token, choice)
		if CodeOf(err) == CodeConflict && try < 4 {
			continue
		}
		return to, err
	}
}

func (s *Service) startPayment(ctx context.Context, token string, choice Choice) (string, error) {
	o, err := s.Store.OrderByPayToken(ctx, token)
	if err != nil {
		return "", err
	}
	t, err := s.Store.TenantByID(ctx, o.TenantID)
	if err != nil {
		return "", err
	}
	c, err := s.loadCheckout(ctx, s.Store, o)
	if err != nil {
		return "", err
	}
	if a := c.Attempt; o.State == OrderOpen && a != nil && a.State == AttemptOpen && (!a.StartedAt.IsZero() || !a.ExpiresAt.After(s.Now())) {
		if _, err := s.Settle(ctx, t.ID, cmp.Or(a.SessionID, a.IntentID), Cause{CauseBrowser, o.ID}); err != nil {
			return "", stripeError("start payment", err)
		}
		if c, err = s.reload(ctx, t.ID, o.ID); err != nil {
			return "", err
		}
	}
	if !payable(c.Order) {
		return s.PayURL(o, "/return"), nil
	}
	if t.State == TenantSuspended {
		return "", Errorf(CodeTenantSuspended, "", "%s takes no payments at the moment", t.Branding.DisplayName)
	}
	if err := s.ready(ctx, t); err != nil {
		return "", err
	}
	if c, err = s.finishEarlierCharge(ctx, t, c, &choice); err != nil {
		return "", err
	}
	switch {
	case !payable(c.Order):
		return s.PayURL(o, "/return"), nil
	case choice.CardID != "" && c.Order.Kind == OrderPayment:
		return s.payWithCard(ctx, t, c, choice)
	}
	return s.toStripe(ctx, t, c, choice)
}

// payable reports whether the pay button can lead anywhere.
func payable(o *Order) bool {
	return o.State == OrderOpen || o.State == OrderDraft || o.State == OrderExpired
}

// toStripe opens a Checkout session, or takes the open one, and leads there. A session
// of other wishes than the customer's is ended before: what Stripe was asked for under
// an attempt's key never changes.
func (s *Service) toStripe(ctx context.Context, t *Tenant, c *Checkout, choice Choice) (string, error) {
	asked := t.Policies.SaveCard == "ask" && c.Order.Kind == OrderPayment
	if a := c.Attempt; a == nil || a.State.Final() || (asked && a.SaveCard != choice.SaveCard) || (choice.Language != "" && a.Language != choice.Language) {
		if err := s.supersede(ctx, t, c, func(next *Attempt) *Attempt {
			next.SaveCard = next.SaveCard || (asked && choice.SaveCard)
			next.Language = cmp.Or(choice.Language, next.Language)
			return next
		}); err != nil {
			return "", err
		}
	}
	if err := s.openSession(ctx, t, c); err != nil {
		return "", err
	}
	if c.Attempt.State != AttemptOpen || c.Attempt.URL == "" {
		return s.PayURL(c.Order, "/return"), nil
	}
	return c.Attempt.URL, s.noteStart(ctx, c)
}

// finishEarlierCharge brings a charge of a saved card to its end that another tab
// began, or that died on its way: money may have moved. When it was of the card that
// is chosen now, it is this choice.
func (s *Service) finishEarlierCharge(ctx context.Context, t *Tenant, c *Checkout, choice *Choice) (*Checkout, error) {
	a := c.Attempt
	if a == nil || a.Kind != AttemptIntent || a.State != AttemptCreated {
		return c, nil
	}
	if err := s.charge(ctx, t, c, cardToken{}, Cause{CauseBrowser, c.Order.ID}); err != nil && CodeOf(err) != CodeCardDeclined && CodeOf(err) != CodeCardNotFound {
		return nil, err
	}
	c, err := s.reload(ctx, t.ID, c.Order.ID)
	if err == nil && payable(c.Order) && a.CardID == choice.CardID {
		choice.CardID = ""
	}
	return c, err
}

// payWithCard charges a saved card for an order whose customer is on its page.
func (s *Service) payWithCard(ctx context.Context, t *Tenant, c *Checkout, choice Choice) (string, error) {
	if _, err := s.ownCard(ctx, t, c.Customer.StripeCustomer, choice.CardID); err != nil {
		return "", err
	}
	if err := s.supersede(ctx, t, c, func(next *Attempt) *Attempt {
		next.Language = cmp.Or(choice.Language, next.Language)
		return chargeAttempt(next, choice.CardID, s.Now())
	}); err != nil {
		return "", err
	}
	err := s.charge(ctx, t, c, cardToken{}, Cause{CauseBrowser, c.Order.ID})
	if err != nil && CodeOf(err) != CodeCardDeclined && CodeOf(err) != CodeCardNotFound {
		return "", err
	}
	if c, err = s.reload(ctx, t.ID, c.Order.ID); err != nil {
		return "", err
	}
	switch {
	case !payable(c.Order):
		return s.PayURL(c.Order, "/return"), nil
	case c.NeedsCustomer && c.Attempt.Kind == AttemptCheckout:
		return s.toStripe(ctx, t, c, Choice{Language: choice.Language})
	}
	return s.PayURL(c.Order, ""), nil
}

// supersede ends the attempt that can be paid now and puts another in its place. A
// session is expired at Stripe before (product.md section 4, "Pay once"); one that was
// completed meanwhile is settled, and CodeConflict says to look again.
func (s *Service) supersede(ctx context.Context, t *Tenant, c *Checkout, shape func(next *Attempt) *Attempt) error {
	old, now := c.Attempt, s.Now()
	if old != nil && old.State == AttemptOpen && old.SessionID != "" {
		session, err := s.Gateway.ExpireSession(ctx, t, old.SessionID, old.IdempotencyKey+":expire")
		if err != nil {
			return stripeError("expire session of "+c.Order.ID, err)
		}
		if session.Status != "expired" {
			if _, err := s.Settle(ctx, t.ID, old.SessionID, Cause{CauseBrowser, c.Order.ID}); err != nil {
				return stripeError("settle "+c.Order.ID, err)
			}
			return Errorf(CodeConflict, "", "the payment was completed at the same moment")
		}
	}
	next := newAttempt(t, c.Order, 1, c.Customer.StripeCustomer, now)
	if old != nil {
		next = nextAttempt(t, c.Order, old.Number+1, old.Language, c.Customer.StripeCustomer, now)
	}
	next = shape(next)
	err := s.Store.InTx(ctx, func(tx Tx) error {
		// The order was read before its attempts, one of which may have paid it since.
		if order, err := tx.OrderByID(ctx, t.ID, c.Order.ID); err != nil || !payable(order) {
			return orElse(err, unlessMoved(false, c.Order.ID))
		}
		if old != nil && !old.State.Final() {
			gone := *old
			gone.Failure, gone.UpdatedAt, gone.CheckAt = "superseded", now, time.Time{}
			end := AttemptExpired
			if old.State == AttemptCreated { // nobody was given its page
				end = AttemptFailed
			}
			moved, err := tx.MoveAttempt(ctx, &gone, end)
			if err != nil || !moved {
				return errors.Join(err, unlessMoved(moved, old.ID))
			}
			if err := tell(ctx, tx, c.Order, now, "attempt_superseded", Cause{CauseBrowser, c.Order.ID}, old.SessionID); err != nil {
				return err
			}
		}
		return tx.InsertAttempt(ctx, next)
	})
	if err == nil {
		c.Attempt = next
	}
	return err
}

func (s *Service) reload(ctx context.Context, tenantID, orderID string) (*Checkout, error) {
	o, err := s.Store.OrderByID(ctx, tenantID, orderID)
	if err != nil {
		return nil, err
	}
	return s.loadCheckout(ctx, s.Store, o)
}

func (s *Service) noteStart(ctx context.Context, c *Checkout) error {
	if !c.Attempt.StartedAt.IsZero() {
		return nil
	}
	return s.Store.InTx(ctx, func(tx Tx) error {
		now := s.Now()
		if err := tx.StartAttempt(ctx, c.Order.TenantID, c.Attempt.ID, now); err != nil {
			return err
		}
		return tell(ctx, tx, c.Order, now, "sent_to_stripe", Cause{CauseBrowser, c.Attempt.ID}, c.Attempt.SessionID)
	})
}

// NoteReturn adds to the order's story that the customer came back, paid or not.
func (s *Service) NoteReturn(ctx context.Context, o *Order, what string) error {
	return s.Store.InTx(ctx, func(tx Tx) error {
		return tell(ctx, tx, o, s.Now(), what, Cause{CauseBrowser, o.ID}, "")
	})
}
