// Package config holds the settings: what they are called, what they default to,
// what makes one wrong. Settings are environment variables, each with a _FILE
// twin that names a file holding the value. It must not know what the settings
// are used for.
package config

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// Config is the checked result of Load.
type Config struct {
	Listen         string // host:port
	BaseURL        string // no trailing slash; "" until the listener's port is known
	DatabaseURL    string // sqlite:path or postgres://…
	SecretKey      string
	OldSecretKeys  []string
	Sandbox        bool
	SandboxURL     string // a double that runs elsewhere; "" means start our own
	SandboxListen  string
	LogLevel       slog.Level
	MetricsListen  string
	TrustedProxies []netip.Prefix
	CORSOrigins    []string
	SweepInterval  time.Duration
	Mail           Mail
	OIDC           OIDC
}

// Setting describes one setting for .env.example and for `portatill config`.
type Setting struct {
	Name    string
	Default string
	Doc     string
	Secret  bool
	set     func(c *Config, value string) string // returns what is wrong, "" when nothing
}

// SandboxSecretKey encrypts what a sandbox's database holds. It protects nothing,
// and there is nothing to protect: no live key is accepted beside it.
const SandboxSecretKey = "sandbox-secret-key-that-protects-nothing"

// Settings lists all settings in the order of .env.example.
var Settings = []Setting{
	{Name: "PORTATILL_LISTEN", Default: "127.0.0.1:8080", Doc: "Where the till listens, host:port; port 0 takes a free one.",
		set: func(c *Config, v string) string { c.Listen = v; return hostPortFault(v) }},
	{Name: "PORTATILL_BASE_URL", Default: "", Doc: "Where customers reach the till, such as https://pay.example.com. All links are built from it.\nEmpty: http:// and the address the till listens on, for a first try on one machine.",
		set: func(c *Config, v string) string { c.BaseURL = strings.TrimSuffix(v, "/"); return baseURLFault(v) }},
	{Name: "PORTATILL_DATABASE_URL", Default: "sqlite:portatill.db", Doc: "sqlite:FILE, or postgres://user:password@host/database for more than one machine.", Secret: true,
		set: func(c *Config, v string) string { c.DatabaseURL = v; return databaseFault(v) }},
	{Name: "PORTATILL_SECRET_KEY", Default: "", Doc: "At least 32 characters; encrypts the secrets in the database. Required outside the sandbox.\nMake one with: openssl rand -base64 32", Secret: true,
		set: func(c *Config, v string) string { c.SecretKey = v; return secretFault(v) }},
	{Name: "PORTATILL_OLD_SECRET_KEYS", Default: "", Doc: "Other secret keys that may still decrypt, separated by blanks or line ends: the earlier one while\nPORTATILL_SECRET_KEY is being changed (docs/operations.md, \"Changing the secret key\").", Secret: true,
		set: setOldKeys},
	{Name: "PORTATILL_SANDBOX", Default: "", Doc: "1 starts a Stripe double beside the till; an address uses one that runs there. Empty: the real Stripe.",
		set: setSandbox},
	{Name: "PORTATILL_SANDBOX_LISTEN", Default: "127.0.0.1:4242", Doc: "Where the Stripe double listens, host:port.",
		set: func(c *Config, v string) string { c.SandboxListen = v; return hostPortFault(v) }},
	{Name: "PORTATILL_LOG_LEVEL", Default: "info", Doc: "debug, info, warn or error.",
		set: func(c *Config, v string) string {
			if c.LogLevel.UnmarshalText([]byte(v)) != nil {
				return "must be debug, info, warn or error"
			}
			return ""
		}},
	{Name: "PORTATILL_METRICS_LISTEN", Default: "127.0.0.1:0", Doc: "Where Prometheus reads /metrics, host:port; port 0 takes a free one, empty turns it off.",
		set: func(c *Config, v string) string {
			if c.MetricsListen = v; v == "" {
				return ""
			}
			return hostPortFault(v)
		}},
	{Name: "PORTATILL_TRUSTED_PROXIES", Default: "", Doc: "Networks whose X-Forwarded-For is believed, such as 10.0.0.0/8, separated by commas.",
		set: setProxies},
	{Name: "PORTATILL_CORS_ORIGINS", Default: "", Doc: "Origins whose scripts may call the portals' routes from a browser, such as https://shop.example, separated by commas.",
		set: setCORS},
	{Name: "PORTATILL_OIDC_ISSUER", Default: "", Doc: "The OpenID provider that the staff may sign in with, such as https://login.example.com/realms/staff, to the letter\nas it calls itself. Empty: there is none, and passwords alone sign in (docs/oidc.md).",
		set: func(c *Config, v string) string { c.OIDC.Issuer = v; return issuerFault(v) }},
	{Name: "PORTATILL_OIDC_CLIENT_ID", Default: "", Doc: "What the provider calls this till.",
		set: func(c *Config, v string) string { c.OIDC.ClientID = v; return lineFault(v, 255) }},
	{Name: "PORTATILL_OIDC_CLIENT_SECRET", Default: "", Doc: "The secret that the provider made for this till.", Secret: true,
		set: func(c *Config, v string) string { c.OIDC.ClientSecret = v; return lineFault(v, 1024) }},
	{Name: "PORTATILL_OIDC_LABEL", Default: "your company account", Doc: "What follows \"Sign in with\" on the button, such as Google.",
		set: func(c *Config, v string) string { c.OIDC.Label = v; return lineFault(v, 60) }},
	{Name: "PORTATILL_SWEEP_INTERVAL", Default: "3m", Doc: "How often Stripe is asked about payments nobody told us of; 10s to 1h.",
		set: func(c *Config, v string) string {
			d, err := time.ParseDuration(v)
			if err != nil || d < 10*time.Second || d > time.Hour {
				return "must be a duration from 10s to 1h, such as 3m"
			}
			c.SweepInterval = d
			return ""
		}},
	{Name: "PORTATILL_SMTP_ADDRESS", Default: "", Doc: "The server that takes our mails, host:port, such as smtp.example.com:587. Empty: no mail is sent (docs/mail.md).",
		set: func(c *Config, v string) string { c.Mail.Address = v; return smtpFault(v) }},
	{Name: "PORTATILL_SMTP_USER", Default: "", Doc: "Who signs in there. Empty: nobody needs to.",
		set: func(c *Config, v string) string { c.Mail.User = v; return "" }},
	{Name: "PORTATILL_SMTP_PASSWORD", Default: "", Doc: "That user's password.", Secret: true,
		set: func(c *Config, v string) string { c.Mail.Password = v; return "" }},
	{Name: "PORTATILL_SMTP_TLS", Default: "starttls", Doc: "starttls (usual with port 587), tls (from the first byte, port 465), or none, for a server on this machine only.",
		set: setSMTPTLS},
	{Name: "PORTATILL_MAIL_FROM", Default: "", Doc: "The address that mails come from, such as till@example.com. Customers see the tenant's name before it.",
		set: setMailFrom},
	{Name: "PORTATILL_MAIL_LETTER_AT", Default: "07:00", Doc: "When the daily letter to the staff is written, HH:MM in UTC; off: never.",
		set: setLetterAt},
}

