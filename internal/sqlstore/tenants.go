package sqlstore

import (
	"context"
	"time"

	"github.com/portatill/portatill/pay"
)

const tenantColumns = `t.id, t.slug, t.name, t.state, t.i_parent, t.default_currency, t.currencies,
	t.vat_basis_points, t.vat_mode, t.return_origins, t.loopback_returns, t.branding, t.policies,
	t.signing_secret, t.stripe_key, t.stripe_webhook_secrets, t.stripe_account, t.stripe_livemode,
	t.outbound_url, t.outbound_secret, t.porta_url, t.porta_login, t.porta_token, t.logo_type, t.created_at, t.updated_at`

func (r reader) scanTenant(w row, t *pay.Tenant) error {
	var signing, key, webhook, outbound, porta string
	if err := w.Scan(&t.ID, &t.Slug, &t.Name, &t.State, &t.IParent, &t.DefaultCurrency, doc{&t.Currencies},
		&t.VATBasisPoints, &t.VATMode, doc{&t.ReturnOrigins}, &t.LoopbackReturns, doc{&t.Branding}, doc{&t.Policies},
		&signing, &key, &webhook, &t.StripeAccount, &t.StripeLivemode,
		&t.OutboundURL, &outbound, &t.PortaBilling.URL, &t.PortaBilling.Login, &porta, &t.Branding.LogoType,
		at(&t.CreatedAt), at(&t.UpdatedAt)); err != nil {
		return err
	}
	var err error
	if t.SigningSecret, err = r.keys.open("signing_secret", t.ID, signing); err != nil {
		return err
	}
	if t.StripeKey, err = r.keys.open("stripe_key", t.ID, key); err != nil {
		return err
	}
	if t.StripeWebhookSecrets, err = r.keys.openList("stripe_webhook_secrets", t.ID, webhook); err != nil {
		return err
	}
	if t.OutboundSecret, err = r.keys.open("outbound_secret", t.ID, outbound); err != nil {
		return err
	}
	t.PortaBilling.Token, err = r.keys.open("porta_token", t.ID, porta)
	return err
}

// tenantValues are the values of a tenant's columns but id and created_at.
func (r reader) tenantValues(t *pay.Tenant) ([]any, error) {
	webhook, err := r.keys.sealList("stripe_webhook_secrets", t.ID, t.StripeWebhookSecrets)
	if err != nil {
		return nil, err
	}
	return []any{t.Slug, t.Name, t.State, t.IParent, t.DefaultCurrency, jsonText(t.Currencies),
		t.VATBasisPoints, t.VATMode, jsonText(t.ReturnOrigins), t.LoopbackReturns, jsonText(t.Branding), jsonText(t.Policies),
		r.keys.seal("signing_secret", t.ID, t.SigningSecret), r.keys.seal("stripe_key", t.ID, t.StripeKey), webhook,
		t.StripeAccount, t.StripeLivemode, t.OutboundURL, r.keys.seal("outbound_secret", t.ID, t.OutboundSecret),
		t.PortaBilling.URL, t.PortaBilling.Login, r.keys.seal("porta_token", t.ID, t.PortaBilling.Token), t.Branding.LogoType, micros(t.UpdatedAt)}, nil
}

// TenantByID implements pay.Reader.
func (r reader) TenantByID(ctx context.Context, id string) (*pay.Tenant, error) {
	return one(ctx, r, "tenant", r.scanTenant, `SELECT `+tenantColumns+` FROM tenants t WHERE t.id = $1`, id)
}

// TenantBySlug implements pay.Reader.
func (r reader) TenantBySlug(ctx context.Context, slug string) (*pay.Tenant, error) {
	return one(ctx, r, "tenant", r.scanTenant, `SELECT `+tenantColumns+` FROM tenants t WHERE t.slug = $1`, slug)
}

// TenantByLicense implements pay.Reader.
func (r reader) TenantByLicense(ctx context.Context, hash string) (*pay.Tenant, error) {
	return one(ctx, r, "licence", func(w row, t *pay.Tenant) error {
		return r.scanTenant(longerRow{w, &t.LicenseID}, t)
	}, `SELECT `+tenantColumns+`, l.id
		FROM licenses l JOIN tenants t ON t.id = l.tenant_id
		WHERE l.hash = $1 AND l.revoked_at IS NULL`, hash)
}

