package sandbox

import "maps"

// refundLaterMs is how long a refund of the test cards 7726 and 5126 stays pending; at Stripe it is "some time".
const refundLaterMs = 2000

func createRefund(c *call) (any, *apiError) {
	for name, what := range map[string]string{"refund_application_fee": "Connect", "reverse_transfer": "Connect", "origin": "refunds from a customer balance", "customer": "refunds from a customer balance"} {
		if given(c.params, name) != nil {
			return nil, notInSandbox(name, what)
		}
	}
	id, param, kind := str(c.params, "charge"), "charge", "charge"
	intent := str(c.params, "payment_intent")
	switch {
	case id == "" && intent == "":
		return nil, invalid("parameter_missing", "charge", "One of the following params should be provided for this request: payment_intent or charge.")
	case id == "":
		id, param, kind = intent, "payment_intent", "payment_intent"
	case intent != "":
		if r := c.getKind(c.account, "charge", id); r == nil || str(r.obj, "payment_intent") != intent {
			return nil, invalid("", "payment_intent", "The charge %s does not belong to the payment intent %s.", cut(id), cut(intent))
		}
	}
	if c.getKind(c.account, kind, id) == nil {
		return nil, missingParam(kind, param, id)
	}
	charge := c.chargeOf(id)
	if charge == nil {
		return nil, invalid("", param, "This PaymentIntent (%s) does not have a successful charge to refund.", id)
	}
	metadata, err := mergeMetadata(nil, c.params)
	if err != nil {
		return nil, err
	}
	var amount int64 = -1
	if v, ok := c.params["amount"].(int64); ok {
		if v < 1 {
			return nil, invalid("parameter_invalid_integer", "amount", "This value must be greater than or equal to 1.")
		}
		amount = v
	}
	r, err := c.refund(charge, amount, str(c.params, "reason"), metadata)
	if err != nil {
		return nil, err
	}
	return r.obj, nil
}

// refund gives money back; a negative amount means all that is left.
func (c *call) refund(charge *record, amount int64, reason string, metadata object) (*record, *apiError) {
	return c.refundAs(charge, amount, reason, metadata, "")
}

// mayRefund is the amount that can be refunded when the given one is asked for, or why it cannot.
func mayRefund(charge *record, amount int64) (int64, *apiError) {
	o := charge.obj
	left := num(o, "amount_captured") - num(o, "amount_refunded")
	currency := str(o, "currency")
	switch {
	case str(o, "status") == "pending":
		return 0, invalid("charge_not_refundable", "", "Charge %s is still pending and cannot be refunded yet.", charge.id)
	case str(o, "status") != "succeeded":
		return 0, invalid("", "", "This PaymentIntent (%s) does not have a successful charge to refund.", str(o, "payment_intent"))
	case left == 0:
		return 0, invalid("charge_already_refunded", "", "Charge %s has already been refunded.", charge.id)
	case flag(o, "disputed") && !flag(o, "_refundable_dispute"):
		return 0, invalid("charge_disputed", "", "Charge %s has been charged back; cannot issue a refund.", charge.id)
	case amount < 0:
		amount = left
	case amount > left:
		if num(o, "amount_refunded") > 0 {
			return 0, invalid("", "amount", "Refund amount (%s) is greater than unrefunded amount on charge (%s)", formatMoney(amount, currency), formatMoney(left, currency))
		}
		return 0, invalid("", "amount", "Refund amount (%s) is greater than charge amount (%s)", formatMoney(amount, currency), formatMoney(left, currency))
	}
	return amount, checkUnits(amount, currency, "amount")
}

