package handlers

import (
	"bufio"
	"encoding/json"
	"mime"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/csvout"
	"github.com/portatill/portatill/static"
)

func staticURL(name string) string { return static.URL(name) }

// sheet is a download that is written while its rows are read.
type sheet struct {
	c     echo.Context
	out   *bufio.Writer
	to    *http.ResponseController
	until time.Time
}

// The server ends an answer that takes a minute; a download may take as long as it moves.
const sheetPatience = 50 * time.Second

// openSheet begins a download. From here on an error can no longer be told in words: end
// breaks the connection, so that nobody takes half a file for the whole.
func openSheet(c echo.Context, name, contentType string) *sheet {
	head := c.Response().Header()
	head.Set(echo.HeaderContentType, contentType)
	head.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	c.Response().WriteHeader(http.StatusOK)
	s := &sheet{c: c, out: bufio.NewWriterSize(c.Response(), 64<<10), to: http.NewResponseController(c.Response().Writer)}
	s.patience()
	return s
}

// patience gives the reader another while, for each part that was written.
func (s *sheet) patience() {
	if now := time.Now(); now.After(s.until) {
		s.until = now.Add(sheetPatience / 5)
		_ = s.to.SetWriteDeadline(now.Add(sheetPatience)) // where it cannot be set, the server's own holds
	}
}

// csv is a writer of rows.
func (s *sheet) csv(header []string) func(cells []csvout.Cell) error {
	w := csvout.NewWriter(s.out, header...)
	return func(cells []csvout.Cell) error {
		s.patience()
		return w.Write(cells...)
	}
}

// end finishes the download, or breaks it off.
func (h *Handlers) end(s *sheet, err error) error {
	if err == nil {
		err = s.out.Flush()
	}
	if err != nil {
		h.Log.ErrorContext(s.c.Request().Context(), "a download broke off", "route", s.c.Path(), "error", err, requestIDKey, requestIDOf(s.c))
		panic(http.ErrAbortHandler)
	}
	return nil
}

const csvType, jsonType = "text/csv; charset=utf-8", "application/json"

// jsonFile answers with a value as a file.
func jsonFile(c echo.Context, name string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	c.Response().Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	return c.Blob(http.StatusOK, jsonType, append(text, '\n'))
}

// clock is a time in a file.
func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
