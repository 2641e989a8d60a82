package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/internal/tenantset"
	"github.com/portatill/portatill/pay"
)

func (a *app) adminCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "admin", Short: "Add, list and change the staff who may sign in under /admin",
		Long: "Add, list and change the staff who may sign in under /admin. There is no default account: the first operator is made\n" +
			"here, with admin add. Every change is in the audit log as made by the command line.",
		Example: "  portatill admin add ada@example.com --name 'Ada Lovelace'",
		Args:    noArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(a.adminAddCommand(), a.adminPasswdCommand(), a.adminListCommand(), a.adminStateCommand("suspend", staff.Suspended),
		a.adminStateCommand("resume", staff.Active), a.adminResetTOTPCommand(), a.adminUnlinkCommand())
	return cmd
}

// atCommand is the command line in the audit log.
var atCommand = staff.By{Actor: staff.Command}

// staffService is the staff's rules on an open database.
func (o *opened) staffService() *staff.Service { return &staff.Service{Store: o.store, Now: o.now} }

// refusedInput makes a wrong value a wrong call: exit code 2.
func refusedInput(err error) error {
	e, ok := errors.AsType[*pay.Error](err)
	switch {
	case ok && e.Code == pay.CodeBadRequest:
		return usagef("%s", e.Message)
	case ok && e.Code == pay.CodeConflict:
		return errors.New(e.Message)
	}
	return err
}

// readPassword reads --password-file; "" without one.
func (a *app) readPassword(path string) (pay.Secret, error) {
	if path == "" {
		return "", nil
	}
	raw, err := a.readFile(path, tenantset.MaxSecret+1)
	if err != nil {
		return "", usagef("--password-file cannot be read: %v", err)
	}
	text := strings.TrimRight(string(raw), "\r\n")
	if text == "" || len(raw) > tenantset.MaxSecret || strings.ContainsAny(text, "\r\n") {
		return "", usagef("--password-file must hold the password alone, on one line")
	}
	return pay.Secret(text), nil
}

func (a *app) adminAddCommand() *cobra.Command {
	var name, role, tenant, file string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "add EMAIL", Short: "Add somebody to the staff; a password is made and printed once unless a file has one",
		Example: "  portatill admin add ada@example.com --name 'Ada Lovelace'\n" +
			"  portatill admin add bob@acme.example --role tenant_admin --tenant acme --password-file -",
		Args: oneArg("e-mail address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			password, err := a.readPassword(file)
			if err != nil {
				return err
			}
			// It may be the first command of a new installation, as tenant add may.
			return a.withStoreAs(ctx, openOptions{fill: true}, func(o *opened) error {
				in := staff.AddInput{Email: args[0], Name: name, Role: staff.Role(role), Password: password}
				if tenant != "" {
					t, err := findTenant(ctx, o, tenant)
					if err != nil {
						return err
					}
					in.TenantID = t.ID
				}
				p, made, err := o.staffService().Add(ctx, atCommand, in)
				if err != nil {
					return refusedInput(err)
				}
				return a.printAdmin(asJSON, p, made, "added")
			})
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "the person's name; without it, the e-mail address")
	cmd.Flags().StringVar(&role, "role", string(staff.Operator), "operator, tenant_admin or tenant_viewer")
	cmd.Flags().StringVar(&tenant, "tenant", "", "the slug of the tenant, for tenant_admin and tenant_viewer")
	cmd.Flags().StringVar(&file, "password-file", "", "read the password from this file, or - for standard input")
	jsonFlag(cmd, &asJSON)
	return cmd
}

// printAdmin says what was done to a person, and the password that was made.
func (a *app) printAdmin(asJSON bool, p *staff.Person, made pay.Secret, what string) error {
	shown := map[string]string{"id": p.ID, "email": p.Email, "role": string(p.Role)}
	if made != "" {
		shown["password"] = made.Reveal()
	}
	return a.print(asJSON, shown, func(w io.Writer) {
		line(w, "%s (%s) was %s.", p.Email, p.Role, what)
		if made != "" {
			line(w, "Password, shown once: %s", made.Reveal())
		}
	})
}

func (a *app) adminPasswdCommand() *cobra.Command {
	var file string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "passwd EMAIL", Short: "Give somebody another password and sign them out everywhere",
		Example: "  portatill admin passwd ada@example.com\n  portatill admin passwd ada@example.com --password-file new.txt", Args: oneArg("e-mail address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			password, err := a.readPassword(file)
			if err != nil {
				return err
			}
			return a.withPerson(cmd.Context(), args[0], func(o *opened, s *staff.Service, p *staff.Person) error {
				made, err := s.SetPassword(cmd.Context(), atCommand, p.ID, password)
				if err != nil {
					return refusedInput(err)
				}
				return a.printAdmin(asJSON, p, made, "given another password")
			})
		},
	}
	cmd.Flags().StringVar(&file, "password-file", "", "read the password from this file, or - for standard input")
	jsonFlag(cmd, &asJSON)
	return cmd
}

