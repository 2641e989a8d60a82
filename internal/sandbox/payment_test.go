package sandbox_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"
)

func TestCardsOnTheHostedPage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ sentence, number, message string }{
		{"AGenericDeclineIsShown", "4000000000000002", "Your card was declined."},
		{"InsufficientFundsAreShown", "4000000000009995", "Your card has insufficient funds."},
		{"ALostCardIsDeclined", "4000000000009987", "Your card was declined."},
		{"AStolenCardIsDeclined", "4000000000009979", "Your card was declined."},
		{"AnExpiredCardIsDeclined", "4000000000000069", "Your card has expired."},
		{"AWrongSecurityCodeIsDeclined", "4000000000000127", "Your card&#39;s security code is incorrect."},
		{"AProcessingErrorIsShown", "4000000000000119", "An error occurred while processing your card."},
		{"ACardThatCanOnlyBeSavedIsDeclined", "4000000000000341", "Your card was declined."},
		{"ARealLookingCardIsRefused", "4539578763621486", "non test card"},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			s := b.session(sessionParams())
			a := b.pay(s, c.number)
			_, after, shown := strings.Cut(a.text(), `data-testid="decline-message">`)
			if a.status != http.StatusPaymentRequired || !shown || !strings.Contains(strings.SplitN(after, "</p>", 2)[0], c.message) {
				t.Errorf("answered %d, message %.120q; want 402 and %q", a.status, after, c.message)
			}
			if s = b.reload(s.ID); s.Status != "open" {
				t.Errorf("the session is %s", s.Status)
			}
		})
	}
	for _, c := range []struct{ sentence, field, value, message string }{
		{"AMistypedNumberIsMarked", "number", "4242424242424241", "Your card number is invalid."},
		{"AShortNumberIsMarked", "number", "4242", "Your card number is incomplete."},
		{"APastExpiryIsMarked", "expiry", "01/20", "is in the past."},
		{"AnImpossibleExpiryIsMarked", "expiry", "13/40", "expiration date is incomplete."},
		{"AShortSecurityCodeIsMarked", "cvc", "12", "security code is incomplete."},
		{"AMistypedEmailIsMarked", "email", "ada", "Enter an email address"},
		{"AnUnknownMethodIsMarked", "method", "bitcoin", "Please look at the marked fields."},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			s := b.session(sessionParams())
			form := card("4242424242424242")
			form.Set(c.field, c.value)
			a := b.submit("/c/pay/"+s.ID, form)
			if a.status != http.StatusUnprocessableEntity || !strings.Contains(strings.ReplaceAll(a.text(), "&#39;", "'"), c.message) {
				t.Errorf("answered %d without %q", a.status, c.message)
			}
			if len(b.eventTypes()) != 0 {
				t.Errorf("a form with a fault made events: %v", b.eventTypes())
			}
		})
	}
}

func TestACardIsEnoughToPay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	params := sessionParams()
	params.BillingAddressCollection = stripe.String("required")
	s := b.session(params)
	form := card("4242424242424242")
	for _, name := range []string{"email", "name", "country", "line1", "city", "postal_code"} {
		form.Del(name)
	}
	if a := b.submit("/c/pay/"+s.ID, form); a.status != http.StatusSeeOther {
		t.Fatalf("answered %d", a.status)
	}
	if s = b.reload(s.ID); s.Status != "complete" {
		t.Errorf("the session is %s", s.Status)
	}
}

