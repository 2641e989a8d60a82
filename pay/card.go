package pay

import (
	"fmt"
	"strings"
	"time"
)

// Card is a payment method that is saved at Stripe for a customer. Stripe has the
// truth; the store keeps a copy, so that a page need not wait for Stripe, and
// every use of a card asks Stripe whose it is.
type Card struct {
	ID        string // pm_…, or legacy card_…/src_…
	Type      string // Stripe's type: card, sepa_debit, …
	Brand     string // visa, mastercard, …
	Last4     string
	ExpMonth  int
	ExpYear   int
	IsDefault bool
	Label     string    // the portal's CardInfo, "" when it gave none
	CreatedAt time.Time // at Stripe
}

// Info says what the card is, such as "visa •••• 4242 exp 12/2030".
func (c *Card) Info() string {
	name := c.Brand
	if name == "" || name == "unknown" {
		name = strings.ReplaceAll(c.Type, "_", " ")
	}
	if c.Last4 != "" {
		name += " •••• " + c.Last4
	}
	if c.ExpMonth > 0 && c.ExpYear > 0 {
		name += fmt.Sprintf(" exp %02d/%d", c.ExpMonth, c.ExpYear)
	}
	return name
}

// Expired reports whether the card's month is over at a time.
func (c *Card) Expired(at time.Time) bool {
	return c.ExpYear > 0 && !at.Before(time.Date(c.ExpYear, time.Month(c.ExpMonth)+1, 1, 0, 0, 0, 0, time.UTC))
}

// TokenUse is what became of a Stripe.js token, or of a keyed request to save one:
// each makes one accepted request.
type TokenUse struct {
	TenantID string
	// Claim is what is used up: the token's SHA-256, or the request's Idempotency-Key.
	Claim          string
	Digest         string // of the request that used it
	OrderID        string // the order it pays, "" when it only saves a card
	CustomerID     string
	IdempotencyKey string // ours, for Stripe
	CardID         string // what it became, "" until Stripe answered
	CreatedAt      time.Time
	UpdatedAt      time.Time
}
