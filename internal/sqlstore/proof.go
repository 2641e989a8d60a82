package sqlstore

import (
	"context"
	"database/sql"
	"math"
	"time"

	"github.com/portatill/portatill/pay"
)

// The sides of the proof of books. $1 is the tenant (” for all), $2 and $3 the window.
const (
	// Both halves of a fact come one after the other: Stripe's word and the ledger's. What
	// Stripe converted is what came in, what left its currency and what came into the other.
	proofFacts = `SELECT tenant_id, fact, stripe, at, minor, currency, object FROM (
			SELECT tenant_id, fact, 1 AS stripe, created_at AS at, source_minor AS minor, source_currency AS currency, source_id AS object
			FROM balance_transactions WHERE created_at >= $2 AND created_at < $3 AND source_minor <> 0
		UNION ALL
			SELECT tenant_id, id || ':fee', 1, created_at, -fee_minor, currency, source_id
			FROM balance_transactions WHERE created_at >= $2 AND created_at < $3 AND fee_minor <> 0
		UNION ALL
			SELECT tenant_id, id || ':converted_from', 1, created_at, -source_minor, source_currency, source_id
			FROM balance_transactions WHERE created_at >= $2 AND created_at < $3 AND currency <> source_currency AND source_minor <> 0
		UNION ALL
			SELECT tenant_id, id || ':converted_to', 1, created_at, amount_minor, currency, source_id
			FROM balance_transactions WHERE created_at >= $2 AND created_at < $3 AND currency <> source_currency AND amount_minor <> 0
		UNION ALL
			SELECT e.tenant_id, e.fact, 0, e.at, l.amount_minor, e.currency, ''
			FROM ledger_entries e JOIN ledger_lines l ON l.tenant_id = e.tenant_id AND l.entry_id = e.id
			WHERE l.account = 'stripe_balance' AND e.at >= $2 AND e.at < $3
		) facts WHERE $1 = '' OR tenant_id = $1 ORDER BY tenant_id, fact`
	proofAccounts = `SELECT e.tenant_id, e.currency, e.at / 86400000000 AS day, l.account, COALESCE(u.reason, ''), CAST(SUM(l.amount_minor) AS BIGINT), COUNT(*)
		FROM ledger_entries e JOIN ledger_lines l ON l.tenant_id = e.tenant_id AND l.entry_id = e.id
			LEFT JOIN unclaimed u ON u.tenant_id = e.tenant_id AND u.id = e.unclaimed_id AND l.account = 'suspense'
		WHERE ($1 = '' OR e.tenant_id = $1) AND e.at >= $2 AND e.at < $3
		GROUP BY e.tenant_id, e.currency, e.at / 86400000000, l.account, COALESCE(u.reason, '')`
	proofPostings = `SELECT tenant_id, currency, created_at / 86400000000, state,
			CAST(SUM(CASE WHEN kind IN ('refund', 'dispute') THEN -amount_minor ELSE amount_minor END) AS BIGINT), COUNT(*)
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
	from, until, wideFrom, wideUntil := int64(math.MinInt64), q.Until.UnixMicro(), int64(math.MinInt64), q.Until.Add(q.Around).UnixMicro()
	if !q.From.IsZero() {
		from, wideFrom = q.From.UnixMicro(), q.From.Add(-q.Around).UnixMicro()
	}
	var f pay.ProofFact
	var stripe int64
	if err := each(ctx, r, "facts", func(w row) error {
		var micros int64
		if err := w.Scan(&f.TenantID, &f.Fact, &stripe, &micros, &f.Minor, &f.Currency, &f.Object); err != nil {
			return r.fail("list facts", err)
		}
		f.Stripe, f.At = stripe == 1, time.UnixMicro(micros).UTC()
		return to.Fact(f)
	}, proofFacts, q.TenantID, wideFrom, wideUntil); err != nil {
		return err
	}
	if err := each(ctx, r, "accounts", func(w row) error {
		var a pay.ProofAccount
		if err := w.Scan(&a.TenantID, &a.Currency, &a.Day, &a.Account, &a.Reason, &a.Minor, &a.Count); err != nil {
			return r.fail("list accounts", err)
		}
		return to.Account(a)
	}, proofAccounts, q.TenantID, from, until); err != nil {
		return err
	}
	return each(ctx, r, "postings", func(w row) error {
		var p pay.ProofPosting
		if err := w.Scan(&p.TenantID, &p.Currency, &p.Day, &p.State, &p.Minor, &p.Count); err != nil {
			return r.fail("list postings", err)
		}
		return to.Posting(p)
	}, proofPostings, q.TenantID, from, until)
}
