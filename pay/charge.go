package pay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// ChargeCard takes a cart's money from a saved card, or from a Stripe.js token that
// it saves first, without the customer. It is safe to call again with the same
// input, at once or after any failure: the Idempotency-Key, or without one the
// digest, finds the same order for as long as it is live and, paid, within the
// tenant's duplicate window; and the attempt's stored key makes Stripe answer with
// the same intent.
//
// When the bank wants the customer present nothing is taken: the Checkout's
// NeedsCustomer is set, and the order's page leads to where they finish.
//
// Errors: the codes of Validate; CodeCardNotFound for a card or token that is not
// this customer's, whoever's it is; CodeCardDeclined with Stripe's decline_code in
// Meta; CodeIdempotencyConflict for a key, or a token, that came with another request
// before; CodeStripeUnavailable (the same request may be sent again) and
// CodeStripeError.
func (s *Service) ChargeCard(ctx context.Context, in CheckoutInput) (*Checkout, error) {
	cart, err := in.Validate(CanonicalOrigin(s.BaseURL))
	if err != nil {
		return nil, err
	}
	if err := s.ready(ctx, in.Tenant); err != nil {
		return nil, err
	}
	known, err := findSameRequest(ctx, s.Store, &in, s.Now())
	if err != nil {
		return nil, err
	}
	if known == nil { // a repeat needs no card any more
		if err := s.checkCharge(ctx, &in); err != nil {
			return nil, err
		}
	}
	c, err := s.acceptOrder(ctx, &in, cart)
	if err != nil {
		return nil, err
	}
	if in.StripeCustomer != "" && c.Customer.StripeCustomer == "" {
		if err := s.bindStripeCustomer(ctx, in.Tenant, c.Customer, in.StripeCustomer); err != nil {
			return nil, err
		}
	}
	return s.finishCharge(ctx, in.Tenant, c, cardToken{in.Token, in.CardInfo}, Cause{CauseRequest, c.Order.ID})
}

// cardToken is a token that a charge attaches first, with its label.
type cardToken struct{ token, label string }

// field is the request's field that named what was charged.
func (t cardToken) field() string {
	if t.token != "" {
		return "apiSingleUseToken"
	}
	return "StripeSourceId"
}

// checkCharge refuses, before anything is stored, a card that is not the
// customer's and a token that was used for something else.
func (s *Service) checkCharge(ctx context.Context, in *CheckoutInput) error {
	if err := s.checkStripeCustomer(ctx, in.Tenant, in.Customer.ICustomer, in.StripeCustomer); err != nil {
		return err
	}
	if in.Token != "" {
		_, err := usedBefore(ctx, s.Store, in.Tenant.ID, tokenClaim(in.Token), in.Digest)
		return err
	}
	c, err := s.Store.CustomerByICustomer(ctx, in.Tenant.ID, in.Customer.ICustomer)
	if err != nil && !IsNotFound(err) {
		return err
	}
	owner := in.StripeCustomer
	if err == nil {
		owner = cmp.Or(c.StripeCustomer, owner)
	}
	_, err = s.ownCard(ctx, in.Tenant, owner, in.CardID)
	return err
}

// ownCard fetches a card of a Stripe customer; whatever is not theirs is the same
// CodeCardNotFound.
func (s *Service) ownCard(ctx context.Context, t *Tenant, stripeCustomer, id string) (*Card, error) {
	if stripeCustomer == "" {
		return nil, cardNotFound("StripeSourceId")
	}
	card, err := s.Gateway.Card(ctx, t, stripeCustomer, id)
	if f := faultOf(err); f != nil && (f.Kind == FaultNotFound || f.Kind == FaultRejected) {
		return nil, cardNotFound("StripeSourceId")
	}
	if err != nil {
		return nil, stripeError("fetch card", err)
	}
	return card, nil
}

func cardNotFound(field string) error {
	if field == "apiSingleUseToken" {
		return Errorf(CodeCardNotFound, field, "is not a token that Stripe knows for this tenant, or it is used up; make a new one with Stripe.js")
	}
	return Errorf(CodeCardNotFound, field, "is not a saved card of this customer; list their cards and use one of those")
}

