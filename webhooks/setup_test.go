package webhooks

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// clockNow is the tests' time, on a whole second so that the bounds of the tolerance are exact.
var clockNow = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// till is a store with one tenant, the webhook's door to it, and a Stripe whose answers the test sets.
type till struct {
	t      testing.TB
	store  *sqlstore.Store
	tenant *pay.Tenant
	stripe *fakeStripe
	pay    *pay.Service
	log    *lockedBuffer
	http   http.Handler

	mu      sync.Mutex
	answers map[Answer]int
}

func setup(t testing.TB, store *sqlstore.Store, changes ...func(*pay.Tenant)) *till {
	t.Helper()
	k := &till{t: t, store: store, tenant: storetest.Tenant(t, store, changes...), stripe: &fakeStripe{sessions: map[string]*pay.StripeSession{}},
		log: &lockedBuffer{}, answers: map[Answer]int{}}
	log := slog.New(slog.NewJSONHandler(k.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	k.pay = &pay.Service{Store: store, Gateway: k.stripe, Now: func() time.Time { return clockNow }, Log: log, BaseURL: "https://till.example"}
	k.serve(k.pay)
	return k
}

// serve puts the door in front of a service, such as one whose store fails.
func (k *till) serve(service *pay.Service) {
	hook := &Stripe{Pay: service, Log: service.Log, Count: func(_ string, a Answer) {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.answers[a]++
	}}
	e := echo.New()
	e.POST("/webhooks/stripe/:tenant", hook.Receive)
	k.http = e
}

func (k *till) counted(a Answer) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.answers[a]
}

func (k *till) secret() string { return k.tenant.StripeWebhookSecrets[0].Reveal() }

// post delivers a body with the given Stripe-Signature headers to the tenant's door.
func (k *till) post(body string, signatures ...string) *httptest.ResponseRecorder {
	return k.postTo(k.tenant.Slug, strings.NewReader(body), signatures...)
}

func (k *till) postTo(slug string, body io.Reader, signatures ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/webhooks/stripe/"+slug, body)
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	for _, s := range signatures {
		r.Header.Add("Stripe-Signature", s)
	}
	w := httptest.NewRecorder()
	k.http.ServeHTTP(w, r)
	return w
}

// send delivers a body as Stripe would.
func (k *till) send(body string) *httptest.ResponseRecorder {
	return k.post(body, sign(body, k.secret(), clockNow))
}

func (k *till) rows(table string) int {
	k.t.Helper()
	var n int
	if err := k.store.DB().QueryRowContext(context.Background(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil {
		k.t.Fatal(err)
	}
	return n
}

// stored is the one event that is stored.
func (k *till) stored() *pay.Event {
	k.t.Helper()
	for _, state := range []pay.EventState{pay.EventReceived, pay.EventIgnored, pay.EventApplied, pay.EventUnmatched, pay.EventNotOurs, pay.EventFailed} {
		events, err := k.store.ListEvents(context.Background(), pay.EventFilter{TenantID: k.tenant.ID, State: state, Limit: 10})
		if err != nil {
			k.t.Fatal(err)
		}
		if len(events) > 0 {
			return events[0]
		}
	}
	k.t.Fatal("no event is stored")
	return nil
}

// work does the jobs that the deliveries left, as the queue would, and returns what came of each.
func (k *till) work() []error {
	k.t.Helper()
	var errs []error
	for _, j := range storetest.Jobs[pay.SettleJob](k.t, k.store) {
		errs = append(errs, k.pay.SettleEvent(context.Background(), j, false))
	}
	return errs
}

// square fails the test when an invariant of the books is broken.
func (k *till) square() {
	k.t.Helper()
	broken, err := k.store.VerifyBooks(context.Background())
	if err != nil || len(broken) > 0 {
		k.t.Errorf("the books are not square: %v %v", broken, err)
	}
}

// refused checks the answer to a delivery that nobody may believe: its status, no row, no job, and no secret in the log.
func (k *till) refused(w *httptest.ResponseRecorder, status int, counted Answer) {
	k.t.Helper()
	if w.Code != status {
		k.t.Errorf("want status %d, got %d: %s", status, w.Code, w.Body)
	}
	if n := k.rows("events") + k.rows("test_jobs"); n != 0 {
		k.t.Errorf("%d rows were stored", n)
	}
	if k.counted(counted) == 0 {
		k.t.Errorf("the refusal was not counted as %s: %v", counted, k.answers)
	}
	if text := k.log.String() + w.Body.String(); strings.Contains(text, k.secret()) {
		k.t.Error("the secret is in the log or the answer")
	}
}

// sign is Stripe's scheme, written from its documentation and not with its library
// (docs.stripe.com/webhooks#verify-manually).
func sign(body, secret string, at time.Time) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",v1=" + mac(t+"."+body, secret)
}

func mac(message, secret string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(message))
	return hex.EncodeToString(h.Sum(nil))
}

// event writes an event about an object as Stripe sends it.
func event(id, kind, object, objectID string) string {
	return fmt.Sprintf(`{
  "id": %q,
  "object": "event",
  "api_version": "2023-10-16",
  "created": 1772600767,
  "data": {"object": {"id": %q, "object": %q, "amount_total": 1440, "payment_status": "paid", "customer_details": {"email": "ann@example.com"}}},
  "livemode": false,
  "pending_webhooks": 1,
  "request": {"id": null, "idempotency_key": null},
  "type": %q
}`, id, objectID, object, kind)
}

func completed(id, session string) string {
	return event(id, "checkout.session.completed", "checkout.session", session)
}

// fakeStripe answers with what the test put there; everything else it does not know.
type fakeStripe struct {
	pay.Gateway
	mu       sync.Mutex
	sessions map[string]*pay.StripeSession // by tenant and id
}

func (f *fakeStripe) put(t *pay.Tenant, s *pay.StripeSession) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sessions[t.ID+s.ID] = s
}

