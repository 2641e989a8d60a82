package stripegate

import (
	"cmp"
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
	if d := s.CustomerDetails; d != nil {
		out.PayerName, out.PayerEmail = d.Name, d.Email
	}
	if s.SetupIntent != nil {
		var err error
		if out.Setup, err = c.setup(s.SetupIntent); err != nil {
			return nil, err
		}
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

// setup converts a setup intent. Its payment method is a saved card only once it has succeeded: before that it is what
// the customer tries to save.
func (c conn) setup(si *stripe.SetupIntent) (*pay.StripeSetup, error) {
	id := ""
	if si.Object == "" && si.ID != "" {
		id = si.ID
		si = &stripe.SetupIntent{}
		err := c.get(stripe.FormatURLPath("/v1/setup_intents/%s", id), &stripe.SetupIntentParams{Params: c.params("")}, si)
		if err != nil {
			return nil, err
		}
	}
	if err := whole(si.Object, si.ID, "setup_intent", id); err != nil {
		return nil, err
	}
	out := &pay.StripeSetup{ID: si.ID, Status: string(si.Status), Livemode: si.Livemode}
	if e := si.LastSetupError; e != nil {
		out.Failure = cmp.Or(string(e.DeclineCode), string(e.Code))
	}
	if si.Status != stripe.SetupIntentStatusSucceeded {
		return out, nil
	}
	if si.PaymentMethod == nil || checkID(si.PaymentMethod.ID, cardIDs...) != nil {
		return nil, unreadable("the setup intent %s succeeded, but does not say what it saved", clip(si.ID, 100))
	}
	out.CardID = si.PaymentMethod.ID
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
	if d := ch.BillingDetails; d != nil {
		out.PayerName, out.PayerEmail = d.Name, d.Email
	}
	var err error
	if out.Balance, err = c.balance(ch.BalanceTransaction); err != nil {
		return nil, err
	}
	if out.Refunds, err = c.refunds(ch); err != nil {
		return nil, err
	}
	if ch.Disputed {
		out.Disputes, err = c.disputes(ch)
	}
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
	return lineOf(bt), nil
}

// lineOf is what every balance transaction has.
func lineOf(bt *stripe.BalanceTransaction) *pay.StripeBalanceTransaction {
	tax := int64(0)
	for _, d := range bt.FeeDetails {
		if d != nil && d.Type == "tax" {
			tax += d.Amount
		}
	}
	return &pay.StripeBalanceTransaction{
		ID: bt.ID, Amount: money(bt.Amount, bt.Currency), Fee: money(bt.Fee, bt.Currency),
		TaxFee: money(tax, bt.Currency), Net: money(bt.Net, bt.Currency),
	}
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
