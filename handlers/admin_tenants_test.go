package handlers_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/handlers"
	"github.com/portatill/portatill/internal/config"
	"github.com/portatill/portatill/internal/doctor"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/internal/stripegate"
	"github.com/portatill/portatill/internal/tenantset"
	"github.com/portatill/portatill/pay"
)

// withTenants gives the office what serve gives it for the pages about tenants.
func (o *office) withTenants() {
	gate := stripegate.New(stripegate.Options{APIBase: stripeURL})
	o.t.Cleanup(gate.Close)
	o.options.Tenants = &tenantset.Service{Store: o.store, Account: gate.Account, Now: o.pay.Now}
	x := &examiner{o: o, gate: gate, done: make(chan struct{}, 8)}
	o.examiner, o.options.Examine, o.options.Installation = x, x, x
}

// examiner makes the real checks against the double, of a database that is well.
type examiner struct {
	o    *office
	gate *stripegate.Gate
	// hold, when not nil, keeps an examination from going on.
	hold chan struct{}
	// done gets one for each examination that has ended.
	done chan struct{}
}

// examinedStripe is the gate in the doctor's words.
type examinedStripe struct{ *stripegate.Gate }

func (s examinedStripe) Endpoints(ctx context.Context, t *pay.Tenant) ([]doctor.Endpoint, error) {
	found, err := s.Gate.Endpoints(ctx, t)
	all := make([]doctor.Endpoint, len(found))
	for i, e := range found {
		all[i] = doctor.Endpoint(e)
	}
	return all, err
}

func (x *examiner) options() doctor.Options {
	return doctor.Options{Store: x.o.store, Stripe: examinedStripe{x.gate}, Now: x.o.pay.Now, BaseURL: baseURL, Events: stripegate.WebhookEvents, APIVersion: stripegate.APIVersion,
		Permissions: stripegate.Permissions, Proof: x.o.pay.Proof, KeepSecret: x.o.options.Tenants.KeepWebhookSecret,
		SecretKey: x.o.store.CheckSecretKey, Disk: func(string) (uint64, uint64, error) { return 50, 100, nil },
		Database: func(context.Context) (doctor.Database, error) { return doctor.Database{Kind: "postgres"}, nil },
		Backlog:  func(context.Context, time.Time) (doctor.Backlog, error) { return doctor.Backlog{}, nil }}
}

func (x *examiner) Examine(ctx context.Context, in handlers.Examination) []doctor.Check {
	o := x.options()
	o.Tenant, o.TenantOnly, o.Fix = in.Tenant, in.TenantOnly, in.Fix
	o.Progress = func(c doctor.Check) {
		in.Progress(c)
		if x.hold != nil {
			<-x.hold
		}
	}
	defer func() { x.done <- struct{}{} }()
	return doctor.Examine(ctx, o)
}

func (x *examiner) Connect(ctx context.Context, t *pay.Tenant) []doctor.Check {
	return doctor.Connect(ctx, x.options(), t)
}

func (x *examiner) Installation(context.Context) (handlers.Installation, error) {
	env := map[string]string{"PORTATILL_SECRET_KEY": "canary-canary-canary-canary-canary", "PORTATILL_BASE_URL": baseURL, "PORTATILL_DATABASE_URL": "postgres://till:canary@db/till"}
	look := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	c, _ := config.Load(look, nil)
	return handlers.Installation{Version: "test", Settings: config.Describe(look, nil, c), DatabaseKind: "SQLite", Schema: 3, DatabaseBytes: 5 << 20, Orders: 12, JobsGaveUp: 2, Host: "till-1"}, nil
}

// stored is a tenant as it is in the database.
func (o *office) stored(slug string) *pay.Tenant {
	o.t.Helper()
	t, err := o.store.TenantBySlug(context.Background(), slug)
	if err != nil {
		o.t.Fatal(err)
	}
	return t
}

func value(a answer, name string) string {
	a.t.Helper()
	s := a.document().Find(`[name="` + name + `"]`)
	if s.Is("textarea") {
		return s.Text()
	}
	if s.Is("select") {
		return s.Find("option[selected]").AttrOr("value", "")
	}
	return s.AttrOr("value", "none")
}

