package handlers_test

import (
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/portatill/portatill/handlers"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/static"
)

func (k *till) get(path string, headers ...string) answer {
	k.t.Helper()
	return k.do(http.MethodGet, path, "", headers...)
}

// page is an answer's HTML.
func (a answer) page(status int) *goquery.Document {
	a.t.Helper()
	if a.status != status || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		a.t.Fatalf("want a page with status %d, got %d %s: %.300s", status, a.status, a.header.Get("Content-Type"), a.body)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(a.body))
	if err != nil {
		a.t.Fatal(err)
	}
	return doc
}

func byID(doc *goquery.Document, id string) *goquery.Selection {
	return doc.Find(`[data-testid="` + id + `"]`)
}

func text(s *goquery.Selection) string { return strings.Join(strings.Fields(s.Text()), " ") }

func TestTheOrderPageShowsWhatIsPaidAndWhy(t *testing.T) {
	t.Parallel()
	k := setup(t)
	_, path := k.open()
	doc := k.get(path).page(http.StatusOK)
	if got := text(byID(doc, "tenant")); !strings.Contains(got, "Acme Telecom") {
		t.Errorf("tenant %q", got)
	}
	if n := byID(doc, "line").Length(); n != 1 {
		t.Errorf("%d lines", n)
	}
	if got := text(byID(doc, "line")); !strings.Contains(got, "SIP trunk, 4 channels") || !strings.Contains(got, "Includes 2 London numbers") || !strings.Contains(got, "£92.00") {
		t.Errorf("line %q", got)
	}
	if got := text(byID(doc, "line-explanation")); !strings.Contains(got, "2 × (£10.00 setup + £12.00 a month × 3 months) = £92.00") {
		t.Errorf("explanation %q", got)
	}
	if got := text(byID(doc, "order-total")); !strings.Contains(got, "£110.40") {
		t.Errorf("total %q", got)
	}
	if got := text(doc.Selection); !strings.Contains(got, "VAT 20 %") || !strings.Contains(got, "£18.40") || !strings.Contains(got, "Then £24.00 a month, billed by Acme Telecom.") {
		t.Error("VAT or what comes after today is missing")
	}
	if byID(doc, "pay").Length() != 1 || byID(doc, "cancel").Length() != 1 {
		t.Error("the pay button or the way back is missing")
	}
	if form := byID(doc, "pay").Closest("form"); form.AttrOr("method", "") != "post" || form.AttrOr("action", "") != path {
		t.Errorf("the form posts to %q", form.AttrOr("action", ""))
	}
	if doc.Find("script").Length() != 0 || regexp.MustCompile(`\sstyle=|\son[a-z]+=`).MatchString(k.get(path).body) {
		t.Error("a customer's page has a script, an inline style or a handler")
	}
	if strings.Contains(text(doc.Selection), canaryEmail) || strings.Contains(text(doc.Selection), "Exchange Street") {
		t.Error("whoever has the link sees the e-mail or the address")
	}
}

// TestHostileTextIsOnlyText is XS-01.
func TestHostileTextIsOnlyText(t *testing.T) {
	t.Parallel()
	k := setup(t)
	const hostile = `<script>alert(1)</script>"><img src=x onerror=alert(1)>{{7*7}}${7*7}'--`
	str := wire.Str(hostile)
	r, path := k.open(func(r *wire.StripePaymentRequest) {
		r.FeatureName, r.Customer.Notes, r.Customer.PersonalInformation.Name, r.Customer.PersonalInformation.Company = str, str, str, str
		r.Customer.CustomerContact.Email = wire.Str(`"><script>@example.com`)
		r.ShoppingInformation[0].Title, r.ShoppingInformation[0].AdditionalInformation = str, []wire.String{str, wire.Str("\u202egnp.exe\u200b")}
	})
	k.card(r.SessionId, "4242424242424242")
	for _, below := range []string{"", "/return", "/receipt"} {
		a := k.get(path + below)
		doc := a.page(http.StatusOK)
		if doc.Find("script,img[src=x],[onerror]").Length() != 0 || strings.Contains(a.body, "<script>alert") || strings.Contains(a.body, "<img src=x") {
			t.Errorf("%q runs the customer's text", below)
		}
		if strings.Contains(a.body, "49") && strings.Contains(a.body, "}}49") {
			t.Errorf("%q computed the text", below)
		}
	}
	if !strings.Contains(html.UnescapeString(k.get(path).body), hostile) {
		t.Error("the title is not shown as it was sent")
	}
}

