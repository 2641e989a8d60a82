package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/portatill/portatill/pay"
)

// maxTries is how often a transaction is run before its caller is told to come
// back.
const maxTries = 5

// tx is pay.Tx.
type tx struct {
	reader
	sql     *sql.Tx
	enqueue EnqueueFunc
	retry   error // a driver's error that asks for another run
	dialect string
	steady  bool // statements must not be interrupted (group.go)
}

var _ pay.Tx = (*tx)(nil)

func (s *Store) newTx(t *sql.Tx) *tx {
	x := &tx{sql: t, enqueue: s.enqueue, dialect: s.dialect}
	x.reader = reader{c: t, keys: s.keys, failed: func(err error) {
		if faultOf(err) == faultRetry {
			x.retry = err
		}
	}}
	return x
}

// InTx runs fn in one transaction and commits when it returns nil. A transaction
// that the database asks to be run again (serialisation failure, deadlock, a lost
// race for a unique value) is run up to 5 times, then it is CodeUnavailable; so
// fn must not change what it cannot change twice. A panic rolls back and goes on.
func (s *Store) InTx(ctx context.Context, fn func(pay.Tx) error) error {
	for try := 1; ; try++ {
		again, err := s.once(ctx, fn, try > 1)
		if !again {
			return err
		}
		if try == maxTries {
			return unavailable(fmt.Sprintf("transaction run %d times", try), err)
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

// once runs fn once. On SQLite it shares its commit with those that run at the
// same time, unless it is to run alone.
func (s *Store) once(ctx context.Context, fn func(pay.Tx) error, alone bool) (again bool, err error) {
	if s.group != nil {
		return s.group.run(ctx, fn, alone)
	}
	return s.runTx(ctx, fn)
}

// runTx runs fn once, in a transaction of its own.
func (s *Store) runTx(ctx context.Context, fn func(pay.Tx) error) (again bool, err error) {
	t, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return false, classify("begin transaction", err)
	}
	done := false
	defer func() {
		if !done { // fn panicked, or left by runtime.Goexit
			_ = t.Rollback()
		}
	}()
	x := s.newTx(t)
	err = fn(x)
	done = true
	if err != nil || x.retry != nil {
		if back := t.Rollback(); back != nil && !errors.Is(back, sql.ErrTxDone) && err == nil {
			err = back
		}
		if x.retry != nil {
			return true, x.retry
		}
		return false, err
	}
	if err := t.Commit(); err != nil {
		if cause := ctx.Err(); cause != nil && errors.Is(err, sql.ErrTxDone) {
			err = cause // database/sql rolled back when the context ended
		}
		return faultOf(err) == faultRetry, classify("commit", err)
	}
	return false, nil
}

// pause waits a little before the next try, more each time and never two the
// same, so that transactions that met do not meet again.
func pause(ctx context.Context, try int) error {
	longest := int64(5*time.Millisecond) << try
	timer := time.NewTimer(time.Duration(rand.Int64N(longest)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return classify("wait for another try", ctx.Err())
	}
}

// Enqueue hands the job to the function that SetEnqueuer set, in this
// transaction.
func (x *tx) Enqueue(ctx context.Context, j pay.Job) error {
	if x.enqueue == nil {
		return fmt.Errorf("enqueue %s: no job queue is wired to the store", j.JobKind())
	}
	if err := ctx.Err(); err != nil {
		return classify("enqueue "+j.JobKind(), err)
	}
	if x.steady {
		ctx = context.WithoutCancel(ctx)
	}
	if err := x.enqueue(ctx, x.sql, j); err != nil {
		return x.fail("enqueue "+j.JobKind(), err)
	}
	return nil
}
