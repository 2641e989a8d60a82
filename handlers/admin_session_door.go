package handlers

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gorilla/sessions"
	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// staffCookies is gorilla's session store for the staff: the cookie holds a random
// id and nothing else, and what belongs to it is internal/staff's.
type staffCookies struct{ secure bool }

// Get implements sessions.Store.
func (s *staffCookies) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(s, name)
}

// New implements sessions.Store. The cookie ends with the browser; how long it is
// good is decided by the row. Strict, because no other site has a reason to lead
// into these pages signed in.
func (s *staffCookies) New(r *http.Request, name string) (*sessions.Session, error) {
	session := sessions.NewSession(s, name)
	session.IsNew = true
	session.Options = &sessions.Options{Path: "/", HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteStrictMode}
	if cookie, err := r.Cookie(name); err == nil && len(cookie.Value) == 43 {
		session.ID, session.IsNew = cookie.Value, false
	}
	return session, nil
}

// Save implements sessions.Store.
func (s *staffCookies) Save(_ *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	http.SetCookie(w, sessions.NewCookie(session.Name(), session.ID, session.Options))
	return nil
}

func (h *Handlers) staffCookieName() string {
	if h.sessions.secure {
		return "__Host-portatill_staff"
	}
	return "portatill_staff"
}

// keepCookie gives the browser the cookie of a session; "" takes it away.
func (h *Handlers) keepCookie(c echo.Context, token string) error {
	session, err := h.staffCookies.Get(c.Request(), h.staffCookieName())
	if err != nil {
		return err
	}
	session.ID = token
	if token == "" {
		session.Options.MaxAge = -1
	}
	return session.Save(c.Request(), c.Response())
}

// cookieSession is the session of the request's cookie; CodeNotFound without one
// that is good.
func (h *Handlers) cookieSession(c echo.Context) (*staff.Session, *staff.Person, error) {
	cookie, err := h.staffCookies.Get(c.Request(), h.staffCookieName())
	if err != nil {
		return nil, nil, err
	}
	if cookie.IsNew {
		return nil, nil, pay.Errorf(pay.CodeNotFound, "", "Nobody is signed in.")
	}
	return h.Staff.Session(c.Request().Context(), pay.Secret(cookie.ID))
}

// adminDoor is around every /admin page, also those without a sign-in: its headers,
// where its forms may come from, and its errors.
func (h *Handlers) adminDoor(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		head := c.Response().Header()
		head.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; "+
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		// With no-referrer, a browser without Sec-Fetch-Site would send "Origin: null" with
		// our own forms (fetch.spec.whatwg.org/#append-a-request-origin-header).
		head.Set("Referrer-Policy", "same-origin")
		head.Set("Cache-Control", "no-store")
		err := h.sameScheme(c)
		if err == nil {
			err = next(c)
		}
		if err == nil || c.Response().Committed {
			return err
		}
		f := faultFrom(c, err)
		if f.retryAfter > 0 {
			head.Set("Retry-After", retrySeconds(f.retryAfter))
		}
		v := views.AdminErrorView{AdminFrame: h.adminFrame(c), Status: f.status, RequestID: f.request, Message: f.message}
		if f.status == http.StatusNotFound {
			v.Message = "There is no such page, or it is not yours to see."
		}
		if pageErr := page(c, f.status, views.AdminErrorPage(v)); pageErr != nil {
			h.Log.ErrorContext(c.Request().Context(), "the error could not be answered", "error", pageErr, requestIDKey, f.request)
		}
		return err
	}
}

// sameScheme refuses a form of our host's http:// twin, which CrossOriginProtection
// lets through when the browser sends no Sec-Fetch-Site: it compares hosts.
func (h *Handlers) sameScheme(c echo.Context) error {
	r := c.Request()
	origin := r.Header.Get("Origin")
	if r.Method == http.MethodGet || r.Method == http.MethodHead || origin == "" || r.Header.Get("Sec-Fetch-Site") != "" {
		return nil
	}
	if scheme, _, _ := strings.Cut(h.Pay.BaseURL, "://"); !strings.HasPrefix(origin, scheme+"://") {
		return pay.Errorf(pay.CodeForbidden, "", "This form was sent from another site. Open the page here and try again.")
	}
	return nil
}

