package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/pay"
)

func (a *app) secretsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "secrets", Short: "Change the key that encrypts the tenants' secrets, or go on without a lost one", Example: "  portatill secrets reseal --check",
		Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(a.resealCommand(), a.forgetCommand())
	return cmd
}

// resealed is the answer of `secrets reseal`.
type resealed struct {
	Secrets int      `json:"secrets"` // that are set, in all tenants
	Current int      `json:"current"` // under the present key, now
	Older   int      `json:"older"`   // under an older key, now
	Changed int      `json:"changed"` // encrypted anew by this call
	Lost    []string `json:"lost"`    // what no key opens
}

func (a *app) resealCommand() *cobra.Command {
	var check, asJSON bool
	cmd := &cobra.Command{
		Use: "reseal", Short: "Encrypt all secrets with the present PORTATILL_SECRET_KEY",
		Long: "Encrypt every secret in the database with PORTATILL_SECRET_KEY; what is encrypted with one of PORTATILL_OLD_SECRET_KEYS\n" +
			"is read with that. It is one transaction: killed at any time, it has done all or nothing, and it may be called again,\n" +
			"while the till runs too. Exit code 1 while something is left that the present key does not open. The steps around it\n" +
			"are in docs/operations.md, \"Changing the secret key\".",
		Example: "  portatill secrets reseal --check    say what is left, change nothing\n  portatill secrets reseal", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withStore(cmd.Context(), func(o *opened) error {
				r, err := reseal(cmd.Context(), o.store, check)
				if err != nil {
					return err
				}
				if err := a.print(asJSON, r, r.write); err != nil {
					return err
				}
				switch {
				case len(r.Lost) > 0:
					return fmt.Errorf("%s: put the key they were encrypted with into PORTATILL_OLD_SECRET_KEYS; if it is lost, see portatill secrets forget --help", count(len(r.Lost), "secret cannot be decrypted", "secrets cannot be decrypted"))
				case r.Older > 0:
					return fmt.Errorf("%s still encrypted with an older key; portatill secrets reseal changes that", count(r.Older, "secret is", "secrets are"))
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "only say what is left to do")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func reseal(ctx context.Context, store *sqlstore.Store, check bool) (*resealed, error) {
	r := &resealed{Lost: []string{}}
	if !check {
		done, err := store.Reseal(ctx)
		if err != nil {
			return nil, err
		}
		r.Changed = done.Older
	}
	// Read again also after a change: another process may have stored something since.
	left, err := store.Seals(ctx)
	if err != nil {
		return nil, err
	}
	r.Secrets, r.Current, r.Older, r.Lost = left.Secrets, left.Current, left.Older, append(r.Lost, left.Lost...)
	return r, nil
}

func (r *resealed) write(w io.Writer) {
	if r.Changed > 0 {
		line(w, "%s encrypted anew.", count(r.Changed, "secret is", "secrets are"))
	}
	line(w, "Of %s, %d use the present key and %d an older one.", count(r.Secrets, "secret", "secrets"), r.Current, r.Older)
	for _, l := range r.Lost {
		line(w, "LOST: %s", l)
	}
	if r.Older == 0 && len(r.Lost) == 0 {
		line(w, "Nothing is left to do. Once every process runs with the present key, PORTATILL_OLD_SECRET_KEYS can go.")
	}
}

func (a *app) forgetCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "forget SLUG", Short: "Empty a tenant's secrets that no key decrypts, so that they can be set again",
		Long: "Empty those secrets of one tenant that neither PORTATILL_SECRET_KEY nor PORTATILL_OLD_SECRET_KEYS decrypts, for when the\n" +
			"key is lost for good. It cannot be undone, and with the wrong key in the settings it empties what the right one would\n" +
			"have read: look at portatill secrets reseal --check first. Orders, money and licence keys are not touched.",
		Example: "  portatill secrets forget acme", Args: oneArg("slug"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withStore(cmd.Context(), func(o *opened) error {
				lost, err := o.store.ForgetLost(cmd.Context(), args[0])
				if pay.IsNotFound(err) {
					return fmt.Errorf("there is no tenant %q; see portatill tenant list", args[0])
				}
				if err != nil {
					return err
				}
				return a.print(asJSON, map[string]any{"tenant": args[0], "forgotten": append([]string{}, lost...)}, func(w io.Writer) {
					if len(lost) == 0 {
						line(w, "All secrets of %s can be decrypted; nothing is changed.", args[0])
						return
					}
					line(w, "Forgotten of %s: %s.", args[0], strings.Join(lost, ", "))
					if slices.Contains(lost, "signing_secret") {
						line(w, "It has a new signing secret; portatill tenant set %s --rotate-signing-secret makes and prints one for its portal.", args[0])
					}
					line(w, "Set the others again with portatill tenant set %s.", args[0])
				})
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}
