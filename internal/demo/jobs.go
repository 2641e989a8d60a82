package demo

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/portatill/portatill/pay"
)

// Jobs stands in for the queue while the story is told: the queue's clock is the machine's, and ours is not. A job is
// taken in the transaction that asks for it and run after it; one of a transaction that was rolled back settles what
// Stripe says anyway, or finds no event to mark.
type Jobs struct {
	mu       sync.Mutex
	held     []pay.SettleJob
	released bool
}

// Take keeps a job, or reports that the queue must.
func (j *Jobs) Take(job pay.Job) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	settle, ok := job.(pay.SettleJob)
	if j.released || !ok {
		return false
	}
	j.held = append(j.held, settle)
	return true
}

// Release ends the taking and returns what is not due yet, for the queue.
func (j *Jobs) Release() []pay.SettleJob {
	j.mu.Lock()
	defer j.mu.Unlock()
	left := j.held
	j.held, j.released = nil, true
	return left
}

// due removes and returns the jobs whose time has come.
func (j *Jobs) due(now time.Time) []pay.SettleJob {
	j.mu.Lock()
	defer j.mu.Unlock()
	var due []pay.SettleJob
	j.held = slices.DeleteFunc(j.held, func(job pay.SettleJob) bool {
		if job.At.After(now) {
			return false
		}
		due = append(due, job)
		return true
	})
	return due
}

// settleDown delivers what Stripe has to tell and works on what follows, until nothing is due.
func (w *world) settleDown(ctx context.Context) error {
	for range 20 {
		if err := w.Deliver(ctx); err != nil {
			return fmt.Errorf("deliver webhooks: %w", err)
		}
		due := w.Jobs.due(w.Clock.Now())
		if len(due) == 0 {
			return nil
		}
		for _, job := range due {
			if err := w.work(ctx, job); err != nil {
				return err
			}
		}
	}
	return fmt.Errorf("the jobs of %s do not end", w.Clock.Now().Format(time.DateTime))
}

// work does one job. What fails while Stripe is down is tried again when it is over, as the queue does; of some it was
// the last try, so that there are failed events to look at.
func (w *world) work(ctx context.Context, job pay.SettleJob) error {
	last := w.Weather.down() && w.report.FailedEvents < failedEvents
	err := w.Pay.SettleEvent(ctx, job, last)
	switch {
	case err == nil:
		return nil
	case !w.Weather.down():
		return fmt.Errorf("settle %s: %w", job.ObjectID, err)
	case last && job.EventID != "":
		w.report.FailedEvents++
		w.failed = append(w.failed, failedEvent{job.TenantID, job.EventID})
	default:
		job.At = w.badDay.Add(outageLasts + time.Minute)
		w.Jobs.Take(job)
	}
	return nil
}

// failedEvents is how many events are given up while Stripe is down.
const failedEvents = 4

type failedEvent struct{ tenantID, id string }
