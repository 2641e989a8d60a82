package sqlstore

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/portatill/portatill/internal/backoffice"
	"github.com/portatill/portatill/pay"
)

// PageMails implements backoffice.Reader. It is not a listing of branches as the others
// are: a mail's id is a key by itself, and an operator's letter has no tenant.
func (r reader) PageMails(ctx context.Context, f backoffice.MailFilter) (backoffice.Page[pay.Mail], error) {
	page := backoffice.Page[pay.Mail]{}
	limit := clampLimit(f.Limit, 50, backoffice.MaxLimit)
	var a arguments
	from, terms := mailTerms(&a, &f)
	order := " DESC"
	switch {
	case f.Before != "":
		terms, order = append(terms, "m.id > "+a.add(f.Before)), ""
	case f.After != "":
		terms = append(terms, "m.id < "+a.add(f.After))
	}
	rows, err := many(ctx, r, "mails", scanMail, "WITH m AS (SELECT m.* FROM "+from+" WHERE "+strings.Join(terms, " AND ")+" ORDER BY m.id"+order+" LIMIT "+strconv.Itoa(limit+1)+
		") SELECT "+mailColumns+" FROM m ORDER BY id"+order, a.all...)
	if err != nil {
		return page, err
	}
	more := len(rows) > limit
	rows = rows[:min(len(rows), limit)]
	if f.Before == "" {
		return backoffice.Page[pay.Mail]{Rows: rows, Newer: f.After != "", Older: more}, nil
	}
	if !more { // the way back has reached the top: the first page is a whole one
		f.Paging = backoffice.Paging{Limit: limit}
		return r.PageMails(ctx, f)
	}
	slices.Reverse(rows)
	return backoffice.Page[pay.Mail]{Rows: rows, Newer: true, Older: true}, nil
}

// mailTerms are where a filter's mails are looked for. CROSS JOIN has SQLite begin at what
// was searched for, of which there are few, and not at the newest mail.
func mailTerms(a *arguments, f *backoffice.MailFilter) (from string, terms []string) {
	owners := slices.Clone(f.Tenants)
	if f.Operators {
		owners = append(owners, "")
	}
	if len(owners) == 0 {
		return "mails m", []string{"1 = 0"}
	}
	// An expression, so that the newest of several are read in the order of the key: no index
	// has that order.
	var owner string // PostgreSQL refuses an argument that nothing asks for
	if len(owners) == 1 && owners[0] != "" {
		owner = "m.tenant_id = " + a.add(owners[0])
	} else {
		owner = "COALESCE(m.tenant_id, '') IN " + a.in(owners)
	}
	from, terms = "mails m", []string{owner}
	number, errNumber := strconv.ParseInt(f.Search, 10, 64)
	switch prefix, _, _ := strings.Cut(f.Search, "_"); {
	case f.Search == "":
	case prefix == "eml":
		terms = append(terms, "m.id = "+a.add(f.Search))
	case prefix == "ord":
		from = "tenants t CROSS JOIN mails m"
		terms = append(terms, "m.tenant_id = t.id", "m.order_id = "+a.add(f.Search))
	default:
		var who string
		if errNumber == nil {
			who = "c.i_customer = " + a.add(number)
		} else {
			who = "LOWER(c.email) = " + a.add(lowerASCII(f.Search)) + " AND c.email <> ''"
		}
		from = "tenants t CROSS JOIN customers c CROSS JOIN orders o CROSS JOIN mails m"
		terms = append(terms, "c.tenant_id = t.id", who, "o.tenant_id = c.tenant_id", "o.customer_id = c.id", "m.tenant_id = o.tenant_id", "m.order_id = o.id")
	}
	if f.State != "" {
		terms = append(terms, "m.state = "+a.add(string(f.State)))
	}
	if !f.From.IsZero() {
		terms = append(terms, "m.id >= "+a.add(idAt("eml", f.From)))
	}
	if !f.Until.IsZero() {
		terms = append(terms, "m.id < "+a.add(idAt("eml", f.Until)))
	}
	return from, terms
}
