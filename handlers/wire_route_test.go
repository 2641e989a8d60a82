package handlers_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portatill/portatill/handlers"
	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
)

func TestOlderAndNewerClientsFindTheirRoutes(t *testing.T) {
	t.Parallel()
	k := setup(t)
	body := string(wire.Encode(wire.JSON, k.request()))
	for _, path := range []string{"/json/syncreply/StripePaymentRequest", "/api/StripePaymentRequest", "/API/stripepaymentrequest", "/api/StripePaymentRequest.json"} {
		k.do(http.MethodPost, path, body, "Content-Type", "application/json").accepted()
	}
	if a := k.do(http.MethodPost, "/json/asynconeway/StripePaymentRequest", body); a.status != http.StatusNoContent {
		t.Errorf("asynconeway: %d %s", a.status, a.body)
	}
	if a := k.do(http.MethodPost, "/api/StripePaymentRequest.csv", string(wire.Encode(wire.CSV, k.request()))); a.status != http.StatusOK || a.header.Get("Content-Type") != "text/csv" {
		t.Errorf("/api with a suffix: %d %s", a.status, a.header.Get("Content-Type"))
	}
	if n := k.rows("orders"); n != 1 {
		t.Errorf("%d orders", n)
	}
}

func TestABatchStopsAtItsFirstFailure(t *testing.T) {
	t.Parallel()
	batch := func(k *till, n int, change func(i int, r *wire.StripePaymentRequest)) string {
		var all []wire.StripePaymentRequest
		for i := range n {
			all = append(all, *k.request(func(r *wire.StripePaymentRequest) {
				if r.ContentId = int32(i + 1); change != nil {
					change(i, r)
				}
			}))
		}
		return string(wire.Encode(wire.JSON, all))
	}
	t.Run("AllAreAnsweredInOrder", func(t *testing.T) {
		t.Parallel()
		k := setup(t)
		for _, path := range []string{"/json/reply/StripePaymentRequest[]", "/json/reply/StripePaymentRequest%5B%5D"} {
			a := k.do(http.MethodPost, path, batch(k, 3, nil), "Idempotency-Key", "b")
			var got []response
			if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != http.StatusOK || len(got) != 3 || got[2].ContentId != 3 || a.header.Get("X-AutoBatch-Completed") != "3" {
				t.Fatalf("%d %v %s %s", a.status, err, a.header.Get("X-AutoBatch-Completed"), a.body)
			}
		}
		if n := k.rows("orders"); n != 3 {
			t.Errorf("%d orders: the same batch again made new ones", n)
		}
	})
	t.Run("TheFirstThatFailsIsTheAnswer", func(t *testing.T) {
		t.Parallel()
		k := setup(t)
		a := k.do(http.MethodPost, "/json/reply/StripePaymentRequest[]", batch(k, 3, func(i int, r *wire.StripePaymentRequest) {
			if i == 1 {
				r.ShoppingInformation[0].Quantity = 0
			}
		}))
		a.refused(http.StatusBadRequest, "InvalidAmount", "ShoppingInformation[0].Quantity")
		if a.header.Get("X-AutoBatch-Completed") != "1" || k.rows("orders") != 1 {
			t.Errorf("completed %s, %d orders", a.header.Get("X-AutoBatch-Completed"), k.rows("orders"))
		}
	})
	t.Run("ChargesNeedAKey", func(t *testing.T) {
		t.Parallel()
		k := setup(t)
		k.do(http.MethodPost, "/json/reply/StripePaymentRequest[]", batch(k, 1, func(_ int, r *wire.StripePaymentRequest) { r.StripeSourceId = wire.Str("pm_1") })).
			refused(http.StatusBadRequest, "NotEmpty", "Idempotency-Key")
		k.untouched()
	})
	t.Run("NothingIsNothingAndTooManyAreRefused", func(t *testing.T) {
		t.Parallel()
		k := setup(t)
		if a := k.do(http.MethodPost, "/json/reply/StripePaymentRequest[]", "[]"); a.status != http.StatusOK || a.body != "[]" {
			t.Errorf("%d %s", a.status, a.body)
		}
		k.do(http.MethodPost, "/json/reply/StripePaymentRequest[]", "["+strings.Repeat("{},", 100)+"{}]").refused(http.StatusBadRequest, "TooManyItems", "")
		k.do(http.MethodPost, "/json/reply/StripePaymentRequest", "[{}]").refused(http.StatusBadRequest, "SerializationException", "")
		k.untouched()
	})
}

