package wire

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// jsonWriter writes compact JSON as ServiceStack does (wire.md 2.2): declared names in declared order, null members
// left out, nothing escaped that need not be.
type jsonWriter struct {
	b []byte
	// digest writes the form that Digest hashes instead: no secret members, empty the same as null, numbers by value.
	digest bool
}

func (w *jsonWriter) value(v reflect.Value, s *shape) {
	switch s.kind {
	case kindText, kindPlain:
		text, null := textOf(v, s)
		w.text(text, null)
	case kindDecimal:
		d := v.Addr().Interface().(*Decimal)
		if w.digest {
			w.b = append(w.b, d.reduced()...)
			return
		}
		w.b = append(w.b, d.String()...)
	case kindBool:
		w.b = strconv.AppendBool(w.b, v.Bool())
	case kindInt:
		w.b = strconv.AppendInt(w.b, v.Int(), 10)
	case kindObject:
		w.object(v, s)
	case kindTexts:
		w.texts(*v.Addr().Interface().(*[]String))
	case kindDict:
		w.dict(*v.Addr().Interface().(*Attributes))
	case kindMap:
		w.stringMap(*v.Addr().Interface().(*map[string]string))
	case kindList:
		w.list(v, s)
	}
}

// The licence is left out of a digest because keys are rotated while an order is open, the password because it is not
// kept anywhere, not even as a hash.
func (w *jsonWriter) object(v reflect.Value, s *shape) {
	if s.pointer {
		v = v.Elem()
	}
	w.b = append(w.b, '{')
	first := true
	for i := range s.fields {
		f := &s.fields[i]
		member := v.Field(f.index)
		if isNull(member, f.shape) || w.digest && (f.secret || isEmpty(member, f.shape)) {
			continue
		}
		if !first {
			w.b = append(w.b, ',')
		}
		first = false
		w.b = append(w.b, f.jsonKey...)
		w.value(member, f.shape)
	}
	w.b = append(w.b, '}')
}

// A nil list can only be the whole value here: as a member it would have been left out.
func (w *jsonWriter) list(v reflect.Value, s *shape) {
	if v.IsNil() {
		w.b = append(w.b, "null"...)
		return
	}
	w.b = append(w.b, '[')
	for i := range v.Len() {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.value(v.Index(i), s.elem)
	}
	w.b = append(w.b, ']')
}

func (w *jsonWriter) text(text string, null bool) {
	if null && !w.digest {
		w.b = append(w.b, "null"...)
		return
	}
	w.b = appendJSONString(w.b, text)
}

func (w *jsonWriter) texts(texts []String) {
	if w.digest && noTexts(texts) {
		texts = nil
	}
	w.b = append(w.b, '[')
	for i, t := range texts {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.text(t.Value, !t.Valid && t.Value == "")
	}
	w.b = append(w.b, ']')
}

func (w *jsonWriter) dict(d Attributes) {
	if w.digest { // the order of a dictionary means nothing
		d = slices.SortedFunc(slices.Values(d), func(a, b Attribute) int { return strings.Compare(a.Name, b.Name) })
	}
	w.b = append(w.b, '{')
	first := true
	for i := range d {
		if d[i].Values == nil {
			continue
		}
		if !first {
			w.b = append(w.b, ',')
		}
		first = false
		w.b = append(appendJSONString(w.b, d[i].Name), ':')
		w.texts(d[i].Values)
	}
	w.b = append(w.b, '}')
}

func (w *jsonWriter) stringMap(m map[string]string) {
	w.b = append(w.b, '{')
	for i, name := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = append(appendJSONString(w.b, name), ':')
		w.b = appendJSONString(w.b, m[name])
	}
	w.b = append(w.b, '}')
}

// noTexts reports a list that JSV cannot tell from an empty one.
func noTexts(texts []String) bool {
	return len(texts) == 0 || len(texts) == 1 && texts[0].Value == ""
}

// isEmpty reports a member that some format writes like null, so that a digest must not see it.
func isEmpty(v reflect.Value, s *shape) bool {
	switch s.kind {
	case kindText, kindPlain:
		text, _ := textOf(v, s)
		return text == ""
	case kindTexts:
		return noTexts(*v.Addr().Interface().(*[]String))
	case kindDict, kindMap, kindList:
		return v.Len() == 0
	}
	return false
}

const hexDigits = "0123456789ABCDEF"

// appendJSONString escapes quotes, backslashes and control characters, U+007F among them, and nothing else.
func appendJSONString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c != 0x7f {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(b, s[start:]...), '"')
}
