package sqlstore

import (
	"context"
	"database/sql"
	"math"
	"strings"
	"time"

	"github.com/portatill/portatill/pay"
)

// The sides of the proof of books. The ledger's is entrySelect; a tenant's balance
// transactions come in the order in which they were learnt, which is when the ledger
// came to know of them too: so the halves of a fact are near each other, whatever the
// order of their names. "+ 0" keeps both databases from the index by creation, whose answer
// they would have to sort anew for each page.
const (
	proofTransactions = `SELECT tenant_id, id, source_id, fact, source_currency, source_minor, currency, amount_minor, fee_minor, created_at, learnt_at
		FROM balance_transactions
		WHERE tenant_id = $1 AND (learnt_at, id) > ($2, $3) AND created_at + 0 >= $4 AND created_at + 0 < $5
		ORDER BY learnt_at, id LIMIT $6`
	proofPostings = `SELECT tenant_id, currency, created_at / 86400000000, state,
			CAST(SUM(CASE WHEN kind IN ('refund', 'dispute') THEN -amount_minor ELSE amount_minor END) AS BIGINT), COUNT(*),
			COALESCE(MIN(CASE WHEN state NOT IN ('posted', 'pending', 'sending') THEN COALESCE(order_id, subject_id) END), ''),
			COALESCE(MAX(CASE WHEN state NOT IN ('posted', 'pending', 'sending') THEN COALESCE(order_id, subject_id) END), '')
		FROM postings
		WHERE ($1 = '' OR tenant_id = $1) AND created_at >= $2 AND created_at < $3
		GROUP BY tenant_id, currency, created_at / 86400000000, state`
)

// ReadProof implements pay.Reader: one read transaction, so that the sides are of the
// same moment.
func (s *Store) ReadProof(ctx context.Context, q pay.ProofQuery, to pay.ProofSides) error {
	t, err := s.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: s.snapshot()})
	if err != nil {
		return classify("begin reading the proof", err)
	}
	defer func() { _ = t.Rollback() }()
	return reader{c: t, keys: s.keys}.ReadProof(ctx, q, to)
}

// snapshot is the isolation in which all reads of a transaction see one moment.
func (s *Store) snapshot() sql.IsolationLevel {
	if s.dialect == Postgres {
		return sql.LevelRepeatableRead
	}
	return sql.LevelDefault
}

// ReadProof implements pay.Reader, in the transaction that it is called in.
func (r reader) ReadProof(ctx context.Context, q pay.ProofQuery, to pay.ProofSides) error {
	tenants, err := many(ctx, r, "tenants", func(w row, id *string) error { return w.Scan(id) },
		`SELECT id FROM tenants WHERE $1 = '' OR id = $1 ORDER BY id`, q.TenantID)
	if err != nil {
		return err
	}
	for _, id := range tenants {
		if err := r.readBoth(ctx, *id, q, to); err != nil {
			return err
		}
	}
	from := int64(math.MinInt64)
	if !q.From.IsZero() {
		from = q.From.UnixMicro()
	}
	return each(ctx, r, "postings", func(w row) error {
		var p pay.ProofPosting
		if err := w.Scan(&p.TenantID, &p.Currency, &p.Day, &p.State, &p.Minor, &p.Count, &p.First, &p.Last); err != nil {
			return r.fail("list postings", err)
		}
		p.First, _, _ = strings.Cut(p.First, ":") // of a case: the case, then what moved it
		p.Last, _, _ = strings.Cut(p.Last, ":")
		return to.Posting(p)
	}, proofPostings, q.TenantID, from, q.Until.UnixMicro())
}

// readBoth hands over one tenant's ledger and balance transactions, side by side in
// time.
func (r reader) readBoth(ctx context.Context, tenantID string, q pay.ProofQuery, to pay.ProofSides) error {
	entries, moved := r.entries(ctx, tenantID, q.After[tenantID], math.MaxInt64), r.transactions(ctx, tenantID, q)
	for {
		e, err := entries.head()
		if err != nil {
			return err
		}
		b, err := moved.head()
		switch {
		case err != nil:
			return err
		case e == nil && b == nil:
			return nil
		case b == nil || e != nil && !e.At.After(b.LearntAt):
			err = r.handEntry(ctx, e, to)
			entries.next()
		default:
			err = to.Transaction(b)
			moved.next()
		}
		if err != nil {
			return err
		}
	}
}

// handEntry hands an entry over, with the reason of the case whose money it moves.
func (r reader) handEntry(ctx context.Context, e *pay.LedgerEntry, to pay.ProofSides) error {
	if len(e.Lines) == 0 {
		return nil // as in WalkLedger
	}
	if e.UnclaimedID == "" {
		return to.Entry(e, "")
	}
	reason, err := one(ctx, r, "unclaimed money", func(w row, s *string) error { return w.Scan(s) },
		`SELECT CASE state WHEN 'ignored' THEN 'ignored' ELSE reason END FROM unclaimed WHERE tenant_id = $1 AND id = $2`, e.TenantID, e.UnclaimedID)
	if pay.IsNotFound(err) { // a foreign key is in the way, unless somebody took it away
		return to.Entry(e, "")
	}
	if err != nil {
		return err
	}
	return to.Entry(e, *reason)
}

// transactions walks a tenant's balance transactions within the window.
func (r reader) transactions(ctx context.Context, tenantID string, q pay.ProofQuery) *pager[pay.BalanceTransaction] {
	from, until := int64(math.MinInt64), q.Until.Add(q.Around).UnixMicro()
	if !q.From.IsZero() {
		from = q.From.Add(-q.Around).UnixMicro()
	}
	return &pager[pay.BalanceTransaction]{read: func(last *pay.BalanceTransaction) ([]*pay.BalanceTransaction, error) {
		learnt, id := int64(math.MinInt64), ""
		if last != nil {
			learnt, id = last.LearntAt.UnixMicro(), last.ID
		}
		return many(ctx, r, "balance transactions", scanTransaction, proofTransactions, tenantID, learnt, id, from, until, pageSize)
	}}
}

func scanTransaction(w row, b *pay.BalanceTransaction) error {
	var created, learnt int64
	err := w.Scan(&b.TenantID, &b.ID, &b.SourceID, &b.Fact, &b.Source.Currency, &b.Source.Minor, &b.Amount.Currency, &b.Amount.Minor, &b.Fee.Minor, &created, &learnt)
	b.Fee.Currency, b.CreatedAt, b.LearntAt = b.Amount.Currency, time.UnixMicro(created).UTC(), time.UnixMicro(learnt).UTC()
	return err
}
