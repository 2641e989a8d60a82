package views

import "time"

// UnclaimedRow is a case in the list.
type UnclaimedRow struct {
	ID, URL, Tenant, Amount, Held, Reason, Who string
	State                                      AdminPill
	At                                         Moment
}

// UnclaimedListView is the list of unclaimed money.
type UnclaimedListView struct {
	ListFrame
	Rows []UnclaimedRow
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
	State        AdminPill
	At           time.Time
}

// UnclaimedView is one case.
type UnclaimedView struct {
	AdminFrame
	ID, Amount, Held, Detail string
	State                    AdminPill
	Facts                    []Fact
	Evidence                 []Fact
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

// HiddenField is a field that a form carries on.
type HiddenField struct{ Name, Value string }

// BooksConfirmView asks once more before something is done.
type BooksConfirmView struct {
	AdminFrame
	Title   string
	Lead    string
	Facts   []Fact
	Action  string
	Button  string
	Danger  bool
	Hidden  []HiddenField
	BackURL string
}

// EventRow is an event in the list.
type EventRow struct {
	ID, URL, StripeID, Tenant, Type, Object, Note string
	State                                         AdminPill
	At                                            Moment
}

// EventListView is the list of Stripe's events.
type EventListView struct {
	ListFrame
	Rows       []EventRow
	CanReplay  bool
	Hidden     []HiddenField // the filters, for the form that replays what they match
	MostReplay int
}

// EventView is one event.
type EventView struct {
	AdminFrame
	ID        string
	StripeID  string
	State     AdminPill
	Facts     []Fact
	Payload   string // JSON, masked
	Bytes     int
	CanReplay bool
}

// PostingRow is a posting in the list.
type PostingRow struct {
	ID, URL, Tenant, What, Amount, OrderID, OrderURL string
	State                                            AdminPill
	At                                               Moment
}

// PostingListView is the list of what PortaBilling is told.
type PostingListView struct {
	ListFrame
	Rows []PostingRow
}

// PostingView is one posting.
type PostingView struct {
	AdminFrame
	ID, Amount, Means string
	State             AdminPill
	Facts             []Fact
	CanMark           bool
	From              string // the state, for the form
	Reason, Message   string
}

// RunView is a run: work that takes too long for a request.
type RunView struct {
	AdminFrame
	Title, Lead string
	State       AdminPill
	Facts       []Fact
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
	State   AdminPill
}

// SweepRun is one sweep.
type SweepRun struct {
	ID                             int64
	URL                            string
	At                             time.Time
	Took, Who                      string
	Asked, Listed, Settled, Failed int
	State                          AdminPill
}
