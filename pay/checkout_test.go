package pay_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// TestTheCustomerPays: the ways through Stripe's page.
func TestTheCustomerPays(t *testing.T) {
	t.Parallel()
	suite(t, []row{
		{name: "DeclineThenAnotherCard", want: paid, play: func(t *testing.T, w *paytest.World) string {
			c := w.Open()
			to := w.PressPay(c.Order)
			if at, decline := w.PayByCard(to, paytest.CardNoFunds); at != "" || !strings.Contains(decline, "insufficient") {
				t.Errorf("declined card led to %q, %q", at, decline)
			}
			w.DeliverAll()
			if o := w.Order(c.Order.ID); o.State != pay.OrderOpen {
				t.Errorf("after a decline the order is %s", o.State)
			}
			w.MustPay(w.PressPay(c.Order))
			w.DeliverAll()
			return c.Order.ID
		}},
		{name: "ThreeDSecureApproved", want: paid, play: func(t *testing.T, w *paytest.World) string {
			c := w.Open()
			bank, _ := w.PayByCard(w.PressPay(c.Order), paytest.CardChallenge)
			w.DeliverAll()
			if done := w.Return(c.Order); done.Order.State != pay.OrderOpen {
				t.Errorf("before the bank's answer the order is %s", done.Order.State)
			}
			if to := w.Challenge(bank, true); to != paytest.BaseURL+"/pay/"+c.Order.PayToken+"/return" {
				t.Errorf("the bank led to %s", to)
			}
			w.DeliverAll()
			return c.Order.ID
		}},
		{name: "ThreeDSecureFailedThenAnotherCard", want: paid, play: func(t *testing.T, w *paytest.World) string {
			c := w.Open()
			bank, _ := w.PayByCard(w.PressPay(c.Order), paytest.CardChallenge)
			again := w.Challenge(bank, false)
			w.DeliverAll()
			w.Return(c.Order)
			w.MustPay(again)
			w.DeliverAll()
			return c.Order.ID
		}},
		{name: "BackButtonAndAnotherPressLeadToTheSamePage", want: paid, play: func(t *testing.T, w *paytest.World) string {
			c := w.Open()
			first := w.PressPay(c.Order)
			if second := w.PressPay(c.Order); second != first {
				t.Errorf("the second press led to %s, the first to %s", second, first)
			}
			w.MustPay(first)
			if third := w.PressPay(c.Order); third != paytest.BaseURL+"/pay/"+c.Order.PayToken+"/return" {
				t.Errorf("pressed after paying, before anyone told us: led to %s", third)
			}
			if n := w.CountAtStripe("/v1/checkout/sessions"); n != 1 {
				t.Errorf("%d sessions at Stripe", n)
			}
			return c.Order.ID
		}},
		{name: "EightPressesAtOnceOpenOneSession", want: paid, play: func(t *testing.T, w *paytest.World) string {
			c := w.Open()
			w.PressPay(c.Order)
			w.Clock.Add(25 * time.Hour) // the first session ran out, so the presses race for a new one
			to := make([]string, 8)
			atOnce(t, 8, func(i int) error {
				var err error
				to[i], err = w.Pay.StartPayment(context.Background(), c.Order.PayToken, pay.Choice{})
				return err
			})
			for _, at := range to {
				if at != to[0] || !strings.HasPrefix(at, w.SandboxURL) {
					t.Errorf("presses led to %v", to)
					break
				}
			}
			w.MustPay(to[0])
			w.DeliverAll()
			if n := len(w.Attempts(c.Order.ID)); n != 2 {
				t.Errorf("%d attempts, want the old one and one new", n)
			}
			return c.Order.ID
		}},
		{name: "TheWebhookComesBeforeTheCreationIsStored", want: paytest.Want{State: pay.OrderPaid, Paid: paytest.Total}, play: func(t *testing.T, w *paytest.World) string {
			g := w.Wrap()
			g.After.Arm(3, paytest.StripeSilent()) // Account, CreateCustomer, CreateSession
			in := w.Request()
			if _, err := w.Pay.OpenCheckout(context.Background(), in); pay.CodeOf(err) != pay.CodeStripeUnavailable {
				t.Fatalf("the lost answer was %v", err)
			}
			g.After.Disarm()
			var sessions struct {
				Data []struct{ ID, URL string }
			}
			w.API("GET", "/v1/checkout/sessions", nil, &sessions)
			if len(sessions.Data) != 1 {
				t.Fatalf("%d sessions at Stripe", len(sessions.Data))
			}
			w.MustPay(sessions.Data[0].URL)
			w.DeliverAll()
			c := w.Open()
			if !c.Replayed || c.Order.State != pay.OrderPaid {
				// The digest is free again once the order is paid, so this may be a new order.
				o := onlyOrder(w, pay.OrderPaid)
				return o.ID
			}
			return c.Order.ID
		}},
	})
}

