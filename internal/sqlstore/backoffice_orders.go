package sqlstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/portatill/portatill/internal/backoffice"
	"github.com/portatill/portatill/pay"
)

var orderListing = listing[backoffice.OrderRow]{
	table: "orders",
	columns: `r.id, r.tenant_id, r.customer_id, c.i_customer, c.name, c.company, c.email, r.kind, r.state, r.state_reason, r.currency, r.total_minor,
		r.content_id, r.feature_name, r.created_at, r.paid_at, COALESCE(p.id, ''), COALESCE(p.refunded_minor, 0)`,
	joins: ` JOIN customers c ON c.tenant_id = r.tenant_id AND c.id = r.customer_id
		LEFT JOIN payments p ON p.tenant_id = r.tenant_id AND p.order_id = r.id`,
	scan: func(w row, o *backoffice.OrderRow) error {
		return w.Scan(&o.ID, &o.TenantID, &o.CustomerID, &o.ICustomer, &o.CustomerName, &o.Company, &o.CustomerEmail, &o.Kind, &o.State, &o.StateReason,
			&o.Total.Currency, &o.Total.Minor, &o.ContentID, &o.FeatureName, at(&o.CreatedAt), at(&o.PaidAt), &o.PaymentID, &o.RefundedMinor)
	},
	id: func(o *backoffice.OrderRow) string { return o.ID },
}

// allOrderStates are the values of orders.state.
var allOrderStates = []pay.OrderState{pay.OrderDraft, pay.OrderOpen, pay.OrderProcessing, pay.OrderPaid, pay.OrderFailed, pay.OrderExpired, pay.OrderCancelled, pay.OrderMismatch}

// PageOrders implements backoffice.Reader.
func (r reader) PageOrders(ctx context.Context, f backoffice.OrderFilter) (backoffice.Page[backoffice.OrderRow], error) {
	var branches []branch
	for _, tenantID := range f.Tenants {
		if f.Search == "" && f.Currency != "" && f.State == "" && !narrow(&f) {
			// The index of currencies has the state between the two.
			for _, state := range allOrderStates {
				one := f
				one.State = state
				branches = append(branches, orderBranch(tenantID, one, nil))
			}
			continue
		}
		for _, found := range orderSearches(tenantID, &f) {
			branches = append(branches, orderBranch(tenantID, f, found))
		}
	}
	return pageOf(ctx, r, orderListing, branches, f.Paging)
}

// orderFilter is a short name for signatures.
type orderFilter = backoffice.OrderFilter

// orderBranch is the orders of a tenant that a filter leaves, and a way of the search finds.
//
// Neither state nor currency is written so that its index can serve where another term finds
// fewer rows: SQLite, which counts nothing beforehand, would take the one that has the order.
// The paid are most of all orders and the others few, so among the orders for a feature the
// index of states is the better one but for those.
func orderBranch(tenantID string, f orderFilter, found func(a *arguments) string) branch {
	return func(a *arguments) []string {
		terms := common(a, "ord", tenantID, &f.Filter)
		equal := func(column string, value any, served bool) {
			if !served {
				column = "COALESCE(" + column + ", '')"
			}
			terms = append(terms, column+" = "+a.add(value))
		}
		few := found != nil || f.CustomerID != "" || f.ContentID != 0
		byFeature := f.FeatureName != "" && (f.State == "" || f.State == pay.OrderPaid)
		if f.State != "" {
			equal("state", string(f.State), !few && !byFeature)
		}
		if f.Currency != "" {
			equal("currency", string(f.Currency), !few && !byFeature && f.State != "")
		}
		if f.FeatureName != "" {
			equal("feature_name", f.FeatureName, !few && byFeature)
			if !few && byFeature {
				terms = append(terms, "feature_name <> ''") // what lets its partial index serve
			}
		}
		if f.ContentID != 0 {
			terms = append(terms, "content_id = "+a.add(f.ContentID), "content_id <> 0")
		}
		if f.CustomerID != "" {
			terms = append(terms, "customer_id = "+a.add(f.CustomerID))
		}
		if found != nil {
			terms = append(terms, found(a))
		}
		return terms
	}
}

// orderSearches are the ways to find what was searched for; one that finds all when nothing was.
func orderSearches(tenantID string, f *orderFilter) []func(a *arguments) string {
	text := f.Search
	if text == "" {
		return []func(a *arguments) string{nil}
	}
	ways := []func(a *arguments) string{}
	equal := func(column, not string, value any) {
		ways = append(ways, func(a *arguments) string {
			return fmt.Sprintf("%s = %s AND %s <> %s", column, a.add(value), column, not)
		})
	}
	prefix, _, isID := strings.Cut(text, "_")
	if isID && orderOf(&arguments{}, "id", tenantID, text) != "" {
		return append(ways, func(a *arguments) string { return orderOf(a, "id", tenantID, text) })
	}
	if _, ok := byCustomer(&arguments{}, "customer_id", tenantID, text, len(f.Tenants)); ok {
		ways = append(ways, func(a *arguments) string {
			term, _ := byCustomer(a, "customer_id", tenantID, text, len(f.Tenants))
			return term
		})
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		equal("content_id", "0", n)
	}
	if isID && prefix == "lic" {
		equal("license_id", "''", text)
	}
	equal("feature_name", "''", text)
	if hint := strings.TrimPrefix(text, "…"); len(hint) == 4 {
		ways = append(ways, func(a *arguments) string {
			return fmt.Sprintf("license_id <> '' AND license_id IN (SELECT id FROM licenses WHERE tenant_id = %s AND hint = %s)", a.add(tenantID), a.add(hint))
		})
	}
	return ways
}

// EventsAbout implements backoffice.Reader. The few events of the objects are found by their
// index and then put in order; left to themselves both databases would rather read all of
// a tenant's in order.
func (r reader) EventsAbout(ctx context.Context, tenantID string, objects []string, limit int) ([]*pay.Event, error) {
	if len(objects) == 0 {
		return nil, nil
	}
	a := arguments{all: []any{tenantID}}
	return many(ctx, r, "events", func(w row, e *pay.Event) error {
		return w.Scan(&e.ID, &e.TenantID, &e.StripeID, &e.Type, &e.ObjectID, &e.APIVersion, &e.Livemode, &e.State, &e.Note, at(&e.ReceivedAt), at(&e.DoneAt))
	}, `WITH about AS MATERIALIZED (SELECT id, tenant_id, stripe_id, type, object_id, api_version, livemode, state, note, received_at, done_at
			FROM events WHERE tenant_id = $1 AND object_id IN `+a.in(objects)+` AND object_id <> '')
		SELECT * FROM about ORDER BY id LIMIT `+strconv.Itoa(clampLimit(limit, 100, backoffice.MaxLimit)), a.all...)
}

// narrow reports whether a filter has a term of its own index.
func narrow(f *orderFilter) bool {
	return f.CustomerID != "" || f.ContentID != 0 || f.FeatureName != ""
}
