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

func (a *app) ordersCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "orders", Short: "Find orders, and see all that happened to one", Example: "  portatill orders list --since 24h",
		Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(a.ordersListCommand(), a.ordersShowCommand())
	return cmd
}

// orderStates are what --state takes.
var orderStates = []pay.OrderState{pay.OrderDraft, pay.OrderOpen, pay.OrderProcessing, pay.OrderPaid, pay.OrderFailed, pay.OrderExpired, pay.OrderCancelled, pay.OrderMismatch}

// orderSearch is what `orders list` is asked for.
type orderSearch struct {
	tenant, feature, state, after, license string
	content, customer                      int64
	since                                  time.Duration
	limit                                  int
}

func (a *app) ordersListCommand() *cobra.Command {
	var q orderSearch
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List orders, newest first, by what they are for and how they stand",
		Long: "List orders, newest first. The conditions are joined by \"and\". The links with which customers pay are not shown: they\n" +
			"are credentials (see portatill orders show --link).",
		Example: "  portatill orders list --tenant acme --feature Basket --since 24h\n  portatill orders list --content 42 --state paid --json\n" +
			"  portatill orders list --tenant acme --customer 12345 --limit 20 --after ord_01jd…",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := q.check(cmd); err != nil {
				return err
			}
			return a.withStore(cmd.Context(), func(o *opened) error {
				found, err := q.find(cmd.Context(), o)
				if err != nil {
					return err
				}
				look := newLookup(o)
				shown := []shownOrder{}
				for _, order := range found {
					s, err := look.order(cmd.Context(), order)
					if err != nil {
						return err
					}
					shown = append(shown, s)
				}
				return a.print(asJSON, shown, func(w io.Writer) { writeOrders(w, shown, q.limit) })
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&q.tenant, "tenant", "", "only this tenant's, by its slug")
	flags.StringVar(&q.feature, "feature", "", "with this FeatureName")
	flags.Int64Var(&q.content, "content", 0, "with this ContentId")
	flags.StringVar(&q.state, "state", "", "in this state: draft, open, processing, paid, failed, expired, cancelled or mismatch")
	flags.Int64Var(&q.customer, "customer", 0, "of the customer with this ICustomer")
	flags.StringVar(&q.license, "license", "", "made with this licence key, by its id or the end that `tenant licenses` shows; needs --tenant")
	flags.DurationVar(&q.since, "since", 0, "made within this time, such as 24h")
	flags.IntVar(&q.limit, "limit", 50, "at most so many, 1 to 200")
	flags.StringVar(&q.after, "after", "", "go on after this order, the last one of the page before")
	jsonFlag(cmd, &asJSON)
	return cmd
}

// check tells everything that is wrong with the question, one line each.
func (q *orderSearch) check(cmd *cobra.Command) error {
	var faults []string
	bad := func(flag, problem string) { faults = append(faults, "--"+flag+": "+problem) }
	if q.state != "" && !slices.Contains(orderStates, pay.OrderState(q.state)) {
		bad("state", "must be draft, open, processing, paid, failed, expired, cancelled or mismatch")
	}
	if cmd.Flags().Changed("content") && q.content <= 0 {
		bad("content", "must be a ContentId above 0")
	}
	if cmd.Flags().Changed("customer") && q.customer <= 0 {
		bad("customer", "must be an ICustomer above 0")
	}
	if q.license != "" && q.tenant == "" {
		bad("license", "needs --tenant: a key is one tenant's")
	}
	if q.since < 0 {
		bad("since", "must be a time such as 24h")
	}
	if q.limit < 1 || q.limit > 200 {
		bad("limit", "must be between 1 and 200")
	}
	if q.after != "" && !isID(q.after, "ord") {
		bad("after", "must be an order's id, such as ord_01jd…")
	}
	if len(faults) > 0 {
		return usagef("%s", strings.Join(append(faults, "see portatill orders list --help"), "\n"))
	}
	return nil
}

// find asks each tenant by itself when a customer is named, because an ICustomer is
// one customer's within a tenant only.
func (q *orderSearch) find(ctx context.Context, o *opened) ([]*pay.Order, error) {
	f := pay.OrderFilter{State: pay.OrderState(q.state), FeatureName: q.feature, ContentID: q.content, After: q.after, Limit: q.limit}
	if q.since > 0 {
		f.Since = now().Add(-q.since)
	}
	tenants := []*pay.Tenant{nil}
	if q.tenant != "" {
		t, err := findTenant(ctx, o, q.tenant)
		if err != nil {
			return nil, err
		}
		tenants[0] = t
		if f.LicenseID, err = licenseID(ctx, o, t, q.license); err != nil {
			return nil, err
		}
	} else if q.customer > 0 {
		var err error
		if tenants, err = o.store.ListTenants(ctx); err != nil {
			return nil, err
		}
	}
	var all []*pay.Order
	for _, t := range tenants {
		if t != nil {
			f.TenantID = t.ID
		}
		if q.customer > 0 {
			c, err := o.store.CustomerByICustomer(ctx, t.ID, q.customer)
			if pay.IsNotFound(err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			f.CustomerID = c.ID
		}
		page, err := o.store.ListOrders(ctx, f)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
	}
	slices.SortFunc(all, func(a, b *pay.Order) int { return cmp.Compare(b.ID, a.ID) })
	return all[:min(len(all), q.limit)], nil
}

// shownOrder is an order in a list: no link to pay it, no personal data.
type shownOrder struct {
	ID          string `json:"id"`
	Tenant      string `json:"tenant"`
	Kind        string `json:"kind"`
	State       string `json:"state"`
	Reason      string `json:"reason,omitempty"`
	Amount      string `json:"amount"`
	Currency    string `json:"currency"`
	ICustomer   int64  `json:"i_customer"`
	FeatureName string `json:"feature_name"`
	ContentID   int64  `json:"content_id"`
	License     string `json:"license"` // the last four characters of the key it came with; "" for a signed pass
	CreatedAt   string `json:"created_at"`
	PaidAt      string `json:"paid_at"`
}

// lookup finds the names that go with orders, each once.
type lookup struct {
	o         *opened
	tenants   map[string]*pay.Tenant
	customers map[string]*pay.Customer
	hints     map[string]map[string]string // by tenant and licence
}

func newLookup(o *opened) *lookup {
	return &lookup{o: o, tenants: map[string]*pay.Tenant{}, customers: map[string]*pay.Customer{}, hints: map[string]map[string]string{}}
}

func (l *lookup) tenant(ctx context.Context, id string) (t *pay.Tenant, err error) {
	if t = l.tenants[id]; t == nil {
		t, err = l.o.store.TenantByID(ctx, id)
		l.tenants[id] = t
	}
	return t, err
}

func (l *lookup) customer(ctx context.Context, o *pay.Order) (c *pay.Customer, err error) {
	key := o.TenantID + "/" + o.CustomerID
	if c = l.customers[key]; c == nil {
		c, err = l.o.store.CustomerByID(ctx, o.TenantID, o.CustomerID)
		l.customers[key] = c
	}
	return c, err
}

func (l *lookup) license(ctx context.Context, o *pay.Order) (string, error) {
	if o.LicenseID == "" {
		return "", nil
	}
	if l.hints[o.TenantID] == nil {
		licenses, err := l.o.store.ListLicenses(ctx, o.TenantID)
		if err != nil {
			return "", err
		}
		l.hints[o.TenantID] = map[string]string{}
		for _, license := range licenses {
			l.hints[o.TenantID][license.ID] = "…" + license.Hint
		}
	}
	return l.hints[o.TenantID][o.LicenseID], nil
}

func (l *lookup) order(ctx context.Context, o *pay.Order) (shownOrder, error) {
	t, err := l.tenant(ctx, o.TenantID)
	if err != nil {
		return shownOrder{}, err
	}
	c, err := l.customer(ctx, o)
	if err != nil {
		return shownOrder{}, err
	}
	hint, err := l.license(ctx, o)
	return shownOrder{ID: o.ID, Tenant: t.Slug, Kind: string(o.Kind), State: string(o.State), Reason: o.StateReason, Amount: o.Cart.Total().Text(), Currency: string(o.Cart.Currency),
		ICustomer: c.ICustomer, FeatureName: o.FeatureName, ContentID: o.ContentID, License: hint, CreatedAt: moment(o.CreatedAt), PaidAt: moment(o.PaidAt)}, err
}

func writeOrders(w io.Writer, shown []shownOrder, limit int) {
	if len(shown) == 0 {
		line(w, "There are no such orders.")
		return
	}
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	line(table, "ORDER\tTENANT\tSTATE\tAMOUNT\tCUSTOMER\tFEATURE\tCONTENT\tKEY\tMADE")
	for _, s := range shown {
		line(table, "%s\t%s\t%s\t%s %s\t%d\t%s\t%d\t%s\t%s", s.ID, s.Tenant, s.State, s.Amount, s.Currency, s.ICustomer, printable(s.FeatureName), s.ContentID, cmp.Or(s.License, "-"), s.CreatedAt)
	}
	table.Flush() //nolint:errcheck // nothing to be done about a closed terminal
	if len(shown) == limit {
		line(w, "There may be more: --after %s", shown[len(shown)-1].ID)
	}
}

// printable keeps what portals and customers wrote from moving the cursor of a
// terminal, or the columns of a table.
func printable(text string) string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || (r >= 0x7f && r < 0xa0) {
			return '·'
		}
		return r
	}, text)
	return cmp.Or(clean, "-")
}

