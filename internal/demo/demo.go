package demo

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
)

// Months is how long the story is.
const Months = 6

// Store is what the story needs of the store beside pay's.
type Store interface {
	pay.Store
	ChangeTenant(ctx context.Context, slug string, change func(*pay.Tenant) error) (*pay.Tenant, error)
}

// Tenant is a reseller that is set up, and what its portal and its dashboard at Stripe hold.
type Tenant struct {
	*pay.Tenant
	License string
	Admin   string // the id of the person who acts for the tenant
}

// Options are the installation to fill. Its till must be serving at BaseURL and its double at StripeURL.
type Options struct {
	BaseURL   string
	StripeURL string
	Pay       *pay.Service // whose Gateway is Weather and whose Now is Clock's
	Store     Store
	Staff     *staff.Service
	Weather   *Weather
	Clock     *Clock // stands at the beginning
	Jobs      *Jobs
	// Deliver sends what webhooks are due and waits for the answers.
	Deliver  func(ctx context.Context) error
	Operator string   // the id of the person who suspends a tenant
	Tenants  []Tenant // one for each of Shops, in their order
	Orders   int      // how many requests for money the portals send
	Seed     uint64
	Until    time.Time // the end; the beginning is the clock's
	// Progress is told of each month that has passed; may be nil.
	Progress func(month time.Time, orders int)
}

// Report counts what happened.
type Report struct {
	Orders       int // requests for money that were sent
	Refused      int // of these, how many a suspended tenant's portal was refused
	Unavailable  int // of these, how many came while Stripe was down
	FailedEvents int
	Refunds      int
	Disputes     int
}

// world is the story while it is told.
type world struct {
	Options
	client *http.Client
	rng    *rand.Rand
	shops  []*shop
	acts   acts
	serial int
	badDay time.Time // when Stripe goes down
	failed []failedEvent
	report Report
}

// outageLasts is how long Stripe is down on the bad day.
const outageLasts = 2*time.Hour + 20*time.Minute

// act is something that somebody does at a time.
type act struct {
	at time.Time
	n  int // the order of those at one time
	do func(ctx context.Context) error
}

type acts []*act

func (a acts) Len() int { return len(a) }
func (a acts) Less(i, j int) bool {
	return a[i].at.Before(a[j].at) || a[i].at.Equal(a[j].at) && a[i].n < a[j].n
}
func (a acts) Swap(i, j int) { a[i], a[j] = a[j], a[i] }

// Push implements heap.Interface.
func (a *acts) Push(x any) { *a = append(*a, x.(*act)) }

// Pop implements heap.Interface.
func (a *acts) Pop() any {
	last := len(*a) - 1
	x := (*a)[last]
	*a = (*a)[:last]
	return x
}

// Fill tells the story: from the clock's time until o.Until everything that happens, and then what staff and the sweep
// would have done by then. It returns at the first thing that does not go as it must.
func Fill(ctx context.Context, o Options) (Report, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: 16, DisableCompression: true}
	defer transport.CloseIdleConnections()
	w := &world{Options: o, rng: rand.New(rand.NewPCG(o.Seed, 1)), client: &http.Client{Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if len(o.Tenants) != len(Shops) {
		return w.report, fmt.Errorf("%d tenants for %d shops", len(o.Tenants), len(Shops))
	}
	start := o.Clock.Now()
	if err := w.open(ctx, start); err != nil {
		return w.report, err
	}
	if err := w.run(ctx); err != nil {
		return w.report, err
	}
	return w.report, w.rest(ctx)
}

// at plans an act; what would be after the end does not happen.
func (w *world) at(at time.Time, do func(ctx context.Context) error) {
	if at.Before(w.Until) {
		w.serial++
		heap.Push(&w.acts, &act{at: at, n: w.serial, do: do})
	}
}

// in plans an act from now on.
func (w *world) in(d time.Duration, do func(ctx context.Context) error) {
	w.at(w.Clock.Now().Add(d), do)
}

// run lets everything happen in its order.
func (w *world) run(ctx context.Context) error {
	month := w.Clock.Now()
	for len(w.acts) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		next := heap.Pop(&w.acts).(*act)
		w.Clock.set(next.at)
		if err := next.do(ctx); err != nil {
			return fmt.Errorf("on %s: %w", next.at.Format(time.DateTime), err)
		}
		if err := w.settleDown(ctx); err != nil {
			return fmt.Errorf("on %s: %w", next.at.Format(time.DateTime), err)
		}
		if w.Progress != nil && next.at.Month() != month.Month() {
			w.Progress(month, w.report.Orders)
			month = next.at
		}
	}
	w.Clock.set(w.Until)
	if w.Progress != nil {
		w.Progress(month, w.report.Orders)
	}
	return nil
}

// sweep is what the periodic job does.
func (w *world) sweep(ctx context.Context) error {
	if err := w.settleDown(ctx); err != nil {
		return err
	}
	done, err := w.Pay.Sweep(ctx, 5_000)
	listed, errListed := w.Pay.SweepListings(ctx)
	if err = errors.Join(err, errListed, w.Pay.CloseDays(ctx)); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	if done.Failed+listed.Failed > 0 {
		return fmt.Errorf("sweep: %d attempts and %d objects failed", done.Failed, listed.Failed)
	}
	return nil
}

// rest brings the books up to the end.
func (w *world) rest(ctx context.Context) error {
	if err := w.sweep(ctx); err != nil {
		return err
	}
	return w.settleDown(ctx)
}

// audit notes what a person did, as the pages do.
func (w *world) audit(ctx context.Context, s *shop, what, subject, after string) error {
	return w.Staff.Record(ctx, &staff.Entry{Actor: s.tenant.Admin, TenantID: s.tenant.ID, What: what, Subject: subject, After: after, Address: "192.0.2.17"})
}
