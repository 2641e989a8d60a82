package handlers

import (
	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/backoffice"
	"github.com/portatill/portatill/internal/csvout"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// refundTabs are the views of the list of refunds.
var refundTabs = []views.FilterOption{{Label: "All"}, {Value: "pending", Label: "Pending"}, {Value: "requires_action", Label: "Needs the customer"},
	{Value: "succeeded", Label: "Succeeded"}, {Value: "failed", Label: "Failed"}, {Value: "canceled", Label: "Cancelled"}}

func (h *Handlers) refundQuery(c echo.Context) (*listQuery, backoffice.RefundFilter, error) {
	q, err := h.readListQuery(c, "/admin/refunds", "ref")
	if err != nil {
		return nil, backoffice.RefundFilter{}, err
	}
	f := backoffice.RefundFilter{State: pay.RefundState(q.known("pending", "requires_action", "succeeded", "failed", "canceled"))}
	f.Filter = q.filter
	return q, f, nil
}

func refundID(r *backoffice.RefundRow) string { return r.ID }

// maxWaiting is how many refunds that Stripe has not answered are shown.
const maxWaiting = 20

func (h *Handlers) showRefundsPage(c echo.Context) error {
	q, f, err := h.refundQuery(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	var found backoffice.Page[backoffice.RefundRow]
	var waiting []*pay.RefundRequest
	if q.message == "" {
		if found, err = h.Backoffice.PageRefunds(ctx, f); err != nil {
			return err
		}
		if waiting, err = h.Backoffice.RefundsWaiting(ctx, f.Tenants, maxWaiting); err != nil {
			return err
		}
	}
	first, last := ends(found.Rows, refundID)
	v := views.RefundsView{ListFrame: q.frame(h, c, found.Newer, found.Older, first, last)}
	v.Filter.SearchHint = moneySearchHint
	q.tabs(&v.Filter, refundTabs...)
	q.fields(&v.Filter, "Booked")
	v.Empty = q.empty("No refunds yet", "Nothing was given back so far. A refund begins on the page of its order.")
	names := h.nameStaff(c)
	for _, r := range found.Rows {
		v.Rows = append(v.Rows, views.RefundRow{OrderURL: "/admin/orders/" + r.OrderID, Amount: r.Amount.Display(), State: refundPill(r.State), Reason: inWords(r.Reason), Method: r.Method,
			Customer: customerLink(r.CustomerID, r.ICustomer, r.CustomerName), Tenant: q.tenantName(r.TenantID), Made: staffMoment(r.CreatedAt, q.now), Learnt: startedBy(names, r.Cause),
			Stripe: views.StripeLink{ID: r.StripeRefundID}})
	}
	for _, r := range waiting {
		if r.OrderID == "" { // of unclaimed money, which has its own page
			continue
		}
		v.Waiting = append(v.Waiting, views.RefundRow{OrderURL: "/admin/orders/" + r.OrderID, Amount: r.Amount.Display(), Made: staffMoment(r.CreatedAt, q.now), Learnt: startedBy(names, r.Cause)})
	}
	return page(c, q.status(), views.RefundsPage(v))
}

// startedBy says who gave money back: our people, or somebody at Stripe, of which we heard.
func startedBy(names namer, cause pay.Cause) string {
	switch cause.Kind {
	case pay.CauseStaff:
		return names(cause.ID)
	case pay.CauseCLI:
		return "the command line"
	case pay.CauseRequest:
		return "the portal"
	}
	return "at Stripe"
}

func refundPill(s pay.RefundState) views.AdminPill {
	return map[pay.RefundState]views.AdminPill{
		pay.RefundPending: {Text: "Pending", Tone: "calm"}, pay.RefundRequiresAction: {Text: "Needs the customer", Tone: "warning"},
		pay.RefundSucceeded: {Text: "Succeeded", Tone: "good"}, pay.RefundFailed: {Text: "Failed", Tone: "bad"}, pay.RefundCanceled: {Text: "Cancelled"},
	}[s]
}

var refundColumns = []string{"refund", "tenant", "booked_at", "state", "amount", "currency", "reason", "i_customer", "customer", "order", "payment", "stripe_refund", "method", "cause", "cause_id"}

func (h *Handlers) exportRefunds(c echo.Context) error {
	q, f, err := h.refundQuery(c)
	if err != nil {
		return err
	}
	return exportList(h, c, q, "refunds", refundColumns, func(p backoffice.Paging) (backoffice.Page[backoffice.RefundRow], error) {
		f.Paging = p
		return h.Backoffice.PageRefunds(c.Request().Context(), f)
	}, refundID, func(r *backoffice.RefundRow) []csvout.Cell {
		return []csvout.Cell{csvout.Text(r.ID), csvout.Text(q.slug(r.TenantID)), isoTime(r.CreatedAt), csvout.Text(string(r.State)), csvout.Number(r.Amount.Text()),
			csvout.Text(string(r.Amount.Currency)), csvout.Text(r.Reason), csvout.Int(r.ICustomer), csvout.Text(r.CustomerName), csvout.Text(r.OrderID), csvout.Text(r.PaymentID),
			csvout.Text(r.StripeRefundID), csvout.Text(r.Method), csvout.Text(string(r.Cause.Kind)), csvout.Text(r.Cause.ID)}
	})
}
