package handlers

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// acted begins what somebody of the staff does to an order: the audit entry names it, and the
// cause of what follows is the person.
func (h *Handlers) acted(c echo.Context, tenantID, subject, before string) pay.Cause {
	e := auditOf(c)
	e.Subject, e.TenantID, e.Before = subject, tenantID, before
	return pay.Cause{Kind: pay.CauseStaff, ID: staffOf(c).ID}
}

// plainly is what a person may be told of a refusal; ok is false for an error that is none.
func plainly(err error) (text string, ok bool) {
	e, ok := errors.AsType[*pay.Error](err)
	if !ok || e.Code == pay.CodeNotFound || e.Code == pay.CodeUnavailable {
		return "", false
	}
	if e.Code == pay.CodeStripeUnavailable {
		return "Stripe does not answer at the moment. Try again in a minute.", true
	}
	text = sentenceCase(strings.TrimSuffix(e.Message, "."))
	if e.Field != "" && e.Message != "" && e.Message[0] >= 'a' && e.Message[0] <= 'z' {
		text = "The " + e.Field + " " + strings.TrimSuffix(e.Message, ".")
	}
	return text + ".", true
}

// recheckOrder asks Stripe about an order and makes the books agree.
func (h *Handlers) recheckOrder(c echo.Context) error {
	o, t, err := h.findOrder(c)
	if err != nil {
		return err
	}
	ctx, cancel := detached(c)
	defer cancel()
	done, err := h.Pay.Settle(ctx, t.ID, o.ID, h.acted(c, t.ID, o.ID, string(o.State)))
	if _, silent := errors.AsType[*pay.StripeFault](err); silent {
		auditOf(c).Refused, auditOf(c).After = true, "Stripe did not answer"
		h.sayNot(c, "Stripe could not be asked: "+faultInWords(err)+" Nothing was changed.")
		return c.Redirect(http.StatusSeeOther, "/admin/orders/"+o.ID)
	}
	if text, ok := plainly(err); ok {
		auditOf(c).Refused, auditOf(c).After = true, string(pay.CodeOf(err))
		h.sayNot(c, text)
		return c.Redirect(http.StatusSeeOther, "/admin/orders/"+o.ID)
	}
	if err != nil {
		return err
	}
	after := o.State
	if done.Order != nil {
		after = done.Order.State
	}
	auditOf(c).After = string(after)
	switch {
	case after != o.State:
		h.say(c, "Stripe had news: the order is "+string(after)+" now.")
	case done.Note != "" && done.Note != "not paid yet":
		h.say(c, "Stripe was asked, and the books agree: "+done.Note+".")
	default:
		h.say(c, "Stripe was asked, and the books agree. Nothing is new.")
	}
	return c.Redirect(http.StatusSeeOther, "/admin/orders/"+o.ID)
}

// faultInWords says why Stripe gave no answer that can be used.
func faultInWords(err error) string {
	f, ok := errors.AsType[*pay.StripeFault](err)
	switch {
	case ok && f.Kind == pay.FaultCredentials:
		return "it refuses the tenant's key."
	case ok && f.Kind == pay.FaultNotFound:
		return "it does not know the payment under the tenant's key."
	case ok && f.Kind == pay.FaultUnavailable:
		return "it does not answer."
	}
	return "it refuses."
}

// showPayLink shows where the customer pays. The link is a credential, so it is in the
// answer to this form only, and the audit log has who asked for it.
func (h *Handlers) showPayLink(c echo.Context) error {
	o, t, err := h.findOrder(c)
	if err != nil {
		return err
	}
	h.acted(c, t.ID, o.ID, "")
	if o.State != pay.OrderOpen && o.State != pay.OrderDraft {
		auditOf(c).Refused, auditOf(c).After = true, string(o.State)
		h.sayNot(c, "The order is "+string(o.State)+": there is nothing to pay any more.")
		return c.Redirect(http.StatusSeeOther, "/admin/orders/"+o.ID)
	}
	return h.orderStoryPage(c, http.StatusOK, o, t, h.Pay.PayURL(o, ""))
}

func (h *Handlers) showCancelOrderPage(c echo.Context) error {
	o, _, err := h.findOrder(c)
	if err != nil {
		return err
	}
	return h.cancelOrderPage(c, http.StatusOK, o, "", "")
}

