package views

import "time"

// OverviewView is where a sign-in leads: is all well, and how is business.
type OverviewView struct {
	AdminFrame
	Version string
	Message string // what is wrong with the filters
	// Square is set when nothing needs a person and the books are proved.
	Square   bool
	Headline string
	Tasks    []OverviewTask
	Tenants  []BooksChoice // empty: there is nothing to choose
	Tenant   string
	// Currencies are those that money was taken in, or asked for, in the period.
	Currencies []BooksChoice
	Currency   string
	Periods    []BooksChoice
	Period     string
	PeriodName string // such as "30 days"
	Tiles      []OverviewTile
	// Unexplained is a decimal number, "" while it is not known.
	Unexplained     string
	UnexplainedTone string
	ProvedAt        time.Time // zero: never
	Proving         bool      // it is being found out
	PollURL         string    // empty: nothing is waited for
	Charts          []OverviewChart
}

// OverviewTask is something that needs a person.
type OverviewTask struct {
	Text, URL string
	Tone      string
}

// OverviewTile is a figure.
type OverviewTile struct {
	Name, Value, Unit string
	URL               string
	// Trend is the change against the period before, "" where there is none to tell.
	Trend     string
	TrendTone string
	Note      string
	Pill      BooksPill // zero: none
}

// OverviewChart is a chart and the table of the same figures.
type OverviewChart struct {
	ID, Title, Unit string
	Kind            string // bars or line
	Total           string // what the whole period came to
	Rows            []OverviewDay
}

// OverviewDay is a day of a chart.
type OverviewDay struct {
	Day   time.Time
	Label string // as the table shows the figure
	Value string // a decimal number for the script; empty: there is none
	Mille int    // the figure in thousandths of the chart's height; -1: there is none
	Extra string // the second column
}

// ProofView is the proof of books.
type ProofView struct {
	AdminFrame
	Message string
	Fields  []BooksField
	// Pending is set while the proof that is asked for is being made.
	Pending             bool
	Failed              bool
	RunID               string
	PollURL             string
	From                string
	Until               string
	ProvedAt            time.Time
	Took                string
	Square              bool
	Sums                []ProofSum
	Listed              []BooksFact
	Broken              []string
	Rows                []ProofRow
	OlderURL, NewestURL string
	CSVURL              string
	JSONURL             string
	Verify              ProofVerify
	Exports             []BooksChoice // the tenants whose books can be exported
	CanSweep            bool
	Today               string
	MonthAgo            string
}

// ProofSum is the unexplained sum of a tenant in a currency.
type ProofSum struct{ Tenant, Currency, Amount, Tone string }

// ProofRow is a day of a tenant in a currency.
type ProofRow struct {
	Day                                                               time.Time
	Tenant, Currency, Stripe, Ledger, Customers, PortaBilling, Closed string
	Unexplained, Tone                                                 string
	Differences                                                       []ProofDifference
}

// ProofDifference is why two sides differ.
type ProofDifference struct {
	Between, Cause, Amount, Objects, Mend string
	Count                                 string
	MendURL, MendText                     string
	Bad                                   bool
}

// ProofVerify is the last verification.
type ProofVerify struct {
	Can     bool
	Running bool
	At      time.Time // zero: never, or not within a day
	Faults  int
	URL     string
}
