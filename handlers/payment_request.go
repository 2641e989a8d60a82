package handlers

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
)

// userRoute answers POST /ChargeStripeCustomerCard: the body's format is its
// Content-Type's.
func (h *Handlers) userRoute(c echo.Context) error {
	format, ok := wire.FormatOfContentType(c.Request().Header.Get("Content-Type"))
	h.chooseAnswer(c, 0, format)
	body, err := readBody(c)
	if err != nil {
		return err
	}
	if !ok && len(body) > 0 {
		return &wire.Error{ErrorCode: "RequestBindingException",
			Message: "The Content-Type is missing or not one of application/json, text/csv, application/jsv, application/xml or a form."}
	}
	return h.answerRequest(c, format, body)
}

// reply answers POST /{format}/reply/StripePaymentRequest.
func (h *Handlers) reply(c echo.Context) error {
	format, body, err := h.predefined(c)
	if err != nil {
		return err
	}
	return h.answerRequest(c, format, body)
}

// oneWay answers POST /{format}/oneway/StripePaymentRequest: it does the work,
// durably, and then says only that it did.
func (h *Handlers) oneWay(c echo.Context) error {
	format, body, err := h.predefined(c)
	if err != nil {
		return err
	}
	if _, err := h.carryOut(c, format, body); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// predefined reads the body of a route that names its format. Forms are read as
// forms whatever the path says.
func (h *Handlers) predefined(c echo.Context) (wire.Format, []byte, error) {
	format, err := pathFormat(c)
	if err != nil {
		return 0, nil, err
	}
	h.chooseAnswer(c, format, format)
	if f, ok := wire.FormatOfContentType(c.Request().Header.Get("Content-Type")); ok && f == wire.Form {
		format = wire.Form
	}
	body, err := readBody(c)
	return format, body, err
}

func (h *Handlers) chooseAnswer(c echo.Context, path, body wire.Format) {
	c.Set(answerFormatKey, answerFormat(c, path, body))
}

func (h *Handlers) answerRequest(c echo.Context, format wire.Format, body []byte) error {
	response, err := h.carryOut(c, format, body)
	if err != nil {
		return err
	}
	answer, _ := c.Get(answerFormatKey).(wire.Format)
	return answerBytes(c, http.StatusOK, answer, wire.Encode(answer, response))
}

// carryOut decodes a request, finds its tenant and does what it asks.
func (h *Handlers) carryOut(c echo.Context, format wire.Format, body []byte) (*wire.StripePaymentResponse, error) {
	if err := refuseKeyInAddress(c); err != nil {
		return nil, err
	}
	var request wire.StripePaymentRequest
	if err := decodeRequest(c, format, body, &request); err != nil {
		return nil, err
	}
	if format == wire.Form && !request.License.IsEmpty() && fromBrowser(c) {
		return nil, pay.Errorf(pay.CodeConflictingOps, "License",
			"A browser must never see the licence key. Call from your server, or let the browser post a signed pass in apiSingleUseToken.")
	}
	key, err := licenseOf(c, &request)
	if err != nil {
		return nil, err
	}
	tenant, err := h.Pay.Authenticate(c.Request().Context(), key)
	if err != nil {
		return nil, err
	}
	op, err := operationOf(&request)
	if err != nil {
		return nil, err
	}
	if op != opCheckout {
		return nil, pay.Errorf(pay.CodeNotImplemented, "", "This release does not %s yet; it takes a cart with SuccessUrl and CancelUrl.", op)
	}
	ctx, cancel := detached(c)
	defer cancel()
	in := checkoutInput(tenant, &request)
	in.IdempotencyKey = strings.TrimSpace(c.Request().Header.Get("Idempotency-Key"))
	checkout, err := h.Pay.OpenCheckout(ctx, in)
	if err != nil {
		return nil, err
	}
	return h.checkoutResponse(tenant, checkout), nil
}

func decodeRequest(c echo.Context, format wire.Format, body []byte, to *wire.StripePaymentRequest) error {
	if format == wire.Form {
		contentType := c.Request().Header.Get("Content-Type")
		if strings.HasPrefix(strings.ToLower(contentType), "multipart/") {
			fields, err := wire.FormFields(contentType, body)
			if err != nil {
				return err
			}
			return wire.BindForm(fields, to)
		}
	}
	return wire.Decode(format, body, to)
}

// refuseKeyInAddress keeps licence keys out of addresses, where logs and browsers
// would keep them.
func refuseKeyInAddress(c echo.Context) error {
	for name := range c.QueryParams() {
		switch strings.ToLower(name) {
		case "license", "licence", "apikey", "api_key", "apisingleusetoken":
			return pay.Errorf("RequestBindingException", "License",
				"A licence key or token must not be in the address, where logs keep it. Send it in the body, or as Authorization: Bearer, and replace this key.")
		}
	}
	return nil
}

// fromBrowser reports whether a browser sent the request; servers send neither
// header.
func fromBrowser(c echo.Context) bool {
	return c.Request().Header.Get("Sec-Fetch-Mode") != "" || c.Request().Header.Get("Origin") != ""
}

// licenseOf takes the key from the body or from the Authorization header; both
// must agree.
func licenseOf(c echo.Context, r *wire.StripePaymentRequest) (string, error) {
	key := r.License.Value
	header := c.Request().Header.Get("Authorization")
	if header == "" {
		return key, nil
	}
	scheme, bearer, _ := strings.Cut(header, " ")
	if bearer = strings.TrimSpace(bearer); !strings.EqualFold(scheme, "Bearer") || bearer == "" {
		return "", pay.Errorf(pay.CodeInvalidLicense, "License", "the Authorization header must be Bearer and the licence key")
	}
	if key != "" && key != bearer {
		return "", pay.Errorf(pay.CodeInvalidLicense, "License", "the body and the Authorization header hold different licence keys")
	}
	return bearer, nil
}
