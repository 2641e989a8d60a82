package sandbox

import (
	"net/http"
	"net/url"
)

// The life of a payment intent, https://stripe.com/docs/payments/paymentintents/lifecycle. The API, the hosted page,
// the 3-D Secure page and time all go through confirm, authenticate and finishDebit.

func newIntent(c *call, amount int64, currency string) object {
	id := newID("pi")
	return object{
		"id": id, "object": "payment_intent", "amount": amount, "amount_capturable": int64(0), "amount_details": object{"tip": object{}},
		"amount_received": int64(0), "application": nil, "application_fee_amount": nil, "automatic_payment_methods": nil,
		"canceled_at": nil, "cancellation_reason": nil, "capture_method": "automatic", "client_secret": id + "_secret_" + randomText(25),
		"confirmation_method": "automatic", "created": c.now, "currency": currency, "customer": nil, "description": nil, "invoice": nil,
		"last_payment_error": nil, "latest_charge": nil, "livemode": false, "metadata": object{}, "next_action": nil, "on_behalf_of": nil,
		"payment_method": nil, "payment_method_configuration_details": nil, "payment_method_options": object{}, "payment_method_types": []any{"card"},
		"processing": nil, "receipt_email": nil, "review": nil, "setup_future_usage": nil, "shipping": nil, "statement_descriptor": nil,
		"statement_descriptor_suffix": nil, "status": "requires_payment_method", "transfer_data": nil, "transfer_group": nil,
	}
}

// confirmation says how a payment is asked for.
type confirmation struct {
	offSession  bool
	errorOnAuth bool   // error_on_requires_action
	returnURL   string // where the customer's browser goes after 3-D Secure
	hosted      bool   // from the hosted page, which leads through 3-D Secure itself
	ask3DS      bool   // request_three_d_secure
}

// confirm tries to take the money. A decline is an error that has happened: the intent keeps it and can be confirmed
// again with another method.
func (c *call) confirm(intent, method *record, how confirmation) *apiError {
	o := intent.obj
	o["last_payment_error"], o["next_action"] = nil, nil
	o["payment_method"] = method.id
	c.touch(intent)
	switch kind := str(method.obj, "type"); {
	case isWallet(kind):
		return c.confirmWallet(intent, method, how)
	case kind != "card":
		c.startDebit(intent, method)
		return nil
	}
	card := cardsByToken[str(method.obj, "_card")]
	if card == nil {
		return c.declineCharge(intent, method, declineNotTest, nil)
	}
	if card.decline != nil {
		return c.declineCharge(intent, method, card.decline, nil)
	}
	if !card.needsAuth(how.offSession, flag(method.obj, "_set_up"), how.ask3DS) {
		return c.takeMoney(intent, method, nil)
	}
	return c.askCustomer(intent, method, how)
}

// confirmWallet is confirm for PayPal and Link.
func (c *call) confirmWallet(intent, method *record, how confirmation) *apiError {
	if needsWallet(method.obj, how.offSession) {
		return c.askCustomer(intent, method, how)
	}
	c.approveWallet(method)
	return c.takeMoney(intent, method, nil)
}

// askCustomer leaves the intent waiting for the customer at their bank or wallet, or declines it when they are not there.
func (c *call) askCustomer(intent, method *record, how confirmation) *apiError {
	o := intent.obj
	if how.offSession || how.errorOnAuth {
		d := decline{"authentication_required", "authentication_required", messageAuthRequired}
		return c.declineCharge(intent, method, &d, nil)
	}
	o["status"], o["_return_url"] = "requires_action", how.returnURL
	if how.returnURL != "" || how.hosted || isWallet(str(method.obj, "type")) {
		link := c.base + "/c/authenticate/" + intent.id + "?client_secret=" + url.QueryEscape(str(o, "client_secret"))
		o["next_action"] = object{"type": "redirect_to_url", "redirect_to_url": object{"return_url": orNil(how.returnURL), "url": link}}
	} else {
		o["next_action"] = object{"type": "use_stripe_sdk", "use_stripe_sdk": object{"type": "three_d_secure_redirect", "stripe_js": c.base + "/c/authenticate/" + intent.id + "?client_secret=" + url.QueryEscape(str(o, "client_secret")), "source": "src_3" + randomText(20)}}
	}
	c.emit("payment_intent.requires_action", o, nil)
	return nil
}

// authenticate is the customer's answer on the bank's page. Anything but an intent that waits for it is left alone, so
// a second click does nothing.
func (c *call) authenticate(intent *record, approved bool) *apiError {
	method := c.get(c.account, str(intent.obj, "payment_method"))
	if str(intent.obj, "status") != "requires_action" || method == nil {
		return nil
	}
	intent.obj["next_action"] = nil
	c.touch(intent)
	if isWallet(str(method.obj, "type")) {
		if !approved {
			return c.failRedirect(intent, method)
		}
		c.approveWallet(method)
		return c.takeMoney(intent, method, nil)
	}
	card := cardsByToken[str(method.obj, "_card")]
	proof := object{"authentication_flow": "challenge", "electronic_commerce_indicator": "05", "exemption_indicator": nil, "result": "authenticated", "result_reason": nil, "transaction_id": randomText(24), "version": "2.2.0"}
	switch {
	case !approved:
		return c.failAuthentication(intent, method)
	case card.auth == authBrokenBank:
		return c.declineCharge(intent, method, declineProcessing, nil)
	case card.authResult != nil:
		return c.declineCharge(intent, method, card.authResult, proof)
	}
	return c.takeMoney(intent, method, proof)
}

