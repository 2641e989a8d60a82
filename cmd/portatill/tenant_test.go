package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/jpeg"
	"image/png"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/branding"
	"github.com/portatill/portatill/pay"
)

type shown = shownTenant

// show is `tenant show --json`.
func (s *shell) show(slug string) shown {
	s.t.Helper()
	var got shown
	s.json(&got, "tenant", "show", slug, "--json")
	return got
}

const (
	canaryKey   = "sk_test_canary0123456789"
	canaryHook  = "whsec_canary0123456789abcdef"
	canaryToken = "porta-canary-0123456789abcd"
)

func TestATenantIsAddedChangedAndShownWithoutItsSecrets(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	var made map[string]string
	s.json(&made, "tenant", "add", "acme", "--name", "Acme Telecom", "--currency", "gbp", "--currencies", "gbp, eur", "--vat-rate", "17.5", "--return-origins", "https://shop.acme.example",
		"--i-parent", "7", "--stripe-key-file", s.file(canaryKey+"\n"), "--stripe-webhook-secret-file", s.file(canaryHook), "--json")
	if !strings.HasPrefix(made["license"], "ptl_") || !strings.HasPrefix(made["signing_secret"], "sig_") || made["tenant"] != "acme" {
		t.Fatalf("got %v", made)
	}
	got := s.show("acme")
	if !got.Ready || got.VATRate != "17.5" || strings.Join(got.Currencies, " ") != "GBP EUR" || got.Currency != "GBP" || got.StripeMode != "test" || len(got.WebhookSecrets) != 1 || got.IParent != 7 ||
		got.DisplayName != "Acme Telecom" || len(got.Licenses) != 1 || got.Licenses[0] != "…"+made["license"][len(made["license"])-4:] {
		t.Errorf("got %+v", got)
	}
	var set struct {
		Tenant         shown
		OutboundSecret string   `json:"outbound-secret"`
		SigningSecret  string   `json:"signing-secret"`
		Notes          []string `json:"notes"`
	}
	s.json(&set, "tenant", "set", "acme", "--name", "Acme", "--state", "suspended", "--i-parent", "8", "--currency", "usd", "--vat-rate", "20", "--vat-mode", "inclusive",
		"--add-return-origin", "https://two.example", "--add-return-origin", "https://three.example", "--remove-return-origin", "https://SHOP.acme.example:443",
		"--display-name", "Acme & Söhne", "--language", "de", "--seller-lines", "Acme Söhne GmbH; Ringstraße 1, 1010 Wien;", "--accent", "#0F766E", "--support-email", "help@acme.example", "--review", "direct", "--first-month", "included", "--subtotal", "trust",
		"--save-card", "always", "--duplicate-window", "90m", "--outbound-url", "https://hooks.acme.example/x?y=1", "--porta-url", "https://billing.example.net:8442", "--porta-login", "till",
		"--porta-token-file", s.file(canaryToken), "--logo-file", s.file(picture(t, "png")), "--rotate-signing-secret", "--json")
	want := got
	want.Name, want.State, want.IParent, want.Currency, want.Currencies = "Acme", "suspended", 8, "USD", []string{"USD", "GBP", "EUR"}
	want.VATRate, want.VATMode, want.ReturnOrigins = "20", "inclusive", []string{"https://two.example", "https://three.example"}
	want.DisplayName, want.Accent, want.SupportEmail, want.Logo = "Acme & Söhne", "#0F766E", "help@acme.example", "image/png"
	want.Language, want.SellerLines = "de", []string{"Acme Söhne GmbH", "Ringstraße 1, 1010 Wien"}
	want.Review, want.FirstMonth, want.Subtotal, want.SaveCard, want.DuplicateWindow = "direct", "included", "trust", "always", "1h30m"
	want.OutboundURL, want.OutboundSecret = "https://hooks.acme.example/x?y=1", "set (…"+set.OutboundSecret[len(set.OutboundSecret)-4:]+")"
	want.PortaURL, want.PortaLogin, want.PortaToken = "https://billing.example.net:8442", "till", "set (…abcd)"
	want.SigningSecret, want.UpdatedAt = "set (…"+set.SigningSecret[len(set.SigningSecret)-4:]+")", set.Tenant.UpdatedAt
	if d := cmp.Diff(want, s.show("acme")); d != "" {
		t.Errorf("set and shown:\n%s", d)
	}
	if d := cmp.Diff(want, set.Tenant); d != "" {
		t.Errorf("answered:\n%s", d)
	}
	if notes := strings.Join(set.Notes, "\n"); !strings.Contains(notes, "old signing secret") || !strings.Contains(notes, "403 TenantSuspended") || set.SigningSecret == made["signing_secret"] {
		t.Errorf("the notes are %s", notes)
	}
	raw, err := os.ReadFile(strings.TrimPrefix(s.env["PORTATILL_DATABASE_URL"], "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{canaryKey, canaryHook, canaryToken, "canary", made["license"], made["signing_secret"], set.SigningSecret, set.OutboundSecret}
	for _, secret := range secrets {
		if bytes.Contains(raw, []byte(secret)) {
			t.Error("a secret is in the database file in clear")
		}
	}
	for _, args := range [][]string{{"tenant", "show", "acme"}, {"tenant", "show", "acme", "--json"}, {"tenant", "list"}, {"tenant", "list", "--json"}, {"tenant", "licenses", "acme"},
		{"tenant", "licenses", "acme", "--json"}, {"tenant", "set", "acme", "--name", "Same"}, {"tenant", "set", "acme", "--name", "Same", "--json"}, {"secrets", "reseal", "--check"}} {
		out := s.ok(args...)
		for _, secret := range secrets {
			if strings.Contains(out, secret) {
				t.Errorf("%v shows a secret: %s", args, out)
			}
		}
	}
}

// TestEveryFlagsPropertyIsShownByItsName holds show to set's flags, also those that
// come later.
func TestEveryFlagsPropertyIsShownByItsName(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	s.ok("tenant", "add", "acme")
	var got map[string]any
	s.json(&got, "tenant", "show", "acme", "--json")
	text := s.ok("tenant", "show", "acme")
	verbs := []string{"add-return-origin", "remove-return-origin", "drop-old-webhook-secret", "rotate-signing-secret", "rotate-outbound-secret", "json", "help"}
	flags := regexp.MustCompile(`(?m)^ +(?:-\w, )?--([a-z-]+)`).FindAllStringSubmatch((&app{}).tenantSetCommand().Flags().FlagUsages(), -1)
	if len(flags) < 20 {
		t.Fatalf("only %d flags were found", len(flags))
	}
	for _, f := range flags {
		name := strings.TrimSuffix(f[1], "-file")
		if _, found := got[name]; !found && !slices.Contains(verbs, f[1]) {
			t.Errorf("--%s is not shown", f[1])
		}
	}
	for name := range got {
		if !strings.Contains("\n"+text, "\n"+name+" ") {
			t.Errorf("%s is missing in %s", name, text)
		}
	}
	for _, name := range []string{"stripe-key", "porta-token", "outbound-secret"} {
		if got[name] != "not set" {
			t.Errorf("%s is %v", name, got[name])
		}
	}
}

// picture is a small one of a kind.
func picture(t *testing.T, kind string) string {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch img := image.NewGray(image.Rect(0, 0, 4, 3)); kind {
	case "png":
		err = png.Encode(&b, img)
	case "jpeg":
		err = jpeg.Encode(&b, img, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestALogoIsAPictureByItsBytes(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	s.ok("tenant", "add", "acme")
	for _, kind := range []string{"png", "jpeg"} {
		s.ok("tenant", "set", "acme", "--logo-file", s.file(picture(t, kind)))
		if got := s.show("acme").Logo; got != "image/"+kind {
			t.Errorf("a %s is stored as %s", kind, got)
		}
	}
	for name, c := range map[string]struct{ content, want string }{
		"SVG":             {`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`, "PNG or JPEG"},
		"HTMLThatSaysPNG": {"\x89PNG<html>", "PNG or JPEG"},
		"GIF":             {"GIF89a\x01\x00\x01\x00", "PNG or JPEG"},
		"WebP":            {"RIFF\x1a\x00\x00\x00WEBPVP8L", "PNG or JPEG"},
		"ACutOffPNG":      {picture(t, "png")[:50], "damaged"},
		"TooManyBytes":    {picture(t, "png") + strings.Repeat("x", branding.MaxUpload), "at most 2 MB"},
		"Huge":            {strings.Repeat("x", 2*branding.MaxUpload+2), "larger than"},
		"Empty":           {"", "is empty"},
	} {
		if r := s.run("tenant", "set", "acme", "--logo-file", s.file(c.content)); r.code != 2 || !strings.Contains(r.err, "--logo-file: ") || !strings.Contains(r.err, c.want) {
			t.Errorf("%s: %d %s", name, r.code, r.err)
		}
	}
	var wide bytes.Buffer
	if err := png.Encode(&wide, image.NewGray(image.Rect(0, 0, 5000, 1))); err != nil {
		t.Fatal(err)
	}
	if r := s.run("tenant", "set", "acme", "--logo-file", s.file(wide.String())); r.code != 2 || !strings.Contains(r.err, "4096 pixels") {
		t.Errorf("5,000 pixels: %d %s", r.code, r.err)
	}
	if got := s.show("acme").Logo; got != "image/jpeg" {
		t.Errorf("a refused logo changed it to %s", got)
	}
	s.ok("tenant", "set", "acme", "--logo-file", "")
	if got := s.show("acme").Logo; got != "not set" {
		t.Errorf("removed, it is %s", got)
	}
}

func TestABadTenantIsRefusedWithAllItsFaultsAndNothingIsStored(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	properties := []string{"--name", " ", "--currency", "XXX", "--currencies", "YYY", "--vat-rate", "twenty", "--vat-mode", "none", "--return-origins", "http://shop.example,https://a/b", "--accent", "red",
		"--review", "never", "--first-month", "free", "--subtotal", "guess", "--save-card", "maybe", "--duplicate-window", "25h", "--state", "asleep", "--i-parent", "many", "--display-name", "a\nb", "--support-email", "nobody",
		"--stripe-key-file", s.file("pk_test_canary0123456789"), "--stripe-webhook-secret-file", s.file("canary"), "--outbound-url", "https://u:canary@hooks.example", "--outbound-secret-file", s.file("canary"),
		"--porta-url", "http://billing.example", "--porta-token-file", "/nonexistent/token", "--logo-file", s.file("<svg/>")}
	fields := []string{"name", "currency", "currencies", "vat-rate", "vat-mode", "return-origins", "accent", "review", "first-month", "subtotal", "save-card", "duplicate-window", "state", "i-parent",
		"display-name", "support-email", "stripe-key-file", "stripe-webhook-secret-file", "outbound-url", "outbound-secret-file", "porta-url", "porta-login", "porta-token-file", "logo-file"}
	refused := func(args, fields []string) {
		t.Helper()
		r := s.run(append(args, properties...)...)
		if r.code != 2 || strings.Contains(r.err, "canary") || r.out != "" {
			t.Errorf("%v: exit code %d: %s", args, r.code, r.err)
		}
		named := map[string]bool{}
		for fault := range strings.Lines(r.err) {
			flag, problem, found := strings.Cut(strings.TrimSuffix(fault, "\n"), ": ")
			if !found || problem == "" {
				t.Errorf("not a fault of one flag: %q", fault)
			}
			named[strings.TrimPrefix(flag, "--")] = true
		}
		if d := cmp.Diff(slices.Sorted(slices.Values(fields)), slices.Sorted(maps.Keys(named))); d != "" {
			t.Errorf("%v: flags − named +:\n%s", args, d)
		}
	}
	refused([]string{"tenant", "add", "Bad Slug!"}, append([]string{"slug"}, fields...))
	if out := s.ok("tenant", "list"); !strings.Contains(out, "no tenants yet") {
		t.Errorf("stored: %s", out)
	}
	s.ok("tenant", "add", "acme")
	if r := s.run("tenant", "add", "acme"); r.code != 1 || !strings.Contains(r.err, `"acme" exists already`) {
		t.Errorf("twice: %d %s", r.code, r.err)
	}
	before := s.ok("tenant", "show", "acme", "--json")
	refused([]string{"tenant", "set", "acme", "--remove-return-origin", "https://none.example"}, append([]string{"remove-return-origin"}, fields...))
	for _, rate := range []string{"101", "20.001", "1/3", "1e2", "-1", "0x10", "", "NaN", "0b1", "1p4"} {
		if r := s.run("tenant", "set", "acme", "--vat-rate", rate); r.code != 2 || !strings.Contains(r.err, "--vat-rate") {
			t.Errorf("--vat-rate %q: %d %s", rate, r.code, r.err)
		}
	}
	for _, address := range []string{"https://", "ftp://hooks.example", "http://hooks.example", "hooks.example", "https://hooks.example/#x"} {
		if r := s.run("tenant", "set", "acme", "--outbound-url", address); r.code != 2 || !strings.Contains(r.err, "--outbound-url") {
			t.Errorf("--outbound-url %q: %d %s", address, r.code, r.err)
		}
	}
	if r := s.enter("x", "tenant", "set", "acme", "--stripe-key-file", "-", "--porta-token-file", "-"); r.code != 2 || !strings.Contains(r.err, "--porta-token-file: cannot read standard input") {
		t.Errorf("standard input twice: %d %s", r.code, r.err)
	}
	if r := s.run("tenant", "set", "acme", "--stripe-key-file", s.file(canaryKey+"\n"+canaryKey)); r.code != 2 || !strings.Contains(r.err, "on one line") {
		t.Errorf("two keys: %d %s", r.code, r.err)
	}
	s.env["PORTATILL_SANDBOX"] = "http://127.0.0.1:1"
	if r := s.run("tenant", "set", "acme", "--stripe-key-file", s.file("sk_live_0123456789abc"), "--vat-rate", "300"); r.code != 2 || !strings.Contains(r.err, "live key") || !strings.Contains(r.err, "--vat-rate") {
		t.Errorf("a live key beside the sandbox: %d %s", r.code, r.err)
	}
	if after := s.ok("tenant", "show", "acme", "--json"); after != before {
		t.Errorf("a refused change was stored: %s", after)
	}
}

func TestWebhookSecretsOverlapDuringARotation(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	s.ok("tenant", "add", "acme", "--stripe-webhook-secret-file", s.file(canaryHook+"1111"))
	is := func(want ...string) {
		t.Helper()
		if got := s.show("acme").WebhookSecrets; !slices.Equal(got, want) {
			t.Errorf("the secrets are %v, want %v", got, want)
		}
	}
	for range 2 { // repeating a command does not push the old one out
		if r := s.enter(canaryHook+"2222\n", "tenant", "set", "acme", "--stripe-webhook-secret-file", "-"); r.code != 0 {
			t.Fatalf("from standard input: %d %s", r.code, r.err)
		}
		is("set (…2222)", "set (…1111)")
	}
	s.ok("tenant", "set", "acme", "--stripe-webhook-secret-file", s.file(canaryHook+"3333"))
	is("set (…3333)", "set (…2222)")
	for range 2 {
		s.ok("tenant", "set", "acme", "--drop-old-webhook-secret")
		is("set (…3333)")
	}
	if r := s.run("tenant", "set", "acme", "--stripe-webhook-secret-file", ""); r.code != 2 {
		t.Errorf("none at all: %d", r.code)
	}
	is("set (…3333)")
}

func TestPropertiesAreRemovedByAnEmptyValue(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	s.ok("tenant", "add", "acme", "--stripe-key-file", s.file(canaryKey), "--outbound-url", "https://hooks.example", "--porta-url", "https://b.example", "--porta-login", "x", "--porta-token-file", s.file(canaryToken),
		"--accent", "#000000", "--support-email", "a@b.example", "--first-month", "included", "--return-origins", "https://a.example")
	s.ok("tenant", "set", "acme", "--stripe-key-file", "", "--outbound-url", "", "--outbound-secret-file", "", "--porta-url", "", "--accent", "", "--support-email", "", "--first-month", "", "--return-origins", "")
	got := s.show("acme")
	for name, value := range map[string]string{"stripe key": got.StripeKey, "outbound secret": got.OutboundSecret, "token": got.PortaToken} {
		if value != "not set" {
			t.Errorf("the %s is %s", name, value)
		}
	}
	if left := got.OutboundURL + got.PortaURL + got.PortaLogin + got.Accent + got.SupportEmail + got.FirstMonth + strings.Join(got.ReturnOrigins, ""); left != "" {
		t.Errorf("left: %s", left)
	}
}

func TestALicenceIsRotatedWithoutAGap(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	var first, second, third map[string]any
	s.json(&first, "tenant", "add", "acme", "--json")
	s.json(&second, "tenant", "rotate-license", "acme", "--keep-old", "--json")
	if got := s.show("acme"); len(got.Licenses) != 2 || second["revoked"] != 0.0 || second["good"] != 2.0 || first["license"] == second["license"] {
		t.Errorf("both are good for a while: %v", got.Licenses)
	}
	hint := func(made map[string]any) string { k := made["license"].(string); return k[len(k)-4:] }
	var list []shownLicense
	if s.json(&list, "tenant", "licenses", "acme", "--json"); len(list) != 2 || list[0].Hint != hint(first) || list[1].Hint != hint(second) || list[0].CreatedAt == "" || list[0].RevokedAt != "" {
		t.Errorf("got %+v", list)
	}
	for _, again := range []string{"is revoked.", "was revoked already."} {
		if out := s.ok("tenant", "revoke-license", "acme", "--", hint(first)); !strings.Contains(out, again) {
			t.Errorf("got %s", out)
		}
	}
	if s.json(&list, "tenant", "licenses", "acme", "--json"); list[0].RevokedAt == "" || list[1].RevokedAt != "" {
		t.Errorf("got %+v", list)
	}
	s.json(&third, "tenant", "rotate-license", "acme", "--revoke-others", "--json")
	if got := s.show("acme"); len(got.Licenses) != 1 || third["revoked"] != 1.0 || got.Licenses[0] != "…"+hint(third) {
		t.Errorf("only the new one is good: %v, revoked %v", got.Licenses, third["revoked"])
	}
	if out := s.ok("tenant", "revoke-license", "acme", third["id"].(string)); !strings.Contains(out, "no good key now") {
		t.Errorf("the last one: %s", out)
	}
	s.ok("tenant", "add", "other")
	for _, name := range []string{hint(third), third["id"].(string), third["license"].(string), ""} {
		if r := s.run("tenant", "revoke-license", "other", "--", name); r.code != 1 || !strings.Contains(r.err, "no such licence key") || (name != "" && strings.Contains(r.err, name)) {
			t.Errorf("by another tenant, %q: %d %s", name, r.code, r.err)
		}
	}
}

// TestTwoLicencesThatEndAlikeAreToldApartByTheirIds stores two with one hint, which
// happens to 1 of 16 million by chance.
func TestTwoLicencesThatEndAlikeAreToldApartByTheirIds(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	var tenant map[string]string
	s.json(&tenant, "tenant", "add", "acme", "--json")
	store := s.openStore()
	var ids []string
	err := store.InTx(context.Background(), func(tx pay.Tx) error {
		for range 2 {
			_, l := pay.NewLicense(tenant["id"], now())
			l.Hint = "twin"
			ids = append(ids, l.ID)
			if err := tx.InsertLicense(context.Background(), l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := s.run("tenant", "revoke-license", "acme", "twin"); r.code != 1 || !strings.Contains(r.err, "2 licence keys that end in twin") {
		t.Errorf("%d %s", r.code, r.err)
	}
	s.ok("tenant", "revoke-license", "acme", ids[0])
	s.ok("tenant", "revoke-license", "acme", "…twin") // the good one is meant
	var list []shownLicense
	if s.json(&list, "tenant", "licenses", "acme", "--json"); list[1].RevokedAt == "" || list[2].RevokedAt == "" || list[0].RevokedAt != "" {
		t.Errorf("got %+v", list)
	}
}

func TestSuspendAndResumeMayBeCalledAgain(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	s.ok("tenant", "add", "acme")
	for _, c := range []struct{ verb, state string }{{"suspend", "suspended"}, {"resume", "active"}} {
		for i, changed := range []bool{true, false} {
			var got struct {
				State   string
				Changed bool
				Notes   []string
			}
			s.json(&got, "tenant", c.verb, "acme", "--json")
			if got.State != c.state || got.Changed != changed || len(got.Notes) == 0 || s.show("acme").State != c.state {
				t.Errorf("%s, call %d: %+v", c.verb, i+1, got)
			}
		}
		if out := s.ok("tenant", c.verb, "acme"); !strings.Contains(out, "is "+c.state+" already") {
			t.Errorf("got %s", out)
		}
	}
}

// TestTheAnswersOfSetAreForMachinesToo keeps the names of what is made and shown once.
func TestTheAnswersOfSetAreForMachinesToo(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	s.ok("tenant", "add", "acme")
	var got map[string]json.RawMessage
	s.json(&got, "tenant", "set", "acme", "--outbound-url", "https://hooks.example", "--rotate-signing-secret", "--json")
	if d := cmp.Diff([]string{"notes", "outbound-secret", "signing-secret", "tenant"}, slices.Sorted(maps.Keys(got))); d != "" {
		t.Error(d)
	}
	text := s.ok("tenant", "set", "acme", "--rotate-outbound-secret")
	if !strings.Contains(text, "Outbound secret, shown once: whsec_") || strings.Contains(text, "Signing secret") {
		t.Errorf("got %s", text)
	}
	if r := s.run("tenant", "set", "acme", "--rotate-outbound-secret", "--outbound-secret-file", s.file(canaryHook)); r.code != 2 {
		t.Errorf("both: %d", r.code)
	}
}

func TestTheFirstTenantNeedsNoMigrateBefore(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	if r := s.run("orders", "list"); r.code != 1 || !strings.Contains(r.err, "the database is empty") {
		t.Errorf("orders list on an empty database: %d %s", r.code, r.err)
	}
	if out := s.ok("tenant", "add", "acme"); !strings.Contains(out, "Tenant acme added") {
		t.Error(out)
	}
	s.ok("orders", "list", "--tenant", "acme")
	if r := s.run("orders", "list", "--tenant", "acme", "--license", "none"); r.code != 1 || !strings.Contains(r.err, "no licence key") {
		t.Errorf("an unknown licence: %d %s", r.code, r.err)
	}
	if r := s.run("orders", "list", "--license", "abcd"); r.code != 2 {
		t.Errorf("a licence without its tenant: %d %s", r.code, r.err)
	}
}
