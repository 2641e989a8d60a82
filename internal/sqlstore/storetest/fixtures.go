package storetest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/pay"
)

// Now is the fixtures' time.
var Now = time.Date(2026, 3, 4, 5, 6, 7, 891_000_000, time.UTC)

var serial atomic.Int64

// next gives a number that no other fixture of the process has.
func next() int64 { return serial.Add(1) }

// Write runs fn in a transaction and fails the test when it does not commit.
func Write(t testing.TB, s pay.Store, fn func(ctx context.Context, tx pay.Tx) error) {
	t.Helper()
	ctx := context.Background()
	if err := s.InTx(ctx, func(tx pay.Tx) error { return fn(ctx, tx) }); err != nil {
		t.Fatalf("transaction: %v", err)
	}
}

// Tenant stores a tenant that can take money; changes are applied first.
func Tenant(t testing.TB, s *sqlstore.Store, changes ...func(*pay.Tenant)) *pay.Tenant {
	t.Helper()
	n := next()
	tenant := pay.NewTenant(fmt.Sprintf("acme-%d", n), fmt.Sprintf("Acme %d", n), "GBP", Now)
	tenant.ReturnOrigins = []string{"https://shop.example"}
	tenant.StripeKey = pay.Secret(fmt.Sprintf("sk_test_key%020d", n))
	tenant.StripeWebhookSecrets = []pay.Secret{pay.Secret(fmt.Sprintf("whsec_%020d", n))}
	tenant.StripeAccount = fmt.Sprintf("acct_%d", n)
	tenant.OutboundURL = "https://hooks.example/portatill"
	tenant.OutboundSecret = pay.Secret(fmt.Sprintf("whsec_out%020d", n))
	for _, change := range changes {
		change(tenant)
	}
	Write(t, s, func(ctx context.Context, tx pay.Tx) error { return tx.InsertTenant(ctx, tenant) })
	return tenant
}

// Customer stores a customer of the tenant.
func Customer(t testing.TB, s *sqlstore.Store, tenantID string, changes ...func(*pay.Customer)) *pay.Customer {
	t.Helper()
	c := &pay.Customer{ID: pay.NewID("cus", Now), TenantID: tenantID, ICustomer: next(), Name: "Ann Bell", Email: "ann@example.com",
		Phone: "+44 20 7946 0000", Company: "Bell & Sons", Address: pay.Address{Line1: "1 High Street", City: "London", Country: "GB"},
		Record: `{"ICustomer":1}`, CreatedAt: Now, UpdatedAt: Now}
	for _, change := range changes {
		change(c)
	}
	Write(t, s, func(ctx context.Context, tx pay.Tx) error { return tx.SaveCustomer(ctx, c) })
	return c
}

// NewOrder makes an open order over 14.40 GBP, not stored yet.
func NewOrder(c *pay.Customer, changes ...func(*pay.Order)) *pay.Order {
	n := next()
	o := &pay.Order{ID: pay.NewID("ord", Now), TenantID: c.TenantID, CustomerID: c.ID, PayToken: pay.NewPayToken(),
		Kind: pay.OrderPayment, State: pay.OrderOpen,
		Cart: pay.Cart{Currency: "GBP", VATMode: pay.VATExclusive, VATBasisPoints: 2000, SubtotalMinor: 1200, VATMinor: 240, TotalMinor: 1440,
			Lines: []pay.Line{{Title: "SIM card", Additional: []string{"post-paid"}, Quantity: 1, SetupMinor: 1200, SubtotalMinor: 1200, VATMinor: 240,
				TotalMinor: 1440, VATApplicable: true, Explanation: "1 × £12.00 setup = £12.00"}}},
		SuccessURL: "https://shop.example/paid", CancelURL: "https://shop.example/cart", PaymentMethods: []string{"card"},
		ContentID: n, FeatureName: "top-up", Digest: fmt.Sprintf("%064d", n), Request: `{"ICustomer":1}`, CreatedAt: Now, UpdatedAt: Now}
	for _, change := range changes {
		change(o)
	}
	return o
}

// Order stores an open order over 14.40 GBP.
func Order(t testing.TB, s *sqlstore.Store, c *pay.Customer, changes ...func(*pay.Order)) *pay.Order {
	t.Helper()
	o := NewOrder(c, changes...)
	Write(t, s, func(ctx context.Context, tx pay.Tx) error { return tx.InsertOrder(ctx, o) })
	return o
}

