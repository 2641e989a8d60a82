package views

import "github.com/portatill/portatill/internal/i18n"

// Frame is what surrounds the content of every page.
//
// All URLs are paths on our own origin unless said otherwise; the content security policy loads
// styles and images from nowhere else. The zero Frame is a working page in English.
type Frame struct {
	// Language is what the page's own words are said in; nil: English. Lang and Dir are for the document, and say its
	// language when they are empty.
	Language *i18n.Language
	Lang     string // BCP 47 tag
	Dir      string // "ltr" or "rtl"
	// Languages are the others that this page can be read in, and itself; empty: no choice is offered.
	Languages []LanguageLink

	StyleURL string // the built stylesheet, normally static.URL("css/app.css"); empty: "/static/css/app.css"
	IconURL  string // the favicon, normally static.URL("img/icon.svg"); empty: "/static/img/icon.svg"

	// BrandCSS is the stylesheet with the tenant's colours: `:root{--accent:#…;--accent-content:#…}`.
	// It is a file because the policy forbids inline styles. Empty: Portatill's own colours.
	BrandCSS string

	Tenant  Tenant
	Sandbox bool // true: the page says that no real money moves
}

// LanguageLink leads to the same page in a language.
type LanguageLink struct {
	Tag     string // BCP 47
	Name    string // what its speakers call it
	URL     string // relative to the page
	Current bool
}

// Tenant is the reseller as its customers know it. The zero Tenant shows Portatill itself.
type Tenant struct {
	Name         string
	LogoURL      string // empty: the first letter of Name on the accent colour
	SupportEmail string // empty: no way to ask for help is offered
}

// OrderState is an order's state as the page needs to know it. The texts are those of pay's order
// states, so that a handler converts and does not translate.
type OrderState string

// The order's states. An unknown or empty one is shown as StateMismatch: when in doubt nobody is
// invited to pay a second time.
const (
	StateDraft      OrderState = "draft"
	StateOpen       OrderState = "open"
	StatePaid       OrderState = "paid"
	StateProcessing OrderState = "processing"
	StateFailed     OrderState = "failed"
	StateExpired    OrderState = "expired"
	StateCancelled  OrderState = "cancelled"
	StateMismatch   OrderState = "mismatch"
)

// The field of the order page's form that says how to pay. Its value is a saved card's ID (one of
// OrderView.SavedCards) or CardNew. Without saved cards the form has no such field.
const (
	CardField = "card"
	CardNew   = "new"
)

// The field of the order page's form that says whether to keep a new card, and its value when ticked.
// It means something with CardNew, or without saved cards, only: whoever ticks it and then chooses a
// saved card, which is kept already, sends it all the same.
const (
	SaveField = "save"
	SaveYes   = "1"
)

// The field of the account page's form that labels a card, and how many characters it takes.
const (
	LabelField = "label"
	LabelMax   = 100
)

// OrderView is the page on which a customer reads what is to be paid, and pays.
// Amounts are display text in the customer's language, such as "£14.40".
type OrderView struct {
	Frame
	State OrderState

	// Setup: nothing is to be paid, a card is to be saved. Lines and amounts are not shown.
	Setup bool
	// Free: the total is nothing (a voucher covers it), so the button confirms instead of paying.
	Free bool

	// PayURL is where the form posts, /pay/{token}. Empty: the page offers no button. A paid,
	// processing or unclear order never has one, whatever is set.
	PayURL string
	// Paused: the seller takes no payments at the moment; what is not paid yet cannot be.
	Paused      bool
	CancelURL   string // /pay/{token}/cancel; empty: the request named nowhere to go back to
	ReceiptURL  string // shown once paid, unless Setup; empty: no link
	ContinueURL string // the portal's page, shown once paid or processing; may be another origin; empty: there is none

	OrderID     string // ord_…
	FeatureName string // what in the portal it is for; may be empty
	ContentID   string // the portal's own reference; may be empty

	CustomerName  string // may be masked, may be empty
	CustomerEmail string // may be masked, may be empty

	Lines  []Line
	Totals Totals

	// AfterToday holds whole sentences about what is owed later, such as
	// "Then £12.00 a month, billed by Acme Telecom."
	AfterToday []string

	// NeedsCustomer: a saved card was charged while the customer was away, and the bank wants them
	// there. Says so on an open order, and offers to confirm instead of a choice of cards.
	NeedsCustomer bool

	SavedCards []SavedCard
	// OfferSave asks whether a new card is to be kept. Never shown where nothing is paid with one.
	OfferSave bool
	ExpiresAt string // until when the page is good, such as "22 November 2026, 20:15 GMT"; empty: not said
	// DeclineHint is what the customer can do about the last refusal, such as "The card has
	// expired. Use another card." Shown while the order can still be paid, beside the saved cards
	// when there are any. Empty: none.
	DeclineHint string
	// ExpectedBy is when a bank debit on its way is due, such as "27 November 2026"; may be empty.
	ExpectedBy string
}

