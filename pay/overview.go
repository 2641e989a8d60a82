package pay

import "time"

// UnclaimedFilter narrows ListUnclaimedPage. Zero values but TenantID's do not narrow.
type UnclaimedFilter struct {
	TenantID string // required
	State    UnclaimedState
	OrderID  string
	After    string // the last id of the page before; newest first
	Limit    int    // 1 to 1,000; 0 means 50
}

// UnclaimedStates are all states.
var UnclaimedStates = []UnclaimedState{UnclaimedOpen, UnclaimedAssigned, UnclaimedRefunded, UnclaimedIgnored}

// EventStates are all states of an event.
var EventStates = []EventState{EventReceived, EventApplied, EventIgnored, EventUnmatched, EventNotOurs, EventFailed}

// DayCount is how many of a tenant's orders that were made within a span are in a state,
// and what they are over.
type DayCount struct {
	Currency Currency
	State    OrderState
	Count    int64
	Minor    int64
}

// DayTaken is what was paid within a span, in one currency.
type DayTaken struct {
	Currency Currency
	Count    int64
	Minor    int64
}

// Waiting is how many orders wait for their money now.
type Waiting struct {
	Currency Currency
	State    OrderState // open or processing
	Count    int64
}

// Attention counts what needs a person, of one tenant; each count stops at
// AttentionMost, because more is as bad.
type Attention struct {
	Unclaimed     int // open cases
	Mismatches    int // orders whose facts disagree with Stripe's
	Postings      int // see PostingState.NeedsPerson
	RefundsFailed int // refunds that failed since the time that was asked for
	Disputes      int // disputes that wait for evidence
	// DisputeDue is when the first of them is due; zero when none says.
	DisputeDue   time.Time
	EventsFailed int
	// DeliveriesFailed and MailsFailed were given up since the time that was asked for.
	DeliveriesFailed, MailsFailed int
}

// AttentionMost is where Attention stops counting.
const AttentionMost = 1000

// OldestListing is how far the listings of a tenant's objects at Stripe are.
type OldestListing struct {
	TenantID string
	Kinds    int       // how many of ListKinds were ever listed
	Through  time.Time // all that Stripe had before was listed, of each of these
}
