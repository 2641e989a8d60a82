package sandbox_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/sandbox"
	"github.com/stripe/stripe-go/v76"
	"pgregory.net/rapid"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, c := range []struct{ sentence, header, message string }{
		{"NoKeyIsRefused", "", "You did not provide an API key"},
		{"ALiveKeyIsRefused", "Bearer sk_live_aaaaaaaaaaaaaaaaaaaaaaaa", "takes no live key"},
		{"ALiveRestrictedKeyIsRefused", "Bearer rk_live_aaaaaaaaaaaaaaaaaaaaaaaa", "takes no live key"},
		{"APublishableKeyIsRefused", "Bearer pk_test_aaaaaaaaaaaaaaaaaaaaaaaa", "publishable API key"},
		{"AShortKeyIsRefused", "Bearer sk_test_abc", "Invalid API Key provided"},
		{"RubbishIsRefused", "Bearer sk_test_aaaa aaaa!aaaaaaaa", "Invalid API Key provided"},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			t.Parallel()
			a := b.raw(http.MethodGet, "/v1/customers", "", "Authorization", c.header)
			if a.status != http.StatusUnauthorized || !strings.Contains(a.text(), c.message) {
				t.Errorf("%d %s", a.status, a.body)
			}
			if strings.Contains(a.text(), "aaaaaaaa") {
				t.Errorf("the answer shows the key: %s", a.body)
			}
		})
	}
	t.Run("AnotherAccountSeesNothing", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.session(sessionParams())
		other := b.client("rk_test_anotherresellerskey")
		_, err := other.CheckoutSessions.Get(s.ID, nil)
		if e := stripeError(t, err); e.HTTPStatusCode != 404 || e.Code != "resource_missing" {
			t.Errorf("%+v", e)
		}
		if list := other.CheckoutSessions.List(&stripe.CheckoutSessionListParams{}); list.Next() {
			t.Error("it lists another account's session")
		}
		mine, err := b.api.Accounts.Get()
		if err != nil || mine.ID != sandbox.AccountID(testKey) {
			t.Errorf("%v, %v", mine, err)
		}
	})
	t.Run("BasicAuthenticationWorksToo", func(t *testing.T) {
		t.Parallel()
		request, err := http.NewRequest(http.MethodGet, b.server.URL+"/v1/customers", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth(testKey, "")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != 200 {
			t.Errorf("status %d", response.StatusCode)
		}
	})
}

