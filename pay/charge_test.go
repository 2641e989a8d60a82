package pay_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// charged charges a card that is saved first and fails the test unless that works.
func charged(t *testing.T, w *paytest.World, token string, changes ...func(*pay.CheckoutInput)) *pay.Checkout {
	t.Helper()
	c, err := w.Charge(w.Card(token).ID, changes...)
	if err != nil {
		t.Fatalf("charge %s: %v", token, err)
	}
	return c
}

// refusedCharge charges a card that the bank refuses and returns the order.
func refusedCharge(t *testing.T, w *paytest.World, card, decline string) string {
	t.Helper()
	_, err := w.Charge(card)
	e := errorOf(err)
	if e == nil || e.Code != pay.CodeCardDeclined || e.Meta["decline_code"] != decline {
		t.Fatalf("charge: %v (%+v), want CardDeclined %s", err, e, decline)
	}
	return e.Meta["order_id"]
}

func TestACardIsChargedWithoutItsCustomer(t *testing.T) {
	t.Parallel()
	charge := paytest.Want{State: pay.OrderPaid, Paid: paytest.Total, Story: []string{"requested", "paid"}}
	suite(t, []row{
		{name: "ASavedCardPaysAtOnce", want: charge, play: func(t *testing.T, w *paytest.World) string {
			c := charged(t, w, "pm_card_visa")
			if c.Order.State != pay.OrderPaid || c.Replayed || c.NeedsCustomer {
				t.Errorf("%s replayed %t needs customer %t", c.Order.State, c.Replayed, c.NeedsCustomer)
			}
			w.DeliverAll()
			return c.Order.ID
		}},
		{name: "ATokenIsSavedAndCharged", want: charge, play: func(t *testing.T, w *paytest.World) string {
			c, err := w.Charge("", func(in *pay.CheckoutInput) { in.CardID, in.Token, in.CardInfo = "", "tok_visa", "Office card" })
			if err != nil {
				t.Fatal(err)
			}
			list, err := w.Pay.ListCards(context.Background(), w.Cards())
			if err != nil || len(list.Cards) != 1 || list.Cards[0].Label != "Office card" {
				t.Errorf("cards %+v, %v", list, err)
			}
			return c.Order.ID
		}},
		{name: "TheSameChargeWithinTheWindowIsTheSameOrder", want: charge, play: func(t *testing.T, w *paytest.World) string {
			card := w.Card("pm_card_visa").ID
			first, err := w.Charge(card)
			if err != nil {
				t.Fatal(err)
			}
			w.Clock.Add(9 * time.Minute)
			again, err := w.Charge(card)
			if err != nil || again.Order.ID != first.Order.ID || !again.Replayed {
				t.Fatalf("again: %+v, %v", again, err)
			}
			return first.Order.ID
		}},
		{name: "AnIdempotencyKeyIsKeptForGood", want: charge, play: func(t *testing.T, w *paytest.World) string {
			key := func(in *pay.CheckoutInput) { in.IdempotencyKey = "basket-42" }
			card := w.Card("pm_card_visa").ID
			first, err := w.Charge(card, key)
			if err != nil {
				t.Fatal(err)
			}
			w.Clock.Add(90 * 24 * time.Hour)
			again, err := w.Charge(card, key)
			if err != nil || again.Order.ID != first.Order.ID || !again.Replayed {
				t.Fatalf("again: %+v, %v", again, err)
			}
			_, err = w.Charge(card, key, func(in *pay.CheckoutInput) { in.FeatureName = "Another" })
			if pay.CodeOf(err) != pay.CodeIdempotencyConflict {
				t.Errorf("the key with another request: %v", err)
			}
			return first.Order.ID
		}},
		{name: "TheBanksNoTakesNothing", want: paytest.Want{State: pay.OrderFailed, Story: []string{"requested", "failed"}}, play: func(t *testing.T, w *paytest.World) string {
			card := w.Card("pm_card_chargeCustomerFail").ID
			id := refusedCharge(t, w, card, "generic_decline")
			w.DeliverAll()
			if other := refusedCharge(t, w, card, "generic_decline"); other == id {
				t.Error("a new try after the bank's no is the same order")
			}
			return id
		}},
		{name: "ATokenThatTheBankRefusesTakesNothing", want: paytest.Want{State: pay.OrderFailed, Story: []string{"requested", "failed"}}, play: func(t *testing.T, w *paytest.World) string {
			_, err := w.Charge("", func(in *pay.CheckoutInput) { in.CardID, in.Token = "", "tok_chargeDeclinedInsufficientFunds" })
			e := errorOf(err)
			if e == nil || e.Code != pay.CodeCardDeclined || e.Meta["decline_code"] != "insufficient_funds" {
				t.Fatalf("charge: %v", err)
			}
			return e.Meta["order_id"]
		}},
		{name: "TheBankWantsTheCustomerWhoPaysOnThePage", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total,
			Story: []string{"requested", "requires_action", "session_opened", "sent_to_stripe", "paid"}}, play: func(t *testing.T, w *paytest.World) string {
			c := charged(t, w, "pm_card_authenticationRequired")
			if !c.NeedsCustomer || c.Order.State != pay.OrderOpen {
				t.Fatalf("%s needs customer %t", c.Order.State, c.NeedsCustomer)
			}
			if gross := w.StripeGross(); len(gross) != 0 {
				t.Fatalf("Stripe took %v", gross)
			}
			w.MustPay(w.PressPay(c.Order))
			w.DeliverAll()
			return c.Order.ID
		}},
		{name: "ARepeatOfAChargeThatWaitsForItsCustomerIsTheSameOrder", want: paytest.Want{State: pay.OrderOpen}, play: func(t *testing.T, w *paytest.World) string {
			card := w.Card("pm_card_authenticationRequired").ID
			first, err := w.Charge(card)
			if err != nil {
				t.Fatal(err)
			}
			again, err := w.Charge(card)
			if err != nil || again.Order.ID != first.Order.ID || !again.NeedsCustomer || !again.Replayed {
				t.Fatalf("again: %+v, %v", again, err)
			}
			w.DeliverAll()
			return first.Order.ID
		}},
	})
}

