package pay_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/portatill/portatill/pay"
)

// shop is a tenant that prices carts.
func shop(changes ...func(*pay.Tenant)) *pay.Tenant {
	t := pay.NewTenant("shop", "Shop", "GBP", time.Unix(0, 0))
	t.Currencies = pay.Currencies()
	t.VATBasisPoints = 2000
	for _, change := range changes {
		change(t)
	}
	return t
}

// modelLine prices a line in exact fractions of the currency's unit, from the text
// alone, as product.md section 3 says it.
type modelLine struct{ subtotal, vat, total *big.Rat }

func rat(text string) *big.Rat {
	if text == "" {
		return new(big.Rat)
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic(text)
	}
	return r
}

// halfUp rounds to a multiple of step, a half upwards.
func halfUp(r, step *big.Rat) *big.Rat {
	q := new(big.Rat).Quo(r, step)
	q.Add(q, big.NewRat(1, 2))
	whole := new(big.Int).Div(q.Num(), q.Denom()) // Euclidean: floor for a positive divisor
	return new(big.Rat).Mul(new(big.Rat).SetInt(whole), step)
}

func model(t *pay.Tenant, i pay.CartItem, step *big.Rat) modelLine {
	months := i.AdvancePeriod
	if months == 0 && t.Policies.FirstMonth == "included" {
		months = 1
	}
	line := new(big.Rat).Mul(rat(i.MonthlyFee), big.NewRat(months, 1))
	line.Add(line, rat(i.SetupFee))
	line.Mul(line, big.NewRat(i.Quantity, 1))
	line.Add(line, rat(i.TransactionCharge))
	line.Sub(line, rat(i.VoucherCredit))
	m := modelLine{subtotal: line, vat: new(big.Rat), total: new(big.Rat).Set(line)}
	if !i.VATApplicable {
		return m
	}
	rate := big.NewRat(t.VATBasisPoints, 10_000)
	if t.VATMode == pay.VATInclusive {
		part := new(big.Rat).Quo(rate, new(big.Rat).Add(big.NewRat(1, 1), rate))
		m.vat = halfUp(new(big.Rat).Mul(line, part), step)
		return m
	}
	m.vat = halfUp(new(big.Rat).Mul(line, rate), step)
	m.total.Add(m.total, m.vat)
	return m
}

// amount draws an amount's text with at most the currency's decimals.
func amount(t *rapid.T, name string, c int, most int64) string {
	class := classes[c]
	minor := rapid.Int64Range(0, most/class.step).Draw(t, name) * class.step
	return plainText(minor, class.perUnit, class.decimals)
}

// TestPriceCartAgreesWithExactFractions holds PriceCart, and what Stripe is asked
// for, to the model.
func TestPriceCartAgreesWithExactFractions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		class := rapid.IntRange(0, len(classes)-1).Draw(t, "class")
		c := classes[class]
		tenant := shop(func(s *pay.Tenant) {
			s.DefaultCurrency = c.currency
			s.VATBasisPoints = rapid.Int64Range(0, 10_000).Draw(t, "rate")
			if rapid.Bool().Draw(t, "inclusive") {
				s.VATMode = pay.VATInclusive
			}
			if rapid.Bool().Draw(t, "firstMonth") {
				s.Policies.FirstMonth = "included"
			}
		})
		var items []pay.CartItem
		n := rapid.OneOf(rapid.IntRange(1, 8), rapid.IntRange(95, 100)).Draw(t, "items")
		for i := range n {
			items = append(items, pay.CartItem{Title: fmt.Sprintf("Item %d", i), Quantity: rapid.Int64Range(1, 12).Draw(t, "quantity"),
				SetupFee: amount(t, "setup", class, 90_000), MonthlyFee: amount(t, "monthly", class, 40_000), TransactionCharge: amount(t, "charge", class, 3_000),
				AdvancePeriod: rapid.Int64Range(0, 4).Draw(t, "months"), VATApplicable: rapid.Bool().Draw(t, "vat"),
				DisplayIndex: rapid.Int64Range(-3, 3).Draw(t, "display")})
			item := &items[i]
			if rapid.Bool().Draw(t, "voucher") {
				item.VoucherCredit = amount(t, "credit", class, 5_000)
			}
			if rapid.Bool().Draw(t, "stated") {
				stated := new(big.Rat).Mul(model(tenant, *item, big.NewRat(c.step, c.perUnit)).subtotal, big.NewRat(c.perUnit, 1))
				if stated.Sign() > 0 {
					item.ItemSubTotal = plainText(stated.Num().Int64(), c.perUnit, c.decimals)
				}
			}
		}
		checkCart(t, tenant, items, big.NewRat(c.perUnit, 1), big.NewRat(c.step, c.perUnit))
	})
}

