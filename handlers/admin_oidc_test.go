package handlers_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/handlers"
	"github.com/portatill/portatill/internal/openid"
	"github.com/portatill/portatill/internal/openid/openidtest"
	"github.com/portatill/portatill/internal/staff"
)

const (
	flowCookie = staffCookie + "_oidc"
	subject    = "subject-canary-1"
)

// withProvider gives an office a provider that people sign in with.
func (o *office) withProvider() *openidtest.Provider {
	o.t.Helper()
	p := openidtest.New(o.now)
	server := httptest.NewServer(p)
	o.t.Cleanup(server.Close)
	p.URL = server.URL
	o.options.OpenID = openid.New(openid.Options{Issuer: p.URL, ClientID: openidtest.ClientID, ClientSecret: openidtest.ClientSecret, RedirectURL: baseURL + handlers.OpenIDReturn,
		SecretKey: "a secret key of 32 characters or more", Now: o.now})
	o.options.OpenIDLabel = "Example ID"
	o.http = handlers.New(o.options)
	return p
}

func account(p *staff.Person) openidtest.Account {
	return openidtest.Account{Subject: subject, Email: p.Email, EmailVerified: true}
}

// atProvider follows a way to the provider and returns the address that it sends the browser back to.
func (b *browser) atProvider(away string) string {
	b.o.t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Get(away)
	if err != nil {
		b.o.t.Fatal(err)
	}
	response.Body.Close()
	back, found := strings.CutPrefix(response.Header.Get("Location"), baseURL)
	if response.StatusCode != http.StatusFound || !found {
		b.o.t.Fatalf("the provider answered %d and leads to %q", response.StatusCode, response.Header.Get("Location"))
	}
	return back
}

// comeBack is what the browser does then: coming from another site it leaves the Strict cookie at home.
func (b *browser) comeBack(back string) answer {
	b.o.t.Helper()
	home, had := b.cookies[staffCookie]
	delete(b.cookies, staffCookie)
	a := b.get(back, "Sec-Fetch-Site", "cross-site")
	if _, fresh := b.cookies[staffCookie]; had && !fresh {
		b.cookies[staffCookie] = home
	}
	return a
}

// away begins a round at an address of ours and returns where it leads.
func (b *browser) away(start string) string {
	b.o.t.Helper()
	a := b.get(start)
	a.want(http.StatusSeeOther, start)
	return a.header.Get("Location")
}

// signInWith is a whole round.
func (b *browser) signInWith() answer {
	b.o.t.Helper()
	return b.comeBack(b.atProvider(b.away("/admin/sign-in/oidc?next=/admin/staff")))
}

func (b *browser) isIn(p *staff.Person) bool {
	b.o.t.Helper()
	a := b.get("/admin/account")
	return a.status == http.StatusOK && strings.Contains(a.body, p.Email)
}

func (o *office) person(p *staff.Person) *staff.Person {
	o.t.Helper()
	now, err := o.store.StaffByID(context.Background(), p.ID)
	if err != nil {
		o.t.Fatal(err)
	}
	return now
}

