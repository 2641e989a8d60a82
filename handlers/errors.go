package handlers

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
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
}

// fault is an error as it may be shown: a status, a code and words.
type fault struct {
	status  int
	err     *pay.Error
	fields  []wire.ResponseError
	request string // request id
}

// faultFrom decides what a caller may learn of an error. What is internal becomes
// a plain 500.
func faultFrom(c echo.Context, err error) fault {
	f := fault{status: http.StatusInternalServerError, request: requestIDOf(c)}
	if e, ok := errors.AsType[*wire.Error](err); ok {
		f.status, f.fields = http.StatusBadRequest, e.Status().Errors
		f.err = &pay.Error{Code: pay.Code(e.ErrorCode), Field: e.FieldName, Message: e.Message}
		return f
	}
	if e, ok := errors.AsType[*pay.Error](err); ok {
		f.err, f.status = e, http.StatusBadRequest
		if status, known := statusOf[e.Code]; known {
			f.status = status
		}
		return f
	}
	if e, ok := errors.AsType[*echo.HTTPError](err); ok {
		f.status = e.Code
		f.err = &pay.Error{Code: codeOfStatus(e.Code), Message: http.StatusText(e.Code)}
		return f
	}
	if errors.Is(err, errPlain404) {
		f.status, f.err = http.StatusNotFound, &pay.Error{Code: pay.CodeNotFound, Message: "There is nothing at this address.", Err: err}
		return f
	}
	if errors.Is(err, errBodyTooLarge) {
		f.status, f.err = http.StatusRequestEntityTooLarge, &pay.Error{Code: "RequestEntityTooLarge", Message: "The body is larger than 1 MiB."}
		return f
	}
	f.err = &pay.Error{Code: "InternalError", Message: "Something went wrong on our side. Quote request " + f.request + " when you ask for help."}
	return f
}

func codeOfStatus(status int) pay.Code {
	switch status {
	case http.StatusNotFound:
		return pay.CodeNotFound
	case http.StatusMethodNotAllowed:
		return "MethodNotAllowed"
	case http.StatusUnsupportedMediaType:
		return "UnsupportedMediaType"
	}
	return "RequestError"
}

// answerError is echo's error handler: pages for browsers, ResponseStatus for
// portals, in the format they asked for.
func (h *Handlers) answerError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	f := faultFrom(c, err)
	if f.err.RetryAfter > 0 {
		c.Response().Header().Set("Retry-After", strconv.Itoa(int(max(1, f.err.RetryAfter.Seconds()))))
	} else if f.status == http.StatusServiceUnavailable {
		c.Response().Header().Set("Retry-After", "2")
	}
	var answerErr error
	if errors.Is(err, errPlain404) {
		answerErr = c.String(http.StatusNotFound, "404")
	} else if format, ok := c.Get(answerFormatKey).(wire.Format); ok {
		answerErr = answerWireFault(c, format, f)
	} else {
		answerErr = h.errorPage(c, f)
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
	message := sentence(f.err)
	status := wire.ResponseStatus{ErrorCode: string(f.err.Code), Message: message, Errors: f.fields, Meta: f.err.Meta}
	if status.Errors == nil {
		status.Errors = []wire.ResponseError{}
		if f.err.Field != "" {
			status.Errors = append(status.Errors, wire.ResponseError{ErrorCode: string(f.err.Code), FieldName: f.err.Field, Message: message})
		}
	}
	if f.status == http.StatusUnauthorized {
		c.Response().Header().Set("WWW-Authenticate", `Bearer realm="portatill"`)
	}
	return answerBytes(c, f.status, format, wire.EncodeError(format, status))
}

// errorPage shows an error to a person. On pages a refused input is 422, not 400
// (product.md section 2).
func (h *Handlers) errorPage(c echo.Context, f fault) error {
	if _, posted := callOf(c); posted && f.status == http.StatusBadRequest {
		f.status = http.StatusUnprocessableEntity
	}
	v := views.ErrorView{Frame: h.frame(nil), Status: f.status, RequestID: f.request}
	if f.status == http.StatusUnprocessableEntity {
		v.Message, v.Hint = sentence(f.err), "Go back to the shop and start the payment again. If it stays like this, tell them what is written here."
	}
	switch f.err.Code {
	case pay.CodeTenantSuspended, pay.CodeForbidden, pay.CodeInvalidPass, pay.CodeStripeUnavailable, pay.CodeUnavailable:
		v.Message = sentence(f.err)
	}
	return page(c, f.status, views.ErrorPage(v))
}