func TestAnotherCustomersCardIsAnUnknownCard(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		w := paytest.Setup(t, open(t))
		foreign := w.Card("pm_card_visa").ID
		other := func(in *pay.CheckoutInput) { in.ICustomer, in.Customer.ICustomer = 777, 777 }
		_, unknownErr := w.Charge("pm_1doesnotexist", other)
		_, foreignErr := w.Charge(foreign, other)
		if pay.CodeOf(foreignErr) != pay.CodeCardNotFound || foreignErr.Error() != unknownErr.Error() {
			t.Errorf("foreign %v, unknown %v", foreignErr, unknownErr)
		}
		// Also for a customer who has cards of their own, and for another tenant.
		if _, err := w.Pay.SaveCard(context.Background(), w.Cards(func(in *pay.CardsInput) {
			in.ICustomer, in.Customer.ICustomer, in.Token = 777, 777, "pm_card_mastercard"
		})); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Charge(foreign, other); pay.CodeOf(err) != pay.CodeCardNotFound {
			t.Errorf("foreign card: %v", err)
		}
		b := w.Another()
		b.Card("pm_card_visa")
		if _, err := b.Charge(foreign); pay.CodeOf(err) != pay.CodeCardNotFound {
			t.Errorf("another tenant's card: %v", err)
		}
		orders, err := w.Store.ListOrders(context.Background(), pay.OrderFilter{TenantID: w.Tenant.ID})
		if err != nil || len(orders) != 0 {
			t.Errorf("orders %v, %v", orders, err)
		}
	})
}

