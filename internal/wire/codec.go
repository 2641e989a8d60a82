package wire

import "reflect"

// Decode reads a body of one DTO into dst, a pointer to a zero struct. An empty body is an empty DTO; whether that is
// enough is for the caller to say. The returned error is an *Error. Strings of the result share memory with a copy of
// the body.
func Decode(format Format, body []byte, dst any) error {
	v, s := target(dst)
	if len(body) == 0 {
		return nil
	}
	text, err := bodyText(body)
	if err == nil {
		err = decode(format, text, v, s)
	}
	return asError(err)
}

// decode is Decode within the package, where a nil *Error is still comparable to nil.
func decode(format Format, text string, v reflect.Value, s *shape) *Error {
	switch format {
	case JSON:
		return readJSON(text, v, s)
	case JSV:
		return readJSV(text, v, s)
	case CSV:
		return readCSV(text, v, s)
	case XML:
		return readXML(text, v, s)
	case Form:
		fields, err := parseURLEncoded(text)
		if err != nil {
			return err
		}
		return bindForm(fields, v, s)
	}
	return malformed("The format of the body is not known.")
}

// DecodeBatch reads a body of several DTOs into dst, a pointer to a nil slice of structs. One DTO that is not in a
// list counts as a list of one. The returned error is an *Error whose path begins with the index of the DTO.
func DecodeBatch(format Format, body []byte, dst any) error {
	v := reflect.ValueOf(dst).Elem()
	s := shapeOf(v.Type())
	v.Set(reflect.MakeSlice(s.typ, 0, 0))
	if len(body) == 0 {
		return nil
	}
	text, err := bodyText(body)
	if err == nil {
		err = decodeBatch(format, text, v, s)
	}
	return asError(err)
}

func decodeBatch(format Format, text string, v reflect.Value, s *shape) *Error {
	switch format {
	case JSON:
		return readJSONBatch(text, v, s)
	case JSV:
		return readJSVBatch(text, v, s)
	case CSV:
		return readCSVBatch(text, v, s)
	case XML:
		return readXMLBatch(text, v, s)
	}
	one := reflect.New(s.elem.typ).Elem()
	if err := decode(format, text, one, s.elem); err != nil {
		return err
	}
	v.Set(reflect.Append(v, one))
	return nil
}

// Encode writes a DTO, or a slice of DTOs as a batch, in the given format. It cannot fail: what DTOs may hold, every
// format can write. v may be a value or a pointer; a type that is no DTO is a programming error and panics.
func Encode(format Format, v any) []byte {
	value, s := source(v)
	switch format {
	case JSON:
		w := jsonWriter{b: make([]byte, 0, 1024)}
		w.value(value, s)
		return w.b
	case JSV:
		return appendJSV(make([]byte, 0, 1024), value, s)
	case CSV:
		return writeCSV(value, s)
	case XML:
		return writeXML(value, s)
	case Form:
		return writeForm(value, s)
	}
	panic("wire: Encode without a format")
}

// target gives the struct that dst points to.
func target(dst any) (reflect.Value, *shape) {
	v := reflect.ValueOf(dst).Elem()
	return v, shapeOf(v.Type())
}

// source gives an addressable value of what is to be written.
func source(v any) (reflect.Value, *shape) {
	value := reflect.ValueOf(v)
	if value.Kind() == reflect.Pointer {
		value = value.Elem()
	} else {
		copied := reflect.New(value.Type()).Elem()
		copied.Set(value)
		value = copied
	}
	return value, shapeOf(value.Type())
}

// asError keeps a nil *Error from becoming an error that is not nil.
func asError(err *Error) error {
	if err == nil {
		return nil
	}
	return err.finish()
}
