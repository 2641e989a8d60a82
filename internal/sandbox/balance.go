package sandbox

import (
	"strconv"
)

const daySeconds = 24 * 60 * 60

// Days until the money of a payment can be paid out.
const (
	cardPendingDays  = 2
	debitPendingDays = 4
)

// entry is what changes the balance at Stripe. Kinds and categories are those of
// https://stripe.com/docs/reports/balance-transaction-types and https://stripe.com/docs/reports/reporting-categories.
type entry struct {
	kind        string // charge, payment, refund, payment_refund, adjustment, payout …
	category    string // reporting_category
	amount      int64  // minor units of currency; negative for what leaves
	currency    string
	settled     bool   // the currency is the balance's own, whatever the account settles in now
	fee         int64  // minor units of the currency of settlement
	charged     bool   // Stripe takes the fee of a payment, too
	source      string // "" for none
	description string
	availableOn int64
	feeText     string
}

// book adds a balance transaction and returns its id. It is in the currency that the account settles in, converted at
// today's rate, which for a refund is another than the payment's was (https://stripe.com/docs/currencies/conversions).
func (c *call) book(e entry) string {
	var exchange any
	if into := c.account.settlesIn(); into != "" && into != e.currency && !e.settled {
		today := rateOf(e.currency, into, c.now)
		e.amount, e.currency, exchange = today.convert(e.amount), into, today.shown
	}
	if e.charged {
		e.fee += feeOf(e.amount)
	}
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
		"currency": e.currency, "description": orNil(e.description), "exchange_rate": exchange, "fee": e.fee, "fee_details": fees,
		"net": e.amount - e.fee, "reporting_category": e.category, "source": orNil(e.source), "status": status, "type": e.kind,
	})
	return id
}

func listBalanceTransactions(c *call) (any, *apiError) {
	records := c.among("balance_transaction", "source")
	payout := str(c.params, "payout")
	if payout != "" {
		r := c.getKind(c.account, "payout", payout)
		if r == nil {
			return nil, missingParam("payout", "payout", payout)
		}
		if !flag(r.obj, "automatic") {
			return nil, invalid("", "payout", "Balance transaction history can only be filtered on automatic transfers, not manual.")
		}
		records = c.account.with("balance_transaction", "_payout", payout)
	}
	return c.listOf(records, "balance_transaction", "/v1/balance_transactions", c.equals("currency", "source", "type"))
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
