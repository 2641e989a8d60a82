package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portatill/portatill/internal/backoffice"
	"github.com/portatill/portatill/pay"
)

var _ backoffice.Reader = reader{}

// arguments are the values of a statement that is put together from parts.
type arguments struct{ all []any }

// add appends a value and returns its placeholder.
func (a *arguments) add(v any) string {
	a.all = append(a.all, v)
	return "$" + strconv.Itoa(len(a.all))
}

// in is a list of placeholders.
func (a *arguments) in(ids []string) string {
	marks := make([]string, len(ids))
	for i, id := range ids {
		marks[i] = a.add(id)
	}
	return "(" + strings.Join(marks, ", ") + ")"
}

// branch is one way to rows of one tenant that an index serves: terms of a WHERE. A list is
// the newest of all its branches. An index cannot be read in the order of ids for several
// tenants, or several alternatives of a search, at once; one branch for each can, and reads
// a page of each at most.
type branch func(a *arguments) []string

// listing is how the rows of a list are read: the table r, joined to what goes with it.
type listing[T any] struct {
	table   string
	columns string
	joins   string
	scan    scanFunc[T]
	id      func(*T) string
}

// branchesAtOnce bounds a statement: SQLite takes 500 parts of a compound
// (sqlite.org/limits.html).
const branchesAtOnce = 100

// pageOf reads one page.
func pageOf[T any](ctx context.Context, r reader, l listing[T], branches []branch, p backoffice.Paging) (backoffice.Page[T], error) {
	limit := clampLimit(p.Limit, 50, backoffice.MaxLimit)
	back := p.Before != ""
	var rows []*T
	for part := range slices.Chunk(branches, branchesAtOnce) {
		query, args := pageQuery(l.table, l.columns, l.joins, part, p, limit+1)
		found, err := many(ctx, r, l.table, l.scan, query, args...)
		if err != nil {
			return backoffice.Page[T]{}, err
		}
		rows = append(rows, found...)
	}
	slices.SortFunc(rows, func(a, b *T) int {
		if back {
			return strings.Compare(l.id(a), l.id(b))
		}
		return strings.Compare(l.id(b), l.id(a))
	})
	more := len(rows) > limit
	rows = rows[:min(len(rows), limit)]
	if !back {
		return backoffice.Page[T]{Rows: rows, Newer: p.After != "", Older: more}, nil
	}
	if !more { // the way back has reached the top: the first page is a whole one
		return pageOf(ctx, r, l, branches, backoffice.Paging{Limit: limit})
	}
	slices.Reverse(rows)
	return backoffice.Page[T]{Rows: rows, Newer: true, Older: true}, nil
}

// pageQuery finds the keys first, by the indexes alone, and reads the rows of those that are
// on the page. It begins with WITH, because statements.go keeps what begins with SELECT, and
// these texts are as many as there are filters.
func pageQuery(table, columns, joins string, branches []branch, p backoffice.Paging, limit int) (string, []any) {
	var a arguments
	order := " ORDER BY id DESC LIMIT " + strconv.Itoa(limit)
	if p.Before != "" {
		order = " ORDER BY id LIMIT " + strconv.Itoa(limit)
	}
	parts := make([]string, len(branches))
	for i, b := range branches {
		terms := b(&a)
		switch {
		case p.Before != "":
			terms = append(terms, "id > "+a.add(p.Before))
		case p.After != "":
			terms = append(terms, "id < "+a.add(p.After))
		}
		parts[i] = fmt.Sprintf("SELECT * FROM (SELECT tenant_id, id FROM %s WHERE %s%s) b%d", table, strings.Join(terms, " AND "), order, i)
	}
	return "WITH found AS (" + strings.Join(parts, " UNION ") + "), page AS (SELECT tenant_id, id FROM found" + order + ")" +
		" SELECT " + columns + " FROM page CROSS JOIN " + table + " r" + joins + " WHERE r.tenant_id = page.tenant_id AND r.id = page.id", a.all
}

// common are the terms that every branch of a list has: the tenant and the span of time.
// Every index ends in the id, which begins with the time that it was made at, so nothing
// outside the span is read; the minute is for two readings of the clock.
func common(a *arguments, prefix, tenantID string, f *backoffice.Filter) []string {
	terms := []string{"tenant_id = " + a.add(tenantID)}
	if !f.From.IsZero() {
		terms = append(terms, "id >= "+a.add(idAt(prefix, f.From.Add(-time.Minute))), "created_at >= "+a.add(micros(f.From)))
	}
	if !f.Until.IsZero() {
		terms = append(terms, "id < "+a.add(idAt(prefix, f.Until.Add(time.Minute))), "created_at < "+a.add(micros(f.Until)))
	}
	return terms
}

// idAt is where ids of a moment begin.
func idAt(prefix string, t time.Time) string {
	if t.Before(time.UnixMilli(0)) {
		return prefix + "_"
	}
	return pay.NewID(prefix, t)[:len(prefix)+1+idTime]
}

// contains is a LIKE pattern for a text anywhere, in lower case as LOWER folds it.
func contains(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(lowerASCII(text)) + "%"
}

// lowerASCII folds as LOWER does on both databases: ASCII only.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// namesLookedThrough is among how many of the newest customers a part of a name is looked
// for: no index helps there, and a page must not take longer the more customers there are.
const namesLookedThrough = 30_000

