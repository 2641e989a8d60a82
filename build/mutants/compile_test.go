package main

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryMutantCompiles checks the types of each changed package without building it,
// which takes a hundredth of the time. The packages that it imports are built, or are
// there from the tests of the same run.
func TestEveryMutantCompiles(t *testing.T) {
	t.Parallel()
	root, all := catalogue(t)
	byPackage := map[string][]*mutant{}
	for _, m := range all {
		if strings.HasSuffix(m.file, ".go") {
			byPackage[path.Dir(m.file)] = append(byPackage[path.Dir(m.file)], m)
		}
	}
	for dir, list := range byPackage {
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			check, err := checker(root, dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := check("", nil); err != nil {
				t.Fatalf("without any mutant: %v", err)
			}
			for _, m := range list {
				body, err := m.mutated(root)
				if err == nil {
					err = check(path.Base(m.file), body)
				}
				if err != nil {
					t.Errorf("%s (%s): %v", m.name, m.at, err)
				}
			}
		})
	}
}

// checker reads a package and returns a function that checks its types with another text
// for one of its files.
func checker(root, dir string) (func(file string, text []byte) error, error) {
	cmd := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", "./"+dir)
	cmd.Dir = root
	said, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list the imports of %s: %w", dir, err)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(said)) {
		name, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		exports[name] = file
	}
	pkg, err := build.ImportDir(filepath.Join(root, dir), 0)
	if err != nil {
		return nil, err
	}
	files := token.NewFileSet()
	imports := importer.ForCompiler(files, "gc", func(name string) (io.ReadCloser, error) { return os.Open(exports[name]) })
	return func(file string, text []byte) error {
		var parsed []*ast.File
		for _, name := range pkg.GoFiles {
			var source any // nil: the file itself
			if name == file {
				source = text
			}
			f, err := parser.ParseFile(files, filepath.Join(root, dir, name), source, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			parsed = append(parsed, f)
		}
		_, err := (&types.Config{Importer: imports}).Check(dir, files, parsed, nil)
		return err
	}, nil
}
