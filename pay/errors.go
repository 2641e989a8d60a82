package pay

import (
	"errors"
	"fmt"
	"time"
)

// Code is what a caller can act on. The texts are those of the wire protocol's
// ErrorCode (product.md section 2) and are part of the contract.
type Code string

// The codes of the payment request, with the HTTP status each is answered with.
const (
	CodeNotEmpty             Code = "NotEmpty"                // 400
	CodeConflictingOps       Code = "ConflictingOperations"   // 400
	CodeSubTotalMismatch     Code = "SubTotalMismatch"        // 400
	CodeMixedCurrencies      Code = "MixedCurrencies"         // 400
	CodeCurrencyNotAllowed   Code = "CurrencyNotAllowed"      // 400
	CodeInvalidAmount        Code = "InvalidAmount"           // 400
	CodeAmountTooSmall       Code = "AmountTooSmall"          // 400
	CodeAmountTooLarge       Code = "AmountTooLarge"          // 400
	CodeTooManyItems         Code = "TooManyItems"            // 400
	CodeDuplicateKey         Code = "DuplicateKey"            // 400
	CodeOriginNotAllowed     Code = "OriginNotAllowed"        // 400
	CodeUnknownPaymentMethod Code = "UnknownPaymentMethod"    // 400
	CodeCustomerMismatch     Code = "CustomerMismatch"        // 400
	CodeTooLong              Code = "MaximumLength"           // 400, a text that is longer than we keep
	CodeBadRequest           Code = "RequestBindingException" // 400, a header or parameter that cannot be used
	CodeInvalidLicense       Code = "InvalidLicense"          // 401
	CodeCardDeclined         Code = "CardDeclined"            // 402
	CodeTenantSuspended      Code = "TenantSuspended"         // 403
	CodeInvalidPass          Code = "InvalidPass"             // 403
	CodeCardNotFound         Code = "CardNotFound"            // 404
	CodeNotFound             Code = "NotFound"                // 404, pages and the command line
	CodeForbidden            Code = "Forbidden"               // 403, a page posted to from elsewhere
	CodeInvalidTenant        Code = "InvalidTenant"           // 400, the command line and staff pages
	CodeIdempotencyConflict  Code = "IdempotencyConflict"     // 409
	CodeConflict             Code = "Conflict"                // 409, something else changed it first
	CodeTooManyRequests      Code = "TooManyRequests"         // 429
	CodeNotImplemented       Code = "NotImplementedException" // 405, an operation this release does not have
	CodeStripeError          Code = "StripeError"             // 502
	CodeStripeUnavailable    Code = "StripeUnavailable"       // 503 with Retry-After
	CodeUnavailable          Code = "ServiceUnavailable"      // 503 with Retry-After: our database cannot take it now
)

// Error is something the caller can act on. Message may be shown to a person;
// it holds no secret and no personal data. Everything that is not an *Error is
// internal, and its text never leaves the machine.
type Error struct {
	Code    Code
	Field   string // the path of the field at fault, such as ShoppingInformation[0].Quantity
	Message string
	// Meta carries facts for machines, such as Stripe's decline_code.
	Meta map[string]string
	// RetryAfter is how long to wait before the same request, which may be sent
	// again safely. Zero when waiting does not help.
	RetryAfter time.Duration
	// Err is the cause, for the log only.
	Err error
}

