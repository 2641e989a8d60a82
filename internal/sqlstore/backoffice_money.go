package sqlstore

import (
	"context"
	"math"
	"strconv"
	"strings"

	"github.com/portatill/portatill/internal/backoffice"
	"github.com/portatill/portatill/pay"
)

var paymentListing = listing[backoffice.PaymentRow]{
	table: "payments",
	columns: `r.id, r.tenant_id, r.order_id, r.attempt_id, r.customer_id, r.stripe_account, r.intent_id, r.charge_id, r.session_id, r.currency, r.amount_minor,
		r.vat_minor, r.refunded_minor, r.fee_currency, r.fee_minor, r.balance_transaction, r.method, r.receipt_url, r.cause_kind, r.cause_id, r.paid_at, r.created_at, r.updated_at,
		c.i_customer, c.name, COALESCE(b.payout_id, ''), COALESCE(o.status, ''), o.arrival_at,
		(SELECT COUNT(*) FROM disputes d WHERE d.tenant_id = r.tenant_id AND d.payment_id = r.id)`,
	joins: ` JOIN customers c ON c.tenant_id = r.tenant_id AND c.id = r.customer_id
		LEFT JOIN balance_transactions b ON b.tenant_id = r.tenant_id AND b.id = r.balance_transaction
		LEFT JOIN payouts o ON o.tenant_id = b.tenant_id AND o.id = b.payout_id`,
	scan: func(w row, p *backoffice.PaymentRow) error {
		return w.Scan(&p.ID, &p.TenantID, &p.OrderID, &p.AttemptID, &p.CustomerID, &p.StripeAccount, &p.IntentID, &p.ChargeID, &p.SessionID, &p.Amount.Currency,
			&p.Amount.Minor, &p.VATMinor, &p.RefundedMinor, &p.Fee.Currency, &p.Fee.Minor, &p.BalanceTransaction, &p.Method, &p.ReceiptURL, &p.Cause.Kind,
			&p.Cause.ID, at(&p.PaidAt), at(&p.CreatedAt), at(&p.UpdatedAt), &p.ICustomer, &p.CustomerName, &p.PayoutID, &p.PayoutStatus, at(&p.PayoutAt), &p.Disputes)
	},
	id: func(p *backoffice.PaymentRow) string { return p.ID },
}

// PagePayments implements backoffice.Reader.
func (r reader) PagePayments(ctx context.Context, f backoffice.PaymentFilter) (backoffice.Page[backoffice.PaymentRow], error) {
	var branches []branch
	for _, tenantID := range f.Tenants {
		branches = append(branches, func(a *arguments) []string {
			terms := common(a, "pay", tenantID, &f.Filter)
			few := f.Search != "" || f.CustomerID != "" || f.OrderID != "" || f.State != ""
			switch {
			case f.Currency != "" && few:
				terms = append(terms, "COALESCE(currency, '') = "+a.add(string(f.Currency)))
			case f.Currency != "":
				terms = append(terms, "currency = "+a.add(string(f.Currency)))
			}
			switch f.State {
			case backoffice.PaymentRefunded:
				terms = append(terms, "refunded_minor > 0")
			case backoffice.PaymentDisputed:
				terms = append(terms, "id IN (SELECT payment_id FROM disputes WHERE tenant_id = "+a.add(tenantID)+")")
			}
			if f.OrderID != "" {
				terms = append(terms, "order_id = "+a.add(f.OrderID))
			}
			if f.CustomerID != "" {
				terms = append(terms, ordersOf(a, "order_id", tenantID, "customer_id = "+a.add(f.CustomerID)))
			}
			return append(terms, moneySearch(a, tenantID, &f.Filter)...)
		})
	}
	return pageOf(ctx, r, paymentListing, branches, f.Paging)
}

// ordersOf is a term of a column that has an order's id, for those orders that a condition leaves.
func ordersOf(a *arguments, column, tenantID, condition string) string {
	return column + " IN (SELECT id FROM orders WHERE tenant_id = " + a.add(tenantID) + " AND " + condition + ")"
}

