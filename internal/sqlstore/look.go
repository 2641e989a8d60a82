package sqlstore

import (
	"context"
	"strings"
)

// Look is how the database is set, for an operator to compare with how it should be.
type Look struct {
	Dialect string
	Version string // of SQLite, or of the PostgreSQL server
	// TooOld says that this version can lose committed data.
	TooOld bool
	// Journal and Durable are SQLite's journal_mode and synchronous in words ("wal",
	// "full"), for PostgreSQL "" and synchronous_commit.
	Journal string
	Durable string
}

// SchemaVersion is the version of the schema that this build works with; Ping says when
// the database has another.
const SchemaVersion = schemaVersion

// Look reads the settings of the connection that writes. It changes nothing.
func (s *Store) Look(ctx context.Context) (Look, error) {
	l := Look{Dialect: s.dialect}
	read := func(query string, into any) error {
		if err := s.writer.QueryRowContext(ctx, query).Scan(into); err != nil {
			return classify("look at the database's settings", err)
		}
		return nil
	}
	if s.dialect == Postgres {
		if err := read("SHOW server_version", &l.Version); err != nil {
			return l, err
		}
		l.Version, _, _ = strings.Cut(l.Version, " ")
		return l, read("SHOW synchronous_commit", &l.Durable)
	}
	if err := read("SELECT sqlite_version()", &l.Version); err != nil {
		return l, err
	}
	l.TooOld = olderVersion(l.Version, oldestSQLite)
	if err := read("PRAGMA journal_mode", &l.Journal); err != nil {
		return l, err
	}
	var level int
	if err := read("PRAGMA synchronous", &level); err != nil {
		return l, err
	}
	// sqlite.org/pragma.html#pragma_synchronous
	l.Durable = map[int]string{0: "off", 1: "normal", 2: "full", 3: "extra"}[level]
	return l, nil
}

// Path is the SQLite file that an address names, "" for PostgreSQL.
func Path(url string) string {
	path, ok := strings.CutPrefix(url, "sqlite:")
	if !ok {
		return ""
	}
	return path
}
