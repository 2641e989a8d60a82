package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/portatill/portatill/internal/doctor"
	"github.com/portatill/portatill/internal/stripegate"
	"github.com/portatill/portatill/pay"
)

// inside opens the shell's till as a command does.
func (s *shell) inside(work func(ctx context.Context, o *opened)) {
	s.t.Helper()
	ctx := context.Background()
	a := &app{env: s.lookup, errOut: &lockedBuffer{}}
	if err := a.withStore(ctx, func(o *opened) error { work(ctx, o); return nil }); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shell) demo() (t *pay.Tenant) {
	s.t.Helper()
	s.inside(func(ctx context.Context, o *opened) {
		var err error
		if t, err = o.store.TenantBySlug(ctx, demoSlug); err != nil {
			s.t.Fatal(err)
		}
	})
	return t
}

// diagnose runs the doctor and holds its exit code to what it found.
func (s *shell) diagnose(args ...string) diagnosis {
	s.t.Helper()
	r := s.run(append([]string{"doctor", "--json"}, args...)...)
	var d diagnosis
	if err := json.Unmarshal([]byte(r.out), &d); err != nil {
		s.t.Fatalf("exit code %d, %v: %s %s", r.code, err, r.out, r.err)
	}
	if want := min(d.Fail, 1); r.code != want || d.OK+d.Warn+d.Fail != len(d.Checks) {
		s.t.Errorf("exit code %d with %d failures of %d checks: %s", r.code, d.Fail, len(d.Checks), r.err)
	}
	// How full this machine's disk is, is true and no matter of the tests.
	d.Checks = slices.DeleteFunc(d.Checks, func(c doctor.Check) bool {
		if c.Name != "disk" {
			return false
		}
		switch c.State {
		case doctor.OK:
			d.OK--
		case doctor.Warn:
			d.Warn--
		case doctor.Fail:
			d.Fail--
		}
		return true
	})
	return d
}

func (d diagnosis) check(t *testing.T, name string) doctor.Check {
	t.Helper()
	for _, c := range d.Checks {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("there is no check %s in %+v", name, d.Checks)
	return doctor.Check{}
}

func TestTheDoctorFindsAndMendsTheWebhookEndpoint(t *testing.T) {
	t.Parallel()
	s, r := till(t)
	s.env["PORTATILL_BASE_URL"] = r.ready.BaseURL
	if d := s.diagnose(); d.Fail != 0 || d.Warn != 1 || d.check(t, "stripe key").State != doctor.Warn {
		t.Fatalf("of a fresh sandbox: %+v", d)
	}
	demo := s.demo()
	address := r.ready.BaseURL + "/webhooks/stripe/demo"
	const name = "webhook endpoint"
	for _, c := range []struct {
		name string
		harm func(ctx context.Context, o *opened) error
		what string
	}{
		{"Gone", func(ctx context.Context, o *opened) error {
			_, err := o.gate.DeleteWebhookEndpoint(ctx, demo, address)
			return err
		}, "Stripe has none for " + address},
		{"Twice", func(ctx context.Context, o *opened) error {
			_, _, err := o.gate.CreateEndpoint(ctx, demo, address)
			return err
		}, "Stripe has 2"},
		{"ChangedInTheDashboard", func(ctx context.Context, o *opened) error {
			all, err := o.gate.Endpoints(ctx, demo)
			if err != nil {
				return err
			}
			for _, e := range all {
				if e.URL == address {
					stripeAs(t, demo, r, "/v1/webhook_endpoints/"+e.ID, url.Values{"disabled": {"true"}, "enabled_events[]": {"charge.refunded"}})
				}
			}
			return nil
		}, "is switched off"},
	} {
		s.inside(func(ctx context.Context, o *opened) {
			if err := c.harm(ctx, o); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
		})
		if got := s.diagnose("--tenant", "demo").check(t, name); got.State != doctor.Fail || !strings.Contains(got.What, c.what) || !strings.Contains(got.Do, "--fix") {
			t.Errorf("%s: %+v", c.name, got)
		}
		if got := s.diagnose("--tenant", "demo", "--fix").check(t, name); got.State != doctor.OK || !strings.Contains(got.What, "mended: ") {
			t.Errorf("%s, with --fix: %+v", c.name, got)
		}
		if got := s.diagnose("--fix").check(t, name); got.State != doctor.OK || strings.Contains(got.What, "mended") {
			t.Errorf("%s, with --fix again: %+v", c.name, got)
		}
	}
	after := s.demo()
	if n := len(after.StripeWebhookSecrets); n != 2 || after.StripeWebhookSecrets[0] == demo.StripeWebhookSecrets[0] {
		t.Errorf("%d secrets after two replacements", n)
	}
	// The endpoint that it made is the one whose secret we have: its deliveries are taken.
	o := r.request(42)
	r.pay(o)
	r.until("an event came by the new endpoint", func() bool {
		return strings.Contains(s.ok("events", "list", "--state", "applied"), "checkout.session.completed")
	})
	if n := r.counted("forged"); n != 0 {
		t.Errorf("%d deliveries were signed with a secret that we do not have", n)
	}
	text := s.ok("doctor") + s.ok("doctor", "--json")
	for _, secret := range []pay.Secret{after.StripeKey, after.SigningSecret, after.StripeWebhookSecrets[0], after.StripeWebhookSecrets[1], demo.StripeWebhookSecrets[0], testKey} {
		if strings.Contains(text, secret.Reveal()) {
			t.Error("a secret is shown")
		}
	}
	if !strings.Contains(text, "ok    demo: webhook endpoint: we_") || !strings.Contains(text, "0 failures.") || !strings.Contains(text, strings.Join(stripegate.Permissions, ", ")) {
		t.Errorf("got %s", text)
	}
}

// stripeAs calls the double with the tenant's key, as Stripe's dashboard would.
func stripeAs(t *testing.T, tenant *pay.Tenant, r *running, path string, form url.Values) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, r.ready.SandboxURL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+tenant.StripeKey.Reveal())
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := browser.Do(req)
	if status, body := r.read(res, err); status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, status, body)
	}
}