func TestTheListOfTenants(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	b, _ := o.in(staff.Operator)
	for i := range 55 {
		o.addTenant(func(x *pay.Tenant) {
			x.Slug, x.Name = fmt.Sprintf("shop-%02d", i), fmt.Sprintf("Shop %02d", i)
			if i == 7 {
				x.State, x.Name = pay.TenantSuspended, `=1+1 <script>alert(1)</script> 100%_`
			}
			if i == 8 {
				x.StripeKey = ""
			}
		})
	}
	o.open()
	t.Run("HasEachOnceOverItsPages", func(t *testing.T) {
		seen, target, pages := map[string]bool{}, "/admin/tenants", 0
		for target != "" && pages < 5 {
			a := b.get(target)
			a.want(http.StatusOK, target)
			d := a.document()
			d.Find(`[data-testid=row]`).Each(func(_ int, s *goquery.Selection) {
				slug := s.Find("th .code").Text()
				if seen[slug] {
					t.Errorf("%s is there twice", slug)
				}
				seen[slug] = true
			})
			target, pages = d.Find(`a[rel=next]`).AttrOr("href", ""), pages+1
		}
		if len(seen) != 56 || pages != 2 {
			t.Errorf("%d tenants on %d pages", len(seen), pages)
		}
	})
	t.Run("TellsStateModeOrdersAndWebhooks", func(t *testing.T) {
		row := b.get("/admin/tenants?q=" + o.tenant.Slug).document().Find(`[data-testid=row]`)
		if text := strings.Join(row.Find("td").Map(func(_ int, s *goquery.Selection) string { return strings.TrimSpace(s.Text()) }), " "); row.Length() != 1 || text != "Active Test GBP 1 never" {
			t.Errorf("got %q", text)
		}
		if text := b.get("/admin/tenants?q=shop-08").document().Find(`[data-testid=row]`).Text(); !strings.Contains(text, "Not ready") {
			t.Errorf("got %q", text)
		}
	})
	t.Run("IsFilteredAndSaysWhenNothingIsLeft", func(t *testing.T) {
		for query, want := range map[string]int{"q=SHOP-1": 10, "q=100%25_": 1, "q=%25": 1, "q=_": 1, "state=suspended": 1, "state=active&q=shop-07": 0, "q=%27%20OR%201%3D1": 0, "after=shop-53": 1, "q=%00%ff": 50} {
			if got := b.get("/admin/tenants?" + query).document().Find(`[data-testid=row]`).Length(); got != want {
				t.Errorf("%s has %d rows, want %d", query, got, want)
			}
		}
		if d := b.get("/admin/tenants?q=nobody").document(); d.Find(`main a[href="/admin/tenants"]`).Length() == 0 {
			t.Error("there is no way out of an empty list")
		}
		for _, bad := range []string{"state=asleep", "q=" + strings.Repeat("x", 101), "after=" + strings.Repeat("x", 101)} {
			b.get("/admin/tenants?"+bad).want(http.StatusBadRequest, bad)
		}
	})
	t.Run("IsAFileWithoutFormulas", func(t *testing.T) {
		a := b.get("/admin/tenants.csv")
		rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
		if err != nil || len(rows) != 57 || !strings.Contains(a.header.Get("Content-Disposition"), "tenants.csv") {
			t.Fatalf("%d rows, %v, %v", len(rows), err, a.header)
		}
		i := slices.IndexFunc(rows, func(r []string) bool { return r[0] == "shop-07" })
		if i < 0 || !strings.HasPrefix(rows[i][1], "'=1+1") || rows[i][2] != "suspended" {
			t.Errorf("the row is %q", rows[max(0, i)])
		}
		if strings.Contains(a.body, "sk_test_") || strings.Contains(a.body, "whsec_") {
			t.Error("a secret is in it")
		}
	})
}

