package stripegate

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/stripe/stripe-go/v76"

	"github.com/portatill/portatill/pay"
)

// intentExpansions are what Intent asks Stripe to put into its answer instead of ids, so that one call has all facts of
// a payment (https://stripe.com/docs/expand; four levels at most).
var intentExpansions = []string{"latest_charge.balance_transaction", "latest_charge.refunds"}

// newSessionExpansions are for a session that nobody can have paid yet.
var newSessionExpansions = []string{"line_items", "payment_intent", "setup_intent"}

var sessionExpansions = []string{"payment_intent.latest_charge.balance_transaction", "payment_intent.latest_charge.refunds", "setup_intent"}

// CreateSession makes a Checkout session for in.Order and gives it out only when Stripe's sum, currency, mode and
// reference are the order's; otherwise it ends the session and reports pay.FaultRejected with the code
// session_disagrees. It is one call to Stripe when all is well, and may be repeated with the same key and input.
func (g *Gate) CreateSession(ctx context.Context, t *pay.Tenant, in pay.SessionInput, key string) (*pay.StripeSession, error) {
	if err := checkSessionInput(in, key); err != nil {
		return nil, err
	}
	create := func(key string) (*pay.StripeSession, error) {
		return g.checkedSession(ctx, t, in, key, func(c conn, s *stripe.CheckoutSession) error {
			return c.post("/v1/checkout/sessions", sessionParams(c, t, in, key), s)
		})
	}
	s, err := create(key)
	if !kept(err) {
		return s, err
	}
	id, err := g.findSession(ctx, t, in)
	if err != nil {
		return nil, err
	}
	if id == "" {
		return create(key + again)
	}
	return g.checkedSession(ctx, t, in, key, func(c conn, s *stripe.CheckoutSession) error {
		return c.get(stripe.FormatURLPath("/v1/checkout/sessions/%s", id),
			&stripe.CheckoutSessionParams{Params: c.params(""), Expand: stripe.StringSlice(newSessionExpansions)}, s)
	})
}

// checkedSession gets a session, made or found, and gives it out when it is what was ordered.
func (g *Gate) checkedSession(ctx context.Context, t *pay.Tenant, in pay.SessionInput, key string,
	from func(c conn, s *stripe.CheckoutSession) error) (*pay.StripeSession, error) {
	var out *pay.StripeSession
	var withdraw, why string
	err := g.call(ctx, t, func(c conn) error {
		s := &stripe.CheckoutSession{}
		if err := from(c, s); err != nil {
			return err
		}
		if err := whole(s.Object, s.ID, "checkout.session", ""); err != nil {
			return err
		}
		if why = g.disagreement(t, in, s); why != "" {
			withdraw = s.ID
			return nil
		}
		var err error
		out, err = c.session(s)
		return err
	})
	if err != nil {
		return nil, err
	}
	if withdraw != "" {
		return nil, g.withdraw(ctx, t, withdraw, key, why)
	}
	return out, nil
}

// withdraw ends a session that must not be paid. The caller may be gone already; the session must go all the same.
func (g *Gate) withdraw(ctx context.Context, t *pay.Tenant, id, key, why string) error {
	f := &pay.StripeFault{Kind: pay.FaultRejected, Code: "session_disagrees",
		Message: "Stripe's session " + id + " is not what was ordered (" + why + "); it was ended"}
	s, err := g.ExpireSession(context.WithoutCancel(ctx), t, id, key+":withdraw")
	switch {
	case err != nil:
		f.Message = "Stripe's session " + id + " is not what was ordered (" + why + ") and could not be ended; end it in Stripe's dashboard"
		f.Err = err
	case s.Status == string(stripe.CheckoutSessionStatusComplete):
		f.Message = "Stripe's session " + id + " is not what was ordered (" + why + ") and was completed already; a person must look"
	}
	return f
}

