package pay

import (
	"context"
	"errors"
	"fmt"
)

// StoreEvent keeps a verified event and the job that settles its object, in one
// transaction. fresh is false when the tenant has the event already; that is a
// success. Once it returns nil the event is durable, and Stripe may be told so.
func (s *Service) StoreEvent(ctx context.Context, e *Event) (fresh bool, err error) {
	e.ID, e.ReceivedAt = NewID("evn", s.Now()), s.Now()
	e.State = EventReceived
	if e.ObjectID == "" {
		e.State, e.Note, e.DoneAt = EventIgnored, "no object of a kind that can change the books", e.ReceivedAt
	}
	err = s.Store.InTx(ctx, func(tx Tx) error {
		if fresh, err = tx.InsertEvent(ctx, e); err != nil || !fresh || e.ObjectID == "" {
			return err
		}
		return tx.Enqueue(ctx, SettleJob{TenantID: e.TenantID, ObjectID: e.ObjectID, EventID: e.ID,
			Cause: Cause{CauseWebhook, e.StripeID}})
	})
	return fresh, err
}

// SettleEvent does a SettleJob: it settles and notes on the event what came of
// it. On the last try a failure is noted too, for staff to see; the error is
// returned in any case, so that the queue tries again or keeps it.
func (s *Service) SettleEvent(ctx context.Context, j SettleJob, lastTry bool) error {
	done, err := s.Settle(ctx, j.TenantID, j.ObjectID, j.Cause)
	if j.EventID == "" {
		return err
	}
	state, note := EventState(done.Outcome), done.Note
	if err != nil {
		if !lastTry {
			return err
		}
		state, note = EventFailed, "gave up; replay it when the cause is mended"
		if f := faultOf(err); f != nil {
			note = fmt.Sprintf("gave up after Stripe answered %s %s; replay it when that is mended", f.Kind, f.Code)
		}
	}
	return errors.Join(err, s.Store.InTx(ctx, func(tx Tx) error {
		return tx.FinishEvent(ctx, j.TenantID, j.EventID, state, note, s.Now())
	}))
}
