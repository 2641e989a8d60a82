package stripegate

import (
	"context"
	"strings"

	"github.com/stripe/stripe-go/v76"

	"github.com/portatill/portatill/pay"
)

// SaveCard attaches what a token of Stripe.js stands for to a customer. Every step has a key of its own, made from the
// caller's, so that the whole may be repeated with the same key and gives the same card: a token is used up by its first
// use, and the second call meets the answer of the first.
func (g *Gate) SaveCard(ctx context.Context, t *pay.Tenant, in pay.CardToken, key string) (*pay.Card, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	if err := checkID(in.StripeCustomer, "cus_"); err != nil {
		return nil, err
	}
	if err := checkID(in.Token, "tok_", "pm_", "src_"); err != nil {
		return nil, err
	}
	marks := map[string]string{pay.MetaTenant: t.ID}
	if in.Label != "" {
		// Left out rather than sent empty: a card that was saved before keeps the label it has.
		marks[pay.MetaCardInfo] = in.Label
	}
	if strings.HasPrefix(in.Token, "tok_") {
		id, err := twice(key+":method", func(key string) (string, error) { return g.methodOfToken(ctx, t, in.Token, marks, key) })
		if err != nil {
			return nil, err
		}
		// The method is part of the key, because a repeat may have been answered with another one, and a key stands for one address.
		return g.attach(ctx, t, in.StripeCustomer, id, key+":attach:"+id)
	}
	var card *pay.Card
	var err error
	if strings.HasPrefix(in.Token, "src_") {
		card, err = g.attachSource(ctx, t, in.StripeCustomer, in.Token, key+":attach")
	} else {
		card, err = g.attach(ctx, t, in.StripeCustomer, in.Token, key+":attach")
	}
	if err != nil {
		return nil, err
	}
	return g.mark(ctx, t, in.StripeCustomer, card.ID, marks, key+":label")
}

// methodOfToken makes a payment method of a card token, marked at once, and returns its id.
func (g *Gate) methodOfToken(ctx context.Context, t *pay.Tenant, token string, marks map[string]string, key string) (string, error) {
	id := ""
	err := g.call(ctx, t, func(c conn) error {
		m := &stripe.PaymentMethod{}
		err := c.post("/v1/payment_methods", &stripe.PaymentMethodParams{Params: c.params(key), Metadata: marks,
			Type: stripe.String(string(stripe.PaymentMethodTypeCard)), Card: &stripe.PaymentMethodCardParams{Token: stripe.String(token)}}, m)
		if err != nil {
			return err
		}
		if _, err := savedCard(m, ""); err != nil {
			return err
		}
		id = m.ID
		return nil
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

// attach saves a payment method for the customer. One that is theirs already is what was wanted; one that is another's is
// not told apart from one that does not exist.
func (g *Gate) attach(ctx context.Context, t *pay.Tenant, customer, id, key string) (*pay.Card, error) {
	try := func(key string) (*pay.Card, error) {
		return g.method(ctx, t, customer, func(c conn, m *stripe.PaymentMethod) error {
			return c.post(stripe.FormatURLPath("/v1/payment_methods/%s/attach", id),
				&stripe.PaymentMethodAttachParams{Params: c.params(key), Customer: stripe.String(customer), Expand: withCustomer}, m)
		})
	}
	card, err := try(key)
	if !kept(err) && kindIs(err) != pay.FaultRejected {
		return card, err
	}
	owner, errFetch := g.ownerOf(ctx, t, id)
	switch {
	case errFetch != nil && kindIs(errFetch) != pay.FaultNotFound:
		return nil, errFetch
	case owner == customer:
		return g.Card(ctx, t, customer, id)
	case owner != "":
		return nil, notTheCustomers()
	case kept(err):
		return try(key + again)
	}
	return nil, err
}

// ownerOf returns the customer that a payment method is attached to, "" when it is attached to none.
func (g *Gate) ownerOf(ctx context.Context, t *pay.Tenant, id string) (string, error) {
	owner := ""
	err := g.call(ctx, t, func(c conn) error {
		m := &stripe.PaymentMethod{}
		if err := c.get(stripe.FormatURLPath("/v1/payment_methods/%s", id), &stripe.PaymentMethodParams{Params: c.params("")}, m); err != nil {
			return err
		}
		if m.Customer != nil {
			owner = m.Customer.ID
		}
		return whole(m.Object, m.ID, "payment_method", id)
	})
	return owner, err
}

// source is the little that is wanted of an answer that may be one of several kinds of object.
type source struct {
	stripe.APIResource
	ID string `json:"id"`
}

// attachSource saves a legacy source for the customer (https://stripe.com/docs/sources/customers) and returns it as the
// payment method that Stripe shows it as.
func (g *Gate) attachSource(ctx context.Context, t *pay.Tenant, customer, id, key string) (*pay.Card, error) {
	try := func(key string) (*pay.Card, error) {
		saved := ""
		err := g.call(ctx, t, func(c conn) error {
			params, out := c.params(key), &source{}
			params.AddExtra("source", id)
			if err := c.post(stripe.FormatURLPath("/v1/customers/%s/sources", customer), &params, out); err != nil {
				return err
			}
			if checkID(out.ID, cardIDs...) != nil {
				return unreadable("the answer has no source with a usable id")
			}
			saved = out.ID
			return nil
		})
		if err != nil {
			return nil, err
		}
		return g.Card(ctx, t, customer, saved)
	}
	card, err := try(key)
	if !kept(err) && kindIs(err) != pay.FaultRejected {
		return card, err
	}
	card, errFetch := g.Card(ctx, t, customer, id)
	switch {
	case errFetch == nil:
		return card, nil
	case kindIs(errFetch) != pay.FaultNotFound:
		return nil, errFetch
	case kept(err):
		return try(key + again)
	}
	return nil, err
}
