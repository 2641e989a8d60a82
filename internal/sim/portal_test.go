package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
)

// tenant is a reseller with its portal, its Stripe account and its customers. What
// is its own has its canary in it, which nobody else may ever see.
type tenant struct {
	n         int
	row       pay.Tenant
	license   string
	canary    string
	customers []*customer
	lastEvent string // the newest event that was fetched from Stripe
	keys      int    // how many Idempotency-Keys its portal has used
}

func (t *tenant) nextKey() string {
	t.keys++
	return fmt.Sprintf("key-%d", t.keys)
}

// customer is a person with one browser.
type customer struct {
	t       *tenant
	i       int32
	canary  string
	cookies map[string]string
	cards   []string // saved cards, as the portal was last told
	account string   // the latest address of their own page
}

func newTenant(i int, row pay.Tenant, license string) *tenant {
	t := &tenant{n: i + 1, row: row, license: license, canary: fmt.Sprintf("canary%d", i+1)}
	for k := range 3 {
		// Both tenants number their customers alike, and their requests.
		t.customers = append(t.customers, &customer{t: t, i: int32(100 + k), canary: fmt.Sprintf("kestrel%d0%dx", t.n, k), cookies: map[string]string{}})
	}
	return t
}

// request is what a portal sends, once or often.
type request struct {
	serial int
	op     string
	c      *customer
	body   wire.StripePaymentRequest
	key    string // Idempotency-Key
	order  *order // what it was told, nil until then
	known  bool   // it was answered for good
	// renewals is how often it was sent when it might make a new order.
	renewals int
	nothing  bool // it was told, for good, that nothing was taken
	foreign  bool // it names a card of somebody else
}

// order is an order as a portal knows it.
type order struct {
	n       int
	id      string
	token   string
	c       *customer
	request *request
	amount  string
}

// reply is the part of an answer that portals look at.
type reply struct {
	code   int
	raw    string
	Status string
	OrderId, Url, SessionId, PaymentIntentId,
	CustomerId, Currency, ReceiptUrl string
	Success, Replayed bool
	Amount            json.Number
	Cards             []struct{ StripeSourceId string }
	ResponseStatus    struct{ ErrorCode, Message string }
}

func (w *world) portal(what string, s step) {
	switch what {
	case "again", "changed", "conflict":
		w.repeat(what, s)
		return
	case "batch":
		w.batch(s)
		return
	}
	t := w.tenants[s.a%len(w.tenants)]
	c := t.customers[(s.a/2)%len(t.customers)]
	q := w.newRequest(what, c, s)
	w.send(q, s.d, what == "checkout" && s.d%23 == 0)
}

// newRequest is a request that nobody has sent yet.
func (w *world) newRequest(op string, c *customer, s step) *request {
	w.serial++
	q := &request{serial: w.serial, op: op, c: c}
	shop := fmt.Sprintf(shopURL, c.t.n)
	b := &q.body
	b.ICustomer, b.ContentId, b.FeatureName = c.i, int32(w.serial), wire.Str("Basket of "+c.t.canary)
	b.Customer = &wire.Customer{ICustomer: c.i,
		PersonalInformation: &wire.PersonalInformation{FirstName: wire.Str("Ada " + c.canary), LastName: wire.Str(c.t.canary), Password: wire.Str("password-" + c.canary)},
		CustomerContact:     &wire.CustomerContact{Email: wire.Str(c.canary + "@example.com"), Phone1: wire.Str("+44 1603 555010")},
		CustomerAddress:     &wire.CustomerAddress{Address1: wire.Str("12 Exchange Street"), City: wire.Str("Norwich"), Postcode: wire.Str("NR2 1AT"), Country: wire.Str("GB")}}
	if s.c%3 > 0 {
		q.key = c.t.nextKey()
	}
	b.SuccessUrl, b.CancelUrl = wire.Str(shop+"/paid?basket=42"), wire.Str(shop+"/basket")
	if op == "checkout" || op == "charge" {
		w.fill(q, s)
	}
	switch op {
	case "charge":
		b.PaymentMethod = wire.String{}
		if s.d%3 == 0 {
			b.SuccessUrl, b.CancelUrl = wire.String{}, wire.String{}
		}
		if len(c.cards) > 0 && s.d%4 > 0 {
			b.StripeSourceId = wire.Str(c.cards[s.b%len(c.cards)])
		} else {
			b.ApiSingleUseToken = wire.Str(w.token(c.t, chargeTokens, s))
		}
	case "save":
		b.ApiSingleUseToken = wire.Str(w.token(c.t, saveTokens, s))
		b.CardInfo = wire.Str("card of " + c.canary)
		b.SuccessUrl, b.CancelUrl = wire.String{}, wire.String{}
	case "list":
		b.GetCustomerCardInformation = true
		b.CancelUrl = wire.String{}
	case "delete":
		b.IsDelete = true
		b.SuccessUrl, b.CancelUrl = wire.String{}, wire.String{}
		b.StripeSourceId = wire.Str("pm_1SimulatedUnknown000001")
		if len(c.cards) > 0 {
			b.StripeSourceId = wire.Str(c.cards[s.b%len(c.cards)])
		}
	}
	if card := w.cardOfAnother(c, s); card != "" && (op == "charge" || op == "delete") && s.d%5 == 1 {
		b.StripeSourceId, b.ApiSingleUseToken, q.foreign = wire.Str(card), wire.String{}, true
	}
	w.requests = append(w.requests, q)
	return q
}

