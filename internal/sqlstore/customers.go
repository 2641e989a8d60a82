package sqlstore

import (
	"context"
	"time"

	"github.com/portatill/portatill/pay"
)

// customerSelect reads customers with their Stripe customer in the tenant's
// present account and mode.
const customerSelect = `SELECT c.id, c.tenant_id, c.i_customer, c.i_parent, c.name, c.email, c.phone, c.company,
		c.address, c.record, COALESCE(s.stripe_customer, ''), c.created_at, c.updated_at
	FROM customers c
	JOIN tenants t ON t.id = c.tenant_id
	LEFT JOIN stripe_customers s ON s.tenant_id = c.tenant_id AND s.customer_id = c.id
		AND s.account = t.stripe_account AND s.livemode = t.stripe_livemode`

func scanCustomer(w row, c *pay.Customer) error {
	return w.Scan(&c.ID, &c.TenantID, &c.ICustomer, &c.IParent, &c.Name, &c.Email, &c.Phone, &c.Company,
		doc{&c.Address}, &c.Record, &c.StripeCustomer, at(&c.CreatedAt), at(&c.UpdatedAt))
}

// CustomerByID implements pay.Reader.
func (r reader) CustomerByID(ctx context.Context, tenantID, id string) (*pay.Customer, error) {
	return one(ctx, r, "customer", scanCustomer, customerSelect+` WHERE c.tenant_id = $1 AND c.id = $2`, tenantID, id)
}

// CustomerByICustomer implements pay.Reader.
func (r reader) CustomerByICustomer(ctx context.Context, tenantID string, iCustomer int64) (*pay.Customer, error) {
	return one(ctx, r, "customer", scanCustomer, customerSelect+` WHERE c.tenant_id = $1 AND c.i_customer = $2`, tenantID, iCustomer)
}

// CustomerByStripeID implements pay.Reader.
func (r reader) CustomerByStripeID(ctx context.Context, tenantID, stripeCustomer string) (*pay.Customer, error) {
	return one(ctx, r, "customer", scanCustomer, `SELECT c.id, c.tenant_id, c.i_customer, c.i_parent, c.name, c.email, c.phone,
			c.company, c.address, c.record, s.stripe_customer, c.created_at, c.updated_at
		FROM tenants t
		JOIN stripe_customers s ON s.tenant_id = t.id AND s.account = t.stripe_account AND s.livemode = t.stripe_livemode
		JOIN customers c ON c.tenant_id = s.tenant_id AND c.id = s.customer_id
		WHERE t.id = $1 AND s.stripe_customer = $2`, tenantID, stripeCustomer)
}

// CustomersByEmail implements pay.Reader. LOWER folds ASCII only, on both databases.
func (r reader) CustomersByEmail(ctx context.Context, tenantID, email string, limit int) ([]string, error) {
	list, err := many(ctx, r, "customers", func(w row, id *string) error { return w.Scan(id) },
		`SELECT id FROM customers WHERE tenant_id = $1 AND LOWER(email) = LOWER($2) AND email <> '' ORDER BY id LIMIT $3`, tenantID, email, clampLimit(limit, 5, 100))
	return values(list), err
}

// SaveCustomer implements pay.Tx: one statement, so that two requests for a new
// customer make one.
func (x *tx) SaveCustomer(ctx context.Context, c *pay.Customer) error {
	err := x.c.QueryRowContext(ctx, `INSERT INTO customers (id, tenant_id, i_customer, i_parent, name, email, phone,
			company, address, record, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (tenant_id, i_customer) DO UPDATE SET i_parent = excluded.i_parent, name = excluded.name,
			email = excluded.email, phone = excluded.phone, company = excluded.company, address = excluded.address,
			record = excluded.record, updated_at = excluded.updated_at
		RETURNING id, created_at, COALESCE((SELECT s.stripe_customer
			FROM stripe_customers s JOIN tenants t ON t.id = s.tenant_id AND t.stripe_account = s.account AND t.stripe_livemode = s.livemode
			WHERE s.tenant_id = customers.tenant_id AND s.customer_id = customers.id), '')`,
		c.ID, c.TenantID, c.ICustomer, c.IParent, c.Name, c.Email, c.Phone,
		c.Company, jsonText(c.Address), c.Record, micros(c.CreatedAt), micros(c.UpdatedAt)).
		Scan(&c.ID, at(&c.CreatedAt), &c.StripeCustomer)
	if err != nil {
		return x.fail("save customer", err)
	}
	return nil
}

// BindStripeCustomer implements pay.Tx. A cus_… that another customer has is
// CodeConflict.
func (x *tx) BindStripeCustomer(ctx context.Context, tenantID, customerID, account string, livemode bool, stripeCustomer string, when time.Time) (string, error) {
	n, err := x.exec(ctx, "bind Stripe customer", `INSERT INTO stripe_customers (tenant_id, customer_id, account, livemode, stripe_customer, created_at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`, tenantID, customerID, account, livemode, stripeCustomer, micros(when))
	if err != nil {
		return "", err
	}
	if n > 0 {
		return stripeCustomer, nil
	}
	stored, err := one(ctx, x.reader, "Stripe customer", func(w row, s *string) error { return w.Scan(s) },
		`SELECT stripe_customer FROM stripe_customers WHERE tenant_id = $1 AND customer_id = $2 AND account = $3 AND livemode = $4`,
		tenantID, customerID, account, livemode)
	if pay.IsNotFound(err) {
		return "", conflict("another customer of this tenant with that Stripe customer")
	}
	if err != nil {
		return "", err
	}
	return *stored, nil
}

// UnbindStripeCustomer implements pay.Tx.
func (x *tx) UnbindStripeCustomer(ctx context.Context, tenantID, customerID, stripeCustomer string) error {
	n, err := x.exec(ctx, "unbind Stripe customer", `DELETE FROM stripe_customers
		WHERE tenant_id = $1 AND customer_id = $2 AND stripe_customer = $3`, tenantID, customerID, stripeCustomer)
	if err != nil || n == 0 {
		return err
	}
	_, err = x.exec(ctx, "forget cards", `DELETE FROM cards WHERE tenant_id = $1 AND customer_id = $2`, tenantID, customerID)
	return err
}
