package tenantset

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/portatill/portatill/pay"
)

// StateNotes say what a tenant's state means for the orders that still wait for money.
func (s *Service) StateNotes(ctx context.Context, t *pay.Tenant) ([]string, error) {
	orders, err := s.liveOrders(ctx, t)
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

// mostLive bounds what is counted in each state: more is as much to a person.
const mostLive = 1000

func count(n int, one, many string) string {
	switch {
	case n == 1:
		return "1 " + one
	case n >= mostLive:
		return fmt.Sprintf("%d or more %s", mostLive, many)
	}
	return fmt.Sprintf("%d %s", n, many)
}

// liveOrders are a tenant's orders that still wait for money, newest first, at most
// mostLive in each state.
func (s *Service) liveOrders(ctx context.Context, t *pay.Tenant) ([]*pay.Order, error) {
	var all []*pay.Order
	for _, state := range []pay.OrderState{pay.OrderDraft, pay.OrderOpen, pay.OrderProcessing} {
		for after, n := "", 0; n < mostLive; {
			page, err := s.Store.ListOrders(ctx, pay.OrderFilter{TenantID: t.ID, State: state, After: after, Limit: 200})
			if err != nil {
				return nil, err
			}
			all, n = append(all, page...), n+len(page)
			if len(page) < 200 {
				break
			}
			after = page[len(page)-1].ID
		}
	}
	return all, nil
}

// askStripeWithin is how long a change waits to hear whose a new key is.
const askStripeWithin = 10 * time.Second

// askStripe says in words what a new Stripe key means for the orders that customers
// are paying with the old one. Only then is Stripe asked whose the new key is: the
// account is learnt at the next use anyway.
func (s *Service) askStripe(ctx context.Context, c *Change, before, after *pay.Tenant) ([]string, error) {
	if after.StripeKey == before.StripeKey || before.StripeKey == "" {
		return nil, nil
	}
	begun, err := s.begunAtStripe(ctx, before)
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
		return []string{fmt.Sprintf(then, what, "the new key is of the other mode ("+Mode(before)+" before, "+Mode(after)+" now)")}, nil
	}
	asking, cancel := context.WithTimeout(ctx, askStripeWithin)
	defer cancel()
	account, err := s.Account(asking, after)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return []string{fmt.Sprintf(then, what, "Stripe did not say whose the new key is (if it is of the same account, all is well)")}, nil
	case before.StripeAccount == "" || account.ID == before.StripeAccount:
		c.Account = account.ID
		return nil, nil
	}
	c.Account = account.ID
	return []string{fmt.Sprintf(then, what, "the new key is of another Stripe account ("+before.StripeAccount+" before, "+account.ID+" now)")}, nil
}

// begunAtStripe are the live orders that have an attempt at Stripe that may still
// succeed.
func (s *Service) begunAtStripe(ctx context.Context, t *pay.Tenant) ([]string, error) {
	orders, err := s.liveOrders(ctx, t)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, order := range orders {
		attempts, err := s.Store.ListAttempts(ctx, t.ID, order.ID)
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

// Mode is the mode of a tenant's Stripe account in a word.
func Mode(t *pay.Tenant) string {
	if t.StripeLivemode {
		return "live"
	}
	return "test"
}
