package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/portatill/portatill/pay"
)

// job is a committed job of the queue's.
type job struct {
	row   int64
	tries int
	pay.SettleJob
}

// collectJobs reads the jobs that were committed since the last time. The table
// outlives crashes, as the queue's own does.
func (w *world) collectJobs() {
	rows, err := w.till.store.DB().QueryContext(context.Background(), "SELECT rowid, kind, job FROM test_jobs WHERE rowid > $1 ORDER BY rowid", w.lastJob)
	w.must(err, "read the jobs")
	defer rows.Close()
	for rows.Next() {
		var kind, body string
		j := &job{}
		w.must(rows.Scan(&j.row, &kind, &body), "read a job")
		if kind != (pay.SettleJob{}).JobKind() {
			w.fail("the simulator does not know jobs of kind %s", kind)
			continue
		}
		w.must(json.Unmarshal([]byte(body), &j.SettleJob), "read a job")
		w.lastJob = j.row
		w.jobs = append(w.jobs, j)
	}
	w.must(rows.Err(), "read the jobs")
}

// runSome lets the queue work on a few jobs.
func (w *world) runSome(s step) {
	for i := range 1 + s.b%4 {
		if len(w.jobs) == 0 {
			return
		}
		k := 0
		if w.options.Shuffle {
			k = (s.a + i*(1+s.c)) % len(w.jobs)
		}
		_ = w.run(w.jobs[k], s.d%8 == 0) // a failure is judged there, and the job stays
	}
}

// run works on one job. One that was done, though the queue died before it could
// note so, is worked on again later.
func (w *world) run(j *job, forgetDone bool) error {
	j.tries++
	err := w.till.pay.SettleEvent(context.Background(), j.SettleJob, false)
	w.say("queue: job %d (%s): %s", j.row, w.plain(j.ObjectID), w.plain(said(err)))
	if err != nil {
		w.judge(err, "job "+w.plain(j.ObjectID))
		return err
	}
	if !forgetDone {
		for k, known := range w.jobs {
			if known == j {
				w.jobs = append(w.jobs[:k:k], w.jobs[k+1:]...)
				break
			}
		}
	}
	return nil
}

func said(err error) string {
	if err != nil {
		return "failed: " + err.Error()
	}
	return "done"
}

// judge holds an error of the rules to there being a reason for it.
func (w *world) judge(err error, what string) {
	trouble := w.fault.kind != "" || len(w.net.kept) > 0
	if pay.CodeOf(err) == "" && !isStripeFault(err) || !trouble {
		w.fail("%s failed: %s; fault %q", what, w.plain(err.Error()), w.fault.kind)
	}
}

func isStripeFault(err error) bool {
	var f *pay.StripeFault
	return asFault(err, &f)
}

// staff do by hand what otherwise the clock does.
func (w *world) staff(what string, s step) {
	ctx := context.Background()
	switch what {
	case "sweep":
		w.sweep()
	case "settle":
		if len(w.orders) == 0 {
			return
		}
		o := w.orders[s.a%len(w.orders)]
		done, err := w.till.pay.Settle(ctx, o.c.t.row.ID, o.id, pay.Cause{Kind: pay.CauseStaff, ID: "staff"})
		w.say("staff: settle order %d: %s %s", o.n, done.Outcome, w.plain(said(err)))
		if err != nil {
			w.judge(err, "settle")
		}
	case "refund":
		w.refund(s)
	}
}

// sweep asks about every attempt that is due, one after the other: the order in
// which goroutines run is nothing a seed could give again.
func (w *world) sweep() {
	ctx := context.Background()
	due, err := w.till.store.AttemptsDue(ctx, w.clock.till(), 1000)
	w.must(err, "list what is due")
	asked, failed := 0, 0
	refunds, err := w.till.store.RefundRequestsDue(ctx, w.clock.till(), 1000)
	w.must(err, "list the refunds that are due")
	for range max(len(due), len(refunds)) {
		done, err := w.till.pay.Sweep(ctx, 1)
		if err != nil {
			w.judge(err, "sweep")
			break
		}
		asked, failed = asked+done.Asked, failed+done.Failed
	}
	listed, settled := 0, 0
	for _, t := range w.tenants {
		stored, err := w.till.store.TenantByID(ctx, t.row.ID)
		w.must(err, "read a tenant")
		done, err := w.till.pay.SweepObjects(ctx, stored)
		if err != nil {
			w.judge(err, "list what Stripe has")
		}
		listed, settled, failed = listed+done.Listed, settled+done.Settled, failed+done.Failed
	}
	if err := w.till.pay.CloseDays(ctx); err != nil {
		w.judge(err, "close the days")
	}
	if settled > 0 {
		w.reach("sweep: found what nobody told")
	}
	if failed > 0 && w.fault.kind == "" && len(w.net.kept) == 0 {
		w.fail("the sweep failed %d times; the log says: %s", failed, w.plain(w.log.take()))
	}
	w.say("sweep: asked about %d of %d payments and %d refunds, settled %d of %d that Stripe listed, %d failed", asked, len(due), len(refunds), settled, listed, failed)
}

// refund gives money back as our own page and the API do: with a key, which gives
// the same refund again, or without one.
func (w *world) refund(s step) {
	paid := w.column("SELECT order_id FROM payments")
	var some []*order
	for _, o := range w.orders {
		if slices.Contains(paid, o.id) || s.a%16 == 0 {
			some = append(some, o)
		}
	}
	if len(some) == 0 {
		return
	}
	o := some[s.a/16%len(some)]
	in := pay.RefundOrder{TenantID: o.c.t.row.ID, OrderID: o.id, Cause: pay.Cause{Kind: pay.CauseStaff, ID: "staff"}}
	again := s.d%4 == 0 && len(w.refunds) > 0
	if again {
		in = w.refunds[s.b%len(w.refunds)]
	} else {
		stored, err := w.till.store.OrderByID(context.Background(), in.TenantID, in.OrderID)
		w.must(err, "read an order")
		if s.b%2 == 0 {
			in.Amount = pay.Money{Minor: int64(1 + s.b%50*10), Currency: stored.Cart.Currency}
		}
		if s.c%2 == 0 {
			in.Key = fmt.Sprintf("refund-%d", len(w.refunds))
		}
		w.refunds = append(w.refunds, in)
	}
	made, err := w.till.pay.Refund(context.Background(), in)
	code := string(pay.CodeOf(err))
	if made != nil && err == nil {
		code = string(made.State)
	}
	w.say("staff: refund %s (key %q, again %t): %s", in.Amount, in.Key, again, code)
	w.reach("staff: refund: " + code)
	switch pay.CodeOf(err) {
	case pay.CodeInvalidAmount, pay.CodeAmountTooLarge, pay.CodeStripeError:
	default:
		if err != nil {
			w.judge(err, "refund")
		}
	}
}
