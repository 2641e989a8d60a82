package sandbox_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// customer makes one with the given parameters.
func (b *bench) customer(form string) string {
	b.t.Helper()
	return b.made("/v1/customers", form)
}

// made posts a form that must be taken and returns the new object's id.
func (b *bench) made(path, form string) string {
	b.t.Helper()
	a := b.raw(http.MethodPost, path, form)
	id, _ := a.field(b.t, "id").(string)
	if a.status != http.StatusOK || id == "" {
		b.t.Fatalf("POST %s %s: %d %s", path, form, a.status, a.body)
	}
	return id
}

// attached saves a test payment method with a customer.
func (b *bench) attached(method, customer string) string {
	b.t.Helper()
	return b.made("/v1/payment_methods/"+method+"/attach", "customer="+customer)
}

// charge tries to charge a saved method while the customer is away.
func (b *bench) charge(customer, method, currency string) rawAnswer {
	b.t.Helper()
	kind := b.raw(http.MethodGet, "/v1/payment_methods/"+method, "").field(b.t, "type")
	types, _ := kind.(string)
	if types == "" {
		types = "card"
	}
	return b.raw(http.MethodPost, "/v1/payment_intents", "amount=5000&currency="+currency+"&customer="+customer+"&payment_method="+method+"&payment_method_types[]="+types+"&confirm=true&off_session=true")
}

// ids lists the ids of a collection.
func (b *bench) ids(path string) []string {
	b.t.Helper()
	a := b.raw(http.MethodGet, path, "")
	list, _ := a.field(b.t, "data").([]any)
	out := []string{}
	for _, v := range list {
		out = append(out, v.(map[string]any)["id"].(string))
	}
	return out
}

// refused says that an answer is an error with this status, code and param.
func (a rawAnswer) refused(t *testing.T, status int, code, param string) {
	t.Helper()
	haveCode, _ := a.field(t, "error", "code").(string)
	haveParam, _ := a.field(t, "error", "param").(string)
	if a.status != status || haveCode != code || haveParam != param {
		t.Errorf("want %d with code %q and param %q, have %d %s", status, code, param, a.status, a.body)
	}
}

