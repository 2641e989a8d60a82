package sqlstore

import (
	"context"
	"time"

	"github.com/portatill/portatill/pay"
)

// ListCards implements pay.Reader.
func (r reader) ListCards(ctx context.Context, tenantID, customerID string) ([]*pay.Card, error) {
	return many(ctx, r, "cards", func(w row, c *pay.Card) error {
		return w.Scan(&c.ID, &c.Type, &c.Brand, &c.Last4, &c.ExpMonth, &c.ExpYear, &c.IsDefault, &c.Label, at(&c.CreatedAt))
	}, `SELECT card_id, type, brand, last4, exp_month, exp_year, is_default, label, created_at
		FROM cards WHERE tenant_id = $1 AND customer_id = $2 ORDER BY number`, tenantID, customerID)
}

// ReplaceCards implements pay.Tx; number keeps Stripe's order, newest first.
func (x *tx) ReplaceCards(ctx context.Context, tenantID, customerID string, cards []*pay.Card, when time.Time) error {
	if _, err := x.exec(ctx, "forget cards", `DELETE FROM cards WHERE tenant_id = $1 AND customer_id = $2`, tenantID, customerID); err != nil {
		return err
	}
	for i, c := range cards {
		if err := x.insert(ctx, "card", `INSERT INTO cards (tenant_id, customer_id, card_id, type, brand, last4, exp_month, exp_year,
				is_default, label, number, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING`,
			tenantID, customerID, c.ID, c.Type, c.Brand, c.Last4, c.ExpMonth, c.ExpYear, c.IsDefault, c.Label, i, micros(c.CreatedAt), micros(when)); err != nil {
			return err
		}
	}
	return nil
}

// TokenUse implements pay.Reader.
func (r reader) TokenUse(ctx context.Context, tenantID, claim string) (*pay.TokenUse, error) {
	return one(ctx, r, "token", func(w row, u *pay.TokenUse) error {
		return w.Scan(&u.TenantID, &u.Claim, &u.Digest, &u.OrderID, &u.CustomerID, &u.IdempotencyKey, &u.CardID, at(&u.CreatedAt), at(&u.UpdatedAt))
	}, `SELECT tenant_id, claim, digest, COALESCE(order_id, ''), customer_id, idempotency_key, card_id, created_at, updated_at
		FROM token_uses WHERE tenant_id = $1 AND claim = $2`, tenantID, claim)
}

// InsertTokenUse implements pay.Tx.
func (x *tx) InsertTokenUse(ctx context.Context, u *pay.TokenUse) error {
	return x.insert(ctx, "token", `INSERT INTO token_uses (tenant_id, claim, digest, order_id, customer_id, idempotency_key, card_id, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
		u.TenantID, u.Claim, u.Digest, text(u.OrderID), u.CustomerID, u.IdempotencyKey, u.CardID, micros(u.CreatedAt), micros(u.UpdatedAt))
}

// SetTokenCard implements pay.Tx.
func (x *tx) SetTokenCard(ctx context.Context, tenantID, claim, cardID string, when time.Time) error {
	return x.must(ctx, "set token's card", "token", `UPDATE token_uses SET card_id = $3, updated_at = $4
		WHERE tenant_id = $1 AND claim = $2`, tenantID, claim, cardID, micros(when))
}