func TestThreeDSecure(t *testing.T) {
	t.Parallel()
	challenge := func(t *testing.T, b *bench, s *stripe.CheckoutSession, number, answer string) rawAnswer {
		t.Helper()
		a := b.pay(s, number)
		location := a.header.Get("Location")
		if a.status != http.StatusSeeOther || !strings.HasPrefix(location, "/c/authenticate/") {
			t.Fatalf("answered %d to %q", a.status, location)
		}
		page := b.get(location)
		if !strings.Contains(page.text(), `data-testid="challenge-approve"`) || !strings.Contains(page.text(), `data-testid="challenge-fail"`) {
			t.Fatal("the bank's page lacks its buttons")
		}
		u, err := url.Parse(location)
		if err != nil {
			t.Fatal(err)
		}
		return b.submit(u.Path, url.Values{"client_secret": {u.Query().Get("client_secret")}, "result": {answer}})
	}
	t.Run("ApprovedPays", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.session(sessionParams())
		a := challenge(t, b, s, "4000002500003155", "approve")
		if a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "https://portal.example/done?s=cs_test_") {
			t.Fatalf("answered %d to %q", a.status, a.header.Get("Location"))
		}
		s = b.reload(s.ID, "payment_intent.latest_charge")
		if s.PaymentStatus != "paid" || s.PaymentIntent.LatestCharge.PaymentMethodDetails.Card.ThreeDSecure.Result != "authenticated" {
			t.Errorf("session %s, 3-D Secure %+v", s.PaymentStatus, s.PaymentIntent.LatestCharge.PaymentMethodDetails.Card.ThreeDSecure)
		}
	})
	t.Run("FailedLeadsBackToTheFormWithStripesWords", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.session(sessionParams())
		a := challenge(t, b, s, "4000002760003184", "fail")
		page := b.get(a.header.Get("Location"))
		if page.status != http.StatusOK || !strings.Contains(page.text(), "We are unable to authenticate your payment method. Please choose a different payment method and try again.") {
			t.Errorf("%d: the page does not say that authentication failed", page.status)
		}
		if a = b.pay(s, "4242424242424242"); a.status != http.StatusSeeOther {
			t.Errorf("another card then answered %d", a.status)
		}
	})
	t.Run("ApprovedAndThenDeclined", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.session(sessionParams())
		a := challenge(t, b, s, "4000008400001629", "approve")
		if page := b.get(a.header.Get("Location")); !strings.Contains(page.text(), `data-testid="decline-message">Your card was declined.`) {
			t.Error("the decline is not shown")
		}
	})
	t.Run("AnAPIPaymentReturnsToItsReturnURL", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		intent, err := b.api.PaymentIntents.New(&stripe.PaymentIntentParams{Amount: stripe.Int64(1000), Currency: stripe.String("gbp"), PaymentMethod: stripe.String("pm_card_authenticationRequired"), Confirm: stripe.Bool(true), ReturnURL: stripe.String("https://portal.example/back?order=7")})
		if err != nil || intent.Status != "requires_action" {
			t.Fatalf("%v, %v", intent, err)
		}
		u, err := url.Parse(intent.NextAction.RedirectToURL.URL)
		if err != nil {
			t.Fatal(err)
		}
		a := b.submit(u.Path, url.Values{"client_secret": {u.Query().Get("client_secret")}, "result": {"approve"}})
		back, err := url.Parse(a.header.Get("Location"))
		if err != nil || back.Query().Get("order") != "7" || back.Query().Get("payment_intent") != intent.ID || back.Query().Get("redirect_status") != "succeeded" {
			t.Errorf("went to %v, %v", back, err)
		}
		if a = b.submit(u.Path, url.Values{"client_secret": {"guessed"}, "result": {"approve"}}); a.status != http.StatusNotFound {
			t.Errorf("a wrong client secret answered %d", a.status)
		}
	})
}

