package pay_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// found is money of 42.00 that no order asked for, and its case.
func found(w *paytest.World) (intent string, u *pay.Unclaimed) {
	w.T.Helper()
	intent = w.PayDirectly("4200", nil)
	w.DeliverAll()
	return intent, theCase(w, intent)
}

// foundWith is found, paid with a method of the double's.
func foundWith(w *paytest.World, method string) (intent string, u *pay.Unclaimed) {
	w.T.Helper()
	var i struct{ ID string }
	w.API(http.MethodPost, "/v1/payment_intents", url.Values{"amount": {"4200"}, "currency": {"gbp"}, "payment_method": {method}, "confirm": {"true"},
		"payment_method_types[]": {"card"}}, &i)
	w.DeliverAll()
	return i.ID, theCase(w, i.ID)
}

func theCase(w *paytest.World, id string) *pay.Unclaimed {
	w.T.Helper()
	u, err := w.Store.UnclaimedByID(context.Background(), w.Tenant.ID, id)
	if err != nil {
		w.T.Fatalf("the case of %s: %v", id, err)
	}
	return u
}

// end is what a case has become, and all that its tenant's books show of it.
type end struct {
	State          pay.UnclaimedState
	Held, Assigned int64
	Suspense       int64
	Credit         int64 // of all customers
	Disputed       int64
	Postings       []string // of unclaimed money, sorted
	Notices        []string
}

func standing(w *paytest.World, id string) end {
	w.T.Helper()
	ctx := context.Background()
	u := theCase(w, id)
	e := end{State: u.State, Held: u.HeldMinor, Assigned: u.AssignedMinor}
	balances, err := w.Store.Balances(ctx, w.Tenant.ID)
	if err != nil {
		w.T.Fatal(err)
	}
	sum := int64(0)
	for _, b := range balances {
		sum += b.Balance.Minor
		switch b.Account {
		case pay.AccountSuspense:
			e.Suspense -= b.Balance.Minor
		case pay.AccountCustomer:
			e.Credit -= b.Balance.Minor
		case pay.AccountDisputes:
			e.Disputed += b.Balance.Minor
		}
	}
	if broken, err := w.Store.VerifyBooks(ctx); err != nil || len(broken) > 0 || sum != 0 {
		w.T.Errorf("broken books: %v, %v, sum %d", broken, err, sum)
	}
	e.Postings = texts(w, `SELECT kind || ' ' || state || ' ' || CAST(amount_minor AS TEXT) FROM postings WHERE tenant_id = $1 AND subject_id LIKE 'unc_%' ORDER BY id`)
	e.Notices = texts(w, `SELECT type FROM deliveries WHERE tenant_id = $1 AND payload LIKE '%"unclaimed":%' ORDER BY id`)
	slices.Sort(e.Postings) // ids made at the same time have no order
	slices.Sort(e.Notices)
	return e
}

func texts(w *paytest.World, query string) (out []string) {
	w.T.Helper()
	rows, err := w.Store.DB().Query(query, w.Tenant.ID)
	if err != nil {
		w.T.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			w.T.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		w.T.Fatal(err)
	}
	return out
}

var byStaff = pay.Cause{Kind: pay.CauseStaff, ID: "usr_1"}

func assignTo(w *paytest.World, id string, iCustomer int64) (*pay.Unclaimed, error) {
	return w.Pay.AssignUnclaimed(context.Background(), pay.AssignUnclaimed{TenantID: w.Tenant.ID, ID: id, ICustomer: iCustomer, Reason: "they called", Cause: byStaff})
}

func refundCase(w *paytest.World, id string, minor int64, key string) (*pay.RefundRequest, error) {
	in := pay.RefundUnclaimed{TenantID: w.Tenant.ID, ID: id, Key: key, Cause: byStaff}
	if minor > 0 {
		in.Amount = pay.Money{Minor: minor, Currency: "GBP"}
	}
	return w.Pay.RefundUnclaimed(context.Background(), in)
}

func ignoreCase(w *paytest.World, id string) (*pay.Unclaimed, error) {
	return w.Pay.IgnoreUnclaimed(context.Background(), pay.IgnoreUnclaimed{TenantID: w.Tenant.ID, ID: id, Reason: "a test of ours", Cause: byStaff})
}

func wantCode(t *testing.T, what string, want pay.Code, err error) {
	t.Helper()
	if got := pay.CodeOf(err); got != want || (want == "" && err != nil) {
		t.Errorf("%s: %v, want %q", what, err, want)
	}
}