func TestASavedCardIsChosenOnTheOrderPage(t *testing.T) {
	t.Parallel()
	suite(t, []row{
		{name: "TheOpenSessionIsEndedAndTheCardPays", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total,
			Story: []string{"session_opened", "attempt_superseded", "paid"}}, play: func(t *testing.T, w *paytest.World) string {
			card := w.Card("pm_card_visa").ID
			c := w.Open()
			stripe := w.PressPay(c.Order)
			if to := w.Choose(c.Order, pay.Choice{CardID: card}); !strings.HasSuffix(to, "/return") {
				t.Errorf("leads to %s", to)
			}
			if page := w.Get(stripe); page.Status != http.StatusGone {
				t.Errorf("the old session's page is answered %d", page.Status)
			}
			w.DeliverAll()
			return c.Order.ID
		}},
		{name: "AnotherTabPaidMeanwhile", want: paid, play: func(t *testing.T, w *paytest.World) string {
			card := w.Card("pm_card_visa").ID
			o := bought(w)
			if to := w.Choose(o, pay.Choice{CardID: card}); !strings.HasSuffix(to, "/return") {
				t.Errorf("leads to %s", to)
			}
			w.DeliverAll()
			return o.ID
		}},
		{name: "ARefusedCardLeavesTheOrderOpenForAnotherWay", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total,
			Story: []string{"declined", "session_opened", "paid"}}, play: func(t *testing.T, w *paytest.World) string {
			card := w.Card("pm_card_chargeCustomerFail").ID
			c := w.Open()
			if to := w.Choose(c.Order, pay.Choice{CardID: card}); to != w.Pay.PayURL(c.Order, "") {
				t.Errorf("leads to %s", to)
			}
			w.DeliverAll()
			w.MustPay(w.PressPay(c.Order))
			w.DeliverAll()
			return c.Order.ID
		}},
		{name: "TheBankWantsAConfirmationOnStripesPage", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total,
			Story: []string{"requires_action", "session_opened", "paid"}}, play: func(t *testing.T, w *paytest.World) string {
			card := w.Card("pm_card_authenticationRequired").ID
			c := w.Open()
			w.MustPay(w.Choose(c.Order, pay.Choice{CardID: card}))
			w.DeliverAll()
			return c.Order.ID
		}},
		{name: "TheBoxKeepsTheCardThatIsPaidWith", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total}, play: func(t *testing.T, w *paytest.World) string {
			c := w.Open()
			w.MustPay(w.Choose(c.Order, pay.Choice{SaveCard: true}))
			w.DeliverAll()
			list, err := w.Store.ListCards(context.Background(), w.Tenant.ID, c.Order.CustomerID)
			if err != nil || len(list) != 1 || list[0].Last4 != "4242" {
				t.Errorf("cards %+v, %v", list, err)
			}
			return c.Order.ID
		}},
		{name: "TheTenantKeepsEveryCard", want: paid, tenant: func(t *pay.Tenant) { t.Policies.SaveCard = "always" }, play: func(t *testing.T, w *paytest.World) string {
			o := bought(w)
			w.DeliverAll()
			if list, err := w.Store.ListCards(context.Background(), w.Tenant.ID, o.CustomerID); err != nil || len(list) != 1 {
				t.Errorf("cards %+v, %v", list, err)
			}
			return o.ID
		}},
		{name: "WithoutTheBoxNothingIsKept", want: paid, play: func(t *testing.T, w *paytest.World) string {
			o := bought(w)
			w.DeliverAll()
			if list, err := w.Pay.ListCards(context.Background(), w.Cards()); err != nil || len(list.Cards) != 0 {
				t.Errorf("cards %+v, %v", list, err)
			}
			return o.ID
		}},
	})
}

func TestACardIsSavedOnStripesPage(t *testing.T) {
	t.Parallel()
	suite(t, []row{
		{name: "SetupModeSavesAndLabelsIt", want: paytest.Want{State: pay.OrderPaid, Story: []string{"requested", "session_opened", "sent_to_stripe", "saved"}}, play: func(t *testing.T, w *paytest.World) string {
			c := w.Open(func(in *pay.CheckoutInput) { in.Setup, in.Items, in.CardInfo = true, nil, "Ada's card" })
			w.MustPay(w.PressPay(c.Order))
			w.DeliverAll()
			w.DeliverAll()
			list, err := w.Store.ListCards(context.Background(), w.Tenant.ID, c.Order.CustomerID)
			if err != nil || len(list) != 1 || list[0].Label != "Ada's card" {
				t.Errorf("cards %+v, %v", list, err)
			}
			return c.Order.ID
		}},
	})
}

// errorOf is the *pay.Error in err's chain, nil when there is none.
func errorOf(err error) *pay.Error {
	e, _ := errors.AsType[*pay.Error](err)
	return e
}
