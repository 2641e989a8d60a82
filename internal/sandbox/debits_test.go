package sandbox_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTestAccountsOfBankDebits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ sentence, method, currency, failure string }{
		{"BacsSucceeds", "pm_bacsDebit_success", "gbp", ""},
		{"BacsWithoutFundsFails", "pm_bacsDebit_insufficientFunds", "gbp", "insufficient_funds"},
		{"BacsWithoutAMandateFails", "pm_bacsDebit_debitNotAuthorized", "gbp", "debit_not_authorized"},
		{"BacsOverItsLimitFails", "pm_bacsDebit_exceedsTransactionLimit", "gbp", "charge_exceeds_transaction_limit"},
		{"SEPASucceeds", "pm_success_de", "eur", ""},
		{"SEPASucceedsInAustria", "pm_sepaDebit_success_at", "eur", ""},
		{"SEPAFails", "pm_failed_at", "eur", "debit_not_authorized"},
		{"SEPAWithoutFundsFails", "pm_insufficientFunds_de", "eur", "insufficient_funds"},
		{"ACHSucceeds", "pm_usBankAccount_success", "usd", ""},
		{"ACHToAClosedAccountFails", "pm_usBankAccount_accountClosed", "usd", "account_closed"},
		{"ACHToNoAccountFails", "pm_usBankAccount_noAccount", "usd", "no_account"},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			customer := b.customer("")
			method := b.attached(c.method, customer)
			a := b.charge(customer, method, c.currency)
			intent, _ := a.field(t, "id").(string)
			if a.field(t, "status") != "processing" || !strings.HasPrefix(a.field(t, "latest_charge").(string), "py_") {
				t.Fatalf("at once: %d %s", a.status, a.body)
			}
			b.raw(http.MethodPost, "/v1/payment_intents/"+intent+"/cancel", "").refused(t, 400, "payment_intent_unexpected_state", "")
			b.clock.Add(time.Hour)
			a = b.raw(http.MethodGet, "/v1/payment_intents/"+intent+"?expand[]=latest_charge", "")
			if c.failure == "" {
				if a.field(t, "status") != "succeeded" || a.field(t, "latest_charge", "balance_transaction") == nil {
					t.Errorf("later: %s", a.body)
				}
				return
			}
			if a.field(t, "status") != "requires_payment_method" || a.field(t, "latest_charge", "failure_code") != c.failure || a.field(t, "latest_charge", "status") != "failed" {
				t.Errorf("later: %s", a.body)
			}
			if types := b.eventTypes(); !slices.Contains(types, "charge.failed") || !slices.Contains(types, "payment_intent.payment_failed") {
				t.Errorf("events %v", types)
			}
			again := b.charge(customer, method, c.currency)
			if c.failure == "debit_not_authorized" {
				again.refused(t, 400, "payment_method_unexpected_state", "payment_method")
			} else if again.field(t, "status") != "processing" {
				t.Errorf("another try: %s", again.body)
			}
		})
	}
	t.Run("OneThatNeverEndsCanBeCanceledOrSettledByAPerson", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		customer := b.customer("")
		method := b.attached("pm_usBankAccount_processing", customer)
		first, _ := b.charge(customer, method, "usd").field(t, "id").(string)
		second, _ := b.charge(customer, method, "usd").field(t, "id").(string)
		b.clock.Add(240 * time.Hour)
		if a := b.raw(http.MethodGet, "/v1/payment_intents/"+first, ""); a.field(t, "status") != "processing" {
			t.Fatalf("%s", a.body)
		}
		if a := b.raw(http.MethodPost, "/v1/payment_intents/"+first+"/cancel", "cancellation_reason=requested_by_customer&expand[]=latest_charge"); a.field(t, "status") != "canceled" || a.field(t, "latest_charge", "status") != "failed" {
			t.Errorf("canceled: %s", a.body)
		}
		b.sandboxPost("/_sandbox/actions/settle_debits", map[string]string{})
		if a := b.raw(http.MethodGet, "/v1/payment_intents/"+second, ""); a.field(t, "status") != "succeeded" {
			t.Errorf("settled: %s", a.body)
		}
		if list := b.ids("/v1/balance_transactions"); len(list) != 1 {
			t.Errorf("%d balance transactions", len(list))
		}
	})
	t.Run("OneIsDisputedAfterItSucceeded", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		customer := b.customer("")
		for method, currency := range map[string]string{"pm_bacsDebit_dispute": "gbp", "pm_usBankAccount_dispute": "usd", "pm_disputed_de": "eur"} {
			intent, _ := b.charge(customer, b.attached(method, customer), currency).field(t, "id").(string)
			b.sandboxPost("/_sandbox/actions/settle_debits", map[string]string{"id": intent})
			a := b.raw(http.MethodGet, "/v1/disputes?payment_intent="+intent, "")
			list, _ := a.field(t, "data").([]any)
			if len(list) != 1 || list[0].(map[string]any)["status"] != "needs_response" {
				t.Errorf("%s: %s", method, a.body)
			}
		}
		// By hand as well.
		intent, _ := b.charge(customer, b.attached("pm_bacsDebit_success", customer), "gbp").field(t, "id").(string)
		if a := b.sandboxPost("/_sandbox/actions/dispute", map[string]string{"id": intent}); a.status != 409 {
			t.Errorf("disputed while under way: %d", a.status)
		}
		b.clock.Add(time.Hour)
		if a := b.sandboxPost("/_sandbox/actions/dispute", map[string]string{"id": intent, "reason": "debit_not_authorized"}); a.status != 200 {
			t.Errorf("disputed after success: %d %s", a.status, a.body)
		}
	})
	for _, c := range []struct {
		sentence, currency, kind string
		form                     url.Values
		status, event            string
	}{
		{"AnIBANOnThePageIsPaid", "eur", "sepa_debit", url.Values{"iban": {"DE89 3704 0044 0532 0130 00"}}, "paid", "checkout.session.async_payment_succeeded"},
		{"AnIBANOnThePageFails", "eur", "sepa_debit", url.Values{"iban": {"AT861904300235473202"}}, "unpaid", "checkout.session.async_payment_failed"},
		{"AnAmericanAccountOnThePageIsPaid", "usd", "us_bank_account", url.Values{"routing_number": {"110000000"}, "us_account_number": {"000123456789"}}, "paid", "checkout.session.async_payment_succeeded"},
		{"AnAmericanAccountOnThePageFails", "usd", "us_bank_account", url.Values{"routing_number": {"110000000"}, "us_account_number": {"000222222227"}}, "unpaid", "checkout.session.async_payment_failed"},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			session := b.made("/v1/checkout/sessions", strings.Replace(oneItem, "[currency]=gbp", "[currency]="+c.currency, 1)+"&payment_method_types[]="+c.kind)
			c.form.Set("method", c.kind)
			if a := b.submit("/c/pay/"+session, c.form); a.status != http.StatusSeeOther {
				t.Fatalf("answered %d", a.status)
			}
			b.clock.Add(time.Hour)
			if a := b.raw(http.MethodGet, "/v1/checkout/sessions/"+session, ""); a.field(t, "payment_status") != c.status || a.field(t, "status") != "complete" {
				t.Errorf("%s", a.body)
			}
			if types := b.eventTypes(); types[len(types)-1] != c.event {
				t.Errorf("events %v", types)
			}
		})
	}
	t.Run("AMistypedAccountIsMarked", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		session := b.made("/v1/checkout/sessions", oneItem+"&payment_method_types[]=bacs_debit")
		for _, form := range []url.Values{{"sort_code": {"10"}, "account_number": {"00012345"}}, {"sort_code": {"108800"}, "account_number": {"1"}}} {
			form.Set("method", "bacs_debit")
			if a := b.submit("/c/pay/"+session, form); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.text(), "aria-invalid") {
				t.Errorf("%v answered %d", form, a.status)
			}
		}
	})
	t.Run("AReasonNobodyKnowsIsRefused", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		if a := b.sandboxPost("/_sandbox/actions/fail_debits", map[string]string{"reason": "bad_mood"}); a.status != 400 || !strings.Contains(a.text(), "account_closed") {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
}

func TestWallets(t *testing.T) {
	t.Parallel()
	const types = "&payment_method_types[]=card&payment_method_types[]=paypal&payment_method_types[]=link"
	wallet := func(kind string) url.Values { return url.Values{"email": {"jo@example.com"}, "method": {kind}} }
	// answer follows the hosted page to PayPal's and answers there.
	answer := func(t *testing.T, b *bench, session, result string) rawAnswer {
		t.Helper()
		a := b.submit("/c/pay/"+session, wallet("paypal"))
		location := a.header.Get("Location")
		page := b.get(location)
		if a.status != http.StatusSeeOther || !strings.Contains(page.text(), "PayPal") || !strings.Contains(page.text(), `data-testid="challenge-approve"`) {
			t.Fatalf("answered %d to %q", a.status, location)
		}
		u, err := url.Parse(location)
		if err != nil {
			t.Fatal(err)
		}
		return b.submit(u.Path, url.Values{"client_secret": {u.Query().Get("client_secret")}, "result": {result}})
	}
	t.Run("PayPalSendsTheCustomerThereAndBack", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		session := b.made("/v1/checkout/sessions", oneItem+types)
		if page := b.get("/c/pay/" + session); !strings.Contains(page.text(), `data-testid="method-paypal"`) || !strings.Contains(page.text(), `data-testid="method-link"`) {
			t.Error("the page does not offer the wallets")
		}
		if a := answer(t, b, session, "fail"); a.header.Get("Location") != "/c/pay/"+session {
			t.Errorf("refused: to %q", a.header.Get("Location"))
		}
		if page := b.get("/c/pay/" + session); !strings.Contains(page.text(), "failed authentication") {
			t.Error("the refusal is not shown")
		}
		if a := answer(t, b, session, "approve"); a.header.Get("Location") != "https://a.example/ok" {
			t.Fatalf("agreed: %d to %q", a.status, a.header.Get("Location"))
		}
		a := b.raw(http.MethodGet, "/v1/checkout/sessions/"+session+"?expand[]=payment_intent.latest_charge.balance_transaction", "")
		charge := []string{"payment_intent", "latest_charge"}
		if a.field(t, "payment_status") != "paid" || a.field(t, append(charge, "payment_method_details", "paypal", "payer_email")...) != "jo@example.com" || a.field(t, append(charge, "balance_transaction", "type")...) != "payment" {
			t.Errorf("%s", a.body)
		}
		id, _ := a.field(t, append(charge, "id")...).(string)
		if refund := b.raw(http.MethodPost, "/v1/refunds", "charge="+id); refund.status != 200 || refund.field(t, "destination_details", "type") != "paypal" {
			t.Errorf("refunded: %s", refund.body)
		}
		if receipt := b.get("/receipts/" + id); !strings.Contains(receipt.text(), "PayPal") || strings.Contains(receipt.text(), "PayPal ••••") {
			t.Errorf("receipt: %s", receipt.body)
		}
	})
	t.Run("LinkPaysAtOnce", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		session := b.made("/v1/checkout/sessions", oneItem+types)
		if a := b.submit("/c/pay/"+session, wallet("link")); a.header.Get("Location") != "https://a.example/ok" {
			t.Fatalf("%d to %q", a.status, a.header.Get("Location"))
		}
		a := b.raw(http.MethodGet, "/v1/checkout/sessions/"+session+"?expand[]=payment_intent.payment_method&expand[]=payment_intent.latest_charge", "")
		if a.field(t, "payment_status") != "paid" || a.field(t, "payment_intent", "payment_method", "link", "email") != "jo@example.com" || a.field(t, "payment_intent", "latest_charge", "payment_method_details", "type") != "link" {
			t.Errorf("%s", a.body)
		}
	})
	t.Run("OnesAgreedToForLaterAreChargedOffSession", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		customer := b.customer("email=jo@example.com")
		for _, mode := range []string{oneItem + "&payment_intent_data[setup_future_usage]=off_session", "mode=setup&success_url=https://a.example/ok"} {
			answer(t, b, b.made("/v1/checkout/sessions", mode+types+"&customer="+customer), "approve")
			list := b.ids("/v1/customers/" + customer + "/payment_methods?type=paypal")
			if len(list) == 0 {
				t.Fatalf("%s: not saved", mode)
			}
			if a := b.charge(customer, list[0], "gbp"); a.field(t, "status") != "succeeded" {
				t.Errorf("%s: later %s", mode, a.body)
			}
		}
		b.charge(customer, b.attached(b.made("/v1/payment_methods", "type=paypal"), customer), "gbp").refused(t, 402, "authentication_required", "")
	})
	t.Run("PayPalByTheAPINeedsAReturnURL", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		form := "amount=5000&currency=gbp&payment_method_types[]=paypal&payment_method_data[type]=paypal&confirm=true"
		b.raw(http.MethodPost, "/v1/payment_intents", form).refused(t, 400, "parameter_missing", "return_url")
		if list := b.ids("/v1/payment_intents"); len(list) != 0 {
			t.Errorf("an intent was made: %v", list)
		}
		a := b.raw(http.MethodPost, "/v1/payment_intents", form+"&return_url=https://a.example/back")
		if a.field(t, "status") != "requires_action" || a.field(t, "next_action", "type") != "redirect_to_url" {
			t.Errorf("%s", a.body)
		}
	})
	t.Run("PayPalNeedsACurrencyItHas", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.raw(http.MethodPost, "/v1/payment_intents", "amount=5000&currency=jpy&payment_method_types[]=paypal").refused(t, 400, "", "payment_method_types")
	})
}

