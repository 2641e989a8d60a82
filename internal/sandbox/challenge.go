package sandbox

import (
	"crypto/subtle"
	"net/http"
	"net/url"
)

type challengePage struct {
	Merchant, Amount, Card, Action, Secret, Email string
	Setup, PayPal                                 bool
}

// findIntent checks the client secret, which is what lets a customer's browser act on an intent.
func (s *Server) findIntent(id, secret string) *record {
	r := s.records[id]
	if r == nil || r.kind != "payment_intent" && r.kind != "setup_intent" {
		return nil
	}
	if subtle.ConstantTimeCompare([]byte(secret), []byte(str(r.obj, "client_secret"))) != 1 {
		return nil
	}
	return r
}

// showChallenge is the bank's page of 3-D Secure.
func (s *Server) showChallenge(w http.ResponseWriter, r *http.Request) {
	var page challengePage
	status, ended := 0, messagePage{}
	target := ""
	err := s.do(func() {
		intent := s.findIntent(r.PathValue("intent"), r.URL.Query().Get("client_secret"))
		if intent == nil {
			status, ended = endedPage(nil)
			return
		}
		c := s.callFor(intent, r)
		if str(intent.obj, "status") != "requires_action" {
			if target = c.afterChallenge(intent); target == "" {
				status, ended = http.StatusOK, messagePage{Title: "Nothing to do here", Text: "This payment does not wait for your bank (any more)."}
			}
			return
		}
		page = challengePage{Merchant: c.account.businessName(), Action: "/c/authenticate/" + intent.id, Secret: str(intent.obj, "client_secret"), Setup: intent.kind == "setup_intent"}
		if !page.Setup {
			page.Amount = formatMoney(num(intent.obj, "amount"), str(intent.obj, "currency"))
		}
		if method := c.get(c.account, str(intent.obj, "payment_method")); method != nil {
			page.Card = "•••• " + str(sub(method.obj, "card"), "last4")
			page.PayPal, page.Email = str(method.obj, "type") == "paypal", str(method.obj, "_payer_email")
		}
	})
	switch {
	case err != nil:
		http.Error(w, "The sandbox cannot write its state file; see its log.", http.StatusInternalServerError)
	case target != "":
		http.Redirect(w, r, target, http.StatusSeeOther)
	case status != 0:
		s.writePage(w, status, "message.html", ended)
	default:
		s.writePage(w, http.StatusOK, "challenge.html", page)
	}
}

// answerChallenge takes the customer's yes or no.
func (s *Server) answerChallenge(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, biggestDialText)
	secret, result := r.PostFormValue("client_secret"), r.PostFormValue("result")
	status, ended := 0, messagePage{}
	target := ""
	err := s.do(func() {
		intent := s.findIntent(r.PathValue("intent"), secret)
		if intent == nil {
			status, ended = endedPage(nil)
			return
		}
		if result != "approve" && result != "fail" {
			status, ended = http.StatusBadRequest, messagePage{Title: "Something went wrong", Text: "The bank's page needs an answer: approve or fail."}
			return
		}
		c := s.callFor(intent, r)
		if intent.kind == "setup_intent" {
			_ = c.authenticateSetup(intent, result == "approve")
		} else {
			_ = c.authenticate(intent, result == "approve")
		}
		if session := c.sessionOfIntent(intent.id); session != nil && str(intent.obj, "status") == "succeeded" {
			c.completeSession(session)
		}
		if target = c.afterChallenge(intent); target == "" {
			status, ended = http.StatusOK, messagePage{Title: "Thank you", Text: "Your answer has reached the merchant. You can close this page."}
		}
	})
	switch {
	case err != nil:
		http.Error(w, "The sandbox cannot write its state file; see its log.", http.StatusInternalServerError)
	case target != "":
		http.Redirect(w, r, target, http.StatusSeeOther)
	default:
		s.writePage(w, status, "message.html", ended)
	}
}

// afterChallenge is where the browser goes: back to the session's page or beyond it, or to the intent's return_url with
// what Stripe adds to it (https://stripe.com/docs/js/payment_intents/confirm_payment). "" is nowhere.
func (c *call) afterChallenge(intent *record) string {
	o := intent.obj
	if session := c.sessionOfIntent(intent.id); session != nil {
		if str(session.obj, "status") == "complete" {
			return successURL(session.obj)
		}
		return "/c/pay/" + session.id
	}
	u, err := url.Parse(str(o, "_return_url"))
	if err != nil || u.Host == "" {
		return ""
	}
	q := u.Query()
	q.Set(intent.kind, intent.id)
	q.Set(intent.kind+"_client_secret", str(o, "client_secret"))
	q.Set("redirect_status", map[bool]string{true: "succeeded", false: "failed"}[str(o, "status") == "succeeded"])
	u.RawQuery = q.Encode()
	return u.String()
}

type receiptPage struct {
	Merchant, Amount, Method, Charge, Refunded string
}

func (s *Server) showReceipt(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	charge := s.records[r.PathValue("charge")]
	var page receiptPage
	found := charge != nil && charge.kind == "charge" && str(charge.obj, "status") == "succeeded"
	if found {
		o := charge.obj
		currency := str(o, "currency")
		details := sub(o, "payment_method_details")
		page = receiptPage{Merchant: charge.account.businessName(), Amount: formatMoney(num(o, "amount"), currency), Charge: charge.id,
			Method: methodTitles[str(details, "type")]}
		if digits := str(sub(details, str(details, "type")), "last4"); digits != "" {
			page.Method += " •••• " + digits
		}
		if refunded := num(o, "amount_refunded"); refunded > 0 {
			page.Refunded = formatMoney(refunded, currency)
		}
	}
	s.mu.Unlock()
	if !found {
		status, ended := endedPage(nil)
		s.writePage(w, status, "message.html", ended)
		return
	}
	s.writePage(w, http.StatusOK, "receipt.html", page)
}
