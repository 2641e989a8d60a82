package tenantset

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/portatill/portatill/pay"
)

// Store is the database as this package needs it.
type Store interface {
	pay.Store
	// ChangeTenant lets change work on a tenant and stores it, in one transaction; change may
	// run more than once. CodeNotFound when there is no such tenant.
	ChangeTenant(ctx context.Context, slug string, change func(*pay.Tenant) error) (*pay.Tenant, error)
	// ListTenantRows gives tenants by slug, with what a list tells of each.
	ListTenantRows(ctx context.Context, f ListFilter) ([]*Row, error)
	// RevokeLicense reports whether the licence was good until now; CodeNotFound when the
	// tenant has no such licence.
	RevokeLicense(ctx context.Context, tenantID, licenseID string, at time.Time) (revoked bool, err error)
}

// Service changes tenants. Its methods are safe for concurrent use.
type Service struct {
	Store Store
	// Account asks Stripe whose a tenant's key is.
	Account func(ctx context.Context, t *pay.Tenant) (pay.StripeAccount, error)
	Now     func() time.Time
	// Sandbox says that Stripe is a double here.
	Sandbox bool
}

// Result is what became of a change. The secrets are those made just now, which are
// nowhere else in clear.
type Result struct {
	Tenant         *pay.Tenant
	SigningSecret  pay.Secret
	OutboundSecret pay.Secret
	// Notes say what follows from the change, in words.
	Notes []string
}

// Added is a new tenant with its first licence key and its secrets, which are nowhere
// else in clear.
type Added struct {
	Tenant         *pay.Tenant
	License        pay.Secret
	SigningSecret  pay.Secret
	OutboundSecret pay.Secret // "" when there is none, or it was given
}

// Add stores a new tenant. Faults when it may not be stored, CodeConflict when the slug
// is taken.
func (s *Service) Add(ctx context.Context, slug string, c *Change) (*Added, error) {
	now := s.Now()
	t := pay.NewTenant(slug, slug, "GBP", now)
	c.fresh = true
	c.prepare()
	if err := c.apply(t, s.Sandbox); err != nil {
		return nil, err
	}
	key, license := pay.NewLicense(t.ID, now)
	err := s.Store.InTx(ctx, func(tx pay.Tx) error {
		return errors.Join(tx.InsertTenant(ctx, t), tx.InsertLicense(ctx, license))
	})
	if err != nil {
		return nil, err
	}
	added := &Added{Tenant: t, License: key, SigningSecret: t.SigningSecret}
	if t.OutboundSecret != "" && t.OutboundSecret == c.sender {
		added.OutboundSecret = t.OutboundSecret
	}
	return added, nil
}

// Try applies a change to a copy of the tenant and stores nothing. Faults when the
// result may not be stored.
func (s *Service) Try(t *pay.Tenant, c *Change) (*pay.Tenant, error) {
	trial := *t
	trial.Currencies, trial.ReturnOrigins = slices.Clone(t.Currencies), slices.Clone(t.ReturnOrigins)
	c.prepare()
	return &trial, c.apply(&trial, s.Sandbox)
}

// Set stores a change of one tenant, all of it or nothing. Faults when the result may
// not be stored, CodeNotFound when there is no such tenant. Stripe is asked before,
// because no transaction waits for the network.
func (s *Service) Set(ctx context.Context, slug string, c *Change) (*Result, error) {
	before, err := s.Store.TenantBySlug(ctx, slug)
	if err != nil {
		return nil, err
	}
	trial, err := s.Try(before, c)
	if err != nil {
		return nil, err
	}
	notes, err := s.askStripe(ctx, c, before, trial)
	if err != nil {
		return nil, err
	}
	t, err := s.Store.ChangeTenant(ctx, slug, func(t *pay.Tenant) error {
		if err := c.apply(t, s.Sandbox); err != nil {
			return err
		}
		t.UpdatedAt = s.Now()
		return nil
	})
	if err != nil {
		return nil, err
	}
	if t.State != before.State {
		more, err := s.StateNotes(ctx, t)
		if err != nil {
			return nil, err
		}
		notes = append(more, notes...)
	}
	r := &Result{Tenant: t, Notes: notes, SigningSecret: c.signing}
	if c.signing != "" {
		r.Notes = append(r.Notes, "Passes signed with the old signing secret, and links to customers' own pages, stop working now. The portal signs with the new one, and checks the return to SuccessUrl with it.")
	}
	if t.OutboundSecret != "" && t.OutboundSecret == c.sender {
		r.OutboundSecret = t.OutboundSecret
	}
	if fault := t.ReadyFault(); fault != "" {
		r.Notes = append(r.Notes, "It cannot take money yet: "+fault+".")
	}
	return r, nil
}

// SetState suspends or resumes a tenant; again, it changes nothing. CodeNotFound when
// there is no such tenant.
func (s *Service) SetState(ctx context.Context, slug string, state pay.TenantState) (t *pay.Tenant, changed bool, notes []string, err error) {
	t, err = s.Store.ChangeTenant(ctx, slug, func(t *pay.Tenant) error {
		if changed = t.State != state; changed {
			t.State, t.UpdatedAt = state, s.Now()
		}
		return nil
	})
	if err != nil {
		return nil, false, nil, err
	}
	notes, err = s.StateNotes(ctx, t)
	return t, changed, notes, err
}

// NewLicense makes a licence key, good at once and beside the older ones, or in their
// place: revoked is how many of them ended.
func (s *Service) NewLicense(ctx context.Context, t *pay.Tenant, revokeOthers bool) (key pay.Secret, license *pay.License, revoked int, err error) {
	key, license = pay.NewLicense(t.ID, s.Now())
	err = s.Store.InTx(ctx, func(tx pay.Tx) error {
		if err := tx.InsertLicense(ctx, license); err != nil || !revokeOthers {
			return err
		}
		revoked, err = tx.RevokeLicenses(ctx, t.ID, license.ID, s.Now())
		return err
	})
	return key, license, revoked, err
}

// GoodLicenses are a tenant's licences that are not revoked, oldest first.
func (s *Service) GoodLicenses(ctx context.Context, t *pay.Tenant) ([]*pay.License, error) {
	all, err := s.Store.ListLicenses(ctx, t.ID)
	var good []*pay.License
	for _, l := range all {
		if l.RevokedAt.IsZero() {
			good = append(good, l)
		}
	}
	return good, err
}

// KeepWebhookSecret puts a webhook secret before the one that is accepted now.
func (s *Service) KeepWebhookSecret(ctx context.Context, slug string, secret pay.Secret) error {
	_, err := s.Store.ChangeTenant(ctx, slug, func(t *pay.Tenant) error {
		t.StripeWebhookSecrets, t.UpdatedAt = WithNewest(t.StripeWebhookSecrets, secret), s.Now()
		return nil
	})
	return err
}
