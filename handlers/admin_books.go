package handlers

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/daybook"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// BookRows is what the pages of the books read beside pay.Reader: pages of lists, and
// sums. Each takes one tenant, so that no filter can be forgotten.
type BookRows interface {
	daybook.Source
	OrdersWaiting(ctx context.Context, tenantID string) ([]*pay.Waiting, error)
	UnclaimedMade(ctx context.Context, tenantID string, from, until time.Time) (int64, error)
	NeedsPerson(ctx context.Context, tenantID string, since time.Time) (*pay.Attention, error)
	OldestListings(ctx context.Context) ([]*pay.OldestListing, error)
	ListPostingsPage(ctx context.Context, f pay.PostingFilter) ([]*pay.Posting, error)
	ListUnclaimedPage(ctx context.Context, f pay.UnclaimedFilter) ([]*pay.Unclaimed, error)
}

// Runs is the work that takes too long for a request; the job queue does it.
type Runs interface {
	StartRun(ctx context.Context, ask pay.RunAsk) (int64, error)
	RunByID(ctx context.Context, id int64) (*pay.Run, error)
	LastRun(ctx context.Context, kind pay.RunKind, tenantID string) (*pay.Run, error)
	ListRuns(ctx context.Context, kind pay.RunKind, tenantID string, limit int) ([]*pay.Run, error)
	GaveUp(ctx context.Context, tenantID string) (int, error)
}

// bookScope is whose rows a page shows.
type bookScope struct {
	may    []*pay.Tenant // those whose rows the person may see, by slug
	chosen []*pay.Tenant // those of the filter
	slug   string        // of the filter, "" for all
	names  map[string]string
}

// bookScope reads the filter "tenant". A tenant that is another's is answered as one that
// does not exist.
func (h *Handlers) bookScope(c echo.Context) (*bookScope, error) {
	return h.bookScopeOf(c, c.QueryParam("tenant"))
}

func (h *Handlers) bookScopeOf(c echo.Context, slug string) (*bookScope, error) {
	all, err := h.Pay.Store.ListTenants(c.Request().Context())
	if err != nil {
		return nil, err
	}
	s := &bookScope{slug: storable(slug), names: map[string]string{}}
	for _, t := range all {
		if !staffOf(c).MaySee(t.ID) {
			continue
		}
		s.may = append(s.may, t)
		s.names[t.ID] = t.Name
		if s.slug == "" || t.Slug == s.slug {
			s.chosen = append(s.chosen, t)
		}
	}
	slices.SortFunc(s.may, func(a, b *pay.Tenant) int { return cmp.Compare(a.Slug, b.Slug) })
	if s.slug != "" && len(s.chosen) == 0 {
		return nil, echo.ErrNotFound
	}
	return s, nil
}

// choices are what the filter "tenant" offers; none when there is nothing to choose.
func (s *bookScope) choices() []views.BooksChoice {
	if len(s.may) < 2 {
		return nil
	}
	out := []views.BooksChoice{{Value: "", Label: "All tenants"}}
	for _, t := range s.may {
		out = append(out, views.BooksChoice{Value: t.Slug, Label: t.Name})
	}
	return out
}

// name is a tenant's name where the page shows several tenants', else "".
func (s *bookScope) name(tenantID string) string {
	if len(s.may) < 2 {
		return ""
	}
	return s.names[tenantID]
}

// slugOf is a tenant's slug among those that may be seen.
func (s *bookScope) slugOf(tenantID string) string {
	for _, t := range s.may {
		if t.ID == tenantID {
			return t.Slug
		}
	}
	return ""
}

// booksPage is how many rows a list shows at a time, and sheetPage how many a download
// reads at a time.
const (
	booksPage = 50
	sheetPage = 1000
)

// newest merges lists that are each sorted by id, the newest first, and takes the first of
// all. Ids begin with their time.
func newest[T any](limit int, id func(*T) string, lists ...[]*T) (page []*T, more bool) {
	for _, l := range lists {
		page = append(page, l...)
	}
	slices.SortFunc(page, func(a, b *T) int { return cmp.Compare(id(b), id(a)) })
	if len(page) > limit {
		return page[:limit], true
	}
	return page, false
}

// booksQuery reads the filters of a list; what is wrong with them is told on the page, in
// the answer's status too.
type booksQuery struct {
	get    func(name string) string
	values url.Values // those that were given, to build links of
	faults []string
}

// maxTyped bounds what a filter takes, in bytes.
const maxTyped = 200

func newBooksQuery(c echo.Context) *booksQuery {
	return &booksQuery{get: c.QueryParam, values: url.Values{}}
}

