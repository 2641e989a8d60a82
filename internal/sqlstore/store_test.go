package sqlstore_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		storetest.Run(t, func(t *testing.T) *sqlstore.Store { return open(t) })
	})
}

// address gives an empty database of the dialect.
func address(t *testing.T, dialect string) string {
	t.Helper()
	if dialect == sqlstore.Postgres {
		return storetest.NewEmptyPostgresDatabase(t)
	}
	return "sqlite:" + filepath.Join(t.TempDir(), "portatill.db")
}

func open(t *testing.T, o sqlstore.Options) *sqlstore.Store {
	t.Helper()
	if o.SecretKey == "" {
		o.SecretKey = storetest.SecretKey
	}
	s, err := sqlstore.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestSchema(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, dialect := range []string{sqlstore.SQLite, sqlstore.Postgres} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			if dialect == sqlstore.Postgres {
				storetest.NeedPostgres(t)
			}
			t.Run("AnEmptyDatabaseIsNotReadyUntilItIsMigratedAndMigratingTwiceIsHarmless", func(t *testing.T) {
				t.Parallel()
				s := open(t, sqlstore.Options{URL: address(t, dialect)})
				if err := s.Ping(ctx); !errors.Is(err, sqlstore.ErrSchemaOlder) {
					t.Errorf("before: %v", err)
				}
				for range 2 {
					if err := s.Migrate(ctx); err != nil {
						t.Fatal(err)
					}
				}
				if err := s.Ping(ctx); err != nil {
					t.Errorf("after: %v", err)
				}
			})
			t.Run("ANewerSchemaIsRefused", func(t *testing.T) {
				t.Parallel()
				s := open(t, sqlstore.Options{URL: address(t, dialect)})
				if err := s.Migrate(ctx); err != nil {
					t.Fatal(err)
				}
				if _, err := s.DB().ExecContext(ctx, "INSERT INTO portatill_schema (version_id, is_applied) VALUES (999, true)"); err != nil {
					t.Fatal(err)
				}
				if err := s.Ping(ctx); !errors.Is(err, sqlstore.ErrSchemaNewer) {
					t.Errorf("Ping: %v", err)
				}
				if err := s.Migrate(ctx); !errors.Is(err, sqlstore.ErrSchemaNewer) {
					t.Errorf("Migrate: %v", err)
				}
			})
			t.Run("FourInstancesThatMigrateAtOnceAllStart", func(t *testing.T) {
				t.Parallel()
				url := address(t, dialect)
				var wg sync.WaitGroup
				for range 4 {
					s := open(t, sqlstore.Options{URL: url})
					wg.Go(func() {
						if err := errors.Join(s.Migrate(ctx), s.Ping(ctx)); err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
			})
		})
	}
}

// TestBothSchemasAreTheSame compares the catalogues column by column.
func TestBothSchemasAreTheSame(t *testing.T) {
	t.Parallel()
	storetest.NeedPostgres(t)
	columns := func(s *sqlstore.Store, query string) []string {
		rows, err := s.DB().Query(query)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var out []string
		for rows.Next() {
			var table, column, kind, null string
			if err := rows.Scan(&table, &column, &kind, &null); err != nil {
				t.Fatal(err)
			}
			out = append(out, strings.Join([]string{table, column, kind, null}, " "))
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		slices.Sort(out)
		return out
	}
	// SQLite's ledger_never and ledger_open do what a deferred trigger does on
	// PostgreSQL; its views have columns without types.
	lite := columns(storetest.OpenSQLite(t), `SELECT m.name, c.name,
			CASE WHEN m.type = 'view' THEN '' ELSE c.type END, CASE WHEN m.type = 'table' AND c."notnull" = 1 THEN 'NOT NULL' ELSE '' END
		FROM sqlite_master m JOIN pragma_table_info(m.name) c
		WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite_%' AND m.name NOT IN ('ledger_never', 'ledger_open', 'portatill_schema', 'test_jobs')`)
	postgres := columns(storetest.OpenPostgres(t), `SELECT c.table_name, c.column_name,
			CASE WHEN t.table_type = 'VIEW' THEN '' ELSE CASE c.data_type WHEN 'bigint' THEN 'INTEGER' WHEN 'boolean' THEN 'INTEGER'
				WHEN 'text' THEN 'TEXT' WHEN 'bytea' THEN 'BLOB' ELSE c.data_type END END,
			CASE WHEN t.table_type <> 'VIEW' AND c.is_nullable = 'NO' THEN 'NOT NULL' ELSE '' END
		FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
		WHERE c.table_schema = 'public' AND c.table_name NOT IN ('portatill_schema', 'test_jobs', 'test_template')`)
	if len(lite) < 200 {
		t.Errorf("only %d columns were read", len(lite))
	}
	if d := cmp.Diff(lite, postgres); d != "" {
		t.Errorf("SQLite − PostgreSQL +:\n%s", d)
	}
}

func TestSQLiteFile(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("ASecondServerOnTheSameFileRefusesToStartAndACommandDoesNot", func(t *testing.T) {
		t.Parallel()
		url := "sqlite:" + storetest.NewSQLiteFile(t)
		first := open(t, sqlstore.Options{URL: url, Exclusive: true})
		_, err := sqlstore.Open(ctx, sqlstore.Options{URL: url, Exclusive: true, SecretKey: storetest.SecretKey})
		if err == nil || !strings.Contains(err.Error(), "another portatill") {
			t.Errorf("second server: %v", err)
		}
		command := open(t, sqlstore.Options{URL: url})
		if err := command.Ping(ctx); err != nil {
			t.Errorf("command: %v", err)
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		open(t, sqlstore.Options{URL: url, Exclusive: true})
	})
	t.Run("NoSecretIsInTheFilesBytes", func(t *testing.T) {
		t.Parallel()
		path := storetest.NewSQLiteFile(t)
		s := open(t, sqlstore.Options{URL: "sqlite:" + path})
		tenant := storetest.Tenant(t, s)
		var all []byte
		for _, name := range []string{path, path + "-wal"} {
			body, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, body...)
		}
		if !bytes.Contains(all, []byte(tenant.Slug)) {
			t.Fatal("the tenant is not in the files that were looked at")
		}
		for _, secret := range []pay.Secret{tenant.SigningSecret, tenant.StripeKey, tenant.StripeWebhookSecrets[0], tenant.OutboundSecret, storetest.SecretKey} {
			if bytes.Contains(all, []byte(secret.Reveal())) {
				t.Errorf("a secret is in the file in clear (%.4s…)", secret.Reveal())
			}
		}
	})
	t.Run("ABusyDatabaseSaysComeBack", func(t *testing.T) {
		t.Parallel()
		path := storetest.NewSQLiteFile(t)
		s := open(t, sqlstore.Options{URL: "sqlite:" + path, BusyTimeout: time.Millisecond})
		tenant := storetest.Tenant(t, s)
		other, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		other.SetMaxOpenConns(1)
		if _, err := other.Exec("BEGIN IMMEDIATE"); err != nil {
			t.Fatal(err)
		}
		err = s.InTx(ctx, func(tx pay.Tx) error { return tx.SetStripeAccount(ctx, tenant.ID, "acct_2", false) })
		var e *pay.Error
		if !errors.As(err, &e) || e.Code != pay.CodeUnavailable || e.RetryAfter != time.Second {
			t.Errorf("while another process writes: %v", err)
		}
		if _, err := s.TenantByID(ctx, tenant.ID); err != nil {
			t.Errorf("a reader was kept waiting: %v", err)
		}
		if _, err := other.Exec("ROLLBACK"); err != nil {
			t.Fatal(err)
		}
		storetest.Write(t, s, func(ctx context.Context, tx pay.Tx) error {
			return tx.SetStripeAccount(ctx, tenant.ID, "acct_2", false)
		})
	})
	t.Run("AFullDiskSaysComeBackAndLosesNothing", func(t *testing.T) {
		t.Parallel()
		s := storetest.OpenSQLite(t)
		c := storetest.Customer(t, s, storetest.Tenant(t, s).ID)
		if _, err := s.DB().Exec("PRAGMA max_page_count = 1"); err != nil { // no page more than there are
			t.Fatal(err)
		}
		big := storetest.NewOrder(c, func(o *pay.Order) { o.Request = strings.Repeat("x", 1<<20) })
		err := s.InTx(ctx, func(tx pay.Tx) error { return tx.InsertOrder(ctx, big) })
		if pay.CodeOf(err) != pay.CodeUnavailable {
			t.Errorf("with a full disk: %v", err)
		}
		small := storetest.NewOrder(c)
		err = s.InTx(ctx, func(tx pay.Tx) error {
			_ = tx.InsertOrder(ctx, big) // a caller that does not look
			return tx.InsertOrder(ctx, small)
		})
		if _, read := s.OrderByID(ctx, small.TenantID, small.ID); pay.CodeOf(err) != pay.CodeUnavailable || !pay.IsNotFound(read) {
			t.Errorf("half a transaction on a full disk: %v, then %v", err, read)
		}
		if _, err := s.DB().Exec("PRAGMA max_page_count = 1000000"); err != nil {
			t.Fatal(err)
		}
		storetest.Order(t, s, c)
	})
	t.Run("TheReadersCannotWrite", func(t *testing.T) {
		t.Parallel()
		s := storetest.OpenSQLite(t)
		var mode int
		if err := sqlstore.Readers(s).QueryRow("PRAGMA query_only").Scan(&mode); err != nil || mode != 1 {
			t.Errorf("query_only is %d: %v", mode, err)
		}
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "recursive_triggers": "1", "busy_timeout": "5000"} {
			var got string
			if err := s.DB().QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s is %s, want %s (%v)", pragma, got, want, err)
			}
		}
	})
	t.Run("OneStatementReadTwiceAtOnceGivesAllRowsTwice", func(t *testing.T) {
		t.Parallel()
		s := storetest.OpenSQLite(t)
		for range 3 {
			storetest.Tenant(t, s)
		}
		raw, err := s.DB().Begin()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = raw.Rollback() }()
		count := func(each func()) (n int) {
			rows, err := raw.Query("SELECT id FROM tenants ORDER BY id")
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			for rows.Next() {
				n++
				each()
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
			return n
		}
		inner := 0
		outer := count(func() { inner += count(func() {}) })
		if outer != 3 || inner != 9 {
			t.Errorf("the outer loop saw %d rows, the inner ones %d", outer, inner)
		}
	})
	t.Run("TheFileIsItsOwnersAlone", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "a name?with%odd #chars.db")
		s := open(t, sqlstore.Options{URL: "sqlite:" + path})
		if err := s.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{path, path + "-wal", path + "-shm"} {
			info, err := os.Stat(name)
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", name, info, err)
			}
		}
	})
	t.Run("AWrongAddressSaysWhatToDo", func(t *testing.T) {
		t.Parallel()
		for _, url := range []string{"", "mysql://x", "sqlite:", "sqlite::memory:", "sqlite:" + t.TempDir() + "/none/x.db", "postgres://user:hunter2@[bad"} {
			_, err := sqlstore.Open(ctx, sqlstore.Options{URL: url, SecretKey: storetest.SecretKey})
			if err == nil || !strings.Contains(err.Error(), "PORTATILL_DATABASE_URL") || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q: %v", url, err)
			}
		}
	})
}
