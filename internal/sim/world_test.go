package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portatill/portatill/handlers"
	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/internal/sandbox"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/internal/stripegate"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/webhooks"
)

const (
	tillURL   = "https://till.example"
	stripeURL = "https://stripe.test"
	shopURL   = "https://shop-%d.example"
)

// clock is the world's one time. Stripe and all people see now; the till sees its
// own clock, which may be wrong, and which moves on by a millisecond at each look so
// that its ids sort by the time they were made.
type clock struct {
	mu   sync.Mutex
	now  time.Time
	skew time.Duration
}

func (c *clock) stripe() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *clock) till() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Millisecond)
	return c.now.Add(c.skew)
}

func (c *clock) add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

func (c *clock) off() time.Duration { c.mu.Lock(); defer c.mu.Unlock(); return c.skew }

func (c *clock) set(skew time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.skew = skew }

// till is one life of the till's process: it ends with a crash.
type till struct {
	store *sqlstore.Store
	pay   *pay.Service
	gate  *stripegate.Gate
	http  http.Handler
	path  string
}

// world is everything a schedule happens in.
type world struct {
	options options
	clock   *clock
	box     *sandbox.Server
	net     *network
	dir     string
	till    *till
	log     logBuffer

	tenants  []*tenant
	requests []*request
	orders   []*order
	tabs     []*tab
	refunds  []pay.RefundOrder // what staff asked for
	mail     []*letter
	sent     []*letter // all events that Stripe ever had for us, also the lost ones
	jobs     []*job
	lastJob  int64
	acked    map[string]*letter // events that were answered 200
	serial   int
	lives    int

	fault     fault // what befalls the present step
	meanwhile *step
	points    int // calls of the present step, for crashes
	stored    int // calls of the store
	gaps      int // moments at which something else may happen
	crashed   bool
	resting   bool

	reached map[string]int
	trace   []string
	faults  []string // what is wrong; the schedule ends at the first
}

// broken ends a schedule from wherever it is.
type broken struct{}

// fail notes that something that must always hold does not.
func (w *world) fail(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for _, k := range known {
		if k.looks.MatchString(text) {
			w.say("KNOWN: %s", text)
			w.reach("known fault " + k.name)
			return
		}
	}
	w.faults = append(w.faults, text)
	w.say("WRONG: %s", text)
}

// must ends the schedule when the simulator itself cannot go on.
func (w *world) must(err error, doing string) {
	if err != nil {
		w.fail("%s: %v", doing, err)
		panic(broken{})
	}
}

// reach counts that something happened, so that a test can tell what the schedules
// never come to.
func (w *world) reach(what string) { w.reached[what]++ }

func (w *world) say(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf(format, args...))
}

// logBuffer keeps the till's log of warnings and errors, to look for what must not
// be in it and to tell what went on.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.buf.String()
	l.buf.Reset()
	return s
}

// template is a migrated database with both tenants in it, made once.
type template struct {
	file    []byte
	tenants []pay.Tenant
	keys    []string
}

var prepared sync.Map // *template under the key ""