// NewAttempt makes the order's first attempt, open at Stripe, not stored yet.
func NewAttempt(o *pay.Order, changes ...func(*pay.Attempt)) *pay.Attempt {
	n := next()
	a := &pay.Attempt{ID: pay.NewID("att", Now), TenantID: o.TenantID, OrderID: o.ID, Number: 1, Kind: pay.AttemptCheckout,
		State: pay.AttemptOpen, IdempotencyKey: fmt.Sprintf("%s/%d", o.ID, n), Amount: o.Cart.Total(),
		StripeAccount: "acct_1", SessionID: fmt.Sprintf("cs_test_%d", n), URL: "https://checkout.stripe.com/c/pay", ExpiresAt: Now.Add(time.Hour),
		CreatedAt: Now, UpdatedAt: Now, CheckAt: Now.Add(5 * time.Minute)}
	for _, change := range changes {
		change(a)
	}
	return a
}

// Attempt stores the order's first attempt, open at Stripe.
func Attempt(t testing.TB, s *sqlstore.Store, o *pay.Order, changes ...func(*pay.Attempt)) *pay.Attempt {
	t.Helper()
	a := NewAttempt(o, changes...)
	Write(t, s, func(ctx context.Context, tx pay.Tx) error { return tx.InsertAttempt(ctx, a) })
	return a
}

// Sale is a paid order and all that belongs to it.
type Sale struct {
	Order    *pay.Order
	Attempt  *pay.Attempt
	Payment  *pay.Payment
	Entry    *pay.LedgerEntry
	Posting  *pay.Posting
	Delivery *pay.Delivery
}

// Pay settles an open order in one transaction, as pay.Settle does: the books
// are right afterwards.
func Pay(t testing.TB, s *sqlstore.Store, o *pay.Order, a *pay.Attempt) *Sale {
	t.Helper()
	sale := &Sale{Order: o, Attempt: a}
	Write(t, s, func(ctx context.Context, tx pay.Tx) error { return sale.Settle(ctx, tx) })
	return sale
}

// Settle pays the order in a transaction: the guarded move and all that follows
// from it.
func (s *Sale) Settle(ctx context.Context, tx pay.Tx) error {
	o := s.Order
	if moved, err := tx.MarkOrderPaid(ctx, o.TenantID, o.ID, o.State, "pi_"+s.Attempt.SessionID, Now); err != nil || !moved {
		return fmt.Errorf("mark order paid: moved %v: %w", moved, err)
	}
	return s.book(ctx, tx)
}

// book writes everything that follows from the order's move to paid.
func (s *Sale) book(ctx context.Context, tx pay.Tx) error {
	o, a := s.Order, *s.Attempt
	cause := pay.Cause{Kind: pay.CauseSweep, ID: o.ID}
	a.IntentID, a.CheckAt = "pi_"+a.SessionID, time.Time{}
	s.Payment = &pay.Payment{ID: pay.NewID("pay", Now), TenantID: o.TenantID, OrderID: o.ID, AttemptID: a.ID, CustomerID: o.CustomerID,
		StripeAccount: "acct_1", IntentID: a.IntentID, ChargeID: "ch_" + a.SessionID, SessionID: a.SessionID, Amount: o.Cart.Total(),
		VATMinor: o.Cart.VATMinor, Method: "visa •••• 4242 exp 12/2030", ReceiptURL: "https://pay.stripe.com/receipts/1",
		Cause: cause, PaidAt: Now, CreatedAt: Now, UpdatedAt: Now}
	s.Entry = &pay.LedgerEntry{ID: pay.NewID("led", Now), TenantID: o.TenantID, Kind: pay.EntryPayment, Fact: a.IntentID + ":captured",
		Currency: o.Cart.Currency, Cause: cause, OrderID: o.ID, Memo: "payment", At: Now, Lines: []pay.LedgerLine{
			{Account: pay.AccountStripe, AmountMinor: o.Cart.TotalMinor},
			{Account: pay.AccountCustomer, CustomerID: o.CustomerID, AmountMinor: -o.Cart.TotalMinor}}}
	s.Posting = &pay.Posting{ID: pay.NewID("pst", Now), TenantID: o.TenantID, OrderID: o.ID, CustomerID: o.CustomerID, Kind: pay.PostingPayment,
		SubjectID: s.Payment.ID, Amount: s.Payment.Amount, State: pay.PostingPending, CreatedAt: Now, UpdatedAt: Now}
	s.Delivery = &pay.Delivery{ID: pay.NewID("dlv", Now), TenantID: o.TenantID, OrderID: o.ID, Type: "order.paid", Fact: o.ID + ":paid",
		Payload: "{}", State: pay.DeliveryPending, CreatedAt: Now, UpdatedAt: Now}
	if moved, err := tx.MoveAttempt(ctx, &a, pay.AttemptSucceeded); err != nil || !moved {
		return fmt.Errorf("move attempt: moved %v: %w", moved, err)
	}
	if err := tx.InsertPayment(ctx, s.Payment); err != nil {
		return err
	}
	if _, err := tx.InsertEntry(ctx, s.Entry); err != nil {
		return err
	}
	if err := tx.InsertPosting(ctx, s.Posting); err != nil {
		return err
	}
	return tx.InsertDelivery(ctx, s.Delivery)
}