// checkSessionInput refuses, before any call, what would make a session of another sum than the order's.
func checkSessionInput(in pay.SessionInput, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	refuse := func(format string, args ...any) error {
		return &pay.StripeFault{Kind: pay.FaultRejected, Code: "session_input_invalid", Message: fmt.Sprintf(format, args...) + "; nothing was sent"}
	}
	if in.Order == nil || in.Order.ID == "" {
		return refuse("a session needs its order")
	}
	if in.Order.Kind == pay.OrderSetup {
		if len(in.Lines) != 0 {
			return refuse("order %s saves a card, but has lines to pay", in.Order.ID)
		}
		return nil
	}
	total, sum := in.Order.Cart.Total(), int64(0)
	for i, l := range in.Lines {
		if l.Quantity < 1 || l.UnitMinor < 0 || l.UnitMinor > pay.MaxMinor/l.Quantity {
			return refuse("line %d of order %s is %d × %d, which Stripe cannot charge", i, in.Order.ID, l.Quantity, l.UnitMinor)
		}
		sum += l.Quantity * l.UnitMinor
	}
	if len(in.Lines) == 0 || sum != total.Minor {
		return refuse("the lines of order %s come to %d, but its total is %d (minor units of %s)", in.Order.ID, sum, total.Minor, total.Currency)
	}
	return nil
}

// disagreement says in what Stripe's session differs from the order, "" when in nothing. amount_subtotal is Stripe's own
// sum of the line items; the items themselves are added up as well when the answer has all of them, which saves a second
// call for long carts.
func (g *Gate) disagreement(t *pay.Tenant, in pay.SessionInput, s *stripe.CheckoutSession) string {
	mode := stripe.CheckoutSessionModePayment
	if in.Order.Kind == pay.OrderSetup {
		mode = stripe.CheckoutSessionModeSetup
	}
	switch {
	case s.Livemode != t.StripeLivemode:
		return fmt.Sprintf("livemode is %t, the tenant's is %t", s.Livemode, t.StripeLivemode)
	case s.ClientReferenceID != in.Order.ID:
		return "client_reference_id is not the order's id"
	case s.Mode != mode:
		return fmt.Sprintf("mode is %q, wanted %q", s.Mode, mode)
	case s.Status == stripe.CheckoutSessionStatusOpen && !g.payable(s.URL):
		return "it has no address to send the customer to"
	case mode == stripe.CheckoutSessionModeSetup:
		return ""
	}
	total := in.Order.Cart.Total()
	switch {
	case currency(s.Currency) != total.Currency:
		return fmt.Sprintf("currency is %q, the order's is %s", clip(string(s.Currency), 10), total.Currency)
	case s.AmountTotal != total.Minor || s.AmountSubtotal != total.Minor:
		return fmt.Sprintf("amount_total is %d and amount_subtotal %d, the order's total is %d", s.AmountTotal, s.AmountSubtotal, total.Minor)
	case s.LineItems == nil || s.LineItems.HasMore:
		return ""
	}
	sum := int64(0)
	for _, item := range s.LineItems.Data {
		if item == nil {
			return "a line item is null"
		}
		sum += item.AmountTotal
	}
	if sum != total.Minor {
		return fmt.Sprintf("its line items come to %d, the order's total is %d", sum, total.Minor)
	}
	return ""
}

// payable reports whether a browser may be sent there. The host may be the tenant's own domain at Stripe
// (https://stripe.com/docs/payments/checkout/custom-domains), so only the form is checked.
func (g *Gate) payable(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && (u.Scheme == "https" || (g.double && u.Scheme == "http"))
}

