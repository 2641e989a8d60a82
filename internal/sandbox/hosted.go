package sandbox

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

//go:embed pages
var pageFiles embed.FS

var pageTemplates = template.Must(template.New("").Funcs(template.FuncMap{"initial": initial}).ParseFS(pageFiles, "pages/*.html"))

// initial is the letter in a merchant's badge.
func initial(name string) string {
	for _, r := range name {
		return string(r)
	}
	return "?"
}

// pageHeaders: a page of the sandbox loads nothing but its own stylesheet. form-action is not limited because the
// answer to a form redirects to the merchant's success_url, which browsers count as the form's target.
func pageHeaders(h http.Header) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
}

// writePage renders into a buffer first, so that half a page is never sent with a good status.
func (s *Server) writePage(w http.ResponseWriter, status int, name string, data any) {
	var page bytes.Buffer
	if err := pageTemplates.ExecuteTemplate(&page, name, data); err != nil {
		s.log.Error("sandbox page", "page", name, "error", err)
		http.Error(w, "The sandbox could not make this page; see its log.", http.StatusInternalServerError)
		return
	}
	pageHeaders(w.Header())
	w.WriteHeader(status)
	w.Write(page.Bytes())
}

type payLine struct {
	Title, Note  string
	Quantity     int64
	Unit, Amount string
}

type savedCard struct{ ID, Label string }

type payMethod struct {
	Type, Title string
	Checked     bool
}

// payPage is what the hosted page shows.
type payPage struct {
	Merchant, Total, CancelURL, Action, Nonce, Button, Message, SubmitNote, TermsNote string
	Lines                                                                             []payLine
	Methods                                                                           []payMethod
	Saved                                                                             []savedCard
	Cards                                                                             []*testCard
	Countries                                                                         []country
	Setup, Free, Many, FixedEmail, AskPhone, AskTerms, AskAddress                     bool
	Form                                                                              map[string]string
	Errors                                                                            map[string]string
}

type country struct{ Code, Name string }

var countries = []country{{"GB", "United Kingdom"}, {"IE", "Ireland"}, {"US", "United States"}, {"CA", "Canada"}, {"AU", "Australia"}, {"NZ", "New Zealand"},
	{"AT", "Austria"}, {"BE", "Belgium"}, {"CH", "Switzerland"}, {"CZ", "Czechia"}, {"DE", "Germany"}, {"DK", "Denmark"}, {"ES", "Spain"}, {"FI", "Finland"},
	{"FR", "France"}, {"IT", "Italy"}, {"JP", "Japan"}, {"NL", "Netherlands"}, {"NO", "Norway"}, {"PL", "Poland"}, {"PT", "Portugal"}, {"RO", "Romania"}, {"SE", "Sweden"}, {"SK", "Slovakia"}}

var methodTitles = map[string]string{"card": "Card", "bacs_debit": "Bacs Direct Debit", "sepa_debit": "SEPA Direct Debit", "us_bank_account": "US bank account", "paypal": "PayPal", "link": "Link"}

var payButtons = map[string]string{"book": "Book", "donate": "Donate", "pay": "Pay"}

// newPayPage gathers the page of an open session.
func (c *call) newPayPage(session *record, form, faults map[string]string) payPage {
	o := session.obj
	currency := str(o, "currency")
	form = fillIn(form)
	p := payPage{
		Merchant: c.account.businessName(), CancelURL: str(o, "cancel_url"), Action: "/c/pay/" + session.id, Nonce: randomText(20),
		Setup: str(o, "mode") == "setup", Form: form, Errors: faults, Cards: titledCards(), Countries: countries,
		AskPhone:   flag(sub(o, "phone_number_collection"), "enabled"),
		AskTerms:   str(sub(o, "consent_collection"), "terms_of_service") == "required",
		AskAddress: str(o, "billing_address_collection") == "required",
	}
	p.SubmitNote = str(sub(sub(o, "custom_text"), "submit"), "message")
	p.TermsNote = str(sub(sub(o, "custom_text"), "terms_of_service_acceptance"), "message")
	for _, v := range lineItems(o) {
		line := v.(object)
		p.Lines = append(p.Lines, payLine{Title: str(line, "description"), Note: str(line, "_note"), Quantity: num(line, "quantity"),
			Unit: formatMoney(num(sub(line, "price"), "unit_amount"), currency), Amount: formatMoney(num(line, "amount_total"), currency)})
	}
	p.Total, p.Button = formatMoney(num(o, "amount_total"), currency), "Save card"
	if !p.Setup {
		p.Free = num(o, "amount_total") == 0
		p.Button = withDefault(orNil(payButtons[str(o, "submit_type")]), "Pay").(string) + " " + p.Total
		if p.Free {
			p.Button = "Complete order"
		}
	}
	for _, t := range items(o, "payment_method_types") {
		kind := t.(string)
		p.Methods = append(p.Methods, payMethod{kind, methodTitles[kind], form["method"] == kind || form["method"] == "" && len(p.Methods) == 0})
	}
	p.Many = len(p.Methods) > 1
	if email := str(sub(o, "customer_details"), "email"); email != "" && (o["customer_email"] != nil || o["customer"] != nil) {
		p.Form["email"], p.FixedEmail = email, true
	}
	for _, r := range c.account.kinds["payment_method"] {
		if customer := str(o, "customer"); customer != "" && !p.Setup && str(r.obj, "customer") == customer && str(r.obj, "type") == "card" {
			p.Saved = append(p.Saved, savedCard{r.id, strings.ToUpper(str(sub(r.obj, "card"), "brand")) + " •••• " + str(sub(r.obj, "card"), "last4")})
		}
	}
	return p
}