// chargeAttempt makes a new attempt one that charges a saved card. It is looked for
// at Stripe soon when its answer is lost: money may have moved.
func chargeAttempt(a *Attempt, cardID string, now time.Time) *Attempt {
	a.Kind, a.CardID, a.SaveCard, a.ExpiresAt, a.CheckAt = AttemptIntent, cardID, false, time.Time{}, now.Add(2*time.Minute)
	return a
}

// needsCustomer reports whether an order waits because a bank wanted the customer
// present.
func needsCustomer(o *Order, attempts []*Attempt) bool {
	if o.State != OrderOpen && o.State != OrderDraft && o.State != OrderExpired {
		return false
	}
	for i := len(attempts) - 1; i >= 0; i-- {
		if a := attempts[i]; a.Kind == AttemptIntent {
			return NeedsCustomer(a)
		}
	}
	return false
}

// NeedsCustomer reports whether a charge took nothing because the bank wants the
// customer present.
func NeedsCustomer(a *Attempt) bool { return a.Failure == failureAuthentication }

// finishCharge brings an accepted charge to its end, from wherever it stands: it may
// be the first call, a repeat, or one that runs beside another.
func (s *Service) finishCharge(ctx context.Context, t *Tenant, c *Checkout, token cardToken, cause Cause) (*Checkout, error) {
	replayed := c.Replayed
	if a := c.Attempt; a != nil && a.Kind == AttemptIntent && a.State == AttemptCreated && payable(c.Order) {
		if err := s.charge(ctx, t, c, token, cause); err != nil {
			return nil, err
		}
		var err error
		if c, err = s.reload(ctx, t.ID, c.Order.ID); err != nil {
			return nil, err
		}
	}
	if a := c.Attempt; a != nil && a.Kind == AttemptCheckout && a.State == AttemptCreated && payable(c.Order) {
		// The page opens its session itself, when Stripe does not answer now.
		if err := s.openSession(ctx, t, c); err != nil && CodeOf(err) != CodeStripeUnavailable {
			return nil, err
		}
	}
	c.Replayed = replayed
	switch c.Order.State {
	case OrderFailed:
		return nil, declined(c.Order, token.field(), c.Attempt.Failure)
	case OrderCancelled:
		return nil, Errorf(CodeStripeError, "", "This charge is over (%s). Nothing was taken; send a new request", cmp.Or(c.Order.StateReason, "no reason given"))
	}
	return c, nil
}

// charge asks Stripe for the attempt's intent and settles it. No transaction is open
// while Stripe is asked, and the same call with the same attempt is the same intent.
func (s *Service) charge(ctx context.Context, t *Tenant, c *Checkout, token cardToken, cause Cause) error {
	if s.Now().Sub(c.Attempt.CreatedAt) > time.Hour { // Stripe may have forgotten the key
		if found, err := s.settleLost(ctx, c.Attempt, cause); found || err != nil {
			return err
		}
	}
	customerOf := s.stripeCustomer
	if c.Attempt.CardID == "" {
		customerOf = s.livingCustomer
	}
	customer, err := customerOf(ctx, t, c.Customer, c.Attempt.Number)
	if err != nil {
		return s.chargeRefused(ctx, t, c, token, "create customer", err)
	}
	card, err := s.cardOf(ctx, t, c, customer, token)
	if err != nil {
		return s.chargeRefused(ctx, t, c, token, "save card", err)
	}
	intent, err := s.Gateway.ChargeCard(ctx, t, ChargeInput{Order: c.Order, Attempt: c.Attempt, StripeCustomer: customer,
		MethodType: cmp.Or(card.Type, "card"), ReceiptEmail: c.Customer.Email, Metadata: metadata(t, c)}, c.Attempt.IdempotencyKey)
	if err != nil {
		return s.chargeRefused(ctx, t, c, token, "charge card", err)
	}
	if _, err := s.Settle(ctx, t.ID, intent.ID, cause); err != nil {
		return stripeError("settle charge "+c.Order.ID, err)
	}
	return nil
}

