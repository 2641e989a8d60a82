package sqlstore

import (
	"context"

	"github.com/portatill/portatill/pay"
)

const postingSelect = `SELECT id, tenant_id, COALESCE(order_id, ''), COALESCE(customer_id, ''), kind, subject_id, currency, amount_minor, state,
	created_at, updated_at
	FROM postings`

func scanPosting(w row, p *pay.Posting) error {
	return w.Scan(&p.ID, &p.TenantID, &p.OrderID, &p.CustomerID, &p.Kind, &p.SubjectID, &p.Amount.Currency, &p.Amount.Minor,
		&p.State, at(&p.CreatedAt), at(&p.UpdatedAt))
}

// ListPostings implements pay.Reader; they come oldest first.
func (r reader) ListPostings(ctx context.Context, tenantID, orderID string) ([]*pay.Posting, error) {
	return many(ctx, r, "postings", scanPosting, postingSelect+` WHERE tenant_id = $1 AND order_id = $2 ORDER BY id`, tenantID, orderID)
}

// PostingByID implements pay.Reader.
func (r reader) PostingByID(ctx context.Context, tenantID, id string) (*pay.Posting, error) {
	return one(ctx, r, "posting", scanPosting, postingSelect+` WHERE tenant_id = $1 AND id = $2`, tenantID, id)
}

// MovePosting implements pay.Tx.
func (x *tx) MovePosting(ctx context.Context, p *pay.Posting, from pay.PostingState) (bool, error) {
	return x.moved(ctx, "move posting", `UPDATE postings SET state = $4, updated_at = $5 WHERE tenant_id = $1 AND id = $2 AND state = $3`,
		p.TenantID, p.ID, from, p.State, micros(p.UpdatedAt))
}

// InsertPosting implements pay.Tx. CodeConflict means that the payment or refund
// has its posting already.
func (x *tx) InsertPosting(ctx context.Context, p *pay.Posting) error {
	return x.insert(ctx, "posting", `INSERT INTO postings (id, tenant_id, order_id, customer_id, kind, subject_id, currency,
			amount_minor, state, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING`,
		p.ID, p.TenantID, text(p.OrderID), text(p.CustomerID), p.Kind, p.SubjectID, p.Amount.Currency, p.Amount.Minor,
		p.State, micros(p.CreatedAt), micros(p.UpdatedAt))
}

// ListDeliveries implements pay.Reader; they come oldest first.
func (r reader) ListDeliveries(ctx context.Context, tenantID, orderID string) ([]*pay.Delivery, error) {
	return many(ctx, r, "deliveries", func(w row, d *pay.Delivery) error {
		return w.Scan(&d.ID, &d.TenantID, &d.OrderID, &d.Type, &d.Fact, &d.Payload, &d.State, at(&d.CreatedAt), at(&d.UpdatedAt))
	}, `SELECT id, tenant_id, COALESCE(order_id, ''), type, fact, payload, state, created_at, updated_at
		FROM deliveries WHERE tenant_id = $1 AND order_id = $2 ORDER BY id`, tenantID, orderID)
}

// InsertDelivery implements pay.Tx.
func (x *tx) InsertDelivery(ctx context.Context, d *pay.Delivery) error {
	_, err := x.exec(ctx, "insert delivery", `INSERT INTO deliveries (id, tenant_id, order_id, type, fact, payload, state, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (tenant_id, fact) DO NOTHING`,
		d.ID, d.TenantID, text(d.OrderID), d.Type, d.Fact, d.Payload, d.State, micros(d.CreatedAt), micros(d.UpdatedAt))
	return err
}

// ListUnclaimed implements pay.Reader; they come newest first.
func (r reader) ListUnclaimed(ctx context.Context, tenantID string) ([]*pay.Unclaimed, error) {
	return many(ctx, r, "unclaimed money", scanUnclaimed, unclaimedSelect+` WHERE tenant_id = $1 ORDER BY id DESC`, tenantID)
}

const unclaimedSelect = `SELECT id, tenant_id, object_id, COALESCE(order_id, ''), currency, amount_minor, reason, detail, state, held_minor,
	assigned_minor, COALESCE(customer_id, ''), evidence, decided_reason, decided_cause_kind, decided_cause_id, decided_at, created_at, updated_at
	FROM unclaimed`

