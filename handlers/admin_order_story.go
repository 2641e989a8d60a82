package handlers

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// namer names the people of the staff.
type namer func(id string) string

// nameStaff names people, each read once. A tenant's people do not learn an operator's name.
func (h *Handlers) nameStaff(c echo.Context) namer {
	names := map[string]string{}
	return func(id string) string {
		name, known := names[id]
		if known {
			return name
		}
		name = "somebody of the staff"
		if p, err := h.Staff.Store.StaffByID(c.Request().Context(), id); err == nil {
			if name = "an operator"; staffOf(c).MaySee(p.TenantID) {
				name = p.Name
			}
		}
		names[id] = name
		return name
	}
}

// inWords writes a code of ours or of Stripe's, such as insufficient_funds, as words.
func inWords(code string) string {
	return strings.NewReplacer("_", " ", ".", " ").Replace(code)
}

// sentenceCase begins a text with a capital.
func sentenceCase(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}

// learnt says how a fact came to be known, and from whom.
func learnt(names namer, cause pay.Cause) string {
	switch cause.Kind {
	case pay.CauseWebhook:
		return "Learnt from Stripe's webhook " + cause.ID
	case pay.CauseReturn:
		return "Learnt when the customer came back"
	case pay.CauseSweep:
		return "Learnt by the sweep"
	case pay.CauseStaff:
		return "By " + names(cause.ID)
	case pay.CauseCLI:
		return "By the command line"
	case pay.CauseRequest:
		return "By the portal's request"
	case pay.CauseBrowser:
		return "In the customer's browser"
	}
	return ""
}

// told are the lines of an order's story in words; where one is not here its own name serves.
var told = map[string]struct{ title, tone string }{
	"requested": {"The portal asked for the payment", ""}, "sent_to_stripe": {"The customer went to Stripe's page", ""},
	"left_unpaid": {"The customer left without paying", ""}, "paid": {"Paid", "good"}, "saved": {"The card was saved", "good"},
	"processing": {"The bank was asked; the money is on its way", "calm"}, "expired": {"The order expired", ""}, "failed": {"The payment failed", "bad"},
	"cancelled": {"The order was cancelled", ""}, "mismatch": {"Stripe's facts disagree with the order", "warning"},
	"overpaid": {"Paid a second time; the money is held", "warning"}, "attempt_failed": {"The attempt failed", "bad"}, "attempt_expired": {"The attempt expired", ""},
	"attempt_superseded": {"Another attempt took its place", ""}, "refused_by_stripe": {"Stripe refused", "bad"}, "declined": {"The card was declined", "bad"},
	"requires_action": {"The bank wants the customer present", "warning"}, "refund.requested": {"A refund was asked for", ""},
	"refund.refused": {"Stripe refused the refund", "bad"}, "refund.succeeded": {"The refund arrived", "good"}, "refund.failed": {"The refund failed; the money came back", "bad"},
	"refund.canceled": {"The refund was cancelled; the money came back", "warning"}, "refund_failed": {"A refund was made and failed", "bad"},
	"mail_sent": {"The customer was written to", ""}, "mail_failed": {"A mail to the customer could not be sent", "warning"}, "mail_skipped": {"A mail to the customer was not sent", ""},
	"dispute.lost": {"The dispute was lost", "bad"}, "dispute.won": {"The dispute was won", "good"},
	"dispute.under_review": {"The dispute is under review", "calm"}, "dispute.needs_response": {"The dispute needs an answer", "bad"},
}

// wholeStory is all that is stored about an order.
type wholeStory struct {
	order      *pay.Order
	attempts   []*pay.Attempt
	payment    *pay.Payment // nil until it is paid
	requests   []*pay.RefundRequest
	refunds    []*pay.Refund
	disputes   []*pay.Dispute
	entries    []*pay.LedgerEntry
	postings   []*pay.Posting
	deliveries []*pay.Delivery
	lines      []*pay.StoryLine
	events     []*pay.Event
	cases      []*pay.Unclaimed // money of its attempts that waits, or waited, for a person
}

