package handlers

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/i18n"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/static"
	"github.com/portatill/portatill/views"
)

// englishFrame is what surrounds the pages for developers, which are English.
func (h *Handlers) englishFrame() views.Frame {
	return views.Frame{StyleURL: static.URL("css/app.css"), IconURL: static.URL("img/icon.svg"), Sandbox: h.Sandbox}
}

// frame is what surrounds every page of customers, in their language; t is nil where no
// tenant is known.
func (h *Handlers) frame(c echo.Context, t *pay.Tenant) views.Frame {
	f := h.englishFrame()
	speak(c, &f, languageOf(c, t))
	if t != nil {
		f.Tenant = views.Tenant{Name: t.Branding.DisplayName, SupportEmail: t.Branding.SupportEmail}
		f.Tenant.LogoURL = logoURL(t)
	}
	return f
}

func (h *Handlers) orderFrame(c echo.Context, o *opened) views.Frame {
	f := h.frame(c, o.tenant)
	if o.tenant.Branding.AccentColour != "" {
		f.BrandCSS = "/pay/" + o.order.PayToken + "/brand.css"
	}
	return f
}

func (h *Handlers) orderView(c echo.Context, o *opened) views.OrderView {
	base, f := "/pay/"+o.order.PayToken, h.orderFrame(c, o)
	v := views.OrderView{
		Frame: f, State: views.OrderState(o.order.State), Free: o.order.Cart.TotalMinor == 0 && o.order.Kind == pay.OrderPayment,
		Setup: o.order.Kind == pay.OrderSetup, OrderID: o.order.ID, FeatureName: o.order.FeatureName, ContentID: contentID(o.order),
		CustomerName: o.customer.Name, CustomerEmail: maskEmail(o.customer.Email),
		Lines: lines(f.Language, o), Totals: totals(f.Language, &o.order.Cart),
	}
	if o.tenant.State == pay.TenantActive && payable(o.order.State) {
		v.PayURL = local(c, base)
	}
	v.Paused = o.tenant.State != pay.TenantActive
	if o.order.CancelURL != "" {
		v.CancelURL = local(c, base+"/cancel")
	}
	switch o.order.State {
	case pay.OrderPaid:
		v.ReceiptURL, v.ContinueURL = local(c, base+"/receipt"), h.onward(o)
	case pay.OrderProcessing:
		v.ContinueURL = h.onward(o)
	case pay.OrderFailed:
		v.DeclineHint = failureHint(f.Language, o)
	case pay.OrderOpen, pay.OrderDraft:
		if a := o.attempt; a != nil && a.State == pay.AttemptOpen {
			v.ExpiresAt = f.Language.Moment(a.ExpiresAt)
			if a.ExpiresAt.Before(h.Pay.Now()) {
				v.State, v.ExpiresAt = views.StateExpired, ""
			}
		}
	}
	if m := o.order.Cart.MonthlyAfter(); m.Minor > 0 {
		v.AfterToday = []string{f.Language.Say("order.after_monthly", "Amount", f.Language.Money(m), "Seller", o.tenant.Branding.DisplayName)}
	}
	return v
}

func (h *Handlers) returnView(c echo.Context, o *opened, outcome views.Outcome) views.ReturnView {
	base, f := "/pay/"+o.order.PayToken, h.orderFrame(c, o)
	v := views.ReturnView{
		Frame: f, State: views.OrderState(o.order.State), Outcome: outcome, OrderID: o.order.ID,
		Setup: o.order.Kind == pay.OrderSetup, Reference: contentID(o.order), Amount: f.Language.Money(o.order.Cart.Total()), CheckURL: local(c, base+"/return"),
	}
	if o.order.CancelURL != "" {
		v.CancelURL = local(c, base+"/cancel")
	}
	if payable(o.order.State) {
		v.RetryURL = local(c, base)
	}
	switch o.order.State {
	case pay.OrderPaid:
		v.ContinueURL, v.ReceiptURL = h.onward(o), local(c, base+"/receipt")
		if o.payment != nil {
			v.PaidWith = o.payment.Method
		}
	case pay.OrderProcessing:
		v.ContinueURL = h.onward(o)
	case pay.OrderFailed:
		v.DeclineHint = failureHint(f.Language, o)
	}
	return v
}