func titledCards() []*testCard {
	var out []*testCard
	for _, card := range testCards {
		if card.title != "" {
			out = append(out, card)
		}
	}
	return out
}

// Shown and Title are for the list of test cards.
func (t *testCard) Shown() string { return t.shown() }

// Title says what the card does.
func (t *testCard) Title() string { return t.title }

// findSession works without a key: the id in the address is the customer's only credential, as at Stripe.
func (s *Server) findSession(id string) *record {
	if r := s.records[id]; r != nil && r.kind == "checkout.session" {
		return r
	}
	return nil
}

type messagePage struct {
	Title, Text, Link, LinkText string
}

// endedPage is what a session that cannot be paid shows, in Stripe's words.
func endedPage(session object) (int, messagePage) {
	if session == nil {
		return http.StatusNotFound, messagePage{Title: "Something went wrong", Text: "The page you were looking for could not be found. Please check the URL or contact the merchant."}
	}
	if str(session, "status") == "complete" {
		return http.StatusOK, messagePage{Title: "You're all done here", Text: "You've already completed this checkout: your payment has been received. You can close this page.", Link: successURL(session), LinkText: "Return to merchant"}
	}
	return http.StatusGone, messagePage{Title: "This page has expired", Text: "This Checkout Session has expired. Please go back to the merchant and try again.", Link: str(session, "cancel_url"), LinkText: "Return to merchant"}
}

func (s *Server) callFor(r *record, req *http.Request) *call {
	c := s.background(r.account)
	c.base = s.base(req)
	return c
}

func (s *Server) showPay(w http.ResponseWriter, r *http.Request) {
	var page payPage
	var ended messagePage
	status := 0
	err := s.do(func() {
		session := s.findSession(r.PathValue("session"))
		if session == nil || str(session.obj, "status") != "open" {
			var o object
			if session != nil {
				o = session.obj
			}
			status, ended = endedPage(o)
			return
		}
		c := s.callFor(session, r)
		page = c.newPayPage(session, map[string]string{}, nil)
		page.Message = c.lastError(session)
	})
	switch {
	case err != nil:
		http.Error(w, "The sandbox cannot write its state file; see its log.", http.StatusInternalServerError)
	case status != 0:
		s.writePage(w, status, "message.html", ended)
	default:
		s.writePage(w, http.StatusOK, "pay.html", page)
	}
}

// lastError is why the last try did not work, for a customer who comes back from their bank.
func (c *call) lastError(session *record) string {
	if r := c.get(c.account, str(session.obj, "_payment_intent")); r != nil {
		return str(sub(r.obj, "last_payment_error"), "message")
	}
	if r := c.get(c.account, str(session.obj, "setup_intent")); r != nil {
		return str(sub(r.obj, "last_setup_error"), "message")
	}
	return ""
}

var payFields = []string{"email", "method", "number", "expiry", "cvc", "name", "country", "postal_code", "line1", "city", "phone", "saved", "terms",
	"sort_code", "account_number", "iban", "routing_number", "us_account_number", "nonce"}

