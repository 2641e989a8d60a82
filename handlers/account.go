package handlers

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/i18n"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// accountOrders is how many payments a customer's own page shows at a time.
const accountOrders = 20

// openAccount finds the customer of a signed link. One that is over is answered with
// a page that says where a new one is made.
func (h *Handlers) openAccount(c echo.Context) (*pay.AccountPage, error) {
	a, err := h.Pay.OpenAccount(c.Request().Context(), storable(c.Param("link")))
	if a != nil {
		brand(c, a.Tenant, "/account/"+c.Param("link"))
	}
	return a, err
}

// accountOver shows that a link is no longer good; err is returned when it is about
// something else.
func (h *Handlers) accountOver(c echo.Context, a *pay.AccountPage, err error) error {
	if pay.CodeOf(err) != pay.CodeInvalidPass || a == nil {
		return err
	}
	return page(c, http.StatusForbidden, views.AccountExpiredPage(views.AccountExpiredView{Frame: h.accountFrame(c, a), BackURL: a.ReturnURL}))
}

func (h *Handlers) accountFrame(c echo.Context, a *pay.AccountPage) views.Frame {
	f := h.frame(c, a.Tenant)
	if a.Tenant.Branding.AccentColour != "" {
		f.BrandCSS = "/account/" + c.Param("link") + "/brand.css"
	}
	return f
}

// showAccountPage is the customer's own page: cards and payments. It asks nobody but
// the database, where cards are as Stripe had them when the link was made.
func (h *Handlers) showAccountPage(c echo.Context) error {
	a, err := h.openAccount(c)
	if err != nil {
		return h.accountOver(c, a, err)
	}
	ctx, base := c.Request().Context(), "/account/"+c.Param("link")
	cards, err := h.Pay.Store.ListCards(ctx, a.Tenant.ID, a.Customer.ID)
	if err != nil {
		return err
	}
	f := h.accountFrame(c, a)
	v := views.AccountView{Frame: f, CustomerName: a.Customer.Name, BackURL: a.ReturnURL,
		Notice: views.AccountNotice(c.QueryParam("notice")), ExpiresAt: f.Language.Clock(a.ExpiresAt)}
	for _, card := range cards {
		v.Cards = append(v.Cards, views.AccountCard{ID: card.ID, Brand: firstOf(card.Brand, card.Type), Last4: card.Last4, Expires: expiry(card), Label: card.Label,
			Default: card.IsDefault, Expired: card.Expired(h.Pay.Now()), DeleteURL: local(c, base+"/cards/"+card.ID+"/delete"), LabelURL: local(c, base+"/cards/"+card.ID+"/label")})
	}
	orders, err := h.Pay.Store.ListOrders(ctx, pay.OrderFilter{TenantID: a.Tenant.ID, CustomerID: a.Customer.ID,
		After: storable(c.QueryParam("before")), Limit: accountOrders + 1})
	if err != nil {
		return err
	}
	if len(orders) > accountOrders {
		orders = orders[:accountOrders]
		v.MorePaymentsURL = local(c, base+"?before="+orders[accountOrders-1].ID)
	}
	for _, order := range orders {
		p, shown, err := h.accountPayment(c, f.Language, order, base)
		if err != nil {
			return err
		}
		if shown {
			v.Payments = append(v.Payments, p)
		}
	}
	return page(c, http.StatusOK, views.AccountPage(v))
}

