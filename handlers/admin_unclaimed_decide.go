package handlers

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// unclaimedDecision is what was typed for a decision about a case, checked.
type unclaimedDecision struct {
	form     views.UnclaimedForm
	customer int64
	amount   pay.Money // zero: all that is left
}

// readDecision reads a decision of an address or a form alike. The fault is about what was
// typed.
func readDecision(get func(string) string, u *pay.Unclaimed) (d unclaimedDecision, fault string) {
	field := func(name string) string { return strings.TrimSpace(storable(get(name))) }
	d.form = views.UnclaimedForm{Act: field("act"), Customer: field("customer"), Order: field("order"), Amount: field("amount"), Reason: field("reason"), StripeReason: field("stripe_reason")}
	if d.form.Act == "assign" && d.form.Customer == "" && d.form.Order == "" {
		d.form.Customer = field("suggested")
	}
	f := &d.form
	switch f.Act {
	case "assign":
		if (f.Customer == "") == (f.Order == "") {
			return d, "Name a customer or an order of theirs, one of the two."
		}
		if f.Customer != "" {
			n, err := strconv.ParseInt(f.Customer, 10, 64)
			if err != nil || n <= 0 {
				return d, "A customer's number is digits alone, such as 12345."
			}
			d.customer = n
		} else if !strings.HasPrefix(f.Order, "ord_") || len(f.Order) > 40 {
			return d, "An order is named by its id, such as ord_01jd…."
		}
	case "refund":
		if f.Amount != "" {
			m, err := pay.ParseMoney("amount", f.Amount, u.Amount.Currency)
			if err != nil || m.Minor <= 0 {
				return d, "The amount is none; write it as " + (pay.Money{Minor: u.HeldMinor, Currency: u.Amount.Currency}).Text() + ", or leave it empty for all that is left."
			}
			d.amount = m
		}
		if f.StripeReason != "" && f.StripeReason != "requested_by_customer" && f.StripeReason != "duplicate" && f.StripeReason != "fraudulent" {
			return d, "Stripe knows no such reason; choose one of the list."
		}
		return d, ""
	case "ignore":
	default:
		return d, "What is to be done? Choose one of the forms below."
	}
	switch {
	case f.Reason == "":
		return d, "Give a reason: say in a few words why, for whoever reads the books later."
	case utf8.RuneCountInString(f.Reason) > 500:
		return d, "The reason is longer than 500 characters."
	}
	return d, ""
}

// confirmUnclaimed asks once more, with what will be done in words. Nothing is done yet.
func (h *Handlers) confirmUnclaimed(c echo.Context) error {
	_, u, err := h.theCase(c)
	if err != nil {
		return err
	}
	d, fault := readDecision(c.QueryParam, u)
	if fault != "" {
		return h.unclaimedCase(c, http.StatusUnprocessableEntity, d.form, fault)
	}
	f := d.form
	at := unclaimedPath + "/" + u.ID
	v := views.BooksConfirmView{AdminFrame: h.booksFrame(c), Action: at + "/" + f.Act, BackURL: at, Facts: []views.BooksFact{{Name: "Case", Text: u.ID, Code: true}, {Name: "Held", Text: heldOf(u).String()}}}
	hide := func(name, value string) { v.Hidden = append(v.Hidden, views.BooksHidden{Name: name, Value: value}) }
	hide("act", f.Act)
	switch f.Act {
	case "assign":
		v.Title, v.Button, v.Lead = "Assign "+heldOf(u).String()+"?", "Assign it", "The customer is credited with it and PortaBilling is told. It cannot be taken back here."
		if f.Customer != "" {
			v.Facts = append(v.Facts, views.BooksFact{Name: "To customer", Text: f.Customer})
		} else {
			v.Facts = append(v.Facts, views.BooksFact{Name: "To the customer of order", Text: f.Order, Code: true})
		}
		v.Facts = append(v.Facts, views.BooksFact{Name: "Reason", Text: f.Reason})
		hide("customer", f.Customer)
		hide("order", f.Order)
		hide("reason", f.Reason)
	case "refund":
		amount := "all that is left"
		if f.Amount != "" {
			amount = d.amount.String()
		}
		v.Title, v.Button, v.Danger, v.Lead = "Refund "+amount+"?", "Refund it", true, "Stripe sends it back to where it came from. It cannot be called back."
		v.Facts = append(v.Facts, views.BooksFact{Name: "Amount", Text: amount}, views.BooksFact{Name: "Reason for Stripe", Text: cmp.Or(strings.ReplaceAll(f.StripeReason, "_", " "), "none")})
		hide("amount", f.Amount)
		hide("stripe_reason", f.StripeReason)
		hide("key", pay.NewID("page", h.Pay.Now())) // the same form sent twice is one refund
	default:
		v.Title, v.Button, v.Lead = "Close the case?", "Close it", "Nobody gets anything. What is held stays in suspense."
		v.Facts = append(v.Facts, views.BooksFact{Name: "Reason", Text: f.Reason})
		hide("reason", f.Reason)
	}
	return page(c, http.StatusOK, views.BooksConfirmPage(v))
}

