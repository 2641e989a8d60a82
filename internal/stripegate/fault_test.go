package stripegate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portatill/portatill/pay"
)

// serve starts a double of Stripe on a port of its own, which the test's end stops.
func serve(t *testing.T, h http.HandlerFunc) (*httptest.Server, *Gate) {
	t.Helper()
	s := httptest.NewServer(h)
	g := quick(New(Options{APIBase: s.URL}))
	t.Cleanup(func() {
		g.Close()
		s.CloseClientConnections()
		s.Close()
	})
	return s, g
}

// cut ends the connection of a request with a reset.
func cut(w http.ResponseWriter) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_ = c.(*net.TCPConn).SetLinger(0) // a reset instead of an orderly end
	_ = c.Close()
}

// everyWord is all text that an error shows when it or any error in its chain is printed.
func everyWord(err error) string {
	text := ""
	for ; err != nil; err = errors.Unwrap(err) {
		text += fmt.Sprintf("%v %+v\n", err, err)
	}
	return text
}

func TestFaults(t *testing.T) {
	t.Parallel()
	stripeSays := func(status int, body string, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.Header().Set("Request-Id", "req_abc")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	e := func(fields string) string { return `{"error":{` + fields + `}}` }
	const html = `<html>Dear Canary Person, sk_test_51CanaryCanaryCanary0000</html>`
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		want   pay.StripeFault // Kind, Code, DeclineCode, Param and RetryAfter are compared
		says   string          // in the message
	}{
		{"AResetBeforeAnyAnswer", func(w http.ResponseWriter, _ *http.Request) { cut(w) }, pay.StripeFault{Kind: pay.FaultUnavailable}, "no answer"},
		{"ABodyCutOff", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(sessionPaid)))
			_, _ = io.WriteString(w, sessionPaid[:len(sessionPaid)/2])
		}, pay.StripeFault{Kind: pay.FaultUnavailable}, "broke off"},
		{"AnErrorsBodyCutOff", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "500")
			w.WriteHeader(400)
			_, _ = io.WriteString(w, `{"error":{"type":"invalid_request_error","message":"Canary`)
		}, pay.StripeFault{Kind: pay.FaultUnavailable}, "broke off (status 400)"},
		{"HalfOfTheJSON", stripeSays(200, sessionPaid[:900]), pay.StripeFault{Kind: pay.FaultUnavailable}, "could not be read (status 200)"},
		{"NoBody", stripeSays(200, ""), pay.StripeFault{Kind: pay.FaultUnavailable}, ""},
		{"APage", stripeSays(200, html), pay.StripeFault{Kind: pay.FaultUnavailable}, ""},
		{"Null", stripeSays(200, "null"), pay.StripeFault{Kind: pay.FaultUnavailable, Code: "answer_unreadable"}, ""},
		{"AnEmptyObject", stripeSays(200, "{}"), pay.StripeFault{Kind: pay.FaultUnavailable, Code: "answer_unreadable"}, ""},
		{"AList", stripeSays(200, "[]"), pay.StripeFault{Kind: pay.FaultUnavailable}, ""},
		{"AString", stripeSays(200, `"Canary"`), pay.StripeFault{Kind: pay.FaultUnavailable}, ""},
		{"AnotherKindOfObject", stripeSays(200, `{"id":"`+paidSession+`","object":"customer"}`), pay.StripeFault{Kind: pay.FaultUnavailable, Code: "answer_unreadable"}, ""},
		{"AnotherSession", stripeSays(200, `{"id":"cs_test_other","object":"checkout.session"}`), pay.StripeFault{Kind: pay.FaultUnavailable, Code: "answer_unreadable"}, ""},
		{"AWrongType", stripeSays(200, `{"id":"`+paidSession+`","object":"checkout.session","amount_total":"Canary"}`), pay.StripeFault{Kind: pay.FaultUnavailable}, ""},
		{"ARedirect", stripeSays(302, "", "Location", "http://127.0.0.1:1/"), pay.StripeFault{Kind: pay.FaultUnavailable}, "redirect"},
		{"Status500", stripeSays(500, e(`"type":"api_error","message":"Sorry"`)), pay.StripeFault{Kind: pay.FaultUnavailable, Code: "api_error"}, "Sorry"},
		{"Status502AsAPage", stripeSays(502, html, "Retry-After", "3"), pay.StripeFault{Kind: pay.FaultUnavailable, RetryAfter: 3 * time.Second}, "status 502"},
		{"Status503WithoutError", stripeSays(503, `{"Canary":1}`), pay.StripeFault{Kind: pay.FaultUnavailable}, "status 503"},
		{"Status429", stripeSays(429, e(`"type":"invalid_request_error","code":"rate_limit","message":"Too many requests"`), "Retry-After", "7"),
			pay.StripeFault{Kind: pay.FaultUnavailable, Code: "rate_limit", RetryAfter: 7 * time.Second}, "Too many"},
		{"Status429AsAPage", stripeSays(429, html, "Retry-After", "7"), pay.StripeFault{Kind: pay.FaultUnavailable, RetryAfter: 7 * time.Second}, ""},
		{"Status429WithAWaitBeyondReason", stripeSays(429, e(`"type":"api_error"`), "Retry-After", "99999999999999"),
			pay.StripeFault{Kind: pay.FaultUnavailable, Code: "api_error", RetryAfter: time.Hour}, ""},
		{"Status429WithAWaitInThePast", stripeSays(429, e(`"type":"api_error"`), "Retry-After", "-5"), pay.StripeFault{Kind: pay.FaultUnavailable, Code: "api_error"}, ""},
		{"Status429WithADateGoneBy", stripeSays(429, e(`"type":"api_error"`), "Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT"),
			pay.StripeFault{Kind: pay.FaultUnavailable, Code: "api_error"}, ""},
		{"Status429WithRubbishToWait", stripeSays(429, e(`"type":"api_error"`), "Retry-After", "soon"), pay.StripeFault{Kind: pay.FaultUnavailable, Code: "api_error"}, ""},
		{"ALockTimeout", stripeSays(429, e(`"type":"invalid_request_error","code":"lock_timeout","message":"busy"`)), pay.StripeFault{Kind: pay.FaultUnavailable, Code: "lock_timeout"}, ""},
		{"AKeyInUse", stripeSays(409, e(`"type":"idempotency_error","code":"idempotency_key_in_use","message":"busy"`)), pay.StripeFault{Kind: pay.FaultUnavailable, Code: "idempotency_key_in_use"}, ""},
		{"Status409OfAnotherKind", stripeSays(409, e(`"type":"invalid_request_error","code":"new_conflict","message":"busy"`)), pay.StripeFault{Kind: pay.FaultUnavailable, Code: "new_conflict"}, ""},
		{"AKeyWithOtherParameters", stripeSays(400, e(`"type":"idempotency_error","message":"Keys for idempotent requests can only be used with the same parameters"`)),
			pay.StripeFault{Kind: pay.FaultRejected, Code: "idempotency_error"}, "same parameters"},
		{"AKeyThatStripeRefuses", stripeSays(401, e(`"type":"invalid_request_error","message":"Invalid API Key provided: sk_test_51Cana****0000"`)),
			pay.StripeFault{Kind: pay.FaultCredentials, Code: "invalid_request_error"}, "Invalid API Key provided: sk_test_…"},
		{"AKeyThatIsEchoedWhole", stripeSays(401, e(`"type":"invalid_request_error","message":"Expired: sk_test_51CanaryCanaryCanary0000."`)),
			pay.StripeFault{Kind: pay.FaultCredentials, Code: "invalid_request_error"}, "Expired"},
		{"ARestrictedKey", stripeSays(403, e(`"type":"invalid_request_error","message":"The provided key 'rk_live_****Cana' does not have the required permissions"`)),
			pay.StripeFault{Kind: pay.FaultCredentials, Code: "invalid_request_error"}, "required permissions"},
		{"ADecline", stripeSays(402, e(`"type":"card_error","code":"card_declined","decline_code":"insufficient_funds","message":"Your card has insufficient funds.",
			"payment_intent":{"id":"pi_1","object":"payment_intent","client_secret":"pi_1_secret_Canary","receipt_email":"canary.person@mail.example"}`)),
			pay.StripeFault{Kind: pay.FaultDeclined, Code: "card_declined", DeclineCode: "insufficient_funds"}, "insufficient funds"},
		{"AnUnknownDecline", stripeSays(402, e(`"type":"card_error","code":"new_code","decline_code":"new_reason","message":"No."`)),
			pay.StripeFault{Kind: pay.FaultDeclined, Code: "new_code", DeclineCode: "new_reason"}, ""},
		{"AMissingObject", stripeSays(404, e(`"type":"invalid_request_error","code":"resource_missing","param":"id","message":"No such checkout session: 'cs_x'"`)),
			pay.StripeFault{Kind: pay.FaultNotFound, Code: "resource_missing", Param: "id"}, "No such"},
		{"AMissingReference", stripeSays(400, e(`"type":"invalid_request_error","code":"resource_missing","param":"customer","message":"No such customer: 'cus_x'"`)),
			pay.StripeFault{Kind: pay.FaultNotFound, Code: "resource_missing", Param: "customer"}, "No such"},
		{"APageOf404IsNotStripesWord", stripeSays(404, html), pay.StripeFault{Kind: pay.FaultUnavailable}, "status 404"},
		{"ABadParameter", stripeSays(400, e(`"type":"invalid_request_error","code":"parameter_invalid_integer","param":"expires_at","message":"Invalid integer: x"`)),
			pay.StripeFault{Kind: pay.FaultRejected, Code: "parameter_invalid_integer", Param: "expires_at"}, "Invalid integer"},
		{"AMessageThatQuotesAPerson", stripeSays(400, e(`"type":"invalid_request_error","param":"x","message":"Invalid: canary.person@mail.example, +44 113 496 0000"`)),
			pay.StripeFault{Kind: pay.FaultRejected, Code: "invalid_request_error", Param: "x"}, "Invalid"},
		{"AMessageAboutAPersonsField", stripeSays(400, e(`"type":"invalid_request_error","code":"email_invalid","param":"payment_intent_data[receipt_email]","message":"Invalid email address: Canary"`)),
			pay.StripeFault{Kind: pay.FaultRejected, Code: "email_invalid", Param: "payment_intent_data[receipt_email]"}, "receipt_email"},
		{"AMessageWithClientSecret", stripeSays(400, e(`"type":"invalid_request_error","message":"pi_123_secret_Canary is used"`)),
			pay.StripeFault{Kind: pay.FaultRejected, Code: "invalid_request_error"}, "is used"},
		{"AnErrorOfNulls", stripeSays(400, e(`"type":null,"code":null,"message":null,"param":null,"payment_intent":null`)), pay.StripeFault{Kind: pay.FaultRejected}, ""},
		{"AnErrorThatIsNull", stripeSays(400, `{"error":null,"Canary":1}`), pay.StripeFault{Kind: pay.FaultUnavailable}, "status 400"},
		{"AnErrorThatIsText", stripeSays(400, `{"error":"Canary"}`), pay.StripeFault{Kind: pay.FaultUnavailable}, "status 400"},
		{"AnUnknownErrorType", stripeSays(418, e(`"type":"new_error","message":"No"`)), pay.StripeFault{Kind: pay.FaultRejected, Code: "new_error"}, "No"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, g := serve(t, c.answer)
			tenant := testTenant()
			_, errRead := g.Session(t.Context(), tenant, paidSession)
			_, errWrite := g.CreateSession(t.Context(), tenant, paymentInput(t), "k")
			for what, err := range map[string]error{"reading": errRead, "writing": errWrite} {
				if what == "writing" && c.name == "AnotherSession" {
					continue // a session that is made has an id of Stripe's choice
				}
				f := faultOf(t, err)
				got := pay.StripeFault{Kind: f.Kind, Code: f.Code, DeclineCode: f.DeclineCode, Param: f.Param, RetryAfter: f.RetryAfter}
				if got != c.want {
					t.Errorf("%s: got %+v, want %+v", what, got, c.want)
				}
				if named := f.IntentID == "pi_1"; named != (c.name == "ADecline") {
					t.Errorf("%s: the intent named with the error is %q", what, f.IntentID)
				}
				if !strings.Contains(f.Message, c.says) {
					t.Errorf("%s: message %q does not say %q", what, f.Message, c.says)
				}
				text := everyWord(err)
				for _, secret := range []string{"anary", "0000", "mail.example", "113 496", "Dear"} {
					if strings.Contains(text, secret) {
						t.Errorf("%s: the error shows %q: %s", what, secret, text)
					}
				}
			}
			if f := faultOf(t, errRead); f.RequestID == "" && strings.HasPrefix(c.name, "Status") {
				t.Error("Stripe's request id is lost")
			}
		})
	}

	t.Run("NobodyListens", func(t *testing.T) {
		t.Parallel()
		s, g := serve(t, nil)
		s.Close()
		_, err := g.Session(t.Context(), testTenant(), paidSession)
		if f := faultOf(t, err); f.Kind != pay.FaultUnavailable {
			t.Errorf("got %v", f)
		}
	})

	t.Run("AnAddressThatIsNone", func(t *testing.T) {
		t.Parallel()
		_, err := quick(New(Options{APIBase: "::not an address"})).Session(t.Context(), testTenant(), paidSession)
		if f := faultOf(t, err); f.Kind != pay.FaultUnavailable {
			t.Errorf("got %v", f)
		}
	})
}

