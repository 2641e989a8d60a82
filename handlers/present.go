package handlers

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/static"
	"github.com/portatill/portatill/views"
)

// frame is what surrounds every page; t is nil where no tenant is known.
func (h *Handlers) frame(t *pay.Tenant) views.Frame {
	f := views.Frame{Lang: "en", StyleURL: static.URL("css/app.css"), IconURL: static.URL("img/icon.svg"), Sandbox: h.Sandbox}
	if t != nil {
		f.Tenant = views.Tenant{Name: t.Branding.DisplayName, SupportEmail: t.Branding.SupportEmail}
		f.Tenant.LogoURL = logoURL(t)
	}
	return f
}

func (h *Handlers) orderFrame(o *opened) views.Frame {
	f := h.frame(o.tenant)
	if o.tenant.Branding.AccentColour != "" {
		f.BrandCSS = "/pay/" + o.order.PayToken + "/brand.css"
	}
	return f
}

func (h *Handlers) orderView(o *opened) views.OrderView {
	base := "/pay/" + o.order.PayToken
	v := views.OrderView{
		Frame: h.orderFrame(o), State: views.OrderState(o.order.State), Free: o.order.Cart.TotalMinor == 0 && o.order.Kind == pay.OrderPayment,
		Setup: o.order.Kind == pay.OrderSetup, OrderID: o.order.ID, FeatureName: o.order.FeatureName, ContentID: contentID(o.order),
		CustomerName: o.customer.Name, CustomerEmail: maskEmail(o.customer.Email), Lines: lines(&o.order.Cart), Totals: totals(&o.order.Cart),
	}
	if o.tenant.State == pay.TenantActive && payable(o.order.State) {
		v.PayURL = base
	}
	v.Paused = o.tenant.State != pay.TenantActive
	if o.order.CancelURL != "" {
		v.CancelURL = base + "/cancel"
	}
	switch o.order.State {
	case pay.OrderPaid:
		v.ReceiptURL, v.ContinueURL = base+"/receipt", h.onward(o)
	case pay.OrderProcessing:
		v.ContinueURL = h.onward(o)
	case pay.OrderFailed:
		v.DeclineHint = failureHint(o)
	case pay.OrderOpen, pay.OrderDraft:
		if a := o.attempt; a != nil && a.State == pay.AttemptOpen {
			v.ExpiresAt = moment(a.ExpiresAt)
			if a.ExpiresAt.Before(h.Pay.Now()) {
				v.State, v.ExpiresAt = views.StateExpired, ""
			}
		}
	}
	if m := o.order.Cart.MonthlyAfter(); m.Minor > 0 {
		v.AfterToday = []string{fmt.Sprintf("Then %s a month, billed by %s.", m.Display(), o.tenant.Branding.DisplayName)}
	}
	return v
}

func (h *Handlers) returnView(o *opened, outcome views.Outcome) views.ReturnView {
	base := "/pay/" + o.order.PayToken
	v := views.ReturnView{
		Frame: h.orderFrame(o), State: views.OrderState(o.order.State), Outcome: outcome, OrderID: o.order.ID,
		Setup: o.order.Kind == pay.OrderSetup, Reference: contentID(o.order), Amount: o.order.Cart.Total().Display(), CheckURL: base + "/return",
	}
	if o.order.CancelURL != "" {
		v.CancelURL = base + "/cancel"
	}
	if payable(o.order.State) {
		v.RetryURL = base
	}
	switch o.order.State {
	case pay.OrderPaid:
		v.ContinueURL, v.ReceiptURL = h.onward(o), base+"/receipt"
		if o.payment != nil {
			v.PaidWith = o.payment.Method
		}
	case pay.OrderProcessing:
		v.ContinueURL = h.onward(o)
	case pay.OrderFailed:
		v.DeclineHint = failureHint(o)
	}
	return v
}

// failureHint says what the customer can do about an order that failed. A card that
// is declined on Stripe's page leaves the session open, so a session that failed was
// a bank debit's.
func failureHint(o *opened) string {
	switch {
	case o.attempt == nil || o.order.Kind != pay.OrderPayment:
		return ""
	case o.attempt.Kind == pay.AttemptCheckout:
		return "Your bank did not pay, and nothing was taken. Start again from the shop, or ask your bank."
	}
	return pay.DeclineAdvice(o.attempt.Failure)
}

// onward is the signed way to the portal's SuccessUrl, "" when the request had none.
func (h *Handlers) onward(o *opened) string {
	if o.order.SuccessURL == "" {
		return ""
	}
	return pay.SuccessLink(o.tenant, o.order, h.Pay.Now())
}

// takesCards reports whether an order can be paid by a card at all.
func takesCards(o *pay.Order) bool {
	return o.Kind == pay.OrderPayment && o.Cart.TotalMinor > 0 && (len(o.PaymentMethods) == 0 || slices.Contains(o.PaymentMethods, "card"))
}

