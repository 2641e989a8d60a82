package wire

import (
	"reflect"
	"strings"
)

// jsvReader reads JSV, ServiceStack's JSON with CSV's quoting (https://docs.servicestack.net/jsv-format), by the
// grammar of wire.md 2.3. White space belongs to values, except in documents in the indented form of the metadata
// pages, which are recognised by white space right after the opening brace.
type jsvReader struct {
	text   string
	pos    int
	depth  int
	pretty bool
	budget *budget
}

// White space after the opening bracket marks the indented form: no compact writer puts it there, because no property
// name begins with it.
func newJSVReader(text string, b *budget) *jsvReader {
	return &jsvReader{text: text, budget: b, pretty: len(text) > 1 && (text[0] == '{' || text[0] == '[') && isBlank(text[1])}
}

func readJSV(text string, v reflect.Value, s *shape) *Error {
	if text == "" || text[0] != '{' {
		return malformed("The JSV body must be one object in braces.")
	}
	return readJSVValue(text, v, s, newBudget(len(text)))
}

func readJSVBatch(text string, list reflect.Value, s *shape) *Error {
	if text == "" || text[0] != '{' && text[0] != '[' {
		return malformed("The JSV body must be a list of objects in brackets.")
	}
	return readJSVValue(text, list, s, newBudget(len(text)))
}

// readJSVValue reads a whole text as the value of a member: a body, a cell of CSV or a value of a form.
func readJSVValue(text string, v reflect.Value, s *shape, b *budget) *Error {
	r := newJSVReader(text, b)
	if err := r.value(v, s, 0); err != nil {
		return err
	}
	r.skipBlanks()
	if r.pos < len(r.text) {
		return malformed("There is text after the end of the JSV value, at byte ", itoa(r.pos), ".")
	}
	return nil
}

// syntax names the place by byte, within the cell or form value when the JSV stands in one.
func (r *jsvReader) syntax(want string) *Error {
	if r.pos >= len(r.text) {
		return malformed("The JSV is cut off: it ends where ", want, " should be.")
	}
	return malformed("The JSV is malformed at byte ", itoa(r.pos), ": expected ", want, ".")
}

func (r *jsvReader) peek() byte {
	if r.pos < len(r.text) {
		return r.text[r.pos]
	}
	return 0
}

// skipBlanks does nothing in a compact document, where a blank is part of the value next to it.
func (r *jsvReader) skipBlanks() {
	if !r.pretty {
		return
	}
	for r.pos < len(r.text) && isBlank(r.text[r.pos]) {
		r.pos++
	}
}

func (r *jsvReader) enter() *Error {
	r.depth++
	if r.depth > maxDepth {
		return wrong(tooDeep)
	}
	r.pos++
	r.skipBlanks()
	return nil
}

func (r *jsvReader) leave() {
	r.pos++
	r.depth--
}

// value reads what stands at the position into a member. end is the bracket that closes what the value is in: a bare
// value runs to it or to a comma; 0 is the end of the text.
func (r *jsvReader) value(v reflect.Value, s *shape, end byte) *Error {
	r.skipBlanks()
	c := r.peek()
	if r.pos == len(r.text) && end != 0 {
		return r.syntax("a value")
	}
	if c == 0 || c == ',' && end != 0 || c == end {
		v.SetZero()
		return nil
	}
	switch s.kind {
	case kindObject:
		if c == '{' {
			return r.object(v, s)
		}
		return wrong(wantObject)
	case kindList:
		return r.list(v, s)
	case kindTexts:
		texts, err := r.texts(end)
		*v.Addr().Interface().(*[]String) = texts
		return err
	case kindDict:
		if c == '{' {
			return r.dict(v)
		}
		return wrong(wantDict)
	case kindMap:
		if c == '{' {
			return r.stringMap(v)
		}
		return wrong(wantMap)
	default:
		return r.scalar(v, s, end)
	}
}

