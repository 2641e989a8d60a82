package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// apiError is an answer of Stripe's that is not a success, in the shape of https://stripe.com/docs/api/errors.
type apiError struct {
	status      int
	kind        string
	code        string
	declineCode string
	message     string
	param       string
	charge      string
	methodType  string
	intent      object // rendered into payment_intent
	setup       object
	method      object
	// executed is true when the endpoint had begun its work, so that the answer belongs to the idempotency key
	// (https://stripe.com/docs/api/idempotent_requests: validation failures are not kept).
	executed bool
}

// Error makes apiError usable with errors.As and in logs; it never holds card data.
func (e *apiError) Error() string {
	return fmt.Sprintf("%d %s %s: %s", e.status, e.kind, e.code, e.message)
}

func invalid(code, param, format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, kind: "invalid_request_error", code: code, param: param, message: fmt.Sprintf(format, args...)}
}

func missing(kind, param, id string) *apiError {
	return &apiError{
		status: http.StatusNotFound, kind: "invalid_request_error", code: "resource_missing", param: param,
		message: fmt.Sprintf("No such %s: '%s'", kind, id),
	}
}

// missingParam is Stripe's answer to a reference in the parameters (rather than in the path) that leads nowhere: 400.
func missingParam(kind, param, id string) *apiError {
	e := missing(kind, param, id)
	e.status = http.StatusBadRequest
	return e
}

// notInSandbox answers a parameter that Stripe knows and this double does not act on. Taking it and doing nothing would
// let a caller believe in an effect that is not there.
func notInSandbox(param, what string) *apiError {
	return invalid("sandbox_unsupported", param, "The sandbox does not do %s. Leave out `%s`, or use Stripe's own test mode for it.", what, param)
}

func (e *apiError) body(requestID string) object {
	o := object{"type": e.kind, "message": e.message}
	for key, value := range map[string]string{
		"code": e.code, "decline_code": e.declineCode, "param": e.param, "charge": e.charge, "payment_method_type": e.methodType,
	} {
		if value != "" {
			o[key] = value
		}
	}
	if e.code != "" && e.code != "sandbox_unsupported" {
		o["doc_url"] = "https://stripe.com/docs/error-codes/" + strings.ReplaceAll(e.code, "_", "-")
	}
	if requestID != "" {
		o["request_log_url"] = "https://dashboard.stripe.com/test/logs/" + requestID
	}
	for key, value := range map[string]object{"payment_intent": e.intent, "setup_intent": e.setup, "payment_method": e.method} {
		if value != nil {
			o[key] = visible(value)
		}
	}
	return object{"error": o}
}

func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		// Everything encoded here was built from strings, integers, maps and lists.
		panic(fmt.Sprintf("sandbox: cannot encode an answer: %v", err))
	}
	return text
}
