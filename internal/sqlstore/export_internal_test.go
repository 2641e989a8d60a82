package sqlstore

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
)

// TestExportsAreReadByIndexes asks SQLite how it reads: an export of a day must not get
// slower with every year before it.
func TestExportsAreReadByIndexes(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s, err := Open(ctx, Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "till.db"), SecretKey: "a secret key for tests only, 32 characters and more"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		query string
		args  []any
		index string // that it must begin with, or narrow by
	}{
		"TheJournalOfADay":   {journalSelect, []any{"ten_1", 1, 2}, "ledger_entries_at (tenant_id=? AND at>? AND at<?)"},
		"ThePayoutsJournal":  {payoutLines, []any{"ten_1", "po_1"}, "balance_transactions_payout"},
		"ThePayoutsSums":     {payoutSums + " AND b.payout_id IN ($2, $3) GROUP BY b.payout_id", []any{"ten_1", "po_1", "po_2"}, "balance_transactions_payout"},
		"TheVATOfPayments":   {vatEntries, []any{"ten_1", 1, 2}, "ledger_entries_order (tenant_id=? AND order_id=?)"},
		"TheVATWithoutACart": {vatOther, []any{"ten_1", 1, 2}, "ledger_entries_at (tenant_id=? AND at>? AND at<?)"},
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := s.readers.QueryContext(ctx, "EXPLAIN QUERY PLAN "+c.query, c.args...)
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			var plan []string
			for rows.Next() {
				var id, parent, unused int
				var detail string
				if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
					t.Fatal(err)
				}
				plan = append(plan, detail)
				if strings.HasPrefix(detail, "SCAN") && detail != "SCAN x" { // x are the orders of the span
					t.Errorf("it reads a whole table: %s", detail)
				}
			}
			if err := rows.Err(); err != nil || len(plan) == 0 {
				t.Fatalf("no plan: %v", err)
			}
			if text := strings.Join(plan, "\n"); !strings.Contains(text, c.index) || strings.Contains(text, "ledger_entries_at (tenant_id=? AND at<?)") {
				t.Errorf("it does not read by %s:\n%s", c.index, text)
			}
		})
	}
}
