package handlers

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/openid"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// OpenIDReturn is the path that a provider sends browsers back to; with the base URL it is
// what is registered there.
const OpenIDReturn = "/admin/sign-in/oidc/return"

// openIDRoutes are those of signing in with an OpenID provider; without one they are pages
// that do not exist.
func (h *Handlers) openIDRoutes(e *echo.Echo, get getRoute, post postRoute) {
	e.GET("/admin/sign-in/oidc", h.startOpenID, h.adminDoor, h.needsOpenID)
	e.GET(OpenIDReturn, h.returnFromOpenID, h.adminDoor, h.needsOpenID)
	get("/admin/again/oidc", staff.Own, h.needsOpenID(h.startOpenIDAgain))
	post("/admin/account/oidc", staff.Own, "", h.needsOpenID(h.startOpenIDLink))
	post("/admin/staff/:person/oidc/off", staff.ChangeStaff, "", h.unlinkStaff)
}

func (h *Handlers) needsOpenID(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if h.OpenID == nil {
			return echo.ErrNotFound
		}
		return next(c)
	}
}

// flowCookie is Lax, unlike the session's: the browser comes back from another site. It
// holds a sealed openid.Flow.
func (h *Handlers) flowCookie(value string, maxAge int) *http.Cookie {
	return &http.Cookie{Name: h.staffCookieName() + "_oidc", Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: h.sessions.secure, SameSite: http.SameSiteLaxMode}
}

// maxNext bounds what of an address goes into the cookie, whose limit is 4096 bytes (RFC
// 6265, section 6.1).
const maxNext = 1000

// beginOpenID begins a round in this browser and returns where it goes.
func (h *Handlers) beginOpenID(c echo.Context, p openid.Purpose, next string, another bool) (address string, err error) {
	if len(next) > maxNext {
		next = "/admin"
	}
	session := ""
	if had, _, err := h.cookieSession(c); err == nil {
		session = had.IDHash
	} else if !pay.IsNotFound(err) {
		return "", err
	}
	flow := h.OpenID.Begin(p, next, session)
	if address, err = h.OpenID.Address(c.Request().Context(), flow, another); err != nil {
		return "", err
	}
	sealed, err := h.OpenID.Seal(flow)
	if err != nil {
		return "", err
	}
	c.SetCookie(h.flowCookie(sealed, int(openid.FlowFor.Seconds())))
	return address, nil
}

// startOpenID is the button of the sign-in page. It is a link, because a form's policy
// would have to name every host that the provider leads through; so that no other site
// can press it, it wants to come from one of ours.
func (h *Handlers) startOpenID(c echo.Context) error {
	next := ownPage(c.QueryParam("next"))
	if fromElsewhere(c) {
		return c.Redirect(http.StatusSeeOther, "/admin/sign-in?next="+url.QueryEscape(next))
	}
	address, err := h.beginOpenID(c, openid.SignIn, next, c.QueryParam("other") != "")
	if err != nil {
		return h.openIDFault(c, openid.Flow{Purpose: openid.SignIn, Next: next}, err)
	}
	return c.Redirect(http.StatusSeeOther, address)
}

// fromElsewhere reports a request that another site made the browser send. A browser that
// does not tell is believed: all it could be made to do is to sign its own person in.
func fromElsewhere(c echo.Context) bool {
	site := c.Request().Header.Get("Sec-Fetch-Site")
	return site != "" && site != "same-origin" && site != "none"
}

// startOpenIDAgain has the provider ask who is there, in place of the password.
func (h *Handlers) startOpenIDAgain(c echo.Context) error {
	next := ownPage(c.QueryParam("next"))
	if !h.openIDLinked(staffOf(c)) {
		return c.Redirect(http.StatusSeeOther, "/admin/again?next="+url.QueryEscape(next))
	}
	address, err := h.beginOpenID(c, openid.Again, next, false)
	if err != nil {
		return h.openIDFault(c, openid.Flow{Purpose: openid.Again, Next: next}, err)
	}
	return c.Redirect(http.StatusSeeOther, address)
}

// startOpenIDLink is a form, unlike the others: what it leads to makes a new way in. It
// lets the person choose the account there, so that none is linked unseen.
func (h *Handlers) startOpenIDLink(c echo.Context) error {
	const account = "/admin/account"
	if asked, err := h.freshFirst(c, account); asked || err != nil {
		return err
	}
	address, err := h.beginOpenID(c, openid.Link, account, true)
	if err != nil {
		return h.openIDFault(c, openid.Flow{Purpose: openid.Link, Next: account}, err)
	}
	return h.leadOn(c, address, views.OpenIDView{Title: "On to the provider", Text: "Choose there the account that you want to sign in with here."})
}

