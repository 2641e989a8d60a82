package stripegate

import (
	"fmt"
	"strings"

	"github.com/stripe/stripe-go/v76"
)

// methodText says what paid, for people: "visa •••• 4242 exp 12/2030", "bacs debit •••• 2345", "paypal". A type that this
// release does not know is shown under Stripe's name for it; "" when Stripe tells nothing.
func methodText(d *stripe.ChargePaymentMethodDetails) string {
	if d == nil {
		return ""
	}
	name, last4 := strings.ReplaceAll(clip(string(d.Type), 40), "_", " "), ""
	switch {
	case d.Card != nil:
		return cardText(name, string(d.Card.Brand), d.Card.Last4, d.Card.ExpMonth, d.Card.ExpYear)
	case d.CardPresent != nil:
		return cardText(name, string(d.CardPresent.Brand), d.CardPresent.Last4, d.CardPresent.ExpMonth, d.CardPresent.ExpYear)
	case d.InteracPresent != nil:
		return cardText(name, d.InteracPresent.Brand, d.InteracPresent.Last4, d.InteracPresent.ExpMonth, d.InteracPresent.ExpYear)
	case d.BACSDebit != nil:
		last4 = d.BACSDebit.Last4
	case d.SEPADebit != nil:
		last4 = d.SEPADebit.Last4
	case d.AUBECSDebit != nil:
		last4 = d.AUBECSDebit.Last4
	case d.ACSSDebit != nil:
		last4 = d.ACSSDebit.Last4
	case d.USBankAccount != nil:
		last4 = d.USBankAccount.Last4
	case d.ACHDebit != nil:
		last4 = d.ACHDebit.Last4
	case d.Bancontact != nil:
		last4 = d.Bancontact.IBANLast4
	case d.IDEAL != nil:
		last4 = d.IDEAL.IBANLast4
	case d.Sofort != nil:
		last4 = d.Sofort.IBANLast4
	}
	return withLast4(name, last4)
}

func cardText(kind, brand, last4 string, month, year int64) string {
	if brand == "" || brand == "unknown" {
		brand = kind
	}
	text := withLast4(strings.ReplaceAll(clip(brand, 40), "_", " "), last4)
	if month >= 1 && month <= 12 && year > 0 {
		text += fmt.Sprintf(" exp %02d/%d", month, year)
	}
	return text
}

func withLast4(name, last4 string) string {
	if last4 == "" {
		return name
	}
	return strings.TrimSpace(name + " •••• " + clip(last4, 4))
}
