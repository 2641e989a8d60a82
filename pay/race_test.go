package pay_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// raceWidth is how many do it at once.
const raceWidth = 50

// roundsVariable sets how often each race is run.
const roundsVariable = "PORTATILL_TEST_RACE_ROUNDS"

// wholeRounds is how many rounds prove a race: from there on none is cut short, on
// either database, which takes a quarter of an hour.
const wholeRounds = 200

func roundsOf(t *testing.T) int {
	text := os.Getenv(roundsVariable)
	if text == "" {
		return raceRounds
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s must be a number above 0", roundsVariable)
	}
	return n
}

// storm runs n of the same at the same moment and returns what each answered.
func storm(n int, do func(i int) error) []error {
	var ready, done sync.WaitGroup
	start, answers := make(chan struct{}), make([]error, n)
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-start
			answers[i] = do(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return answers
}

// onlyWith fails the test when an answer is an error of a code that is not among those
// that a caller may meet then.
func onlyWith(t *testing.T, answers []error, codes ...pay.Code) {
	t.Helper()
	for i, err := range answers {
		if err != nil && !slices.Contains(codes, pay.CodeOf(err)) {
			t.Errorf("number %d of %d: %v", i, len(answers), err)
			return
		}
	}
}

// race is something that must happen once, however many do it at once.
type race struct {
	name string
	// share divides the rounds, where one is dear.
	share int
	// round plays one round for a tenant of its own and returns the order it is about.
	round func(t *testing.T, w *paytest.World) string
	want  paytest.Want
}

var races = []race{
	{"TheSameChargeFiftyTimes", 4, func(t *testing.T, w *paytest.World) string {
		in := w.Request(withCard(w.Card("pm_card_visa").ID))
		onlyWith(t, storm(raceWidth, func(int) error { _, err := w.Pay.ChargeCard(t.Context(), in); return err }), pay.CodeStripeUnavailable)
		c, err := w.Pay.ChargeCard(t.Context(), in)
		if err != nil || !c.Replayed {
			t.Errorf("once more: %+v, %v", c, err)
		}
		return onlyOrder(w, pay.OrderPaid).ID
	}, taken},
	{"TheSameChargeFiftyTimesWithAKey", 4, func(t *testing.T, w *paytest.World) string {
		in := w.Request(withCard(w.Card("pm_card_visa").ID), keyed)
		other := in
		other.Digest = strings.Repeat("0", 64)
		onlyWith(t, storm(raceWidth, func(i int) error {
			if i == 7 { // one of them comes with another request
				if _, err := w.Pay.ChargeCard(t.Context(), other); err != nil {
					return err
				}
				return nil
			}
			_, err := w.Pay.ChargeCard(t.Context(), in)
			return err
		}), pay.CodeStripeUnavailable, pay.CodeIdempotencyConflict)
		return onlyOrder(w, pay.OrderPaid).ID
	}, taken},
	{"OneTokenWithTwoRequests", 4, func(t *testing.T, w *paytest.World) string {
		w.Card("pm_card_visa")
		token := w.Token(paytest.CardGood)
		one, other := w.Request(withToken(token)), w.Request(withToken(token), func(in *pay.CheckoutInput) { in.FeatureName = "Other" })
		answers := storm(raceWidth, func(i int) error {
			_, err := w.Pay.ChargeCard(t.Context(), []pay.CheckoutInput{one, other}[i%2])
			return err
		})
		onlyWith(t, answers, pay.CodeStripeUnavailable, pay.CodeIdempotencyConflict)
		if !slices.ContainsFunc(answers, func(err error) bool { return pay.CodeOf(err) == pay.CodeIdempotencyConflict }) {
			t.Error("both requests were accepted")
		}
		w.DeliverAll()
		return onlyOrder(w, pay.OrderPaid).ID
	}, taken},
	{"TheButtonFiftyTimesInTwoTabs", 4, func(t *testing.T, w *paytest.World) string {
		card, o := w.Card("pm_card_visa").ID, w.Open().Order
		w.PressPay(o)
		choices := []pay.Choice{{CardID: card}, {}}
		onlyWith(t, storm(raceWidth, func(i int) error {
			_, err := w.Pay.StartPayment(t.Context(), o.PayToken, choices[i%2])
			return err
		}), pay.CodeStripeUnavailable, pay.CodeConflict)
		w.Choose(o, pay.Choice{CardID: card})
		w.DeliverAll()
		return o.ID
	}, taken},
	{"ACardIsChargedWhileTheSessionIsPaid", 1, func(t *testing.T, w *paytest.World) string {
		card, o := w.Card("pm_card_visa").ID, w.Open().Order
		page := w.Get(w.PressPay(o))
		onlyWith(t, storm(2, func(i int) error {
			if i == 0 {
				page.TryPay(paytest.CardGood) // paid, or the session is gone
				return nil
			}
			_, err := w.Pay.StartPayment(t.Context(), o.PayToken, pay.Choice{CardID: card})
			return err
		}), pay.CodeStripeUnavailable, pay.CodeConflict)
		w.DeliverAll()
		return o.ID
	}, taken},
	{"FiftyRefundsOfWhatWasPaid", 4, func(t *testing.T, w *paytest.World) string {
		c, err := w.Charge(w.Card("pm_card_visa").ID)
		if err != nil {
			t.Fatal(err)
		}
		part := int64(paytest.Total/10 + 1) // nine fit, and a little is left
		onlyWith(t, storm(raceWidth, func(i int) error { _, err := refund(w, c.Order, part, fmt.Sprintf("refund %d", i)); return err }),
			pay.CodeAmountTooLarge, pay.CodeInvalidAmount, pay.CodeStripeUnavailable)
		w.Clock.Add(2 * time.Minute)
		w.Sweep() // those that Stripe did not answer
		w.DeliverAll()
		return c.Order.ID
	}, paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunded: 9 * (paytest.Total/10 + 1), Refunds: 9}},
	{"FiftyRefundsOfAllOfIt", 4, func(t *testing.T, w *paytest.World) string {
		o := settled(w)
		onlyWith(t, storm(raceWidth, func(int) error { _, err := refund(w, o, 0, ""); return err }), pay.CodeInvalidAmount, pay.CodeStripeUnavailable)
		w.Clock.Add(2 * time.Minute)
		w.Sweep()
		w.DeliverAll()
		return o.ID
	}, paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunded: paytest.Total, Refunds: 1}},
	{"WebhookReturnPageAndSweep", 1, func(t *testing.T, w *paytest.World) string { // RC-01
		o := bought(w)
		for _, e := range w.Events() {
			w.Deliver(e)
		}
		jobs := w.Jobs()
		onlyWith(t, storm(len(jobs)+8, func(i int) error {
			switch {
			case i < len(jobs):
				return w.Run(jobs[i])
			case i%2 == 0:
				_, err := w.Settle(o.ID, pay.CauseReturn)
				return err
			}
			_, err := w.Pay.Sweep(t.Context(), 100)
			return err
		}), pay.CodeConflict)
		w.DeliverAll()
		return o.ID
	}, taken},
	{"ARefundAndADisputeAndThenItIsWon", 1, func(t *testing.T, w *paytest.World) string { // RC-03
		o := settled(w)
		intent := w.Attempts(o.ID)[0].IntentID
		w.Act("refund", intent, 700)
		w.ActWith("dispute", map[string]any{"id": intent, "amount": 5000})
		tell := func() {
			for _, e := range w.Events() {
				w.Deliver(e)
			}
			jobs := w.Jobs()
			onlyWith(t, storm(len(jobs), func(i int) error { return w.Run(jobs[i]) }), pay.CodeConflict)
			w.DeliverAll()
		}
		tell()
		w.ActWith("dispute", map[string]any{"id": w.DisputeAtStripe(), "outcome": "won"})
		tell()
		return o.ID
	}, paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Refunded: 700, Refunds: 1}},
}

