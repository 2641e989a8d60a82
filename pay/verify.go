package pay

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// VerifyLimits are the times before which something should have happened, or after
// which nothing can have.
type VerifyLimits struct {
	Received time.Time // an event that was taken in before has its outcome
	Due      time.Time // an attempt that was due before was asked about
	Asked    time.Time // a refund that was asked for before has Stripe's answer
	Future   time.Time // nothing was booked after
}

const (
	// eventLife is longer than all tries of a job: 25 with at most 12 minutes between them,
	// after the last of which the event is failed.
	eventLife = 6 * time.Hour
	// dueLife is far beyond any interval of the sweep, and beyond a bad day at Stripe.
	dueLife = 48 * time.Hour
	// skew is how wrong a clock may be (safety.md I-31).
	skew = 5 * time.Minute
)

// VerifyAll is Verify with the invariants that Books looks for, which is what `portatill
// books --verify` prints; of one tenant nothing of others is told.
func (s *Service) VerifyAll(ctx context.Context, tenantID string) ([]string, error) {
	broken, err := s.Store.VerifyBooks(ctx)
	if err != nil {
		return nil, err
	}
	more, err := s.Verify(ctx, tenantID)
	if err != nil {
		return nil, err
	}
	all := append(broken, more...)
	if tenantID == "" {
		return all, nil
	}
	t, err := s.Store.TenantByID(ctx, tenantID)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(fault string) bool { return !strings.HasPrefix(fault, t.Slug+": ") }), nil
}

// StoredCart is an order's cart beside the amount that is charged for it.
type StoredCart struct {
	OrderID string
	Kind    OrderKind
	Total   Money // what attempts and payments are compared with
	Cart    Cart
	// PaidVATMinor is the VAT that the order's payment has, nil without a payment.
	PaidVATMinor *int64
}

// Verify looks for everything that may be wrong with the books and that Books does not
// look for: the remaining invariants that are SQL views, what waits too long, the
// triggers that guard the ledger, and of one tenant (all with "") every cart's
// arithmetic and every hash of the ledger. It reads all there is, so it takes minutes
// where there are millions of payments, and writes nothing. Each line is a fault and
// begins with the tenant's slug, or with "database"; none is the goal.
func (s *Service) Verify(ctx context.Context, tenantID string) ([]string, error) {
	now := s.Now()
	faults, err := s.Store.VerifyMore(ctx, VerifyLimits{Received: now.Add(-eventLife), Due: now.Add(-dueLife), Asked: now.Add(-dueLife), Future: now.Add(skew)})
	if err != nil {
		return nil, err
	}
	missing, err := s.Store.MissingGuards(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range missing {
		faults = append(faults, "database: "+name+": I-03: the trigger that keeps the ledger append-only and balanced is gone, changed or turned off; restore the schema")
	}
	tenants, err := s.Store.ListTenants(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range tenants {
		if tenantID != "" && t.ID != tenantID {
			continue
		}
		if err := s.Store.WalkCarts(ctx, t.ID, func(c *StoredCart) error {
			if why := c.fault(); why != "" {
				faults = append(faults, t.Slug+": "+c.OrderID+": I-17: "+why)
			}
			return nil
		}); err != nil {
			return nil, err
		}
		changed, err := s.VerifyLedger(ctx, t)
		if err != nil {
			return nil, err
		}
		faults = append(faults, changed...)
	}
	return faults, nil
}

// fault computes a stored cart again, from its lines up, and says what does not add up;
// "" when everything does.
func (c *StoredCart) fault() string {
	sum := Cart{Currency: c.Cart.Currency, VATMode: c.Cart.VATMode, VATBasisPoints: c.Cart.VATBasisPoints}
	for i := range c.Cart.Lines {
		l := &c.Cart.Lines[i]
		if why := c.Cart.lineFault(l); why != "" {
			return fmt.Sprintf("item %d of the cart: %s", l.Index, why)
		}
		sum.SubtotalMinor += l.SubtotalMinor
		sum.VATMinor += l.VATMinor
		sum.TotalMinor += l.TotalMinor
	}
	have := []int64{c.Cart.SubtotalMinor, c.Cart.VATMinor, c.Cart.TotalMinor}
	for i, want := range []int64{sum.SubtotalMinor, sum.VATMinor, sum.TotalMinor} {
		if have[i] != want {
			return fmt.Sprintf("the cart's %s is %d, its lines come to %d", []string{"subtotal", "VAT", "total"}[i], have[i], want)
		}
	}
	if c.Kind == OrderPayment && c.Total != c.Cart.Total() {
		return fmt.Sprintf("the order is over %s, its cart over %s", c.Total, c.Cart.Total())
	}
	if c.PaidVATMinor != nil && *c.PaidVATMinor != c.Cart.VATMinor {
		return fmt.Sprintf("the payment has a VAT of %d, the cart %d", *c.PaidVATMinor, c.Cart.VATMinor)
	}
	atStripe := int64(0)
	for _, l := range c.Cart.StripeLines() {
		atStripe += l.Quantity * l.UnitMinor
	}
	if atStripe != c.Cart.TotalMinor {
		return fmt.Sprintf("Stripe's page would show lines of %d, the total is %d", atStripe, c.Cart.TotalMinor)
	}
	return ""
}

// lineFault computes one line again, as priceLine does; a subtotal that the portal
// stated is taken as it is.
func (c *Cart) lineFault(l *Line) string {
	if want := l.Quantity*(l.SetupMinor+l.MonthlyMinor*l.Months) + l.ChargeMinor - l.VoucherMinor; !l.Stated && l.SubtotalMinor != want {
		return fmt.Sprintf("its subtotal is %d, its fields come to %d", l.SubtotalMinor, want)
	}
	if want := vatOf(&Tenant{VATMode: c.VATMode, VATBasisPoints: c.VATBasisPoints}, c.Currency, *l); l.VATMinor != want {
		return fmt.Sprintf("its VAT is %d, %s %% of it come to %d", l.VATMinor, Percent(c.VATBasisPoints), want)
	}
	want := l.SubtotalMinor
	if c.VATMode == VATExclusive {
		want += l.VATMinor
	}
	if l.TotalMinor != want || l.SubtotalMinor < 0 {
		return fmt.Sprintf("its total is %d, subtotal and VAT come to %d", l.TotalMinor, want)
	}
	return ""
}