func TestATenantsProperties(t *testing.T) {
	t.Parallel()
	t.Run("AreAllOnItsPagesWithTheirNamesAndNoSecret", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		b, _ := o.in(staff.Operator)
		at := "/admin/tenants/" + o.tenant.Slug
		pages := b.get(at).body + b.get(at+"/keys").body + b.get(at+"/branding").body
		for _, p := range tenantset.Properties {
			named := `name="` + p.Name + `"`
			switch p.Name {
			case "logo-file":
				named = `name="logo"`
			case "state":
				named = at + "/suspend"
			case "outbound-secret":
				named = at + "/keys/outbound"
			}
			if !strings.Contains(pages, named) {
				t.Errorf("%s is on no page", p.Name)
			}
		}
		for _, secret := range append([]pay.Secret{o.tenant.StripeKey, o.tenant.SigningSecret, o.tenant.OutboundSecret}, o.tenant.StripeWebhookSecrets...) {
			if strings.Contains(pages, secret.Reveal()) {
				t.Error("a secret is shown")
			}
		}
	})
	t.Run("AreStoredAndAudited", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		b, me := o.in(staff.Operator)
		at := "/admin/tenants/" + o.tenant.Slug
		o.entries()
		b.post(at, "section", "prices", "currency", "eur", "currencies", "eur, gbp", "vat-rate", "17.5", "vat-mode", "inclusive").want(http.StatusSeeOther, "prices")
		b.post(at, "section", "returns", "return-origins", "https://one.example\r\nhttps://two.example\r\n").want(http.StatusSeeOther, "origins")
		got := o.stored(o.tenant.Slug)
		if got.DefaultCurrency != "EUR" || len(got.Currencies) != 2 || got.VATBasisPoints != 1750 || got.VATMode != pay.VATInclusive ||
			!cmp.Equal(got.ReturnOrigins, []string{"https://one.example", "https://two.example"}) || got.Name != o.tenant.Name || got.StripeKey != o.tenant.StripeKey {
			t.Errorf("stored: %+v", got)
		}
		log := o.entries()
		if d := cmp.Diff([]string{"tenant_set", "tenant_set"}, acts(log)); d != "" {
			t.Fatal(d)
		}
		if e := log[0]; e.Actor != me.ID || e.Subject != o.tenant.ID || e.TenantID != o.tenant.ID || !strings.Contains(e.Before, "vat-rate 20") || !strings.Contains(e.After, "vat-rate 17.5") {
			t.Errorf("the log has %+v", e)
		}
		if page := b.get(at); value(page, "vat-rate") != "17.5" || value(page, "vat-mode") != "inclusive" || value(page, "return-origins") != "https://one.example\nhttps://two.example" {
			t.Errorf("it shows %s %s %q", value(page, "vat-rate"), value(page, "vat-mode"), value(page, "return-origins"))
		}
	})
	t.Run("ThatAreFaultyAreToldAtTheFieldAndKept", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		b, _ := o.in(staff.Operator)
		at := "/admin/tenants/" + o.tenant.Slug
		before := o.stored(o.tenant.Slug)
		for name, c := range map[string]struct{ section, field, typed string }{
			"Rate": {"prices", "vat-rate", "twenty"}, "RateOver": {"prices", "vat-rate", "100.01"}, "Currency": {"prices", "currency", "XXX"}, "Currencies": {"prices", "currencies", "GBP, nothing"},
			"Mode": {"prices", "vat-mode", "maybe"}, "Origin": {"returns", "return-origins", "https://shop.example/path"}, "OriginHTTP": {"returns", "return-origins", "http://127.0.0.1:3000"},
			"Wildcard": {"returns", "return-origins", "https://*.example"}, "Parent": {"identity", "i-parent", "-1"}, "Name": {"identity", "name", ""}, "LongName": {"identity", "name", strings.Repeat("x", 300)},
			"Window": {"policies", "duplicate-window", "25h"}, "Card": {"policies", "save-card", "sometimes"}, "Outbound": {"outbound", "outbound-url", "http://hooks.example"},
			"Password": {"outbound", "outbound-url", "https://u:p@hooks.example"}, "NUL": {"identity", "name", "a\x00b"}, "UTF8": {"identity", "name", "a\xffb"}, "Porta": {"portabilling", "porta-url", "ftp://x"},
			"Huge": {"returns", "return-origins", strings.Repeat("https://shop.example\n", 1000)}, "Control": {"identity", "name", "a\x1bb"},
		} {
			t.Run(name, func(t *testing.T) {
				a := b.post(at, "section", c.section, c.field, c.typed)
				a.want(http.StatusUnprocessableEntity, name)
				d := a.document()
				field := d.Find(`[name="` + c.field + `"]`)
				if field.AttrOr("aria-invalid", "") != "true" || d.Find("#"+c.field+"-problem").Text() == "" || !strings.Contains(field.AttrOr("aria-describedby", ""), c.field+"-problem") {
					t.Errorf("the fault is not at its field: %s", d.Find("main form").Text())
				}
				if kept := value(a, c.field); name != "NUL" && name != "UTF8" && name != "Mode" && name != "Card" && strings.TrimSpace(kept) != strings.TrimSpace(c.typed) {
					t.Errorf("%.60q was typed, and %.60q is in the form", c.typed, kept)
				}
			})
		}
		if d := cmp.Diff(before, o.stored(o.tenant.Slug)); d != "" {
			t.Errorf("something was stored:\n%s", d)
		}
		for name, form := range map[string][]string{"NoSection": {"vat-rate", "20"}, "AnotherSection": {"section", "../", "vat-rate", "20"}, "Empty": nil, "AnotherSectionsProperty": {"section", "returns", "vat-rate", "5"},
			"AKeyThatIsNotTried": {"section", "stripe", "stripe-key", "sk_test_canary0123456789ab"}, "APicture": {"section", "branding", "accent", "#0f766e"}} {
			b.post(at, form...).want(http.StatusBadRequest, name)
		}
	})
	t.Run("OfAnotherTenantAreNotThere", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		other, _ := o.addTenant()
		_, license, _, err := o.options.Tenants.NewLicense(context.Background(), other, false)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := o.in(staff.TenantAdmin)
		before := o.stored(other.Slug)
		// The request's own id is in every error page.
		same := func(a, unknown answer) {
			t.Helper()
			strip := func(x answer) string { return strings.ReplaceAll(x.body, x.header.Get("X-Request-Id"), "") }
			if a.status != http.StatusNotFound || unknown.status != http.StatusNotFound || strip(a) != strip(unknown) {
				t.Errorf("%d is not like the unknown one's %d", a.status, unknown.status)
			}
		}
		for _, path := range []string{"", "/keys", "/branding", "/branding/preview.css", "/keys/signing", "/keys/outbound", "/keys/webhook/drop"} {
			same(b.get("/admin/tenants/"+other.Slug+path), b.get("/admin/tenants/none"+path))
		}
		same(b.get("/admin/doctor?tenant="+other.Slug), b.get("/admin/doctor?tenant=none"))
		same(b.get("/admin/doctor/fix?tenant="+other.Slug), b.get("/admin/doctor/fix?tenant=none"))
		for _, path := range []string{"", "/keys/signing", "/keys/outbound", "/keys/webhook", "/keys/webhook/drop", "/keys/stripe", "/branding"} {
			form := []string{"section", "prices", "vat-rate", "1", "stripe-key", "sk_test_0123456789abcd", "stripe-webhook-secret", "whsec_0123456789abcdefgh", "accent", "#000000", "do", "save"}
			same(b.post("/admin/tenants/"+other.Slug+path, form...), b.post("/admin/tenants/none"+path, form...))
		}
		same(b.post("/admin/doctor/fix", "tenant", other.Slug), b.post("/admin/doctor/fix", "tenant", "none"))
		same(b.post("/admin/doctor", "tenant", other.Slug), b.post("/admin/doctor", "tenant", "none"))
		operator, _ := o.in(staff.Operator)
		operator.post("/admin/tenants/"+o.tenant.Slug+"/keys/license/"+license.ID).want(http.StatusNotFound, "another tenant's licence")
		if d := cmp.Diff(before, o.stored(other.Slug)); d != "" {
			t.Errorf("something was changed:\n%s", d)
		}
	})
	t.Run("AreATenantsOwnPeoplesButForWhatIsTheOperators", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		b, _ := o.in(staff.TenantAdmin)
		at := "/admin/tenants/" + o.tenant.Slug
		page := b.get("/admin/tenant")
		page.want(http.StatusOK, "their own")
		if d := page.document(); d.Find(`[name=i-parent]`).Length() != 0 || d.Find(`[name=vat-rate]`).Length() != 1 || d.Find(`[data-testid=suspend]`).Length() != 0 {
			t.Error("the fields are not those of a tenant's administrator")
		}
		b.post(at, "section", "identity", "name", "Ours", "i-parent", "999", "state", "suspended").want(http.StatusSeeOther, "identity")
		if got := o.stored(o.tenant.Slug); got.Name != "Ours" || got.IParent != o.tenant.IParent || got.State != pay.TenantActive {
			t.Errorf("stored: %s %d %s", got.Name, got.IParent, got.State)
		}
		b.post(at+"/suspend").want(http.StatusForbidden, "to suspend")
		b.post(at+"/keys/license").want(http.StatusForbidden, "a licence key")
		if d := b.get(at + "/keys").document(); d.Find(`[data-testid=make-license]`).Length() != 0 || d.Find(`[data-testid=stripe-form]`).Length() != 1 {
			t.Error("the keys' page is not that of a tenant's administrator")
		}
	})
}

