package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/portatill/portatill/pay"
)

// The dialects, as Dialect returns them.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// Options say which database to open, and how.
type Options struct {
	// URL is "sqlite:path/to/file.db" or "postgres://user:password@host/name?…".
	URL string
	// SecretKey encrypts the tenants' secrets: PORTATILL_SECRET_KEY, at least 32
	// characters of randomness.
	SecretKey pay.Secret
	// OlderKeys can still decrypt, for the time of a rotation; Reseal ends it.
	OlderKeys []pay.Secret
	// Exclusive refuses to open a SQLite file that another process has opened
	// exclusively: `serve` sets it, short-lived commands do not. It means nothing for
	// PostgreSQL, which many instances share.
	Exclusive bool
	// BusyTimeout is how long a SQLite statement waits for another process's write
	// lock before it fails with CodeUnavailable; 0 means 5 s.
	BusyTimeout time.Duration
	// MaxConns bounds the connections to PostgreSQL, or SQLite's readers; 0 means 16
	// and 4.
	MaxConns int
}

// EnqueueFunc inserts a job in the given transaction.
type EnqueueFunc func(ctx context.Context, tx *sql.Tx, j pay.Job) error

// Store is a pay.Store. It is safe for concurrent use.
type Store struct {
	reader
	dialect string
	writer  *sql.DB
	readers *sql.DB // the same pool as writer on PostgreSQL
	enqueue EnqueueFunc
	lock    *fileLock
	group   *group // nil on PostgreSQL
}

var _ pay.Store = (*Store)(nil)

// Open opens the database that o.URL names. It does not migrate: a database
// without our schema opens, Ping says what is wrong with it and Migrate mends it.
func Open(ctx context.Context, o Options) (*Store, error) {
	keys, err := newKeyring(o.SecretKey, o.OlderKeys)
	if err != nil {
		return nil, err
	}
	s := &Store{}
	switch {
	case strings.HasPrefix(o.URL, "sqlite:"):
		err = s.openSQLite(ctx, o)
	case strings.HasPrefix(o.URL, "postgres://"), strings.HasPrefix(o.URL, "postgresql://"):
		err = s.openPostgres(ctx, o)
	default:
		err = errors.New("the database address must be sqlite:path/to/file.db or postgres://user@host/name (PORTATILL_DATABASE_URL)")
	}
	if err != nil {
		return nil, err
	}
	s.reader = reader{c: s.readers, keys: keys}
	return s, nil
}

// Close closes the database. Transactions that run are waited for.
func (s *Store) Close() error {
	err := s.writer.Close()
	if s.readers != s.writer {
		err = errors.Join(err, s.readers.Close())
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.release())
	}
	if err != nil {
		return fmt.Errorf("close the database: %w", err)
	}
	return nil
}

// SetEnqueuer says how Tx.Enqueue inserts a job. It is called once, at wiring,
// before the store is used.
func (s *Store) SetEnqueuer(f EnqueueFunc) { s.enqueue = f }

// DB is the pool that writes, for the job queue's own tables. On SQLite it has
// one connection.
func (s *Store) DB() *sql.DB { return s.writer }

// Dialect is "sqlite" or "postgres".
func (s *Store) Dialect() string { return s.dialect }
