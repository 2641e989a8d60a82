package pay

import (
	"slices"
	"strings"
	"time"
)

// Payment is money that Stripe captured for an order: at most one per order,
// and one per payment intent.
type Payment struct {
	ID            string
	TenantID      string
	OrderID       string
	AttemptID     string
	CustomerID    string
	StripeAccount string
	IntentID      string
	ChargeID      string
	SessionID     string

	Amount        Money
	VATMinor      int64 // the VAT within Amount
	RefundedMinor int64 // sum of refunds not failed or cancelled

	// Fee is what Stripe kept, in the currency of settlement; Currency is "" until
	// the balance transaction is known.
	Fee                Money
	BalanceTransaction string

	Method     string // what paid, e.g. "visa •••• 4242 exp 12/2030"
	ReceiptURL string // Stripe's own receipt

	Cause     Cause
	PaidAt    time.Time
	CreatedAt time.Time
	UpdatedAt time.Time
}

// RefundState is Stripe's own status of a refund.
type RefundState string

const (
	RefundPending        RefundState = "pending"
	RefundRequiresAction RefundState = "requires_action"
	RefundSucceeded      RefundState = "succeeded"
	RefundFailed         RefundState = "failed"
	RefundCanceled       RefundState = "canceled"
)

// GivesBack reports whether the refund takes money from the tenant's balance; a
// failed or cancelled one has given it back.
func (s RefundState) GivesBack() bool { return s != RefundFailed && s != RefundCanceled }

func (s RefundState) known() bool {
	return slices.Contains([]RefundState{RefundPending, RefundRequiresAction, RefundSucceeded, RefundFailed, RefundCanceled}, s)
}

// rank orders the states as Stripe goes through them: a refund never goes back to
// an earlier one (docs.stripe.com/refunds, "Failed refunds" come after succeeded).
func (s RefundState) rank() int {
	switch s {
	case RefundPending, RefundRequiresAction:
		return 1
	case RefundSucceeded:
		return 2
	}
	return 3
}

