// Package docs has no code of its own; its test holds the documentation's code to
// the committed vector, so that what portals copy works.
package docs

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/portatill/portatill/pay"
)

type passVector struct {
	Slug    string            `json:"slug"`
	Secret  string            `json:"secret"`
	Expires int64             `json:"expires"`
	Nonce   string            `json:"nonce"`
	Fields  map[string]string `json:"fields"`
	Pass    string            `json:"pass"`
}

func readVector(t *testing.T) passVector {
	t.Helper()
	raw, err := os.ReadFile("pass-vector.json")
	if err != nil {
		t.Fatal(err)
	}
	var v passVector
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// snippet is the code block of a language in api.md.
func snippet(t *testing.T, language string) string {
	t.Helper()
	raw, err := os.ReadFile("api.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(raw), "```"+language+"\n")
	code, _, closed := strings.Cut(rest, "\n```")
	if !ok || !closed {
		t.Fatalf("api.md has no %s code", language)
	}
	return code + "\n"
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func output(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestTheDocumentedPass(t *testing.T) {
	t.Parallel()
	v := readVector(t)
	var fields []pay.PassField
	for name, value := range v.Fields {
		fields = append(fields, pay.PassField{Name: name, Value: value})
	}
	t.Run("IsTheOneThatTheTillMakesAndAccepts", func(t *testing.T) {
		t.Parallel()
		made, err := pay.SignPass(v.Slug, pay.Secret(v.Secret), time.Unix(v.Expires, 0), v.Nonce, fields)
		if err != nil || made != v.Pass {
			t.Fatalf("got %s (%v), the vector has %s", made, err, v.Pass)
		}
		pass, err := pay.ParsePass(v.Pass)
		if err != nil {
			t.Fatal(err)
		}
		expired, err := pass.Check(&pay.Tenant{SigningSecret: pay.Secret(v.Secret)}, fields, time.Unix(v.Expires-60, 0))
		if err != nil || expired {
			t.Fatalf("the pass was refused: expired %v, %v", expired, err)
		}
	})
	t.Run("IsMadeByTheJavaScriptInTheDocumentation", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		write(t, filepath.Join(dir, "pass.mjs"), snippet(t, "js"))
		vector, err := filepath.Abs("pass-vector.json")
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "main.mjs"), fmt.Sprintf(`import { readFileSync } from 'node:fs';
import { portatillPass } from './pass.mjs';
const v = JSON.parse(readFileSync(%q));
console.log(portatillPass(v.slug, v.secret, v.expires, v.nonce, v.fields));
`, vector))
		if got := output(t, dir, "node", "main.mjs"); got != v.Pass {
			t.Fatalf("got %s", got)
		}
	})
	t.Run("IsMadeByTheGoInTheDocumentation", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		write(t, filepath.Join(dir, "go.mod"), "module pass\n\ngo 1.24\n")
		write(t, filepath.Join(dir, "pass.go"), snippet(t, "go"))
		write(t, filepath.Join(dir, "main.go"), fmt.Sprintf("package main\n\nfunc main() {\n\tprintln(portatillPass(%q, %q, %d, %q, %#v))\n}\n",
			v.Slug, v.Secret, v.Expires, v.Nonce, v.Fields))
		if got := output(t, dir, "go", "run", "."); got != v.Pass {
			t.Fatalf("got %s", got)
		}
	})
}