func (s *Server) submitPay(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, biggestDialText)
	form := map[string]string{}
	for _, name := range payFields {
		form[name] = strings.TrimSpace(r.PostFormValue(name))
	}
	var page payPage
	var ended messagePage
	status, target := 0, ""
	err := s.do(func() {
		session := s.findSession(r.PathValue("session"))
		if session == nil {
			status, ended = endedPage(nil)
			return
		}
		o := session.obj
		if str(o, "status") != "open" {
			if status, ended = endedPage(o); form["nonce"] != "" && form["nonce"] == str(o, "_paid_nonce") {
				target = successURL(o) // the second of two clicks on the same page
			} else if status == http.StatusOK {
				status = http.StatusConflict
			}
			return
		}
		c := s.callFor(session, r)
		page, status, target = c.submit(session, form)
	})
	switch {
	case err != nil:
		http.Error(w, "The sandbox cannot write its state file; see its log.", http.StatusInternalServerError)
	case target != "":
		http.Redirect(w, r, target, http.StatusSeeOther)
	case ended.Title != "":
		s.writePage(w, status, "message.html", ended)
	default:
		s.writePage(w, status, "pay.html", page)
	}
}

// testPayer stands in for what decides nothing here, so that a card is all that has to be typed. Stripe's page fills such
// fields in too, from a wallet or Link.
var testPayer = map[string]string{"email": "customer@example.com", "name": "Test Customer", "country": "GB", "line1": "1 Test Street",
	"city": "London", "postal_code": "SW1A 1AA", "phone": "+44 20 7946 0000"}

func fillIn(form map[string]string) map[string]string {
	for name, value := range testPayer {
		if form[name] == "" {
			form[name] = value
		}
	}
	return form
}

// submit answers a posted form of an open session: a page with the faults, or where to go.
func (c *call) submit(session *record, form map[string]string) (payPage, int, string) {
	form = fillIn(form)
	p, faults := c.readPayer(session, form)
	var method *record
	if num(session.obj, "amount_total") != 0 || str(session.obj, "mode") == "setup" {
		var fault *apiError
		method, fault = c.methodOfForm(session, form, p, faults)
		if fault != nil {
			faults["decline"] = fault.message
		}
	}
	if len(faults) > 0 {
		page := c.newPayPage(session, form, faults)
		status := http.StatusUnprocessableEntity
		if page.Message = faults["decline"]; page.Message != "" {
			status = http.StatusPaymentRequired
		}
		return page, status, ""
	}
	session.obj["_paid_nonce"] = form["nonce"]
	if fault := c.paySession(session, method, p); fault != nil {
		page := c.newPayPage(session, form, map[string]string{})
		page.Message = fault.message
		return page, http.StatusPaymentRequired, ""
	}
	if str(session.obj, "status") == "complete" {
		return payPage{}, 0, successURL(session.obj)
	}
	intent := c.get(c.account, str(session.obj, "_payment_intent"))
	if intent == nil {
		intent = c.get(c.account, str(session.obj, "setup_intent"))
	}
	return payPage{}, 0, "/c/authenticate/" + intent.id + "?client_secret=" + url.QueryEscape(str(intent.obj, "client_secret"))
}

func (c *call) readPayer(session *record, form map[string]string) (payer, map[string]string) {
	o := session.obj
	faults := map[string]string{}
	p := payer{email: form["email"], name: form["name"], terms: form["terms"] != ""}
	if fixed := str(sub(o, "customer_details"), "email"); fixed != "" && (o["customer_email"] != nil || o["customer"] != nil) {
		p.email = fixed
	}
	if !plausibleEmail(p.email) {
		faults["email"] = "Enter an email address such as name@example.com."
	}
	if form["country"] != "" && !slices.ContainsFunc(countries, func(k country) bool { return k.Code == form["country"] }) {
		faults["country"] = "Choose a country from the list."
	}
	if form["country"] != "" || form["postal_code"] != "" {
		p.address = object{"country": form["country"], "postal_code": form["postal_code"], "line1": form["line1"], "city": form["city"]}
	}
	if str(o, "billing_address_collection") == "required" {
		for name, what := range map[string]string{"line1": "an address", "city": "a town or city", "postal_code": "a postcode"} {
			if form[name] == "" {
				faults[name] = "Enter " + what + "."
			}
		}
	}
	if flag(sub(o, "phone_number_collection"), "enabled") {
		if p.phone = form["phone"]; len(p.phone) < 6 {
			faults["phone"] = "Enter a phone number."
		}
	}
	if str(sub(o, "consent_collection"), "terms_of_service") == "required" && !p.terms {
		faults["terms"] = "Please accept the terms to go on."
	}
	return p, faults
}

