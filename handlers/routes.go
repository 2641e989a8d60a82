package handlers

import (
	"github.com/labstack/echo/v4"
)

// routes is every address of the till, one line each.
func (h *Handlers) routes(e *echo.Echo) {
	// Portals (wire.md section 1). foldWirePath has folded case and slashes before.
	e.Any("/ChargeStripeCustomerCard", h.paymentRequest)
	e.Any("/:format/:action/StripePaymentRequest", h.paymentRequest)
	e.Any("/api/StripePaymentRequest", h.paymentRequest)

	// Customers.
	e.GET("/pay/:token", h.showOrderPage)
	e.POST("/pay/:token", h.startPayment)
	e.GET("/pay/:token/return", h.showReturnPage)
	e.GET("/pay/:token/cancel", h.leaveUnpaid)
	e.GET("/pay/:token/receipt", h.showReceiptPage)
	e.GET("/pay/:token/brand.css", h.brandCSS)

	// Stripe.
	e.POST("/webhooks/stripe/:tenant", h.StripeWebhook)
	e.POST("/StripeWebHook/:tenant", h.StripeWebhook)

	// Operators, and whoever looks.
	e.GET("/", h.showHomePage)
	e.GET("/healthz", h.alive)
	e.GET("/readyz", h.ready)
	e.GET("/static/*", h.staticFile)
	e.GET("/favicon.ico", h.favicon)
	e.GET("/robots.txt", h.robots)
}
