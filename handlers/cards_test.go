package handlers_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/describe"
	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
)

// about is a request about cards: neither a cart nor addresses.
func (k *till) about(changes ...func(*wire.StripePaymentRequest)) *wire.StripePaymentRequest {
	return k.request(append([]func(*wire.StripePaymentRequest){func(r *wire.StripePaymentRequest) {
		r.ShoppingInformation, r.SuccessUrl, r.CancelUrl = nil, wire.String{}, wire.String{}
	}}, changes...)...)
}

// The parts of a request that name a card.
func withToken(token string) func(*wire.StripePaymentRequest) {
	return func(r *wire.StripePaymentRequest) { r.ApiSingleUseToken = wire.Str(token) }
}

func withCard(id string) func(*wire.StripePaymentRequest) {
	return func(r *wire.StripePaymentRequest) { r.StripeSourceId = wire.Str(id) }
}

func labelled(label string) func(*wire.StripePaymentRequest) {
	return func(r *wire.StripePaymentRequest) { r.CardInfo = wire.Str(label) }
}

func ofCustomer(i int32) func(*wire.StripePaymentRequest) {
	return func(r *wire.StripePaymentRequest) { r.ICustomer, r.Customer.ICustomer = i, i }
}

func listing(r *wire.StripePaymentRequest)  { r.GetCustomerCardInformation = true }
func deleting(r *wire.StripePaymentRequest) { r.IsDelete = true }

func withoutAddresses(r *wire.StripePaymentRequest) {
	r.SuccessUrl, r.CancelUrl = wire.String{}, wire.String{}
}

// carriedOut is the answer to a request that was done.
func (a answer) carriedOut(status string) response {
	a.t.Helper()
	r := a.json()
	if a.status != http.StatusOK || !r.Success || r.Status != status || r.ResponseStatus != nil {
		a.t.Fatalf("want %s, got %d %s", status, a.status, a.body)
	}
	if r.License != "" || strings.Contains(a.body, "icense") || strings.Contains(a.body, "ptl_") {
		a.t.Errorf("the licence is in the answer: %s", a.body)
	}
	return r
}

// saveCard saves what a token stands for and returns the card's id.
func (k *till) saveCard(token string, changes ...func(*wire.StripePaymentRequest)) string {
	k.t.Helper()
	r := k.send(wire.JSON, k.about(append(changes, withToken(token))...)).carriedOut("saved")
	return r.Cards[0].StripeSourceId
}

func (k *till) cards(changes ...func(*wire.StripePaymentRequest)) []card {
	k.t.Helper()
	return k.send(wire.JSON, k.about(append(changes, listing)...)).carriedOut("listed").Cards
}

// atStripe reads an object of a tenant's account at the double, or posts to it when there is a form.
func (k *till) atStripe(t *pay.Tenant, path string, form url.Values) map[string]any {
	k.t.Helper()
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	r, err := http.NewRequest(method, stripeURL+path, strings.NewReader(form.Encode()))
	if err != nil {
		k.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "Bearer "+t.StripeKey.Reveal())
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		k.t.Fatal(err)
	}
	defer res.Body.Close()
	var o map[string]any
	if err := json.NewDecoder(res.Body).Decode(&o); err != nil || res.StatusCode != http.StatusOK {
		k.t.Fatalf("%s: %d %v %v", path, res.StatusCode, err, o)
	}
	return o
}

// token is what Stripe.js makes of a typed card: good for one use.
func (k *till) token(t *pay.Tenant, number string) string {
	k.t.Helper()
	o := k.atStripe(t, "/v1/tokens", url.Values{"card[number]": {number}, "card[exp_month]": {"12"}, "card[exp_year]": {"2040"}, "card[cvc]": {"123"}})
	id, _ := o["id"].(string)
	return id
}

// intents is how many payment intents the tenant's account has.
func (k *till) intents() int {
	k.t.Helper()
	data, _ := k.atStripe(k.tenant, "/v1/payment_intents?limit=100", nil)["data"].([]any)
	return len(data)
}

