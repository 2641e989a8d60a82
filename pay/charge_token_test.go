package pay_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// silent fails the test when Stripe is called meanwhile.
func silent(t *testing.T, g *paytest.Gateway, do func() error) error {
	t.Helper()
	g.Calls()
	err := do()
	if calls := g.Calls(); len(calls) > 0 {
		t.Errorf("Stripe was asked %v", calls)
	}
	return err
}

// TestATokenMakesOneRequest is TK-01 and TK-07 with tokens as Stripe.js makes them.
func TestATokenMakesOneRequest(t *testing.T) {
	t.Parallel()
	charge := paytest.Want{State: pay.OrderPaid, Paid: paytest.Total}
	suite(t, []row{
		{name: "TheSameRequestAgainHasTheSameAnswerForGood", want: charge, play: func(t *testing.T, w *paytest.World) string {
			token := w.Token(paytest.CardGood)
			first, err := w.Charge("", withToken(token))
			if err != nil {
				t.Fatal(err)
			}
			for _, wait := range []time.Duration{0, 9 * time.Minute, time.Hour, 100 * 24 * time.Hour} {
				w.Clock.Add(wait)
				again, err := w.Charge("", withToken(token))
				if err != nil || again.Order.ID != first.Order.ID || !again.Replayed {
					t.Fatalf("%s later: %+v, %v", wait, again, err)
				}
			}
			if n := w.CountAtStripe("/v1/payment_intents"); n != 1 {
				t.Errorf("%d intents", n)
			}
			return first.Order.ID
		}},
		{name: "ARefusedOneIsRefusedAgainWithoutStripe", want: paytest.Want{State: pay.OrderFailed, Story: []string{"requested", "failed"}}, play: func(t *testing.T, w *paytest.World) string {
			token, order := w.Token("4000000000000341"), ""
			g := w.Wrap()
			for n := range 3 {
				_, err := w.Charge("", withToken(token))
				e := errorOf(err)
				if e == nil || e.Code != pay.CodeCardDeclined || e.Meta["decline_code"] != "generic_decline" {
					t.Fatalf("time %d: %v", n, err)
				}
				if n > 0 && (e.Meta["order_id"] != order || slices.Contains(g.Calls(), "ChargeCard")) {
					t.Errorf("time %d: order %s, want %s, and no charge", n, e.Meta["order_id"], order)
				}
				order = e.Meta["order_id"]
				g.Calls()
			}
			return order
		}},
		{name: "AnotherRequestIsAConflictWithoutStripe", want: charge, play: func(t *testing.T, w *paytest.World) string {
			g, token := w.Wrap(), w.Token(paytest.CardGood)
			c, err := w.Charge("", withToken(token))
			if err != nil {
				t.Fatal(err)
			}
			err = silent(t, g, func() error {
				_, err := w.Charge("", withToken(token), func(in *pay.CheckoutInput) { in.FeatureName = "Another" })
				return err
			})
			if e := errorOf(err); e == nil || e.Code != pay.CodeIdempotencyConflict || e.Field != "apiSingleUseToken" {
				t.Errorf("charge something else: %v", err)
			}
			err = silent(t, g, func() error {
				_, err := w.Pay.SaveCard(context.Background(), w.Cards(func(in *pay.CardsInput) { in.Token = token }))
				return err
			})
			if pay.CodeOf(err) != pay.CodeIdempotencyConflict {
				t.Errorf("save it: %v", err)
			}
			return c.Order.ID
		}},
		{name: "ASavedOneIsNotChargedToo", want: paytest.Want{State: pay.OrderOpen}, play: func(t *testing.T, w *paytest.World) string {
			g, token := w.Wrap(), w.Token(paytest.CardGood)
			first := w.Card(token)
			again, err := w.Pay.SaveCard(context.Background(), w.Cards(func(in *pay.CardsInput) { in.Token = token }))
			if err != nil || again.Card.ID != first.ID || !again.Replayed || len(again.Cards) != 1 {
				t.Errorf("saved again: %+v, %v", again, err)
			}
			if err := silent(t, g, func() error { _, err := w.Charge("", withToken(token)); return err }); pay.CodeOf(err) != pay.CodeIdempotencyConflict {
				t.Errorf("charge it: %v", err)
			}
			// Deleted since, it does not come back.
			if _, err := w.Pay.DeleteCard(context.Background(), w.Cards(func(in *pay.CardsInput) { in.CardID = first.ID })); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Pay.SaveCard(context.Background(), w.Cards(func(in *pay.CardsInput) { in.Token = token })); pay.CodeOf(err) != pay.CodeCardNotFound {
				t.Errorf("saved after it was deleted: %v", err)
			}
			return w.Open().Order.ID
		}},
		{name: "AForeignTenantsTokenIsRefusedAndStaysGood", want: charge, play: func(t *testing.T, w *paytest.World) string {
			b, token := w.Another(), w.Token(paytest.CardGood)
			if _, err := b.Charge("", withToken(token)); pay.CodeOf(err) != pay.CodeCardNotFound {
				t.Errorf("the other tenant charges it: %v", err)
			}
			if _, err := b.Pay.SaveCard(context.Background(), b.Cards(func(in *pay.CardsInput) { in.Token = token })); pay.CodeOf(err) != pay.CodeIdempotencyConflict && pay.CodeOf(err) != pay.CodeCardNotFound {
				t.Errorf("the other tenant saves it: %v", err)
			}
			if n := b.CountAtStripe("/v1/payment_intents"); n != 0 {
				t.Errorf("the other tenant has %d intents", n)
			}
			c, err := w.Charge("", withToken(token))
			if err != nil {
				t.Fatalf("its own tenant: %v", err)
			}
			return c.Order.ID
		}},
		{name: "AMisspeltTokenIsUnknownAndTheRightOneStaysGood", want: charge, play: func(t *testing.T, w *paytest.World) string {
			token := w.Token(paytest.CardGood)
			for _, wrong := range []string{token + " ", strings.ToUpper(token), token + "\x00", "tok_\u0031" + token[6:] + "\u0430", url.PathEscape(token + "%")} {
				if _, err := w.Charge("", withToken(wrong)); pay.CodeOf(err) != pay.CodeCardNotFound {
					t.Errorf("%q: %v", wrong, err)
				}
			}
			c, err := w.Charge("", withToken(token))
			if err != nil {
				t.Fatal(err)
			}
			return c.Order.ID
		}},
	})
}

