package pay

import (
	"context"
	"errors"
	"time"
)

// SweepResult counts what a sweep did.
type SweepResult struct {
	Asked   int // attempts that Stripe was asked about
	Settled int // of these, how many are final now
	Failed  int // calls that failed; they are tried again at the next sweep
}

// Sweep asks Stripe about every attempt that is due, so that a payment closes
// also when no webhook came and no customer returned. It may run at any time,
// also twice at once.
func (s *Service) Sweep(ctx context.Context, limit int) (SweepResult, error) {
	var done SweepResult
	due, err := s.Store.AttemptsDue(ctx, s.Now(), limit)
	if err != nil {
		return done, err
	}
	for _, a := range due {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		done.Asked++
		if a.SessionID == "" && a.IntentID == "" {
			err = s.closeUnanswered(ctx, a)
		} else {
			_, err = s.Settle(ctx, a.TenantID, cmpOr(a.SessionID, a.IntentID), Cause{CauseSweep, a.ID})
		}
		if err != nil {
			done.Failed++
			s.Log.WarnContext(ctx, "sweep: will try again", "attempt", a.ID, "tenant", a.TenantID, "error", err)
			if err := s.putOff(ctx, a); err != nil {
				return done, err
			}
			continue
		}
		if now, err := s.Store.AttemptByID(ctx, a.TenantID, a.ID); err == nil && now.State.Final() {
			done.Settled++
		}
	}
	return done, nil
}

func (s *Service) putOff(ctx context.Context, a *Attempt) error {
	return s.Store.InTx(ctx, func(tx Tx) error {
		return tx.RescheduleAttempt(ctx, a.TenantID, a.ID, s.Now().Add(5*time.Minute))
	})
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
