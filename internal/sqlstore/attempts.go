package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/portatill/portatill/pay"
)

const attemptSelect = `SELECT id, tenant_id, order_id, number, kind, state, idempotency_key, amount_minor, currency,
	stripe_account, COALESCE(session_id, ''), COALESCE(intent_id, ''), stripe_customer, card_id, save_card, language, url, expires_at, started_at, failure, created_at, updated_at, check_at
	FROM attempts`

func scanAttempt(w row, a *pay.Attempt) error {
	return w.Scan(&a.ID, &a.TenantID, &a.OrderID, &a.Number, &a.Kind, &a.State, &a.IdempotencyKey, &a.Amount.Minor, &a.Amount.Currency,
		&a.StripeAccount, &a.SessionID, &a.IntentID, &a.StripeCustomer, &a.CardID, &a.SaveCard, &a.Language, &a.URL, at(&a.ExpiresAt), at(&a.StartedAt), &a.Failure, at(&a.CreatedAt), at(&a.UpdatedAt), at(&a.CheckAt))
}

// AttemptByID implements pay.Reader.
func (r reader) AttemptByID(ctx context.Context, tenantID, id string) (*pay.Attempt, error) {
	return one(ctx, r, "attempt", scanAttempt, attemptSelect+` WHERE tenant_id = $1 AND id = $2`, tenantID, id)
}

// AttemptBySession implements pay.Reader.
func (r reader) AttemptBySession(ctx context.Context, tenantID, sessionID string) (*pay.Attempt, error) {
	return one(ctx, r, "attempt", scanAttempt, attemptSelect+` WHERE tenant_id = $1 AND session_id = $2`, tenantID, sessionID)
}

// AttemptByIntent implements pay.Reader.
func (r reader) AttemptByIntent(ctx context.Context, tenantID, intentID string) (*pay.Attempt, error) {
	return one(ctx, r, "attempt", scanAttempt, attemptSelect+` WHERE tenant_id = $1 AND intent_id = $2`, tenantID, intentID)
}

// ListAttempts implements pay.Reader.
func (r reader) ListAttempts(ctx context.Context, tenantID, orderID string) ([]*pay.Attempt, error) {
	return many(ctx, r, "attempts", scanAttempt, attemptSelect+` WHERE tenant_id = $1 AND order_id = $2 ORDER BY number`, tenantID, orderID)
}

// AttemptsDue implements pay.Reader.
func (r reader) AttemptsDue(ctx context.Context, t time.Time, limit int) ([]*pay.Attempt, error) {
	return many(ctx, r, "due attempts", scanAttempt, attemptSelect+`
		WHERE check_at <= $1 AND check_at IS NOT NULL AND state IN ('created', 'open', 'processing')
		ORDER BY check_at, id LIMIT $2`, micros(t), clampLimit(limit, 100, 10_000))
}

// InsertAttempt implements pay.Tx.
func (x *tx) InsertAttempt(ctx context.Context, a *pay.Attempt) error {
	return x.insert(ctx, "attempt", `INSERT INTO attempts (id, tenant_id, order_id, number, kind, state, idempotency_key,
			amount_minor, currency, stripe_account, session_id, intent_id, url, expires_at, started_at, failure, created_at, updated_at, check_at,
			card_id, save_card, stripe_customer, language)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23) ON CONFLICT DO NOTHING`,
		a.ID, a.TenantID, a.OrderID, a.Number, a.Kind, a.State, a.IdempotencyKey,
		a.Amount.Minor, a.Amount.Currency, a.StripeAccount, text(a.SessionID), text(a.IntentID), a.URL, micros(a.ExpiresAt), micros(a.StartedAt),
		a.Failure, micros(a.CreatedAt), micros(a.UpdatedAt), micros(a.CheckAt), a.CardID, a.SaveCard, a.StripeCustomer, a.Language)
}

// SetAttemptCard implements pay.Tx.
func (x *tx) SetAttemptCard(ctx context.Context, tenantID, id, cardID string, when time.Time) error {
	return x.must(ctx, "set attempt's card", "attempt", `UPDATE attempts SET card_id = $3, updated_at = $4
		WHERE tenant_id = $1 AND id = $2`, tenantID, id, cardID, micros(when))
}

// BindAttempt implements pay.Tx. It leaves a itself as it is. A session or intent
// of another attempt is CodeConflict.
func (x *tx) BindAttempt(ctx context.Context, a *pay.Attempt) (bool, error) {
	moved, err := x.moved(ctx, "bind attempt", `UPDATE attempts SET state = 'open', session_id = $3, intent_id = $4, url = $5,
			expires_at = $6, check_at = $7, updated_at = $8
		WHERE tenant_id = $1 AND id = $2 AND state = 'created' AND NOT EXISTS (SELECT 1 FROM attempts other
			WHERE other.tenant_id = $1 AND other.id <> $2 AND (other.session_id = $3 OR other.intent_id = $4))`,
		a.TenantID, a.ID, text(a.SessionID), text(a.IntentID), a.URL, micros(a.ExpiresAt), micros(a.CheckAt), micros(a.UpdatedAt))
	if err != nil || moved {
		return moved, err
	}
	return false, x.stripeObjectTaken(ctx, a)
}

// MoveAttempt implements pay.Tx: from a.State, which stays as it is in a, to
// another state. An intent of another attempt is CodeConflict.
func (x *tx) MoveAttempt(ctx context.Context, a *pay.Attempt, to pay.AttemptState) (bool, error) {
	moved, err := x.moved(ctx, "move attempt", `UPDATE attempts SET state = $4, intent_id = $5, failure = $6, check_at = $7, updated_at = $8
		WHERE tenant_id = $1 AND id = $2 AND state = $3 AND NOT EXISTS (SELECT 1 FROM attempts other
			WHERE other.tenant_id = $1 AND other.id <> $2 AND other.intent_id = $5)`,
		a.TenantID, a.ID, a.State, to, text(a.IntentID), a.Failure, micros(a.CheckAt), micros(a.UpdatedAt))
	if err != nil || moved {
		return moved, err
	}
	return false, x.stripeObjectTaken(ctx, a)
}

// stripeObjectTaken says whether another attempt has a's session or intent.
func (x *tx) stripeObjectTaken(ctx context.Context, a *pay.Attempt) error {
	for _, look := range []struct {
		id string
		by func(context.Context, string, string) (*pay.Attempt, error)
	}{{a.SessionID, x.AttemptBySession}, {a.IntentID, x.AttemptByIntent}} {
		if look.id == "" {
			continue
		}
		switch other, err := look.by(ctx, a.TenantID, look.id); {
		case pay.IsNotFound(err):
		case err != nil:
			return err
		case other.ID != a.ID:
			return conflict(fmt.Sprintf("another attempt (%s) with that Stripe object", other.ID))
		}
	}
	return nil
}

// StartAttempt implements pay.Tx; only the first time is kept.
func (x *tx) StartAttempt(ctx context.Context, tenantID, id string, when time.Time) error {
	_, err := x.exec(ctx, "start attempt", `UPDATE attempts SET started_at = $3
		WHERE tenant_id = $1 AND id = $2 AND started_at IS NULL`, tenantID, id, micros(when))
	return err
}

// RescheduleAttempt implements pay.Tx; the zero time means never.
func (x *tx) RescheduleAttempt(ctx context.Context, tenantID, id string, when time.Time) error {
	return x.must(ctx, "reschedule attempt", "attempt", `UPDATE attempts SET check_at = $3
		WHERE tenant_id = $1 AND id = $2`, tenantID, id, micros(when))
}
