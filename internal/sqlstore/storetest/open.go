// Package storetest is the conformance suite of the store and what other
// packages' tests need to run on both databases: fresh, migrated stores (Each,
// OpenSQLite, OpenPostgres), rows to start from (fixtures.go) and the jobs that
// were enqueued (Jobs). Nothing but tests may import it.
package storetest

import (
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/pay"
)

// SecretKey is the key of every test store.
const SecretKey pay.Secret = "a secret key for tests only, 32 characters and more"

// PostgresVariable names an administrator's address of a PostgreSQL server,
// where tests may make and drop databases.
const PostgresVariable = "PORTATILL_TEST_POSTGRES_URL"

// Each runs a test on SQLite and on PostgreSQL, in parallel. open gives a fresh,
// migrated store that is closed and removed with the test it is given; its jobs
// are recorded (Jobs).
func Each(t *testing.T, test func(t *testing.T, open func(t testing.TB) *sqlstore.Store)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, OpenSQLite)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		NeedPostgres(t)
		test(t, OpenPostgres)
	})
}

// OpenSQLite gives a fresh, migrated store in a temporary file.
func OpenSQLite(t testing.TB) *sqlstore.Store {
	t.Helper()
	return open(t, sqlstore.Options{URL: "sqlite:" + NewSQLiteFile(t)})
}

// NewSQLiteFile makes a migrated database file, a copy of one that is made once
// per process, and returns its path.
func NewSQLiteFile(t testing.TB) string {
	t.Helper()
	body, err := sqliteTemplate()
	if err != nil {
		t.Fatalf("make the SQLite template: %v", err)
	}
	path := filepath.Join(t.TempDir(), "portatill.db")
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var sqliteTemplate = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "portatill-template-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "template.db")
	if err := migrate("sqlite:" + path); err != nil {
		return nil, err
	}
	return os.ReadFile(path) // closing the last connection moved the WAL into it
})

// migrate makes our tables and the one that records jobs.
func migrate(address string) error {
	ctx := context.Background()
	s, err := sqlstore.Open(ctx, sqlstore.Options{URL: address, SecretKey: SecretKey})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Migrate(ctx); err != nil {
		return err
	}
	_, err = s.DB().ExecContext(ctx, "CREATE TABLE test_jobs (kind TEXT NOT NULL, job TEXT NOT NULL)")
	return err
}

func open(t testing.TB, o sqlstore.Options) *sqlstore.Store {
	t.Helper()
	o.SecretKey = SecretKey
	s, err := sqlstore.Open(context.Background(), o)
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	s.SetEnqueuer(Record)
	return s
}

// Record is the enqueuer of every test store: it writes the job to a table, in
// the transaction, so that a job that was rolled back is not there.
func Record(ctx context.Context, tx *sql.Tx, j pay.Job) error {
	if raw, ok := j.(RawSQL); ok {
		_, err := tx.ExecContext(ctx, raw.Query, raw.Args...)
		return err
	}
	body, err := json.Marshal(j)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO test_jobs (kind, job) VALUES ($1, $2)", j.JobKind(), string(body))
	return err
}

// RawSQL is a job that Record runs instead of storing it: a test's way to a
// statement in the middle of a pay.Tx.
type RawSQL struct {
	Query string
	Args  []any
}

// JobKind implements pay.Job.
func (RawSQL) JobKind() string { return "raw_sql" }

// Jobs returns the committed jobs of one kind, such as Jobs[pay.SettleJob](t, s).
func Jobs[T pay.Job](t testing.TB, s *sqlstore.Store) []T {
	t.Helper()
	var zero T
	rows, err := s.DB().QueryContext(context.Background(), "SELECT job FROM test_jobs WHERE kind = $1 ORDER BY job", zero.JobKind())
	if err != nil {
		t.Fatalf("read the jobs: %v", err)
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		var body string
		if err := rows.Scan(&body); err != nil {
			t.Fatal(err)
		}
		var j T
		if err := json.Unmarshal([]byte(body), &j); err != nil {
			t.Fatal(err)
		}
		out = append(out, j)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
