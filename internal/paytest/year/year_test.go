package year_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/paytest/year"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

func service(s *sqlstore.Store) *pay.Service {
	return &pay.Service{Store: s, Now: func() time.Time { return year.Now }, Log: slog.New(slog.DiscardHandler)}
}

// whole proves all that a store has.
func whole(t testing.TB, s *sqlstore.Store) *pay.Proof {
	t.Helper()
	proof, err := service(s).Proof(context.Background(), "", time.Time{}, year.Now)
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

func TestAYearsBooksAreSquare(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(t testing.TB) *sqlstore.Store) {
		s := open(t)
		rows, err := year.Fill(context.Background(), s, year.Size{Payments: 2000, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		if rows["payments"] != 2000 || rows["refunds"] < 30 || rows["disputes"] == 0 || rows["payouts"] < 365 {
			t.Errorf("the year has %v", rows)
		}
		broken, err := s.VerifyBooks(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		more, err := service(s).Verify(context.Background(), "")
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range append(broken, more...) {
			t.Errorf("broken books: %s", line)
		}
		proof := whole(t, s)
		if !proof.Square() {
			t.Errorf("the proof is not square: unexplained %v, broken %v", proof.Unexplained, proof.Broken)
		}
		causes, closed := map[string]int64{}, 0
		for _, r := range proof.Rows {
			if r.Closed != "" {
				closed++
			}
			for _, d := range r.Differences {
				causes[d.Cause] += d.Count
			}
		}
		for _, cause := range []string{"fees", "payouts", "converted", "disputes", "posting_waiting"} {
			if causes[cause] == 0 {
				t.Errorf("the year has no %s: %v", cause, causes)
			}
		}
		if closed < 365 {
			t.Errorf("%d of the %d rows are of closed days", closed, len(proof.Rows))
		}
	})
}

func TestTheSameSeedMakesTheSameYearOnBothDatabases(t *testing.T) {
	t.Parallel()
	proofs := map[string]*pay.Proof{}
	fill := func(name string, s *sqlstore.Store, seed uint64) {
		if _, err := year.Fill(context.Background(), s, year.Size{Payments: 400, Seed: seed}); err != nil {
			t.Fatal(err)
		}
		proofs[name] = whole(t, s)
		// A day's seal has the place of its last entry in it, and a database that served
		// other tests before goes on counting.
		for i := range proofs[name].Rows {
			proofs[name].Rows[i].Closed = ""
		}
	}
	storetest.NeedPostgres(t)
	fill("SQLite", storetest.OpenSQLite(t), 7)
	fill("PostgreSQL", storetest.OpenPostgres(t), 7)
	fill("another", storetest.OpenSQLite(t), 8)
	if d := cmp.Diff(proofs["SQLite"], proofs["PostgreSQL"]); d != "" {
		t.Errorf("SQLite − PostgreSQL +:\n%s", d)
	}
	if cmp.Equal(proofs["SQLite"], proofs["another"]) {
		t.Error("another seed makes the same year")
	}
}
