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

func TestAFailureThatStripeKeepsAboutMoneyOrACardIsLookedInto(t *testing.T) {
	t.Parallel()
	ctx, tenant := t.Context(), testTenant()
	server := func(answers map[string]string, keptKeys ...string) keptServer {
		k := keptServer{double: script(answers), kept: map[string]bool{}}
		for _, key := range keptKeys {
			k.kept[key] = true
		}
		return k
	}
	calls := func(t *testing.T, k keptServer, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, k.calls()); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
	}
	const (
		intents = "/v1/payment_intents"
		refunds = "/v1/refunds"
		mine    = "GET /v1/customers/" + aCustomer + "/payment_methods/" + aCard
		attach  = "POST /v1/payment_methods/" + aCard + "/attach"
		detach  = "POST /v1/payment_methods/" + aCard + "/detach"
		one     = "POST /v1/payment_methods/" + aCard
	)
	paid, theirs, loose := part(t, "payment_intent"), method(aCard, customerObject, 1), method(aCard, "null", 1)

	t.Run("TheChargeItMadeIsFound", func(t *testing.T) {
		t.Parallel()
		k := server(map[string]string{"GET " + intents: listOf(true, paid), "GET " + oneIntent: paid}, "k")
		i, err := gateTo(t, k).ChargeCard(ctx, tenant, chargeInput(t), "k")
		if err != nil || i.ID != paidIntent || i.Charge == nil {
			t.Fatalf("got %+v, %v", i, err)
		}
		calls(t, k, "POST "+intents+" k", "GET "+intents, "GET "+oneIntent)
		if r := k.requests()[1]; r.value("customer") != aCustomer || r.value("created[gte]") != "1710913600" {
			t.Errorf("looked with %v", r.Form)
		}
	})

	t.Run("OneFoundOfAnotherAmountIsCancelled", func(t *testing.T) {
		t.Parallel()
		wrong := edit(t, declinedIntent(t, "x"), func(o map[string]any) { o["amount"] = 1 })
		gone := edit(t, wrong, func(o map[string]any) { o["status"] = "canceled" })
		k := server(map[string]string{"GET " + intents: listOf(false, wrong), "GET " + oneIntent: wrong, "POST " + oneIntent + "/cancel": gone}, "k")
		_, err := gateTo(t, k).ChargeCard(ctx, tenant, chargeInput(t), "k")
		if f := faultOf(t, err); f.Code != "intent_disagrees" {
			t.Errorf("got %v after %v", f, k.calls())
		}
	})

	t.Run("OnlyWhereSurelyNoneWasMadeOneIsMadeAgain", func(t *testing.T) {
		t.Parallel()
		other := edit(t, paid, func(o map[string]any) { in(o, "metadata")[pay.MetaAttempt] = "att_00" })
		k := server(map[string]string{"GET " + intents: listOf(false, other), "POST " + intents: paid}, "k")
		if i, err := gateTo(t, k).ChargeCard(ctx, tenant, chargeInput(t), "k"); err != nil || i.ID != paidIntent {
			t.Errorf("got %+v, %v", i, err)
		}
		calls(t, k, "POST "+intents+" k", "GET "+intents, "POST "+intents+" k:again")

		for _, list := range []string{listOf(true, other), listOf(false, "null"), "{}", `{"object":"list","data":null}`} {
			k = server(map[string]string{"GET " + intents: list, "POST " + intents: paid}, "k")
			_, err := gateTo(t, k).ChargeCard(ctx, tenant, chargeInput(t), "k")
			if f := faultOf(t, err); f.Kind != pay.FaultUnavailable || len(k.calls()) != 2 {
				t.Errorf("%s gave %v after %v", list, f, k.calls())
			}
		}
	})

	t.Run("ARefusedLookUpLeavesItOpen", func(t *testing.T) {
		t.Parallel()
		for _, status := range []int{400, 401, 404} {
			k := server(nil, "k")
			k.answer = func(request) (int, string) { return status, notFound }
			g := gateTo(t, k)
			_, e1 := g.ChargeCard(ctx, tenant, chargeInput(t), "k")
			_, e2 := g.CreateRefund(ctx, tenant, refundInput(), "k")
			_, e3 := g.CancelIntent(ctx, tenant, paidIntent, "k")
			for i, err := range []error{e1, e2, e3} {
				if f := faultOf(t, err); f.Kind != pay.FaultUnavailable || f.Code != pay.FaultCodeKept {
					t.Errorf("call %d with %d for its look-up gave %v", i, status, f)
				}
			}
			calls(t, k, "POST "+intents+" k", "GET "+intents, "POST "+refunds+" k", "GET "+refunds, "POST "+oneIntent+"/cancel k", "GET "+oneIntent)
		}
	})

	t.Run("WhenThatIsKeptTooItIsAFault", func(t *testing.T) {
		t.Parallel()
		k := server(map[string]string{"GET " + intents: listOf(false)}, "k", "k:again")
		_, err := gateTo(t, k).ChargeCard(ctx, tenant, chargeInput(t), "k")
		if f := faultOf(t, err); f.Kind != pay.FaultUnavailable || f.Code != pay.FaultCodeKept {
			t.Errorf("got %v", f)
		}
	})

	t.Run("CancellingLooksWhetherItIsCancelled", func(t *testing.T) {
		t.Parallel()
		open := declinedIntent(t, "x")
		gone := edit(t, open, func(o map[string]any) { o["status"] = "canceled" })
		k := server(map[string]string{"GET " + oneIntent: gone}, "k")
		if i, err := gateTo(t, k).CancelIntent(ctx, tenant, paidIntent, "k"); err != nil || i.Status != "canceled" {
			t.Errorf("got %+v, %v", i, err)
		}
		k = server(map[string]string{"GET " + oneIntent: open, "POST " + oneIntent + "/cancel": gone}, "k")
		if i, err := gateTo(t, k).CancelIntent(ctx, tenant, paidIntent, "k"); err != nil || i.Status != "canceled" {
			t.Errorf("got %+v, %v", i, err)
		}
		calls(t, k, "POST "+oneIntent+"/cancel k", "GET "+oneIntent, "POST "+oneIntent+"/cancel k:again")
	})

	t.Run("TheRefundItMadeIsFoundOnWhateverPage", func(t *testing.T) {
		t.Parallel()
		k := server(nil, "k")
		k.answer = func(r request) (int, string) {
			switch {
			case r.Method != http.MethodGet || r.value("payment_intent") != paidIntent:
				return 404, notFound
			case r.value("starting_after") == "":
				return 200, listOf(true, refundObject("re_2", "rfr_02", ""))
			}
			return 200, listOf(false, refundObject("re_1", "rfr_01", ""))
		}
		if r, err := gateTo(t, k).CreateRefund(ctx, tenant, refundInput(), "k"); err != nil || r.ID != "re_1" || r.Request != "rfr_01" {
			t.Errorf("got %+v, %v", r, err)
		}
		calls(t, k, "POST "+refunds+" k", "GET "+refunds, "GET "+refunds)
	})

	t.Run("WhereNoRefundWasMadeOneIs", func(t *testing.T) {
		t.Parallel()
		k := server(map[string]string{"GET " + refunds: listOf(false, refundObject("re_2", "rfr_02", "")), "POST " + refunds: refundObject("re_1", "rfr_01", "")}, "k")
		if r, err := gateTo(t, k).CreateRefund(ctx, tenant, refundInput(), "k"); err != nil || r.ID != "re_1" {
			t.Errorf("got %+v, %v", r, err)
		}
		calls(t, k, "POST "+refunds+" k", "GET "+refunds, "POST "+refunds+" k:again")
		for _, list := range []string{"{}", listOf(false, "null")} {
			k = server(map[string]string{"GET " + refunds: list, "POST " + refunds: refundObject("re_1", "rfr_01", "")}, "k")
			_, err := gateTo(t, k).CreateRefund(ctx, tenant, refundInput(), "k")
			if f := faultOf(t, err); f.Kind != pay.FaultUnavailable || len(k.calls()) != 2 {
				t.Errorf("%s gave %v after %v", list, f, k.calls())
			}
		}
	})

	save := func(t *testing.T, k keptServer, token string) (*pay.Card, error) {
		return gateTo(t, k).SaveCard(ctx, tenant, pay.CardToken{Token: token, StripeCustomer: aCustomer}, "k")
	}
	t.Run("ACardThatWasAttachedIsFound", func(t *testing.T) {
		t.Parallel()
		k := server(map[string]string{"POST /v1/payment_methods": loose, "GET /v1/payment_methods/" + aCard: theirs, mine: theirs}, "k:attach:"+aCard)
		if card, err := save(t, k, "tok_1"); err != nil || card.ID != aCard {
			t.Errorf("got %+v, %v", card, err)
		}
		calls(t, k, "POST /v1/payment_methods k:method", attach+" k:attach:"+aCard, "GET /v1/payment_methods/"+aCard, mine)
	})

	t.Run("OneThatWasNotIsAttachedUnderADerivedKey", func(t *testing.T) {
		t.Parallel()
		k := server(map[string]string{"POST /v1/payment_methods": loose, "GET /v1/payment_methods/" + aCard: loose, attach: theirs}, "k:method", "k:attach:"+aCard)
		if card, err := save(t, k, "tok_1"); err != nil || card.ID != aCard {
			t.Errorf("got %+v, %v", card, err)
		}
		calls(t, k, "POST /v1/payment_methods k:method", "POST /v1/payment_methods k:method:again", attach+" k:attach:"+aCard, "GET /v1/payment_methods/"+aCard, attach+" k:attach:"+aCard+":again")
	})

	t.Run("ASourceLikewise", func(t *testing.T) {
		t.Parallel()
		const sources, view = "POST /v1/customers/" + aCustomer + "/sources", "GET /v1/customers/" + aCustomer + "/payment_methods/src_1"
		legacy := method("src_1", customerObject, 1)
		k := server(map[string]string{view: legacy, "POST /v1/payment_methods/src_1": legacy}, "k:attach")
		if card, err := save(t, k, "src_1"); err != nil || card.ID != "src_1" {
			t.Errorf("got %+v, %v", card, err)
		}
		calls(t, k, sources+" k:attach", view, "POST /v1/payment_methods/src_1 k:label")

		k = server(map[string]string{sources: `{"id":"src_1","object":"source"}`, "POST /v1/payment_methods/src_1": legacy}, "k:attach")
		views := 0
		answer := k.answer
		k.answer = func(r request) (int, string) {
			if r.Method+" "+r.Path == view {
				if views++; views > 1 {
					return 200, legacy
				}
			}
			return answer(r)
		}
		if card, err := save(t, k, "src_1"); err != nil || card.ID != "src_1" {
			t.Errorf("got %+v, %v", card, err)
		}
		calls(t, k, sources+" k:attach", view, sources+" k:attach:again", view, "POST /v1/payment_methods/src_1 k:label")
	})

	t.Run("ALabelIsWrittenAgain", func(t *testing.T) {
		t.Parallel()
		k := server(map[string]string{one: theirs}, "k")
		if err := gateTo(t, k).LabelCard(ctx, tenant, aCard, "Home", "k"); err != nil {
			t.Error(err)
		}
		calls(t, k, one+" k", one+" k:again")
	})

	t.Run("ADeletionLooksWhetherItIsDone", func(t *testing.T) {
		t.Parallel()
		looks := 0
		k := server(nil, "k")
		k.answer = func(request) (int, string) {
			if looks++; looks == 1 {
				return 200, theirs
			}
			return 404, notFound
		}
		if err := gateTo(t, k).DeleteCard(ctx, tenant, aCustomer, aCard, "k"); err != nil {
			t.Errorf("got %v after %v", err, k.calls())
		}
		k = server(map[string]string{mine: theirs, detach: loose}, "k")
		if err := gateTo(t, k).DeleteCard(ctx, tenant, aCustomer, aCard, "k"); err != nil {
			t.Errorf("got %v after %v", err, k.calls())
		}
		calls(t, k, mine, detach+" k", mine, detach+" k:again")
	})
}
