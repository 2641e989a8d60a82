package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/portatill/portatill/pay"
)

// stranger pays 42.00 into the demo's Stripe account past the till, and the till is
// told; it returns the case.
func stranger(s *shell, r *running, key string, form url.Values) shownCase {
	s.t.Helper()
	all := url.Values{"amount": {"4200"}, "currency": {"gbp"}, "payment_method": {"pm_card_visa"}, "confirm": {"true"}, "payment_method_types[]": {"card"}}
	for k, v := range form {
		all[k] = v
	}
	req, err := http.NewRequest(http.MethodPost, r.ready.SandboxURL+"/v1/payment_intents", strings.NewReader(all.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := browser.Do(req)
	status, body := r.read(res, err)
	var intent struct{ ID string }
	if err := json.Unmarshal([]byte(body), &intent); err != nil || status != http.StatusOK {
		s.t.Fatalf("pay past the till: %d %v %s", status, err, body)
	}
	if done := s.run("settle", intent.ID, "--tenant", "demo"); done.code != 0 {
		s.t.Fatalf("settle: %s", done.err)
	}
	for _, c := range s.unclaimed("--all") {
		if c.Object == intent.ID {
			return c
		}
	}
	s.t.Fatalf("no case of %s", intent.ID)
	return shownCase{}
}

func (s *shell) unclaimed(args ...string) (list []shownCase) {
	s.t.Helper()
	s.json(&list, append([]string{"unclaimed", "list", "--json"}, args...)...)
	return list
}

func TestUnclaimedMoneyIsDecidedAtTheCommandLine(t *testing.T) {
	t.Parallel()
	s, r := till(t)
	const key = "sk_test_0123456789abcdef"
	s.ok("tenant", "set", "demo", "--stripe-key-file", s.file(key))
	s.env["USER"] = "grace"
	o := r.request(1)
	customer := strconv.Itoa(demoICustomer)

	if out := s.ok("unclaimed", "list"); !strings.Contains(out, "nothing to decide") {
		t.Errorf("got %s", out)
	}
	marked := stranger(s, r, key, url.Values{"metadata[" + pay.MetaOrder + "]": {o.OrderId}})
	back, test := stranger(s, r, key, nil), stranger(s, r, key, nil)
	if got := s.unclaimed("--tenant", "demo"); len(got) != 3 || got[0].State != "open" || got[0].Amount != "42.00 GBP" || got[0].Held != "42.00 GBP" || len(got[0].Commands) != 3 {
		t.Fatalf("got %+v", got)
	}
	if len(marked.Owners) != 1 || marked.Owners[0].ICustomer != demoICustomer || marked.Owners[0].Order != o.OrderId || !strings.Contains(marked.Commands[0], "--customer "+customer) {
		t.Errorf("the owner is %+v, the commands %v", marked.Owners, marked.Commands)
	}
	text := s.ok("unclaimed", "list")
	for _, want := range []string{marked.ID, marked.Object, "42.00 GBP, less than a minute ago", "visa •••• 4242", "customer " + customer + ", order " + o.OrderId, "portatill unclaimed refund " + back.ID} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}

	if out := s.ok("unclaimed", "assign", marked.ID, "--order", o.OrderId, "--reason", "paid twice"); !strings.Contains(out, "42.00 GBP of "+marked.ID+" is customer "+customer) || !strings.Contains(out, "stays open") {
		t.Errorf("assign: %s", out)
	}
	var given shownCase
	s.json(&given, "unclaimed", "assign", marked.ID, "--customer", customer, "--reason", "once more", "--json")
	if given.State != "assigned" || given.Decision != "paid twice" || given.DecidedBy != "command_line grace" || given.Customer != demoICustomer || given.Held != "0.00 GBP" || len(given.Commands) != 0 {
		t.Errorf("got %+v", given)
	}
	if got := s.credit(); got != "42.00 GBP" {
		t.Errorf("the customer's credit is %s", got)
	}
	var part shownRequest
	s.json(&part, "unclaimed", "refund", back.ID, "--amount", "2.00", "--key", "ticket-1", "--reason", "duplicate", "--json")
	if part.State != "made" || part.Amount != "2.00 GBP" || part.Reason != "duplicate" {
		t.Errorf("got %+v", part)
	}
	if out := s.ok("unclaimed", "refund", back.ID); !strings.Contains(out, "40.00 GBP is on its way back") {
		t.Errorf("the rest: %s", out)
	}
	if out := s.ok("unclaimed", "ignore", test.ID, "--reason", "our own test"); !strings.Contains(out, "42.00 GBP of it stays in the suspense account") {
		t.Errorf("ignore: %s", out)
	}
	var states []string
	for _, c := range s.unclaimed("--all") {
		states = append(states, c.State)
	}
	slices.Sort(states)
	if !slices.Equal(states, []string{"assigned", "ignored", "refunded"}) || len(s.unclaimed()) != 0 {
		t.Errorf("the cases are %v", states)
	}
	if out := s.ok("unclaimed", "list", "--all"); !strings.Contains(out, "by command_line grace: our own test") || !strings.Contains(out, "42.00 GBP to customer "+customer) {
		t.Errorf("got %s", out)
	}
	if out := s.ok("books"); !strings.Contains(out, "All square") {
		t.Errorf("the books: %s", out)
	}

	s.ok("tenant", "add", "other")
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{1, "decided already: assigned", []string{"ignore", marked.ID, "--reason", "r"}},
		{1, "decided already: refunded", []string{"assign", back.ID, "--customer", customer, "--reason", "r"}},
		{1, "--customer: ", []string{"assign", marked.ID, "--customer", "1", "--reason", "r"}},
		{1, "--order: ", []string{"assign", marked.ID, "--order", "ord_none", "--reason", "r"}},
		{1, "there is no case", []string{"ignore", "unc_none", "--reason", "r"}},
		{1, "there is no case", []string{"ignore", marked.ID, "--tenant", "other", "--reason", "r"}},
		{1, "--key: ", []string{"refund", back.ID, "--amount", "3.00", "--key", "ticket-1"}},
		{2, "--key: is longer than", []string{"refund", back.ID, "--key", strings.Repeat("k", 300)}},
		{2, "--key: is empty", []string{"refund", back.ID, "--key", ""}},
		{2, "--reason: is needed", []string{"ignore", marked.ID}},
		{2, "--reason: must be", []string{"refund", back.ID, "--reason", "because"}},
		{2, "--amount: ", []string{"refund", back.ID, "--amount", "0"}},
		{2, "name one of", []string{"assign", marked.ID, "--reason", "r"}},
		{2, "name one of", []string{"assign", marked.ID, "--reason", "r", "--customer", "1", "--order", "ord_1"}},
		{2, "not a case's id", []string{"ignore", "pi_1", "--reason", "r"}},
		{2, "--help", []string{"ignore"}},
		{2, "--help", []string{"list", "x"}},
	} {
		if r := s.run(append([]string{"unclaimed"}, c.args...)...); r.code != c.code || !strings.Contains(r.err, c.says) || r.out != "" {
			t.Errorf("%v: exit code %d, %q, %q", c.args, r.code, r.out, r.err)
		}
	}
	if list := s.unclaimed("--tenant", "other", "--all"); len(list) != 0 {
		t.Errorf("another tenant sees %+v", list)
	}
}
