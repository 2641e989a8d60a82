package handlers

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/csvout"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

const unclaimedPath = "/admin/unclaimed"

var unclaimedChoices = []views.BooksChoice{{Value: "", Label: "All"}, {Value: string(pay.UnclaimedOpen), Label: "To decide"}, {Value: string(pay.UnclaimedAssigned), Label: "Assigned"},
	{Value: string(pay.UnclaimedRefunded), Label: "Refunded"}, {Value: string(pay.UnclaimedIgnored), Label: "Closed"}}

func unclaimedPill(s pay.UnclaimedState) views.BooksPill {
	switch s {
	case pay.UnclaimedOpen:
		return views.BooksPill{Text: "To decide", Tone: "warning"}
	case pay.UnclaimedAssigned:
		return views.BooksPill{Text: "Assigned", Tone: "good"}
	case pay.UnclaimedRefunded:
		return views.BooksPill{Text: "Refunded", Tone: "calm"}
	}
	return views.BooksPill{Text: "Closed"}
}

// unclaimedReasons are the reasons in words; one that is not here is shown as it is.
var unclaimedReasons = map[string]string{"no_order": "No order asked for it", "overpaid": "Its order was paid already", "mismatch": "It disagrees with its order",
	"unknown_customer": "Its customer is unknown", "wrong_mode": "Of another mode"}

func reasonWords(reason string) string {
	if words := unclaimedReasons[reason]; words != "" {
		return words
	}
	return sentenceCase(strings.ReplaceAll(reason, "_", " "))
}

// unclaimedSearch is what the list is asked for.
type unclaimedSearch struct {
	f  pay.UnclaimedFilter
	id string // of a case or of Stripe's object: then there is one at most a tenant
}

func (q *booksQuery) unclaimed() (s unclaimedSearch, fields []views.BooksField) {
	state := q.oneOf("state", "state", unclaimedChoices)
	word := q.text("q")
	s.f = pay.UnclaimedFilter{State: pay.UnclaimedState(state), After: q.after("unc")}
	switch {
	case word == "":
	case strings.HasPrefix(word, "ord_"):
		s.f.OrderID = word
	default:
		s.id = word
	}
	return s, []views.BooksField{{Name: "state", Label: "State", Choices: unclaimedChoices, Value: state},
		{Name: "q", Label: "Case, order or Stripe's object", Type: "search", Hint: "unc_…, ord_…, pi_…", Value: word}}
}

// read is one page of each of some tenants.
func (s unclaimedSearch) read(ctx context.Context, h *Handlers, tenants []*pay.Tenant, limit int) ([]*pay.Unclaimed, bool, error) {
	var lists [][]*pay.Unclaimed
	for _, t := range tenants {
		f := s.f
		f.TenantID, f.Limit = t.ID, limit+1
		if s.id != "" {
			u, err := h.Pay.Store.UnclaimedByID(ctx, t.ID, s.id)
			if pay.IsNotFound(err) || err == nil && f.State != "" && u.State != f.State {
				continue
			}
			if err != nil {
				return nil, false, err
			}
			lists = append(lists, []*pay.Unclaimed{u})
			continue
		}
		list, err := h.Books.ListUnclaimedPage(ctx, f)
		if err != nil {
			return nil, false, err
		}
		lists = append(lists, list)
	}
	rows, more := newest(limit, func(u *pay.Unclaimed) string { return u.ID }, lists...)
	return rows, more, nil
}

func (h *Handlers) showUnclaimedPage(c echo.Context) error {
	scope, err := h.bookScope(c)
	if err != nil {
		return err
	}
	q := newBooksQuery(c)
	search, fields := q.unclaimed()
	fields = append(q.tenants(scope), fields...)
	rows, more, err := search.read(c.Request().Context(), h, scope.chosen, booksPage)
	if err != nil {
		return err
	}
	v := views.UnclaimedListView{AdminFrame: h.booksFrame(c), ShowTenant: len(scope.may) > 1}
	last := ""
	for _, u := range rows {
		last = u.ID
		v.Rows = append(v.Rows, views.UnclaimedRow{ID: u.ID, URL: unclaimedPath + "/" + u.ID, Tenant: scope.name(u.TenantID), Amount: u.Amount.String(), Held: heldOf(u).String(),
			Reason: reasonWords(u.Reason), Who: strings.TrimSpace(u.Evidence.Name + " " + u.Evidence.Email), OrderID: u.OrderID, State: unclaimedPill(u.State), At: u.CreatedAt})
	}
	v.BooksList = q.list(unclaimedPath, unclaimedPath+".csv", last, more)
	v.Fields = fields
	return page(c, q.status(), views.UnclaimedListPage(v))
}

