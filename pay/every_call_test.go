package pay_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// flow is a piece of the product's work in which any call may fail. prepare comes
// as far as the flow's beginning; what it returns does the work, and may be done
// again: the same request, the redelivery, the next sweep.
type flow struct {
	name    string
	prepare func(w *paytest.World, g *paytest.Gateway) (run func() error)
	// roadsDiffer says that story and notices may differ when a call fails: a session
	// that was ended, but whose end was not stored, is found expired, for example.
	roadsDiffer bool
}

var flows = []flow{
	{name: "OpenCheckout", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		return func() error {
			_, err := w.Pay.OpenCheckout(context.Background(), w.Request())
			return err
		}
	}},
	{name: "OpenCheckoutWithAKey", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		return func() error {
			_, err := w.Pay.OpenCheckout(context.Background(), w.Request(keyed))
			return err
		}
	}},
	{name: "OpenCheckoutWithNothingDue", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		return func() error {
			_, err := w.Pay.OpenCheckout(context.Background(), w.Request(keyed, func(in *pay.CheckoutInput) {
				in.Items = []pay.CartItem{{Title: "Handset", Quantity: 1, SetupFee: "25", VoucherCredit: "25"}}
			}))
			return err
		}
	}},
	{name: "StartPayment", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		return press(w, w.Open().Order)
	}},
	{name: "StartPaymentAfterExpiry", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		o := w.Open().Order
		w.PressPay(o)
		w.Clock.Add(25 * time.Hour)
		return press(w, o)
	}},
	{name: "SettlePaid", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error { return settle(w, bought(w)) }},
	{name: "SettlePaidBeforeTheSessionWasStored", prepare: func(w *paytest.World, g *paytest.Gateway) func() error {
		g.After.Arm(3, paytest.StripeSilent())
		_, _ = w.Pay.OpenCheckout(context.Background(), w.Request())
		g.After.Disarm()
		var sessions struct {
			Data []struct{ ID, URL string }
		}
		w.API(http.MethodGet, "/v1/checkout/sessions", nil, &sessions)
		w.MustPay(sessions.Data[0].URL)
		return func() error { _, err := w.Settle(sessions.Data[0].ID, pay.CauseCLI); return err }
	}},
	{name: "SettleByTheIntent", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		bought(w)
		return deliver(w, "payment_intent.succeeded")
	}},
	{name: "SettleRefunds", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		o := settled(w)
		w.Act("refund", w.Attempts(o.ID)[0].SessionID, 100)
		w.Act("refund", w.Attempts(o.ID)[0].SessionID, 200)
		return deliver(w, "charge.refunded")
	}},
	{name: "SettleAFailedRefund", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		o := boughtWith(w, paytest.CardRefundFails)
		w.Act("refund", w.Attempts(o.ID)[0].SessionID, 100)
		w.Return(o)
		w.Clock.Add(time.Minute)
		return settle(w, o)
	}},
	{name: "SettleADebit", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		o := w.Open(byDebit).Order
		w.PayByDebit(w.PressPay(o), paytest.AccountGood)
		return settle(w, o)
	}},
	{name: "SettleAFailedDebit", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		o := w.Open(byDebit).Order
		w.PayByDebit(w.PressPay(o), paytest.AccountGood)
		w.Act("fail_debits", w.Attempts(o.ID)[0].SessionID, 0)
		return settle(w, o)
	}},
	{name: "SettleAMismatch", prepare: func(w *paytest.World, g *paytest.Gateway) func() error {
		o := bought(w)
		g.Session = func(s *pay.StripeSession) error { s.AmountTotal.Minor--; return nil }
		return settle(w, o)
	}},
	{name: "SettleAForeignPayment", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		w.PayDirectly("4200", nil)
		return deliver(w, "payment_intent.succeeded")
	}},
	{name: "WebhookReceiptAndJob", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		bought(w)
		return deliver(w, "checkout.session.completed")
	}},
	{name: "SweepPaid", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		bought(w)
		return sweep(w)
	}},
	{name: "SweepOfTheBalance", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		o := settled(w)
		w.Act("refund", w.Attempts(o.ID)[0].SessionID, 500)
		w.TakeForeign(1000)
		w.PayOut()
		w.Clock.Add(25 * time.Hour)
		return sweepBalance(w)
	}},
	{name: "SweepUnanswered", prepare: func(w *paytest.World, g *paytest.Gateway) func() error {
		g.Before.Arm(3, paytest.StripeSilent())
		_, _ = w.Pay.OpenCheckout(context.Background(), w.Request())
		g.Before.Disarm()
		w.Clock.Add(24 * time.Hour)
		return sweep(w)
	}},
}

func press(w *paytest.World, o *pay.Order) func() error {
	return func() error { _, err := w.Pay.StartPayment(context.Background(), o.PayToken, pay.Choice{}); return err }
}