func TestCardsAreSavedListedChargedAndDeletedInEveryFormat(t *testing.T) {
	t.Parallel()
	info := regexp.MustCompile(`^visa •••• 4242 exp \d\d/20\d\d$`)
	for _, f := range formats {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			k := setup(t)
			if got := k.send(f, k.about(listing)).carriedOut("listed"); len(got.Cards) != 0 || got.CustomerId != "" || k.stripe.called() > 1 {
				t.Errorf("before the first card: %+v, and Stripe was asked %d times", got, k.stripe.called())
			}
			saved := k.send(f, k.about(withToken("tok_visa"), labelled("Company; \"card\", red"))).carriedOut("saved")
			if !info.MatchString(saved.CardInfo) || len(saved.Cards) != 1 || saved.Cards[0].CardInfo != "Company; \"card\", red" || !strings.HasPrefix(saved.CustomerId, "cus_") ||
				saved.ICustomer != 12345 || saved.ContentId != 42 || saved.FeatureName != "Basket" || saved.OrderId != "" || saved.Url != "" {
				t.Errorf("saved: %+v", saved)
			}
			listed := k.send(f, k.about(listing)).carriedOut("listed")
			if diff := cmp.Diff(saved.Cards, listed.Cards); diff != "" || listed.ContentId != 42 || listed.FeatureName != "Basket" || listed.Url != "" {
				t.Errorf("listed: %+v\n%s", listed, diff)
			}
			id := listed.Cards[0].StripeSourceId
			charged := k.send(f, k.request(withCard(id))).carriedOut("paid")
			if charged.Amount != "110.40" || charged.Currency != "GBP" || !strings.HasPrefix(charged.PaymentIntentId, "pi_") || charged.SessionId != "" || charged.Url != "" ||
				!info.MatchString(charged.CardInfo) || charged.ReceiptUrl == "" || charged.Replayed || len(charged.Lines) != 1 || charged.ContentId != 42 || charged.FeatureName != "Basket" {
				t.Errorf("charged: %+v", charged)
			}
			if again := k.send(f, k.request(withCard(id))).carriedOut("paid"); again.OrderId != charged.OrderId || !again.Replayed || again.PaymentIntentId != charged.PaymentIntentId {
				t.Errorf("sent again: %+v", again)
			}
			if k.rows("payments") != 1 || k.intents() != 1 {
				t.Errorf("%d payments, %d intents", k.rows("payments"), k.intents())
			}
			deleted := k.send(f, k.about(deleting, withCard(id))).carriedOut("deleted")
			if len(deleted.Cards) != 0 || deleted.ContentId != 42 {
				t.Errorf("deleted: %+v", deleted)
			}
			k.send(f, k.about(deleting, withCard(id))).refused(http.StatusNotFound, "CardNotFound", "StripeSourceId")
			k.send(f, k.request(withCard(id), func(r *wire.StripePaymentRequest) { r.ContentId = 43 })).refused(http.StatusNotFound, "CardNotFound", "StripeSourceId")
		})
	}
}

// TestCardsAreAnsweredInTheCallersFormat: each codec writes the list, and what is refused.
func TestCardsAreAnsweredInTheCallersFormat(t *testing.T) {
	t.Parallel()
	k := setup(t)
	id := k.saveCard("tok_mastercard", labelled("Ada's, own"))
	for f, want := range map[wire.Format][2]string{
		wire.JSON: {`"Cards":[{"StripeSourceId":"` + id + `","Brand":"mastercard","Last4":"4444"`, `"CardInfo":"Ada's, own"`},
		wire.JSV:  {"Cards:[{StripeSourceId:" + id + ",Brand:mastercard,Last4:4444", `CardInfo:"Ada's, own"`},
		wire.XML:  {"<StripeSourceId>" + id + "</StripeSourceId>", "<CardInfo>Ada's, own</CardInfo>"},
		wire.CSV:  {"{StripeSourceId:" + id + ",Brand:mastercard,Last4:4444", `CardInfo:""Ada's, own""`},
	} {
		a := k.do(http.MethodPost, "/"+f.String()+"/reply/StripePaymentRequest", string(wire.Encode(f, k.about(listing))), "Content-Type", f.ContentType())
		if a.status != http.StatusOK || !strings.Contains(a.body, want[0]) || !strings.Contains(strings.ReplaceAll(a.body, "&#39;", "'"), want[1]) || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v %s", f, a.status, a.header, a.body)
		}
		a = k.do(http.MethodPost, "/"+f.String()+"/reply/StripePaymentRequest", string(wire.Encode(f, k.about(deleting, withCard("pm_1")))), "Content-Type", f.ContentType())
		if a.status != http.StatusNotFound || !strings.Contains(a.body, "CardNotFound") || !strings.HasPrefix(a.header.Get("Content-Type"), strings.Split(f.ContentType(), ";")[0]) {
			t.Errorf("%s: %d %s", f, a.status, a.body)
		}
	}
}

