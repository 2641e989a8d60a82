package pay

import (
	"encoding/json"
	"time"
)

// RunKind is a kind of work that takes too long for a request: staff start it, it runs
// with the other jobs, and a page shows how far it is.
type RunKind string

const (
	RunProof RunKind = "prove" // the proof of books of some days
	// RunLast is a RunProof of the last ProofDays days, whose result the overview shows.
	RunLast   RunKind = "prove_last"
	RunVerify RunKind = "verify" // every invariant, cart and hash
	RunReplay RunKind = "replay" // events again, dry or for good
	RunSweep  RunKind = "sweep"  // ask Stripe what nobody told us
)

// ProofDays is how far back the books are proved when nobody says how far.
const ProofDays = 31

// RunAsk is what is asked for.
type RunAsk struct {
	Kind     RunKind `json:"-"`
	TenantID string  `json:"tenant"` // "": every tenant's, which is an operator's to ask
	// From and Until are the first and the last day of a proof, as 2026-11-22.
	From  string `json:"from,omitempty"`
	Until string `json:"until,omitempty"`
	// Events are our ids of those to replay; Apply makes it for good.
	Events []RunEvent `json:"events,omitempty"`
	Apply  bool       `json:"apply,omitempty"`
	// Of is the dry run that this applies, 0 for none.
	Of int64  `json:"of,omitempty"`
	By string `json:"by,omitempty"` // stf_… of who asked, "" for the till itself
}

// RunEvent names an event and whose it is.
type RunEvent struct {
	TenantID string `json:"tenant"`
	ID       string `json:"id"`
}

// RunState is where a run stands.
type RunState string

const (
	RunWaiting RunState = "waiting"
	RunRunning RunState = "running"
	RunDone    RunState = "done"
	RunFailed  RunState = "failed" // the log has the reason
)

// Over reports whether nothing more comes.
func (s RunState) Over() bool { return s == RunDone || s == RunFailed }

// Run is one of them, as it stands now.
type Run struct {
	ID        int64
	Ask       RunAsk
	State     RunState
	AskedAt   time.Time
	StartedAt time.Time // zero while it waits
	EndedAt   time.Time // zero until it is over
	// Output is what came of it: a ProofOutput, VerifyOutput, ReplayOutput or SweepOutput;
	// of a replay that runs what came so far. nil when there is nothing yet.
	Output json.RawMessage
}

// ProofOutput is the result of a RunProof.
type ProofOutput struct {
	Proof  *Proof `json:"proof"`
	Square bool   `json:"square"`
}

// VerifyOutput is the result of a RunVerify.
type VerifyOutput struct {
	Faults int      `json:"faults"`
	First  []string `json:"first"` // the first VerifyShown of them
}

// VerifyShown is how many faults are kept of a verification.
const VerifyShown = 200

// SweepOutput is the result of a RunSweep.
type SweepOutput struct {
	Asked   int `json:"asked"`
	Listed  int `json:"listed"`
	Settled int `json:"settled"`
	Failed  int `json:"failed"`
	// Fault says that a part of it did not work; the log has the reason.
	Fault bool `json:"fault"`
}

// ReplayOutput is the result of a RunReplay, or what there is of it so far.
type ReplayOutput struct {
	Total   int              `json:"total"` // events
	Done    int              `json:"done"`
	Objects []ReplayedObject `json:"objects"`
}

// ReplayedObject is what came of the events of one object, or would.
type ReplayedObject struct {
	TenantID string   `json:"tenant"`
	Object   string   `json:"object"`
	Events   []string `json:"events"` // our ids
	Outcome  string   `json:"outcome"`
	OrderID  string   `json:"order,omitempty"`
	Note     string   `json:"note,omitempty"`
	Changes  []string `json:"changes,omitempty"`
	Moves    []string `json:"moves,omitempty"`
	AtStripe []string `json:"at_stripe,omitempty"`
	Failed   bool     `json:"failed,omitempty"`
}

// Replayed notes what came of one object. What went wrong inside is not told: it is the
// log's.
func (o *ReplayOutput) Replayed(tenantID string, r *Replayed) {
	x := ReplayedObject{TenantID: tenantID, Object: r.ObjectID, Outcome: string(r.Outcome), Note: r.Note, Changes: r.Changes, Moves: r.Moves, AtStripe: r.AtStripe}
	for _, e := range r.Events {
		x.Events = append(x.Events, e.ID)
	}
	if r.Order != nil {
		x.OrderID = r.Order.ID
	}
	if r.Err != nil {
		x.Failed, x.Outcome, x.Note = true, "failed", "Stripe could not be asked, or refused; the log has the reason"
		if f := faultOf(r.Err); f != nil {
			x.Note = "Stripe answered " + string(f.Kind) + " " + f.Code
		}
	}
	o.Objects = append(o.Objects, x)
	o.Done += len(r.Events)
}
