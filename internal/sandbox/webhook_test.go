package sandbox_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/portatill/portatill/internal/sandbox"
	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/webhook"
)

func types(events []stripe.Event) (out []string) {
	for _, e := range events {
		out = append(out, string(e.Type))
	}
	return out
}

func TestWebhooks(t *testing.T) {
	t.Parallel()
	t.Run("APaymentIsToldToWhoWantsIt", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		some, all := b.receiver("checkout.session.completed"), b.receiver("*")
		b.run()
		s := b.session(sessionParams())
		b.pay(s, "4242424242424242")
		got := some.wait(1)
		if len(got) != 1 || got[0].Type != "checkout.session.completed" || got[0].APIVersion != sandbox.APIVersion {
			t.Fatalf("%v", types(got))
		}
		var told stripe.CheckoutSession
		if err := json.Unmarshal(got[0].Data.Raw, &told); err != nil || told.ID != s.ID || told.PaymentStatus != "paid" {
			t.Errorf("%v, %v", told, err)
		}
		if got = all.wait(4); len(got) != 4 {
			t.Errorf("%v", types(got))
		}
		some.mu.Lock()
		defer some.mu.Unlock()
		if some.calls != 1 {
			t.Errorf("the endpoint for one type got %d", some.calls)
		}
	})
	t.Run("AFailureIsTriedAgainUntilItIsTaken", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receiver("customer.created")
		r.answer = func(attempt int) int { return map[bool]int{true: 503, false: 200}[attempt < 3] }
		customer, err := b.api.Customers.New(&stripe.CustomerParams{})
		if err != nil {
			t.Fatal(err)
		}
		b.run()
		r.wait(1)
		waiting := &stripe.EventListParams{DeliverySuccess: stripe.Bool(false)}
		if list := b.api.Events.List(waiting); !list.Next() || list.Event().PendingWebhooks != 1 {
			t.Error("the event does not wait for its delivery")
		}
		got := r.waitMoving(b.clock, 3)
		if len(got) != 1 || !bytes.Contains(got[0].Data.Raw, []byte(customer.ID)) {
			t.Errorf("%v", types(got))
		}
		deadline := time.Now().Add(10 * time.Second)
		for b.api.Events.List(waiting).Next() {
			if time.Now().After(deadline) {
				t.Fatal("the event still waits after it was delivered")
			}
		}
	})
	t.Run("ARedirectIsAFailure", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receiver("customer.created")
		r.answer = func(attempt int) int { return map[bool]int{true: 302, false: 200}[attempt == 1] }
		if _, err := b.api.Customers.New(&stripe.CustomerParams{}); err != nil {
			t.Fatal(err)
		}
		b.run()
		r.waitMoving(b.clock, 2)
	})
	t.Run("DoubledOnesCarryTheSameEvent", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receiver("customer.created")
		b.sandboxPost("/_sandbox/dials", map[string]any{"duplicate": 1})
		if _, err := b.api.Customers.New(&stripe.CustomerParams{}); err != nil {
			t.Fatal(err)
		}
		b.clock.Add(time.Second)
		b.run()
		if got := r.wait(2); got[0].ID != got[1].ID {
			t.Errorf("%s and %s", got[0].ID, got[1].ID)
		}
	})
	t.Run("LostOnesNeverComeButAreListedAndCanBeResent", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receiver("customer.created")
		b.run()
		b.sandboxPost("/_sandbox/dials", map[string]any{"drop": 1})
		lost, err := b.api.Customers.New(&stripe.CustomerParams{})
		if err != nil {
			t.Fatal(err)
		}
		b.sandboxPost("/_sandbox/dials", map[string]any{"drop": 0})
		kept, err := b.api.Customers.New(&stripe.CustomerParams{})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.wait(1); !bytes.Contains(got[0].Data.Raw, []byte(kept.ID)) {
			t.Error("the lost one came")
		}
		list := b.api.Events.List(&stripe.EventListParams{Type: stripe.String("customer.created")})
		list.Next()
		list.Next()
		if event := list.Event(); !bytes.Contains(event.Data.Raw, []byte(lost.ID)) || event.PendingWebhooks != 1 {
			t.Errorf("the lost one is listed as %s", event.Data.Raw)
		}
		if a := b.sandboxPost("/_sandbox/actions/resend", map[string]string{"id": list.Event().ID}); a.status != 200 {
			t.Fatalf("%s", a.body)
		}
		if got := r.wait(2); !bytes.Contains(got[1].Data.Raw, []byte(lost.ID)) {
			t.Error("the resent one did not come")
		}
	})
	t.Run("DelayedOnesWait", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receiver("customer.created")
		b.run()
		b.sandboxPost("/_sandbox/dials", map[string]any{"delay_ms": 60000})
		first, err := b.api.Customers.New(&stripe.CustomerParams{})
		if err != nil {
			t.Fatal(err)
		}
		b.sandboxPost("/_sandbox/dials", map[string]any{"delay_ms": 0})
		if _, err = b.api.Customers.New(&stripe.CustomerParams{}); err != nil {
			t.Fatal(err)
		}
		if got := r.wait(1); bytes.Contains(got[0].Data.Raw, []byte(first.ID)) {
			t.Error("the delayed one came first")
		}
		b.clock.Add(time.Minute)
		if got := r.wait(2); !bytes.Contains(got[1].Data.Raw, []byte(first.ID)) {
			t.Error("the delayed one did not come")
		}
	})
	t.Run("AnEndpointsOwnVersionIsNamed", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		got := make(chan []byte, 1)
		var secret string
		server := newServer(t, func(body []byte, signature string) {
			if err := webhook.ValidatePayload(body, signature, secret); err != nil {
				t.Error(err)
			}
			got <- body
		})
		endpoint, err := b.api.WebhookEndpoints.New(&stripe.WebhookEndpointParams{URL: &server, EnabledEvents: stripe.StringSlice([]string{"*"}), APIVersion: stripe.String("2022-11-15")})
		if err != nil {
			t.Fatal(err)
		}
		secret = endpoint.Secret
		if _, err := b.api.Customers.New(&stripe.CustomerParams{}); err != nil {
			t.Fatal(err)
		}
		b.run()
		if body := <-got; !bytes.Contains(body, []byte(`"api_version": "2022-11-15"`)) {
			t.Errorf("%s", body)
		}
	})
	t.Run("ASecretIsShownOnce", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		endpoint, err := b.api.WebhookEndpoints.New(&stripe.WebhookEndpointParams{URL: stripe.String("http://127.0.0.1:9/"), EnabledEvents: stripe.StringSlice([]string{"*"})})
		if err != nil || !strings.HasPrefix(endpoint.Secret, "whsec_") {
			t.Fatalf("%v, %v", endpoint, err)
		}
		for _, path := range []string{"/v1/webhook_endpoints/" + endpoint.ID, "/v1/webhook_endpoints"} {
			if a := b.raw(http.MethodGet, path, ""); strings.Contains(a.text(), "whsec_") {
				t.Errorf("%s shows it: %s", path, a.body)
			}
		}
		if a := b.get("/_sandbox/state"); strings.Contains(a.text(), "whsec_") {
			t.Error("/_sandbox/state shows it")
		}
	})
}

