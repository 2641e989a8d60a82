package pay_test

import (
	"context"
	"errors"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/pay"
)

// cardFlows are the flows of saved cards, charges, refunds on our word and disputes.
var cardFlows = []flow{
	{name: "ChargeASavedCard", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		return chargeAgain(w, w.Card("pm_card_visa").ID)
	}},
	{name: "ChargeASavedCardThatTheBankRefuses", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		// A no is the end of its order, and the same request a new try; a key keeps it one.
		return but(pay.CodeCardDeclined, chargeAgain(w, w.Card("pm_card_chargeCustomerFail").ID, keyed))
	}},
	{name: "ChargeASavedCardWhoseBankWantsTheCustomer", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		return chargeToThePage(w, w.Card("pm_card_authenticationRequired").ID)
	}},
	{name: "ChargeAToken", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		w.Card("pm_card_visa")
		return chargeAgain(w, "", withToken(w.Token(paytest.CardGood)))
	}},
	{name: "ChargeATokenOfAnUnknownCustomer", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		return chargeAgain(w, "", withToken(w.Token(paytest.CardGood)), keyed)
	}},
	{name: "ChargeATokenThatTheBankRefuses", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		w.Card("pm_card_visa")
		return but(pay.CodeCardDeclined, chargeAgain(w, "", withToken(w.Token("4000000000000341"))))
	}},
	{name: "ChargeNothing", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		return chargeAgain(w, w.Card("pm_card_visa").ID, nothingDue, keyed)
	}},
	{name: "ChargeADebit", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		w.Card("pm_card_visa")
		return chargeAgain(w, w.Attach("pm_bacsDebit_success"))
	}},
	{name: "SweepALostCharge", prepare: func(w *paytest.World, g *paytest.Gateway) func() error {
		card := w.Card("pm_card_visa").ID
		lose(g, "ChargeCard", paytest.StripeSilent())
		_, _ = w.Charge(card)
		g.After.Watch(nil)
		return sweep(w)
	}},
	{name: "SaveAToken", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		token := w.Token(paytest.CardGood)
		return cardsAgain(w, func(in *pay.CardsInput) { in.Token, in.CardInfo = token, "Office card" }, w.Pay.SaveCard)
	}},
	{name: "SaveATestCardWithAKey", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		return cardsAgain(w, func(in *pay.CardsInput) { in.Token, in.IdempotencyKey = "tok_visa", "save-1" }, w.Pay.SaveCard)
	}},
	{name: "ListCards", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		w.Card("pm_card_visa")
		w.Attach("pm_card_mastercard")
		return cardsAgain(w, func(*pay.CardsInput) {}, w.Pay.ListCards)
	}},
	{name: "DeleteACard", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		w.Card("pm_card_mastercard")
		id := w.Card("pm_card_visa").ID
		// Gone already is what the second call finds when the first one's answer was lost.
		del := but(pay.CodeCardNotFound, cardsAgain(w, func(in *pay.CardsInput) { in.CardID = id }, w.Pay.DeleteCard))
		return func() error {
			if err := del(); err != nil {
				return err
			}
			return deliver(w, "payment_method.detached")()
		}
	}},
	{name: "LabelACard", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		id := w.Card("pm_card_visa").ID
		return func() error {
			c, err := w.Store.CustomerByICustomer(context.Background(), w.Tenant.ID, paytest.ICustomer)
			if err != nil {
				return err
			}
			if err := w.Pay.RelabelCard(context.Background(), w.Request().Tenant, c, id, "The blue one"); err != nil {
				return err
			}
			return w.RunJobs()
		}
	}},
	{name: "ChooseASavedCardOnThePage", roadsDiffer: true, prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		card := w.Card("pm_card_visa").ID
		o := w.Open().Order
		w.PressPay(o)
		return choose(w, o, pay.Choice{CardID: card})
	}},
	{name: "ChooseASavedCardThatTheBankRefuses", roadsDiffer: true, prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		card := w.Card("pm_card_chargeCustomerFail").ID
		o := w.Open().Order
		done := false
		return func() error { // one no is enough for this customer, who takes Stripe's page then
			choice := pay.Choice{CardID: card}
			for _, a := range w.Attempts(o.ID) {
				if done = done || a.Kind == pay.AttemptIntent; done {
					choice = pay.Choice{}
				}
			}
			return errors.Join(choose(w, o, choice)(), choose(w, o, pay.Choice{})())
		}
	}},
	{name: "ChooseASavedCardWhoseBankWantsTheCustomer", roadsDiffer: true, prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		card := w.Card("pm_card_authenticationRequired").ID
		o := w.Open().Order
		done := false
		return func() error {
			choice := pay.Choice{CardID: card}
			for _, a := range w.Attempts(o.ID) {
				if done = done || a.Kind == pay.AttemptIntent; done {
					choice = pay.Choice{}
				}
			}
			return choose(w, o, choice)()
		}
	}},
	{name: "TickTheBox", roadsDiffer: true, prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		o := w.Open().Order
		w.PressPay(o)
		return choose(w, o, pay.Choice{SaveCard: true})
	}},
	{name: "SettleWithTheBoxTicked", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		w.MustPay(w.Choose(w.Open().Order, pay.Choice{SaveCard: true}))
		hear := deliver(w, "checkout.session.completed")
		return func() error { return errors.Join(hear(), w.RunJobs()) } // the first job makes another
	}},
	{name: "SaveACardOnStripesPage", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		o := w.Open(setup).Order
		w.MustPay(w.PressPay(o))
		return func() error { return errors.Join(settle(w, o)(), w.RunJobs()) }
	}},
	{name: "RefundAll", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		o := settled(w)
		return func() error { // all of it on its way is what the second call finds
			_, err := refund(w, o, 0, "")
			if pay.CodeOf(err) == pay.CodeInvalidAmount {
				err = nil
			}
			return errors.Join(err, w.RunJobs())
		}
	}},
	{name: "RefundAPart", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		return refundAgain(w, settled(w), 500, "refund-1")
	}},
	{name: "SweepALostRefund", prepare: func(w *paytest.World, g *paytest.Gateway) func() error {
		o := settled(w)
		lose(g, "CreateRefund", paytest.StripeSilent())
		_ = refundAgain(w, o, 500, "refund-1")()
		g.After.Watch(nil)
		again := sweep(w)
		return func() error { return errors.Join(again(), w.RunJobs()) }
	}},
	{name: "DisputeOpened", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		w.Act("dispute", w.Attempts(settled(w).ID)[0].IntentID, 0)
		return deliver(w, "charge.dispute.created")
	}},
	{name: "DisputeWon", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		w.Act("dispute", w.Attempts(settled(w).ID)[0].IntentID, 0)
		w.DeliverAll()
		w.ActWith("dispute", map[string]any{"id": w.DisputeAtStripe(), "outcome": "won"})
		return deliver(w, "charge.dispute.closed")
	}},
	{name: "DisputeLostAndHeardOfOnlyThen", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		w.Act("dispute", w.Attempts(settled(w).ID)[0].IntentID, 0)
		w.ActWith("dispute", map[string]any{"id": w.DisputeAtStripe(), "outcome": "lost"})
		return deliver(w, "charge.dispute.closed")
	}},
	{name: "CheckoutOfADeletedCustomer", roadsDiffer: true, prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		w.Card("pm_card_visa")
		w.Act("delete_customer", w.StripeCustomer(), 0)
		return func() error {
			c, err := w.Pay.OpenCheckout(context.Background(), w.Request())
			if err != nil {
				return err
			}
			return press(w, c.Order)()
		}
	}},
	{name: "SaveATokenOfADeletedCustomer", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		w.Card("pm_card_visa")
		w.Act("delete_customer", w.StripeCustomer(), 0)
		token := w.Token(paytest.CardGood)
		return cardsAgain(w, func(in *pay.CardsInput) { in.Token = token }, w.Pay.SaveCard)
	}},
	{name: "ChargeATokenOfADeletedCustomer", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		w.Card("pm_card_visa")
		w.Act("delete_customer", w.StripeCustomer(), 0)
		return chargeAgain(w, "", withToken(w.Token(paytest.CardGood)))
	}},
	{name: "ChargeACardOfADeletedCustomer", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		card := w.Card("pm_card_visa").ID
		w.Act("delete_customer", w.StripeCustomer(), 0)
		list := cardsAgain(w, func(*pay.CardsInput) {}, w.Pay.ListCards)
		return func() error {
			if err := but(pay.CodeCardNotFound, chargeAgain(w, card))(); err != nil {
				return err
			}
			return list()
		}
	}},
	{name: "ListCardsOfADeletedCustomer", prepare: func(w *paytest.World, _ *paytest.Gateway) func() error {
		w.Card("pm_card_visa")
		w.Act("delete_customer", w.StripeCustomer(), 0)
		return cardsAgain(w, func(*pay.CardsInput) {}, w.Pay.ListCards)
	}},
}

