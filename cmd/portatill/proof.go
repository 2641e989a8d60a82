package main

import (
	"context"
	"errors"
	"io"
	"runtime/debug"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/portatill/portatill/internal/sheets"
	"github.com/portatill/portatill/pay"
)

// proofFlags are those of `books --proof`.
type proofFlags struct {
	proof, asCSV     bool
	day, from, until string
}

// firstYear is before any books of ours; the year 1 is how the zero time says "everything".
const firstYear = 2000

// errNotSquare is exit code 1 for whoever watches.
var errNotSquare = errors.New("the books are not square")

// days is the span of days that is asked for; without any the last 31.
func (f *proofFlags) days() (from, until time.Time, err error) {
	today := now().UTC()
	from, until = today.AddDate(0, 0, -30), today
	read := func(flag, text string, into *time.Time) {
		if text == "" || err != nil {
			return
		}
		if *into, err = time.Parse(time.DateOnly, text); err != nil {
			err = usagef("portatill books: --%s must be a day such as 2026-11-22, not %q", flag, text)
		} else if into.Year() < firstYear {
			err = usagef("portatill books: --%s is %s, which is before there was any till; give a day from %d-01-01 on", flag, text, firstYear)
		}
	}
	if f.day != "" && (f.from != "" || f.until != "") {
		return from, until, usagef("portatill books: --day is one day, --from and --until are several; give one or the other")
	}
	read("until", f.until, &until)
	if f.from == "" && f.until != "" {
		from = until.AddDate(0, 0, -30)
	}
	read("from", f.from, &from)
	read("day", f.day, &from)
	if f.day != "" {
		until = from
	}
	if err == nil && f.until == "" && from.After(today) {
		return from, until, usagef("portatill books: %s has not begun yet (today is %s, UTC)", from.Format(time.DateOnly), today.Format(time.DateOnly))
	}
	if err == nil && until.Before(from.Truncate(24*time.Hour)) {
		err = usagef("portatill books: --until is before --from")
	}
	return from, until, err
}

func (a *app) prove(ctx context.Context, o *opened, tenantID string, f *proofFlags, asJSON bool) error {
	from, until, err := f.days()
	if err != nil {
		return err
	}
	// A ledger of millions is read a page at a time: little lives and much dies, and a heap
	// of some 30 MB before each collection saves a tenth of the time.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	proof, err := o.pay.Proof(ctx, tenantID, from, until)
	if err != nil {
		return err
	}
	if f.asCSV {
		err = sheets.WriteProof(a.out, proof)
	} else {
		err = a.print(asJSON, proof, func(w io.Writer) { writeProof(w, proof) })
	}
	if err == nil && !proof.Square() {
		err = errNotSquare
	}
	return err
}

func writeProof(w io.Writer, p *pay.Proof) {
	line(w, "Proof of books, %s to %s (UTC)", p.From, p.Until)
	if len(p.Rows) == 0 {
		line(w, "Nothing moved in these days.")
	}
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	if len(p.Rows) > 0 {
		line(table, "day\ttenant\tcurrency\tStripe\tledger\tcustomers\tPortaBilling\tunexplained\tclosed\t")
	}
	for _, r := range p.Rows {
		closed := "open"
		if r.Closed != "" {
			closed = r.Closed[:8]
		}
		line(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t", r.Day, r.Tenant, r.Currency, r.Stripe, r.Ledger, r.Customers, r.PortaBilling, r.Unexplained, closed)
	}
	table.Flush() //nolint:errcheck // nothing to be done about a closed terminal
	for _, r := range p.Rows {
		for _, d := range r.Differences {
			mend := ""
			if d.Mend != "" {
				mend = "  → " + d.Mend
			}
			objects := ""
			if len(d.Objects) > 0 {
				objects = "  " + strings.Join(d.Objects, " ")
			}
			line(w, "  %s %s %s: %s %s (%d)%s%s", r.Day, r.Tenant, r.Currency, d.Cause, d.Amount, d.Count, objects, mend)
		}
	}
	for _, b := range p.Broken {
		line(w, "BROKEN: %s", b)
	}
	for _, l := range p.Listed {
		if l.Through == nil {
			line(w, "%s: Stripe's balance was never listed, so its side is empty; portatill sweep does it now", l.Tenant)
			continue
		}
		line(w, "%s: as of the listing of %s", l.Tenant, l.Through.UTC().Format(time.RFC3339))
	}
	for _, u := range p.Unexplained {
		line(w, "%s: unexplained = %s %s%s", u.Tenant, u.Amount, u.Currency, unsigned(u))
	}
	if p.Square() {
		line(w, "All square: every difference has a cause.")
	}
}

// unsigned says how the sum was made, where there is one.
func unsigned(u pay.ProofSum) string {
	if strings.Trim(u.Amount, "0.") == "" {
		return ""
	}
	return " (each amount without its sign, so that two faults never hide each other)"
}
