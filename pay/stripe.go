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

	// Cards lists the cards that are saved for a Stripe customer, newest first, legacy
	// card_… and src_… among them. FaultNotFound when the customer was deleted there.
	Cards(ctx context.Context, t *Tenant, stripeCustomer string) ([]*Card, error)
	// Card fetches one saved payment method of a Stripe customer. One that is not this
	// customer's is FaultNotFound, whoever's it may be.
	Card(ctx context.Context, t *Tenant, stripeCustomer, id string) (*Card, error)
	// SaveCard attaches to a customer what a Stripe.js token stands for (tok_…, pm_…,
	// src_…) and labels it. A bank's no is FaultDeclined; a token that is unknown or
	// used up FaultNotFound or FaultRejected.
	SaveCard(ctx context.Context, t *Tenant, in CardToken, key string) (*Card, error)
	// LabelCard sets the portal's label of a saved card; "" removes it.
	LabelCard(ctx context.Context, t *Tenant, id, label, key string) error
	// DeleteCard detaches a saved card from its customer. One that is attached to
	// nobody any more is FaultNotFound.
	DeleteCard(ctx context.Context, t *Tenant, stripeCustomer, id, key string) error

	// ChargeCard makes and confirms an off-session payment intent for the attempt. A
	// bank's no is no error: the intent is returned with Status
	// requires_payment_method and Failure set (authentication_required when the bank
	// wants the customer present). FaultDeclined is only what has no intent.
	ChargeCard(ctx context.Context, t *Tenant, in ChargeInput, key string) (*StripeIntent, error)
	// CancelIntent ends an intent, so that it can take no money any more. One that has
	// succeeded or is cancelled already is returned as it is.
	CancelIntent(ctx context.Context, t *Tenant, id, key string) (*StripeIntent, error)
	// IntentMade finds the intent of an attempt by our mark on it, among the
	// customer's intents since; "" when surely none was made.
	IntentMade(ctx context.Context, t *Tenant, stripeCustomer string, a *Attempt) (string, error)
	// CreateRefund gives money back. Stripe's own cap is FaultRejected
	// (charge_already_refunded, or a Param of amount).
	CreateRefund(ctx context.Context, t *Tenant, in RefundInput, key string) (*StripeRefund, error)

	// List reads one page of a kind of objects, newest first.
	List(ctx context.Context, t *Tenant, in ListInput) (*ListPage, error)
	// ListBalance reads one page of the account's balance transactions, newest first.
	ListBalance(ctx context.Context, t *Tenant, in BalanceInput) (*BalancePage, error)
	// ListPayouts reads one page of payouts made at from or later, newest first, after the
	// one with the id after ("" for the first page).
	ListPayouts(ctx context.Context, t *Tenant, from time.Time, after string) (*PayoutPage, error)
}

// ListKind is a kind of objects that a sweep lists.
type ListKind string

// The kinds, as Stripe's "object" has them.
const (
	ListSessions ListKind = "checkout.session"
	ListIntents  ListKind = "payment_intent"
	ListRefunds  ListKind = "refund"
	ListDisputes ListKind = "dispute"
	// ListBalance and ListPayouts have their own calls, Gateway.ListBalance and
	// Gateway.ListPayouts; here they name the sweep's marks.
	ListBalance ListKind = "balance_transaction"
	ListPayouts ListKind = "payout"
)

// ListKinds are all of them, in the order in which a sweep lists them: what a balance
// transaction is of is settled before it.
var ListKinds = []ListKind{ListSessions, ListIntents, ListRefunds, ListDisputes, ListBalance, ListPayouts}

// ListInput asks for the page of objects that were created at From or later, after
// the object with the id After ("" for the first page).
type ListInput struct {
	Kind  ListKind
	From  time.Time
	After string
}

// ListPage is one page; More says that there is another.
type ListPage struct {
	Objects []Listed
	More    bool
}

// Listed is what a list tells of an object: enough to see whether there is news.
type Listed struct {
	ID            string
	Status        string
	PaymentStatus string // of a session
	IntentID      string // of a refund or dispute, "" when it has none
	Mark          string // our tenant's id in its metadata, "" when it is not one of ours
	CreatedAt     time.Time
}

// CardToken is what SaveCard attaches.
type CardToken struct {
	Token          string
	StripeCustomer string
	Label          string
}

// ChargeInput is what an off-session payment intent is made from.
type ChargeInput struct {
	Order          *Order
	Attempt        *Attempt // its CardID is charged its Amount
	StripeCustomer string
	MethodType     string // Stripe's type of the card: card, sepa_debit, …
	ReceiptEmail   string // "" for none
	Metadata       map[string]string
}

