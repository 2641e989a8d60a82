package wire

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// xmlScanner is a tokenizer for the XML 1.0 that data contracts need: elements, attributes, text, CDATA, comments and
// processing instructions. There is no DTD in it, hence no entity of anybody's making
// (https://www.w3.org/TR/xml/, https://www.w3.org/TR/xml-names/). encoding/xml is not used because it accepts text
// before and after the root, is several times slower and cannot read back every string .NET writes.
type xmlScanner struct {
	text     string
	pos      int
	depth    int
	bindings []xmlBinding // prefixes in scope, the innermost last
	budget   *budget
}

type xmlBinding struct{ prefix, space string }

type xmlElement struct {
	raw, prefix, local string // raw is the name as written, prefix included
	empty              bool   // <x/>
	isNil              bool   // i:nil="true"
	scope              int    // bindings that belong to the elements around it
}

type xmlAttribute struct{ prefix, local, value string }

const (
	maxXMLBindings   = 64
	maxXMLAttributes = 32
	cdataStart       = "<![CDATA["
)

func (x *xmlScanner) syntax(what string) *Error {
	if x.pos >= len(x.text) {
		return malformed("The XML is cut off.")
	}
	return malformed("The XML is malformed at byte ", itoa(x.pos), ": ", what, ".")
}

func (x *xmlScanner) at(prefix string) bool { return strings.HasPrefix(x.text[x.pos:], prefix) }

func (x *xmlScanner) skipBlanks() bool {
	start := x.pos
	for x.pos < len(x.text) && isBlank(x.text[x.pos]) {
		x.pos++
	}
	return x.pos > start
}

// checkCharacters refuses what XML 1.0 section 2.2 does not allow in a document.
func (x *xmlScanner) checkCharacters() *Error {
	for i := range len(x.text) {
		if c := x.text[i]; c < ' ' && !isBlank(c) {
			return malformed("The XML is malformed at byte ", itoa(i), ": a control character.")
		}
	}
	return nil
}

// prolog passes over all that may precede the root element.
func (x *xmlScanner) prolog() *Error {
	if x.at("<?xml") && len(x.text) > 5 && isBlank(x.text[5]) {
		if err := x.declaration(); err != nil {
			return err
		}
	}
	if err := x.misc(); err != nil {
		return err
	}
	if !x.at("<") {
		return malformed("The XML body must begin with an element.")
	}
	return nil
}

// declaration reads <?xml version="1.0" encoding="…" standalone="…"?>, whose last two may be absent.
func (x *xmlScanner) declaration() *Error {
	x.pos = len("<?xml")
	blank := false
	for _, name := range [...]string{"version", "encoding", "standalone"} {
		blank = x.skipBlanks() || blank
		if !blank || !x.at(name) {
			if name == "version" {
				return x.syntax("expected the version")
			}
			continue
		}
		a, err := x.attribute()
		if err != nil {
			return err
		}
		blank = false
		switch {
		case name == "version" && a.value != "1.0":
			return malformed("The XML must be of version 1.0.")
		case name == "encoding" && !strings.EqualFold(a.value, "utf-8") && !strings.EqualFold(a.value, "us-ascii"):
			return malformed("The XML must be encoded as UTF-8.")
		case name == "standalone" && a.value != "yes" && a.value != "no":
			return x.syntax("expected yes or no")
		}
	}
	x.skipBlanks()
	if !x.at("?>") {
		return x.syntax("expected the end of the declaration")
	}
	x.pos += 2
	return nil
}

// epilog passes over all that may follow the root element.
func (x *xmlScanner) epilog() *Error {
	if err := x.misc(); err != nil {
		return err
	}
	if x.pos < len(x.text) {
		return malformed("There is text after the end of the XML, at byte ", itoa(x.pos), ".")
	}
	return nil
}

// DOCTYPE is refused by its first two characters, before anything in it is looked at (safety XM-01, XM-03).
func (x *xmlScanner) misc() *Error {
	for {
		x.skipBlanks()
		if x.at("<!") && !x.at("<!--") {
			return malformed("The XML must not have a DOCTYPE; leave it out.")
		}
		skipped, err := x.markup()
		if err != nil || !skipped {
			return err
		}
	}
}

// markup passes over a comment or processing instruction, if one stands here.
func (x *xmlScanner) markup() (skipped bool, err *Error) {
	switch {
	case x.at("<!--"):
		x.pos += len("<!--")
		if !x.skipPast("--") || !x.at(">") {
			return false, x.syntax("two hyphens must not stand inside a comment")
		}
		x.pos++
		return true, nil
	case x.at("<?"):
		x.pos += len("<?")
		target, _, _, err := x.name()
		if err != nil {
			return false, err
		}
		if strings.EqualFold(target, "xml") {
			return false, x.syntax("an XML declaration must come first")
		}
		if !x.at("?>") && (x.pos == len(x.text) || !isBlank(x.text[x.pos])) || !x.skipPast("?>") {
			return false, x.syntax("expected the end of an instruction")
		}
		return true, nil
	}
	return false, nil
}

