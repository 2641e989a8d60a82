package pay

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// sessionLife is how long a Checkout session can be paid. Stripe's most is 24
// hours from creation (docs.stripe.com/api/checkout/sessions/create, expires_at);
// an hour less leaves room for a creation that is retried.
const sessionLife = 23 * time.Hour

// maxKey bounds an idempotency key: the header's 255 characters and a batch's
// ":index".
const maxKey = 260

// CheckoutInput is a portal's request for a customer to pay a cart.
type CheckoutInput struct {
	Tenant *Tenant
	// ICustomer is the request's own; Customer.ICustomer must agree when both are
	// above 0.
	ICustomer int64
	Customer  Customer
	// StripeCustomer is the portal's CustomerId, "" when it sent none.
	StripeCustomer string
	// LicenseID is whose licence key the request came with; "" for a signed pass.
	LicenseID string
	// Setup asks for a card to be saved on Stripe's page instead of a cart.
	Setup bool
	Items []CartItem
	// CardID is the saved card that ChargeCard charges, or Token the Stripe.js token of
	// one to be saved first.
	CardID string
	Token  string
	// CardInfo is the portal's label for the card, at most 100 characters.
	CardInfo       string
	SuccessURL     string
	CancelURL      string
	PaymentMethods []string
	ContentID      int64
	FeatureName    string

	IdempotencyKey string
	Digest         string
	Request        string
}

// Validate checks everything that needs neither database nor Stripe, and prices
// the cart. ownOrigin is Portatill's, where no customer may be sent back to.
func (in *CheckoutInput) Validate(ownOrigin string) (Cart, error) {
	if err := in.resolveCustomer(); err != nil {
		return Cart{}, err
	}
	// A card is charged without a page; when the bank wants one, the addresses are where
	// it leads, if the request has them.
	if in.SuccessURL != "" || !in.charge() {
		if err := in.Tenant.CheckReturnURL("SuccessUrl", in.SuccessURL, ownOrigin); err != nil {
			return Cart{}, err
		}
	}
	if in.CancelURL != "" || !in.charge() {
		if err := in.Tenant.CheckReturnURL("CancelUrl", in.CancelURL, ownOrigin); err != nil {
			return Cart{}, err
		}
	}
	for _, m := range in.PaymentMethods {
		if !slices.Contains(paymentMethodTypes, m) {
			return Cart{}, Errorf(CodeUnknownPaymentMethod, "PaymentMethod", "names a type that Stripe does not have; use types such as card or sepa_debit, separated by commas")
		}
	}
	if err := tooLong("FeatureName", in.FeatureName, 255); err != nil {
		return Cart{}, err
	}
	if len(in.PaymentMethods) > 20 {
		return Cart{}, Errorf(CodeTooLong, "PaymentMethod", "names more than 20 types")
	}
	if len(in.IdempotencyKey) > maxKey {
		return Cart{}, Errorf(CodeBadRequest, "Idempotency-Key", "is longer than %d characters", maxKey)
	}
	if err := tooLong("CardInfo", in.CardInfo, maxLabel); err != nil {
		return Cart{}, err
	}
	if in.Setup {
		return Cart{Currency: in.Tenant.DefaultCurrency, VATMode: in.Tenant.VATMode}, nil
	}
	return PriceCart(in.Tenant, in.Items)
}

func (in *CheckoutInput) charge() bool { return in.CardID != "" || in.Token != "" }

// maxLabel is how long a portal's label for a card may be (product.md section 2).
const maxLabel = 100

// tooLong refuses a text of more than limit characters: what is longer was never
// meant for a page, and no index holds it.
func tooLong(field, text string, limit int) error {
	if len(text) > limit && utf8.RuneCountInString(text) > limit {
		return Errorf(CodeTooLong, field, "is longer than %d characters", limit)
	}
	return nil
}

