package handlers_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"
	"github.com/pquerna/otp/totp"

	"github.com/portatill/portatill/handlers"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
)

const (
	goodPassword = "canary horse and nine staples"
	staffCookie  = "__Host-portatill_staff"
)

// office is a till with staff and a clock for them.
type office struct {
	*till
	staff    *staff.Service
	mu       sync.Mutex
	at       time.Time
	audit    int // entries seen by entries
	examiner *examiner
}

func newOffice(t testing.TB) *office {
	t.Helper()
	return officeOn(t, storetest.OpenSQLite(t))
}

func officeOn(t testing.TB, store *sqlstore.Store) *office {
	t.Helper()
	o := &office{till: setupOn(t, store), at: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	o.staff = &staff.Service{Store: o.store, Now: o.now}
	o.options.Staff = o.staff
	o.options.Books, o.options.Runs = o.store, o.newQueue()
	o.withTenants()
	o.http = handlers.New(o.options)
	return o
}

// now is a millisecond later each time, so that what happened later has a later id.
func (o *office) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.at = o.at.Add(time.Millisecond)
	return o.at
}

func (o *office) pass(d time.Duration) { o.mu.Lock(); defer o.mu.Unlock(); o.at = o.at.Add(d) }

// hire adds somebody; the tenant is the till's unless they are an operator.
func (o *office) hire(role staff.Role) *staff.Person {
	o.t.Helper()
	tenant := o.tenant.ID
	if role == staff.Operator {
		tenant = ""
	}
	email := strings.ReplaceAll(strings.TrimPrefix(pay.NewID("x", time.Now()), "x_"), "_", "") + "@example.com"
	p, _, err := o.staff.Add(context.Background(), staff.By{Actor: staff.Command}, staff.AddInput{Email: email, Name: "Ada " + string(role), Role: role, TenantID: tenant, Password: goodPassword})
	if err != nil {
		o.t.Fatal(err)
	}
	return p
}

// browser keeps cookies, as one does.
type browser struct {
	o       *office
	cookies map[string]string
	address string
}

func (o *office) browser() *browser { return &browser{o, map[string]string{}, ""} }

