package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/portatill/portatill/internal/csvout"
	"github.com/portatill/portatill/internal/sheets"
)

// exportRow is one row: its fields are the JSON's and its cells the CSV's, in the order of
// the header.
type exportRow interface{ Cells() []csvout.Cell }

// exportEnd is what is said after the last row.
type exportEnd struct {
	summary any      // for JSON
	notes   []string // for a person, on standard error, so that the CSV stays a CSV
}

// checkError says that an export was written whole and is wrong. It is shown where it goes
// to standard output, and no file of it is left.
type checkError struct{ text string }

func (e *checkError) Error() string { return e.text }

// The rows and their columns are those of internal/sheets.
type (
	journalRow   = sheets.JournalRow
	statementRow = sheets.StatementRow
	vatRow       = sheets.VATRow
)

var journalHeader, statementHeader, vatHeader = sheets.JournalHeader, sheets.StatementHeader, sheets.VATHeader

// write runs an export to standard output or to a file.
func (a *app) write(f *exportFlags, header []string, work func(emit func(exportRow) error) (exportEnd, error)) error {
	if f.out == "" {
		end, err := writeExport(a.out, f.asJSON, header, work)
		a.notes(f, end, err)
		return err
	}
	file, err := createFile(f.out, f.force)
	if err != nil {
		return err
	}
	defer file.discard()
	end, err := writeExport(file.File, f.asJSON, header, work)
	if wrong, ok := errors.AsType[*checkError](err); ok {
		return fmt.Errorf("%w; %s was not written", wrong, f.out)
	}
	if err == nil {
		err = file.keep()
	}
	a.notes(f, end, err)
	return err
}

func (a *app) notes(f *exportFlags, end exportEnd, err error) {
	if err != nil || f.asJSON {
		return
	}
	for _, note := range end.notes {
		line(a.errOut, "%s", note)
	}
}

// writeExport writes row by row; no more than one is held, but for the buffer.
func writeExport(w io.Writer, asJSON bool, header []string, work func(emit func(exportRow) error) (exportEnd, error)) (exportEnd, error) {
	out := bufio.NewWriterSize(w, 64<<10)
	if !asJSON {
		sheet, rows := csvout.NewWriter(out, header...), 0
		end, err := work(func(r exportRow) error { rows++; return sheet.Write(r.Cells()...) })
		if _, wrong := errors.AsType[*checkError](err); err != nil && !wrong && rows == 0 {
			return end, err // nothing to put a header over
		}
		return end, errors.Join(err, sheet.Err(), out.Flush())
	}
	encode := func(v any) error {
		text, err := json.Marshal(v)
		if err == nil {
			_, err = out.Write(text)
		}
		return err
	}
	before := "{\"lines\": ["
	end, err := work(func(r exportRow) error {
		_, failed := out.WriteString(before + "\n  ")
		before = ","
		return errors.Join(failed, encode(r))
	})
	if _, wrong := errors.AsType[*checkError](err); err != nil && !wrong {
		return end, errors.Join(err, out.Flush())
	}
	if before != "," { // no row
		_, failed := out.WriteString(before)
		err = errors.Join(err, failed)
	}
	_, failed := out.WriteString("],\n \"summary\": ")
	err = errors.Join(err, failed, encode(end.summary))
	_, failed = out.WriteString("}\n")
	return end, errors.Join(err, failed, out.Flush())
}

// outFile is a file that gets its name when it is whole.
type outFile struct {
	*os.File
	path  string
	force bool
}

// createFile makes the file, with the mode 0600, beside where it will be: a rename moves
// nothing from one file system to another.
func createFile(path string, force bool) (*outFile, error) {
	if info, err := os.Lstat(path); err == nil {
		switch {
		case info.IsDir():
			return nil, fmt.Errorf("--out: %s is a directory; give a file's name", path)
		case !force:
			return nil, fmt.Errorf("--out: %s is there already; --force replaces it", path)
		}
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".portatill-export-*")
	if err != nil {
		return nil, notWritten(path, err)
	}
	return &outFile{file, path, force}, nil
}

// keep gives the file its name, once its bytes are on the disk.
func (o *outFile) keep() error {
	if err := errors.Join(o.Sync(), o.Close()); err != nil {
		return notWritten(o.path, err)
	}
	if !o.force {
		// A link fails when somebody made the file meanwhile; a rename would replace it. Where
		// there are no links, the look before is all there is.
		err := os.Link(o.Name(), o.path)
		switch {
		case err == nil:
			return nil // discard removes the other name
		case errors.Is(err, fs.ErrExist):
			return fmt.Errorf("--out: %s is there already; --force replaces it", o.path)
		}
	}
	if err := os.Rename(o.Name(), o.path); err != nil {
		return notWritten(o.path, err)
	}
	return nil
}

// notWritten names the file that was asked for, not the one that stands for it meanwhile.
func notWritten(path string, err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	} else if e, ok := errors.AsType[*os.LinkError](err); ok {
		err = e.Err
	}
	return fmt.Errorf("--out: %s cannot be written: %w", path, err)
}

// discard removes what has no name of its own.
func (o *outFile) discard() {
	_ = o.Close()
	_ = os.Remove(o.Name())
}
