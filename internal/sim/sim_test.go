package sim

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

var (
	seeds = flag.Int("sim.seeds", defaultSeeds, "how many schedules TestSchedules runs")
	first = flag.Uint64("sim.first", 1, "the first seed of TestSchedules")
	seed  = flag.Uint64("sim.seed", 0, "run this one seed, telling every step")
	whole = flag.Bool("sim.whole", false, "tell failing schedules as they are, without looking for fewer steps")
)

func TestMain(m *testing.M) {
	flag.Parse()
	// A world lives for some milliseconds and leaves some megabytes.
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}

// result is what became of a schedule.
type result struct {
	faults  []string
	trace   []string
	reached map[string]int
}

// simulate runs a schedule in a bubble, where the gate's waiting takes no time
// (testing/synctest).
func simulate(t *testing.T, p *template, o options, steps []step) (out result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { out = live(p, o, steps) })
	return out
}

func live(p *template, o options, steps []step) (out result) {
	w, err := newWorld(p, o)
	if err != nil {
		return result{faults: []string{"start the world: " + err.Error()}}
	}
	defer func() {
		if fell := recover(); fell != nil {
			if _, ok := fell.(broken); !ok {
				w.fail("panic: %v", fell)
			}
		}
		if err := w.close(); err != nil {
			w.fail("close the world: %v", err)
		}
		out = result{faults: w.faults, trace: w.trace, reached: w.reached}
	}()
	body, err := dials(o)
	w.must(err, "set the dials")
	w.stripe("POST", stripeURL+"/_sandbox/dials", "", "application/json", body)
	for i, s := range steps {
		w.say("%d. %s", i, s)
		w.do(s)
		if len(w.faults) > 0 {
			return
		}
	}
	w.rest()
	return
}

func dials(o options) ([]byte, error) {
	return fmt.Appendf(nil, `{"debit_settle_s": %d}`, o.DebitS), nil
}

// TestSchedules is the simulator: every seed a schedule. A seed that fails tells how
// to run it alone.
func TestSchedules(t *testing.T) {
	t.Parallel()
	p := prepare(t)
	if *seed != 0 {
		o, steps := plan(*seed)
		out := simulate(t, p, o, steps)
		t.Logf("seed %d: %s\n%s", *seed, o, strings.Join(out.trace, "\n"))
		if len(out.faults) > 0 {
			t.Errorf("seed %d: %s", *seed, strings.Join(out.faults, "\n"))
		}
		return
	}
	total := &tally{reached: map[string]int{}}
	t.Cleanup(func() { total.tell(t) })
	for n := range uint64(*seeds) {
		t.Run(fmt.Sprint(*first+n), func(t *testing.T) {
			t.Parallel()
			judge(t, p, total, *first+n)
		})
	}
}

// TestRegressions runs the schedules that found a fault once.
func TestRegressions(t *testing.T) {
	t.Parallel()
	p := prepare(t)
	for _, r := range regressions {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			if out := simulate(t, p, r.options, r.steps); len(out.faults) > 0 {
				t.Errorf("%s\noptions: %s\n%s", strings.Join(out.faults, "\n"), r.options, strings.Join(out.trace, "\n"))
			}
		})
	}
}

// TestASeedAlwaysTellsTheSameStory: a failure that cannot be had again cannot be
// mended.
func TestASeedAlwaysTellsTheSameStory(t *testing.T) {
	t.Parallel()
	p := prepare(t)
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			o, steps := plan(seed)
			one, two := simulate(t, p, o, steps), simulate(t, p, o, steps)
			if diff := cmp.Diff(one.trace, two.trace); diff != "" {
				t.Errorf("seed %d: -first +second:\n%s", seed, diff)
			}
		})
	}
}

// judge runs a seed, and tells of a failure in as few steps as it takes.
func judge(t *testing.T, p *template, total *tally, seed uint64) {
	o, steps := plan(seed)
	out := simulate(t, p, o, steps)
	total.add(out)
	if len(out.faults) == 0 {
		return
	}
	fewer := steps
	if !*whole {
		fewer = minimise(t, p, o, steps, out.faults[0])
		out = simulate(t, p, o, fewer)
	}
	t.Errorf("seed %d: %s\noptions: %s\n%d of %d steps:\n%s\nRun it alone: make sim SEED=%d\nKeep it, in regressions_test.go:\n%s", seed, strings.Join(out.faults, "\n"), o,
		len(fewer), len(steps), strings.Join(out.trace, "\n"), seed, row(seed, o, fewer))
}