// mostEvents is how many of Stripe's events an order's page shows.
const mostEvents = 200

// readStory reads all of it.
func (h *Handlers) readStory(ctx context.Context, o *pay.Order) (*wholeStory, error) {
	s, store := &wholeStory{order: o}, h.Pay.Store
	var err error
	read := func(fn func() error) {
		if err == nil {
			err = fn()
		}
	}
	read(func() (e error) { s.attempts, e = store.ListAttempts(ctx, o.TenantID, o.ID); return e })
	read(func() (e error) { s.entries, e = store.ListEntries(ctx, o.TenantID, o.ID); return e })
	read(func() (e error) { s.postings, e = store.ListPostings(ctx, o.TenantID, o.ID); return e })
	read(func() (e error) { s.deliveries, e = store.ListDeliveries(ctx, o.TenantID, o.ID); return e })
	read(func() (e error) { s.lines, e = store.ListStory(ctx, o.TenantID, o.ID); return e })
	read(func() (e error) {
		if s.payment, e = store.PaymentByOrder(ctx, o.TenantID, o.ID); pay.IsNotFound(e) {
			s.payment, e = nil, nil
		}
		return e
	})
	if p := s.payment; err == nil && p != nil {
		read(func() (e error) { s.requests, e = store.ListRefundRequests(ctx, o.TenantID, p.ID); return e })
		read(func() (e error) { s.refunds, e = store.ListRefunds(ctx, o.TenantID, p.ID); return e })
		read(func() (e error) { s.disputes, e = store.ListDisputes(ctx, o.TenantID, p.ID); return e })
	}
	read(func() (e error) {
		s.events, e = h.Backoffice.EventsAbout(ctx, o.TenantID, s.objects(), mostEvents)
		return e
	})
	for _, a := range s.attempts {
		if a.IntentID == "" || a.State != pay.AttemptOverpaid && a.State != pay.AttemptMismatch {
			continue
		}
		read(func() error {
			u, e := store.UnclaimedByID(ctx, o.TenantID, a.IntentID)
			if e == nil {
				s.cases = append(s.cases, u)
			} else if pay.IsNotFound(e) {
				e = nil
			}
			return e
		})
	}
	return s, err
}

// objects are the Stripe objects that events about the order may name.
func (s *wholeStory) objects() []string {
	var ids []string
	add := func(all ...string) {
		for _, id := range all {
			if id != "" && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	for _, a := range s.attempts {
		add(a.SessionID, a.IntentID)
	}
	if s.payment != nil {
		add(s.payment.IntentID, s.payment.ChargeID)
	}
	for _, r := range s.refunds {
		add(r.StripeRefundID)
	}
	for _, d := range s.disputes {
		add(d.StripeDisputeID)
	}
	return ids
}

// toldItem is an item of the timeline with what it is sorted by: its time, and among those
// of one moment what causes before what follows.
type toldItem struct {
	at   time.Time
	rank int
	views.StoryItem
}

// timeline is the story in the order in which it happened.
func (s *wholeStory) timeline(names namer, now time.Time) []views.StoryItem {
	var all []toldItem
	add := func(rank int, at time.Time, item views.StoryItem) {
		item.At = staffMoment(at, now)
		all = append(all, toldItem{at, rank, item})
	}
	s.tellAttempts(add)
	s.tellEvents(add)
	s.tellLines(names, add)
	s.tellMoneyBack(names, add)
	s.tellBooks(names, add)
	slices.SortStableFunc(all, func(a, b toldItem) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.rank, b.rank)) })
	items := make([]views.StoryItem, len(all))
	for i := range all {
		items[i] = all[i].StoryItem
	}
	return items
}

type addItem func(rank int, at time.Time, item views.StoryItem)

