package handlers

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/static"
	"github.com/portatill/portatill/views"
)

// adminNav is the navigation. An entry is shown when its page is among adminRoutes
// and the person may see it.
var adminNav = []struct {
	label, path string
	may         staff.Action
	group       string // what begins with this entry
}{
	{"Overview", "/admin", staff.See, ""},
	{"Orders", "/admin/orders", staff.See, "Money"},
	{"Customers", "/admin/customers", staff.See, ""},
	{"Payments", "/admin/payments", staff.See, ""},
	{"Refunds", "/admin/refunds", staff.See, ""},
	{"Disputes", "/admin/disputes", staff.See, ""},
	{"Unclaimed", "/admin/unclaimed", staff.See, ""},
	{"Proof of books", "/admin/proof", staff.See, "Books"},
	{"Postings", "/admin/postings", staff.See, ""},
	{"Events", "/admin/events", staff.SeeEvents, ""},
	{"Sweeps", "/admin/sweeps", staff.See, ""},
	{"Tenants", "/admin/tenants", staff.SeeTenants, "Set-up"},
	{"Your tenant", "/admin/tenant", staff.SeeSettings, "Set-up"}, // of who belongs to one
	{"Staff", "/admin/staff", staff.SeeStaff, ""},
	{"Mail", "/admin/mail", staff.SeeSettings, ""},
	{"Audit", "/admin/audit", staff.SeeAudit, ""},
	{"Doctor", "/admin/doctor", staff.SeeSettings, ""},
	{"Settings", "/admin/settings", staff.SeeInstallation, ""},
}

// roleNames are the roles in words.
var roleNames = map[staff.Role]string{staff.Operator: "Operator", staff.TenantAdmin: "Administrator", staff.TenantViewer: "Viewer"}

const signedInKey = "staff"

// signedIn is who asks, and by which session.
type signedIn struct {
	person     *staff.Person
	session    *staff.Session
	tenantName string
}

// staffOf is who asks. Behind the middleware of adminRoutes somebody always does;
// elsewhere it is nil.
func staffOf(c echo.Context) *staff.Person {
	if in, ok := c.Get(signedInKey).(*signedIn); ok {
		return in.person
	}
	return nil
}

// staffSessionOf is the session of who asks, or nil.
func staffSessionOf(c echo.Context) *staff.Session {
	if in, ok := c.Get(signedInKey).(*signedIn); ok {
		return in.session
	}
	return nil
}

// tenantScope is whose rows may be shown: a tenant's id, or "" for an operator, who
// sees everybody's. It is what a filter's TenantID takes.
func tenantScope(c echo.Context) string { return staffOf(c).TenantID }

// byOf is who asks and from where, as the audit log wants it.
func byOf(c echo.Context) staff.By {
	by := staff.By{Address: c.RealIP()}
	if p := staffOf(c); p != nil {
		by.Actor = p.ID
	}
	return by
}

// adminFrame is the frame of a staff page: who is signed in, where they can go, and
// what came of the last form, which is told once.
func (h *Handlers) adminFrame(c echo.Context) views.AdminFrame {
	f := h.bareFrame()
	in, ok := c.Get(signedInKey).(*signedIn)
	if !ok {
		return f
	}
	f.PersonName, f.PersonEmail, f.RoleName, f.TenantName = in.person.Name, in.person.Email, roleNames[in.person.Role], in.tenantName
	f.OpenIDLinked = h.openIDLinked(in.person)
	current := ""
	for _, n := range adminNav {
		path := c.Request().URL.Path
		if n.path == "/admin/tenant" && in.person.TenantID != "" && strings.HasPrefix(path, "/admin/tenants/") {
			current = n.path
		}
		if path == n.path || n.path != "/admin" && strings.HasPrefix(path, n.path+"/") {
			current = n.path
		}
	}
	for _, n := range adminNav {
		if n.path == "/admin/tenant" && in.person.TenantID == "" {
			continue
		}
		if h.adminPages[n.path] && in.person.Role.May(n.may) {
			f.Nav = append(f.Nav, views.AdminNavItem{Group: n.group, Label: n.label, URL: n.path, Current: n.path == current})
		}
	}
	f.Flash = h.takeFlash(c)
	return f
}

// bareFrame is the frame of a page that knows nobody.
func (h *Handlers) bareFrame() views.AdminFrame {
	f := views.AdminFrame{StyleURLs: []string{static.URL("css/app.css"), static.URL("css/admin.css")}, IconURL: static.URL("img/icon.svg"), Sandbox: h.Sandbox}
	if h.OpenID != nil {
		f.OpenIDLabel = h.OpenIDLabel
	}
	return f
}

// say tells on the next page what was done.
func (h *Handlers) say(c echo.Context, text string) { h.flash(c, views.AdminFlash{Text: text}) }

// sayNot tells on the next page what was not done, and why.
func (h *Handlers) sayNot(c echo.Context, text string) {
	h.flash(c, views.AdminFlash{Text: text, Bad: true})
}

// flash hands a message to the page that the answer leads to. Its cookie is no
// credential; whoever could forge it would make us show a text.
func (h *Handlers) flash(c echo.Context, m views.AdminFlash) {
	raw, err := json.Marshal(m)
	if err != nil || len(raw) > 2<<10 {
		return
	}
	h.setFlash(c, base64.RawURLEncoding.EncodeToString(raw), 60)
}

func (h *Handlers) setFlash(c echo.Context, value string, maxAge int) {
	c.SetCookie(&http.Cookie{Name: h.staffCookieName() + "_flash", Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true,
		Secure: h.sessions.secure, SameSite: http.SameSiteStrictMode})
}

func (h *Handlers) takeFlash(c echo.Context) []views.AdminFlash {
	cookie, err := c.Cookie(h.staffCookieName() + "_flash")
	if err != nil || cookie.Value == "" {
		return nil
	}
	h.setFlash(c, "", -1)
	raw, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	var m views.AdminFlash
	if err != nil || json.Unmarshal(raw, &m) != nil || m.Text == "" {
		return nil
	}
	return []views.AdminFlash{m}
}
