package handlers

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/csvout"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/internal/tenantset"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/static"
	"github.com/portatill/portatill/views"
)

// tenantsPage is how many tenants are shown at a time.
const tenantsPage = 50

// tenantsFrame is the frame with the stylesheet of these pages.
func (h *Handlers) tenantsFrame(c echo.Context) views.AdminFrame {
	f := h.adminFrame(c)
	f.StyleURLs = append(f.StyleURLs, static.URL("css/admin_tenants.css"))
	return f
}

// tenantsTime is a time in short, in UTC as the logs have it.
func tenantsTime(t time.Time) views.TenantsTime {
	if t.IsZero() {
		return views.TenantsTime{}
	}
	return views.TenantsTime{Text: t.UTC().Format("2 Jan 2006, 15:04"), ISO: t.UTC().Format(time.RFC3339)}
}

// modeName is a tenant's Stripe mode for a pill, "" without a key.
func modeName(t *pay.Tenant) string {
	switch {
	case t.StripeKey == "":
		return ""
	case t.StripeLivemode:
		return "Live"
	}
	return "Test"
}

// tenantsFilter reads a list's filter from the address; who belongs to a tenant gets
// that one and no other.
func (h *Handlers) tenantsFilter(c echo.Context) (tenantset.ListFilter, error) {
	day := h.Pay.Now().UTC()
	f := tenantset.ListFilter{TenantID: tenantScope(c), State: pay.TenantState(c.QueryParam("state")), Search: strings.TrimSpace(storable(c.QueryParam("q"))),
		After: storable(c.QueryParam("after")), Day: time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.UTC)}
	if f.State != "" && f.State != pay.TenantActive && f.State != pay.TenantSuspended {
		return f, pay.Errorf(pay.CodeBadRequest, "", "The state in the address is none. Choose Active or Suspended in the form, or leave it out.")
	}
	if utf8.RuneCountInString(f.Search) > 100 || len(f.After) > 100 {
		return f, pay.Errorf(pay.CodeBadRequest, "", "What is looked for is too long. Use a part of the name, at most 100 characters.")
	}
	return f, nil
}

func (h *Handlers) showTenantsPage(c echo.Context) error {
	f, err := h.tenantsFilter(c)
	if err != nil {
		return err
	}
	f.Limit = tenantsPage + 1
	rows, err := h.Tenants.Store.ListTenantRows(c.Request().Context(), f)
	if err != nil {
		return err
	}
	v := views.TenantsListView{AdminFrame: h.tenantsFrame(c), Search: f.Search, State: string(f.State), MayAdd: staffOf(c).Role.May(staff.ChangeTenants)}
	query := url.Values{}
	for name, value := range map[string]string{"q": f.Search, "state": string(f.State)} {
		if value != "" {
			query.Set(name, value)
		}
	}
	v.CSVURL = "/admin/tenants.csv?" + query.Encode()
	if f.After != "" {
		v.BackURL = "/admin/tenants?" + query.Encode()
	}
	if len(rows) > tenantsPage {
		rows = rows[:tenantsPage]
		query.Set("after", rows[tenantsPage-1].Tenant.Slug)
		v.NextURL = "/admin/tenants?" + query.Encode()
	}
	for _, r := range rows {
		t := r.Tenant
		v.Rows = append(v.Rows, views.TenantsRow{Slug: t.Slug, Name: t.Name, URL: tenantURL(t), Suspended: t.State == pay.TenantSuspended, Mode: modeName(t),
			NotReady: t.ReadyFault(), Currency: string(t.DefaultCurrency), OrdersToday: strconv.Itoa(r.OrdersToday), LastWebhook: tenantsTime(r.LastWebhookAt)})
	}
	return page(c, http.StatusOK, views.TenantsListPage(v))
}

