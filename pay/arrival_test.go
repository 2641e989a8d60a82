package pay_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// seedVariable repeats a random test: every one prints the seed it ran with.
const seedVariable = "PORTATILL_TEST_SEED"

// arrivals is how many random orders of arrival each story is told in, on each
// database.
const arrivals = 12

// happenings are what goes on at Stripe, step by step; between the steps anyone
// may tell the till anything, any number of times, or nothing at all.
var happenings = []struct {
	name  string
	steps []func(w *paytest.World, o *pay.Order)
}{
	{"DeclinedPaidAndRefundedInParts", []func(*paytest.World, *pay.Order){
		func(w *paytest.World, o *pay.Order) { w.PayByCard(sessionURL(w, o), paytest.CardNoFunds) },
		func(w *paytest.World, o *pay.Order) { w.MustPay(sessionURL(w, o)) },
		func(w *paytest.World, o *pay.Order) { w.Act("refund", sessionID(w, o), 100) },
		func(w *paytest.World, o *pay.Order) { w.Act("refund", sessionID(w, o), 2000) },
	}},
	{"ChallengedPaidAndRefundedWhole", []func(*paytest.World, *pay.Order){
		func(w *paytest.World, o *pay.Order) {
			bank, _ := w.PayByCard(sessionURL(w, o), paytest.CardChallenge)
			w.Challenge(bank, false)
		},
		func(w *paytest.World, o *pay.Order) {
			bank, _ := w.PayByCard(sessionURL(w, o), paytest.CardChallenge)
			w.Challenge(bank, true)
		},
		func(w *paytest.World, o *pay.Order) { w.Act("refund", sessionID(w, o), 0) },
	}},
	{"DebitThatIsPaid", []func(*paytest.World, *pay.Order){
		func(w *paytest.World, o *pay.Order) { w.PayByDebit(sessionURL(w, o), paytest.AccountGood) },
		func(w *paytest.World, o *pay.Order) { w.Act("settle_debits", sessionID(w, o), 0) },
		func(w *paytest.World, o *pay.Order) { w.Act("refund", sessionID(w, o), 5) },
	}},
	{"DebitThatFails", []func(*paytest.World, *pay.Order){
		func(w *paytest.World, o *pay.Order) { w.PayByDebit(sessionURL(w, o), paytest.AccountGood) },
		func(w *paytest.World, o *pay.Order) { w.Act("fail_debits", sessionID(w, o), 0) },
	}},
	{"NobodyPays", []func(*paytest.World, *pay.Order){
		func(w *paytest.World, o *pay.Order) { w.Act("expire", sessionID(w, o), 0) },
	}},
	{"SomebodyElsePaysToo", []func(*paytest.World, *pay.Order){
		func(w *paytest.World, o *pay.Order) { w.PayDirectly("4200", nil) },
		func(w *paytest.World, o *pay.Order) { w.MustPay(sessionURL(w, o)) },
	}},
}

func sessionID(w *paytest.World, o *pay.Order) string {
	w.T.Helper()
	return w.Attempts(o.ID)[0].SessionID
}

func sessionURL(w *paytest.World, o *pay.Order) string {
	w.T.Helper()
	return w.Attempts(o.ID)[0].URL
}

