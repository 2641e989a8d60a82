package sandbox

import (
	"maps"
	"slices"
	"strings"
)

var unmodelledIntent = map[string]string{
	"application_fee_amount": "application fees (Connect)", "transfer_data": "transfers (Connect)", "transfer_group": "transfers (Connect)",
	"on_behalf_of": "other accounts (Connect)", "payment_method_configuration": "payment method configurations", "mandate": "mandates by id",
}

func createIntent(c *call) (any, *apiError) {
	if err := c.refuseUnmodelled(unmodelledIntent); err != nil {
		return nil, err
	}
	currency, err := checkCurrency(str(c.params, "currency"), "currency")
	if err != nil {
		return nil, err
	}
	if err := checkCharge(num(c.params, "amount"), currency, "amount"); err != nil {
		return nil, err
	}
	o := newIntent(c, num(c.params, "amount"), currency)
	if _, typed := c.params["payment_method_types"]; !typed {
		// Since 2023-08-16 payment methods are chosen by the account's settings unless they are listed.
		o["automatic_payment_methods"] = object{"enabled": true, "allow_redirects": "always"}
	}
	if err := c.fillIntent(o); err != nil {
		return nil, err
	}
	if !flag(c.params, "confirm") {
		for _, name := range []string{"off_session", "return_url", "error_on_requires_action", "mandate_data"} {
			if _, ok := c.params[name]; ok {
				return nil, invalid("", name, "You can only set %s when confirm=true.", name)
			}
		}
	}
	how, err := c.readConfirmation(o)
	if err != nil {
		return nil, err
	}
	method, err := c.methodOfParams(o, flag(c.params, "confirm"))
	if err != nil {
		return nil, err
	}
	if err := checkReturn(method, how); err != nil && flag(c.params, "confirm") {
		return nil, err
	}
	intent := c.add(c.account, o)
	if method != nil {
		o["payment_method"], o["status"] = method.id, "requires_confirmation"
	}
	c.emit("payment_intent.created", o, nil)
	if !flag(c.params, "confirm") {
		return o, nil
	}
	if err := c.confirm(intent, method, how); err != nil {
		return nil, err
	}
	return o, nil
}

// fillIntent takes the parameters that create and update share.
func (c *call) fillIntent(o object) *apiError {
	metadata, err := mergeMetadata(sub(o, "metadata"), c.params)
	if err != nil {
		return err
	}
	if id := str(c.params, "customer"); id != "" {
		if _, err := c.customer(id, "customer"); err != nil {
			return err
		}
		o["customer"] = id
	}
	if method := str(c.params, "capture_method"); method == "manual" {
		return notInSandbox("capture_method", "separate authorisation and capture")
	} else if method != "" {
		o["capture_method"] = method
	}
	if auto := sub(c.params, "automatic_payment_methods"); auto != nil {
		if flag(auto, "enabled") && c.params["payment_method_types"] != nil {
			return invalid("", "payment_method_types", "You may only specify one of these parameters: automatic_payment_methods, payment_method_types.")
		}
		o["automatic_payment_methods"] = nil
		if flag(auto, "enabled") {
			o["automatic_payment_methods"] = object{"enabled": true, "allow_redirects": withDefault(given(auto, "allow_redirects"), "always")}
		}
	}
	types := items(c.params, "payment_method_types")
	for _, t := range types {
		if err := checkTypeForCurrency(t.(string), str(o, "currency"), "payment_method_types"); err != nil {
			return err
		}
	}
	if len(types) > 0 {
		o["payment_method_types"], o["automatic_payment_methods"] = types, nil
	} else if o["automatic_payment_methods"] != nil {
		o["payment_method_types"] = typesFor(str(o, "currency"))
	}
	o["metadata"] = metadata
	for _, key := range []string{"description", "receipt_email", "setup_future_usage", "statement_descriptor", "statement_descriptor_suffix", "confirmation_method"} {
		if _, ok := c.params[key]; ok {
			o[key] = given(c.params, key)
		}
	}
	if _, ok := c.params["shipping"]; ok {
		o["shipping"] = shippingOf(sub(c.params, "shipping"))
	}
	if err := c.knownOptions("setup_future_usage"); err != nil {
		return err
	}
	o["payment_method_options"] = intentOptions(o, sub(c.params, "payment_method_options"))
	return nil
}