func (b *browser) do(method, target string, form url.Values, headers ...string) answer {
	b.o.t.Helper()
	body := ""
	if method == http.MethodPost {
		body = form.Encode()
		headers = append(headers, "Content-Type", "application/x-www-form-urlencoded")
	}
	var cookies []string
	for name, value := range b.cookies {
		cookies = append(cookies, name+"="+value)
	}
	if len(cookies) > 0 {
		headers = append(headers, "Cookie", strings.Join(cookies, "; "))
	}
	a := b.o.do(method, target, body, headers...)
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.MaxAge < 0 || c.Value == "" {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return a
}

func (b *browser) get(target string, headers ...string) answer {
	b.o.t.Helper()
	return b.do(http.MethodGet, target, nil, headers...)
}

func (b *browser) post(target string, pairs ...string) answer {
	b.o.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return b.do(http.MethodPost, target, form)
}

func (b *browser) signIn(p *staff.Person, password string) answer {
	b.o.t.Helper()
	return b.post("/admin/sign-in", "email", p.Email, "password", password)
}

// in is a browser in which somebody with the role is signed in.
func (o *office) in(role staff.Role) (*browser, *staff.Person) {
	o.t.Helper()
	p := o.hire(role)
	b := o.browser()
	if a := b.signIn(p, goodPassword); a.status != http.StatusSeeOther {
		o.t.Fatalf("the sign-in of %s answered %d: %.300s", role, a.status, a.body)
	}
	return b, p
}

func (a answer) document() *goquery.Document {
	a.t.Helper()
	d, err := goquery.NewDocumentFromReader(strings.NewReader(a.body))
	if err != nil {
		a.t.Fatal(err)
	}
	return d
}

func (a answer) want(status int, what string) {
	a.t.Helper()
	if a.status != status {
		a.t.Errorf("%s: got %d, want %d: %.400s", what, a.status, status, a.body)
	}
}

// entries are the audit entries that came since it was last called, oldest first.
func (o *office) entries() []*staff.Entry {
	o.t.Helper()
	all, err := o.store.ListAudit(context.Background(), staff.EntryFilter{Limit: 1000})
	if err != nil {
		o.t.Fatal(err)
	}
	fresh := all[:len(all)-o.audit]
	o.audit = len(all)
	slices.Reverse(fresh)
	return fresh
}

// acts are entries in short, such as "sign_in" and "refused refund".
func acts(entries []*staff.Entry) []string {
	out := []string{}
	for _, e := range entries {
		text := e.What
		if e.Refused {
			text = "refused " + text
		}
		out = append(out, text)
	}
	return out
}

func TestSigningIn(t *testing.T) {
	t.Parallel()
	t.Run("ThereIsNoDefaultAccountAndNoSetUpPage", func(t *testing.T) { // AD-01
		t.Parallel()
		o := newOffice(t)
		for _, password := range []string{"admin", "", "password"} {
			for _, name := range []string{"admin", "", "admin@example.com"} {
				o.browser().post("/admin/sign-in", "email", name, "password", password).want(http.StatusUnauthorized, name+"/"+password)
			}
		}
		for _, path := range []string{"/admin/setup", "/admin/register", "/admin/install"} {
			o.browser().get(path).want(http.StatusUnauthorized, path)
		}
	})
	t.Run("ANewOfficeLetsItsOperatorInAndLeadsToWhereTheyWanted", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		p, b := o.hire(staff.Operator), o.browser()
		page := b.get("/admin/audit?day=2026-11-23")
		page.want(http.StatusUnauthorized, "without a session")
		next, _ := page.document().Find(`input[name=next]`).Attr("value")
		a := b.post("/admin/sign-in", "email", " "+strings.ToUpper(p.Email)+" ", "password", goodPassword, "next", next)
		a.want(http.StatusSeeOther, "the sign-in")
		if got := a.header.Get("Location"); got != "/admin/audit?day=2026-11-23" {
			t.Errorf("it leads to %s", got)
		}
		home := b.get("/admin")
		home.want(http.StatusOK, "the overview")
		if d := home.document(); d.Find(`[data-testid=nav]`).Length() != 1 || !strings.Contains(d.Find(`[data-testid=me]`).Text(), p.Name) {
			t.Errorf("there is no navigation or name: %.500s", home.body)
		}
	})
	t.Run("ASignInLeadsToOurOwnPagesOnly", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		p := o.hire(staff.TenantViewer)
		for _, next := range []string{"https://evil.example/admin", "//evil.example/admin", `/\evil.example/admin`, "/admin/../pay/x", "javascript:alert(1)", "/pay/x", "/adminx", "", "/admin\r\nX: y", "/admin/sign-in"} {
			a := o.browser().post("/admin/sign-in", "email", p.Email, "password", goodPassword, "next", next)
			if got := a.header.Get("Location"); a.status != http.StatusSeeOther || got != "/admin" && got != "/admin/../pay/x" || strings.Contains(got, "evil") {
				t.Errorf("next %q: %d to %q", next, a.status, got)
			}
		}
	})
	t.Run("AnUnknownAddressAWrongPasswordAndASuspendedPersonGetOneAnswer", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		p, gone := o.hire(staff.Operator), o.hire(staff.Operator)
		if _, err := o.staff.SetStanding(context.Background(), staff.By{Actor: staff.Command}, gone.ID, staff.Operator, "", staff.Suspended); err != nil {
			t.Fatal(err)
		}
		o.entries()
		seen := map[string]bool{}
		for email, password := range map[string]string{p.Email: "wrong horse and nine staples", gone.Email: goodPassword, "nobody@example.com": goodPassword} {
			a := o.browser().post("/admin/sign-in", "email", email, "password", password)
			a.want(http.StatusUnauthorized, email)
			seen[strings.ReplaceAll(a.body, email, "")] = true
		}
		if len(seen) != 1 {
			t.Errorf("there are %d different answers", len(seen))
		}
		if d := cmp.Diff([]string{"refused sign_in", "refused sign_in", "refused sign_in"}, acts(o.entries())); d != "" {
			t.Error(d)
		}
	})
	t.Run("TooManyTriesWaitAndTheLogIsNotFilled", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		p := o.hire(staff.Operator)
		o.entries()
		for range 10 {
			o.browser().signIn(p, "wrong").want(http.StatusUnauthorized, "a wrong password")
		}
		for range 5 {
			a := o.browser().signIn(p, goodPassword)
			a.want(http.StatusTooManyRequests, "the right password, too late")
			if a.header.Get("Retry-After") == "" {
				t.Error("it does not say when to try again")
			}
		}
		if got := acts(o.entries()); len(got) != 11 {
			t.Errorf("the audit log has %v", got)
		}
		o.pass(15 * time.Minute)
		o.browser().signIn(p, goodPassword).want(http.StatusSeeOther, "a quarter of an hour later")
	})
	t.Run("OneAddressCannotGoThroughAllAccounts", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		for i := range 40 {
			o.browser().post("/admin/sign-in", "email", fmt.Sprintf("guess%d@example.com", i), "password", "wrong").want(http.StatusUnauthorized, "a guess")
		}
		o.browser().post("/admin/sign-in", "email", "guess40@example.com", "password", "wrong").want(http.StatusTooManyRequests, "the 41st")
	})
	t.Run("NothingSecretIsLoggedOrAudited", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		b, p := o.in(staff.Operator)
		secret, codes := b.pair(p)
		b.browserAgain(p).post("/admin/sign-in/code", "code", codes[0])
		b.signIn(p, "another wrong secret 42")
		said := o.log.String()
		for _, e := range o.entries() {
			said += fmt.Sprintf("%+v", *e)
		}
		for _, text := range []string{goodPassword, "another wrong secret 42", secret, codes[0], codes[1], p.Email, b.cookies[staffCookie], "$argon2id"} {
			if strings.Contains(said, text) {
				t.Errorf("the logs hold %q", text)
			}
		}
	})
}

