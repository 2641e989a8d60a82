package demo

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"
)

// shop is a reseller at work.
type shop struct {
	Shop
	w             *world
	tenant        Tenant
	rng           *rand.Rand
	customers     []*customer
	firstCustomer int
	serial        int
}

// weekdays are how busy a day is, Sunday first; hours are how busy an hour of the shop's day is. Both in no unit.
var (
	weekdays = [7]int{32, 118, 112, 104, 100, 96, 48}
	hours    = [24]int{2, 1, 1, 0, 0, 1, 3, 8, 22, 38, 44, 42, 30, 34, 40, 38, 34, 28, 20, 18, 18, 15, 9, 4}
)

const day = 24 * time.Hour

// open plans everything that has a date: what the shops sell, what Stripe and staff do on their days, and what goes
// wrong.
func (w *world) open(ctx context.Context, start time.Time) error {
	days := int(w.Until.Sub(start) / day)
	if days < 60 {
		return fmt.Errorf("the story has %d days; it needs 60", days)
	}
	w.badDay = nextWeekday(start.Add(time.Duration(days*58/100)*day), time.Tuesday).Add(10*time.Hour + 10*time.Minute)
	left := w.Orders
	for i := range Shops {
		t := w.Tenants[i]
		h := fnv.New64a()
		h.Write([]byte(t.Slug)) //nolint:errcheck // never fails, see package hash
		s := &shop{Shop: Shops[i], w: w, tenant: t, rng: rand.New(rand.NewPCG(w.Seed, h.Sum64())), firstCustomer: 10_450 + 31_000*i}
		w.shops = append(w.shops, s)
		n := w.Orders * s.share / 100
		if i == len(Shops)-1 {
			n = left
		}
		left -= n
		for _, at := range s.times(n, start.Add(time.Duration(s.opens)*day), w.Until) {
			w.at(at, s.begin)
		}
		s.planPayouts(start)
	}
	for at, n := start.Truncate(day).Add(26*time.Hour+10*time.Minute), 0; at.Before(w.Until); at, n = at.Add(day), n+1 {
		// The long window is listed when a day has passed: not on every other day, so that it is half of the work.
		w.at(at.Add(-time.Duration(n%2)*10*time.Minute), w.sweep)
		for _, hour := range []time.Duration{6, 12, 18} {
			w.at(at.Add(hour*time.Hour), func(ctx context.Context) error {
				_, err := w.Pay.Sweep(ctx, 5_000)
				return err
			})
		}
	}
	w.planIncidents(start)
	// Bank debits take days, as they do at Stripe.
	p, err := w.send(ctx, "POST", w.StripeURL+"/_sandbox/dials", "application/json", nil, fmt.Appendf(nil, `{"debit_settle_s": %d}`, int((76*time.Hour)/time.Second)))
	if err == nil && p.status != 200 {
		err = errors.New(brief(p.body))
	}
	return err
}

func nextWeekday(at time.Time, want time.Weekday) time.Time {
	at = at.Truncate(day)
	for at.Weekday() != want {
		at = at.Add(day)
	}
	return at
}

// times are when a shop's n orders come: more each month, on working days, in its business hours.
func (s *shop) times(n int, from, until time.Time) []time.Time {
	first, days := from.Truncate(day), int(until.Sub(from)/day)
	sums, sum := make([]int, days+1), 0
	for d := range sums {
		at := first.Add(time.Duration(d) * day)
		busy := weekdays[at.Weekday()] * (100 + 140*d/(days+1)) / 100 * (85 + s.rng.IntN(31)) / 100
		if sameDay(at, s.w.badDay) {
			busy /= 2
		}
		sum += busy
		sums[d] = sum
	}
	var times []time.Time
	for len(times) < n {
		d, _ := slices.BinarySearch(sums, s.rng.IntN(sum)+1)
		at := first.Add(time.Duration(d)*day + s.hour() - time.Duration(s.zone)*time.Hour)
		if at.After(from) && at.Before(until) {
			times = append(times, at)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return times
}

// hour is a moment of the shop's day.
func (s *shop) hour() time.Duration {
	sum := 0
	for _, busy := range hours {
		sum += busy
	}
	at := s.rng.IntN(sum)
	for h, busy := range hours {
		if at < busy {
			return time.Duration(h)*time.Hour + time.Duration(s.rng.IntN(3600))*time.Second
		}
		at -= busy
	}
	panic("demo: hours do not sum up")
}

func sameDay(a, b time.Time) bool { return a.Truncate(day).Equal(b.Truncate(day)) }

// between is a random time span.
func (s *shop) between(least, most time.Duration) time.Duration {
	return least + time.Duration(s.rng.Int64N(int64((most-least)/time.Second)+1))*time.Second
}

// chance is true so many times of a thousand.
func (s *shop) chance(perThousand int) bool { return s.rng.IntN(1000) < perThousand }
