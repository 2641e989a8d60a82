package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/pay"
)

var eventStates = []pay.EventState{pay.EventReceived, pay.EventApplied, pay.EventIgnored, pay.EventUnmatched, pay.EventNotOurs, pay.EventFailed}

func (a *app) eventsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "events", Short: "List, show and replay Stripe's events", Example: "  portatill events list --state failed\n  portatill events replay --state failed --yes",
		Long: "Stripe's events as they came: a hint each, by which Stripe was asked. One that gave up, or that fitted nothing, can be\n" +
			"replayed when its cause is mended.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("portatill events: unknown command %q; see portatill events --help", args[0])
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(a.eventsListCommand(), a.eventsShowCommand(), a.eventsReplayCommand())
	return cmd
}

// eventSearch is what `events list` and `replay` can be asked for.
type eventSearch struct {
	tenant, kind, state, after string
	since                      time.Duration
	limit                      int
}

func (q *eventSearch) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&q.tenant, "tenant", "", "only this tenant's, by its slug")
	flags.StringVar(&q.kind, "type", "", "of this type of Stripe's, such as charge.refunded")
	flags.StringVar(&q.state, "state", "", "in this state: received, applied, ignored, unmatched, not_ours or failed")
	flags.DurationVar(&q.since, "since", 0, "received within this time, such as 24h")
}

// check tells everything that is wrong with the question, one line each.
func (q *eventSearch) check(cmd *cobra.Command) error {
	var faults []string
	bad := func(flag, problem string) { faults = append(faults, "--"+flag+": "+problem) }
	if q.state != "" && !slices.Contains(eventStates, pay.EventState(q.state)) {
		bad("state", "must be received, applied, ignored, unmatched, not_ours or failed")
	}
	if q.since < 0 || (cmd.Flags().Changed("since") && q.since == 0) {
		bad("since", "must be a time such as 24h")
	}
	if q.limit < 1 || q.limit > 1000 {
		bad("limit", "must be between 1 and 1000")
	}
	if q.after != "" && !isID(q.after, "evn") {
		bad("after", "must be an event's id of ours, such as evn_01jd…")
	}
	if len(faults) > 0 {
		return usagef("%s", strings.Join(append(faults, "see "+cmd.CommandPath()+" --help"), "\n"))
	}
	return nil
}

func (q *eventSearch) filter() pay.EventFilter {
	f := pay.EventFilter{Type: q.kind, State: pay.EventState(q.state), After: q.after, Limit: q.limit}
	if q.since > 0 {
		f.Since = now().Add(-q.since)
	}
	return f
}

// tenants are those whose events are asked for.
func (q *eventSearch) tenants(ctx context.Context, o *opened) ([]*pay.Tenant, error) {
	if q.tenant == "" {
		return o.store.ListTenants(ctx)
	}
	t, err := findTenant(ctx, o, q.tenant)
	return []*pay.Tenant{t}, err
}

func (a *app) eventsListCommand() *cobra.Command {
	var q eventSearch
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List events, newest first", Args: noArgs,
		Long:    "List Stripe's events, newest first, without their payloads.",
		Example: "  portatill events list --state failed\n  portatill events list --tenant acme --type charge.refunded --since 24h",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := q.check(cmd); err != nil {
				return err
			}
			return a.withStore(cmd.Context(), func(o *opened) error {
				tenants, err := q.tenants(cmd.Context(), o)
				if err != nil {
					return err
				}
				shown := []shownEvent{}
				for _, t := range tenants {
					f := q.filter()
					f.TenantID = t.ID
					page, err := o.store.ListEvents(cmd.Context(), f)
					if err != nil {
						return err
					}
					for _, e := range page {
						shown = append(shown, showEvent(t, e))
					}
				}
				slices.SortFunc(shown, func(a, b shownEvent) int { return cmp.Compare(b.ID, a.ID) })
				shown = shown[:min(len(shown), q.limit)]
				return a.print(asJSON, shown, func(w io.Writer) { writeEvents(w, shown, q.limit) })
			})
		},
	}
	q.flags(cmd)
	cmd.Flags().IntVar(&q.limit, "limit", 50, "at most so many, 1 to 1000")
	cmd.Flags().StringVar(&q.after, "after", "", "go on after this event, the last one of the page before")
	jsonFlag(cmd, &asJSON)
	return cmd
}

// shownEvent is an event without its payload, which has personal data.
type shownEvent struct {
	ID         string `json:"id"`
	StripeID   string `json:"stripe_id"`
	Tenant     string `json:"tenant"`
	Type       string `json:"type"`
	Object     string `json:"object"` // what it is about; "" when it can change nothing here
	State      string `json:"state"`
	Note       string `json:"note"`
	ReceivedAt string `json:"received_at"`
	DoneAt     string `json:"done_at"`
}