// longerRow is a row with one more column than its scanner knows.
type longerRow struct {
	row
	last any
}

func (r longerRow) Scan(dest ...any) error { return r.row.Scan(append(dest, r.last)...) }

// ListTenants implements pay.Reader; they come by slug.
func (r reader) ListTenants(ctx context.Context) ([]*pay.Tenant, error) {
	return many(ctx, r, "tenants", r.scanTenant, `SELECT `+tenantColumns+` FROM tenants t ORDER BY t.slug`)
}

// ListLicenses implements pay.Reader; they come oldest first.
func (r reader) ListLicenses(ctx context.Context, tenantID string) ([]*pay.License, error) {
	return many(ctx, r, "licences", func(w row, l *pay.License) error {
		return w.Scan(&l.ID, &l.TenantID, &l.Hash, &l.Hint, at(&l.CreatedAt), at(&l.RevokedAt))
	}, `SELECT id, tenant_id, hash, hint, created_at, revoked_at FROM licenses WHERE tenant_id = $1 ORDER BY id`, tenantID)
}

// TenantLogo returns the bytes and the media type of a tenant's logo; CodeNotFound
// when it has none. Reading a tenant does not read them: every request reads one.
func (s *Store) TenantLogo(ctx context.Context, tenantID string) (logo []byte, mediaType string, err error) {
	b, err := one(ctx, s.reader, "logo", func(w row, b *pay.Branding) error { return w.Scan(&b.Logo, &b.LogoType) },
		`SELECT logo, logo_type FROM tenants WHERE id = $1 AND logo IS NOT NULL`, tenantID)
	if err != nil {
		return nil, "", err
	}
	return b.Logo, b.LogoType, nil
}

// ChangeTenant reads a tenant, lets change work on it and stores it, in one
// transaction that keeps others from changing the row in between: two that change
// different properties at once are both stored. change may run more than once and
// must not touch the network; its error undoes everything. CodeNotFound when there is
// no such tenant.
func (s *Store) ChangeTenant(ctx context.Context, slug string, change func(*pay.Tenant) error) (*pay.Tenant, error) {
	var changed *pay.Tenant
	err := s.InTx(ctx, func(p pay.Tx) error {
		// The update that changes nothing locks the row on PostgreSQL; on SQLite the
		// transaction is alone anyway.
		if err := p.(*tx).must(ctx, "lock tenant", "tenant", `UPDATE tenants SET updated_at = updated_at WHERE slug = $1`, slug); err != nil {
			return err
		}
		t, err := p.TenantBySlug(ctx, slug)
		if err != nil {
			return err
		}
		if err := change(t); err != nil {
			return err
		}
		changed = t
		return p.UpdateTenant(ctx, t)
	})
	return changed, err
}

// InsertTenant implements pay.Tx.
func (x *tx) InsertTenant(ctx context.Context, t *pay.Tenant) error {
	values, err := x.tenantValues(t)
	if err != nil {
		return err
	}
	return x.insert(ctx, "tenant", `INSERT INTO tenants (slug, name, state, i_parent, default_currency, currencies,
			vat_basis_points, vat_mode, return_origins, loopback_returns, branding, policies,
			signing_secret, stripe_key, stripe_webhook_secrets, stripe_account, stripe_livemode,
			outbound_url, outbound_secret, porta_url, porta_login, porta_token, logo_type, updated_at, id, created_at, logo)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27)
		ON CONFLICT DO NOTHING`, append(values, t.ID, micros(t.CreatedAt), logoBytes(t))...)
}

// logoBytes are a tenant's logo as it is stored: NULL when there is none, or when
// it was not read.
func logoBytes(t *pay.Tenant) any {
	if t.Branding.LogoType == "" || t.Branding.Logo == nil {
		return nil
	}
	return t.Branding.Logo
}

