package stripegate

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/stripe/stripe-go/v76"
)

// maxAnswer bounds what is read of one answer. The largest we ask for, a session with 100 lines, is below 200 KB; more
// than this is cut off and then cannot be read as JSON.
const maxAnswer = 8 << 20

// exchange is what the last request of a call got. The SDK keeps status and headers only of errors that it can read;
// these are also wanted of those it cannot, such as a proxy's 503 page.
type exchange struct {
	status     int // 0 when there was no answer
	requestID  string
	retryAfter string
	kept       bool // Stripe keeps this failure under the idempotency key
}

type exchangeKey struct{}

// transport stands between the SDK and the network: it notes the exchange, bounds the answer, refuses redirects and
// writes the debug log.
type transport struct {
	base  http.RoundTripper
	log   *slog.Logger
	agent string
}

var errRedirect = errors.New("the answer is a redirect, which Stripe's API never gives; check the API address and proxies")

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Stripe-Client-User-Agent", t.agent)
	start := time.Now()
	res, err := t.base.RoundTrip(r)
	now := exchange{}
	if err == nil {
		now = exchange{status: res.StatusCode, requestID: res.Header.Get("Request-Id"), retryAfter: res.Header.Get("Retry-After")}
		now.kept = r.Method == http.MethodPost && res.StatusCode >= 500 && (res.Header.Get("Idempotent-Replayed") == "true" ||
			res.StatusCode == http.StatusInternalServerError && res.Header.Get("Stripe-Should-Retry") == "false")
	}
	if last, ok := r.Context().Value(exchangeKey{}).(*exchange); ok {
		*last = now
	}
	if t.log.Enabled(r.Context(), slog.LevelDebug) {
		// The path holds ids only; the query of a list may hold more and stays out.
		t.log.LogAttrs(r.Context(), slog.LevelDebug, "stripe call", slog.String("method", r.Method), slog.String("path", r.URL.Path),
			slog.Int("status", now.status), slog.String("request_id", now.requestID), slog.Duration("took", time.Since(start)),
			slog.Bool("answered", err == nil))
	}
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= 300 && res.StatusCode < 400 {
		// Following it would hand the request, if not the key, to whoever sent it.
		res.Body.Close()
		return nil, errRedirect
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(res.Body, maxAnswer), res.Body}
	return res, nil
}

// CloseIdleConnections lets http.Client reach the pool behind this layer.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// clientAgent replaces the SDK's X-Stripe-Client-User-Agent, which has the output of `uname -a` and with it the name of
// the operator's machine.
func clientAgent(version string) string {
	agent := map[string]any{
		"application":      &stripe.AppInfo{Name: "Portatill", Version: version, URL: "https://github.com/portatill/portatill"},
		"bindings_version": stripe.ClientVersion,
		"lang":             "go",
		"lang_version":     runtime.Version(),
		"publisher":        "stripe",
	}
	text, err := json.Marshal(agent)
	if err != nil {
		return "{}" // strings always marshal
	}
	return string(text)
}
