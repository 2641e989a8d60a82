package pay

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// SweepResult counts what a sweep did.
type SweepResult struct {
	Asked   int // attempts that Stripe was asked about
	Settled int // of these, how many are final now
	Failed  int // calls that failed; they are tried again at the next sweep
}

// sweepAtOnce is how many attempts a sweep asks Stripe about at a time: far below
// Stripe's rate limit, and enough for thousands a minute.
const sweepAtOnce = 8

// Sweep asks Stripe about every attempt that is due, so that a payment closes
// also when no webhook came and no customer returned. It may run at any time,
// also twice at once.
func (s *Service) Sweep(ctx context.Context, limit int) (SweepResult, error) {
	due, err := s.Store.AttemptsDue(ctx, s.Now(), limit)
	if err != nil {
		return SweepResult{}, err
	}
	var asked, settled, failed atomic.Int64
	var group sync.WaitGroup
	slots := make(chan struct{}, sweepAtOnce)
	for _, a := range due {
		if ctx.Err() != nil {
			break
		}
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			asked.Add(1)
			final, err := s.sweepOne(ctx, a)
			if err != nil {
				failed.Add(1)
				s.Log.WarnContext(ctx, "sweep: will try again", "attempt", a.ID, "tenant", a.TenantID, "error", err)
			} else if final {
				settled.Add(1)
			}
		})
	}
	group.Wait()
	return SweepResult{Asked: int(asked.Load()), Settled: int(settled.Load()), Failed: int(failed.Load())}, ctx.Err()
}

// sweepOne settles one attempt and reports whether it is final now. One that
// failed goes to the end of the queue, so that it keeps no other from its turn.
func (s *Service) sweepOne(ctx context.Context, a *Attempt) (final bool, err error) {
	if a.SessionID == "" && a.IntentID == "" {
		err = s.closeUnanswered(ctx, a)
	} else {
		_, err = s.Settle(ctx, a.TenantID, cmp.Or(a.SessionID, a.IntentID), Cause{CauseSweep, a.ID})
	}
	if err != nil {
		return false, errors.Join(err, s.Store.InTx(ctx, func(tx Tx) error {
			return tx.RescheduleAttempt(ctx, a.TenantID, a.ID, s.Now())
		}))
	}
	now, err := s.Store.AttemptByID(ctx, a.TenantID, a.ID)
	return err == nil && now.State.Final(), err
}

// closeUnanswered ends an attempt whose key Stripe has forgotten by now without
// our ever storing an answer. Its page, if Stripe made one, was given to nobody.
func (s *Service) closeUnanswered(ctx context.Context, a *Attempt) error {
	return s.Store.InTx(ctx, func(tx Tx) error {
		now := s.Now()
		o, err := tx.OrderByID(ctx, a.TenantID, a.OrderID)
		if err != nil {
			return err
		}
		gone := *a
		gone.Failure, gone.UpdatedAt, gone.CheckAt = "never_answered", now, time.Time{}
		moved, err := tx.MoveAttempt(ctx, &gone, AttemptFailed)
		if err != nil || !moved {
			return err
		}
		if o.State == OrderDraft {
			moved, err := tx.MoveOrder(ctx, o.TenantID, o.ID, OrderDraft, OrderCancelled, "Stripe never answered", now)
			if err != nil || !moved {
				return errors.Join(err, unlessMoved(moved, o.ID))
			}
		}
		return tell(ctx, tx, o, now, "attempt_failed", Cause{CauseSweep, a.ID}, "Stripe never answered")
	})
}
