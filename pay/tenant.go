package pay

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Secret is text that must never be printed. Every way of formatting it gives
// "***"; Reveal is the one way to its value, easy to find in review.
type Secret string

// Reveal returns the secret's value, for the one call that needs it.
func (s Secret) Reveal() string { return string(s) }

func (s Secret) String() string               { return s.mask() }
func (s Secret) GoString() string             { return s.mask() }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(s.mask()) }
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.mask()), nil }

func (s Secret) mask() string {
	if s == "" {
		return ""
	}
	return "***"
}

// VATMode says whether a tenant's prices contain VAT.
type VATMode string

const (
	VATExclusive VATMode = "exclusive" // VAT is added to the line
	VATInclusive VATMode = "inclusive" // VAT is in the line and only shown
)

// TenantState says whether a tenant may take new money.
type TenantState string

const (
	TenantActive    TenantState = "active"
	TenantSuspended TenantState = "suspended" // refuses requests; webhooks for older payments still count
)

// Branding is what customers see of a tenant.
type Branding struct {
	DisplayName string
	// LogoType is the media type of the logo that is stored, "" when there is none:
	// image/png or image/jpeg.
	LogoType string `json:"-"`
	// LogoHash is the beginning of the logo's SHA-256 in hex: its address has it, so that
	// browsers may keep it for good. SetLogo sets all three.
	LogoHash string `json:",omitempty"`
	// Logo is the file's bytes, never a link to elsewhere. Reading a tenant leaves it
	// nil, because every request reads one; the store gives it by itself. Storing a
	// tenant whose Logo is nil keeps the stored one as long as LogoType is not "".
	Logo         []byte `json:"-"`
	AccentColour string // #rrggbb, "" for ours
	SupportEmail string
	// Language is what customers' pages are said in where neither their address nor
	// the browser says; one of Languages, "" for English.
	Language string
	// SellerLines are on receipts: legal name, address, VAT number, one line each.
	SellerLines []string
	// MailName is whom customers' mails come from, "" for DisplayName; MailReplyTo where
	// answers go, "" for SupportEmail.
	MailName    string `json:",omitempty"`
	MailReplyTo string `json:",omitempty"`
}

// Languages are those of the customers' pages.
var Languages = []string{"en", "de", "fr", "es", "it", "nl", "pt", "pl", "ar"}

// MaxSellerLines is how many lines a receipt has for the seller.
const MaxSellerLines = 8

// SetLogo puts a logo in the place of the one that was there; no bytes remove it.
func (b *Branding) SetLogo(logo []byte, mediaType string) {
	if len(logo) == 0 {
		b.Logo, b.LogoType, b.LogoHash = nil, "", ""
		return
	}
	sum := sha256.Sum256(logo)
	b.Logo, b.LogoType, b.LogoHash = logo, mediaType, hex.EncodeToString(sum[:8])
}

// PortaBilling is where a tenant's customers are billed, and as whom we log in
// there. All of it is "" when it is not set up.
type PortaBilling struct {
	URL   string // the address of its API, https
	Login string // a user's login, for Session/login
	Token Secret // that user's API token
}

// Policies are a tenant's choices where the product leaves one.
type Policies struct {
	Review     string // "page" (our order page first) or "direct" (Url is Stripe's page)
	FirstMonth string // "" or "included": an AdvancePeriod of 0 counts as 1
	Subtotal   string // "check" or "trust": take a stated ItemSubTotal instead of our arithmetic
	// DuplicateWindow is how long a repeated card charge without an
	// Idempotency-Key counts as the same one.
	DuplicateWindow time.Duration
	// SaveCard says whether a card that is paid with on Stripe's page is kept for
	// later charges: "off", "ask" (a box on our order page) or "always".
	SaveCard string
	// Mails are the kinds of mails that are sent, separated by commas; "" for all of
	// them, "none" for none (see MailKind).
	Mails string `json:",omitempty"`
}

// Tenant is a reseller. Secrets are plain here and encrypted in the database.
type Tenant struct {
	ID    string
	Slug  string // public, [a-z0-9-]{2,40}
	Name  string
	State TenantState

	IParent         int64 // the reseller's own PortaBilling id; 0 when not set
	DefaultCurrency Currency
	Currencies      []Currency // allowed ones; the default is always among them
	VATBasisPoints  int64      // 2000 = 20 %
	VATMode         VATMode
	ReturnOrigins   []string // scheme://host[:port], exact
	// LoopbackReturns allows SuccessUrl and CancelUrl on loopback hosts at any
	// port over http. Only the sandbox's demo tenant has it.
	LoopbackReturns bool

	Branding Branding
	Policies Policies

	SigningSecret Secret // signs passes and the return to SuccessUrl

	StripeKey            Secret
	StripeWebhookSecrets []Secret // up to two, during rotation
	StripeAccount        string   // acct_…, learnt from Stripe; "" until first use
	StripeLivemode       bool     // what the key is; objects of the other mode are never ours

	OutboundURL    string
	OutboundSecret Secret

	PortaBilling PortaBilling

	// LicenseID is the licence key that a request came with, where the tenant was found
	// by one; it is not stored here.
	LicenseID string

	CreatedAt time.Time
	UpdatedAt time.Time
}

// LiveKey reports whether the text is a live Stripe key.
func LiveKey(key Secret) bool {
	k := key.Reveal()
	return strings.HasPrefix(k, "sk_live_") || strings.HasPrefix(k, "rk_live_")
}

func loopbackHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// ReadyFault says in one sentence why the tenant cannot take money yet, "" when
// it can. A tenant without a webhook secret is not ready, because an empty
// secret would verify a forged signature.
func (t *Tenant) ReadyFault() string {
	switch {
	case t.StripeKey == "":
		return "it has no Stripe key"
	case len(t.StripeWebhookSecrets) == 0:
		return "it has no webhook secret"
	case LiveKey(t.StripeKey) != t.StripeLivemode:
		return "its Stripe key is of the other mode than the tenant"
	}
	return ""
}

// AllowsCurrency reports whether the tenant takes money in c.
func (t *Tenant) AllowsCurrency(c Currency) bool {
	return c == t.DefaultCurrency || slices.Contains(t.Currencies, c)
}

// NewTenant returns a tenant with the defaults of a fresh one and a signing
// secret of its own; it is not stored yet.
func NewTenant(slug, name string, currency Currency, at time.Time) *Tenant {
	return &Tenant{
		ID: NewID("ten", at), Slug: slug, Name: name, State: TenantActive,
		DefaultCurrency: currency, Currencies: []Currency{currency},
		VATMode:       VATExclusive,
		Branding:      Branding{DisplayName: name},
		Policies:      Policies{Review: "page", Subtotal: "check", SaveCard: "ask", DuplicateWindow: 10 * time.Minute},
		SigningSecret: NewSecret("sig_"),
		CreatedAt:     at, UpdatedAt: at,
	}
}

// NewOutboundSecret makes a secret in the form of Standard Webhooks, whose
// libraries read it as base64 behind whsec_ (standardwebhooks.com, "Signature
// scheme").
func NewOutboundSecret() Secret {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails since Go 1.24
	return Secret("whsec_" + base64.StdEncoding.EncodeToString(raw[:]))
}

// License is one of a tenant's keys. Only its hash is kept.
type License struct {
	ID        string
	TenantID  string
	Hash      string // hex SHA-256 of the key
	Hint      string // the last four characters, for staff to tell keys apart
	CreatedAt time.Time
	RevokedAt time.Time // zero while it is good
}

// NewLicense makes a key and the row that recognises it. The key is shown once.
func NewLicense(tenantID string, at time.Time) (Secret, *License) {
	key := NewSecret("ptl_")
	return key, &License{ID: NewID("lic", at), TenantID: tenantID, Hash: HashLicense(key.Reveal()),
		Hint: key.Reveal()[len(key.Reveal())-4:], CreatedAt: at}
}

// HashLicense is what the database holds of a licence key: a plain SHA-256 is
// enough because the key itself is 256 random bits.
func HashLicense(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// CheckReturnURL holds SuccessUrl and CancelUrl to product.md section 2: https
// (http only for loopback hosts where the tenant allows them), scheme, host and
// port exactly one of the tenant's origins, never our own. The comparison is of
// parsed parts, and whatever a browser could read differently is refused first.
func (t *Tenant) CheckReturnURL(field, raw, ownOrigin string) error {
	bad := func(format string, args ...any) error {
		return Errorf(CodeOriginNotAllowed, field, format, args...)
	}
	if raw == "" {
		return Errorf(CodeNotEmpty, field, "%s must be given", field)
	}
	if len(raw) > 2048 {
		return bad("The address is longer than 2,048 characters")
	}
	for i := 0; i < len(raw); i++ {
		if c := raw[i]; c <= ' ' || c == '\\' || c >= 0x7f {
			return bad("The address has a character that must be percent-encoded (blank, control, backslash or non-ASCII)")
		}
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Opaque != "" || (u.Scheme != "https" && u.Scheme != "http") {
		return bad("must be an absolute https address such as https://shop.example/paid")
	}
	if u.User != nil {
		return bad("must not contain a user name")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return bad("has a port that does not exist")
		}
	}
	origin, loopback := canonicalOrigin(u), loopbackHost(u.Hostname())
	if origin == ownOrigin || (loopback && sameLoopback(ownOrigin, origin)) {
		return bad("must not lead back to Portatill itself")
	}
	if t.LoopbackReturns && loopback {
		return nil
	}
	if u.Scheme == "http" && !loopback {
		return bad("must be https")
	}
	for _, o := range t.ReturnOrigins {
		if allowed, err := url.Parse(o); err == nil && canonicalOrigin(allowed) == origin {
			return nil
		}
	}
	return bad("has an origin that is not one of this tenant's allowed return origins")
}

// sameLoopback reports whether both origins are this machine at one port, under
// whatever name.
func sameLoopback(a, b string) bool {
	ua, errA := url.Parse(a)
	ub, errB := url.Parse(b)
	return errA == nil && errB == nil && ua.Scheme == ub.Scheme && ua.Port() == ub.Port() && loopbackHost(ua.Hostname()) && loopbackHost(ub.Hostname())
}

// CanonicalOrigin returns scheme://host:port of an address with the default
// port written out, or "" when it is not an absolute http(s) address.
func CanonicalOrigin(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return ""
	}
	return canonicalOrigin(u)
}

func canonicalOrigin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return fmt.Sprintf("%s://%s", u.Scheme, net.JoinHostPort(strings.ToLower(u.Hostname()), port))
}
