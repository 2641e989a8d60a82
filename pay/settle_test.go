package pay_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// row is one line of the money suite: a story that ends in Check.
type row struct {
	name string
	// play tells the story and returns the order it is about.
	play func(t *testing.T, w *paytest.World) string
	want paytest.Want
	// tenant changes the tenant before it is stored.
	tenant func(*pay.Tenant)
}

// suite plays each row on both databases.
func suite(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
				w := paytest.Setup(t, open(t))
				if r.tenant != nil {
					w = w.Another(r.tenant)
				}
				w.Check(r.play(t, w), r.want)
			})
		})
	}
}

// paid is the end of every story that goes well.
var paid = paytest.Want{State: pay.OrderPaid, Paid: paytest.Total,
	Story: []string{"requested", "session_opened", "sent_to_stripe", "paid"}}

// bought opens a checkout and pays it at Stripe; nobody has told us yet.
func bought(w *paytest.World, changes ...func(*pay.CheckoutInput)) *pay.Order {
	w.T.Helper()
	c := w.Open(changes...)
	w.MustPay(w.PressPay(c.Order))
	return c.Order
}

// settled is bought, and told by the return page.
func settled(w *paytest.World) *pay.Order {
	w.T.Helper()
	o := bought(w)
	w.Return(o)
	return w.Order(o.ID)
}

