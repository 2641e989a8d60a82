package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// options are what a seed may do, drawn from the seed itself: schedules that lack
// some faults go deeper where they are (swarm testing). Shares are in percent.
type options struct {
	Steps   int
	Lose    int  // of Stripe's events: never delivered; at 100 webhooks are off
	Repeat  int  // of the events: delivered again, minutes to days later
	Late    int  // of the events: delivered hours to days later
	Shuffle bool // mail and jobs in any order
	Net     int  // of the steps: a call to Stripe goes wrong
	Busy    int  // of the steps: the database refuses a call
	Crash   int  // of the steps: the till is killed in the middle
	Between int  // of the steps: while Stripe is asked, another step happens
	Jump    int  // of the steps on the clock: days pass
	Skew    bool // the till's clock goes wrong at times
	Debits  bool
	Cards   bool // saved cards and off-session charges
	Back    bool // refunds
	Dispute bool
	Strange bool // money that is not ours, deleted customers, forged webhooks
	DebitS  int  // seconds until a debit is settled
	Payouts bool // Stripe pays out, charges fees of its own, and other integrations' charges
	Convert bool // Stripe converts to another currency for a while
}

func (o options) String() string {
	type plain options
	return strings.Trim(fmt.Sprintf("%+v", plain(o)), "{}")
}

func drawOptions(r *rand.Rand) options {
	often := func(values ...int) int { return values[r.IntN(len(values))] }
	return options{
		Steps: 24 + r.IntN(33), Lose: often(0, 0, 20, 100), Repeat: often(0, 10, 50), Late: often(0, 10, 60), Shuffle: r.IntN(3) > 0,
		Net: often(0, 10, 30), Busy: often(0, 0, 10), Crash: often(0, 0, 5, 15), Between: often(0, 10, 30), Jump: often(0, 5, 30),
		Skew: r.IntN(6) == 0, Debits: r.IntN(2) == 0, Cards: r.IntN(2) == 0, Back: r.IntN(2) == 0, Dispute: r.IntN(4) == 0,
		Strange: r.IntN(3) == 0, DebitS: often(1, 60, 86_400, 5*86_400),
		Payouts: r.IntN(2) == 0, Convert: r.IntN(3) == 0,
	}
}

// step is one thing that somebody does. Its numbers choose among what is there when
// it is done, so that a schedule can lose steps and still mean something.
type step struct {
	who        string
	a, b, c, d int
	fault      fault
	meanwhile  *step // done while this one waits for Stripe
}

// fault is what befalls a step: at its at-th call (of the kind the fault is about),
// and for a fault of the network also the span−1 calls after it.
type fault struct {
	kind string
	at   int
	span int
}

func (s step) String() string {
	text := fmt.Sprintf("%s(%d,%d,%d,%d)", s.who, s.a, s.b, s.c, s.d)
	if s.fault.kind != "" {
		text += fmt.Sprintf(" with %s at %d, %d long", s.fault.kind, s.fault.at, s.fault.span)
	}
	if s.meanwhile != nil {
		text += fmt.Sprintf(" while at call %d: %s", s.fault.at, s.meanwhile)
	}
	return text
}

// actors are who may do something, and how often.
func actors(o options) []weighted {
	when := func(allowed bool, n int) int {
		if allowed {
			return n
		}
		return 0
	}
	return []weighted{
		{"portal.checkout", 10}, {"portal.again", 5}, {"portal.changed", 2}, {"portal.conflict", 1}, {"portal.batch", 1},
		{"portal.charge", when(o.Cards, 5)}, {"portal.save", when(o.Cards, 3)}, {"portal.list", when(o.Cards, 2)},
		{"portal.delete", when(o.Cards, 1)}, {"portal.setup", when(o.Cards, 2)},
		{"browser.look", 2}, {"browser.pay", 11}, {"browser.submit", 14}, {"browser.bank", 4}, {"browser.return", 4}, {"browser.cancel", 1}, {"browser.find", 1},
		{"browser.receipt", 1}, {"browser.account", when(o.Cards, 2)},
		{"mail", 10}, {"job", 10},
		{"staff.sweep", 3}, {"staff.settle", 2}, {"staff.refund", when(o.Back, 7)},
		{"dashboard.refund", when(o.Back, 4)}, {"dashboard.expire", 1}, {"dashboard.stranger", when(o.Strange, 1)},
		{"dashboard.forget", when(o.Strange, 1)}, {"forger", when(o.Strange, 1)},
		{"bank.dispute", when(o.Dispute, 3)}, {"bank.verdict", when(o.Dispute, 3)},
		{"dashboard.payout", when(o.Payouts, 3)}, {"dashboard.fail_payout", when(o.Payouts, 1)}, {"dashboard.fee", when(o.Payouts, 1)},
		{"dashboard.foreign_charge", when(o.Payouts && o.Strange, 1)}, {"dashboard.convert", when(o.Convert, 3)},
		{"bank.settle", when(o.Debits, 2)}, {"bank.fail", when(o.Debits, 1)},
		{"time", 6}, {"skew", when(o.Skew, 2)},
	}
}

type weighted struct {
	name   string
	weight int
}

func pick(r *rand.Rand, list []weighted) string {
	sum := 0
	for _, w := range list {
		sum += w.weight
	}
	n := r.IntN(sum)
	for _, w := range list {
		if n -= w.weight; n < 0 {
			return w.name
		}
	}
	panic("unreachable: n is below the sum")
}

// netFaults are what may become of a call to Stripe (safety.md F-14 to F-19).
var netFaults = []weighted{
	{"lost before", 4}, {"lost after", 6}, {"429", 2}, {"500 before", 2}, {"500 kept, not done", 2}, {"500 kept, done", 3}, {"409", 2},
	{"hangs before", 2}, {"hangs after", 3}, {"half an answer", 2}, {"a proxy's page", 1}, {"401", 1},
}

// plan draws the whole schedule of a seed.
func plan(seed uint64) (options, []step) {
	r := rand.New(rand.NewPCG(seed, 0x706f7274))
	o := drawOptions(r)
	list := actors(o)
	draw := func() step {
		return step{who: pick(r, list), a: r.IntN(1 << 16), b: r.IntN(1 << 16), c: r.IntN(1 << 16), d: r.IntN(1 << 16)}
	}
	steps := make([]step, o.Steps)
	for i := range steps {
		s := draw()
		if i < 2 {
			s.who = "portal.checkout"
		}
		switch n := r.IntN(100); {
		case n < o.Net:
			s.fault = fault{kind: pick(r, netFaults), at: 1 + r.IntN(3), span: []int{1, 1, 2, 3, 99}[r.IntN(5)]}
		case n < o.Net+o.Busy:
			s.fault = fault{kind: "database refuses", at: 1 + r.IntN(24), span: 1}
		case n < o.Net+o.Busy+o.Crash:
			s.fault = fault{kind: "crash", at: 1 + r.IntN(40), span: 1}
		case n < o.Net+o.Busy+o.Crash+o.Between:
			other := draw()
			s.fault = fault{kind: "between", at: 1 + r.IntN(6), span: 1}
			s.meanwhile = &other
		}
		steps[i] = s
	}
	return o, steps
}

// hours is a time that a schedule may wait, by a random number.
func hours(n int) time.Duration {
	return []time.Duration{time.Minute, 10 * time.Minute, time.Hour, 7 * time.Hour, 23 * time.Hour, 25 * time.Hour, 3 * 24 * time.Hour, 6 * 24 * time.Hour}[n%8]
}
