package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/portatill/portatill/pay"
)

// How far our clock may be off: at 300 s Stripe's signatures are refused
// (docs.stripe.com/webhooks), and expiries go wrong before.
const clockWarn, clockFail = 5 * time.Second, 60 * time.Second

const (
	// silenceWindow is how far back payments are compared with events.
	silenceWindow = 7 * 24 * time.Hour
	// silenceGrace is how long after a payment its event may come: Stripe sends it at
	// once, and again later when it was not taken.
	silenceGrace = time.Hour
)

func (e *examination) tenant(ctx context.Context, t *pay.Tenant) {
	e.connection(ctx, t)
	e.ready(t) // last of these, because mending the endpoint may have given it its secret
	e.silence(ctx, t)
	e.events(ctx, t)
	e.unclaimed(ctx, t)
	e.sweep(ctx, t)
	e.proof(ctx, t)
}

// connection looks at the tenant's account at Stripe.
func (e *examination) connection(ctx context.Context, t *pay.Tenant) {
	if t.StripeKey != "" && e.key(ctx, t) {
		e.clock(ctx, t)
		e.endpoint(ctx, t)
	}
}

// ReadyCheck is the name of the check whether a tenant can take money.
const ReadyCheck = "ready"

func (e *examination) ready(t *pay.Tenant) {
	const name = ReadyCheck
	if fault := t.ReadyFault(); fault != "" {
		e.fail(name, "it cannot take money: "+fault, "see portatill tenant set --help; portatill doctor --tenant "+t.Slug+" --fix makes the webhook endpoint and keeps its secret")
		return
	}
	e.ok(name, "it can take money (%s mode)", mode(t))
}

func mode(t *pay.Tenant) string {
	if t.StripeLivemode {
		return "live"
	}
	return "test"
}

// KeyCheck is the name of the check whose failure means that a key is of no use.
const KeyCheck = "stripe key"

// key reports whether the key works.
func (e *examination) key(ctx context.Context, t *pay.Tenant) bool {
	const name = KeyCheck
	restricted := strings.HasPrefix(t.StripeKey.Reveal(), "rk_")
	account, err := e.Stripe.Account(ctx, t)
	if f, ok := errors.AsType[*pay.StripeFault](err); ok && f.Kind == pay.FaultCredentials {
		if restricted && e.nameless(ctx, t) {
			return true
		}
		e.fail(name, "it cannot be used: "+words(err), "set a valid one with portatill tenant set "+t.Slug+" --stripe-key-file FILE")
		return false
	}
	if err != nil {
		e.fail(name, "Stripe was not heard: "+words(err), "see that this machine reaches Stripe's API, and status.stripe.com")
		return false
	}
	if t.StripeAccount != "" && account.ID != t.StripeAccount {
		e.fail(name, fmt.Sprintf("it is of account %s, the tenant's payments are in %s", account.ID, t.StripeAccount), "set a key of "+t.StripeAccount+" again, or see \"Rotation\" in docs/operations.md")
		return false
	}
	if !restricted {
		e.warn(name, fmt.Sprintf("it works (%s, %s mode) and may do anything in the account", account.ID, mode(t)),
			"a restricted key would do; it needs "+strings.Join(e.Permissions, ", "))
		return true
	}
	e.ok(name, "it works (%s, %s mode) and is restricted", account.ID, mode(t))
	return true
}

// nameless reports whether a restricted key works although Stripe does not tell it whose
// it is (github.com/stripe/stripe-node/issues/2246), and says what that means: the till
// asks for the account once, before a tenant's first payment.
func (e *examination) nameless(ctx context.Context, t *pay.Tenant) bool {
	const name = KeyCheck
	if _, err := e.Stripe.Endpoints(ctx, t); err != nil {
		return false
	}
	if t.StripeAccount != "" {
		e.ok(name, "it works and is restricted; Stripe does not show it its account (%s when it was learnt)", t.StripeAccount)
		return true
	}
	e.fail(name, "it works, but Stripe does not show it its account, whose id the till must learn before the first payment", "tell the till, with portatill tenant set "+t.Slug+" --stripe-account acct_…, as Stripe's dashboard shows it; or set a key that may ask")
	return true
}