// tenants is the filter "tenant", which bookScope has read.
func (q *booksQuery) tenants(scope *bookScope) []views.BooksField {
	choices := scope.choices()
	if choices == nil {
		return nil
	}
	if scope.slug != "" {
		q.values.Set("tenant", scope.slug)
	}
	return []views.BooksField{{Name: "tenant", Label: "Tenant", Choices: choices, Value: scope.slug}}
}

func heldOf(u *pay.Unclaimed) pay.Money {
	return pay.Money{Minor: u.HeldMinor, Currency: u.Amount.Currency}
}

// downloadUnclaimed is the list as a file.
func (h *Handlers) downloadUnclaimed(c echo.Context) error {
	scope, err := h.bookScope(c)
	if err != nil {
		return err
	}
	q := newBooksQuery(c)
	search, _ := q.unclaimed()
	if len(q.faults) > 0 {
		return pay.Errorf(pay.CodeBadRequest, "", "%s", q.message())
	}
	s := openSheet(c, "unclaimed.csv", csvType)
	row := s.csv([]string{"found", "tenant", "case", "state", "reason", "detail", "amount", "held", "currency", "stripe_object", "order", "paid_by", "decision", "decided_at"})
	for more := true; more && err == nil; {
		var page []*pay.Unclaimed
		page, more, err = search.read(c.Request().Context(), h, scope.chosen, sheetPage)
		for _, u := range page {
			search.f.After = u.ID
			if err == nil {
				err = row([]csvout.Cell{csvout.Text(clock(u.CreatedAt)), csvout.Text(scope.slugOf(u.TenantID)), csvout.Text(u.ID), csvout.Text(string(u.State)), csvout.Text(u.Reason),
					csvout.Text(u.Detail), csvout.Number(u.Amount.Text()), csvout.Number(heldOf(u).Text()), csvout.Text(string(u.Amount.Currency)), csvout.Text(u.ObjectID), csvout.Text(u.OrderID),
					csvout.Text(strings.TrimSpace(u.Evidence.Name + " " + u.Evidence.Email)), csvout.Text(u.Decision.Reason), csvout.Text(clock(u.Decision.At))})
			}
		}
	}
	return h.end(s, err)
}

func (h *Handlers) showUnclaimedCase(c echo.Context) error {
	return h.unclaimedCase(c, http.StatusOK, views.UnclaimedForm{}, "")
}

// theCase is the case that the address names.
func (h *Handlers) theCase(c echo.Context) (*bookScope, *pay.Unclaimed, error) {
	scope, err := h.bookScope(c)
	if err != nil {
		return nil, nil, err
	}
	u, err := find(c.Request().Context(), scope, c.Param("case"), "unc", h.Pay.Store.UnclaimedByID)
	return scope, u, err
}

