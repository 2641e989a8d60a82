package stripegate

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/sandbox"
	"github.com/portatill/portatill/pay"
)

// box is the project's own Stripe in a box behind a real listener, and the browser and dashboard in front of it.
type box struct {
	t      *testing.T
	url    string
	gate   *Gate
	tenant *pay.Tenant
}

func newBox(t *testing.T) *box {
	t.Helper()
	s, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	g := quick(New(Options{APIBase: server.URL}))
	t.Cleanup(func() {
		g.Close()
		server.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &box{t: t, url: server.URL, gate: g, tenant: testTenant()}
}

// post sends a form or JSON as browsers and the dashboard do, and returns the answer's status and text.
func (b *box) post(path, contentType, body string) (int, string) {
	b.t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Post(b.url+path, contentType, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// pay fills in the hosted page of a session; more overrides its fields.
func (b *box) pay(id string, more map[string]string) {
	b.t.Helper()
	form := url.Values{"email": {"jo@example.com"}, "method": {"card"}, "number": {"4242424242424242"}, "expiry": {"12 / 40"}, "cvc": {"123"}, "name": {"Jo Bloggs"},
		"country": {"GB"}, "postal_code": {"SW1A 1AA"}, "line1": {"1 Street"}, "city": {"London"}}
	for k, v := range more {
		form.Set(k, v)
	}
	if status, text := b.post("/c/pay/"+id, "application/x-www-form-urlencoded", form.Encode()); status != http.StatusSeeOther {
		b.t.Fatalf("paying answered %d: %s", status, text)
	}
}

// act does what a person in the dashboard, or a bank, does.
func (b *box) act(action, body string) {
	b.t.Helper()
	if status, text := b.post("/_sandbox/actions/"+action, "application/json", body); status != http.StatusOK {
		b.t.Fatalf("%s answered %d: %s", action, status, text)
	}
}

func (b *box) checkout(key string, change func(in *pay.SessionInput)) *pay.StripeSession {
	b.t.Helper()
	customer, err := b.gate.CreateCustomer(b.t.Context(), b.tenant, testCustomer(), "customer-"+key)
	if err != nil {
		b.t.Fatal(err)
	}
	in := paymentInput(b.t)
	in.StripeCustomer, in.ExpiresAt = customer, time.Now().Add(time.Hour)
	if change != nil {
		change(&in)
	}
	s, err := b.gate.CreateSession(b.t.Context(), b.tenant, in, key)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *box) session(id string) *pay.StripeSession {
	b.t.Helper()
	s, err := b.gate.Session(b.t.Context(), b.tenant, id)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// count asks the sandbox itself how many objects of a kind there are.
func (b *box) count(kind string) int {
	b.t.Helper()
	res, err := http.Get(b.url + "/_sandbox/state")
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	var state struct{ Objects map[string][]json.RawMessage }
	if err := json.NewDecoder(res.Body).Decode(&state); err != nil {
		b.t.Fatal(err)
	}
	return len(state.Objects[kind])
}

func TestAgainstStripeInABox(t *testing.T) {
	t.Parallel()

	t.Run("FromAnOrderToItsMoneyAndBack", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		ctx := t.Context()
		made := b.checkout("key-1", nil)
		if made.Status != "open" || made.AmountTotal != (pay.Money{Minor: 1440, Currency: "GBP"}) || !strings.HasPrefix(made.URL, b.url) || made.IntentID != "" {
			t.Errorf("made %+v", made)
		}
		b.pay(made.ID, nil)
		s := b.session(made.ID)
		if s.Status != "complete" || s.PaymentStatus != "paid" || s.ClientReferenceID != "ord_01" || s.CustomerID != made.CustomerID {
			t.Errorf("after paying %+v", s)
		}
		charge := s.Intent.Charge
		if s.Intent.Status != "succeeded" || s.Intent.AmountReceived.Minor != 1440 || s.Intent.Metadata[pay.MetaOrder] != "ord_01" {
			t.Errorf("intent %+v", s.Intent)
		}
		if !charge.Paid || !charge.Captured || charge.Method != "visa •••• 4242 exp 12/2040" || charge.Balance == nil ||
			charge.Balance.Amount.Minor-charge.Balance.Fee.Minor != charge.Balance.Net.Minor || charge.Balance.Fee.Minor <= 0 {
			t.Errorf("charge %+v, balance %+v", charge, charge.Balance)
		}

		for range 12 {
			b.act("refund", `{"id":"`+s.IntentID+`","amount":10}`)
		}
		i, err := b.gate.Intent(ctx, b.tenant, s.IntentID)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(i.Charge.Refunds); n != 12 || i.Charge.AmountRefunded.Minor != 120 {
			t.Errorf("%d refunds of %s, want 12 of 1.20", n, i.Charge.AmountRefunded)
		}
		for _, id := range []string{i.Charge.ID, i.Charge.Refunds[0].ID, i.ID} {
			if got, err := b.gate.IntentOf(ctx, b.tenant, id); got != i.ID || err != nil {
				t.Errorf("%s leads to %q, %v", id, got, err)
			}
		}
		if got, err := b.gate.SessionOf(ctx, b.tenant, i.ID); got != s.ID || err != nil {
			t.Errorf("the intent's session is %q, %v", got, err)
		}
		again, err := b.gate.ExpireSession(ctx, b.tenant, s.ID, "expire-1")
		if err != nil || again.Status != "complete" || again.Intent == nil {
			t.Errorf("ending a complete session gave %+v, %v", again, err)
		}
	})

	t.Run("ALongCartsSumIsCheckedInOneCall", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		s := b.checkout("key-1", func(in *pay.SessionInput) {
			items := make([]pay.CartItem, 40)
			for i := range items {
				items[i] = pay.CartItem{Title: "Line", Quantity: 3, MonthlyFee: "1.99", AdvancePeriod: 1, VATApplicable: true}
			}
			long := inputFor(t, b.tenant, items)
			in.Order, in.Lines = long.Order, long.Lines
		})
		if s.AmountTotal.Minor != 40*(597+119) {
			t.Errorf("the total is %s", s.AmountTotal)
		}
	})

	t.Run("TheSameKeyIsTheSameObject", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		expires := time.Now().Add(time.Hour)
		at := func(in *pay.SessionInput) { in.ExpiresAt = expires }
		one, two := b.checkout("key-1", at), b.checkout("key-1", at)
		if diff := cmp.Diff(one, two); diff != "" {
			t.Errorf("the second answer differs:\n%s", diff)
		}
		in := paymentInput(t)
		in.StripeCustomer, in.ExpiresAt, in.CancelURL = one.CustomerID, expires, "https://till.example/other"
		_, err := b.gate.CreateSession(t.Context(), b.tenant, in, "key-1")
		if f := faultOf(t, err); f.Kind != pay.FaultRejected || f.Code != "idempotency_error" {
			t.Errorf("the same key with another body gave %v", f)
		}
	})

	t.Run("AnOpenSessionIsEnded", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		s := b.checkout("key-1", nil)
		for range 2 {
			got, err := b.gate.ExpireSession(t.Context(), b.tenant, s.ID, "expire-1")
			if err != nil || got.Status != "expired" || got.ID != s.ID || got.URL != "" {
				t.Errorf("got %+v, %v", got, err)
			}
		}
	})

	t.Run("ABankDebitIsOnItsWayAndThenPaid", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		s := b.checkout("key-1", func(in *pay.SessionInput) { in.Order.PaymentMethods = []string{"bacs_debit"} })
		b.pay(s.ID, map[string]string{"method": "bacs_debit", "sort_code": "108800", "account_number": "00012345"})
		s = b.session(s.ID)
		if s.Status != "complete" || s.PaymentStatus != "unpaid" || s.Intent.Status != "processing" {
			t.Errorf("before settlement %s %s %s", s.Status, s.PaymentStatus, s.Intent.Status)
		}
		b.act("settle_debits", `{}`)
		s = b.session(s.ID)
		if s.PaymentStatus != "paid" || s.Intent.Status != "succeeded" || s.Intent.Charge.Method != "bacs debit •••• 2345" || s.Intent.Charge.Balance == nil {
			t.Errorf("after settlement %s %s %+v", s.PaymentStatus, s.Intent.Status, s.Intent.Charge)
		}
	})

	t.Run("ADisputeLeadsToItsIntent", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		s := b.checkout("key-1", nil)
		b.pay(s.ID, nil)
		status, text := b.post("/_sandbox/actions/dispute", "application/json", `{"id":"`+s.ID+`"}`)
		var dispute struct{ ID string }
		if err := json.Unmarshal([]byte(text), &dispute); err != nil || status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
		s = b.session(s.ID)
		if got, err := b.gate.IntentOf(t.Context(), b.tenant, dispute.ID); got != s.IntentID || err != nil || !s.Intent.Charge.Disputed {
			t.Errorf("%s leads to %q, %v; disputed is %t", dispute.ID, got, err, s.Intent.Charge.Disputed)
		}
	})

	t.Run("SavingACardTakesNoMoney", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		customer, err := b.gate.CreateCustomer(t.Context(), b.tenant, testCustomer(), "c")
		if err != nil {
			t.Fatal(err)
		}
		in := setupInput()
		in.StripeCustomer = customer
		s, err := b.gate.CreateSession(t.Context(), b.tenant, in, "k")
		if err != nil {
			t.Fatal(err)
		}
		b.pay(s.ID, nil)
		if s = b.session(s.ID); s.Status != "complete" || s.PaymentStatus != "no_payment_required" || s.Intent != nil || b.count("charge") != 0 {
			t.Errorf("got %+v with %d charges", s, b.count("charge"))
		}
	})

	t.Run("OneTenantDoesNotSeeAnothers", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		s := b.checkout("key-1", nil)
		other := testTenant()
		other.StripeKey = "sk_test_51OtherOtherOther0000"
		_, err := b.gate.Session(t.Context(), other, s.ID)
		if f := faultOf(t, err); f.Kind != pay.FaultNotFound {
			t.Errorf("got %v, want not_found", f)
		}
		mine, err := b.gate.Account(t.Context(), b.tenant)
		if err != nil || mine.ID != sandbox.AccountID(testKey) || mine.Livemode {
			t.Errorf("the account is %+v, %v", mine, err)
		}
		theirs, err := b.gate.Account(t.Context(), other)
		if err != nil || theirs.ID == mine.ID {
			t.Errorf("the other's account is %+v, %v", theirs, err)
		}
		cu, err := b.gate.Customer(t.Context(), b.tenant, s.CustomerID)
		if err != nil || cu.Metadata[pay.MetaCustomer] != "cus-01" || cu.Metadata[pay.MetaTenant] != "ten_01" {
			t.Errorf("the customer is %+v, %v", cu, err)
		}
	})

	t.Run("AWebhookEndpointComesAndGoes", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		ctx, address := t.Context(), "https://till.example/webhooks/stripe/acme"
		secret, created, err := b.gate.EnsureWebhookEndpoint(ctx, b.tenant, address)
		if err != nil || !created || !strings.HasPrefix(secret.Reveal(), "whsec_") {
			t.Fatalf("created %t, %v", created, err)
		}
		secret, created, err = b.gate.EnsureWebhookEndpoint(ctx, b.tenant, address)
		if err != nil || created || secret != "" {
			t.Errorf("the second time created %t, %v", created, err)
		}
		if n := b.count("webhook_endpoint"); n != 1 {
			t.Errorf("%d endpoints, want 1", n)
		}
		for _, want := range []int{1, 0} {
			if n, err := b.gate.DeleteWebhookEndpoint(ctx, b.tenant, address); n != want || err != nil {
				t.Errorf("deleted %d, %v; want %d", n, err, want)
			}
		}
	})

	t.Run("WhenHalfOfAllCallsFailTheSameKeyStillMakesOneSession", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		if status, text := b.post("/_sandbox/dials", "application/json", `{"api_error_rate":0.5}`); status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
		until := func(what string, try func() error) {
			kinds := []pay.FaultKind{}
			for range 500 {
				err := try()
				if err == nil {
					return
				}
				f, _ := errors.AsType[*pay.StripeFault](err)
				if f == nil || f.Kind != pay.FaultUnavailable {
					t.Fatalf("%s: %v", what, err)
				}
				kinds = append(kinds, f.Kind)
			}
			t.Fatalf("%s never came through: %v", what, slices.Compact(kinds))
		}
		in := paymentInput(t)
		in.ExpiresAt = time.Now().Add(time.Hour)
		var ids []string
		for range 5 {
			until("create customer", func() (err error) {
				in.StripeCustomer, err = b.gate.CreateCustomer(t.Context(), b.tenant, testCustomer(), "customer-key")
				return err
			})
			until("create session", func() error {
				s, err := b.gate.CreateSession(t.Context(), b.tenant, in, "session-key")
				if err == nil {
					ids = append(ids, s.ID)
				}
				return err
			})
		}
		if len(slices.Compact(ids)) != 1 || b.count("checkout.session") != 1 || b.count("customer") != 1 {
			t.Errorf("sessions %v; %d sessions and %d customers exist, want one of each", ids, b.count("checkout.session"), b.count("customer"))
		}
	})
}
