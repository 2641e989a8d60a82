package handlers

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/openid"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// openIDSays is what is told when a round came to nothing. What an operator needs is in
// the log, under the request's id, which the page shows.
var openIDSays = map[openid.Kind]struct {
	status      int
	title, text string
}{
	openid.Unavailable: {http.StatusServiceUnavailable, "The provider does not answer", "Nothing is wrong with your account. Try again in a minute, or use your password."},
	openid.Misset:      {http.StatusBadGateway, "The provider did not take our question", "The till's settings and the provider's do not fit together. An operator finds in the log what to change; your password works meanwhile."},
	openid.Refused:     {http.StatusBadRequest, "That way back was used before", "It is good once, and for a few minutes. Nobody was signed in: try again."},
	openid.Unproven:    {http.StatusBadGateway, "The provider's answer cannot be believed", "It is not what it must be, so nobody was signed in. Try again; if it stays so, tell an operator, who finds the reason in the log."},
	openid.ClockOff:    {http.StatusBadGateway, "Two clocks disagree", "The provider's clock and the till's are too far apart, so nobody was signed in. Tell an operator; your password works meanwhile."},
}

// openIDFault shows why a round came to nothing. What cannot be told by a page of its own
// is returned.
func (h *Handlers) openIDFault(c echo.Context, flow openid.Flow, err error) error {
	switch {
	case errors.Is(err, openid.ErrForeign):
		return h.openIDAnswer(c, flow, http.StatusBadRequest, "That sign-in was not begun here",
			"The way back belongs to a round that this browser did not begin, or it has forgotten it. Nobody was signed in: begin here. If it comes again, let your browser take cookies of this site.")
	case errors.Is(err, openid.ErrOver):
		return h.openIDAnswer(c, flow, http.StatusBadRequest, "That took too long", "The way back from the provider is good once, and for ten minutes. Nobody was signed in: try again.")
	case pay.IsNotFound(err) && flow.Purpose != openid.SignIn:
		flow.Purpose = openid.SignIn
		return h.openIDAnswer(c, flow, http.StatusUnauthorized, "Your session is over", "It ended while you were at the provider. Nothing was changed: sign in again.")
	}
	if f, ok := errors.AsType[*openid.Fault](err); ok {
		says := openIDSays[f.Kind]
		if says.status == http.StatusServiceUnavailable {
			c.Response().Header().Set("Retry-After", "10")
		}
		h.Log.WarnContext(c.Request().Context(), "signing in with the OpenID provider failed", "kind", string(f.Kind), "what", f.What, requestIDKey, requestIDOf(c))
		return h.openIDAnswer(c, flow, says.status, says.title, says.text)
	}
	if f, ok := formFault(c, err); ok {
		title := map[openid.Purpose]string{openid.SignIn: "You are not signed in", openid.Again: "That did not show who you are", openid.Link: "The account is not linked"}[flow.Purpose]
		return h.openIDAnswer(c, flow, f.status, title, f.message)
	}
	return err
}

// openIDAnswer is a page with the ways on from where a round ended.
func (h *Handlers) openIDAnswer(c echo.Context, flow openid.Flow, status int, title, text string) error {
	next := "?next=" + url.QueryEscape(flow.Next)
	v := views.OpenIDView{AdminFrame: h.adminFrame(c), Title: title, Text: text}
	switch flow.Purpose {
	case openid.Again:
		v.Ways = []views.OpenIDWay{{Label: "Back", URL: "/admin/again" + next, Main: true}}
	case openid.Link:
		v.Ways = []views.OpenIDWay{{Label: "Back to your account", URL: "/admin/account", Main: true}}
	default:
		v.Ways = []views.OpenIDWay{{Label: "Try again", URL: "/admin/sign-in/oidc" + next, Main: true}, {Label: "Sign in with your password", URL: "/admin/sign-in" + next}}
		if status == http.StatusForbidden {
			// The provider remembers who was there, and would only bring them back again.
			v.Ways[0] = views.OpenIDWay{Label: "Use another account", URL: "/admin/sign-in/oidc" + next + "&other=1", Main: true}
		}
	}
	if status >= http.StatusInternalServerError {
		v.RequestID = requestIDOf(c)
	}
	return page(c, status, views.OpenIDPage(v))
}
