package sandbox

import (
	"net/http"
	"strings"
)

// tokenCard finds the card behind tok_visa, pm_card_visa or a token made here.
func (c *call) tokenCard(id, param string) (cardDetails, *apiError) {
	if card, ok := cardsByToken[strings.TrimPrefix(id, "tok_")]; ok && strings.HasPrefix(id, "tok_") {
		return c.testDetails(card), nil
	}
	r := c.getKind(c.account, "token", id)
	if r == nil || str(r.obj, "type") != "card" {
		return cardDetails{}, missingParam("token", param, id)
	}
	if flag(r.obj, "used") {
		return cardDetails{}, tokenUsed(id, param)
	}
	r.obj["used"] = true
	c.touch(r)
	card := sub(r.obj, "card")
	return cardDetails{card: cardsByToken[str(r.obj, "_card")], expMonth: num(card, "exp_month"), expYear: num(card, "exp_year"), hasCVC: card["cvc_check"] != nil, owner: tokenOwner(card)}, nil
}

func tokenUsed(id, param string) *apiError {
	return invalid("token_already_used", param, "You cannot use a Stripe token more than once: %s.", id)
}

// tokenOwner is what a token knows of the card's owner, as billing_details.
func tokenOwner(card object) object {
	address := object{}
	for _, name := range []string{"city", "country", "line1", "line2", "state"} {
		address[name] = card["address_"+name]
	}
	address["postal_code"] = card["address_zip"]
	return object{"name": card["name"], "address": address}
}

// printedBrands are the names of brands in tokens and legacy cards; payment methods have them in lower case.
var printedBrands = map[string]string{"visa": "Visa", "mastercard": "MasterCard", "amex": "American Express", "discover": "Discover", "diners": "Diners Club", "jcb": "JCB", "unionpay": "UnionPay"}

func createToken(c *call) (any, *apiError) {
	for _, name := range []string{"account", "bank_account", "customer", "cvc_update", "person", "pii"} {
		if _, ok := c.params[name]; ok {
			return nil, notInSandbox(name, "tokens of this kind")
		}
	}
	card := sub(c.params, "card")
	if card == nil {
		return nil, invalid("parameter_missing", "card", "Missing required param: card.")
	}
	// Unlike payment methods, tokens are what Stripe.js makes of a typed number, so numbers are taken here.
	number := strings.NewReplacer(" ", "", "-", "").Replace(str(card, "number"))
	month, year, ok := expiry(str(card, "exp_month"), str(card, "exp_year"))
	fault := func(code, param, message string) *apiError {
		return &apiError{status: http.StatusPaymentRequired, kind: "card_error", code: code, param: param, message: message}
	}
	switch {
	case !luhn(number):
		return nil, fault("incorrect_number", "number", "Your card number is incorrect.")
	case !ok:
		return nil, fault("invalid_expiry_month", "exp_month", "Your card's expiration month is invalid.")
	case expired(month, year, c.now):
		return nil, fault("invalid_expiry_year", "exp_year", "Your card's expiration year is invalid.")
	}
	test := cardsByNumber[number]
	if test == nil {
		return nil, cardError(declineNotTest)
	}
	d := cardDetails{card: test, expMonth: month, expYear: year, hasCVC: str(card, "cvc") != ""}
	o := object{
		"id": "tok_1" + randomText(23), "object": "token", "client_ip": nil, "created": c.now, "livemode": false, "type": "card", "used": false, "_card": test.name(),
		"card": object{
			"id": "card_1" + randomText(23), "object": "card", "address_city": given(card, "address_city"), "address_country": given(card, "address_country"),
			"address_line1": given(card, "address_line1"), "address_line1_check": nil, "address_line2": given(card, "address_line2"),
			"address_state": given(card, "address_state"), "address_zip": given(card, "address_zip"), "address_zip_check": nil,
			"brand": printedBrands[test.brand], "country": test.country, "cvc_check": cvcCheck(d, "unchecked"), "dynamic_last4": nil, "exp_month": month, "exp_year": year,
			"fingerprint": fingerprint(number), "funding": test.funding, "last4": test.last4(), "metadata": object{}, "name": given(card, "name"),
			"tokenization_method": nil,
		},
	}
	return c.add(c.account, o).obj, nil
}

func getToken(c *call) (any, *apiError) {
	if r := c.getKind(c.account, "token", c.path("token")); r != nil {
		return r.obj, nil
	}
	return nil, missing("token", "token", c.path("token"))
}