func TestSavedCardsBelongToOneCustomer(t *testing.T) {
	t.Parallel()
	t.Run("AnotherCustomerCanNeitherSeeNorChargeNorTakeThem", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ada, bob := b.customer("name=Ada"), b.customer("name=Bob")
		card := b.attached("pm_card_visa", ada)
		b.raw(http.MethodGet, "/v1/customers/"+bob+"/payment_methods/"+card, "").refused(t, 404, "resource_missing", "payment_method")
		b.raw(http.MethodPost, "/v1/payment_methods/"+card+"/attach", "customer="+bob).refused(t, 400, "resource_already_exists", "")
		b.charge(bob, card, "gbp").refused(t, 400, "", "payment_method")
		b.raw(http.MethodPost, "/v1/payment_intents", "amount=5000&currency=gbp&payment_method="+card+"&payment_method_types[]=card&confirm=true&off_session=true").refused(t, 400, "", "payment_method")
		if a := b.charge(ada, card, "gbp"); a.status != 200 || a.field(t, "status") != "succeeded" {
			t.Errorf("its own customer: %d %s", a.status, a.body)
		}
		if list := b.ids("/v1/customers/" + bob + "/payment_methods"); len(list) != 0 {
			t.Errorf("the other one's list has %v", list)
		}
	})
	t.Run("EachUseOfATestMethodIsAnotherCard", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		customer := b.customer("")
		first, second := b.attached("pm_card_visa", customer), b.attached("pm_card_visa", customer)
		looked := b.raw(http.MethodGet, "/v1/payment_methods/pm_card_visa", "").field(t, "id")
		if first == second || looked == "pm_card_visa" || looked == first {
			t.Errorf("ids %s, %s, %v", first, second, looked)
		}
		if list := b.ids("/v1/payment_methods?customer=" + customer); !slices.Equal(list, []string{second, first}) {
			t.Errorf("the list, newest first: %v", list)
		}
	})
	t.Run("ADetachedCardIsGoneForGood", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		customer := b.customer("payment_method=pm_card_visa&invoice_settings[default_payment_method]=pm_card_visa")
		card := b.ids("/v1/customers/" + customer + "/payment_methods")[0]
		if v := b.raw(http.MethodGet, "/v1/customers/"+customer, "").field(t, "invoice_settings", "default_payment_method"); v != card {
			t.Errorf("the default is %v, not %s", v, card)
		}
		if a := b.sandboxPost("/_sandbox/actions/detach", map[string]string{"id": card}); a.status != 200 {
			t.Fatalf("%s", a.body)
		}
		b.charge(customer, card, "gbp").refused(t, 400, "payment_method_unexpected_state", "payment_method")
		b.raw(http.MethodPost, "/v1/payment_methods/"+card+"/attach", "customer="+customer).refused(t, 400, "payment_method_unexpected_state", "payment_method")
		b.raw(http.MethodGet, "/v1/customers/"+customer+"/payment_methods/"+card, "").refused(t, 404, "resource_missing", "payment_method")
		if v := b.raw(http.MethodGet, "/v1/customers/"+customer, "").field(t, "invoice_settings", "default_payment_method"); v != nil {
			t.Errorf("it is still the default: %v", v)
		}
		if a := b.sandboxPost("/_sandbox/actions/detach", map[string]string{"id": card}); a.status != 409 {
			t.Errorf("detached twice: %d", a.status)
		}
	})
	t.Run("ACardItsBankRefusesCannotBeSaved", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		customer := b.customer("")
		for method, code := range map[string]string{"pm_card_chargeDeclined": "card_declined", "pm_card_chargeDeclinedExpiredCard": "expired_card", "pm_card_chargeDeclinedIncorrectCvc": "incorrect_cvc"} {
			b.raw(http.MethodPost, "/v1/payment_methods/"+method+"/attach", "customer="+customer).refused(t, 402, code, "")
		}
		method := b.made("/v1/payment_methods", "type=card&card[token]=tok_chargeDeclined")
		b.raw(http.MethodPost, "/v1/payment_methods/"+method+"/attach", "customer="+customer).refused(t, 402, "card_declined", "")
		later := b.attached(b.made("/v1/payment_methods", "type=card&card[token]=tok_chargeCustomerFail"), customer)
		b.charge(customer, later, "gbp").refused(t, 402, "card_declined", "")
		if list := b.ids("/v1/payment_methods?customer=" + customer); !slices.Equal(list, []string{later}) {
			t.Errorf("saved are %v", list)
		}
	})
	t.Run("ATokensOwnerIsKeptWithTheCard", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		token := b.made("/v1/tokens", "card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=40&card[name]=Jo&card[address_zip]=N1&card[address_country]=GB")
		a := b.raw(http.MethodPost, "/v1/payment_methods", "type=card&card[token]="+token+"&billing_details[email]=jo@example.com")
		for want, path := range map[string][]string{"Jo": {"billing_details", "name"}, "N1": {"billing_details", "address", "postal_code"}, "jo@example.com": {"billing_details", "email"}} {
			if have := a.field(t, path...); have != want {
				t.Errorf("%v is %v, not %s", path, have, want)
			}
		}
	})
	t.Run("ALabelIsKeptAsMetadata", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		card := b.attached("pm_card_visa", b.customer(""))
		b.made("/v1/payment_methods/"+card, "metadata[label]=work")
		if v := b.raw(http.MethodGet, "/v1/payment_methods/"+card, "").field(t, "metadata", "label"); v != "work" {
			t.Errorf("the label is %v", v)
		}
	})
}

