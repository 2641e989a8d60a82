package stripegate

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/pay"
)

const (
	aCustomer = "cus_Pq1W2e3R4t5Y6u"
	aCard     = "pm_1Oxy12Kd93kf02Lq"
	// customerObject is expanded into payment methods, where the gate asks for that.
	customerObject = `{"id":"` + aCustomer + `","object":"customer","default_source":"card_1OLD","invoice_settings":{"default_payment_method":"` + aCard + `"}}`
	notFound       = `{"error":{"type":"invalid_request_error","code":"resource_missing","message":"No such thing"}}`
)

// method is a saved visa as Stripe answers it; customer is JSON.
func method(id, customer string, created int) string {
	return fmt.Sprintf(`{"id":%q,"object":"payment_method","type":"card","created":%d,"customer":%s,"livemode":false,"metadata":{"card_info":"Home"},
		"card":{"brand":"visa","last4":"4242","exp_month":12,"exp_year":2030}}`, id, created, customer)
}

func listOf(more bool, objects ...string) string {
	return fmt.Sprintf(`{"object":"list","has_more":%t,"data":[%s]}`, more, strings.Join(objects, ","))
}

// script answers by method and path, 404 where it has nothing.
func script(answers map[string]string) *double {
	return &double{answer: func(r request) (int, string) {
		if text, ok := answers[r.Method+" "+r.Path]; ok {
			if strings.HasPrefix(text, `{"error"`) {
				return 400, text
			}
			return 200, text
		}
		return 404, notFound
	}}
}

func callsOf(d *double) []string {
	var out []string
	for _, r := range d.requests() {
		out = append(out, strings.TrimSpace(r.Method+" "+r.Path+" "+r.IdempotencyKey))
	}
	return out
}

