package wire

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
)

type kind uint8

const (
	kindText    kind = iota // String
	kindPlain               // string: null when empty
	kindBool                // bool
	kindInt                 // int32
	kindDecimal             // Decimal
	kindObject              // struct or *struct
	kindTexts               // []String
	kindDict                // Attributes
	kindMap                 // map[string]string
	kindList                // slice of struct
)

// shape is the plan of a type: all that the formats need to know about it, read from the struct once.
type shape struct {
	kind    kind
	pointer bool         // kindObject: the value is a pointer, nil is null
	typ     reflect.Type // kindObject: the struct; kindList: the slice
	size    int          // bytes of the struct, or of an element
	elem    *shape       // kindList

	name, space string // kindObject: XML name and namespace
	fields      []field
	xmlOrder    []int // indexes of fields in the order of the data contract
	exact       map[string]int
	folded      map[string]int // lower-case ASCII
}

type field struct {
	name        string
	jsonKey     string // `"Name":`
	index       int    // in the struct
	shape       *shape
	once        bool
	base        bool
	secret      bool
	xmlOmitNull bool
}

// maxFields bounds a DTO, since the members already seen are kept in one word.
const maxFields = 64

// maxNameLength bounds the names that are compared without regard to case.
const maxNameLength = 64

var (
	shapes sync.Map // reflect.Type → *shape

	typeString  = reflect.TypeFor[String]()
	typeDecimal = reflect.TypeFor[Decimal]()
	typeTexts   = reflect.TypeFor[[]String]()
	typeDict    = reflect.TypeFor[Attributes]()
	typeMap     = reflect.TypeFor[map[string]string]()
)

// shapeOf gives the plan of t. A type that no format can carry is a programming error and panics.
func shapeOf(t reflect.Type) *shape {
	if known, ok := shapes.Load(t); ok {
		return known.(*shape)
	}
	s := newShape(t)
	shapes.Store(t, s)
	return s
}

func newShape(t reflect.Type) *shape {
	switch t {
	case typeString:
		return &shape{kind: kindText}
	case typeDecimal:
		return &shape{kind: kindDecimal}
	case typeTexts:
		return &shape{kind: kindTexts}
	case typeDict:
		return &shape{kind: kindDict}
	case typeMap:
		return &shape{kind: kindMap}
	}
	switch t.Kind() {
	case reflect.String:
		return &shape{kind: kindPlain}
	case reflect.Bool:
		return &shape{kind: kindBool}
	case reflect.Int32:
		return &shape{kind: kindInt}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Struct {
			return &shape{kind: kindList, typ: t, size: int(t.Elem().Size()), elem: shapeOf(t.Elem())}
		}
	case reflect.Pointer:
		if t.Elem().Kind() == reflect.Struct {
			s := *shapeOf(t.Elem())
			s.pointer = true
			return &s
		}
	case reflect.Struct:
		return newObject(t)
	}
	panic(fmt.Sprintf("wire: %s cannot be part of a DTO", t))
}

func newObject(t reflect.Type) *shape {
	s := &shape{
		kind: kindObject, typ: t, size: int(t.Size()), name: t.Name(), space: nsDTO,
		exact: map[string]int{}, folded: map[string]int{},
	}
	declaredOrder := false
	for i := range t.NumField() {
		f := t.Field(i)
		name, rest, _ := strings.Cut(f.Tag.Get("wire"), ",")
		options := strings.Split(rest, ",")
		if f.Name == "_" {
			s.name, s.space = name, namespaces[options[0]]
			declaredOrder = slices.Contains(options, "ordered")
			continue
		}
		if name == "" {
			name = f.Name
		}
		s.exact[name] = len(s.fields)
		s.folded[strings.ToLower(name)] = len(s.fields)
		s.fields = append(s.fields, field{
			name: name, jsonKey: `"` + name + `":`, index: i, shape: shapeOf(f.Type),
			once: slices.Contains(options, "once"), base: slices.Contains(options, "base"),
			secret: slices.Contains(options, "secret"), xmlOmitNull: slices.Contains(options, "xmlomitnull"),
		})
		s.xmlOrder = append(s.xmlOrder, len(s.xmlOrder))
	}
	if len(s.fields) > maxFields || len(s.folded) != len(s.fields) {
		panic(fmt.Sprintf("wire: %s has too many members or two whose names differ in case only", t))
	}
	if !declaredOrder {
		slices.SortFunc(s.xmlOrder, func(a, b int) int { return compareInXML(&s.fields[a], &s.fields[b]) })
	}
	return s
}

// compareInXML is the order of a data contract without explicit order: members of the base class first, then by the
// code points of the names
// (https://learn.microsoft.com/dotnet/framework/wcf/feature-details/data-member-order).
func compareInXML(a, b *field) int {
	if a.base != b.base {
		if a.base {
			return -1
		}
		return 1
	}
	return strings.Compare(a.name, b.name)
}

// find gives the index of a member by its name in any case, -1 when there is none. next is where a sender who keeps
// the declared order would be; looking there first makes such bodies cheap.
func (s *shape) find(name string, next int) int {
	if next < len(s.fields) && s.fields[next].name == name {
		return next
	}
	if i, ok := s.exact[name]; ok {
		return i
	}
	if len(name) > maxNameLength {
		return -1
	}
	var buffer [maxNameLength]byte
	folded := buffer[:len(name)]
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		folded[i] = c
	}
	if i, ok := s.folded[string(folded)]; ok {
		return i
	}
	return -1
}

// isScalar reports whether a value of this shape is one text.
func (s *shape) isScalar() bool { return s.kind <= kindDecimal }
