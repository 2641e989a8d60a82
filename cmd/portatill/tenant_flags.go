package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/internal/tenantset"
	"github.com/portatill/portatill/pay"
)

// tenantFlags are what `tenant add` and `tenant set` take: a flag for each of
// tenantset.Properties, and for set those that change what is there. Only those given
// are applied.
type tenantFlags struct {
	texts                                                           map[string]*string // by property
	addOrigins, removeOrigins                                       []string
	dropOldWebhookSecret, rotateSigningSecret, rotateOutboundSecret bool
}

// register adds the flags; those that change what is there are for set only.
func (f *tenantFlags) register(cmd *cobra.Command, set bool) {
	flags := cmd.Flags()
	f.texts = map[string]*string{}
	for _, p := range tenantset.Properties {
		f.texts[p.Name] = flags.String(p.Flag(), "", p.Usage)
		mayBeEmpty(flags, p.Flag()) // it clears the property, or the property's own rule refuses it
	}
	if !set {
		return
	}
	flags.StringArrayVar(&f.addOrigins, "add-return-origin", nil, "allow one more return origin (may be given again)")
	flags.StringArrayVar(&f.removeOrigins, "remove-return-origin", nil, "allow a return origin no more (may be given again)")
	flags.BoolVar(&f.dropOldWebhookSecret, "drop-old-webhook-secret", false, "end the older webhook secret: only the newest is good from now on")
	flags.BoolVar(&f.rotateSigningSecret, "rotate-signing-secret", false, "make a new signing secret and print it, once; passes signed with the old one stop working")
	flags.BoolVar(&f.rotateOutboundSecret, "rotate-outbound-secret", false, "make a new outbound secret and print it, once")
}

// readTenantFlags is what the flags say. What is wrong with a file is told together
// with all other faults.
func (a *app) readTenantFlags(cmd *cobra.Command, f *tenantFlags) *tenantset.Change {
	c := &tenantset.Change{Texts: map[string]string{}, Secrets: map[string]pay.Secret{}, AddOrigins: f.addOrigins, RemoveOrigins: f.removeOrigins,
		DropOldWebhookSecret: f.dropOldWebhookSecret, NewSigningSecret: f.rotateSigningSecret, NewOutboundSecret: f.rotateOutboundSecret}
	for _, p := range tenantset.Properties {
		if p.Kind != tenantset.Hidden && p.Kind != tenantset.Picture && cmd.Flags().Changed(p.Flag()) {
			c.Texts[p.Name] = *f.texts[p.Name]
		}
	}
	a.readTenantFiles(cmd.Flags().Changed, f, c)
	return c
}

// flagFaults tells the faults of a change by the names of their flags, one line each.
func flagFaults(err error) error {
	faults, ok := errors.AsType[tenantset.Faults](err)
	if !ok {
		return err
	}
	lines := make([]string, len(faults))
	for i, f := range faults {
		name := f.Name
		if p, ok := tenantset.ByName(name); ok {
			name = p.Flag()
		}
		lines[i] = "--" + name + ": " + f.Problem
	}
	return usagef("%s", strings.Join(lines, "\n"))
}