func TestSavedCardsAreListedAsStripeHasThem(t *testing.T) {
	t.Parallel()
	const list = "GET /v1/customers/" + aCustomer + "/payment_methods"
	at := func(unix int64) time.Time { return time.Unix(unix, 0).UTC() }

	t.Run("NewestFirstWithTheDefaultInOneCall", func(t *testing.T) {
		t.Parallel()
		legacy := `{"id":"card_1OLD","object":"payment_method","type":"card","created":1600000000,"customer":` + customerObject + `,"metadata":{},
			"card":{"brand":"mastercard","last4":"4444","exp_month":1,"exp_year":2027}}`
		d := script(map[string]string{list: listOf(false, legacy, method(aCard, customerObject, 1711000000))})
		got, err := gateTo(t, d).Cards(t.Context(), testTenant(), aCustomer)
		if err != nil {
			t.Fatal(err)
		}
		want := []*pay.Card{
			{ID: aCard, Type: "card", Brand: "visa", Last4: "4242", ExpMonth: 12, ExpYear: 2030, IsDefault: true, Label: "Home", CreatedAt: at(1711000000)},
			{ID: "card_1OLD", Type: "card", Brand: "mastercard", Last4: "4444", ExpMonth: 1, ExpYear: 2027, CreatedAt: at(1600000000)},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("cards (-want +got):\n%s", diff)
		}
		if r := d.requests(); len(r) != 1 || r[0].value("type") != "card" || r[0].value("expand[0]") != "data.customer" || r[0].value("limit") != "100" {
			t.Errorf("asked %+v", r)
		}
	})

	t.Run("ALegacyDefaultIsOne", func(t *testing.T) {
		t.Parallel()
		cu := strings.Replace(customerObject, `"`+aCard+`"`, "null", 1)
		d := script(map[string]string{list: listOf(false, method(aCard, cu, 2), method("card_1OLD", cu, 1), method("src_1OLD", cu, 1))})
		got, err := gateTo(t, d).Cards(t.Context(), testTenant(), aCustomer)
		if err != nil || len(got) != 3 || got[0].IsDefault || !got[1].IsDefault || got[2].IsDefault {
			t.Errorf("got %+v, %v", got, err)
		}
	})

	t.Run("ACustomerThatIsNotExpandedIsFetched", func(t *testing.T) {
		t.Parallel()
		d := script(map[string]string{list: listOf(false, method(aCard, `"`+aCustomer+`"`, 2)), "GET /v1/customers/" + aCustomer: customerObject})
		got, err := gateTo(t, d).Cards(t.Context(), testTenant(), aCustomer)
		if err != nil || len(got) != 1 || !got[0].IsDefault || len(d.requests()) != 2 {
			t.Errorf("got %+v, %v", got, err)
		}
	})

	t.Run("AllPagesAreRead", func(t *testing.T) {
		t.Parallel()
		d := &double{answer: func(r request) (int, string) {
			switch r.value("starting_after") {
			case "":
				return 200, listOf(true, method("pm_4", customerObject, 4), method("pm_3", customerObject, 3))
			case "pm_3":
				return 200, listOf(false, method("pm_2", customerObject, 2))
			}
			return 404, notFound
		}}
		got, err := gateTo(t, d).Cards(t.Context(), testTenant(), aCustomer)
		if err != nil || len(got) != 3 || got[2].ID != "pm_2" {
			t.Errorf("got %+v, %v", got, err)
		}
	})

	t.Run("ADeletedCustomerIsNotFound", func(t *testing.T) {
		t.Parallel()
		d := script(map[string]string{list: listOf(false), "GET /v1/customers/" + aCustomer: `{"id":"` + aCustomer + `","object":"customer","deleted":true}`})
		_, err := gateTo(t, d).Cards(t.Context(), testTenant(), aCustomer)
		if f := faultOf(t, err); f.Kind != pay.FaultNotFound || f.Code != "customer_deleted" {
			t.Errorf("got %v", f)
		}
		_, err = gateTo(t, always(404, notFound)).Cards(t.Context(), testTenant(), aCustomer)
		if f := faultOf(t, err); f.Kind != pay.FaultNotFound {
			t.Errorf("got %v", f)
		}
	})

	t.Run("NoCardsAreNone", func(t *testing.T) {
		t.Parallel()
		d := script(map[string]string{list: listOf(false), "GET /v1/customers/" + aCustomer: customerObject})
		if got, err := gateTo(t, d).Cards(t.Context(), testTenant(), aCustomer); err != nil || len(got) != 0 {
			t.Errorf("got %+v, %v", got, err)
		}
	})

	t.Run("BankDebitsAreNamedByTheirLastDigits", func(t *testing.T) {
		t.Parallel()
		for kind, details := range map[string]string{
			"sepa_debit": "sepa debit •••• 3000", "bacs_debit": "bacs debit •••• 3000", "us_bank_account": "us bank account •••• 3000",
			"au_becs_debit": "au becs debit •••• 3000", "acss_debit": "acss debit •••• 3000", "a_new_one": "a new one",
		} {
			text := fmt.Sprintf(`{"id":%q,"object":"payment_method","type":%q,"customer":%q,%q:{"last4":"3000"}}`, aCard, kind, aCustomer, kind)
			got, err := gateTo(t, always(200, text)).Card(t.Context(), testTenant(), aCustomer, aCard)
			if err != nil || got.Type != kind || got.Info() != details {
				t.Errorf("%s gave %+v, %v", kind, got, err)
			}
		}
	})

	t.Run("OneThatIsNotTheCustomersIsNotFound", func(t *testing.T) {
		t.Parallel()
		for _, customer := range []string{`null`, `"cus_other"`, `{"id":"cus_other","object":"customer"}`} {
			_, err := gateTo(t, always(200, method(aCard, customer, 1))).Card(t.Context(), testTenant(), aCustomer, aCard)
			if f := faultOf(t, err); f.Kind != pay.FaultNotFound {
				t.Errorf("%s gave %v", customer, f)
			}
		}
	})
}