func TestPayingTwice(t *testing.T) {
	t.Parallel()
	t.Run("EightSubmitsAtOnceChargeOnce", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.session(sessionParams())
		form := card("4242424242424242")
		form.Set("nonce", "samepage")
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if a := b.submit("/c/pay/"+s.ID, form); a.status != http.StatusSeeOther {
					t.Errorf("a click on the same page answered %d", a.status)
				}
			})
		}
		wg.Wait()
		n := 0
		for list := b.api.Charges.List(&stripe.ChargeListParams{}); list.Next(); {
			n++
		}
		if n != 1 {
			t.Errorf("%d charges", n)
		}
	})
	t.Run("ACompletedSessionSaysSo", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.session(sessionParams())
		b.pay(s, "4242424242424242")
		if a := b.get("/c/pay/" + s.ID); a.status != http.StatusOK || !strings.Contains(a.text(), "all done here") {
			t.Errorf("the page answered %d", a.status)
		}
		if a := b.pay(s, "4242424242424242"); a.status != http.StatusConflict || !strings.Contains(a.text(), "all done here") {
			t.Errorf("paying from another page answered %d", a.status)
		}
	})
	t.Run("AnExpiredSessionCannotBePaid", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.session(sessionParams())
		b.clock.Add(24*time.Hour + time.Second)
		if a := b.pay(s, "4242424242424242"); a.status != http.StatusGone || !strings.Contains(a.text(), "has expired") {
			t.Errorf("paying answered %d", a.status)
		}
		if s = b.reload(s.ID); s.Status != "expired" {
			t.Errorf("the session is %s", s.Status)
		}
		if _, err := b.api.CheckoutSessions.Expire(s.ID, nil); !strings.Contains(stripeError(t, err).Msg, "Only Checkout Sessions with a status in") {
			t.Errorf("expiring again: %v", err)
		}
	})
}

func TestSavedCards(t *testing.T) {
	t.Parallel()
	offSession := func(customer, method string) *stripe.PaymentIntentParams {
		return &stripe.PaymentIntentParams{Amount: stripe.Int64(2000), Currency: stripe.String("gbp"), Customer: stripe.String(customer), PaymentMethod: stripe.String(method), OffSession: stripe.Bool(true), Confirm: stripe.Bool(true)}
	}
	t.Run("ACardSavedByCheckoutIsChargedLater", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		params := sessionParams()
		params.PaymentIntentData.SetupFutureUsage = stripe.String("off_session")
		s := b.session(params)
		b.pay(s, "4242424242424242")
		s = b.reload(s.ID, "payment_intent")
		if s.Customer == nil {
			t.Fatal("saving a card made no customer")
		}
		intent, err := b.api.PaymentIntents.New(offSession(s.Customer.ID, s.PaymentIntent.PaymentMethod.ID))
		if err != nil || intent.Status != "succeeded" {
			t.Errorf("charging it later: %v, %v", intent, err)
		}
		if _, err := b.api.PaymentMethods.Detach(s.PaymentIntent.PaymentMethod.ID, nil); err != nil {
			t.Fatal(err)
		}
		if _, err = b.api.PaymentIntents.New(offSession(s.Customer.ID, s.PaymentIntent.PaymentMethod.ID)); stripeError(t, err).HTTPStatusCode != 400 {
			t.Errorf("a detached card: %v", err)
		}
	})
	t.Run("ASetupSessionSavesACard", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		customer, err := b.api.Customers.New(&stripe.CustomerParams{Email: stripe.String("jo@example.com")})
		if err != nil {
			t.Fatal(err)
		}
		s := b.session(&stripe.CheckoutSessionParams{Mode: stripe.String("setup"), Customer: &customer.ID, SuccessURL: stripe.String("https://portal.example/saved"), PaymentMethodTypes: stripe.StringSlice([]string{"card"})})
		if a := b.pay(s, "4242424242424242"); a.header.Get("Location") != "https://portal.example/saved" {
			t.Fatalf("answered %d %s", a.status, a.text())
		}
		s = b.reload(s.ID, "setup_intent.payment_method")
		if s.SetupIntent.Status != "succeeded" || s.SetupIntent.PaymentMethod.Customer.ID != customer.ID || s.PaymentStatus != "no_payment_required" {
			t.Errorf("setup %s of %v", s.SetupIntent.Status, s.SetupIntent.PaymentMethod.Customer)
		}
	})
	t.Run("ABankThatWantsTheCustomerDeclinesOffSession", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		customer, err := b.api.Customers.New(&stripe.CustomerParams{PaymentMethod: stripe.String("pm_card_authenticationRequired")})
		if err != nil {
			t.Fatal(err)
		}
		list := b.api.PaymentMethods.List(&stripe.PaymentMethodListParams{Customer: &customer.ID, Type: stripe.String("card")})
		list.Next()
		_, err = b.api.PaymentIntents.New(offSession(customer.ID, list.PaymentMethod().ID))
		e := stripeError(t, err)
		if e.HTTPStatusCode != 402 || e.Code != "authentication_required" || e.DeclineCode != "authentication_required" || e.PaymentIntent == nil || e.PaymentIntent.Status != "requires_payment_method" {
			t.Errorf("declined with %+v", e)
		}
	})
	t.Run("ACardThatFailsLaterCanBeSaved", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		customer, err := b.api.Customers.New(&stripe.CustomerParams{})
		if err != nil {
			t.Fatal(err)
		}
		attach := &stripe.PaymentMethodAttachParams{Customer: &customer.ID}
		method, err := b.api.PaymentMethods.Attach("pm_card_chargeCustomerFail", attach)
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.api.PaymentIntents.New(offSession(customer.ID, method.ID))
		if e := stripeError(t, err); e.Code != "card_declined" || e.DeclineCode != "generic_decline" || e.ChargeID == "" || e.DocURL == "" {
			t.Errorf("declined with %+v", e)
		}
		_, err = b.api.PaymentMethods.Attach("pm_card_chargeDeclined", attach)
		if e := stripeError(t, err); e.HTTPStatusCode != 402 {
			t.Errorf("a declining card was attached: %v", err)
		}
	})
	t.Run("ATokenWorksOnce", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		token := b.raw(http.MethodPost, "/v1/tokens", "card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=40&card[cvc]=123").field(t, "id").(string)
		if a := b.raw(http.MethodPost, "/v1/payment_methods", "type=card&card[token]="+token); a.status != 200 {
			t.Fatalf("first use: %s", a.body)
		}
		if a := b.raw(http.MethodPost, "/v1/payment_methods", "type=card&card[token]="+token); a.field(t, "error", "code") != "token_already_used" {
			t.Errorf("second use: %s", a.body)
		}
		for range 2 {
			if a := b.raw(http.MethodPost, "/v1/payment_methods", "type=card&card[token]=tok_visa"); a.status != 200 {
				t.Errorf("tok_visa: %s", a.body)
			}
		}
	})
}