// intentOptions are an intent's options for each of its types of payment method, with what is asked for now.
func intentOptions(o, asked object) object {
	old, out := sub(o, "payment_method_options"), object{}
	for _, v := range items(o, "payment_method_types") {
		kind := v.(string)
		options := maps.Clone(sub(old, kind))
		if options == nil {
			options = object{}
		}
		if kind == "card" && len(options) == 0 {
			options = object{"installments": nil, "mandate_options": nil, "network": nil, "request_three_d_secure": "automatic"}
		}
		for name, value := range sub(asked, kind) {
			if options[name] = value; value == "" {
				delete(options, name)
			}
		}
		if kind == "card" {
			options["request_three_d_secure"] = withDefault(given(options, "request_three_d_secure"), "automatic")
		}
		if len(options) > 0 {
			out[kind] = options
		}
	}
	return out
}

// knownOptions refuses options of payment methods that would do nothing here; request_three_d_secure of cards always
// does something.
func (c *call) knownOptions(known ...string) *apiError {
	options := sub(c.params, "payment_method_options")
	for _, kind := range slices.Sorted(maps.Keys(options)) {
		for name := range sub(options, kind) {
			if !(kind == "card" && name == "request_three_d_secure") && !slices.Contains(known, name) {
				return notInSandbox("payment_method_options["+kind+"]["+name+"]", "this option of "+kind)
			}
		}
	}
	return nil
}

func checkTypeForCurrency(kind, currency, param string) *apiError {
	if err := checkMethodType(kind, param); err != nil {
		return err
	}
	if needs := methodTypes[kind]; needs != "" && currency != "" && !slices.Contains(strings.Fields(needs), currency) {
		return invalid("", param, "The currency provided (%s) is invalid for the payment method type %s; it takes %s.", currency, kind, needs)
	}
	return nil
}

// typesFor lists what an account with everything switched on offers for a currency.
func typesFor(currency string) []any {
	out := []any{"card"}
	for _, kind := range sortedMethodTypes() {
		if methodTypes[kind] == currency {
			out = append(out, kind)
		}
	}
	return out
}

func (c *call) readConfirmation(o object) (confirmation, *apiError) {
	offSession, isFlag := c.params["off_session"].(bool)
	how := confirmation{
		offSession:  offSession || !isFlag && c.params["off_session"] != nil,
		errorOnAuth: flag(c.params, "error_on_requires_action"),
		returnURL:   str(c.params, "return_url"),
		ask3DS:      str(sub(sub(o, "payment_method_options"), "card"), "request_three_d_secure") == "any",
	}
	if how.returnURL != "" && !absoluteURL(how.returnURL) {
		return how, invalid("url_invalid", "return_url", "Not a valid URL")
	}
	if how.offSession && str(c.params, "setup_future_usage") != "" {
		return how, invalid("", "setup_future_usage", "You cannot set `setup_future_usage` with `off_session`=true: the customer is not there to agree.")
	}
	return how, nil
}

// methodOfParams is the payment method that the parameters, or the intent, name; nil when there is none and none is
// needed.
func (c *call) methodOfParams(o object, needed bool) (*record, *apiError) {
	id, param := str(c.params, "payment_method"), "payment_method"
	if auto := sub(o, "automatic_payment_methods"); needed && str(auto, "allow_redirects") == "always" && str(c.params, "return_url") == "" && c.params["off_session"] == nil {
		return nil, invalid("", "return_url", "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a `return_url`. If you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents.")
	}
	if id == "" {
		if data := sub(c.params, "payment_method_data"); data != nil {
			method, err := c.methodFromData(data, "payment_method_data")
			if err != nil {
				return nil, err
			}
			return method, c.checkMethod(method, o, "payment_method_data[type]")
		}
		if id = str(o, "payment_method"); id == "" {
			if needed {
				e := invalid("payment_intent_unexpected_state", "payment_method", "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.")
				return nil, e
			}
			return nil, nil
		}
	}
	method, err := c.methodForUse(id, param)
	if err != nil {
		return nil, err
	}
	return method, c.checkMethod(method, o, param)
}

// checkMethod says whether the method may pay for this intent (or be set up by it).
func (c *call) checkMethod(method *record, o object, param string) *apiError {
	owner, customer := str(method.obj, "customer"), str(o, "customer")
	switch {
	case owner != "" && customer == "":
		return invalid("", param, "The customer of the PaymentMethod you provided is %s; please include it in the `customer` parameter, because a PaymentMethod that is attached to a customer can only be used with that customer.", owner)
	case owner != "" && owner != customer:
		return invalid("", param, "The provided PaymentMethod cannot be attached. To reuse a PaymentMethod, you must attach it to a Customer first: it belongs to another customer than %s.", customer)
	case !slices.Contains(items(o, "payment_method_types"), any(str(method.obj, "type"))):
		return invalid("", param, "The PaymentMethod provided (%s) is not allowed for this %s. Please attempt payment with one of the allowed types.", str(method.obj, "type"), str(o, "object"))
	}
	return nil
}

