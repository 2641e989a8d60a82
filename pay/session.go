package pay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// leastLife is how much of its life a session must have left when Stripe is asked for
// it: Stripe's least is 30 minutes (docs.stripe.com/api/checkout/sessions/create).
const leastLife = 45 * time.Minute

// openSession asks Stripe for the attempt's session and stores it. A customer who
// was deleted at Stripe is made anew, once; and an attempt that waited so long that
// Stripe would refuse it, or whose key stands for another customer, is replaced by the
// next one: nobody was given its page.
func (s *Service) openSession(ctx context.Context, t *Tenant, c *Checkout) error {
	for try := 1; ; try++ {
		if err := s.replaceStale(ctx, t, c); err != nil {
			return err
		}
		err := s.tryOpenSession(ctx, t, c)
		if try == sessionTries || (!deletedCustomer(err) && !burntKey(err)) {
			return err
		}
		again, errLoad := s.reload(ctx, t.ID, c.Order.ID)
		if errLoad != nil || again.Attempt.ID == c.Attempt.ID { // the next attempt could not be stored
			return errors.Join(err, errLoad)
		}
		again.Replayed = c.Replayed
		*c = *again
	}
}

// sessionTries bounds openSession: each try has another attempt, and so another key.
// A customer who was deleted more than once within a day needs more than two, because
// Stripe answers an old key with the customer that is gone.
const sessionTries = 4

// replaceStale puts the next attempt in the place of one that cannot be opened.
func (s *Service) replaceStale(ctx context.Context, t *Tenant, c *Checkout) error {
	a := c.Attempt
	if a.State != AttemptCreated || a.ExpiresAt.IsZero() {
		return nil
	}
	left, other := a.ExpiresAt.Sub(s.Now()), a.StripeCustomer != c.Customer.StripeCustomer
	if !other && left >= leastLife && left <= sessionLife+leastLife {
		return nil
	}
	return s.supersede(ctx, t, c, func(next *Attempt) *Attempt { next.SaveCard = a.SaveCard; return next })
}

// burntKey reports whether Stripe refused because the attempt's key came before with
// other parameters (the customer was made anew between two tries, say), or because its
// time is over; the next attempt has a key and a time of its own.
func burntKey(err error) bool {
	f := faultOf(err)
	return f != nil && (f.Code == "idempotency_error" || (f.Kind == FaultRejected && f.Param == "expires_at"))
}

// tryOpenSession is openSession for a customer that Stripe still has. No transaction
// is open while Stripe is asked.
func (s *Service) tryOpenSession(ctx context.Context, t *Tenant, c *Checkout) error {
	if c.Attempt.State != AttemptCreated {
		return nil
	}
	stripeCustomer := c.Customer.StripeCustomer
	if stripeCustomer == "" {
		var err error
		if stripeCustomer, err = s.Gateway.CreateCustomer(ctx, t, c.Customer, customerKey(t, c.Customer, c.Attempt.Number)); err != nil {
			return s.refusedByStripe(ctx, t, c, "", "create customer", err)
		}
	}
	session, err := s.Gateway.CreateSession(ctx, t, SessionInput{
		Order: c.Order, Attempt: c.Attempt, Customer: c.Customer, StripeCustomer: stripeCustomer,
		Lines: c.Order.Cart.StripeLines(), SaveCard: c.Attempt.SaveCard,
		ReturnURL: s.PayURL(c.Order, "/return") + inLanguage(c.Attempt), CancelURL: s.PayURL(c.Order, "/cancel") + inLanguage(c.Attempt),
		ExpiresAt: c.Attempt.ExpiresAt, Metadata: metadata(t, c),
	}, c.Attempt.IdempotencyKey)
	if err != nil {
		if deletedCustomer(err) {
			stripeCustomer = "" // Stripe's answer under an old key: there is nobody to bind
		}
		return s.refusedByStripe(ctx, t, c, stripeCustomer, "create session", err)
	}
	return s.Store.InTx(ctx, func(tx Tx) error { return s.storeSession(ctx, tx, t, c, stripeCustomer, session) })
}

// inLanguage keeps the customer's language over Stripe's page without a cookie.
func inLanguage(a *Attempt) string {
	if a.Language == "" {
		return ""
	}
	return "?lang=" + url.QueryEscape(a.Language)
}

func metadata(t *Tenant, c *Checkout) map[string]string {
	m := map[string]string{MetaOrder: c.Order.ID, MetaAttempt: c.Attempt.ID, MetaTenant: t.ID,
		MetaICustomer: strconv.FormatInt(c.Customer.ICustomer, 10)}
	if c.Order.ContentID != 0 {
		m["content_id"] = strconv.FormatInt(c.Order.ContentID, 10)
	}
	if c.Order.FeatureName != "" {
		m["feature_name"] = clip(c.Order.FeatureName, 500)
	}
	if c.Order.CardInfo != "" {
		m[MetaCardInfo] = c.Order.CardInfo
	}
	return m
}