func TestATenantIsAdded(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	b, _ := o.in(staff.Operator)
	b.get("/admin/tenants/new").want(http.StatusOK, "the form")
	a := b.post("/admin/tenants", "slug", "Bad Slug", "name", "Neu & Söhne", "currency", "XXX", "vat-rate", "x")
	a.want(http.StatusUnprocessableEntity, "a bad one")
	for _, field := range []string{"slug", "currency", "vat-rate"} {
		if a.document().Find("#"+field+"-problem").Length() != 1 {
			t.Errorf("no fault at %s", field)
		}
	}
	if value(a, "slug") != "Bad Slug" || value(a, "name") != "Neu & Söhne" {
		t.Error("what was typed is gone")
	}
	b.post("/admin/tenants", "slug", o.tenant.Slug, "name", "Twice").want(http.StatusConflict, "a slug that is taken")
	o.entries()
	a = b.post("/admin/tenants", "slug", "neu", "name", "Neu & Söhne", "currency", "eur", "vat-rate", "19", "vat-mode", "exclusive", "i-parent", "3", "return-origins", "https://neu.example")
	a.want(http.StatusOK, "a good one")
	secrets := a.document().Find(`[data-testid=secret]`).Map(func(_ int, s *goquery.Selection) string { return s.Text() })
	if len(secrets) != 2 || !strings.HasPrefix(secrets[0], "ptl_") || !strings.HasPrefix(secrets[1], "sig_") {
		t.Fatalf("it shows %d secrets", len(secrets))
	}
	got := o.stored("neu")
	if by, err := o.store.TenantByLicense(context.Background(), pay.HashLicense(secrets[0])); err != nil || by.ID != got.ID || got.Branding.DisplayName != "Neu & Söhne" || got.VATBasisPoints != 1900 || !cmp.Equal(got.Currencies, []pay.Currency{"EUR"}) {
		t.Errorf("stored: %+v, %v", got, err)
	}
	if log := o.entries(); len(log) != 1 || log[0].What != "tenant_add" || log[0].TenantID != got.ID || strings.Contains(fmt.Sprint(*log[0]), "ptl_") {
		t.Errorf("the log has %v", acts(log))
	}
	for _, path := range []string{"/admin/tenants/neu", "/admin/tenants/neu/keys", "/admin/audit"} {
		if body := b.get(path).body; strings.Contains(body, secrets[0]) || strings.Contains(body, secrets[1]) {
			t.Errorf("%s shows a secret again", path)
		}
	}
}

func TestATenantIsSuspendedAndResumed(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	b, _ := o.in(staff.Operator)
	at := "/admin/tenants/" + o.tenant.Slug
	o.open()
	ask := b.get(at + "/suspend")
	ask.want(http.StatusOK, "the question")
	if text := ask.document().Find("main").Text(); !strings.Contains(text, "1 order is not paid yet") || o.stored(o.tenant.Slug).State != pay.TenantActive {
		t.Errorf("it says %q", text)
	}
	o.entries()
	b.post(at+"/suspend").want(http.StatusSeeOther, "the answer")
	if o.stored(o.tenant.Slug).State != pay.TenantSuspended {
		t.Error("it is not suspended")
	}
	b.post(at+"/suspend").want(http.StatusSeeOther, "again")
	if d := b.get(at).document(); d.Find(`[data-testid=resume]`).Length() != 1 {
		t.Error("it cannot be resumed")
	}
	b.post(at+"/resume").want(http.StatusSeeOther, "the resume")
	if o.stored(o.tenant.Slug).State != pay.TenantActive {
		t.Error("it is not active again")
	}
	if d := cmp.Diff([]string{"tenant_suspend", "tenant_suspend", "tenant_resume"}, acts(o.entries())); d != "" {
		t.Error(d)
	}
	t.Run("OnlyWithAFreshSignIn", func(t *testing.T) {
		o.pass(11 * time.Minute)
		if d := b.get(at + "/suspend").document(); d.Find(`[data-testid=again-first]`).Length() != 1 {
			t.Error("the page does not say so beforehand")
		}
		b.post(at+"/suspend").want(http.StatusForbidden, "a stale session")
		if o.stored(o.tenant.Slug).State != pay.TenantActive {
			t.Error("it was suspended")
		}
	})
}

