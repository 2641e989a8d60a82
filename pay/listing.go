package pay

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// SweepMark is how far the objects of a kind were listed at Stripe.
type SweepMark struct {
	Through time.Time // all that was created before was listed
	DeepAt  time.Time // when the long window was last listed
}

const (
	// sweepOverlap is listed again each time: clocks differ, lists lag, and an object
	// that was made a while ago may have news.
	sweepOverlap = 6 * time.Hour
	// sweepDeep is listed once a day: a debit settles within two weeks, a refund can
	// fail for a month (docs.stripe.com/refunds), and both keep their time of creation.
	sweepDeep      = 35 * 24 * time.Hour
	sweepDeepEvery = 24 * time.Hour
	// sweepDeepBalance is the long window of balance transactions, which never change: it
	// is for a clock of ours that was wrong.
	sweepDeepBalance = 3 * 24 * time.Hour
	// sweepPatience is how long a listing waits when Stripe asks for it.
	sweepPatience = 30 * time.Second
)

// ListingResult counts what a listing did.
type ListingResult struct {
	Listed  int // objects that Stripe listed
	Settled int // of these, how many had news and were settled
	Failed  int // of these, how many will be looked at again
}

func (r *ListingResult) add(o ListingResult) {
	r.Listed, r.Settled, r.Failed = r.Listed+o.Listed, r.Settled+o.Settled, r.Failed+o.Failed
}

// tenantsAtOnce is how many tenants are listed side by side: each has its own rate
// limit at Stripe.
const tenantsAtOnce = 4

// SweepListings is SweepObjects for every tenant. One whose Stripe does not answer
// keeps no other from its turn.
func (s *Service) SweepListings(ctx context.Context) (ListingResult, error) {
	tenants, err := s.Store.ListTenants(ctx)
	if err != nil {
		return ListingResult{}, err
	}
	var all ListingResult
	var errs []error
	var mu sync.Mutex
	var group sync.WaitGroup
	slots := make(chan struct{}, tenantsAtOnce)
	for _, t := range tenants {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			done, err := s.SweepObjects(ctx, t)
			mu.Lock()
			defer mu.Unlock()
			all.add(done)
			if err != nil {
				errs = append(errs, err)
			}
		})
	}
	group.Wait()
	return all, errors.Join(errs...)
}

