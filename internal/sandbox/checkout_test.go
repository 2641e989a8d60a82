package sandbox_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stripe/stripe-go/v76"
)

func TestCheckout(t *testing.T) {
	t.Parallel()
	t.Run("ACustomerPaysOnTheHostedPage", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.session(sessionParams())
		if s.AmountTotal != 1250 || s.PaymentIntent != nil || s.Status != "open" || s.PaymentStatus != "unpaid" {
			t.Fatalf("new session: total %d, intent %v, %s, %s", s.AmountTotal, s.PaymentIntent, s.Status, s.PaymentStatus)
		}
		page := b.get(s.URL)
		for _, want := range []string{"£12.50", "SIM card", "with data", `data-testid="card-number"`, `data-testid="submit"`, "no real money", "https://portal.example/cancelled"} {
			if !strings.Contains(page.text(), want) {
				t.Errorf("the page lacks %s", want)
			}
		}
		a := b.pay(s, "4242 4242 4242 4242")
		if want := "https://portal.example/done?s=" + s.ID; a.status != http.StatusSeeOther || a.header.Get("Location") != want {
			t.Fatalf("paying answered %d to %q, want 303 to %q", a.status, a.header.Get("Location"), want)
		}
		s = b.reload(s.ID, "payment_intent.latest_charge.balance_transaction", "line_items")
		charge := s.PaymentIntent.LatestCharge
		if s.Status != "complete" || s.PaymentStatus != "paid" || s.URL != "" || s.PaymentIntent.Metadata["order"] != "ord_1" {
			t.Errorf("session after paying: %s %s %q %v", s.Status, s.PaymentStatus, s.URL, s.PaymentIntent.Metadata)
		}
		if txn := charge.BalanceTransaction; txn.Amount != 1250 || txn.Fee != 39 || txn.Net != 1211 {
			t.Errorf("balance transaction %d - %d = %d, want 1250 - 39 = 1211", txn.Amount, txn.Fee, txn.Net)
		}
		if charge.PaymentMethodDetails.Card.Last4 != "4242" || !charge.Paid || s.CustomerDetails.Email != "jo@example.com" || len(s.LineItems.Data) != 1 {
			t.Errorf("charge %v, email %s, %d line items", charge.PaymentMethodDetails.Card, s.CustomerDetails.Email, len(s.LineItems.Data))
		}
		want := []string{"payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"}
		if diff := cmp.Diff(want, b.eventTypes()); diff != "" {
			t.Errorf("events (-want +have):\n%s", diff)
		}
	})
	t.Run("ADeclineIsShownAndAnotherCardPays", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.session(sessionParams())
		a := b.pay(s, "4000000000009995")
		if a.status != http.StatusPaymentRequired || !strings.Contains(a.text(), `data-testid="decline-message">Your card has insufficient funds.`) {
			t.Fatalf("declined card answered %d: %s", a.status, a.text())
		}
		if s = b.reload(s.ID); s.Status != "open" || s.PaymentIntent != nil {
			t.Errorf("after a decline the session is %s with intent %v", s.Status, s.PaymentIntent)
		}
		if a = b.pay(s, "5555555555554444"); a.status != http.StatusSeeOther {
			t.Fatalf("good card answered %d", a.status)
		}
		list := b.api.Charges.List(&stripe.ChargeListParams{})
		var states []string
		for list.Next() {
			states = append(states, string(list.Charge().Status))
		}
		if !slices.Equal(states, []string{"succeeded", "failed"}) {
			t.Errorf("charges, newest first: %v", states)
		}
	})
}
