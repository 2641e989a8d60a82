package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/pay"
)

func (a *app) tenantCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "tenant", Short: "Add, list, show and change tenants (resellers)", Example: "  portatill tenant list",
		Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(a.tenantAddCommand(), a.tenantSetCommand(), a.tenantListCommand(), a.tenantShowCommand(), a.tenantRotateCommand())
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
			return a.withStore(cmd.Context(), func(o *opened) error {
				t := pay.NewTenant(args[0], args[0], "GBP", now())
				if err := a.applyTenantFlags(cmd, &f, t, o.sandbox); err != nil {
					return err
				}
				key, license := pay.NewLicense(t.ID, now())
				err := o.store.InTx(cmd.Context(), func(tx pay.Tx) error {
					return errors.Join(tx.InsertTenant(cmd.Context(), t), tx.InsertLicense(cmd.Context(), license))
				})
				if pay.CodeOf(err) == pay.CodeConflict {
					return fmt.Errorf("a tenant with the slug %q exists already", t.Slug)
				}
				if err != nil {
					return err
				}
				return a.print(asJSON, map[string]string{"tenant": t.Slug, "id": t.ID, "license": key.Reveal(), "signing_secret": t.SigningSecret.Reveal()},
					func(w io.Writer) {
						line(w, "Tenant %s added.\nLicence key, shown once:     %s\nSigning secret, shown once:  %s", t.Slug, key.Reveal(), t.SigningSecret.Reveal())
						if fault := t.ReadyFault(); fault != "" {
							line(w, "It cannot take money yet: %s.", fault)
						}
					})
			})
		},
	}
	f.register(cmd)
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) tenantSetCommand() *cobra.Command {
	var f tenantFlags
	cmd := &cobra.Command{
		Use: "set SLUG", Short: "Change a tenant's properties", Example: "  portatill tenant set acme --vat-rate 17.5 --state suspended",
		Args: oneArg("slug"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().NFlag() == 0 {
				return usagef("portatill tenant set: say what to change; see portatill tenant set --help")
			}
			return a.withStore(cmd.Context(), func(o *opened) error {
				t, err := findTenant(cmd.Context(), o, args[0])
				if err != nil {
					return err
				}
				if err := a.applyTenantFlags(cmd, &f, t, o.sandbox); err != nil {
					return err
				}
				t.UpdatedAt = now()
				if err := o.store.InTx(cmd.Context(), func(tx pay.Tx) error { return tx.UpdateTenant(cmd.Context(), t) }); err != nil {
					return err
				}
				line(a.out, "Tenant %s changed.", t.Slug)
				return nil
			})
		},
	}
	f.register(cmd)
	return cmd
}

func findTenant(ctx context.Context, o *opened, slug string) (*pay.Tenant, error) {
	t, err := o.store.TenantBySlug(ctx, slug)
	if pay.IsNotFound(err) {
		return nil, fmt.Errorf("there is no tenant %q; see portatill tenant list", slug)
	}
	return t, err
}

// shownTenant is a tenant as the command line shows it: no secret in it.
type shownTenant struct {
	Slug           string   `json:"slug"`
	ID             string   `json:"id"`
	Name           string   `json:"name"`
	State          string   `json:"state"`
	Ready          bool     `json:"ready"`
	NotReady       string   `json:"not_ready,omitempty"`
	IParent        int64    `json:"i_parent"`
	Currency       string   `json:"currency"`
	Currencies     []string `json:"currencies"`
	VATBasisPoints int64    `json:"vat_basis_points"`
	VATMode        string   `json:"vat_mode"`
	ReturnOrigins  []string `json:"return_origins"`
	Review         string   `json:"review"`
	FirstMonth     string   `json:"first_month"`
	Subtotal       string   `json:"subtotal"`
	StripeMode     string   `json:"stripe_mode"`
	StripeKey      string   `json:"stripe_key"`
	StripeAccount  string   `json:"stripe_account"`
	WebhookSecrets int      `json:"webhook_secrets"`
	OutboundURL    string   `json:"outbound_url"`
	Licenses       []string `json:"licenses"` // the last four characters of each good one
}

func showTenant(ctx context.Context, o *opened, t *pay.Tenant) (shownTenant, error) {
	s := shownTenant{Slug: t.Slug, ID: t.ID, Name: t.Name, State: string(t.State), NotReady: t.ReadyFault(), IParent: t.IParent,
		Currency: string(t.DefaultCurrency), VATBasisPoints: t.VATBasisPoints, VATMode: string(t.VATMode), ReturnOrigins: append([]string{}, t.ReturnOrigins...),
		Review: t.Policies.Review, FirstMonth: t.Policies.FirstMonth, Subtotal: t.Policies.Subtotal, StripeMode: "test", StripeKey: t.StripeKey.String(),
		StripeAccount: t.StripeAccount, WebhookSecrets: len(t.StripeWebhookSecrets), OutboundURL: t.OutboundURL, Currencies: []string{}, Licenses: []string{}}
	s.Ready = s.NotReady == ""
	if t.StripeLivemode {
		s.StripeMode = "live"
	}
	for _, c := range t.Currencies {
		s.Currencies = append(s.Currencies, string(c))
	}
	licenses, err := o.store.ListLicenses(ctx, t.ID)
	for _, l := range licenses {
		if l.RevokedAt.IsZero() {
			s.Licenses = append(s.Licenses, "…"+l.Hint)
		}
	}
	return s, err
}