// onlyOrder finds the one order in a state.
func onlyOrder(w *paytest.World, state pay.OrderState) *pay.Order {
	w.T.Helper()
	orders, err := w.Store.ListOrders(context.Background(), pay.OrderFilter{TenantID: w.Tenant.ID, State: state})
	if err != nil || len(orders) != 1 {
		w.T.Fatalf("%d orders are %s, %v", len(orders), state, err)
	}
	return orders[0]
}

// keyed gives a request an Idempotency-Key.
func keyed(in *pay.CheckoutInput) { in.IdempotencyKey = "basket-42" }

// once asserts one order, one session and one customer at Stripe.
func once(t *testing.T, w *paytest.World) {
	t.Helper()
	orders, err := w.Store.ListOrders(context.Background(), pay.OrderFilter{TenantID: w.Tenant.ID})
	if err != nil || len(orders) != 1 {
		t.Errorf("%d orders, %v", len(orders), err)
	}
	if s, c := w.CountAtStripe("/v1/checkout/sessions"), w.CountAtStripe("/v1/customers"); s != 1 || c != 1 {
		t.Errorf("%d sessions and %d customers at Stripe, want one each", s, c)
	}
}

// TestARepeatedRequestIsTheSameOrder is the first half of pay once.
func TestARepeatedRequestIsTheSameOrder(t *testing.T) {
	t.Parallel()
	suite(t, []row{
		{name: "TwiceWithoutAKey", want: paytest.Want{State: pay.OrderOpen}, play: func(t *testing.T, w *paytest.World) string {
			first, second := w.Open(), w.Open()
			if second.Order.ID != first.Order.ID || !second.Replayed || first.Replayed || second.Attempt.URL != first.Attempt.URL {
				t.Errorf("the second is %s (replayed %t), the first %s", second.Order.ID, second.Replayed, first.Order.ID)
			}
			once(t, w)
			return first.Order.ID
		}},
		{name: "EightAtOnceWithoutAKey", want: paytest.Want{State: pay.OrderOpen}, play: eightAtOnce()},
		{name: "EightAtOnceWithAKey", want: paytest.Want{State: pay.OrderOpen}, play: eightAtOnce(keyed)},
		{name: "AKeyIsKeptAfterPayment", want: paid, play: func(t *testing.T, w *paytest.World) string {
			o := bought(w, keyed)
			w.DeliverAll()
			again := w.Open(keyed)
			if !again.Replayed || again.Order.ID != o.ID || again.Order.State != pay.OrderPaid {
				t.Errorf("the same key gave %s (%s, replayed %t)", again.Order.ID, again.Order.State, again.Replayed)
			}
			once(t, w)
			return o.ID
		}},
		{name: "WithoutAKeyThePaidBasketCanBeBoughtAgain", want: paid, play: func(t *testing.T, w *paytest.World) string {
			o := settled(w)
			again := w.Open()
			if again.Replayed || again.Order.ID == o.ID {
				t.Errorf("got the paid order %s again", again.Order.ID)
			}
			if n := w.CountAtStripe("/v1/customers"); n != 1 {
				t.Errorf("%d customers at Stripe: a known one must be used again", n)
			}
			return o.ID
		}},
		{name: "TheSameKeyWithAnotherRequestIsAConflict", want: paytest.Want{State: pay.OrderOpen}, play: func(t *testing.T, w *paytest.World) string {
			c := w.Open(keyed)
			_, err := w.Pay.OpenCheckout(context.Background(), w.Request(keyed, func(in *pay.CheckoutInput) { in.Items[0].Quantity++ }))
			if pay.CodeOf(err) != pay.CodeIdempotencyConflict {
				t.Errorf("got %v", err)
			}
			once(t, w)
			return c.Order.ID
		}},
		{name: "AnotherPriceIsAnotherOrderAndNeitherPaysTheOther", want: paytest.Want{State: pay.OrderOpen, Lied: true}, play: func(t *testing.T, w *paytest.World) string {
			cheap := bought(w, func(in *pay.CheckoutInput) { in.Items = in.Items[:1]; in.Items[0].VATApplicable = false })
			dear := w.Open()
			w.DeliverAll()
			if o := w.Order(cheap.ID); o.State != pay.OrderPaid || o.Cart.TotalMinor != 9200 {
				t.Errorf("the cheap order is %s over %s", o.State, o.Cart.Total())
			}
			// Give the cheap order's money back, so that the check sees the dear one's books alone.
			w.Act("refund", w.Attempts(cheap.ID)[0].SessionID, 0)
			w.DeliverAll()
			return dear.Order.ID
		}},
	})
}