// storeSession binds what Stripe made to the attempt and opens the order.
func (s *Service) storeSession(ctx context.Context, tx Tx, t *Tenant, c *Checkout, stripeCustomer string, session *StripeSession) error {
	now := s.Now()
	if stripeCustomer != c.Customer.StripeCustomer {
		stored, err := tx.BindStripeCustomer(ctx, t.ID, c.Customer.ID, t.StripeAccount, t.StripeLivemode, stripeCustomer, now)
		if err != nil {
			return err
		}
		known := *c.Customer
		known.StripeCustomer = stored
		c.Customer = &known
	}
	a := *c.Attempt
	a.SessionID, a.IntentID, a.URL, a.ExpiresAt = session.ID, session.IntentID, session.URL, session.ExpiresAt
	a.UpdatedAt, a.CheckAt = now, nextCheck(&a, now)
	bound, err := tx.BindAttempt(ctx, &a)
	if err != nil {
		return err
	}
	if !bound { // the same request at the same time, or a settle, was quicker
		stored, err := tx.AttemptByID(ctx, t.ID, a.ID)
		if err != nil {
			return err
		}
		order, err := tx.OrderByID(ctx, t.ID, c.Order.ID)
		if err != nil {
			return err
		}
		c.Attempt, c.Order = stored, order
		return nil
	}
	a.State = AttemptOpen
	if from := c.Order.State; from != OrderOpen { // it still is when only its attempt failed
		moved, err := tx.MoveOrder(ctx, t.ID, c.Order.ID, from, OrderOpen, "", now)
		if err != nil || !moved {
			return errors.Join(err, unlessMoved(moved, c.Order.ID))
		}
	}
	o := *c.Order
	o.State, o.UpdatedAt = OrderOpen, now
	c.Attempt, c.Order = &a, &o
	return tell(ctx, tx, &o, now, "session_opened", Cause{CauseRequest, a.ID}, session.ID)
}

// refusedByStripe answers for a failed call. When Stripe refused for good, the
// attempt is closed, so that the next request makes a new one under a new key; the
// customer, when Stripe made one, is kept for it, and forgotten when it was deleted there.
func (s *Service) refusedByStripe(ctx context.Context, t *Tenant, c *Checkout, stripeCustomer, step string, err error) error {
	answer := stripeError(fmt.Sprintf("%s for %s", step, c.Order.ID), err)
	f := faultOf(err)
	if f != nil && f.Kind == FaultRejected && strings.HasPrefix(f.Param, "payment_method_types") {
		answer = &Error{Code: CodeUnknownPaymentMethod, Field: "PaymentMethod", Err: err,
			Message: "names a type that this tenant's Stripe account does not have, or not for this currency or amount. Leave it empty to let Stripe choose"}
	}
	if CodeOf(answer) == CodeStripeUnavailable && !keptError(f) {
		return answer
	}
	failure := "internal"
	if f != nil {
		failure = cmp.Or(f.Code, string(f.Kind))
	}
	storeErr := s.Store.InTx(ctx, func(tx Tx) error {
		now, known := s.Now(), c.Customer.StripeCustomer
		a := *c.Attempt
		a.Failure, a.UpdatedAt, a.CheckAt = failure, now, time.Time{}
		if moved, err := tx.MoveAttempt(ctx, &a, AttemptFailed); err != nil || !moved {
			return err
		}
		if stripeCustomer != c.Customer.StripeCustomer && stripeCustomer != "" {
			var errBind error
			if known, errBind = tx.BindStripeCustomer(ctx, t.ID, c.Customer.ID, t.StripeAccount, t.StripeLivemode, stripeCustomer, now); errBind != nil {
				return errBind
			}
		}
		if deletedCustomer(err) && known != "" {
			if err := tx.UnbindStripeCustomer(ctx, t.ID, c.Customer.ID, known); err != nil {
				return err
			}
			known = ""
		}
		if err := tx.InsertAttempt(ctx, nextAttempt(t, c.Order, a.Number+1, a.Language, known, now)); err != nil {
			return err
		}
		return tell(ctx, tx, c.Order, now, "refused_by_stripe", Cause{CauseRequest, a.ID}, failure)
	})
	return errors.Join(answer, storeErr)
}

// keptError reports whether Stripe keeps a 500 of its own under the idempotency
// key, which it does for a day (docs.stripe.com/api/idempotent_requests), and the
// gate could neither find the object nor make it under a second key. A new attempt
// with a new key passes it by. Should the first call have made a session after all,
// nobody was ever given its page, and it expires.
func keptError(f *StripeFault) bool { return f != nil && f.Code == FaultCodeKept }