func TestJSONPCallsOnlyWhatCanBeAFunction(t *testing.T) {
	t.Parallel()
	k := setup(t)
	body := string(wire.Encode(wire.JSON, k.request()))
	a := k.do(http.MethodPost, userRoute+"?callback=my.fn_$1", body, "Content-Type", "application/json")
	if a.status != http.StatusOK || !strings.HasPrefix(a.body, "my.fn_$1({") || !strings.HasSuffix(a.body, "})") || !strings.HasPrefix(a.header.Get("Content-Type"), "text/javascript") {
		t.Errorf("%d %s %s", a.status, a.header.Get("Content-Type"), a.body)
	}
	for _, name := range []string{"alert(1)//", "1a", "a b", "<script>", strings.Repeat("a", 65), "a-b", "a%0a"} {
		a := k.do(http.MethodPost, userRoute+"?callback="+url.QueryEscape(name), body, "Content-Type", "application/json")
		if a.status != http.StatusBadRequest || !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") || strings.Contains(a.body, name) {
			t.Errorf("%q: %d %s %s", name, a.status, a.header.Get("Content-Type"), a.body)
		}
	}
}

func TestScriptsOfConfiguredOriginsOnlyMayCall(t *testing.T) {
	t.Parallel()
	k := setup(t)
	ask := func(method, origin string) http.Header {
		return k.do(method, userRoute, "", "Origin", origin, "Access-Control-Request-Method", "POST").header
	}
	if h := ask(http.MethodOptions, "https://shop.example"); h.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("without a setting: %v", h)
	}
	k.options.CORSOrigins = []string{"https://shop.example"}
	k.http = handlers.New(k.options)
	h := ask(http.MethodOptions, "https://shop.example")
	if h.Get("Access-Control-Allow-Origin") != "https://shop.example" || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "Idempotency-Key") || !strings.Contains(strings.Join(h.Values("Vary"), ","), "Origin") {
		t.Errorf("a preflight: %v", h)
	}
	for _, origin := range []string{"https://evil.example", "null", "http://shop.example", "https://shop.example.evil.example", "https://SHOP.example"} {
		if h := ask(http.MethodOptions, origin); h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v", origin, h)
		}
	}
	if h := k.do(http.MethodOptions, "/pay/"+strings.Repeat("A", 22), "", "Origin", "https://shop.example").header; h.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a page: %v", h)
	}
}

func TestTheQueryStringOverridesABodyAndAFormOverridesIt(t *testing.T) {
	t.Parallel()
	k := setup(t)
	body := string(wire.Encode(wire.JSON, k.request()))
	if r := k.do(http.MethodPost, userRoute+"?contentid=77", body, "Content-Type", "application/json").accepted(); r.ContentId != 77 {
		t.Errorf("ContentId %d", r.ContentId)
	}
	form := string(wire.Encode(wire.Form, k.request()))
	if r := k.do(http.MethodPost, userRoute+".json?ContentId=78", form, "Content-Type", "application/x-www-form-urlencoded").accepted(); r.ContentId != 42 {
		t.Errorf("ContentId %d", r.ContentId)
	}
	if r := k.do(http.MethodPost, "/json/reply/StripePaymentRequest?ContentId=79", body).accepted(); r.ContentId != 42 {
		t.Errorf("on a pre-defined route: ContentId %d", r.ContentId)
	}
	k.do(http.MethodPost, userRoute+"?ContentId=abc", body, "Content-Type", "application/json").refused(http.StatusBadRequest, "SerializationException", "ContentId")
}

// FM-05: a key in a form that a browser posts.
func TestABrowserMayNeverSeeTheKey(t *testing.T) {
	t.Parallel()
	k := setup(t)
	form := string(wire.Encode(wire.Form, k.request()))
	for _, header := range [][]string{{"Origin", "https://shop.example"}, {"Sec-Fetch-Mode", "navigate"}} {
		a := k.do(http.MethodPost, userRoute+".json", form, append(header, "Content-Type", "application/x-www-form-urlencoded")...)
		a.refused(http.StatusBadRequest, "ConflictingOperations", "License")
	}
	k.untouched()
}

