package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/sandbox"
	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"
	"github.com/stripe/stripe-go/v76/webhook"
)

const testKey = "sk_test_sandboxsandbox1"

// clock is a time that tests move by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }
func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bench is a sandbox behind a real listener, with a Stripe client of an account and a browser.
type bench struct {
	t       *testing.T
	sandbox *sandbox.Server
	server  *httptest.Server
	clock   *clock
	api     *client.API
	browser *http.Client
}

func setup(t *testing.T) *bench { return setupWith(t, "") }

func setupWith(t *testing.T, stateFile string) *bench {
	t.Helper()
	b := &bench{t: t, clock: &clock{now: time.Now().Truncate(time.Second)}}
	var err error
	if b.sandbox, err = sandbox.New(sandbox.Options{Now: b.clock.Now, StateFile: stateFile}); err != nil {
		t.Fatal(err)
	}
	b.server = httptest.NewServer(b.sandbox.Handler())
	t.Cleanup(func() {
		b.server.Close()
		if err := b.sandbox.Close(); err != nil {
			t.Error(err)
		}
	})
	b.api = b.client(testKey)
	b.browser = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return b
}

func (b *bench) client(key string) *client.API {
	config := &stripe.BackendConfig{
		URL: stripe.String(b.server.URL), MaxNetworkRetries: stripe.Int64(0), LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
		HTTPClient: &http.Client{Transport: checkedTransport{b.t, http.DefaultTransport}},
	}
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, config)
	return client.New(key, &stripe.Backends{API: backend, Connect: backend, Uploads: backend})
}

// run starts the background work for the length of the test.
func (b *bench) run() {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.sandbox.Run(ctx) }()
	b.t.Cleanup(func() {
		stop()
		if err := <-done; !errors.Is(err, context.Canceled) {
			b.t.Errorf("Run ended with %v", err)
		}
	})
}

type rawAnswer struct {
	status int
	header http.Header
	body   []byte
}

func (a rawAnswer) text() string { return string(a.body) }

func (a rawAnswer) field(t *testing.T, path ...string) any {
	t.Helper()
	v, err := decodeJSON(a.body)
	if err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	for _, name := range path {
		hash, _ := v.(map[string]any)
		v = hash[name]
	}
	return v
}

// raw sends a request as it is, checked against Stripe's file.
func (b *bench) raw(method, path, form string, headers ...string) rawAnswer {
	b.t.Helper()
	a, err := b.try(method, path, form, headers...)
	if err != nil {
		b.t.Fatal(err)
	}
	return a
}

