package handlers

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/csvout"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

const postingsPath = "/admin/postings"

// needsPerson is the filter of all states that need a person.
const needsPerson = "attention"

var postingChoices = func() []views.BooksChoice {
	out := []views.BooksChoice{{Value: "", Label: "All"}, {Value: needsPerson, Label: "Needs a person"}}
	for _, s := range pay.PostingStates {
		out = append(out, views.BooksChoice{Value: string(s), Label: postingPill(s).Text})
	}
	return out
}()

var postingKindChoices = func() []views.BooksChoice {
	out := []views.BooksChoice{{Value: "", Label: "All"}}
	for _, k := range pay.PostingKinds {
		out = append(out, views.BooksChoice{Value: string(k), Label: sentenceCase(strings.ReplaceAll(string(k), "_", " "))})
	}
	return out
}()

func postingPill(s pay.PostingState) views.BooksPill {
	switch s {
	case pay.PostingPosted:
		return views.BooksPill{Text: "Posted", Tone: "good"}
	case pay.PostingNeedsReview:
		return views.BooksPill{Text: "Needs review", Tone: "warning"}
	case pay.PostingRefused:
		return views.BooksPill{Text: "Refused", Tone: "bad"}
	case pay.PostingUnknown:
		return views.BooksPill{Text: "Unknown", Tone: "warning"}
	case pay.PostingSending:
		return views.BooksPill{Text: "Sending", Tone: "calm"}
	case pay.PostingHeld:
		return views.BooksPill{Text: "Held"}
	}
	return views.BooksPill{Text: "Pending"}
}

// postingMeans says what a state means for who looks.
var postingMeans = map[pay.PostingState]string{
	pay.PostingPending:     "PortaBilling is to be told; nobody has yet.",
	pay.PostingSending:     "It is being sent; the answer is to come.",
	pay.PostingPosted:      "PortaBilling has it.",
	pay.PostingUnknown:     "The answer was lost: PortaBilling may have it or not.",
	pay.PostingNeedsReview: "A person decides how PortaBilling is told.",
	pay.PostingRefused:     "PortaBilling refused it; a person must look.",
	pay.PostingHeld:        "Its money has no owner yet.",
}

// postingSearch is what the list is asked for.
type postingSearch struct {
	f      pay.PostingFilter
	states []pay.PostingState // none: all
	id     string
	fields []views.BooksField
}

func (q *booksQuery) postings() *postingSearch {
	s := &postingSearch{}
	state, kind, word := q.oneOf("state", "state", postingChoices), q.oneOf("kind", "kind", postingKindChoices), q.text("q")
	s.f = pay.PostingFilter{Kind: pay.PostingKind(kind), After: q.after("pst")}
	switch state {
	case "":
	case needsPerson:
		for _, x := range pay.PostingStates {
			if x.NeedsPerson() {
				s.states = append(s.states, x)
			}
		}
	default:
		s.states = []pay.PostingState{pay.PostingState(state)}
	}
	switch {
	case word == "":
	case strings.HasPrefix(word, "pst_"):
		s.id = word
	case strings.HasPrefix(word, "ord_"):
		s.f.OrderID = word
	default:
		s.f.SubjectID = word
	}
	s.fields = []views.BooksField{{Name: "state", Label: "State", Choices: postingChoices, Value: state}, {Name: "kind", Label: "Kind", Choices: postingKindChoices, Value: kind},
		{Name: "q", Label: "Posting, order or what it is about", Type: "search", Hint: "pst_…, ord_…, pay_…", Value: word}}
	return s
}

// filters are the questions whose answers are the list. One that narrows by state or by
// kind alone asks for each of the other, because the index has both and then the id.
func (s *postingSearch) filters(tenantID string) (all []pay.PostingFilter) {
	states, kinds := s.states, []pay.PostingKind{s.f.Kind}
	narrow := s.f.OrderID == "" && s.f.SubjectID == ""
	if len(states) == 0 {
		states = []pay.PostingState{""}
		if s.f.Kind != "" && narrow {
			states = pay.PostingStates
		}
	} else if s.f.Kind == "" && narrow {
		kinds = pay.PostingKinds
	}
	for _, state := range states {
		for _, kind := range kinds {
			f := s.f
			f.TenantID, f.State, f.Kind = tenantID, state, kind
			all = append(all, f)
		}
	}
	return all
}

