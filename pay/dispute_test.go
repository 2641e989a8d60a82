package pay_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/pay"
)

// disputes are those of an order's payment.
func disputes(t *testing.T, w *paytest.World, orderID string) []*pay.Dispute {
	t.Helper()
	p, err := w.Store.PaymentByOrder(context.Background(), w.Tenant.ID, orderID)
	if err != nil {
		t.Fatal(err)
	}
	list, err := w.Store.ListDisputes(context.Background(), w.Tenant.ID, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestADisputeIsBookedAsStripeMovesTheMoney(t *testing.T) {
	t.Parallel()
	opened := func(t *testing.T, w *paytest.World) *pay.Order {
		o := settled(w)
		w.Act("dispute", w.Attempts(o.ID)[0].IntentID, 0)
		return o
	}
	decide := func(t *testing.T, w *paytest.World, o *pay.Order, outcome string) {
		t.Helper()
		w.ActWith("dispute", map[string]any{"id": w.DisputeAtStripe(), "outcome": outcome})
	}
	suite(t, []row{
		{name: "TheBankTakesItBack", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Held: paytest.Total, Story: []string{"paid", "dispute.created"}},
			play: func(t *testing.T, w *paytest.World) string {
				o := opened(t, w)
				w.DeliverAll()
				w.DeliverAll()
				d := disputes(t, w, o.ID)
				if len(d) != 1 || d[0].State != pay.DisputeNeedsResponse || d[0].Amount.Minor != paytest.Total || d[0].DueBy.Before(w.Clock.Now()) {
					t.Errorf("disputes %+v", d)
				}
				return o.ID
			}},
		{name: "ItIsWon", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Story: []string{"dispute.created", "dispute.won"}},
			play: func(t *testing.T, w *paytest.World) string {
				o := opened(t, w)
				w.DeliverAll()
				w.Clock.Add(24 * time.Hour)
				decide(t, w, o, "won")
				w.DeliverAll()
				return o.ID
			}},
		{name: "ItIsLost", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Lost: paytest.Total, Story: []string{"dispute.created", "dispute.lost"}},
			play: func(t *testing.T, w *paytest.World) string {
				o := opened(t, w)
				w.DeliverAll()
				decide(t, w, o, "lost")
				w.DeliverAll()
				w.DeliverAll()
				postings, err := w.Store.ListPostings(context.Background(), w.Tenant.ID, o.ID)
				if err != nil || !slices.ContainsFunc(postings, func(p *pay.Posting) bool {
					return p.Kind == pay.PostingDispute && p.State == pay.PostingNeedsReview && p.Amount.Minor == paytest.Total
				}) {
					t.Errorf("postings %+v, %v", postings, err)
				}
				return o.ID
			}},
		{name: "ItIsHeardOfOnlyWhenItIsLost", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Lost: paytest.Total, Story: []string{"dispute.created", "dispute.lost"}},
			play: func(t *testing.T, w *paytest.World) string {
				o := opened(t, w)
				decide(t, w, o, "lost")
				w.Deliver(w.EventOf("charge.dispute.closed"))
				if err := w.RunJobs(); err != nil {
					t.Fatal(err)
				}
				w.DeliverAll() // the older news comes after
				return o.ID
			}},
		{name: "AnAnswerFromBeforeItWasLostChangesNothing", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Lost: paytest.Total},
			play: func(t *testing.T, w *paytest.World) string {
				o := opened(t, w)
				w.DeliverAll()
				stale, err := w.Gate.Session(context.Background(), w.Request().Tenant, w.Attempts(o.ID)[0].SessionID)
				if err != nil {
					t.Fatal(err)
				}
				decide(t, w, o, "lost")
				w.DeliverAll()
				w.Wrap().Session = func(s *pay.StripeSession) error { *s = *stale; return nil }
				w.Return(o)
				if d := disputes(t, w, o.ID); len(d) != 1 || d[0].State != pay.DisputeLost {
					t.Errorf("disputes %+v", d)
				}
				return o.ID
			}},
		{name: "AnInquiryMovesNoMoney", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Story: []string{"dispute.created"}},
			play: func(t *testing.T, w *paytest.World) string {
				o := settled(w)
				w.ActWith("dispute", map[string]any{"id": w.Attempts(o.ID)[0].IntentID, "status": "warning_needs_response"})
				w.DeliverAll()
				return o.ID
			}},
		{name: "ARefundedPaymentIsDisputedToo", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunded: 1000, Refunds: 1, Held: paytest.Total,
			Unclaimed: []string{"refunded_and_disputed"}}, play: func(t *testing.T, w *paytest.World) string {
			o := settled(w)
			w.Act("refund", w.Attempts(o.ID)[0].IntentID, 1000)
			w.DeliverAll()
			w.ActWith("dispute", map[string]any{"id": w.Attempts(o.ID)[0].IntentID, "amount": paytest.Total})
			w.DeliverAll()
			return o.ID
		}},
	})
}

