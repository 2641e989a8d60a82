package sqlstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/portatill/portatill/pay"
)

// InsertEntry implements pay.Tx: the entry, its lines and the customers'
// balances, unless the tenant has the fact already. The database checks at the
// commit that the lines sum to zero, whatever this code does.
func (x *tx) InsertEntry(ctx context.Context, e *pay.LedgerEntry) (booked bool, err error) {
	if err := e.Check(); err != nil {
		return false, err
	}
	booked, err = x.moved(ctx, "insert ledger entry", `INSERT INTO ledger_entries (id, tenant_id, kind, fact, currency, cause_kind,
			cause_id, order_id, unclaimed_id, memo, at, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (tenant_id, fact) DO NOTHING`,
		e.ID, e.TenantID, e.Kind, e.Fact, e.Currency, e.Cause.Kind, e.Cause.ID, text(e.OrderID), text(e.UnclaimedID), e.Memo, micros(e.At), e.Sum())
	if err != nil || !booked {
		return false, err
	}
	if err := x.insertLines(ctx, e); err != nil {
		return false, err
	}
	credit := map[string]int64{}
	for _, l := range e.Lines {
		if l.Account == pay.AccountCustomer {
			credit[l.CustomerID] -= l.AmountMinor
		}
	}
	// In the order of their ids, so that two entries never wait for each other's
	// balance.
	for _, customer := range slices.Sorted(maps.Keys(credit)) {
		if _, err := x.exec(ctx, "add to customer's balance", `INSERT INTO customer_balances (tenant_id, customer_id, currency, credit_minor)
			VALUES ($1, $2, $3, $4)
			ON CONFLICT (tenant_id, customer_id, currency) DO UPDATE SET credit_minor = customer_balances.credit_minor + excluded.credit_minor`,
			e.TenantID, customer, e.Currency, credit[customer]); err != nil {
			return false, err
		}
	}
	return true, nil
}

// insertLines writes all lines of an entry with one statement.
func (x *tx) insertLines(ctx context.Context, e *pay.LedgerEntry) error {
	var b strings.Builder
	b.WriteString("INSERT INTO ledger_lines (tenant_id, entry_id, number, account, customer_id, amount_minor) VALUES ")
	args := []any{e.TenantID, e.ID}
	for i, l := range e.Lines {
		if i > 0 {
			b.WriteString(", ")
		}
		n := len(args)
		fmt.Fprintf(&b, "($1, $2, $%d, $%d, $%d, $%d)", n+1, n+2, n+3, n+4)
		args = append(args, i+1, l.Account, text(l.CustomerID), l.AmountMinor)
	}
	_, err := x.exec(ctx, "insert ledger lines", b.String(), args...)
	return err
}

// ListEntries implements pay.Reader; they come in the order they were booked.
func (r reader) ListEntries(ctx context.Context, tenantID, orderID string) ([]*pay.LedgerEntry, error) {
	const where = ` WHERE e.tenant_id = $1 AND e.order_id = $2`
	entries, err := many(ctx, r, "ledger entries", scanEntry, entrySelect+where+` ORDER BY e.seq`, tenantID, orderID)
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	return entries, r.addLines(ctx, entries, where, tenantID, orderID)
}

// FactBooked implements pay.Reader.
func (r reader) FactBooked(ctx context.Context, tenantID, fact string) (bool, error) {
	n, err := one(ctx, r, "ledger entry", func(w row, n *int) error { return w.Scan(n) },
		`SELECT COUNT(*) FROM ledger_entries WHERE tenant_id = $1 AND fact = $2`, tenantID, fact)
	return err == nil && *n > 0, err
}

// Balances implements pay.Reader; they come by tenant, account and currency.
func (r reader) Balances(ctx context.Context, tenantID string) ([]pay.AccountBalance, error) {
	var w where
	if tenantID != "" {
		w.and("e.tenant_id = $%d", tenantID)
	}
	list, err := many(ctx, r, "balances", func(w row, b *pay.AccountBalance) error {
		return w.Scan(&b.TenantID, &b.Tenant, &b.Account, &b.Balance.Currency, &b.Balance.Minor)
	}, `SELECT e.tenant_id, t.slug, l.account, e.currency, CAST(SUM(l.amount_minor) AS BIGINT)
		FROM ledger_entries e
		JOIN ledger_lines l ON l.tenant_id = e.tenant_id AND l.entry_id = e.id
		JOIN tenants t ON t.id = e.tenant_id`+w.String()+`
		GROUP BY e.tenant_id, t.slug, l.account, e.currency
		ORDER BY t.slug, l.account, e.currency`, w.args...)
	return values(list), err
}

