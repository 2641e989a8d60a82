// Command mutants tests the tests: it puts one seeded bug after the other into the code
// and runs the test that is named to catch it. The bugs are in catalogue/. The tree is
// never touched: the tests are compiled with the changed file from elsewhere (go help
// build, -overlay), migrations that are embedded too.
//
// A mutant that its test does not catch is a survivor, and a hole in the tests; so is one
// whose text is not there any more, that does not compile, that makes the test hang, or
// whose test fails, or finds nothing to run, without it. All of these are errors.
//
//	go run ./build/mutants                        all of them
//	go run ./build/mutants 'the fee is booked'    those whose names contain this
//	go run ./build/mutants storing                those of catalogue/storing.txt
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

func main() {
	jobs := flag.Int("jobs", runtime.NumCPU(), "how many mutants run at once")
	limit := flag.Duration("timeout", 3*time.Minute, "how long a compilation, or a test, may take")
	flag.Parse()
	if err := run(context.Background(), *jobs, *limit, flag.Arg(0), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, jobs int, limit time.Duration, name string, out io.Writer) error {
	root, err := checkout()
	if err != nil {
		return err
	}
	all, err := readCatalogue(os.DirFS(filepath.Join(root, "build", "mutants", "catalogue")))
	if err != nil {
		return err
	}
	chosen := pick(all, name)
	if len(chosen) == 0 {
		return fmt.Errorf("no mutant has %q in its name", name)
	}
	dir, err := os.MkdirTemp("", "portatill-mutants-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it is temporary
	r := &runner{root: root, dir: dir, limit: limit, once: map[string]func() error{}}
	results := make([]result, len(chosen))
	slots, group := make(chan struct{}, max(1, jobs)), sync.WaitGroup{}
	for i, m := range chosen {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			start := time.Now()
			err := r.kill(ctx, i, m)
			results[i] = result{m, time.Since(start), err}
			fmt.Fprintf(os.Stderr, "%s %s\n", results[i].word(), m.name)
		})
	}
	group.Wait()
	return report(results, out)
}

// checkout is the directory of go.mod, from wherever the program is started within it.
func checkout() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
			return dir, nil
		}
		if filepath.Dir(dir) == dir {
			err = errors.New("this is no checkout: there is no go.mod here or above")
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}

type result struct {
	*mutant
	took time.Duration
	err  error // nil: it was caught
}

func (r *result) word() string {
	if r.err != nil {
		return "NOT CAUGHT"
	}
	return "caught"
}

// report writes the table and returns what is not as it should be.
func report(results []result, out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	var faults []error
	for _, r := range results {
		if r.err != nil {
			faults = append(faults, fmt.Errorf("%s (%s): %w", r.name, r.at, r.err))
		}
		fmt.Fprintf(table, "%s\t%s\t%.1f s\t%s %s\n", r.word(), r.name, r.took.Seconds(), r.pkg, r.run) //nolint:errcheck // to a terminal
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d of %d seeded bugs are caught\n", len(results)-len(faults), len(results)) //nolint:errcheck // to a terminal
	return errors.Join(faults...)
}

type runner struct {
	root, dir string
	limit     time.Duration
	mu        sync.Mutex
	once      map[string]func() error // by what is done only once
}

// onlyOnce does something when it is asked for first, and gives everyone its error.
func (r *runner) onlyOnce(what string, do func() error) error {
	r.mu.Lock()
	if r.once[what] == nil {
		r.once[what] = sync.OnceValue(do)
	}
	once := r.once[what]
	r.mu.Unlock()
	return once()
}

// kill runs a mutant's test with the bug, and returns nil when it fails because of it.
func (r *runner) kill(ctx context.Context, n int, m *mutant) error {
	if _, err := m.test(); err != nil {
		return err
	}
	body, err := m.mutated(r.root)
	if err != nil {
		return err
	}
	if err := r.passes(ctx, m); err != nil {
		return err
	}
	at := filepath.Join(r.dir, fmt.Sprint(n))
	changed := at + filepath.Ext(m.file)
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(r.root, filepath.FromSlash(m.file)): changed}})
	if err != nil {
		return err
	}
	if err := errors.Join(os.WriteFile(changed, body, 0o600), os.WriteFile(at+".json", overlay, 0o600)); err != nil {
		return err
	}
	defer os.Remove(at + ".test") //nolint:errcheck // the directory goes too, but a hundred of them are gigabytes
	if err := r.compile(ctx, m, at+".test", "-overlay", at+".json"); err != nil {
		return fmt.Errorf("it does not compile: %w", err)
	}
	said, err := r.run(ctx, m, at+".test")
	switch {
	case err == nil:
		return errors.New("it survives: the test passes with it")
	case errors.Is(err, context.DeadlineExceeded), bytes.Contains(said, []byte("panic: test timed out")):
		return fmt.Errorf("its test does not fail, but hangs for more than %s", r.limit)
	case !bytes.Contains(said, []byte("--- FAIL")) && !bytes.Contains(said, []byte("panic: ")):
		return fmt.Errorf("its test did not come to run: %w\n%s", err, tail(said))
	}
	return nil
}

// passes runs a mutant's test without the bug.
func (r *runner) passes(ctx context.Context, m *mutant) error {
	binary := filepath.Join(r.dir, strings.Map(func(c rune) rune {
		if c == '/' || c == '.' {
			return '_'
		}
		return c
	}, m.pkg)+".test")
	if err := r.onlyOnce(m.pkg, func() error { return r.compile(ctx, m, binary) }); err != nil {
		return fmt.Errorf("%s does not compile without it: %w", m.pkg, err)
	}
	return r.onlyOnce(m.pkg+" "+m.run, func() error {
		said, err := r.run(ctx, m, binary)
		switch {
		case err != nil:
			return fmt.Errorf("%s %s fails without it too: %w\n%s", m.pkg, m.run, err, tail(said))
		case bytes.Contains(said, []byte("no tests to run")), !bytes.Contains(said, []byte("--- PASS")), bytes.Contains(said, []byte("--- SKIP")):
			return fmt.Errorf("%s %s runs no test", m.pkg, m.run)
		}
		return nil
	})
}

// compile builds a package's tests. Without symbols it links in half the time.
func (r *runner) compile(ctx context.Context, m *mutant, binary string, flags ...string) error {
	args := append([]string{"test", "-c", "-vet=off", "-ldflags=-s -w", "-o", binary}, flags...)
	if said, err := r.command(ctx, r.root, "go", append(args, m.pkg)...); err != nil {
		return fmt.Errorf("%w\n%s", err, tail(said))
	}
	return nil
}

// run runs the named test of a compiled package, where go test would run it.
func (r *runner) run(ctx context.Context, m *mutant, binary string) ([]byte, error) {
	return r.command(ctx, filepath.Join(r.root, filepath.FromSlash(m.pkg)), binary, "-test.v", "-test.timeout="+r.limit.String(), "-test.run="+m.run)
}

func (r *runner) command(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.WaitDelay = dir, 5*time.Second
	said, err := cmd.CombinedOutput()
	return said, errors.Join(err, ctx.Err())
}

// tail is the end of what a command said.
func tail(said []byte) []byte {
	const most = 1500
	return said[max(0, len(said)-most):]
}
