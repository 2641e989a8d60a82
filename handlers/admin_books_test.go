package handlers_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/jobs"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
)

// newQueue is the till's queue; it works once work is called.
func (o *office) newQueue() *jobs.Queue {
	o.t.Helper()
	if err := jobs.Migrate(context.Background(), o.store.DB(), o.store.Dialect()); err != nil {
		o.t.Fatal(err)
	}
	q, err := jobs.New(jobs.Options{DB: o.store.DB(), Dialect: o.store.Dialect(), Pay: o.pay, Log: slog.New(slog.DiscardHandler), PollInterval: 20 * time.Millisecond})
	if err != nil {
		o.t.Fatal(err)
	}
	return q
}

// work lets the queue run until the test ends.
func (o *office) work() {
	o.t.Helper()
	q := o.options.Runs.(*jobs.Queue)
	if err := q.Start(context.Background()); err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { _ = q.Stop(context.Background()) })
}

// over follows a form to its run and waits until it is over; it returns the address and
// the page.
func (b *browser) over(a answer) (string, answer) {
	b.o.t.Helper()
	at := a.header.Get("Location")
	if a.status != http.StatusSeeOther || !strings.HasPrefix(at, "/admin") {
		b.o.t.Fatalf("the form answered %d to %q: %.400s", a.status, at, a.body)
	}
	deadline := time.Now().Add(2 * time.Minute)
	for {
		page := b.get(at)
		if poll, _ := page.document().Find("[data-poll]").First().Attr("data-poll"); poll == "" {
			return at, page
		}
		if time.Now().After(deadline) {
			b.o.t.Fatalf("%s is not over: %.400s", at, page.body)
		}
		select {
		case <-b.o.t.Context().Done():
			b.o.t.Fatal("the test is over first")
		case <-time.After(20 * time.Millisecond): // between two looks, as a browser waits
		}
	}
}

func words(s *goquery.Selection) string { return strings.Join(strings.Fields(s.Text()), " ") }

// held stores an open case over 9.00 GBP of a tenant, all of it in suspense.
func (o *office) held(tenantID, object string) *pay.Unclaimed {
	o.t.Helper()
	now := o.pay.Now()
	u := &pay.Unclaimed{ID: pay.NewID("unc", now), TenantID: tenantID, ObjectID: object, Amount: pay.Money{Minor: 900, Currency: "GBP"}, Reason: "no_order", Detail: "=nobody asked <b>for it</b>",
		State: pay.UnclaimedOpen, CreatedAt: now, UpdatedAt: now, Evidence: pay.Evidence{IntentID: object, Email: "e…@example.com", Name: "E… E…", Method: "visa •••• 4242 exp 12/2030"}}
	storetest.Write(o.t, o.store, func(ctx context.Context, tx pay.Tx) error {
		if err := tx.InsertUnclaimed(ctx, u); err != nil {
			return err
		}
		u.HeldMinor = 900
		if _, err := tx.MoveUnclaimed(ctx, u, pay.UnclaimedOpen); err != nil {
			return err
		}
		e := &pay.LedgerEntry{ID: pay.NewID("led", now), TenantID: tenantID, Kind: pay.EntrySuspense, Fact: object + ":captured", Currency: "GBP", Cause: pay.Cause{Kind: pay.CauseSweep, ID: object},
			UnclaimedID: u.ID, Memo: "held", At: now, Lines: []pay.LedgerLine{{Account: pay.AccountStripe, AmountMinor: 900}, {Account: pay.AccountSuspense, AmountMinor: -900}}}
		_, err := tx.InsertEntry(ctx, e)
		return err
	})
	return u
}

// listed notes that all of the tenant's objects were listed at Stripe a moment ago.
func (o *office) listed() {
	o.t.Helper()
	storetest.Write(o.t, o.store, func(ctx context.Context, tx pay.Tx) error {
		for _, kind := range pay.ListKinds {
			if err := tx.SetSweepMark(ctx, o.tenant.ID, kind, pay.SweepMark{Through: o.pay.Now()}, o.pay.Now()); err != nil {
				return err
			}
		}
		return nil
	})
}