// pair turns the authenticator app on and returns its secret and the recovery codes.
func (b *browser) pair(p *staff.Person) (secret string, codes []string) {
	t := b.o.t
	t.Helper()
	page := b.get("/admin/account/app")
	page.want(http.StatusOK, "the app's page")
	secret = strings.ReplaceAll(page.document().Find(`[data-testid=app-secret]`).Text(), " ", "")
	done := b.post("/admin/account/app", "code", b.o.code(secret, 0))
	done.want(http.StatusOK, "the first code")
	done.document().Find(`[data-testid=recovery-code]`).Each(func(_ int, s *goquery.Selection) { codes = append(codes, s.Text()) })
	if len(codes) != 10 {
		t.Fatalf("there are %d recovery codes: %.500s", len(codes), done.body)
	}
	return secret, codes
}

// code is what the app shows, some steps from now.
func (o *office) code(secret string, steps int) string {
	o.t.Helper()
	code, err := totp.GenerateCode(secret, o.now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		o.t.Fatal(err)
	}
	return code
}

// browserAgain is another browser that gave the password and owes the code.
func (b *browser) browserAgain(p *staff.Person) *browser {
	b.o.t.Helper()
	other := b.o.browser()
	a := other.signIn(p, goodPassword)
	if a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/admin/sign-in/code") {
		b.o.t.Fatalf("no code was asked: %d to %s", a.status, a.header.Get("Location"))
	}
	return other
}

func TestTheAuthenticatorApp(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	b, p := o.in(staff.TenantAdmin)
	b.get("/admin/account/app")
	b.post("/admin/account/app", "code", "000000").want(http.StatusForbidden, "a wrong first code")
	secret, codes := b.pair(p)

	t.Run("ThePasswordAloneOpensNothing", func(t *testing.T) {
		other := b.browserAgain(p)
		other.get("/admin").want(http.StatusUnauthorized, "the overview")
		other.post("/admin/account/password", "present", goodPassword, "wanted", "a password of the thief").want(http.StatusUnauthorized, "another password")
		other.post("/admin/sign-in/code", "code", "123").want(http.StatusUnauthorized, "a code that is none")
	})
	t.Run("ACodeIsTakenOnce", func(t *testing.T) { // AD-09
		o.pass(time.Minute)
		code := o.code(secret, 0)
		first := b.browserAgain(p)
		before := first.cookies[staffCookie]
		first.post("/admin/sign-in/code", "code", code).want(http.StatusSeeOther, "the code")
		if first.cookies[staffCookie] == before {
			t.Error("the cookie of the half sign-in stays")
		}
		first.get("/admin").want(http.StatusOK, "the overview")
		b.browserAgain(p).post("/admin/sign-in/code", "code", code).want(http.StatusUnauthorized, "the code again")
	})
	t.Run("ACodeOfTwoStepsAgoIsRefusedAndOneOfTheLastIsNot", func(t *testing.T) {
		o.pass(10 * time.Minute)
		for steps, want := range map[int]int{-2: http.StatusUnauthorized, 2: http.StatusUnauthorized} {
			b.browserAgain(p).post("/admin/sign-in/code", "code", o.code(secret, steps)).want(want, fmt.Sprint(steps, " steps"))
		}
		b.browserAgain(p).post("/admin/sign-in/code", "code", o.code(secret, -1)).want(http.StatusSeeOther, "the last step")
	})
	t.Run("ARecoveryCodeLetsInOnce", func(t *testing.T) {
		b.browserAgain(p).post("/admin/sign-in/code", "code", strings.ToUpper(codes[3])).want(http.StatusSeeOther, "a recovery code")
		b.browserAgain(p).post("/admin/sign-in/code", "code", codes[3]).want(http.StatusUnauthorized, "the same again")
		if n, err := o.store.RecoveryCodesLeft(context.Background(), p.ID); err != nil || n != 9 {
			t.Errorf("%d codes are left, %v", n, err)
		}
	})
	t.Run("WhoWaitsTooLongWithTheCodeBeginsAnew", func(t *testing.T) {
		late := b.browserAgain(p)
		o.pass(5 * time.Minute)
		late.post("/admin/sign-in/code", "code", o.code(secret, 0)).want(http.StatusUnauthorized, "five minutes later")
	})
	t.Run("CodesCannotBeGuessed", func(t *testing.T) {
		o.pass(time.Hour)
		guesser := b.browserAgain(p)
		last := 0
		for range 12 {
			last = guesser.post("/admin/sign-in/code", "code", "000000").status
		}
		if last != http.StatusTooManyRequests {
			t.Errorf("the twelfth guess answered %d", last)
		}
	})
	t.Run("ItIsTurnedOffWithThePassword", func(t *testing.T) {
		o.pass(time.Hour)
		me := b.browserAgain(p)
		me.post("/admin/sign-in/code", "code", o.code(secret, 0)).want(http.StatusSeeOther, "the code")
		me.post("/admin/account/app/off", "password", "wrong").want(http.StatusForbidden, "a wrong password")
		me.post("/admin/account/app/off", "password", goodPassword).want(http.StatusSeeOther, "the password")
		o.browser().signIn(p, goodPassword)
		if n, err := o.store.RecoveryCodesLeft(context.Background(), p.ID); err != nil || n != 0 {
			t.Errorf("%d codes are left, %v", n, err)
		}
	})
}