// byName are the ids of a tenant's customers whose name, company or address has a text.
func byName(a *arguments, tenantID, text string, tenants int) string {
	like := a.add(contains(text)) + ` ESCAPE '\'`
	return fmt.Sprintf(`SELECT id FROM (SELECT id, name, company, email FROM customers WHERE tenant_id = %s ORDER BY id DESC LIMIT %d) n
		WHERE LOWER(name || ' ' || company || ' ' || email) LIKE %s`, a.add(tenantID), max(namesLookedThrough/max(tenants, 1), 1000), like)
}

// byCustomer finds a tenant's customers by what a person may know of them: terms of a
// column that has our id of a customer. ok is false when the text is the id of something else.
func byCustomer(a *arguments, column, tenantID, text string, tenants int) (term string, ok bool) {
	prefix, _, isID := strings.Cut(text, "_")
	n, errNumber := strconv.ParseInt(text, 10, 64)
	switch {
	case isID && prefix == "cus": // ours, or Stripe's
		return fmt.Sprintf(`%s IN (SELECT id FROM customers WHERE tenant_id = %s AND id = %s UNION
			SELECT s.customer_id FROM tenants t JOIN stripe_customers s ON s.tenant_id = t.id AND s.account = t.stripe_account
			AND s.livemode = t.stripe_livemode WHERE t.id = %s AND s.stripe_customer = %s)`, column, a.add(tenantID), a.add(text), a.add(tenantID), a.add(text)), true
	case isID && slices.Contains(idPrefixes, prefix):
		return "", false
	case errNumber == nil:
		return fmt.Sprintf("%s IN (SELECT id FROM customers WHERE tenant_id = %s AND i_customer = %s)", column, a.add(tenantID), a.add(n)), true
	case strings.Contains(strings.Trim(text, "@"), "@"):
		return fmt.Sprintf("%s IN (SELECT id FROM customers WHERE tenant_id = %s AND LOWER(email) = %s AND email <> '')", column, a.add(tenantID), a.add(lowerASCII(text))), true
	}
	return column + " IN (" + byName(a, tenantID, text, tenants) + ")", true
}

// idPrefixes are what ids of ours and of Stripe's that lists can be searched for begin with.
var idPrefixes = []string{"ord", "att", "pay", "ref", "rfr", "dsp", "lic", "cus", "cs", "pi", "ch", "py", "re", "pyr", "dp", "du", "txn", "po"}

// orderOf is how the order of an id is found: a term of a column that has an order's id; ""
// when no order can have it.
func orderOf(a *arguments, column, tenantID, text string) string {
	prefix, _, _ := strings.Cut(text, "_")
	from := map[string][2]string{"att": {"attempts", "id"}, "cs": {"attempts", "session_id"}, "pi": {"attempts", "intent_id"}, "pay": {"payments", "id"},
		"ch": {"payments", "charge_id"}, "py": {"payments", "charge_id"}, "ref": {"refunds", "id"}, "re": {"refunds", "stripe_refund_id"},
		"pyr": {"refunds", "stripe_refund_id"}, "dsp": {"disputes", "id"}, "dp": {"disputes", "stripe_dispute_id"}, "du": {"disputes", "stripe_dispute_id"}}[prefix]
	switch {
	case prefix == "ord":
		return column + " = " + a.add(text)
	case from[0] == "":
		return ""
	}
	// "<> ''" is what lets the partial index of charges serve.
	return fmt.Sprintf("%s IN (SELECT order_id FROM %s WHERE tenant_id = %s AND %s = %s AND %s <> '')", column, from[0], a.add(tenantID), from[1], a.add(text), from[1])
}

// TenantNames implements backoffice.Reader.
func (r reader) TenantNames(ctx context.Context) ([]*backoffice.Tenant, error) {
	return many(ctx, r, "tenants", func(w row, t *backoffice.Tenant) error {
		return w.Scan(&t.ID, &t.Slug, &t.Name, &t.StripeAccount, &t.Livemode)
	},
		`SELECT id, slug, name, stripe_account, stripe_livemode FROM tenants ORDER BY name, slug`)
}

// OrderTenant implements backoffice.Reader.
func (r reader) OrderTenant(ctx context.Context, scope, id string) (string, error) {
	return r.tenantOf(ctx, "order", "orders", scope, id)
}

// CustomerTenant implements backoffice.Reader.
func (r reader) CustomerTenant(ctx context.Context, scope, id string) (string, error) {
	return r.tenantOf(ctx, "customer", "customers", scope, id)
}

// tenantOf tries one tenant after the other: the key begins with the tenant. CROSS JOIN is
// how SQLite is told to (sqlite.org/optoverview.html, "Manual control of query plans").
func (r reader) tenantOf(ctx context.Context, what, table, scope, id string) (string, error) {
	found, err := one(ctx, r, what, func(w row, s *string) error { return w.Scan(s) },
		`SELECT t.id FROM tenants t CROSS JOIN `+table+` x WHERE x.tenant_id = t.id AND x.id = $1 AND ($2 = '' OR t.id = $2)`, id, scope)
	if err != nil {
		return "", err
	}
	return *found, nil
}
