package wire

import (
	"bytes"
	"reflect"
	"strings"
)

// Kind is what a member holds, in the protocol's words.
type Kind string

// The kinds of members. Objects and lists of objects name the type of the object.
const (
	KindString     Kind = "string"
	KindBool       Kind = "bool"
	KindInt        Kind = "int"
	KindDecimal    Kind = "decimal"
	KindObject     Kind = "object"
	KindObjects    Kind = "list of objects"
	KindStrings    Kind = "list of strings"
	KindDictionary Kind = "dictionary of string to list of strings"
	KindMap        Kind = "dictionary of string to string"
)

var kindNames = [...]Kind{
	kindText: KindString, kindPlain: KindString, kindBool: KindBool, kindInt: KindInt, kindDecimal: KindDecimal,
	kindObject: KindObject, kindTexts: KindStrings, kindDict: KindDictionary, kindMap: KindMap, kindList: KindObjects,
}

// Type describes a DTO to what is made from it: metadata pages, typed clients, OpenAPI.
type Type struct {
	Name      string
	Namespace string // of the XML data contract
	Members   []Member
}

// Member is a member of a Type, under its declared name.
type Member struct {
	Name string
	Kind Kind
	Type *Type // of KindObject and KindObjects
	Base bool  // inherited from the original's base class
}

// Describe gives the description of a DTO by an example of it, such as StripePaymentRequest{}.
func Describe(dto any) *Type { return describe(shapeOf(structOf(dto))) }

// describe repeats a type wherever it occurs; no DTO contains itself.
func describe(s *shape) *Type {
	t := &Type{Name: s.name, Namespace: s.space}
	for i := range s.fields {
		f := &s.fields[i]
		m := Member{Name: f.name, Kind: kindNames[f.shape.kind], Base: f.base}
		switch f.shape.kind {
		case kindObject:
			m.Type = describe(f.shape)
		case kindList:
			m.Type = describe(f.shape.elem)
		}
		t.Members = append(t.Members, m)
	}
	return t
}

func structOf(dto any) reflect.Type {
	t := reflect.TypeOf(dto)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// Sample writes the sample that the metadata page of a format shows for a DTO: every string is String, every number 0,
// lists and dictionaries have one entry. JSON and CSV are compact, XML and JSV indented (wire.md 5).
func Sample(format Format, dto any) []byte {
	t := structOf(dto)
	v, s := reflect.New(t).Elem(), shapeOf(t)
	fillSample(v, s)
	switch format {
	case XML:
		return indentXML(bytes.TrimPrefix(writeXML(v, s), []byte(xmlDeclaration)))
	case JSV:
		return indentJSV(appendJSV(nil, v, s))
	}
	return Encode(format, v.Addr().Interface())
}

func fillSample(v reflect.Value, s *shape) {
	const word = "String"
	switch s.kind {
	case kindText:
		v.Set(reflect.ValueOf(Str(word)))
	case kindPlain:
		v.SetString(word)
	case kindTexts:
		v.Set(reflect.ValueOf([]String{Str(word)}))
	case kindDict:
		v.Set(reflect.ValueOf(Attributes{{Name: word, Values: []String{Str(word)}}}))
	case kindMap:
		v.Set(reflect.ValueOf(map[string]string{word: word}))
	case kindList:
		v.Set(reflect.MakeSlice(s.typ, 1, 1))
		fillSample(v.Index(0), s.elem)
	case kindObject:
		if s.pointer {
			v.Set(reflect.New(s.typ))
			v = v.Elem()
		}
		for i := range s.fields {
			fillSample(v.Field(s.fields[i].index), s.fields[i].shape)
		}
	}
}

// indentJSV lays out a sample, in whose values no character is special, as the original's pages do: tabs, a blank
// after each colon, brackets on lines of their own.
func indentJSV(compact []byte) []byte {
	var b bytes.Buffer
	depth := 0
	line := func() { b.WriteString("\n" + strings.Repeat("\t", depth)) }
	for i, c := range compact {
		switch c {
		case '{', '[':
			if i > 0 && compact[i-1] == ':' {
				line()
			}
			b.WriteByte(c)
			depth++
			line()
		case '}', ']':
			depth--
			line()
			b.WriteByte(c)
		case ',':
			b.WriteByte(c)
			line()
		case ':':
			b.WriteString(": ")
		default:
			b.WriteByte(c)
		}
	}
	return b.Bytes()
}

// indentXML puts every element of a sample on a line of its own, two blanks to a level.
func indentXML(compact []byte) []byte {
	var b bytes.Buffer
	depth := 0
	line := func() {
		if b.Len() > 0 {
			b.WriteString("\n" + strings.Repeat("  ", depth))
		}
	}
	afterEnd := false // an end tag that follows another one stands on its own line
	for len(compact) > 0 {
		end := bytes.IndexByte(compact, '>') + 1
		tag := compact[:end]
		switch {
		case bytes.HasPrefix(tag, []byte("</")):
			depth--
			if afterEnd {
				line()
			}
			afterEnd = true
		case bytes.HasSuffix(tag, []byte("/>")):
			line()
			afterEnd = true
		default:
			line()
			depth++
			afterEnd = false
		}
		b.Write(tag)
		compact = compact[end:]
		if text := bytes.IndexByte(compact, '<'); text > 0 {
			b.Write(compact[:text])
			compact = compact[text:]
		}
	}
	return b.Bytes()
}