func scanUnclaimed(w row, u *pay.Unclaimed) error {
	return w.Scan(&u.ID, &u.TenantID, &u.ObjectID, &u.OrderID, &u.Amount.Currency, &u.Amount.Minor, &u.Reason, &u.Detail, &u.State, &u.HeldMinor,
		&u.AssignedMinor, &u.CustomerID, doc{&u.Evidence}, &u.Decision.Reason, &u.Decision.Cause.Kind, &u.Decision.Cause.ID, at(&u.Decision.At),
		at(&u.CreatedAt), at(&u.UpdatedAt))
}

// UnclaimedByID implements pay.Reader.
func (r reader) UnclaimedByID(ctx context.Context, tenantID, id string) (*pay.Unclaimed, error) {
	return one(ctx, r, "unclaimed money", scanUnclaimed, unclaimedSelect+` WHERE tenant_id = $1 AND (id = $2 OR object_id = $2)`, tenantID, id)
}

// LockUnclaimed implements pay.Tx.
func (x *tx) LockUnclaimed(ctx context.Context, tenantID, id string) (*pay.Unclaimed, error) {
	if _, err := x.exec(ctx, "lock unclaimed money", `UPDATE unclaimed SET updated_at = updated_at
		WHERE tenant_id = $1 AND (id = $2 OR object_id = $2)`, tenantID, id); err != nil {
		return nil, err
	}
	return x.UnclaimedByID(ctx, tenantID, id)
}

// MoveUnclaimed implements pay.Tx.
func (x *tx) MoveUnclaimed(ctx context.Context, u *pay.Unclaimed, from pay.UnclaimedState) (bool, error) {
	return x.moved(ctx, "move unclaimed money", `UPDATE unclaimed SET order_id = $4, currency = $5, amount_minor = $6, state = $7, held_minor = $8,
			assigned_minor = $9, customer_id = $10, decided_reason = $11, decided_cause_kind = $12, decided_cause_id = $13, decided_at = $14,
			updated_at = $15
		WHERE tenant_id = $1 AND id = $2 AND state = $3`, u.TenantID, u.ID, from, text(u.OrderID), u.Amount.Currency, u.Amount.Minor, u.State,
		u.HeldMinor, u.AssignedMinor, text(u.CustomerID), u.Decision.Reason, u.Decision.Cause.Kind, u.Decision.Cause.ID, micros(u.Decision.At),
		micros(u.UpdatedAt))
}

// InsertUnclaimed implements pay.Tx.
func (x *tx) InsertUnclaimed(ctx context.Context, u *pay.Unclaimed) error {
	_, err := x.exec(ctx, "insert unclaimed money", `INSERT INTO unclaimed (id, tenant_id, object_id, order_id, currency, amount_minor,
			reason, detail, state, held_minor, assigned_minor, evidence, decided_reason, decided_cause_kind, decided_cause_id, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, $10, '', '', '', $11, $12) ON CONFLICT (tenant_id, object_id) DO NOTHING`,
		u.ID, u.TenantID, u.ObjectID, text(u.OrderID), u.Amount.Currency, u.Amount.Minor,
		u.Reason, u.Detail, u.State, jsonText(u.Evidence), micros(u.CreatedAt), micros(u.UpdatedAt))
	return err
}

// ListStory implements pay.Reader; it comes oldest first, what happened at the
// same time in the order it was told.
func (r reader) ListStory(ctx context.Context, tenantID, orderID string) ([]*pay.StoryLine, error) {
	return many(ctx, r, "story", func(w row, s *pay.StoryLine) error {
		return w.Scan(&s.ID, &s.TenantID, &s.OrderID, at(&s.At), &s.What, &s.Cause.Kind, &s.Cause.ID, &s.Detail)
	}, `SELECT id, tenant_id, order_id, at, what, cause_kind, cause_id, detail
		FROM story WHERE tenant_id = $1 AND order_id = $2 ORDER BY at, seq`, tenantID, orderID)
}

// InsertStory implements pay.Tx.
func (x *tx) InsertStory(ctx context.Context, s *pay.StoryLine) error {
	return x.insert(ctx, "story line", `INSERT INTO story (id, tenant_id, order_id, at, what, cause_kind, cause_id, detail)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
		s.ID, s.TenantID, s.OrderID, micros(s.At), s.What, s.Cause.Kind, s.Cause.ID, s.Detail)
}
