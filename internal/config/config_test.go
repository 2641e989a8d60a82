package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func env(m map[string]string) func(string) (string, bool) {
	return func(k string) (string, bool) { v, ok := m[k]; return v, ok }
}

const goodKey = "0123456789abcdef0123456789abcdef"

func TestLoad(t *testing.T) {
	t.Parallel()
	t.Run("AllFaultsAreToldAtOnceAndNoneHoldsTheValue", func(t *testing.T) {
		t.Parallel()
		_, faults := Load(env(map[string]string{
			"PORTATILL_LISTEN": "nonsense", "PORTATILL_BASE_URL": "ftp://x", "PORTATILL_DATABASE_URL": "mysql://root:hunter2@h/d",
			"PORTATILL_SECRET_KEY": "hunter2", "PORTATILL_LOG_LEVEL": "loud", "PORTATILL_SWEEP_INTERVAL": "1ms",
			"PORTATILL_TRUSTED_PROXIES": "everyone",
		}), nil)
		if len(faults) != 7 {
			t.Fatalf("want 7 faults, got %v", faults)
		}
		for _, f := range faults {
			if strings.Contains(f.String(), "hunter2") || strings.Contains(f.String(), "nonsense") {
				t.Errorf("the fault holds the value: %s", f)
			}
		}
	})
	t.Run("OutsideTheSandboxASecretKeyIsRequired", func(t *testing.T) {
		t.Parallel()
		if _, faults := Load(env(nil), nil); len(faults) != 1 || faults[0].Name != "PORTATILL_SECRET_KEY" {
			t.Fatalf("got %v", faults)
		}
	})
	t.Run("TheSandboxNeedsNothing", func(t *testing.T) {
		t.Parallel()
		c, faults := Load(env(nil), map[string]string{"PORTATILL_SANDBOX": "1"})
		if len(faults) != 0 || c.DatabaseURL != "sqlite:portatill-sandbox.db" || c.SecretKey == "" {
			t.Fatalf("got %+v %v", c, faults)
		}
	})
	t.Run("HTTPIsForTheSandboxOnly", func(t *testing.T) {
		t.Parallel()
		_, faults := Load(env(map[string]string{"PORTATILL_SECRET_KEY": goodKey, "PORTATILL_BASE_URL": "http://pay.example"}), nil)
		if len(faults) != 1 || faults[0].Name != "PORTATILL_BASE_URL" {
			t.Fatalf("got %v", faults)
		}
	})
	t.Run("AFileTwinGivesTheValueAndBothAtOnceAreAFault", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(path, []byte(goodKey+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c, faults := Load(env(map[string]string{"PORTATILL_SECRET_KEY_FILE": path}), nil)
		if len(faults) != 0 || c.SecretKey != goodKey {
			t.Fatalf("got %v", faults)
		}
		_, faults = Load(env(map[string]string{"PORTATILL_SECRET_KEY_FILE": path, "PORTATILL_SECRET_KEY": goodKey}), nil)
		if len(faults) != 1 {
			t.Fatalf("got %v", faults)
		}
	})
	t.Run("OldSecretKeysAreSeparatedByBlanksOrLinesAndMayHaveBlanksOnALineOfTheirOwn", func(t *testing.T) {
		t.Parallel()
		other := "another key with blanks, of 32 characters and more"
		for given, want := range map[string][]string{
			goodKey: {goodKey}, goodKey + " " + goodKey + "x": {goodKey, goodKey + "x"}, goodKey + "\n" + other + "\r\n": {goodKey, other}, other: {other}, "  \n": nil,
		} {
			c, faults := Load(env(map[string]string{"PORTATILL_SECRET_KEY": goodKey, "PORTATILL_OLD_SECRET_KEYS": given}), nil)
			if len(faults) != 0 || !slices.Equal(c.OldSecretKeys, want) {
				t.Errorf("%q is read as %q, %v", given, c.OldSecretKeys, faults)
			}
		}
		for _, bad := range []string{"hunter2", goodKey + "\nhunter2"} {
			_, faults := Load(env(map[string]string{"PORTATILL_SECRET_KEY": goodKey, "PORTATILL_OLD_SECRET_KEYS": bad}), nil)
			if len(faults) != 1 || faults[0].Name != "PORTATILL_OLD_SECRET_KEYS" || strings.Contains(faults[0].String(), "hunter2") {
				t.Errorf("%q: %v", bad, faults)
			}
		}
	})
	t.Run("ShowMasksSecrets", func(t *testing.T) {
		t.Parallel()
		e := env(map[string]string{"PORTATILL_SECRET_KEY": goodKey, "PORTATILL_DATABASE_URL": "postgres://u:hunter2@h/d?sslpassword=hunter2"})
		c, _ := Load(e, nil)
		for name, value := range Show(e, c) {
			if strings.Contains(value, "hunter2") || strings.Contains(value, goodKey) {
				t.Errorf("%s shows its secret: %s", name, value)
			}
		}
	})
}

func TestEachSettingTellsWhereItComesFrom(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("canary-canary-canary-canary-canary"), 0o600); err != nil {
		t.Fatal(err)
	}
	given := env(map[string]string{"PORTATILL_SECRET_KEY_FILE": file, "PORTATILL_BASE_URL": "https://pay.example", "PORTATILL_DATABASE_URL": "postgres://till:canary@db/till"})
	override := map[string]string{"PORTATILL_LISTEN": "0.0.0.0:80"}
	c, faults := Load(given, override)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	got := map[string]Shown{}
	for _, s := range Describe(given, override, c) {
		got[s.Name] = s
		if strings.Contains(s.Value, "canary") {
			t.Errorf("%s is shown", s.Name)
		}
	}
	for name, want := range map[string][2]string{"PORTATILL_SECRET_KEY": {"***", "file"}, "PORTATILL_BASE_URL": {"https://pay.example", "environment"}, "PORTATILL_LISTEN": {"0.0.0.0:80", "command line"},
		"PORTATILL_LOG_LEVEL": {"info", "default"}} {
		if s := got[name]; s.Value != want[0] || s.Source != want[1] || s.Doc == "" {
			t.Errorf("%s: %+v", name, s)
		}
	}
	c, _ = Load(env(nil), map[string]string{"PORTATILL_SANDBOX": "1"})
	for _, s := range Describe(env(nil), map[string]string{"PORTATILL_SANDBOX": "1"}, c) {
		if s.Name == "PORTATILL_DATABASE_URL" && (s.Source != "sandbox" || s.Value != "sqlite:portatill-sandbox.db") {
			t.Errorf("the sandbox's database: %+v", s)
		}
	}
}
