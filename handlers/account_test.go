package handlers_test

import (
	"encoding/base64"
	"fmt"
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

const formType = "application/x-www-form-urlencoded"

// account asks for the address of a customer's own page, as the path that it has.
func (k *till) account(changes ...func(*wire.StripePaymentRequest)) string {
	k.t.Helper()
	r := k.send(wire.JSON, k.about(append([]func(*wire.StripePaymentRequest){listing, func(r *wire.StripePaymentRequest) {
		r.SuccessUrl = wire.Str("https://shop.example/account?tab=cards")
	}}, changes...)...)).carriedOut("listed")
	path, ours := strings.CutPrefix(r.Url, baseURL)
	until, err := time.Parse(time.RFC3339, r.ExpiresAt)
	if !ours || !strings.HasPrefix(path, "/account/") || err != nil || time.Until(until).Abs() > time.Hour+time.Minute {
		k.t.Fatalf("the page is at %q until %q", r.Url, r.ExpiresAt)
	}
	return path
}

func (k *till) post(path string, form url.Values, headers ...string) answer {
	k.t.Helper()
	return k.do(http.MethodPost, path, form.Encode(), append([]string{"Content-Type", formType}, headers...)...)
}

// formOf is where a control of the page posts to.
func formOf(doc *goquery.Document, id string) string {
	return byID(doc, id).Closest("form").AttrOr("action", "")
}

func TestACustomersOwnPageShowsCardsAndPayments(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		k := setupOn(t, open(t))
		path := k.account()
		doc := k.get(path).page(http.StatusOK)
		if said := text(doc.Selection); !strings.Contains(said, "No saved cards") || !strings.Contains(said, "No payments yet") {
			t.Errorf("the page of a new customer says %s", said)
		}
		id := k.saveCard("tok_visa", labelled("Company card"))
		charged := k.send(wire.JSON, k.request(withCard(id))).carriedOut("paid")
		k.open(func(r *wire.StripePaymentRequest) { r.ContentId = 99 }) // an order that nobody paid
		k.send(wire.JSON, k.request(withCard(k.saveCard("tok_chargeCustomerFail")), func(r *wire.StripePaymentRequest) { r.FeatureName = wire.Str("Refused one") })).refused(http.StatusPaymentRequired, "CardDeclined", "StripeSourceId")
		a := k.get(path)
		doc = a.page(http.StatusOK)
		if n := byID(doc, "account-card").Length(); n != 2 {
			t.Errorf("%d cards", n)
		}
		if said := text(byID(doc, "account-card")); !strings.Contains(said, "Company card") || !strings.Contains(said, "4242") || !strings.Contains(said, "0341") {
			t.Errorf("the cards say %s", said)
		}
		payments := byID(doc, "account-payment")
		if payments.Length() != 2 || !strings.Contains(text(payments.Eq(0)), "Refused one") || !strings.Contains(text(payments.Eq(0)), "Not paid") ||
			!strings.Contains(text(payments.Eq(1)), "£110.40") || !strings.Contains(text(payments.Eq(1)), "Paid") {
			t.Errorf("the payments say %s", text(payments))
		}
		if back := byID(doc, "back").AttrOr("href", ""); back != "https://shop.example/account?tab=cards" {
			t.Errorf("it leads back to %q", back)
		}
		if a.header.Get("Cache-Control") != "no-store" || a.header.Get("Referrer-Policy") != "no-referrer" || a.header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("headers %v", a.header)
		}
		if css := k.get(path + "/brand.css"); css.status != http.StatusOK || !strings.Contains(css.body, "#0f766e") {
			t.Errorf("the colour is %d %s", css.status, css.body)
		}
		receipt := k.get(path + "/receipts/" + charged.OrderId)
		if back := byID(receipt.page(http.StatusOK), "account").AttrOr("href", ""); back != path {
			t.Errorf("the receipt leads back to %q", back)
		}
		if said := text(receipt.page(http.StatusOK).Selection); !strings.Contains(said, "4242") || !strings.Contains(said, "SIP trunk, 4 channels") || !strings.Contains(said, "Ada") {
			t.Errorf("the receipt says %s", said)
		}
	})
}

// TestAnAccountsAddressHoldsNothingPersonal: addresses end in logs and in histories.
func TestAnAccountsAddressHoldsNothingPersonal(t *testing.T) {
	t.Parallel()
	k := setup(t)
	k.saveCard("tok_visa")
	path := k.account()
	told := []string{path}
	for part := range strings.SplitSeq(strings.TrimPrefix(path, "/account/"), ".") {
		if raw, err := base64.RawURLEncoding.DecodeString(part); err == nil {
			told = append(told, string(raw))
		}
	}
	for _, secret := range []string{"12345", "Ada", "Lovelace", canaryEmail, "canary", "4242", k.license} {
		if strings.Contains(strings.Join(told, " "), secret) {
			t.Errorf("the address tells %q: %v", secret, told)
		}
	}
	k.get(path)
	k.get(path + "x")
	if log := k.log.String(); strings.Contains(log, strings.TrimPrefix(path, "/account/")[:40]) {
		t.Error("the log has the address")
	}
}

