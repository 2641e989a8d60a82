package pay_test

import (
	"context"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// sharing is another tenant with the same key at Stripe.
func sharing(w *paytest.World) *paytest.World {
	return w.Another(func(t *pay.Tenant) { t.StripeKey = w.Tenant.StripeKey })
}

// rekeyed gives a tenant another key, whose account is not known yet.
func rekeyed(t *testing.T, w *paytest.World, key pay.Secret) {
	t.Helper()
	ctx := context.Background()
	if err := w.Store.InTx(ctx, func(tx pay.Tx) error {
		stored, err := tx.TenantByID(ctx, w.Tenant.ID)
		if err != nil {
			return err
		}
		stored.StripeKey, stored.StripeAccount = key, ""
		if err := tx.UpdateTenant(ctx, stored); err != nil {
			return err
		}
		return tx.SetStripeAccount(ctx, stored.ID, "", stored.StripeLivemode)
	}); err != nil {
		t.Fatal(err)
	}
}

// onceIn checks that of several tenants the one alone has what is of no order, and that
// everybody's books are right.
func onceIn(t *testing.T, keeper *paytest.World, others ...*paytest.World) {
	t.Helper()
	ctx := context.Background()
	for _, w := range append(others, keeper) {
		if p := proved(t, w); !p.Square() {
			t.Errorf("%s: %s", w.Tenant.Slug, inWords(p))
		}
		payouts, err := w.Pay.Payouts(ctx, pay.PayoutFilter{TenantID: w.Tenant.ID})
		if want := w == keeper; err != nil || (len(payouts) > 0) != want {
			t.Errorf("%s has %d payouts (%v), want some: %v", w.Tenant.Slug, len(payouts), err, want)
		}
		cases, err := w.Store.ListUnclaimed(ctx, w.Tenant.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range cases {
			if w != keeper && (u.State == pay.UnclaimedOpen || u.HeldMinor != 0) {
				t.Errorf("%s is asked about what is %s's: %+v", w.Tenant.Slug, keeper.Tenant.Slug, u)
			}
		}
	}
	right(t, append(others, keeper)...)
}

// right checks the books of tenants with everything that can check them.
func right(t *testing.T, worlds ...*paytest.World) {
	t.Helper()
	for _, w := range worlds {
		broken, err := w.Store.VerifyBooks(context.Background())
		more, errMore := w.Pay.Verify(context.Background(), w.Tenant.ID)
		if err != nil || errMore != nil || len(broken)+len(more) > 0 {
			t.Errorf("%v %v %q %q", err, errMore, broken, more)
		}
	}
}

// TestWhatIsOfNoOrderIsBookedByOneTenantOfAStripeAccount: whoever is swept first, and
// also when nobody has used the account yet, so that nobody knows that it is one.
func TestWhatIsOfNoOrderIsBookedByOneTenantOfAStripeAccount(t *testing.T) {
	t.Parallel()
	setup := func(t *testing.T, open func(testing.TB) *sqlstore.Store) (a, b *paytest.World) {
		a = paytest.Setup(t, open(t))
		a.PayDirectly("4321", nil)
		a.Clock.Add(8 * 24 * time.Hour)
		a.PayOut()
		return a, sharing(a)
	}
	t.Run("NeitherWasEverUsed", func(t *testing.T) {
		t.Parallel()
		storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
			a, b := setup(t, open)
			listed(t, b)
			listed(t, a)
			fixed(t, a)
			fixed(t, b)
			onceIn(t, b, a)
		})
	})
	t.Run("TheOwnerGoesToAnotherAccount", func(t *testing.T) {
		t.Parallel()
		storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
			a, b := setup(t, open)
			a.ChargeFee(250) // so young that it is listed again
			listed(t, a)
			listed(t, b)
			rekeyed(t, a, "sk_test_another000000000001")
			listed(t, b) // whose the new key is nobody knows yet
			onceIn(t, a, b)
			listed(t, a)
			intent := b.PayDirectly("1234", nil)
			listed(t, b)
			fixed(t, b)
			if u := theCase(b, intent); u.State != pay.UnclaimedOpen || u.HeldMinor != 1234 {
				t.Errorf("after the owner went the case is %+v", u)
			}
			if p := proved(t, b); !p.Square() {
				t.Error(inWords(p))
			}
			right(t, a, b)
		})
	})
	t.Run("TheOwnerGetsAnotherKeyOfTheSameAccount", func(t *testing.T) {
		t.Parallel()
		storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
			a, b := setup(t, open)
			listed(t, a)
			rekeyed(t, a, a.Tenant.StripeKey)
			listed(t, b)
			listed(t, a)
			fixed(t, b)
			onceIn(t, a, b)
		})
	})
	t.Run("AnotherTenantsPaymentsAreNobodysCase", func(t *testing.T) {
		t.Parallel()
		storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
			a, b := setup(t, open)
			listed(t, a)
			settled(a)
			o := settled(b)
			a.Act("refund", sessionID(b, o), 500)
			b.DeliverAll()
			for range 2 {
				listed(t, b)
				listed(t, a)
			}
			fixed(t, a)
			fixed(t, b)
			onceIn(t, a, b)
			cases, err := a.Store.ListUnclaimed(context.Background(), a.Tenant.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range cases {
				if u.Reason == "other_tenant" && u.State == pay.UnclaimedOpen {
					t.Errorf("%s is asked about %+v", a.Tenant.Slug, u)
				}
			}
		})
	})
}
