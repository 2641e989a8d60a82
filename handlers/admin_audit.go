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

// readAuditFilter reads the filter from the address; message says what is wrong with
// it, "" when nothing is. What was typed stays in v.
func readAuditFilter(c echo.Context, v *views.AuditView) (f staff.EntryFilter, message string) {
	v.Person, v.What = storable(c.QueryParam("person")), strings.TrimSpace(storable(c.QueryParam("what")))
	v.Since, v.Until = storable(c.QueryParam("since")), storable(c.QueryParam("until"))
	if day := storable(c.QueryParam("day")); day != "" && v.Since == "" && v.Until == "" { // an address of before
		v.Since, v.Until = day, day
	}
	f = staff.EntryFilter{Actor: v.Person, What: v.What, TenantID: tenantScope(c), Before: storable(c.QueryParam("before"))}
	if v.What != "" && !auditWord.MatchString(v.What) {
		return f, "The action is none: it has small letters and underscores, such as staff_add."
	}
	if len(v.Person) > 100 || len(f.Before) > 100 {
		return f, "The person in the address is none. Choose one in the list."
	}
	var ok bool
	if f.From, ok = auditDate(v.Since); !ok {
		return f, "The day since when is none; write it as 2026-11-23."
	}
	if f.Until, ok = auditDate(v.Until); !ok {
		return f, "The day until when is none; write it as 2026-11-23."
	}
	if !f.Until.IsZero() {
		f.Until = f.Until.AddDate(0, 0, 1)
		if !f.From.Before(f.Until) {
			return f, "The last day is before the first. Turn them round."
		}
	}
	return f, ""
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
	v := views.AuditView{AdminFrame: h.tenantsFrame(c)}
	names, people, err := h.auditNames(c)
	if err != nil {
		return err
	}
	v.People = people
	f, message := readAuditFilter(c, &v)
	if message != "" {
		v.Message = message
		return page(c, http.StatusUnprocessableEntity, views.AuditPage(v))
	}
	f.Limit = auditPage + 1
	entries, err := h.Staff.Store.ListAudit(c.Request().Context(), f)
	if err != nil {
		return err
	}
	query := url.Values{}
	for name, value := range map[string]string{"person": v.Person, "what": v.What, "since": v.Since, "until": v.Until} {
		if value != "" {
			query.Set(name, value)
		}
	}
	v.Filtered = len(query) > 0
	v.CSVURL = "/admin/audit.csv?" + query.Encode()
	if f.Before != "" {
		v.NewestURL = "/admin/audit?" + query.Encode()
	}
	if len(entries) > auditPage {
		entries = entries[:auditPage]
		query.Set("before", entries[auditPage-1].ID)
		v.OlderURL = "/admin/audit?" + query.Encode()
	}
	for _, e := range entries {
		shown := views.AuditEntry{ID: e.ID, At: e.At.UTC().Format("2 Jan 2006, 15:04:05"), ISO: e.At.UTC().Format(time.RFC3339), Who: names[e.Actor], What: e.What, Subject: e.Subject,
			Address: e.Address, Refused: e.Refused, Change: e.After}
		if e.Before != "" {
			shown.Change = e.Before + " → " + e.After
		}
		v.Entries = append(v.Entries, shown)
	}
	return page(c, http.StatusOK, views.AuditPage(v))
}

// exportAudit is the log as a file, all pages of the filter.
func (h *Handlers) exportAudit(c echo.Context) error {
	names, _, err := h.auditNames(c)
	if err != nil {
		return err
	}
	f, message := readAuditFilter(c, &views.AuditView{})
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