// Refund is money going back, whoever started it.
type Refund struct {
	ID             string
	TenantID       string
	PaymentID      string
	OrderID        string
	StripeRefundID string
	State          RefundState
	Amount         Money
	Reason         string
	Cause          Cause
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// RefundRequest is a refund that we were asked to make: stored, with its
// idempotency key, before Stripe is asked, so that asking again is the same refund.
type RefundRequest struct {
	ID        string
	TenantID  string
	PaymentID string // "" when it is of money without an owner
	// UnclaimedID is the case that it gives money of back, "" when it is a payment's.
	UnclaimedID string
	OrderID     string // "" when the money has no order
	Amount      Money
	Reason      string // duplicate, fraudulent, requested_by_customer, "" for none
	// Key is the caller's own; the same key is the same request. "" when it gave none.
	Key            string
	IdempotencyKey string // ours, for Stripe
	State          RefundRequestState
	StripeRefundID string // re_…, once it is made
	Failure        string // Stripe's code, when it refused
	Cause          Cause
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// RefundRequestState is where a refund that we were asked for stands.
type RefundRequestState string

const (
	RefundRequested RefundRequestState = "requested" // stored; Stripe's answer is not
	RefundMade      RefundRequestState = "made"      // Stripe made it; pay.Refund has its fate
	RefundRefused   RefundRequestState = "refused"   // Stripe refused, or never answered; nothing went back
)

// DisputeState is Stripe's own status of a dispute; one that this release does
// not know is kept as it is.
type DisputeState string

const (
	DisputeWarningNeedsResponse DisputeState = "warning_needs_response"
	DisputeWarningUnderReview   DisputeState = "warning_under_review"
	DisputeWarningClosed        DisputeState = "warning_closed"
	DisputeNeedsResponse        DisputeState = "needs_response"
	DisputeUnderReview          DisputeState = "under_review"
	DisputeWon                  DisputeState = "won"
	DisputeLost                 DisputeState = "lost"
	DisputePrevented            DisputeState = "prevented"
)

// Closed reports whether the bank has decided.
func (s DisputeState) Closed() bool {
	switch s {
	case DisputeWarningClosed, DisputeWon, DisputeLost, DisputePrevented:
		return true
	}
	return false
}

// Dispute is money that a customer's bank takes back, or may.
type Dispute struct {
	ID              string
	TenantID        string
	PaymentID       string
	OrderID         string
	StripeDisputeID string
	State           DisputeState
	Amount          Money
	Reason          string
	DueBy           time.Time // until when evidence can be given; zero when none can
	Cause           Cause
	CreatedAt       time.Time
	UpdatedAt       time.Time
}

// PostingState is where the telling of PortaBilling stands (product.md section 4).
type PostingState string

const (
	PostingPending     PostingState = "pending"
	PostingSending     PostingState = "sending"
	PostingPosted      PostingState = "posted"
	PostingUnknown     PostingState = "unknown"
	PostingNeedsReview PostingState = "needs_review"
	PostingRefused     PostingState = "refused"
	PostingHeld        PostingState = "held" // money without an owner
)

// PostingKind says which way the money went.
type PostingKind string

const (
	PostingPayment PostingKind = "payment"
	PostingRefund  PostingKind = "refund"
	// PostingReversal gives back a refund that failed or was cancelled, or a dispute that
	// was won after it was lost.
	PostingReversal PostingKind = "refund_reversal"
	// PostingDispute is a lost dispute: a person decides how PortaBilling is told.
	PostingDispute PostingKind = "dispute"
)

// Posting is what PortaBilling must be told about one payment or refund.
type Posting struct {
	ID         string
	TenantID   string
	OrderID    string
	CustomerID string
	Kind       PostingKind
	SubjectID  string // the payment's or refund's id; unique
	Amount     Money
	State      PostingState
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// DeliveryState is where one outbound webhook stands.
type DeliveryState string

const (
	DeliveryPending   DeliveryState = "pending"
	DeliveryDelivered DeliveryState = "delivered"
	DeliveryFailed    DeliveryState = "failed"
)

// Delivery is one outbound webhook to a tenant's own system. The row is made in
// the transaction of the change it tells of, also when the tenant has no
// address yet.
type Delivery struct {
	ID        string
	TenantID  string
	OrderID   string
	Type      string // order.paid, order.failed, refund.succeeded, …
	Fact      string // unique per tenant: one notice per fact
	Payload   string // JSON, without secrets
	State     DeliveryState
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Unclaimed is money, or a verified event, that matches nothing of ours. It is
// shown to a person, never dropped.
type Unclaimed struct {
	ID       string
	TenantID string
	ObjectID string // Stripe's id; unique per tenant
	OrderID  string // the order it may belong to, "" when none is known
	Amount   Money  // zero when the amount is not known
	Reason   string // no_order, overpaid, mismatch, unknown_customer, wrong_mode …
	Detail   string // words for staff
	State    UnclaimedState
	// HeldMinor is what suspense has of it now, in minor units of Amount's currency:
	// what came in, less what went back. Negative when more went back.
	HeldMinor int64
	// AssignedMinor is what the assignment moved to the customer CustomerID; both are
	// zero until then.
	AssignedMinor int64
	CustomerID    string
	Evidence      Evidence
	Decision      Decision
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// Refundable reports whether its money can be given back by us: Stripe refunds payment
// intents; what no intent made is refunded in Stripe's dashboard.
func (u *Unclaimed) Refundable() bool { return strings.HasPrefix(u.ObjectID, "pi_") }

// UnclaimedState is what became of it.
type UnclaimedState string

const (
	UnclaimedOpen     UnclaimedState = "open"     // a person must decide
	UnclaimedAssigned UnclaimedState = "assigned" // a customer was credited with it
	UnclaimedRefunded UnclaimedState = "refunded" // all of it was given back
	UnclaimedIgnored  UnclaimedState = "ignored"  // closed with a reason; money, if any, stays in suspense
)

// Decision says who closed a case, why and when; zero while it is open.
type Decision struct {
	Reason string
	Cause  Cause
	At     time.Time
}

// EventState is what became of one Stripe event.
type EventState string

const (
	EventReceived  EventState = "received"
	EventApplied   EventState = "applied"
	EventIgnored   EventState = "ignored"   // a type that changes nothing here
	EventUnmatched EventState = "unmatched" // ours, but nothing fits: shown under Unclaimed
	EventNotOurs   EventState = "not_ours"  // another account's, mode's or integration's
	EventFailed    EventState = "failed"    // gave up; a person must look
)

// Event is one verified Stripe event, raw bytes kept.
type Event struct {
	ID         string // our own id
	TenantID   string
	StripeID   string // evt_…; unique per tenant
	Type       string
	ObjectID   string // the object to settle; "" when the type concerns none
	APIVersion string
	Livemode   bool
	Payload    []byte
	State      EventState
	Note       string
	ReceivedAt time.Time
	DoneAt     time.Time
}

// StoryLine is one thing that happened to an order, for its timeline.
type StoryLine struct {
	ID       string
	TenantID string
	OrderID  string
	At       time.Time
	What     string // requested, session_opened, sent_to_stripe, returned, paid, …
	Cause    Cause
	Detail   string // words or JSON for staff, without secrets
}