func (o *office) posting(tenantID string, state pay.PostingState) *pay.Posting {
	o.t.Helper()
	now := o.pay.Now()
	p := &pay.Posting{ID: pay.NewID("pst", now), TenantID: tenantID, Kind: pay.PostingDispute, SubjectID: pay.NewID("dsp", now), Amount: pay.Money{Minor: 500, Currency: "GBP"}, State: state, CreatedAt: now, UpdatedAt: now}
	storetest.Write(o.t, o.store, func(ctx context.Context, tx pay.Tx) error { return tx.InsertPosting(ctx, p) })
	return p
}

func (o *office) event(tenantID, object string, state pay.EventState, payload string) *pay.Event {
	o.t.Helper()
	now := o.pay.Now()
	e := &pay.Event{ID: pay.NewID("evn", now), TenantID: tenantID, StripeID: strings.Replace(pay.NewID("evt", now), "evt_", "evt_1", 1), Type: "payment_intent.succeeded", ObjectID: object, APIVersion: "2023-10-16",
		Payload: []byte(payload), State: state, ReceivedAt: now, DoneAt: now}
	storetest.Write(o.t, o.store, func(ctx context.Context, tx pay.Tx) error { _, err := tx.InsertEvent(ctx, e); return err })
	return e
}

// sold is an order of the tenant that was paid just now.
func (o *office) sold() *storetest.Sale {
	o.t.Helper()
	now := o.pay.Now()
	c := storetest.Customer(o.t, o.store, o.tenant.ID)
	order := storetest.Order(o.t, o.store, c, func(x *pay.Order) { x.ID, x.CreatedAt = pay.NewID("ord", now), now })
	return storetest.Pay(o.t, o.store, order, storetest.Attempt(o.t, o.store, order))
}

func TestTheOverviewSaysWhetherAllIsWell(t *testing.T) {
	t.Parallel()
	t.Run("AllSquareOnceTheBooksAreProvedAndNothingWaits", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		o.listed()
		o.work()
		b, _ := o.in(staff.Operator)
		first := b.get("/admin")
		first.want(http.StatusOK, "the first look")
		if got := words(first.document().Find("[data-testid=sentence]")); strings.Contains(got, "All square") {
			t.Errorf("before any proof it says %q", got)
		}
		b.over(answer{t: t, status: http.StatusSeeOther, header: http.Header{"Location": {"/admin"}}})
		d := b.get("/admin").document()
		if got := words(d.Find("[data-testid=sentence]")); !strings.HasPrefix(got, "All square") {
			t.Errorf("the sentence is %q", got)
		}
		if got := words(d.Find("[data-testid=unexplained]")); got != "0.00" {
			t.Errorf("unexplained is %q", got)
		}
	})
	t.Run("WhatNeedsAPersonIsALinkToIt", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		o.held(o.tenant.ID, "pi_stray1")
		o.posting(o.tenant.ID, pay.PostingNeedsReview)
		o.event(o.tenant.ID, "pi_1", pay.EventFailed, "{}")
		o.sold()
		b, _ := o.in(staff.TenantAdmin)
		d := b.get("/admin").document()
		var tasks []string
		d.Find("[data-testid=task]").Each(func(_ int, s *goquery.Selection) {
			href, _ := s.Attr("href")
			tasks = append(tasks, words(s)+" "+href)
			if !strings.HasPrefix(href, "/admin/") || b.get(href).status != http.StatusOK {
				t.Errorf("%q leads to %q", words(s), href)
			}
		})
		want := []string{"1 payment is unclaimed /admin/unclaimed?state=open", "1 posting needs a review /admin/postings?state=attention", "1 job gave up /admin/events?state=failed",
			"1 tenant was not listed at Stripe for two hours /admin/sweeps"}
		if d := cmp.Diff(want, tasks); d != "" {
			t.Error(d)
		}
		tiles := map[string]string{}
		d.Find("[data-testid=tile]").Each(func(_ int, s *goquery.Selection) { tiles[words(s.Find(".fig-name"))] = words(s.Find(".fig-value")) })
		if d := cmp.Diff(map[string]string{"Volume": "0.00 GBP", "Payments": "0", "Success rate": "100.0 %", "Open orders": "0", "Processing": "0", "Unclaimed": "1", "Failed jobs": "0"}, tiles); d != "" {
			t.Error(d) // the fixture's payment was made in March
		}
		if n := d.Find("[data-testid=chart]").Length(); n != 2 || d.Find("#volume-table tbody tr").Length() != 30 || d.Find("#rate-table tbody tr").Last().Find("td").Eq(1).Text() != "100.0 %" {
			t.Errorf("there are %d charts: %s", n, words(d.Find("#rate-table tbody tr").Last()))
		}
	})
	t.Run("AFilterThatIsNoneIsToldAndTheRestIsShown", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		b, _ := o.in(staff.Operator)
		for _, query := range []string{"period=31", "period=%00", "period=%ff", "currency=XXX", "currency=" + strings.Repeat("a", 4000)} {
			a := b.get("/admin?" + query)
			a.want(http.StatusBadRequest, query)
			if words(a.document().Find(".flash.bad")) == "" || a.document().Find("[data-testid=chart]").Length() != 2 {
				t.Errorf("%s: %.300s", query, a.body)
			}
		}
		b.get("/admin?tenant=nobody").want(http.StatusNotFound, "an unknown tenant")
	})
}

