package handlers

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/backoffice"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

func itoa(n int) string { return strconv.Itoa(n) }

// findOrder is the order of the address, if the person may see it: another tenant's is
// answered as one that does not exist.
func (h *Handlers) findOrder(c echo.Context) (*pay.Order, *pay.Tenant, error) {
	ctx, id := c.Request().Context(), c.Param("order")
	if !rowID(id, "ord") {
		return nil, nil, pay.Errorf(pay.CodeNotFound, "", "no such order")
	}
	tenantID, err := h.Backoffice.OrderTenant(ctx, tenantScope(c), id)
	if err != nil {
		return nil, nil, err
	}
	t, err := h.Pay.Store.TenantByID(ctx, tenantID)
	if err != nil {
		return nil, nil, err
	}
	o, err := h.Pay.Store.OrderByID(ctx, tenantID, id)
	return o, t, err
}

func (h *Handlers) showOrderStoryPage(c echo.Context) error {
	o, t, err := h.findOrder(c)
	if err != nil {
		return err
	}
	return h.orderStoryPage(c, http.StatusOK, o, t, "")
}

// orderStoryPage shows an order; link is where its customer pays, for who asked for it.
func (h *Handlers) orderStoryPage(c echo.Context, status int, o *pay.Order, t *pay.Tenant, link string) error {
	ctx, now := c.Request().Context(), h.Pay.Now()
	story, err := h.readStory(ctx, o)
	if err != nil {
		return err
	}
	customer, err := h.Pay.Store.CustomerByID(ctx, o.TenantID, o.CustomerID)
	if err != nil {
		return err
	}
	role := staffOf(c).Role
	v := views.OrderStoryView{AdminFrame: h.adminFrame(c), ID: o.ID, URL: "/admin/orders/" + o.ID, Heading: o.Cart.Total().Display(), State: orderPill(o.State),
		What: orderPurpose(o.Kind, o.FeatureName, o.ContentID), Customer: customerLink(customer.ID, customer.ICustomer, firstOf(customer.Name, customer.Company)),
		CanWork: role.May(staff.Work), CanCancel: o.State == pay.OrderOpen || o.State == pay.OrderDraft, PayLink: link,
		Waits: o.State == pay.OrderOpen || o.State == pay.OrderProcessing, Request: maskRequest(o.Request)}
	v.ScriptURLs = append(v.ScriptURLs, listScript()...)
	if o.Kind == pay.OrderSetup {
		v.Heading = "Saving a card"
	}
	if tenantScope(c) == "" {
		v.Tenant = t.Name
	}
	h.alertOf(&v, o, story)
	cartOf(&v, o)
	if p := story.payment; p != nil {
		left := p.Amount.Minor - p.RefundedMinor
		v.CanRefund = role.May(staff.Refund) && left > 0
		if v.Payment, err = h.paymentFacts(c, t, p); err != nil {
			return err
		}
	}
	if v.About, err = h.orderFacts(c, o, t, story); err != nil {
		return err
	}
	v.Ids = story.ids(customer)
	v.Story = story.timeline(h.nameStaff(c), now)
	v.Version = fmt.Sprintf("%s-%d-%d", o.State, o.UpdatedAt.UnixMicro(), len(v.Story))
	return page(c, status, views.OrderStoryPage(v))
}

// alertOf says what a person must look at.
func (h *Handlers) alertOf(v *views.OrderStoryView, o *pay.Order, s *wholeStory) {
	for _, u := range s.cases {
		if u.State == pay.UnclaimedOpen {
			v.Alert = "Money of this order is held until somebody decides: " + inWords(u.Reason) + ". " + u.Detail
			if h.adminPages["/admin/unclaimed"] {
				v.AlertURL, v.AlertLink = "/admin/unclaimed", "Decide"
			}
			return
		}
	}
	for _, d := range s.disputes {
		if needsAnswer(d.State) {
			v.Alert, v.AlertURL, v.AlertLink = "The customer's bank disputes this payment, and waits for an answer.", "/admin/disputes", "See disputes"
			return
		}
	}
	for _, p := range s.postings {
		if p.State == pay.PostingRefused || p.State == pay.PostingNeedsReview {
			v.Alert = "PortaBilling was not told of the " + inWords(string(p.Kind)) + " of " + p.Amount.Display() + " (" + inWords(string(p.State)) + ")."
			return
		}
	}
	if o.State == pay.OrderMismatch {
		v.Alert = cmp.Or(sentenceCase(o.StateReason), "Stripe's facts disagree with the order.")
	}
}

