package pay

import (
	"slices"
	"time"
)

// OrderState is the text in the database, on pages (data-status) and on the wire.
type OrderState string

const (
	OrderDraft      OrderState = "draft"      // stored, Stripe does not know of it yet
	OrderOpen       OrderState = "open"       // can be paid
	OrderProcessing OrderState = "processing" // the bank has been asked; days may pass
	OrderPaid       OrderState = "paid"
	OrderFailed     OrderState = "failed" // the bank said no, finally
	OrderExpired    OrderState = "expired"
	OrderCancelled  OrderState = "cancelled"
	OrderMismatch   OrderState = "mismatch" // Stripe's facts disagree: a person must look
)

// OrderKind says what the order asks of the customer.
type OrderKind string

const (
	OrderPayment OrderKind = "payment" // money for a cart
	OrderSetup   OrderKind = "setup"   // saving a card
)

// orderEdges is the written graph; every other pair is refused by MayMove.
// expired → open is both a new attempt and the first half of a late success;
// cancelled → open and failed → open are only the latter (I-14: late success
// beats expiry and cancel).
var orderEdges = map[OrderState][]OrderState{
	OrderDraft:      {OrderOpen, OrderPaid, OrderCancelled, OrderMismatch},
	OrderOpen:       {OrderPaid, OrderProcessing, OrderExpired, OrderCancelled, OrderMismatch},
	OrderProcessing: {OrderPaid, OrderFailed, OrderMismatch},
	OrderExpired:    {OrderOpen, OrderMismatch},
	OrderCancelled:  {OrderOpen, OrderMismatch},
	OrderFailed:     {OrderOpen, OrderMismatch},
	OrderPaid:       {OrderMismatch},
}

// MayMove reports whether the graph has the edge.
func (s OrderState) MayMove(to OrderState) bool { return slices.Contains(orderEdges[s], to) }

// Live reports whether the order still waits for money: a repeated request is
// the same order while it does.
func (s OrderState) Live() bool {
	return s == OrderDraft || s == OrderOpen || s == OrderProcessing
}

// Order is one accepted request for money, or for saving a card.
type Order struct {
	ID         string
	TenantID   string
	CustomerID string
	LicenseID  string // whose key the request came with; "" for a signed pass
	PayToken   string // unguessable part of the customer's URLs
	Kind       OrderKind
	State      OrderState
	// StateReason says why, in words for staff, when the state needs a person.
	StateReason string

	Cart Cart // priced; Cart.Total is what Stripe is asked for

	SuccessURL     string
	CancelURL      string
	PaymentMethods []string // Stripe payment method types; empty: Stripe chooses
	ContentID      int64
	FeatureName    string
	CardInfo       string // the portal's label for a card that is saved with the order

	IdempotencyKey string // the portal's header, "" when it sent none
	Digest         string // hex SHA-256 of the canonical request
	Request        string // canonical JSON of the request, without licence and password

	CreatedAt time.Time
	UpdatedAt time.Time
	PaidAt    time.Time // zero until paid
	// Evidence is the Stripe object that proves the payment (pi_…, or "voucher"
	// when nothing was due). Set exactly when PaidAt is.
	Evidence string
}

// AttemptState is where one try at Stripe stands.
type AttemptState string

const (
	AttemptCreated    AttemptState = "created" // key stored, Stripe not asked or its answer not stored
	AttemptOpen       AttemptState = "open"
	AttemptProcessing AttemptState = "processing"
	AttemptSucceeded  AttemptState = "succeeded"
	AttemptFailed     AttemptState = "failed"
	AttemptExpired    AttemptState = "expired"
	AttemptOverpaid   AttemptState = "overpaid" // it too succeeded, though the order was paid
	AttemptMismatch   AttemptState = "mismatch"
)

// Final reports whether Stripe can change nothing about the attempt any more,
// but for refunds and disputes.
func (s AttemptState) Final() bool {
	switch s {
	case AttemptCreated, AttemptOpen, AttemptProcessing:
		return false
	}
	return true
}

// AttemptKind says which Stripe object carries the attempt.
type AttemptKind string

const (
	AttemptCheckout AttemptKind = "checkout" // a Checkout session
	AttemptIntent   AttemptKind = "intent"   // an off-session payment intent
)

// Attempt is one try at Stripe for an order. Its idempotency key is stored
// before Stripe is asked, so that asking again gives the same object.
type Attempt struct {
	ID             string
	TenantID       string
	OrderID        string
	Number         int // 1, 2, … within the order
	Kind           AttemptKind
	State          AttemptState
	IdempotencyKey string
	Amount         Money

	// StripeAccount is the account the attempt was made in.
	StripeAccount string
	SessionID     string
	IntentID      string
	// StripeCustomer is the cus_… that Stripe is asked for, where it was known when the
	// attempt was made: its key may not be sent with another.
	StripeCustomer string
	// CardID is the saved card that an intent charges; "" for Checkout, and until a
	// token is attached.
	CardID string
	// SaveCard keeps the card that the customer pays with for later charges.
	SaveCard bool
	// Language is that of Stripe's page and of ours after it, a BCP 47 tag; "" leaves
	// the choice to the browser. Part of what Stripe is asked for under the key.
	Language  string
	URL       string // Stripe's page
	ExpiresAt time.Time
	// StartedAt is when the customer was first sent to Stripe's page; zero before.
	StartedAt time.Time
	Failure   string // Stripe's code or decline code, "" when none

	CreatedAt time.Time
	UpdatedAt time.Time
	// CheckAt is when the sweep asks Stripe again; zero when it need not.
	CheckAt time.Time
}

// OrderFilter narrows ListOrders. Zero values do not narrow.
type OrderFilter struct {
	TenantID    string
	CustomerID  string
	State       OrderState
	FeatureName string
	ContentID   int64
	LicenseID   string
	Since       time.Time
	After       string // the last id of the page before; newest first
	Limit       int    // 1 to 200; 0 means 50
}
