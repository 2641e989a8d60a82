package main

import (
	"bytes"
	"io"
	"os"

	"github.com/portatill/portatill/internal/branding"
	"github.com/portatill/portatill/internal/tenantset"
)

// readTenantFiles reads every file that a flag names.
func (a *app) readTenantFiles(given func(string) bool, f *tenantFlags, c *tenantset.Change) {
	stdin := ""
	fault := func(name, problem string) { c.Faults = append(c.Faults, tenantset.Fault{Name: name, Problem: problem}) }
	read := func(p tenantset.Property, path string, limit int64) []byte {
		if path == "-" {
			if stdin != "" {
				fault(p.Name, "cannot read standard input, which --"+stdin+" reads already")
				return nil
			}
			stdin = p.Flag()
		}
		raw, err := a.readFile(path, limit+1)
		switch {
		case err != nil:
			fault(p.Name, "cannot be read: "+err.Error())
			return nil
		case int64(len(raw)) > limit:
			fault(p.Name, "is larger than any such file may be")
			return nil
		case len(bytes.TrimSpace(raw)) == 0:
			fault(p.Name, "is empty")
			return nil
		}
		return raw
	}
	for _, p := range tenantset.Properties {
		if !given(p.Flag()) {
			continue
		}
		path := *f.texts[p.Name]
		switch {
		case p.Kind == tenantset.Picture && path == "":
			c.Logo = &branding.Logo{}
		case p.Kind == tenantset.Picture:
			raw := read(p, path, 2*branding.MaxUpload)
			if raw == nil {
				continue
			}
			logo, problem := branding.MakeLogo(raw)
			if problem != "" {
				fault(p.Name, problem)
			}
			c.Logo = &logo
		case p.Kind == tenantset.Hidden && path == "" && p.Name == "stripe-webhook-secret":
			fault(p.Name, "must name a file, or - for standard input")
		case p.Kind == tenantset.Hidden && path == "":
			c.Secrets[p.Name] = ""
		case p.Kind == tenantset.Hidden:
			// Secrets are never flags themselves: other users of the machine can read those.
			secret, problem := tenantset.ReadSecret(string(read(p, path, tenantset.MaxSecret)))
			if problem != "" {
				fault(p.Name, problem)
				continue
			}
			c.Secrets[p.Name] = secret
		}
	}
}

// readFile reads at most limit bytes of a file, or of standard input for "-".
func (a *app) readFile(path string, limit int64) ([]byte, error) {
	in := a.in
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	return io.ReadAll(io.LimitReader(in, limit))
}