func cartOf(v *views.OrderStoryView, o *pay.Order) {
	in := func(minor int64) string { return pay.Money{Minor: minor, Currency: o.Cart.Currency}.Display() }
	for _, l := range o.Cart.Lines {
		v.Lines = append(v.Lines, views.CartRow{Title: l.Title, More: strings.Join(l.Additional, " · "), Quantity: strconv.FormatInt(l.Quantity, 10), Explanation: l.Explanation, Total: in(l.TotalMinor)})
	}
	if len(o.Cart.Lines) == 0 {
		return
	}
	vat := views.Fact{Label: "VAT " + pay.Percent(o.Cart.VATBasisPoints) + " %", Text: in(o.Cart.VATMinor), Money: true}
	if o.Cart.VATMode == pay.VATInclusive {
		vat.Label += ", contained"
	}
	v.Totals = []views.Fact{{Label: "Before VAT", Text: in(o.Cart.SubtotalMinor), Money: true}, vat, {Label: "Total", Text: in(o.Cart.TotalMinor), Money: true}}
	if o.Cart.VATMode == pay.VATInclusive {
		v.Totals = v.Totals[1:]
	}
}

// paymentFacts are what came in, what Stripe kept, and when the rest arrives.
func (h *Handlers) paymentFacts(c echo.Context, t *pay.Tenant, p *pay.Payment) ([]views.Fact, error) {
	found, err := h.Backoffice.PagePayments(c.Request().Context(), backoffice.PaymentFilter{Filter: backoffice.Filter{Tenants: []string{p.TenantID}}, OrderID: p.OrderID})
	if err != nil || len(found.Rows) == 0 {
		return nil, err
	}
	row, now := found.Rows[0], h.Pay.Now()
	out := []views.Fact{{Label: "Paid", Text: row.Amount.Display(), Money: true}}
	if row.RefundedMinor > 0 {
		out = append(out, views.Fact{Label: "Given back", Text: pay.Money{Minor: row.RefundedMinor, Currency: row.Amount.Currency}.Display(), Money: true})
	}
	fee, net := "not known yet", ""
	if row.Fee.Currency != "" {
		fee = row.Fee.Display()
	}
	out = append(out, views.Fact{Label: "Stripe's fee", Text: fee, Money: row.Fee.Currency != ""})
	if n, ok := row.Net(); ok {
		net = n.Display()
		out = append(out, views.Fact{Label: "Net of the fee", Text: net, Money: true})
	}
	out = append(out, views.Fact{Label: "Paid with", Text: views.MethodName(row.Method)}, views.Fact{Label: "When", Text: staffMoment(row.PaidAt, now).Full})
	switch {
	case row.PayoutID == "":
		out = append(out, views.Fact{Label: "Payout", Text: "not yet"})
	case !row.PayoutAt.IsZero():
		out = append(out, views.Fact{Label: "Payout", Text: row.PayoutAt.UTC().Format("2 Jan 2006") + ", " + inWords(row.PayoutStatus)})
	default:
		out = append(out, views.Fact{Label: "Payout", Text: row.PayoutID, Code: true})
	}
	if to := h.stripeURL(row.StripeAccount, t.StripeLivemode, "payments", row.IntentID); to != "" {
		out = append(out, views.Fact{Label: "At Stripe", Text: "Open the payment in Stripe", URL: to, Away: true})
	}
	return out, nil
}