func (in *CheckoutInput) resolveCustomer() error {
	inner := in.Customer.ICustomer
	switch {
	case in.ICustomer < 0 || inner < 0:
		return Errorf(CodeCustomerMismatch, "ICustomer", "must be the customer's PortaBilling id, above 0")
	case in.ICustomer > 0 && inner > 0 && in.ICustomer != inner:
		return Errorf(CodeCustomerMismatch, "Customer.ICustomer", "is %d, but ICustomer is %d", inner, in.ICustomer)
	case in.ICustomer == 0 && inner == 0:
		return Errorf(CodeNotEmpty, "ICustomer", "says whose payment this is and must be given")
	}
	in.Customer.ICustomer = max(in.ICustomer, inner)
	if p := in.Customer.IParent; p != 0 && p != in.Tenant.IParent {
		return Errorf(CodeCustomerMismatch, "Customer.IParent", "is not this tenant's own")
	}
	return nil
}

// paymentMethodTypes are the types that Checkout takes in API version 2023-10-16
// (docs.stripe.com/api/checkout/sessions/create, payment_method_types).
var paymentMethodTypes = strings.Fields(`acss_debit affirm afterpay_clearpay alipay amazon_pay au_becs_debit bacs_debit
	bancontact blik boleto card cashapp customer_balance eps fpx giropay grabpay ideal klarna konbini link mobilepay oxxo
	p24 paynow paypal pix promptpay revolut_pay sepa_debit sofort swish us_bank_account wechat_pay zip`)

// Checkout is an accepted request: its order and the attempt that can be paid.
type Checkout struct {
	Order    *Order
	Attempt  *Attempt // nil when nothing was due
	Customer *Customer
	// Replayed says that the request was known and nothing new was made.
	Replayed bool
	// NeedsCustomer says that the bank wants the customer present: nothing was taken,
	// and the order's page leads to where they finish.
	NeedsCustomer bool
}

// OpenCheckout turns a request into an open order with a Checkout session. It is
// safe to call again with the same input, at once or after any failure: the
// idempotency key, or without one the digest, finds the same order, and the
// attempt's stored key makes Stripe answer with the same session.
//
// With an error the Checkout is still given when the order is stored: it waits as
// a draft for its session.
//
// Errors: the codes of Validate; CodeIdempotencyConflict when the key came with
// another request before; CodeStripeUnavailable (the same request may be sent
// again) and CodeStripeError.
func (s *Service) OpenCheckout(ctx context.Context, in CheckoutInput) (*Checkout, error) {
	cart, err := in.Validate(CanonicalOrigin(s.BaseURL))
	if err != nil {
		return nil, err
	}
	if err := s.ready(ctx, in.Tenant); err != nil {
		return nil, err
	}
	if err := s.checkStripeCustomer(ctx, in.Tenant, in.Customer.ICustomer, in.StripeCustomer); err != nil {
		return nil, err
	}
	c, err := s.acceptOrder(ctx, &in, cart)
	if err != nil {
		return nil, err
	}
	if c.Replayed && c.Order.State != OrderDraft {
		return c, nil
	}
	if c.Order.State == OrderPaid { // nothing was due
		return c, nil
	}
	if in.StripeCustomer != "" && c.Customer.StripeCustomer == "" {
		if err := s.bindStripeCustomer(ctx, in.Tenant, c.Customer, in.StripeCustomer); err != nil {
			return nil, err
		}
	}
	return c, s.openSession(ctx, in.Tenant, c)
}

// ready refuses a tenant that cannot take money, and learns its Stripe account
// the first time.
func (s *Service) ready(ctx context.Context, t *Tenant) error {
	if fault := t.ReadyFault(); fault != "" {
		return Errorf(CodeStripeError, "", "This tenant is not ready to take money: %s. Its operator must set it", fault)
	}
	return s.learnAccount(ctx, t)
}

