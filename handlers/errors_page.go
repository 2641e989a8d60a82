package handlers

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

const brandKey = "brand"

// branded is whose page was asked for, for the error page that may stand in its place.
type branded struct {
	tenant *pay.Tenant
	base   string // the address that brand.css is under; "" where there is none
}

// brand notes whose page is asked for. Only what the address or a signature proves is
// noted: an error page in a tenant's name must not be had for the asking.
func brand(c echo.Context, t *pay.Tenant, base string) { c.Set(brandKey, branded{t, base}) }

// brandOf is what brand noted. Of an order's address whose handler did not come to
// that, it is looked up, unless the fault may be the database's own; when that fails
// too, the page is nobody's.
func (h *Handlers) brandOf(c echo.Context, f fault) branded {
	if b, ok := c.Get(brandKey).(branded); ok {
		return b
	}
	ours := f.status == http.StatusInternalServerError || f.code == pay.CodeUnavailable
	if ours || !strings.HasPrefix(c.Path(), "/pay/:token") {
		return branded{}
	}
	if _, err := h.open(c); err != nil {
		return branded{}
	}
	b, _ := c.Get(brandKey).(branded)
	return b
}

// errorFrame is the frame of an error page: the tenant's, where it is known.
func (h *Handlers) errorFrame(c echo.Context, b branded) views.Frame {
	f := h.frame(c, b.tenant)
	if b.tenant != nil && b.base != "" && b.tenant.Branding.AccentColour != "" {
		f.BrandCSS = b.base + "/brand.css"
	}
	return f
}

// errorPage shows an error to a person, in their language. What a browser posted and we
// understood but refused is 422, not 400 (product.md section 2). What only a programmer
// can use stays as it is, in English, and says so.
func (h *Handlers) errorPage(c echo.Context, f fault) error {
	if _, posted := c.Get(passKey).(bool); posted && f.status == http.StatusBadRequest {
		f.status = http.StatusUnprocessableEntity
	}
	b := h.brandOf(c, f)
	v := views.ErrorView{Frame: h.errorFrame(c, b), Status: f.status, RequestID: f.request}
	l := v.Language
	switch f.code {
	case pay.CodeTenantSuspended:
		v.Title, v.Message, v.Hint = l.Say("error.suspended.title"), l.Say("error.suspended.text"), l.Say("error.suspended.hint")
	case pay.CodeForbidden:
		v.Message, v.Hint = l.Say("error.other_site.text"), l.Say("error.other_site.hint")
	case pay.CodeStripeUnavailable:
		v.Message = l.Say("error.stripe.text")
	case pay.CodeUnavailable:
		v.Message = l.Say("error.busy.text")
	case pay.CodeInvalidPass:
		v.Detail = f.message
	default:
		if f.status == http.StatusUnprocessableEntity {
			v.Hint, v.Detail = l.Say("error.hint.tell"), f.message
		}
	}
	if retryable := f.status >= 500 || f.status == http.StatusConflict; retryable && b.tenant != nil && strings.HasPrefix(b.base, "/pay/") {
		v.RetryURL = local(c, b.base)
	}
	return page(c, f.status, views.ErrorPage(v))
}