func TestTheStateFile(t *testing.T) {
	t.Parallel()
	stateOf := func(b *bench) string { return b.get("/_sandbox/state").text() }
	// fill makes some of everything that is kept.
	fill := func(t *testing.T, b *bench) (*stripe.CheckoutSession, rawAnswer) {
		t.Helper()
		if _, err := b.api.WebhookEndpoints.New(&stripe.WebhookEndpointParams{URL: stripe.String("http://127.0.0.1:9/"), EnabledEvents: stripe.StringSlice([]string{"*"})}); err != nil {
			t.Fatal(err)
		}
		b.sandboxPost("/_sandbox/dials", map[string]any{"debit_settle_s": 5})
		b.pay(b.session(sessionParams()), "4242424242424242")
		b.pay(b.session(sessionParams()), "4000000000000002")
		kept := b.raw(http.MethodPost, "/v1/customers", "name=Jo", "Idempotency-Key", "k")
		return b.session(sessionParams()), kept
	}
	t.Run("ARestartChangesNothing", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "state")
		b := setupWith(t, path)
		open, kept := fill(t, b)
		before := stateOf(b)
		// Nobody closes the first one: what counts is on disk when the answer comes, as if it had been killed.
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		copied := filepath.Join(t.TempDir(), "copy")
		if err := os.WriteFile(copied, append(text, `{"k":"object","a":"acct`...), 0o600); err != nil {
			t.Fatal(err)
		}
		again := setupWith(t, copied)
		again.clock.Add(b.clock.Now().Sub(again.clock.Now()))
		if diff := cmp.Diff(before, stateOf(again)); diff != "" {
			t.Errorf("the state after a restart (-before +after):\n%s", diff)
		}
		if a := again.raw(http.MethodPost, "/v1/customers", "name=Jo", "Idempotency-Key", "k"); a.text() != kept.text() {
			t.Errorf("the idempotency key is forgotten: %s", a.body)
		}
		if a := again.pay(open, "4242424242424242"); a.status != http.StatusSeeOther {
			t.Errorf("paying the open session answered %d", a.status)
		}
		if s := again.reload(open.ID, "line_items"); s.PaymentStatus != "paid" || s.LineItems.Data[0].Description != "SIM card" {
			t.Errorf("%s, %v", s.PaymentStatus, s.LineItems)
		}
		again.clock.Add(25 * time.Hour)
		expired := &stripe.CheckoutSessionListParams{Status: stripe.String("expired")}
		if !again.api.CheckoutSessions.List(expired).Next() {
			t.Error("sessions no longer expire after a restart")
		}
	})
	t.Run("SavedCardsAndRefundsUnderWaySurviveARestart", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "state")
		b := setupWith(t, path)
		customer := b.customer("source=tok_visa")
		card := b.ids("/v1/customers/" + customer + "/sources")[0]
		intent := b.charge(customer, card, "gbp").field(t, "id")
		refund := b.act("refund", map[string]any{"id": intent, "amount": 100, "status": "pending"}).field(t, "id")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		copied := filepath.Join(t.TempDir(), "copy")
		if err := os.WriteFile(copied, text, 0o600); err != nil {
			t.Fatal(err)
		}
		again := setupWith(t, copied)
		if a := again.raw(http.MethodGet, "/v1/customers/"+customer+"?expand[]=default_source", ""); a.field(t, "default_source", "id") != card || a.field(t, "default_source", "object") != "card" {
			t.Errorf("the default is %s", a.body)
		}
		if a := again.charge(customer, card, "gbp"); a.field(t, "status") != "succeeded" {
			t.Errorf("charged again: %s", a.body)
		}
		if a := again.act("settle_refund", map[string]any{"id": refund}); a.field(t, "status") != "succeeded" {
			t.Errorf("settled: %s", a.body)
		}
	})
	t.Run("WaitingDeliveriesAreSentAfterARestart", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "state")
		b := setupWith(t, path)
		r := b.receiver("customer.created")
		if _, err := b.api.Customers.New(&stripe.CustomerParams{}); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		copied := filepath.Join(t.TempDir(), "copy")
		if err := os.WriteFile(copied, text, 0o600); err != nil {
			t.Fatal(err)
		}
		again := setupWith(t, copied)
		again.clock.Add(time.Second)
		again.run()
		r.wait(1)
	})
	t.Run("TwoSandboxesCannotShareOne", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "state")
		first, err := sandbox.New(sandbox.Options{StateFile: path})
		if err != nil {
			t.Fatal(err)
		}
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sandbox.New(sandbox.Options{StateFile: path}); err == nil || !strings.Contains(err.Error(), "in use by another sandbox") {
			t.Errorf("a second one started: %v", err)
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
			t.Errorf("the refused one changed the file: %v", err)
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		next := setupWith(t, path)
		if _, err := next.api.Customers.New(&stripe.CustomerParams{}); err != nil {
			t.Errorf("the next one: %v", err)
		}
	})
	t.Run("AFileThatIsNoneIsRefused", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "state")
		if err := os.WriteFile(path, []byte("not JSON\nat all\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := sandbox.New(sandbox.Options{StateFile: path})
		if err == nil || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%v", err)
		}
		if text, _ := os.ReadFile(path); string(text) != "not JSON\nat all\n" {
			t.Error("it was overwritten")
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		setupWith(t, path) // the refusal has let go of the lock
	})
}

