package handlers

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
)

// operationName is the one operation of the protocol, as its paths name it.
const operationName = "StripePaymentRequest"

// wireCall is what a portal's address says: which route, which format, whether an
// answer is wanted, whether the body is an array (wire.md section 1.1).
type wireCall struct {
	user      bool        // /ChargeStripeCustomerCard: formats by headers
	api       bool        // /api/…: JSON unless a suffix says otherwise
	format    wire.Format // the path's; 0 on the user route without a suffix
	oneWay    bool
	batch     bool
	operation string // as the caller wrote it
}

const wireCallKey = "wire_call"

func callOf(c echo.Context) (*wireCall, bool) {
	call, ok := c.Get(wireCallKey).(*wireCall)
	return call, ok
}

// foldWirePath recognises the portals' addresses, whose case ServiceStack ignores
// in every segment, and folds them to the routes that the router knows. Trailing
// and doubled slashes are accepted as IIS does.
func foldWirePath(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		u := c.Request().URL
		call, path, known := parseWirePath(u.Path)
		if known {
			c.Set(wireCallKey, call)
			u.Path, u.RawPath = path, ""
		}
		return next(c)
	}
}

// parseWirePath returns the call and the route it is folded to.
func parseWirePath(path string) (*wireCall, string, bool) {
	if strings.Contains(path, "\\") || !strings.HasPrefix(path, "/") {
		return nil, "", false
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	name := parts[len(parts)-1]
	call := &wireCall{operation: name}
	switch len(parts) {
	case 1:
		base, suffix, dotted := strings.Cut(name, ".")
		if !strings.EqualFold(base, "ChargeStripeCustomerCard") {
			return nil, "", false
		}
		call.user, call.operation = true, operationName
		if dotted && !call.takeSuffix(suffix) {
			return nil, "", false
		}
		return call, "/ChargeStripeCustomerCard", true
	case 2:
		if !strings.EqualFold(parts[0], "api") {
			return nil, "", false
		}
		call.api, call.format = true, wire.JSON
		call.takeBatch()
		base, suffix, dotted := strings.Cut(call.operation, ".")
		if call.operation = base; dotted && !call.takeSuffix(suffix) {
			return nil, "", false
		}
		return call, "/api/" + operationName, true
	case 3:
		format, ok := wire.ParseFormat(parts[0])
		action := strings.ToLower(parts[1])
		if !ok || format == wire.Form || !slices.Contains([]string{"reply", "syncreply", "oneway", "asynconeway"}, action) {
			return nil, "", false
		}
		call.format, call.oneWay = format, strings.HasSuffix(action, "oneway")
		call.takeBatch()
		return call, "/" + format.String() + "/" + action + "/" + operationName, true
	}
	return nil, "", false
}

func (w *wireCall) takeSuffix(suffix string) bool {
	format, ok := wire.ParseFormat(suffix)
	w.format = format
	return ok && format != wire.Form
}

func (w *wireCall) takeBatch() {
	w.operation, w.batch = strings.CutSuffix(w.operation, "[]")
}

// refuse says why the call cannot be a StripePaymentRequest, nil when it can
// (wire.md 1.6): the user route has only POST and is not found otherwise; the
// pre-defined ones know the operation and lack the method.
func (w *wireCall) refuse(method string) error {
	if !strings.EqualFold(w.operation, operationName) {
		return &wire.Error{ErrorCode: string(pay.CodeNotImplemented), Message: "The operation does not exist for this service; it has " + operationName + "."}
	}
	if method == http.MethodPost {
		return nil
	}
	if w.user {
		return echo.ErrNotFound
	}
	verb := "That"
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		verb = method[:1] + strings.ToLower(method[1:])
	}
	return &wire.Error{ErrorCode: string(pay.CodeNotImplemented), Message: "Could not find method named " + verb + "(" + operationName +
		") or Any(" + operationName + ") on Service; use POST."}
}

// methodOf is the request's method, or the one that X-HTTP-Method-Override puts in
// its place. Only the header counts and only on a POST, so that no link and no
// form can become a charge (wire.md 1.5).
func methodOf(r *http.Request) string {
	if override := r.Header.Get("X-HTTP-Method-Override"); override != "" && r.Method == http.MethodPost {
		return strings.ToUpper(override)
	}
	return r.Method
}

// allowCORS answers for browsers on the configured origins. It reports whether
// the request was a preflight and is answered.
func (h *Handlers) allowCORS(c echo.Context) bool {
	origin := c.Request().Header.Get("Origin")
	if origin == "" || len(h.CORSOrigins) == 0 {
		return false
	}
	head := c.Response().Header()
	head.Add("Vary", "Origin")
	if !slices.Contains(h.CORSOrigins, origin) {
		return false
	}
	head.Set("Access-Control-Allow-Origin", origin)
	head.Set("Access-Control-Allow-Credentials", "true")
	if c.Request().Method != http.MethodOptions {
		return false
	}
	head.Set("Access-Control-Allow-Methods", "POST, OPTIONS")
	head.Set("Access-Control-Allow-Headers", "Content-Type, Authorization, X-Api-Key, Idempotency-Key")
	head.Set("Access-Control-Max-Age", "600")
	return true
}
