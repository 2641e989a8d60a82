package wire

import (
	"strings"
	"unicode/utf16"
)

// number reads a token of the grammar of RFC 8259 section 6.
func (r *jsonReader) number() (string, *Error) {
	start := r.pos
	if r.peek() == '-' {
		r.pos++
	}
	switch c := r.peek(); {
	case c == '0':
		r.pos++
	case '1' <= c && c <= '9':
		r.digits()
	default:
		return "", r.syntax("a digit")
	}
	if r.peek() == '.' {
		r.pos++
		if r.digits() == 0 {
			return "", r.syntax("a digit")
		}
	}
	if c := r.peek(); c == 'e' || c == 'E' {
		r.pos++
		if c := r.peek(); c == '+' || c == '-' {
			r.pos++
		}
		if r.digits() == 0 {
			return "", r.syntax("a digit")
		}
	}
	return r.text[start:r.pos], nil
}

func (r *jsonReader) digits() (n int) {
	for c := r.peek(); '0' <= c && c <= '9'; c = r.peek() {
		r.pos++
		n++
	}
	return n
}

// str reads a string; without escapes it is a part of the body, not a copy.
func (r *jsonReader) str() (string, *Error) {
	r.pos++
	text, start := r.text, r.pos
	for i := start; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			r.pos = i + 1
			return text[start:i], nil
		case c == '\\':
			r.pos = i
			return r.escaped(start)
		case c < ' ':
			r.pos = i
			return "", malformed("The JSON is malformed at byte ", itoa(i), ": a control character in a string.")
		}
	}
	r.pos = len(text)
	return "", r.syntax("the end of a string")
}

// escaped goes on with a string whose first backslash is at the position.
func (r *jsonReader) escaped(start int) (string, *Error) {
	b := append(make([]byte, 0, 64), r.text[start:r.pos]...)
	for r.pos < len(r.text) {
		c := r.text[r.pos]
		switch {
		case c == '"':
			r.pos++
			return string(b), nil
		case c < ' ':
			return "", malformed("The JSON is malformed at byte ", itoa(r.pos), ": a control character in a string.")
		case c != '\\':
			b = append(b, c)
			r.pos++
			continue
		}
		r.pos++
		c = r.peek()
		r.pos++
		if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 && c != 0 {
			b = append(b, "\"\\/\b\f\n\r\t"[i])
			continue
		}
		if c != 'u' {
			r.pos--
			return "", r.syntax("a valid escape")
		}
		char, err := r.unicodeEscape()
		if err != nil {
			return "", err
		}
		b = append(b, string(char)...)
	}
	return "", r.syntax("the end of a string")
}

// unicodeEscape reads the digits after \u, and the second half when they are the first half of a surrogate pair. Half a
// pair has no UTF-8; encoding/json would put U+FFFD there, and two different names would become one.
func (r *jsonReader) unicodeEscape() (rune, *Error) {
	char, ok := r.hex4()
	if ok && utf16.IsSurrogate(char) {
		ok = strings.HasPrefix(r.text[r.pos:], `\u`)
		if ok {
			r.pos += 2
			var low rune
			low, ok = r.hex4()
			char = utf16.DecodeRune(char, low)
			ok = ok && char != '\ufffd'
		}
		if !ok {
			return 0, malformed("The JSON is malformed at byte ", itoa(r.pos), ": half of a surrogate pair.")
		}
	}
	if !ok {
		return 0, r.syntax("four hexadecimal digits")
	}
	if char == 0 {
		return 0, wrong(nulRefused)
	}
	return char, nil
}

// hex4 is written out because strconv would accept signs and underscores.
func (r *jsonReader) hex4() (rune, bool) {
	if len(r.text)-r.pos < 4 {
		return 0, false
	}
	var char rune
	for range 4 {
		c := r.text[r.pos]
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		char = char<<4 | rune(c)
		r.pos++
	}
	return char, true
}
