// Package webhooks receives what Stripe tells us: limit, raw body, signature,
// inbox, status, in that order, and nothing else. An event is a hint to ask
// Stripe; only its ids are used, so that an event of another API version, or one
// whose payload lies, settles like any other. It must not know what an event
// means for the money; that is pay's.
package webhooks

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/portatill/portatill/pay"
)

const (
	// maxBody is how much of a delivery is read; Stripe's own events are far smaller.
	maxBody = 1 << 20
	// tolerance is how far a signature's time may be from ours, both ways
	// (docs.stripe.com/webhooks, "Preventing replay attacks", for the past).
	tolerance = 300 * time.Second
)

// Answer is what became of a delivery, for metrics.
type Answer string

// The answers: stored and repeated ones are 200; forged ones 400.
const (
	AnswerStored    Answer = "stored"
	AnswerRepeated  Answer = "repeated"
	AnswerNotOurs   Answer = "not_ours"
	AnswerForged    Answer = "forged"
	AnswerTooLarge  Answer = "too_large"
	AnswerMalformed Answer = "malformed" // rightly signed, and no event
	AnswerRefused   Answer = "refused"   // 503: the database could not take it, or the tenant has no secret
)

// Stripe receives deliveries for all tenants.
type Stripe struct {
	Pay   *pay.Service
	Log   *slog.Logger
	Count func(tenant string, a Answer) // for metrics; may be nil
}

// Receive answers one delivery to /webhooks/stripe/{tenant}: 200 once the event
// is durable, 400 when it is forged, 404 for an unknown tenant, 413 when it is
// too large, 503 when it must come again.
func (s *Stripe) Receive(c echo.Context) error {
	r, now := c.Request(), s.Pay.Now()
	t, err := s.tenant(r.Context(), c.Param("tenant"))
	if pay.IsNotFound(err) {
		return c.String(http.StatusNotFound, "There is no such webhook.\n")
	}
	if err != nil {
		return s.comeAgain(c, "", err)
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), r.Body, maxBody))
	if err != nil {
		if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
			return s.answer(c, t.Slug, AnswerTooLarge, http.StatusRequestEntityTooLarge, "The event is too large.")
		}
		return s.answer(c, t.Slug, AnswerForged, http.StatusBadRequest, "The event did not arrive whole.")
	}
	headers := r.Header.Values("Stripe-Signature")
	if len(headers) != 1 {
		return s.answer(c, t.Slug, AnswerForged, http.StatusBadRequest, "There must be one Stripe-Signature header.")
	}
	if len(t.StripeWebhookSecrets) == 0 {
		// An empty secret would verify a forged signature; without one nothing can be
		// believed, and Stripe keeps the event until there is one.
		return s.comeAgain(c, t.Slug, errors.New("the tenant has no webhook secret"))
	}
	if fault := Verify(body, headers[0], t.StripeWebhookSecrets, now); fault != "" {
		return s.answer(c, t.Slug, AnswerForged, http.StatusBadRequest, fault)
	}
	event, err := readEvent(body)
	if err != nil {
		return s.answer(c, t.Slug, AnswerMalformed, http.StatusBadRequest, "The event is not one of Stripe's: "+err.Error()+".")
	}
	event.TenantID = t.ID
	answer := AnswerStored
	if event.account != "" && t.StripeAccount != "" && event.account != t.StripeAccount {
		// A connected account's event, sent to us by the platform that owns it.
		answer, event.ObjectID = AnswerNotOurs, ""
	}
	fresh, err := s.Pay.StoreEvent(r.Context(), &event.Event)
	if err != nil {
		return s.comeAgain(c, t.Slug, err)
	}
	if !fresh {
		answer = AnswerRepeated
	}
	s.count(t.Slug, answer)
	return c.JSON(http.StatusOK, map[string]any{"received": true})
}

// tenant finds a tenant by its slug. What no slug can be is not shown to the
// database: PostgreSQL answers NUL with an error, which is no reason for a 503.
func (s *Stripe) tenant(ctx context.Context, slug string) (*pay.Tenant, error) {
	if len(slug) > 40 || strings.ContainsFunc(slug, func(r rune) bool { return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') }) {
		return nil, pay.Errorf(pay.CodeNotFound, "", "no such tenant")
	}
	return s.Pay.Store.TenantBySlug(ctx, slug)
}

// Verify checks the signature of a delivery against up to two secrets and says
// what is wrong, "" when nothing is. The time in the signature may be 300 s old or
// 300 s ahead; stripe-go itself bounds only the past.
func Verify(body []byte, header string, secrets []pay.Secret, now time.Time) string {
	at, ok := signedAt(header)
	if !ok {
		return "The Stripe-Signature header has no time."
	}
	if age := now.Sub(at); age > tolerance || age < -tolerance {
		return "The signature is too old, or its time is in the future; check both clocks."
	}
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		if webhook.ValidatePayloadIgnoringTolerance(body, header, secret.Reveal()) == nil {
			return ""
		}
	}
	return "The signature does not fit the event."
}

// signedAt reads the t= of a Stripe-Signature header. A header with two is
// nobody's.
func signedAt(header string) (time.Time, bool) {
	var at time.Time
	found := false
	for part := range strings.SplitSeq(header, ",") {
		value, ok := strings.CutPrefix(part, "t=")
		if !ok {
			continue
		}
		unix, err := strconv.ParseInt(value, 10, 64)
		if err != nil || found || unix < 0 || unix > 1<<40 {
			return at, false
		}
		at, found = time.Unix(unix, 0), true
	}
	return at, found
}

func (s *Stripe) comeAgain(c echo.Context, slug string, err error) error {
	s.Log.ErrorContext(c.Request().Context(), "webhook not stored; Stripe will send it again", "tenant", slug, "error", err)
	c.Response().Header().Set("Retry-After", "5")
	return s.answer(c, slug, AnswerRefused, http.StatusServiceUnavailable, "The event could not be stored now; send it again.")
}

func (s *Stripe) answer(c echo.Context, slug string, a Answer, status int, text string) error {
	s.count(slug, a)
	if a == AnswerForged || a == AnswerTooLarge || a == AnswerMalformed {
		s.Log.WarnContext(c.Request().Context(), "webhook refused", "tenant", slug, "answer", string(a), "why", text,
			"request_id", c.Response().Header().Get(echo.HeaderXRequestID))
	}
	return c.String(status, text+"\n")
}

func (s *Stripe) count(slug string, a Answer) {
	if s.Count != nil {
		s.Count(slug, a)
	}
}