// moneySearch is the search among rows that have an order's id: by an id, or by the order's customer.
func moneySearch(a *arguments, tenantID string, f *backoffice.Filter) []string {
	if f.Search == "" {
		return nil
	}
	if prefix, _, ok := strings.Cut(f.Search, "_"); ok && prefix == "po" {
		return []string{"balance_transaction IN (SELECT id FROM balance_transactions WHERE tenant_id = " + a.add(tenantID) + " AND payout_id = " + a.add(f.Search) + ")"}
	}
	if term := orderOf(a, "order_id", tenantID, f.Search); term != "" {
		return []string{term}
	}
	term, ok := byCustomer(a, "customer_id", tenantID, f.Search, len(f.Tenants))
	if !ok {
		return []string{"1 = 0"}
	}
	return []string{ordersOf(a, "order_id", tenantID, term)}
}

var refundListing = listing[backoffice.RefundRow]{
	table: "refunds",
	columns: `r.id, r.tenant_id, r.payment_id, r.order_id, r.stripe_refund_id, r.state, r.currency, r.amount_minor, r.reason, r.cause_kind, r.cause_id,
		r.created_at, r.updated_at, c.i_customer, c.name, c.id, p.method`,
	joins: ` JOIN payments p ON p.tenant_id = r.tenant_id AND p.id = r.payment_id
		JOIN customers c ON c.tenant_id = p.tenant_id AND c.id = p.customer_id`,
	scan: func(w row, f *backoffice.RefundRow) error {
		return w.Scan(&f.ID, &f.TenantID, &f.PaymentID, &f.OrderID, &f.StripeRefundID, &f.State, &f.Amount.Currency, &f.Amount.Minor, &f.Reason, &f.Cause.Kind,
			&f.Cause.ID, at(&f.CreatedAt), at(&f.UpdatedAt), &f.ICustomer, &f.CustomerName, &f.CustomerID, &f.Method)
	},
	id: func(f *backoffice.RefundRow) string { return f.ID },
}

// PageRefunds implements backoffice.Reader. Refunds are few beside orders: a tenant's are
// read in the order of their ids and looked at one by one.
func (r reader) PageRefunds(ctx context.Context, f backoffice.RefundFilter) (backoffice.Page[backoffice.RefundRow], error) {
	var branches []branch
	for _, tenantID := range f.Tenants {
		branches = append(branches, func(a *arguments) []string {
			terms := common(a, "ref", tenantID, &f.Filter)
			if f.State != "" {
				terms = append(terms, "state = "+a.add(string(f.State)))
			}
			if f.Currency != "" {
				terms = append(terms, "currency = "+a.add(string(f.Currency)))
			}
			return append(terms, backSearch(a, tenantID, &f.Filter)...)
		})
	}
	return pageOf(ctx, r, refundListing, branches, f.Paging)
}

// backSearch is moneySearch for refunds and disputes, where an id of their own names one row.
func backSearch(a *arguments, tenantID string, f *backoffice.Filter) []string {
	column := map[string]string{"ref": "id", "re": "stripe_refund_id", "pyr": "stripe_refund_id", "dsp": "id", "dp": "stripe_dispute_id", "du": "stripe_dispute_id"}
	prefix, _, _ := strings.Cut(f.Search, "_")
	if prefix == "po" {
		return []string{"1 = 0"}
	}
	terms := moneySearch(a, tenantID, f)
	if own := column[prefix]; own != "" && len(terms) > 0 {
		terms = append(terms, own+" = "+a.add(f.Search))
	}
	return terms
}

const disputeColumns = `r.id, r.tenant_id, r.payment_id, r.order_id, r.stripe_dispute_id, r.state, r.currency, r.amount_minor, r.reason, r.due_by, r.cause_kind,
	r.cause_id, r.created_at, r.updated_at, c.i_customer, c.name, c.id, p.intent_id, p.charge_id`

