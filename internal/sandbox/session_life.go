package sandbox

import (
	"maps"
	"net/http"
	"strings"
)

func (c *call) sessionOfPath() (*record, *apiError) {
	if r := c.getKind(c.account, "checkout.session", c.path("session")); r != nil {
		return r, nil
	}
	return nil, missing("checkout.session", "session", c.path("session"))
}

// sessionOfIntent finds the session that an intent was made for; nil for an intent of its own.
func (c *call) sessionOfIntent(id string) *record {
	r := c.get(c.account, id)
	if r == nil {
		return nil
	}
	return c.getKind(c.account, "checkout.session", str(r.obj, "_session"))
}

func getSession(c *call) (any, *apiError) {
	r, err := c.sessionOfPath()
	if err != nil {
		return nil, err
	}
	return r.obj, nil
}

func listSessions(c *call) (any, *apiError) {
	for name, what := range map[string]string{"payment_link": "payment links", "subscription": "subscriptions"} {
		if str(c.params, name) != "" {
			return nil, notInSandbox(name, what)
		}
	}
	same := c.equals("customer", "payment_intent", "status")
	email := str(sub(c.params, "customer_details"), "email")
	records := c.account.kinds["checkout.session"]
	if intent := str(c.params, "payment_intent"); intent != "" {
		records = nil
		if r := c.sessionOfIntent(intent); r != nil {
			records = []*record{r}
		}
	}
	return c.listOf(records, "checkout.session", "/v1/checkout/sessions", func(o object) bool {
		return same(o) && (email == "" || strings.EqualFold(str(sub(o, "customer_details"), "email"), email))
	})
}

func listLineItems(c *call) (any, *apiError) {
	r, err := c.sessionOfPath()
	if err != nil {
		return nil, err
	}
	lines := lineItems(r.obj)
	shown := make([]object, len(lines))
	for i, line := range lines {
		shown[i] = visible(line.(object))
	}
	return c.page(len(shown), func(i int) object { return shown[i] }, "/v1/checkout/sessions/"+r.id+"/line_items", nil)
}

func expireSessionCall(c *call) (any, *apiError) {
	r, err := c.sessionOfPath()
	if err != nil {
		return nil, err
	}
	if status := str(r.obj, "status"); status != "open" {
		return nil, invalid("", "", "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of `%s`.", status)
	}
	c.expireSession(r)
	return r.obj, nil
}

// expireSession ends an open session; whatever payment was being tried can then not succeed any more.
func (c *call) expireSession(r *record) {
	r.obj["status"], r.obj["url"] = "expired", nil
	c.touch(r)
	if intent := c.get(c.account, str(r.obj, "_payment_intent")); intent != nil {
		_ = c.cancelIntent(intent, "automatic") // one that is over already stays so
	}
	if setup := c.get(c.account, str(r.obj, "setup_intent")); setup != nil && str(setup.obj, "status") != "canceled" {
		c.cancelSetup(setup, "")
	}
	c.emit("checkout.session.expired", r.obj, nil)
}

// payer is what the customer typed about themselves.
type payer struct {
	email, name, phone string
	address            object
	terms              bool
}

func (p payer) billing() object {
	return billingDetails(object{"email": p.email, "name": p.name, "phone": p.phone, "address": p.address})
}

// openIntent is the payment intent of a session, made at the first try to pay, as since API version 2022-08-01. The
// session shows it once it is complete.
func (c *call) openIntent(session *record, kind string, p payer) *record {
	o := session.obj
	data := sub(o, "_intent_data")
	saves := usageFor(object{"setup_future_usage": given(data, "setup_future_usage"), "payment_method_options": o["payment_method_options"]}, kind) != ""
	if r := c.get(c.account, str(o, "_payment_intent")); r != nil {
		if saves {
			r.obj["customer"] = orNil(c.sessionCustomer(session, p, true))
		}
		c.touch(r)
		return r
	}
	i := newIntent(c, num(o, "amount_total"), str(o, "currency"))
	metadata, _ := mergeMetadata(nil, data) // checked when the session was made
	i["metadata"] = metadata
	for _, key := range []string{"description", "receipt_email", "statement_descriptor", "statement_descriptor_suffix"} {
		i[key] = given(data, key)
	}
	i["setup_future_usage"] = given(data, "setup_future_usage")
	if v := sub(data, "shipping"); v != nil {
		i["shipping"] = shippingOf(v)
	}
	i["payment_method_types"] = o["payment_method_types"]
	i["payment_method_options"] = intentOptions(i, sub(o, "payment_method_options"))
	i["customer"] = orNil(c.sessionCustomer(session, p, saves))
	i["_session"] = session.id
	r := c.add(c.account, i)
	o["_payment_intent"] = r.id
	c.touch(session)
	c.emit("payment_intent.created", i, nil)
	return r
}

