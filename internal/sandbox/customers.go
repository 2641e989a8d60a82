package sandbox

import (
	"maps"
	"slices"
	"strings"
)

// defaultCurrency is a new account's, which is a British one.
const defaultCurrency = "gbp"

func accountObject(id string, now int64) object {
	return object{
		"id": id, "object": "account", "business_profile": object{
			"mcc": nil, "name": "Sandbox merchant", "product_description": nil, "support_address": nil, "support_email": nil,
			"support_phone": nil, "support_url": nil, "url": nil,
		},
		"business_type": "company", "capabilities": object{"card_payments": "active", "transfers": "active", "bacs_debit_payments": "active", "sepa_debit_payments": "active", "us_bank_account_ach_payments": "active"},
		"charges_enabled": true, "controller": object{"type": "account"}, "country": "GB", "created": now, "default_currency": defaultCurrency,
		"details_submitted": true, "email": "merchant@sandbox.invalid", "metadata": object{}, "payouts_enabled": true, "type": "standard",
		"settings": object{
			"bacs_debit_payments": object{"display_name": nil, "service_user_number": nil},
			"branding":            object{"icon": nil, "logo": nil, "primary_color": nil, "secondary_color": nil},
			"card_payments":       object{"statement_descriptor_prefix": nil, "statement_descriptor_prefix_kana": nil, "statement_descriptor_prefix_kanji": nil},
			"dashboard":           object{"display_name": "Sandbox merchant", "timezone": "Etc/UTC"},
			"payments":            object{"statement_descriptor": nil, "statement_descriptor_kana": nil, "statement_descriptor_kanji": nil},
			"sepa_debit_payments": object{},
		},
	}
}

// openAccount finds the account, making it with its account object on its key's first use.
func (s *Server) openAccount(id string) *account {
	a := s.accountByID(id)
	if len(a.kinds["account"]) == 0 {
		s.add(a, accountObject(id, s.unix()))
		s.settle(a, s.dials.SettlementCurrency)
	}
	return a
}

func getAccount(c *call) (any, *apiError) { return c.account.kinds["account"][0].obj, nil }

func (a *account) businessName() string {
	if list := a.kinds["account"]; len(list) > 0 {
		return str(sub(list[0].obj, "business_profile"), "name")
	}
	return ""
}

// unmodelled are parameters of customers that would need parts of Stripe that are not in the box.
var unmodelledCustomer = map[string]string{
	"coupon": "coupons", "promotion_code": "promotion codes", "tax_id_data": "tax ids", "test_clock": "test clocks", "cash_balance": "cash balances",
	"card": "legacy cards in the parameters of a customer (use source)", "bank_account": "legacy bank accounts",
	"default_card": "legacy cards", "default_bank_account": "legacy bank accounts", "default_alipay_account": "Alipay accounts",
}

// refuseUnmodelled answers parameters that Stripe has and the sandbox has no effect for.
func (c *call) refuseUnmodelled(names map[string]string) *apiError {
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if given(c.params, name) != nil {
			return notInSandbox(name, names[name])
		}
	}
	return nil
}

func createCustomer(c *call) (any, *apiError) {
	if err := c.refuseUnmodelled(unmodelledCustomer); err != nil {
		return nil, err
	}
	o := object{
		"id": "cus_" + randomText(14), "object": "customer", "address": nil, "balance": int64(0), "created": c.now, "currency": nil,
		"default_source": nil, "delinquent": false, "description": nil, "discount": nil, "email": nil,
		"invoice_prefix": strings.ToUpper(randomText(8)), "livemode": false, "metadata": object{}, "name": nil,
		"invoice_settings":      object{"custom_fields": nil, "default_payment_method": nil, "footer": nil, "rendering_options": nil},
		"next_invoice_sequence": int64(1), "phone": nil, "preferred_locales": []any{}, "shipping": nil, "tax_exempt": "none", "test_clock": nil,
	}
	if err := c.fillCustomer(o); err != nil {
		return nil, err
	}
	var method *record
	settings := sub(c.params, "invoice_settings")
	if id := str(c.params, "payment_method"); id != "" {
		var err *apiError
		if method, err = c.methodForUse(id, "payment_method"); err != nil {
			return nil, err
		}
		if err := c.mayAttach(method, str(o, "id")); err != nil {
			return nil, err
		}
	}
	source := str(c.params, "source")
	if source != "" {
		if err := c.checkSource(source, "source"); err != nil {
			return nil, err
		}
	}
	r := c.add(c.account, o)
	if method != nil {
		c.attach(method, r.id)
		if str(settings, "default_payment_method") == str(c.params, "payment_method") {
			sub(r.obj, "invoice_settings")["default_payment_method"] = method.id
		}
	}
	c.emit("customer.created", r.obj, nil)
	if source != "" {
		c.saveSource(r, source)
	}
	return r.obj, nil
}

