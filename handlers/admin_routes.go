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

	// With an OpenID provider: admin_oidc.go.
	h.openIDRoutes(e, get, post)

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

	get("/admin/audit.csv", staff.SeeAudit, h.exportAudit)

	h.orderRoutes(get, post)
	h.bookRoutes(get, post)
	h.tenantRoutes(get, post, e)

	h.mailRoutes(get, post)

	// Whatever else there might be is decided by the sign-in too, so that nobody learns
	// which pages there are.
	e.Any("/admin/*", func(echo.Context) error { return echo.ErrNotFound }, h.adminDoor, h.mustSignIn)
}

// The two kinds of a staff page's route.
type (
	getRoute  = func(path string, may staff.Action, show echo.HandlerFunc)
	postRoute = func(path string, may staff.Action, what string, do echo.HandlerFunc)
)

// orderRoutes are those of orders, customers, payments, refunds and disputes.
func (h *Handlers) orderRoutes(get getRoute, post postRoute) {
	get("/admin/orders", staff.See, h.showOrdersPage)
	get("/admin/orders.csv", staff.Export, h.exportOrders)
	get("/admin/orders/:order", staff.See, h.showOrderStoryPage)
	post("/admin/orders/:order/recheck", staff.Work, "recheck", h.recheckOrder)
	post("/admin/orders/:order/link", staff.Work, "pay_link", h.showPayLink)
	get("/admin/orders/:order/cancel", staff.Work, h.showCancelOrderPage)
	post("/admin/orders/:order/cancel", staff.Work, "cancel_order", h.cancelOrder)
	get("/admin/orders/:order/refund", staff.Refund, h.showRefundPage)
	post("/admin/orders/:order/refund", staff.Refund, "refund", h.refundOrder)
	get("/admin/customers", staff.See, h.showCustomersPage)
	get("/admin/customers.csv", staff.Export, h.exportCustomers)
	get("/admin/customers/:customer", staff.See, h.showCustomerPage)
	get("/admin/customers/:customer/statement.csv", staff.Export, h.exportStatement)
	post("/admin/customers/:customer/link", staff.Work, "account_link", h.showAccountLink)
	get("/admin/customers/:customer/cards/:card/delete", staff.Work, h.showDropCardPage)
	post("/admin/customers/:customer/cards/:card/delete", staff.Work, "remove_card", h.dropCard)
	get("/admin/payments", staff.See, h.showPaymentsPage)
	get("/admin/payments.csv", staff.Export, h.exportPayments)
	get("/admin/refunds", staff.See, h.showRefundsPage)
	get("/admin/refunds.csv", staff.Export, h.exportRefunds)
	get("/admin/disputes", staff.See, h.showDisputesPage)
	get("/admin/disputes.csv", staff.Export, h.exportDisputes)
}

// bookRoutes are those of the overview and the books.
func (h *Handlers) bookRoutes(get getRoute, post postRoute) {
	get("/admin", staff.See, h.showOverviewPage)
	get("/admin/proof", staff.See, h.showProofPage)
	get("/admin/proof/file", staff.Export, h.downloadProof)
	get("/admin/proof/export", staff.Export, h.exportBooks)
	post("/admin/proof", staff.Work, "proof", h.proveBooks)
	post("/admin/proof/verify", staff.Work, "verify", h.verifyBooks)
	get("/admin/runs/:run", staff.See, h.showRunPage)
	post("/admin/runs/:run/apply", staff.Replay, "replay", h.applyRun)
	get("/admin/unclaimed", staff.See, h.showUnclaimedPage)
	get("/admin/unclaimed.csv", staff.Export, h.downloadUnclaimed)
	get("/admin/unclaimed/:case", staff.See, h.showUnclaimedCase)
	get("/admin/unclaimed/:case/confirm", staff.Refund, h.confirmUnclaimed)
	post("/admin/unclaimed/:case/assign", staff.Refund, "unclaimed_assign", h.assignUnclaimed)
	post("/admin/unclaimed/:case/refund", staff.Refund, "unclaimed_refund", h.refundUnclaimed)
	post("/admin/unclaimed/:case/ignore", staff.Refund, "unclaimed_ignore", h.ignoreUnclaimed)
	get("/admin/events", staff.SeeEvents, h.showEventsPage)
	get("/admin/events.csv", staff.SeeEvents, h.downloadEvents)
	get("/admin/events/:event", staff.SeeEvents, h.showEventPage)
	post("/admin/events/replay", staff.Replay, "replay_dry_run", h.tryReplay)
	get("/admin/postings", staff.See, h.showPostingsPage)
	get("/admin/postings.csv", staff.Export, h.downloadPostings)
	get("/admin/postings/:posting", staff.See, h.showPostingPage)
	get("/admin/postings/:posting/confirm", staff.Refund, h.confirmPosting)
	post("/admin/postings/:posting/mark", staff.Refund, "posting_mark", h.markPosted)
	get("/admin/sweeps", staff.See, h.showSweepsPage)
	post("/admin/sweeps", staff.Sweep, "sweep", h.startSweep)
}

// mailRoutes are those of the mails.
func (h *Handlers) mailRoutes(get getRoute, post postRoute) {
	if h.Mail == nil {
		return
	}
	get("/admin/mail", staff.SeeSettings, h.showMailPage)
	get("/admin/mail.csv", staff.SeeSettings, h.exportMails)
	get("/admin/mail/:kind", staff.SeeSettings, h.showMailExamplePage)
	get("/admin/mail/:kind/html", staff.SeeSettings, h.showMailHTML)
	post("/admin/mail/:kind/test", staff.Work, "mail_test", h.sendTestMail)
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