// withPerson runs a command about one of the staff.
func (a *app) withPerson(ctx context.Context, email string, work func(o *opened, s *staff.Service, p *staff.Person) error) error {
	return a.withStore(ctx, func(o *opened) error {
		p, err := o.store.StaffByEmail(ctx, staff.FoldEmail(email))
		if pay.IsNotFound(err) {
			return fmt.Errorf("nobody on the staff has the e-mail address %q; see portatill admin list", email)
		}
		if err != nil {
			return err
		}
		return work(o, o.staffService(), p)
	})
}

func (a *app) adminStateCommand(verb string, state staff.State) *cobra.Command {
	var asJSON bool
	short, done := "Keep somebody from signing in, and sign them out everywhere", "suspended"
	if state == staff.Active {
		short, done = "Let somebody who was suspended sign in again", "resumed"
	}
	cmd := &cobra.Command{
		Use: verb + " EMAIL", Short: short, Long: short + ". It may be called again.", Example: "  portatill admin " + verb + " ada@example.com", Args: oneArg("e-mail address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withPerson(cmd.Context(), args[0], func(o *opened, s *staff.Service, p *staff.Person) error {
				if _, err := s.SetStanding(cmd.Context(), atCommand, p.ID, p.Role, p.TenantID, state); err != nil {
					return err
				}
				return a.printAdmin(asJSON, p, "", done)
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) adminResetTOTPCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "reset-totp EMAIL", Short: "Take away the authenticator app and recovery codes of somebody who lost them",
		Example: "  portatill admin reset-totp ada@example.com", Args: oneArg("e-mail address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			// With the secret key lost, too: the person could not even be read then.
			if err := a.withStore(cmd.Context(), func(o *opened) error {
				return o.store.ForgetLostTOTP(cmd.Context(), staff.FoldEmail(args[0]))
			}); err != nil {
				return err
			}
			return a.withPerson(cmd.Context(), args[0], func(o *opened, s *staff.Service, p *staff.Person) error {
				if err := s.ResetTOTP(cmd.Context(), atCommand, p.ID); err != nil {
					return err
				}
				return a.printAdmin(asJSON, p, "", "left with the password alone")
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

// shownPerson is one of the staff as `admin list` prints it.
type shownPerson struct {
	ID         string     `json:"id"`
	Email      string     `json:"email"`
	Name       string     `json:"name"`
	Role       string     `json:"role"`
	Tenant     string     `json:"tenant,omitempty"`
	State      string     `json:"state"`
	TOTP       bool       `json:"totp"`
	OIDC       bool       `json:"oidc"` // an account of an OpenID provider is linked
	SignedInAt *time.Time `json:"signed-in-at"`
}

func (a *app) adminListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the staff", Example: "  portatill admin list --json", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withStore(cmd.Context(), func(o *opened) error {
				shown, err := listStaff(cmd.Context(), o)
				if err != nil {
					return err
				}
				return a.print(asJSON, shown, func(w io.Writer) {
					if len(shown) == 0 {
						line(w, "There is nobody yet; add the first operator with portatill admin add.")
						return
					}
					table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
					line(table, "EMAIL\tNAME\tROLE\tTENANT\tSTATE\tTOTP\tOIDC\tLAST SIGN-IN")
					for _, s := range shown {
						last, totp, oidc := "never", "off", "-"
						if s.SignedInAt != nil {
							last = s.SignedInAt.Format("2006-01-02 15:04")
						}
						if s.TOTP {
							totp = "on"
						}
						if s.OIDC {
							oidc = "linked"
						}
						line(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", s.Email, s.Name, s.Role, s.Tenant, s.State, totp, oidc, last)
					}
					table.Flush() //nolint:errcheck // nothing to be done about a closed terminal
				})
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func listStaff(ctx context.Context, o *opened) ([]shownPerson, error) {
	tenants, err := o.store.ListTenants(ctx)
	if err != nil {
		return nil, err
	}
	slugs := map[string]string{}
	for _, t := range tenants {
		slugs[t.ID] = t.Slug
	}
	people, err := o.store.ListStaff(ctx)
	if err != nil {
		return nil, err
	}
	shown := []shownPerson{}
	for _, p := range people {
		s := shownPerson{ID: p.ID, Email: p.Email, Name: p.Name, Role: string(p.Role), Tenant: slugs[p.TenantID], State: string(p.State), TOTP: p.HasTOTP(), OIDC: p.HasOpenID()}
		if !p.SignedInAt.IsZero() {
			s.SignedInAt = &p.SignedInAt
		}
		shown = append(shown, s)
	}
	return shown, nil
}
