package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/handlers"
	"github.com/portatill/portatill/internal/config"
	"github.com/portatill/portatill/internal/openid"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
)

// newOpenID wires the provider that the staff may sign in with; nil without one.
func newOpenID(c config.Config, service *pay.Service) *openid.Client {
	if c.OIDC.Issuer == "" {
		return nil
	}
	return openid.New(openid.Options{Issuer: c.OIDC.Issuer, ClientID: c.OIDC.ClientID, ClientSecret: pay.Secret(c.OIDC.ClientSecret),
		RedirectURL: service.BaseURL + handlers.OpenIDReturn, SecretKey: pay.Secret(c.SecretKey), Now: service.Now})
}

// examineOpenID is doctor.Options.OpenID.
func (o *opened) examineOpenID(ctx context.Context) (string, error) {
	if o.openID == nil {
		return "", nil
	}
	if err := o.openID.Discover(ctx); err != nil {
		return "", err
	}
	return o.openID.Issuer + " answers; it must know the redirect address " + o.openID.RedirectURL, nil
}

func (a *app) adminUnlinkCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "unlink EMAIL", Short: "Take away the OpenID provider's account of somebody, and sign them out everywhere",
		Long: "Take away the OpenID provider's account of somebody, and sign them out everywhere. The password works as before, and\n" +
			"a next sign-in with the provider links the account that has the e-mail address then.",
		Example: "  portatill admin unlink ada@example.com", Args: oneArg("e-mail address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withPerson(cmd.Context(), args[0], func(_ *opened, s *staff.Service, p *staff.Person) error {
				if err := s.UnlinkOpenID(cmd.Context(), atCommand, p.ID); err != nil {
					return refusedInput(err)
				}
				return a.printAdmin(asJSON, p, "", "unlinked")
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}
