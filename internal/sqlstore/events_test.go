package sqlstore

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/portatill/portatill/pay"
)

// eventFilters are the questions that a command or a page asks.
func eventFilters() map[string]pay.EventFilter {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	return map[string]pay.EventFilter{
		"ByTenant":       {TenantID: "t"},
		"SinceATime":     {TenantID: "t", Since: at},
		"ByState":        {TenantID: "t", State: pay.EventFailed},
		"ByStateSince":   {TenantID: "t", State: pay.EventFailed, Since: at},
		"ByType":         {TenantID: "t", Type: "charge.refunded"},
		"ByTypeSince":    {TenantID: "t", Type: "charge.refunded", Since: at},
		"OfTheNextPage":  {TenantID: "t", Type: "charge.refunded", After: "evn_01"},
		"ByTypeAndState": {TenantID: "t", Type: "charge.refunded", State: pay.EventFailed, Since: at, After: "evn_01"},
	}
}

// TestEventsAreFoundByAnIndexThatAlsoSortsThem: neither all rows are read, nor those
// that are found sorted afterwards.
func TestEventsAreFoundByAnIndexThatAlsoSortsThem(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	for name, f := range eventFilters() {
		t.Run(name, func(t *testing.T) {
			raw, err := s.writer.BeginTx(context.Background(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = raw.Rollback() }()
			x := s.newTx(raw)
			rec := &recorder{conn: raw}
			x.c = rec
			if _, err := x.ListEvents(context.Background(), f); err != nil || len(rec.seen) != 1 {
				t.Fatalf("%d statements, %v", len(rec.seen), err)
			}
			steps := strings.Join(plan(t, raw, rec.seen[0]), "; ")
			bound := "tenant_id=?"
			if !f.Since.IsZero() {
				bound = "id>?"
			}
			if !strings.HasPrefix(steps, "SEARCH events USING INDEX") || strings.Contains(steps, "TEMP B-TREE") || !strings.Contains(steps, bound) {
				t.Errorf("%s\n  in %s", steps, rec.seen[0].query)
			}
		})
	}
}