func TestStaffSessions(t *testing.T) {
	t.Parallel()
	t.Run("EveryCookieIsAHostCookieThatNoScriptReads", func(t *testing.T) { // SE-01
		t.Parallel()
		o := newOffice(t)
		p := o.hire(staff.Operator)
		a := o.browser().signIn(p, goodPassword)
		cookies := (&http.Response{Header: a.header}).Cookies()
		if len(cookies) != 1 {
			t.Fatalf("got %v", cookies)
		}
		for _, c := range cookies {
			if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" {
				t.Errorf("the cookie is %v", c)
			}
		}
	})
	t.Run("ACookieIsWorthNothingAfterwards", func(t *testing.T) { // SE-03
		t.Parallel()
		o := newOffice(t)
		operator, _ := o.in(staff.Operator)
		for name, end := range map[string]func(b *browser, p *staff.Person){
			"SignOut": func(b *browser, _ *staff.Person) { b.post("/admin/sign-out") },
			"SignOutEverywhere": func(b *browser, p *staff.Person) {
				other := o.browser()
				other.signIn(p, goodPassword)
				other.post("/admin/sign-out", "everywhere", "1")
			},
			"PasswordChangeElsewhere": func(b *browser, p *staff.Person) {
				other := o.browser()
				other.signIn(p, goodPassword)
				other.post("/admin/account/password", "present", goodPassword, "wanted", "other horse and nine staples").want(http.StatusSeeOther, "the change")
				other.get("/admin").want(http.StatusOK, "the browser that changed it")
			},
			"Suspension": func(b *browser, p *staff.Person) {
				operator.post("/admin/staff/"+p.ID+"/standing", "role", "tenant_viewer", "tenant", o.tenant.ID, "state", "suspended").want(http.StatusSeeOther, "the suspension")
			},
			"RoleChange": func(b *browser, p *staff.Person) {
				operator.post("/admin/staff/"+p.ID+"/standing", "role", "tenant_admin", "tenant", o.tenant.ID, "state", "active").want(http.StatusSeeOther, "the change")
			},
			"AnotherSignIn": func(b *browser, p *staff.Person) { b.signIn(p, goodPassword) },
		} {
			t.Run(name, func(t *testing.T) {
				b, p := o.in(staff.TenantViewer)
				stolen := &browser{o, map[string]string{staffCookie: b.cookies[staffCookie]}, ""}
				stolen.get("/admin").want(http.StatusOK, "before")
				end(b, p)
				stolen.get("/admin").want(http.StatusUnauthorized, "after")
			})
		}
	})
	t.Run("ACustomersCookieIsNobodysHere", func(t *testing.T) { // SE-05
		t.Parallel()
		o := newOffice(t)
		_, path := o.open()
		paying := o.do(http.MethodPost, path, "")
		cookies := (&http.Response{Header: paying.header}).Cookies()
		if len(cookies) != 1 {
			t.Fatalf("the customer has %d cookies", len(cookies))
		}
		for _, value := range []string{cookies[0].Value, strings.Repeat("A", 43), "x", "", "../../x"} {
			b := &browser{o, map[string]string{staffCookie: value}, ""}
			b.get("/admin").want(http.StatusUnauthorized, value)
		}
	})
	t.Run("TheyEndWhenIdleAndAfterHalfADay", func(t *testing.T) { // SE-07
		t.Parallel()
		o := newOffice(t)
		idle, _ := o.in(staff.Operator)
		o.pass(29 * time.Minute)
		idle.get("/admin").want(http.StatusOK, "after 29 minutes")
		o.pass(30 * time.Minute)
		idle.get("/admin").want(http.StatusUnauthorized, "after 30 idle minutes")
		busy, _ := o.in(staff.Operator)
		for range 12*60/20 - 1 {
			o.pass(20 * time.Minute)
			busy.get("/admin").want(http.StatusOK, "a busy day")
		}
		o.pass(20 * time.Minute)
		busy.get("/admin").want(http.StatusUnauthorized, "after twelve hours")
	})
	t.Run("WhatIsDangerousAsksForThePasswordAgain", func(t *testing.T) { // AD-05
		t.Parallel()
		o := newOffice(t)
		b, _ := o.in(staff.Operator)
		o.pass(11 * time.Minute)
		o.entries()
		before := o.rows("staff")
		asked := b.post("/admin/staff", "email", "new@example.com", "role", "operator")
		asked.want(http.StatusForbidden, "a stale session")
		if asked.document().Find(`[data-testid=again]`).Length() != 1 || o.rows("staff") != before {
			t.Errorf("the password is not asked, or somebody was added: %.300s", asked.body)
		}
		if d := cmp.Diff([]string{"refused change_staff"}, acts(o.entries())); d != "" {
			t.Error(d)
		}
		b.get("/admin/account/app").want(http.StatusForbidden, "pairing an app")
		b.post("/admin/again", "password", "wrong", "next", "/admin/staff").want(http.StatusForbidden, "a wrong password")
		a := b.post("/admin/again", "password", goodPassword, "next", "/admin/staff")
		a.want(http.StatusSeeOther, "the password")
		b.post("/admin/staff", "email", "new@example.com", "role", "operator").want(http.StatusOK, "the form again")
		if o.rows("staff") != before+1 {
			t.Error("nobody was added")
		}
	})
	t.Run("WhatWasTypedIsKeptWhileThePasswordIsAskedForButNoSecret", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		b, _ := o.in(staff.Operator)
		o.pass(11 * time.Minute)
		before := o.rows("staff")
		asked := b.post("/admin/staff", "email", "kept@example.com", "name", `Kept & <b>Sons</b>`, "role", "operator", "password", "not to be kept")
		asked.want(http.StatusForbidden, "a stale session")
		if strings.Contains(asked.body, "not to be kept") {
			t.Error("a secret is in the page")
		}
		hidden := func(a answer, form string) (pairs []string) {
			a.document().Find(form + ` input[type=hidden]`).Each(func(_ int, s *goquery.Selection) { pairs = append(pairs, s.AttrOr("name", ""), s.AttrOr("value", "")) })
			return pairs
		}
		carried := hidden(asked, `form[action="/admin/again"]`)
		wrong := b.post("/admin/again", append(slices.Clone(carried), "password", "wrong")...)
		wrong.want(http.StatusForbidden, "a wrong password")
		if d := cmp.Diff(carried, hidden(wrong, `form[action="/admin/again"]`)); d != "" {
			t.Errorf("a wrong password loses what was typed: − before + after\n%s", d)
		}
		kept := b.post("/admin/again", append(carried, "password", goodPassword)...)
		kept.want(http.StatusOK, "the password")
		if o.rows("staff") != before {
			t.Error("somebody was added before the form was sent")
		}
		if text := kept.document().Find("main").Text(); !strings.Contains(text, "kept@example.com") || !strings.Contains(text, "Secrets and pictures are not kept") {
			t.Errorf("it does not show what is sent: %s", text)
		}
		b.post("/admin/staff", hidden(kept, `form[action="/admin/staff"]`)...).want(http.StatusOK, "the kept form")
		if o.rows("staff") != before+1 {
			t.Error("nobody was added")
		}
		for _, action := range []string{"https://evil.example/admin/staff", "//evil.example", "/pay/x", "/admin/../pay", "javascript:alert(1)", "/admin/again"} {
			b.post("/admin/again", "password", goodPassword, "kept", action, "kept.email", "x@example.com").want(http.StatusSeeOther, "a form for "+action)
		}
	})
}

