// Package csvout writes CSV files that people open in a spreadsheet: RFC 4180 with CRLF,
// in UTF-8, and with no cell that is a formula. A spreadsheet runs what begins with =, +, -
// or @ whoever wrote it, and names, features and reasons are written by portals and
// customers; so a text that would be run gets an apostrophe in front of it
// (https://owasp.org/www-community/attacks/CSV_Injection). Amounts are cells of their own
// kind, because an apostrophe would turn a negative number into a text that no sum counts.
//
// The package knows nothing of what is exported: the command line and the staff's pages
// give it cells.
package csvout

import (
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Cell is one field of a row. It is made by Text, Number or Int.
type Cell struct{ text string }

// Text is a cell that somebody's text is in. What a spreadsheet would run gets a leading
// apostrophe; line breaks become LF, as encoding/csv reads them; control characters and
// bytes that are no UTF-8 become U+FFFD, so that a file that is shown on a terminal moves
// no cursor. All else comes back as it was.
func Text(s string) Cell {
	s = lineBreak.ReplaceAllString(strings.ToValidUTF8(s, "\ufffd"), "\n")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r' {
			return unicode.ReplacementChar
		}
		return r
	}, s)
	// An apostrophe that is the text's own gets one, too, where a reader would take it for ours.
	if formula(strings.TrimLeft(s, "'")) {
		s = "'" + s
	}
	return Cell{s}
}

// lineBreak is what readers of CSV take for one line break.
var lineBreak = regexp.MustCompile("\r+\n")

// Number is a cell with a decimal number, such as -12.50, or with nothing. What is no
// number is written as a Text: a number's cell is never a way around it.
func Number(s string) Cell {
	if s != "" && !number.MatchString(s) {
		return Text(s)
	}
	return Cell{s}
}

var number = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// Int is a cell with a whole number.
func Int(n int64) Cell { return Cell{strconv.FormatInt(n, 10)} }

// Count is Int, but an empty cell for 0: an id that is not there.
func Count(n int64) Cell {
	if n == 0 {
		return Cell{}
	}
	return Int(n)
}

// String is what is in the cell.
func (c Cell) String() string { return c.text }

// formula reports whether a spreadsheet may run a text. The characters are OWASP's, with
// the full-width forms that some of them take for the same; a tab or a carriage return at
// the beginning is itself one of them. Blanks and invisible characters before them are
// looked through, because some programs drop those.
func formula(s string) bool {
	if r, _ := utf8.DecodeRuneInString(s); r == '\t' || r == '\r' || r == '\n' {
		return true
	}
	s = strings.TrimLeftFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) })
	r, _ := utf8.DecodeRuneInString(s)
	return strings.ContainsRune("=+-@＝＋－＠−", r) && s != ""
}

// Writer writes rows. It keeps its first error and writes nothing after it.
type Writer struct {
	w   io.Writer
	row []byte
	err error
}

// NewWriter writes a header, and rows after it, to w. It buffers a row at a time: give it a
// bufio.Writer where that matters.
func NewWriter(w io.Writer, header ...string) *Writer {
	out := &Writer{w: w}
	cells := make([]Cell, len(header))
	for i, name := range header {
		cells[i] = Text(name)
	}
	_ = out.Write(cells...) // it is kept
	return out
}

// Write writes one row.
func (w *Writer) Write(cells ...Cell) error {
	if w.err != nil {
		return w.err
	}
	w.row = w.row[:0]
	for i, c := range cells {
		if i > 0 {
			w.row = append(w.row, ',')
		}
		w.row = appendField(w.row, c.text)
	}
	if len(cells) == 1 && cells[0].text == "" { // a blank line would be no row
		w.row = append(w.row, `""`...)
	}
	w.row = append(w.row, '\r', '\n')
	_, w.err = w.w.Write(w.row)
	return w.err
}

// Err is the first error of a write.
func (w *Writer) Err() error { return w.err }

// appendField quotes all but plain words and numbers: a spreadsheet that takes the
// semicolon or the tab for the separator must not find one outside of quotes either.
func appendField(row []byte, s string) []byte {
	if plain.MatchString(s) {
		return append(row, s...)
	}
	row = append(row, '"')
	row = append(row, strings.ReplaceAll(s, `"`, `""`)...)
	return append(row, '"')
}

var plain = regexp.MustCompile(`^[-\pL\pN_.:/…]*( [-\pL\pN_.:/…]+)*$`)