// failureHint says what the customer can do about an order that failed. A card that
// is declined on Stripe's page leaves the session open, so a session that failed was
// a bank debit's.
func failureHint(l *i18n.Language, o *opened) string {
	switch {
	case o.attempt == nil || o.order.Kind != pay.OrderPayment:
		return ""
	case o.attempt.Kind == pay.AttemptCheckout:
		return l.Say("order.debit_failed")
	}
	return l.Decline(o.attempt.Failure)
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
			v.NeedsCustomer, v.DeclineHint = pay.NeedsCustomer(a), v.Language.Decline(a.Failure)
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
func (h *Handlers) receiptView(c echo.Context, o *opened, whole bool) views.ReceiptView {
	f := h.orderFrame(c, o)
	l := f.Language
	v := views.ReceiptView{
		Frame: f, State: views.OrderState(o.order.State), Minimal: !whole, OrderID: o.order.ID, Reference: contentID(o.order),
		PaidAt: l.Moment(o.order.PaidAt), Lines: lines(l, o), Totals: totals(l, &o.order.Cart), SellerLines: o.tenant.Branding.SellerLines,
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
		v.Refunds = append(v.Refunds, views.Refund{At: l.Date(r.CreatedAt), Amount: l.Money(r.Amount), Status: refundWords(l, r.State)})
	}
	if o.payment.RefundedMinor > 0 {
		v.Refunded = l.Money(pay.Money{Minor: o.payment.RefundedMinor, Currency: o.payment.Amount.Currency})
		v.NetPaid = l.Money(pay.Money{Minor: o.payment.Amount.Minor - o.payment.RefundedMinor, Currency: o.payment.Amount.Currency})
	}
	return v
}

// payable reports whether the pay button can lead anywhere: an expired order gets
// a new attempt, a failed or cancelled one does not.
func payable(s pay.OrderState) bool {
	return s == pay.OrderDraft || s == pay.OrderOpen || s == pay.OrderExpired
}

func refundWords(l *i18n.Language, s pay.RefundState) string {
	switch s {
	case pay.RefundPending, pay.RefundRequiresAction:
		return l.Say("receipt.refund_pending")
	case pay.RefundFailed, pay.RefundCanceled:
		return l.Say("receipt.refund_failed")
	}
	return ""
}

func lines(l *i18n.Language, o *opened) []views.Line {
	cart := &o.order.Cart
	show := func(minor int64) string { return l.Money(pay.Money{Minor: minor, Currency: cart.Currency}) }
	out := make([]views.Line, 0, len(cart.Lines))
	for i := range cart.Lines {
		priced := &cart.Lines[i]
		line := views.Line{Title: priced.Title, Information: priced.Additional, Amount: show(priced.SubtotalMinor),
			Explanation: l.Explain(cart, priced, o.tenant.Branding.DisplayName)}
		if priced.Quantity > 1 {
			line.Quantity = l.Say("line.quantity", "Number", l.Integer(priced.Quantity))
			if priced.SubtotalMinor%(priced.Quantity*cart.Currency.Step()) == 0 {
				line.Quantity = l.Integer(priced.Quantity) + " × " + show(priced.SubtotalMinor/priced.Quantity)
			}
		}
		switch {
		case priced.VATMinor == 0:
		case cart.VATMode == pay.VATInclusive:
			line.VAT = l.Say("line.vat_included", "Amount", show(priced.VATMinor))
		default:
			line.VAT = l.Say("line.vat_added", "Amount", show(priced.VATMinor))
		}
		out = append(out, line)
	}
	return out
}

func totals(l *i18n.Language, cart *pay.Cart) views.Totals {
	t := views.Totals{Total: l.Money(cart.Total())}
	if cart.VATMinor == 0 {
		return t
	}
	rate := l.Percent(cart.VATBasisPoints)
	t.VAT = l.Money(pay.Money{Minor: cart.VATMinor, Currency: cart.Currency})
	if cart.VATMode == pay.VATInclusive {
		t.VATLabel = l.Say("order.vat_included", "Rate", rate)
		return t
	}
	t.VATLabel = l.Say("order.vat_rate", "Rate", rate)
	t.Subtotal = l.Money(pay.Money{Minor: cart.SubtotalMinor, Currency: cart.Currency})
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