func (e *examination) clock(ctx context.Context, t *pay.Tenant) {
	const name = "clock"
	ahead, err := e.Stripe.ClockAhead(ctx, t)
	if err != nil {
		e.warn(name, "Stripe's time is not known: "+words(err), "try again")
		return
	}
	off, way := ahead, "ahead of"
	if off < 0 {
		off, way = -off, "behind"
	}
	what := fmt.Sprintf("ours is %s %s Stripe's", off.Round(time.Second), way)
	do := "set this machine's clock, by NTP: at 300 s every webhook is refused"
	switch {
	case off > clockFail:
		e.fail(name, what, do)
	case off > clockWarn:
		e.warn(name, what, do)
	default:
		e.ok(name, "it agrees with Stripe's")
	}
}

// silence compares payments with events. Nothing is lost when Stripe's events do not
// arrive, but customers who close their browser are told late.
func (e *examination) silence(ctx context.Context, t *pay.Tenant) {
	const name = "webhooks arriving"
	now := e.Now()
	heard := now.Add(-silenceWindow)
	events, err := e.Store.ListEvents(ctx, pay.EventFilter{TenantID: t.ID, Since: heard, Limit: 1})
	var paid []*pay.Order
	if err == nil {
		paid, err = e.Store.ListOrders(ctx, pay.OrderFilter{TenantID: t.ID, State: pay.OrderPaid, Since: heard, Limit: 200})
	}
	if err != nil {
		e.fail(name, "it cannot be read: "+words(err), "see that the database is up")
		return
	}
	since := "in the last 7 days"
	if len(events) > 0 {
		heard = events[0].ReceivedAt
		since = "since " + heard.Format(time.RFC3339)
	}
	missed := 0
	for _, o := range paid {
		// A total of nothing is paid without Stripe; it has no events.
		if strings.HasPrefix(o.Evidence, "pi_") && o.PaidAt.After(heard.Add(silenceGrace)) && o.PaidAt.Before(now.Add(-silenceGrace)) {
			missed++
		}
	}
	switch {
	case missed > 0:
		e.fail(name, fmt.Sprintf("no event came %s, although %s booked", since, number(missed, "payment was", "payments were")),
			"see the endpoint's deliveries in Stripe's dashboard; 400 there means another secret: delete the endpoint there and run portatill doctor --tenant "+t.Slug+" --fix")
	case len(events) == 0:
		e.ok(name, "none %s, and no payment that one should have told of", since)
	default:
		e.ok(name, "the last one came %s ago", age(now.Sub(heard)))
	}
}

// mostEvents bounds what is counted: more is as bad.
const mostEvents = 1000

func (e *examination) events(ctx context.Context, t *pay.Tenant) {
	const name = "events"
	failed, err := e.Store.ListEvents(ctx, pay.EventFilter{TenantID: t.ID, State: pay.EventFailed, Limit: mostEvents})
	switch {
	case err != nil:
		e.fail(name, "they cannot be read: "+words(err), "see that the database is up")
	case len(failed) > 0:
		e.fail(name, number(len(failed), "event gave up", "events gave up"), "mend the cause (portatill events list --state failed tells it), then portatill events replay --state failed --tenant "+t.Slug)
	default:
		e.ok(name, "none gave up")
	}
}

func (e *examination) unclaimed(ctx context.Context, t *pay.Tenant) {
	const name = "unclaimed money"
	all, err := e.Store.ListUnclaimed(ctx, t.ID)
	if err != nil {
		e.fail(name, "it cannot be read: "+words(err), "see that the database is up")
		return
	}
	open := 0
	for _, u := range all {
		if u.State == "open" {
			open++
		}
	}
	if open > 0 {
		e.warn(name, number(open, "case waits", "cases wait")+" for a person", "see portatill unclaimed list --tenant "+t.Slug)
		return
	}
	e.ok(name, "no case is open")
}

// compareEvents says which of the events that are wanted are missing, and which that
// nobody wants are there.
func compareEvents(have, want []string) (missing, extra []string) {
	all := slices.Contains(have, "*")
	for _, w := range want {
		if !all && !slices.Contains(have, w) {
			missing = append(missing, w)
		}
	}
	for _, h := range have {
		if !slices.Contains(want, h) {
			extra = append(extra, h)
		}
	}
	return missing, extra
}
