package stripegate

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"
	"pgregory.net/rapid"

	"github.com/portatill/portatill/pay"
)

// startMock runs Stripe's own stripe-mock, a tool of go.mod, and returns its address. It checks every request against
// Stripe's published OpenAPI file of version 2023-10-16, unknown parameters and the Stripe-Version header included.
var startMock = sync.OnceValues(func() (*url.URL, error) {
	path, err := exec.Command("go", "tool", "-n", "stripe-mock").Output()
	if err != nil {
		return nil, fmt.Errorf("build stripe-mock: %w", err)
	}
	mock := exec.Command(strings.TrimSpace(string(path)), "-http-addr", "127.0.0.1:0", "-https-addr", "127.0.0.1:0", "-strict-version-check")
	out, err := mock.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := mock.Start(); err != nil {
		return nil, fmt.Errorf("start stripe-mock: %w", err)
	}
	stopMock = func() {
		_ = mock.Process.Kill() // it may have ended by itself; Wait tells nothing more
		_ = mock.Wait()
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "Listening for HTTP at address: "); ok {
			// It writes a line per request, and would stop when nobody reads them.
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return url.Parse("http://" + address)
		}
	}
	return nil, errors.New("stripe-mock ended without saying where it listens")
})

var stopMock = func() {}

func TestMain(m *testing.M) {
	code := m.Run()
	stopMock()
	os.Exit(code)
}

// referee puts stripe-mock between the Gate and a test: it keeps every request and stripe-mock's verdict on it, and
// corrects the stateless canned answer where the Gate compares it with what was asked.
type referee struct {
	mock *url.URL
	mu   sync.Mutex
	seen []request
	no   []string // refusals, with stripe-mock's words
}

func newReferee(t testing.TB) (*referee, *Gate) {
	t.Helper()
	mock, err := startMock()
	if err != nil {
		t.Fatal(err)
	}
	r := &referee{mock: mock}
	return r, gateTo(t, r)
}

func (f *referee) RoundTrip(r *http.Request) (*http.Response, error) {
	got, err := readRequest(r)
	if err != nil {
		return nil, err
	}
	inner := r.Clone(r.Context())
	inner.URL.Scheme, inner.URL.Host, inner.Host = f.mock.Scheme, f.mock.Host, ""
	res, err := http.DefaultTransport.RoundTrip(inner)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.seen = append(f.seen, got)
	if res.StatusCode != http.StatusOK {
		f.no = append(f.no, fmt.Sprintf("%s %s: %d %s", got.Method, got.Path, res.StatusCode, body))
	}
	f.mu.Unlock()
	if got.Method == http.MethodPost && got.Path == "/v1/webhook_endpoints" {
		// The canned endpoint is not a fresh one and hides its secret.
		body = bytes.Replace(body, []byte("{"), []byte(`{"secret": "whsec_canned",`), 1)
	}
	if got.Method == http.MethodPost && strings.HasPrefix(got.Path, "/v1/checkout/sessions") && res.StatusCode == http.StatusOK {
		if body, err = madeSession(got, body); err != nil {
			return nil, err
		}
	}
	if res.StatusCode == http.StatusOK {
		if body, err = answeredAsAsked(got, body); err != nil {
			return nil, err
		}
	}
	res.Body, res.ContentLength, res.Request = io.NopCloser(bytes.NewReader(body)), int64(len(body)), r
	return res, nil
}

