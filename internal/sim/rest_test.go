package sim

import (
	"slices"
	"strings"
	"time"

	"github.com/portatill/portatill/pay"
)

// rest ends the faults and lets everything that has begun come to its end: mail
// arrives, jobs run, portals ask again what they had no answer to, debits settle,
// sessions expire, the sweep asks. Then the books are proved.
func (w *world) rest() {
	w.resting, w.fault, w.meanwhile = true, fault{}, nil
	w.say("-- the faults stop")
	w.clock.set(0)
	w.net.quiet()
	w.clock.add(5 * time.Minute) // what was not answered is looked for soon, while keys are still good
	w.settleDown()
	w.checkOpenSessions()
	for _, q := range w.requests {
		if q.serial%3 == 0 {
			continue // a portal that never asks again: the sweep has to find out
		}
		if !q.known && w.options.Skew {
			// An attempt that was stored while the clock was wrong asks for a session that
			// Stripe does not give; the answer closes it, and the next has another.
			w.fault.kind = "the clock was wrong"
			w.send(q, q.serial, false)
			w.fault = fault{}
		}
		if !q.known {
			w.send(q, q.serial, false)
		}
		w.collect()
	}
	w.settleDown()
	for _, o := range w.orders {
		if o.token != "" && o.n%3 == 0 {
			w.comeBack(o)
		}
	}
	for _, d := range []time.Duration{25 * time.Hour, 5 * 24 * time.Hour, 25 * time.Hour} {
		w.clock.add(d)
		w.say("%s pass", d)
		w.settleDown()
	}
	w.prove()
}

// settleDown delivers and works until nothing is left, and sweeps.
func (w *world) settleDown() {
	w.drain()
	w.sweep()
	w.drain()
	w.checkStep()
	if len(w.mail)+len(w.jobs) > 0 {
		w.fail("I-28: %d events and %d jobs cannot be done with", len(w.mail), len(w.jobs))
	}
}

func (w *world) drain() {
	for range 10 {
		w.collect()
		if len(w.mail)+len(w.jobs) == 0 {
			return
		}
		for _, l := range slices.Clone(w.mail) {
			w.deliver(l)
		}
		w.collect()
		for _, j := range slices.Clone(w.jobs) {
			_ = w.run(j, false) // a failure is judged there, and the job stays
		}
	}
}

// prove is every check there is.
func (w *world) prove() {
	w.say("-- at rest")
	for _, query := range []string{"SELECT 'order ' || kind || ' ' || state FROM orders", "SELECT 'attempt ' || kind || ' ' || state FROM attempts",
		"SELECT 'refund ' || state FROM refunds", "SELECT 'unclaimed ' || reason FROM unclaimed", "SELECT 'event ' || state FROM events",
		"SELECT 'entry ' || kind FROM ledger_entries", "SELECT 'dispute ' || state FROM disputes", "SELECT 'refund asked for ' || state FROM refund_requests"} {
		for _, row := range w.column(query) {
			w.reach("at rest: " + row)
		}
	}
	w.checkBooks()
	w.checkMoney()
	w.checkProof()
	w.checkIntents()
	w.checkEvents()
	w.checkOneEach()
	w.checkRequests()
	for _, row := range w.column("SELECT id || ' ' || state || ' ' || tenant_id FROM orders WHERE state IN ('draft', 'open', 'processing')") {
		w.fail("I-28: an order has come to rest as %s: %s", strings.Fields(row)[1], w.storyOf(strings.Fields(row)[0]))
	}
	for _, row := range w.column("SELECT a.state || ' of an order that is ' || o.state || ': ' || o.id FROM attempts a JOIN orders o ON o.id = a.order_id WHERE a.state IN ('created', 'open', 'processing')") {
		text, order, _ := strings.Cut(row, ": ")
		w.fail("I-28: an attempt has come to rest as %s: %s", text, w.storyOf(order))
	}
	for range w.column("SELECT id FROM refund_requests WHERE state = 'requested'") {
		w.fail("I-28: a refund that was asked for has come to rest without an answer")
	}
	for _, row := range w.column("SELECT state_reason FROM orders WHERE state = 'mismatch'") {
		w.fail("nobody lied, and yet an order is a mismatch: %s", row)
	}
	for _, o := range w.orders {
		w.checkDurable(o, nil)
	}
	if len(w.faults) > 0 {
		return
	}
	before := w.dump()
	for _, l := range w.sent {
		if w.acked[l.id] != nil {
			w.deliver(l)
		}
	}
	w.settleDown()
	for _, o := range w.orders {
		if o.n%4 == 0 && w.state(o.c.t, o.id) == pay.OrderPaid {
			w.comeBack(o)
		}
	}
	if after := w.dump(); after != before {
		w.fail("I-29: a second sweep and delivery changed something: %s", w.plain(difference(before, after)))
	}
	w.checkBooks()
}

// storyOf tells what happened to an order.
func (w *world) storyOf(id string) string {
	return w.plain(strings.Join(w.column("SELECT what || ' ' || detail FROM story WHERE order_id = $1 ORDER BY id", id), "; "))
}

// quiet makes Stripe forget the errors it keeps, as it does after a day.
func (n *network) quiet() { n.kept = map[string]kept{} }
