package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/pay"
)

// settled is one line of `settle`'s answer.
type settled struct {
	ID      string `json:"id"`
	Tenant  string `json:"tenant"`
	Outcome string `json:"outcome"`
	Order   string `json:"order,omitempty"`
	State   string `json:"state,omitempty"`
	Note    string `json:"note,omitempty"`
	Error   string `json:"error,omitempty"`
}

func (a *app) settleCommand() *cobra.Command {
	var tenant string
	var since time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use: "settle ID… | --since 24h", Short: "Ask Stripe about orders or objects and make the books agree",
		Long: "Ask Stripe about orders (ord_…), sessions (cs_…), intents (pi_…), charges, refunds or disputes and make\n" +
			"the books agree. It may be called at any time and any number of times.",
		Example: "  portatill settle ord_01jd…\n  portatill settle --since 24h",
		RunE: func(cmd *cobra.Command, ids []string) error {
			if (len(ids) == 0) == (since == 0) {
				return usagef("portatill settle takes ids, or --since; see portatill settle --help")
			}
			return a.withStore(cmd.Context(), func(o *opened) error {
				results, err := settleAll(cmd.Context(), o, tenant, ids, since)
				if err != nil {
					return err
				}
				if err := a.print(asJSON, results, func(w io.Writer) { writeSettled(w, results) }); err != nil {
					return err
				}
				for _, r := range results {
					if r.Error != "" {
						return fmt.Errorf("%s was not settled", r.ID)
					}
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "the tenant's slug, for Stripe objects that none of our orders knows")
	cmd.Flags().DurationVar(&since, "since", 0, "settle all orders made within this time that may still change")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func writeSettled(w io.Writer, results []settled) {
	if len(results) == 0 {
		line(w, "There was nothing to settle.")
	}
	for _, r := range results {
		line(w, "%s  %s  %s", r.ID, cmp.Or(r.State, r.Outcome), cmp.Or(r.Error, r.Note))
	}
}

func settleAll(ctx context.Context, o *opened, slug string, ids []string, since time.Duration) ([]settled, error) {
	tenants, err := o.store.ListTenants(ctx)
	if err != nil {
		return nil, err
	}
	if slug != "" {
		t, err := findTenant(ctx, o, slug)
		if err != nil {
			return nil, err
		}
		tenants = []*pay.Tenant{t}
	}
	results := []settled{}
	for _, id := range ids {
		results = append(results, settleOne(ctx, o, tenants, id))
	}
	if since == 0 {
		return results, nil
	}
	for _, t := range tenants {
		after := ""
		for {
			orders, err := o.store.ListOrders(ctx, pay.OrderFilter{TenantID: t.ID, Since: now().Add(-since), After: after, Limit: 200})
			if err != nil {
				return results, err
			}
			for _, order := range orders {
				after = order.ID
				if order.State.Live() || order.State == pay.OrderExpired {
					results = append(results, settleOne(ctx, o, []*pay.Tenant{t}, order.ID))
				}
			}
			if len(orders) < 200 {
				break
			}
		}
	}
	return results, nil
}

// settleOne finds whose object it is and settles it.
func settleOne(ctx context.Context, o *opened, tenants []*pay.Tenant, id string) settled {
	r := settled{ID: id}
	owner, err := ownerOf(ctx, o, tenants, id)
	if err != nil {
		r.Error = err.Error()
		return r
	}
	r.Tenant = owner.Slug
	done, err := o.pay.Settle(ctx, owner.ID, id, pay.Cause{Kind: pay.CauseCLI, ID: id})
	if err != nil {
		r.Error = err.Error()
		return r
	}
	r.Outcome, r.Note = string(done.Outcome), done.Note
	if done.Order != nil {
		r.Order, r.State = done.Order.ID, string(done.Order.State)
	}
	return r
}

func ownerOf(ctx context.Context, o *opened, tenants []*pay.Tenant, id string) (*pay.Tenant, error) {
	if len(tenants) == 1 && !strings.HasPrefix(id, "ord_") {
		return tenants[0], nil
	}
	for _, t := range tenants {
		var err error
		switch {
		case strings.HasPrefix(id, "ord_"):
			_, err = o.store.OrderByID(ctx, t.ID, id)
		case strings.HasPrefix(id, "cs_"):
			_, err = o.store.AttemptBySession(ctx, t.ID, id)
		case strings.HasPrefix(id, "pi_"):
			_, err = o.store.AttemptByIntent(ctx, t.ID, id)
		default:
			continue
		}
		if err == nil {
			return t, nil
		}
		if !pay.IsNotFound(err) {
			return nil, err
		}
	}
	if strings.HasPrefix(id, "ord_") {
		return nil, fmt.Errorf("there is no order %s", id)
	}
	return nil, fmt.Errorf("no order knows %s; say whose it is with --tenant", id)
}

func (a *app) sweepCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "sweep", Short: "Ask Stripe about all that is due and list what it has, once", Example: "  portatill sweep", Args: noArgs,
		Long: "Ask Stripe about every attempt that may still change, then list each tenant's sessions, payments, refunds, disputes,\n" +
			"balance transactions and payouts there since the last sweep and settle what the books do not have. serve does the same every PORTATILL_SWEEP_INTERVAL.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withStore(cmd.Context(), func(o *opened) error {
				done, err := o.pay.Sweep(cmd.Context(), 10_000)
				if err != nil {
					return err
				}
				listed, err := o.pay.SweepListings(cmd.Context())
				err = errors.Join(err, o.pay.CloseDays(cmd.Context()))
				if err := a.print(asJSON, map[string]int{"asked": done.Asked, "listed": listed.Listed, "settled": done.Settled + listed.Settled,
					"failed": done.Failed + listed.Failed}, func(w io.Writer) {
					line(w, "Asked Stripe about %d attempts and listed %d objects: %d had news and are booked now, %d calls failed.",
						done.Asked, listed.Listed, done.Settled+listed.Settled, done.Failed+listed.Failed)
				}); err != nil {
					return err
				}
				return err
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}
