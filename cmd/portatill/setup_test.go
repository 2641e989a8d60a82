package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
)

const testKey = "a secret key for tests only, of 32 characters and more"

// shell is an operator's: settings, and the program.
type shell struct {
	t   testing.TB
	env map[string]string
}

// newShell has a database file of its own that is not made yet.
func newShell(t testing.TB) *shell {
	t.Helper()
	return &shell{t, map[string]string{"PORTATILL_SECRET_KEY": testKey, "PORTATILL_DATABASE_URL": "sqlite:" + filepath.Join(t.TempDir(), "till.db"),
		"PORTATILL_LISTEN": "127.0.0.1:0", "PORTATILL_SANDBOX_LISTEN": "127.0.0.1:0", "PORTATILL_METRICS_LISTEN": "127.0.0.1:0"}}
}

// migrated is a shell whose database is ready.
func migrated(t testing.TB) *shell {
	t.Helper()
	s := newShell(t)
	s.ok("migrate")
	return s
}

func (s *shell) lookup(name string) (string, bool) { v, ok := s.env[name]; return v, ok }

type result struct {
	code     int
	out, err string
}

// run runs the program to its end.
func (s *shell) run(args ...string) result { return s.enter("", args...) }

// enter runs the program with a text on its standard input.
func (s *shell) enter(input string, args ...string) result {
	var out, errOut lockedBuffer
	code := run(context.Background(), args, s.lookup, strings.NewReader(input), &out, &errOut)
	return result{code, out.String(), errOut.String()}
}

// ok runs a command that must succeed and returns what it printed.
func (s *shell) ok(args ...string) string {
	s.t.Helper()
	r := s.run(args...)
	if r.code != 0 {
		s.t.Fatalf("portatill %s: exit code %d: %s", strings.Join(args, " "), r.code, r.err)
	}
	return r.out
}

