package stripegate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"

	"github.com/portatill/portatill/pay"
)

// faultFrom says what a failed call means. Whether it may be repeated follows from the answer
// (https://stripe.com/docs/error-low-level): no answer, half of one, 409, 429 and 5xx leave it open whether the call had
// its effect, and the same call with the same key is the way to find out.
//
// The SDK's own errors are never wrapped: they print whole bodies, in which there are names, addresses and client
// secrets.
func faultFrom(err error, last *exchange, key string) *pay.StripeFault {
	if f, ok := errors.AsType[*pay.StripeFault](err); ok {
		return f
	}
	f := &pay.StripeFault{RequestID: last.requestID, RetryAfter: retryAfter(last.retryAfter)}
	defer func() {
		if last.kept {
			f.Code = codeKept
		}
	}()
	if e, ok := errors.AsType[*stripe.Error](err); ok {
		f.Kind = kindOf(e)
		f.Code, f.DeclineCode, f.Param = string(e.Code), string(e.DeclineCode), clip(e.Param, 200)
		if e.RequestID != "" {
			f.RequestID = e.RequestID
		}
		f.IntentID = namedIntent(e)
		f.Message = clean(e.Msg, e.Param, key)
		if f.Code == "" {
			f.Code = string(e.Type)
		}
		return f
	}
	f.Kind = pay.FaultUnavailable
	switch cause := connectionError(err); {
	case cause != nil && last.status == 0:
		f.Err = cause
		f.Message = "no answer: " + clean(cause.Error(), "", key)
	case cause != nil:
		f.Err = cause
		f.Message = fmt.Sprintf("the answer broke off (status %d): %s", last.status, clean(cause.Error(), "", key))
	default:
		f.Message = fmt.Sprintf("the answer could not be read (status %d)", last.status)
	}
	return f
}

// kindOf sorts an error that Stripe itself sent (https://stripe.com/docs/api/errors).
func kindOf(e *stripe.Error) pay.FaultKind {
	switch status := e.HTTPStatusCode; {
	case status >= 500, status == http.StatusTooManyRequests, status == http.StatusConflict, status == http.StatusRequestTimeout:
		return pay.FaultUnavailable
	case e.Code == stripe.ErrorCodeLockTimeout, e.Code == stripe.ErrorCodeIdempotencyKeyInUse:
		return pay.FaultUnavailable
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return pay.FaultCredentials
	case status == http.StatusPaymentRequired, e.Type == stripe.ErrorTypeCard:
		return pay.FaultDeclined
	case status == http.StatusNotFound, e.Code == stripe.ErrorCodeResourceMissing:
		return pay.FaultNotFound
	}
	return pay.FaultRejected
}

// namedIntent is the id of the payment intent that Stripe put into an error, "" when there is none.
func namedIntent(e *stripe.Error) string {
	if e.PaymentIntent == nil || checkID(e.PaymentIntent.ID, "pi_") != nil {
		return ""
	}
	return e.PaymentIntent.ID
}

// kindIs returns the kind of a call's fault, "" when it had none.
func kindIs(err error) pay.FaultKind {
	if f, ok := errors.AsType[*pay.StripeFault](err); ok {
		return f.Kind
	}
	return ""
}

// connectionError returns the part of err that tells of the connection and not of a body, nil when there is none.
func connectionError(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		// The address of a look-up has an e-mail address in its query.
		if at, _, cut := strings.Cut(e.URL, "?"); cut {
			return &url.Error{Op: e.Op, URL: at, Err: e.Err}
		}
		return e
	}
	for _, known := range []error{io.ErrUnexpectedEOF, io.EOF, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, known) {
			return known
		}
	}
	if e, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err); ok {
		return e
	}
	return nil
}

// unreadable is an answer that is JSON but not what was asked for.
func unreadable(format string, args ...any) *pay.StripeFault {
	return &pay.StripeFault{Kind: pay.FaultUnavailable, Code: "answer_unreadable", Message: fmt.Sprintf(format, args...)}
}

// whole refuses an answer that is not the object asked for, such as {} or null, which would otherwise become a fact
// made of zeros. id "" accepts any id.
func whole(gotKind, gotID, kind, id string) error {
	if gotKind != kind || gotID == "" || (id != "" && gotID != id) {
		return unreadable("the answer is not the %s that was asked for", kind)
	}
	return nil
}

// longestWait is the most that is believed of a Retry-After.
const longestWait = time.Hour

// retryAfter reads the header in both its forms, seconds and date (RFC 9110 section 10.2.3); 0 when there is none.
func retryAfter(text string) time.Duration {
	wait := time.Duration(0)
	if s, err := strconv.ParseInt(text, 10, 64); err == nil {
		wait = time.Duration(min(s, int64(longestWait/time.Second))) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = time.Until(at)
	}
	return min(max(wait, 0), longestWait)
}

var (
	// Stripe quotes of a key its kind and last characters: "Invalid API Key provided: sk_test_****1234".
	keyText = regexp.MustCompile(`\b((?:sk|rk|pk)_(?:live|test)|whsec|ek_live|ek_test)_[A-Za-z0-9_*.…]+`)
	// Client secrets open a payment page to whoever has them.
	secretText = regexp.MustCompile(`\b((?:pi|seti|cs)_[A-Za-z0-9_]+_secret)_[A-Za-z0-9]+`)
	emailText  = regexp.MustCompile(`[^\s"'<>:,;()]+@[^\s"'<>:,;()]+`)
	phoneText  = regexp.MustCompile(`(^|[^\w.-])\+?\d[\d ()/-]{6,}\d\b`)
	// The values of these parameters are a person's, and a message about one of them quotes it.
	personalParam = regexp.MustCompile(`email|phone|address|shipping|(^|\[)name`)
)

// clean takes out of a message what must not be written down: keys, secrets and what belongs to a person.
func clean(message, param, key string) string {
	if personalParam.MatchString(param) && !strings.HasPrefix(param, "line_items") {
		return "Stripe refused the value of " + clip(param, 200)
	}
	if key != "" {
		message = strings.ReplaceAll(message, key, "…")
	}
	message = secretText.ReplaceAllString(message, "${1}_…")
	message = keyText.ReplaceAllString(message, "${1}_…")
	message = emailText.ReplaceAllString(message, "…")
	message = phoneText.ReplaceAllString(message, "${1}…")
	return clip(message, 500)
}

// clip shortens text to n characters.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
