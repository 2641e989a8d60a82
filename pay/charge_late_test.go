package pay_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/pay"
)

// inEuro is the basket in euro, for SEPA.
func inEuro(in *pay.CheckoutInput) {
	for i := range in.Items {
		in.Items[i].Currency = "EUR"
	}
}

// debit saves a bank account for the customer past the till, as another integration
// does: the till saves cards only.
func debit(w *paytest.World, method string) string {
	w.Dials(map[string]float64{"debit_settle_s": 2_000_000}) // when the test says so
	w.Card("pm_card_visa")
	return w.Attach(method)
}

// onItsWay fails the test unless the order's money is on its way and no second payment
// is offered.
func onItsWay(t *testing.T, w *paytest.World, o *pay.Order) {
	t.Helper()
	if now := w.Order(o.ID); now.State != pay.OrderProcessing {
		t.Errorf("the order is %s", now.State)
	}
	card := w.Card("pm_card_mastercard").ID
	for _, choice := range []pay.Choice{{}, {SaveCard: true}, {CardID: card}} {
		if to := w.Choose(o, choice); to != w.Pay.PayURL(o, "/return") {
			t.Errorf("%+v leads to %s", choice, to)
		}
	}
	if n := w.CountAtStripe("/v1/payment_intents"); n != 1 {
		t.Errorf("%d intents at Stripe", n)
	}
}

// TestAChargedDebitSettlesLate: a bank account charged without its customer.
func TestAChargedDebitSettlesLate(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T, w *paytest.World, method string, changes ...func(*pay.CheckoutInput)) *pay.Order {
		account := debit(w, method)
		c, err := w.Charge(account, changes...)
		if err != nil {
			t.Fatal(err)
		}
		onItsWay(t, w, c.Order)
		again, err := w.Charge(account, changes...)
		if err != nil || again.Order.ID != c.Order.ID || !again.Replayed {
			t.Errorf("the same request meanwhile: %+v, %v", again, err)
		}
		return c.Order
	}
	intent := func(w *paytest.World, o *pay.Order) string {
		list := w.Attempts(o.ID)
		return list[len(list)-1].IntentID
	}
	paidLate := paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Story: []string{"requested", "processing", "paid"}}
	failed := paytest.Want{State: pay.OrderFailed, Story: []string{"requested", "processing", "failed"}}
	suite(t, []row{
		{name: "PaidDaysLater", want: paidLate, play: func(t *testing.T, w *paytest.World) string {
			o := start(t, w, "pm_bacsDebit_success")
			w.Clock.Add(5 * 24 * time.Hour)
			w.Act("settle_debits", intent(w, o), 0)
			w.DeliverAll()
			return o.ID
		}},
		{name: "PaidDaysLaterAndOnlyTheSweepSeesIt", want: paidLate, play: func(t *testing.T, w *paytest.World) string {
			o := start(t, w, "pm_sepaDebit_success_de", inEuro)
			w.Clock.Add(5 * 24 * time.Hour)
			w.Sweep()
			w.Act("settle_debits", intent(w, o), 0)
			w.Sweep()
			return o.ID
		}},
		{name: "FailedDaysLater", want: failed, play: func(t *testing.T, w *paytest.World) string {
			o := start(t, w, "pm_sepaDebit_success_de", inEuro)
			w.Clock.Add(5 * 24 * time.Hour)
			w.Act("fail_debits", intent(w, o), 0)
			w.DeliverAll()
			w.DeliverAll()
			if to := w.Choose(o, pay.Choice{}); to != w.Pay.PayURL(o, "/return") {
				t.Errorf("after its end the button leads to %s", to)
			}
			return o.ID
		}},
		{name: "FailedDaysLaterAndOnlyTheSweepSeesIt", want: failed, play: func(t *testing.T, w *paytest.World) string {
			o := start(t, w, "pm_bacsDebit_success")
			w.Act("fail_debits", intent(w, o), 0)
			w.Sweep()
			return o.ID
		}},
		{name: "ItsAnswerIsLostAndTheWebhookTells", want: paidLate, play: func(t *testing.T, w *paytest.World) string {
			account, g := debit(w, "pm_bacsDebit_success"), w.Wrap()
			lose(g, "ChargeCard", paytest.StripeSilent())
			if _, err := w.Charge(account); pay.CodeOf(err) != pay.CodeStripeUnavailable {
				t.Fatalf("charge: %v", err)
			}
			w.DeliverAll() // payment_intent.processing
			g.After.Watch(nil)
			o := onlyOrder(w, pay.OrderProcessing)
			w.Act("settle_debits", intent(w, o), 0)
			w.DeliverAll()
			return o.ID
		}},
		{name: "ChosenOnThePageAndPaidDaysLater", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Story: []string{"attempt_superseded", "processing", "paid"}},
			play: func(t *testing.T, w *paytest.World) string {
				account, o := debit(w, "pm_bacsDebit_success"), w.Open(byDebit).Order
				w.PressPay(o)
				w.Choose(o, pay.Choice{CardID: account})
				onItsWay(t, w, o)
				w.Act("settle_debits", intent(w, o), 0)
				w.DeliverAll()
				return o.ID
			}},
		{name: "ChosenOnThePageAndFailedDaysLaterTheOrderIsOver", want: paytest.Want{State: pay.OrderFailed, Story: []string{"attempt_superseded", "processing", "failed"}},
			play: func(t *testing.T, w *paytest.World) string {
				account, o := debit(w, "pm_bacsDebit_success"), w.Open(byDebit).Order
				w.PressPay(o)
				w.Choose(o, pay.Choice{CardID: account})
				onItsWay(t, w, o)
				w.Clock.Add(3 * 24 * time.Hour)
				w.Act("fail_debits", intent(w, o), 0)
				w.DeliverAll()
				return o.ID
			}},
		{name: "RefundedOnOurWord", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunded: 700, Refunds: 1}, play: func(t *testing.T, w *paytest.World) string {
			o := start(t, w, "pm_bacsDebit_success")
			if _, err := refund(w, o, 700, ""); pay.CodeOf(err) != pay.CodeInvalidAmount {
				t.Errorf("a refund before there is money: %v", err)
			}
			w.Act("settle_debits", intent(w, o), 0)
			w.DeliverAll()
			if _, err := refund(w, o, 700, ""); err != nil {
				t.Error(err)
			}
			return o.ID
		}},
	})
}

