package views

import "time"

// BooksChoice is one value that a filter offers.
type BooksChoice struct{ Value, Label string }

// BooksField is one filter of a list: a choice, a day, or words to search for.
type BooksField struct {
	Name, Label string
	Value       string
	Choices     []BooksChoice // none: it is typed
	Type        string        // of the input: "search", "date", "text"
	Hint        string        // what can be typed; may be empty
}

// BooksList is what every list of the books has.
type BooksList struct {
	Action    string // the page
	Fields    []BooksField
	Message   string // what is wrong with the filters; empty: nothing
	Filtered  bool   // some are set
	ClearURL  string // without any
	CSVURL    string // the same rows as a file; empty: not offered
	OlderURL  string // empty: this is the end
	NewestURL string // empty: this is the beginning
}

// BooksPill is a state in a word, with its tone.
type BooksPill struct {
	Text string
	Tone string // good, calm, warning, bad or empty
}

// BooksFact is a line of a description list. URL may be empty.
type BooksFact struct {
	Name, Text, URL string
	Code            bool
	At              time.Time // shown in place of Text
}

// UnclaimedRow is a case in the list.
type UnclaimedRow struct {
	ID, URL, Tenant, Amount, Held, Reason, Who, OrderID string
	State                                               BooksPill
	At                                                  time.Time
}

// UnclaimedListView is the list of unclaimed money.
type UnclaimedListView struct {
	AdminFrame
	BooksList
	Rows       []UnclaimedRow
	ShowTenant bool
	ShowsOpen  bool // the filter is "open"
}

// UnclaimedOwner is whose it may be.
type UnclaimedOwner struct {
	ICustomer int64
	OrderID   string
	Why       []string
}

// UnclaimedRefund is a refund that was asked for.
type UnclaimedRefund struct {
	Amount, What string
	State        BooksPill
	At           time.Time
}

// UnclaimedView is one case.
type UnclaimedView struct {
	AdminFrame
	ID, Amount, Held, Detail string
	State                    BooksPill
	Facts                    []BooksFact
	Evidence                 []BooksFact
	Owners                   []UnclaimedOwner
	Refunds                  []UnclaimedRefund
	// CanAssign, CanRefund and CanIgnore say which decisions are open to who looks.
	CanAssign, CanRefund, CanIgnore bool
	Form                            UnclaimedForm
	Message                         string // what is wrong with what was typed
	Currency                        string
}

// UnclaimedForm is what was typed for a decision.
type UnclaimedForm struct{ Act, Customer, Order, Amount, Reason, StripeReason string }

// BooksHidden is a field that a confirmation carries on.
type BooksHidden struct{ Name, Value string }

// BooksConfirmView asks once more before something is done.
type BooksConfirmView struct {
	AdminFrame
	Title   string
	Lead    string
	Facts   []BooksFact
	Action  string
	Button  string
	Danger  bool
	Hidden  []BooksHidden
	BackURL string
}

// EventRow is an event in the list.
type EventRow struct {
	ID, URL, StripeID, Tenant, Type, Object, Note string
	State                                         BooksPill
	At                                            time.Time
}

// EventListView is the list of Stripe's events.
type EventListView struct {
	AdminFrame
	BooksList
	Rows       []EventRow
	ShowTenant bool
	CanReplay  bool
	Hidden     []BooksHidden // the filters, for the form that replays what they match
	MostReplay int
}

// EventView is one event.
type EventView struct {
	AdminFrame
	ID        string
	StripeID  string
	State     BooksPill
	Facts     []BooksFact
	Payload   string // JSON, masked
	Bytes     int
	CanReplay bool
}

// PostingRow is a posting in the list.
type PostingRow struct {
	ID, URL, Tenant, What, Amount, OrderID, SubjectID string
	State                                             BooksPill
	At                                                time.Time
}

// PostingListView is the list of what PortaBilling is told.
type PostingListView struct {
	AdminFrame
	BooksList
	Rows       []PostingRow
	ShowTenant bool
}

// PostingView is one posting.
type PostingView struct {
	AdminFrame
	ID, Amount, Means string
	State             BooksPill
	Facts             []BooksFact
	CanMark           bool
	From              string // the state, for the form
	Reason, Message   string
}

// RunView is a run: work that takes too long for a request.
type RunView struct {
	AdminFrame
	Title, Lead string
	State       BooksPill
	Facts       []BooksFact
	Over        bool
	PollURL     string
	Done, Total int // of a replay
	Objects     []ReplayObject
	Changed     int // objects of which something changed, or would
	Failed      int
	Faults      []string // of a verification
	MoreFaults  int
	ApplyURL    string // a dry run that can be made for good; empty: none
	BackURL     string
	BackText    string
	OlderURL    string // more objects
}

// ReplayObject is what came of an object's events.
type ReplayObject struct {
	Object, Outcome, Note, OrderID, Tenant string
	Events                                 int
	Lines                                  []string
	Tone                                   string
}

// SweepsView is the page of the sweeps.
type SweepsView struct {
	AdminFrame
	Listings []SweepListing
	Runs     []SweepRun
	CanSweep bool
	Running  bool
}

// SweepListing is up to when a tenant's objects were listed at Stripe.
type SweepListing struct {
	Tenant  string
	Through time.Time // zero: never as a whole
	State   BooksPill
}

// SweepRun is one sweep.
type SweepRun struct {
	ID                             int64
	URL                            string
	At                             time.Time
	Took, Who                      string
	Asked, Listed, Settled, Failed int
	State                          BooksPill
}