// setup asks for a card to be saved on Stripe's page.
func setup(in *pay.CheckoutInput) { in.Setup, in.Items, in.CardInfo = true, nil, "Ada's card" }

// nothingDue is a cart that its voucher covers.
func nothingDue(in *pay.CheckoutInput) {
	in.Items = []pay.CartItem{{Title: "Handset", Quantity: 1, SetupFee: "25", VoucherCredit: "25"}}
}

func withToken(token string) func(*pay.CheckoutInput) {
	return func(in *pay.CheckoutInput) { in.CardID, in.Token = "", token }
}

// but takes an answer that a portal understands as the end of its work.
func but(end pay.Code, run func() error) func() error {
	return func() error {
		if err := run(); pay.CodeOf(err) != end {
			return err
		}
		return nil
	}
}

// chargeAgain charges with the same request each time it is called, and does what the
// commit left to be done.
func chargeAgain(w *paytest.World, card string, changes ...func(*pay.CheckoutInput)) func() error {
	return func() error {
		if _, err := w.Charge(card, changes...); err != nil {
			return err
		}
		return w.RunJobs()
	}
}

// chargeToThePage charges, and when the bank wants the customer leads them to Stripe.
func chargeToThePage(w *paytest.World, card string) func() error {
	return func() error {
		c, err := w.Charge(card)
		if err != nil {
			return err
		}
		if !c.NeedsCustomer {
			return errors.New("the charge does not need its customer")
		}
		return press(w, c.Order)()
	}
}