func withCard(id string) func(*pay.CheckoutInput) {
	return func(in *pay.CheckoutInput) { in.CardID = id }
}

// TestOnceHoweverManyAtOnce runs each race many times, on both databases: one payment,
// books that hold, and Stripe's own books the same.
func TestOnceHoweverManyAtOnce(t *testing.T) {
	t.Parallel()
	for _, r := range races {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
				rounds := roundsOf(t)
				if rounds < wholeRounds { // a short run spends less where a round is dear
					rounds = max(rounds/r.share, 2)
					if strings.HasSuffix(t.Name(), "PostgreSQL") {
						rounds = max(rounds/4, 2)
					}
				}
				t.Logf("%d rounds of up to %d at once", rounds, raceWidth)
				bed := paytest.Setup(t, open(t))
				for n := range rounds {
					w := bed.Another()
					id := r.round(t, w)
					w.Check(id, r.want)
					if t.Failed() {
						t.Fatalf("in round %d:\n%sat Stripe: %v", n, w.Dump(true), endAtStripe(w))
					}
				}
			})
		})
	}
}

// TestACustomersBalanceLosesNoUpdate is RC-05: payments and refunds of one customer at
// once, and the balance is their sum.
func TestACustomersBalanceLosesNoUpdate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		w := paytest.Setup(t, open(t))
		card := w.Card("pm_card_visa").ID
		const half = raceWidth / 2
		var paidFor []*pay.Order
		var more []pay.CheckoutInput
		for i := range raceWidth {
			in := w.Request(withCard(card), func(in *pay.CheckoutInput) { in.IdempotencyKey = fmt.Sprintf("order %d", i) })
			if i%2 == 1 {
				more = append(more, in) // credited in the storm
				continue
			}
			c, err := w.Pay.ChargeCard(context.Background(), in)
			if err != nil {
				t.Fatal(err)
			}
			paidFor = append(paidFor, c.Order) // debited in the storm
		}
		do := func(i int) error {
			if i%2 == 1 {
				_, err := w.Pay.ChargeCard(t.Context(), more[i/2])
				return err
			}
			_, err := refund(w, paidFor[i/2], int64(100+i), fmt.Sprintf("refund %d", i))
			return err
		}
		onlyWith(t, storm(raceWidth, do), pay.CodeStripeUnavailable)
		onlyWith(t, storm(raceWidth, do)) // whoever was not answered sends the same again
		w.DeliverAll()
		want := int64(raceWidth * paytest.Total)
		for i := range half {
			want -= int64(100 + 2*i)
		}
		credits, err := w.Store.CustomerBalances(t.Context(), w.Tenant.ID)
		if err != nil || len(credits) != 1 || credits[0].Credit.Minor != want {
			t.Errorf("the credit is %+v, %v, want %d", credits, err, want)
		}
		if gross := w.StripeGross()["gbp"]; gross != want {
			t.Errorf("Stripe has %d, want %d", gross, want)
		}
		if broken, err := w.Store.VerifyBooks(t.Context()); err != nil || len(broken) > 0 {
			t.Errorf("%v %v", broken, err)
		}
	})
}