func (b *bench) try(method, path, form string, headers ...string) (rawAnswer, error) {
	request, err := http.NewRequest(method, b.server.URL+path, strings.NewReader(form))
	if err != nil {
		return rawAnswer{}, err
	}
	request.Header.Set("Authorization", "Bearer "+testKey)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := (&http.Client{Transport: checkedTransport{b.t, http.DefaultTransport}}).Do(request)
	if err != nil {
		return rawAnswer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return rawAnswer{response.StatusCode, response.Header, body}, err
}

// sandboxPost sends JSON to one of the sandbox's own addresses.
func (b *bench) sandboxPost(path string, v any) rawAnswer {
	b.t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.browse(http.MethodPost, path, "application/json", bytes.NewReader(text))
}

func (b *bench) browse(method, path, contentType string, body io.Reader) rawAnswer {
	b.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = b.server.URL + path
	}
	request, err := http.NewRequest(method, path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := b.browser.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return rawAnswer{response.StatusCode, response.Header, text}
}

func (b *bench) get(path string) rawAnswer {
	b.t.Helper()
	return b.browse(http.MethodGet, path, "", nil)
}

func (b *bench) submit(path string, form url.Values) rawAnswer {
	b.t.Helper()
	return b.browse(http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

// sessionParams is an ordinary checkout of £12.50.
func sessionParams() *stripe.CheckoutSessionParams {
	return &stripe.CheckoutSessionParams{
		Mode: stripe.String("payment"), SuccessURL: stripe.String("https://portal.example/done?s={CHECKOUT_SESSION_ID}"), CancelURL: stripe.String("https://portal.example/cancelled"),
		LineItems: []*stripe.CheckoutSessionLineItemParams{{
			Quantity: stripe.Int64(2),
			PriceData: &stripe.CheckoutSessionLineItemPriceDataParams{
				Currency: stripe.String("gbp"), UnitAmount: stripe.Int64(625),
				ProductData: &stripe.CheckoutSessionLineItemPriceDataProductDataParams{Name: stripe.String("SIM card"), Description: stripe.String("with data")},
			},
		}},
		PaymentIntentData: &stripe.CheckoutSessionPaymentIntentDataParams{Metadata: map[string]string{"order": "ord_1"}},
	}
}

func (b *bench) session(params *stripe.CheckoutSessionParams) *stripe.CheckoutSession {
	b.t.Helper()
	s, err := b.api.CheckoutSessions.New(params)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *bench) reload(id string, expand ...string) *stripe.CheckoutSession {
	b.t.Helper()
	params := &stripe.CheckoutSessionParams{}
	for _, e := range expand {
		params.AddExpand(e)
	}
	s, err := b.api.CheckoutSessions.Get(id, params)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// card is a filled-in card form.
func card(number string) url.Values {
	return url.Values{"email": {"jo@example.com"}, "method": {"card"}, "number": {number}, "expiry": {"12 / 40"}, "cvc": {"123"}, "name": {"Jo Bloggs"}, "country": {"GB"}, "postal_code": {"SW1A 1AA"}}
}

// pay submits a card on a session's hosted page.
func (b *bench) pay(s *stripe.CheckoutSession, number string) rawAnswer {
	b.t.Helper()
	return b.submit("/c/pay/"+s.ID, card(number))
}

func stripeError(t *testing.T, err error) *stripe.Error {
	t.Helper()
	var e *stripe.Error
	if !errors.As(err, &e) {
		t.Fatalf("want an error of Stripe's, have %v", err)
	}
	return e
}

// eventTypes lists the account's events, oldest first.
func (b *bench) eventTypes() []string {
	b.t.Helper()
	var types []string
	params := &stripe.EventListParams{}
	params.Limit = stripe.Int64(100)
	list := b.api.Events.List(params)
	for list.Next() {
		types = append([]string{string(list.Event().Type)}, types...)
	}
	if list.Err() != nil {
		b.t.Fatal(list.Err())
	}
	return types
}

// receiver is an endpoint that verifies as Stripe's library does and counts.
type receiver struct {
	t      *testing.T
	server *httptest.Server
	mu     sync.Mutex
	secret string
	got    []stripe.Event
	news   chan struct{}
	answer func(attempt int) int
	calls  int
}

func (b *bench) receiver(events ...string) *receiver {
	b.t.Helper()
	r := &receiver{t: b.t, news: make(chan struct{}, 1000), answer: func(int) int { return http.StatusOK }}
	r.server = httptest.NewServer(r)
	b.t.Cleanup(r.server.Close)
	params := &stripe.WebhookEndpointParams{URL: stripe.String(r.server.URL + "/hook"), EnabledEvents: stripe.StringSlice(events)}
	endpoint, err := b.api.WebhookEndpoints.New(params)
	if err != nil {
		b.t.Fatal(err)
	}
	r.mu.Lock()
	r.secret = endpoint.Secret
	r.mu.Unlock()
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		r.t.Error(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	status := r.answer(r.calls)
	if status == http.StatusOK {
		event, err := webhook.ConstructEventWithTolerance(body, request.Header.Get("Stripe-Signature"), r.secret, time.Hour*24*365)
		if err != nil {
			r.t.Errorf("the signature does not verify: %v", err)
		}
		if err := stripeSpec().CheckEvent(body); err != nil {
			r.t.Errorf("not Stripe's shape: %v", err)
		}
		r.got = append(r.got, event)
	}
	w.WriteHeader(status)
	r.news <- struct{}{}
}

// wait returns when there were n deliveries.
func (r *receiver) wait(n int) []stripe.Event { r.t.Helper(); return r.waitMoving(nil, n) }

// waitMoving moves the clock on while it waits, so that retries come due.
func (r *receiver) waitMoving(c *clock, n int) []stripe.Event {
	r.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		r.mu.Lock()
		calls, got := r.calls, append([]stripe.Event(nil), r.got...)
		r.mu.Unlock()
		if calls >= n {
			return got
		}
		select {
		case <-r.news:
		case <-time.After(50 * time.Millisecond):
			if c != nil {
				c.Add(time.Second)
			}
		case <-deadline:
			r.t.Fatalf("%d deliveries came, not %d", calls, n)
		}
	}
}