func (s *wholeStory) tellAttempts(add addItem) {
	kinds := map[pay.AttemptKind]string{pay.AttemptCheckout: "a page of Stripe's Checkout", pay.AttemptIntent: "a charge of a saved card"}
	for _, a := range s.attempts {
		item := views.StoryItem{Title: "Attempt " + itoa(a.Number) + ": " + kinds[a.Kind], Detail: "Now " + inWords(string(a.State)), Tone: "quiet"}
		if a.Failure != "" && a.Failure != string(a.State) {
			item.Detail += ": " + inWords(a.Failure)
		}
		item.Facts = facts("Attempt", a.ID, "Session", a.SessionID, "Intent", a.IntentID, "Card", a.CardID, "Stripe's account", a.StripeAccount)
		for _, f := range []struct {
			label string
			at    time.Time
		}{{"Customer sent there", a.StartedAt}, {"Good until", a.ExpiresAt}, {"Asked about next", a.CheckAt}} {
			if !f.at.IsZero() {
				item.Facts = append(item.Facts, views.Fact{Label: f.label, Text: f.at.UTC().Format("2 Jan 2006, 15:04:05 UTC")})
			}
		}
		add(1, a.CreatedAt, item)
	}
}

// facts are the ids that there are: labels and values in turn.
func facts(pairs ...string) []views.Fact {
	var out []views.Fact
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, views.Fact{Label: pairs[i], Text: pairs[i+1], Code: true})
		}
	}
	return out
}

func (s *wholeStory) tellEvents(add addItem) {
	states := map[pay.EventState]string{pay.EventReceived: "Waits to be looked at", pay.EventApplied: "Taken into the books", pay.EventIgnored: "Changes nothing here",
		pay.EventUnmatched: "Fits nothing of ours", pay.EventNotOurs: "Not ours", pay.EventFailed: "Could not be taken; a person must look"}
	for _, e := range s.events {
		tone := "quiet"
		if e.State == pay.EventFailed || e.State == pay.EventUnmatched {
			tone = "warning"
		}
		detail := states[e.State]
		if e.Note != "" {
			detail += ": " + e.Note
		}
		add(2, e.ReceivedAt, views.StoryItem{Title: "Stripe sent " + e.Type, Detail: detail, Tone: tone, Facts: facts("Event", e.StripeID, "About", e.ObjectID, "Here", e.ID)})
	}
}

// tellLines tells the story's own lines, but those that another item tells better.
func (s *wholeStory) tellLines(names namer, add addItem) {
	for _, l := range s.lines {
		switch {
		case l.What == "session_opened": // the attempt
		case l.What == "refund.created" && len(s.refunds) > 0, l.What == "dispute.created" && len(s.disputes) > 0:
		default:
			title, tone := told[l.What].title, told[l.What].tone
			if title == "" {
				title = sentenceCase(inWords(l.What))
			}
			detail := l.Detail
			if strings.Contains(detail, "_") && !strings.Contains(detail, " ") && !strings.HasPrefix(detail, "cs_") {
				detail = inWords(detail)
			}
			item := views.StoryItem{Title: title, Tone: tone, Detail: detail, Learnt: learnt(names, l.Cause)}
			if strings.HasPrefix(detail, "cs_") {
				item.Detail, item.Facts = "", facts("Session", detail)
			}
			rank := 3
			if l.What == "requested" {
				rank = 0
			}
			add(rank, l.At, item)
		}
	}
}