func TestASessionIsPaidOnceAndNotAfterItsTime(t *testing.T) {
	t.Parallel()
	t.Run("ItExpiresWhileTheBankAsks", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.session(sessionParams())
		u, err := url.Parse(b.pay(s, "4000002500003155").header.Get("Location"))
		if err != nil || !strings.HasPrefix(u.Path, "/c/authenticate/") {
			t.Fatalf("%v, %v", u, err)
		}
		b.clock.Add(25 * time.Hour)
		b.submit(u.Path, url.Values{"client_secret": {u.Query().Get("client_secret")}, "result": {"approve"}})
		if s = b.reload(s.ID); s.Status != "expired" || len(b.ids("/v1/charges")) != 0 {
			t.Errorf("session %s, charges %v", s.Status, b.ids("/v1/charges"))
		}
		if a := b.pay(s, "4242424242424242"); a.status == http.StatusSeeOther || len(b.ids("/v1/charges")) != 0 {
			t.Errorf("paying it answered %d", a.status)
		}
	})
	t.Run("TwoTabsPayOnce", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.session(sessionParams())
		u, err := url.Parse(b.pay(s, "4000002500003155").header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		if a := b.pay(s, "4242424242424242"); a.status != http.StatusSeeOther {
			t.Fatalf("the other tab: %d", a.status)
		}
		b.submit(u.Path, url.Values{"client_secret": {u.Query().Get("client_secret")}, "result": {"approve"}})
		if a := b.pay(s, "4242424242424242"); a.status != http.StatusConflict {
			t.Errorf("a third: %d", a.status)
		}
		if list := b.ids("/v1/charges"); len(list) != 1 {
			t.Errorf("%d charges", len(list))
		}
		if list := b.ids("/v1/payment_intents"); len(list) != 1 {
			t.Errorf("%d intents", len(list))
		}
	})
}