// Fault is one setting that is wrong. It never holds the value.
type Fault struct{ Name, Problem string }

func (f Fault) String() string { return f.Name + " " + f.Problem }

// Load reads all settings and returns every fault, not only the first. env is
// os.LookupEnv, or a test's. override wins over env (flags of the command line).
func Load(env func(string) (string, bool), override map[string]string) (Config, []Fault) {
	var c Config
	var faults []Fault
	add := func(name, problem string) {
		if problem != "" {
			faults = append(faults, Fault{name, problem})
		}
	}
	given := map[string]bool{}
	for _, s := range Settings {
		value, found, problem := lookup(env, s.Name)
		if v, ok := override[s.Name]; ok {
			value, found, problem = v, true, ""
		}
		add(s.Name, problem)
		given[s.Name] = found
		if !found {
			value = s.Default
		}
		if value == "" && s.Name != "PORTATILL_LISTEN" && s.Name != "PORTATILL_METRICS_LISTEN" {
			continue
		}
		add(s.Name, s.set(&c, value))
	}
	c.OIDC.faults(c.Sandbox, add)
	if c.Sandbox {
		if !given["PORTATILL_DATABASE_URL"] {
			c.DatabaseURL = "sqlite:portatill-sandbox.db"
		}
		if c.SecretKey == "" {
			c.SecretKey = SandboxSecretKey
		}
	} else {
		if c.SecretKey == "" {
			add("PORTATILL_SECRET_KEY", "is required; make one with: openssl rand -base64 32")
		}
		if strings.HasPrefix(c.BaseURL, "http://") {
			add("PORTATILL_BASE_URL", "must be https outside the sandbox")
		}
	}
	c.Mail.faults(add)
	return c, faults
}

// lookup reads NAME or the file that NAME_FILE names; both at once are a fault.
func lookup(env func(string) (string, bool), name string) (value string, found bool, problem string) {
	value, found = env(name)
	path, fromFile := env(name + "_FILE")
	if !fromFile || path == "" {
		return value, found, ""
	}
	if found {
		return value, found, "is given twice: remove it or " + name + "_FILE"
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", true, "cannot be read from the file that " + name + "_FILE names"
	}
	return strings.TrimRight(string(raw), "\r\n"), true, ""
}

func hostPortFault(v string) string {
	if _, port, err := net.SplitHostPort(v); err != nil || port == "" {
		return "must be host:port, such as 127.0.0.1:8080"
	}
	return ""
}

func baseURLFault(v string) string {
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		strings.Trim(u.Path, "/") != "" {
		return "must be an address without a path, such as https://pay.example.com"
	}
	return ""
}

func databaseFault(v string) string {
	if path, ok := strings.CutPrefix(v, "sqlite:"); ok && path != "" {
		return ""
	}
	if strings.HasPrefix(v, "postgres://") || strings.HasPrefix(v, "postgresql://") {
		if _, err := url.Parse(v); err == nil {
			return ""
		}
	}
	return "must be sqlite:FILE or postgres://user:password@host/database"
}