func TestWhatIsWrongAboutCardsIsNamedInEveryFormat(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("ü", 100)
	cases := []struct {
		name, code, field string
		change            []func(*wire.StripePaymentRequest)
	}{
		{"DeleteWithoutCard", "NotEmpty", "StripeSourceId", []func(*wire.StripePaymentRequest){deleting}},
		{"DeleteWithoutCustomer", "NotEmpty", "ICustomer", []func(*wire.StripePaymentRequest){deleting, withCard("pm_1"), ofCustomer(0)}},
		{"ListWithoutCustomer", "NotEmpty", "ICustomer", []func(*wire.StripePaymentRequest){listing, ofCustomer(0)}},
		{"SaveWithoutCustomer", "NotEmpty", "ICustomer", []func(*wire.StripePaymentRequest){withToken("tok_visa"), ofCustomer(0)}},
		{"ListOfANegativeCustomer", "CustomerMismatch", "ICustomer", []func(*wire.StripePaymentRequest){listing, func(r *wire.StripePaymentRequest) { r.ICustomer = -1 }}},
		{"ListOfTwoCustomers", "CustomerMismatch", "Customer.ICustomer", []func(*wire.StripePaymentRequest){listing, func(r *wire.StripePaymentRequest) { r.Customer.ICustomer = 5 }}},
		{"ListOfAnotherResellersCustomer", "CustomerMismatch", "Customer.IParent", []func(*wire.StripePaymentRequest){listing, func(r *wire.StripePaymentRequest) { r.Customer.IParent = 8 }}},
		{"DeleteOfAnotherResellersCustomer", "CustomerMismatch", "Customer.IParent", []func(*wire.StripePaymentRequest){deleting, withCard("pm_1"), func(r *wire.StripePaymentRequest) { r.Customer.IParent = 8 }}},
		{"ListLeadingElsewhere", "OriginNotAllowed", "SuccessUrl", []func(*wire.StripePaymentRequest){listing, func(r *wire.StripePaymentRequest) { r.SuccessUrl = wire.Str("https://evil.example/") }}},
		{"ListLeadingToUs", "OriginNotAllowed", "SuccessUrl", []func(*wire.StripePaymentRequest){listing, func(r *wire.StripePaymentRequest) { r.SuccessUrl = wire.Str(baseURL + "/") }}},
		{"ALabelThatIsTooLong", "MaximumLength", "CardInfo", []func(*wire.StripePaymentRequest){withToken("tok_visa"), labelled(longest + "x")}},
		{"DeleteAndList", "ConflictingOperations", "IsDelete", []func(*wire.StripePaymentRequest){deleting, listing, withCard("pm_1")}},
		{"DeleteWithAToken", "ConflictingOperations", "apiSingleUseToken", []func(*wire.StripePaymentRequest){deleting, withCard("pm_1"), withToken("tok_visa")}},
		{"ACardAndNothingToDoWithIt", "ConflictingOperations", "StripeSourceId", []func(*wire.StripePaymentRequest){withCard("pm_1")}},
		{"ListWithAToken", "ConflictingOperations", "apiSingleUseToken", []func(*wire.StripePaymentRequest){listing, withToken("tok_visa")}},
		{"NothingAtAll", "ConflictingOperations", "", nil},
		{"SetupWithoutTheWayBack", "NotEmpty", "CancelUrl", []func(*wire.StripePaymentRequest){func(r *wire.StripePaymentRequest) { r.SuccessUrl = wire.Str("https://shop.example/") }}},
		{"SetupWithoutTheWayOn", "NotEmpty", "SuccessUrl", []func(*wire.StripePaymentRequest){func(r *wire.StripePaymentRequest) { r.CancelUrl = wire.Str("https://shop.example/") }}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			k := setup(t)
			for _, f := range formats {
				k.send(f, k.about(c.change...)).refused(http.StatusBadRequest, c.code, c.field)
			}
			k.untouched()
		})
	}
	t.Run("ALabelOf100CharactersIsKeptAsItIs", func(t *testing.T) {
		t.Parallel()
		k := setup(t)
		k.saveCard("tok_visa", labelled(longest))
		if got := k.cards()[0].CardInfo; got != longest {
			t.Errorf("got %q", got)
		}
	})
}