func showEvent(t *pay.Tenant, e *pay.Event) shownEvent {
	return shownEvent{ID: e.ID, StripeID: e.StripeID, Tenant: t.Slug, Type: e.Type, Object: e.ObjectID, State: string(e.State), Note: e.Note,
		ReceivedAt: moment(e.ReceivedAt), DoneAt: moment(e.DoneAt)}
}

func writeEvents(w io.Writer, shown []shownEvent, limit int) {
	if len(shown) == 0 {
		line(w, "There are no such events.")
		return
	}
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	line(table, "EVENT\tSTRIPE'S ID\tTENANT\tTYPE\tOBJECT\tSTATE\tRECEIVED\tNOTE")
	for _, e := range shown {
		line(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", e.ID, e.StripeID, e.Tenant, printable(e.Type), cmp.Or(e.Object, "-"), e.State, e.ReceivedAt, printable(e.Note))
	}
	table.Flush() //nolint:errcheck // nothing to be done about a closed terminal
	if len(shown) == limit {
		line(w, "There may be more: --after %s", shown[len(shown)-1].ID)
	}
}

func (a *app) eventsShowCommand() *cobra.Command {
	var tenant string
	var payload, asJSON bool
	cmd := &cobra.Command{
		Use: "show EVENT", Short: "Show one event", Args: oneArg("event's id"),
		Long: "Show one event by our id (evn_…) or Stripe's (evt_…). Its payload has personal data; --payload prints its bytes as\n" +
			"they came, and nothing else.",
		Example: "  portatill events show evt_3Oxy…\n  portatill events show evt_3Oxy… --payload",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withStore(cmd.Context(), func(o *opened) error {
				t, e, err := findEvent(cmd.Context(), o, tenant, args[0])
				if err != nil {
					return err
				}
				if payload && !asJSON {
					_, err := a.out.Write(e.Payload)
					return err
				}
				whole := wholeEvent{shownEvent: showEvent(t, e), APIVersion: e.APIVersion, Livemode: e.Livemode, Bytes: len(e.Payload)}
				if payload {
					text := string(e.Payload)
					whole.Payload = &text
				}
				return a.print(asJSON, whole, whole.write)
			})
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "only if it is this tenant's, by its slug")
	cmd.Flags().BoolVar(&payload, "payload", false, "print the payload, with personal data, as it came")
	jsonFlag(cmd, &asJSON)
	return cmd
}

type wholeEvent struct {
	shownEvent
	APIVersion string  `json:"api_version"`
	Livemode   bool    `json:"livemode"`
	Bytes      int     `json:"payload_bytes"`
	Payload    *string `json:"payload,omitempty"`
}

func (e wholeEvent) write(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, row := range [][2]string{{"event", e.ID}, {"stripe's id", e.StripeID}, {"tenant", e.Tenant}, {"type", e.Type}, {"object", e.Object}, {"state", e.State}, {"note", e.Note},
		{"received", e.ReceivedAt}, {"done", e.DoneAt}, {"api version", e.APIVersion}, {"livemode", fmt.Sprint(e.Livemode)}, {"payload", fmt.Sprintf("%d bytes; --payload prints them", e.Bytes)}} {
		line(table, "%s\t%s", row[0], printable(row[1]))
	}
	table.Flush() //nolint:errcheck // nothing to be done about a closed terminal
}

// findEvent finds an event by our id or Stripe's, of one tenant when a slug is given.
// Stripe's id may be several tenants': those who share an account hear the same events.
func findEvent(ctx context.Context, o *opened, slug, id string) (*pay.Tenant, *pay.Event, error) {
	read := o.store.EventByID
	switch {
	case strings.HasPrefix(id, "evt_"):
		read = o.store.EventByStripeID
	case !strings.HasPrefix(id, "evn_"):
		return nil, nil, usagef("%q is not an event's id, such as evn_01jd… or evt_3Oxy…; see portatill events list --help", id)
	}
	tenants, err := (&eventSearch{tenant: slug}).tenants(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	var owner *pay.Tenant
	var found *pay.Event
	for _, t := range tenants {
		e, err := read(ctx, t.ID, id)
		if pay.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		if found != nil {
			return nil, nil, fmt.Errorf("%s came to %s and to %s; say whose with --tenant", id, owner.Slug, t.Slug)
		}
		owner, found = t, e
	}
	if found == nil && slug != "" {
		return nil, nil, fmt.Errorf("tenant %s has no event %s", slug, id)
	}
	if found == nil {
		return nil, nil, fmt.Errorf("there is no event %s", id)
	}
	return owner, found, nil
}
