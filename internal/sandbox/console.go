package sandbox

import (
	"cmp"
	"html"
	"maps"
	"net/http"
	"slices"
	"sort"
	"strings"
	"time"
)

// state is everything, by kind: what tests look at instead of asking the API many times.
func (s *Server) showState(w http.ResponseWriter, _ *http.Request) {
	var text []byte
	err := s.do(func() {
		byKind := map[string][]any{}
		for _, r := range s.recordsInOrder() {
			o := visible(r.obj)
			if r.kind != "account" {
				o["_account"] = r.account.id
			}
			byKind[r.kind] = append(byKind[r.kind], o)
		}
		text = encode(object{"dials": s.dials, "objects": byKind, "deliveries": s.deliveries.all})
	})
	if err != nil {
		writeFault(w, http.StatusInternalServerError, "", "The sandbox cannot write its state file; see its log.")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(append(text, '\n'))
}

func (s *Server) recordsInOrder() []*record {
	list := slices.Collect(maps.Values(s.records))
	slices.SortFunc(list, func(a, b *record) int { return cmp.Compare(a.seq, b.seq) })
	return list
}

type consoleRow struct {
	ID, Kind, Status, Amount, When, Account, Link string
	Refundable, Expirable, Debit, Disputable      bool
	RefundPending, RefundOpen, Detachable         bool
	Dispute, Inquiry, Deletable, PayoutDone       bool
}

type consoleEvent struct {
	ID, Type, When string
	Deliveries     []consoleDelivery
}

type consoleDelivery struct {
	Endpoint, State, Error string
	Status, Attempts       int
	Copy                   bool
}

type consoleAccount struct{ ID, Name string }

type consolePage struct {
	Dials    Dials
	Accounts []consoleAccount
	Objects  []consoleRow
	Events   []consoleEvent
	Total    int
}

const consoleRows = 40

var consoleKinds = []string{"checkout.session", "payment_intent", "setup_intent", "charge", "refund", "dispute", "payout", "customer", "payment_method"}

func (s *Server) showConsole(w http.ResponseWriter, _ *http.Request) {
	var page consolePage
	err := s.do(func() { page = s.consolePage() })
	if err != nil {
		http.Error(w, "The sandbox cannot write its state file; see its log.", http.StatusInternalServerError)
		return
	}
	s.writePage(w, http.StatusOK, "console.html", page)
}

func (s *Server) consolePage() consolePage {
	page := consolePage{Dials: s.dials, Total: len(s.records)}
	for _, a := range s.accountOrder {
		page.Accounts = append(page.Accounts, consoleAccount{a.id, a.businessName()})
	}
	byEvent := map[string][]consoleDelivery{}
	for _, d := range s.deliveries.all {
		target := ""
		if r := s.records[d.Endpoint]; r != nil {
			target = str(r.obj, "url")
		}
		byEvent[d.Event] = append(byEvent[d.Event], consoleDelivery{target, d.State, d.Error, d.Status, d.Attempts, d.Copy})
	}
	for _, r := range s.newest("event") {
		page.Events = append(page.Events, consoleEvent{r.id, str(r.obj, "type"), clockText(num(r.obj, "created")), byEvent[r.id]})
	}
	for _, r := range s.newest(consoleKinds...) {
		page.Objects = append(page.Objects, rowOf(r))
	}
	return page
}

// newest collects the latest objects of some kinds over all accounts.
func (s *Server) newest(kinds ...string) []*record {
	var out []*record
	for _, a := range s.accountOrder {
		for _, kind := range kinds {
			list := a.kinds[kind]
			out = append(out, list[max(0, len(list)-consoleRows):]...)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].seq > out[j].seq })
	return out[:min(len(out), consoleRows)]
}

func clockText(unix int64) string { return time.Unix(unix, 0).UTC().Format("2 Jan 15:04:05") }

func rowOf(r *record) consoleRow {
	o := r.obj
	row := consoleRow{ID: r.id, Kind: strings.ReplaceAll(r.kind, "_", " "), Status: str(o, "status"), When: clockText(num(o, "created")), Account: r.account.id}
	currency := str(o, "currency")
	for _, key := range []string{"amount", "amount_total"} {
		if amount, ok := o[key].(int64); ok && currency != "" {
			row.Amount = formatMoney(amount, currency)
		}
	}
	switch r.kind {
	case "checkout.session":
		row.Link, row.Expirable = str(o, "url"), row.Status == "open"
	case "payment_intent":
		row.Debit = row.Status == "processing"
	case "charge":
		row.Refundable = row.Status == "succeeded" && !flag(o, "refunded") && !flag(o, "disputed")
		row.Disputable = row.Status == "succeeded" && !flag(o, "disputed")
	case "refund":
		row.RefundPending = row.Status == "pending"
		row.RefundOpen = row.RefundPending || row.Status == "succeeded"
	case "dispute":
		row.Inquiry = row.Status == "warning_needs_response" || row.Status == "warning_under_review"
		row.Dispute = row.Status == "needs_response" || row.Status == "under_review"
	case "payout":
		row.PayoutDone = row.Status != "failed"
	case "customer":
		row.Status, row.Deletable = str(o, "email"), !flag(o, "deleted")
		if flag(o, "deleted") {
			row.Status, row.When = "deleted", ""
		}
	case "payment_method":
		row.Status, row.Detachable = str(sub(o, str(o, "type")), "last4"), str(o, "customer") != ""
	}
	return row
}

type portalPage struct {
	Title, Text string
	Good        bool
	Params      []portalParam
}

type portalParam struct{ Name, Value string }

// showPortal is where demo payments end when there is no real portal yet.
func showPortal(s *Server, title, text string, good bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		page := portalPage{Title: title, Text: text, Good: good}
		query := r.URL.Query()
		for _, name := range slices.Sorted(maps.Keys(query)) {
			for _, value := range query[name] {
				page.Params = append(page.Params, portalParam{name, value})
			}
		}
		s.writePage(w, http.StatusOK, "portal.html", page)
	}
}

func (s *Server) showStyle(w http.ResponseWriter, _ *http.Request) {
	text, err := pageFiles.ReadFile("pages/sandbox.css")
	if err != nil {
		http.Error(w, html.EscapeString(err.Error()), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.Write(text)
}
