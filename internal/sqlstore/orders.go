package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/portatill/portatill/pay"
)

const orderSelect = `SELECT id, tenant_id, customer_id, license_id, pay_token, kind, state, state_reason, cart, success_url, cancel_url,
	payment_methods, content_id, feature_name, card_info, idempotency_key, digest, request, created_at, updated_at, paid_at, evidence
	FROM orders`

func scanOrder(w row, o *pay.Order) error {
	return w.Scan(&o.ID, &o.TenantID, &o.CustomerID, &o.LicenseID, &o.PayToken, &o.Kind, &o.State, &o.StateReason, doc{&o.Cart}, &o.SuccessURL,
		&o.CancelURL, doc{&o.PaymentMethods}, &o.ContentID, &o.FeatureName, &o.CardInfo, &o.IdempotencyKey, &o.Digest, &o.Request,
		at(&o.CreatedAt), at(&o.UpdatedAt), at(&o.PaidAt), &o.Evidence)
}

// OrderByID implements pay.Reader.
func (r reader) OrderByID(ctx context.Context, tenantID, id string) (*pay.Order, error) {
	return one(ctx, r, "order", scanOrder, orderSelect+` WHERE tenant_id = $1 AND id = $2`, tenantID, id)
}

// OrderByPayToken implements pay.Reader.
func (r reader) OrderByPayToken(ctx context.Context, token string) (*pay.Order, error) {
	return one(ctx, r, "order", scanOrder, orderSelect+` WHERE pay_token = $1`, token)
}

// OrderByIdempotencyKey implements pay.Reader.
func (r reader) OrderByIdempotencyKey(ctx context.Context, tenantID, key string) (*pay.Order, error) {
	return one(ctx, r, "order", scanOrder, orderSelect+` WHERE tenant_id = $1 AND idempotency_key = $2 AND idempotency_key <> ''`, tenantID, key)
}

// LiveOrderByDigest implements pay.Reader.
func (r reader) LiveOrderByDigest(ctx context.Context, tenantID, digest string) (*pay.Order, error) {
	return one(ctx, r, "order", scanOrder, orderSelect+` WHERE tenant_id = $1 AND open_digest = $2`, tenantID, digest)
}

// ChargeByDigest implements pay.Reader. It is one statement, so that an order that
// is paid at this moment is found by one of the two halves; each half has its index.
func (r reader) ChargeByDigest(ctx context.Context, tenantID, digest string, since time.Time, exceptID string) (*pay.Order, error) {
	return one(ctx, r, "order", scanOrder, orderSelect+` WHERE tenant_id = $1 AND open_digest = $2 AND id <> $4
		UNION ALL `+orderSelect+` WHERE tenant_id = $1 AND digest = $2 AND state IN ('paid', 'mismatch') AND idempotency_key = '' AND COALESCE(paid_at, updated_at) >= $3 AND id <> $4
		ORDER BY id DESC LIMIT 1`, tenantID, digest, micros(since), exceptID)
}

// ListOrders implements pay.Reader; they come newest first, by id.
func (r reader) ListOrders(ctx context.Context, f pay.OrderFilter) ([]*pay.Order, error) {
	var w where
	if f.TenantID != "" {
		w.and("tenant_id = $%d", f.TenantID)
	}
	if f.CustomerID != "" {
		w.and("customer_id = $%d", f.CustomerID)
	}
	if f.State != "" {
		w.and("state = $%d", f.State)
	}
	// The second half of the next two is what lets the partial indexes serve them.
	if f.FeatureName != "" {
		w.and("feature_name = $%d AND feature_name <> ''", f.FeatureName)
	}
	if f.ContentID != 0 {
		w.and("content_id = $%d AND content_id <> 0", f.ContentID)
	}
	if f.LicenseID != "" {
		w.and("license_id = $%d", f.LicenseID)
	}
	if !f.Since.IsZero() {
		w.and("created_at >= $%d", micros(f.Since))
	}
	if f.After != "" {
		w.and("id < $%d", f.After)
	}
	query := fmt.Sprintf("%s%s ORDER BY id DESC LIMIT %d", orderSelect, w.String(), clampLimit(f.Limit, 50, 200))
	return many(ctx, r, "orders", scanOrder, query, w.args...)
}

