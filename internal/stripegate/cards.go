package stripegate

import (
	"context"
	"slices"

	"github.com/stripe/stripe-go/v76"

	"github.com/portatill/portatill/pay"
)

// Saved cards. Stripe lists what older integrations saved, card_… and src_…, as payment methods with those ids
// (https://stripe.com/docs/payments/payment-methods/transitioning), so there is one way for all three.

// cardIDs are the prefixes of what can be saved for a customer.
var cardIDs = []string{"pm_", "card_", "src_"}

// Cards lists a customer's saved cards, newest first. The customer is expanded in the list, because only there it says
// which card is the default; one without cards is fetched, which tells whether it was deleted.
func (g *Gate) Cards(ctx context.Context, t *pay.Tenant, stripeCustomer string) ([]*pay.Card, error) {
	if err := checkID(stripeCustomer, "cus_"); err != nil {
		return nil, err
	}
	var out []*pay.Card
	err := g.call(ctx, t, func(c conn) error {
		methods, err := c.cardMethods(stripeCustomer)
		if err != nil {
			return err
		}
		var owner *stripe.Customer
		if len(methods) > 0 && methods[0].Customer != nil && methods[0].Customer.Object != "" {
			owner = methods[0].Customer
		} else if owner, err = c.customer(stripeCustomer); err != nil {
			return err
		}
		if owner.Deleted {
			return customerDeleted(stripeCustomer)
		}
		for _, m := range methods {
			card, err := savedCard(m, stripeCustomer)
			if err != nil {
				return err
			}
			card.IsDefault = card.ID == defaultMethod(owner)
			out = append(out, card)
		}
		slices.SortStableFunc(out, func(a, b *pay.Card) int { return b.CreatedAt.Compare(a.CreatedAt) })
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c conn) cardMethods(customer string) ([]*stripe.PaymentMethod, error) {
	return allPages("cards of "+customer, func(after *string) ([]*stripe.PaymentMethod, bool, error) {
		params := &stripe.CustomerListPaymentMethodsParams{ListParams: c.listParams(), Type: stripe.String(string(stripe.PaymentMethodTypeCard)),
			Expand: stripe.StringSlice([]string{"data.customer"})}
		params.StartingAfter = after
		list := &stripe.PaymentMethodList{}
		err := c.list(stripe.FormatURLPath("/v1/customers/%s/payment_methods", customer), params, list)
		return list.Data, list.HasMore, err
	}, func(m *stripe.PaymentMethod) string { return m.ID })
}

// Card fetches one saved payment method of any type. Stripe answers 404 for one that is another customer's, or nobody's.
func (g *Gate) Card(ctx context.Context, t *pay.Tenant, stripeCustomer, id string) (*pay.Card, error) {
	if err := checkCard(stripeCustomer, id); err != nil {
		return nil, err
	}
	return g.method(ctx, t, stripeCustomer, func(c conn, m *stripe.PaymentMethod) error {
		err := c.get(stripe.FormatURLPath("/v1/customers/%s/payment_methods/%s", stripeCustomer, id),
			&stripe.CustomerRetrievePaymentMethodParams{Params: c.params(""), Expand: withCustomer}, m)
		if err != nil {
			return err
		}
		if err := whole(m.Object, m.ID, "payment_method", id); err != nil {
			return err
		}
		if m.Customer == nil || m.Customer.ID != stripeCustomer {
			return notTheCustomers()
		}
		return nil
	})
}

// LabelCard sets the portal's label. It may be repeated: writing the same label again changes nothing.
func (g *Gate) LabelCard(ctx context.Context, t *pay.Tenant, id, label, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := checkID(id, cardIDs...); err != nil {
		return err
	}
	_, err := g.mark(ctx, t, "", id, map[string]string{pay.MetaCardInfo: label, pay.MetaTenant: t.ID}, key)
	return err
}

// DeleteCard detaches a card, for good: Stripe lets nobody use it again
// (https://stripe.com/docs/api/payment_methods/detach). Repeated after it worked it is pay.FaultNotFound.
func (g *Gate) DeleteCard(ctx context.Context, t *pay.Tenant, stripeCustomer, id, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if _, err := g.Card(ctx, t, stripeCustomer, id); err != nil {
		return err
	}
	err := g.detach(ctx, t, id, key)
	if !kept(err) && kindIs(err) != pay.FaultRejected {
		return err
	}
	// Someone else may have detached it meanwhile, or this call did so before it failed.
	switch _, errFetch := g.Card(ctx, t, stripeCustomer, id); {
	case kindIs(errFetch) == pay.FaultNotFound && kept(err):
		return nil
	case errFetch != nil:
		return errFetch
	case kept(err):
		return g.detach(ctx, t, id, key+again)
	}
	return err
}

func (g *Gate) detach(ctx context.Context, t *pay.Tenant, id, key string) error {
	return g.call(ctx, t, func(c conn) error {
		m := &stripe.PaymentMethod{}
		err := c.post(stripe.FormatURLPath("/v1/payment_methods/%s/detach", id), &stripe.PaymentMethodDetachParams{Params: c.params(key)}, m)
		if err != nil {
			return err
		}
		if err := whole(m.Object, m.ID, "payment_method", id); err != nil {
			return err
		}
		if m.Customer != nil {
			return unreadable("Stripe answered that the card was detached, and that it has a customer")
		}
		return nil
	})
}

// withCustomer expands a payment method's customer, who knows which card is the default.
var withCustomer = stripe.StringSlice([]string{"customer"})

// method gets one payment method and converts it; customer "" accepts any.
func (g *Gate) method(ctx context.Context, t *pay.Tenant, customer string, from func(c conn, m *stripe.PaymentMethod) error) (*pay.Card, error) {
	var out *pay.Card
	err := g.call(ctx, t, func(c conn) error {
		m := &stripe.PaymentMethod{}
		if err := from(c, m); err != nil {
			return err
		}
		card, err := savedCard(m, customer)
		if err != nil {
			return err
		}
		card.IsDefault = card.ID == defaultMethod(m.Customer)
		out = card
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// mark writes metadata on a payment method. The same values again change nothing, so a failure that Stripe keeps is met
// with a second call and no look-up.
func (g *Gate) mark(ctx context.Context, t *pay.Tenant, customer, id string, metadata map[string]string, key string) (*pay.Card, error) {
	return twice(key, func(key string) (*pay.Card, error) {
		return g.method(ctx, t, customer, func(c conn, m *stripe.PaymentMethod) error {
			err := c.post(stripe.FormatURLPath("/v1/payment_methods/%s", id),
				&stripe.PaymentMethodParams{Params: c.params(key), Metadata: metadata, Expand: withCustomer}, m)
			if err != nil {
				return err
			}
			return whole(m.Object, m.ID, "payment_method", id)
		})
	})
}

func checkCard(stripeCustomer, id string) error {
	if err := checkID(stripeCustomer, "cus_"); err != nil {
		return err
	}
	return checkID(id, cardIDs...)
}

func notTheCustomers() error {
	return &pay.StripeFault{Kind: pay.FaultNotFound, Code: "not_the_customers_card", Message: "the card is not saved for this customer"}
}

// savedCard converts a payment method, which must belong to the customer unless that is "".
func savedCard(m *stripe.PaymentMethod, customer string) (*pay.Card, error) {
	if err := whole(m.Object, m.ID, "payment_method", ""); err != nil {
		return nil, err
	}
	if checkID(m.ID, cardIDs...) != nil {
		return nil, unreadable("the answer has a payment method without a usable id")
	}
	if customer != "" && (m.Customer == nil || m.Customer.ID != customer) {
		return nil, unreadable("the answer has a payment method that is not the customer's")
	}
	out := &pay.Card{ID: m.ID, Type: clip(string(m.Type), 40), Label: m.Metadata[pay.MetaCardInfo], CreatedAt: when(m.Created)}
	switch {
	case m.Card != nil:
		out.Brand, out.Last4 = clip(string(m.Card.Brand), 40), m.Card.Last4
		if m.Card.ExpMonth >= 1 && m.Card.ExpMonth <= 12 && m.Card.ExpYear > 0 && m.Card.ExpYear < 10_000 {
			out.ExpMonth, out.ExpYear = int(m.Card.ExpMonth), int(m.Card.ExpYear)
		}
	case m.BACSDebit != nil:
		out.Last4 = m.BACSDebit.Last4
	case m.SEPADebit != nil:
		out.Last4 = m.SEPADebit.Last4
	case m.AUBECSDebit != nil:
		out.Last4 = m.AUBECSDebit.Last4
	case m.ACSSDebit != nil:
		out.Last4 = m.ACSSDebit.Last4
	case m.USBankAccount != nil:
		out.Last4 = m.USBankAccount.Last4
	}
	out.Last4 = clip(out.Last4, 4)
	return out, nil
}

// defaultMethod is the id of a customer's default payment method, "" when there is none or the customer is not expanded.
// The one for invoices comes before a legacy source (https://stripe.com/docs/api/customers/object).
func defaultMethod(cu *stripe.Customer) string {
	switch {
	case cu == nil:
		return ""
	case cu.InvoiceSettings != nil && cu.InvoiceSettings.DefaultPaymentMethod != nil:
		return cu.InvoiceSettings.DefaultPaymentMethod.ID
	case cu.DefaultSource != nil:
		return cu.DefaultSource.ID
	}
	return ""
}