// cardOfAnother is a saved card of somebody else, of the same tenant or not.
func (w *world) cardOfAnother(c *customer, s step) string {
	var cards []string
	for _, t := range w.tenants {
		for _, other := range t.customers {
			if other != c {
				cards = append(cards, other.cards...)
			}
		}
	}
	if len(cards) == 0 {
		return ""
	}
	return cards[s.b%len(cards)]
}

var (
	chargeTokens = []string{"tok_visa", "pm_card_visa", "tok_mastercard", "tok_chargeDeclined", "pm_card_authenticationRequired", "tok_chargeCustomerFail", "tok_visa"}
	saveTokens   = []string{"tok_visa", "pm_card_visa", "tok_mastercard", "tok_chargeDeclined", "pm_card_chargeCustomerFail", "pm_card_authenticationRequired"}
)

// token is a documented test token, or what Stripe.js makes of a card: good for once.
func (w *world) token(t *tenant, tests []string, s step) string {
	if s.c%2 == 0 {
		return tests[s.b%len(tests)]
	}
	form := url.Values{"card[number]": {w.card(s)}, "card[exp_month]": {"12"}, "card[exp_year]": {"2040"}, "card[cvc]": {"123"}}
	rec := w.stripe(http.MethodPost, stripeURL+"/v1/tokens", t.row.StripeKey.Reveal(), "application/x-www-form-urlencoded", []byte(form.Encode()))
	var made struct{ ID string }
	w.must(json.Unmarshal(rec.Body.Bytes(), &made), "read a token")
	return made.ID
}

// fill puts a cart into a request.
func (w *world) fill(q *request, s step) {
	item := wire.ShoppingItem{Title: wire.Str("SIM trunk for " + q.c.canary), Quantity: int32(1 + s.b%3), Key: wire.Str("trunk"), VatApplicable: s.c%2 == 0}
	price := 400 + s.b%4000
	switch s.d % 10 {
	case 0:
		item.Currency = wire.Str("EUR")
	case 1:
		item.Currency = wire.Str("JPY")
	case 2:
		item.Currency = wire.Str("KWD")
	}
	if s.d%10 == 1 {
		item.SetupFee = wire.MustDecimal(fmt.Sprint(price))
	} else {
		item.SetupFee = wire.MustDecimal(fmt.Sprintf("%d.%02d", price/100, price%100))
	}
	if s.c%13 == 0 { // a voucher that pays for all of it
		item.Quantity, item.VoucherCredit = 1, item.SetupFee
	}
	q.body.PaymentMethod = wire.Str("card")
	if w.options.Debits && s.d%10 > 2 {
		q.body.PaymentMethod = wire.Str([]string{"card", "bacs_debit", "card,bacs_debit"}[s.b%3])
	}
	q.body.ShoppingInformation = []wire.ShoppingItem{item}
}

// repeat sends something again: the same, the same basket changed, or another basket
// under a key that was used.
func (w *world) repeat(what string, s step) {
	if len(w.requests) == 0 {
		return
	}
	q := w.requests[len(w.requests)-1-s.a%min(len(w.requests), 12)]
	switch what {
	case "again":
		w.send(q, s.d, false)
		return
	case "changed", "conflict":
		if len(q.body.ShoppingInformation) == 0 {
			return
		}
		w.serial++
		other := *q
		other.serial, other.order, other.known = w.serial, nil, false
		other.body.ShoppingInformation = slices.Clone(q.body.ShoppingInformation)
		other.body.ShoppingInformation[0].Quantity++
		if what == "changed" {
			other.body.ContentId, other.renewals, other.nothing = int32(w.serial), 0, false
			if other.key != "" {
				other.key = q.c.t.nextKey()
			}
			w.requests = append(w.requests, &other)
			w.send(&other, s.d, false)
			return
		}
		if q.key == "" || !q.known {
			return
		}
		w.say("%s: request %d's key with another basket", what, q.serial)
		if r := w.post(&other, s.d, false); r.code == http.StatusOK {
			w.fail("pay once: the key of request %d was taken with another basket: %s", q.serial, w.plain(r.raw))
		}
	}
}