// failAuthentication ends an attempt before there was a charge.
func (c *call) failAuthentication(intent, method *record) *apiError {
	e := &apiError{status: http.StatusPaymentRequired, kind: "invalid_request_error", code: "payment_intent_authentication_failure", message: messageNoAuth, executed: true}
	c.failIntent(intent, method, e)
	return e
}

func (c *call) failIntent(intent, method *record, e *apiError) {
	e.method = method.obj
	o := intent.obj
	o["status"], o["payment_method"], o["processing"] = "requires_payment_method", nil, nil
	o["last_payment_error"] = sub(e.body(""), "error")
	c.touch(intent)
	c.emit("payment_intent.payment_failed", o, nil)
	e.intent = o
}

func (c *call) declineCharge(intent, method *record, d *decline, proof object) *apiError {
	e := cardError(d)
	charge := c.newCharge(intent, method, proof)
	o := charge.obj
	o["status"], o["paid"], o["captured"] = "failed", false, false
	o["amount_captured"] = int64(0)
	o["failure_code"], o["failure_message"] = d.code, d.message
	o["receipt_url"] = nil
	o["outcome"] = outcomeOf(method, d)
	e.charge = charge.id
	intent.obj["latest_charge"] = charge.id
	c.emit("charge.failed", o, nil)
	c.failIntent(intent, method, e)
	return e
}

// takeMoney charges what pays at once: a card, or a wallet, whose charges Stripe books as payments.
func (c *call) takeMoney(intent, method *record, proof object) *apiError {
	charge := c.newCharge(intent, method, proof)
	card := cardsByToken[str(method.obj, "_card")]
	available := c.now + cardPendingDays*daySeconds
	if card != nil && card.instant {
		available = c.now
	}
	kind := "charge"
	if card == nil {
		kind = "payment"
	}
	c.settleCharge(intent, charge, kind, available)
	c.afterUse(intent, method)
	if card != nil && card.dispute != "" {
		c.openDispute(charge, num(charge.obj, "amount"), card.dispute, card.inquiry)
	}
	return nil
}

// settleCharge makes a charge and its intent succeed.
func (c *call) settleCharge(intent, charge *record, kind string, availableOn int64) {
	c.takeCharge(charge, kind, availableOn)
	i := intent.obj
	i["status"], i["amount_received"], i["latest_charge"], i["processing"], i["next_action"] = "succeeded", num(charge.obj, "amount"), charge.id, nil, nil
	c.touch(intent)
	c.emit("payment_intent.succeeded", i, nil)
}

// takeCharge makes a charge succeed: its money is in the balance.
func (c *call) takeCharge(charge *record, kind string, availableOn int64) {
	o := charge.obj
	amount := num(o, "amount")
	o["status"], o["paid"], o["captured"], o["amount_captured"] = "succeeded", true, true, amount
	o["balance_transaction"] = c.book(entry{kind: kind, category: "charge", amount: amount, charged: true, currency: str(o, "currency"), source: charge.id, description: str(o, "description"), availableOn: availableOn})
	o["receipt_url"] = c.base + "/receipts/" + charge.id
	c.touch(charge)
	c.emit("charge.succeeded", o, nil)
}

// afterUse keeps or burns the method: one that was not saved with a customer cannot be used again
// (https://stripe.com/docs/api/payment_methods).
func (c *call) afterUse(intent, method *record) {
	customer := str(intent.obj, "customer")
	if str(method.obj, "customer") != "" {
		return
	}
	if r := c.getKind(c.account, "customer", customer); r == nil || flag(r.obj, "deleted") {
		customer = "" // deleted while the bank asked: there is nobody to save it for
	}
	if customer == "" || usageFor(intent.obj, str(method.obj, "type")) == "" {
		method.obj["_consumed"] = true
		c.touch(method)
		return
	}
	method.obj["_set_up"] = true
	c.attach(method, customer)
}

// usageFor is the setup_future_usage that counts for a type of payment method: its own option goes before the intent's
// (https://stripe.com/docs/api/payment_intents/create#create_payment_intent-payment_method_options). "" is none.
func usageFor(intent object, kind string) string {
	usage := str(sub(sub(intent, "payment_method_options"), kind), "setup_future_usage")
	if usage == "" {
		usage = str(intent, "setup_future_usage")
	}
	if usage == "none" {
		return ""
	}
	return usage
}

// cancelIntent ends an intent that has taken nothing. Of those in processing only the debit that never ends can still be
// stopped (pm_usBankAccount_processing), which is what Stripe calls rare cases.
func (c *call) cancelIntent(intent *record, reason string) *apiError {
	status := str(intent.obj, "status")
	_, due := intent.obj["_settle_at_ms"]
	switch {
	case status == "requires_payment_method" || status == "requires_confirmation" || status == "requires_action":
	case status == "processing" && !due:
		if charge := c.getKind(c.account, "charge", str(intent.obj, "latest_charge")); charge != nil {
			c.failCharge(charge, "payment_intent_canceled", "The payment was canceled before the bank took it.")
		}
	default:
		e := invalid("payment_intent_unexpected_state", "", "You cannot cancel this PaymentIntent because it has a status of %s. Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, requires_reauthorization, requires_confirmation, requires_action, processing.", status)
		e.intent = intent.obj
		return e
	}
	o := intent.obj
	o["status"], o["canceled_at"], o["cancellation_reason"], o["next_action"] = "canceled", c.now, orNil(reason), nil
	c.touch(intent)
	c.emit("payment_intent.canceled", o, nil)
	return nil
}

func absoluteURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
