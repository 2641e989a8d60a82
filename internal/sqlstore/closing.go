package sqlstore

import (
	"context"
	"math"
	"time"

	"github.com/portatill/portatill/pay"
)

// ListClosedDays implements pay.Reader.
func (r reader) ListClosedDays(ctx context.Context, tenantID string) ([]*pay.ClosedDay, error) {
	return many(ctx, r, "closed days", func(w row, d *pay.ClosedDay) error {
		return w.Scan(&d.TenantID, &d.Day, &d.Entries, &d.LastSeq, &d.Previous, &d.Hash, at(&d.ClosedAt))
	}, `SELECT tenant_id, day, entries, last_seq, previous, hash, closed_at FROM closed_days WHERE tenant_id = $1 ORDER BY day`, tenantID)
}

// LastSeqBefore implements pay.Reader.
func (r reader) LastSeqBefore(ctx context.Context, tenantID string, after int64, before time.Time) (int64, error) {
	type last struct{ seq int64 }
	l, err := one(ctx, r, "ledger entry", func(w row, l *last) error { return w.Scan(&l.seq) },
		`SELECT COALESCE(MAX(seq), 0) FROM ledger_entries WHERE tenant_id = $1 AND seq > $2 AND at < $3`, tenantID, after, micros(before))
	if err != nil {
		return 0, err
	}
	return l.seq, nil
}

// entrySelect reads entries without their lines, lineSelect the lines: together they
// would repeat an entry's columns for each line, and reading those is what takes the time.
const (
	entrySelect = `SELECT e.seq, e.id, e.tenant_id, e.kind, e.fact, e.currency, e.cause_kind, e.cause_id, COALESCE(e.order_id, ''),
			COALESCE(e.unclaimed_id, ''), e.memo, e.at, e.hash
		FROM ledger_entries e`
	// CROSS JOIN has SQLite begin at the entries; it would rather read all lines of a tenant.
	lineSelect = `SELECT e.seq, l.account, COALESCE(l.customer_id, ''), l.amount_minor FROM ledger_entries e CROSS JOIN ledger_lines l`
	lineJoin   = ` AND l.tenant_id = e.tenant_id AND l.entry_id = e.id`
)

func scanEntry(w row, e *pay.LedgerEntry) error {
	return w.Scan(&e.Seq, &e.ID, &e.TenantID, &e.Kind, &e.Fact, &e.Currency, &e.Cause.Kind, &e.Cause.ID, &e.OrderID,
		&e.UnclaimedID, &e.Memo, at(&e.At), &e.Hash)
}

// addLines reads the lines that where chooses and gives them to their entries, which
// come in the order of Seq. A line of none of them was booked since.
func (r reader) addLines(ctx context.Context, entries []*pay.LedgerEntry, where string, args ...any) error {
	return each(ctx, r, "ledger lines", func(w row) error {
		var seq int64
		var l pay.LedgerLine
		if err := w.Scan(&seq, &l.Account, &l.CustomerID, &l.AmountMinor); err != nil {
			return r.fail("list ledger lines", err)
		}
		for len(entries) > 0 && entries[0].Seq < seq {
			entries = entries[1:]
		}
		if len(entries) > 0 && entries[0].Seq == seq {
			entries[0].Lines = append(entries[0].Lines, l)
		}
		return nil
	}, lineSelect+where+lineJoin+` ORDER BY e.seq, l.number`, args...)
}

// linesBetween reads the lines of a range of entries, which lie side by side.
const linesBetween = `SELECT l.entry_id, l.account, COALESCE(l.customer_id, ''), l.amount_minor FROM ledger_lines l
	WHERE l.tenant_id = $1 AND l.entry_id >= $2 AND l.entry_id <= $3 ORDER BY l.entry_id, l.number LIMIT $4`

