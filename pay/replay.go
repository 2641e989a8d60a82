package pay

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// EventFilter narrows ListEvents. Zero values but TenantID's do not narrow.
type EventFilter struct {
	TenantID string // required
	Type     string // Stripe's, such as charge.refunded
	State    EventState
	Since    time.Time // received at or after
	Objects  []string  // about one of these, such as an order's session and intent
	After    string    // our id of the last event of the page before; newest first
	Bare     bool      // without payloads
	Limit    int       // 1 to 1,000; 0 means 50
}

// Replayed is what replaying an object came to, or would come to. Events name it: all
// of those that were asked for, because one question to Stripe answers them all.
type Replayed struct {
	ObjectID string // "" when its one event names nothing that can be settled
	Events   []*Event
	Preview
	// Moves tells of each event that gets another state, such as "event evt_… failed →
	// applied".
	Moves []string
	Err   error // why this object could not be looked at or settled; the others were all the same
}

// Replay settles again what events of one tenant are about, each object once, and
// notes on the events what became of them. Without apply nothing is changed, here or
// at Stripe, and the answer tells what would be. Old events may be replayed, and as
// often as anyone likes: Settle asks Stripe what is true now and does not believe the
// event.
//
// An event that was failed, unmatched or not yet looked at gets the new outcome, and
// its note keeps what it was; one that fails again stays what it is. Facts are booked
// with the event as their cause, as if it had come now. What fails is told per object;
// the error is the context's alone.
func (s *Service) Replay(ctx context.Context, events []*Event, apply bool) ([]Replayed, error) {
	var all []Replayed
	at := map[[2]string]int{}
	for _, e := range events {
		key := [2]string{e.TenantID, e.ObjectID}
		if i, ok := at[key]; ok && e.ObjectID != "" {
			all[i].Events = append(all[i].Events, e)
			continue
		}
		at[key] = len(all)
		all = append(all, Replayed{ObjectID: e.ObjectID, Events: []*Event{e}})
	}
	for i := range all {
		if err := ctx.Err(); err != nil {
			return all[:i], err
		}
		s.replayObject(ctx, &all[i], apply)
	}
	return all, nil
}

func (s *Service) replayObject(ctx context.Context, r *Replayed, apply bool) {
	if r.ObjectID == "" {
		r.Note = "it names no object that can change the books"
		return
	}
	first := r.Events[0]
	r.Preview, r.Err = s.recorded(ctx, first.TenantID, r.ObjectID, Cause{CauseWebhook, first.StripeID}, apply)
	if r.Err != nil {
		return
	}
	var errs []error
	for _, e := range r.Events {
		// One that is what it was, and of which nothing came, keeps its note: replayed a
		// hundred times it says the same. An applied one stays so (FinishEvent).
		state := EventState(r.Outcome)
		if e.State == EventApplied || (e.State == state && len(r.Changes) == 0) {
			continue
		}
		if e.State != state {
			r.Moves = append(r.Moves, fmt.Sprintf("event %s %s → %s", e.StripeID, e.State, state))
		}
		if apply {
			errs = append(errs, s.noteReplay(ctx, e, state, r.Note))
		}
	}
	r.Err = errors.Join(errs...)
}

// noteReplay gives an event its new outcome.
func (s *Service) noteReplay(ctx context.Context, e *Event, state EventState, note string) error {
	note += replayedWas(e)
	err := s.Store.InTx(ctx, func(tx Tx) error { return tx.FinishEvent(ctx, e.TenantID, e.ID, state, note, s.Now()) })
	if err != nil {
		return fmt.Errorf("note the outcome of %s: %w", e.ID, err)
	}
	e.State, e.Note, e.DoneAt = state, note, s.Now()
	return nil
}

const replayMark = " (replayed; was "

// replayedWas tells what the event was before it was first replayed.
func replayedWas(e *Event) string {
	if _, before, again := strings.Cut(e.Note, replayMark); again {
		return replayMark + before
	}
	if e.Note == "" {
		return replayMark + string(e.State) + ")"
	}
	return replayMark + string(e.State) + ": " + e.Note + ")"
}
