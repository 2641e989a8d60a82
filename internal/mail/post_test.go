package mail_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/mail"
	"github.com/portatill/portatill/internal/mail/smtptest"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
)

// desk is a store, an SMTP server and the post between them.
type desk struct {
	t        *testing.T
	store    *sqlstore.Store
	smtp     *smtptest.Server
	post     *mail.Post
	tenant   *pay.Tenant
	customer *pay.Customer
}

func open(t *testing.T) *desk {
	t.Helper()
	s := storetest.OpenSQLite(t)
	at, err := smtptest.Start(smtptest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(at.Close)
	d := &desk{t: t, store: s, smtp: at, tenant: storetest.Tenant(t, s)}
	d.customer = storetest.Customer(t, s, d.tenant.ID)
	d.post = &mail.Post{Rows: s, People: s, BaseURL: "https://pay.example.com", Now: func() time.Time { return storetest.Now },
		Sender: mail.NewSender(mail.Settings{Address: at.Addr, TLS: "none", From: "till@example.com"})}
	return d
}

// receipt stores a receipt of a paid order.
func (d *desk) receipt(kind pay.MailKind, paid bool) *pay.Mail {
	d.t.Helper()
	o := storetest.Order(d.t, d.store, d.customer)
	if paid {
		storetest.Pay(d.t, d.store, o, storetest.Attempt(d.t, d.store, o))
	}
	m := &pay.Mail{ID: pay.NewID("eml", storetest.Now), TenantID: d.tenant.ID, OrderID: o.ID, Kind: kind, Fact: o.ID, State: pay.MailPending, CreatedAt: storetest.Now, UpdatedAt: storetest.Now}
	storetest.Write(d.t, d.store, func(ctx context.Context, tx pay.Tx) error { _, err := tx.InsertMail(ctx, m); return err })
	return m
}

func (d *desk) stored(m *pay.Mail) *pay.Mail {
	d.t.Helper()
	got, err := d.store.MailByID(d.t.Context(), m.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	return got
}

// ended fails the test unless a mail and its order's story say what became of it.
func (d *desk) ended(m *pay.Mail, state pay.MailState, outcome string) {
	d.t.Helper()
	got := d.stored(m)
	if got.State != state || !strings.Contains(got.Outcome, outcome) || d.customer.Email != "" && strings.Contains(got.Outcome, d.customer.Email) {
		d.t.Errorf("the mail is %s: %q, want %s: …%s…", got.State, got.Outcome, state, outcome)
	}
	story, err := d.store.ListStory(d.t.Context(), d.tenant.ID, m.OrderID)
	if err != nil {
		d.t.Fatal(err)
	}
	n := 0
	for _, l := range story {
		if l.What == "mail_"+string(state) && l.Cause == (pay.Cause{Kind: pay.CauseMail, ID: m.ID}) && strings.Contains(l.Detail, outcome) {
			n++
		}
	}
	if n != 1 {
		d.t.Errorf("the story tells it %d times: %+v", n, story)
	}
}

func (d *desk) rename(change func(c *pay.Customer)) {
	d.t.Helper()
	change(d.customer)
	storetest.Write(d.t, d.store, func(ctx context.Context, tx pay.Tx) error { return tx.SaveCustomer(ctx, d.customer) })
}

func TestAMailIsDeliveredAndItsOutcomeKept(t *testing.T) {
	t.Parallel()
	t.Run("TakenOnceHoweverOftenTheJobRuns", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		m := d.receipt(pay.MailReceipt, true)
		for range 3 {
			if err := d.post.Deliver(t.Context(), m.ID, 1, false); err != nil {
				t.Fatal(err)
			}
		}
		d.ended(m, pay.MailSent, "queued as 4711")
		if got := d.smtp.Mails(); len(got) != 1 || !slices.Equal(got[0].To, []string{d.customer.Email}) || !strings.Contains(got[0].Data, "Message-ID: <"+m.ID+"@pay.example.com>") {
			t.Errorf("the server has %+v", got)
		}
	})
	t.Run("InTheLanguageThatTheCustomerAskedForOrElseTheTenants", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		if _, err := d.store.ChangeTenant(t.Context(), d.tenant.Slug, func(t *pay.Tenant) error { t.Branding.Language = "fr"; return nil }); err != nil {
			t.Fatal(err)
		}
		for asked, want := range map[string]string{"": "lang=3D\"fr\"", "de": "lang=3D\"de\"", "ar": "lang=3D\"ar\" dir=3D\"rtl\""} {
			o := storetest.Order(t, d.store, d.customer)
			storetest.Pay(t, d.store, o, storetest.Attempt(t, d.store, o, func(a *pay.Attempt) { a.Language = asked }))
			m := &pay.Mail{ID: pay.NewID("eml", storetest.Now), TenantID: d.tenant.ID, OrderID: o.ID, Kind: pay.MailReceipt, Fact: o.ID, State: pay.MailPending, CreatedAt: storetest.Now, UpdatedAt: storetest.Now}
			storetest.Write(t, d.store, func(ctx context.Context, tx pay.Tx) error { _, err := tx.InsertMail(ctx, m); return err })
			if err := d.post.Deliver(t.Context(), m.ID, 1, false); err != nil {
				t.Fatal(err)
			}
			sent := d.smtp.Mails()
			body := strings.ReplaceAll(sent[len(sent)-1].Data, "=\r\n", "")
			if !strings.Contains(body, want) || strings.Contains(body, "?lang=3D") != (asked != "") {
				t.Errorf("asked for %q: it is not %s, or its links are in another language\n%s", asked, want, body)
			}
		}
	})
	t.Run("RefusedForGoodIsNotTriedAgain", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		d.smtp.Answer("RCPT", "550 5.1.1 <"+d.customer.Email+"> unknown")
		m := d.receipt(pay.MailReceipt, true)
		for range 2 {
			if err := d.post.Deliver(t.Context(), m.ID, 1, false); err != nil {
				t.Fatal(err)
			}
		}
		d.ended(m, pay.MailUnsent, "550 5.1.1 <address> unknown")
		if len(d.smtp.Mails()) != 0 {
			t.Error("it was sent after all")
		}
	})
	t.Run("RefusedForNowIsTriedAgainAndGivenUpInTheEnd", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		d.smtp.Answer("RCPT", "451 4.7.1 greylisted", "451 4.7.1 greylisted")
		m := d.receipt(pay.MailReceipt, true)
		err := d.post.Deliver(t.Context(), m.ID, 1, false)
		if err == nil || strings.Contains(err.Error(), d.customer.Email) || strings.Contains(err.Error(), "greylisted") || d.stored(m).State != pay.MailPending {
			t.Fatalf("the first try: %v, %+v", err, d.stored(m))
		}
		if err := d.post.Deliver(t.Context(), m.ID, 30, true); err == nil {
			t.Error("the last try that failed is no error")
		}
		d.ended(m, pay.MailUnsent, "given up: smtp: recipient: 451 4.7.1 greylisted")
	})
	t.Run("ACrashAfterTheServersAnswerSendsTheSameMailAgain", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		d.smtp.Answer(".", "hang up") // it has the mail; we do not know
		m := d.receipt(pay.MailReceipt, true)
		if err := d.post.Deliver(t.Context(), m.ID, 1, false); err == nil {
			t.Fatal("a lost answer counts as one")
		}
		if err := d.post.Deliver(t.Context(), m.ID, 2, false); err != nil {
			t.Fatal(err)
		}
		got := d.smtp.Mails()
		if len(got) != 2 || got[0].Data != got[1].Data {
			t.Errorf("%d mails, or they differ", len(got))
		}
		d.ended(m, pay.MailSent, "")
	})
	t.Run("NoAddressNoMail", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		d.rename(func(c *pay.Customer) { c.Email = "" })
		m := d.receipt(pay.MailReceipt, true)
		if err := d.post.Deliver(t.Context(), m.ID, 1, false); err != nil {
			t.Fatal(err)
		}
		d.ended(m, pay.MailSkipped, "there is no e-mail address")
	})
	t.Run("AnAddressThatIsNoneIsAnOutcomeNotARetry", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		d.rename(func(c *pay.Customer) { c.Email = "ada@example.com, eve@example.com" })
		m := d.receipt(pay.MailReceipt, true)
		if err := d.post.Deliver(t.Context(), m.ID, 1, false); err != nil {
			t.Fatal(err)
		}
		d.ended(m, pay.MailUnsent, "the e-mail address is none")
		if len(d.smtp.Seen()) != 0 {
			t.Errorf("the server was asked: %v", d.smtp.Seen())
		}
	})
	t.Run("WhoPaidMeanwhileIsNotAskedTo", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		for _, kind := range []pay.MailKind{pay.MailAuthentication, pay.MailFailed} {
			m := d.receipt(kind, true)
			if err := d.post.Deliver(t.Context(), m.ID, 1, false); err != nil {
				t.Fatal(err)
			}
			d.ended(m, pay.MailSkipped, "the order is paid")
		}
		m := d.receipt(pay.MailAuthentication, false)
		if err := d.post.Deliver(t.Context(), m.ID, 1, false); err != nil {
			t.Fatal(err)
		}
		d.ended(m, pay.MailSent, "")
	})
	t.Run("WithoutAServerWhatWaitsIsClosed", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		d.post.Sender = nil
		m := d.receipt(pay.MailReceipt, true)
		if err := d.post.Deliver(t.Context(), m.ID, 1, false); err != nil {
			t.Fatal(err)
		}
		d.ended(m, pay.MailSkipped, "mails are turned off")
	})
}

