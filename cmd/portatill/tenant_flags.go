package main

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/pay"
)

// tenantFlags are the properties that `tenant add` and `tenant set` take. Only
// those given are applied. Numbers and times are texts here, so that a bad one is
// told together with all other faults.
type tenantFlags struct {
	name, state, iParent, currency, currencies, vatRate, vatMode         string
	origins                                                              string
	addOrigins, removeOrigins                                            []string
	displayName, logoFile, accent, support                               string
	review, firstMonth, subtotal, saveCard, duplicateWindow              string
	mailName, mailReplyTo, mails                                         string
	stripeKeyFile, webhookSecretFile, outboundURL, outboundSecretFile    string
	portaURL, portaLogin, portaTokenFile                                 string
	dropOldWebhookSecret, rotateSigningSecret, rotateOutboundSecret, set bool
}

// register adds the flags; those that change what is there are for set only.
func (f *tenantFlags) register(cmd *cobra.Command, set bool) {
	f.set = set
	flags := cmd.Flags()
	text := func(to *string, name, usage string) { flags.StringVar(to, name, "", usage) }
	text(&f.name, "name", "the reseller's name")
	text(&f.state, "state", "active or suspended")
	text(&f.iParent, "i-parent", "the reseller's own PortaBilling id, 0 for none")
	text(&f.currency, "currency", "default currency, such as GBP")
	text(&f.currencies, "currencies", "all allowed currencies, separated by commas")
	text(&f.vatRate, "vat-rate", "VAT in per cent, such as 20 or 17.5")
	text(&f.vatMode, "vat-mode", "exclusive (added) or inclusive (contained)")
	text(&f.origins, "return-origins", "where SuccessUrl and CancelUrl may lead, separated by commas")
	text(&f.displayName, "display-name", "what customers see")
	text(&f.logoFile, "logo-file", "file with a logo for customers' pages: PNG, JPEG or WebP, at most 200,000 bytes; '' removes it")
	text(&f.accent, "accent", "accent colour, such as #0f766e; '' for ours")
	text(&f.support, "support-email", "where customers ask for help")
	text(&f.mailName, "mail-name", "whom customers' mails come from; '' for the display name")
	text(&f.mailReplyTo, "mail-reply-to", "where answers to mails go; '' for the support e-mail")
	text(&f.mails, "mails", "which mails are sent: '' for all, none, or some of receipt, payment_failed, authentication, daily, separated by commas")
	text(&f.review, "review", "page (our order page first) or direct (Stripe's page at once)")
	text(&f.firstMonth, "first-month", "included: an AdvancePeriod of 0 counts as 1; '' otherwise")
	text(&f.subtotal, "subtotal", "check or trust a stated ItemSubTotal")
	text(&f.saveCard, "save-card", "keep the card that is paid with: off, ask or always")
	text(&f.duplicateWindow, "duplicate-window", "how long a repeated card charge without an Idempotency-Key is the same one, 0 to 24h, such as 10m")
	text(&f.stripeKeyFile, "stripe-key-file", "file with the Stripe secret key, - for standard input, '' removes it")
	text(&f.webhookSecretFile, "stripe-webhook-secret-file", "file with a new webhook secret (the last one stays good beside it), - for standard input")
	text(&f.outboundURL, "outbound-url", "where the tenant's own system hears of payments, https; '' removes it")
	text(&f.outboundSecretFile, "outbound-secret-file", "file with the secret that signs what is sent there (without it one is made and printed, once), - for standard input")
	text(&f.portaURL, "porta-url", "the tenant's PortaBilling API, https; '' removes it with its login and token")
	text(&f.portaLogin, "porta-login", "the PortaBilling user that posts payments")
	text(&f.portaTokenFile, "porta-token-file", "file with that user's API token, - for standard input")
	if !set {
		return
	}
	flags.StringArrayVar(&f.addOrigins, "add-return-origin", nil, "allow one more return origin (may be given again)")
	flags.StringArrayVar(&f.removeOrigins, "remove-return-origin", nil, "allow a return origin no more (may be given again)")
	flags.BoolVar(&f.dropOldWebhookSecret, "drop-old-webhook-secret", false, "end the older webhook secret: only the newest is good from now on")
	flags.BoolVar(&f.rotateSigningSecret, "rotate-signing-secret", false, "make a new signing secret and print it, once; passes signed with the old one stop working")
	flags.BoolVar(&f.rotateOutboundSecret, "rotate-outbound-secret", false, "make a new outbound secret and print it, once")
}

// tenantChange is what the flags say, read and parsed: it can be applied again and
// again, and waits for nothing.
type tenantChange struct {
	f     *tenantFlags
	given func(flag string) bool
	// sandbox says that Stripe is a double here.
	sandbox bool

	iParent, vat int64
	window       time.Duration
	logo         []byte
	logoType     string

	stripeKey, webhookSecret, outboundSecret, portaToken pay.Secret
	newSigning, newOutbound                              pay.Secret
	// account is what Stripe says of the new key, "" when it was not asked.
	account string

	faults, read []string // all of them, and those of reading the flags
}

