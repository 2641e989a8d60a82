package wire

import (
	"maps"
	"reflect"
	"slices"
)

const (
	xmlDeclaration = `<?xml version="1.0" encoding="utf-8"?>`
	// The names that the DataContractSerializer gives to the entries of dictionaries; the letters after ty are a hash of
	// the namespaces (https://learn.microsoft.com/dotnet/framework/wcf/feature-details/data-contract-names).
	xmlDictEntry = "KeyValueOfstringArrayOfstringty7Ep6D1"
	xmlMapEntry  = "KeyValueOfstringstring"
)

// xmlWriter writes data contracts in the form of ServiceStack 4.x: with declaration, without byte order mark and line
// breaks (wire.md 2.5).
type xmlWriter struct{ b []byte }

// xmlPlace is where an element stands: the prefix and namespace of its content, and its depth, the root being 1.
type xmlPlace struct {
	prefix, space string
	depth         int
}

func writeXML(v reflect.Value, s *shape) []byte {
	w := &xmlWriter{b: make([]byte, 0, 4096)}
	w.write(xmlDeclaration)
	name, space := s.name, s.space
	if s.kind == kindList {
		name, space = "ArrayOf"+s.elem.name, s.elem.space
	}
	w.write("<", name, ` xmlns:i="`, nsXSI, `" xmlns="`, space, `">`)
	place := xmlPlace{space: space, depth: 1}
	if s.kind == kindList {
		for i := range v.Len() {
			w.element(v.Index(i), s.elem, s.elem.name, place)
		}
	} else {
		w.members(v, s, place)
	}
	w.write("</", name, ">")
	return w.b
}

func (w *xmlWriter) write(parts ...string) {
	for _, part := range parts {
		w.b = append(w.b, part...)
	}
}

// A data contract writes a null member as nil and leaves none out: its reader relies on the order, not on the presence.
func (w *xmlWriter) members(v reflect.Value, s *shape, place xmlPlace) {
	for _, i := range s.xmlOrder {
		f := &s.fields[i]
		member := v.Field(f.index)
		if f.xmlOmitNull && isNull(member, f.shape) {
			continue
		}
		w.element(member, f.shape, f.name, place)
	}
}

// contentSpace is the namespace of what a member of this shape holds; "" for a text.
func (s *shape) contentSpace() string {
	switch s.kind {
	case kindObject:
		return s.space
	case kindList:
		return s.elem.space
	case kindTexts, kindDict, kindMap:
		return nsArrays
	}
	return ""
}

// element writes a member. When its content is of another namespace than the member itself, it declares the prefix
// d{depth}p1 for it, also when it is nil.
func (w *xmlWriter) element(v reflect.Value, s *shape, name string, place xmlPlace) {
	w.b = append(w.b, '<')
	w.name(name, place)
	inner := xmlPlace{prefix: place.prefix, space: place.space, depth: place.depth + 1}
	if space := s.contentSpace(); space != "" && space != place.space {
		inner.prefix, inner.space = "d"+itoa(inner.depth)+"p1", space
		w.write(" xmlns:", inner.prefix, `="`, space, `"`)
	}
	if isNull(v, s) {
		w.write(` i:nil="true" />`)
		return
	}
	if s.kind >= kindTexts && v.Len() == 0 {
		w.write(" />")
		return
	}
	w.b = append(w.b, '>')
	w.content(v, s, inner)
	w.end(name, place)
}

func (w *xmlWriter) content(v reflect.Value, s *shape, place xmlPlace) {
	switch s.kind {
	case kindObject:
		if s.pointer {
			v = v.Elem()
		}
		w.members(v, s, place)
	case kindList:
		for i := range v.Len() {
			w.element(v.Index(i), s.elem, s.elem.name, place)
		}
	case kindTexts:
		w.texts(*v.Addr().Interface().(*[]String), place)
	case kindDict:
		for _, entry := range *v.Addr().Interface().(*Attributes) {
			w.dictEntry(entry, place)
		}
	case kindMap:
		m := *v.Addr().Interface().(*map[string]string)
		for _, key := range slices.Sorted(maps.Keys(m)) {
			w.start(xmlMapEntry, place)
			w.text("Key", Str(key), place)
			w.text("Value", Str(m[key]), place)
			w.end(xmlMapEntry, place)
		}
	case kindText, kindPlain:
		text, _ := textOf(v, s)
		w.b = appendXMLText(w.b, text)
	default:
		w.b, _ = appendScalar(w.b, v, s, "true", "false")
	}
}

// An empty list closes itself while an empty text has two tags; that is how the original's writer tells them apart.
func (w *xmlWriter) dictEntry(entry Attribute, place xmlPlace) {
	if entry.Values == nil {
		return
	}
	w.start(xmlDictEntry, place)
	w.text("Key", Str(entry.Name), place)
	if len(entry.Values) == 0 {
		w.b = append(w.b, '<')
		w.name("Value", place)
		w.write(" />")
	} else {
		w.start("Value", place)
		w.texts(entry.Values, place)
		w.end("Value", place)
	}
	w.end(xmlDictEntry, place)
}

func (w *xmlWriter) texts(texts []String, place xmlPlace) {
	for _, t := range texts {
		w.text("string", t, place)
	}
}

func (w *xmlWriter) text(name string, t String, place xmlPlace) {
	if !t.Valid && t.Value == "" {
		w.b = append(w.b, '<')
		w.name(name, place)
		w.write(` i:nil="true" />`)
		return
	}
	w.start(name, place)
	w.b = appendXMLText(w.b, t.Value)
	w.end(name, place)
}

func (w *xmlWriter) start(name string, place xmlPlace) {
	w.b = append(w.b, '<')
	w.name(name, place)
	w.b = append(w.b, '>')
}

func (w *xmlWriter) end(name string, place xmlPlace) {
	w.b = append(w.b, '<', '/')
	w.name(name, place)
	w.b = append(w.b, '>')
}

func (w *xmlWriter) name(name string, place xmlPlace) {
	if place.prefix != "" {
		w.write(place.prefix, ":")
	}
	w.write(name)
}

// appendXMLText escapes markup, and as .NET does the carriage return, which readers would turn into a line feed, and
// control characters, which could not stand there as they are.
func appendXMLText(b []byte, s string) []byte {
	start := 0
	for i := range len(s) {
		var escape string
		switch c := s[i]; {
		case c == '<':
			escape = "&lt;"
		case c == '>':
			escape = "&gt;"
		case c == '&':
			escape = "&amp;"
		case c < ' ' && c != '\t' && c != '\n':
			escape = "&#x" + string(hexDigits[c>>4]) + string(hexDigits[c&15]) + ";"
			if c < 16 {
				escape = "&#x" + string(hexDigits[c]) + ";"
			}
		default:
			continue
		}
		b = append(append(b, s[start:i]...), escape...)
		start = i + 1
	}
	return append(b, s[start:]...)
}
