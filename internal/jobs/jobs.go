// Package jobs drives the work that follows a committed change: settling what a
// webhook told of, and the sweep. The queue is River, in the same database and
// the same transaction as the change, so that a job exists exactly when its cause
// does. Workers call pay and nothing else; they must not know a rule.
package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"github.com/portatill/portatill/pay"
)

// settleWorkers is how many settles run at once. Each spends its time waiting for
// Stripe, whose rate limit is far above what these can ask.
const settleWorkers = 16

// Options wires the queue.
type Options struct {
	DB      *sql.DB
	Dialect string // sqlite or postgres
	Pay     *pay.Service
	Log     *slog.Logger
	// SweepInterval is how often due attempts are asked about; 0 turns it off.
	SweepInterval time.Duration
	// PollInterval is how often the queue is looked at; 0 means 100 ms.
	PollInterval time.Duration
	// Mailer sends mails; nil: there are none.
	Mailer Mailer
	// LettersAt is how long after midnight, UTC, the daily letters are written; negative:
	// never.
	LettersAt time.Duration
	// Observe is told of every job that ran, for metrics; may be nil.
	Observe func(kind string, took time.Duration, err error)
}

// Queue is the running queue.
type Queue struct {
	client *river.Client[*sql.Tx]
	log    *slog.Logger
}

func driver(db *sql.DB, dialect string) riverdriver.Driver[*sql.Tx] {
	if dialect == "sqlite" {
		return riversqlite.New(db)
	}
	return riverdatabasesql.New(db)
}

// Migrate brings River's own tables up to date. It may run at any time and from
// several processes at once.
func Migrate(ctx context.Context, db *sql.DB, dialect string) error {
	m, err := rivermigrate.New(driver(db, dialect), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("migrate the queue: %w", err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate the queue: %w", err)
	}
	return nil
}

// New makes a queue; Start lets it work. One that is not started still inserts,
// which is what the command line needs.
func New(o Options) (*Queue, error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, &settleWorker{pay: o.Pay, log: o.Log, observe: o.Observe})
	river.AddWorker(workers, &sweepWorker{pay: o.Pay, log: o.Log, observe: o.Observe, interval: o.SweepInterval})
	shared, replays := desk{pay: o.Pay, log: o.Log, observe: o.Observe}, &replayWorker{}
	replays.desk = shared
	river.AddWorker(workers, &proveWorker{desk: shared})
	river.AddWorker(workers, &proveLastWorker{desk: shared})
	river.AddWorker(workers, &verifyWorker{desk: shared})
	river.AddWorker(workers, replays)
	poll := o.PollInterval
	if poll == 0 {
		poll = 100 * time.Millisecond
	}
	config := &river.Config{
		Queues: map[string]river.QueueConfig{
			river.QueueDefault: {MaxWorkers: settleWorkers}, "sweep": {MaxWorkers: 1}, deskQueue: {MaxWorkers: deskWorkers},
		},
		Workers: workers, FetchPollInterval: poll, FetchCooldown: min(poll, 50*time.Millisecond),
		// A settle is a few calls of at most 15 s each; one that is older died with its process.
		JobTimeout: 2 * time.Minute, RescueStuckJobsAfter: 5 * time.Minute,
		RetryPolicy: retryPolicy{}, MaxAttempts: 25, PollOnly: true,
		// River reports each failed try as a warning of its own; ours is the canonical line.
		Logger: slog.New(slog.DiscardHandler),
	}
	if o.SweepInterval > 0 {
		config.PeriodicJobs = []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(o.SweepInterval),
			func() (river.JobArgs, *river.InsertOpts) { return sweepArgs{}, sweepOpts(o.SweepInterval) },
			&river.PeriodicJobOpts{RunOnStart: true})}
	}
	o.addMail(workers, config)
	client, err := river.NewClient(driver(o.DB, o.Dialect), config)
	if err != nil {
		return nil, fmt.Errorf("make the queue: %w", err)
	}
	q := &Queue{client: client, log: o.Log}
	replays.queue = q
	return q, nil
}

// Start begins to work. It returns once the queue is running.
func (q *Queue) Start(ctx context.Context) error { return q.client.Start(ctx) }

// Stop lets running jobs finish until ctx ends, then cancels them; they run again
// later.
func (q *Queue) Stop(ctx context.Context) error {
	if err := q.client.Stop(ctx); err == nil || !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	return q.client.StopAndCancel(hard)
}

// Enqueue inserts a job in the caller's transaction; it is what the store calls.
func (q *Queue) Enqueue(ctx context.Context, tx *sql.Tx, j pay.Job) error {
	switch j := j.(type) {
	case pay.SettleJob:
		opts := &river.InsertOpts{ScheduledAt: j.At}
		_, err := q.client.InsertTx(ctx, tx, settleArgs{Tenant: j.TenantID, Object: j.ObjectID, Event: j.EventID,
			CauseKind: string(j.Cause.Kind), CauseID: j.Cause.ID}, opts)
		return err
	case pay.MailJob:
		args, opts := mailArgs{Mail: j.MailID}, mailOpts(j.At)
		_, err := q.client.InsertTx(ctx, tx, args, opts)
		return err
	}
	return fmt.Errorf("no worker for jobs of kind %q", j.JobKind())
}

