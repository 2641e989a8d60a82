package pay

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Currency is an ISO 4217 code in capitals, one that Stripe charges in.
type Currency string

// ParseCurrency reads a code in any case. Blanks, symbols and numbers are
// refused with CodeCurrencyNotAllowed.
func ParseCurrency(field, text string) (Currency, error) {
	c := Currency(strings.ToUpper(text))
	if !c.Known() {
		return "", Errorf(CodeCurrencyNotAllowed, field, "must be the three-letter ISO code of a currency that Stripe charges in, such as GBP")
	}
	return c, nil
}

// Known reports whether Stripe charges in the currency.
func (c Currency) Known() bool { _, ok := currencies[c]; return ok }

// Lower is the code as Stripe writes it.
func (c Currency) Lower() string { return strings.ToLower(string(c)) }

// Decimals is how many decimals amounts have in text. ISK and UGX have none,
// though Stripe counts them in hundredths (docs.stripe.com/currencies, special
// cases).
func (c Currency) Decimals() int { return currencies[c].decimals }

// Step is the smallest chargeable number of minor units: 1 for most, 10 for
// three-decimal currencies (Stripe wants their last digit 0), 100 for ISK and UGX.
func (c Currency) Step() int64 {
	switch {
	case c == "ISK" || c == "UGX":
		return 100
	case c.Decimals() == 3:
		return 10
	}
	return 1
}

// Minimum is the least that Stripe charges, in minor units; at least one Step.
func (c Currency) Minimum() int64 { return max(currencies[c].minimum, c.Step()) }

// MaxMinor is the most that Stripe charges: eight digits of minor units
// (docs.stripe.com/currencies, minimum and maximum charge amounts).
const MaxMinor = 99_999_999

// exponent is the power of ten between the text's unit and Stripe's minor unit.
func (c Currency) exponent() int {
	if c == "ISK" || c == "UGX" {
		return 2
	}
	return c.Decimals()
}

// Money is an amount in minor units, as Stripe counts them, with its currency.
type Money struct {
	Minor    int64
	Currency Currency
}

// ParseMoney reads decimal text such as "12", "9.90" or "-3.5" exactly. It
// refuses signs other than a leading minus, exponents, blanks, separators and
// digits of other scripts, more decimals than the currency has, and what does
// not fit (CodeInvalidAmount, CodeAmountTooLarge); nothing is ever rounded.
func ParseMoney(field, text string, c Currency) (Money, error) {
	bad := func(why string) (Money, error) {
		return Money{}, Errorf(CodeInvalidAmount, field, "%s", why)
	}
	digits, negative := strings.CutPrefix(text, "-")
	whole, frac, point := strings.Cut(digits, ".")
	if whole == "" || (point && frac == "") {
		return bad("must be a decimal number such as 12.50")
	}
	for _, r := range whole + frac {
		if r < '0' || r > '9' {
			return bad("must be a decimal number such as 12.50, without sign, blanks, separators or exponent")
		}
	}
	if len(frac) > c.Decimals() {
		return bad(fmt.Sprintf("has %d decimals, but %s has %d", len(frac), c, c.Decimals()))
	}
	all := strings.TrimLeft(whole, "0") + frac + strings.Repeat("0", c.exponent()-len(frac))
	if len(all) > 18 {
		return Money{}, Errorf(CodeAmountTooLarge, field, "is too large")
	}
	minor := int64(0)
	if all != "" {
		var err error
		if minor, err = strconv.ParseInt(all, 10, 64); err != nil {
			return bad("must be a decimal number such as 12.50")
		}
	}
	if minor%c.Step() != 0 {
		return bad(fmt.Sprintf("has too many decimals: the last decimal of an amount in %s must be 0", c))
	}
	if negative {
		minor = -minor
	}
	return Money{minor, c}, nil
}

