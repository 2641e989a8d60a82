package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A session lives at least half an hour and at most a day, https://stripe.com/docs/api/checkout/sessions/create.
const (
	shortestSession = 30 * 60
	longestSession  = 24 * 60 * 60
	// Clocks differ and requests take time; Stripe lets a little through as well.
	sessionSlack  = 60
	mostLineItems = 100
)

var unmodelledSession = map[string]string{
	"subscription_data": "subscriptions", "discounts": "discounts", "shipping_options": "shipping options", "after_expiration": "recovery of expired sessions",
	"shipping_address_collection": "collecting shipping addresses", "tax_id_collection": "collecting tax ids", "custom_fields": "custom fields",
	"payment_method_configuration": "payment method configurations", "redirect_on_completion": "embedded Checkout", "return_url": "embedded Checkout",
}

func createSession(c *call) (any, *apiError) {
	if err := c.checkSession(); err != nil {
		return nil, err
	}
	mode := str(c.params, "mode")
	o := newSession(c, mode)
	if err := c.fillSession(o); err != nil {
		return nil, err
	}
	if mode == "payment" {
		if err := c.priceSession(o); err != nil {
			return nil, err
		}
	}
	if err := c.chooseTypes(o); err != nil {
		return nil, err
	}
	id := "cs_test_a1" + randomText(56)
	o["id"], o["url"] = id, c.base+"/c/pay/"+id
	if mode == "setup" {
		setup := newSetupIntent(c)
		data := sub(c.params, "setup_intent_data")
		metadata, err := mergeMetadata(nil, data)
		if err != nil {
			return nil, err
		}
		setup["metadata"], setup["description"] = metadata, given(data, "description")
		setup["customer"], setup["payment_method_types"] = o["customer"], o["payment_method_types"]
		setup["_session"] = id
		r := c.add(c.account, setup)
		c.emit("setup_intent.created", setup, nil)
		o["setup_intent"] = r.id
	}
	c.add(c.account, o)
	return o, nil
}

// checkSession refuses what does not go together, before anything is made.
func (c *call) checkSession() *apiError {
	if err := c.refuseUnmodelled(unmodelledSession); err != nil {
		return err
	}
	p := c.params
	switch mode := str(p, "mode"); {
	case mode == "":
		return invalid("parameter_missing", "mode", "Missing required param: mode.")
	case mode == "subscription":
		return notInSandbox("mode", "subscriptions")
	case str(p, "ui_mode") == "embedded":
		return notInSandbox("ui_mode", "embedded Checkout")
	case str(p, "success_url") == "":
		return invalid("parameter_missing", "success_url", "Missing required param: success_url.")
	case mode == "setup" && len(items(p, "line_items")) > 0:
		return invalid("", "line_items", "You can not pass `line_items` in `setup` mode.")
	case mode == "setup" && p["payment_intent_data"] != nil:
		return invalid("", "payment_intent_data", "You can not pass `payment_intent_data` in `setup` mode.")
	case mode == "payment" && p["setup_intent_data"] != nil:
		return invalid("", "setup_intent_data", "You can not pass `setup_intent_data` in `payment` mode.")
	case mode == "payment" && len(items(p, "line_items")) == 0:
		return invalid("parameter_missing", "line_items", "Missing required param: line_items.")
	case str(p, "customer") != "" && str(p, "customer_email") != "":
		return invalid("", "customer_email", "You may only specify one of these parameters: customer, customer_email.")
	case p["customer_update"] != nil && str(p, "customer") == "":
		return invalid("", "customer_update", "`customer_update` can only be used with `customer`.")
	case str(p, "customer_creation") != "" && (mode == "setup" || str(p, "customer") != ""):
		return invalid("", "customer_creation", "`customer_creation` can only be used in `payment` mode and without `customer`.")
	case mode == "setup" && str(p, "submit_type") != "":
		return invalid("", "submit_type", "You can not pass `submit_type` in `setup` mode.")
	case flag(sub(p, "automatic_tax"), "enabled"):
		return notInSandbox("automatic_tax", "automatic tax")
	case flag(sub(p, "invoice_creation"), "enabled"):
		return notInSandbox("invoice_creation", "invoices")
	case flag(p, "allow_promotion_codes"):
		return notInSandbox("allow_promotion_codes", "promotion codes")
	}
	for _, name := range []string{"success_url", "cancel_url"} {
		if v := str(p, name); v != "" && !absoluteURL(v) {
			return invalid("url_invalid", name, "Not a valid URL")
		}
	}
	data := sub(p, "payment_intent_data")
	for name, what := range map[string]string{"application_fee_amount": "Connect", "on_behalf_of": "Connect", "transfer_data": "Connect", "transfer_group": "Connect"} {
		if _, ok := data[name]; ok {
			return notInSandbox("payment_intent_data["+name+"]", what)
		}
	}
	if str(data, "capture_method") == "manual" {
		return notInSandbox("payment_intent_data[capture_method]", "separate authorisation and capture")
	}
	return nil
}

