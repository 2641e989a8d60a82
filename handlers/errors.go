package handlers

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
)

// statusOf is the HTTP status of each code (product.md section 2); a code that is
// not here is a 400.
var statusOf = map[pay.Code]int{
	pay.CodeInvalidLicense: http.StatusUnauthorized, pay.CodeCardDeclined: http.StatusPaymentRequired,
	pay.CodeTenantSuspended: http.StatusForbidden, pay.CodeInvalidPass: http.StatusForbidden, pay.CodeForbidden: http.StatusForbidden,
	pay.CodeCardNotFound: http.StatusNotFound, pay.CodeNotFound: http.StatusNotFound,
	pay.CodeNotImplemented:      http.StatusMethodNotAllowed,
	pay.CodeIdempotencyConflict: http.StatusConflict, pay.CodeConflict: http.StatusConflict,
	pay.CodeTooManyRequests: http.StatusTooManyRequests, pay.CodeStripeError: http.StatusBadGateway,
	pay.CodeStripeUnavailable: http.StatusServiceUnavailable, pay.CodeUnavailable: http.StatusServiceUnavailable,
	codeTooLarge: http.StatusRequestEntityTooLarge, codeMediaType: http.StatusUnsupportedMediaType,
}

// Codes of what is refused before anything is read.
const (
	codeTooLarge  pay.Code = "RequestEntityTooLarge"
	codeMediaType pay.Code = "UnsupportedMediaType"
)

// fault is an error as it may be shown.
type fault struct {
	status     int
	code       pay.Code
	message    string               // a whole sentence
	errors     []wire.ResponseError // nil is left out of the answer: the request was not understood
	meta       map[string]string
	retryAfter time.Duration
	request    string // request id
}

// faultFrom decides what a caller may learn of an error. What is internal becomes
// a plain 500.
func faultFrom(c echo.Context, err error) fault {
	f := fault{status: http.StatusBadRequest, request: requestIDOf(c)}
	if e, ok := errors.AsType[*wire.Error](err); ok {
		f.code, f.message, f.errors = pay.Code(e.ErrorCode), e.Message, e.Status().Errors
	} else if e, ok := errors.AsType[*pay.Error](err); ok {
		f.code, f.message, f.meta, f.retryAfter = e.Code, sentence(e), e.Meta, e.RetryAfter
		f.errors = []wire.ResponseError{}
		if e.Field != "" {
			f.errors = append(f.errors, wire.ResponseError{ErrorCode: string(e.Code), FieldName: e.Field, Message: f.message})
		}
	} else if e, ok := errors.AsType[*echo.HTTPError](err); ok {
		f.status, f.code, f.message = e.Code, codeOfStatus(e.Code), http.StatusText(e.Code)+"."
		return f
	} else {
		f.status, f.code = http.StatusInternalServerError, "InternalError"
		f.message = "Something went wrong on our side. Quote request " + f.request + " when you ask for help."
		return f
	}
	if status, known := statusOf[f.code]; known {
		f.status = status
	}
	return f
}

func codeOfStatus(status int) pay.Code {
	switch status {
	case http.StatusNotFound:
		return pay.CodeNotFound
	case http.StatusMethodNotAllowed:
		return "MethodNotAllowed"
	}
	return "RequestError"
}

// answerError is echo's error handler: pages for people, ResponseStatus for
// portals in the format they asked for, and ServiceStack's plain 404 for whoever
// else asks for what is not here (wire.md 1.6).
func (h *Handlers) answerError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	f := faultFrom(c, err)
	if f.status == http.StatusServiceUnavailable && f.retryAfter == 0 {
		f.retryAfter = 2 * time.Second
	}
	if f.retryAfter > 0 {
		c.Response().Header().Set("Retry-After", strconv.Itoa(int(max(1, f.retryAfter.Seconds()))))
	}
	accept := c.Request().Header.Get("Accept")
	format, portal := c.Get(answerFormatKey).(wire.Format)
	var answerErr error
	switch {
	case portal:
		answerErr = answerWireFault(c, format, f)
	case f.status != http.StatusNotFound || strings.HasPrefix(c.Path(), "/pay/") || strings.Contains(accept, "text/html"):
		answerErr = h.errorPage(c, f)
	case strings.Contains(accept, "json"):
		answerErr = answerWireFault(c, wire.JSON, f)
	default:
		answerErr = c.String(http.StatusNotFound, "404")
	}
	if answerErr != nil {
		h.Log.ErrorContext(c.Request().Context(), "the error could not be answered", "error", answerErr, requestIDKey, f.request)
	}
}

// sentence makes a message whole: one that begins in lower case continues the name
// of its field.
func sentence(e *pay.Error) string {
	m := e.Message
	if m == "" {
		return m
	}
	if e.Field != "" && m[0] >= 'a' && m[0] <= 'z' {
		m = e.Field + " " + m
	}
	if !strings.HasSuffix(m, ".") && !strings.HasSuffix(m, "?") {
		m += "."
	}
	return m
}

// answerWireFault writes a ResponseStatus (wire.md section 3.1).
func answerWireFault(c echo.Context, format wire.Format, f fault) error {
	if f.status == http.StatusUnauthorized {
		c.Response().Header().Set("WWW-Authenticate", `Bearer realm="portatill"`)
	}
	return answerBytes(c, f.status, format, wire.EncodeError(format,
		wire.ResponseStatus{ErrorCode: string(f.code), Message: f.message, Errors: f.errors, Meta: f.meta}))
}
