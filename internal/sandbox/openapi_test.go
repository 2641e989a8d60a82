package sandbox_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stripe/stripe-mock/embedded"
)

// The contract: every answer that a test gets from the API is held against Stripe's OpenAPI file for 2023-10-16.

type apiSchema struct {
	Ref         string                `json:"$ref"`
	Type        string                `json:"type"`
	Nullable    bool                  `json:"nullable"`
	Enum        []any                 `json:"enum"`
	MaxLength   int                   `json:"maxLength"`
	Properties  map[string]*apiSchema `json:"properties"`
	Required    []string              `json:"required"`
	Items       *apiSchema            `json:"items"`
	AnyOf       []*apiSchema          `json:"anyOf"`
	Additional  json.RawMessage       `json:"additionalProperties"`
	AnyEnum     bool                  `json:"x-stripeBypassValidation"`
	Title       string                `json:"title"`
	Description string                `json:"description"`
}

type apiSpec struct {
	Paths map[string]map[string]struct {
		Responses map[string]struct {
			Content map[string]struct {
				Schema *apiSchema `json:"schema"`
			} `json:"content"`
		} `json:"responses"`
	} `json:"paths"`
	Components struct {
		Schemas map[string]*apiSchema `json:"schemas"`
	} `json:"components"`
}

var stripeSpec = sync.OnceValue(func() *apiSpec {
	var spec apiSpec
	if err := json.Unmarshal(embedded.OpenAPISpec, &spec); err != nil {
		panic(err)
	}
	return &spec
})

// check says where a value is not what the schema allows. Unlike JSON Schema it also refuses fields that the schema does
// not have: Stripe would not send them.
func (s *apiSpec) check(schema *apiSchema, v any, at string) error {
	if schema.Ref != "" {
		name := schema.Ref[strings.LastIndexByte(schema.Ref, '/')+1:]
		target := s.Components.Schemas[name]
		if target == nil {
			return fmt.Errorf("%s: no schema %s", at, name)
		}
		return s.check(target, v, at)
	}
	if v == nil {
		if schema.Nullable {
			return nil
		}
		return fmt.Errorf("%s: is null", at)
	}
	if len(schema.AnyOf) > 0 {
		return s.checkAny(schema.AnyOf, v, at)
	}
	if len(schema.Enum) > 0 && !schema.AnyEnum && !slices.Contains(schema.Enum, v) {
		return fmt.Errorf("%s: %v is not one of %v", at, v, schema.Enum)
	}
	switch schema.Type {
	case "string":
		text, ok := v.(string)
		if !ok {
			return fmt.Errorf("%s: %v is not a string", at, v)
		}
		if schema.MaxLength > 0 && len([]rune(text)) > schema.MaxLength {
			return fmt.Errorf("%s: longer than %d", at, schema.MaxLength)
		}
	case "integer":
		if n, ok := v.(json.Number); !ok || strings.ContainsAny(n.String(), ".eE") {
			return fmt.Errorf("%s: %v is not an integer", at, v)
		}
	case "number":
		if _, ok := v.(json.Number); !ok {
			return fmt.Errorf("%s: %v is not a number", at, v)
		}
	case "boolean":
		if _, ok := v.(bool); !ok {
			return fmt.Errorf("%s: %v is not a boolean", at, v)
		}
	case "array":
		return s.checkList(schema, v, at)
	case "object":
		return s.checkObject(schema, v, at)
	}
	return nil
}

func (s *apiSpec) checkList(schema *apiSchema, v any, at string) error {
	list, ok := v.([]any)
	if !ok {
		return fmt.Errorf("%s: %v is not a list", at, v)
	}
	for i, item := range list {
		if err := s.check(schema.Items, item, fmt.Sprintf("%s[%d]", at, i)); err != nil {
			return err
		}
	}
	return nil
}

