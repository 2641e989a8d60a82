package handlers_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
)

// settledOrder is an order that was paid, and told by the return page.
func (o *office) settledOrder(changes ...func(*wire.StripePaymentRequest)) *pay.Order {
	o.t.Helper()
	r, page := o.paid(changes...)
	o.get(page + "/return")
	order := o.order(r.OrderId)
	if order.State != pay.OrderPaid {
		o.t.Fatalf("the order is %s", order.State)
	}
	return order
}

// stranger is a browser in which the administrator of another tenant is signed in.
func (o *office) stranger() *browser {
	o.t.Helper()
	other, _ := o.addTenant()
	p, _, err := o.staff.Add(context.Background(), staff.By{Actor: staff.Command}, staff.AddInput{Email: "eve@example.com", Name: "Eve", Role: staff.TenantAdmin, TenantID: other.ID, Password: goodPassword})
	if err != nil {
		o.t.Fatal(err)
	}
	b := o.browser()
	b.signIn(p, goodPassword).want(http.StatusSeeOther, "the stranger's sign-in")
	return b
}

// listPaths are the lists, each with its export.
var listPaths = []string{"/admin/orders", "/admin/customers", "/admin/payments", "/admin/refunds", "/admin/disputes"}

func TestTheStaffSeeTheirTenantsRowsAndNoOthers(t *testing.T) { // ID-01, I-33
	t.Parallel()
	o := newOffice(t)
	order := o.settledOrder()
	open, _ := o.open(func(r *wire.StripePaymentRequest) { r.ContentId = 43 })
	eve := o.stranger()
	t.Run("AnotherTenantsOrderIsAnUnknownOne", func(t *testing.T) {
		unknown := pay.NewID("ord", time.Now())
		nobody := pay.NewID("cus", time.Now())
		for _, c := range []struct{ method, path, theirs, none string }{
			{"GET", "/admin/orders/%s", order.ID, unknown}, {"GET", "/admin/orders/%s/refund", order.ID, unknown}, {"GET", "/admin/orders/%s/cancel", open.OrderId, unknown},
			{"POST", "/admin/orders/%s/recheck", open.OrderId, unknown}, {"POST", "/admin/orders/%s/link", open.OrderId, unknown}, {"POST", "/admin/orders/%s/cancel", open.OrderId, unknown},
			{"POST", "/admin/orders/%s/refund", order.ID, unknown}, {"GET", "/admin/customers/%s", order.CustomerID, nobody}, {"POST", "/admin/customers/%s/link", order.CustomerID, nobody},
			{"GET", "/admin/customers/%s/statement.csv", order.CustomerID, nobody}, {"GET", "/admin/customers/%s/cards/pm_1/delete", order.CustomerID, nobody}, {"POST", "/admin/customers/%s/cards/pm_1/delete", order.CustomerID, nobody},
		} {
			answers := [2]answer{}
			for i, id := range []string{c.theirs, c.none} {
				answers[i] = eve.do(c.method, fmt.Sprintf(c.path, id), url.Values{"amount": {"1.00"}, "key": {pay.NewID("k", time.Now())}})
				answers[i].want(http.StatusNotFound, c.method+" "+fmt.Sprintf(c.path, id))
			}
			if d := cmp.Diff(withoutIDs(answers[0].body), withoutIDs(answers[1].body)); d != "" {
				t.Errorf("%s %s tells them apart: %s", c.method, c.path, d)
			}
		}
		if now := o.order(open.OrderId); now.State != pay.OrderOpen {
			t.Errorf("the order is %s", now.State)
		}
	})
	t.Run("TheirListsAndFilesAreEmptyWhateverIsSearchedFor", func(t *testing.T) {
		payment, err := o.store.PaymentByOrder(context.Background(), o.tenant.ID, order.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range listPaths {
			for _, q := range []string{"", order.ID, order.CustomerID, payment.IntentID, payment.ChargeID, payment.ID, "12345", canaryEmail, "Lovelace", "Basket"} {
				page := eve.get(path + "?q=" + url.QueryEscape(q))
				page.want(http.StatusOK, path)
				if n := page.document().Find(`[data-testid=row]`).Length(); n != 0 {
					t.Errorf("%s?q=%s shows %d rows", path, q, n)
				}
				file := eve.get(path + ".csv?q=" + url.QueryEscape(q))
				if file.status != http.StatusOK || strings.Count(file.body, "\n") != 1 {
					t.Errorf("%s.csv?q=%s: %d %.300s", path, q, file.status, file.body)
				}
			}
			eve.get(path+"?tenant="+o.tenant.Slug).want(http.StatusBadRequest, path+" of another tenant")
		}
	})
	t.Run("TheirOwnPeopleAndOperatorsSeeThem", func(t *testing.T) {
		for _, role := range []staff.Role{staff.Operator, staff.TenantAdmin, staff.TenantViewer} {
			b, _ := o.in(role)
			for _, path := range []string{"/admin/orders", "/admin/customers", "/admin/payments", "/admin/orders?tenant=" + o.tenant.Slug} {
				page := b.get(path)
				page.want(http.StatusOK, path)
				if page.document().Find(`[data-testid=row]`).Length() == 0 {
					t.Errorf("%s sees no rows of %s", role, path)
				}
			}
			b.get("/admin/orders/"+order.ID).want(http.StatusOK, string(role))
			b.get("/admin/customers/"+order.CustomerID).want(http.StatusOK, string(role))
		}
	})
}

// withoutIDs leaves out of a page what is another each time.
func withoutIDs(body string) string {
	at := strings.Index(body, "<main")
	if at < 0 {
		return body
	}
	main := body[at:]
	if i := strings.Index(main, "If you ask for help"); i > 0 {
		main = main[:i]
	}
	return main
}

func TestAViewerReadsAndChangesNothing(t *testing.T) { // AD-05
	t.Parallel()
	o := newOffice(t)
	order := o.settledOrder()
	open, _ := o.open(func(r *wire.StripePaymentRequest) { r.ContentId = 43 })
	b, _ := o.in(staff.TenantViewer)
	o.entries()
	for _, path := range []string{"/admin/orders/" + open.OrderId + "/recheck", "/admin/orders/" + open.OrderId + "/link", "/admin/orders/" + open.OrderId + "/cancel",
		"/admin/orders/" + order.ID + "/refund", "/admin/customers/" + order.CustomerID + "/link"} {
		b.post(path, "amount", "1.00", "key", pay.NewID("k", time.Now())).want(http.StatusForbidden, path)
	}
	for _, path := range []string{"/admin/orders/" + order.ID + "/refund", "/admin/orders/" + open.OrderId + "/cancel"} {
		b.get(path).want(http.StatusForbidden, path)
	}
	if d := cmp.Diff([]string{"refused work", "refused work", "refused work", "refused refund", "refused work", "refused refund", "refused work"}, acts(o.entries())); d != "" {
		t.Errorf("the audit log: %s", d)
	}
	page := b.get("/admin/orders/" + open.OrderId).document()
	for _, control := range []string{"recheck", "show-link", "cancel-order", "refund"} {
		if page.Find(`[data-testid=`+control+`]`).Length() != 0 {
			t.Errorf("a viewer is offered %s", control)
		}
	}
	if now := o.order(open.OrderId); now.State != pay.OrderOpen {
		t.Errorf("the order is %s", now.State)
	}
}

func TestAnOrdersPageTellsItsWholeStory(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	order := o.settledOrder(func(r *wire.StripePaymentRequest) {
		r.FeatureName = wire.Str("<script>alert(1)</script>\u202e")
		r.ShoppingInformation[0].Title = wire.Str("<img src=x onerror=alert(1)>")
	})
	b, _ := o.in(staff.TenantAdmin)
	a := b.get("/admin/orders/" + order.ID)
	a.want(http.StatusOK, "the order")
	page := a.document()
	var titles []string
	for _, s := range page.Find(".story-title").EachIter() {
		titles = append(titles, s.Text())
	}
	for _, want := range []string{"The portal asked for the payment", "Attempt 1: a page of Stripe's Checkout", "Paid", "Booked: Payment", "Booked: Stripe's fee",
		"PortaBilling is to be told: payment of £110.40", "The portal is to be told: order.paid"} {
		if !slices.Contains(titles, want) {
			t.Errorf("%q is not told: %q", want, titles)
		}
	}
	if titles[0] != "The portal asked for the payment" {
		t.Errorf("it begins with %q", titles[0])
	}
	booked := page.Find(".booked").First().Text()
	for _, want := range []string{"Balance at Stripe", "Customer", "£110.40"} {
		if !strings.Contains(booked, want) {
			t.Errorf("the entry does not tell %s: %s", want, booked)
		}
	}
	if got := page.Find(`[data-testid=cart-line]`).Text(); !strings.Contains(got, "2 × (£10.00 setup + £12.00 a month × 3 months) = £92.00; plus VAT 20 % (£18.40) = £110.40") {
		t.Errorf("the arithmetic is not explained: %s", got)
	}
	t.Run("WhatWasTypedElsewhereIsTextAndSecretsAreNotThere", func(t *testing.T) {
		if page.Find("main script, main img, main [onerror], main [style]").Length() != 0 || strings.Contains(a.body, "\u202e") {
			t.Error("text from outside is more than text")
		}
		a.tellsNothing()
		for _, secret := range []string{canaryPassword, o.license, order.PayToken, "basket=42"} {
			if strings.Contains(a.body, secret) {
				t.Errorf("the page has %s", secret)
			}
		}
	})
	t.Run("OnlyAnOrderThatWaitsLooksAgain", func(t *testing.T) {
		if page.Find("[data-waits]").Length() != 0 {
			t.Error("a paid order looks again")
		}
		open, _ := o.open(func(r *wire.StripePaymentRequest) { r.ContentId = 44 })
		if b.get("/admin/orders/"+open.OrderId).document().Find("[data-waits]").Length() != 1 {
			t.Error("an open order does not look again")
		}
	})
}

func TestStaffActOnOrders(t *testing.T) {
	t.Parallel()
	t.Run("ARecheckBooksWhatNobodyTold", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		r, _ := o.paid()
		b, p := o.in(staff.TenantAdmin)
		o.entries()
		b.post("/admin/orders/"+r.OrderId+"/recheck").want(http.StatusSeeOther, "the recheck")
		if got := b.get("/admin/orders/" + r.OrderId).document(); !strings.Contains(got.Find(".flash").Text(), "the order is paid now") || !strings.Contains(got.Find(".story").Text(), "By "+p.Name) {
			t.Errorf("it says %q", got.Find(".flash").Text())
		}
		e := o.entries()
		if len(e) != 1 || e[0].What != "recheck" || e[0].Subject != r.OrderId || e[0].TenantID != o.tenant.ID || e[0].Before != "open" || e[0].After != "paid" || e[0].Actor != p.ID {
			t.Errorf("the audit log: %+v", e)
		}
	})
	t.Run("WithoutStripeARecheckSaysSoAndChangesNothing", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		r, _ := o.paid()
		b, _ := o.in(staff.TenantAdmin)
		o.stripe.breakWith(&pay.StripeFault{Kind: pay.FaultUnavailable})
		b.post("/admin/orders/"+r.OrderId+"/recheck").want(http.StatusSeeOther, "the recheck")
		if got := b.get("/admin/orders/" + r.OrderId).document().Find(".flash.bad").Text(); !strings.Contains(got, "does not answer") {
			t.Errorf("it says %q", got)
		}
	})
	t.Run("ThePaymentLinkIsShownToWhoAsksAndTheLogHasWho", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		r, page := o.open()
		b, _ := o.in(staff.TenantAdmin)
		o.entries()
		if strings.Contains(b.get("/admin/orders/"+r.OrderId).body, page) {
			t.Error("the link is on the page before anybody asked")
		}
		shown := b.post("/admin/orders/" + r.OrderId + "/link")
		shown.want(http.StatusOK, "the link")
		if !strings.Contains(shown.body, baseURL+page) {
			t.Error("the link is not shown")
		}
		if d := cmp.Diff([]string{"pay_link"}, acts(o.entries())); d != "" {
			t.Error(d)
		}
	})
	t.Run("ACancelledOrderSaysWhyAndCannotBeCancelledWhenPaid", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		r, _ := o.open()
		paid := o.settledOrder(func(r *wire.StripePaymentRequest) { r.ContentId = 43 })
		b, _ := o.in(staff.TenantAdmin)
		o.entries()
		b.get("/admin/orders/"+r.OrderId+"/cancel").want(http.StatusOK, "the question")
		long := b.post("/admin/orders/"+r.OrderId+"/cancel", "reason", strings.Repeat("x", 201))
		long.want(http.StatusUnprocessableEntity, "too long a reason")
		if v, _ := long.document().Find("#reason").Attr("value"); len(v) != 201 {
			t.Error("what was typed is lost")
		}
		b.post("/admin/orders/"+r.OrderId+"/cancel", "reason", "rang us\x00").want(http.StatusSeeOther, "the cancelling")
		if now := o.order(r.OrderId); now.State != pay.OrderCancelled || now.StateReason != "rang us" {
			t.Errorf("the order is %s: %s", now.State, now.StateReason)
		}
		refused := b.post("/admin/orders/" + paid.ID + "/cancel")
		refused.want(http.StatusConflict, "cancelling a paid one")
		if !strings.Contains(refused.body, "refund instead") {
			t.Errorf("it says %s", refused.document().Find("main").Text())
		}
		if d := cmp.Diff([]string{"refused cancel_order", "cancel_order", "refused cancel_order"}, acts(o.entries())); d != "" {
			t.Error(d)
		}
	})
}

