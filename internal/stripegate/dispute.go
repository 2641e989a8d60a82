package stripegate

import (
	"slices"

	"github.com/stripe/stripe-go/v76"

	"github.com/portatill/portatill/pay"
)

// disputes returns all disputes of a charge, oldest first. Stripe cannot put them into a charge, so this is a call of its
// own, made for disputed charges only.
func (c conn) disputes(ch *stripe.Charge) ([]pay.StripeDispute, error) {
	found, err := allPages("disputes of "+ch.ID, func(after *string) ([]*stripe.Dispute, bool, error) {
		params := &stripe.DisputeListParams{ListParams: c.listParams()}
		params.StartingAfter = after
		if ch.PaymentIntent != nil && ch.PaymentIntent.ID != "" {
			params.PaymentIntent = stripe.String(ch.PaymentIntent.ID)
		} else {
			params.Charge = stripe.String(ch.ID)
		}
		list := &stripe.DisputeList{}
		err := c.list("/v1/disputes", params, list)
		return list.Data, list.HasMore, err
	}, func(d *stripe.Dispute) string { return d.ID })
	if err != nil {
		return nil, err
	}
	out := make([]pay.StripeDispute, 0, len(found))
	for _, d := range slices.Backward(found) {
		one, err := c.dispute(d)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	slices.SortStableFunc(out, func(a, b pay.StripeDispute) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return out, nil
}

// dispute converts d. Its balance transactions, which Stripe always puts into it whole, are told apart by their sign: the
// first one that took money and the first one that gave it back (https://stripe.com/docs/api/disputes/object says there
// are at most two). Amount and Net are what left or came back, so positive in both; the fee stays as Stripe has it.
func (c conn) dispute(d *stripe.Dispute) (pay.StripeDispute, error) {
	if err := whole(d.Object, d.ID, "dispute", ""); err != nil {
		return pay.StripeDispute{}, err
	}
	out := pay.StripeDispute{ID: d.ID, Status: pay.DisputeState(d.Status), Amount: money(d.Amount, d.Currency), Reason: string(d.Reason), CreatedAt: when(d.Created)}
	if d.EvidenceDetails != nil {
		out.DueBy = when(d.EvidenceDetails.DueBy)
	}
	for _, bt := range d.BalanceTransactions {
		if bt == nil {
			return pay.StripeDispute{}, unreadable("a balance transaction of %s is null", clip(d.ID, 100))
		}
		moved, err := c.balance(bt)
		if err != nil {
			return pay.StripeDispute{}, err
		}
		switch {
		case moved.Amount.Minor < 0 && out.Withdrawn == nil:
			moved.Amount.Minor, moved.Net.Minor = -moved.Amount.Minor, -moved.Net.Minor
			out.Withdrawn = moved
		case moved.Amount.Minor > 0 && out.Reinstated == nil:
			out.Reinstated = moved
		}
	}
	return out, nil
}