// accountPayment is an order in the customer's words; one that took and takes no
// money is not shown.
func (h *Handlers) accountPayment(c echo.Context, l *i18n.Language, order *pay.Order, base string) (views.AccountPayment, bool, error) {
	v := views.AccountPayment{OrderID: order.ID, At: l.Date(order.CreatedAt), What: order.FeatureName,
		Amount: l.Money(order.Cart.Total())}
	if v.What == "" && len(order.Cart.Lines) > 0 {
		v.What = order.Cart.Lines[0].Title
	}
	if order.Kind != pay.OrderPayment {
		return v, false, nil
	}
	switch order.State {
	case pay.OrderPaid:
		v.Status, v.ReceiptURL = views.PaymentPaid, local(c, base+"/receipts/"+order.ID)
	case pay.OrderProcessing:
		v.Status = views.PaymentProcessing
		return v, true, nil
	case pay.OrderFailed:
		v.Status = views.PaymentFailed
		return v, true, nil
	case pay.OrderMismatch:
		v.Status = views.PaymentChecking
		return v, true, nil
	default:
		return v, false, nil
	}
	ctx := c.Request().Context()
	p, err := h.Pay.Store.PaymentByOrder(ctx, order.TenantID, order.ID)
	if pay.IsNotFound(err) {
		return v, true, nil // nothing was due
	}
	if err != nil {
		return v, false, err
	}
	v.PaidWith, v.At = p.Method, l.Date(p.PaidAt)
	disputes, err := h.Pay.Store.ListDisputes(ctx, order.TenantID, p.ID)
	if err != nil {
		return v, false, err
	}
	if p.RefundedMinor > 0 {
		v.Refunded, v.Status = l.Money(pay.Money{Minor: p.RefundedMinor, Currency: p.Amount.Currency}), views.PaymentPartlyRefunded
		if p.RefundedMinor == p.Amount.Minor {
			v.Status = views.PaymentRefunded
		}
	}
	for _, d := range disputes {
		if !d.State.Closed() || d.State == pay.DisputeLost {
			v.Status = views.PaymentDisputed
		}
	}
	return v, true, nil
}

// showAccountReceipt is a whole receipt: the link shows that the customer's portal let
// them in.
func (h *Handlers) showAccountReceipt(c echo.Context) error {
	a, err := h.openAccount(c)
	if err != nil {
		return h.accountOver(c, a, err)
	}
	order, err := h.Pay.Store.OrderByID(c.Request().Context(), a.Tenant.ID, storable(c.Param("order")))
	if err != nil {
		return err
	}
	if order.CustomerID != a.Customer.ID || order.PaidAt.IsZero() || order.Kind != pay.OrderPayment {
		return pay.Errorf(pay.CodeNotFound, "", "no such receipt")
	}
	o, err := h.fill(c, order)
	if err != nil {
		return err
	}
	v := h.receiptView(c, o, true)
	v.AccountURL = local(c, "/account/"+c.Param("link"))
	return page(c, http.StatusOK, views.ReceiptPage(v))
}

// removeCard deletes one of the customer's cards.
func (h *Handlers) removeCard(c echo.Context) error {
	return h.changeCard(c, func(a *pay.AccountPage, card string) (views.AccountNotice, error) {
		ctx, cancel := detached(c)
		defer cancel()
		err := h.Pay.RemoveCard(ctx, a.Tenant, a.Customer, card)
		switch pay.CodeOf(err) {
		case pay.CodeCardNotFound:
			return views.AccountCardGone, nil
		case pay.CodeStripeUnavailable, pay.CodeStripeError:
			return views.AccountCardKept, nil
		}
		return views.AccountCardRemoved, err
	})
}

// labelCard sets what the customer calls one of their cards.
func (h *Handlers) labelCard(c echo.Context) error {
	return h.changeCard(c, func(a *pay.AccountPage, card string) (views.AccountNotice, error) {
		ctx, cancel := detached(c)
		defer cancel()
		err := h.Pay.RelabelCard(ctx, a.Tenant, a.Customer, card, storable(strings.TrimSpace(c.FormValue(views.LabelField))))
		switch pay.CodeOf(err) {
		case pay.CodeTooLong:
			return views.AccountLabelTooLong, nil
		case pay.CodeCardNotFound:
			return views.AccountCardGone, nil
		case pay.CodeStripeUnavailable, pay.CodeStripeError:
			return views.AccountLabelNotSaved, nil
		}
		return views.AccountLabelSaved, err
	})
}

// changeCard answers a form of the account page: back to it, with what came of it.
func (h *Handlers) changeCard(c echo.Context, change func(a *pay.AccountPage, card string) (views.AccountNotice, error)) error {
	a, err := h.openAccount(c)
	if err != nil {
		return h.accountOver(c, a, err)
	}
	notice, err := change(a, storable(c.Param("card")))
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, local(c, "/account/"+c.Param("link")+"?notice="+string(notice)))
}

func (h *Handlers) accountCSS(c echo.Context) error {
	a, err := h.openAccount(c)
	if a == nil {
		return err
	}
	return tenantCSS(c, a.Tenant)
}

// storable is a text from an address or a form as both databases take it: PostgreSQL
// takes neither NUL nor invalid UTF-8.
func storable(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
}