// caseRow is a story about one case that ends in its standing.
type caseRow struct {
	name string
	play func(t *testing.T, w *paytest.World) (id string)
	want end
}

func cases(t *testing.T, rows []caseRow) {
	t.Helper()
	for _, r := range rows {
		slices.Sort(r.want.Postings)
		slices.Sort(r.want.Notices)
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
				w := paytest.Setup(t, open(t))
				id := r.play(t, w)
				if diff := cmp.Diff(r.want, standing(w, id)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				// All of Stripe's news once more, by every door.
				w.DeliverAll()
				if _, err := w.Settle(theCase(w, id).ObjectID, pay.CauseReturn); err != nil && !pay.IsNotFound(err) {
					t.Errorf("settle it again: %v", err)
				}
				if diff := cmp.Diff(r.want, standing(w, id)); diff != "" {
					t.Errorf("after all events again (-want +got):\n%s", diff)
				}
				if got, want := ourGross(w), w.StripeGross()["gbp"]; got != want {
					t.Errorf("our ledger has %d at Stripe, Stripe's own books %d", got, want)
				}
			})
		})
	}
}

// ourGross is what our ledger says that Stripe's books have, before fees.
func ourGross(w *paytest.World) (sum int64) {
	w.T.Helper()
	balances, err := w.Store.Balances(context.Background(), w.Tenant.ID)
	if err != nil {
		w.T.Fatal(err)
	}
	for _, b := range balances {
		if slices.Contains([]pay.Account{pay.AccountStripe, pay.AccountFees, pay.AccountVAT}, b.Account) {
			sum += b.Balance.Minor
		}
	}
	return sum
}

