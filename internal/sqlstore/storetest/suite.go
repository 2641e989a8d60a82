package storetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/pay"
)

// bench is what every case of the suite starts from: a store of its own with a
// tenant and a customer.
type bench struct {
	*testing.T
	ctx      context.Context
	s        *sqlstore.Store
	tenant   *pay.Tenant
	customer *pay.Customer
}

// Run is the conformance suite. open gives a fresh, migrated store whose jobs are
// recorded (Record).
func Run(t *testing.T, open func(t *testing.T) *sqlstore.Store) {
	for _, area := range []struct {
		name  string
		cases map[string]func(b *bench)
	}{
		{"Tenants", tenantCases}, {"Customers", customerCases}, {"Orders", orderCases}, {"Attempts", attemptCases},
		{"Money", moneyCases}, {"Ledger", ledgerCases}, {"Outbox", outboxCases}, {"Unclaimed", unclaimedCases}, {"Transactions", txCases},
		{"TenantWall", wallCases}, {"Staff", staffCases}, {"Mail", mailCases}, {"Books", bookCases}, {"Verify", verifyCases}, {"Backoffice", backofficeCases}, {"BookPages", pageCases},
	} {
		t.Run(area.name, func(t *testing.T) {
			t.Parallel()
			for name, run := range area.cases {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					s := open(t)
					tenant := Tenant(t, s)
					run(&bench{T: t, ctx: context.Background(), s: s, tenant: tenant, customer: Customer(t, s, tenant.ID)})
				})
			}
		})
	}
}

// write runs fn in a transaction that must commit.
func (b *bench) write(fn func(tx pay.Tx) error) {
	b.Helper()
	if err := b.s.InTx(b.ctx, fn); err != nil {
		b.Fatalf("transaction: %v", err)
	}
}

// same fails the case when what came back is not what was stored.
func (b *bench) same(what string, want, got any) {
	b.Helper()
	if d := cmp.Diff(want, got); d != "" {
		b.Errorf("%s: stored − read +:\n%s", what, d)
	}
}

// code fails the case when the error is another.
func (b *bench) code(want pay.Code, err error) {
	b.Helper()
	if got := pay.CodeOf(err); got != want || (want == "" && err != nil) {
		b.Errorf("got error %v (code %q), want code %q", err, got, want)
	}
}

// refused fails the case when raw SQL that breaks a rule was taken, and returns
// the database's words.
func (b *bench) refused(what, query string, args ...any) string {
	b.Helper()
	if _, err := b.s.DB().ExecContext(b.ctx, query, args...); err != nil {
		return err.Error()
	}
	b.Errorf("the database took %s", what)
	return ""
}

var errUndo = errors.New("undo this transaction")

