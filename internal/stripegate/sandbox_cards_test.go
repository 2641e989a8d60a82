package stripegate

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/pay"
)

func (b *box) customer(key string) string {
	b.t.Helper()
	id, err := b.gate.CreateCustomer(b.t.Context(), b.tenant, testCustomer(), "customer-"+key)
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

func (b *box) save(customer, token, key string) *pay.Card {
	b.t.Helper()
	card, err := b.gate.SaveCard(b.t.Context(), b.tenant, pay.CardToken{Token: token, StripeCustomer: customer, Label: "Home"}, key)
	if err != nil {
		b.t.Fatal(err)
	}
	return card
}

func (b *box) charge(customer string, card *pay.Card) (pay.ChargeInput, *pay.StripeIntent, error) {
	b.t.Helper()
	in := chargeInput(b.t)
	in.StripeCustomer, in.Attempt.CardID, in.MethodType = customer, card.ID, card.Type
	i, err := b.gate.ChargeCard(b.t.Context(), b.tenant, in, "charge-"+card.ID)
	return in, i, err
}

// raw is a call that the gate has no method for: what a portal's page, or a person in the dashboard, does. It returns the
// new object's id.
func (b *box) raw(path string, params ...string) string {
	b.t.Helper()
	out := &source{}
	err := b.gate.call(b.t.Context(), b.tenant, func(c conn) error {
		p := c.params("")
		for i := 0; i+1 < len(params); i += 2 {
			p.AddExtra(params[i], params[i+1])
		}
		return c.post(path, &p, out)
	})
	if err != nil {
		b.t.Fatalf("%s: %v %s", path, err, faultOf(b.t, err).Message)
	}
	return out.ID
}

func TestSavedCardsAgainstStripeInABox(t *testing.T) {
	t.Parallel()

	t.Run("FromATokenToItsDeletion", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		ctx, customer := t.Context(), b.customer("a")
		first := b.save(customer, "tok_visa", "k1")
		if again := b.save(customer, "tok_visa", "k1"); again.ID != first.ID || b.count("payment_method") != 1 {
			t.Errorf("the same key made %s beside %s; there are %d", again.ID, first.ID, b.count("payment_method"))
		}
		second := b.save(customer, "pm_card_mastercard", "k2")
		if again := b.save(customer, second.ID, "k3"); again.ID != second.ID {
			t.Errorf("one that is saved already became %s", again.ID)
		}
		b.raw("/v1/customers/"+customer, "invoice_settings[default_payment_method]", first.ID)

		cards, err := b.gate.Cards(ctx, b.tenant, customer)
		if err != nil || len(cards) != 2 {
			t.Fatalf("got %+v, %v", cards, err)
		}
		at := slices.IndexFunc(cards, func(c *pay.Card) bool { return c.ID == first.ID })
		if got := cards[at]; !got.IsDefault || cards[1-at].IsDefault || got.Label != "Home" || !strings.HasPrefix(got.Info(), "visa •••• 4242 exp 12/") {
			t.Errorf("got %+v and %+v", got, cards[1-at])
		}
		one, err := b.gate.Card(ctx, b.tenant, customer, first.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(cards[at], one); diff != "" {
			t.Errorf("the card alone differs from the one in the list:\n%s", diff)
		}

		for i, label := range []string{"Office", ""} {
			if err := b.gate.LabelCard(ctx, b.tenant, first.ID, label, "label-"+string(rune('a'+i))); err != nil {
				t.Fatal(err)
			}
			if one, err = b.gate.Card(ctx, b.tenant, customer, first.ID); err != nil || one.Label != label {
				t.Errorf("the label is %q, %v; want %q", one.Label, err, label)
			}
		}

		if err := b.gate.DeleteCard(ctx, b.tenant, customer, first.ID, "d"); err != nil {
			t.Fatal(err)
		}
		if f := faultOf(t, b.gate.DeleteCard(ctx, b.tenant, customer, first.ID, "d")); f.Kind != pay.FaultNotFound {
			t.Errorf("the second deletion gave %v", f)
		}
		if cards, err = b.gate.Cards(ctx, b.tenant, customer); err != nil || len(cards) != 1 || cards[0].ID != second.ID {
			t.Errorf("%+v are left, %v", cards, err)
		}
	})

	t.Run("AnotherCustomersCardIsNotFound", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		ctx, mine, other := t.Context(), b.customer("a"), b.customer("b")
		card := b.save(mine, "tok_visa", "k")
		_, e1 := b.gate.Card(ctx, b.tenant, other, card.ID)
		e2 := b.gate.DeleteCard(ctx, b.tenant, other, card.ID, "d")
		_, e3 := b.gate.SaveCard(ctx, b.tenant, pay.CardToken{Token: card.ID, StripeCustomer: other}, "s")
		_, e4 := b.gate.SaveCard(ctx, b.tenant, pay.CardToken{Token: "tok_nobodys", StripeCustomer: mine}, "n")
		for i, err := range []error{e1, e2, e3, e4} {
			if f := faultOf(t, err); f.Kind != pay.FaultNotFound {
				t.Errorf("call %d gave %v", i, f)
			}
		}
		if _, err := b.gate.Card(ctx, b.tenant, mine, card.ID); err != nil {
			t.Errorf("its own customer's is gone: %v", err)
		}
		if _, _, err := b.charge(other, card); err == nil || b.count("charge") != 0 {
			t.Errorf("charging it for another gave %v and %d charges", err, b.count("charge"))
		}
	})

	t.Run("ATokenWorksOnceAndABankMayRefuseIt", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		customer := b.customer("a")
		token := b.raw("/v1/tokens", "card[number]", "4242424242424242", "card[exp_month]", "12", "card[exp_year]", "2040", "card[cvc]", "123")
		card := b.save(customer, token, "k1")
		if again := b.save(customer, token, "k1"); again.ID != card.ID {
			t.Errorf("the same key made %s beside %s", again.ID, card.ID)
		}
		_, err := b.gate.SaveCard(t.Context(), b.tenant, pay.CardToken{Token: token, StripeCustomer: customer}, "k2")
		if f := faultOf(t, err); f.Kind != pay.FaultRejected || f.Code != "token_already_used" {
			t.Errorf("a used token gave %v", f)
		}
		_, err = b.gate.SaveCard(t.Context(), b.tenant, pay.CardToken{Token: "tok_chargeDeclined", StripeCustomer: customer}, "k3")
		if f := faultOf(t, err); f.Kind != pay.FaultDeclined || f.DeclineCode != "generic_decline" {
			t.Errorf("a declined card gave %v", f)
		}
	})

	t.Run("ALegacySourceIsACardLikeAnyOther", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		customer := b.customer("a")
		id := b.raw("/v1/sources", "type", "card", "token", "tok_visa")
		card := b.save(customer, id, "k1")
		if again := b.save(customer, id, "k1"); again.ID != id || card.ID != id || card.Label != "Home" || !card.IsDefault {
			t.Errorf("%s was saved as %+v", id, card)
		}
		if _, err := b.gate.SaveCard(t.Context(), b.tenant, pay.CardToken{Token: id, StripeCustomer: customer}, "k2"); err != nil {
			t.Errorf("one that is saved already gave %v", err)
		}
		cards, err := b.gate.Cards(t.Context(), b.tenant, customer)
		if err != nil || len(cards) != 1 || cards[0].ID != id || !cards[0].IsDefault {
			t.Errorf("got %+v, %v", cards, err)
		}
		if _, i, err := b.charge(customer, card); err != nil || i.Status != "succeeded" {
			t.Errorf("charging it gave %+v, %v", i, err)
		}
		if err := b.gate.DeleteCard(t.Context(), b.tenant, customer, id, "d"); err != nil {
			t.Error(err)
		}
	})

	t.Run("ABankDebitIsFoundByItsID", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		customer := b.customer("a")
		id := b.raw("/v1/payment_methods", "type", "sepa_debit", "sepa_debit[iban]", "DE89370400440532013000", "billing_details[name]", "Jo", "billing_details[email]", "jo@example.com")
		b.save(customer, id, "k")
		card, err := b.gate.Card(t.Context(), b.tenant, customer, id)
		if err != nil || card.Info() != "sepa debit •••• 3000" {
			t.Errorf("got %+v, %v", card, err)
		}
	})

	t.Run("ADeletedCustomerHasNone", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		customer := b.customer("a")
		card := b.save(customer, "tok_visa", "k")
		err := b.gate.call(t.Context(), b.tenant, func(c conn) error {
			p := c.params("")
			return c.delete("/v1/customers/"+customer, &p, &source{})
		})
		if err != nil {
			t.Fatal(err)
		}
		_, e1 := b.gate.Cards(t.Context(), b.tenant, customer)
		_, e2 := b.gate.Card(t.Context(), b.tenant, customer, card.ID)
		for i, err := range []error{e1, e2} {
			if f := faultOf(t, err); f.Kind != pay.FaultNotFound {
				t.Errorf("call %d gave %v", i, f)
			}
		}
	})

	t.Run("ASetupSessionSaysWhatItSaved", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		in := setupInput()
		in.StripeCustomer = b.customer("a")
		s, err := b.gate.CreateSession(t.Context(), b.tenant, in, "k")
		if err != nil {
			t.Fatal(err)
		}
		b.pay(s.ID, nil)
		s = b.session(s.ID)
		if s.Setup == nil || s.Setup.Status != "succeeded" || s.Setup.CardID == "" || s.Setup.Failure != "" {
			t.Fatalf("got %+v", s.Setup)
		}
		card, err := b.gate.Card(t.Context(), b.tenant, in.StripeCustomer, s.Setup.CardID)
		if err != nil || card.Last4 != "4242" {
			t.Errorf("got %+v, %v", card, err)
		}
	})
}

