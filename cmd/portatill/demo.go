package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/internal/tenantset"
	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
)

// The demo tenant of sandbox mode, and its customer.
const (
	demoSlug      = "demo"
	demoName      = "Acme Telecom"
	demoICustomer = 12345
	// Who signs in under /admin.
	demoOperatorEmail = "operator@example.com"
	demoOperatorName  = "Demo Operator"
)

// makeDemo makes the demo tenant and tells Stripe, whose double it is, where its
// webhooks go: by Stripe's own API, as an operator would. Started again, it finds
// what it made.
func (s *server) makeDemo(ctx context.Context) error {
	t, err := s.demoTenant(ctx)
	if err != nil {
		return err
	}
	key := s.demoLicense(t)
	if err := s.storeDemoLicense(ctx, t, key); err != nil {
		return err
	}
	if err := s.demoWebhook(ctx, t); err != nil {
		return err
	}
	if err := s.demoCustomer(ctx, t); err != nil {
		return err
	}
	if err := s.demoOperator(ctx, t); err != nil {
		return err
	}
	s.ready.Tenant, s.ready.License, s.ready.ICustomer = t.Slug, key, demoICustomer
	s.ready.SigningSecret, s.ready.WebhookSecret = t.SigningSecret.Reveal(), t.StripeWebhookSecrets[0].Reveal()
	s.ready.StripeKey = t.StripeKey.Reveal()
	return nil
}

// demoCustomer makes the customer that the demo's request is for.
func (s *server) demoCustomer(ctx context.Context, t *pay.Tenant) error {
	_, err := s.opened.store.CustomerByICustomer(ctx, t.ID, demoICustomer)
	if !pay.IsNotFound(err) {
		return err
	}
	return s.opened.store.InTx(ctx, func(tx pay.Tx) error {
		return tx.SaveCustomer(ctx, &pay.Customer{ID: pay.NewID("cus", s.opened.now()), TenantID: t.ID, ICustomer: demoICustomer, Name: "Ada Lovelace",
			Company: "Analytical Engines Ltd", Email: "ada@example.com", CreatedAt: s.opened.now(), UpdatedAt: s.opened.now()})
	})
}

func (s *server) demoTenant(ctx context.Context) (*pay.Tenant, error) {
	t, err := s.opened.store.TenantBySlug(ctx, demoSlug)
	if err == nil || !pay.IsNotFound(err) {
		return t, err
	}
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails since Go 1.24
	t = pay.NewTenant(demoSlug, demoName, "GBP", s.opened.now())
	t.Currencies = []pay.Currency{"GBP", "EUR", "USD", "JPY", "KWD"}
	t.VATBasisPoints, t.LoopbackReturns = 2000, true
	t.Branding.AccentColour, t.Branding.SupportEmail = "#0f766e", "help@acme-telecom.example"
	t.StripeKey = pay.Secret("sk_test_" + hex.EncodeToString(raw[:]))
	err = s.opened.store.InTx(ctx, func(tx pay.Tx) error { return tx.InsertTenant(ctx, t) })
	if pay.CodeOf(err) == pay.CodeConflict { // another till on this database made it meanwhile
		return s.opened.store.TenantBySlug(ctx, demoSlug)
	}
	if err != nil {
		return nil, err
	}
	return t, s.nameMerchant(ctx, t, demoName)
}

// nameMerchant gives a tenant's account at the double its name, as an operator
// does in Stripe's dashboard; the double's payment page shows it.
func (s *server) nameMerchant(ctx context.Context, t *pay.Tenant, name string) error {
	account, err := s.opened.gate.Account(ctx, t)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]string{"id": account.ID, "name": name})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.ready.SandboxURL+"/_sandbox/actions/rename", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("name the merchant at the double: it answered %s", answer.Status)
	}
	return nil
}

// demoLicense derives the demo's licence key from the tenant's signing secret, so
// that a portal under development keeps working when the sandbox is restarted.
func (s *server) demoLicense(t *pay.Tenant) string {
	mac := hmac.New(sha256.New, []byte(t.SigningSecret.Reveal()))
	mac.Write([]byte("demo licence key"))
	return "ptl_" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// demoOperator makes the operator of the demo, or gives it back its password, which
// is derived as the licence key is: everybody who starts this sandbox prints the same.
func (s *server) demoOperator(ctx context.Context, t *pay.Tenant) error {
	mac := hmac.New(sha256.New, []byte(t.SigningSecret.Reveal()))
	mac.Write([]byte("demo operator's password"))
	password := pay.Secret(base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:15]))
	s.ready.AdminEmail, s.ready.AdminPassword = demoOperatorEmail, password.Reveal()
	people := s.opened.staffService()
	p, err := s.opened.store.StaffByEmail(ctx, demoOperatorEmail)
	if pay.IsNotFound(err) {
		_, _, err = people.Add(ctx, atCommand, staff.AddInput{Email: demoOperatorEmail, Name: demoOperatorName, Role: staff.Operator, Password: password})
		if pay.CodeOf(err) == pay.CodeConflict { // another till made it meanwhile
			return nil
		}
		return err
	}
	if err != nil || people.PasswordIs(p, password) {
		return err
	}
	_, err = people.SetPassword(ctx, atCommand, p.ID, password)
	return err
}

func (s *server) storeDemoLicense(ctx context.Context, t *pay.Tenant, key string) error {
	_, err := s.opened.store.TenantByLicense(ctx, pay.HashLicense(key))
	if !pay.IsNotFound(err) {
		return err
	}
	err = s.opened.store.InTx(ctx, func(tx pay.Tx) error {
		return tx.InsertLicense(ctx, &pay.License{ID: pay.NewID("lic", s.opened.now()), TenantID: t.ID, Hash: pay.HashLicense(key),
			Hint: key[len(key)-4:], CreatedAt: s.opened.now()})
	})
	if pay.CodeOf(err) == pay.CodeConflict { // another till stored it meanwhile
		return nil
	}
	return err
}

