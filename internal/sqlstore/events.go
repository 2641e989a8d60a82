package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/portatill/portatill/pay"
)

const eventSelect = `SELECT id, tenant_id, stripe_id, type, object_id, api_version, livemode, payload, state, note, received_at, done_at
	FROM events`

// eventBareSelect leaves out the payload, which is most of a row.
const eventBareSelect = `SELECT id, tenant_id, stripe_id, type, object_id, api_version, livemode, NULL, state, note, received_at, done_at
	FROM events`

func scanEvent(w row, e *pay.Event) error {
	return w.Scan(&e.ID, &e.TenantID, &e.StripeID, &e.Type, &e.ObjectID, &e.APIVersion, &e.Livemode, &e.Payload, &e.State, &e.Note,
		at(&e.ReceivedAt), at(&e.DoneAt))
}

// EventByID implements pay.Reader.
func (r reader) EventByID(ctx context.Context, tenantID, id string) (*pay.Event, error) {
	return one(ctx, r, "event", scanEvent, eventSelect+` WHERE tenant_id = $1 AND id = $2`, tenantID, id)
}

// EventByStripeID implements pay.Reader.
func (r reader) EventByStripeID(ctx context.Context, tenantID, stripeID string) (*pay.Event, error) {
	return one(ctx, r, "event", scanEvent, eventSelect+` WHERE tenant_id = $1 AND stripe_id = $2`, tenantID, stripeID)
}

// ListEvents implements pay.Reader; they come newest first, by id.
func (r reader) ListEvents(ctx context.Context, f pay.EventFilter) ([]*pay.Event, error) {
	var w where
	w.and("tenant_id = $%d", f.TenantID)
	// Of two that narrow, one has the index: the state, unless most events are in it.
	// COALESCE keeps SQLite, which counts nothing, from the other one's.
	byType, byState := "type = $%d", "state = $%d"
	if common := f.State == pay.EventApplied || f.State == pay.EventIgnored; common {
		byState = "COALESCE(state, '') = $%d"
	} else if f.State != "" {
		byType = "COALESCE(type, '') = $%d"
	}
	if f.Type != "" {
		w.and(byType, f.Type)
	}
	if f.State != "" {
		if f.Type == "" {
			byState = "state = $%d"
		}
		w.and(byState, f.State)
	}
	if !f.Since.IsZero() {
		w.and("received_at >= $%d", micros(f.Since))
		// Every index of events ends in the id, which begins with the time that it was made
		// at: so nothing older is read. The minute is for the two readings of the clock.
		w.and("id >= $%d", pay.NewID("evn", f.Since.Add(-time.Minute))[:len("evn_")+idTime])
	}
	if f.After != "" {
		w.and("id < $%d", f.After)
	}
	if len(f.Objects) > 0 {
		// The second half is what lets the partial index serve it.
		w.in("object_id", f.Objects)
		w.terms = append(w.terms, "object_id <> ''")
	}
	from := eventSelect
	if f.Bare {
		from = eventBareSelect
	}
	return many(ctx, r, "events", scanEvent, fmt.Sprintf("%s%s ORDER BY id DESC LIMIT %d", from, w.String(), clampLimit(f.Limit, 50, 1000)), w.args...)
}

// idTime is how many symbols of an id tell its time: 48 bits in base 32, the first
// symbol carrying 3 (pay.NewID).
const idTime = 10

// InsertEvent implements pay.Tx.
func (x *tx) InsertEvent(ctx context.Context, e *pay.Event) (bool, error) {
	payload := e.Payload
	if payload == nil {
		payload = []byte{}
	}
	return x.moved(ctx, "insert event", `INSERT INTO events (id, tenant_id, stripe_id, type, object_id, api_version, livemode, payload,
			state, note, received_at, done_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (tenant_id, stripe_id) DO NOTHING`,
		e.ID, e.TenantID, e.StripeID, e.Type, e.ObjectID, e.APIVersion, e.Livemode, payload,
		e.State, e.Note, micros(e.ReceivedAt), micros(e.DoneAt))
}

// FinishEvent implements pay.Tx. One that is applied already stays as it is; one
// that does not exist is CodeNotFound.
func (x *tx) FinishEvent(ctx context.Context, tenantID, id string, state pay.EventState, note string, when time.Time) error {
	done := micros(when)
	if state == pay.EventReceived {
		done = nil // to be looked at again
	}
	finished, err := x.moved(ctx, "finish event", `UPDATE events SET state = $3, note = $4, done_at = $5
		WHERE tenant_id = $1 AND id = $2 AND state <> 'applied'`, tenantID, id, state, note, done)
	if err != nil || finished {
		return err
	}
	_, err = x.EventByID(ctx, tenantID, id)
	return err
}
