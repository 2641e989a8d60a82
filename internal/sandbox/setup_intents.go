package sandbox

import (
	"maps"
	"net/http"
	"net/url"
)

func newSetupIntent(c *call) object {
	id := newID("seti")
	return object{
		"id": id, "object": "setup_intent", "application": nil, "automatic_payment_methods": nil, "cancellation_reason": nil,
		"client_secret": id + "_secret_" + randomText(27), "created": c.now, "customer": nil, "description": nil, "flow_directions": nil,
		"last_setup_error": nil, "latest_attempt": nil, "livemode": false, "mandate": nil, "metadata": object{}, "next_action": nil,
		"on_behalf_of": nil, "payment_method": nil, "payment_method_configuration_details": nil,
		"payment_method_options": object{"card": object{"mandate_options": nil, "network": nil, "request_three_d_secure": "automatic"}},
		"payment_method_types":   []any{"card"}, "single_use_mandate": nil, "status": "requires_payment_method", "usage": "off_session",
	}
}

var unmodelledSetup = map[string]string{"attach_to_self": "Connect", "on_behalf_of": "Connect", "flow_directions": "outbound payments", "payment_method_configuration": "payment method configurations", "single_use": "single-use mandates"}

func (c *call) fillSetup(o object) *apiError {
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
	if types := items(c.params, "payment_method_types"); len(types) > 0 {
		for _, t := range types {
			if err := checkMethodType(t.(string), "payment_method_types"); err != nil {
				return err
			}
		}
		o["payment_method_types"], o["automatic_payment_methods"] = types, nil
	}
	if auto := sub(c.params, "automatic_payment_methods"); flag(auto, "enabled") {
		o["automatic_payment_methods"] = object{"enabled": true, "allow_redirects": withDefault(given(auto, "allow_redirects"), "always")}
	}
	if err := c.knownOptions(); err != nil {
		return err
	}
	if asked := str(sub(sub(c.params, "payment_method_options"), "card"), "request_three_d_secure"); asked != "" {
		o["payment_method_options"] = object{"card": object{"mandate_options": nil, "network": nil, "request_three_d_secure": asked}}
	}
	o["metadata"] = metadata
	for _, key := range []string{"description", "usage"} {
		if _, ok := c.params[key]; ok {
			o[key] = given(c.params, key)
		}
	}
	return nil
}

func (c *call) methodOfSetup(o object, needed bool) (*record, *apiError) {
	id := str(c.params, "payment_method")
	if data := sub(c.params, "payment_method_data"); id == "" && data != nil {
		method, err := c.methodFromData(data, "payment_method_data")
		if err != nil {
			return nil, err
		}
		return method, c.checkMethod(method, o, "payment_method_data[type]")
	}
	if id == "" {
		id = str(o, "payment_method")
	}
	if id == "" {
		if needed {
			return nil, invalid("setup_intent_unexpected_state", "payment_method", "You cannot confirm this SetupIntent because it's missing a payment method. Update the SetupIntent with a payment method and then confirm it again.")
		}
		return nil, nil
	}
	method, err := c.methodForUse(id, "payment_method")
	if err != nil {
		return nil, err
	}
	return method, c.checkMethod(method, o, "payment_method")
}

// confirmSetup saves a payment method for later, through 3-D Secure where the card's bank wants it.
func (c *call) confirmSetup(setup, method *record, returnURL string) *apiError {
	o := setup.obj
	o["last_setup_error"], o["next_action"], o["payment_method"] = nil, nil, method.id
	c.touch(setup)
	if needsWallet(method.obj, false) {
		c.askForSetup(setup, returnURL)
		return nil
	}
	card := cardsByToken[str(method.obj, "_card")]
	if card != nil {
		if card.decline != nil && !card.attaches {
			return c.failSetup(setup, method, cardError(card.decline))
		}
		asked := str(sub(sub(o, "payment_method_options"), "card"), "request_three_d_secure") == "any"
		if card.auth == authUnlessSet || card.auth == authAlways || card.auth == authBrokenBank || asked && card.auth == authOptional {
			c.askForSetup(setup, returnURL)
			return nil
		}
	}
	c.succeedSetup(setup, method)
	return nil
}

// askForSetup leaves the setup intent waiting for the customer at their bank or wallet.
func (c *call) askForSetup(setup *record, returnURL string) {
	o := setup.obj
	o["status"], o["_return_url"] = "requires_action", returnURL
	link := c.base + "/c/authenticate/" + setup.id + "?client_secret=" + url.QueryEscape(str(o, "client_secret"))
	o["next_action"] = object{"type": "redirect_to_url", "redirect_to_url": object{"return_url": orNil(returnURL), "url": link}}
	c.emit("setup_intent.requires_action", o, nil)
}

func (c *call) succeedSetup(setup, method *record) {
	o := setup.obj
	o["status"], o["next_action"] = "succeeded", nil
	c.touch(setup)
	if isWallet(str(method.obj, "type")) {
		c.approveWallet(method)
	}
	method.obj["_set_up"] = true
	c.touch(method)
	if r := c.getKind(c.account, "customer", str(o, "customer")); r != nil && !flag(r.obj, "deleted") {
		c.attach(method, r.id)
	}
	c.emit("setup_intent.succeeded", o, nil)
}

