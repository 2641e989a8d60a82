package stripegate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/stripe/stripe-go/v76"

	"github.com/portatill/portatill/pay"
)

// ChargeCard makes and confirms a payment intent in one call, without the customer
// (https://stripe.com/docs/payments/save-and-reuse#charge-saved-payment-method). It may be repeated with the same key and
// input. The intent is given out only when its amount, currency, mode and marks are what was asked for; otherwise it is
// cancelled, where that is still possible, and pay.FaultRejected with the code intent_disagrees names it.
func (g *Gate) ChargeCard(ctx context.Context, t *pay.Tenant, in pay.ChargeInput, key string) (*pay.StripeIntent, error) {
	if err := checkChargeInput(t, in, key); err != nil {
		return nil, err
	}
	create := func(key string) (*pay.StripeIntent, error) {
		return g.checkedIntent(ctx, t, in, key, func(c conn) (*pay.StripeIntent, error) { return c.charged(in, key) })
	}
	i, err := create(key)
	if !kept(err) {
		return i, err
	}
	// Nothing of the attempt is older than the attempt; the day is for clocks that differ.
	since := time.Time{}
	if !in.Attempt.CreatedAt.IsZero() {
		since = in.Attempt.CreatedAt.Add(-24 * time.Hour)
	}
	id, all, errFind := g.findIntent(ctx, t, in.StripeCustomer, in.Attempt.ID, since)
	switch {
	case errFind != nil:
		return nil, stillOpen(err, errFind)
	case id == "" && !all:
		return nil, err // it may be among those that were not looked at; a second charge is worse than none
	case id == "":
		return create(key + again)
	}
	return g.checkedIntent(ctx, t, in, key, func(c conn) (*pay.StripeIntent, error) {
		i, err := c.fetchIntent(id)
		return onceMade(id, i, err)
	})
}

// charged makes the intent. A refusal by the bank is an error of Stripe's that has the intent in it
// (https://stripe.com/docs/declines/codes); it is fetched, because that one has ids where charge and refunds were asked
// for, and because a repeated call gets the error of the first one, however long ago that was.
func (c conn) charged(in pay.ChargeInput, key string) (*pay.StripeIntent, error) {
	pi := &stripe.PaymentIntent{}
	err := c.post("/v1/payment_intents", intentParams(c, in, key), pi)
	if e, ok := errors.AsType[*stripe.Error](err); ok && e.HTTPStatusCode == http.StatusPaymentRequired && namedIntent(e) != "" {
		i, err := c.fetchIntent(namedIntent(e))
		return onceMade(namedIntent(e), i, err)
	}
	if err != nil {
		return nil, err
	}
	if err := whole(pi.Object, pi.ID, "payment_intent", ""); err != nil {
		return nil, err
	}
	if checkID(pi.ID, "pi_") != nil {
		return nil, unreadable("the answer has a payment intent without a usable id")
	}
	i, err := c.intent(pi)
	return onceMade(pi.ID, i, err)
}

// onceMade keeps a refusal to show an intent, or its charge, from being read as one to make it: it exists, and may have
// taken money.
func onceMade(id string, i *pay.StripeIntent, err error) (*pay.StripeIntent, error) {
	if err == nil {
		return i, nil
	}
	if e, ok := errors.AsType[*stripe.Error](err); ok && kindOf(e) != pay.FaultUnavailable {
		f := unreadable("Stripe has the intent %s, but does not show all of it: %s", id, clip(string(e.Code), 100))
		f.IntentID = id
		return nil, f
	}
	return nil, err
}

func intentParams(c conn, in pay.ChargeInput, key string) *stripe.PaymentIntentParams {
	a := in.Attempt
	p := &stripe.PaymentIntentParams{
		Params:             c.params(key),
		Amount:             stripe.Int64(a.Amount.Minor),
		Currency:           stripe.String(a.Amount.Currency.Lower()),
		Customer:           stripe.String(in.StripeCustomer),
		PaymentMethod:      stripe.String(a.CardID),
		PaymentMethodTypes: stripe.StringSlice([]string{in.MethodType}),
		OffSession:         stripe.Bool(true),
		Confirm:            stripe.Bool(true),
		Description:        stripe.String(description(in.Order.Cart.StripeLines(), in.Order.ID)),
		Metadata:           in.Metadata,
		Expand:             stripe.StringSlice(intentExpansions),
	}
	if email := usableEmail(in.ReceiptEmail); email != "" {
		p.ReceiptEmail = stripe.String(email)
	}
	return p
}