func checkCart(t *rapid.T, tenant *pay.Tenant, items []pay.CartItem, perUnit, step *big.Rat) {
	minor := func(r *big.Rat) int64 {
		m := new(big.Rat).Mul(r, perUnit)
		if !m.IsInt() {
			t.Fatalf("the model has a fraction of a minor unit: %s", m)
		}
		return m.Num().Int64()
	}
	total, negative := new(big.Rat), false
	want := make([]modelLine, len(items))
	for i, item := range items {
		want[i] = model(tenant, item, step)
		negative = negative || want[i].subtotal.Sign() < 0
		total.Add(total, want[i].total)
	}
	cart, err := pay.PriceCart(tenant, items)
	switch {
	case negative:
		if pay.CodeOf(err) != pay.CodeInvalidAmount {
			t.Fatalf("a line below zero: %v", err)
		}
		return
	case minor(total) > pay.MaxMinor:
		if pay.CodeOf(err) != pay.CodeAmountTooLarge {
			t.Fatalf("a total of %d: %v", minor(total), err)
		}
		return
	case minor(total) > 0 && minor(total) < tenant.DefaultCurrency.Minimum():
		if pay.CodeOf(err) != pay.CodeAmountTooSmall {
			t.Fatalf("a total of %d: %v", minor(total), err)
		}
		return
	case err != nil:
		t.Fatalf("a total of %d was refused: %v", minor(total), err)
	}
	if cart.TotalMinor != minor(total) {
		t.Fatalf("the total is %d, the model's %d", cart.TotalMinor, minor(total))
	}
	last := items[cart.Lines[0].Index].DisplayIndex
	for _, l := range cart.Lines {
		w := want[l.Index]
		if l.SubtotalMinor != minor(w.subtotal) || l.VATMinor != minor(w.vat) || l.TotalMinor != minor(w.total) {
			t.Fatalf("%s: %d + VAT %d = %d, the model's %d + %d = %d", l.Path(), l.SubtotalMinor, l.VATMinor, l.TotalMinor, minor(w.subtotal), minor(w.vat), minor(w.total))
		}
		if !strings.Contains(l.Explanation, pay.Money{Minor: l.SubtotalMinor, Currency: cart.Currency}.Display()) {
			t.Fatalf("%s is explained without its amount: %s", l.Path(), l.Explanation)
		}
		if shown := items[l.Index].DisplayIndex; shown < last {
			t.Fatalf("the lines are not in the order of their DisplayIndex")
		} else {
			last = shown
		}
	}
	checkStripeLines(t, &cart)
}

// checkStripeLines: Stripe's total always equals ours, within Stripe's limits.
func checkStripeLines(t fatal, cart *pay.Cart) {
	t.Helper()
	lines, sum := cart.StripeLines(), int64(0)
	for _, l := range lines {
		sum += l.Quantity * l.UnitMinor
		if l.UnitMinor < 0 || l.Quantity < 1 || l.UnitMinor%cart.Currency.Step() != 0 || l.Name == "" || len([]rune(l.Name)) > 250 {
			t.Fatalf("Stripe would not take %d × %d of %q", l.Quantity, l.UnitMinor, l.Name)
		}
	}
	if sum != cart.TotalMinor || len(lines) > 100 {
		t.Fatalf("%d lines at Stripe come to %d, the cart to %d", len(lines), sum, cart.TotalMinor)
	}
}

