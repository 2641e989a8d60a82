package handlers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/handlers"
	"github.com/portatill/portatill/internal/sandbox"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/internal/stripegate"
	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
)

const (
	baseURL   = "https://till.example"
	userRoute = "/ChargeStripeCustomerCard"

	// Canaries: they may stand in the request, and in the few columns that are for them, and nowhere else.
	canaryPassword = "canary-password-7f3a"
	canaryEmail    = "canary.lovelace@example.com"
	canaryPhone    = "+44 1603 555 010"
)

// stripeURL is one Stripe double for all tests of the package: every tenant's key is an account of its own in it.
var stripeURL string

func TestMain(m *testing.M) {
	box, err := sandbox.New(sandbox.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, "start the Stripe double:", err)
		os.Exit(1)
	}
	server := httptest.NewServer(box.Handler())
	stripeURL = server.URL
	code := m.Run()
	server.Close()
	os.Exit(code)
}

// till is the whole server over a real database and the Stripe double.
type till struct {
	t       testing.TB
	store   *sqlstore.Store
	tenant  *pay.Tenant
	license string
	pay     *pay.Service
	stripe  *gateway
	log     *lockedBuffer
	options handlers.Options
	http    http.Handler
}

// gateway is the way to the double, which a test may break or count.
type gateway struct {
	pay.Gateway
	mu    sync.Mutex
	fault error
	calls int
}

func (g *gateway) breakWith(err error) { g.mu.Lock(); g.fault = err; g.mu.Unlock() }

func (g *gateway) called() int { g.mu.Lock(); defer g.mu.Unlock(); return g.calls }

func (g *gateway) before() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls++
	return g.fault
}

func (g *gateway) Account(ctx context.Context, t *pay.Tenant) (pay.StripeAccount, error) {
	if err := g.before(); err != nil {
		return pay.StripeAccount{}, err
	}
	return g.Gateway.Account(ctx, t)
}

func (g *gateway) CreateCustomer(ctx context.Context, t *pay.Tenant, c *pay.Customer, key string) (string, error) {
	if err := g.before(); err != nil {
		return "", err
	}
	return g.Gateway.CreateCustomer(ctx, t, c, key)
}

func (g *gateway) CreateSession(ctx context.Context, t *pay.Tenant, in pay.SessionInput, key string) (*pay.StripeSession, error) {
	if err := g.before(); err != nil {
		return nil, err
	}
	return g.Gateway.CreateSession(ctx, t, in, key)
}

func (g *gateway) Session(ctx context.Context, t *pay.Tenant, id string) (*pay.StripeSession, error) {
	if err := g.before(); err != nil {
		return nil, err
	}
	return g.Gateway.Session(ctx, t, id)
}

func (g *gateway) Cards(ctx context.Context, t *pay.Tenant, customer string) ([]*pay.Card, error) {
	if err := g.before(); err != nil {
		return nil, err
	}
	return g.Gateway.Cards(ctx, t, customer)
}

func (g *gateway) Card(ctx context.Context, t *pay.Tenant, customer, id string) (*pay.Card, error) {
	if err := g.before(); err != nil {
		return nil, err
	}
	return g.Gateway.Card(ctx, t, customer, id)
}

func (g *gateway) SaveCard(ctx context.Context, t *pay.Tenant, token pay.CardToken, key string) (*pay.Card, error) {
	if err := g.before(); err != nil {
		return nil, err
	}
	return g.Gateway.SaveCard(ctx, t, token, key)
}

func (g *gateway) DeleteCard(ctx context.Context, t *pay.Tenant, customer, id, key string) error {
	if err := g.before(); err != nil {
		return err
	}
	return g.Gateway.DeleteCard(ctx, t, customer, id, key)
}

func (g *gateway) LabelCard(ctx context.Context, t *pay.Tenant, id, label, key string) error {
	if err := g.before(); err != nil {
		return err
	}
	return g.Gateway.LabelCard(ctx, t, id, label, key)
}

func setup(t testing.TB, changes ...func(*pay.Tenant)) *till {
	t.Helper()
	return setupOn(t, storetest.OpenSQLite(t), changes...)
}