// sessionCustomer is the customer of a session, made when the session wants one (customer_creation) or a saved card
// needs one.
func (c *call) sessionCustomer(session *record, p payer, needed bool) string {
	o := session.obj
	if id := str(o, "customer"); id != "" {
		return id
	}
	if id := str(o, "_customer"); id != "" {
		return id
	}
	if !needed && str(o, "customer_creation") != "always" {
		return ""
	}
	maker := *c
	maker.params = object{"email": p.email, "name": p.name, "phone": p.phone, "address": p.address}
	made, err := createCustomer(&maker)
	if err != nil {
		return ""
	}
	o["_customer"] = str(made.(object), "id")
	c.touch(session)
	return str(o, "_customer")
}

// completeSession ends a session that was paid, is being paid by a debit, or has saved a card.
func (c *call) completeSession(session *record) {
	o := session.obj
	if str(o, "status") != "open" {
		return
	}
	o["status"], o["url"] = "complete", nil
	if intent := c.get(c.account, str(o, "_payment_intent")); intent != nil {
		o["payment_intent"] = intent.id
		if str(intent.obj, "status") == "succeeded" {
			o["payment_status"] = "paid"
		}
	}
	if str(o, "mode") == "setup" {
		o["payment_status"] = "no_payment_required"
	}
	if id := str(o, "_customer"); id != "" {
		o["customer"] = id
	}
	c.touch(session)
	c.emit("checkout.session.completed", o, nil)
}

// rememberPayer puts what the customer typed into the session, and into the customer where the session says so
// (customer_update).
func (c *call) rememberPayer(session *record, p payer) {
	o := session.obj
	details := object{"address": withDefault(fullAddress(p.address), nil), "email": orNil(p.email), "name": orNil(p.name), "phone": nil, "tax_exempt": "none", "tax_ids": nil}
	if flag(sub(o, "phone_number_collection"), "enabled") {
		details["phone"] = orNil(p.phone)
	}
	o["customer_details"] = details
	if p.terms {
		o["consent"] = object{"promotions": nil, "terms_of_service": "accepted"}
	}
	c.touch(session)
	update := sub(o, "_customer_update")
	customer := c.getKind(c.account, "customer", str(o, "customer"))
	if customer == nil || flag(customer.obj, "deleted") {
		return
	}
	changed := maps.Clone(customer.obj)
	if str(update, "name") == "auto" && p.name != "" {
		changed["name"] = p.name
	}
	if str(update, "address") == "auto" && p.address != nil {
		changed["address"] = fullAddress(p.address)
	}
	if changed["email"] == nil && p.email != "" {
		changed["email"] = p.email
	}
	c.replace(customer, changed, "customer.updated")
}

// paySession is the pay button: it takes the money (or saves the card) with a method that is already checked. A nil
// error with the session still open means that the bank wants the customer.
func (c *call) paySession(session, method *record, p payer) *apiError {
	o := session.obj
	if id := str(o, "customer"); id != "" {
		if _, err := c.customer(id, "customer"); err != nil {
			return err // deleted while the page was open: Stripe cannot take the payment any more either
		}
	}
	c.rememberPayer(session, p)
	if num(o, "amount_total") == 0 && str(o, "mode") == "payment" {
		c.sessionCustomer(session, p, false)
		c.completeSession(session)
		return nil
	}
	if str(o, "mode") == "setup" {
		setup := c.get(c.account, str(o, "setup_intent"))
		if setup == nil {
			return &apiError{status: http.StatusInternalServerError, kind: "api_error", message: "This session has lost its setup intent."}
		}
		if err := c.confirmSetup(setup, method, ""); err != nil {
			return err
		}
		if str(setup.obj, "status") == "succeeded" {
			c.completeSession(session)
		}
		return nil
	}
	intent := c.openIntent(session, str(method.obj, "type"), p)
	if err := c.confirm(intent, method, confirmation{hosted: true}); err != nil {
		return err
	}
	if status := str(intent.obj, "status"); status == "succeeded" || status == "processing" {
		c.completeSession(session)
	}
	return nil
}

// successURL is where the customer goes, with the session's id put in where the caller asked for it.
func successURL(session object) string {
	return strings.ReplaceAll(str(session, "success_url"), "{CHECKOUT_SESSION_ID}", str(session, "id"))
}