func TestTheSandboxsOwnPages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.session(sessionParams())
	b.pay(s, "4242424242424242")
	t.Run("TheConsoleShowsWhatHappened", func(t *testing.T) {
		t.Parallel()
		if a := b.get("/"); a.status != http.StatusSeeOther || a.header.Get("Location") != "/_sandbox" {
			t.Errorf("/ answered %d", a.status)
		}
		a := b.get("/_sandbox")
		for _, want := range []string{s.ID, "checkout.session.completed", "£12.50", `name="api_error_rate"`} {
			if !strings.Contains(a.text(), want) {
				t.Errorf("it lacks %s", want)
			}
		}
	})
	t.Run("ThePortalShowsWhatItWasGivenAndEscapesIt", func(t *testing.T) {
		t.Parallel()
		a := b.get("/_portal/success?order=ord_1&x=%3Cscript%3E")
		if a.status != 200 || !strings.Contains(a.text(), "ord_1") || strings.Contains(a.text(), "<script>") || !strings.Contains(a.text(), "&lt;script&gt;") {
			t.Errorf("%d %s", a.status, a.body)
		}
		if a = b.get("/_portal/cancelled"); a.status != 200 || !strings.Contains(a.text(), "Nothing was paid") {
			t.Errorf("%d", a.status)
		}
	})
	t.Run("NoPageLoadsAnythingForeign", func(t *testing.T) {
		t.Parallel()
		for _, path := range []string{"/_sandbox", "/c/pay/" + s.ID, "/c/pay/none", "/_portal/success"} {
			a := b.get(path)
			if policy := a.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(a.text(), "<script") {
				t.Errorf("%s: policy %q", path, policy)
			}
		}
	})
	t.Run("AMerchantsNameIsSetAndEscaped", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.session(sessionParams())
		if a := b.sandboxPost("/_sandbox/actions/rename", map[string]string{"id": sandbox.AccountID(testKey), "name": "Ölmühle <b>"}); a.status != 200 {
			t.Fatalf("%s", a.body)
		}
		if a := b.get("/c/pay/" + s.ID); !strings.Contains(a.text(), "Ölmühle &lt;b&gt;") {
			t.Error("the page does not show it")
		}
	})
	t.Run("ActionsSayWhatIsWrong", func(t *testing.T) {
		t.Parallel()
		for path, want := range map[string]int{"/_sandbox/actions/steal": 404, "/_sandbox/actions/refund": 404, "/_sandbox/actions/expire": 404, "/_sandbox/actions/resend": 404, "/_sandbox/actions/payout": 404, "/_sandbox/actions/dispute": 404, "/_sandbox/actions/settle_debits": 404} {
			if a := b.sandboxPost(path, map[string]string{"id": "none_1"}); a.status != want || a.field(t, "error", "message") == "" {
				t.Errorf("%s: %d %s", path, a.status, a.body)
			}
		}
		if a := b.sandboxPost("/_sandbox/actions/expire", map[string]string{"id": s.ID}); a.status != http.StatusConflict {
			t.Errorf("expiring a paid session answered %d", a.status)
		}
		if a := b.sandboxPost("/_sandbox/actions/expire", map[string]string{"idd": s.ID}); a.status != 400 {
			t.Errorf("an unknown field answered %d", a.status)
		}
	})
}
