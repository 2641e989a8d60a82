package wire

import "time"

// A plain string member is null when it is empty: nothing we answer tells "" from null.

// StripePaymentResponse answers a StripePaymentRequest; product.md section 2 says when which member is set. The
// licence is never echoed.
type StripePaymentResponse struct {
	_ struct{} `wire:"StripePaymentResponse,dto"`

	Success         bool
	Status          string // open, processing, paid, requires_action, declined, saved, deleted, listed
	OrderId         string
	Url             string
	SessionId       string
	PaymentIntentId string
	ExpiresAt       string // FormatTime
	ICustomer       int32
	CustomerId      string
	CardInfo        string
	Cards           []Card // nil: no list was asked for; empty: the customer has none
	Amount          Decimal
	Currency        string
	Lines           []Line
	ReceiptUrl      string
	Replayed        bool
	ContentId       int32
	FeatureName     string
	ResponseStatus  *ResponseStatus
}

// Card is a saved card of the customer.
type Card struct {
	_ struct{} `wire:"Card,dto"`

	StripeSourceId string
	Brand          string
	Last4          string
	ExpMonth       int32
	ExpYear        int32
	IsDefault      bool
	CardInfo       string
}

// Line is a priced line of the cart; amounts in units of the response's Currency.
type Line struct {
	_ struct{} `wire:"Line,dto"`

	Key         string
	Title       string
	Quantity    int32
	SubTotal    Decimal
	Vat         Decimal
	Total       Decimal
	Explanation string
}

// ErrorResponse is the type of an error answer (wire.md 3.1).
type ErrorResponse struct {
	_ struct{} `wire:"ErrorResponse,types,ordered"`

	ResponseStatus *ResponseStatus
}

// ResponseStatus says what went wrong. Errors is nil for errors raised before the service ran and empty, not nil, for
// those the service itself raised without naming a field. StackTrace exists because clients know it; we never set it.
type ResponseStatus struct {
	_ struct{} `wire:"ResponseStatus,types,ordered"`

	ErrorCode  string
	Message    string
	StackTrace string
	Errors     []ResponseError
	Meta       map[string]string
}

// ResponseError is a fault of one field.
type ResponseError struct {
	_ struct{} `wire:"ResponseError,types,ordered"`

	ErrorCode string
	FieldName string
	Message   string
	Meta      map[string]string `wire:",xmlomitnull"` // unknown to 3.9, so not even announced as nil
}

// FormatTime writes t as the wire's dates are written: ISO 8601 in UTC with seconds; "" for the zero time.
func FormatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// EncodeError writes an error answer in the format the caller asked for.
func EncodeError(format Format, status ResponseStatus) []byte {
	return Encode(format, &ErrorResponse{ResponseStatus: &status})
}