// SweepObjects lists what a tenant's Stripe account has, in windows that overlap, and
// settles what our books do not have: so nothing depends on a webhook, not even a
// refund made in Stripe's dashboard. It may run at any time, also twice at once; what
// fails is listed again the next time.
func (s *Service) SweepObjects(ctx context.Context, t *Tenant) (ListingResult, error) {
	var all ListingResult
	if t.ReadyFault() != "" {
		return all, nil
	}
	if err := s.learnAccount(ctx, t); err != nil { // whose money it is depends on it
		return all, err
	}
	var errs []error
	for _, kind := range ListKinds {
		sweep := func() (ListingResult, error) { return s.sweepKind(ctx, t, kind) }
		switch kind {
		case ListBalance:
			sweep = func() (ListingResult, error) { return s.sweepBalance(ctx, t) }
		case ListPayouts:
			sweep = func() (ListingResult, error) { return s.sweepPayouts(ctx, t) }
		}
		done, err := sweep()
		all.add(done)
		if err != nil {
			errs = append(errs, fmt.Errorf("list %ss of %s: %w", kind, t.Slug, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return all, errors.Join(errs...)
}

// sweepKind lists one kind of the objects that Settle knows.
func (s *Service) sweepKind(ctx context.Context, t *Tenant, kind ListKind) (ListingResult, error) {
	return s.sweepWindow(ctx, t, kind, func(from time.Time, after string) (pageSwept, error) {
		var page *ListPage
		err := s.patiently(ctx, func() (err error) {
			page, err = s.Gateway.List(ctx, t, ListInput{Kind: kind, From: from, After: after})
			return err
		})
		if err != nil || len(page.Objects) == 0 {
			return pageSwept{}, err
		}
		done, err := s.sweepPage(ctx, t, kind, page.Objects)
		return pageSwept{done, page.Objects[len(page.Objects)-1].ID, page.More}, err
	})
}

// pageSwept is what became of one page.
type pageSwept struct {
	done ListingResult
	last string // the id of its last object
	more bool
}

// sweepWindow takes one kind page by page from its mark on, and moves the mark when
// nothing was left behind.
func (s *Service) sweepWindow(ctx context.Context, t *Tenant, kind ListKind, take func(from time.Time, after string) (pageSwept, error)) (ListingResult, error) {
	var all ListingResult
	mark, err := s.Store.SweepMark(ctx, t.ID, kind)
	if err != nil {
		return all, err
	}
	began := s.Now()
	from, deep := mark.Through.Add(-sweepOverlap), began.Sub(mark.DeepAt) >= sweepDeepEvery
	if mark.Through.After(began) { // our clock was ahead: what Stripe made since then was not listed
		from, deep = began, true
	}
	if long := began.Add(-deepWindow(kind)); deep && long.Before(from) { // a till that was down for longer goes on where it was
		from = long
	}
	if mark.Through.IsZero() || from.Before(t.CreatedAt.Add(-sweepOverlap)) {
		from = t.CreatedAt.Add(-sweepOverlap)
	}
	for after := ""; ; {
		page, err := take(from, after)
		all.add(page.done)
		if err != nil {
			return all, err
		}
		if !page.more {
			break
		}
		after = page.last
	}
	if all.Failed > 0 {
		return all, nil
	}
	next := SweepMark{Through: began, DeepAt: mark.DeepAt}
	if deep {
		next.DeepAt = began
	}
	return all, s.Store.InTx(ctx, func(tx Tx) error { return tx.SetSweepMark(ctx, t.ID, kind, next, s.Now()) })
}

func deepWindow(kind ListKind) time.Duration {
	if kind == ListBalance {
		return sweepDeepBalance
	}
	return sweepDeep
}

// patiently asks Stripe for a page, and waits, a few times, for as long as it asks.
func (s *Service) patiently(ctx context.Context, ask func() error) error {
	for try := 0; ; try++ {
		err := ask()
		f := faultOf(err)
		if f == nil || f.Kind != FaultUnavailable || f.RetryAfter <= 0 || f.RetryAfter > sweepPatience || try == 3 {
			return err
		}
		timer := time.NewTimer(f.RetryAfter)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(ctx.Err(), err)
		}
	}
}

// sweepPage settles what is news of one page.
func (s *Service) sweepPage(ctx context.Context, t *Tenant, kind ListKind, objects []Listed) (ListingResult, error) {
	done := ListingResult{Listed: len(objects)}
	if len(objects) == 0 {
		return done, nil
	}
	known, err := s.Store.KnownObjects(ctx, t.ID, kind, objects)
	if err != nil {
		return done, err
	}
	for _, o := range objects {
		have, ok := known[o.ID]
		if !isNews(t, kind, o, have, ok) {
			continue
		}
		if ctx.Err() != nil {
			return done, ctx.Err()
		}
		if _, err := s.Settle(ctx, t.ID, o.ID, Cause{CauseSweep, o.ID}); err != nil {
			done.Failed++
			s.Log.WarnContext(ctx, "sweep: will look again", "object", o.ID, "tenant", t.ID, "error", err)
			continue
		}
		done.Settled++
	}
	return done, nil
}

// isNews reports whether a listed object tells something that the books do not have.
func isNews(t *Tenant, kind ListKind, o Listed, have string, known bool) bool {
	switch kind {
	case ListSessions:
		if !known { // another integration's, or one of ours whose answer was lost
			return o.Mark == t.ID && o.Status == "complete"
		}
		state := AttemptState(have)
		switch {
		case o.Status == "complete" && o.PaymentStatus == "unpaid":
			return state == AttemptCreated || state == AttemptOpen
		case o.Status == "complete":
			return state != AttemptSucceeded && state != AttemptOverpaid && state != AttemptMismatch
		}
		return o.Status == "expired" && !state.Final()
	case ListIntents:
		return o.Status == "succeeded" && !known
	case ListRefunds, ListDisputes:
		if o.IntentID == "" { // of a charge that no intent made: its balance transactions tell all of it
			return false
		}
		if kind == ListDisputes {
			return !known || (o.Status != have && DisputeState(o.Status).rank() >= DisputeState(have).rank())
		}
		return !known || RefundState(o.Status).rank() > RefundState(have).rank()
	}
	return false
}