func TestKeysAndSecrets(t *testing.T) {
	t.Parallel()
	shownOnce := func(t *testing.T, a answer, prefix string) string {
		t.Helper()
		a.want(http.StatusOK, prefix)
		secret := a.document().Find(`[data-testid=secret]`).First().Text()
		if !strings.HasPrefix(secret, prefix) || a.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("no %s is shown, or it may be kept: %v", prefix, a.header)
		}
		return secret
	}
	t.Run("LicencesAreMadeRotatedAndRevoked", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		b, _ := o.in(staff.Operator)
		at := "/admin/tenants/" + o.tenant.Slug + "/keys"
		good := func(key string) bool {
			_, err := o.store.TenantByLicense(context.Background(), pay.HashLicense(key))
			return err == nil
		}
		first := shownOnce(t, b.post(at+"/license"), "ptl_")
		if !good(first) || !good(o.license) || strings.Contains(b.get(at).body, first) {
			t.Error("both keys are not good, or the new one is shown again")
		}
		revoke := b.get(at).document().Find(`[data-testid=row]`).Last().Find("a").AttrOr("href", "")
		b.get(revoke).want(http.StatusOK, "the question")
		if !good(o.license) {
			t.Fatal("asking revoked it")
		}
		b.post(revoke).want(http.StatusSeeOther, "the answer")
		b.post(revoke).want(http.StatusSeeOther, "again")
		if good(o.license) || !good(first) {
			t.Error("the older key is good, or the newer is not")
		}
		b.get(at+"/replace").want(http.StatusOK, "the question")
		second := shownOnce(t, b.post(at+"/replace"), "ptl_")
		if good(first) || !good(second) {
			t.Error("the others are still good, or the new one is not")
		}
		for _, path := range []string{"/license/lic_none", "/license/%00", "/license/" + strings.Repeat("x", 1000)} {
			b.get(at+path).want(http.StatusNotFound, path)
			b.post(at+path).want(http.StatusNotFound, path)
		}
	})
	t.Run("SigningAndOutboundSecretsAreMadeAnew", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		b, _ := o.in(staff.TenantAdmin)
		at := "/admin/tenants/" + o.tenant.Slug + "/keys"
		b.get(at+"/signing").want(http.StatusOK, "the question")
		b.get(at+"/outbound").want(http.StatusOK, "the question")
		if d := cmp.Diff(o.tenant.SigningSecret.Reveal(), o.stored(o.tenant.Slug).SigningSecret.Reveal()); d != "" {
			t.Fatal("asking changed it")
		}
		o.entries()
		signing, outbound := shownOnce(t, b.post(at+"/signing"), "sig_"), shownOnce(t, b.post(at+"/outbound"), "whsec_")
		if got := o.stored(o.tenant.Slug); got.SigningSecret.Reveal() != signing || got.OutboundSecret.Reveal() != outbound {
			t.Error("what is shown is not what is stored")
		}
		for _, e := range o.entries() {
			if strings.Contains(fmt.Sprint(*e), signing) || strings.Contains(fmt.Sprint(*e), outbound) {
				t.Error("a secret is in the log")
			}
		}
	})
	t.Run("TwoWebhookSecretsAreGoodAtOnce", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		b, _ := o.in(staff.TenantAdmin)
		at := "/admin/tenants/" + o.tenant.Slug + "/keys/webhook"
		old := o.tenant.StripeWebhookSecrets[0]
		const fresh = "whsec_canary0123456789abcdef"
		for _, bad := range []string{"", "canary", "whsec_short", "whsec_0123456789 abcdefghij", strings.Repeat("x", 5000)} {
			a := b.post(at, "stripe-webhook-secret", bad)
			a.want(http.StatusUnprocessableEntity, "a bad secret")
			if bad != "" && strings.Contains(a.body, bad) {
				t.Error("the secret that was typed is shown")
			}
		}
		b.post(at, "stripe-webhook-secret", " "+fresh+"\r\n").want(http.StatusSeeOther, "a good secret")
		if d := cmp.Diff([]string{fresh, old.Reveal()}, reveal(o.stored(o.tenant.Slug).StripeWebhookSecrets)); d != "" {
			t.Error(d)
		}
		b.get(at+"/drop").want(http.StatusOK, "the question")
		b.post(at+"/drop").want(http.StatusSeeOther, "the answer")
		if d := cmp.Diff([]string{fresh}, reveal(o.stored(o.tenant.Slug).StripeWebhookSecrets)); d != "" {
			t.Error(d)
		}
	})
	t.Run("AStripeKeyIsTriedBeforeItIsStored", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		b, _ := o.in(staff.TenantAdmin)
		at := "/admin/tenants/" + o.tenant.Slug + "/keys/stripe"
		const typed = "sk_test_canary0123456789ab"
		key := func() string { return o.stored(o.tenant.Slug).StripeKey.Reveal() }
		before := key()
		for _, bad := range []string{"", "pk_test_canary0123456789ab", "canary", "sk_test_canary 0123456789"} {
			a := b.post(at, "stripe-key", bad, "do", "store")
			a.want(http.StatusUnprocessableEntity, "a bad key")
			if bad != "" && strings.Contains(a.body, bad) {
				t.Error("the key that was typed is shown")
			}
		}
		for _, do := range []string{"test", "present"} {
			a := b.post(at, "stripe-key", typed, "do", do)
			a.want(http.StatusOK, do)
			checks := a.document().Find(`[data-testid=checks] [data-testid=row]`)
			if checks.Length() < 3 || key() != before || strings.Contains(a.body, typed) {
				t.Errorf("%s: %d checks, stored: %v", do, checks.Length(), key() != before)
			}
		}
		a := b.post(at, "stripe-key", typed, "do", "store")
		a.want(http.StatusOK, "a key that works")
		if key() != typed || strings.Contains(a.body, typed) || !strings.Contains(a.body, "webhook endpoint") {
			t.Errorf("it is not stored, or shown: %.300s", a.document().Find("main").Text())
		}
		const refused = "sk_live_canary0123456789ab" // the double has no live keys
		a = b.post(at, "stripe-key", refused, "do", "store")
		a.want(http.StatusUnprocessableEntity, "a key that Stripe refuses")
		if key() != typed || a.document().Find(`[name=force]`).Length() != 1 {
			t.Errorf("it is stored, or cannot be forced: %.500s", a.document().Find("main").Text())
		}
		b.post(at, "stripe-key", refused, "do", "store", "force", "1").want(http.StatusOK, "forced")
		if key() != refused {
			t.Error("it is not stored")
		}
		if said := o.log.String(); strings.Contains(said, "canary0123456789ab") {
			t.Error("a key is in the log")
		}
	})
	// Whoever is the first to have an account keeps its books, so that only an operator says whose a key is.
	t.Run("TheAccountOfAStripeKeyIsToldByAnOperator", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		at := "/admin/tenants/" + o.tenant.Slug + "/keys"
		account := func() string { return o.stored(o.tenant.Slug).StripeAccount }
		admin, _ := o.in(staff.TenantAdmin)
		if admin.get(at).document().Find("[name=stripe-account]").Length() != 0 {
			t.Error("a tenant's administrator is asked for it")
		}
		admin.post(at+"/stripe", "stripe-key", "sk_test_canary0123456789ab", "stripe-account", "acct_1Told", "do", "store", "force", "1").want(http.StatusOK, "stored")
		if account() == "acct_1Told" {
			t.Error("a tenant's administrator told it")
		}
		operator, _ := o.in(staff.Operator)
		bad := operator.post(at+"/stripe", "stripe-key", "sk_test_canary1123456789ab", "stripe-account", "1Told", "do", "store")
		bad.want(http.StatusUnprocessableEntity, "no account")
		if kept := bad.document().Find("[name=stripe-account]").AttrOr("value", ""); kept != "1Told" || !strings.Contains(bad.body, "no id of a Stripe account") {
			t.Errorf("%q is kept: %s", kept, bad.document().Find("main").Text())
		}
		operator.post(at+"/stripe", "stripe-key", "sk_test_canary1123456789ab", "stripe-account", "acct_1Told", "do", "store", "force", "1").want(http.StatusOK, "told")
		if account() != "acct_1Told" {
			t.Errorf("it is %q", account())
		}
	})
}

