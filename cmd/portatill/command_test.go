package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/internal/config"
	"github.com/portatill/portatill/pay"
)

func TestEveryCommandsHelpHasAnExample(t *testing.T) {
	t.Parallel()
	var all [][]string
	var walk func(c *cobra.Command, path []string)
	walk = func(c *cobra.Command, path []string) {
		all = append(all, path)
		for _, sub := range c.Commands() {
			walk(sub, append(append([]string{}, path...), sub.Name()))
		}
	}
	walk((&app{}).root(), nil)
	if len(all) < 15 {
		t.Fatalf("only %d commands: %v", len(all), all)
	}
	s := newShell(t)
	for _, path := range all {
		r := s.run(append(path, "--help")...)
		name := strings.Join(append([]string{"portatill"}, path...), " ")
		_, examples, found := strings.Cut(r.out, "Examples:\n")
		if r.code != 0 || !found || !strings.Contains(examples, "  "+name) {
			t.Errorf("%s --help: exit code %d, and no example of it in %q", name, r.code, r.out)
		}
	}
	for _, wanted := range []string{"serve", "sandbox", "migrate", "tenant add", "tenant list", "tenant show", "tenant set", "tenant rotate-license", "settle", "sweep", "books", "config", "version"} {
		found := false
		for _, path := range all {
			found = found || strings.Join(path, " ") == wanted
		}
		if !found {
			t.Errorf("there is no command %s", wanted)
		}
	}
}

func TestAWrongCallIsExitCode2AndSaysWhereToLook(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	for _, args := range [][]string{{"nope"}, {"--nope"}, {"serve", "extra"}, {"serve", "--nope"}, {"migrate", "now"}, {"tenant", "nope"}, {"tenant", "add"}, {"tenant", "add", "a1", "b1"},
		{"tenant", "show"}, {"tenant", "list", "x"}, {"tenant", "rotate-license"}, {"tenant", "set"}, {"settle"}, {"settle", "ord_1", "--since", "1h"}, {"settle", "--since", "soon"},
		{"books", "x"}, {"config", "x"}, {"version", "x"}, {"sweep", "x"}, {"sandbox", "x"}, {"tenant", "add", "acme", "--i-parent", "many"}} {
		r := s.run(args...)
		if r.code != 2 || !strings.Contains(r.err, "--help") || r.out != "" {
			t.Errorf("%v: exit code %d, out %q, err %q", args, r.code, r.out, r.err)
		}
	}
}

func TestAFailureIsExitCode1(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	for want, args := range map[string][]string{
		"there is no order ord_1":            {"settle", "ord_1"},
		"no order knows pi_1":                {"settle", "pi_1"},
		`there is no tenant "nobody"`:        {"tenant", "show", "nobody"},
		`there is no tenant "someone"`:       {"books", "--tenant", "someone"},
		`there is no tenant "anyone"`:        {"settle", "--tenant", "anyone", "--since", "1h"},
		`there is no tenant "no-one"`:        {"tenant", "set", "no-one", "--name", "x"},
		`there is no tenant "nobody-at-all"`: {"tenant", "rotate-license", "nobody-at-all"},
	} {
		if r := s.run(args...); r.code != 1 || !strings.Contains(r.err+r.out, want) {
			t.Errorf("%v: exit code %d, %q %q", args, r.code, r.out, r.err)
		}
	}
	fresh := newShell(t)
	if r := fresh.run("tenant", "list"); r.code != 1 || !strings.Contains(r.err, "portatill migrate") {
		t.Errorf("a database that was never migrated: %d %q", r.code, r.err)
	}
	fresh.env["PORTATILL_DATABASE_URL"] = "sqlite:/nonexistent/dir/till.db"
	if r := fresh.run("migrate"); r.code != 1 || !strings.Contains(r.err, "/nonexistent/dir") {
		t.Errorf("a directory that is not there: %d %q", r.code, r.err)
	}
	fresh.env["PORTATILL_DATABASE_URL"] = "postgres://u:canary-password@127.0.0.1:1/x"
	if r := fresh.run("migrate"); r.code != 1 || strings.Contains(r.err, "canary-password") {
		t.Errorf("a server that is not there: %d %q", r.code, r.err)
	}
	fresh.env["PORTATILL_DATABASE_URL"] = "postgres://u:canary-password@[::1"
	if r := fresh.run("migrate"); r.code == 0 || strings.Contains(r.err, "canary-password") {
		t.Errorf("an address that cannot be read: %d %q", r.code, r.err)
	}
}

