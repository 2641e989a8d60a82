package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/pay"
)

func (a *app) eventsReplayCommand() *cobra.Command {
	q := eventSearch{limit: 1000}
	var yes, asJSON bool
	cmd := &cobra.Command{
		Use: "replay EVENT… | --type TYPE | --state STATE | --since 24h", Short: "Ask Stripe again about what events told of",
		Long: "Settle again what events are about, each object once, and note on the events what came of it. Without --yes nothing is\n" +
			"changed: it says what would be. Old events may be replayed, and again: Stripe is asked what is true now, so what is\n" +
			"booked already changes nothing. Exit code 1 when Stripe did not answer, or refused, for any of them.",
		Example: "  portatill events replay evt_3Oxy…\n  portatill events replay --state failed --since 24h --yes",
		RunE: func(cmd *cobra.Command, ids []string) error {
			if narrowed := q.kind != "" || q.state != "" || q.since != 0; (len(ids) > 0) == narrowed {
				return usagef("portatill events replay takes events' ids, or --type, --state or --since; see portatill events replay --help")
			}
			if err := q.check(cmd); err != nil {
				return err
			}
			return a.withStore(cmd.Context(), func(o *opened) error {
				r := replay{o: o, apply: yes, seen: map[string]string{}}
				if err := r.run(cmd.Context(), &q, ids); err != nil {
					return err
				}
				if err := a.print(asJSON, &r, r.write); err != nil {
					return err
				}
				if r.Failed > 0 {
					return fmt.Errorf("%s not replayed; see above", count(r.Failed, "object was", "objects were"))
				}
				return nil
			})
		},
	}
	q.flags(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "do it; without, only say what would change")
	jsonFlag(cmd, &asJSON)
	return cmd
}

// replay is `events replay`'s work and answer.
type replay struct {
	o     *opened
	apply bool
	seen  map[string]string // changes that were told, by tenant and text: of which object

	Applied   bool           `json:"applied"` // false: a dry run
	Objects   []shownReplay  `json:"objects"`
	Events    int            `json:"events"`
	Changed   int            `json:"changed"`   // objects of which something changed, or would
	Unchanged int            `json:"unchanged"` // objects whose books agree with Stripe
	Failed    int            `json:"failed"`
	Outcomes  map[string]int `json:"outcomes"`
}

// shownReplay is one object with the events that name it.
type shownReplay struct {
	Object   string   `json:"object"`
	Tenant   string   `json:"tenant"`
	Events   []string `json:"events"` // Stripe's ids
	Outcome  string   `json:"outcome"`
	Order    string   `json:"order,omitempty"`
	Note     string   `json:"note"`
	Changes  []string `json:"changes"`
	Moves    []string `json:"event_moves"`       // events that get another state
	SameAs   string   `json:"same_as,omitempty"` // an object before it has the same changes
	AtStripe []string `json:"at_stripe"`
	Error    string   `json:"error,omitempty"`
}

func (r *replay) run(ctx context.Context, q *eventSearch, ids []string) error {
	r.Applied, r.Objects, r.Outcomes = r.apply, []shownReplay{}, map[string]int{}
	if len(ids) > 0 {
		return r.byID(ctx, q.tenant, ids)
	}
	tenants, err := q.tenants(ctx, r.o)
	if err != nil {
		return err
	}
	for _, t := range tenants {
		f := q.filter()
		f.TenantID = t.ID
		var all []*pay.Event
		// All of them are read before the first is replayed, which may move it to another
		// state; of each only what a replay needs is kept.
		for {
			page, err := r.o.store.ListEvents(ctx, f)
			if err != nil {
				return err
			}
			for _, e := range page {
				e.Payload = nil
				all = append(all, e)
			}
			if len(page) < f.Limit {
				break
			}
			f.After = page[len(page)-1].ID
		}
		if err := r.replay(ctx, t, all); err != nil {
			return err
		}
	}
	return nil
}

