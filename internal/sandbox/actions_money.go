package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Actions that move money without an order of the till's: Stripe's own fees, payouts, and payments that something else on
// the same account takes.

// accountOfAction is the account with the id, or, without one, the only account there is.
func (s *Server) accountOfAction(id string) (*account, *actionFault) {
	switch {
	case id != "" && s.accounts[id] == nil:
		return nil, unknownID(id, "account")
	case id != "":
		return s.accounts[id], nil
	case len(s.accountOrder) != 1:
		return nil, &actionFault{http.StatusConflict, "id", "id: must be an account's, unless there is just one; an account is made by the first request with its key"}
	}
	return s.accountOrder[0], nil
}

func (s *Server) callOn(owner *account, req *http.Request) *call {
	c := s.background(owner)
	c.base = s.base(req)
	return c
}

func doPayout(s *Server, a action, req *http.Request) (any, *actionFault) {
	list := s.accountOrder
	if a.ID != "" {
		one := s.accounts[a.ID]
		if one == nil {
			return nil, unknownID(a.ID, "account")
		}
		list = []*account{one}
	}
	if kinds := []string{"", "automatic", "manual"}; !slices.Contains(kinds, a.Status) {
		return nil, &actionFault{http.StatusBadRequest, "status", "status: a payout is automatic or manual"}
	}
	ids := []any{}
	var refusal *apiError
	for _, owner := range list {
		paid, err := s.callOn(owner, req).payOut(a.Status != "manual")
		if err != nil {
			refusal = err
			continue
		}
		for _, id := range paid {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 && refusal != nil {
		return nil, refusedByStripe(refusal)
	}
	return object{"payouts": ids}, nil
}

func doFailPayout(s *Server, a action, req *http.Request) (any, *actionFault) {
	r := s.recordOf(a.ID, "payout")
	if r == nil {
		return nil, unknownID(a.ID, "payout")
	}
	if status := str(r.obj, "status"); status == "failed" {
		return nil, &actionFault{http.StatusConflict, "id", "the payout has failed already"}
	}
	reason := withDefault(orNil(a.Reason), "account_closed").(string)
	if payoutFailures[reason] == "" {
		return nil, &actionFault{http.StatusBadRequest, "reason", "reason: must be one of " + strings.Join(slices.Sorted(maps.Keys(payoutFailures)), ", ")}
	}
	s.callFor(r, req).failPayout(r, reason)
	return r, nil
}

// doFee lets Stripe charge the account itself, as for a monthly plan: a balance transaction that belongs to no object.
func doFee(s *Server, a action, req *http.Request) (any, *actionFault) {
	owner, fault := s.accountOfAction(a.ID)
	if fault != nil {
		return nil, fault
	}
	c := s.callOn(owner, req)
	currency, err := checkCurrency(withDefault(orNil(a.Currency), withDefault(orNil(owner.settlesIn()), defaultCurrency)).(string), "currency")
	switch {
	case err != nil:
		return nil, &actionFault{http.StatusBadRequest, "currency", "currency: must be one that Stripe supports, such as gbp"}
	case a.Amount < 1 || a.Amount > maximumCharge:
		return nil, &actionFault{http.StatusBadRequest, "amount", "amount: must be a number of minor units from 1 to 99999999"}
	}
	id := c.book(entry{kind: "stripe_fee", category: "fee", amount: -a.Amount, currency: currency, settled: true, description: "Billing - Usage Fee", availableOn: c.now})
	return c.records[id], nil
}

// doForeignCharge takes a payment as an older integration on the same account would: a charge of a Visa card without a
// payment intent (https://stripe.com/docs/payments/charges-api).
func doForeignCharge(s *Server, a action, req *http.Request) (any, *actionFault) {
	owner, fault := s.accountOfAction(a.ID)
	if fault != nil {
		return nil, fault
	}
	c := s.callOn(owner, req)
	currency, err := checkCurrency(withDefault(orNil(a.Currency), defaultCurrency).(string), "currency")
	if err != nil {
		return nil, &actionFault{http.StatusBadRequest, "currency", "currency: must be one that Stripe supports, such as gbp"}
	}
	if err := checkCharge(a.Amount, currency, "amount"); err != nil {
		return nil, &actionFault{http.StatusBadRequest, "amount", "amount: " + err.message}
	}
	method, err := c.methodForUse("pm_card_visa", "payment_method")
	if err != nil {
		return nil, refusedByStripe(err)
	}
	terms := &record{account: owner, obj: newIntent(c, a.Amount, currency)} // lends its fields, and is kept nowhere
	terms.obj["description"] = "Charge of another integration"
	charge := c.newCharge(terms, method, nil)
	charge.obj["payment_intent"] = nil
	c.takeCharge(charge, "charge", c.now+cardPendingDays*daySeconds)
	c.afterUse(terms, method)
	return charge, nil
}