func TestSigningInWithAProvider(t *testing.T) {
	t.Parallel()
	t.Run("AVerifiedAddressLinksOnceAndThenTheAccountAloneCounts", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		idp, p, b := o.withProvider(), o.hire(staff.Operator), o.browser()
		idp.Be(account(p))
		o.entries()
		a := b.signInWith()
		a.want(http.StatusOK, "the way back")
		if got := a.header.Get("Refresh"); got != "0; url=/admin/staff" || a.header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("it leads on by %q with the policy %q", got, a.header.Get("Referrer-Policy"))
		}
		if !b.isIn(p) || b.cookies[flowCookie] != "" {
			t.Error("nobody is signed in, or the round is still kept")
		}
		if d := cmp.Diff([]string{"sign_in", "staff_openid_link"}, acts(o.entries())); d != "" {
			t.Error(d)
		}
		if now := o.person(p); now.OpenIDIssuer != idp.URL || now.OpenIDSubject != subject {
			t.Errorf("linked is %q at %q", now.OpenIDSubject, now.OpenIDIssuer)
		}
		// The address there may change, and be nobody's.
		idp.Be(openidtest.Account{Subject: subject, Email: "changed@example.com", EmailVerified: false})
		other := o.browser()
		other.signInWith().want(http.StatusOK, "with another address there")
		if !other.isIn(p) {
			t.Error("the linked account does not sign in")
		}
		entries := o.entries()
		if d := cmp.Diff([]string{"sign_in"}, acts(entries)); d != "" || entries[0].After != "openid" || entries[0].Actor != p.ID {
			t.Errorf("%s: %+v", d, entries[0])
		}
		q := idp.Asked()[0]
		if q.Get("redirect_uri") != baseURL+handlers.OpenIDReturn || q.Get("state") == "" || q.Get("nonce") == "" || q.Get("prompt") != "" {
			t.Errorf("the provider was asked %v", q)
		}
	})
	t.Run("TheSessionIsOneOfAPasswords", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		idp := o.withProvider()
		b, p := o.in(staff.Operator)
		idp.Be(account(p))
		old := b.cookies[staffCookie]
		a := b.signInWith()
		for _, c := range (&http.Response{Header: a.header}).Cookies() {
			same := http.SameSiteStrictMode
			if c.Name == flowCookie {
				same = http.SameSiteLaxMode
			}
			if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != same || c.Path != "/" || c.Domain != "" {
				t.Errorf("the cookie is %v", c)
			}
		}
		if b.cookies[staffCookie] == old {
			t.Error("the session has its old id")
		}
		stolen := &browser{o, map[string]string{staffCookie: old}, ""}
		stolen.get("/admin").want(http.StatusUnauthorized, "the session before")
		o.pass(29 * time.Minute)
		b.get("/admin").want(http.StatusOK, "after 29 minutes")
		o.pass(30 * time.Minute)
		b.get("/admin").want(http.StatusUnauthorized, "after 30 idle minutes")
	})
	t.Run("EllipticKeysNewKeysAUserinfoAddressAndASecretInTheFormAreUnderstood", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		idp, p := o.withProvider(), o.hire(staff.Operator)
		idp.Be(openidtest.Account{Subject: subject, Email: strings.ToUpper(p.Email), EmailVerified: "true"})
		idp.SignES256()
		idp.TellEmailByUserInfo()
		idp.TakeSecretInForm()
		b := o.browser()
		b.signInWith().want(http.StatusOK, "the first")
		idp.RotateKeys()
		b = o.browser()
		b.signInWith().want(http.StatusOK, "with new keys")
		if !b.isIn(p) || idp.Requests("/.well-known/openid-configuration") != 1 || idp.Requests("/keys") != 2 {
			t.Errorf("discovery was asked %d times, the keys %d times", idp.Requests("/.well-known/openid-configuration"), idp.Requests("/keys"))
		}
	})
	t.Run("WhoHasAnAppGivesItsCodeToo", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		idp := o.withProvider()
		paired, p := o.in(staff.Operator)
		_, codes := paired.pair(p)
		idp.Be(account(p))
		b := o.browser()
		a := b.signInWith()
		if got := a.header.Get("Refresh"); got != "0; url=/admin/sign-in/code?next=%2Fadmin%2Fstaff" || b.isIn(p) {
			t.Fatalf("it leads to %q", got)
		}
		b.post("/admin/sign-in/code", "code", codes[0]).want(http.StatusSeeOther, "the code")
		if !b.isIn(p) {
			t.Error("the code does not let them in")
		}
	})
}