// acceptOrder stores customer, order and first attempt in one transaction, or
// finds those of the same request.
func (s *Service) acceptOrder(ctx context.Context, in *CheckoutInput, cart Cart) (*Checkout, error) {
	var c *Checkout
	err := s.Store.InTx(ctx, func(tx Tx) error {
		now := s.Now()
		known, err := findSameRequest(ctx, tx, in, now)
		if err != nil {
			return err
		}
		if known != nil {
			c, err = s.loadCheckout(ctx, tx, known)
			return err
		}
		customer, err := keepCustomer(ctx, tx, in.Tenant, in.Customer, now)
		if err != nil {
			return err
		}
		o := &Order{
			ID: NewID("ord", now), TenantID: in.Tenant.ID, CustomerID: customer.ID, LicenseID: in.LicenseID, PayToken: NewPayToken(),
			Kind: OrderPayment, State: OrderDraft, Cart: cart, SuccessURL: in.SuccessURL, CancelURL: in.CancelURL,
			PaymentMethods: in.PaymentMethods, ContentID: in.ContentID, FeatureName: in.FeatureName, CardInfo: in.CardInfo,
			IdempotencyKey: in.IdempotencyKey, Digest: in.Digest, Request: in.Request, CreatedAt: now, UpdatedAt: now,
		}
		if in.Setup {
			o.Kind = OrderSetup
		}
		if err := tx.InsertOrder(ctx, o); err != nil {
			return err
		}
		if in.charge() && in.IdempotencyKey == "" {
			// The same charge may have been stored and paid between the look above and this
			// insert. Now that the digest is ours no other can be: look again.
			_, err := tx.ChargeByDigest(ctx, in.Tenant.ID, in.Digest, now.Add(-in.Tenant.Policies.DuplicateWindow), o.ID)
			if err == nil {
				return Errorf(CodeConflict, "", "the same charge was made at the same moment")
			}
			if !IsNotFound(err) {
				return err
			}
		}
		cause := Cause{CauseRequest, o.ID}
		if err := tell(ctx, tx, o, now, "requested", cause, cart.Total().String()); err != nil {
			return err
		}
		c = &Checkout{Order: o, Customer: customer}
		if cart.TotalMinor == 0 && !in.Setup {
			return s.settleNothingDue(ctx, tx, in.Tenant, o, cause, now)
		}
		c.Attempt = newAttempt(in.Tenant, o, 1, cmp.Or(customer.StripeCustomer, in.StripeCustomer), now)
		if in.charge() {
			c.Attempt = chargeAttempt(c.Attempt, in.CardID, now)
			if err := claimToken(ctx, tx, in, c); err != nil {
				return err
			}
		}
		return tx.InsertAttempt(ctx, c.Attempt)
	})
	// Two of the same request at once: the loser of the unique rule takes what the
	// winner made.
	if CodeOf(err) == CodeConflict {
		known, findErr := findSameRequest(ctx, s.Store, in, s.Now())
		switch {
		case findErr != nil:
			return nil, errors.Join(findErr, err)
		case known == nil && in.Token != "":
			return nil, tokenUsed()
		case known == nil:
			return nil, err
		}
		return s.loadCheckout(ctx, s.Store, known)
	}
	return c, err
}

// findSameRequest returns the order that the request made before, or nil.
func findSameRequest(ctx context.Context, r Reader, in *CheckoutInput, now time.Time) (*Order, error) {
	var o *Order
	var err error
	if in.IdempotencyKey != "" {
		o, err = r.OrderByIdempotencyKey(ctx, in.Tenant.ID, in.IdempotencyKey)
	} else if in.charge() {
		if o, err = r.ChargeByDigest(ctx, in.Tenant.ID, in.Digest, now.Add(-in.Tenant.Policies.DuplicateWindow), ""); IsNotFound(err) {
			o, err = orderOfToken(ctx, r, in)
		}
	} else {
		o, err = r.LiveOrderByDigest(ctx, in.Tenant.ID, in.Digest)
	}
	switch {
	case IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, err
	case o.Digest != in.Digest:
		return nil, Errorf(CodeIdempotencyConflict, "Idempotency-Key", "This key came before with another request; use a new key for a new request")
	}
	return o, nil
}

