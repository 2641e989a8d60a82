package handlers_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
)

// choose presses the order page's button with a card, or with "new".
func (k *till) choose(path, card string, more ...string) answer {
	k.t.Helper()
	form := url.Values{"card": {card}}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return k.post(path, form, "Origin", baseURL, "Sec-Fetch-Site", "same-origin")
}

// leadsTo checks where a form's answer sends the browser.
func (a answer) leadsTo(want string) {
	a.t.Helper()
	if a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), want) {
		a.t.Fatalf("want 303 to %s, got %d to %q: %.300s", want, a.status, a.header.Get("Location"), a.body)
	}
}

// offered are the saved cards that a page offers, by their ids.
func offered(doc *goquery.Document) []string {
	return byID(doc, "saved-card").Find("input").Map(func(_ int, s *goquery.Selection) string { return s.AttrOr("value", "") })
}

func TestTheOrderPageOffersTheSavedCards(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		k := setupOn(t, open(t))
		id := k.saveCard("tok_visa", labelled("Company card"))
		k.saveCard("tok_mastercard", ofCustomer(777))
		r, path := k.open()
		asked := k.stripe.called()
		doc := k.get(path).page(http.StatusOK)
		if got := offered(doc); len(got) != 1 || got[0] != id || !strings.Contains(text(byID(doc, "saved-card")), "Company card") || byID(doc, "save-card").Length() != 1 {
			t.Fatalf("offers %v: %s", got, text(byID(doc, "saved-card")))
		}
		if byID(doc, "saved-card").Find("input[checked]").Length() != 1 || k.stripe.called() != asked {
			t.Errorf("nothing is chosen, or Stripe was asked for the page")
		}
		k.choose(path, id).leadsTo(baseURL + path + "/return")
		if got := k.order(r.OrderId); got.State != pay.OrderPaid || k.rows("payments") != 1 {
			t.Errorf("the order is %s, %d payments", got.State, k.rows("payments"))
		}
		if status := k.atStripe(k.tenant, "/v1/checkout/sessions/"+r.SessionId, nil)["status"]; status != "expired" {
			t.Errorf("the session is %v: it could be paid too", status)
		}
		doc = k.get(path + "/return").page(http.StatusOK)
		if byID(doc, "status").AttrOr("data-status", "") != "paid" || !strings.Contains(text(doc.Selection), "4242") || byID(doc, "continue").Length() != 1 {
			t.Errorf("the return page says %s", text(doc.Selection))
		}
		k.choose(path, id).leadsTo(baseURL + path + "/return") // the back button, and pressed again
		k.choose(path, "new").leadsTo(baseURL + path + "/return")
		if doc = k.get(path).page(http.StatusOK); byID(doc, "pay").Length() != 0 || len(offered(doc)) != 0 || k.intents() != 1 || k.rows("payments") != 1 {
			t.Errorf("it can be paid again: %d intents, %d payments", k.intents(), k.rows("payments"))
		}
	})
}

func TestNoCardsAreOfferedWhereNoneCanPay(t *testing.T) {
	t.Parallel()
	k := setup(t)
	id := k.saveCard("tok_visa")
	for name, change := range map[string]func(*wire.StripePaymentRequest){
		"WithoutCards": func(r *wire.StripePaymentRequest) { r.PaymentMethod = wire.Str("paypal") },
		"ToSaveOne":    func(r *wire.StripePaymentRequest) { r.ShoppingInformation = nil },
		"OfAnother":    ofCustomer(777),
	} {
		t.Run(name, func(t *testing.T) {
			_, path := k.open(change)
			if got := offered(k.get(path).page(http.StatusOK)); len(got) != 0 {
				t.Errorf("offers %v", got)
			}
		})
	}
	t.Run("Expired", func(t *testing.T) {
		_, path := k.open(func(r *wire.StripePaymentRequest) { r.ContentId = 5 })
		k.pay.Now = func() time.Time { return time.Now().UTC().AddDate(20, 0, 0) }
		doc := k.get(path).page(http.StatusOK)
		if got := byID(doc, "saved-card"); got.Length() != 1 || got.Find("input[disabled]").Length() != 1 || !strings.Contains(text(got), "expired") {
			t.Errorf("%s is offered as %s", id, text(got))
		}
	})
}