// refundAs is refund with a status that the refund keeps until someone settles or fails it; "" is what the card says.
func (c *call) refundAs(charge *record, amount int64, reason string, metadata object, status string) (*record, *apiError) {
	amount, err := mayRefund(charge, amount)
	if err != nil {
		return nil, err
	}
	o := charge.obj
	currency := str(o, "currency")
	card := cardsByToken[str(o, "_card")]
	prefix, kind := "re", "refund"
	destination := object{"type": "card", "card": object{"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}}
	if card == nil {
		prefix, kind = "pyr", "payment_refund"
		destination = object{"type": "bank_transfer"}
		switch str(sub(o, "payment_method_details"), "type") {
		case "us_bank_account":
			destination = object{"type": "us_bank_transfer", "us_bank_transfer": object{}}
		case "paypal":
			destination = object{"type": "paypal", "paypal": object{}}
		}
	}
	if metadata == nil {
		metadata = object{}
	}
	refund := object{
		"id": newID(prefix), "object": "refund", "amount": amount, "balance_transaction": nil, "charge": charge.id, "created": c.now, "currency": currency,
		"destination_details": destination, "metadata": metadata, "payment_intent": o["payment_intent"], "reason": orNil(reason), "receipt_number": nil,
		"source_transfer_reversal": nil, "status": "succeeded", "transfer_reversal": nil,
	}
	if destination["type"] == "bank_transfer" {
		delete(refund, "destination_details")
	}
	if status != "" {
		refund["status"] = status
	} else if card != nil && card.refund != "" {
		refund["_settle_at_ms"] = c.Server.now().UnixMilli() + refundLaterMs
		// The one card's refunds are pending until they succeed, the other's succeed at first and fail later.
		if card.refund == "failed" {
			refund["_refund_failure"] = "expired_or_canceled_card"
		} else {
			refund["status"] = "pending"
		}
	}
	r := c.add(c.account, refund)
	refund["balance_transaction"] = c.book(entry{kind: kind, category: "refund", amount: -amount, currency: currency, source: r.id, description: "REFUND FOR CHARGE", availableOn: c.now})
	o["amount_refunded"] = num(o, "amount_refunded") + amount
	o["refunded"] = num(o, "amount_refunded") == num(o, "amount_captured")
	c.touch(charge)
	c.emit("refund.created", refund, nil)
	c.emit("charge.refunded", o, object{"amount_refunded": num(o, "amount_refunded") - amount, "refunded": false})
	if flag(o, "refunded") {
		c.closeInquiries(charge.id)
	}
	return r, nil
}

// finishRefund ends a refund that is still on its way: a failed one puts the money back into the balance.
func (c *call) finishRefund(r *record, failure string) {
	changed := maps.Clone(r.obj)
	delete(changed, "_settle_at_ms")
	delete(changed, "_refund_failure")
	changed["status"] = "succeeded"
	if failure != "" {
		c.undoRefund(changed, "failed", failure)
	}
	c.replace(r, changed, "refund.updated")
	c.emit("charge.refund.updated", r.obj, nil)
}

var refundFailures = []string{"charge_for_pending_refund_disputed", "declined", "expired_or_canceled_card", "insufficient_funds", "lost_or_stolen_card", "merchant_request", "unknown"}

// undoRefund gives the amount back to the charge and the balance.
func (c *call) undoRefund(refund object, status, failure string) {
	refund["status"] = status
	amount, currency := num(refund, "amount"), str(refund, "currency")
	text := map[string]string{"failed": "REFUND FAILURE", "canceled": "REFUND CANCELED"}[status]
	refund["failure_reason"] = failure
	refund["failure_balance_transaction"] = c.book(entry{kind: "refund_failure", category: "refund_failure", amount: amount, currency: currency, source: str(refund, "id"), description: text, availableOn: c.now})
	if charge := c.getKind(c.account, "charge", str(refund, "charge")); charge != nil {
		charge.obj["amount_refunded"] = num(charge.obj, "amount_refunded") - amount
		charge.obj["refunded"] = false
		c.touch(charge)
		c.emit("charge.updated", charge.obj, nil)
	}
}

func (c *call) refundOfPath() (*record, *apiError) {
	if r := c.getKind(c.account, "refund", c.path("refund")); r != nil {
		return r, nil
	}
	return nil, missing("refund", "refund", c.path("refund"))
}

func getRefund(c *call) (any, *apiError) {
	r, err := c.refundOfPath()
	if err != nil {
		return nil, err
	}
	return r.obj, nil
}

func listRefunds(c *call) (any, *apiError) {
	return c.listOf(c.among("refund", "charge", "payment_intent"), "refund", "/v1/refunds", c.equals("charge", "payment_intent"))
}

func updateRefund(c *call) (any, *apiError) {
	r, err := c.refundOfPath()
	if err != nil {
		return nil, err
	}
	changed := maps.Clone(r.obj)
	if changed["metadata"], err = mergeMetadata(sub(r.obj, "metadata"), c.params); err != nil {
		return nil, err
	}
	before := r.obj
	c.replace(r, changed, "refund.updated")
	if !equalJSON(before["metadata"], changed["metadata"]) {
		c.emit("charge.refund.updated", r.obj, object{"metadata": before["metadata"]})
	}
	return r.obj, nil
}

func cancelRefund(c *call) (any, *apiError) {
	r, err := c.refundOfPath()
	if err != nil {
		return nil, err
	}
	if str(r.obj, "status") != "pending" {
		return nil, invalid("", "", "You cannot cancel this refund because it has a status of %s; only a pending refund can be canceled.", str(r.obj, "status"))
	}
	changed := maps.Clone(r.obj)
	delete(changed, "_settle_at_ms")
	delete(changed, "_refund_failure")
	c.undoRefund(changed, "canceled", "merchant_request")
	c.replace(r, changed, "refund.updated")
	c.emit("charge.refund.updated", r.obj, nil)
	return r.obj, nil
}
