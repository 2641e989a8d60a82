package paytest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/portatill/portatill/pay"
)

// Faults fails one call out of many: the n-th after Arm. It counts on, so that
// Reached tells whether there was an n-th call at all.
type Faults struct {
	mu    sync.Mutex
	at    int
	count int
	hit   string
	err   error
	watch func(call string) error
}

// Arm makes the n-th call from now on, 1 is the next, fail with err.
func (f *Faults) Arm(n int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at, f.count, f.hit, f.err = n, 0, "", err
}

// Disarm lets everything work again and returns the name of the call that failed,
// "" when there was none.
func (f *Faults) Disarm() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at = 0
	return f.hit
}

// Watch asks watch at every call from now on, and fails the call with its error;
// nil ends it. Watch is called without a lock.
func (f *Faults) Watch(watch func(call string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watch = watch
}

// next counts a call and gives the error it fails with, or nil.
func (f *Faults) next(call string) error {
	f.mu.Lock()
	if watch := f.watch; watch != nil {
		f.mu.Unlock()
		return watch(call)
	}
	defer f.mu.Unlock()
	f.count++
	if f.at == 0 || f.count != f.at {
		return nil
	}
	f.hit = call
	return f.err
}

// DatabaseGone is how a failing database shows.
func DatabaseGone() error {
	return &pay.Error{Code: pay.CodeUnavailable, Message: "the test's database is gone"}
}

// StripeSilent is a call that was not answered: whether it had its effect is
// unknown.
func StripeSilent() error {
	return &pay.StripeFault{Kind: pay.FaultUnavailable, Message: "the test's Stripe does not answer"}
}

// Gateway wraps a gateway: it counts calls, fails one of them before or after its
// effect, and lies about what Stripe says. The zero hooks do nothing.
type Gateway struct {
	In pay.Gateway
	// Before fails calls without an effect, After calls that had theirs.
	Before, After Faults
	// Session and Intent change what a fetch answers: a Stripe that lies, or one
	// that has moved on. They may return an error instead.
	Session func(s *pay.StripeSession) error
	Intent  func(i *pay.StripeIntent) error

	mu    sync.Mutex
	calls []string
}

var _ pay.Gateway = (*gateway)(nil)

// gateway has the methods, so that the hooks can be called Session and Intent.
type gateway struct{ *Gateway }

// Wrap puts a Gateway in front of the world's and returns it.
func (w *World) Wrap() *Gateway {
	g := &Gateway{In: w.Gate}
	w.Pay.Gateway = &gateway{g}
	return g
}

// Calls lists the calls since the last time it was asked.
func (g *Gateway) Calls() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := slices.Clone(g.calls)
	g.calls = nil
	return out
}

func through[T any](g *Gateway, name string, call func() (T, error)) (T, error) {
	var zero T
	g.mu.Lock()
	g.calls = append(g.calls, name)
	g.mu.Unlock()
	if err := g.Before.next(name); err != nil {
		return zero, err
	}
	out, err := call()
	if err != nil {
		return out, err
	}
	if err := g.After.next(name); err != nil {
		return zero, err
	}
	return out, nil
}

func (g *gateway) Account(ctx context.Context, t *pay.Tenant) (pay.StripeAccount, error) {
	return through(g.Gateway, "Account", func() (pay.StripeAccount, error) { return g.In.Account(ctx, t) })
}

func (g *gateway) CreateCustomer(ctx context.Context, t *pay.Tenant, c *pay.Customer, key string) (string, error) {
	return through(g.Gateway, "CreateCustomer", func() (string, error) { return g.In.CreateCustomer(ctx, t, c, key) })
}

func (g *gateway) Customer(ctx context.Context, t *pay.Tenant, id string) (*pay.StripeCustomer, error) {
	return through(g.Gateway, "Customer", func() (*pay.StripeCustomer, error) { return g.In.Customer(ctx, t, id) })
}

func (g *gateway) CreateSession(ctx context.Context, t *pay.Tenant, in pay.SessionInput, key string) (*pay.StripeSession, error) {
	return through(g.Gateway, "CreateSession", func() (*pay.StripeSession, error) { return g.In.CreateSession(ctx, t, in, key) })
}

func (g *gateway) ExpireSession(ctx context.Context, t *pay.Tenant, id, key string) (*pay.StripeSession, error) {
	return through(g.Gateway, "ExpireSession", func() (*pay.StripeSession, error) { return g.In.ExpireSession(ctx, t, id, key) })
}

