package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
)

func TestTextsThatAreTooLongAreRefusedOnBothDatabases(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		k := setupOn(t, open(t))
		for field, change := range map[string]func(r *wire.StripePaymentRequest){
			"FeatureName":   func(r *wire.StripePaymentRequest) { r.FeatureName = wire.Str(strings.Repeat("x7", 2_000)) },
			"CardInfo":      func(r *wire.StripePaymentRequest) { r.CardInfo = wire.Str(strings.Repeat("c", 101)) },
			"PaymentMethod": func(r *wire.StripePaymentRequest) { r.PaymentMethod = wire.Str(strings.Repeat("card,", 5_000)) },
			"ShoppingInformation[0].Title": func(r *wire.StripePaymentRequest) {
				r.ShoppingInformation[0].Title = wire.Str(strings.Repeat("t", 500_000))
			},
			"ShoppingInformation[0].Key": func(r *wire.StripePaymentRequest) {
				r.ShoppingInformation[0].Key = wire.Str(strings.Repeat("k", 5_000))
			},
		} {
			k.send(wire.JSON, k.request(change)).refused(http.StatusBadRequest, "MaximumLength", field)
		}
		k.untouched()
		k.send(wire.JSON, k.request(func(r *wire.StripePaymentRequest) { r.FeatureName = wire.Str(strings.Repeat("ü", 255)) })).accepted()
	})
}

func TestAnErrorNeitherEchoesNorStutters(t *testing.T) {
	t.Parallel()
	k := setup(t)
	echo := k.do(http.MethodPost, "/json/reply/StripePaymentRequest", "{}", "X-HTTP-Method-Override", "<script>SECRET"+strings.Repeat("ö", 500))
	if echo.status != http.StatusMethodNotAllowed || strings.Contains(strings.ToLower(echo.body), "script") || strings.Contains(echo.body, "ö") {
		t.Errorf("%d %.200s", echo.status, echo.body)
	}
	stutter := k.sendJSON(`{"apiSingleUseToken":{}}`)
	if m := stutter.json().ResponseStatus.Message; strings.Count(m, "apiSingleUseToken") != 1 {
		t.Errorf("it says %q", m)
	}
}

func TestErrorsAreLeftOutOfWhatWasNotUnderstood(t *testing.T) {
	t.Parallel()
	k := setup(t)
	for name, a := range map[string]answer{
		"CutOff":           k.sendJSON(`{`),
		"UnknownOperation": k.do(http.MethodPost, "/json/reply/Nope", "{}"),
		"WrongVerb":        k.do(http.MethodGet, "/json/reply/StripePaymentRequest", ""),
		"TooLarge":         k.sendJSON(`"` + strings.Repeat("x", 2<<20) + `"`),
	} {
		if strings.Contains(a.body, `"Errors"`) || a.status < 400 {
			t.Errorf("%s: %d %.200s", name, a.status, a.body)
		}
	}
	if a := k.sendJSON(`{"License":"nobody"}`); !strings.Contains(a.body, `"Errors":[`) {
		t.Errorf("an error of the service has no Errors: %s", a.body)
	}
}

func TestWhatIsNotHereIsAPlain404UnlessAPersonAsks(t *testing.T) {
	t.Parallel()
	k := setup(t)
	for _, path := range []string{"/nope", "/ChargeStripeCustomerCard.foo", "/soap11", "/foo/reply/StripePaymentRequest"} {
		if a := k.do(http.MethodPost, path, "{}"); a.status != http.StatusNotFound || a.body != "404" {
			t.Errorf("%s: %d %.100s", path, a.status, a.body)
		}
		if a := k.do(http.MethodPost, path, "{}", "Accept", "application/json"); a.status != http.StatusNotFound || a.json().ResponseStatus == nil {
			t.Errorf("%s in JSON: %d %.100s", path, a.status, a.body)
		}
		if a := k.do(http.MethodGet, path, "", "Accept", "text/html"); a.status != http.StatusNotFound || !strings.Contains(a.body, "<h1") {
			t.Errorf("%s as a page: %d %.100s", path, a.status, a.body)
		}
	}
}

func TestAOneWayRequestIsKeptWhileStripeIsAway(t *testing.T) {
	t.Parallel()
	k := setup(t, func(t *pay.Tenant) { t.StripeAccount = "acct_known" })
	k.stripe.breakWith(&pay.StripeFault{Kind: pay.FaultUnavailable})
	body := string(wire.Encode(wire.JSON, k.request()))
	if a := k.do(http.MethodPost, "/json/oneway/StripePaymentRequest", body, "Content-Type", "application/json"); a.status != http.StatusNoContent {
		t.Fatalf("%d %s", a.status, a.body)
	}
	orders, err := k.store.ListOrders(t.Context(), pay.OrderFilter{TenantID: k.tenant.ID})
	if err != nil || len(orders) != 1 || orders[0].State != pay.OrderDraft {
		t.Fatalf("%+v, %v", orders, err)
	}
	k.stripe.breakWith(nil)
	if a := k.do(http.MethodPost, "/pay/"+orders[0].PayToken, ""); a.status != http.StatusSeeOther {
		t.Errorf("its page leads to %d %.100s", a.status, a.body)
	}
	k.stripe.breakWith(&pay.StripeFault{Kind: pay.FaultRejected})
	body = string(wire.Encode(wire.JSON, k.request(func(r *wire.StripePaymentRequest) { r.ContentId = 9 })))
	if a := k.do(http.MethodPost, "/json/oneway/StripePaymentRequest", body, "Content-Type", "application/json"); a.status != http.StatusBadGateway {
		t.Errorf("what Stripe refuses for good: %d", a.status)
	}
}