// passForm is a form as a portal makes it, without key, and the pass over it: written from product.md section 5.
func passForm(k *till, expires time.Time, changes ...func(url.Values)) url.Values {
	form := url.Values{"ICustomer": {"12345"}, "SuccessUrl": {"https://shop.example/paid?a=b c&d=é~*'()!"}, "CancelUrl": {"https://shop.example/basket"},
		"ShoppingInformation": {"[{Title:SIM & card + more,Quantity:1,SetupFee:12.00}]"}, "FeatureName": {"top-up"}}
	form.Set("SuccessUrl", "https://shop.example/paid?a=b%20c&d=~*'()!")
	for _, change := range changes {
		change(form)
	}
	sign(k, form, expires)
	return form
}

var nonces struct {
	sync.Mutex
	n int
}

func sign(k *till, form url.Values, expires time.Time) {
	nonces.Lock()
	nonces.n++
	head := fmt.Sprintf("pt1.%s.%d.nonce_%014d", k.tenant.Slug, expires.Unix(), nonces.n)
	nonces.Unlock()
	names := []string{}
	for name := range form {
		names = append(names, name)
	}
	sort.Strings(names)
	parts := []string{}
	for _, name := range names {
		parts = append(parts, name+"="+rfc3986(form.Get(name)))
	}
	mac := hmac.New(sha256.New, []byte(k.tenant.SigningSecret.Reveal()))
	mac.Write([]byte(head + "\n" + strings.Join(parts, "&")))
	form.Set("apiSingleUseToken", head+"."+base64.RawURLEncoding.EncodeToString(mac.Sum(nil)))
}

// rfc3986 is Go's query escaping with the two differences that RFC 3986 has.
func rfc3986(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

func (k *till) postForm(target string, form url.Values) answer {
	return k.do(http.MethodPost, target, form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Origin", "https://shop.example", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate")
}

func TestAPassMakesExactlyOneOrder(t *testing.T) {
	t.Parallel()
	k := setup(t)
	form := passForm(k, time.Now().Add(time.Hour))
	first := k.postForm(userRoute, form)
	if !regexp.MustCompile(`^https://till\.example/pay/[A-Za-z0-9_-]{22}$`).MatchString(first.header.Get("Location")) || first.status != http.StatusSeeOther {
		t.Fatalf("got %d to %q: %.300s", first.status, first.header.Get("Location"), first.body)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if a := k.postForm(userRoute, form); a.header.Get("Location") != first.header.Get("Location") {
				t.Errorf("again: %d to %q", a.status, a.header.Get("Location"))
			}
		})
	}
	wait.Wait()
	if n := k.rows("orders"); n != 1 {
		t.Errorf("%d orders", n)
	}
	k.get(strings.TrimPrefix(first.header.Get("Location"), baseURL)).page(http.StatusOK)
}

func TestAPassThatDoesNotFitIsA403PageThatSaysWhatToDo(t *testing.T) {
	t.Parallel()
	hour := func() time.Time { return time.Now().Add(time.Hour) }
	cases := []struct {
		name string
		form func(k *till) url.Values
	}{
		{"AChangedAmount", func(k *till) url.Values {
			f := passForm(k, hour())
			f.Set("ShoppingInformation", "[{Title:SIM & card + more,Quantity:1,SetupFee:1.00}]")
			return f
		}},
		{"AnotherCustomer", func(k *till) url.Values { f := passForm(k, hour()); f.Set("ICustomer", "54321"); return f }},
		{"AFieldMore", func(k *till) url.Values { f := passForm(k, hour()); f.Set("PaymentMethod", "card"); return f }},
		{"AnEmptyFieldMore", func(k *till) url.Values { f := passForm(k, hour()); f.Set("Notes", ""); return f }},
		{"AFieldLess", func(k *till) url.Values { f := passForm(k, hour()); f.Del("FeatureName"); return f }},
		{"Expired", func(k *till) url.Values { return passForm(k, time.Now().Add(-time.Second)) }},
		{"TooFarAhead", func(k *till) url.Values { return passForm(k, time.Now().Add(25*time.Hour)) }},
		{"AnUnknownTenant", func(k *till) url.Values {
			f := passForm(k, hour())
			f.Set("apiSingleUseToken", strings.Replace(f.Get("apiSingleUseToken"), k.tenant.Slug, "nobody", 1))
			return f
		}},
		{"AnotherTenantsPass", func(k *till) url.Values {
			f := passForm(k, hour())
			other, _ := k.addTenant()
			f.Set("apiSingleUseToken", strings.Replace(f.Get("apiSingleUseToken"), k.tenant.Slug, other.Slug, 1))
			return f
		}},
		{"CutShort", func(k *till) url.Values {
			f := passForm(k, hour())
			f.Set("apiSingleUseToken", f.Get("apiSingleUseToken")[:40])
			return f
		}},
		{"ABlankMore", func(k *till) url.Values {
			f := passForm(k, hour())
			f.Set("apiSingleUseToken", f.Get("apiSingleUseToken")+" ")
			return f
		}},
		{"ALaterExpiry", func(k *till) url.Values {
			f := passForm(k, hour())
			parts := strings.Split(f.Get("apiSingleUseToken"), ".")
			parts[2] = fmt.Sprint(time.Now().Add(2 * time.Hour).Unix())
			f.Set("apiSingleUseToken", strings.Join(parts, "."))
			return f
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			k := setup(t)
			a := k.postForm(userRoute, c.form(k))
			doc := a.page(http.StatusForbidden)
			a.tellsNothing()
			if !strings.Contains(text(doc.Selection), "Go back to the shop") {
				t.Errorf("the page says %.300s", text(doc.Selection))
			}
			k.untouched()
		})
	}
}

