package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/riverqueue/river/rivertype"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// TestAJobIsThereExactlyWhenItsChangeIs is I-26: a job that was inserted in a transaction
// that is undone was never there, and one that was committed has all that its worker
// needs.
func TestAJobIsThereExactlyWhenItsChangeIs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		s, ctx := open(t), context.Background()
		if err := Migrate(ctx, s.DB(), s.Dialect()); err != nil {
			t.Fatal(err)
		}
		q, err := New(Options{DB: s.DB(), Dialect: s.Dialect(), Pay: &pay.Service{Store: s}, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		s.SetEnqueuer(q.Enqueue)
		jobs := func() (all []string) {
			t.Helper()
			rows, err := s.DB().QueryContext(ctx, "SELECT args FROM river_job ORDER BY id")
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			for rows.Next() {
				var args string
				if err := rows.Scan(&args); err != nil {
					t.Fatal(err)
				}
				all = append(all, args)
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
			return all
		}
		job := pay.SettleJob{TenantID: "ten_1", ObjectID: "pi_1", EventID: "evn_1", Cause: pay.Cause{Kind: pay.CauseWebhook, ID: "evt_1"}}
		undo := errors.New("undo")
		if err := s.InTx(ctx, func(tx pay.Tx) error { return errors.Join(tx.Enqueue(ctx, job), undo) }); !errors.Is(err, undo) {
			t.Fatalf("the transaction that is undone: %v", err)
		}
		if all := jobs(); len(all) != 0 {
			t.Errorf("after it was undone there are %q", all)
		}
		storetest.Write(t, s, func(ctx context.Context, tx pay.Tx) error { return tx.Enqueue(ctx, job) })
		all := jobs()
		if len(all) != 1 {
			t.Fatalf("after the commit there are %q", all)
		}
		want := settleArgs{Tenant: "ten_1", Object: "pi_1", Event: "evn_1", CauseKind: "webhook", CauseID: "evt_1"}
		if d := cmp.Diff(want, argsOf(t, all[0])); d != "" {
			t.Errorf("asked − stored +:\n%s", d)
		}
		if err := s.InTx(ctx, func(tx pay.Tx) error { return tx.Enqueue(ctx, storetest.RawSQL{}) }); err == nil {
			t.Error("a job without a worker was taken")
		}
	})
}

// TestAJobThatFailsIsTriedAgainForHours: a bad hour at Stripe must not end a settle.
func TestAJobThatFailsIsTriedAgainForHours(t *testing.T) {
	t.Parallel()
	var sum, last time.Duration
	for n := range 25 {
		before := time.Now()
		wait := retryPolicy{}.NextRetry(&rivertype.JobRow{Errors: make([]rivertype.AttemptError, n)}).Sub(before)
		if least, most := min(time.Second<<n, 10*time.Minute), 13*time.Minute; wait < least || wait > most || (n < 8 && wait < last/2) {
			t.Errorf("after %d errors it waits %s, want between %s and %s", n, wait, least, most)
		}
		sum, last = sum+wait, wait
	}
	// pay.Verify calls an event lost that has no outcome after six hours.
	if sum < 2*time.Hour || sum > 6*time.Hour {
		t.Errorf("all tries span %s", sum)
	}
}

func argsOf(t *testing.T, text string) (a settleArgs) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// TestASweepThatAKilledProcessLeftRunningKeepsNoOtherFromItsTurn: the row says running
// until its timeout is over; the next interval has a sweep all the same.
func TestASweepThatAKilledProcessLeftRunningKeepsNoOtherFromItsTurn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		s, ctx := open(t), context.Background()
		if err := Migrate(ctx, s.DB(), s.Dialect()); err != nil {
			t.Fatal(err)
		}
		swept := make(chan string, 8)
		q, err := New(Options{DB: s.DB(), Dialect: s.Dialect(), Pay: &pay.Service{Store: s, Now: time.Now, Log: slog.New(slog.DiscardHandler)}, Log: slog.New(slog.DiscardHandler),
			SweepInterval: time.Second, Observe: func(kind string, _ time.Duration, _ error) { swept <- kind }})
		if err != nil {
			t.Fatal(err)
		}
		killed, err := q.client.Insert(ctx, sweepArgs{}, sweepOpts(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		now := "NOW()"
		if s.Dialect() == sqlstore.SQLite {
			now = "datetime('now')"
		}
		if _, err := s.DB().ExecContext(ctx, "UPDATE river_job SET state = 'running', attempt = 1, attempted_at = "+now+" WHERE id = $1", killed.Job.ID); err != nil {
			t.Fatal(err)
		}
		if err := q.Start(ctx); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = q.Stop(context.WithoutCancel(ctx)) })
		select {
		case kind := <-swept:
			if kind != "sweep" {
				t.Errorf("a %s was done", kind)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("nothing swept for 30 seconds")
		}
	})
}