// Line is one item of the cart.
type Line struct {
	Title       string
	Information []string // what the portal wants shown under the title, in order
	Quantity    string   // such as "2 × £6.00"; empty: not shown
	Amount      string   // the line without VAT (mode exclusive) or with it (inclusive)
	VAT         string   // such as "incl. £1.00 VAT"; empty: not shown
	Explanation string   // the arithmetic in words and numbers; empty: not shown
}

// Totals is the foot of the lines.
type Totals struct {
	Subtotal    string // empty: no such row (then there is no VAT row to add up either)
	VATLabel    string // such as "VAT 20 %" or "Includes VAT 20 %"
	VAT         string // empty: no such row
	Total       string
	Explanation string // one sentence on how the total comes about; empty: not shown
}

// SavedCard is one way to pay without typing a card number.
type SavedCard struct {
	ID      string // what the form sends: pm_…, card_… or src_…
	Brand   string // as Stripe calls it: "visa"; for what is not a card its type: "sepa_debit"
	Last4   string
	Expires string // "12/2030"; empty: not shown
	Label   string // the portal's own label for the card; may be empty
	Default bool   // chosen when the page opens; without one the first usable card is
	Expired bool   // shown, but cannot be chosen
	Refused bool   // was just refused: marked, and not chosen when the page opens, but may be tried again
}

// Outcome is which of its five faces the return page shows.
type Outcome string

// The outcomes. The zero one, OutcomeByState, follows from the order's state.
const (
	OutcomeByState  Outcome = ""
	OutcomePaid     Outcome = "paid"
	OutcomeOnItsWay Outcome = "on_its_way"
	OutcomeNeedsYou Outcome = "needs_you"
	OutcomeNotPaid  Outcome = "not_paid"
	OutcomeChecking Outcome = "checking"
)

// ReturnView is the page a customer comes back to from Stripe.
//
// The page never refreshes itself: the handler sends a Refresh header, because a <meta> refresh
// fails WCAG 2.2.1 in every checker, and RefreshSeconds only lets the text say so.
type ReturnView struct {
	Frame
	State   OrderState // becomes data-status, to the letter
	Outcome Outcome    // set where the state alone does not tell: NeedsYou, or Checking while open

	Setup     bool   // a card was to be saved, nothing was to be paid
	OrderID   string // ord_…
	Reference string // the portal's own reference; may be empty
	Amount    string // display text; empty: not shown
	PaidWith  string // such as "visa •••• 4242", or with Setup the card that was saved; empty: not shown

	ContinueURL string // SuccessUrl with its signature; shown when paid or processing; empty: there is none
	ReceiptURL  string // not shown with Setup; empty: no link
	RetryURL    string // the order page, to pay after all; empty: not offered
	ActionURL   string // where a customer finishes what the bank asks for; empty: RetryURL
	CancelURL   string // /pay/{token}/cancel: back to the shop unpaid; empty: there is nowhere to go back to
	CheckURL    string // this page's own address, for "check again now"

	ExpectedBy  string // when a bank debit is due, such as "27 November 2026"; may be empty
	DeclineHint string // why it was not paid and what to do; may be empty

	RefreshSeconds int // what the Refresh header says, in seconds; 0: the page stays as it is
}

// ErrorView is what is shown instead of a page. Message and Hint reach a person: nothing internal
// may be in them.
type ErrorView struct {
	Frame
	Status    int    // the HTTP status, such as 404
	Title     string // empty: a sentence that fits Status
	Message   string // empty: a sentence that fits Status
	Hint      string // what to do now; empty: a sentence that fits Status
	Detail    string // what the portal's programmers need, in English; empty: not shown
	RequestID string // what support can look up; empty: not shown
	RetryURL  string // offered as "Try again"; empty: not offered
	BackURL   string // offered as "Back to the shop"; empty: not offered
}