func TestLegacyCards(t *testing.T) {
	t.Parallel()
	t.Run("ATokenBecomesACardThatIsAPaymentMethodToo", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		customer := b.customer("")
		token := b.raw(http.MethodPost, "/v1/tokens", "card[number]=5555555555554444&card[exp_month]=7&card[exp_year]=2041&card[cvc]=123")
		card := b.made("/v1/customers/"+customer+"/sources", "source="+token.field(t, "id").(string))
		if card != token.field(t, "card", "id") || !strings.HasPrefix(card, "card_") {
			t.Errorf("the card is %s, the token's %v", card, token.field(t, "card", "id"))
		}
		old := b.raw(http.MethodGet, "/v1/customers/"+customer+"/sources/"+card, "")
		if old.field(t, "brand") != "MasterCard" || old.field(t, "last4") != "4444" || old.field(t, "customer") != customer {
			t.Errorf("as a card: %s", old.body)
		}
		for _, path := range []string{"/v1/payment_methods/" + card, "/v1/customers/" + customer + "/payment_methods/" + card} {
			if a := b.raw(http.MethodGet, path, ""); a.field(t, "object") != "payment_method" || a.field(t, "card", "brand") != "mastercard" {
				t.Errorf("%s: %s", path, a.body)
			}
		}
		if list := b.ids("/v1/customers/" + customer + "/payment_methods?type=card"); !slices.Equal(list, []string{card}) {
			t.Errorf("payment methods: %v", list)
		}
		if a := b.charge(customer, card, "gbp"); a.field(t, "status") != "succeeded" || a.field(t, "payment_method") != card {
			t.Errorf("charged: %d %s", a.status, a.body)
		}
		b.raw(http.MethodPost, "/v1/customers/"+customer+"/sources", "source="+token.field(t, "id").(string)).refused(t, 400, "token_already_used", "source")
	})
	t.Run("TheDefaultMovesOn", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		customer := b.customer("source=tok_visa")
		first, _ := b.raw(http.MethodGet, "/v1/customers/"+customer, "").field(t, "default_source").(string)
		second := b.made("/v1/customers/"+customer+"/sources", "source=tok_amex")
		source := b.made("/v1/sources", "type=card&token=tok_visa")
		b.made("/v1/customers/"+customer+"/sources", "source="+source)
		if list := b.ids("/v1/customers/" + customer + "/sources"); !slices.Equal(list, []string{source, second, first}) {
			t.Fatalf("sources %v, want %v", list, []string{source, second, first})
		}
		if list := b.ids("/v1/customers/" + customer + "/sources?object=source"); !slices.Equal(list, []string{source}) {
			t.Errorf("of the kind source: %v", list)
		}
		b.made("/v1/customers/"+customer, "default_source="+second)
		// Detached by the newer way, it is gone from the older as well.
		b.made("/v1/payment_methods/"+second+"/detach", "")
		b.raw(http.MethodGet, "/v1/customers/"+customer+"/sources/"+second, "").refused(t, 404, "resource_missing", "id")
		a := b.raw(http.MethodGet, "/v1/customers/"+customer+"?expand[]=default_source", "")
		if a.field(t, "default_source", "id") != source || a.field(t, "default_source", "object") != "source" {
			t.Errorf("the default is now %v", a.field(t, "default_source"))
		}
		deleted := b.raw(http.MethodDelete, "/v1/customers/"+customer+"/sources/"+source, "")
		if deleted.field(t, "status") != "consumed" {
			t.Errorf("detached: %s", deleted.body)
		}
		if a = b.raw(http.MethodDelete, "/v1/customers/"+customer+"/sources/"+first, ""); a.field(t, "deleted") != true {
			t.Errorf("deleted: %s", a.body)
		}
		if v := b.raw(http.MethodGet, "/v1/customers/"+customer, "").field(t, "default_source"); v != nil {
			t.Errorf("the default is %v", v)
		}
		b.raw(http.MethodPost, "/v1/customers/"+customer+"/sources", "source="+source).refused(t, 400, "", "source")
		b.charge(customer, first, "gbp").refused(t, 400, "payment_method_unexpected_state", "payment_method")
		if types := b.eventTypes(); !slices.Contains(types, "customer.source.created") || !slices.Contains(types, "customer.source.deleted") || !slices.Contains(types, "payment_method.detached") {
			t.Errorf("events %v", types)
		}
	})
	t.Run("ASourceOfACustomersUpdateReplacesTheDefault", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		customer := b.customer("source=tok_visa")
		b.made("/v1/customers/"+customer, "source=tok_mastercard")
		if list := b.ids("/v1/customers/" + customer + "/sources"); len(list) != 1 || b.raw(http.MethodGet, "/v1/customers/"+customer, "").field(t, "default_source") != list[0] {
			t.Errorf("sources %v", list)
		}
	})
	t.Run("TheHostedPageOffersThem", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		customer := b.customer("email=jo@example.com&source=tok_amex")
		card := b.ids("/v1/customers/" + customer + "/sources")[0]
		session := b.made("/v1/checkout/sessions", oneItem+"&customer="+customer)
		if page := b.get("/c/pay/" + session); !strings.Contains(page.text(), card) || !strings.Contains(page.text(), "AMEX •••• 0005") {
			t.Error("the page does not show the saved card")
		}
		if a := b.submit("/c/pay/"+session, url.Values{"method": {"card"}, "saved": {card}}); a.header.Get("Location") != "https://a.example/ok" {
			t.Errorf("answered %d to %q", a.status, a.header.Get("Location"))
		}
		if list := b.raw(http.MethodGet, "/v1/charges?customer="+customer, ""); list.field(t, "data").([]any)[0].(map[string]any)["payment_method"] != card {
			t.Errorf("%s", list.body)
		}
	})
	t.Run("WhatCannotBeSavedIsRefused", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		customer := b.customer("")
		path := "/v1/customers/" + customer + "/sources"
		b.raw(http.MethodPost, path, "source=tok_chargeDeclined").refused(t, 402, "card_declined", "")
		b.raw(http.MethodPost, path, "source=tok_nothing").refused(t, 400, "resource_missing", "source")
		b.raw(http.MethodPost, path, "source=pm_card_visa").refused(t, 400, "resource_missing", "source")
		b.raw(http.MethodPost, path, "").refused(t, 400, "parameter_missing", "source")
		b.raw(http.MethodPost, "/v1/customers", "source=tok_chargeDeclined").refused(t, 402, "card_declined", "")
		b.raw(http.MethodPost, "/v1/sources", "type=card").refused(t, 400, "parameter_missing", "token")
		b.raw(http.MethodPost, "/v1/payment_methods/card_nothing/attach", "customer="+customer).refused(t, 404, "resource_missing", "payment_method")
		if list := b.ids(path); len(list) != 0 {
			t.Errorf("saved all the same: %v", list)
		}
		if list := b.ids("/v1/customers"); !slices.Equal(list, []string{customer}) {
			t.Errorf("a customer without their card was made: %v", list)
		}
		later := b.made(path, "source=tok_chargeCustomerFail")
		b.charge(customer, later, "gbp").refused(t, 402, "card_declined", "")
	})
}