// methodOfForm makes the payment method the customer chose; what is wrong with its fields goes into faults.
func (c *call) methodOfForm(session *record, form map[string]string, p payer, faults map[string]string) (*record, *apiError) {
	kind := form["method"]
	types := items(session.obj, "payment_method_types")
	if kind == "" {
		kind, _ = types[0].(string)
	}
	if !slices.Contains(types, any(kind)) {
		faults["method"] = "Choose one of the ways to pay."
		return nil, nil
	}
	switch {
	case isWallet(kind):
		o := c.newWalletMethod(kind, p.email)
		o["billing_details"] = p.billing()
		return c.add(c.account, o), nil
	case kind != "card":
		return c.debitOfForm(kind, form, p, faults), nil
	}
	number := strings.NewReplacer(" ", "", "-", "").Replace(form["number"])
	if saved := form["saved"]; number == "" && saved != "" {
		r := c.getKind(c.account, "payment_method", saved)
		if customer := str(session.obj, "customer"); r == nil || customer == "" || str(r.obj, "customer") != customer {
			faults["number"] = "This saved card is gone; type a card."
			return nil, nil
		}
		return r, nil
	}
	d, fault := c.readCard(number, form, faults)
	if fault != nil || len(faults) > 0 {
		return nil, fault
	}
	o := c.newCardMethod(d)
	o["billing_details"] = p.billing()
	return c.add(c.account, o), nil
}

func (c *call) readCard(number string, form, faults map[string]string) (cardDetails, *apiError) {
	switch {
	case number == "" || strings.Trim(number, "0123456789") != "" || len(number) < 12:
		faults["number"] = "Your card number is incomplete."
	case !luhn(number):
		faults["number"] = "Your card number is invalid."
	}
	month, rest, _ := strings.Cut(strings.ReplaceAll(form["expiry"], " ", ""), "/")
	if rest == "" && len(month) == 4 {
		month, rest = month[:2], month[2:]
	}
	m, y, ok := expiry(month, rest)
	switch {
	case !ok:
		faults["expiry"] = "Your card's expiration date is incomplete."
	case expired(m, y, c.now):
		faults["expiry"] = "Your card's expiration date is in the past."
	}
	digits := 3
	if brandOf(number) == "amex" {
		digits = 4
	}
	if cvc := form["cvc"]; len(cvc) != digits || strings.Trim(cvc, "0123456789") != "" {
		faults["cvc"] = "Your card's security code is incomplete."
	}
	if form["name"] == "" {
		faults["name"] = "Enter the name on the card."
	}
	if len(faults) > 0 {
		return cardDetails{}, nil
	}
	card := cardsByNumber[number]
	if card == nil {
		return cardDetails{}, cardError(declineNotTest)
	}
	return cardDetails{card: card, expMonth: m, expYear: y, hasCVC: true}, nil
}

func (c *call) debitOfForm(kind string, form map[string]string, p payer, faults map[string]string) *record {
	number, bank, field := form["account_number"], form["sort_code"], "account_number"
	switch kind {
	case "sepa_debit":
		number, field = form["iban"], "iban"
	case "us_bank_account":
		number, bank, field = form["us_account_number"], form["routing_number"], "us_account_number"
	}
	if form["name"] == "" {
		faults["name"] = "Enter the name of the account's holder."
	}
	o, fault := c.newDebitMethod(kind, number, bank, "")
	if fault != nil {
		if name := lastName(fault.param); name == "sort_code" || name == "routing_number" {
			field = name
		}
		faults[field] = fault.message
	}
	if len(faults) > 0 {
		return nil
	}
	o["billing_details"] = p.billing()
	return c.add(c.account, o)
}

// expiry reads month and two- or four-digit year.
func expiry(month, year string) (int64, int64, bool) {
	m, y := digitsOf(month), digitsOf(year)
	if len(year) <= 2 && y >= 0 {
		y += 2000
	}
	return m, y, m >= 1 && m <= 12 && y >= 2000 && y < 2100 && year != ""
}

func digitsOf(text string) int64 {
	if text == "" || len(text) > 4 {
		return -1
	}
	var n int64
	for _, d := range text {
		if d < '0' || d > '9' {
			return -1
		}
		n = n*10 + int64(d-'0')
	}
	return n
}

// expired: a card is good to the end of its month.
func expired(month, year, now int64) bool {
	return time.Date(int(year), time.Month(month)+1, 1, 0, 0, 0, 0, time.UTC).Unix() <= now
}
