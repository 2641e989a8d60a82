package pay

import "context"

// learnAccount asks Stripe whose a tenant's key is, the first time that it is used, and
// stores it in t too. Whoever is the first of an installation to use an account keeps
// its books of what is of no order: payouts, Stripe's own fees, money of nobody.
//
// Errors: what Stripe says (CodeStripeError, CodeStripeUnavailable).
func (s *Service) learnAccount(ctx context.Context, t *Tenant) error {
	if t.StripeAccount != "" {
		return nil
	}
	account, err := s.Gateway.Account(ctx, t)
	if err != nil {
		return stripeError("learn the Stripe account of tenant "+t.Slug, err)
	}
	t.StripeAccount = account.ID
	return s.Store.InTx(ctx, func(tx Tx) error {
		// The account is that of the key that asked; an operator may have set another.
		if stored, err := tx.TenantByID(ctx, t.ID); err != nil || stored.StripeKey != t.StripeKey {
			return err
		}
		if err := tx.SetStripeAccount(ctx, t.ID, account.ID, t.StripeLivemode); err != nil {
			return err
		}
		_, err := tx.ClaimStripeAccount(ctx, account.ID, t.StripeLivemode, t.ID, "")
		return err
	})
}

// ownsAccount reports whether what a Stripe account has of no order is this tenant's to
// book. When two tenants have one account it is the one that used it first. The other
// takes over when that one has a key of another account, or none at all; what was booked
// until then stays where it is (KnownElsewhere).
func (s *Service) ownsAccount(ctx context.Context, t *Tenant) (bool, error) {
	if err := s.learnAccount(ctx, t); err != nil {
		return false, err
	}
	owner, err := s.Store.StripeAccountOwner(ctx, t.StripeAccount, t.StripeLivemode)
	if err != nil || owner == t.ID {
		return err == nil, err
	}
	if owner != "" {
		o, err := s.Store.TenantByID(ctx, owner)
		if err != nil {
			return false, err
		}
		unknown := o.StripeAccount == "" && o.StripeKey != "" // a new key, whose account it will tell at its next sweep
		if unknown || (o.StripeAccount == t.StripeAccount && o.StripeLivemode == t.StripeLivemode) {
			return false, nil
		}
	}
	claimed := false
	err = s.Store.InTx(ctx, func(tx Tx) (err error) {
		claimed, err = tx.ClaimStripeAccount(ctx, t.StripeAccount, t.StripeLivemode, t.ID, owner)
		return err
	})
	return claimed, err
}