// TestAnAccountsAddressOpensThatCustomersPageAlone is ID-01 for the account page.
func TestAnAccountsAddressOpensThatCustomersPageAlone(t *testing.T) {
	t.Parallel()
	k := setup(t)
	mine := k.account()
	theirs := k.account(ofCustomer(777))
	_, license := k.addTenant()
	foreign := k.account(func(r *wire.StripePaymentRequest) { r.License = wire.Str(license) })
	parts := func(path string) []string { return strings.Split(strings.TrimPrefix(path, "/account/"), ".") }
	swapped := func(i int, with string) string {
		p := parts(mine)
		p[i] = with
		return "/account/" + strings.Join(p, ".")
	}
	later := fmt.Sprint(time.Now().Add(24 * time.Hour).Unix())
	unknown := k.get("/account/ac1.nobody.cus_1.1.a.b", "Accept", "text/html")
	want := unknown.page(http.StatusNotFound).Find("main").Text()
	for name, path := range map[string]string{
		"AnotherTenant": swapped(1, parts(foreign)[1]), "AnUnknownTenant": swapped(1, "nobody"), "AnotherCustomer": swapped(2, parts(theirs)[2]), "AForeignCustomer": swapped(2, parts(foreign)[2]),
		"ALaterEnd": swapped(3, later), "NoEnd": swapped(3, ""), "AnotherWayBack": swapped(4, base64.RawURLEncoding.EncodeToString([]byte("https://shop.example/other"))),
		"AnotherSignature": swapped(5, parts(theirs)[5]), "NoSignature": swapped(5, ""), "APassesSignature": swapped(0, "pt1"), "APartMore": mine + ".x", "CutOff": mine[:len(mine)-5],
		"PaddedSignature": mine + "=", "NUL": "/account/%00", "NotUTF8": "/account/%ff.%ff", "Long": "/account/" + strings.Repeat("a.", 5000), "Empty": "/account/",
	} {
		t.Run(name, func(t *testing.T) {
			for _, a := range []answer{k.get(path, "Accept", "text/html"), k.get(path+"/receipts/ord_1", "Accept", "text/html"), k.post(path+"/cards/pm_1/delete", nil, "Accept", "text/html"), k.post(path+"/cards/pm_1/label", url.Values{"label": {"x"}}, "Accept", "text/html")} {
				doc := a.page(http.StatusNotFound)
				a.tellsNothing()
				strip := func(s string) string {
					s, _, _ = strings.Cut(s, "If you ask")
					return strings.Join(strings.Fields(s), " ")
				}
				if got := strip(doc.Find("main").Text()); got != strip(want) {
					t.Errorf("it is told apart: %q, an unknown one says %q", got, strip(want))
				}
			}
			if css := k.get(path + "/brand.css"); css.status != http.StatusNotFound {
				t.Errorf("its colour is %d", css.status)
			}
		})
	}
	k.get(mine).page(http.StatusOK)
}

func TestAnAccountsAddressThatIsOverLeadsBackToTheShop(t *testing.T) {
	t.Parallel()
	k := setup(t)
	id := k.saveCard("tok_visa")
	order := k.send(wire.JSON, k.request(withCard(id))).carriedOut("paid").OrderId
	path := k.account()
	k.pay.Now = func() time.Time { return time.Now().UTC().Add(time.Hour + time.Second) }
	for name, a := range map[string]answer{"page": k.get(path), "receipt": k.get(path + "/receipts/" + order), "delete": k.post(path+"/cards/"+id+"/delete", nil), "label": k.post(path+"/cards/"+id+"/label", url.Values{"label": {"x"}})} {
		doc := a.page(http.StatusForbidden)
		if said := text(doc.Selection); !strings.Contains(said, "This link is no longer good") || strings.Contains(said, "4242") || strings.Contains(said, "Ada") {
			t.Errorf("%s says %s", name, said)
		}
		if back := byID(doc, "back").AttrOr("href", ""); back != "https://shop.example/account?tab=cards" {
			t.Errorf("%s leads back to %q", name, back)
		}
	}
	if got := k.cards(); len(got) != 1 || got[0].CardInfo != "visa •••• 4242 exp "+fmt.Sprintf("%02d/%d", got[0].ExpMonth, got[0].ExpYear) {
		t.Errorf("an address that is over changed the cards: %+v", got)
	}
}

