package handlers

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/csvout"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// auditPage is how many entries of the audit log are shown at a time.
const auditPage = 100

// auditWord is what an act is called in the log.
var auditWord = regexp.MustCompile(`^[a-z_]{1,60}$`)

// auditDay is the first and the last day that are taken: a year of four digits sorts.
var auditDay = [2]time.Time{time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}

// auditTyped is the filter as it was typed.
type auditTyped struct{ person, what, since, until string }

// readAuditFilter reads the filter from the address; message says what is wrong with
// it, "" when nothing is.
func readAuditFilter(c echo.Context) (f staff.EntryFilter, t auditTyped, message string) {
	t = auditTyped{person: storable(c.QueryParam("person")), what: strings.TrimSpace(storable(c.QueryParam("what"))), since: storable(c.QueryParam("since")), until: storable(c.QueryParam("until"))}
	if day := storable(c.QueryParam("day")); day != "" && t.since == "" && t.until == "" { // an address of before
		t.since, t.until = day, day
	}
	f = staff.EntryFilter{Actor: t.person, What: t.what, TenantID: tenantScope(c), Before: storable(c.QueryParam("before"))}
	if t.what != "" && !auditWord.MatchString(t.what) {
		return f, t, "The action is none: it has small letters and underscores, such as staff_add."
	}
	if len(t.person) > 100 || len(f.Before) > 100 {
		return f, t, "The person in the address is none. Choose one in the list."
	}
	var ok bool
	if f.From, ok = auditDate(t.since); !ok {
		return f, t, "The day since when is none; write it as 2026-11-23."
	}
	if f.Until, ok = auditDate(t.until); !ok {
		return f, t, "The day until when is none; write it as 2026-11-23."
	}
	if !f.Until.IsZero() {
		f.Until = f.Until.AddDate(0, 0, 1)
		if !f.From.Before(f.Until) {
			return f, t, "The last day is before the first. Turn them round."
		}
	}
	return f, t, ""
}

// auditDate reads a day; "" is no bound.
func auditDate(text string) (time.Time, bool) {
	if text == "" {
		return time.Time{}, true
	}
	day, err := time.Parse(time.DateOnly, text)
	return day, err == nil && !day.Before(auditDay[0]) && day.Before(auditDay[1])
}

// auditNames are the people's names for who looks: a tenant's people do not learn who
// the operators are.
func (h *Handlers) auditNames(c echo.Context) (names map[string]string, people []views.StaffPerson, err error) {
	all, err := h.Staff.Store.ListStaff(c.Request().Context())
	names = map[string]string{"": "unknown", staff.Command: "command line"}
	for _, p := range all {
		if !staffOf(c).MaySee(p.TenantID) {
			names[p.ID] = "an operator"
			continue
		}
		names[p.ID] = p.Name
		people = append(people, views.StaffPerson{ID: p.ID, Name: p.Name})
	}
	return names, people, err
}

// showAuditPage shows the audit log; a tenant's person sees what is about that
// tenant.
func (h *Handlers) showAuditPage(c echo.Context) error {
	names, people, err := h.auditNames(c)
	if err != nil {
		return err
	}
	f, t, message := readAuditFilter(c)
	persons := []views.FilterOption{{Value: "", Label: "Everybody"}}
	for _, p := range people {
		persons = append(persons, views.FilterOption{Value: p.ID, Label: p.Name})
	}
	l := plainList{path: "/admin/audit", frame: h.adminFrame(c), message: message, narrowed: url.Values{}, cursor: "before", at: f.Before, searchName: "what", search: t.what,
		label: "Action", look: "Action, such as refund or staff_add", none: "There are no entries yet", why: "Everything that people do here, and what they are refused, will be in this list.",
		fields: []views.FilterField{{Name: "person", Label: "Person", Value: t.person, Options: persons}, {Name: "since", Label: "Since (UTC)", Value: t.since, Kind: "date"},
			{Name: "until", Label: "Until (UTC)", Value: t.until, Kind: "date"}}}
	for name, value := range map[string]string{"person": t.person, "what": t.what, "since": t.since, "until": t.until} {
		l.narrow(name, value)
	}
	var entries []*staff.Entry
	status := http.StatusUnprocessableEntity
	if message == "" {
		status, f.Limit = http.StatusOK, auditPage+1
		if entries, err = h.Staff.Store.ListAudit(c.Request().Context(), f); err != nil {
			return err
		}
	}
	if len(entries) > auditPage {
		entries = entries[:auditPage]
		l.more = entries[auditPage-1].ID
	}
	v := views.AuditView{ListFrame: l.made(c)}
	for _, e := range entries {
		shown := views.AuditEntry{ID: e.ID, At: staffMoment(e.At, h.Pay.Now()), Who: names[e.Actor], What: e.What, Subject: e.Subject, Address: e.Address, Refused: e.Refused, Change: e.After}
		if e.Before != "" {
			shown.Change = e.Before + " → " + e.After
		}
		v.Entries = append(v.Entries, shown)
	}
	return page(c, status, views.AuditPage(v))
}

// exportAudit is the log as a file, all pages of the filter.
func (h *Handlers) exportAudit(c echo.Context) error {
	names, _, err := h.auditNames(c)
	if err != nil {
		return err
	}
	f, _, message := readAuditFilter(c)
	if message != "" {
		return pay.Errorf(pay.CodeBadRequest, "", "%s", message)
	}
	f.Limit = 1000
	var out *csvout.Writer
	for {
		entries, err := h.Staff.Store.ListAudit(c.Request().Context(), f)
		if err != nil {
			return csvFault(out, err)
		}
		if out == nil {
			csvAnswer(c, "audit")
			out = csvout.NewWriter(c.Response(), "at", "who", "action", "refused", "subject", "tenant", "before", "after", "address", "id")
		}
		for _, e := range entries {
			_ = out.Write(csvout.Text(e.At.UTC().Format(time.RFC3339Nano)), csvout.Text(names[e.Actor]), csvout.Text(e.What), csvout.Text(map[bool]string{true: "yes", false: ""}[e.Refused]),
				csvout.Text(e.Subject), csvout.Text(e.TenantID), csvout.Text(e.Before), csvout.Text(e.After), csvout.Text(e.Address), csvout.Text(e.ID)) // the writer keeps its first error
		}
		if len(entries) < f.Limit || out.Err() != nil {
			return out.Err()
		}
		f.Before = entries[len(entries)-1].ID
	}
}
