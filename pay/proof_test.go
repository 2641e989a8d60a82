package pay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// proved is the proof of everything that a tenant has.
func proved(t *testing.T, w *paytest.World) *pay.Proof {
	t.Helper()
	p, err := w.Pay.Proof(context.Background(), w.Tenant.ID, time.Time{}, w.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// causes are a proof's differences by cause and currency, in minor units over all days.
func causes(p *pay.Proof) map[string]int64 {
	out := map[string]int64{}
	for _, r := range p.Rows {
		for _, d := range r.Differences {
			out[d.Cause+" "+string(r.Currency)] += d.Minor
		}
	}
	for k, v := range out {
		if v == 0 {
			delete(out, k)
		}
	}
	return out
}

// inWords is a proof for a failing test.
func inWords(p *pay.Proof) string {
	b, _ := json.MarshalIndent(p, "", "  ")
	return string(b)
}

// TestTheProofNamesEveryDifference: each row plays a story, is swept, and ends in these
// differences and nothing unexplained; a second sweep changes nothing.
func TestTheProofNamesEveryDifference(t *testing.T) {
	t.Parallel()
	const fee = 633 // of paytest.Total at the double's rates
	for _, row := range []struct {
		name string
		play func(w *paytest.World)
		want map[string]int64
	}{
		{"APaymentLessItsFee", func(w *paytest.World) { bought(w) },
			map[string]int64{"fees GBP": -fee, "posting_waiting GBP": paytest.Total}},
		{"APayoutIsWhatItContains", func(w *paytest.World) { settled(w); w.PayOut() },
			map[string]int64{"fees GBP": -fee, "payouts GBP": -(paytest.Total - fee), "posting_waiting GBP": paytest.Total}},
		{"APayoutThatComesBack", func(w *paytest.World) {
			settled(w)
			w.PayOut()
			w.Act("fail_payout", w.FirstAtStripe("/v1/payouts"), 0)
		},
			map[string]int64{"fees GBP": -fee, "posting_waiting GBP": paytest.Total}},
		{"StripesOwnFee", func(w *paytest.World) { settled(w); w.ChargeFee(250) },
			map[string]int64{"fees GBP": -fee - 250, "posting_waiting GBP": paytest.Total}},
		{"APaymentOfAnotherIntegration", func(w *paytest.World) { settled(w); w.PayDirectly("1000", nil) },
			map[string]int64{"fees GBP": -fee - 35, "unclaimed GBP": 1000, "posting_waiting GBP": paytest.Total}},
		{"AChargeWithoutAnIntent", func(w *paytest.World) { settled(w); w.TakeForeign(1000) },
			map[string]int64{"fees GBP": -fee - 35, "other_movement GBP": 1000, "posting_waiting GBP": paytest.Total}},
		{"ARefundOfSomeOfIt", func(w *paytest.World) { o := settled(w); w.Act("refund", sessionID(w, o), 860) },
			map[string]int64{"fees GBP": -fee, "posting_waiting GBP": paytest.Total - 860}},
		{"ADisputeIsHeld", func(w *paytest.World) { o := settled(w); w.Act("dispute", sessionID(w, o), 0) },
			map[string]int64{"fees GBP": -fee - 2000, "disputes GBP": -paytest.Total, "posting_waiting GBP": paytest.Total}},
		{"ADisputeIsLost", func(w *paytest.World) {
			o := settled(w)
			w.Act("dispute", sessionID(w, o), 0)
			listed(w.T.(*testing.T), w)
			w.ActWith("dispute", map[string]any{"id": w.DisputeAtStripe(), "status": "lost"})
		}, map[string]int64{"fees GBP": -fee - 2000, "posting_waiting GBP": paytest.Total, "posting_needs_review GBP": -paytest.Total}},
		{"ADisputeIsWonAfterItWasLost", func(w *paytest.World) {
			o := settled(w)
			w.Act("dispute", sessionID(w, o), 0)
			listed(w.T.(*testing.T), w)
			w.ActWith("dispute", map[string]any{"id": w.DisputeAtStripe(), "status": "lost"})
			listed(w.T.(*testing.T), w)
			w.ActWith("dispute", map[string]any{"id": w.DisputeAtStripe(), "status": "won"})
		}, map[string]int64{"fees GBP": -fee - 2000, "posting_waiting GBP": paytest.Total}},
		{"TheSameOrderPaidTwice", func(w *paytest.World) { overpaid(w) },
			map[string]int64{"fees GBP": -2 * fee, "overpaid GBP": paytest.Total, "posting_waiting GBP": paytest.Total}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
				w := paytest.Setup(t, open(t))
				row.play(w)
				listed(t, w)
				fixed(t, w)
				p := proved(t, w)
				if diff := cmp.Diff(row.want, causes(p)); diff != "" || !p.Square() {
					t.Errorf("differences (-want +got):\n%s%s", diff, inWords(p))
				}
				if broken, err := w.Store.VerifyBooks(context.Background()); err != nil || len(broken) > 0 {
					t.Errorf("%v %q", err, broken)
				}
			})
		})
	}
}