// TestCartsThatAreRefused has the AM- and CU- cases of safety.md, and product.md
// section 3: refused with the code and the field.
func TestCartsThatAreRefused(t *testing.T) {
	t.Parallel()
	good := func() pay.CartItem { return pay.CartItem{Title: "SIM", Quantity: 1, SetupFee: "10.00"} }
	one := func(change func(*pay.CartItem)) []pay.CartItem {
		i := good()
		change(&i)
		return []pay.CartItem{good(), i}
	}
	many := make([]pay.CartItem, 101)
	for i := range many {
		many[i] = good()
	}
	for _, c := range []struct {
		name  string
		items []pay.CartItem
		code  pay.Code
		field string
	}{
		{"NoItems", nil, pay.CodeNotEmpty, "ShoppingInformation"},
		{"TooManyItems", many, pay.CodeTooManyItems, "ShoppingInformation"},
		{"NoTitle", one(func(i *pay.CartItem) { i.Title = " \t" }), pay.CodeNotEmpty, "ShoppingInformation[1].Title"},
		{"NegativeSetupFee", one(func(i *pay.CartItem) { i.SetupFee = "-10.00" }), pay.CodeInvalidAmount, "ShoppingInformation[1].SetupFee"},
		{"NegativeMonthlyFee", one(func(i *pay.CartItem) { i.MonthlyFee = "-0.01" }), pay.CodeInvalidAmount, "ShoppingInformation[1].MonthlyFee"},
		{"NegativeCharge", one(func(i *pay.CartItem) { i.TransactionCharge = "-1" }), pay.CodeInvalidAmount, "ShoppingInformation[1].TransactionCharge"},
		{"NegativeVoucherThatWouldAdd", one(func(i *pay.CartItem) { i.VoucherCredit = "-1" }), pay.CodeInvalidAmount, "ShoppingInformation[1].VoucherCredit"},
		{"NegativeSubTotal", one(func(i *pay.CartItem) { i.ItemSubTotal = "-10" }), pay.CodeInvalidAmount, "ShoppingInformation[1].ItemSubTotal"},
		{"QuantityZero", one(func(i *pay.CartItem) { i.Quantity = 0 }), pay.CodeInvalidAmount, "ShoppingInformation[1].Quantity"},
		{"QuantityNegative", one(func(i *pay.CartItem) { i.Quantity = -2 }), pay.CodeInvalidAmount, "ShoppingInformation[1].Quantity"},
		{"NegativeMonths", one(func(i *pay.CartItem) { i.AdvancePeriod = -1 }), pay.CodeInvalidAmount, "ShoppingInformation[1].AdvancePeriod"},
		{"VoucherAboveTheLine", one(func(i *pay.CartItem) { i.VoucherCredit = "10.01" }), pay.CodeInvalidAmount, "ShoppingInformation[1].VoucherCredit"},
		{"AMillion", one(func(i *pay.CartItem) { i.SetupFee = "1000000.00" }), pay.CodeAmountTooLarge, "ShoppingInformation"},
		{"OverflowByQuantity", one(func(i *pay.CartItem) { i.Quantity = 1 << 62 }), pay.CodeAmountTooLarge, "ShoppingInformation[1]"},
		{"OverflowByMonths", one(func(i *pay.CartItem) { i.MonthlyFee, i.AdvancePeriod = "9000000000000000", 1<<62 }), pay.CodeAmountTooLarge, "ShoppingInformation[1]"},
		{"SumOverflow", one(func(i *pay.CartItem) { i.SetupFee = "999990.00" }), pay.CodeAmountTooLarge, "ShoppingInformation"},
		{"Exponent", one(func(i *pay.CartItem) { i.SetupFee = "1e2" }), pay.CodeInvalidAmount, "ShoppingInformation[1].SetupFee"},
		{"TooManyDecimals", one(func(i *pay.CartItem) { i.SetupFee = "1.005" }), pay.CodeInvalidAmount, "ShoppingInformation[1].SetupFee"},
		{"StatedAnotherSubTotal", one(func(i *pay.CartItem) { i.ItemSubTotal = "9.99" }), pay.CodeSubTotalMismatch, "ShoppingInformation[1].ItemSubTotal"},
		{"TwoCurrencies", one(func(i *pay.CartItem) { i.Currency = "EUR" }), pay.CodeMixedCurrencies, "ShoppingInformation[1].Currency"},
		{"UnknownCurrency", one(func(i *pay.CartItem) { i.Currency = "XBT" }), pay.CodeCurrencyNotAllowed, "ShoppingInformation[1].Currency"},
		{"SameKeyTwice", []pay.CartItem{{Title: "a", Quantity: 1, SetupFee: "1", Key: "k"}, {Title: "b", Quantity: 1, SetupFee: "1", Key: "k"}}, pay.CodeDuplicateKey, "ShoppingInformation[1].Key"},
		{"BelowStripesMinimum", []pay.CartItem{{Title: "a", Quantity: 1, SetupFee: "0.29"}}, pay.CodeAmountTooSmall, "ShoppingInformation"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cart, err := pay.PriceCart(shop(), c.items)
			e, ok := err.(*pay.Error)
			if !ok || e.Code != c.code || e.Field != c.field || e.Message == "" {
				t.Errorf("got %v (%s), want %s %s", err, cart.Total(), c.code, c.field)
			}
		})
	}
	t.Run("ACurrencyTheTenantDoesNotTake", func(t *testing.T) {
		t.Parallel()
		_, err := pay.PriceCart(shop(func(s *pay.Tenant) { s.Currencies = nil }), []pay.CartItem{{Title: "a", Quantity: 1, SetupFee: "1", Currency: "EUR"}})
		if pay.CodeOf(err) != pay.CodeCurrencyNotAllowed {
			t.Errorf("got %v", err)
		}
	})
	t.Run("AMismatchStatesBothAmounts", func(t *testing.T) {
		t.Parallel()
		_, err := pay.PriceCart(shop(), one(func(i *pay.CartItem) { i.ItemSubTotal = "9.99" }))
		if e, ok := err.(*pay.Error); !ok || e.Meta["stated"] != "9.99" || e.Meta["computed"] != "10.00" {
			t.Errorf("got %v", err)
		}
	})
}