func TestWhomAProviderDoesNotLetIn(t *testing.T) {
	t.Parallel()
	t.Run("AnUnknownPersonASuspendedOneAndAnotherSubjectGetOneAnswerAndTheLogKnowsWhich", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		idp, p, gone := o.withProvider(), o.hire(staff.Operator), o.hire(staff.Operator)
		idp.Be(account(p))
		o.browser().signInWith()
		if _, err := o.staff.SetStanding(context.Background(), staff.By{Actor: staff.Command}, gone.ID, staff.Operator, "", staff.Suspended); err != nil {
			t.Fatal(err)
		}
		people := o.rows("staff")
		o.entries()
		seen, told := map[string]bool{}, []string{}
		for _, a := range []openidtest.Account{
			{Subject: "other", Email: p.Email, EmailVerified: true}, {Subject: "gone", Email: gone.Email, EmailVerified: true}, {Subject: "new", Email: "new@example.com", EmailVerified: true},
		} {
			idp.Be(a)
			b := o.browser()
			answer := b.signInWith()
			answer.want(http.StatusForbidden, a.Subject)
			seen[answer.body] = true
			if b.cookies[staffCookie] != "" {
				t.Errorf("%s has a session", a.Subject)
			}
			for _, e := range o.entries() {
				told = append(told, fmt.Sprint(e.What, " ", e.Refused, " ", e.After, " ", e.Subject))
			}
		}
		if len(seen) != 1 || o.rows("staff") != people {
			t.Errorf("there are %d answers, and %d people", len(seen), o.rows("staff"))
		}
		if d := cmp.Diff([]string{"sign_in true openid: another account of the provider has the e-mail address " + p.ID, "sign_in true openid: suspended " + gone.ID,
			"sign_in true openid: nobody has the e-mail address "}, told); d != "" {
			t.Error(d)
		}
		if o.person(p).OpenIDSubject != subject || o.person(gone).HasOpenID() {
			t.Error("somebody was linked")
		}
	})
	t.Run("AnAddressThatIsNotVerifiedOrNotToldFindsNobody", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		idp, p := o.withProvider(), o.hire(staff.Operator)
		for name, verified := range map[string]any{"false": false, "the text false": "false", "not told": nil, "a number": 1} {
			idp.Be(openidtest.Account{Subject: subject, Email: p.Email, EmailVerified: verified})
			a := o.browser().signInWith()
			if a.want(http.StatusForbidden, name); !strings.Contains(a.body, "has not verified your e-mail address") {
				t.Errorf("%s: %s", name, a.body)
			}
		}
		for _, email := range []string{"", "nonsense", "a@b\x00.example", "Ada <" + p.Email + ">", strings.Repeat("a", 300) + "@example.com"} {
			idp.Be(openidtest.Account{Subject: subject, Email: email, EmailVerified: true})
			a := o.browser().signInWith()
			if a.want(http.StatusForbidden, email); !strings.Contains(a.body, "did not tell your e-mail address") {
				t.Errorf("%q: %s", email, a.body)
			}
		}
		if o.person(p).HasOpenID() {
			t.Error("somebody was linked")
		}
	})
	t.Run("SomebodySuspendedWhoIsLinkedStaysOut", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		idp, p, b := o.withProvider(), o.hire(staff.Operator), o.browser()
		idp.Be(account(p))
		b.signInWith()
		if _, err := o.staff.SetStanding(context.Background(), staff.By{Actor: staff.Command}, p.ID, staff.Operator, "", staff.Suspended); err != nil {
			t.Fatal(err)
		}
		b.get("/admin").want(http.StatusUnauthorized, "the session they had")
		b.signInWith().want(http.StatusForbidden, "another sign-in")
	})
	t.Run("NoLieOfAProviderSignsAnybodyIn", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		idp, p := o.withProvider(), o.hire(staff.Operator)
		idp.Be(account(p))
		o.browser().signInWith().want(http.StatusOK, "the truth")
		for _, lie := range []openidtest.Lie{openidtest.WrongNonce, openidtest.NoNonce, openidtest.WrongAudience, openidtest.TwoAudiences, openidtest.WrongParty, openidtest.WrongIssuer,
			openidtest.Expired, openidtest.FromFuture, openidtest.AlgNone, openidtest.HS256, openidtest.HS256Secret, openidtest.OtherKey, openidtest.Changed, openidtest.NoToken,
			openidtest.NoSubject, openidtest.LongSubject, openidtest.NulSubject} {
			idp.Lie(lie)
			o.pass(time.Minute) // fewer than forty in a quarter of an hour
			b := o.browser()
			a := b.signInWith()
			if a.status != http.StatusBadGateway || b.cookies[staffCookie] != "" || !strings.Contains(a.body, "quote") {
				t.Errorf("%s: %d and the session %q", lie, a.status, b.cookies[staffCookie])
			}
		}
		idp.Lie(openidtest.None)
		o.browser().signInWith().want(http.StatusOK, "the truth again")
	})
	t.Run("TooManyComeBackAndTheRestWait", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		o.withProvider().Be(openidtest.Account{Subject: "new", Email: "new@example.com", EmailVerified: true})
		for range 40 {
			o.browser().signInWith().want(http.StatusForbidden, "a stranger")
		}
		o.entries()
		a := o.browser().signInWith()
		if a.want(http.StatusTooManyRequests, "the 41st"); a.header.Get("Retry-After") == "" {
			t.Error("it does not say when to try again")
		}
		if d := cmp.Diff([]string{"refused sign_in"}, acts(o.entries())); d != "" {
			t.Error(d)
		}
	})
}