func TestPaymentsWithoutTheCustomer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ sentence, method, code, decline string }{
		{"ACardThatFailsLater", "pm_card_chargeCustomerFail", "card_declined", "generic_decline"},
		{"ABankThatAlwaysAsks", "pm_card_authenticationRequired", "authentication_required", "authentication_required"},
		{"ACardThatNeedsThreeDSecure", "pm_card_threeDSecure2Required", "authentication_required", "authentication_required"},
		{"ACardThatWasNotSetUp", "pm_card_authenticationRequiredOnSetup", "authentication_required", "authentication_required"},
	} {
		t.Run("AreDeclinedFor"+c.sentence, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			customer := b.customer("")
			a := b.charge(customer, b.attached(c.method, customer), "gbp")
			a.refused(t, 402, c.code, "")
			intent, _ := a.field(t, "error", "payment_intent", "id").(string)
			if a.field(t, "error", "decline_code") != c.decline || a.field(t, "error", "payment_intent", "status") != "requires_payment_method" || a.field(t, "error", "charge") == nil {
				t.Errorf("%s", a.body)
			}
			// It can be paid with another card, or canceled, since nothing was taken.
			if again := b.raw(http.MethodPost, "/v1/payment_intents/"+intent+"/confirm", "payment_method=pm_card_visa&off_session=true"); again.field(t, "status") != "succeeded" {
				t.Errorf("another card: %s", again.body)
			}
			b.raw(http.MethodPost, "/v1/payment_intents/"+intent+"/cancel", "").refused(t, 400, "payment_intent_unexpected_state", "")
		})
	}
	t.Run("AreListedByCustomerNewestFirst", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ada, bob := b.customer(""), b.customer("")
		card := b.attached("pm_card_visa", ada)
		first, _ := b.charge(ada, card, "gbp").field(t, "id").(string)
		b.charge(bob, b.attached("pm_card_visa", bob), "gbp")
		second, _ := b.charge(ada, card, "gbp").field(t, "id").(string)
		if list := b.ids("/v1/payment_intents?customer=" + ada); !slices.Equal(list, []string{second, first}) {
			t.Errorf("%v, want %v", list, []string{second, first})
		}
	})
	t.Run("AMethodsOwnSetupIsKeptAndNoOthers", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		customer := b.customer("")
		a := b.raw(http.MethodPost, "/v1/payment_intents", "amount=5000&currency=gbp&customer="+customer+"&payment_method=pm_card_visa&payment_method_types[]=card&payment_method_types[]=bacs_debit&payment_method_options[card][setup_future_usage]=off_session&confirm=true")
		if a.status != 200 || a.field(t, "payment_method_options", "card", "setup_future_usage") != "off_session" || a.field(t, "setup_future_usage") != nil {
			t.Fatalf("%d %s", a.status, a.body)
		}
		b.raw(http.MethodPost, "/v1/payment_intents", "amount=5000&currency=gbp&customer="+customer+"&payment_method=pm_bacsDebit_success&payment_method_types[]=card&payment_method_types[]=bacs_debit&payment_method_options[card][setup_future_usage]=off_session&confirm=true")
		if list := b.ids("/v1/customers/" + customer + "/payment_methods"); len(list) != 1 || list[0] != a.field(t, "payment_method") {
			t.Errorf("saved are %v", list)
		}
	})
}

