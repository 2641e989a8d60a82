package describe

import (
	"slices"

	"github.com/portatill/portatill/internal/wire"
)

func reference(name string) *Schema { return &Schema{Ref: "#/components/schemas/" + name} }

func schemas() Ordered[*Schema] {
	var out Ordered[*Schema]
	sent := typesOf(requestType())
	answered := typesOf(responseType(), wire.Describe(wire.ErrorResponse{}))
	slices.Reverse(sent) // the request first, for people
	for _, t := range sent {
		out = append(out, Named[*Schema]{t.Name, objectSchema(t, true)})
	}
	slices.Reverse(answered)
	for _, t := range answered {
		out = append(out, Named[*Schema]{t.Name, objectSchema(t, false)})
	}
	return out
}

func objectSchema(t *wire.Type, sent bool) *Schema {
	s := &Schema{Type: "object", Description: aboutTypes[t.Name], XML: &XMLName{Name: t.Name, Namespace: t.Namespace}}
	for _, m := range t.Members {
		member := memberSchema(t, m, sent)
		member.Description = about(t.Name, m.Name)
		s.Properties = append(s.Properties, Named[*Schema]{m.Name, member})
		switch m.Kind {
		case wire.KindBool, wire.KindInt, wire.KindDecimal:
			if !sent { // of value types we always write a value (wire.md 2.2)
				s.Required = append(s.Required, m.Name)
			}
		}
	}
	return s
}

func memberSchema(t *wire.Type, m wire.Member, sent bool) *Schema {
	switch m.Kind {
	case wire.KindBool:
		return &Schema{Type: "boolean"}
	case wire.KindInt:
		return &Schema{Type: "integer", Format: "int32"}
	case wire.KindDecimal:
		if sent {
			return &Schema{Type: []string{"number", "string"}, Pattern: `^-?[0-9]+(\.[0-9]+)?$`}
		}
		return &Schema{Type: "number"}
	case wire.KindObject:
		return reference(m.Type.Name)
	case wire.KindObjects:
		s := &Schema{Type: "array", Items: reference(m.Type.Name)}
		if t.Name == Operation {
			s.MaxItems = 100
		}
		return s
	case wire.KindStrings:
		return &Schema{Type: "array", Items: &Schema{Type: "string"}}
	case wire.KindDictionary:
		return &Schema{Type: "object", Additional: &Schema{Type: "array", Items: &Schema{Type: "string"}}}
	case wire.KindMap:
		return &Schema{Type: "object", Additional: &Schema{Type: "string"}}
	}
	return &Schema{Type: "string"}
}