func newSession(c *call, mode string) object {
	return object{
		"object": "checkout.session", "after_expiration": nil, "allow_promotion_codes": nil, "amount_subtotal": nil, "amount_total": nil,
		"automatic_tax": object{"enabled": false, "status": nil}, "billing_address_collection": nil, "cancel_url": nil, "client_reference_id": nil,
		"client_secret": nil, "consent": nil, "consent_collection": nil, "created": c.now, "currency": nil, "currency_conversion": nil,
		"custom_fields": []any{}, "custom_text": object{"after_submit": nil, "shipping_address": nil, "submit": nil, "terms_of_service_acceptance": nil},
		"customer": nil, "customer_creation": nil, "customer_details": nil, "customer_email": nil, "expires_at": c.now + longestSession, "invoice": nil,
		"invoice_creation": nil, "livemode": false, "locale": nil, "metadata": object{}, "mode": mode, "payment_intent": nil, "payment_link": nil,
		"payment_method_collection": "if_required", "payment_method_configuration_details": nil, "payment_method_options": object{},
		"payment_method_types": []any{"card"}, "payment_status": "unpaid", "phone_number_collection": object{"enabled": false}, "recovered_from": nil,
		"setup_intent": nil, "shipping_address_collection": nil, "shipping_cost": nil, "shipping_details": nil, "shipping_options": []any{},
		"status": "open", "submit_type": nil, "subscription": nil, "success_url": nil, "total_details": nil, "ui_mode": "hosted",
	}
}

func (c *call) fillSession(o object) *apiError {
	p := c.params
	metadata, err := mergeMetadata(nil, p)
	if err != nil {
		return err
	}
	o["metadata"] = metadata
	if id := str(p, "customer"); id != "" {
		customer, err := c.customer(id, "customer")
		if err != nil {
			return err
		}
		o["customer"] = id
		o["customer_details"] = object{"address": nil, "email": customer.obj["email"], "name": nil, "phone": nil, "tax_exempt": "none", "tax_ids": nil}
	}
	if email := str(p, "customer_email"); email != "" {
		if !plausibleEmail(email) {
			return invalid("email_invalid", "customer_email", "Invalid email address: %s", cut(email))
		}
		o["customer_details"] = object{"address": nil, "email": email, "name": nil, "phone": nil, "tax_exempt": "none", "tax_ids": nil}
	}
	for _, key := range []string{"billing_address_collection", "cancel_url", "client_reference_id", "customer_email", "locale", "submit_type", "success_url"} {
		o[key] = given(p, key)
	}
	if o["mode"] == "payment" {
		if o["customer"] == nil {
			o["customer_creation"] = withDefault(given(p, "customer_creation"), "if_required")
		}
		o["invoice_creation"] = object{"enabled": false, "invoice_data": object{"account_tax_ids": nil, "custom_fields": nil, "description": nil, "footer": nil, "metadata": object{}, "rendering_options": nil}}
		data := sub(p, "payment_intent_data")
		if _, err := mergeMetadata(nil, data); err != nil {
			err.param = "payment_intent_data[metadata]"
			return err
		}
		o["_intent_data"] = withDefault(clone(p["payment_intent_data"]), object{})
	}
	o["_customer_update"] = withDefault(clone(p["customer_update"]), object{})
	if v := sub(p, "phone_number_collection"); v != nil {
		o["phone_number_collection"] = object{"enabled": flag(v, "enabled")}
	}
	if v := sub(p, "consent_collection"); v != nil {
		o["consent_collection"] = object{"payment_method_reuse_agreement": withDefault(v["payment_method_reuse_agreement"], nil), "promotions": given(v, "promotions"), "terms_of_service": given(v, "terms_of_service")}
	}
	if v := sub(p, "custom_text"); v != nil {
		text := maps.Clone(sub(o, "custom_text"))
		for key := range v {
			text[key] = given(v, key)
		}
		o["custom_text"] = text
	}
	if v, ok := p["expires_at"].(int64); ok {
		if v < c.now+shortestSession-sessionSlack {
			return invalid("", "expires_at", "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.")
		}
		if v > c.now+longestSession+sessionSlack {
			return invalid("", "expires_at", "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.")
		}
		o["expires_at"] = v
	}
	return nil
}

