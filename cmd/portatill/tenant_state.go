package main

import (
	"fmt"
	"io"

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
				t, changed, notes, err := o.tenants().SetState(cmd.Context(), args[0], state)
				if pay.IsNotFound(err) {
					_, err = findTenant(cmd.Context(), o, args[0]) // for its words
				}
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

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
