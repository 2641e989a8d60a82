package pay_test

import (
	"context"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/pay"
)

// vatStore gives VATSummary the entries of a test.
type vatStore struct {
	pay.Store
	entries []pay.VATEntry
}

func (s *vatStore) ReadVAT(_ context.Context, _ pay.ExportSpan, to pay.VATSides) error {
	for i := range s.entries {
		if err := to.Entry(&s.entries[i]); err != nil {
			return err
		}
	}
	return nil
}

// vatBy is a summary's VAT and gross, in minor units, by line: all modes and rates together.
func vatBy(t interface{ Fatalf(string, ...any) }, c pay.Currency, entries []pay.VATEntry) (vat, gross map[pay.VATLine]int64) {
	rows, err := (&pay.Service{Store: &vatStore{entries: entries}}).VATSummary(context.Background(), pay.ExportSpan{})
	if err != nil {
		t.Fatalf("the summary: %v", err)
	}
	vat, gross = map[pay.VATLine]int64{}, map[pay.VATLine]int64{}
	for _, r := range rows {
		for text, to := range map[string]*map[pay.VATLine]int64{"v" + r.VAT: &vat, "g" + r.Gross: &gross} {
			m, err := pay.ParseMoney("amount", text[1:], c)
			if err != nil {
				t.Fatalf("%+v: %v", r, err)
			}
			(*to)[r.Line] += m.Minor
		}
	}
	return vat, gross
}

// soldCart draws a priced cart, of any mode, rate and currency.
func soldCart(t *rapid.T) pay.Cart {
	c := rapid.SampledFrom([]pay.Currency{"GBP", "JPY", "KWD", "ISK"}).Draw(t, "currency")
	tenant := pay.NewTenant("acme", "Acme", c, paytest.Start)
	tenant.VATMode = rapid.SampledFrom([]pay.VATMode{pay.VATExclusive, pay.VATInclusive}).Draw(t, "mode")
	tenant.VATBasisPoints = rapid.SampledFrom([]int64{0, 500, 1750, 2000, 2550}).Draw(t, "rate")
	var items []pay.CartItem
	for i := range rapid.IntRange(1, 3).Draw(t, "lines") {
		minor := rapid.Int64Range(c.Minimum()/c.Step(), 200_000/c.Step()).Draw(t, "price") * c.Step()
		items = append(items, pay.CartItem{Title: fmt.Sprint("Line ", i), Quantity: 1, SetupFee: pay.Money{Minor: minor, Currency: c}.Text(), Currency: string(c),
			VATApplicable: rapid.Bool().Draw(t, "vat applies")})
	}
	cart, err := pay.PriceCart(tenant, items)
	if err != nil {
		t.Fatal(err)
	}
	return cart
}

// roundedShare is of × part ÷ whole, rounded half up to steps, in exact arithmetic.
func roundedShare(of, part, whole, step int64) int64 {
	r := new(big.Rat).Mul(big.NewRat(of, 1), big.NewRat(part, whole))
	r.Quo(r, big.NewRat(step, 1))
	r.Add(r, big.NewRat(1, 2))
	return new(big.Int).Quo(r.Num(), r.Denom()).Int64() * step
}

