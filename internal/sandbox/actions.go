package sandbox

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// action is the body of POST /_sandbox/actions/…: what a person does in Stripe's dashboard, or what a bank does.
type action struct {
	ID       string `json:"id"`
	Amount   int64  `json:"amount"`   // minor units; 0 is all of it, where there is an all
	Currency string `json:"currency"` // of a fee, where "" is the account's, or of a foreign_charge, where it is gbp
	Reason   string `json:"reason"`
	Status   string `json:"status"`  // of a refund: pending; of a new dispute: warning_needs_response makes an inquiry; of a payout: manual
	Outcome  string `json:"outcome"` // of a dispute: won, lost, warning_closed; needs_response makes an inquiry a dispute
	Name     string `json:"name"`    // of a merchant that is renamed
}

type actionFault struct {
	status  int
	field   string
	message string
}

func unknownID(id, wanted string) *actionFault {
	return &actionFault{http.StatusNotFound, "id", "there is no " + wanted + " " + cut(id) + " here"}
}

func refusedByStripe(err *apiError) *actionFault {
	return &actionFault{http.StatusConflict, err.param, err.message}
}

var actions = map[string]func(s *Server, a action, req *http.Request) (any, *actionFault){
	"refund": doRefund, "dispute": doDispute, "settle_debits": doSettle, "fail_debits": doFail,
	"payout": doPayout, "resend": doResend, "expire": doExpire, "rename": doRename, "settle_refund": doSettleRefund,
	"fail_refund": doFailRefund, "delete_customer": doDeleteCustomer, "detach": doDetach,
	"fail_payout": doFailPayout, "fee": doFee, "foreign_charge": doForeignCharge,
}

func (s *Server) act(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("action")
	work := actions[name]
	if work == nil {
		writeFault(w, http.StatusNotFound, "", "There is no action "+cut(name)+"; the actions are "+strings.Join(slices.Sorted(maps.Keys(actions)), ", ")+".")
		return
	}
	var a action
	fromPage, err := readBody(r, &a, func() {
		var err error
		a = action{ID: strings.TrimSpace(r.PostFormValue("id")), Reason: r.PostFormValue("reason"), Status: r.PostFormValue("status"), Outcome: r.PostFormValue("outcome"), Name: r.PostFormValue("name"), Currency: strings.TrimSpace(r.PostFormValue("currency"))}
		if text := strings.TrimSpace(r.PostFormValue("amount")); text != "" {
			if a.Amount, err = strconv.ParseInt(text, 10, 64); err != nil {
				a.Amount = -1
			}
		}
	})
	if err != nil {
		writeFault(w, http.StatusBadRequest, "", "The body must be a JSON object such as {\"id\": \"pi_…\"}; it may also have amount, currency, reason, status, outcome and name.")
		return
	}
	if a.Amount < 0 {
		writeFault(w, http.StatusBadRequest, "amount", "amount: must be a positive number of minor units")
		return
	}
	var result any
	var fault *actionFault
	err = s.do(func() {
		if result, fault = work(s, a, r); fault == nil {
			result = shownResult(result)
		}
	})
	switch {
	case err != nil:
		writeFault(w, http.StatusInternalServerError, "", "The sandbox cannot write its state file; see its log.")
	case fault != nil:
		writeFault(w, fault.status, fault.field, fault.message)
	case fromPage:
		http.Redirect(w, r, "/_sandbox", http.StatusSeeOther)
	default:
		writeJSON(w, http.StatusOK, result)
	}
}

// shownResult is encoded while the lock is held, because the object may change afterwards.
func shownResult(v any) any {
	if r, ok := v.(*record); ok {
		return json.RawMessage(encode(visible(r.obj)))
	}
	return v
}

func (s *Server) recordOf(id string, kinds ...string) *record {
	if r := s.records[id]; r != nil && slices.Contains(kinds, r.kind) {
		return r
	}
	return nil
}

func doRefund(s *Server, a action, req *http.Request) (any, *actionFault) {
	r := s.recordOf(a.ID, "payment_intent", "charge", "checkout.session")
	if r == nil {
		return nil, unknownID(a.ID, "payment intent, charge or session")
	}
	c := s.callFor(r, req)
	charge := c.chargeOf(a.ID)
	if charge == nil {
		return nil, &actionFault{http.StatusConflict, "id", cut(a.ID) + " has taken no money"}
	}
	if reasons := []string{"", "duplicate", "fraudulent", "requested_by_customer"}; !slices.Contains(reasons, a.Reason) {
		return nil, &actionFault{http.StatusBadRequest, "reason", "reason: must be duplicate, fraudulent or requested_by_customer"}
	}
	amount := a.Amount
	if amount == 0 {
		amount = -1
	}
	if a.Status != "" && a.Status != "pending" && a.Status != "succeeded" {
		return nil, &actionFault{http.StatusBadRequest, "status", "status: must be pending (until settle_refund or fail_refund) or succeeded"}
	}
	refund, err := c.refundAs(charge, amount, a.Reason, nil, a.Status)
	if err != nil {
		return nil, refusedByStripe(err)
	}
	return refund, nil
}

