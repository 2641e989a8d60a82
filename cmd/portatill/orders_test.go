package main

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// till is a shell beside a `serve --sandbox` on its database.
func till(t *testing.T) (*shell, *running) {
	t.Helper()
	s := newShell(t)
	r := s.serve("--sandbox")
	s.env["PORTATILL_SANDBOX"] = r.ready.SandboxURL
	return s, r
}

func (s *shell) orders(args ...string) []string {
	s.t.Helper()
	var list []shownOrder
	s.json(&list, append([]string{"orders", "list", "--json"}, args...)...)
	ids := []string{}
	for _, o := range list {
		ids = append(ids, o.ID)
	}
	return ids
}

func TestOrdersAreFoundByWhatTheyAreFor(t *testing.T) {
	t.Parallel()
	s, r := till(t)
	open, paid, other := r.request(41), r.request(42), r.request(43)
	r.pay(paid)
	r.until("the payment is booked", func() bool { return slices.Contains(s.orders("--state", "paid"), paid.OrderId) })
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"All":            {nil, []string{other.OrderId, paid.OrderId, open.OrderId}},
		"ByContent":      {[]string{"--content", "42"}, []string{paid.OrderId}},
		"ByFeature":      {[]string{"--feature", "Basket"}, []string{other.OrderId, paid.OrderId, open.OrderId}},
		"ByNoFeature":    {[]string{"--feature", "basket"}, []string{}},
		"ByState":        {[]string{"--state", "open"}, []string{other.OrderId, open.OrderId}},
		"ByCustomer":     {[]string{"--customer", strconv.Itoa(demoICustomer), "--limit", "1"}, []string{other.OrderId}},
		"ByNoCustomer":   {[]string{"--customer", "1"}, []string{}},
		"ByTenantAndAll": {[]string{"--tenant", "demo", "--customer", strconv.Itoa(demoICustomer), "--feature", "Basket", "--content", "41", "--state", "open", "--since", "1h"}, []string{open.OrderId}},
		"ByLicense":      {[]string{"--tenant", "demo", "--license", r.ready.License[len(r.ready.License)-4:]}, []string{other.OrderId, paid.OrderId, open.OrderId}},
		"SinceJustNow":   {[]string{"--since", "1ns"}, []string{}},
		"OfOnePage":      {[]string{"--limit", "2"}, []string{other.OrderId, paid.OrderId}},
		"OfTheNextPage":  {[]string{"--limit", "2", "--after", paid.OrderId}, []string{open.OrderId}},
	} {
		if got := s.orders(c.args...); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	var list []shownOrder
	s.json(&list, "orders", "list", "--content", "42", "--json")
	if o := list[0]; o.License != "…"+r.ready.License[len(r.ready.License)-4:] || o.Tenant != "demo" || o.FeatureName != "Basket" || o.ContentID != 42 || o.ICustomer != demoICustomer || o.PaidAt == "" || o.Currency != "GBP" {
		t.Errorf("got %+v", o)
	}
	token := open.Url[strings.LastIndex(open.Url, "/")+1:]
	for _, out := range []string{s.ok("orders", "list"), s.ok("orders", "list", "--json"), s.ok("orders", "show", open.OrderId), s.ok("orders", "show", open.OrderId, "--json")} {
		if strings.Contains(out, token) || strings.Contains(out, r.ready.License) || !strings.Contains(out, open.OrderId) {
			t.Errorf("a credential is shown, or no order: %s", out)
		}
	}
	if out := s.ok("orders", "list", "--limit", "2"); !strings.Contains(out, "--after "+paid.OrderId) || !strings.Contains(out, "Basket") {
		t.Errorf("got %s", out)
	}
	if out := s.ok("orders", "list", "--content", "9"); !strings.Contains(out, "no such orders") {
		t.Errorf("got %s", out)
	}
}

