package config

import (
	"net"
	"net/mail"
	"strconv"
	"strings"
	"time"
)

// Mail is how mails are sent. Address is "" when none are.
type Mail struct {
	Address  string // host:port
	User     string // "" when nobody signs in
	Password string
	TLS      string // starttls, tls or none
	From     string // the address alone
	// LetterAt is how long after midnight, UTC, the daily letter is written; negative:
	// never.
	LetterAt time.Duration
}

// faults tells what is wrong with the mail settings together.
func (m *Mail) faults(add func(name, problem string)) {
	if m.Address == "" {
		for name, value := range map[string]string{"PORTATILL_SMTP_USER": m.User, "PORTATILL_SMTP_PASSWORD": m.Password} {
			if value != "" {
				add(name, "is of no use without PORTATILL_SMTP_ADDRESS")
			}
		}
		return
	}
	if m.From == "" {
		add("PORTATILL_MAIL_FROM", "is required with PORTATILL_SMTP_ADDRESS, such as till@example.com")
	}
	if (m.User == "") != (m.Password == "") {
		add("PORTATILL_SMTP_PASSWORD", "and PORTATILL_SMTP_USER are given together or not at all")
	}
	if host, _, err := net.SplitHostPort(m.Address); err == nil && m.TLS == "none" && !loopbackHost(host) {
		add("PORTATILL_SMTP_TLS", "must be starttls or tls: none is for a server on this machine (127.0.0.1, ::1 or localhost)")
	}
}

func loopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || (ip != nil && ip.IsLoopback())
}

func smtpFault(v string) string {
	host, port, err := net.SplitHostPort(v)
	n, portErr := strconv.ParseUint(port, 10, 16)
	if err != nil || host == "" || portErr != nil || n == 0 || strings.ContainsAny(host, "/ @") {
		return "must be host:port, such as smtp.example.com:587"
	}
	return ""
}

func setSMTPTLS(c *Config, v string) string {
	c.Mail.TLS = strings.ToLower(v)
	switch c.Mail.TLS {
	case "starttls", "tls", "none":
		return ""
	}
	return "must be starttls, tls or none"
}

func setMailFrom(c *Config, v string) string {
	a, err := mail.ParseAddress(v)
	if err != nil || a.Address != v || len(v) > 254 {
		return "must be one e-mail address, such as till@example.com"
	}
	c.Mail.From = v
	return ""
}

func setLetterAt(c *Config, v string) string {
	c.Mail.LetterAt = -1
	if strings.EqualFold(v, "off") {
		return ""
	}
	at, err := time.Parse("15:04", v)
	if err != nil {
		return "must be a time of day in UTC such as 07:00, or off"
	}
	c.Mail.LetterAt = time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute
	return ""
}
