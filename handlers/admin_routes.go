package handlers

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/staff"
)

// adminRoutes is every address of the staff pages, one line each: the path, what one
// must be allowed to do, and for forms the name of the act in the audit log ("" where
// internal/staff records it itself).
func (h *Handlers) adminRoutes(e *echo.Echo) {
	e.Pre(foldAdminPath)
	h.adminPages = map[string]bool{}
	get := func(path string, may staff.Action, show echo.HandlerFunc) {
		h.adminPages[path] = true
		e.Match([]string{http.MethodGet, http.MethodHead}, path, show, h.adminDoor, h.mustSignIn, h.permit(may))
	}
	post := func(path string, may staff.Action, what string, do echo.HandlerFunc) {
		chain := []echo.MiddlewareFunc{h.adminDoor, h.mustSignIn, h.permit(may), readForm}
		if what != "" {
			chain = append(chain, h.audited(what))
		}
		e.POST(path, do, chain...)
	}

	// The way in; whoever is not signed in reaches these and no others.
	e.Match([]string{http.MethodGet, http.MethodHead}, "/admin/sign-in", h.showSignInPage, h.adminDoor)
	e.POST("/admin/sign-in", h.signIn, h.adminDoor, readForm)
	e.Match([]string{http.MethodGet, http.MethodHead}, "/admin/sign-in/code", h.showCodePage, h.adminDoor)
	e.POST("/admin/sign-in/code", h.giveCode, h.adminDoor, readForm)

	// One's own account.
	get("/admin/account", staff.Own, h.showStaffAccountPage)
	get("/admin/account/app", staff.Own, h.showStaffAppPage)
	get("/admin/again", staff.Own, h.showAgainPage)
	post("/admin/again", staff.Own, "", h.signInAgain)
	post("/admin/sign-out", staff.Own, "", h.signOut)
	post("/admin/account/password", staff.Own, "", h.changeOwnPassword)
	post("/admin/account/app", staff.Own, "", h.confirmApp)
	post("/admin/account/app/off", staff.Own, "", h.dropApp)
	post("/admin/account/codes", staff.Own, "", h.renewCodes)

	// People and what they did.
	get("/admin/staff", staff.SeeStaff, h.showStaffPage)
	post("/admin/staff", staff.ChangeStaff, "", h.addStaff)
	post("/admin/staff/:person/standing", staff.ChangeStaff, "", h.setStanding)
	post("/admin/staff/:person/password", staff.ChangeStaff, "", h.setStaffPassword)
	post("/admin/staff/:person/app/off", staff.ChangeStaff, "", h.resetStaffApp)
	get("/admin/audit", staff.SeeAudit, h.showAuditPage)

	// The books.
	get("/admin", staff.See, h.showAdminHomePage)

	// Mail.
	if h.Mail != nil {
		get("/admin/mail", staff.SeeSettings, h.showMailPage)
		get("/admin/mail/:kind", staff.SeeSettings, h.showMailExamplePage)
		get("/admin/mail/:kind/html", staff.SeeSettings, h.showMailHTML)
		post("/admin/mail/:kind/test", staff.Work, "mail_test", h.sendTestMail)
	}

	// Whatever else there might be is decided by the sign-in too, so that nobody learns
	// which pages there are.
	e.Any("/admin/*", func(echo.Context) error { return echo.ErrNotFound }, h.adminDoor, h.mustSignIn)
}

// foldAdminPath gives every way to write a staff page's address the one decision
// (safety.md AD-07): /ADMIN, //admin, /%61dmin, /admin/., /admin%2f and
// /admin/..;/x, which some proxy in front might read otherwise. Dot segments and path
// parameters (RFC 3986, sections 3.3 and 5.2.4) are dropped, not followed: no address
// that begins with admin leads anywhere else.
func foldAdminPath(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		u := c.Request().URL
		var parts []string
		for _, part := range strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' || r == '\\' }) {
			part, _, _ = strings.Cut(part, ";")
			if part != "" && part != "." && part != ".." {
				parts = append(parts, part)
			}
		}
		if len(parts) > 0 && strings.EqualFold(parts[0], "admin") {
			parts[0] = "admin"
			u.Path, u.RawPath = "/"+strings.Join(parts, "/"), ""
		}
		return next(c)
	}
}
