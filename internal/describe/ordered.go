package describe

import (
	"bytes"
	"encoding/json"
)

// Ordered is a JSON object whose members keep the order in which they are listed; encoding/json would sort them.
type Ordered[T any] []Named[T]

// Named is a member of an Ordered.
type Named[T any] struct {
	Name  string
	Value T
}

// MarshalJSON writes the members in order.
func (o Ordered[T]) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, member := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		for part, value := range []any{member.Name, member.Value} {
			if part > 0 {
				b.WriteByte(':')
			}
			text, err := marshal(value, "")
			if err != nil {
				return nil, err
			}
			b.Write(text)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Get gives a member's value, the zero value when there is none.
func (o Ordered[T]) Get(name string) (value T) {
	for i := range o {
		if o[i].Name == name {
			return o[i].Value
		}
	}
	return value
}

// JSON writes a document for people to read: indented, with < and > as they are.
func JSON(document any) ([]byte, error) { return marshal(document, "  ") }

func marshal(value any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(value); err != nil {
		return nil, err
	}
	if indent == "" {
		return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
	}
	return b.Bytes(), nil
}