// orderFacts are the order's own.
func (h *Handlers) orderFacts(c echo.Context, o *pay.Order, t *pay.Tenant, s *wholeStory) ([]views.Fact, error) {
	now := h.Pay.Now()
	out := []views.Fact{{Label: "Order", Text: o.ID, Code: true}, {Label: "Made", Text: staffMoment(o.CreatedAt, now).Full}}
	add := func(label, text string) {
		if text != "" {
			out = append(out, views.Fact{Label: label, Text: text})
		}
	}
	add("Paid", staffMoment(o.PaidAt, now).Full)
	if o.State != pay.OrderPaid {
		add("Why it is so", sentenceCase(inWords(o.StateReason)))
	}
	if o.FeatureName != "" {
		out = append(out, views.Fact{Label: "FeatureName", Text: o.FeatureName, URL: "/admin/orders?" + url.Values{"feature": {o.FeatureName}}.Encode()})
	}
	if o.ContentID != 0 {
		id := strconv.FormatInt(o.ContentID, 10)
		out = append(out, views.Fact{Label: "ContentId", Text: id, URL: "/admin/orders?content=" + id})
	}
	add("Ways to pay", inWords(strings.Join(o.PaymentMethods, ", ")))
	if o.Evidence == "voucher" {
		add("Evidence", "nothing was due: the voucher covered it")
	}
	if o.LicenseID == "" {
		add("Came with", "a signed pass")
		return out, nil
	}
	licenses, err := h.Pay.Store.ListLicenses(c.Request().Context(), t.ID)
	for _, l := range licenses {
		if l.ID == o.LicenseID {
			out = append(out, views.Fact{Label: "Licence key", Text: "…" + l.Hint, URL: "/admin/orders?q=" + l.ID})
		}
	}
	return out, err
}

// ids are all names that the order goes by.
func (s *wholeStory) ids(customer *pay.Customer) []views.Fact {
	o := s.order
	out := facts("Order", o.ID, "Customer", customer.ID, "Stripe's customer", customer.StripeCustomer, "Evidence", o.Evidence, "Idempotency-Key", o.IdempotencyKey, "Licence", o.LicenseID)
	if p := s.payment; p != nil {
		out = append(out, facts("Payment", p.ID, "Intent", p.IntentID, "Charge", p.ChargeID, "Session", p.SessionID, "Balance transaction", p.BalanceTransaction, "Stripe's account", p.StripeAccount)...)
	}
	for _, e := range s.events {
		out = append(out, facts("Event", e.StripeID)...)
	}
	return out
}

// maskRequest writes the request that is kept over several lines. Keys, tokens and
// passwords are not in it; should one ever be, it is not shown, and neither are the queries of
// the portal's addresses, in which portals keep what is theirs.
func maskRequest(text string) string {
	var v any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return ""
	}
	maskValues(v)
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if e.Encode(v) != nil {
		return ""
	}
	return invisible.ReplaceAllStringFunc(out.String(), func(s string) string { return strings.Trim(strconv.QuoteToASCII(s), `"`) })
}

// invisible are characters that reorder or hide the text around them; they are shown as JSON
// escapes.
var invisible = regexp.MustCompile("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]")

// maskValues masks in place.
func maskValues(v any) {
	switch v := v.(type) {
	case []any:
		for _, each := range v {
			maskValues(each)
		}
	case map[string]any:
		for name, value := range v {
			lower := strings.ToLower(name)
			text, isText := value.(string)
			switch {
			case isText && text != "" && (strings.Contains(lower, "password") || strings.Contains(lower, "token") || strings.Contains(lower, "secret") || lower == "license"):
				v[name] = "•••"
			case isText && (lower == "successurl" || lower == "cancelurl"):
				if at, query, found := strings.Cut(text, "?"); found && query != "" {
					v[name] = at + "?•••"
				}
			default:
				maskValues(value)
			}
		}
	}
}
