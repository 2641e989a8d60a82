package pay_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// told is bought, and Stripe's events are stored; nobody has looked at them.
func told(w *paytest.World) *pay.Order {
	w.T.Helper()
	o := bought(w)
	for _, e := range w.Events() {
		if status := w.Deliver(e); status != http.StatusOK {
			w.T.Fatalf("%s was answered %d", e.ID, status)
		}
	}
	return o
}

// heard are the stored events, newest first.
func heard(w *paytest.World, states ...pay.EventState) []*pay.Event {
	w.T.Helper()
	if len(states) == 0 {
		states = []pay.EventState{""}
	}
	var all []*pay.Event
	for _, state := range states {
		events, err := w.Store.ListEvents(context.Background(), pay.EventFilter{TenantID: w.Tenant.ID, State: state})
		if err != nil {
			w.T.Fatal(err)
		}
		all = append(all, events...)
	}
	return all
}

func replay(w *paytest.World, apply bool) []pay.Replayed {
	w.T.Helper()
	done, err := w.Pay.Replay(context.Background(), heard(w), apply)
	if err != nil {
		w.T.Fatal(err)
	}
	return done
}

func TestReplayedEventsBookWhatStripeSays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		w := paytest.Setup(t, open(t))
		o := told(w)
		before := w.Dump(true)
		dry := replay(w, false)
		if diff := cmp.Diff(before, w.Dump(true)); diff != "" {
			t.Errorf("a dry run changed something: %s", diff)
		}
		if len(dry) == 0 || len(dry) >= len(heard(w)) {
			t.Fatalf("%d objects of %d events", len(dry), len(heard(w)))
		}
		seen, changing := map[string]bool{}, 0
		for _, r := range dry {
			if seen[r.ObjectID] || r.Err != nil {
				t.Errorf("%s twice, or %v", r.ObjectID, r.Err)
			}
			seen[r.ObjectID] = true
			if len(r.Changes) > 0 {
				changing++
			}
		}
		if changing == 0 {
			t.Error("the dry run found nothing to change")
		}
		changed := 0
		for _, r := range replay(w, true) {
			if r.Err != nil {
				t.Errorf("%s: %v", r.ObjectID, r.Err)
			}
			if len(r.Changes) > 0 {
				changed++
			}
		}
		if changed != 1 { // the first object of the payment books it, the others find it booked
			t.Errorf("%d objects changed something", changed)
		}
		w.Check(o.ID, paid)
		after := w.Dump(true)
		for range 2 { // harmless when repeated
			for _, r := range replay(w, true) {
				if r.Err != nil || len(r.Changes) > 0 {
					t.Errorf("again: %s: %v, %v", r.ObjectID, r.Changes, r.Err)
				}
			}
		}
		if err := w.RunJobs(); err != nil { // the jobs that waited all the time
			t.Error(err)
		}
		if diff := cmp.Diff(after, w.Dump(true)); diff != "" {
			t.Errorf("repeated, it changed something: %s", diff)
		}
		w.Check(o.ID, paid)
	})
}

func TestAReplayedEventGetsItsNewOutcomeAndKeepsWhatItWas(t *testing.T) {
	t.Parallel()
	w := paytest.Setup(t, storetest.OpenSQLite(t))
	o := told(w)
	g := w.Wrap()
	g.Session = func(*pay.StripeSession) error { return paytest.StripeSilent() }
	g.Intent = func(*pay.StripeIntent) error { return paytest.StripeSilent() }
	for _, j := range w.Jobs() {
		if err := w.Pay.SettleEvent(context.Background(), j, true); err == nil {
			t.Error("the last try did not fail")
		}
	}
	failed := heard(w, pay.EventFailed)
	if len(failed) == 0 {
		t.Fatal("no event gave up")
	}
	for _, r := range replay(w, true) { // Stripe is still silent
		if r.Err == nil {
			t.Errorf("%s was replayed", r.ObjectID)
		}
	}
	if diff := cmp.Diff(failed, heard(w, pay.EventFailed)); diff != "" {
		t.Errorf("a replay that failed changed the events: %s", diff)
	}
	w.Pay.Gateway = w.Gate
	for _, r := range replay(w, true) {
		if r.Err != nil || r.Outcome != pay.OutcomeApplied {
			t.Errorf("%s: %s, %v", r.ObjectID, r.Outcome, r.Err)
		}
	}
	for _, e := range heard(w) {
		if e.State != pay.EventApplied || !strings.Contains(e.Note, "(replayed; was failed: gave up") {
			t.Errorf("%s is %s: %s", e.Type, e.State, e.Note)
		}
	}
	w.Check(o.ID, paid)
}

func TestAnUnmatchedEventKeepsItsFirstNoteHoweverOftenItIsReplayed(t *testing.T) {
	t.Parallel()
	w := paytest.Setup(t, storetest.OpenSQLite(t))
	o := settled(w)
	deliverMade(t, w, "checkout.session", "cs_test_nobodys")
	first := heard(w)[0]
	if first.State != pay.EventUnmatched {
		t.Fatalf("the event is %s", first.State)
	}
	for range 3 {
		for _, r := range replay(w, true) {
			if r.Err != nil || r.Outcome != pay.OutcomeUnmatched || len(r.Changes) > 0 {
				t.Errorf("%+v", r)
			}
		}
	}
	if diff := cmp.Diff(first, heard(w)[0]); diff != "" {
		t.Errorf("nothing came of it, and it changed: %s", diff)
	}
	w.Check(o.ID, paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Unclaimed: []string{"not_at_stripe"}})
}

func TestAnEventThatNamesNothingIsNotReplayed(t *testing.T) {
	t.Parallel()
	w := paytest.Setup(t, storetest.OpenSQLite(t))
	w.Open()
	events := []*pay.Event{{ID: "evn_1", TenantID: w.Tenant.ID, StripeID: "evt_1", State: pay.EventIgnored}, {ID: "evn_2", TenantID: w.Tenant.ID, StripeID: "evt_2", State: pay.EventIgnored}}
	g := w.Wrap()
	done, err := w.Pay.Replay(context.Background(), events, true)
	if err != nil || len(done) != 2 || done[0].Err != nil || done[0].Note == "" || len(g.Calls()) != 0 {
		t.Errorf("%+v, %v", done, err)
	}
}
