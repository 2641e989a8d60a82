package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// methodTypes are the payment method types that the sandbox can take money with, and the currency that the bank debits
// among them are bound to (https://stripe.com/docs/payments/payment-methods/overview).
var methodTypes = map[string]string{"card": "", "bacs_debit": "gbp", "sepa_debit": "eur", "us_bank_account": "usd"}

var debitAccounts = map[string]string{ // account number or IBAN → how the debit fails
	"00012345": "", "90012345": "", "33333335": "debit_not_authorized", "22222227": "insufficient_funds", "55555559": "account_closed",
	"DE89370400440532013000": "", "DE08370400440532013003": "", "DE62370400440532013001": "debit_not_authorized",
	"FR1420041010050500013M02606": "", "IE29AIBK93115212345678": "", "NL39RABO0300065264": "", "GB82WEST12345698765432": "",
	"AT611904300234573201": "", "AT861904300235473202": "debit_not_authorized",
	"000123456789": "", "000111111113": "account_closed", "000111111116": "no_account", "000222222227": "insufficient_funds", "000333333335": "debit_not_authorized",
}

func fingerprint(text string) string {
	sum := sha256.Sum256([]byte("sandbox fingerprint " + text))
	return hex.EncodeToString(sum[:8])
}

// cardDetails are what the customer typed, without what must not be kept.
type cardDetails struct {
	card     *testCard
	expMonth int64
	expYear  int64
	hasCVC   bool
}

func (c *call) testDetails(card *testCard) cardDetails {
	year := int64(time.Unix(c.now, 0).UTC().Year())
	return cardDetails{card: card, expMonth: 12, expYear: year + 4, hasCVC: true}
}

func newMethod(c *call, kind string, details object) object {
	return object{
		"id": newID("pm"), "object": "payment_method", "billing_details": billingDetails(nil), "created": c.now, "customer": nil,
		"livemode": false, "metadata": object{}, "type": kind, kind: details,
	}
}

func (c *call) newCardMethod(d cardDetails) object {
	o := newMethod(c, "card", object{
		"brand": d.card.brand, "checks": object{"address_line1_check": nil, "address_postal_code_check": nil, "cvc_check": cvcCheck(d, "pass")},
		"country": d.card.country, "exp_month": d.expMonth, "exp_year": d.expYear, "fingerprint": fingerprint(d.card.number),
		"funding": d.card.funding, "generated_from": nil, "last4": d.card.last4(),
		"networks":             object{"available": []any{d.card.brand}, "preferred": nil},
		"three_d_secure_usage": object{"supported": d.card.brand != "unionpay"}, "wallet": nil,
	})
	o["_card"] = d.card.name()
	return o
}

func cvcCheck(d cardDetails, otherwise string) any {
	switch {
	case !d.hasCVC:
		return nil
	case d.card.cvcFails || d.card.decline != nil && d.card.decline.code == "incorrect_cvc":
		return "fail"
	}
	return otherwise
}

func billingDetails(given object) object {
	address, _ := fullAddress(sub(given, "address")).(object)
	if address == nil {
		address = fullAddress(object{}).(object)
	}
	out := object{"address": address, "email": nil, "name": nil, "phone": nil}
	for _, key := range []string{"email", "name", "phone"} {
		if v := str(given, key); v != "" {
			out[key] = v
		}
	}
	return out
}

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
		return cardDetails{}, invalid("token_already_used", param, "You cannot use a Stripe token more than once: %s.", id)
	}
	r.obj["used"] = true
	c.touch(r)
	card := sub(r.obj, "card")
	return cardDetails{card: cardsByToken[str(r.obj, "_card")], expMonth: num(card, "exp_month"), expYear: num(card, "exp_year"), hasCVC: card["cvc_check"] != nil}, nil
}

