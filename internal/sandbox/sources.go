package sandbox

import (
	"maps"
	"slices"
	"strings"
)

// Sources are what Stripe had before payment methods: card_… on a customer and src_… (https://stripe.com/docs/payments/older-apis).
// Stripe shows each of them as a payment method with the same id as well, and that is how they are kept here: as a
// payment method with the note _legacy ("card" or "source"). The older shapes are made from it when they are asked for,
// so that the two can never disagree.

func isLegacy(method object) bool { return str(method, "_legacy") != "" }

// sourceView is the older shape of a legacy payment method.
func sourceView(method object) object {
	card, billing := sub(method, "card"), sub(method, "billing_details")
	address := sub(billing, "address")
	checks := cardChecks(cardsByToken[str(method, "_card")], sub(card, "checks"), address)
	brand := withDefault(orNil(printedBrands[str(card, "brand")]), "Unknown")
	if str(method, "_legacy") == "card" {
		return object{
			"id": method["id"], "object": "card", "address_city": address["city"], "address_country": address["country"], "address_line1": address["line1"],
			"address_line1_check": checks["address_line1_check"], "address_line2": address["line2"], "address_state": address["state"],
			"address_zip": address["postal_code"], "address_zip_check": checks["address_postal_code_check"], "brand": brand, "country": card["country"],
			"customer": method["customer"], "cvc_check": checks["cvc_check"], "dynamic_last4": nil, "exp_month": card["exp_month"], "exp_year": card["exp_year"],
			"fingerprint": card["fingerprint"], "funding": card["funding"], "last4": card["last4"], "metadata": method["metadata"],
			"name": billing["name"], "tokenization_method": nil,
		}
	}
	var place any
	if slices.ContainsFunc(slices.Collect(maps.Values(address)), func(v any) bool { return v != nil }) {
		place = address
	}
	out := object{
		"id": method["id"], "object": "source", "amount": nil, "client_secret": method["_client_secret"], "created": method["created"], "currency": nil,
		"flow": "none", "livemode": false, "metadata": method["metadata"],
		"owner": object{"address": place, "email": billing["email"], "name": billing["name"], "phone": billing["phone"],
			"verified_address": nil, "verified_email": nil, "verified_name": nil, "verified_phone": nil},
		"statement_descriptor": nil, "status": map[bool]string{true: "consumed", false: "chargeable"}[flag(method, "_consumed")],
		"type": "card", "usage": method["_usage"],
		"card": object{
			"address_line1_check": checks["address_line1_check"], "address_zip_check": checks["address_postal_code_check"], "brand": brand,
			"country": card["country"], "cvc_check": checks["cvc_check"], "dynamic_last4": nil, "exp_month": card["exp_month"], "exp_year": card["exp_year"],
			"fingerprint": card["fingerprint"], "funding": card["funding"], "last4": card["last4"], "name": billing["name"],
			"three_d_secure": "optional", "tokenization_method": nil,
		},
	}
	if customer := str(method, "customer"); customer != "" {
		out["customer"] = customer
	}
	return out
}

// sourcesOf lists a customer's legacy cards and sources, newest first.
func (c *call) sourcesOf(customer string) []object {
	var out []object
	for _, r := range slices.Backward(c.account.kinds["payment_method"]) {
		if isLegacy(r.obj) && str(r.obj, "customer") == customer {
			out = append(out, sourceView(r.obj))
		}
	}
	return out
}

// checkSource refuses a token or source that cannot be saved, before anything is made of it.
func (c *call) checkSource(id, param string) *apiError {
	card, isTest := cardsByToken[strings.TrimPrefix(id, "tok_")]
	r := c.get(c.account, id)
	switch {
	case isTest && strings.HasPrefix(id, "tok_"):
	case r != nil && r.kind == "token" && flag(r.obj, "used"):
		return tokenUsed(id, param)
	case r != nil && str(r.obj, "_legacy") == "source" && str(r.obj, "customer") != "":
		return invalid("", param, "The source you provided has already been attached to a customer.")
	case r != nil && str(r.obj, "_legacy") == "source" && flag(r.obj, "_consumed"):
		return invalid("", param, "This source was consumed or detached before and cannot be used again: %s", id)
	case r != nil && (r.kind == "token" || str(r.obj, "_legacy") == "source"):
		card = cardsByToken[str(r.obj, "_card")]
	case strings.HasPrefix(id, "tok_"):
		return missingParam("token", param, id)
	default:
		return missingParam("source", param, id)
	}
	if card != nil && card.decline != nil && !card.attaches {
		return cardError(card.decline)
	}
	return nil
}