// UpdateTenant implements pay.Tx: it stores every field but ID and CreatedAt. The
// stored logo stays when t says that there is one and does not have it.
func (x *tx) UpdateTenant(ctx context.Context, t *pay.Tenant) error {
	values, err := x.tenantValues(t)
	if err != nil {
		return err
	}
	n, err := x.exec(ctx, "update tenant", `UPDATE tenants SET slug = $1, name = $2, state = $3, i_parent = $4,
			default_currency = $5, currencies = $6, vat_basis_points = $7, vat_mode = $8, return_origins = $9,
			loopback_returns = $10, branding = $11, policies = $12, signing_secret = $13, stripe_key = $14,
			stripe_webhook_secrets = $15, stripe_account = $16, stripe_livemode = $17, outbound_url = $18,
			outbound_secret = $19, porta_url = $20, porta_login = $21, porta_token = $22, logo_type = $23, updated_at = $24,
			logo = CASE WHEN $23 = '' THEN NULL ELSE COALESCE($26, logo) END
		WHERE id = $25 AND NOT EXISTS (SELECT 1 FROM tenants other WHERE other.slug = $1 AND other.id <> $25)`, append(values, t.ID, logoBytes(t))...)
	if err != nil || n > 0 {
		return err
	}
	if _, err := x.TenantByID(ctx, t.ID); err != nil {
		return err
	}
	return conflict("a tenant with this slug")
}

// InsertLicense implements pay.Tx.
func (x *tx) InsertLicense(ctx context.Context, l *pay.License) error {
	return x.insert(ctx, "licence", `INSERT INTO licenses (id, tenant_id, hash, hint, created_at, revoked_at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		l.ID, l.TenantID, l.Hash, l.Hint, micros(l.CreatedAt), micros(l.RevokedAt))
}

// RevokeLicenses implements pay.Tx: it revokes a tenant's good licences but one
// and returns how many those were.
func (x *tx) RevokeLicenses(ctx context.Context, tenantID, exceptID string, when time.Time) (int, error) {
	n, err := x.exec(ctx, "revoke licences", `UPDATE licenses SET revoked_at = $3
		WHERE tenant_id = $1 AND id <> $2 AND revoked_at IS NULL`, tenantID, exceptID, micros(when))
	return int(n), err
}

// RevokeLicense revokes one licence of a tenant and reports whether it was good
// until now; CodeNotFound when the tenant has no such licence.
func (s *Store) RevokeLicense(ctx context.Context, tenantID, licenseID string, when time.Time) (revoked bool, err error) {
	err = s.InTx(ctx, func(p pay.Tx) error {
		x := p.(*tx)
		revoked, err = x.moved(ctx, "revoke licence", `UPDATE licenses SET revoked_at = $3
			WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL`, tenantID, licenseID, micros(when))
		if err != nil || revoked {
			return err
		}
		return x.must(ctx, "revoke licence", "licence", `UPDATE licenses SET revoked_at = revoked_at WHERE tenant_id = $1 AND id = $2`, tenantID, licenseID)
	})
	return revoked, err
}

// StripeAccountOwner implements pay.Reader.
func (r reader) StripeAccountOwner(ctx context.Context, account string, livemode bool) (string, error) {
	type owner struct{ id string }
	o, err := one(ctx, r, "Stripe account", func(w row, o *owner) error { return w.Scan(&o.id) },
		`SELECT tenant_id FROM stripe_accounts WHERE account = $1 AND livemode = $2`, account, livemode)
	if err != nil {
		if pay.IsNotFound(err) {
			err = nil
		}
		return "", err
	}
	return o.id, nil
}

// ClaimStripeAccount implements pay.Tx.
func (x *tx) ClaimStripeAccount(ctx context.Context, account string, livemode bool, tenantID, from string) (bool, error) {
	if from != "" {
		n, err := x.exec(ctx, "claim Stripe account", `UPDATE stripe_accounts SET tenant_id = $3 WHERE account = $1 AND livemode = $2 AND tenant_id = $4`,
			account, livemode, tenantID, from)
		return n > 0, err
	}
	n, err := x.exec(ctx, "claim Stripe account", `INSERT INTO stripe_accounts (account, livemode, tenant_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		account, livemode, tenantID)
	return n > 0, err
}

// SetStripeAccount implements pay.Tx.
func (x *tx) SetStripeAccount(ctx context.Context, tenantID, account string, livemode bool) error {
	return x.must(ctx, "set Stripe account", "tenant", `UPDATE tenants SET stripe_account = $2, stripe_livemode = $3
		WHERE id = $1`, tenantID, account, livemode)
}
