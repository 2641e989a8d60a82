package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/portatill/portatill/internal/sqlstore"
)

// NeedPostgres skips a test when there is no server, or fails it where PostgreSQL
// may not be left out.
func NeedPostgres(t testing.TB) {
	t.Helper()
	if os.Getenv(PostgresVariable) != "" {
		return
	}
	message := "PostgreSQL is not tested: set " + PostgresVariable + " to a server where databases may be made and dropped, such as postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"
	if os.Getenv("CI") == "true" || os.Getenv("PORTATILL_TEST_REQUIRE_POSTGRES") == "1" {
		t.Fatal(message)
	}
	t.Skip(message)
}

// OpenPostgres gives a fresh, migrated store in a database of its own.
func OpenPostgres(t testing.TB) *sqlstore.Store {
	t.Helper()
	return open(t, sqlstore.Options{URL: NewPostgresDatabase(t), MaxConns: 8})
}

// NewPostgresDatabase gives a migrated database without rows, for this test
// alone, and returns its address. CREATE DATABASE takes seconds on a busy machine,
// so databases stay on the server and are used again, by whoever holds the
// advisory lock of their number; the lock goes with the connection, so a test
// that is killed leaves nothing locked.
func NewPostgresDatabase(t testing.TB) string {
	t.Helper()
	NeedPostgres(t)
	ctx := context.Background()
	template, err := postgresTemplate()
	if err != nil {
		t.Fatalf("make the PostgreSQL template: %v", err)
	}
	pool, err := adminPool()
	if err != nil {
		t.Fatal(err)
	}
	admin, err := pool.Conn(ctx)
	if err != nil {
		t.Fatalf("connect to PostgreSQL: %v", err)
	}
	t.Cleanup(func() { _ = admin.Close() })
	for n := 0; ; n++ {
		var mine bool
		if err := admin.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1, $2)", lockNumber, n).Scan(&mine); err != nil {
			t.Fatalf("lock a database: %v", err)
		}
		if !mine {
			continue
		}
		t.Cleanup(func() { _, _ = admin.ExecContext(ctx, "SELECT pg_advisory_unlock($1, $2)", lockNumber, n) })
		name := fmt.Sprintf("portatill_pool_%d", n)
		if clean(ctx, databaseURL(t, name), strings.TrimPrefix(template, templatePrefix)) == nil {
			return databaseURL(t, name)
		}
		for _, q := range []string{"DROP DATABASE IF EXISTS " + name + " WITH (FORCE)", "CREATE DATABASE " + name + " TEMPLATE " + template} {
			if _, err := admin.ExecContext(ctx, q); err != nil {
				t.Fatalf("%s: %v", q, err)
			}
		}
		return databaseURL(t, name)
	}
}

// lockNumber is any number that only these tests use.
const lockNumber = 7_069_787

const templatePrefix = "portatill_template_"

// clean deletes a pooled database's rows, or says why it cannot be used again:
// it is not there, of another schema, or a test made tables of its own in it.
func clean(ctx context.Context, address, digest string) error {
	s, err := sqlstore.Open(ctx, sqlstore.Options{URL: address, SecretKey: SecretKey, MaxConns: 1})
	if err != nil {
		return err
	}
	defer s.Close()
	c, err := s.DB().Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	var same bool
	if err := c.QueryRowContext(ctx, "SELECT digest = $1 AND relations = ("+countRelations+") FROM test_template", digest).Scan(&same); err != nil {
		return err
	}
	if !same {
		return errors.New("it was changed")
	}
	// As a replica, neither foreign keys nor the append-only triggers are in the way
	// (postgresql.org/docs/15/runtime-config-client.html, session_replication_role).
	_, err = c.ExecContext(ctx, `DO $$
		DECLARE name TEXT;
		BEGIN
			SET LOCAL session_replication_role = replica;
			FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
					AND relname NOT IN ('portatill_schema', 'test_template') LOOP
				EXECUTE format('DELETE FROM %I', name);
			END LOOP;
		END $$`)
	return err
}