// TestACardThatIsNotTheCustomersIsAnsweredWithThePageAndWhatToDo is ID-07 for the order page.
func TestACardThatIsNotTheCustomersIsAnsweredWithThePageAndWhatToDo(t *testing.T) {
	t.Parallel()
	k := setup(t)
	own, others := k.saveCard("tok_visa"), k.saveCard("tok_visa", ofCustomer(777))
	_, license := k.addTenant()
	foreign := k.saveCard("tok_visa", func(r *wire.StripePaymentRequest) { r.License = wire.Str(license) })
	r, path := k.open()
	bodies := map[string]bool{}
	for _, id := range []string{others, foreign, "pm_1OUnknown", "card_1", "../../accounts", "\x00", "\xff", "cus_1", strings.Repeat("pm_", 1000), "' OR 1=1"} {
		a := k.choose(path, id)
		doc := a.page(http.StatusUnprocessableEntity)
		a.tellsNothing()
		if said := text(doc.Selection); !strings.Contains(said, "no longer saved") || !strings.Contains(said, "Nothing was taken") || byID(doc, "pay").Length() != 1 {
			t.Errorf("%.20q is answered with %s", id, said)
		}
		if got := offered(doc); len(got) != 1 || got[0] != own {
			t.Errorf("%.20q: offers %v", id, got)
		}
		bodies[a.body] = true
	}
	if len(bodies) != 1 || k.intents() != 0 || k.order(r.OrderId).State != pay.OrderOpen {
		t.Errorf("%d different answers, %d intents, order %s", len(bodies), k.intents(), k.order(r.OrderId).State)
	}
	k.choose(path, own).leadsTo(baseURL + path + "/return")
	if k.order(r.OrderId).State != pay.OrderPaid {
		t.Error("it cannot be paid after that")
	}
	t.Run("OneThatWasRemovedAtStripeIsNotOfferedAgain", func(t *testing.T) {
		_, path := k.open(func(r *wire.StripePaymentRequest) { r.ContentId = 5 })
		k.atStripe(k.tenant, "/v1/payment_methods/"+own+"/detach", url.Values{})
		if got := offered(k.get(path).page(http.StatusOK)); len(got) != 1 {
			t.Fatalf("the copy has %v before anybody told us", got)
		}
		doc := k.choose(path, own).page(http.StatusUnprocessableEntity)
		if len(offered(doc)) != 0 || !strings.Contains(text(doc.Selection), "no longer saved") {
			t.Errorf("offers %v: %s", offered(doc), text(doc.Selection))
		}
		if got := offered(k.get(path).page(http.StatusOK)); len(got) != 0 {
			t.Errorf("still offers %v", got)
		}
		k.choose(path, "new").leadsTo(stripeURL + "/c/pay/")
	})
	t.Run("OfACustomerWithoutAnyCard", func(t *testing.T) {
		_, path := k.open(ofCustomer(888))
		doc := k.choose(path, others).page(http.StatusUnprocessableEntity)
		if !strings.Contains(text(doc.Selection), "no longer saved") || byID(doc, "pay").Length() != 1 {
			t.Errorf("it says %s", text(doc.Selection))
		}
	})
}

func TestASavedCardThatIsRefusedLeavesTheOtherWays(t *testing.T) {
	t.Parallel()
	k := setup(t)
	bad, good := k.saveCard("tok_chargeCustomerFail"), k.saveCard("tok_mastercard")
	r, path := k.open()
	k.choose(path, bad).leadsTo(baseURL + path)
	doc := k.get(path).page(http.StatusOK)
	if said := text(doc.Selection); !strings.Contains(said, "The payment did not go through") || !strings.Contains(said, "Use another card, or ask the bank") {
		t.Errorf("the page says %s", said)
	}
	byID(doc, "saved-card").Each(func(_ int, choice *goquery.Selection) {
		id := choice.Find("input").AttrOr("value", "")
		_, chosen := choice.Find("input").Attr("checked")
		if refused := strings.Contains(text(choice), "refused"); refused != (id == bad) || chosen != (id == good) {
			t.Errorf("%s: refused %v, chosen %v", id, refused, chosen)
		}
	})
	k.choose(path, good).leadsTo(baseURL + path + "/return")
	if k.order(r.OrderId).State != pay.OrderPaid || k.rows("payments") != 1 {
		t.Errorf("the order is %s", k.order(r.OrderId).State)
	}
	t.Run("OrIsPaidOnStripesPage", func(t *testing.T) {
		r, path := k.open(func(r *wire.StripePaymentRequest) { r.ContentId = 5 })
		k.choose(path, bad).leadsTo(baseURL + path)
		a := k.choose(path, "new")
		a.leadsTo(stripeURL + "/c/pay/")
		k.card(strings.TrimPrefix(a.header.Get("Location"), stripeURL+"/c/pay/"), "4242424242424242")
		k.get(path + "/return")
		if k.order(r.OrderId).State != pay.OrderPaid {
			t.Errorf("the order is %s", k.order(r.OrderId).State)
		}
	})
	t.Run("OneThatTheBankWantsConfirmedLeadsToStripe", func(t *testing.T) {
		id := k.saveCard("pm_card_authenticationRequired")
		r, path := k.open(func(r *wire.StripePaymentRequest) { r.ContentId = 6 })
		k.choose(path, id).leadsTo(stripeURL + "/c/pay/")
		doc := k.get(path).page(http.StatusOK)
		if !strings.Contains(text(doc.Selection), "Your bank wants you to confirm") || k.order(r.OrderId).State != pay.OrderOpen {
			t.Errorf("the page says %s", text(doc.Selection))
		}
	})
}