func TestThePayButtonLeadsToStripe(t *testing.T) {
	t.Parallel()
	k := setup(t)
	r, path := k.open()
	for range 2 {
		a := k.do(http.MethodPost, path, "", "Content-Type", "application/x-www-form-urlencoded", "Origin", baseURL, "Sec-Fetch-Site", "same-origin")
		if want := stripeURL + "/c/pay/" + r.SessionId; a.status != http.StatusSeeOther || a.header.Get("Location") != want {
			t.Fatalf("got %d to %q, want %q", a.status, a.header.Get("Location"), want)
		}
	}
	if back := k.card(r.SessionId, "4242424242424242"); !strings.HasPrefix(back, baseURL+path+"/return") {
		t.Errorf("Stripe sends the customer to %q", back)
	}
	a := k.do(http.MethodPost, path, "")
	if a.status != http.StatusSeeOther || a.header.Get("Location") != baseURL+path+"/return" {
		t.Errorf("pressed after it was paid: %d to %q", a.status, a.header.Get("Location"))
	}
	if k.order(r.OrderId).State != pay.OrderPaid || k.rows("payments") != 1 {
		t.Errorf("the order is %s", k.order(r.OrderId).State)
	}
}

func TestPressingTheButtonInManyTabsIsOneSession(t *testing.T) {
	t.Parallel()
	k := setup(t)
	_, path := k.open()
	var wait sync.WaitGroup
	var mu sync.Mutex
	to := map[string]bool{}
	for range 8 {
		wait.Go(func() {
			a := k.do(http.MethodPost, path, "")
			mu.Lock()
			defer mu.Unlock()
			if to[a.header.Get("Location")] = true; a.status != http.StatusSeeOther {
				t.Errorf("got %d", a.status)
			}
		})
	}
	wait.Wait()
	if len(to) != 1 || k.rows("attempts") != 1 {
		t.Errorf("led to %v, %d attempts", to, k.rows("attempts"))
	}
}

// checkSignature is the documented check of a portal, written without pay.
func checkSignature(t *testing.T, secret, link string) url.Values {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(u.RawQuery, "order=")
	end := strings.Index(u.RawQuery, "&sig=")
	if at < 0 || end < at {
		t.Fatalf("nothing is signed in %s", link)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(u.RawQuery[at:end]))
	if want := base64.RawURLEncoding.EncodeToString(mac.Sum(nil)); u.Query().Get("sig") != want {
		t.Errorf("the signature of %s is %s, want %s", u.RawQuery[at:end], u.Query().Get("sig"), want)
	}
	var names []string
	for part := range strings.SplitSeq(u.RawQuery[at:end], "&") {
		name, _, _ := strings.Cut(part, "=")
		names = append(names, name)
	}
	if strings.Join(names, " ") != "order status amount currency ts" {
		t.Errorf("signed are %v", names)
	}
	return u.Query()
}