func doSettleRefund(s *Server, a action, req *http.Request) (any, *actionFault) {
	r := s.recordOf(a.ID, "refund")
	if r == nil {
		return nil, unknownID(a.ID, "refund")
	}
	if status := str(r.obj, "status"); status != "pending" {
		return nil, &actionFault{http.StatusConflict, "id", "the refund is " + status + ", only a pending one can be settled"}
	}
	s.callFor(r, req).finishRefund(r, "")
	return r, nil
}

// doFailRefund lets the customer's bank send a refund back, which can also happen long after it succeeded.
func doFailRefund(s *Server, a action, req *http.Request) (any, *actionFault) {
	r := s.recordOf(a.ID, "refund")
	if r == nil {
		return nil, unknownID(a.ID, "refund")
	}
	if status := str(r.obj, "status"); status != "pending" && status != "succeeded" {
		return nil, &actionFault{http.StatusConflict, "id", "the refund is " + status + ", only a pending or succeeded one can fail"}
	}
	reason := withDefault(orNil(a.Reason), "lost_or_stolen_card").(string)
	if !slices.Contains(refundFailures, reason) {
		return nil, &actionFault{http.StatusBadRequest, "reason", "reason: must be one of " + strings.Join(refundFailures, ", ")}
	}
	s.callFor(r, req).finishRefund(r, reason)
	return r, nil
}

func doDeleteCustomer(s *Server, a action, req *http.Request) (any, *actionFault) {
	r := s.recordOf(a.ID, "customer")
	if r == nil {
		return nil, unknownID(a.ID, "customer")
	}
	if flag(r.obj, "deleted") {
		return nil, &actionFault{http.StatusConflict, "id", cut(a.ID) + " is already deleted"}
	}
	s.callFor(r, req).removeCustomer(r)
	return r, nil
}

func doDetach(s *Server, a action, req *http.Request) (any, *actionFault) {
	r := s.recordOf(a.ID, "payment_method")
	if r == nil {
		return nil, unknownID(a.ID, "payment method")
	}
	if str(r.obj, "customer") == "" {
		return nil, &actionFault{http.StatusConflict, "id", cut(a.ID) + " belongs to no customer"}
	}
	s.callFor(r, req).detach(r)
	return r, nil
}

func doDispute(s *Server, a action, req *http.Request) (any, *actionFault) {
	if r := s.recordOf(a.ID, "dispute"); r != nil {
		return s.decideDispute(r, a, req)
	}
	r := s.recordOf(a.ID, "payment_intent", "charge", "checkout.session")
	if r == nil {
		return nil, unknownID(a.ID, "payment intent, charge, session or dispute")
	}
	c := s.callFor(r, req)
	charge := c.chargeOf(a.ID)
	switch {
	case charge == nil || str(charge.obj, "status") != "succeeded":
		return nil, &actionFault{http.StatusConflict, "id", cut(a.ID) + " has taken no money"}
	case flag(charge.obj, "disputed"):
		return nil, &actionFault{http.StatusConflict, "id", cut(charge.id) + " is already disputed"}
	case a.Amount > num(charge.obj, "amount"):
		return nil, &actionFault{http.StatusBadRequest, "amount", "amount: more than the charge's"}
	}
	reason, amount := a.Reason, a.Amount
	if reason == "" {
		reason = "fraudulent"
	}
	if !slices.Contains(disputeReasons, reason) {
		return nil, &actionFault{http.StatusBadRequest, "reason", "reason: must be one of " + strings.Join(disputeReasons, ", ")}
	}
	if amount == 0 {
		amount = num(charge.obj, "amount")
	}
	if kinds := []string{"", "needs_response", "warning_needs_response"}; !slices.Contains(kinds, a.Status) {
		return nil, &actionFault{http.StatusBadRequest, "status", "status: a new dispute is needs_response or, for an inquiry, warning_needs_response"}
	}
	return c.openDispute(charge, amount, reason, a.Status == "warning_needs_response"), nil
}

