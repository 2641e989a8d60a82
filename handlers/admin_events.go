package handlers

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/csvout"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

const eventsPath = "/admin/events"

// replayMost is how many events one replay takes: each object is a call to Stripe.
const replayMost = 500

var eventChoices = func() []views.BooksChoice {
	out := []views.BooksChoice{{Value: "", Label: "All"}}
	for _, s := range pay.EventStates {
		out = append(out, views.BooksChoice{Value: string(s), Label: eventPill(s).Text})
	}
	return out
}()

func eventPill(s pay.EventState) views.BooksPill {
	switch s {
	case pay.EventReceived:
		return views.BooksPill{Text: "Received", Tone: "calm"}
	case pay.EventApplied:
		return views.BooksPill{Text: "Applied", Tone: "good"}
	case pay.EventUnmatched:
		return views.BooksPill{Text: "Unmatched", Tone: "warning"}
	case pay.EventFailed:
		return views.BooksPill{Text: "Failed", Tone: "bad"}
	case pay.EventNotOurs:
		return views.BooksPill{Text: "Not ours"}
	}
	return views.BooksPill{Text: "Ignored"}
}

// eventSearch is what the list is asked for.
type eventSearch struct {
	f      pay.EventFilter
	id     string // evn_… or evt_…: one at most a tenant
	order  string // ord_…: of its objects, and of no others
	fields []views.BooksField
}

// events reads the filters. They are in the address of the list, and in a form that
// replays what they match.
func (q *booksQuery) events() *eventSearch {
	s := &eventSearch{}
	state, kind, since, word := q.oneOf("state", "state", eventChoices), q.text("type"), q.text("since"), q.text("q")
	s.f = pay.EventFilter{State: pay.EventState(state), Type: kind, After: q.after("evn"), Bare: true}
	if since != "" {
		s.f.Since = q.day("since", "first day", time.Time{})
	}
	switch {
	case word == "":
	case strings.HasPrefix(word, "evn_"), strings.HasPrefix(word, "evt_"):
		s.id = word
	case strings.HasPrefix(word, "ord_"):
		s.order = word
	default:
		s.f.Objects = []string{word}
	}
	s.fields = []views.BooksField{{Name: "state", Label: "State", Choices: eventChoices, Value: state}, {Name: "type", Label: "Type", Value: kind, Hint: "charge.refunded"},
		{Name: "since", Label: "Since (UTC)", Type: "date", Value: since}, {Name: "q", Label: "Event, object or order", Type: "search", Hint: "evt_…, pi_…, ord_…", Value: word}}
	return s
}

// read is one page of each of some tenants.
func (s *eventSearch) read(ctx context.Context, h *Handlers, tenants []*pay.Tenant, limit int) ([]*pay.Event, bool, error) {
	var lists [][]*pay.Event
	for _, t := range tenants {
		f := s.f
		f.TenantID, f.Limit = t.ID, limit+1
		switch {
		case s.id != "":
			by := h.Pay.Store.EventByID
			if strings.HasPrefix(s.id, "evt_") {
				by = h.Pay.Store.EventByStripeID
			}
			e, err := by(ctx, t.ID, s.id)
			if pay.IsNotFound(err) {
				continue
			}
			if err != nil {
				return nil, false, err
			}
			lists = append(lists, []*pay.Event{e})
			continue
		case s.order != "":
			objects, err := h.orderObjects(ctx, t.ID, s.order)
			if err != nil {
				return nil, false, err
			}
			if len(objects) == 0 {
				continue
			}
			f.Objects = objects
		}
		list, err := h.Pay.Store.ListEvents(ctx, f)
		if err != nil {
			return nil, false, err
		}
		lists = append(lists, list)
	}
	rows, more := newest(limit, func(e *pay.Event) string { return e.ID }, lists...)
	return rows, more, nil
}

// orderObjects are Stripe's objects of an order, none when the tenant has no such order.
func (h *Handlers) orderObjects(ctx context.Context, tenantID, orderID string) (ids []string, err error) {
	store := h.Pay.Store
	attempts, err := store.ListAttempts(ctx, tenantID, orderID)
	if err != nil {
		return nil, err
	}
	for _, a := range attempts {
		ids = append(ids, a.SessionID, a.IntentID)
	}
	p, err := store.PaymentByOrder(ctx, tenantID, orderID)
	switch {
	case pay.IsNotFound(err):
	case err != nil:
		return nil, err
	default:
		ids = append(ids, p.IntentID, p.ChargeID)
		refunds, err := store.ListRefunds(ctx, tenantID, p.ID)
		if err != nil {
			return nil, err
		}
		for _, r := range refunds {
			ids = append(ids, r.StripeRefundID)
		}
		disputes, err := store.ListDisputes(ctx, tenantID, p.ID)
		if err != nil {
			return nil, err
		}
		for _, d := range disputes {
			ids = append(ids, d.StripeDisputeID)
		}
	}
	slices.Sort(ids)
	return slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return id == "" }), nil
}