// mends is the command beside each cause of a proof.
func mends(p *pay.Proof) map[string]string {
	out := map[string]string{}
	for _, r := range p.Rows {
		for _, d := range r.Differences {
			out[d.Cause] = d.Mend
		}
	}
	return out
}

// TestTheProofsCommandsShowWhatTheySay: a decided case is not in the list of open ones,
// and a posting that a person must look at is found by its order.
func TestTheProofsCommandsShowWhatTheySay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		ctx := context.Background()
		w := paytest.Setup(t, open(t))
		o := settled(w)
		w.Act("dispute", sessionID(w, o), 0)
		listed(t, w)
		w.ActWith("dispute", map[string]any{"id": w.DisputeAtStripe(), "status": "lost"})
		w.PayDirectly("1000", nil)
		listed(t, w)
		found := mends(proved(t, w))
		if found["unclaimed"] != "portatill unclaimed list --all" || found["posting_needs_review"] != "portatill postings list --about "+o.ID || found["posting_waiting"] != "portatill postings list --state pending" {
			t.Errorf("the commands are %v", found)
		}
		cases, err := w.Store.ListUnclaimed(ctx, w.Tenant.ID)
		if err != nil || len(cases) != 1 {
			t.Fatalf("%d cases, %v", len(cases), err)
		}
		if _, err := w.Pay.IgnoreUnclaimed(ctx, pay.IgnoreUnclaimed{TenantID: w.Tenant.ID, ID: cases[0].ID, Reason: "a test", Cause: pay.Cause{Kind: pay.CauseCLI, ID: "ada"}}); err != nil {
			t.Fatal(err)
		}
		p := proved(t, w)
		found = mends(p)
		if mend, ok := found["ignored"]; !ok || mend != "" || found["unclaimed"] != "" || causes(p)["ignored GBP"] != 1000 || !p.Square() {
			t.Errorf("after it was ignored: %v, %v", found, causes(p))
		}
	})
}

// TestAPostingWithoutAnOrderIsFoundByItsCase: money that was assigned, and that the bank took back.
func TestAPostingWithoutAnOrderIsFoundByItsCase(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		ctx := context.Background()
		w := paytest.Setup(t, open(t))
		settled(w)
		w.TakeForeign(3000)
		listed(t, w)
		charge := w.FirstAtStripe("/v1/charges")
		u := theCase(w, charge)
		if _, err := w.Pay.AssignUnclaimed(ctx, pay.AssignUnclaimed{TenantID: w.Tenant.ID, ID: u.ID, ICustomer: paytest.ICustomer, Reason: "theirs",
			Cause: pay.Cause{Kind: pay.CauseCLI, ID: "ada"}}); err != nil {
			t.Fatal(err)
		}
		w.Act("refund", charge, 1000)
		listed(t, w)
		if faults := broken(w); len(faults) > 0 {
			t.Errorf("faults of sound books: %q", faults)
		}
		if found := mends(proved(t, w)); found["posting_needs_review"] != "portatill unclaimed list --all" {
			t.Errorf("the commands are %v", found)
		}
	})
}

