package pay

import (
	"context"
	"log/slog"
	"time"
)

// Service holds the rules. Its fields are set once, at wiring; its methods are
// safe for concurrent use and say themselves when they may be called again.
type Service struct {
	Store   Store
	Gateway Gateway
	Now     func() time.Time
	Log     *slog.Logger
	// BaseURL is where customers reach us, without a trailing slash. All links are
	// built from it, never from a request's Host.
	BaseURL string
	// Mails says that there is an SMTP server to send mails by.
	Mails bool
}

// Job is work that must follow a committed change. It is inserted in the
// transaction of that change; the tables stay the truth and the job only drives.
type Job interface{ JobKind() string }

// SettleJob asks for one Settle.
type SettleJob struct {
	TenantID string
	ObjectID string
	Cause    Cause
	EventID  string // our event to mark when it is done, "" when there is none
	// At is when to run it; zero means at once.
	At time.Time
}

// JobKind names the job in the queue.
func (SettleJob) JobKind() string { return "settle" }

// Store is the database, as this package needs it. Reads see committed data.
// Errors are *Error with CodeNotFound for what does not exist, CodeUnavailable
// when the database cannot take it now (busy, full, down), else internal.
//
// Every read and write of a tenant's rows names the tenant.
type Store interface {
	Reader
	// InTx runs fn in one transaction, which is committed when fn returns nil and
	// rolled back otherwise (a panic included). fn may run more than once, when
	// the database asks for a retry (serialisation failure, deadlock), and must
	// not touch the network.
	InTx(ctx context.Context, fn func(tx Tx) error) error
	// Ping says whether the database answers and has our schema.
	Ping(ctx context.Context) error
	// MissingGuards names the triggers that keep the ledger append-only and balanced and
	// that are not there or turned off; none is the goal.
	MissingGuards(ctx context.Context) ([]string, error)
}