// batch sends two baskets at once.
func (w *world) batch(s step) {
	t := w.tenants[s.a%len(w.tenants)]
	list := []*request{
		w.newRequest("checkout", t.customers[s.b%len(t.customers)], step{b: s.b, c: s.c, d: s.d}),
		w.newRequest("checkout", t.customers[s.c%len(t.customers)], step{b: s.c, c: s.b, d: s.a}),
	}
	key := "batch-" + t.nextKey()
	bodies := []wire.StripePaymentRequest{}
	for i, q := range list {
		q.key = fmt.Sprintf("%s:%d", key, i)
		bodies = append(bodies, q.body)
	}
	r := httptest.NewRequest(http.MethodPost, tillURL+"/json/reply/StripePaymentRequest[]", strings.NewReader(string(wire.Encode(wire.JSON, bodies))))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+t.license)
	r.Header.Set("Idempotency-Key", key)
	rec := w.visit(r, t, nil)
	w.say("portal %d: batch of requests %d and %d: %d", t.n, list[0].serial, list[1].serial, rec.Code)
	if rec.Code != http.StatusOK {
		w.refused(list[0], &reply{code: rec.Code, raw: rec.Body.String()})
		return
	}
	var replies []reply
	if err := json.Unmarshal(rec.Body.Bytes(), &replies); err != nil || len(replies) != len(list) {
		w.fail("a batch's answer has %d replies, %v", len(replies), err)
		return
	}
	for i := range replies {
		replies[i].code = rec.Code
		w.take(list[i], &replies[i])
	}
}

// send sends a request and holds the answer to what the portal may expect: pay once.
func (w *world) send(q *request, way int, oneWay bool) *reply {
	want := w.sameOrder(q)
	quiet := w.fault.kind != "between"
	r := w.post(q, way, oneWay)
	w.say("portal %d: %s, request %d of customer %d: %d %s %s", q.c.t.n, q.op, q.serial, q.c.i, r.code, r.Status, r.ResponseStatus.ErrorCode)
	if q.foreign {
		w.reach("portal: somebody else's card")
	}
	w.reach(fmt.Sprintf("portal %s: %d %s", q.op, r.code, r.Status+r.ResponseStatus.ErrorCode))
	if want != "" {
		w.reach("portal: the same request again")
	}
	switch {
	case r.code == http.StatusNoContent && oneWay:
		q.known = true
		return r
	case r.code != http.StatusOK:
		w.refused(q, r)
		return r
	}
	if want != "" && quiet && r.OrderId != want {
		w.fail("pay once: request %d gave order %s before and %s now (key %q)", q.serial, w.plain(want), w.plain(r.OrderId), q.key)
	}
	if want != "" && quiet && !r.Replayed {
		w.fail("pay once: request %d is answered again, but not as Replayed", q.serial)
	}
	w.take(q, r)
	return r
}

// sameOrder is the order that a request must give again, "" when it may make one:
// that of its key for good; without one the live order, and for a charge also one that
// was paid a moment ago.
func (w *world) sameOrder(q *request) string {
	known := false
	for _, row := range w.column("SELECT id || ' ' || state || ' ' || COALESCE(paid_at, 0) FROM orders WHERE tenant_id = $1 AND content_id = $2 ORDER BY id DESC", q.c.t.row.ID, q.body.ContentId) {
		known = true
		part := strings.Fields(row)
		paid, err := strconv.ParseInt(part[2], 10, 64)
		w.must(err, "read when an order was paid")
		recent := w.clock.stripe().Add(w.clock.off()).UnixMicro()-paid < (9 * time.Minute).Microseconds()
		if q.key != "" || pay.OrderState(part[1]).Live() || q.op == "charge" && part[1] == "paid" && recent {
			return part[0]
		}
	}
	if known {
		q.renewals++
	}
	return ""
}