func choose(w *paytest.World, o *pay.Order, choice pay.Choice) func() error {
	return func() error {
		_, err := w.Pay.StartPayment(context.Background(), o.PayToken, choice)
		return err
	}
}

func cardsAgain(w *paytest.World, change func(*pay.CardsInput), do func(context.Context, pay.CardsInput) (*pay.CardList, error)) func() error {
	return func() error {
		_, err := do(context.Background(), w.Cards(change))
		return errors.Join(err, w.RunJobs())
	}
}

// refundAgain asks for a refund and does what the commit left to be done.
func refundAgain(w *paytest.World, o *pay.Order, minor int64, key string) func() error {
	return func() error {
		if _, err := refund(w, o, minor, key); err != nil {
			return err
		}
		return w.RunJobs()
	}
}

// refund asks for a refund on our word; minor 0 is all that is left.
func refund(w *paytest.World, o *pay.Order, minor int64, key string) (*pay.RefundRequest, error) {
	in := pay.RefundOrder{TenantID: w.Tenant.ID, OrderID: o.ID, Reason: "requested_by_customer", Key: key, Cause: pay.Cause{Kind: pay.CauseCLI, ID: "refund"}}
	if minor > 0 {
		in.Amount = pay.Money{Minor: minor, Currency: o.Cart.Currency}
	}
	return w.Pay.Refund(context.Background(), in)
}

// lose lets a call of the gateway have its effect and loses its answer, each time
// until After.Watch(nil).
func lose(g *paytest.Gateway, call string, fault error) {
	g.After.Watch(func(name string) error {
		if name == call {
			return fault
		}
		return nil
	})
}

// endAtStripe counts what Stripe has of the tenant's.
func endAtStripe(w *paytest.World) map[string]int {
	end := map[string]int{}
	for _, path := range []string{"/v1/checkout/sessions", "/v1/customers", "/v1/payment_intents", "/v1/refunds"} {
		end[path] = w.CountAtStripe(path)
	}
	return end
}
