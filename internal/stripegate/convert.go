package stripegate

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"

	"github.com/portatill/portatill/pay"
)

// Stripe's objects in the till's words. A nested object that came as an id, though it was to be expanded, is fetched;
// an unknown status or type is passed on as it is, for pay to show to a person.

// session converts s, whose id must be the one given, if one is.
func (c conn) session(s *stripe.CheckoutSession, id ...string) (*pay.StripeSession, error) {
	if err := whole(s.Object, s.ID, "checkout.session", strings.Join(id, "")); err != nil {
		return nil, err
	}
	out := &pay.StripeSession{
		ID: s.ID, URL: s.URL, Mode: string(s.Mode), Status: string(s.Status), PaymentStatus: string(s.PaymentStatus),
		AmountTotal: money(s.AmountTotal, s.Currency), Livemode: s.Livemode,
		ClientReferenceID: s.ClientReferenceID, Metadata: s.Metadata,
		ExpiresAt: when(s.ExpiresAt), CreatedAt: when(s.Created),
	}
	if s.Customer != nil {
		out.CustomerID = s.Customer.ID
	}
	if s.PaymentIntent == nil {
		return out, nil
	}
	intent, err := c.intent(s.PaymentIntent)
	if err != nil {
		return nil, err
	}
	out.IntentID, out.Intent = intent.ID, intent
	return out, nil
}

func (c conn) intent(pi *stripe.PaymentIntent) (*pay.StripeIntent, error) {
	if pi.Object == "" && pi.ID != "" {
		return c.fetchIntent(pi.ID)
	}
	if err := whole(pi.Object, pi.ID, "payment_intent", ""); err != nil {
		return nil, err
	}
	out := &pay.StripeIntent{
		ID: pi.ID, Status: string(pi.Status),
		Amount: money(pi.Amount, pi.Currency), AmountReceived: money(pi.AmountReceived, pi.Currency),
		Livemode: pi.Livemode, Metadata: pi.Metadata, CreatedAt: when(pi.Created),
	}
	if pi.Customer != nil {
		out.CustomerID = pi.Customer.ID
	}
	if e := pi.LastPaymentError; e != nil {
		out.Failure = cmp.Or(string(e.DeclineCode), string(e.Code))
	}
	if pi.LatestCharge == nil {
		return out, nil
	}
	var err error
	out.Charge, err = c.charge(pi.LatestCharge)
	return out, err
}

func (c conn) fetchIntent(id string) (*pay.StripeIntent, error) {
	pi := &stripe.PaymentIntent{}
	err := c.get(stripe.FormatURLPath("/v1/payment_intents/%s", id),
		&stripe.PaymentIntentParams{Params: c.params(""), Expand: stripe.StringSlice(intentExpansions)}, pi)
	if err != nil {
		return nil, err
	}
	if err := whole(pi.Object, pi.ID, "payment_intent", id); err != nil {
		return nil, err
	}
	return c.intent(pi)
}

func (c conn) charge(ch *stripe.Charge) (*pay.StripeCharge, error) {
	if ch.Object == "" && ch.ID != "" {
		id := ch.ID
		var err error
		if ch, err = c.fetchCharge(id); err != nil {
			return nil, err
		}
	}
	if err := whole(ch.Object, ch.ID, "charge", ""); err != nil {
		return nil, err
	}
	out := &pay.StripeCharge{
		ID: ch.ID, Paid: ch.Paid, Captured: ch.Captured, Disputed: ch.Disputed,
		Amount: money(ch.Amount, ch.Currency), AmountCaptured: money(ch.AmountCaptured, ch.Currency),
		AmountRefunded: money(ch.AmountRefunded, ch.Currency),
		Method:         methodText(ch.PaymentMethodDetails), ReceiptURL: ch.ReceiptURL, CreatedAt: when(ch.Created),
	}
	var err error
	if out.Balance, err = c.balance(ch.BalanceTransaction); err != nil {
		return nil, err
	}
	out.Refunds, err = c.refunds(ch)
	return out, err
}

