package pay_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// everywhere lets a tenant take the currencies of every class.
func everywhere(mode pay.VATMode, basisPoints int64) func(*pay.Tenant) {
	return func(t *pay.Tenant) {
		t.VATMode, t.VATBasisPoints = mode, basisPoints
		t.Currencies = []pay.Currency{"GBP", "EUR", "USD", "JPY", "KRW", "KWD", "BHD", "ISK", "UGX"}
	}
}

// sameAtStripe makes a session and a charge of the same cart and holds what Stripe has
// of both, and what it took, to want; it returns the charge's order.
func sameAtStripe(t fatal, w *paytest.World, card string, items []pay.CartItem, name string, want pay.Money) *pay.Order {
	cart := func(in *pay.CheckoutInput) { in.Items, in.IdempotencyKey = slices.Clone(items), name }
	session := w.Open(cart, func(in *pay.CheckoutInput) { in.IdempotencyKey += " page" })
	type object struct {
		Total    int64  `json:"amount_total"`
		Received int64  `json:"amount_received"`
		Currency string `json:"currency"`
	}
	var page, intent object
	w.API(http.MethodGet, "/v1/checkout/sessions/"+session.Attempt.SessionID, nil, &page)
	if got := (object{Total: want.Minor, Currency: want.Currency.Lower()}); page != got || session.Order.Cart.Total() != want {
		t.Fatalf("%s: the session is for %d %s, the order for %s, want %s", name, page.Total, page.Currency, session.Order.Cart.Total(), want)
	}
	c, err := w.Charge(card, cart)
	if err != nil {
		t.Fatalf("%s: charge: %v", name, err)
	}
	w.API(http.MethodGet, "/v1/payment_intents/"+c.Attempt.IntentID, nil, &intent)
	if got := (object{Received: want.Minor, Currency: want.Currency.Lower()}); intent != got || c.Order.Cart.Total() != want || c.Order.State != pay.OrderPaid {
		t.Fatalf("%s: the charge took %d %s, the %s order is for %s, want %s", name, intent.Received, intent.Currency, c.Order.State, c.Order.Cart.Total(), want)
	}
	return c.Order
}

// TestStripesAmountIsOursToTheMinorUnit: for sessions and charges, in every class of
// currency, with VAT in and on top.
func TestStripesAmountIsOursToTheMinorUnit(t *testing.T) {
	t.Parallel()
	one := func(setup, monthly, charge, voucher string, quantity, months int64, vat bool, c pay.Currency) []pay.CartItem {
		return []pay.CartItem{{Title: "Line", Quantity: quantity, SetupFee: setup, MonthlyFee: monthly, TransactionCharge: charge, VoucherCredit: voucher,
			AdvancePeriod: months, VATApplicable: vat, Currency: string(c)}}
	}
	table := []struct {
		name  string
		mode  pay.VATMode
		rate  int64
		items []pay.CartItem
		want  pay.Money
	}{
		{"AFloatTrap435", pay.VATExclusive, 0, one("4.35", "", "", "", 1, 0, false, "GBP"), pay.Money{Minor: 435, Currency: "GBP"}},
		{"AFloatTrap115", pay.VATExclusive, 0, one("1.15", "", "", "", 1, 0, false, "USD"), pay.Money{Minor: 115, Currency: "USD"}},
		{"AFloatTrapThreeTimes", pay.VATExclusive, 0, one("1.1", "", "", "", 3, 0, false, "EUR"), pay.Money{Minor: 330, Currency: "EUR"}},
		{"ThirdsWithVATOnTop", pay.VATExclusive, 2000, one("33.33", "", "", "", 3, 0, true, "GBP"), pay.Money{Minor: 11999, Currency: "GBP"}}, // 99.99 + 19.998
		{"ThirdsWithVATIn", pay.VATInclusive, 2000, one("33.33", "", "", "", 3, 0, true, "GBP"), pay.Money{Minor: 9999, Currency: "GBP"}},
		{"HalfAPennyOfVATGoesUp", pay.VATExclusive, 500, one("0.30", "", "", "", 1, 0, true, "GBP"), pay.Money{Minor: 32, Currency: "GBP"}}, // 0.015 → 0.02
		{"AVoucherForAPart", pay.VATExclusive, 2000, one("10", "12", "0.50", "20", 2, 3, true, "GBP"), pay.Money{Minor: 8700, Currency: "GBP"}},
		{"YenHaveNoDecimals", pay.VATExclusive, 1000, one("101", "", "", "", 5, 0, true, "JPY"), pay.Money{Minor: 556, Currency: "JPY"}}, // 505 + 50.5
		{"WonHaveNoDecimals", pay.VATInclusive, 1000, one("5500", "", "1", "", 1, 0, true, "KRW"), pay.Money{Minor: 5501, Currency: "KRW"}},
		{"DinarsHaveThree", pay.VATExclusive, 500, one("5.12", "", "", "", 1, 0, true, "KWD"), pay.Money{Minor: 5380, Currency: "KWD"}}, // 5.120 + 0.256 → 0.260
		{"BahrainisHaveThree", pay.VATExclusive, 0, one("1.230", "", "", "", 3, 0, false, "BHD"), pay.Money{Minor: 3690, Currency: "BHD"}},
		{"IcelandsAreWholeButCountedInHundredths", pay.VATExclusive, 2400, one("99", "", "", "", 1, 0, true, "ISK"), pay.Money{Minor: 12300, Currency: "ISK"}}, // 99 + 23.76 → 24
		{"UgandasToo", pay.VATExclusive, 0, one("2500", "", "", "", 2, 0, false, "UGX"), pay.Money{Minor: 500000, Currency: "UGX"}},
		{"TheLeast", pay.VATExclusive, 0, one("0.30", "", "", "", 1, 0, false, "GBP"), pay.Money{Minor: 30, Currency: "GBP"}},
		{"TheMost", pay.VATExclusive, 0, one("999999.99", "", "", "", 1, 0, false, "GBP"), pay.Money{Minor: pay.MaxMinor, Currency: "GBP"}},
	}
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		bed := paytest.Setup(t, open(t))
		for _, r := range table {
			w := bed.Another(everywhere(r.mode, r.rate))
			o := sameAtStripe(t, w, w.Card("pm_card_visa").ID, r.items, r.name, r.want)
			w.Check(o.ID, paytest.Want{State: pay.OrderPaid, Paid: r.want.Minor})
		}
		w := bed.Another(everywhere(pay.VATExclusive, 0))
		g, card := w.Wrap(), w.Card("pm_card_visa").ID
		for name, refused := range map[string]struct {
			items []pay.CartItem
			code  pay.Code
		}{
			"BelowTheLeast":             {one("0.29", "", "", "", 1, 0, false, "GBP"), pay.CodeAmountTooSmall},
			"AboveTheMost":              {one("1000000.00", "", "", "", 1, 0, false, "GBP"), pay.CodeAmountTooLarge},
			"AFourthDigit":              {one("5.124", "", "", "", 1, 0, false, "KWD"), pay.CodeInvalidAmount},
			"HundredthsOfAKrona":        {one("5.50", "", "", "", 1, 0, false, "ISK"), pay.CodeInvalidAmount},
			"ACurrencyThatIsNotTaken":   {one("5", "", "", "", 1, 0, false, "CHF"), pay.CodeCurrencyNotAllowed},
			"AVoucherAboveTheLine":      {one("5", "", "", "5.01", 1, 0, false, "GBP"), pay.CodeInvalidAmount},
			"YenBelowTheLeast":          {one("49", "", "", "", 1, 0, false, "JPY"), pay.CodeAmountTooSmall},
			"ANegativeSetupFeeIsNoGift": {one("-5", "10", "", "", 1, 1, false, "GBP"), pay.CodeInvalidAmount},
		} {
			err := silent(t, g, func() error {
				_, err := w.Charge(card, func(in *pay.CheckoutInput) { in.Items = refused.items })
				return err
			})
			if pay.CodeOf(err) != refused.code {
				t.Errorf("%s: %v, want %s", name, err, refused.code)
			}
		}
		// A voucher that covers everything touches no card.
		c, err := w.Charge(card, nothingDue)
		if err != nil || c.Order.State != pay.OrderPaid || c.Order.Evidence != "voucher" {
			t.Fatalf("nothing due: %+v, %v", c, err)
		}
		if calls := g.Calls(); slices.Contains(calls, "ChargeCard") || w.CountAtStripe("/v1/payment_intents") != 0 {
			t.Errorf("nothing was due, but Stripe was asked %v", calls)
		}
		// Nor does it use up a token.
		token := w.Token(paytest.CardGood)
		if _, err := w.Charge("", withToken(token), nothingDue); err != nil {
			t.Fatal(err)
		}
		if w.Card(token) == nil {
			t.Error("the token was used up by a charge of nothing")
		}
		w.Check(c.Order.ID, paytest.Want{State: pay.OrderPaid, Story: []string{"requested", "paid"}})
	})
}

