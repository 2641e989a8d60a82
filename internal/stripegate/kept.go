package stripegate

import (
	"context"
	"errors"
	"slices"

	"github.com/stripe/stripe-go/v76"

	"github.com/portatill/portatill/pay"
)

// Stripe keeps the answer to a write under its idempotency key, a 500 as well
// (https://stripe.com/docs/api/idempotent_requests): from then on the same call gets the same 500, whether or not it had
// its effect, and repeating it finds nothing out. Such an answer is recognised by its headers. What was made, if anything,
// is then looked for by our own marks; when it is not there, the call is made once more under a key that is derived from
// the first, so that this too is the same call whenever it is repeated.
//
// Should the look-up ever miss an object, no money can go wrong: a customer moves none, a session whose answer was lost
// has an address that nobody knows, and a refund cannot give back more than was taken. A charge takes money at once; it is
// made again only when the whole list of what it could be among was seen (ChargeCard).

const (
	// codeKept is the Code of a fault whose answer Stripe keeps under the key.
	codeKept = pay.FaultCodeKept
	// again is added to an idempotency key for the second call.
	again = ":again"
)

func kept(err error) bool {
	f, ok := errors.AsType[*pay.StripeFault](err)
	return ok && f.Code == codeKept
}

// stillOpen is the error of a call whose failure was kept and whose look-up failed as well. A refusal of the look-up says
// nothing about the call, and must not be read as a refusal of that.
func stillOpen(err, errLook error) error {
	if kept(err) && kindIs(errLook) != pay.FaultUnavailable {
		return err
	}
	return errLook
}

// twice makes a write that changes nothing when it is made again, and makes it again when its failure is kept.
func twice[T any](key string, write func(key string) (T, error)) (T, error) {
	out, err := write(key)
	if kept(err) {
		return write(key + again)
	}
	return out, err
}

// findSession returns the id of the session that was made for the attempt, "" when none was. The newest hundred of the
// customer's are looked at; they come newest first.
func (g *Gate) findSession(ctx context.Context, t *pay.Tenant, in pay.SessionInput) (string, error) {
	if in.Attempt == nil || in.Attempt.ID == "" {
		return "", nil
	}
	var id string
	err := g.call(ctx, t, func(c conn) error {
		params := &stripe.CheckoutSessionListParams{ListParams: c.listParams()}
		if in.StripeCustomer != "" {
			params.Customer = stripe.String(in.StripeCustomer)
		}
		list := &stripe.CheckoutSessionList{}
		if err := c.list("/v1/checkout/sessions", params, list); err != nil {
			return err
		}
		if list.Data == nil || slices.Contains(list.Data, nil) {
			return unreadable("the answer has no whole list of sessions")
		}
		for _, s := range list.Data {
			if s.ClientReferenceID == in.Order.ID && s.Metadata[pay.MetaAttempt] == in.Attempt.ID && s.Metadata[pay.MetaTenant] == t.ID {
				id = s.ID
				return checkID(id, "cs_")
			}
		}
		return nil
	})
	return id, err
}

// findCustomer returns the id of the newest customer at Stripe that was made for cu, "" when none was.
func (g *Gate) findCustomer(ctx context.Context, t *pay.Tenant, cu *pay.Customer) (string, error) {
	var id string
	err := g.call(ctx, t, func(c conn) error {
		params := &stripe.CustomerListParams{ListParams: c.listParams()}
		if email := usableEmail(cu.Email); email != "" {
			params.Email = stripe.String(email)
		}
		list := &stripe.CustomerList{}
		if err := c.list("/v1/customers", params, list); err != nil {
			return err
		}
		if list.Data == nil || slices.Contains(list.Data, nil) {
			return unreadable("the answer has no whole list of customers")
		}
		for _, found := range list.Data {
			if found.Metadata[pay.MetaCustomer] == cu.ID && found.Metadata[pay.MetaTenant] == t.ID && found.Livemode == t.StripeLivemode {
				id = found.ID
				return checkID(id, "cus_")
			}
		}
		return nil
	})
	return id, err
}
