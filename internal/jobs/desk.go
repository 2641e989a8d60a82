package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/portatill/portatill/pay"
)

// deskQueue is what staff start from a page. Two at once: a verification of many minutes
// keeps no replay waiting, and neither takes a worker from the settles.
const (
	deskQueue   = "desk"
	deskWorkers = 2
)

// deskTime is how long one may take: the proof of a million payments is minutes, and a
// replay asks Stripe once for each object.
const deskTime = 30 * time.Minute

// Each kind is a type of its own because the queue knows them by their kinds. By is not
// among what makes two the same: who asks again while the first waits or runs gets the
// first.
type (
	proveArgs struct {
		pay.RunAsk
	}
	proveLastArgs struct {
		pay.RunAsk
	}
	verifyArgs struct {
		pay.RunAsk
	}
	replayArgs struct {
		pay.RunAsk
	}
)

func (proveArgs) Kind() string { return string(pay.RunProof) }
func (proveLastArgs) Kind() string {
	return string(pay.RunLast)
}
func (verifyArgs) Kind() string { return string(pay.RunVerify) }
func (replayArgs) Kind() string { return string(pay.RunReplay) }

// deskOpts: one try, because a person sees that it failed and starts it again.
func deskOpts() *river.InsertOpts { return &river.InsertOpts{Queue: deskQueue, MaxAttempts: 1} }

// StartRun starts what was asked for and returns its number. What is asked for twice
// while the first waits or runs is the first; a replay is always one of its own.
func (q *Queue) StartRun(ctx context.Context, ask pay.RunAsk) (int64, error) {
	if ask.Kind != pay.RunReplay {
		running, err := q.runs(ctx, ask.Kind, ask.TenantID, 10, rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning)
		if err != nil {
			return 0, err
		}
		for _, r := range running {
			if r.Ask.From == ask.From && r.Ask.Until == ask.Until && time.Since(r.AskedAt) < deskTime {
				return r.ID, nil
			}
		}
	}
	var args river.JobArgs
	opts := deskOpts()
	switch ask.Kind {
	case pay.RunProof:
		args = proveArgs{ask}
	case pay.RunLast:
		args = proveLastArgs{ask}
	case pay.RunVerify:
		args = verifyArgs{ask}
	case pay.RunReplay:
		args = replayArgs{ask}
	case pay.RunSweep:
		args, opts = sweepArgs{By: ask.By}, &river.InsertOpts{Queue: "sweep", MaxAttempts: 1}
	default:
		return 0, fmt.Errorf("no worker for runs of kind %q", ask.Kind)
	}
	made, err := q.client.Insert(ctx, args, opts)
	if err != nil {
		return 0, fmt.Errorf("start a %s: %w", ask.Kind, err)
	}
	return made.Job.ID, nil
}

// RunByID reads a run; CodeNotFound for what is none, or was one a day ago.
func (q *Queue) RunByID(ctx context.Context, id int64) (*pay.Run, error) {
	job, err := q.client.JobGet(ctx, id)
	if errors.Is(err, rivertype.ErrNotFound) {
		return nil, pay.Errorf(pay.CodeNotFound, "", "There is no such run.")
	}
	if err != nil {
		return nil, fmt.Errorf("read run %d: %w", id, err)
	}
	r := runOf(job)
	if r == nil {
		return nil, pay.Errorf(pay.CodeNotFound, "", "There is no such run.")
	}
	return r, nil
}

// LastRun is the latest run of a kind that ended well, of exactly this tenant ("" for all
// tenants'); nil when there is none.
func (q *Queue) LastRun(ctx context.Context, kind pay.RunKind, tenantID string) (*pay.Run, error) {
	list, err := q.runs(ctx, kind, tenantID, 1, rivertype.JobStateCompleted)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0], nil
}

// ListRuns lists the latest runs of a kind, newest first.
func (q *Queue) ListRuns(ctx context.Context, kind pay.RunKind, tenantID string, limit int) ([]*pay.Run, error) {
	return q.runs(ctx, kind, tenantID, limit)
}

