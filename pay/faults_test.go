package pay_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// A world is a way to take an order's money: on Stripe's page, or from a saved card.
// What goes wrong afterwards must not depend on it.
type world struct {
	name string
	// take takes the money of an order that nobody has told us of yet, and returns it.
	take func(t *testing.T, w *paytest.World) *pay.Order
}

var worlds = []world{
	{"checkout", func(_ *testing.T, w *paytest.World) *pay.Order { return bought(w) }},
	{"charge", func(t *testing.T, w *paytest.World) *pay.Order {
		card, g := w.Card("pm_card_visa").ID, w.Wrap()
		lose(g, "ChargeCard", paytest.StripeSilent())
		if _, err := w.Charge(card); pay.CodeOf(err) != pay.CodeStripeUnavailable {
			t.Fatalf("charge: %v", err)
		}
		g.After.Watch(nil)
		return onlyOrder(w, pay.OrderDraft)
	}},
}

// inBoth makes a row for each way to pay.
func inBoth(name string, want paytest.Want, play func(t *testing.T, w *paytest.World, o *pay.Order)) []row {
	var out []row
	for _, in := range worlds {
		out = append(out, row{name: name + "/" + in.name, want: want, play: func(t *testing.T, w *paytest.World) string {
			o := in.take(t, w)
			play(t, w, o)
			return o.ID
		}})
	}
	return out
}

// takenIntent is the intent of an order's only money at Stripe, known to us or not.
func takenIntent(w *paytest.World) string {
	w.T.Helper()
	var list struct{ Data []struct{ ID string } }
	w.API(http.MethodGet, "/v1/payment_intents", nil, &list)
	if len(list.Data) != 1 {
		w.T.Fatalf("%d intents at Stripe", len(list.Data))
	}
	return list.Data[0].ID
}

// backwards delivers every event there is, newest first, and runs each one's job before
// the next comes.
func backwards(t *testing.T, w *paytest.World) {
	t.Helper()
	for _, e := range slices.Backward(w.Events()) {
		if status := w.Deliver(e); status != http.StatusOK {
			t.Errorf("%s was answered %d", e.Type, status)
		}
		if err := w.RunJobs(); err != nil {
			t.Errorf("%s: %v", e.Type, err)
		}
	}
}

// twin is an event of the same fact with an id of its own.
func twin(e paytest.Event) paytest.Event {
	id := fmt.Sprintf("evt_twin%d", made.Add(1))
	return paytest.Event{ID: id, Type: e.Type, Body: []byte(replaceOnce(string(e.Body), e.ID, id))}
}

var (
	taken     = paytest.Want{State: pay.OrderPaid, Paid: paytest.Total}
	untouched = paytest.Want{State: pay.OrderOpen}
)