// take notes a good answer.
func (w *world) take(q *request, r *reply) {
	q.known = true
	if q.foreign {
		w.fail("ID-07: request %d (%s) of customer %d was granted with somebody else's card", q.serial, q.op, q.c.i)
	}
	if !r.Success {
		w.fail("request %d was answered 200 without Success", q.serial)
	}
	q.c.noteCards(q, r)
	if strings.HasPrefix(r.Url, tillURL+"/account/") {
		q.c.account = strings.TrimPrefix(r.Url, tillURL)
	}
	w.checkURL(r.Url, q.c.t, "the answer's Url")
	w.checkURL(r.ReceiptUrl, q.c.t, "the answer's ReceiptUrl")
	if r.OrderId == "" {
		if q.op == "checkout" || q.op == "setup" || q.op == "charge" {
			w.fail("request %d was answered 200 without an order", q.serial)
		}
		return
	}
	if q.order == nil || q.order.id != r.OrderId {
		o := &order{n: len(w.orders), id: r.OrderId, c: q.c, request: q, amount: r.Amount.String()}
		if at := slices.IndexFunc(w.orders, func(k *order) bool { return k.id == r.OrderId }); at >= 0 {
			o = w.orders[at]
		} else {
			w.orders = append(w.orders, o)
		}
		q.order = o
	}
	o := q.order
	if o.c != q.c {
		w.fail("I-23: request %d of customer %d got an order of customer %d", q.serial, q.c.i, o.c.i)
	}
	if o.amount == "" {
		o.amount = r.Amount.String()
	}
	if o.amount != r.Amount.String() {
		w.fail("order %d was %s before and is %s now", o.n, o.amount, r.Amount)
	}
	if token, ok := strings.CutPrefix(r.Url, tillURL+"/pay/"); ok {
		o.token, _, _ = strings.Cut(token, "/")
	} else if strings.HasPrefix(r.Url, stripeURL+"/") {
		w.openTab(o, r.Url)
	}
	w.checkDurable(o, r)
	if state := w.state(q.c.t, o.id); r.Status == "paid" && state != pay.OrderPaid && state != pay.OrderMismatch {
		w.fail("request %d was told that order %d is paid, and it is %s", q.serial, o.n, state)
	}
}

func (c *customer) noteCards(q *request, r *reply) {
	if r.Cards == nil && q.op != "list" && q.op != "delete" {
		return
	}
	c.cards = nil
	for _, card := range r.Cards {
		c.cards = append(c.cards, card.StripeSourceId)
	}
}

// refused judges an answer that is not 200.
func (w *world) refused(q *request, r *reply) {
	code := r.ResponseStatus.ErrorCode
	trouble := w.fault.kind != "" || len(w.net.kept) > 0 || w.clock.off() != 0
	switch {
	case (r.code == http.StatusServiceUnavailable || r.code == http.StatusBadGateway) && trouble:
	case r.code == http.StatusPaymentRequired && code == string(pay.CodeCardDeclined) && (q.op == "charge" || q.op == "save"):
		q.known, q.nothing = true, q.op == "charge" && q.key != ""
	case r.code == http.StatusNotFound && code == string(pay.CodeCardNotFound) && (q.op == "charge" || q.op == "delete" || q.op == "save"):
		q.known = true
	case r.code == http.StatusConflict && code == string(pay.CodeIdempotencyConflict) && strings.HasPrefix(q.body.ApiSingleUseToken.Value, "tok_1"):
		q.known = true // another basket had the token, or an order that is over
	case r.code == http.StatusBadGateway && q.op == "charge" && strings.Contains(r.raw, "Nothing was taken; send a new request"):
		q.known, q.nothing = true, true
	case r.code == http.StatusConflict && code == string(pay.CodeConflict) && w.fault.kind == "between":
	default:
		w.fail("request %d (%s) of customer %d was answered %d %s", q.serial, q.op, q.c.i, r.code, w.plain(oneLine(r.raw)))
	}
}