// TestWhatStripeConvertsLeavesOneCurrencyAndComesIntoAnother: each as an entry of its
// own, with the rate.
func TestWhatStripeConvertsLeavesOneCurrencyAndComesIntoAnother(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		w := paytest.Setup(t, open(t))
		settled(w.Another()) // the double knows an account from its first call on
		w = w.Another()
		w.SettleIn("usd")
		o := settled(w)
		w.Clock.Add(24 * time.Hour) // another day's rate
		w.Act("refund", sessionID(w, o), 0)
		w.PayDirectly("500", nil)
		listed(t, w)
		fixed(t, w)
		p := proved(t, w)
		if !p.Square() {
			t.Fatal(inWords(p))
		}
		entries := 0
		if err := w.Store.WalkLedger(context.Background(), w.Tenant.ID, 0, 0, func(e *pay.LedgerEntry) error {
			if e.Kind == pay.EntryConversion {
				entries++
				if !strings.Contains(e.Memo, "rate ") {
					t.Errorf("%s does not tell its rate: %s", e.Fact, e.Memo)
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		balances, err := w.Store.Balances(context.Background(), w.Tenant.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range balances {
			if b.Account == pay.AccountStripe && b.Balance.Currency == "GBP" && b.Balance.Minor != 0 {
				t.Errorf("%s is left at Stripe, where all is dollars", b.Balance)
			}
		}
		if entries != 6 {
			t.Errorf("%d entries of conversion, want two for each of the payment, the refund and the foreign payment", entries)
		}
	})
}

// TestAChargeWithoutAnIntentIsOneCase: whatever becomes of it at Stripe, also when it was
// converted, and also after a customer was given it.
func TestAChargeWithoutAnIntentIsOneCase(t *testing.T) {
	t.Parallel()
	for _, settle := range []string{"", "eur"} {
		for _, assigned := range []bool{false, true} {
			t.Run(fmt.Sprintf("settledIn=%q,assigned=%v", settle, assigned), func(t *testing.T) {
				t.Parallel()
				storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
					ctx := context.Background()
					w := paytest.Setup(t, open(t))
					settled(w)
					w.SettleIn(settle)
					w.TakeForeign(3000)
					listed(t, w)
					charge := w.FirstAtStripe("/v1/charges")
					u := theCase(w, charge)
					held := u.HeldMinor
					if held <= 0 || u.State != pay.UnclaimedOpen || u.Refundable() {
						t.Fatalf("the case is %+v", u)
					}
					if _, err := w.Pay.RefundUnclaimed(ctx, pay.RefundUnclaimed{TenantID: w.Tenant.ID, ID: u.ID}); pay.CodeOf(err) != pay.CodeConflict {
						t.Errorf("a refund from here: %v", err)
					}
					if assigned {
						if _, err := w.Pay.AssignUnclaimed(ctx, pay.AssignUnclaimed{TenantID: w.Tenant.ID, ID: u.ID, ICustomer: paytest.ICustomer, Reason: "theirs",
							Cause: pay.Cause{Kind: pay.CauseCLI, ID: "ada"}}); err != nil {
							t.Fatal(err)
						}
					}
					w.Act("refund", charge, 1000)
					listed(t, w)
					fixed(t, w)
					if all, err := w.Store.ListUnclaimed(ctx, w.Tenant.ID); err != nil || len(all) != 1 {
						t.Fatalf("%d cases, %v", len(all), err)
					}
					credits, err := w.Store.CustomerBalances(ctx, w.Tenant.ID)
					if err != nil {
						t.Fatal(err)
					}
					now, credit := theCase(w, charge), int64(0)
					for _, c := range credits {
						credit += c.Credit.Minor
					}
					left := now.HeldMinor
					if assigned {
						left = credit - paytest.Total
					}
					if left <= held*60/100 || left >= held*70/100 { // two thirds, at the day's rate
						t.Errorf("%d is left of %d: %+v, credit %d", left, held, now, credit)
					}
					p := proved(t, w)
					broken, err := w.Store.VerifyBooks(ctx)
					if err != nil || len(broken) > 0 || !p.Square() {
						t.Errorf("%v %q %s", err, broken, inWords(p))
					}
				})
			})
		}
	}
}

// TestMoneyWithoutAnOrderIsTheElderTenantsOfOneStripeAccount: never both book it.
func TestMoneyWithoutAnOrderIsTheElderTenantsOfOneStripeAccount(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		elder := paytest.Setup(t, open(t))
		younger := elder.Another(func(t *pay.Tenant) { t.StripeKey, t.CreatedAt = elder.Tenant.StripeKey, t.CreatedAt.Add(time.Second) })
		settled(elder)
		settled(younger)
		intent := elder.PayDirectly("4321", nil)
		for range 2 {
			listed(t, younger)
			listed(t, elder)
		}
		fixed(t, younger)
		if u := theCase(elder, intent); u.HeldMinor != 4321 || u.Reason != "no_order" {
			t.Errorf("the elder's case is %+v", u)
		}
		if u := theCase(younger, intent); u.HeldMinor != 0 || u.Reason != "other_tenant" {
			t.Errorf("the younger's case is %+v", u)
		}
		if a, b := proved(t, elder), proved(t, younger); !a.Square() || !b.Square() {
			t.Errorf("%s\n%s", inWords(a), inWords(b))
		}
	})
}