func notThere() error { return &pay.StripeFault{Kind: pay.FaultNotFound, Code: "resource_missing"} }

func (f *fakeStripe) Session(_ context.Context, t *pay.Tenant, id string) (*pay.StripeSession, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s, ok := f.sessions[t.ID+id]; ok {
		c := *s
		return &c, nil
	}
	return nil, notThere()
}

func (f *fakeStripe) Intent(_ context.Context, t *pay.Tenant, id string) (*pay.StripeIntent, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for key, s := range f.sessions {
		if strings.HasPrefix(key, t.ID) && s.Intent != nil && s.Intent.ID == id {
			return s.Intent, nil
		}
	}
	return nil, notThere()
}

func (f *fakeStripe) IntentOf(context.Context, *pay.Tenant, string) (string, error) {
	return "", notThere()
}

func (f *fakeStripe) SessionOf(_ context.Context, t *pay.Tenant, intent string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for key, s := range f.sessions {
		if strings.HasPrefix(key, t.ID) && s.IntentID == intent {
			return s.ID, nil
		}
	}
	return "", nil
}

// sale stores an open order and gives the session that Stripe has for it, paid in full; changes are made before it is
// there.
func (k *till) sale(changes ...func(*pay.StripeSession)) (*pay.Order, *pay.Attempt) {
	k.t.Helper()
	o := storetest.Order(k.t, k.store, storetest.Customer(k.t, k.store, k.tenant.ID))
	a := storetest.Attempt(k.t, k.store, o, func(a *pay.Attempt) { a.StripeAccount = k.tenant.StripeAccount })
	total := o.Cart.Total()
	intent := &pay.StripeIntent{ID: "pi_" + a.SessionID[3:], Status: "succeeded", Amount: total, AmountReceived: total,
		Charge: &pay.StripeCharge{ID: "ch_1", Paid: true, Captured: true, Amount: total, AmountCaptured: total,
			AmountRefunded: pay.Money{Currency: total.Currency}, Method: "visa •••• 4242 exp 12/2030"}}
	s := &pay.StripeSession{ID: a.SessionID, Mode: "payment", Status: "complete", PaymentStatus: "paid", AmountTotal: total,
		ClientReferenceID: o.ID, Metadata: map[string]string{pay.MetaOrder: o.ID, pay.MetaAttempt: a.ID, pay.MetaTenant: k.tenant.ID},
		IntentID: intent.ID, Intent: intent}
	for _, change := range changes {
		change(s)
	}
	k.stripe.put(k.tenant, s)
	return o, a
}

func (k *till) state(o *pay.Order) pay.OrderState {
	k.t.Helper()
	now, err := k.store.OrderByID(context.Background(), o.TenantID, o.ID)
	if err != nil {
		k.t.Fatal(err)
	}
	return now.State
}

// brokenStore is a database that cannot take anything now.
type brokenStore struct {
	pay.Store
	tenants bool // whether tenants can be read still
}

func down() error { return pay.Errorf(pay.CodeUnavailable, "", "the database is away") }

func (b brokenStore) InTx(context.Context, func(pay.Tx) error) error { return down() }
func (b brokenStore) TenantBySlug(ctx context.Context, slug string) (*pay.Tenant, error) {
	if b.tenants {
		return b.Store.TenantBySlug(ctx, slug)
	}
	return nil, down()
}

// countingReader notes how much of it was read.
type countingReader struct {
	from io.Reader
	read int
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.read += n
	return n, err
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

// compact writes a JSON text without blanks, its keys sorted: the same event in other bytes.
func compact(t testing.TB, body string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
