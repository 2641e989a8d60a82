package handlers

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// listing is up to when a tenant's objects were listed at Stripe.
type listing struct {
	tenant  *pay.Tenant
	through time.Time // zero: not everything was ever listed
	late    bool
}

// listings tells how far the sweeps are. A tenant without a key is not swept.
func (h *Handlers) listings(ctx context.Context, tenants []*pay.Tenant) ([]listing, error) {
	marks, err := h.Books.OldestListings(ctx)
	if err != nil {
		return nil, err
	}
	at := map[string]*pay.OldestListing{}
	for _, m := range marks {
		at[m.TenantID] = m
	}
	var out []listing
	for _, t := range tenants {
		if t.StripeKey == "" {
			continue
		}
		l, since := listing{tenant: t}, t.CreatedAt
		if m := at[t.ID]; m != nil && m.Kinds >= len(pay.ListKinds) {
			l.through, since = m.Through, m.Through
		}
		l.late = h.Pay.Now().Sub(since) > sweepLate
		out = append(out, l)
	}
	return out, nil
}

// sweepRuns is how many sweeps are shown.
const sweepRuns = 20

// showSweepsPage shows how far the sweeps are and what the latest did.
func (h *Handlers) showSweepsPage(c echo.Context) error {
	ctx := c.Request().Context()
	scope, err := h.bookScope(c)
	if err != nil {
		return err
	}
	v := views.SweepsView{AdminFrame: h.booksFrame(c), CanSweep: staffOf(c).Role.May(staff.Sweep)}
	all, err := h.listings(ctx, scope.chosen)
	if err != nil {
		return err
	}
	for _, l := range all {
		s := views.SweepListing{Tenant: l.tenant.Name, Through: l.through, State: views.BooksPill{Text: "Up to date", Tone: "good"}}
		switch {
		case l.late:
			s.State = views.BooksPill{Text: "Late", Tone: "warning"}
		case l.through.IsZero():
			s.State = views.BooksPill{Text: "New", Tone: "calm"}
		}
		v.Listings = append(v.Listings, s)
	}
	if !v.CanSweep { // a sweep is everybody's, and so are its numbers
		return page(c, http.StatusOK, views.SweepsPage(v))
	}
	runs, err := h.Runs.ListRuns(ctx, pay.RunSweep, "", sweepRuns)
	if err != nil {
		return err
	}
	for _, r := range runs {
		s := views.SweepRun{ID: r.ID, URL: runURL(r.ID), At: r.AskedAt, State: runPill(r), Who: "the clock", Took: took(r)}
		if r.Ask.By != "" {
			s.Who = h.causeWords(c, pay.Cause{Kind: pay.CauseStaff, ID: r.Ask.By})
		}
		if out := sweepOf(r); out != nil {
			s.Asked, s.Listed, s.Settled, s.Failed = out.Asked, out.Listed, out.Settled, out.Failed
		}
		v.Runs = append(v.Runs, s)
	}
	return page(c, http.StatusOK, views.SweepsPage(v))
}

// startSweep begins a sweep, or leads to the one that runs.
func (h *Handlers) startSweep(c echo.Context) error {
	ctx := c.Request().Context()
	runs, err := h.Runs.ListRuns(ctx, pay.RunSweep, "", 5)
	if err != nil {
		return err
	}
	for _, r := range runs {
		if !r.State.Over() && h.Pay.Now().Sub(r.AskedAt) < 10*time.Minute {
			auditOf(c).After = "one runs already"
			return c.Redirect(http.StatusSeeOther, runURL(r.ID))
		}
	}
	id, err := h.Runs.StartRun(ctx, pay.RunAsk{Kind: pay.RunSweep, By: staffOf(c).ID})
	if err != nil {
		return err
	}
	auditOf(c).Subject = "run " + strconv.FormatInt(id, 10)
	return c.Redirect(http.StatusSeeOther, runURL(id))
}

func sweepOf(r *pay.Run) *pay.SweepOutput {
	var out pay.SweepOutput
	if len(r.Output) == 0 || json.Unmarshal(r.Output, &out) != nil {
		return nil
	}
	return &out
}

// sweepFailed reports whether a part of a sweep that is over did not work.
func sweepFailed(r *pay.Run) bool {
	out := sweepOf(r)
	return r.State == pay.RunFailed || out != nil && out.Fault
}
