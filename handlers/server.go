// Package handlers is the door for people and portals: HTTP in, page or DTO out.
// A handler binds the request, makes one call and answers; formats, errors and
// the page frame live in files of their own. It must not know SQL, Stripe's SDK,
// or any rule about money.
package handlers

import (
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/portatill/portatill/internal/backoffice"
	"github.com/portatill/portatill/internal/daybook"
	"github.com/portatill/portatill/internal/mail"
	"github.com/portatill/portatill/internal/openid"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/internal/tenantset"
	"github.com/portatill/portatill/pay"
)

// Options wires the handlers.
type Options struct {
	Pay     *pay.Service
	Log     *slog.Logger
	Version string
	// Sandbox is set when Stripe is a double; its pages say so. SandboxURL is the
	// double's page, and Curl a command that starts a payment, for the home page.
	Sandbox    bool
	SandboxURL string
	Curl       string
	// TrustedProxies are the networks whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// CORSOrigins are the origins whose scripts may call the portals' routes.
	CORSOrigins []string
	// Sessions keeps browsers' sessions.
	Sessions SessionRows
	// Logos keeps tenants' logos.
	Logos LogoRows
	// Staff is who may look after the books; nil: there are no staff pages.
	Staff *staff.Service
	// OpenID is the provider that the staff may sign in with, and OpenIDLabel what the button
	// calls it; nil and "": there is none.
	OpenID      *openid.Client
	OpenIDLabel string
	// Backoffice reads the staff's lists; needed with Staff.
	Backoffice backoffice.Reader
	// Books and Runs are what the staff's pages of the books read, and the work that they
	// start; both are there where Staff is.
	Books BookRows
	Runs  Runs
	// Tenants changes tenants, Examine makes the doctor's checks and Installation tells
	// what is running, for the staff's pages.
	Tenants      *tenantset.Service
	Examine      Examiner
	Installation InstallationReader
	// Mail is the mails; nil: there are no pages about them.
	Mail *mail.Post
	// StripeWebhook receives Stripe's deliveries.
	StripeWebhook echo.HandlerFunc
	// Ready says why the till cannot work, nil when it can; for /readyz.
	Ready func(r *http.Request) error
	// Observe is told of every answered request, for metrics; may be nil.
	Observe func(route, method string, status int, seconds float64)
}

// Handlers holds what the handlers share. Its methods are safe for concurrent use.
type Handlers struct {
	Options
	sessions *rowStore
	// staffCookies and adminPages are the staff pages': see admin_routes.go.
	staffCookies *staffCookies
	adminPages   map[string]bool
	// daybook is what the overview remembers of each day.
	daybook    *daybook.Book
	doctorRuns doctorRuns
	// badKeys counts refused licence keys by the caller's address.
	badKeys middleware.RateLimiterStore
}

// How many refused licence keys an address may send: a burst, then a few a second.
// A good key is never held up.
const (
	badKeyBurst     = 200
	badKeysASecond  = 2
	badKeysRemember = 10 * time.Minute
)

// New returns the HTTP handler of the till.
func New(o Options) http.Handler {
	h := &Handlers{Options: o, sessions: &rowStore{rows: o.Sessions, now: o.Pay.Now, secure: strings.HasPrefix(o.Pay.BaseURL, "https://")},
		badKeys: middleware.NewRateLimiterMemoryStoreWithConfig(middleware.RateLimiterMemoryStoreConfig{Rate: badKeysASecond, Burst: badKeyBurst, ExpiresIn: badKeysRemember})}
	h.staffCookies = &staffCookies{secure: h.sessions.secure}
	h.daybook = &daybook.Book{Source: o.Books, Now: o.Pay.Now}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = clientIP(o.TrustedProxies)
	e.HTTPErrorHandler = h.answerError
	e.Pre(foldWirePath)
	e.Use(h.requestID, h.accessLog, h.recoverPanic, securityHeaders,
		middleware.GzipWithConfig(middleware.GzipConfig{MinLength: 1024}), h.crossOrigin)
	h.routes(e)
	return e
}

// clientIP reads the caller's address from the connection, and from
// X-Forwarded-For only where a trusted proxy wrote it.
func clientIP(trusted []netip.Prefix) echo.IPExtractor {
	if len(trusted) == 0 {
		return echo.ExtractIPDirect()
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range trusted {
		options = append(options, echo.TrustIPRange(prefixNet(p)))
	}
	return echo.ExtractIPFromXFFHeader(options...)
}