func TestTheWayBackBelongsToTheBrowserThatWentAway(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	idp, p := o.withProvider(), o.hire(staff.Operator)
	idp.Be(account(p))
	refused := func(t *testing.T, name string, b *browser, back string) {
		t.Helper()
		a := b.comeBack(back)
		a.want(http.StatusBadRequest, name)
		if b.cookies[staffCookie] != "" {
			t.Errorf("%s: there is a session", name)
		}
	}
	t.Run("AnAttackersCodeInAVictimsBrowserIsWorthNothing", func(t *testing.T) {
		attacker, victim := o.browser(), o.browser()
		back := attacker.atProvider(attacker.away("/admin/sign-in/oidc"))
		refused(t, "without a round", victim, back)
		mine := victim.away("/admin/sign-in/oidc")
		refused(t, "with another round", victim, back)
		// The attacker's code beside the victim's own state: PKCE and the nonce are in the way.
		code, state := query(t, back).Get("code"), query(t, mine).Get("state")
		refused(t, "the attacker's code", victim, handlers.OpenIDReturn+"?"+url.Values{"code": {code}, "state": {state}}.Encode())
		// A foreign way back did not disturb the attacker's own, whose code the try used up.
		refused(t, "the code again", attacker, back)
	})
	t.Run("ARoundThatIsDisturbedByAForeignOneGoesOn", func(t *testing.T) {
		b, other := o.browser(), o.browser()
		back := b.atProvider(b.away("/admin/sign-in/oidc"))
		b.comeBack(other.atProvider(other.away("/admin/sign-in/oidc"))).want(http.StatusBadRequest, "the foreign one")
		b.comeBack(back).want(http.StatusOK, "its own")
	})
	t.Run("ItIsGoodOnceAndForTenMinutes", func(t *testing.T) {
		b := o.browser()
		back := b.atProvider(b.away("/admin/sign-in/oidc"))
		kept := b.cookies[flowCookie]
		b.comeBack(back).want(http.StatusOK, "the first time")
		refused(t, "a reload", o.browser(), back)
		refused(t, "with a cookie that was kept", &browser{o, map[string]string{flowCookie: kept}, ""}, back)
		late := o.browser()
		back = late.atProvider(late.away("/admin/sign-in/oidc"))
		o.pass(openid.FlowFor)
		refused(t, "too late", late, back)
	})
	t.Run("ACookieThatWasMadeUpOrChangedIsNone", func(t *testing.T) {
		b := o.browser()
		back := b.atProvider(b.away("/admin/sign-in/oidc"))
		kept := b.cookies[flowCookie]
		for _, value := range []string{"", "x", kept[:len(kept)-2], kept[:20] + "A" + kept[21:] + "A", strings.Repeat("A", 3000), "!!"} {
			refused(t, value, &browser{o, map[string]string{flowCookie: value}, ""}, back)
		}
		for _, odd := range []string{"", "?state=", "?code=x", "?error=access_denied", "?state=%00&code=%ff", "?state=" + strings.Repeat("s", 5000)} {
			refused(t, odd, &browser{o, map[string]string{flowCookie: kept}, ""}, handlers.OpenIDReturn+odd)
		}
	})
	t.Run("AnotherProvidersNameInTheAddressIsRefused", func(t *testing.T) {
		b := o.browser()
		refused(t, "iss", b, b.atProvider(b.away("/admin/sign-in/oidc"))+"&iss=https%3A%2F%2Fevil.example")
	})
	t.Run("AnotherSiteCannotPressTheButton", func(t *testing.T) {
		b := o.browser()
		for _, site := range []string{"cross-site", "same-site"} {
			a := b.get("/admin/sign-in/oidc?next=/admin/staff", "Sec-Fetch-Site", site)
			if got := a.header.Get("Location"); a.status != http.StatusSeeOther || got != "/admin/sign-in?next=%2Fadmin%2Fstaff" || b.cookies[flowCookie] != "" {
				t.Errorf("%s: %d to %s", site, a.status, got)
			}
		}
	})
	t.Run("ItLeadsToOurOwnPagesOnly", func(t *testing.T) {
		for _, next := range []string{"https://evil.example/admin", "//evil.example/admin", `/\evil.example/admin`, "javascript:alert(1)", "/pay/x", "/admin/sign-in/oidc", "/admin/again/oidc", "/admin/x\r\nSet-Cookie: a=b", "/admin/" + strings.Repeat("x", 5000)} {
			o.pass(time.Minute)
			b := o.browser()
			a := b.comeBack(b.atProvider(b.away("/admin/sign-in/oidc?next=" + url.QueryEscape(next))))
			if got := a.header.Get("Refresh"); got != "0; url=/admin" {
				t.Errorf("next %.60q leads to %q", next, got)
			}
		}
	})
}