func (q *booksQuery) fault(text string) { q.faults = append(q.faults, text) }

// text is a filter as it was typed.
func (q *booksQuery) text(name string) string {
	typed := q.get(name)
	s := strings.TrimSpace(storable(typed))
	if storable(typed) != typed {
		q.fault("The filter has characters that are none; type it again.")
		return ""
	}
	if len(s) > maxTyped {
		q.fault("What was searched for is too long; use 200 characters or fewer.")
		s = strings.ToValidUTF8(s[:maxTyped], "")
	}
	if s != "" {
		q.values.Set(name, s)
	}
	return s
}

// oneOf is a filter that has certain values.
func (q *booksQuery) oneOf(name, what string, choices []views.BooksChoice) string {
	s := q.text(name)
	if s == "" || slices.ContainsFunc(choices, func(x views.BooksChoice) bool { return x.Value == s }) {
		return s
	}
	q.fault("There is no " + what + " \"" + s + "\"; choose one of the list.")
	q.values.Del(name)
	return ""
}

// after is the cursor: the id of the last row of the page before.
func (q *booksQuery) after(prefix string) string {
	s := q.get("after")
	if s == "" {
		return ""
	}
	if !strings.HasPrefix(s, prefix+"_") || len(s) > 40 || storable(s) != s {
		q.fault("The address names no place in the list; this is its beginning.")
		return ""
	}
	return s
}

// day is a filter that is a day of this century.
func (q *booksQuery) day(name, what string, otherwise time.Time) time.Time {
	s := q.text(name)
	if s == "" {
		return otherwise
	}
	d, err := time.Parse(time.DateOnly, s)
	if err != nil || d.Year() < 2000 || d.Year() > 2100 {
		q.fault("The " + what + " is no day; write it as 2026-11-23.")
		return otherwise
	}
	return d
}

// status is the answer's.
func (q *booksQuery) status() int {
	if len(q.faults) > 0 {
		return http.StatusBadRequest
	}
	return http.StatusOK
}

func (q *booksQuery) message() string { return strings.Join(q.faults, " ") }

// url is the page with the filters as they are, changed by pairs of names and values; ""
// takes one away.
func (q *booksQuery) url(path string, pairs ...string) string {
	v := url.Values{}
	for name, values := range q.values {
		v[name] = values
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			v.Del(pairs[i])
		} else {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

// list fills in what every list has.
func (q *booksQuery) list(path, csv string, last string, more bool) views.BooksList {
	l := views.BooksList{Action: path, CSVURL: q.url(csv), Message: q.message(), Filtered: len(q.values) > 0, ClearURL: path}
	if more {
		l.OlderURL = q.url(path, "after", last)
	}
	if q.get("after") != "" {
		l.NewestURL = q.url(path)
	}
	return l
}

// find asks for a row by its id at each tenant that the person may see. One of another
// tenant is answered as one that does not exist.
func find[T any](ctx context.Context, s *bookScope, id, prefix string, by func(ctx context.Context, tenantID, id string) (*T, error)) (*T, error) {
	if !strings.HasPrefix(id, prefix+"_") || len(id) > 40 || storable(id) != id {
		return nil, echo.ErrNotFound
	}
	for _, t := range s.may {
		row, err := by(ctx, t.ID, id)
		if pay.IsNotFound(err) {
			continue
		}
		return row, err
	}
	return nil, echo.ErrNotFound
}

// causeOf is who asks, as the books keep it.
func causeOf(c echo.Context) pay.Cause {
	return pay.Cause{Kind: pay.CauseStaff, ID: staffOf(c).ID}
}

// causeWords tells a reader who did something: people by their names.
func (h *Handlers) causeWords(c echo.Context, cause pay.Cause) string {
	switch cause.Kind {
	case "":
		return ""
	case pay.CauseStaff:
		p, err := h.Staff.Store.StaffByID(c.Request().Context(), cause.ID)
		if err != nil {
			return "staff"
		}
		if !staffOf(c).MaySee(p.TenantID) {
			return "an operator"
		}
		return p.Name
	case pay.CauseCLI:
		return "command line, " + cause.ID
	}
	return strings.ReplaceAll(string(cause.Kind), "_", " ")
}

// booksFrame is the frame of a page of the books, with its scripts.
func (h *Handlers) booksFrame(c echo.Context, scripts ...string) views.AdminFrame {
	f := h.adminFrame(c)
	for _, name := range scripts {
		f.ScriptURLs = append(f.ScriptURLs, staticURL("js/"+name+".js"))
	}
	return f
}
