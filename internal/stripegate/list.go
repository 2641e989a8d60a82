package stripegate

import (
	"context"
	"slices"

	"github.com/stripe/stripe-go/v76"

	"github.com/portatill/portatill/pay"
)

// List reads one page, of at most 100, of the objects of a kind that were created at in.From or later, newest first
// (https://stripe.com/docs/api/pagination).
func (g *Gate) List(ctx context.Context, t *pay.Tenant, in pay.ListInput) (*pay.ListPage, error) {
	out := &pay.ListPage{}
	err := g.call(ctx, t, func(c conn) error {
		common := c.pageParams(in.From, in.After)
		var err error
		switch in.Kind {
		case pay.ListSessions:
			err = c.listSessions(common, out)
		case pay.ListIntents:
			err = c.listIntents(common, out)
		case pay.ListRefunds:
			err = c.listRefundsPage(common, out)
		case pay.ListDisputes:
			err = c.listDisputesPage(common, out)
		default:
			err = unreadable("there is no list of %q", clip(string(in.Kind), 40))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// fill converts a page; a list that is missing, or has a null or an object without its id in it, is no page.
func fill[T any](out *pay.ListPage, what string, data []*T, more bool, convert func(*T) pay.Listed) error {
	if data == nil || slices.Contains(data, nil) {
		return unreadable("the answer has no whole list of %s", what)
	}
	for _, o := range data {
		l := convert(o)
		if l.ID == "" {
			return unreadable("an object in the list of %s has no id", what)
		}
		out.Objects = append(out.Objects, l)
	}
	out.More = more
	return nil
}

func (c conn) listSessions(common stripe.ListParams, out *pay.ListPage) error {
	list := &stripe.CheckoutSessionList{}
	if err := c.list("/v1/checkout/sessions", &stripe.CheckoutSessionListParams{ListParams: common}, list); err != nil {
		return err
	}
	return fill(out, "sessions", list.Data, list.HasMore, func(s *stripe.CheckoutSession) pay.Listed {
		return pay.Listed{ID: s.ID, Status: string(s.Status), PaymentStatus: string(s.PaymentStatus), Mark: s.Metadata[pay.MetaTenant], CreatedAt: when(s.Created)}
	})
}

func (c conn) listIntents(common stripe.ListParams, out *pay.ListPage) error {
	list := &stripe.PaymentIntentList{}
	if err := c.list("/v1/payment_intents", &stripe.PaymentIntentListParams{ListParams: common}, list); err != nil {
		return err
	}
	return fill(out, "payment intents", list.Data, list.HasMore, func(i *stripe.PaymentIntent) pay.Listed {
		return pay.Listed{ID: i.ID, Status: string(i.Status), Mark: i.Metadata[pay.MetaTenant], CreatedAt: when(i.Created)}
	})
}

func (c conn) listRefundsPage(common stripe.ListParams, out *pay.ListPage) error {
	list := &stripe.RefundList{}
	if err := c.list("/v1/refunds", &stripe.RefundListParams{ListParams: common}, list); err != nil {
		return err
	}
	return fill(out, "refunds", list.Data, list.HasMore, func(r *stripe.Refund) pay.Listed {
		return pay.Listed{ID: r.ID, Status: string(r.Status), IntentID: idOfIntent(r.PaymentIntent), Mark: r.Metadata[pay.MetaTenant], CreatedAt: when(r.Created)}
	})
}

func (c conn) listDisputesPage(common stripe.ListParams, out *pay.ListPage) error {
	list := &stripe.DisputeList{}
	if err := c.list("/v1/disputes", &stripe.DisputeListParams{ListParams: common}, list); err != nil {
		return err
	}
	return fill(out, "disputes", list.Data, list.HasMore, func(d *stripe.Dispute) pay.Listed {
		return pay.Listed{ID: d.ID, Status: string(d.Status), IntentID: idOfIntent(d.PaymentIntent), Mark: d.Metadata[pay.MetaTenant], CreatedAt: when(d.Created)}
	})
}

func idOfCharge(ch *stripe.Charge) string {
	if ch == nil {
		return ""
	}
	return ch.ID
}

func idOfIntent(i *stripe.PaymentIntent) string {
	if i == nil {
		return ""
	}
	return i.ID
}