// ReceiptView is the proof of payment, meant to be printed.
type ReceiptView struct {
	Frame
	State OrderState // paid, or what it became

	// Minimal leaves only state, order and amount: for whoever opens the link without being the
	// customer (no name, address or card digits may be shown then, and none is, whatever is set).
	Minimal bool

	OrderID   string
	Reference string // the portal's own reference; may be empty
	PaidAt    string // display text with time zone; empty: not paid yet

	CustomerName  string
	CustomerEmail string
	SellerLines   []string // the seller's address, VAT number …, one line each; may be empty

	Lines    []Line
	Totals   Totals
	PaidWith string // such as "visa •••• 4242"; empty: not shown
	Refunds  []Refund
	Refunded string // sum of the refunds; empty: no such row
	NetPaid  string // what remains paid after the refunds; empty: no such row

	AccountURL  string // the account page that led here; empty: none did
	ContinueURL string // back to the portal, unless AccountURL is set; empty: not offered
}

// Refund is money given back for the order.
type Refund struct {
	At     string // display text of the day
	Amount string
	Status string // such as "on its way"; empty: not shown
}

// AccountView is the customer's own page: the cards that are saved and what was paid. Its address is
// its only key, so it is good for a while (ExpiresAt) and then answered with AccountExpiredPage.
type AccountView struct {
	Frame
	CustomerName string // may be masked, may be empty

	Cards    []AccountCard
	Payments []AccountPayment // newest first

	MorePaymentsURL string // this page with older payments; empty: there are none
	BackURL         string // the portal; may be another origin; empty: no link
	Notice          AccountNotice
	ExpiresAt       string // until when the page is good, such as "20:15 GMT"; empty: not said
}

// AccountCard is one saved card on the account page.
type AccountCard struct {
	ID        string // pm_…, card_… or src_…; not shown
	Brand     string // as Stripe calls it: "visa"; for what is not a card its type: "sepa_debit"
	Last4     string
	Expires   string // "12/2030"; empty: not shown
	Label     string // what the portal or the customer calls it; may be empty
	Default   bool
	Expired   bool
	DeleteURL string // where the form that removes it posts; empty: cannot be removed here
	LabelURL  string // where the form with LabelField posts; empty: cannot be labelled here
}

// AccountPayment is one payment on the account page.
type AccountPayment struct {
	OrderID    string // ord_…
	At         string // display text of the day
	What       string // what it was for; empty: the order's id stands in
	Amount     string // what was paid, whatever went back since
	Refunded   string // what went back; empty: not shown
	Status     PaymentStatus
	PaidWith   string // such as "visa •••• 4242"; empty: not shown
	ReceiptURL string // empty: no link
}

// PaymentStatus is how a payment stands, in a customer's words.
type PaymentStatus string

// The statuses. An unknown or empty one is shown as being checked: nobody is told that they paid when
// that is not certain.
const (
	PaymentPaid           PaymentStatus = "paid"
	PaymentProcessing     PaymentStatus = "processing"
	PaymentRefunded       PaymentStatus = "refunded"
	PaymentPartlyRefunded PaymentStatus = "partly_refunded"
	PaymentDisputed       PaymentStatus = "disputed"
	PaymentFailed         PaymentStatus = "failed"
	PaymentChecking       PaymentStatus = "checking"
)

// AccountNotice is what the account page says about the form that was just sent. It may come from the
// page's own address as it is: an unknown one says nothing.
type AccountNotice string

// The notices. The zero one, AccountQuiet, says nothing.
const (
	AccountQuiet         AccountNotice = ""
	AccountCardRemoved   AccountNotice = "card_removed"
	AccountCardKept      AccountNotice = "card_kept"       // removing failed
	AccountCardGone      AccountNotice = "card_gone"       // it was removed before, elsewhere
	AccountLabelSaved    AccountNotice = "label_saved"     // or taken away
	AccountLabelNotSaved AccountNotice = "label_not_saved" // Stripe could not be reached
	AccountLabelTooLong  AccountNotice = "label_too_long"
)

// AccountExpiredView is what the account page's address shows once it is no longer good. It knows the
// shop at most, never the customer.
type AccountExpiredView struct {
	Frame
	BackURL string // the portal, where a fresh link is made; empty: said in words only
}

// HomeView is the till's own front page, "/".
type HomeView struct {
	Frame
	Product string // empty: "Portatill"
	Version string // empty: not shown
	Host    string // whose payment pages these are; empty: said without a name

	// The following are shown in sandbox mode (Frame.Sandbox) only.
	Curl       string // a complete command that starts a payment
	SandboxURL string // the Stripe double's page; another origin
	AdminURL   string // the staff's sign-in; empty: not shown
	DocsURL    string // the API's own description page; empty: not shown
}
