package wire

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// jsvSpecial are the characters for which a text is put in quotes (wire.md 2.3).
const jsvSpecial = "\",:{}[]\r\n"

// appendJSV writes a member's value as compact JSV. Null is written as nothing.
func appendJSV(b []byte, v reflect.Value, s *shape) []byte {
	switch s.kind {
	case kindText, kindPlain:
		text, null := textOf(v, s)
		return appendJSVText(b, text, null)
	case kindTexts:
		return appendJSVTexts(b, *v.Addr().Interface().(*[]String))
	case kindDict:
		b = append(b, '{')
		first := true
		for _, entry := range *v.Addr().Interface().(*Attributes) {
			if entry.Values == nil {
				continue
			}
			b = appendJSVKey(b, entry.Name, &first)
			b = appendJSVTexts(b, entry.Values)
		}
		return append(b, '}')
	case kindMap:
		m := *v.Addr().Interface().(*map[string]string)
		b = append(b, '{')
		first := true
		for _, name := range slices.Sorted(maps.Keys(m)) {
			b = appendJSVKey(b, name, &first)
			b = appendJSVText(b, m[name], false)
		}
		return append(b, '}')
	case kindList:
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSV(b, v.Index(i), s.elem)
		}
		return append(b, ']')
	case kindObject:
		return appendJSVObject(b, v, s)
	}
	b, _ = appendScalar(b, v, s, "True", "False")
	return b
}

func appendJSVObject(b []byte, v reflect.Value, s *shape) []byte {
	if s.pointer {
		v = v.Elem()
	}
	b = append(b, '{')
	first := true
	for i := range s.fields {
		f := &s.fields[i]
		if member := v.Field(f.index); !isNull(member, f.shape) {
			b = appendJSVKey(b, f.name, &first)
			b = appendJSV(b, member, f.shape)
		}
	}
	return append(b, '}')
}

func appendJSVKey(b []byte, name string, first *bool) []byte {
	if !*first {
		b = append(b, ',')
	}
	*first = false
	return append(appendJSVText(b, name, false), ':')
}

// A list of one null comes out like an empty list. The original has the same loss, and Digest allows for it.
func appendJSVTexts(b []byte, texts []String) []byte {
	b = append(b, '[')
	for i, t := range texts {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSVText(b, t.Value, !t.Valid && t.Value == "")
	}
	return append(b, ']')
}

// null is nothing at all, which is why "" needs its quotes.
func appendJSVText(b []byte, text string, null bool) []byte {
	switch {
	case null:
		return b
	case text == "" || strings.ContainsAny(text, jsvSpecial):
		return appendQuoted(b, text)
	}
	return append(b, text...)
}

// appendQuoted puts a text in quotes with every quote doubled, as JSV and CSV do alike.
func appendQuoted(b []byte, text string) []byte {
	b = append(b, '"')
	for {
		i := strings.IndexByte(text, '"')
		if i < 0 {
			break
		}
		b = append(b, text[:i+1]...)
		b = append(b, '"')
		text = text[i+1:]
	}
	return append(append(b, text...), '"')
}
