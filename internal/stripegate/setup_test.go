package stripegate

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"

	"github.com/portatill/portatill/pay"
)

// sessionPaid is a paid session as Stripe answers it with all our expansions, two refunds and a balance in euros.
//
//go:embed testdata/session_paid.json
var sessionPaid string

const (
	paidSession = "cs_test_a1QnC9kLw0V7pX2fTz"
	paidIntent  = "pi_3Oxy12Kd93kf02Lq0aBcDeFg"
	paidCharge  = "ch_3Oxy12Kd93kf02Lq0CHARGE"
)

// request is one request as a double of Stripe saw it.
type request struct {
	Method, Path, Key, IdempotencyKey string
	Form                              map[string][]string
	Header                            http.Header
}

// double is Stripe as a function, without a network: it records every request and answers what the test says.
type double struct {
	mu     sync.Mutex
	seen   []request
	answer func(r request) (int, string)
}

func (d *double) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err // as a real transport does
	}
	got, err := readRequest(r)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.seen = append(d.seen, got)
	d.mu.Unlock()
	status, body := d.answer(got)
	return &http.Response{StatusCode: status, Status: fmt.Sprint(status), Header: http.Header{"Request-Id": {"req_test"}},
		Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func (d *double) requests() []request {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]request(nil), d.seen...)
}

func readRequest(r *http.Request) (request, error) {
	body := []byte{}
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return request{}, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	form := r.URL.Query()
	again, err := http.NewRequest(http.MethodPost, "http://double/", bytes.NewReader(body))
	if err != nil {
		return request{}, err
	}
	again.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if err := again.ParseForm(); err != nil {
		return request{}, err
	}
	for k, v := range again.PostForm {
		form[k] = v
	}
	return request{Method: r.Method, Path: r.URL.Path, Key: strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "),
		IdempotencyKey: r.Header.Get("Idempotency-Key"), Form: form, Header: r.Header.Clone()}, nil
}

func (r request) value(name string) string {
	if v := r.Form[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// gateTo makes a Gate whose Stripe is d. The SDK does not sleep between its retries.
func gateTo(t testing.TB, d http.RoundTripper) *Gate {
	t.Helper()
	return quick(New(Options{HTTPClient: &http.Client{Transport: d}}))
}

func quick(g *Gate) *Gate {
	g.backend.(*stripe.BackendImplementation).SetNetworkRetriesSleep(false)
	return g
}

const testKey = "sk_test_51CanaryCanaryCanary0000"

func testTenant() *pay.Tenant {
	t := pay.NewTenant("acme", "Acme Telecom", "GBP", time.Unix(1711000000, 0).UTC())
	t.ID, t.StripeKey, t.VATBasisPoints = "ten_01", testKey, 2000
	return t
}

func testCustomer() *pay.Customer {
	return &pay.Customer{ID: "cus-01", TenantID: "ten_01", ICustomer: 4711, Name: "Canary Person", Email: "canary.person@mail.example",
		Phone: "+44 113 496 0000", Company: "Canary Ltd",
		Address: pay.Address{Line1: "1 Canary Walk", Line2: "Flat 2", City: "Leeds", State: "West Yorkshire", PostalCode: "LS1 1AA", Country: "GB"}}
}

// paymentInput is the order of sessionPaid: 12.00 and 20 % VAT, 14.40 GBP.
func paymentInput(t testing.TB) pay.SessionInput {
	t.Helper()
	return inputFor(t, testTenant(), []pay.CartItem{{Title: "Fibre 500", Quantity: 1, MonthlyFee: "12.00", AdvancePeriod: 1, VATApplicable: true, Key: "k1",
		PartID: 7, AdditionalInformation: []string{"500 Mbit/s"}}})
}

func inputFor(t testing.TB, tenant *pay.Tenant, items []pay.CartItem) pay.SessionInput {
	t.Helper()
	cart, err := pay.PriceCart(tenant, items)
	if err != nil {
		t.Fatalf("price the cart: %v", err)
	}
	return pay.SessionInput{
		Order:          &pay.Order{ID: "ord_01", TenantID: "ten_01", Kind: pay.OrderPayment, Cart: cart},
		Attempt:        &pay.Attempt{ID: "att_01"},
		Customer:       testCustomer(),
		StripeCustomer: "cus_Pq1W2e3R4t5Y6u",
		Lines:          cart.StripeLines(),
		ReturnURL:      "https://till.example/pay/tok/return", CancelURL: "https://till.example/pay/tok/cancel",
		ExpiresAt: time.Unix(1711003600, 0).UTC(),
		Metadata:  map[string]string{pay.MetaOrder: "ord_01", pay.MetaAttempt: "att_01", pay.MetaTenant: "ten_01"},
	}
}

func setupInput() pay.SessionInput {
	return pay.SessionInput{
		Order: &pay.Order{ID: "ord_02", TenantID: "ten_01", Kind: pay.OrderSetup}, Attempt: &pay.Attempt{ID: "att_02"},
		Customer: testCustomer(), StripeCustomer: "cus_Pq1W2e3R4t5Y6u",
		ReturnURL: "https://till.example/pay/tok/return", CancelURL: "https://till.example/pay/tok/cancel",
		Metadata: map[string]string{pay.MetaOrder: "ord_02", pay.MetaAttempt: "att_02", pay.MetaTenant: "ten_01"},
	}
}

// edit returns sessionPaid, or another object, with changes made to it as decoded JSON.
func edit(t testing.TB, text string, change func(o map[string]any)) string {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	change(o)
	out, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// openSession is sessionPaid before anyone paid: what Stripe answers to its making.
func openSession(t testing.TB, change func(o map[string]any)) string {
	return edit(t, sessionPaid, func(o map[string]any) {
		o["status"], o["payment_status"], o["payment_intent"] = "open", "unpaid", nil
		o["url"] = "https://checkout.stripe.com/c/pay/cs_test_a1"
		if change != nil {
			change(o)
		}
	})
}

// in walks into nested objects and lists of decoded JSON.
func in(o map[string]any, path ...string) map[string]any {
	for _, p := range path {
		o = o[p].(map[string]any)
	}
	return o
}

func faultOf(t testing.TB, err error) *pay.StripeFault {
	t.Helper()
	f, ok := err.(*pay.StripeFault)
	if !ok {
		t.Fatalf("got error %T %v, want a *pay.StripeFault", err, err)
	}
	return f
}

// logTo is a debug log whose text a test can search.
func logTo(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
