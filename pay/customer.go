package pay

import "time"

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
