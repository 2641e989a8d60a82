package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// routes is every address of the till, one line each.
func (h *Handlers) routes(e *echo.Echo) {
	// Load balancers, monitors and link checkers ask with HEAD (RFC 9110, section 9.3.2).
	get := func(path string, show echo.HandlerFunc) {
		e.Match([]string{http.MethodGet, http.MethodHead}, path, show)
	}

	// Portals (wire.md section 1). foldWirePath has folded case and slashes before.
	e.Any("/ChargeStripeCustomerCard", h.paymentRequest)
	e.Any("/:format/:action/StripePaymentRequest", h.paymentRequest)
	e.Any("/api/StripePaymentRequest", h.paymentRequest)

	// Customers.
	get("/pay/:token", h.showOrderPage)
	e.POST("/pay/:token", h.startPayment, readForm)
	get("/pay/:token/return", h.showReturnPage)
	get("/pay/:token/cancel", h.leaveUnpaid)
	get("/pay/:token/receipt", h.showReceiptPage)
	get("/pay/:token/brand.css", h.brandCSS)

	get("/account/:link", h.showAccountPage)
	get("/account/:link/brand.css", h.accountCSS)
	get("/account/:link/receipts/:order", h.showAccountReceipt)
	e.POST("/account/:link/cards/:card/delete", h.removeCard, readForm)
	e.POST("/account/:link/cards/:card/label", h.labelCard, readForm)
	get("/logo/:tenant", h.showLogo)
	get("/logo/:tenant/:hash", h.showLogo)

	// Stripe.
	e.POST("/webhooks/stripe/:tenant", h.StripeWebhook)
	e.POST("/StripeWebHook/:tenant", h.StripeWebhook)

	// Operators, and whoever looks.
	get("/", h.showHomePage)
	get("/healthz", h.alive)
	get("/readyz", h.ready)
	get("/static/*", h.staticFile)
	get("/favicon.ico", h.favicon)
	get("/robots.txt", h.robots)

	// Staff: admin_routes.go.
	if h.Staff != nil {
		h.adminRoutes(e)
	}

	// Developers.
	e.Pre(foldDeveloperPath)
	get("/metadata", h.showOperationsPage)
	get("/:format/metadata", h.showOperationPage)
	get("/types", h.showTypeLinks)
	get("/types/:language", h.showTypes)
	get("/openapi.json", h.showOpenAPI)
	get("/reference", h.showReferencePage)
}
