package handlers

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/backoffice"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/static"
	"github.com/portatill/portatill/views"
)

// rowsAtOnce is how many rows a page of a list has.
const rowsAtOnce = 50

// listQuery is what a list is asked for: as it was typed, which is kept in every link, and
// as it was understood.
type listQuery struct {
	path    string
	filter  backoffice.Filter
	values  url.Values // but where in the list one is
	tenants map[string]*backoffice.Tenant
	all     []*backoffice.Tenant // whose rows the person may see
	message string               // what is wrong with the question
	now     time.Time
}

// listFields are what lists take besides where one is; each takes what it knows of.
var listFields = []string{"q", "state", "tenant", "currency", "from", "until", "feature", "content", "customer"}

// readListQuery reads a list's address. A fault in it is told on the page, in message, with
// all that was typed kept; nothing is then read.
func (h *Handlers) readListQuery(c echo.Context, path, prefix string) (*listQuery, error) {
	q := &listQuery{path: path, values: url.Values{}, tenants: map[string]*backoffice.Tenant{}, now: h.Pay.Now()}
	if err := q.readTenants(c, h.Backoffice); err != nil {
		return nil, err
	}
	for _, name := range listFields {
		raw := c.QueryParam(name)
		text := strings.TrimSpace(storable(raw))
		if storable(raw) != raw || utf8.RuneCountInString(raw) > 255 {
			q.fault("What was typed into “%s” cannot be read. Type it again, without what was pasted with it.", name)
			text = string([]rune(text)[:min(utf8.RuneCountInString(text), 255)])
		}
		if text != "" {
			q.values.Set(name, text)
		}
	}
	f := &q.filter
	f.Search, f.Limit = q.values.Get("q"), rowsAtOnce
	q.readCurrency()
	q.readSpan()
	q.readTenant(c)
	for _, way := range []struct {
		name string
		to   *string
	}{{"after", &f.After}, {"before", &f.Before}} {
		if *way.to = c.QueryParam(way.name); *way.to != "" && !rowID(*way.to, prefix) {
			q.fault("The address names a row that is none. Begin at the newest again.")
			*way.to = ""
		}
	}
	if f.After != "" && f.Before != "" {
		q.fault("The address asks for older and newer rows at once. Begin at the newest again.")
	}
	return q, nil
}

func (q *listQuery) fault(format string, args ...any) {
	if q.message == "" {
		q.message = fmt.Sprintf(format, args...)
	}
}

// err is the fault as an error, for what is no page.
func (q *listQuery) err() error {
	if q.message == "" {
		return nil
	}
	return pay.Errorf(pay.CodeBadRequest, "", "%s", q.message)
}

// status is the page's: a question that cannot be understood is a 400.
func (q *listQuery) status() int {
	if q.message != "" {
		return http.StatusBadRequest
	}
	return http.StatusOK
}

// rowID reports whether a text can be the id of a row: ours, and no longer than ours are.
func rowID(s, prefix string) bool {
	rest, ok := strings.CutPrefix(s, prefix+"_")
	return ok && rest != "" && len(rest) <= 40 && !strings.ContainsFunc(rest, func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'z') })
}

// readTenants finds whose rows the person may see: their tenant's, or everybody's.
func (q *listQuery) readTenants(c echo.Context, store backoffice.Reader) error {
	all, err := store.TenantNames(c.Request().Context())
	if err != nil {
		return err
	}
	scope := tenantScope(c)
	for _, t := range all {
		if scope == "" || t.ID == scope {
			q.all, q.tenants[t.ID] = append(q.all, t), t
			q.filter.Tenants = append(q.filter.Tenants, t.ID)
		}
	}
	return nil
}

// readTenant narrows to one tenant. One that the person may not see is none.
func (q *listQuery) readTenant(c echo.Context) {
	slug := q.values.Get("tenant")
	if slug == "" {
		return
	}
	for _, t := range q.all {
		if t.Slug == slug {
			q.filter.Tenants = []string{t.ID}
			return
		}
	}
	q.filter.Tenants = nil
	q.fault("There is no tenant “%s”. Choose one of the list.", slug)
}

func (q *listQuery) readCurrency() {
	text := q.values.Get("currency")
	if text == "" {
		return
	}
	currency, err := pay.ParseCurrency("currency", text)
	if err != nil {
		q.fault("“%s” is no currency. Write it in three letters, such as GBP.", text)
		return
	}
	q.filter.Currency = currency
	q.values.Set("currency", string(currency))
}

// readSpan reads days in UTC, both included.
func (q *listQuery) readSpan() {
	for _, end := range []struct {
		name string
		to   *time.Time
		days int
	}{{"from", &q.filter.From, 0}, {"until", &q.filter.Until, 1}} {
		text := q.values.Get(end.name)
		if text == "" {
			continue
		}
		day, err := time.Parse(time.DateOnly, text)
		if err != nil || day.Year() < 2000 || day.Year() > 2100 {
			q.fault("“%s” is no day that there can be orders of. Write it as 2026-11-23.", text)
			continue
		}
		*end.to = day.AddDate(0, 0, end.days)
	}
	if f := q.filter; !f.From.IsZero() && !f.Until.IsZero() && !f.From.Before(f.Until) {
		q.fault("The first day is after the last one. Change one of the two.")
	}
}