// priceSession adds up the line items. Stripe's total is what the customer pays, so it is made of integers only.
func (c *call) priceSession(o object) *apiError {
	list := items(c.params, "line_items")
	if len(list) > mostLineItems {
		return invalid("", "line_items", "Checkout accepts at most %d line items; there are %d.", mostLineItems, len(list))
	}
	var total int64
	currency := ""
	lines, random := make([]*lineItem, len(list)), randomText(18)
	for i, v := range list {
		line, err := c.lineItem(v.(object), "line_items["+strconv.Itoa(i)+"]")
		if err != nil {
			return err
		}
		switch own := line.Currency; {
		case currency == "":
			currency = own
		case currency != own:
			return invalid("", "line_items", "All line items must have the same currency: there are %s and %s.", currency, own)
		}
		// Each line is below 10^17, so the sum of a hundred fits.
		total += line.AmountTotal
		line.number(random, i)
		lines[i] = line
	}
	if asked := str(c.params, "currency"); asked != "" && !strings.EqualFold(asked, currency) {
		return invalid("", "currency", "The currency %s is not that of the line items, %s.", cut(asked), currency)
	}
	if total != 0 && total < minimumCharge[currency] {
		return invalid("amount_too_small", "", "The Checkout Session's total amount due must add up to at least %s", formatMoney(minimumCharge[currency], currency))
	}
	if total > maximumCharge {
		return invalid("amount_too_large", "", "The Checkout Session's total amount due must add up to no more than %s", formatMoney(maximumCharge, currency))
	}
	if err := checkUnits(total, currency, "line_items"); err != nil {
		return err
	}
	o["_line_items"], o["currency"] = json.RawMessage(encode(lines)), currency
	o["amount_subtotal"], o["amount_total"] = total, total
	o["total_details"] = object{"amount_discount": int64(0), "amount_shipping": int64(0), "amount_tax": int64(0)}
	if total == 0 {
		o["payment_status"] = "no_payment_required"
	}
	return nil
}

func (c *call) lineItem(line object, at string) (*lineItem, *apiError) {
	for _, name := range []string{"adjustable_quantity", "tax_rates", "dynamic_tax_rates"} {
		if v := line[name]; v != nil && !(name == "adjustable_quantity" && !flag(v.(object), "enabled")) {
			return nil, notInSandbox(at+"["+name+"]", strings.ReplaceAll(name, "_", " "))
		}
	}
	if id := str(line, "price"); id != "" {
		return nil, missingParam("price", at+"[price]", id) // the sandbox keeps no catalogue
	}
	data := sub(line, "price_data")
	if data == nil {
		return nil, invalid("parameter_missing", at+"[price_data]", "Missing required param: %s[price_data].", at)
	}
	at += "[price_data]"
	product := sub(data, "product_data")
	if id := str(data, "product"); id != "" {
		return nil, missingParam("product", at+"[product]", id)
	}
	switch {
	case product == nil:
		return nil, invalid("parameter_missing", at+"[product_data]", "Missing required param: %s[product_data].", at)
	case str(product, "name") == "":
		return nil, emptyValue(at + "[product_data][name]")
	case data["recurring"] != nil:
		return nil, invalid("", at+"[recurring]", "You must use `subscription` mode for recurring prices.")
	case given(data, "unit_amount_decimal") != nil:
		return nil, notInSandbox(at+"[unit_amount_decimal]", "fractions of minor units")
	}
	currency, err := checkCurrency(str(data, "currency"), at+"[currency]")
	if err != nil {
		return nil, err
	}
	unit, ok := data["unit_amount"].(int64)
	if !ok {
		return nil, invalid("parameter_missing", at+"[unit_amount]", "Missing required param: %s[unit_amount].", at)
	}
	if unit < 0 || unit > 999999999999 {
		return nil, invalid("parameter_invalid_integer", at+"[unit_amount]", "Invalid unit amount: it must be from 0 to 999999999999.")
	}
	if err := checkUnits(unit, currency, at+"[unit_amount]"); err != nil {
		return nil, err
	}
	quantity, ok := line["quantity"].(int64)
	if !ok {
		at = strings.TrimSuffix(at, "[price_data]")
		return nil, invalid("parameter_missing", at+"[quantity]", "Missing required param: %s[quantity].", at)
	}
	if quantity < 1 || quantity > 999999 {
		return nil, invalid("parameter_invalid_integer", strings.TrimSuffix(at, "[price_data]")+"[quantity]", "This value must be from 1 to 999999.")
	}
	metadata, err := mergeMetadata(nil, product)
	if err != nil {
		return nil, err
	}
	amount := unit * quantity
	o := &lineItem{Object: "item", AmountSubtotal: amount, AmountTotal: amount, Currency: currency, Description: str(product, "name"), Quantity: quantity, Note: str(product, "description"), Metadata: metadata}
	o.Price = linePrice{Object: "price", BillingScheme: "per_unit", Created: c.now, Currency: currency, Metadata: object{}, TaxBehavior: withDefault(given(data, "tax_behavior"), "unspecified").(string),
		Type: "one_time", UnitAmount: unit, UnitAmountDecimal: strconv.FormatInt(unit, 10)}
	return o, nil
}