func TestBankDebits(t *testing.T) {
	t.Parallel()
	pay := func(t *testing.T, b *bench, account string) *stripe.CheckoutSession {
		t.Helper()
		params := sessionParams()
		params.PaymentMethodTypes = stripe.StringSlice([]string{"card", "bacs_debit"})
		s := b.session(params)
		form := url.Values{"email": {"jo@example.com"}, "method": {"bacs_debit"}, "sort_code": {"10-88-00"}, "account_number": {account}, "name": {"Jo Bloggs"}}
		if a := b.submit("/c/pay/"+s.ID, form); a.status != http.StatusSeeOther {
			t.Fatalf("answered %d: %s", a.status, a.body)
		}
		s = b.reload(s.ID, "payment_intent")
		if s.Status != "complete" || s.PaymentStatus != "unpaid" || s.PaymentIntent.Status != "processing" {
			t.Fatalf("session %s, %s, intent %s", s.Status, s.PaymentStatus, s.PaymentIntent.Status)
		}
		return s
	}
	t.Run("OneSettlesWhenItsTimeHasCome", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sandboxPost("/_sandbox/dials", map[string]any{"debit_settle_s": 90})
		s := pay(t, b, "00012345")
		b.clock.Add(89 * time.Second)
		if s = b.reload(s.ID); s.PaymentStatus != "unpaid" {
			t.Errorf("a second early it is %s", s.PaymentStatus)
		}
		b.clock.Add(time.Second)
		s = b.reload(s.ID, "payment_intent.latest_charge.balance_transaction")
		if s.PaymentStatus != "paid" || s.PaymentIntent.LatestCharge.BalanceTransaction.Type != "payment" {
			t.Errorf("on time it is %s", s.PaymentStatus)
		}
	})
	t.Run("OneWithoutFundsFails", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := pay(t, b, "22222227")
		b.clock.Add(time.Minute)
		s = b.reload(s.ID, "payment_intent.latest_charge")
		types := b.eventTypes()
		if s.PaymentIntent.Status != "requires_payment_method" || s.PaymentIntent.LatestCharge.FailureCode != "insufficient_funds" || types[len(types)-1] != "checkout.session.async_payment_failed" {
			t.Errorf("intent %s, events %v", s.PaymentIntent.Status, types)
		}
	})
	t.Run("AnActionSettlesOrFailsThem", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		first, second := pay(t, b, "00012345"), pay(t, b, "00012345")
		if a := b.sandboxPost("/_sandbox/actions/fail_debits", map[string]string{"id": first.ID, "reason": "account_closed"}); a.status != 200 {
			t.Fatalf("%s", a.body)
		}
		if a := b.sandboxPost("/_sandbox/actions/settle_debits", map[string]string{}); a.status != 200 {
			t.Fatalf("%s", a.body)
		}
		if s := b.reload(first.ID); s.PaymentStatus != "unpaid" {
			t.Errorf("the failed one is %s", s.PaymentStatus)
		}
		if s := b.reload(second.ID); s.PaymentStatus != "paid" {
			t.Errorf("the settled one is %s", s.PaymentStatus)
		}
	})
	t.Run("OneNeedsItsCurrency", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		params := sessionParams()
		params.PaymentMethodTypes = stripe.StringSlice([]string{"sepa_debit"})
		if _, err := b.api.CheckoutSessions.New(params); stripeError(t, err).Param != "payment_method_types[0]" {
			t.Errorf("SEPA in pounds: %v", err)
		}
	})
}

