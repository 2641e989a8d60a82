package stripegate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/pay"
)

// always answers every request with the same text.
func always(status int, body string) *double {
	return &double{answer: func(request) (int, string) { return status, body }}
}

func TestFactsOfAPaidSessionAreStripes(t *testing.T) {
	t.Parallel()
	d := always(200, sessionPaid)
	got, err := gateTo(t, d).Session(t.Context(), testTenant(), paidSession)
	if err != nil {
		t.Fatal(err)
	}
	gbp := func(minor int64) pay.Money { return pay.Money{Minor: minor, Currency: "GBP"} }
	eur := func(minor int64) pay.Money { return pay.Money{Minor: minor, Currency: "EUR"} }
	at := func(unix int64) time.Time { return time.Unix(unix, 0).UTC() }
	meta := map[string]string{pay.MetaOrder: "ord_01", pay.MetaAttempt: "att_01", pay.MetaTenant: "ten_01"}
	want := &pay.StripeSession{
		ID: paidSession, Mode: "payment", Status: "complete", PaymentStatus: "paid", AmountTotal: gbp(1440), ClientReferenceID: "ord_01",
		Metadata: meta, CustomerID: "cus_Pq1W2e3R4t5Y6u", IntentID: paidIntent, ExpiresAt: at(1711003600), CreatedAt: at(1711000000),
		PayerName: "Canary Person", PayerEmail: "canary.person@mail.example",
		Intent: &pay.StripeIntent{
			ID: paidIntent, Status: "succeeded", Amount: gbp(1440), AmountReceived: gbp(1440), Metadata: meta, CustomerID: "cus_Pq1W2e3R4t5Y6u",
			Failure: "insufficient_funds", CreatedAt: at(1711000100),
			Charge: &pay.StripeCharge{
				ID: paidCharge, Paid: true, Captured: true, Amount: gbp(1440), AmountCaptured: gbp(1440), AmountRefunded: gbp(500),
				Balance: &pay.StripeBalanceTransaction{ID: "txn_3Oxy12Kd93kf02Lq0BAL", Amount: eur(1690), Fee: eur(79), TaxFee: eur(14), Net: eur(1611)},
				Refunds: []pay.StripeRefund{
					{ID: "re_3OLD", Status: pay.RefundSucceeded, Amount: gbp(500), Reason: "requested_by_customer", CreatedAt: at(1711000300)},
					{ID: "re_3NEW", Status: pay.RefundFailed, Amount: gbp(300), FailureReason: "expired_or_canceled_card", CreatedAt: at(1711000400)},
				},
				Method: "visa •••• 4242 exp 12/2030", ReceiptURL: "https://pay.stripe.com/receipts/abc", CreatedAt: at(1711000200),
				PayerName: "Canary Person", PayerEmail: "canary.person@mail.example",
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the facts differ (-want +got):\n%s", diff)
	}
	if len(d.requests()) != 1 {
		t.Errorf("%d calls, want 1", len(d.requests()))
	}
	r := d.requests()[0]
	if diff := cmp.Diff(sessionExpansions, []string{r.value("expand[0]"), r.value("expand[1]"), r.value("expand[2]")}); diff != "" {
		t.Errorf("expansions (-want +got):\n%s", diff)
	}
}

// part returns one nested object of sessionPaid as JSON.
func part(t testing.TB, path ...string) string {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal([]byte(sessionPaid), &o); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(in(o, path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestIdsInPlaceOfObjectsAreFetched(t *testing.T) {
	t.Parallel()
	whole, err := gateTo(t, always(200, sessionPaid)).Session(t.Context(), testTenant(), paidSession)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(o map[string]any){
		"TheIntent": func(o map[string]any) { o["payment_intent"] = paidIntent },
		"TheCharge": func(o map[string]any) { in(o, "payment_intent")["latest_charge"] = paidCharge },
		"TheBalanceTransaction": func(o map[string]any) {
			in(o, "payment_intent", "latest_charge")["balance_transaction"] = "txn_3Oxy12Kd93kf02Lq0BAL"
		},
		"TheRefundsLeftOut": func(o map[string]any) { delete(in(o, "payment_intent", "latest_charge"), "refunds") },
		"TheRefundsNull":    func(o map[string]any) { in(o, "payment_intent", "latest_charge")["refunds"] = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			session := edit(t, sessionPaid, change)
			d := &double{answer: func(r request) (int, string) {
				switch r.Path {
				case "/v1/checkout/sessions/" + paidSession:
					return 200, session
				case "/v1/payment_intents/" + paidIntent:
					return 200, part(t, "payment_intent")
				case "/v1/charges/" + paidCharge:
					return 200, part(t, "payment_intent", "latest_charge")
				case "/v1/balance_transactions/txn_3Oxy12Kd93kf02Lq0BAL":
					return 200, part(t, "payment_intent", "latest_charge", "balance_transaction")
				case "/v1/refunds":
					return 200, part(t, "payment_intent", "latest_charge", "refunds")
				}
				return 404, `{"error":{"type":"invalid_request_error","code":"resource_missing"}}`
			}}
			got, err := gateTo(t, d).Session(t.Context(), testTenant(), paidSession)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(whole, got); diff != "" {
				t.Errorf("the facts differ from the expanded ones (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMoreRefundsThanOnePageAreAllRead(t *testing.T) {
	t.Parallel()
	const all = 250 // newest first: re_249 … re_0
	refund := func(i int) string {
		return fmt.Sprintf(`{"id":"re_%d","object":"refund","amount":1,"currency":"gbp","status":"succeeded","created":%d}`, i, 1711000300+i/3)
	}
	d := &double{answer: func(r request) (int, string) {
		if r.Path != "/v1/refunds" {
			return 200, edit(t, sessionPaid, func(o map[string]any) {
				in(o, "payment_intent", "latest_charge", "refunds")["has_more"] = true
			})
		}
		next := all - 1
		if after := r.value("starting_after"); after != "" {
			if _, err := fmt.Sscanf(after, "re_%d", &next); err != nil {
				t.Error(err)
			}
			next--
		}
		if r.value("charge") != paidCharge || r.value("limit") != "100" {
			t.Errorf("asked for charge %q, limit %q", r.value("charge"), r.value("limit"))
		}
		rows := []string{}
		for i := next; i >= 0 && len(rows) < 100; i-- {
			rows = append(rows, refund(i))
		}
		return 200, fmt.Sprintf(`{"object":"list","has_more":%t,"data":[%s]}`, next >= 100, strings.Join(rows, ","))
	}}
	s, err := gateTo(t, d).Session(t.Context(), testTenant(), paidSession)
	if err != nil {
		t.Fatal(err)
	}
	refunds := s.Intent.Charge.Refunds
	if len(refunds) != all {
		t.Fatalf("%d refunds, want %d", len(refunds), all)
	}
	for i, r := range refunds {
		if r.ID != fmt.Sprintf("re_%d", i) {
			t.Fatalf("refund %d is %s; the oldest must come first", i, r.ID)
		}
	}

	t.Run("AListThatNeverEndsIsAFault", func(t *testing.T) {
		t.Parallel()
		d := &double{answer: func(r request) (int, string) {
			if r.Path != "/v1/refunds" {
				return 200, edit(t, sessionPaid, func(o map[string]any) { in(o, "payment_intent", "latest_charge")["refunds"] = nil })
			}
			return 200, `{"object":"list","has_more":true,"data":[` + refund(1) + `]}`
		}}
		_, err := gateTo(t, d).Session(t.Context(), testTenant(), paidSession)
		if f := faultOf(t, err); f.Kind != pay.FaultUnavailable || f.Code != "answer_unreadable" {
			t.Errorf("got %v, want unavailable before the deadline", f)
		}
	})
}

func TestMethodSaysWhatPaid(t *testing.T) {
	t.Parallel()
	for want, details := range map[string]string{
		"visa •••• 4242 exp 12/2030":       `{"type":"card","card":{"brand":"visa","last4":"4242","exp_month":12,"exp_year":2030}}`,
		"mastercard •••• 4444 exp 03/2031": `{"type":"card","card":{"brand":"mastercard","last4":"4444","exp_month":3,"exp_year":2031}}`,
		"card •••• 0001":                   `{"type":"card","card":{"brand":null,"last4":"0001","exp_month":null,"exp_year":null}}`,
		"eftpos au •••• 0002 exp 01/2030":  `{"type":"card","card":{"brand":"eftpos_au","last4":"0002","exp_month":1,"exp_year":2030}}`,
		"card":                               `{"type":"card","card":{}}`,
		"bacs debit •••• 2345":               `{"type":"bacs_debit","bacs_debit":{"last4":"2345"}}`,
		"sepa debit •••• 3000":               `{"type":"sepa_debit","sepa_debit":{"last4":"3000","iban_last4":null}}`,
		"us bank account •••• 6789":          `{"type":"us_bank_account","us_bank_account":{"last4":"6789"}}`,
		"bancontact •••• 7061":               `{"type":"bancontact","bancontact":{"iban_last4":"7061"}}`,
		"paypal":                             `{"type":"paypal","paypal":{"payer_email":"canary.person@mail.example"}}`,
		"link":                               `{"type":"link","link":{"country":"GB"}}`,
		"some new method of the next decade": `{"type":"some_new_method_of_the_next_decade","some_new_method_of_the_next_decade":{"x":1}}`,
		"":                                   `null`,
		"amex •••• 8431 exp 11/2032":         `{"type":"card_present","card_present":{"brand":"amex","last4":"8431","exp_month":11,"exp_year":2032}}`,
	} {
		session := edit(t, sessionPaid, func(o map[string]any) {
			in(o, "payment_intent", "latest_charge")["payment_method_details"] = json.RawMessage(details)
		})
		s, err := gateTo(t, always(200, session)).Session(t.Context(), testTenant(), paidSession)
		if err != nil {
			t.Fatalf("%s: %v", details, err)
		}
		if got := s.Intent.Charge.Method; got != want {
			t.Errorf("%s is shown as %q, want %q", details, got, want)
		}
	}
}

func TestASessionThatIsNotWhatWasOrderedIsNeverGivenOut(t *testing.T) {
	t.Parallel()
	lines := func(o map[string]any) []any { return in(o, "line_items")["data"].([]any) }
	for name, change := range map[string]func(o map[string]any){
		"ItsTotalIsAPennyMore":             func(o map[string]any) { o["amount_total"] = 1441 },
		"ItsTotalIsAPennyLess":             func(o map[string]any) { o["amount_total"] = 1439 },
		"ItsTotalIsNull":                   func(o map[string]any) { o["amount_total"] = nil },
		"ItsLinesSumDiffersBeforeDiscount": func(o map[string]any) { o["amount_subtotal"] = 2000 },
		"ItsLinesComeToSomethingElse":      func(o map[string]any) { lines(o)[0].(map[string]any)["amount_total"] = 1100 },
		"ALineIsMissing":                   func(o map[string]any) { in(o, "line_items")["data"] = lines(o)[:1] },
		"ALineIsNull":                      func(o map[string]any) { lines(o)[1] = nil },
		"ItsCurrencyIsAnother":             func(o map[string]any) { o["currency"] = "usd" },
		"ItsCurrencyIsNull":                func(o map[string]any) { o["currency"] = nil },
		"ItIsLive":                         func(o map[string]any) { o["livemode"] = true },
		"ItNamesAnotherOrder":              func(o map[string]any) { o["client_reference_id"] = "ord_02" },
		"ItNamesNoOrder":                   func(o map[string]any) { o["client_reference_id"] = nil },
		"ItsModeIsAnother":                 func(o map[string]any) { o["mode"] = "setup" },
		"ItHasNoAddress":                   func(o map[string]any) { o["url"] = nil },
		"ItsAddressIsNotHTTPS":             func(o map[string]any) { o["url"] = "http://checkout.stripe.com/c/pay/x" },
		"ItsAddressIsAScript":              func(o map[string]any) { o["url"] = "javascript:alert(1)" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			made := openSession(t, change)
			d := &double{answer: func(r request) (int, string) {
				if strings.HasSuffix(r.Path, "/expire") {
					return 200, openSession(t, func(o map[string]any) { o["status"], o["url"] = "expired", nil })
				}
				return 200, made
			}}
			s, err := gateTo(t, d).CreateSession(t.Context(), testTenant(), paymentInput(t), "key-1")
			if s != nil {
				t.Errorf("the session was given out: %+v", s)
			}
			if f := faultOf(t, err); f.Kind != pay.FaultRejected || f.Code != "session_disagrees" {
				t.Errorf("got %v, want rejected session_disagrees", f)
			}
			seen := d.requests()
			if len(seen) != 2 || seen[1].Path != "/v1/checkout/sessions/"+paidSession+"/expire" || seen[1].IdempotencyKey != "key-1:withdraw" {
				t.Errorf("the session was not ended with a key of its own: %+v", seen)
			}
		})
	}

	t.Run("WhatIsRightIsGivenOut", func(t *testing.T) {
		t.Parallel()
		d := always(200, openSession(t, nil))
		s, err := gateTo(t, d).CreateSession(t.Context(), testTenant(), paymentInput(t), "k")
		if err != nil {
			t.Fatal(err)
		}
		if s.URL != "https://checkout.stripe.com/c/pay/cs_test_a1" || len(d.requests()) != 1 {
			t.Errorf("got %+v after %d calls", s, len(d.requests()))
		}
	})

	t.Run("OneThatCannotBeEndedIsSaidSo", func(t *testing.T) {
		t.Parallel()
		d := &double{answer: func(r request) (int, string) {
			if strings.HasSuffix(r.Path, "/expire") {
				return 500, `{"error":{"type":"api_error","message":"sorry"}}`
			}
			return 200, openSession(t, func(o map[string]any) { o["amount_total"] = 1 })
		}}
		_, err := gateTo(t, d).CreateSession(t.Context(), testTenant(), paymentInput(t), "k")
		if f := faultOf(t, err); f.Kind != pay.FaultRejected || !strings.Contains(f.Message, "could not be ended") || f.Err == nil {
			t.Errorf("got %v", f)
		}
	})

	t.Run("ItIsEndedThoughTheCallerLeft", func(t *testing.T) {
		t.Parallel()
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		d := &double{}
		d.answer = func(r request) (int, string) {
			if strings.HasSuffix(r.Path, "/expire") {
				return 200, openSession(t, func(o map[string]any) { o["status"] = "expired" })
			}
			leave()
			return 200, openSession(t, func(o map[string]any) { o["amount_total"] = 1 })
		}
		_, err := gateTo(t, d).CreateSession(ctx, testTenant(), paymentInput(t), "k")
		if f := faultOf(t, err); f.Code != "session_disagrees" || f.Err != nil || len(d.requests()) != 2 {
			t.Errorf("got %v after %d calls", f, len(d.requests()))
		}
	})
}

func TestWhatWouldMakeAnotherSumIsNotSent(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(in *pay.SessionInput){
		"ALineTooFew":        func(in *pay.SessionInput) { in.Lines = in.Lines[:1] },
		"NoLines":            func(in *pay.SessionInput) { in.Lines = nil },
		"ANegativeLine":      func(in *pay.SessionInput) { in.Lines[0].UnitMinor = -1 },
		"NoQuantity":         func(in *pay.SessionInput) { in.Lines[0].Quantity = 0 },
		"AProductThatWraps":  func(in *pay.SessionInput) { in.Lines[0].Quantity, in.Lines[0].UnitMinor = 1<<62, 4 },
		"LinesForSavingCard": func(in *pay.SessionInput) { in.Order.Kind = pay.OrderSetup },
		"NoOrder":            func(in *pay.SessionInput) { in.Order = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := always(200, openSession(t, nil))
			in := paymentInput(t)
			change(&in)
			_, err := gateTo(t, d).CreateSession(t.Context(), testTenant(), in, "k")
			if f := faultOf(t, err); f.Kind != pay.FaultRejected || len(d.requests()) != 0 {
				t.Errorf("got %v after %d calls, want rejected and none", f, len(d.requests()))
			}
		})
	}
}

func TestNoKeyNoCall(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	calls := func(g *Gate, tenant *pay.Tenant) map[string]error {
		out := map[string]error{}
		_, out["Account"] = g.Account(ctx, tenant)
		_, out["CreateCustomer"] = g.CreateCustomer(ctx, tenant, testCustomer(), "k")
		_, out["Customer"] = g.Customer(ctx, tenant, "cus_1")
		_, out["CreateSession"] = g.CreateSession(ctx, tenant, paymentInput(t), "k")
		_, out["ExpireSession"] = g.ExpireSession(ctx, tenant, paidSession, "k")
		_, out["Session"] = g.Session(ctx, tenant, paidSession)
		_, out["Intent"] = g.Intent(ctx, tenant, paidIntent)
		_, out["IntentOf"] = g.IntentOf(ctx, tenant, paidCharge)
		_, out["SessionOf"] = g.SessionOf(ctx, tenant, paidIntent)
		_, out["Cards"] = g.Cards(ctx, tenant, aCustomer)
		_, out["Card"] = g.Card(ctx, tenant, aCustomer, aCard)
		_, out["SaveCard"] = g.SaveCard(ctx, tenant, pay.CardToken{Token: "tok_1", StripeCustomer: aCustomer}, "k")
		out["LabelCard"] = g.LabelCard(ctx, tenant, aCard, "Home", "k")
		out["DeleteCard"] = g.DeleteCard(ctx, tenant, aCustomer, aCard, "k")
		_, out["ChargeCard"] = g.ChargeCard(ctx, tenant, chargeInput(t), "k")
		_, out["CancelIntent"] = g.CancelIntent(ctx, tenant, paidIntent, "k")
		_, out["IntentMade"] = g.IntentMade(ctx, tenant, aCustomer, &pay.Attempt{ID: "att_01", CreatedAt: time.Unix(1_700_000_000, 0)})
		_, out["CreateRefund"] = g.CreateRefund(ctx, tenant, refundInput(), "k")
		_, _, out["EnsureWebhookEndpoint"] = g.EnsureWebhookEndpoint(ctx, tenant, "https://till.example/w")
		_, out["DeleteWebhookEndpoint"] = g.DeleteWebhookEndpoint(ctx, tenant, "https://till.example/w")
		_, out["Endpoints"] = g.Endpoints(ctx, tenant)
		_, _, out["CreateEndpoint"] = g.CreateEndpoint(ctx, tenant, "https://till.example/w")
		out["MendEndpoint"] = g.MendEndpoint(ctx, tenant, "we_1")
		out["DeleteEndpoint"] = g.DeleteEndpoint(ctx, tenant, "we_1")
		_, out["ClockAhead"] = g.ClockAhead(ctx, tenant)
		return out
	}
	for _, c := range []struct {
		name, key, base string
		calls           bool
	}{
		{"WithoutAKey", "", "", false},
		{"WithAPublishableKey", "pk_test_51CanaryCanary", "", false},
		{"WithAKeyThatWouldBreakTheHeader", "sk_test_51Canary\r\nX-Evil: 1", "", false},
		{"ALiveKeyToADouble", "sk_live_51CanaryCanary", "http://127.0.0.1:4242", false},
		{"ALiveRestrictedKeyToADouble", "rk_live_51CanaryCanary", "https://stripe.example", false},
		{"ALiveKeyToStripesNameWithoutTLS", "sk_live_51CanaryCanary", "http://api.stripe.com", false},
		{"ALiveKeyToALookAlike", "sk_live_51CanaryCanary", "https://api.stripe.com.evil.example", false},
		{"ALiveKeyToLookAlikeUserInfo", "sk_live_51CanaryCanary", "https://api.stripe.com@evil.example", false},
		{"ALiveKeyToStripe", "sk_live_51CanaryCanary", "", true},
		{"ALiveKeyToStripeByName", "sk_live_51CanaryCanary", "https://api.stripe.com/", true},
		{"ATestKeyToADouble", "sk_test_51CanaryCanary", "http://127.0.0.1:4242", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := always(400, `{"error":{"type":"invalid_request_error","message":"no"}}`)
			g := quick(New(Options{APIBase: c.base, HTTPClient: &http.Client{Transport: d}}))
			tenant := testTenant()
			tenant.StripeKey = pay.Secret(c.key)
			for what, err := range calls(g, tenant) {
				f := faultOf(t, err)
				if !c.calls && f.Kind != pay.FaultCredentials {
					t.Errorf("%s: got %v, want credentials", what, f)
				}
				if c.key != "" && strings.Contains(f.Error(), c.key) {
					t.Errorf("%s: the error has the key", what)
				}
			}
			if made := len(d.requests()) > 0; made != c.calls {
				t.Errorf("requests were made: %t, want %t", made, c.calls)
			}
		})
	}
}

func TestEachTenantsKeyGoesWithItsOwnCallsOnly(t *testing.T) {
	t.Parallel()
	d := &double{answer: func(r request) (int, string) {
		// The double answers with a session of the key that it saw.
		return 200, `{"id":"cs_test_x","object":"checkout.session","client_reference_id":"` + r.Key + `"}`
	}}
	g := gateTo(t, d)
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() {
			tenant := testTenant()
			tenant.StripeKey = pay.Secret(fmt.Sprintf("sk_test_tenant%d", i))
			for range 20 {
				s, err := g.Session(t.Context(), tenant, "cs_test_x")
				if err != nil {
					t.Error(err)
					return
				}
				if s.ClientReferenceID != tenant.StripeKey.Reveal() {
					t.Errorf("tenant %d's call went out with %s", i, s.ClientReferenceID)
				}
			}
		})
	}
	wait.Wait()
}

func TestASetupSessionSaysWhatItSaved(t *testing.T) {
	t.Parallel()
	session := func(setup string) string {
		return edit(t, sessionPaid, func(o map[string]any) {
			o["mode"], o["payment_intent"], o["payment_status"] = "setup", nil, "no_payment_required"
			o["setup_intent"] = json.RawMessage(setup)
		})
	}
	seti := func(status, more string) string {
		return `{"id":"seti_1","object":"setup_intent","livemode":true,"status":"` + status + `"` + more + `}`
	}
	for _, c := range []struct {
		name, setup string
		want        *pay.StripeSetup
	}{
		{"Saved", seti("succeeded", `,"payment_method":"pm_1"`), &pay.StripeSetup{ID: "seti_1", Status: "succeeded", CardID: "pm_1", Livemode: true}},
		{"SavedAndExpanded", seti("succeeded", `,"payment_method":`+method("pm_1", "null", 1)), &pay.StripeSetup{ID: "seti_1", Status: "succeeded", CardID: "pm_1", Livemode: true}},
		{"NotYet", seti("requires_action", `,"payment_method":"pm_1"`), &pay.StripeSetup{ID: "seti_1", Status: "requires_action", Livemode: true}},
		{"Refused", seti("requires_payment_method", `,"last_setup_error":{"type":"card_error","code":"card_declined","decline_code":"lost_card"}`),
			&pay.StripeSetup{ID: "seti_1", Status: "requires_payment_method", Failure: "lost_card", Livemode: true}},
		{"RefusedWithACodeOnly", seti("requires_payment_method", `,"last_setup_error":{"code":"setup_intent_authentication_failure"}`),
			&pay.StripeSetup{ID: "seti_1", Status: "requires_payment_method", Failure: "setup_intent_authentication_failure", Livemode: true}},
		{"AStatusOfTomorrow", seti("a_new_status", ""), &pay.StripeSetup{ID: "seti_1", Status: "a_new_status", Livemode: true}},
		{"NoneYet", "null", nil},
		{"AnIDInItsPlace", `"seti_1"`, &pay.StripeSetup{ID: "seti_1", Status: "succeeded", CardID: "pm_fetched", Livemode: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := script(map[string]string{"GET /v1/checkout/sessions/" + paidSession: session(c.setup), "GET /v1/setup_intents/seti_1": seti("succeeded", `,"payment_method":"pm_fetched"`)})
			s, err := gateTo(t, d).Session(t.Context(), testTenant(), paidSession)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, s.Setup); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for _, broken := range []string{"{}", `{"id":"seti_1","object":"payment_intent"}`, `{"id":"seti_1"}`, seti("succeeded", ""), seti("succeeded", `,"payment_method":"x"`)} {
		_, err := gateTo(t, script(map[string]string{"GET /v1/checkout/sessions/" + paidSession: session(broken)})).Session(t.Context(), testTenant(), paidSession)
		if f := faultOf(t, err); err == nil || f.Kind != pay.FaultUnavailable && f.Kind != pay.FaultNotFound {
			t.Errorf("%s gave %v", broken, f)
		}
	}
}

func TestACardIsKeptOnlyWhereThatWasAsked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		save    bool
		methods []string
		want    string
	}{
		{"Asked", true, nil, "off_session"},
		{"AskedAmongOthers", true, []string{"bacs_debit", "card"}, "off_session"},
		{"AskedWhereNoCardMayPay", true, []string{"bacs_debit"}, ""},
		{"NotAsked", false, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, in := always(200, openSession(t, nil)), paymentInput(t)
			in.SaveCard, in.Order.PaymentMethods = c.save, c.methods
			if _, err := gateTo(t, d).CreateSession(t.Context(), testTenant(), in, "k"); err != nil {
				t.Fatal(err)
			}
			r := d.requests()
			if got := r[0].value("payment_method_options[card][setup_future_usage]"); got != c.want || len(r) != 1 {
				t.Errorf("setup_future_usage is %q after %d calls, want %q after 1", got, len(r), c.want)
			}
		})
	}
	t.Run("ASetupSessionNeedsNoSayingSo", func(t *testing.T) {
		t.Parallel()
		setup := openSession(t, func(o map[string]any) {
			o["mode"], o["client_reference_id"] = "setup", "ord_02"
			o["setup_intent"] = map[string]any{"id": "seti_1", "object": "setup_intent", "status": "requires_payment_method"}
		})
		d, in := always(200, setup), setupInput()
		in.SaveCard = true
		s, err := gateTo(t, d).CreateSession(t.Context(), testTenant(), in, "k")
		if err != nil || s.Setup == nil || s.Setup.ID != "seti_1" {
			t.Fatalf("got %+v, %v", s, err)
		}
		if r := d.requests(); len(r) != 1 || r[0].value("payment_method_options[card][setup_future_usage]") != "" || r[0].value("expand[2]") != "setup_intent" {
			t.Errorf("asked %+v", r)
		}
	})
}

func TestWhatIsNoStripeIDNeverReachesAPath(t *testing.T) {
	t.Parallel()
	d := always(200, `{}`)
	g, ctx, tenant := gateTo(t, d), t.Context(), testTenant()
	for _, id := range []string{"", "pi_", "cs_", "../v1/balance", "pi_1/../../x", "pi_1?expand=a", "pi_1 ", "ch_\x00", "ord_01", "PI_1", "cs_é"} {
		_, e1 := g.Session(ctx, tenant, id)
		_, e2 := g.Intent(ctx, tenant, id)
		_, e3 := g.IntentOf(ctx, tenant, id)
		_, e4 := g.SessionOf(ctx, tenant, id)
		_, e5 := g.ExpireSession(ctx, tenant, id, "k")
		_, e6 := g.Customer(ctx, tenant, id)
		_, e7 := g.Cards(ctx, tenant, id)
		_, e8 := g.Card(ctx, tenant, id, aCard)
		_, e9 := g.Card(ctx, tenant, aCustomer, id)
		_, e10 := g.SaveCard(ctx, tenant, pay.CardToken{Token: "tok_1", StripeCustomer: id}, "k")
		_, e11 := g.SaveCard(ctx, tenant, pay.CardToken{Token: id, StripeCustomer: aCustomer}, "k")
		e12 := g.LabelCard(ctx, tenant, id, "Home", "k")
		e13 := g.DeleteCard(ctx, tenant, aCustomer, id, "k")
		_, e14 := g.CancelIntent(ctx, tenant, id, "k")
		_, e15 := g.IntentMade(ctx, tenant, id, &pay.Attempt{ID: "att_01", CreatedAt: time.Unix(1_700_000_000, 0)})
		refund := refundInput()
		refund.IntentID = id
		_, e16 := g.CreateRefund(ctx, tenant, refund, "k")
		for i, err := range []error{e1, e2, e3, e4, e5, e6, e7, e8, e9, e10, e11, e12, e13, e14, e15, e16} {
			if f := faultOf(t, err); f.Kind != pay.FaultNotFound {
				t.Errorf("call %d with id %q: got %v, want not_found", i, id, f)
			}
		}
	}
	for _, key := range []string{"", " k", strings.Repeat("k", 241)} {
		_, e1 := g.CreateSession(ctx, tenant, paymentInput(t), key)
		_, e2 := g.CreateCustomer(ctx, tenant, testCustomer(), key)
		_, e3 := g.ExpireSession(ctx, tenant, paidSession, key)
		_, e4 := g.SaveCard(ctx, tenant, pay.CardToken{Token: "tok_1", StripeCustomer: aCustomer}, key)
		e5 := g.LabelCard(ctx, tenant, aCard, "Home", key)
		e6 := g.DeleteCard(ctx, tenant, aCustomer, aCard, key)
		_, e7 := g.ChargeCard(ctx, tenant, chargeInput(t), key)
		_, e8 := g.CancelIntent(ctx, tenant, paidIntent, key)
		_, e9 := g.CreateRefund(ctx, tenant, refundInput(), key)
		for i, err := range []error{e1, e2, e3, e4, e5, e6, e7, e8, e9} {
			if f := faultOf(t, err); f.Kind != pay.FaultRejected {
				t.Errorf("write %d with idempotency key %q: got %v, want rejected", i, key, f)
			}
		}
	}
	if n := len(d.requests()); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

func TestEndingASessionThatIsNotOpenReturnsIt(t *testing.T) {
	t.Parallel()
	const refusal = `{"error":{"type":"invalid_request_error","message":"Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of complete"}}`
	answer := func(status int, refusal, session string) *double {
		return &double{answer: func(r request) (int, string) {
			if strings.HasSuffix(r.Path, "/expire") {
				return status, refusal
			}
			return 200, session
		}}
	}
	s, err := gateTo(t, answer(400, refusal, sessionPaid)).ExpireSession(t.Context(), testTenant(), paidSession, "k")
	if err != nil || s.Status != "complete" || s.Intent == nil || !s.Intent.Charge.Paid {
		t.Errorf("got %+v, %v; want the complete session with its money", s, err)
	}
	_, err = gateTo(t, answer(400, refusal, openSession(t, nil))).ExpireSession(t.Context(), testTenant(), paidSession, "k")
	if f := faultOf(t, err); f.Kind != pay.FaultRejected {
		t.Errorf("a session that stays open gave %v, want Stripe's refusal", f)
	}
	d := answer(500, `{"error":{"type":"api_error"}}`, sessionPaid)
	_, err = gateTo(t, d).ExpireSession(t.Context(), testTenant(), paidSession, "k")
	if f := faultOf(t, err); f.Kind != pay.FaultUnavailable {
		t.Errorf("an outage gave %v, want unavailable", f)
	}
}

func TestAnObjectLeadsToItsIntent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, id, answer, second, want string }{
		{"ACharge", "ch_1", `{"id":"ch_1","object":"charge","payment_intent":"pi_9"}`, "", "pi_9"},
		{"AChargeWithItsIntentExpanded", "py_1", `{"id":"py_1","object":"charge","payment_intent":{"id":"pi_9","object":"payment_intent"}}`, "", "pi_9"},
		{"AChargeWithoutIntent", "ch_1", `{"id":"ch_1","object":"charge","payment_intent":null}`, "", ""},
		{"ARefund", "re_1", `{"id":"re_1","object":"refund","payment_intent":"pi_9","charge":"ch_1"}`, "", "pi_9"},
		{"ARefundThatNamesTheChargeOnly", "pyr_1", `{"id":"pyr_1","object":"refund","payment_intent":null,"charge":"ch_1"}`, `{"id":"ch_1","object":"charge","payment_intent":"pi_9"}`, "pi_9"},
		{"ADispute", "dp_1", `{"id":"dp_1","object":"dispute","payment_intent":"pi_9","charge":"ch_1"}`, "", "pi_9"},
		{"ADisputeThatNamesTheChargeOnly", "du_1", `{"id":"du_1","object":"dispute","charge":"ch_1"}`, `{"id":"ch_1","object":"charge","payment_intent":"pi_9"}`, "pi_9"},
		{"ARefundOfNothing", "re_1", `{"id":"re_1","object":"refund","payment_intent":null,"charge":null}`, "", ""},
		{"AnIntent", "pi_9", `never asked`, "", "pi_9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := 0
			d := &double{}
			d.answer = func(request) (int, string) {
				if n++; n == 2 {
					return 200, c.second
				}
				return 200, c.answer
			}
			got, err := gateTo(t, d).IntentOf(t.Context(), testTenant(), c.id)
			if err != nil || got != c.want {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
	got, err := gateTo(t, always(200, `{"object":"list","data":[],"has_more":false}`)).SessionOf(t.Context(), testTenant(), "pi_9")
	if got != "" || err != nil {
		t.Errorf("an intent without a session gave %q, %v", got, err)
	}
	d := always(200, `{"object":"list","data":[`+sessionPaid+`],"has_more":false}`)
	got, err = gateTo(t, d).SessionOf(t.Context(), testTenant(), paidIntent)
	if got != paidSession || err != nil || d.requests()[0].value("payment_intent") != paidIntent {
		t.Errorf("got %q, %v after asking for %q", got, err, d.requests()[0].value("payment_intent"))
	}
}

func TestACustomerIsMadeOfWhatStripeTakes(t *testing.T) {
	t.Parallel()
	d := always(200, `{"id":"cus_1","object":"customer","livemode":false}`)
	g, tenant := gateTo(t, d), testTenant()
	cu := testCustomer()
	cu.Email, cu.Phone, cu.Address.Country = "not an address", strings.Repeat("9", 21), "Great Britain"
	id, err := g.CreateCustomer(t.Context(), tenant, cu, "k")
	if err != nil || id != "cus_1" {
		t.Fatalf("got %q, %v", id, err)
	}
	r := d.requests()[0]
	for name, want := range map[string]string{"name": "Canary Person", "email": "", "phone": "", "address[country]": "", "address[city]": "Leeds",
		"metadata[portatill_customer]": "cus-01", "metadata[i_customer]": "4711", "metadata[portatill_tenant]": "ten_01"} {
		if got := r.value(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	tenant.StripeLivemode = true
	_, err = g.CreateCustomer(t.Context(), tenant, testCustomer(), "k2")
	if f := faultOf(t, err); f.Code != "livemode_mismatch" {
		t.Errorf("a customer of the other mode gave %v", f)
	}
	_, err = gateTo(t, always(200, `{"id":"cus_1","object":"customer","deleted":true}`)).Customer(t.Context(), testTenant(), "cus_1")
	if f := faultOf(t, err); f.Kind != pay.FaultNotFound {
		t.Errorf("a deleted customer gave %v, want not_found", f)
	}
}

func TestAWebhookEndpointIsMadeOnce(t *testing.T) {
	t.Parallel()
	const address = "https://till.example/webhooks/stripe/acme"
	endpoint := func(url, status string, events []string) string {
		text, err := json.Marshal(map[string]any{"id": "we_1", "object": "webhook_endpoint", "url": url, "status": status, "enabled_events": events})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, c := range []struct {
		name, listed string
		created      bool
		wrote        string
	}{
		{"WhereNoneIs", "", true, "/v1/webhook_endpoints"},
		{"WhereAnotherAddressIs", endpoint(address+"2", "enabled", WebhookEvents), true, "/v1/webhook_endpoints"},
		{"NotWhereOneIs", endpoint(address, "enabled", WebhookEvents), false, ""},
		{"NotWhereOneHearsEverything", endpoint(address, "enabled", []string{"*"}), false, ""},
		{"OneThatIsOffIsSwitchedOn", endpoint(address, "disabled", WebhookEvents), false, "/v1/webhook_endpoints/we_1"},
		{"OneThatLacksEventsGetsThem", endpoint(address, "enabled", []string{"customer.created"}), false, "/v1/webhook_endpoints/we_1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := &double{answer: func(r request) (int, string) {
				if r.Method == http.MethodGet {
					return 200, `{"object":"list","has_more":false,"data":[` + c.listed + `]}`
				}
				return 200, `{"id":"we_1","object":"webhook_endpoint","secret":"whsec_x"}`
			}}
			secret, created, err := gateTo(t, d).EnsureWebhookEndpoint(t.Context(), testTenant(), address)
			if err != nil || created != c.created || (secret.Reveal() == "whsec_x") != c.created {
				t.Errorf("got created %t, %v; want %t, and the secret exactly then", created, err, c.created)
			}
			wrote := request{}
			for _, r := range d.requests() {
				if r.Method != http.MethodGet {
					wrote = r
				}
			}
			if wrote.Path != c.wrote {
				t.Errorf("wrote to %q, want %q", wrote.Path, c.wrote)
			}
			if c.created && (wrote.value("api_version") != "2023-10-16" || wrote.value("url") != address || wrote.value("enabled_events[0]") != WebhookEvents[0]) {
				t.Errorf("asked for %v", wrote.Form)
			}
			if c.wrote == "/v1/webhook_endpoints/we_1" && wrote.value("disabled") != "false" {
				t.Errorf("asked for %v", wrote.Form)
			}
		})
	}
}

func TestTheLogTellsOfCallsAndNotOfPeople(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	d := &double{answer: func(r request) (int, string) {
		if r.Path == "/v1/customers" {
			return 400, `{"error":{"type":"invalid_request_error","code":"email_invalid","param":"email","message":"Invalid email address: canary.person@mail.example"}}`
		}
		return 200, sessionPaid
	}}
	g := quick(New(Options{HTTPClient: &http.Client{Transport: d}, Log: logTo(&text)}))
	if _, err := g.Session(t.Context(), testTenant(), paidSession); err != nil {
		t.Fatal(err)
	}
	_, err := g.CreateCustomer(t.Context(), testTenant(), testCustomer(), "k")
	all := text.String() + faultOf(t, err).Error()
	if !strings.Contains(all, "/v1/checkout/sessions/"+paidSession) || !strings.Contains(all, "req_test") {
		t.Errorf("the calls are not in the log:\n%s", all)
	}
	for _, secret := range []string{"Canary", "canary", "LS1", testKey, "secret"} {
		if strings.Contains(all, secret) {
			t.Errorf("the log has %q:\n%s", secret, all)
		}
	}
}