// madeSession puts into the canned session what the request asked for, adding the lines up as Stripe would.
func madeSession(got request, canned []byte) ([]byte, error) {
	var o map[string]any
	if err := json.Unmarshal(canned, &o); err != nil {
		return nil, err
	}
	if path, ok := strings.CutSuffix(got.Path, "/expire"); ok {
		o["id"] = strings.TrimPrefix(path, "/v1/checkout/sessions/")
		return json.Marshal(o)
	}
	o["client_reference_id"], o["mode"] = got.value("client_reference_id"), got.value("mode")
	o["livemode"], o["status"], o["payment_intent"], o["url"] = false, "open", nil, "https://checkout.stripe.com/c/pay/x"
	if got.value("mode") == "setup" {
		o["amount_total"], o["amount_subtotal"], o["currency"] = nil, nil, nil
	} else {
		sum, lines := int64(0), []any{}
		for i := 0; ; i++ {
			prefix := "line_items[" + strconv.Itoa(i) + "]"
			quantity := got.value(prefix + "[quantity]")
			if quantity == "" {
				break
			}
			n, err := strconv.ParseInt(quantity, 10, 64)
			if err != nil {
				return nil, err
			}
			unit, err := strconv.ParseInt(got.value(prefix+"[price_data][unit_amount]"), 10, 64)
			if err != nil {
				return nil, err
			}
			sum += n * unit
			lines = append(lines, map[string]any{"id": "li_" + strconv.Itoa(i), "object": "item", "amount_total": n * unit, "quantity": n})
			o["currency"] = got.value(prefix + "[price_data][currency]")
		}
		o["amount_total"], o["amount_subtotal"] = sum, sum
		// Stripe expands the first ten; the rest is behind has_more.
		o["line_items"] = map[string]any{"object": "list", "has_more": len(lines) > 10, "data": lines[:min(len(lines), 10)]}
	}
	return json.Marshal(o)
}

// answeredAsAsked puts into canned payment methods, intents, refunds and lists what the request named, and a second page
// behind the first of a list.
func answeredAsAsked(got request, canned []byte) ([]byte, error) {
	var o map[string]any
	if err := json.Unmarshal(canned, &o); err != nil {
		return nil, err
	}
	parts := strings.Split(strings.TrimPrefix(got.Path, "/v1/"), "/")
	owner := got.value("customer")
	if parts[0] == "customers" && len(parts) > 2 {
		owner = parts[1]
	}
	if strings.HasSuffix(got.Path, "/sources") {
		o["id"], o["object"] = got.value("source"), "source"
	}
	switch o["object"] {
	case "list":
		paged := strings.HasSuffix(got.Path, "/payment_methods") || got.Path == "/v1/disputes" || got.Path == "/v1/refunds"
		o["has_more"] = paged && got.value("starting_after") == ""
		for _, item := range o["data"].([]any) {
			if m, ok := item.(map[string]any); ok && m["object"] == "payment_method" {
				m["customer"] = map[string]any{"id": owner, "object": "customer"}
			}
		}
	case "payment_method":
		o["customer"] = cmp.Or(owner, aCustomer)
		if strings.HasSuffix(got.Path, "/detach") {
			o["customer"] = nil
		}
	case "payment_intent", "refund":
		if got.Method != http.MethodPost || len(parts) > 1 {
			break
		}
		o["livemode"], o["currency"] = false, "gbp" // a refund has its charge's currency
		for _, name := range []string{"currency", "payment_intent"} {
			if v := got.value(name); v != "" {
				o[name] = v
			}
		}
		o["amount"] = json.Number(got.value("amount"))
		metadata := map[string]string{}
		for name := range got.Form {
			if key, ok := strings.CutPrefix(name, "metadata["); ok {
				metadata[strings.TrimSuffix(key, "]")] = got.value(name)
			}
		}
		o["metadata"] = metadata
	}
	return json.Marshal(o)
}

// accepted fails the test for every request that stripe-mock refused, and unless all of the paths were asked.
func (f *referee) accepted(t interface{ Errorf(string, ...any) }, paths ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, no := range f.no {
		t.Errorf("Stripe's contract refuses %s", no)
	}
	for _, p := range paths {
		if !slices.ContainsFunc(f.seen, func(r request) bool { return r.Method+" "+r.Path == p }) {
			t.Errorf("no request %s was made", p)
		}
	}
	for _, r := range f.seen {
		if r.Key != testKey {
			t.Errorf("%s %s went out with another key than the tenant's", r.Method, r.Path)
		}
		if v := r.Header.Get("Stripe-Version"); v != "2023-10-16" {
			t.Errorf("%s %s asks for API version %q", r.Method, r.Path, v)
		}
		if r.Method == http.MethodPost && r.IdempotencyKey == "" {
			t.Errorf("%s %s has no idempotency key", r.Method, r.Path)
		}
	}
}

