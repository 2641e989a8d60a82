package sqlstore

import (
	"context"
	"time"

	"github.com/portatill/portatill/pay"
)

const tenantColumns = `t.id, t.slug, t.name, t.state, t.i_parent, t.default_currency, t.currencies,
	t.vat_basis_points, t.vat_mode, t.return_origins, t.loopback_returns, t.branding, t.policies,
	t.signing_secret, t.stripe_key, t.stripe_webhook_secrets, t.stripe_account, t.stripe_livemode,
	t.outbound_url, t.outbound_secret, t.created_at, t.updated_at`

func (r reader) scanTenant(w row, t *pay.Tenant) error {
	var signing, key, webhook, outbound string
	if err := w.Scan(&t.ID, &t.Slug, &t.Name, &t.State, &t.IParent, &t.DefaultCurrency, doc{&t.Currencies},
		&t.VATBasisPoints, &t.VATMode, doc{&t.ReturnOrigins}, &t.LoopbackReturns, doc{&t.Branding}, doc{&t.Policies},
		&signing, &key, &webhook, &t.StripeAccount, &t.StripeLivemode,
		&t.OutboundURL, &outbound, at(&t.CreatedAt), at(&t.UpdatedAt)); err != nil {
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
	t.OutboundSecret, err = r.keys.open("outbound_secret", t.ID, outbound)
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
		t.StripeAccount, t.StripeLivemode, t.OutboundURL, r.keys.seal("outbound_secret", t.ID, t.OutboundSecret), micros(t.UpdatedAt)}, nil
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
	return one(ctx, r, "licence", r.scanTenant, `SELECT `+tenantColumns+`
		FROM licenses l JOIN tenants t ON t.id = l.tenant_id
		WHERE l.hash = $1 AND l.revoked_at IS NULL`, hash)
}

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

// InsertTenant implements pay.Tx.
func (x *tx) InsertTenant(ctx context.Context, t *pay.Tenant) error {
	values, err := x.tenantValues(t)
	if err != nil {
		return err
	}
	return x.insert(ctx, "tenant", `INSERT INTO tenants (slug, name, state, i_parent, default_currency, currencies,
			vat_basis_points, vat_mode, return_origins, loopback_returns, branding, policies,
			signing_secret, stripe_key, stripe_webhook_secrets, stripe_account, stripe_livemode,
			outbound_url, outbound_secret, updated_at, id, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
		ON CONFLICT DO NOTHING`, append(values, t.ID, micros(t.CreatedAt))...)
}

// UpdateTenant implements pay.Tx: it stores every field but ID and CreatedAt.
func (x *tx) UpdateTenant(ctx context.Context, t *pay.Tenant) error {
	values, err := x.tenantValues(t)
	if err != nil {
		return err
	}
	n, err := x.exec(ctx, "update tenant", `UPDATE tenants SET slug = $1, name = $2, state = $3, i_parent = $4,
			default_currency = $5, currencies = $6, vat_basis_points = $7, vat_mode = $8, return_origins = $9,
			loopback_returns = $10, branding = $11, policies = $12, signing_secret = $13, stripe_key = $14,
			stripe_webhook_secrets = $15, stripe_account = $16, stripe_livemode = $17, outbound_url = $18,
			outbound_secret = $19, updated_at = $20
		WHERE id = $21 AND NOT EXISTS (SELECT 1 FROM tenants other WHERE other.slug = $1 AND other.id <> $21)`, append(values, t.ID)...)
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

// SetStripeAccount implements pay.Tx.
func (x *tx) SetStripeAccount(ctx context.Context, tenantID, account string, livemode bool) error {
	return x.must(ctx, "set Stripe account", "tenant", `UPDATE tenants SET stripe_account = $2, stripe_livemode = $3
		WHERE id = $1`, tenantID, account, livemode)
}
