package pay_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/pay"
)

// lies makes Stripe say something else about sessions and intents, pays, and
// tells the till by every door.
func lies(session func(*pay.StripeSession), intent func(*pay.StripeIntent)) func(*testing.T, *paytest.World) string {
	return func(t *testing.T, w *paytest.World) string {
		o := bought(w)
		g := w.Wrap()
		g.Session = func(s *pay.StripeSession) error {
			if session != nil {
				session(s)
			}
			return nil
		}
		g.Intent = func(i *pay.StripeIntent) error {
			if intent != nil {
				intent(i)
			}
			return nil
		}
		w.Return(o)
		w.DeliverAll()
		w.Return(o)
		return o.ID
	}
}

// held is the end of a story in which Stripe's facts disagree with the order:
// the money waits for a person.
func held(suspense int64) paytest.Want {
	return paytest.Want{State: pay.OrderMismatch, Suspense: suspense, Unclaimed: []string{"mismatch"}, Story: []string{"sent_to_stripe", "mismatch"}, Lied: true}
}

// TestStripesFactsMustBeTheOrders is I-09: paid means that every bound fact was
// compared.
func TestStripesFactsMustBeTheOrders(t *testing.T) {
	t.Parallel()
	suite(t, []row{
		{name: "OnePennyLessInTheSession", want: held(paytest.Total),
			play: lies(func(s *pay.StripeSession) { s.AmountTotal.Minor-- }, nil)},
		{name: "OnePennyLessReceived", want: held(paytest.Total - 1),
			play: lies(nil, func(i *pay.StripeIntent) { i.AmountReceived.Minor-- })},
		{name: "OnePennyLessInTheIntent", want: held(paytest.Total),
			play: lies(nil, func(i *pay.StripeIntent) { i.Amount.Minor-- })},
		{name: "AnotherCurrencyInTheSession", want: held(paytest.Total),
			play: lies(func(s *pay.StripeSession) { s.AmountTotal.Currency = "USD" }, nil)},
		{name: "AnotherCurrencyReceived", want: held(paytest.Total),
			play: lies(nil, func(i *pay.StripeIntent) { i.AmountReceived.Currency = "USD" })},
		{name: "AnotherOrdersSession", want: held(paytest.Total),
			play: lies(func(s *pay.StripeSession) { s.ClientReferenceID = "ord_another" }, nil)},
		{name: "AnotherOrderInTheMetadata", want: held(paytest.Total),
			play: lies(func(s *pay.StripeSession) { s.Metadata[pay.MetaOrder] = "ord_another" }, nil)},
		{name: "AnotherTenantInTheMetadata", want: held(paytest.Total),
			play: lies(func(s *pay.StripeSession) { s.Metadata[pay.MetaTenant] = "ten_another" }, nil)},
		{name: "LivemodeSession", want: held(paytest.Total),
			play: lies(func(s *pay.StripeSession) { s.Livemode = true }, nil)},
		{name: "LivemodeIntentIsNotBooked", want: held(0),
			play: lies(nil, func(i *pay.StripeIntent) { i.Livemode = true })},
		{name: "AnotherSessionThanTheBoundOne", want: held(paytest.Total),
			play: lies(func(s *pay.StripeSession) { s.ID = "cs_test_another" }, nil)},
		{name: "ADisagreementAfterThePaymentStopsTheOrderAndKeepsThePayment",
			want: paytest.Want{State: pay.OrderMismatch, Paid: paytest.Total, Unclaimed: []string{"mismatch"}, Story: []string{"paid", "mismatch"}},
			play: func(t *testing.T, w *paytest.World) string {
				o := settled(w)
				w.Wrap().Session = func(s *pay.StripeSession) error { s.ClientReferenceID = "ord_another"; return nil }
				w.DeliverAll()
				w.Return(o)
				return o.ID
			}},
		{name: "ARefundAfterTheDisagreementIsThePaymentsRefund",
			want: paytest.Want{State: pay.OrderMismatch, Paid: paytest.Total, Refunded: 500, Refunds: 2, Unclaimed: []string{"mismatch"}},
			play: func(t *testing.T, w *paytest.World) string {
				o := settled(w)
				w.Wrap().Session = func(s *pay.StripeSession) error { s.ClientReferenceID = "ord_another"; return nil }
				w.Act("refund", w.Attempts(o.ID)[0].SessionID, 300)
				w.DeliverAll()
				w.Act("refund", w.Attempts(o.ID)[0].SessionID, 200)
				w.DeliverAll()
				return o.ID
			}},
		{name: "HeldMoneyThatIsRefundedLeavesSuspense", want: paytest.Want{State: pay.OrderMismatch, Suspense: 0, Returned: 1, Unclaimed: []string{"mismatch"}},
			play: func(t *testing.T, w *paytest.World) string {
				o := bought(w)
				w.Wrap().Session = func(s *pay.StripeSession) error { s.ClientReferenceID = "ord_another"; return nil }
				w.DeliverAll()
				w.Act("refund", w.Attempts(o.ID)[0].SessionID, 0)
				w.DeliverAll()
				w.DeliverAll()
				return o.ID
			}},
		{name: "AnotherIntentThanTheBoundOne", want: paytest.Want{State: pay.OrderMismatch, Suspense: paytest.Total, Unclaimed: []string{"mismatch"}, Lied: true},
			play: func(t *testing.T, w *paytest.World) string {
				// The debit's intent was bound when it was processing; then the session shows another.
				c := w.Open(byDebit)
				w.PayByDebit(w.PressPay(c.Order), paytest.AccountGood)
				w.Return(c.Order)
				w.Act("settle_debits", w.Attempts(c.Order.ID)[0].SessionID, 0)
				w.Wrap().Intent = func(i *pay.StripeIntent) error { i.ID = "pi_another"; return nil }
				w.Return(c.Order)
				return c.Order.ID
			}},
		{name: "MoneyThatComesAfterAMismatchIsHeldToo", want: paytest.Want{State: pay.OrderMismatch, Suspense: paytest.Total, Unclaimed: []string{"mismatch", "mismatch"}}, play: func(t *testing.T, w *paytest.World) string {
			c := w.Open()
			to := w.PressPay(c.Order)
			g := w.Wrap()
			g.Session = func(s *pay.StripeSession) error { s.AmountTotal.Minor--; return nil }
			w.Return(c.Order) // nothing is paid yet, but the session is wrong already
			if o := w.Order(c.Order.ID); o.State != pay.OrderMismatch {
				t.Errorf("the order is %s before the payment", o.State)
			}
			w.MustPay(to)
			w.DeliverAll()
			return c.Order.ID
		}},
		{name: "AMismatchWaitsForAPersonAlsoWhenTheFactsAgreeLater", want: paytest.Want{State: pay.OrderMismatch, Suspense: paytest.Total, Unclaimed: []string{"mismatch", "mismatch"}}, play: func(t *testing.T, w *paytest.World) string {
			c := w.Open()
			to := w.PressPay(c.Order)
			g := w.Wrap()
			g.Session = func(s *pay.StripeSession) error { s.AmountTotal.Minor--; return nil }
			w.Return(c.Order)
			g.Session = nil
			w.MustPay(to)
			w.DeliverAll()
			return c.Order.ID
		}},
		{name: "AnotherStripeAccountThanBefore", want: held(paytest.Total), play: func(t *testing.T, w *paytest.World) string {
			o := bought(w)
			err := w.Store.InTx(context.Background(), func(tx pay.Tx) error {
				return tx.SetStripeAccount(context.Background(), w.Tenant.ID, "acct_another", false)
			})
			if err != nil {
				t.Fatal(err)
			}
			w.DeliverAll()
			return o.ID
		}},
	})
}