// methodForUse finds a payment method by its id, or makes one of a test id such as pm_card_visa, as Stripe does.
func (c *call) methodForUse(id, param string) (*record, *apiError) {
	if r := c.getKind(c.account, "payment_method", id); r != nil {
		if flag(r.obj, "_consumed") {
			return nil, invalid("payment_method_unexpected_state", param, "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.")
		}
		return r, nil
	}
	if name, ok := strings.CutPrefix(id, "pm_card_"); ok {
		if card, known := cardsByToken[name]; known {
			return c.add(c.account, c.newCardMethod(c.testDetails(card))), nil
		}
	}
	if strings.HasPrefix(id, "card_") || strings.HasPrefix(id, "src_") {
		return nil, missingParam("source", param, id)
	}
	return nil, missingParam("PaymentMethod", param, id)
}

// methodFromData makes a payment method of payment_method_data, or of the body of POST /v1/payment_methods.
func (c *call) methodFromData(data object, path string) (*record, *apiError) {
	kind := str(data, "type")
	if kind == "" {
		return nil, invalid("parameter_missing", joinPath(path, "type"), "Missing required param: %s.", joinPath(path, "type"))
	}
	if err := checkMethodType(kind, joinPath(path, "type")); err != nil {
		return nil, err
	}
	details, at := sub(data, kind), joinPath(path, kind)
	if details == nil {
		return nil, invalid("parameter_missing", at, "Missing required param: %s.", at)
	}
	var o object
	var err *apiError
	if kind == "card" {
		o, err = c.cardFromData(details, at)
	} else {
		o, err = c.debitFromData(kind, details, at)
	}
	if err != nil {
		return nil, err
	}
	o["billing_details"] = billingDetails(sub(data, "billing_details"))
	if o["metadata"], err = mergeMetadata(nil, data); err != nil {
		return nil, err
	}
	return c.add(c.account, o), nil
}

func checkMethodType(kind, param string) *apiError {
	if _, ok := methodTypes[kind]; !ok {
		return invalid("", param, "The payment method type provided: %s is invalid. Please ensure the provided type is activated in your dashboard (https://dashboard.stripe.com/account/payments/settings) and your account is enabled for any preview features that you are trying to use.", cut(kind))
	}
	return nil
}

func (c *call) cardFromData(details object, at string) (object, *apiError) {
	if str(details, "number") != "" {
		// What Stripe answers a server that is not approved to see card numbers.
		return nil, &apiError{status: http.StatusPaymentRequired, kind: "invalid_request_error",
			message: "Sending credit card numbers directly to the Stripe API is generally unsafe. We suggest you use test tokens that map to the test card you are using, see https://stripe.com/docs/testing."}
	}
	token := str(details, "token")
	if token == "" {
		return nil, invalid("parameter_missing", at+"[token]", "Missing required param: %s.", at+"[token]")
	}
	d, err := c.tokenCard(token, at+"[token]")
	if err != nil {
		return nil, err
	}
	return c.newCardMethod(d), nil
}

func (c *call) debitFromData(kind string, details object, at string) (object, *apiError) {
	number, bank := str(details, "account_number"), ""
	switch kind {
	case "sepa_debit":
		number = str(details, "iban")
	case "bacs_debit":
		bank = str(details, "sort_code")
	case "us_bank_account":
		bank = str(details, "routing_number")
	}
	return c.newDebitMethod(kind, number, bank, at)
}