// TestFaultySettingsAreAllToldAndNothingStarts is CF-01 and product.md section 7.
func TestFaultySettingsAreAllToldAndNothingStarts(t *testing.T) {
	t.Parallel()
	faulty := map[string]string{"PORTATILL_LISTEN": "canary-nonsense", "PORTATILL_BASE_URL": "ftp://canary", "PORTATILL_DATABASE_URL": "mysql://root:canary@h/d", "PORTATILL_SECRET_KEY": "canary",
		"PORTATILL_SANDBOX_LISTEN": "canary", "PORTATILL_LOG_LEVEL": "canary", "PORTATILL_METRICS_LISTEN": "canary", "PORTATILL_TRUSTED_PROXIES": "canary", "PORTATILL_SWEEP_INTERVAL": "canary"}
	for _, args := range [][]string{{"serve"}, {"config"}, {"migrate"}, {"tenant", "list"}, {"books"}, {"settle", "ord_1"}} {
		r := (&shell{t, faulty}).run(args...)
		lines := strings.Split(strings.TrimSpace(r.err), "\n")
		if r.code != 2 || len(lines) != len(faulty) || r.out != "" {
			t.Errorf("%v: exit code %d and %d lines: %s", args, r.code, len(lines), r.err)
		}
		for _, line := range lines {
			name, rest, _ := strings.Cut(line, " ")
			if _, known := faulty[name]; !known || rest == "" || strings.Contains(line, "canary") {
				t.Errorf("%v: %q", args, line)
			}
		}
	}
	for name, c := range map[string]struct {
		change map[string]string
		args   []string
		want   string
	}{
		"NoSecretKey":      {map[string]string{"PORTATILL_SECRET_KEY": ""}, []string{"serve"}, "PORTATILL_SECRET_KEY is required"},
		"AnHTTPBaseURL":    {map[string]string{"PORTATILL_BASE_URL": "http://pay.example.com"}, []string{"serve"}, "PORTATILL_BASE_URL must be https"},
		"AFileThatIsNot":   {map[string]string{"PORTATILL_LOG_LEVEL_FILE": "/nonexistent"}, []string{"serve"}, "PORTATILL_LOG_LEVEL cannot be read"},
		"AFlagThatIsWrong": {nil, []string{"serve", "--listen", "here"}, "PORTATILL_LISTEN must be"},
		"ASandboxNowhere":  {nil, []string{"serve", "--sandbox=nowhere"}, "PORTATILL_SANDBOX must be"},
		"APortThatIsTaken": {nil, []string{"serve", "--listen", "192.0.2.1:1"}, "PORTATILL_LISTEN cannot listen on 192.0.2.1:1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t)
			for k, v := range c.change {
				s.env[k] = v
			}
			if r := s.run(c.args...); r.code != 2 || !strings.Contains(r.err, c.want) {
				t.Errorf("exit code %d: %s", r.code, r.err)
			}
		})
	}
}

func TestConfigMasksSecrets(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.env["PORTATILL_DATABASE_URL"] = "postgres://u:canary-password@db.example/till?password=canary-password"
	s.env["PORTATILL_OLD_SECRET_KEYS"] = "canary-password-canary-password-canary"
	var values map[string]string
	s.json(&values, "config", "--json")
	if len(values) != len(config.Settings) || values["PORTATILL_SECRET_KEY"] != "***" || values["PORTATILL_OLD_SECRET_KEYS"] != "***" || !strings.Contains(values["PORTATILL_DATABASE_URL"], "db.example/till") {
		t.Errorf("got %v", values)
	}
	for _, out := range []string{s.ok("config"), s.ok("config", "--json"), s.ok("config", "--env-example")} {
		if strings.Contains(out, "canary-password") || strings.Contains(out, testKey) {
			t.Errorf("a secret is shown: %s", out)
		}
	}
	if n := strings.Count(s.ok("config"), "\n"); n != len(config.Settings) {
		t.Errorf("%d lines", n)
	}
	if committed, err := os.ReadFile("../../.env.example"); err == nil && string(committed) != s.ok("config", "--env-example") {
		t.Error(".env.example is stale: run make generate")
	}
}

