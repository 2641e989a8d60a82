package sqlstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/portatill/portatill/pay"
)

// The statements of the overview. Each is answered by an index alone (orders_made,
// orders_waiting, payments_paid), so that a day costs its own rows and nothing else.
const (
	overviewMade = `SELECT currency, state, COUNT(*), CAST(SUM(total_minor) AS BIGINT) FROM orders
		WHERE tenant_id = $1 AND kind = 'payment' AND created_at >= $2 AND created_at < $3 GROUP BY currency, state`
	overviewTaken = `SELECT currency, COUNT(*), CAST(SUM(amount_minor) AS BIGINT) FROM payments
		WHERE tenant_id = $1 AND paid_at >= $2 AND paid_at < $3 GROUP BY currency`
	overviewWaiting = `SELECT currency, state, COUNT(*) FROM orders
		WHERE tenant_id = $1 AND state IN ('open', 'processing') GROUP BY currency, state`
)

// OrdersMade sums up the orders for money that were made from one time until before
// another, by currency and present state.
func (r reader) OrdersMade(ctx context.Context, tenantID string, from, until time.Time) ([]*pay.DayCount, error) {
	return many(ctx, r, "orders of a day", func(w row, d *pay.DayCount) error {
		return w.Scan(&d.Currency, &d.State, &d.Count, &d.Minor)
	}, overviewMade, tenantID, micros(from), micros(until))
}

// MoneyTaken sums up the payments of a span, by currency.
func (r reader) MoneyTaken(ctx context.Context, tenantID string, from, until time.Time) ([]*pay.DayTaken, error) {
	return many(ctx, r, "payments of a day", func(w row, d *pay.DayTaken) error {
		return w.Scan(&d.Currency, &d.Count, &d.Minor)
	}, overviewTaken, tenantID, micros(from), micros(until))
}

// OrdersWaiting counts the orders that are open or processing now.
func (r reader) OrdersWaiting(ctx context.Context, tenantID string) ([]*pay.Waiting, error) {
	return many(ctx, r, "waiting orders", func(w row, d *pay.Waiting) error {
		return w.Scan(&d.Currency, &d.State, &d.Count)
	}, overviewWaiting, tenantID)
}

// UnclaimedMade counts the cases that were made from one time until before another.
func (r reader) UnclaimedMade(ctx context.Context, tenantID string, from, until time.Time) (int64, error) {
	n, err := one(ctx, r, "unclaimed money of a span", func(w row, n *int64) error { return w.Scan(n) },
		`SELECT COUNT(*) FROM unclaimed WHERE tenant_id = $1 AND id >= $2 AND id < $3`, tenantID, idFrom("unc", from), idFrom("unc", until))
	if err != nil {
		return 0, err
	}
	return *n, nil
}

// idFrom is before every id with the prefix that was made at a time or later, and after
// those made earlier: an id begins with its time.
func idFrom(prefix string, t time.Time) string {
	return pay.NewID(prefix, t)[:len(prefix)+1+idTime]
}

// attention has one line a count: the name of what is counted, and where.
var attention = [...]string{
	`unclaimed WHERE tenant_id = $1 AND state = 'open'`,
	`orders WHERE tenant_id = $1 AND state = 'mismatch'`,
	`postings WHERE tenant_id = $1 AND state IN ('needs_review', 'refused', 'unknown')`,
	`refunds WHERE tenant_id = $1 AND state = 'failed' AND updated_at >= $2`,
	`disputes WHERE tenant_id = $1 AND state IN ('needs_response', 'warning_needs_response')`,
	`events WHERE tenant_id = $1 AND state = 'failed'`,
	`deliveries WHERE tenant_id = $1 AND state = 'failed' AND updated_at >= $2`,
	`mails WHERE tenant_id = $1 AND state = 'failed' AND updated_at >= $2`,
}

// NeedsPerson counts what needs a person, of one tenant; refunds, deliveries and mails that
// failed since a time.
func (r reader) NeedsPerson(ctx context.Context, tenantID string, since time.Time) (*pay.Attention, error) {
	counts := make([]string, len(attention))
	for i, from := range attention {
		counts[i] = fmt.Sprintf(`(SELECT COUNT(*) FROM (SELECT 1 FROM %s LIMIT %d) AS counted)`, from, pay.AttentionMost)
	}
	return one(ctx, r, "what needs a person", func(w row, a *pay.Attention) error {
		return w.Scan(&a.Unclaimed, &a.Mismatches, &a.Postings, &a.RefundsFailed, &a.Disputes, &a.EventsFailed, &a.DeliveriesFailed, &a.MailsFailed, at(&a.DisputeDue))
	}, `SELECT `+strings.Join(counts, ", ")+`, (SELECT MIN(due_by) FROM disputes
		WHERE tenant_id = $1 AND state IN ('needs_response', 'warning_needs_response'))`, tenantID, micros(since))
}

// ListPostingsPage lists a tenant's postings, newest first.
func (r reader) ListPostingsPage(ctx context.Context, f pay.PostingFilter) ([]*pay.Posting, error) {
	var w where
	w.and("tenant_id = $%d", f.TenantID)
	if f.State != "" {
		w.and("state = $%d", f.State)
	}
	if f.SubjectID != "" { // unique with the kind, so the index of both is asked for each kind
		kinds := make([]string, len(pay.PostingKinds))
		for i, k := range pay.PostingKinds {
			kinds[i] = string(k)
		}
		w.in("kind", kinds)
		w.and("subject_id = $%d", f.SubjectID)
	}
	if f.Kind != "" {
		w.and("kind = $%d", f.Kind)
	}
	if f.OrderID != "" {
		w.and("order_id = $%d", f.OrderID)
	}
	if f.After != "" {
		w.and("id < $%d", f.After)
	}
	return many(ctx, r, "postings", scanPosting, fmt.Sprintf("%s%s ORDER BY id DESC LIMIT %d", postingSelect, w.String(), clampLimit(f.Limit, 50, 1000)), w.args...)
}

// ListUnclaimedPage lists a tenant's cases, newest first.
func (r reader) ListUnclaimedPage(ctx context.Context, f pay.UnclaimedFilter) ([]*pay.Unclaimed, error) {
	var w where
	w.and("tenant_id = $%d", f.TenantID)
	if f.State != "" {
		w.and("state = $%d", f.State)
	}
	if f.OrderID != "" {
		w.and("order_id = $%d", f.OrderID)
	}
	if f.After != "" {
		w.and("id < $%d", f.After)
	}
	return many(ctx, r, "unclaimed money", scanUnclaimed, fmt.Sprintf("%s%s ORDER BY id DESC LIMIT %d", unclaimedSelect, w.String(), clampLimit(f.Limit, 50, 1000)), w.args...)
}

// OldestListings tells for each tenant how many kinds of objects were ever listed at
// Stripe as a whole, and up to when the one that is furthest behind was.
func (r reader) OldestListings(ctx context.Context) ([]*pay.OldestListing, error) {
	return many(ctx, r, "sweep marks", func(w row, l *pay.OldestListing) error {
		return w.Scan(&l.TenantID, &l.Kinds, at(&l.Through))
	}, `SELECT tenant_id, COUNT(*), MIN(through_at) FROM sweep_marks GROUP BY tenant_id`)
}
