package views

import (
	"net/http"
	"net/url"
	"strings"
	"unicode"
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

// seller names the tenant in a sentence of ours. A right-to-left name is isolated with the
// characters that do in plain text what <bdi> does in HTML, since such sentences also stand in
// attributes and in <title>.
func (f Frame) seller() string {
	name := plain(f.Tenant.Name)
	if strings.ContainsFunc(name, rightToLeft) {
		return "\u2068" + name + "\u2069"
	}
	return or(name, "the shop")
}

func rightToLeft(r rune) bool {
	return unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko)
}

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

func dueBy(day string) string {
	if day == "" {
		return "this usually takes a few working days"
	}
	return "it is expected by " + plain(day)
}

// notice says where an order stands that is no longer simply open; nil when it is.
func (v OrderView) notice() *message {
	if v.Paused && (v.State == StateOpen || v.State == StateDraft || v.State == StateExpired) {
		return &message{toneWarning, "Payments are paused", v.seller() + " takes no payments at the moment. Nothing was taken; try again later, or ask them."}
	}
	switch v.State {
	case StateOpen, StateDraft:
		switch hint := plain(v.DeclineHint); {
		case v.confirms():
			return &message{toneWarning, "Your bank wants you to confirm this payment", strings.TrimSpace(hint + " " + v.confirmText())}
		case hint == "", v.declinedBesideCards():
			return nil
		default:
			return v.declined(hint)
		}
	case StatePaid:
		if v.Setup {
			return &message{toneGood, "Your card is saved", "There is nothing more to do here." + v.closing()}
		}
		return &message{toneGood, "This order is paid", "Thank you. There is nothing more to pay here." + v.closing()}
	case StateProcessing:
		if v.Setup {
			return &message{toneCalm, "Your card is being saved", "There is nothing more to do here." + v.closing()}
		}
		return &message{toneCalm, "Your payment is on its way",
			"Your bank is sending the money; " + dueBy(v.ExpectedBy) + ". There is nothing more to do; please do not pay again." + v.closing()}
	case StateExpired:
		return &message{toneWarning, "This page has expired", v.nothingHappened() + v.again()}
	case StateCancelled:
		if v.Setup {
			return &message{toneCalm, "No card was saved", "Saving it was cancelled." + v.closing()}
		}
		return &message{toneCalm, "This payment was cancelled", "Nothing was taken." + v.closing()}
	case StateFailed:
		return v.declined(or(plain(v.DeclineHint), "It was not accepted. "+v.nothingHappened()) + v.closing())
	default:
		return &message{toneCalm, "We are checking this payment",
			"A person at " + v.seller() + " is looking at it. Please do not pay again; you will hear from them."}
	}
}

func (v OrderView) declined(text string) *message {
	if v.Setup {
		return &message{toneBad, "The card was not saved", text}
	}
	return &message{toneBad, "The payment did not go through", text}
}

func (v OrderView) nothingHappened() string {
	if v.Setup {
		return "No card was saved."
	}
	return "Nothing was taken."
}

func (v OrderView) again() string {
	switch {
	case !v.payable():
		return v.closing()
	case v.Setup:
		return " You can start again."
	default:
		return " You can start again with the same order."
	}
}

// closing says that the page may be closed, where it is the end of the road: no button and no way on.
func (v OrderView) closing() string {
	if v.payable() || v.cancellable() || v.done() && v.ContinueURL != "" {
		return ""
	}
	return " You can close this page."
}

// confirms reports whether the page asks for the confirmation that a bank wants.
func (v OrderView) confirms() bool {
	return v.NeedsCustomer && v.payable() && !v.Setup && !v.Free && (v.State == StateOpen || v.State == StateDraft)
}

func (v OrderView) confirmText() string {
	return "Nothing has been taken yet. You continue to Stripe's page to pay " + plain(v.Totals.Total) +
		"; your bank then asks you to confirm, usually in its app or with a code."
}

// declinedBesideCards reports whether a refusal is told beside the cards, where the next choice is made.
func (v OrderView) declinedBesideCards() bool {
	return v.DeclineHint != "" && v.offersCards() && (v.State == StateOpen || v.State == StateDraft)
}

// toldChoices is for how many choices the stylesheet can tell which one is made (build/css/order.css).
const toldChoices = 8

// tellsCard reports whether the pay bar says what the button charges. Where it does not, it does not stay
// at the lower edge either: nobody is to press it before having seen the cards.
func (v OrderView) tellsCard() bool {
	return v.offersCards() && len(v.SavedCards)+1 <= toldChoices
}

// offersSave reports whether the page asks to keep a new card.
func (v OrderView) offersSave() bool {
	return v.OfferSave && v.payable() && !v.Setup && !v.Free && !v.confirms()
}

// payable reports whether the page offers to pay. Paid, processing and unclear orders never do,
// whatever the handler set: the page must not be the place where somebody pays twice.
func (v OrderView) payable() bool {
	return v.PayURL != "" && v.State.unpaid()
}

// unpaid reports whether it is certain that no money has moved or is on its way.
func (s OrderState) unpaid() bool {
	switch s {
	case StateDraft, StateOpen, StateExpired, StateCancelled, StateFailed:
		return true
	default:
		return false
	}
}

// done reports whether the money is settled or under way, so that only the way back is left.
func (v OrderView) done() bool { return v.State == StatePaid || v.State == StateProcessing }

// cancellable reports whether leaving still means leaving unpaid.
func (v OrderView) cancellable() bool { return v.CancelURL != "" && v.State.unpaid() }

func (v OrderView) hasDetails() bool {
	return v.CustomerName != "" || v.CustomerEmail != "" || v.ContentID != "" || v.OrderID != ""
}