func (h *Handlers) cancelOrderPage(c echo.Context, status int, o *pay.Order, reason, message string) error {
	v := views.ConfirmView{AdminFrame: h.adminFrame(c), Title: "Cancel this order?", BackURL: "/admin/orders/" + o.ID, Back: "Back to the order", Action: "/admin/orders/" + o.ID + "/cancel",
		Button: "Cancel the order", Message: message, Reason: reason, AskWhy: true, TestName: "confirm-cancel",
		Text: []string{"Nobody can pay it any more, and its page at Stripe ends. The portal is told. If the customer pays at this very moment, the payment counts and the order is not cancelled."},
		Facts: []views.Fact{{Label: "Order", Text: o.ID, Code: true}, {Label: "For", Text: orderPurpose(o.Kind, o.FeatureName, o.ContentID)}, {Label: "Amount", Text: o.Cart.Total().Display(), Money: true},
			{Label: "State", Text: orderPill(o.State).Text}}}
	return page(c, status, views.ConfirmPage(v))
}

// cancelOrder ends an order that waits for its customer.
func (h *Handlers) cancelOrder(c echo.Context) error {
	o, t, err := h.findOrder(c)
	if err != nil {
		return err
	}
	ctx, cancel := detached(c)
	defer cancel()
	reason := strings.TrimSpace(storable(c.FormValue("reason")))
	_, err = h.Pay.CancelOrder(ctx, t.ID, o.ID, reason, h.acted(c, t.ID, o.ID, string(o.State)))
	if text, ok := plainly(err); ok {
		status := http.StatusConflict
		if pay.CodeOf(err) == pay.CodeTooLong {
			status = http.StatusUnprocessableEntity
		}
		auditOf(c).After = string(pay.CodeOf(err))
		return h.cancelOrderPage(c, status, o, reason, text)
	}
	if err != nil {
		return err
	}
	auditOf(c).After = string(pay.OrderCancelled)
	h.say(c, "The order is cancelled. Nobody can pay it any more.")
	return c.Redirect(http.StatusSeeOther, "/admin/orders/"+o.ID)
}

// refundReasons are those that Stripe knows.
var refundReasons = []views.FilterOption{{Value: "", Label: "None"}, {Value: "requested_by_customer", Label: "The customer asked for it"},
	{Value: "duplicate", Label: "It was paid twice"}, {Value: "fraudulent", Label: "It was fraud"}}

// staffRefundKey is what the keys of refunds that staff make begin with.
const staffRefundKey = "staff-"

// showRefundPage asks how much, and, once an amount is in the address, whether it really is
// to be given back. The password is asked for before, so that what is typed is not lost.
func (h *Handlers) showRefundPage(c echo.Context) error {
	o, _, err := h.findOrder(c)
	if err != nil {
		return err
	}
	if asked, err := h.freshFirst(c, c.Request().URL.RequestURI()); asked {
		return err
	}
	return h.refundPage(c, http.StatusOK, o, storable(c.QueryParam("amount")), storable(c.QueryParam("reason")), pay.NewID("k", h.Pay.Now()), "")
}

// refundPage shows the form, or, with an amount that can be given back, the question. typed
// is the amount as it came, message why the last try was refused.
func (h *Handlers) refundPage(c echo.Context, status int, o *pay.Order, typed, reason, key, message string) error {
	ctx, to := c.Request().Context(), "/admin/orders/"+o.ID
	p, left, err := h.Pay.Refundable(ctx, o.TenantID, o.ID)
	if pay.IsNotFound(err) || err == nil && left.Minor == 0 {
		h.sayNot(c, "There is nothing to give back: nothing was paid, or all of it went back or is on its way.")
		return c.Redirect(http.StatusSeeOther, to)
	}
	if err != nil {
		return err
	}
	customer, err := h.Pay.Store.CustomerByID(ctx, o.TenantID, o.CustomerID)
	if err != nil {
		return err
	}
	v := views.RefundView{AdminFrame: h.adminFrame(c), OrderURL: to, Action: to + "/refund", Amount: typed, Currency: string(left.Currency), Left: left.Display(), Method: p.Method,
		Customer: firstOf(customer.Name, customer.Company, "The customer"), Reason: reason, Reasons: refundReasons, Key: key, Message: message}
	if typed == "" {
		if v.Amount = left.Text(); message == "" {
			return page(c, status, views.RefundPage(v))
		}
	}
	amount, fault := refundAmount(typed, left)
	if fault == "" && !knownReason(reason) {
		v.Reason, fault = "", "Choose one of the reasons."
	}
	switch {
	case fault != "":
		v.Message = firstOf(message, fault)
		status = max(status, http.StatusUnprocessableEntity)
	default:
		v.Confirm, v.Amount = amount.Display(), amount.Text()
		v.Requested = []views.Fact{{Label: "Paid", Text: p.Amount.Display(), Money: true}, {Label: "Left after this", Text: pay.Money{Minor: left.Minor - amount.Minor, Currency: left.Currency}.Display(), Money: true},
			{Label: "Reason", Text: reasonName(reason)}}
	}
	return page(c, status, views.RefundPage(v))
}

