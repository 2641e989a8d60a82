package demo

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestTheClock(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 5, 8, 0, 0, 123_456_789, time.FixedZone("", 3600))
	c := NewClock(start)
	t.Run("MovesOnWhenItIsLookedAtAndNeverBack", func(t *testing.T) {
		before := c.Now()
		c.set(start.Add(-time.Hour))
		if after := c.Now(); !after.After(before) || before.Location() != time.UTC || before.Nanosecond()%1000 != 0 {
			t.Errorf("%s, then %s", before, after)
		}
	})
	t.Run("RunsByItselfFromWhereItIsReleased", func(t *testing.T) {
		from := start.AddDate(0, 6, 0)
		c.Release(from)
		if now := c.Now(); now.Before(from.Truncate(time.Microsecond)) || now.After(from.Add(time.Hour)) {
			t.Errorf("it says %s", now)
		}
	})
}

func TestOrdersComeAsTheyDoInLife(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	until := from.AddDate(0, Months, 0)
	told := func() []time.Time {
		s := &shop{Shop: Shops[0], w: &world{badDay: from.AddDate(0, 3, 0)}, rng: rand.New(rand.NewPCG(1, 2))}
		return s.times(3000, from, until)
	}
	times := told()
	count := func(in func(time.Time) bool) (n int) {
		for _, at := range times {
			if in(at) {
				n++
			}
		}
		return n
	}
	if len(times) != 3000 || times[0].Before(from) || !times[2999].Before(until) || !slices.IsSortedFunc(times, time.Time.Compare) {
		t.Fatalf("%d orders from %s to %s", len(times), times[0], times[len(times)-1])
	}
	if sundays, mondays := count(func(at time.Time) bool { return at.Weekday() == time.Sunday }), count(func(at time.Time) bool { return at.Weekday() == time.Monday }); 2*sundays > mondays {
		t.Errorf("%d on Sundays, %d on Mondays", sundays, mondays)
	}
	if night, day := count(func(at time.Time) bool { return at.Hour() < 6 }), count(func(at time.Time) bool { return at.Hour() >= 9 && at.Hour() < 18 }); 10*night > day {
		t.Errorf("%d at night, %d by day", night, day)
	}
	if first, last := count(func(at time.Time) bool { return at.Month() == time.January }), count(func(at time.Time) bool { return at.Month() == time.June }); last < first*3/2 {
		t.Errorf("%d in the first month, %d in the last", first, last)
	}
	if again := told(); !slices.Equal(times, again) {
		t.Error("the same seed told another story")
	}
}

func TestTheWaysToPayAreAThousandInAll(t *testing.T) {
	t.Parallel()
	sum := 0
	for _, w := range ways {
		sum += w.share
	}
	if sum != 1000 {
		t.Errorf("they come to %d of a thousand", sum)
	}
}
