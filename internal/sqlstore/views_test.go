package sqlstore

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// schemaViews is the text of every view of a dialect, by name.
func schemaViews(t *testing.T, dialect string) map[string]string {
	t.Helper()
	body, err := migrations.ReadFile("migrations/" + dialect + "/00003_init.sql")
	if err != nil {
		t.Fatal(err)
	}
	views := map[string]string{}
	for _, text := range strings.Split(string(body), "CREATE VIEW ")[1:] {
		name, _, _ := strings.Cut(text, " ")
		text, _, closed := strings.Cut(text, ";\n\n")
		if !closed {
			t.Errorf("the view %s of %s has no end", name, dialect)
		}
		views[name] = text
	}
	return views
}

func TestAViewHasOneTextForBothDatabases(t *testing.T) {
	t.Parallel()
	lite := schemaViews(t, SQLite)
	if len(lite) != len(bookViews)+len(verifyViews) {
		t.Errorf("%d views were read, %d are listed", len(lite), len(bookViews)+len(verifyViews))
	}
	if d := cmp.Diff(lite, schemaViews(t, Postgres)); d != "" {
		t.Errorf("SQLite − PostgreSQL +:\n%s", d)
	}
}

// TestAViewReadsEachTableOnce asks SQLite how it would run every view, and every question
// of VerifyMore: a million payments can be read through, but not once for each of a
// million others. One table of a join may be read through; the rest must be found by
// their keys, and so must what is looked up for each row.
func TestAViewReadsEachTableOnce(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	queries := map[string]string{}
	for _, view := range slices.Concat(bookViews, verifyViews) {
		queries[view] = "SELECT * FROM " + view
	}
	for i, late := range verifyLate {
		queries[fmt.Sprintf("question %d of VerifyMore", i)] = strings.ReplaceAll(late.query, "$1", "1")
	}
	for name, query := range queries {
		t.Run(name, func(t *testing.T) {
			rows, err := s.writer.Query("EXPLAIN QUERY PLAN " + query)
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			detail, scans := map[int]string{}, map[int]int{}
			for rows.Next() {
				var id, parent, unused int
				var text string
				if err := rows.Scan(&id, &parent, &unused, &text); err != nil {
					t.Fatal(err)
				}
				detail[id] = text
				if !strings.HasPrefix(text, "SCAN ") {
					continue
				}
				if scans[parent]++; scans[parent] > 1 || strings.HasPrefix(detail[parent], "CORRELATED") {
					t.Errorf("%s, for each row of another (below %q)", text, detail[parent])
				}
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
			if len(detail) == 0 {
				t.Fatal("there is no plan")
			}
		})
	}
}
