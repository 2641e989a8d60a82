package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/portatill/portatill/pay"
)

// conn is what *sql.DB and *sql.Tx have in common.
type conn interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// reader is pay.Reader on a pool or in a transaction.
type reader struct {
	c    conn
	keys *keyring
	// failed, when not nil, is told of every driver's error: a transaction must
	// know of one that its caller swallowed.
	failed func(error)
}

// fail is the one way for a driver's error out of this package.
func (r reader) fail(step string, err error) error {
	if r.failed != nil {
		r.failed(err)
	}
	return classify(step, err)
}

// row is one row to scan: *sql.Row or *sql.Rows.
type row interface{ Scan(dest ...any) error }

// scanFunc fills a T from a row.
type scanFunc[T any] func(r row, v *T) error

// one reads one row; none is CodeNotFound.
func one[T any](ctx context.Context, r reader, what string, scan scanFunc[T], query string, args ...any) (*T, error) {
	v := new(T)
	err := scan(r.c.QueryRowContext(ctx, query, args...), v)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, notFound(what)
	}
	if err != nil {
		return nil, r.fail("read "+what, err)
	}
	return v, nil
}

// many reads all rows before it returns, so that the connection is free again.
func many[T any](ctx context.Context, r reader, what string, scan scanFunc[T], query string, args ...any) ([]*T, error) {
	rows, err := r.c.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, r.fail("list "+what, err)
	}
	defer rows.Close()
	var out []*T
	for rows.Next() {
		v := new(T)
		if err := scan(rows, v); err != nil {
			return nil, r.fail("list "+what, err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, r.fail("list "+what, err)
	}
	return out, nil
}

// each hands over one row after the other, and holds none.
func each(ctx context.Context, r reader, what string, fn func(w row) error, query string, args ...any) error {
	rows, err := r.c.QueryContext(ctx, query, args...)
	if err != nil {
		return r.fail("list "+what, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return r.fail("list "+what, err)
	}
	return nil
}

// exec runs a statement and returns how many rows it touched.
func (r reader) exec(ctx context.Context, step, query string, args ...any) (int64, error) {
	result, err := r.c.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, r.fail(step, err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return 0, r.fail(step, err)
	}
	return n, nil
}

// insert runs an INSERT … ON CONFLICT DO NOTHING; no row is CodeConflict.
func (r reader) insert(ctx context.Context, what, query string, args ...any) error {
	n, err := r.exec(ctx, "insert "+what, query, args...)
	if err == nil && n == 0 {
		return conflict("a " + what)
	}
	return err
}

// must runs an UPDATE of a row that exists; no row is CodeNotFound.
func (r reader) must(ctx context.Context, step, what, query string, args ...any) error {
	n, err := r.exec(ctx, step, query, args...)
	if err == nil && n == 0 {
		return notFound(what)
	}
	return err
}

// moved runs a guarded UPDATE and reports whether it moved a row.
func (r reader) moved(ctx context.Context, step, query string, args ...any) (bool, error) {
	n, err := r.exec(ctx, step, query, args...)
	return n > 0, err
}

// micros is how a time is stored: microseconds since 1970, NULL for the zero
// time.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// text stores "" as NULL, for columns whose values are unique or refer to a row.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// stamp scans what micros stored.
type stamp struct{ t *time.Time }

func at(t *time.Time) stamp { return stamp{t} }

// Scan implements sql.Scanner.
func (s stamp) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*s.t = time.Time{}
	case int64:
		*s.t = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("a time is stored as %T, not as microseconds", v)
	}
	return nil
}

// doc stores and scans a small record as a JSON text.
type doc struct{ v any }

// Scan implements sql.Scanner.
func (d doc) Scan(v any) error {
	var err error
	switch v := v.(type) {
	case string:
		err = json.Unmarshal([]byte(v), d.v)
	case []byte:
		err = json.Unmarshal(v, d.v)
	default:
		return fmt.Errorf("a JSON text is stored as %T", v)
	}
	return err
}

// jsonText writes a record of ours, which cannot fail to marshal: it has
// strings, numbers and lists only.
func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("sqlstore: %T does not marshal: %v", v, err))
	}
	return string(b)
}

// where builds a condition from the filters that are set.
type where struct {
	terms []string
	args  []any
}

// and adds a term; its %d is the number of the argument.
func (w *where) and(term string, arg any) {
	w.args = append(w.args, arg)
	w.terms = append(w.terms, fmt.Sprintf(term, len(w.args)))
}

// in adds a term for a column that has one of some values.
func (w *where) in(column string, values []string) {
	marks := make([]string, len(values))
	for i, v := range values {
		w.args = append(w.args, v)
		marks[i] = fmt.Sprintf("$%d", len(w.args))
	}
	w.terms = append(w.terms, column+" IN ("+strings.Join(marks, ", ")+")")
}

func (w *where) String() string {
	if len(w.terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.terms, " AND ")
}

// clampLimit bounds how many rows a list returns.
func clampLimit(n, usual, most int) int {
	if n <= 0 {
		return usual
	}
	return min(n, most)
}

var _ pay.Reader = reader{}