// byID finds all that is named before anything is replayed.
func (r *replay) byID(ctx context.Context, slug string, ids []string) error {
	var owners []*pay.Tenant
	named := map[string][]*pay.Event{}
	known := map[string]bool{}
	for _, id := range ids {
		t, e, err := findEvent(ctx, r.o, slug, id)
		if err != nil {
			return err
		}
		if known[e.ID] {
			continue
		}
		known[e.ID] = true
		if named[t.ID] == nil {
			owners = append(owners, t)
		}
		named[t.ID] = append(named[t.ID], e)
	}
	for _, t := range owners {
		if err := r.replay(ctx, t, named[t.ID]); err != nil {
			return err
		}
	}
	return nil
}

func (r *replay) replay(ctx context.Context, t *pay.Tenant, events []*pay.Event) error {
	done, err := r.o.pay.Replay(ctx, events, r.apply)
	for i := range done {
		r.add(t, &done[i])
	}
	r.Events += len(events)
	return err
}

func (r *replay) add(t *pay.Tenant, d *pay.Replayed) {
	s := shownReplay{Object: d.ObjectID, Tenant: t.Slug, Events: []string{}, Outcome: string(d.Outcome), Note: d.Note, Changes: append([]string{}, d.Changes...), AtStripe: append([]string{}, d.AtStripe...),
		Moves: append([]string{}, d.Moves...)}
	for _, e := range d.Events {
		s.Events = append(s.Events, e.StripeID)
	}
	if d.Order != nil {
		s.Order = d.Order.ID
	}
	s.SameAs = r.toldBefore(t, d)
	switch {
	case d.Err != nil:
		s.Error, s.Outcome = d.Err.Error(), "failed"
		r.Failed++
	case len(d.Changes)+len(d.AtStripe) == 0 || s.SameAs != "":
		r.Unchanged++
	default:
		r.Changed++
	}
	if s.Outcome == "" {
		s.Outcome = "nothing"
	}
	r.Outcomes[s.Outcome]++
	r.Objects = append(r.Objects, s)
}

// toldBefore finds the object before this one that has all of its changes: a session and
// its payment intent are two objects of one payment, and a dry run finds both unpaid.
func (r *replay) toldBefore(t *pay.Tenant, d *pay.Replayed) string {
	same, all := "", len(d.Changes) > 0 && d.Err == nil && !r.apply
	for _, change := range d.Changes {
		if r.seen[t.ID+change] == "" {
			all = false
			r.seen[t.ID+change] = d.ObjectID
		}
		same = r.seen[t.ID+change]
	}
	if !all {
		return ""
	}
	return same
}

func (r *replay) write(w io.Writer) {
	if r.Events == 0 {
		line(w, "There are no such events.")
		return
	}
	would, changed := "would", "would change"
	if r.apply {
		would, changed = "did", "changed"
	}
	for _, s := range r.Objects {
		order := ""
		if s.Order != "" {
			order = ", order " + s.Order
		}
		line(w, "%s (%s%s; %s): %s", dash(s.Object), s.Tenant, order, strings.Join(s.Events, " "), s.Outcome)
		for _, what := range s.AtStripe {
			line(w, "  at Stripe it would first %s", what)
		}
		switch {
		case s.Error != "":
			line(w, "  failed: %s", printable(s.Error))
		case s.SameAs != "":
			line(w, "  the same as %s above", s.SameAs)
		case len(s.Changes) == 0:
			line(w, "  nothing %s in the books: %s", changed, dash(printable(s.Note)))
		}
		lines := s.Moves
		if s.SameAs == "" {
			lines = append(s.Changes, s.Moves...)
		}
		for _, change := range lines {
			line(w, "  %s: %s", would, printable(change))
		}
	}
	line(w, "%s of %s: %d %s, %d without a change, %d failed.", count(r.Events, "event", "events"), count(len(r.Objects), "object", "objects"), r.Changed, changed, r.Unchanged, r.Failed)
	if !r.apply {
		line(w, "Nothing was changed: this was a dry run. Add --yes to do it.")
	}
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