func TestAnotherTenantsBooksAreUnknownOnes(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	other, _ := o.addTenant()
	u, p, e := o.held(other.ID, "pi_theirs"), o.posting(other.ID, pay.PostingRefused), o.event(other.ID, "pi_theirs", pay.EventFailed, "{}")
	run, err := o.options.Runs.StartRun(context.Background(), pay.RunAsk{Kind: pay.RunVerify, TenantID: other.ID})
	if err != nil {
		t.Fatal(err)
	}
	all, err := o.options.Runs.StartRun(context.Background(), pay.RunAsk{Kind: pay.RunProof, From: "2026-11-01", Until: "2026-11-02"})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := o.in(staff.TenantAdmin)
	operator, _ := o.in(staff.Operator)
	for _, at := range []string{"/admin/unclaimed/" + u.ID, "/admin/postings/" + p.ID, "/admin/events/" + e.ID, fmt.Sprintf("/admin/runs/%d", run), fmt.Sprintf("/admin/proof?run=%d", all), "/admin/postings?tenant=" + other.Slug,
		"/admin/proof/export?what=journal&first=2026-11-01&last=2026-11-02&of=" + other.Slug, fmt.Sprintf("/admin/proof/file?run=%d", all)} {
		a := b.get(at)
		a.want(http.StatusNotFound, at)
		if a.status == http.StatusNotFound && !strings.Contains(a.body, "There is no such page, or it is not yours to see.") {
			t.Errorf("%s: %.300s", at, a.body)
		}
		if got := operator.get(at).status; got == http.StatusNotFound {
			t.Errorf("an operator gets %d for %s", got, at)
		}
	}
	for _, form := range []string{"/admin/unclaimed/" + u.ID + "/ignore", "/admin/postings/" + p.ID + "/mark", fmt.Sprintf("/admin/runs/%d/apply", run)} {
		b.post(form, "reason", "mine", "from", "refused").want(http.StatusNotFound, form)
	}
	b.post("/admin/events/replay", "event", e.ID).want(http.StatusNotFound, "a replay of theirs")
	for _, list := range []string{"/admin/unclaimed", "/admin/postings", "/admin/events"} {
		if n := b.get(list).document().Find("[data-testid=row]").Length(); n != 0 {
			t.Errorf("%s shows %d rows of another tenant", list, n)
		}
		if n := operator.get(list).document().Find("[data-testid=row]").Length(); n != 1 {
			t.Errorf("%s shows an operator %d rows", list, n)
		}
		if body := b.get(list + ".csv").body; strings.Contains(body, "_theirs") || strings.Count(body, "\r\n") != 1 {
			t.Errorf("%s.csv has %q", list, body)
		}
	}
}

