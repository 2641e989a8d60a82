package sqlstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/portatill/portatill/pay"
)

// list writes $n, $n+1, … for values and adds them to args.
func list(args []any, values []string) ([]any, string) {
	var b strings.Builder
	for _, v := range values {
		args = append(args, v)
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", len(args))
	}
	return args, b.String()
}

// KnownBalance implements pay.Reader.
func (r reader) KnownBalance(ctx context.Context, tenantID string, ids []string) (map[string]bool, error) {
	known := map[string]bool{}
	if len(ids) == 0 {
		return known, nil
	}
	args, in := list([]any{tenantID}, ids)
	return known, each(ctx, r, "balance transactions", func(w row) error {
		var id string
		if err := w.Scan(&id); err != nil {
			return r.fail("list balance transactions", err)
		}
		known[id] = true
		return nil
	}, `SELECT id FROM balance_transactions WHERE tenant_id = $1 AND id IN (`+in+`)`, args...)
}

// KnownElsewhere implements pay.Reader.
func (r reader) KnownElsewhere(ctx context.Context, tenantID string, ids []string) (map[string]bool, error) {
	known := map[string]bool{}
	if len(ids) == 0 {
		return known, nil
	}
	args, in := list([]any{tenantID}, ids)
	return known, each(ctx, r, "books of other tenants", func(w row) error {
		var id string
		if err := w.Scan(&id); err != nil {
			return r.fail("look into the books of other tenants", err)
		}
		known[id] = true
		return nil
	}, `SELECT id FROM balance_transactions WHERE tenant_id <> $1 AND id IN (`+in+`)
		UNION ALL SELECT id FROM payouts WHERE tenant_id <> $1 AND id IN (`+in+`)
		UNION ALL SELECT object_id FROM unclaimed WHERE tenant_id <> $1 AND object_id IN (`+in+`) AND reason NOT IN ('other_tenant', 'wrong_mode')`, args...)
}

// KnownPayouts implements pay.Reader.
func (r reader) KnownPayouts(ctx context.Context, tenantID string, payouts []*pay.StripePayout) (map[string]*pay.Payout, error) {
	known := map[string]*pay.Payout{}
	if len(payouts) == 0 {
		return known, nil
	}
	ids := make([]string, len(payouts))
	for i, p := range payouts {
		ids[i] = p.ID
	}
	args, in := list([]any{tenantID}, ids)
	found, err := many(ctx, r, "payouts", scanPayout, strings.Replace(payoutSelect, "matched_at", matchedAndWhole, 1)+` WHERE tenant_id = $1 AND id IN (`+in+`)`, args...)
	for _, p := range found {
		known[p.ID] = p
	}
	return known, err
}

// matchedAndWhole is when a payout was matched, nothing when what is stored of it does not
// sum to it: a row that is gone is listed again without its payout.
const matchedAndWhole = `CASE WHEN amount_minor = foreign_minor + (SELECT COALESCE(SUM(b.amount_minor - b.fee_minor), 0) FROM balance_transactions b
	WHERE b.tenant_id = payouts.tenant_id AND b.payout_id = payouts.id AND b.source_id <> payouts.id) THEN matched_at END`

const payoutSelect = `SELECT id, tenant_id, status, currency, amount_minor, automatic, foreign_minor, created_at, arrival_at, matched_at, updated_at FROM payouts`

func scanPayout(w row, p *pay.Payout) error {
	err := w.Scan(&p.ID, &p.TenantID, &p.Status, &p.Amount.Currency, &p.Amount.Minor, &p.Automatic, &p.ForeignMinor, at(&p.CreatedAt),
		at(&p.ArrivalAt), at(&p.MatchedAt), at(&p.UpdatedAt))
	p.Reconciled = !p.MatchedAt.IsZero()
	return err
}

// InsertBalanceTransaction implements pay.Tx.
func (x *tx) InsertBalanceTransaction(ctx context.Context, b *pay.BalanceTransaction) (bool, error) {
	type counted struct{ n int }
	taken, err := one(ctx, x.reader, "balance transaction", func(w row, c *counted) error { return w.Scan(&c.n) },
		`SELECT COUNT(*) FROM balance_transactions WHERE tenant_id = $1 AND fact = $2 AND id <> $3`, b.TenantID, b.Fact, b.ID)
	if err != nil {
		return false, err
	}
	if taken.n > 0 {
		b.Fact, b.Source = b.ID+":other", b.Amount
	}
	return x.moved(ctx, "insert balance transaction", `INSERT INTO balance_transactions (id, tenant_id, type, category, source_id, intent_id, fact,
			source_currency, source_minor, currency, amount_minor, fee_minor, tax_minor, exchange_rate, payout_id, created_at, available_at, learnt_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, NULL, $15, $16, $17) ON CONFLICT DO NOTHING`,
		b.ID, b.TenantID, b.Type, b.Category, b.SourceID, b.IntentID, b.Fact,
		b.Source.Currency, b.Source.Minor, b.Amount.Currency, b.Amount.Minor, b.Fee.Minor, b.TaxFee.Minor, b.ExchangeRate,
		micros(b.CreatedAt), micros(b.AvailableAt), micros(b.LearntAt))
}

// SavePayout implements pay.Tx.
func (x *tx) SavePayout(ctx context.Context, p *pay.Payout) error {
	_, err := x.exec(ctx, "save payout", `INSERT INTO payouts (id, tenant_id, status, currency, amount_minor, automatic, foreign_minor, created_at,
			arrival_at, matched_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (tenant_id, id) DO UPDATE SET status = excluded.status, foreign_minor = excluded.foreign_minor,
			arrival_at = excluded.arrival_at, matched_at = excluded.matched_at, updated_at = excluded.updated_at`,
		p.ID, p.TenantID, p.Status, p.Amount.Currency, p.Amount.Minor, p.Automatic, p.ForeignMinor, micros(p.CreatedAt),
		micros(p.ArrivalAt), micros(p.MatchedAt), micros(p.UpdatedAt))
	return err
}

// SetPayoutOf implements pay.Tx.
func (x *tx) SetPayoutOf(ctx context.Context, tenantID, payoutID string, ids []string) error {
	for len(ids) > 0 {
		n := min(len(ids), 200)
		args, in := list([]any{tenantID, payoutID}, ids[:n])
		ids = ids[n:]
		if _, err := x.exec(ctx, "match payout", `UPDATE balance_transactions SET payout_id = $2
			WHERE tenant_id = $1 AND id IN (`+in+`)`, args...); err != nil {
			return err
		}
	}
	return nil
}

// RefundPending implements pay.Reader.
func (r reader) RefundPending(ctx context.Context, tenantID, stripeRefundID string) (bool, error) {
	type counted struct{ n int }
	c, err := one(ctx, r, "refund", func(w row, c *counted) error { return w.Scan(&c.n) },
		`SELECT COUNT(*) FROM refunds WHERE tenant_id = $1 AND stripe_refund_id = $2 AND state IN ('pending', 'requires_action')`, tenantID, stripeRefundID)
	if err != nil {
		return false, err
	}
	return c.n > 0, nil
}
