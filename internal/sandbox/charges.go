package sandbox

import "maps"

func (c *call) newCharge(intent, method *record, proof object) *record {
	i, m := intent.obj, method.obj
	kind := str(m, "type")
	return c.add(c.account, object{
		"id": chargeID(kind), "object": "charge", "amount": num(i, "amount"), "amount_captured": int64(0), "amount_refunded": int64(0),
		"application": nil, "application_fee": nil, "application_fee_amount": nil, "balance_transaction": nil,
		"billing_details": clone(m["billing_details"]), "calculated_statement_descriptor": withDefault(i["statement_descriptor"], "SANDBOX MERCHANT"),
		"captured": true, "created": c.now, "currency": str(i, "currency"), "customer": i["customer"], "description": i["description"],
		"disputed": false, "failure_balance_transaction": nil, "failure_code": nil, "failure_message": nil, "fraud_details": object{},
		"invoice": nil, "livemode": false, "metadata": maps.Clone(sub(i, "metadata")), "on_behalf_of": nil, "outcome": outcomeOf(method, nil),
		"paid": false, "payment_intent": intent.id, "payment_method": method.id, "payment_method_details": c.chargeDetails(m, num(i, "amount"), proof),
		"receipt_email": i["receipt_email"], "receipt_number": nil, "receipt_url": nil, "refunded": false, "review": nil, "shipping": i["shipping"],
		"source_transfer": nil, "statement_descriptor": i["statement_descriptor"], "statement_descriptor_suffix": i["statement_descriptor_suffix"],
		"status": "pending", "transfer_data": nil, "transfer_group": nil, "_card": str(m, "_card"),
	})
}

// chargeID begins with py_ for what is not a card, as at Stripe.
func chargeID(kind string) string {
	if kind == "card" {
		return newID("ch")
	}
	return newID("py")
}

func (c *call) chargeDetails(method object, amount int64, proof object) object {
	kind := str(method, "type")
	details := maps.Clone(sub(method, kind))
	switch kind {
	case "card":
		for _, key := range []string{"networks", "three_d_secure_usage", "generated_from"} {
			delete(details, key)
		}
		card := cardsByToken[str(method, "_card")]
		maps.Copy(details, object{
			"amount_authorized": amount, "extended_authorization": object{"status": "disabled"}, "incremental_authorization": object{"status": "unavailable"},
			"installments": nil, "mandate": nil, "multicapture": object{"status": "unavailable"}, "network": details["brand"], "network_token": object{"used": false},
			"overcapture": object{"maximum_amount_capturable": amount, "status": "unavailable"}, "three_d_secure": nil,
			"checks": cardChecks(card, sub(details, "checks"), sub(sub(method, "billing_details"), "address")),
		})
		if proof != nil {
			details["three_d_secure"] = proof
		}
	case "us_bank_account":
		for _, key := range []string{"financial_connections_account", "networks", "status_details"} {
			delete(details, key)
		}
	case "sepa_debit":
		delete(details, "generated_from")
		details["mandate"] = nil
	case "bacs_debit":
		details["mandate"] = nil
	case "paypal", "link":
		details = walletDetails(method)
	}
	return object{"type": kind, kind: details}
}

// cardChecks are what the bank says about the address: only of fields that were given.
func cardChecks(card *testCard, kept, address object) object {
	check := func(given any, fails bool) any {
		switch {
		case given == nil:
			return nil
		case fails:
			return "fail"
		}
		return "pass"
	}
	return object{
		"address_line1_check":       check(address["line1"], card != nil && card.lineFails),
		"address_postal_code_check": check(address["postal_code"], card != nil && card.zipFails),
		"cvc_check":                 kept["cvc_check"],
	}
}

func outcomeOf(method *record, d *decline) object {
	if str(method.obj, "type") != "card" {
		return object{"network_status": "approved_by_network", "reason": nil, "risk_level": "not_assessed", "seller_message": "Payment complete.", "type": "authorized"}
	}
	risk, score := "normal", int64(32)
	if card := cardsByToken[str(method.obj, "_card")]; card != nil {
		risk = card.risk
	}
	switch risk {
	case "elevated":
		score = 70
	case "highest":
		score = 90
	}
	out := object{"network_status": "approved_by_network", "reason": nil, "risk_level": risk, "risk_score": score, "seller_message": "Payment complete.", "type": "authorized"}
	switch {
	case d == nil:
	case risk == "highest":
		out["network_status"], out["reason"], out["type"] = "not_sent_to_network", "highest_risk_level", "blocked"
		out["seller_message"] = "Stripe blocked this payment as too risky."
	default:
		out["network_status"], out["reason"], out["type"] = "declined_by_network", d.declineCode, "issuer_declined"
		out["seller_message"] = "The bank returned the decline code `" + d.declineCode + "`."
	}
	return out
}

func getCharge(c *call) (any, *apiError) {
	if r := c.getKind(c.account, "charge", c.path("charge")); r != nil {
		return r.obj, nil
	}
	return nil, missing("charge", "id", c.path("charge"))
}

func listCharges(c *call) (any, *apiError) {
	return c.listOf(c.among("charge", "payment_intent"), "charge", "/v1/charges", c.equals("customer", "payment_intent", "transfer_group"))
}

func updateCharge(c *call) (any, *apiError) {
	r := c.getKind(c.account, "charge", c.path("charge"))
	if r == nil {
		return nil, missing("charge", "id", c.path("charge"))
	}
	for _, name := range []string{"customer", "transfer_group", "fraud_details", "shipping"} {
		if _, ok := c.params[name]; ok {
			return nil, notInSandbox(name, "changes of a charge's "+name)
		}
	}
	changed := maps.Clone(r.obj)
	var err *apiError
	if changed["metadata"], err = mergeMetadata(sub(r.obj, "metadata"), c.params); err != nil {
		return nil, err
	}
	for _, key := range []string{"description", "receipt_email"} {
		if _, ok := c.params[key]; ok {
			changed[key] = given(c.params, key)
		}
	}
	c.replace(r, changed, "charge.updated")
	return r.obj, nil
}

// chargeOf finds the charge behind a charge, intent or session id; nil when no money was taken.
func (c *call) chargeOf(id string) *record {
	r := c.get(c.account, id)
	if r == nil {
		return nil
	}
	switch r.kind {
	case "charge":
		return r
	case "payment_intent":
		return c.getKind(c.account, "charge", str(r.obj, "latest_charge"))
	case "checkout.session":
		return c.chargeOf(str(r.obj, "_payment_intent"))
	}
	return nil
}
