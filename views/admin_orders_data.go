package views

// OrdersView is the list of orders.
type OrdersView struct {
	ListFrame
	Rows []OrderRow
}

// OrderRow is an order in a list.
type OrderRow struct {
	URL      string
	ID       string
	ShortID  string // what tells it from others
	What     string // what it is for
	State    AdminPill
	Note     string // such as "5.00 refunded"
	Amount   string // "" for saving a card
	Customer CustomerLink
	Tenant   string
	Made     Moment
}

// OrderStoryView is one order with all that happened to it.
type OrderStoryView struct {
	AdminFrame
	ID       string
	URL      string // of this page
	Heading  string // the amount, or what it is
	What     string // what it is for
	Customer CustomerLink
	Tenant   string // whose it is; "" where there is but one that can be
	State    AdminPill
	// Alert is what a person must look at; "" when nothing is.
	Alert     string
	AlertURL  string
	AlertLink string
	Waits     bool   // it may change by itself: the page looks again
	Version   string // another one means that there is news
	CanWork   bool   // recheck, the payment link
	CanCancel bool
	CanRefund bool
	PayLink   string // shown once, by the answer to the form; "" otherwise
	Lines     []CartRow
	Totals    []Fact
	Payment   []Fact
	About     []Fact
	Ids       []Fact
	Story     []StoryItem
	Request   string // the request as it is kept, without credentials
}

// CartRow is a line of the cart.
type CartRow struct {
	Title, More string
	Quantity    string
	Explanation string
	Total       string
}

// StoryItem is one thing that happened.
type StoryItem struct {
	At     Moment
	Title  string
	Tone   string // good, calm, warning, bad, money, quiet
	Detail string // in words; may be empty
	Learnt string // how we came to know it; may be empty
	Lines  []BookedLine
	Facts  []Fact // folded away
}

// BookedLine is a line of a ledger entry.
type BookedLine struct{ Account, Debit, Credit string }

// RefundView asks whether money is to be given back.
type RefundView struct {
	AdminFrame
	OrderURL  string
	Action    string
	Amount    string // as it was typed, or what is left
	Currency  string
	Left      string // what is left to give back
	Method    string // what it goes back to
	Customer  string
	Reason    string
	Reasons   []FilterOption
	Key       string // the same key is the same refund
	Confirm   string // the amount in words to be confirmed; "" while the form is filled in
	Message   string
	Requested []Fact
}

// ConfirmView asks before something that cannot be undone.
type ConfirmView struct {
	AdminFrame
	Title    string
	Text     []string
	Facts    []Fact
	Action   string
	Button   string
	BackURL  string
	Back     string
	Message  string
	Reason   string // as it was typed
	AskWhy   bool   // a field for the reason
	TestName string
}

// MethodName writes what was paid with, such as "visa •••• 4242", with its brand as its owner
// does.
func MethodName(s string) string { return Frame{}.method(s) }