func setupOn(t testing.TB, store *sqlstore.Store, changes ...func(*pay.Tenant)) *till {
	t.Helper()
	gate := stripegate.New(stripegate.Options{APIBase: stripeURL})
	t.Cleanup(gate.Close)
	k := &till{t: t, store: store, stripe: &gateway{Gateway: gate}, log: &lockedBuffer{}}
	log := slog.New(slog.NewJSONHandler(k.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	k.pay = &pay.Service{Store: store, Gateway: k.stripe, Log: log, BaseURL: baseURL,
		Now: func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }}
	k.tenant, k.license = k.addTenant(changes...)
	k.options = handlers.Options{Pay: k.pay, Log: log, Version: "test", Sessions: store, Logos: store, Backoffice: store, Ready: func(r *http.Request) error { return store.Ping(r.Context()) },
		StripeWebhook: func(c echo.Context) error { return c.String(http.StatusOK, "stored") }}
	k.http = handlers.New(k.options)
	return k
}

// addTenant stores a tenant with a Stripe account of its own and returns its licence key.
func (k *till) addTenant(changes ...func(*pay.Tenant)) (*pay.Tenant, string) {
	k.t.Helper()
	tenant := storetest.Tenant(k.t, k.store, append([]func(*pay.Tenant){func(t *pay.Tenant) {
		t.Name, t.Branding.DisplayName, t.Branding.AccentColour = "Acme Telecom", "Acme Telecom", "#0f766e"
		t.Currencies = []pay.Currency{"GBP", "EUR", "USD", "JPY", "KWD"}
		t.VATBasisPoints, t.StripeAccount = 2000, ""
		t.StripeKey = pay.Secret("sk_test_" + strings.TrimPrefix(pay.NewID("k", time.Now()), "k_"))
		t.IParent = 7
	}}, changes...)...)
	key, license := pay.NewLicense(tenant.ID, time.Now())
	storetest.Write(k.t, k.store, func(ctx context.Context, tx pay.Tx) error { return tx.InsertLicense(ctx, license) })
	return tenant, key.Reveal()
}

// request is a good one; the total is 2 × (10.00 + 12.00 × 3) = 92.00 and VAT of 18.40.
func (k *till) request(changes ...func(*wire.StripePaymentRequest)) *wire.StripePaymentRequest {
	r := &wire.StripePaymentRequest{
		Customer: &wire.Customer{ICustomer: 12345, IParent: 7, Notes: wire.Str("prefers \"e-mail\", not; calls"),
			CustomerAddress: &wire.CustomerAddress{Address1: wire.Str("12 Exchange Street"), City: wire.Str("Norwich"), Postcode: wire.Str("NR2 1AT"), Country: wire.Str("GB")},
			CustomerContact: &wire.CustomerContact{Email: wire.Str(canaryEmail), Phone1: wire.Str(canaryPhone)},
			PersonalInformation: &wire.PersonalInformation{FirstName: wire.Str("Ada"), LastName: wire.Str("Lovelace"),
				Company: wire.Str("Analytical Engines Ltd"), Login: wire.Str("ada"), Password: wire.Str(canaryPassword)}},
		ICustomer: 12345, License: wire.Str(k.license), SuccessUrl: wire.Str("https://shop.example/paid?basket=42"),
		CancelUrl: wire.Str("https://shop.example/basket"), ContentId: 42, FeatureName: wire.Str("Basket"),
		ShoppingInformation: []wire.ShoppingItem{item()},
	}
	for _, change := range changes {
		change(r)
	}
	return r
}

func item(changes ...func(*wire.ShoppingItem)) wire.ShoppingItem {
	i := wire.ShoppingItem{Title: wire.Str("SIP trunk, 4 channels"), Quantity: 2, SetupFee: wire.MustDecimal("10.00"), MonthlyFee: wire.MustDecimal("12.00"),
		AdvancePeriod: 3, Key: wire.Str("trunk-4"), VatApplicable: true, Currency: wire.Str("GBP"), AdditionalInformation: []wire.String{wire.Str("Includes 2 London numbers")}}
	for _, change := range changes {
		change(&i)
	}
	return i
}

// formats are all five, with the Content-Type that names them.
var formats = []wire.Format{wire.JSON, wire.CSV, wire.JSV, wire.XML, wire.Form}

type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   string
}