func TestDeletedCustomers(t *testing.T) {
	t.Parallel()
	t.Run("NothingCanBeDoneWithThemAnyMore", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		customer := b.customer("source=tok_visa")
		card := b.attached("pm_card_visa", customer)
		intent := b.made("/v1/payment_intents", "amount=5000&currency=gbp&customer="+customer+"&payment_method_types[]=card")
		if a := b.sandboxPost("/_sandbox/actions/delete_customer", map[string]string{"id": customer}); a.status != 200 || a.field(t, "deleted") != true {
			t.Fatalf("%d %s", a.status, a.body)
		}
		if a := b.raw(http.MethodGet, "/v1/customers/"+customer, ""); a.status != 200 || a.field(t, "deleted") != true {
			t.Errorf("%d %s", a.status, a.body)
		}
		b.raw(http.MethodPost, "/v1/checkout/sessions", oneItem+"&customer="+customer).refused(t, 400, "resource_missing", "customer")
		b.raw(http.MethodPost, "/v1/payment_intents", "amount=5000&currency=gbp&customer="+customer).refused(t, 400, "resource_missing", "customer")
		b.raw(http.MethodPost, "/v1/setup_intents", "customer="+customer).refused(t, 400, "resource_missing", "customer")
		b.raw(http.MethodPost, "/v1/payment_intents/"+intent+"/confirm", "payment_method=pm_card_visa").refused(t, 400, "resource_missing", "customer")
		b.raw(http.MethodPost, "/v1/payment_methods/pm_card_visa/attach", "customer="+customer).refused(t, 400, "resource_missing", "customer")
		b.raw(http.MethodGet, "/v1/payment_methods?customer="+customer, "").refused(t, 400, "resource_missing", "customer")
		for _, path := range []string{"/payment_methods", "/sources"} {
			if a := b.raw(http.MethodGet, "/v1/customers/"+customer+path, ""); a.status != 404 {
				t.Errorf("%s: %d %s", path, a.status, a.body)
			}
		}
		b.raw(http.MethodPost, "/v1/payment_intents", "amount=5000&currency=gbp&payment_method="+card+"&payment_method_types[]=card&confirm=true").refused(t, 400, "payment_method_unexpected_state", "payment_method")
		if a := b.raw(http.MethodDelete, "/v1/customers/"+customer, ""); a.status != 404 {
			t.Errorf("deleted twice: %d", a.status)
		}
		if a := b.sandboxPost("/_sandbox/actions/delete_customer", map[string]string{"id": customer}); a.status != 409 {
			t.Errorf("deleted twice by action: %d", a.status)
		}
		if types := b.eventTypes(); types[len(types)-1] != "customer.deleted" {
			t.Errorf("events %v", types)
		}
	})
	t.Run("WhoeverIsDeletedWhileTheBankAsksPaysButSavesNothing", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		customer := b.customer("")
		a := b.raw(http.MethodPost, "/v1/payment_intents", "amount=5000&currency=gbp&customer="+customer+"&payment_method=pm_card_authenticationRequired&payment_method_types[]=card&setup_future_usage=off_session&confirm=true&return_url=https://a.example/back")
		link, _ := a.field(t, "next_action", "redirect_to_url", "url").(string)
		u, err := url.Parse(link)
		if err != nil || u.Path == "" {
			t.Fatalf("%v in %s", err, a.body)
		}
		b.act("delete_customer", map[string]any{"id": customer})
		b.submit(u.Path, url.Values{"client_secret": {u.Query().Get("client_secret")}, "result": {"approve"}})
		paid := b.raw(http.MethodGet, "/v1/payment_intents/"+a.field(t, "id").(string)+"?expand[]=payment_method", "")
		if paid.field(t, "status") != "succeeded" || paid.field(t, "payment_method", "customer") != nil {
			t.Errorf("%s", paid.body)
		}
	})
	t.Run("AnOpenSessionOfTheirsCannotBePaid", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		customer := b.customer("email=jo@example.com")
		params := sessionParams()
		params.Customer = &customer
		s := b.session(params)
		b.raw(http.MethodDelete, "/v1/customers/"+customer, "")
		if a := b.pay(s, "4242424242424242"); a.status != http.StatusPaymentRequired || !strings.Contains(a.text(), "No such customer") {
			t.Errorf("answered %d", a.status)
		}
		if list := b.ids("/v1/charges"); len(list) != 0 {
			t.Errorf("charged: %v", list)
		}
	})
}

