package pay_test

import (
	"context"
	"testing"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

func TestAChargeThatAPersonMustLookAtIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	suite(t, []row{{name: "TheRepeatIsTheSameOrder", want: paytest.Want{State: pay.OrderMismatch, Suspense: paytest.Total, Unclaimed: []string{"mismatch"}, Lied: true},
		play: func(t *testing.T, w *paytest.World) string {
			card := w.Card("pm_card_visa").ID
			g := w.Wrap()
			g.Intent = func(i *pay.StripeIntent) error { i.Metadata[pay.MetaOrder] = "ord_another"; return nil }
			first, err := w.Charge(card)
			if err != nil {
				t.Fatal(err)
			}
			again, err := w.Charge(card)
			if err != nil || again.Order.ID != first.Order.ID || !again.Replayed {
				t.Fatalf("again: %+v, %v", again, err)
			}
			if n := w.CountAtStripe("/v1/charges"); n != 1 {
				t.Errorf("%d charges at Stripe", n)
			}
			return first.Order.ID
		}}})
}

// TestAChargeThatIsPaidBetweenTheLookAndTheInsertIsNotMadeAgain: PostgreSQL only,
// because SQLite lets nobody in between.
func TestAChargeThatIsPaidBetweenTheLookAndTheInsertIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	storetest.NeedPostgres(t)
	w := paytest.Setup(t, storetest.OpenPostgres(t))
	card := w.Card("pm_card_visa").ID
	quick := *w.Pay
	var first *pay.Checkout
	s := w.WrapStore()
	s.Watch(func(call string) error {
		if call != "SaveCustomer" {
			return nil
		}
		s.Watch(nil)
		in := w.Request(func(in *pay.CheckoutInput) { in.CardID = card })
		var err error
		first, err = quick.ChargeCard(context.Background(), in)
		return err
	})
	again, err := w.Charge(card)
	if err != nil || first == nil || again.Order.ID != first.Order.ID || !again.Replayed {
		t.Fatalf("first %+v, again %+v, %v", first, again, err)
	}
	w.Pay.Store = w.Store
	w.Check(first.Order.ID, paytest.Want{State: pay.OrderPaid, Paid: paytest.Total})
}

func TestAPaymentMethodThatTheAccountLacksIsThePortalsMistake(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		w := paytest.Setup(t, open(t))
		_, err := w.Pay.OpenCheckout(context.Background(), w.Request(func(in *pay.CheckoutInput) { in.PaymentMethods = []string{"ideal"} }))
		if e := errorOf(err); e == nil || e.Code != pay.CodeUnknownPaymentMethod || e.Field != "PaymentMethod" {
			t.Errorf("ideal: %v", err)
		}
	})
}
