// Package paytest is the running world of the money tests: a real database
// (SQLite or PostgreSQL), the sandbox as Stripe behind a real listener, the real
// gate and the real webhook receiver, a clock that only the test moves, and a job
// queue that runs when the test says so. What a test varies is the order, the
// repetition and the loss of what happens, which is where money goes wrong.
//
// Fakes (faults.go, faultstore.go) exist only for what the sandbox cannot do: to
// fail at the n-th call, and to lie about a fact. Nothing but tests may import
// this package, and it must not know a rule of the money: it drives and looks.
package paytest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/sandbox"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/stripegate"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/webhooks"
)

// Start is when every world begins.
var Start = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// BaseURL is where customers reach the till; nothing listens there, because a
// redirect to it ends a walk through Stripe's pages.
const BaseURL = "https://till.example"

// Clock is a time that the test moves by hand.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now is the time.
func (c *Clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

// Add moves it.
func (c *Clock) Add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

// World is one tenant's till, its Stripe account and its customers' browsers.
type World struct {
	T     testing.TB
	Clock *Clock
	// Store is the real database, for looking and for wrapping; Pay.Store is what the
	// rules use.
	Store *sqlstore.Store
	// Gate is the real gate to the double; Pay.Gateway is what the rules use.
	Gate   *stripegate.Gate
	Pay    *pay.Service
	Tenant *pay.Tenant // as it was stored; its account is learnt later
	// SandboxURL is where the double of Stripe listens.
	SandboxURL string

	hook   http.Handler
	client *http.Client
	mu     sync.Mutex
	ran    map[pay.SettleJob]int // how often each job was done
}

var tenants atomic.Int64

// Setup starts a world on a fresh store, such as one from storetest.Each. It is
// taken down with the test.
func Setup(t testing.TB, store *sqlstore.Store, changes ...func(*pay.Tenant)) *World {
	t.Helper()
	clock := &Clock{now: Start}
	double, err := sandbox.New(sandbox.Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(double.Handler())
	gate := stripegate.New(stripegate.Options{APIBase: server.URL})
	client := &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 16},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(func() {
		gate.Close()
		client.CloseIdleConnections()
		server.Close()
		if err := double.Close(); err != nil {
			t.Errorf("close the sandbox: %v", err)
		}
	})
	w := &World{T: t, Clock: clock, Store: store, Gate: gate, SandboxURL: server.URL, client: client}
	return w.Another(changes...)
}

// Another gives another tenant in the same database, with a Stripe account of its
// own in the same double, and a service and queue of its own. It is much cheaper
// than another Setup.
func (w *World) Another(changes ...func(*pay.Tenant)) *World {
	w.T.Helper()
	n := tenants.Add(1)
	t := pay.NewTenant(fmt.Sprintf("acme-%d", n), "Acme Telecom", "GBP", Start)
	t.Currencies = []pay.Currency{"GBP", "EUR", "USD", "JPY", "KWD"}
	t.VATBasisPoints = 2000
	t.ReturnOrigins = []string{"https://shop.example"}
	t.StripeKey = pay.Secret(fmt.Sprintf("sk_test_paytest%012d", n))
	t.StripeWebhookSecrets = []pay.Secret{pay.Secret(fmt.Sprintf("whsec_paytest%020d", n))}
	for _, change := range changes {
		change(t)
	}
	ctx := context.Background()
	if err := w.Store.InTx(ctx, func(tx pay.Tx) error { return tx.InsertTenant(ctx, t) }); err != nil {
		w.T.Fatalf("store the tenant: %v", err)
	}
	log := slog.New(slog.DiscardHandler)
	service := &pay.Service{Store: w.Store, Gateway: w.Gate, Now: w.Clock.Now, Log: log, BaseURL: BaseURL}
	receiver := &webhooks.Stripe{Pay: service, Log: log}
	e := echo.New()
	e.POST("/webhooks/stripe/:tenant", receiver.Receive)
	return &World{T: w.T, Clock: w.Clock, Store: w.Store, Gate: w.Gate, SandboxURL: w.SandboxURL, client: w.client,
		Pay: service, Tenant: t, hook: e, ran: map[pay.SettleJob]int{}}
}

// ICustomer is the PortaBilling id of the customer in Request.
const ICustomer = 12345

// Total is what Request comes to, in pence:
// 2 × (10.00 + 3 × 12.00) + 3 × 89.50 − 20.00, and 20 % VAT on each line.
const Total = 40860

// Request is a portal's request for a cart of £408.60. Two with the same changes
// are the same request; the digest covers what the changes changed.
func (w *World) Request(changes ...func(*pay.CheckoutInput)) pay.CheckoutInput {
	w.T.Helper()
	in := pay.CheckoutInput{
		ICustomer: ICustomer,
		Customer: pay.Customer{ICustomer: ICustomer, Name: "Ada Lovelace", Email: "ada@example.com", Phone: "+44 1603 555010",
			Address: pay.Address{Line1: "12 Exchange Street", City: "Norwich", PostalCode: "NR2 1AT", Country: "GB"}, Record: `{"ICustomer":12345}`},
		Items: []pay.CartItem{
			{Title: "SIP trunk, 4 channels", Quantity: 2, SetupFee: "10.00", MonthlyFee: "12.00", AdvancePeriod: 3, Key: "trunk-4", VATApplicable: true},
			{Title: "Desk phone", Quantity: 3, SetupFee: "89.50", VoucherCredit: "20.00", Key: "phone", VATApplicable: true},
		},
		SuccessURL: "https://shop.example/paid?basket=42", CancelURL: "https://shop.example/basket",
		PaymentMethods: []string{"card"}, ContentID: 42, FeatureName: "Basket",
	}
	for _, change := range changes {
		change(&in)
	}
	if in.Digest == "" {
		body, err := json.Marshal(in)
		if err != nil {
			w.T.Fatal(err)
		}
		sum := sha256.Sum256(body)
		in.Digest, in.Request = hex.EncodeToString(sum[:]), string(body)
	}
	stored, err := w.Store.TenantByID(context.Background(), w.Tenant.ID) // as Authenticate gives it
	if err != nil {
		w.T.Fatalf("read the tenant: %v", err)
	}
	in.Tenant = stored
	return in
}

// Open opens a checkout and fails the test when that does not work.
func (w *World) Open(changes ...func(*pay.CheckoutInput)) *pay.Checkout {
	w.T.Helper()
	c, err := w.Pay.OpenCheckout(context.Background(), w.Request(changes...))
	if err != nil {
		w.T.Fatalf("open the checkout: %v", err)
	}
	return c
}

// PressPay presses the order page's button and returns where it leads.
func (w *World) PressPay(o *pay.Order) string {
	w.T.Helper()
	to, err := w.Pay.StartPayment(context.Background(), o.PayToken, pay.Choice{})
	if err != nil {
		w.T.Fatalf("press pay: %v", err)
	}
	return to
}

// Return is the customer coming back: what the return page does.
func (w *World) Return(o *pay.Order) pay.Settlement {
	w.T.Helper()
	done, err := w.Settle(o.ID, pay.CauseReturn)
	if err != nil {
		w.T.Fatalf("settle on return: %v", err)
	}
	return done
}

// Settle settles an object or order.
func (w *World) Settle(objectID string, why pay.CauseKind) (pay.Settlement, error) {
	return w.Pay.Settle(context.Background(), w.Tenant.ID, objectID, pay.Cause{Kind: why, ID: objectID})
}

// Sweep runs one sweep and fails the test when a call in it failed.
func (w *World) Sweep() pay.SweepResult {
	w.T.Helper()
	done, err := w.Pay.Sweep(context.Background(), 100)
	if err != nil || done.Failed > 0 {
		w.T.Fatalf("sweep: %+v, %v", done, err)
	}
	return done
}

// Order reads an order as it is now.
func (w *World) Order(id string) *pay.Order {
	w.T.Helper()
	o, err := w.Store.OrderByID(context.Background(), w.Tenant.ID, id)
	if err != nil {
		w.T.Fatalf("read order %s: %v", id, err)
	}
	return o
}

// Attempts reads an order's attempts.
func (w *World) Attempts(orderID string) []*pay.Attempt {
	w.T.Helper()
	list, err := w.Store.ListAttempts(context.Background(), w.Tenant.ID, orderID)
	if err != nil {
		w.T.Fatalf("read the attempts of %s: %v", orderID, err)
	}
	return list
}
