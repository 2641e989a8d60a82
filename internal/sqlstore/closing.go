package sqlstore

import (
	"context"
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
