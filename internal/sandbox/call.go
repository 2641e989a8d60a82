package sandbox

import (
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

// APIVersion is the version of Stripe's API that the sandbox speaks.
const APIVersion = "2023-10-16"

const biggestBody = 1 << 20

// call is one request being worked on, or, without a request id, something that time or a person set off. Its methods
// change objects; they run under the server's lock.
type call struct {
	*Server
	account   *account
	now       int64
	params    object
	path      func(name string) string
	base      string
	requestID string
	idemKey   string
	expand    expandTree
	safe      bool // a GET
}

// background is a call that no API request made.
func (s *Server) background(a *account) *call {
	return &call{Server: s, account: a, now: s.unix(), params: object{}, base: s.baseURL}
}

type handler func(c *call) (any, *apiError)

// answer is what leaves: status and body, or a cut connection.
type answer struct {
	status   int
	body     []byte
	replayed string // the id of the request whose answer this is
	retry    string // Stripe-Should-Retry
	reset    bool
}

func (s *Server) api(pattern string, work handler) http.HandlerFunc {
	method, path, _ := strings.Cut(pattern, " ")
	schema := s.params.Routes[pattern]
	if schema == nil {
		panic("sandbox: routes.txt lacks " + pattern)
	}
	kind := answerKind(path)
	return func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		requestID := "req_" + randomText(14)
		key := r.Header.Get("Idempotency-Key")
		a := s.answerAPI(r, requestID, method, kind, schema, work)
		if a.reset {
			cutConnection(w)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Request-Id", requestID)
		h.Set("Stripe-Version", APIVersion)
		if key != "" {
			h.Set("Idempotency-Key", key)
		}
		if a.replayed != "" {
			h.Set("Idempotent-Replayed", "true")
			h.Set("Original-Request", a.replayed)
		}
		if a.retry != "" {
			h.Set("Stripe-Should-Retry", a.retry)
		}
		if a.status == http.StatusUnauthorized {
			h.Set("WWW-Authenticate", `Bearer realm="Stripe"`)
		}
		w.WriteHeader(a.status)
		w.Write(a.body)
		s.log.Debug("sandbox request", "method", method, "path", r.URL.Path, "status", a.status, "request_id", requestID, "took", time.Since(start))
	}
}

func failure(err *apiError, requestID string) answer {
	return answer{status: err.status, body: encode(err.body(requestID))}
}

func (s *Server) answerAPI(r *http.Request, requestID, method, kind string, schema *paramSchema, work handler) (a answer) {
	accountID, refusal := s.accountOf(r)
	if refusal != nil {
		return failure(refusal, "")
	}
	defer func() {
		if fault := recover(); fault != nil {
			s.log.Error("sandbox request panicked", "path", r.URL.Path, "request_id", requestID, "panic", fault, "stack", string(debug.Stack()))
			s.mu.Lock()
			s.forgetKey(accountID, r.Header.Get("Idempotency-Key"))
			s.mu.Unlock()
			a = failure(&apiError{status: http.StatusInternalServerError, kind: "api_error", message: "The sandbox has a fault here; its log says where."}, requestID)
		}
	}()
	if v := r.Header.Get("Stripe-Version"); v != "" && v != APIVersion {
		return failure(invalid("", "", "Invalid Stripe API version: %s. The sandbox speaks %s.", cut(v), APIVersion), requestID)
	}
	form := r.URL.RawQuery
	if method == http.MethodPost {
		body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, biggestBody))
		if err != nil {
			return failure(invalid("", "", "The request's body could not be read to its end, or is over 1 MB."), requestID)
		}
		form = string(body)
	}
	c := &call{Server: s, path: r.PathValue, base: s.base(r), requestID: requestID, safe: method == http.MethodGet}
	mishap := s.rollMishap(c.safe)
	if method == http.MethodPost {
		c.idemKey = r.Header.Get("Idempotency-Key")
	}
	hash := ""
	if c.idemKey != "" {
		hash = hashForm(form)
		var kept *idemEntry
		s.mu.Lock()
		kept, refusal = s.openAccount(accountID).claimKey(c.idemKey, r.URL.Path, hash, s.unix())
		s.mu.Unlock()
		if refusal != nil {
			return mishap.spoil(failure(refusal, requestID), requestID)
		}
		if kept != nil {
			return mishap.spoil(answer{status: kept.Status, body: kept.Body, replayed: kept.RequestID}, requestID)
		}
	}
	s.apiDelay(r.Context())
	params, refusal := c.readParams(form, schema, kind)
	if refusal != nil || mishap == failBefore {
		s.mu.Lock()
		s.forgetKey(accountID, c.idemKey)
		s.mu.Unlock()
		if refusal != nil {
			a = failure(refusal, requestID)
		}
		return mishap.spoil(a, requestID)
	}
	c.params = params
	return c.execute(accountID, r.URL.Path, hash, mishap, work)
}

