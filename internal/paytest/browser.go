package paytest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/PuerkitoBio/goquery"
)

// The cards of docs.stripe.com/testing that the money tests use.
const (
	CardGood          = "4242 4242 4242 4242"
	CardNoFunds       = "4000 0000 0000 9995"
	CardChallenge     = "4000 0027 6000 3184"
	CardRefundPending = "4000 0000 0000 7726"
	CardRefundFails   = "4000 0000 0000 5126"
)

// Page is what a browser shows: a document, or a redirect that it was sent on.
type Page struct {
	w        *World
	URL      string
	Status   int
	Location string // where a 3xx leads, "" otherwise
	doc      *goquery.Document
}

// Get opens an address.
func (w *World) Get(address string) *Page {
	w.T.Helper()
	return w.do(http.MethodGet, address, "", nil)
}

func (w *World) do(method, address, contentType string, body io.Reader) *Page {
	w.T.Helper()
	req, err := http.NewRequest(method, address, body)
	if err != nil {
		w.T.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := w.client.Do(req)
	if err != nil {
		w.T.Fatalf("%s %s: %v", method, address, err)
	}
	defer res.Body.Close()
	doc, err := goquery.NewDocumentFromReader(res.Body)
	if err != nil {
		w.T.Fatalf("read %s: %v", address, err)
	}
	return &Page{w: w, URL: address, Status: res.StatusCode, Location: res.Header.Get("Location"), doc: doc}
}

// Decline is the message of a refused payment, "" when there is none.
func (p *Page) Decline() string {
	return strings.TrimSpace(p.doc.Find(`[data-testid="decline-message"]`).Text())
}

// Submit presses the button with the given data-testid: the form's own fields,
// hidden ones among them, with what the customer typed on top.
func (p *Page) Submit(testID string, typed map[string]string) *Page {
	p.w.T.Helper()
	button := p.doc.Find(`[data-testid="` + testID + `"]`)
	form := button.Closest("form")
	if form.Length() != 1 {
		p.w.T.Fatalf("%s (status %d) has no form with the button %s: %s", p.URL, p.Status, testID, strings.Join(strings.Fields(p.doc.Text()), " "))
	}
	values := url.Values{}
	form.Find("input[name], select[name]").Each(func(_ int, field *goquery.Selection) {
		name := field.AttrOr("name", "")
		kind := field.AttrOr("type", "text")
		_, checked := field.Attr("checked")
		switch {
		case goquery.NodeName(field) == "select":
			option := field.Find("option[selected]")
			if option.Length() == 0 {
				option = field.Find("option")
			}
			values.Set(name, option.First().AttrOr("value", ""))
		case (kind == "radio" || kind == "checkbox") && !checked:
		default:
			values.Set(name, field.AttrOr("value", ""))
		}
	})
	if name := button.AttrOr("name", ""); name != "" {
		values.Set(name, button.AttrOr("value", ""))
	}
	for name, value := range typed {
		values.Set(name, value)
	}
	action, err := url.Parse(form.AttrOr("action", ""))
	if err != nil {
		p.w.T.Fatal(err)
	}
	base, err := url.Parse(p.URL)
	if err != nil {
		p.w.T.Fatal(err)
	}
	return p.w.do(http.MethodPost, base.ResolveReference(action).String(), "application/x-www-form-urlencoded", strings.NewReader(values.Encode()))
}

// follow resolves where a page leads; "" when it leads nowhere.
func (p *Page) follow() string {
	if p.Location == "" {
		return ""
	}
	base, err := url.Parse(p.URL)
	if err != nil {
		p.w.T.Fatal(err)
	}
	to, err := base.Parse(p.Location)
	if err != nil {
		p.w.T.Fatal(err)
	}
	return to.String()
}

func person(more map[string]string) map[string]string {
	fields := map[string]string{"email": "ada@example.com", "name": "Ada Lovelace", "country": "GB", "line1": "12 Exchange Street",
		"city": "Norwich", "postal_code": "NR2 1AT"}
	for k, v := range more {
		fields[k] = v
	}
	return fields
}

// PayByCard fills in Stripe's page and submits it. It returns where the browser
// is led (our return page, or the bank's), or "" and the decline message.
func (w *World) PayByCard(address, number string) (to, decline string) {
	w.T.Helper()
	page := w.Get(address).Submit("submit", person(map[string]string{"method": "card", "number": number, "expiry": "12 / 40", "cvc": "123"}))
	return page.follow(), page.Decline()
}

// TryPay fills in and submits the page that the browser shows already, and reports
// whether it was led back, paid.
func (p *Page) TryPay(number string) bool {
	p.w.T.Helper()
	to := p.Submit("submit", person(map[string]string{"method": "card", "number": number, "expiry": "12 / 40", "cvc": "123"})).follow()
	return strings.HasPrefix(to, BaseURL+"/pay/")
}

// MustPay pays with a good card and fails the test unless the browser is led back.
func (w *World) MustPay(address string) {
	w.T.Helper()
	if to, decline := w.PayByCard(address, CardGood); !strings.HasPrefix(to, BaseURL+"/pay/") {
		w.T.Fatalf("paying led to %q, decline %q", to, decline)
	}
}

// The bank accounts of docs.stripe.com/testing for Bacs.
const (
	AccountGood    = "00012345"
	AccountNoFunds = "22222227"
)

// PayByDebit pays by Bacs, which settles when the test says so.
func (w *World) PayByDebit(address, account string) {
	w.T.Helper()
	page := w.Get(address).Submit("submit", person(map[string]string{"method": "bacs_debit", "sort_code": "10-88-00", "account_number": account}))
	if !strings.HasPrefix(page.follow(), BaseURL+"/pay/") {
		w.T.Fatalf("paying by debit led to %q (status %d)", page.follow(), page.Status)
	}
}

// Challenge answers the bank's 3-D Secure page and returns where it leads.
func (w *World) Challenge(address string, approve bool) string {
	w.T.Helper()
	button := "challenge-fail"
	if approve {
		button = "challenge-approve"
	}
	return w.Get(address).Submit(button, nil).follow()
}

// Act does what a person does in Stripe's dashboard, or a bank, or time: refund,
// expire, settle_debits, fail_debits. amount 0 is all of it.
func (w *World) Act(name, id string, amount int64) {
	w.T.Helper()
	body, err := json.Marshal(map[string]any{"id": id, "amount": amount})
	if err != nil {
		w.T.Fatal(err)
	}
	if page := w.do(http.MethodPost, w.SandboxURL+"/_sandbox/actions/"+name, "application/json", bytes.NewReader(body)); page.Status != http.StatusOK {
		w.T.Fatalf("%s %s answered %d: %s", name, id, page.Status, page.doc.Text())
	}
}

// Dials turns the double's dials, such as {"api_error_rate": 1}.
func (w *World) Dials(dials map[string]float64) {
	w.T.Helper()
	body, err := json.Marshal(dials)
	if err != nil {
		w.T.Fatal(err)
	}
	if page := w.do(http.MethodPost, w.SandboxURL+"/_sandbox/dials", "application/json", bytes.NewReader(body)); page.Status != http.StatusOK {
		w.T.Fatalf("dials answered %d: %s", page.Status, page.doc.Text())
	}
}