// byDebit asks for a bank debit beside the card.
func byDebit(in *pay.CheckoutInput) { in.PaymentMethods = []string{"card", "bacs_debit"} }

// TestMoneyWithoutAnOwnerIsShown is I-10: what matches nothing is shown, and its
// money is in suspense.
func TestMoneyWithoutAnOwnerIsShown(t *testing.T) {
	t.Parallel()
	open := paytest.Want{State: pay.OrderOpen}
	suite(t, []row{
		{name: "ForeignIntentWithMoney", want: paytest.Want{State: pay.OrderOpen, Suspense: 4200, Unclaimed: []string{"no_order"}},
			play: func(t *testing.T, w *paytest.World) string {
				c := w.Open()
				w.PayDirectly("4200", nil)
				w.DeliverAll()
				w.DeliverAll()
				return c.Order.ID
			}},
		{name: "ForeignIntentThatCarriesOurMark", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Suspense: 4200, Unclaimed: []string{"no_order"}},
			play: func(t *testing.T, w *paytest.World) string {
				o := settled(w)
				a := w.Attempts(o.ID)[0]
				w.PayDirectly("4200", map[string]string{pay.MetaTenant: w.Tenant.ID, pay.MetaOrder: o.ID, pay.MetaAttempt: a.ID})
				w.DeliverAll()
				return o.ID
			}},
		{name: "UnknownObject", want: paytest.Want{State: pay.OrderOpen, Unclaimed: []string{"not_at_stripe"}},
			play: func(t *testing.T, w *paytest.World) string {
				c := w.Open()
				deliverMade(t, w, "checkout.session", "cs_test_nobody")
				return c.Order.ID
			}},
		{name: "AnotherTenantsSession", want: paytest.Want{State: pay.OrderOpen, Unclaimed: []string{"not_at_stripe"}},
			play: func(t *testing.T, w *paytest.World) string {
				c := w.Open()
				other := w.Another()
				o := bought(other)
				deliverMade(t, w, "checkout.session", other.Attempts(o.ID)[0].SessionID)
				other.Check(o.ID, paytest.Want{State: pay.OrderOpen, Lied: true})
				other.DeliverAll()
				other.Check(o.ID, paid)
				return c.Order.ID
			}},
		{name: "ATenantWithTheSameStripeAccountClaimsNothing", want: paytest.Want{State: pay.OrderOpen, Unclaimed: []string{"other_tenant"}, Lied: true},
			play: func(t *testing.T, w *paytest.World) string {
				c := w.Open()
				twin := w.Another(func(t *pay.Tenant) { t.StripeKey = w.Tenant.StripeKey })
				o := bought(twin)
				deliverMade(t, w, "checkout.session", twin.Attempts(o.ID)[0].SessionID)
				deliverMade(t, w, "checkout.session", twin.Attempts(o.ID)[0].SessionID)
				twin.DeliverAll()
				twin.Check(o.ID, paid)
				return c.Order.ID
			}},
		{name: "AnEventThatSaysPaidWhileStripeSaysUnpaid", want: open, play: func(t *testing.T, w *paytest.World) string {
			c := w.Open()
			deliverMade(t, w, "checkout.session", c.Attempt.SessionID)
			return c.Order.ID
		}},
		{name: "AnEventThatSaysPaidWhileStripeSays404", want: open, play: func(t *testing.T, w *paytest.World) string {
			c := w.Open()
			w.Wrap().Session = func(*pay.StripeSession) error {
				return &pay.StripeFault{Kind: pay.FaultNotFound, Code: "resource_missing"}
			}
			e := madeEvent("checkout.session", c.Attempt.SessionID)
			if status := w.Deliver(e); status != http.StatusOK {
				t.Errorf("answered %d", status)
			}
			if err := w.RunJobs(); err == nil {
				t.Error("the job did not fail, so it would not be tried again")
			}
			if n := len(w.Jobs()); n != 1 {
				t.Fatalf("%d jobs left, want the one that failed", n)
			}
			// The last try leaves it to staff.
			if err := w.Pay.SettleEvent(context.Background(), w.Jobs()[0], true); err == nil {
				t.Error("the last try did not fail")
			}
			events, err := w.Store.ListEvents(context.Background(), pay.EventFilter{TenantID: w.Tenant.ID, State: pay.EventFailed, Limit: 10})
			if err != nil || len(events) != 1 {
				t.Errorf("%d failed events, %v", len(events), err)
			}
			return c.Order.ID
		}},
		{name: "AnEventOfAnotherIntegrationIsCounted", want: open, play: func(t *testing.T, w *paytest.World) string {
			c := w.Open()
			done, err := w.Settle(unpaidIntent(w, nil), pay.CauseCLI)
			if err != nil || done.Outcome != pay.OutcomeNotOurs {
				t.Errorf("an unpaid foreign intent: %v, %v", done, err)
			}
			return c.Order.ID
		}},
		{name: "ADeclinedCardIsNotUnclaimed", want: open, play: func(t *testing.T, w *paytest.World) string {
			c := w.Open()
			if to, decline := w.PayByCard(w.PressPay(c.Order), paytest.CardNoFunds); to != "" || decline == "" {
				t.Errorf("declined card led to %q, %q", to, decline)
			}
			w.DeliverAll()
			return c.Order.ID
		}},
		{name: "TheSuspenseEntryNamesWhoToldUs", want: paytest.Want{State: pay.OrderOpen, Suspense: 700, Unclaimed: []string{"no_order"}},
			play: func(t *testing.T, w *paytest.World) string {
				c := w.Open()
				if _, err := w.Settle(w.PayDirectly("700", nil), pay.CauseCLI); err != nil {
					t.Fatal(err)
				}
				var kind string
				row := w.Store.DB().QueryRow("SELECT cause_kind FROM ledger_entries WHERE tenant_id = $1 AND kind = 'suspense'", w.Tenant.ID)
				if err := row.Scan(&kind); err != nil || kind != string(pay.CauseCLI) {
					t.Errorf("the suspense entry's cause is %q, %v", kind, err)
				}
				return c.Order.ID
			}},
	})
}

