package handlers

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/branding"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

const (
	// onwardSeconds is how long "paid" is shown before the customer is led on.
	onwardSeconds = 4
	// checkSeconds is how often a page that waits for Stripe looks again.
	checkSeconds = 3
)

// opened is an order with all that its pages show.
type opened struct {
	order    *pay.Order
	tenant   *pay.Tenant
	customer *pay.Customer
	attempt  *pay.Attempt // the latest; nil when nothing was due
	attempts []*pay.Attempt
	payment  *pay.Payment // nil until paid
	refunds  []*pay.Refund
}

// open reads the order of a pay token. A token of no order, of whatever shape, is
// the same 404.
func (h *Handlers) open(c echo.Context) (*opened, error) {
	token, err := payToken(c)
	if err != nil {
		return nil, err
	}
	order, err := h.Pay.Store.OrderByPayToken(c.Request().Context(), token)
	if err != nil {
		return nil, err
	}
	return h.fill(c, order)
}

// payToken is the address's token: 22 characters of base64url. Anything else is no
// order's, and is not shown to the database: PostgreSQL takes neither NUL nor
// invalid UTF-8.
func payToken(c echo.Context) (string, error) {
	token := c.Param("token")
	if len(token) != 22 || strings.ContainsFunc(token, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		return "", pay.Errorf(pay.CodeNotFound, "", "no such order")
	}
	return token, nil
}

func (h *Handlers) fill(c echo.Context, order *pay.Order) (*opened, error) {
	ctx, store := c.Request().Context(), h.Pay.Store
	o := &opened{order: order}
	var err error
	if o.tenant, err = store.TenantByID(ctx, order.TenantID); err != nil {
		return nil, err
	}
	if strings.HasPrefix(c.Path(), "/pay/") {
		brand(c, o.tenant, "/pay/"+order.PayToken)
	}
	if o.customer, err = store.CustomerByID(ctx, order.TenantID, order.CustomerID); err != nil {
		return nil, err
	}
	attempts, err := store.ListAttempts(ctx, order.TenantID, order.ID)
	if err != nil {
		return nil, err
	}
	if o.attempts = attempts; len(attempts) > 0 {
		o.attempt = attempts[len(attempts)-1]
	}
	o.payment, err = store.PaymentByOrder(ctx, order.TenantID, order.ID)
	if err != nil && !pay.IsNotFound(err) {
		return nil, err
	}
	if o.payment != nil {
		o.refunds, err = store.ListRefunds(ctx, order.TenantID, o.payment.ID)
		return o, err
	}
	return o, nil
}

// showOrderPage is the review before Stripe's page. It asks nobody but the
// database: an order whose session ran out by the clock is settled when its
// button is pressed.
func (h *Handlers) showOrderPage(c echo.Context) error {
	o, err := h.open(c)
	if err != nil {
		return err
	}
	return h.orderPage(c, o, http.StatusOK, "")
}

// orderPage shows the review. gone is a card that was chosen and is not the
// customer's, or not any more; "" when all is well.
func (h *Handlers) orderPage(c echo.Context, o *opened, status int, gone string) error {
	v := h.orderView(c, o)
	if v.PayURL != "" && takesCards(o.order) {
		cards, err := h.Pay.Store.ListCards(c.Request().Context(), o.order.TenantID, o.order.CustomerID)
		if err != nil {
			return err
		}
		cards = slices.DeleteFunc(cards, func(card *pay.Card) bool { return card.ID == gone })
		h.offerCards(&v, o, cards)
		if gone != "" {
			v.DeclineHint = v.Language.Say("order.card_gone")
		}
	}
	return page(c, status, views.OrderPage(v))
}

// startPayment is the pay button.
func (h *Handlers) startPayment(c echo.Context) error {
	token, err := payToken(c)
	if err != nil {
		return err
	}
	ctx, cancel := detached(c)
	defer cancel()
	choice := pay.Choice{SaveCard: c.FormValue(views.SaveField) != ""}
	if l := askedLanguage(c); l != nil {
		choice.Language = l.Tag
	}
	if card := c.FormValue(views.CardField); card != views.CardNew {
		choice.CardID = card
	}
	to, err := h.Pay.StartPayment(ctx, token, choice)
	if pay.CodeOf(err) == pay.CodeCardNotFound {
		return h.showCardGone(c, choice.CardID)
	}
	if err != nil {
		return err
	}
	h.rememberDevice(c, hashID(c.Param("token")))
	if strings.HasPrefix(to, h.Pay.BaseURL+"/pay/") {
		to = local(c, to)
	}
	return c.Redirect(http.StatusSeeOther, to)
}

// showCardGone shows the order's page again to who chose a card that they do not
// have, most likely because it was removed since the page was made. The list of
// cards was out of date, so it is read anew.
func (h *Handlers) showCardGone(c echo.Context, card string) error {
	o, err := h.open(c)
	if err != nil {
		return err
	}
	if owner := o.customer.StripeCustomer; owner != "" {
		ctx, cancel := detached(c)
		defer cancel()
		if _, err := h.Pay.Settle(ctx, o.tenant.ID, owner, pay.Cause{Kind: pay.CauseBrowser, ID: o.order.ID}); err != nil {
			h.Log.WarnContext(ctx, "the customer's cards could not be read", "order", o.order.ID, "error", err)
		}
	}
	return h.orderPage(c, o, http.StatusUnprocessableEntity, card)
}