func (s *Service) loadCheckout(ctx context.Context, r Reader, o *Order) (*Checkout, error) {
	customer, err := r.CustomerByID(ctx, o.TenantID, o.CustomerID)
	if err != nil {
		return nil, err
	}
	c := &Checkout{Order: o, Customer: customer, Replayed: true}
	attempts, err := r.ListAttempts(ctx, o.TenantID, o.ID)
	if err != nil {
		return nil, err
	}
	if n := len(attempts); n > 0 {
		c.Attempt = attempts[n-1]
		c.NeedsCustomer = needsCustomer(o, attempts)
	}
	return c, nil
}

// newAttempt is the next try of an order. stripeCustomer is whom Stripe will be asked for
// under its key, "" when Stripe does not know the customer yet.
func newAttempt(t *Tenant, o *Order, number int, stripeCustomer string, now time.Time) *Attempt {
	return &Attempt{
		ID: NewID("att", now), TenantID: o.TenantID, OrderID: o.ID, Number: number, Kind: AttemptCheckout,
		State: AttemptCreated, StripeCustomer: stripeCustomer, IdempotencyKey: "portatill-" + o.ID + "-" + strconv.Itoa(number), Amount: o.Cart.Total(),
		StripeAccount: t.StripeAccount, SaveCard: o.Kind == OrderPayment && t.Policies.SaveCard == "always", ExpiresAt: now.Add(sessionLife).Truncate(time.Second),
		CreatedAt: now, UpdatedAt: now,
		// Stripe forgets idempotency keys after 24 hours; by then an attempt whose
		// answer never came is closed, and nobody was given its page.
		CheckAt: now.Add(unansweredLife),
	}
}

// nextAttempt is newAttempt for an order that had one before: its page stays in the
// customer's language.
func nextAttempt(t *Tenant, o *Order, number int, language, stripeCustomer string, now time.Time) *Attempt {
	a := newAttempt(t, o, number, stripeCustomer, now)
	a.Language = language
	return a
}

// settleNothingDue pays an order whose voucher covers everything.
func (s *Service) settleNothingDue(ctx context.Context, tx Tx, t *Tenant, o *Order, cause Cause, now time.Time) error {
	moved, err := tx.MarkOrderPaid(ctx, o.TenantID, o.ID, OrderDraft, "voucher", now)
	if err != nil || !moved {
		return errors.Join(err, unlessMoved(moved, o.ID))
	}
	o.State, o.PaidAt, o.Evidence = OrderPaid, now, "voucher"
	if err := notify(ctx, tx, o, "order.paid", o.ID+":paid", now); err != nil {
		return err
	}
	if err := s.makeMail(ctx, tx, t, o, MailReceipt, o.ID, now); err != nil {
		return err
	}
	return tell(ctx, tx, o, now, "paid", cause, "nothing was due")
}

// PayURL is an order's page for its customer, or one below it such as "/return".
func (s *Service) PayURL(o *Order, below string) string {
	return s.BaseURL + "/pay/" + o.PayToken + below
}

// tell appends to the order's story.
func tell(ctx context.Context, tx Tx, o *Order, at time.Time, what string, cause Cause, detail string) error {
	return tx.InsertStory(ctx, &StoryLine{ID: NewID("sto", at), TenantID: o.TenantID, OrderID: o.ID, At: at,
		What: what, Cause: cause, Detail: detail})
}

// unlessMoved is the error of a guarded change that moved nothing: something else
// was first. Whoever sees CodeConflict reads again and decides again.
func unlessMoved(moved bool, id string) error {
	if moved {
		return nil
	}
	return Errorf(CodeConflict, "", "%s was changed by something else at the same moment; try again", id)
}

// nextCheck is when the sweep asks Stripe about an attempt again: each time it
// runs, while Stripe may have news, so that with no webhook at all a payment closes
// within one sweep. The longest unasked comes first.
func nextCheck(a *Attempt, now time.Time) time.Time {
	if a.State.Final() {
		return time.Time{}
	}
	return now
}