// leadOn answers with a page that leads on by itself. Not a redirect: after a form the
// policy forbids one to another host, and coming from another site the session's Strict
// cookie would not be sent along (RFC 6265bis, section 5.2.1).
func (h *Handlers) leadOn(c echo.Context, address string, v views.OpenIDView) error {
	c.Response().Header().Set("Refresh", "0; url="+address)
	v.AdminFrame = h.bareFrame()
	v.Ways = []views.OpenIDWay{{Label: "Go on", URL: address, Main: true}}
	return page(c, http.StatusOK, views.OpenIDPage(v))
}

// returnFromOpenID is where the provider sends browsers back to. The address of this page
// holds the code, and goes nowhere else.
func (h *Handlers) returnFromOpenID(c echo.Context) error {
	c.Response().Header().Set("Referrer-Policy", "no-referrer")
	sealed := ""
	if kept, err := c.Cookie(h.flowCookie("", 0).Name); err == nil {
		sealed = kept.Value
	}
	flow, err := h.OpenID.Return(sealed, c.QueryParam("state"))
	if errors.Is(err, openid.ErrForeign) {
		return h.openIDFault(c, openid.Flow{Purpose: openid.SignIn, Next: "/admin"}, err) // and the round that this browser is in goes on
	}
	c.SetCookie(h.flowCookie("", -1))
	flow.Next = ownPage(flow.Next)
	if err != nil {
		return h.openIDFault(c, flow, err)
	}
	if code := c.QueryParam("error"); code != "" {
		cancelled, err := openid.ReturnFault(code)
		if cancelled {
			return h.openIDAnswer(c, flow, http.StatusUnauthorized, "You turned back", "The provider says that you turned back there, or may not sign in here. Nothing was changed.")
		}
		return h.openIDFault(c, flow, err)
	}
	ctx := c.Request().Context()
	if err := h.Staff.AdmitReturn(ctx, c.RealIP()); err != nil {
		return h.openIDFault(c, flow, err)
	}
	if says := c.QueryParam("iss"); says != "" && says != h.OpenID.Issuer { // RFC 9207
		return h.openIDFault(c, flow, openid.ErrForeign)
	}
	who, err := h.OpenID.Identify(ctx, flow, c.QueryParam("code"))
	if err == nil {
		err = h.takeOpenID(c, flow, staff.Identity(*who))
	}
	if err != nil {
		return h.openIDFault(c, flow, err)
	}
	return nil
}

// takeOpenID does what the round was for.
func (h *Handlers) takeOpenID(c echo.Context, flow openid.Flow, who staff.Identity) error {
	ctx, address := c.Request().Context(), c.RealIP()
	switch flow.Purpose {
	case openid.Again:
		if err := h.Staff.RefreshWith(ctx, flow.Session, who, flow.BegunAt, address); err != nil {
			return err
		}
		h.say(c, "Thank you. For ten minutes you are not asked again.")
		return h.leadOn(c, flow.Next, views.OpenIDView{Title: "Thank you", Text: "You are led back to where you were."})
	case openid.Link:
		if err := h.Staff.LinkOpenID(ctx, flow.Session, who, address); err != nil {
			return err
		}
		h.say(c, "From now on you can sign in with "+h.OpenIDLabel+".")
		return h.leadOn(c, flow.Next, views.OpenIDView{Title: "Linked", Text: "You are led back to your account."})
	}
	in, err := h.Staff.SignInWith(ctx, who, address)
	if err != nil {
		return err
	}
	if err := h.endOldByHash(c, flow.Session); err != nil {
		return err
	}
	if err := h.keepCookie(c, in.Token.Reveal()); err != nil {
		return err
	}
	if in.Session.AwaitsTOTP {
		return h.leadOn(c, "/admin/sign-in/code?next="+url.QueryEscape(flow.Next), views.OpenIDView{Title: "One more step", Text: "Your authenticator app has a code for you."})
	}
	return h.leadOn(c, flow.Next, views.OpenIDView{Title: "You are signed in", Text: "You are led on to the till."})
}

// endOldByHash is endOld for a browser whose Strict cookie did not come along.
func (h *Handlers) endOldByHash(c echo.Context, hash string) error {
	if hash == "" {
		return nil
	}
	ctx := c.Request().Context()
	session, err := h.Staff.Store.StaffSession(ctx, hash)
	if pay.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return h.Staff.SignOut(ctx, staff.By{Actor: session.PersonID, Address: c.RealIP()}, session, false)
}

// openIDLinked reports whether the person can show who they are at the provider that is
// set now.
func (h *Handlers) openIDLinked(p *staff.Person) bool {
	return h.OpenID != nil && p != nil && p.HasOpenID() && p.OpenIDIssuer == h.OpenID.Issuer
}

func (h *Handlers) unlinkStaff(c echo.Context) error {
	ctx, id := c.Request().Context(), storable(c.Param("person"))
	p, err := h.Staff.Store.StaffByID(ctx, id)
	if err == nil {
		err = h.Staff.UnlinkOpenID(ctx, byOf(c), id)
	}
	return h.staffChanged(c, p, err)
}