// checkChargeInput refuses, before any call, what could not be found again or would charge something else.
func checkChargeInput(t *pay.Tenant, in pay.ChargeInput, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	refuse := func(format string, args ...any) error {
		return &pay.StripeFault{Kind: pay.FaultRejected, Code: "charge_input_invalid", Message: fmt.Sprintf(format, args...) + "; nothing was sent"}
	}
	switch o, a := in.Order, in.Attempt; {
	case o == nil || o.ID == "" || a == nil || a.ID == "":
		return refuse("a charge needs its order and its attempt")
	case a.Amount.Minor < 1 || a.Amount.Minor > pay.MaxMinor || a.Amount.Currency == "":
		return refuse("attempt %s charges %d minor units of %q, which Stripe cannot do", a.ID, a.Amount.Minor, a.Amount.Currency)
	case in.MethodType == "":
		return refuse("attempt %s does not say what type of payment method its card is", a.ID)
	}
	for name, want := range chargeMarks(t, in) {
		if in.Metadata[name] != want {
			return refuse("the metadata of attempt %s must have %s = %s", in.Attempt.ID, name, want)
		}
	}
	return checkCard(in.StripeCustomer, in.Attempt.CardID)
}

// chargeMarks are how an intent is found and matched when its answer is lost.
func chargeMarks(t *pay.Tenant, in pay.ChargeInput) map[string]string {
	return map[string]string{pay.MetaOrder: in.Order.ID, pay.MetaAttempt: in.Attempt.ID, pay.MetaTenant: t.ID}
}

// checkedIntent gets an intent, made or found, and gives it out when it is what was asked for.
func (g *Gate) checkedIntent(ctx context.Context, t *pay.Tenant, in pay.ChargeInput, key string,
	from func(c conn) (*pay.StripeIntent, error)) (*pay.StripeIntent, error) {
	var out *pay.StripeIntent
	err := g.call(ctx, t, func(c conn) error {
		var err error
		out, err = from(c)
		return err
	})
	if err != nil {
		return nil, err
	}
	if why := intentDisagreement(t, in, out); why != "" {
		return nil, g.withdrawIntent(ctx, t, out, key, why)
	}
	return out, nil
}

// intentDisagreement says in what Stripe's intent differs from what was asked for, "" when in nothing.
func intentDisagreement(t *pay.Tenant, in pay.ChargeInput, i *pay.StripeIntent) string {
	switch {
	case i.Livemode != t.StripeLivemode:
		return fmt.Sprintf("livemode is %t, the tenant's is %t", i.Livemode, t.StripeLivemode)
	case i.Amount != in.Attempt.Amount:
		return fmt.Sprintf("its amount is %d of %q, asked for were %d of %s",
			i.Amount.Minor, clip(string(i.Amount.Currency), 10), in.Attempt.Amount.Minor, in.Attempt.Amount.Currency)
	}
	for _, name := range []string{pay.MetaOrder, pay.MetaAttempt, pay.MetaTenant} {
		if i.Metadata[name] != chargeMarks(t, in)[name] {
			return "its " + name + " is another one"
		}
	}
	return ""
}

// withdrawIntent cancels an intent that must not take money. The caller may be gone already; the intent must go all the
// same.
func (g *Gate) withdrawIntent(ctx context.Context, t *pay.Tenant, i *pay.StripeIntent, key, why string) error {
	f := &pay.StripeFault{Kind: pay.FaultRejected, Code: "intent_disagrees", IntentID: i.ID,
		Message: "Stripe's intent " + i.ID + " is not what was asked for (" + why + "); it was cancelled"}
	now, err := g.cancelIntent(context.WithoutCancel(ctx), t, i.ID, key+":withdraw")
	switch {
	case err != nil:
		f.Message = "Stripe's intent " + i.ID + " is not what was asked for (" + why + ") and could not be cancelled; a person must look"
		f.Err = err
	case now.Status != string(stripe.PaymentIntentStatusCanceled):
		f.Message = "Stripe's intent " + i.ID + " is not what was asked for (" + why + ") and has taken money; a person must look"
	}
	return f
}