// read is one page of each of some tenants.
func (s *postingSearch) read(ctx context.Context, h *Handlers, tenants []*pay.Tenant, limit int) ([]*pay.Posting, bool, error) {
	var lists [][]*pay.Posting
	for _, t := range tenants {
		if s.id != "" {
			p, err := h.Pay.Store.PostingByID(ctx, t.ID, s.id)
			if pay.IsNotFound(err) {
				continue
			}
			if err != nil {
				return nil, false, err
			}
			lists = append(lists, []*pay.Posting{p})
			continue
		}
		for _, f := range s.filters(t.ID) {
			f.Limit = limit + 1
			list, err := h.Books.ListPostingsPage(ctx, f)
			if err != nil {
				return nil, false, err
			}
			lists = append(lists, list)
		}
	}
	rows, more := newest(limit, func(p *pay.Posting) string { return p.ID }, lists...)
	return rows, more, nil
}

func (h *Handlers) showPostingsPage(c echo.Context) error {
	scope, err := h.bookScope(c)
	if err != nil {
		return err
	}
	q := newBooksQuery(c)
	tenants, search := q.tenants(scope), q.postings()
	rows, more, err := search.read(c.Request().Context(), h, scope.chosen, booksPage)
	if err != nil {
		return err
	}
	v := views.PostingListView{AdminFrame: h.booksFrame(c), ShowTenant: len(scope.may) > 1}
	last := ""
	for _, p := range rows {
		last = p.ID
		v.Rows = append(v.Rows, views.PostingRow{ID: p.ID, URL: postingsPath + "/" + p.ID, Tenant: scope.name(p.TenantID), What: sentenceCase(strings.ReplaceAll(string(p.Kind), "_", " ")),
			Amount: p.Amount.String(), OrderID: p.OrderID, SubjectID: p.SubjectID, State: postingPill(p.State), At: p.CreatedAt})
	}
	v.BooksList = q.list(postingsPath, postingsPath+".csv", last, more)
	v.Fields = append(tenants, search.fields...)
	return page(c, q.status(), views.PostingListPage(v))
}

// downloadPostings is the list as a file.
func (h *Handlers) downloadPostings(c echo.Context) error {
	scope, err := h.bookScope(c)
	if err != nil {
		return err
	}
	q := newBooksQuery(c)
	search := q.postings()
	if len(q.faults) > 0 {
		return pay.Errorf(pay.CodeBadRequest, "", "%s", q.message())
	}
	s := openSheet(c, "postings.csv", csvType)
	row := s.csv([]string{"made", "tenant", "posting", "kind", "state", "amount", "currency", "order", "subject", "changed"})
	for more := true; more && err == nil; {
		var page []*pay.Posting
		page, more, err = search.read(c.Request().Context(), h, scope.chosen, sheetPage-1)
		for _, p := range page {
			search.f.After = p.ID
			if err == nil {
				err = row([]csvout.Cell{csvout.Text(clock(p.CreatedAt)), csvout.Text(scope.slugOf(p.TenantID)), csvout.Text(p.ID), csvout.Text(string(p.Kind)), csvout.Text(string(p.State)),
					csvout.Number(p.Amount.Text()), csvout.Text(string(p.Amount.Currency)), csvout.Text(p.OrderID), csvout.Text(p.SubjectID), csvout.Text(clock(p.UpdatedAt))})
			}
		}
	}
	return h.end(s, err)
}

func (h *Handlers) showPostingPage(c echo.Context) error {
	return h.postingPage(c, http.StatusOK, "", "")
}

// thePosting is the posting that the address names.
func (h *Handlers) thePosting(c echo.Context) (*bookScope, *pay.Posting, error) {
	scope, err := h.bookScope(c)
	if err != nil {
		return nil, nil, err
	}
	p, err := find(c.Request().Context(), scope, c.Param("posting"), "pst", h.Pay.Store.PostingByID)
	return scope, p, err
}

