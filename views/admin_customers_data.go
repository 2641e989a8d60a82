package views

// CustomersView is the list of customers.
type CustomersView struct {
	ListFrame
	Rows []CustomerRow
}

// CustomerRow is a customer in a list.
type CustomerRow struct {
	Customer CustomerLink
	Company  string
	Email    string
	Tenant   string
	Credits  []string // one amount per currency
	Ordered  Moment
}

// CustomerView is one customer.
type CustomerView struct {
	AdminFrame
	Title       string // name, or number
	URL         string // of this page
	ICustomer   string
	Tenant      string
	CanWork     bool
	AccountLink string // shown once, by the answer to the form
	LinkUntil   string
	Contact     []Fact
	Cards       []CustomerCard

	// The ledger in one currency, newest first; Closing is "" when there is none.
	Currencies   []ListTab
	Closing      string
	Ledger       []CustomerBooking
	Opening      string // what was there before the lines; "" when they begin at the beginning
	OpeningText  string
	StatementURL string

	Orders      []OrderRow
	OrdersURL   string
	Payments    []PaymentRow
	PaymentsURL string
}

// CustomerCard is a saved card.
type CustomerCard struct {
	Name      string // visa •••• 4242
	Expires   string
	Label     string
	Default   bool
	Expired   bool
	DeleteURL string // "" for who may not
}

// CustomerBooking is a movement of a customer's credit.
type CustomerBooking struct {
	At      Moment
	What    string
	Memo    string
	URL     string
	Amount  string
	Balance string
}
