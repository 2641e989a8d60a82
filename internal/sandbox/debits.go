package sandbox

import (
	"slices"
	"strings"
)

// methodTypes are the payment method types that the sandbox can take money with, and the currencies they are bound to;
// "" is every currency (https://stripe.com/docs/payments/payment-methods/overview). The bank debits have one each.
var methodTypes = map[string]string{
	"card": "", "link": "", "bacs_debit": "gbp", "sepa_debit": "eur", "us_bank_account": "usd",
	"paypal": "eur gbp usd chf czk dkk nok pln sek aud cad hkd nzd sgd",
}

// testAccount is a bank account of Stripe's test pages for debits. Tokens are what follows "pm_". Those that Stripe
// delays by three minutes are like the others here: all wait for debit_settle_s.
type testAccount struct {
	number   string // account number or IBAN
	tokens   string
	failure  string // the failure_code that the debit ends with, "" for success
	disputed bool   // the customer's bank takes the money back right after
	stuck    bool   // stays in processing until a person or a cancellation ends it
}

// https://stripe.com/docs/payments/bacs-debit/accept-a-payment#test-account-numbers,
// https://stripe.com/docs/payments/sepa-debit/accept-a-payment#test-account-numbers,
// https://stripe.com/docs/payments/ach-debit/accept-a-payment#test-account-numbers
var testAccounts = map[string][]testAccount{
	"bacs_debit": {
		{number: "00012345", tokens: "bacsDebit_success"},
		{number: "90012345", tokens: "bacsDebit_successDelayed"},
		{number: "33333335", tokens: "bacsDebit_debitNotAuthorized", failure: "debit_not_authorized"},
		{number: "93333335", tokens: "bacsDebit_debitNotAuthorizedDelayed", failure: "debit_not_authorized"},
		{number: "22222227", tokens: "bacsDebit_insufficientFunds", failure: "insufficient_funds"},
		{number: "92222227", tokens: "bacsDebit_insufficientFundsDelayed", failure: "insufficient_funds"},
		{number: "55555559", tokens: "bacsDebit_dispute", disputed: true},
		{number: "00033333", tokens: "bacsDebit_mandateRefused", failure: "debit_not_authorized"},
		{number: "34343434", tokens: "bacsDebit_exceedsWeeklyLimit", failure: "charge_exceeds_source_limit"},
		{number: "12121212", tokens: "bacsDebit_exceedsTransactionLimit", failure: "charge_exceeds_transaction_limit"},
	},
	"sepa_debit": {
		{number: "DE89370400440532013000", tokens: "success_de sepaDebit_success_de"},
		{number: "DE08370400440532013003", tokens: "successDelayed_de sepaDebit_successDelayed_de"},
		{number: "DE62370400440532013001", tokens: "failed_de sepaDebit_failed_de", failure: "debit_not_authorized"},
		{number: "DE78370400440532013004", tokens: "failedDelayed_de sepaDebit_failedDelayed_de", failure: "debit_not_authorized"},
		{number: "DE35370400440532013002", tokens: "disputed_de sepaDebit_disputed_de", disputed: true},
		{number: "DE97370400440000222227", tokens: "insufficientFunds_de sepaDebit_insufficientFunds_de", failure: "insufficient_funds"},
		{number: "AT611904300234573201", tokens: "success_at sepaDebit_success_at"},
		{number: "AT321904300235473204", tokens: "successDelayed_at sepaDebit_successDelayed_at"},
		{number: "AT861904300235473202", tokens: "failed_at sepaDebit_failed_at", failure: "debit_not_authorized"},
		{number: "AT051904300235473205", tokens: "failedDelayed_at sepaDebit_failedDelayed_at", failure: "debit_not_authorized"},
		{number: "AT591904300235473203", tokens: "disputed_at sepaDebit_disputed_at", disputed: true},
		{number: "FR1420041010050500013M02606", tokens: "success_fr"},
		{number: "IE29AIBK93115212345678", tokens: "success_ie"},
		{number: "NL39RABO0300065264", tokens: "success_nl"},
		{number: "GB82WEST12345698765432", tokens: "success_gb"},
	},
	"us_bank_account": {
		{number: "000123456789", tokens: "usBankAccount_success usBankAccount"},
		{number: "000111111113", tokens: "usBankAccount_accountClosed", failure: "account_closed"},
		{number: "000111111116", tokens: "usBankAccount_noAccount", failure: "no_account"},
		{number: "000222222227", tokens: "usBankAccount_insufficientFunds", failure: "insufficient_funds"},
		{number: "000333333335", tokens: "usBankAccount_debitNotAuthorized", failure: "debit_not_authorized"},
		{number: "000555555559", tokens: "usBankAccount_dispute", disputed: true},
		{number: "000000000009", tokens: "usBankAccount_processing", stuck: true},
	},
}

// accountOf finds a test account of a kind by its number.
func accountOf(kind, number string) *testAccount {
	list := testAccounts[kind]
	if i := slices.IndexFunc(list, func(a testAccount) bool { return a.number == number }); i >= 0 {
		return &list[i]
	}
	return nil
}

// accountOfToken finds the account behind a test id such as pm_usBankAccount_success.
func accountOfToken(id string) (string, *testAccount) {
	name, ok := strings.CutPrefix(id, "pm_")
	if !ok {
		return "", nil
	}
	for kind, list := range testAccounts {
		for i := range list {
			if slices.Contains(strings.Fields(list[i].tokens), name) {
				return kind, &list[i]
			}
		}
	}
	return "", nil
}

var testBankCodes = map[string]string{"bacs_debit": "108800", "us_bank_account": "110000000"}

