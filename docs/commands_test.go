package docs

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/config"
)

// command is a shell block of api.md and the output that the page promises of it, in which … stands for anything.
type command struct{ script, output string }

var commandBlock = regexp.MustCompile("(?s)```sh\\n(.*?)\\n```\\n(?:\\n```text\\n(.*?)\\n```\\n)?")

func commands(t *testing.T) []command {
	t.Helper()
	var all []command
	for _, m := range commandBlock.FindAllStringSubmatch(readAPI(t), -1) {
		all = append(all, command{m[1], m[2]})
	}
	if len(all) < 2 {
		t.Fatalf("api.md has %d blocks of commands", len(all))
	}
	return all
}

// matches reports whether an output is what the page promises.
func matches(promised, got string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(promised), "…", ".*")
	// A line of the page may end in … for the rest of a line; lines stay lines.
	return regexp.MustCompile("^" + pattern + "$").MatchString(strings.ReplaceAll(got, "\r\n", "\n"))
}

func TestTheDocumentedCommands(t *testing.T) {
	t.Parallel()
	all := commands(t)
	settings, rest := all[0], all[1:]
	t.Run("BeginWithTheAddressesOfMakeRun", func(t *testing.T) {
		t.Parallel()
		c, faults := config.Load(func(string) (string, bool) { return "", false }, map[string]string{"PORTATILL_SANDBOX": "1"})
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		want := map[string]string{"BASE": "http://" + c.Listen, "SHOP": "http://" + c.SandboxListen, "LICENSE": "ptl_paste-it-here"}
		if diff := cmp.Diff(want, exported(t, settings.script)); diff != "" {
			t.Errorf("the first block exports (-want +got):\n%s", diff)
		}
	})
	t.Run("AreAllRunByTheTestBelow", func(t *testing.T) {
		t.Parallel()
		others := commandBlock.ReplaceAllString(readAPI(t), "")
		if found := regexp.MustCompile(`(?m)^.*\b(curl -|portatill (decode|encode) -).*$`).FindString(others); found != "" {
			t.Errorf("not in a block of commands: %s", found)
		}
		for _, c := range rest {
			if c.output == "" {
				t.Errorf("no output is promised of\n%s", c.script)
			}
		}
	})
	t.Run("AnswerWhatThePageSays", func(t *testing.T) {
		t.Parallel()
		w := startTill(t)
		dir := t.TempDir()
		// Nothing but what the first block exports: a variable that it does not have stops the shell (-u).
		var env []string
		for _, setting := range w.env() {
			if name, _, _ := strings.Cut(setting, "="); slices.Contains(slices.Collect(maps.Keys(exported(t, settings.script))), name) {
				env = append(env, setting)
			}
		}
		var answers []outcome
		for _, c := range rest {
			got := start(t, dir, env, "sh", "-eu", "-c", c.script)
			if got.code != 0 || !matches(c.output, got.out) {
				t.Errorf("%s\n\nended with %d and printed\n%s\n%s\nthe page promises\n%s", c.script, got.code, got.out, got.errOut, c.output)
			}
			answers = append(answers, got)
		}
		pages := map[string]bool{}
		for _, got := range answers {
			for _, m := range regexp.MustCompile(`"(?:Url|ReceiptUrl)":"(http[^"]+/(pay|account)/[^"]+)"`).FindAllStringSubmatch(got.out, -1) {
				pages[m[2]] = true
				if shown := w.visit(http.MethodGet, m[1], "", ""); shown.status != http.StatusOK || shown.body == "" {
					t.Errorf("%s is %d", m[1], shown.status)
				}
			}
		}
		if !pages["pay"] || !pages["account"] {
			t.Errorf("no answer led to a page: %v", pages)
		}
		var fromCSV, fromJSON, afterwards struct{ OrderId, Url, Status string }
		read := func(o outcome, to any) {
			if err := json.Unmarshal([]byte(o.out), to); err != nil {
				t.Fatalf("%v: %s", err, o.out)
			}
		}
		read(answers[0], &fromCSV)
		read(answers[1], &fromJSON)
		if fromCSV != fromJSON {
			t.Errorf("CSV made %+v, JSON %+v", fromCSV, fromJSON)
		}
		for name, holds := range map[string]string{"till.dtos.ts": "class StripePaymentRequest ", "Till.dtos.cs": "class StripePaymentRequest"} {
			if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.Contains(string(text), holds) {
				t.Errorf("%s: %v, no %q", name, err, holds)
			}
		}
		// Step 4, and what "Coming back" says of a customer who does not.
		link := w.pay(fromJSON.Url)
		if !strings.HasPrefix(link, w.SandboxURL+"/_portal/success?basket=42&order="+fromJSON.OrderId+"&") {
			t.Errorf("the customer ends on %s", link)
		}
		if shop := w.visit(http.MethodGet, link, "", ""); shop.status != http.StatusOK {
			t.Errorf("the shop answers %d", shop.status)
		}
		read(start(t, dir, env, "sh", "-eu", "-c", rest[1].script), &afterwards)
		if afterwards.Status != "paid" || afterwards.OrderId != fromJSON.OrderId {
			t.Errorf("sent again after the payment: %+v", afterwards)
		}
	})
}

// exported are the variables that a script exports.
func exported(t *testing.T, script string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for line := range strings.SplitSeq(script, "\n") {
		m := regexp.MustCompile(`^export ([A-Z]+)=(\S+)`).FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("the first block has the line %q", line)
		}
		found[m[1]] = m[2]
	}
	return found
}
