package pay

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

var slugPattern = regexp.MustCompile(`^[a-z0-9-]{2,40}$`)
var colourPattern = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// Validate says everything that is wrong with the tenant, one *Error a fault.
// The field names are those of `portatill tenant set`.
func (t *Tenant) Validate() []*Error {
	v := tenantFaults{}
	v.identity(t)
	v.prices(t)
	v.branding(&t.Branding)
	v.policies(&t.Policies)
	v.stripe(t)
	v.systems(t)
	return v.list
}

// tenantFaults collects what is wrong with a tenant.
type tenantFaults struct{ list []*Error }

func (v *tenantFaults) bad(field, format string, args ...any) {
	v.list = append(v.list, Errorf(CodeInvalidTenant, field, format, args...))
}

func (v *tenantFaults) identity(t *Tenant) {
	if !slugPattern.MatchString(t.Slug) {
		v.bad("slug", "must be 2 to 40 characters of a-z, 0-9 and -, such as acme-telecom")
	}
	if strings.TrimSpace(t.Name) == "" {
		v.bad("name", "must not be empty")
	} else if fault := nameFault(t.Name); fault != "" {
		v.bad("name", "%s", fault)
	}
	if t.State != TenantActive && t.State != TenantSuspended {
		v.bad("state", "must be active or suspended")
	}
	if t.IParent < 0 {
		v.bad("i-parent", "must be 0 (not set) or the reseller's PortaBilling id")
	}
	if len(t.SigningSecret.Reveal()) < 32 {
		v.bad("signing-secret", "must be at least 32 characters")
	}
}

func (v *tenantFaults) prices(t *Tenant) {
	if !t.DefaultCurrency.Known() {
		v.bad("currency", "%q is not a currency that Stripe charges in", t.DefaultCurrency)
	}
	for _, c := range t.Currencies {
		if !c.Known() && c != t.DefaultCurrency {
			v.bad("currencies", "%q is not a currency that Stripe charges in", c)
		}
	}
	if t.VATBasisPoints < 0 || t.VATBasisPoints > 10_000 {
		v.bad("vat-rate", "must be between 0 and 100 per cent")
	}
	if t.VATMode != VATExclusive && t.VATMode != VATInclusive {
		v.bad("vat-mode", "must be exclusive or inclusive")
	}
	for _, o := range t.ReturnOrigins {
		if msg := originFault(o); msg != "" {
			v.bad("return-origins", "%q %s", o, msg)
		}
	}
}

func (v *tenantFaults) branding(b *Branding) {
	if fault := nameFault(b.DisplayName); fault != "" {
		v.bad("display-name", "%s", fault)
	}
	if b.Logo != nil {
		if kind, fault := LogoType(b.Logo); fault != "" {
			v.bad("logo-file", "%s", fault)
		} else if kind != b.LogoType {
			v.bad("logo-file", "is %s, not %s", kind, b.LogoType)
		}
	}
	if b.Language != "" && !slices.Contains(Languages, b.Language) {
		v.bad("language", "must be one of %s, or empty for English", strings.Join(Languages, ", "))
	}
	if len(b.SellerLines) > MaxSellerLines {
		v.bad("seller-lines", "at most %d lines", MaxSellerLines)
	}
	for _, line := range b.SellerLines {
		if fault := nameFault(line); fault != "" {
			v.bad("seller-lines", "%q %s", line, fault)
		}
	}
	if b.AccentColour != "" && !colourPattern.MatchString(b.AccentColour) {
		v.bad("accent", "must be a colour such as #0f766e")
	}
	for _, address := range [][2]string{{"support-email", b.SupportEmail}, {"mail-reply-to", b.MailReplyTo}} {
		if e := address[1]; e != "" && (strings.Count(e, "@") != 1 || strings.HasPrefix(e, "@") || strings.HasSuffix(e, "@") ||
			strings.ContainsAny(e, " <>,") || nameFault(e) != "") {
			v.bad(address[0], "must be one e-mail address, such as help@acme.example")
		}
	}
	if fault := nameFault(b.MailName); fault != "" {
		v.bad("mail-name", "%s", fault)
	}
}

func (v *tenantFaults) policies(p *Policies) {
	if !slices.Contains([]string{"page", "direct"}, p.Review) {
		v.bad("review", "must be page or direct")
	}
	if !slices.Contains([]string{"", "included"}, p.FirstMonth) {
		v.bad("first-month", "must be empty or included")
	}
	if !slices.Contains([]string{"check", "trust"}, p.Subtotal) {
		v.bad("subtotal", "must be check or trust")
	}
	if !slices.Contains([]string{"off", "ask", "always"}, p.SaveCard) {
		v.bad("save-card", "must be off, ask or always")
	}
	if w := p.DuplicateWindow; w < 0 || w > 24*time.Hour {
		v.bad("duplicate-window", "must be between 0 and 24h, such as 10m")
	}
	if fault := mailsFault(p.Mails); fault != "" {
		v.bad("mails", "%s", fault)
	}
}