func TestStripesOwnContractAcceptsEveryRequest(t *testing.T) {
	t.Parallel()
	ctx, tenant := t.Context(), testTenant()

	t.Run("AnUnknownParameterIsRefusedByTheReferee", func(t *testing.T) {
		t.Parallel()
		f, g := newReferee(t)
		r, err := http.NewRequest(http.MethodPost, "https://api.stripe.com/v1/customers", strings.NewReader("nonsense=1"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+testKey)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Stripe-Version", "2023-10-16")
		res, err := g.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusBadRequest || len(f.no) != 1 {
			t.Errorf("status %d and %d refusals; the referee does not check parameters", res.StatusCode, len(f.no))
		}
	})

	t.Run("MakingAPaymentSession", func(t *testing.T) {
		t.Parallel()
		f, g := newReferee(t)
		in := paymentInput(t)
		in.Order.PaymentMethods = []string{"card", "bacs_debit"}
		s, err := g.CreateSession(ctx, tenant, in, "att_01-key")
		if err != nil {
			t.Fatal(err)
		}
		f.accepted(t, "POST /v1/checkout/sessions")
		if len(f.seen) != 1 {
			t.Errorf("a session took %d calls, want 1", len(f.seen))
		}
		if want := (pay.Money{Minor: 1440, Currency: "GBP"}); s.AmountTotal != want || s.Status != "open" || s.Mode != "payment" {
			t.Errorf("got %+v, want an open payment session of %s", s, want)
		}
		r := f.seen[0]
		for name, want := range map[string]string{
			"mode": "payment", "client_reference_id": "ord_01", "customer": "cus_Pq1W2e3R4t5Y6u", "billing_address_collection": "required",
			"customer_update[address]": "auto", "customer_update[name]": "auto", "locale": "auto", "expires_at": "1711003600",
			"success_url": "https://till.example/pay/tok/return", "cancel_url": "https://till.example/pay/tok/cancel",
			"payment_method_types[0]": "card", "payment_method_types[1]": "bacs_debit",
			"metadata[portatill_order]": "ord_01", "payment_intent_data[metadata][portatill_order]": "ord_01",
			"payment_intent_data[metadata][portatill_tenant]": "ten_01",
			"payment_intent_data[receipt_email]":              "canary.person@mail.example",
			"payment_intent_data[description]":                "Fibre 500 and 1 more (ord_01)",
			"line_items[0][price_data][currency]":             "gbp", "line_items[0][price_data][unit_amount]": "1200", "line_items[0][quantity]": "1",
			"line_items[0][price_data][product_data][name]":              "Fibre 500",
			"line_items[0][price_data][product_data][description]":       "500 Mbit/s",
			"line_items[0][price_data][product_data][metadata][key]":     "k1",
			"line_items[0][price_data][product_data][metadata][part_id]": "7",
			"line_items[1][price_data][unit_amount]":                     "240", "line_items[1][price_data][product_data][name]": "VAT 20 %",
			"customer_email": "", "currency": "",
		} {
			if got := r.value(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if r.IdempotencyKey != "att_01-key" {
			t.Errorf("idempotency key is %q, want the caller's", r.IdempotencyKey)
		}
		if r.Header.Get("X-Stripe-Client-Telemetry") != "" || strings.Contains(r.Header.Get("X-Stripe-Client-User-Agent"), "uname") {
			t.Error("telemetry or the machine's name was sent")
		}
		if !strings.Contains(r.Header.Get("User-Agent"), "Portatill") {
			t.Errorf("User-Agent %q does not name us", r.Header.Get("User-Agent"))
		}
	})

	t.Run("MakingASessionForSomeoneStripeDoesNotKnow", func(t *testing.T) {
		t.Parallel()
		f, g := newReferee(t)
		in := paymentInput(t)
		in.StripeCustomer = ""
		if _, err := g.CreateSession(ctx, tenant, in, "k"); err != nil {
			t.Fatal(err)
		}
		f.accepted(t)
		if r := f.seen[0]; r.value("customer_email") == "" || r.value("customer_update[address]") != "" {
			t.Error("without a customer the e-mail goes along and customer_update does not")
		}
	})

	t.Run("MakingASetupSession", func(t *testing.T) {
		t.Parallel()
		f, g := newReferee(t)
		s, err := g.CreateSession(ctx, tenant, setupInput(), "k")
		if err != nil {
			t.Fatal(err)
		}
		in := setupInput()
		in.Order.PaymentMethods = []string{"card"}
		if _, err := g.CreateSession(ctx, tenant, in, "k2"); err != nil {
			t.Fatal(err)
		}
		f.accepted(t)
		if s.Mode != "setup" || s.IntentID != "" {
			t.Errorf("got mode %q intent %q, want setup and none", s.Mode, s.IntentID)
		}
		if r := f.seen[0]; r.value("currency") != "gbp" || r.value("setup_intent_data[metadata][portatill_order]") != "ord_02" {
			t.Error("a setup session where Stripe chooses the methods needs a currency, and metadata on its intent")
		}
		if f.seen[1].value("currency") != "" {
			t.Error("with payment methods given no currency is sent")
		}
	})

	t.Run("EverythingElse", func(t *testing.T) {
		t.Parallel()
		f, g := newReferee(t)
		check := func(what string, err error) {
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		account, err := g.Account(ctx, tenant)
		check("Account", err)
		if !strings.HasPrefix(account.ID, "acct_") || account.Livemode {
			t.Errorf("account is %+v", account)
		}
		id, err := g.CreateCustomer(ctx, tenant, testCustomer(), "k")
		check("CreateCustomer", err)
		cu, err := g.Customer(ctx, tenant, id)
		check("Customer", err)
		if cu == nil || cu.ID != id {
			t.Errorf("Customer returned %+v, want %s", cu, id)
		}
		_, err = g.Session(ctx, tenant, paidSession)
		check("Session", err)
		_, err = g.ExpireSession(ctx, tenant, paidSession, "k")
		check("ExpireSession", err)
		_, err = g.Intent(ctx, tenant, paidIntent)
		check("Intent", err)
		for _, id := range []string{paidCharge, "re_3OLD", "dp_1Abc"} {
			_, err = g.IntentOf(ctx, tenant, id)
			check("IntentOf "+id, err)
		}
		_, err = g.SessionOf(ctx, tenant, paidIntent)
		check("SessionOf", err)
		in := paymentInput(t)
		_, err = g.findSession(ctx, tenant, in)
		check("findSession", err)
		_, err = g.findCustomer(ctx, tenant, in.Customer)
		check("findCustomer", err)
		secret, created, err := g.EnsureWebhookEndpoint(ctx, tenant, "https://till.example/webhooks/stripe/acme")
		check("EnsureWebhookEndpoint", err)
		if secret.Reveal() != "whsec_canned" || !created {
			t.Errorf("a new endpoint gave created=%t and another secret than Stripe's", created)
		}
		// stripe-mock always lists this one, without our events.
		const listed = "https://example.com/my/webhook/endpoint"
		if _, created, err = g.EnsureWebhookEndpoint(ctx, tenant, listed); created {
			t.Error("an endpoint that exists was made again")
		}
		check("EnsureWebhookEndpoint, the second time", err)
		n, err := g.DeleteWebhookEndpoint(ctx, tenant, listed)
		check("DeleteWebhookEndpoint", err)
		if n != 1 {
			t.Errorf("%d endpoints were deleted, want 1", n)
		}
		endpoints, err := g.Endpoints(ctx, tenant)
		check("Endpoints", err)
		if len(endpoints) != 1 || endpoints[0].URL != listed {
			t.Errorf("the endpoints are %+v", endpoints)
		}
		check("MendEndpoint", g.MendEndpoint(ctx, tenant, "we_1"))
		check("DeleteEndpoint", g.DeleteEndpoint(ctx, tenant, "we_1"))
		f.accepted(t, "GET /v1/account", "POST /v1/customers", "GET /v1/customers/"+id, "GET /v1/checkout/sessions/"+paidSession,
			"POST /v1/checkout/sessions/"+paidSession+"/expire", "GET /v1/payment_intents/"+paidIntent, "GET /v1/charges/"+paidCharge,
			"GET /v1/refunds/re_3OLD", "GET /v1/disputes/dp_1Abc", "GET /v1/checkout/sessions", "GET /v1/customers", "GET /v1/webhook_endpoints", "POST /v1/webhook_endpoints")
	})
}

func TestStripesOwnContractAcceptsEveryRequestAboutCardsAndMoneyBack(t *testing.T) {
	t.Parallel()
	ctx, tenant := t.Context(), testTenant()
	f, g := newReferee(t)
	check := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v %v", what, err, faultOf(t, err).Message)
		}
	}
	cards, err := g.Cards(ctx, tenant, aCustomer)
	check("Cards", err)
	if len(cards) != 2 {
		t.Errorf("%d cards of two pages", len(cards))
	}
	_, err = g.Card(ctx, tenant, aCustomer, aCard)
	check("Card", err)
	for _, token := range []string{"tok_1", aCard, "src_1"} {
		_, err = g.SaveCard(ctx, tenant, pay.CardToken{Token: token, StripeCustomer: aCustomer, Label: "Home"}, "k")
		check("SaveCard "+token, err)
	}
	_, err = g.ownerOf(ctx, tenant, aCard)
	check("ownerOf", err)
	for _, label := range []string{"Office", ""} {
		check("LabelCard", g.LabelCard(ctx, tenant, aCard, label, "k"))
	}
	check("DeleteCard", g.DeleteCard(ctx, tenant, aCustomer, aCard, "k"))

	in := chargeInput(t)
	_, err = g.ChargeCard(ctx, tenant, in, "k")
	check("ChargeCard", err)
	in.MethodType, in.ReceiptEmail = "sepa_debit", ""
	_, err = g.ChargeCard(ctx, tenant, in, "k2")
	check("ChargeCard with a bank debit", err)
	_, err = g.CancelIntent(ctx, tenant, paidIntent, "k")
	check("CancelIntent", err)
	_, err = g.IntentMade(ctx, tenant, aCustomer, &pay.Attempt{ID: "att_01", CreatedAt: time.Unix(1_700_000_000, 0)})
	check("IntentMade", err)
	_, _, err = g.findIntent(ctx, tenant, aCustomer, "att_01", in.Attempt.CreatedAt)
	check("findIntent", err)
	_, err = g.CreateRefund(ctx, tenant, refundInput(), "k")
	check("CreateRefund", err)
	_, err = g.findRefund(ctx, tenant, refundInput())
	check("findRefund", err)
	for _, ch := range []*stripe.Charge{{ID: paidCharge, PaymentIntent: &stripe.PaymentIntent{ID: paidIntent}}, {ID: paidCharge}} {
		check("disputes", g.call(ctx, tenant, func(c conn) error {
			found, err := c.disputes(ch)
			if err == nil && len(found) != 2 {
				t.Errorf("%d disputes of two pages", len(found))
			}
			return err
		}))
	}
	check("setup", g.call(ctx, tenant, func(c conn) error {
		_, err := c.setup(&stripe.SetupIntent{ID: "seti_1"})
		return err
	}))
	session := paymentInput(t)
	session.SaveCard = true
	_, err = g.CreateSession(ctx, tenant, session, "k")
	check("CreateSession that saves the card", err)
	f.accepted(t, "GET /v1/customers/"+aCustomer+"/payment_methods", "GET /v1/customers/"+aCustomer+"/payment_methods/"+aCard, "POST /v1/payment_methods",
		"POST /v1/payment_methods/"+aCard+"/attach", "POST /v1/customers/"+aCustomer+"/sources", "GET /v1/payment_methods/"+aCard, "POST /v1/payment_methods/"+aCard,
		"POST /v1/payment_methods/"+aCard+"/detach", "POST /v1/payment_intents", "POST "+oneIntent+"/cancel", "GET /v1/payment_intents", "POST /v1/refunds",
		"GET /v1/refunds", "GET /v1/disputes", "GET /v1/setup_intents/seti_1")
}

func TestAnyCartMakesASessionThatStripeAccepts(t *testing.T) {
	t.Parallel()
	f, g := newReferee(t)
	rapid.Check(t, func(rt *rapid.T) {
		tenant := testTenant()
		tenant.Currencies = pay.Currencies()
		tenant.VATMode = rapid.SampledFrom([]pay.VATMode{pay.VATExclusive, pay.VATInclusive}).Draw(rt, "vat mode")
		tenant.VATBasisPoints = rapid.Int64Range(0, 10_000).Draw(rt, "vat")
		c := rapid.SampledFrom(pay.Currencies()).Draw(rt, "currency")
		amount := rapid.Custom(func(rt *rapid.T) string {
			return pay.Money{Minor: c.Step() * rapid.Int64Range(0, 90_000/c.Step()).Draw(rt, "steps"), Currency: c}.Text()
		})
		text := rapid.StringN(1, 300, -1)
		items := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) pay.CartItem {
			return pay.CartItem{Title: "T" + text.Draw(rt, "title"), Quantity: rapid.Int64Range(1, 9).Draw(rt, "quantity"), MonthlyFee: amount.Draw(rt, "monthly"),
				SetupFee: amount.Draw(rt, "setup"), TransactionCharge: amount.Draw(rt, "charge"), AdvancePeriod: rapid.Int64Range(0, 12).Draw(rt, "months"),
				VATApplicable: rapid.Bool().Draw(rt, "vat"), Currency: string(c), PartID: rapid.Int64Range(0, 9).Draw(rt, "part"),
				AdditionalInformation: []string{rapid.StringN(0, 600, -1).Draw(rt, "more")}}
		}), 1, 20).Draw(rt, "items")
		cart, err := pay.PriceCart(tenant, items)
		if err != nil || cart.TotalMinor == 0 {
			rt.Skip("a cart that is refused before Stripe is asked, or free")
		}
		in := pay.SessionInput{Order: &pay.Order{ID: "ord_01", Kind: pay.OrderPayment, Cart: cart}, Customer: testCustomer(), StripeCustomer: "cus_1",
			Lines: cart.StripeLines(), ReturnURL: "https://till.example/r", CancelURL: "https://till.example/c"}
		s, err := g.CreateSession(t.Context(), tenant, in, "k")
		if err != nil {
			rt.Fatalf("CreateSession: %v", err)
		}
		if s.AmountTotal != cart.Total() {
			rt.Fatalf("Stripe would take %s, the cart is %s", s.AmountTotal, cart.Total())
		}
		f.accepted(rt)
	})
}

func TestTheLongestCartIsOneCallThatStripeAccepts(t *testing.T) {
	t.Parallel()
	f, g := newReferee(t)
	items := make([]pay.CartItem, pay.MaxItems)
	for i := range items {
		items[i] = pay.CartItem{Title: strings.Repeat("é", 400), Quantity: 1, SetupFee: "1.01", VATApplicable: true}
	}
	in := inputFor(t, testTenant(), items)
	if _, err := g.CreateSession(t.Context(), testTenant(), in, "k"); err != nil {
		t.Fatal(err)
	}
	f.accepted(t)
	if len(f.seen) != 1 || f.seen[0].value("line_items[99][quantity]") == "" {
		t.Errorf("%d calls; want one with 100 lines", len(f.seen))
	}
}
