package stripegate

import (
	"context"
	"slices"

	"github.com/stripe/stripe-go/v76"

	"github.com/portatill/portatill/pay"
)

// WebhookEvents are the events that the till wants to hear of: each names an object whose state, once fetched, may change
// an order, a refund or a dispute, or our copy of a customer's cards (https://stripe.com/docs/api/events/types). Nothing depends on their arrival; they only
// make settling prompt. charge.updated brings late balance transactions, charge.refund.updated refunds that fail.
var WebhookEvents = []string{
	"checkout.session.completed",
	"checkout.session.expired",
	"checkout.session.async_payment_succeeded",
	"checkout.session.async_payment_failed",
	"payment_intent.succeeded",
	"payment_intent.processing",
	"payment_intent.payment_failed",
	"payment_intent.canceled",
	"payment_intent.requires_action",
	"charge.succeeded",
	"charge.updated",
	"charge.refunded",
	"charge.refund.updated",
	"charge.dispute.created",
	"charge.dispute.updated",
	"charge.dispute.closed",
	"charge.dispute.funds_withdrawn",
	"charge.dispute.funds_reinstated",
	"payment_method.attached",
	"payment_method.detached",
	"payment_method.updated",
	"payment_method.automatically_updated",
	"customer.deleted",
}

// EnsureWebhookEndpoint makes the tenant's Stripe account deliver WebhookEvents, in API version 2023-10-16, to url, and
// returns the new endpoint's signing secret. Stripe shows a secret only when it makes an endpoint: when one with exactly
// this URL exists, created is false and the secret is "". Such an endpoint is switched on and given the events it lacks,
// because a second one would deliver everything twice, with another signature. Whoever has lost the secret deletes the
// endpoint and calls again.
//
// A second call finds what a first one made, so it may be repeated, one at a time; when an answer is lost, delete and
// call again.
func (g *Gate) EnsureWebhookEndpoint(ctx context.Context, t *pay.Tenant, url string) (secret pay.Secret, created bool, err error) {
	err = g.call(ctx, t, func(c conn) error {
		found, err := c.endpoints(url)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			return c.mendEndpoint(found)
		}
		if _, secret, err = c.makeEndpoint(t, url); err != nil {
			return err
		}
		created = true
		return nil
	})
	return secret, created, err
}

func (c conn) makeEndpoint(t *pay.Tenant, url string) (id string, secret pay.Secret, err error) {
	made := &stripe.WebhookEndpoint{}
	// No idempotency key of ours: one that stayed the same would, for a day, replay the answer about an endpoint
	// deleted meanwhile. The SDK's own key covers its retries.
	err = c.post("/v1/webhook_endpoints", &stripe.WebhookEndpointParams{
		Params:        c.params(""),
		URL:           stripe.String(url),
		EnabledEvents: stripe.StringSlice(WebhookEvents),
		APIVersion:    stripe.String(stripe.APIVersion),
		Description:   stripe.String("Portatill"),
		Metadata:      map[string]string{pay.MetaTenant: t.ID},
	}, made)
	if err != nil {
		return "", "", err
	}
	if err := whole(made.Object, made.ID, "webhook_endpoint", ""); err != nil {
		return "", "", err
	}
	if made.Secret == "" {
		return "", "", unreadable("Stripe made the endpoint %s but did not tell its secret; delete it and try again", clip(made.ID, 100))
	}
	return made.ID, pay.Secret(made.Secret), nil
}

// mendEndpoint leaves the endpoint alone when one of those found is enabled and hears everything; else it updates the
// first.
func (c conn) mendEndpoint(found []*stripe.WebhookEndpoint) error {
	for _, e := range found {
		if e.Status == "enabled" && hearsAll(e.EnabledEvents) {
			return nil
		}
	}
	// Other events that someone enabled there stay.
	events := slices.Concat(WebhookEvents, found[0].EnabledEvents)
	slices.Sort(events)
	events = slices.Compact(events)
	if slices.Contains(events, "*") {
		events = []string{"*"}
	}
	return c.updateEndpoint(found[0].ID, events)
}

// updateEndpoint switches an endpoint on, for these events.
func (c conn) updateEndpoint(id string, events []string) error {
	return c.post(stripe.FormatURLPath("/v1/webhook_endpoints/%s", id), &stripe.WebhookEndpointParams{
		Params: c.params(""), EnabledEvents: stripe.StringSlice(events), Disabled: stripe.Bool(false),
	}, &stripe.WebhookEndpoint{})
}

func (c conn) deleteEndpoint(id string) error {
	return c.delete(stripe.FormatURLPath("/v1/webhook_endpoints/%s", id), &stripe.WebhookEndpointParams{Params: c.params("")}, &stripe.WebhookEndpoint{})
}

func hearsAll(events []string) bool {
	if slices.Contains(events, "*") {
		return true
	}
	for _, e := range WebhookEvents {
		if !slices.Contains(events, e) {
			return false
		}
	}
	return true
}

// DeleteWebhookEndpoint deletes every endpoint of the tenant's account with exactly this URL and returns how many there
// were. It may be repeated.
func (g *Gate) DeleteWebhookEndpoint(ctx context.Context, t *pay.Tenant, url string) (deleted int, err error) {
	err = g.call(ctx, t, func(c conn) error {
		found, err := c.endpoints(url)
		if err != nil {
			return err
		}
		for _, e := range found {
			if err := c.deleteEndpoint(e.ID); err != nil {
				return err
			}
			deleted++
		}
		return nil
	})
	return deleted, err
}

// endpoints lists those with exactly this URL.
func (c conn) endpoints(url string) ([]*stripe.WebhookEndpoint, error) {
	all, err := c.allEndpoints()
	return slices.DeleteFunc(all, func(e *stripe.WebhookEndpoint) bool { return e.URL != url }), err
}

// allEndpoints lists the account's endpoints. One page is enough: Stripe allows 16 in an account
// (https://stripe.com/docs/webhooks#register-webhook).
func (c conn) allEndpoints() ([]*stripe.WebhookEndpoint, error) {
	list := &stripe.WebhookEndpointList{}
	if err := c.list("/v1/webhook_endpoints", &stripe.WebhookEndpointListParams{ListParams: c.listParams()}, list); err != nil {
		return nil, err
	}
	if list.Data == nil {
		return nil, unreadable("the answer has no list of webhook endpoints")
	}
	for _, e := range list.Data {
		if e == nil {
			return nil, unreadable("a webhook endpoint in the list is null")
		}
		if err := whole(e.Object, e.ID, "webhook_endpoint", ""); err != nil {
			return nil, err
		}
	}
	return list.Data, nil
}