// TestLegacyCardsAreSavedChargedAndDeleted: what older integrations saved at Stripe.
func TestLegacyCardsAreSavedChargedAndDeleted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		bed := paytest.Setup(t, open(t))
		for name, save := range map[string]func(w *paytest.World) string{
			"src_": func(w *paytest.World) string {
				var source struct {
					ID string `json:"id"`
				}
				w.API(http.MethodPost, "/v1/sources", url.Values{"type": {"card"}, "token": {w.Token(paytest.CardGood)}}, &source)
				if card := w.Card(source.ID); card.ID != source.ID {
					t.Errorf("saved as %s", card.ID)
				}
				return source.ID
			},
			"card_": func(w *paytest.World) string {
				var card struct {
					ID string `json:"id"`
				}
				w.Card("pm_card_mastercard")
				w.API(http.MethodPost, "/v1/customers/"+w.StripeCustomer()+"/sources", url.Values{"source": {w.Token(paytest.CardGood)}}, &card)
				return card.ID
			},
		} {
			w := bed.Another()
			id := save(w)
			if !strings.HasPrefix(id, name) {
				t.Fatalf("%s: the double made %s", name, id)
			}
			c, err := w.Charge(id)
			if err != nil {
				t.Fatalf("charge %s: %v", id, err)
			}
			w.DeliverAll()
			w.Check(c.Order.ID, paytest.Want{State: pay.OrderPaid, Paid: paytest.Total})
			del := w.Cards(func(in *pay.CardsInput) { in.CardID = id })
			list, err := w.Pay.DeleteCard(context.Background(), del)
			if err != nil || slices.ContainsFunc(list.Cards, func(c *pay.Card) bool { return c.ID == id }) {
				t.Errorf("delete %s: %+v, %v", id, list, err)
			}
			if _, err := w.Pay.DeleteCard(context.Background(), del); pay.CodeOf(err) != pay.CodeCardNotFound {
				t.Errorf("delete %s again: %v", id, err)
			}
			if _, err := w.Charge(id, func(in *pay.CheckoutInput) { in.FeatureName = "More" }); pay.CodeOf(err) != pay.CodeCardNotFound {
				t.Errorf("charge %s after it was deleted: %v", id, err)
			}
		}
	})
}