func TestTheReturnPageSettlesAndLeadsOn(t *testing.T) {
	t.Parallel()
	k := setup(t)
	r, path := k.paid()
	a := k.get(path + "/return")
	doc := a.page(http.StatusOK)
	if got := byID(doc, "status").AttrOr("data-status", ""); got != "paid" {
		t.Fatalf("data-status is %q", got)
	}
	link := byID(doc, "continue").AttrOr("href", "")
	q := checkSignature(t, k.tenant.SigningSecret.Reveal(), link)
	if !strings.HasPrefix(link, "https://shop.example/paid?basket=42&order=") || q.Get("order") != r.OrderId || q.Get("status") != "paid" || q.Get("amount") != "110.40" || q.Get("currency") != "GBP" {
		t.Errorf("continue leads to %s", link)
	}
	if refresh := a.header.Get("Refresh"); !regexp.MustCompile(`^\d+; url=https://shop\.example/paid\?`).MatchString(refresh) {
		t.Errorf("Refresh is %q", refresh)
	}
	for range 3 { // ID-11: looking again changes nothing
		k.get(path + "/return").page(http.StatusOK)
	}
	if k.rows("payments") != 1 || k.rows("postings") != 1 {
		t.Errorf("%d payments, %d postings", k.rows("payments"), k.rows("postings"))
	}
	if broken, err := k.store.VerifyBooks(t.Context()); err != nil || len(broken) > 0 {
		t.Errorf("the books: %v %v", broken, err)
	}
}

func TestTheReturnPageSaysWhatIsTrue(t *testing.T) {
	t.Parallel()
	t.Run("NotPaidYet", func(t *testing.T) {
		t.Parallel()
		k := setup(t)
		_, path := k.open()
		a := k.get(path + "/return")
		doc := a.page(http.StatusOK)
		if got := byID(doc, "status").AttrOr("data-status", ""); got != "open" || byID(doc, "continue").Length() != 0 || strings.Contains(a.header.Get("Refresh"), "url=") {
			t.Errorf("data-status %q, Refresh %q", got, a.header.Get("Refresh"))
		}
	})
	t.Run("AnotherOrdersSessionInTheAddressProvesNothing", func(t *testing.T) {
		t.Parallel()
		k := setup(t)
		paid, _ := k.paid()
		other, path := k.open(func(r *wire.StripePaymentRequest) { r.ContentId = 7 })
		k.get(path + "/return?session_id=" + paid.SessionId).page(http.StatusOK)
		if s := k.order(other.OrderId).State; s != pay.OrderOpen {
			t.Errorf("the other order is %s", s)
		}
	})
	t.Run("StripeDoesNotAnswer", func(t *testing.T) {
		t.Parallel()
		k := setup(t)
		_, path := k.paid()
		k.stripe.breakWith(&pay.StripeFault{Kind: pay.FaultUnavailable})
		a := k.get(path + "/return")
		doc := a.page(http.StatusOK)
		if got := byID(doc, "status").AttrOr("data-status", ""); got != "open" || byID(doc, "continue").Length() != 0 || a.header.Get("Refresh") != "3" {
			t.Errorf("data-status %q, Refresh %q", got, a.header.Get("Refresh"))
		}
		k.stripe.breakWith(nil)
		if got := byID(k.get(path+"/return").page(http.StatusOK), "status").AttrOr("data-status", ""); got != "paid" {
			t.Errorf("when it answers again: %q", got)
		}
	})
	t.Run("AnInternalFaultIsAPageWithoutItsText", func(t *testing.T) {
		t.Parallel()
		k := setup(t)
		_, path := k.paid()
		k.stripe.breakWith(errors.New("canary-internal SELECT * FROM orders"))
		a := k.get(path + "/return")
		a.page(http.StatusInternalServerError)
		a.tellsNothing()
		if strings.Contains(a.body, "canary-internal") || !strings.Contains(k.log.String(), "canary-internal") {
			t.Error("the fault is on the page, or not in the log")
		}
		if !strings.Contains(a.body, a.header.Get("X-Request-Id")) {
			t.Error("the page does not name the request")
		}
	})
	t.Run("NothingWasDue", func(t *testing.T) {
		t.Parallel()
		k := setup(t)
		r, path := k.open(func(r *wire.StripePaymentRequest) { r.ShoppingInformation[0].VoucherCredit = wire.MustDecimal("92.00") })
		if r.Status != "paid" || !strings.HasSuffix(r.Url, "/return") || r.SessionId != "" {
			t.Errorf("got %+v", r)
		}
		a := k.get(path + "/return")
		if q := checkSignature(t, k.tenant.SigningSecret.Reveal(), a.header.Get("Location")); a.status != http.StatusSeeOther || q.Get("amount") != "0.00" {
			t.Errorf("got %d to %s", a.status, a.header.Get("Location"))
		}
	})
}