func TestAnOrderIsShownWithAllThatHappenedAndGivenBack(t *testing.T) {
	t.Parallel()
	s, r := till(t)
	o := r.request(7)
	r.pay(o)
	show := func() (w wholeOrder) { s.json(&w, "orders", "show", o.OrderId, "--json"); return w }
	r.until("the payment is booked", func() bool { return show().State == "paid" })
	w := show()
	if len(w.Lines) != 2 || len(w.Attempts) != 1 || w.Payment == nil || len(w.Postings) != 1 || len(w.Deliveries) == 0 || len(w.Story) < 3 || len(w.Entries) == 0 || len(w.Entries[0].Lines) < 2 || !strings.Contains(w.Payment.Method, "4242") {
		t.Errorf("got %+v", w)
	}
	if w.Link != "" || !strings.Contains(s.ok("orders", "show", o.OrderId, "--link"), o.Url[strings.Index(o.Url, "/pay/"):]) {
		t.Errorf("the link is %q", w.Link)
	}
	text := s.ok("orders", "show", o.OrderId)
	for _, want := range []string{"Lines", "Attempts", "Payment", "Ledger", "PortaBilling postings", "Notices to the portal", "Story", "SIP trunk", "visa •••• 4242", w.Attempts[0].SessionID} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	for _, secret := range []string{"4242424242424242", "ada@example.com", r.ready.License, r.ready.SigningSecret, "/c/pay/", "receipts"} {
		if out := text + s.ok("orders", "show", o.OrderId, "--json"); strings.Contains(out, secret) {
			t.Errorf("%s is shown: %s", secret, out)
		}
	}
	for _, wrong := range []string{"0", "0.00", "-1", "5.001", "1e3", "five", "1000000", ""} {
		if r := s.run("refund", o.OrderId, "--amount", wrong); r.code == 0 || !strings.Contains(r.err, "--amount: ") {
			t.Errorf("--amount %q: %d %s", wrong, r.code, r.err)
		}
	}
	var part shownRequest
	for range 2 { // the same key is the same refund
		s.json(&part, "refund", o.OrderId, "--amount", "5.00", "--reason", "requested_by_customer", "--key", "ticket-1", "--json")
		if part.Amount != "5.00 GBP" || part.State != "made" || !strings.HasPrefix(part.StripeRefundID, "re_") {
			t.Fatalf("got %+v", part)
		}
	}
	if r := s.run("refund", o.OrderId, "--amount", "6.00", "--key", "ticket-1"); r.code != 1 || !strings.Contains(r.err, "--key: ") {
		t.Errorf("the key with another amount: %d %s", r.code, r.err)
	}
	if out := s.ok("refund", o.OrderId); !strings.Contains(out, "on its way back") {
		t.Errorf("the rest: %s", out)
	}
	r.until("all is given back", func() bool { w = show(); return w.Payment.Refunded == w.Payment.Amount && len(w.Refunds) == 2 })
	if len(w.RefundRequests) != 2 || w.RefundRequests[0].StripeRefundID != part.StripeRefundID || w.RefundRequests[0].Cause != "command_line ticket-1" {
		t.Errorf("got %+v", w.RefundRequests)
	}
	if r := s.run("refund", o.OrderId); r.code != 1 || !strings.Contains(r.err, "given back") {
		t.Errorf("once more: %d %s", r.code, r.err)
	}
	if out := s.ok("orders", "show", o.OrderId); !strings.Contains(out, "Refunds\n") || !strings.Contains(out, "ticket-1") {
		t.Errorf("got %s", out)
	}
	if out := s.ok("books"); !strings.Contains(out, "All square") {
		t.Errorf("the books: %s", out)
	}
}

// TestNothingOfATenantIsReachedUnderAnothersName asks with tenant a's name for what is
// tenant b's, by every command that takes both.
func TestNothingOfATenantIsReachedUnderAnothersName(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	s.ok("tenant", "add", "a1")
	store := s.openStore()
	b := storetest.Tenant(t, store)
	customer := storetest.Customer(t, store, b.ID)
	order := storetest.Order(t, store, customer)
	sale := storetest.Pay(t, store, order, storetest.Attempt(t, store, order))
	_, license := pay.NewLicense(b.ID, now())
	storetest.Write(t, store, func(ctx context.Context, tx pay.Tx) error { return tx.InsertLicense(ctx, license) })
	// What is broken in one tenant's books is nobody else's either.
	if _, err := store.DB().ExecContext(t.Context(), `DELETE FROM postings WHERE tenant_id = $1`, b.ID); err != nil {
		t.Fatal(err)
	}
	own := []string{order.ID, sale.Payment.ID, b.ID, b.Slug, license.ID}
	for _, c := range []struct {
		code int
		args []string
	}{
		{0, []string{"orders", "list", "--tenant", "a1"}},
		{0, []string{"orders", "list", "--tenant", "a1", "--customer", strconv.FormatInt(customer.ICustomer, 10), "--json"}},
		{0, []string{"orders", "list", "--tenant", "a1", "--content", strconv.FormatInt(order.ContentID, 10), "--feature", order.FeatureName}},
		{1, []string{"orders", "show", order.ID, "--tenant", "a1", "--link"}},
		{1, []string{"refund", order.ID, "--tenant", "a1"}},
		{1, []string{"settle", order.ID, "--tenant", "a1"}},
		{0, []string{"settle", "--since", "100000h", "--tenant", "a1"}},
		{0, []string{"books", "--tenant", "a1"}},
		{0, []string{"tenant", "licenses", "a1"}},
		{0, []string{"tenant", "show", "a1"}},
		{1, []string{"tenant", "revoke-license", "a1", license.ID}},
		{1, []string{"tenant", "revoke-license", "a1", "--", license.Hint}},
	} {
		r := s.run(c.args...)
		if r.code != c.code {
			t.Errorf("%v: exit code %d: %s", c.args, r.code, r.err)
		}
		for _, id := range own {
			if !slices.Contains(c.args, id) && strings.Contains(r.out+r.err, id) {
				t.Errorf("%v shows %s: %s %s", c.args, id, r.out, r.err)
			}
		}
	}
	// And the same under its own name, so that the above is not true of everything.
	if got := s.orders("--tenant", b.Slug, "--customer", strconv.FormatInt(customer.ICustomer, 10)); !slices.Equal(got, []string{order.ID}) {
		t.Errorf("got %v", got)
	}
	if out := s.ok("orders", "show", order.ID, "--tenant", b.Slug); !strings.Contains(out, sale.Payment.IntentID) {
		t.Errorf("got %s", out)
	}
	if r := s.run("books", "--tenant", b.Slug); r.code != 1 || !strings.Contains(r.out, "BROKEN: "+b.Slug) {
		t.Errorf("its broken books: %d %s", r.code, r.out)
	}
	if r := s.run("orders", "show", "pi_1"); r.code != 2 || !strings.Contains(r.err, "not an order's id") {
		t.Errorf("%d %s", r.code, r.err)
	}
}

