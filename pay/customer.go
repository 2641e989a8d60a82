package pay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Customer is a PortaBilling customer of a tenant, unique by tenant and
// ICustomer.
type Customer struct {
	ID        string
	TenantID  string
	ICustomer int64
	IParent   int64

	Name    string // person or company, as shown on pages
	Email   string
	Phone   string
	Company string
	Address Address

	// Record is the portal's customer record as received, in canonical JSON
	// without the password. Its balances are claims and never used as truth.
	Record string

	// StripeCustomer is the cus_… of this customer in the tenant's present Stripe
	// account and mode; "" when there is none yet. The store keeps one per account
	// and mode.
	StripeCustomer string

	CreatedAt time.Time
	UpdatedAt time.Time
}

// Address is a postal address as Stripe wants it.
type Address struct {
	Line1      string `json:"line1,omitempty"`
	Line2      string `json:"line2,omitempty"`
	City       string `json:"city,omitempty"`
	State      string `json:"state,omitempty"`
	PostalCode string `json:"postal_code,omitempty"`
	Country    string `json:"country,omitempty"` // ISO 3166-1 alpha-2, "" when the portal's text is not one
}

// CustomerBalance is the mirror of what our ledger says a customer is owed in
// one currency. Credit is positive: 14.40 means that Stripe took 14.40 of this
// customer's money for the tenant and it was not given back.
type CustomerBalance struct {
	TenantID   string
	CustomerID string
	ICustomer  int64
	Name       string
	Credit     Money
}

// keepCustomer creates or updates the customer of a request. A request that only
// names the customer leaves the record of an earlier one as it is.
func keepCustomer(ctx context.Context, tx Tx, t *Tenant, claimed Customer, now time.Time) (*Customer, error) {
	if claimed.Record == "" {
		known, err := tx.CustomerByICustomer(ctx, t.ID, claimed.ICustomer)
		if !IsNotFound(err) {
			return known, err
		}
	}
	claimed.ID, claimed.TenantID, claimed.CreatedAt, claimed.UpdatedAt = NewID("cus", now), t.ID, now, now
	return &claimed, tx.SaveCustomer(ctx, &claimed)
}

// checkStripeCustomer holds a portal's CustomerId to the customer it is for: it
// must be the one we hold, or one that Stripe knows and nobody else has. It comes
// before anything is stored, so that a refused request leaves no order behind.
func (s *Service) checkStripeCustomer(ctx context.Context, t *Tenant, iCustomer int64, claimed string) error {
	if claimed == "" {
		return nil
	}
	c, err := s.Store.CustomerByICustomer(ctx, t.ID, iCustomer)
	switch {
	case IsNotFound(err):
		c = &Customer{}
	case err != nil:
		return err
	case claimed == c.StripeCustomer:
		return nil
	}
	foreign := Errorf(CodeCustomerMismatch, "CustomerId", "is not this customer's")
	if c.StripeCustomer != "" || !strings.HasPrefix(claimed, "cus_") {
		return foreign
	}
	if _, err := s.Store.CustomerByStripeID(ctx, t.ID, claimed); err == nil {
		return foreign
	} else if !IsNotFound(err) {
		return err
	}
	at, err := s.Gateway.Customer(ctx, t, claimed)
	if f := faultOf(err); f != nil && f.Kind == FaultNotFound {
		return foreign
	} else if err != nil {
		return stripeError("fetch customer "+claimed, err)
	}
	if at.Livemode != t.StripeLivemode || (at.Metadata[MetaCustomer] != "" && at.Metadata[MetaCustomer] != c.ID) {
		return foreign
	}
	return nil
}

func (s *Service) bindStripeCustomer(ctx context.Context, t *Tenant, c *Customer, id string) error {
	return s.Store.InTx(ctx, func(tx Tx) error {
		stored, err := tx.BindStripeCustomer(ctx, t.ID, c.ID, t.StripeAccount, t.StripeLivemode, id, s.Now())
		if CodeOf(err) == CodeConflict {
			return Errorf(CodeCustomerMismatch, "CustomerId", "is another customer's")
		}
		c.StripeCustomer = stored
		return err
	})
}

// customerKey is the idempotency key of making a customer at Stripe: the same
// facts give the same customer; changed facts may not be sent under an old key. A
// later attempt has another key, because Stripe may have kept an error under the
// first one.
func customerKey(t *Tenant, c *Customer, attempt int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s\x00%v", c.Name, c.Email, c.Phone, c.Company, c.Address))
	key := "portatill-" + c.ID + "-" + t.StripeAccount + "-" + hex.EncodeToString(sum[:6])
	if attempt > 1 {
		key += "-" + strconv.Itoa(attempt)
	}
	return key
}

// stripeCustomer returns the customer's cus_…, making one at Stripe when there is
// none. attempt is part of the idempotency key: a later one passes by an error that
// Stripe keeps, or a customer that was deleted there.
func (s *Service) stripeCustomer(ctx context.Context, t *Tenant, c *Customer, attempt int) (string, error) {
	if c.StripeCustomer != "" {
		return c.StripeCustomer, nil
	}
	id, err := s.Gateway.CreateCustomer(ctx, t, c, customerKey(t, c, attempt))
	if err != nil {
		return "", err
	}
	if err := s.bindStripeCustomer(ctx, t, c, id); err != nil {
		return "", err
	}
	return c.StripeCustomer, nil
}

// livingCustomer is stripeCustomer for a token: a customer who was deleted at Stripe is
// made anew before it is used, because it would be used up by Stripe's refusal.
func (s *Service) livingCustomer(ctx context.Context, t *Tenant, c *Customer, attempt int) (string, error) {
	for try := attempt; ; try++ {
		id, err := s.stripeCustomer(ctx, t, c, try)
		if err != nil {
			return "", err
		}
		_, err = s.Gateway.Customer(ctx, t, id)
		if f := faultOf(err); f == nil || f.Kind != FaultNotFound || try > attempt+2 {
			return id, err
		}
		if err := s.forgetStripeCustomer(ctx, t, c); err != nil {
			return "", err
		}
	}
}

// deletedCustomer reports whether Stripe refused because the customer was deleted
// there (docs.stripe.com/error-codes, resource_missing).
func deletedCustomer(err error) bool {
	f := faultOf(err)
	return f != nil && f.Param == "customer" && (f.Code == "resource_missing" || f.Kind == FaultNotFound)
}

// forgetStripeCustomer unbinds a cus_… that was deleted at Stripe, so that the next
// call makes another.
func (s *Service) forgetStripeCustomer(ctx context.Context, t *Tenant, c *Customer) error {
	gone := c.StripeCustomer
	if gone == "" {
		return nil
	}
	c.StripeCustomer = ""
	return s.Store.InTx(ctx, func(tx Tx) error { return tx.UnbindStripeCustomer(ctx, t.ID, c.ID, gone) })
}
