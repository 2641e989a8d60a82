package tenantset

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/portatill/portatill/internal/branding"
	"github.com/portatill/portatill/pay"
)

// Fault is what is wrong with one property, or with something else that a Change names.
type Fault struct{ Name, Problem string }

// Faults are all that is wrong with a change: an error when there is one.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Name + ": " + fault.Problem
	}
	return strings.Join(lines, "\n")
}

// Change is what somebody wants of a tenant. What it does not name stays. It can be
// applied again and again, and waits for nothing.
type Change struct {
	// Texts are properties by name, as they were typed.
	Texts map[string]string
	// Secrets are the Hidden properties by name. "" removes stripe-key, outbound-secret and
	// porta-token; a webhook secret is put before the last one, which stays good.
	Secrets map[string]pay.Secret
	// Logo is a logo from branding.MakeLogo; one without bytes removes it.
	Logo *branding.Logo

	AddOrigins, RemoveOrigins []string

	DropOldWebhookSecret bool // only the newest is good from now on
	NewSigningSecret     bool
	NewOutboundSecret    bool
	// Account is whose a new Stripe key is; "" is learnt at its next use.
	Account string

	// Faults are those that were found before, in reading what was typed.
	Faults Faults

	fresh           bool // the tenant is not stored yet
	signing, sender pay.Secret
	found           Faults
}

// prepare makes the secrets that the change may need, so that applying it again gives
// the same.
func (c *Change) prepare() {
	if c.NewSigningSecret && c.signing == "" {
		c.signing = pay.NewSecret("sig_")
	}
	if c.sender == "" {
		c.sender = pay.NewOutboundSecret() // used only when one is needed
	}
	if _, given := c.Secrets["outbound-secret"]; given && c.NewOutboundSecret {
		c.Faults = append(c.Faults, Fault{"rotate-outbound-secret", "cannot be used together with a given one"})
	}
}

func (c *Change) fault(name, problem string) {
	if f := (Fault{name, problem}); !slices.Contains(c.found, f) {
		c.found = append(c.found, f)
	}
}

// apply sets what was given and returns everything that is wrong with the result, nil
// when it may be stored.
func (c *Change) apply(t *pay.Tenant, sandbox bool) error {
	c.found = slices.Clone(c.Faults)
	_, renamed := c.Texts["display-name"]
	for _, p := range Properties {
		text, given := c.Texts[p.Name]
		if !given || p.set == nil {
			continue
		}
		shown := t.Branding.DisplayName
		if problem := p.set(t, text); problem != "" {
			c.fault(p.Name, problem)
		}
		if p.Name == "name" && renamed {
			t.Branding.DisplayName = shown
		}
		if p.Name == "currency" && c.fresh {
			t.Currencies = nil // a new tenant's default is no choice of its owner's yet
		}
	}
	if !slices.Contains(t.Currencies, t.DefaultCurrency) {
		t.Currencies = append([]pay.Currency{t.DefaultCurrency}, t.Currencies...)
	}
	c.applyOrigins(t, sandbox)
	c.applySecrets(t, sandbox)
	if c.Logo != nil {
		t.Branding.SetLogo(c.Logo.Bytes, c.Logo.MediaType)
	}
	for _, fault := range t.Validate() {
		c.fault(fault.Field, fault.Message)
	}
	if len(c.found) > 0 {
		return c.found
	}
	return nil
}

// applyOrigins also holds those that are added to https where no loopback host is a
// reseller's shop.
func (c *Change) applyOrigins(t *pay.Tenant, sandbox bool) {
	addOrigins(t, c.AddOrigins)
	for _, o := range c.RemoveOrigins {
		if !slices.ContainsFunc(t.ReturnOrigins, sameOrigin(o)) {
			c.fault("remove-return-origin", strconv.Quote(o)+" is not one of the tenant's return origins")
		}
		t.ReturnOrigins = slices.DeleteFunc(t.ReturnOrigins, sameOrigin(o))
	}
	if sandbox {
		return
	}
	for name, origins := range map[string][]string{"return-origins": split(c.Texts["return-origins"]), "add-return-origin": c.AddOrigins} {
		for _, o := range origins {
			if strings.HasPrefix(strings.ToLower(o), "http://") {
				c.fault(name, strconv.Quote(o)+" must be https (http is for loopback hosts in the sandbox)")
			}
		}
	}
}

// sameOrigin compares origins as browsers do: https://shop.example is
// https://SHOP.example:443.
func sameOrigin(a string) func(string) bool {
	return func(b string) bool {
		return a == b || (pay.CanonicalOrigin(a) != "" && pay.CanonicalOrigin(a) == pay.CanonicalOrigin(b))
	}
}

func addOrigins(t *pay.Tenant, origins []string) {
	for _, o := range origins {
		if o = strings.TrimSpace(o); !slices.ContainsFunc(t.ReturnOrigins, sameOrigin(o)) {
			t.ReturnOrigins = append(t.ReturnOrigins, o)
		}
	}
}

func (c *Change) applySecrets(t *pay.Tenant, sandbox bool) {
	if key, given := c.Secrets["stripe-key"]; given && key != t.StripeKey {
		stated := c.Texts["stripe-account"] // what a key says of itself comes before what people say of it
		t.StripeKey, t.StripeLivemode, t.StripeAccount = key, pay.LiveKey(key), cmp.Or(c.Account, strings.TrimSpace(stated))
	}
	if sandbox && pay.LiveKey(t.StripeKey) {
		c.fault("stripe-key", "holds a live key, and PORTATILL_SANDBOX is set; a live key never meets a double of Stripe")
	}
	if secret := c.Secrets["stripe-webhook-secret"]; secret != "" {
		t.StripeWebhookSecrets = WithNewest(t.StripeWebhookSecrets, secret)
	}
	if c.DropOldWebhookSecret {
		t.StripeWebhookSecrets = t.StripeWebhookSecrets[:min(1, len(t.StripeWebhookSecrets))]
	}
	if c.signing != "" {
		t.SigningSecret = c.signing
	}
	if secret, given := c.Secrets["outbound-secret"]; given {
		t.OutboundSecret = secret
	}
	if c.NewOutboundSecret || (t.OutboundURL != "" && t.OutboundSecret == "") {
		t.OutboundSecret = c.sender
	}
	if token, given := c.Secrets["porta-token"]; given {
		t.PortaBilling.Token = token
	}
}

// WithNewest puts a webhook secret first and keeps one more. Given again, it changes
// nothing, so that repeating a command does not push the old one out.
func WithNewest(secrets []pay.Secret, newest pay.Secret) []pay.Secret {
	out := []pay.Secret{newest}
	for _, s := range secrets {
		if s != newest && len(out) < 2 {
			out = append(out, s)
		}
	}
	return out
}

// MaxSecret is the most bytes that a secret may have: far above any key or token.
const MaxSecret = 4096

// ReadSecret reads a secret as it was pasted or stands in a file; problem says what is
// wrong with it.
func ReadSecret(text string) (secret pay.Secret, problem string) {
	text = strings.TrimSpace(text)
	switch {
	case len(text) > MaxSecret:
		return "", "is longer than any such secret may be"
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return "", "must hold the secret alone, on one line"
	}
	return pay.Secret(text), ""
}