// exportTenants is the list as a file, all pages of it.
func (h *Handlers) exportTenants(c echo.Context) error {
	f, err := h.tenantsFilter(c)
	if err != nil {
		return err
	}
	f.Limit = 500
	var out *csvout.Writer
	for {
		rows, err := h.Tenants.Store.ListTenantRows(c.Request().Context(), f)
		if err != nil {
			return csvFault(out, err)
		}
		if out == nil {
			csvAnswer(c, "tenants")
			out = csvout.NewWriter(c.Response(), "slug", "name", "state", "mode", "ready", "currency", "orders_today", "last_webhook", "created_at")
		}
		for _, r := range rows {
			t := r.Tenant
			_ = out.Write(csvout.Text(t.Slug), csvout.Text(t.Name), csvout.Text(string(t.State)), csvout.Text(strings.ToLower(modeName(t))), csvout.Text(cmp.Or(t.ReadyFault(), "yes")),
				csvout.Text(string(t.DefaultCurrency)), csvout.Int(int64(r.OrdersToday)), isoTime(r.LastWebhookAt), isoTime(t.CreatedAt)) // the writer keeps its first error
		}
		if len(rows) < f.Limit {
			return out.Err()
		}
		f.After = rows[len(rows)-1].Tenant.Slug
	}
}

// csvFault ends a file that cannot be written to its end. Once it has begun the
// connection is broken off: a file that ended in time would look whole.
func csvFault(begun *csvout.Writer, err error) error {
	if begun != nil {
		panic(http.ErrAbortHandler)
	}
	return err
}

// csvAnswer begins an answer that is saved as a file.
func csvAnswer(c echo.Context, name string) {
	head := c.Response().Header()
	head.Set("Content-Type", "text/csv; charset=utf-8")
	head.Set("Content-Disposition", `attachment; filename="`+name+`.csv"`)
	c.Response().WriteHeader(http.StatusOK)
}

func tenantURL(t *pay.Tenant) string { return "/admin/tenants/" + t.Slug }

// tenantAsked is the tenant of the address. One that is not the person's to see is
// answered like one that is not there.
func (h *Handlers) tenantAsked(c echo.Context) (*pay.Tenant, error) {
	return h.tenantSeen(c, c.Param("tenant"))
}

func (h *Handlers) tenantSeen(c echo.Context, slug string) (*pay.Tenant, error) {
	t, err := h.Pay.Store.TenantBySlug(c.Request().Context(), storable(slug))
	if err != nil {
		return nil, err
	}
	if !staffOf(c).MaySee(t.ID) {
		return nil, pay.Errorf(pay.CodeNotFound, "", "There is no such tenant.")
	}
	e := auditOf(c)
	e.Subject, e.TenantID = t.ID, t.ID
	return t, nil
}

// againFirst is where to give the password before a form is filled in, "" when it was
// given lately.
func (h *Handlers) againFirst(c echo.Context, may staff.Action) string {
	if !staffOf(c).Role.May(may) || h.Staff.Fresh(staffSessionOf(c)) {
		return ""
	}
	at := "/admin"
	if c.Request().Method == http.MethodGet {
		at = c.Request().URL.RequestURI()
	}
	return "/admin/again?" + url.Values{"next": {at}}.Encode()
}

// tenantsHead is what stands above a page of one tenant.
func (h *Handlers) tenantsHead(c echo.Context, t *pay.Tenant) views.TenantsHead {
	role := staffOf(c).Role
	v := views.TenantsHead{Name: t.Name, Slug: t.Slug, URL: tenantURL(t), Suspended: t.State == pay.TenantSuspended, Mode: modeName(t), NotReady: t.ReadyFault(),
		MayChange: role.May(staff.ChangeSettings), MaySuspend: role.May(staff.ChangeTenants), AgainURL: h.againFirst(c, staff.ChangeSettings)}
	at := strings.TrimPrefix(c.Path(), "/admin/tenants/:tenant")
	for _, tab := range []struct{ label, path string }{{"Properties", ""}, {"Keys and secrets", "/keys"}, {"Branding", "/branding"}} {
		v.Tabs = append(v.Tabs, views.AdminNavItem{Label: tab.label, URL: v.URL + tab.path, Current: at == tab.path || tab.path != "" && strings.HasPrefix(at, tab.path+"/") || at == "/admin/tenant" && tab.path == ""})
	}
	v.Tabs = append(v.Tabs, views.AdminNavItem{Label: "Doctor", URL: "/admin/doctor?" + url.Values{"tenant": {t.Slug}}.Encode()})
	return v
}

