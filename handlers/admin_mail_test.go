package handlers_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/portatill/portatill/handlers"
	"github.com/portatill/portatill/internal/mail"
	"github.com/portatill/portatill/internal/mail/smtptest"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
)

const smtpPassword = "canary-smtp-password"

// postOffice is an office that sends mails by an SMTP server of its own.
func postOffice(t *testing.T, settings ...func(*mail.Settings)) (*office, *smtptest.Server) {
	t.Helper()
	at, err := smtptest.Start(smtptest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(at.Close)
	set := mail.Settings{Address: at.Addr, TLS: "none", From: "till@example.com", Password: smtpPassword}
	for _, change := range settings {
		change(&set)
	}
	o := newOffice(t)
	o.options.Mail = &mail.Post{Rows: o.store, People: o.store, Sender: mail.NewSender(set), BaseURL: baseURL, Now: o.now}
	o.http = handlers.New(o.options)
	return o, at
}

func (o *office) signedIn(role staff.Role) (*browser, *staff.Person) {
	o.t.Helper()
	b, p := o.browser(), o.hire(role)
	if a := b.signIn(p, goodPassword); a.status != http.StatusSeeOther {
		o.t.Fatalf("signing in answered %d", a.status)
	}
	return b, p
}

func TestMailsAreShownWithTheirOwnStyleAndNothingElse(t *testing.T) {
	t.Parallel()
	o, _ := postOffice(t)
	b, _ := o.signedIn(staff.TenantAdmin)
	for _, kind := range pay.MailKinds {
		page := b.get("/admin/mail/" + string(kind))
		if page.status != http.StatusOK || !strings.Contains(page.header.Get("Content-Security-Policy"), "frame-src 'self'") || strings.Contains(page.header.Get("Content-Security-Policy"), "unsafe") {
			t.Errorf("%s: %d %s", kind, page.status, page.header.Get("Content-Security-Policy"))
		}
		if !strings.Contains(page.body, `sandbox=""`) || !strings.Contains(page.body, `/html?tenant=`+o.tenant.Slug) || !strings.Contains(page.body, "Acme Telecom") {
			t.Errorf("%s: the frame or the branding is missing", kind)
		}
		frame := b.get("/admin/mail/" + string(kind) + "/html")
		_, style, _ := strings.Cut(frame.body, "<style>")
		style, _, _ = strings.Cut(style, "</style>")
		sum := sha256.Sum256([]byte(style))
		want := "sandbox; default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
		if frame.status != http.StatusOK || frame.header.Get("Content-Security-Policy") != want || frame.header.Get("X-Frame-Options") != "SAMEORIGIN" || !strings.Contains(style, "#0f766e") {
			t.Errorf("%s: the frame answers %d %v", kind, frame.status, frame.header)
		}
	}
}

func TestAnExampleIsShownInEveryLanguageAndInNoOther(t *testing.T) {
	t.Parallel()
	o, at := postOffice(t)
	b, _ := o.signedIn(staff.TenantAdmin)
	for _, lang := range pay.Languages {
		frame := b.get("/admin/mail/receipt/html?lang=" + lang)
		if frame.status != http.StatusOK || !strings.Contains(frame.body, `<html lang="`+lang+`"`) {
			t.Errorf("%s: %d", lang, frame.status)
		}
		if a := b.get("/admin/mail/receipt?lang=" + lang); a.status != http.StatusOK || !strings.Contains(a.body, `<option value="`+lang+`" lang="`+lang+`" selected`) {
			t.Errorf("%s is not the one that is chosen: %d", lang, a.status)
		}
	}
	for _, bad := range []string{"xx", "%00", "de'--", strings.Repeat("d", 5000)} {
		if a := b.get("/admin/mail/receipt?lang=" + bad); a.status != http.StatusBadRequest {
			t.Errorf("%.20s: %d", bad, a.status)
		}
	}
	if a := b.post("/admin/mail/receipt/test", "lang", "de"); a.status != http.StatusSeeOther || !strings.Contains(a.header.Get("Location"), "lang=de") || len(at.Mails()) != 1 || !strings.Contains(at.Mails()[0].Data, `lang=3D"de"`) {
		t.Errorf("the test in German: %d %v", a.status, a.header)
	}
}

func TestWhoSeesWhichMails(t *testing.T) {
	t.Parallel()
	o, at := postOffice(t)
	other, _ := o.addTenant(func(t *pay.Tenant) { t.Name = "Other" })
	admin, _ := o.signedIn(staff.TenantAdmin)
	operator, _ := o.signedIn(staff.Operator)
	viewer, _ := o.signedIn(staff.TenantViewer)
	mine, theirs := o.sentMail(o.tenant), o.sentMail(other)
	t.Run("AnotherTenantIsAnUnknownOne", func(t *testing.T) {
		for path, status := range map[string]int{"/admin/mail": 400, "/admin/mail.csv": 400, "/admin/mail/receipt": 404, "/admin/mail/receipt/html": 404} {
			a, unknown := admin.get(path+"?tenant="+other.Slug), admin.get(path+"?tenant=none")
			if a.status != status || unknown.status != status || strings.Contains(a.body, "Other") {
				t.Errorf("%s: %d and %d", path, a.status, unknown.status)
			}
			if a := operator.get(path + "?tenant=" + other.Slug); a.status != http.StatusOK {
				t.Errorf("an operator gets %d for %s", a.status, path)
			}
		}
		if a := admin.post("/admin/mail/receipt/test", "tenant", other.Slug); a.status != http.StatusNotFound || len(at.Mails()) != 0 {
			t.Errorf("a test in another's name: %d", a.status)
		}
	})
	t.Run("AndItsMailsAreNotListed", func(t *testing.T) {
		a := admin.get("/admin/mail")
		if a.status != http.StatusOK || !strings.Contains(a.body, mine.OrderID) || strings.Contains(a.body, theirs.OrderID) || strings.Contains(a.body, at.Addr) {
			t.Errorf("%d: the list has another's, lacks its own, or tells the server", a.status)
		}
		if a := operator.get("/admin/mail"); !strings.Contains(a.body, mine.OrderID) || !strings.Contains(a.body, theirs.OrderID) || !strings.Contains(a.body, at.Addr) || strings.Contains(a.body, smtpPassword) {
			t.Error("an operator does not see all, or sees the password")
		}
	})
	t.Run("ItsOrderAndItsCustomerFindAMail", func(t *testing.T) {
		for _, m := range []*pay.Mail{mine, theirs} {
			order, err := o.store.OrderByID(t.Context(), m.TenantID, m.OrderID)
			if err != nil {
				t.Fatal(err)
			}
			customer, err := o.store.CustomerByID(t.Context(), m.TenantID, order.CustomerID)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{m.ID, m.OrderID, customer.Email} {
				found, asked := admin.get("/admin/mail?q="+url.QueryEscape(text)).body, "/admin/orders/"+m.OrderID
				if strings.Contains(found, asked) != (m == mine) || !strings.Contains(operator.get("/admin/mail?q="+url.QueryEscape(text)).body, asked) {
					t.Errorf("%q finds another's, or not its own", text)
				}
			}
		}
	})
	t.Run("AFileHasTheRowsOfTheFilterAndNoFormula", func(t *testing.T) {
		a := admin.get("/admin/mail.csv?state=sent")
		lines := strings.Split(strings.TrimSpace(a.body), "\r\n")
		if a.status != http.StatusOK || len(lines) != 2 || !strings.HasPrefix(lines[0], "mail,tenant,written_at,") || !strings.Contains(lines[1], mine.OrderID) || !strings.Contains(lines[1], "'=1+1") {
			t.Errorf("%d %q", a.status, a.body)
		}
		if a := admin.get("/admin/mail.csv?state=failed"); a.status != http.StatusOK || strings.Contains(a.body, "ord_") {
			t.Errorf("the failed: %d %q", a.status, a.body)
		}
		if a := viewer.get("/admin/mail.csv"); a.status != http.StatusForbidden {
			t.Errorf("a viewer gets %d", a.status)
		}
	})
	t.Run("ALetterToAnOperatorIsSeenByOperators", func(t *testing.T) {
		_, p := o.signedIn(staff.Operator)
		letter := &pay.Mail{ID: pay.NewID("eml", o.now()), PersonID: p.ID, Kind: pay.MailDaily, Fact: p.ID, Content: "{}", State: pay.MailPending, CreatedAt: o.now(), UpdatedAt: o.now()}
		storetest.Write(t, o.store, func(ctx context.Context, tx pay.Tx) error { _, err := tx.InsertMail(ctx, letter); return err })
		if strings.Contains(admin.get("/admin/mail").body, "to staff") || !strings.Contains(operator.get("/admin/mail").body, "to staff") || strings.Contains(operator.get("/admin/mail?tenant="+other.Slug).body, "to staff") {
			t.Error("a tenant sees it, or an operator does not")
		}
	})
	t.Run("AViewerHasNoneOfIt", func(t *testing.T) {
		if a := viewer.get("/admin/mail"); a.status != http.StatusForbidden {
			t.Errorf("the page answers %d", a.status)
		}
		if a := viewer.post("/admin/mail/receipt/test"); a.status != http.StatusForbidden || len(at.Mails()) != 0 {
			t.Errorf("the test answers %d", a.status)
		}
	})
	t.Run("AFilterThatIsNoneIsSaidSo", func(t *testing.T) {
		for query, status := range map[string]int{"state=failed": 200, "state=sent": 200, "state=x%00'": 400, "after=eml_x": 200, "before=eml_x": 200, "before=" + strings.Repeat("9", 5000): 400,
			"state=%ff": 400, "before=%00": 400, "tenant=%00": 400, "q=%00": 400, "q=" + strings.Repeat("x", 300): 400, "from=0000-00-00": 400, "from=2026-11-24&until=2026-11-23": 400, "q=%27%20OR%201=1": 200} {
			if a := admin.get("/admin/mail?" + query); a.status != status {
				t.Errorf("%.40s: %d, want %d", query, a.status, status)
			}
		}
		if a := admin.get("/admin/mail?q=%22%3E%3Cb%3E&state=none"); a.status != http.StatusBadRequest || !strings.Contains(a.body, `value="&#34;&gt;&lt;b&gt;"`) {
			t.Error("what was typed is lost, or is markup")
		}
		if a := admin.get("/admin/mail?state=failed"); strings.Contains(a.body, mine.OrderID) || !strings.Contains(a.body, "Show all") {
			t.Error("a sent mail is among the failed, or there is no way out")
		}
		if a := admin.get("/admin/mail/none"); a.status != http.StatusNotFound {
			t.Errorf("a mail that is none: %d", a.status)
		}
	})
}

// sentMail stores a mail of an order of the tenant's that was sent.
func (o *office) sentMail(t *pay.Tenant) *pay.Mail {
	o.t.Helper()
	order := storetest.Order(o.t, o.store, storetest.Customer(o.t, o.store, t.ID))
	now := o.now()
	m := &pay.Mail{ID: pay.NewID("eml", now), TenantID: t.ID, OrderID: order.ID, Kind: pay.MailReceipt, Fact: order.ID, State: pay.MailSent, Outcome: "=1+1 250 <script>", Tries: 1, CreatedAt: now, UpdatedAt: now}
	storetest.Write(o.t, o.store, func(ctx context.Context, tx pay.Tx) error { _, err := tx.InsertMail(ctx, m); return err })
	return m
}

func TestATestMailGoesToWhoeverAsksAndTellsTheServersAnswer(t *testing.T) {
	t.Parallel()
	o, at := postOffice(t)
	b, p := o.signedIn(staff.TenantAdmin)
	send := func() string {
		t.Helper()
		a := b.post("/admin/mail/receipt/test", "to", "eve@example.com")
		if a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/admin/mail/receipt") {
			t.Fatalf("it answers %d %s", a.status, a.body)
		}
		return b.get(a.header.Get("Location")).body
	}
	if body := send(); !strings.Contains(body, "queued as 4711") {
		t.Error("the server's answer is not told")
	}
	got := at.Mails()
	if len(got) != 1 || len(got[0].To) != 1 || got[0].To[0] != p.Email || !strings.Contains(got[0].Data, "[Test]") {
		t.Fatalf("the server has %+v", got)
	}
	at.Answer("RCPT", "550 5.7.1 <"+p.Email+"> relaying denied")
	if body := send(); !strings.Contains(body, "relaying denied") {
		t.Error("the refusal is not told")
	}
	entries, err := o.staff.Store.ListAudit(t.Context(), staff.EntryFilter{Actor: p.ID})
	if err != nil || len(entries) < 2 || entries[0].What != "mail_test" || !entries[0].Refused || entries[1].What != "mail_test" || entries[1].Refused || strings.Contains(entries[0].After, "@") {
		t.Errorf("the audit log has %+v, %v", entries[:min(2, len(entries))], err)
	}
	if strings.Contains(o.log.String(), "relaying") || strings.Contains(o.log.String(), p.Email) {
		t.Error("the log has the server's words or an address")
	}
	t.Run("NotFromAnotherSite", func(t *testing.T) {
		if a := b.do(http.MethodPost, "/admin/mail/receipt/test", nil, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); a.status != http.StatusForbidden || len(at.Mails()) != 1 {
			t.Errorf("it answers %d", a.status)
		}
	})
	t.Run("WithoutAServerItSaysSo", func(t *testing.T) {
		o, _ := postOffice(t, func(s *mail.Settings) { s.Address = "" })
		b, _ := o.signedIn(staff.Operator)
		for path, want := range map[string]string{"/admin/mail": "PORTATILL_SMTP_ADDRESS", "/admin/mail/daily": "there is no SMTP server"} {
			if a := b.get(path); a.status != http.StatusOK || !strings.Contains(a.body, want) {
				t.Errorf("%s: %d", path, a.status)
			}
		}
		a := b.post("/admin/mail/daily/test")
		if a.status != http.StatusSeeOther || !strings.Contains(b.get("/admin/mail/daily").body, "PORTATILL_SMTP_ADDRESS is not set") {
			t.Errorf("the test answers %d", a.status)
		}
	})
}