// skipPast moves behind the next occurrence of a mark, or to the end of the text when there is none.
func (x *xmlScanner) skipPast(mark string) bool {
	n := strings.Index(x.text[x.pos:], mark)
	if n < 0 {
		x.pos = len(x.text)
		return false
	}
	x.pos += n + len(mark)
	return true
}

// All of non-ASCII counts as letters: the fifth edition of XML 1.0 allows nearly all of it, and we only compare names.
func isNameByte(c byte, first bool) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', c >= utf8.RuneSelf:
		return true
	}
	return !first && ('0' <= c && c <= '9' || c == '-' || c == '.' || c == ':')
}

// name reads a qualified name, which has at most one colon and something on both of its sides.
func (x *xmlScanner) name() (raw, prefix, local string, err *Error) {
	start := x.pos
	for x.pos < len(x.text) && isNameByte(x.text[x.pos], x.pos == start) {
		x.pos++
	}
	raw = x.text[start:x.pos]
	prefix, local, found := strings.Cut(raw, ":")
	if !found {
		prefix, local = "", raw
	}
	if local == "" || strings.IndexByte(local, ':') >= 0 {
		return "", "", "", x.syntax("expected a name")
	}
	return raw, prefix, local, nil
}

// open reads the start tag at the position. Each open is followed by one close.
func (x *xmlScanner) open() (xmlElement, *Error) {
	e := xmlElement{scope: len(x.bindings)}
	if x.depth++; x.depth > maxDepth {
		return e, wrong(tooDeep)
	}
	if x.pos++; x.pos < len(x.text) && x.text[x.pos] == '!' {
		return e, x.syntax("expected an element")
	}
	var err *Error
	if e.raw, e.prefix, e.local, err = x.name(); err != nil {
		return e, err
	}
	var attributes [maxXMLAttributes]xmlAttribute
	n := 0
	for {
		blank := x.skipBlanks()
		if x.at("/>") {
			e.empty = true
			x.pos += 2
			break
		}
		if x.at(">") {
			x.pos++
			break
		}
		if !blank {
			return e, x.syntax("expected a blank or the end of the tag")
		}
		a, err := x.attribute()
		if err != nil {
			return e, err
		}
		if a.prefix == "xmlns" || a.prefix == "" && a.local == "xmlns" {
			if err := x.bind(a, e.scope); err != nil {
				return e, err
			}
			continue
		}
		for _, other := range attributes[:n] {
			if other.prefix == a.prefix && other.local == a.local {
				return e, x.syntax("an attribute is repeated")
			}
		}
		if n == maxXMLAttributes {
			return e, x.syntax("too many attributes")
		}
		attributes[n] = a
		n++
	}
	return e, x.resolve(&e, attributes[:n])
}

// resolve looks up the prefixes of an element once all of its declarations are read, and finds i:nil.
func (x *xmlScanner) resolve(e *xmlElement, attributes []xmlAttribute) *Error {
	if _, ok := x.space(e.prefix); !ok {
		return x.syntax("a prefix is not declared")
	}
	for _, a := range attributes {
		if a.prefix == "" {
			continue
		}
		space, ok := x.space(a.prefix)
		if !ok {
			return x.syntax("a prefix is not declared")
		}
		if space == nsXSI && a.local == "nil" {
			value := trimBlanks(a.value)
			e.isNil = value == "true" || value == "1"
		}
	}
	return nil
}

// The value is only checked and unescaped; white space in it matters to nobody, since no attribute but xmlns and nil is
// used.
func (x *xmlScanner) attribute() (a xmlAttribute, err *Error) {
	if _, a.prefix, a.local, err = x.name(); err != nil {
		return a, err
	}
	x.skipBlanks()
	if !x.at("=") {
		return a, x.syntax("expected an equals sign")
	}
	x.pos++
	x.skipBlanks()
	if !x.at(`"`) && !x.at("'") {
		return a, x.syntax("expected a quote")
	}
	n := strings.IndexByte(x.text[x.pos+1:], x.text[x.pos])
	if n < 0 {
		x.pos = len(x.text)
		return a, x.syntax("")
	}
	a.value = x.text[x.pos+1 : x.pos+1+n]
	if strings.IndexByte(a.value, '<') >= 0 {
		return a, x.syntax("an attribute must not hold <")
	}
	if a.value, err = x.unescape(a.value); err != nil {
		return a, err
	}
	x.pos += n + 2
	return a, nil
}