func TestReviewDirectLeadsStraightToStripe(t *testing.T) {
	t.Parallel()
	k := setup(t, func(t *pay.Tenant) { t.Policies.Review = "direct" })
	if r := k.send(wire.JSON, k.request()).accepted(); r.Url != stripeURL+"/c/pay/"+r.SessionId {
		t.Errorf("Url is %s", r.Url)
	}
}

func TestLeavingUnpaidLeadsToCancelUrl(t *testing.T) {
	t.Parallel()
	k := setup(t)
	r, path := k.open()
	a := k.get(path+"/cancel", "Referer", "https://evil.example/")
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "https://shop.example/basket" {
		t.Errorf("got %d to %q", a.status, a.header.Get("Location"))
	}
	if s := k.order(r.OrderId).State; s != pay.OrderOpen {
		t.Errorf("the order is %s", s)
	}
	k.card(r.SessionId, "4242424242424242")
	k.get(path + "/return")
	if a := k.get(path + "/cancel"); a.header.Get("Location") != baseURL+path+"/return" {
		t.Errorf("left after it was paid: to %q", a.header.Get("Location"))
	}
}

func TestTheReceiptShowsNothingPersonal(t *testing.T) {
	t.Parallel()
	k := setup(t)
	_, path := k.paid()
	if a := k.get(path + "/receipt"); a.status != http.StatusSeeOther || a.header.Get("Location") != baseURL+path {
		t.Errorf("before it was paid: %d to %q", a.status, a.header.Get("Location"))
	}
	k.get(path + "/return")
	a := k.get(path + "/receipt")
	doc := a.page(http.StatusOK)
	if byID(doc, "status").AttrOr("data-status", "") != "paid" || !strings.Contains(text(doc.Selection), "£110.40") {
		t.Errorf("the receipt says %.300s", text(doc.Selection))
	}
	for _, secret := range []string{"Lovelace", "Ada", canaryEmail, "lovelace", "Exchange Street", "NR2", "4242", "555", "Analytical"} {
		if strings.Contains(a.body, secret) {
			t.Errorf("the receipt shows %q", secret)
		}
	}
}

func TestUnknownTokensAreOneAnd404(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		k := setupOn(t, open(t))
		_, path := k.open()
		id := regexp.MustCompile(`[0-9a-f]{16}`)
		shapes := map[string]string{}
		for _, token := range []string{strings.Repeat("A", 22), "x", strings.Repeat("a", 500), strings.TrimPrefix(path, "/pay/")[:21], strings.ToUpper(strings.TrimPrefix(path, "/pay/")), "\x00",
			strings.Repeat("\x00", 22), strings.Repeat("\xff", 22), "' OR '1'='1' -- aaaaaa", ".."} {
			for _, below := range []string{"", "/return", "/cancel", "/receipt", "/brand.css"} {
				a := k.get("/pay/" + url.PathEscape(token) + below)
				if a.status != http.StatusNotFound {
					t.Errorf("%q%s: %d", token, below, a.status)
				}
				a.tellsNothing()
				shapes[id.ReplaceAllString(a.body, "")] = token + below
			}
			if a := k.do(http.MethodPost, "/pay/"+url.PathEscape(token), ""); a.status != http.StatusNotFound {
				t.Errorf("POST %q: %d", token, a.status)
			}
		}
		if len(shapes) != 1 {
			t.Errorf("the answers differ: %d shapes", len(shapes))
		}
	})
}