// OpenOrdersOver implements pay.Reader; the index of states and ids narrows it to what
// waits for money.
func (r reader) OpenOrdersOver(ctx context.Context, tenantID string, amount pay.Money, since time.Time, limit int) ([]*pay.Order, error) {
	return many(ctx, r, "open orders", scanOrder, orderSelect+` WHERE tenant_id = $1 AND state IN ('open', 'processing')
		AND currency = $2 AND total_minor = $3 AND kind = 'payment' AND created_at >= $4 ORDER BY id DESC LIMIT $5`,
		tenantID, amount.Currency, amount.Minor, micros(since), clampLimit(limit, 5, 100))
}

// InsertOrder implements pay.Tx. CodeConflict means that the pay token, the
// idempotency key, or the digest of a live order without one, is taken.
func (x *tx) InsertOrder(ctx context.Context, o *pay.Order) error {
	openDigest := ""
	if o.IdempotencyKey == "" && o.State.Live() {
		openDigest = o.Digest
	}
	return x.insert(ctx, "order", `INSERT INTO orders (id, tenant_id, customer_id, pay_token, kind, state, state_reason,
			currency, total_minor, cart, success_url, cancel_url, payment_methods, content_id, feature_name,
			idempotency_key, digest, open_digest, request, created_at, updated_at, paid_at, evidence, license_id, card_info)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)
		ON CONFLICT DO NOTHING`,
		o.ID, o.TenantID, o.CustomerID, o.PayToken, o.Kind, o.State, o.StateReason,
		o.Cart.Currency, o.Cart.TotalMinor, jsonText(o.Cart), o.SuccessURL, o.CancelURL, jsonText(o.PaymentMethods), o.ContentID, o.FeatureName,
		o.IdempotencyKey, o.Digest, text(openDigest), o.Request, micros(o.CreatedAt), micros(o.UpdatedAt), micros(o.PaidAt), o.Evidence, o.LicenseID, o.CardInfo)
}

// MoveOrder implements pay.Tx. The state in the WHERE is the lock: of any number
// of movers one sees a row. An order that opens again answers for its request again,
// unless another live order does by now.
func (x *tx) MoveOrder(ctx context.Context, tenantID, id string, from, to pay.OrderState, reason string, when time.Time) (bool, error) {
	if to == pay.OrderPaid {
		return false, errors.New("move order: paid needs evidence, by MarkOrderPaid")
	}
	if !from.MayMove(to) {
		return false, fmt.Errorf("move order: the graph has no edge from %s to %s", from, to)
	}
	return x.moved(ctx, "move order", `UPDATE orders SET state = $4, state_reason = $5, updated_at = $6,
			open_digest = CASE WHEN $7 THEN COALESCE(open_digest, CASE WHEN idempotency_key = '' AND NOT EXISTS (
				SELECT 1 FROM orders other WHERE other.tenant_id = $1 AND other.open_digest = orders.digest) THEN digest END) END
		WHERE tenant_id = $1 AND id = $2 AND state = $3`, tenantID, id, from, to, reason, micros(when), to.Live())
}

// MarkOrderPaid implements pay.Tx.
func (x *tx) MarkOrderPaid(ctx context.Context, tenantID, id string, from pay.OrderState, evidence string, when time.Time) (bool, error) {
	if !from.MayMove(pay.OrderPaid) {
		return false, fmt.Errorf("mark order paid: the graph has no edge from %s to paid", from)
	}
	if evidence == "" || when.IsZero() {
		return false, errors.New("mark order paid: no evidence or no time")
	}
	return x.moved(ctx, "mark order paid", `UPDATE orders SET state = 'paid', state_reason = '', evidence = $4,
			paid_at = $5, updated_at = $5, open_digest = NULL
		WHERE tenant_id = $1 AND id = $2 AND state = $3`, tenantID, id, from, evidence, micros(when))
}