// TestLateSuccessBeatsExpiry is I-14.
func TestLateSuccessBeatsExpiry(t *testing.T) {
	t.Parallel()
	expired := func(s *pay.StripeSession) error {
		s.Status, s.PaymentStatus, s.Intent, s.IntentID = "expired", "unpaid", nil, ""
		return nil
	}
	suite(t, []row{
		{name: "PaidAfterTheOrderExpired", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Story: []string{"expired", "paid"}},
			play: func(t *testing.T, w *paytest.World) string {
				o := bought(w)
				g := w.Wrap()
				g.Session = expired // Stripe's older answer
				w.Return(o)
				if now := w.Order(o.ID); now.State != pay.OrderExpired {
					t.Fatalf("the order is %s, not expired", now.State)
				}
				g.Session = nil
				w.DeliverAll()
				return o.ID
			}},
		{name: "TheExpiredEventAfterThePayment", want: paid, play: func(t *testing.T, w *paytest.World) string {
			o := settled(w)
			w.Wrap().Session = expired
			deliverMade(t, w, "checkout.session", w.Attempts(o.ID)[0].SessionID)
			return o.ID
		}},
		{name: "ExpiredByTime", want: paytest.Want{State: pay.OrderExpired, Story: []string{"session_opened", "expired"}}, play: func(t *testing.T, w *paytest.World) string {
			c := w.Open()
			w.Clock.Add(25 * time.Hour)
			w.Sweep()
			return c.Order.ID
		}},
		{name: "ExpiredAndPaidWithANewAttempt", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Story: []string{"expired", "session_opened", "paid"}},
			play: func(t *testing.T, w *paytest.World) string {
				c := w.Open()
				w.PressPay(c.Order)
				w.Clock.Add(25 * time.Hour)
				w.DeliverAll()
				w.MustPay(w.PressPay(c.Order))
				w.DeliverAll()
				if n := len(w.Attempts(c.Order.ID)); n != 2 {
					t.Errorf("%d attempts, want 2", n)
				}
				return c.Order.ID
			}},
		{name: "MoneyOfASessionThatExpiredWaitsForAPerson", want: held(paytest.Total), play: func(t *testing.T, w *paytest.World) string {
			o := bought(w)
			w.Wrap().Session = func(s *pay.StripeSession) error { s.Status = "expired"; return nil }
			w.Return(o)
			return o.ID
		}},
		{name: "TwoAttemptsBothSucceed", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Suspense: paytest.Total, Unclaimed: []string{"overpaid"},
			Story: []string{"expired", "paid", "overpaid"}},
			play: func(t *testing.T, w *paytest.World) string {
				c := w.Open()
				first := w.PressPay(c.Order)
				g := w.Wrap()
				g.Session = expired
				second := w.PressPay(c.Order) // Stripe says that the first is over, so there is another
				g.Session = nil
				if first == second {
					t.Fatal("no second attempt")
				}
				w.MustPay(first)
				w.MustPay(second)
				w.DeliverAll()
				w.Return(c.Order)
				return c.Order.ID
			}},
		{name: "TheSecondSuccessIsRefundedAtStripe", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Returned: 1, Unclaimed: []string{"overpaid"}},
			play: func(t *testing.T, w *paytest.World) string {
				c := w.Open()
				first := w.PressPay(c.Order)
				g := w.Wrap()
				g.Session = expired
				second := w.PressPay(c.Order)
				g.Session = nil
				w.MustPay(first)
				w.DeliverAll()
				w.MustPay(second)
				w.DeliverAll()
				w.Act("refund", w.Attempts(c.Order.ID)[1].SessionID, 0)
				w.DeliverAll()
				w.DeliverAll()
				return c.Order.ID
			}},
		{name: "CancelledOrderIsPaidAfterAll", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Story: []string{"paid"}},
			play: func(t *testing.T, w *paytest.World) string {
				o := bought(w)
				err := w.Store.InTx(context.Background(), func(tx pay.Tx) error {
					_, err := tx.MoveOrder(context.Background(), w.Tenant.ID, o.ID, pay.OrderOpen, pay.OrderCancelled, "staff", w.Clock.Now())
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				w.DeliverAll()
				return o.ID
			}},
	})
}