// offerCards puts on the order page the saved cards to choose from, what became of
// the last try with one, and the offer to save a new one.
func (h *Handlers) offerCards(v *views.OrderView, o *opened, cards []*pay.Card) {
	refused := ""
	for _, a := range o.attempts {
		if a.Kind == pay.AttemptIntent && a.State == pay.AttemptFailed && a.Failure != "superseded" {
			refused = a.CardID
			v.NeedsCustomer, v.DeclineHint = pay.NeedsCustomer(a), pay.DeclineAdvice(a.Failure)
		}
	}
	if v.NeedsCustomer {
		v.DeclineHint = ""
	}
	for _, card := range cards {
		v.SavedCards = append(v.SavedCards, views.SavedCard{ID: card.ID, Brand: firstOf(card.Brand, card.Type), Last4: card.Last4, Expires: expiry(card),
			Label: card.Label, Default: card.IsDefault, Expired: card.Expired(h.Pay.Now()), Refused: card.ID == refused && !v.NeedsCustomer})
	}
	v.OfferSave = o.tenant.Policies.SaveCard == "ask"
}

func expiry(c *pay.Card) string {
	if c.ExpYear == 0 {
		return ""
	}
	return fmt.Sprintf("%02d/%d", c.ExpMonth, c.ExpYear)
}

// receiptView is the whole receipt, or what a stranger may see of it.
func (h *Handlers) receiptView(o *opened, whole bool) views.ReceiptView {
	v := views.ReceiptView{
		Frame: h.orderFrame(o), State: views.OrderState(o.order.State), Minimal: !whole, OrderID: o.order.ID, Reference: contentID(o.order),
		PaidAt: moment(o.order.PaidAt), Lines: lines(&o.order.Cart), Totals: totals(&o.order.Cart),
	}
	if whole {
		v.CustomerName, v.CustomerEmail = o.customer.Name, maskEmail(o.customer.Email)
		v.ContinueURL = h.onward(o)
	}
	if o.payment == nil {
		return v
	}
	v.PaidWith = o.payment.Method
	for _, r := range o.refunds {
		v.Refunds = append(v.Refunds, views.Refund{At: r.CreatedAt.UTC().Format("2 January 2006"), Amount: r.Amount.Display(), Status: refundWords(r.State)})
	}
	if o.payment.RefundedMinor > 0 {
		v.Refunded = pay.Money{Minor: o.payment.RefundedMinor, Currency: o.payment.Amount.Currency}.Display()
		v.NetPaid = pay.Money{Minor: o.payment.Amount.Minor - o.payment.RefundedMinor, Currency: o.payment.Amount.Currency}.Display()
	}
	return v
}

// payable reports whether the pay button can lead anywhere: an expired order gets
// a new attempt, a failed or cancelled one does not.
func payable(s pay.OrderState) bool {
	return s == pay.OrderDraft || s == pay.OrderOpen || s == pay.OrderExpired
}

func refundWords(s pay.RefundState) string {
	switch s {
	case pay.RefundPending, pay.RefundRequiresAction:
		return "on its way"
	case pay.RefundFailed, pay.RefundCanceled:
		return "did not succeed"
	}
	return ""
}

func lines(cart *pay.Cart) []views.Line {
	out := make([]views.Line, 0, len(cart.Lines))
	for _, l := range cart.Lines {
		line := views.Line{Title: l.Title, Information: l.Additional, Amount: pay.Money{Minor: l.SubtotalMinor, Currency: cart.Currency}.Display(),
			Explanation: l.Explanation}
		if l.Quantity > 1 {
			line.Quantity = "Quantity " + strconv.FormatInt(l.Quantity, 10)
			if l.SubtotalMinor%(l.Quantity*cart.Currency.Step()) == 0 {
				line.Quantity = strconv.FormatInt(l.Quantity, 10) + " × " + pay.Money{Minor: l.SubtotalMinor / l.Quantity, Currency: cart.Currency}.Display()
			}
		}
		if l.VATMinor > 0 {
			prefix := "plus "
			if cart.VATMode == pay.VATInclusive {
				prefix = "incl. "
			}
			line.VAT = prefix + pay.Money{Minor: l.VATMinor, Currency: cart.Currency}.Display() + " VAT"
		}
		out = append(out, line)
	}
	return out
}

func totals(cart *pay.Cart) views.Totals {
	t := views.Totals{Total: cart.Total().Display()}
	if cart.VATMinor == 0 {
		return t
	}
	rate := pay.Percent(cart.VATBasisPoints)
	t.VAT = pay.Money{Minor: cart.VATMinor, Currency: cart.Currency}.Display()
	if cart.VATMode == pay.VATInclusive {
		t.VATLabel = "Includes VAT " + rate + " %"
		return t
	}
	t.VATLabel = "VAT " + rate + " %"
	t.Subtotal = pay.Money{Minor: cart.SubtotalMinor, Currency: cart.Currency}.Display()
	return t
}

func contentID(o *pay.Order) string {
	if o.ContentID == 0 {
		return ""
	}
	return strconv.FormatInt(o.ContentID, 10)
}

// maskEmail leaves enough for the customer to know their own address and too
// little for whoever else has the link.
func maskEmail(s string) string {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" {
		return ""
	}
	return local[:1] + strings.Repeat("•", 5) + "@" + domain
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 January 2006, 15:04 MST")
}
