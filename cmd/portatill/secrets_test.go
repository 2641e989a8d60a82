package main

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/portatill/portatill/internal/sqlstore/storetest"
)

const otherKey = "another_secret_key_for_tests_of_more_than_32_characters"

func TestAnotherSecretKeyIsNoticed(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	s.ok("tenant", "add", "acme")
	s.env["PORTATILL_SECRET_KEY"] = otherKey
	for _, args := range [][]string{{"tenant", "show", "acme"}, {"secrets", "reseal"}, {"secrets", "reseal", "--check"}} {
		if r := s.run(args...); r.code != 1 || !strings.Contains(r.err, "PORTATILL_") || strings.Contains(r.err, testKey) || strings.Contains(r.err, otherKey) {
			t.Errorf("%v: exit code %d: %s", args, r.code, r.err)
		}
	}
	s.env["PORTATILL_OLD_SECRET_KEYS"] = strings.ReplaceAll(testKey, " ", "_")
	if r := s.run("tenant", "show", "acme"); r.code != 1 {
		t.Errorf("with a wrong old key: %d", r.code)
	}
	delete(s.env, "PORTATILL_OLD_SECRET_KEYS")
	ready := filepath.Join(t.TempDir(), "ready.json")
	r := s.run("serve", "--ready-file", ready)
	for _, want := range []string{"PORTATILL_SECRET_KEY does not fit this database", "of its 1 secrets 1 cannot", "PORTATILL_OLD_SECRET_KEYS", "acme: the secret signing_secret"} {
		if r.code != 2 || !strings.Contains(r.err, want) {
			t.Errorf("serve: exit code %d, no %q in %s", r.code, want, r.err)
		}
	}
	if _, err := os.Stat(ready); err == nil {
		t.Error("it served")
	}
}

func TestTheSecretKeyIsChanged(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	s.ok("tenant", "add", "acme", "--stripe-key-file", s.file(canaryKey), "--stripe-webhook-secret-file", s.file(canaryHook))
	s.ok("tenant", "add", "other")
	before := s.ok("tenant", "list", "--json")
	s.env["PORTATILL_SECRET_KEY"], s.env["PORTATILL_OLD_SECRET_KEYS"] = otherKey, testKey
	if r := s.run("secrets", "reseal", "--check"); r.code != 1 || !strings.Contains(r.out, "0 use the present key and 4 an older one") || !strings.Contains(r.err, "4 secrets are still encrypted") {
		t.Errorf("to do: %d %s %s", r.code, r.out, r.err)
	}
	var done resealed
	if s.json(&done, "secrets", "reseal", "--json"); done.Changed != 4 || done.Current != 4 || done.Older != 0 || len(done.Lost) != 0 {
		t.Errorf("got %+v", done)
	}
	if s.json(&done, "secrets", "reseal", "--json"); done.Changed != 0 || done.Current != 4 {
		t.Errorf("again: %+v", done)
	}
	delete(s.env, "PORTATILL_OLD_SECRET_KEYS")
	if out := s.ok("secrets", "reseal", "--check"); !strings.Contains(out, "Nothing is left to do") {
		t.Errorf("done: %s", out)
	}
	if after := s.ok("tenant", "list", "--json"); after != before {
		t.Errorf("the tenants are not what they were: %s", after)
	}
	s.env["PORTATILL_SECRET_KEY"] = testKey
	if r := s.run("tenant", "show", "acme"); r.code != 1 || !strings.Contains(r.err, "another key") {
		t.Errorf("the old key still opens: %d %s", r.code, r.err)
	}
}

func TestATenantWhoseKeyIsLostIsSetUpAgain(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	s.ok("tenant", "add", "acme", "--stripe-key-file", s.file(canaryKey), "--stripe-webhook-secret-file", s.file(canaryHook))
	if out := s.ok("secrets", "forget", "acme"); !strings.Contains(out, "nothing is changed") || s.show("acme").StripeKey == "not set" {
		t.Errorf("with the right key: %s", out)
	}
	s.env["PORTATILL_SECRET_KEY"] = otherKey
	s.ok("tenant", "add", "fresh", "--stripe-key-file", s.file(canaryKey))
	if r := s.run("secrets", "forget", "nobody"); r.code != 1 || !strings.Contains(r.err, `there is no tenant "nobody"`) {
		t.Errorf("%d %s", r.code, r.err)
	}
	var got struct{ Forgotten []string }
	s.json(&got, "secrets", "forget", "acme", "--json")
	if !slices.Equal(got.Forgotten, []string{"signing_secret", "stripe_key", "stripe_webhook_secrets"}) {
		t.Errorf("got %v", got.Forgotten)
	}
	s.ok("secrets", "reseal", "--check")
	if acme := s.show("acme"); acme.StripeKey != "not set" || acme.SigningSecret == "not set" || acme.Ready || len(acme.Licenses) != 1 {
		t.Errorf("got %+v", acme)
	}
	if s.show("fresh").StripeKey == "not set" {
		t.Error("another tenant's key is forgotten")
	}
	s.ok("tenant", "set", "acme", "--stripe-key-file", s.file(canaryKey), "--stripe-webhook-secret-file", s.file(canaryHook), "--rotate-signing-secret")
	if acme := s.show("acme"); !acme.Ready {
		t.Errorf("set up again: %+v", acme)
	}
}

