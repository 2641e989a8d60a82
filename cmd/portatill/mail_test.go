package main

import (
	"strings"
	"testing"

	"github.com/portatill/portatill/internal/mail/smtptest"
)

func TestMailAtTheCommandLine(t *testing.T) {
	t.Parallel()
	at, err := smtptest.Start(smtptest.Options{User: "till", Password: "canary-smtp-password"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(at.Close)
	s := migrated(t)
	check := func() (state, what string) {
		t.Helper()
		r := s.run("doctor")
		for l := range strings.Lines(r.out) {
			if state, what, ok := strings.Cut(l, "mail: "); ok {
				return strings.TrimSpace(state), what
			}
		}
		t.Fatalf("the doctor says nothing of mail: %s%s", r.out, r.err)
		return "", ""
	}
	if r := s.run("mail", "test", "--to", "ada@example.com"); r.code != exitUsage || !strings.Contains(r.err, "PORTATILL_SMTP_ADDRESS is not set") {
		t.Errorf("without a server: %+v", r)
	}
	if state, what := check(); state != "ok" || !strings.Contains(what, "none is sent") {
		t.Errorf("without a server the doctor says %s %s", state, what)
	}
	s.env["PORTATILL_SMTP_ADDRESS"], s.env["PORTATILL_SMTP_TLS"], s.env["PORTATILL_MAIL_FROM"] = at.Addr, "none", "till@example.com"
	s.env["PORTATILL_SMTP_USER"], s.env["PORTATILL_SMTP_PASSWORD"] = "till", "canary-smtp-password"
	var sent mailTest
	s.json(&sent, "mail", "test", "--to", "ada@example.com", "--kind", "daily", "--json")
	if got := at.Mails(); !sent.Sent || !strings.Contains(sent.Answer, "queued") || len(got) != 1 || got[0].User != "till" || got[0].To[0] != "ada@example.com" {
		t.Errorf("%+v, and the server has %+v", sent, got)
	}
	if state, what := check(); state != "ok" || !strings.Contains(what, "lets us in") || len(at.Mails()) != 1 {
		t.Errorf("the doctor says %s %s, or sent a mail", state, what)
	}
	for _, wrong := range [][]string{{"mail", "test"}, {"mail", "test", "--to", "Ada <ada@example.com>"}, {"mail", "test", "--to", "ada@example.com", "--kind", "spam"}} {
		if r := s.run(wrong...); r.code != exitUsage {
			t.Errorf("%v: %+v", wrong, r)
		}
	}
	at.Answer("RCPT", "550 5.7.1 not from here")
	if r := s.run("mail", "test", "--to", "ada@example.com"); r.code != exitFailed || !strings.Contains(r.err, "not from here") {
		t.Errorf("refused: %+v", r)
	}
	s.env["PORTATILL_SMTP_PASSWORD"] = "canary-wrong-password"
	state, what := check()
	if state != "fail" || !strings.Contains(what, "sign in: 535") || strings.Contains(what, "canary") {
		t.Errorf("with a wrong password the doctor says %s %s", state, what)
	}
	if out := s.ok("config"); strings.Contains(out, "canary") {
		t.Error("config shows the password")
	}
}