func TestStaffGiveMoneyBack(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	order := o.settledOrder()
	b, p := o.in(staff.TenantAdmin)
	at := "/admin/orders/" + order.ID + "/refund"
	refunds := func() []*pay.Refund {
		payment, err := o.store.PaymentByOrder(context.Background(), o.tenant.ID, order.ID)
		if err != nil {
			t.Fatal(err)
		}
		list, err := o.store.ListRefunds(context.Background(), o.tenant.ID, payment.ID)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	o.pass(staff.FreshFor + time.Minute)
	asked := b.get(at + "?amount=10.00&reason=duplicate")
	asked.want(http.StatusForbidden, "without a fresh sign-in")
	if next, _ := asked.document().Find("input[name=next]").Attr("value"); next != at+"?amount=10.00&reason=duplicate" {
		t.Errorf("the password's page leads to %s, and what was typed is lost", next)
	}
	b.post(at, "amount", "10.00", "key", pay.NewID("k", time.Now())).want(http.StatusForbidden, "a form without a fresh sign-in")
	b.post("/admin/again", "password", goodPassword, "next", at).want(http.StatusSeeOther, "the password")
	for typed, says := range map[string]string{"200": "more than the £110.40", "0": "above 0", "-5": "above 0", "1.001": "decimals", "many": "not a number", "1e3": "not a number"} {
		page := b.get(at + "?amount=" + url.QueryEscape(typed))
		page.want(http.StatusUnprocessableEntity, typed)
		d := page.document()
		if v, _ := d.Find("#amount").Attr("value"); v != typed || !strings.Contains(d.Find(".flash").Text(), says) && says != "not a number" && says != "decimals" {
			t.Errorf("%s: kept %q, says %q", typed, v, d.Find(".flash").Text())
		}
	}
	b.get(at+"?amount=1.00&reason=because").want(http.StatusUnprocessableEntity, "a reason that is none")
	question := b.get(at + "?amount=10.00&reason=duplicate").document()
	key, _ := question.Find("input[name=key]").Attr("value")
	if got := question.Find("h1").Text(); got != "Give back £10.00?" || key == "" {
		t.Fatalf("it asks %q with key %q", got, key)
	}
	o.entries()
	for range 3 { // pressed again and again it is one refund
		b.post(at, "amount", "10.00", "reason", "duplicate", "key", key).want(http.StatusSeeOther, "the refund")
	}
	if list := refunds(); len(list) != 1 || list[0].Amount.Minor != 1000 || list[0].Cause.Kind != pay.CauseStaff || list[0].Cause.ID != p.ID {
		t.Errorf("refunds: %+v", list)
	}
	if e := o.entries(); len(e) != 3 || e[0].What != "refund" || !strings.HasPrefix(e[0].After, "refund of 10.00 GBP rfr_") || e[0].Refused {
		t.Errorf("the audit log: %+v", e[0])
	}
	b.post(at, "amount", "10.00").want(http.StatusUnprocessableEntity, "a form without its key")
	b.post(at, "amount", "500", "key", pay.NewID("k", time.Now())).want(http.StatusUnprocessableEntity, "more than there is")
	b.post(at, "amount", "11.00", "reason", "duplicate", "key", key).want(http.StatusUnprocessableEntity, "another refund under the same key")
	if n := len(refunds()); n != 1 {
		t.Errorf("%d refunds", n)
	}
	for _, e := range o.entries() {
		if !e.Refused {
			t.Errorf("a refusal is logged as done: %+v", e)
		}
	}
	b.post(at, "amount", "100.40", "key", pay.NewID("k", time.Now())).want(http.StatusSeeOther, "the rest")
	b.get(at).want(http.StatusSeeOther, "when nothing is left")
	if got := b.get("/admin/orders/" + order.ID).document(); !strings.Contains(got.Find(".flash.bad").Text(), "nothing to give back") || got.Find(`[data-testid=refund]`).Length() != 0 {
		t.Errorf("it says %q", got.Find(".flash").Text())
	}
}

func TestAListsAddressCanSayAnything(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		o := officeOn(t, open(t))
		o.settledOrder()
		b, _ := o.in(staff.Operator)
		for query, says := range map[string]string{
			"from=yesterday": "2026-11-23", "until=0001-01-01": "no day", "from=9999-12-31": "no day", "from=2026-02-01&until=2026-01-01": "after the last",
			"currency=POUND": "three letters", "state=lost%00": "cannot be read", "state=nothing": "no state", "tenant=nobody": "no tenant", "after=%27%20OR%201%3D1": "Begin at the newest",
			"before=" + strings.Repeat("a", 5000): "Begin at the newest", "after=xxx_1": "Begin at the newest", "q=%00": "cannot be read", "q=%ff%fe": "cannot be read", "q=" + strings.Repeat("ü", 256): "cannot be read",
		} {
			for _, path := range listPaths {
				page := b.get(path + "?" + query)
				page.want(http.StatusBadRequest, path+"?"+query)
				if got := page.document().Find(".flash").Text(); !strings.Contains(got, says) {
					t.Errorf("%s?%s says %q", path, query, got)
				}
				b.get(path+".csv?"+query).want(http.StatusBadRequest, path+".csv?"+query)
			}
		}
		b.get("/admin/orders?content=x").want(http.StatusBadRequest, "content")
		b.get("/admin/orders?customer=x").want(http.StatusBadRequest, "customer")
		kept := b.get("/admin/orders?q=ann&from=yesterday&feature=Basket").document()
		for field, want := range map[string]string{"q": "ann", "from": "yesterday", "feature": "Basket"} {
			if got, _ := kept.Find("input[name=" + field + "]").Attr("value"); got != want {
				t.Errorf("%s is %q", field, got)
			}
		}
		for _, query := range []string{"q=%25", "q=_", "q='--", "q=ord_", "q=cs_%27", "q=99999999999999999999", "q=-1", "q=@", "q=%22%3E%3Cscript%3E", "after=%s_0", "before=%s_zzz", "x=y", "currency=gbp", "q=…abcd", "q=%F0%9F%92%B7"} {
			for path, prefix := range map[string]string{"/admin/orders": "ord", "/admin/customers": "cus", "/admin/payments": "pay", "/admin/refunds": "ref", "/admin/disputes": "dsp"} {
				b.get(path+"?"+strings.ReplaceAll(query, "%s", prefix)).want(http.StatusOK, path+"?"+query)
			}
		}
		for _, id := range []string{"ord_%00", "ord_" + strings.Repeat("a", 3000), "%27", "ord_ABC", "cus_1"} {
			b.get("/admin/orders/"+id).want(http.StatusNotFound, id)
			b.get("/admin/customers/"+id).want(http.StatusNotFound, id)
		}
	})
}

