package main

import (
	"context"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/internal/config"
	"github.com/portatill/portatill/pay"
)

func (a *app) booksCommand() *cobra.Command {
	var tenant string
	var verify, asJSON bool
	var f proofFlags
	cmd := &cobra.Command{
		Use: "books", Short: "Show the ledger's accounts and customers' credit, and check that they are right",
		Long: "Show every ledger account's balance (debits positive) and what each customer was credited, per tenant and\n" +
			"currency. Exit code 1 when the accounts do not sum to zero or an invariant of the books is broken.\n\n" +
			"With --proof: per tenant, day and currency what Stripe's balance transactions, the ledger and PortaBilling say, the\n" +
			"cause of each difference, and the command that mends it. What has no cause is unexplained, and exit code 1.",
		Example: "  portatill books\n  portatill books --tenant demo --day 2026-11-22 --json\n  portatill books --proof --from 2026-11-01 --until 2026-11-22", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case f.asCSV && asJSON:
				return usagef("portatill books: --csv and --json are two forms of one answer; give one")
			case f.proof && verify:
				return usagef("portatill books: --proof and --verify are two questions; ask one after the other")
			}
			return a.withStore(cmd.Context(), func(o *opened) error {
				id := ""
				if tenant != "" {
					t, err := findTenant(cmd.Context(), o, tenant)
					if err != nil {
						return err
					}
					id = t.ID
				}
				if f.proof {
					return a.prove(cmd.Context(), o, id, &f, asJSON)
				}
				books, err := a.readBooks(cmd.Context(), o, id, &f, verify)
				if err != nil {
					return err
				}
				if id != "" { // what is broken elsewhere is not this tenant's to read
					books.Broken = slices.DeleteFunc(books.Broken, func(fault string) bool { return !strings.HasPrefix(fault, tenant+": ") })
				}
				if books.Tenants == nil {
					books.Tenants = []pay.TenantBooks{} // a list for machines also when nothing is booked
				}
				if err := a.print(asJSON, books, func(w io.Writer) { writeBooks(w, books, verify) }); err != nil {
					return err
				}
				if !books.Square() {
					return errNotSquare
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "only this tenant's")
	cmd.Flags().StringVar(&f.day, "day", "", "what this day moved (UTC), such as 2026-11-22")
	cmd.Flags().BoolVar(&verify, "verify", false, "check every invariant, cart and hash of the ledger, and print only what is broken")
	cmd.Flags().BoolVar(&f.proof, "proof", false, "prove the books: Stripe, ledger and PortaBilling side by side")
	cmd.Flags().StringVar(&f.from, "from", "", "with --proof: the first day (UTC); 30 days before the last when not given")
	cmd.Flags().StringVar(&f.until, "until", "", "with --proof: the last day (UTC); today when not given")
	cmd.Flags().BoolVar(&f.asCSV, "csv", false, "with --proof: print CSV")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) readBooks(ctx context.Context, o *opened, tenantID string, f *proofFlags, verify bool) (*pay.Books, error) {
	if f.asCSV || f.from != "" || f.until != "" {
		return nil, usagef("portatill books: --csv, --from and --until need --proof")
	}
	if f.day != "" {
		at, _, err := f.days()
		if err != nil {
			return nil, err
		}
		return o.pay.DayBooks(ctx, tenantID, at)
	}
	books, err := o.pay.Books(ctx, tenantID)
	if err != nil || !verify {
		return books, err
	}
	broken, err := o.pay.Verify(ctx, tenantID)
	if err != nil {
		return nil, err
	}
	books.Broken = append(books.Broken, broken...)
	return books, nil
}

func writeBooks(w io.Writer, books *pay.Books, verify bool) {
	if !verify {
		if len(books.Tenants) == 0 {
			line(w, "Nothing is booked yet.")
		}
		for _, t := range books.Tenants {
			line(w, "%s, %s", t.Tenant, t.Currency)
			table := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
			for _, account := range slices.Sorted(maps.Keys(t.Accounts)) {
				line(table, "  %s\t%s\t", account, t.Accounts[account])
			}
			line(table, "  sum\t%s\t", t.Sum)
			table.Flush() //nolint:errcheck // nothing to be done about a closed terminal
			for _, c := range t.Customers {
				line(w, "  customer %d %s has a credit of %s %s", c.ICustomer, c.Name, c.Credit, t.Currency)
			}
		}
	}
	for _, b := range books.Broken {
		line(w, "BROKEN: %s", b)
	}
	if books.Square() {
		line(w, "All square: every entry balances and the accounts sum to zero.")
	}
}

func (a *app) configCommand() *cobra.Command {
	var asJSON, example bool
	cmd := &cobra.Command{
		Use: "config", Short: "Print the settings in force, secrets masked", Example: "  portatill config\n  portatill config --env-example > .env.example",
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if example {
				_, err := io.WriteString(a.out, config.EnvExample())
				return err
			}
			c, err := a.settings(nil)
			if err != nil {
				return err
			}
			values := config.Show(a.env, c)
			return a.print(asJSON, values, func(w io.Writer) {
				for _, s := range config.Settings {
					line(w, "%s=%s", s.Name, values[s.Name])
				}
			})
		},
	}
	cmd.Flags().BoolVar(&example, "env-example", false, "print .env.example instead: every setting with its default")
	jsonFlag(cmd, &asJSON)
	return cmd
}
