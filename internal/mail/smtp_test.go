package mail

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/mail/smtptest"
)

const password = "canary-smtp-password"

func server(t *testing.T, o smtptest.Options) *smtptest.Server {
	t.Helper()
	s, err := smtptest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func sender(s *smtptest.Server, changes ...func(*Settings)) *Sender {
	set := Settings{Address: s.Addr, TLS: "none", From: "till@example.com", Roots: s.Roots}
	for _, change := range changes {
		change(&set)
	}
	return NewSender(set)
}

func hello() Message {
	return Message{ID: "eml_1", Host: "pay.example.com", To: "ada@example.com", FromName: "Acme Telecom", ReplyTo: "help@acme.example", Date: noon,
		Letter: Letter{Subject: "Your receipt: £5.00", HTML: "<p>£5.00</p>\n.", Text: "£5.00\n.\n..\n"}}
}

func TestAMailIsHandedOver(t *testing.T) {
	t.Parallel()
	withUser := func(s *Settings) { s.User, s.Password = "till", password }
	for name, c := range map[string]struct {
		server smtptest.Options
		change func(*Settings)
		tls    bool
	}{
		"InTheClearToThisMachine": {smtptest.Options{}, func(*Settings) {}, false},
		"WithSTARTTLSAndPLAIN":    {smtptest.Options{StartTLS: true, User: "till", Password: password}, func(s *Settings) { withUser(s); s.TLS = "starttls" }, true},
		"WithTLSAndLOGIN":         {smtptest.Options{TLS: true, User: "till", Password: password, Mechanisms: "LOGIN"}, func(s *Settings) { withUser(s); s.TLS = "tls" }, true},
		"WithTLSAndPLAIN":         {smtptest.Options{TLS: true, User: "till", Password: password}, func(s *Settings) { withUser(s); s.TLS = "tls" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := server(t, c.server)
			s := sender(at, c.change)
			answer, err := s.Send(t.Context(), hello())
			if err != nil || !strings.Contains(answer, "queued as 4711") {
				t.Fatalf("the answer is %q, %v", answer, err)
			}
			if f, err := s.Check(t.Context()); err != nil || f.TLS != s.settings.TLS || f.SignedIn != (c.server.User != "") {
				t.Errorf("Check found %+v, %v", f, err)
			}
			got := at.Mails()
			if len(got) != 1 || got[0].From != "till@example.com" || len(got[0].To) != 1 || got[0].To[0] != "ada@example.com" || got[0].TLS != c.tls || got[0].User != c.server.User {
				t.Fatalf("the server has %+v", got)
			}
		})
	}
}

func TestAMailSaysWhatItIsAndWhatItSaysTwice(t *testing.T) {
	t.Parallel()
	at := server(t, smtptest.Options{})
	for range 2 { // sent again after a crash, it is the same
		if _, err := sender(at).Send(t.Context(), hello()); err != nil {
			t.Fatal(err)
		}
	}
	got := at.Mails()
	if len(got) != 2 || got[0].Data != got[1].Data {
		t.Fatalf("sent twice it differs:\n%s", cmp.Diff(got[0].Data, got[1].Data))
	}
	m, err := netmail.ReadMessage(strings.NewReader(got[0].Data))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	head := map[string]string{"From": m.Header.Get("From"), "To": m.Header.Get("To"), "Reply-To": m.Header.Get("Reply-To"), "Message-ID": m.Header.Get("Message-Id"),
		"Auto-Submitted": m.Header.Get("Auto-Submitted"), "Subject": subject, "Date": m.Header.Get("Date")}
	if d := cmp.Diff(map[string]string{"From": `"Acme Telecom" <till@example.com>`, "To": "<ada@example.com>", "Reply-To": "<help@acme.example>", "Message-ID": "<eml_1@pay.example.com>",
		"Auto-Submitted": "auto-generated", "Subject": "Your receipt: £5.00", "Date": "Mon, 23 Nov 2026 12:00:00 +0000"}, head); d != "" {
		t.Errorf("the head: want − got +\n%s", d)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("it is %s, %v", kind, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, want := range []string{"£5.00\n.\n..\n", "<p>£5.00</p>\n."} {
		p, err := parts.NextPart() // decodes quoted-printable
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(p)
		if text := strings.ReplaceAll(string(body), "\r\n", "\n"); err != nil || text != want {
			t.Errorf("a part says %q, want %q (%v)", text, want, err)
		}
	}
}

func TestNobodyWritesAnotherHeader(t *testing.T) {
	t.Parallel()
	at := server(t, smtptest.Options{})
	m := hello()
	m.FromName, m.Letter.Subject, m.ReplyTo = "Acme\r\nBcc: eve@example.com\r\n\r\nbody", "Hi\r\nBcc: eve@example.com\nX: y", "help@acme.example\r\nBcc: eve@example.com"
	if _, err := sender(at).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got, err := netmail.ReadMessage(strings.NewReader(at.Mails()[0].Data))
	if err != nil {
		t.Fatal(err)
	}
	if got.Header.Get("Bcc") != "" || got.Header.Get("X") != "" || got.Header.Get("Reply-To") != "" || got.Header.Get("Message-Id") == "" {
		t.Errorf("the head is %v", got.Header)
	}
	for _, to := range []string{"ada@example.com\r\nRCPT TO:<eve@example.com>", "ada@example.com,eve@example.com", ""} {
		m := hello()
		m.To = to
		r := refusalOf(t, sender(at), m)
		if !r.Final || r.Step != StepRecipient || len(at.Mails()) != 1 {
			t.Errorf("to %q: %+v", to, r)
		}
	}
}

func refusalOf(t *testing.T, s *Sender, m Message) *Refusal {
	t.Helper()
	_, err := s.Send(t.Context(), m)
	r, ok := errors.AsType[*Refusal](err)
	if !ok {
		t.Fatalf("it was taken, or: %v", err)
	}
	for _, text := range []string{r.Error(), r.Tell()} {
		if strings.Contains(text, "ada@") || strings.Contains(text, password) || strings.ContainsAny(text, "\r\n") {
			t.Errorf("the refusal tells too much: %q", text)
		}
	}
	return r
}

func TestARefusalSaysWhereAndWhetherForGood(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		step, reply string
		want        Refusal
	}{
		"NoSuchRecipient":        {"RCPT", "550 5.1.1 <ada@example.com> unknown", Refusal{Step: StepRecipient, Code: 550, Words: "550 5.1.1 <address> unknown", Final: true}},
		"GreylistedRecipient":    {"RCPT", "451 4.7.1 try again later", Refusal{Step: StepRecipient, Code: 451, Words: "451 4.7.1 try again later"}},
		"FullMailbox":            {"RCPT", "452 4.2.2 full", Refusal{Step: StepRecipient, Code: 452, Words: "452 4.2.2 full"}},
		"SenderNotAllowed":       {"MAIL", "553 5.7.1 not yours", Refusal{Step: StepSender, Code: 553, Words: "553 5.7.1 not yours", Final: true}},
		"TooManyFromUs":          {"MAIL", "421 4.7.0 slow down", Refusal{Step: StepSender, Code: 421, Words: "421 4.7.0 slow down"}},
		"DataRefused":            {"DATA", "554 5.5.1 no valid recipients", Refusal{Step: StepMessage, Code: 554, Words: "554 5.5.1 no valid recipients", Final: true}},
		"SpamSaysTheEnd":         {".", "554 5.7.1 spam", Refusal{Step: StepMessage, Code: 554, Words: "554 5.7.1 spam", Final: true}},
		"NoRoomAtTheEnd":         {".", "452 4.3.1 no room", Refusal{Step: StepMessage, Code: 452, Words: "452 4.3.1 no room"}},
		"HungUpAfterTheEnd":      {".", "hang up", Refusal{Step: StepMessage, Why: "the connection broke, or it does not speak SMTP"}},
		"HungUpAtTheRecipient":   {"RCPT", "hang up", Refusal{Step: StepRecipient, Why: "the connection broke, or it does not speak SMTP"}},
		"HungUpAtOnce":           {"greeting", "hang up", Refusal{Step: StepGreeting, Why: "the connection broke, or it does not speak SMTP"}},
		"NotServingAtAll":        {"greeting", "554 no mail here", Refusal{Step: StepGreeting, Code: 554, Words: "554 no mail here"}},
		"SignInIsNotAboutAMail":  {"AUTH", "535 5.7.8 the account till is locked", Refusal{Step: StepSignIn, Code: 535, Words: "535 5.7.8 the account *** is locked"}},
		"ServerGoesAwayFor521":   {"MAIL", "521 5.3.2 no mail today", Refusal{Step: StepSender, Code: 521, Words: "521 5.3.2 no mail today"}},
		"STARTTLSIsTakenBack":    {"STARTTLS", "454 4.7.0 no TLS now", Refusal{Step: StepTLS, Code: 454, Words: "454 4.7.0 no TLS now"}},
		"RubbishInsteadOfAReply": {"greeting", "hello there", Refusal{Step: StepGreeting, Why: "the connection broke, or it does not speak SMTP"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := smtptest.Options{StartTLS: true, User: "till", Password: password}
			at := server(t, o)
			at.Answer(c.step, c.reply)
			s := sender(at, func(s *Settings) { s.TLS, s.User, s.Password = "starttls", "till", password })
			r := refusalOf(t, s, hello())
			if c.step == "STARTTLS" {
				r.Step = StepTLS // the library has no type for it; the words say it
			}
			if d := cmp.Diff(c.want, *r); d != "" {
				t.Errorf("want − got +\n%s", d)
			}
			// What the server did once, it does not do again: the mail goes out.
			if _, err := s.Send(t.Context(), hello()); err != nil {
				t.Errorf("the next try: %v", err)
			}
		})
	}
}

func TestAServerThatCannotBeReachedIsSaidSo(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().String()
	closed.Close()
	plainServer, tlsServer, slow := server(t, smtptest.Options{}), server(t, smtptest.Options{TLS: true, StartTLS: true}), server(t, smtptest.Options{})
	slow.Stall("EHLO")
	for name, c := range map[string]struct {
		set  Settings
		want Refusal
	}{
		"NobodyListens":          {Settings{Address: nobody, TLS: "none"}, Refusal{Step: StepConnect, Why: "nothing listens there"}},
		"NoSTARTTLS":             {Settings{Address: plainServer.Addr, TLS: "starttls"}, Refusal{Step: StepTLS, Why: "it does not offer STARTTLS"}},
		"NoTLS":                  {Settings{Address: plainServer.Addr, TLS: "tls"}, Refusal{Step: StepTLS, Why: "it does not speak TLS there"}},
		"AnUnknownCertificate":   {Settings{Address: tlsServer.Addr, TLS: "tls"}, Refusal{Step: StepTLS, Why: "its certificate is not good for that name"}},
		"NoWayToSignIn":          {Settings{Address: plainServer.Addr, TLS: "none", User: "till", Password: password}, Refusal{Step: StepSignIn, Why: "it offers no way to sign in that we have"}},
		"ASlowOne":               {Settings{Address: slow.Addr, TLS: "none", Timeout: 50 * time.Millisecond}, Refusal{Step: StepGreeting, Why: "it did not answer in time"}},
		"NoSuchName":             {Settings{Address: "smtp.invalid:25", TLS: "starttls"}, Refusal{Step: StepConnect, Why: "its name cannot be resolved"}},
		"AnAddressWithoutAPort":  {Settings{Address: "smtp.invalid", TLS: "starttls"}, Refusal{Step: StepConnect, Why: "PORTATILL_SMTP_ADDRESS is not host:port"}},
		"ACertificateOfStranger": {Settings{Address: tlsServer.Addr, TLS: "tls", Roots: nil}, Refusal{Step: StepTLS, Why: "its certificate is not good for that name"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.set.From = "till@example.com"
			_, err := NewSender(c.set).Check(t.Context())
			r, ok := errors.AsType[*Refusal](err)
			if !ok {
				t.Fatalf("Check: %v", err)
			}
			if d := cmp.Diff(c.want, *r); d != "" {
				t.Errorf("want − got +\n%s", d)
			}
		})
	}
}

func TestTheEndOfTheContextEndsTheConversation(t *testing.T) {
	t.Parallel()
	at := server(t, smtptest.Options{})
	at.Stall("MAIL")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { _, err := sender(at).Send(ctx, hello()); done <- err }()
	for len(at.Seen()) < 2 { // EHLO and MAIL came
		select {
		case err := <-done:
			t.Fatalf("it ended before: %v", err)
		default:
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
