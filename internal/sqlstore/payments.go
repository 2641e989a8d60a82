package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/portatill/portatill/pay"
)

const paymentSelect = `SELECT id, tenant_id, order_id, attempt_id, customer_id, stripe_account, intent_id, charge_id, session_id,
	currency, amount_minor, vat_minor, refunded_minor, fee_currency, fee_minor, balance_transaction, method, receipt_url,
	cause_kind, cause_id, paid_at, created_at, updated_at FROM payments`

func scanPayment(w row, p *pay.Payment) error {
	return w.Scan(&p.ID, &p.TenantID, &p.OrderID, &p.AttemptID, &p.CustomerID, &p.StripeAccount, &p.IntentID, &p.ChargeID, &p.SessionID,
		&p.Amount.Currency, &p.Amount.Minor, &p.VATMinor, &p.RefundedMinor, &p.Fee.Currency, &p.Fee.Minor, &p.BalanceTransaction,
		&p.Method, &p.ReceiptURL, &p.Cause.Kind, &p.Cause.ID, at(&p.PaidAt), at(&p.CreatedAt), at(&p.UpdatedAt))
}

// PaymentByOrder implements pay.Reader.
func (r reader) PaymentByOrder(ctx context.Context, tenantID, orderID string) (*pay.Payment, error) {
	return one(ctx, r, "payment", scanPayment, paymentSelect+` WHERE tenant_id = $1 AND order_id = $2`, tenantID, orderID)
}

// PaymentByIntent implements pay.Reader.
func (r reader) PaymentByIntent(ctx context.Context, tenantID, intentID string) (*pay.Payment, error) {
	return one(ctx, r, "payment", scanPayment, paymentSelect+` WHERE tenant_id = $1 AND intent_id = $2`, tenantID, intentID)
}

// InsertPayment implements pay.Tx. CodeConflict means that the order or the
// intent has its payment already.
func (x *tx) InsertPayment(ctx context.Context, p *pay.Payment) error {
	return x.insert(ctx, "payment", `INSERT INTO payments (id, tenant_id, order_id, attempt_id, customer_id, stripe_account,
			intent_id, charge_id, session_id, currency, amount_minor, vat_minor, refunded_minor, fee_currency, fee_minor,
			balance_transaction, method, receipt_url, cause_kind, cause_id, paid_at, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
		ON CONFLICT DO NOTHING`,
		p.ID, p.TenantID, p.OrderID, p.AttemptID, p.CustomerID, p.StripeAccount,
		p.IntentID, p.ChargeID, p.SessionID, p.Amount.Currency, p.Amount.Minor, p.VATMinor, p.RefundedMinor, p.Fee.Currency, p.Fee.Minor,
		p.BalanceTransaction, p.Method, p.ReceiptURL, p.Cause.Kind, p.Cause.ID, micros(p.PaidAt), micros(p.CreatedAt), micros(p.UpdatedAt))
}

// LockPayment implements pay.Tx. The update that changes nothing is the one text
// that locks the row on PostgreSQL; on SQLite the transaction is alone anyway.
func (x *tx) LockPayment(ctx context.Context, tenantID, intentID string) (*pay.Payment, error) {
	if _, err := x.exec(ctx, "lock payment", `UPDATE payments SET updated_at = updated_at WHERE tenant_id = $1 AND intent_id = $2`,
		tenantID, intentID); err != nil {
		return nil, err
	}
	return x.PaymentByIntent(ctx, tenantID, intentID)
}

// SetPaymentFee implements pay.Tx: it stores p.Fee, p.BalanceTransaction and
// p.UpdatedAt.
func (x *tx) SetPaymentFee(ctx context.Context, p *pay.Payment) error {
	return x.must(ctx, "set payment's fee", "payment", `UPDATE payments SET fee_currency = $3, fee_minor = $4,
			balance_transaction = $5, updated_at = $6
		WHERE tenant_id = $1 AND id = $2`, p.TenantID, p.ID, p.Fee.Currency, p.Fee.Minor, p.BalanceTransaction, micros(p.UpdatedAt))
}

// SetRefunded implements pay.Tx. A sum below 0 or above the amount is an error
// that ends the transaction.
func (x *tx) SetRefunded(ctx context.Context, tenantID, paymentID string, minor int64, when time.Time) error {
	return x.must(ctx, fmt.Sprintf("set refunded sum to %d", minor), "payment", `UPDATE payments SET refunded_minor = $3, updated_at = $4
		WHERE tenant_id = $1 AND id = $2`, tenantID, paymentID, minor, micros(when))
}

// ListRefunds implements pay.Reader; they come oldest first.
func (r reader) ListRefunds(ctx context.Context, tenantID, paymentID string) ([]*pay.Refund, error) {
	return many(ctx, r, "refunds", func(w row, f *pay.Refund) error {
		return w.Scan(&f.ID, &f.TenantID, &f.PaymentID, &f.OrderID, &f.StripeRefundID, &f.State, &f.Amount.Currency, &f.Amount.Minor,
			&f.Reason, &f.Cause.Kind, &f.Cause.ID, at(&f.CreatedAt), at(&f.UpdatedAt))
	}, `SELECT id, tenant_id, payment_id, order_id, stripe_refund_id, state, currency, amount_minor, reason, cause_kind, cause_id,
			created_at, updated_at
		FROM refunds WHERE tenant_id = $1 AND payment_id = $2 ORDER BY id`, tenantID, paymentID)
}

// InsertRefund implements pay.Tx.
func (x *tx) InsertRefund(ctx context.Context, f *pay.Refund) error {
	return x.insert(ctx, "refund", `INSERT INTO refunds (id, tenant_id, payment_id, order_id, stripe_refund_id, state, currency,
			amount_minor, reason, cause_kind, cause_id, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING`,
		f.ID, f.TenantID, f.PaymentID, f.OrderID, f.StripeRefundID, f.State, f.Amount.Currency, f.Amount.Minor,
		f.Reason, f.Cause.Kind, f.Cause.ID, micros(f.CreatedAt), micros(f.UpdatedAt))
}

// MoveRefund implements pay.Tx.
func (x *tx) MoveRefund(ctx context.Context, tenantID, id string, from, to pay.RefundState, when time.Time) (bool, error) {
	return x.moved(ctx, "move refund", `UPDATE refunds SET state = $4, updated_at = $5
		WHERE tenant_id = $1 AND id = $2 AND state = $3`, tenantID, id, from, to, micros(when))
}
