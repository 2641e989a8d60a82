package pay

import (
	"context"
	"time"
)

// Gateway is Stripe, as this package needs it. Every call that changes something
// carries an idempotency key that was stored before: the same call with the same
// key gives the same object. Errors are *StripeFault; a call may be repeated
// whenever its Kind is FaultUnavailable.
//
// All calls use the tenant's own key and the pinned API version 2023-10-16.
type Gateway interface {
	// Account returns the account that the tenant's key belongs to.
	Account(ctx context.Context, t *Tenant) (StripeAccount, error)
	// CreateCustomer makes a Stripe customer for c and returns its cus_… id.
	CreateCustomer(ctx context.Context, t *Tenant, c *Customer, key string) (string, error)
	// Customer fetches a Stripe customer; one that was deleted there is FaultNotFound.
	Customer(ctx context.Context, t *Tenant, id string) (*StripeCustomer, error)
	// CreateSession makes a Checkout session. Its line items' sum is checked
	// against in.Cart.Total before it is returned.
	CreateSession(ctx context.Context, t *Tenant, in SessionInput, key string) (*StripeSession, error)
	// ExpireSession ends an open session. One that is complete or expired already is
	// returned as it is.
	ExpireSession(ctx context.Context, t *Tenant, id, key string) (*StripeSession, error)
	// Session fetches a session with its intent, charge, refunds and balance
	// transaction expanded.
	Session(ctx context.Context, t *Tenant, id string) (*StripeSession, error)
	// Intent fetches a payment intent with the same expansions.
	Intent(ctx context.Context, t *Tenant, id string) (*StripeIntent, error)
	// IntentOf resolves a charge, refund or dispute id (ch_/py_, re_/pyr_, dp_/du_) to
	// the id of its payment intent, "" when it has none.
	IntentOf(ctx context.Context, t *Tenant, objectID string) (string, error)
	// SessionOf returns the id of the Checkout session that made the intent, "" when
	// none did.
	SessionOf(ctx context.Context, t *Tenant, intentID string) (string, error)
}

// StripeAccount is whose money it is.
type StripeAccount struct {
	ID       string // acct_…
	Livemode bool
	Name     string
}

// StripeCustomer is a customer as Stripe has it now.
type StripeCustomer struct {
	ID       string
	Livemode bool
	Metadata map[string]string
}

// SessionInput is what a Checkout session is made from.
type SessionInput struct {
	Order          *Order
	Attempt        *Attempt
	Customer       *Customer
	StripeCustomer string
	Lines          []StripeLine // from Cart.StripeLines; empty for setup mode
	ReturnURL      string       // Stripe's success_url: our return page
	CancelURL      string       // our cancel page
	ExpiresAt      time.Time
	Metadata       map[string]string // on the session and on its intent
}

// StripeLine is one line item: Quantity × UnitMinor in the cart's currency.
type StripeLine struct {
	Name        string // at most 250 characters
	Description string // at most 500 characters, "" for none
	Quantity    int64
	UnitMinor   int64
	Metadata    map[string]string // on the product
}

// StripeSession is a Checkout session as Stripe has it now.
type StripeSession struct {
	ID                string
	URL               string
	Mode              string // payment, setup
	Status            string // open, complete, expired
	PaymentStatus     string // paid, unpaid, no_payment_required
	AmountTotal       Money
	Livemode          bool
	ClientReferenceID string
	Metadata          map[string]string
	CustomerID        string
	IntentID          string        // "" until there is one
	Intent            *StripeIntent // nil until there is one
	ExpiresAt         time.Time
	CreatedAt         time.Time
}

// StripeIntent is a payment intent as Stripe has it now.
type StripeIntent struct {
	ID             string
	Status         string // requires_payment_method, requires_confirmation, requires_action, processing, succeeded, canceled, requires_capture
	Amount         Money
	AmountReceived Money
	Livemode       bool
	Metadata       map[string]string
	CustomerID     string
	Charge         *StripeCharge // the latest one; nil until there is one
	Failure        string        // decline code or code of the last error, "" when none
	CreatedAt      time.Time
}

// StripeCharge is the charge behind an intent.
type StripeCharge struct {
	ID             string
	Paid           bool
	Captured       bool
	Disputed       bool
	Amount         Money
	AmountCaptured Money
	AmountRefunded Money
	Balance        *StripeBalanceTransaction // nil until Stripe has one
	Refunds        []StripeRefund            // all of them, oldest first
	Method         string                    // e.g. "visa •••• 4242 exp 12/2030"
	ReceiptURL     string
	CreatedAt      time.Time
}

// StripeBalanceTransaction is one line of the account's balance, in the currency
// of settlement.
type StripeBalanceTransaction struct {
	ID     string
	Amount Money
	Fee    Money
	TaxFee Money // the part of Fee that is tax
	Net    Money
}

// StripeRefund is one refund as Stripe has it now.
type StripeRefund struct {
	ID            string
	Status        RefundState
	Amount        Money
	Reason        string
	FailureReason string
	CreatedAt     time.Time
}

// Metadata keys on every Stripe object that we make. They are how a fact finds
// its order when its webhook arrives before our own answer does.
const (
	MetaOrder   = "portatill_order"
	MetaAttempt = "portatill_attempt"
	MetaTenant  = "portatill_tenant"
	// MetaCustomer is on Stripe customers: whose it is, as our customer id.
	MetaCustomer = "portatill_customer"
	// MetaICustomer is the PortaBilling id beside it, for people who look at Stripe.
	MetaICustomer = "i_customer"
)