func (q *Queue) runs(ctx context.Context, kind pay.RunKind, tenantID string, limit int, states ...rivertype.JobState) ([]*pay.Run, error) {
	params := river.NewJobListParams().Kinds(string(kind)).OrderBy(river.JobListOrderByID, river.SortOrderDesc).First(limit)
	if len(states) > 0 {
		params = params.States(states...)
	}
	if kind != pay.RunSweep { // which is always everybody's
		params = params.Where("args ->> 'tenant' = @tenant", river.NamedArgs{"tenant": tenantID})
	}
	found, err := q.client.JobList(ctx, params)
	if err != nil {
		return nil, fmt.Errorf("list runs of kind %s: %w", kind, err)
	}
	out := make([]*pay.Run, 0, len(found.Jobs))
	for _, job := range found.Jobs {
		if r := runOf(job); r != nil {
			out = append(out, r)
		}
	}
	return out, nil
}

// GaveUp counts the settle jobs that failed for good, of one tenant or all (""); the queue
// keeps them for seven days.
func (q *Queue) GaveUp(ctx context.Context, tenantID string) (int, error) {
	params := river.NewJobListParams().Kinds(settleArgs{}.Kind()).States(rivertype.JobStateDiscarded).First(mostCounted)
	if tenantID != "" {
		params = params.Where("args ->> 'tenant' = @tenant", river.NamedArgs{"tenant": tenantID})
	}
	found, err := q.client.JobList(ctx, params)
	if err != nil {
		return 0, fmt.Errorf("count the jobs that gave up: %w", err)
	}
	return len(found.Jobs), nil
}

// runOf reads a job as a run; nil for one of another kind.
func runOf(job *rivertype.JobRow) *pay.Run {
	r := &pay.Run{ID: job.ID, AskedAt: job.CreatedAt.UTC(), Output: job.Output()}
	switch k := pay.RunKind(job.Kind); k {
	case pay.RunProof, pay.RunLast, pay.RunVerify, pay.RunReplay, pay.RunSweep:
		if json.Unmarshal(job.EncodedArgs, &r.Ask) != nil {
			return nil
		}
		r.Ask.Kind = k
	default:
		return nil
	}
	if job.AttemptedAt != nil {
		r.StartedAt = job.AttemptedAt.UTC()
	}
	if job.FinalizedAt != nil {
		r.EndedAt = job.FinalizedAt.UTC()
	}
	switch job.State {
	case rivertype.JobStateCompleted:
		r.State = pay.RunDone
	case rivertype.JobStateDiscarded, rivertype.JobStateCancelled:
		r.State = pay.RunFailed
	case rivertype.JobStateRunning:
		r.State = pay.RunRunning
	default:
		r.State = pay.RunWaiting
	}
	return r
}

// desk is what the workers of runs share.
type desk struct {
	pay     *pay.Service
	log     *slog.Logger
	observe func(string, time.Duration, error)
}

// work runs one, records what came of it and writes its canonical line.
func (d *desk) work(ctx context.Context, job *rivertype.JobRow, ask *pay.RunAsk, do func(ctx context.Context) (any, error)) error {
	start := time.Now()
	output, err := do(ctx)
	if err == nil {
		err = river.RecordOutput(ctx, output)
	}
	report(ctx, d.log, d.observe, job, start, err, "tenant", ask.TenantID, "by", ask.By, "from", ask.From, "until", ask.Until, "events", len(ask.Events), "apply", ask.Apply)
	return err
}

type proveWorker struct {
	river.WorkerDefaults[proveArgs]
	desk
}

func (w *proveWorker) Timeout(*river.Job[proveArgs]) time.Duration { return deskTime }

func (w *proveWorker) Work(ctx context.Context, job *river.Job[proveArgs]) error {
	return w.prove(ctx, job.JobRow, &job.Args.RunAsk)
}

type proveLastWorker struct {
	river.WorkerDefaults[proveLastArgs]
	desk
}

func (w *proveLastWorker) Timeout(*river.Job[proveLastArgs]) time.Duration { return deskTime }

