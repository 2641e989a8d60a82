package main

import (
	"slices"
	"strings"
	"testing"
)

func (s *shell) postings(args ...string) (list []postingRow) {
	s.t.Helper()
	s.json(&list, append([]string{"postings", "list", "--json"}, args...)...)
	return list
}

func TestPostingsAreMarkedAsDoneAtTheCommandLine(t *testing.T) {
	t.Parallel()
	s, r := till(t)
	s.env["USER"] = "grace"
	if out := s.ok("postings", "list"); !strings.Contains(out, "no such postings") {
		t.Errorf("got %s", out)
	}
	first, second := r.request(1), r.request(2)
	r.pay(first)
	r.pay(second)
	r.until("both payments are booked", func() bool { return len(s.postings()) == 2 })
	all := s.postings("--tenant", "demo")
	if all[0].ID < all[1].ID || all[0].State != "pending" || all[0].Kind != "payment" || len(all[0].Commands) != 1 {
		t.Fatalf("got %+v", all)
	}
	p := s.postings("--about", first.OrderId)
	if len(p) != 1 || p[0].Order != first.OrderId {
		t.Fatalf("those of the order are %+v", p)
	}
	for name, c := range map[string]struct {
		args []string
		want int
	}{
		"ByState":        {[]string{"--state", "pending"}, 2},
		"NeedsAPerson":   {[]string{"--state", "attention"}, 0},
		"ByPayment":      {[]string{"--about", p[0].Subject, "--state", "pending"}, 1},
		"ByAnother":      {[]string{"--about", "pay_none"}, 0},
		"OfOnePage":      {[]string{"--limit", "1"}, 1},
		"OfTheNextPage":  {[]string{"--limit", "1", "--after", all[0].ID}, 1},
		"BeyondTheLast":  {[]string{"--after", all[1].ID}, 0},
		"OfThisTenant":   {[]string{"--tenant", "demo", "--state", "pending", "--about", first.OrderId}, 1},
		"PostedIsNobody": {[]string{"--state", "posted"}, 0},
	} {
		if got := s.postings(c.args...); len(got) != c.want {
			t.Errorf("%s: %d, want %d", name, len(got), c.want)
		}
	}
	if out := s.ok("postings", "show", p[0].ID); !strings.Contains(out, first.OrderId) || !strings.Contains(out, "portatill postings done "+p[0].ID) {
		t.Errorf("it is shown as %s", out)
	}
	if out := s.ok("books", "--proof"); !strings.Contains(out, "portatill postings list --state pending") {
		t.Errorf("the proof does not say how a posting that waits is mended: %s", out)
	}

	s.ok("tenant", "add", "other")
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{2, "--reason: is needed", []string{"done", p[0].ID}},
		{2, "--from: must be", []string{"done", p[0].ID, "--reason", "r", "--from", "lost"}},
		{2, "not a posting's id", []string{"done", first.OrderId, "--reason", "r"}},
		{2, "--state: must be attention, ", []string{"list", "--state", "lost"}},
		{2, "--limit: must be", []string{"list", "--limit", "0"}},
		{2, "--after: must be", []string{"list", "--after", "ord_1"}},
		{1, "by now, not refused", []string{"done", p[0].ID, "--reason", "r", "--from", "refused"}},
		{1, "there is no posting", []string{"done", "pst_none", "--reason", "r"}},
		{1, "there is no posting", []string{"show", p[0].ID, "--tenant", "other"}},
	} {
		if got := s.run(append([]string{"postings"}, c.args...)...); got.code != c.code || !strings.Contains(got.err, c.says) {
			t.Errorf("%v: %d %s", c.args, got.code, got.err)
		}
	}
	if got := s.postings("--state", "pending"); len(got) != 2 {
		t.Fatalf("a refused command marked one: %+v", got)
	}

	if out := s.ok("postings", "done", p[0].ID, "--reason", "entered by hand", "--from", "pending"); !strings.Contains(out, "is posted") {
		t.Errorf("got %s", out)
	}
	var again postingRow
	s.json(&again, "postings", "done", p[0].ID, "--reason", "once more", "--json")
	if again.State != "posted" || len(again.Commands) != 0 {
		t.Errorf("got %+v", again)
	}
	story := s.ok("orders", "show", first.OrderId)
	if !strings.Contains(story, "pending → posted: entered by hand") || !strings.Contains(story, "command_line grace") || strings.Contains(story, "once more") {
		t.Errorf("the order's story is %s", story)
	}
	ids := []string{}
	for _, x := range s.postings("--state", "posted") {
		ids = append(ids, x.ID)
	}
	if !slices.Equal(ids, []string{p[0].ID}) {
		t.Errorf("posted are %v", ids)
	}
}
