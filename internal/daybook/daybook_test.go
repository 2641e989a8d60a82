package daybook_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/daybook"
	"github.com/portatill/portatill/pay"
)

// rows counts how often each day is read, and says of each the same number.
type rows struct {
	mu    sync.Mutex
	read  map[string]int
	count int64
	fault error
}

func (r *rows) OrdersMade(_ context.Context, tenantID string, from, until time.Time) ([]*pay.DayCount, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if until.Sub(from) != 24*time.Hour || from.Truncate(24*time.Hour) != from {
		return nil, errors.New("that is no day")
	}
	r.read[tenantID+" "+from.Format(time.DateOnly)]++
	return []*pay.DayCount{{Currency: "GBP", State: pay.OrderPaid, Count: r.count, Minor: 100}}, r.fault
}

func (r *rows) MoneyTaken(context.Context, string, time.Time, time.Time) ([]*pay.DayTaken, error) {
	return []*pay.DayTaken{{Currency: "GBP", Count: r.count, Minor: 100}}, r.fault
}

func TestADayIsReadAgainTheSoonerTheYoungerItIs(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	r := &rows{read: map[string]int{}, count: 1}
	b := &daybook.Book{Source: r, Now: func() time.Time { return now }}
	look := func() []*daybook.Day {
		t.Helper()
		days, err := b.Days(context.Background(), "ten_1", now.AddDate(0, 0, -59), now)
		if err != nil || len(days) != 60 {
			t.Fatalf("%d days, %v", len(days), err)
		}
		return days
	}
	days := look()
	if first, last := days[0].Date, days[59].Date; first != time.Date(2026, 9, 25, 0, 0, 0, 0, time.UTC) || last != time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC) {
		t.Errorf("from %s to %s", first, last)
	}
	r.count = 2
	if look()[59].Made[0].Count != 1 || len(r.read) != 60 {
		t.Errorf("at the same moment it was read again: %v", r.read)
	}
	now = now.Add(5 * time.Second)
	days = look()
	if days[59].Made[0].Count != 2 || days[58].Taken[0].Count != 2 || days[57].Made[0].Count != 1 {
		t.Error("after five seconds today and yesterday are not the new ones, or an older day is")
	}
	// Twelve of those that are due at each look; the very old ones are not due yet.
	for range 4 {
		now = now.Add(11 * time.Minute / 4)
		look()
	}
	now = now.Add(11 * time.Minute)
	for range 4 {
		days = look()
	}
	if days[40].Made[0].Count != 2 || days[2].Made[0].Count != 1 {
		t.Errorf("after a quarter of an hour a day two weeks old says %d, one of two months %d", days[40].Made[0].Count, days[2].Made[0].Count)
	}
	now = now.Add(7 * time.Hour)
	for range 6 {
		days = look()
	}
	if days[2].Made[0].Count != 2 {
		t.Error("after seven hours the oldest days are still the old ones")
	}
}

func TestEachTenantHasDaysOfItsOwnAndTwoLooksAtOnceReadOnce(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	r := &rows{read: map[string]int{}}
	b := &daybook.Book{Source: r, Now: func() time.Time { return now }}
	var group sync.WaitGroup
	for range 8 {
		for _, tenant := range []string{"a", "b"} {
			group.Go(func() {
				if _, err := b.Days(context.Background(), tenant, now.AddDate(0, 0, -1), now); err != nil {
					t.Error(err)
				}
			})
		}
	}
	group.Wait()
	if d := cmp.Diff(map[string]int{"a 2026-11-22": 1, "a 2026-11-23": 1, "b 2026-11-22": 1, "b 2026-11-23": 1}, r.read); d != "" {
		t.Error(d)
	}
}

func TestWhatCannotBeReadIsAnErrorAndIsReadAgain(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	r := &rows{read: map[string]int{}, fault: errors.New("the disk is full")}
	b := &daybook.Book{Source: r, Now: func() time.Time { return now }}
	if _, err := b.Days(context.Background(), "a", now, now); !errors.Is(err, r.fault) {
		t.Errorf("got %v", err)
	}
	r.fault = nil
	if days, err := b.Days(context.Background(), "a", now, now); err != nil || len(days) != 1 {
		t.Errorf("then %d days, %v", len(days), err)
	}
}