func TestATokenBecomesASavedCard(t *testing.T) {
	t.Parallel()
	const (
		create = "POST /v1/payment_methods"
		one    = "POST /v1/payment_methods/" + aCard
		attach = one + "/attach"
		mine   = "GET /v1/customers/" + aCustomer + "/payment_methods/"
	)
	theirs, loose := method(aCard, `"`+aCustomer+`"`, 1), method(aCard, "null", 1)
	save := func(t *testing.T, d http.RoundTripper, token, label string) (*pay.Card, error) {
		return gateTo(t, d).SaveCard(t.Context(), testTenant(), pay.CardToken{Token: token, StripeCustomer: aCustomer, Label: label}, "k")
	}
	refusal := `{"error":{"type":"invalid_request_error","message":"The payment method you provided has already been attached to a customer."}}`

	t.Run("ACardTokenIsMadeAMethodAndAttached", func(t *testing.T) {
		t.Parallel()
		d := script(map[string]string{create: loose, attach: theirs})
		card, err := save(t, d, "tok_1", "Home")
		if err != nil || card.ID != aCard || card.Label != "Home" {
			t.Fatalf("got %+v, %v", card, err)
		}
		if diff := cmp.Diff([]string{create + " k:method", attach + " k:attach:" + aCard}, callsOf(d)); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		r := d.requests()
		if r[0].value("type") != "card" || r[0].value("card[token]") != "tok_1" || r[0].value("metadata[card_info]") != "Home" ||
			r[0].value("metadata[portatill_tenant]") != "ten_01" || r[1].value("customer") != aCustomer {
			t.Errorf("asked %+v", r)
		}
	})

	t.Run("AMethodIsAttachedAndLabelled", func(t *testing.T) {
		t.Parallel()
		d := script(map[string]string{attach: theirs, one: theirs})
		if _, err := save(t, d, aCard, ""); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{attach + " k:attach", one + " k:label"}, callsOf(d)); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		if _, sent := d.requests()[1].Form["metadata[card_info]"]; sent {
			t.Error("without a label the one that a card has would be removed")
		}
	})

	t.Run("OneThatIsTheCustomersCountsAsSaved", func(t *testing.T) {
		t.Parallel()
		d := script(map[string]string{attach: refusal, "GET /v1/payment_methods/" + aCard: theirs, mine + aCard: theirs, one: theirs})
		if card, err := save(t, d, aCard, "Home"); err != nil || card.ID != aCard {
			t.Errorf("got %+v, %v", card, err)
		}
	})

	t.Run("AnotherCustomersIsNotFound", func(t *testing.T) {
		t.Parallel()
		d := script(map[string]string{attach: refusal, "GET /v1/payment_methods/" + aCard: method(aCard, `"cus_other"`, 1)})
		_, err := save(t, d, aCard, "")
		if f := faultOf(t, err); f.Kind != pay.FaultNotFound {
			t.Errorf("got %v", f)
		}
	})

	t.Run("OneThatNobodyCanUseKeepsStripesCode", func(t *testing.T) {
		t.Parallel()
		d := script(map[string]string{attach: `{"error":{"type":"invalid_request_error","code":"payment_method_unexpected_state"}}`, "GET /v1/payment_methods/" + aCard: loose})
		_, err := save(t, d, aCard, "")
		if f := faultOf(t, err); f.Kind != pay.FaultRejected || f.Code != "payment_method_unexpected_state" {
			t.Errorf("got %v", f)
		}
	})

	t.Run("AUsedTokenIsRefusedByItsCode", func(t *testing.T) {
		t.Parallel()
		d := script(map[string]string{create: `{"error":{"type":"invalid_request_error","code":"token_already_used","message":"You cannot use a Stripe token more than once: tok_1."}}`})
		_, err := save(t, d, "tok_1", "")
		if f := faultOf(t, err); f.Kind != pay.FaultRejected || f.Code != "token_already_used" || len(d.requests()) != 1 {
			t.Errorf("got %v after %v", f, callsOf(d))
		}
	})

	t.Run("ABanksNoIsADecline", func(t *testing.T) {
		t.Parallel()
		d := &double{answer: func(r request) (int, string) {
			if strings.HasSuffix(r.Path, "/attach") {
				return 402, `{"error":{"type":"card_error","code":"card_declined","decline_code":"lost_card","message":"Your card was declined."}}`
			}
			return 200, loose
		}}
		_, err := save(t, d, "tok_1", "")
		if f := faultOf(t, err); f.Kind != pay.FaultDeclined || f.DeclineCode != "lost_card" {
			t.Errorf("got %v", f)
		}
	})

	t.Run("ASourceIsSavedTheOldWay", func(t *testing.T) {
		t.Parallel()
		const sources = "POST /v1/customers/" + aCustomer + "/sources"
		legacy := method("src_1", customerObject, 1)
		d := script(map[string]string{sources: `{"id":"src_1","object":"source"}`, mine + "src_1": legacy, "POST /v1/payment_methods/src_1": legacy})
		card, err := save(t, d, "src_1", "Home")
		if err != nil || card.ID != "src_1" {
			t.Fatalf("got %+v, %v", card, err)
		}
		want := []string{sources + " k:attach", mine + "src_1", "POST /v1/payment_methods/src_1 k:label"}
		if diff := cmp.Diff(want, callsOf(d)); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		if got := d.requests()[0].value("source"); got != "src_1" {
			t.Errorf("the source sent is %q", got)
		}

		d = script(map[string]string{sources: refusal, mine + "src_1": legacy, "POST /v1/payment_methods/src_1": legacy})
		if card, err := save(t, d, "src_1", ""); err != nil || card.ID != "src_1" {
			t.Errorf("one that is saved already gave %+v, %v", card, err)
		}
		d = script(map[string]string{sources: `{"error":{"type":"invalid_request_error","code":"source_used_up"}}`})
		_, err = save(t, d, "src_1", "")
		if f := faultOf(t, err); f.Kind != pay.FaultRejected || f.Code != "source_used_up" {
			t.Errorf("one that is used up gave %v", f)
		}
	})
}