func (h *Handlers) showEventsPage(c echo.Context) error {
	scope, err := h.bookScope(c)
	if err != nil {
		return err
	}
	q := newBooksQuery(c)
	tenants, search := q.tenants(scope), q.events()
	rows, more, err := search.read(c.Request().Context(), h, scope.chosen, booksPage)
	if err != nil {
		return err
	}
	v := views.EventListView{AdminFrame: h.booksFrame(c), ShowTenant: len(scope.may) > 1, CanReplay: staffOf(c).Role.May(staff.Replay), MostReplay: replayMost}
	last := ""
	for _, e := range rows {
		last = e.ID
		v.Rows = append(v.Rows, views.EventRow{ID: e.ID, URL: eventsPath + "/" + e.ID, StripeID: e.StripeID, Tenant: scope.name(e.TenantID), Type: e.Type, Object: e.ObjectID, Note: e.Note,
			State: eventPill(e.State), At: e.ReceivedAt})
	}
	v.BooksList = q.list(eventsPath, eventsPath+".csv", last, more)
	v.Fields = append(tenants, search.fields...)
	for _, name := range slices.Sorted(slices.Values([]string{"tenant", "state", "type", "since", "q"})) {
		if value := q.values.Get(name); value != "" {
			v.Hidden = append(v.Hidden, views.BooksHidden{Name: name, Value: value})
		}
	}
	return page(c, q.status(), views.EventListPage(v))
}

// downloadEvents is the list as a file, without payloads.
func (h *Handlers) downloadEvents(c echo.Context) error {
	scope, err := h.bookScope(c)
	if err != nil {
		return err
	}
	q := newBooksQuery(c)
	search := q.events()
	if len(q.faults) > 0 {
		return pay.Errorf(pay.CodeBadRequest, "", "%s", q.message())
	}
	s := openSheet(c, "events.csv", csvType)
	row := s.csv([]string{"received", "tenant", "event", "stripe_id", "type", "object", "state", "note", "done"})
	for more := true; more && err == nil; {
		var page []*pay.Event
		page, more, err = search.read(c.Request().Context(), h, scope.chosen, sheetPage-1)
		for _, e := range page {
			search.f.After = e.ID
			if err == nil {
				err = row([]csvout.Cell{csvout.Text(clock(e.ReceivedAt)), csvout.Text(scope.slugOf(e.TenantID)), csvout.Text(e.ID), csvout.Text(e.StripeID), csvout.Text(e.Type),
					csvout.Text(e.ObjectID), csvout.Text(string(e.State)), csvout.Text(e.Note), csvout.Text(clock(e.DoneAt))})
			}
		}
	}
	return h.end(s, err)
}

func (h *Handlers) showEventPage(c echo.Context) error {
	scope, err := h.bookScope(c)
	if err != nil {
		return err
	}
	e, err := find(c.Request().Context(), scope, c.Param("event"), "evn", h.Pay.Store.EventByID)
	if err != nil {
		return err
	}
	v := views.EventView{AdminFrame: h.booksFrame(c), ID: e.ID, StripeID: e.StripeID, State: eventPill(e.State), Bytes: len(e.Payload), Payload: maskedPayload(e.Payload),
		CanReplay: e.ObjectID != "" && staffOf(c).Role.May(staff.Replay)}
	mode := "test"
	if e.Livemode {
		mode = "live"
	}
	v.Facts = []views.BooksFact{{Name: "Type", Text: e.Type}, {Name: "Object", Text: cmp.Or(e.ObjectID, "none that can change the books"), Code: e.ObjectID != ""}, {Name: "Received", At: e.ReceivedAt}}
	if !e.DoneAt.IsZero() {
		v.Facts = append(v.Facts, views.BooksFact{Name: "Done", At: e.DoneAt})
	}
	if e.Note != "" {
		v.Facts = append(v.Facts, views.BooksFact{Name: "Note", Text: e.Note})
	}
	if name := scope.name(e.TenantID); name != "" {
		v.Facts = append(v.Facts, views.BooksFact{Name: "Tenant", Text: name})
	}
	v.Facts = append(v.Facts, views.BooksFact{Name: "Our id", Text: e.ID, Code: true}, views.BooksFact{Name: "API version", Text: e.APIVersion}, views.BooksFact{Name: "Mode", Text: mode})
	return page(c, http.StatusOK, views.EventPage(v))
}

// tryReplay begins the dry run of a replay: of one event, or of the newest that the list's
// filters match. Which events they are is decided now, and the replay for good takes the
// same.
func (h *Handlers) tryReplay(c echo.Context) error {
	ctx := c.Request().Context()
	form := func(name string) string { return c.Request().PostForm.Get(name) }
	scope, err := h.bookScopeOf(c, form("tenant"))
	if err != nil {
		return err
	}
	ask := pay.RunAsk{Kind: pay.RunReplay, TenantID: tenantScope(c), By: staffOf(c).ID}
	if id := c.FormValue("event"); id != "" {
		e, err := find(ctx, scope, id, "evn", h.Pay.Store.EventByID)
		if err != nil {
			return err
		}
		ask.Events = []pay.RunEvent{{TenantID: e.TenantID, ID: e.ID}}
		auditOf(c).Subject, auditOf(c).TenantID = e.ID, e.TenantID
	} else {
		q := &booksQuery{get: form, values: url.Values{}}
		rows, _, err := q.events().read(ctx, h, scope.chosen, replayMost)
		switch {
		case len(q.faults) > 0:
			return pay.Errorf(pay.CodeBadRequest, "", "%s", q.message())
		case err != nil:
			return err
		case len(rows) == 0:
			h.sayNot(c, "The filter matches no event, so there is nothing to replay.")
			return c.Redirect(http.StatusSeeOther, eventsPath)
		}
		for _, e := range rows {
			ask.Events = append(ask.Events, pay.RunEvent{TenantID: e.TenantID, ID: e.ID})
		}
	}
	id, err := h.Runs.StartRun(ctx, ask)
	if err != nil {
		return err
	}
	auditOf(c).After = strconv.Itoa(len(ask.Events)) + " events, dry run " + strconv.FormatInt(id, 10)
	return c.Redirect(http.StatusSeeOther, runURL(id))
}
