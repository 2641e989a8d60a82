package main

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/internal/config"
	"github.com/portatill/portatill/pay"
)

func (a *app) booksCommand() *cobra.Command {
	var tenant, day string
	var verify, asJSON bool
	cmd := &cobra.Command{
		Use: "books", Short: "Show the ledger's accounts and customers' credit, and check that they are right",
		Long: "Show every ledger account's balance (debits positive) and what each customer was credited, per tenant and\n" +
			"currency. Exit code 1 when the accounts do not sum to zero or an invariant of the books is broken.",
		Example: "  portatill books\n  portatill books --tenant demo --day 2026-11-22 --json", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withStore(cmd.Context(), func(o *opened) error {
				id := ""
				if tenant != "" {
					t, err := findTenant(cmd.Context(), o, tenant)
					if err != nil {
						return err
					}
					id = t.ID
				}
				books, err := readBooks(cmd.Context(), o, id, day)
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
					return errors.New("the books are not square")
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "only this tenant's")
	cmd.Flags().StringVar(&day, "day", "", "what this day moved (UTC), such as 2026-11-22")
	cmd.Flags().BoolVar(&verify, "verify", false, "print only what is broken")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func readBooks(ctx context.Context, o *opened, tenantID, day string) (*pay.Books, error) {
	if day == "" {
		return o.pay.Books(ctx, tenantID)
	}
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return nil, usagef("portatill books: --day must be a day such as 2026-11-22")
	}
	return o.pay.DayBooks(ctx, tenantID, at)
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