// TestCartsThatAreExact has AM-09 and AM-11: what floats get wrong.
func TestCartsThatAreExact(t *testing.T) {
	t.Parallel()
	inclusive := func(s *pay.Tenant) { s.VATMode = pay.VATInclusive }
	trust := func(s *pay.Tenant) { s.Policies.Subtotal = "trust" }
	for _, c := range []struct {
		name       string
		tenant     func(*pay.Tenant)
		item       pay.CartItem
		total, vat int64
	}{
		{"FourThirtyFive", nil, pay.CartItem{SetupFee: "4.35", Quantity: 1}, 435, 0},
		{"OneFifteen", nil, pay.CartItem{SetupFee: "1.15", Quantity: 1}, 115, 0},
		{"SevenPenceThrice", nil, pay.CartItem{SetupFee: "0.07", Quantity: 3, TransactionCharge: "1.00"}, 121, 0},
		{"OneTenThrice", nil, pay.CartItem{SetupFee: "1.1", Quantity: 3}, 330, 0},
		{"ThirtyThreeThirtyThreeWithVAT", nil, pay.CartItem{SetupFee: "33.33", Quantity: 3, VATApplicable: true}, 9999 + 2000, 2000},
		{"HalfAPennyOfVATGoesUp", func(s *pay.Tenant) { s.VATBasisPoints = 500 }, pay.CartItem{SetupFee: "0.50", Quantity: 1, VATApplicable: true}, 53, 3},
		{"VATInclusiveIsShownAndNotAdded", inclusive, pay.CartItem{SetupFee: "12.00", Quantity: 1, VATApplicable: true}, 1200, 200},
		{"VATInclusiveRoundsHalfUp", inclusive, pay.CartItem{SetupFee: "0.33", Quantity: 1, VATApplicable: true}, 33, 6},
		{"AVoucherIsTakenOffBeforeVAT", nil, pay.CartItem{SetupFee: "10.00", Quantity: 2, VoucherCredit: "5.00", VATApplicable: true}, 1800, 300},
		{"ATrustedSubTotalIsTaken", trust, pay.CartItem{SetupFee: "10.00", Quantity: 1, ItemSubTotal: "8.88", VATApplicable: true}, 888 + 178, 178},
		{"TheLeastThatStripeTakes", nil, pay.CartItem{SetupFee: "0.30", Quantity: 1}, 30, 0},
		{"TheMostThatStripeTakes", nil, pay.CartItem{SetupFee: "999999.99", Quantity: 1}, 99_999_999, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tenant := shop()
			if c.tenant != nil {
				c.tenant(tenant)
			}
			c.item.Title = c.name
			cart, err := pay.PriceCart(tenant, []pay.CartItem{c.item})
			if err != nil || cart.TotalMinor != c.total || cart.VATMinor != c.vat {
				t.Fatalf("%d with VAT %d, %v; want %d with %d", cart.TotalMinor, cart.VATMinor, err, c.total, c.vat)
			}
			checkStripeLines(t, &cart)
		})
	}
}

