package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// oldestSQLite is the first release without the WAL-reset defect that could lose
// a committed transaction (sqlite.org/wal.html, section 11).
const oldestSQLite = "3.51.3"

func (s *Store) openSQLite(ctx context.Context, o Options) (err error) {
	path := strings.TrimPrefix(o.URL, "sqlite:")
	if path == "" || strings.Contains(path, ":memory:") {
		return errors.New("a SQLite address needs a file, such as sqlite:portatill.db (PORTATILL_DATABASE_URL)")
	}
	if dir, err := os.Stat(filepath.Dir(path)); err != nil || !dir.IsDir() {
		return fmt.Errorf("the directory of the SQLite file %s does not exist: make it, or name another in PORTATILL_DATABASE_URL", path)
	}
	if o.Exclusive {
		if s.lock, err = lockFile(path + ".lock"); err != nil {
			return fmt.Errorf("%w: another portatill serves the SQLite file %s; stop it first, or use PostgreSQL to run several", err, path)
		}
	}
	// SQLite would make the file readable for everybody, and its -wal and -shm files
	// get the database's mode.
	if f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		s.abandon()
		return fmt.Errorf("the SQLite file cannot be written (PORTATILL_DATABASE_URL): %w", err)
	} else if err := f.Close(); err != nil {
		s.abandon()
		return fmt.Errorf("the SQLite file cannot be written (PORTATILL_DATABASE_URL): %w", err)
	}
	s.dialect = SQLite
	defer func() {
		if err != nil {
			s.abandon()
		}
	}()
	if s.writer, err = openPool(sqliteDSN(path, o, false)); err != nil {
		return fmt.Errorf("open SQLite file %s: %w", path, err)
	}
	// One writer: SQLite has one at a time anyway, and waiting in Go is fair where
	// waiting for SQLite's lock is not.
	s.writer.SetMaxOpenConns(1)
	var version string
	if err := s.writer.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return classify("open SQLite file "+path, err)
	}
	if olderVersion(version, oldestSQLite) {
		return fmt.Errorf("SQLite %s is linked in, which can lose committed data; at least %s is needed", version, oldestSQLite)
	}
	var mode string
	if err := s.writer.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return classify("open SQLite file "+path, err)
	}
	if mode != "wal" {
		return fmt.Errorf("SQLite file %s has journal mode %s and cannot be switched to WAL: is it on a network file system?", path, mode)
	}
	if s.readers, err = openPool(sqliteDSN(path, o, true)); err != nil {
		return fmt.Errorf("open SQLite file %s: %w", path, err)
	}
	conns := o.MaxConns
	if conns <= 0 {
		conns = 4
	}
	s.readers.SetMaxOpenConns(conns)
	s.readers.SetMaxIdleConns(conns)
	s.group = newGroup(s)
	return nil
}

// abandon undoes a half-done open.
func (s *Store) abandon() {
	if s.writer != nil {
		_ = s.writer.Close()
	}
	if s.readers != nil {
		_ = s.readers.Close()
	}
	if s.lock != nil {
		_ = s.lock.release()
	}
}

// sqliteDSN writes the driver's address for a file. synchronous=FULL syncs the
// WAL at every commit, so that a 2xx to Stripe means durable (sqlite.org/
// pragma.html#pragma_synchronous); recursive_triggers makes REPLACE fire the
// ledger's DELETE triggers (same page).
func sqliteDSN(path string, o Options, readOnly bool) string {
	busy := o.BusyTimeout
	if busy <= 0 {
		busy = 5 * time.Second
	}
	q := url.Values{}
	add := func(name string, value any) { q.Add("_pragma", fmt.Sprintf("%s(%v)", name, value)) }
	add("busy_timeout", busy.Milliseconds())
	add("synchronous", "FULL")
	add("foreign_keys", 1)
	add("temp_store", "MEMORY")
	if readOnly {
		add("query_only", 1)
		add("cache_size", -8000) // KiB
	} else {
		add("journal_mode", "WAL")
		add("recursive_triggers", 1)
		add("cache_size", -16000) // KiB
		q.Set("_txlock", "immediate")
	}
	parts := strings.Split(filepath.ToSlash(path), "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return "file:" + strings.Join(parts, "/") + "?" + q.Encode()
}

// olderVersion compares dotted numbers.
func olderVersion(have, want string) bool {
	h, w := strings.Split(have, "."), strings.Split(want, ".")
	for i := range w {
		var a int
		if i < len(h) {
			a, _ = strconv.Atoi(h[i])
		}
		b, _ := strconv.Atoi(w[i])
		if a != b {
			return a < b
		}
	}
	return false
}