func TestUnclaimedMoneyIsGivenToACustomer(t *testing.T) {
	t.Parallel()
	given := end{State: pay.UnclaimedAssigned, Assigned: 4200, Credit: 4200, Postings: []string{"payment pending 4200"}, Notices: []string{"unclaimed.assigned"}}
	cases(t, []caseRow{
		{"ByTheirNumber", func(t *testing.T, w *paytest.World) string {
			w.Open()
			intent, u := found(w)
			for range 2 { // the same decision again is the same
				got, err := assignTo(w, u.ID, paytest.ICustomer)
				if err != nil || got.State != pay.UnclaimedAssigned || got.Decision.Reason != "they called" || got.Decision.Cause != byStaff {
					t.Errorf("%+v, %v", got, err)
				}
			}
			done, err := w.Settle(intent, pay.CauseCLI)
			if err != nil || done.Outcome != pay.OutcomeApplied || !strings.Contains(done.Note, "assigned") {
				t.Errorf("settle answers %+v, %v", done, err)
			}
			return u.ID
		}, given},
		{"ByAnOrderWhichStaysAsItIs", func(t *testing.T, w *paytest.World) string {
			o := w.Open().Order
			_, u := found(w)
			if _, err := w.Pay.AssignUnclaimed(context.Background(), pay.AssignUnclaimed{TenantID: w.Tenant.ID, ID: u.ID, OrderID: o.ID, Reason: "paid by phone", Cause: byStaff}); err != nil {
				t.Error(err)
			}
			if o := w.Order(o.ID); o.State != pay.OrderOpen {
				t.Errorf("the order is %s", o.State)
			}
			if told := texts(w, `SELECT detail FROM story WHERE tenant_id = $1 AND what = 'unclaimed.assigned'`); len(told) != 1 || !strings.Contains(told[0], "paid by phone") {
				t.Errorf("the story says %q", told)
			}
			return u.ID
		}, given},
		{"LessWhatWentBackBefore", func(t *testing.T, w *paytest.World) string {
			w.Open()
			intent, u := found(w)
			w.Act("refund", intent, 1000)
			w.DeliverAll()
			_, err := assignTo(w, intent, paytest.ICustomer)
			wantCode(t, "assign", "", err)
			return u.ID
		}, end{State: pay.UnclaimedAssigned, Assigned: 3200, Credit: 3200, Postings: []string{"payment pending 3200"}, Notices: []string{"unclaimed.assigned"}}},
		{"AndRefundedAfterwardsItIsTheirs", func(t *testing.T, w *paytest.World) string {
			w.Open()
			intent, u := found(w)
			_, err := assignTo(w, u.ID, paytest.ICustomer)
			wantCode(t, "assign", "", err)
			w.Act("refund", intent, 700)
			w.DeliverAll()
			return u.ID
		}, end{State: pay.UnclaimedAssigned, Assigned: 4200, Credit: 3500, Postings: []string{"payment pending 4200", "refund pending 700"},
			Notices: []string{"unclaimed.assigned", "refund.created"}}},
		{"ARefundFromBeforeThatFailsIsTheirsToo", func(t *testing.T, w *paytest.World) string {
			w.Open()
			intent, u := foundWith(w, "pm_card_refundFail")
			w.Act("refund", intent, 1000)
			_, err := w.Settle(intent, pay.CauseCLI)
			wantCode(t, "settle", "", err)
			_, err = assignTo(w, u.ID, paytest.ICustomer)
			wantCode(t, "assign", "", err)
			w.Clock.Add(time.Minute)
			_, err = w.Settle(intent, pay.CauseSweep)
			wantCode(t, "settle", "", err)
			return u.ID
		}, end{State: pay.UnclaimedAssigned, Assigned: 3200, Credit: 4200, Postings: []string{"payment pending 3200", "refund_reversal pending 1000"},
			Notices: []string{"unclaimed.assigned", "refund.failed"}}},
		{"AndItsLostDisputeIsTheirs", func(t *testing.T, w *paytest.World) string {
			w.Open()
			intent, u := found(w)
			_, err := assignTo(w, u.ID, paytest.ICustomer)
			wantCode(t, "assign", "", err)
			w.ActWith("dispute", map[string]any{"id": intent, "amount": 1200})
			w.DeliverAll()
			if e := standing(w, u.ID); e.Credit != 4200 || e.Disputed != 1200 {
				t.Errorf("before the bank decides: %+v", e)
			}
			w.ActWith("dispute", map[string]any{"id": w.DisputeAtStripe(), "outcome": "lost"})
			w.DeliverAll()
			return u.ID
		}, end{State: pay.UnclaimedAssigned, Assigned: 4200, Credit: 3000, Postings: []string{"payment pending 4200", "dispute needs_review 1200"},
			Notices: []string{"unclaimed.assigned", "dispute.lost"}}},
		{"AndADisputeThatIsWonLeavesItTheirs", func(t *testing.T, w *paytest.World) string {
			w.Open()
			intent, u := found(w)
			w.ActWith("dispute", map[string]any{"id": intent, "amount": 1200})
			w.DeliverAll()
			_, err := assignTo(w, u.ID, paytest.ICustomer)
			wantCode(t, "assign", "", err)
			w.ActWith("dispute", map[string]any{"id": w.DisputeAtStripe(), "outcome": "won"})
			w.DeliverAll()
			// An answer from the time when it was lost comes late.
			w.Wrap().Intent = func(i *pay.StripeIntent) error {
				i.Charge.Disputes[0].Status, i.Charge.Disputes[0].Reinstated = pay.DisputeLost, nil
				return nil
			}
			_, err = w.Settle(intent, pay.CauseSweep)
			wantCode(t, "settle", "", err)
			return u.ID
		}, given},
		{"ALostDisputeFromBeforeThatIsWonAfterAllIsTheirs", func(t *testing.T, w *paytest.World) string {
			w.Open()
			intent, u := found(w)
			w.ActWith("dispute", map[string]any{"id": intent, "amount": 1200})
			g := w.Wrap()
			outcome := pay.DisputeLost
			g.Intent = func(i *pay.StripeIntent) error { // the double's bank decides once
				d := &i.Charge.Disputes[0]
				if d.Status = outcome; outcome == pay.DisputeLost {
					d.Reinstated = nil
				}
				return nil
			}
			w.DeliverAll()
			if e := standing(w, u.ID); e.Held != 3000 || e.Disputed != 0 {
				t.Errorf("lost: %+v", e)
			}
			_, err := assignTo(w, u.ID, paytest.ICustomer)
			wantCode(t, "assign", "", err)
			w.ActWith("dispute", map[string]any{"id": w.DisputeAtStripe(), "outcome": "won"})
			outcome = pay.DisputeWon
			w.DeliverAll()
			return u.ID
		}, end{State: pay.UnclaimedAssigned, Assigned: 3000, Credit: 4200, Postings: []string{"payment pending 3000", "refund_reversal needs_review 1200"},
			Notices: []string{"unclaimed.assigned", "dispute.won"}}},
		{"AndTheSweepHasNothingToAdd", func(t *testing.T, w *paytest.World) string {
			w.Open()
			intent := w.PayDirectly("4200", nil)
			listed(t, w)
			_, err := assignTo(w, intent, paytest.ICustomer)
			wantCode(t, "assign", "", err)
			w.Act("refund", intent, 200)
			w.ActWith("dispute", map[string]any{"id": intent, "amount": 1000})
			listed(t, w)
			fixed(t, w)
			w.ActWith("dispute", map[string]any{"id": w.DisputeAtStripe(), "outcome": "lost"})
			listed(t, w)
			fixed(t, w)
			return theCase(w, intent).ID
		}, end{State: pay.UnclaimedAssigned, Assigned: 4200, Credit: 3000, Postings: []string{"payment pending 4200", "refund pending 200", "dispute needs_review 1000"},
			Notices: []string{"unclaimed.assigned", "refund.created", "dispute.lost"}}},
		{"AfterALostDisputeWithoutIt", func(t *testing.T, w *paytest.World) string {
			w.Open()
			intent, u := found(w)
			w.ActWith("dispute", map[string]any{"id": intent, "amount": 1200})
			w.ActWith("dispute", map[string]any{"id": w.DisputeAtStripe(), "outcome": "lost"})
			w.DeliverAll()
			_, err := assignTo(w, u.ID, paytest.ICustomer)
			wantCode(t, "assign", "", err)
			return u.ID
		}, end{State: pay.UnclaimedAssigned, Assigned: 3000, Credit: 3000, Postings: []string{"payment pending 3000"}, Notices: []string{"unclaimed.assigned"}}},
		{"ASecondPaymentOfAPaidOrder", func(t *testing.T, w *paytest.World) string {
			o, u := overpaid(w)
			_, err := w.Pay.AssignUnclaimed(context.Background(), pay.AssignUnclaimed{TenantID: w.Tenant.ID, ID: u.ID, OrderID: o.ID, Reason: "keep it as credit", Cause: byStaff})
			wantCode(t, "assign", "", err)
			w.Act("refund", u.ObjectID, 860)
			w.DeliverAll()
			if done, err := w.Settle(u.ObjectID, pay.CauseCLI); err != nil || !strings.Contains(done.Note, "decided: assigned") {
				t.Errorf("settle answers %+v, %v", done, err)
			}
			if o := w.Order(o.ID); o.State != pay.OrderPaid {
				t.Errorf("the order is %s", o.State)
			}
			return u.ID
		}, end{State: pay.UnclaimedAssigned, Assigned: paytest.Total, Credit: 2*paytest.Total - 860, Postings: []string{"payment pending 40860", "refund pending 860"},
			Notices: []string{"unclaimed.assigned", "refund.created"}}},
	})
}

