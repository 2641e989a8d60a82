package sqlstore

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/portatill/portatill/internal/tenantset"
	"github.com/portatill/portatill/pay"
)

// mostToday bounds how many of a day's orders are counted for a list.
const mostToday = 10_000

// ListTenantRows implements tenantset.Store. Orders and events are sought in their
// primary keys, whose ids begin with the time that they were made at.
func (r reader) ListTenantRows(ctx context.Context, f tenantset.ListFilter) ([]*tenantset.Row, error) {
	w := where{args: []any{pay.NewID("ord", f.Day)[:len("ord_")+idTime], micros(f.Day)}}
	if f.TenantID != "" {
		w.and("t.id = $%d", f.TenantID)
	}
	if f.State != "" {
		w.and("t.state = $%d", f.State)
	}
	if f.Search != "" {
		w.args = append(w.args, "%"+likeText(strings.ToLower(f.Search))+"%")
		n := strconv.Itoa(len(w.args))
		w.terms = append(w.terms, `(t.slug LIKE $`+n+` ESCAPE '\' OR LOWER(t.name) LIKE $`+n+` ESCAPE '\')`)
	}
	if f.After != "" {
		w.and("t.slug > $%d", f.After)
	}
	w.args = append(w.args, clampLimit(f.Limit, 50, 1000))
	return many(ctx, r, "tenants", func(w row, x *tenantset.Row) error {
		x.Tenant = new(pay.Tenant)
		return r.scanTenant(longerRow{longerRow{w, at(&x.LastWebhookAt)}, &x.OrdersToday}, x.Tenant)
	}, `SELECT `+tenantColumns+`,
			(SELECT COUNT(*) FROM (SELECT 1 FROM orders o WHERE o.tenant_id = t.id AND o.id >= $1 AND o.created_at >= $2 LIMIT `+strconv.Itoa(mostToday)+`) today),
			(SELECT e.received_at FROM events e WHERE e.tenant_id = t.id ORDER BY e.id DESC LIMIT 1)
		FROM tenants t`+w.String()+` ORDER BY t.slug LIMIT $`+strconv.Itoa(len(w.args)), w.args...)
}

// likeText writes a text so that LIKE takes each of its characters for itself.
func likeText(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

// Sizes is how large the database is.
type Sizes struct {
	Bytes   int64 // the whole database, on PostgreSQL with its indexes
	Orders  int64 // as the database estimates it, -1 when it does not know yet
	Tenants int64
	FirstAt time.Time // when the first tenant was added; zero: there is none
}

// Sizes asks the database how large it is; nothing is counted row by row.
func (s *Store) Sizes(ctx context.Context) (Sizes, error) {
	var z Sizes
	read := func(into any, query string) error {
		if err := s.c.QueryRowContext(ctx, query).Scan(into); err != nil {
			return classify("read the database's size", err)
		}
		return nil
	}
	if err := read(&z.Tenants, `SELECT COUNT(*) FROM tenants`); err != nil {
		return z, err
	}
	if err := read(at(&z.FirstAt), `SELECT MIN(created_at) FROM tenants`); err != nil {
		return z, err
	}
	if s.dialect == Postgres {
		if err := read(&z.Orders, `SELECT CAST(reltuples AS BIGINT) FROM pg_class WHERE oid = 'orders'::regclass`); err != nil {
			return z, err
		}
		return z, read(&z.Bytes, `SELECT pg_database_size(current_database())`)
	}
	// No order is ever deleted, and so the highest row number is how many there are.
	if err := read(&z.Orders, `SELECT COALESCE(MAX(rowid), 0) FROM orders`); err != nil {
		return z, err
	}
	return z, read(&z.Bytes, `SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`)
}