func TestALabelIsWrittenAndRemoved(t *testing.T) {
	t.Parallel()
	for _, label := range []string{"Home", ""} {
		d := always(200, method(aCard, customerObject, 1))
		if err := gateTo(t, d).LabelCard(t.Context(), testTenant(), aCard, label, "k"); err != nil {
			t.Fatal(err)
		}
		r := d.requests()[0]
		if got, sent := r.Form["metadata[card_info]"]; !sent || got[0] != label || r.Path != "/v1/payment_methods/"+aCard || r.IdempotencyKey != "k" {
			t.Errorf("label %q was sent as %v to %s", label, got, r.Path)
		}
	}
}

func TestOnlyTheCustomersOwnCardIsDeleted(t *testing.T) {
	t.Parallel()
	const (
		mine   = "GET /v1/customers/" + aCustomer + "/payment_methods/" + aCard
		detach = "POST /v1/payment_methods/" + aCard + "/detach"
	)
	theirs, loose := method(aCard, customerObject, 1), method(aCard, "null", 1)
	remove := func(t *testing.T, d http.RoundTripper) error {
		return gateTo(t, d).DeleteCard(t.Context(), testTenant(), aCustomer, aCard, "k")
	}

	t.Run("ItIsLookedAtFirst", func(t *testing.T) {
		t.Parallel()
		d := script(map[string]string{mine: theirs, detach: loose})
		if err := remove(t, d); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{mine, detach + " k"}, callsOf(d)); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
	})

	t.Run("NobodysIsNotFoundAndNotTouched", func(t *testing.T) {
		t.Parallel()
		d := script(map[string]string{detach: loose})
		if f := faultOf(t, remove(t, d)); f.Kind != pay.FaultNotFound || len(d.requests()) != 1 {
			t.Errorf("got %v after %v", f, callsOf(d))
		}
	})

	t.Run("OneThatWentMeanwhileIsNotFound", func(t *testing.T) {
		t.Parallel()
		looks := 0
		d := &double{}
		d.answer = func(r request) (int, string) {
			if r.Method == http.MethodPost {
				return 400, `{"error":{"type":"invalid_request_error","code":"payment_method_not_attached"}}`
			}
			if looks++; looks == 1 {
				return 200, theirs
			}
			return 404, notFound
		}
		if f := faultOf(t, remove(t, d)); f.Kind != pay.FaultNotFound {
			t.Errorf("got %v", f)
		}
	})

	t.Run("ARefusalIsStripes", func(t *testing.T) {
		t.Parallel()
		d := script(map[string]string{mine: theirs, detach: `{"error":{"type":"invalid_request_error","code":"not_allowed"}}`})
		if f := faultOf(t, remove(t, d)); f.Kind != pay.FaultRejected || f.Code != "not_allowed" {
			t.Errorf("got %v", f)
		}
	})

	t.Run("AnAnswerThatKeepsItsCustomerIsNoDeletion", func(t *testing.T) {
		t.Parallel()
		d := script(map[string]string{mine: theirs, detach: theirs})
		if f := faultOf(t, remove(t, d)); f.Kind != pay.FaultUnavailable {
			t.Errorf("got %v", f)
		}
	})
}