var tenantCases = map[string]func(b *bench){
	"EveryFieldComesBack": func(b *bench) {
		want := Tenant(b, b.s, func(t *pay.Tenant) {
			t.State, t.IParent, t.Currencies = pay.TenantSuspended, 77, []pay.Currency{"GBP", "EUR"}
			t.VATBasisPoints, t.VATMode, t.LoopbackReturns, t.StripeLivemode = 2000, pay.VATInclusive, true, true
			t.Branding = pay.Branding{DisplayName: "Zoë's SIMs", AccentColour: "#0f766e", SupportEmail: "help@example.com"}
			t.Policies.FirstMonth, t.Policies.DuplicateWindow = "included", 90*time.Second
			t.StripeWebhookSecrets = append(t.StripeWebhookSecrets, "whsec_the_old_one_of_a_rotation")
			t.PortaBilling = pay.PortaBilling{URL: "https://billing.example.net:8442", Login: "till", Token: "an API token of PortaBilling"}
		})
		b.same("by id", want, must(b.s.TenantByID(b.ctx, want.ID)))
		b.same("by slug", want, must(b.s.TenantBySlug(b.ctx, want.Slug)))
		want.Name, want.StripeKey, want.Slug, want.UpdatedAt = "New name", "sk_test_another_key", "renamed", Now.Add(time.Minute)
		b.write(func(tx pay.Tx) error { return tx.UpdateTenant(b.ctx, want) })
		b.same("updated", want, must(b.s.TenantByID(b.ctx, want.ID)))
		list := must(b.s.ListTenants(b.ctx))
		if len(list) != 2 || list[0].Slug > list[1].Slug {
			b.Errorf("ListTenants gave %d tenants, or not by slug", len(list))
		}
	},
	"AnUnknownTenantIsNotFound": func(b *bench) {
		_, err := b.s.TenantByID(b.ctx, "ten_none")
		b.code(pay.CodeNotFound, err)
		_, err = b.s.TenantBySlug(b.ctx, "none")
		b.code(pay.CodeNotFound, err)
		_, err = b.s.TenantByLicense(b.ctx, pay.HashLicense("none"))
		b.code(pay.CodeNotFound, err)
		b.code(pay.CodeNotFound, b.s.InTx(b.ctx, func(tx pay.Tx) error { return tx.UpdateTenant(b.ctx, pay.NewTenant("none", "None", "GBP", Now)) }))
		b.code(pay.CodeNotFound, b.s.InTx(b.ctx, func(tx pay.Tx) error { return tx.SetStripeAccount(b.ctx, "ten_none", "acct_1", false) }))
	},
	"ATakenSlugIsAConflict": func(b *bench) {
		other := Tenant(b, b.s)
		b.write(func(tx pay.Tx) error {
			b.code(pay.CodeConflict, tx.InsertTenant(b.ctx, pay.NewTenant(other.Slug, "Copy", "GBP", Now)))
			moved := *b.tenant
			moved.Slug = other.Slug
			b.code(pay.CodeConflict, tx.UpdateTenant(b.ctx, &moved))
			return nil
		})
	},
	"ALicenceWorksUntilItIsRevoked": func(b *bench) {
		_, first := pay.NewLicense(b.tenant.ID, Now)
		_, second := pay.NewLicense(b.tenant.ID, Now)
		b.write(func(tx pay.Tx) error {
			return errors.Join(tx.InsertLicense(b.ctx, first), tx.InsertLicense(b.ctx, second))
		})
		withKey := *b.tenant
		withKey.LicenseID = first.ID
		b.same("tenant by licence", &withKey, must(b.s.TenantByLicense(b.ctx, first.Hash)))
		b.write(func(tx pay.Tx) error {
			n, err := tx.RevokeLicenses(b.ctx, b.tenant.ID, second.ID, Now.Add(time.Hour))
			b.same("revoked", 1, n)
			return err
		})
		_, err := b.s.TenantByLicense(b.ctx, first.Hash)
		b.code(pay.CodeNotFound, err)
		withKey.LicenseID = second.ID
		b.same("the other licence", &withKey, must(b.s.TenantByLicense(b.ctx, second.Hash)))
		list := must(b.s.ListLicenses(b.ctx, b.tenant.ID))
		if len(list) != 2 {
			b.Fatalf("%d licences are listed", len(list))
		}
		for _, l := range list {
			if revoked := !l.RevokedAt.IsZero(); revoked != (l.ID == first.ID) {
				b.Errorf("licence %s: revoked is %v", l.ID, revoked)
			}
		}
		b.write(func(tx pay.Tx) error {
			clone := *first
			clone.ID = pay.NewID("lic", Now)
			b.code(pay.CodeConflict, tx.InsertLicense(b.ctx, &clone))
			return nil
		})
	},
	"TheStripeAccountIsLearnt": func(b *bench) {
		b.write(func(tx pay.Tx) error { return tx.SetStripeAccount(b.ctx, b.tenant.ID, "acct_new", true) })
		got := must(b.s.TenantByID(b.ctx, b.tenant.ID))
		if got.StripeAccount != "acct_new" || !got.StripeLivemode {
			b.Errorf("account %s, livemode %v", got.StripeAccount, got.StripeLivemode)
		}
	},
	"SecretsAreNotInTheDatabaseInClear": func(b *bench) {
		var stored string
		err := b.s.DB().QueryRowContext(b.ctx, `SELECT signing_secret || stripe_key || stripe_webhook_secrets || outbound_secret
			FROM tenants WHERE id = $1`, b.tenant.ID).Scan(&stored)
		if err != nil {
			b.Fatal(err)
		}
		for _, s := range []pay.Secret{b.tenant.SigningSecret, b.tenant.StripeKey, b.tenant.StripeWebhookSecrets[0], b.tenant.OutboundSecret} {
			if s == "" || strings.Contains(stored, s.Reveal()) {
				b.Error("a secret is stored in clear, or the fixture has none")
			}
		}
		if n := strings.Count(stored, "v1."); n != 4 {
			b.Errorf("%d of 4 secrets have the form v1.<key id>.<text>", n)
		}
	},
	"AnEncryptedSecretCannotBeMovedToAnotherTenantOrColumn": func(b *bench) {
		other := Tenant(b, b.s)
		for name, query := range map[string]string{
			"tenant": `UPDATE tenants SET stripe_key = (SELECT stripe_key FROM tenants WHERE id = $1) WHERE id = $2`,
			"column": `UPDATE tenants SET stripe_key = (SELECT signing_secret FROM tenants WHERE id = $1) WHERE id = $2`,
		} {
			from := map[string]string{"tenant": b.tenant.ID, "column": other.ID}[name]
			if _, err := b.s.DB().ExecContext(b.ctx, query, from, other.ID); err != nil {
				b.Fatal(err)
			}
			_, err := b.s.TenantByID(b.ctx, other.ID)
			if err == nil || !strings.Contains(err.Error(), "PORTATILL_SECRET_KEY") || strings.Contains(err.Error(), "sk_test") {
				b.Errorf("moved from another %s: %v", name, err)
			}
		}
	},
}