func TestAViewerDecidesNothingAboutTheBooks(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	u, p := o.held(o.tenant.ID, "pi_stray"), o.posting(o.tenant.ID, pay.PostingRefused)
	b, _ := o.in(staff.TenantViewer)
	for _, at := range []string{"/admin", "/admin/proof", "/admin/unclaimed", "/admin/unclaimed/" + u.ID, "/admin/postings/" + p.ID, "/admin/sweeps"} {
		a := b.get(at)
		a.want(http.StatusOK, at)
		if n := a.document().Find("main form[method=post]").Length(); n > 0 {
			t.Errorf("%s offers %d forms", at, n)
		}
	}
	b.get("/admin/events").want(http.StatusForbidden, "the events")
	for _, form := range []string{"/admin/unclaimed/" + u.ID + "/refund", "/admin/unclaimed/" + u.ID + "/assign", "/admin/postings/" + p.ID + "/mark", "/admin/events/replay", "/admin/proof/verify", "/admin/sweeps"} {
		b.post(form, "reason", "r").want(http.StatusForbidden, form)
	}
	admin, _ := o.in(staff.TenantAdmin)
	admin.post("/admin/sweeps").want(http.StatusForbidden, "a sweep of everybody's by a tenant's administrator")
}

func TestUnclaimedMoneyIsDecidedOnAPage(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	c := storetest.Customer(t, o.store, o.tenant.ID)
	u := o.held(o.tenant.ID, "pi_stray")
	b, p := o.in(staff.TenantAdmin)
	at := "/admin/unclaimed/" + u.ID
	page := b.get(at)
	if page.want(http.StatusOK, at); strings.Contains(page.body, "<b>for it") || !strings.Contains(page.body, "=nobody asked") {
		t.Error("the detail is not shown as a text")
	}
	for query, says := range map[string]string{"act=assign&reason=r": "Name a customer or an order", "act=assign&reason=r&customer=12x": "digits alone", "act=assign&customer=1&order=ord_1&reason=r": "one of the two",
		"act=assign&customer=5&reason=+": "Give a reason", "act=refund&amount=1.234": "The amount is none", "act=refund&amount=-1": "The amount is none", "act=fly": "What is to be done", "act=refund&stripe_reason=mood": "no such reason",
		"act=ignore&reason=" + strings.Repeat("a", 501): "longer than 500"} {
		a := b.get(at + "/confirm?" + query)
		if a.want(http.StatusUnprocessableEntity, query); !strings.Contains(words(a.document().Find(".flash.bad")), says) {
			t.Errorf("%s: %q", query, words(a.document().Find(".flash.bad")))
		}
	}
	if got, _ := b.get(at + "/confirm?act=assign&customer=12x&reason=typed").document().Find("#customer").Attr("value"); got != "12x" {
		t.Errorf("what was typed is gone: %q", got)
	}
	confirm := b.get(fmt.Sprintf("%s/confirm?act=assign&customer=%d&reason=%s", at, c.ICustomer, url.QueryEscape("paid by an old link")))
	confirm.want(http.StatusOK, "the confirmation")
	form := confirm.document().Find("main form[method=post]")
	action, _ := form.Attr("action")
	var fields []string
	form.Find("input[type=hidden]").Each(func(_ int, s *goquery.Selection) {
		name, _ := s.Attr("name")
		value, _ := s.Attr("value")
		fields = append(fields, name, value)
	})
	o.pass(11 * time.Minute)
	o.entries()
	stale := b.post(action, fields...)
	stale.want(http.StatusForbidden, "without a fresh password")
	if !strings.Contains(stale.body, "Your password again") {
		t.Errorf("it does not ask for the password: %.300s", stale.body)
	}
	b.post("/admin/again", "password", goodPassword, "next", at).want(http.StatusSeeOther, "the password")
	o.entries()
	b.post(action, fields...).want(http.StatusSeeOther, "the decision")
	entries := o.entries()
	if len(entries) != 1 || entries[0].What != "unclaimed_assign" || entries[0].Refused || entries[0].Subject != u.ID || entries[0].Actor != p.ID || entries[0].TenantID != o.tenant.ID {
		t.Errorf("the log has %+v", entries)
	}
	now, err := o.store.UnclaimedByID(context.Background(), o.tenant.ID, u.ID)
	if err != nil || now.State != pay.UnclaimedAssigned || now.CustomerID != c.ID || now.Decision.Reason != "paid by an old link" || now.Decision.Cause != (pay.Cause{Kind: pay.CauseStaff, ID: p.ID}) {
		t.Errorf("the case is %+v, %v", now, err)
	}
	if again := b.post(at+"/ignore", "reason", "no"); again.status != http.StatusSeeOther {
		t.Errorf("another decision answered %d", again.status)
	}
	if got := words(b.get(at).document().Find(".flash.bad")); !strings.Contains(got, "decided already") {
		t.Errorf("it says %q", got)
	}
	if entries := o.entries(); len(entries) != 1 || !entries[0].Refused {
		t.Errorf("the refused one is %v", acts(entries))
	}
}