// TestAnyCartIsTheSameAtStripe is the same for carts that nobody thought of. A failing
// one is printed by rapid with its seed.
func TestAnyCartIsTheSameAtStripe(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		bed := paytest.Setup(t, open(t))
		n := 0
		worlds := map[string]*paytest.World{}
		cards := map[string]string{}
		rapid.Check(t, func(rt *rapid.T) {
			class := rapid.IntRange(0, len(classes)-1).Draw(rt, "class")
			mode := rapid.SampledFrom([]pay.VATMode{pay.VATExclusive, pay.VATInclusive}).Draw(rt, "mode")
			rate := rapid.SampledFrom([]int64{0, 1, 500, 1999, 2000, 2550, 10_000}).Draw(rt, "rate")
			who := fmt.Sprint(class, mode, rate)
			w := worlds[who]
			if w == nil {
				w = bed.Another(everywhere(mode, rate), func(s *pay.Tenant) { s.DefaultCurrency = classes[class].currency })
				worlds[who], cards[who] = w, w.Card("pm_card_visa").ID
			}
			var items []pay.CartItem
			for i := range rapid.IntRange(1, 5).Draw(rt, "items") {
				items = append(items, pay.CartItem{Title: fmt.Sprintf("Item %d", i), Quantity: rapid.Int64Range(1, 12).Draw(rt, "quantity"),
					SetupFee: amount(rt, "setup", class, 90_000), MonthlyFee: amount(rt, "monthly", class, 40_000), TransactionCharge: amount(rt, "charge", class, 3_000),
					VoucherCredit: amount(rt, "credit", class, 5_000), AdvancePeriod: rapid.Int64Range(0, 4).Draw(rt, "months"), VATApplicable: rapid.Bool().Draw(rt, "vat")})
			}
			priced, err := pay.PriceCart(w.Request().Tenant, slices.Clone(items))
			if err != nil || priced.TotalMinor == 0 {
				return // refused, or nothing due: TestPriceCartAgreesWithExactFractions has those
			}
			n++
			sameAtStripe(rt, w, cards[who], items, fmt.Sprintf("cart %d", n), priced.Total())
		})
		if n == 0 {
			t.Error("no cart came to Stripe")
		}
		if broken, err := bed.Store.VerifyBooks(t.Context()); err != nil || len(broken) > 0 {
			t.Errorf("%v %v", broken, err)
		}
	})
}