func knownReason(reason string) bool { return reasonName(reason) != "" }

func reasonName(reason string) string {
	for _, r := range refundReasons {
		if r.Value == reason {
			return r.Label
		}
	}
	return ""
}

// refundAmount reads an amount that can be given back; fault says why it cannot.
func refundAmount(typed string, left pay.Money) (m pay.Money, fault string) {
	m, err := pay.ParseMoney("amount", strings.TrimSpace(typed), left.Currency)
	if err != nil {
		text, _ := plainly(err)
		return m, firstOf(text, "The amount cannot be read.")
	}
	switch {
	case m.Minor <= 0:
		return m, "The amount must be above 0."
	case m.Minor > left.Minor:
		return m, "That is more than the " + left.Display() + " that can be given back."
	}
	return m, ""
}

// refundOrder gives money back. The key is the question's: pressed twice it is one refund.
func (h *Handlers) refundOrder(c echo.Context) error {
	o, t, err := h.findOrder(c)
	if err != nil {
		return err
	}
	cause := h.acted(c, t.ID, o.ID, string(o.State))
	typed, reason, key := storable(c.FormValue("amount")), storable(c.FormValue("reason")), c.FormValue("key")
	if !rowID(key, "k") {
		return h.refundPage(c, http.StatusUnprocessableEntity, o, typed, reason, pay.NewID("k", h.Pay.Now()), "The form was not whole. Look at it again, and confirm.")
	}
	amount, err := pay.ParseMoney("amount", strings.TrimSpace(typed), o.Cart.Currency)
	if err == nil && amount.Minor <= 0 {
		err = pay.Errorf(pay.CodeInvalidAmount, "amount", "must be above 0")
	}
	ctx, cancel := detached(c)
	defer cancel()
	var r *pay.RefundRequest
	if err == nil {
		auditOf(c).After = "refund of " + amount.String()
		r, err = h.Pay.Refund(ctx, pay.RefundOrder{TenantID: t.ID, OrderID: o.ID, Amount: amount, Reason: reason, Key: staffRefundKey + key, Cause: cause})
	}
	if pay.CodeOf(err) == pay.CodeStripeUnavailable {
		auditOf(c).After += ", not answered by Stripe yet"
		h.sayNot(c, "Stripe did not answer. The refund of "+amount.Display()+" is kept and asked for again by itself; do not make it a second time.")
		return c.Redirect(http.StatusSeeOther, "/admin/orders/"+o.ID)
	}
	if text, ok := plainly(err); ok {
		auditOf(c).Refused, auditOf(c).After = true, strings.TrimPrefix(auditOf(c).After+": "+string(pay.CodeOf(err)), ": ")
		status := http.StatusUnprocessableEntity
		if pay.CodeOf(err) == pay.CodeStripeError {
			status = http.StatusBadGateway
		}
		return h.refundPage(c, status, o, typed, reason, pay.NewID("k", h.Pay.Now()), text)
	}
	if err != nil {
		return err
	}
	auditOf(c).After = "refund of " + r.Amount.String() + " " + r.ID
	h.say(c, r.Amount.Display()+" is on its way back to the customer.")
	return c.Redirect(http.StatusSeeOther, "/admin/orders/"+url.PathEscape(o.ID))
}