func query(t *testing.T, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

func TestAProviderThatFailsIsTold(t *testing.T) {
	t.Parallel()
	t.Run("APersonWhoTurnsBackIsToldSo", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		idp := o.withProvider()
		for code, want := range map[string]int{"access_denied": http.StatusUnauthorized, "server_error": http.StatusServiceUnavailable, "temporarily_unavailable": http.StatusServiceUnavailable,
			"invalid_scope": http.StatusBadGateway, "<script>alert(1)</script>": http.StatusBadGateway} {
			idp.SendBack(code)
			a := o.browser().signInWith()
			if a.want(want, code); strings.Contains(a.body, "<script") || strings.Contains(a.body, "description-canary") {
				t.Errorf("%s is repeated: %s", code, a.body)
			}
		}
	})
	t.Run("OneThatIsAwayIsAskedAgainLater", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		idp, p := o.withProvider(), o.hire(staff.Operator)
		idp.Be(account(p))
		idp.Fail("/.well-known/openid-configuration", http.StatusBadGateway)
		for range 3 { // the second and third within five seconds, for which nobody asks
			a := o.browser().get("/admin/sign-in/oidc")
			if a.want(http.StatusServiceUnavailable, "away"); a.header.Get("Retry-After") == "" || !strings.Contains(a.body, "does not answer") {
				t.Errorf("it says %s", a.body)
			}
		}
		o.browser().get("/admin/sign-in").want(http.StatusOK, "the sign-in page meanwhile")
		o.browser().signIn(p, goodPassword).want(http.StatusSeeOther, "a password meanwhile")
		if n := idp.Requests("/.well-known/openid-configuration"); n != 1 {
			t.Errorf("it was asked %d times", n)
		}
		idp.Fail("/.well-known/openid-configuration", 0)
		o.pass(6 * time.Second)
		b := o.browser()
		b.signInWith().want(http.StatusOK, "back again")
		// What was found is used while it is away, also after its hour.
		idp.Fail("/.well-known/openid-configuration", http.StatusBadGateway)
		o.pass(2 * time.Hour)
		o.browser().signInWith().want(http.StatusOK, "with what was known")
	})
	t.Run("EveryPlaceThatCanFailLeadsToAPage", func(t *testing.T) {
		t.Parallel()
		for path, answers := range map[string]map[int]int{
			"/token":                            {500: http.StatusServiceUnavailable, 503: http.StatusServiceUnavailable, 429: http.StatusServiceUnavailable, 404: http.StatusBadGateway, 400: http.StatusBadGateway, 302: http.StatusBadGateway},
			"/keys":                             {500: http.StatusServiceUnavailable, 404: http.StatusBadGateway},
			"/.well-known/openid-configuration": {404: http.StatusBadGateway, 302: http.StatusBadGateway},
		} {
			for status, want := range answers {
				o := newOffice(t)
				idp := o.withProvider()
				idp.Be(account(o.hire(staff.Operator)))
				idp.Fail(path, status)
				b := o.browser()
				a := b.get("/admin/sign-in/oidc")
				if a.status == http.StatusSeeOther {
					a = b.comeBack(b.atProvider(a.header.Get("Location")))
				}
				if a.want(want, fmt.Sprint(path, " ", status)); b.cookies[staffCookie] != "" {
					t.Error("somebody is signed in")
				}
			}
		}
	})
	t.Run("WithoutOneThereIsNothing", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		b, _ := o.in(staff.Operator)
		for _, path := range []string{"/admin/sign-in/oidc", handlers.OpenIDReturn + "?code=x&state=y", "/admin/again/oidc"} {
			b.get(path).want(http.StatusNotFound, path)
		}
		b.post("/admin/account/oidc").want(http.StatusNotFound, "linking")
		for _, path := range []string{"/admin/account", "/admin/staff", "/admin/again"} {
			if a := b.get(path); strings.Contains(a.body, "oidc") {
				t.Errorf("%s speaks of it", path)
			}
		}
		if a := o.browser().get("/admin/sign-in"); strings.Contains(a.body, "oidc") {
			t.Error("there is a button")
		}
	})
	t.Run("NothingSecretIsLoggedOrAudited", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		idp, p, b := o.withProvider(), o.hire(staff.Operator), o.browser()
		idp.Be(account(p))
		back := b.atProvider(b.away("/admin/sign-in/oidc"))
		flow := b.cookies[flowCookie]
		b.comeBack(back)
		idp.Lie(openidtest.AlgNone)
		o.browser().signInWith()
		idp.Fail("/token", http.StatusBadRequest)
		o.browser().signInWith()
		idp.Fail("/token", 500)
		o.browser().signInWith()
		idp.SendBack("invalid_scope")
		o.browser().signInWith()
		said := o.log.String()
		if n := strings.Count(said, "signing in with the OpenID provider failed"); n != 4 {
			t.Errorf("the log tells of %d failures", n)
		}
		for _, e := range o.entries() {
			said += fmt.Sprintf("%+v", *e)
		}
		for _, text := range []string{query(t, back).Get("code"), query(t, back).Get("state"), "code-canary", flow, b.cookies[staffCookie], openidtest.ClientSecret, p.Email, subject, "at-" + subject, "body-canary", "description-canary", "eyJ"} {
			if strings.Contains(said, text) {
				t.Errorf("the logs hold %q", text)
			}
		}
	})
}