func prepare(t testing.TB) *template {
	if v, ok := prepared.Load(""); ok {
		return v.(*template)
	}
	path := storetest.NewSQLiteFile(t)
	ctx := context.Background()
	s, err := sqlstore.Open(ctx, sqlstore.Options{URL: "sqlite:" + path, SecretKey: storetest.SecretKey})
	if err != nil {
		t.Fatal(err)
	}
	p := &template{}
	for i := range 2 {
		n := i + 1
		x := pay.NewTenant(fmt.Sprintf("canary%d-telecom", n), fmt.Sprintf("canary%d telecom", n), "GBP", paytest.Start)
		x.Currencies = []pay.Currency{"GBP", "EUR", "JPY", "KWD"}
		x.VATBasisPoints = 2000
		x.ReturnOrigins = []string{fmt.Sprintf(shopURL, n)}
		x.StripeKey = pay.Secret(fmt.Sprintf("sk_test_simulated%08d", n))
		x.StripeWebhookSecrets = []pay.Secret{pay.Secret(fmt.Sprintf("whsec_simulated%016d", n))}
		if i == 1 {
			x.VATMode, x.Policies.Review = pay.VATInclusive, "direct"
		}
		key, license := pay.NewLicense(x.ID, paytest.Start)
		err := s.InTx(ctx, func(tx pay.Tx) error {
			return errors.Join(tx.InsertTenant(ctx, x), tx.InsertLicense(ctx, license))
		})
		if err != nil {
			t.Fatal(err)
		}
		p.tenants, p.keys = append(p.tenants, *x), append(p.keys, key.Reveal())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if p.file, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	prepared.Store("", p)
	return p
}

// newWorld starts a world in a directory of its own, in memory where the system
// has such a place: a simulated power cut copies files, and needs no disk.
func newWorld(p *template, o options) (*world, error) {
	parent := os.TempDir()
	if f, err := os.Stat("/dev/shm"); err == nil && f.IsDir() {
		parent = "/dev/shm"
	}
	dir, err := os.MkdirTemp(parent, "portatill-sim-")
	if err != nil {
		return nil, err
	}
	w := &world{options: o, clock: &clock{now: paytest.Start}, dir: dir, acked: map[string]*letter{}, reached: map[string]int{}}
	w.net = newNetwork(w)
	if w.box, err = sandbox.New(sandbox.Options{Now: w.clock.stripe, BaseURL: stripeURL}); err != nil {
		return nil, err
	}
	for i := range p.tenants {
		w.tenants = append(w.tenants, newTenant(i, p.tenants[i], p.keys[i]))
	}
	path := filepath.Join(dir, "life-0.db")
	if err := os.WriteFile(path, p.file, 0o600); err != nil {
		return nil, err
	}
	return w, w.start(path)
}

// start begins a life of the till on a database file, wired as cmd wires it but for
// the queue, whose jobs the schedule runs.
func (w *world) start(path string) error {
	store, err := sqlstore.Open(context.Background(), sqlstore.Options{URL: "sqlite:" + path, SecretKey: storetest.SecretKey, MaxConns: 1})
	if err != nil {
		return err
	}
	store.SetEnqueuer(storetest.Record)
	gate := stripegate.New(stripegate.Options{APIBase: stripeURL, HTTPClient: &http.Client{Transport: w.net}})
	log := slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	watched := paytest.WatchStore(store, w.atStore)
	service := &pay.Service{Store: watched, Gateway: gate, Now: w.clock.till, Log: log, BaseURL: tillURL}
	receiver := &webhooks.Stripe{Pay: service, Log: log}
	w.till = &till{store: store, pay: service, gate: gate, path: path, http: handlers.New(handlers.Options{
		Pay: service, Log: log, Sandbox: true, SandboxURL: stripeURL, Sessions: &sessionRows{w, store}, StripeWebhook: receiver.Receive,
		Ready: func(r *http.Request) error { return store.Ping(r.Context()) },
	})}
	return nil
}

func (w *world) close() error {
	w.till.gate.Close()
	return errors.Join(w.till.store.Close(), w.box.Close(), os.RemoveAll(w.dir))
}

// sessionRows lets a crash also happen where browsers' sessions are kept.
type sessionRows struct {
	w  *world
	in handlers.SessionRows
}

func (s *sessionRows) LoadSession(ctx context.Context, hash string, now time.Time) ([]byte, error) {
	if err := s.w.atStore("LoadSession"); err != nil {
		return nil, err
	}
	return s.in.LoadSession(ctx, hash, now)
}

func (s *sessionRows) SaveSession(ctx context.Context, hash string, data []byte, expires, now time.Time) error {
	if err := s.w.atStore("SaveSession"); err != nil {
		return err
	}
	return s.in.SaveSession(ctx, hash, data, expires, now)
}

func (s *sessionRows) DeleteSession(ctx context.Context, hash string) error {
	if err := s.w.atStore("DeleteSession"); err != nil {
		return err
	}
	return s.in.DeleteSession(ctx, hash)
}

// atStore is called before each of the till's calls to its database, and after each
// commit.
func (w *world) atStore(call string) error {
	w.point(call)
	if call == "begin" || call == "commit's answer lost" {
		w.gap(call)
	}
	if w.fault.kind == "database refuses" {
		if w.stored++; w.stored == w.fault.at {
			w.say("  the database refuses: %s", call)
			w.reach("the database refuses")
			return paytest.DatabaseGone()
		}
	}
	return nil
}

// point is a moment at which the till may be killed. What it had done on disk stays,
// as a copy of its files that nobody closed; nothing else does.
func (w *world) point(what string) {
	if w.crashed {
		runtime.Goexit()
	}
	if w.fault.kind != "crash" {
		return
	}
	if w.points++; w.points < w.fault.at {
		return
	}
	w.crashed = true
	w.say("  the till is killed at %s", what)
	w.reach("killed")
	w.lives++
	image := filepath.Join(w.dir, fmt.Sprintf("life-%d.db", w.lives))
	for _, suffix := range []string{"", "-wal"} {
		if err := copyFile(w.till.path+suffix, image+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			w.fail("copy the database of the killed till: %v", err)
		}
	}
	runtime.Goexit()
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// gap is a moment at which no transaction is open, so that something else may happen
// before the present step goes on.
func (w *world) gap(where string) {
	if w.fault.kind != "between" || w.meanwhile == nil {
		return
	}
	if w.gaps++; w.gaps != w.fault.at {
		return
	}
	other := *w.meanwhile
	w.fault, w.meanwhile = fault{}, nil
	w.say("  meanwhile, at %s:", where)
	w.reach("meanwhile")
	w.collect()
	w.act(other)
}

// restart gives a killed till its next life.
func (w *world) restart() {
	old := w.till
	old.gate.Close()
	w.must(old.store.Close(), "close the killed till's database")
	image := filepath.Join(w.dir, fmt.Sprintf("life-%d.db", w.lives))
	w.must(w.start(image), "start the till on what a crash left")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(old.path + suffix) // the directory goes with the world
	}
	w.crashed = false
	w.checkAfterCrash()
}

// do carries out one step with its faults, in a goroutine that a crash can end.
func (w *world) do(s step) {
	w.fault, w.meanwhile = s.fault, s.meanwhile
	w.points, w.stored, w.gaps, w.net.calls = 0, 0, 0, 0
	var fell any
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { fell = recover() }()
		w.act(s)
	}()
	<-done
	if fell != nil {
		panic(fell)
	}
	w.fault, w.meanwhile = fault{}, nil
	if w.crashed {
		w.restart()
	}
	w.collect()
	w.checkStep()
}

// act is what the step's actor does.
func (w *world) act(s step) {
	who, what, _ := strings.Cut(s.who, ".")
	switch who {
	case "portal":
		w.portal(what, s)
	case "browser":
		w.browser(what, s)
	case "dashboard", "bank":
		w.atStripe(what, s)
	case "staff":
		w.staff(what, s)
	case "mail":
		w.deliverSome(s)
	case "job":
		w.runSome(s)
	case "forger":
		w.forge(s)
	case "time":
		d := time.Duration(s.b%600) * time.Second
		if s.a%100 < w.options.Jump {
			d = hours(s.c)
		}
		w.clock.add(d)
		w.say("%s pass", d)
	case "skew":
		skew := []time.Duration{0, 0, time.Hour, -time.Hour, 24 * time.Hour, -24 * time.Hour, 2 * time.Minute}[s.a%7]
		w.clock.set(skew)
		w.say("the till's clock is off by %s", skew)
	default:
		panic("no actor " + s.who)
	}
}