func (s *apiSpec) checkObject(schema *apiSchema, v any, at string) error {
	hash, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: %v is not a hash", at, v)
	}
	for _, name := range schema.Required {
		if _, ok := hash[name]; !ok {
			return fmt.Errorf("%s: lacks %s", at, name)
		}
	}
	var rest *apiSchema
	if len(schema.Additional) > 0 && schema.Additional[0] == '{' {
		rest = &apiSchema{}
		if err := json.Unmarshal(schema.Additional, rest); err != nil {
			return err
		}
	}
	for name, value := range hash {
		field := schema.Properties[name]
		if field == nil {
			field = rest
		}
		if field == nil {
			if len(schema.Properties) == 0 {
				continue // an open hash, such as use_stripe_sdk or an event's data.object
			}
			return fmt.Errorf("%s: has %s, which Stripe's schema does not know", at, name)
		}
		if err := s.check(field, value, at+"."+name); err != nil {
			return err
		}
	}
	return nil
}

// checkAny takes the alternative whose "object" is the value's, where there is one, so that the error names the field.
func (s *apiSpec) checkAny(alternatives []*apiSchema, v any, at string) error {
	var errs []error
	for _, alternative := range alternatives {
		err := s.check(alternative, v, at)
		if err == nil {
			return nil
		}
		if _, isHash := v.(map[string]any); isHash && alternative.Ref == "" && alternative.Type != "object" {
			continue
		}
		errs = append(errs, err)
	}
	return fmt.Errorf("%s: fits no alternative: %w", at, errors.Join(errs...))
}

// schemaFor finds what Stripe answers a request with.
func (s *apiSpec) schemaFor(method, path string, status int) (*apiSchema, error) {
	if status >= 400 {
		return s.Components.Schemas["error"], nil
	}
	given := strings.Split(path, "/")
	var found *apiSchema
	best := -1
	for pattern, methods := range s.Paths {
		parts := strings.Split(pattern, "/")
		op, ok := methods[strings.ToLower(method)]
		if len(parts) != len(given) || !ok {
			continue
		}
		literal := 0
		for i, part := range parts {
			if strings.HasPrefix(part, "{") {
				continue
			}
			if part != given[i] {
				literal = -1
				break
			}
			literal++
		}
		if literal > best {
			best, found = literal, op.Responses["200"].Content["application/json"].Schema
		}
	}
	if found == nil {
		return nil, fmt.Errorf("Stripe's file has no %s %s", method, path)
	}
	return found, nil
}

func decodeJSON(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var v any
	err := decoder.Decode(&v)
	return v, err
}

// CheckAnswer holds one answer against the file.
func (s *apiSpec) CheckAnswer(method, path string, status int, body []byte) error {
	v, err := decodeJSON(body)
	if err != nil {
		return fmt.Errorf("%s %s: the answer is not JSON: %w", method, path, err)
	}
	schema, err := s.schemaFor(method, path, status)
	if err != nil {
		return err
	}
	if err := s.check(schema, v, fmt.Sprintf("%s %s", method, path)); err != nil {
		return err
	}
	for _, name := range []string{"_card", "_consumed", "_session", "_settle_at_ms", "_line_items", "_secret", "_payment_intent", "_legacy", "_client_secret", "_usage", "_payer_email", "_set_up", "_debit_disputed", "_payout", "_settlement_currency"} {
		if bytes.Contains(body, []byte(`"`+name+`"`)) {
			return fmt.Errorf("%s %s: shows the sandbox's own note %s", method, path, name)
		}
	}
	return nil
}

// CheckEvent holds an event's object against the schema of its kind.
func (s *apiSpec) CheckEvent(body []byte) error {
	v, err := decodeJSON(body)
	if err != nil {
		return err
	}
	event, _ := v.(map[string]any)
	if err := s.check(s.Components.Schemas["event"], v, "event"); err != nil {
		return err
	}
	data, _ := event["data"].(map[string]any)
	o, _ := data["object"].(map[string]any)
	kind, _ := o["object"].(string)
	schema := s.Components.Schemas[kind]
	if schema == nil {
		return fmt.Errorf("event %v: there is no schema %q", event["type"], kind)
	}
	return s.check(schema, o, fmt.Sprintf("event %v", event["type"]))
}

// checkedTransport fails the test for every answer that is not as Stripe's.
type checkedTransport struct {
	t    testing.TB
	next http.RoundTripper
}

func (c checkedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(r)
	if err != nil || !strings.HasPrefix(r.URL.Path, "/v1/") {
		return response, err
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil {
		return nil, err
	}
	if err := stripeSpec().CheckAnswer(r.Method, r.URL.Path, response.StatusCode, body); err != nil {
		c.t.Errorf("not Stripe's shape: %v", err)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}