// post sends a request in one of the protocol's many ways.
func (w *world) post(q *request, way int, oneWay bool) *reply {
	body, kind := q.body, "reply"
	if oneWay {
		kind = "oneway"
	}
	inBody := way/8%2 == 0
	if inBody {
		body.License = wire.Str(q.c.t.license)
	}
	format := wire.Format(1 + way%5)
	path := "/" + format.String() + "/" + kind + "/StripePaymentRequest?format=json"
	switch {
	case format == wire.Form && oneWay:
		format, path = wire.JSON, "/json/oneway/StripePaymentRequest"
	case format == wire.Form:
		path = "/ChargeStripeCustomerCard?format=json"
	case way/16%4 == 0 && !oneWay && format == wire.JSON:
		path = "/api/StripePaymentRequest"
	}
	r := httptest.NewRequest(http.MethodPost, tillURL+path, strings.NewReader(string(wire.Encode(format, &body))))
	r.Header.Set("Content-Type", format.ContentType())
	if !inBody {
		r.Header.Set("Authorization", "Bearer "+q.c.t.license)
	}
	if q.key != "" {
		r.Header.Set("Idempotency-Key", q.key)
	}
	rec := w.visit(r, q.c.t, q.c)
	out := &reply{code: rec.Code, raw: rec.Body.String()}
	if rec.Body.Len() > 0 {
		if err := json.Unmarshal(rec.Body.Bytes(), out); err != nil {
			w.fail("request %d was answered %d, which is not JSON: %v: %s", q.serial, rec.Code, err, w.plain(out.raw))
		}
	}
	return out
}

// visit lets the till answer, and holds every answer to what all must keep: no
// fault of ours shown as such, no way out but the allowed ones, nothing of another's.
func (w *world) visit(r *http.Request, t *tenant, c *customer) *httptest.ResponseRecorder {
	r.Host = "till.example"
	rec := httptest.NewRecorder()
	w.till.http.ServeHTTP(rec, r)
	if rec.Code == http.StatusInternalServerError {
		w.fail("I-33: %s %s was answered 500; the log says: %s", r.Method, w.plain(r.URL.Path), w.plain(w.log.take()))
	}
	w.checkURL(rec.Header().Get("Location"), t, "a redirect from "+shape(r.URL.Path))
	if _, to, ok := strings.Cut(rec.Header().Get("Refresh"), "url="); ok {
		w.checkURL(to, t, "a Refresh")
	}
	w.checkCanaries(rec.Body.String()+rec.Header().Get("Location"), t, c)
	return rec
}

// checkURL holds where somebody is sent to I-34.
func (w *world) checkURL(address string, t *tenant, what string) {
	if address == "" || strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//") {
		return
	}
	u, err := url.Parse(address)
	if err != nil {
		w.fail("I-34: %s leads to %q: %v", what, address, err)
		return
	}
	if origin := u.Scheme + "://" + u.Host; origin != tillURL && origin != stripeURL && !slices.Contains(t.row.ReturnOrigins, origin) {
		w.fail("I-34: %s leads to %s", what, origin)
	}
}

// checkCanaries looks for what is another tenant's or another customer's (I-23).
// Without a customer all of the tenant's may be there.
func (w *world) checkCanaries(text string, t *tenant, c *customer) {
	for _, found := range canariesIn(text) {
		own := found == t.canary || c == nil && strings.HasPrefix(found, fmt.Sprintf("kestrel%d", t.n)) || c != nil && found == c.canary
		if !own {
			w.fail("I-23: an answer to tenant %d has %s in it", t.n, found)
			return
		}
	}
	if strings.Contains(text, "password-") {
		w.fail("an answer has a customer's password in it")
	}
}

// canariesIn lists the canaries in a text.
func canariesIn(text string) []string {
	var out []string
	for _, kind := range []string{"canary", "kestrel"} {
		for rest := text; ; {
			at := strings.Index(rest, kind)
			if at < 0 {
				break
			}
			end := at + len(kind)
			for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
				end++
			}
			if kind == "kestrel" && end < len(rest) && rest[end] == 'x' {
				end++
			}
			if found := rest[at:end]; found != kind && !slices.Contains(out, found) {
				out = append(out, found)
			}
			rest = rest[end:]
		}
	}
	return out
}

var ids = regexp.MustCompile(`\b(ord|att|rfr|card|tok|dsp|sto|dlv|pst|cus|cst|pay|pi|cs_test|cs|ch|py|re|pyr|dp|evt|evn|txn|pm|seti|req|ten|acct|src|tok|card|ref|unc|led)_[A-Za-z0-9_]{12,}`)

// plain takes ids out of a text, so that a seed always tells the same.
func (w *world) plain(text string) string {
	if before, _, own := strings.Cut(text, "/account/"); own {
		return before + "/account/…"
	}
	for _, o := range w.orders {
		if o.token != "" { // before the ids: a token may look as if it had one in it
			text = strings.ReplaceAll(text, o.token, fmt.Sprintf("(order %d)", o.n))
		}
	}
	return ids.ReplaceAllString(text, "${1}_…")
}
