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
	owner    object // billing_details that a token brings along
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
	if d.owner != nil {
		o["billing_details"] = billingDetails(d.owner)
	}
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
	if kind, account := accountOfToken(id); account != nil {
		o, err := c.newDebitMethod(kind, account.number, testBankCodes[kind], param)
		if err != nil {
			return nil, err
		}
		return c.add(c.account, o), nil
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
	if details == nil && !isWallet(kind) {
		return nil, invalid("parameter_missing", at, "Missing required param: %s.", at)
	}
	var o object
	var err *apiError
	switch {
	case kind == "card":
		o, err = c.cardFromData(details, at)
	case isWallet(kind):
		o = c.newWalletMethod(kind, str(sub(data, "billing_details"), "email"))
	default:
		o, err = c.debitFromData(kind, details, at)
	}
	if err != nil {
		return nil, err
	}
	if billing := sub(data, "billing_details"); billing != nil {
		o["billing_details"] = billingDetails(mergeBilling(sub(o, "billing_details"), billing))
	}
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

// rawCardNumber is what Stripe answers a server that is not approved to see card numbers.
func rawCardNumber() *apiError {
	return &apiError{status: http.StatusPaymentRequired, kind: "invalid_request_error",
		message: "Sending credit card numbers directly to the Stripe API is generally unsafe. We suggest you use test tokens that map to the test card you are using, see https://stripe.com/docs/testing."}
}

func (c *call) cardFromData(details object, at string) (object, *apiError) {
	if str(details, "number") != "" {
		return nil, rawCardNumber()
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
	customer := c.path("customer")
	r := c.getKind(c.account, "payment_method", id)
	if r == nil && customer == "" && strings.HasPrefix(id, "pm_") {
		r, _ = c.methodForUse(id, "payment_method") // Stripe makes a method of pm_card_visa also when it is only looked at
	}
	if r == nil || customer != "" && str(r.obj, "customer") != customer {
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
	} else if customer != "" {
		if _, err := c.customer(customer, "customer"); err != nil {
			return nil, err
		}
	}
	same := c.equals("type")
	return c.list("payment_method", url, func(o object) bool {
		// Without a customer Stripe lists only what belongs to none of them and can still be used.
		return same(o) && str(o, "customer") == customer && (customer != "" || !flag(o, "_consumed") && !isLegacy(o))
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
	if isLegacy(method.obj) {
		c.sourceDetached(method, r)
	}
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

func sortedMethodTypes() []string { return slices.Sorted(maps.Keys(methodTypes)) }
