package stripegate

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/stripe/stripe-go/v76"

	"github.com/portatill/portatill/pay"
)

// ListBalance reads one page, of at most 100, of the account's balance transactions with what each is for, newest first
// (https://stripe.com/docs/api/balance_transactions/list). It changes nothing at Stripe. A payout that Stripe cannot take
// apart, because it was not an automatic one, is FaultRejected.
func (g *Gate) ListBalance(ctx context.Context, t *pay.Tenant, in pay.BalanceInput) (*pay.BalancePage, error) {
	if in.Payout != "" {
		if err := checkID(in.Payout, "po_"); err != nil {
			return nil, err
		}
	}
	out := &pay.BalancePage{}
	err := g.call(ctx, t, func(c conn) error {
		params := &stripe.BalanceTransactionListParams{ListParams: c.pageParams(in.From, in.After)}
		params.AddExpand("data.source")
		if in.Payout != "" {
			params.Payout = stripe.String(in.Payout)
		}
		list := &stripe.BalanceTransactionList{}
		if err := c.list("/v1/balance_transactions", params, list); err != nil {
			return err
		}
		var err error
		out.Transactions, err = convertAll("balance transactions", list.Data, balanceLine)
		out.More = list.HasMore && len(list.Data) > 0
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ListPayouts reads one page, of at most 100, of the payouts that were made at from or later (zero: all), newest first,
// after the one with the id after (https://stripe.com/docs/api/payouts/list). It changes nothing at Stripe.
func (g *Gate) ListPayouts(ctx context.Context, t *pay.Tenant, from time.Time, after string) (*pay.PayoutPage, error) {
	out := &pay.PayoutPage{}
	err := g.call(ctx, t, func(c conn) error {
		list := &stripe.PayoutList{}
		if err := c.list("/v1/payouts", &stripe.PayoutListParams{ListParams: c.pageParams(from, after)}, list); err != nil {
			return err
		}
		var err error
		out.Payouts, err = convertAll("payouts", list.Data, payout)
		out.More = list.HasMore && len(list.Data) > 0
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// pageParams asks for the page of objects made at from or later that follows an object; zero and "" ask for the first of
// all.
func (c conn) pageParams(from time.Time, after string) stripe.ListParams {
	p := c.listParams()
	if !from.IsZero() {
		p.Filters.AddFilter("created", "gte", strconv.FormatInt(from.Unix(), 10))
	}
	if after != "" {
		p.StartingAfter = stripe.String(after)
	}
	return p
}

// convertAll converts a page. A list that is missing, or has a null in it, is no page.
func convertAll[T, U any](what string, data []*T, convert func(*T) (*U, error)) ([]*U, error) {
	if data == nil || slices.Contains(data, nil) {
		return nil, unreadable("the answer has no whole list of %s", what)
	}
	out := make([]*U, 0, len(data))
	for _, o := range data {
		one, err := convert(o)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// balanceLine converts a balance transaction of a list, which Stripe always sends whole.
func balanceLine(bt *stripe.BalanceTransaction) (*pay.StripeBalanceTransaction, error) {
	if err := whole(bt.Object, bt.ID, "balance_transaction", ""); err != nil {
		return nil, err
	}
	id := clip(bt.ID, 100)
	net := bt.Amount - bt.Fee
	overflown := (bt.Amount^bt.Fee)&(bt.Amount^net) < 0
	switch {
	case bt.Currency == "":
		return nil, unreadable("the balance transaction %s has no currency", id)
	case net != bt.Net || overflown:
		return nil, unreadable("the balance transaction %s does not add up: %d less the fee of %d is not %d", id, bt.Amount, bt.Fee, bt.Net)
	case bt.Created <= 0 || bt.AvailableOn <= 0:
		return nil, unreadable("the balance transaction %s has no time", id)
	case bt.Type == "" || bt.ReportingCategory == "":
		return nil, unreadable("the balance transaction %s does not say what kind it is of", id)
	}
	out := lineOf(bt)
	out.Type, out.Category = string(bt.Type), string(bt.ReportingCategory)
	out.CreatedAt, out.AvailableAt = when(bt.Created), when(bt.AvailableOn)
	var err error
	if out.ExchangeRate, err = rateText(bt.ExchangeRate); err != nil {
		return nil, unreadable("the balance transaction %s has an exchange rate that is none", id)
	}
	if bt.Source != nil {
		err = readSource(out, bt.Source)
	}
	return out, err
}

// Rates beyond these are none: between the dearest and the cheapest currency there are seven digits, and two more where
// one of them has no decimals.
const (
	smallestRate = 1e-12
	largestRate  = 1e12
)

// rateText writes a rate as the shortest decimal text that gives the same number back; "" for none, which the SDK reads as
// 0. It is a factor between minor units, as Stripe has it
// (https://stripe.com/docs/api/balance_transactions/object#balance_transaction_object-exchange_rate).
func rateText(rate float64) (string, error) {
	switch {
	case rate == 0:
		return "", nil
	case !(rate >= smallestRate && rate <= largestRate):
		return "", unreadable("no exchange rate")
	}
	return strconv.FormatFloat(rate, 'f', -1, 64), nil
}

// readSource puts what a balance transaction is for into out. A source of a kind that the till has no use for (a transfer,
// a top-up, …), or one that came as an id, keeps its id alone.
func readSource(out *pay.StripeBalanceTransaction, source *stripe.BalanceTransactionSource) error {
	if source.ID == "" {
		return unreadable("the source of the balance transaction %s has no id", clip(out.ID, 100))
	}
	out.SourceID = source.ID
	var amount int64
	var in stripe.Currency
	switch {
	case source.Charge != nil:
		ch := source.Charge
		out.IntentID, out.ChargeID, in = idOfIntent(ch.PaymentIntent), ch.ID, ch.Currency
		amount = cmp.Or(ch.AmountCaptured, ch.Amount)
	case source.Refund != nil:
		out.IntentID, amount, in = idOfIntent(source.Refund.PaymentIntent), source.Refund.Amount, source.Refund.Currency
		out.ChargeID = idOfCharge(source.Refund.Charge)
	case source.Dispute != nil:
		out.IntentID, amount, in = idOfIntent(source.Dispute.PaymentIntent), source.Dispute.Amount, source.Dispute.Currency
		out.ChargeID = idOfCharge(source.Dispute.Charge)
	case source.Payout != nil:
		// One that Stripe took from the bank is negative.
		amount, in = max(source.Payout.Amount, -source.Payout.Amount), source.Payout.Currency
	default:
		return nil
	}
	if in == "" || amount < 0 {
		return unreadable("the source of the balance transaction %s has no amount", clip(out.ID, 100))
	}
	out.SourceAmount = money(amount, in)
	return nil
}

func payout(p *stripe.Payout) (*pay.StripePayout, error) {
	if err := whole(p.Object, p.ID, "payout", ""); err != nil {
		return nil, err
	}
	if p.Currency == "" || p.Status == "" || p.Created <= 0 {
		return nil, unreadable("the payout %s has no currency, status or time", clip(p.ID, 100))
	}
	return &pay.StripePayout{
		ID: p.ID, Status: string(p.Status), Amount: money(p.Amount, p.Currency), Automatic: p.Automatic,
		Reconciled: p.Automatic && p.ReconciliationStatus == stripe.PayoutReconciliationStatusCompleted,
		CreatedAt:  when(p.Created), ArrivalAt: when(p.ArrivalDate),
	}, nil
}
