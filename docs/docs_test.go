// Package docs has no code of its own. Its tests run the documentation's commands
// and programs, as they stand in api.md, against the built till, and hold its
// tables to what the till really has, so that what portals copy works. curl and
// node must be there: a test that skips itself would let the page rot.
package docs

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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

func readAPI(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile("api.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// program is the code block of api.md whose first line names the file, such as pay.mjs.
func program(t *testing.T, name string) string {
	t.Helper()
	head := regexp.MustCompile("(?m)^```[a-z]+\n(<\\?php )?// " + regexp.QuoteMeta(name) + `\b`)
	api := readAPI(t)
	at := head.FindAllStringIndex(api, -1)
	if len(at) != 1 {
		t.Fatalf("api.md has %d programs %s", len(at), name)
	}
	_, rest, _ := strings.Cut(api[at[0][0]:], "\n")
	code, _, closed := strings.Cut(rest, "\n```\n")
	if !closed {
		t.Fatalf("the program %s in api.md has no end", name)
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
		write(t, filepath.Join(dir, "pass.mjs"), program(t, "pass.mjs"))
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
		write(t, filepath.Join(dir, "pass.go"), program(t, "pass.go"))
		write(t, filepath.Join(dir, "main.go"), fmt.Sprintf("package main\n\nfunc main() {\n\tprintln(portatillPass(%q, %q, %d, %q, %#v))\n}\n",
			v.Slug, v.Secret, v.Expires, v.Nonce, v.Fields))
		if got := output(t, dir, "go", "run", "."); got != v.Pass {
			t.Fatalf("got %s", got)
		}
	})
}
