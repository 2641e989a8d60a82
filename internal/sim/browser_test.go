package sim

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// tab is a page of Stripe's that somebody has open, perhaps for days.
type tab struct {
	order *order
	url   string
	over  bool // there is nothing more to be done on it, as far as its owner knows
}

func (w *world) openTab(o *order, address string) {
	for _, t := range w.tabs {
		if t.url == address {
			return
		}
	}
	w.tabs = append(w.tabs, &tab{order: o, url: address})
}

func (w *world) browser(what string, s step) {
	switch what {
	case "submit":
		w.submit(s)
		return
	case "bank":
		w.challenge(s)
		return
	case "find":
		w.find(s)
		return
	}
	var open []*order
	for _, o := range w.orders {
		if o.token != "" {
			open = append(open, o)
		}
	}
	if len(open) == 0 {
		return
	}
	o := open[len(open)-1-s.a%min(len(open), 8)]
	switch what {
	case "look":
		w.open(o, http.MethodGet, "")
	case "account":
		w.account(o.c, s)
	case "pay":
		form := url.Values{}
		if len(o.c.cards) > 0 && s.b%3 == 0 {
			form.Set(views.CardField, o.c.cards[s.c%len(o.c.cards)])
		}
		if card := w.cardOfAnother(o.c, s); card != "" && s.b%7 == 0 {
			form.Set(views.CardField, card)
		}
		if s.b%4 == 0 {
			form.Set(views.SaveField, "1")
		}
		w.pressPay(o, form, []string{"", "", "", "de", "ar", "fr"}[(s.a+s.c)%6])
	case "return":
		w.comeBack(o)
	case "cancel":
		w.open(o, http.MethodGet, "/cancel")
	case "receipt":
		w.open(o, http.MethodGet, "/receipt")
	}
}

// open shows a page of an order's to its customer.
func (w *world) open(o *order, method, below string) *httptest.ResponseRecorder {
	return w.page(o.c, method, "/pay/"+o.token+below, nil)
}

// page is one address of ours in a customer's browser. It may answer 200, with a
// redirect, or that it cannot now.
func (w *world) page(c *customer, method, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, tillURL+path, strings.NewReader(form.Encode()))
	for name, value := range c.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	rec := w.visit(r, c.t, c)
	for _, line := range rec.Header().Values("Set-Cookie") {
		if k, err := http.ParseSetCookie(line); err == nil {
			c.cookies[k.Name] = k.Value
		}
	}
	address, _, _ := strings.Cut(path, "?")
	what := w.plain(address)
	to, _, _ := strings.Cut(rec.Header().Get("Location"), "?") // a signed query is another each time
	w.say("browser of customer %d-%d: %s %s: %d %s", c.t.n, c.i, method, what, rec.Code, w.plain(to))
	w.reach(fmt.Sprintf("browser: %s %s: %d", method, orderText.ReplaceAllString(what, "…"), rec.Code))
	trouble := w.fault.kind != "" || len(w.net.kept) > 0 || w.clock.off() != 0
	switch rec.Code {
	case http.StatusOK, http.StatusSeeOther:
	case http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusConflict:
		if !trouble {
			w.fail("%s was answered %d although nothing was wrong; the log says: %s", what, rec.Code, w.plain(w.log.take()))
		}
	case http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity: // a link that is over, a card that is gone or somebody else's
		if !strings.HasPrefix(path, "/account/") && form.Get(views.CardField) == "" {
			w.fail("%s was answered %d", what, rec.Code)
		}
	default:
		w.fail("%s was answered %d", what, rec.Code)
	}
	return rec
}

var orderText = regexp.MustCompile(`\(order \d+\)`)

