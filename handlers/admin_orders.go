package handlers

import (
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/backoffice"
	"github.com/portatill/portatill/internal/csvout"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// orderTabs are the views of the list of orders.
var orderTabs = []views.FilterOption{{Value: "", Label: "All"}, {Value: "paid", Label: "Paid"}, {Value: "open", Label: "Open"}, {Value: "processing", Label: "Processing"},
	{Value: "failed", Label: "Failed"}, {Value: "expired", Label: "Expired"}, {Value: "cancelled", Label: "Cancelled"}, {Value: "mismatch", Label: "Mismatch"}}

// orderQuery reads what the list of orders is asked for.
func (h *Handlers) orderQuery(c echo.Context) (*listQuery, backoffice.OrderFilter, error) {
	q, err := h.readListQuery(c, "/admin/orders", "ord")
	if err != nil {
		return nil, backoffice.OrderFilter{}, err
	}
	f := backoffice.OrderFilter{State: pay.OrderState(q.known("draft", "open", "processing", "paid", "failed", "expired", "cancelled", "mismatch")), FeatureName: q.values.Get("feature")}
	if text := q.values.Get("content"); text != "" {
		if f.ContentID, err = strconv.ParseInt(text, 10, 64); err != nil || f.ContentID <= 0 {
			q.fault("“%s” is no ContentId. It is a number above 0.", text)
		}
	}
	if f.CustomerID = q.values.Get("customer"); f.CustomerID != "" && !rowID(f.CustomerID, "cus") {
		q.fault("“%s” is no customer's id.", f.CustomerID)
	}
	f.Filter = q.filter
	return q, f, nil
}

func (h *Handlers) showOrdersPage(c echo.Context) error {
	q, f, err := h.orderQuery(c)
	if err != nil {
		return err
	}
	var found backoffice.Page[backoffice.OrderRow]
	if q.message == "" {
		if found, err = h.Backoffice.PageOrders(c.Request().Context(), f); err != nil {
			return err
		}
	}
	first, last := "", ""
	if n := len(found.Rows); n > 0 {
		first, last = found.Rows[0].ID, found.Rows[n-1].ID
	}
	v := views.OrdersView{ListFrame: q.frame(h, c, found.Newer, found.Older, first, last)}
	v.Filter.SearchHint = "Order, customer, e-mail, pi_…, cs_…, ch_…, ContentId, feature"
	q.tabs(&v.Filter, orderTabs...)
	q.fields(&v.Filter, "Made")
	v.Filter.Fields = append(v.Filter.Fields, views.FilterField{Name: "feature", Label: "FeatureName", Value: q.values.Get("feature")},
		views.FilterField{Name: "content", Label: "ContentId", Value: q.values.Get("content")})
	v.Empty = q.empty("No orders yet", "An order appears here as soon as a portal sends a payment request.")
	for _, o := range found.Rows {
		v.Rows = append(v.Rows, q.orderRow(o))
	}
	return page(c, q.status(), views.OrdersPage(v))
}

func (q *listQuery) orderRow(o *backoffice.OrderRow) views.OrderRow {
	v := views.OrderRow{URL: "/admin/orders/" + o.ID, ID: o.ID, ShortID: shortID(o.ID), What: orderPurpose(o.Kind, o.FeatureName, o.ContentID), State: orderPill(o.State),
		Customer: customerLink(o.CustomerID, o.ICustomer, firstOf(o.CustomerName, o.Company)), Tenant: q.tenantName(o.TenantID), Made: staffMoment(o.CreatedAt, q.now)}
	if o.Kind == pay.OrderPayment {
		v.Amount = o.Total.Display()
	}
	switch {
	case o.RefundedMinor > 0 && o.RefundedMinor == o.Total.Minor:
		v.Note = "refunded"
	case o.RefundedMinor > 0:
		v.Note = pay.Money{Minor: o.RefundedMinor, Currency: o.Total.Currency}.Display() + " refunded"
	case o.State == pay.OrderFailed && o.StateReason != "":
		v.Note = inWords(o.StateReason)
	}
	return v
}

// orderPurpose says what an order is for, as far as the portal told.
func orderPurpose(kind pay.OrderKind, feature string, contentID int64) string {
	switch {
	case feature != "" && contentID != 0:
		return feature + " " + strconv.FormatInt(contentID, 10)
	case feature != "":
		return feature
	case contentID != 0:
		return "Content " + strconv.FormatInt(contentID, 10)
	case kind == pay.OrderSetup:
		return "Saving a card"
	}
	return "Order"
}

// orderPill is an order's state in a word and a colour.
func orderPill(s pay.OrderState) views.AdminPill {
	return map[pay.OrderState]views.AdminPill{
		pay.OrderDraft: {Text: "Draft"}, pay.OrderOpen: {Text: "Open", Tone: "calm"}, pay.OrderProcessing: {Text: "Processing", Tone: "calm"},
		pay.OrderPaid: {Text: "Paid", Tone: "good"}, pay.OrderFailed: {Text: "Failed", Tone: "bad"}, pay.OrderExpired: {Text: "Expired"},
		pay.OrderCancelled: {Text: "Cancelled"}, pay.OrderMismatch: {Text: "Mismatch", Tone: "warning"},
	}[s]
}

var orderColumns = []string{"order", "tenant", "made_at", "paid_at", "state", "reason", "amount", "currency", "refunded", "i_customer", "customer", "company", "email", "feature", "content_id", "payment"}

func (h *Handlers) exportOrders(c echo.Context) error {
	q, f, err := h.orderQuery(c)
	if err != nil {
		return err
	}
	return exportList(h, c, q, "orders", orderColumns, func(p backoffice.Paging) (backoffice.Page[backoffice.OrderRow], error) {
		f.Paging = p
		return h.Backoffice.PageOrders(c.Request().Context(), f)
	}, func(o *backoffice.OrderRow) string { return o.ID }, func(o *backoffice.OrderRow) []csvout.Cell {
		refunded := pay.Money{Minor: o.RefundedMinor, Currency: o.Total.Currency}
		return []csvout.Cell{csvout.Text(o.ID), csvout.Text(q.slug(o.TenantID)), isoTime(o.CreatedAt), isoTime(o.PaidAt), csvout.Text(string(o.State)), csvout.Text(o.StateReason),
			csvout.Number(o.Total.Text()), csvout.Text(string(o.Total.Currency)), csvout.Number(refunded.Text()), csvout.Int(o.ICustomer), csvout.Text(o.CustomerName),
			csvout.Text(o.Company), csvout.Text(o.CustomerEmail), csvout.Text(o.FeatureName), csvout.Count(o.ContentID), csvout.Text(o.PaymentID)}
	})
}

// slug names a tenant in a file.
func (q *listQuery) slug(id string) string {
	if t := q.tenants[id]; t != nil {
		return t.Slug
	}
	return ""
}
