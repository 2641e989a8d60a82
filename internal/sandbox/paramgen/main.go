// Command paramgen writes internal/sandbox/params.json: which parameters Stripe's API takes, for the routes that the
// sandbox serves, and which fields of which objects can be expanded. It reads them from Stripe's published OpenAPI file
// for version 2023-10-16, as it comes inside github.com/stripe/stripe-mock, so that the sandbox refuses exactly what
// Stripe refuses without carrying the whole 5 MB file in the binary.
//
// Run by go generate in internal/sandbox; it must know nothing about how the sandbox answers.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/stripe/stripe-mock/embedded"
)

func main() {
	routesFile := flag.String("routes", "routes.txt", "file with one METHOD /path per line")
	out := flag.String("o", "params.json", "file to write")
	flag.Parse()
	routes, err := os.ReadFile(*routesFile)
	if err != nil {
		log.Fatalf("read the list of routes: %v", err)
	}
	text, err := Generate(embedded.OpenAPISpec, strings.Fields(string(routes)))
	if err != nil {
		log.Fatalf("generate %s: %v", *out, err)
	}
	if err := os.WriteFile(*out, text, 0o644); err != nil {
		log.Fatalf("write: %v", err)
	}
}

type document struct {
	Paths map[string]map[string]struct {
		Parameters  []parameter `json:"parameters"`
		RequestBody struct {
			Content map[string]struct {
				Schema schema `json:"schema"`
			} `json:"content"`
		} `json:"requestBody"`
	} `json:"paths"`
	Components struct {
		Schemas map[string]struct {
			Expandable []string          `json:"x-expandableFields"`
			Properties map[string]schema `json:"properties"`
		} `json:"schemas"`
	} `json:"components"`
}

type parameter struct {
	In       string `json:"in"`
	Name     string `json:"name"`
	Required bool   `json:"required"`
	Schema   schema `json:"schema"`
}

type schema struct {
	Type       string            `json:"type"`
	Format     string            `json:"format"`
	Enum       []any             `json:"enum"`
	MaxLength  int               `json:"maxLength"`
	Properties map[string]schema `json:"properties"`
	Required   []string          `json:"required"`
	Items      *schema           `json:"items"`
	AnyOf      []schema          `json:"anyOf"`
	Additional json.RawMessage   `json:"additionalProperties"`
}

// compact is the written form; its twin that reads it is paramSchema in package sandbox.
type compact struct {
	Type     string              `json:"t,omitempty"`
	Enum     []string            `json:"e,omitempty"`
	Max      int                 `json:"m,omitempty"`
	Props    map[string]*compact `json:"p,omitempty"`
	Required []string            `json:"r,omitempty"`
	Items    *compact            `json:"i,omitempty"`
	Any      []*compact          `json:"a,omitempty"`
	Rest     *compact            `json:"x,omitempty"`
}

// Generate returns the text of params.json for the routes, which alternate between method and path.
func Generate(spec []byte, routes []string) ([]byte, error) {
	var doc document
	if err := json.Unmarshal(spec, &doc); err != nil {
		return nil, fmt.Errorf("read the OpenAPI file: %w", err)
	}
	if len(routes)%2 != 0 {
		return nil, errors.New("the list of routes must be pairs of method and path")
	}
	result := struct {
		Routes     map[string]*compact `json:"routes"`
		Expandable map[string][]string `json:"expandable"`
	}{map[string]*compact{}, map[string][]string{}}
	for i := 0; i < len(routes); i += 2 {
		method, path := routes[i], routes[i+1]
		op, ok := doc.Paths[path][strings.ToLower(method)]
		if !ok {
			return nil, fmt.Errorf("the OpenAPI file has no %s %s", method, path)
		}
		root := &compact{Type: "object", Props: map[string]*compact{}}
		for _, p := range op.Parameters {
			if p.In != "query" {
				continue
			}
			root.Props[p.Name] = shrink(p.Schema)
			if p.Required {
				root.Required = append(root.Required, p.Name)
			}
		}
		for _, body := range op.RequestBody.Content {
			if c := shrink(body.Schema); method == "POST" {
				root = c
			}
		}
		result.Routes[method+" "+path] = root
	}
	addHidden(result.Routes)
	for _, s := range doc.Components.Schemas {
		object := s.Properties["object"].Enum
		if len(object) == 1 && len(s.Expandable) > 0 {
			result.Expandable[fmt.Sprint(object[0])] = s.Expandable
		}
	}
	text, err := json.MarshalIndent(result, "", " ")
	if err != nil {
		return nil, err
	}
	return append(text, '\n'), nil
}

// addHidden adds what Stripe's API takes but its OpenAPI file leaves out: payment_method_data[card] of intents, shown
// in https://stripe.com/docs/testing?testing-method=tokens.
func addHidden(routes map[string]*compact) {
	methods := routes["POST /v1/payment_methods"]
	if methods == nil {
		return
	}
	for _, c := range routes {
		if data := c.Props["payment_method_data"]; data != nil {
			data.Props["card"] = methods.Props["card"]
		}
	}
}

func shrink(s schema) *compact {
	c := &compact{Type: s.Type, Max: s.MaxLength, Required: s.Required}
	for _, e := range s.Enum {
		c.Enum = append(c.Enum, fmt.Sprint(e))
	}
	for name, p := range s.Properties {
		if c.Props == nil {
			c.Props = map[string]*compact{}
		}
		c.Props[name] = shrink(p)
	}
	if s.Items != nil {
		c.Items = shrink(*s.Items)
	}
	for _, a := range s.AnyOf {
		c.Any = append(c.Any, shrink(a))
	}
	var rest schema
	if len(s.Additional) > 0 && s.Additional[0] == '{' && json.Unmarshal(s.Additional, &rest) == nil {
		c.Rest = shrink(rest)
	}
	return c
}