// settleLost settles the intent of a charge whose answer is lost, found by our mark.
func (s *Service) settleLost(ctx context.Context, a *Attempt, cause Cause) (found bool, err error) {
	id, err := s.lostIntent(ctx, a)
	if err == nil && id != "" {
		_, err = s.Settle(ctx, a.TenantID, id, cause)
	}
	if err != nil {
		err = stripeError("look for the charge of "+a.OrderID, err)
	}
	return id != "", err
}

// cardOf is the attempt's card; a token becomes one first.
func (s *Service) cardOf(ctx context.Context, t *Tenant, c *Checkout, stripeCustomer string, token cardToken) (*Card, error) {
	if c.Attempt.CardID != "" {
		return s.Gateway.Card(ctx, t, stripeCustomer, c.Attempt.CardID)
	}
	if token.token == "" {
		return nil, Errorf(CodeStripeUnavailable, "", "This charge waits for its request to be sent again, with the card's token")
	}
	card, err := s.Gateway.SaveCard(ctx, t, CardToken{Token: token.token, StripeCustomer: stripeCustomer, Label: token.label}, c.Attempt.IdempotencyKey+":card")
	if err != nil {
		return nil, err
	}
	a := *c.Attempt
	a.CardID = card.ID
	c.Attempt = &a
	return card, s.Store.InTx(ctx, func(tx Tx) error {
		now := s.Now()
		if err := tx.SetAttemptCard(ctx, t.ID, a.ID, card.ID, now); err != nil {
			return err
		}
		if claim := tokenClaim(token.token); claim != "" {
			if err := tx.SetTokenCard(ctx, t.ID, claim, card.ID, now); err != nil {
				return err
			}
		}
		return lookAtCards(ctx, tx, t.ID, stripeCustomer, Cause{CauseRequest, c.Order.ID})
	})
}

// chargeRefused answers for a charge that has no intent. When Stripe refused for
// good the attempt is over, and the order with it unless its customer has a page to
// pay on.
func (s *Service) chargeRefused(ctx context.Context, t *Tenant, c *Checkout, token cardToken, step string, err error) error {
	answer := stripeError(fmt.Sprintf("%s for %s", step, c.Order.ID), err)
	f := faultOf(err)
	if f == nil || (f.Kind == FaultUnavailable && !keptError(f)) || f.Kind == FaultCredentials {
		return answer
	}
	if keptError(f) { // the gate's own second call may have had its effect
		if found, err := s.settleLost(ctx, c.Attempt, Cause{CauseRequest, c.Order.ID}); found || err != nil {
			return err
		}
	}
	if f.Kind == FaultNotFound || f.Code == "token_already_used" {
		answer = cardNotFound(token.field())
	}
	if f.Kind == FaultDeclined {
		answer = declined(c.Order, token.field(), cmp.Or(f.DeclineCode, f.Code))
	}
	if deletedCustomer(err) {
		answer = errors.Join(cardNotFound(token.field()), s.forgetStripeCustomer(ctx, t, c.Customer))
	}
	storeErr := s.Store.InTx(ctx, func(tx Tx) error {
		b := &booking{service: s, ctx: ctx, tx: tx, tenant: t, cause: Cause{CauseRequest, c.Attempt.ID}, now: s.Now(), outcome: OutcomeApplied}
		if err := b.load(c.Attempt.ID); err != nil {
			return err
		}
		switch {
		case f.Kind == FaultDeclined:
			return b.bookRefusal(cmp.Or(f.DeclineCode, f.Code), OrderFailed)
		case keptError(f): // and the gate found no intent: another key passes it by
			return b.replaceAttempt(f.Code)
		}
		return b.bookRefusal(cmp.Or(f.Code, string(f.Kind)), OrderCancelled)
	})
	if CodeOf(storeErr) == CodeConflict { // a settle was quicker; the next call sees what it made
		storeErr = nil
	}
	return errors.Join(answer, storeErr)
}
