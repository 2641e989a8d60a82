package pay_test

import (
	"math/big"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/portatill/portatill/pay"
)

// classes has one currency of each kind that Stripe counts in its own way
// (docs.stripe.com/currencies), with the decimals people write and the minor units
// Stripe counts for one of it.
var classes = []struct {
	currency pay.Currency
	decimals int
	perUnit  int64
	step     int64
}{
	{"GBP", 2, 100, 1}, {"JPY", 0, 1, 1}, {"KWD", 3, 1000, 10}, {"ISK", 0, 100, 100}, {"UGX", 0, 100, 100},
}

// plainText writes an amount without any of the package's code.
func plainText(minor, perUnit int64, decimals int) string {
	sign := ""
	if minor < 0 {
		sign, minor = "-", -minor
	}
	text := strconv.FormatInt(minor/perUnit, 10)
	if decimals > 0 {
		frac := strconv.FormatInt(minor%perUnit, 10)
		text += "." + strings.Repeat("0", decimals-len(frac)) + frac
	}
	return sign + text
}

// TestMoneyTextIsABijection is I-18.
func TestMoneyTextIsABijection(t *testing.T) {
	t.Parallel()
	for _, c := range classes {
		t.Run("EveryAmountTo100000In"+string(c.currency), func(t *testing.T) {
			t.Parallel()
			seen := make(map[string]bool, 100_001)
			for minor := int64(0); minor <= 100_000; minor++ {
				if minor%c.step != 0 {
					continue
				}
				checkText(t, c.currency, minor, plainText(minor, c.perUnit, c.decimals))
				text := pay.Money{Minor: minor, Currency: c.currency}.Text()
				if seen[text] {
					t.Fatalf("%s stands for two amounts", text)
				}
				seen[text] = true
			}
		})
		t.Run("AnyAmountIn"+string(c.currency), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				minor := rapid.Int64Range(-99_999_999_999_999, 99_999_999_999_999).Draw(t, "minor") / c.step * c.step
				text := plainText(minor, c.perUnit, c.decimals)
				checkText(t, c.currency, minor, text)
				// Fewer decimals and leading zeros are the same amount.
				short := text
				if strings.Contains(short, ".") {
					short = strings.TrimRight(strings.TrimRight(short, "0"), ".")
				}
				if got, err := pay.ParseMoney("A", short, c.currency); err != nil || got.Minor != minor {
					t.Fatalf("%q is %d, %v; want %d", short, got.Minor, err, minor)
				}
			})
		})
		t.Run("TextIsRefusedOrExactIn"+string(c.currency), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				text := rapid.StringMatching(`-?[0-9]{0,12}(\.[0-9]{0,5})?`).Draw(t, "text")
				got, err := pay.ParseMoney("A", text, c.currency)
				exact, ok := new(big.Rat).SetString(text)
				if !ok || strings.HasSuffix(text, ".") || strings.HasPrefix(strings.TrimPrefix(text, "-"), ".") {
					if err == nil {
						t.Fatalf("%q was taken for %v", text, got)
					}
					return
				}
				minor := exact.Mul(exact, big.NewRat(c.perUnit, 1))
				if err != nil {
					// Only what is not a whole number of steps, or has more decimals than the currency,
					// may be refused.
					_, frac, _ := strings.Cut(text, ".")
					if minor.IsInt() && new(big.Int).Mod(minor.Num(), big.NewInt(c.step)).Sign() == 0 && len(frac) <= c.decimals {
						t.Fatalf("%q was refused: %v", text, err)
					}
					return
				}
				if !minor.IsInt() || minor.Num().Int64() != got.Minor {
					t.Fatalf("%q became %d, want %s", text, got.Minor, minor)
				}
			})
		})
	}
	t.Run("WhateverIsTypedNeverPanics", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			text := rapid.String().Draw(t, "text")
			c := rapid.SampledFrom(pay.Currencies()).Draw(t, "currency")
			if m, err := pay.ParseMoney("A", text, c); err == nil {
				if back, err := pay.ParseMoney("A", m.Text(), c); err != nil || back != m {
					t.Fatalf("%q became %v, whose text is %v, %v", text, m, back, err)
				}
			} else if pay.CodeOf(err) == "" {
				t.Fatalf("%q: an error without a code: %v", text, err)
			}
		})
	})
}