// ExpireSession ends an open session. Stripe refuses to end one that is not open; then the session is fetched, and
// returned as it is when it is complete or expired. It may be repeated.
func (g *Gate) ExpireSession(ctx context.Context, t *pay.Tenant, id, key string) (*pay.StripeSession, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	if err := checkID(id, "cs_"); err != nil {
		return nil, err
	}
	s, err := g.expire(ctx, t, id, key)
	f, _ := errors.AsType[*pay.StripeFault](err)
	if f == nil || (f.Kind != pay.FaultRejected && !kept(err)) {
		return s, err
	}
	s, errFetch := g.Session(ctx, t, id)
	switch {
	case errFetch != nil:
		return nil, errFetch
	case s.Status != string(stripe.CheckoutSessionStatusOpen):
		return s, nil
	case kept(err):
		return g.expire(ctx, t, id, key+again)
	}
	return nil, err
}

func (g *Gate) expire(ctx context.Context, t *pay.Tenant, id, key string) (*pay.StripeSession, error) {
	var out *pay.StripeSession
	err := g.call(ctx, t, func(c conn) error {
		s := &stripe.CheckoutSession{}
		err := c.post(stripe.FormatURLPath("/v1/checkout/sessions/%s/expire", id),
			&stripe.CheckoutSessionExpireParams{Params: c.params(key), Expand: stripe.StringSlice(sessionExpansions)}, s)
		if err != nil {
			return err
		}
		out, err = c.session(s, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Session fetches a session with its intent, charge, refunds and balance transaction.
func (g *Gate) Session(ctx context.Context, t *pay.Tenant, id string) (*pay.StripeSession, error) {
	if err := checkID(id, "cs_"); err != nil {
		return nil, err
	}
	var out *pay.StripeSession
	err := g.call(ctx, t, func(c conn) error {
		s := &stripe.CheckoutSession{}
		err := c.get(stripe.FormatURLPath("/v1/checkout/sessions/%s", id),
			&stripe.CheckoutSessionParams{Params: c.params(""), Expand: stripe.StringSlice(sessionExpansions)}, s)
		if err != nil {
			return err
		}
		out, err = c.session(s, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// SessionOf returns the id of the Checkout session that made the intent, "" when none did.
func (g *Gate) SessionOf(ctx context.Context, t *pay.Tenant, intentID string) (string, error) {
	if err := checkID(intentID, "pi_"); err != nil {
		return "", err
	}
	var id string
	err := g.call(ctx, t, func(c conn) error {
		params := &stripe.CheckoutSessionListParams{ListParams: c.listParams(), PaymentIntent: stripe.String(intentID)}
		params.Limit = stripe.Int64(1)
		list := &stripe.CheckoutSessionList{}
		if err := c.list("/v1/checkout/sessions", params, list); err != nil {
			return err
		}
		if list.Data == nil {
			return unreadable("the answer has no list of sessions")
		}
		if len(list.Data) == 0 {
			return nil
		}
		s := list.Data[0]
		if s == nil {
			return unreadable("a session in the list is null")
		}
		id = s.ID
		return whole(s.Object, s.ID, "checkout.session", "")
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

// sessionParams is what Stripe is asked for. It depends on the input alone, so that a repeated call with the same key
// has the same body; Stripe refuses one that differs.
func sessionParams(c conn, t *pay.Tenant, in pay.SessionInput, key string) *stripe.CheckoutSessionParams {
	o := in.Order
	p := &stripe.CheckoutSessionParams{
		Params:            c.params(key),
		ClientReferenceID: stripe.String(o.ID),
		SuccessURL:        stripe.String(in.ReturnURL),
		CancelURL:         stripe.String(in.CancelURL),
		Locale:            stripe.String(locale(in.Attempt)),
		// Invoices of a telecom service need an address, whatever the payment method makes of it.
		BillingAddressCollection: stripe.String(string(stripe.CheckoutSessionBillingAddressCollectionRequired)),
		Metadata:                 in.Metadata,
		Expand:                   stripe.StringSlice(newSessionExpansions),
	}
	if !in.ExpiresAt.IsZero() {
		p.ExpiresAt = stripe.Int64(in.ExpiresAt.Unix())
	}
	if len(o.PaymentMethods) > 0 {
		p.PaymentMethodTypes = stripe.StringSlice(o.PaymentMethods)
	}
	email := ""
	if in.Customer != nil {
		email = usableEmail(in.Customer.Email)
	}
	switch {
	case in.StripeCustomer != "":
		p.Customer = stripe.String(in.StripeCustomer)
	case email != "":
		p.CustomerEmail = stripe.String(email)
	}
	if o.Kind == pay.OrderSetup {
		p.Mode = stripe.String(string(stripe.CheckoutSessionModeSetup))
		p.SetupIntentData = &stripe.CheckoutSessionSetupIntentDataParams{Metadata: in.Metadata}
		if len(o.PaymentMethods) == 0 {
			// Required there when Stripe is to choose the payment methods (https://stripe.com/docs/api/checkout/sessions/create).
			c := o.Cart.Currency
			if c == "" {
				c = t.DefaultCurrency
			}
			p.Currency = stripe.String(c.Lower())
		}
		return p
	}
	p.Mode = stripe.String(string(stripe.CheckoutSessionModePayment))
	p.PaymentIntentData = &stripe.CheckoutSessionPaymentIntentDataParams{
		Description: stripe.String(description(in.Lines, o.ID)),
		Metadata:    in.Metadata,
	}
	if email != "" {
		p.PaymentIntentData.ReceiptEmail = stripe.String(email)
	}
	if in.StripeCustomer != "" {
		// Checkout then prefills and keeps what the customer typed; only allowed together with a customer.
		p.CustomerUpdate = &stripe.CheckoutSessionCustomerUpdateParams{Address: stripe.String("auto"), Name: stripe.String("auto")}
	}
	if in.SaveCard && (len(o.PaymentMethods) == 0 || slices.Contains(o.PaymentMethods, string(stripe.PaymentMethodTypeCard))) {
		// For cards only: setup_future_usage of the whole payment would take away the payment methods that cannot be saved
		// (https://stripe.com/docs/payments/save-during-payment).
		p.PaymentMethodOptions = &stripe.CheckoutSessionPaymentMethodOptionsParams{Card: &stripe.CheckoutSessionPaymentMethodOptionsCardParams{
			SetupFutureUsage: stripe.String(string(stripe.PaymentIntentSetupFutureUsageOffSession))}}
	}
	currency := o.Cart.Currency.Lower()
	for _, l := range in.Lines {
		p.LineItems = append(p.LineItems, lineParams(l, currency))
	}
	return p
}

// locale is the language of Stripe's page: the attempt's, where Checkout has it, else whatever the browser prefers
// (https://stripe.com/docs/api/checkout/sessions/create, locale). It has no Arabic.
func locale(a *pay.Attempt) string {
	if a != nil && slices.Contains(locales, a.Language) {
		return a.Language
	}
	return "auto"
}

var locales = strings.Fields(`bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR
	ro ru sk sl sv th tr vi zh zh-HK zh-TW`)

func lineParams(l pay.StripeLine, currency string) *stripe.CheckoutSessionLineItemParams {
	product := &stripe.CheckoutSessionLineItemPriceDataProductDataParams{Name: stripe.String(l.Name), Metadata: l.Metadata}
	if l.Description != "" {
		product.Description = stripe.String(l.Description)
	}
	return &stripe.CheckoutSessionLineItemParams{
		Quantity: stripe.Int64(l.Quantity),
		PriceData: &stripe.CheckoutSessionLineItemPriceDataParams{
			Currency: stripe.String(currency), UnitAmount: stripe.Int64(l.UnitMinor), ProductData: product,
		},
	}
}

// description is what Stripe's dashboard, receipts and reports call the payment.
func description(lines []pay.StripeLine, orderID string) string {
	what := ""
	if len(lines) > 0 {
		what = clip(strings.TrimSpace(lines[0].Name), 120)
	}
	switch more := len(lines) - 1; {
	case more > 0:
		what += fmt.Sprintf(" and %d more", more)
	}
	return what + " (" + orderID + ")"
}
