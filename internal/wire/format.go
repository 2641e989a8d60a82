package wire

import "strings"

// Format is a way to write a DTO down.
type Format uint8

// The formats of the protocol. Form is application/x-www-form-urlencoded; multipart bodies are read with FormFields.
const (
	JSON Format = iota + 1
	JSV
	CSV
	XML
	Form
)

var formatNames = [...]string{JSON: "json", JSV: "jsv", CSV: "csv", XML: "xml", Form: "form"}

// String is the name used in paths and suffixes: json, jsv, csv, xml; form for forms.
func (f Format) String() string {
	if int(f) < len(formatNames) {
		return formatNames[f]
	}
	return ""
}

// ParseFormat finds a format by its name in any case.
func ParseFormat(name string) (Format, bool) {
	for f := JSON; f <= Form; f++ {
		if strings.EqualFold(name, formatNames[f]) {
			return f, true
		}
	}
	return 0, false
}

// ContentType is the type that answers in this format carry; only JSON names its charset, as the original does
// (wire.md 1.3). All are UTF-8.
func (f Format) ContentType() string {
	switch f {
	case JSON:
		return "application/json; charset=utf-8"
	case JSV:
		return "application/jsv"
	case CSV:
		return "text/csv"
	case XML:
		return "application/xml"
	case Form:
		return "application/x-www-form-urlencoded"
	}
	return ""
}

// FormatOfContentType finds the format of a body by its Content-Type, whose parameters and case do not matter. Both
// kinds of form are Form.
func FormatOfContentType(contentType string) (Format, bool) {
	mediaType, _, _ := strings.Cut(contentType, ";")
	switch strings.ToLower(strings.TrimSpace(mediaType)) {
	case "application/json", "text/json":
		return JSON, true
	case "application/jsv", "text/jsv":
		return JSV, true
	case "application/xml", "text/xml":
		return XML, true
	case "text/csv":
		return CSV, true
	case "application/x-www-form-urlencoded", "multipart/form-data":
		return Form, true
	}
	return 0, false
}