func TestConfirmingWithTheProvider(t *testing.T) {
	t.Parallel()
	// stale is somebody who signed in with the provider, without a word on when they last gave their password there.
	stale := func(t *testing.T) (*office, *openidtest.Provider, *browser, *staff.Person) {
		o := newOffice(t)
		idp, p, b := o.withProvider(), o.hire(staff.Operator), o.browser()
		idp.Be(account(p))
		b.signInWith().want(http.StatusOK, "the sign-in")
		return o, idp, b, p
	}
	dangerous := func(b *browser) int {
		return b.post("/admin/staff", "email", "new@example.com", "role", "operator").status
	}
	t.Run("ASignInThereIsNoFreshOneUnlessItSaysSo", func(t *testing.T) {
		t.Parallel()
		o, idp, b, p := stale(t)
		if got := dangerous(b); got != http.StatusForbidden {
			t.Errorf("without auth_time it answers %d", got)
		}
		a := account(p)
		a.AuthTime = o.now().Add(-11 * time.Minute)
		idp.Be(a)
		if b.signInWith(); dangerous(b) != http.StatusForbidden {
			t.Error("eleven minutes there are fresh here")
		}
		a.AuthTime = o.now().Add(-5 * time.Minute)
		idp.Be(a)
		if b.signInWith(); dangerous(b) != http.StatusOK {
			t.Error("five minutes there are not fresh here")
		}
	})
	t.Run("ItAsksThereAndTheSameSessionIsFresh", func(t *testing.T) {
		t.Parallel()
		o, idp, b, _ := stale(t)
		page := b.post("/admin/staff", "email", "new@example.com", "role", "operator")
		start, _ := page.document().Find(`[data-testid=again-oidc]`).Attr("href")
		o.entries()
		a := b.comeBack(b.atProvider(b.away(start)))
		a.want(http.StatusOK, "the way back")
		q := idp.Asked()[len(idp.Asked())-1]
		if q.Get("prompt") != "login" || q.Get("max_age") != "0" {
			t.Errorf("the provider was asked %v", q)
		}
		if d := cmp.Diff([]string{"sign_in_again"}, acts(o.entries())); d != "" {
			t.Error(d)
		}
		if got := dangerous(b); got != http.StatusOK {
			t.Errorf("it answers %d", got)
		}
		o.pass(11 * time.Minute)
		b.post("/admin/again", "password", goodPassword).want(http.StatusSeeOther, "the password does as well")
	})
	t.Run("AProviderThatDoesNotAskOrIsAskedBySomebodyElseDoesNotCount", func(t *testing.T) {
		t.Parallel()
		o, idp, b, p := stale(t)
		idp.IgnoreMaxAge()
		old := account(p)
		old.AuthTime = o.now().Add(-5 * time.Minute)
		other := account(p)
		other.Subject, other.AuthTime = "other", o.now()
		o.entries()
		for name, a := range map[string]openidtest.Account{"no auth_time": account(p), "an old one": old, "another account": other} {
			idp.Be(a)
			b.comeBack(b.atProvider(b.away("/admin/again/oidc?next=/admin/staff"))).want(http.StatusForbidden, name)
			if dangerous(b) != http.StatusForbidden {
				t.Errorf("%s makes it fresh", name)
			}
		}
		if got := acts(o.entries()); slices.Contains(got, "sign_in_again") {
			t.Errorf("the log has %v", got)
		}
	})
	t.Run("ASessionThatEndedMeanwhileStaysEnded", func(t *testing.T) {
		t.Parallel()
		_, _, b, _ := stale(t)
		back := b.atProvider(b.away("/admin/again/oidc"))
		b.post("/admin/sign-out").want(http.StatusSeeOther, "the sign-out")
		b.comeBack(back).want(http.StatusUnauthorized, "the way back")
		b.get("/admin").want(http.StatusUnauthorized, "afterwards")
	})
	t.Run("WhoIsNotLinkedIsAskedForThePassword", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		o.withProvider()
		b, _ := o.in(staff.Operator)
		if a := b.get("/admin/again"); strings.Contains(a.body, "again-oidc") {
			t.Error("there is a button")
		}
		if got := b.away("/admin/again/oidc?next=/admin/staff"); got != "/admin/again?next=%2Fadmin%2Fstaff" {
			t.Errorf("it leads to %s", got)
		}
	})
}