// addPageLines gives a page of a tenant's entries their lines. An id begins with its
// time, so the range of a page's ids holds the page's lines and hardly others, and is
// read several times quicker than line by line. Where it holds more, because a clock
// jumped, the lines are looked up by their entries as everywhere.
func (r reader) addPageLines(ctx context.Context, tenantID string, after int64, page []*pay.LedgerEntry) error {
	byID := make(map[string]*pay.LedgerEntry, len(page))
	first, last := page[0].ID, page[0].ID
	for _, e := range page {
		byID[e.ID] = e
		first, last = min(first, e.ID), max(last, e.ID)
	}
	most, n := 6*len(page), 0
	var e *pay.LedgerEntry
	err := each(ctx, r, "ledger lines", func(w row) error {
		n++
		var id string
		var l pay.LedgerLine
		if err := w.Scan(&id, &l.Account, &l.CustomerID, &l.AmountMinor); err != nil {
			return r.fail("list ledger lines", err)
		}
		if e == nil || e.ID != id {
			e = byID[id]
		}
		if e != nil {
			e.Lines = append(e.Lines, l)
		}
		return nil
	}, linesBetween, tenantID, first, last, most)
	if err != nil || n < most {
		return err
	}
	for _, e := range page {
		e.Lines = nil
	}
	return r.addLines(ctx, page, ` WHERE e.tenant_id = $1 AND e.seq > $2 AND e.seq <= $3`, tenantID, after, page[len(page)-1].Seq)
}

// pageSize is how many rows of a long walk are in memory at once. A page is a statement
// of its own: PostgreSQL would otherwise sort the whole ledger before the first row, and
// one connection can read only one answer at a time.
const pageSize = 1000

// pager reads rows page by page, each from the row on that was read last.
type pager[T any] struct {
	read func(last *T) ([]*T, error) // the page after a row, nil for the first
	page []*T
	last *T
	end  bool
}

// head is the row that comes next, nil at the end.
func (p *pager[T]) head() (*T, error) {
	if len(p.page) == 0 && !p.end {
		page, err := p.read(p.last)
		if err != nil {
			return nil, err
		}
		p.page, p.end = page, len(page) < pageSize
		if len(page) > 0 {
			p.last = page[len(page)-1]
		}
	}
	if len(p.page) == 0 {
		return nil, nil
	}
	return p.page[0], nil
}

// next goes on to the row after the head.
func (p *pager[T]) next() { p.page = p.page[1:] }

// entries walks a tenant's ledger from after one seq until another.
func (r reader) entries(ctx context.Context, tenantID string, after, until int64) *pager[pay.LedgerEntry] {
	return &pager[pay.LedgerEntry]{read: func(last *pay.LedgerEntry) ([]*pay.LedgerEntry, error) {
		if last != nil {
			after = last.Seq
		}
		page, err := many(ctx, r, "ledger entries", scanEntry, entrySelect+` WHERE e.tenant_id = $1 AND e.seq > $2 AND e.seq <= $3 ORDER BY e.seq LIMIT $4`,
			tenantID, after, until, pageSize)
		if err != nil || len(page) == 0 {
			return page, err
		}
		return page, r.addPageLines(ctx, tenantID, after, page)
	}}
}

// WalkLedger implements pay.Reader.
func (r reader) WalkLedger(ctx context.Context, tenantID string, after, until int64, fn func(*pay.LedgerEntry) error) error {
	if until == 0 {
		until = math.MaxInt64
	}
	p := r.entries(ctx, tenantID, after, until)
	for {
		e, err := p.head()
		if err != nil || e == nil {
			return err
		}
		p.next()
		if len(e.Lines) == 0 {
			continue // an entry is its lines: without them it is gone
		}
		if err := fn(e); err != nil {
			return err
		}
	}
}

// LockLedger implements pay.Tx. PostgreSQL gives a sequence's numbers before the
// commit: without the lock an entry could appear before one that is sealed. SQLite has
// one writer.
func (x *tx) LockLedger(ctx context.Context) error {
	if x.dialect != Postgres {
		return nil
	}
	_, err := x.exec(ctx, "lock the ledger", `LOCK TABLE ledger_entries IN SHARE ROW EXCLUSIVE MODE`)
	return err
}

// InsertClosedDay implements pay.Tx.
func (x *tx) InsertClosedDay(ctx context.Context, d *pay.ClosedDay) error {
	return x.insert(ctx, "closed day", `INSERT INTO closed_days (tenant_id, day, entries, last_seq, previous, hash, closed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`, d.TenantID, d.Day, d.Entries, d.LastSeq, d.Previous, d.Hash, micros(d.ClosedAt))
}