// overpaid is an order whose two attempts both succeeded, and the second one's case.
func overpaid(w *paytest.World) (*pay.Order, *pay.Unclaimed) {
	w.T.Helper()
	o := w.Open().Order
	first := w.PressPay(o)
	g := w.Wrap()
	g.Session = func(s *pay.StripeSession) error {
		s.Status, s.PaymentStatus, s.Intent, s.IntentID = "expired", "unpaid", nil, ""
		return nil
	}
	second := w.PressPay(o)
	g.Session = nil
	w.MustPay(first)
	w.DeliverAll()
	w.MustPay(second)
	w.DeliverAll()
	return o, theCase(w, w.Attempts(o.ID)[1].IntentID)
}

func TestUnclaimedMoneyIsGivenBack(t *testing.T) {
	t.Parallel()
	gone := end{State: pay.UnclaimedRefunded}
	made := func(t *testing.T, r *pay.RefundRequest, err error) {
		t.Helper()
		if err != nil || r.State != pay.RefundMade || r.StripeRefundID == "" {
			t.Fatalf("refund: %+v, %v", r, err)
		}
	}
	cases(t, []caseRow{
		{"AllOfIt", func(t *testing.T, w *paytest.World) string {
			_, u := found(w)
			first, err := refundCase(w, u.ID, 0, "")
			made(t, first, err)
			again, err := refundCase(w, u.ID, 0, "")
			made(t, again, err)
			if first.ID != again.ID {
				t.Error("a repeated call is another refund")
			}
			_, err = refundCase(w, u.ID, 100, "")
			wantCode(t, "one more", pay.CodeConflict, err)
			return u.ID
		}, gone},
		{"InPartsUpToWhatCameIn", func(t *testing.T, w *paytest.World) string {
			_, u := found(w)
			r, err := refundCase(w, u.ID, 1200, "k1")
			made(t, r, err)
			again, err := refundCase(w, u.ID, 1200, "k1")
			made(t, again, err)
			_, err = refundCase(w, u.ID, 1300, "k1")
			wantCode(t, "the key with another amount", pay.CodeIdempotencyConflict, err)
			_, err = refundCase(w, u.ID, 3001, "")
			wantCode(t, "more than is left", pay.CodeAmountTooLarge, err)
			return u.ID
		}, end{State: pay.UnclaimedOpen, Held: 3000, Suspense: 3000}},
		{"APartAndTheRestIsAssigned", func(t *testing.T, w *paytest.World) string {
			w.Open()
			_, u := found(w)
			r, err := refundCase(w, u.ID, 1200, "")
			made(t, r, err)
			_, err = assignTo(w, u.ID, paytest.ICustomer)
			wantCode(t, "assign", "", err)
			_, err = refundCase(w, u.ID, 0, "")
			wantCode(t, "a refund after it", pay.CodeConflict, err)
			return u.ID
		}, end{State: pay.UnclaimedAssigned, Assigned: 3000, Credit: 3000, Postings: []string{"payment pending 3000"}, Notices: []string{"unclaimed.assigned"}}},
		{"AtStripesDashboard", func(t *testing.T, w *paytest.World) string {
			intent, u := found(w)
			w.Act("refund", intent, 0)
			w.DeliverAll()
			return u.ID
		}, gone},
		{"AndWhatTheBankSendsBackIsOpenAgain", func(t *testing.T, w *paytest.World) string {
			intent, u := foundWith(w, "pm_card_refundFail")
			r, err := refundCase(w, u.ID, 0, "")
			made(t, r, err)
			w.Clock.Add(time.Minute)
			_, err = w.Settle(intent, pay.CauseSweep)
			wantCode(t, "settle", "", err)
			return u.ID
		}, end{State: pay.UnclaimedOpen, Held: 4200, Suspense: 4200}},
		{"NotByARefundThatHadFailedBeforeWeHeardOfIt", func(t *testing.T, w *paytest.World) string {
			intent, u := foundWith(w, "pm_card_refundFail")
			w.Act("refund", intent, 1000)
			w.Clock.Add(time.Minute)
			_, err := w.Settle(intent, pay.CauseSweep)
			wantCode(t, "settle", "", err)
			return u.ID
		}, end{State: pay.UnclaimedOpen, Held: 4200, Suspense: 4200}},
		{"OnceThoughStripeDidNotAnswer", func(t *testing.T, w *paytest.World) string {
			w.Open()
			_, u := found(w)
			g := w.Wrap()
			g.After.Arm(1, paytest.StripeSilent())
			_, err := refundCase(w, u.ID, 1200, "")
			wantCode(t, "the first call", pay.CodeStripeUnavailable, err)
			g.After.Disarm()
			_, err = assignTo(w, u.ID, paytest.ICustomer)
			wantCode(t, "assign beside it", pay.CodeConflict, err)
			_, err = ignoreCase(w, u.ID)
			wantCode(t, "ignore beside it", pay.CodeConflict, err)
			w.Clock.Add(2 * time.Minute)
			w.Sweep()
			w.Clock.Add(30 * time.Hour)
			w.Sweep()
			return u.ID
		}, end{State: pay.UnclaimedOpen, Held: 3000, Suspense: 3000}},
		{"AndTheWebhookTellsWhatStripeDidNotAnswer", func(t *testing.T, w *paytest.World) string {
			w.Open()
			_, u := found(w)
			g := w.Wrap()
			g.After.Arm(1, paytest.StripeSilent())
			_, err := refundCase(w, u.ID, 1200, "")
			wantCode(t, "refund", pay.CodeStripeUnavailable, err)
			g.After.Disarm()
			w.DeliverAll()
			_, err = assignTo(w, u.ID, paytest.ICustomer)
			wantCode(t, "assign", "", err)
			return u.ID
		}, end{State: pay.UnclaimedAssigned, Assigned: 3000, Credit: 3000, Postings: []string{"payment pending 3000"}, Notices: []string{"unclaimed.assigned"}}},
		{"NotWhenStripeRefuses", func(t *testing.T, w *paytest.World) string {
			intent, u := found(w)
			w.Act("refund", intent, 4000) // nobody has told us yet
			r, err := refundCase(w, u.ID, 1000, "")
			wantCode(t, "refund", pay.CodeStripeError, err)
			if r == nil || r.State != pay.RefundRefused {
				t.Errorf("the request is %+v", r)
			}
			w.DeliverAll()
			_, err = assignTo(w, u.ID, paytest.ICustomer)
			wantCode(t, "a customer whom nobody knows", pay.CodeNotFound, err)
			return u.ID
		}, end{State: pay.UnclaimedOpen, Held: 200, Suspense: 200}},
		{"ASecondPaymentOfAPaidOrder", func(t *testing.T, w *paytest.World) string {
			o, u := overpaid(w)
			r, err := refundCase(w, u.ID, 0, "shared")
			made(t, r, err)
			if _, err := w.Pay.Refund(context.Background(), pay.RefundOrder{TenantID: w.Tenant.ID, OrderID: o.ID, Key: "shared", Cause: byStaff}); pay.CodeOf(err) != pay.CodeIdempotencyConflict {
				t.Errorf("the same key for the order's payment: %v", err)
			}
			if told := texts(w, `SELECT what FROM story WHERE tenant_id = $1 AND what LIKE 'refund.%' ORDER BY seq`); !slices.Equal(told, []string{"refund.requested", "refund.created"}) {
				t.Errorf("the story says %v", told)
			}
			return u.ID
		}, end{State: pay.UnclaimedRefunded, Credit: paytest.Total}},
	})
}