const disputeJoins = ` JOIN payments p ON p.tenant_id = r.tenant_id AND p.id = r.payment_id
	JOIN customers c ON c.tenant_id = p.tenant_id AND c.id = p.customer_id`

func scanDisputeRow(w row, d *backoffice.DisputeRow) error {
	return w.Scan(&d.ID, &d.TenantID, &d.PaymentID, &d.OrderID, &d.StripeDisputeID, &d.State, &d.Amount.Currency, &d.Amount.Minor, &d.Reason, at(&d.DueBy),
		&d.Cause.Kind, &d.Cause.ID, at(&d.CreatedAt), at(&d.UpdatedAt), &d.ICustomer, &d.CustomerName, &d.CustomerID, &d.IntentID, &d.ChargeID)
}

var disputeListing = listing[backoffice.DisputeRow]{table: "disputes", columns: disputeColumns, joins: disputeJoins, scan: scanDisputeRow,
	id: func(d *backoffice.DisputeRow) string { return d.ID }}

// decided are the states that pay.DisputeState calls closed.
var decided = []string{string(pay.DisputeWarningClosed), string(pay.DisputeWon), string(pay.DisputeLost), string(pay.DisputePrevented)}

func disputeTerms(a *arguments, tenantID string, f *backoffice.DisputeFilter) []string {
	terms := common(a, "dsp", tenantID, &f.Filter)
	if f.Open {
		terms = append(terms, "state NOT IN "+a.in(decided))
	}
	if f.Currency != "" {
		terms = append(terms, "currency = "+a.add(string(f.Currency)))
	}
	return append(terms, backSearch(a, tenantID, &f.Filter)...)
}

// PageDisputes implements backoffice.Reader. Those that are open are few, and who must answer
// wants all of them by the day on which that is over.
func (r reader) PageDisputes(ctx context.Context, f backoffice.DisputeFilter) (backoffice.Page[backoffice.DisputeRow], error) {
	if !f.Open {
		var branches []branch
		for _, tenantID := range f.Tenants {
			branches = append(branches, func(a *arguments) []string { return disputeTerms(a, tenantID, &f) })
		}
		return pageOf(ctx, r, disputeListing, branches, f.Paging)
	}
	page := backoffice.Page[backoffice.DisputeRow]{}
	if len(f.Tenants) == 0 {
		return page, nil
	}
	var a arguments
	var any []string
	for _, tenantID := range f.Tenants {
		any = append(any, "("+strings.Join(disputeTerms(&a, tenantID, &f), " AND ")+")")
	}
	limit := clampLimit(f.Limit, 50, backoffice.MaxLimit)
	rows, err := many(ctx, r, "open disputes", scanDisputeRow, `WITH page AS (SELECT tenant_id AS t, id AS i FROM disputes WHERE `+strings.Join(any, " OR ")+
		` ORDER BY COALESCE(due_by, `+strconv.FormatInt(math.MaxInt64, 10)+`), id LIMIT `+strconv.Itoa(limit+1)+`)
		SELECT `+disputeColumns+` FROM page CROSS JOIN disputes r`+disputeJoins+` WHERE r.tenant_id = page.t AND r.id = page.i
		ORDER BY COALESCE(r.due_by, `+strconv.FormatInt(math.MaxInt64, 10)+`), r.id`, a.all...)
	page.Rows, page.Older = rows[:min(len(rows), limit)], len(rows) > limit
	return page, err
}

// RefundsWaiting implements backoffice.Reader; the index of what is requested serves it.
func (r reader) RefundsWaiting(ctx context.Context, tenants []string, limit int) ([]*pay.RefundRequest, error) {
	if len(tenants) == 0 {
		return nil, nil
	}
	var a arguments
	return many(ctx, r, "refund requests", scanRefundRequest, `WITH waiting AS (`+refundRequestSelect+` WHERE state = 'requested' AND tenant_id IN `+a.in(tenants)+`)
		SELECT * FROM waiting ORDER BY created_at, id LIMIT `+strconv.Itoa(clampLimit(limit, 50, backoffice.MaxLimit)), a.all...)
}
