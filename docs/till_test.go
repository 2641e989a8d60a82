package docs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// buildDir is where the binary is built once per run of the tests.
var buildDir string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "portatill-docs")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		buildDir = dir
		return m.Run()
	}())
}

// build makes portatill in buildDir.
var build = sync.OnceValue(func() error {
	out, err := exec.CommandContext(context.Background(), "go", "build", "-o", filepath.Join(buildDir, "portatill"), "../cmd/portatill").CombinedOutput()
	if err != nil {
		return fmt.Errorf("build portatill: %w\n%s", err, out)
	}
	return nil
})

// till is a `portatill serve --sandbox` with a database of its own.
type till struct {
	t             *testing.T
	BaseURL       string `json:"base_url"`
	SandboxURL    string `json:"sandbox_url"`
	Tenant        string `json:"tenant"`
	License       string `json:"license"`
	SigningSecret string `json:"signing_secret"`
}

func startTill(t *testing.T) *till {
	t.Helper()
	for _, tool := range []string{"curl", "node", "go"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is needed to run the documentation: %v", tool, err)
		}
	}
	if err := build(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ready := filepath.Join(dir, "ready.json")
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, filepath.Join(buildDir, "portatill"), "serve", "--sandbox", "--ready-file", ready)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "PORTATILL_LISTEN=127.0.0.1:0", "PORTATILL_SANDBOX_LISTEN=127.0.0.1:0",
		"PORTATILL_METRICS_LISTEN=127.0.0.1:0", "PORTATILL_DATABASE_URL=sqlite:" + filepath.Join(dir, "till.db")}
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	running := true
	t.Cleanup(func() {
		cancel()
		if !running {
			return
		}
		// Wait says Canceled of a program that was asked to end and ended well.
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("portatill serve ended with %v\n%s", err, log.String())
		}
	})
	w := &till{t: t}
	for end := time.Now().Add(time.Minute); ; {
		// The file appears whole, by a rename.
		if content, err := os.ReadFile(ready); err == nil {
			if err := json.Unmarshal(content, w); err != nil {
				t.Fatalf("the ready file: %v", err)
			}
			return w
		}
		select {
		case err := <-ended:
			running = false
			t.Fatalf("portatill serve ended: %v\n%s", err, log.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(end) {
			t.Fatal("portatill serve was not ready within a minute")
		}
	}
}

// env is what the documentation tells a developer to export.
func (w *till) env() []string {
	return []string{"BASE=" + w.BaseURL, "SHOP=" + w.SandboxURL, "LICENSE=" + w.License, "SIGNING_SECRET=" + w.SigningSecret}
}

// outcome is how a program ended.
type outcome struct {
	code        int
	out, errOut string
}

// start runs a program in dir with nothing in its environment but env and what programs need to run at all.
func start(t *testing.T, dir string, env []string, name string, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var out, errOut bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &errOut
	cmd.Env = append([]string{"PATH=" + buildDir + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + dir}, env...)
	err := cmd.Run()
	if cmd.ProcessState == nil || !cmd.ProcessState.Exited() {
		t.Fatalf("%s: %v\n%s", name, err, errOut.String())
	}
	return outcome{cmd.ProcessState.ExitCode(), strings.TrimSpace(out.String()), errOut.String()}
}

var browser = &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// page is what a browser was answered.
type page struct {
	status int
	header http.Header
	body   string
}

func (w *till) visit(method, address, contentType, body string) page {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	answer, err := browser.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return page{answer.StatusCode, answer.Header, string(text)}
}

const formType = "application/x-www-form-urlencoded"

// pay does what a customer does on an order's page and on Stripe's, and returns
// the address at the shop that the return page leads to.
func (w *till) pay(orderURL string) string {
	w.t.Helper()
	sent := w.visit(http.MethodPost, orderURL, formType, "")
	session := sent.header.Get("Location")
	if sent.status != http.StatusSeeOther || !strings.HasPrefix(session, w.SandboxURL) {
		w.t.Fatalf("the pay button: %d, %q", sent.status, session)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(w.visit(http.MethodGet, session, "", "").body))
	if err != nil {
		w.t.Fatal(err)
	}
	form := doc.Find(`[data-testid="submit"]`).Closest("form")
	values := url.Values{}
	form.Find(`input[type="hidden"]`).Each(func(_ int, field *goquery.Selection) {
		values.Set(field.AttrOr("name", ""), field.AttrOr("value", ""))
	})
	for name, typed := range map[string]string{"method": "card", "number": "4242 4242 4242 4242", "expiry": "12 / 40", "cvc": "123", "email": "ada@example.com",
		"name": "Ada Lovelace", "country": "GB", "line1": "12 Exchange Street", "city": "Norwich", "postal_code": "NR2 1AT"} {
		values.Set(name, typed)
	}
	base, err := url.Parse(session)
	if err != nil {
		w.t.Fatal(err)
	}
	action, err := base.Parse(form.AttrOr("action", ""))
	if err != nil {
		w.t.Fatal(err)
	}
	paid := w.visit(http.MethodPost, action.String(), formType, values.Encode())
	if back := paid.header.Get("Location"); paid.status != http.StatusSeeOther || !strings.HasPrefix(back, orderURL+"/return") {
		w.t.Fatalf("Stripe's page: %d, %q", paid.status, back)
	}
	back := w.visit(http.MethodGet, orderURL+"/return", "", "")
	if doc, err = goquery.NewDocumentFromReader(strings.NewReader(back.body)); err != nil {
		w.t.Fatal(err)
	}
	link := doc.Find(`[data-testid="continue"]`).AttrOr("href", "")
	if _, onward, _ := strings.Cut(back.header.Get("Refresh"), "url="); link == "" || onward != link {
		w.t.Fatalf("the return page: %d, Refresh %q, link %q", back.status, onward, link)
	}
	return link
}