// link is the list's address with changes: names and values in turn, "" to leave one out.
func (q *listQuery) link(path string, pairs ...string) string {
	v := url.Values{}
	for name, values := range q.values {
		v[name] = values
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if v.Del(pairs[i]); pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

// listScript is the keyboard, the copying and the looking again of the lists' pages.
func listScript() []string { return []string{static.URL("js/admin_lists.js")} }

// frame is what is around the rows. ends are the ids of the first and the last row, "" for none.
func (q *listQuery) frame(h *Handlers, c echo.Context, newer, older bool, first, last string) views.ListFrame {
	f := views.ListFrame{AdminFrame: h.adminFrame(c), Tenants: len(q.filter.Tenants) > 1}
	f.ScriptURLs = append(f.ScriptURLs, listScript()...)
	f.Filter = views.ListFilter{Action: q.path, Search: q.filter.Search, Message: q.message, SearchLabel: "Search"}
	if len(q.values) > 0 || q.message != "" {
		f.Filter.ClearURL = q.path
	}
	if newer {
		f.Pager.NewerURL = q.link(q.path, "before", first)
	}
	if older {
		f.Pager.OlderURL = q.link(q.path, "after", last)
	}
	if staffOf(c).Role.May(staff.Export) && q.message == "" {
		f.Pager.CSVURL = q.link(q.path + ".csv")
	}
	return f
}

// tabs are the views of a list by its state; the field state is kept when the form is sent.
func (q *listQuery) tabs(f *views.ListFilter, options ...views.FilterOption) {
	now := q.values.Get("state")
	known := false
	for _, o := range options {
		f.Tabs = append(f.Tabs, views.ListTab{Label: o.Label, URL: q.link(q.path, "state", o.Value), Current: o.Value == now})
		known = known || o.Value == now
	}
	if now != "" && known {
		f.Kept = append(f.Kept, views.FilterOption{Value: "state", Label: now})
	}
}

// known tells whether a state is one of those that there are, and says so when it is not.
func (q *listQuery) known(states ...string) string {
	state := q.values.Get("state")
	if state != "" && !slices.Contains(states, state) {
		q.fault("There is no state “%s”. Choose one of the tabs.", state)
		return ""
	}
	return state
}

// fields are those behind the search that all lists have.
func (q *listQuery) fields(f *views.ListFilter, what string) {
	if len(q.all) > 1 {
		tenants := []views.FilterOption{{Value: "", Label: "All tenants"}}
		for _, t := range q.all {
			tenants = append(tenants, views.FilterOption{Value: t.Slug, Label: t.Name})
		}
		f.Fields = append(f.Fields, views.FilterField{Name: "tenant", Label: "Tenant", Value: q.values.Get("tenant"), Options: tenants})
	}
	f.Fields = append(f.Fields, views.FilterField{Name: "currency", Label: "Currency", Value: q.values.Get("currency")})
	if what != "" {
		f.Fields = append(f.Fields, views.FilterField{Name: "from", Label: what + " from", Value: q.values.Get("from"), Kind: "date"},
			views.FilterField{Name: "until", Label: what + " until", Value: q.values.Get("until"), Kind: "date"})
	}
}

// empty says why there are no rows, and the way out.
func (q *listQuery) empty(none, why string) views.EmptyList {
	switch {
	case q.message != "":
		return views.EmptyList{Title: "Nothing was looked for", Text: "Mend what is said above, or begin again.", URL: q.path, Link: "Begin again"}
	case len(q.values) > 0:
		text := "No row is as the filters say."
		if q.filter.Search != "" {
			text += " Ids, numbers and e-mail addresses must be whole; a part of a name is looked for among the newest customers."
		}
		return views.EmptyList{Title: "None match", Text: text, URL: q.path, Link: "Show all"}
	case q.filter.After != "" || q.filter.Before != "":
		return views.EmptyList{Title: "No more", Text: "There are no rows beyond this one.", URL: q.path, Link: "Begin at the newest"}
	}
	return views.EmptyList{Title: none, Text: why}
}

// tenantName names whose a row is.
func (q *listQuery) tenantName(id string) string {
	if t := q.tenants[id]; t != nil {
		return t.Name
	}
	return ""
}

// staffMoment is a time for the pages; the year is left out where it is the present one.
func staffMoment(t, now time.Time) views.Moment {
	if t.IsZero() {
		return views.Moment{}
	}
	t = t.UTC()
	layout := "2 Jan, 15:04"
	if t.Year() != now.UTC().Year() {
		layout = "2 Jan 2006, 15:04"
	}
	return views.Moment{Short: t.Format(layout), Full: t.Format("2 Jan 2006, 15:04:05 UTC"), ISO: t.Format(time.RFC3339)}
}

// customerLink leads to a customer's page.
func customerLink(id string, iCustomer int64, name string) views.CustomerLink {
	return views.CustomerLink{URL: "/admin/customers/" + id, Name: name, ICustomer: fmt.Sprint(iCustomer)}
}

// stripeURL is where Stripe's dashboard shows a payment or another object
// (docs.stripe.com/dashboard/basics, "Share links"); "" where Stripe has no such object.
func (h *Handlers) stripeURL(account string, live bool, kind, id string) string {
	if h.Sandbox || account == "" || id == "" {
		return ""
	}
	mode := "test/"
	if live {
		mode = ""
	}
	return "https://dashboard.stripe.com/" + url.PathEscape(account) + "/" + mode + kind + "/" + url.PathEscape(id)
}

// shortID is the end of an id, which tells it from others made at the same time.
func shortID(id string) string {
	if len(id) <= 12 {
		return id
	}
	return "…" + id[len(id)-8:]
}
