// Package backoffice is what the staff's lists read: orders, customers, payments, refunds
// and disputes as rows of a page, with the filters and the search that a person has. It
// holds the questions and the answers; how they are found fast among a million orders is
// the store's business, which implements Reader, and how they look is the pages'.
//
// Nothing here changes anything. Every question names the tenants whose rows may be in the
// answer, so that a page cannot forget whose it is: no tenants, no rows.
package backoffice

import (
	"context"
	"time"

	"github.com/portatill/portatill/pay"
)

// Paging asks for one page of a list that is sorted by id, newest first. Ids begin with
// the time at which they were made (pay.NewID).
type Paging struct {
	After  string // rows older than this id; "" begins with the newest
	Before string // or the rows just newer than this id; one of the two at most
	Limit  int    // 1 to MaxLimit; 0 means 50
}

// MaxLimit is the most rows that one page may have.
const MaxLimit = 1000

// Page is one page of a list, newest first.
type Page[T any] struct {
	Rows  []*T
	Newer bool // there are newer rows
	Older bool // there are older rows
}

// Filter is what all lists can be narrowed by. Zero values do not narrow, but for Tenants.
type Filter struct {
	Paging
	// Tenants are the ids of those whose rows may be in the answer; none is no rows.
	Tenants []string
	// Search is an id of ours or of Stripe's, an ICustomer or ContentId, an e-mail address,
	// or a part of a name; of orders also a whole FeatureName or a licence key's end.
	Search      string
	Currency    pay.Currency
	From, Until time.Time // when the row was made: from one moment until before another
}

// OrderFilter narrows a list of orders.
type OrderFilter struct {
	Filter
	State       pay.OrderState
	FeatureName string
	ContentID   int64
	CustomerID  string
}

// OrderRow is an order in a list.
type OrderRow struct {
	ID, TenantID           string
	CustomerID             string
	ICustomer              int64
	CustomerName           string
	Kind                   pay.OrderKind
	State                  pay.OrderState
	StateReason            string
	Total                  pay.Money
	ContentID              int64
	FeatureName            string
	CreatedAt, PaidAt      time.Time
	Company, CustomerEmail string
	PaymentID              string // "" until it is paid
	RefundedMinor          int64  // of the payment, in Total's currency
}

// CustomerRow is a customer in a list.
type CustomerRow struct {
	ID, TenantID         string
	ICustomer            int64
	Name, Company, Email string
	Credits              []pay.Money // what they were credited, one per currency
	CreatedAt            time.Time
	OrderedAt            time.Time // when their last order was made; zero when there is none
}

// PaymentState narrows payments by what became of them.
type PaymentState string

// The states of a payment in a list.
const (
	PaymentRefunded PaymentState = "refunded" // some or all of it went back
	PaymentDisputed PaymentState = "disputed" // there is, or was, a dispute
)

// PaymentFilter narrows a list of payments.
type PaymentFilter struct {
	Filter
	State      PaymentState
	CustomerID string
	OrderID    string
}

// PaymentRow is a payment in a list.
type PaymentRow struct {
	pay.Payment
	ICustomer    int64
	CustomerName string
	PayoutID     string // "" until Stripe has paid it out, or said so
	PayoutStatus string
	PayoutAt     time.Time // when the payout arrives
	Disputes     int64
}

// Net is what is left of a payment after Stripe's fee. ok is false while the fee is not
// known, and where Stripe converted, because the two are then in different currencies.
func (p *PaymentRow) Net() (net pay.Money, ok bool) {
	if p.Fee.Currency != p.Amount.Currency {
		return net, false
	}
	return pay.Money{Minor: p.Amount.Minor - p.Fee.Minor, Currency: p.Amount.Currency}, true
}

// RefundFilter narrows a list of refunds.
type RefundFilter struct {
	Filter
	State pay.RefundState
}

// RefundRow is a refund in a list.
type RefundRow struct {
	pay.Refund
	ICustomer    int64
	CustomerName string
	CustomerID   string
	Method       string // what was paid with, and is paid back to
}

// DisputeFilter narrows a list of disputes.
type DisputeFilter struct {
	Filter
	// Open are those that the bank has not decided, those whose answer is due first at the
	// top, and not paged; else all, newest first.
	Open bool
}

// DisputeRow is a dispute in a list.
type DisputeRow struct {
	pay.Dispute
	ICustomer    int64
	CustomerName string
	CustomerID   string
	IntentID     string
	ChargeID     string
}

// MailFilter narrows a list of mails. Of Search it takes the id of a mail or an order, an
// ICustomer and an e-mail address.
type MailFilter struct {
	Filter
	State pay.MailState
	// Operators says that the letters to operators, which are no tenant's, are there too.
	Operators bool
}

// Tenant is a tenant as lists name it, and where its objects are at Stripe.
type Tenant struct {
	ID, Slug, Name string
	StripeAccount  string
	Livemode       bool
}

// Reader is what the pages need of the store. An id of another tenant's is answered as one
// that does not exist.
type Reader interface {
	// TenantNames returns all tenants, by name.
	TenantNames(ctx context.Context) ([]*Tenant, error)
	// OrderTenant and CustomerTenant find whose an order or a customer is; scope is the one
	// tenant whose it may be, "" for any. CodeNotFound when there is none.
	OrderTenant(ctx context.Context, scope, id string) (string, error)
	CustomerTenant(ctx context.Context, scope, id string) (string, error)

	PageOrders(ctx context.Context, f OrderFilter) (Page[OrderRow], error)
	PageCustomers(ctx context.Context, f Filter) (Page[CustomerRow], error)
	PagePayments(ctx context.Context, f PaymentFilter) (Page[PaymentRow], error)
	PageRefunds(ctx context.Context, f RefundFilter) (Page[RefundRow], error)
	PageDisputes(ctx context.Context, f DisputeFilter) (Page[DisputeRow], error)
	PageMails(ctx context.Context, f MailFilter) (Page[pay.Mail], error)
	// RefundsWaiting returns refunds that we asked for and Stripe has not answered, the
	// oldest first.
	RefundsWaiting(ctx context.Context, tenants []string, limit int) ([]*pay.RefundRequest, error)
	// EventsAbout returns a tenant's events about Stripe's objects, oldest first, without
	// their payload.
	EventsAbout(ctx context.Context, tenantID string, objects []string, limit int) ([]*pay.Event, error)
}