func TestTheBoxToSaveACardIsThePolicys(t *testing.T) {
	t.Parallel()
	for policy, c := range map[string]struct {
		box              int
		unticked, ticked int // cards kept
	}{"ask": {1, 0, 1}, "off": {0, 0, 0}, "always": {0, 1, 1}} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			for save, kept := range map[string]int{"": c.unticked, "1": c.ticked} {
				k := setup(t, func(t *pay.Tenant) { t.Policies.SaveCard = policy })
				r, path := k.open()
				if n := byID(k.get(path).page(http.StatusOK), "save-card").Length(); n != c.box {
					t.Errorf("%d boxes", n)
				}
				a := k.choose(path, "new", "save", save)
				if save == "" {
					a = k.choose(path, "new")
				}
				a.leadsTo(stripeURL + "/c/pay/")
				k.card(strings.TrimPrefix(a.header.Get("Location"), stripeURL+"/c/pay/"), "4242424242424242")
				k.get(path + "/return")
				if k.order(r.OrderId).State != pay.OrderPaid {
					t.Fatalf("the order is %s", k.order(r.OrderId).State)
				}
				if got := k.cards(); len(got) != kept {
					t.Errorf("with the box %q %d cards are kept, want %d", save, len(got), kept)
				}
				_, next := k.open(func(r *wire.StripePaymentRequest) { r.ContentId = 5 })
				if got := offered(k.get(next).page(http.StatusOK)); len(got) != kept {
					t.Errorf("the next order offers %v", got)
				}
			}
		})
	}
}

// TestWhatABrowserPostsIsBounded: a form of the customer's pages is a few hundred bytes.
func TestWhatABrowserPostsIsBounded(t *testing.T) {
	t.Parallel()
	k := setup(t)
	id := k.saveCard("tok_visa")
	r, path := k.open()
	account := k.account()
	const limit = 64 << 10
	for name, target := range map[string]string{"pay": path, "delete": account + "/cards/" + id + "/delete", "label": account + "/cards/" + id + "/label"} {
		t.Run(name, func(t *testing.T) {
			for _, contentType := range []string{formType, "text/plain", "multipart/form-data; boundary=b", "application/json", ""} {
				body := "card=new&x=" + strings.Repeat("a", limit)
				k.do(http.MethodPost, target, body, "Content-Type", contentType).page(http.StatusRequestEntityTooLarge)
				read := &countingReader{from: io.MultiReader(strings.NewReader(body), strings.NewReader(strings.Repeat("b", 10<<20)))}
				k.doFrom(http.MethodPost, target, read, "Content-Type", contentType).page(http.StatusRequestEntityTooLarge)
				if read.read > 2*limit {
					t.Errorf("%d bytes were read", read.read)
				}
			}
			k.do(http.MethodPost, target, "card=%zz", "Content-Type", formType).page(http.StatusBadRequest)
		})
	}
	if got := k.cards(); len(got) != 1 || k.order(r.OrderId).State != pay.OrderOpen || k.intents() != 0 {
		t.Errorf("something was done: %v", got)
	}
	full := "card=new&x="
	k.do(http.MethodPost, path, full+strings.Repeat("a", limit-len(full)), "Content-Type", formType).leadsTo(stripeURL + "/c/pay/")
}

// TestAFailedBankDebitIsNotCalledACard: what the customer can do is another thing.
func TestAFailedBankDebitIsNotCalledACard(t *testing.T) {
	t.Parallel()
	k := setup(t)
	r, path := k.open(func(r *wire.StripePaymentRequest) { r.PaymentMethod = wire.Str("bacs_debit") })
	k.choose(path, "new").leadsTo(stripeURL + "/c/pay/" + r.SessionId)
	k.hosted(r.SessionId, url.Values{"method": {"bacs_debit"}, "sort_code": {"10-88-00"}, "account_number": {"00012345"}})
	doc := k.get(path + "/return").page(http.StatusOK)
	if said := text(doc.Selection); byID(doc, "status").AttrOr("data-status", "") != "processing" || !strings.Contains(said, "on its way") || !strings.Contains(said, "do not pay again") {
		t.Fatalf("on its way it says %s", said)
	}
	if doc := k.get(path).page(http.StatusOK); byID(doc, "pay").Length() != 0 {
		t.Error("a second payment is offered")
	}
	k.choose(path, "new").leadsTo(baseURL + path + "/return")
	session := k.atStripe(k.tenant, "/v1/checkout/sessions/"+r.SessionId, nil)
	intent, _ := session["payment_intent"].(string)
	res, err := http.Post(stripeURL+"/_sandbox/actions/fail_debits", "application/json", strings.NewReader(`{"id":"`+intent+`"}`))
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("fail the debit: %v %v", err, res)
	}
	_ = res.Body.Close()
	for _, page := range []string{"/return", ""} {
		doc := k.get(path + page).page(http.StatusOK)
		if said := text(doc.Find("main")); !strings.Contains(said, "Your bank did not pay") || strings.Contains(strings.ToLower(said), "card") || byID(doc, "pay").Length() != 0 {
			t.Errorf("%q says %s", page, said)
		}
	}
	again := k.send(wire.JSON, k.request(func(r *wire.StripePaymentRequest) { r.PaymentMethod = wire.Str("bacs_debit") }), "Idempotency-Key", "new").accepted()
	if again.OrderId == r.OrderId || again.Status != "open" {
		t.Errorf("sent again under a new key: %+v", again)
	}
}