// findOrder finds an order by its id, of one tenant when a slug is given. Another
// tenant's order is answered as one that does not exist.
func findOrder(ctx context.Context, o *opened, slug, id string) (*pay.Tenant, *pay.Order, error) {
	if !strings.HasPrefix(id, "ord_") {
		return nil, nil, usagef("%q is not an order's id, such as ord_01jd…; see portatill orders list", id)
	}
	tenants, err := o.store.ListTenants(ctx)
	if slug != "" {
		var t *pay.Tenant
		t, err = findTenant(ctx, o, slug)
		tenants = []*pay.Tenant{t}
	}
	if err != nil {
		return nil, nil, err
	}
	for _, t := range tenants {
		order, err := o.store.OrderByID(ctx, t.ID, id)
		if !pay.IsNotFound(err) {
			return t, order, err
		}
	}
	if slug != "" {
		return nil, nil, fmt.Errorf("tenant %s has no order %s", slug, id)
	}
	return nil, nil, fmt.Errorf("there is no order %s", id)
}

// licenseID finds a tenant's licence by its id or hint; "" for none asked for.
func licenseID(ctx context.Context, o *opened, t *pay.Tenant, named string) (string, error) {
	if named == "" {
		return "", nil
	}
	licenses, err := o.store.ListLicenses(ctx, t.ID)
	if err != nil {
		return "", err
	}
	var found []string
	for _, l := range licenses {
		if l.ID == named || l.Hint == strings.TrimPrefix(named, "…") {
			found = append(found, l.ID)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
	default:
		return "", fmt.Errorf("more than one licence key of %s ends so; name one by its id: %s", t.Slug, strings.Join(found, ", "))
	}
	return "", fmt.Errorf("%s has no licence key %s; portatill tenant licenses %s lists them", t.Slug, named, t.Slug)
}