// Reader is what pages and rules read.
type Reader interface {
	TenantByID(ctx context.Context, id string) (*Tenant, error)
	TenantBySlug(ctx context.Context, slug string) (*Tenant, error)
	// TenantByLicense finds the tenant of a key that is not revoked, by its hash.
	TenantByLicense(ctx context.Context, hash string) (*Tenant, error)
	ListTenants(ctx context.Context) ([]*Tenant, error)
	ListLicenses(ctx context.Context, tenantID string) ([]*License, error)

	CustomerByID(ctx context.Context, tenantID, id string) (*Customer, error)
	CustomerByICustomer(ctx context.Context, tenantID string, iCustomer int64) (*Customer, error)
	// CustomerByStripeID finds who holds a cus_… in the tenant's present account.
	CustomerByStripeID(ctx context.Context, tenantID, stripeCustomer string) (*Customer, error)

	OrderByID(ctx context.Context, tenantID, id string) (*Order, error)
	// OrderByPayToken is the one read without a tenant: the token is the credential.
	OrderByPayToken(ctx context.Context, token string) (*Order, error)
	OrderByIdempotencyKey(ctx context.Context, tenantID, key string) (*Order, error)
	// LiveOrderByDigest finds the live order of a request that came without an
	// Idempotency-Key.
	LiveOrderByDigest(ctx context.Context, tenantID, digest string) (*Order, error)
	// ChargeByDigest finds the order of a card charge that came without an
	// Idempotency-Key: the live one, or the latest that was paid, or took money that a
	// person must look at, since a time. exceptID is an order to leave out, "" for none.
	ChargeByDigest(ctx context.Context, tenantID, digest string, since time.Time, exceptID string) (*Order, error)
	ListOrders(ctx context.Context, f OrderFilter) ([]*Order, error)

	// ListCards returns our copy of a customer's saved cards, newest first.
	ListCards(ctx context.Context, tenantID, customerID string) ([]*Card, error)
	// TokenUse returns what a single-use token was used for.
	TokenUse(ctx context.Context, tenantID, claim string) (*TokenUse, error)

	AttemptByID(ctx context.Context, tenantID, id string) (*Attempt, error)
	AttemptBySession(ctx context.Context, tenantID, sessionID string) (*Attempt, error)
	AttemptByIntent(ctx context.Context, tenantID, intentID string) (*Attempt, error)
	// ListAttempts returns an order's attempts, by number.
	ListAttempts(ctx context.Context, tenantID, orderID string) ([]*Attempt, error)
	// AttemptsDue returns non-final attempts whose CheckAt is not after t, oldest
	// first, across tenants.
	AttemptsDue(ctx context.Context, t time.Time, limit int) ([]*Attempt, error)

	// PaymentByOrder and PaymentByIntent return CodeNotFound when there is none.
	PaymentByOrder(ctx context.Context, tenantID, orderID string) (*Payment, error)
	PaymentByIntent(ctx context.Context, tenantID, intentID string) (*Payment, error)
	ListRefunds(ctx context.Context, tenantID, paymentID string) ([]*Refund, error)
	// ListDisputes returns a payment's disputes, oldest first.
	ListDisputes(ctx context.Context, tenantID, paymentID string) ([]*Dispute, error)
	RefundRequestByID(ctx context.Context, tenantID, id string) (*RefundRequest, error)
	RefundRequestByKey(ctx context.Context, tenantID, key string) (*RefundRequest, error)
	// ListRefundRequests returns what we were asked to refund of a payment, or of a case of
	// unclaimed money, oldest first.
	ListRefundRequests(ctx context.Context, tenantID, subjectID string) ([]*RefundRequest, error)
	// RefundRequestsDue returns requests without Stripe's answer that were made before
	// t, oldest first, across tenants.
	RefundRequestsDue(ctx context.Context, t time.Time, limit int) ([]*RefundRequest, error)
	ListPostings(ctx context.Context, tenantID, orderID string) ([]*Posting, error)
	PostingByID(ctx context.Context, tenantID, id string) (*Posting, error)
	ListDeliveries(ctx context.Context, tenantID, orderID string) ([]*Delivery, error)
	ListStory(ctx context.Context, tenantID, orderID string) ([]*StoryLine, error)
	ListEntries(ctx context.Context, tenantID, orderID string) ([]*LedgerEntry, error)

	// KnownObjects tells what our books have of Stripe's objects of a kind, by id: a
	// session's attempt state, a refund's or dispute's state, "booked" for the rest.
	// intents are those of the refunds or disputes: what is shown under Unclaimed as
	// another tenant's or another mode's is known too. An object that is missing in the
	// answer is unknown.
	KnownObjects(ctx context.Context, tenantID string, kind ListKind, objects []Listed) (map[string]string, error)
	// SweepMark returns how far the objects of a kind were listed; the zero mark when
	// they never were.
	SweepMark(ctx context.Context, tenantID string, kind ListKind) (SweepMark, error)

	// StripeAccountOwner returns the tenant that keeps the books of what the account has of
	// no order, "" when none does yet.
	StripeAccountOwner(ctx context.Context, account string, livemode bool) (tenantID string, err error)
	// KnownElsewhere tells which balance transactions, payouts and objects of unclaimed
	// money are in the books of another tenant, by id.
	KnownElsewhere(ctx context.Context, tenantID string, ids []string) (map[string]bool, error)
	// KnownBalance tells which balance transactions are stored, by id.
	KnownBalance(ctx context.Context, tenantID string, ids []string) (map[string]bool, error)
	// KnownPayouts returns what is stored of these payouts, by id. One whose balance
	// transactions do not sum to it is as one that was not matched yet.
	KnownPayouts(ctx context.Context, tenantID string, payouts []*StripePayout) (map[string]*Payout, error)
	// ListClosedDays returns a tenant's closed days, oldest first.
	ListClosedDays(ctx context.Context, tenantID string) ([]*ClosedDay, error)
	// WalkLedger calls fn for every entry with its lines, Seq and Hash, in the order of Seq,
	// from after one Seq until another, that one included; 0 for no end. It holds one entry
	// at a time; fn must not use the store.
	WalkLedger(ctx context.Context, tenantID string, after, until int64, fn func(*LedgerEntry) error) error
	// WalkJournal calls fn for every ledger line of a span, in the order of their entries' time
	// and Seq. It holds one line at a time; fn must not use the store.
	WalkJournal(ctx context.Context, span ExportSpan, fn func(*JournalLine) error) error
	// WalkPayout calls fn for every ledger line of the balance transactions in a payout, one
	// after the other, its own left out. One that the ledger does not have comes once,
	// without a line. fn must not use the store.
	WalkPayout(ctx context.Context, tenantID, payoutID string, fn func(*PayoutLine) error) error
	// PayoutByID returns CodeNotFound when the tenant has no such payout.
	PayoutByID(ctx context.Context, tenantID, id string) (*Payout, error)
	// ListPayouts returns payouts with what the ledger has of those that are matched.
	ListPayouts(ctx context.Context, f PayoutFilter) ([]*PayoutCheck, error)
	// ReadStatement calls begin once, then fn for every movement of a customer's credit in the
	// order in which they were booked, all as of one moment; they must not use the store.
	ReadStatement(ctx context.Context, q StatementQuery, begin func(openingMinor int64) error, fn func(*StatementLine) error) error
	// CustomerCurrencies returns the currencies in which a customer was ever credited, sorted.
	CustomerCurrencies(ctx context.Context, tenantID, customerID string) ([]Currency, error)
	// ReadVAT reads the sides of the VAT summary as of one moment; the functions of to must
	// not use the store.
	ReadVAT(ctx context.Context, span ExportSpan, to VATSides) error
	// LastSeqBefore returns the highest Seq after one of the entries that were booked before
	// a time, 0 when there is none.
	LastSeqBefore(ctx context.Context, tenantID string, after int64, before time.Time) (int64, error)
	// RefundPending reports whether a refund (re_…) of ours is under way at Stripe.
	RefundPending(ctx context.Context, tenantID, stripeRefundID string) (bool, error)
	// ReadProof reads the sides of the proof of books as of one moment; the functions of to
	// must not use the store.
	ReadProof(ctx context.Context, q ProofQuery, to ProofSides) error

	EventByID(ctx context.Context, tenantID, id string) (*Event, error)
	// EventByStripeID finds the tenant's event by its evt_… id.
	EventByStripeID(ctx context.Context, tenantID, stripeID string) (*Event, error)
	// ListEvents returns a tenant's events, newest first.
	ListEvents(ctx context.Context, f EventFilter) ([]*Event, error)
	ListUnclaimed(ctx context.Context, tenantID string) ([]*Unclaimed, error)
	// UnclaimedByID finds a case by its own id or by Stripe's object.
	UnclaimedByID(ctx context.Context, tenantID, id string) (*Unclaimed, error)
	// FactBooked reports whether the ledger has an entry of the fact.
	FactBooked(ctx context.Context, tenantID, fact string) (bool, error)
	// CustomersByEmail returns the ids of customers with this address, whatever its
	// case, oldest first.
	CustomersByEmail(ctx context.Context, tenantID, email string, limit int) ([]string, error)
	// OpenOrdersOver returns orders that wait for exactly this amount and were made since
	// a time, newest first.
	OpenOrdersOver(ctx context.Context, tenantID string, amount Money, since time.Time, limit int) ([]*Order, error)

	// Balances returns the sum of every ledger account; tenantID "" means all.
	Balances(ctx context.Context, tenantID string) ([]AccountBalance, error)
	CustomerBalances(ctx context.Context, tenantID string) ([]CustomerBalance, error)
	// Movements returns what moved from one time until before another; tenantID ""
	// means all.
	Movements(ctx context.Context, tenantID string, from, until time.Time) ([]Movement, error)
	// VerifyBooks runs the invariants that are SQL views and returns one line for
	// every row that breaks one; none is the goal.
	VerifyBooks(ctx context.Context) ([]string, error)
	// VerifyMore runs those views that VerifyBooks leaves out, and asks for what waits
	// longer than it may; the lines have the same form.
	VerifyMore(ctx context.Context, l VerifyLimits) ([]string, error)
	// WalkCarts calls fn for every order of a tenant with its cart and the amount that is
	// stored beside it. It holds one at a time; fn must not use the store.
	WalkCarts(ctx context.Context, tenantID string, fn func(*StoredCart) error) error
}