// lineItem and linePrice are Stripe's item and price. They are kept encoded, because a session has up to a hundred and
// hardly anyone looks at them again.
type lineItem struct {
	ID             string    `json:"id"`
	Object         string    `json:"object"`
	AmountDiscount int64     `json:"amount_discount"`
	AmountSubtotal int64     `json:"amount_subtotal"`
	AmountTax      int64     `json:"amount_tax"`
	AmountTotal    int64     `json:"amount_total"`
	Currency       string    `json:"currency"`
	Description    string    `json:"description"`
	Quantity       int64     `json:"quantity"`
	Price          linePrice `json:"price"`
	Note           string    `json:"_note"`
	Metadata       object    `json:"_product_metadata"`
}

type linePrice struct {
	ID                string  `json:"id"`
	Object            string  `json:"object"`
	Active            bool    `json:"active"`
	BillingScheme     string  `json:"billing_scheme"`
	Created           int64   `json:"created"`
	Currency          string  `json:"currency"`
	CustomUnitAmount  *object `json:"custom_unit_amount"`
	Livemode          bool    `json:"livemode"`
	LookupKey         *string `json:"lookup_key"`
	Metadata          object  `json:"metadata"`
	Nickname          *string `json:"nickname"`
	Product           string  `json:"product"`
	Recurring         *object `json:"recurring"`
	TaxBehavior       string  `json:"tax_behavior"`
	TiersMode         *string `json:"tiers_mode"`
	TransformQuantity *object `json:"transform_quantity"`
	Type              string  `json:"type"`
	UnitAmount        int64   `json:"unit_amount"`
	UnitAmountDecimal string  `json:"unit_amount_decimal"`
}

// number gives a line its ids; one random text is enough for all lines of a session.
func (l *lineItem) number(random string, i int) {
	tail := random + fmt.Sprintf("%03d", i)
	l.ID, l.Price.ID, l.Price.Product = "li_1"+tail, "price_1"+tail, "prod_"+tail
}

// lineItems decodes what priceSession has kept.
func lineItems(session object) []any {
	text, _ := session["_line_items"].(json.RawMessage)
	o, err := decodeObject(slices.Concat([]byte(`{"l":`), text, []byte("}")))
	if err != nil {
		return nil // a session without lines: setup mode
	}
	return items(o, "l")
}

func (c *call) chooseTypes(o object) *apiError {
	types := items(c.params, "payment_method_types")
	for i, t := range types {
		if err := checkTypeForCurrency(t.(string), str(o, "currency"), "payment_method_types["+strconv.Itoa(i)+"]"); err != nil {
			return err
		}
	}
	if len(types) == 0 {
		types = []any{"card"}
	}
	o["payment_method_types"] = types
	return c.fillMethodOptions(o)
}

// fillMethodOptions takes setup_future_usage, which can be asked for each type of method by itself.
func (c *call) fillMethodOptions(o object) *apiError {
	shown := object{}
	asked := sub(c.params, "payment_method_options")
	for _, kind := range slices.Sorted(maps.Keys(asked)) {
		for name := range sub(asked, kind) {
			if name != "setup_future_usage" {
				at := "payment_method_options[" + kind + "][" + name + "]"
				return notInSandbox(at, "this option of "+kind)
			}
		}
		if slices.Contains(items(o, "payment_method_types"), any(kind)) {
			shown[kind] = clone(asked[kind])
		}
	}
	o["payment_method_options"] = shown
	return nil
}
