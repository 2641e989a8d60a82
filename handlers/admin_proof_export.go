package handlers

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/sheets"
	"github.com/portatill/portatill/pay"
)

// exportBooks is a download of one tenant's books: journal, VAT summary or a statement,
// the same rows as `portatill export`.
func (h *Handlers) exportBooks(c echo.Context) error {
	scope, err := h.bookScope(c)
	if err != nil {
		return err
	}
	if len(scope.may) == 0 {
		return echo.ErrNotFound
	}
	t := scope.may[0]
	if slug := storable(c.QueryParam("of")); slug != "" {
		t = nil
		for _, x := range scope.may {
			if x.Slug == slug {
				t = x
			}
		}
		if t == nil {
			return echo.ErrNotFound
		}
	} else if len(scope.may) > 1 {
		return pay.Errorf(pay.CodeBadRequest, "", "Whose books? Go back and choose a tenant.")
	}
	from, errFrom := time.Parse(time.DateOnly, c.QueryParam("first"))
	until, errUntil := time.Parse(time.DateOnly, c.QueryParam("last"))
	if errFrom != nil || errUntil != nil || until.Before(from) || from.Year() < 2000 || until.Year() > 2100 {
		return pay.Errorf(pay.CodeBadRequest, "", "Those are no days, or the last is before the first. Go back and choose both, such as %s.", h.Pay.Now().UTC().Format(time.DateOnly))
	}
	e := &export{h: h, c: c, t: t, span: pay.Days(t.ID, from, until), days: from.Format(time.DateOnly) + "-" + until.Format(time.DateOnly)}
	switch c.QueryParam("what") {
	case "journal":
		return e.journal()
	case "vat":
		return e.vat()
	case "statement":
		return e.statement()
	}
	return pay.Errorf(pay.CodeBadRequest, "", "What is to be exported? Go back and choose journal, VAT summary or statement.")
}

// export is one download of the books.
type export struct {
	h    *Handlers
	c    echo.Context
	t    *pay.Tenant
	span pay.ExportSpan
	days string
}

// name is the file's.
func (e *export) name(what string) string { return e.t.Slug + "-" + what + "-" + e.days + ".csv" }

func (e *export) ctx() context.Context { return e.c.Request().Context() }

func (e *export) journal() error {
	if e.c.Request().Method == http.MethodHead {
		return e.c.NoContent(http.StatusOK)
	}
	s := openSheet(e.c, e.name("journal"), csvType)
	row := s.csv(sheets.JournalHeader)
	_, err := e.h.Pay.Journal(e.ctx(), e.span, func(l *pay.JournalLine) error { return row(sheets.Journal(e.t.Slug, l).Cells()) })
	return e.h.end(s, err)
}

func (e *export) vat() error {
	rows, err := e.h.Pay.VATSummary(e.ctx(), e.span)
	if err != nil {
		return err
	}
	s := openSheet(e.c, e.name("vat"), csvType)
	row := s.csv(sheets.VATHeader)
	for _, r := range rows {
		if err = row(sheets.VATRow{Tenant: e.t.Slug, From: e.span.From.Format(time.DateOnly), Until: e.span.Until.AddDate(0, 0, -1).Format(time.DateOnly), VATRow: r}.Cells()); err != nil {
			break
		}
	}
	return e.h.end(s, err)
}

func (e *export) statement() error {
	number, err := strconv.ParseInt(e.c.QueryParam("customer"), 10, 64)
	if err != nil || number <= 0 {
		return pay.Errorf(pay.CodeBadRequest, "", "Whose statement? Go back and give the customer's number (ICustomer).")
	}
	customer, err := e.h.Pay.Store.CustomerByICustomer(e.ctx(), e.t.ID, number)
	if err != nil {
		return err
	}
	currencies, err := e.h.Pay.Store.CustomerCurrencies(e.ctx(), e.t.ID, customer.ID)
	if err != nil {
		return err
	}
	if len(currencies) == 0 {
		currencies = []pay.Currency{e.t.DefaultCurrency}
	}
	s := openSheet(e.c, e.name("statement-"+strconv.FormatInt(number, 10)), csvType)
	write := s.csv(sheets.StatementHeader)
	for _, currency := range currencies {
		row := sheets.StatementRow{Tenant: e.t.Slug, ICustomer: customer.ICustomer, Name: customer.Name, Currency: string(currency)}
		var st *pay.Statement
		st, err = e.h.Pay.Statement(e.ctx(), pay.StatementQuery{ExportSpan: e.span, CustomerID: customer.ID, Currency: currency},
			func(opening pay.Money) error { return write(row.Edge("opening_balance", e.span.From, opening).Cells()) },
			func(l *pay.StatementLine) error { return write(row.Of(l).Cells()) })
		if err == nil {
			err = write(row.Edge("closing_balance", e.span.Until.Add(-time.Second), st.Closing).Cells())
		}
		if err != nil {
			break
		}
	}
	return e.h.end(s, err)
}
