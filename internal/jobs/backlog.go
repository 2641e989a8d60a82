package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// Backlog is what waits in the queue, and what was given up.
type Backlog struct {
	// Due is how many jobs could run now and do not, DueSince the time from which the
	// oldest of them could; zero when there is none. A till that serves starts a job
	// within a second, unless all its workers are busy.
	Due      int
	DueSince time.Time
	// Retrying is how many jobs failed and will run again, OldestRetry when the oldest of
	// them was made; zero when there is none.
	Retrying    int
	OldestRetry time.Time
	// GaveUp is how many settle jobs failed for good; River keeps those of the last seven
	// days. Sweeps are not among them: the next one does what the last one did not.
	GaveUp int
}

// mostCounted bounds what Backlog counts: more is as bad.
const mostCounted = 1000

// Backlog looks at the queue without changing it; the queue need not be started.
func (q *Queue) Backlog(ctx context.Context, now time.Time) (Backlog, error) {
	var b Backlog
	err := q.each(ctx, func(job *rivertype.JobRow) {
		if job.ScheduledAt.After(now) {
			return
		}
		b.Due++
		if b.DueSince.IsZero() || job.ScheduledAt.Before(b.DueSince) {
			b.DueSince = job.ScheduledAt.UTC()
		}
	}, nil, rivertype.JobStateAvailable, rivertype.JobStateScheduled)
	if err != nil {
		return b, err
	}
	err = q.each(ctx, func(job *rivertype.JobRow) {
		b.Retrying++
		if b.OldestRetry.IsZero() || job.CreatedAt.Before(b.OldestRetry) {
			b.OldestRetry = job.CreatedAt.UTC()
		}
	}, nil, rivertype.JobStateRetryable)
	if err != nil {
		return b, err
	}
	err = q.each(ctx, func(*rivertype.JobRow) { b.GaveUp++ }, []string{settleArgs{}.Kind()}, rivertype.JobStateDiscarded)
	return b, err
}

// each looks at jobs in these states, the oldest first.
func (q *Queue) each(ctx context.Context, look func(*rivertype.JobRow), kinds []string, states ...rivertype.JobState) error {
	params := river.NewJobListParams().States(states...).OrderBy(river.JobListOrderByID, river.SortOrderAsc).First(mostCounted)
	if len(kinds) > 0 {
		params = params.Kinds(kinds...)
	}
	found, err := q.client.JobList(ctx, params)
	if err != nil {
		return fmt.Errorf("look at the queue: %w", err)
	}
	for _, job := range found.Jobs {
		look(job)
	}
	return nil
}
