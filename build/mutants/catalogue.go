package main

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// mutant is one seeded bug.
type mutant struct {
	name     string // what goes wrong, as a sentence; unique
	file     string // relative to the checkout
	old, new string // old occurs exactly once in the file
	pkg, run string // the named test that catches it, as for go test
	at       string // where the catalogue has it
}

// readCatalogue reads all files of a directory. The format is a diff that needs no line
// numbers, so that it is read, and extended, without this program:
//
//	# the refunded sum is not capped
//	file pay/refund_order.go
//	test ./pay ^TestMoneyGoesBackOnce$/^TooMuch
//	-	case amount.Minor > left:
//	+	case amount.Minor > left+1:
//
// The lines after - are the old text, those after + the new one; none of + takes the old
// text away. What is before the first # is a remark.
func readCatalogue(dir fs.FS) ([]*mutant, error) {
	files, err := fs.Glob(dir, "*.txt")
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no catalogue: %w", err)
	}
	var all []*mutant
	for _, name := range files {
		list, err := readFile(dir, name)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	seen := map[string]string{}
	for _, m := range all {
		if other := seen[m.name]; other != "" {
			return nil, fmt.Errorf("%s: %q is the name of the mutant at %s too", m.at, m.name, other)
		}
		seen[m.name] = m.at
	}
	return all, nil
}

func readFile(dir fs.FS, name string) ([]*mutant, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	var list []*mutant
	var m *mutant
	var old, now []string
	end := func() error {
		if m == nil {
			return nil
		}
		m.old, m.new = strings.Join(old, "\n"), strings.Join(now, "\n")
		old, now = nil, nil
		if m.file == "" || m.pkg == "" || m.old == "" || m.old == m.new {
			return fmt.Errorf("%s: %q needs a file, a test, and an old text that differs from the new one", m.at, m.name)
		}
		list = append(list, m)
		return nil
	}
	scan := bufio.NewScanner(f)
	for n := 1; scan.Scan(); n++ {
		line := scan.Text()
		if title, ok := strings.CutPrefix(line, "# "); ok {
			if err := end(); err != nil {
				return nil, err
			}
			m = &mutant{name: title, at: fmt.Sprintf("%s:%d", name, n)}
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case m == nil || line == "":
		case line[0] == '-':
			old = append(old, line[1:])
		case line[0] == '+':
			now = append(now, line[1:])
		case word == "file":
			m.file = rest
		case word == "test":
			m.pkg, m.run, _ = strings.Cut(rest, " ")
		default:
			return nil, fmt.Errorf("%s:%d: %q is none of # file test - +", name, n, line)
		}
	}
	if err := scan.Err(); err != nil {
		return nil, err
	}
	return list, end()
}

// mutated is the file's text with the bug in it.
func (m *mutant) mutated(root string) ([]byte, error) {
	body, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.file)))
	if err != nil {
		return nil, err
	}
	if n := strings.Count(string(body), m.old); n != 1 {
		return nil, fmt.Errorf("its old text is %d times in %s, not once: the code has moved on, and so must %s", n, m.file, m.at)
	}
	return []byte(strings.Replace(string(body), m.old, m.new, 1)), nil
}

var testName = regexp.MustCompile(`^\^(Test\w+)\$(/|$)`)

// test is the test function that the regular expression names.
func (m *mutant) test() (string, error) {
	found := testName.FindStringSubmatch(m.run)
	if found == nil {
		return "", fmt.Errorf("%q does not begin with one test function's whole name, such as ^TestX$", m.run)
	}
	if _, err := regexp.Compile(m.run); err != nil {
		return "", err
	}
	return found[1], nil
}

// pick takes the mutants whose names contain the text, or that a file of the catalogue
// has, such as storing; "" is all of them.
func pick(all []*mutant, text string) []*mutant {
	return slices.DeleteFunc(slices.Clone(all), func(m *mutant) bool { return !strings.Contains(m.name, text) && !strings.HasPrefix(m.at, text+".txt:") })
}