// TestWhatAPortalWroteDoesNotMoveTheTerminal stores what a portal could send.
func TestWhatAPortalWroteDoesNotMoveTheTerminal(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	store := s.openStore()
	tenant := storetest.Tenant(t, store)
	order := storetest.Order(t, store, storetest.Customer(t, store, tenant.ID), func(o *pay.Order) {
		o.FeatureName = "\x1b[2Jpaid\r\nord_fake\u009b1m"
		o.Cart.Lines[0].Title = "a\tb\x07"
	})
	for _, out := range []string{s.ok("orders", "list"), s.ok("orders", "show", order.ID)} {
		if strings.ContainsAny(out, "\x1b\r\x07\u009b\t") || strings.Contains(out, "\nord_fake") {
			t.Errorf("got %q", out)
		}
	}
}

func TestANewStripeKeyThatLosesOpenOrdersIsSaid(t *testing.T) {
	t.Parallel()
	s, r := till(t)
	set := func(key string) (got tenantResult) {
		t.Helper()
		s.json(&got, "tenant", "set", "demo", "--stripe-key-file", s.file(key), "--json")
		return got
	}
	if notes := set("sk_test_0123456789abcdef").Notes; len(notes) != 0 {
		t.Errorf("nothing is open: %v", notes)
	}
	o := r.request(1)
	if out := s.ok("tenant", "suspend", "demo"); !strings.Contains(out, "1 order is not paid yet") {
		t.Errorf("suspend: %s", out)
	}
	if out := s.ok("tenant", "resume", "demo"); !strings.Contains(out, "1 order is not paid yet and can be paid") {
		t.Errorf("resume: %s", out)
	}
	account := s.show("demo").StripeAccount
	got := set("sk_test_another0123456789")
	notes := strings.Join(got.Notes, "\n")
	for _, want := range []string{"Warning: 1 order was begun", o.OrderId, "another Stripe account (" + account + " before, " + got.Tenant.StripeAccount + " now)", "Set the old key again"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no %q in %q", want, notes)
		}
	}
	if got.Tenant.StripeAccount == account || got.Tenant.StripeAccount == "" {
		t.Errorf("the account is %q", got.Tenant.StripeAccount)
	}
}

// TestAKeyOfTheOtherModeIsSaid needs no Stripe: modes are told by the keys.
func TestAKeyOfTheOtherModeIsSaid(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	store := s.openStore()
	tenant := storetest.Tenant(t, store)
	order := storetest.Order(t, store, storetest.Customer(t, store, tenant.ID))
	storetest.Attempt(t, store, order)
	for _, c := range []struct{ key, sandbox, want string }{
		{"sk_test_0123456789abcdef", "http://127.0.0.1:1", "Stripe did not say whose"},
		{"sk_live_0123456789abcdef", "", "the other mode (test before, live now)"},
		{"", "", "there is no key now"},
	} {
		file := ""
		if c.key != "" {
			file = s.file(c.key)
		}
		if s.env["PORTATILL_SANDBOX"] = c.sandbox; c.sandbox == "" {
			delete(s.env, "PORTATILL_SANDBOX")
		}
		out := s.ok("tenant", "set", tenant.Slug, "--stripe-key-file", file)
		if !strings.Contains(out, c.want) || !strings.Contains(out, order.ID) {
			t.Errorf("%q: %s", c.key, out)
		}
		if again := s.ok("tenant", "set", tenant.Slug, "--stripe-key-file", file); strings.Contains(again, "Warning") {
			t.Errorf("the same key again: %s", again)
		}
	}
	if got := s.show(tenant.Slug); got.StripeAccount != "" || got.StripeKey != "not set" {
		t.Errorf("got %+v", got)
	}
}
