package paytest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/portatill/portatill/pay"
)

// Dump writes all that the tenant's money has become as text without ids and
// times: two runs that came to the same end give the same text. The roads there
// (story, notices on the way, events) are left out unless roads is true.
func (w *World) Dump(roads bool) string {
	t, ctx := w.T, context.Background()
	t.Helper()
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	orders, err := w.Store.ListOrders(ctx, pay.OrderFilter{TenantID: w.Tenant.ID, Limit: 200})
	must(err)
	for _, o := range orders {
		w.dumpOrder(o, say)
		if roads {
			w.dumpRoads(o, say)
		}
	}
	unclaimed, err := w.Store.ListUnclaimed(ctx, w.Tenant.ID)
	must(err)
	for _, u := range unclaimed {
		say("unclaimed %s %s %s held %d assigned %d", u.Reason, u.Amount, u.State, u.HeldMinor, u.AssignedMinor)
		asked, err := w.Store.ListRefundRequests(ctx, w.Tenant.ID, u.ID)
		must(err)
		for _, r := range asked {
			say("refund of unclaimed asked for %s %s made %t failure %q", r.State, r.Amount, r.StripeRefundID != "", r.Failure)
		}
	}
	balances, err := w.Store.Balances(ctx, w.Tenant.ID)
	must(err)
	for _, b := range balances {
		say("account %s %s", b.Account, b.Balance)
	}
	if c, err := w.Store.CustomerByICustomer(ctx, w.Tenant.ID, ICustomer); !pay.IsNotFound(err) {
		must(err)
		cards, err := w.Store.ListCards(ctx, w.Tenant.ID, c.ID)
		must(err)
		for _, card := range cards {
			say("card %s %s %d/%d %q", card.Brand, card.Last4, card.ExpMonth, card.ExpYear, card.Label)
		}
	}
	credits, err := w.Store.CustomerBalances(ctx, w.Tenant.ID)
	must(err)
	for _, c := range credits {
		say("credit of %d: %s", c.ICustomer, c.Credit)
	}
	if roads {
		events, err := w.Store.ListEvents(ctx, pay.EventFilter{TenantID: w.Tenant.ID, Limit: 1000})
		must(err)
		for _, e := range events {
			say("event %s %s", e.Type, e.State)
		}
	}
	// What came first is a matter of the road.
	slices.Sort(out)
	return strings.Join(out, "\n") + "\n"
}

func (w *World) dumpOrder(o *pay.Order, say func(string, ...any)) {
	ctx := context.Background()
	must := func(err error) {
		if err != nil {
			w.T.Fatal(err)
		}
	}
	c, err := w.Store.CustomerByID(ctx, w.Tenant.ID, o.CustomerID)
	must(err)
	say("order %s %s of %d (at Stripe %t) evidence %s", o.State, o.Cart.Total(), c.ICustomer, c.StripeCustomer != "", kind(o.Evidence))
	for _, a := range w.Attempts(o.ID) {
		say("attempt %d %s %s %s session %s intent %s card %s failure %q", a.Number, a.Kind, a.State, a.Amount, kind(a.SessionID), kind(a.IntentID), kind(a.CardID), a.Failure)
	}
	if p, err := w.Store.PaymentByOrder(ctx, w.Tenant.ID, o.ID); !pay.IsNotFound(err) {
		must(err)
		say("payment %s VAT %d refunded %d fee %s by %s", p.Amount, p.VATMinor, p.RefundedMinor, p.Fee, p.Method)
		refunds, err := w.Store.ListRefunds(ctx, w.Tenant.ID, p.ID)
		must(err)
		for _, r := range refunds {
			say("refund %s %s", r.State, r.Amount)
		}
		asked, err := w.Store.ListRefundRequests(ctx, w.Tenant.ID, p.ID)
		must(err)
		for _, r := range asked {
			say("refund asked for %s %s made %t failure %q", r.State, r.Amount, r.StripeRefundID != "", r.Failure)
		}
		disputes, err := w.Store.ListDisputes(ctx, w.Tenant.ID, p.ID)
		must(err)
		for _, d := range disputes {
			say("dispute %s %s %s", d.State, d.Amount, d.Reason)
		}
	}
	entries, err := w.Store.ListEntries(ctx, w.Tenant.ID, o.ID)
	must(err)
	for _, e := range entries {
		var lines []string
		for _, l := range e.Lines {
			lines = append(lines, fmt.Sprintf("%s %+d", l.Account, l.AmountMinor))
		}
		_, fact, _ := strings.Cut(e.Fact, ":")
		say("entry %s of %s, %s: %s", e.Kind, fact, e.Currency, strings.Join(lines, ", "))
	}
	postings, err := w.Store.ListPostings(ctx, w.Tenant.ID, o.ID)
	must(err)
	for _, p := range postings {
		say("posting %s %s %s", p.Kind, p.State, p.Amount)
	}
}

func (w *World) dumpRoads(o *pay.Order, say func(string, ...any)) {
	ctx := context.Background()
	story, err := w.Store.ListStory(ctx, w.Tenant.ID, o.ID)
	if err != nil {
		w.T.Fatal(err)
	}
	for _, s := range story {
		say("story %s", s.What)
	}
	deliveries, err := w.Store.ListDeliveries(ctx, w.Tenant.ID, o.ID)
	if err != nil {
		w.T.Fatal(err)
	}
	for _, d := range deliveries {
		say("delivery %s %s", d.Type, d.State)
	}
}

// kind is the part of an id that says what it is.
func kind(id string) string {
	prefix, _, _ := strings.Cut(id, "_")
	return prefix
}
