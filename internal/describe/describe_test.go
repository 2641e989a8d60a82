package describe

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/wire"
)

var till = Options{BaseURL: "https://till.example", Version: "1.2.3", Date: time.Date(2026, 11, 22, 20, 15, 0, 0, time.UTC)}

func everyType() []*wire.Type {
	return typesOf(requestType(), responseType(), wire.Describe(wire.ErrorResponse{}))
}

func TestCommittedCopiesAreWhatTheCodeSays(t *testing.T) {
	t.Parallel()
	copies := Copies()
	for name, want := range copies {
		got, err := os.ReadFile(filepath.Join("../../docs/reference", name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("docs/reference/%s is stale; run make generate (-code +file):\n%s", name, diff)
		}
	}
	files, err := os.ReadDir("../../docs/reference")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if copies[f.Name()] == nil {
			t.Errorf("docs/reference/%s is made by nothing", f.Name())
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, typ := range everyType() {
		known[typ.Name] = true
		if aboutTypes[typ.Name] == "" {
			t.Errorf("%s has no words", typ.Name)
		}
		for _, m := range typ.Members {
			known[typ.Name+"."+m.Name] = true
			if about(typ.Name, m.Name) == "" && (typ.Namespace != requestType().Members[0].Type.Namespace || typ.Name == "ShoppingItem") {
				t.Errorf("%s.%s has no words", typ.Name, m.Name)
			}
		}
	}
	known[baseType] = true
	for name := range aboutTypes {
		if !known[name] {
			t.Errorf("there are words for the type %s, which does not exist", name)
		}
	}
	for name := range aboutMembers {
		if !known[name] {
			t.Errorf("there are words for %s, which does not exist", name)
		}
	}
}

func TestTypedClients(t *testing.T) {
	t.Parallel()
	texts := map[string]string{"TypeScript": TypeScript(till, false), "Declarations": TypeScript(till, true), "CSharp": CSharp(till)}
	for language, text := range texts {
		t.Run(language+"BeginsWithTheBlockThatServiceStacksToolsReadBack", func(t *testing.T) {
			t.Parallel()
			want := "/* Options:\nDate: 2026-11-22 20:15:00\nVersion: 1.2.3\nTip: "
			if !strings.HasPrefix(text, want) {
				t.Errorf("it begins with %.80q", text)
			}
			if !strings.Contains(text, "\nBaseUrl: https://till.example\n\n//") {
				t.Error("BaseUrl and the options after it are not there")
			}
		})
		t.Run(language+"HasEveryMember", func(t *testing.T) {
			t.Parallel()
			for _, typ := range typesOf(requestType(), responseType()) {
				if language == "CSharp" && strings.HasPrefix(typ.Name, "Response") {
					continue // ServiceStack's own class
				}
				for _, m := range typ.Members {
					if !regexp.MustCompile(`\b` + m.Name + `(\?:| \{ get)`).MatchString(text) {
						t.Errorf("%s.%s is missing", typ.Name, m.Name)
					}
				}
			}
		})
		t.Run(language+"LeavesWordsOutWhenAsked", func(t *testing.T) {
			t.Parallel()
			quiet := till
			quiet.NoComments = true
			text := map[string]func() string{"TypeScript": func() string { return TypeScript(quiet, false) },
				"Declarations": func() string { return TypeScript(quiet, true) }, "CSharp": func() string { return CSharp(quiet) }}[language]()
			if strings.Contains(text, "/**") || strings.Contains(text, "<summary>") || !strings.Contains(text, "\nAddDescriptionAsComments: False\n") {
				t.Error("words are still there, or the option would be lost at the next update")
			}
		})
	}
	t.Run("TheRequestSaysItsNameItsVerbAndItsAnswer", func(t *testing.T) {
		t.Parallel()
		for _, want := range []string{
			`// @Route("/ChargeStripeCustomerCard", "POST")` + "\nexport class StripePaymentRequest extends RequestBase implements IReturn<StripePaymentResponse> {",
			"getTypeName() { return 'StripePaymentRequest'; }", "getMethod() { return 'POST'; }",
			"createResponse() { return new StripePaymentResponse(); }",
		} {
			if !strings.Contains(texts["TypeScript"], want) {
				t.Errorf("TypeScript lacks %q", want)
			}
		}
		if !strings.Contains(texts["CSharp"], "public partial class StripePaymentRequest : RequestBase, IReturn<StripePaymentResponse>") {
			t.Error("C# lacks IReturn")
		}
	})
	t.Run("ANamespaceThatWasChosenSurvivesUpdates", func(t *testing.T) {
		t.Parallel()
		chosen := till
		chosen.Namespace = "till"
		text := TypeScript(chosen, false)
		if !strings.Contains(text, "\nGlobalNamespace: till\n") || !strings.Contains(text, "\nexport namespace till {\n") || !strings.HasSuffix(text, "\n}\n") {
			t.Error(text[:400])
		}
	})
	t.Run("ASettingCannotLeaveTheComment", func(t *testing.T) {
		t.Parallel()
		hostile := Options{BaseURL: "https://till.example/*/\nalert(1)", Version: "1\n*/"}
		head, _, _ := strings.Cut(TypeScript(hostile, false), "*/")
		if strings.Contains(head, "\nalert") || !strings.Contains(head, "//GlobalNamespace") {
			t.Error(head)
		}
	})
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	m := MetadataOf(till)
	names := map[string]bool{"ResponseStatus": true}
	for _, typ := range m.Types {
		names[typ.Name] = true
	}
	all := append([]MetadataType{m.Operations[0].Request, *m.Operations[0].Response}, m.Types...)
	for _, typ := range all {
		for _, p := range typ.Properties {
			used := p.Type
			if len(p.GenericArgs) > 0 {
				used = p.GenericArgs[len(p.GenericArgs)-1]
			}
			if p.TypeNamespace != "System" && used != "String" && used != "String[]" && !names[used] {
				t.Errorf("%s.%s is a %s, which is not described", typ.Name, p.Name, used)
			}
		}
	}
	if got := m.Operations[0].Request.Inherits; got == nil || !names[got.Name] {
		t.Errorf("the request inherits %v", got)
	}
	if got := len(m.Operations[0].Request.Properties) + 3; got != len(requestType().Members) {
		t.Errorf("own and inherited properties are %d of %d", got, len(requestType().Members))
	}
}

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	text, err := JSON(OpenAPI(till))
	if err != nil {
		t.Fatal(err)
	}
	document, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("IsValidAndItsExamplesFitTheirSchemas", func(t *testing.T) {
		t.Parallel()
		if err := document.Validate(context.Background(), openapi3.EnableExamplesValidation()); err != nil {
			t.Error(err)
		}
	})
	t.Run("TheCheckIsNotBlind", func(t *testing.T) {
		t.Parallel()
		broken := bytes.Replace(text, []byte(`"Quantity": 1,`), []byte(`"Quantity": "one",`), 1)
		if bytes.Equal(broken, text) {
			t.Fatal("the example has another form now")
		}
		document, err := openapi3.NewLoader().LoadFromData(broken)
		if err == nil {
			err = document.Validate(context.Background(), openapi3.EnableExamplesValidation())
		}
		if err == nil {
			t.Error("an example that does not fit its schema passes")
		}
	})
	t.Run("EveryExampleIsTheSameRequest", func(t *testing.T) {
		t.Parallel()
		want := wire.Digest(ExampleRequest())
		seen := 0
		for _, path := range OpenAPI(till).Paths {
			for _, m := range path.Value.Post.RequestBody.Content {
				format, ok := wire.FormatOfContentType(m.Name)
				if !ok {
					t.Fatalf("%s takes %s, which we cannot read", path.Name, m.Name)
				}
				body := []byte(m.Value.Example)
				if several := m.Value.Examples; len(several) > 0 {
					body = several[0].Value.Value
				}
				if format != wire.JSON {
					var s string
					if err := json.Unmarshal(body, &s); err != nil {
						t.Fatal(err)
					}
					body = []byte(s)
				}
				var batch []wire.StripePaymentRequest
				if err := wire.DecodeBatch(format, body, &batch); err != nil {
					t.Fatalf("%s %s: %v", path.Name, m.Name, err)
				}
				if len(batch) != 1 || wire.Digest(&batch[0]) != want {
					t.Errorf("the example of %s in %s is another request", path.Name, m.Name)
				}
				seen++
			}
		}
		if seen < 20 {
			t.Errorf("only %d examples", seen)
		}
	})
	t.Run("HasAnExampleOfEveryOperation", func(t *testing.T) {
		t.Parallel()
		operations := OpenAPI(till).Paths.Get(Route).Post.RequestBody.Content.Get("application/json").Examples
		if len(operations) != 6 {
			t.Errorf("%d examples", len(operations))
		}
		for _, o := range operations {
			if err := wire.Decode(wire.JSON, o.Value.Value, new(wire.StripePaymentRequest)); err != nil || o.Value.Summary == "" {
				t.Errorf("%s: %v", o.Name, err)
			}
		}
	})
	t.Run("HasEveryMemberInDeclaredOrder", func(t *testing.T) {
		t.Parallel()
		all := schemas()
		for _, typ := range everyType() {
			var want, got []string
			for _, m := range typ.Members {
				want = append(want, m.Name)
			}
			for _, p := range all.Get(typ.Name).Properties {
				got = append(got, p.Name)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", typ.Name, diff)
			}
		}
	})
}