// TestACardOfSomebodyElseIsNotThere is ID-07: whoever's a card or a customer is, the answer is one and the same.
func TestACardOfSomebodyElseIsNotThere(t *testing.T) {
	t.Parallel()
	k := setup(t)
	own, others := k.saveCard("tok_visa"), k.saveCard("tok_mastercard", ofCustomer(777))
	_, license := k.addTenant()
	foreign := k.saveCard("tok_visa", func(r *wire.StripePaymentRequest) { r.License = wire.Str(license) })
	ids := map[string]string{"AnotherCustomersCard": others, "AnotherTenantsCard": foreign, "AnUnknownCard": "pm_1OUnknownUnknownUnknown1", "AnUnknownOldCard": "card_1OUnknownUnknownUnkn",
		"RubbishThatIsNoId": "../../customers", "AnEmptySegment": "pm_/", "ACustomersId": "cus_123", "AQuery": "pm_1?expand[]=customer", "ALineBreak": "pm_1\nX: y"}
	for _, f := range formats {
		for operation, change := range map[string][]func(*wire.StripePaymentRequest){"delete": {deleting}, "charge": nil} {
			bodies := map[string][]string{}
			for name, id := range ids {
				request := k.about(append(change, withCard(id))...)
				if operation == "charge" {
					request = k.request(withCard(id))
				}
				a := k.send(f, request)
				a.refused(http.StatusNotFound, "CardNotFound", "StripeSourceId")
				bodies[a.body] = append(bodies[a.body], name)
			}
			if len(bodies) != 1 {
				t.Errorf("%s of %s tells cards apart: %v", f, operation, bodies)
			}
		}
	}
	if k.rows("orders") != 0 || k.intents() != 0 {
		t.Errorf("%d orders, %d intents", k.rows("orders"), k.intents())
	}
	strangers := k.send(wire.JSON, k.about(listing, func(r *wire.StripePaymentRequest) { r.License = wire.Str(license) })).carriedOut("listed").Cards
	if mine, theirs := k.cards(), k.cards(ofCustomer(777)); len(mine) != 1 || mine[0].StripeSourceId != own || len(theirs) != 1 || theirs[0].StripeSourceId != others ||
		len(strangers) != 1 || strangers[0].StripeSourceId != foreign {
		t.Errorf("cards went astray: %v %v %v", mine, theirs, strangers)
	}
	// A CustomerId that is another's is a mismatch, and an unknown one reads no different.
	other := k.send(wire.JSON, k.about(listing, ofCustomer(777))).carriedOut("listed").CustomerId
	foreignID := k.send(wire.JSON, k.about(listing, func(r *wire.StripePaymentRequest) { r.License = wire.Str(license) })).carriedOut("listed").CustomerId
	for _, id := range []string{other, foreignID, "cus_Unknown"} {
		k.send(wire.JSON, k.about(listing, func(r *wire.StripePaymentRequest) { r.CustomerId = wire.Str(id) })).refused(http.StatusBadRequest, "CustomerMismatch", "CustomerId")
	}
}

func TestADeclinedChargeSaysWhatTheCustomerCanDo(t *testing.T) {
	t.Parallel()
	for token, want := range map[string][2]string{
		"pm_card_visa_chargeDeclinedInsufficientFunds": {"insufficient_funds", "not enough money"},
		"pm_card_visa_chargeDeclinedExpiredCard":       {"expired_card", "expired"},
		"pm_card_visa_chargeDeclinedProcessingError":   {"processing_error", "Try again in a little while"},
		"pm_card_visa_chargeDeclinedStolenCard":        {"stolen_card", "The bank declined the card"}, // and not why
		"pm_card_chargeCustomerFail":                   {"generic_decline", "Use another card"},
	} {
		t.Run(token, func(t *testing.T) {
			t.Parallel()
			k := setup(t)
			for _, f := range formats {
				a := k.send(f, k.request(withToken(token)))
				r := a.json()
				if a.status != http.StatusPaymentRequired || r.ResponseStatus == nil || r.ResponseStatus.ErrorCode != "CardDeclined" || len(r.ResponseStatus.Errors) != 1 {
					t.Fatalf("%d %s", a.status, a.body)
				}
				a.tellsNothing()
				if r.ResponseStatus.Meta["decline_code"] != want[0] || !strings.Contains(r.ResponseStatus.Message, want[1]) || r.Success {
					t.Errorf("%s: %s", f, a.body)
				}
				if strings.Contains(strings.ToLower(r.ResponseStatus.Message), "stolen") {
					t.Errorf("the reason is told: %s", a.body)
				}
			}
			if k.rows("payments") != 0 {
				t.Errorf("%d payments", k.rows("payments"))
			}
		})
	}
	t.Run("ASavedCardIsNamedAsTheFieldAtFault", func(t *testing.T) {
		t.Parallel()
		k := setup(t)
		id := k.saveCard("tok_chargeCustomerFail")
		a := k.send(wire.JSON, k.request(withCard(id)))
		a.refused(http.StatusPaymentRequired, "CardDeclined", "StripeSourceId")
		if order := k.order(a.json().ResponseStatus.Meta["order_id"]); order.State != pay.OrderFailed {
			t.Errorf("the order is %s", order.State)
		}
	})
	t.Run("ATokenThatCannotBeSavedIsNotSaved", func(t *testing.T) {
		t.Parallel()
		k := setup(t)
		for _, f := range formats {
			a := k.send(f, k.about(withToken("tok_chargeDeclinedInsufficientFunds")))
			a.refused(http.StatusPaymentRequired, "CardDeclined", "apiSingleUseToken")
			if a.json().ResponseStatus.Meta["decline_code"] != "insufficient_funds" {
				t.Errorf("%s", a.body)
			}
		}
		if got := k.cards(); len(got) != 0 {
			t.Errorf("kept %v", got)
		}
	})
}