// decideDispute is what the bank says at the end, or that its inquiry becomes a dispute.
func (s *Server) decideDispute(r *record, a action, req *http.Request) (any, *actionFault) {
	field, outcome := "outcome", a.Outcome
	if outcome == "" {
		field, outcome = "status", a.Status
	}
	c := s.callFor(r, req)
	switch {
	case !slices.Contains([]string{"won", "lost", "warning_closed", "needs_response"}, outcome):
		return nil, &actionFault{http.StatusBadRequest, field, field + ": must be won or lost to close a dispute, warning_closed to close an inquiry, or needs_response to make an inquiry a dispute"}
	case outcome == "won" || outcome == "lost":
		c.closeDispute(r, outcome)
	case !isInquiry(r.obj) || str(r.obj, "status") == "warning_closed":
		return nil, &actionFault{http.StatusConflict, field, "the dispute is " + str(r.obj, "status") + ", only an open inquiry can become " + outcome}
	case outcome == "warning_closed":
		c.closeDispute(r, outcome)
	default:
		c.escalateDispute(r)
	}
	return r, nil
}

// debits finds the bank debits under way: one by the id of its intent, charge or session, or all.
func (s *Server) debits(id string) ([]*record, *actionFault) {
	if id != "" {
		r := s.recordOf(id, "payment_intent", "charge", "checkout.session")
		for _, key := range []string{"payment_intent", "_payment_intent"} {
			if r != nil && r.kind != "payment_intent" {
				if intent := s.recordOf(str(r.obj, key), "payment_intent"); intent != nil {
					r = intent
				}
			}
		}
		if r == nil {
			return nil, unknownID(id, "payment intent, charge or session")
		}
		if r.kind != "payment_intent" || str(r.obj, "status") != "processing" {
			return nil, &actionFault{http.StatusConflict, "id", cut(id) + " is not a bank debit under way"}
		}
		return []*record{r}, nil
	}
	var out []*record
	for _, a := range s.accountOrder {
		for _, r := range a.kinds["payment_intent"] {
			if str(r.obj, "status") == "processing" {
				out = append(out, r)
			}
		}
	}
	return out, nil
}

// finishAll ends debits; outcome says for each why it fails, "" for success.
func (s *Server) finishAll(id string, req *http.Request, outcome func(intent *record) string) (any, *actionFault) {
	list, fault := s.debits(id)
	if fault != nil {
		return nil, fault
	}
	ids := []any{}
	for _, r := range list {
		s.callFor(r, req).finishDebit(r, outcome(r))
		ids = append(ids, r.id)
	}
	return object{"payment_intents": ids}, nil
}

func doSettle(s *Server, a action, req *http.Request) (any, *actionFault) {
	return s.finishAll(a.ID, req, func(r *record) string { return str(r.obj, "_debit_failure") })
}

func doFail(s *Server, a action, req *http.Request) (any, *actionFault) {
	reason := a.Reason
	if reason == "" {
		reason = "insufficient_funds"
	}
	if debitFailures[reason] == "" {
		return nil, &actionFault{http.StatusBadRequest, "reason", "reason: must be one of " + strings.Join(slices.Sorted(maps.Keys(debitFailures)), ", ")}
	}
	return s.finishAll(a.ID, req, func(*record) string { return reason })
}

func doResend(s *Server, a action, req *http.Request) (any, *actionFault) {
	r := s.recordOf(a.ID, "event")
	if r == nil {
		return nil, unknownID(a.ID, "event")
	}
	return object{"event": r.id, "deliveries": s.callFor(r, req).resend(r)}, nil
}

func doExpire(s *Server, a action, req *http.Request) (any, *actionFault) {
	r := s.recordOf(a.ID, "checkout.session")
	if r == nil {
		return nil, unknownID(a.ID, "session")
	}
	if status := str(r.obj, "status"); status != "open" {
		return nil, &actionFault{http.StatusConflict, "id", "the session is " + status + ", only an open one can be expired"}
	}
	s.callFor(r, req).expireSession(r)
	return r, nil
}

// doRename sets the business name that the hosted page shows.
func doRename(s *Server, a action, _ *http.Request) (any, *actionFault) {
	r := s.recordOf(a.ID, "account")
	if r == nil {
		return nil, unknownID(a.ID, "account")
	}
	if a.Name == "" || len([]rune(a.Name)) > 100 {
		return nil, &actionFault{http.StatusBadRequest, "name", "name: must have 1 to 100 characters"}
	}
	profile := clone(r.obj["business_profile"]).(object)
	profile["name"] = a.Name
	r.obj["business_profile"] = profile
	s.touch(r)
	return r, nil
}