func TestStaffFormsFromElsewhere(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	b, _ := o.in(staff.Operator)
	o.entries()
	form := url.Values{"email": {"evil@example.com"}, "role": {"operator"}}
	for name, headers := range map[string][]string{
		"AnotherSite":       {"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, // CS-01
		"AnotherSiteOld":    {"Origin", "https://evil.example"},
		"ASisterSite":       {"Origin", "https://www.till.example", "Sec-Fetch-Site", "same-site"},
		"CrossSiteAlone":    {"Sec-Fetch-Site", "cross-site"}, // CS-03
		"OriginNull":        {"Origin", "null"},
		"OurTwinWithoutTLS": {"Origin", "http://till.example"},
	} {
		t.Run(name, func(t *testing.T) {
			b.do(http.MethodPost, "/admin/staff", form, headers...).want(http.StatusForbidden, name)
			if o.rows("staff") != 1 {
				t.Error("somebody was added")
			}
		})
	}
	t.Run("AMethodInAFieldOrHeaderIsNoMethod", func(t *testing.T) { // CS-05
		p := o.hire(staff.TenantViewer)
		a := b.do(http.MethodGet, "/admin/staff/"+p.ID+"/standing?_method=POST&state=suspended&role=operator", nil, "X-HTTP-Method-Override", "POST")
		if a.status < 400 {
			t.Errorf("it answered %d", a.status)
		}
		if now, err := o.store.StaffByID(context.Background(), p.ID); err != nil || now.State != staff.Active {
			t.Errorf("it was taken: %v, %v", now, err)
		}
	})
	t.Run("OurOwnFormIsTaken", func(t *testing.T) {
		b.do(http.MethodPost, "/admin/staff", url.Values{"email": {"good@example.com"}, "role": {"operator"}}, "Origin", baseURL, "Sec-Fetch-Site", "same-origin").want(http.StatusOK, "our own")
		b.do(http.MethodPost, "/admin/staff", url.Values{"email": {"good2@example.com"}, "role": {"operator"}}, "Origin", baseURL).want(http.StatusOK, "our own, an old browser")
	})
	t.Run("EveryAnswerHasTheHeaders", func(t *testing.T) { // CS-07
		for _, path := range []string{"/admin", "/admin/staff", "/admin/nothing", "/admin/sign-in", "/admin/account"} {
			for who, browser := range map[string]*browser{"signed in": b, "nobody": o.browser()} {
				head := browser.get(path).header
				policy := head.Get("Content-Security-Policy")
				if !strings.Contains(policy, "frame-ancestors 'none'") || !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") ||
					head.Get("X-Content-Type-Options") != "nosniff" || head.Get("Referrer-Policy") == "" || head.Get("Cache-Control") != "no-store" ||
					!strings.Contains(head.Get("Strict-Transport-Security"), "max-age=31536000") {
					t.Errorf("%s, %s: %v", path, who, head)
				}
			}
		}
	})
}

// openPages are those that nobody must be signed in for.
var openPages = []string{"/admin/sign-in", "/admin/sign-in/code", "/admin/sign-in/oidc", handlers.OpenIDReturn}

func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	e, ok := o.http.(*echo.Echo)
	if !ok {
		t.Fatal("the server is no echo")
	}
	browsers := map[staff.Role]*browser{}
	for _, role := range staff.Roles {
		browsers[role], _ = o.in(role)
	}
	routes := 0
	for _, r := range e.Routes() {
		if !strings.HasPrefix(r.Path, "/admin") || slices.Contains(openPages, r.Path) || r.Method != http.MethodGet && r.Method != http.MethodPost {
			continue
		}
		routes++
		target := strings.NewReplacer(":", "", "*", "none").Replace(r.Path)
		t.Run(r.Method+" "+r.Path+" WithoutASignIn", func(t *testing.T) {
			a := o.browser().do(r.Method, target, url.Values{})
			a.want(http.StatusUnauthorized, "nobody")
			if a.document().Find(`[data-testid=nav]`).Length() > 0 {
				t.Error("the navigation is shown")
			}
		})
		own := strings.HasPrefix(r.Path, "/admin/account") || r.Path == "/admin/again" || r.Path == "/admin/sign-out" || r.Path == "/admin/*"
		if r.Method == http.MethodPost && !own {
			t.Run(r.Method+" "+r.Path+" AsAViewer", func(t *testing.T) {
				o.entries()
				browsers[staff.TenantViewer].post(target).want(http.StatusForbidden, "a viewer")
				if got := o.entries(); len(got) != 1 || !got[0].Refused || got[0].Actor == "" {
					t.Errorf("the audit log has %v", acts(got))
				}
			})
		}
	}
	if routes < 15 {
		t.Fatalf("there are only %d routes", routes)
	}
	for _, c := range []struct {
		method, path            string
		operator, admin, viewer int
	}{
		{"GET", "/admin", 200, 200, 200},
		{"GET", "/admin/account", 200, 200, 200},
		{"GET", "/admin/account/app", 200, 200, 200},
		{"GET", "/admin/again", 200, 200, 200},
		{"GET", "/admin/staff", 200, 403, 403},
		{"GET", "/admin/audit", 200, 200, 403}, // AD-03: the logs
		{"GET", "/admin/tenants", 200, 403, 403},
		{"GET", "/admin/tenants.csv", 200, 403, 403},
		{"GET", "/admin/tenants/new", 200, 403, 403},
		{"GET", "/admin/tenant", 303, 200, 403},
		{"GET", "/admin/tenants/none", 404, 404, 403},
		{"GET", "/admin/tenants/none/keys", 404, 404, 403},
		{"GET", "/admin/tenants/none/branding", 404, 404, 403},
		{"GET", "/admin/tenants/none/suspend", 404, 403, 403},
		{"GET", "/admin/doctor", 200, 200, 403},
		{"GET", "/admin/doctor?tenant=none", 404, 404, 403},
		{"GET", "/admin/settings", 200, 403, 403},
		{"POST", "/admin/tenants", 422, 403, 403},
		{"POST", "/admin/tenants/none", 404, 404, 403},
		{"POST", "/admin/tenants/none/suspend", 404, 403, 403},
		{"POST", "/admin/tenants/none/keys/license", 404, 403, 403},
		{"POST", "/admin/tenants/none/keys/signing", 404, 404, 403},
		{"POST", "/admin/tenants/none/branding", 404, 404, 403},
		{"POST", "/admin/staff", 422, 403, 403},
		{"POST", "/admin/staff/stf_none/standing", 404, 403, 403},
		{"POST", "/admin/staff/stf_none/password", 404, 403, 403},
		{"POST", "/admin/staff/stf_none/app/off", 404, 403, 403},
		{"POST", "/admin/again", 403, 403, 403}, // without the password
		{"POST", "/admin/account/password", 403, 403, 403},
		{"POST", "/admin/account/app/off", 403, 403, 403},
		{"POST", "/admin/account/codes", 403, 403, 403},
		{"GET", "/admin/nothing", 404, 404, 404},
	} {
		for role, want := range map[staff.Role]int{staff.Operator: c.operator, staff.TenantAdmin: c.admin, staff.TenantViewer: c.viewer} {
			t.Run(c.method+" "+c.path+" As "+string(role), func(t *testing.T) {
				browsers[role].do(c.method, c.path, url.Values{}).want(want, string(role))
			})
		}
	}
	t.Run("TheNavigationShowsWhatOneMaySeeAndWhatThereIs", func(t *testing.T) {
		for role, want := range map[staff.Role]map[string]bool{
			staff.Operator:     {"/admin": true, "/admin/staff": true, "/admin/audit": true, "/admin/tenants": true, "/admin/tenant": false, "/admin/settings": true, "/admin/doctor": true},
			staff.TenantAdmin:  {"/admin": true, "/admin/staff": false, "/admin/audit": true, "/admin/tenants": false, "/admin/tenant": true, "/admin/settings": false, "/admin/doctor": true},
			staff.TenantViewer: {"/admin": true, "/admin/staff": false, "/admin/audit": false, "/admin/tenants": false, "/admin/tenant": false, "/admin/settings": false, "/admin/doctor": false}} {
			d := browsers[role].get("/admin").document()
			for path, shown := range want {
				if got := d.Find(`[data-testid=nav] .admin-wide a[href="`+path+`"]`).Length() == 1; got != shown {
					t.Errorf("%s sees %s: %v", role, path, got)
				}
			}
			d.Find(`[data-testid=nav] a`).Each(func(_ int, s *goquery.Selection) {
				path, _ := s.Attr("href")
				browsers[role].get(path).want(http.StatusOK, "a link of the navigation: "+path)
			})
		}
	})
	t.Run("EveryWayToWriteTheAddressIsDecidedAsAdminIs", func(t *testing.T) { // AD-07
		for _, path := range []string{"/admin/..;/x", "/%61dmin", "//admin", "/ADMIN", "/admin/.", "/admin%2f", "/admin/", "/./admin", "/Admin/Staff", "/admin;x=1", "/%2fadmin", "/admin%2fstaff", "/admin%5cstaff"} {
			o.browser().get(path).want(http.StatusUnauthorized, path)
		}
		for _, path := range []string{"//admin/staff", "/ADMIN/staff", "/admin/./staff", "/admin%2fstaff", "/admin/..;/staff", "/%61dmin//staff"} {
			browsers[staff.TenantViewer].get(path).want(http.StatusForbidden, "a viewer at "+path)
		}
	})
}

