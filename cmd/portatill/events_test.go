package main

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portatill/portatill/pay"
)

func (s *shell) events(args ...string) []shownEvent {
	s.t.Helper()
	var list []shownEvent
	s.json(&list, append([]string{"events", "list", "--json"}, args...)...)
	return list
}

// replays runs `events replay` and returns its answer and exit code.
func (s *shell) replays(args ...string) (answer replay, code int) {
	s.t.Helper()
	r := s.run(append([]string{"events", "replay", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(r.out), &answer); err != nil {
		s.t.Fatalf("events replay %v: exit code %d, %v: %s %s", args, r.code, err, r.out, r.err)
	}
	return answer, r.code
}

// deaf is the shell of a till that was stopped before its customer paid, beside the double
// that is up; it heard of the payment by events that all gave up.
func deaf(t *testing.T) (*shell, *running, order) {
	t.Helper()
	s := newShell(t)
	box := s.start(func(r *running) bool { return strings.Contains(r.out.String(), "is ready at ") }, "sandbox")
	_, rest, _ := strings.Cut(box.out.String(), "is ready at ")
	box.ready.SandboxURL, _, _ = strings.Cut(rest, " ")
	s.env["PORTATILL_SANDBOX"] = box.ready.SandboxURL
	r := s.serve()
	o := r.request(42)
	res, err := browser.PostForm(o.Url, nil)
	if status, body := r.read(res, err); status != http.StatusSeeOther {
		t.Fatalf("the pay button: %d %.300s", status, body)
	}
	if code := r.stop(); code != 0 {
		t.Fatalf("the till ended with %d: %s", code, r.errOut)
	}
	box.payAt(res.Header.Get("Location"))
	s.inside(func(ctx context.Context, in *opened) {
		demo, err := in.store.TenantBySlug(ctx, demoSlug)
		if err != nil {
			t.Fatal(err)
		}
		attempts, err := in.store.ListAttempts(ctx, demo.ID, o.OrderId)
		if err != nil || len(attempts) != 1 {
			t.Fatalf("%d attempts, %v", len(attempts), err)
		}
		session, err := in.gate.Session(ctx, demo, attempts[0].SessionID)
		if err != nil {
			t.Fatal(err)
		}
		// They were told of, and given up.
		for i, e := range []pay.Event{{StripeID: "evt_session", Type: "checkout.session.completed", ObjectID: session.ID}, {StripeID: "evt_intent", Type: "payment_intent.succeeded", ObjectID: session.IntentID},
			{StripeID: "evt_charge", Type: "charge.succeeded", ObjectID: session.IntentID}, {StripeID: "evt_old", Type: "charge.succeeded", ObjectID: session.IntentID}, {StripeID: "evt_product", Type: "product.created"}} {
			at := now().Add(time.Duration(i-10) * time.Second)
			if e.StripeID == "evt_old" {
				at = at.Add(-48 * time.Hour)
			}
			e.ID, e.TenantID, e.Payload, e.APIVersion, e.ReceivedAt, e.DoneAt = pay.NewID("evn", at), demo.ID, []byte("{\n  \"email\": \"ada@example.com\"}"), "2023-10-16", at, at
			e.State, e.Note = pay.EventFailed, "gave up; replay it when the cause is mended"
			if e.ObjectID == "" {
				e.State, e.Note = pay.EventIgnored, ""
			}
			if err := in.store.InTx(ctx, func(tx pay.Tx) error { _, err := tx.InsertEvent(ctx, &e); return err }); err != nil {
				t.Fatal(err)
			}
		}
	})
	return s, box, o
}

func dials(t *testing.T, r *running, body string) {
	t.Helper()
	res, err := browser.Post(r.ready.SandboxURL+"/_sandbox/dials", "application/json", strings.NewReader(body))
	if status, text := r.read(res, err); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
}

func TestEventsAreListedShownAndReplayed(t *testing.T) {
	t.Parallel()
	s, _, o := deaf(t)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"All":       {nil, "evt_product evt_charge evt_intent evt_session evt_old"},
		"ByType":    {[]string{"--type", "charge.succeeded"}, "evt_charge evt_old"},
		"ByState":   {[]string{"--state", "ignored", "--tenant", "demo"}, "evt_product"},
		"Since":     {[]string{"--since", "24h", "--state", "failed"}, "evt_charge evt_intent evt_session"},
		"FirstPage": {[]string{"--limit", "2"}, "evt_product evt_charge"},
	} {
		ids := []string{}
		for _, e := range s.events(c.args...) {
			ids = append(ids, e.StripeID)
		}
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	page := s.ok("events", "list", "--limit", "2")
	_, after, more := strings.Cut(page, "--after ")
	if !more || len(s.events("--after", strings.TrimSpace(after))) != 3 || strings.Contains(page, "ada@") {
		t.Errorf("got %s", page)
	}
	shown := s.ok("events", "show", "evt_intent") + s.ok("events", "show", "evt_intent", "--json")
	if strings.Contains(shown, "ada@example.com") || !strings.Contains(shown, "payment_intent.succeeded") {
		t.Errorf("got %s", shown)
	}
	if raw := s.ok("events", "show", "evt_intent", "--payload"); raw != "{\n  \"email\": \"ada@example.com\"}" {
		t.Errorf("the payload is %q", raw)
	}
	var whole wholeEvent
	if s.json(&whole, "events", "show", s.events("--limit", "1")[0].ID, "--json", "--payload"); whole.Payload == nil || whole.Bytes != len(*whole.Payload) {
		t.Errorf("got %+v", whole)
	}

	// A dry run tells the payment once, and changes nothing.
	dry, code := s.replays("--state", "failed")
	if code != 0 || dry.Applied || dry.Events != 4 || len(dry.Objects) != 2 || dry.Changed != 1 || dry.Unchanged != 1 || dry.Failed != 0 {
		t.Fatalf("exit code %d: %+v", code, dry)
	}
	if !slices.ContainsFunc(dry.Objects[0].Changes, func(c string) bool { return strings.Contains(c, "order "+o.OrderId+" open → paid") }) || dry.Objects[1].SameAs != dry.Objects[0].Object {
		t.Errorf("%+v", dry.Objects)
	}
	text := s.ok("events", "replay", "--state", "failed", "--tenant", "demo")
	for _, want := range []string{"would: order " + o.OrderId + " open → paid", "would: event evt_session failed → applied", "would: event evt_old failed → applied", "stripe_balance +", ", customer −", "the same as", "this was a dry run", "4 events of 2 objects: 1 would change"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	if got := s.orders("--state", "paid"); len(got) != 0 || len(s.events("--state", "failed")) != 4 {
		t.Errorf("a dry run paid %v, or looked at events", got)
	}

	// One, then those of a type, then all that are left; then again.
	one, code := s.replays("evt_intent", "evt_intent", "--yes")
	if code != 0 || one.Events != 1 || one.Changed != 1 || one.Outcomes["applied"] != 1 {
		t.Errorf("exit code %d: %+v", code, one)
	}
	if got := s.orders("--state", "paid"); !slices.Equal(got, []string{o.OrderId}) {
		t.Errorf("paid: %v", got)
	}
	credit := s.credit()
	for _, args := range [][]string{{"--type", "charge.succeeded"}, {"--since", "1000h"}, {"--since", "1000h"}} {
		rest, code := s.replays(append(args, "--yes")...)
		if code != 0 || rest.Changed != 0 || rest.Failed != 0 || rest.Events == 0 {
			t.Errorf("%v: exit code %d: %+v", args, code, rest)
		}
	}
	for _, e := range s.events("--type", "charge.succeeded") {
		if e.State != "applied" || !strings.Contains(e.Note, "was failed: gave up") {
			t.Errorf("%+v", e)
		}
	}
	if credit == "" || s.credit() != credit {
		t.Errorf("the customer's credit was %s, and is %s", credit, s.credit())
	}
	if text := s.ok("events", "replay", "--state", "failed", "--yes"); !strings.Contains(text, "no such events") {
		t.Errorf("got %s", text)
	}
}

func TestAReplayThatStripeDoesNotAnswerIsExitCode1AndCanBeRepeated(t *testing.T) {
	t.Parallel()
	s, r, o := deaf(t)
	dials(t, r, `{"api_error_rate":1}`)
	for _, args := range [][]string{{"--since", "24h"}, {"--since", "24h", "--yes"}} {
		if got, code := s.replays(args...); code != 1 || got.Failed != 2 || got.Changed != 0 || !strings.Contains(got.Objects[0].Error+got.Objects[1].Error, "unavailable") {
			t.Errorf("%v: exit code %d: %+v", args, code, got)
		}
	}
	if n := len(s.events("--state", "failed")); n != 4 {
		t.Errorf("%d events are failed", n)
	}
	dials(t, r, `{"api_error_rate":0}`)
	if got, code := s.replays("--since", "24h", "--yes"); code != 0 || got.Failed != 0 {
		t.Errorf("exit code %d: %+v", code, got)
	}
	if got := s.orders("--state", "paid"); !slices.Equal(got, []string{o.OrderId}) {
		t.Errorf("paid: %v", got)
	}
}

func TestAWrongQuestionAboutEventsIsRefused(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	for _, args := range [][]string{{"nope"}, {"list", "x"}, {"list", "--state", "lost"}, {"list", "--since", "-1h"}, {"list", "--since", "0s"}, {"list", "--limit", "0"}, {"list", "--limit", "1001"}, {"list", "--after", "evt_1"},
		{"show"}, {"show", "a", "b"}, {"show", "pi_1"}, {"replay"}, {"replay", "evt_1", "--state", "failed"}, {"replay", "--yes"}, {"replay", "--tenant", "x"}, {"replay", "--state", "lost"}, {"replay", "nonsense"}} {
		if r := s.run(append([]string{"events"}, args...)...); r.code != 2 || !strings.Contains(r.err, "--help") || r.out != "" {
			t.Errorf("%v: exit code %d, out %q, err %q", args, r.code, r.out, r.err)
		}
	}
	for want, args := range map[string][]string{"there is no event evt_1": {"show", "evt_1"}, "there is no event evn_1": {"replay", "evn_1", "--yes"}, `no tenant "x"`: {"list", "--tenant", "x"}, `no tenant "y"`: {"replay", "--since", "1h", "--tenant", "y"}} {
		if r := s.run(append([]string{"events"}, args...)...); r.code != 1 || !strings.Contains(r.err, want) {
			t.Errorf("%v: exit code %d, %s", args, r.code, r.err)
		}
	}
}