func (s *wholeStory) tellMoneyBack(names namer, add addItem) {
	for _, r := range s.requests {
		if r.State == pay.RefundRequested {
			add(3, r.UpdatedAt, views.StoryItem{Title: "Stripe has not answered about the refund of " + r.Amount.Display(), Tone: "warning",
				Detail: "It is kept, and asked for again by itself.", Facts: facts("Request", r.ID, "Key", r.Key)})
		}
	}
	for _, r := range s.refunds {
		tone := map[pay.RefundState]string{pay.RefundSucceeded: "good", pay.RefundFailed: "bad", pay.RefundCanceled: "warning"}[r.State]
		item := views.StoryItem{Title: "Refund of " + r.Amount.Display(), Tone: cmp.Or(tone, "calm"), Detail: "Now " + inWords(string(r.State)), Learnt: learnt(names, r.Cause),
			Facts: facts("Refund", r.ID, "At Stripe", r.StripeRefundID)}
		if r.Reason != "" {
			item.Detail += ". Reason: " + inWords(r.Reason)
		}
		add(3, r.CreatedAt, item)
	}
	for _, d := range s.disputes {
		item := views.StoryItem{Title: "Dispute over " + d.Amount.Display(), Tone: cmp.Or(disputePill(d.State).Tone, "calm"), Learnt: learnt(names, d.Cause),
			Detail: "Now: " + disputePill(d.State).Text + ". The bank says: " + cmp.Or(inWords(d.Reason), "nothing") + ". " + disputeTodo(d.State),
			Facts:  facts("Dispute", d.ID, "At Stripe", d.StripeDisputeID)}
		if needsAnswer(d.State) && !d.DueBy.IsZero() {
			item.Detail += " Answer by " + d.DueBy.UTC().Format("2 Jan 2006, 15:04 UTC") + "."
		}
		add(3, d.CreatedAt, item)
	}
}

// accounts are the ledger's accounts as the pages call them.
var accounts = map[pay.Account]string{pay.AccountCustomer: "Customer", pay.AccountStripe: "Balance at Stripe", pay.AccountFees: "Stripe's fees", pay.AccountRefunds: "Refunds",
	pay.AccountDisputes: "Disputes", pay.AccountPayouts: "Payouts", pay.AccountVAT: "VAT on fees", pay.AccountSuspense: "Suspense", pay.AccountConversion: "Conversion"}

// bookings are the ledger's entries as the pages call them.
var bookings = map[pay.EntryKind]string{pay.EntryPayment: "Payment", pay.EntryFee: "Stripe's fee", pay.EntryRefund: "Refund", pay.EntryRefundReversal: "Refund that came back",
	pay.EntrySuspense: "Money without an owner", pay.EntryAssignment: "Money given an owner", pay.EntryDispute: "Taken back by the bank", pay.EntryDisputeReversal: "Given back by the bank",
	pay.EntryDisputeLost: "Dispute lost", pay.EntryPayout: "Payout", pay.EntryPayoutReturn: "Payout that came back", pay.EntryConversion: "Conversion"}

func (s *wholeStory) tellBooks(names namer, add addItem) {
	for _, e := range s.entries {
		item := views.StoryItem{Title: "Booked: " + cmp.Or(bookings[e.Kind], inWords(string(e.Kind))), Tone: "money", Learnt: learnt(names, e.Cause), Facts: facts("Entry", e.ID, "Fact", e.Fact)}
		if e.Memo != "" && !strings.EqualFold(e.Memo, bookings[e.Kind]) {
			item.Detail = sentenceCase(e.Memo)
		}
		for _, l := range e.Lines {
			line := views.BookedLine{Account: accounts[l.Account]}
			if m := (pay.Money{Minor: l.AmountMinor, Currency: e.Currency}); m.Minor > 0 {
				line.Debit = m.Display()
			} else {
				m.Minor = -m.Minor
				line.Credit = m.Display()
			}
			item.Lines = append(item.Lines, line)
		}
		add(4, e.At, item)
	}
	for _, p := range s.postings {
		tone := "quiet"
		if p.State == pay.PostingNeedsReview || p.State == pay.PostingRefused || p.State == pay.PostingUnknown {
			tone = "warning"
		}
		add(5, p.CreatedAt, views.StoryItem{Title: "PortaBilling is to be told: " + inWords(string(p.Kind)) + " of " + p.Amount.Display(), Tone: tone, Detail: "Now " + inWords(string(p.State)),
			Facts: facts("Posting", p.ID, "Of", p.SubjectID)})
	}
	for _, d := range s.deliveries {
		add(6, d.CreatedAt, views.StoryItem{Title: "The portal is to be told: " + d.Type, Tone: "quiet", Detail: "Now " + inWords(string(d.State)), Facts: facts("Notice", d.ID, "Fact", d.Fact)})
	}
}