func (e *Error) Error() string {
	s := string(e.Code) + ": " + e.Message
	if e.Field != "" {
		s = string(e.Code) + " " + e.Field + ": " + e.Message
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an *Error about one field ("" when it is about the whole request).
func Errorf(code Code, field, format string, args ...any) *Error {
	return &Error{Code: code, Field: field, Message: fmt.Sprintf(format, args...)}
}

// CodeOf returns the code of the first *Error in err's chain, or "" when err is
// internal (or nil).
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

// IsNotFound reports whether err says that something does not exist, or is not
// the asker's, which is the same answer.
func IsNotFound(err error) bool { return CodeOf(err) == CodeNotFound }

// FaultKind says what a failed call to Stripe means for the caller. "Try again?"
// is a property of the error, not of the place that sees it.
type FaultKind string

const (
	// FaultUnavailable: Stripe did not answer, answered 5xx, 409 "in use" or 429.
	// Whether the call had its effect is unknown; the same call with the same
	// idempotency key is safe and is the way to find out.
	FaultUnavailable FaultKind = "unavailable"
	// FaultRejected: Stripe understood and refused (4xx). Nothing happened, and
	// the same call will be refused again.
	FaultRejected FaultKind = "rejected"
	// FaultDeclined: the bank refused the money (402).
	FaultDeclined FaultKind = "declined"
	// FaultNotFound: Stripe does not know the object, for this key.
	FaultNotFound FaultKind = "not_found"
	// FaultCredentials: the tenant's key is missing, revoked or may not do this.
	FaultCredentials FaultKind = "credentials"
)

// FaultCodeKept is the Code of a FaultUnavailable that the same idempotency key
// will meet again: Stripe keeps its own error under it.
const FaultCodeKept = "answer_kept"

// StripeFault is a failed call to Stripe, as the Gateway reports it.
type StripeFault struct {
	Kind        FaultKind
	Code        string // Stripe's error code, such as resource_missing
	DeclineCode string
	Param       string
	IntentID    string // the payment intent that Stripe named with the error, "" when none
	RequestID   string // Stripe's Request-Id, for its support
	Message     string // Stripe's own words, for staff pages only: they may quote what the customer typed
	RetryAfter  time.Duration
	Err         error
}

func (f *StripeFault) Error() string {
	s := "stripe: " + string(f.Kind)
	// Not Message: Stripe's words may quote what the customer typed.
	for _, part := range []string{f.Code, f.DeclineCode, f.Param, f.RequestID} {
		if part != "" {
			s += " " + part
		}
	}
	if f.Err != nil && f.Code == "" {
		s += ": " + f.Err.Error()
	}
	return s
}

func (f *StripeFault) Unwrap() error { return f.Err }

// faultOf returns the StripeFault in err's chain, or nil.
func faultOf(err error) *StripeFault {
	f, _ := errors.AsType[*StripeFault](err)
	return f
}

// stripeError turns a failed Stripe call into the error that the portal or the
// page gets: 503 StripeUnavailable when the same request may be sent again, 502
// StripeError when a person has to mend something.
func stripeError(step string, err error) error {
	f := faultOf(err)
	if f == nil {
		return fmt.Errorf("%s: %w", step, err)
	}
	switch f.Kind {
	case FaultUnavailable:
		after := f.RetryAfter
		if after <= 0 {
			after = 2 * time.Second
		}
		return &Error{Code: CodeStripeUnavailable, RetryAfter: after, Err: fmt.Errorf("%s: %w", step, err),
			Message: "Stripe did not answer. Nothing was lost: send the same request again."}
	case FaultDeclined:
		meta := map[string]string{}
		if f.DeclineCode != "" {
			meta["decline_code"] = f.DeclineCode
		} else if f.Code != "" {
			meta["decline_code"] = f.Code
		}
		return &Error{Code: CodeCardDeclined, Meta: meta, Err: fmt.Errorf("%s: %w", step, err),
			Message: "The card was declined."}
	case FaultCredentials:
		return &Error{Code: CodeStripeError, Err: fmt.Errorf("%s: %w", step, err),
			Message: "Stripe refused this tenant's key. Its operator must set a valid one."}
	}
	meta := map[string]string{}
	if f.Code != "" {
		meta["stripe_code"] = f.Code
	}
	if f.Param != "" {
		meta["stripe_param"] = f.Param
	}
	return &Error{Code: CodeStripeError, Meta: meta, Err: fmt.Errorf("%s: %w", step, err),
		Message: "Stripe refused the request. Sending it again unchanged will not help."}
}
