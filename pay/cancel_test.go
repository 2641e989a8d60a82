package pay_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

func cancelOrder(w *paytest.World, o *pay.Order) (*pay.Order, error) {
	return w.Pay.CancelOrder(context.Background(), w.Tenant.ID, o.ID, "the customer rang", pay.Cause{Kind: pay.CauseStaff, ID: "stf_ada"})
}

// TestACancelledOrderTakesNoMoney, and one that took money is not cancelled.
func TestACancelledOrderTakesNoMoney(t *testing.T) {
	t.Parallel()
	cancelled := paytest.Want{State: pay.OrderCancelled, Story: []string{"requested", "session_opened", "cancelled"}}
	suite(t, []row{
		{name: "ItsPageAtStripeIsOverAndTheButtonLeadsNowhere", want: cancelled, play: func(t *testing.T, w *paytest.World) string {
			o := w.Open().Order
			page := w.PressPay(o)
			now, err := cancelOrder(w, o)
			if err != nil || now.State != pay.OrderCancelled || now.StateReason != "the customer rang" {
				t.Errorf("cancelled: %+v, %v", now, err)
			}
			if again, err := cancelOrder(w, o); err != nil || again.State != pay.OrderCancelled {
				t.Errorf("cancelled again: %+v, %v", again, err)
			}
			if at := w.Get(page); at.Status != http.StatusGone {
				t.Errorf("Stripe's page answers %d", at.Status)
			}
			if to := w.PressPay(o); !strings.HasSuffix(to, "/return") {
				t.Errorf("the button leads to %s", to)
			}
			w.DeliverAll()
			w.Return(o)
			return o.ID
		}},
		{name: "AnOrderThatNobodyWasSentToStripeFor", want: cancelled, play: func(t *testing.T, w *paytest.World) string {
			o := w.Open().Order
			if _, err := cancelOrder(w, o); err != nil {
				t.Error(err)
			}
			return o.ID
		}},
		{name: "MoneyThatCameInBeforeWins", want: paid, play: func(t *testing.T, w *paytest.World) string {
			o := bought(w)
			if _, err := cancelOrder(w, o); pay.CodeOf(err) != pay.CodeConflict {
				t.Errorf("cancel of a paid session: %v", err)
			}
			if _, err := cancelOrder(w, o); pay.CodeOf(err) != pay.CodeConflict || !strings.Contains(err.Error(), "refund") {
				t.Errorf("cancel of a paid order: %v", err)
			}
			return o.ID
		}},
		{name: "WithoutStripeNothingChanges", want: cancelled, play: func(t *testing.T, w *paytest.World) string {
			o := w.Open().Order
			g := w.Wrap()
			lose(g, "ExpireSession", paytest.StripeSilent())
			if _, err := cancelOrder(w, o); pay.CodeOf(err) != pay.CodeStripeUnavailable {
				t.Errorf("cancel without Stripe: %v", err)
			}
			g.After.Watch(nil)
			if now := w.Order(o.ID); now.State != pay.OrderOpen {
				t.Errorf("the order is %s", now.State)
			}
			// The session is gone at Stripe, though its answer was lost: the second try finds it so.
			if _, err := cancelOrder(w, o); err != nil {
				t.Error(err)
			}
			return o.ID
		}},
		{name: "EightAtOnceAreOne", want: cancelled, play: func(t *testing.T, w *paytest.World) string {
			o := w.Open().Order
			atOnce(t, 8, func(int) error { _, err := cancelOrder(w, o); return err })
			return o.ID
		}},
		{name: "TheSameRequestIsANewOrder", want: cancelled, play: func(t *testing.T, w *paytest.World) string {
			o := w.Open().Order
			if _, err := cancelOrder(w, o); err != nil {
				t.Error(err)
			}
			if again := w.Open(); again.Order.ID == o.ID || again.Order.State != pay.OrderOpen {
				t.Errorf("the same request found %s, %s", again.Order.ID, again.Order.State)
			}
			return o.ID
		}},
	})
	t.Run("AnotherTenantsOrderIsAnUnknownOne", func(t *testing.T) {
		t.Parallel()
		storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
			w := paytest.Setup(t, open(t))
			o, other := w.Open().Order, w.Another()
			_, theirs := other.Pay.CancelOrder(context.Background(), other.Tenant.ID, o.ID, "", pay.Cause{Kind: pay.CauseStaff, ID: "stf_eve"})
			_, none := other.Pay.CancelOrder(context.Background(), other.Tenant.ID, "ord_none", "", pay.Cause{Kind: pay.CauseStaff, ID: "stf_eve"})
			if !pay.IsNotFound(theirs) || theirs.Error() != none.Error() {
				t.Errorf("theirs: %v, none: %v", theirs, none)
			}
		})
	})
}