// do sends a request through the whole server. headers are names and values in turn.
func (k *till) do(method, target, body string, headers ...string) answer {
	k.t.Helper()
	return k.doFrom(method, target, strings.NewReader(body), headers...)
}

func (k *till) doFrom(method, target string, body io.Reader, headers ...string) answer {
	k.t.Helper()
	r, err := http.NewRequest(method, baseURL+target, body)
	if err != nil {
		k.t.Fatal(err)
	}
	r.RemoteAddr, r.RequestURI = "192.0.2.1:1234", target
	for i := 0; i+1 < len(headers); i += 2 {
		if strings.EqualFold(headers[i], "Host") {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	k.http.ServeHTTP(w, r)
	return answer{k.t, w.Code, w.Header(), w.Body.String()}
}

// send posts a request in a format to the user route and answers in JSON.
func (k *till) send(format wire.Format, r *wire.StripePaymentRequest, headers ...string) answer {
	k.t.Helper()
	return k.do(http.MethodPost, userRoute+".json", string(wire.Encode(format, r)), append([]string{"Content-Type", format.ContentType()}, headers...)...)
}

// sendJSON posts a JSON text.
func (k *till) sendJSON(body string, headers ...string) answer {
	k.t.Helper()
	return k.do(http.MethodPost, userRoute, body, append([]string{"Content-Type", "application/json"}, headers...)...)
}

// response is what a JSON answer of the user route says.
type response struct {
	Success                                          bool
	Status, OrderId, Url, SessionId, Currency        string
	PaymentIntentId, CustomerId, ReceiptUrl, License string
	ExpiresAt, FeatureName, CardInfo                 string
	ICustomer, ContentId                             int64
	Amount                                           json.Number
	Replayed                                         bool
	Cards                                            []card
	Lines                                            []struct {
		Key, Title, Explanation string
		Quantity                int64
		SubTotal, Vat, Total    json.Number
	}
	ResponseStatus *struct {
		ErrorCode, Message string
		StackTrace         *string
		Errors             []struct{ ErrorCode, FieldName, Message string }
		Meta               map[string]string
	}
}

// card is a saved card as a JSON answer lists it.
type card struct {
	StripeSourceId, Brand, Last4, CardInfo string
	ExpMonth, ExpYear                      int
	IsDefault                              bool
}

func (a answer) json() response {
	a.t.Helper()
	var r response
	d := json.NewDecoder(strings.NewReader(a.body))
	d.UseNumber()
	if err := d.Decode(&r); err != nil {
		a.t.Fatalf("the answer %d is not JSON: %v: %.300s", a.status, err, a.body)
	}
	return r
}

// accepted is the answer to a request that made, or found, an order.
func (a answer) accepted() response {
	a.t.Helper()
	r := a.json()
	if a.status != http.StatusOK || !r.Success || !strings.HasPrefix(r.OrderId, "ord_") {
		a.t.Fatalf("not accepted: %d %s", a.status, a.body)
	}
	return r
}

// refused checks status, code and field of a JSON error, and that it tells nothing that it should not.
func (a answer) refused(status int, code, field string) {
	a.t.Helper()
	r := a.json()
	if r.ResponseStatus == nil {
		a.t.Fatalf("not refused: %d %s", a.status, a.body)
	}
	got := ""
	if len(r.ResponseStatus.Errors) > 0 {
		got = r.ResponseStatus.Errors[0].FieldName
	}
	if a.status != status || r.ResponseStatus.ErrorCode != code || got != field {
		a.t.Errorf("want %d %s on %q, got %d %s on %q: %s", status, code, field, a.status, r.ResponseStatus.ErrorCode, got, r.ResponseStatus.Message)
	}
	if r.ResponseStatus.Message == "" || r.ResponseStatus.StackTrace != nil {
		a.t.Errorf("message or stack trace: %s", a.body)
	}
	a.tellsNothing()
}

// internals are texts that only the inside of the program has.
var internals = []string{"goroutine", ".go:", "sqlstore", "SELECT ", "INSERT ", "sqlite", "pgx.", "pgconn", "panic", "reflect", "int32", "*json", "strconv", "/home/", "sk_test_"}

// qualified is a name of the program, such as pay.Tenant; a sentence may end in "pay."
var qualified = regexp.MustCompile(`\b(runtime|wire|pay|echo|pgx)\.[A-Za-z]`)

// randomIDs may hold any letters in a row.
var randomIDs = regexp.MustCompile(`\b(ord|pm|cus|pi|cs_test)_[A-Za-z0-9]+|/(pay|account)/[^"/?]+`)

// tellsNothing holds of every answer: no secret of the request, nothing of the program's inside.
func (a answer) tellsNothing() {
	a.t.Helper()
	body := randomIDs.ReplaceAllString(a.body, "")
	if name := qualified.FindString(body); name != "" {
		a.t.Errorf("the answer tells %q: %.300s", name, a.body)
	}
	for _, text := range append([]string{canaryPassword, "ptl_"}, internals...) {
		if strings.Contains(body, text) {
			a.t.Errorf("the answer tells %q: %.300s", text, a.body)
		}
	}
	if a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("X-Request-Id") == "" {
		a.t.Errorf("security headers or the request's id are missing: %v", a.header)
	}
}

func (k *till) rows(table string) int {
	k.t.Helper()
	var n int
	if err := k.store.DB().QueryRowContext(context.Background(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil {
		k.t.Fatal(err)
	}
	return n
}

// untouched fails the test when anything of a refused request was kept, or Stripe was asked.
func (k *till) untouched() {
	k.t.Helper()
	for _, table := range []string{"customers", "orders", "attempts", "stripe_customers", "story", "deliveries"} {
		if n := k.rows(table); n != 0 {
			k.t.Errorf("%d rows in %s", n, table)
		}
	}
	if n := k.stripe.called(); n != 0 {
		k.t.Errorf("Stripe was asked %d times", n)
	}
}

func (k *till) order(id string) *pay.Order {
	k.t.Helper()
	o, err := k.store.OrderByID(context.Background(), k.tenant.ID, id)
	if err != nil {
		k.t.Fatal(err)
	}
	return o
}

// open makes an order with a good request and returns what was answered and the path of its page.
func (k *till) open(changes ...func(*wire.StripePaymentRequest)) (response, string) {
	k.t.Helper()
	r := k.send(wire.JSON, k.request(changes...)).accepted()
	path, ok := strings.CutPrefix(r.Url, baseURL)
	if !ok {
		k.t.Fatalf("the order page is at %q", r.Url)
	}
	return r, strings.TrimSuffix(path, "/return")
}

// card pays the session on the double's hosted page and returns where the customer's browser is sent.
func (k *till) card(session, number string) string {
	k.t.Helper()
	return k.hosted(session, url.Values{"method": {"card"}, "number": {number}, "expiry": {"12/40"}, "cvc": {"123"}})
}

// hosted posts the double's hosted page with a way to pay, and what it asks of everybody.
func (k *till) hosted(session string, way url.Values) string {
	k.t.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for name, value := range map[string]string{"email": canaryEmail, "name": "Ada Lovelace", "country": "GB", "postal_code": "NR2 1AT",
		"line1": "12 Exchange Street", "city": "Norwich", "phone": "01603555010", "terms": "on"} {
		way.Set(name, value)
	}
	res, err := browser.PostForm(stripeURL+"/c/pay/"+session, way)
	if err != nil {
		k.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusSeeOther {
		body, _ := io.ReadAll(res.Body)
		k.t.Fatalf("the hosted page answered %d: %.500s", res.StatusCode, body)
	}
	return res.Header.Get("Location")
}

// paid makes an order and pays it; the till has not been told yet.
func (k *till) paid(changes ...func(*wire.StripePaymentRequest)) (response, string) {
	k.t.Helper()
	r, page := k.open(changes...)
	k.card(r.SessionId, "4242424242424242")
	return r, page
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