// showReturnPage is where Stripe sends the customer. It settles at once, so that
// what it shows is what Stripe says now; when Stripe cannot be asked it says that
// the payment is being checked, and looks again.
func (h *Handlers) showReturnPage(c echo.Context) error {
	o, err := h.open(c)
	if err != nil {
		return err
	}
	outcome := views.OutcomeByState
	if o.order.State.Live() || o.order.State == pay.OrderExpired {
		ctx, cancel := detached(c)
		defer cancel()
		_, err := h.Pay.Settle(ctx, o.order.TenantID, o.order.ID, pay.Cause{Kind: pay.CauseReturn, ID: o.order.ID})
		if err != nil {
			if _, asked := errors.AsType[*pay.StripeFault](err); !asked && pay.CodeOf(err) != pay.CodeUnavailable && pay.CodeOf(err) != pay.CodeConflict {
				return err
			}
			h.Log.WarnContext(ctx, "return page could not ask Stripe", "order", o.order.ID, "error", err)
			outcome = views.OutcomeChecking
		}
		order, err := h.Pay.Store.OrderByPayToken(ctx, o.order.PayToken)
		if err != nil {
			return err
		}
		if o, err = h.fill(c, order); err != nil {
			return err
		}
	}
	if o.order.Evidence == "voucher" && o.order.SuccessURL != "" {
		return c.Redirect(http.StatusSeeOther, pay.SuccessLink(o.tenant, o.order, h.Pay.Now()))
	}
	v := h.returnView(c, o, outcome)
	switch {
	case v.ContinueURL != "" && o.order.State == pay.OrderPaid:
		v.RefreshSeconds = onwardSeconds
		c.Response().Header().Set("Refresh", strconv.Itoa(onwardSeconds)+"; url="+v.ContinueURL)
	case outcome == views.OutcomeChecking:
		v.RefreshSeconds = checkSeconds
		c.Response().Header().Set("Refresh", strconv.Itoa(checkSeconds))
	}
	return page(c, http.StatusOK, views.ReturnPage(v))
}

// leaveUnpaid leads to the portal's CancelUrl. The order stays open: who goes back
// can still pay, and a repeated request is the same order. An order that is paid
// after all shows so instead.
func (h *Handlers) leaveUnpaid(c echo.Context) error {
	o, err := h.open(c)
	if err != nil {
		return err
	}
	if o.order.State == pay.OrderPaid || o.order.State == pay.OrderProcessing {
		return c.Redirect(http.StatusSeeOther, local(c, h.Pay.PayURL(o.order, "/return")))
	}
	if err := h.Pay.NoteReturn(c.Request().Context(), o.order, "left_unpaid"); err != nil {
		return err
	}
	if o.order.CancelURL == "" { // a charge that was sent without addresses
		return c.Redirect(http.StatusSeeOther, local(c, h.Pay.PayURL(o.order, "")))
	}
	return c.Redirect(http.StatusSeeOther, o.order.CancelURL)
}

// showReceiptPage shows the proof of payment: the whole of it to the browser that
// paid. Whoever only has the link sees status and amount, because a receipt's
// address is passed on more easily than meant (safety.md ID-03).
func (h *Handlers) showReceiptPage(c echo.Context) error {
	o, err := h.open(c)
	if err != nil {
		return err
	}
	if o.order.PaidAt.IsZero() {
		return c.Redirect(http.StatusSeeOther, local(c, h.Pay.PayURL(o.order, "")))
	}
	return page(c, http.StatusOK, views.ReceiptPage(h.receiptView(c, o, h.paidHere(c, hashID(o.order.PayToken)))))
}

// brandCSS is the tenant's colour as a stylesheet: the content security policy
// has no inline styles.
func (h *Handlers) brandCSS(c echo.Context) error {
	o, err := h.open(c)
	if err != nil {
		return err
	}
	return tenantCSS(c, o.tenant)
}

func tenantCSS(c echo.Context, t *pay.Tenant) error {
	c.Response().Header().Set("Cache-Control", "private, max-age=300")
	return c.Blob(http.StatusOK, "text/css; charset=utf-8", []byte(branding.Stylesheet(t.Branding.AccentColour)))
}

// LogoRows reads tenants' logos; CodeNotFound when a tenant has none.
type LogoRows interface {
	TenantLogo(ctx context.Context, tenantID string) (logo []byte, mediaType string, err error)
}

// logoURL is the address of a tenant's logo, "" when it has none. It has the logo's
// hash, so that browsers may keep it for good.
func logoURL(t *pay.Tenant) string {
	if t.Branding.LogoType == "" {
		return ""
	}
	if t.Branding.LogoHash == "" { // stored before there were hashes
		return "/logo/" + t.Slug
	}
	return "/logo/" + t.Slug + "/" + t.Branding.LogoHash
}

// showLogo serves a tenant's uploaded logo. An address with another logo's hash gets
// the present one, which a page that is still open wants, and is not kept.
func (h *Handlers) showLogo(c echo.Context) error {
	t, err := h.Pay.Store.TenantBySlug(c.Request().Context(), storable(c.Param("tenant")))
	if err != nil {
		return err
	}
	logo, mediaType, err := h.Logos.TenantLogo(c.Request().Context(), t.ID)
	if err != nil {
		return err
	}
	head, hash := c.Response().Header(), c.Param("hash")
	switch {
	case hash != "" && hash == t.Branding.LogoHash:
		head.Set("Cache-Control", "public, max-age=31536000, immutable")
	case hash != "":
		head.Set("Cache-Control", "no-store")
	default:
		head.Set("Cache-Control", "public, max-age=3600")
	}
	// Opened by itself it is a page of ours: one that may do nothing.
	head.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
	return c.Blob(http.StatusOK, mediaType, logo)
}