func (c *call) debitFromData(kind string, details object, at string) (object, *apiError) {
	number, bank := str(details, "account_number"), ""
	switch kind {
	case "sepa_debit":
		number = str(details, "iban")
	case "bacs_debit":
		bank = str(details, "sort_code")
	case "us_bank_account":
		bank = str(details, "routing_number")
	}
	return c.newDebitMethod(kind, number, bank, at)
}

func (c *call) newDebitMethod(kind, number, bank, at string) (object, *apiError) {
	number = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(number))
	bank = strings.NewReplacer(" ", "", "-", "").Replace(bank)
	account := accountOf(kind, number)
	if account == nil {
		code, what := "account_number_invalid", "account number"
		if kind == "sepa_debit" {
			code, what = "invalid_bank_account_iban", "IBAN"
		}
		return nil, invalid(code, at, "The %s is not valid. In the sandbox use one of the test numbers of https://stripe.com/docs/testing.", what)
	}
	var shown object
	switch kind {
	case "bacs_debit":
		if len(bank) != 6 || strings.Trim(bank, "0123456789") != "" {
			return nil, invalid("bank_account_sort_code_invalid", at+"[sort_code]", "The sort code must be six digits, such as 10-88-00.")
		}
		shown = object{"fingerprint": fingerprint(bank + number), "last4": number[4:], "sort_code": bank}
	case "sepa_debit":
		shown = object{"bank_code": number[4:12], "branch_code": "", "country": number[:2], "fingerprint": fingerprint(number), "generated_from": object{"charge": nil, "setup_attempt": nil}, "last4": number[len(number)-4:]}
	default:
		if bank != "110000000" {
			return nil, invalid("routing_number_invalid", at+"[routing_number]", "The routing number must be 110000000 in the sandbox.")
		}
		shown = object{"account_holder_type": "individual", "account_type": "checking", "bank_name": "STRIPE TEST BANK", "financial_connections_account": nil,
			"fingerprint": fingerprint(bank + number), "last4": number[len(number)-4:], "networks": object{"preferred": "ach", "supported": []any{"ach"}}, "routing_number": bank, "status_details": object{}}
	}
	o := newMethod(c, kind, shown)
	if account.failure != "" {
		o["_debit_failure"] = account.failure
	}
	if account.disputed {
		o["_debit_disputed"] = true
	}
	if account.stuck {
		o["_debit_stuck"] = true
	}
	return o, nil
}

// startDebit begins a bank debit, whose outcome is known days later at Stripe and after debit_settle_s here.
func (c *call) startDebit(intent, method *record) {
	charge := c.newCharge(intent, method, nil)
	charge.obj["status"], charge.obj["paid"], charge.obj["captured"] = "pending", false, true
	charge.obj["receipt_url"] = nil
	o := intent.obj
	o["status"], o["latest_charge"] = "processing", charge.id
	o["processing"] = nil
	o["_settle_at_ms"] = c.Server.now().UnixMilli() + int64(c.dials.DebitSettleS*1000)
	delete(o, "_debit_failure")
	if failure := str(method.obj, "_debit_failure"); failure != "" {
		o["_debit_failure"] = failure
	}
	if flag(method.obj, "_debit_stuck") {
		delete(o, "_settle_at_ms")
	}
	c.touch(intent)
	c.emit("charge.pending", charge.obj, nil)
	c.emit("payment_intent.processing", o, nil)
	c.afterUse(intent, method)
}

var debitFailures = map[string]string{
	"insufficient_funds":               "The customer's account has insufficient funds to cover this payment.",
	"account_closed":                   "The customer's bank account has been closed.",
	"no_account":                       "The customer's bank account could not be located.",
	"debit_not_authorized":             "The customer has notified their bank that this payment was unauthorized.",
	"charge_exceeds_source_limit":      "This payment exceeds the weekly volume limit of the account.",
	"charge_exceeds_transaction_limit": "This payment exceeds the transaction limit of the account.",
}

// finishDebit settles a bank debit, or fails it with the given reason.
func (c *call) finishDebit(intent *record, failure string) {
	charge, method := c.get(c.account, str(intent.obj, "latest_charge")), c.get(c.account, str(intent.obj, "payment_method"))
	if str(intent.obj, "status") != "processing" || charge == nil || method == nil {
		return
	}
	delete(intent.obj, "_debit_failure")
	session := c.sessionOfIntent(intent.id)
	if failure == "" {
		c.settleCharge(intent, charge, "payment", c.now+debitPendingDays*daySeconds)
		if session != nil {
			session.obj["payment_status"] = "paid"
			c.touch(session)
			c.emit("checkout.session.async_payment_succeeded", session.obj, nil)
		}
		if flag(method.obj, "_debit_disputed") {
			c.openDispute(charge, num(charge.obj, "amount"), "debit_not_authorized", false)
		}
		return
	}
	message := debitFailures[failure]
	if message == "" {
		message = "The bank refused this payment."
	}
	c.failCharge(charge, failure, message)
	if failure == "debit_not_authorized" {
		// The mandate is gone with the customer's word, so that the method cannot be used again.
		method.obj["_consumed"] = true
		c.touch(method)
	}
	c.failIntent(intent, method, &apiError{kind: "invalid_request_error", code: "payment_intent_payment_attempt_failed", message: message, charge: charge.id})
	if session != nil {
		c.emit("checkout.session.async_payment_failed", session.obj, nil)
	}
}

// failCharge ends a charge that was pending.
func (c *call) failCharge(charge *record, code, message string) {
	o := charge.obj
	o["status"], o["failure_code"], o["failure_message"] = "failed", code, message
	o["outcome"] = object{"network_status": "declined_by_network", "reason": code, "risk_level": "not_assessed", "seller_message": "The bank did not return any further details with this decline.", "type": "issuer_declined"}
	c.touch(charge)
	c.emit("charge.failed", o, nil)
}
