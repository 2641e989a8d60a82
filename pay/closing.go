package pay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"time"
)

// ClosedDay seals a tenant's ledger: the entries up to LastSeq that no day before has.
// An entry that was booked at the turn of the day may be in the next day's seal.
type ClosedDay struct {
	TenantID string
	Day      string // 2026-11-22, UTC
	Entries  int64  // how many are sealed
	LastSeq  int64
	Previous string // the hash of the day before, "" for the first
	Hash     string // of Previous, Day, each entry's Sum in order of Seq, LastSeq and ClosedAt
	ClosedAt time.Time
}

// seal computes a closed day's hash while the entries go by.
type seal struct {
	sum     hash.Hash
	entries int64
	lastSeq int64
}

func newSeal(previous, day string) *seal {
	s := &seal{sum: sha256.New()}
	s.sum.Write([]byte(previous + " " + day))
	return s
}

func (s *seal) add(e *LedgerEntry, sum string) {
	s.sum.Write([]byte(sum))
	s.entries, s.lastSeq = s.entries+1, e.Seq
}

// hash ends the seal: nothing can be added after it.
func (s *seal) hash(closedAt time.Time) string {
	fmt.Fprintf(s.sum, " %d %d", s.lastSeq, closedAt.UnixMicro()) //nolint:errcheck // a hash takes everything
	return hex.EncodeToString(s.sum.Sum([]byte(nil)))
}

