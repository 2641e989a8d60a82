package sim

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

// network is the way from the till's gate to Stripe: it calls the sandbox's handler
// and lets go wrong what the step's fault says.
type network struct {
	w     *world
	calls int             // of the present step
	kept  map[string]kept // failures that Stripe keeps under an idempotency key, by account and key
}

type kept struct {
	until time.Time
	path  string
}

func newNetwork(w *world) *network { return &network{w: w, kept: map[string]kept{}} }

var errReset = errors.New("the simulator cut the connection")

// RoundTrip implements http.RoundTripper.
func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	w := n.w
	w.point("the call " + r.Method + " " + r.URL.Path)
	w.gap("the call " + r.Method + " " + shape(r.URL.Path))
	n.calls++
	kind := ""
	if f := w.fault; n.calls >= f.at && n.calls < f.at+f.span && f.kind != "crash" && f.kind != "between" && f.kind != "database refuses" {
		kind = f.kind
	}
	body := []byte(nil)
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body.Close()
	}
	key := r.Header.Get("Authorization") + " " + r.Header.Get("Idempotency-Key")
	if k, held := n.kept[key]; held && r.Method == http.MethodPost && k.until.After(w.clock.stripe()) {
		res := answer(r, http.StatusInternalServerError, apiError)
		res.Header.Set("Idempotent-Replayed", "true")
		return res, nil
	}
	if kind != "" {
		w.reach("Stripe: " + kind)
		w.say("  Stripe, %s %s: %s", r.Method, shape(r.URL.Path), kind)
	}
	switch kind {
	case "lost before":
		return nil, errReset
	case "hangs before":
		<-r.Context().Done()
		return nil, r.Context().Err()
	case "429":
		return answer(r, http.StatusTooManyRequests, `{"error":{"type":"invalid_request_error","code":"rate_limit","message":"Too many requests."}}`), nil
	case "409":
		return answer(r, http.StatusConflict, `{"error":{"type":"idempotency_error","code":"idempotency_key_in_use","message":"There is another request in progress."}}`), nil
	case "401":
		return answer(r, http.StatusUnauthorized, `{"error":{"type":"invalid_request_error","code":"api_key_expired","message":"Expired API Key provided."}}`), nil
	case "500 before":
		return answer(r, http.StatusInternalServerError, apiError), nil
	case "500 kept, not done":
		return n.keep(r, key), nil
	}
	res := n.serve(r, body)
	w.point("the answer to " + r.Method + " " + r.URL.Path)
	w.gap("the answer to " + r.Method + " " + shape(r.URL.Path))
	switch kind {
	case "lost after":
		return nil, errReset
	case "hangs after":
		<-r.Context().Done()
		return nil, r.Context().Err()
	case "500 kept, done":
		return n.keep(r, key), nil
	case "half an answer":
		text, err := io.ReadAll(res.Body)
		res.Body = io.NopCloser(io.MultiReader(bytes.NewReader(text[:len(text)/2]), broke{}))
		return res, err
	case "a proxy's page":
		return answer(r, http.StatusOK, "<html>Please sign in to the network.</html>"), nil
	}
	return res, nil
}

const apiError = `{"error":{"type":"api_error","message":"An unknown error occurred."}}`

type broke struct{}

func (broke) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// keep answers a write with a 500 that its key will give again for a day
// (docs.stripe.com/api/idempotent_requests); to a read it is a plain 500.
func (n *network) keep(r *http.Request, key string) *http.Response {
	res := answer(r, http.StatusInternalServerError, apiError)
	if r.Method == http.MethodPost && !strings.HasSuffix(key, " ") {
		n.kept[key] = kept{until: n.w.clock.stripe().Add(24 * time.Hour), path: r.URL.Path}
		res.Header.Set("Stripe-Should-Retry", "false")
	}
	return res
}

// serve lets the sandbox answer, and listens for what it must never have to say: that
// a key came with another body (I-22).
func (n *network) serve(r *http.Request, body []byte) *http.Response {
	in := httptest.NewRequest(r.Method, r.URL.RequestURI(), bytes.NewReader(body))
	in.Header, in.Host = r.Header.Clone(), r.URL.Host
	rec := httptest.NewRecorder()
	n.w.box.Handler().ServeHTTP(rec, in)
	res := rec.Result()
	res.Request = r
	if rec.Code == http.StatusBadRequest && bytes.Contains(rec.Body.Bytes(), []byte(`"idempotency_error"`)) {
		n.w.fail("I-22: Stripe refuses a key: %s %s", shape(r.URL.Path), rec.Body)
	}
	if rec.Code == http.StatusInternalServerError {
		n.w.fail("the sandbox has a fault: %s %s answered %s", r.Method, shape(r.URL.Path), rec.Body)
	}
	if rec.Code >= 400 {
		n.w.say("  Stripe refuses %s %s: %d %s", r.Method, shape(r.URL.Path), rec.Code, n.w.plain(oneLine(rec.Body.String())))
	}
	return res
}

func answer(r *http.Request, status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}, "Request-Id": {"req_simulated"}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

// shape is a path without its ids.
func shape(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if prefix, _, ok := strings.Cut(p, "_"); ok && len(p) > 12 && strings.ContainsAny(p, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
			parts[i] = prefix + "_…"
		}
	}
	return strings.Join(parts, "/")
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
