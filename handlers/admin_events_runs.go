package handlers

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

func runURL(id int64) string { return "/admin/runs/" + strconv.FormatInt(id, 10) }

// runPill is a run's state in a word.
func runPill(r *pay.Run) views.BooksPill {
	switch r.State {
	case pay.RunWaiting:
		return views.BooksPill{Text: "Waiting"}
	case pay.RunRunning:
		return views.BooksPill{Text: "Running", Tone: "calm"}
	case pay.RunDone:
		if r.Ask.Kind == pay.RunSweep && sweepFailed(r) {
			return views.BooksPill{Text: "In part", Tone: "warning"}
		}
		return views.BooksPill{Text: "Done", Tone: "good"}
	}
	return views.BooksPill{Text: "Failed", Tone: "bad"}
}

// took is how long a run took, or runs.
func took(r *pay.Run) string {
	if r.StartedAt.IsZero() {
		return ""
	}
	if r.EndedAt.IsZero() {
		return ""
	}
	return lasted(r.EndedAt.Sub(r.StartedAt))
}

// lasted is a duration for a person.
func lasted(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%d.%d s", d.Milliseconds()/1000, d.Milliseconds()%1000/100)
	}
	return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
}

// run is the run that the address names, when it is the person's to see: a tenant's people
// see their own tenant's, and each kind wants what its pages want.
func (h *Handlers) run(c echo.Context) (*pay.Run, error) {
	id, err := strconv.ParseInt(c.Param("run"), 10, 64)
	if err != nil || id <= 0 {
		return nil, echo.ErrNotFound
	}
	r, err := h.Runs.RunByID(c.Request().Context(), id)
	if err != nil {
		return nil, err
	}
	may := map[pay.RunKind]staff.Action{pay.RunProof: staff.See, pay.RunLast: staff.See, pay.RunVerify: staff.See, pay.RunReplay: staff.SeeEvents, pay.RunSweep: staff.Sweep}[r.Ask.Kind]
	if !staffOf(c).MaySee(r.Ask.TenantID) || !staffOf(c).Role.May(may) {
		return nil, echo.ErrNotFound
	}
	return r, nil
}

// runObjects is how many objects of a replay a page shows.
const runObjects = 200

// showRunPage shows how far a run is, or what came of it. It asks for itself again until
// it is over.
func (h *Handlers) showRunPage(c echo.Context) error {
	r, err := h.run(c)
	if err != nil {
		return err
	}
	if r.Ask.Kind == pay.RunProof || r.Ask.Kind == pay.RunLast {
		return c.Redirect(http.StatusSeeOther, "/admin/proof?run="+strconv.FormatInt(r.ID, 10))
	}
	v := views.RunView{AdminFrame: h.booksFrame(c, "admin_poll"), State: runPill(r), Over: r.State.Over(), BackURL: "/admin/sweeps", BackText: "To the sweeps"}
	if !v.Over {
		v.PollURL = runURL(r.ID)
	}
	who := "the clock"
	if r.Ask.By != "" {
		who = h.causeWords(c, pay.Cause{Kind: pay.CauseStaff, ID: r.Ask.By})
	}
	v.Facts = []views.BooksFact{{Name: "Asked by", Text: who}, {Name: "Asked", At: r.AskedAt}}
	if t := took(r); t != "" {
		v.Facts = append(v.Facts, views.BooksFact{Name: "Took", Text: t})
	}
	switch r.Ask.Kind {
	case pay.RunSweep:
		v.Title, v.Lead = "Sweep", "Asks Stripe for what nobody told us, of every tenant."
		if out := sweepOf(r); out != nil {
			v.Facts = append(v.Facts, views.BooksFact{Name: "Asked Stripe about", Text: counted(out.Asked, "attempt or refund", "attempts and refunds")},
				views.BooksFact{Name: "Listed", Text: counted(out.Listed, "object", "objects")}, views.BooksFact{Name: "Settled", Text: counted(out.Settled, "object", "objects")},
				views.BooksFact{Name: "Failed", Text: counted(out.Failed, "call; the next sweep tries again", "calls; the next sweep tries again")})
		}
	case pay.RunVerify:
		v.Title, v.Lead, v.BackURL, v.BackText = "Verification", "Every invariant, cart and hash of the ledger.", "/admin/proof", "To the proof of books"
		var out pay.VerifyOutput
		if r.State == pay.RunDone && json.Unmarshal(r.Output, &out) == nil {
			v.Faults, v.MoreFaults = out.First, out.Faults-len(out.First)
			v.Facts = append(v.Facts, views.BooksFact{Name: "Found", Text: faultsFound(out.Faults)})
		}
	default:
		if err := h.replayRun(c, r, &v); err != nil {
			return err
		}
	}
	if r.State == pay.RunFailed {
		v.Facts = append(v.Facts, views.BooksFact{Name: "Reason", Text: "It is in the log, under job " + strconv.FormatInt(r.ID, 10)})
	}
	return page(c, http.StatusOK, views.RunPage(v))
}

