package handlers

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/sheets"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// proofRows is how many days the page shows at a time, and proofMost how many days may be
// proved at once here; the command line proves any number.
const (
	proofRows = 100
	proofMost = 366
)

// proofOf is what a run found out, nil when there is nothing.
func proofOf(r *pay.Run) *pay.ProofOutput {
	if r == nil || r.State != pay.RunDone || len(r.Output) == 0 {
		return nil
	}
	var out pay.ProofOutput
	if json.Unmarshal(r.Output, &out) != nil || out.Proof == nil {
		return nil
	}
	return &out
}

// showProofPage shows a proof: the one that the address names, or the last one of the last
// days, which is begun when there is none.
func (h *Handlers) showProofPage(c echo.Context) error {
	scope, err := h.bookScope(c)
	if err != nil {
		return err
	}
	var run *pay.Run
	if id := c.QueryParam("run"); id != "" {
		if run, err = h.proofRun(c, id); err != nil {
			return err
		}
	} else if c.Request().Method != http.MethodHead {
		var began int64
		if run, began, err = h.lastProof(c); err != nil {
			return err
		}
		if run == nil {
			if run, err = h.Runs.RunByID(c.Request().Context(), began); err != nil {
				return err
			}
		}
	}
	return h.proofPage(c, http.StatusOK, scope, run, proofForm{})
}

// proofForm is what was asked for.
type proofForm struct{ tenant, from, until, message string }

// proofRun is a proof's run that the person may see.
func (h *Handlers) proofRun(c echo.Context, id string) (*pay.Run, error) {
	c.SetParamNames("run")
	c.SetParamValues(id)
	r, err := h.run(c)
	if err != nil {
		return nil, err
	}
	if r.Ask.Kind != pay.RunProof && r.Ask.Kind != pay.RunLast {
		return nil, echo.ErrNotFound
	}
	return r, nil
}

func (h *Handlers) proofPage(c echo.Context, status int, scope *bookScope, run *pay.Run, form proofForm) error {
	ctx, today := c.Request().Context(), h.Pay.Now().UTC()
	v := views.ProofView{AdminFrame: h.booksFrame(c, "admin_poll"), Message: form.message, CanSweep: staffOf(c).Role.May(staff.Sweep),
		Today: today.Format(time.DateOnly), MonthAgo: today.AddDate(0, 0, 1-pay.ProofDays).Format(time.DateOnly)}
	if run != nil {
		v.RunID = strconv.FormatInt(run.ID, 10)
		v.Pending, v.Failed = !run.State.Over(), run.State == pay.RunFailed
		if v.Pending {
			v.PollURL = "/admin/proof?run=" + v.RunID
		}
		if form.message == "" {
			form.from, form.until, form.tenant = run.Ask.From, run.Ask.Until, scope.slugOf(run.Ask.TenantID)
		}
		fillProof(c, &v, scope, run)
	}
	if choices := scope.choices(); choices != nil {
		v.Fields = append(v.Fields, views.BooksField{Name: "tenant", Label: "Tenant", Choices: choices, Value: form.tenant})
	}
	v.Fields = append(v.Fields, views.BooksField{Name: "from", Label: "From (UTC)", Type: "date", Value: form.from},
		views.BooksField{Name: "until", Label: "Until, included", Type: "date", Value: form.until})
	for _, t := range scope.may {
		v.Exports = append(v.Exports, views.BooksChoice{Value: t.Slug, Label: t.Name})
	}
	v.Verify.Can = staffOf(c).Role.May(staff.Work)
	last, err := h.Runs.LastRun(ctx, pay.RunVerify, tenantScope(c))
	if err != nil {
		return err
	}
	var out pay.VerifyOutput
	if last != nil && json.Unmarshal(last.Output, &out) == nil {
		v.Verify.At, v.Verify.Faults, v.Verify.URL = last.EndedAt, out.Faults, runURL(last.ID)
	}
	return page(c, status, views.ProofPage(v))
}

