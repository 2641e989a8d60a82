package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
)

// Mailer sends mails and writes the daily letters.
type Mailer interface {
	// Deliver sends one mail; tries is which try it is, and lastTry that no other follows.
	Deliver(ctx context.Context, id string, tries int, lastTry bool) error
	// WriteLetters makes the letters of a day (2026-11-23), once however often it is called.
	WriteLetters(ctx context.Context, day string) error
}

// mailTries with mailWait are 20 hours and more: a relay that is down over night keeps no
// receipt from being sent in the morning.
const (
	mailTries   = 30
	mailWait    = time.Hour
	mailWorkers = 4
)

// mailArgs is a pay.MailJob as the queue keeps it.
type mailArgs struct {
	Mail string `json:"mail"`
}

func (mailArgs) Kind() string { return "mail" }

func mailOpts(at time.Time) *river.InsertOpts {
	return &river.InsertOpts{Queue: "mail", MaxAttempts: mailTries, ScheduledAt: at}
}

type mailWorker struct {
	river.WorkerDefaults[mailArgs]
	mailer  Mailer
	log     *slog.Logger
	observe func(string, time.Duration, error)
}

// NextRetry waits as retryPolicy does, but longer in the end: RFC 5321, section 4.5.4.1,
// asks for half an hour.
func (w *mailWorker) NextRetry(job *river.Job[mailArgs]) time.Time {
	return time.Now().Add(min(time.Second<<min(len(job.Errors), 20), mailWait))
}

func (w *mailWorker) Work(ctx context.Context, job *river.Job[mailArgs]) error {
	start := time.Now()
	err := w.mailer.Deliver(ctx, job.Args.Mail, job.Attempt, job.Attempt >= job.MaxAttempts)
	report(ctx, w.log, w.observe, job.JobRow, start, err, "mail", job.Args.Mail)
	return err
}

// lettersArgs asks for a day's letters.
type lettersArgs struct {
	Day string `json:"day"`
}

func (lettersArgs) Kind() string { return "letters" }

type lettersWorker struct {
	river.WorkerDefaults[lettersArgs]
	mailer  Mailer
	log     *slog.Logger
	observe func(string, time.Duration, error)
}

// Timeout lets the doctor look at many tenants.
func (w *lettersWorker) Timeout(*river.Job[lettersArgs]) time.Duration { return 10 * time.Minute }

func (w *lettersWorker) Work(ctx context.Context, job *river.Job[lettersArgs]) error {
	start := time.Now()
	err := w.mailer.WriteLetters(ctx, job.Args.Day)
	report(ctx, w.log, w.observe, job.JobRow, start, err, "day", job.Args.Day)
	return err
}

// lettersEvery is how soon after its hour a day's letter is asked for.
const lettersEvery = time.Minute

// lettersJob asks for today's letters, nothing before their hour. A day has one job as long
// as River keeps it, which is longer than the rest of the day; were it asked for again,
// WriteLetters would find the letters made.
func lettersJob(at time.Duration, now time.Time) (river.JobArgs, *river.InsertOpts) {
	now = now.UTC()
	if now.Sub(now.Truncate(24*time.Hour)) < at {
		return nil, nil
	}
	return lettersArgs{Day: now.Format(time.DateOnly)}, &river.InsertOpts{Queue: "letters", UniqueOpts: river.UniqueOpts{ByArgs: true}}
}

// addMail adds what mails need to a queue's workers and settings.
func (o *Options) addMail(workers *river.Workers, config *river.Config) {
	if o.Mailer == nil {
		return
	}
	river.AddWorker(workers, &mailWorker{mailer: o.Mailer, log: o.Log, observe: o.Observe})
	river.AddWorker(workers, &lettersWorker{mailer: o.Mailer, log: o.Log, observe: o.Observe})
	config.Queues["mail"] = river.QueueConfig{MaxWorkers: mailWorkers}
	config.Queues["letters"] = river.QueueConfig{MaxWorkers: 1}
	if at := o.LettersAt; at >= 0 {
		config.PeriodicJobs = append(config.PeriodicJobs, river.NewPeriodicJob(river.PeriodicInterval(lettersEvery),
			func() (river.JobArgs, *river.InsertOpts) { return lettersJob(at, time.Now()) }, &river.PeriodicJobOpts{RunOnStart: true}))
	}
}
