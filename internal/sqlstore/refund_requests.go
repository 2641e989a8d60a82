package sqlstore

import (
	"context"
	"time"

	"github.com/portatill/portatill/pay"
)

const refundRequestSelect = `SELECT id, tenant_id, COALESCE(payment_id, ''), COALESCE(unclaimed_id, ''), COALESCE(order_id, ''), currency, amount_minor, reason, key, idempotency_key, state,
	stripe_refund_id, failure, cause_kind, cause_id, created_at, updated_at FROM refund_requests`

func scanRefundRequest(w row, r *pay.RefundRequest) error {
	return w.Scan(&r.ID, &r.TenantID, &r.PaymentID, &r.UnclaimedID, &r.OrderID, &r.Amount.Currency, &r.Amount.Minor, &r.Reason, &r.Key, &r.IdempotencyKey, &r.State,
		&r.StripeRefundID, &r.Failure, &r.Cause.Kind, &r.Cause.ID, at(&r.CreatedAt), at(&r.UpdatedAt))
}

// RefundRequestByID implements pay.Reader.
func (r reader) RefundRequestByID(ctx context.Context, tenantID, id string) (*pay.RefundRequest, error) {
	return one(ctx, r, "refund request", scanRefundRequest, refundRequestSelect+` WHERE tenant_id = $1 AND id = $2`, tenantID, id)
}

// RefundRequestByKey implements pay.Reader.
func (r reader) RefundRequestByKey(ctx context.Context, tenantID, key string) (*pay.RefundRequest, error) {
	return one(ctx, r, "refund request", scanRefundRequest, refundRequestSelect+` WHERE tenant_id = $1 AND key = $2 AND key <> ''`, tenantID, key)
}

// ListRefundRequests implements pay.Reader.
func (r reader) ListRefundRequests(ctx context.Context, tenantID, subjectID string) ([]*pay.RefundRequest, error) {
	return many(ctx, r, "refund requests", scanRefundRequest, refundRequestSelect+`
		WHERE tenant_id = $1 AND (payment_id = $2 OR unclaimed_id = $2) ORDER BY id`, tenantID, subjectID)
}

// RefundRequestsDue implements pay.Reader.
func (r reader) RefundRequestsDue(ctx context.Context, t time.Time, limit int) ([]*pay.RefundRequest, error) {
	return many(ctx, r, "due refund requests", scanRefundRequest, refundRequestSelect+`
		WHERE state = 'requested' AND created_at < $1 ORDER BY created_at, id LIMIT $2`, micros(t), clampLimit(limit, 100, 10_000))
}

// InsertRefundRequest implements pay.Tx.
func (x *tx) InsertRefundRequest(ctx context.Context, r *pay.RefundRequest) error {
	return x.insert(ctx, "refund request", `INSERT INTO refund_requests (id, tenant_id, payment_id, order_id, currency, amount_minor, reason, key,
			idempotency_key, state, stripe_refund_id, failure, cause_kind, cause_id, created_at, updated_at, unclaimed_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) ON CONFLICT DO NOTHING`,
		r.ID, r.TenantID, text(r.PaymentID), text(r.OrderID), r.Amount.Currency, r.Amount.Minor, r.Reason, r.Key,
		r.IdempotencyKey, r.State, r.StripeRefundID, r.Failure, r.Cause.Kind, r.Cause.ID, micros(r.CreatedAt), micros(r.UpdatedAt),
		text(r.UnclaimedID))
}

// MoveRefundRequest implements pay.Tx.
func (x *tx) MoveRefundRequest(ctx context.Context, r *pay.RefundRequest, to pay.RefundRequestState) (bool, error) {
	return x.moved(ctx, "move refund request", `UPDATE refund_requests SET state = $3, stripe_refund_id = $4, failure = $5, updated_at = $6
		WHERE tenant_id = $1 AND id = $2 AND state = 'requested'`, r.TenantID, r.ID, to, r.StripeRefundID, r.Failure, micros(r.UpdatedAt))
}

// LockPaymentByOrder implements pay.Tx.
func (x *tx) LockPaymentByOrder(ctx context.Context, tenantID, orderID string) (*pay.Payment, error) {
	if _, err := x.exec(ctx, "lock payment", `UPDATE payments SET updated_at = updated_at WHERE tenant_id = $1 AND order_id = $2`,
		tenantID, orderID); err != nil {
		return nil, err
	}
	return x.PaymentByOrder(ctx, tenantID, orderID)
}

// ListDisputes implements pay.Reader.
func (r reader) ListDisputes(ctx context.Context, tenantID, paymentID string) ([]*pay.Dispute, error) {
	return many(ctx, r, "disputes", func(w row, d *pay.Dispute) error {
		return w.Scan(&d.ID, &d.TenantID, &d.PaymentID, &d.OrderID, &d.StripeDisputeID, &d.State, &d.Amount.Currency, &d.Amount.Minor, &d.Reason,
			at(&d.DueBy), &d.Cause.Kind, &d.Cause.ID, at(&d.CreatedAt), at(&d.UpdatedAt))
	}, `SELECT id, tenant_id, payment_id, order_id, stripe_dispute_id, state, currency, amount_minor, reason, due_by, cause_kind, cause_id,
			created_at, updated_at
		FROM disputes WHERE tenant_id = $1 AND payment_id = $2 ORDER BY id`, tenantID, paymentID)
}

// InsertDispute implements pay.Tx.
func (x *tx) InsertDispute(ctx context.Context, d *pay.Dispute) error {
	return x.insert(ctx, "dispute", `INSERT INTO disputes (id, tenant_id, payment_id, order_id, stripe_dispute_id, state, currency, amount_minor,
			reason, due_by, cause_kind, cause_id, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING`,
		d.ID, d.TenantID, d.PaymentID, d.OrderID, d.StripeDisputeID, d.State, d.Amount.Currency, d.Amount.Minor, d.Reason,
		micros(d.DueBy), d.Cause.Kind, d.Cause.ID, micros(d.CreatedAt), micros(d.UpdatedAt))
}

// MoveDispute implements pay.Tx.
func (x *tx) MoveDispute(ctx context.Context, d *pay.Dispute, from pay.DisputeState) (bool, error) {
	return x.moved(ctx, "move dispute", `UPDATE disputes SET state = $4, amount_minor = $5, reason = $6, due_by = $7, updated_at = $8
		WHERE tenant_id = $1 AND id = $2 AND state = $3`, d.TenantID, d.ID, from, d.State, d.Amount.Minor, d.Reason, micros(d.DueBy), micros(d.UpdatedAt))
}
