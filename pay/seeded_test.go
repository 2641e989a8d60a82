package pay_test

import (
	"strings"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// Tests that seeded bugs asked for: each was missing when the catalogue in build/mutants
// was run for the first time.

// TestTwoRefundsAtOnceAreNoMoreThanThePayment is I-15 for what Stripe has not answered:
// a request counts from the moment at which it is stored.
func TestTwoRefundsAtOnceAreNoMoreThanThePayment(t *testing.T) {
	t.Parallel()
	w := paytest.Setup(t, storetest.OpenSQLite(t))
	o, g := settled(w), w.Wrap()
	g.Before.Watch(func(call string) error {
		if call == "CreateRefund" {
			return paytest.StripeSilent()
		}
		return nil
	})
	ask := func(minor int64, key string) error {
		_, err := w.Pay.Refund(t.Context(), pay.RefundOrder{TenantID: w.Tenant.ID, OrderID: o.ID, Amount: pay.Money{Minor: minor, Currency: "GBP"}, Key: key,
			Cause: pay.Cause{Kind: pay.CauseStaff, ID: "usr_1"}})
		return err
	}
	if err := ask(40_000, "k1"); pay.CodeOf(err) != pay.CodeStripeUnavailable {
		t.Fatalf("the first, which Stripe does not answer: %v", err)
	}
	if err := ask(861, "k2"); pay.CodeOf(err) != pay.CodeAmountTooLarge {
		t.Errorf("a penny more than is left beside it: %v", err)
	}
	if err := ask(860, "k3"); pay.CodeOf(err) != pay.CodeStripeUnavailable {
		t.Errorf("what is left beside it: %v", err)
	}
	g.Before.Watch(nil)
	w.Clock.Add(2 * time.Minute)
	w.Sweep()
	w.DeliverAll()
	w.Check(o.ID, paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunded: paytest.Total, Refunds: 2})
}

// TestAChargeWhoseAnswerIsLostHasOneKey is I-22: Stripe answers the same key with the
// same intent, so that a charge that is sent again takes nothing more.
func TestAChargeWhoseAnswerIsLostHasOneKey(t *testing.T) {
	t.Parallel()
	w := paytest.Setup(t, storetest.OpenSQLite(t))
	card, g := w.Card("pm_card_visa").ID, w.Wrap()
	lose(g, "ChargeCard", paytest.StripeSilent())
	for range 3 {
		if _, err := w.Charge(card, keyed); pay.CodeOf(err) != pay.CodeStripeUnavailable {
			t.Fatalf("a charge whose answer is lost: %v", err)
		}
		w.Clock.Add(time.Minute)
	}
	g.After.Watch(nil)
	c, err := w.Charge(card, keyed)
	if err != nil {
		t.Fatal(err)
	}
	if n := w.CountAtStripe("/v1/payment_intents"); n != 1 {
		t.Errorf("%d intents at Stripe", n)
	}
	w.DeliverAll()
	w.Check(c.Order.ID, paytest.Want{State: pay.OrderPaid, Paid: paytest.Total})
}

// TestAnEntryIsCheckedBeforeTheDatabaseIsAsked is I-01 and I-11 in the code; the
// database holds them too.
func TestAnEntryIsCheckedBeforeTheDatabaseIsAsked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(e *pay.LedgerEntry)
		good   bool
	}{
		"AsItIs":                   {func(*pay.LedgerEntry) {}, true},
		"APennyMoreDebit":          {func(e *pay.LedgerEntry) { e.Lines[0].AmountMinor++ }, false},
		"APennyMoreCredit":         {func(e *pay.LedgerEntry) { e.Lines[1].AmountMinor-- }, false},
		"OneLine":                  {func(e *pay.LedgerEntry) { e.Lines = e.Lines[:1] }, false},
		"NoLines":                  {func(e *pay.LedgerEntry) { e.Lines = nil }, false},
		"ALineOfZero":              {func(e *pay.LedgerEntry) { e.Lines[0].AmountMinor, e.Lines[1].AmountMinor = 0, 0 }, false},
		"NoFact":                   {func(e *pay.LedgerEntry) { e.Fact = "" }, false},
		"NoKindOfCause":            {func(e *pay.LedgerEntry) { e.Cause.Kind = "" }, false},
		"NoCause":                  {func(e *pay.LedgerEntry) { e.Cause.ID = "" }, false},
		"ACustomersWithoutOne":     {func(e *pay.LedgerEntry) { e.Lines[1].CustomerID = "" }, false},
		"StripesWithACustomer":     {func(e *pay.LedgerEntry) { e.Lines[0].CustomerID = "cst_1" }, false},
		"ThreeLinesThatSumToZero":  {func(e *pay.LedgerEntry) { e.Lines[0].AmountMinor -= 2; e.Lines = append(e.Lines, fees(2)) }, true},
		"ThreeLinesThatDoNotMatch": {func(e *pay.LedgerEntry) { e.Lines = append(e.Lines, fees(2)) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &pay.LedgerEntry{Fact: "pi_1:captured", Currency: "GBP", Cause: pay.Cause{Kind: pay.CauseSweep, ID: "att_1"}, Lines: []pay.LedgerLine{
				{Account: pay.AccountStripe, AmountMinor: 700}, {Account: pay.AccountCustomer, CustomerID: "cst_1", AmountMinor: -700}}}
			c.change(e)
			if err := e.Check(); (err == nil) != c.good {
				t.Errorf("got %v", err)
			}
		})
	}
}

func fees(minor int64) pay.LedgerLine {
	return pay.LedgerLine{Account: pay.AccountFees, AmountMinor: minor}
}

// TestASessionThatIsPaidWhileItIsBeingEndedIsThePayment is I-21: the customer pays on
// Stripe's page in one tab at the moment in which a saved card is chosen in another.
func TestASessionThatIsPaidWhileItIsBeingEndedIsThePayment(t *testing.T) {
	t.Parallel()
	w := paytest.Setup(t, storetest.OpenSQLite(t))
	card := w.Card("pm_card_visa").ID
	c := w.Open()
	page, g := w.PressPay(c.Order), w.Wrap()
	g.Before.Watch(func(call string) error {
		if call == "ExpireSession" {
			w.MustPay(page)
		}
		return nil
	})
	if to := w.Choose(c.Order, pay.Choice{CardID: card}); !strings.HasSuffix(to, "/return") {
		t.Errorf("leads to %s", to)
	}
	g.Before.Watch(nil)
	w.DeliverAll()
	if n := w.CountAtStripe("/v1/payment_intents"); n != 1 {
		t.Errorf("%d intents at Stripe", n)
	}
	w.Check(c.Order.ID, paid)
}

// TestAPaymentHasItsFeeWithoutASweep: the sweep would book the fee as well, but the
// payment's own row would never have it.
func TestAPaymentHasItsFeeWithoutASweep(t *testing.T) {
	t.Parallel()
	w := paytest.Setup(t, storetest.OpenSQLite(t))
	o := settled(w)
	p, err := w.Store.PaymentByOrder(t.Context(), w.Tenant.ID, o.ID)
	if err != nil || p.Fee != (pay.Money{Minor: 633, Currency: "GBP"}) || p.BalanceTransaction == "" {
		t.Errorf("the payment has %+v, %v; want Stripe's fee of 6.33 GBP", p, err)
	}
}