// retryPolicy waits 1, 2, 4 … seconds up to ten minutes, with a fifth of jitter:
// Stripe's bad minutes are short, and 25 tries still span hours.
type retryPolicy struct{}

func (retryPolicy) NextRetry(job *rivertype.JobRow) time.Time {
	wait := time.Second << min(len(job.Errors), 10)
	wait = min(wait, 10*time.Minute)
	return time.Now().Add(wait + rand.N(wait/5+1))
}

// settleArgs is a pay.SettleJob as the queue keeps it: ids only, no personal data.
type settleArgs struct {
	Tenant    string `json:"tenant"`
	Object    string `json:"object"`
	Event     string `json:"event,omitempty"`
	CauseKind string `json:"cause_kind"`
	CauseID   string `json:"cause_id"`
}

func (settleArgs) Kind() string { return "settle" }

type settleWorker struct {
	river.WorkerDefaults[settleArgs]
	pay     *pay.Service
	log     *slog.Logger
	observe func(string, time.Duration, error)
}

func (w *settleWorker) Work(ctx context.Context, job *river.Job[settleArgs]) error {
	start, a := time.Now(), job.Args
	err := w.pay.SettleEvent(ctx, pay.SettleJob{TenantID: a.Tenant, ObjectID: a.Object, EventID: a.Event,
		Cause: pay.Cause{Kind: pay.CauseKind(a.CauseKind), ID: a.CauseID}}, job.Attempt >= job.MaxAttempts)
	report(ctx, w.log, w.observe, job.JobRow, start, err, "object", a.Object, "tenant", a.Tenant, "cause", a.CauseID)
	return err
}

// sweepArgs is a sweep; By is who asked for it on a page, "" for the clock.
type sweepArgs struct {
	By string `json:"by,omitempty"`
}

func (sweepArgs) Kind() string { return "sweep" }

// sweepOpts makes one sweep in each interval, whatever became of the one before: a
// process that was killed leaves its job running for as long as its timeout.
func sweepOpts(interval time.Duration) *river.InsertOpts {
	return &river.InsertOpts{Queue: "sweep", MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByPeriod: max(interval, time.Second)}}
}

type sweepWorker struct {
	river.WorkerDefaults[sweepArgs]
	pay     *pay.Service
	log     *slog.Logger
	observe func(string, time.Duration, error)
	// interval is that of the sweeps.
	interval time.Duration
}

// Timeout gives a sweep over thousands of attempts its time. What it did not come to,
// the next one does: each kind of objects has a mark of its own.
func (w *sweepWorker) Timeout(*river.Job[sweepArgs]) time.Duration { return 10 * time.Minute }

func (w *sweepWorker) Work(ctx context.Context, job *river.Job[sweepArgs]) error {
	start := time.Now()
	if job.Args.By == "" && w.interval > 0 && start.Sub(job.ScheduledAt) > max(2*w.interval, 5*time.Minute) {
		return nil // it waited behind a long one, and so did the next, which does the same
	}
	done, err := w.pay.Sweep(ctx, 5_000)
	listed, errListed := w.pay.SweepListings(ctx)
	err = errors.Join(err, errListed, w.pay.CloseDays(ctx))
	// Also of one that failed: a page shows what it did come to.
	err = errors.Join(err, river.RecordOutput(ctx, pay.SweepOutput{Asked: done.Asked, Listed: listed.Listed, Settled: done.Settled + listed.Settled,
		Failed: done.Failed + listed.Failed, Fault: err != nil}))
	report(ctx, w.log, w.observe, job.JobRow, start, err, "asked", done.Asked, "listed", listed.Listed,
		"settled", done.Settled+listed.Settled, "failed", done.Failed+listed.Failed)
	return err
}

// report writes the canonical line of a job.
func report(ctx context.Context, log *slog.Logger, observe func(string, time.Duration, error), job *rivertype.JobRow, start time.Time, err error, args ...any) {
	took := time.Since(start)
	if observe != nil {
		observe(job.Kind, took, err)
	}
	args = append([]any{"kind", job.Kind, "job", job.ID, "attempt", job.Attempt, "ms", took.Milliseconds()}, args...)
	switch {
	case err == nil && job.Kind == "sweep":
		log.DebugContext(ctx, "job", args...)
	case err == nil:
		log.InfoContext(ctx, "job", args...)
	case job.Attempt >= job.MaxAttempts:
		log.ErrorContext(ctx, "job gave up", append(args, "error", err)...)
	default:
		log.WarnContext(ctx, "job failed, will try again", append(args, "error", err)...)
	}
}
