package sqlstore

import (
	"context"

	"github.com/portatill/portatill/internal/backoffice"
	"github.com/portatill/portatill/pay"
)

var customerListing = listing[backoffice.CustomerRow]{
	table: "customers",
	columns: `r.id, r.tenant_id, r.i_customer, r.name, r.company, r.email, r.created_at,
		(SELECT o.created_at FROM orders o WHERE o.tenant_id = r.tenant_id AND o.customer_id = r.id ORDER BY o.id DESC LIMIT 1)`,
	scan: func(w row, c *backoffice.CustomerRow) error {
		return w.Scan(&c.ID, &c.TenantID, &c.ICustomer, &c.Name, &c.Company, &c.Email, at(&c.CreatedAt), at(&c.OrderedAt))
	},
	id: func(c *backoffice.CustomerRow) string { return c.ID },
}

// PageCustomers implements backoffice.Reader. A currency narrows it to those who were ever
// credited in it.
func (r reader) PageCustomers(ctx context.Context, f backoffice.Filter) (backoffice.Page[backoffice.CustomerRow], error) {
	var branches []branch
	for _, tenantID := range f.Tenants {
		branches = append(branches, func(a *arguments) []string {
			terms := common(a, "cus", tenantID, &f)
			if f.Currency != "" {
				terms = append(terms, "EXISTS (SELECT 1 FROM customer_balances b WHERE b.tenant_id = customers.tenant_id AND b.customer_id = customers.id AND b.currency = "+a.add(string(f.Currency))+")")
			}
			if f.Search == "" {
				return terms
			}
			if term, ok := byCustomer(a, "id", tenantID, f.Search, len(f.Tenants)); ok {
				return append(terms, term)
			}
			if order := orderOf(a, "id", tenantID, f.Search); order != "" {
				return append(terms, "id IN (SELECT customer_id FROM orders WHERE tenant_id = "+a.add(tenantID)+" AND "+order+")")
			}
			return append(terms, "1 = 0")
		})
	}
	page, err := pageOf(ctx, r, customerListing, branches, f.Paging)
	if err != nil || len(page.Rows) == 0 {
		return page, err
	}
	return page, r.addCredits(ctx, page.Rows)
}

// addCredits reads what the customers of a page were credited.
func (r reader) addCredits(ctx context.Context, rows []*backoffice.CustomerRow) error {
	at := map[[2]string]*backoffice.CustomerRow{}
	var a arguments
	keys := ""
	for i, c := range rows {
		at[[2]string{c.TenantID, c.ID}] = c
		if i > 0 {
			keys += ", "
		}
		keys += "(" + a.add(c.TenantID) + ", " + a.add(c.ID) + ")"
	}
	return each(ctx, r, "customers' credits", func(w row) error {
		var key [2]string
		var m pay.Money
		if err := w.Scan(&key[0], &key[1], &m.Currency, &m.Minor); err != nil {
			return r.fail("list customers' credits", err)
		}
		at[key].Credits = append(at[key].Credits, m)
		return nil
	}, `WITH page (t, c) AS (VALUES `+keys+`) SELECT b.tenant_id, b.customer_id, b.currency, b.credit_minor
		FROM page CROSS JOIN customer_balances b WHERE b.tenant_id = page.t AND b.customer_id = page.c ORDER BY b.tenant_id, b.customer_id, b.currency`, a.all...)
}