type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

func checkText(t fatal, c pay.Currency, minor int64, want string) {
	t.Helper()
	m := pay.Money{Minor: minor, Currency: c}
	if m.Text() != want {
		t.Fatalf("%d minor units of %s are %q, want %q", minor, c, m.Text(), want)
	}
	back, err := pay.ParseMoney("A", want, c)
	if err != nil || back != m {
		t.Fatalf("%q is %v, %v; want %d", want, back, err, minor)
	}
}

// TestAmountsThatAreRefused has AM-01 to AM-09 and CU-03 of safety.md, as text.
func TestAmountsThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"1e2", "1E-2", "0x10", "+5", " 5", "5 ", "1_000", "1,000.00", "1.000,00", "1,00", "NaN", "Infinity", "-Infinity",
		"٥", "５", "", "-", ".", "5.", ".5", "--5", "5-", "1.2.3", "1 000", "£5", "5GBP", "1\x002", "5\n", "½", "\u00a05", "4.355", "0.001", "1.100000"} {
		if m, err := pay.ParseMoney("Amount", text, "GBP"); pay.CodeOf(err) != pay.CodeInvalidAmount {
			t.Errorf("%q became %v, %v; want InvalidAmount", text, m, err)
		}
	}
	for _, text := range []string{"9999999999999999999", strings.Repeat("9", 100), "99999999999999999.99"} {
		if m, err := pay.ParseMoney("Amount", text, "GBP"); pay.CodeOf(err) != pay.CodeAmountTooLarge {
			t.Errorf("%q became %v, %v; want AmountTooLarge", text, m, err)
		}
	}
	for _, c := range []struct {
		text     string
		currency pay.Currency
		want     int64 // -1 is refused
	}{
		{"5.124", "KWD", -1}, {"5.120", "KWD", 5120}, {"5.12", "KWD", 5120}, {"500", "JPY", 500}, {"500.0", "JPY", -1}, {"5", "ISK", 500},
		{"5.00", "ISK", -1}, {"4.35", "GBP", 435}, {"1.15", "GBP", 115}, {"-0.01", "GBP", -1_000_001}, {"0", "GBP", 0}, {"007.50", "GBP", 750},
	} {
		m, err := pay.ParseMoney("Amount", c.text, c.currency)
		want := c.want
		if want == -1_000_001 {
			want = -1 // one minor unit below zero
		} else if want == -1 {
			if err == nil {
				t.Errorf("%s %s became %d", c.text, c.currency, m.Minor)
			}
			continue
		}
		if err != nil || m.Minor != want {
			t.Errorf("%s %s became %d, %v; want %d", c.text, c.currency, m.Minor, err, want)
		}
	}
}

// TestCurrencyCodes is CU-01.
func TestCurrencyCodes(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"USD", "usd", "UsD"} {
		if c, err := pay.ParseCurrency("Currency", good); err != nil || c != "USD" {
			t.Errorf("%q became %q, %v", good, c, err)
		}
	}
	for _, bad := range []string{" usd", "usd ", "US$", "", "XXX", "XBT", "840", "USDX", "US", "ＵＳＤ", "U\x00D", "ußd"} {
		if c, err := pay.ParseCurrency("Currency", bad); pay.CodeOf(err) != pay.CodeCurrencyNotAllowed {
			t.Errorf("%q became %q, %v; want CurrencyNotAllowed", bad, c, err)
		}
	}
}

func TestDisplayIsForPeople(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		minor    int64
		currency pay.Currency
		want     string
	}{
		{1440, "GBP", "£14.40"}, {99_999_999, "GBP", "£999,999.99"}, {-5, "GBP", "−£0.05"}, {1440, "CHF", "CHF\u00a014.40"},
		{1440, "JPY", "¥1,440"}, {5120, "KWD", "KWD\u00a05.120"}, {500, "ISK", "ISK\u00a05"}, {0, "EUR", "€0.00"}, {-123_456, "USD", "−$1,234.56"},
	} {
		if got := (pay.Money{Minor: c.minor, Currency: c.currency}).Display(); got != c.want {
			t.Errorf("%d %s is shown as %q, want %q", c.minor, c.currency, got, c.want)
		}
	}
}
