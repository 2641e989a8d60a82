package handlers

import (
	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/backoffice"
	"github.com/portatill/portatill/internal/csvout"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// moneySearchHint is what payments, refunds and disputes can be searched by.
const moneySearchHint = "Order, customer, e-mail, pi_…, ch_…, re_…, dp_…"

// ends are the ids of the first and the last row of a page.
func ends[T any](rows []*T, id func(*T) string) (first, last string) {
	if n := len(rows); n > 0 {
		return id(rows[0]), id(rows[n-1])
	}
	return "", ""
}

func (h *Handlers) paymentQuery(c echo.Context) (*listQuery, backoffice.PaymentFilter, error) {
	q, err := h.readListQuery(c, "/admin/payments", "pay")
	if err != nil {
		return nil, backoffice.PaymentFilter{}, err
	}
	f := backoffice.PaymentFilter{State: backoffice.PaymentState(q.known(string(backoffice.PaymentRefunded), string(backoffice.PaymentDisputed)))}
	f.Filter = q.filter
	return q, f, nil
}

func paymentID(p *backoffice.PaymentRow) string { return p.ID }

func (h *Handlers) showPaymentsPage(c echo.Context) error {
	q, f, err := h.paymentQuery(c)
	if err != nil {
		return err
	}
	var found backoffice.Page[backoffice.PaymentRow]
	if q.message == "" {
		if found, err = h.Backoffice.PagePayments(c.Request().Context(), f); err != nil {
			return err
		}
	}
	first, last := ends(found.Rows, paymentID)
	v := views.PaymentsView{ListFrame: q.frame(h, c, found.Newer, found.Older, first, last)}
	v.Filter.SearchHint = "Order, customer, e-mail, pi_…, ch_…, po_…"
	q.tabs(&v.Filter, views.FilterOption{Label: "All"}, views.FilterOption{Value: "refunded", Label: "Refunded"}, views.FilterOption{Value: "disputed", Label: "Disputed"})
	q.fields(&v.Filter, "Booked")
	v.Empty = q.empty("No payments yet", "A payment appears here as soon as Stripe has taken the money of an order.")
	for _, p := range found.Rows {
		v.Rows = append(v.Rows, h.paymentRow(q, p))
	}
	return page(c, q.status(), views.PaymentsPage(v))
}

func (h *Handlers) paymentRow(q *listQuery, p *backoffice.PaymentRow) views.PaymentRow {
	v := views.PaymentRow{OrderURL: "/admin/orders/" + p.OrderID, Amount: p.Amount.Display(), Method: p.Method, Customer: customerLink(p.CustomerID, p.ICustomer, p.CustomerName),
		Tenant: q.tenantName(p.TenantID), Paid: staffMoment(p.PaidAt, q.now), Payout: p.PayoutID, PayoutAt: staffMoment(p.PayoutAt, q.now),
		Intent: views.StripeLink{ID: p.IntentID, URL: h.stripeURL(p.StripeAccount, q.livemode(p.TenantID), "payments", p.IntentID)}}
	if p.Fee.Currency != "" {
		v.Fee = p.Fee.Display()
	}
	if net, ok := p.Net(); ok {
		v.Net = net.Display()
	}
	switch {
	case p.Disputes > 0:
		v.Back = views.AdminPill{Text: "Disputed", Tone: "warning"}
	case p.RefundedMinor == p.Amount.Minor:
		v.Back = views.AdminPill{Text: "Refunded"}
	case p.RefundedMinor > 0:
		v.Back = views.AdminPill{Text: "Partly refunded"}
	}
	return v
}

// livemode tells whether a tenant's objects are of Stripe's live mode.
func (q *listQuery) livemode(tenantID string) bool {
	t := q.tenants[tenantID]
	return t != nil && t.Livemode
}

// account is a tenant's account at Stripe.
func (q *listQuery) account(tenantID string) string {
	if t := q.tenants[tenantID]; t != nil {
		return t.StripeAccount
	}
	return ""
}

var paymentColumns = []string{"payment", "tenant", "paid_at", "booked_at", "amount", "currency", "vat", "refunded", "fee", "fee_currency", "net", "method", "i_customer", "customer", "order",
	"intent", "charge", "balance_transaction", "payout", "payout_at", "disputes", "learnt_by"}

func (h *Handlers) exportPayments(c echo.Context) error {
	q, f, err := h.paymentQuery(c)
	if err != nil {
		return err
	}
	return exportList(h, c, q, "payments", paymentColumns, func(p backoffice.Paging) (backoffice.Page[backoffice.PaymentRow], error) {
		f.Paging = p
		return h.Backoffice.PagePayments(c.Request().Context(), f)
	}, paymentID, func(p *backoffice.PaymentRow) []csvout.Cell {
		in := func(minor int64) csvout.Cell {
			return csvout.Number(pay.Money{Minor: minor, Currency: p.Amount.Currency}.Text())
		}
		fee, net := csvout.Number(""), csvout.Number("")
		if p.Fee.Currency != "" {
			fee = csvout.Number(p.Fee.Text())
		}
		if n, ok := p.Net(); ok {
			net = csvout.Number(n.Text())
		}
		return []csvout.Cell{csvout.Text(p.ID), csvout.Text(q.slug(p.TenantID)), isoTime(p.PaidAt), isoTime(p.CreatedAt), in(p.Amount.Minor), csvout.Text(string(p.Amount.Currency)),
			in(p.VATMinor), in(p.RefundedMinor), fee, csvout.Text(string(p.Fee.Currency)), net, csvout.Text(p.Method), csvout.Int(p.ICustomer), csvout.Text(p.CustomerName),
			csvout.Text(p.OrderID), csvout.Text(p.IntentID), csvout.Text(p.ChargeID), csvout.Text(p.BalanceTransaction), csvout.Text(p.PayoutID), isoTime(p.PayoutAt),
			csvout.Int(p.Disputes), csvout.Text(string(p.Cause.Kind))}
	})
}
