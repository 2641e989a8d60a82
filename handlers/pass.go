package handlers

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
)

const (
	passField = "apiSingleUseToken"
	// passKey marks a request that a browser posted with a pass: a person reads the
	// answer, whatever it is.
	passKey = "pass"
)

func holdsPass(f wire.FormField) bool {
	return strings.EqualFold(f.Name, passField) && strings.HasPrefix(f.Value, "pt1.")
}

// redeemPass answers a browser that posts a form with a portal's signed pass: 303
// to the order's page, or a page that says what to do. The pass covers the form's
// fields and nothing that the address adds; the unique rule on its idempotency key
// makes it good for one order.
func (h *Handlers) redeemPass(c echo.Context, fields []wire.FormField) error {
	c.Set(answerFormatKey, nil)
	c.Set(passKey, true)
	pass, err := pay.ParsePass(fields[slices.IndexFunc(fields, holdsPass)].Value)
	if err != nil {
		return err
	}
	ctx, cancel := detached(c)
	defer cancel()
	tenant, err := h.Pay.Store.TenantBySlug(ctx, pass.Slug)
	if pay.IsNotFound(err) {
		// The same answer as for a signature that does not fit: no oracle for slugs.
		tenant, err = &pay.Tenant{SigningSecret: pay.NewSecret("")}, nil
	}
	if err != nil {
		return err
	}
	expired, err := pass.Check(tenant, signedFields(fields), h.Pay.Now())
	if err != nil {
		return err
	}
	var request wire.StripePaymentRequest
	if err := wire.BindForm(fields, &request); err != nil {
		return err
	}
	if key, err := licenseOf(c, &request); err != nil || key != "" {
		return pay.Errorf(pay.CodeConflictingOps, "License", "A form with a signed pass must not hold the licence key: a browser must never see it. Replace this key.")
	}
	brand(c, tenant, "") // the signature is the tenant's own
	if tenant.State == pay.TenantSuspended {
		return pay.Errorf(pay.CodeTenantSuspended, "", "%s takes no payments at the moment.", tenant.Branding.DisplayName)
	}
	if expired {
		order, err := h.Pay.Store.OrderByIdempotencyKey(ctx, tenant.ID, pass.IdempotencyKey())
		if pay.IsNotFound(err) {
			return pay.Errorf(pay.CodeInvalidPass, "apiSingleUseToken", "This payment link has expired.")
		}
		if err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, h.Pay.PayURL(order, ""))
	}
	bare := request
	bare.ApiSingleUseToken = wire.String{}
	if op, err := operationOf(&bare); err != nil || op != opCheckout {
		return pay.Errorf(pay.CodeInvalidPass, "apiSingleUseToken", "This payment link does not ask for a payment.")
	}
	in := checkoutInput(tenant, &request)
	in.IdempotencyKey = pass.IdempotencyKey()
	checkout, err := h.Pay.OpenCheckout(ctx, in)
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, h.checkoutResponse(tenant, checkout).Url)
}

// signedFields are the fields that a pass covers: all but the pass itself.
func signedFields(fields []wire.FormField) []pay.PassField {
	var out []pay.PassField
	for _, f := range fields {
		if !holdsPass(f) {
			out = append(out, pay.PassField{Name: f.Name, Value: f.Value})
		}
	}
	return out
}
