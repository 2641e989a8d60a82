package wire

// String is a text that may be null, for members where the wire tells null from "". Value is all that most callers
// want: it is "" in both cases. The zero String is null.
type String struct {
	Value string
	Valid bool // false: null, and Value is ""
}

// Str makes a String that is not null, also when s is empty.
func Str(s string) String { return String{Value: s, Valid: true} }

// NullIfEmpty makes a String that is null when s is empty, for values that mean nothing when empty.
func NullIfEmpty(s string) String { return String{Value: s, Valid: s != ""} }

// String gives the text, "" for null.
func (s String) String() string { return s.Value }

// IsEmpty reports whether there is no text: null or "".
func (s String) IsEmpty() bool { return s.Value == "" }