// RefundInput is one refund at Stripe.
type RefundInput struct {
	IntentID string
	Amount   Money
	Reason   string // duplicate, fraudulent, requested_by_customer, "" for none
	Metadata map[string]string
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
	// SaveCard keeps a card that is paid with for later off-session charges. Other
	// payment methods are not kept.
	SaveCard bool
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
	PayerName         string        // as typed on Stripe's page; "" until then
	PayerEmail        string        // likewise
	IntentID          string        // "" until there is one
	Intent            *StripeIntent // nil until there is one
	Setup             *StripeSetup  // in mode setup, nil until there is one
	ExpiresAt         time.Time
	CreatedAt         time.Time
}

// StripeSetup is the setup intent of a session in mode setup.
type StripeSetup struct {
	ID       string
	Status   string // succeeded, processing, requires_payment_method, requires_action, canceled …
	CardID   string // what was saved: pm_…; "" until then
	Livemode bool
	Failure  string // code of the last error, "" when none
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
	Disputes       []StripeDispute           // all of them, oldest first; read when Disputed
	Method         string                    // e.g. "visa •••• 4242 exp 12/2030"
	ReceiptURL     string
	PayerName      string // from the billing details, "" when there are none
	PayerEmail     string // likewise
	CreatedAt      time.Time
}

// StripeBalanceTransaction is one line of the account's balance, in the currency
// of settlement (docs.stripe.com/reports/balance-transaction-types).
type StripeBalanceTransaction struct {
	ID     string
	Amount Money // gross; negative for what leaves
	Fee    Money // positive for what Stripe kept, negative for a fee given back
	TaxFee Money // the part of Fee that is tax
	Net    Money // Amount less Fee

	// The rest is set by ListBalance only.
	Type     string // charge, payment, refund, payment_refund, adjustment, payout, stripe_fee …
	Category string // Stripe's reporting category: charge, refund, refund_failure, dispute, dispute_reversal, payout, fee …
	// ExchangeRate is Stripe's rate as decimal text, from minor units of the source's
	// currency to minor units of settlement; "" when nothing was converted.
	ExchangeRate string
	SourceID     string // ch_…, py_…, re_…, pyr_…, dp_…, du_…, po_…; "" for none
	// IntentID is the payment intent that the source is of, "" for none, and ChargeID the
	// charge.
	IntentID string
	ChargeID string
	// SourceAmount is the source's own amount in the currency it was made in, positive;
	// zero when the source has none.
	SourceAmount Money
	CreatedAt    time.Time
	AvailableAt  time.Time
}

// BalanceInput asks for a page of balance transactions: those created at From or
// later (zero: all), or those that a payout contains (Payout, "" for all), after the
// one with the id After ("" for the first page).
type BalanceInput struct {
	From   time.Time
	Payout string
	After  string
}

// BalancePage is one page, newest first; More says that there is another.
type BalancePage struct {
	Transactions []*StripeBalanceTransaction
	More         bool
}

// StripePayout is money on its way from Stripe to the account's bank.
type StripePayout struct {
	ID        string
	Status    string // pending, in_transit, paid, failed, canceled
	Amount    Money  // negative when Stripe takes it from the bank
	Automatic bool
	// Reconciled reports whether Stripe can say which balance transactions it contains:
	// only of automatic ones, and a while after they were made
	// (docs.stripe.com/payouts/reconciliation).
	Reconciled bool
	CreatedAt  time.Time
	ArrivalAt  time.Time
}

// PayoutPage is one page, newest first; More says that there is another.
type PayoutPage struct {
	Payouts []*StripePayout
	More    bool
}

// StripeRefund is one refund as Stripe has it now.
type StripeRefund struct {
	ID            string
	Status        RefundState
	Amount        Money
	Reason        string
	FailureReason string
	// Request is our refund request's id, from the metadata; "" for a refund that was
	// not started by us.
	Request   string
	CreatedAt time.Time
}

// StripeDispute is one dispute as Stripe has it now.
type StripeDispute struct {
	ID     string
	Status DisputeState
	Amount Money // what is disputed, in the charge's currency
	Reason string
	// DueBy is until when evidence can be submitted; zero when there is none to give.
	DueBy time.Time
	// Withdrawn and Reinstated are what left the account's balance for the dispute and
	// what came back, nil as long as neither happened. Amounts are positive; the fee is
	// negative when Stripe gave it back.
	Withdrawn  *StripeBalanceTransaction
	Reinstated *StripeBalanceTransaction
	CreatedAt  time.Time
}

// Metadata keys on every Stripe object that we make. They are how a fact finds
// its order when its webhook arrives before our own answer does.
const (
	MetaOrder   = "portatill_order"
	MetaAttempt = "portatill_attempt"
	MetaTenant  = "portatill_tenant"
	// MetaCustomer is on Stripe customers: whose it is, as our customer id.
	MetaCustomer = "portatill_customer"
	// MetaRefund is on refunds: our refund request's id.
	MetaRefund = "portatill_refund"
	// MetaCardInfo is on payment methods, and on setup sessions for the card that they
	// will save: the portal's label.
	MetaCardInfo = "card_info"
	// MetaICustomer is the PortaBilling id beside it, for people who look at Stripe.
	MetaICustomer = "i_customer"
)
