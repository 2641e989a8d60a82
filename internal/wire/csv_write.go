package wire

import (
	"bytes"
	"reflect"
)

// writeCSV writes a DTO, or a slice of them, below a header that names every member. null and "" are both written as
// nothing; that loss is the format's (wire.md 2.4).
func writeCSV(v reflect.Value, s *shape) []byte {
	row := s
	if s.kind == kindList {
		row = s.elem
	}
	b := make([]byte, 0, 1024)
	for i := range row.fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, row.fields[i].name...)
	}
	b = append(b, '\r', '\n')
	if s.kind != kindList {
		return appendCSVRow(b, v, s)
	}
	for i := range v.Len() {
		b = appendCSVRow(b, v.Index(i), row)
	}
	return b
}

// Only RFC 4180's characters are quoted. Cells such as =1+1 stay as they are: this is a protocol, read by machines; the
// exports that people open in a spreadsheet are written elsewhere.
func appendCSVRow(b []byte, v reflect.Value, s *shape) []byte {
	var scratch []byte
	for i := range s.fields {
		if i > 0 {
			b = append(b, ',')
		}
		f := &s.fields[i]
		member := v.Field(f.index)
		if f.shape.isScalar() {
			scratch, _ = appendScalar(scratch[:0], member, f.shape, "True", "False")
		} else if isNull(member, f.shape) {
			continue
		} else {
			scratch = appendJSV(scratch[:0], member, f.shape)
		}
		if bytes.ContainsAny(scratch, "\",\r\n") {
			b = appendQuoted(b, string(scratch))
		} else {
			b = append(b, scratch...)
		}
	}
	return append(b, '\r', '\n')
}