func TestAnOriginThatWasTakenOffTheListIsNotLedBackTo(t *testing.T) {
	t.Parallel()
	k := setup(t)
	path := k.account()
	changed := *k.tenant
	changed.ReturnOrigins = []string{"https://new.example"}
	storetest.Write(t, k.store, func(ctx ctx, tx pay.Tx) error { return tx.UpdateTenant(ctx, &changed) })
	if doc := k.get(path).page(http.StatusOK); byID(doc, "back").Length() != 0 || strings.Contains(text(doc.Selection), "shop.example") {
		t.Error("the page still leads to the old origin")
	}
	k.pay.Now = func() time.Time { return time.Now().UTC().Add(2 * time.Hour) }
	if doc := k.get(path).page(http.StatusForbidden); byID(doc, "back").Length() != 0 {
		t.Error("the page of an address that is over still leads to the old origin")
	}
}

func TestACustomerLabelsAndRemovesACard(t *testing.T) {
	t.Parallel()
	k := setup(t)
	id := k.saveCard("tok_visa")
	path := k.account()
	after := func(a answer) *goquery.Document {
		t.Helper()
		to := a.header.Get("Location")
		if a.status != http.StatusSeeOther || !strings.HasPrefix(to, path+"?notice=") {
			t.Fatalf("answered %d to %q: %.200s", a.status, to, a.body)
		}
		return k.get(to).page(http.StatusOK)
	}
	says := func(doc *goquery.Document, want string) {
		t.Helper()
		if got := text(doc.Find(`[role="status"]`)); !strings.Contains(got, want) {
			t.Errorf("the page says %q, not %q", got, want)
		}
	}
	doc := k.get(path).page(http.StatusOK)
	label, remove := formOf(doc, "label"), formOf(doc, "delete-card")
	for _, name := range []string{"Company card", `<script>alert(1)</script> & "quotes"`, strings.Repeat("ü", 100), ""} {
		doc = after(k.post(label, url.Values{"label": {"  " + name + " "}}, "Origin", baseURL, "Sec-Fetch-Site", "same-origin"))
		says(doc, "Label saved")
		shown := name
		if got := k.cards()[0].CardInfo; name != "" && got != name {
			t.Errorf("the portal is told %q", got)
		}
		if got := byID(doc, "label").AttrOr("value", "?"); got != shown || doc.Find("script").Length() != 0 {
			t.Errorf("the page has the label %q", got)
		}
	}
	says(after(k.post(label, url.Values{"label": {strings.Repeat("ü", 101)}})), "too long")
	for _, foreign := range []string{"pm_1", k.saveCard("tok_visa", ofCustomer(777)), "..%2f..%2fcustomers", "%00", "%ff"} {
		says(after(k.post(path+"/cards/"+foreign+"/label", url.Values{"label": {"mine"}})), "no longer saved")
		says(after(k.post(path+"/cards/"+foreign+"/delete", nil)), "no longer saved")
	}
	if got := k.cards(ofCustomer(777)); len(got) != 1 || strings.Contains(got[0].CardInfo, "mine") {
		t.Errorf("another customer's card is now %v", got)
	}
	for _, headers := range [][]string{{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}, {"Origin", "null"}, {"Origin", "https://shop.example", "Sec-Fetch-Site", "cross-site"}} {
		k.post(remove, nil, headers...).page(http.StatusForbidden)
		k.post(label, url.Values{"label": {"evil"}}, headers...).page(http.StatusForbidden)
	}
	if got := k.cards(); len(got) != 1 || got[0].CardInfo == "evil" {
		t.Errorf("another site's form was taken: %v", got)
	}
	k.stripe.breakWith(&pay.StripeFault{Kind: pay.FaultUnavailable})
	says(after(k.post(remove, nil)), "could not be removed")
	says(after(k.post(label, url.Values{"label": {"x"}})), "could not be saved")
	k.stripe.breakWith(nil)
	says(after(k.post(remove, nil, "Origin", baseURL, "Sec-Fetch-Site", "same-origin")), "Card removed")
	if got := k.cards(); len(got) != 0 {
		t.Errorf("still there: %v", got)
	}
	says(after(k.post(remove, nil)), "no longer saved") // a double click
	if id == "" || byID(k.get(path).page(http.StatusOK), "account-card").Length() != 0 {
		t.Error("the page still shows it")
	}
	if k.get(path+"?notice=<script>").page(http.StatusOK).Find(`[role="status"]`).Length() != 0 {
		t.Error("a notice that there is not is shown")
	}
}