// JSV has no literals: null is a text for a text, but portals that print their nulls also print them for numbers, where
// the original reads the default (wire.md 2.3).
func (r *jsvReader) scalar(v reflect.Value, s *shape, end byte) *Error {
	quoted := r.peek() == '"'
	text, err := r.str(end)
	if err != nil {
		return err
	}
	if s.kind >= kindBool && (text == "" || text == "null" && !quoted) {
		v.SetZero()
		return nil
	}
	return setScalar(v, s, text)
}

func (r *jsvReader) object(v reflect.Value, s *shape) *Error {
	v, fault := r.budget.object(v, s)
	if fault != nil {
		return fault
	}
	var seen uint64
	next := 0
	return r.members(func(name string) *Error {
		i := s.find(name, next)
		if i < 0 {
			_, err := r.str('}')
			return err
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
		if err := r.value(member, f.shape, '}'); err != nil {
			return err.in(f.name)
		}
		return nil
	})
}

// members walks an object and calls each with the name when the position is at its value.
func (r *jsvReader) members(each func(name string) *Error) *Error {
	if err := r.enter(); err != nil {
		return err
	}
	if r.peek() == '}' {
		r.leave()
		return nil
	}
	for {
		r.skipBlanks()
		name, err := r.key()
		if err != nil {
			return err
		}
		if err := each(name); err != nil {
			return err
		}
		r.skipBlanks()
		switch r.peek() {
		case ',':
			r.pos++
		case '}':
			r.leave()
			return nil
		default:
			return r.syntax("a comma or a closing brace")
		}
	}
}

// key reads a name and the colon after it.
func (r *jsvReader) key() (string, *Error) {
	var name string
	if r.peek() == '"' {
		var err *Error
		if name, err = r.quoted(); err != nil {
			return "", err
		}
		r.skipBlanks()
	} else {
		start := r.pos
		for r.pos < len(r.text) && r.text[r.pos] != ':' && r.text[r.pos] != ',' && r.text[r.pos] != '}' {
			r.pos++
		}
		name = r.text[start:r.pos]
		if r.pretty {
			name = trimBlanks(name)
		}
		if name == "" {
			return "", r.syntax("a name")
		}
	}
	if r.peek() != ':' {
		return "", r.syntax("a colon")
	}
	r.pos++
	return name, nil
}

// An object where a list is expected is a list of one, like in JSON.
func (r *jsvReader) list(v reflect.Value, s *shape) *Error {
	one := func(i int) *Error {
		element, err := r.budget.extend(v, s.size)
		if err != nil {
			return err
		}
		if err := r.value(element, s.elem, ']'); err != nil {
			return err.at(i)
		}
		return nil
	}
	switch r.peek() {
	case '{':
		return one(0)
	case '[':
	default:
		return wrong(wantObjects)
	}
	v.Set(reflect.MakeSlice(s.typ, 0, 0))
	if err := r.enter(); err != nil {
		return err
	}
	// A comma before the closing bracket adds nothing to a list of objects, though it adds a null to one of texts.
	for i := 0; r.peek() != ']'; i++ {
		if err := one(i); err != nil {
			return err
		}
		r.skipBlanks()
		switch r.peek() {
		case ',':
			r.pos++
			r.skipBlanks()
		case ']':
		default:
			return r.syntax("a comma or a closing bracket").at(i)
		}
	}
	r.leave()
	return nil
}

// texts reads a list of texts; a lone text is a list of one.
func (r *jsvReader) texts(end byte) ([]String, *Error) {
	if r.peek() != '[' {
		text, err := r.str(end)
		return []String{Str(text)}, err
	}
	if err := r.enter(); err != nil {
		return nil, err
	}
	list := []String{}
	if r.peek() == ']' {
		r.leave()
		return list, nil
	}
	for i := 0; ; i++ {
		r.skipBlanks()
		var element String
		if c := r.peek(); c != ',' && c != ']' {
			text, err := r.str(']')
			if err != nil {
				return nil, err.at(i)
			}
			element = Str(text)
		}
		var err *Error
		if list, err = r.budget.appendText(list, element); err != nil {
			return nil, err
		}
		r.skipBlanks()
		switch r.peek() {
		case ',':
			r.pos++
		case ']':
			r.leave()
			return list, nil
		default:
			return nil, r.syntax("a comma or a closing bracket").at(i)
		}
	}
}

// A key with nothing after its colon is dropped, as the original does.
func (r *jsvReader) dict(v reflect.Value) *Error {
	d := dictionary{entries: Attributes{}}
	err := r.members(func(name string) *Error {
		r.skipBlanks()
		if c := r.peek(); c == ',' || c == '}' {
			return nil
		}
		values, err := r.texts('}')
		if err != nil {
			return err
		}
		return d.put(r.budget, name, values)
	})
	*v.Addr().Interface().(*Attributes) = d.entries
	return err
}

func (r *jsvReader) stringMap(v reflect.Value) *Error {
	m := map[string]string{}
	v.Set(reflect.ValueOf(m))
	return r.members(func(name string) *Error {
		r.skipBlanks()
		if c := r.peek(); c == ',' || c == '}' {
			return nil
		}
		text, err := r.str('}')
		if err != nil {
			return err
		}
		m[name] = text
		return r.budget.take(dictionaryEntrySize)
	})
}

// str reads any value as text: quoted, bare, or an object or list as it stands.
func (r *jsvReader) str(end byte) (string, *Error) {
	r.skipBlanks()
	start := r.pos
	switch r.peek() {
	case '"':
		text, err := r.quoted()
		if err != nil {
			return "", err
		}
		r.skipBlanks()
		if c := r.peek(); r.pos < len(r.text) && c != ',' && c != end {
			return "", r.syntax("the end of the value after its closing quote")
		}
		return text, nil
	case '{', '[':
		if err := r.balanced(); err != nil {
			return "", err
		}
		return r.text[start:r.pos], nil
	}
	if end == 0 {
		r.pos = len(r.text)
	}
	for r.pos < len(r.text) && r.text[r.pos] != ',' && r.text[r.pos] != end {
		r.pos++
	}
	if r.pos == len(r.text) && end != 0 {
		return "", r.syntax("the end of a value")
	}
	text := r.text[start:r.pos]
	if r.pretty {
		text = trimBlanks(text)
	}
	return text, nil
}

// quoted reads a text in quotes, in which a quote is written twice and nothing else is special.
func (r *jsvReader) quoted() (string, *Error) {
	r.pos++
	start, doubled := r.pos, false
	for {
		n := strings.IndexByte(r.text[r.pos:], '"')
		if n < 0 {
			r.pos = len(r.text)
			return "", r.syntax("a closing quote")
		}
		r.pos += n + 1
		if r.peek() != '"' {
			break
		}
		doubled = true
		r.pos++
	}
	text := r.text[start : r.pos-1]
	if doubled {
		text = strings.ReplaceAll(text, `""`, `"`)
	}
	return text, nil
}

// balanced passes over an object or list that nobody looks into. It knows where a quote opens a quoted text (at the
// start of a key or value) and where it is an ordinary character, because brackets inside quotes do not count.
func (r *jsvReader) balanced() *Error {
	var open [maxDepth]byte
	depth, fresh, inKey := 0, true, false
	for ; r.pos < len(r.text); r.pos++ {
		c := r.text[r.pos]
		switch {
		case c == '"' && fresh:
			if _, err := r.quoted(); err != nil {
				return err
			}
			r.pos--
			fresh = false
		case c == '{' || c == '[':
			if r.depth+depth == maxDepth {
				return wrong(tooDeep)
			}
			open[depth] = c + 2 // '}' and ']' stand two after their opening twins in ASCII
			depth++
			fresh, inKey = true, c == '{'
		case depth > 0 && c == open[depth-1]:
			depth--
			if depth == 0 {
				r.pos++
				return nil
			}
			fresh, inKey = false, false
		case c == ',':
			fresh, inKey = true, open[depth-1] == '}'
		case c == ':' && inKey:
			fresh, inKey = true, false
		case r.pretty && isBlank(c):
		default:
			fresh = false
		}
	}
	return r.syntax("a closing bracket")
}