// tenantsField is a property for a form: as it is stored, or as it was typed, with what
// is wrong with it.
func tenantsField(c echo.Context, p tenantset.Property, t *pay.Tenant, typed map[string]string, faults tenantset.Faults) views.TenantsField {
	f := views.TenantsField{Name: p.Name, Label: p.Label, Help: p.Help, Kind: string(p.Kind), Value: p.Show(t), ReadOnly: p.OperatorOnly && tenantScope(c) != ""}
	if p.Kind == tenantset.Hidden {
		f.Stored = map[string]string{"porta-token": tenantset.Masked(t.PortaBilling.Token)}[p.Name]
	}
	for _, choice := range p.Choices {
		f.Choices = append(f.Choices, views.TenantsChoice(choice))
	}
	if text, ok := typed[p.Name]; ok && !f.ReadOnly && p.Kind != tenantset.Hidden {
		f.Value = text
	}
	f.Problem = problemOf(p.Name, faults)
	return f
}

// problemOf is what is wrong with a field, in sentences.
func problemOf(name string, faults tenantset.Faults) string {
	var all []string
	for _, fault := range faults {
		if fault.Name == name {
			all = append(all, sentenceOf(fault.Problem))
		}
	}
	return strings.Join(all, " ")
}

// sentenceOf makes a sentence of what is said of a field whose name stands above it.
func sentenceOf(problem string) string {
	r, size := utf8.DecodeRuneInString(problem)
	if problem == "" {
		return ""
	}
	return strings.TrimSuffix(strings.ToUpper(string(r))+problem[size:], ".") + "."
}

// otherFaults says what is wrong with properties that a form does not have.
func otherFaults(faults tenantset.Faults, shown func(name string) bool) string {
	var all []string
	for _, fault := range faults {
		if shown(fault.Name) {
			continue
		}
		label := fault.Name
		if p, ok := tenantset.ByName(fault.Name); ok {
			label = p.Label
		}
		all = append(all, label+": "+sentenceOf(fault.Problem))
	}
	return strings.Join(all, " ")
}

// tenantFaults are the faults of a change; ok is false when err is something else.
func tenantFaults(err error) (tenantset.Faults, bool) {
	return errors.AsType[tenantset.Faults](err)
}

// maxProperty is far above any property.
const maxProperty = 20_000

// typedInto reads a form's texts into a change. A browser sends a text area's line ends
// as CR LF.
func typedInto(c echo.Context, change *tenantset.Change, p tenantset.Property) {
	form := c.Request().Form
	if !form.Has(p.Name) || p.OperatorOnly && tenantScope(c) != "" {
		return
	}
	raw := form.Get(p.Name)
	text := strings.ReplaceAll(raw, "\r\n", "\n")
	switch {
	case len(text) > maxProperty:
		change.Faults = append(change.Faults, tenantset.Fault{Name: p.Name, Problem: "is too long"})
	case storable(text) != text:
		change.Faults = append(change.Faults, tenantset.Fault{Name: p.Name, Problem: "has a character that is none (NUL, or bytes that are no UTF-8): type it anew"})
	case p.Kind == tenantset.Hidden:
		secret, problem := tenantset.ReadSecret(text)
		if problem != "" {
			change.Faults = append(change.Faults, tenantset.Fault{Name: p.Name, Problem: problem})
		} else if secret != "" { // empty keeps what is stored
			change.Secrets[p.Name] = secret
		}
		return
	}
	if p.Kind != tenantset.List {
		text = strings.TrimSpace(text)
	}
	change.Texts[p.Name] = storable(text)
}

func newChange() *tenantset.Change {
	return &tenantset.Change{Texts: map[string]string{}, Secrets: map[string]pay.Secret{}}
}