// TestABankThatWantsTheCustomerLeadsToAPage: with addresses to return to, and without.
func TestABankThatWantsTheCustomerLeadsToAPage(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*wire.StripePaymentRequest){"WithAddresses": func(*wire.StripePaymentRequest) {}, "WithoutAddresses": withoutAddresses} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := setup(t)
			id := k.saveCard("pm_card_authenticationRequired")
			r := k.send(wire.JSON, k.request(withCard(id), change)).carriedOut("requires_action")
			path, ours := strings.CutPrefix(r.Url, baseURL)
			if !ours || k.rows("payments") != 0 || r.Amount != "110.40" || r.ReceiptUrl != "" || r.Replayed {
				t.Fatalf("got %+v", r)
			}
			if again := k.send(wire.JSON, k.request(withCard(id), change)).carriedOut("requires_action"); again.Url != r.Url || !again.Replayed {
				t.Errorf("sent again: %+v", again)
			}
			doc := k.get(path).page(http.StatusOK)
			if !strings.Contains(text(doc.Selection), "Your bank wants you to confirm this payment") || byID(doc, "pay").Length() != 1 || byID(doc, "saved-card").Length() != 0 {
				t.Errorf("the page says %s", text(doc.Selection))
			}
			back := 1
			if name == "WithoutAddresses" {
				back = 0
			}
			if n := byID(doc, "cancel").Length(); n != back {
				t.Errorf("%d ways to cancel", n)
			}
			started := k.do(http.MethodPost, path, "")
			session, atStripe := strings.CutPrefix(started.header.Get("Location"), stripeURL+"/c/pay/")
			if !atStripe {
				t.Fatalf("the button leads to %d %q", started.status, started.header.Get("Location"))
			}
			k.card(session, "4242424242424242")
			settled := k.get(path + "/return")
			doc = settled.page(http.StatusOK)
			if byID(doc, "status").AttrOr("data-status", "") != "paid" || byID(doc, "continue").Length() != back || (settled.header.Get("Refresh") != "") != (back == 1) {
				t.Errorf("%s %q", settled.header.Get("Refresh"), text(doc.Selection))
			}
			if after := k.send(wire.JSON, k.request(withCard(id), change)).carriedOut("paid"); after.OrderId != r.OrderId || !after.Replayed {
				t.Errorf("sent after it was paid: %+v", after)
			}
			if k.rows("payments") != 1 {
				t.Errorf("%d payments", k.rows("payments"))
			}
			if left := k.get(path + "/cancel"); left.status != http.StatusSeeOther || left.header.Get("Location") != baseURL+path+"/return" {
				t.Errorf("leaving leads to %d %q", left.status, left.header.Get("Location"))
			}
		})
	}
	t.Run("LeavingItWithoutAddressesStaysOnItsPage", func(t *testing.T) {
		t.Parallel()
		k := setup(t)
		r := k.send(wire.JSON, k.request(withToken("pm_card_authenticationRequired"), withoutAddresses)).carriedOut("requires_action")
		path := strings.TrimPrefix(r.Url, baseURL)
		if left := k.get(path + "/cancel"); left.status != http.StatusSeeOther || left.header.Get("Location") != r.Url {
			t.Errorf("leaving leads to %d %q", left.status, left.header.Get("Location"))
		}
	})
}