func TestTheVATOfWhatGoesBack(t *testing.T) {
	t.Parallel()
	t.Run("IsInTheEndExactlyThePaymentsWhateverThePartsAre", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			cart := soldCart(t)
			step := cart.Currency.Step()
			entries := []pay.VATEntry{{OrderID: "ord_1", Kind: pay.EntryPayment, Fact: "pi_1:captured", InSpan: true, AmountMinor: cart.TotalMinor, Cart: cart}}
			put := func(kind pay.EntryKind, fact string, minor int64) {
				entries = append(entries, pay.VATEntry{OrderID: "ord_1", Kind: kind, Fact: fact, InSpan: true, AmountMinor: minor, Cart: cart})
			}
			left, whole := cart.TotalMinor, map[string]int64{}
			for n := 1; left > 0; n++ {
				part := rapid.Int64Range(1, left/step).Draw(t, "part") * step
				if n > 8 {
					part = left
				}
				id := fmt.Sprint("re_", n)
				kind := rapid.SampledFrom([]string{"refund", "failed", "lost", "won"}).Draw(t, "kind")
				before, _ := vatBy(t, cart.Currency, entries)
				switch kind {
				case "refund", "failed":
					put(pay.EntryRefund, id+":refunded", -part)
				default:
					put(pay.EntryDisputeLost, id+":lost", -part)
				}
				after, _ := vatBy(t, cart.Currency, entries)
				took := before[pay.VATTotal] - after[pay.VATTotal]
				if want := min(roundedShare(cart.VATMinor, part, cart.TotalMinor, step), before[pay.VATTotal]); part < left && took != want {
					t.Fatalf("%d of %d with VAT %d took %d of it, want %d", part, cart.TotalMinor, cart.VATMinor, took, want)
				}
				switch kind {
				case "failed":
					put(pay.EntryRefundReversal, id+":reversed", part)
				case "won":
					put(pay.EntryDisputeReversal, id+":lost_reversed", part)
				default:
					left -= part
					whole[kind] += part
					continue
				}
				if n > 8 { // the last one must not come back for ever
					left = 0
				}
				if again, _ := vatBy(t, cart.Currency, entries); again[pay.VATTotal] != before[pay.VATTotal] {
					t.Fatalf("it came back with VAT %d, was %d", again[pay.VATTotal], before[pay.VATTotal])
				}
			}
			vat, gross := vatBy(t, cart.Currency, entries)
			if vat[pay.VATPayments] != cart.VATMinor || gross[pay.VATPayments] != cart.TotalMinor {
				t.Fatalf("the payment has %v %v, the cart %d of %d", vat, gross, cart.VATMinor, cart.TotalMinor)
			}
			if gross[pay.VATRefunds] != -whole["refund"] || gross[pay.VATLost] != -whole["lost"] {
				t.Fatalf("went back %v, want %v", gross, whole)
			}
			if gross[pay.VATTotal] == 0 && (vat[pay.VATTotal] != 0 || vat[pay.VATRefunds]+vat[pay.VATLost] != -cart.VATMinor) {
				t.Fatalf("all went back, and VAT is left: %v", vat)
			}
		})
	})
	t.Run("IsNothingBeyondThePayment", func(t *testing.T) {
		t.Parallel()
		cart := pay.Cart{Currency: "GBP", VATMode: pay.VATExclusive, VATBasisPoints: 2000, VATMinor: 200, TotalMinor: 1200, Lines: []pay.Line{{VATApplicable: true, TotalMinor: 1200}}}
		vat, gross := vatBy(t, "GBP", []pay.VATEntry{ // refunded, and the bank took it back as well
			{OrderID: "ord_1", Kind: pay.EntryPayment, Fact: "pi_1:captured", InSpan: true, AmountMinor: 1200, Cart: cart},
			{OrderID: "ord_1", Kind: pay.EntryRefund, Fact: "re_1:refunded", InSpan: true, AmountMinor: -1200, Cart: cart},
			{OrderID: "ord_1", Kind: pay.EntryDisputeLost, Fact: "dp_1:lost", InSpan: true, AmountMinor: -1200, Cart: cart},
		})
		if diff := cmp.Diff(map[pay.VATLine]int64{pay.VATPayments: 200, pay.VATRefunds: -200, pay.VATLost: 0, pay.VATTotal: 0}, vat); diff != "" {
			t.Errorf("VAT: want − got +:\n%s", diff)
		}
		if gross[pay.VATTotal] != -1200 {
			t.Errorf("gross %v", gross)
		}
	})
	t.Run("KnowsTheRefundsBeforeTheSpan", func(t *testing.T) {
		t.Parallel()
		cart := pay.Cart{Currency: "GBP", VATMode: pay.VATInclusive, VATBasisPoints: 2000, VATMinor: 1, TotalMinor: 6, Lines: []pay.Line{{VATApplicable: true, TotalMinor: 6}}}
		vat, gross := vatBy(t, "GBP", []pay.VATEntry{
			{OrderID: "ord_1", Kind: pay.EntryPayment, Fact: "pi_1:captured", AmountMinor: 6, Cart: cart},
			{OrderID: "ord_1", Kind: pay.EntryRefund, Fact: "re_1:refunded", AmountMinor: -3, Cart: cart}, // had the penny
			{OrderID: "ord_1", Kind: pay.EntryRefund, Fact: "re_2:refunded", InSpan: true, AmountMinor: -3, Cart: cart},
		})
		if vat[pay.VATTotal] != 0 || gross[pay.VATTotal] != -3 || gross[pay.VATPayments] != 0 {
			t.Errorf("VAT %v of %v", vat, gross)
		}
	})
	t.Run("IsRefusedWithoutAPayment", func(t *testing.T) {
		t.Parallel()
		entries := []pay.VATEntry{{OrderID: "ord_1", Kind: pay.EntryRefund, Fact: "re_1:refunded", InSpan: true, AmountMinor: -3}}
		if _, err := (&pay.Service{Store: &vatStore{entries: entries}}).VATSummary(context.Background(), pay.ExportSpan{}); err == nil || !strings.Contains(err.Error(), "re_1:refunded of order ord_1") {
			t.Errorf("got %v", err)
		}
	})
}
