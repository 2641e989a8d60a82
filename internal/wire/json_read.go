package wire

import (
	"reflect"
	"strings"
)

// jsonReader reads RFC 8259 JSON straight into DTOs, in one pass. encoding/json is not used for it: it accepts
// repeated names, replaces lone surrogates and has no text of a number where a string is wanted.
type jsonReader struct {
	text   string
	pos    int
	depth  int
	budget *budget
}

// A single request must be an object: an array belongs to the batch address, and a bare null or string is what a broken
// client sends instead of nothing.
func readJSON(text string, v reflect.Value, s *shape) *Error {
	r := &jsonReader{text: text, budget: newBudget(len(text))}
	r.skipBlanks()
	if r.peek() != '{' {
		return malformed("The JSON body must be one object.")
	}
	if err := r.value(v, s); err != nil {
		return err
	}
	return r.end()
}

// readJSONBatch reads an array of objects; a lone object counts as an array of one (wire.md 1.8).
func readJSONBatch(text string, list reflect.Value, s *shape) *Error {
	r := &jsonReader{text: text, budget: newBudget(len(text))}
	r.skipBlanks()
	if c := r.peek(); c != '[' && c != '{' {
		return malformed("The JSON body must be an array of objects.")
	}
	if err := r.list(list, s); err != nil {
		return err
	}
	return r.end()
}

func (r *jsonReader) end() *Error {
	r.skipBlanks()
	if r.pos < len(r.text) {
		return malformed("There is text after the end of the JSON value, at byte ", itoa(r.pos), ".")
	}
	return nil
}

// syntax names the place by byte, since the text around it may be a secret. A cut-off body is told apart because it
// points at the network or a length limit, not at the sender's encoder.
func (r *jsonReader) syntax(want string) *Error {
	if r.pos >= len(r.text) {
		return malformed("The JSON is cut off: it ends where ", want, " should be.")
	}
	return malformed("The JSON is malformed at byte ", itoa(r.pos), ": expected ", want, ".")
}

func (r *jsonReader) peek() byte {
	if r.pos < len(r.text) {
		return r.text[r.pos]
	}
	return 0
}

func (r *jsonReader) skipBlanks() {
	for r.pos < len(r.text) && isBlank(r.text[r.pos]) {
		r.pos++
	}
}

// enter passes over an opening bracket. The depth is counted for skipped values too: they recurse all the same.
func (r *jsonReader) enter() *Error {
	r.depth++
	if r.depth > maxDepth {
		return wrong(tooDeep)
	}
	r.pos++
	r.skipBlanks()
	return nil
}

// value reads what stands at the position into a member. null gives the member's default.
func (r *jsonReader) value(v reflect.Value, s *shape) *Error {
	c := r.peek()
	if c == 'n' {
		v.SetZero()
		return r.word("null")
	}
	switch s.kind {
	case kindObject:
		if c == '{' {
			return r.object(v, s)
		}
		return r.notA(wantObject)
	case kindList:
		return r.list(v, s)
	case kindTexts:
		texts, err := r.texts()
		*v.Addr().Interface().(*[]String) = texts
		return err
	case kindDict:
		if c == '{' {
			return r.dict(v)
		}
		return r.notA(wantDict)
	case kindMap:
		if c == '{' {
			return r.stringMap(v)
		}
		return r.notA(wantMap)
	default:
		return r.scalar(v, s, c)
	}
}

// notA tells a value of the wrong kind, which is a fault of the field, from one that is no JSON at all.
func (r *jsonReader) notA(want string) *Error {
	if err := r.skip(); err != nil {
		return err
	}
	return wrong(want)
}

// scalar reads a number, bool or string into any scalar member: clients send numbers as strings and the other way
// round (wire.md 2.2).
func (r *jsonReader) scalar(v reflect.Value, s *shape, c byte) *Error {
	switch {
	case c == '"':
		text, err := r.str()
		if err != nil {
			return err
		}
		return setScalar(v, s, text)
	case c == 't' || c == 'f':
		word := "true"
		if c == 'f' {
			word = "false"
		}
		if err := r.word(word); err != nil {
			return err
		}
		return setScalar(v, s, word)
	case c == '-' || '0' <= c && c <= '9':
		token, err := r.number()
		if err != nil {
			return err
		}
		if s.kind == kindDecimal {
			d, err := parseJSONNumber(token)
			if err != nil {
				return wrong(wantDecimal)
			}
			*v.Addr().Interface().(*Decimal) = d
			return nil
		}
		return setScalar(v, s, token)
	}
	return r.notA([...]string{kindText: wantText, kindPlain: wantText, kindBool: wantBool, kindInt: wantInt,
		kindDecimal: wantDecimal}[s.kind])
}

// A repeated member replaces the first wholly, so that two halves never merge into an object that nobody sent.
func (r *jsonReader) object(v reflect.Value, s *shape) *Error {
	v, fault := r.budget.object(v, s)
	if fault != nil {
		return fault
	}
	var seen uint64
	next := 0
	return r.members(func(name string) *Error {
		i := s.find(name, next)
		if i < 0 {
			return r.skip()
		}
		f := &s.fields[i]
		member := v.Field(f.index)
		if bit := uint64(1) << i; seen&bit != 0 {
			if f.once {
				return duplicate().in(f.name)
			}
			member.SetZero()
		} else {
			seen |= bit
		}
		next = i + 1
		if err := r.value(member, f.shape); err != nil {
			return err.in(f.name)
		}
		return nil
	})
}

