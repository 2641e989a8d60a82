// Package daybook remembers what each day of a tenant's came to: how many orders were made
// and where they stand, and what was paid. The overview asks for half a year at a time, and
// with a million orders their rows are too many to count for each look; a day by itself is
// an index's few thousand.
//
// Nothing is stored: what is remembered is what the same statement gave before, and every
// day is read anew after a while, the young ones at each look, because old orders hardly
// change. So there is no summary in the database that could disagree with the rows, none to
// write with each payment, and any number of instances needs no word with each other.
//
// The package knows no SQL and no pages.
package daybook

import (
	"context"
	"sync"
	"time"

	"github.com/portatill/portatill/pay"
)

// Source reads the rows' sums; the store is one.
type Source interface {
	OrdersMade(ctx context.Context, tenantID string, from, until time.Time) ([]*pay.DayCount, error)
	MoneyTaken(ctx context.Context, tenantID string, from, until time.Time) ([]*pay.DayTaken, error)
}

// Day is one day, in UTC. It is shared and must not be changed.
type Day struct {
	Date time.Time // its midnight
	// Made are the orders that were made on it, with their present states.
	Made []*pay.DayCount
	// Taken is what was paid on it.
	Taken  []*pay.DayTaken
	readAt time.Time
}

// Book remembers days. It is safe for concurrent use.
type Book struct {
	Source Source
	Now    func() time.Time
	mu     sync.Mutex
	shelf  map[string]*tenantDays
}

type tenantDays struct {
	mu   sync.Mutex // held while days are read, so that two looks at once read them once
	days map[time.Time]*Day
}

const (
	// freshFor is for how long today and yesterday are believed, so that a page that is
	// loaded over and over does not count over and over.
	freshFor = 2 * time.Second
	// settledFor is for how long the days before are: orders of theirs still expire, and
	// bank debits settle.
	settledFor = 10 * time.Minute
	// oldAfter is when nothing more is expected of a day's orders: no bank debit takes as
	// long. They are read anew once in oldFor.
	oldAfter = 35 * 24 * time.Hour
	oldFor   = 6 * time.Hour
	// againAtOnce is how many days that are known are read anew in one look; the others
	// wait for the next, so that none has to wait for all.
	againAtOnce = 12
	// kept is how far back days are remembered.
	kept = 400 * 24 * time.Hour
)

// Days are a tenant's days from one until before another, oldest first.
func (b *Book) Days(ctx context.Context, tenantID string, from, until time.Time) ([]*Day, error) {
	t := b.of(tenantID)
	t.mu.Lock()
	defer t.mu.Unlock()
	now, again := b.Now(), 0
	for date := range t.days {
		if now.Sub(date) > kept {
			delete(t.days, date)
		}
	}
	var out []*Day
	for date := midnight(from); date.Before(until); date = date.AddDate(0, 0, 1) {
		d := t.days[date]
		if d != nil && now.Sub(d.readAt) > believed(now.Sub(date)) && (again < againAtOnce || now.Sub(date) < 48*time.Hour) {
			d, again = nil, again+1
		}
		if d == nil {
			var err error
			if d, err = b.read(ctx, tenantID, date, now); err != nil {
				return nil, err
			}
			t.days[date] = d
		}
		out = append(out, d)
	}
	return out, nil
}

func believed(age time.Duration) time.Duration {
	switch {
	case age < 48*time.Hour:
		return freshFor
	case age < oldAfter:
		return settledFor
	}
	return oldFor
}

func (b *Book) of(tenantID string) *tenantDays {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shelf == nil {
		b.shelf = map[string]*tenantDays{}
	}
	t := b.shelf[tenantID]
	if t == nil {
		t = &tenantDays{days: map[time.Time]*Day{}}
		b.shelf[tenantID] = t
	}
	return t
}

func (b *Book) read(ctx context.Context, tenantID string, date, now time.Time) (*Day, error) {
	d := &Day{Date: date, readAt: now}
	var err error
	if d.Made, err = b.Source.OrdersMade(ctx, tenantID, date, date.AddDate(0, 0, 1)); err != nil {
		return nil, err
	}
	d.Taken, err = b.Source.MoneyTaken(ctx, tenantID, date, date.AddDate(0, 0, 1))
	return d, err
}

func midnight(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }
