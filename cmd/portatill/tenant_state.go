package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/pay"
)

func (a *app) tenantStateCommand(verb string, state pay.TenantState) *cobra.Command {
	var asJSON bool
	short, long := "Take no new payments for a tenant",
		"Suspend a tenant: its portals are refused and its customers cannot start to pay. What customers are paying already is\n"+
			"still booked, and so are refunds and disputes. It may be called again; resume undoes it."
	if state == pay.TenantActive {
		short, long = "Let a suspended tenant take payments again", "Resume a suspended tenant. Orders that were open can be paid again. It may be called again."
	}
	cmd := &cobra.Command{
		Use: verb + " SLUG", Short: short, Long: long, Example: "  portatill tenant " + verb + " acme", Args: oneArg("slug"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withStore(cmd.Context(), func(o *opened) error {
				changed := false
				t, err := o.store.ChangeTenant(cmd.Context(), args[0], func(t *pay.Tenant) error {
					if changed = t.State != state; changed {
						t.State, t.UpdatedAt = state, now()
					}
					return nil
				})
				if pay.IsNotFound(err) {
					_, err = findTenant(cmd.Context(), o, args[0]) // for its words
				}
				if err != nil {
					return err
				}
				notes, err := stateNotes(cmd.Context(), o, t)
				if err != nil {
					return err
				}
				return a.print(asJSON, map[string]any{"tenant": t.Slug, "state": t.State, "changed": changed, "notes": notes}, func(w io.Writer) {
					already := ""
					if !changed {
						already = " already"
					}
					line(w, "Tenant %s is %s%s.", t.Slug, t.State, already)
					for _, n := range notes {
						line(w, "%s", n)
					}
				})
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

// stateNotes say what a tenant's state means for its open orders.
func stateNotes(ctx context.Context, o *opened, t *pay.Tenant) ([]string, error) {
	orders, err := liveOrders(ctx, o, t)
	if err != nil {
		return nil, err
	}
	processing := 0
	for _, order := range orders {
		if order.State == pay.OrderProcessing {
			processing++
		}
	}
	waiting := len(orders) - processing
	var notes []string
	if t.State == pay.TenantSuspended {
		notes = append(notes, "Portals are answered 403 TenantSuspended, and customers cannot start to pay.")
		if waiting > 0 {
			notes = append(notes, fmt.Sprintf("%s not paid yet: who is on Stripe's page already can still pay there, and that is booked; the others can pay after a resume, until their order expires.", count(waiting, "order is", "orders are")))
		}
		if processing > 0 {
			notes = append(notes, fmt.Sprintf("%s at the customer's bank: it is booked when the bank has paid.", count(processing, "order is", "orders are")))
		}
		return notes, nil
	}
	notes = append(notes, "Portals' requests are taken.")
	if waiting > 0 {
		notes = append(notes, fmt.Sprintf("%s not paid yet and can be paid.", count(waiting, "order is", "orders are")))
	}
	return notes, nil
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// liveOrders are a tenant's orders that still wait for money, all of them.
func liveOrders(ctx context.Context, o *opened, t *pay.Tenant) ([]*pay.Order, error) {
	var all []*pay.Order
	for _, state := range []pay.OrderState{pay.OrderDraft, pay.OrderOpen, pay.OrderProcessing} {
		for after := ""; ; {
			page, err := o.store.ListOrders(ctx, pay.OrderFilter{TenantID: t.ID, State: state, After: after, Limit: 200})
			if err != nil {
				return nil, err
			}
			all = append(all, page...)
			if len(page) < 200 {
				break
			}
			after = page[len(page)-1].ID
		}
	}
	return all, nil
}

// askStripeWithin is how long `tenant set` waits to hear whose a new key is.
const askStripeWithin = 10 * time.Second

// askStripe says in words what a new Stripe key means for the orders that customers
// are paying with the old one. Only then is Stripe asked whose the new key is: the
// account is learnt at the next use anyway.
func (c *tenantChange) askStripe(ctx context.Context, o *opened, before, after *pay.Tenant) ([]string, error) {
	c.account = ""
	if after.StripeKey == before.StripeKey || before.StripeKey == "" {
		return nil, nil
	}
	begun, err := begunAtStripe(ctx, o, before)
	if err != nil || len(begun) == 0 {
		return nil, err
	}
	what := fmt.Sprintf("Warning: %s at Stripe with the old key (%s)", count(len(begun), "order was begun", "orders were begun"), some(begun))
	const then = "%s, and %s. What customers pay on Stripe's pages that are open cannot be seen with the new key. " +
		"Set the old key again until these orders are settled (portatill settle), or look after them in Stripe's dashboard; the same goes for refunds of older payments."
	if after.StripeKey == "" {
		return []string{fmt.Sprintf(then, what, "there is no key now")}, nil
	}
	if after.StripeLivemode != before.StripeLivemode {
		return []string{fmt.Sprintf(then, what, "the new key is of the other mode ("+mode(before)+" before, "+mode(after)+" now)")}, nil
	}
	asking, cancel := context.WithTimeout(ctx, askStripeWithin)
	defer cancel()
	account, err := o.gate.Account(asking, after)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return []string{fmt.Sprintf(then, what, "Stripe did not say whose the new key is (if it is of the same account, all is well)")}, nil
	case before.StripeAccount == "" || account.ID == before.StripeAccount:
		c.account = account.ID
		return nil, nil
	}
	c.account = account.ID
	return []string{fmt.Sprintf(then, what, "the new key is of another Stripe account ("+before.StripeAccount+" before, "+account.ID+" now)")}, nil
}

// begunAtStripe are the live orders that have an attempt at Stripe that may still
// succeed.
func begunAtStripe(ctx context.Context, o *opened, t *pay.Tenant) ([]string, error) {
	orders, err := liveOrders(ctx, o, t)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, order := range orders {
		attempts, err := o.store.ListAttempts(ctx, t.ID, order.ID)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(attempts, func(a *pay.Attempt) bool { return !a.State.Final() }) {
			ids = append(ids, order.ID)
		}
	}
	return ids, nil
}

// some lists a few ids of many.
func some(ids []string) string {
	if len(ids) > 3 {
		return strings.Join(ids[:3], ", ") + " …"
	}
	return strings.Join(ids, ", ")
}

func mode(t *pay.Tenant) string {
	if t.StripeLivemode {
		return "live"
	}
	return "test"
}