// TestEveryFaultOfTheCatalogue has the faults of the catalogue that concern Stripe, F-01
// to F-20, by id and sentence, for both ways to pay.
func TestEveryFaultOfTheCatalogue(t *testing.T) {
	t.Parallel()
	for _, f := range []struct {
		id, sentence string
		rows         []row
	}{
		{"F-01", "DuplicateDeliveryHasNoEffectSecondsToDaysApart", inBoth("", taken, func(t *testing.T, w *paytest.World, _ *pay.Order) {
			for _, wait := range []time.Duration{0, time.Second, 3 * 24 * time.Hour} {
				w.Clock.Add(wait)
				w.DeliverAll()
			}
			if jobs := w.Jobs(); len(jobs) != 0 {
				t.Errorf("jobs are left: %+v", jobs)
			}
		})},
		{"F-02", "TwoEventIDsForOneFactHaveOneEffect", inBoth("", taken, func(t *testing.T, w *paytest.World, _ *pay.Order) {
			e := w.EventOf("payment_intent.succeeded")
			for _, event := range []paytest.Event{e, twin(e), twin(e)} {
				if status := w.Deliver(event); status != http.StatusOK {
					t.Errorf("answered %d", status)
				}
			}
			if err := w.RunJobs(); err != nil {
				t.Error(err)
			}
		})},
		{"F-03", "OrderOfArrivalDoesNotMatter", inBoth("", paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunded: 500, Refunds: 1, Lost: 1000},
			func(t *testing.T, w *paytest.World, _ *pay.Order) {
				w.Act("refund", takenIntent(w), 500)
				w.ActWith("dispute", map[string]any{"id": takenIntent(w), "amount": 1000})
				w.ActWith("dispute", map[string]any{"id": w.DisputeAtStripe(), "outcome": "lost"})
				backwards(t, w)
			})},
		{"F-03", "FailedBeforeCompleted", []row{{want: paytest.Want{State: pay.OrderFailed}, play: func(t *testing.T, w *paytest.World) string {
			o := w.Open(byDebit).Order
			w.PayByDebit(w.PressPay(o), paytest.AccountGood)
			w.Act("fail_debits", w.Attempts(o.ID)[0].SessionID, 0)
			backwards(t, w)
			return o.ID
		}}, {name: "charge", want: paytest.Want{State: pay.OrderFailed}, play: func(t *testing.T, w *paytest.World) string {
			c, err := w.Charge(debit(w, "pm_bacsDebit_success"))
			if err != nil {
				t.Fatal(err)
			}
			w.Act("fail_debits", c.Attempt.IntentID, 0)
			backwards(t, w)
			return c.Order.ID
		}}}},
		{"F-04", "AnEventThatNeverComesIsFoundByTheSweep", inBoth("", taken, func(_ *testing.T, w *paytest.World, _ *pay.Order) {
			w.Clock.Add(3 * time.Minute)
			w.Sweep()
			w.Clock.Add(3 * 24 * time.Hour)
			w.DeliverAll() // three days late
		})},
		{"F-05", "AnEndpointThatWasOffForAMonthIsBackfilled", inBoth("", taken, func(_ *testing.T, w *paytest.World, _ *pay.Order) {
			w.Clock.Add(31 * 24 * time.Hour)
			w.Sweep()
		})},
		{"F-06", "TheWebhookBeforeOurOwnAnswer", []row{{want: taken, play: func(t *testing.T, w *paytest.World) string {
			card, g := w.Card("pm_card_visa").ID, w.Wrap()
			g.After.Watch(func(call string) error {
				if call == "ChargeCard" { // Stripe has done it, and its answer is on its way
					w.DeliverAll()
				}
				return nil
			})
			c, err := w.Charge(card)
			if err != nil || c.Order.State != pay.OrderPaid {
				t.Fatalf("charge: %+v, %v", c, err)
			}
			return c.Order.ID
		}}, {name: "checkout", want: taken, play: func(t *testing.T, w *paytest.World) string {
			g := w.Wrap()
			g.After.Watch(func(call string) error {
				if call == "CreateSession" {
					var sessions struct{ Data []struct{ URL string } }
					w.API(http.MethodGet, "/v1/checkout/sessions", nil, &sessions)
					w.MustPay(sessions.Data[0].URL)
					w.DeliverAll()
				}
				return nil
			})
			c, err := w.Pay.OpenCheckout(context.Background(), w.Request())
			if err != nil {
				t.Fatal(err)
			}
			return c.Order.ID
		}}}},
		{"F-07", "ReturnAndWebhookAtOnceAndTheReturnThatNeverComes", inBoth("", taken, func(t *testing.T, w *paytest.World, o *pay.Order) {
			w.Deliver(w.EventOf("payment_intent.succeeded"))
			jobs := w.Jobs()
			atOnce(t, 8, func(i int) error {
				if i%2 == 0 {
					return w.Run(jobs[0])
				}
				_, err := w.Settle(o.ID, pay.CauseReturn)
				return err
			})
		})},
		{"F-08", "PaidTwiceIsShown", []row{{want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Suspense: paytest.Total, Unclaimed: []string{"overpaid"},
			Story: []string{"paid", "overpaid"}}, play: func(t *testing.T, w *paytest.World) string {
			card, o := w.Card("pm_card_visa").ID, w.Open().Order
			stripe := w.PressPay(o)
			w.Wrap().In = &deaf{w.Gate} // says that the session is ended, and does not end it
			w.Choose(o, pay.Choice{CardID: card})
			w.MustPay(stripe)
			w.DeliverAll()
			w.DeliverAll()
			return o.ID
		}}}},
		{"F-09", "ADebitThatSettlesAfterFiveDays", []row{
			{name: "succeeded", want: taken, play: fiveDays("settle_debits")},
			{name: "failed", want: paytest.Want{State: pay.OrderFailed}, play: fiveDays("fail_debits")},
		}},
		{"F-10", "LateSuccessAfterTheEnd", []row{{want: taken, play: func(t *testing.T, w *paytest.World) string {
			o := bought(w)
			g := w.Wrap()
			g.Session = func(s *pay.StripeSession) error {
				s.Status, s.PaymentStatus, s.Intent, s.IntentID = "expired", "unpaid", nil, ""
				return nil
			}
			w.Return(o)
			if now := w.Order(o.ID); now.State != pay.OrderExpired {
				t.Errorf("it is %s", now.State)
			}
			g.Session = nil
			w.DeliverAll()
			return o.ID
		}}}},
		{"F-11", "RefundsOfEveryKind", inBoth("", paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunded: 1700, Refunds: 4, Reversed: 1},
			func(t *testing.T, w *paytest.World, o *pay.Order) {
				w.DeliverAll()
				w.Act("refund", takenIntent(w), 300) // from the dashboard
				for _, minor := range []int64{600, 800} {
					if _, err := refund(w, o, minor, ""); err != nil {
						t.Error(err)
					}
				}
				w.ActWith("refund", map[string]any{"id": takenIntent(w), "amount": 5000, "status": "pending"})
				w.DeliverAll()
				w.Act("fail_refund", newestRefund(w), 0)
				w.DeliverAll()
				w.DeliverAll()
			})},
		{"F-12", "ADisputeIsOpenedAndWon", inBoth("", taken, func(_ *testing.T, w *paytest.World, _ *pay.Order) {
			w.Act("dispute", takenIntent(w), 0)
			w.DeliverAll()
			w.ActWith("dispute", map[string]any{"id": w.DisputeAtStripe(), "outcome": "won"})
			w.DeliverAll()
		})},
		{"F-12", "ADisputeIsLost", inBoth("", paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Lost: paytest.Total}, func(_ *testing.T, w *paytest.World, _ *pay.Order) {
			w.Act("dispute", takenIntent(w), 0)
			w.DeliverAll()
			w.ActWith("dispute", map[string]any{"id": w.DisputeAtStripe(), "outcome": "lost"})
			w.DeliverAll()
		})},
		{"F-12", "AnInquiryIsClosed", inBoth("", paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Story: []string{"dispute.created", "dispute.warning_closed"}},
			func(_ *testing.T, w *paytest.World, _ *pay.Order) {
				w.ActWith("dispute", map[string]any{"id": takenIntent(w), "status": "warning_needs_response"})
				w.DeliverAll()
				w.ActWith("dispute", map[string]any{"id": w.DisputeAtStripe(), "outcome": "warning_closed"})
				w.DeliverAll()
			})},
		{"F-13", "ARefundAndADisputeOfTheSameMoneyAreShownWhenHeardOfAtOnce", inBoth("", paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunded: 1000, Refunds: 1,
			Held: paytest.Total, Unclaimed: []string{"refunded_and_disputed"}}, func(t *testing.T, w *paytest.World, o *pay.Order) {
			w.Act("refund", takenIntent(w), 1000)
			w.Act("dispute", takenIntent(w), paytest.Total)
			if _, err := w.Settle(takenIntent(w), pay.CauseCLI); err != nil { // one look tells of both
				t.Error(err)
			}
		})},
		{"F-14", "TooManyRequestsIsWaitedFor", []row{{name: "charge", want: taken, play: again("ChargeCard", "charge",
			&pay.StripeFault{Kind: pay.FaultUnavailable, Code: "rate_limit", RetryAfter: 7 * time.Second})},
			{name: "checkout", want: untouched, play: again("CreateSession", "checkout", &pay.StripeFault{Kind: pay.FaultUnavailable, Code: "rate_limit", RetryAfter: 7 * time.Second})}}},
		{"F-15", "A500KeptUnderTheKeyOfACharge", []row{
			{name: "after its effect", want: taken, play: func(t *testing.T, w *paytest.World) string {
				card, g := w.Card("pm_card_visa").ID, w.Wrap()
				lose(g, "ChargeCard", keptError())
				c, err := w.Charge(card)
				if err != nil || c.Order.State != pay.OrderPaid {
					t.Fatalf("the money was taken, and the answer is %+v, %v", c, err)
				}
				return c.Order.ID
			}},
			{name: "before its effect", want: taken, play: again("ChargeCard", "charge", keptError())},
			{name: "and the look-up fails too", want: taken, play: func(t *testing.T, w *paytest.World) string {
				card, g := w.Card("pm_card_visa").ID, w.Wrap()
				lose(g, "ChargeCard", keptError())
				g.Before.Watch(func(call string) error {
					if call == "IntentMade" {
						return paytest.StripeSilent()
					}
					return nil
				})
				if _, err := w.Charge(card); pay.CodeOf(err) != pay.CodeStripeUnavailable {
					t.Fatalf("charge: %v", err)
				}
				g.Before.Watch(nil)
				c, err := w.Charge(card)
				if err != nil || w.CountAtStripe("/v1/payment_intents") != 1 {
					t.Fatalf("%d intents, %v", w.CountAtStripe("/v1/payment_intents"), err)
				}
				return c.Order.ID
			}},
			{name: "as the double keeps it", want: taken, play: func(t *testing.T, w *paytest.World) string {
				card := w.Card("pm_card_visa").ID
				w.Dials(map[string]float64{"api_error_rate": 1})
				for range 3 {
					if _, err := w.Charge(card); err == nil || pay.CodeOf(err) != pay.CodeStripeUnavailable {
						t.Fatalf("got %v, want StripeUnavailable", err)
					}
				}
				w.Dials(map[string]float64{"api_error_rate": 0})
				c, err := w.Charge(card)
				for range 4 {
					if err != nil {
						c, err = w.Charge(card)
					}
				}
				if err != nil || w.CountAtStripe("/v1/payment_intents") != 1 {
					t.Fatalf("%d intents, %v", w.CountAtStripe("/v1/payment_intents"), err)
				}
				return c.Order.ID
			}},
		}},
		{"F-15", "A500KeptUnderTheKeyOfARefund", inBoth("", paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunded: 500, Refunds: 1}, func(t *testing.T, w *paytest.World, o *pay.Order) {
			w.DeliverAll()
			g := w.Wrap()
			lose(g, "CreateRefund", keptError())
			if _, err := refund(w, o, 500, ""); pay.CodeOf(err) != pay.CodeStripeUnavailable {
				t.Errorf("refund: %v", err)
			}
			g.After.Watch(nil)
			for range 3 { // for a day the key says 500; then Stripe has forgotten it
				w.Clock.Add(10 * time.Hour)
				w.Sweep()
			}
			if n := w.CountAtStripe("/v1/refunds"); n != 1 {
				t.Errorf("%d refunds at Stripe", n)
			}
		})},
		{"F-16", "NoAnswerIsAskedForAgain", []row{
			{name: "charge before its effect", want: taken, play: again("ChargeCard", "charge", paytest.StripeSilent())},
			{name: "checkout before its effect", want: untouched, play: again("CreateSession", "checkout", paytest.StripeSilent())},
			{name: "charge after its effect and the same request again", want: taken, play: func(t *testing.T, w *paytest.World) string {
				card, g := w.Card("pm_card_visa").ID, w.Wrap()
				for range 3 {
					lose(g, "ChargeCard", paytest.StripeSilent())
					if _, err := w.Charge(card); pay.CodeOf(err) != pay.CodeStripeUnavailable {
						t.Fatalf("charge: %v", err)
					}
				}
				g.After.Watch(nil)
				c, err := w.Charge(card)
				if err != nil || w.CountAtStripe("/v1/payment_intents") != 1 {
					t.Fatalf("%d intents, %v", w.CountAtStripe("/v1/payment_intents"), err)
				}
				return c.Order.ID
			}},
		}},
		{"F-16", "ALostAnswerIsFound", slices.Concat(
			inBoth("by the sweep", taken, func(_ *testing.T, w *paytest.World, _ *pay.Order) { w.Clock.Add(3 * time.Minute); w.Sweep() }),
			inBoth("by the webhook", taken, func(_ *testing.T, w *paytest.World, _ *pay.Order) { w.DeliverAll() }))},
		{"F-17", "AKeyInUseIsWaitedForAndAKeyMismatchStops", []row{
			{name: "in use", want: taken, play: again("ChargeCard", "charge", &pay.StripeFault{Kind: pay.FaultUnavailable, Code: "idempotency_key_in_use"})},
			{name: "mismatch", want: paytest.Want{State: pay.OrderCancelled, Story: []string{"requested", "cancelled"}}, play: func(t *testing.T, w *paytest.World) string {
				card, g := w.Card("pm_card_visa").ID, w.Wrap()
				g.Before.Watch(func(call string) error {
					if call == "ChargeCard" {
						return &pay.StripeFault{Kind: pay.FaultRejected, Code: "idempotency_error"}
					}
					return nil
				})
				if _, err := w.Charge(card, keyed); pay.CodeOf(err) != pay.CodeStripeError {
					t.Errorf("charge: %v", err)
				}
				g.Before.Watch(nil)
				if _, err := w.Charge(card, keyed); pay.CodeOf(err) != pay.CodeStripeError || w.CountAtStripe("/v1/payment_intents") != 0 {
					t.Errorf("the same key again: %v, %d intents", err, w.CountAtStripe("/v1/payment_intents"))
				}
				return onlyOrder(w, pay.OrderCancelled).ID
			}},
		}},
		{"F-18", "WhatWasMadeBeforeTheFailureIsUsedAgain", []row{
			{name: "checkout", want: untouched, play: again("CreateSession", "checkout", &pay.StripeFault{Kind: pay.FaultRejected, Code: "parameter_invalid"})},
			{name: "charge of a token", want: taken, play: func(t *testing.T, w *paytest.World) string {
				token, g := w.Token(paytest.CardGood), w.Wrap()
				for _, call := range []string{"SaveCard", "ChargeCard"} {
					lose(g, call, paytest.StripeSilent())
					if _, err := w.Charge("", withToken(token)); pay.CodeOf(err) != pay.CodeStripeUnavailable {
						t.Fatalf("%s: %v", call, err)
					}
				}
				g.After.Watch(nil)
				c, err := w.Charge("", withToken(token))
				if err != nil {
					t.Fatal(err)
				}
				list, err := w.Pay.ListCards(context.Background(), w.Cards())
				if err != nil || len(list.Cards) != 1 || w.CountAtStripe("/v1/customers") != 1 || w.CountAtStripe("/v1/payment_intents") != 1 {
					t.Errorf("cards %+v, %v, %v", list, err, endAtStripe(w))
				}
				return c.Order.ID
			}},
		}},
		{"F-19", "ARevokedKeyKeepsTheQueueAndTouchesNoOtherTenant", inBoth("", taken, revokedKey)},
		{"F-20", "AnUnknownIntentStatusWaits", inBoth("", taken, func(t *testing.T, w *paytest.World, o *pay.Order) {
			g := w.Wrap()
			g.Intent = func(i *pay.StripeIntent) error { i.Status = "requires_the_moon"; return nil }
			w.DeliverAll()
			if now := w.Order(o.ID); now.State != pay.OrderOpen {
				t.Errorf("the order is %s", now.State)
			}
			g.Intent = nil
			w.Sweep()
		})},
		{"F-20", "AChargeThatIsNotExpandedIsBookedAndItsFeeLater", inBoth("", taken, func(_ *testing.T, w *paytest.World, o *pay.Order) {
			g := w.Wrap()
			g.Intent = func(i *pay.StripeIntent) error { i.Charge = nil; return nil }
			w.DeliverAll()
			g.Intent = nil
			w.Return(o)
		})},
		{"F-20", "AnUnknownRefundStatusIsMoneyOnItsWay", inBoth("", paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunds: 1, Reversed: 1}, func(t *testing.T, w *paytest.World, o *pay.Order) {
			w.DeliverAll()
			w.Act("refund", takenIntent(w), 900)
			g := w.Wrap()
			g.Intent = func(i *pay.StripeIntent) error { i.Charge.Refunds[0].Status = "teleporting"; return nil }
			w.DeliverAll()
			if p, err := w.Store.PaymentByOrder(context.Background(), w.Tenant.ID, o.ID); err != nil || p.RefundedMinor != 900 {
				t.Errorf("the payment is %+v, %v", p, err)
			}
			g.Intent = nil
			w.Act("fail_refund", newestRefund(w), 0)
			w.DeliverAll()
		})},
		{"F-20", "AnUnknownDisputeStatusIsKept", inBoth("", paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Held: paytest.Total}, func(t *testing.T, w *paytest.World, o *pay.Order) {
			w.Act("dispute", takenIntent(w), 0)
			w.Wrap().Intent = func(i *pay.StripeIntent) error { i.Charge.Disputes[0].Status = "in_orbit"; return nil }
			w.DeliverAll()
			if d := disputes(t, w, o.ID); len(d) != 1 || d[0].State != "in_orbit" {
				t.Errorf("disputes %+v", d)
			}
		})},
	} {
		t.Run(f.id+" "+f.sentence, func(t *testing.T) {
			t.Parallel()
			for i, r := range f.rows {
				if f.rows[i].name = strings.Trim(r.name, "/"); f.rows[i].name == "" {
					f.rows[i].name = "It"
				}
			}
			suite(t, f.rows)
		})
	}
}