// TestWhatIsWrongIsUnexplainedAndNamed: somebody changes a row behind our back.
func TestWhatIsWrongIsUnexplainedAndNamed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, sql string
		want      int64 // the sum of what is unexplained, without signs
	}{
		{"ABalanceTransactionIsGone", "DELETE FROM balance_transactions WHERE type = 'charge'", paytest.Total + 633},
		{"ABalanceTransactionIsLess", "UPDATE balance_transactions SET amount_minor = amount_minor - 1, source_minor = source_minor - 1", 2*paytest.Total - 1},
		{"AFeeIsMore", "UPDATE balance_transactions SET fee_minor = fee_minor + 1", 2*633 + 1},
		{"ABalanceTransactionIsOfAnotherFact", "UPDATE balance_transactions SET fact = 'pi_other:captured'", 2 * paytest.Total},
		{"APostingIsLess", "UPDATE postings SET amount_minor = amount_minor - 1", 1},
		{"APostingIsGone", "DELETE FROM postings", paytest.Total},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
				store := open(t)
				w := paytest.Setup(t, store)
				settled(w)
				w.Clock.Add(2 * time.Hour)
				listed(t, w)
				if p := proved(t, w); !p.Square() {
					t.Fatal(inWords(p))
				}
				if _, err := store.DB().ExecContext(context.Background(), row.sql); err != nil {
					t.Fatal(err)
				}
				p := proved(t, w)
				if want := (pay.Money{Minor: row.want, Currency: "GBP"}).Text(); p.Square() || p.Unexplained[0].Amount != want {
					t.Errorf("want %s unexplained: %s", want, inWords(p))
				}
				for _, r := range p.Rows {
					for _, d := range r.Differences {
						if d.Cause == pay.CauseUnexplained && d.Mend == "" {
							t.Errorf("no command is named for %+v", d)
						}
					}
				}
			})
		})
	}
}

// TestALineOfAPayoutThatIsGoneIsListedAndMatchedAgain: whoever deleted it from the
// database.
func TestALineOfAPayoutThatIsGoneIsListedAndMatchedAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		store := open(t)
		w := paytest.Setup(t, store)
		settled(w)
		w.PayOut()
		listed(t, w)
		fixed(t, w)
		if _, err := store.DB().ExecContext(context.Background(), "DELETE FROM balance_transactions WHERE type = 'charge'"); err != nil {
			t.Fatal(err)
		}
		listed(t, w)
		fixed(t, w)
		payouts, err := w.Pay.Payouts(context.Background(), pay.PayoutFilter{TenantID: w.Tenant.ID})
		if err != nil || len(payouts) != 1 || payouts[0].Transactions != 1 || !payouts[0].Square() {
			t.Errorf("%+v %v", payouts, err)
		}
		if p := proved(t, w); !p.Square() {
			t.Error(inWords(p))
		}
		if broken, err := store.VerifyBooks(context.Background()); err != nil || len(broken) > 0 {
			t.Errorf("%v %q", err, broken)
		}
	})
}

