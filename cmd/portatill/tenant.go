package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/internal/tenantset"
	"github.com/portatill/portatill/pay"
)

func (a *app) tenantCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "tenant", Short: "Add, list, show and change tenants (resellers)", Example: "  portatill tenant list",
		Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(a.tenantAddCommand(), a.tenantSetCommand(), a.tenantListCommand(), a.tenantShowCommand(),
		a.tenantStateCommand("suspend", pay.TenantSuspended), a.tenantStateCommand("resume", pay.TenantActive),
		a.tenantRotateCommand(), a.tenantLicensesCommand(), a.tenantRevokeCommand())
	return cmd
}

func (a *app) tenantAddCommand() *cobra.Command {
	var f tenantFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use: "add SLUG", Short: "Add a tenant and print its licence key, once",
		Example: "  portatill tenant add acme --name 'Acme Telecom' --currency GBP --return-origins https://shop.acme.example \\\n" +
			"    --vat-rate 20 --stripe-key-file /run/secrets/acme-stripe --stripe-webhook-secret-file /run/secrets/acme-whsec",
		Args: oneArg("slug"),
		RunE: func(cmd *cobra.Command, args []string) error {
			// The first command of a new installation: the tables may not be there yet.
			return a.withStoreAs(cmd.Context(), openOptions{fill: true}, func(o *opened) error {
				added, err := o.tenants().Add(cmd.Context(), args[0], a.readTenantFlags(cmd, &f))
				if pay.CodeOf(err) == pay.CodeConflict {
					return fmt.Errorf("a tenant with the slug %q exists already", args[0])
				}
				if err != nil {
					return flagFaults(err)
				}
				t := added.Tenant
				made := map[string]string{"tenant": t.Slug, "id": t.ID, "license": added.License.Reveal(), "signing_secret": added.SigningSecret.Reveal()}
				if added.OutboundSecret != "" {
					made["outbound_secret"] = added.OutboundSecret.Reveal()
				}
				return a.print(asJSON, made, func(w io.Writer) {
					line(w, "Tenant %s added.\nLicence key, shown once:     %s\nSigning secret, shown once:  %s", t.Slug, made["license"], made["signing_secret"])
					if s := made["outbound_secret"]; s != "" {
						line(w, "Outbound secret, shown once: %s", s)
					}
					if fault := t.ReadyFault(); fault != "" {
						line(w, "It cannot take money yet: %s.", fault)
					}
				})
			})
		},
	}
	f.register(cmd, false)
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) tenantSetCommand() *cobra.Command {
	var f tenantFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use: "set SLUG", Short: "Change a tenant's properties",
		Long: "Change a tenant's properties; what no flag names stays. All faults are told at once, and then nothing is stored.\n" +
			"Secrets come from files (or - for standard input), and those made here are printed once. The slug stays for good.",
		Example: "  portatill tenant set acme --vat-rate 17.5 --save-card ask --add-return-origin https://shop2.acme.example\n" +
			"  portatill tenant set acme --stripe-webhook-secret-file new.txt    both are good now\n" +
			"  portatill tenant set acme --drop-old-webhook-secret               only the new one is",
		Args: oneArg("slug"),
		RunE: func(cmd *cobra.Command, args []string) error {
			given := cmd.Flags().NFlag()
			if asJSON {
				given--
			}
			if given == 0 {
				return usagef("portatill tenant set: say what to change; see portatill tenant set --help")
			}
			return a.withStore(cmd.Context(), func(o *opened) error {
				result, err := setTenant(cmd.Context(), o, args[0], a.readTenantFlags(cmd, &f))
				if err != nil {
					return err
				}
				return a.print(asJSON, result, result.write)
			})
		},
	}
	f.register(cmd, true)
	jsonFlag(cmd, &asJSON)
	return cmd
}

// tenantResult is what `tenant set` answers. The secrets are those made just now.
type tenantResult struct {
	Tenant         shownTenant `json:"tenant"`
	SigningSecret  string      `json:"signing-secret,omitempty"`
	OutboundSecret string      `json:"outbound-secret,omitempty"`
	// Notes say what follows from the change, in words.
	Notes []string `json:"notes"`
}

func (r *tenantResult) write(w io.Writer) {
	line(w, "Tenant %s changed.", r.Tenant.Slug)
	if r.SigningSecret != "" {
		line(w, "Signing secret, shown once:  %s", r.SigningSecret)
	}
	if r.OutboundSecret != "" {
		line(w, "Outbound secret, shown once: %s", r.OutboundSecret)
	}
	for _, n := range r.Notes {
		line(w, "%s", n)
	}
}

func setTenant(ctx context.Context, o *opened, slug string, change *tenantset.Change) (*tenantResult, error) {
	if _, err := findTenant(ctx, o, slug); err != nil {
		return nil, err
	}
	done, err := o.tenants().Set(ctx, slug, change)
	if err != nil {
		return nil, flagFaults(err)
	}
	shown, err := showTenant(ctx, o, done.Tenant)
	if err != nil {
		return nil, err
	}
	return &tenantResult{Tenant: shown, SigningSecret: done.SigningSecret.Reveal(), OutboundSecret: done.OutboundSecret.Reveal(), Notes: done.Notes}, nil
}

// tenants are the ways to change tenants, which the staff's pages have too.
func (o *opened) tenants() *tenantset.Service {
	return &tenantset.Service{Store: o.store, Account: o.gate.Account, Now: now, Sandbox: o.sandbox}
}

func findTenant(ctx context.Context, o *opened, slug string) (*pay.Tenant, error) {
	t, err := o.store.TenantBySlug(ctx, slug)
	if pay.IsNotFound(err) {
		return nil, fmt.Errorf("there is no tenant %q; see portatill tenant list", slug)
	}
	return t, err
}