func TestLinkingAnAccountOfAProvider(t *testing.T) {
	t.Parallel()
	link := func(b *browser) answer {
		b.o.t.Helper()
		a := b.post("/admin/account/oidc")
		a.want(http.StatusOK, "the form")
		return b.comeBack(b.atProvider(strings.TrimPrefix(a.header.Get("Refresh"), "0; url=")))
	}
	t.Run("ASignedInPersonLinksOneWithoutAnAddressAndAnOperatorUnlinksIt", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		idp := o.withProvider()
		operator, _ := o.in(staff.Operator)
		b, p := o.in(staff.TenantViewer)
		idp.Be(openidtest.Account{Subject: subject})
		link(b).want(http.StatusOK, "the link")
		if q := idp.Asked()[0]; q.Get("prompt") != "select_account" {
			t.Errorf("the provider was asked %v", q)
		}
		if a := b.get("/admin/account"); !strings.Contains(a.body, "From now on you can sign in with Example ID.") || !strings.Contains(a.document().Find(`[data-testid=oidc]`).Text(), "Linked") {
			t.Errorf("the account says %s", a.body)
		}
		other := o.browser()
		other.signInWith().want(http.StatusOK, "a sign-in with it")
		row := operator.get("/admin/staff").document().Find(`[data-testid=row]:contains("` + p.Email + `")`)
		if got := strings.TrimSpace(row.Find(`[data-testid=ways]`).Text()); got != "Password or Example ID" {
			t.Errorf("the list says %q", got)
		}
		o.entries()
		operator.post("/admin/staff/"+p.ID+"/oidc/off").want(http.StatusSeeOther, "unlinking")
		if d := cmp.Diff([]string{"staff_openid_unlink"}, acts(o.entries())); d != "" || o.person(p).HasOpenID() {
			t.Errorf("%s, linked is %q", d, o.person(p).OpenIDSubject)
		}
		other.get("/admin").want(http.StatusUnauthorized, "their session")
		other.signInWith().want(http.StatusForbidden, "another sign-in")
		operator.post("/admin/staff/"+p.ID+"/oidc/off").want(http.StatusConflict, "unlinking again")
		operator.post("/admin/staff/stf_none/oidc/off").want(http.StatusNotFound, "unlinking nobody")
	})
	t.Run("OneAccountIsOnePersons", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		idp := o.withProvider()
		one, p := o.in(staff.Operator)
		two, _ := o.in(staff.Operator)
		idp.Be(openidtest.Account{Subject: subject})
		link(one).want(http.StatusOK, "the first")
		link(one).want(http.StatusOK, "the same again")
		link(two).want(http.StatusConflict, "somebody else's")
		idp.Be(openidtest.Account{Subject: "second"})
		link(one).want(http.StatusConflict, "a second one")
		if o.person(p).OpenIDSubject != subject {
			t.Error("the link was changed")
		}
	})
	t.Run("AStaleSessionIsAskedForThePasswordFirst", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		o.withProvider()
		b, _ := o.in(staff.Operator)
		o.pass(11 * time.Minute)
		b.post("/admin/account/oidc").want(http.StatusForbidden, "a stale session")
		if b.cookies[flowCookie] != "" {
			t.Error("a round was begun")
		}
	})
	t.Run("AViewerUnlinksNobody", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		idp, p := o.withProvider(), o.hire(staff.Operator)
		idp.Be(account(p))
		o.browser().signInWith()
		b, _ := o.in(staff.TenantAdmin)
		b.post("/admin/staff/"+p.ID+"/oidc/off").want(http.StatusForbidden, "a tenant's administrator")
		if !o.person(p).HasOpenID() {
			t.Error("it was unlinked")
		}
	})
}