// TestMoneyOnTheWayIsNotUnexplained: the ledger is ahead of the last listing, or the two
// have it on two days.
func TestMoneyOnTheWayIsNotUnexplained(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		w := paytest.Setup(t, open(t))
		w.Clock.Add(18*time.Hour + 50*time.Minute) // shortly before midnight
		o := bought(w)
		w.Clock.Add(time.Hour)
		w.Return(o)
		p := proved(t, w)
		if !p.Square() || causes(p)["in_transit GBP"] != -(paytest.Total-633) {
			t.Errorf("before the sweep: %s", inWords(p))
		}
		listed(t, w)
		p = proved(t, w)
		if _, left := causes(p)["in_transit GBP"]; left || !p.Square() || len(p.Rows) != 2 {
			t.Errorf("over midnight: %s", inWords(p))
		}
		one, err := w.Pay.Proof(context.Background(), w.Tenant.ID, w.Clock.Now(), w.Clock.Now())
		if err != nil || len(one.Rows) != 1 || !one.Square() {
			t.Errorf("of one day: %v %s", err, inWords(one))
		}
	})
}

// TestClosedDaysAreSealed: what is changed in a closed day is found and named.
func TestClosedDaysAreSealed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, sql, want string }{
		{"AnAmountIsChanged", "UPDATE ledger_lines SET amount_minor = amount_minor * 2", ":captured: I-04: ledger entry led_"},
		{"AMemoIsChanged", "UPDATE ledger_entries SET memo = 'x' WHERE kind = 'fee'", ":fee: I-04: ledger entry led_"},
		{"AHashIsChanged", "UPDATE ledger_entries SET hash = '" + strings.Repeat("0", 64) + "' WHERE kind = 'fee'", ":fee: I-04: ledger entry led_"},
		{"AnEntryIsGone", "DELETE FROM ledger_lines WHERE entry_id IN (SELECT id FROM ledger_entries WHERE kind = 'fee')", "2026-03-04: I-04: the closed day has 1 entries, it was closed with 2"},
		{"AClosedDayIsChanged", "UPDATE closed_days SET hash = '" + strings.Repeat("0", 64) + "' WHERE day = '2026-03-04'", "2026-03-05: I-04: the closed day does not follow"},
		{"AClosedDayIsGone", "DELETE FROM closed_days WHERE day = '2026-03-04'", "2026-03-05: I-04: the closed day does not follow"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
				ctx := context.Background()
				store := open(t)
				w := paytest.Setup(t, store)
				settled(w)
				w.Clock.Add(24 * time.Hour)
				w.Open(func(in *pay.CheckoutInput) { in.ContentID = 2 })
				bought(w, func(in *pay.CheckoutInput) { in.ContentID = 3 })
				listed(t, w)
				w.Clock.Add(48 * time.Hour)
				for range 2 { // it may be asked again
					if err := w.Pay.CloseDays(ctx); err != nil {
						t.Fatal(err)
					}
				}
				days, err := store.ListClosedDays(ctx, w.Tenant.ID)
				if err != nil || len(days) != 2 || days[0].Day != "2026-03-04" || days[1].Day != "2026-03-05" || days[1].Previous != days[0].Hash {
					t.Fatalf("%v: %+v", err, days)
				}
				if p := proved(t, w); !p.Square() || p.Rows[0].Closed != days[0].Hash {
					t.Fatal(inWords(p))
				}
				unguarded(t, store, row.sql)
				if p := proved(t, w); p.Square() || !strings.Contains(strings.Join(p.Broken, "\n"), row.want) {
					t.Errorf("want %q: %q", row.want, p.Broken)
				}
			})
		})
	}
}