func TestTheDoctorsExitCodeIsForMonitoring(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	// Outside the sandbox, without a base URL, and with no tenant.
	d := s.diagnose()
	if d.check(t, "base url").State != doctor.Fail || d.check(t, "tenants").State != doctor.Warn || d.check(t, "sqlite").State != doctor.OK || d.Fail != 1 {
		t.Errorf("%+v", d)
	}
	s.env["PORTATILL_BASE_URL"] = "https://till.example"
	if d := s.diagnose(); d.Fail != 0 || d.Warn != 1 {
		t.Errorf("%+v", d)
	}
	s.ok("tenant", "add", "acme")
	if got := s.diagnose().check(t, "ready"); got.State != doctor.Fail || got.Tenant != "acme" || !strings.Contains(got.What, "no Stripe key") {
		t.Errorf("%+v", got)
	}
	if r := s.run("doctor", "--tenant", "nobody"); r.code != 1 || !strings.Contains(r.err, `no tenant "nobody"`) {
		t.Errorf("%d %s", r.code, r.err)
	}
	s.env["PORTATILL_SECRET_KEY"] = "another secret key, of 32 characters and more"
	if d := s.diagnose(); d.check(t, "secret key").State != doctor.Fail {
		t.Errorf("%+v", d)
	}
	fresh := newShell(t)
	file := strings.TrimPrefix(fresh.env["PORTATILL_DATABASE_URL"], "sqlite:")
	if got := fresh.diagnose().check(t, "database"); got.State != doctor.Fail || !strings.Contains(got.What, "there is no file") {
		t.Errorf("%+v", got)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the doctor made the database: %v", err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := fresh.diagnose().check(t, "database"); got.State != doctor.Fail || !strings.Contains(got.What, "portatill migrate") {
		t.Errorf("%+v", got)
	}
	fresh.env["PORTATILL_DATABASE_URL"] = "postgres://u:canary-password@127.0.0.1:1/x"
	if got := fresh.diagnose().check(t, "database"); got.State != doctor.Fail || strings.Contains(got.What+got.Do, "canary") {
		t.Errorf("%+v", got)
	}
}