// members walks an object and calls each with the name when the position is at its value.
func (r *jsonReader) members(each func(name string) *Error) *Error {
	if err := r.enter(); err != nil {
		return err
	}
	if r.peek() == '}' {
		r.pos++
		r.depth--
		return nil
	}
	for {
		if r.peek() != '"' {
			return r.syntax("a name in quotes")
		}
		name, err := r.str()
		if err != nil {
			return err
		}
		r.skipBlanks()
		if r.peek() != ':' {
			return r.syntax("a colon")
		}
		r.pos++
		r.skipBlanks()
		if err := each(name); err != nil {
			return err
		}
		r.skipBlanks()
		switch r.peek() {
		case ',':
			r.pos++
			r.skipBlanks()
		case '}':
			r.pos++
			r.depth--
			return nil
		default:
			return r.syntax("a comma or a closing brace")
		}
	}
}

// elements walks an array and calls each when the position is at an element.
func (r *jsonReader) elements(each func(index int) *Error) *Error {
	if err := r.enter(); err != nil {
		return err
	}
	if r.peek() == ']' {
		r.pos++
		r.depth--
		return nil
	}
	for i := 0; ; i++ {
		if err := each(i); err != nil {
			return err
		}
		r.skipBlanks()
		switch r.peek() {
		case ',':
			r.pos++
			r.skipBlanks()
		case ']':
			r.pos++
			r.depth--
			return nil
		default:
			return r.syntax("a comma or a closing bracket")
		}
	}
}

// An object where a list is expected is a list of one: some XML-minded clients fold lists of one away (wire.md 2.2).
func (r *jsonReader) list(v reflect.Value, s *shape) *Error {
	one := func(i int) *Error {
		element, err := r.budget.extend(v, s.size)
		if err != nil {
			return err
		}
		if err := r.value(element, s.elem); err != nil {
			return err.at(i)
		}
		return nil
	}
	switch r.peek() {
	case '[':
		v.Set(reflect.MakeSlice(s.typ, 0, 0))
		return r.elements(one)
	case '{':
		return one(0)
	}
	return r.notA(wantObjects)
}

// As in list, a scalar stands for a list of one. An empty list is not nil, since the wire tells it from null.
func (r *jsonReader) texts() ([]String, *Error) {
	if r.peek() != '[' {
		if c := r.peek(); c == '{' {
			return nil, r.notA(wantTexts)
		}
		text, err := r.listText()
		return []String{text}, err
	}
	list := []String{}
	err := r.elements(func(i int) *Error {
		text, err := r.listText()
		if err != nil {
			return err.at(i)
		}
		list, err = r.budget.appendText(list, text)
		return err
	})
	return list, err
}

// listText reads a scalar or null as an element of a list of texts.
func (r *jsonReader) listText() (String, *Error) {
	switch c := r.peek(); {
	case c == '"':
		text, err := r.str()
		return Str(text), err
	case c == 'n':
		return String{}, r.word("null")
	case c == 't':
		return Str("true"), r.word("true")
	case c == 'f':
		return Str("false"), r.word("false")
	case c == '-' || '0' <= c && c <= '9':
		token, err := r.number()
		return Str(token), err
	}
	return String{}, r.notA(wantText)
}

// A null value is dropped with its key, as the original does; it could not be written back either.
func (r *jsonReader) dict(v reflect.Value) *Error {
	d := dictionary{entries: Attributes{}}
	err := r.members(func(name string) *Error {
		if r.peek() == 'n' {
			return r.word("null")
		}
		values, err := r.texts()
		if err != nil {
			return err
		}
		return d.put(r.budget, name, values)
	})
	*v.Addr().Interface().(*Attributes) = d.entries
	return err
}

func (r *jsonReader) stringMap(v reflect.Value) *Error {
	m := map[string]string{}
	v.Set(reflect.ValueOf(m))
	return r.members(func(name string) *Error {
		text, err := r.listText()
		if err != nil {
			return err
		}
		if text.Valid {
			m[name] = text.Value
		}
		return r.budget.take(dictionaryEntrySize)
	})
}

// skip passes over a value that nobody wants, checking it all the same.
func (r *jsonReader) skip() *Error {
	switch c := r.peek(); {
	case c == '{':
		return r.members(func(string) *Error { return r.skip() })
	case c == '[':
		return r.elements(func(int) *Error { return r.skip() })
	case c == '"':
		_, err := r.str()
		return err
	case c == 't':
		return r.word("true")
	case c == 'f':
		return r.word("false")
	case c == 'n':
		return r.word("null")
	case c == '-' || '0' <= c && c <= '9':
		_, err := r.number()
		return err
	}
	return r.syntax("a value")
}

// word reads a literal. What follows it is checked by whoever reads on, which wants a comma or a bracket there.
func (r *jsonReader) word(word string) *Error {
	if !strings.HasPrefix(r.text[r.pos:], word) {
		return r.syntax("a value")
	}
	r.pos += len(word)
	return nil
}
