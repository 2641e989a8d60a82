package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/pay"
)

func (a *app) tenantRotateCommand() *cobra.Command {
	var asJSON, revoke, keep bool
	cmd := &cobra.Command{
		Use: "rotate-license SLUG", Short: "Make a new licence key and print it, once",
		Long: "Make a new licence key. The old ones stay good until the portal has moved (--keep-old says so aloud); then end them with\n" +
			"revoke-license. A key that was seen by anybody is replaced at once with --revoke-others.",
		Example: "  portatill tenant rotate-license acme --keep-old\n  portatill tenant rotate-license acme --revoke-others", Args: oneArg("slug"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if keep && revoke {
				return usagef("portatill tenant rotate-license: --keep-old and --revoke-others exclude each other; see portatill tenant rotate-license --help")
			}
			return a.withStore(cmd.Context(), func(o *opened) error {
				t, err := findTenant(cmd.Context(), o, args[0])
				if err != nil {
					return err
				}
				key, license, revoked, err := o.tenants().NewLicense(cmd.Context(), t, revoke)
				if err != nil {
					return err
				}
				good, err := o.tenants().GoodLicenses(cmd.Context(), t)
				if err != nil {
					return err
				}
				return a.print(asJSON, map[string]any{"tenant": t.Slug, "license": key.Reveal(), "id": license.ID, "revoked": revoked, "good": len(good)}, func(w io.Writer) {
					line(w, "Licence key of %s, shown once: %s", t.Slug, key.Reveal())
					if revoke {
						line(w, "%s revoked.", count(revoked, "older key is", "older keys are"))
					} else if len(good) > 1 {
						line(w, "%d keys are good now. When the portal has moved, end the old ones: portatill tenant revoke-license %s %s", len(good), t.Slug, good[0].ID)
					}
				})
			})
		},
	}
	cmd.Flags().BoolVar(&keep, "keep-old", false, "older keys stay good beside the new one, which is what happens without a flag too")
	cmd.Flags().BoolVar(&revoke, "revoke-others", false, "revoke all older keys at once")
	jsonFlag(cmd, &asJSON)
	return cmd
}

// shownLicense is a licence without its key, which nobody has but the portal.
type shownLicense struct {
	ID        string `json:"id"`
	Hint      string `json:"hint"` // the key's last four characters
	CreatedAt string `json:"created_at"`
	RevokedAt string `json:"revoked_at"` // "" while it is good
}

func (a *app) tenantLicensesCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "licenses SLUG", Short: "List a tenant's licence keys by their last four characters", Example: "  portatill tenant licenses acme", Args: oneArg("slug"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withStore(cmd.Context(), func(o *opened) error {
				t, err := findTenant(cmd.Context(), o, args[0])
				if err != nil {
					return err
				}
				licenses, err := o.store.ListLicenses(cmd.Context(), t.ID)
				if err != nil {
					return err
				}
				shown := []shownLicense{}
				for _, l := range licenses {
					shown = append(shown, shownLicense{l.ID, l.Hint, moment(l.CreatedAt), moment(l.RevokedAt)})
				}
				return a.print(asJSON, shown, func(w io.Writer) {
					if len(shown) == 0 {
						line(w, "%s has no licence keys; make one with portatill tenant rotate-license %s.", t.Slug, t.Slug)
						return
					}
					table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
					line(table, "KEY\tID\tMADE\tREVOKED")
					for _, l := range shown {
						line(table, "…%s\t%s\t%s\t%s", l.Hint, l.ID, l.CreatedAt, cmp.Or(l.RevokedAt, "good"))
					}
					table.Flush() //nolint:errcheck // nothing to be done about a closed terminal
				})
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) tenantRevokeCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "revoke-license SLUG HINT|ID", Short: "End a licence key",
		Long: "End a licence key, by its last four characters or its id as portatill tenant licenses shows them. From then on it is\n" +
			"answered 401 InvalidLicense. It may be called again.",
		Example: "  portatill tenant revoke-license acme x7Qa",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usagef("%s takes a slug, and a key's last four characters or id; see %s --help", cmd.CommandPath(), cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withStore(cmd.Context(), func(o *opened) error {
				t, err := findTenant(cmd.Context(), o, args[0])
				if err != nil {
					return err
				}
				license, err := findLicense(cmd.Context(), o, t, args[1])
				if err != nil {
					return err
				}
				revoked, err := o.store.RevokeLicense(cmd.Context(), t.ID, license.ID, now())
				if err != nil {
					return err
				}
				good, err := o.tenants().GoodLicenses(cmd.Context(), t)
				if err != nil {
					return err
				}
				return a.print(asJSON, map[string]any{"tenant": t.Slug, "id": license.ID, "hint": license.Hint, "revoked": revoked, "good": len(good)}, func(w io.Writer) {
					if revoked {
						line(w, "Licence key …%s of %s is revoked.", license.Hint, t.Slug)
					} else {
						line(w, "Licence key …%s of %s was revoked already.", license.Hint, t.Slug)
					}
					if len(good) == 0 {
						line(w, "It has no good key now: its portals are refused until portatill tenant rotate-license %s makes one.", t.Slug)
					}
				})
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

// findLicense finds one of a tenant's licences. Where several have the same last
// characters, the one that is good is meant, when it is one.
func findLicense(ctx context.Context, o *opened, t *pay.Tenant, name string) (*pay.License, error) {
	all, err := o.store.ListLicenses(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	hint := strings.TrimPrefix(name, "…")
	var found, good []*pay.License
	for _, l := range all {
		if l.ID == name {
			return l, nil
		}
		if l.Hint == hint {
			if found = append(found, l); l.RevokedAt.IsZero() {
				good = append(good, l)
			}
		}
	}
	switch {
	case len(good) == 1:
		return good[0], nil
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return nil, fmt.Errorf("%s has %d licence keys that end in %s: name one by its id, see portatill tenant licenses %s", t.Slug, len(found), hint, t.Slug)
	}
	// The name is not repeated: somebody may have pasted the key itself.
	return nil, fmt.Errorf("%s has no such licence key: name it by its last four characters or its id, see portatill tenant licenses %s", t.Slug, t.Slug)
}
