package handlers

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
)

// maxBatch is how many requests one batch may hold; each is at least one call to
// Stripe.
const maxBatch = 100

// paymentRequest answers every route of the protocol.
func (h *Handlers) paymentRequest(c echo.Context) error {
	call, ok := callOf(c)
	if !ok {
		return echo.ErrNotFound
	}
	body, known := wire.FormatOfContentType(c.Request().Header.Get("Content-Type"))
	if err := chooseAnswer(c, call, body); err != nil {
		return err
	}
	if h.allowCORS(c) {
		return c.NoContent(http.StatusOK)
	}
	if err := call.refuse(methodOf(c.Request())); err != nil {
		if call.user {
			c.Set(answerFormatKey, nil) // there is no such route
		}
		return err
	}
	if err := refuseKeyInAddress(c); err != nil {
		return err
	}
	if err := checkIdempotencyKey(c); err != nil {
		return err
	}
	raw, err := readBody(c)
	if err != nil {
		return err
	}
	format := call.format
	if call.user || body == wire.Form {
		format = body
	}
	if call.user && !known && len(raw) > 0 {
		return &wire.Error{ErrorCode: string(pay.CodeBadRequest),
			Message: "The Content-Type is missing or not one of application/json, text/csv, application/jsv, application/xml or a form."}
	}
	if call.batch {
		return h.answerBatch(c, call, format, raw)
	}
	return h.answerOne(c, call, format, raw)
}

func (h *Handlers) answerOne(c echo.Context, call *wireCall, format wire.Format, raw []byte) error {
	var fields []wire.FormField
	if format == wire.Form {
		var err error
		if fields, err = wire.FormFields(c.Request().Header.Get("Content-Type"), raw); err != nil {
			return err
		}
		if call.user && slices.ContainsFunc(fields, holdsPass) {
			return h.redeemPass(c, fields)
		}
	}
	var request wire.StripePaymentRequest
	if err := bind(c, call, format, raw, fields, &request); err != nil {
		return err
	}
	bound(c)
	if format == wire.Form && !request.License.IsEmpty() && fromBrowser(c) {
		return pay.Errorf(pay.CodeConflictingOps, "License",
			"A browser must never see the licence key. Call from your server, or let the browser post a signed pass in apiSingleUseToken; and replace this key.")
	}
	response, err := h.carryOut(c, &request, c.Request().Header.Get("Idempotency-Key"), call.oneWay)
	if err != nil {
		return err
	}
	if call.oneWay {
		return c.NoContent(http.StatusNoContent)
	}
	answer, _ := c.Get(answerFormatKey).(wire.Format)
	return answerBytes(c, http.StatusOK, answer, wire.Encode(answer, response))
}

// answerBatch runs the requests one after the other. The first that fails ends it
// and is the whole answer; X-AutoBatch-Completed says how many were done before
// (wire.md 1.8). With an Idempotency-Key each item has key:index.
func (h *Handlers) answerBatch(c echo.Context, call *wireCall, format wire.Format, raw []byte) error {
	var requests []wire.StripePaymentRequest
	if err := wire.DecodeBatch(format, raw, &requests); err != nil {
		return err
	}
	if len(requests) > maxBatch {
		return pay.Errorf(pay.CodeTooManyItems, "", "The batch has %d requests; %d is the most.", len(requests), maxBatch)
	}
	bound(c)
	key := c.Request().Header.Get("Idempotency-Key")
	for i := range requests {
		if op, err := operationOf(&requests[i]); err == nil && op == opChargeCard && key == "" {
			return pay.Errorf(pay.CodeNotEmpty, "Idempotency-Key", "A batch that charges cards must carry an Idempotency-Key, so that sending it again charges nobody twice.")
		}
	}
	responses := make([]wire.StripePaymentResponse, 0, len(requests))
	for i := range requests {
		itemKey := ""
		if key != "" {
			itemKey = key + ":" + strconv.Itoa(i)
		}
		response, err := h.carryOut(c, &requests[i], itemKey, call.oneWay)
		c.Response().Header().Set("X-AutoBatch-Completed", strconv.Itoa(len(responses)))
		if err != nil {
			return err
		}
		responses = append(responses, *response)
	}
	c.Response().Header().Set("X-AutoBatch-Completed", strconv.Itoa(len(responses)))
	if call.oneWay {
		return c.NoContent(http.StatusNoContent)
	}
	answer, _ := c.Get(answerFormatKey).(wire.Format)
	return answerBytes(c, http.StatusOK, answer, wire.Encode(answer, responses))
}

// bind fills the request from body and address as wire.md 1.4 has it: on the user
// route the query string overrides a body, and a form overrides the query string;
// the other routes read the body alone.
func bind(c echo.Context, call *wireCall, format wire.Format, raw []byte, form []wire.FormField, to *wire.StripePaymentRequest) error {
	var query []wire.FormField
	if call.user && c.Request().URL.RawQuery != "" {
		all, err := wire.QueryFields(c.Request().URL.RawQuery)
		if err != nil {
			return err
		}
		for _, f := range all {
			if !strings.EqualFold(f.Name, "format") && !strings.EqualFold(f.Name, "callback") {
				query = append(query, f)
			}
		}
	}
	if format == wire.Form {
		if err := wire.BindForm(query, to); err != nil {
			return err
		}
		return wire.BindForm(form, to)
	}
	if err := wire.Decode(format, raw, to); err != nil {
		return err
	}
	return wire.BindForm(query, to)
}