// countRelations counts what a test could have added to a database.
const countRelations = "SELECT COUNT(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"

// NewEmptyPostgresDatabase makes a database without tables and returns its
// address.
func NewEmptyPostgresDatabase(t testing.TB) string {
	t.Helper()
	NeedPostgres(t)
	return createDatabase(t)
}

func createDatabase(t testing.TB) string {
	t.Helper()
	admin, err := adminPool()
	if err != nil {
		t.Fatal(err)
	}
	var raw [8]byte
	if _, err := rand.Read(raw[:]); err != nil {
		t.Fatal(err)
	}
	name := "portatill_test_" + hex.EncodeToString(raw[:])
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatalf("create a database: %v", err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("drop the database: %v", err)
		}
	})
	return databaseURL(t, name)
}

func databaseURL(t testing.TB, name string) string {
	u, err := url.Parse(os.Getenv(PostgresVariable))
	if err != nil {
		t.Fatalf("%s is not an address", PostgresVariable)
	}
	u.Path = "/" + name
	return u.String()
}

// adminPool is shared by all tests of the process and closed with it.
var adminPool = sync.OnceValues(func() (*sql.DB, error) {
	s, err := sqlstore.Open(context.Background(), sqlstore.Options{URL: os.Getenv(PostgresVariable), SecretKey: SecretKey, MaxConns: 40})
	if err != nil {
		return nil, err
	}
	return s.DB(), nil
})

// postgresTemplate makes the template unless a test run before did; an advisory
// lock keeps packages that are tested at the same time from making two.
var postgresTemplate = sync.OnceValues(func() (string, error) {
	ctx := context.Background()
	digest, err := sqlstore.SchemaDigest(sqlstore.Postgres)
	if err != nil {
		return "", err
	}
	name := templatePrefix + digest
	pool, err := adminPool()
	if err != nil {
		return "", err
	}
	admin, err := pool.Conn(ctx)
	if err != nil {
		return "", err
	}
	defer admin.Close()
	if _, err := admin.ExecContext(ctx, "SELECT pg_advisory_lock($1)", lockNumber); err != nil {
		return "", err
	}
	defer func() { _, _ = admin.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", lockNumber) }()
	var n int
	if err := admin.QueryRowContext(ctx, "SELECT COUNT(*) FROM pg_database WHERE datname = $1", name).Scan(&n); err != nil || n > 0 {
		return name, err
	}
	// Under another name until it is whole, in case this process dies here.
	for _, q := range []string{"DROP DATABASE IF EXISTS portatill_template_new WITH (FORCE)", "CREATE DATABASE portatill_template_new"} {
		if _, err := admin.ExecContext(ctx, q); err != nil {
			return "", err
		}
	}
	u, err := url.Parse(os.Getenv(PostgresVariable))
	if err != nil {
		return "", fmt.Errorf("%s is not an address", PostgresVariable)
	}
	u.Path = "/portatill_template_new"
	if err := migrate(u.String()); err != nil {
		return "", err
	}
	if err := describe(ctx, u.String(), digest); err != nil {
		return "", err
	}
	_, err = admin.ExecContext(ctx, "ALTER DATABASE portatill_template_new RENAME TO "+name)
	return name, err
})

// describe writes into the template what clean compares.
func describe(ctx context.Context, address, digest string) error {
	s, err := sqlstore.Open(ctx, sqlstore.Options{URL: address, SecretKey: SecretKey})
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err := s.DB().ExecContext(ctx, "CREATE TABLE test_template (digest TEXT NOT NULL, relations BIGINT NOT NULL)"); err != nil {
		return err
	}
	_, err = s.DB().ExecContext(ctx, "INSERT INTO test_template (digest, relations) VALUES ($1, ("+countRelations+"))", digest)
	return err
}