func TestSecurityHeadersAreOnEveryAnswer(t *testing.T) {
	t.Parallel()
	k := setup(t)
	_, path := k.open()
	for _, target := range []string{path, path + "/return", path + "/cancel", path + "/receipt", "/pay/nope", "/", "/nope", "/healthz", "/readyz", "/robots.txt",
		static.URL("css/app.css"), path + "/brand.css", userRoute, userRoute + ".yaml", "/foo/reply/StripePaymentRequest", "/webhooks/stripe/x"} {
		h := k.get(target).header
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: CSP is %q", target, csp)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "script-src") {
			t.Errorf("%s: CSP allows scripts: %q", target, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" || !strings.Contains(h.Get("Strict-Transport-Security"), "max-age=31536000") || h.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: %v", target, h)
		}
		if !strings.Contains(target, "static") && !strings.Contains(target, "brand") && h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control is %q", target, h.Get("Cache-Control"))
		}
		if h.Get("Set-Cookie") != "" {
			t.Errorf("%s sets a cookie", target)
		}
	}
}

func TestAnotherSitesFormIsRefused(t *testing.T) {
	t.Parallel()
	k := setup(t)
	r, path := k.open()
	for _, headers := range [][]string{{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}, {"Origin", "null"}, {"Origin", "http://till.example", "Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site", "Origin", "https://other.till.example"}} {
		a := k.do(http.MethodPost, path, "", headers...)
		a.page(http.StatusForbidden)
		a.tellsNothing()
		if a.header.Get("Location") != "" {
			t.Errorf("%v is led to %q", headers, a.header.Get("Location"))
		}
	}
	attempts, err := k.store.ListAttempts(t.Context(), k.tenant.ID, r.OrderId)
	if err != nil || !attempts[0].StartedAt.IsZero() {
		t.Errorf("the payment was started: %v", err)
	}
	if a := k.do(http.MethodPost, path, "_method=DELETE", "X-HTTP-Method-Override", "DELETE", "Content-Type", "application/x-www-form-urlencoded"); a.status != http.StatusSeeOther {
		t.Errorf("a method in a header or a field counts: %d", a.status)
	}
}