// carryOut finds the request's tenant and does what it asks. One-way it is done
// when it is durable: an order that is stored gets its session, if Stripe does not
// answer now, when its page is opened.
func (h *Handlers) carryOut(c echo.Context, request *wire.StripePaymentRequest, idempotencyKey string, oneWay bool) (*wire.StripePaymentResponse, error) {
	key, err := licenseOf(c, request)
	if err != nil {
		return nil, err
	}
	tenant, err := h.authenticate(c, key)
	if err != nil {
		return nil, err
	}
	op, err := operationOf(request)
	if err != nil {
		return nil, err
	}
	ctx, cancel := detached(c)
	defer cancel()
	key = strings.TrimSpace(idempotencyKey)
	switch op {
	case opPass: // only a form's own pass is redeemed
		return nil, pay.Errorf(pay.CodeConflictingOps, "apiSingleUseToken", "A signed pass is for a browser's form post, without a licence key and not in a batch.")
	case opDeleteCard, opListCards, opSaveCard:
		response, err := h.aboutCards(ctx, op, cardsInput(tenant, request, key))
		if err != nil {
			return nil, err
		}
		response.ContentId, response.FeatureName = request.ContentId, request.FeatureName.Value
		return response, nil
	}
	in := checkoutInput(tenant, request)
	in.IdempotencyKey = key
	if op == opChargeCard {
		return h.chargeCard(ctx, in)
	}
	in.Setup = op == opSetup
	checkout, err := h.Pay.OpenCheckout(ctx, in)
	if err != nil && !(oneWay && checkout != nil && pay.CodeOf(err) == pay.CodeStripeUnavailable) {
		return nil, err
	}
	return h.checkoutResponse(tenant, checkout), nil
}

// authenticate finds the key's tenant. An address that keeps sending bad keys is
// told to wait; the address is the connection's, or a trusted proxy's word.
func (h *Handlers) authenticate(c echo.Context, key string) (*pay.Tenant, error) {
	tenant, err := h.Pay.Authenticate(c.Request().Context(), key)
	if pay.CodeOf(err) != pay.CodeInvalidLicense {
		return tenant, err
	}
	if allowed, limitErr := h.badKeys.Allow(c.RealIP()); limitErr == nil && !allowed {
		return nil, &pay.Error{Code: pay.CodeTooManyRequests, RetryAfter: 10 * time.Second, Err: err,
			Message: "Too many requests with a bad licence key came from this address. Wait, and check the key."}
	}
	return nil, err
}

// refuseKeyInAddress keeps licence keys out of addresses, where logs and browsers
// would keep them.
func refuseKeyInAddress(c echo.Context) error {
	for name := range c.QueryParams() {
		switch strings.ToLower(name) {
		case "license", "licence", "apikey", "api_key", "apisingleusetoken":
			return pay.Errorf(pay.CodeBadRequest, "License",
				"A licence key or token must not be in the address, where logs keep it. Send it in the body, or as Authorization: Bearer, and replace this key.")
		}
	}
	return nil
}

// checkIdempotencyKey holds the header to what both databases keep and compare
// alike.
func checkIdempotencyKey(c echo.Context) error {
	values := c.Request().Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return nil
	}
	if len(values) > 1 || len(values[0]) > 255 || strings.ContainsFunc(values[0], func(r rune) bool { return r < ' ' || r > '~' }) {
		return pay.Errorf(pay.CodeBadRequest, "Idempotency-Key", "must be one header of at most 255 printable ASCII characters")
	}
	return nil
}

// fromBrowser reports whether a browser sent the request; servers send neither
// header.
func fromBrowser(c echo.Context) bool {
	return c.Request().Header.Get("Sec-Fetch-Mode") != "" || c.Request().Header.Get("Origin") != ""
}

// licenseOf takes the key from the body, from Authorization (Bearer, or Basic with
// the key as user name and no password) or from X-Api-Key (wire.md section 6). All
// that are present must agree.
func licenseOf(c echo.Context, r *wire.StripePaymentRequest) (string, error) {
	keys := []string{r.License.Value, c.Request().Header.Get("X-Api-Key")}
	header := c.Request().Header.Get("Authorization")
	scheme, value, _ := strings.Cut(header, " ")
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		if value = strings.TrimSpace(value); value == "" {
			return "", pay.Errorf(pay.CodeInvalidLicense, "License", "The licence key is missing or not valid")
		}
		keys = append(keys, value)
	case strings.EqualFold(scheme, "Basic"):
		// A user and a password are some proxy's or portal's own business.
		if user, password, ok := c.Request().BasicAuth(); ok && password == "" {
			keys = append(keys, user)
		}
	}
	found := ""
	for _, key := range keys {
		if key != "" && found != "" && key != found {
			return "", pay.Errorf(pay.CodeInvalidLicense, "License", "The licence keys in the body and in the headers differ")
		}
		found = firstOf(found, key)
	}
	return found, nil
}