// pressPay is the pay button of the page in a language, "" for the browser's own. Stripe's
// page follows it, and what an earlier press asked Stripe for does not change.
func (w *world) pressPay(o *order, form url.Values, language string) {
	path := "/pay/" + o.token
	if language != "" {
		path += "?lang=" + language
	}
	to := w.page(o.c, http.MethodPost, path, form).Header().Get("Location")
	to, _, _ = strings.Cut(to, "?lang=")
	switch {
	case strings.HasPrefix(to, stripeURL+"/"):
		w.openTab(o, to)
	case strings.HasSuffix(to, "/return"):
		w.comeBack(o)
	}
}

// account is a customer's own page, and a card deleted there.
func (w *world) account(c *customer, s step) {
	if c.account == "" {
		return
	}
	w.page(c, http.MethodGet, c.account, nil)
	if len(c.cards) > 0 && s.b%3 == 0 {
		w.page(c, http.MethodPost, c.account+"/cards/"+c.cards[s.c%len(c.cards)]+"/delete", nil)
	}
}

// comeBack is Stripe's redirect, the customer's bookmark or the page's own refresh.
func (w *world) comeBack(o *order) {
	rec := w.open(o, http.MethodGet, "/return")
	if rec.Code != http.StatusOK {
		return
	}
	page := html.UnescapeString(rec.Body.String())
	if !strings.Contains(page, "status=paid") && !strings.Contains(page, `data-status="paid"`) {
		return
	}
	stored, err := w.till.store.OrderByID(context.Background(), o.c.t.row.ID, o.id)
	if err != nil || stored.State != pay.OrderPaid && stored.State != pay.OrderMismatch {
		w.fail("the page of order %d says that it is paid, but it is not: %v", o.n, err)
	}
}

// find opens a page of Stripe's that we never gave to anybody: its making was not
// answered, and somebody read its address in Stripe's dashboard.
func (w *world) find(s step) {
	t, session := w.choose(s, "/v1/checkout/sessions", func(o map[string]any) bool {
		return text(o, "status") == "open" && !slices.ContainsFunc(w.tabs, func(t *tab) bool { return strings.HasPrefix(t.url, text(o, "url")) })
	})
	if session == nil {
		return
	}
	id := text(session, "client_reference_id")
	at := slices.IndexFunc(w.orders, func(o *order) bool { return o.id == id })
	if at < 0 {
		// Its portal had no answer either.
		owner := w.column("SELECT c.i_customer || ' ' || o.request FROM orders o JOIN customers c ON c.id = o.customer_id AND c.tenant_id = o.tenant_id WHERE o.id = $1", id)
		if len(owner) == 0 {
			return
		}
		i, body, _ := strings.Cut(owner[0], " ")
		q := &request{known: true}
		w.must(wire.Decode(wire.JSON, []byte(body), &q.body), "read a stored request")
		for _, c := range t.customers {
			if fmt.Sprint(c.i) == i {
				q.c = c
			}
		}
		w.orders = append(w.orders, &order{n: len(w.orders), id: id, c: q.c, request: q})
		at = len(w.orders) - 1
		w.checkDurable(w.orders[at], nil)
	}
	w.say("customer: finds a page of order %d that nobody was given", w.orders[at].n)
	w.reach("a page that nobody was given")
	w.openTab(w.orders[at], text(session, "url"))
	last := w.tabs[len(w.tabs)-1]
	w.submitTo(last, s)
}

// The cards and accounts of docs.stripe.com/testing.
var (
	goodCards    = []string{"4242424242424242", "5555555555554444", "4242424242424242", "4000000000000077"}
	badCards     = []string{"4000000000000002", "4000000000009995", "4000000000000119"}
	askingCards  = []string{"4000002760003184", "4000008400001629", "4000002500003155"}
	refundCards  = []string{"4000000000007726", "4000000000005126"}
	disputeCards = []string{"4000000000000259", "4000000000001976"}
	bankAccounts = []string{"00012345", "00012345", "22222227", "90012345"}
)

