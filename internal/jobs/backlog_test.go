package jobs

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

func TestTheBacklogTellsWhatIsLateWhatFailsAndWhatGaveUp(t *testing.T) {
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
		now := time.Now().UTC().Truncate(time.Second)
		look := func() Backlog {
			t.Helper()
			b, err := q.Backlog(ctx, now)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		if b := look(); b != (Backlog{}) {
			t.Errorf("of an empty queue: %+v", b)
		}
		for object, at := range map[string]time.Time{"pi_late": now.Add(-time.Hour), "pi_later": now.Add(-time.Minute), "pi_tomorrow": now.Add(24 * time.Hour), "pi_retry": now.Add(-2 * time.Hour), "pi_gone": now.Add(-3 * time.Hour)} {
			storetest.Write(t, s, func(ctx context.Context, tx pay.Tx) error {
				return tx.Enqueue(ctx, pay.SettleJob{TenantID: "t", ObjectID: object, Cause: pay.Cause{Kind: pay.CauseSweep, ID: object}, At: at})
			})
		}
		set := func(object, what string) {
			t.Helper()
			which := "json_extract(args, '$.object')"
			if s.Dialect() == sqlstore.Postgres {
				which = "args->>'object'"
			}
			result, err := s.DB().ExecContext(ctx, "UPDATE river_job SET "+what+" WHERE "+which+" = $1", object)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := result.RowsAffected(); n != 1 || err != nil {
				t.Fatalf("%d jobs of %s, %v", n, object, err)
			}
		}
		set("pi_retry", "state = 'retryable'")
		set("pi_gone", "state = 'discarded', finalized_at = CURRENT_TIMESTAMP")
		b := look()
		if b.Due != 2 || !b.DueSince.Equal(now.Add(-time.Hour)) {
			t.Errorf("%d are due since %s, want 2 since %s", b.Due, b.DueSince, now.Add(-time.Hour))
		}
		if b.Retrying != 1 || b.OldestRetry.IsZero() || b.GaveUp != 1 {
			t.Errorf("%+v", b)
		}
	})
}