// must is for reads that cannot fail here; when one does, the panic's trace says
// where.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var customerCases = map[string]func(b *bench){
	"SavingTwiceIsOneCustomerWithTheNewFields": func(b *bench) {
		b.same("first", b.customer, got(b, b.s.CustomerByID, b.customer.ID))
		again := *b.customer
		again.ID, again.Name, again.Email, again.CreatedAt, again.UpdatedAt = pay.NewID("cus", Now), "Ann Cole", "cole@example.com", Now.Add(time.Hour), Now.Add(time.Hour)
		b.write(func(tx pay.Tx) error { return tx.SaveCustomer(b.ctx, &again) })
		if again.ID != b.customer.ID || !again.CreatedAt.Equal(b.customer.CreatedAt) {
			b.Errorf("SaveCustomer set id %s, created %s", again.ID, again.CreatedAt)
		}
		b.same("by ICustomer", &again, must(b.s.CustomerByICustomer(b.ctx, b.tenant.ID, b.customer.ICustomer)))
	},
	"TheStripeCustomerIsThatOfThePresentAccountAndMode": func(b *bench) {
		bind := func(account string, live bool, cus string) string {
			var stored string
			b.write(func(tx pay.Tx) (err error) {
				stored, err = tx.BindStripeCustomer(b.ctx, b.tenant.ID, b.customer.ID, account, live, cus, Now)
				return err
			})
			return stored
		}
		b.same("bound", "cus_1", bind(b.tenant.StripeAccount, false, "cus_1"))
		b.same("bound again", "cus_1", bind(b.tenant.StripeAccount, false, "cus_2"))
		b.same("bound in live mode", "cus_3", bind(b.tenant.StripeAccount, true, "cus_3"))
		b.same("read", "cus_1", got(b, b.s.CustomerByID, b.customer.ID).StripeCustomer)
		b.same("by Stripe's id", b.customer.ID, got(b, b.s.CustomerByStripeID, "cus_1").ID)
		_, err := b.s.CustomerByStripeID(b.ctx, b.tenant.ID, "cus_3")
		b.code(pay.CodeNotFound, err)
		again := *b.customer
		b.write(func(tx pay.Tx) error { return tx.SaveCustomer(b.ctx, &again) })
		b.same("after SaveCustomer", "cus_1", again.StripeCustomer)
		b.write(func(tx pay.Tx) error { return tx.SetStripeAccount(b.ctx, b.tenant.ID, b.tenant.StripeAccount, true) })
		b.same("in live mode", "cus_3", got(b, b.s.CustomerByID, b.customer.ID).StripeCustomer)
		b.write(func(tx pay.Tx) error { return tx.SetStripeAccount(b.ctx, b.tenant.ID, "", false) })
		b.same("without account", "", got(b, b.s.CustomerByID, b.customer.ID).StripeCustomer)
	},
	"AStripeCustomerIsNeverTwoOfOurs": func(b *bench) {
		other := Customer(b, b.s, b.tenant.ID)
		b.write(func(tx pay.Tx) error {
			_, err := tx.BindStripeCustomer(b.ctx, b.tenant.ID, b.customer.ID, "acct_x", false, "cus_1", Now)
			return err
		})
		b.write(func(tx pay.Tx) error {
			_, err := tx.BindStripeCustomer(b.ctx, b.tenant.ID, other.ID, "acct_x", false, "cus_1", Now)
			b.code(pay.CodeConflict, err)
			return nil
		})
	},
}

// got reads a row of the case's tenant that must be there.
func got[T any](b *bench, by func(context.Context, string, string) (*T, error), id string) *T {
	b.Helper()
	v, err := by(b.ctx, b.tenant.ID, id)
	if err != nil {
		b.Fatalf("read %s: %v", id, err)
	}
	return v
}
