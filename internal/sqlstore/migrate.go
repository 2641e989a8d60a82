package sqlstore

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/sqlite/*.sql migrations/postgres/*.sql
var migrations embed.FS

// What Ping finds instead of our schema.
var (
	ErrSchemaOlder      = errors.New("the database has an older schema than this portatill: run `portatill migrate`")
	ErrSchemaNewer      = errors.New("the database has a newer schema than this portatill: install the release that made it, or a newer one")
	ErrSchemaUnreleased = errors.New("the database was made by a build before the first release and cannot be brought up to date: start with a new one")
)

// ErrSchemaEmpty is ErrSchemaOlder of a database that nothing has been put into yet.
var ErrSchemaEmpty = fmt.Errorf("the database is empty: `portatill migrate`, or a first `portatill serve`, makes its tables%w", quietly{ErrSchemaOlder})

// quietly is an error that is found by errors.Is and says nothing.
type quietly struct{ error }

func (q quietly) Error() string { return "" }
func (q quietly) Unwrap() error { return q.error }

// versionTable is where goose notes what was applied.
const versionTable = "portatill_schema"

// schemaVersion is the version of the newest embedded migration; a test holds
// it to the files.
const schemaVersion = 3

// firstVersion is that of the oldest schema that can be brought up to date. Versions 1 and 2
// were changed in place while nothing was released.
const firstVersion = 3

// Migrate brings the schema to this release's. It may be called again, also by
// several processes at once: PostgreSQL's take turns by an advisory lock,
// SQLite's by its one writer. Each migration is one transaction. A newer schema is
// refused with ErrSchemaNewer, one from before the first release with
// ErrSchemaUnreleased.
func (s *Store) Migrate(ctx context.Context) error {
	if err := s.checkSchema(ctx); !errors.Is(err, ErrSchemaOlder) {
		return err
	}
	err := s.migrate(ctx)
	if err != nil && s.checkSchema(ctx) == nil {
		return nil // another process was quicker
	}
	return err
}

func (s *Store) migrate(ctx context.Context) error {
	dialect := goose.DialectSQLite3
	options := []goose.ProviderOption{goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true)}
	if s.dialect == Postgres {
		dialect = goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	files, err := fs.Sub(migrations, "migrations/"+s.dialect)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	provider, err := goose.NewProvider(dialect, s.writer, files, options...)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return classify("migrate", err)
	}
	return nil
}

// Ping says whether the database answers and has exactly our schema: an older
// or newer one is ErrSchemaOlder or ErrSchemaNewer.
func (s *Store) Ping(ctx context.Context) error { return s.checkSchema(ctx) }

func (s *Store) checkSchema(ctx context.Context) error {
	exists := "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = $1"
	if s.dialect == Postgres {
		exists = "SELECT COUNT(*) FROM pg_catalog.pg_class WHERE oid = to_regclass($1)"
	}
	var n int
	if err := s.readers.QueryRowContext(ctx, exists, versionTable).Scan(&n); err != nil {
		return classify("read the schema's version", err)
	}
	if n == 0 {
		return ErrSchemaEmpty
	}
	var version int64
	err := s.readers.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM "+versionTable).Scan(&version)
	switch {
	case err != nil:
		return classify("read the schema's version", err)
	case version > 0 && version < firstVersion:
		return ErrSchemaUnreleased
	case version < schemaVersion:
		return ErrSchemaOlder
	case version > schemaVersion:
		return ErrSchemaNewer
	}
	return nil
}

// SchemaDigest identifies the schema of a dialect: two builds with the same
// digest make the same tables. Tests name their template databases by it.
func SchemaDigest(dialect string) (string, error) {
	sum := sha256.New()
	files, err := fs.Glob(migrations, "migrations/"+dialect+"/*.sql")
	if err != nil || len(files) == 0 {
		return "", fmt.Errorf("no migrations for %q: %w", dialect, err)
	}
	for _, name := range files {
		body, err := migrations.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("read migration %s: %w", name, err)
		}
		fmt.Fprintf(sum, "%s %d\n", name, len(body))
		sum.Write(body)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
}