func TestACaseIsClosedWithAReason(t *testing.T) {
	t.Parallel()
	cases(t, []caseRow{
		{"ItsMoneyStaysInSuspense", func(t *testing.T, w *paytest.World) string {
			w.Open()
			intent, u := found(w)
			for range 2 {
				got, err := ignoreCase(w, u.ID)
				if err != nil || got.State != pay.UnclaimedIgnored || got.Decision.Reason != "a test of ours" {
					t.Errorf("%+v, %v", got, err)
				}
			}
			_, err := assignTo(w, u.ID, paytest.ICustomer)
			wantCode(t, "assign", pay.CodeConflict, err)
			w.Act("refund", intent, 200)
			w.DeliverAll()
			return u.ID
		}, end{State: pay.UnclaimedIgnored, Held: 4000, Suspense: 4000}},
		{"AClaimWithoutMoney", func(t *testing.T, w *paytest.World) string {
			w.Open()
			deliverMade(t, w, "checkout.session", "cs_test_nobody")
			_, err := assignTo(w, "cs_test_nobody", paytest.ICustomer)
			wantCode(t, "assign", pay.CodeInvalidAmount, err)
			_, err = refundCase(w, "cs_test_nobody", 0, "")
			wantCode(t, "refund", pay.CodeInvalidAmount, err)
			_, err = ignoreCase(w, "cs_test_nobody")
			wantCode(t, "ignore", "", err)
			return "cs_test_nobody"
		}, end{State: pay.UnclaimedIgnored}},
		{"ButNotWithoutOne", func(t *testing.T, w *paytest.World) string {
			_, u := found(w)
			_, err := w.Pay.IgnoreUnclaimed(context.Background(), pay.IgnoreUnclaimed{TenantID: w.Tenant.ID, ID: u.ID, Reason: " ", Cause: byStaff})
			wantCode(t, "no reason", pay.CodeNotEmpty, err)
			_, err = w.Pay.AssignUnclaimed(context.Background(), pay.AssignUnclaimed{TenantID: w.Tenant.ID, ID: u.ID, Reason: strings.Repeat("é", 501), ICustomer: 1, Cause: byStaff})
			wantCode(t, "a long one", pay.CodeTooLong, err)
			_, err = w.Pay.AssignUnclaimed(context.Background(), pay.AssignUnclaimed{TenantID: w.Tenant.ID, ID: u.ID, Reason: "r", ICustomer: 1, OrderID: "ord_1", Cause: byStaff})
			wantCode(t, "a customer and an order", pay.CodeBadRequest, err)
			return u.ID
		}, end{State: pay.UnclaimedOpen, Held: 4200, Suspense: 4200}},
		{"AndNotByAnotherTenant", func(t *testing.T, w *paytest.World) string {
			_, u := found(w)
			other := w.Another()
			other.Open()
			for what, decide := range map[string]func() error{
				"assign": func() error { _, err := assignTo(other, u.ID, paytest.ICustomer); return err },
				"refund": func() error { _, err := refundCase(other, u.ID, 0, ""); return err },
				"ignore": func() error { _, err := ignoreCase(other, u.ObjectID); return err },
				"assign to another tenant's customer": func() error {
					_, err := assignTo(w, u.ID, paytest.ICustomer)
					return err
				},
			} {
				wantCode(t, what, pay.CodeNotFound, decide())
			}
			return u.ID
		}, end{State: pay.UnclaimedOpen, Held: 4200, Suspense: 4200}},
	})
}