// fillProof fills in what a run found out.
func fillProof(c echo.Context, v *views.ProofView, scope *bookScope, run *pay.Run) {
	out := proofOf(run)
	if out == nil {
		return
	}
	p := out.Proof
	v.ProvedAt, v.Took, v.Square, v.From, v.Until, v.Broken = run.EndedAt, took(run), out.Square, p.From, p.Until, p.Broken
	v.CSVURL, v.JSONURL = "/admin/proof/file?format=csv&run="+v.RunID, "/admin/proof/file?format=json&run="+v.RunID
	for _, u := range p.Unexplained {
		v.Sums = append(v.Sums, views.ProofSum{Tenant: u.Tenant, Currency: string(u.Currency), Amount: u.Amount, Tone: zeroTone(u.Amount)})
	}
	for _, l := range p.Listed {
		fact := views.BooksFact{Name: "Listed at Stripe, " + l.Tenant, Text: "never: its side is empty"}
		if l.Through != nil {
			fact.At = *l.Through
		}
		v.Listed = append(v.Listed, fact)
	}
	first, _ := strconv.Atoi(c.QueryParam("row")) // what is no number is the beginning
	first = max(0, min(first, len(p.Rows)))
	rows := p.Rows[first:]
	at := "/admin/proof?run=" + v.RunID
	if len(rows) > proofRows {
		rows, v.OlderURL = rows[:proofRows], at+"&row="+strconv.Itoa(first+proofRows)
	}
	if first > 0 {
		v.NewestURL = at
	}
	for i := range rows {
		v.Rows = append(v.Rows, proofRow(c, &rows[i]))
	}
}

// zeroTone is good for 0.00 and bad for all else.
func zeroTone(amount string) string {
	if strings.Trim(amount, "0.-") == "" {
		return "good"
	}
	return "bad"
}

// proofCauses are the causes in words.
var proofCauses = map[string]string{
	pay.CauseUnexplained: "Nothing explains it",
	"in_transit":         "Stripe was not asked since, or shows it within the hour",
	"refund_pending":     "A refund whose money Stripe moves later",
	"refund_undone":      "A refund that failed: its money never moved",
	"fees":               "What Stripe kept",
	"tax_on_fees":        "Tax on what Stripe kept",
	"payouts":            "What Stripe paid out to the bank",
	"converted":          "What Stripe changed into another currency",
	"disputes":           "What banks hold back until they decide",
	"posting_waiting":    "PortaBilling is not told yet",
	"posting_pending":    "PortaBilling is not told yet",
}

var proofBetween = map[string]string{"stripe-ledger": "Stripe and the ledger", "ledger-customers": "the ledger and customers' credit", "customers-portabilling": "customers' credit and PortaBilling"}

func proofRow(c echo.Context, r *pay.ProofRow) views.ProofRow {
	day, _ := time.Parse(time.DateOnly, r.Day) // it was written by Format
	row := views.ProofRow{Day: day, Tenant: r.Tenant, Currency: string(r.Currency), Stripe: grouped(r.Stripe), Ledger: grouped(r.Ledger), Customers: grouped(r.Customers),
		PortaBilling: grouped(r.PortaBilling), Unexplained: r.Unexplained, Tone: zeroTone(r.Unexplained)}
	if len(r.Closed) >= 8 {
		row.Closed = r.Closed[:8]
	}
	for _, d := range r.Differences {
		x := views.ProofDifference{Between: "between " + proofBetween[d.Between], Cause: proofCauses[d.Cause], Amount: grouped(d.Amount), Objects: strings.Join(d.Objects, " "),
			Mend: d.Mend, Count: strconv.FormatInt(d.Count, 10) + " ×", Bad: d.Cause == pay.CauseUnexplained}
		if x.Cause == "" {
			x.Cause = sentenceCase(strings.ReplaceAll(d.Cause, "_", " "))
		}
		x.MendURL, x.MendText = mendPage(c, &d)
		row.Differences = append(row.Differences, x)
	}
	return row
}

