package main

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
)

type madePerson struct{ ID, Email, Role, Password string }

// signsIn reports whether the password is the person's, by the rules themselves.
func (s *shell) signsIn(email, password string) bool {
	s.t.Helper()
	people := &staff.Service{Store: s.openStore(), Now: now}
	_, err := people.SignIn(context.Background(), email, pay.Secret(password), "192.0.2.1")
	if err != nil && pay.CodeOf(err) != pay.CodeForbidden {
		s.t.Fatal(err)
	}
	return err == nil
}

func TestAdminCommands(t *testing.T) {
	t.Parallel()
	t.Run("TheFirstCommandOfANewInstallationMakesAnOperator", func(t *testing.T) {
		t.Parallel()
		s := newShell(t)
		var made madePerson
		s.json(&made, "admin", "add", " Ada@Example.com ", "--name", "Ada Lovelace", "--json")
		if made.Email != "ada@example.com" || made.Role != "operator" || len(made.Password) < 20 || !s.signsIn("ada@example.com", made.Password) {
			t.Errorf("it made %s, %s, with a password of %d characters", made.Email, made.Role, len(made.Password))
		}
		if r := s.run("admin", "add", "ada@example.com"); r.code != 1 || !strings.Contains(r.err, "there already") {
			t.Errorf("the same again: exit code %d: %s", r.code, r.err)
		}
	})
	t.Run("APasswordComesFromAFileAndIsNotPrinted", func(t *testing.T) {
		t.Parallel()
		s := migrated(t)
		s.ok("tenant", "add", "acme")
		r := s.enter("five random words of mine\n", "admin", "add", "bob@acme.example", "--role", "tenant_admin", "--tenant", "acme", "--password-file", "-")
		if r.code != 0 || strings.Contains(r.out+r.err, "random words") || strings.Contains(r.out, "shown once") || !s.signsIn("bob@acme.example", "five random words of mine") {
			t.Errorf("exit code %d: %s %s", r.code, r.out, r.err)
		}
	})
	t.Run("WrongCallsAreRefused", func(t *testing.T) {
		t.Parallel()
		s := migrated(t)
		s.ok("tenant", "add", "acme")
		for _, c := range []struct {
			code int
			args []string
		}{
			{2, []string{"admin", "add"}}, {2, []string{"admin", "add", "no address"}}, {2, []string{"admin", "add", "x@example.com", "--role", "king"}},
			{2, []string{"admin", "add", "x@example.com", "--role", "tenant_viewer"}}, {2, []string{"admin", "add", "x@example.com", "--tenant", "acme"}},
			{1, []string{"admin", "add", "x@example.com", "--role", "tenant_viewer", "--tenant", "none"}},
			{2, []string{"admin", "add", "x@example.com", "--password-file", s.file("short")}}, {2, []string{"admin", "add", "x@example.com", "--password-file", s.file("")}},
			{2, []string{"admin", "add", "x@example.com", "--password-file", "/nowhere/at/all"}}, {2, []string{"admin", "add", "x@example.com", "--password-file", s.file("two lines of a\npassword file")}},
			{1, []string{"admin", "passwd", "nobody@example.com"}}, {1, []string{"admin", "suspend", "nobody@example.com"}}, {1, []string{"admin", "reset-totp", "nobody@example.com"}},
			{2, []string{"admin", "passwd"}}, {2, []string{"admin", "list", "x"}}, {2, []string{"admin", "fly"}},
		} {
			if r := s.run(c.args...); r.code != c.code || r.err == "" {
				t.Errorf("%v: exit code %d, want %d: %s", c.args, r.code, c.code, r.err)
			}
		}
		var people []shownPerson
		if s.json(&people, "admin", "list", "--json"); len(people) != 0 {
			t.Errorf("somebody was made: %+v", people)
		}
	})
	t.Run("APersonIsSuspendedResumedAndGivenAnotherPassword", func(t *testing.T) {
		t.Parallel()
		s := migrated(t)
		var made, changed madePerson
		s.json(&made, "admin", "add", "ada@example.com", "--json")
		s.ok("admin", "suspend", "ada@example.com")
		if s.signsIn("ada@example.com", made.Password) {
			t.Error("a suspended person signs in")
		}
		s.ok("admin", "resume", "ADA@example.com")
		if !s.signsIn("ada@example.com", made.Password) {
			t.Error("a resumed person does not sign in")
		}
		s.json(&changed, "admin", "passwd", "ada@example.com", "--json")
		if s.signsIn("ada@example.com", made.Password) || !s.signsIn("ada@example.com", changed.Password) {
			t.Error("the password is not the new one")
		}
		s.ok("admin", "reset-totp", "ada@example.com")
		var people []shownPerson
		s.json(&people, "admin", "list", "--json")
		if len(people) != 1 || people[0].State != "active" || people[0].TOTP || people[0].SignedInAt == nil {
			t.Errorf("the list has %+v", people)
		}
		if out := s.ok("admin", "list"); !strings.Contains(out, "ada@example.com") || strings.Contains(out, changed.Password) {
			t.Errorf("the list is %s", out)
		}
		entries, err := s.openStore().ListAudit(context.Background(), staff.EntryFilter{Actor: staff.Command})
		if err != nil || len(entries) != 5 {
			t.Errorf("the audit log has %d entries of the command line, want 5, %v", len(entries), err)
		}
	})
	t.Run("EveryCommandHasAnExample", func(t *testing.T) {
		t.Parallel()
		for _, c := range []string{"add", "passwd", "list", "suspend", "resume", "reset-totp"} {
			if out := newShell(t).ok("admin", c, "--help"); !strings.Contains(out, "Examples:\n  portatill admin "+c) {
				t.Errorf("%s: %s", c, out)
			}
		}
	})
}

func TestTheSandboxsOperatorSignsIn(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	signIn := func(r *running) int {
		answer, err := client.PostForm(r.ready.BaseURL+"/admin/sign-in", url.Values{"email": {r.ready.AdminEmail}, "password": {r.ready.AdminPassword}})
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		return answer.StatusCode
	}
	first := s.serve("--sandbox")
	if len(first.ready.AdminPassword) < 16 || signIn(first) != http.StatusOK || !strings.Contains(first.out.String(), first.ready.AdminPassword) {
		t.Errorf("the printed login does not sign in: %s", first.out.String())
	}
	first.stop()
	s.ok("admin", "passwd", first.ready.AdminEmail)
	again := s.serve("--sandbox")
	if again.ready.AdminPassword != first.ready.AdminPassword || signIn(again) != http.StatusOK {
		t.Error("after another start the printed login does not sign in")
	}
}