// TestTheOrderOfArrivalDoesNotMatter is I-13 and F-03: any permutation and
// repetition of the same facts, with drops, gives the same state and totals.
func TestTheOrderOfArrivalDoesNotMatter(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv(seedVariable); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("%s: %v", seedVariable, err)
		}
	}
	t.Logf("%s=%d", seedVariable, seed)
	for i, h := range happenings {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
				bed := paytest.Setup(t, open(t))
				bed.Dials(map[string]float64{"debit_settle_s": 2_000_000})
				calm := ""
				for n := range arrivals {
					r := rand.New(rand.NewPCG(seed, uint64(i*1000+n)))
					w := bed.Another()
					c := w.Open(byDebit)
					w.PressPay(c.Order)
					for _, step := range h.steps {
						step(w, c.Order)
						if n > 0 { // the first run is told only at the end, in order
							gossip(w, c.Order, r)
						}
					}
					w.DeliverAll()
					if n == 0 {
						calm = w.Dump(false)
						continue
					}
					if diff := cmp.Diff(calm, w.Dump(false)); diff != "" {
						t.Errorf("%s=%d, arrival %d: (-in order +this)\n%s", seedVariable, seed, n, diff)
					}
					if again := w.Sweep(); again.Settled != 0 {
						t.Errorf("%s=%d, arrival %d: a sweep found news: %+v", seedVariable, seed, n, again)
					}
				}
				if broken, err := bed.Store.VerifyBooks(t.Context()); err != nil || len(broken) > 0 {
					t.Errorf("%s=%d: %v %v", seedVariable, seed, broken, err)
				}
			})
		})
	}
}

// gossip tells the till random things that are, or were, true.
func gossip(w *paytest.World, o *pay.Order, r *rand.Rand) {
	w.T.Helper()
	events := w.Events()
	for range r.IntN(6) {
		switch what := r.IntN(5); {
		case what == 0:
			w.Return(o)
		case what == 1:
			if _, err := w.Settle(sessionID(w, o), pay.CauseStaff); err != nil {
				w.T.Errorf("recheck: %v", err)
			}
		case what == 2 && len(w.Jobs()) > 0:
			jobs := w.Jobs()
			if err := w.Run(jobs[r.IntN(len(jobs))]); err != nil {
				w.T.Errorf("run a job: %v", err)
			}
		case len(events) > 0:
			if status := w.Deliver(events[r.IntN(len(events))]); status != 200 {
				w.T.Errorf("an event was answered %d", status)
			}
		}
	}
}

// TestIdentifiersSortByTime: ids are the order of rows on pages and in paging.
func TestIdentifiersSortByTime(t *testing.T) {
	t.Parallel()
	at, last, seen := time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC), "", map[string]bool{}
	for i := range 20_000 {
		id := pay.NewID("ord", at)
		if len(id) != 4+26 || id[:4] != "ord_" || seen[id] {
			t.Fatalf("id %q", id)
		}
		for _, c := range id[4:] {
			if !contains("0123456789abcdefghjkmnpqrstvwxyz", c) {
				t.Fatalf("%q has %q", id, c)
			}
		}
		if id <= last {
			t.Fatalf("%s, made later, sorts before %s", id, last)
		}
		seen[id], last = true, id
		at = at.Add(time.Duration(i+1) * time.Millisecond)
	}
	// The time is in it: the first ten symbols are the milliseconds, as in a ULID.
	moment := time.UnixMilli(1_469_918_176_385)
	if id := pay.NewID("x", moment); id[2:12] != "01aryz6s41" {
		t.Errorf("the ULID of the specification's example begins 01ARYZ6S41, not %s", id[2:12])
	}
}

func contains(alphabet string, c rune) bool {
	for _, a := range alphabet {
		if a == c {
			return true
		}
	}
	return false
}

// TestSecretsAreNeverPrinted, whatever prints them.
func TestSecretsAreNeverPrinted(t *testing.T) {
	t.Parallel()
	s := pay.NewSecret("ptl_")
	holder := struct{ Key pay.Secret }{s}
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q", s, holder, holder, s, s), fmt.Sprint(&holder)} {
		if containsText(text, s.Reveal()) || containsText(text, s.Reveal()[8:20]) {
			t.Errorf("printed: %s", text)
		}
	}
	token, another := pay.NewPayToken(), pay.NewPayToken()
	if len(s.Reveal()) != 4+43 || pay.NewSecret("ptl_") == s || len(token) != 22 || token == another {
		t.Errorf("a secret of %d characters, tokens %q and %q", len(s.Reveal()), token, another)
	}
}