func TestAPostingIsMarkedDoneOnAPage(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	p, sending := o.posting(o.tenant.ID, pay.PostingNeedsReview), o.posting(o.tenant.ID, pay.PostingSending)
	b, _ := o.in(staff.TenantAdmin)
	at := "/admin/postings/" + p.ID
	b.get(at+"/confirm?reason=").want(http.StatusUnprocessableEntity, "no reason")
	b.get("/admin/postings/"+sending.ID+"/confirm?reason=r").want(http.StatusUnprocessableEntity, "one that is being sent")
	b.get(at+"/confirm?reason=entered+by+hand").want(http.StatusOK, "the confirmation")
	o.entries()
	b.post(at+"/mark", "from", "pending", "reason", "entered by hand").want(http.StatusSeeOther, "from another state")
	if got := words(b.get(at).document().Find(".flash.bad")); !strings.Contains(got, "by now") {
		t.Errorf("it says %q", got)
	}
	b.post(at+"/mark", "from", "needs_review", "reason", "entered by hand").want(http.StatusSeeOther, "the mark")
	b.post("/admin/postings/"+sending.ID+"/mark", "reason", "r").want(http.StatusSeeOther, "one that is being sent")
	if got := acts(o.entries()); !cmp.Equal(got, []string{"refused posting_mark", "posting_mark", "refused posting_mark"}) {
		t.Errorf("the log has %v", got)
	}
	now, err := o.store.PostingByID(context.Background(), o.tenant.ID, p.ID)
	if err != nil || now.State != pay.PostingPosted {
		t.Errorf("it is %+v, %v", now, err)
	}
}

