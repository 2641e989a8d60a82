package i18n

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/portatill/portatill/pay"
)

// conventions is how a language writes numbers and dates: a row of cldr.json. In the patterns {n} is the number, {s}
// the currency's symbol, {d} the day, {m} the month's name, {y} the year, {H} and {M} the time.
type conventions struct {
	Decimal      string
	Group        string
	MinGrouping  int // how many digits must stand before the first separator: 2 leaves 1234 whole
	Money        string
	MoneyByCode  string // where the symbol ends in a letter
	Percent      string
	Date, Moment string
	Months       []string                // as they stand in a date
	Symbols      map[pay.Currency]string // those that are not the code itself
}

// Money writes an amount exactly, in all decimals of its currency: "£14.40", "14,40 €", "1.234 ¥".
func (l *Language) Money(m pay.Money) string {
	text, sign := m.Text(), ""
	if strings.HasPrefix(text, "-") {
		text, sign = text[1:], "−"
	}
	symbol, pattern := l.cldr.Symbols[m.Currency], l.cldr.Money
	if symbol == "" {
		symbol = string(m.Currency)
	}
	if l.Dir == "rtl" && strings.ContainsAny(symbol, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		symbol += "\u200e" // Intl writes UK£ without, and a browser shows £UK
	}
	// CLDR, currencySpacing: only what ends in a symbol may touch the digits.
	if last, _ := utf8.DecodeLastRuneInString(symbol); !unicode.IsSymbol(last) {
		pattern = l.cldr.MoneyByCode
	}
	return sign + fill(pattern, "{n}", l.decimal(text), "{s}", symbol)
}

// Percent writes basis points: 2000 is "20 %", "20%".
func (l *Language) Percent(basisPoints int64) string {
	return fill(l.cldr.Percent, "{n}", l.decimal(pay.Percent(basisPoints)))
}

// Integer writes a whole number.
func (l *Language) Integer(n int64) string {
	if n < 0 {
		return "−" + l.decimal(strconv.FormatInt(n, 10)[1:])
	}
	return l.decimal(strconv.FormatInt(n, 10))
}

// decimal writes decimal text, which has digits and perhaps a point.
func (l *Language) decimal(text string) string {
	whole, fraction, point := strings.Cut(text, ".")
	if len(whole) >= 3+l.cldr.MinGrouping {
		for i := len(whole) - 3; i > 0; i -= 3 {
			whole = whole[:i] + l.cldr.Group + whole[i:]
		}
	}
	if !point {
		return whole
	}
	return whole + l.cldr.Decimal + fraction
}

// Date writes a day, in UTC; "" for the zero time.
func (l *Language) Date(t time.Time) string { return l.at(l.cldr.Date, t) }

// Moment writes a day and a time, in UTC, and says so; "" for the zero time.
func (l *Language) Moment(t time.Time) string { return l.at(l.cldr.Moment, t) }

// Clock writes a time of day, in UTC, and says so; "" for the zero time. Each of our languages knows 20:15.
func (l *Language) Clock(t time.Time) string { return l.at("{H}:{M} UTC", t) }

func (l *Language) at(pattern string, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.UTC()
	return fill(pattern, "{d}", strconv.Itoa(t.Day()), "{m}", l.cldr.Months[t.Month()-1], "{y}", strconv.Itoa(t.Year()),
		"{H}", t.Format("15"), "{M}", t.Format("04"))
}

// fill puts values in a pattern. A value is never searched for the next name.
func fill(pattern string, pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(pattern)
}