func TestTheAuditLog(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	operator, me := o.in(staff.Operator)
	admin, _ := o.in(staff.TenantAdmin)
	victim := o.hire(staff.TenantViewer)
	o.entries()
	t.Run("EveryFormIsOneEntry", func(t *testing.T) { // I-35
		for _, c := range []struct {
			path string
			form []string
			want string
		}{
			{"/admin/staff", []string{"email", "x@example.com", "role", "tenant_viewer", "tenant", o.tenant.ID}, "staff_add"},
			{"/admin/staff", []string{"email", "x@example.com", "role", "operator"}, "refused staff_add"},
			{"/admin/staff", []string{"email", "no address", "role", "operator"}, "refused staff_add"},
			{"/admin/staff", []string{"email", "y@example.com", "role", "king"}, "refused staff_add"},
			{"/admin/staff", []string{"email", "y@example.com", "role", "tenant_viewer", "tenant", "ten_none"}, "refused change_staff"},
			{"/admin/staff/" + victim.ID + "/standing", []string{"role", "tenant_admin", "tenant", o.tenant.ID, "state", "active"}, "staff_standing"},
			{"/admin/staff/" + me.ID + "/standing", []string{"role", "tenant_admin", "tenant", o.tenant.ID, "state", "active"}, "refused staff_standing"},
			{"/admin/staff/" + victim.ID + "/password", nil, "staff_password"},
			{"/admin/staff/" + victim.ID + "/app/off", nil, "staff_reset_totp"},
			{"/admin/account/password", []string{"present", goodPassword, "wanted", "short"}, "refused own_password"},
			{"/admin/account/password", []string{"present", "wrong", "wanted", "other horse and nine staples"}, "refused own_password"},
			{"/admin/account/codes", []string{"password", goodPassword}, "refused own_recovery_codes"},
			{"/admin/again", []string{"password", goodPassword}, "sign_in_again"},
			{"/admin/sign-out", nil, "sign_out"},
		} {
			operator.post(c.path, c.form...)
			got := o.entries()
			if d := cmp.Diff([]string{c.want}, acts(got)); d != "" {
				t.Errorf("%s %v: want − got +\n%s", c.path, c.form, d)
				continue
			}
			if got[0].Actor != me.ID || got[0].Address != "192.0.2.1" || o.now().Sub(got[0].At) > time.Second {
				t.Errorf("%s: %+v", c.path, got[0])
			}
		}
	})
	t.Run("WhatChangedIsInIt", func(t *testing.T) {
		all, err := o.store.ListAudit(context.Background(), staff.EntryFilter{Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(all, func(e *staff.Entry) bool { return e.What == "staff_standing" && !e.Refused })
		if i < 0 || all[i].Before != "role tenant_viewer, active, tenant "+o.tenant.ID || all[i].After != "role tenant_admin, active, tenant "+o.tenant.ID || all[i].Subject != victim.ID {
			t.Errorf("it says %+v", all[max(i, 0)])
		}
	})
	t.Run("ATenantsAdministratorSeesTheirTenantsOnly", func(t *testing.T) {
		page := admin.get("/admin/audit")
		page.want(http.StatusOK, "the log")
		d := page.document()
		if d.Find(`[data-testid=row]`).Length() == 0 {
			t.Error("it is empty")
		}
		if strings.Contains(page.body, me.ID) || strings.Contains(page.body, me.Name) {
			t.Error("it shows an operator's own rows")
		}
		if strings.Contains(d.Find("select#person").Text(), me.Name) {
			t.Error("it offers an operator to filter by")
		}
	})
	t.Run("ItIsFilteredByPersonActionAndDaysAndPaged", func(t *testing.T) {
		b, p := o.in(staff.Operator)
		for range 110 {
			if err := o.staff.Record(context.Background(), &staff.Entry{Actor: p.ID, What: "counting"}); err != nil {
				t.Fatal(err)
			}
		}
		seen, target := 0, "/admin/audit?person="+p.ID+"&day=2026-11-23"
		for target != "" {
			d := b.get(target).document()
			seen += d.Find(`[data-testid=row]`).Length()
			target, _ = d.Find(`a:contains("Older")`).Attr("href")
		}
		if seen != 111 {
			t.Errorf("%d rows, want 111", seen)
		}
		if n := b.get("/admin/audit?day=2026-11-22").document().Find(`[data-testid=row]`).Length(); n != 0 {
			t.Errorf("yesterday has %d rows", n)
		}
		for target, rows := range map[string]int{"what=counting&person=" + p.ID: 100, "what=sign_in&person=" + p.ID: 1, "what=counting&since=2026-11-24": 0, "what=counting&until=2026-11-22": 0,
			"since=2026-11-23&until=2026-11-23&what=sign_in&person=" + p.ID: 1} {
			if n := b.get("/admin/audit?" + target).document().Find(`[data-testid=row]`).Length(); n != rows {
				t.Errorf("%s has %d rows, want %d", target, n, rows)
			}
		}
		file := b.get("/admin/audit.csv?person=" + p.ID)
		file.want(http.StatusOK, "the file")
		if rows := strings.Count(file.body, "\r\n"); rows != 112 || !strings.HasPrefix(file.header.Get("Content-Type"), "text/csv") || !strings.Contains(file.header.Get("Content-Disposition"), "audit.csv") {
			t.Errorf("the file has %d lines with its head: %v", rows, file.header)
		}
		b.get("/admin/audit?person=%00%ff&before=%27").want(http.StatusOK, "rubbish that is nobody")
		for _, bad := range []string{"since=yesterday", "since=2026-13-01", "until=99999-01-01", "since=0000-00-00", "what=DROP%20TABLE", "since=2026-11-23&until=2026-11-22", "person=" + strings.Repeat("x", 200)} {
			a := b.get("/admin/audit?" + bad)
			a.want(http.StatusUnprocessableEntity, bad)
			if a.document().Find(`[role=alert]`).Length() != 1 {
				t.Errorf("%s: it does not say what is wrong", bad)
			}
			b.get("/admin/audit.csv?"+bad).want(http.StatusBadRequest, bad+" as a file")
		}
	})
}
