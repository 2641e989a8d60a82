package stripegate

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/pay"
)

// keptServer answers every write under a key of keptKeys with a 500 that it keeps, as Stripe does, and everything else as
// the test says; it returns the list of writes and look-ups.
type keptServer struct {
	*double
	kept map[string]bool
}

func (k keptServer) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := k.double.RoundTrip(r)
	if err == nil && r.Method == http.MethodPost && k.kept[r.Header.Get("Idempotency-Key")] {
		res.StatusCode, res.Body = 500, io.NopCloser(strings.NewReader(`{"error":{"type":"api_error","message":"sorry"}}`))
		res.Header.Set("Idempotent-Replayed", "true")
	}
	return res, err
}

func (k keptServer) calls() []string {
	var out []string
	for _, r := range k.requests() {
		out = append(out, strings.TrimSpace(r.Method+" "+r.Path+" "+r.IdempotencyKey))
	}
	return out
}

func TestAFailureThatStripeKeepsUnderTheKeyIsNotTheEnd(t *testing.T) {
	t.Parallel()
	const sessions = "/v1/checkout/sessions"
	list := func(objects ...string) string {
		return `{"object":"list","has_more":false,"data":[` + strings.Join(objects, ",") + `]}`
	}
	server := func(listed string, one string, keptKeys ...string) keptServer {
		k := keptServer{double: &double{}, kept: map[string]bool{}}
		for _, key := range keptKeys {
			k.kept[key] = true
		}
		k.answer = func(r request) (int, string) {
			if r.Method == http.MethodGet && (r.Path == sessions || r.Path == "/v1/customers") {
				return 200, listed
			}
			return 200, one
		}
		return k
	}
	otherAttempt := openSession(t, func(o map[string]any) {
		o["id"] = "cs_test_other"
		in(o, "metadata")[pay.MetaAttempt] = "att_00"
	})

	t.Run("TheSessionItMadeIsFound", func(t *testing.T) {
		t.Parallel()
		k := server(list(otherAttempt, openSession(t, nil)), openSession(t, nil), "key")
		s, err := gateTo(t, k).CreateSession(t.Context(), testTenant(), paymentInput(t), "key")
		if err != nil || s.ID != paidSession {
			t.Fatalf("got %+v, %v", s, err)
		}
		want := []string{"POST " + sessions + " key", "GET " + sessions, "GET " + sessions + "/" + paidSession}
		if diff := cmp.Diff(want, k.calls()); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		if got := k.requests()[1].value("customer"); got != "cus_Pq1W2e3R4t5Y6u" {
			t.Errorf("looked among the sessions of %q", got)
		}
	})

	t.Run("OneFoundOfAnotherSumIsEnded", func(t *testing.T) {
		t.Parallel()
		wrong := openSession(t, func(o map[string]any) { o["amount_total"] = 1 })
		k := server(list(wrong), wrong, "key")
		s, err := gateTo(t, k).CreateSession(t.Context(), testTenant(), paymentInput(t), "key")
		if f := faultOf(t, err); s != nil || f.Code != "session_disagrees" || k.calls()[3] != "POST "+sessions+"/"+paidSession+"/expire key:withdraw" {
			t.Errorf("got %v after %v", f, k.calls())
		}
	})

	t.Run("WhereNoneWasMadeOneIsUnderADerivedKey", func(t *testing.T) {
		t.Parallel()
		k := server(list(otherAttempt), openSession(t, nil), "key")
		s, err := gateTo(t, k).CreateSession(t.Context(), testTenant(), paymentInput(t), "key")
		if err != nil || s.ID != paidSession {
			t.Fatalf("got %+v, %v", s, err)
		}
		want := []string{"POST " + sessions + " key", "GET " + sessions, "POST " + sessions + " key:again"}
		if diff := cmp.Diff(want, k.calls()); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
	})

	t.Run("WhenThatIsKeptTooItIsAFault", func(t *testing.T) {
		t.Parallel()
		k := server(list(), openSession(t, nil), "key", "key:again")
		_, err := gateTo(t, k).CreateSession(t.Context(), testTenant(), paymentInput(t), "key")
		if f := faultOf(t, err); f.Kind != pay.FaultUnavailable || f.Code != "answer_kept" {
			t.Errorf("got %v", f)
		}
	})

	t.Run("ABrokenListDecidesNothing", func(t *testing.T) {
		t.Parallel()
		for _, broken := range []string{"{}", list("null"), `{"object":"list","data":null}`} {
			k := server(broken, openSession(t, nil), "key")
			_, err := gateTo(t, k).CreateSession(t.Context(), testTenant(), paymentInput(t), "key")
			if f := faultOf(t, err); f.Kind != pay.FaultUnavailable || len(k.calls()) != 2 {
				t.Errorf("%s gave %v after %v", broken, f, k.calls())
			}
		}
	})

	t.Run("TheCustomerItMadeIsFound", func(t *testing.T) {
		t.Parallel()
		customer := func(id, of string) string {
			return `{"id":"` + id + `","object":"customer","livemode":false,"metadata":{"portatill_customer":"` + of + `","portatill_tenant":"ten_01"}}`
		}
		k := server(list(customer("cus_A", "cus-00"), customer("cus_B", "cus-01")), customer("cus_C", "cus-01"), "key")
		if id, err := gateTo(t, k).CreateCustomer(t.Context(), testTenant(), testCustomer(), "key"); id != "cus_B" || err != nil {
			t.Errorf("got %q, %v after %v", id, err, k.calls())
		}
		k = server(list(customer("cus_A", "cus-00")), customer("cus_C", "cus-01"), "key")
		if id, err := gateTo(t, k).CreateCustomer(t.Context(), testTenant(), testCustomer(), "key"); id != "cus_C" || err != nil || k.calls()[2] != "POST /v1/customers key:again" {
			t.Errorf("got %q, %v after %v", id, err, k.calls())
		}
	})

	t.Run("EndingASessionLooksWhetherItEnded", func(t *testing.T) {
		t.Parallel()
		expired := openSession(t, func(o map[string]any) { o["status"], o["url"] = "expired", nil })
		k := server("", expired, "key")
		if s, err := gateTo(t, k).ExpireSession(t.Context(), testTenant(), paidSession, "key"); err != nil || s.Status != "expired" || len(k.calls()) != 2 {
			t.Errorf("got %+v, %v after %v", s, err, k.calls())
		}
		k = server("", openSession(t, nil), "key")
		if _, err := gateTo(t, k).ExpireSession(t.Context(), testTenant(), paidSession, "key"); err != nil || k.calls()[2] != "POST "+sessions+"/"+paidSession+"/expire key:again" {
			t.Errorf("got %v after %v", err, k.calls())
		}
	})
}
