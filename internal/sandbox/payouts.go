package sandbox

import (
	"net/http"
	"slices"
)

// payOut pays everything that is in the balance to the account's bank, one payout for each currency, and returns the ids.
// Of an automatic payout Stripe can say what it contains: all since the last one. A manual one is an amount and no more
// (https://stripe.com/docs/payouts/reconciliation).
func (c *call) payOut(automatic bool) ([]string, *apiError) {
	sums := map[string]int64{}
	unpaid := map[string][]*record{}
	for _, r := range c.account.kinds["balance_transaction"] {
		if str(r.obj, "_payout") == "" {
			currency := str(r.obj, "currency")
			sums[currency] += num(r.obj, "net")
			unpaid[currency] = append(unpaid[currency], r)
		}
	}
	var ids []string
	for _, currency := range currencies {
		if sums[currency] <= 0 {
			continue
		}
		id := newID("po")
		payout := c.add(c.account, payoutObject(id, sums[currency], currency, automatic, c.now))
		txn := c.book(entry{kind: "payout", category: "payout", amount: -sums[currency], currency: currency, settled: true, source: id, description: "STRIPE PAYOUT", availableOn: c.now})
		for _, r := range append(unpaid[currency], c.records[txn]) {
			r.obj["status"] = "available"
			r.obj["available_on"] = min(num(r.obj, "available_on"), c.now)
			if automatic {
				r.obj["_payout"] = id
				c.account.enter(r, "_payout")
			}
			c.touch(r)
		}
		payout.obj["balance_transaction"] = txn
		c.emit("payout.created", payout.obj, nil)
		payout.obj["status"] = "paid"
		c.touch(payout)
		c.emit("payout.paid", payout.obj, nil)
		if automatic {
			c.emit("payout.reconciliation_completed", payout.obj, nil)
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil, &apiError{status: http.StatusBadRequest, kind: "invalid_request_error", code: "balance_insufficient", message: "There is nothing to pay out: no currency's balance is above zero."}
	}
	slices.Sort(ids)
	return ids, nil
}

func payoutObject(id string, amount int64, currency string, automatic bool, now int64) object {
	return object{
		"id": id, "object": "payout", "amount": amount, "arrival_date": now, "automatic": automatic, "balance_transaction": nil,
		"created": now, "currency": currency, "description": "STRIPE PAYOUT", "destination": "ba_3Sandbox" + currency,
		"failure_balance_transaction": nil, "failure_code": nil, "failure_message": nil, "livemode": false, "metadata": object{},
		"method": "standard", "original_payout": nil, "reconciliation_status": map[bool]string{true: "completed", false: "not_applicable"}[automatic], "reversed_by": nil,
		"source_type": "card", "statement_descriptor": nil, "status": "in_transit", "type": "bank_account",
	}
}

// payoutFailures are the codes of https://stripe.com/docs/api/payouts/failures that do not hang on a country.
var payoutFailures = map[string]string{
	"account_closed":         "The bank account has been closed.",
	"account_frozen":         "The bank account has been frozen.",
	"could_not_process":      "The bank could not process this transfer.",
	"declined":               "The bank has declined this transfer.",
	"insufficient_funds":     "Your Stripe account has insufficient funds to cover the transfer.",
	"invalid_account_number": "The routing number seems correct, but the account number is invalid.",
	"invalid_currency":       "The bank was unable to process this transfer because of its currency.",
	"no_account":             "The bank account details on file are probably incorrect. No bank account could be located with those details.",
}

// failPayout lets the bank send a payout back, which may be after it was paid. The money is in the balance again and goes
// with the next payout; what the failed one contained stays its own.
func (c *call) failPayout(payout *record, code string) {
	o := payout.obj
	o["failure_balance_transaction"] = c.book(entry{kind: "payout_failure", category: "payout_reversal", amount: num(o, "amount"), currency: str(o, "currency"), settled: true,
		source: payout.id, description: "STRIPE PAYOUT FAILURE", availableOn: c.now})
	o["status"], o["failure_code"], o["failure_message"] = "failed", code, payoutFailures[code]
	c.touch(payout)
	c.emit("payout.failed", o, nil)
}

func listPayouts(c *call) (any, *apiError) {
	arrived, err := c.createdRange("arrival_date")
	if err != nil {
		return nil, err
	}
	same := c.equals("destination", "status")
	return c.list("payout", "/v1/payouts", func(o object) bool { return same(o) && arrived(num(o, "arrival_date")) })
}
