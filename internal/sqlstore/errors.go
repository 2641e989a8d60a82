package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/portatill/portatill/pay"
)

// fault is what a driver's error means to us.
type fault int

const (
	faultInternal    fault = iota
	faultUnavailable       // the database cannot take it now
	faultRetry             // the transaction lost a race; run it again
)

// faultOf recognises a driver's error by number: SQLite's result codes
// (sqlite.org/rescode.html) and PostgreSQL's SQLSTATEs (postgresql.org/docs/15/
// errcodes-appendix.html).
func faultOf(err error) fault {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff { // the primary code of an extended one
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
			sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM:
			return faultUnavailable
		}
		return faultInternal
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch {
		case e.Code == "40001" || e.Code == "40P01":
			return faultRetry // serialization_failure, deadlock_detected
		case e.Code == "23505":
			// unique_violation. Our inserts say ON CONFLICT, and our updates look first;
			// so this is a race that the second run sees coming.
			return faultRetry
		case strings.HasPrefix(e.Code, "08"), strings.HasPrefix(e.Code, "53"), strings.HasPrefix(e.Code, "57P0"),
			e.Code == "57014", e.Code == "55P03", e.Code == "25006":
			// connection exceptions, insufficient resources, server shut down or starting,
			// query cancelled, lock not available, read-only (a standby after a failover)
			return faultUnavailable
		}
		return faultInternal
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return faultUnavailable
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return faultUnavailable
	}
	for _, gone := range []error{driver.ErrBadConn, sql.ErrConnDone, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, context.DeadlineExceeded} {
		if errors.Is(err, gone) {
			return faultUnavailable
		}
	}
	return faultInternal
}

// classify wraps a driver's error with the step that failed. What is temporary
// becomes CodeUnavailable; what is a *pay.Error already stays as it is.
func classify(step string, err error) error {
	if err == nil || pay.CodeOf(err) != "" {
		return err
	}
	if faultOf(err) == faultInternal {
		return fmt.Errorf("%s: %w", step, err)
	}
	return unavailable(step, err)
}

func unavailable(step string, err error) error {
	return &pay.Error{Code: pay.CodeUnavailable, RetryAfter: time.Second, Err: fmt.Errorf("%s: %w", step, err),
		Message: "The database cannot take this now. Send the same request again."}
}

func notFound(what string) error {
	return pay.Errorf(pay.CodeNotFound, "", "There is no such %s.", what)
}

func conflict(what string) error {
	return pay.Errorf(pay.CodeConflict, "", "There is such %s already.", what)
}
