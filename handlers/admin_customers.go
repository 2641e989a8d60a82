package handlers

import (
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/backoffice"
	"github.com/portatill/portatill/internal/csvout"
	"github.com/portatill/portatill/views"
)

func customerID(r *backoffice.CustomerRow) string { return r.ID }

func (h *Handlers) showCustomersPage(c echo.Context) error {
	q, err := h.readListQuery(c, "/admin/customers", "cus")
	if err != nil {
		return err
	}
	q.known() // they have no states
	var found backoffice.Page[backoffice.CustomerRow]
	if q.message == "" {
		if found, err = h.Backoffice.PageCustomers(c.Request().Context(), q.filter); err != nil {
			return err
		}
	}
	first, last := ends(found.Rows, customerID)
	v := views.CustomersView{ListFrame: q.frame(h, c, found.Newer, found.Older, first, last)}
	v.Filter.SearchHint = "Name, company, e-mail, ICustomer, cus_…, order"
	q.fields(&v.Filter, "Seen first")
	v.Empty = q.empty("No customers yet", "A customer appears here with the first payment request that names them.")
	for _, r := range found.Rows {
		row := views.CustomerRow{Customer: customerLink(r.ID, r.ICustomer, firstOf(r.Name, r.Company)), Company: r.Company, Email: r.Email, Tenant: q.tenantName(r.TenantID), Ordered: staffMoment(r.OrderedAt, q.now)}
		if row.Customer.Name == row.Company {
			row.Company = ""
		}
		for _, m := range r.Credits {
			row.Credits = append(row.Credits, m.Display())
		}
		v.Rows = append(v.Rows, row)
	}
	return page(c, q.status(), views.CustomersPage(v))
}

var customerColumns = []string{"customer", "tenant", "i_customer", "name", "company", "email", "credit", "first_seen_at", "last_order_at"}

func (h *Handlers) exportCustomers(c echo.Context) error {
	q, err := h.readListQuery(c, "/admin/customers", "cus")
	if err != nil {
		return err
	}
	q.known() // they have no states
	f := q.filter
	return exportList(h, c, q, "customers", customerColumns, func(p backoffice.Paging) (backoffice.Page[backoffice.CustomerRow], error) {
		f.Paging = p
		return h.Backoffice.PageCustomers(c.Request().Context(), f)
	}, customerID, func(r *backoffice.CustomerRow) []csvout.Cell {
		var credits []string
		for _, m := range r.Credits {
			credits = append(credits, m.String())
		}
		return []csvout.Cell{csvout.Text(r.ID), csvout.Text(q.slug(r.TenantID)), csvout.Int(r.ICustomer), csvout.Text(r.Name), csvout.Text(r.Company), csvout.Text(r.Email),
			csvout.Text(strings.Join(credits, "; ")), isoTime(r.CreatedAt), isoTime(r.OrderedAt)}
	})
}
