package pay_test

import (
	"context"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/pay"
)

// boughtWith is bought, with a card that has its own way with refunds.
func boughtWith(w *paytest.World, card string) *pay.Order {
	w.T.Helper()
	c := w.Open()
	if to, decline := w.PayByCard(w.PressPay(c.Order), card); to == "" {
		w.T.Fatalf("declined: %s", decline)
	}
	return c.Order
}

// TestMoneyGoesBackOnce: whoever started the refund, and whatever becomes of it.
func TestMoneyGoesBackOnce(t *testing.T) {
	t.Parallel()
	session := func(w *paytest.World, o *pay.Order) string { return w.Attempts(o.ID)[0].SessionID }
	suite(t, []row{
		{name: "RefundFromTheDashboard", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunded: paytest.Total, Refunds: 1, Story: []string{"paid", "refund.created"}},
			play: func(t *testing.T, w *paytest.World) string {
				o := settled(w)
				w.Act("refund", session(w, o), 0)
				w.DeliverAll()
				w.DeliverAll()
				return o.ID
			}},
		{name: "RefundBeforeThePaymentWasSettled", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunded: 1000, Refunds: 1, Story: []string{"paid", "refund.created"}},
			play: func(t *testing.T, w *paytest.World) string {
				o := bought(w)
				w.Act("refund", session(w, o), 1000)
				w.Deliver(w.EventOf("charge.refunded"))
				if err := w.RunJobs(); err != nil {
					t.Error(err)
				}
				return o.ID
			}},
		{name: "TwelvePartialRefunds", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunded: 12 * 301, Refunds: 12},
			play: func(t *testing.T, w *paytest.World) string {
				o := settled(w)
				for i := range 12 { // more than Stripe expands in a charge
					w.Act("refund", session(w, o), 301)
					if i%3 == 0 {
						w.Return(o)
					}
				}
				w.DeliverAll()
				return o.ID
			}},
		{name: "RefundsToTheLastPenny", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunded: paytest.Total, Refunds: 3},
			play: func(t *testing.T, w *paytest.World) string {
				o := settled(w)
				for _, minor := range []int64{1, paytest.Total - 2, 1} {
					w.Act("refund", session(w, o), minor)
				}
				w.DeliverAll()
				return o.ID
			}},
		{name: "RefundThatIsPendingFirst", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunded: 5000, Refunds: 1, Story: []string{"paid", "refund.created", "refund.succeeded"}},
			play: func(t *testing.T, w *paytest.World) string {
				o := boughtWith(w, paytest.CardRefundPending)
				w.Act("refund", session(w, o), 5000)
				w.DeliverAll()
				w.Clock.Add(time.Minute)
				w.DeliverAll()
				return o.ID
			}},
		{name: "RefundThatFailsGivesTheMoneyBackOnce", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunds: 1, Reversed: 1, Story: []string{"paid", "refund.created", "refund.failed"}},
			play: func(t *testing.T, w *paytest.World) string {
				o := boughtWith(w, paytest.CardRefundFails)
				w.Act("refund", session(w, o), 5000)
				w.DeliverAll()
				w.Clock.Add(time.Minute)
				w.DeliverAll()
				w.DeliverAll()
				w.Return(o)
				return o.ID
			}},
		{name: "RefundThatFailedAndAnotherThatStands", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunded: paytest.Total, Refunds: 2, Reversed: 1},
			play: func(t *testing.T, w *paytest.World) string {
				o := boughtWith(w, paytest.CardRefundFails)
				w.Act("refund", session(w, o), paytest.Total)
				w.DeliverAll()
				w.Clock.Add(time.Minute)
				w.DeliverAll()
				w.Act("refund", session(w, o), paytest.Total)
				w.DeliverAll() // pending: Stripe has taken it from the balance already
				return o.ID
			}},
		{name: "RefundSeenOnlyAfterItFailedIsBookedAndTakenBack", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Unposted: 1, Story: []string{"paid", "refund_failed"}},
			play: func(t *testing.T, w *paytest.World) string {
				o := boughtWith(w, paytest.CardRefundFails)
				w.Act("refund", session(w, o), 5000)
				w.Clock.Add(time.Minute)
				w.Sweep()
				w.DeliverAll()
				return o.ID
			}},
		{name: "AnAnswerFromBeforeTheRefundChangesNothing", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunded: 500, Refunds: 2},
			play: func(t *testing.T, w *paytest.World) string {
				o := settled(w)
				w.Act("refund", session(w, o), 200)
				stale, err := w.Gate.Session(context.Background(), w.Request().Tenant, session(w, o))
				if err != nil {
					t.Fatal(err)
				}
				w.Act("refund", session(w, o), 300)
				w.Return(o)
				w.Wrap().Session = func(s *pay.StripeSession) error { *s = *stale; return nil }
				w.Return(o)
				return o.ID
			}},
		{name: "AnAnswerFromBeforeTheRefundFailedChangesNothing", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunds: 1, Reversed: 1},
			play: func(t *testing.T, w *paytest.World) string {
				o := boughtWith(w, paytest.CardRefundFails)
				w.Act("refund", session(w, o), 5000)
				w.Return(o)
				stale, err := w.Gate.Session(context.Background(), w.Request().Tenant, session(w, o))
				if err != nil {
					t.Fatal(err)
				}
				w.Clock.Add(time.Minute)
				w.Return(o)
				w.Wrap().Session = func(s *pay.StripeSession) error { *s = *stale; return nil }
				w.Return(o)
				return o.ID
			}},
		{name: "ForeignMoneyThatIsRefundedLeavesSuspense", want: paytest.Want{State: pay.OrderOpen, Suspense: 3200, Unclaimed: []string{"no_order"}},
			play: func(t *testing.T, w *paytest.World) string {
				c := w.Open()
				intent := w.PayDirectly("4200", nil)
				w.DeliverAll()
				w.Act("refund", intent, 1000)
				w.DeliverAll()
				w.DeliverAll()
				return c.Order.ID
			}},
		{name: "RefundsAndSettlesAtOnce", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunded: 600, Refunds: 2},
			play: func(t *testing.T, w *paytest.World) string {
				o := bought(w)
				w.Act("refund", session(w, o), 200)
				w.Act("refund", session(w, o), 400)
				atOnce(t, 8, func(i int) error { _, err := w.Settle(o.ID, pay.CauseStaff); return err })
				return o.ID
			}},
	})
}