func (g *gateway) Session(ctx context.Context, t *pay.Tenant, id string) (*pay.StripeSession, error) {
	return through(g.Gateway, "Session", func() (*pay.StripeSession, error) {
		s, err := g.In.Session(ctx, t, id)
		if err != nil {
			return s, err
		}
		if g.Gateway.Intent != nil && s.Intent != nil {
			if err := g.Gateway.Intent(s.Intent); err != nil {
				return nil, err
			}
		}
		if g.Gateway.Session != nil {
			if err := g.Gateway.Session(s); err != nil {
				return nil, err
			}
		}
		return s, nil
	})
}

func (g *gateway) Intent(ctx context.Context, t *pay.Tenant, id string) (*pay.StripeIntent, error) {
	return through(g.Gateway, "Intent", func() (*pay.StripeIntent, error) {
		i, err := g.In.Intent(ctx, t, id)
		if err == nil && g.Gateway.Intent != nil {
			err = g.Gateway.Intent(i)
		}
		return i, err
	})
}

func (g *gateway) IntentOf(ctx context.Context, t *pay.Tenant, objectID string) (string, error) {
	return through(g.Gateway, "IntentOf", func() (string, error) { return g.In.IntentOf(ctx, t, objectID) })
}

func (g *gateway) SessionOf(ctx context.Context, t *pay.Tenant, intentID string) (string, error) {
	return through(g.Gateway, "SessionOf", func() (string, error) { return g.In.SessionOf(ctx, t, intentID) })
}

func (g *gateway) Cards(ctx context.Context, t *pay.Tenant, stripeCustomer string) ([]*pay.Card, error) {
	return through(g.Gateway, "Cards", func() ([]*pay.Card, error) { return g.In.Cards(ctx, t, stripeCustomer) })
}

func (g *gateway) Card(ctx context.Context, t *pay.Tenant, stripeCustomer, id string) (*pay.Card, error) {
	return through(g.Gateway, "Card", func() (*pay.Card, error) { return g.In.Card(ctx, t, stripeCustomer, id) })
}

func (g *gateway) SaveCard(ctx context.Context, t *pay.Tenant, in pay.CardToken, key string) (*pay.Card, error) {
	return through(g.Gateway, "SaveCard", func() (*pay.Card, error) { return g.In.SaveCard(ctx, t, in, key) })
}

func (g *gateway) LabelCard(ctx context.Context, t *pay.Tenant, id, label, key string) error {
	_, err := through(g.Gateway, "LabelCard", func() (struct{}, error) { return struct{}{}, g.In.LabelCard(ctx, t, id, label, key) })
	return err
}

func (g *gateway) DeleteCard(ctx context.Context, t *pay.Tenant, stripeCustomer, id, key string) error {
	_, err := through(g.Gateway, "DeleteCard", func() (struct{}, error) {
		return struct{}{}, g.In.DeleteCard(ctx, t, stripeCustomer, id, key)
	})
	return err
}

func (g *gateway) ChargeCard(ctx context.Context, t *pay.Tenant, in pay.ChargeInput, key string) (*pay.StripeIntent, error) {
	return through(g.Gateway, "ChargeCard", func() (*pay.StripeIntent, error) { return g.In.ChargeCard(ctx, t, in, key) })
}

func (g *gateway) CancelIntent(ctx context.Context, t *pay.Tenant, id, key string) (*pay.StripeIntent, error) {
	return through(g.Gateway, "CancelIntent", func() (*pay.StripeIntent, error) { return g.In.CancelIntent(ctx, t, id, key) })
}

func (g *gateway) IntentMade(ctx context.Context, t *pay.Tenant, stripeCustomer string, a *pay.Attempt) (string, error) {
	return through(g.Gateway, "IntentMade", func() (string, error) { return g.In.IntentMade(ctx, t, stripeCustomer, a) })
}

func (g *gateway) CreateRefund(ctx context.Context, t *pay.Tenant, in pay.RefundInput, key string) (*pay.StripeRefund, error) {
	return through(g.Gateway, "CreateRefund", func() (*pay.StripeRefund, error) { return g.In.CreateRefund(ctx, t, in, key) })
}

func (g *gateway) List(ctx context.Context, t *pay.Tenant, in pay.ListInput) (*pay.ListPage, error) {
	return through(g.Gateway, "List", func() (*pay.ListPage, error) { return g.In.List(ctx, t, in) })
}

func (g *gateway) ListBalance(ctx context.Context, t *pay.Tenant, in pay.BalanceInput) (*pay.BalancePage, error) {
	return through(g.Gateway, "ListBalance", func() (*pay.BalancePage, error) { return g.In.ListBalance(ctx, t, in) })
}

func (g *gateway) ListPayouts(ctx context.Context, t *pay.Tenant, from time.Time, after string) (*pay.PayoutPage, error) {
	return through(g.Gateway, "ListPayouts", func() (*pay.PayoutPage, error) { return g.In.ListPayouts(ctx, t, from, after) })
}