// demoWebhook registers our webhook address at the double and keeps the secret.
// Several tills may share the database, each with an address of its own.
func (s *server) demoWebhook(ctx context.Context, t *pay.Tenant) error {
	url := s.ready.BaseURL + "/webhooks/stripe/" + t.Slug
	secret, created, err := s.opened.gate.EnsureWebhookEndpoint(ctx, t, url)
	if err != nil || (!created && len(t.StripeWebhookSecrets) > 0) {
		return err
	}
	if !created { // an endpoint whose secret nobody has: Stripe shows it only once
		if _, err := s.opened.gate.DeleteWebhookEndpoint(ctx, t, url); err != nil {
			return err
		}
		if secret, _, err = s.opened.gate.EnsureWebhookEndpoint(ctx, t, url); err != nil {
			return err
		}
	}
	// Not t's own list: another till may have put its secret there since t was read.
	stored, err := s.opened.store.ChangeTenant(ctx, t.Slug, func(t *pay.Tenant) error {
		t.StripeWebhookSecrets = tenantset.WithNewest(t.StripeWebhookSecrets, secret)
		t.UpdatedAt = s.opened.now()
		return nil
	})
	if err == nil {
		*t = *stored
	}
	return err
}

// demoRequest is the seed's request with values that a person would send.
func (s *server) demoRequest() *wire.StripePaymentRequest {
	item := func(title string, quantity int32, setup, monthly string, months int32, key string, info ...string) wire.ShoppingItem {
		i := wire.ShoppingItem{Title: wire.Str(title), Quantity: quantity, SetupFee: wire.MustDecimal(setup), MonthlyFee: wire.MustDecimal(monthly),
			AdvancePeriod: months, Key: wire.Str(key), VatApplicable: true, Currency: wire.Str("GBP")}
		for _, line := range info {
			i.AdditionalInformation = append(i.AdditionalInformation, wire.Str(line))
		}
		return i
	}
	basket := item("SIP trunk, 4 channels", 2, "10.00", "12.00", 3, "trunk-4", "Includes 2 London numbers", "Cancel at any month's end")
	basket.DisplayIndex = 1
	phone := item("Yealink T54W desk phone", 3, "89.50", "0", 0, "phone-t54w", "Delivered in 2 working days")
	phone.DisplayIndex, phone.VoucherCredit = 2, wire.MustDecimal("20.00")
	return &wire.StripePaymentRequest{
		Customer: &wire.Customer{
			ICustomer: demoICustomer,
			CustomerAddress: &wire.CustomerAddress{Address1: wire.Str("12 Exchange Street"), City: wire.Str("Norwich"),
				Postcode: wire.Str("NR2 1AT"), Country: wire.Str("GB")},
			CustomerContact: &wire.CustomerContact{Email: wire.Str("ada@example.com"), Phone1: wire.Str("+44 1603 555010")},
			PersonalInformation: &wire.PersonalInformation{FirstName: wire.Str("Ada"), LastName: wire.Str("Lovelace"),
				Company: wire.Str("Analytical Engines Ltd")},
		},
		ICustomer: demoICustomer, ShoppingInformation: []wire.ShoppingItem{basket, phone}, License: wire.Str(s.ready.License),
		SuccessUrl: wire.Str(s.ready.SandboxURL + "/_portal/success?basket=42"), CancelUrl: wire.Str(s.ready.SandboxURL + "/_portal/cancelled"),
		ContentId: 42, FeatureName: wire.Str("Basket"),
	}
}

// demoCurl is a command that starts a payment with the seed's CSV request and
// answers with the order page's address.
func (s *server) demoCurl() string {
	csv := strings.ReplaceAll(string(wire.Encode(wire.CSV, s.demoRequest())), "\r\n", "\n")
	return "curl -sS '" + s.ready.BaseURL + "/csv/reply/StripePaymentRequest?format=json' \\\n" +
		"  -H 'Content-Type: text/csv' --data-binary @- <<'CSV'\n" + csv + "CSV"
}

// command is a command line that runs one of our commands on this database and
// this double.
func (s *server) command(name string) string {
	binary, err := os.Executable()
	if err != nil {
		binary = "portatill"
	}
	database := s.config.DatabaseURL
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		if whole, err := filepath.Abs(path); err == nil {
			database = "sqlite:" + whole
		}
	}
	return "PORTATILL_SANDBOX=" + s.ready.SandboxURL + " PORTATILL_DATABASE_URL='" + database + "' " + binary + " " + name
}

func (s *server) printDemo() {
	line(s.out, `
  Portatill %s is ready, with a Stripe double: no real money moves.

    The till        %s
    Staff pages     %s/admin
    Sign in as      %s
    Password        %s
    Stripe double   %s/_sandbox
    Tenant          %s (%s)
    Licence key     %s
    Signing secret  %s
    Stripe key      %s (the double takes it, Stripe does not)

  Start a payment by pasting this, and open the "Url" it answers with. Any future expiry and CVC do;
  4242 4242 4242 4242 pays, 4000 0000 0000 9995 is declined, 4000 0027 6000 3184 asks for 3-D Secure.

%s

  Then see the customer's credit, in another terminal:

%s
`, versionText(), s.ready.BaseURL, s.ready.BaseURL, s.ready.AdminEmail, s.ready.AdminPassword, s.ready.SandboxURL, demoName, demoSlug, s.ready.License, s.ready.SigningSecret, s.ready.StripeKey, s.demoCurl(), s.command("books"))
}
