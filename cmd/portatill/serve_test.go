package main

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
)

// noMoreGoroutines waits until there are no more than before: what was told to end may
// need a moment for it.
func noMoreGoroutines(t *testing.T, before int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, there were %d:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// TestAStopLeavesNothingBehind runs alone, before the parallel ones, so that every goroutine is its own.
func TestAStopLeavesNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	s := newShell(t)
	r := s.serve("--sandbox")
	o := r.request(1)
	r.pay(o)
	r.get(o.Url + "/return")
	if code := r.stop(); code != 0 {
		t.Errorf("exit code %d: %s", code, r.errOut)
	}
	browser.CloseIdleConnections()
	http.DefaultClient.CloseIdleConnections()
	noMoreGoroutines(t, before)
	if c, err := net.Dial("tcp", strings.TrimPrefix(r.ready.BaseURL, "http://")); err == nil {
		c.Close()
		t.Error("it still listens")
	}
}

func TestAStartThatFailsLeavesNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	s := newShell(t)
	if r := s.run("serve", "--sandbox", "--ready-file", "/nonexistent/dir/ready.json"); r.code != 1 || !strings.Contains(r.err, "/nonexistent/dir") {
		t.Errorf("a ready file that cannot be written: exit code %d: %s", r.code, r.err)
	}
	s.env["PORTATILL_METRICS_LISTEN"] = "192.0.2.1:1"
	if r := s.run("serve", "--sandbox"); r.code != 2 || !strings.Contains(r.err, "PORTATILL_METRICS_LISTEN") {
		t.Errorf("a metrics address that is not ours: exit code %d: %s", r.code, r.err)
	}
	noMoreGoroutines(t, before)
}

