package sqlstore

import (
	"context"
	"database/sql"
	"math"
	"strings"
	"time"

	"github.com/portatill/portatill/pay"
)

// journalColumns are a ledger line's; where a balance transaction is not in the ledger they
// are NULL. b is the balance transaction of the entry.
const journalColumns = `COALESCE(e.seq, 0), e.at, COALESCE(e.id, ''), COALESCE(e.kind, ''), COALESCE(e.fact, ''), COALESCE(e.cause_kind, ''), COALESCE(e.cause_id, ''),
	COALESCE(e.order_id, ''), COALESCE(e.memo, ''), COALESCE(e.currency, ''), COALESCE(l.account, ''), COALESCE(c.i_customer, 0), COALESCE(l.amount_minor, 0),
	COALESCE(u.object_id, '')`

const journalNames = ` LEFT JOIN customers c ON c.tenant_id = l.tenant_id AND c.id = l.customer_id
	LEFT JOIN unclaimed u ON u.tenant_id = e.tenant_id AND u.id = e.unclaimed_id`

// journalSelect reads a span. An entry is found with its balance transaction by its fact,
// or, when it is a fee or a conversion, by the id within the fact (pay/balance.go).
const journalSelect = `SELECT ` + journalColumns + `, COALESCE(b.id, f.id, ''), COALESCE(b.source_id, f.source_id, ''), COALESCE(b.payout_id, f.payout_id, '')
	FROM ledger_entries e JOIN ledger_lines l ON l.tenant_id = e.tenant_id AND l.entry_id = e.id` + journalNames + `
	LEFT JOIN balance_transactions b ON b.tenant_id = e.tenant_id AND b.fact = e.fact
	LEFT JOIN balance_transactions f ON f.tenant_id = e.tenant_id
		AND f.id = REPLACE(REPLACE(REPLACE(e.fact, ':fee', ''), ':converted_from', ''), ':converted_to', '')
	WHERE e.tenant_id = $1 AND e.at >= $2 AND e.at < $3 ORDER BY e.at, e.seq, l.number`

// contained are the balance transactions in a payout, but for the payout's own, each with
// the entries that it is.
const contained = ` FROM balance_transactions b
	LEFT JOIN ledger_entries e ON e.tenant_id = b.tenant_id AND e.fact IN (b.fact, b.id || ':fee', b.id || ':converted_from', b.id || ':converted_to')
	LEFT JOIN ledger_lines l ON l.tenant_id = e.tenant_id AND l.entry_id = e.id`

const notItsOwn = ` AND NOT (b.type = 'payout' AND b.source_id = b.payout_id)`

// payoutLines sorts by a sum so that SQLite does not read all of a tenant's balance
// transactions in the order of an index (sqlite.org/optoverview.html, "Disqualifying WHERE
// clause terms").
const payoutLines = `SELECT ` + journalColumns + `, b.id, b.source_id, b.payout_id, b.currency, b.amount_minor - b.fee_minor` + contained + journalNames + `
	WHERE b.tenant_id = $1 AND b.payout_id = $2` + notItsOwn + ` ORDER BY b.created_at + 0, b.id, e.seq, l.number`

// payoutSums is payoutLines in one row: how many balance transactions, and their sum on
// stripe_balance in the payout's currency.
const payoutSums = `SELECT b.payout_id, COUNT(DISTINCT b.id), CAST(COALESCE(SUM(CASE WHEN l.account = 'stripe_balance' AND e.currency = p.currency THEN l.amount_minor END), 0) AS BIGINT)` +
	contained + ` JOIN payouts p ON p.tenant_id = b.tenant_id AND p.id = b.payout_id WHERE b.tenant_id = $1` + notItsOwn

func scanJournal(w row, l *pay.JournalLine, more ...any) error {
	var caseObject, source string
	if err := w.Scan(append([]any{&l.Seq, at(&l.At), &l.EntryID, &l.Kind, &l.Fact, &l.Cause.Kind, &l.Cause.ID, &l.OrderID, &l.Memo, &l.Amount.Currency,
		&l.Account, &l.ICustomer, &l.Amount.Minor, &caseObject, &l.BalanceTransaction, &source, &l.PayoutID}, more...)...); err != nil {
		return err
	}
	root, _, _ := strings.Cut(l.Fact, ":")
	switch {
	case strings.HasPrefix(root, "txn_"):
		l.Object = source
		if l.BalanceTransaction == "" { // a settle booked the fee; the sweep has not listed it yet
			l.BalanceTransaction = root
		}
	case strings.HasPrefix(root, "unc_"):
		l.Object = caseObject
	default:
		l.Object = root
	}
	return nil
}