// CancelIntent ends an intent. Stripe refuses to end one that succeeded, is cancelled, is on its way or belongs to an open
// Checkout session; then it is fetched, and returned as it is in the first two cases. It may be repeated.
func (g *Gate) CancelIntent(ctx context.Context, t *pay.Tenant, id, key string) (*pay.StripeIntent, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	return g.cancelIntent(ctx, t, id, key)
}

// cancelIntent is CancelIntent for keys that were checked before something was added to them.
func (g *Gate) cancelIntent(ctx context.Context, t *pay.Tenant, id, key string) (*pay.StripeIntent, error) {
	if err := checkID(id, "pi_"); err != nil {
		return nil, err
	}
	i, err := g.cancel(ctx, t, id, key)
	if !kept(err) && kindIs(err) != pay.FaultRejected {
		return i, err
	}
	i, errFetch := g.Intent(ctx, t, id)
	switch {
	case errFetch != nil:
		return nil, stillOpen(err, errFetch)
	case i.Status == string(stripe.PaymentIntentStatusSucceeded), i.Status == string(stripe.PaymentIntentStatusCanceled):
		return i, nil
	case kept(err):
		return g.cancel(ctx, t, id, key+again)
	}
	return nil, err
}

func (g *Gate) cancel(ctx context.Context, t *pay.Tenant, id, key string) (*pay.StripeIntent, error) {
	var out *pay.StripeIntent
	err := g.call(ctx, t, func(c conn) error {
		pi := &stripe.PaymentIntent{}
		err := c.post(stripe.FormatURLPath("/v1/payment_intents/%s/cancel", id),
			&stripe.PaymentIntentCancelParams{Params: c.params(key), Expand: stripe.StringSlice(intentExpansions)}, pi)
		if err != nil {
			return err
		}
		if err := whole(pi.Object, pi.ID, "payment_intent", id); err != nil {
			return err
		}
		i, err := c.intent(pi)
		out, err = onceMade(id, i, err)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// IntentMade finds the intent of an attempt among the customer's that were made since a day before it. When these are
// more than a list holds, "none" would be a guess: that is FaultUnavailable.
func (g *Gate) IntentMade(ctx context.Context, t *pay.Tenant, stripeCustomer string, a *pay.Attempt) (string, error) {
	if err := checkID(stripeCustomer, "cus_"); err != nil {
		return "", err
	}
	id, all, err := g.findIntent(ctx, t, stripeCustomer, a.ID, a.CreatedAt.Add(-24*time.Hour))
	if err == nil && id == "" && !all {
		err = &pay.StripeFault{Kind: pay.FaultUnavailable, Code: "too_many_intents",
			Message: "the customer has more than a hundred payment intents since; whether one is the attempt's cannot be told"}
	}
	return id, err
}

// findIntent looks for the attempt's mark among the newest hundred intents of the customer that were made since then.
// all says whether there were no more than those.
func (g *Gate) findIntent(ctx context.Context, t *pay.Tenant, customer, attemptID string, since time.Time) (id string, all bool, err error) {
	if attemptID == "" {
		return "", true, nil
	}
	err = g.call(ctx, t, func(c conn) error {
		params := &stripe.PaymentIntentListParams{ListParams: c.listParams(), Customer: stripe.String(customer)}
		if !since.IsZero() {
			params.CreatedRange = &stripe.RangeQueryParams{GreaterThanOrEqual: since.Unix()}
		}
		list := &stripe.PaymentIntentList{}
		if err := c.list("/v1/payment_intents", params, list); err != nil {
			return err
		}
		if list.Data == nil {
			return unreadable("the answer has no list of payment intents")
		}
		for _, pi := range list.Data {
			if pi == nil {
				return unreadable("a payment intent in the list is null")
			}
			if err := whole(pi.Object, pi.ID, "payment_intent", ""); err != nil {
				return err
			}
			if id == "" && pi.Metadata[pay.MetaAttempt] == attemptID && pi.Metadata[pay.MetaTenant] == t.ID {
				var err error
				if id, err = intentID(pi); err != nil {
					return err
				}
			}
		}
		all = !list.HasMore
		return nil
	})
	if err != nil {
		return "", false, err
	}
	return id, all, nil
}
