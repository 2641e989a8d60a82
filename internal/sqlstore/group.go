package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"time"

	"github.com/portatill/portatill/pay"
)

// group lets SQLite transactions that wait for each other share one commit. SQLite
// has one writer, and its price is the disk's sync at the commit; sixteen
// transactions that share one are about three times as fast.
// Each runs in its own goroutine and its own SAVEPOINT (sqlite.org/
// lang_savepoint.html), so that one that fails takes nothing with it; none is
// told that it succeeded before the shared commit is on disk. One that nobody
// waits behind commits at once: company is never waited for.
type group struct {
	s       *Store
	baton   chan struct{} // holds one value while somebody runs
	waiting atomic.Int64  // who would like the baton
	open    *batch        // what the one before left to be committed; the baton's holder's
	longest time.Duration // how long a batch may stay open
}

// batch is one shared database transaction.
type batch struct {
	conn    *sql.Conn
	tx      *sql.Tx
	began   time.Time
	members int
	done    chan struct{}
	err     error // of the commit; read after done
}

// A batch is committed when it has so many members, or has run for so long,
// whoever waits.
const (
	maxBatch     = 64
	maxBatchTime = 20 * time.Millisecond
)

func newGroup(s *Store) *group {
	return &group{s: s, baton: make(chan struct{}, 1), longest: maxBatchTime}
}

// run runs fn in a transaction, shared unless alone is asked for. again means
// that fn did nothing wrong, but the batch it was in failed.
func (g *group) run(ctx context.Context, fn func(pay.Tx) error, alone bool) (again bool, err error) {
	b, shared, err := g.join(ctx, alone)
	if err != nil {
		return false, err
	}
	x := g.s.newTx(b.tx)
	steady := &steadyConn{tx: b.tx}
	x.c, x.steady = steady, true
	note := x.failed
	x.failed = func(err error) {
		note(err)
		if faultOf(err) == faultUnavailable {
			steady.broken = err
		}
	}
	left := false
	leave := func(err error) {
		left, steady.ended = true, true
		g.leave(b, shared, alone, err)
	}
	defer func() {
		if !left { // fn panicked, or left by runtime.Goexit
			leave(errors.New("panic"))
		}
	}()
	if shared {
		if _, err := b.tx.ExecContext(context.WithoutCancel(ctx), "SAVEPOINT member"); err != nil {
			leave(err)
			return false, classify("begin transaction", err)
		}
	}
	err = fn(x)
	if err == nil {
		err = x.retry
	}
	if steady.broken != nil && pay.CodeOf(err) == "" {
		err = classify("transaction", steady.broken)
	}
	if err == nil && ctx.Err() != nil {
		err = classify("commit", ctx.Err())
	}
	leave(err)
	if err != nil {
		// What made it fail may be the work of another member. The caller will read
		// again, and readers see that work only once it is committed.
		if shared {
			<-b.done
		}
		return x.retry != nil, err
	}
	<-b.done
	if b.err == nil {
		return false, nil
	}
	// A constraint that is checked at the commit does not say whose it was, so each
	// member is run again alone. What is wrong with the database itself is not
	// better alone.
	return b.members > 1 && faultOf(b.err) == faultInternal, classify("commit", b.err)
}

// join takes the baton and the open batch, or begins one. shared says that
// others' work may be in it or follow, so that a savepoint is needed.
func (g *group) join(ctx context.Context, alone bool) (b *batch, shared bool, err error) {
	g.waiting.Add(1)
	select {
	case g.baton <- struct{}{}:
		g.waiting.Add(-1)
	case <-ctx.Done():
		g.waiting.Add(-1)
		go g.flush() // the one before may have counted on us to commit
		return nil, false, classify("begin transaction", ctx.Err())
	}
	if g.open != nil && alone {
		g.commit(g.open)
	}
	if g.open != nil {
		return g.open, true, nil
	}
	if b, err = g.begin(ctx); err != nil {
		<-g.baton
		return nil, false, classify("begin transaction", err)
	}
	return b, !alone && g.waiting.Load() > 0, nil
}

// begin waits for the connection as long as ctx lasts, but binds the transaction
// to none: it will be others' too.
func (g *group) begin(ctx context.Context) (*batch, error) {
	c, err := g.s.writer.Conn(ctx)
	if err != nil {
		return nil, err
	}
	t, err := c.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return &batch{conn: c, tx: t, began: time.Now(), done: make(chan struct{})}, nil
}

// leave ends a member's part and passes the baton on. Without an error the
// member's work stays in the batch; with one it is undone.
func (g *group) leave(b *batch, shared, alone bool, err error) {
	defer func() { <-g.baton }()
	switch {
	case err == nil && shared:
		_, err = b.tx.ExecContext(context.Background(), "RELEASE member")
		if err == nil {
			b.members++
		}
	case err == nil:
		b.members++
	case shared:
		if _, back := b.tx.ExecContext(context.Background(), "ROLLBACK TO member; RELEASE member"); back == nil {
			err = nil
		}
	}
	if err != nil { // nothing of it can be kept: SQLite itself rolled back, or it was alone
		g.end(b, b.tx.Rollback, err)
		return
	}
	if !alone && g.waiting.Load() > 0 && b.members < maxBatch && time.Since(b.began) < g.longest {
		g.open = b
		return
	}
	g.commit(b)
}

func (g *group) commit(b *batch) { g.end(b, b.tx.Commit, nil) }

// end finishes the database transaction and tells its members.
func (g *group) end(b *batch, how func() error, cause error) {
	err := how()
	if cause != nil {
		err = cause
	}
	_ = b.conn.Close()
	b.err, g.open = err, nil
	close(b.done)
}

// flush commits a batch that was left to somebody who gave up waiting.
func (g *group) flush() {
	g.baton <- struct{}{}
	if g.open != nil && g.waiting.Load() == 0 {
		g.commit(g.open)
	}
	<-g.baton
}

// steadyConn is a member's way to the shared transaction. A context that ends
// stops the member before its next statement, never inside one: SQLite answers an
// interrupted write by rolling back the whole transaction (sqlite.org/c3ref/
// interrupt.html), and with it everyone's.
type steadyConn struct {
	tx    *sql.Tx
	ended bool
	// broken is an error after which SQLite may have rolled back by itself (full
	// disk, I/O error; sqlite.org/lang_transaction.html, section 3.1). A statement
	// after it would be a transaction of its own, so there is none.
	broken error
}

func (c *steadyConn) check(ctx context.Context) error {
	switch {
	case c.ended:
		return sql.ErrTxDone
	case c.broken != nil:
		return c.broken
	}
	return ctx.Err()
}

// ExecContext implements conn.
func (c *steadyConn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := c.check(ctx); err != nil {
		return nil, err
	}
	return c.tx.ExecContext(context.WithoutCancel(ctx), query, args...)
}

// QueryContext implements conn.
func (c *steadyConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := c.check(ctx); err != nil {
		return nil, err
	}
	return c.tx.QueryContext(context.WithoutCancel(ctx), query, args...)
}

// QueryRowContext implements conn. A row cannot be made with an error of ours, so
// an ended context is left to database/sql, which looks before it runs anything.
func (c *steadyConn) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if err := c.check(ctx); err != nil {
		gone, cancel := context.WithCancelCause(ctx)
		cancel(err)
		return c.tx.QueryRowContext(gone, query, args...)
	}
	return c.tx.QueryRowContext(context.WithoutCancel(ctx), query, args...)
}