// TestBankDebitsSettleLate: processing first, then paid or failed, days later.
func TestBankDebitsSettleLate(t *testing.T) {
	t.Parallel()
	start := func(w *paytest.World) *pay.Order {
		w.T.Helper()
		w.Dials(map[string]float64{"debit_settle_s": 2_000_000}) // when the test says so
		c := w.Open(byDebit)
		w.PayByDebit(w.PressPay(c.Order), paytest.AccountGood)
		return c.Order
	}
	session := func(w *paytest.World, o *pay.Order) string { return w.Attempts(o.ID)[0].SessionID }
	failed := paytest.Want{State: pay.OrderFailed, Story: []string{"processing", "failed"}}
	suite(t, []row{
		{name: "OnItsWay", want: paytest.Want{State: pay.OrderProcessing, Story: []string{"sent_to_stripe", "processing"}},
			play: func(t *testing.T, w *paytest.World) string {
				o := start(w)
				w.Return(o)
				w.DeliverAll()
				return o.ID
			}},
		{name: "PaidAfterFiveDays", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Story: []string{"processing", "paid"}},
			play: func(t *testing.T, w *paytest.World) string {
				o := start(w)
				w.DeliverAll()
				w.Clock.Add(5 * 24 * time.Hour)
				w.Act("settle_debits", session(w, o), 0)
				w.DeliverAll()
				return o.ID
			}},
		{name: "PaidAfterFiveDaysAndOnlyTheSweepSeesIt", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Story: []string{"processing", "paid"}},
			play: func(t *testing.T, w *paytest.World) string {
				o := start(w)
				w.Return(o)
				w.Act("settle_debits", session(w, o), 0)
				w.Clock.Add(24 * time.Hour)
				w.Sweep()
				return o.ID
			}},
		{name: "FailedAfterFiveDays", want: failed, play: func(t *testing.T, w *paytest.World) string {
			o := start(w)
			w.DeliverAll()
			w.Clock.Add(5 * 24 * time.Hour)
			w.Act("fail_debits", session(w, o), 0)
			w.DeliverAll()
			return o.ID
		}},
		{name: "FailedAndNobodySawItProcessing", want: failed, play: func(t *testing.T, w *paytest.World) string {
			o := start(w)
			w.Act("fail_debits", session(w, o), 0)
			w.DeliverAll()
			return o.ID
		}},
		{name: "PaidAndNobodySawItProcessing", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total}, play: func(t *testing.T, w *paytest.World) string {
			o := start(w)
			w.Act("settle_debits", session(w, o), 0)
			w.Return(o)
			return o.ID
		}},
		{name: "ThePayButtonStartsNoSecondDebit", want: paytest.Want{State: pay.OrderProcessing}, play: func(t *testing.T, w *paytest.World) string {
			o := start(w)
			if to := w.PressPay(o); to != paytest.BaseURL+"/pay/"+o.PayToken+"/return" {
				t.Errorf("the button leads to %s", to)
			}
			return o.ID
		}},
		{name: "RefundOfADebit", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunded: 700, Refunds: 1}, play: func(t *testing.T, w *paytest.World) string {
			o := start(w)
			w.Act("settle_debits", session(w, o), 0)
			w.Act("refund", session(w, o), 700)
			w.DeliverAll()
			return o.ID
		}},
	})
}
