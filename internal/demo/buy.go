package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The cards of docs.stripe.com/testing that do something else than pay.
const (
	cardDeclined     = "4000000000000002"
	cardNoFunds      = "4000000000009995"
	cardExpired      = "4000000000000069"
	cardChallenged   = "4000002760003184"
	cardFailsLater   = "4000000000000341" // can be saved; charges of it fail
	cardAsksAgain    = "4000002500003155" // asks for 3-D Secure until it was set up
	cardRefundsLate  = "4000000000007726"
	cardRefundsFail  = "4000000000005126"
	cardInquiry      = "4000000000001976"
	typeCard         = "card"
	saveField        = "save" // of the order page's form
	challengeMissing = "the bank's page leads nowhere"
)

// purchase is one request for money and what its customer does with it.
type purchase struct {
	s       *shop
	c       *customer
	way     string
	request map[string]any
	key     string // Idempotency-Key
	tries   int
	id      string
	url     string // the order's page, or Stripe's
	number  string // the card that is typed
	save    bool
	wallet  string // paypal or link, for those who pay so
}

// ways are how orders come to their ends, and how many of a thousand do.
var ways = []struct {
	name  string
	share int
}{
	{"card", 480}, {"charge", 120}, {"debit", 85}, {"challenge", 70}, {"wallet", 55}, {"second card", 45}, {"saved card", 40}, {"leave", 35},
	{"abandon", 30}, {"give up", 15}, {"bad debit", 10}, {"challenge failed", 8}, {"voucher", 5}, {"setup", 2},
}

func (s *shop) way() string {
	n := s.rng.IntN(1000)
	for _, w := range ways {
		if n < w.share {
			return w.name
		}
		n -= w.share
	}
	return "card"
}

// begin is a customer who fills a basket and goes to pay.
func (s *shop) begin(ctx context.Context) error {
	p := &purchase{s: s, c: s.customer(), way: s.way()}
	if p.way == "charge" && !p.c.card || p.way == "saved card" && (!p.c.card || s.tenant.Policies.Review == "direct") {
		p.way = typeCard
	}
	if strings.Contains(p.way, "debit") && s.debit == "" {
		p.way = typeCard
	}
	return s.buy(ctx, p)
}

// buy sends the portal's request and lets the customer go on from there.
func (s *shop) buy(ctx context.Context, p *purchase) error {
	s.serial++
	s.w.report.Orders++
	p.number = p.c.typed
	p.save = s.chance(300)
	p.request = map[string]any{
		"License": s.tenant.License, "ICustomer": p.c.id, "Customer": p.c.record(), "ContentId": 40_000 + s.serial, "FeatureName": "Basket",
		"SuccessUrl": fmt.Sprintf("%s/paid?basket=%d", s.origin, s.serial), "CancelUrl": fmt.Sprintf("%s/basket/%d", s.origin, s.serial),
	}
	if p.way != "setup" {
		p.request["ShoppingInformation"] = s.basket(p.way == "voucher")
	}
	switch p.way {
	case "charge":
		return p.charge(ctx)
	case "debit", "bad debit":
		p.request["PaymentMethod"] = s.debit
	case "wallet":
		p.wallet = s.wallet()
		p.request["PaymentMethod"] = "card," + p.wallet
	default:
		p.request["PaymentMethod"] = typeCard
	}
	if s.serial%2 == 0 {
		p.key = fmt.Sprintf("%s-%06d", s.Slug, s.serial)
	}
	return p.ask(ctx)
}

func (s *shop) wallet() string {
	if s.Currency == "JPY" || s.serial%3 == 0 {
		return "link"
	}
	return "paypal"
}

// basket is what somebody buys: mostly one thing, sometimes three.
func (s *shop) basket(voucher bool) []map[string]any {
	var items []map[string]any
	first, n := s.rng.IntN(len(s.goods)), 1+max(0, s.rng.IntN(6)-3)
	for i := range n {
		g := s.goods[(first+i)%len(s.goods)]
		item := map[string]any{"Title": g.title, "Key": g.key, "Quantity": 1 + max(0, s.rng.IntN(2*g.most)-g.most), "SetupFee": g.setup, "MonthlyFee": g.monthly,
			"AdvancePeriod": g.months, "VatApplicable": true, "Currency": string(s.Currency), "DisplayIndex": i + 1}
		if g.info != nil {
			item["AdditionalInformation"] = g.info
		}
		items = append(items, item)
	}
	if voucher {
		g := s.goods[len(s.goods)-1]
		return []map[string]any{{"Title": g.title, "Key": g.key, "Quantity": 1, "SetupFee": g.setup, "VoucherCredit": g.setup, "VatApplicable": true, "Currency": string(s.Currency)}}
	}
	return items
}

// answer is what a portal reads of the till's answer.
type answer struct {
	Status, OrderId, Url string
	Cards                []struct{ StripeSourceId string }
	ResponseStatus       struct{ ErrorCode, Message string }
}

// post sends a portal's request.
func (w *world) post(ctx context.Context, request map[string]any, key string) (int, *answer, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return 0, nil, err
	}
	header := map[string]string{}
	if key != "" {
		header["Idempotency-Key"] = key
	}
	p, err := w.send(ctx, http.MethodPost, w.BaseURL+"/json/reply/StripePaymentRequest", "application/json", header, body)
	if err != nil {
		return 0, nil, err
	}
	a := &answer{}
	return p.status, a, json.Unmarshal(p.body, a)
}

