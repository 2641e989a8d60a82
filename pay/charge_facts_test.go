package pay_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// TestAChargesFactsMustBeTheOrders is I-09 for charges: what Stripe says of the intent
// is held to what was bound.
func TestAChargesFactsMustBeTheOrders(t *testing.T) {
	t.Parallel()
	lying := func(change func(*pay.StripeIntent)) func(t *testing.T, w *paytest.World) string {
		return func(t *testing.T, w *paytest.World) string {
			card, g := w.Card("pm_card_visa").ID, w.Wrap()
			g.Intent = func(i *pay.StripeIntent) error { change(i); return nil }
			c, err := w.Charge(card, keyed)
			if err != nil || c.Order.State != pay.OrderMismatch {
				t.Fatalf("%+v, %v", c, err)
			}
			w.DeliverAll()
			again, err := w.Charge(card, keyed) // a person must look first
			if err != nil || again.Order.ID != c.Order.ID || w.CountAtStripe("/v1/payment_intents") != 1 {
				t.Errorf("the same request: %+v, %v", again, err)
			}
			return c.Order.ID
		}
	}
	stopped := func(suspense int64) paytest.Want {
		return paytest.Want{State: pay.OrderMismatch, Suspense: suspense, Unclaimed: []string{"mismatch"}, Story: []string{"requested", "mismatch"}, Lied: true}
	}
	suite(t, []row{
		{name: "OnePennyLess", want: stopped(paytest.Total), play: lying(func(i *pay.StripeIntent) { i.Amount.Minor-- })},
		{name: "OnePennyLessReceived", want: stopped(paytest.Total - 1), play: lying(func(i *pay.StripeIntent) { i.AmountReceived.Minor-- })},
		{name: "AnotherCurrency", want: stopped(paytest.Total), play: lying(func(i *pay.StripeIntent) { i.Amount.Currency = "USD" })},
		{name: "AnotherOrder", want: stopped(paytest.Total), play: lying(func(i *pay.StripeIntent) { i.Metadata[pay.MetaOrder] = "ord_another" })},
		{name: "Livemode", want: stopped(0), play: lying(func(i *pay.StripeIntent) { i.Livemode = true })},
	})
}

// TestAChargeIsOneUntilItsWindowIsOver: the same request without a key is a repeat for
// ten minutes after it was paid, and a new order then.
func TestAChargeIsOneUntilItsWindowIsOver(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		w := paytest.Setup(t, open(t))
		card := w.Card("pm_card_visa").ID
		var ids []string
		for _, wait := range []time.Duration{0, 9*time.Minute + 59*time.Second, 2 * time.Second} {
			w.Clock.Add(wait)
			c, err := w.Charge(card)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, c.Order.ID)
		}
		if ids[0] != ids[1] || ids[1] == ids[2] {
			t.Errorf("orders %v, want the first two alike and the third another", ids)
		}
		if n := w.CountAtStripe("/v1/payment_intents"); n != 2 {
			t.Errorf("%d intents", n)
		}
	})
}

// TestAnOldLookAtAnOrderChargesNothing: the order is paid between a tab's reading of it
// and its reading of the attempts.
func TestAnOldLookAtAnOrderChargesNothing(t *testing.T) {
	t.Parallel()
	rows := []row{}
	for name, choice := range map[string]pay.Choice{"OnStripesPage": {}, "WithTheCard": {CardID: "the card"}} {
		rows = append(rows, row{name: name, want: taken, play: func(t *testing.T, w *paytest.World) string {
			card, o := w.Card("pm_card_visa").ID, w.Open().Order
			other := *w.Pay // another tab, with the database as it is
			s, paidNow := w.WrapStore(), false
			s.Watch(func(call string) error {
				if call == "ListAttempts" && !paidNow {
					paidNow = true
					_, err := other.StartPayment(context.Background(), o.PayToken, pay.Choice{CardID: card})
					return err
				}
				return nil
			})
			mine := choice
			if mine.CardID != "" {
				mine.CardID = card
			}
			if to := w.Choose(o, mine); !paidNow || to != w.Pay.PayURL(o, "/return") {
				t.Errorf("leads to %s", to)
			}
			if end := endAtStripe(w); end["/v1/payment_intents"] != 1 || end["/v1/checkout/sessions"] != 1 {
				t.Errorf("at Stripe: %v", end)
			}
			w.DeliverAll()
			return o.ID
		}})
	}
	suite(t, rows)
}