func faultsFound(n int) string {
	if n == 0 {
		return "nothing is wrong"
	}
	return counted(n, "fault", "faults")
}

// replayRun fills in a replay.
func (h *Handlers) replayRun(c echo.Context, r *pay.Run, v *views.RunView) error {
	scope, err := h.bookScope(c)
	if err != nil {
		return err
	}
	v.Title, v.Lead, v.BackURL, v.BackText = "Dry run of a replay", "What would change. Nothing was changed.", "/admin/events", "To the events"
	if r.Ask.Apply {
		v.Title, v.Lead = "Replay", "Stripe was asked again, and the books follow."
	}
	v.Total = len(r.Ask.Events)
	v.Facts = append(v.Facts, views.BooksFact{Name: "Events", Text: strconv.Itoa(v.Total)})
	var out pay.ReplayOutput
	if len(r.Output) == 0 || json.Unmarshal(r.Output, &out) != nil {
		return nil
	}
	v.Done = out.Done
	for _, o := range out.Objects {
		if o.Failed {
			v.Failed++
		} else if len(o.Changes)+len(o.AtStripe)+len(o.Moves) > 0 {
			v.Changed++
		}
	}
	would := "of which something would change"
	if r.Ask.Apply {
		would = "of which something changed"
	}
	v.Facts = append(v.Facts, views.BooksFact{Name: "Objects", Text: fmt.Sprintf("%d, %d %s, %d failed", len(out.Objects), v.Changed, would, v.Failed)})
	from, _ := strconv.Atoi(c.QueryParam("from"))
	from = max(0, min(from, len(out.Objects)))
	shown := out.Objects[from:]
	if len(shown) > runObjects {
		shown, v.OlderURL = shown[:runObjects], runURL(r.ID)+"?from="+strconv.Itoa(from+runObjects)
	}
	for _, o := range shown {
		x := views.ReplayObject{Object: o.Object, Outcome: cmp.Or(strings.ReplaceAll(o.Outcome, "_", " "), "nothing"), Note: o.Note, OrderID: o.OrderID, Tenant: scope.name(o.TenantID), Events: len(o.Events)}
		x.Lines = append(append(append(x.Lines, o.AtStripe...), o.Changes...), o.Moves...)
		x.Tone = eventPill(pay.EventState(o.Outcome)).Tone
		if o.Failed {
			x.Tone = "bad"
		}
		v.Objects = append(v.Objects, x)
	}
	if !r.Ask.Apply && r.State == pay.RunDone && staffOf(c).Role.May(staff.Replay) && v.Changed > 0 {
		v.ApplyURL = runURL(r.ID) + "/apply"
	}
	return nil
}

// applyRun makes a dry run's replay for good: of the same events, whatever their filter
// matches by now.
func (h *Handlers) applyRun(c echo.Context) error {
	r, err := h.run(c)
	if err != nil {
		return err
	}
	auditOf(c).Subject, auditOf(c).TenantID = "run "+strconv.FormatInt(r.ID, 10), r.Ask.TenantID
	if r.Ask.Kind != pay.RunReplay || r.Ask.Apply || r.State != pay.RunDone {
		return pay.Errorf(pay.CodeConflict, "", "This is no dry run that is done. Look at it again, and begin another if it failed.")
	}
	ask := r.Ask
	ask.Apply, ask.Of, ask.By = true, r.ID, staffOf(c).ID
	// Pressed twice it is the same replay.
	recent, err := h.Runs.ListRuns(c.Request().Context(), pay.RunReplay, ask.TenantID, 20)
	if err != nil {
		return err
	}
	for _, x := range recent {
		if x.Ask.Of == r.ID {
			auditOf(c).After = "run " + strconv.FormatInt(x.ID, 10) + " already"
			return c.Redirect(http.StatusSeeOther, runURL(x.ID))
		}
	}
	id, err := h.Runs.StartRun(c.Request().Context(), ask)
	if err != nil {
		return err
	}
	auditOf(c).After = fmt.Sprintf("%d events, run %d", len(ask.Events), id)
	return c.Redirect(http.StatusSeeOther, runURL(id))
}
