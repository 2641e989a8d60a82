package wire

import "strings"

// CodeSerialization is the ErrorCode of every body that cannot be read; ServiceStack answers it with status 400.
const CodeSerialization = "SerializationException"

// Error says why a body was refused. Its texts may be shown to the caller: they name the field and what is expected
// there, and never repeat what was sent, since that may be a licence key, a password or a card.
type Error struct {
	ErrorCode string
	// FieldName is the path of the faulty member, such as ShoppingInformation[0].Quantity; empty when the fault is in
	// the body as a whole.
	FieldName string
	Message   string
	// Fields lists every faulty field when a form had more than one; the first of them is FieldName.
	Fields []ResponseError

	aboutField bool // Message is a predicate that wants the field's name in front
}

func (e *Error) Error() string { return e.ErrorCode + ": " + e.Message }

// Status is the ResponseStatus to answer with. As with ServiceStack's binding errors, Errors is absent (not empty)
// when no field is known.
func (e *Error) Status() ResponseStatus {
	s := ResponseStatus{ErrorCode: e.ErrorCode, Message: e.Message}
	switch {
	case len(e.Fields) > 0:
		s.Errors = e.Fields
	case e.FieldName != "":
		s.Errors = []ResponseError{{ErrorCode: e.ErrorCode, FieldName: e.FieldName, Message: e.Message}}
	}
	return s
}

// in prefixes the path with the member that holds it, on the way out of the readers.
func (e *Error) in(member string) *Error {
	switch {
	case e.FieldName == "":
		e.FieldName = member
	case e.FieldName[0] == '[':
		e.FieldName = member + e.FieldName
	default:
		e.FieldName = member + "." + e.FieldName
	}
	return e
}

func (e *Error) at(index int) *Error { return e.in("[" + itoa(index) + "]") }

// finish makes the message a sentence once the whole path is known.
func (e *Error) finish() *Error {
	if e.aboutField {
		name := e.FieldName
		if name == "" {
			name = "The value"
		}
		e.Message = name + " " + e.Message + "."
		e.aboutField = false
	}
	return e
}

// wrong is a fault of one field; what continues a sentence that begins with the field's name.
func wrong(what string) *Error {
	return &Error{ErrorCode: CodeSerialization, Message: what, aboutField: true}
}

// malformed is a fault of the text itself.
func malformed(parts ...string) *Error {
	return &Error{ErrorCode: CodeSerialization, Message: strings.Join(parts, "")}
}

func duplicate() *Error {
	return wrong("is given more than once; send it once")
}
