package config

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMailSettings(t *testing.T) {
	t.Parallel()
	good := map[string]string{"PORTATILL_SECRET_KEY": goodKey, "PORTATILL_SMTP_ADDRESS": "smtp.example.com:587", "PORTATILL_SMTP_USER": "till",
		"PORTATILL_SMTP_PASSWORD": "hunter2", "PORTATILL_MAIL_FROM": "till@example.com"}
	with := func(pairs ...string) map[string]string {
		m := maps.Clone(good)
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	t.Run("NoneMeansNoMail", func(t *testing.T) {
		t.Parallel()
		c, faults := Load(env(map[string]string{"PORTATILL_SECRET_KEY": goodKey}), nil)
		if len(faults) != 0 || c.Mail.Address != "" {
			t.Errorf("%+v %v", c.Mail, faults)
		}
	})
	t.Run("GoodOnesAreRead", func(t *testing.T) {
		t.Parallel()
		want := Mail{Address: "smtp.example.com:587", User: "till", Password: "hunter2", TLS: "starttls", From: "till@example.com", LetterAt: 7 * time.Hour}
		if c, faults := Load(env(good), nil); len(faults) != 0 || c.Mail != want {
			t.Errorf("%+v %v", c.Mail, faults)
		}
		if c, faults := Load(env(with("PORTATILL_MAIL_LETTER_AT", "off", "PORTATILL_SMTP_TLS", "TLS")), nil); len(faults) != 0 || c.Mail.LetterAt >= 0 || c.Mail.TLS != "tls" {
			t.Errorf("%+v %v", c.Mail, faults)
		}
		if _, faults := Load(env(with("PORTATILL_SMTP_ADDRESS", "[::1]:25", "PORTATILL_SMTP_TLS", "none")), nil); len(faults) != 0 {
			t.Errorf("%v", faults)
		}
	})
	t.Run("FaultyOnesAreToldByTheirName", func(t *testing.T) {
		t.Parallel()
		for name, settings := range map[string]map[string]string{
			"PORTATILL_SMTP_ADDRESS":  with("PORTATILL_SMTP_ADDRESS", "smtp.example.com"),
			"PORTATILL_SMTP_USER":     {"PORTATILL_SECRET_KEY": goodKey, "PORTATILL_SMTP_USER": "till"},
			"PORTATILL_SMTP_PASSWORD": with("PORTATILL_SMTP_USER", ""),
			// A password must not go over a network in the clear.
			"PORTATILL_SMTP_TLS":       with("PORTATILL_SMTP_TLS", "none"),
			"PORTATILL_MAIL_FROM":      with("PORTATILL_MAIL_FROM", "Till <till@example.com>\r\nBcc: eve@example.com"),
			"PORTATILL_MAIL_LETTER_AT": with("PORTATILL_MAIL_LETTER_AT", "7 o'clock"),
		} {
			_, faults := Load(env(settings), nil)
			if !slices.ContainsFunc(faults, func(f Fault) bool { return f.Name == name }) {
				t.Errorf("%s: got %v", name, faults)
			}
			for _, f := range faults {
				if strings.Contains(f.String(), "hunter2") {
					t.Errorf("the fault holds the value: %s", f)
				}
			}
		}
	})
	t.Run("ShowMasksThePassword", func(t *testing.T) {
		t.Parallel()
		c, _ := Load(env(good), nil)
		if got := Show(env(good), c)["PORTATILL_SMTP_PASSWORD"]; got != "***" {
			t.Errorf("it shows %q", got)
		}
	})
}