func reveal(secrets []pay.Secret) []string {
	out := []string{}
	for _, s := range secrets {
		out = append(out, s.Reveal())
	}
	return out
}

// upload posts a form with a file.
func (b *browser) upload(target string, file []byte, pairs ...string) answer {
	b.o.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i+1 < len(pairs); i += 2 {
		_ = w.WriteField(pairs[i], pairs[i+1])
	}
	if file != nil {
		part, err := w.CreateFormFile("logo", `../../x".png`)
		if err != nil {
			b.o.t.Fatal(err)
		}
		_, _ = part.Write(file)
	}
	_ = w.Close()
	var cookies []string
	for name, value := range b.cookies {
		cookies = append(cookies, name+"="+value)
	}
	return b.o.do(http.MethodPost, target, body.String(), "Content-Type", w.FormDataContentType(), "Cookie", strings.Join(cookies, "; "))
}

func logoFile(t *testing.T, c color.Color) []byte {
	t.Helper()
	picture := image.NewNRGBA(image.Rect(0, 0, 40, 40))
	for i := range 40 * 40 {
		picture.Set(i%40, i/40, c)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBranding(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	b, _ := o.in(staff.TenantAdmin)
	at := "/admin/tenants/" + o.tenant.Slug + "/branding"
	texts := []string{"display-name", "Nordwind & Söhne", "accent", "#FFEE00", "support-email", "help@nordwind.example"}
	t.Run("IsPreviewedAndNotStored", func(t *testing.T) {
		before := o.stored(o.tenant.Slug)
		a := b.upload(at, logoFile(t, color.Black), append(texts, "do", "preview")...)
		a.want(http.StatusOK, "the preview")
		d := a.document()
		if got := d.Find(`[data-testid=preview] [data-brand=name]`).First().Text(); got != "Nordwind & Söhne" {
			t.Errorf("the preview has %q", got)
		}
		if src := d.Find(`[data-testid=preview] img.logo`).First().AttrOr("src", ""); !strings.HasPrefix(src, "data:image/png;base64,") || d.Find(`[name=logo-data]`).AttrOr("value", "") == "" {
			t.Errorf("the logo is %.40s", src)
		}
		if href := d.Find(`link[href*="preview.css"]`).AttrOr("href", ""); !strings.HasSuffix(href, "?accent=ffee00") {
			t.Errorf("the colours are those of %s", href)
		}
		if policy := a.header.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("the policy is %s", policy)
		}
		if diff := cmp.Diff(before, o.stored(o.tenant.Slug)); diff != "" {
			t.Errorf("it is stored:\n%s", diff)
		}
		// The picture of the preview comes along and is stored, without being chosen again.
		saved := b.upload(at, nil, append(texts, "do", "save", "logo-data", d.Find(`[name=logo-data]`).AttrOr("value", ""))...)
		saved.want(http.StatusSeeOther, "the save")
		if got := o.stored(o.tenant.Slug).Branding; got.DisplayName != "Nordwind & Söhne" || got.AccentColour != "#FFEE00" || got.LogoType != "image/png" || len(got.LogoHash) != 16 {
			t.Errorf("stored: %+v", got)
		}
	})
	t.Run("IsOnTheCustomersPages", func(t *testing.T) {
		_, path := o.open()
		page := o.do(http.MethodGet, path, "")
		d := page.document()
		src := d.Find("img.logo").AttrOr("src", "")
		hash := o.stored(o.tenant.Slug).Branding.LogoHash
		if src != "/logo/"+o.tenant.Slug+"/"+hash || strings.TrimSpace(d.Find(`[data-testid=tenant]`).Text()) != "Nordwind & Söhne" {
			t.Fatalf("the logo is at %q", src)
		}
		logo := o.do(http.MethodGet, src, "")
		logo.want(http.StatusOK, "the logo")
		if logo.header.Get("Content-Type") != "image/png" || logo.header.Get("Cache-Control") != "public, max-age=31536000, immutable" || logo.header.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.Contains(logo.header.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("its headers are %v", logo.header)
		}
		if _, err := png.Decode(strings.NewReader(logo.body)); err != nil {
			t.Error(err)
		}
		if old := o.do(http.MethodGet, "/logo/"+o.tenant.Slug+"/0123456789abcdef", ""); old.status != http.StatusOK || old.header.Get("Cache-Control") != "no-store" {
			t.Errorf("another hash is kept: %d %v", old.status, old.header)
		}
		css := o.do(http.MethodGet, path+"/brand.css", "")
		if !strings.Contains(css.body, "--accent:#ffee00;--accent-content:#000000;") {
			t.Errorf("the colours are %s", css.body)
		}
	})
	t.Run("RefusesWhatIsNoPictureAndKeepsWhatWasTyped", func(t *testing.T) {
		before := o.stored(o.tenant.Slug)
		for name, file := range map[string][]byte{"SVG": []byte("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"), "HTML": []byte("\x89PNG<script>"), "CutOff": logoFile(t, color.White)[:60]} {
			a := b.upload(at, file, "display-name", "Typed", "accent", "#123456", "support-email", "a@b.example", "do", "save")
			a.want(http.StatusUnprocessableEntity, name)
			if d := a.document(); d.Find("#logo-problem").Length() != 1 || value(a, "display-name") != "Typed" || value(a, "accent") != "#123456" {
				t.Errorf("%s: %s", name, d.Find("form").Text())
			}
		}
		for field, bad := range map[string]string{"accent": "red;}body{display:none}", "support-email": "nobody", "display-name": strings.Repeat("x", 201)} {
			a := b.upload(at, nil, field, bad, "do", "save")
			a.want(http.StatusUnprocessableEntity, field)
			if a.document().Find("#"+field+"-problem").Length() != 1 || value(a, field) != bad {
				t.Errorf("%s: the fault is not at its field, or what was typed is gone", field)
			}
		}
		b.upload(at, nil, "logo-data", "no base64", "do", "save").want(http.StatusUnprocessableEntity, "logo-data")
		b.upload(at, nil, "logo-data", base64.StdEncoding.EncodeToString([]byte("<svg>")), "do", "save").want(http.StatusUnprocessableEntity, "an SVG in logo-data")
		b.upload(at, bytes.Repeat([]byte("x"), 3<<20), "do", "save").want(http.StatusRequestEntityTooLarge, "three megabytes")
		b.do(http.MethodPost, at, url.Values{"do": {"preview"}, "display-name": {"Plain form"}}).want(http.StatusOK, "a form without a file")
		if d := cmp.Diff(before, o.stored(o.tenant.Slug)); d != "" {
			t.Errorf("something was stored:\n%s", d)
		}
	})
	t.Run("HasColoursForAnyAccent", func(t *testing.T) {
		for accent, want := range map[string]string{"ffee00": ".brand-light{--accent:#ffee00;", "%23102030": ".brand-light{--accent:#102030;", "red": "", "": "", "%00": "", "fff%7D*%7B": ""} {
			a := b.get(at + "/preview.css?accent=" + accent)
			a.want(http.StatusOK, accent)
			if !strings.HasPrefix(a.body, want) || want == "" && a.body != "" || !strings.HasPrefix(a.header.Get("Content-Type"), "text/css") {
				t.Errorf("%q: %s", accent, a.body)
			}
		}
	})
	t.Run("LosesItsLogo", func(t *testing.T) {
		b.upload(at, nil, append(texts, "remove-logo", "1", "do", "save")...).want(http.StatusSeeOther, "the removal")
		if got := o.stored(o.tenant.Slug).Branding; got.LogoType != "" || got.LogoHash != "" {
			t.Errorf("stored: %+v", got)
		}
		o.do(http.MethodGet, "/logo/"+o.tenant.Slug, "").want(http.StatusNotFound, "the logo")
	})
}

// standing waits until an examination is done and returns its page.
func (b *browser) standing(target string) answer {
	b.o.t.Helper()
	select {
	case <-b.o.examiner.done:
	case <-time.After(time.Minute):
		b.o.t.Fatal("the doctor is not done within a minute")
	}
	for { // only a lock is between the end of the checks and that of the run
		if a := b.get(target); a.status != http.StatusOK || a.header.Get("Refresh") == "" {
			return a
		}
		runtime.Gosched()
	}
}

func TestTheDoctorsPage(t *testing.T) {
	t.Parallel()
	t.Run("IsThereAtOnceAndTellsHowFarItIs", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		hold := make(chan struct{})
		o.examiner.hold = hold
		b, _ := o.in(staff.Operator)
		if rows := b.get("/admin/doctor").document().Find(`[data-testid=row]`).Length(); rows != 0 {
			t.Fatalf("%d checks that nobody asked for", rows)
		}
		b.post("/admin/doctor").want(http.StatusSeeOther, "the start")
		hold <- struct{}{} // the first check is made
		a := b.get("/admin/doctor")
		if a.header.Get("Refresh") == "" || !strings.Contains(a.document().Find(`[data-testid=standing]`).Text(), "so far") {
			t.Errorf("it does not say how far it is: %.300s", a.document().Find("main").Text())
		}
		b.post("/admin/doctor").want(http.StatusSeeOther, "a second start")
		close(hold)
		done := b.standing("/admin/doctor").document()
		groups := done.Find("section.admin-card h2").Map(func(_ int, s *goquery.Selection) string { return strings.TrimSpace(s.Text()) })
		if d := cmp.Diff([]string{"Installation", o.tenant.Slug}, groups); d != "" {
			t.Error(d)
		}
		if done.Find(`[data-state=fail]`).Length() == 0 || !strings.Contains(done.Find("main").Text(), "Stripe has none for "+baseURL) {
			t.Errorf("no check failed: %s", done.Find("main").Text())
		}
	})
	t.Run("MendsTheEndpointAfterAQuestion", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		b, _ := o.in(staff.TenantAdmin)
		b.post("/admin/doctor").want(http.StatusSeeOther, "the start")
		page := b.standing("/admin/doctor")
		d := page.document()
		if d.Find("section.admin-card h2").Length() != 1 || d.Find("select#tenant").Length() != 0 {
			t.Error("a tenant's administrator sees more than the tenant")
		}
		fix := d.Find(`[data-testid=fix]`).AttrOr("href", "")
		b.get(fix).want(http.StatusOK, "the question")
		o.entries()
		b.post("/admin/doctor/fix", "tenant", o.tenant.Slug).want(http.StatusSeeOther, "the answer")
		mended := b.standing("/admin/doctor?tenant=" + o.tenant.Slug).document()
		if mended.Find(`[data-testid=fix]`).Length() != 0 || !strings.Contains(mended.Find("main").Text(), "mended") {
			t.Errorf("it is not mended: %s", mended.Find("main").Text())
		}
		if got := o.stored(o.tenant.Slug).StripeWebhookSecrets; len(got) != 2 || strings.Contains(mended.Find("main").Text(), got[0].Reveal()) {
			t.Errorf("%d secrets are stored, or one is shown", len(got))
		}
		if d := cmp.Diff([]string{"webhook_endpoint"}, acts(o.entries())); d != "" {
			t.Error(d)
		}
	})
	t.Run("SaysWhatIsWrongWithItsAddress", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		b, _ := o.in(staff.Operator)
		b.get("/admin/doctor/fix").want(http.StatusBadRequest, "nobody's endpoint")
		b.post("/admin/doctor/fix").want(http.StatusBadRequest, "nobody's endpoint")
		b.post("/admin/doctor", "tenant", "\x00\xff").want(http.StatusNotFound, "rubbish")
	})
}

func TestTheSettingsPageMasksSecrets(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	b, _ := o.in(staff.Operator)
	a := b.get("/admin/settings")
	a.want(http.StatusOK, "the settings")
	if strings.Contains(a.body, "canary") {
		t.Error("a secret is shown")
	}
	rows := map[string]string{}
	a.document().Find(`[data-testid=row]`).Each(func(_ int, s *goquery.Selection) {
		rows[s.Find("th .code").Text()] = strings.Join(strings.Fields(s.Find("td").Text()), " ")
	})
	if len(rows) != len(config.Settings) || rows["PORTATILL_SECRET_KEY"] != "*** environment" && rows["PORTATILL_SECRET_KEY"] != "***environment" || !strings.Contains(rows["PORTATILL_LISTEN"], "default") {
		t.Errorf("got %v", rows)
	}
}