// mustSignIn lets only those through who are signed in, and says who they are. All
// others get the sign-in page in place of what they asked for.
func (h *Handlers) mustSignIn(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		session, person, err := h.cookieSession(c)
		if err != nil && !pay.IsNotFound(err) {
			return err
		}
		if err != nil || session.AwaitsTOTP {
			at := "/admin"
			if c.Request().Method == http.MethodGet {
				at = c.Request().URL.RequestURI()
			}
			return page(c, http.StatusUnauthorized, views.SignInPage(views.SignInView{AdminFrame: h.adminFrame(c), Next: ownPage(at)}))
		}
		in := &signedIn{person: person, session: session}
		if person.TenantID != "" {
			t, err := h.Pay.Store.TenantByID(c.Request().Context(), person.TenantID)
			if err != nil {
				return err
			}
			in.tenantName = t.Name
		}
		c.Set(signedInKey, in)
		return next(c)
	}
}

// permit lets only those through whose role allows the action, and asks for the
// password again before a dangerous one. What it refuses is in the audit log.
func (h *Handlers) permit(may staff.Action) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			changes := c.Request().Method == http.MethodPost
			if !staffOf(c).Role.May(may) {
				return h.refused(c, may, pay.Errorf(pay.CodeForbidden, "", "Your role does not allow this. An operator can change it."), "role")
			}
			if changes && may.Dangerous() && !h.Staff.Fresh(staffSessionOf(c)) {
				v := views.AgainView{AdminFrame: h.adminFrame(c), Next: h.cameFrom(c), Kept: keptForm(c)}
				if err := h.refused(c, may, nil, "password asked again"); err != nil {
					return err
				}
				return page(c, http.StatusForbidden, views.AgainPage(v))
			}
			return next(c)
		}
	}
}

// refused records that something was not let through, and returns why.
func (h *Handlers) refused(c echo.Context, may staff.Action, why error, short string) error {
	by := byOf(c)
	if err := h.Staff.Record(c.Request().Context(), &staff.Entry{Actor: by.Actor, Address: by.Address, TenantID: staffOf(c).TenantID,
		What: string(may), Subject: c.Request().Method + " " + c.Path(), Refused: true, After: short}); err != nil {
		return err
	}
	return why
}

const auditKey = "audit"

// audited records what a form of the staff's pages did, or that it failed: one entry
// for each, with what the handler told by auditOf. Actions of internal/staff record
// themselves, in their own transaction, and do not need it.
func (h *Handlers) audited(what string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			by := byOf(c)
			e := &staff.Entry{Actor: by.Actor, Address: by.Address, TenantID: staffOf(c).TenantID, What: what}
			c.Set(auditKey, e)
			err := next(c)
			if err != nil || c.Response().Status >= http.StatusBadRequest {
				e.Refused = true
				if e.After == "" && err != nil {
					e.After = string(faultFrom(c, err).code)
				}
			}
			// Done is done: a browser that went away does not keep it out of the log.
			ctx, cancel := detached(c)
			defer cancel()
			if logErr := h.Staff.Record(ctx, e); logErr != nil {
				h.Log.ErrorContext(ctx, "an action is not in the audit log", "what", what, "actor", e.Actor, "subject", e.Subject, "error", logErr, requestIDKey, requestIDOf(c))
				if err == nil && !c.Response().Committed {
					return logErr
				}
			}
			return err
		}
	}
}

// auditOf is the entry that audited will write; a handler fills in Subject, TenantID,
// Before and After: ids and short texts without secrets or personal data.
func auditOf(c echo.Context) *staff.Entry {
	if e, ok := c.Get(auditKey).(*staff.Entry); ok {
		return e
	}
	return &staff.Entry{}
}

// ownPage is an address that a sign-in may lead to: a staff page of ours and nothing
// else, whatever the form says.
func ownPage(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Opaque != "" || strings.ContainsAny(address, "\\\r\n\t") ||
		u.Path != "/admin" && !strings.HasPrefix(u.Path, "/admin/") || strings.HasPrefix(u.Path, "/admin/sign-") || strings.HasPrefix(u.Path, "/admin/again") {
		return "/admin"
	}
	return (&url.URL{Path: u.Path, RawQuery: u.RawQuery}).String()
}

// cameFrom is the page of ours that a form was on.
func (h *Handlers) cameFrom(c echo.Context) string {
	u, err := url.Parse(c.Request().Referer())
	if err != nil {
		return "/admin"
	}
	return ownPage((&url.URL{Path: u.Path, RawQuery: u.RawQuery}).String())
}