// minimise drops steps as long as the schedule still fails in the same way (delta
// debugging): first in large pieces, then one by one.
func minimise(t *testing.T, p *template, o options, steps []step, like string) []step {
	runs := 0
	fails := func(steps []step) bool {
		if runs++; runs > 150 {
			return false
		}
		out := simulate(t, p, o, steps)
		return len(out.faults) > 0 && kindOf(out.faults[0]) == kindOf(like)
	}
	for size := len(steps) / 2; size > 0; size /= 2 {
		for at := 0; at < len(steps); {
			shorter := slices.Concat(steps[:at], steps[min(at+size, len(steps)):])
			if fails(shorter) {
				steps = shorter
			} else {
				at += size
			}
		}
	}
	return steps
}

// kindOf is what a failure is about, without its numbers.
func kindOf(fault string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, fault[:min(len(fault), 40)])
}

// tally is what all schedules came to.
type tally struct {
	mu      sync.Mutex
	runs    int
	reached map[string]int
}

func (c *tally) add(out result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.runs++
	for what, n := range out.reached {
		c.reached[what] += n
	}
}

func (c *tally) tell(t *testing.T) {
	var lines []string
	for _, what := range slices.Sorted(maps.Keys(c.reached)) {
		lines = append(lines, fmt.Sprintf("%8d %s", c.reached[what], what))
	}
	t.Logf("%d schedules reached:\n%s", c.runs, strings.Join(lines, "\n"))
	if c.runs < 200 || t.Failed() {
		return
	}
	for _, what := range mustReach {
		if c.reached[what] == 0 {
			t.Errorf("%d schedules never came to: %s", c.runs, what)
		}
	}
}

// mustReach are things that any two hundred schedules come to many times. A simulator
// that no longer does would find nothing, and say so proudly.
var mustReach = []string{
	"killed", "meanwhile", "the database refuses", "mail: lost", "mail: 400", "forger", "a page that nobody was given",
	"Stripe: lost before", "Stripe: lost after", "Stripe: 500 kept, done", "Stripe: 500 kept, not done", "Stripe: hangs after",
	"portal: the same request again", "portal checkout: 200 paid", "portal checkout: 204 ", "portal charge: 200 paid",
	"portal charge: 200 requires_action", "portal charge: 402 CardDeclined", "portal save: 200 saved", "portal list: 200 listed",
	"portal setup: 200 open", "customer submits card: 402", "customer submits bacs_debit: 303", "customer answers the bank: approve",
	"at Stripe: refund: 200", "at Stripe: dispute: 200", "at Stripe: expire: 200", "staff: refund: made",
	"at rest: order payment paid", "at rest: order payment expired", "at rest: order payment failed", "at rest: order payment cancelled",
	"at rest: order setup paid", "at rest: entry refund", "at rest: entry dispute", "at rest: unclaimed no_order",
}

// row writes a schedule as a row of regressions.
func row(seed uint64, o options, steps []step) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\t{name: \"…\", options: %s, steps: []step{ // seed %d\n", strings.ReplaceAll(fmt.Sprintf("%#v", o), "sim.", ""), seed)
	for _, s := range steps {
		fmt.Fprintf(&b, "\t\t%s,\n", literal(s))
	}
	return b.String() + "\t}},"
}

func literal(s step) string {
	text := fmt.Sprintf("{who: %q, a: %d, b: %d, c: %d, d: %d", s.who, s.a, s.b, s.c, s.d)
	if s.fault.kind != "" {
		text += fmt.Sprintf(", fault: fault{%q, %d, %d}", s.fault.kind, s.fault.at, s.fault.span)
	}
	if s.meanwhile != nil {
		text += ", meanwhile: &step" + literal(*s.meanwhile)
	}
	return text + "}"
}
