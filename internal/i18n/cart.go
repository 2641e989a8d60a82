package i18n

import (
	"strings"

	"github.com/portatill/portatill/pay"
)

// Explain tells a line's arithmetic in words and numbers, as pay.Line.Explanation does in English, such as
// "2 × (£10.00 setup + £12.00 a month × 3 months) + £0.50 transaction charge = £92.50; plus VAT 20 % (£18.50) = £111.00".
// seller is whose sum it is where the portal stated it.
func (l *Language) Explain(c *pay.Cart, line *pay.Line, seller string) string {
	show := func(minor int64) string { return l.Money(pay.Money{Minor: minor, Currency: c.Currency}) }
	sum := ""
	if line.Stated {
		sum = l.Say("explain.stated", "Amount", show(line.SubtotalMinor), "Seller", seller)
	} else {
		sum = l.terms(line, show) + " = " + show(line.SubtotalMinor)
	}
	rate := l.Percent(c.VATBasisPoints)
	switch {
	case !line.VATApplicable || c.VATBasisPoints == 0:
		return l.Say("explain.no_vat", "Sum", sum)
	case c.VATMode == pay.VATInclusive:
		return l.Say("explain.vat_included", "Sum", sum, "Rate", rate, "VAT", show(line.VATMinor))
	}
	return l.Say("explain.vat_added", "Sum", sum, "Rate", rate, "VAT", show(line.VATMinor), "Total", show(line.TotalMinor))
}

// terms is what the sum of a line is made of.
func (l *Language) terms(line *pay.Line, show func(minor int64) string) string {
	var unit []string
	if line.SetupMinor != 0 {
		unit = append(unit, l.Say("explain.setup", "Amount", show(line.SetupMinor)))
	}
	if line.MonthlyMinor != 0 && line.Months != 0 {
		unit = append(unit, l.Count("explain.monthly", line.Months, "Amount", show(line.MonthlyMinor)))
	}
	one := strings.Join(unit, " + ")
	switch {
	case one == "":
		one = show(0)
	case len(unit) > 1:
		one = "(" + one + ")"
	}
	var terms []string
	if len(unit) > 0 || line.ChargeMinor == 0 {
		terms = append(terms, l.Integer(line.Quantity)+" × "+one)
	}
	if line.ChargeMinor != 0 {
		terms = append(terms, l.Say("explain.charge", "Amount", show(line.ChargeMinor)))
	}
	out := strings.Join(terms, " + ")
	if line.VoucherMinor != 0 {
		out += " − " + l.Say("explain.voucher", "Amount", show(line.VoucherMinor))
	}
	return out
}

// Decline says what a customer can do about a decline, by Stripe's decline code or error code, in the groups of
// pay.DeclineAdvice, whose English it repeats.
func (l *Language) Decline(code string) string {
	switch pay.DeclineKindOf(code) {
	case pay.DeclineFunds:
		return l.Say("decline.funds")
	case pay.DeclineExpired:
		return l.Say("decline.expired")
	case pay.DeclineDetails:
		return l.Say("decline.details")
	case pay.DeclineUnsupported:
		return l.Say("decline.unsupported")
	case pay.DeclineUnreachable:
		return l.Say("decline.unreachable")
	case pay.DeclineDebit:
		return l.Say("decline.debit")
	case pay.DeclineAuthentication:
		return l.Say("decline.authentication")
	}
	return l.Say("decline.general")
}