// bind notes a namespace declaration of the element whose scope began at outer.
func (x *xmlScanner) bind(a xmlAttribute, outer int) *Error {
	prefix := a.local
	if a.prefix == "" {
		prefix = ""
	} else if a.value == "" {
		return x.syntax("a prefix cannot be undeclared")
	}
	for _, b := range x.bindings[outer:] {
		if b.prefix == prefix {
			return x.syntax("an attribute is repeated")
		}
	}
	if len(x.bindings) == maxXMLBindings {
		return x.syntax("too many namespaces")
	}
	x.bindings = append(x.bindings, xmlBinding{prefix: prefix, space: a.value})
	return nil
}

// space looks a prefix up. The search is linear, which is why bind limits how many there can be.
func (x *xmlScanner) space(prefix string) (string, bool) {
	for i := len(x.bindings) - 1; i >= 0; i-- {
		if x.bindings[i].prefix == prefix {
			return x.bindings[i].space, true
		}
	}
	// Without a declaration there is no default namespace; xml is always bound.
	return "", prefix == "" || prefix == "xml"
}

// close reads the end tag of an element and leaves its scope.
func (x *xmlScanner) close(e xmlElement) *Error {
	if !e.empty {
		if !x.at("</") || !strings.HasPrefix(x.text[x.pos+2:], e.raw) {
			return x.syntax("expected another end tag")
		}
		x.pos += 2 + len(e.raw)
		x.skipBlanks()
		if !x.at(">") {
			return x.syntax("expected another end tag")
		}
		x.pos++
	}
	x.depth--
	x.bindings = x.bindings[:e.scope]
	return nil
}

// content reads text, with comments and processing instructions taken out, up to the next tag.
func (x *xmlScanner) content() (string, *Error) {
	var joined []byte
	text, pieces := "", 0
	for {
		piece, err := x.piece()
		if err != nil {
			return "", err
		}
		if piece != "" {
			switch pieces++; pieces {
			case 1:
				text = piece
			case 2:
				joined = append(append(joined, text...), piece...)
			default:
				joined = append(joined, piece...)
			}
		}
		if x.at(cdataStart) || x.pos < len(x.text) && x.text[x.pos] != '<' {
			continue
		}
		if skipped, err := x.markup(); err != nil {
			return "", err
		} else if !skipped {
			break
		}
	}
	if pieces > 1 {
		text = string(joined)
	}
	return text, nil
}

// piece reads a run of text or a CDATA section; it is empty when markup stands at the position.
func (x *xmlScanner) piece() (string, *Error) {
	if x.at(cdataStart) {
		x.pos += len(cdataStart)
		n := strings.Index(x.text[x.pos:], "]]>")
		if n < 0 {
			x.pos = len(x.text)
			return "", x.syntax("")
		}
		text := x.text[x.pos : x.pos+n]
		x.pos += n + 3
		return normalizeLines(text), nil
	}
	n := strings.IndexByte(x.text[x.pos:], '<')
	if n < 0 {
		x.pos = len(x.text)
		return "", x.syntax("")
	}
	text := x.text[x.pos : x.pos+n]
	if strings.Contains(text, "]]>") {
		return "", x.syntax("]]> outside of CDATA")
	}
	text, err := x.unescape(normalizeLines(text))
	x.pos += n
	return text, err
}

// normalizeLines makes every line end a single LF, as XML 1.0 section 2.11 demands.
func normalizeLines(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// unescape replaces XML's own five entities and character references; there are no others. References to control
// characters are read although XML 1.0 forbids them, because .NET writes strings that hold such characters so.
func (x *xmlScanner) unescape(s string) (string, *Error) {
	i := strings.IndexByte(s, '&')
	if i < 0 {
		return s, nil
	}
	b := make([]byte, 0, len(s))
	for i >= 0 {
		b = append(b, s[:i]...)
		s = s[i+1:]
		end := strings.IndexByte(s[:min(len(s), 12)], ';')
		if end < 0 {
			return "", x.syntax("an entity without its semicolon")
		}
		char, err := x.entity(s[:end])
		if err != nil {
			return "", err
		}
		b = utf8.AppendRune(b, char)
		s = s[end+1:]
		i = strings.IndexByte(s, '&')
	}
	return string(append(b, s...)), nil
}

// entity reads what stands between & and ;. Any name but the five of XML itself would need a DTD.
func (x *xmlScanner) entity(name string) (rune, *Error) {
	switch name {
	case "lt":
		return '<', nil
	case "gt":
		return '>', nil
	case "amp":
		return '&', nil
	case "quot":
		return '"', nil
	case "apos":
		return '\'', nil
	}
	digits, base := "", 10
	if rest, ok := strings.CutPrefix(name, "#x"); ok {
		digits, base = rest, 16
	} else if rest, ok := strings.CutPrefix(name, "#"); ok {
		digits = rest
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || !utf8.ValidRune(rune(n)) || n > utf8.MaxRune {
		return 0, x.syntax("an unknown entity")
	}
	if n == 0 {
		return 0, wrong(nulRefused)
	}
	return rune(n), nil
}