// TestAChargeThatWaitsForItsCustomerIsEnded: an intent that could still be confirmed is
// not left beside the page that the customer gets.
func TestAChargeThatWaitsForItsCustomerIsEnded(t *testing.T) {
	t.Parallel()
	suite(t, []row{{name: "It", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Story: []string{"requires_action", "session_opened", "paid"}}, play: func(t *testing.T, w *paytest.World) string {
		card, g := w.Card("pm_card_authenticationRequired").ID, w.Wrap()
		g.Before.Watch(func(call string) error {
			if call == "ChargeCard" {
				return paytest.StripeSilent()
			}
			return nil
		})
		_, _ = w.Charge(card)
		g.Before.Watch(nil)
		o := onlyOrder(w, pay.OrderDraft)
		var intent struct{ ID, Status string }
		w.API(http.MethodPost, "/v1/payment_intents", url.Values{"amount": {"40860"}, "currency": {"gbp"}, "customer": {w.StripeCustomer()}, "payment_method": {card},
			"confirm": {"true"}, "return_url": {"https://shop.example/"}, "payment_method_types[]": {"card"}, "metadata[" + pay.MetaOrder + "]": {o.ID},
			"metadata[" + pay.MetaAttempt + "]": {w.Attempts(o.ID)[0].ID}, "metadata[" + pay.MetaTenant + "]": {w.Tenant.ID}}, &intent)
		if intent.Status != "requires_action" {
			t.Fatalf("the intent is %s", intent.Status)
		}
		w.Clock.Add(3 * time.Minute)
		w.Sweep()
		w.API(http.MethodGet, "/v1/payment_intents/"+intent.ID, nil, &intent)
		if intent.Status != "canceled" {
			t.Errorf("the intent is %s beside the customer's page", intent.Status)
		}
		w.MustPay(w.PressPay(o))
		w.DeliverAll()
		return o.ID
	}}})
}

// TestACustomerWhoWasDeletedAtStripeIsMadeAnew: a token is not lost over it.
func TestACustomerWhoWasDeletedAtStripeIsMadeAnew(t *testing.T) {
	t.Parallel()
	// gone is a customer who was deleted, made anew and deleted again within a day.
	gone := func(w *paytest.World) {
		for range 2 {
			w.Card(w.Token(paytest.CardGood))
			w.Act("delete_customer", w.StripeCustomer(), 0)
		}
	}
	suite(t, []row{
		{name: "ToSaveAToken", want: untouched, play: func(t *testing.T, w *paytest.World) string {
			gone(w)
			w.Card(w.Token(paytest.CardGood))
			list, err := w.Pay.ListCards(context.Background(), w.Cards())
			if err != nil || len(list.Cards) != 1 {
				t.Errorf("cards %+v, %v", list, err)
			}
			return w.Open().Order.ID
		}},
		{name: "ToChargeAToken", want: taken, play: func(t *testing.T, w *paytest.World) string {
			gone(w)
			c, err := w.Charge("", withToken(w.Token(paytest.CardGood)))
			if err != nil {
				t.Fatal(err)
			}
			return c.Order.ID
		}},
		{name: "ToPayOnStripesPage", want: taken, play: func(t *testing.T, w *paytest.World) string {
			gone(w)
			var c *pay.Checkout
			var err error
			for range 3 { // each refusal is another attempt under another key
				if c, err = w.Pay.OpenCheckout(context.Background(), w.Request()); err == nil {
					break
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			to := w.PressPay(c.Order)
			if !strings.HasPrefix(to, w.SandboxURL) {
				t.Fatalf("leads to %s", to)
			}
			w.MustPay(to)
			w.DeliverAll()
			return c.Order.ID
		}},
	})
}
