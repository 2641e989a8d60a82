package sandbox

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// emit stores an event about an object as it is now and queues it for the endpoints that want it
// (https://stripe.com/docs/api/events). previous is nil or what the changed fields were.
func (c *call) emit(kind string, o, previous object) {
	data := object{"object": json.RawMessage(encode(visible(o)))}
	if previous != nil {
		data["previous_attributes"] = json.RawMessage(encode(previous))
	}
	event := object{
		"id": "evt_3" + randomText(23), "object": "event", "api_version": APIVersion, "created": c.now, "data": data, "livemode": false,
		"pending_webhooks": int64(0), "request": object{"id": orNil(c.requestID), "idempotency_key": orNil(c.idemKey)}, "type": kind,
	}
	r := c.add(c.account, event)
	for _, endpoint := range c.account.kinds["webhook_endpoint"] {
		if wants(endpoint.obj, kind) {
			event["pending_webhooks"] = num(event, "pending_webhooks") + 1
			c.queueDelivery(r, endpoint)
		}
	}
}

func wants(endpoint object, kind string) bool {
	events := items(endpoint, "enabled_events")
	return str(endpoint, "status") == "enabled" && (slices.Contains(events, any("*")) || slices.Contains(events, any(kind)))
}

func getEvent(c *call) (any, *apiError) {
	if r := c.getKind(c.account, "event", c.path("id")); r != nil {
		return r.obj, nil
	}
	return nil, missing("event", "id", c.path("id"))
}

func listEvents(c *call) (any, *apiError) {
	types := items(c.params, "types")
	if kind := str(c.params, "type"); kind != "" {
		if len(types) > 0 {
			return nil, invalid("", "types", "You may only specify one of these parameters: type, types.")
		}
		types = []any{kind}
	}
	delivered, filtered := c.params["delivery_success"].(bool)
	return c.list("event", "/v1/events", func(o object) bool {
		if filtered && delivered != (num(o, "pending_webhooks") == 0) {
			return false
		}
		if len(types) == 0 {
			return true
		}
		return slices.ContainsFunc(types, func(t any) bool {
			pattern, _ := t.(string)
			prefix, wild := strings.CutSuffix(pattern, "*")
			return pattern == str(o, "type") || wild && strings.HasPrefix(str(o, "type"), prefix)
		})
	})
}

func createEndpoint(c *call) (any, *apiError) {
	if flag(c.params, "connect") {
		return nil, notInSandbox("connect", "Connect")
	}
	address := str(c.params, "url")
	if !absoluteURL(address) {
		return nil, invalid("url_invalid", "url", "Invalid URL: URL must be an absolute http or https address.")
	}
	events := items(c.params, "enabled_events")
	if len(events) == 0 {
		return nil, invalid("parameter_invalid_empty", "enabled_events", "You must enable at least one event.")
	}
	metadata, err := mergeMetadata(nil, c.params)
	if err != nil {
		return nil, err
	}
	secret := "whsec_" + randomText(32)
	r := c.add(c.account, object{
		"id": newID("we"), "object": "webhook_endpoint", "api_version": given(c.params, "api_version"), "application": nil, "created": c.now,
		"description": given(c.params, "description"), "enabled_events": events, "livemode": false, "metadata": metadata,
		"status": "enabled", "url": address, "_secret": secret,
	})
	// Shown once, as at Stripe.
	shown := maps.Clone(r.obj)
	shown["secret"] = secret
	return shown, nil
}

func (c *call) endpointOfPath() (*record, *apiError) {
	id := c.path("webhook_endpoint")
	if r := c.getKind(c.account, "webhook_endpoint", id); r != nil && !flag(r.obj, "deleted") {
		return r, nil
	}
	return nil, missing("webhook endpoint", "webhook_endpoint", id)
}

func getEndpoint(c *call) (any, *apiError) {
	r, err := c.endpointOfPath()
	if err != nil {
		return nil, err
	}
	return r.obj, nil
}

func listEndpoints(c *call) (any, *apiError) {
	return c.list("webhook_endpoint", "/v1/webhook_endpoints", nil)
}

func updateEndpoint(c *call) (any, *apiError) {
	r, err := c.endpointOfPath()
	if err != nil {
		return nil, err
	}
	changed := maps.Clone(r.obj)
	if changed["metadata"], err = mergeMetadata(sub(r.obj, "metadata"), c.params); err != nil {
		return nil, err
	}
	if address := str(c.params, "url"); address != "" {
		if !absoluteURL(address) {
			return nil, invalid("url_invalid", "url", "Invalid URL: URL must be an absolute http or https address.")
		}
		changed["url"] = address
	}
	if events := items(c.params, "enabled_events"); len(events) > 0 {
		changed["enabled_events"] = events
	}
	if disabled, ok := c.params["disabled"].(bool); ok {
		changed["status"] = map[bool]string{true: "disabled", false: "enabled"}[disabled]
	}
	if _, ok := c.params["description"]; ok {
		changed["description"] = given(c.params, "description")
	}
	c.replace(r, changed, "")
	return r.obj, nil
}

func deleteEndpoint(c *call) (any, *apiError) {
	r, err := c.endpointOfPath()
	if err != nil {
		return nil, err
	}
	r.obj = object{"id": r.id, "object": "webhook_endpoint", "deleted": true}
	c.touch(r)
	return r.obj, nil
}