func TestAnAnswerLostAfterTheEffectIsFoundAgain(t *testing.T) {
	t.Parallel()
	made := openSession(t, func(o map[string]any) { o["url"] = "http://127.0.0.1/c/pay/x" })
	var mu sync.Mutex
	effects := map[string]int{}
	_, g := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		key := r.Header.Get("Idempotency-Key")
		if effects[key]++; effects[key] == 1 {
			cut(w) // the session exists now, and nobody was told
			return
		}
		_, _ = io.WriteString(w, made)
	})
	s, err := g.CreateSession(t.Context(), testTenant(), paymentInput(t), "att_01-key")
	if err != nil {
		t.Fatal(err)
	}
	if s.ID != paidSession || len(effects) != 1 || effects["att_01-key"] < 2 {
		t.Errorf("got %s after the keys %v; want the same key again", s.ID, effects)
	}
}

func TestAHangingStripeEndsWithTheDeadline(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(release); s.CloseClientConnections(); s.Close() })

	t.Run("OurOwn", func(t *testing.T) {
		t.Parallel()
		g := quick(New(Options{APIBase: s.URL, Timeout: 50 * time.Millisecond}))
		_, err := g.Session(t.Context(), testTenant(), paidSession)
		if f := faultOf(t, err); f.Kind != pay.FaultUnavailable || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", f)
		}
	})
	t.Run("TheCallers", func(t *testing.T) {
		t.Parallel()
		g := quick(New(Options{APIBase: s.URL}))
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := g.CreateSession(ctx, testTenant(), paymentInput(t), "k")
		if f := faultOf(t, err); f.Kind != pay.FaultUnavailable || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", f)
		}
	})
	t.Run("ACallerWhoLeft", func(t *testing.T) {
		t.Parallel()
		g := quick(New(Options{APIBase: s.URL}))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := g.Intent(ctx, testTenant(), paidIntent)
		if f := faultOf(t, err); f.Kind != pay.FaultUnavailable || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", f)
		}
	})
}

