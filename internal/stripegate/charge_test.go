package stripegate

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/pay"
)

func chargeInput(t testing.TB) pay.ChargeInput {
	t.Helper()
	in := paymentInput(t)
	return pay.ChargeInput{
		Order: in.Order, StripeCustomer: aCustomer, MethodType: "card", ReceiptEmail: "canary.person@mail.example", Metadata: in.Metadata,
		Attempt: &pay.Attempt{ID: "att_01", CardID: aCard, Amount: in.Order.Cart.Total(), CreatedAt: time.Unix(1711000000, 0).UTC()},
	}
}

// declinedIntent is the intent of a decline as Stripe keeps it: no money, and the reason.
func declinedIntent(t testing.TB, code string) string {
	return edit(t, part(t, "payment_intent"), func(o map[string]any) {
		o["status"], o["amount_received"], o["latest_charge"] = "requires_payment_method", 0, nil
		o["last_payment_error"] = map[string]any{"type": "card_error", "code": "card_declined", "decline_code": code}
	})
}

const oneIntent = "/v1/payment_intents/" + paidIntent

func TestASavedCardIsCharged(t *testing.T) {
	t.Parallel()
	charge := func(t *testing.T, d http.RoundTripper) (*pay.StripeIntent, error) {
		return gateTo(t, d).ChargeCard(t.Context(), testTenant(), chargeInput(t), "k")
	}
	declined := func(intent string) string {
		return `{"error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds","message":"Canary","payment_intent":` + intent + `}}`
	}

	t.Run("InOneCallWithAllItsFacts", func(t *testing.T) {
		t.Parallel()
		d := always(200, part(t, "payment_intent"))
		i, err := charge(t, d)
		if err != nil || i.ID != paidIntent || !i.Charge.Paid || i.Charge.Balance == nil {
			t.Fatalf("got %+v, %v", i, err)
		}
		r := d.requests()
		if len(r) != 1 || r[0].Method+" "+r[0].Path+" "+r[0].IdempotencyKey != "POST /v1/payment_intents k" {
			t.Fatalf("calls %v", callsOf(d))
		}
		for name, want := range map[string]string{
			"amount": "1440", "currency": "gbp", "customer": aCustomer, "payment_method": aCard, "payment_method_types[0]": "card", "off_session": "true",
			"confirm": "true", "description": "Fibre 500 and 1 more (ord_01)", "receipt_email": "canary.person@mail.example",
			"metadata[portatill_order]": "ord_01", "metadata[portatill_attempt]": "att_01", "metadata[portatill_tenant]": "ten_01",
			"expand[0]": intentExpansions[0], "expand[1]": intentExpansions[1],
		} {
			if got := r[0].value(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
	})

	t.Run("ABanksNoIsTheIntentAndNoError", func(t *testing.T) {
		t.Parallel()
		for _, code := range []string{"insufficient_funds", "authentication_required"} {
			d := &double{answer: func(r request) (int, string) {
				if r.Method == http.MethodPost {
					return 402, declined(`{"id":"` + paidIntent + `","object":"payment_intent","latest_charge":"ch_1"}`)
				}
				return 200, declinedIntent(t, code)
			}}
			i, err := charge(t, d)
			if err != nil || i.Status != "requires_payment_method" || i.Failure != code || i.Charge != nil {
				t.Errorf("got %+v, %v", i, err)
			}
			if diff := cmp.Diff([]string{"POST /v1/payment_intents k", "GET " + oneIntent}, callsOf(d)); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		}
	})

	t.Run("ANoWithoutAnIntentIsADecline", func(t *testing.T) {
		t.Parallel()
		for _, intent := range []string{"null", "{}", `{"id":"x"}`, `{"id":"../x","object":"payment_intent"}`} {
			d := always(402, declined(intent))
			_, err := charge(t, d)
			if f := faultOf(t, err); f.Kind != pay.FaultDeclined || f.DeclineCode != "insufficient_funds" || f.IntentID != "" || len(d.requests()) != 1 {
				t.Errorf("%s gave %v after %v", intent, f, callsOf(d))
			}
		}
	})

	t.Run("AnIntentThatCannotBeFetchedDecidesNothing", func(t *testing.T) {
		t.Parallel()
		d := &double{answer: func(r request) (int, string) {
			if r.Method == http.MethodPost {
				return 402, declined(`{"id":"` + paidIntent + `","object":"payment_intent"}`)
			}
			return 503, `{"error":{"type":"api_error"}}`
		}}
		_, err := charge(t, d)
		if f := faultOf(t, err); f.Kind != pay.FaultUnavailable {
			t.Errorf("got %v", f)
		}
	})

	t.Run("AnIntentThatStripeDoesNotShowIsNoRefusal", func(t *testing.T) {
		t.Parallel()
		unexpanded := edit(t, part(t, "payment_intent"), func(o map[string]any) { o["latest_charge"] = paidCharge })
		for name, post := range map[string]string{"declined": declined(`{"id":"` + paidIntent + `","object":"payment_intent"}`), "paid": unexpanded} {
			for status, why := range map[int]string{404: "resource_missing", 403: "more_permissions_required", 400: "new_code"} {
				d := &double{answer: func(r request) (int, string) {
					switch {
					case r.Method == http.MethodPost && name == "declined":
						return 402, post
					case r.Method == http.MethodPost:
						return 200, post
					}
					return status, `{"error":{"type":"invalid_request_error","code":"` + why + `"}}`
				}}
				_, err := charge(t, d)
				if f := faultOf(t, err); f.Kind != pay.FaultUnavailable || f.IntentID != paidIntent {
					t.Errorf("%s and %d gave %v", name, status, f)
				}
			}
		}
	})

	t.Run("AnIntentInAnotherErrorIsNamed", func(t *testing.T) {
		t.Parallel()
		_, err := charge(t, always(400, `{"error":{"type":"invalid_request_error","code":"payment_intent_unexpected_state","message":"Canary","payment_intent":{"id":"pi_7","object":"payment_intent"}}}`))
		f := faultOf(t, err)
		if f.Kind != pay.FaultRejected || f.IntentID != "pi_7" {
			t.Errorf("got %v with intent %q", f, f.IntentID)
		}
		if strings.Contains(everyWord(err), "Canary") {
			t.Errorf("Stripe's words are in %v", err)
		}
	})
}

func TestAnIntentThatIsNotWhatWasAskedForIsNeverGivenOut(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(o map[string]any){
		"AnotherAmount":   func(o map[string]any) { o["amount"] = 1 },
		"AnotherCurrency": func(o map[string]any) { o["currency"] = "usd" },
		"TheOtherMode":    func(o map[string]any) { o["livemode"] = true },
		"AnotherOrder":    func(o map[string]any) { in(o, "metadata")[pay.MetaOrder] = "ord_99" },
		"AnotherAttempt":  func(o map[string]any) { in(o, "metadata")[pay.MetaAttempt] = "att_99" },
		"AnotherTenant":   func(o map[string]any) { delete(in(o, "metadata"), pay.MetaTenant) },
		"NoMarks":         func(o map[string]any) { o["metadata"] = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wrong := edit(t, declinedIntent(t, "x"), change)
			cancelled := edit(t, wrong, func(o map[string]any) { o["status"] = "canceled" })
			d := script(map[string]string{"POST /v1/payment_intents": wrong, "POST " + oneIntent + "/cancel": cancelled})
			i, err := gateTo(t, d).ChargeCard(t.Context(), testTenant(), chargeInput(t), "k")
			if f := faultOf(t, err); i != nil || f.Kind != pay.FaultRejected || f.Code != "intent_disagrees" || f.IntentID != paidIntent || !strings.Contains(f.Message, "was cancelled") {
				t.Errorf("got %+v, %+v", i, f)
			}
			if diff := cmp.Diff([]string{"POST /v1/payment_intents k", "POST " + oneIntent + "/cancel k:withdraw"}, callsOf(d)); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}

	refusal := `{"error":{"type":"invalid_request_error","code":"payment_intent_unexpected_state"}}`
	t.Run("OneThatTookMoneyIsSaidSo", func(t *testing.T) {
		t.Parallel()
		wrong := edit(t, part(t, "payment_intent"), func(o map[string]any) { o["amount"] = 1 })
		d := script(map[string]string{"POST /v1/payment_intents": wrong, "POST " + oneIntent + "/cancel": refusal, "GET " + oneIntent: wrong})
		_, err := gateTo(t, d).ChargeCard(t.Context(), testTenant(), chargeInput(t), "k")
		if f := faultOf(t, err); f.Code != "intent_disagrees" || f.IntentID != paidIntent || !strings.Contains(f.Message, "has taken money") {
			t.Errorf("got %+v", f)
		}
	})

	t.Run("OneThatCannotBeCancelledIsSaidSo", func(t *testing.T) {
		t.Parallel()
		wrong := edit(t, part(t, "payment_intent"), func(o map[string]any) { o["amount"], o["status"] = 1, "processing" })
		d := script(map[string]string{"POST /v1/payment_intents": wrong, "POST " + oneIntent + "/cancel": refusal, "GET " + oneIntent: wrong})
		_, err := gateTo(t, d).ChargeCard(t.Context(), testTenant(), chargeInput(t), "k")
		if f := faultOf(t, err); f.Code != "intent_disagrees" || f.Err == nil || !strings.Contains(f.Message, "could not be cancelled") {
			t.Errorf("got %+v", f)
		}
	})

	t.Run("ItIsCancelledThoughTheCallerLeft", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		wrong := edit(t, declinedIntent(t, "x"), func(o map[string]any) { o["amount"] = 1 })
		d := &double{}
		d.answer = func(r request) (int, string) {
			cancel()
			if strings.HasSuffix(r.Path, "/cancel") {
				return 200, edit(t, wrong, func(o map[string]any) { o["status"] = "canceled" })
			}
			return 200, wrong
		}
		_, err := gateTo(t, d).ChargeCard(ctx, testTenant(), chargeInput(t), strings.Repeat("k", maxKeyLength))
		if f := faultOf(t, err); f.Code != "intent_disagrees" || len(d.requests()) != 2 {
			t.Errorf("got %v after %d calls", f, len(d.requests()))
		}
	})
}

func TestWhatCouldNotBeFoundAgainIsNotCharged(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(in *pay.ChargeInput){
		"NoOrder":          func(in *pay.ChargeInput) { in.Order = nil },
		"NoAttempt":        func(in *pay.ChargeInput) { in.Attempt = nil },
		"AnUnnamedAttempt": func(in *pay.ChargeInput) { in.Attempt.ID = "" },
		"NoAmount":         func(in *pay.ChargeInput) { in.Attempt.Amount.Minor = 0 },
		"ANegativeAmount":  func(in *pay.ChargeInput) { in.Attempt.Amount.Minor = -1 },
		"NoCurrency":       func(in *pay.ChargeInput) { in.Attempt.Amount.Currency = "" },
		"NoMethodType":     func(in *pay.ChargeInput) { in.MethodType = "" },
		"NoCard":           func(in *pay.ChargeInput) { in.Attempt.CardID = "" },
		"ATokenAsACard":    func(in *pay.ChargeInput) { in.Attempt.CardID = "tok_visa" },
		"NoCustomer":       func(in *pay.ChargeInput) { in.StripeCustomer = "" },
		"NoMarks":          func(in *pay.ChargeInput) { in.Metadata = nil },
		"AnotherOrdersMark": func(in *pay.ChargeInput) {
			in.Metadata = map[string]string{pay.MetaOrder: "ord_99", pay.MetaAttempt: "att_01", pay.MetaTenant: "ten_01"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, in := always(200, part(t, "payment_intent")), chargeInput(t)
			change(&in)
			_, err := gateTo(t, d).ChargeCard(t.Context(), testTenant(), in, "k")
			if f := faultOf(t, err); (f.Kind != pay.FaultRejected && f.Kind != pay.FaultNotFound) || len(d.requests()) != 0 {
				t.Errorf("got %v after %d calls", f, len(d.requests()))
			}
		})
	}
}

func TestAnIntentIsCancelledOrReturnedAsItIs(t *testing.T) {
	t.Parallel()
	const refusal = `{"error":{"type":"invalid_request_error","code":"payment_intent_unexpected_state"}}`
	for status, ends := range map[string]bool{"succeeded": true, "canceled": true, "processing": false, "requires_payment_method": false} {
		is := edit(t, part(t, "payment_intent"), func(o map[string]any) { o["status"] = status })
		d := script(map[string]string{"POST " + oneIntent + "/cancel": refusal, "GET " + oneIntent: is})
		i, err := gateTo(t, d).CancelIntent(t.Context(), testTenant(), paidIntent, "k")
		if ends != (err == nil) || ends && (i.Status != status || i.Charge == nil) {
			t.Errorf("%s gave %+v, %v", status, i, err)
		}
		if err != nil && faultOf(t, err).Kind != pay.FaultRejected {
			t.Errorf("%s gave %v", status, err)
		}
	}
	d := script(map[string]string{"POST " + oneIntent + "/cancel": edit(t, declinedIntent(t, "x"), func(o map[string]any) { o["status"] = "canceled" })})
	if i, err := gateTo(t, d).CancelIntent(t.Context(), testTenant(), paidIntent, "k"); err != nil || i.Status != "canceled" || len(d.requests()) != 1 {
		t.Errorf("got %+v, %v after %v", i, err, callsOf(d))
	}
}

func TestAnAttemptsIntentIsFoundByOurMark(t *testing.T) {
	t.Parallel()
	intent := func(id, attempt, tenant string) string {
		return fmt.Sprintf(`{"id":%q,"object":"payment_intent","metadata":{"portatill_attempt":%q,"portatill_tenant":%q}}`, id, attempt, tenant)
	}
	d := always(200, listOf(false, intent("pi_1", "att_00", "ten_01"), intent("pi_2", "att_01", "ten_02"), intent("pi_3", "att_01", "ten_01"), intent("pi_4", "att_01", "ten_01")))
	for attempt, want := range map[string]string{"att_01": "pi_3", "att_77": "", "": ""} {
		if id, err := gateTo(t, d).IntentMade(t.Context(), testTenant(), aCustomer, &pay.Attempt{ID: attempt, CreatedAt: time.Unix(1_700_000_000, 0)}); id != want || err != nil {
			t.Errorf("%q is of %q, %v; want %q", attempt, id, err, want)
		}
	}
	if r := d.requests(); len(r) != 2 || r[0].value("customer") != aCustomer || r[0].value("limit") != "100" {
		t.Errorf("asked %+v", r)
	}
	// "None" among more than were looked at is no answer: the charge would be made again.
	more := always(200, listOf(true, intent("pi_1", "att_00", "ten_01")))
	_, err := gateTo(t, more).IntentMade(t.Context(), testTenant(), aCustomer, &pay.Attempt{ID: "att_01", CreatedAt: time.Unix(1_700_000_000, 0)})
	if f := faultOf(t, err); f.Kind != pay.FaultUnavailable || f.Code != "too_many_intents" {
		t.Errorf("of a list that goes on: %v", err)
	}
}
