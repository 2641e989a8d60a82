package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// How long a job may wait before somebody should look: a till that serves starts one
// within a second, and one that fails is tried again for hours (internal/jobs).
const (
	dueWarn, dueFail     = time.Minute, 5 * time.Minute
	retryWarn, retryFail = time.Hour, 24 * time.Hour
)

// How much of the disk must be free, in percent.
const diskWarn, diskFail = 10, 2

func (e *examination) installation(ctx context.Context) {
	e.baseURL()
	e.database(ctx)
	e.secretKey(ctx)
	e.jobs(ctx)
	e.smtp(ctx)
	e.openID(ctx)
	e.books(ctx)
}

// baseURL: customers, Stripe and portals must reach the till, and only by https.
func (e *examination) baseURL() {
	const name = "base url"
	u, err := url.Parse(e.BaseURL)
	do := "set PORTATILL_BASE_URL to where customers reach the till, such as https://pay.example.com"
	switch {
	case err != nil || u.Host == "":
		e.fail(name, "it is not an address", do)
	case e.Sandbox:
		e.ok(name, "%s (a sandbox)", e.BaseURL)
	case u.Scheme != "https":
		e.fail(name, e.BaseURL+" is not https", do)
	case loopback(u.Hostname()):
		e.fail(name, e.BaseURL+" is this machine only: neither customers nor Stripe can reach it", do)
	default:
		e.ok(name, "%s", e.BaseURL)
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || strings.HasSuffix(strings.ToLower(host), ".localhost") || (ip != nil && (ip.IsLoopback() || ip.IsUnspecified()))
}

func (e *examination) database(ctx context.Context) {
	const name = "database"
	if err := e.Store.Ping(ctx); err != nil {
		e.fail(name, words(err), "see PORTATILL_DATABASE_URL; an older schema is brought up to date by portatill migrate")
		return
	}
	db, err := e.Database(ctx)
	if err != nil {
		e.fail(name, "its settings cannot be read: "+words(err), "see that the database is up and not locked")
		return
	}
	e.ok(name, "reachable, schema %d", db.Schema)
	if db.Kind == "sqlite" {
		e.sqlite(db)
	} else {
		e.postgres(db)
	}
	e.disk(db)
}

func (e *examination) sqlite(db Database) {
	const name = "sqlite"
	switch {
	case db.TooOld:
		e.fail(name, "version "+db.Version+" can lose committed data", "build with a newer modernc.org/sqlite")
	case db.Journal != "wal":
		e.fail(name, "journal mode "+db.Journal+" instead of wal", "move the file off a network file system and start the till again")
	case db.Durable != "full" && db.Durable != "extra":
		e.fail(name, "synchronous is "+db.Durable+": a power cut could undo what Stripe was told is stored", "use a release of Portatill, which sets it to full")
	default:
		e.ok(name, "version %s, journal mode %s, synchronous %s", db.Version, db.Journal, db.Durable)
	}
}

func (e *examination) postgres(db Database) {
	const name = "postgresql"
	if db.Durable == "off" {
		e.fail(name, "synchronous_commit is off: a crash could undo what Stripe was told is stored", "set synchronous_commit to on for the till's role")
		return
	}
	e.ok(name, "version %s, synchronous_commit %s", db.Version, db.Durable)
}

func (e *examination) disk(db Database) {
	const name = "disk"
	if db.Dir == "" {
		return // the database server's disk is not seen from here
	}
	free, of, err := e.Disk(db.Dir)
	if errors.Is(err, errors.ErrUnsupported) {
		return
	}
	if err != nil || of == 0 {
		e.warn(name, "how much is free in "+db.Dir+" cannot be seen", "look at it yourself: a full disk stops payments")
		return
	}
	percent := int(free / (of/100 + 1))
	what := fmt.Sprintf("%d %% (%d MB) free in %s", percent, free>>20, db.Dir)
	do := "make room or a bigger disk: when it is full no payment can be booked"
	switch {
	case percent < diskFail:
		e.fail(name, what, do)
	case percent < diskWarn:
		e.warn(name, what, do)
	default:
		e.ok(name, "%s", what)
	}
}

func (e *examination) secretKey(ctx context.Context) {
	const name = "secret key"
	if err := e.SecretKey(ctx); err != nil {
		e.fail(name, words(err), "restore PORTATILL_SECRET_KEY from your copy (docs/operations.md, \"When the secret key is lost\")")
		return
	}
	e.ok(name, "it opens the tenants' secrets")
}

func (e *examination) jobs(ctx context.Context) {
	const name = "jobs"
	now := e.Now()
	b, err := e.Backlog(ctx, now)
	if err != nil {
		e.fail(name, "the queue cannot be read: "+words(err), "run portatill migrate")
		return
	}
	due, retrying := time.Duration(0), time.Duration(0)
	if b.Due > 0 {
		due = now.Sub(b.DueSince)
	}
	if b.Retrying > 0 {
		retrying = now.Sub(b.OldestRetry)
	}
	late := fmt.Sprintf("%s due, the oldest for %s", number(b.Due, "job is", "jobs are"), age(due))
	failing := fmt.Sprintf("%s, the oldest for %s", number(b.Retrying, "job fails and is tried again", "jobs fail and are tried again"), age(retrying))
	before := len(e.checks)
	switch {
	case due >= dueFail:
		e.fail(name, late, "start portatill serve: nothing works on them")
	case due >= dueWarn:
		e.warn(name, late, "see that portatill serve runs and is not overloaded")
	}
	switch {
	case retrying >= retryFail:
		e.fail(name, failing, "see the log for \"job failed\" and mend its cause")
	case retrying >= retryWarn:
		e.warn(name, failing, "see the log for \"job failed\"")
	}
	if b.GaveUp > 0 {
		e.warn(name, number(b.GaveUp, "job gave up", "jobs gave up")+" in the last days", "mend the cause, then portatill events replay --state failed, or portatill settle --since 168h")
	}
	if len(e.checks) == before {
		e.ok(name, "none is late and none gave up")
	}
}

func (e *examination) books(ctx context.Context) {
	const name = "books"
	broken, err := e.Store.VerifyBooks(ctx)
	switch {
	case err != nil:
		e.fail(name, "they cannot be verified: "+words(err), "run portatill books --verify")
	case len(broken) > 0:
		e.fail(name, number(len(broken), "invariant is broken", "invariants are broken"), "see portatill books --verify; do not correct rows by hand, report it")
	default:
		e.ok(name, "every invariant holds")
	}
}