// whatChanged tells the audit log which properties are others now: names, and values
// of those that hold no person's data and no address that may hold a password.
func whatChanged(before, after *pay.Tenant) (was, is string) {
	var a, b []string
	for _, p := range tenantset.Properties {
		x, y := p.Show(before), p.Show(after)
		if x == y {
			continue
		}
		if p.Kind == tenantset.Email || p.Kind == tenantset.Address || p.Kind == tenantset.Line {
			b = append(b, p.Name+" changed")
			continue
		}
		a, b = append(a, p.Name+" "+short(x)), append(b, p.Name+" "+short(y))
	}
	return short(strings.Join(a, ", ")), short(strings.Join(b, ", "))
}

// short is a text of a line that is not too long for a log.
func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 200 {
		return string(r[:199]) + "…"
	}
	return s
}

// newTenantFields are what a new tenant is asked for.
var newTenantFields = []string{"name", "currency", "currencies", "vat-rate", "vat-mode", "i-parent", "return-origins"}

func (h *Handlers) showAddTenantPage(c echo.Context) error {
	return h.addTenantPage(c, http.StatusOK, "", nil, nil, "")
}

func (h *Handlers) addTenantPage(c echo.Context, status int, slug string, typed map[string]string, faults tenantset.Faults, message string) error {
	v := views.TenantsAddView{AdminFrame: h.tenantsFrame(c), AgainURL: h.againFirst(c, staff.ChangeTenants), Message: message,
		Fields: []views.TenantsField{{Name: "slug", Label: "Slug", Kind: "line", Value: slug, Problem: problemOf("slug", faults),
			Help: "2 to 40 characters of a-z, 0-9 and -, such as acme-telecom. It stands in addresses and stays for good."}}}
	fresh := pay.NewTenant("", "", "GBP", h.Pay.Now())
	for _, name := range newTenantFields {
		p, _ := tenantset.ByName(name)
		v.Fields = append(v.Fields, tenantsField(c, p, fresh, typed, faults))
	}
	if other := otherFaults(faults, func(name string) bool { return name == "slug" || slices.Contains(newTenantFields, name) }); other != "" {
		v.Message = strings.TrimSpace(v.Message + " " + other)
	}
	return page(c, status, views.TenantsAddPage(v))
}

func (h *Handlers) addTenant(c echo.Context) error {
	slug, change := strings.TrimSpace(storable(c.FormValue("slug"))), newChange()
	for _, name := range newTenantFields {
		p, _ := tenantset.ByName(name)
		typedInto(c, change, p)
	}
	if change.Texts["currencies"] == "" {
		delete(change.Texts, "currencies")
	}
	added, err := h.Tenants.Add(c.Request().Context(), slug, change)
	if faults, ok := tenantFaults(err); ok {
		return h.addTenantPage(c, http.StatusUnprocessableEntity, slug, change.Texts, faults, "")
	}
	if pay.CodeOf(err) == pay.CodeConflict {
		taken := tenantset.Faults{{Name: "slug", Problem: "is taken: another tenant has it"}}
		return h.addTenantPage(c, http.StatusConflict, slug, change.Texts, taken, "")
	}
	if err != nil {
		return err
	}
	t := added.Tenant
	e := auditOf(c)
	e.Subject, e.TenantID, e.After = t.ID, t.ID, "tenant "+t.Slug
	v := views.TenantsAddView{AdminFrame: h.tenantsFrame(c), Added: t.Name, URL: tenantURL(t) + "/keys",
		Secrets: []views.TenantsSecret{{Label: "Licence key", Value: added.License.Reveal()}, {Label: "Signing secret", Value: added.SigningSecret.Reveal()}}}
	if fault := t.ReadyFault(); fault != "" {
		v.Notes = append(v.Notes, fmt.Sprintf("It cannot take money yet: %s. Next come its Stripe key and its webhook secret.", fault))
	}
	// The answer to the form itself: the secrets are nowhere else.
	return page(c, http.StatusOK, views.TenantsAddPage(v))
}