func TestAReplayIsTriedBeforeItIsDone(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.work()
	failed := o.event(o.tenant.ID, "pi_nobody", pay.EventFailed, "{}")
	o.event(o.tenant.ID, "pi_else", pay.EventApplied, "{}")
	b, p := o.in(staff.TenantAdmin)
	at, page := b.over(b.post("/admin/events/replay", "state", "failed"))
	if rows := page.document().Find("[data-testid=row]"); rows.Length() != 1 || !strings.Contains(words(rows), "pi_nobody") {
		t.Errorf("the dry run shows %q", words(rows))
	}
	kept, err := o.store.EventByID(context.Background(), o.tenant.ID, failed.ID)
	if err != nil || kept.State != pay.EventFailed {
		t.Fatalf("the dry run changed the event to %s, %v", kept.State, err)
	}
	if page.document().Find("[data-testid=apply]").Length() == 1 {
		applied, _ := b.over(b.post(at + "/apply"))
		if again := b.post(at + "/apply").header.Get("Location"); again != applied {
			t.Errorf("pressed twice it is %s and %s", applied, again)
		}
		if done := b.get(applied).document(); words(done.Find("h1")) != "Replay" {
			t.Errorf("the replay's page is %q", words(done.Find("h1")))
		}
	}
	b.post("/admin/events/replay", "state", "failed", "since", "yesterday").want(http.StatusBadRequest, "a day that is none")
	b.post("/admin/events/replay", "q", "pi_unknown").want(http.StatusSeeOther, "nothing that matches")
	found := false
	for _, e := range o.entries() {
		found = found || e.What == "replay_dry_run" && e.Actor == p.ID && strings.HasPrefix(e.After, "1 events")
	}
	if !found {
		t.Error("the dry run is not in the audit log")
	}
}

func TestAnEventsPayloadNamesNobody(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	e := o.event(o.tenant.ID, "pi_1", pay.EventApplied, `{"id":"evt_1abcdefgh","type":"payment_intent.succeeded","data":{"object":{"id":"pi_3AbCdEfGh","amount":1250,"client_secret":"pi_3AbCdEfGh_secret_zzz",
		"receipt_email":"canary.lovelace@example.com","description":"for Ada","metadata":{"Ada's mother":"Anne","portatill_order":"ord_01"},"charges":{"data":[{"billing_details":{"name":"Ada","address":{"line1":"12 Exchange Street"},
		"phone":"+44 1603"},"payment_method_details":{"card":{"brand":"visa","last4":"4242"}}}]},"latest_charge":"ch_3AbCdEfGh","next":"https://pay.example/canary","key":"sk_test_canarycanary"}}}`)
	b, _ := o.in(staff.TenantAdmin)
	body := b.get("/admin/events/" + e.ID).document().Find("[data-testid=payload]").Text()
	for _, secret := range []string{"canary", "Ada", "Anne", "Exchange", "1603", "4242", "_secret_", "zzz"} {
		if strings.Contains(body, secret) {
			t.Errorf("the payload shows %q", secret)
		}
	}
	for _, kept := range []string{`"amount": 1250`, "pi_3AbCdEfGh", "ch_3AbCdEfGh", `"brand": "visa"`, "payment_intent.succeeded"} {
		if !strings.Contains(body, kept) {
			t.Errorf("the payload lacks %q: %s", kept, body)
		}
	}
}