func (c conn) fetchCharge(id string) (*stripe.Charge, error) {
	ch := &stripe.Charge{}
	err := c.get(stripe.FormatURLPath("/v1/charges/%s", id),
		&stripe.ChargeParams{Params: c.params(""), Expand: stripe.StringSlice([]string{"balance_transaction", "refunds"})}, ch)
	if err != nil {
		return nil, err
	}
	return ch, whole(ch.Object, ch.ID, "charge", id)
}

// balance converts a charge's balance transaction, nil as long as Stripe has none (bank debits).
func (c conn) balance(bt *stripe.BalanceTransaction) (*pay.StripeBalanceTransaction, error) {
	if bt == nil {
		return nil, nil
	}
	if bt.Object == "" && bt.ID != "" {
		id := bt.ID
		bt = &stripe.BalanceTransaction{}
		err := c.get(stripe.FormatURLPath("/v1/balance_transactions/%s", id), &stripe.BalanceTransactionParams{Params: c.params("")}, bt)
		if err != nil {
			return nil, err
		}
		if err := whole(bt.Object, bt.ID, "balance_transaction", id); err != nil {
			return nil, err
		}
	}
	if err := whole(bt.Object, bt.ID, "balance_transaction", ""); err != nil {
		return nil, err
	}
	tax := int64(0)
	for _, d := range bt.FeeDetails {
		if d != nil && d.Type == "tax" {
			tax += d.Amount
		}
	}
	return &pay.StripeBalanceTransaction{
		ID: bt.ID, Amount: money(bt.Amount, bt.Currency), Fee: money(bt.Fee, bt.Currency),
		TaxFee: money(tax, bt.Currency), Net: money(bt.Net, bt.Currency),
	}, nil
}

// mostRefundPages ends a paging that a faulty answer would make endless: 100 pages are 10,000 refunds of one charge.
const mostRefundPages = 100

// refunds returns all refunds of a charge, oldest first. Stripe puts the newest ten into an expanded charge; when there
// are more, or none were put there, the list itself is read.
func (c conn) refunds(ch *stripe.Charge) ([]pay.StripeRefund, error) {
	found := []*stripe.Refund{}
	if ch.Refunds != nil && !ch.Refunds.HasMore {
		found = ch.Refunds.Data
	} else {
		after := ""
		for page := 0; ; page++ {
			params := &stripe.RefundListParams{ListParams: c.listParams(), Charge: stripe.String(ch.ID)}
			if after != "" {
				params.StartingAfter = stripe.String(after)
			}
			list := &stripe.RefundList{}
			if err := c.list("/v1/refunds", params, list); err != nil {
				return nil, err
			}
			if list.Data == nil || page == mostRefundPages {
				return nil, unreadable("the list of refunds of %s is broken or does not end", clip(ch.ID, 100))
			}
			found = append(found, list.Data...)
			if !list.HasMore || len(list.Data) == 0 || list.Data[len(list.Data)-1] == nil {
				break
			}
			after = list.Data[len(list.Data)-1].ID
		}
	}
	out := make([]pay.StripeRefund, 0, len(found))
	for _, r := range slices.Backward(found) {
		if r == nil {
			return nil, unreadable("a refund of %s is null", clip(ch.ID, 100))
		}
		if err := whole(r.Object, r.ID, "refund", ""); err != nil {
			return nil, err
		}
		out = append(out, pay.StripeRefund{
			ID: r.ID, Status: pay.RefundState(r.Status), Amount: money(r.Amount, r.Currency),
			Reason: string(r.Reason), FailureReason: string(r.FailureReason), CreatedAt: when(r.Created),
		})
	}
	slices.SortStableFunc(out, func(a, b pay.StripeRefund) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return out, nil
}

func money(minor int64, c stripe.Currency) pay.Money {
	return pay.Money{Minor: minor, Currency: currency(c)}
}

// currency is Stripe's lower-case code as pay writes it.
func currency(c stripe.Currency) pay.Currency { return pay.Currency(strings.ToUpper(string(c))) }

// when is a Unix time of Stripe's, zero when it has none.
func when(unix int64) time.Time {
	if unix == 0 {
		return time.Time{}
	}
	return time.Unix(unix, 0).UTC()
}
