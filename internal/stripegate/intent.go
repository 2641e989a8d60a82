package stripegate

import (
	"context"
	"strings"

	"github.com/stripe/stripe-go/v76"

	"github.com/portatill/portatill/pay"
)

// Intent fetches a payment intent with its charge, refunds and balance transaction.
func (g *Gate) Intent(ctx context.Context, t *pay.Tenant, id string) (*pay.StripeIntent, error) {
	if err := checkID(id, "pi_"); err != nil {
		return nil, err
	}
	var out *pay.StripeIntent
	err := g.call(ctx, t, func(c conn) error {
		var err error
		out, err = c.fetchIntent(id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// IntentOf resolves a charge, refund or dispute to the id of its payment intent, "" when it has none: a charge made
// without an intent is not one of ours. An intent's own id is returned as it is, without a call.
func (g *Gate) IntentOf(ctx context.Context, t *pay.Tenant, objectID string) (string, error) {
	if err := checkID(objectID, "ch_", "py_", "re_", "pyr_", "dp_", "du_", "pi_"); err != nil {
		return "", err
	}
	if strings.HasPrefix(objectID, "pi_") {
		return objectID, nil
	}
	var id string
	err := g.call(ctx, t, func(c conn) error {
		var err error
		id, err = c.intentOf(objectID)
		return err
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

func (c conn) intentOf(objectID string) (string, error) {
	var intent *stripe.PaymentIntent
	var charge *stripe.Charge
	prefix, _, _ := strings.Cut(objectID, "_")
	switch prefix {
	case "re", "pyr":
		r := &stripe.Refund{}
		if err := c.get(stripe.FormatURLPath("/v1/refunds/%s", objectID), &stripe.RefundParams{Params: c.params("")}, r); err != nil {
			return "", err
		}
		if err := whole(r.Object, r.ID, "refund", objectID); err != nil {
			return "", err
		}
		intent, charge = r.PaymentIntent, r.Charge
	case "dp", "du":
		d := &stripe.Dispute{}
		if err := c.get(stripe.FormatURLPath("/v1/disputes/%s", objectID), &stripe.DisputeParams{Params: c.params("")}, d); err != nil {
			return "", err
		}
		if err := whole(d.Object, d.ID, "dispute", objectID); err != nil {
			return "", err
		}
		intent, charge = d.PaymentIntent, d.Charge
	default:
		charge = &stripe.Charge{ID: objectID}
	}
	if intent != nil || charge == nil {
		return intentID(intent)
	}
	if charge.Object == "" {
		// Older refunds and disputes name the charge only.
		ch := &stripe.Charge{}
		if err := c.get(stripe.FormatURLPath("/v1/charges/%s", charge.ID), &stripe.ChargeParams{Params: c.params("")}, ch); err != nil {
			return "", err
		}
		if err := whole(ch.Object, ch.ID, "charge", charge.ID); err != nil {
			return "", err
		}
		charge = ch
	}
	return intentID(charge.PaymentIntent)
}

func intentID(pi *stripe.PaymentIntent) (string, error) {
	if pi == nil {
		return "", nil
	}
	if checkID(pi.ID, "pi_") != nil {
		return "", unreadable("the answer names a payment intent without a usable id")
	}
	return pi.ID, nil
}