func (c *call) intentOfPath() (*record, *apiError) {
	if r := c.getKind(c.account, "payment_intent", c.path("intent")); r != nil {
		return r, nil
	}
	return nil, missing("payment_intent", "intent", c.path("intent"))
}

func getIntent(c *call) (any, *apiError) {
	r, err := c.intentOfPath()
	if err != nil {
		return nil, err
	}
	if secret := str(c.params, "client_secret"); secret != "" && secret != str(r.obj, "client_secret") {
		return nil, invalid("", "client_secret", "The client_secret provided does not match the client_secret associated with this object.")
	}
	return r.obj, nil
}

func listIntents(c *call) (any, *apiError) {
	return c.list("payment_intent", "/v1/payment_intents", c.equals("customer"))
}

func updateIntent(c *call) (any, *apiError) {
	if err := c.refuseUnmodelled(unmodelledIntent); err != nil {
		return nil, err
	}
	r, err := c.intentOfPath()
	if err != nil {
		return nil, err
	}
	changed := maps.Clone(r.obj)
	status := str(r.obj, "status")
	for _, key := range []string{"amount", "currency", "payment_method", "customer"} {
		if _, ok := c.params[key]; ok && (status == "succeeded" || status == "canceled" || status == "processing") {
			e := invalid("payment_intent_unexpected_state", key, "This PaymentIntent's %s could not be updated because it has a status of %s. You may only update the %s of a PaymentIntent with one of the following statuses: requires_payment_method, requires_confirmation, requires_action.", key, status, key)
			e.intent = r.obj
			return nil, e
		}
	}
	if v := str(c.params, "currency"); v != "" {
		if changed["currency"], err = checkCurrency(v, "currency"); err != nil {
			return nil, err
		}
	}
	if v, ok := c.params["amount"].(int64); ok {
		changed["amount"] = v
	}
	if err := checkCharge(num(changed, "amount"), str(changed, "currency"), "amount"); err != nil {
		return nil, err
	}
	if err := c.fillIntent(changed); err != nil {
		return nil, err
	}
	if c.params["payment_method"] != nil || c.params["payment_method_data"] != nil {
		method, err := c.methodOfParams(changed, false)
		if err != nil {
			return nil, err
		}
		if method != nil {
			changed["payment_method"], changed["status"] = method.id, "requires_confirmation"
		}
	}
	c.replace(r, changed, "")
	return r.obj, nil
}

func confirmIntent(c *call) (any, *apiError) {
	r, err := c.intentOfPath()
	if err != nil {
		return nil, err
	}
	if err := c.refuseUnmodelled(map[string]string{"mandate": "mandates by id"}); err != nil {
		return nil, err
	}
	if id := str(r.obj, "customer"); id != "" {
		if _, err := c.customer(id, "customer"); err != nil {
			return nil, err // deleted since the intent was made
		}
	}
	switch status := str(r.obj, "status"); status {
	case "requires_payment_method", "requires_confirmation", "requires_action":
	default:
		message := "You cannot confirm this PaymentIntent because it has a status of %s. Only a PaymentIntent with one of the following statuses may be confirmed: requires_confirmation, requires_action."
		if status == "succeeded" {
			message = "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed. (status: %s)"
		}
		e := invalid("payment_intent_unexpected_state", "", message, status)
		e.intent = r.obj
		return nil, e
	}
	changed := maps.Clone(r.obj)
	if err := c.fillIntent(changed); err != nil {
		return nil, err
	}
	how, err := c.readConfirmation(changed)
	if err != nil {
		return nil, err
	}
	method, err := c.methodOfParams(changed, true)
	if err != nil {
		return nil, err
	}
	if err := checkReturn(method, how); err != nil {
		return nil, err
	}
	c.replace(r, changed, "")
	if err := c.confirm(r, method, how); err != nil {
		return nil, err
	}
	return r.obj, nil
}

func cancelIntentCall(c *call) (any, *apiError) {
	r, err := c.intentOfPath()
	if err != nil {
		return nil, err
	}
	if session := c.sessionOfIntent(r.id); session != nil && str(session.obj, "status") == "open" {
		return nil, invalid("payment_intent_unexpected_state", "", "You cannot cancel this PaymentIntent because it was created by a Checkout Session. Expire the session instead: %s", session.id)
	}
	if err := c.cancelIntent(r, str(c.params, "cancellation_reason")); err != nil {
		return nil, err
	}
	return r.obj, nil
}
