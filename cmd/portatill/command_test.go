package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
	for _, wanted := range []string{"serve", "sandbox", "migrate", "tenant add", "tenant list", "tenant show", "tenant set", "tenant rotate-license", "tenant suspend", "tenant resume", "tenant licenses", "tenant revoke-license", "orders list", "orders show", "refund", "events list", "events show", "events replay", "doctor", "unclaimed list", "unclaimed assign", "unclaimed refund", "unclaimed ignore", "secrets reseal", "settle", "sweep", "books", "export journal", "export statement", "export vat", "payouts list", "config", "version"} {
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
		{"books", "x"}, {"config", "x"}, {"version", "x"}, {"sweep", "x"}, {"sandbox", "x"}, {"tenant", "suspend"}, {"tenant", "resume", "a1", "b1"},
		{"tenant", "set", "acme", "--json"}, {"tenant", "licenses"}, {"tenant", "revoke-license", "acme"}, {"tenant", "rotate-license", "acme", "--keep-old", "--revoke-others"}, {"secrets", "nope"}, {"secrets", "reseal", "x"},
		{"orders", "list", "x"}, {"orders", "show"}, {"orders", "list", "--state", "lost"}, {"orders", "list", "--limit", "0"}, {"orders", "list", "--content", "-1"}, {"orders", "list", "--since", "soon"},
		{"orders", "list", "--after", "42"}, {"refund"}, {"refund", "ord_1", "--reason", "because"}} {
		r := s.run(args...)
		if r.code != 2 || !strings.Contains(r.err, "--help") || r.out != "" {
			t.Errorf("%v: exit code %d, out %q, err %q", args, r.code, r.out, r.err)
		}
	}
}

// TestAnEmptyFlagIsNotTakenAsNotGiven walks over every text of every command: a script
// whose variable is empty must not refund without a key.
func TestAnEmptyFlagIsNotTakenAsNotGiven(t *testing.T) {
	t.Parallel()
	s := newShell(t) // without a database: it is refused before anything is opened
	clears, refused := 0, 0
	var walk func(c *cobra.Command, path []string)
	walk = func(c *cobra.Command, path []string) {
		for _, sub := range c.Commands() {
			walk(sub, append(append([]string{}, path...), sub.Name()))
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Value.Type() != "string" && f.Value.Type() != "stringArray" {
				return
			}
			args := append(append([]string{}, path...), "--"+f.Name+"=")
			r := s.run(args...)
			for range 2 { // of a command that takes arguments, these are asked for first
				if r.code != 2 || !strings.Contains(r.err, ": is empty") {
					args = append(args, "x")
					r = s.run(args...)
				}
			}
			said := strings.Contains(r.err, "--"+f.Name+": is empty")
			if f.Annotations[emptyCounts] != nil {
				clears++
				if said {
					t.Errorf("%v: empty says something there: %q", args, r.err)
				}
				return
			}
			if refused++; r.code != 2 || !said || r.out != "" {
				t.Errorf("%v: exit code %d, out %q, err %q", args, r.code, r.out, r.err)
			}
		})
	}
	walk((&app{}).root(), nil)
	if clears < 20 || refused < 30 {
		t.Errorf("%d flags may be empty, %d may not", clears, refused)
	}
}

func TestWordsOfTheCommandLine(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	tomorrow := now().AddDate(0, 0, 1).Format(time.DateOnly)
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"books", "--proof", "--day", "0001-01-01"}, "before there was any till"},
		{[]string{"books", "--proof", "--until", "1999-12-31"}, "before there was any till"},
		{[]string{"books", "--day", "0001-01-01"}, "before there was any till"},
		{[]string{"books", "--proof", "--from", tomorrow}, tomorrow + " has not begun yet"},
		{[]string{"books", "--proof", "--day", tomorrow}, tomorrow + " has not begun yet"},
		{[]string{"books", "--proof", "--from", "2026-01-02", "--until", "2026-01-01"}, "--until is before --from"},
		{[]string{"books", "--proof", "--tenant", ""}, "--tenant: is empty"},
		{[]string{"events", "list", "--since", "999999999h"}, "that is not a time such as 90m or 24h, or a longer one"},
		{[]string{"tenant", "set", "acme", "--add-return-origin", ""}, "--add-return-origin: is empty"},
	} {
		if r := s.run(c.args...); r.code != 2 || !strings.Contains(r.err, c.says) || strings.Contains(r.err, "time: ") || r.out != "" {
			t.Errorf("%v: exit code %d, out %q, err %q", c.args, r.code, r.out, r.err)
		}
	}
	for d, want := range map[time.Duration]string{0: "less than a minute ago", 59 * time.Second: "less than a minute ago", time.Minute: "1 minute ago", 119 * time.Second: "1 minute ago",
		2 * time.Minute: "2 minutes ago", 90 * time.Minute: "90 minutes ago", 2 * time.Hour: "2 hours ago", 49 * time.Hour: "2 days ago"} {
		if got := age(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
	var text strings.Builder
	writeCase(&text, shownCase{ID: "unc_1", Object: "txn_9", Held: "-5.00 GBP"})
	if !strings.Contains(text.String(), "more left Stripe's balance for txn_9 than came in") {
		t.Errorf("a case below nothing: %s", text.String())
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
		`there is no tenant "n1"`:            {"tenant", "suspend", "n1"},
		`there is no tenant "n2"`:            {"tenant", "licenses", "n2"},
		`there is no tenant "n3"`:            {"tenant", "revoke-license", "n3", "abcd"},
		`there is no tenant "n4"`:            {"orders", "list", "--tenant", "n4"},
		"there is no order ord_2":            {"orders", "show", "ord_2"},
		"there is no order ord_3":            {"refund", "ord_3"},
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
