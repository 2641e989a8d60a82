package sandbox_test

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/portatill/portatill/internal/sandbox"
)

// tour calls every route of the API with raw requests; the transport holds each answer against Stripe's file.
type tour struct {
	*bench
	seen map[string]bool
}

// call sends a request to a route; ids fill the pattern's {…} in order. It returns the answer's id.
func (v *tour) call(route, form string, ids ...string) rawAnswer {
	v.t.Helper()
	method, path, _ := strings.Cut(route, " ")
	v.seen[route] = true
	for _, id := range ids {
		before, rest, _ := strings.Cut(path, "{")
		_, after, _ := strings.Cut(rest, "}")
		path = before + id + after
	}
	if method == http.MethodGet && form != "" {
		path, form = path+"?"+form, ""
	}
	a := v.raw(method, path, form)
	if a.status != http.StatusOK {
		v.t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
	}
	return a
}

func (v *tour) id(route, form string, ids ...string) string {
	v.t.Helper()
	id, _ := v.call(route, form, ids...).field(v.t, "id").(string)
	if id == "" {
		v.t.Fatalf("%s answered no id", route)
	}
	return id
}

const oneItem = "mode=payment&success_url=https://a.example/ok&line_items[0][quantity]=1&line_items[0][price_data][currency]=gbp&line_items[0][price_data][unit_amount]=1000&line_items[0][price_data][product_data][name]=Top-up"

