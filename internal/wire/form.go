package wire

import (
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"reflect"
	"strings"
	"unicode/utf8"
)

// maxFormFields bounds the fields of a form or query string; the request has 15.
const maxFormFields = 1000

// FormField is a field of a form or query string, decoded, in the order in which it was sent.
type FormField struct {
	Name, Value string
}

// FormFields reads the fields of a form's body, which contentType tells to be url-encoded or multipart. Files are
// refused. The returned error is an *Error.
func FormFields(contentType string, body []byte) ([]FormField, error) {
	mediaType, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || mediaType != "multipart/form-data" {
		return QueryFields(string(body))
	}
	fields, fault := parseMultipart(parameters["boundary"], body)
	return fields, asError(fault)
}

// QueryFields reads the fields of a query string, which are written like those of a form. The returned error is an
// *Error.
func QueryFields(query string) ([]FormField, error) {
	text, fault := bodyText([]byte(query))
	if fault != nil {
		return nil, asError(fault)
	}
	fields, fault := parseURLEncoded(text)
	return fields, asError(fault)
}

// BindForm sets the members of dst, a pointer to a struct, that the fields name; the others keep what they have, so
// that a query string and a form can be bound one after the other. Names match in any case, unknown ones are passed
// over, an empty value leaves its member alone. A string member takes its text literally, any other is read as JSV.
// The returned error is an *Error that lists every faulty field.
func BindForm(fields []FormField, dst any) error {
	v, s := target(dst)
	return asError(bindForm(fields, v, s))
}

// net/url.ParseQuery would do, but it loses the order of the fields, which a signed form may need, and has no limit.
func parseURLEncoded(text string) ([]FormField, *Error) {
	var fields []FormField
	for text != "" {
		var pair string
		pair, text, _ = strings.Cut(text, "&")
		if pair == "" {
			continue
		}
		if len(fields) == maxFormFields {
			return nil, tooManyFields()
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err == nil {
			value, err = url.QueryUnescape(value)
		}
		if err != nil {
			return nil, malformed("The form is malformed: a percent sign must be followed by two hexadecimal digits.")
		}
		fields = append(fields, FormField{Name: name, Value: value})
	}
	return fields, checkFormTexts(fields)
}

// The parts are read raw: a Content-Transfer-Encoding would be a second spelling of the same value. Nothing is ever
// written to a temporary file.
func parseMultipart(boundary string, body []byte) ([]FormField, *Error) {
	text, fault := bodyText(body)
	if fault != nil {
		return nil, fault
	}
	if boundary == "" {
		return nil, malformed("The multipart form has no boundary in its Content-Type.")
	}
	var fields []FormField
	reader := multipart.NewReader(strings.NewReader(text), boundary)
	for {
		part, err := reader.NextRawPart()
		if err == io.EOF {
			return fields, checkFormTexts(fields)
		}
		if err != nil {
			return nil, malformed("The multipart form is malformed or cut off.")
		}
		if len(fields) == maxFormFields {
			return nil, tooManyFields()
		}
		if part.FormName() == "" || part.FileName() != "" {
			return nil, malformed("The multipart form may hold named fields only, no files.")
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil, malformed("The multipart form is cut off.")
		}
		fields = append(fields, FormField{Name: part.FormName(), Value: string(value)})
	}
}

// The limit stands for memory: a field of two bytes costs thirty when it is taken apart.
func tooManyFields() *Error {
	return malformed("The form has more than ", itoa(maxFormFields), " fields.")
}

// checkFormTexts repeats the checks of bodyText, because percent escapes can spell what the body does not hold.
func checkFormTexts(fields []FormField) *Error {
	for i := range fields {
		for _, text := range [...]string{fields[i].Name, fields[i].Value} {
			if !utf8.ValidString(text) {
				return malformed("A field of the form is not valid UTF-8; send it as UTF-8.")
			}
			if strings.IndexByte(text, 0) >= 0 {
				return malformed("A field of the form holds a NUL character; leave it out.")
			}
		}
	}
	return nil
}

func bindForm(fields []FormField, v reflect.Value, s *shape) *Error {
	values := make([][]string, len(s.fields))
	size := 0
	for _, field := range fields {
		if i := s.find(field.Name, maxFields); i >= 0 {
			values[i] = append(values[i], field.Value)
			size += len(field.Value)
		}
	}
	b := newBudget(size)
	var faults []*Error
	for i := range s.fields {
		f := &s.fields[i]
		if err := bindFormValues(v.Field(f.index), f, values[i], b); err != nil {
			faults = append(faults, err.in(f.name).finish())
		}
	}
	if len(faults) == 0 {
		return nil
	}
	// ServiceStack 4.x answers a form with one entry for every faulty field (wire.md 1.4).
	first := faults[0]
	for _, fault := range faults {
		first.Fields = append(first.Fields, ResponseError{
			ErrorCode: fault.ErrorCode, FieldName: fault.FieldName, Message: fault.Message,
		})
	}
	return first
}

// bindFormValues gives a member what the form has for it. A repeated text is joined with commas as the original does;
// anything that decides about money may stand there once only.
func bindFormValues(v reflect.Value, f *field, values []string, b *budget) *Error {
	if len(values) > 1 && (f.once || f.shape.kind > kindPlain) {
		return duplicate()
	}
	text := strings.Join(values, ",")
	if text == "" {
		return nil
	}
	if f.shape.isScalar() {
		return setScalar(v, f.shape, text)
	}
	v.SetZero()
	return readJSVValue(text, v, f.shape, b)
}

// writeForm writes a DTO as url-encoded fields, leaving out what is null or empty.
func writeForm(v reflect.Value, s *shape) []byte {
	var b, scratch []byte
	for i := range s.fields {
		f := &s.fields[i]
		member := v.Field(f.index)
		if isNull(member, f.shape) {
			continue
		}
		if f.shape.isScalar() {
			scratch, _ = appendScalar(scratch[:0], member, f.shape, "true", "false")
		} else {
			scratch = appendJSV(scratch[:0], member, f.shape)
		}
		if len(scratch) == 0 {
			continue
		}
		if len(b) > 0 {
			b = append(b, '&')
		}
		b = append(append(b, f.name...), '=')
		b = append(b, url.QueryEscape(string(scratch))...)
	}
	return b
}