func TestACardThatWasPaidWithIsKeptInTheBoxWhenAsked(t *testing.T) {
	t.Parallel()
	for _, save := range []bool{true, false} {
		b := newBox(t)
		s := b.checkout("k", func(in *pay.SessionInput) { in.SaveCard = save })
		b.pay(s.ID, nil)
		cards, err := b.gate.Cards(t.Context(), b.tenant, s.CustomerID)
		if err != nil || save != (len(cards) == 1) {
			t.Errorf("asked %t, kept %+v, %v", save, cards, err)
		}
		if !save {
			continue
		}
		if _, i, err := b.charge(s.CustomerID, cards[0]); err != nil || i.Status != "succeeded" {
			t.Errorf("charging it later gave %+v, %v", i, err)
		}
	}
}

func TestChargesAgainstStripeInABox(t *testing.T) {
	t.Parallel()

	t.Run("AChargeAndItsMoneyBack", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		ctx, customer := t.Context(), b.customer("a")
		in, i, err := b.charge(customer, b.save(customer, "tok_visa", "k"))
		if err != nil || i.Status != "succeeded" || i.AmountReceived != in.Attempt.Amount || i.CustomerID != customer || i.Charge.Balance == nil {
			t.Fatalf("got %+v, %v", i, err)
		}
		again, err := b.gate.ChargeCard(ctx, b.tenant, in, "charge-"+in.Attempt.CardID)
		if err != nil || again.ID != i.ID || b.count("payment_intent") != 1 {
			t.Errorf("the same key gave %+v, %v; there are %d intents", again, err, b.count("payment_intent"))
		}
		if id, err := b.gate.IntentMade(ctx, b.tenant, customer, &pay.Attempt{ID: "att_01", CreatedAt: time.Unix(1_700_000_000, 0)}); id != i.ID || err != nil {
			t.Errorf("the attempt's intent is %q, %v", id, err)
		}
		if id, err := b.gate.IntentMade(ctx, b.tenant, customer, &pay.Attempt{ID: "att_02", CreatedAt: time.Unix(1_700_000_000, 0)}); id != "" || err != nil {
			t.Errorf("another attempt's intent is %q, %v", id, err)
		}
		if got, err := b.gate.CancelIntent(ctx, b.tenant, i.ID, "cancel"); err != nil || got.Status != "succeeded" {
			t.Errorf("cancelling it gave %+v, %v", got, err)
		}

		refund := refundInput()
		refund.IntentID = i.ID
		made, err := b.gate.CreateRefund(ctx, b.tenant, refund, "r1")
		if err != nil || made.Request != "rfr_01" || made.Amount != refund.Amount || made.Status != pay.RefundSucceeded {
			t.Fatalf("got %+v, %v", made, err)
		}
		if same, err := b.gate.CreateRefund(ctx, b.tenant, refund, "r1"); err != nil || same.ID != made.ID {
			t.Errorf("the same key gave %+v, %v", same, err)
		}
		if found, err := b.gate.findRefund(ctx, b.tenant, refund); err != nil || found == nil || found.ID != made.ID {
			t.Errorf("by its mark %+v is found, %v", found, err)
		}
		refund.Metadata = map[string]string{pay.MetaRefund: "rfr_02"}
		refund.Amount.Minor = in.Attempt.Amount.Minor
		_, err = b.gate.CreateRefund(ctx, b.tenant, refund, "r2")
		if f := faultOf(t, err); f.Kind != pay.FaultRejected || f.Param != "amount" {
			t.Errorf("more than is left gave %+v", f)
		}
		refund.Amount.Minor -= 500
		if _, err := b.gate.CreateRefund(ctx, b.tenant, refund, "r3"); err != nil {
			t.Fatal(err)
		}
		_, err = b.gate.CreateRefund(ctx, b.tenant, refund, "r4")
		if f := faultOf(t, err); f.Kind != pay.FaultRejected || f.Code != "charge_already_refunded" {
			t.Errorf("after all was given back: %+v", f)
		}
		i, err = b.gate.Intent(ctx, b.tenant, i.ID)
		if err != nil || len(i.Charge.Refunds) != 2 || !slices.ContainsFunc(i.Charge.Refunds, func(r pay.StripeRefund) bool { return r.ID == made.ID && r.Request == "rfr_01" }) {
			t.Errorf("the charge has %+v, %v", i.Charge.Refunds, err)
		}
	})

	t.Run("ABanksNoIsAnIntentThatCanBeCancelled", func(t *testing.T) {
		t.Parallel()
		for token, failure := range map[string]string{"tok_chargeCustomerFail": "generic_decline", "tok_authenticationRequired": "authentication_required"} {
			b := newBox(t)
			customer := b.customer("a")
			in, i, err := b.charge(customer, b.save(customer, token, "k"))
			if err != nil || i.Status != "requires_payment_method" || i.Failure != failure || i.AmountReceived.Minor != 0 {
				t.Fatalf("%s gave %+v, %v", token, i, err)
			}
			if again, err := b.gate.ChargeCard(t.Context(), b.tenant, in, "charge-"+in.Attempt.CardID); err != nil || again.ID != i.ID || again.Failure != failure {
				t.Errorf("%s: the same key gave %+v, %v", token, again, err)
			}
			for range 2 {
				if got, err := b.gate.CancelIntent(t.Context(), b.tenant, i.ID, "cancel"); err != nil || got.Status != "canceled" || got.ID != i.ID {
					t.Errorf("%s: cancelling gave %+v, %v", token, got, err)
				}
			}
		}
	})

	t.Run("ADisputeTakesTheMoneyAndGivingItUpLeavesItGone", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		customer := b.customer("a")
		in, i, err := b.charge(customer, b.save(customer, "tok_createDispute", "k"))
		if err != nil || len(i.Charge.Disputes) != 1 {
			t.Fatalf("got %+v, %v", i, err)
		}
		d := i.Charge.Disputes[0]
		if d.Status != pay.DisputeNeedsResponse || d.Amount != in.Attempt.Amount || d.Reason != "fraudulent" || d.DueBy.IsZero() || d.Reinstated != nil ||
			d.Withdrawn == nil || d.Withdrawn.Amount != d.Amount || d.Withdrawn.Fee.Minor <= 0 || d.Withdrawn.Net.Minor != d.Amount.Minor+d.Withdrawn.Fee.Minor {
			t.Errorf("got %+v, withdrawn %+v", d, d.Withdrawn)
		}
		b.raw("/v1/disputes/" + d.ID + "/close")
		if i, err = b.gate.Intent(t.Context(), b.tenant, i.ID); err != nil || len(i.Charge.Disputes) != 1 || i.Charge.Disputes[0].Status != pay.DisputeLost {
			t.Errorf("after giving it up %+v, %v", i.Charge.Disputes, err)
		}
	})

	t.Run("AnInquiryTakesNothingAndAWonDisputeGivesItBack", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		customer := b.customer("a")
		_, i, err := b.charge(customer, b.save(customer, "tok_createDisputeInquiry", "k1"))
		if err != nil || len(i.Charge.Disputes) != 1 || i.Charge.Disputes[0].Status != pay.DisputeWarningNeedsResponse || i.Charge.Disputes[0].Withdrawn != nil {
			t.Errorf("an inquiry gave %+v, %v", i.Charge.Disputes, err)
		}
		_, i, err = b.charge(customer, b.save(customer, "tok_createDispute", "k2"))
		if err != nil || len(i.Charge.Disputes) != 1 {
			t.Fatalf("got %+v, %v", i, err)
		}
		b.act("dispute", `{"id":"`+i.Charge.Disputes[0].ID+`","outcome":"won"}`)
		if i, err = b.gate.Intent(t.Context(), b.tenant, i.ID); err != nil || len(i.Charge.Disputes) != 1 {
			t.Fatalf("got %+v, %v", i, err)
		}
		d := i.Charge.Disputes[0]
		if d.Status != pay.DisputeWon || d.Withdrawn == nil || d.Reinstated == nil || d.Withdrawn.ID == d.Reinstated.ID || d.Reinstated.Amount != d.Amount {
			t.Errorf("got %+v, withdrawn %+v, reinstated %+v", d, d.Withdrawn, d.Reinstated)
		}
	})

	t.Run("WhenHalfOfAllCallsFailTheSameKeyStillTakesTheMoneyOnce", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		customer := b.customer("a")
		card := b.save(customer, "tok_visa", "k")
		if status, text := b.post("/_sandbox/dials", "application/json", `{"api_error_rate":0.5}`); status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
		refund := refundInput()
		until := func(what string, try func() error) {
			for range 500 {
				err := try()
				if err == nil {
					return
				}
				if f := faultOf(t, err); f.Kind != pay.FaultUnavailable {
					t.Fatalf("%s: %v", what, err)
				}
			}
			t.Fatalf("%s never came through", what)
		}
		for range 5 {
			until("charge", func() error {
				_, i, err := b.charge(customer, card)
				if err == nil {
					refund.IntentID = i.ID
				}
				return err
			})
			until("refund", func() error { _, err := b.gate.CreateRefund(t.Context(), b.tenant, refund, "r"); return err })
			until("cards", func() error { _, err := b.gate.Cards(t.Context(), b.tenant, customer); return err })
		}
		// Once in a while Stripe keeps a failure under the key and under the one derived from it. Nothing but another request,
		// with a key of its own, then saves the card.
		tries := 0
		until("save", func() error {
			tries++
			_, err := b.gate.SaveCard(t.Context(), b.tenant, pay.CardToken{Token: "tok_mastercard", StripeCustomer: customer}, fmt.Sprintf("k2-%d", tries/25))
			return err
		})
		if b.count("charge") != 1 || b.count("refund") != 1 || b.count("payment_intent") != 1 {
			t.Errorf("%d intents, %d charges and %d refunds exist, want one of each", b.count("payment_intent"), b.count("charge"), b.count("refund"))
		}
	})
}