func TestTheBooksAreProvedAndTakenAway(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.work()
	o.sold()
	b, _ := o.in(staff.Operator)
	day := storetest.Now.Format(time.DateOnly)
	for _, bad := range [][2]string{{"", day}, {day, "x"}, {"2026-03-05", day}, {"2024-01-01", day}, {"0001-01-01", "9999-12-31"}} {
		a := b.post("/admin/proof", "from", bad[0], "until", bad[1])
		a.want(http.StatusUnprocessableEntity, strings.Join(bad[:], " to "))
		if got, _ := a.document().Find("#f-from").Attr("value"); got != bad[0] {
			t.Errorf("what was typed is %q", got)
		}
	}
	at, page := b.over(b.post("/admin/proof", "from", day, "until", day))
	d := page.document()
	if rows := d.Find("[data-testid=row]"); rows.Length() != 1 || !strings.Contains(words(rows), "14.40") {
		t.Errorf("the proof shows %q", words(rows))
	}
	sheet := b.get(strings.Replace(at, "/admin/proof?", "/admin/proof/file?format=csv&", 1))
	lines, err := csv.NewReader(strings.NewReader(sheet.body)).ReadAll()
	if err != nil || len(lines) < 5 || lines[0][0] != "day" || !strings.Contains(sheet.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("the CSV is %v, %v", lines, err)
	}
	if body := b.get(strings.Replace(at, "/admin/proof?", "/admin/proof/file?format=json&", 1)).body; !strings.Contains(body, `"unexplained"`) {
		t.Errorf("the JSON is %.200s", body)
	}
	journal := b.get("/admin/proof/export?what=journal&first=" + day + "&last=" + day)
	if lines, err := csv.NewReader(strings.NewReader(journal.body)).ReadAll(); err != nil || len(lines) != 3 || lines[0][0] != "tenant" {
		t.Errorf("the journal is %v, %v", lines, err)
	}
	for _, bad := range []string{"what=journal&first=x&last=y", "what=fly&first=" + day + "&last=" + day, "what=statement&first=" + day + "&last=" + day + "&customer=me"} {
		b.get("/admin/proof/export?"+bad).want(http.StatusBadRequest, bad)
	}
	_, verified := b.over(b.post("/admin/proof/verify"))
	if !strings.Contains(words(verified.document().Find("[data-testid=run]")), "Found") {
		t.Errorf("the verification says %q", words(verified.document().Find("[data-testid=run]")))
	}
	_, swept := b.over(b.post("/admin/sweeps"))
	if !strings.Contains(words(swept.document().Find("main")), "Asked Stripe about") {
		t.Errorf("the sweep says %q", words(swept.document().Find("main")))
	}
}

func TestListsOfTheBooksPageByIdAndTakeNoNonsense(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	other, _ := o.addTenant()
	for i := range 60 {
		o.posting([]string{o.tenant.ID, other.ID}[i%2], []pay.PostingState{pay.PostingRefused, pay.PostingNeedsReview, pay.PostingPosted}[i%3])
	}
	b, _ := o.in(staff.Operator)
	seen := map[string]bool{}
	pages := 0
	for at := "/admin/postings?state=attention"; at != ""; pages++ {
		d := b.get(at).document()
		d.Find("[data-testid=row] a").Each(func(_ int, s *goquery.Selection) { href, _ := s.Attr("href"); seen[href] = true })
		at, _ = d.Find("[data-testid=older]").Attr("href")
	}
	if len(seen) != 40 || pages != 1 {
		t.Errorf("%d postings on %d pages", len(seen), pages)
	}
	first := b.get("/admin/postings").document()
	older, _ := first.Find("[data-testid=older]").Attr("href")
	if n := b.get(older).document().Find("[data-testid=row]").Length(); first.Find("[data-testid=row]").Length() != 50 || n != 10 {
		t.Errorf("the second page has %d rows", n)
	}
	if n := strings.Count(b.get("/admin/postings.csv?kind=dispute&state=posted").body, "\r\n"); n != 21 {
		t.Errorf("the file has %d lines", n)
	}
	for _, list := range []string{"/admin/postings", "/admin/unclaimed", "/admin/events"} {
		for _, query := range []string{"state=flying", "after=x", "after=%00", "after=" + strings.Repeat("9", 5000), "q=" + strings.Repeat("a", 4000), "state=%ff%fe"} {
			b.get(list+"?"+query).want(http.StatusBadRequest, list+"?"+query[:min(len(query), 40)])
		}
		if a := b.get(list + "?q=%3Cscript%3E"); a.status != http.StatusOK || strings.Contains(a.body, "<script>") || a.document().Find("[data-testid=empty]").Length() != 1 {
			t.Errorf("%s with a script: %d", list, a.status)
		}
	}
	for _, id := range []string{"unc_none", "x", "%00", strings.Repeat("a", 3000)} {
		for _, page := range []string{"/admin/unclaimed/", "/admin/postings/", "/admin/events/", "/admin/runs/"} {
			b.get(page+id).want(http.StatusNotFound, page+id[:min(len(id), 20)])
		}
	}
	b.get("/admin/events?since=2026-13-40").want(http.StatusBadRequest, "a day that is none")
}