// TestPagesAndPaymentsGoOnWhileTheSecretKeyIsChanged follows docs/operations.md step
// by step on a database that two tills share, until the old key is gone.
func TestPagesAndPaymentsGoOnWhileTheSecretKeyIsChanged(t *testing.T) {
	t.Parallel()
	storetest.NeedPostgres(t)
	s := newShell(t)
	s.env["PORTATILL_DATABASE_URL"], s.env["PORTATILL_SECRET_KEY"] = storetest.NewEmptyPostgresDatabase(t), strings.ReplaceAll(testKey, " ", "_")
	oldKey := s.env["PORTATILL_SECRET_KEY"]
	double := s.start(func(r *running) bool { return strings.Contains(r.out.String(), "is ready at ") }, "sandbox")
	_, rest, _ := strings.Cut(double.out.String(), "is ready at ")
	at, _, _ := strings.Cut(rest, " ")
	with := func(present, others string) *shell {
		env := map[string]string{}
		for k, v := range s.env {
			env[k] = v
		}
		env["PORTATILL_SANDBOX"], env["PORTATILL_SECRET_KEY"] = at, present
		if others != "" {
			env["PORTATILL_OLD_SECRET_KEYS"] = others
		}
		return &shell{t, env}
	}
	works := func(r *running, content int32, page string) string {
		t.Helper()
		o := r.request(content)
		if page == "" {
			page = o.Url
		}
		if status, _ := r.get(r.ready.BaseURL + page[strings.Index(page, "/pay/"):]); status != http.StatusOK {
			t.Errorf("the page of an order from before is answered %d", status)
		}
		r.pay(o)
		return page
	}
	first := with(oldKey, "").serve()
	page := works(first, 1, "")
	// 1. Every instance can read the new key, one after the other.
	a := with(oldKey, otherKey).serve()
	first.stop()
	works(a, 2, page)
	// 2. Every instance writes the new key, one after the other: a still writes the old one.
	b := with(otherKey, oldKey).serve()
	with(otherKey, oldKey).ok("tenant", "set", "demo", "--porta-url", "https://billing.example", "--porta-login", "till", "--porta-token-file", s.file(canaryToken))
	works(a, 3, page)
	works(b, 4, page)
	// 3. Reseal, while both run.
	with(otherKey, oldKey).ok("secrets", "reseal")
	works(a, 5, page)
	works(b, 6, page)
	a.stop()
	// 4. The old key goes.
	with(otherKey, "").ok("secrets", "reseal", "--check")
	last := with(otherKey, "").serve()
	b.stop()
	works(last, 7, page)
	if r := with(oldKey, "").run("serve"); r.code != 2 || !strings.Contains(r.err, "PORTATILL_SECRET_KEY does not fit") {
		t.Errorf("the old key serves: %d %s", r.code, r.err)
	}
	if out := with(otherKey, "").ok("books"); !strings.Contains(out, "All square") {
		t.Errorf("the books: %s", out)
	}
}

// TestTillsThatStartAtOnceShareTheDemo has several tills make the demo tenant of one
// database at the same time; each adds its own webhook secret.
func TestTillsThatStartAtOnceShareTheDemo(t *testing.T) {
	t.Parallel()
	storetest.NeedPostgres(t)
	s := newShell(t)
	s.env["PORTATILL_DATABASE_URL"] = storetest.NewEmptyPostgresDatabase(t)
	s.ok("migrate")
	double := s.start(func(r *running) bool { return strings.Contains(r.out.String(), "is ready at ") }, "sandbox")
	_, rest, _ := strings.Cut(double.out.String(), "is ready at ")
	s.env["PORTATILL_SANDBOX"], _, _ = strings.Cut(rest, " ")
	tills := make(chan *running, 2)
	for range cap(tills) {
		go func() {
			var r *running
			defer func() { tills <- r }() // also when serve ends the goroutine, having failed the test
			r = s.serve()
		}()
	}
	one, two := <-tills, <-tills
	if one == nil || two == nil {
		t.FailNow()
	}
	if one.ready.License != two.ready.License || one.ready.SigningSecret != two.ready.SigningSecret {
		t.Errorf("two demos: %+v %+v", one.ready, two.ready)
	}
	var hints []string
	for _, r := range []*running{one, two} {
		secret := r.ready.WebhookSecret
		hints = append(hints, "set (…"+secret[len(secret)-4:]+")")
	}
	got := s.show("demo").WebhookSecrets
	slices.Sort(got)
	slices.Sort(hints)
	if !slices.Equal(got, hints) || hints[0] == hints[1] {
		t.Errorf("the tills' secrets are %v, stored are %v", hints, got)
	}
}