func TestAnEndlessAnswerIsCutOff(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	most := 0
	_, g := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		blank := []byte(strings.Repeat(" ", 64<<10))
		n := 0
		for n < 64<<20 {
			written, err := w.Write(blank)
			if n += written; err != nil {
				break
			}
		}
		mu.Lock()
		defer mu.Unlock()
		most = max(most, n)
	})
	_, err := g.Session(t.Context(), testTenant(), paidSession)
	if f := faultOf(t, err); f.Kind != pay.FaultUnavailable {
		t.Errorf("got %v", f)
	}
	g.Close()
	mu.Lock()
	defer mu.Unlock()
	if most >= 64<<20 {
		t.Errorf("all %d bytes were read", most)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := 0
	evil := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	t.Cleanup(evil.Close)
	_, g := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, evil.URL, http.StatusTemporaryRedirect)
	})
	_, err := g.CreateCustomer(t.Context(), testTenant(), testCustomer(), "k")
	if f := faultOf(t, err); f.Kind != pay.FaultUnavailable || elsewhere != 0 {
		t.Errorf("got %v, and %d requests elsewhere", f, elsewhere)
	}
}

func TestRetryAfterIsReadInBothForms(t *testing.T) {
	t.Parallel()
	if got := retryAfter("12"); got != 12*time.Second {
		t.Errorf("12 is %s", got)
	}
	// A date an hour and more ahead is the limit, whenever this runs.
	if got := retryAfter("Fri, 31 Dec 9999 23:59:59 GMT"); got != time.Hour {
		t.Errorf("a far date is %s, want an hour", got)
	}
	if got := retryAfter(""); got != 0 {
		t.Errorf("nothing is %s", got)
	}
}