func TestAnExpiredPassStillLeadsToItsOrder(t *testing.T) {
	t.Parallel()
	k := setup(t)
	form := passForm(k, time.Now().Add(time.Hour))
	first := k.postForm(userRoute, form).header.Get("Location")
	later := *k.pay
	later.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	k.options.Pay = &later
	k.http = handlers.New(k.options)
	if a := k.postForm(userRoute, form); first == "" || a.header.Get("Location") != first {
		t.Errorf("got %d to %q, want %q", a.status, a.header.Get("Location"), first)
	}
}

func TestAPassIsForAFormWithoutAKey(t *testing.T) {
	t.Parallel()
	k := setup(t)
	pass := passForm(k, time.Now().Add(time.Hour)).Get("apiSingleUseToken")
	k.send(wire.JSON, k.request(func(r *wire.StripePaymentRequest) { r.ApiSingleUseToken = wire.Str(pass) })).refused(http.StatusBadRequest, "ConflictingOperations", "apiSingleUseToken")
	form := passForm(k, time.Now().Add(time.Hour), func(f url.Values) { f.Set("License", k.license) })
	k.postForm(userRoute+".json", form).page(http.StatusUnprocessableEntity) // a person reads it, whatever the address says
	k.untouched()
}

func TestAGenuinePassForABadRequestIsA422Page(t *testing.T) {
	t.Parallel()
	k := setup(t)
	form := passForm(k, time.Now().Add(time.Hour), func(f url.Values) { f.Set("SuccessUrl", "https://evil.example/") })
	a := k.postForm(userRoute, form)
	a.page(http.StatusUnprocessableEntity)
	a.tellsNothing()
	k.untouched()
	s := setup(t, func(t *pay.Tenant) { t.State = pay.TenantSuspended })
	s.postForm(userRoute, passForm(s, time.Now().Add(time.Hour))).page(http.StatusForbidden)
}

// TestAPassCoversTheFormAlone: what the address adds is not signed, so it does not count; a field twice is ambiguous.
func TestAPassCoversTheFormAlone(t *testing.T) {
	t.Parallel()
	k := setup(t)
	query := "?ContentId=9&PaymentMethod=paypal&CustomerId=cus_evil&Customer=" + url.QueryEscape("{ICustomer:12345,CustomerContact:{Email:evil@example.com}}")
	if a := k.postForm(userRoute+query, passForm(k, time.Now().Add(time.Hour))); a.status != http.StatusSeeOther {
		t.Fatalf("got %d %.300s", a.status, a.body)
	}
	orders, err := k.store.ListOrders(t.Context(), pay.OrderFilter{TenantID: k.tenant.ID})
	if err != nil || len(orders) != 1 {
		t.Fatalf("%d orders, %v", len(orders), err)
	}
	customer, err := k.store.CustomerByICustomer(t.Context(), k.tenant.ID, 12345)
	if o := orders[0]; err != nil || o.ContentID != 0 || len(o.PaymentMethods) != 0 || o.FeatureName != "top-up" || customer.Email != "" {
		t.Errorf("the address changed what was signed: content %d, methods %v, e-mail %q, %v", o.ContentID, o.PaymentMethods, customer.Email, err)
	}
	form := passForm(k, time.Now().Add(time.Hour))
	form.Add("ICustomer", "12345")
	if a := k.postForm(userRoute, form); a.status != http.StatusForbidden || k.rows("orders") != 1 {
		t.Errorf("a field twice: %d, %d orders", a.status, k.rows("orders"))
	}
}
