package describe

import (
	"strconv"

	"github.com/portatill/portatill/internal/wire"
)

// Failure is a status that a request can be answered with, and its ErrorCodes (product.md section 2).
type Failure struct {
	Status int
	Name   string // of the component
	Words  string
	Codes  []string
}

// Failures lists what a caller must be ready for.
func Failures() []Failure {
	return []Failure{
		{400, "Refused", "The request is not understood or not acceptable. Errors names the field; change the request.", []string{
			"SerializationException", "RequestBindingException", "NotEmpty", "ConflictingOperations", "SubTotalMismatch", "MixedCurrencies", "CurrencyNotAllowed",
			"InvalidAmount", "AmountTooSmall", "AmountTooLarge", "TooManyItems", "DuplicateKey", "OriginNotAllowed", "UnknownPaymentMethod", "CustomerMismatch", "MaximumLength"}},
		{401, "Unknown", "The licence key is missing or unknown.", []string{"InvalidLicense"}},
		{402, "Declined", "The card was declined and nothing was taken. Message says what the customer can do; Meta has Stripe's decline_code.", []string{"CardDeclined"}},
		{403, "Forbidden", "The tenant is suspended, or the signed pass has expired or is for other fields.", []string{"TenantSuspended", "InvalidPass"}},
		{404, "NotFound", "The customer has no such card, or there is no such token; whose it is, if anybody's, is not told.", []string{"CardNotFound"}},
		{405, "NotImplemented", "The verb is not POST, or the operation does not exist.", []string{"NotImplementedException"}},
		{409, "Conflict", "The Idempotency-Key, or the single-use token, came with another request before.", []string{"IdempotencyConflict"}},
		{413, "TooLarge", "The body is larger than 1 MiB.", []string{"RequestEntityTooLarge"}},
		{415, "Compressed", "The body has a Content-Encoding; send it plain.", []string{"UnsupportedMediaType"}},
		{429, "TooMany", "Too many requests; wait for Retry-After seconds.", []string{"TooManyRequests"}},
		{502, "StripeRefused", "Stripe refused what the till asked; a person must mend something, sending it again will not help.", []string{"StripeError"}},
		{503, "Unavailable", "Stripe or the till's database cannot be reached. Send the same request again after Retry-After seconds: nothing is taken twice.",
			[]string{"StripeUnavailable", "ServiceUnavailable"}},
	}
}

func failures() Ordered[Response] {
	var out Ordered[Response]
	for _, f := range Failures() {
		r := Response{Description: f.Words}
		switch f.Status {
		case 401:
			r.Headers = Ordered[Header]{{"WWW-Authenticate", Header{Description: "How to send the key.", Schema: &Schema{Type: "string"}}}}
		case 429, 503:
			r.Headers = Ordered[Header]{{"Retry-After", Header{Description: "Seconds to wait.", Schema: &Schema{Type: "integer"}}}}
		}
		for _, format := range bodyFormats {
			r.Content = append(r.Content, media(format, &wire.ErrorResponse{ResponseStatus: exampleStatus(f)}, reference("ErrorResponse")))
		}
		out = append(out, Named[Response]{f.Name, r})
	}
	return out
}

func exampleStatus(f Failure) *wire.ResponseStatus {
	s := &wire.ResponseStatus{ErrorCode: f.Codes[0], Message: f.Words, Errors: []wire.ResponseError{}}
	switch f.Status {
	case 400:
		s.Message = "ShoppingInformation[0].Quantity must be a whole number."
		s.Errors = []wire.ResponseError{{ErrorCode: s.ErrorCode, FieldName: "ShoppingInformation[0].Quantity", Message: s.Message}}
	case 402:
		s.Meta = map[string]string{"decline_code": "insufficient_funds"}
	}
	return s
}

// refusals are the failures as the calls refer to them.
func refusals() Ordered[Response] {
	var out Ordered[Response]
	for _, f := range Failures() {
		out = append(out, Named[Response]{strconv.Itoa(f.Status), Response{Ref: "#/components/responses/" + f.Name}})
	}
	return out
}