// fault notes what is wrong with a flag. One that names a file is called by its
// own name, also where the rule is about what the file holds.
func (c *tenantChange) fault(flag, problem string) {
	if slices.Contains([]string{"stripe-key", "stripe-webhook-secret", "outbound-secret", "porta-token"}, flag) {
		flag += "-file"
	}
	if text := "--" + flag + ": " + problem; !slices.Contains(c.faults, text) {
		c.faults = append(c.faults, text)
	}
}

// refusal is the error that tells all faults, one line each; nil when there are none.
func (c *tenantChange) refusal() error {
	if len(c.faults) == 0 {
		return nil
	}
	return usagef("%s", strings.Join(c.faults, "\n"))
}

// readTenantFlags reads the files and parses the numbers. Faults are kept for
// refusal, so that they are told with those of apply.
func (a *app) readTenantFlags(cmd *cobra.Command, f *tenantFlags, sandbox bool) *tenantChange {
	c := &tenantChange{f: f, given: cmd.Flags().Changed, sandbox: sandbox}
	c.readNumbers()
	a.readTenantFiles(c)
	for flag, origins := range map[string][]string{"return-origins": split(f.origins), "add-return-origin": f.addOrigins} {
		for _, o := range origins {
			if !sandbox && strings.HasPrefix(strings.ToLower(o), "http://") {
				c.fault(flag, strconv.Quote(o)+" must be https (http is for loopback hosts in the sandbox)")
			}
		}
	}
	if f.rotateSigningSecret {
		c.newSigning = pay.NewSecret("sig_")
	}
	if f.rotateOutboundSecret && c.given("outbound-secret-file") {
		c.fault("rotate-outbound-secret", "cannot be used with --outbound-secret-file")
	}
	c.newOutbound = pay.NewOutboundSecret() // used only when one is needed
	c.read = c.faults
	return c
}

func (c *tenantChange) readNumbers() {
	if c.given("i-parent") {
		n, err := strconv.ParseInt(strings.TrimSpace(c.f.iParent), 10, 64)
		if err != nil || n < 0 {
			c.fault("i-parent", "must be 0 (not set) or the reseller's PortaBilling id")
		}
		c.iParent = max(n, 0)
	}
	if c.given("vat-rate") {
		rate, problem := basisPoints(c.f.vatRate)
		if problem != "" {
			c.fault("vat-rate", problem)
		}
		c.vat = rate
	}
	if c.given("duplicate-window") {
		d, err := time.ParseDuration(c.f.duplicateWindow)
		if err != nil || d < 0 || d > 24*time.Hour {
			c.fault("duplicate-window", "must be between 0 and 24h, such as 10m")
			d = 0
		}
		c.window = d
	}
}

// apply sets what was given and notes everything that is wrong with the result. A
// tenant without faults is what may be stored.
func (c *tenantChange) apply(t *pay.Tenant) {
	f := c.f
	c.faults = slices.Clone(c.read)
	text := func(flag string, from string, to *string) {
		if c.given(flag) {
			*to = from
		}
	}
	if c.given("name") && !c.given("display-name") && slices.Contains([]string{t.Slug, t.Name}, t.Branding.DisplayName) {
		t.Branding.DisplayName = f.name
	}
	text("name", f.name, &t.Name)
	text("display-name", f.displayName, &t.Branding.DisplayName)
	text("accent", f.accent, &t.Branding.AccentColour)
	text("support-email", f.support, &t.Branding.SupportEmail)
	text("mail-name", f.mailName, &t.Branding.MailName)
	text("mail-reply-to", f.mailReplyTo, &t.Branding.MailReplyTo)
	text("mails", f.mails, &t.Policies.Mails)
	text("review", f.review, &t.Policies.Review)
	text("first-month", f.firstMonth, &t.Policies.FirstMonth)
	text("subtotal", f.subtotal, &t.Policies.Subtotal)
	text("save-card", f.saveCard, &t.Policies.SaveCard)
	if c.given("state") {
		t.State = pay.TenantState(f.state)
	}
	if c.given("i-parent") {
		t.IParent = c.iParent
	}
	if c.given("vat-rate") {
		t.VATBasisPoints = c.vat
	}
	if c.given("vat-mode") {
		t.VATMode = pay.VATMode(f.vatMode)
	}
	if c.given("duplicate-window") {
		t.Policies.DuplicateWindow = c.window
	}
	if c.given("logo-file") {
		t.Branding.Logo, t.Branding.LogoType = c.logo, c.logoType
	}
	c.applyCurrencies(t)
	c.applyOrigins(t)
	c.applyStripe(t)
	c.applySystems(t)
	for _, fault := range t.Validate() {
		c.fault(fault.Field, fault.Message)
	}
}

