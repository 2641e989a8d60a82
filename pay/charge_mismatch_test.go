package pay_test

import (
	"testing"

	"github.com/portatill/portatill/internal/paytest"
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