// TestTwoPeopleDecideAtOnce: one of them does, and the money is in one place.
func TestTwoPeopleDecideAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		w := paytest.Setup(t, open(t))
		for round := range 6 {
			w := w.Another()
			w.Open()
			other := storetest.Customer(t, w.Store, w.Tenant.ID)
			intent, u := found(w)
			errs := make([]error, 8)
			atOnce(t, len(errs), func(i int) error {
				switch (i + round) % 4 {
				case 0:
					_, errs[i] = assignTo(w, u.ID, paytest.ICustomer)
				case 1:
					_, errs[i] = assignTo(w, u.ID, other.ICustomer)
				case 2:
					_, errs[i] = refundCase(w, u.ID, 0, "")
				default:
					_, errs[i] = w.Settle(intent, pay.CauseCLI)
				}
				return nil
			})
			won := map[int]bool{}
			for i, err := range errs {
				kind := (i + round) % 4
				if err == nil && kind != 3 {
					won[kind] = true
				}
				// Asked for and not booked yet is what the other call for all of it continues.
				if err != nil && pay.CodeOf(err) != pay.CodeConflict {
					t.Errorf("round %d: call %d of kind %d: %v", round, i, kind, err)
				}
			}
			if len(won) != 1 {
				t.Errorf("round %d: %d different decisions won: %v", round, len(won), errs)
			}
			w.DeliverAll()
			e := standing(w, u.ID)
			if e.Suspense != 0 || e.Held != 0 || e.Credit != e.Assigned || (e.State == pay.UnclaimedAssigned) == won[2] || w.CountAtStripe("/v1/refunds") != map[bool]int{true: 1}[won[2]] {
				t.Errorf("round %d: %+v after %v, %d refunds", round, e, won, w.CountAtStripe("/v1/refunds"))
			}
		}
	})
}

