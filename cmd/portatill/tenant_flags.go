package main

import (
	"math/big"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/pay"
)

// tenantFlags are the properties that `tenant add` and `tenant set` take. Only
// those given are applied.
type tenantFlags struct {
	name, state, currency, currencies, vatRate, vatMode, origins  string
	displayName, accent, support, review, firstMonth, subtotal    string
	stripeKeyFile, webhookSecretFile, outboundURL, outboundSecret string
	iParent                                                       int64
}

func (f *tenantFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.name, "name", "", "the reseller's name")
	flags.StringVar(&f.state, "state", "", "active or suspended")
	flags.Int64Var(&f.iParent, "i-parent", 0, "the reseller's own PortaBilling id")
	flags.StringVar(&f.currency, "currency", "", "default currency, such as GBP")
	flags.StringVar(&f.currencies, "currencies", "", "all allowed currencies, separated by commas")
	flags.StringVar(&f.vatRate, "vat-rate", "", "VAT in per cent, such as 20 or 17.5")
	flags.StringVar(&f.vatMode, "vat-mode", "", "exclusive (added) or inclusive (contained)")
	flags.StringVar(&f.origins, "return-origins", "", "where SuccessUrl and CancelUrl may lead, separated by commas")
	flags.StringVar(&f.displayName, "display-name", "", "what customers see")
	flags.StringVar(&f.accent, "accent", "", "accent colour, such as #0f766e")
	flags.StringVar(&f.support, "support-email", "", "where customers ask for help")
	flags.StringVar(&f.review, "review", "", "page (our order page first) or direct (Stripe's page at once)")
	flags.StringVar(&f.firstMonth, "first-month", "", "included: an AdvancePeriod of 0 counts as 1")
	flags.StringVar(&f.subtotal, "subtotal", "", "check or trust a stated ItemSubTotal")
	flags.StringVar(&f.stripeKeyFile, "stripe-key-file", "", "file with the Stripe secret key, - for standard input")
	flags.StringVar(&f.webhookSecretFile, "stripe-webhook-secret-file", "", "file with a new webhook secret (the last one stays good beside it), - for standard input")
	flags.StringVar(&f.outboundURL, "outbound-url", "", "where the tenant's own system hears of payments")
	flags.StringVar(&f.outboundSecret, "outbound-secret-file", "", "file with the secret that signs what is sent there")
}

// applyTenantFlags sets what was given and says everything that is wrong with the result.
func (a *app) applyTenantFlags(cmd *cobra.Command, f *tenantFlags, t *pay.Tenant, sandbox bool) error {
	given := func(name string) bool { return cmd.Flags().Changed(name) }
	text := func(name string, from string, to *string) {
		if given(name) {
			*to = from
		}
	}
	text("name", f.name, &t.Name)
	if given("name") && !given("display-name") && t.Branding.DisplayName == t.Slug {
		t.Branding.DisplayName = f.name
	}
	text("display-name", f.displayName, &t.Branding.DisplayName)
	text("accent", f.accent, &t.Branding.AccentColour)
	text("support-email", f.support, &t.Branding.SupportEmail)
	text("review", f.review, &t.Policies.Review)
	text("first-month", f.firstMonth, &t.Policies.FirstMonth)
	text("subtotal", f.subtotal, &t.Policies.Subtotal)
	text("outbound-url", f.outboundURL, &t.OutboundURL)
	if given("state") {
		t.State = pay.TenantState(f.state)
	}
	if given("i-parent") {
		t.IParent = f.iParent
	}
	if given("currency") {
		t.DefaultCurrency = pay.Currency(strings.ToUpper(f.currency))
		t.Currencies = []pay.Currency{t.DefaultCurrency}
	}
	if given("currencies") {
		t.Currencies = nil
		for _, c := range split(f.currencies) {
			t.Currencies = append(t.Currencies, pay.Currency(strings.ToUpper(c)))
		}
	}
	if given("vat-mode") {
		t.VATMode = pay.VATMode(f.vatMode)
	}
	if given("return-origins") {
		t.ReturnOrigins = split(f.origins)
	}
	if given("vat-rate") {
		rate, err := basisPoints(f.vatRate)
		if err != nil {
			return err
		}
		t.VATBasisPoints = rate
	}
	if err := a.applySecrets(f, t); err != nil {
		return err
	}
	if sandbox && pay.LiveKey(t.StripeKey) {
		return usagef("--stripe-key-file: holds a live key, and PORTATILL_SANDBOX is set; a live key never meets a double of Stripe")
	}
	var lines []string
	for _, fault := range t.Validate() {
		lines = append(lines, "--"+fault.Field+": "+fault.Message)
	}
	if len(lines) > 0 {
		return usagef("%s", strings.Join(lines, "\n"))
	}
	return nil
}

func (a *app) applySecrets(f *tenantFlags, t *pay.Tenant) error {
	if f.stripeKeyFile != "" {
		key, err := a.secretFrom(f.stripeKeyFile)
		if err != nil {
			return err
		}
		t.StripeKey, t.StripeLivemode = key, pay.LiveKey(key)
		t.StripeAccount = "" // learnt from Stripe at the next use
	}
	if f.webhookSecretFile != "" {
		secret, err := a.secretFrom(f.webhookSecretFile)
		if err != nil {
			return err
		}
		kept := t.StripeWebhookSecrets[:min(1, len(t.StripeWebhookSecrets))]
		t.StripeWebhookSecrets = append([]pay.Secret{secret}, kept...)
	}
	if f.outboundSecret != "" {
		secret, err := a.secretFrom(f.outboundSecret)
		if err != nil {
			return err
		}
		t.OutboundSecret = secret
	}
	return nil
}

// basisPoints reads a percentage exactly: hundredths of a per cent.
func basisPoints(text string) (int64, error) {
	r, ok := new(big.Rat).SetString(text)
	if !ok || strings.ContainsAny(text, "eE/_xX") {
		return 0, usagef("--vat-rate: must be a percentage such as 20 or 17.5")
	}
	r.Mul(r, big.NewRat(100, 1))
	if !r.IsInt() || r.Sign() < 0 || !r.Num().IsInt64() {
		return 0, usagef("--vat-rate: has at most two decimals and is not negative")
	}
	return r.Num().Int64(), nil
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
