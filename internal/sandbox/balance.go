package sandbox

import (
	"net/http"
	"slices"
	"strconv"
)

const daySeconds = 24 * 60 * 60

// Days until the money of a payment can be paid out.
const (
	cardPendingDays  = 2
	debitPendingDays = 4
)

// entry is what changes the balance at Stripe.
type entry struct {
	kind        string // charge, payment, refund, payment_refund, adjustment, payout …
	category    string // reporting_category
	amount, fee int64  // minor units; the amount is negative for what leaves
	currency    string
	source      string
	description string
	availableOn int64
	feeText     string
}

// book adds a balance transaction and returns its id. The sandbox settles in the currency of the payment, as an account
// with a bank account per currency does, so there is no exchange rate.
func (c *call) book(e entry) string {
	status := "available"
	if e.availableOn > c.now {
		status = "pending"
	}
	fees := []any{}
	if e.fee != 0 {
		fees = append(fees, object{"amount": e.fee, "application": nil, "currency": e.currency, "description": withDefault(orNil(e.feeText), "Stripe processing fees"), "type": "stripe_fee"})
	}
	id := newID("txn")
	c.add(c.account, object{
		"id": id, "object": "balance_transaction", "amount": e.amount, "available_on": max(e.availableOn, c.now), "created": c.now,
		"currency": e.currency, "description": orNil(e.description), "exchange_rate": nil, "fee": e.fee, "fee_details": fees,
		"net": e.amount - e.fee, "reporting_category": e.category, "source": e.source, "status": status, "type": e.kind,
	})
	return id
}

func listBalanceTransactions(c *call) (any, *apiError) {
	payout := str(c.params, "payout")
	if payout != "" && c.getKind(c.account, "payout", payout) == nil {
		return nil, missingParam("payout", "payout", payout)
	}
	same := c.equals("currency", "source", "type")
	return c.list("balance_transaction", "/v1/balance_transactions", func(o object) bool {
		return same(o) && (payout == "" || str(o, "_payout") == payout)
	})
}

func getBalance(c *call) (any, *apiError) {
	sums := map[string]map[string]int64{"available": {}, "pending": {}}
	for _, r := range c.account.kinds["balance_transaction"] {
		sums[str(r.obj, "status")][str(r.obj, "currency")] += num(r.obj, "net")
	}
	show := func(status string) []any {
		out := []any{}
		for _, currency := range currencies {
			if _, seen := sums["available"][currency]; !seen {
				if _, seen = sums["pending"][currency]; !seen {
					continue
				}
			}
			amount := sums[status][currency]
			out = append(out, object{"amount": amount, "currency": currency, "source_types": object{"card": amount}})
		}
		if len(out) == 0 {
			out = append(out, object{"amount": int64(0), "currency": "gbp", "source_types": object{"card": int64(0)}})
		}
		return out
	}
	return object{"object": "balance", "available": show("available"), "pending": show("pending"), "livemode": false}, nil
}

// payOut pays everything that is in the balance to the account's bank, one payout for each currency, and returns the ids.
func (c *call) payOut() ([]string, *apiError) {
	sums := map[string]int64{}
	unpaid := map[string][]*record{}
	for _, r := range c.account.kinds["balance_transaction"] {
		if str(r.obj, "_payout") == "" && str(r.obj, "type") != "payout" {
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
		payout := c.add(c.account, payoutObject(id, sums[currency], currency, c.now))
		for _, r := range unpaid[currency] {
			r.obj["_payout"] = id
			r.obj["status"] = "available"
			r.obj["available_on"] = min(num(r.obj, "available_on"), c.now)
			c.touch(r)
		}
		txn := c.book(entry{kind: "payout", category: "payout", amount: -sums[currency], currency: currency, source: id, description: "STRIPE PAYOUT", availableOn: c.now})
		c.records[txn].obj["_payout"] = id
		payout.obj["balance_transaction"] = txn
		c.emit("payout.created", payout.obj, nil)
		payout.obj["status"] = "paid"
		c.touch(payout)
		c.emit("payout.paid", payout.obj, nil)
		c.emit("payout.reconciliation_completed", payout.obj, nil)
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil, &apiError{status: http.StatusBadRequest, kind: "invalid_request_error", code: "balance_insufficient", message: "There is nothing to pay out: no currency's balance is above zero."}
	}
	slices.Sort(ids)
	return ids, nil
}

func payoutObject(id string, amount int64, currency string, now int64) object {
	return object{
		"id": id, "object": "payout", "amount": amount, "arrival_date": now, "automatic": true, "balance_transaction": nil,
		"created": now, "currency": currency, "description": "STRIPE PAYOUT", "destination": "ba_3Sandbox" + currency,
		"failure_balance_transaction": nil, "failure_code": nil, "failure_message": nil, "livemode": false, "metadata": object{},
		"method": "standard", "original_payout": nil, "reconciliation_status": "completed", "reversed_by": nil,
		"source_type": "card", "statement_descriptor": nil, "status": "in_transit", "type": "bank_account",
	}
}

func listPayouts(c *call) (any, *apiError) {
	arrived, err := c.createdRange("arrival_date")
	if err != nil {
		return nil, err
	}
	same := c.equals("destination", "status")
	return c.list("payout", "/v1/payouts", func(o object) bool { return same(o) && arrived(num(o, "arrival_date")) })
}

// decimalText writes minor units with the given number of decimals: 1250, 2 is "12.50".
func decimalText(minor int64, decimals int) string {
	sign := ""
	if minor < 0 {
		sign, minor = "-", -minor
	}
	digits := strconv.FormatInt(minor, 10)
	if decimals == 0 {
		return sign + digits
	}
	for len(digits) <= decimals {
		digits = "0" + digits
	}
	return sign + digits[:len(digits)-decimals] + "." + digits[len(digits)-decimals:]
}