// postingPage shows a posting, with what was typed and what was wrong with it.
func (h *Handlers) postingPage(c echo.Context, status int, reason, message string) error {
	ctx := c.Request().Context()
	scope, p, err := h.thePosting(c)
	if err != nil {
		return err
	}
	v := views.PostingView{AdminFrame: h.booksFrame(c), ID: p.ID, Amount: p.Amount.String(), Means: postingMeans[p.State], State: postingPill(p.State), From: string(p.State),
		Reason: reason, Message: message, CanMark: p.State.Markable() && staffOf(c).Role.May(staff.Refund)}
	v.Facts = []views.BooksFact{{Name: "Posting", Text: p.ID, Code: true}, {Name: "What", Text: sentenceCase(strings.ReplaceAll(string(p.Kind), "_", " "))}, {Name: "About", Text: p.SubjectID, Code: true},
		{Name: "Made", At: p.CreatedAt}, {Name: "Last changed", At: p.UpdatedAt}}
	if strings.HasPrefix(p.SubjectID, "unc_") {
		v.Facts[2].URL = unclaimedPath + "/" + p.SubjectID
	}
	if name := scope.name(p.TenantID); name != "" {
		v.Facts = append(v.Facts, views.BooksFact{Name: "Tenant", Text: name})
	}
	if p.OrderID != "" {
		v.Facts = append(v.Facts, views.BooksFact{Name: "Order", Text: p.OrderID, URL: h.orderURL(p.OrderID), Code: true})
		story, err := h.Pay.Store.ListStory(ctx, p.TenantID, p.OrderID)
		if err != nil {
			return err
		}
		for _, s := range story {
			if s.What == "posting.marked" && strings.HasPrefix(s.Detail, p.ID+" ") {
				v.Facts = append(v.Facts, views.BooksFact{Name: "Marked by", Text: h.causeWords(c, s.Cause)}, views.BooksFact{Name: "Why", Text: strings.TrimPrefix(s.Detail, p.ID+" ")})
			}
		}
	}
	if p.CustomerID != "" {
		customer, err := h.Pay.Store.CustomerByID(ctx, p.TenantID, p.CustomerID)
		if err != nil {
			return err
		}
		v.Facts = append(v.Facts, views.BooksFact{Name: "Customer", Text: strconv.FormatInt(customer.ICustomer, 10)})
	}
	return page(c, status, views.PostingPage(v))
}

// postingReason is what was typed, and what is wrong with it.
func postingReason(typed string) (reason, fault string) {
	reason = strings.TrimSpace(storable(typed))
	switch {
	case reason == "":
		return "", "Give a reason: say in a few words why, for whoever reads the books later."
	case utf8.RuneCountInString(reason) > 500:
		return reason, "The reason is longer than 500 characters."
	}
	return reason, ""
}

// confirmPosting asks once more; nothing is done yet.
func (h *Handlers) confirmPosting(c echo.Context) error {
	_, p, err := h.thePosting(c)
	if err != nil {
		return err
	}
	reason, fault := postingReason(c.QueryParam("reason"))
	if fault == "" && !p.State.Markable() {
		fault = "This posting cannot be marked now."
	}
	if fault != "" {
		return h.postingPage(c, http.StatusUnprocessableEntity, reason, fault)
	}
	at := postingsPath + "/" + p.ID
	return page(c, http.StatusOK, views.BooksConfirmPage(views.BooksConfirmView{AdminFrame: h.booksFrame(c), Title: "Mark " + p.Amount.String() + " as posted?",
		Lead: "Say so only when PortaBilling has it: it is never sent from then on, and the proof of books counts it.", Action: at + "/mark", Button: "Mark as posted", BackURL: at,
		Facts:  []views.BooksFact{{Name: "Posting", Text: p.ID, Code: true}, {Name: "State now", Text: postingPill(p.State).Text}, {Name: "Reason", Text: reason}},
		Hidden: []views.BooksHidden{{Name: "from", Value: string(p.State)}, {Name: "reason", Value: reason}}}))
}

func (h *Handlers) markPosted(c echo.Context) error {
	_, p, err := h.thePosting(c)
	if err != nil {
		return err
	}
	e := auditOf(c)
	e.Subject, e.TenantID, e.Before = p.ID, p.TenantID, string(p.State)
	reason, fault := postingReason(c.FormValue("reason"))
	if fault != "" {
		return h.postingPage(c, http.StatusUnprocessableEntity, reason, fault)
	}
	_, err = h.Pay.MarkPosted(c.Request().Context(), pay.MarkPosted{TenantID: p.TenantID, ID: p.ID, From: pay.PostingState(storable(c.FormValue("from"))), Reason: reason, Cause: causeOf(c)})
	at := postingsPath + "/" + p.ID
	if pay.CodeOf(err) == pay.CodeConflict {
		e.Refused, e.After = true, string(pay.CodeConflict)
		f, _ := formFault(c, err)
		h.sayNot(c, f.message)
		return c.Redirect(http.StatusSeeOther, at)
	}
	if err != nil {
		return err
	}
	// What is about no order has no story, so the reason is here too.
	e.After = string(pay.PostingPosted) + ": " + reason
	h.say(c, p.Amount.String()+" is marked as posted.")
	return c.Redirect(http.StatusSeeOther, at)
}