func TestVersionIsPrinted(t *testing.T) {
	t.Parallel()
	var v map[string]string
	s := newShell(t)
	s.json(&v, "version", "--json")
	if v["version"] == "" || s.ok("version") != "portatill "+v["version"]+"\n" {
		t.Errorf("got %v", v)
	}
}

func TestMigratingTwiceIsMigratingOnce(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	for range 2 {
		if out := s.ok("migrate"); out != "The database is up to date.\n" {
			t.Errorf("got %q", out)
		}
	}
}

func TestAnEmptyDatabasesBooksAreSquare(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	var books pay.Books
	s.json(&books, "books", "--json")
	if books.Tenants == nil || len(books.Tenants) != 0 || books.Broken == nil || len(books.Broken) != 0 {
		t.Errorf("got %s", s.ok("books", "--json"))
	}
	if out := s.ok("books"); !strings.Contains(out, "Nothing is booked yet.") || !strings.Contains(out, "All square") {
		t.Errorf("got %q", out)
	}
	if out := s.ok("settle", "--since", "24h"); !strings.Contains(out, "nothing to settle") {
		t.Errorf("settle: %q", out)
	}
	var swept map[string]int
	s.json(&swept, "sweep", "--json")
	if swept["asked"] != 0 {
		t.Errorf("sweep: %v", swept)
	}
}

type shown = shownTenant

