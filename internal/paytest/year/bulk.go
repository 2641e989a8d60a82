package year

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/portatill/portatill/internal/sqlstore"
)

// table is one that the year has rows of.
type table struct {
	name    string
	columns []string
}

func columns(name, list string) table {
	return table{name, strings.Fields(list)}
}

// tables come in the order in which they refer to each other.
var tables = []table{
	columns("customers", "id tenant_id i_customer i_parent name email phone company address record created_at updated_at"),
	columns("events", "id tenant_id stripe_id type object_id api_version livemode payload state note received_at done_at"),
	columns("orders", `id tenant_id customer_id pay_token kind state state_reason currency total_minor cart success_url cancel_url payment_methods license_id
		content_id feature_name card_info idempotency_key digest open_digest request created_at updated_at paid_at evidence`),
	columns("attempts", `id tenant_id order_id number kind state idempotency_key currency amount_minor stripe_account session_id intent_id stripe_customer card_id
		save_card url failure expires_at started_at created_at updated_at check_at`),
	columns("payments", `id tenant_id order_id attempt_id customer_id stripe_account intent_id charge_id session_id currency amount_minor vat_minor refunded_minor
		fee_currency fee_minor balance_transaction method receipt_url cause_kind cause_id paid_at created_at updated_at`),
	columns("refunds", "id tenant_id payment_id order_id stripe_refund_id state currency amount_minor reason cause_kind cause_id created_at updated_at"),
	columns("disputes", "id tenant_id payment_id order_id stripe_dispute_id state currency amount_minor reason due_by cause_kind cause_id created_at updated_at"),
	columns("ledger_entries", "id tenant_id kind fact currency cause_kind cause_id order_id unclaimed_id memo at hash"),
	columns("ledger_lines", "tenant_id entry_id number account customer_id amount_minor"),
	columns("closed_days", "tenant_id day entries last_seq previous hash closed_at"),
	columns("customer_balances", "tenant_id customer_id currency credit_minor"),
	columns("postings", "id tenant_id order_id customer_id kind subject_id currency amount_minor state created_at updated_at"),
	columns("deliveries", "id tenant_id order_id type fact payload state created_at updated_at"),
	columns("story", "id tenant_id order_id at what cause_kind cause_id detail"),
	columns("payouts", "id tenant_id status currency amount_minor automatic foreign_minor created_at arrival_at matched_at updated_at"),
	columns("balance_transactions", `id tenant_id type category source_id intent_id fact source_currency source_minor currency amount_minor fee_minor tax_minor
		exchange_rate payout_id created_at available_at learnt_at`),
}

// bulk writes many rows at once, in transactions that commit ends.
type bulk interface {
	// firstSeq is what the database will number the next ledger entry with.
	firstSeq() (int64, error)
	write(t table, rows [][]any) error
	commit() error
	// close ends what is open, also after an error.
	close() error
}

func openBulk(ctx context.Context, s *sqlstore.Store) (bulk, error) {
	c, err := s.DB().Conn(ctx)
	if err != nil {
		return nil, err
	}
	if s.Dialect() == sqlstore.Postgres {
		return &copier{ctx: ctx, c: c}, nil
	}
	// Not synced: a year that a power cut spoils is made again. The store's own settings
	// come back with close, because SQLite's writer is this one connection.
	if _, err := c.ExecContext(ctx, "PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; PRAGMA wal_autocheckpoint = 20000"); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	// Store.InTx waits for the only connection: it is given back between the days.
	return &inserter{ctx: ctx, db: s.DB()}, c.Close()
}

// inserter writes to SQLite with INSERTs of many rows.
type inserter struct {
	ctx context.Context
	db  *sql.DB
	tx  *sql.Tx
}

func (i *inserter) firstSeq() (n int64, err error) {
	err = i.db.QueryRowContext(i.ctx, "SELECT COALESCE(MAX(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'ledger_entries'").Scan(&n)
	return n, err
}

func (i *inserter) write(t table, rows [][]any) (err error) {
	if i.tx == nil {
		if i.tx, err = i.db.BeginTx(i.ctx, nil); err != nil {
			return err
		}
	}
	// Two texts for each table, so that SQLite compiles few.
	const many = 50
	for chunk := range slices.Chunk(rows, many) {
		if len(chunk) < many {
			for one := range slices.Chunk(chunk, 1) {
				if err := i.insert(t, one); err != nil {
					return err
				}
			}
			continue
		}
		if err := i.insert(t, chunk); err != nil {
			return err
		}
	}
	return nil
}

func (i *inserter) insert(t table, rows [][]any) error {
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES ", t.name, strings.Join(t.columns, ", "))
	args := make([]any, 0, len(rows)*len(t.columns))
	for n, row := range rows {
		if len(row) != len(t.columns) {
			return fmt.Errorf("%d values for %d columns", len(row), len(t.columns))
		}
		if n > 0 {
			b.WriteString(", ")
		}
		b.WriteString("(?" + strings.Repeat(", ?", len(row)-1) + ")")
		args = append(args, row...)
	}
	_, err := i.tx.ExecContext(i.ctx, b.String(), args...)
	return err
}

func (i *inserter) commit() error {
	if i.tx == nil {
		return nil
	}
	err := i.tx.Commit()
	i.tx = nil
	return err
}

func (i *inserter) close() error {
	if i.tx != nil {
		_ = i.tx.Rollback() // after an error; the error is told
	}
	_, err := i.db.ExecContext(i.ctx, "PRAGMA synchronous = FULL; PRAGMA cache_size = -16000; PRAGMA wal_autocheckpoint = 1000; ANALYZE")
	return err
}

// copier writes to PostgreSQL with COPY.
type copier struct {
	ctx context.Context
	c   *sql.Conn
	tx  pgx.Tx
}

// raw gives pgx's own connection, which has COPY (pkg.go.dev/github.com/jackc/pgx/v5/stdlib).
func (p *copier) raw(fn func(c *pgx.Conn) error) error {
	return p.c.Raw(func(c any) error {
		own, ok := c.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("the store's connection is a %T, not pgx's", c)
		}
		return fn(own.Conn())
	})
}

func (p *copier) firstSeq() (n int64, err error) {
	// A database that was used before keeps its sequence when its rows are deleted.
	err = p.c.QueryRowContext(p.ctx, "SELECT nextval(pg_get_serial_sequence('ledger_entries', 'seq')) + 1").Scan(&n)
	return n, err
}

func (p *copier) write(t table, rows [][]any) error {
	return p.raw(func(c *pgx.Conn) (err error) {
		if p.tx == nil {
			if p.tx, err = c.Begin(p.ctx); err != nil {
				return err
			}
		}
		_, err = p.tx.CopyFrom(p.ctx, pgx.Identifier{t.name}, t.columns, pgx.CopyFromRows(rows))
		return err
	})
}

func (p *copier) commit() error {
	if p.tx == nil {
		return nil
	}
	err := p.raw(func(*pgx.Conn) error { return p.tx.Commit(p.ctx) })
	p.tx = nil
	return err
}

func (p *copier) close() error {
	if p.tx != nil {
		_ = p.raw(func(*pgx.Conn) error { return p.tx.Rollback(p.ctx) }) // after an error; the error is told
	}
	// As autovacuum does on a server that lives.
	_, err := p.c.ExecContext(p.ctx, "VACUUM ANALYZE")
	return errors.Join(err, p.c.Close())
}