// unguarded runs a statement as somebody does who has taken the triggers away.
func unguarded(t *testing.T, store *sqlstore.Store, statement string) {
	t.Helper()
	ctx := context.Background()
	if _, err := store.DB().ExecContext(ctx, "SET session_replication_role = replica"); err == nil {
		t.Cleanup(func() { _, _ = store.DB().ExecContext(ctx, "SET session_replication_role = DEFAULT") })
		if _, err := store.DB().ExecContext(ctx, "SET session_replication_role = replica; "+statement); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, table := range []string{"ledger_entries", "ledger_lines", "closed_days"} {
		for _, what := range []string{"update", "delete"} {
			if _, err := store.DB().ExecContext(ctx, "DROP TRIGGER "+table+"_no_"+what); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := store.DB().ExecContext(ctx, statement); err != nil {
		t.Fatal(err)
	}
}

// TestTwoTenantsOfOneStripeAccountKeepTheirOwnMoney: payouts and Stripe's own fees are
// the elder's.
func TestTwoTenantsOfOneStripeAccountKeepTheirOwnMoney(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		elder := paytest.Setup(t, open(t))
		younger := elder.Another(func(t *pay.Tenant) { t.StripeKey, t.CreatedAt = elder.Tenant.StripeKey, t.CreatedAt.Add(time.Second) })
		settled(elder)
		settled(younger)
		elder.ChargeFee(100)
		elder.PayOut()
		for range 2 {
			listed(t, elder)
			listed(t, younger)
		}
		a, b := proved(t, elder), proved(t, younger)
		if !a.Square() || !b.Square() {
			t.Fatalf("%s\n%s", inWords(a), inWords(b))
		}
		if got := causes(a)["payouts GBP"]; got != -(2*(paytest.Total-633) - 100) {
			t.Errorf("the payout is %d in the elder's books: %s", got, inWords(a))
		}
		if got := causes(b)["payouts GBP"]; got != 0 {
			t.Errorf("the payout is %d in the younger's books", got)
		}
		broken, err := elder.Store.VerifyBooks(context.Background())
		if err != nil || len(broken) > 0 {
			t.Errorf("%v %v", broken, err)
		}
	})
}

// TestAProofOfSomeDaysReadsThoseAndTheWeeksAroundThem: a change in an old closed day is
// VerifyLedger's to find, one within the window the proof's too.
func TestAProofOfSomeDaysReadsThoseAndTheWeeksAroundThem(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		ctx := context.Background()
		store := open(t)
		w := paytest.Setup(t, store)
		settled(w)
		for n := range 4 {
			w.Clock.Add(30 * 24 * time.Hour)
			bought(w, func(in *pay.CheckoutInput) { in.ContentID = int64(n + 2) })
			listed(t, w)
		}
		w.Clock.Add(48 * time.Hour)
		if err := w.Pay.CloseDays(ctx); err != nil {
			t.Fatal(err)
		}
		last := func() *pay.Proof {
			p, err := w.Pay.Proof(ctx, w.Tenant.ID, w.Clock.Now().AddDate(0, 0, -10), w.Clock.Now())
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		if p := last(); !p.Square() || len(p.Rows) != 1 || p.Rows[0].Closed == "" {
			t.Fatal(inWords(p))
		}
		unguarded(t, store, "UPDATE ledger_entries SET memo = 'x' WHERE seq = (SELECT MIN(seq) FROM ledger_entries)")
		whole, err := w.Pay.VerifyLedger(ctx, w.Tenant)
		if err != nil || len(whole) != 1 {
			t.Errorf("the whole ledger: %v %q", err, whole)
		}
		if p := last(); !p.Square() {
			t.Errorf("what is not shown: %q", p.Broken)
		}
		statement := "UPDATE ledger_entries SET memo = 'x' WHERE seq = (SELECT MAX(seq) FROM ledger_entries)"
		if _, err := store.DB().ExecContext(ctx, statement); err != nil { // PostgreSQL's connection may be another
			unguarded(t, store, statement)
		}
		if p := last(); len(p.Broken) != 1 {
			t.Errorf("what is shown: %q", p.Broken)
		}
	})
}

// TestAnEntryThatWasRewrittenTogetherWithItsHashIsFound: by the seal of its day.
func TestAnEntryThatWasRewrittenTogetherWithItsHashIsFound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		ctx := context.Background()
		store := open(t)
		w := paytest.Setup(t, store)
		settled(w)
		w.Clock.Add(48 * time.Hour)
		if err := w.Pay.CloseDays(ctx); err != nil {
			t.Fatal(err)
		}
		var forged *pay.LedgerEntry
		if err := store.WalkLedger(ctx, w.Tenant.ID, 0, 0, func(e *pay.LedgerEntry) error {
			forged = e
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		forged.Memo = "forged"
		unguarded(t, store, "UPDATE ledger_entries SET memo = 'forged', hash = '"+forged.Sum()+"' WHERE id = '"+forged.ID+"'")
		found, err := w.Pay.VerifyLedger(ctx, w.Tenant)
		if err != nil || len(found) != 1 || !strings.Contains(found[0], "2026-03-04: I-04: the closed day's entries are not those") {
			t.Errorf("%v %q", err, found)
		}
	})
}
