package pay

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// SweepResult counts what a sweep did.
type SweepResult struct {
	Asked   int // attempts and refunds that Stripe was asked about
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
	refunds, unanswered, err := s.sweepRefunds(ctx, limit)
	return SweepResult{Asked: int(asked.Load()) + refunds, Settled: int(settled.Load()), Failed: int(failed.Load()) + unanswered}, errors.Join(err, ctx.Err())
}

// sweepOne settles one attempt and reports whether it is final now. One that
// failed goes to the end of the queue, so that it keeps no other from its turn.
func (s *Service) sweepOne(ctx context.Context, a *Attempt) (final bool, err error) {
	object := cmp.Or(a.SessionID, a.IntentID)
	if object == "" && a.Kind == AttemptIntent {
		object, err = s.lostIntent(ctx, a)
	}
	switch {
	case err != nil:
	case object != "":
		_, err = s.Settle(ctx, a.TenantID, object, Cause{CauseSweep, a.ID})
	case s.Now().Before(a.CreatedAt.Add(unansweredLife)):
		return false, s.Store.InTx(ctx, func(tx Tx) error { return tx.RescheduleAttempt(ctx, a.TenantID, a.ID, s.Now()) })
	default:
		err = s.closeUnanswered(ctx, a)
	}
	if err != nil {
		return false, errors.Join(err, s.Store.InTx(ctx, func(tx Tx) error {
			return tx.RescheduleAttempt(ctx, a.TenantID, a.ID, s.Now())
		}))
	}
	now, err := s.Store.AttemptByID(ctx, a.TenantID, a.ID)
	return err == nil && now.State.Final(), err
}

// unansweredLife is how long an attempt without Stripe's answer can be continued:
// Stripe forgets idempotency keys after 24 hours.
const unansweredLife = 24 * time.Hour

// lostIntent looks for the intent of a charge whose answer never came.
func (s *Service) lostIntent(ctx context.Context, a *Attempt) (string, error) {
	t, err := s.Store.TenantByID(ctx, a.TenantID)
	if err != nil {
		return "", err
	}
	o, err := s.Store.OrderByID(ctx, a.TenantID, a.OrderID)
	if err != nil {
		return "", err
	}
	c, err := s.Store.CustomerByID(ctx, a.TenantID, o.CustomerID)
	if err != nil || c.StripeCustomer == "" {
		return "", err // without a customer there, nothing was charged
	}
	return s.Gateway.IntentMade(ctx, t, c.StripeCustomer, a)
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
		end := map[OrderState]OrderState{OrderDraft: OrderCancelled, OrderOpen: OrderExpired}[o.State]
		if end != "" {
			attempts, err := tx.ListAttempts(ctx, o.TenantID, o.ID)
			if err != nil {
				return err
			}
			if slices.ContainsFunc(attempts, func(other *Attempt) bool { return other.ID != a.ID && !other.State.Final() }) {
				end = ""
			}
		}
		if end != "" {
			moved, err := tx.MoveOrder(ctx, o.TenantID, o.ID, o.State, end, "Stripe never answered", now)
			if err != nil || !moved {
				return errors.Join(err, unlessMoved(moved, o.ID))
			}
			o.State = end
			if err := notify(ctx, tx, o, "order."+string(end), a.ID+":"+string(end), now); err != nil {
				return err
			}
		}
		return tell(ctx, tx, o, now, "attempt_failed", Cause{CauseSweep, a.ID}, "Stripe never answered")
	})
}
