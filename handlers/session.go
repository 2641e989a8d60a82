package handlers

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/sessions"
	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/pay"
)

// SessionRows keeps sessions in the database, by the hash of the cookie's id. A
// session that is unknown or over is pay.CodeNotFound.
type SessionRows interface {
	LoadSession(ctx context.Context, hash string, now time.Time) ([]byte, error)
	SaveSession(ctx context.Context, hash string, data []byte, expires, now time.Time) error
	DeleteSession(ctx context.Context, hash string) error
}

const (
	// deviceLife is how long a browser is remembered as the one that paid.
	deviceLife = 180 * 24 * time.Hour
	// deviceOrders is how many orders a browser is remembered for, the latest ones.
	deviceOrders = 50
	ordersKey    = "orders"
)

// rowStore is gorilla's session store on SessionRows. The cookie holds a random id
// and nothing else, so that a session can be ended here; a cookie that cannot be
// read is a visitor without one.
type rowStore struct {
	rows   SessionRows
	now    func() time.Time
	secure bool
}

// Get implements sessions.Store.
func (s *rowStore) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(s, name)
}

// New implements sessions.Store: the session of the cookie, or a fresh one.
func (s *rowStore) New(r *http.Request, name string) (*sessions.Session, error) {
	session := sessions.NewSession(s, name)
	session.IsNew = true
	session.Options = &sessions.Options{Path: "/", MaxAge: int(deviceLife.Seconds()), HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode}
	cookie, err := r.Cookie(name)
	if err != nil || len(cookie.Value) != 43 {
		return session, nil
	}
	data, err := s.rows.LoadSession(r.Context(), hashID(cookie.Value), s.now())
	if pay.IsNotFound(err) {
		return session, nil
	}
	if err != nil {
		return session, err
	}
	var orders []string
	if json.Unmarshal(data, &orders) != nil {
		return session, nil
	}
	session.ID, session.IsNew = cookie.Value, false
	session.Values[ordersKey] = orders
	return session, nil
}

// Save implements sessions.Store.
func (s *rowStore) Save(r *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	if session.ID == "" {
		var raw [32]byte
		_, _ = rand.Read(raw[:]) // never fails since Go 1.24
		session.ID = base64.RawURLEncoding.EncodeToString(raw[:])
	}
	orders, _ := session.Values[ordersKey].([]string)
	data, err := json.Marshal(orders)
	if err != nil {
		return err
	}
	if err := s.rows.SaveSession(r.Context(), hashID(session.ID), data, s.now().Add(deviceLife), s.now()); err != nil {
		return err
	}
	http.SetCookie(w, sessions.NewCookie(session.Name(), session.ID, session.Options))
	return nil
}

func hashID(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

// cookieName has the prefix that keeps other hosts and plain http from setting it,
// where we are reached by https.
func (h *Handlers) cookieName() string {
	if strings.HasPrefix(h.Pay.BaseURL, "https://") {
		return "__Host-portatill"
	}
	return "portatill"
}

// rememberDevice notes that this browser was sent to pay the order. It is a
// comfort: when it fails the payment goes on.
func (h *Handlers) rememberDevice(c echo.Context, order string) {
	session, err := h.sessions.Get(c.Request(), h.cookieName())
	if err == nil {
		orders, _ := session.Values[ordersKey].([]string)
		if slices.Contains(orders, order) {
			return
		}
		orders = append(orders, order)
		session.Values[ordersKey] = orders[max(0, len(orders)-deviceOrders):]
		err = session.Save(c.Request(), c.Response())
	}
	if err != nil {
		h.Log.WarnContext(c.Request().Context(), "the browser could not be remembered", "error", err)
	}
}

// paidHere reports whether this browser is the one that was sent to pay.
func (h *Handlers) paidHere(c echo.Context, order string) bool {
	session, err := h.sessions.Get(c.Request(), h.cookieName())
	if err != nil {
		return false
	}
	orders, _ := session.Values[ordersKey].([]string)
	return slices.Contains(orders, order)
}
