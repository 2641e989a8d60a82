// Package doctor looks at an installation and its tenants and says, one line each,
// what is right, what is not and what to do about it. It reads; the one thing that it
// changes, and only when it is asked to, is a tenant's webhook endpoint at Stripe.
//
// It must not know a rule of the money, nor what a database or Stripe's library is:
// it is given what it looks at. No line holds a secret or a person's data.
package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/portatill/portatill/pay"
)

// State is how bad something is.
type State string

// The states: a warning is for a person to read some day, a failure for today.
const (
	OK   State = "ok"
	Warn State = "warn"
	Fail State = "fail"
)

// Check is what was found about one thing.
type Check struct {
	Tenant string `json:"tenant,omitempty"` // slug; "" for the installation
	Name   string `json:"check"`
	State  State  `json:"state"`
	What   string `json:"what"`         // what was found
	Do     string `json:"do,omitempty"` // what to do about it; "" when it is ok
}

// Endpoint is a webhook endpoint at Stripe.
type Endpoint struct {
	ID         string
	URL        string
	Enabled    bool
	APIVersion string
	Events     []string // "*" stands for all
}

// Stripe is what the doctor asks of a tenant's account. The last three are called with
// Fix only.
type Stripe interface {
	Account(ctx context.Context, t *pay.Tenant) (pay.StripeAccount, error)
	// ClockAhead says how far our clock is ahead of Stripe's, negative when it is behind.
	ClockAhead(ctx context.Context, t *pay.Tenant) (time.Duration, error)
	Endpoints(ctx context.Context, t *pay.Tenant) ([]Endpoint, error)

	CreateEndpoint(ctx context.Context, t *pay.Tenant, url string) (id string, secret pay.Secret, err error)
	MendEndpoint(ctx context.Context, t *pay.Tenant, id string) error
	DeleteEndpoint(ctx context.Context, t *pay.Tenant, id string) error
}

// Database is how the database is set.
type Database struct {
	Kind    string // sqlite or postgres
	Version string
	TooOld  bool // it can lose committed data
	Journal string
	Durable string
	Schema  int
	Dir     string // where SQLite's file is; "" when it is another machine's
}

// Backlog is what waits in the job queue.
type Backlog struct {
	Due         int
	DueSince    time.Time
	Retrying    int
	OldestRetry time.Time
	GaveUp      int
}

// Options are what the doctor looks at.
type Options struct {
	Store    pay.Store
	Stripe   Stripe
	Database func(ctx context.Context) (Database, error)
	Backlog  func(ctx context.Context, now time.Time) (Backlog, error)
	// Proof proves a tenant's books from one day until another, that one included.
	Proof func(ctx context.Context, tenantID string, from, until time.Time) (*pay.Proof, error)
	// SMTP connects to the mail server and signs in, and says in words what it saw; "" when
	// no mails are sent. nil leaves the check out.
	SMTP func(ctx context.Context) (what string, err error)
	// OpenID asks the provider that the staff may sign in with for its addresses, and says in
	// words what it saw; "" when there is none. nil leaves the check out.
	OpenID func(ctx context.Context) (what string, err error)
	// SecretKey says why the secret key does not open the database's secrets.
	SecretKey func(ctx context.Context) error
	// Disk says how many bytes of a directory's file system are free, and of how many.
	Disk func(dir string) (free, of uint64, err error)
	// KeepSecret stores a tenant's newest webhook secret beside the one before.
	KeepSecret func(ctx context.Context, slug string, secret pay.Secret) error

	Now     func() time.Time
	BaseURL string
	Sandbox bool
	// Events and APIVersion are what a webhook endpoint must have.
	Events     []string
	APIVersion string
	// Permissions are what a restricted key needs.
	Permissions []string
	// Tenant is a slug: only this tenant is looked at. "" means all.
	Tenant string
	// TenantOnly leaves the installation out.
	TenantOnly bool
	// Fix makes and mends webhook endpoints.
	Fix bool
	// Progress is told of each check when it is made; it may be nil.
	Progress func(Check)
}

// Examine makes all checks. It ends early only with ctx; whatever cannot be looked at is
// a failed check.
func Examine(ctx context.Context, o Options) []Check {
	e := &examination{Options: o}
	if !o.TenantOnly {
		e.installation(ctx)
	}
	tenants, err := o.Store.ListTenants(ctx)
	if err != nil {
		e.fail("tenants", "they cannot be read: "+words(err), "see portatill migrate and PORTATILL_DATABASE_URL")
		return e.checks
	}
	looked := 0
	for _, t := range tenants {
		if o.Tenant != "" && t.Slug != o.Tenant {
			continue
		}
		looked++
		e.tenantSlug = t.Slug
		e.tenant(ctx, t)
	}
	e.tenantSlug = ""
	if looked == 0 && o.Tenant == "" {
		e.warn("tenants", "there are none", "add one with portatill tenant add")
	}
	return e.checks
}

// Connect makes the checks of one tenant's Stripe account alone (key, clock, webhook
// endpoint), also for a tenant that is not stored: of its Options it takes Stripe, Now,
// BaseURL, Events, APIVersion and Permissions. It changes nothing.
func Connect(ctx context.Context, o Options, t *pay.Tenant) []Check {
	o.Fix = false
	e := &examination{Options: o, tenantSlug: t.Slug}
	e.connection(ctx, t)
	return e.checks
}

// Worst is the worst state among checks.
func Worst(checks []Check) State {
	worst := OK
	for _, c := range checks {
		if c.State == Fail {
			return Fail
		}
		if c.State == Warn {
			worst = Warn
		}
	}
	return worst
}

// examination is one run.
type examination struct {
	Options
	tenantSlug string
	checks     []Check
}

func (e *examination) add(state State, name, what, do string) {
	c := Check{Tenant: e.tenantSlug, Name: name, State: state, What: what, Do: do}
	e.checks = append(e.checks, c)
	if e.Progress != nil {
		e.Progress(c)
	}
}

func (e *examination) ok(name, format string, args ...any) {
	e.add(OK, name, fmt.Sprintf(format, args...), "")
}
func (e *examination) warn(name, what, do string) { e.add(Warn, name, what, do) }
func (e *examination) fail(name, what, do string) { e.add(Fail, name, what, do) }

// words is an error as an operator may read it. Of a refusal of ours it is the message
// alone; a *pay.StripeFault leaves Stripe's own words out, which may quote somebody.
func words(err error) string {
	if e, ok := err.(*pay.Error); ok { // one that is wrapped has more to say
		return e.Message
	}
	return err.Error()
}

// age is a time span in the unit that a person would say it in.
func age(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d seconds", int(d/time.Second))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes", int(d/time.Minute))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours", int(d/time.Hour))
	}
	return fmt.Sprintf("%d days", int(d/(24*time.Hour)))
}

// number says how many of something there are.
func number(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