// posted is the decision of a form that was confirmed.
func (h *Handlers) posted(c echo.Context, act string) (*pay.Unclaimed, unclaimedDecision, string, error) {
	_, u, err := h.theCase(c)
	if err != nil {
		return nil, unclaimedDecision{}, "", err
	}
	d, fault := readDecision(func(name string) string {
		if name == "act" {
			return act
		}
		return c.FormValue(name)
	}, u)
	e := auditOf(c)
	e.Subject, e.TenantID, e.Before = u.ID, u.TenantID, string(u.State)
	return u, d, fault, nil
}

// after leads back to the case and says what came of a decision.
func (h *Handlers) afterDecision(c echo.Context, u *pay.Unclaimed, err error, done string) error {
	at := unclaimedPath + "/" + u.ID
	if err == nil {
		h.say(c, done)
		return c.Redirect(http.StatusSeeOther, at)
	}
	e, ok := errors.AsType[*pay.Error](err)
	if !ok || e.Err != nil && e.Code != pay.CodeStripeUnavailable && e.Code != pay.CodeStripeError {
		return err
	}
	auditOf(c).Refused, auditOf(c).After = true, string(e.Code)
	text := sentence(e)
	if e.Code == pay.CodeStripeUnavailable {
		text = "Stripe did not answer. The refund is kept, and asked for again by itself."
	}
	h.sayNot(c, text)
	return c.Redirect(http.StatusSeeOther, at)
}

func (h *Handlers) assignUnclaimed(c echo.Context) error {
	u, d, fault, err := h.posted(c, "assign")
	if err != nil {
		return err
	}
	if fault != "" {
		return h.unclaimedCase(c, http.StatusUnprocessableEntity, d.form, fault)
	}
	ctx, cancel := detached(c)
	defer cancel()
	given, err := h.Pay.AssignUnclaimed(ctx, pay.AssignUnclaimed{TenantID: u.TenantID, ID: u.ID, ICustomer: d.customer, OrderID: d.form.Order, Reason: d.form.Reason, Cause: causeOf(c)})
	if err == nil {
		auditOf(c).After = "assigned " + pay.Money{Minor: given.AssignedMinor, Currency: given.Amount.Currency}.String() + " to " + given.CustomerID
	}
	return h.afterDecision(c, u, err, heldOf(u).String()+" was credited to the customer; PortaBilling will be told.")
}

func (h *Handlers) refundUnclaimed(c echo.Context) error {
	u, d, fault, err := h.posted(c, "refund")
	if err != nil {
		return err
	}
	key := storable(c.FormValue("key"))
	if fault == "" && (!strings.HasPrefix(key, "page_") || len(key) > 40) {
		fault = "This form is not the one that asks for confirmation. Send this one, and confirm it."
	}
	if fault != "" {
		return h.unclaimedCase(c, http.StatusUnprocessableEntity, d.form, fault)
	}
	ctx, cancel := detached(c)
	defer cancel()
	r, err := h.Pay.RefundUnclaimed(ctx, pay.RefundUnclaimed{TenantID: u.TenantID, ID: u.ID, Amount: d.amount, Reason: d.form.StripeReason, Key: key, Cause: causeOf(c)})
	done := ""
	if err == nil {
		auditOf(c).After, done = "refund of "+r.Amount.String()+" "+string(r.State), r.Amount.String()+" is on its way back."
	}
	return h.afterDecision(c, u, err, done)
}

func (h *Handlers) ignoreUnclaimed(c echo.Context) error {
	u, d, fault, err := h.posted(c, "ignore")
	if err != nil {
		return err
	}
	if fault != "" {
		return h.unclaimedCase(c, http.StatusUnprocessableEntity, d.form, fault)
	}
	_, err = h.Pay.IgnoreUnclaimed(c.Request().Context(), pay.IgnoreUnclaimed{TenantID: u.TenantID, ID: u.ID, Reason: d.form.Reason, Cause: causeOf(c)})
	if err == nil {
		auditOf(c).After = string(pay.UnclaimedIgnored)
	}
	return h.afterDecision(c, u, err, "The case is closed.")
}