func TestTheDailyLetter(t *testing.T) {
	t.Parallel()
	d := open(t)
	other := storetest.Tenant(t, d.store, func(t *pay.Tenant) { t.Name, t.Policies.Mails = "Other", "receipt" })
	people := map[string]*staff.Person{}
	s := &staff.Service{Store: d.store, Now: func() time.Time { return storetest.Now }}
	for email, p := range map[string]staff.AddInput{"operator@example.com": {Role: staff.Operator}, "admin@example.com": {Role: staff.TenantAdmin, TenantID: d.tenant.ID},
		"viewer@example.com": {Role: staff.TenantViewer, TenantID: d.tenant.ID}, "other@example.com": {Role: staff.TenantAdmin, TenantID: other.ID}, "gone@example.com": {Role: staff.Operator}} {
		p.Email, p.Password = email, "canary horse and nine staples"
		made, _, err := s.Add(t.Context(), staff.By{Actor: staff.Command}, p)
		if err != nil {
			t.Fatal(err)
		}
		people[email] = made
	}
	if _, err := s.SetStanding(t.Context(), staff.By{Actor: staff.Command}, people["gone@example.com"].ID, staff.Operator, "", staff.Suspended); err != nil {
		t.Fatal(err)
	}
	storetest.Write(t, d.store, func(ctx context.Context, tx pay.Tx) error {
		return tx.InsertUnclaimed(ctx, &pay.Unclaimed{ID: pay.NewID("unc", storetest.Now), TenantID: d.tenant.ID, ObjectID: "pi_stray", Amount: pay.Money{Currency: "GBP"}, Reason: "no_order",
			State: pay.UnclaimedOpen, CreatedAt: storetest.Now, UpdatedAt: storetest.Now})
	})
	examined := 0
	d.post.Examine = func(context.Context) []mail.Finding {
		examined++
		return []mail.Finding{{What: "disk: 1 % free", Path: "/admin"}, {TenantID: other.ID, What: "sweep: late", Path: "/admin"}}
	}
	for range 3 { // asked again, by another process or after a crash
		if err := d.post.WriteLetters(t.Context(), "2026-11-23"); err != nil {
			t.Fatal(err)
		}
	}
	jobs := storetest.Jobs[pay.MailJob](t, d.store)
	if len(jobs) != 2 {
		t.Fatalf("%d letters, want the operator's and the administrator's", len(jobs))
	}
	for _, j := range jobs {
		if err := d.post.Deliver(t.Context(), j.MailID, 1, false); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range d.smtp.Mails() {
		body := strings.ReplaceAll(m.Data, "=\r\n", "")
		has := func(text string) bool { return strings.Contains(body, text) }
		switch m.To[0] {
		case "operator@example.com":
			if !has("3 things need you") || !has("disk: 1 % free") || !has("sweep: late") || !has("1 case of unclaimed money is open") {
				t.Errorf("the operator reads\n%s", body)
			}
		case "admin@example.com":
			if !has("1 thing needs you") || has("disk") || has("sweep") || has("Other") || !has("1 case of unclaimed money is open") {
				t.Errorf("the administrator reads\n%s", body)
			}
		default:
			t.Errorf("%s got a letter", m.To)
		}
	}
	if err := d.post.WriteLetters(t.Context(), "2026-11-24"); err != nil {
		t.Fatal(err)
	}
	if n := len(storetest.Jobs[pay.MailJob](t, d.store)); n != 4 {
		t.Errorf("the next day there are %d letters in all, want 4", n)
	}
	if err := d.post.WriteLetters(t.Context(), "yesterday"); err == nil {
		t.Error("a day that is none was taken")
	}
}

func TestALetterDoesNotFollowWhoChangedTenants(t *testing.T) {
	t.Parallel()
	d := open(t)
	s := &staff.Service{Store: d.store, Now: func() time.Time { return storetest.Now }}
	p, _, err := s.Add(t.Context(), staff.By{Actor: staff.Command}, staff.AddInput{Email: "a@example.com", Role: staff.TenantAdmin, TenantID: d.tenant.ID, Password: "canary horse and nine staples"})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.post.WriteLetters(t.Context(), "2026-11-23"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetStanding(t.Context(), staff.By{Actor: staff.Command}, p.ID, staff.TenantAdmin, storetest.Tenant(t, d.store).ID, staff.Active); err != nil {
		t.Fatal(err)
	}
	j := storetest.Jobs[pay.MailJob](t, d.store)[0]
	if err := d.post.Deliver(t.Context(), j.MailID, 1, false); err != nil {
		t.Fatal(err)
	}
	if m, err := d.store.MailByID(t.Context(), j.MailID); err != nil || m.State != pay.MailSkipped || len(d.smtp.Mails()) != 0 {
		t.Errorf("%+v, %v", m, err)
	}
}
