package handlers

import (
	"bufio"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/backoffice"
	"github.com/portatill/portatill/internal/csvout"
	"github.com/portatill/portatill/internal/staff"
)

const (
	// exportAtOnce is how many rows of an export are held at a time.
	exportAtOnce = 500
	// exportPatience is how long a browser may take to receive so many; the server's own
	// limit is one for whole pages.
	exportPatience = time.Minute
)

// csvFile is a file of rows on its way to a browser.
type csvFile struct {
	c   echo.Context
	out *bufio.Writer
	csv *csvout.Writer
	rc  *http.ResponseController
}

// beginCSV begins the answer. From here on an error can only cut it off; so the first rows
// are read before. That somebody took rows away is in the audit log.
func (h *Handlers) beginCSV(c echo.Context, name, what string, header ...string) (*csvFile, error) {
	by := byOf(c)
	if err := h.Staff.Record(c.Request().Context(), &staff.Entry{Actor: by.Actor, Address: by.Address, TenantID: staffOf(c).TenantID,
		What: "export", Subject: name, After: what}); err != nil {
		return nil, err
	}
	head := c.Response().Header()
	head.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	head.Set("Content-Disposition", `attachment; filename="`+name+"-"+h.Pay.Now().UTC().Format("2006-01-02")+`.csv"`)
	c.Response().WriteHeader(http.StatusOK)
	f := &csvFile{c: c, out: bufio.NewWriterSize(c.Response(), 32<<10), rc: http.NewResponseController(c.Response())}
	f.csv = csvout.NewWriter(f.out, header...)
	return f, nil
}

// flush sends what was written, and gives the browser time for the next rows.
func (f *csvFile) flush() error {
	if err := errors.Join(f.csv.Err(), f.out.Flush()); err != nil {
		return err
	}
	// A recorder in a test has neither.
	_ = f.rc.SetWriteDeadline(time.Now().Add(exportPatience))
	_ = f.rc.Flush()
	return nil
}

// cutOff ends an answer that cannot be finished so that the browser sees that it is not whole.
func (h *Handlers) cutOff(c echo.Context, err error) {
	h.Log.WarnContext(c.Request().Context(), "an export was cut off", "error", err, requestIDKey, requestIDOf(c))
	panic(http.ErrAbortHandler)
}

// exportList sends all pages of a list as one file. A row without cells is left out.
func exportList[T any](h *Handlers, c echo.Context, q *listQuery, name string, header []string,
	read func(p backoffice.Paging) (backoffice.Page[T], error), id func(*T) string, cells func(*T) []csvout.Cell) error {
	if err := q.err(); err != nil {
		return err
	}
	paging := backoffice.Paging{Limit: exportAtOnce}
	page, err := read(paging)
	if err != nil {
		return err
	}
	file, err := h.beginCSV(c, name, q.values.Encode(), header...)
	if err != nil || c.Request().Method == http.MethodHead {
		return err
	}
	for {
		for _, row := range page.Rows {
			if row := cells(row); row != nil {
				_ = file.csv.Write(row...) // flush tells of it
			}
		}
		if err := file.flush(); err != nil {
			h.cutOff(c, err)
		}
		if !page.Older || len(page.Rows) == 0 {
			return nil
		}
		paging.After = id(page.Rows[len(page.Rows)-1])
		if page, err = read(paging); err != nil {
			h.cutOff(c, err)
		}
	}
}

// isoTime is a time in a file.
func isoTime(t time.Time) csvout.Cell {
	if t.IsZero() {
		return csvout.Text("")
	}
	return csvout.Text(t.UTC().Format(time.RFC3339))
}