// Tx is one transaction: it reads its own writes, and writes.
//
// Insert… returns CodeConflict when a unique rule refuses the row (the
// transaction stays usable); Move… and the other guarded updates report whether
// a row was moved, and false means that someone else did it.
type Tx interface {
	Reader

	InsertTenant(ctx context.Context, t *Tenant) error
	UpdateTenant(ctx context.Context, t *Tenant) error
	InsertLicense(ctx context.Context, l *License) error
	RevokeLicenses(ctx context.Context, tenantID string, exceptID string, at time.Time) (int, error)

	// SaveCustomer inserts the customer or updates the one with the same tenant and
	// ICustomer, and sets c.ID, c.CreatedAt and c.StripeCustomer to what is stored.
	SaveCustomer(ctx context.Context, c *Customer) error
	// BindStripeCustomer stores the cus_… of a customer for an account and mode,
	// unless there is one already, and returns the one that is stored.
	BindStripeCustomer(ctx context.Context, tenantID, customerID, account string, livemode bool, stripeCustomer string, at time.Time) (string, error)
	// UnbindStripeCustomer forgets a cus_… that was deleted at Stripe, and the cards
	// that it had.
	UnbindStripeCustomer(ctx context.Context, tenantID, customerID, stripeCustomer string) error
	// ReplaceCards makes our copy of a customer's cards what Stripe listed.
	ReplaceCards(ctx context.Context, tenantID, customerID string, cards []*Card, at time.Time) error
	// InsertTokenUse claims a token; CodeConflict when it is claimed already.
	InsertTokenUse(ctx context.Context, u *TokenUse) error
	// SetTokenCard stores the card that a token became.
	SetTokenCard(ctx context.Context, tenantID, claim, cardID string, at time.Time) error
	// SetStripeAccount stores the tenant's account once it is known.
	SetStripeAccount(ctx context.Context, tenantID, account string, livemode bool) error
	// ClaimStripeAccount makes a tenant the owner of an account that from owns, or nobody
	// when from is ""; it reports false when it is another's by now.
	ClaimStripeAccount(ctx context.Context, account string, livemode bool, tenantID, from string) (bool, error)

	InsertOrder(ctx context.Context, o *Order) error
	// MoveOrder is the only SQL that changes an order's state. It refuses an edge that
	// the graph does not have. Leaving the live states frees the request's digest.
	MoveOrder(ctx context.Context, tenantID, id string, from, to OrderState, reason string, at time.Time) (bool, error)
	// MarkOrderPaid is MoveOrder to paid with the evidence (I-09).
	MarkOrderPaid(ctx context.Context, tenantID, id string, from OrderState, evidence string, at time.Time) (bool, error)

	InsertAttempt(ctx context.Context, a *Attempt) error
	// BindAttempt stores what Stripe made for a created attempt and opens it.
	BindAttempt(ctx context.Context, a *Attempt) (bool, error)
	// MoveAttempt changes the state, and stores a.IntentID, a.Failure, a.CheckAt and
	// a.UpdatedAt with it.
	MoveAttempt(ctx context.Context, a *Attempt, to AttemptState) (bool, error)
	// SetAttemptCard stores the saved card that a created attempt charges.
	SetAttemptCard(ctx context.Context, tenantID, id, cardID string, at time.Time) error
	// StartAttempt notes when the customer was first sent to Stripe's page.
	StartAttempt(ctx context.Context, tenantID, id string, at time.Time) error
	// RescheduleAttempt sets when the sweep looks again.
	RescheduleAttempt(ctx context.Context, tenantID, id string, at time.Time) error

	InsertPayment(ctx context.Context, p *Payment) error
	// LockPayment reads the payment of an intent and keeps other transactions from
	// changing it, and so its refunds, until this one ends. CodeNotFound as
	// PaymentByIntent.
	LockPayment(ctx context.Context, tenantID, intentID string) (*Payment, error)
	// SetPaymentFee stores fee and balance transaction once they are known.
	SetPaymentFee(ctx context.Context, p *Payment) error
	// SetRefunded stores the refunded sum; the database refuses one above the amount.
	SetRefunded(ctx context.Context, tenantID, paymentID string, minor int64, at time.Time) error
	InsertRefund(ctx context.Context, r *Refund) error
	MoveRefund(ctx context.Context, tenantID, id string, from, to RefundState, at time.Time) (bool, error)

	// LockPaymentByOrder is LockPayment by the order.
	LockPaymentByOrder(ctx context.Context, tenantID, orderID string) (*Payment, error)
	// InsertRefundRequest is CodeConflict when the caller's key is taken.
	InsertRefundRequest(ctx context.Context, r *RefundRequest) error
	// MoveRefundRequest leaves the state requested and stores r.StripeRefundID,
	// r.Failure and r.UpdatedAt with the new one.
	MoveRefundRequest(ctx context.Context, r *RefundRequest, to RefundRequestState) (bool, error)
	InsertDispute(ctx context.Context, d *Dispute) error
	// MoveDispute stores d.State, d.Amount, d.Reason, d.DueBy and d.UpdatedAt, from the
	// state that was read.
	MoveDispute(ctx context.Context, d *Dispute, from DisputeState) (bool, error)

	// InsertEntry stores a balanced entry and adds its customer lines to the
	// customers' balances. An entry whose fact is booked already is not stored again;
	// booked reports whether it was stored now.
	InsertEntry(ctx context.Context, e *LedgerEntry) (booked bool, err error)

	InsertPosting(ctx context.Context, p *Posting) error
	// MovePosting stores p.State and p.UpdatedAt, from the state that was read.
	MovePosting(ctx context.Context, p *Posting, from PostingState) (bool, error)
	// InsertDelivery and InsertUnclaimed store nothing, without an error, when the
	// fact or object has its row already.
	InsertDelivery(ctx context.Context, d *Delivery) error
	InsertUnclaimed(ctx context.Context, u *Unclaimed) error
	// LockUnclaimed is UnclaimedByID and keeps other transactions from changing the case,
	// and so what is held of it, until this one ends.
	LockUnclaimed(ctx context.Context, tenantID, id string) (*Unclaimed, error)
	// MoveUnclaimed stores u's order, amount, state, held and assigned sums, customer,
	// decision and UpdatedAt, from the state that was read.
	MoveUnclaimed(ctx context.Context, u *Unclaimed, from UnclaimedState) (bool, error)

	// SetSweepMark stores how far a kind was listed.
	SetSweepMark(ctx context.Context, tenantID string, kind ListKind, m SweepMark, at time.Time) error

	// InsertBalanceTransaction reports false when it is stored already. When another one has
	// its fact, it is stored with a fact of its own, <id>:other, and its own amount, which b
	// then has.
	InsertBalanceTransaction(ctx context.Context, b *BalanceTransaction) (bool, error)
	// SavePayout inserts the payout or updates all but its amount and time of creation.
	SavePayout(ctx context.Context, p *Payout) error
	// SetPayoutOf stores which of the tenant's balance transactions a payout contains.
	SetPayoutOf(ctx context.Context, tenantID, payoutID string, ids []string) error
	// LockLedger keeps other transactions from booking until this one ends, and waits for
	// those that are booking.
	LockLedger(ctx context.Context) error
	// InsertClosedDay is CodeConflict when the day, or another one after the same day, is
	// closed already.
	InsertClosedDay(ctx context.Context, d *ClosedDay) error

	// InsertEvent reports false when the tenant has the event already.
	InsertEvent(ctx context.Context, e *Event) (bool, error)
	// FinishEvent sets state, note and done time of an event that is not applied yet.
	FinishEvent(ctx context.Context, tenantID, id string, state EventState, note string, at time.Time) error

	InsertStory(ctx context.Context, s *StoryLine) error

	// InsertMail reports false when the fact has its mail already.
	InsertMail(ctx context.Context, m *Mail) (bool, error)

	// Enqueue inserts a job that runs after the commit.
	Enqueue(ctx context.Context, j Job) error
}
