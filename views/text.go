package views

import (
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/portatill/portatill/internal/i18n"
)

// maxMarks is how many combining marks one letter keeps. Pointed Hebrew with cantillation needs
// four; text that stacks dozens to paint over the lines around it is cut to this.
const maxMarks = 6

// plain is text from outside as it may stand on a page: one line, without the characters that let
// a text reorder or hide what stands around it. The stored value is untouched; this is for display
// only. Dropped are the bidirectional embeddings, overrides and isolates (Unicode UAX #9, section
// 2: an unclosed one reaches past its text), zero-width spaces and other control characters. The
// joiners U+200C and U+200D stay, because Persian, Hindi and emoji are misspelt without them.
func plain(s string) string {
	marks := 0
	keep := func(r rune) rune {
		if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) {
			if marks++; marks > maxMarks {
				return -1
			}
			return r
		}
		marks = 0
		switch {
		case r == '\n', r == '\r', r == '\t', r == '\u2028', r == '\u2029', r == '\u0085':
			return ' '
		case r == '\u200b', r == '\ufeff', r >= '\u2060' && r <= '\u206f', r >= '\u202a' && r <= '\u202e':
			return -1
		case unicode.IsControl(r):
			return -1
		}
		return r
	}
	return strings.TrimSpace(strings.Map(keep, s))
}

// initial stands in for a tenant's missing logo: the first letter or digit of its name.
func initial(name string) string {
	for _, r := range plain(name) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return string(unicode.ToUpper(r))
		}
	}
	return "•"
}

// mailto escapes the address, because "?bcc=…" in one would otherwise fill in the reader's letter.
func mailto(address string) string {
	return "mailto:" + strings.ReplaceAll(url.PathEscape(plain(address)), "%40", "@")
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// language is what the page's own words are said in.
func (f Frame) language() *i18n.Language {
	if f.Language == nil {
		return i18n.English()
	}
	return f.Language
}

// say is a message of internal/i18n in the page's language. Its placeholders follow as names and values; what is from
// outside must have gone through plain.
func (f Frame) say(key string, placeholders ...string) string {
	return f.language().Say(key, placeholders...)
}

// tells is say for a sentence that names the tenant.
func (f Frame) tells(key string) string { return f.say(key, "Seller", f.seller()) }

// seller names the tenant in a sentence of ours; i18n isolates it there.
func (f Frame) seller() string { return or(plain(f.Tenant.Name), f.say("layout.shop")) }

func (f Frame) lang() string { return or(f.Lang, f.language().Tag) }

func (f Frame) dir() string { return or(f.Dir, f.language().Dir) }

func (f Frame) titled(page string) string {
	return page + " · " + or(plain(f.Tenant.Name), "Portatill")
}

// tone is how a message feels; it chooses icon and colour, never alone (the words say it too).
type tone string

const (
	toneGood    tone = "good"
	toneCalm    tone = "calm"
	toneWarning tone = "warning"
	toneBad     tone = "bad"
)

// message is one thing said prominently.
type message struct {
	Tone  tone
	Title string
	Text  string
}

// checking is what is said of money that a person must look at.
func (f Frame) checking(title string) message {
	return message{toneCalm, title, f.tells("order.checking.text")}
}

// processing is what is said of a bank debit that is on its way.
func (f Frame) processing(expectedBy string) message {
	text := f.say("order.processing.text")
	if expectedBy != "" {
		text = f.say("order.processing.text_by", "Date", plain(expectedBy))
	}
	return message{toneCalm, f.say("order.processing.title"), text}
}

// sentences stand one after the other; empty ones are left out.
func sentences(all ...string) string {
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return s == "" }), " ")
}

// chosenCard is the saved card that is selected when the page opens; empty: none can be, and
// "another card" is selected instead.
func (v OrderView) chosenCard() string {
	chosen := ""
	for _, c := range v.SavedCards {
		if c.Expired || c.Refused {
			continue
		}
		if c.Default {
			return c.ID
		}
		if chosen == "" {
			chosen = c.ID
		}
	}
	return chosen
}

// cardName is what a saved card is called everywhere.
func (f Frame) cardName(brand, last4 string) string {
	name := or(f.cardBrand(brand), f.say("method.card"))
	if last4 == "" {
		return name
	}
	return name + " ••••\u00a0" + plain(last4)
}

// method is what was paid with, as a handler has it ("visa •••• 4242"), with the brand written as its
// owner does.
func (f Frame) method(s string) string {
	brand, rest, found := strings.Cut(plain(s), " ••••")
	if !found {
		return plain(s)
	}
	if digits, expires, ok := strings.Cut(rest, " exp "); ok {
		rest = digits + ", " + f.say("order.card_expires", "Date", expires)
	}
	return f.cardBrand(brand) + " ••••" + rest
}

// cardBrand writes a brand as its owner does. The keys are Stripe's `card.brand` values
// (https://docs.stripe.com/api/payment_methods/object#payment_method_object-card-brand), and its
// types of those payment methods that can be kept and have no brand.
func (f Frame) cardBrand(brand string) string {
	switch key := strings.ReplaceAll(strings.ToLower(brand), " ", "_"); key {
	case "unknown":
		return f.say("method.card")
	case "bacs_debit", "bacs_direct_debit":
		return f.say("method.bacs_debit")
	case "sepa_debit", "sepa_direct_debit":
		return f.say("method.sepa_debit")
	case "au_becs_debit":
		return f.say("method.becs_debit")
	case "us_bank_account":
		return f.say("method.bank_account")
	default:
		return or(brandNames[key], plain(brand))
	}
}

var brandNames = map[string]string{
	"amex": "American Express", "cartes_bancaires": "Cartes Bancaires", "diners": "Diners Club", "discover": "Discover",
	"eftpos_au": "eftpos", "jcb": "JCB", "mastercard": "Mastercard", "unionpay": "UnionPay", "visa": "Visa", "paypal": "PayPal", "link": "Link",
}

// receiptMessage is the receipt's state in one word or two.
func (v ReceiptView) receiptMessage() message {
	switch v.State {
	case StatePaid:
		if v.Refunded != "" {
			return message{toneGood, v.say("receipt.state.refunds"), ""}
		}
		return message{toneGood, v.say("receipt.state.paid"), ""}
	case StateProcessing:
		return message{toneCalm, v.say("receipt.state.processing"), ""}
	case StateOpen, StateDraft, StateExpired, StateCancelled, StateFailed:
		return message{toneWarning, v.say("receipt.state.not_paid"), ""}
	default:
		return message{toneCalm, v.say("receipt.state.checking"), ""}
	}
}