func TestATokenIsGoodForOneRequest(t *testing.T) {
	t.Parallel()
	t.Run("TheSameRequestAgainIsTheSameOrder", func(t *testing.T) { // TK-07
		t.Parallel()
		k := setup(t)
		token := k.token(k.tenant, "4242424242424242")
		first := k.send(wire.JSON, k.request(withToken(token))).carriedOut("paid")
		for _, f := range formats {
			if again := k.send(f, k.request(withToken(token))).carriedOut("paid"); again.OrderId != first.OrderId || !again.Replayed {
				t.Errorf("%s: %+v", f, again)
			}
		}
		if k.rows("payments") != 1 || k.intents() != 1 || len(k.cards()) != 1 {
			t.Errorf("%d payments, %d intents, %d cards", k.rows("payments"), k.intents(), len(k.cards()))
		}
	})
	t.Run("AnotherRequestWithItIsRefused", func(t *testing.T) { // TK-01
		t.Parallel()
		k := setup(t)
		token := k.token(k.tenant, "4242424242424242")
		k.send(wire.JSON, k.request(withToken(token))).carriedOut("paid")
		for _, f := range formats {
			k.send(f, k.request(withToken(token), func(r *wire.StripePaymentRequest) { r.ContentId = 7 })).refused(http.StatusConflict, "IdempotencyConflict", "apiSingleUseToken")
			k.send(f, k.about(withToken(token))).refused(http.StatusConflict, "IdempotencyConflict", "apiSingleUseToken")
		}
		if k.rows("payments") != 1 || k.intents() != 1 {
			t.Errorf("%d payments, %d intents", k.rows("payments"), k.intents())
		}
	})
	t.Run("SavedTwiceIsOneCard", func(t *testing.T) {
		t.Parallel()
		k := setup(t)
		token := k.token(k.tenant, "5555555555554444")
		first := k.send(wire.JSON, k.about(withToken(token))).carriedOut("saved")
		again := k.send(wire.JSON, k.about(withToken(token))).carriedOut("saved")
		if first.Replayed || !again.Replayed || len(again.Cards) != 1 || again.CardInfo != first.CardInfo {
			t.Errorf("first %+v, again %+v", first, again)
		}
	})
	t.Run("AnotherTenantsTokenIsNotThereAndStaysGood", func(t *testing.T) { // TK-03
		t.Parallel()
		k := setup(t)
		_, license := k.addTenant()
		token := k.token(k.tenant, "4242424242424242")
		stranger := func(r *wire.StripePaymentRequest) { r.License = wire.Str(license) }
		a, unknown := k.send(wire.JSON, k.request(withToken(token), stranger)), k.send(wire.JSON, k.request(withToken("tok_1"+strings.Repeat("A", 23)), stranger))
		a.refused(http.StatusNotFound, "CardNotFound", "apiSingleUseToken")
		if a.body != unknown.body {
			t.Errorf("a foreign token is told from an unknown one:\n%s\n%s", a.body, unknown.body)
		}
		k.send(wire.JSON, k.request(withToken(token))).carriedOut("paid")
		other := k.token(k.tenant, "4242424242424242")
		k.send(wire.JSON, k.about(withToken(other), stranger)).refused(http.StatusNotFound, "CardNotFound", "apiSingleUseToken")
		k.send(wire.JSON, k.about(withToken(other))).carriedOut("saved")
	})
	t.Run("ATestTokenSavesACardEachTimeButOneUnderAKey", func(t *testing.T) {
		t.Parallel()
		k := setup(t)
		for range 2 {
			k.send(wire.JSON, k.about(withToken("tok_visa")), "Idempotency-Key", "card-1").carriedOut("saved")
		}
		if got := k.cards(); len(got) != 1 {
			t.Errorf("%d cards under one key", len(got))
		}
		k.send(wire.JSON, k.about(withToken("tok_mastercard")), "Idempotency-Key", "card-1").refused(http.StatusConflict, "IdempotencyConflict", "apiSingleUseToken")
		k.saveCard("tok_visa")
		if got := k.cards(); len(got) != 2 {
			t.Errorf("%d cards", len(got))
		}
	})
	t.Run("ATokenOfNoTextIsRefused", func(t *testing.T) { // TK-09
		t.Parallel()
		k := setup(t)
		for _, value := range []string{"7", "[]", "{}", "true"} {
			if a := k.sendJSON(`{"License":"` + k.license + `","ICustomer":1,"apiSingleUseToken":` + value + `}`); a.status != http.StatusBadRequest && a.status != http.StatusUnauthorized {
				t.Errorf("%s: %d %s", value, a.status, a.body)
			}
		}
		k.untouched()
	})
}

func TestARepeatedChargeTakesMoneyOnce(t *testing.T) {
	t.Parallel()
	t.Run("UnderItsKeyForGood", func(t *testing.T) {
		t.Parallel()
		k := setup(t, func(t *pay.Tenant) { t.Policies.DuplicateWindow = 0 })
		id := k.saveCard("tok_visa")
		first := k.send(wire.JSON, k.request(withCard(id)), "Idempotency-Key", "a").carriedOut("paid")
		again := k.send(wire.XML, k.request(withCard(id)), "Idempotency-Key", "a").carriedOut("paid")
		if again.OrderId != first.OrderId || !again.Replayed {
			t.Errorf("got %+v", again)
		}
		k.send(wire.JSON, k.request(withCard(id), func(r *wire.StripePaymentRequest) { r.ContentId++ }), "Idempotency-Key", "a").refused(http.StatusConflict, "IdempotencyConflict", "Idempotency-Key")
		other := k.send(wire.JSON, k.request(withCard(id)), "Idempotency-Key", "b").carriedOut("paid")
		if other.OrderId == first.OrderId || other.Replayed || k.rows("payments") != 2 {
			t.Errorf("another key: %+v, %d payments", other, k.rows("payments"))
		}
	})
	t.Run("WithoutAKeyForTheTenantsWindow", func(t *testing.T) {
		t.Parallel()
		k := setup(t)
		id := k.saveCard("tok_visa")
		now, service := k.pay.Now(), k.pay
		service.Now = func() time.Time { return now }
		first := k.send(wire.JSON, k.request(withCard(id))).carriedOut("paid")
		now = now.Add(9 * time.Minute)
		if again := k.send(wire.JSON, k.request(withCard(id))).carriedOut("paid"); again.OrderId != first.OrderId || !again.Replayed {
			t.Errorf("after nine minutes: %+v", again)
		}
		now = now.Add(2 * time.Minute)
		if later := k.send(wire.JSON, k.request(withCard(id))).carriedOut("paid"); later.OrderId == first.OrderId || later.Replayed || k.rows("payments") != 2 {
			t.Errorf("after eleven minutes: %+v, %d payments", later, k.rows("payments"))
		}
	})
}

