package handlers

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/pay"
)

const requestIDKey = "request_id"

// requestID names every request, for the log and for support. A caller's own id
// is not taken: it would be written into our log.
func (h *Handlers) requestID(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		var raw [8]byte
		_, _ = rand.Read(raw[:]) // never fails since Go 1.24
		id := hex.EncodeToString(raw[:])
		c.Set(requestIDKey, id)
		c.Response().Header().Set(echo.HeaderXRequestID, id)
		return next(c)
	}
}

func requestIDOf(c echo.Context) string {
	id, _ := c.Get(requestIDKey).(string)
	return id
}

// accessLog writes the one canonical line of a request. It holds the route, not
// the address: a pay token in a log would be a key to an order, and a query may
// hold anything.
func (h *Handlers) accessLog(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		err := next(c)
		if err != nil {
			c.Error(err) // writes the answer, so that its status is known here
		}
		status, took := c.Response().Status, time.Since(start)
		route := c.Path()
		if route == "" {
			route = "(none)"
		}
		if h.Observe != nil {
			h.Observe(route, c.Request().Method, status, took.Seconds())
		}
		args := []any{"method", c.Request().Method, "route", route, "status", status, "ms", took.Milliseconds(),
			"bytes", c.Response().Size, "ip", c.RealIP(), requestIDKey, requestIDOf(c)}
		if err != nil {
			f := faultFrom(c, err)
			args = append(args, "code", string(f.code))
			if len(f.errors) > 0 {
				args = append(args, "field", f.errors[0].FieldName)
			}
		}
		switch {
		case status >= 500 && err != nil:
			h.Log.ErrorContext(c.Request().Context(), "request", append(args, "error", err)...)
		case strings.HasPrefix(route, "/healthz"), strings.HasPrefix(route, "/readyz"), strings.HasPrefix(route, "/static"):
			h.Log.DebugContext(c.Request().Context(), "request", args...)
		default:
			h.Log.InfoContext(c.Request().Context(), "request", args...)
		}
		return nil
	}
}

// recoverPanic turns a panic into a 500 whose cause is in the log only.
func (h *Handlers) recoverPanic(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if r := recover(); r != nil {
				if r == http.ErrAbortHandler {
					panic(r)
				}
				h.Log.ErrorContext(c.Request().Context(), "panic", "panic", fmt.Sprint(r), "stack", string(debug.Stack()), requestIDKey, requestIDOf(c))
				err = errors.New("a handler panicked")
			}
		}()
		return next(c)
	}
}

// securityHeaders are on every answer. Stripe's Checkout is reached by a redirect
// that answers a form, so form-action must name it, and return pages may lead to
// any allowed origin of the tenant's: hence https: there.
func securityHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		head := c.Response().Header()
		head.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; "+
			"form-action 'self' https: http://127.0.0.1:* http://localhost:*; base-uri 'none'; frame-ancestors 'none'")
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("X-Frame-Options", "DENY")
		head.Set("Referrer-Policy", "no-referrer")
		head.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		head.Set("Cache-Control", "no-store")
		return next(c)
	}
}

// crossOrigin refuses what another site makes a browser post to us. Portals'
// servers and Stripe send neither Origin nor Sec-Fetch-Site, and pass.
func (h *Handlers) crossOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	guard := http.NewCrossOriginProtection()
	if err := guard.AddTrustedOrigin(h.Pay.BaseURL); err != nil {
		panic("handlers: the base URL is not an origin: " + err.Error())
	}
	return func(c echo.Context) error {
		// Portals' routes carry their own credential, a key or a signed pass, and no
		// cookie counts there.
		if _, portal := callOf(c); portal {
			return next(c)
		}
		if err := guard.Check(c.Request()); err != nil {
			return &pay.Error{Code: pay.CodeForbidden, Message: "This form was sent from another site. Open the page here and try again.", Err: err}
		}
		return next(c)
	}
}

// maxForm is how much a customer's browser may post. Our forms have a few short
// fields.
const maxForm = 64 << 10

// readForm reads what a customer's browser posts, within maxForm: net/http would
// take 10 MB of it, and FormValue would keep silent about what does not fit.
func readForm(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		raw, err := io.ReadAll(http.MaxBytesReader(c.Response(), r.Body, maxForm))
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return echo.ErrStatusRequestEntityTooLarge
		}
		if err == nil {
			r.Body = io.NopCloser(bytes.NewReader(raw))
			err = r.ParseForm()
		}
		if err != nil {
			return &echo.HTTPError{Code: http.StatusBadRequest, Internal: err}
		}
		return next(c)
	}
}

func prefixNet(p netip.Prefix) *net.IPNet {
	p = p.Masked()
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// detached is a context for work that must not die with the customer's
// connection: a settle that was begun is finished.
func detached(c echo.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(c.Request().Context()), 45*time.Second)
}