// Text is the amount as decimal text with all decimals of its currency and a
// point: "14.40". ParseMoney reads it back.
func (m Money) Text() string {
	neg, v := "", uint64(m.Minor)
	if m.Minor < 0 {
		neg, v = "-", uint64(-m.Minor)
	}
	exp, dec := m.Currency.exponent(), m.Currency.Decimals()
	s := strconv.FormatUint(v, 10)
	for len(s) <= exp {
		s = "0" + s
	}
	if exp == 0 {
		return neg + s
	}
	whole, frac := s[:len(s)-exp], s[len(s)-exp:]
	// ISK and UGX have no decimals; the hundredths that Stripe counts show only if
	// something put them there.
	if dec == 0 && strings.Trim(frac, "0") == "" {
		return neg + whole
	}
	return neg + whole + "." + frac
}

// String is for logs and the command line: "14.40 GBP".
func (m Money) String() string { return m.Text() + " " + string(m.Currency) }

// Display is for people: "£14.40", "CHF 14.40", with a no-break space where one
// is needed and groups of three.
func (m Money) Display() string {
	text := m.Text()
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "−", text[1:]
	}
	whole, frac, point := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if point {
		whole += "." + frac
	}
	if symbol := currencies[m.Currency].symbol; symbol != "" {
		return sign + symbol + whole
	}
	return sign + string(m.Currency) + "\u00a0" + whole
}

// IsZero reports whether there is nothing of it.
func (m Money) IsZero() bool { return m.Minor == 0 }

// addMinor and mulMinor report false when the result does not fit.
func addMinor(a, b int64) (int64, bool) {
	s := a + b
	return s, (s > a) == (b > 0) || b == 0
}

func mulMinor(a, b int64) (int64, bool) {
	if a == 0 || b == 0 {
		return 0, true
	}
	p := a * b
	return p, p/b == a && !(a == -1 && b == math.MinInt64) && !(b == -1 && a == math.MinInt64)
}

type currencyFacts struct {
	decimals int
	minimum  int64 // minor units; 0 where Stripe documents none
	symbol   string
}

var currencies = buildCurrencies()

// buildCurrencies has Stripe's presentment currencies with the decimals, minimum
// charges and special cases of docs.stripe.com/currencies.
func buildCurrencies() map[Currency]currencyFacts {
	m := map[Currency]currencyFacts{}
	set := func(decimals int, codes string) {
		for c := range strings.FieldsSeq(codes) {
			m[Currency(c)] = currencyFacts{decimals: decimals}
		}
	}
	set(2, `USD AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF
		CNY COP CRC CVE CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR JMD
		KES KGS KHR KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR
		NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SEK SGD SHP SLE SOS SRD STD SZL THB TJS TOP TRY TTD
		TWD TZS UAH UYU UZS WST XCD YER ZAR ZMW`)
	set(0, `BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF ISK UGX`)
	set(3, `BHD JOD KWD OMR TND`)
	for c, minimum := range map[Currency]int64{
		"USD": 50, "AED": 200, "AUD": 50, "BGN": 100, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500, "DKK": 250,
		"EUR": 50, "GBP": 30, "HKD": 400, "HUF": 17500, "INR": 50, "JPY": 50, "MXN": 1000, "MYR": 200, "NOK": 300,
		"NZD": 50, "PLN": 200, "RON": 200, "SEK": 300, "SGD": 50, "THB": 1000,
	} {
		f := m[c]
		f.minimum = minimum
		m[c] = f
	}
	for c, symbol := range map[Currency]string{"GBP": "£", "EUR": "€", "USD": "$", "JPY": "¥", "INR": "₹"} {
		f := m[c]
		f.symbol = symbol
		m[c] = f
	}
	return m
}

// Currencies lists all known codes, sorted.
func Currencies() []Currency {
	out := make([]Currency, 0, len(currencies))
	for c := range currencies {
		out = append(out, c)
	}
	slices.Sort(out)
	return out
}
