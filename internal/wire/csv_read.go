package wire

import (
	"reflect"
	"strings"
)

// maxCSVColumns bounds the header, hence what a row costs at most; the request has 15 (safety CV-03).
const maxCSVColumns = 1000

// csvReader reads RFC 4180 with a header line, one DTO to a record; members that are no scalars hold JSV (wire.md 2.4).
type csvReader struct {
	text    string
	pos     int
	columns []int16   // for each column the index of the member, -1 for an unknown name
	cells   []csvCell // of the record, without those of unknown columns
	budget  *budget
}

type csvCell struct {
	text   string
	member int16
	quoted bool
}

func newCSVReader(text string, s *shape) (*csvReader, *Error) {
	r := &csvReader{text: text, budget: newBudget(len(text))}
	return r, r.header(s)
}

// The original keeps the first of several rows and says nothing: a portal would believe that all of them were charged.
func readCSV(text string, v reflect.Value, s *shape) *Error {
	r, err := newCSVReader(text, s)
	if err != nil {
		return err
	}
	more, err := r.record()
	if err != nil {
		return err
	}
	if !more {
		return malformed("The CSV has a header but no row; send one row after it.")
	}
	if err := r.bind(v, s); err != nil {
		return err
	}
	more, err = r.record()
	if err == nil && more {
		err = malformed("The CSV has more than one row; send one, or several to the batch address ending in [].")
	}
	return err
}

func readCSVBatch(text string, list reflect.Value, s *shape) *Error {
	r, err := newCSVReader(text, s.elem)
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		more, err := r.record()
		if err != nil {
			return err.at(i)
		}
		if !more {
			return nil
		}
		element, err := r.budget.extend(list, s.size)
		if err != nil {
			return err
		}
		if err := r.bind(element, s.elem); err != nil {
			return err.at(i)
		}
	}
}

// header reads the first record that is not blank. Names match in any case but otherwise exactly; those we do not know
// are passed over like unknown members elsewhere, but a header without any known name is not our CSV.
func (r *csvReader) header(s *shape) *Error {
	r.skipBlankLines()
	var seen uint64
	for more := r.pos < len(r.text); more; {
		if len(r.columns) == maxCSVColumns {
			return malformed("The CSV has more than ", itoa(maxCSVColumns), " columns; leave out those that are no member of the request.")
		}
		cell, err := r.cell()
		if err != nil {
			return err
		}
		i := s.find(cell.text, len(r.columns))
		if i >= 0 {
			if seen&(1<<i) != 0 {
				return duplicate().in(s.fields[i].name)
			}
			seen |= 1 << i
		}
		r.columns = append(r.columns, int16(i))
		more = r.nextCell()
	}
	if seen == 0 {
		return malformed("The first line of the CSV names no known column; it must be a header such as License,ContentId.")
	}
	return nil
}

// A lone CR does not end a line (RFC 4180 knows CRLF; we add LF), so it is not blank either.
func (r *csvReader) skipBlankLines() {
	for {
		switch rest := r.text[r.pos:]; {
		case strings.HasPrefix(rest, "\n"):
			r.pos++
		case strings.HasPrefix(rest, "\r\n"):
			r.pos += 2
		default:
			return
		}
	}
}

// record reads the next record into cells; more is false at the end of the text. When it has more cells than the
// header, it is split once more with brackets in mind, as hand-written JSV without quotes needs it.
func (r *csvReader) record() (more bool, err *Error) {
	r.skipBlankLines()
	if r.pos == len(r.text) {
		return false, nil
	}
	start := r.pos
	fits, err := r.split(r.cell)
	if err == nil && !fits {
		r.pos = start
		fits, err = r.split(r.bracketedCell)
		if err != nil || !fits {
			return false, malformed("A row of the CSV has more cells than the header; quote cells that hold a comma.")
		}
	}
	return err == nil, err
}

func (r *csvReader) split(cell func() (csvCell, *Error)) (fits bool, err *Error) {
	r.cells = r.cells[:0]
	for column := 0; ; column++ {
		c, err := cell()
		if err != nil {
			return false, err
		}
		if column == len(r.columns) {
			return false, nil
		}
		if c.member = r.columns[column]; c.member >= 0 {
			r.cells = append(r.cells, c)
		}
		if !r.nextCell() {
			return true, nil
		}
	}
}

// nextCell passes over what ends a cell and reports whether that was a comma.
func (r *csvReader) nextCell() bool {
	if r.pos == len(r.text) {
		return false
	}
	c := r.text[r.pos]
	r.pos++
	if c == '\r' {
		r.pos++
	}
	return c == ','
}

// cell reads one cell and stops at the comma or line end after it.
func (r *csvReader) cell() (csvCell, *Error) {
	start := r.pos
	if start < len(r.text) && r.text[start] == '"' {
		return r.quotedCell()
	}
	for r.pos < len(r.text) && r.text[r.pos] != ',' && r.text[r.pos] != '\n' {
		r.pos++
	}
	if r.pos < len(r.text) && r.text[r.pos] == '\n' && r.pos > start && r.text[r.pos-1] == '\r' {
		r.pos--
	}
	return csvCell{text: r.text[start:r.pos]}, nil
}

// CSV and JSV quote alike, so the scanner is shared. Text after the closing quote would be a guess and is refused.
func (r *csvReader) quotedCell() (csvCell, *Error) {
	start := r.pos
	j := jsvReader{text: r.text, pos: r.pos}
	text, err := j.quoted()
	r.pos = j.pos
	if err != nil {
		return csvCell{}, malformed("The CSV is cut off: the quote opened at byte ", itoa(start), " is never closed.")
	}
	return csvCell{text: text, quoted: true}, r.expectCellEnd()
}

// A cell that begins with a bracket runs to its balanced end, the way ServiceStack 4 splits every row.
func (r *csvReader) bracketedCell() (csvCell, *Error) {
	start := r.pos
	if start == len(r.text) || r.text[start] != '{' && r.text[start] != '[' {
		return r.cell()
	}
	j := newJSVReader(r.text, r.budget)
	j.pos, j.pretty = start, false
	if err := j.balanced(); err != nil {
		return csvCell{}, err
	}
	r.pos = j.pos
	return csvCell{text: r.text[start:r.pos]}, r.expectCellEnd()
}

func (r *csvReader) expectCellEnd() *Error {
	rest := r.text[r.pos:]
	if rest == "" || rest[0] == ',' || rest[0] == '\n' || strings.HasPrefix(rest, "\r\n") {
		return nil
	}
	return malformed("The CSV is malformed at byte ", itoa(r.pos), ": text after a closing quote or bracket.")
}

// bind gives the members of a struct the cells of the record.
func (r *csvReader) bind(v reflect.Value, s *shape) *Error {
	for _, cell := range r.cells {
		if cell.text == "" && !cell.quoted {
			continue
		}
		f := &s.fields[cell.member]
		if err := r.bindCell(v.Field(f.index), f.shape, cell); err != nil {
			return err.in(f.name)
		}
	}
	return nil
}

// A quoted empty cell is "" for a text and no number; an unquoted one is null and never comes here.
func (r *csvReader) bindCell(v reflect.Value, s *shape, cell csvCell) *Error {
	if s.isScalar() {
		return setScalar(v, s, cell.text)
	}
	return readJSVValue(cell.text, v, s, r.budget)
}