// applyCurrencies keeps the default among the allowed ones.
func (c *tenantChange) applyCurrencies(t *pay.Tenant) {
	if c.given("currency") {
		t.DefaultCurrency = pay.Currency(strings.ToUpper(strings.TrimSpace(c.f.currency)))
		if !c.f.set { // a new tenant's default is no choice of its owner's yet
			t.Currencies = nil
		}
	}
	if c.given("currencies") {
		t.Currencies = nil
		for _, code := range split(c.f.currencies) {
			if code := pay.Currency(strings.ToUpper(code)); !slices.Contains(t.Currencies, code) {
				t.Currencies = append(t.Currencies, code)
			}
		}
	}
	if !slices.Contains(t.Currencies, t.DefaultCurrency) {
		t.Currencies = append([]pay.Currency{t.DefaultCurrency}, t.Currencies...)
	}
}

// applyOrigins compares origins as browsers do: https://shop.example is
// https://SHOP.example:443.
func (c *tenantChange) applyOrigins(t *pay.Tenant) {
	same := func(a string) func(string) bool {
		return func(b string) bool {
			return a == b || (pay.CanonicalOrigin(a) != "" && pay.CanonicalOrigin(a) == pay.CanonicalOrigin(b))
		}
	}
	add := func(origins []string) {
		for _, o := range origins {
			if o = strings.TrimSpace(o); !slices.ContainsFunc(t.ReturnOrigins, same(o)) {
				t.ReturnOrigins = append(t.ReturnOrigins, o)
			}
		}
	}
	if c.given("return-origins") {
		t.ReturnOrigins = nil
		add(split(c.f.origins))
	}
	add(c.f.addOrigins)
	for _, o := range c.f.removeOrigins {
		if !slices.ContainsFunc(t.ReturnOrigins, same(o)) {
			c.fault("remove-return-origin", strconv.Quote(o)+" is not one of the tenant's return origins")
		}
		t.ReturnOrigins = slices.DeleteFunc(t.ReturnOrigins, same(o))
	}
}

func (c *tenantChange) applyStripe(t *pay.Tenant) {
	if c.given("stripe-key-file") && c.stripeKey != t.StripeKey {
		t.StripeKey, t.StripeLivemode = c.stripeKey, pay.LiveKey(c.stripeKey)
		t.StripeAccount = c.account // "" is learnt at the next use
	}
	if c.sandbox && pay.LiveKey(t.StripeKey) {
		c.fault("stripe-key-file", "holds a live key, and PORTATILL_SANDBOX is set; a live key never meets a double of Stripe")
	}
	if c.webhookSecret != "" {
		t.StripeWebhookSecrets = withNewest(t.StripeWebhookSecrets, c.webhookSecret)
	}
	if c.f.dropOldWebhookSecret {
		t.StripeWebhookSecrets = t.StripeWebhookSecrets[:min(1, len(t.StripeWebhookSecrets))]
	}
}

// withNewest puts a webhook secret first and keeps one more. Given again, it
// changes nothing, so that repeating a command does not push the old one out.
func withNewest(secrets []pay.Secret, newest pay.Secret) []pay.Secret {
	out := []pay.Secret{newest}
	for _, s := range secrets {
		if s != newest && len(out) < 2 {
			out = append(out, s)
		}
	}
	return out
}

func (c *tenantChange) applySystems(t *pay.Tenant) {
	if c.newSigning != "" {
		t.SigningSecret = c.newSigning
	}
	if c.given("outbound-url") {
		t.OutboundURL = c.f.outboundURL
	}
	if c.given("outbound-secret-file") {
		t.OutboundSecret = c.outboundSecret
	}
	if c.f.rotateOutboundSecret || (t.OutboundURL != "" && t.OutboundSecret == "") {
		t.OutboundSecret = c.newOutbound
	}
	if c.given("porta-url") {
		t.PortaBilling.URL = c.f.portaURL
		if c.f.portaURL == "" {
			t.PortaBilling = pay.PortaBilling{}
		}
	}
	if c.given("porta-login") {
		t.PortaBilling.Login = c.f.portaLogin
	}
	if c.given("porta-token-file") {
		t.PortaBilling.Token = c.portaToken
	}
}

// basisPoints reads a percentage exactly: hundredths of a per cent.
func basisPoints(text string) (points int64, problem string) {
	r, ok := new(big.Rat).SetString(text)
	if !ok || strings.Trim(strings.TrimPrefix(text, "-"), "0123456789.") != "" { // big.Rat reads fractions and exponents too
		return 0, "must be a percentage such as 20 or 17.5"
	}
	r.Mul(r, big.NewRat(100, 1))
	if !r.IsInt() || r.Sign() < 0 || !r.Num().IsInt64() {
		return 0, "has at most two decimals and is not negative"
	}
	return r.Num().Int64(), ""
}

func split(text string) []string {
	var out []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