func TestEveryRouteAnswersInStripesShape(t *testing.T) {
	t.Parallel()
	v := &tour{setup(t), map[string]bool{}}
	endpoint := v.id("POST /v1/webhook_endpoints", "url=http://127.0.0.1:9/hook&enabled_events[]=*&metadata[a]=b&description=d")
	v.call("POST /v1/webhook_endpoints/{webhook_endpoint}", "disabled=true&enabled_events[0]=charge.succeeded&url=http://127.0.0.1:9/other", endpoint)
	v.call("GET /v1/webhook_endpoints/{webhook_endpoint}", "", endpoint)
	v.call("GET /v1/webhook_endpoints", "limit=3")
	v.call("DELETE /v1/webhook_endpoints/{webhook_endpoint}", "", endpoint)

	customer := v.id("POST /v1/customers", "email=jo@example.com&name=Jo&metadata[i]=7&address[line1]=1+High+St&address[country]=GB&shipping[name]=Jo&shipping[address][line1]=1+High+St&preferred_locales[]=en-GB&phone=0123456&payment_method=pm_card_visa")
	methods := v.call("GET /v1/customers/{customer}/payment_methods", "type=card", customer).field(t, "data").([]any)
	method := methods[0].(map[string]any)["id"].(string)
	v.call("GET /v1/customers/{customer}/payment_methods/{payment_method}", "", customer, method)
	v.call("POST /v1/customers/{customer}", "invoice_settings[default_payment_method]="+method+"&description=good&metadata[i]=", customer)
	v.call("GET /v1/customers/{customer}", "expand[]=sources&expand[]=subscriptions&expand[]=tax_ids&expand[]=invoice_settings.default_payment_method", customer)
	v.call("GET /v1/customers", "email=jo@example.com&created[gte]=1")
	v.call("POST /v1/payment_methods/{payment_method}", "card[exp_month]=5&card[exp_year]=2039&billing_details[name]=Jo&metadata[a]=b", method)
	v.call("GET /v1/payment_methods/{payment_method}", "expand[]=customer", method)
	v.call("GET /v1/payment_methods", "customer="+customer+"&type=card")

	token := v.id("POST /v1/tokens", "card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2040&card[cvc]=123&card[address_zip]=N1")
	v.call("GET /v1/tokens/{token}", "", token)
	other := v.id("POST /v1/payment_methods", "type=card&card[token]="+token+"&billing_details[address][postal_code]=N1&billing_details[email]=jo@example.com")
	v.call("POST /v1/payment_methods/{payment_method}/attach", "customer="+customer, other)
	v.call("POST /v1/payment_methods/{payment_method}/detach", "", other)
	v.id("POST /v1/payment_methods", "type=bacs_debit&bacs_debit[account_number]=00012345&bacs_debit[sort_code]=108800")
	sepa := v.id("POST /v1/payment_methods", "type=sepa_debit&sepa_debit[iban]=DE89370400440532013000&billing_details[name]=Jo")
	v.id("POST /v1/payment_methods", "type=us_bank_account&us_bank_account[account_number]=000123456789&us_bank_account[routing_number]=110000000")

	card := v.id("POST /v1/customers/{customer}/sources", "source=tok_visa&metadata[a]=b", customer)
	v.call("GET /v1/customers/{customer}/sources", "object=card", customer)
	v.call("GET /v1/customers/{customer}/sources/{id}", "expand[]=customer", customer, card)
	v.call("POST /v1/customers/{customer}/sources/{id}", "exp_month=5&exp_year=2039&name=Jo&address_line1=1+High+St&address_zip=N1", customer, card)
	source := v.id("POST /v1/sources", "type=card&token=tok_mastercard&owner[email]=jo@example.com&owner[address][line1]=1+High+St&metadata[a]=b&usage=reusable")
	v.call("GET /v1/sources/{source}", "", source)
	v.call("POST /v1/sources/{source}", "owner[name]=Jo&metadata[a]=c", source)
	v.call("POST /v1/customers/{customer}/sources", "source="+source, customer)
	v.call("GET /v1/customers/{customer}", "expand[]=default_source&expand[]=sources", customer)
	v.call("POST /v1/customers/{customer}", "default_source="+source, customer)
	v.call("DELETE /v1/customers/{customer}/sources/{id}", "", customer, source)
	v.call("DELETE /v1/customers/{customer}/sources/{id}", "", customer, card)
	v.id("POST /v1/payment_methods", "type=paypal&billing_details[email]=jo@example.com")
	v.id("POST /v1/payment_methods", "type=link&billing_details[email]=jo@example.com")

	intent := v.id("POST /v1/payment_intents", "amount=5000&currency=gbp&customer="+customer+"&payment_method="+method+"&off_session=true&confirm=true&metadata[order]=1&description=d&receipt_email=jo@example.com&statement_descriptor=SHOP&shipping[name]=Jo&shipping[address][line1]=x")
	v.call("GET /v1/payment_intents/{intent}", "expand[]=latest_charge.balance_transaction&expand[]=customer&expand[]=payment_method", intent)
	v.call("POST /v1/payment_intents/{intent}", "metadata[more]=2", intent)
	v.call("GET /v1/payment_intents", "customer="+customer+"&expand[]=data.latest_charge.refunds")
	waiting := v.id("POST /v1/payment_intents", "amount=5000&currency=gbp&payment_method=pm_card_authenticationRequired&confirm=true&return_url=https://a.example/back")
	v.call("POST /v1/payment_intents/{intent}/cancel", "cancellation_reason=duplicate", waiting)
	third := v.id("POST /v1/payment_intents", "amount=5000&currency=eur&payment_method_types[]=sepa_debit&payment_method_types[]=card")
	v.call("POST /v1/payment_intents/{intent}/confirm", "payment_method="+sepa, third)
	v.sandboxPost("/_sandbox/actions/settle_debits", map[string]string{"id": third})
	v.call("GET /v1/payment_intents/{intent}", "expand[]=latest_charge", third)
	v.id("POST /v1/refunds", "payment_intent="+third)
	sdk := v.id("POST /v1/payment_intents", "amount=5000&currency=gbp&payment_method=pm_card_authenticationRequired&confirm=true&automatic_payment_methods[enabled]=true&automatic_payment_methods[allow_redirects]=never")
	v.call("GET /v1/payment_intents/{intent}", "", sdk)

	charge := v.call("GET /v1/charges", "payment_intent="+intent).field(t, "data").([]any)[0].(map[string]any)["id"].(string)
	v.call("POST /v1/charges/{charge}", "metadata[x]=y&description=new", charge)
	v.call("GET /v1/charges/{charge}", "expand[]=refunds&expand[]=payment_intent.payment_method&expand[]=balance_transaction.source", charge)
	refund := v.id("POST /v1/refunds", "payment_intent="+intent+"&amount=100&reason=requested_by_customer&metadata[a]=b")
	v.call("POST /v1/refunds/{refund}", "metadata[c]=d", refund)
	v.call("GET /v1/refunds/{refund}", "expand[]=charge&expand[]=balance_transaction", refund)
	v.call("GET /v1/refunds", "charge="+charge)
	slow := v.id("POST /v1/payment_intents", "amount=900&currency=gbp&payment_method=pm_card_pendingRefund&payment_method_types[]=card&confirm=true")
	v.call("POST /v1/refunds/{refund}/cancel", "", v.id("POST /v1/refunds", "payment_intent="+slow))

	v.id("POST /v1/payment_intents", "amount=5000&currency=usd&payment_method=pm_card_createDispute&payment_method_types[]=card&confirm=true")
	v.id("POST /v1/payment_intents", "amount=5000&currency=usd&payment_method=pm_card_createDisputeInquiry&payment_method_types[]=card&confirm=true")
	disputes := v.call("GET /v1/disputes", "expand[]=data.charge").field(t, "data").([]any)
	dispute := disputes[1].(map[string]any)["id"].(string)
	v.call("POST /v1/disputes/{dispute}", "evidence[customer_name]=Jo&submit=false", dispute)
	v.call("POST /v1/disputes/{dispute}/close", "", dispute)
	v.call("GET /v1/disputes/{dispute}", "expand[]=payment_intent", dispute)

	v.call("GET /v1/balance", "")
	payouts := v.sandboxPost("/_sandbox/actions/payout", map[string]string{"id": sandbox.AccountID(testKey)})
	if payouts.status != http.StatusOK {
		t.Fatalf("payout: %s", payouts.body)
	}
	payout := v.call("GET /v1/payouts", "status=paid").field(t, "data").([]any)[0].(map[string]any)["id"].(string)
	v.call("GET /v1/payouts/{payout}", "expand[]=balance_transaction", payout)
	txns := v.call("GET /v1/balance_transactions", "payout="+payout+"&expand[]=data.source").field(t, "data").([]any)
	v.call("GET /v1/balance_transactions/{id}", "expand[]=source", txns[0].(map[string]any)["id"].(string))

	setup := v.id("POST /v1/setup_intents", "customer="+customer+"&payment_method_types[]=card&usage=off_session")
	v.call("POST /v1/setup_intents/{intent}", "metadata[a]=b&description=d", setup)
	v.call("POST /v1/setup_intents/{intent}/confirm", "payment_method=pm_card_authenticationRequiredOnSetup&return_url=https://a.example/back", setup)
	v.call("GET /v1/setup_intents/{intent}", "expand[]=payment_method&expand[]=customer", setup)
	v.call("GET /v1/setup_intents", "customer="+customer)
	v.call("POST /v1/setup_intents/{intent}/cancel", "cancellation_reason=abandoned", setup)

	session := v.id("POST /v1/checkout/sessions", oneItem+"&customer="+customer+"&customer_update[name]=auto&client_reference_id=7&locale=en-GB&submit_type=pay&custom_text[submit][message]=Hello&consent_collection[terms_of_service]=required&phone_number_collection[enabled]=true&billing_address_collection=required&payment_method_options[card][setup_future_usage]=off_session&payment_method_types[]=card&payment_method_types[]=bacs_debit&metadata[a]=b&payment_intent_data[setup_future_usage]=off_session&invoice_creation[enabled]=false")
	v.call("GET /v1/checkout/sessions/{session}", "expand[]=line_items&expand[]=customer", session)
	v.call("GET /v1/checkout/sessions/{session}/line_items", "limit=1", session)
	v.call("GET /v1/checkout/sessions", "customer="+customer+"&status=open&expand[]=data.line_items")
	v.call("POST /v1/checkout/sessions/{session}/expire", "", session)
	v.id("POST /v1/checkout/sessions", "mode=setup&success_url=https://a.example/ok&customer="+customer+"&payment_method_types[]=card&setup_intent_data[metadata][a]=b")

	v.call("GET /v1/account", "")
	v.call("DELETE /v1/customers/{customer}", "", customer)
	v.call("GET /v1/customers/{customer}", "", customer)
	events := v.call("GET /v1/events", "limit=100&types[]=charge.*&types[]=customer.deleted&delivery_success=true").field(t, "data").([]any)
	v.call("GET /v1/events/{id}", "", events[0].(map[string]any)["id"].(string))

	for _, route := range sandbox.Routes() {
		if !v.seen[route] {
			t.Errorf("no answer of %s was looked at", route)
		}
	}
	listed, err := os.ReadFile("routes.txt")
	if err != nil {
		t.Fatal(err)
	}
	fromFile := strings.Split(strings.TrimSpace(string(listed)), "\n")
	slices.Sort(fromFile)
	if !slices.Equal(fromFile, sandbox.Routes()) {
		t.Error("routes.txt and apiRoutes differ")
	}
	// Every event that all this made must be sound as well.
	var state struct {
		Objects map[string][]json.RawMessage `json:"objects"`
	}
	if err := json.Unmarshal(v.get("/_sandbox/state").body, &state); err != nil {
		t.Fatal(err)
	}
	for _, event := range state.Objects["event"] {
		text := strings.Replace(string(event), `"_account":"`+sandbox.AccountID(testKey)+`",`, "", 1)
		if err := stripeSpec().CheckEvent([]byte(text)); err != nil {
			t.Error(err)
		}
	}
	if len(state.Objects["event"]) < 40 {
		t.Errorf("only %d events were made", len(state.Objects["event"]))
	}
}

