package stripegate

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/stripe/stripe-go/v76"

	"github.com/portatill/portatill/pay"
)

// APIVersion is the version of Stripe's API that every call uses and that our webhook endpoints are made with.
const APIVersion = stripe.APIVersion

// Permissions are what a restricted key needs for all that the till does, by the objects that its calls are about
// (https://docs.stripe.com/keys/restricted-api-keys). Stripe has not always offered the first one: a key of which it
// does not show the account cannot be a tenant's first.
var Permissions = []string{
	"Account: read (GET /v1/account)", "Checkout Sessions: write", "PaymentIntents: write", "SetupIntents: read", "Charges and Refunds: write", "Customers: write",
	"PaymentMethods: write", "Sources: read", "Disputes: read", "Balance transactions: read", "Payouts: read", "Webhook Endpoints: write",
}

// Endpoint is a webhook endpoint as Stripe has it now, without its secret, which Stripe shows once.
type Endpoint struct {
	ID         string // we_…
	URL        string
	Enabled    bool
	APIVersion string   // "" is the account's own version
	Events     []string // sorted; "*" stands for all
}

// Endpoints lists all webhook endpoints of the tenant's account.
func (g *Gate) Endpoints(ctx context.Context, t *pay.Tenant) ([]Endpoint, error) {
	var all []Endpoint
	err := g.call(ctx, t, func(c conn) error {
		found, err := c.allEndpoints()
		if err != nil {
			return err
		}
		all = make([]Endpoint, len(found))
		for i, e := range found {
			all[i] = Endpoint{ID: e.ID, URL: e.URL, Enabled: e.Status == "enabled", APIVersion: e.APIVersion, Events: slices.Sorted(slices.Values(e.EnabledEvents))}
		}
		return nil
	})
	return all, err
}

// CreateEndpoint makes another endpoint for WebhookEvents in APIVersion, whatever there is already, and returns its id
// and secret. When its answer is lost there may be an endpoint whose secret nobody has: Endpoints shows it.
func (g *Gate) CreateEndpoint(ctx context.Context, t *pay.Tenant, url string) (id string, secret pay.Secret, err error) {
	err = g.call(ctx, t, func(c conn) error {
		id, secret, err = c.makeEndpoint(t, url)
		return err
	})
	return id, secret, err
}

// MendEndpoint switches an endpoint on and gives it exactly WebhookEvents. Its API version cannot be changed at Stripe.
// It may be repeated.
func (g *Gate) MendEndpoint(ctx context.Context, t *pay.Tenant, id string) error {
	if err := checkID(id, "we_"); err != nil {
		return err
	}
	return g.call(ctx, t, func(c conn) error { return c.updateEndpoint(id, WebhookEvents) })
}

// DeleteEndpoint deletes one endpoint. One that is gone already is a success.
func (g *Gate) DeleteEndpoint(ctx context.Context, t *pay.Tenant, id string) error {
	if err := checkID(id, "we_"); err != nil {
		return err
	}
	err := g.call(ctx, t, func(c conn) error { return c.deleteEndpoint(id) })
	if kindIs(err) == pay.FaultNotFound {
		return nil
	}
	return err
}

// ClockAhead says how far our clock is ahead of Stripe's (negative: behind), by the Date of one answer, which has whole
// seconds. What the answer took on its way is halved, so the error is at most half a second and half of that.
func (g *Gate) ClockAhead(ctx context.Context, t *pay.Tenant) (time.Duration, error) {
	var ahead time.Duration
	err := g.call(ctx, t, func(c conn) error {
		// Not the account: a restricted key may not see it.
		list := &stripe.WebhookEndpointList{}
		params := &stripe.WebhookEndpointListParams{ListParams: stripe.ListParams{Context: c.ctx, Limit: stripe.Int64(1)}}
		sent := time.Now()
		if err := c.list("/v1/webhook_endpoints", params, list); err != nil {
			return err
		}
		took := time.Since(sent)
		if list.LastResponse == nil {
			return unreadable("the answer has no headers")
		}
		date, err := http.ParseTime(list.LastResponse.Header.Get("Date"))
		if err != nil {
			return unreadable("the answer does not say when it was made")
		}
		ahead = sent.Add(took / 2).Sub(date.Add(time.Second / 2))
		return nil
	})
	return ahead, err
}