// TestExplanationsHaveTheArithmetic: what customers read.
func TestExplanationsHaveTheArithmetic(t *testing.T) {
	t.Parallel()
	cart, err := pay.PriceCart(shop(), []pay.CartItem{
		{Title: "Trunk", Quantity: 2, SetupFee: "10", MonthlyFee: "12", AdvancePeriod: 3, TransactionCharge: "0.50", VoucherCredit: "5", VATApplicable: true},
		{Title: "Phone", Quantity: 1, SetupFee: "20"},
		{Title: "Credit", Quantity: 1, TransactionCharge: "10"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]string{
		{"2 × (£10.00 setup + £12.00 a month × 3 months) + £0.50 transaction charge − £5.00 voucher = £87.50", "VAT", "20 %", "£17.50", "£105.00"},
		{"1 × £20.00 setup = £20.00", "no VAT"},
		{"£10.00 transaction charge = £10.00, no VAT"},
	} {
		for _, part := range want {
			if !strings.Contains(cart.Lines[i].Explanation, part) || strings.Contains(cart.Lines[i].Explanation, "£0.00") {
				t.Errorf("line %d is explained as %q, which lacks %q", i, cart.Lines[i].Explanation, part)
			}
		}
	}
	if got := cart.MonthlyAfter(); got != (pay.Money{Minor: 2400, Currency: "GBP"}) {
		t.Errorf("then %s a month", got)
	}
}

// TestAHundredItemsAndTheirVATFitStripesPage: Stripe takes 100 lines, and VAT
// would be the 101st.
func TestAHundredItemsAndTheirVATFitStripesPage(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 98, 99, 100} {
		for _, mode := range []pay.VATMode{pay.VATExclusive, pay.VATInclusive} {
			var items []pay.CartItem
			for i := range n {
				items = append(items, pay.CartItem{Title: fmt.Sprintf("Item %d", i), Quantity: int64(1 + i%4), SetupFee: fmt.Sprintf("%d.%02d", 1+i, i), VATApplicable: true})
			}
			cart, err := pay.PriceCart(shop(func(s *pay.Tenant) { s.VATMode = mode }), items)
			if err != nil || cart.VATMinor == 0 {
				t.Fatalf("%d items: VAT %d, %v", n, cart.VATMinor, err)
			}
			checkStripeLines(t, &cart)
			if lines, want := len(cart.StripeLines()), min(n+1, 100); mode == pay.VATExclusive && lines != want {
				t.Errorf("%d items are %d lines at Stripe, want %d", n, lines, want)
			}
		}
	}
}