func (v *tenantFaults) stripe(t *Tenant) {
	if k := t.StripeKey.Reveal(); k != "" && !stripeKeyPattern.MatchString(k) {
		v.bad("stripe-key", "must be a secret or restricted key (sk_… or rk_…), never a publishable one")
	}
	if len(t.StripeWebhookSecrets) > 2 {
		v.bad("stripe-webhook-secret", "at most two, the new one and the old one during a rotation")
	}
	for _, s := range t.StripeWebhookSecrets {
		if len(s.Reveal()) < len("whsec_")+16 || !strings.HasPrefix(s.Reveal(), "whsec_") {
			v.bad("stripe-webhook-secret", "must be whsec_ and at least 16 characters, as Stripe shows it")
		}
	}
}

// systems checks what we call: the tenant's own system, and its PortaBilling.
func (v *tenantFaults) systems(t *Tenant) {
	if t.OutboundURL != "" {
		if fault := addressFault(t.OutboundURL); fault != "" {
			v.bad("outbound-url", "%s", fault)
		}
	}
	if s := t.OutboundSecret.Reveal(); s != "" && len(s) < 24 {
		v.bad("outbound-secret", "must be at least 24 characters")
	}
	b := t.PortaBilling
	if b == (PortaBilling{}) {
		return
	}
	if b.URL == "" {
		v.bad("porta-url", "must be given too, such as https://billing.example.net")
	} else if fault := addressFault(b.URL); fault != "" {
		v.bad("porta-url", "%s", fault)
	} else if !strings.HasPrefix(b.URL, "https://") {
		v.bad("porta-url", "must be https: the token goes there")
	}
	if b.Login == "" {
		v.bad("porta-login", "must be given too: the user that the token belongs to")
	} else if fault := nameFault(b.Login); fault != "" {
		v.bad("porta-login", "%s", fault)
	}
	if b.Token == "" {
		v.bad("porta-token", "must be given too: that user's API token")
	}
}

// nameFault says what is wrong with a text that pages or headers show.
func nameFault(text string) string {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return "must be a line of text without control characters"
	}
	if utf8.RuneCountInString(text) > 200 {
		return "must have at most 200 characters"
	}
	return ""
}

// addressFault says what is wrong with an address that we send to. A path and a
// query are the owner's; a password in it would be shown with it.
func addressFault(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || originFault(CanonicalOrigin(address)) != "":
		return "must be an https address"
	case u.User != nil:
		return "must not contain a user name or password"
	case u.Fragment != "":
		return "must not have a # part"
	}
	return ""
}

// MaxLogo is the most bytes that a logo may have.
const MaxLogo = 200_000

// LogoType tells by its bytes which kind of picture a logo is, or what is wrong
// with it. SVG is none of the kinds, because a browser runs the scripts in one.
func LogoType(raw []byte) (mediaType, fault string) {
	if len(raw) > MaxLogo {
		return "", fmt.Sprintf("must have at most %d bytes, not %d", MaxLogo, len(raw))
	}
	for mediaType, decode := range map[string]func(io.Reader) (image.Config, error){"image/png": png.DecodeConfig, "image/jpeg": jpeg.DecodeConfig} {
		c, err := decode(bytes.NewReader(raw))
		if err != nil {
			continue
		}
		if c.Width > maxLogoSide || c.Height > maxLogoSide {
			return "", fmt.Sprintf("must be at most %d pixels wide and high, not %d × %d", maxLogoSide, c.Width, c.Height)
		}
		return mediaType, ""
	}
	return "", "must be a PNG or JPEG picture (no SVG)"
}

// maxLogoSide keeps a small file from being a huge picture in every customer's browser.
const maxLogoSide = 4096

var stripeKeyPattern = regexp.MustCompile(`^(sk|rk)_(test|live)_[A-Za-z0-9_]{10,}$`)

// originFault says what is wrong with an allowed origin, "" when nothing is.
func originFault(origin string) string {
	u, err := url.Parse(origin)
	switch {
	case err != nil || u.Host == "":
		return "is not an origin such as https://shop.example"
	case strings.Contains(u.Host, "*"):
		return "must be one exact origin; there are no wildcards"
	case u.Scheme != "https" && (u.Scheme != "http" || !loopbackHost(u.Hostname())):
		return "must be https (http is for loopback hosts only)"
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Path != "" && u.Path != "/"):
		return "must be scheme, host and port only"
	}
	return ""
}