func (c *call) failSetup(setup, method *record, e *apiError) *apiError {
	e.method = method.obj
	o := setup.obj
	o["status"], o["payment_method"], o["next_action"] = "requires_payment_method", nil, nil
	o["last_setup_error"] = sub(e.body(""), "error")
	c.touch(setup)
	c.emit("setup_intent.setup_failed", o, nil)
	e.setup = o
	return e
}

func (c *call) authenticateSetup(setup *record, approved bool) *apiError {
	method := c.get(c.account, str(setup.obj, "payment_method"))
	if str(setup.obj, "status") != "requires_action" || method == nil {
		return nil
	}
	c.touch(setup)
	switch card := cardsByToken[str(method.obj, "_card")]; {
	case !approved:
		return c.failSetup(setup, method, &apiError{status: http.StatusPaymentRequired, kind: "invalid_request_error", code: "setup_intent_authentication_failure", message: messageNoAuth, executed: true})
	case card == nil: // a wallet
	case card.auth == authBrokenBank:
		return c.failSetup(setup, method, cardError(declineProcessing))
	case card.authResult != nil && card.authResult != declineFunds:
		return c.failSetup(setup, method, cardError(card.authResult))
	}
	c.succeedSetup(setup, method)
	return nil
}

func createSetupIntent(c *call) (any, *apiError) {
	if err := c.refuseUnmodelled(unmodelledSetup); err != nil {
		return nil, err
	}
	o := newSetupIntent(c)
	if _, typed := c.params["payment_method_types"]; !typed {
		o["automatic_payment_methods"] = object{"enabled": true, "allow_redirects": "always"}
	}
	if err := c.fillSetup(o); err != nil {
		return nil, err
	}
	method, err := c.methodOfSetup(o, flag(c.params, "confirm"))
	if err != nil {
		return nil, err
	}
	r := c.add(c.account, o)
	if method != nil {
		o["payment_method"], o["status"] = method.id, "requires_confirmation"
	}
	c.emit("setup_intent.created", o, nil)
	if flag(c.params, "confirm") {
		if err := c.confirmSetup(r, method, str(c.params, "return_url")); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func (c *call) setupOfPath() (*record, *apiError) {
	if r := c.getKind(c.account, "setup_intent", c.path("intent")); r != nil {
		return r, nil
	}
	return nil, missing("setupintent", "intent", c.path("intent"))
}

func getSetupIntent(c *call) (any, *apiError) {
	r, err := c.setupOfPath()
	if err != nil {
		return nil, err
	}
	return r.obj, nil
}

func listSetupIntents(c *call) (any, *apiError) {
	if _, ok := c.params["attach_to_self"]; ok {
		return nil, notInSandbox("attach_to_self", "Connect")
	}
	return c.list("setup_intent", "/v1/setup_intents", c.equals("customer", "payment_method"))
}

func updateSetupIntent(c *call) (any, *apiError) {
	if err := c.refuseUnmodelled(unmodelledSetup); err != nil {
		return nil, err
	}
	r, err := c.setupOfPath()
	if err != nil {
		return nil, err
	}
	if status := str(r.obj, "status"); status == "succeeded" || status == "canceled" {
		return nil, invalid("setup_intent_unexpected_state", "", "You cannot update this SetupIntent because it has a status of %s.", status)
	}
	changed := maps.Clone(r.obj)
	if err := c.fillSetup(changed); err != nil {
		return nil, err
	}
	if c.params["payment_method"] != nil || c.params["payment_method_data"] != nil {
		method, err := c.methodOfSetup(changed, false)
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

func confirmSetupIntent(c *call) (any, *apiError) {
	r, err := c.setupOfPath()
	if err != nil {
		return nil, err
	}
	if status := str(r.obj, "status"); status == "succeeded" || status == "canceled" {
		return nil, invalid("setup_intent_unexpected_state", "", "You cannot confirm this SetupIntent because it has already %s.", status)
	}
	method, err := c.methodOfSetup(r.obj, true)
	if err != nil {
		return nil, err
	}
	if err := c.confirmSetup(r, method, str(c.params, "return_url")); err != nil {
		return nil, err
	}
	return r.obj, nil
}

func cancelSetupIntent(c *call) (any, *apiError) {
	r, err := c.setupOfPath()
	if err != nil {
		return nil, err
	}
	if status := str(r.obj, "status"); status == "succeeded" || status == "canceled" {
		return nil, invalid("setup_intent_unexpected_state", "", "You cannot cancel this SetupIntent because it has a status of %s. Only a SetupIntent with one of the following statuses may be canceled: requires_payment_method, requires_confirmation, requires_action.", status)
	}
	c.cancelSetup(r, str(c.params, "cancellation_reason"))
	return r.obj, nil
}

func (c *call) cancelSetup(r *record, reason string) {
	r.obj["status"], r.obj["cancellation_reason"], r.obj["next_action"] = "canceled", orNil(reason), nil
	c.touch(r)
	c.emit("setup_intent.canceled", r.obj, nil)
}