func eightAtOnce(changes ...func(*pay.CheckoutInput)) func(*testing.T, *paytest.World) string {
	return func(t *testing.T, w *paytest.World) string {
		w.Open(func(in *pay.CheckoutInput) { in.Items = in.Items[:1] }) // so that account and customer are known
		before := w.CountAtStripe("/v1/checkout/sessions")
		opened := make([]*pay.Checkout, 8)
		requests := make([]pay.CheckoutInput, 8)
		for i := range requests {
			requests[i] = w.Request(changes...)
		}
		atOnce(t, 8, func(i int) error {
			var err error
			opened[i], err = w.Pay.OpenCheckout(context.Background(), requests[i])
			return err
		})
		fresh := 0
		for _, c := range opened {
			if c == nil {
				t.Fatal("one of them failed")
			}
			if !c.Replayed {
				fresh++
			}
			if c.Order.ID != opened[0].Order.ID || c.Attempt.URL != opened[0].Attempt.URL || c.Attempt.URL == "" {
				t.Errorf("order %s at %s beside %s at %s", c.Order.ID, c.Attempt.URL, opened[0].Order.ID, opened[0].Attempt.URL)
			}
		}
		if fresh != 1 {
			t.Errorf("%d of 8 say that they are not replayed", fresh)
		}
		if n := w.CountAtStripe("/v1/checkout/sessions") - before; n != 1 {
			t.Errorf("%d sessions at Stripe", n)
		}
		return opened[0].Order.ID
	}
}

