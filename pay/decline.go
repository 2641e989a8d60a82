package pay

// failureAuthentication is Stripe's code for a charge that the bank wants its
// customer present for (docs.stripe.com/declines/codes).
const failureAuthentication = "authentication_required"

// DeclineKind is what a customer can do about a decline; pages say it in their
// language.
type DeclineKind string

// The kinds. Codes that must not be told apart to a customer (a stolen card, a
// suspicion of fraud) are all DeclineGeneral.
const (
	DeclineFunds          DeclineKind = "funds"
	DeclineExpired        DeclineKind = "expired"
	DeclineDetails        DeclineKind = "details"
	DeclineUnsupported    DeclineKind = "unsupported"
	DeclineUnreachable    DeclineKind = "unreachable"
	DeclineDebit          DeclineKind = "debit"
	DeclineAuthentication DeclineKind = "authentication"
	DeclineGeneral        DeclineKind = "general"
)

// DeclineKindOf sorts Stripe's decline codes and error codes
// (docs.stripe.com/declines/codes).
func DeclineKindOf(code string) DeclineKind {
	switch code {
	case "insufficient_funds", "withdrawal_count_limit_exceeded", "card_velocity_exceeded":
		return DeclineFunds
	case "expired_card", "invalid_expiry_month", "invalid_expiry_year":
		return DeclineExpired
	case "incorrect_cvc", "invalid_cvc", "incorrect_number", "invalid_number", "incorrect_zip", "incorrect_pin":
		return DeclineDetails
	case "currency_not_supported", "card_not_supported":
		return DeclineUnsupported
	case "processing_error", "issuer_not_available", "try_again_later", "reenter_transaction":
		return DeclineUnreachable
	case "payment_intent_payment_attempt_failed", "debit_not_authorized", "bank_account_restricted", "account_closed", "no_account":
		return DeclineDebit
	case failureAuthentication:
		return DeclineAuthentication
	}
	return DeclineGeneral
}

// DeclineAdvice is what a portal is told of a decline, in English, for the customer.
func DeclineAdvice(code string) string {
	switch DeclineKindOf(code) {
	case DeclineFunds:
		return "There is not enough money or limit left on the card. Use another card, or try again later."
	case DeclineExpired:
		return "The card has expired. Use another card."
	case DeclineDetails:
		return "The card's details do not fit. Enter them again, or use another card."
	case DeclineUnsupported:
		return "The card does not take this kind of payment. Use another card."
	case DeclineUnreachable:
		return "The bank could not be reached. Try again in a little while."
	case DeclineDebit:
		return "The bank did not make the payment. Pay another way, or ask the bank."
	case DeclineAuthentication:
		return "The bank wants you to confirm the payment. Pay on the order's page."
	}
	return "The bank declined the card. Use another card, or ask the bank."
}

// declined is the answer to a charge that the bank refused, finally.
func declined(o *Order, field, code string) error {
	meta := map[string]string{"order_id": o.ID}
	if code != "" {
		meta["decline_code"] = code
	}
	return &Error{Code: CodeCardDeclined, Field: field, Meta: meta, Message: DeclineAdvice(code)}
}