func secretFault(v string) string {
	if len(v) < 32 {
		return "must have at least 32 characters; make one with: openssl rand -base64 32"
	}
	return ""
}

// setOldKeys reads several keys. No key has less than 32 characters, so a line with
// a shorter word in it is one key with blanks.
func setOldKeys(c *Config, v string) string {
	for line := range strings.Lines(v) {
		line = strings.TrimSpace(line)
		words := strings.Fields(line)
		if slices.ContainsFunc(words, func(w string) bool { return secretFault(w) != "" }) {
			words = []string{line}
		}
		for _, key := range words {
			if secretFault(key) != "" {
				return "must be keys of at least 32 characters, separated by blanks or line ends"
			}
			c.OldSecretKeys = append(c.OldSecretKeys, key)
		}
	}
	return ""
}

func setSandbox(c *Config, v string) string {
	switch strings.ToLower(v) {
	case "0", "false", "no":
		return ""
	case "1", "true", "yes":
		c.Sandbox = true
		return ""
	}
	c.Sandbox, c.SandboxURL = true, strings.TrimSuffix(v, "/")
	if baseURLFault(v) != "" {
		return "must be 1, or the address of a Stripe double such as http://127.0.0.1:4242"
	}
	return ""
}

func setCORS(c *Config, v string) string {
	for part := range strings.SplitSeq(v, ",") {
		origin := strings.TrimSuffix(strings.TrimSpace(part), "/")
		if baseURLFault(origin) != "" {
			return "must be origins such as https://shop.example, separated by commas"
		}
		c.CORSOrigins = append(c.CORSOrigins, origin)
	}
	return ""
}

func setProxies(c *Config, v string) string {
	for part := range strings.SplitSeq(v, ",") {
		part = strings.TrimSpace(part)
		p, err := netip.ParsePrefix(part)
		if err != nil {
			addr, addrErr := netip.ParseAddr(part)
			if addrErr != nil {
				return "must be networks such as 10.0.0.0/8, separated by commas"
			}
			p = netip.PrefixFrom(addr, addr.BitLen())
		}
		c.TrustedProxies = append(c.TrustedProxies, p)
	}
	return ""
}

// EnvExample is the text of .env.example.
func EnvExample() string {
	var b strings.Builder
	b.WriteString("# Portatill's settings with their defaults. Each may also be given as NAME_FILE, the\n" +
		"# name of a file that holds the value. Generated by `make generate`; do not edit.\n")
	for _, s := range Settings {
		b.WriteString("\n")
		for line := range strings.SplitSeq(s.Doc, "\n") {
			fmt.Fprintf(&b, "# %s\n", line)
		}
		fmt.Fprintf(&b, "#%s=%s\n", s.Name, s.Default)
	}
	return b.String()
}

// Shown is a setting in force as it may be shown: a secret is masked.
type Shown struct {
	Name, Value, Doc string
	// Source is where the value comes from: "default", "environment", "file" (of the _FILE
	// twin), "command line", or "sandbox" for what a sandbox takes in place of a default.
	Source string
}

// Describe lists the settings in force in the order of Settings, as Load reads them
// with the same override.
func Describe(env func(string) (string, bool), override map[string]string, c Config) []Shown {
	values := Show(env, c)
	out := make([]Shown, len(Settings))
	for i, s := range Settings {
		x := Shown{Name: s.Name, Value: values[s.Name], Doc: s.Doc, Source: "default"}
		_, given := env(s.Name)
		path, _ := env(s.Name + "_FILE")
		switch value, overridden := override[s.Name]; {
		case overridden:
			x.Source, x.Value = "command line", value
		case path != "":
			x.Source = "file"
		case given:
			x.Source = "environment"
		case c.Sandbox && (s.Name == "PORTATILL_DATABASE_URL" || s.Name == "PORTATILL_SECRET_KEY"):
			x.Source = "sandbox"
		}
		if s.Name == "PORTATILL_SECRET_KEY" && c.SecretKey != "" {
			x.Value = "***"
		}
		out[i] = x
	}
	return out
}

// Show lists the settings in force by name, secrets masked.
func Show(env func(string) (string, bool), c Config) map[string]string {
	out := map[string]string{}
	for _, s := range Settings {
		value, found, _ := lookup(env, s.Name)
		if !found {
			value = s.Default
		}
		out[s.Name] = value
		if s.Secret && value != "" {
			out[s.Name] = "***"
		}
	}
	out["PORTATILL_DATABASE_URL"] = maskDatabase(c.DatabaseURL)
	return out
}

// maskDatabase hides the password in a database address.
func maskDatabase(v string) string {
	u, err := url.Parse(v)
	if err != nil || strings.HasPrefix(v, "sqlite:") {
		return v
	}
	query := u.Query()
	for name := range query {
		if strings.Contains(strings.ToLower(name), "password") {
			query.Set(name, "***")
		}
	}
	u.RawQuery = query.Encode()
	return u.Redacted()
}