// TestStripeFailsAtTheCheckout: the same request again gives the same session.
func TestStripeFailsAtTheCheckout(t *testing.T) {
	t.Parallel()
	open := paytest.Want{State: pay.OrderOpen}
	// failing opens with a call of Stripe's failing, then sends the same request again.
	failing := func(arm func(*paytest.Gateway)) func(t *testing.T, w *paytest.World) string {
		return func(t *testing.T, w *paytest.World) string {
			g := w.Wrap()
			arm(g)
			_, err := w.Pay.OpenCheckout(context.Background(), w.Request())
			if pay.CodeOf(err) != pay.CodeStripeUnavailable {
				t.Fatalf("got %v, want StripeUnavailable", err)
			}
			g.Before.Disarm()
			g.After.Disarm()
			c := w.Open()
			once(t, w)
			w.PressPay(c.Order)
			return c.Order.ID
		}
	}
	suite(t, []row{
		{name: "NoAnswerBeforeTheSession", want: open, play: failing(func(g *paytest.Gateway) { g.Before.Arm(3, paytest.StripeSilent()) })},
		{name: "TheSessionsAnswerIsLost", want: open, play: failing(func(g *paytest.Gateway) { g.After.Arm(3, paytest.StripeSilent()) })},
		{name: "TheCustomersAnswerIsLost", want: open, play: failing(func(g *paytest.Gateway) { g.After.Arm(2, paytest.StripeSilent()) })},
		{name: "TheAccountCannotBeLearnt", want: open, play: failing(func(g *paytest.Gateway) { g.Before.Arm(1, paytest.StripeSilent()) })},
		{name: "ARefusedSessionIsTriedUnderANewKey", want: open, play: func(t *testing.T, w *paytest.World) string {
			g := w.Wrap()
			g.Before.Arm(3, &pay.StripeFault{Kind: pay.FaultRejected, Code: "parameter_invalid_integer"})
			_, err := w.Pay.OpenCheckout(context.Background(), w.Request())
			if pay.CodeOf(err) != pay.CodeStripeError {
				t.Fatalf("got %v, want StripeError", err)
			}
			g.Before.Disarm()
			c := w.Open()
			if c.Attempt.Number != 2 {
				t.Errorf("attempt %d, want the second", c.Attempt.Number)
			}
			once(t, w)
			return c.Order.ID
		}},
		{name: "AnErrorThatStripeKeepsUnderTheKeyIsPassed", want: open, play: func(t *testing.T, w *paytest.World) string {
			// Stripe answers 500 for a day to whoever repeats a call whose 500 it kept
			// (docs.stripe.com/api/idempotent_requests).
			w.Open(func(in *pay.CheckoutInput) { in.Items = in.Items[:1] }) // only the session is left to make
			w.Dials(map[string]float64{"api_error_rate": 1})
			for range 3 {
				_, err := w.Pay.OpenCheckout(context.Background(), w.Request())
				if err != nil && pay.CodeOf(err) != pay.CodeStripeUnavailable {
					t.Fatalf("got %v, want StripeUnavailable", err)
				}
			}
			w.Dials(map[string]float64{"api_error_rate": 0})
			var c *pay.Checkout
			var err error
			for range 4 {
				if c, err = w.Pay.OpenCheckout(context.Background(), w.Request()); err == nil {
					break
				}
			}
			if err != nil {
				t.Fatalf("Stripe works again, but the same request still gets %v", err)
			}
			w.PressPay(c.Order)
			return c.Order.ID
		}},
		{name: "AKeptErrorOfTheSessionIsPassed", want: open, play: func(t *testing.T, w *paytest.World) string {
			w.Open(func(in *pay.CheckoutInput) { in.Items = in.Items[:1] })
			g := w.Wrap()
			kept := &pay.StripeFault{Kind: pay.FaultUnavailable, Code: pay.FaultCodeKept, RequestID: "req_1"}
			g.In = &stuck{Gateway: w.Gate, fault: kept}
			if _, err := w.Pay.OpenCheckout(context.Background(), w.Request()); pay.CodeOf(err) != pay.CodeStripeUnavailable {
				t.Fatalf("got %v", err)
			}
			c := w.Open() // under a key that Stripe does not know
			if c.Attempt.Number != 2 || c.Attempt.State != pay.AttemptOpen {
				t.Errorf("attempt %d is %s", c.Attempt.Number, c.Attempt.State)
			}
			return c.Order.ID
		}},
		{name: "AnUnansweredAttemptIsClosedAfterADay", want: paytest.Want{State: pay.OrderCancelled, Story: []string{"requested", "attempt_failed"}},
			play: func(t *testing.T, w *paytest.World) string {
				g := w.Wrap()
				g.Before.Arm(3, paytest.StripeSilent())
				_, _ = w.Pay.OpenCheckout(context.Background(), w.Request())
				g.Before.Disarm()
				o := onlyOrder(w, pay.OrderDraft)
				w.Clock.Add(25 * time.Hour)
				w.Sweep()
				return o.ID
			}},
		{name: "TheExpiryOfASessionThatWasGivenUpChangesNothing", want: paytest.Want{State: pay.OrderCancelled}, play: func(t *testing.T, w *paytest.World) string {
			g := w.Wrap()
			g.After.Arm(3, paytest.StripeSilent())
			_, _ = w.Pay.OpenCheckout(context.Background(), w.Request())
			g.After.Disarm()
			o := onlyOrder(w, pay.OrderDraft)
			w.Clock.Add(25 * time.Hour)
			w.Sweep()      // gives up
			w.DeliverAll() // then Stripe tells that the session expired
			return o.ID
		}},
	})
}