func TestMoneyIsGivenBackOnOurWord(t *testing.T) {
	t.Parallel()
	refund := func(w *paytest.World, o *pay.Order, minor int64, key string) (*pay.RefundRequest, error) {
		in := pay.RefundOrder{TenantID: w.Tenant.ID, OrderID: o.ID, Reason: "requested_by_customer", Key: key, Cause: pay.Cause{Kind: pay.CauseCLI, ID: "refund"}}
		if minor > 0 {
			in.Amount = pay.Money{Minor: minor, Currency: o.Cart.Currency}
		}
		return w.Pay.Refund(context.Background(), in)
	}
	must := func(t *testing.T, r *pay.RefundRequest, err error) {
		t.Helper()
		if err != nil || r.State != pay.RefundMade || r.StripeRefundID == "" {
			t.Fatalf("refund: %+v, %v", r, err)
		}
	}
	suite(t, []row{
		{name: "AllOfIt", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunded: paytest.Total, Refunds: 1, Story: []string{"paid", "refund.requested", "refund.created"}},
			play: func(t *testing.T, w *paytest.World) string {
				o := settled(w)
				r, err := refund(w, o, 0, "")
				must(t, r, err)
				if _, err := refund(w, o, 0, ""); pay.CodeOf(err) != pay.CodeInvalidAmount {
					t.Errorf("a second one: %v", err)
				}
				w.DeliverAll()
				return o.ID
			}},
		{name: "PartsUpToWhatWasPaid", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunded: paytest.Total, Refunds: 3},
			play: func(t *testing.T, w *paytest.World) string {
				o := settled(w)
				for _, minor := range []int64{1, 40000} {
					r, err := refund(w, o, minor, "")
					must(t, r, err)
				}
				if _, err := refund(w, o, 860, ""); pay.CodeOf(err) != pay.CodeAmountTooLarge {
					t.Errorf("more than is left: %v", err)
				}
				r, err := refund(w, o, 859, "")
				must(t, r, err)
				return o.ID
			}},
		{name: "TheSameKeyIsTheSameRefund", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunded: 500, Refunds: 1},
			play: func(t *testing.T, w *paytest.World) string {
				o := settled(w)
				first, err := refund(w, o, 500, "k1")
				must(t, first, err)
				w.Clock.Add(48 * time.Hour)
				again, err := refund(w, o, 500, "k1")
				must(t, again, err)
				if again.ID != first.ID {
					t.Error("two refunds under one key")
				}
				if _, err := refund(w, o, 600, "k1"); pay.CodeOf(err) != pay.CodeIdempotencyConflict {
					t.Errorf("the key with another amount: %v", err)
				}
				return o.ID
			}},
		{name: "StripeDoesNotAnswerAndTheSweepSendsItAgain", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunded: 500, Refunds: 1},
			play: func(t *testing.T, w *paytest.World) string {
				o := settled(w)
				g := w.Wrap()
				g.After.Arm(1, paytest.StripeSilent())
				if _, err := refund(w, o, 500, ""); pay.CodeOf(err) != pay.CodeStripeUnavailable {
					t.Fatalf("refund: %v", err)
				}
				w.Clock.Add(2 * time.Minute)
				w.Sweep()
				w.Clock.Add(30 * time.Hour)
				w.Sweep()
				w.DeliverAll()
				return o.ID
			}},
		{name: "NothingWasPaid", want: paytest.Want{State: pay.OrderOpen}, play: func(t *testing.T, w *paytest.World) string {
			c := w.Open()
			if _, err := refund(w, c.Order, 0, ""); pay.CodeOf(err) != pay.CodeInvalidAmount {
				t.Errorf("refund: %v", err)
			}
			return c.Order.ID
		}},
		{name: "ARefundThatTheBankSendsBackIsCreditedAgain", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunds: 1, Reversed: 1},
			play: func(t *testing.T, w *paytest.World) string {
				c := w.Open()
				if to, decline := w.PayByCard(w.PressPay(c.Order), "4000000000005126"); decline != "" {
					t.Fatalf("paying led to %s, %s", to, decline)
				}
				o := w.Return(c.Order).Order
				r, err := refund(w, o, 0, "")
				must(t, r, err)
				w.Clock.Add(10 * 24 * time.Hour) // that card's refunds fail later
				w.DeliverAll()
				return o.ID
			}},
	})
}
