package docs

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/describe"
)

// section is the text below a heading of api.md, to the next one.
func section(t *testing.T, heading string) string {
	t.Helper()
	_, rest, found := strings.Cut(readAPI(t), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("api.md has no section %s", heading)
	}
	text, _, _ := strings.Cut(rest, "\n## ")
	return text
}

var quoted = regexp.MustCompile("`([^`]+)`")

// TestTheTableOfErrorsIsTheTills compares it with the description that the OpenAPI document is made from.
func TestTheTableOfErrorsIsTheTills(t *testing.T) {
	t.Parallel()
	got := map[int][]string{}
	for _, row := range regexp.MustCompile(`(?m)^\| (\d{3}) \| (.*?) \| (.+) \|$`).FindAllStringSubmatch(section(t, "Errors"), -1) {
		status, err := strconv.Atoi(row[1])
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range quoted.FindAllStringSubmatch(row[2], -1) {
			got[status] = append(got[status], code[1])
		}
	}
	want := map[int][]string{}
	for _, f := range describe.Failures() {
		want[f.Status] = f.Codes
	}
	for _, codes := range []map[int][]string{got, want} {
		for status := range codes {
			codes[status] = slices.Sorted(slices.Values(codes[status]))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-till +documentation:\n%s", diff)
	}
}

func TestTheTableOfFieldsHasNoneThatTheTillLacks(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("reference/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, row := range regexp.MustCompile("(?m)^\\| (… )?(`.*?) \\|").FindAllStringSubmatch(section(t, "Fields"), -1) {
		schema := "StripePaymentRequest"
		if row[1] != "" {
			schema = "ShoppingItem"
		}
		for _, name := range quoted.FindAllStringSubmatch(row[2], -1) {
			rows++
			if _, known := document.Components.Schemas[schema].Properties[name[1]]; !known {
				t.Errorf("%s has no %s", schema, name[1])
			}
		}
	}
	if rows < 15 {
		t.Errorf("only %d fields were found in the table", rows)
	}
}

// TestTheTableOfOperationsIsTheDescriptions: as many rows as the OpenAPI document has examples, with their statuses.
func TestTheTableOfOperationsIsTheDescriptions(t *testing.T) {
	t.Parallel()
	var got, want []string
	for _, row := range regexp.MustCompile("(?m)^\\| \\[.*\\| `([a-z]+)`.* \\|$").FindAllStringSubmatch(section(t, "What a request asks for"), -1) {
		got = append(got, row[1])
	}
	for _, o := range describe.Operations() {
		want = append(want, o.Status)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-described +documentation:\n%s", diff)
	}
}

func TestLinksInsideThePageLeadToItsHeadings(t *testing.T) {
	t.Parallel()
	headings := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^##+ (.+)$`).FindAllStringSubmatch(readAPI(t), -1) {
		// As GitHub makes them: lower case, spaces become hyphens, other signs go.
		headings[regexp.MustCompile(`[^a-z0-9-]`).ReplaceAllString(strings.ReplaceAll(strings.ToLower(m[1]), " ", "-"), "")] = true
	}
	links := regexp.MustCompile(`\]\(#([^)]+)\)`).FindAllStringSubmatch(readAPI(t), -1)
	if len(links) < 6 {
		t.Errorf("%d links were found", len(links))
	}
	for _, m := range links {
		if !headings[m[1]] {
			t.Errorf("no heading is #%s", m[1])
		}
	}
}

// TestTheAddressesOfTheDocumentationExist asks the till for every page that the documentation names.
func TestTheAddressesOfTheDocumentationExist(t *testing.T) {
	t.Parallel()
	w := startTill(t)
	api := readAPI(t)
	pages := map[string]bool{}
	for _, m := range regexp.MustCompile("[`\"…E](/(?:types|metadata|openapi\\.json|reference|csv/metadata)[^`\"\\s]*)").FindAllStringSubmatch(api, -1) {
		pages[m[1]] = true
	}
	for _, must := range []string{"/types", "/types/typescript", "/types/typescript.d", "/types/csharp", "/types/metadata.json", "/metadata", "/csv/metadata?op=StripePaymentRequest", "/openapi.json", "/reference"} {
		if !pages[must] {
			t.Errorf("the documentation does not name %s", must)
		}
	}
	for address := range pages {
		if got := w.visit(http.MethodGet, w.BaseURL+address, "", ""); got.status != http.StatusOK || got.body == "" {
			t.Errorf("%s: %d", address, got.status)
		}
	}
	// The routes of the table: an empty request is understood on each, and refused for what it lacks.
	routes := 0
	for _, m := range regexp.MustCompile("(?m)^\\| `(/[^`]+)`(.*?) \\|").FindAllStringSubmatch(section(t, "Addresses, formats and keys"), -1) {
		routes++
		address := m[1]
		bodies := map[string]string{"json": "{}", "jsv": "{}", "csv": "ICustomer\n0\n"}
		for _, format := range []string{"json", "jsv", "csv"} {
			path, body := strings.Replace(address, "{json,csv,jsv,xml}", format, 1), bodies["json"]
			if path != address {
				body = bodies[format]
			}
			if got := w.visit(http.MethodPost, w.BaseURL+path, "application/json", body); got.status != http.StatusUnauthorized || !strings.Contains(got.body, "InvalidLicense") {
				t.Errorf("%s: %d %s", path, got.status, got.body)
			}
		}
	}
	if routes < 5 {
		t.Errorf("only %d routes were found in the table", routes)
	}
}