func TestABatchOfCharges(t *testing.T) {
	t.Parallel()
	k := setup(t)
	id := k.saveCard("tok_visa")
	batch := func(n int, bad int) string {
		var all []wire.StripePaymentRequest
		for i := range n {
			card := id
			if i == bad {
				card = "pm_1"
			}
			all = append(all, *k.request(withCard(card))) // the same basket each time: only the key tells them apart
		}
		return string(wire.Encode(wire.JSON, all))
	}
	const path = "/json/reply/StripePaymentRequest[]"
	k.do(http.MethodPost, path, batch(2, -1)).refused(http.StatusBadRequest, "NotEmpty", "Idempotency-Key")
	read := func(a answer) []response {
		t.Helper()
		var all []response
		if err := json.Unmarshal([]byte(a.body), &all); err != nil || a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
		return all
	}
	first := read(k.do(http.MethodPost, path, batch(2, -1), "Idempotency-Key", "run-7"))
	again := read(k.do(http.MethodPost, path, batch(2, -1), "Idempotency-Key", "run-7"))
	for i := range first {
		if first[i].Status != "paid" || first[i].Replayed || again[i].OrderId != first[i].OrderId || !again[i].Replayed {
			t.Errorf("%d: %+v, again %+v", i, first[i], again[i])
		}
	}
	if first[0].OrderId == first[1].OrderId || k.rows("payments") != 2 {
		t.Errorf("%d payments", k.rows("payments"))
	}
	// An item's own key is key:index: sent alone it is found again.
	if alone := k.send(wire.JSON, k.request(withCard(id)), "Idempotency-Key", "run-7:1").carriedOut("paid"); alone.OrderId != first[1].OrderId || !alone.Replayed {
		t.Errorf("alone: %+v", alone)
	}
	stopped := k.do(http.MethodPost, path, batch(3, 1), "Idempotency-Key", "run-8")
	stopped.refused(http.StatusNotFound, "CardNotFound", "StripeSourceId")
	if stopped.header.Get("X-AutoBatch-Completed") != "1" || k.rows("payments") != 3 {
		t.Errorf("completed %s, %d payments", stopped.header.Get("X-AutoBatch-Completed"), k.rows("payments"))
	}
	// Saving and listing charge nobody, and need no key.
	mixed := string(wire.Encode(wire.JSON, []wire.StripePaymentRequest{*k.about(withToken("tok_mastercard")), *k.about(listing)}))
	if got := read(k.do(http.MethodPost, path, mixed)); got[0].Status != "saved" || got[1].Status != "listed" || len(got[1].Cards) != 2 {
		t.Errorf("got %+v", got)
	}
}

func TestAChargeOneWayIsCarriedOutWithoutAnswer(t *testing.T) {
	t.Parallel()
	k := setup(t)
	id := k.saveCard("tok_visa")
	a := k.do(http.MethodPost, "/jsv/oneway/StripePaymentRequest", string(wire.Encode(wire.JSV, k.request(withCard(id)))), "Content-Type", wire.JSV.ContentType())
	if a.status != http.StatusNoContent || a.body != "" || k.rows("payments") != 1 {
		t.Errorf("%d %q, %d payments", a.status, a.body, k.rows("payments"))
	}
	a = k.do(http.MethodPost, "/json/oneway/StripePaymentRequest", string(wire.Encode(wire.JSON, k.about(deleting, withCard(id)))))
	if a.status != http.StatusNoContent || len(k.cards()) != 0 {
		t.Errorf("%d %s", a.status, a.body)
	}
	k.do(http.MethodPost, "/json/oneway/StripePaymentRequest", string(wire.Encode(wire.JSON, k.about(deleting, withCard(id))))).refused(http.StatusNotFound, "CardNotFound", "StripeSourceId")
}

func TestASuspendedTenantTouchesNoCards(t *testing.T) {
	t.Parallel()
	k := setup(t, func(t *pay.Tenant) { t.State = pay.TenantSuspended })
	requests := map[string]*wire.StripePaymentRequest{"list": k.about(listing), "save": k.about(withToken("tok_visa")), "delete": k.about(deleting, withCard("pm_1")), "charge": k.request(withCard("pm_1"))}
	for name, r := range requests {
		t.Run(name, func(t *testing.T) {
			for _, f := range formats {
				k.send(f, r).refused(http.StatusForbidden, "TenantSuspended", "")
			}
		})
	}
	k.untouched()
}

