package pay_test

import (
	"context"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/pay"
)

// listed sweeps the tenant's objects and fails the test when something failed.
func listed(t *testing.T, w *paytest.World) pay.ListingResult {
	t.Helper()
	tenant, err := w.Store.TenantByID(context.Background(), w.Tenant.ID)
	if err != nil {
		t.Fatal(err)
	}
	done, err := w.Pay.SweepObjects(context.Background(), tenant)
	if err != nil || done.Failed > 0 {
		t.Fatalf("sweep the objects: %+v, %v", done, err)
	}
	return done
}

// fixed checks that another sweep has nothing to settle.
func fixed(t *testing.T, w *paytest.World) {
	t.Helper()
	if again := listed(t, w); again.Settled != 0 {
		t.Errorf("a second sweep settled %d objects", again.Settled)
	}
}

// TestTheSweepFindsWhatNobodyTold: with no webhook at all.
func TestTheSweepFindsWhatNobodyTold(t *testing.T) {
	t.Parallel()
	suite(t, []row{
		{name: "APayment", want: paid, play: func(t *testing.T, w *paytest.World) string {
			o := bought(w)
			listed(t, w)
			fixed(t, w)
			return o.ID
		}},
		{name: "ARefundInStripesDashboard", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunded: 700, Refunds: 1}, play: func(t *testing.T, w *paytest.World) string {
			o := settled(w)
			listed(t, w)
			w.Clock.Add(20 * 24 * time.Hour)
			w.Act("refund", w.Attempts(o.ID)[0].IntentID, 700)
			listed(t, w)
			fixed(t, w)
			return o.ID
		}},
		{name: "ARefundThatFailsWeeksLater", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunds: 1, Reversed: 1}, play: func(t *testing.T, w *paytest.World) string {
			o := settled(w)
			w.ActWith("refund", map[string]any{"id": w.Attempts(o.ID)[0].IntentID, "status": "pending"})
			listed(t, w)
			w.Clock.Add(25 * 24 * time.Hour)
			w.ActWith("fail_refund", map[string]any{"id": w.RefundAtStripe()})
			listed(t, w)
			fixed(t, w)
			return o.ID
		}},
		{name: "ADisputeToItsEnd", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Lost: paytest.Total}, play: func(t *testing.T, w *paytest.World) string {
			o := settled(w)
			w.Act("dispute", w.Attempts(o.ID)[0].IntentID, 0)
			listed(t, w)
			w.Clock.Add(14 * 24 * time.Hour)
			w.ActWith("dispute", map[string]any{"id": w.DisputeAtStripe(), "outcome": "lost"})
			listed(t, w)
			fixed(t, w)
			return o.ID
		}},
		{name: "ASecondPaymentOfAnOldSession", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total}, play: func(t *testing.T, w *paytest.World) string {
			o := bought(w)
			listed(t, w)
			w.Clock.Add(3 * time.Hour)
			fixed(t, w)
			return o.ID
		}},
		{name: "ATillThatWasOffForMonths", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Suspense: 123, Unclaimed: []string{"no_order"}}, play: func(t *testing.T, w *paytest.World) string {
			o := settled(w)
			listed(t, w)
			w.Clock.Add(24 * time.Hour)
			w.PayDirectly("123", nil)
			w.Clock.Add(90 * 24 * time.Hour)
			listed(t, w)
			fixed(t, w)
			return o.ID
		}},
		{name: "MoneyThatNoOrderAskedFor", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Suspense: 123, Unclaimed: []string{"no_order"}}, play: func(t *testing.T, w *paytest.World) string {
			o := settled(w)
			w.PayDirectly("123", nil)
			listed(t, w)
			fixed(t, w)
			return o.ID
		}},
		{name: "ItsRefundAndDispute", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Suspense: 100, Held: 100, Unclaimed: []string{"no_order"}}, play: func(t *testing.T, w *paytest.World) string {
			o := settled(w)
			intent := w.PayDirectly("123", nil)
			listed(t, w)
			w.Act("refund", intent, 23)
			listed(t, w)
			w.ActWith("dispute", map[string]any{"id": intent, "amount": 100})
			listed(t, w)
			fixed(t, w)
			return o.ID
		}},
	})
}

func TestASweepThatStripeCutsOffListsTheSameAgain(t *testing.T) {
	t.Parallel()
	suite(t, []row{{name: "NothingIsSkipped", want: paid, play: func(t *testing.T, w *paytest.World) string {
		o := bought(w)
		g := w.Wrap()
		for n := 1; ; n++ {
			g.Before.Arm(n, paytest.StripeSilent())
			tenant, err := w.Store.TenantByID(context.Background(), w.Tenant.ID)
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.Pay.SweepObjects(context.Background(), tenant)
			if g.Before.Disarm() == "" {
				if err != nil {
					t.Fatal(err)
				}
				break
			}
		}
		fixed(t, w)
		return o.ID
	}}})
}
