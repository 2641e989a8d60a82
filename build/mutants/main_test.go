package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

func catalogue(t *testing.T) (root string, all []*mutant) {
	t.Helper()
	root, err := checkout()
	if err != nil {
		t.Fatal(err)
	}
	if all, err = readCatalogue(os.DirFS("catalogue")); err != nil {
		t.Fatal(err)
	}
	return root, all
}

// TestEveryMutantFitsTheTree is what notices, in every run of the tests, that the code
// or a test has moved on; make mutants runs them.
func TestEveryMutantFitsTheTree(t *testing.T) {
	t.Parallel()
	root, all := catalogue(t)
	if len(all) < 40 {
		t.Errorf("there are %d mutants, 40 are the least (safety.md section 2)", len(all))
	}
	tests := map[string]string{}
	for _, m := range all {
		body, err := m.mutated(root)
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		if strings.HasSuffix(m.file, ".go") {
			if _, err := parser.ParseFile(token.NewFileSet(), m.file, body, 0); err != nil {
				t.Errorf("%s: the new text is no Go: %v", m.name, err)
			}
		}
		name, err := m.test()
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		if tests[m.pkg] == "" {
			tests[m.pkg] = testsOf(t, filepath.Join(root, filepath.FromSlash(m.pkg)))
		}
		if !strings.Contains(tests[m.pkg], "\nfunc "+name+"(") {
			t.Errorf("%s: %s has no %s", m.name, m.pkg, name)
		}
	}
}

// testsOf is the text of a package's tests.
func testsOf(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no tests (%v)", dir, err)
	}
	var b strings.Builder
	for _, f := range files {
		body, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(body)
	}
	return b.String()
}

func TestACatalogueThatCannotBeReadSaysWhere(t *testing.T) {
	t.Parallel()
	const good = "# a bug\nfile a.go\ntest ./a ^TestA$\n-old\n+new\n"
	for name, c := range map[string]struct{ text, says string }{
		"AWordThatIsNone": {good + "tset ./a ^TestA$\n", `a.txt:6: "tset ./a ^TestA$" is none of`},
		"ABugTwice":       {good + "\n" + good, `a.txt:7: "a bug" is the name of the mutant at a.txt:1 too`},
		"NoTest":          {"# a bug\nfile a.go\n-old\n", "a.txt:1"},
		"NothingChanged":  {"# a bug\nfile a.go\ntest ./a ^TestA$\n-old\n+old\n", "a.txt:1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := readCatalogue(fstest.MapFS{"a.txt": {Data: []byte(c.text)}})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want one that says %q", err, c.says)
			}
		})
	}
	if list, err := readCatalogue(fstest.MapFS{"a.txt": {Data: []byte("A remark.\n\n" + good)}}); err != nil || len(list) != 1 || list[0].new != "new" {
		t.Errorf("a good catalogue: %v, %v", list, err)
	}
}

func TestAMutantNeedsItsOldTextOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.go"), []byte("one two two"), 0o600); err != nil {
		t.Fatal(err)
	}
	for old, want := range map[string]string{"one": "x two two", "two": "", "three": ""} {
		got, err := (&mutant{file: "a.go", old: old, new: "x"}).mutated(dir)
		if string(got) != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", old, got, err)
		}
	}
	for run, ok := range map[string]bool{"^TestA$": true, "^TestA$/^B$": true, "TestA": false, "^TestA": false, "^TestA$/(": false} {
		if _, err := (&mutant{run: run}).test(); (err == nil) != ok {
			t.Errorf("%s: %v", run, err)
		}
	}
}