func TestStripeAwayIsA503ForCardsToo(t *testing.T) {
	t.Parallel()
	k := setup(t)
	id := k.saveCard("tok_visa")
	k.stripe.breakWith(&pay.StripeFault{Kind: pay.FaultUnavailable})
	for name, r := range map[string]*wire.StripePaymentRequest{"list": k.about(listing), "save": k.about(withToken("tok_visa")), "delete": k.about(deleting, withCard(id)), "charge": k.request(withCard(id))} {
		a := k.send(wire.JSON, r)
		a.refused(http.StatusServiceUnavailable, "StripeUnavailable", "")
		if a.header.Get("Retry-After") == "" {
			t.Errorf("%s does not say when to come again", name)
		}
	}
	k.stripe.breakWith(nil)
	if got := k.cards(); len(got) != 1 {
		t.Errorf("the cards are %v", got)
	}
}

// TestACardIsSavedOnStripesPage is operation 6, to its end.
func TestACardIsSavedOnStripesPage(t *testing.T) {
	t.Parallel()
	for _, f := range formats {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			k := setup(t)
			request := k.request(func(r *wire.StripePaymentRequest) { r.ShoppingInformation = nil })
			r := k.send(f, request).accepted()
			if r.Status != "open" || !strings.HasPrefix(r.SessionId, "cs_") || len(r.Lines) != 0 || r.ContentId != 42 {
				t.Errorf("got %+v", r)
			}
			path := strings.TrimPrefix(r.Url, baseURL)
			doc := k.get(path).page(http.StatusOK)
			if !strings.Contains(text(doc.Selection), "Nothing is charged now") || byID(doc, "order-total").Length() != 0 || byID(doc, "line").Length() != 0 {
				t.Errorf("the page says %s", text(doc.Selection))
			}
			if to := k.do(http.MethodPost, path, "").header.Get("Location"); to != stripeURL+"/c/pay/"+r.SessionId {
				t.Fatalf("the button leads to %q", to)
			}
			k.card(r.SessionId, "4242424242424242")
			doc = k.get(path + "/return").page(http.StatusOK)
			if byID(doc, "status").AttrOr("data-status", "") != "paid" || !strings.Contains(text(doc.Selection), "Your card is saved") || strings.Contains(text(doc.Selection), "0.00") {
				t.Errorf("the return page says %s", text(doc.Selection))
			}
			query := checkSignature(t, k.tenant.SigningSecret.Reveal(), byID(doc, "continue").AttrOr("href", ""))
			if query.Get("status") != "paid" || query.Get("order") != r.OrderId || strings.Trim(query.Get("amount"), "0.") != "" {
				t.Errorf("led on with %v", query)
			}
			if got := k.cards(); len(got) != 1 || got[0].Last4 != "4242" {
				t.Errorf("the cards are %v", got)
			}
			if k.rows("payments") != 0 || k.intents() != 0 {
				t.Errorf("%d payments, %d intents", k.rows("payments"), k.intents())
			}
			if receipt := k.get(path + "/receipt"); receipt.status >= 500 {
				t.Errorf("its receipt is %d", receipt.status)
			}
			keyed := k.send(f, request, "Idempotency-Key", "s").accepted()
			if keyed.OrderId == r.OrderId || keyed.Status != "open" {
				t.Errorf("a second card: %+v", keyed)
			}
		})
	}
	t.Run("TheSameRequestUnderItsKeySaysSaved", func(t *testing.T) {
		t.Parallel()
		k := setup(t)
		request := k.request(func(r *wire.StripePaymentRequest) { r.ShoppingInformation = nil })
		r := k.send(wire.JSON, request, "Idempotency-Key", "s").accepted()
		k.card(r.SessionId, "4242424242424242")
		k.get(strings.TrimPrefix(r.Url, baseURL) + "/return")
		again := k.send(wire.JSON, request, "Idempotency-Key", "s").carriedOut("saved")
		if again.OrderId != r.OrderId || !again.Replayed || again.ReceiptUrl != "" {
			t.Errorf("got %+v", again)
		}
	})
}

// TestTheDescribedOperationsAreCarriedOut sends the examples of the reference and of /openapi.json.
func TestTheDescribedOperationsAreCarriedOut(t *testing.T) {
	t.Parallel()
	k := setup(t, func(t *pay.Tenant) { t.ReturnOrigins = []string{"https://shop.example.com"} })
	id := k.saveCard("tok_visa")
	for _, o := range describe.Operations() {
		t.Run(o.Name, func(t *testing.T) {
			if o.Name == "deleteCard" && k.rows("payments") == 0 {
				t.Fatal("the card would be deleted before it is charged")
			}
			a := k.sendJSON(strings.ReplaceAll(o.Example, "pm_1NXWPnLkdIwHu7ix", id), "Authorization", "Bearer "+k.license, "Idempotency-Key", o.Name)
			r := a.carriedOut(o.Status)
			if needsPage := o.Status == "open" || o.Name == "listCards"; (r.Url != "") != needsPage {
				t.Errorf("the answer leads to %q", r.Url)
			}
		})
	}
}