func TestATenantIsAddedChangedAndShownWithoutItsSecrets(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	const key, hook = "sk_test_canary0123456789", "whsec_canary0123456789abcdef"
	var made map[string]string
	s.json(&made, "tenant", "add", "acme", "--name", "Acme Telecom", "--currency", "gbp", "--currencies", "gbp, eur", "--vat-rate", "17.5", "--return-origins", "https://shop.acme.example",
		"--i-parent", "7", "--stripe-key-file", s.file(key+"\n"), "--stripe-webhook-secret-file", s.file(hook), "--json")
	if !strings.HasPrefix(made["license"], "ptl_") || !strings.HasPrefix(made["signing_secret"], "sig_") || made["tenant"] != "acme" {
		t.Fatalf("got %v", made)
	}
	var got shown
	s.json(&got, "tenant", "show", "acme", "--json")
	if !got.Ready || got.VATBasisPoints != 1750 || strings.Join(got.Currencies, " ") != "GBP EUR" || got.Currency != "GBP" || got.StripeMode != "test" || got.WebhookSecrets != 1 || got.IParent != 7 ||
		len(got.Licenses) != 1 || got.Licenses[0] != "…"+made["license"][len(made["license"])-4:] {
		t.Errorf("got %+v", got)
	}
	if r := s.run("tenant", "set", "acme", "--vat-rate", "20", "--state", "suspended", "--accent", "#0F766E", "--review", "direct"); r.code != 0 {
		t.Fatalf("set: %d %s", r.code, r.err)
	}
	if r := s.enter(hook+"2", "tenant", "set", "acme", "--stripe-webhook-secret-file", "-"); r.code != 0 {
		t.Fatalf("a secret from standard input: %d %s", r.code, r.err)
	}
	s.json(&got, "tenant", "show", "acme", "--json")
	if got.VATBasisPoints != 2000 || got.State != "suspended" || got.Review != "direct" || got.WebhookSecrets != 2 {
		t.Errorf("got %+v", got)
	}
	var list []shown
	s.json(&list, "tenant", "list", "--json")
	if len(list) != 1 || list[0].Slug != "acme" {
		t.Errorf("got %+v", list)
	}
	for _, args := range [][]string{{"tenant", "show", "acme"}, {"tenant", "show", "acme", "--json"}, {"tenant", "list"}, {"tenant", "list", "--json"}} {
		out := s.ok(args...)
		for _, secret := range []string{key, hook, "canary", made["license"], made["signing_secret"]} {
			if strings.Contains(out, secret) {
				t.Errorf("%v shows a secret: %s", args, out)
			}
		}
	}
	raw, err := os.ReadFile(strings.TrimPrefix(s.env["PORTATILL_DATABASE_URL"], "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{key, hook, made["license"], made["signing_secret"]} {
		if bytes.Contains(raw, []byte(secret)) {
			t.Error("a secret is in the database file in clear")
		}
	}
}

func TestABadTenantIsRefusedWithAllItsFaultsAndNothingIsStored(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	r := s.run("tenant", "add", "Bad Slug!", "--name", " ", "--currency", "XXX", "--vat-rate", "101", "--vat-mode", "none", "--return-origins", "http://shop.example,https://a/b", "--accent", "red",
		"--review", "never", "--first-month", "free", "--subtotal", "guess", "--state", "asleep", "--i-parent", "-1", "--stripe-key-file", s.file("pk_test_canary0123456789"), "--stripe-webhook-secret-file", s.file("canary"))
	if r.code != 2 || strings.Contains(r.err, "canary") {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
	for _, field := range []string{"slug", "name", "currency", "vat-rate", "vat-mode", "return-origins", "accent", "review", "first-month", "subtotal", "state", "i-parent", "stripe-key", "stripe-webhook-secret"} {
		if !strings.Contains(r.err, "--"+field+": ") {
			t.Errorf("--%s is not named in %s", field, r.err)
		}
	}
	for _, rate := range []string{"twenty", "20.001", "1/3", "1e2", "-1", "0x10", "", "NaN"} {
		if r := s.run("tenant", "add", "acme", "--vat-rate", rate); r.code != 2 || !strings.Contains(r.err, "--vat-rate") {
			t.Errorf("--vat-rate %q: %d %s", rate, r.code, r.err)
		}
	}
	if r := s.run("tenant", "add", "acme", "--stripe-key-file", "/nonexistent/key"); r.code == 0 || !strings.Contains(r.err, "/nonexistent/key") {
		t.Errorf("a file that is not there: %d %s", r.code, r.err)
	}
	if out := s.ok("tenant", "list"); !strings.Contains(out, "no tenants yet") {
		t.Errorf("stored: %s", out)
	}
	s.ok("tenant", "add", "acme")
	if r := s.run("tenant", "add", "acme"); r.code != 1 || !strings.Contains(r.err, `"acme" exists already`) {
		t.Errorf("twice: %d %s", r.code, r.err)
	}
	before := s.ok("tenant", "show", "acme", "--json")
	if r := s.run("tenant", "set", "acme", "--name", "New", "--vat-rate", "300"); r.code != 2 {
		t.Errorf("set: %d %s", r.code, r.err)
	}
	if after := s.ok("tenant", "show", "acme", "--json"); after != before {
		t.Errorf("a refused change was stored: %s", after)
	}
}

func TestALicenceIsRotatedWithoutAGap(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	var first, second, third map[string]any
	s.json(&first, "tenant", "add", "acme", "--json")
	s.json(&second, "tenant", "rotate-license", "acme", "--json")
	var got shown
	if s.json(&got, "tenant", "show", "acme", "--json"); len(got.Licenses) != 2 || second["revoked"] != 0.0 || first["license"] == second["license"] {
		t.Errorf("both are good for a while: %v", got.Licenses)
	}
	s.json(&third, "tenant", "rotate-license", "acme", "--revoke-others", "--json")
	if s.json(&got, "tenant", "show", "acme", "--json"); len(got.Licenses) != 1 || third["revoked"] != 2.0 {
		t.Errorf("only the new one is good: %v, revoked %v", got.Licenses, third["revoked"])
	}
}

func TestAnotherSecretKeyIsNoticed(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	s.ok("tenant", "add", "acme")
	s.env["PORTATILL_SECRET_KEY"] = "another " + testKey
	if r := s.run("tenant", "show", "acme"); r.code != 1 || !strings.Contains(r.err, "PORTATILL_SECRET_KEY") || strings.Contains(r.err, testKey) {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
	s.env["PORTATILL_OLD_SECRET_KEYS"] = strings.ReplaceAll(testKey, " ", "_")
	if r := s.run("tenant", "show", "acme"); r.code != 1 {
		t.Errorf("with a wrong old key: %d", r.code)
	}
}