// saveSource adds a token's card, or a source, that checkSource has looked at to a customer; the first one becomes the
// default. Stripe has given a token's card its id with the token already.
func (c *call) saveSource(customer *record, id string) *record {
	method := c.getKind(c.account, "payment_method", id)
	if method == nil {
		card := "card_1" + randomText(23)
		if r := c.getKind(c.account, "token", id); r != nil {
			card = str(sub(r.obj, "card"), "id")
		}
		d, err := c.tokenCard(id, "source")
		if err != nil {
			panic("sandbox: a token was not checked before it was saved: " + err.Error())
		}
		o := c.newCardMethod(d)
		o["id"], o["_legacy"] = card, "card"
		method = c.add(c.account, o)
	}
	c.attach(method, customer.id)
	c.emit("customer.source.created", sourceView(method.obj), nil)
	if customer.obj["default_source"] == nil {
		c.setDefaultSource(customer, method.id)
	}
	return method
}

// replaceSource makes a new source the customer's default and removes the one it replaces, as `source` in an update of a
// customer does (https://stripe.com/docs/api/customers/update#update_customer-source).
func (c *call) replaceSource(customer *record, id string) {
	old := c.getKind(c.account, "payment_method", str(customer.obj, "default_source"))
	method := c.saveSource(customer, id)
	c.setDefaultSource(customer, method.id)
	if old != nil {
		c.detach(old)
	}
}

func (c *call) setDefaultSource(customer *record, id string) {
	changed := maps.Clone(customer.obj)
	changed["default_source"] = orNil(id)
	c.replace(customer, changed, "customer.updated")
}

// sourceDetached tells of a legacy card that has left its customer, and moves the default on to the newest that is left.
func (c *call) sourceDetached(method, customer *record) {
	c.emit("customer.source.deleted", sourceView(method.obj), nil)
	if customer == nil || str(customer.obj, "default_source") != method.id {
		return
	}
	next := ""
	if left := c.sourcesOf(customer.id); len(left) > 0 {
		next = str(left[0], "id")
	}
	c.setDefaultSource(customer, next)
}

func createCustomerSource(c *call) (any, *apiError) {
	customer, err := c.customerOfPath("customer")
	if err != nil {
		return nil, err
	}
	for name, what := range map[string]string{"bank_account": "legacy bank accounts", "alipay_account": "Alipay accounts"} {
		if c.params[name] != nil {
			return nil, notInSandbox(name, what)
		}
	}
	param := "source"
	if c.params["source"] == nil && c.params["card"] != nil {
		param = "card"
	}
	if details := sub(c.params, param); details != nil {
		return nil, rawCardNumber()
	}
	id := str(c.params, param)
	if id == "" {
		return nil, invalid("parameter_missing", "source", "Missing required param: source.")
	}
	metadata, err := mergeMetadata(nil, c.params)
	if err != nil {
		return nil, err
	}
	if err := c.checkSource(id, param); err != nil {
		return nil, err
	}
	method := c.saveSource(customer, id)
	if len(metadata) > 0 {
		method.obj["metadata"] = metadata
	}
	return sourceView(method.obj), nil
}

// customerSource is the legacy card of the path, if it is this customer's.
func (c *call) customerSource() (*record, *apiError) {
	if _, err := c.customerOfPath("customer"); err != nil {
		return nil, err
	}
	r := c.getKind(c.account, "payment_method", c.path("id"))
	if r == nil || !isLegacy(r.obj) || str(r.obj, "customer") != c.path("customer") {
		return nil, missing("source", "id", c.path("id"))
	}
	return r, nil
}

func getCustomerSource(c *call) (any, *apiError) {
	r, err := c.customerSource()
	if err != nil {
		return nil, err
	}
	return sourceView(r.obj), nil
}

func listCustomerSources(c *call) (any, *apiError) {
	if _, err := c.customerOfPath("customer"); err != nil {
		return nil, err
	}
	all := c.sourcesOf(c.path("customer"))
	kind := str(c.params, "object")
	return c.page(len(all), func(i int) object { return all[i] }, "/v1/customers/"+c.path("customer")+"/sources", func(o object) bool {
		return kind == "" || str(o, "object") == kind
	})
}

