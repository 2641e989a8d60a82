package tenantset_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/branding"
	"github.com/portatill/portatill/internal/tenantset"
	"github.com/portatill/portatill/pay"
)

var at = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// good is a value of each property that is none of a fresh tenant's.
var good = map[string]string{"name": "Acme", "state": "suspended", "i-parent": "7", "currency": "EUR", "currencies": "EUR, USD", "vat-rate": "17.5", "vat-mode": "inclusive",
	"return-origins": "https://one.example\nhttps://two.example", "display-name": "Acme & Co", "accent": "#0f766e", "support-email": "help@acme.example", "language": "de", "seller-lines": "Acme Ltd\n1 Main Street, London", "review": "direct", "first-month": "included",
	"subtotal": "trust", "save-card": "always", "duplicate-window": "1h30m", "stripe-account": "acct_1Acme", "outbound-url": "https://hooks.example/x", "porta-url": "https://billing.example", "porta-login": "till",
	"mail-name": "Acme billing", "mail-reply-to": "billing@acme.example", "mails": "receipt, daily"}

func TestWhatIsSetIsShownInTheSameForm(t *testing.T) {
	t.Parallel()
	s := &tenantset.Service{Sandbox: false, Now: func() time.Time { return at }}
	changed, err := s.Try(pay.NewTenant("acme", "acme", "GBP", at), &tenantset.Change{Texts: good, Secrets: map[string]pay.Secret{"porta-token": "porta-0123456789"}})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, p := range tenantset.Properties {
		if names[p.Name] || p.Label == "" || p.Usage == "" || p.Help == "" || p.Section == "" {
			t.Errorf("%s is there twice, or lacks words", p.Name)
		}
		names[p.Name] = true
		if p.Kind == tenantset.Hidden || p.Kind == tenantset.Picture {
			if p.Show(changed) != "" {
				t.Errorf("%s is shown", p.Name)
			}
			continue
		}
		if got := p.Show(changed); got != good[p.Name] {
			t.Errorf("%s was set to %q and is shown as %q", p.Name, good[p.Name], got)
		}
		if len(p.Choices) > 0 && !slices.ContainsFunc(p.Choices, func(c tenantset.Choice) bool { return c.Value == good[p.Name] }) {
			t.Errorf("%s does not offer %s", p.Name, good[p.Name])
		}
	}
}

// A new key ends what was known of the old one's account, unless the account is told with it.
func TestTheAccountOfAKeyIsToldWithItOrLearnt(t *testing.T) {
	t.Parallel()
	s := &tenantset.Service{Now: func() time.Time { return at }}
	tenant := pay.NewTenant("acme", "acme", "GBP", at)
	tenant.StripeKey, tenant.StripeAccount = "rk_test_0123456789abcdefghij", "acct_1Old"
	other := map[string]pay.Secret{"stripe-key": "rk_test_jihgfedcba9876543210"}
	for _, c := range []struct {
		name   string
		change tenantset.Change
		want   string
	}{
		{"ANewKeyAlone", tenantset.Change{Secrets: other}, ""},
		{"ANewKeyWithItsAccount", tenantset.Change{Secrets: other, Texts: map[string]string{"stripe-account": " acct_1New "}}, "acct_1New"},
		{"StripeKnowsBetter", tenantset.Change{Secrets: other, Texts: map[string]string{"stripe-account": "acct_1New"}, Account: "acct_1Told"}, "acct_1Told"},
		{"TheAccountAlone", tenantset.Change{Texts: map[string]string{"stripe-account": "acct_1New"}}, "acct_1New"},
		{"Forgotten", tenantset.Change{Texts: map[string]string{"stripe-account": ""}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if changed, err := s.Try(tenant, &c.change); err != nil || changed.StripeAccount != c.want {
				t.Errorf("got %q, %v, want %q", changed.StripeAccount, err, c.want)
			}
		})
	}
	for _, bad := range []string{"acct_", "cus_1", "acct_1 2", "acct_1/../", "acct_\x00", "acct_" + strings.Repeat("a", 65)} {
		if _, err := s.Try(tenant, &tenantset.Change{Texts: map[string]string{"stripe-account": bad}}); err == nil {
			t.Errorf("%q was taken for an account", bad)
		}
	}
}

func TestEveryChoiceThatIsOfferedIsTaken(t *testing.T) {
	t.Parallel()
	s := &tenantset.Service{Now: func() time.Time { return at }}
	for _, p := range tenantset.Properties {
		for _, c := range p.Choices {
			if _, err := s.Try(pay.NewTenant("acme", "acme", "GBP", at), &tenantset.Change{Texts: map[string]string{p.Name: c.Value}}); err != nil {
				t.Errorf("%s %q: %v", p.Name, c.Value, err)
			}
		}
	}
}

func TestAChangeThatIsTriedLeavesTheTenantAsItWas(t *testing.T) {
	t.Parallel()
	s := &tenantset.Service{Now: func() time.Time { return at }}
	tenant := pay.NewTenant("acme", "acme", "GBP", at)
	tenant.ReturnOrigins, tenant.StripeWebhookSecrets = []string{"https://a.example", "https://b.example"}, []pay.Secret{"whsec_0123456789abcdef", "whsec_fedcba9876543210"}
	before := *tenant
	before.ReturnOrigins, before.StripeWebhookSecrets = slices.Clone(tenant.ReturnOrigins), slices.Clone(tenant.StripeWebhookSecrets)
	if _, err := s.Try(tenant, &tenantset.Change{RemoveOrigins: []string{"https://a.example"}, DropOldWebhookSecret: true, Logo: &branding.Logo{}}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(&before, tenant); d != "" {
		t.Error(d)
	}
}

func TestAllFaultsAreToldAtOnceAndNoneQuotesASecret(t *testing.T) {
	t.Parallel()
	s := &tenantset.Service{Sandbox: true, Now: func() time.Time { return at }}
	_, err := s.Try(pay.NewTenant("acme", "acme", "GBP", at), &tenantset.Change{Texts: map[string]string{"vat-rate": "x", "accent": "red"},
		Secrets: map[string]pay.Secret{"stripe-key": "sk_live_canary0123456789", "stripe-webhook-secret": "canary"}, Faults: tenantset.Faults{{Name: "logo-file", Problem: "is empty"}}})
	faults, ok := errors.AsType[tenantset.Faults](err)
	var names []string
	for _, f := range faults {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	if d := cmp.Diff([]string{"accent", "logo-file", "stripe-key", "stripe-webhook-secret", "vat-rate"}, names); !ok || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
}