// newestRefund is the id of the newest refund of the tenant's account.
func newestRefund(w *paytest.World) string {
	w.T.Helper()
	var list struct{ Data []struct{ ID string } }
	w.API(http.MethodGet, "/v1/refunds", nil, &list)
	if len(list.Data) == 0 {
		w.T.Fatal("Stripe has no refund")
	}
	return list.Data[0].ID
}

// fiveDays charges a debit that settles, or fails, after five days.
func fiveDays(end string) func(t *testing.T, w *paytest.World) string {
	return func(t *testing.T, w *paytest.World) string {
		c, err := w.Charge(debit(w, "pm_bacsDebit_success"))
		if err != nil {
			t.Fatal(err)
		}
		w.DeliverAll()
		onItsWay(t, w, c.Order)
		w.Clock.Add(5 * 24 * time.Hour)
		w.Act(end, c.Attempt.IntentID, 0)
		w.DeliverAll()
		return c.Order.ID
	}
}

// again fails a call of the gateway before its effect and sends the same request again:
// one customer, one session or one intent.
func again(call, way string, fault error) func(t *testing.T, w *paytest.World) string {
	return func(t *testing.T, w *paytest.World) string {
		card, g := w.Card("pm_card_visa").ID, w.Wrap()
		do := func() (*pay.Checkout, error) {
			if way == "charge" {
				return w.Charge(card)
			}
			return w.Pay.OpenCheckout(context.Background(), w.Request())
		}
		g.Before.Watch(func(name string) error {
			if name == call {
				return fault
			}
			return nil
		})
		_, err := do()
		f, _ := errors.AsType[*pay.StripeFault](fault)
		want := pay.CodeStripeUnavailable
		if f.Kind != pay.FaultUnavailable {
			want = pay.CodeStripeError
		}
		if e := errorOf(err); e == nil || e.Code != want || (f.RetryAfter > 0 && e.RetryAfter != f.RetryAfter) {
			t.Fatalf("got %v, want %s", err, want)
		}
		g.Before.Watch(nil)
		c, err := do()
		if err != nil {
			t.Fatalf("the same request again: %v", err)
		}
		if end := endAtStripe(w); end["/v1/customers"] != 1 || end["/v1/checkout/sessions"]+end["/v1/payment_intents"] != 1 {
			t.Errorf("at Stripe: %v", end)
		}
		return c.Order.ID
	}
}