// TestASandboxIsPaidRestartedAndPaidAgain is the whole product in one process, from the portal's request to the books.
func TestASandboxIsPaidRestartedAndPaidAgain(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	first := s.serve("--sandbox")
	s.env["PORTATILL_SANDBOX"] = first.ready.SandboxURL // for the operator's commands beside it
	if r := first.ready; r.Tenant != "demo" || !strings.HasPrefix(r.License, "ptl_") || r.SigningSecret == "" || !strings.HasPrefix(r.WebhookSecret, "whsec_") || r.ICustomer != demoICustomer || r.MetricsURL == "" {
		t.Errorf("the ready file has %+v", r)
	}
	for _, address := range []string{"/healthz", "/readyz", "/"} {
		if status, body := first.get(first.ready.BaseURL + address); status != http.StatusOK {
			t.Errorf("%s: %d %s", address, status, body)
		}
	}
	if out := first.out.String(); !strings.Contains(out, "curl -sS") || !strings.Contains(out, first.ready.License) {
		t.Errorf("it printed %s", out)
	}

	var tenant shownTenant
	s.json(&tenant, "tenant", "show", "demo", "--json")
	if !tenant.Ready {
		t.Errorf("the demo tenant is not ready: %s", tenant.NotReady)
	}
	store := s.openStore()
	if _, err := store.CustomerByICustomer(t.Context(), tenant.ID, first.ready.ICustomer); err != nil {
		t.Errorf("the customer of the ready file: %v", err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}

	paid := first.request(1)
	first.pay(paid)
	// Nobody comes back from Stripe's page: the webhook alone books it.
	first.until("the webhook books the payment", func() bool { return s.credit() != "" })
	if status, body := first.get(paid.Url + "/return"); status != http.StatusOK || !strings.Contains(body, `data-status="paid"`) {
		t.Errorf("the return page: %d", status)
	}
	if first.counted("stored") == 0 || first.counted("forged") != 0 {
		t.Errorf("counted stored %d, forged %d", first.counted("stored"), first.counted("forged"))
	}
	if line := booksLine(t, first.out.String()); s.pasted(line) != s.credit() {
		t.Errorf("the line that it printed for the books, %s, shows %q", line, s.pasted(line))
	}
	waiting := first.request(2)
	if again := first.request(2); again.OrderId != waiting.OrderId || !again.Replayed {
		t.Errorf("the same request: %+v", again)
	}

	// A second one on the same file is refused, and harms neither the database nor the double's state.
	delete(s.env, "PORTATILL_SANDBOX")
	if r := s.run("serve", "--sandbox"); r.code != 1 || !strings.Contains(r.err, "another portatill serves the SQLite file") {
		t.Errorf("a second one: exit code %d: %s", r.code, r.err)
	}
	third := first.request(3)
	if code := first.stop(); code != 0 {
		t.Errorf("exit code %d: %s", code, first.errOut)
	}
	for _, secret := range []string{first.ready.License, first.ready.SigningSecret, first.ready.WebhookSecret, "ada@example.com", "Lovelace"} {
		if strings.Contains(first.errOut.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}

	s.env["PORTATILL_LISTEN"] = strings.TrimPrefix(first.ready.BaseURL, "http://")
	s.env["PORTATILL_SANDBOX_LISTEN"] = strings.TrimPrefix(first.ready.SandboxURL, "http://")
	second := s.serve("--sandbox")
	s.env["PORTATILL_SANDBOX"] = second.ready.SandboxURL
	if second.ready.License != first.ready.License || second.ready.SigningSecret != first.ready.SigningSecret || second.ready.WebhookSecret != first.ready.WebhookSecret {
		t.Error("the restart changed what a portal or Stripe was given")
	}
	before := s.credit()
	if again := second.request(3); again.OrderId != third.OrderId || again.SessionId != third.SessionId {
		t.Errorf("the third request after the restart: %+v, want %+v", again, third)
	}
	for _, o := range []order{waiting, third} {
		second.pay(o)
	}
	second.until("what was ordered before the restart is booked", func() bool {
		c := s.credit()
		return c != before && c == "1225.80 GBP"
	})
	var settled []settled
	s.json(&settled, "settle", paid.OrderId, waiting.OrderId, third.OrderId, "--json")
	for _, one := range settled {
		if one.State != "paid" || one.Tenant != "demo" || one.Error != "" {
			t.Errorf("settle: %+v", one)
		}
	}
	if out := s.ok("books", "--verify"); !strings.Contains(out, "All square") {
		t.Errorf("books: %s", out)
	}
	if code := second.stop(); code != 0 {
		t.Errorf("exit code %d: %s", code, second.errOut)
	}
}

func TestALiveKeyAndASandboxDoNotStartTogether(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	const key = "sk_live_canary0123456789"
	s.ok("tenant", "add", "acme", "--stripe-key-file", s.file(key))
	var before []shownTenant
	s.json(&before, "tenant", "list", "--json")
	r := s.run("serve", "--sandbox")
	if r.code != 2 || !strings.Contains(r.err, "PORTATILL_SANDBOX") || !strings.Contains(r.err, "acme") || strings.Contains(r.err+r.out, key) {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
	var after []shownTenant
	if s.json(&after, "tenant", "list", "--json"); len(after) != len(before) || after[0].StripeMode != "live" {
		t.Errorf("the refused start changed the tenants: %+v", after)
	}
}

func TestServingWithoutASandboxIsQuietAndReady(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	s.env["PORTATILL_METRICS_LISTEN"] = ""
	r := s.serve()
	if r.ready.License != "" || r.ready.SandboxURL != "" || r.ready.MetricsURL != "" || strings.Contains(r.out.String(), "curl") {
		t.Errorf("it says %+v and prints %s", r.ready, r.out)
	}
	if status, _ := r.get(r.ready.BaseURL + "/readyz"); status != http.StatusOK {
		t.Errorf("readyz: %d", status)
	}
	s.ok("tenant", "list") // the operator's commands work beside it
	// HH-07: what no honest client sends is refused, and the till goes on.
	for name, c := range map[string]struct {
		method string
		header string
		status int
	}{"ALargeHeader": {http.MethodGet, strings.Repeat("x", 100_000), http.StatusRequestHeaderFieldsTooLarge}, "TRACE": {http.MethodTrace, "", http.StatusMethodNotAllowed}, "Unknown": {"BREW", "", http.StatusMethodNotAllowed}} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, r.ready.BaseURL+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Filler", c.header)
		res, err := browser.Do(req)
		if status, _ := r.read(res, err); status != c.status {
			t.Errorf("%s: %d, want %d", name, status, c.status)
		}
	}
	if status, _ := r.get(r.ready.BaseURL + "/healthz"); status != http.StatusOK {
		t.Errorf("healthz afterwards: %d", status)
	}
	if code := r.stop(); code != 0 {
		t.Errorf("exit code %d: %s", code, r.errOut)
	}
	if files, err := filepath.Glob(strings.TrimPrefix(s.env["PORTATILL_DATABASE_URL"], "sqlite:") + "*stripe*"); err != nil || len(files) != 0 {
		t.Errorf("a double's state was left: %v", files)
	}
}

// TestTwoInstancesBookOnePayment: two instances share PostgreSQL and a Stripe that tells both of everything.
func TestTwoInstancesBookOnePayment(t *testing.T) {
	t.Parallel()
	storetest.NeedPostgres(t)
	s := newShell(t)
	s.env["PORTATILL_DATABASE_URL"] = storetest.NewEmptyPostgresDatabase(t)
	address := regexp.MustCompile(`ready at (http://\S+)`)
	box := s.start(func(r *running) bool { return address.MatchString(r.out.String()) }, "sandbox", "--listen", "127.0.0.1:0")
	s.env["PORTATILL_SANDBOX"] = address.FindStringSubmatch(box.out.String())[1]
	a, b := s.serve(), s.serve()
	if a.ready.License != b.ready.License || a.ready.BaseURL == b.ready.BaseURL {
		t.Fatalf("they are %+v and %+v", a.ready, b.ready)
	}
	const payments = 5
	for i := range int32(payments) {
		o := a.request(i + 1)
		if again := b.request(i + 1); again.OrderId != o.OrderId || !again.Replayed {
			t.Errorf("the other instance does not know the request: %+v", again)
		}
		a.pay(o)
		go func() { // one more door to the same settle; what it answers does not matter here
			if res, err := browser.Get(o.Url + "/return"); err == nil {
				res.Body.Close()
			}
		}()
	}
	store, err := sqlstore.Open(t.Context(), sqlstore.Options{URL: s.env["PORTATILL_DATABASE_URL"], SecretKey: testKey})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	count := func(query string) (n int) {
		if err := store.DB().QueryRowContext(context.Background(), query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	a.until("both instances were told of everything and all of it is done", func() bool {
		events := count("SELECT COUNT(*) FROM events")
		told := func(r *running) int { return r.counted("stored") + r.counted("repeated") }
		return count("SELECT COUNT(*) FROM payments") == payments && events > 0 && told(a) >= events && told(b) >= events &&
			count("SELECT COUNT(*) FROM events WHERE state = 'received'") == 0
	})
	if n := count("SELECT COUNT(*) FROM postings"); n != payments {
		t.Errorf("%d postings", n)
	}
	if n := count("SELECT COUNT(*) FROM (SELECT stripe_id FROM events GROUP BY tenant_id, stripe_id HAVING COUNT(*) > 1) AS twice"); n != 0 {
		t.Errorf("%d events are stored twice", n)
	}
	if a.counted("repeated")+b.counted("repeated") == 0 {
		t.Error("no delivery came twice: the test tested nothing")
	}
	if s.credit() != "2043.00 GBP" {
		t.Errorf("the customer was credited %s", s.credit())
	}
	if broken, err := store.VerifyBooks(t.Context()); err != nil || len(broken) > 0 {
		t.Errorf("the books: %v %v", broken, err)
	}
	for _, r := range []*running{a, b, box} {
		if code := r.stop(); code != 0 {
			t.Errorf("exit code %d: %s", code, r.errOut)
		}
	}
}

func TestTheReadyFileIsWholeAndPrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ready.json")
	for _, content := range []string{"first, and longer", "second"} {
		if err := writePrivate(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		info, statErr := os.Stat(path)
		if err != nil || statErr != nil || string(got) != content || info.Mode().Perm() != 0o600 {
			t.Errorf("%q %v %v", got, err, info.Mode())
		}
	}
	if err := writePrivate(filepath.Join(t.TempDir(), "no", "such", "dir"), nil); err == nil {
		t.Error("a directory that is not there was accepted")
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".portatill-*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// booksLine is the command that `serve` prints for looking at the books.
func booksLine(t *testing.T, printed string) string {
	t.Helper()
	for line := range strings.SplitSeq(printed, "\n") {
		if strings.HasSuffix(line, " books") && strings.Contains(line, "PORTATILL_DATABASE_URL=") {
			return line
		}
	}
	t.Fatalf("it printed no command for the books: %s", printed)
	return ""
}

// pasted is the demo customer's credit as that line shows it in a shell without settings.
func (s *shell) pasted(line string) string {
	s.t.Helper()
	bare := &shell{t: s.t, env: map[string]string{}}
	for word := range strings.FieldsSeq(line) {
		if name, value, ok := strings.Cut(word, "="); ok && strings.HasPrefix(name, "PORTATILL_") {
			bare.env[name] = strings.Trim(value, "'")
		}
	}
	return bare.credit()
}

func TestALiveKeyNeverMeetsADouble(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	s.env["PORTATILL_SANDBOX"] = "1"
	key := s.file("sk_live_0123456789abcdefghij")
	if r := s.run("tenant", "add", "acme", "--stripe-key-file", key); r.code != 2 || !strings.Contains(r.err, "live key") {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
	if r := s.run("tenant", "list", "--json"); strings.Contains(r.out, "acme") {
		t.Errorf("it was stored: %s", r.out)
	}
	s.ok("tenant", "add", "acme")
	if r := s.run("tenant", "set", "acme"); r.code != 2 {
		t.Errorf("a set of nothing: exit code %d", r.code)
	}
	if r := s.run("tenant", "set", "acme", "--support-email", "nope"); r.code != 2 {
		t.Errorf("an address that is none: exit code %d", r.code)
	}
	if r := s.run("books", "--day", "yesterday"); r.code != 2 {
		t.Errorf("a day that is none: exit code %d", r.code)
	}
	s.ok("books", "--day", "2026-11-22", "--json")
}

// openStore opens the shell's database beside whoever serves it.
func (s *shell) openStore() *sqlstore.Store {
	s.t.Helper()
	store, err := sqlstore.Open(context.Background(), sqlstore.Options{URL: s.env["PORTATILL_DATABASE_URL"], SecretKey: testKey})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = store.Close() })
	return store
}