// TestAPaymentIsBookedOnce: whoever tells of it, how often, and in which order.
func TestAPaymentIsBookedOnce(t *testing.T) {
	t.Parallel()
	suite(t, []row{
		{name: "WebhookPaysTheOrder", want: paid, play: func(t *testing.T, w *paytest.World) string {
			o := bought(w)
			w.DeliverAll()
			return o.ID
		}},
		{name: "WebhookTwiceBooksOnce", want: paid, play: func(t *testing.T, w *paytest.World) string {
			o := bought(w)
			w.DeliverAll()
			w.DeliverAll()
			if jobs := len(w.Jobs()); jobs != 0 {
				t.Errorf("a repeated event made %d new jobs", jobs)
			}
			return o.ID
		}},
		{name: "AJobThatRunsAgainBooksOnce", want: paid, play: func(t *testing.T, w *paytest.World) string {
			o := bought(w)
			w.Deliver(w.EventOf("checkout.session.completed"))
			for _, j := range w.Jobs() {
				for range 3 {
					if err := w.Run(j); err != nil {
						t.Errorf("run the job again: %v", err)
					}
				}
			}
			return o.ID
		}},
		{name: "EightSettlesAtOnceBookOnce", want: paid, play: func(t *testing.T, w *paytest.World) string {
			o := bought(w)
			session := w.Attempts(o.ID)[0].SessionID
			atOnce(t, 8, func(i int) error {
				object := []string{session, o.ID}[i%2]
				_, err := w.Settle(object, []pay.CauseKind{pay.CauseReturn, pay.CauseStaff, pay.CauseCLI}[i%3])
				return err
			})
			return o.ID
		}},
		{name: "HundredDeliveriesAtOnceBookOnce", want: paid, play: func(t *testing.T, w *paytest.World) string {
			o := bought(w)
			event := w.EventOf("payment_intent.succeeded")
			atOnce(t, 100, func(int) error {
				if status := w.Deliver(event); status != http.StatusOK {
					return fmt.Errorf("answered %d", status)
				}
				return nil
			})
			if n := len(w.Jobs()); n != 1 {
				t.Errorf("%d jobs for one event", n)
			}
			if err := w.RunJobs(); err != nil {
				t.Error(err)
			}
			return o.ID
		}},
		{name: "ReturnBeforeWebhookBooksOnce", want: paid, play: func(t *testing.T, w *paytest.World) string {
			o := bought(w)
			if done := w.Return(o); done.Order.State != pay.OrderPaid {
				t.Errorf("the return page sees %s", done.Order.State)
			}
			w.DeliverAll()
			return o.ID
		}},
		{name: "ReturnAndJobsAtOnceBookOnce", want: paid, play: func(t *testing.T, w *paytest.World) string {
			o := bought(w)
			for _, e := range w.Events() {
				w.Deliver(e)
			}
			jobs := w.Jobs()
			atOnce(t, len(jobs)+1, func(i int) error {
				if i < len(jobs) {
					return w.Run(jobs[i])
				}
				_, err := w.Settle(o.ID, pay.CauseReturn)
				return err
			})
			return o.ID
		}},
		{name: "WebhookNeverComesAndTheSweepPays", want: paid, play: func(t *testing.T, w *paytest.World) string {
			o := bought(w)
			if done := w.Sweep(); done.Asked != 1 || done.Settled != 1 {
				t.Errorf("sweep: %+v, want one asked and settled", done)
			}
			w.Clock.Add(24 * time.Hour)
			if done := w.Sweep(); done.Asked != 0 {
				t.Errorf("a sweep asked about a paid order: %+v", done)
			}
			return o.ID
		}},
		{name: "EventsInReverseBookOnce", want: paid, play: func(t *testing.T, w *paytest.World) string {
			o := bought(w)
			events := w.Events()
			for i := range events {
				w.Deliver(events[len(events)-1-i])
				if err := w.RunJobs(); err != nil {
					t.Error(err)
				}
			}
			return o.ID
		}},
		{name: "TwoEventIdsForOneFactBookOnce", want: paid, play: func(t *testing.T, w *paytest.World) string {
			o := bought(w)
			e := w.EventOf("payment_intent.succeeded")
			twin := paytest.Event{Type: e.Type, Body: []byte(replaceOnce(string(e.Body), e.ID, e.ID+"twin"))}
			for _, e := range []paytest.Event{e, twin} {
				if status := w.Deliver(e); status != http.StatusOK {
					t.Errorf("answered %d", status)
				}
			}
			if n := len(w.Jobs()); n != 2 {
				t.Errorf("%d jobs, want one for each event", n)
			}
			if err := w.RunJobs(); err != nil {
				t.Error(err)
			}
			return o.ID
		}},
		{name: "AForgedEventIsNobody", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total}, play: func(t *testing.T, w *paytest.World) string {
			o := settled(w)
			for _, secret := range []string{"whsec_another00000000000000", "", "whsec_", "null"} {
				if status := w.DeliverSigned(w.Events()[0], secret); status != http.StatusBadRequest {
					t.Errorf("signed with %q: answered %d, want 400", secret, status)
				}
			}
			events, err := w.Store.ListEvents(context.Background(), pay.EventFilter{TenantID: w.Tenant.ID, Limit: 100})
			if err != nil || len(events) != 0 {
				t.Errorf("%d events stored, %v", len(events), err)
			}
			return o.ID
		}},
		{name: "ASuspendedTenantsPaymentStillCounts", want: paid, play: func(t *testing.T, w *paytest.World) string {
			o := bought(w)
			suspend(w)
			w.DeliverAll()
			return o.ID
		}},
		{name: "AnotherCustomersPaymentIsTheirs", want: paytest.Want{State: pay.OrderOpen}, play: func(t *testing.T, w *paytest.World) string {
			waiting := w.Open(func(in *pay.CheckoutInput) { in.ICustomer, in.Customer.ICustomer = 7, 7 })
			other := w.Another() // pays, in the same database and at the same Stripe
			paidOrder := settled(other)
			other.Check(paidOrder.ID, paytest.Want{State: pay.OrderPaid, Paid: paytest.Total})
			return waiting.Order.ID
		}},
	})
}

func suspend(w *paytest.World) {
	w.T.Helper()
	ctx := context.Background()
	t, err := w.Store.TenantByID(ctx, w.Tenant.ID)
	if err == nil {
		t.State = pay.TenantSuspended
		err = w.Store.InTx(ctx, func(tx pay.Tx) error { return tx.UpdateTenant(ctx, t) })
	}
	if err != nil {
		w.T.Fatal(err)
	}
}
