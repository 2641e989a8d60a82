package sandbox

import (
	"strings"
)

// testCard is one of the cards of https://stripe.com/docs/testing.
type testCard struct {
	number  string
	tokens  string // names after pm_card_ and tok_, separated by spaces
	title   string // what it shows, for the list on the hosted page; "" keeps it off that list
	brand   string
	funding string
	country string

	decline    *decline
	auth       authRule
	authResult *decline // declined although the customer was authenticated
	attaches   bool     // a declining card that can nevertheless be saved
	dispute    string   // reason of the dispute that follows the payment
	inquiry    bool
	cvcFails   bool
	lineFails  bool
	zipFails   bool
	risk       string
	instant    bool   // funds are available at once
	refund     string // "pending" or "failed": how a refund of it ends
}

type decline struct{ code, declineCode, message string }

type authRule int

const (
	authNever      authRule = iota
	authOptional            // only when the caller asks for it
	authUnlessSet           // until the card has been set up for later use
	authOnSession           // already set up: only when the customer is present
	authAlways              // for every payment
	authBrokenBank          // 3-D Secure is required, and the bank's answer cannot be had
)

const (
	messageDeclined      = "Your card was declined."
	messageUnprocessable = "An error occurred while processing your card. Try again in a little bit."
	messageNoAuth        = "We are unable to authenticate your payment method. Please choose a different payment method and try again."
	messageAuthRequired  = "Your card was declined. This transaction requires authentication."
)

func declined(code string) *decline { return &decline{"card_declined", code, messageDeclined} }

var (
	declineFunds      = &decline{"card_declined", "insufficient_funds", "Your card has insufficient funds."}
	declineProcessing = &decline{"processing_error", "processing_error", messageUnprocessable}
	declineNotTest    = &decline{"card_declined", "test_mode_live_card", "Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test cards, visit: https://stripe.com/docs/testing."}
)

var testCards = []*testCard{
	{number: "4242424242424242", tokens: "visa us", title: "Paid (Visa)"},
	{number: "5555555555554444", tokens: "mastercard", title: "Paid (Mastercard)"},
	{number: "4000000000000002", tokens: "chargeDeclined visa_chargeDeclined", title: "Declined", decline: declined("generic_decline")},
	{number: "4000000000009995", tokens: "chargeDeclinedInsufficientFunds visa_chargeDeclinedInsufficientFunds", title: "Insufficient funds", decline: declineFunds},
	{number: "4000000000009987", tokens: "chargeDeclinedLostCard visa_chargeDeclinedLostCard", title: "Lost card", decline: declined("lost_card")},
	{number: "4000000000009979", tokens: "chargeDeclinedStolenCard visa_chargeDeclinedStolenCard", title: "Stolen card", decline: declined("stolen_card")},
	{number: "4000000000000069", tokens: "chargeDeclinedExpiredCard visa_chargeDeclinedExpiredCard", title: "Expired card", decline: &decline{"expired_card", "expired_card", "Your card has expired."}},
	{number: "4000000000000127", tokens: "chargeDeclinedIncorrectCvc visa_chargeDeclinedIncorrectCvc", title: "Incorrect CVC", decline: &decline{"incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect."}},
	{number: "4000000000000119", tokens: "chargeDeclinedProcessingError visa_chargeDeclinedProcessingError", title: "Processing error", decline: declineProcessing},
	{number: "4000000000006975", tokens: "chargeDeclinedVelocityLimitExceeded visa_chargeDeclinedVelocityLimitExceeded", decline: &decline{"card_declined", "card_velocity_exceeded", "Your card was declined for making repeated attempts too frequently or exceeding its amount limit."}},
	{number: "4000002500003155", tokens: "authenticationRequiredOnSetup", title: "3-D Secure, unless already set up", auth: authUnlessSet},
	{number: "4000002760003184", tokens: "authenticationRequired", title: "3-D Secure, always", auth: authAlways},
	{number: "4000003800000446", tokens: "authenticationRequiredSetupForOffSession", title: "3-D Secure, already set up", auth: authOnSession},
	{number: "4000008400001629", tokens: "threeDSecureRequiredChargeDeclined", title: "3-D Secure, then declined", auth: authAlways, authResult: declined("generic_decline")},
	{number: "4000008260003178", tokens: "authenticationRequiredChargeDeclinedInsufficientFunds", title: "3-D Secure, then insufficient funds", auth: authAlways, authResult: declineFunds},
	{number: "4000000000003220", tokens: "threeDSecure2Required", auth: authAlways},
	{number: "4000008400001280", tokens: "threeDSecureRequiredProcessingError", title: "3-D Secure that breaks", auth: authBrokenBank},
	{number: "4000000000003055", tokens: "threeDSecureOptional", auth: authOptional},
	{number: "4000000000000341", tokens: "chargeCustomerFail visa_chargeCustomerFail", title: "Can be saved, later charges fail", decline: declined("generic_decline"), attaches: true},
	{number: "4000000000000259", tokens: "createDispute", title: "Paid, then disputed as fraud", dispute: "fraudulent"},
	{number: "4000000000002685", tokens: "createDisputeProductNotReceived", title: "Paid, then disputed as not received", dispute: "product_not_received"},
	{number: "4000000000001976", tokens: "createDisputeInquiry", title: "Paid, then the bank inquires", dispute: "fraudulent", inquiry: true},
	{number: "4000000000007726", tokens: "pendingRefund", title: "Paid, refunds succeed later", refund: "pending"},
	{number: "4000000000005126", tokens: "refundFail", title: "Paid, refunds fail later", refund: "failed"},
	{number: "4000000000000077", tokens: "bypassPending", title: "Paid, funds available at once", instant: true},
	{number: "4100000000000019", tokens: "radarBlock", decline: declined("fraudulent"), risk: "highest"},
	{number: "4000000000004954", tokens: "riskLevelHighest", risk: "highest"},
	{number: "4000000000009235", tokens: "riskLevelElevated", risk: "elevated"},
	{number: "4000000000000101", tokens: "cvcCheckFail", cvcFails: true},
	{number: "4000000000000036", tokens: "avsZipFail", zipFails: true},
	{number: "4000000000000028", tokens: "avsLine1Fail", lineFails: true},
	{number: "4000000000000010", tokens: "avsFail", lineFails: true, zipFails: true},
	{number: "4000056655665556", tokens: "visa_debit", funding: "debit"},
	{number: "2223003122003222", tokens: "mastercard_2series"},
	{number: "5200828282828210", tokens: "mastercard_debit", funding: "debit"},
	{number: "5105105105105100", tokens: "mastercard_prepaid", funding: "prepaid"},
	{number: "378282246310005", tokens: "amex", title: "Paid (American Express)"},
	{number: "371449635398431", tokens: "amex_2"},
	{number: "6011111111111117", tokens: "discover"},
	{number: "6011000990139424", tokens: "discover_2"},
	{number: "3056930009020004", tokens: "diners"},
	{number: "36227206271667", tokens: "diners_14digits"},
	{number: "3566002020360505", tokens: "jcb", country: "JP"},
	{number: "6200000000000005", tokens: "unionpay", country: "CN"},
	{number: "4000008260000000", tokens: "gb", country: "GB"},
	{number: "4000058260000005", tokens: "gb_debit", country: "GB", funding: "debit"},
	{number: "5555558265554449", tokens: "gb_mastercard", country: "GB"},
	{number: "4000003720000278", tokens: "ie", country: "IE"},
	{number: "4000002760000016", tokens: "de", country: "DE"},
	{number: "4000002500000003", tokens: "fr", country: "FR"},
	{number: "4000007240000007", tokens: "es", country: "ES"},
	{number: "4000003800000008", tokens: "it", country: "IT"},
	{number: "4000005280000002", tokens: "nl", country: "NL"},
	{number: "4000006200000007", tokens: "pt", country: "PT"},
	{number: "4000001240000000", tokens: "ca", country: "CA"},
	{number: "4000000360000006", tokens: "au", country: "AU"},
}

