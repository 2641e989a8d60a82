package config

import (
	"net"
	"net/url"
	"strings"
)

// OIDC is the OpenID provider that the staff may sign in with. Issuer is "" when there is
// none.
type OIDC struct {
	Issuer       string // as the provider writes it, to the letter
	ClientID     string
	ClientSecret string
	Label        string // what follows "Sign in with" on the button
}

// faults tells what is wrong with the settings of the provider together.
func (o *OIDC) faults(sandbox bool, add func(name, problem string)) {
	given := map[string]string{"PORTATILL_OIDC_CLIENT_ID": o.ClientID, "PORTATILL_OIDC_CLIENT_SECRET": o.ClientSecret}
	for _, name := range []string{"PORTATILL_OIDC_CLIENT_ID", "PORTATILL_OIDC_CLIENT_SECRET"} {
		switch {
		case o.Issuer == "" && given[name] != "":
			add(name, "is of no use without PORTATILL_OIDC_ISSUER")
		case o.Issuer != "" && given[name] == "":
			add(name, "is required with PORTATILL_OIDC_ISSUER")
		}
	}
	if u, err := url.Parse(o.Issuer); err == nil && u.Scheme == "http" && !(sandbox && thisMachine(u.Hostname())) {
		add("PORTATILL_OIDC_ISSUER", "must be https; http is for a provider on this machine, in the sandbox")
	}
}

func thisMachine(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || (ip != nil && ip.IsLoopback())
}

// issuerFault: an issuer is an address without a query or fragment (OpenID Connect
// Discovery 1.0, section 3). Whether it ends with a slash is the provider's to say.
func issuerFault(v string) string {
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.User != nil || strings.ContainsAny(v, "?# ") || len(v) > 500 {
		return "must be an address such as https://login.example.com/realms/staff"
	}
	if strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), "/.well-known/openid-configuration") {
		return "must be the address before /.well-known/openid-configuration"
	}
	return ""
}

func lineFault(v string, most int) string {
	if len(v) > most || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }) || strings.TrimSpace(v) != v {
		return "must be one line of text, without blanks around it"
	}
	return ""
}