func TestEvidenceAndSuggestedOwners(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		bed := paytest.Setup(t, open(t))
		for name, c := range map[string]struct {
			form  func(w *paytest.World, o *pay.Order) url.Values
			order bool   // the order is suggested too
			why   string // "" for no suggestion
		}{
			"Nothing": {func(*paytest.World, *pay.Order) url.Values { return nil }, false, ""},
			"TheirStripeCustomer": {func(w *paytest.World, _ *pay.Order) url.Values {
				return url.Values{"customer": {w.StripeCustomer()}, "payment_method": {w.Attach("pm_card_visa")}}
			}, false, "as their Stripe customer"},
			"AMarkedOrder": {func(_ *paytest.World, o *pay.Order) url.Values {
				return url.Values{"metadata[" + pay.MetaOrder + "]": {o.ID}}
			}, true, "names this order"},
			"AMarkedCustomer": {func(_ *paytest.World, o *pay.Order) url.Values {
				return url.Values{"metadata[" + pay.MetaCustomer + "]": {o.CustomerID}}
			}, false, "names this customer"},
			"AMarkedNumber": {func(*paytest.World, *pay.Order) url.Values {
				return url.Values{"metadata[" + pay.MetaICustomer + "]": {fmt.Sprint(paytest.ICustomer)}}
			}, false, "names this ICustomer"},
			"AMarkOfAnUnknownTenant": {func(_ *paytest.World, o *pay.Order) url.Values {
				return url.Values{"metadata[" + pay.MetaOrder + "]": {o.ID}, "metadata[" + pay.MetaTenant + "]": {"ten_gone"}}
			}, false, ""},
			"TheSameAmount": {func(*paytest.World, *pay.Order) url.Values { return url.Values{"amount": {fmt.Sprint(paytest.Total)}} }, true, "over the same amount"},
			"TheirAddress": {func(w *paytest.World, _ *pay.Order) url.Values {
				return url.Values{"payment_method": {method(w, "ADA@example.com")}}
			}, false, "e-mail address"},
		} {
			t.Run(name, func(t *testing.T) {
				w := bed.Another()
				stranger := bed.Another() // has the same customer and order, and is never suggested
				stranger.Open()
				o := w.Open().Order
				w.PressPay(o)
				form := url.Values{"amount": {"4200"}, "currency": {"gbp"}, "payment_method": {"pm_card_visa"}, "confirm": {"true"}, "payment_method_types[]": {"card"}}
				for k, v := range c.form(w, o) {
					form[k] = v
				}
				var i struct{ ID string }
				w.API(http.MethodPost, "/v1/payment_intents", form, &i)
				if _, err := w.Settle(i.ID, pay.CauseCLI); err != nil {
					t.Fatal(err)
				}
				u := theCase(w, i.ID)
				e := u.Evidence
				if e.IntentID != i.ID || e.ChargeID == "" || !strings.Contains(e.Method, "4242") || e.At.IsZero() {
					t.Errorf("the evidence is %+v", e)
				}
				if name == "TheirAddress" && (e.Email != "A…@example.com" || e.Name != "A… L…") {
					t.Errorf("the payer is shown as %q, %q", e.Email, e.Name)
				}
				list, err := w.Pay.SuggestOwners(ctx, u)
				if err != nil {
					t.Fatal(err)
				}
				if c.why == "" {
					if len(list) != 0 {
						t.Errorf("suggests %+v", list)
					}
					return
				}
				if len(list) != 1 || list[0].CustomerID != o.CustomerID || list[0].ICustomer != paytest.ICustomer || (list[0].OrderID == o.ID) != c.order ||
					!strings.Contains(strings.Join(list[0].Why, "; "), c.why) {
					t.Errorf("suggests %+v, want customer %s because %q", list, o.CustomerID, c.why)
				}
				if _, err := ignoreCase(w, u.ID); err != nil {
					t.Fatal(err)
				}
				if list, err := w.Pay.SuggestOwners(ctx, theCase(w, u.ID)); err != nil || len(list) != 0 {
					t.Errorf("a closed case suggests %+v, %v", list, err)
				}
			})
		}
	})
}

