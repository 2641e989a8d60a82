package doctor

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/portatill/portatill/pay"
)

// EndpointCheck is the name of the check that Fix mends.
const EndpointCheck = "webhook endpoint"

// endpoint: exactly one at Stripe leads here, switched on, in our API version, for our
// events.
func (e *examination) endpoint(ctx context.Context, t *pay.Tenant) {
	found, err := e.Stripe.Endpoints(ctx, t)
	if err != nil {
		e.fail(EndpointCheck, "Stripe does not show the account's endpoints: "+words(err), "see that the key may read them (Webhook Endpoints)")
		return
	}
	address := e.BaseURL + "/webhooks/stripe/" + t.Slug
	var ours []Endpoint
	for _, one := range found {
		// The second is the address that the service before us had.
		if one.URL == address || one.URL == e.BaseURL+"/StripeWebHook/"+t.Slug {
			ours = append(ours, one)
		}
	}
	fault := e.endpointFault(t, address, ours)
	if fault == nil {
		e.ok(EndpointCheck, "%s is on, in version %s, for our %d events", ours[0].ID, ours[0].APIVersion, len(e.Events))
		return
	}
	if !e.Fix {
		e.add(fault.state, EndpointCheck, fault.what, "portatill doctor --tenant "+t.Slug+" --fix")
		return
	}
	done, err := e.mend(ctx, t, address, ours, fault)
	if err != nil {
		e.fail(EndpointCheck, fault.what+"; it could not be mended: "+words(err), "run it again; if Stripe refuses, make the endpoint in its dashboard")
		return
	}
	e.ok(EndpointCheck, "%s; mended: %s", fault.what, done)
}

// endpointFault is what is wrong, and whether a change of what is there mends it, or
// only another endpoint in its place.
type endpointFault struct {
	state   State
	what    string
	replace bool
}

func (e *examination) endpointFault(t *pay.Tenant, address string, ours []Endpoint) *endpointFault {
	if len(ours) == 0 {
		return &endpointFault{Fail, "Stripe has none for " + address, true}
	}
	if len(ours) > 1 {
		// Each signs with a secret of its own, and nobody can tell which is ours.
		ids := make([]string, len(ours))
		for i, one := range ours {
			ids[i] = one.ID
		}
		return &endpointFault{Fail, fmt.Sprintf("Stripe has %d for this tenant (%s): everything comes more than once, and some with a secret that nobody has", len(ours), strings.Join(ids, ", ")), true}
	}
	one := ours[0]
	missing, extra := compareEvents(one.Events, e.Events)
	switch {
	case len(t.StripeWebhookSecrets) == 0:
		return &endpointFault{Fail, one.ID + " is there, but the tenant has no secret to check its deliveries with", true}
	case one.APIVersion != e.APIVersion:
		return &endpointFault{Fail, fmt.Sprintf("%s is in API version %s instead of %s", one.ID, cmp.Or(one.APIVersion, "of the account"), e.APIVersion), true}
	case !one.Enabled:
		return &endpointFault{Fail, one.ID + " is switched off at Stripe", false}
	case len(missing) > 0:
		return &endpointFault{Fail, one.ID + " does not hear " + strings.Join(missing, ", "), false}
	case len(extra) > 0:
		return &endpointFault{Warn, one.ID + " also hears what nobody needs: " + strings.Join(extra, ", "), false}
	}
	return nil
}

// mend changes the endpoint, or puts another one in the place of those that are there.
// The new one is made and its secret kept before an old one goes: an event that comes
// twice is harmless, one that does not come waits for the sweep.
func (e *examination) mend(ctx context.Context, t *pay.Tenant, address string, ours []Endpoint, fault *endpointFault) (string, error) {
	if !fault.replace {
		return "it is on, for our events", e.Stripe.MendEndpoint(ctx, t, ours[0].ID)
	}
	id, secret, err := e.Stripe.CreateEndpoint(ctx, t, address)
	if err != nil {
		return "", err
	}
	if err := e.KeepSecret(ctx, t.Slug, secret); err != nil {
		if back := e.Stripe.DeleteEndpoint(ctx, t, id); back != nil {
			return "", fmt.Errorf("the secret of %s could not be stored, and it could not be deleted again: %w", id, err)
		}
		return "", fmt.Errorf("the secret of the new endpoint could not be stored: %w", err)
	}
	t.StripeWebhookSecrets = []pay.Secret{secret}
	for _, old := range ours {
		if err := e.Stripe.DeleteEndpoint(ctx, t, old.ID); err != nil {
			return "", fmt.Errorf("%s is made, but %s could not be deleted: %w", id, old.ID, err)
		}
	}
	if len(ours) == 0 {
		return id + " is made, and its secret kept", nil
	}
	return id + " is in its place, and its secret kept", nil
}