// chargeLate makes the intent of an order's first attempt at Stripe as the attempt
// would have: Stripe had it all along, and shows it only now.
func chargeLate(w *paytest.World, o *pay.Order, card string) {
	w.T.Helper()
	a := w.Attempts(o.ID)[0]
	var made struct{ Status string }
	w.API(http.MethodPost, "/v1/payment_intents", url.Values{"amount": {"40860"}, "currency": {"gbp"}, "customer": {w.StripeCustomer()}, "payment_method": {card},
		"confirm": {"true"}, "off_session": {"true"}, "payment_method_types[]": {"card"}, "metadata[" + pay.MetaOrder + "]": {o.ID},
		"metadata[" + pay.MetaAttempt + "]": {a.ID}, "metadata[" + pay.MetaTenant + "]": {w.Tenant.ID}}, &made)
	if made.Status != "succeeded" {
		w.T.Fatalf("the late charge is %s", made.Status)
	}
}

// TestAChargesLateSuccessIsBooked is I-14 for charges: whatever we gave up.
func TestAChargesLateSuccessIsBooked(t *testing.T) {
	t.Parallel()
	// given charges with a Stripe that is silent before it did anything.
	given := func(t *testing.T, w *paytest.World, card string) *pay.Order {
		g := w.Wrap()
		g.Before.Watch(func(call string) error {
			if call == "ChargeCard" {
				return paytest.StripeSilent()
			}
			return nil
		})
		if _, err := w.Charge(card, keyed); pay.CodeOf(err) != pay.CodeStripeUnavailable {
			t.Fatalf("charge: %v", err)
		}
		g.Before.Watch(nil)
		return onlyOrder(w, pay.OrderDraft)
	}
	suite(t, []row{
		{name: "AfterADayWithoutAnAnswerTheOrderIsOverAndOpensAgain", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Story: []string{"requested", "attempt_failed", "paid"}},
			play: func(t *testing.T, w *paytest.World) string {
				card := w.Card("pm_card_visa").ID
				o := given(t, w, card)
				w.Clock.Add(25 * time.Hour)
				w.Sweep()
				if now := w.Order(o.ID); now.State != pay.OrderCancelled {
					t.Fatalf("unanswered for a day it is %s", now.State)
				}
				chargeLate(w, o, card)
				w.DeliverAll()
				return o.ID
			}},
		{name: "AKeyThatStripeForgotIsNoSecondCharge", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total}, play: func(t *testing.T, w *paytest.World) string {
			card, g := w.Card("pm_card_visa").ID, w.Wrap()
			lose(g, "ChargeCard", paytest.StripeSilent())
			if _, err := w.Charge(card, keyed); pay.CodeOf(err) != pay.CodeStripeUnavailable {
				t.Fatalf("charge: %v", err)
			}
			g.After.Watch(nil)
			w.Clock.Add(30 * time.Hour) // the till was down: no webhook came, and no sweep
			c, err := w.Charge(card, keyed)
			if err != nil || c.Order.State != pay.OrderPaid || !c.Replayed {
				t.Errorf("the same request a day later: %+v, %v", c, err)
			}
			if n := w.CountAtStripe("/v1/payment_intents"); n != 1 {
				t.Errorf("%d intents at Stripe", n)
			}
			w.DeliverAll()
			return c.Order.ID
		}},
		{name: "AKeyThatStripeForgotIsNoSecondChargeOnThePage", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total}, play: func(t *testing.T, w *paytest.World) string {
			card, o, g := w.Card("pm_card_visa").ID, w.Open().Order, w.Wrap()
			lose(g, "ChargeCard", paytest.StripeSilent())
			if _, err := w.Pay.StartPayment(context.Background(), o.PayToken, pay.Choice{CardID: card}); pay.CodeOf(err) != pay.CodeStripeUnavailable {
				t.Fatalf("pay: %v", err)
			}
			g.After.Watch(nil)
			w.Clock.Add(30 * time.Hour)
			if to := w.Choose(o, pay.Choice{}); !strings.HasSuffix(to, "/return") {
				t.Errorf("leads to %s", to)
			}
			w.DeliverAll()
			return o.ID
		}},
		{name: "AnAttemptThatWasReplacedSucceedsAndTheNextIsNotMade", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total}, play: func(t *testing.T, w *paytest.World) string {
			card, g := w.Card("pm_card_visa").ID, w.Wrap()
			g.Before.Watch(func(call string) error {
				if call == "ChargeCard" {
					return keptError()
				}
				return nil
			})
			if _, err := w.Charge(card, keyed); pay.CodeOf(err) != pay.CodeStripeUnavailable {
				t.Fatalf("charge: %v", err)
			}
			g.Before.Watch(nil)
			o := onlyOrder(w, pay.OrderDraft)
			chargeLate(w, o, card)
			w.DeliverAll()
			if c, err := w.Charge(card, keyed); err != nil || c.Order.State != pay.OrderPaid {
				t.Errorf("the same request: %+v, %v", c, err)
			}
			if n := w.CountAtStripe("/v1/payment_intents"); n != 1 {
				t.Errorf("%d intents at Stripe", n)
			}
			return o.ID
		}},
		{name: "ASecondSuccessAfterALateOneIsShown", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Suspense: paytest.Total, Unclaimed: []string{"overpaid"},
			Story: []string{"paid", "overpaid"}}, play: func(t *testing.T, w *paytest.World) string {
			card, g := w.Card("pm_card_visa").ID, w.Wrap()
			g.Before.Watch(func(call string) error {
				if call == "ChargeCard" {
					return keptError()
				}
				return nil
			})
			_, _ = w.Charge(card, keyed)
			g.Before.Watch(nil)
			c, err := w.Charge(card, keyed)
			if err != nil {
				t.Fatal(err)
			}
			chargeLate(w, c.Order, card) // it had succeeded after all, and was not to be found
			w.DeliverAll()
			w.DeliverAll()
			return c.Order.ID
		}},
	})
}

// keptError is a 500 that Stripe keeps under the key, as the gate gives it when it could
// neither find what was made nor make it under a second one.
func keptError() error {
	return &pay.StripeFault{Kind: pay.FaultUnavailable, Code: pay.FaultCodeKept, Message: "the test's Stripe keeps its error"}
}
