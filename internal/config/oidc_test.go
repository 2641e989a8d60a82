package config

import (
	"strings"
	"testing"
)

func TestOIDC(t *testing.T) {
	t.Parallel()
	load := func(sandbox string, given map[string]string) (Config, []Fault) {
		given["PORTATILL_SECRET_KEY"], given["PORTATILL_SANDBOX"] = goodKey, sandbox
		return Load(env(given), nil)
	}
	whole := func(issuer string) map[string]string {
		return map[string]string{"PORTATILL_OIDC_ISSUER": issuer, "PORTATILL_OIDC_CLIENT_ID": "till", "PORTATILL_OIDC_CLIENT_SECRET": "hunter2"}
	}
	t.Run("WithoutAnIssuerThereIsNone", func(t *testing.T) {
		t.Parallel()
		if c, faults := load("", map[string]string{}); len(faults) != 0 || c.OIDC.Issuer != "" {
			t.Errorf("%+v, %v", c.OIDC, faults)
		}
	})
	t.Run("AnIssuerIsKeptToTheLetter", func(t *testing.T) {
		t.Parallel()
		for _, issuer := range []string{"https://accounts.google.com", "https://login.example/realms/staff", "https://tenant.example/"} {
			if c, faults := load("", whole(issuer)); len(faults) != 0 || c.OIDC != (OIDC{issuer, "till", "hunter2", "your company account"}) {
				t.Errorf("%+v, %v", c.OIDC, faults)
			}
		}
	})
	t.Run("HTTPIsForThisMachineInTheSandbox", func(t *testing.T) {
		t.Parallel()
		for issuer, sandbox := range map[string]string{"http://localhost:9000": "1", "http://127.0.0.1:9000": "1"} {
			if _, faults := load(sandbox, whole(issuer)); len(faults) != 0 {
				t.Errorf("%s: %v", issuer, faults)
			}
		}
		for issuer, sandbox := range map[string]string{"http://localhost:9000": "", "http://login.example": "1"} {
			if _, faults := load(sandbox, whole(issuer)); len(faults) != 1 || faults[0].Name != "PORTATILL_OIDC_ISSUER" {
				t.Errorf("%s: %v", issuer, faults)
			}
		}
	})
	t.Run("FaultsNameTheSettingAndNoValue", func(t *testing.T) {
		t.Parallel()
		for name, given := range map[string]map[string]string{
			"PORTATILL_OIDC_CLIENT_ID":     {"PORTATILL_OIDC_ISSUER": "https://login.example", "PORTATILL_OIDC_CLIENT_SECRET": "hunter2"},
			"PORTATILL_OIDC_CLIENT_SECRET": {"PORTATILL_OIDC_CLIENT_SECRET": "hunter2"},
			"PORTATILL_OIDC_LABEL":         {"PORTATILL_OIDC_LABEL": "hunter2\nhunter2"},
		} {
			if _, faults := load("", given); len(faults) != 1 || faults[0].Name != name || strings.Contains(faults[0].String(), "hunter2") {
				t.Errorf("%s: %v", name, faults)
			}
		}
		for _, issuer := range []string{"login.example", "ftp://login.example", "https://login.example?x=1", "https://u:p@login.example", "https://login.example/.well-known/openid-configuration", "https://"} {
			if _, faults := load("", whole(issuer)); len(faults) != 1 || faults[0].Name != "PORTATILL_OIDC_ISSUER" {
				t.Errorf("%s: %v", issuer, faults)
			}
		}
	})
	t.Run("TheSecretIsMasked", func(t *testing.T) {
		t.Parallel()
		given := whole("https://login.example")
		c, _ := load("", given)
		if got := Show(env(given), c)["PORTATILL_OIDC_CLIENT_SECRET"]; got != "***" {
			t.Errorf("it is shown as %s", got)
		}
	})
}