var cardsByNumber, cardsByToken = indexCards()

func indexCards() (byNumber, byToken map[string]*testCard) {
	byNumber, byToken = map[string]*testCard{}, map[string]*testCard{}
	for _, card := range testCards {
		card.brand = brandOf(card.number)
		if card.funding == "" {
			card.funding = "credit"
		}
		if card.country == "" {
			card.country = "US"
		}
		if card.risk == "" {
			card.risk = "normal"
		}
		byNumber[card.number] = card
		for _, token := range strings.Fields(card.tokens) {
			byToken[token] = card
		}
	}
	return byNumber, byToken
}

// name is what a saved payment method remembers of its card, so that no number is kept.
func (t *testCard) name() string { return strings.Fields(t.tokens)[0] }

func (t *testCard) last4() string { return t.number[len(t.number)-4:] }

// shown groups the digits as they are printed on the card.
func (t *testCard) shown() string {
	groups := []int{4, 4, 4, 4}
	if t.brand == "amex" {
		groups = []int{4, 6, 5}
	}
	var parts []string
	rest := t.number
	for _, n := range groups {
		n = min(n, len(rest))
		parts = append(parts, rest[:n])
		rest = rest[n:]
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

// needsAuth says whether the bank wants the customer for this payment.
func (t *testCard) needsAuth(offSession, setUp, asked bool) bool {
	switch t.auth {
	case authOptional:
		return asked && !offSession
	case authUnlessSet:
		return !setUp || !offSession
	case authOnSession:
		return !offSession
	case authAlways, authBrokenBank:
		return true
	}
	return false
}

func brandOf(number string) string {
	switch {
	case strings.HasPrefix(number, "4"):
		return "visa"
	case strings.HasPrefix(number, "34"), strings.HasPrefix(number, "37"):
		return "amex"
	case strings.HasPrefix(number, "5"), strings.HasPrefix(number, "22"), strings.HasPrefix(number, "27"):
		return "mastercard"
	case strings.HasPrefix(number, "62"):
		return "unionpay"
	case strings.HasPrefix(number, "60"), strings.HasPrefix(number, "65"):
		return "discover"
	case strings.HasPrefix(number, "30"), strings.HasPrefix(number, "36"), strings.HasPrefix(number, "38"):
		return "diners"
	case strings.HasPrefix(number, "35"):
		return "jcb"
	}
	return "unknown"
}

// luhn is the check digit rule of ISO/IEC 7812-1.
func luhn(number string) bool {
	sum := 0
	for i := range len(number) {
		d := int(number[len(number)-1-i] - '0')
		if d < 0 || d > 9 {
			return false
		}
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return len(number) >= 12 && len(number) <= 19 && sum%10 == 0
}
