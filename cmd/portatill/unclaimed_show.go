package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/portatill/portatill/pay"
)

// shownCase is a case of unclaimed money, with whose it may be.
type shownCase struct {
	ID        string         `json:"id"`
	Tenant    string         `json:"tenant"`
	State     string         `json:"state"`
	Object    string         `json:"object"` // Stripe's id
	Order     string         `json:"order"`
	Amount    string         `json:"amount"` // what came in
	Held      string         `json:"held"`   // what is in suspense now
	Assigned  string         `json:"assigned"`
	Customer  int64          `json:"i_customer"` // to whom it was assigned, 0 for nobody
	Reason    string         `json:"reason"`
	Detail    string         `json:"detail"`
	Evidence  pay.Evidence   `json:"evidence"`
	Decision  string         `json:"decision"`
	DecidedBy string         `json:"decided_by"`
	DecidedAt string         `json:"decided_at"`
	Owners    []shownOwner   `json:"suggested_owners"`
	Refunds   []shownRequest `json:"refund_requests"`
	Commands  []string       `json:"commands"` // that mend it
	CreatedAt string         `json:"created_at"`
	age       string
}

// shownOwner is whose it may be.
type shownOwner struct {
	ICustomer int64    `json:"i_customer"`
	Order     string   `json:"order"`
	Why       []string `json:"why"`
}

func listUnclaimed(ctx context.Context, o *opened, slug string, all bool) ([]shownCase, error) {
	tenants, err := tenantsOf(ctx, o, slug)
	if err != nil {
		return nil, err
	}
	shown := []shownCase{}
	for _, t := range tenants {
		list, err := o.store.ListUnclaimed(ctx, t.ID)
		if err != nil {
			return nil, err
		}
		for _, u := range list {
			if u.State != pay.UnclaimedOpen && !all {
				continue
			}
			s, err := showCase(ctx, o, t, u)
			if err != nil {
				return nil, err
			}
			shown = append(shown, s)
		}
	}
	slices.SortFunc(shown, func(a, b shownCase) int { return cmp.Compare(b.ID, a.ID) })
	return shown, nil
}

func showCase(ctx context.Context, o *opened, t *pay.Tenant, u *pay.Unclaimed) (shownCase, error) {
	money := func(minor int64) string { return pay.Money{Minor: minor, Currency: u.Amount.Currency}.String() }
	s := shownCase{ID: u.ID, Tenant: t.Slug, State: string(u.State), Object: u.ObjectID, Order: u.OrderID, Amount: u.Amount.String(), Held: money(u.HeldMinor),
		Assigned: money(u.AssignedMinor), Reason: u.Reason, Detail: u.Detail, Evidence: u.Evidence, Decision: u.Decision.Reason, DecidedAt: moment(u.Decision.At),
		Owners: []shownOwner{}, Refunds: []shownRequest{}, Commands: []string{}, CreatedAt: moment(u.CreatedAt), age: age(now().Sub(u.CreatedAt))}
	if u.State != pay.UnclaimedOpen {
		s.DecidedBy = causeText(u.Decision.Cause)
	}
	if u.CustomerID != "" {
		c, err := o.store.CustomerByID(ctx, u.TenantID, u.CustomerID)
		if err != nil {
			return s, err
		}
		s.Customer = c.ICustomer
	}
	requests, err := o.store.ListRefundRequests(ctx, u.TenantID, u.ID)
	if err != nil {
		return s, err
	}
	for _, r := range requests {
		s.Refunds = append(s.Refunds, showRequest(r))
	}
	owners, err := o.pay.SuggestOwners(ctx, u)
	if err != nil {
		return s, err
	}
	for _, x := range owners {
		s.Owners = append(s.Owners, shownOwner{x.ICustomer, x.OrderID, x.Why})
	}
	s.Commands = mending(u, owners)
	return s, nil
}

// mending are the commands that an open case may be closed with.
func mending(u *pay.Unclaimed, owners []pay.Suggestion) []string {
	if u.State != pay.UnclaimedOpen {
		return []string{}
	}
	ignore := fmt.Sprintf("portatill unclaimed ignore %s --reason '…'", u.ID)
	if u.HeldMinor <= 0 {
		if u.OrderID != "" { // what it is about is with the order
			return []string{"portatill orders show " + u.OrderID, ignore}
		}
		return []string{ignore}
	}
	customer := "N"
	if len(owners) > 0 {
		customer = fmt.Sprint(owners[0].ICustomer)
	}
	assign := fmt.Sprintf("portatill unclaimed assign %s --customer %s --reason '…'", u.ID, customer)
	if !u.Refundable() { // Stripe's dashboard can
		return []string{assign, ignore}
	}
	return []string{assign, "portatill unclaimed refund " + u.ID, ignore}
}

func (a *app) printCase(ctx context.Context, o *opened, u *pay.Unclaimed, asJSON bool, text func(w io.Writer, c shownCase)) error {
	t, err := o.store.TenantByID(ctx, u.TenantID)
	if err != nil {
		return err
	}
	c, err := showCase(ctx, o, t, u)
	if err != nil {
		return err
	}
	return a.print(asJSON, c, func(w io.Writer) { text(w, c) })
}

func writeUnclaimed(w io.Writer, shown []shownCase, all bool) {
	if len(shown) == 0 {
		if all {
			line(w, "There was never any unclaimed money.")
		} else {
			line(w, "There is nothing to decide about.")
		}
		return
	}
	for i, s := range shown {
		if i > 0 {
			line(w, "")
		}
		writeCase(w, s)
	}
}

func writeCase(w io.Writer, s shownCase) {
	line(w, "%s  %s  %s  %s, %s", s.ID, s.Tenant, s.State, s.Amount, s.age)
	row := func(name, text string) {
		if text != "" {
			line(w, "  %-9s %s", name, printable(text))
		}
	}
	row("why", s.Reason+": "+s.Detail)
	row("held", s.Held)
	if strings.HasPrefix(s.Held, "-") {
		row("", "more left Stripe's balance for "+s.Object+" than came in, so there is nothing to give to anybody: see in Stripe's dashboard what it was,")
		row("", "then close the case; the sweep opens none for it again")
	}
	row("order", s.Order)
	e := s.Evidence
	var at []string
	for _, id := range []string{s.Object, e.SessionID, e.IntentID, e.ChargeID, e.StripeCustomer} {
		if id != "" && !slices.Contains(at, id) {
			at = append(at, id)
		}
	}
	row("Stripe", strings.Join(at, ", "))
	row("paid by", strings.Join(slices.DeleteFunc([]string{e.Name, e.Email, e.Method}, func(v string) bool { return v == "" }), ", "))
	row("paid", moment(e.At))
	if e.ClientReference != "" {
		row("names", "client_reference_id "+e.ClientReference)
	}
	for _, o := range s.Owners {
		whose := fmt.Sprintf("customer %d", o.ICustomer)
		if o.Order != "" {
			whose += ", order " + o.Order
		}
		row("maybe", whose+": "+strings.Join(o.Why, "; "))
	}
	for _, r := range s.Refunds {
		row("refund", strings.Join([]string{r.Amount, r.State, cmp.Or(r.StripeRefundID, r.Failure)}, " "))
	}
	if s.Customer != 0 {
		row("given", fmt.Sprintf("%s to customer %d", s.Assigned, s.Customer))
	}
	if s.State != string(pay.UnclaimedOpen) {
		row("decided", s.DecidedAt+" by "+s.DecidedBy+": "+s.Decision)
	}
	for _, c := range s.Commands {
		row("do", c)
	}
}