// TestLinksComeFromTheBaseURLAlone is HH-01.
func TestLinksComeFromTheBaseURLAlone(t *testing.T) {
	t.Parallel()
	k := setup(t)
	evil := []string{"Host", "evil.example", "X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "http", "Forwarded", "host=evil.example"}
	a := k.send(wire.JSON, k.request(), evil...)
	r := a.accepted()
	_, path := k.open()
	k.card(r.SessionId, "4242424242424242")
	answers := []answer{a, k.get(path, evil...), k.get(path+"/return", evil...), k.get(path+"/receipt", evil...), k.get("/", evil...), k.do(http.MethodPost, path, "", evil...), k.get(path+"/cancel", evil...)}
	for i, a := range answers {
		if strings.Contains(a.body+fmt.Sprint(a.header), "evil.example") {
			t.Errorf("answer %d names the Host: %v", i, a.header)
		}
	}
	if !strings.HasPrefix(r.Url, baseURL+"/pay/") {
		t.Errorf("Url is %s", r.Url)
	}
	for _, target := range []string{"//evil.example%2f..", "/%09/evil.example/", `/\evil.example`, "//evil.example/", "/pay//evil.example", "//ChargeStripeCustomerCard"} {
		if to := k.get(target).header.Get("Location"); to != "" && !strings.HasPrefix(to, baseURL) {
			t.Errorf("%s leads to %q", target, to)
		}
	}
}

func TestHeadAndOptionsAreAnswered(t *testing.T) {
	t.Parallel()
	k := setup(t)
	_, path := k.open()
	for _, target := range []string{"/", "/healthz", "/readyz", path, "/robots.txt", static.URL("css/app.css"), path + "/brand.css"} {
		if a := k.do(http.MethodHead, target, ""); a.status != http.StatusOK {
			t.Errorf("HEAD %s: %d", target, a.status)
		}
		if a := k.do(http.MethodOptions, target, ""); a.status != http.StatusNoContent || !strings.Contains(a.header.Get("Allow"), http.MethodGet) {
			t.Errorf("OPTIONS %s: %d, Allow %q", target, a.status, a.header.Get("Allow"))
		}
		if a := k.do("BREW", target, ""); a.status != http.StatusMethodNotAllowed {
			t.Errorf("an unknown method on %s: %d", target, a.status)
		}
	}
	if a := k.do(http.MethodHead, "/pay/"+strings.Repeat("A", 22), ""); a.status != http.StatusNotFound || a.body != "" {
		t.Errorf("HEAD of an unknown token: %d with %d bytes", a.status, len(a.body))
	}
}

func TestHealthAndReadiness(t *testing.T) {
	t.Parallel()
	k := setup(t)
	if a := k.get("/healthz"); a.status != http.StatusOK || !strings.Contains(a.body, `"ok"`) {
		t.Errorf("healthz: %d %s", a.status, a.body)
	}
	if a := k.get("/readyz"); a.status != http.StatusOK {
		t.Errorf("readyz: %d %s", a.status, a.body)
	}
	k.options.Ready = func(*http.Request) error { return errors.New("canary: the database at db.internal is away") }
	k.http = handlers.New(k.options)
	a := k.get("/readyz")
	if a.status != http.StatusServiceUnavailable || strings.Contains(a.body, "canary") || !strings.Contains(k.log.String(), "canary") {
		t.Errorf("readyz without a database: %d %s", a.status, a.body)
	}
	if a := k.get("/healthz"); a.status != http.StatusOK {
		t.Errorf("healthz without a database: %d", a.status)
	}
}

func TestNotReadyWhenTheDatabaseIsClosed(t *testing.T) {
	t.Parallel()
	store, err := sqlstore.Open(t.Context(), sqlstore.Options{URL: "sqlite:" + storetest.NewSQLiteFile(t), SecretKey: storetest.SecretKey})
	if err != nil {
		t.Fatal(err)
	}
	k := setupOn(t, store)
	_, path := k.open()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if a := k.get("/readyz"); a.status != http.StatusServiceUnavailable {
		t.Errorf("readyz: %d %s", a.status, a.body)
	}
	for _, a := range []answer{k.get(path), k.send(wire.JSON, k.request())} {
		if a.status < 500 {
			t.Errorf("got %d", a.status)
		}
		a.tellsNothing()
	}
}

func TestADatabaseThatIsAwayIsA503Everywhere(t *testing.T) {
	t.Parallel()
	k := setup(t)
	_, path := k.open()
	away := *k.pay
	away.Store = awayStore{k.store}
	k.options.Pay = &away
	k.http = handlers.New(k.options)
	for _, target := range []string{path, path + "/return", path + "/cancel", path + "/receipt"} {
		a := k.get(target)
		a.page(http.StatusServiceUnavailable)
		a.tellsNothing()
		if a.header.Get("Retry-After") == "" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", target, a.header)
		}
	}
	a := k.send(wire.JSON, k.request())
	a.refused(http.StatusServiceUnavailable, "ServiceUnavailable", "")
	if a.header.Get("Retry-After") == "" {
		t.Error("a portal is not told when to come again")
	}
}

// awayStore is a database that does not answer.
type awayStore struct{ pay.Store }

func away() error { return pay.Errorf(pay.CodeUnavailable, "", "the database cannot answer now") }

func (awayStore) OrderByPayToken(ctx, string) (*pay.Order, error)  { return nil, away() }
func (awayStore) TenantByLicense(ctx, string) (*pay.Tenant, error) { return nil, away() }
func (awayStore) InTx(ctx, func(pay.Tx) error) error               { return away() }

func TestStaticFilesMayBeKeptByTheirVersion(t *testing.T) {
	t.Parallel()
	k := setup(t)
	for target, want := range map[string]string{static.URL("css/app.css"): "public, max-age=31536000, immutable", "/static/css/app.css": "public, max-age=300", "/static/css/app.css?v=old": "public, max-age=300"} {
		a := k.get(target)
		if a.status != http.StatusOK || a.header.Get("Cache-Control") != want || !strings.HasPrefix(a.header.Get("Content-Type"), "text/css") {
			t.Errorf("%s: %d %q %q", target, a.status, a.header.Get("Cache-Control"), a.header.Get("Content-Type"))
		}
	}
	for _, target := range []string{"/static/", "/static/css/", "/static/nope.css", "/static/../server.go", "/static/%2e%2e/server.go", "/static/..%2fembed.go", "/static/embed.go", "/static//etc/passwd"} {
		if a := k.get(target); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", target, a.status)
		}
	}
}