func (c *call) newDebitMethod(kind, number, bank, at string) (object, *apiError) {
	number = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(number))
	bank = strings.NewReplacer(" ", "", "-", "").Replace(bank)
	failure, known := debitAccounts[number]
	isIBAN := len(number) > 2 && number[0] >= 'A' && number[0] <= 'Z'
	if !known || isIBAN != (kind == "sepa_debit") || (len(number) == 8) != (kind == "bacs_debit") {
		code, what := "account_number_invalid", "account number"
		if kind == "sepa_debit" {
			code, what = "invalid_bank_account_iban", "IBAN"
		}
		return nil, invalid(code, at, "The %s is not valid. In the sandbox use one of the test numbers of https://stripe.com/docs/testing.", what)
	}
	var shown object
	switch kind {
	case "bacs_debit":
		if len(bank) != 6 || strings.Trim(bank, "0123456789") != "" {
			return nil, invalid("bank_account_sort_code_invalid", at+"[sort_code]", "The sort code must be six digits, such as 10-88-00.")
		}
		shown = object{"fingerprint": fingerprint(bank + number), "last4": number[4:], "sort_code": bank}
	case "sepa_debit":
		shown = object{"bank_code": number[4:12], "branch_code": "", "country": number[:2], "fingerprint": fingerprint(number), "generated_from": object{"charge": nil, "setup_attempt": nil}, "last4": number[len(number)-4:]}
	default:
		if bank != "110000000" {
			return nil, invalid("routing_number_invalid", at+"[routing_number]", "The routing number must be 110000000 in the sandbox.")
		}
		shown = object{"account_holder_type": "individual", "account_type": "checking", "bank_name": "STRIPE TEST BANK", "financial_connections_account": nil,
			"fingerprint": fingerprint(bank + number), "last4": number[len(number)-4:], "networks": object{"preferred": "ach", "supported": []any{"ach"}}, "routing_number": bank, "status_details": object{}}
	}
	o := newMethod(c, kind, shown)
	if failure != "" {
		o["_debit_failure"] = failure
	}
	return o, nil
}

func createMethod(c *call) (any, *apiError) {
	if id := str(c.params, "payment_method"); id != "" {
		return nil, notInSandbox("payment_method", "cloning of payment methods")
	}
	r, err := c.methodFromData(c.params, "")
	if err != nil {
		return nil, err
	}
	return r.obj, nil
}

func getMethod(c *call) (any, *apiError) {
	id := c.path("payment_method")
	r := c.getKind(c.account, "payment_method", id)
	if customer := c.path("customer"); r == nil || customer != "" && str(r.obj, "customer") != customer {
		return nil, missing("PaymentMethod", "payment_method", id)
	}
	return r.obj, nil
}

func updateMethod(c *call) (any, *apiError) {
	r := c.getKind(c.account, "payment_method", c.path("payment_method"))
	if r == nil {
		return nil, missing("PaymentMethod", "payment_method", c.path("payment_method"))
	}
	if str(r.obj, "customer") == "" {
		return nil, invalid("", "", "You must save this PaymentMethod to a customer before you can update it.")
	}
	changed := maps.Clone(r.obj)
	var err *apiError
	if changed["metadata"], err = mergeMetadata(sub(r.obj, "metadata"), c.params); err != nil {
		return nil, err
	}
	if b := sub(c.params, "billing_details"); b != nil {
		changed["billing_details"] = billingDetails(mergeBilling(sub(r.obj, "billing_details"), b))
	}
	if card := sub(c.params, "card"); card != nil && str(r.obj, "type") == "card" {
		kept := maps.Clone(sub(r.obj, "card"))
		for _, key := range []string{"exp_month", "exp_year"} {
			if v := num(card, key); v != 0 {
				kept[key] = v
			}
		}
		changed["card"] = kept
	}
	c.replace(r, changed, "payment_method.updated")
	return r.obj, nil
}

func mergeBilling(old, changes object) object {
	out := maps.Clone(old)
	maps.Copy(out, changes)
	return out
}

func listMethods(c *call) (any, *apiError) {
	customer := str(c.params, "customer")
	url := "/v1/payment_methods"
	if id := c.path("customer"); id != "" {
		if _, err := c.customerOfPath("customer"); err != nil {
			return nil, err
		}
		customer, url = id, "/v1/customers/"+id+"/payment_methods"
	}
	same := c.equals("type")
	return c.list("payment_method", url, func(o object) bool {
		// Without a customer Stripe lists only what belongs to none of them and can still be used.
		return same(o) && str(o, "customer") == customer && !flag(o, "_consumed")
	})
}