// stuck answers a fault to every CreateSession under one key, as Stripe does with
// a 500 that it kept.
type stuck struct {
	pay.Gateway
	fault *pay.StripeFault
	key   string
}

func (s *stuck) CreateSession(ctx context.Context, t *pay.Tenant, in pay.SessionInput, key string) (*pay.StripeSession, error) {
	if s.key == "" || s.key == key {
		s.key = key
		return nil, s.fault
	}
	return s.Gateway.CreateSession(ctx, t, in, key)
}

// TestAVoucherThatCoversEverything is settled without Stripe.
func TestAVoucherThatCoversEverything(t *testing.T) {
	t.Parallel()
	suite(t, []row{{name: "NothingIsDue", want: paytest.Want{State: pay.OrderPaid, Story: []string{"requested", "paid"}},
		play: func(t *testing.T, w *paytest.World) string {
			free := func(in *pay.CheckoutInput) {
				in.Items = []pay.CartItem{{Title: "Handset", Quantity: 1, SetupFee: "25.00", VoucherCredit: "25.00", VATApplicable: true}}
			}
			g := w.Wrap()
			c := w.Open(keyed, free)
			again := w.Open(keyed, free)
			if c.Order.State != pay.OrderPaid || c.Order.Evidence != "voucher" || c.Attempt != nil || again.Order.ID != c.Order.ID {
				t.Errorf("%s by %q, attempt %v; again %s", c.Order.State, c.Order.Evidence, c.Attempt, again.Order.ID)
			}
			if to := w.PressPay(c.Order); to != paytest.BaseURL+"/pay/"+c.Order.PayToken+"/return" {
				t.Errorf("pay leads to %s", to)
			}
			for _, call := range g.Calls() {
				if call != "Account" {
					t.Errorf("Stripe was asked: %s", call)
				}
			}
			return c.Order.ID
		}}})
}

// TestTheStripeCustomerIsTheCustomers: a portal's CustomerId is held to whom it
// is for, before anything is stored.
func TestTheStripeCustomerIsTheCustomers(t *testing.T) {
	t.Parallel()
	atStripe := func(w *paytest.World, metadata string) string {
		var c struct{ ID string }
		form := map[string][]string{"name": {"Ada"}}
		if metadata != "" {
			form["metadata["+pay.MetaCustomer+"]"] = []string{metadata}
		}
		w.API("POST", "/v1/customers", form, &c)
		return c.ID
	}
	claim := func(id string) func(*pay.CheckoutInput) {
		return func(in *pay.CheckoutInput) { in.StripeCustomer = id }
	}
	second := func(in *pay.CheckoutInput) { in.ICustomer, in.Customer.ICustomer = 7, 7 }
	// refused tries claims for a customer that nobody knows yet and for one that is bound.
	refused := func(id func(w *paytest.World) string) func(*testing.T, *paytest.World) string {
		return func(t *testing.T, w *paytest.World) string {
			c := w.Open()
			_, err := w.Pay.OpenCheckout(context.Background(), w.Request(second, claim(id(w))))
			if e, ok := err.(*pay.Error); !ok || e.Code != pay.CodeCustomerMismatch || e.Field != "CustomerId" {
				t.Errorf("got %v, want CustomerMismatch CustomerId", err)
			}
			orders, err := w.Store.ListOrders(context.Background(), pay.OrderFilter{TenantID: w.Tenant.ID})
			if err != nil || len(orders) != 1 {
				t.Errorf("the refused request left its order behind: %d orders, %v", len(orders), err)
			}
			return c.Order.ID
		}
	}
	open := paytest.Want{State: pay.OrderOpen}
	suite(t, []row{
		{name: "AnothersIsRefused", want: open, play: refused(func(w *paytest.World) string {
			c, err := w.Store.CustomerByICustomer(context.Background(), w.Tenant.ID, paytest.ICustomer)
			if err != nil {
				w.T.Fatal(err)
			}
			return c.StripeCustomer
		})},
		{name: "OneThatStripeDoesNotKnowIsRefused", want: open, play: refused(func(*paytest.World) string { return "cus_nobody" })},
		{name: "OneMarkedForAnotherIsRefused", want: open, play: refused(func(w *paytest.World) string { return atStripe(w, "cus_01another") })},
		{name: "AnIDOfSomethingElseIsRefused", want: open, play: refused(func(*paytest.World) string { return "pi_123" })},
		{name: "OneOfAnotherAccountIsRefused", want: open, play: refused(func(w *paytest.World) string { return atStripe(w.Another(), "") })},
		{name: "OneThatNobodyHasIsBound", want: open, play: func(t *testing.T, w *paytest.World) string {
			id := atStripe(w, "")
			c := w.Open(claim(id))
			again := w.Open(second)
			stored, err := w.Store.CustomerByICustomer(context.Background(), w.Tenant.ID, paytest.ICustomer)
			if err != nil || stored.StripeCustomer != id || again.Customer.StripeCustomer == id {
				t.Errorf("bound %v, %v", stored, err)
			}
			if n := w.CountAtStripe("/v1/customers"); n != 2 {
				t.Errorf("%d customers at Stripe, want the claimed one and the second customer's", n)
			}
			return c.Order.ID
		}},
		{name: "AnotherThanTheBoundOneIsRefused", want: open, play: func(t *testing.T, w *paytest.World) string {
			c := w.Open()
			_, err := w.Pay.OpenCheckout(context.Background(), w.Request(claim(atStripe(w, ""))))
			if pay.CodeOf(err) != pay.CodeCustomerMismatch {
				t.Errorf("got %v", err)
			}
			return c.Order.ID
		}},
	})
}