func (a *app) tenantListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the tenants", Example: "  portatill tenant list --json", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withStore(cmd.Context(), func(o *opened) error {
				tenants, err := o.store.ListTenants(cmd.Context())
				if err != nil {
					return err
				}
				shown := []shownTenant{}
				for _, t := range tenants {
					s, err := showTenant(cmd.Context(), o, t)
					if err != nil {
						return err
					}
					shown = append(shown, s)
				}
				return a.print(asJSON, shown, func(w io.Writer) {
					if len(shown) == 0 {
						line(w, "There are no tenants yet; add one with portatill tenant add.")
						return
					}
					table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
					line(table, "SLUG\tNAME\tSTATE\tCURRENCY\tSTRIPE\tREADY")
					for _, s := range shown {
						line(table, "%s\t%s\t%s\t%s\t%s\t%s", s.Slug, s.Name, s.State, s.Currency, s.StripeMode, cmp.Or(s.NotReady, "yes"))
					}
					table.Flush() //nolint:errcheck // nothing to be done about a closed terminal
				})
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) tenantShowCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show SLUG", Short: "Show a tenant, secrets masked", Example: "  portatill tenant show demo", Args: oneArg("slug"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withStore(cmd.Context(), func(o *opened) error {
				t, err := findTenant(cmd.Context(), o, args[0])
				if err != nil {
					return err
				}
				s, err := showTenant(cmd.Context(), o, t)
				if err != nil {
					return err
				}
				return a.print(asJSON, s, func(w io.Writer) {
					table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
					for _, row := range [][2]string{
						{"slug", s.Slug}, {"id", s.ID}, {"name", s.Name}, {"state", s.State}, {"ready", cmp.Or(s.NotReady, "yes")},
						{"i-parent", fmt.Sprint(s.IParent)}, {"currency", s.Currency}, {"currencies", strings.Join(s.Currencies, " ")},
						{"vat", fmt.Sprintf("%d basis points, %s", s.VATBasisPoints, s.VATMode)}, {"return origins", strings.Join(s.ReturnOrigins, " ")},
						{"review", s.Review}, {"first month", s.FirstMonth}, {"subtotal", s.Subtotal}, {"stripe", s.StripeMode + " " + s.StripeAccount},
						{"stripe key", s.StripeKey}, {"webhook secrets", fmt.Sprint(s.WebhookSecrets)}, {"outbound", s.OutboundURL},
						{"licences", strings.Join(s.Licenses, " ")},
					} {
						line(table, "%s\t%s", row[0], row[1])
					}
					table.Flush() //nolint:errcheck // nothing to be done about a closed terminal
				})
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) tenantRotateCommand() *cobra.Command {
	var asJSON, revoke bool
	cmd := &cobra.Command{
		Use: "rotate-license SLUG", Short: "Make a new licence key and print it, once",
		Long:    "Make a new licence key. The old ones stay good until the portal has moved; then call it with --revoke-others.",
		Example: "  portatill tenant rotate-license acme\n  portatill tenant rotate-license acme --revoke-others", Args: oneArg("slug"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withStore(cmd.Context(), func(o *opened) error {
				t, err := findTenant(cmd.Context(), o, args[0])
				if err != nil {
					return err
				}
				key, license := pay.NewLicense(t.ID, now())
				revoked := 0
				err = o.store.InTx(cmd.Context(), func(tx pay.Tx) error {
					if err := tx.InsertLicense(cmd.Context(), license); err != nil || !revoke {
						return err
					}
					revoked, err = tx.RevokeLicenses(cmd.Context(), t.ID, license.ID, now())
					return err
				})
				if err != nil {
					return err
				}
				return a.print(asJSON, map[string]any{"tenant": t.Slug, "license": key.Reveal(), "revoked": revoked}, func(w io.Writer) {
					line(w, "Licence key of %s, shown once: %s", t.Slug, key.Reveal())
					if revoke {
						line(w, "%d older keys are revoked.", revoked)
					}
				})
			})
		},
	}
	cmd.Flags().BoolVar(&revoke, "revoke-others", false, "revoke all older keys at once")
	jsonFlag(cmd, &asJSON)
	return cmd
}

// secretFrom reads a secret from a file, or from standard input for "-". Secrets
// are never flags themselves: other users of the machine can read those.
func (a *app) secretFrom(path string) (pay.Secret, error) {
	var raw []byte
	var err error
	if path == "-" {
		raw, err = io.ReadAll(io.LimitReader(a.in, 4096))
	} else {
		raw, err = os.ReadFile(path)
	}
	if err != nil {
		return "", fmt.Errorf("read the secret: %w", err)
	}
	return pay.Secret(strings.TrimSpace(string(raw))), nil
}