func TestTheAccountPagePages(t *testing.T) {
	t.Parallel()
	k := setup(t)
	id := k.saveCard("tok_visa")
	want := map[string]bool{}
	for i := range 41 {
		want[k.send(wire.JSON, k.request(withCard(id), func(r *wire.StripePaymentRequest) { r.ContentId = int32(i + 1) })).carriedOut("paid").OrderId] = true
	}
	pages := 0
	for next := k.account(); next != ""; pages++ {
		doc := k.get(next).page(http.StatusOK)
		byID(doc, "account-payment").Find("a").Each(func(_ int, link *goquery.Selection) {
			href := link.AttrOr("href", "")
			order := href[strings.LastIndex(href, "/")+1:]
			if !want[order] {
				t.Errorf("%s is shown twice, or is none of these", order)
			}
			delete(want, order)
		})
		next = doc.Find("a.more").AttrOr("href", "")
	}
	if pages != 3 || len(want) != 0 {
		t.Errorf("%d pages, %d payments on none of them", pages, len(want))
	}
	for _, before := range []string{"%00", "%ff", "ord_unknown", "'%20OR%201=1"} {
		if a := k.get(k.account() + "?before=" + before); a.status >= 500 {
			t.Errorf("before=%s: %d", before, a.status)
		}
	}
}

func TestTheAccountPageTellsWhatWentBack(t *testing.T) {
	t.Parallel()
	k := setup(t)
	path := k.account()
	charge := func(token, what string) (order, intent string) {
		t.Helper()
		r := k.send(wire.JSON, k.request(withCard(k.saveCard(token)), func(r *wire.StripePaymentRequest) { r.FeatureName = wire.Str(what) })).carriedOut("paid")
		return r.OrderId, r.PaymentIntentId
	}
	settle := func(object string) {
		t.Helper()
		if _, err := k.pay.Settle(t.Context(), k.tenant.ID, object, pay.Cause{Kind: pay.CauseCLI, ID: "test"}); err != nil {
			t.Fatal(err)
		}
	}
	partly, partlyIntent := charge("tok_visa", "Partly")
	_, whollyIntent := charge("tok_visa", "Wholly")
	_, disputedIntent := charge("tok_createDispute", "Disputed one")
	k.atStripe(k.tenant, "/v1/refunds", url.Values{"payment_intent": {partlyIntent}, "amount": {"1000"}})
	k.atStripe(k.tenant, "/v1/refunds", url.Values{"payment_intent": {whollyIntent}})
	disputes, _ := k.atStripe(k.tenant, "/v1/disputes?payment_intent="+disputedIntent, nil)["data"].([]any)
	if len(disputes) != 1 {
		t.Fatalf("%d disputes", len(disputes))
	}
	dispute, _ := disputes[0].(map[string]any)["id"].(string)
	for _, object := range []string{partlyIntent, whollyIntent, disputedIntent, dispute} {
		settle(object)
	}
	said := map[string]string{}
	byID(k.get(path).page(http.StatusOK), "account-payment").Each(func(_ int, p *goquery.Selection) { said[text(p.Find("h3"))] = text(p) })
	for what, want := range map[string][]string{"Partly": {"Partly refunded", "£10.00 given back", "£110.40"}, "Wholly": {"Refunded", "£110.40 given back"}, "Disputed one": {"Disputed"}} {
		for _, w := range want {
			if !strings.Contains(said[what], w) {
				t.Errorf("%s: %q does not say %q", what, said[what], w)
			}
		}
	}
	if receipt := text(k.get(path + "/receipts/" + partly).page(http.StatusOK).Selection); !strings.Contains(receipt, "£10.00") || !strings.Contains(receipt, "£100.40") {
		t.Errorf("the receipt says %s", receipt)
	}
}

// TestAReceiptIsItsCustomersOnly is ID-01.
func TestAReceiptIsItsCustomersOnly(t *testing.T) {
	t.Parallel()
	k := setup(t)
	theirs := k.send(wire.JSON, k.request(withCard(k.saveCard("tok_visa", ofCustomer(777))), ofCustomer(777))).carriedOut("paid").OrderId
	_, license := k.addTenant()
	stranger := func(r *wire.StripePaymentRequest) { r.License = wire.Str(license) }
	foreign := k.send(wire.JSON, k.request(withCard(k.saveCard("tok_visa", stranger)), stranger)).carriedOut("paid").OrderId
	unpaid, _ := k.open()
	path := k.account()
	shape := map[string]bool{}
	for _, id := range []string{theirs, foreign, unpaid.OrderId, "ord_unknown", "%00", "%ff", "..%2f..%2fpay"} {
		a := k.get(path+"/receipts/"+id, "Accept", "text/html")
		said, _, _ := strings.Cut(text(a.page(http.StatusNotFound).Find("main")), "If you ask")
		shape[said] = true
	}
	if len(shape) != 1 {
		t.Errorf("receipts are told apart: %v", shape)
	}
	if a := k.get(k.account(ofCustomer(777)) + "/receipts/" + theirs); a.status != http.StatusOK {
		t.Errorf("their own receipt is %d", a.status)
	}
}