// CloseDays is CloseDaysOf for every tenant. One that cannot be sealed keeps no other
// from it.
func (s *Service) CloseDays(ctx context.Context) error {
	tenants, err := s.Store.ListTenants(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, t := range tenants {
		errs = append(errs, s.CloseDaysOf(ctx, t))
	}
	return errors.Join(errs...)
}

// CloseDaysOf seals every day of a tenant before today, in UTC, that has entries and is
// not sealed yet. It is safe to call at any time, also twice at once. A ledger that was
// changed behind our back is not sealed over: that is the error, and VerifyLedger says
// which entry it is.
func (s *Service) CloseDaysOf(ctx context.Context, t *Tenant) error {
	for more := true; more; {
		var err error
		if more, err = s.closeNextDay(ctx, t); CodeOf(err) == CodeConflict { // another instance did it
			return nil
		} else if err != nil {
			return fmt.Errorf("close the days of %s: %w", t.Slug, err)
		}
	}
	return nil
}

// closeNextDay seals the oldest day that can be, and reports whether there was one.
func (s *Service) closeNextDay(ctx context.Context, t *Tenant) (closed bool, err error) {
	midnight := s.Now().UTC().Truncate(24 * time.Hour)
	err = s.Store.InTx(ctx, func(tx Tx) error {
		closed = false
		days, err := tx.ListClosedDays(ctx, t.ID)
		if err != nil {
			return err
		}
		last := &ClosedDay{}
		if len(days) > 0 {
			last = days[len(days)-1]
		}
		if until, err := tx.LastSeqBefore(ctx, t.ID, last.LastSeq, midnight); err != nil || until == 0 {
			return err
		}
		if err := tx.LockLedger(ctx); err != nil {
			return err
		}
		var first time.Time
		if err := tx.WalkLedger(ctx, t.ID, last.LastSeq, 0, func(e *LedgerEntry) error {
			first = e.At
			return errStopWalk
		}); err != nil && !errors.Is(err, errStopWalk) {
			return err
		}
		day := nextDay(first, last.Day)
		if !day.Before(midnight) {
			return nil
		}
		next := day.AddDate(0, 0, 1)
		until, err := tx.LastSeqBefore(ctx, t.ID, last.LastSeq, next)
		if err != nil || until == 0 {
			return err
		}
		d := &ClosedDay{TenantID: t.ID, Day: day.Format(time.DateOnly), Previous: last.Hash, ClosedAt: s.Now()}
		sealed := newSeal(d.Previous, d.Day)
		if err := tx.WalkLedger(ctx, t.ID, last.LastSeq, until, func(e *LedgerEntry) error {
			sum := e.Sum()
			if sum != e.Hash {
				return fmt.Errorf("ledger entry %s was changed after it was booked", e.ID)
			}
			sealed.add(e, sum)
			return nil
		}); err != nil {
			return err
		}
		d.Entries, d.LastSeq, d.Hash = sealed.entries, sealed.lastSeq, sealed.hash(d.ClosedAt)
		closed = true
		return tx.InsertClosedDay(ctx, d)
	})
	return closed, err
}

var errStopWalk = errors.New("enough")

// VerifyLedger computes every hash of a tenant's ledger again and returns one line for
// each that is not what was stored: an entry that was changed, a closed day that lacks
// an entry or has one more, a day that the sweep has closed and that is open now. It
// reads the whole ledger, one entry at a time.
func (s *Service) VerifyLedger(ctx context.Context, t *Tenant) ([]string, error) {
	days, err := s.Store.ListClosedDays(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	mark, err := s.Store.SweepMark(ctx, t.ID, ListBalance)
	if err != nil {
		return nil, err
	}
	c, open := newChain(t, days, 0), openDay{days: days, mark: mark}
	err = s.Store.WalkLedger(ctx, t.ID, 0, 0, func(e *LedgerEntry) error {
		c.entry(e)
		if c.day == nil {
			open.entry(e)
		}
		return nil
	})
	faults := c.end()
	if open.reopened(s.Now()) {
		faults = append(faults, fmt.Sprintf("%s: %s: I-04: the day is not closed, though the sweep has gone round since it ended: its row is gone, or it cannot be closed",
			t.Slug, open.end.AddDate(0, 0, -1).Format(time.DateOnly)))
	}
	return faults, err
}

// openDay is the oldest day that is not closed, while the entries after the closed ones
// go by.
type openDay struct {
	days []*ClosedDay
	mark SweepMark
	end  time.Time // of the day, zero while there is no entry
	past bool      // an entry was booked after the day, and before the long sweep
}

func (o *openDay) entry(e *LedgerEntry) {
	if !o.end.IsZero() {
		o.past = o.past || (!e.At.Before(o.end) && e.At.Before(o.mark.DeepAt))
		return
	}
	day := ""
	if len(o.days) > 0 {
		day = o.days[len(o.days)-1].Day
	}
	o.end = nextDay(e.At, day).AddDate(0, 0, 1)
}

// reopened reports that the day was closed once. Each sweep closes days when it has
// listed the balance, and one may die between the two: so the long one of the last day
// must be followed by others, for longer than they are apart. What tells the times in
// spite of a clock that was wrong is an entry that was booked between the day's end and
// that sweep.
func (o *openDay) reopened(now time.Time) bool {
	return o.past && !o.mark.DeepAt.Before(o.end) && o.mark.Through.Sub(o.mark.DeepAt) >= settleTime && !o.mark.Through.After(now)
}

// nextDay is the day that an entry is closed in, after the one that was closed last, ""
// for none: what was booked at the turn of a day that is closed is in the next.
func nextDay(at time.Time, last string) time.Time {
	day := at.UTC().Truncate(24 * time.Hour)
	if day.Format(time.DateOnly) <= last {
		day, _ = time.Parse(time.DateOnly, last)
		day = day.AddDate(0, 0, 1)
	}
	return day
}

// chain verifies a tenant's ledger while its entries go by in the order of Seq.
type chain struct {
	tenant  *Tenant
	days    []*ClosedDay // that are still to come
	day     *ClosedDay   // whose entries go by, nil after the last
	sealed  *seal
	changed int // entries of the day that are not what was booked
	faults  []string
}

// newChain is the chain of all closed days, of which the first have no entries that go by.
func newChain(t *Tenant, days []*ClosedDay, first int) *chain {
	c := &chain{tenant: t, days: days[first:]}
	previous := ""
	for _, d := range days {
		if d.Previous != previous {
			c.fault(d.Day, "the closed day does not follow the one before: its row, or that one's, was changed or is gone")
		}
		previous = d.Hash
	}
	c.begin()
	return c
}

func (c *chain) fault(subject, format string, args ...any) {
	c.faults = append(c.faults, c.tenant.Slug+": "+subject+": I-04: "+fmt.Sprintf(format, args...))
}

// begin ends the day whose entries went by and begins the next.
func (c *chain) begin() {
	switch day := c.day; {
	case day == nil:
	case c.sealed.entries != day.Entries:
		c.fault(day.Day, "the closed day has %d entries, it was closed with %d", c.sealed.entries, day.Entries)
	case c.sealed.lastSeq != day.LastSeq:
		c.fault(day.Day, "the closed day ends with entry no. %s, it was closed with no. %s", strconv.FormatInt(c.sealed.lastSeq, 10), strconv.FormatInt(day.LastSeq, 10))
	case c.sealed.hash(day.ClosedAt) != day.Hash && c.changed == 0:
		c.fault(day.Day, "the closed day's entries are not those that it was closed with, or not in their order, or its time was changed")
	}
	c.day, c.sealed, c.changed = nil, nil, 0
	if len(c.days) > 0 {
		c.day, c.days = c.days[0], c.days[1:]
		c.sealed = newSeal(c.day.Previous, c.day.Day)
	}
}

func (c *chain) entry(e *LedgerEntry) {
	for c.day != nil && e.Seq > c.day.LastSeq {
		c.begin()
	}
	if e.Sum() != e.Hash {
		c.changed++
		c.fault(e.Fact, "ledger entry %s (no. %s) is not what was booked: its row, a line of it or its hash was changed", e.ID, strconv.FormatInt(e.Seq, 10))
	}
	if c.day != nil {
		c.sealed.add(e, e.Hash)
	}
}

// end returns what is wrong when the last entry has gone by.
func (c *chain) end() []string {
	for c.day != nil {
		c.begin()
	}
	return c.faults
}
