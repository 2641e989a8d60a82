package wire

import (
	"reflect"
	"strconv"
)

const (
	wantInt     = "must be a whole number between -2147483648 and 2147483647"
	wantBool    = "must be true or false"
	wantDecimal = "must be a plain decimal number of at most 29 digits, such as 12.50"
	wantText    = "must be a text"
	wantObject  = "must be an object"
	wantObjects = "must be a list of objects"
	wantTexts   = "must be a list of texts"
	wantDict    = "must be a dictionary of lists of texts"
	wantMap     = "must be a dictionary of texts"
	nulRefused  = "must not hold a NUL character"
	tooDeep     = "is nested deeper than 32 levels"
)

// setScalar gives a scalar member the value that a text stands for: blanks around whole numbers and bools are allowed,
// around decimals not (safety AM-07: an amount has one spelling).
func setScalar(v reflect.Value, s *shape, text string) *Error {
	switch s.kind {
	case kindText:
		*v.Addr().Interface().(*String) = String{Value: text, Valid: true}
	case kindPlain:
		v.SetString(text)
	case kindInt:
		n, ok := parseInt(text)
		if !ok {
			return wrong(wantInt)
		}
		v.SetInt(n)
	case kindBool:
		value, ok := parseBool(text)
		if !ok {
			return wrong(wantBool)
		}
		v.SetBool(value)
	case kindDecimal:
		d, err := ParseDecimal(text)
		if err != nil {
			return wrong(wantDecimal)
		}
		*v.Addr().Interface().(*Decimal) = d
	}
	return nil
}

// parseInt reads a 32-bit number with a sign and blanks around it (wire.md 2.1). ParseInt alone would be enough but for
// the blanks; the check of the digits makes that visible.
func parseInt(s string) (int64, bool) {
	s = trimBlanks(s)
	digits := s
	if s != "" && (s[0] == '-' || s[0] == '+') {
		digits = s[1:]
	}
	if !allDigits(digits) {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 32)
	return n, err == nil
}

// parseBool reads what .NET, JavaScript, SQL and browsers' checkboxes write (wire.md 1.4, 2.1).
func parseBool(s string) (value, ok bool) {
	switch s = trimBlanks(s); {
	case s == "1" || equalFold(s, "true") || equalFold(s, "on"):
		return true, true
	case s == "0" || equalFold(s, "false") || equalFold(s, "off"):
		return false, true
	}
	return false, false
}

// equalFold compares with a lower-case ASCII word; strings.EqualFold would also fold Unicode's long s.
func equalFold(s, word string) bool {
	if len(s) != len(word) {
		return false
	}
	for i := range len(s) {
		if s[i]|0x20 != word[i] {
			return false
		}
	}
	return true
}

// trimBlanks removes the four blanks of the formats' grammars; strings.TrimSpace would also remove Unicode's.
func trimBlanks(s string) string {
	for s != "" && isBlank(s[0]) {
		s = s[1:]
	}
	for s != "" && isBlank(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// isBlank knows the four blanks that JSON, XML and indented JSV share.
func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// appendScalar writes a scalar's bare text; booleans in the two spellings of the formats. It reports null.
func appendScalar(b []byte, v reflect.Value, s *shape, yes, no string) (out []byte, null bool) {
	switch s.kind {
	case kindText:
		t := v.Addr().Interface().(*String)
		return append(b, t.Value...), !t.Valid && t.Value == ""
	case kindPlain:
		t := v.String()
		return append(b, t...), t == ""
	case kindInt:
		return strconv.AppendInt(b, v.Int(), 10), false
	case kindBool:
		if v.Bool() {
			return append(b, yes...), false
		}
		return append(b, no...), false
	default:
		return append(b, v.Addr().Interface().(*Decimal).String()...), false
	}
}

// textOf gives the text of a member that is a String or a string.
func textOf(v reflect.Value, s *shape) (text string, null bool) {
	if s.kind == kindText {
		t := v.Addr().Interface().(*String)
		return t.Value, !t.Valid && t.Value == ""
	}
	return v.String(), v.String() == ""
}

// isNull reports whether a member is null on the wire.
func isNull(v reflect.Value, s *shape) bool {
	switch s.kind {
	case kindText, kindPlain:
		_, null := textOf(v, s)
		return null
	case kindTexts, kindDict, kindMap, kindList:
		return v.IsNil()
	case kindObject:
		return s.pointer && v.IsNil()
	}
	return false
}
