package wire

import (
	"errors"
	"strconv"
	"strings"
)

// Decimals are bounded like .NET's System.Decimal, which the original service used: 96 bits, that is 29 digits of
// which at most 28 stand after the point (https://learn.microsoft.com/dotnet/api/system.decimal).
const (
	maxDecimalDigits = 29
	maxDecimalScale  = 28
)

var errDecimal = errors.New("not a plain decimal number")

// Decimal is an exact decimal number that keeps its scale: 9.90 is written as 9.90. It never passes through binary
// floating point. The zero Decimal is 0. Equal compares by value; == would tell 9.9 from 9.90.
type Decimal struct {
	text string // [-]digits[.digits], no superfluous leading zero, no -0; "" is 0
}

// ParseDecimal reads digits with an optional leading minus and an optional fraction. No exponent, plus sign, blank,
// group separator or other digits than 0-9 (safety: an amount has one spelling). More than 29 digits, or more than 28
// after the point, are refused.
func ParseDecimal(s string) (Decimal, error) {
	if s == "0" {
		return Decimal{}, nil
	}
	digits := strings.TrimPrefix(s, "-")
	whole, fraction, hasPoint := strings.Cut(digits, ".")
	if !allDigits(whole) || hasPoint && !allDigits(fraction) {
		return Decimal{}, errDecimal
	}
	trimmed := strings.TrimLeft(whole[:len(whole)-1], "0") + whole[len(whole)-1:]
	significant := len(trimmed) + len(fraction)
	if trimmed == "0" {
		significant--
	}
	if significant > maxDecimalDigits || len(fraction) > maxDecimalScale {
		return Decimal{}, errDecimal
	}
	negative := len(digits) < len(s) && strings.Trim(digits, "0.") != ""
	if len(trimmed) == len(whole) && negative == (len(digits) < len(s)) {
		return Decimal{text: s}.orZero(), nil
	}
	text := trimmed
	if hasPoint {
		text += "." + fraction
	}
	if negative {
		text = "-" + text
	}
	return Decimal{text: text}.orZero(), nil
}

// MustDecimal is ParseDecimal for constants; it panics on a text that is no decimal.
func MustDecimal(s string) Decimal {
	d, err := ParseDecimal(s)
	if err != nil {
		panic("wire: " + strconv.Quote(s) + " is " + err.Error())
	}
	return d
}

// parseJSONNumber reads a number token of JSON, whose exponent it works into plain digits: 1.5e2 is 150. The token is
// known to be valid JSON. The exponent is looked at before any digit is written, so 1e1000000000 costs nothing.
func parseJSONNumber(token string) (Decimal, error) {
	at := strings.IndexAny(token, "eE")
	if at < 0 {
		return ParseDecimal(token)
	}
	exponent, err := strconv.Atoi(token[at+1:])
	if err != nil {
		return Decimal{}, errDecimal
	}
	mantissa, sign := token[:at], ""
	if mantissa[0] == '-' {
		mantissa, sign = mantissa[1:], "-"
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	point := len(whole) + exponent
	if len(digits) > 2*maxDecimalDigits || point > 2*maxDecimalDigits || point < -maxDecimalScale {
		return Decimal{}, errDecimal
	}
	if point <= 0 {
		return ParseDecimal(sign + "0." + strings.Repeat("0", -point) + digits)
	}
	if point >= len(digits) {
		return ParseDecimal(sign + digits + strings.Repeat("0", point-len(digits)))
	}
	return ParseDecimal(sign + digits[:point] + "." + digits[point:])
}

// orZero keeps one representation of 0, so that the zero Decimal and a parsed 0 are the same to ==.
func (d Decimal) orZero() Decimal {
	if d.text == "0" {
		return Decimal{}
	}
	return d
}

// String writes the number without exponent or group separator, with the scale it was given.
func (d Decimal) String() string {
	if d.text == "" {
		return "0"
	}
	return d.text
}

// IsZero reports whether the value is 0, at any scale.
func (d Decimal) IsZero() bool { return strings.Trim(d.text, "0.") == "" }

// IsNegative reports whether the value is below 0.
func (d Decimal) IsNegative() bool { return strings.HasPrefix(d.text, "-") }

// Equal compares by value: 9.9 and 9.90 are equal.
func (d Decimal) Equal(other Decimal) bool { return d.reduced() == other.reduced() }

// reduced is the value's shortest text, without trailing zeros after the point.
func (d Decimal) reduced() string {
	s := d.String()
	if strings.IndexByte(s, '.') < 0 {
		return s
	}
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// MarshalText and UnmarshalText let a Decimal travel through other encoders as text, for instance into a job.
func (d Decimal) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText accepts what ParseDecimal accepts.
func (d *Decimal) UnmarshalText(text []byte) error {
	parsed, err := ParseDecimal(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// allDigits knows ASCII digits only; unicode.IsDigit would let Arabic-Indic ones through.
func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func itoa(i int) string { return strconv.Itoa(i) }