func TestListsArePagedAndTakenAwayAsFiles(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	customer := storetest.Customer(t, o.store, o.tenant.ID, func(c *pay.Customer) { c.Name = "=HYPERLINK(\"x\")" })
	var ids []string
	for n := range 120 {
		at := storetest.Now.Add(time.Duration(n) * time.Minute)
		order := storetest.Order(t, o.store, customer, func(w *pay.Order) {
			w.ID, w.CreatedAt, w.UpdatedAt, w.FeatureName = pay.NewID("ord", at), at, at, "Page"
		})
		ids = append(ids, order.ID)
	}
	slices.Reverse(ids)
	other := storetest.Order(t, o.store, customer, func(w *pay.Order) { w.FeatureName = "Other" })
	b, _ := o.in(staff.TenantViewer)
	read := func(path string) (found []string, newer, older string) {
		page := b.get(path)
		page.want(http.StatusOK, path)
		d := page.document()
		for _, s := range d.Find("[data-row]").EachIter() {
			href, _ := s.Attr("href")
			found = append(found, strings.TrimPrefix(href, "/admin/orders/"))
		}
		newer, _ = d.Find(`[data-testid=newer]`).Attr("href")
		older, _ = d.Find(`[data-testid=older]`).Attr("href")
		return found, newer, older
	}
	var walked []string
	back, next := "", "/admin/orders?feature=Page"
	for next != "" {
		found, newer, older := read(next)
		walked, back, next = append(walked, found...), newer, older
	}
	if d := cmp.Diff(ids, walked); d != "" {
		t.Errorf("page by page: %s", d)
	}
	if found, newer, _ := read(back); newer == "" || found[0] != ids[50] {
		t.Errorf("the page before begins with %s", found[0])
	}
	o.entries()
	file := b.get("/admin/orders.csv?feature=Page")
	file.want(http.StatusOK, "the file")
	rows, err := csv.NewReader(strings.NewReader(file.body)).ReadAll()
	if err != nil || len(rows) != 121 || !strings.HasPrefix(file.header.Get("Content-Type"), "text/csv") || !strings.Contains(file.header.Get("Content-Disposition"), `filename="orders-`) {
		t.Fatalf("%d rows, %v, %v", len(rows), err, file.header)
	}
	if rows[1][0] != ids[0] || rows[1][10] != "'=HYPERLINK(\"x\")" || rows[1][6] != "14.40" || strings.Contains(file.body, other.ID) {
		t.Errorf("the first row is %q", rows[1])
	}
	if e := o.entries(); len(e) != 1 || e[0].What != "export" || e[0].Subject != "orders" || e[0].After != "feature=Page" {
		t.Errorf("the audit log: %+v", e)
	}
	if got := b.do(http.MethodHead, "/admin/orders.csv", nil); got.status != http.StatusOK || got.body != "" {
		t.Errorf("HEAD answers %d with %d bytes", got.status, len(got.body))
	}
}