func TestParametersAreCheckedAsByStripe(t *testing.T) {
	t.Parallel()
	b := setup(t)
	item := func(price, quantity string) string {
		return strings.Replace(strings.Replace(oneItem, "[unit_amount]=1000", "[unit_amount]="+price, 1), "[quantity]=1", "[quantity]="+quantity, 1)
	}
	for _, c := range []struct{ sentence, route, form, code, param string }{
		{"AnUnknownParameterIsRefused", "POST /v1/customers", "colour=red", "parameter_unknown", "colour"},
		{"AnUnknownNestedParameterIsRefused", "POST /v1/customers", "address[planet]=Mars", "parameter_unknown", "address[planet]"},
		{"AnUnknownFilterIsRefused", "GET /v1/customers", "colour=red", "parameter_unknown", "colour"},
		{"AMissingParameterIsNamed", "POST /v1/payment_intents", "amount=1000", "parameter_missing", "currency"},
		{"AMissingNestedParameterIsNamed", "POST /v1/checkout/sessions", strings.Replace(oneItem, "[product_data][name]", "[product_data][description]", 1), "parameter_missing", "line_items[0][price_data][product_data][name]"},
		{"WordsAreNoInteger", "POST /v1/payment_intents", "amount=ten&currency=gbp", "parameter_invalid_integer", "amount"},
		{"AFractionIsNoInteger", "POST /v1/payment_intents", "amount=10.5&currency=gbp", "parameter_invalid_integer", "amount"},
		{"AnEmptyIntegerIsRefused", "POST /v1/payment_intents", "amount=&currency=gbp", "parameter_invalid_empty", "amount"},
		{"AValueOutsideTheListIsRefused", "POST /v1/checkout/sessions", oneItem + "&submit_type=steal", "", "submit_type"},
		{"AnUnknownCurrencyIsRefused", "POST /v1/payment_intents", "amount=1000&currency=xyz", "", "currency"},
		{"LessThanTheMinimumIsRefused", "POST /v1/payment_intents", "amount=29&currency=gbp", "amount_too_small", "amount"},
		{"MoreThanEightDigitsAreRefused", "POST /v1/payment_intents", "amount=100000000&currency=gbp", "amount_too_large", "amount"},
		{"ThreeDecimalsEndInZero", "POST /v1/payment_intents", "amount=10001&currency=kwd", "parameter_invalid_integer", "amount"},
		{"WholeCurrenciesHaveNoDecimals", "POST /v1/payment_intents", "amount=10050&currency=isk", "parameter_invalid_integer", "amount"},
		{"ASessionBelowTheMinimumIsRefused", "POST /v1/checkout/sessions", item("29", "1"), "amount_too_small", ""},
		{"ASessionOverEightDigitsIsRefused", "POST /v1/checkout/sessions", item("99999999", "2"), "amount_too_large", ""},
		{"ANegativeLineIsRefused", "POST /v1/checkout/sessions", item("-5", "1"), "parameter_invalid_integer", "line_items[0][price_data][unit_amount]"},
		{"AQuantityOfZeroIsRefused", "POST /v1/checkout/sessions", item("100", "0"), "parameter_invalid_integer", "line_items[0][quantity]"},
		{"AnExpiryTooSoonIsRefused", "POST /v1/checkout/sessions", oneItem + "&expires_at=" + fmt.Sprint(b.clock.Now().Unix()+600), "", "expires_at"},
		{"AnExpiryTooLateIsRefused", "POST /v1/checkout/sessions", oneItem + "&expires_at=" + fmt.Sprint(b.clock.Now().Unix()+90000), "", "expires_at"},
		{"ASessionNeedsAMode", "POST /v1/checkout/sessions", strings.Replace(oneItem, "mode=payment&", "", 1), "parameter_missing", "mode"},
		{"ASuccessURLIsAbsolute", "POST /v1/checkout/sessions", strings.Replace(oneItem, "https://a.example/ok", "/ok", 1), "url_invalid", "success_url"},
		{"AnUnknownCustomerIsRefused", "POST /v1/checkout/sessions", oneItem + "&customer=cus_nobody", "resource_missing", "customer"},
		{"AnInactiveMethodIsRefused", "POST /v1/checkout/sessions", oneItem + "&payment_method_types[]=alipay", "", "payment_method_types[0]"},
		{"WhatTheSandboxCannotDoIsSaid", "POST /v1/checkout/sessions", oneItem + "&automatic_tax[enabled]=true", "sandbox_unsupported", "automatic_tax"},
		{"APageIsAtMostAHundredLong", "GET /v1/customers", "limit=101", "parameter_invalid_integer", "limit"},
		{"AnUnknownCursorIsRefused", "GET /v1/customers", "starting_after=cus_nobody", "resource_missing", "starting_after"},
		{"ExpansionIsFourDeep", "GET /v1/charges", "expand[]=data.a.b.c.d", "", "expand"},
		{"WhatCannotBeExpandedIsRefused", "POST /v1/customers", "expand[]=shoe_size", "", "expand"},
		{"AnEmailHasAnAt", "POST /v1/customers", "email=nobody", "email_invalid", "email"},
		{"MetadataValuesAreShort", "POST /v1/customers", "metadata[a]=" + strings.Repeat("x", 501), "", "metadata[a]"},
		{"AHashIsNoValue", "POST /v1/customers", "email[0]=a", "parameter_invalid_string", "email"},
		{"BrokenEncodingIsRefused", "POST /v1/customers", "email=%zz", "", ""},
		{"CardNumbersAreRefused", "POST /v1/payment_methods", "type=card&card[number]=4242424242424242&card[exp_month]=1&card[exp_year]=2040", "", ""},
		{"ADebitNeedsASortCode", "POST /v1/payment_methods", "type=bacs_debit&bacs_debit[account_number]=00012345&bacs_debit[sort_code]=12", "bank_account_sort_code_invalid", "bacs_debit[sort_code]"},
		{"AReturnURLIsNeededForRedirects", "POST /v1/payment_intents", "amount=1000&currency=gbp&payment_method=pm_card_visa&confirm=true", "", "return_url"},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			t.Parallel()
			method, path, _ := strings.Cut(c.route, " ")
			form := c.form
			if method == http.MethodGet {
				path, form = path+"?"+form, ""
			}
			a := b.raw(method, path, form)
			code, _ := a.field(t, "error", "code").(string)
			param, _ := a.field(t, "error", "param").(string)
			if a.status != 400 && a.status != 402 || code != c.code || param != c.param || a.header.Get("Request-Id") == "" {
				t.Errorf("%d %s, want code %q and param %q", a.status, a.body, c.code, c.param)
			}
		})
	}
	t.Run("AnUnknownAddressIs404InStripesWords", func(t *testing.T) {
		t.Parallel()
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			response, err := http.NewRequest(method, b.server.URL+"/v1/subscriptions", nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := http.DefaultClient.Do(response)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != 404 || answer.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s: %d %s", method, answer.StatusCode, answer.Header.Get("Content-Type"))
			}
		}
	})
	t.Run("AnotherAPIVersionIsRefused", func(t *testing.T) {
		t.Parallel()
		a := b.raw(http.MethodGet, "/v1/customers", "", "Stripe-Version", "2020-08-27")
		if a.status != 400 || a.header.Get("Stripe-Version") != sandbox.APIVersion {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
}

func TestIdempotencyKeys(t *testing.T) {
	t.Parallel()
	t.Run("TheSameKeyGivesTheSameAnswer", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		first := b.raw(http.MethodPost, "/v1/customers", "name=Jo&email=jo@example.com", "Idempotency-Key", "k")
		second := b.raw(http.MethodPost, "/v1/customers", "email=jo@example.com&name=Jo", "Idempotency-Key", "k")
		if second.status != 200 || second.text() != first.text() || second.header.Get("Idempotent-Replayed") != "true" || second.header.Get("Original-Request") != first.header.Get("Request-Id") {
			t.Errorf("%d %s, %v", second.status, second.body, second.header)
		}
		if first.header.Get("Idempotent-Replayed") != "" {
			t.Error("the first answer calls itself a replay")
		}
		b.clock.Add(24 * time.Hour)
		if third := b.raw(http.MethodPost, "/v1/customers", "name=Jo&email=jo@example.com", "Idempotency-Key", "k"); third.text() == first.text() {
			t.Error("after a day the key is still kept")
		}
	})
	t.Run("OtherParametersOrAnotherAddressAreRefused", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.raw(http.MethodPost, "/v1/customers", "name=Jo", "Idempotency-Key", "k")
		for path, form := range map[string]string{"/v1/customers": "name=Joe", "/v1/payment_intents": "name=Jo"} {
			a := b.raw(http.MethodPost, path, form, "Idempotency-Key", "k")
			if a.status != 400 || a.field(t, "error", "type") != "idempotency_error" {
				t.Errorf("%s: %d %s", path, a.status, a.body)
			}
		}
	})
	t.Run("ADeclineIsKeptAndARefusalIsNot", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		form := "amount=1000&currency=gbp&payment_method=pm_card_chargeDeclined&payment_method_types[]=card&confirm=true"
		first := b.raw(http.MethodPost, "/v1/payment_intents", form, "Idempotency-Key", "declined")
		second := b.raw(http.MethodPost, "/v1/payment_intents", form, "Idempotency-Key", "declined")
		if first.status != 402 || second.text() != first.text() || second.header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("%d %s", second.status, second.body)
		}
		if a := b.raw(http.MethodPost, "/v1/payment_intents", "amount=1&currency=gbp", "Idempotency-Key", "refused"); a.status != 400 {
			t.Fatalf("%d", a.status)
		}
		if a := b.raw(http.MethodPost, "/v1/payment_intents", "amount=1000&currency=gbp", "Idempotency-Key", "refused"); a.status != 200 {
			t.Errorf("after a refusal the key answered %d %s", a.status, a.body)
		}
	})
	t.Run("OneAtATime", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sandboxPost("/_sandbox/dials", map[string]any{"api_delay_ms": 300})
		var mu sync.Mutex
		statuses := map[int]int{}
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				a, err := b.try(http.MethodPost, "/v1/customers", "name=Jo", "Idempotency-Key", "k")
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				statuses[a.status]++
				if a.status == 409 && !strings.Contains(a.text(), "idempotency_key_in_use") {
					t.Errorf("%s", a.body)
				}
			})
		}
		wg.Wait()
		customers := 0
		for list := b.api.Customers.List(&stripe.CustomerListParams{}); list.Next(); {
			customers++
		}
		if customers != 1 || statuses[200]+statuses[409] != 6 || statuses[200] < 1 {
			t.Errorf("%d customers, statuses %v", customers, statuses)
		}
	})
}