func settle(w *paytest.World, o *pay.Order) func() error {
	return func() error { _, err := w.Settle(o.ID, pay.CauseReturn); return err }
}

func deliver(w *paytest.World, kind string) func() error {
	e := w.EventOf(kind)
	return func() error {
		status := w.Deliver(e)
		if status != http.StatusOK && status != http.StatusServiceUnavailable {
			return fmt.Errorf("answered %d, which Stripe takes for our fault or a forgery", status)
		}
		err := w.RunJobs()
		if status != http.StatusOK {
			err = errors.Join(err, errors.New("Stripe must send it again"))
		}
		return err
	}
}

// sweepBalance lists everything, closes the days and proves the books.
func sweepBalance(w *paytest.World) func() error {
	return func() error {
		ctx := context.Background()
		tenant, err := w.Pay.Store.TenantByID(ctx, w.Tenant.ID)
		if err != nil {
			return err
		}
		done, err := w.Pay.SweepObjects(ctx, tenant)
		if done.Failed > 0 {
			err = errors.Join(err, errors.New("a call in the sweep failed"))
		}
		if err = errors.Join(err, w.Pay.CloseDaysOf(ctx, tenant)); err != nil {
			return err
		}
		proof, err := w.Pay.Proof(ctx, w.Tenant.ID, time.Time{}, w.Clock.Now())
		if err == nil && (!proof.Square() || causes(proof)["payouts GBP"] == 0) {
			err = errors.New("something is unexplained: " + inWords(proof))
		}
		return err
	}
}

func sweep(w *paytest.World) func() error {
	return func() error {
		w.Clock.Add(10 * time.Minute)
		done, err := w.Pay.Sweep(context.Background(), 1000)
		if done.Failed > 0 {
			err = errors.Join(err, errors.New("a call in the sweep failed"))
		}
		return err
	}
}

// endOfAttempt is the part of a dump that is a matter of the road.
var endOfAttempt = regexp.MustCompile(`attempt \d+ \w+ failed .* "resource_missing"\n| failure "(superseded|expired)"|attempt \d+`)

// TestAnyCallMayFail is the 500 test: the database and Stripe fail at call n, for
// every n until a run makes no call n; then all works again, the same is done
// again, and the end is the undisturbed one.
func TestAnyCallMayFail(t *testing.T) {
	t.Parallel()
	for _, f := range slices.Concat(flows, cardFlows) {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) { everyCall(t, open(t), f) })
		})
	}
}

func everyCall(t *testing.T, store *sqlstore.Store, f flow) {
	bed := paytest.Setup(t, store)
	calm, _ := disturb(t, bed, f, "nothing", 0)
	for _, what := range []string{"the database", "Stripe before its effect", "Stripe after its effect"} {
		n := 1
		for ; ; n += callStride {
			if n > 400 {
				t.Fatalf("%s: no end of calls", what)
			}
			end, hit := disturb(t, bed, f, what, n)
			if hit == "" {
				break
			}
			if diff := cmp.Diff(calm, end); diff != "" {
				t.Errorf("%s failed at call %d (%s); afterwards (-undisturbed +this):\n%s", what, n, hit, diff)
			}
		}
		if broken, err := bed.Store.VerifyBooks(context.Background()); err != nil || len(broken) > 0 {
			t.Errorf("%s failed at each of %d calls, and now: %v %v", what, n-1, broken, err)
		}
		if what == "the database" && n < 5 && callStride == 1 {
			t.Errorf("only %d calls of the database; is it wrapped?", n-1)
		}
	}
}

// disturb runs a flow for a tenant of its own with one call failing, then again
// until it works, and returns what became of it and which call failed.
func disturb(t *testing.T, bed *paytest.World, f flow, what string, n int) (end, hit string) {
	t.Helper()
	w := bed.Another()
	g := w.Wrap()
	run := f.prepare(w, g)
	s := w.WrapStore()
	faults := map[string]*paytest.Faults{"the database": &s.Faults, "Stripe before its effect": &g.Before, "Stripe after its effect": &g.After}[what]
	switch what {
	case "nothing":
	case "the database":
		faults.Arm(n, paytest.DatabaseGone())
	default:
		faults.Arm(n, paytest.StripeSilent())
	}
	err := run()
	if faults != nil {
		hit = faults.Disarm()
	}
	if hit == "" && err != nil {
		t.Fatalf("undisturbed it fails: %v", err)
	}
	for try := 0; hit != "" && try < 3; try++ {
		if err = run(); err == nil {
			break
		}
	}
	if err != nil {
		t.Errorf("%s failed at call %d (%s), and all tries afterwards: %v", what, n, hit, err)
	}
	end = w.Dump(!f.roadsDiffer)
	if f.roadsDiffer {
		end = endOfAttempt.ReplaceAllString(end, "")
	}
	return fmt.Sprintf("%sat Stripe: %v\n", end, endAtStripe(w)), hit
}
