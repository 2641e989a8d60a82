package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/portatill/portatill/pay"
)

// maxSecretFile is far above any key or token; a file with more is a mistake.
const maxSecretFile = 4096

// readTenantFiles reads every file that a flag names.
func (a *app) readTenantFiles(c *tenantChange) {
	stdin := ""
	read := func(flag, path string, limit int64) []byte {
		if path == "-" {
			if stdin != "" {
				c.fault(flag, "cannot read standard input, which --"+stdin+" reads already")
				return nil
			}
			stdin = flag
		}
		raw, err := a.readFile(path, limit+1)
		switch {
		case err != nil:
			c.fault(flag, "cannot be read: "+err.Error())
			return nil
		case int64(len(raw)) > limit:
			c.fault(flag, "is larger than any such file may be")
			return nil
		case len(bytes.TrimSpace(raw)) == 0:
			c.fault(flag, "is empty")
			return nil
		}
		return raw
	}
	// Secrets are never flags themselves: other users of the machine can read those.
	secret := func(flag, path string, removable bool, to *pay.Secret) {
		switch {
		case !c.given(flag):
		case path == "" && removable:
			*to = ""
		case path == "":
			c.fault(flag, "must name a file, or - for standard input")
		default:
			text := strings.TrimSpace(string(read(flag, path, maxSecretFile)))
			if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
				c.fault(flag, "must hold the secret alone, on one line")
				return
			}
			*to = pay.Secret(text)
		}
	}
	secret("stripe-key-file", c.f.stripeKeyFile, true, &c.stripeKey)
	secret("stripe-webhook-secret-file", c.f.webhookSecretFile, false, &c.webhookSecret)
	secret("outbound-secret-file", c.f.outboundSecretFile, true, &c.outboundSecret)
	secret("porta-token-file", c.f.portaTokenFile, true, &c.portaToken)
	if c.given("logo-file") && c.f.logoFile != "" {
		if raw := read("logo-file", c.f.logoFile, 10*pay.MaxLogo); raw != nil {
			var problem string
			if c.logoType, problem = pay.LogoType(raw); problem != "" {
				c.fault("logo-file", problem)
				return
			}
			c.logo = raw
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
