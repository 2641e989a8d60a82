package handlers

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// retrySeconds is a Retry-After header's value, a second at least.
func retrySeconds(d time.Duration) string { return strconv.Itoa(max(1, int(d.Seconds()))) }

func (h *Handlers) showSignInPage(c echo.Context) error {
	if session, _, err := h.cookieSession(c); err == nil && !session.AwaitsTOTP {
		return c.Redirect(http.StatusSeeOther, "/admin")
	}
	return page(c, http.StatusOK, views.SignInPage(views.SignInView{AdminFrame: h.adminFrame(c), Next: ownPage(c.QueryParam("next"))}))
}

// formFault is a form that is shown again: what to tell, and the status. ok is false
// for an error that is no answer to the form.
func formFault(c echo.Context, err error) (f fault, ok bool) {
	switch pay.CodeOf(err) {
	case pay.CodeForbidden, pay.CodeBadRequest, pay.CodeConflict, pay.CodeTooManyRequests:
	default:
		return f, false
	}
	f = faultFrom(c, err)
	if f.retryAfter > 0 {
		c.Response().Header().Set("Retry-After", retrySeconds(f.retryAfter))
	}
	if f.status == http.StatusBadRequest {
		f.status = http.StatusUnprocessableEntity
	}
	if e, ok := errors.AsType[*pay.Error](err); ok {
		f.message = e.Message // without the field's name, which is the API's
	}
	return f, true
}

func (h *Handlers) signIn(c echo.Context) error {
	email, next := storable(c.FormValue("email")), ownPage(c.FormValue("next"))
	in, err := h.Staff.SignIn(c.Request().Context(), email, pay.Secret(c.FormValue("password")), c.RealIP())
	if f, ok := formFault(c, err); ok {
		status := f.status
		if status == http.StatusForbidden {
			status = http.StatusUnauthorized
		}
		return page(c, status, views.SignInPage(views.SignInView{AdminFrame: h.adminFrame(c), Email: email, Next: next, Message: f.message}))
	}
	if err != nil {
		return err
	}
	if err := h.endOld(c); err != nil {
		return err
	}
	if err := h.keepCookie(c, in.Token.Reveal()); err != nil {
		return err
	}
	if in.Session.AwaitsTOTP {
		return c.Redirect(http.StatusSeeOther, "/admin/sign-in/code?next="+url.QueryEscape(next))
	}
	return c.Redirect(http.StatusSeeOther, next)
}

// endOld ends the session that the browser had before: a new sign-in replaces it.
func (h *Handlers) endOld(c echo.Context) error {
	session, person, err := h.cookieSession(c)
	if pay.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return h.Staff.SignOut(c.Request().Context(), staff.By{Actor: person.ID, Address: c.RealIP()}, session, false)
}

func (h *Handlers) showCodePage(c echo.Context) error {
	session, _, err := h.cookieSession(c)
	if pay.IsNotFound(err) || err == nil && !session.AwaitsTOTP {
		return c.Redirect(http.StatusSeeOther, "/admin/sign-in")
	}
	if err != nil {
		return err
	}
	return page(c, http.StatusOK, views.CodePage(views.CodeView{AdminFrame: h.adminFrame(c), Next: ownPage(c.QueryParam("next"))}))
}

func (h *Handlers) giveCode(c echo.Context) error {
	next := ownPage(c.FormValue("next"))
	session, _, err := h.cookieSession(c)
	if pay.IsNotFound(err) || err == nil && !session.AwaitsTOTP {
		v := views.SignInView{AdminFrame: h.adminFrame(c), Next: next, Message: "That took too long. Sign in again."}
		return page(c, http.StatusUnauthorized, views.SignInPage(v))
	}
	if err != nil {
		return err
	}
	in, err := h.Staff.GiveCode(c.Request().Context(), session, storable(c.FormValue("code")), c.RealIP())
	if f, ok := formFault(c, err); ok {
		status := f.status
		if status == http.StatusForbidden {
			status = http.StatusUnauthorized
		}
		return page(c, status, views.CodePage(views.CodeView{AdminFrame: h.adminFrame(c), Next: next, Message: f.message}))
	}
	if err != nil {
		return err
	}
	if err := h.keepCookie(c, in.Token.Reveal()); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, next)
}

func (h *Handlers) showAgainPage(c echo.Context) error {
	return page(c, http.StatusOK, views.AgainPage(views.AgainView{AdminFrame: h.adminFrame(c), Next: ownPage(c.QueryParam("next"))}))
}

func (h *Handlers) signInAgain(c echo.Context) error {
	next := ownPage(c.FormValue("next"))
	err := h.Staff.Refresh(c.Request().Context(), byOf(c), staffSessionOf(c), pay.Secret(c.FormValue("password")))
	if f, ok := formFault(c, err); ok {
		return page(c, f.status, views.AgainPage(views.AgainView{AdminFrame: h.adminFrame(c), Next: next, Message: f.message}))
	}
	if err != nil {
		return err
	}
	h.say(c, "Thank you. For ten minutes you are not asked again.")
	return c.Redirect(http.StatusSeeOther, next)
}

func (h *Handlers) signOut(c echo.Context) error {
	if err := h.Staff.SignOut(c.Request().Context(), byOf(c), staffSessionOf(c), c.FormValue("everywhere") != ""); err != nil {
		return err
	}
	if err := h.keepCookie(c, ""); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/admin/sign-in")
}