func TestTheContractCheckFindsDeviations(t *testing.T) {
	t.Parallel()
	b := setup(t)
	good := b.raw(http.MethodPost, "/v1/payment_intents", "amount=5000&currency=gbp&payment_method=pm_card_visa&payment_method_types[]=card&confirm=true&expand[]=latest_charge").text()
	for name, change := range map[string][2]string{
		"AFieldOfTheWrongType":        {`"amount":5000`, `"amount":"5000"`},
		"AnUnknownField":              {`"livemode":false`, `"livemode":false,"colour":"red"`},
		"ALackingField":               {`"currency":"gbp",`, ``},
		"ANullWhereStripeHasNone":     {`"status":"succeeded"`, `"status":null`},
		"AValueOutsideTheEnumeration": {`"capture_method":"automatic"`, `"capture_method":"sometimes"`},
		"AFaultInAnExpandedObject":    {`"paid":true`, `"paid":7`},
		"ANoteOfTheSandbox":           {`"metadata":{}`, `"metadata":{"_card":"visa"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := strings.ReplaceAll(good, change[0], change[1])
			if bad == good {
				t.Fatalf("the answer has no %s: %s", change[0], good)
			}
			if err := stripeSpec().CheckAnswer(http.MethodPost, "/v1/payment_intents", 200, []byte(bad)); err == nil {
				t.Error("the check takes it")
			}
		})
	}
}