// within is a span as the database compares it.
func within(span pay.ExportSpan) (from, until int64) {
	from = math.MinInt64
	if !span.From.IsZero() {
		from = span.From.UnixMicro()
	}
	return from, span.Until.UnixMicro()
}

// WalkJournal implements pay.Reader.
func (r reader) WalkJournal(ctx context.Context, span pay.ExportSpan, fn func(*pay.JournalLine) error) error {
	from, until := within(span)
	return each(ctx, r, "the journal", func(w row) error {
		var l pay.JournalLine
		if err := scanJournal(w, &l); err != nil {
			return r.fail("list the journal", err)
		}
		return fn(&l)
	}, journalSelect, span.TenantID, from, until)
}

// WalkPayout implements pay.Reader.
func (r reader) WalkPayout(ctx context.Context, tenantID, payoutID string, fn func(*pay.PayoutLine) error) error {
	return each(ctx, r, "a payout's journal", func(w row) error {
		var l pay.JournalLine
		p := pay.PayoutLine{Line: &l}
		if err := scanJournal(w, &l, &p.Net.Currency, &p.Net.Minor); err != nil {
			return r.fail("list a payout's journal", err)
		}
		p.BalanceTransaction = l.BalanceTransaction
		if l.EntryID == "" {
			p.Line = nil
		}
		return fn(&p)
	}, payoutLines, tenantID, payoutID)
}

// PayoutByID implements pay.Reader.
func (r reader) PayoutByID(ctx context.Context, tenantID, id string) (*pay.Payout, error) {
	return one(ctx, r, "payout", scanPayout, payoutSelect+` WHERE tenant_id = $1 AND id = $2`, tenantID, id)
}

// ListPayouts implements pay.Reader. A page begins after the payout that the last one ended
// with, in the order of time and id.
func (r reader) ListPayouts(ctx context.Context, f pay.PayoutFilter) ([]*pay.PayoutCheck, error) {
	after := &pay.Payout{StripePayout: pay.StripePayout{CreatedAt: time.UnixMicro(math.MaxInt64)}}
	if f.After != "" {
		var err error
		if after, err = r.PayoutByID(ctx, f.TenantID, f.After); err != nil {
			return nil, err
		}
	}
	payouts, err := many(ctx, r, "payouts", scanPayout, payoutSelect+` WHERE tenant_id = $1 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4`,
		f.TenantID, after.CreatedAt.UnixMicro(), f.After, clampLimit(f.Limit, 50, 200))
	if err != nil || len(payouts) == 0 {
		return nil, err
	}
	checks, ids, byID := make([]*pay.PayoutCheck, len(payouts)), make([]string, len(payouts)), map[string]*pay.PayoutCheck{}
	for i, p := range payouts {
		checks[i], ids[i] = &pay.PayoutCheck{Payout: p, Ledger: pay.Money{Currency: p.Amount.Currency}}, p.ID
		byID[p.ID] = checks[i]
	}
	args, in := list([]any{f.TenantID}, ids)
	return checks, each(ctx, r, "payouts' sums", func(w row) error {
		var id string
		var count, sum int64
		if err := w.Scan(&id, &count, &sum); err != nil {
			return r.fail("list payouts' sums", err)
		}
		byID[id].Transactions, byID[id].Ledger.Minor = count, sum
		return nil
	}, payoutSums+` AND b.payout_id IN (`+in+`) GROUP BY b.payout_id`, args...)
}

// asOfOneMoment runs reads that must see the same state of the database.
func (s *Store) asOfOneMoment(ctx context.Context, what string, read func(r reader) error) error {
	t, err := s.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: s.snapshot()})
	if err != nil {
		return classify("begin reading "+what, err)
	}
	defer func() { _ = t.Rollback() }()
	return read(reader{c: t, keys: s.keys})
}

// ReadStatement implements pay.Reader: opening balance and movements of the same moment.
func (s *Store) ReadStatement(ctx context.Context, q pay.StatementQuery, begin func(int64) error, fn func(*pay.StatementLine) error) error {
	return s.asOfOneMoment(ctx, "the statement", func(r reader) error { return r.ReadStatement(ctx, q, begin, fn) })
}

