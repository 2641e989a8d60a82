package main

import (
	"context"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/pay"
)

func (a *app) payoutsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "payouts", Short: "See what Stripe paid out, and whether the ledger has all of it",
		Example: "  portatill payouts list --tenant acme", Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(a.payoutsListCommand())
	return cmd
}

func (a *app) payoutsListCommand() *cobra.Command {
	var tenant, after string
	var limit int
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List Stripe's payouts to a tenant's bank, the newest first",
		Long: "List payouts with their difference from the ledger, which is 0 when the books are right. It is known once Stripe has said\n" +
			"what a payout contains and a sweep has listed that (matched); of payouts that were not automatic Stripe never does.\n" +
			"portatill export journal --payout writes what one contains.",
		Example: "  portatill payouts list --tenant acme\n  portatill payouts list --tenant acme --limit 20 --after po_1abc… --json", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case tenant == "":
				return usagef("portatill payouts list: --tenant is needed: whose payouts; see portatill payouts list --help")
			case limit < 1 || limit > 200:
				return usagef("portatill payouts list: --limit must be from 1 to 200; see portatill payouts list --help")
			case after != "" && !strings.HasPrefix(after, "po_"):
				return usagef("portatill payouts list: --after must be a payout's id, such as po_1abc…, not %q; see portatill payouts list --help", after)
			}
			return a.withStore(cmd.Context(), func(o *opened) error {
				return a.listPayouts(cmd.Context(), o, tenant, pay.PayoutFilter{After: after, Limit: limit}, asJSON)
			})
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "whose, by the tenant's slug; needed")
	cmd.Flags().IntVar(&limit, "limit", 50, "how many at most, up to 200")
	cmd.Flags().StringVar(&after, "after", "", "the last id of the page before")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) listPayouts(ctx context.Context, o *opened, slug string, f pay.PayoutFilter, asJSON bool) error {
	t, err := findTenant(ctx, o, slug)
	if err != nil {
		return err
	}
	f.TenantID = t.ID
	list, err := o.pay.Payouts(ctx, f)
	if err != nil {
		return exportError(err)
	}
	shown := make([]shownPayout, len(list))
	for i, c := range list {
		shown[i] = showPayout(t, c)
	}
	return a.print(asJSON, shown, func(w io.Writer) { writePayouts(w, shown, f.Limit) })
}

// shownPayout is a payout beside the ledger.
type shownPayout struct {
	ID        string `json:"id"`
	Tenant    string `json:"tenant"`
	State     string `json:"state"`
	Amount    string `json:"amount"`
	Currency  string `json:"currency"`
	Automatic bool   `json:"automatic"`
	CreatedAt string `json:"created_at"`
	ArrivalAt string `json:"arrival_at"`
	MatchedAt string `json:"matched_at"` // "" until then
	// Transactions, Ledger and Difference are known of a matched payout.
	Transactions int64    `json:"balance_transactions"`
	Ledger       string   `json:"ledger"`
	OtherTenants string   `json:"other_tenants"` // with the same Stripe account
	Difference   string   `json:"difference"`
	Objects      []string `json:"objects,omitempty"`
}

func showPayout(t *pay.Tenant, c *pay.PayoutCheck) shownPayout {
	p := c.Payout
	s := shownPayout{ID: p.ID, Tenant: t.Slug, State: p.Status, Amount: p.Amount.Text(), Currency: string(p.Amount.Currency), Automatic: p.Automatic,
		CreatedAt: moment(p.CreatedAt), ArrivalAt: moment(p.ArrivalAt), MatchedAt: moment(p.MatchedAt)}
	if !p.MatchedAt.IsZero() {
		s.Transactions, s.Ledger, s.Difference, s.Objects = c.Transactions, c.Ledger.Text(), c.Difference.Text(), c.Objects
		s.OtherTenants = pay.Money{Minor: p.ForeignMinor, Currency: p.Amount.Currency}.Text()
	}
	return s
}

func writePayouts(w io.Writer, shown []shownPayout, limit int) {
	if len(shown) == 0 {
		line(w, "There are no such payouts.")
		return
	}
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	line(table, "PAYOUT\tSTATE\tAMOUNT\tARRIVAL\tMATCHED\tDIFFERENCE")
	for _, s := range shown {
		matched, difference := s.MatchedAt, s.Difference
		switch {
		case matched == "" && s.Automatic:
			matched, difference = "not yet", "-"
		case matched == "":
			matched, difference = "never: not automatic", "-"
		}
		arrival, _, _ := strings.Cut(s.ArrivalAt, "T")
		line(table, "%s\t%s\t%s %s\t%s\t%s\t%s", s.ID, printable(s.State), s.Amount, s.Currency, arrival, matched, difference)
	}
	table.Flush() //nolint:errcheck // nothing to be done about a closed terminal
	if len(shown) == limit {
		line(w, "There may be more: --after %s", shown[len(shown)-1].ID)
	}
}