func updateCustomerSource(c *call) (any, *apiError) {
	r, err := c.customerSource()
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"account_holder_name", "account_holder_type"} {
		if c.params[name] != nil {
			return nil, notInSandbox(name, "legacy bank accounts")
		}
	}
	changed := maps.Clone(r.obj)
	if changed["metadata"], err = mergeMetadata(sub(r.obj, "metadata"), c.params); err != nil {
		return nil, err
	}
	card := maps.Clone(sub(r.obj, "card"))
	for _, name := range []string{"exp_month", "exp_year"} {
		if text := str(c.params, name); text != "" {
			card[name] = digitsOf(text)
		}
	}
	if m, y := num(card, "exp_month"), num(card, "exp_year"); m < 1 || m > 12 || y < 2000 || y > 2099 {
		return nil, invalid("", "exp_month", "Your card's expiration date is invalid: the month must be 1 to 12, the year have four digits.")
	}
	changed["card"] = card
	billing := clone(sub(r.obj, "billing_details")).(object)
	address := sub(billing, "address")
	for param, name := range map[string]string{"address_city": "city", "address_country": "country", "address_line1": "line1", "address_line2": "line2", "address_state": "state", "address_zip": "postal_code"} {
		if _, ok := c.params[param]; ok {
			address[name] = given(c.params, param)
		}
	}
	if _, ok := c.params["name"]; ok {
		billing["name"] = given(c.params, "name")
	}
	if owner := sub(c.params, "owner"); owner != nil {
		billing = billingDetails(mergeBilling(billing, owner))
	}
	changed["billing_details"] = billing
	c.replace(r, changed, "")
	c.emit("customer.source.updated", sourceView(r.obj), nil)
	return sourceView(r.obj), nil
}

func deleteCustomerSource(c *call) (any, *apiError) {
	r, err := c.customerSource()
	if err != nil {
		return nil, err
	}
	c.detach(r)
	if str(r.obj, "_legacy") == "source" {
		return sourceView(r.obj), nil
	}
	return object{"id": r.id, "object": "card", "deleted": true}, nil
}

var unmodelledSource = map[string]string{
	"amount": "sources with an amount", "mandate": "mandates", "original_source": "cloning of sources", "receiver": "sources that receive", "redirect": "sources that redirect",
	"source_order": "orders of sources", "statement_descriptor": "statement descriptors of sources",
}

func createSource(c *call) (any, *apiError) {
	if err := c.refuseUnmodelled(unmodelledSource); err != nil {
		return nil, err
	}
	kind := str(c.params, "type")
	switch {
	case kind == "":
		return nil, invalid("parameter_missing", "type", "Missing required param: type.")
	case kind != "card":
		return nil, notInSandbox("type", "sources of another type than card")
	case str(c.params, "customer") != "":
		return nil, notInSandbox("customer", "cloning of sources")
	case str(c.params, "token") == "":
		return nil, invalid("parameter_missing", "token", "Missing required param: token.")
	}
	metadata, err := mergeMetadata(nil, c.params)
	if err != nil {
		return nil, err
	}
	d, err := c.tokenCard(str(c.params, "token"), "token")
	if err != nil {
		return nil, err
	}
	o := c.newCardMethod(d)
	id := "src_1" + randomText(23)
	if owner := sub(c.params, "owner"); owner != nil {
		o["billing_details"] = billingDetails(mergeBilling(sub(o, "billing_details"), owner))
	}
	maps.Copy(o, object{"id": id, "metadata": metadata, "_legacy": "source", "_client_secret": "src_client_secret_" + randomText(24),
		"_usage": withDefault(given(c.params, "usage"), "reusable")})
	r := c.add(c.account, o)
	view := sourceView(r.obj)
	c.emit("source.chargeable", view, nil)
	return view, nil
}

func (c *call) sourceOfPath() (*record, *apiError) {
	r := c.getKind(c.account, "payment_method", c.path("source"))
	if r == nil || str(r.obj, "_legacy") != "source" {
		return nil, missing("source", "source", c.path("source"))
	}
	return r, nil
}

func getSource(c *call) (any, *apiError) {
	r, err := c.sourceOfPath()
	if err != nil {
		return nil, err
	}
	if secret := str(c.params, "client_secret"); secret != "" && secret != str(r.obj, "_client_secret") {
		return nil, invalid("", "client_secret", "The client_secret provided does not match the client_secret associated with this object.")
	}
	return sourceView(r.obj), nil
}

func updateSource(c *call) (any, *apiError) {
	if err := c.refuseUnmodelled(unmodelledSource); err != nil {
		return nil, err
	}
	r, err := c.sourceOfPath()
	if err != nil {
		return nil, err
	}
	changed := maps.Clone(r.obj)
	if changed["metadata"], err = mergeMetadata(sub(r.obj, "metadata"), c.params); err != nil {
		return nil, err
	}
	if owner := sub(c.params, "owner"); owner != nil {
		changed["billing_details"] = billingDetails(mergeBilling(sub(r.obj, "billing_details"), owner))
	}
	c.replace(r, changed, "")
	return sourceView(r.obj), nil
}
