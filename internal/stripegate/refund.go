package stripegate

import (
	"context"
	"fmt"
	"slices"

	"github.com/stripe/stripe-go/v76"

	"github.com/portatill/portatill/pay"
)

// CreateRefund gives money of an intent back. It may be repeated with the same key and input. Stripe never gives back more
// than was taken, whatever is asked (https://stripe.com/docs/api/refunds/create), so a doubled refund is bounded even where
// everything else fails.
func (g *Gate) CreateRefund(ctx context.Context, t *pay.Tenant, in pay.RefundInput, key string) (*pay.StripeRefund, error) {
	if err := checkRefundInput(in, key); err != nil {
		return nil, err
	}
	r, err := g.makeRefund(ctx, t, in, key)
	if !kept(err) {
		return r, err
	}
	switch found, errFind := g.findRefund(ctx, t, in); {
	case errFind != nil:
		return nil, stillOpen(err, errFind)
	case found != nil:
		return found, nil
	}
	return g.makeRefund(ctx, t, in, key+again)
}

func checkRefundInput(in pay.RefundInput, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	refuse := func(format string, args ...any) error {
		return &pay.StripeFault{Kind: pay.FaultRejected, Code: "refund_input_invalid", Message: fmt.Sprintf(format, args...) + "; nothing was sent"}
	}
	switch {
	case in.Amount.Minor < 1 || in.Amount.Currency == "":
		return refuse("a refund of %d minor units of %q is none", in.Amount.Minor, in.Amount.Currency)
	case in.Metadata[pay.MetaRefund] == "":
		return refuse("the metadata of a refund must have %s, by which it is found again", pay.MetaRefund)
	}
	return checkID(in.IntentID, "pi_")
}

func (g *Gate) makeRefund(ctx context.Context, t *pay.Tenant, in pay.RefundInput, key string) (*pay.StripeRefund, error) {
	var out *pay.StripeRefund
	err := g.call(ctx, t, func(c conn) error {
		params := &stripe.RefundParams{Params: c.params(key), PaymentIntent: stripe.String(in.IntentID), Amount: stripe.Int64(in.Amount.Minor), Metadata: in.Metadata}
		if in.Reason != "" {
			params.Reason = stripe.String(in.Reason)
		}
		r := &stripe.Refund{}
		if err := c.post("/v1/refunds", params, r); err != nil {
			return err
		}
		var err error
		out, err = askedRefund(r, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// findRefund returns the refund that was made for the request, nil when none was: all refunds of the intent are looked at.
func (g *Gate) findRefund(ctx context.Context, t *pay.Tenant, in pay.RefundInput) (*pay.StripeRefund, error) {
	var out *pay.StripeRefund
	err := g.call(ctx, t, func(c conn) error {
		found, err := c.listRefunds("refunds of "+in.IntentID, func(p *stripe.RefundListParams) { p.PaymentIntent = stripe.String(in.IntentID) })
		if err != nil {
			return err
		}
		i := slices.IndexFunc(found, func(r *stripe.Refund) bool { return r.Metadata[pay.MetaRefund] == in.Metadata[pay.MetaRefund] })
		if i < 0 {
			return nil
		}
		out, err = askedRefund(found[i], in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// askedRefund converts a refund that must be the one asked for. One of another amount or intent cannot be taken back, and
// to call it refused would be false: it stays open until the charge's refunds are read.
func askedRefund(r *stripe.Refund, in pay.RefundInput) (*pay.StripeRefund, error) {
	out, err := refund(r)
	switch {
	case err != nil:
		return nil, err
	case checkID(out.ID, "re_", "pyr_") != nil:
		return nil, unreadable("the answer has a refund without a usable id")
	case out.Amount != in.Amount, out.Request != in.Metadata[pay.MetaRefund], r.PaymentIntent != nil && r.PaymentIntent.ID != in.IntentID:
		return nil, unreadable("the refund %s is not the one that was asked for", out.ID)
	}
	return &out, nil
}

// refunds returns all refunds of a charge, oldest first. Stripe puts the newest ten into an expanded charge; when there
// are more, or none were put there, the list itself is read.
func (c conn) refunds(ch *stripe.Charge) ([]pay.StripeRefund, error) {
	var found []*stripe.Refund
	if ch.Refunds != nil && !ch.Refunds.HasMore {
		found = ch.Refunds.Data
	} else {
		var err error
		if found, err = c.listRefunds("refunds of "+ch.ID, func(p *stripe.RefundListParams) { p.Charge = stripe.String(ch.ID) }); err != nil {
			return nil, err
		}
	}
	out := make([]pay.StripeRefund, 0, len(found))
	for _, r := range slices.Backward(found) {
		if r == nil {
			return nil, unreadable("a refund of %s is null", clip(ch.ID, 100))
		}
		one, err := refund(r)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	slices.SortStableFunc(out, func(a, b pay.StripeRefund) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return out, nil
}

func (c conn) listRefunds(what string, of func(p *stripe.RefundListParams)) ([]*stripe.Refund, error) {
	return allPages(what, func(after *string) ([]*stripe.Refund, bool, error) {
		params := &stripe.RefundListParams{ListParams: c.listParams()}
		params.StartingAfter = after
		of(params)
		list := &stripe.RefundList{}
		err := c.list("/v1/refunds", params, list)
		return list.Data, list.HasMore, err
	}, func(r *stripe.Refund) string { return r.ID })
}

func refund(r *stripe.Refund) (pay.StripeRefund, error) {
	if err := whole(r.Object, r.ID, "refund", ""); err != nil {
		return pay.StripeRefund{}, err
	}
	return pay.StripeRefund{
		ID: r.ID, Status: pay.RefundState(r.Status), Amount: money(r.Amount, r.Currency), Reason: string(r.Reason),
		FailureReason: string(r.FailureReason), Request: r.Metadata[pay.MetaRefund], CreatedAt: when(r.Created),
	}, nil
}