// ask sends the request, and again when Stripe is down.
func (p *purchase) ask(ctx context.Context) error {
	w := p.s.w
	status, a, err := w.post(ctx, p.request, p.key)
	if err != nil {
		return err
	}
	if again, err := p.refused(status, a, p.ask); again || err != nil {
		return err
	}
	p.id, p.url = a.OrderId, a.Url
	if a.Status == "paid" { // the voucher covered it
		return nil
	}
	if p.way == "abandon" && p.s.chance(600) {
		return nil // the tab was closed before the page was seen
	}
	w.in(p.s.between(10*time.Second, 5*time.Minute), p.press)
	return nil
}

// refused reports whether a request was not carried out, and plans another when that makes sense.
func (p *purchase) refused(status int, a *answer, again func(context.Context) error) (bool, error) {
	w := p.s.w
	switch {
	case status == http.StatusOK:
		return false, nil
	case status == http.StatusForbidden && a.ResponseStatus.ErrorCode == "TenantSuspended":
		w.report.Refused++
		return true, nil
	case status == http.StatusServiceUnavailable && w.Weather.down():
		if p.tries++; p.tries == 1 {
			w.report.Unavailable++
			if p.s.chance(700) {
				w.at(w.badDay.Add(outageLasts+p.s.between(time.Minute, 3*time.Hour)), again)
			}
		}
		return true, nil
	}
	return true, fmt.Errorf("the request of customer %d was answered %d: %s %s", p.c.id, status, a.ResponseStatus.ErrorCode, a.ResponseStatus.Message)
}

// press is the order page's button.
func (p *purchase) press(ctx context.Context) error {
	w := p.s.w
	if p.way == "leave" && w.ours(p.url) {
		_, err := w.get(ctx, p.url+"/cancel")
		return err
	}
	to := p.url
	if w.ours(p.url) {
		form := map[string]string{}
		switch {
		case p.way == "saved card":
			card, err := p.savedCard(ctx)
			if err != nil {
				return err
			}
			form["card"] = card
		case p.save:
			form[saveField] = "1"
		}
		page, err := w.submit(ctx, p.url, form)
		if err != nil {
			return err
		}
		switch {
		case w.Weather.down() && page.status >= http.StatusInternalServerError, page.status == http.StatusForbidden:
			return nil // Stripe is down, or the tenant was suspended since; they come back another day, or not
		case page.status != http.StatusSeeOther:
			return fmt.Errorf("the button of %s answered %d: %s", p.id, page.status, brief(page.body))
		}
		to = page.location
	}
	if w.ours(to) {
		return p.comeBack(ctx, to)
	}
	if p.way == "leave" || p.way == "abandon" {
		return nil
	}
	w.in(p.s.between(25*time.Second, 4*time.Minute), func(ctx context.Context) error { return p.typeIn(ctx, to) })
	return nil
}

func (w *world) ours(address string) bool { return strings.HasPrefix(address, w.BaseURL+"/") }

// savedCard asks for a card that the customer has saved, "" when there is none any more.
func (p *purchase) savedCard(ctx context.Context) (string, error) {
	status, a, err := p.s.w.post(ctx, map[string]any{"License": p.s.tenant.License, "ICustomer": p.c.id, "Customer": p.c.record(), "GetCustomerCardInformation": true}, "")
	if err != nil || status != http.StatusOK || len(a.Cards) == 0 {
		return "", err
	}
	return a.Cards[0].StripeSourceId, nil
}

// typeIn fills in Stripe's page.
func (p *purchase) typeIn(ctx context.Context, to string) error {
	w, s := p.s.w, p.s
	form := map[string]string{"method": typeCard, "email": p.c.mail, "name": p.c.name()}
	number := p.number
	switch p.way {
	case "challenge", "challenge failed":
		number = cardChallenged
	case "second card", "give up":
		number = []string{cardDeclined, cardNoFunds, cardExpired}[s.rng.IntN(3)]
	case "debit", "bad debit":
		form["method"] = s.debit
		account := s.bankOK
		if p.way == "bad debit" {
			account = s.bankBad
		}
		for k, v := range account {
			form[k] = v
		}
	case "wallet":
		form["method"] = p.wallet
	}
	if form["method"] == typeCard {
		form["number"], form["expiry"], form["cvc"] = number, "12 / "+strconv.Itoa(w.Until.Year() + 3)[2:], "123"
		if strings.HasPrefix(number, "3") && len(number) == 15 {
			form["cvc"] = "1234"
		}
	}
	page, err := w.submit(ctx, to, form)
	if err != nil {
		return err
	}
	switch {
	case page.status == http.StatusSeeOther && w.ours(page.location):
		return p.comeBack(ctx, page.location)
	case page.status == http.StatusSeeOther:
		w.in(s.between(15*time.Second, 80*time.Second), func(ctx context.Context) error { return p.atTheBank(ctx, page.location, to) })
		return nil
	case page.status == http.StatusPaymentRequired && p.way == "second card":
		p.way = typeCard
		w.in(s.between(30*time.Second, 3*time.Minute), func(ctx context.Context) error { return p.typeIn(ctx, to) })
		return nil
	case page.status == http.StatusPaymentRequired, page.status == http.StatusGone:
		return nil
	}
	return fmt.Errorf("the page at Stripe of %s answered %d: %s", p.id, page.status, brief(page.body))
}