func TestCheckoutSavesWhatItIsAskedTo(t *testing.T) {
	t.Parallel()
	const bacs = "&payment_method_types[]=card&payment_method_types[]=bacs_debit"
	debit := url.Values{"email": {"jo@example.com"}, "method": {"bacs_debit"}, "sort_code": {"10-88-00"}, "account_number": {"00012345"}, "name": {"Jo"}}
	for _, c := range []struct {
		sentence, extra string
		form            url.Values
		saved           int
	}{
		{"ACardForCards", "&payment_method_options[card][setup_future_usage]=off_session", card("4242424242424242"), 1},
		{"NoDebitForCards", "&payment_method_options[card][setup_future_usage]=off_session", debit, 0},
		{"ACardForAll", "&payment_intent_data[setup_future_usage]=off_session", card("4242424242424242"), 1},
		{"ADebitForAll", "&payment_intent_data[setup_future_usage]=off_session", debit, 1},
		{"NothingUnasked", "", card("4242424242424242"), 0},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			customer := b.customer("email=jo@example.com")
			session := b.made("/v1/checkout/sessions", oneItem+bacs+c.extra+"&customer="+customer)
			if a := b.submit("/c/pay/"+session, c.form); a.status != http.StatusSeeOther {
				t.Fatalf("answered %d", a.status)
			}
			list := b.ids("/v1/customers/" + customer + "/payment_methods")
			if len(list) != c.saved {
				t.Fatalf("%d saved, want %d", len(list), c.saved)
			}
			if c.saved == 1 {
				billing := b.raw(http.MethodGet, "/v1/payment_methods/"+list[0], "")
				if billing.field(t, "billing_details", "email") != "jo@example.com" || billing.field(t, "billing_details", "phone") != nil {
					t.Errorf("billing details %v", billing.field(t, "billing_details"))
				}
				if a := b.charge(customer, list[0], "gbp"); a.status != 200 {
					t.Errorf("charged later: %s", a.body)
				}
			}
		})
	}
	t.Run("ASetupSessionGoesThroughThreeDSecure", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		customer := b.customer("email=jo@example.com")
		session := b.made("/v1/checkout/sessions", "mode=setup&success_url=https://a.example/ok&payment_method_types[]=card&customer="+customer)
		try := func(answer string) rawAnswer {
			t.Helper()
			a := b.submit("/c/pay/"+session, card("4000002500003155"))
			u, err := url.Parse(a.header.Get("Location"))
			if err != nil || !strings.HasPrefix(u.Path, "/c/authenticate/seti_") {
				t.Fatalf("answered %d to %v", a.status, u)
			}
			return b.submit(u.Path, url.Values{"client_secret": {u.Query().Get("client_secret")}, "result": {answer}})
		}
		if a := try("fail"); a.header.Get("Location") != "/c/pay/"+session || len(b.ids("/v1/customers/"+customer+"/payment_methods")) != 0 {
			t.Errorf("after a failed try: to %q", a.header.Get("Location"))
		}
		if a := try("approve"); a.header.Get("Location") != "https://a.example/ok" {
			t.Fatalf("after a good one: %d to %q", a.status, a.header.Get("Location"))
		}
		a := b.raw(http.MethodGet, "/v1/checkout/sessions/"+session+"?expand[]=setup_intent.payment_method", "")
		if a.field(t, "status") != "complete" || a.field(t, "setup_intent", "status") != "succeeded" || a.field(t, "setup_intent", "payment_method", "customer") != customer {
			t.Errorf("%s", a.body)
		}
		saved := a.field(t, "setup_intent", "payment_method", "id").(string)
		if paid := b.charge(customer, saved, "gbp"); paid.field(t, "status") != "succeeded" {
			t.Errorf("set up, but off-session it answered %s", paid.body)
		}
		types := b.eventTypes()
		for _, want := range []string{"setup_intent.setup_failed", "setup_intent.succeeded", "payment_method.attached", "checkout.session.completed"} {
			if !slices.Contains(types, want) {
				t.Errorf("no %s in %v", want, types)
			}
		}
	})
}