// mayAttach says whether a card can be saved: most declining test cards cannot.
func (c *call) mayAttach(method *record, customer string) *apiError {
	owner := str(method.obj, "customer")
	switch {
	case owner == customer:
		return nil
	case owner != "":
		return invalid("resource_already_exists", "", "The payment method you provided has already been attached to a customer.")
	}
	card := cardsByToken[str(method.obj, "_card")]
	if card == nil || card.decline == nil || card.attaches {
		return nil
	}
	e := cardError(card.decline)
	e.method = method.obj
	return e
}

func cardError(d *decline) *apiError {
	return &apiError{status: http.StatusPaymentRequired, kind: "card_error", code: d.code, declineCode: d.declineCode, message: d.message, executed: true}
}

func (c *call) attach(method *record, customer string) {
	if str(method.obj, "customer") == customer {
		return
	}
	method.obj["customer"] = customer
	delete(method.obj, "_consumed")
	c.touch(method)
	c.emit("payment_method.attached", method.obj, nil)
}

// detach makes a saved method unusable for good, as at Stripe.
func (c *call) detach(method *record) {
	owner := str(method.obj, "customer")
	method.obj["customer"] = nil
	method.obj["_consumed"] = true
	c.touch(method)
	c.emit("payment_method.detached", method.obj, object{"customer": owner})
	r := c.getKind(c.account, "customer", owner)
	if r == nil || str(sub(r.obj, "invoice_settings"), "default_payment_method") != method.id {
		return
	}
	changed := maps.Clone(r.obj)
	settings := maps.Clone(sub(r.obj, "invoice_settings"))
	settings["default_payment_method"] = nil
	changed["invoice_settings"] = settings
	c.replace(r, changed, "customer.updated")
}

func attachMethod(c *call) (any, *apiError) {
	customer, err := c.customer(str(c.params, "customer"), "customer")
	if err != nil {
		return nil, err
	}
	method, err := c.methodForUse(c.path("payment_method"), "payment_method")
	if err != nil {
		if err.code == "resource_missing" {
			err.status = http.StatusNotFound
		}
		return nil, err
	}
	if err := c.mayAttach(method, customer.id); err != nil {
		return nil, err
	}
	c.attach(method, customer.id)
	return method.obj, nil
}

func detachMethod(c *call) (any, *apiError) {
	r := c.getKind(c.account, "payment_method", c.path("payment_method"))
	if r == nil {
		return nil, missing("PaymentMethod", "payment_method", c.path("payment_method"))
	}
	if str(r.obj, "customer") == "" {
		return nil, invalid("payment_method_not_attached", "", "The payment method you provided is not attached to a customer so detachment is impossible.")
	}
	c.detach(r)
	return r.obj, nil
}

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
	brands := map[string]string{"visa": "Visa", "mastercard": "MasterCard", "amex": "American Express", "discover": "Discover", "diners": "Diners Club", "jcb": "JCB", "unionpay": "UnionPay"}
	o := object{
		"id": "tok_1" + randomText(23), "object": "token", "client_ip": nil, "created": c.now, "livemode": false, "type": "card", "used": false, "_card": test.name(),
		"card": object{
			"id": "card_1" + randomText(23), "object": "card", "address_city": given(card, "address_city"), "address_country": given(card, "address_country"),
			"address_line1": given(card, "address_line1"), "address_line1_check": nil, "address_line2": given(card, "address_line2"),
			"address_state": given(card, "address_state"), "address_zip": given(card, "address_zip"), "address_zip_check": nil,
			"brand": brands[test.brand], "country": test.country, "cvc_check": cvcCheck(d, "unchecked"), "dynamic_last4": nil, "exp_month": month, "exp_year": year,
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

func sortedMethodTypes() []string { return slices.Sorted(maps.Keys(methodTypes)) }