func (c *call) fillCustomer(o object) *apiError {
	metadata, err := mergeMetadata(sub(o, "metadata"), c.params)
	if err != nil {
		return err
	}
	if email := str(c.params, "email"); email != "" && !plausibleEmail(email) {
		return invalid("email_invalid", "email", "Invalid email address: %s", cut(email))
	}
	if settings := sub(c.params, "invoice_settings"); settings != nil {
		kept := maps.Clone(sub(o, "invoice_settings"))
		for _, key := range []string{"footer", "custom_fields"} {
			if _, ok := settings[key]; ok {
				kept[key] = given(settings, key)
			}
		}
		if id, ok := settings["default_payment_method"].(string); ok {
			// With a new customer it may be the method that is attached in the same request.
			if id != "" && id != str(c.params, "payment_method") {
				method := c.getKind(c.account, "payment_method", id)
				if method == nil || str(method.obj, "customer") != str(o, "id") {
					return missingParam("PaymentMethod", "invoice_settings[default_payment_method]", id)
				}
			}
			kept["default_payment_method"] = orNil(id)
		}
		o["invoice_settings"] = kept
	}
	o["metadata"] = metadata
	for _, key := range []string{"description", "email", "name", "phone", "tax_exempt", "balance", "invoice_prefix", "next_invoice_sequence"} {
		if _, ok := c.params[key]; ok {
			o[key] = given(c.params, key)
		}
	}
	if v, ok := c.params["preferred_locales"].([]any); ok {
		o["preferred_locales"] = v
	}
	if _, ok := c.params["address"]; ok {
		o["address"] = fullAddress(sub(c.params, "address"))
	}
	if _, ok := c.params["shipping"]; ok {
		o["shipping"] = shippingOf(sub(c.params, "shipping"))
	}
	return nil
}

// fullAddress has every field of an address, null where it was not given; nil for no address.
func fullAddress(a object) any {
	if a == nil {
		return nil
	}
	out := object{}
	for _, key := range []string{"city", "country", "line1", "line2", "postal_code", "state"} {
		out[key] = given(a, key)
	}
	return out
}

func shippingOf(s object) any {
	if s == nil {
		return nil
	}
	out := object{"address": withDefault(fullAddress(sub(s, "address")), object{}), "name": given(s, "name"), "phone": given(s, "phone")}
	if _, ok := s["carrier"]; ok {
		out["carrier"] = given(s, "carrier")
	}
	if _, ok := s["tracking_number"]; ok {
		out["tracking_number"] = given(s, "tracking_number")
	}
	return out
}

func plausibleEmail(email string) bool {
	name, host, ok := strings.Cut(email, "@")
	return ok && name != "" && strings.Contains(strings.Trim(host, "."), ".") && !strings.ContainsAny(email, " \t\r\n<>") && !strings.Contains(host, "@")
}

// customer finds a customer that can be worked with; a deleted one is gone.
func (c *call) customer(id, param string) (*record, *apiError) {
	r := c.getKind(c.account, "customer", id)
	if r == nil || flag(r.obj, "deleted") {
		return nil, missingParam("customer", param, id)
	}
	return r, nil
}

func (c *call) customerOfPath(name string) (*record, *apiError) {
	r, err := c.customer(c.path(name), "id")
	if err != nil {
		err.status = 404
	}
	return r, err
}

func updateCustomer(c *call) (any, *apiError) {
	if err := c.refuseUnmodelled(unmodelledCustomer); err != nil {
		return nil, err
	}
	r, err := c.customerOfPath("customer")
	if err != nil {
		return nil, err
	}
	changed := maps.Clone(r.obj)
	if err := c.fillCustomer(changed); err != nil {
		return nil, err
	}
	if id := str(c.params, "default_source"); id != "" {
		method := c.getKind(c.account, "payment_method", id)
		if method == nil || !isLegacy(method.obj) || str(method.obj, "customer") != r.id {
			return nil, missingParam("source", "default_source", id)
		}
		changed["default_source"] = id
	}
	if source := str(c.params, "source"); source != "" {
		if err := c.checkSource(source, "source"); err != nil {
			return nil, err
		}
		c.replace(r, changed, "customer.updated")
		c.replaceSource(r, source)
		return r.obj, nil
	}
	c.replace(r, changed, "customer.updated")
	return r.obj, nil
}

func getCustomer(c *call) (any, *apiError) {
	r := c.getKind(c.account, "customer", c.path("customer"))
	if r == nil {
		return nil, missing("customer", "id", c.path("customer"))
	}
	return r.obj, nil
}

func listCustomers(c *call) (any, *apiError) {
	return c.list("customer", "/v1/customers", c.equals("email"))
}

func deleteCustomer(c *call) (any, *apiError) {
	r, err := c.customerOfPath("customer")
	if err != nil {
		return nil, err
	}
	c.removeCustomer(r)
	return r.obj, nil
}

// removeCustomer deletes a customer for good, with everything that was saved for them
// (https://stripe.com/docs/api/customers/delete).
func (c *call) removeCustomer(r *record) {
	last := clone(r.obj).(object)
	// What is being deleted needs no other default.
	r.obj["default_source"], r.obj["invoice_settings"] = nil, object{}
	for _, method := range c.account.kinds["payment_method"] {
		if str(method.obj, "customer") == r.id {
			c.detach(method)
		}
	}
	c.emit("customer.deleted", last, nil)
	r.obj = object{"id": r.id, "object": "customer", "deleted": true}
	c.touch(r)
}

// replace puts a changed copy in an object's place and tells of it, with the values the changed fields had before.
func (c *call) replace(r *record, changed object, event string) {
	previous := object{}
	for key, value := range changed {
		if !strings.HasPrefix(key, "_") && !equalJSON(r.obj[key], value) {
			previous[key] = r.obj[key]
		}
	}
	r.obj = changed
	c.touch(r)
	if event != "" && len(previous) > 0 {
		c.emit(event, r.obj, previous)
	}
}

func equalJSON(a, b any) bool { return string(encode(a)) == string(encode(b)) }