// json runs a command that must succeed and print JSON.
func (s *shell) json(to any, args ...string) {
	s.t.Helper()
	out := s.ok(args...)
	if err := json.Unmarshal([]byte(out), to); err != nil {
		s.t.Fatalf("portatill %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// file writes a text to a file of the test's own and returns its name.
func (s *shell) file(content string) string {
	s.t.Helper()
	f, err := os.CreateTemp(s.t.TempDir(), "secret")
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(content); err != nil {
		s.t.Fatal(err)
	}
	return f.Name()
}

// running is a `serve` or `sandbox` that runs.
type running struct {
	t       testing.TB
	ready   readyInfo
	out     *lockedBuffer
	errOut  *lockedBuffer
	cancel  context.CancelFunc
	ended   chan struct{}
	code    int
	stopped sync.Once
}

// start runs a command that does not end by itself until it is up, as up says.
func (s *shell) start(up func(r *running) bool, args ...string) *running {
	s.t.Helper()
	return s.startWithin(40*time.Second, up, args...)
}

// startWithin is start of a command that takes its time.
func (s *shell) startWithin(limit time.Duration, up func(r *running) bool, args ...string) *running {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{t: s.t, out: &lockedBuffer{}, errOut: &lockedBuffer{}, cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		r.code = run(ctx, args, s.lookup, strings.NewReader(""), r.out, r.errOut)
	}()
	s.t.Cleanup(func() { r.stop() })
	r.untilWithin(limit, "portatill "+strings.Join(args, " ")+" is up", func() bool {
		select {
		case <-r.ended:
			s.t.Fatalf("portatill %s ended with %d: %s", strings.Join(args, " "), r.code, r.errOut)
		default:
		}
		return up(r)
	})
	return r
}

// serve starts `serve` and waits for its ready file.
func (s *shell) serve(args ...string) *running {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), "ready.json")
	return s.start(func(r *running) bool {
		content, err := os.ReadFile(path)
		if err != nil {
			return false
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			s.t.Errorf("the ready file's mode is %v", info.Mode())
		}
		if err := json.Unmarshal(content, &r.ready); err != nil {
			s.t.Fatalf("the ready file is not whole: %v: %s", err, content)
		}
		return true
	}, append([]string{"serve", "--ready-file", path}, args...)...)
}

// until waits for something that happens by itself; it gives up long after it should have.
func (r *running) until(what string, done func() bool) {
	r.t.Helper()
	r.untilWithin(40*time.Second, what, done)
}

func (r *running) untilWithin(limit time.Duration, what string, done func() bool) {
	r.t.Helper()
	for end := time.Now().Add(limit); !done(); {
		if time.Now().After(end) {
			r.t.Fatalf("it never came true that %s: %s", what, r.errOut)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// stop asks the program to end, as SIGTERM does, and returns its exit code.
func (r *running) stop() int {
	r.stopped.Do(func() {
		r.cancel()
		select {
		case <-r.ended:
		case <-time.After(15 * time.Second): // the most that a shutdown may take (safety.md K-19)
			r.t.Error("it has not ended after 15 s")
			<-r.ended
		}
	})
	return r.code
}

var browser = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// get fetches an address and returns status and body.
func (r *running) get(address string) (int, string) {
	r.t.Helper()
	res, err := browser.Get(address)
	return r.read(res, err)
}

func (r *running) read(res *http.Response, err error) (int, string) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// order is what a portal is answered.
type order struct {
	OrderId, Url, SessionId, Status string
	Replayed                        bool
}

// request sends the demo's request as a portal does, in CSV; content tells one order from another.
func (r *running) request(content int32) order {
	r.t.Helper()
	demo := (&server{ready: r.ready}).demoRequest()
	demo.ContentId = content
	res, err := browser.Post(r.ready.BaseURL+"/csv/reply/StripePaymentRequest?format=json", "text/csv", bytes.NewReader(wire.Encode(wire.CSV, demo)))
	status, body := r.read(res, err)
	var o order
	if err := json.Unmarshal([]byte(body), &o); err != nil || status != http.StatusOK || o.Url == "" {
		r.t.Fatalf("%d %v %s", status, err, body)
	}
	return o
}

// pay presses the button and pays with the card that works.
func (r *running) pay(o order) {
	r.t.Helper()
	res, err := browser.PostForm(o.Url, nil)
	if status, body := r.read(res, err); status != http.StatusSeeOther {
		r.t.Fatalf("the pay button: %d %.300s", status, body)
	}
	r.payAt(res.Header.Get("Location"))
}

// payAt pays on Stripe's page with the card that works.
func (r *running) payAt(page string) {
	r.t.Helper()
	res, err := browser.PostForm(page, url.Values{"email": {"ada@example.com"}, "method": {"card"}, "number": {"4242424242424242"}, "expiry": {"12/40"}, "cvc": {"123"},
		"name": {"Ada Lovelace"}, "country": {"GB"}, "postal_code": {"NR2 1AT"}, "line1": {"12 Exchange Street"}, "city": {"Norwich"}, "phone": {"01603555010"}})
	if status, body := r.read(res, err); status != http.StatusSeeOther {
		r.t.Fatalf("the hosted page: %d %.300s", status, body)
	}
}

// credit is what `books` says that the demo's customer was credited.
func (s *shell) credit() string {
	s.t.Helper()
	var books pay.Books
	s.json(&books, "books", "--json")
	for _, t := range books.Tenants {
		for _, c := range t.Customers {
			if c.ICustomer == demoICustomer {
				return c.Credit + " " + string(t.Currency)
			}
		}
	}
	return ""
}

// counted reads from the metrics how many deliveries of Stripe's an instance answered, by answer.
func (r *running) counted(answer string) int {
	r.t.Helper()
	_, body := r.get(r.ready.MetricsURL)
	m := regexp.MustCompile(`portatill_stripe_webhooks_total\{answer="` + answer + `",tenant="demo"\} (\d+)`).FindStringSubmatch(body)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
