package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTheTableOfInvariantsIsTrue holds invariants.md to the schema's views and to the
// tests that it names: one row for each of I-01 to I-36, every view in it, and no test
// that is not there.
func TestTheTableOfInvariantsIsTrue(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("invariants.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	found := func(pattern, text string) []string {
		var names []string
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			names = append(names, m[1])
		}
		slices.Sort(names)
		return slices.Compact(names)
	}
	if rows := found(`(?m)^\| (I-[0-9]{2}) \|`, page); len(rows) != 36 || rows[0] != "I-01" || rows[35] != "I-36" {
		t.Errorf("the table has the rows %v", rows)
	}
	schema, err := os.ReadFile("../internal/sqlstore/migrations/sqlite/00003_init.sql")
	if err != nil {
		t.Fatal(err)
	}
	views := found(`CREATE VIEW (v_\w+) `, string(schema))
	if told := found("`(v_\\w+)`", page); !slices.Equal(told, views) {
		t.Errorf("the page names the views %v, the schema has %v", told, views)
	}
	var tests strings.Builder
	for _, dir := range []string{"../pay", "../internal", "../handlers", "../webhooks", "../cmd"} {
		if err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || (!strings.HasSuffix(path, "_test.go") && !strings.Contains(path, "storetest")) {
				return err
			}
			body, err := os.ReadFile(path)
			tests.Write(body)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range strings.Split(page, "\n") {
		cells := strings.Split(line, " | ")
		if len(cells) != 5 || !strings.HasPrefix(line, "| I-") {
			continue
		}
		for _, name := range found("`([A-Z]\\w+)`", cells[4]) {
			if !strings.Contains(tests.String(), "func "+name+"(") && !strings.Contains(tests.String(), `"`+name+`"`) {
				t.Errorf("%s names %s, which is no test", cells[0], name)
			}
		}
	}
}
