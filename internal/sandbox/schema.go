package sandbox

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:generate go run ./paramgen

//go:embed params.json
var paramsJSON []byte

// paramSchema says what one parameter may be. It is made by paramgen from Stripe's OpenAPI file.
type paramSchema struct {
	Type     string                  `json:"t"`
	Enum     []string                `json:"e"`
	Max      int                     `json:"m"`
	Props    map[string]*paramSchema `json:"p"`
	Required []string                `json:"r"`
	Items    *paramSchema            `json:"i"`
	Any      []*paramSchema          `json:"a"`
	Rest     *paramSchema            `json:"x"`
}

type paramTable struct {
	Routes     map[string]*paramSchema `json:"routes"`
	Expandable map[string][]string     `json:"expandable"`
}

var loadParams = sync.OnceValue(func() paramTable {
	var table paramTable
	if err := json.Unmarshal(paramsJSON, &table); err != nil {
		panic(fmt.Sprintf("sandbox: params.json, run go generate: %v", err))
	}
	return table
})

// trail is where in the form the check is; its text is only made for an error.
type trail struct {
	up   *trail
	name string
}

func (t *trail) String() string {
	switch {
	case t == nil:
		return ""
	case t.up == nil:
		return t.name
	}
	return joinPath(t.up.String(), t.name)
}

// check turns a parsed form into typed values (string, int64, float64, bool, list, object), refusing what Stripe
// refuses, with Stripe's codes. An empty string stays "" wherever Stripe lets it mean "unset".
func (s *paramSchema) check(n *formNode, at *trail) (any, *apiError) {
	switch {
	case len(s.Any) > 0:
		return s.checkAny(n, at)
	case s.Type == "object":
		return s.checkObject(n, at)
	case s.Type == "array":
		return s.checkArray(n, at)
	}
	if !n.leaf {
		return nil, invalid("parameter_invalid_string", at.String(), "Invalid string: %s must be a single value", at)
	}
	return s.checkValue(n.value, at)
}

func (s *paramSchema) checkValue(v string, at *trail) (any, *apiError) {
	switch s.Type {
	case "integer":
		i, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			if v == "" {
				return nil, emptyValue(at.String())
			}
			return nil, invalid("parameter_invalid_integer", at.String(), "Invalid integer: %s", cut(v))
		}
		return i, nil
	case "number":
		f, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return nil, invalid("parameter_invalid_integer", at.String(), "Invalid decimal: %s", cut(v))
		}
		return f, nil
	case "boolean":
		if v != "true" && v != "false" {
			return nil, invalid("", at.String(), "Invalid boolean: %s", cut(v))
		}
		return v == "true", nil
	}
	if v == "" && len(s.Enum) > 0 && !slices.Contains(s.Enum, "") {
		return nil, emptyValue(at.String())
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, v) {
		return nil, invalid("", at.String(), "Invalid %s: must be one of %s", lastName(at.String()), oneOf(s.Enum))
	}
	if s.Max > 0 && len([]rune(v)) > s.Max {
		return nil, invalid("", at.String(), "Invalid string: %s; must be at most %d characters", cut(v), s.Max)
	}
	return v, nil
}

func (s *paramSchema) checkObject(n *formNode, at *trail) (any, *apiError) {
	if n.leaf {
		return nil, invalid("", at.String(), "Invalid object: %s must be a hash such as %s[key]=value", at, at)
	}
	out := make(object, len(n.kids))
	for _, kid := range n.kids {
		prop, known := s.Props[kid.name]
		if !known {
			prop = s.Rest
		}
		below := trail{at, kid.name}
		if prop == nil {
			return nil, invalid("parameter_unknown", below.String(), "Received unknown parameter: %s", &below)
		}
		v, err := prop.check(kid, &below)
		if err != nil {
			return nil, err
		}
		out[kid.name] = v
	}
	for _, name := range s.Required {
		if _, given := out[name]; !given {
			below := trail{at, name}
			return nil, invalid("parameter_missing", below.String(), "Missing required param: %s.", &below)
		}
	}
	return out, nil
}

func (s *paramSchema) checkArray(n *formNode, at *trail) (any, *apiError) {
	if n.leaf {
		return nil, invalid("", at.String(), "Invalid array")
	}
	nodes, ok := n.list()
	if !ok {
		return nil, invalid("", at.String(), "Invalid array: the keys of %s must count up from 0", at)
	}
	out := make([]any, len(nodes))
	for i, kid := range nodes {
		v, err := s.Items.check(kid, &trail{at, kid.name})
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

// checkAny picks the alternative by the form's shape; when none fits, the error of the first of that shape is the answer.
func (s *paramSchema) checkAny(n *formNode, at *trail) (any, *apiError) {
	var first *apiError
	for _, alternative := range s.Any {
		compound := alternative.Type == "object" || alternative.Type == "array" || len(alternative.Any) > 0
		if compound == n.leaf && len(alternative.Any) == 0 {
			continue
		}
		v, err := alternative.check(n, at)
		if err == nil {
			return v, nil
		}
		if first == nil {
			first = err
		}
	}
	if first == nil {
		first = invalid("", at.String(), "Invalid value for %s", at)
	}
	return nil, first
}

func emptyValue(path string) *apiError {
	return invalid("parameter_invalid_empty", path, "You passed an empty string for '%s'. We assume empty values are an attempt to unset a parameter; however '%s' cannot be unset. You should remove '%s' from your request or supply a non-empty value.", path, path, path)
}

func joinPath(path, name string) string {
	if path == "" {
		return name
	}
	return path + "[" + name + "]"
}

func lastName(path string) string {
	if i := strings.LastIndexByte(path, '['); i >= 0 {
		return strings.TrimSuffix(path[i+1:], "]")
	}
	return path
}

func oneOf(values []string) string {
	if len(values) > 20 {
		values = append(slices.Clone(values[:20]), "…")
	}
	if len(values) == 1 {
		return values[0]
	}
	return strings.Join(values[:len(values)-1], ", ") + ", or " + values[len(values)-1]
}

// cut keeps a faulty value short in the message that quotes it.
func cut(v string) string {
	if len(v) > 60 {
		return strings.ToValidUTF8(v[:60], "") + "…"
	}
	return v
}