// ReadStatement implements pay.Reader, in the transaction that it is called in.
func (r reader) ReadStatement(ctx context.Context, q pay.StatementQuery, begin func(int64) error, fn func(*pay.StatementLine) error) error {
	const lines = ` FROM ledger_entries e JOIN ledger_lines l ON l.tenant_id = e.tenant_id AND l.entry_id = e.id AND l.account = 'customer' AND l.customer_id = $2`
	const of = ` WHERE e.tenant_id = $1 AND e.currency = $3`
	from, until := within(q.ExportSpan)
	opening, err := one(ctx, r, "opening balance", func(w row, minor *int64) error { return w.Scan(minor) },
		`SELECT CAST(COALESCE(-SUM(l.amount_minor), 0) AS BIGINT)`+lines+of+` AND e.at < $4`, q.TenantID, q.CustomerID, q.Currency, from)
	if err != nil {
		return err
	}
	if err := begin(*opening); err != nil {
		return err
	}
	return each(ctx, r, "the statement", func(w row) error {
		l := pay.StatementLine{Amount: pay.Money{Currency: q.Currency}}
		if err := w.Scan(at(&l.At), &l.EntryID, &l.Kind, &l.Fact, &l.Memo, &l.OrderID, &l.ContentID, &l.FeatureName, &l.Amount.Minor); err != nil {
			return r.fail("list the statement", err)
		}
		return fn(&l)
	}, `SELECT e.at, e.id, e.kind, e.fact, e.memo, COALESCE(e.order_id, ''), COALESCE(o.content_id, 0), COALESCE(o.feature_name, ''), -l.amount_minor`+lines+`
		LEFT JOIN orders o ON o.tenant_id = e.tenant_id AND o.id = e.order_id`+of+` AND e.at >= $4 AND e.at < $5 ORDER BY e.at, e.seq, l.number`,
		q.TenantID, q.CustomerID, q.Currency, from, until)
}

// CustomerCurrencies implements pay.Reader.
func (r reader) CustomerCurrencies(ctx context.Context, tenantID, customerID string) ([]pay.Currency, error) {
	list, err := many(ctx, r, "customer's currencies", func(w row, c *pay.Currency) error { return w.Scan(c) },
		`SELECT currency FROM customer_balances WHERE tenant_id = $1 AND customer_id = $2 ORDER BY currency`, tenantID, customerID)
	return values(list), err
}

// ReadVAT implements pay.Reader: all sides of the same moment.
func (s *Store) ReadVAT(ctx context.Context, span pay.ExportSpan, to pay.VATSides) error {
	return s.asOfOneMoment(ctx, "the VAT summary", func(r reader) error { return r.ReadVAT(ctx, span, to) })
}

// vatEntries are the entries of every payment of which something was booked in the span,
// from the payment on; vatOther what has no cart. CROSS JOIN and the sum are how SQLite is
// told to begin with the orders of the span (sqlite.org/optoverview.html, "Manual control
// of query plans using CROSS JOIN"), instead of all that was ever booked before its end.
const (
	vatEntries = `SELECT e.order_id, e.kind, e.fact, e.at, -l.amount_minor, o.cart
		FROM (SELECT DISTINCT order_id FROM ledger_entries WHERE tenant_id = $1 AND at >= $2 AND at < $3 AND unclaimed_id IS NULL AND order_id IS NOT NULL) x
		CROSS JOIN ledger_entries e CROSS JOIN ledger_lines l CROSS JOIN orders o
		WHERE e.tenant_id = $1 AND e.order_id = x.order_id AND e.at + 0 < $3 AND e.unclaimed_id IS NULL
			AND l.tenant_id = e.tenant_id AND l.entry_id = e.id AND l.account = 'customer' AND o.tenant_id = e.tenant_id AND o.id = e.order_id
		ORDER BY e.order_id, e.seq, l.number`
	vatOther = `SELECT e.currency, l.account, CAST(SUM(l.amount_minor) AS BIGINT)
		FROM ledger_entries e JOIN ledger_lines l ON l.tenant_id = e.tenant_id AND l.entry_id = e.id
		WHERE e.tenant_id = $1 AND e.at >= $2 AND e.at < $3 AND (l.account = 'vat' OR (l.account = 'customer' AND e.unclaimed_id IS NOT NULL))
		GROUP BY e.currency, l.account ORDER BY e.currency, l.account`
)

// ReadVAT implements pay.Reader, in the transaction that it is called in.
func (r reader) ReadVAT(ctx context.Context, span pay.ExportSpan, to pay.VATSides) error {
	from, until := within(span)
	if err := each(ctx, r, "payments and refunds", func(w row) error {
		var e pay.VATEntry
		var micros int64
		if err := w.Scan(&e.OrderID, &e.Kind, &e.Fact, &micros, &e.AmountMinor, doc{&e.Cart}); err != nil {
			return r.fail("list payments and refunds", err)
		}
		e.InSpan = micros >= from
		return to.Entry(&e)
	}, vatEntries, span.TenantID, from, until); err != nil {
		return err
	}
	return each(ctx, r, "VAT without a cart", func(w row) error {
		var c pay.Currency
		var account pay.Account
		var minor int64
		if err := w.Scan(&c, &account, &minor); err != nil {
			return r.fail("list VAT without a cart", err)
		}
		if account == pay.AccountVAT {
			return to.OnFees(c, minor)
		}
		return to.NoOrder(c, -minor)
	}, vatOther, span.TenantID, from, until)
}