func TestAFaultInOneRequestStopsNoOther(t *testing.T) {
	t.Parallel()
	b := setup(t)
	broken := httptest.NewServer(b.sandbox.Panicking())
	defer broken.Close()
	for range 2 { // the second would get a 409 if the key were still held
		request, err := http.NewRequest(http.MethodPost, broken.URL+"/v1/customers", strings.NewReader("name=Jo"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+testKey)
		request.Header.Set("Idempotency-Key", "k")
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != 500 {
			t.Errorf("the faulty request answered %d", answer.StatusCode)
		}
	}
	if _, err := b.api.Customers.New(&stripe.CustomerParams{}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestDials(t *testing.T) {
	t.Parallel()
	t.Run("OnesThatAreNotGivenStay", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sandboxPost("/_sandbox/dials", map[string]any{"drop": 0.25})
		a := b.sandboxPost("/_sandbox/dials", map[string]any{"delay_ms": 5})
		if a.status != 200 || !strings.Contains(a.text(), `"drop":0.25`) || !strings.Contains(b.get("/_sandbox/dials").text(), `"delay_ms":5`) {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
	t.Run("ABadValueIsNamedAndChangesNothing", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for name, value := range map[string]any{"drop": 1.5, "duplicate": -0.1, "reorder": "often", "delay_ms": 1.5, "api_delay_ms": -1, "api_error_rate": nil, "debit_settle_s": 1e12, "colour": 1} {
			a := b.sandboxPost("/_sandbox/dials", map[string]any{name: value, "delay_ms": map[bool]any{true: value, false: 7}[name == "delay_ms"]})
			if a.status != 400 || a.field(t, "error", "field") != name {
				t.Errorf("%s: %d %s", name, a.status, a.body)
			}
		}
		if a := b.get("/_sandbox/dials"); !strings.Contains(a.text(), `"delay_ms":0`) {
			t.Errorf("something was changed: %s", a.body)
		}
		if a := b.browse(http.MethodPost, "/_sandbox/dials", "application/json", strings.NewReader("[1]")); a.status != 400 {
			t.Errorf("a list answered %d", a.status)
		}
	})
	t.Run("CurlWithoutAContentTypeWorks", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		a := b.browse(http.MethodPost, "/_sandbox/dials", "application/x-www-form-urlencoded", strings.NewReader(`{"drop": 1}`))
		if a.status != 200 || !strings.Contains(a.text(), `"drop":1`) {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
	t.Run("InjectedErrorsComeBeforeAndAfterTheEffect", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sandboxPost("/_sandbox/dials", map[string]any{"api_error_rate": 1})
		failures, broken, asked := 0, 0, 60
		for i := range asked {
			// On a connection that it used before, Go's client sends a request with a key again by itself.
			a, err := b.try(http.MethodPost, "/v1/customers", fmt.Sprintf("name=%d", i), "Idempotency-Key", fmt.Sprint("k", i), "Connection", "close")
			switch {
			case err != nil:
				broken++
			case a.status == 500:
				failures++
			default:
				t.Fatalf("%d %s", a.status, a.body)
			}
		}
		b.sandboxPost("/_sandbox/dials", map[string]any{"api_error_rate": 0})
		made := map[string]bool{}
		params := &stripe.CustomerListParams{}
		params.Limit = stripe.Int64(100)
		for list := b.api.Customers.List(params); list.Next(); {
			made[list.Customer().Name] = true
		}
		if failures == 0 || broken == 0 || len(made) == 0 || len(made) == asked {
			t.Errorf("of %d: %d answered 500, %d connections broke, %d were made", asked, failures, broken, len(made))
		}
		// The same keys again: nothing is made twice, and an answer lost on the way is found.
		kept := 0
		for i := range asked {
			if a := b.raw(http.MethodPost, "/v1/customers", fmt.Sprintf("name=%d", i), "Idempotency-Key", fmt.Sprint("k", i)); a.status == 500 {
				kept++
				if !made[fmt.Sprint(i)] {
					t.Errorf("a failure before the effect was kept under its key")
				}
			}
		}
		n := 0
		for list := b.api.Customers.List(params); list.Next(); {
			n++
		}
		if n != asked || kept == 0 {
			t.Errorf("%d customers for %d requests, %d keys keep answering 500", n, asked, kept)
		}
	})
	t.Run("AtARateOfOneNothingGetsThroughNotEvenAKeptAnswer", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		create := func(key, form string) (rawAnswer, error) {
			return b.try(http.MethodPost, "/v1/customers", form, "Idempotency-Key", key)
		}
		first, err := create("before", "name=Jo")
		if err != nil || first.status != 200 {
			t.Fatalf("%v %d %s", err, first.status, first.body)
		}
		b.sandboxPost("/_sandbox/dials", map[string]any{"api_error_rate": 1})
		asks := map[string]func() (rawAnswer, error){
			"a kept answer":               func() (rawAnswer, error) { return create("before", "name=Jo") },
			"a key with other parameters": func() (rawAnswer, error) { return create("before", "name=Al") },
			"a retried request":           func() (rawAnswer, error) { return create("during", "name=Al") },
			"a faulty request":            func() (rawAnswer, error) { return create("faulty", "nope=1") },
			"a look":                      func() (rawAnswer, error) { return b.try(http.MethodGet, "/v1/customers", "") },
		}
		for name, ask := range asks {
			for range 12 {
				if a, err := ask(); err == nil && a.status != 500 {
					t.Errorf("%s got through: %d %s", name, a.status, a.body)
				}
			}
		}
		b.sandboxPost("/_sandbox/dials", map[string]any{"api_error_rate": 0})
		if a := b.raw(http.MethodPost, "/v1/customers", "name=Jo", "Idempotency-Key", "before"); a.text() != first.text() || a.header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("afterwards the key answers %d %s", a.status, a.body)
		}
		_ = b.raw(http.MethodPost, "/v1/customers", "name=Al", "Idempotency-Key", "during")
		n := 0
		for list := b.api.Customers.List(&stripe.CustomerListParams{}); list.Next(); {
			n++
		}
		if n != 2 {
			t.Errorf("%d customers for two keys", n)
		}
	})
}

func TestPaging(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var ids []string // newest first
	for i := range 23 {
		c, err := b.api.Customers.New(&stripe.CustomerParams{Name: stripe.String(fmt.Sprint(i))})
		if err != nil {
			t.Fatal(err)
		}
		ids = append([]string{c.ID}, ids...)
		b.clock.Add(time.Second)
	}
	page := func(t rapid.TB, query string) (got []string, more bool) {
		a, err := b.try(http.MethodGet, "/v1/customers?"+query, "")
		if err != nil || a.status != 200 {
			t.Fatalf("%v %d %s", err, a.status, a.body)
		}
		v, err := decodeJSON(a.body)
		if err != nil {
			t.Fatal(err)
		}
		list := v.(map[string]any)
		for _, item := range list["data"].([]any) {
			got = append(got, item.(map[string]any)["id"].(string))
		}
		return got, list["has_more"].(bool)
	}
	t.Run("PagesForwardsAndBackwardsAreCutsOfTheWhole", rapid.MakeCheck(func(t *rapid.T) {
		limit, at := rapid.IntRange(1, 30).Draw(t, "limit"), rapid.IntRange(0, len(ids)-1).Draw(t, "at")
		after, more := page(t, fmt.Sprintf("limit=%d&starting_after=%s", limit, ids[at]))
		want := ids[at+1 : min(at+1+limit, len(ids))]
		if fmt.Sprint(after) != fmt.Sprint(want) || more != (at+1+limit < len(ids)) {
			t.Fatalf("after %d: %v, more %v", at, after, more)
		}
		before, more := page(t, fmt.Sprintf("limit=%d&ending_before=%s", limit, ids[at]))
		want = ids[max(0, at-limit):at]
		if fmt.Sprint(before) != fmt.Sprint(want) || more != (at-limit > 0) {
			t.Fatalf("before %d: %v, more %v", at, before, more)
		}
	}))
	t.Run("TheClientWalksThroughAll", func(t *testing.T) {
		params := &stripe.CustomerListParams{}
		params.Limit = stripe.Int64(4)
		i := 0
		for list := b.api.Customers.List(params); list.Next(); i++ {
			if list.Customer().ID != ids[i] {
				t.Errorf("number %d is %s", i, list.Customer().ID)
			}
		}
		if i != len(ids) {
			t.Errorf("%d of %d", i, len(ids))
		}
	})
	t.Run("RangesOfTimeFilter", func(t *testing.T) {
		now := b.clock.Now().Unix()
		if got, _ := page(t, fmt.Sprintf("limit=100&created[gte]=%d&created[lt]=%d", now-5, now-2)); fmt.Sprint(got) != fmt.Sprint(ids[2:5]) {
			t.Errorf("%v", got)
		}
	})
}

func TestMoneyIsWrittenAsItsCurrencyIs(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct {
		minor    int64
		currency string
	}{"£12.50": {1250, "gbp"}, "¥500": {500, "jpy"}, "CHF 0.05": {5, "chf"}, "KWD 1.500": {1500, "kwd"}, "-$0.30": {-30, "usd"}} {
		if have := sandbox.FormatMoney(c.minor, c.currency); have != want {
			t.Errorf("%d %s is written %s, want %s", c.minor, c.currency, have, want)
		}
	}
}