// execute runs the handler, keeps the answer under the idempotency key, and returns when the change is on disk.
func (c *call) execute(accountID, path, hash string, mishap mishap, work handler) answer {
	var a answer
	err := c.do(func() {
		c.account, c.now = c.openAccount(accountID), c.unix()
		result, failed := work(c)
		keep := failed == nil || failed.executed
		if failed == nil {
			var shown any
			if shown, failed = c.show(result); failed == nil {
				a = answer{status: http.StatusOK, body: encode(shown)}
			}
		}
		if failed != nil {
			a = failure(failed, c.requestID)
		}
		if mishap == failAfter {
			a = failure(injected(), c.requestID)
			a.retry = "false" // the answer below is kept, the same key would only get it again
		}
		if c.idemKey == "" {
			return
		}
		if !keep {
			c.forgetKey(accountID, c.idemKey)
			return
		}
		entry := &idemEntry{Path: path, Hash: hash, Status: a.status, Body: a.body, RequestID: c.requestID, Created: c.now}
		c.account.idem[c.idemKey] = entry
		c.pendingLines = append(c.pendingLines, journalLine{Kind: "idempotency", Account: accountID, Key: c.idemKey, Value: encode(entry)})
	})
	if err != nil {
		c.log.Error("sandbox state file cannot be written", "error", err)
		return failure(&apiError{status: http.StatusInternalServerError, kind: "api_error", message: "The sandbox cannot write its state file; see its log."}, c.requestID)
	}
	a.reset = mishap == resetAfter
	return a
}

func (s *Server) forgetKey(accountID, key string) {
	a := s.accounts[accountID]
	if key != "" && a != nil && a.idem[key] != nil && !a.idem[key].done() {
		delete(a.idem, key)
	}
}

// readParams parses and checks the form; what it returns holds no "expand", which it keeps for the answer.
func (c *call) readParams(form string, schema *paramSchema, kind string) (object, *apiError) {
	root, err := parseForm(form)
	if err != nil {
		return nil, invalid("", "", "Invalid request: %s", err)
	}
	checked, refusal := schema.checkObject(root, nil)
	if refusal != nil {
		return nil, refusal
	}
	params := checked.(object)
	c.expand, refusal = c.parseExpand(items(params, "expand"), kind)
	delete(params, "expand")
	return params, refusal
}

// cutConnection ends the connection as a failing network does, with a reset where that is possible.
func cutConnection(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	conn.Close()
}

func unrecognized(w http.ResponseWriter, r *http.Request) {
	requestID := "req_" + randomText(14)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Request-Id", requestID)
	w.Header().Set("Stripe-Version", APIVersion)
	err := invalid("", "", "Unrecognized request URL (%s: %s). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.", r.Method, cut(r.URL.Path))
	err.status = http.StatusNotFound
	w.WriteHeader(err.status)
	w.Write(encode(err.body(requestID)))
}