// Movements implements pay.Reader; they come by tenant, account and customer.
func (r reader) Movements(ctx context.Context, tenantID string, from, until time.Time) ([]pay.Movement, error) {
	var w where
	if tenantID != "" {
		w.and("e.tenant_id = $%d", tenantID)
	}
	w.and("e.at >= $%d", micros(from))
	w.and("e.at < $%d", micros(until))
	list, err := many(ctx, r, "movements", func(w row, m *pay.Movement) error {
		return w.Scan(&m.TenantID, &m.Tenant, &m.Account, &m.ICustomer, &m.Name, &m.Sum.Currency, &m.Sum.Minor)
	}, `SELECT e.tenant_id, t.slug, l.account, COALESCE(c.i_customer, 0), COALESCE(c.name, ''), e.currency, CAST(SUM(l.amount_minor) AS BIGINT)
		FROM ledger_entries e
		JOIN ledger_lines l ON l.tenant_id = e.tenant_id AND l.entry_id = e.id
		JOIN tenants t ON t.id = e.tenant_id
		LEFT JOIN customers c ON c.tenant_id = l.tenant_id AND c.id = l.customer_id`+w.String()+`
		GROUP BY e.tenant_id, t.slug, l.account, c.i_customer, c.name, e.currency
		ORDER BY t.slug, e.currency, l.account, c.i_customer`, w.args...)
	return values(list), err
}

// CustomerBalances implements pay.Reader; they come by ICustomer and currency.
func (r reader) CustomerBalances(ctx context.Context, tenantID string) ([]pay.CustomerBalance, error) {
	list, err := many(ctx, r, "customers' balances", func(w row, b *pay.CustomerBalance) error {
		return w.Scan(&b.TenantID, &b.CustomerID, &b.ICustomer, &b.Name, &b.Credit.Currency, &b.Credit.Minor)
	}, `SELECT b.tenant_id, b.customer_id, c.i_customer, c.name, b.currency, b.credit_minor
		FROM customer_balances b JOIN customers c ON c.tenant_id = b.tenant_id AND c.id = b.customer_id
		WHERE b.tenant_id = $1 ORDER BY c.i_customer, b.currency`, tenantID)
	return values(list), err
}

func values[T any](list []*T) []T {
	out := make([]T, len(list))
	for i, v := range list {
		out[i] = *v
	}
	return out
}

// bookViews are the invariants that `books` looks at each time, each row a fault. A
// test holds the list, and that of VerifyMore, to the schema.
var bookViews = []string{
	"v_unbalanced_entries", "v_tenant_currency_sums", "v_balance_drift",
	"v_payment_without_entry", "v_entry_without_payment", "v_payment_entry_differs",
	"v_paid_without_evidence", "v_paid_without_payment", "v_payment_without_paid", "v_payment_differs", "v_payment_attempt",
	"v_entry_without_cause", "v_processing_without_attempt",
	"v_refund_over_capture", "v_refund_drift", "v_refund_differs", "v_refund_without_entry",
	"v_two_open_attempts", "v_waiting_without_attempt", "v_refund_requested_over_capture", "v_dispute_lost_held",
	"v_dispute_lost_without_posting", "v_payment_without_posting", "v_posting_differs", "v_payment_without_delivery",
	"v_suspense_differs", "v_assignment_differs", "v_assignment_without_posting",
	"v_payout_differs", "v_conversion_alone", "v_case_of_suspense",
}

// VerifyBooks implements pay.Reader. A line names the tenant, the row and the
// invariant, such as "acme: pay_01…: I-15: refunds of 900 exceed …".
func (r reader) VerifyBooks(ctx context.Context) ([]string, error) {
	return r.verifyViews(ctx, bookViews)
}