// TestARequestIsCheckedBeforeAnythingIsStored: the codes of CheckoutInput.
func TestARequestIsCheckedBeforeAnythingIsStored(t *testing.T) {
	t.Parallel()
	w := paytest.Setup(t, storetest.OpenSQLite(t))
	g := w.Wrap()
	for _, c := range []struct {
		name   string
		change func(*pay.CheckoutInput)
		code   pay.Code
		field  string
	}{
		{"NoCustomer", func(in *pay.CheckoutInput) { in.ICustomer, in.Customer.ICustomer = 0, 0 }, pay.CodeNotEmpty, "ICustomer"},
		{"NegativeCustomer", func(in *pay.CheckoutInput) { in.ICustomer = -1 }, pay.CodeCustomerMismatch, "ICustomer"},
		{"TwoCustomers", func(in *pay.CheckoutInput) { in.Customer.ICustomer = 8 }, pay.CodeCustomerMismatch, "Customer.ICustomer"},
		{"AnotherResellersCustomer", func(in *pay.CheckoutInput) { in.Customer.IParent = 99 }, pay.CodeCustomerMismatch, "Customer.IParent"},
		{"NoSuccessURL", func(in *pay.CheckoutInput) { in.SuccessURL = "" }, pay.CodeNotEmpty, "SuccessUrl"},
		{"ForeignSuccessURL", func(in *pay.CheckoutInput) { in.SuccessURL = "https://evil.example/" }, pay.CodeOriginNotAllowed, "SuccessUrl"},
		{"ForeignCancelURL", func(in *pay.CheckoutInput) { in.CancelURL = "https://evil.example/" }, pay.CodeOriginNotAllowed, "CancelUrl"},
		{"OurOwnPage", func(in *pay.CheckoutInput) { in.CancelURL = paytest.BaseURL + "/pay/x" }, pay.CodeOriginNotAllowed, "CancelUrl"},
		{"UnknownPaymentMethod", func(in *pay.CheckoutInput) { in.PaymentMethods = []string{"card", "cheque"} }, pay.CodeUnknownPaymentMethod, "PaymentMethod"},
		{"LongKey", func(in *pay.CheckoutInput) { in.IdempotencyKey = strings.Repeat("k", 300) }, pay.CodeBadRequest, "Idempotency-Key"},
		{"EmptyCart", func(in *pay.CheckoutInput) { in.Items = nil }, pay.CodeNotEmpty, "ShoppingInformation"},
	} {
		_, err := w.Pay.OpenCheckout(context.Background(), w.Request(c.change))
		if e, ok := err.(*pay.Error); !ok || e.Code != c.code || e.Field != c.field {
			t.Errorf("%s: got %v, want %s %s", c.name, err, c.code, c.field)
		}
	}
	for name, change := range map[string]func(*pay.Tenant){
		"NoStripeKey": func(s *pay.Tenant) { s.StripeKey = "" }, "NoWebhookSecret": func(s *pay.Tenant) { s.StripeWebhookSecrets = nil },
	} {
		other := w.Another(change)
		if _, err := other.Pay.OpenCheckout(context.Background(), other.Request()); pay.CodeOf(err) != pay.CodeStripeError {
			t.Errorf("%s: got %v", name, err)
		}
	}
	orders, err := w.Store.ListOrders(context.Background(), pay.OrderFilter{})
	if err != nil || len(orders) != 0 || len(g.Calls()) != 0 {
		t.Errorf("%d orders stored, %v; Stripe must not have been asked", len(orders), err)
	}
	t.Run("ASuspendedTenantTakesNoNewMoney", func(t *testing.T) {
		c := w.Open()
		suspend(w)
		if _, err := w.Pay.StartPayment(context.Background(), c.Order.PayToken, pay.Choice{}); pay.CodeOf(err) != pay.CodeTenantSuspended {
			t.Errorf("got %v", err)
		}
	})
}