// offersCards reports whether there is a choice of how to pay: not when nothing is taken.
func (v OrderView) offersCards() bool {
	return v.payable() && len(v.SavedCards) > 0 && !v.Setup && !v.Free && !v.confirms()
}

func (v OrderView) hasActions() bool {
	return v.payable() || v.cancellable() || v.done() && (v.ContinueURL != "" || v.showsReceipt())
}

// showsReceipt: a card that was saved has none, since nothing was paid.
func (v OrderView) showsReceipt() bool { return v.ReceiptURL != "" && !v.Setup }

// payLabel is what the button says; the amount is on it so that nobody presses it unsure.
func (v OrderView) payLabel() string {
	switch {
	case v.State == StateExpired, v.State == StateCancelled:
		return "Start again"
	case v.State == StateFailed:
		return "Try again"
	case v.Setup:
		return "Continue to save a card"
	case v.Free:
		return "Confirm order"
	case v.confirms():
		return "Continue to confirm"
	default:
		return "Pay " + v.Totals.Total
	}
}

func (v OrderView) cancelLabel() string {
	if v.State == StateOpen || v.State == StateDraft {
		return "Cancel and return to " + v.seller()
	}
	return "Return to " + v.seller()
}

func (v OrderView) heading() string {
	switch {
	case v.Setup:
		return "Save a card with " + v.seller()
	case v.State.unpaid():
		return "Pay " + v.seller()
	default:
		return "Your order with " + v.seller()
	}
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

func (c SavedCard) name() string {
	if c.Last4 == "" {
		return or(cardBrand(c.Brand), "Card")
	}
	return or(cardBrand(c.Brand), "Card") + " ••••\u00a0" + plain(c.Last4)
}

// method is what was paid with, as a handler has it ("visa •••• 4242"), with the brand written as its
// owner does.
func method(s string) string {
	brand, rest, found := strings.Cut(plain(s), " ••••")
	if !found {
		return plain(s)
	}
	return cardBrand(brand) + " ••••" + rest
}

// cardBrand writes a brand as its owner does. The keys are Stripe's `card.brand` values
// (https://docs.stripe.com/api/payment_methods/object#payment_method_object-card-brand), and its
// types of those payment methods that can be kept and have no brand.
func cardBrand(brand string) string {
	known := map[string]string{
		"amex": "American Express", "cartes_bancaires": "Cartes Bancaires", "diners": "Diners Club",
		"discover": "Discover", "eftpos_au": "eftpos", "jcb": "JCB", "mastercard": "Mastercard",
		"unionpay": "UnionPay", "visa": "Visa", "unknown": "Card",
		"bacs_debit": "Bacs Direct Debit", "sepa_debit": "SEPA Direct Debit", "au_becs_debit": "BECS Direct Debit",
		"us_bank_account": "Bank account", "paypal": "PayPal", "link": "Link",
	}
	if name, ok := known[strings.ReplaceAll(strings.ToLower(brand), " ", "_")]; ok {
		return name
	}
	return plain(brand)
}

// receiptMessage is the receipt's state in one word or two.
func (v ReceiptView) receiptMessage() message {
	switch v.State {
	case StatePaid:
		if v.Refunded != "" {
			return message{toneGood, "Paid, with refunds", ""}
		}
		return message{toneGood, "Paid", ""}
	case StateProcessing:
		return message{toneCalm, "Payment on its way", ""}
	case StateOpen, StateDraft, StateExpired, StateCancelled, StateFailed:
		return message{toneWarning, "Not paid", ""}
	default:
		return message{toneCalm, "Being checked", ""}
	}
}

// errorTexts has words for the statuses the till answers with. They speak to a customer who has
// done nothing wrong, most of the time.
var errorTexts = map[int]struct{ title, message, hint string }{
	http.StatusBadRequest:            {"This request could not be read", "Something in the address or the form is missing or not as expected.", "Go back to the shop and start the payment again."},
	http.StatusForbidden:             {"This link cannot be used", "It has expired, was changed on the way, or is not for you.", "Go back to the shop and start the payment again."},
	http.StatusNotFound:              {"There is no such page", "The address may be incomplete, or the page is no longer kept.", "Open the link again exactly as you received it, or start again from the shop."},
	http.StatusMethodNotAllowed:      {"This page cannot be used that way", "The address exists, but not for what was tried.", "Go back to the shop and start the payment again."},
	http.StatusConflict:              {"This was done already", "The order has changed since the page was opened.", "Open the order again to see where it stands."},
	http.StatusRequestEntityTooLarge: {"That was too much at once", "The request is larger than the till accepts.", "Go back to the shop and start the payment again."},
	http.StatusUnprocessableEntity:   {"This cannot be done", "The request was understood but cannot be accepted as it is.", "Go back, check what was chosen, and try again."},
	http.StatusTooManyRequests:       {"Too many tries", "There were too many requests in a short time.", "Wait a minute, then try again."},
	http.StatusBadGateway:            {"The payment service did not answer", "Stripe could not be reached properly. Trying again will not charge you twice.", "Wait a minute, then try again."},
	http.StatusServiceUnavailable:    {"Back in a moment", "The till cannot be reached just now. Trying again will not charge you twice.", "Wait a minute, then try again."},
}

// texts fills the gaps of an error with words that fit its status.
func (v ErrorView) texts() (title, msg, hint string) {
	t, ok := errorTexts[v.Status]
	if !ok {
		t.title, t.message = "Something went wrong", "The fault is ours, not yours. Trying again will not charge you twice."
		t.hint = "Wait a minute, then try again."
	}
	return or(plain(v.Title), t.title), or(plain(v.Message), t.message), or(plain(v.Hint), t.hint)
}