// deaf is a Stripe that says that a session is ended and does not end it.
type deaf struct{ pay.Gateway }

func (d *deaf) ExpireSession(_ context.Context, _ *pay.Tenant, id, _ string) (*pay.StripeSession, error) {
	return &pay.StripeSession{ID: id, Status: "expired"}, nil
}

// revokedKey takes a tenant's key away while its money waits to be settled.
func revokedKey(t *testing.T, w *paytest.World, o *pay.Order) {
	b := w.Another()
	theirs := bought(b)
	key := func(k pay.Secret) {
		storetest.Write(t, w.Store, func(ctx context.Context, tx pay.Tx) error {
			stored, err := tx.TenantByID(ctx, w.Tenant.ID)
			if err != nil {
				return err
			}
			stored.StripeKey = k
			return tx.UpdateTenant(ctx, stored)
		})
	}
	events := w.Events()
	key("sk_test_gone") // too short to be anyone's: the double answers 401, as Stripe does
	for _, e := range events {
		if status := w.Deliver(e); status != http.StatusOK {
			t.Errorf("%s was answered %d: Stripe would give up one day", e.Type, status)
		}
	}
	if err := w.RunJobs(); err == nil {
		t.Error("settled without a key")
	}
	if _, err := w.Charge("pm_1unknown"); pay.CodeOf(err) != pay.CodeStripeError && pay.CodeOf(err) != pay.CodeCardNotFound {
		t.Errorf("charge without a key: %v", err)
	}
	if _, err := w.Pay.OpenCheckout(context.Background(), w.Request(func(in *pay.CheckoutInput) { in.FeatureName = "Other" })); pay.CodeOf(err) != pay.CodeStripeError {
		t.Errorf("checkout without a key: %v", err)
	}
	w.Clock.Add(5 * time.Minute)
	done, err := w.Pay.Sweep(context.Background(), 100)
	if err != nil || done.Failed == 0 {
		t.Errorf("sweep: %+v, %v", done, err)
	}
	b.Check(theirs.ID, taken) // the other tenant's is settled by the same sweep
	key(w.Tenant.StripeKey)
	w.Clock.Add(5 * time.Minute)
	if err := w.RunJobs(); err != nil {
		t.Errorf("the key is back: %v", err)
	}
	if now := w.Order(o.ID); now.State != pay.OrderPaid {
		t.Errorf("the key is back, and the order is %s", now.State)
	}
}