// method makes a card at Stripe whose billing details name Ada Lovelace.
func method(w *paytest.World, email string) string {
	w.T.Helper()
	var m struct{ ID string }
	w.API(http.MethodPost, "/v1/payment_methods", url.Values{"type": {"card"}, "card[token]": {"tok_visa"}, "billing_details[email]": {email}, "billing_details[name]": {"Ada Lovelace"}}, &m)
	return m.ID
}

// TestAnyCallOfADecisionMayFail: whatever fails, the same decision again ends as if
// nothing had.
func TestAnyCallOfADecisionMayFail(t *testing.T) {
	t.Parallel()
	for _, f := range []flow{
		{name: "Assign", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
			w.Open()
			_, u := found(w)
			return func() error { _, err := assignTo(w, u.ID, paytest.ICustomer); return err }
		}},
		{name: "AssignASecondPayment", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
			_, u := overpaid(w)
			return func() error { _, err := assignTo(w, u.ID, paytest.ICustomer); return err }
		}},
		{name: "Ignore", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
			_, u := found(w)
			return func() error { _, err := ignoreCase(w, u.ID); return err }
		}},
		{name: "RefundAll", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
			w.Open()
			_, u := found(w)
			return func() error {
				_, err := refundCase(w, u.ID, 0, "")
				if err == nil {
					err = w.RunJobs()
				}
				return err
			}
		}},
		{name: "RefundAPart", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
			_, u := overpaid(w)
			return func() error {
				_, err := refundCase(w, u.ID, 500, "k")
				if err == nil {
					err = w.RunJobs()
				}
				return err
			}
		}},
		{name: "SettleWhatBecameOfAssignedMoney", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
			w.Open()
			intent, u := found(w)
			if _, err := assignTo(w, u.ID, paytest.ICustomer); err != nil {
				w.T.Fatal(err)
			}
			w.Act("refund", intent, 700)
			w.ActWith("dispute", map[string]any{"id": intent, "amount": 1200})
			w.ActWith("dispute", map[string]any{"id": w.DisputeAtStripe(), "outcome": "lost"})
			return func() error { _, err := w.Settle(intent, pay.CauseCLI); return err }
		}},
	} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) { everyCall(t, open(t), f) })
		})
	}
}