// mendPage is where a difference is mended, "" where there is no page for it.
func mendPage(c echo.Context, d *pay.Difference) (url, text string) {
	role := staffOf(c).Role
	switch {
	case strings.HasPrefix(d.Mend, "portatill sweep") && role.May(staff.Sweep):
		return "/admin/sweeps", "Sweep"
	case strings.HasPrefix(d.Mend, "portatill unclaimed"):
		return "/admin/unclaimed?state=open", "See unclaimed"
	case strings.Contains(d.Mend, "--verify"):
		return "#verify-title", "Verify"
	case d.Between == "customers-portabilling" && d.Cause != pay.CauseUnexplained:
		return "/admin/postings", "See postings"
	}
	return "", ""
}

// proveBooks begins a proof of some days. The days are checked here, and what was typed
// stays in the form.
func (h *Handlers) proveBooks(c echo.Context) error {
	form := proofForm{tenant: storable(c.FormValue("tenant")), from: storable(c.FormValue("from")), until: storable(c.FormValue("until"))}
	scope, err := h.bookScope(c)
	if err != nil {
		return err
	}
	tenant := tenantScope(c)
	if form.tenant != "" {
		found := false
		for _, t := range scope.may {
			if t.Slug == form.tenant {
				tenant, found = t.ID, true
			}
		}
		if !found {
			form.message = "There is no such tenant; choose one of the list."
		}
	}
	from, errFrom := time.Parse(time.DateOnly, form.from)
	until, errUntil := time.Parse(time.DateOnly, form.until)
	switch {
	case form.message != "":
	case errFrom != nil || errUntil != nil || from.Year() < 2000 || until.Year() > 2100:
		form.message = "A day is missing, or is none; write both as " + h.Pay.Now().UTC().Format(time.DateOnly) + "."
	case until.Before(from):
		form.message = "The last day is before the first; exchange them."
	case until.Sub(from) >= proofMost*24*time.Hour:
		form.message = "That is more than a year; prove a year at a time, or use portatill books --proof."
	}
	if form.message != "" {
		return h.proofPage(c, http.StatusUnprocessableEntity, scope, nil, form)
	}
	id, err := h.Runs.StartRun(c.Request().Context(), pay.RunAsk{Kind: pay.RunProof, TenantID: tenant, From: form.from, Until: form.until, By: staffOf(c).ID})
	if err != nil {
		return err
	}
	auditOf(c).Subject, auditOf(c).TenantID, auditOf(c).After = "run "+strconv.FormatInt(id, 10), tenant, form.from+" to "+form.until
	return c.Redirect(http.StatusSeeOther, "/admin/proof?run="+strconv.FormatInt(id, 10))
}

// verifyBooks begins a verification of all that the person may see.
func (h *Handlers) verifyBooks(c echo.Context) error {
	id, err := h.Runs.StartRun(c.Request().Context(), pay.RunAsk{Kind: pay.RunVerify, TenantID: tenantScope(c), By: staffOf(c).ID})
	if err != nil {
		return err
	}
	auditOf(c).Subject = "run " + strconv.FormatInt(id, 10)
	return c.Redirect(http.StatusSeeOther, runURL(id))
}

// downloadProof is a proof as a file, as `portatill books --proof` writes it.
func (h *Handlers) downloadProof(c echo.Context) error {
	r, err := h.proofRun(c, c.QueryParam("run"))
	if err != nil {
		return err
	}
	out := proofOf(r)
	if out == nil {
		return pay.Errorf(pay.CodeConflict, "", "This proof is not there yet, or could not be made. Go back and look at it.")
	}
	name := "proof-" + out.Proof.From + "-" + out.Proof.Until
	if c.QueryParam("format") == "json" {
		return jsonFile(c, name+".json", out.Proof)
	}
	s := openSheet(c, name+".csv", csvType)
	return h.end(s, sheets.WriteProof(s.out, out.Proof))
}