// submit fills Stripe's page in and presses its button: perhaps an old one, perhaps
// one of two that are open.
func (w *world) submit(s step) {
	var open []*tab
	for _, t := range w.tabs {
		if strings.Contains(t.url, "/c/pay/") && (!t.over || s.d%12 == 0) {
			open = append(open, t)
		}
	}
	if len(open) == 0 {
		return
	}
	w.submitTo(open[len(open)-1-s.a%min(len(open), 6)], s)
}

func (w *world) submitTo(t *tab, s step) {
	w.serial++
	form := url.Values{"nonce": {fmt.Sprintf("nonce-%d", w.serial)}, "method": {"card"}, "number": {w.card(s)}, "expiry": {"12/40"}, "cvc": {"123"}}
	methods := t.order.request.body.PaymentMethod.Value
	if methods == "bacs_debit" || strings.Contains(methods, "bacs") && s.c%2 == 0 {
		form = url.Values{"nonce": form["nonce"], "method": {"bacs_debit"}, "sort_code": {"108800"}, "account_number": {bankAccounts[s.b%len(bankAccounts)]}}
	}
	rec := w.stripePage(t.url, form)
	to := rec.Header().Get("Location")
	w.say("customer: submits Stripe's page of order %d by %s: %d %s", t.order.n, form.Get("method"), rec.Code, shape(w.plain(to)))
	w.reach(fmt.Sprintf("customer submits %s: %d", form.Get("method"), rec.Code))
	t.over = rec.Code == http.StatusConflict || rec.Code == http.StatusGone || strings.HasPrefix(to, tillURL)
	w.follow(t, to, s.d)
}

func (w *world) card(s step) string {
	n := s.c % 100
	switch {
	case n < 12:
		return badCards[s.b%len(badCards)]
	case n < 25:
		return askingCards[s.b%len(askingCards)]
	case n < 45 && w.options.Back:
		return refundCards[s.b%len(refundCards)]
	case n < 60 && w.options.Dispute:
		return disputeCards[s.b%len(disputeCards)]
	}
	return goodCards[s.b%len(goodCards)]
}

// follow goes where Stripe leads, or closes the window: whoever never comes back has
// paid all the same.
func (w *world) follow(t *tab, to string, mood int) {
	switch {
	case strings.HasPrefix(to, "/c/"):
		w.openTab(t.order, stripeURL+to)
	case strings.HasPrefix(to, tillURL) && mood%3 > 0:
		w.comeBack(t.order)
	}
}

// challenge answers a bank's 3-D Secure page.
func (w *world) challenge(s step) {
	var open []*tab
	for _, t := range w.tabs {
		if strings.Contains(t.url, "/c/authenticate/") && (!t.over || s.d%12 == 0) {
			open = append(open, t)
		}
	}
	if len(open) == 0 {
		return
	}
	t := open[len(open)-1-s.a%min(len(open), 4)]
	u, err := url.Parse(t.url)
	w.must(err, "read the address of the bank's page")
	result := "approve"
	if s.b%4 == 0 {
		result = "fail"
	}
	rec := w.stripePage(stripeURL+u.Path, url.Values{"client_secret": {u.Query().Get("client_secret")}, "result": {result}})
	to := rec.Header().Get("Location")
	t.over = true
	w.reach("customer answers the bank: " + result)
	w.say("customer: tells the bank to %s order %d: %d %s", result, t.order.n, rec.Code, shape(w.plain(to)))
	w.follow(t, to, s.d)
}

// stripePage posts a form to one of Stripe's pages.
func (w *world) stripePage(address string, form url.Values) *httptest.ResponseRecorder {
	return w.stripe(http.MethodPost, address, "", "application/x-www-form-urlencoded", []byte(form.Encode()))
}

// stripe calls the sandbox as anybody but the till does.
func (w *world) stripe(method, address, key, contentType string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, address, bytes.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	rec := httptest.NewRecorder()
	w.box.Handler().ServeHTTP(rec, r)
	if rec.Code == http.StatusInternalServerError {
		w.fail("the sandbox has a fault: %s %s: %s", method, shape(r.URL.Path), rec.Body)
	}
	return rec
}