func (w *proveLastWorker) Work(ctx context.Context, job *river.Job[proveLastArgs]) error {
	return w.prove(ctx, job.JobRow, &job.Args.RunAsk)
}

func (d *desk) prove(ctx context.Context, job *rivertype.JobRow, ask *pay.RunAsk) error {
	return d.work(ctx, job, ask, func(ctx context.Context) (any, error) {
		from, err := time.Parse(time.DateOnly, ask.From)
		until, errUntil := time.Parse(time.DateOnly, ask.Until)
		if err := errors.Join(err, errUntil); err != nil {
			return nil, err
		}
		proof, err := d.pay.Proof(ctx, ask.TenantID, from, until)
		if err != nil {
			return nil, err
		}
		return pay.ProofOutput{Proof: proof, Square: proof.Square()}, nil
	})
}

type verifyWorker struct {
	river.WorkerDefaults[verifyArgs]
	desk
}

func (w *verifyWorker) Timeout(*river.Job[verifyArgs]) time.Duration { return deskTime }

func (w *verifyWorker) Work(ctx context.Context, job *river.Job[verifyArgs]) error {
	ask := &job.Args.RunAsk
	return w.work(ctx, job.JobRow, ask, func(ctx context.Context) (any, error) {
		faults, err := w.pay.VerifyAll(ctx, ask.TenantID)
		if err != nil {
			return nil, err
		}
		return pay.VerifyOutput{Faults: len(faults), First: faults[:min(len(faults), pay.VerifyShown)]}, nil
	})
}

type replayWorker struct {
	river.WorkerDefaults[replayArgs]
	desk
	queue *Queue
}

func (w *replayWorker) Timeout(*river.Job[replayArgs]) time.Duration { return deskTime }

// replayEvery is how often a replay writes down how far it is.
const replayEvery = time.Second

// Work replays the events of a run. Those of one object are asked about once.
func (w *replayWorker) Work(ctx context.Context, job *river.Job[replayArgs]) error {
	ask := &job.Args.RunAsk
	return w.work(ctx, job.JobRow, ask, func(ctx context.Context) (any, error) {
		groups, total, err := w.groups(ctx, ask)
		if err != nil {
			return nil, err
		}
		out := pay.ReplayOutput{Total: total, Objects: []pay.ReplayedObject{}}
		told := time.Now()
		for _, events := range groups {
			done, err := w.pay.Replay(ctx, events, ask.Apply)
			for i := range done {
				if done[i].Err != nil {
					w.log.WarnContext(ctx, "replay: an object failed", "run", job.ID, "object", done[i].ObjectID, "tenant", events[0].TenantID, "error", done[i].Err)
				}
				out.Replayed(events[0].TenantID, &done[i])
			}
			if err != nil {
				return nil, err
			}
			if time.Since(told) > replayEvery {
				told = time.Now()
				if _, err := w.queue.client.JobUpdate(ctx, job.ID, &river.JobUpdateParams{Output: out}); err != nil {
					return nil, fmt.Errorf("note how far the replay is: %w", err)
				}
			}
		}
		return out, nil
	})
}

// groups reads the events and puts those of one object together, in the order that they
// were asked for.
func (w *replayWorker) groups(ctx context.Context, ask *pay.RunAsk) (groups [][]*pay.Event, total int, err error) {
	at := map[[2]string]int{}
	for _, named := range ask.Events {
		if ask.TenantID != "" && named.TenantID != ask.TenantID {
			return nil, 0, fmt.Errorf("the run of %s names an event of %s", ask.TenantID, named.TenantID)
		}
		e, err := w.pay.Store.EventByID(ctx, named.TenantID, named.ID)
		if err != nil {
			return nil, 0, err
		}
		e.Payload = nil
		total++
		key := [2]string{e.TenantID, e.ObjectID}
		if i, ok := at[key]; ok && e.ObjectID != "" {
			groups[i] = append(groups[i], e)
			continue
		}
		at[key] = len(groups)
		groups = append(groups, []*pay.Event{e})
	}
	return groups, total, nil
}