func TestMoneyGoingBack(t *testing.T) {
	t.Parallel()
	paid := func(t *testing.T, b *bench, method string) *stripe.PaymentIntent {
		t.Helper()
		intent, err := b.api.PaymentIntents.New(&stripe.PaymentIntentParams{Amount: stripe.Int64(5000), Currency: stripe.String("gbp"), PaymentMethod: stripe.String(method), PaymentMethodTypes: stripe.StringSlice([]string{"card"}), Confirm: stripe.Bool(true)})
		if err != nil {
			t.Fatal(err)
		}
		return intent
	}
	// balance sums the net of all balance transactions.
	balance := func(b *bench) (sum int64) {
		for list := b.api.BalanceTransactions.List(&stripe.BalanceTransactionListParams{}); list.Next(); {
			sum += list.BalanceTransaction().Net
		}
		return sum
	}
	t.Run("PartsAreRefundedUpToTheCharge", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		intent := paid(t, b, "pm_card_visa")
		if _, err := b.api.Refunds.New(&stripe.RefundParams{PaymentIntent: &intent.ID, Amount: stripe.Int64(2000)}); err != nil {
			t.Fatal(err)
		}
		_, err := b.api.Refunds.New(&stripe.RefundParams{PaymentIntent: &intent.ID, Amount: stripe.Int64(3001)})
		if e := stripeError(t, err); !strings.Contains(e.Msg, "greater than unrefunded amount on charge (£30.00)") {
			t.Errorf("too much: %v", err)
		}
		if _, err = b.api.Refunds.New(&stripe.RefundParams{PaymentIntent: &intent.ID}); err != nil {
			t.Fatal(err)
		}
		_, err = b.api.Refunds.New(&stripe.RefundParams{Charge: &intent.LatestCharge.ID})
		if e := stripeError(t, err); e.Code != "charge_already_refunded" {
			t.Errorf("once more: %v", err)
		}
		if sum := balance(b); sum != -95 {
			t.Errorf("the balance is %d, want minus the fee, -95", sum)
		}
	})
	t.Run("ARefundThatFailsLaterComesBack", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		intent := paid(t, b, "pm_card_refundFail")
		refund, err := b.api.Refunds.New(&stripe.RefundParams{PaymentIntent: &intent.ID})
		if err != nil || refund.Status != "succeeded" {
			t.Fatalf("%v, %v", refund, err)
		}
		b.clock.Add(time.Minute)
		if refund, err = b.api.Refunds.Get(refund.ID, nil); err != nil || refund.Status != "failed" || refund.FailureReason == "" {
			t.Errorf("later: %v, %v", refund, err)
		}
		charge, err := b.api.Charges.Get(intent.LatestCharge.ID, nil)
		if err != nil || charge.Refunded || charge.AmountRefunded != 0 || balance(b) != 4905 {
			t.Errorf("charge refunded %d, balance %d, %v", charge.AmountRefunded, balance(b), err)
		}
	})
	t.Run("ADisputeTakesTheMoneyAndWinningBringsItBack", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		intent := paid(t, b, "pm_card_visa")
		a := b.sandboxPost("/_sandbox/actions/dispute", map[string]any{"id": intent.ID, "reason": "duplicate"})
		id, _ := a.field(t, "id").(string)
		if a.status != 200 || balance(b) != 4905-5000-2000 {
			t.Fatalf("%d %s, balance %d", a.status, a.body, balance(b))
		}
		if a = b.sandboxPost("/_sandbox/actions/refund", map[string]any{"id": intent.ID}); a.status != http.StatusConflict {
			t.Errorf("refunding a disputed charge answered %d", a.status)
		}
		if a = b.sandboxPost("/_sandbox/actions/dispute", map[string]any{"id": id, "status": "won"}); a.status != 200 || balance(b) != 4905-2000 {
			t.Errorf("%d %s, balance %d", a.status, a.body, balance(b))
		}
		types := strings.Join(b.eventTypes(), " ")
		if !strings.Contains(types, "charge.dispute.created charge.dispute.funds_withdrawn") || !strings.HasSuffix(types, "charge.dispute.funds_reinstated charge.dispute.closed") {
			t.Errorf("events %s", types)
		}
	})
	t.Run("WinningEvidenceWins", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		paid(t, b, "pm_card_createDispute")
		list := b.api.Disputes.List(&stripe.DisputeListParams{})
		list.Next()
		d, err := b.api.Disputes.Update(list.Dispute().ID, &stripe.DisputeParams{Evidence: &stripe.DisputeEvidenceParams{UncategorizedText: stripe.String("winning_evidence")}, Submit: stripe.Bool(true)})
		if err != nil || d.Status != "under_review" {
			t.Fatalf("%v, %v", d, err)
		}
		b.clock.Add(time.Minute)
		if d, err = b.api.Disputes.Get(d.ID, nil); err != nil || d.Status != "won" || len(d.BalanceTransactions) != 2 {
			t.Errorf("later: %+v, %v", d, err)
		}
	})
	t.Run("APayoutEmptiesTheBalance", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		paid(t, b, "pm_card_visa")
		paid(t, b, "pm_card_visa")
		if a := b.sandboxPost("/_sandbox/actions/payout", map[string]any{}); a.status != 200 {
			t.Fatalf("%s", a.body)
		}
		list := b.api.Payouts.List(&stripe.PayoutListParams{})
		list.Next()
		if p := list.Payout(); p.Amount != 2*4905 || p.Status != "paid" || balance(b) != 0 {
			t.Errorf("payout of %d %s, balance %d", p.Amount, p.Status, balance(b))
		}
		n := 0
		for txns := b.api.BalanceTransactions.List(&stripe.BalanceTransactionListParams{Payout: &list.Payout().ID}); txns.Next(); {
			n++
		}
		if n != 3 {
			t.Errorf("the payout has %d balance transactions, want two payments and itself", n)
		}
		if a := b.sandboxPost("/_sandbox/actions/payout", map[string]any{}); a.status != http.StatusConflict {
			t.Errorf("an empty payout answered %d", a.status)
		}
	})
}
