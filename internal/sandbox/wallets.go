package sandbox

import (
	"net/http"
	"strings"
)

// Wallets are payment methods that are neither a card nor a bank debit. PayPal sends the customer to its own page and
// back (https://stripe.com/docs/payments/paypal); Link has the customer's consent already and takes the money at once
// (https://stripe.com/docs/payments/link).

func isWallet(kind string) bool { return kind == "paypal" || kind == "link" }

const messageRedirectFailed = "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again."

// newWalletMethod makes a PayPal or Link payment method. PayPal tells who paid only after they agreed, which
// approveWallet writes down.
func (c *call) newWalletMethod(kind, email string) object {
	if kind == "link" {
		return newMethod(c, kind, object{"email": orNil(email)})
	}
	o := newMethod(c, kind, object{"payer_email": nil, "payer_id": nil})
	o["_payer_email"] = withDefault(orNil(email), "customer@example.com")
	return o
}

// approveWallet is the customer's consent at the wallet.
func (c *call) approveWallet(method *record) {
	if str(method.obj, "type") == "paypal" {
		payer := strings.ToUpper(fingerprint(str(method.obj, "_payer_email")))[:13]
		method.obj["paypal"] = object{"payer_email": withDefault(method.obj["_payer_email"], nil), "payer_id": payer}
	}
	method.obj["_set_up"] = true
	c.touch(method)
}

// needsWallet says whether the customer must go to the wallet's page: not when they agreed to later payments before.
func needsWallet(method object, offSession bool) bool {
	return str(method, "type") == "paypal" && !(offSession && flag(method, "_set_up"))
}

// checkReturn: who sends the customer away to a wallet must say where they come back to.
func checkReturn(method *record, how confirmation) *apiError {
	if method == nil || how.offSession || how.errorOnAuth || how.returnURL != "" || !needsWallet(method.obj, false) {
		return nil
	}
	return invalid("parameter_missing", "return_url", "You must provide a `return_url` when confirming with the payment method type %s, because it redirects the customer.", str(method.obj, "type"))
}

// walletDetails are payment_method_details of a charge.
func walletDetails(method object) object {
	if str(method, "type") == "link" {
		return object{"country": withDefault(sub(sub(method, "billing_details"), "address")["country"], nil)}
	}
	paypal := sub(method, "paypal")
	return object{
		"payer_email": paypal["payer_email"], "payer_id": paypal["payer_id"], "payer_name": sub(method, "billing_details")["name"],
		"seller_protection": object{"dispute_categories": []any{"fraudulent", "product_not_received"}, "status": "eligible"},
		"transaction_id":    strings.ToUpper(randomText(17)),
	}
}

// failRedirect ends an attempt that the customer did not agree to at the wallet.
func (c *call) failRedirect(intent, method *record) *apiError {
	e := &apiError{status: http.StatusPaymentRequired, kind: "invalid_request_error", code: "payment_intent_authentication_failure", message: messageRedirectFailed, executed: true}
	c.failIntent(intent, method, e)
	return e
}