// TestLanguage: Stripe's page follows the language that the customer asks for, and what was asked of Stripe under one
// key never changes.
func TestLanguage(t *testing.T) {
	t.Parallel()
	in := func(language string) pay.Choice { return pay.Choice{Language: language} }
	tries := func(t *testing.T, w *paytest.World, orderID string, want ...string) {
		t.Helper()
		var got []string
		for _, a := range w.Attempts(orderID) {
			got = append(got, a.Language+" "+string(a.State))
		}
		if !slices.Equal(got, want) {
			t.Errorf("the attempts are %q, want %q", got, want)
		}
	}
	suite(t, []row{
		{name: "TheSameLanguageAgainOrNoneIsTheSamePage", want: paid, play: func(t *testing.T, w *paytest.World) string {
			c := w.Open()
			first := w.Choose(c.Order, in("de"))
			if again := w.Choose(c.Order, in("de")); again != first {
				t.Errorf("the second press leads to %s, the first to %s", again, first)
			}
			if none := w.Choose(c.Order, in("")); none != first {
				t.Errorf("a press without a language leads to %s, the first to %s", none, first)
			}
			tries(t, w, c.Order.ID, " expired", "de open")
			w.MustPay(first)
			w.DeliverAll()
			return c.Order.ID
		}},
		{name: "AnotherLanguageBetweenTwoClicksIsAnotherSessionThatCanBePaid", want: paid, play: func(t *testing.T, w *paytest.World) string {
			c, pages := w.Open(), map[string]bool{}
			last := ""
			for _, language := range []string{"", "de", "fr", "de", "ar"} {
				last = w.Choose(c.Order, in(language))
				pages[last] = true
			}
			if len(pages) != 5 {
				t.Errorf("%d pages, want one for each choice", len(pages))
			}
			tries(t, w, c.Order.ID, " expired", "de expired", "fr expired", "de expired", "ar open")
			w.MustPay(last)
			w.DeliverAll()
			return c.Order.ID
		}},
		{name: "PaidInOneLanguageWhileAnotherIsAskedForIsPaidOnce", want: paid, play: func(t *testing.T, w *paytest.World) string {
			c := w.Open()
			w.MustPay(w.Choose(c.Order, in("de")))
			if to := w.Choose(c.Order, in("fr")); to != paytest.BaseURL+"/pay/"+c.Order.PayToken+"/return" {
				t.Errorf("who paid already is led to %s", to)
			}
			tries(t, w, c.Order.ID, " expired", "de succeeded")
			w.DeliverAll()
			return c.Order.ID
		}},
	})
}
