package demo

import (
	"context"
	"sync"

	"github.com/portatill/portatill/pay"
)

// Weather is the gate to Stripe with its bad moments, which the double cannot be asked for one by one: an outage, and a
// session about which Stripe says something else than it did. It lets everything through otherwise.
type Weather struct {
	pay.Gateway
	mu      sync.Mutex
	outage  bool
	session func(*pay.StripeSession)
}

func (g *Weather) down() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.outage
}

func (g *Weather) setDown(down bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.outage = down
}

// saying runs something while what Stripe says about sessions is changed.
func (g *Weather) saying(change func(*pay.StripeSession), during func() error) error {
	set := func(f func(*pay.StripeSession)) { g.mu.Lock(); g.session = f; g.mu.Unlock() }
	set(change)
	defer set(nil)
	return during()
}

// through makes a call unless Stripe is down.
func through[T any](g *Weather, call func() (T, error)) (T, error) {
	if g.down() {
		var none T
		return none, &pay.StripeFault{Kind: pay.FaultUnavailable, Code: "api_error"}
	}
	return call()
}

// CreateCustomer implements pay.Gateway.
func (g *Weather) CreateCustomer(ctx context.Context, t *pay.Tenant, c *pay.Customer, key string) (string, error) {
	return through(g, func() (string, error) { return g.Gateway.CreateCustomer(ctx, t, c, key) })
}

// CreateSession implements pay.Gateway.
func (g *Weather) CreateSession(ctx context.Context, t *pay.Tenant, in pay.SessionInput, key string) (*pay.StripeSession, error) {
	return through(g, func() (*pay.StripeSession, error) { return g.Gateway.CreateSession(ctx, t, in, key) })
}

// Session implements pay.Gateway.
func (g *Weather) Session(ctx context.Context, t *pay.Tenant, id string) (*pay.StripeSession, error) {
	s, err := through(g, func() (*pay.StripeSession, error) { return g.Gateway.Session(ctx, t, id) })
	g.mu.Lock()
	change := g.session
	g.mu.Unlock()
	if err == nil && change != nil {
		change(s)
	}
	return s, err
}

// Intent implements pay.Gateway.
func (g *Weather) Intent(ctx context.Context, t *pay.Tenant, id string) (*pay.StripeIntent, error) {
	return through(g, func() (*pay.StripeIntent, error) { return g.Gateway.Intent(ctx, t, id) })
}

// ChargeCard implements pay.Gateway.
func (g *Weather) ChargeCard(ctx context.Context, t *pay.Tenant, in pay.ChargeInput, key string) (*pay.StripeIntent, error) {
	return through(g, func() (*pay.StripeIntent, error) { return g.Gateway.ChargeCard(ctx, t, in, key) })
}