// unclaimedCase shows a case, with what was typed and what was wrong with it.
func (h *Handlers) unclaimedCase(c echo.Context, status int, form views.UnclaimedForm, message string) error {
	ctx := c.Request().Context()
	scope, u, err := h.theCase(c)
	if err != nil {
		return err
	}
	v := views.UnclaimedView{AdminFrame: h.booksFrame(c), ID: u.ID, Amount: u.Amount.String(), Held: heldOf(u).String(), Detail: u.Detail, State: unclaimedPill(u.State),
		Form: form, Message: message, Currency: string(u.Amount.Currency)}
	v.Facts = []views.BooksFact{{Name: "Case", Text: u.ID, Code: true}, {Name: "Why", Text: reasonWords(u.Reason)}, {Name: "Found", At: u.CreatedAt}, {Name: "Held in suspense", Text: v.Held}}
	if name := scope.name(u.TenantID); name != "" {
		v.Facts = append(v.Facts, views.BooksFact{Name: "Tenant", Text: name})
	}
	if u.OrderID != "" {
		v.Facts = append(v.Facts, views.BooksFact{Name: "Order", Text: u.OrderID, URL: h.orderURL(u.OrderID), Code: true})
	}
	if u.State != pay.UnclaimedOpen {
		v.Facts = append(v.Facts, views.BooksFact{Name: "Decided", At: u.Decision.At}, views.BooksFact{Name: "By", Text: h.causeWords(c, u.Decision.Cause)}, views.BooksFact{Name: "Reason", Text: u.Decision.Reason})
	}
	if u.CustomerID != "" {
		customer, err := h.Pay.Store.CustomerByID(ctx, u.TenantID, u.CustomerID)
		if err != nil {
			return err
		}
		v.Facts = append(v.Facts, views.BooksFact{Name: "Given to", Text: "customer " + strconv.FormatInt(customer.ICustomer, 10)},
			views.BooksFact{Name: "Credited", Text: pay.Money{Minor: u.AssignedMinor, Currency: u.Amount.Currency}.String()})
	}
	v.Evidence = evidenceFacts(u)
	requests, err := h.Pay.Store.ListRefundRequests(ctx, u.TenantID, u.ID)
	if err != nil {
		return err
	}
	for _, r := range requests {
		v.Refunds = append(v.Refunds, views.UnclaimedRefund{Amount: r.Amount.String(), What: r.StripeRefundID + r.Failure, State: requestPill(r.State), At: r.CreatedAt})
	}
	if u.State == pay.UnclaimedOpen && staffOf(c).Role.May(staff.Refund) {
		v.CanIgnore, v.CanAssign, v.CanRefund = true, u.HeldMinor > 0, u.HeldMinor > 0 && u.Refundable()
		owners, err := h.Pay.SuggestOwners(ctx, u)
		if err != nil {
			return err
		}
		for _, o := range owners {
			v.Owners = append(v.Owners, views.UnclaimedOwner{ICustomer: o.ICustomer, OrderID: o.OrderID, Why: o.Why})
		}
	}
	return page(c, status, views.UnclaimedPage(v))
}

// orderURL is an order's page, "" while there is none.
func (h *Handlers) orderURL(id string) string {
	if !h.adminPages["/admin/orders/:order"] {
		return ""
	}
	return "/admin/orders/" + id
}

func requestPill(s pay.RefundRequestState) views.BooksPill {
	switch s {
	case pay.RefundMade:
		return views.BooksPill{Text: "Made", Tone: "good"}
	case pay.RefundRefused:
		return views.BooksPill{Text: "Refused", Tone: "bad"}
	}
	return views.BooksPill{Text: "On its way", Tone: "calm"}
}

func evidenceFacts(u *pay.Unclaimed) (facts []views.BooksFact) {
	e := u.Evidence
	for _, f := range []views.BooksFact{{Name: "Object", Text: u.ObjectID, Code: true}, {Name: "Paid", At: e.At}, {Name: "With", Text: e.Method}, {Name: "Name", Text: e.Name}, {Name: "E-mail", Text: e.Email},
		{Name: "Session", Text: e.SessionID, Code: true}, {Name: "Intent", Text: e.IntentID, Code: true}, {Name: "Charge", Text: e.ChargeID, Code: true},
		{Name: "Stripe customer", Text: e.StripeCustomer, Code: true}, {Name: "Reference", Text: e.ClientReference}} {
		if f.Text != "" && (f.Name == "Object" || f.Text != u.ObjectID) || !f.At.IsZero() {
			facts = append(facts, f)
		}
	}
	for _, k := range []string{pay.MetaOrder, pay.MetaICustomer} {
		if m := e.Metadata[k]; m != "" {
			facts = append(facts, views.BooksFact{Name: "Marked " + k, Text: m, Code: true})
		}
	}
	return facts
}