func TestTheTenantsColourIsAStylesheet(t *testing.T) {
	t.Parallel()
	k := setup(t)
	_, path := k.open()
	a := k.get(path + "/brand.css")
	if a.status != http.StatusOK || !strings.HasPrefix(a.body, ":root{--accent:#0f766e;--accent-content:#ffffff;") || !strings.HasPrefix(a.header.Get("Content-Type"), "text/css") {
		t.Errorf("got %d %q", a.status, a.body)
	}
	if byHref := k.get(path).page(http.StatusOK).Find(`link[rel="stylesheet"][href="` + path + `/brand.css"]`); byHref.Length() != 1 {
		t.Error("the page does not use it")
	}
}

// TestTheOrderPageIsSmall is the budget of the first issue: page and stylesheet under 30 KB on the wire.
func TestTheOrderPageIsSmall(t *testing.T) {
	t.Parallel()
	k := setup(t)
	_, path := k.open()
	server := httptest.NewServer(k.http)
	t.Cleanup(server.Close)
	total := 0
	for _, target := range []string{path, static.URL("css/app.css"), path + "/brand.css"} {
		req, err := http.NewRequest(http.MethodGet, server.URL+target, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept-Encoding", "gzip")
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %v", target, res.StatusCode, err)
		}
		total += len(body)
		if res.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(strings.NewReader(string(body)))
			if err != nil {
				t.Fatal(err)
			}
			if plain, err := io.ReadAll(z); err != nil || len(plain) < len(body) {
				t.Errorf("%s does not unpack: %v", target, err)
			}
		} else if len(body) > 2048 {
			t.Errorf("%s is not compressed", target)
		}
	}
	t.Logf("the order page and its styles have %d bytes on the wire", total)
	if total >= 30_000 {
		t.Errorf("%d bytes", total)
	}
}

// TestTheClientsAddressIsBelievedFromTrustedProxiesOnly is HH-03's second half.
func TestTheClientsAddressIsBelievedFromTrustedProxiesOnly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		trusted []netip.Prefix
		want    string
	}{
		"NoProxy":      {nil, "192.0.2.1"},
		"AnotherProxy": {[]netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}, "192.0.2.1"},
		"OurProxy":     {[]netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, "203.0.113.9"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := setup(t)
			k.options.TrustedProxies = c.trusted
			k.http = handlers.New(k.options)
			k.get("/", "X-Forwarded-For", "10.0.0.1, 203.0.113.9", "X-Real-IP", "10.0.0.2")
			if !strings.Contains(k.log.String(), `"ip":"`+c.want+`"`) {
				t.Errorf("the log is %s", k.log)
			}
		})
	}
}

func TestTheLogIsOneLineARequestWhateverIsSent(t *testing.T) {
	t.Parallel()
	k := setup(t)
	k.get("/pay/%0a%0d{\"level\":\"ERROR\"}", "User-Agent", "a\x1b[31m")
	k.get("/nope?License=canary-query")
	lines := strings.Split(strings.TrimSpace(k.log.String()), "\n")
	if len(lines) != 2 || strings.Contains(k.log.String(), "canary-query") || strings.Contains(k.log.String(), "\x1b") {
		t.Errorf("the log is %q", lines)
	}
}

func TestAPanicIsAPlain500(t *testing.T) {
	t.Parallel()
	k := setup(t)
	broken := *k.pay
	broken.Store = nil
	k.options.Pay = &broken
	k.http = handlers.New(k.options)
	a := k.get("/pay/" + strings.Repeat("A", 22))
	a.page(http.StatusInternalServerError)
	a.tellsNothing()
	if !strings.Contains(k.log.String(), `"msg":"panic"`) {
		t.Error("the panic is not in the log")
	}
	k.send(wire.JSON, k.request()).refused(http.StatusInternalServerError, "InternalError", "")
}
