package paytest

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/portatill/portatill/pay"
)

// Want is what must be true of an order, and of its tenant, when all is over.
// Every amount is in minor units.
type Want struct {
	State    pay.OrderState
	Paid     int64 // what was captured; 0 means that there is no payment
	Refunded int64 // of it, by refunds that stand
	Refunds  int   // how many refunds were booked, those that failed later included
	Reversed int   // how many of them gave their money back
	Unposted int   // refunds besides, that had failed before we ever heard of them: booked and taken back at once
	Suspense int64 // money without an owner
	Returned int   // refunds, under this order, of money without an owner
	Lost     int64 // by disputes that were lost: no longer the customer's credit
	Held     int64 // by disputes that are not decided
	// Unclaimed are the reasons under which something is shown to a person, sorted.
	Unclaimed []string
	// Story must be in the order's story, in this order.
	Story []string
	// Lied says that the test made Stripe lie about an amount, so that its own books
	// cannot agree with ours.
	Lied bool
}

// Check asserts what every row of the money suite ends in: one payment, one
// posting per payment and refund, a ledger that sums to zero and agrees with
// Stripe's own books, the customer's credit, no broken invariant, the order's
// state, and a cause for everything.
func (w *World) Check(orderID string, want Want) {
	t, ctx := w.T, context.Background()
	t.Helper()
	broken, err := w.Store.VerifyBooks(ctx)
	if err != nil {
		t.Fatal(err)
	}
	more, err := (&pay.Service{Store: w.Store, Now: w.Clock.Now}).Verify(ctx, w.Tenant.ID)
	if err != nil {
		t.Fatal(err)
	}
	broken = append(broken, more...)
	for _, line := range broken {
		t.Errorf("broken books: %s", line)
	}
	o := w.Order(orderID)
	if o.State != want.State {
		t.Errorf("the order is %s (%s), want %s", o.State, o.StateReason, want.State)
	}
	payment := w.checkPayment(o, want)
	w.checkPostings(o, payment, want)
	w.checkEntries(o, want)
	w.checkBalances(want)
	w.checkStory(o, want)
	w.checkUnclaimed(want)
	if !want.Lied {
		w.checkProof()
	}
	events, err := w.Store.ListEvents(ctx, pay.EventFilter{TenantID: w.Tenant.ID, State: pay.EventReceived, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if len(w.Jobs()) == 0 && len(events) > 0 {
		t.Errorf("%d events have neither an outcome nor a job", len(events))
	}
}

func (w *World) checkPayment(o *pay.Order, want Want) *pay.Payment {
	t := w.T
	t.Helper()
	p, err := w.Store.PaymentByOrder(context.Background(), w.Tenant.ID, o.ID)
	if want.Paid == 0 {
		if !pay.IsNotFound(err) {
			t.Errorf("there is a payment %+v (%v), want none", p, err)
		}
		return nil
	}
	if err != nil {
		t.Fatalf("the order's payment: %v", err)
	}
	if p.Amount != (pay.Money{Minor: want.Paid, Currency: o.Cart.Currency}) || p.RefundedMinor != want.Refunded {
		t.Errorf("the payment is %s, %d of it refunded; want %d, %d", p.Amount, p.RefundedMinor, want.Paid, want.Refunded)
	}
	if p.Cause.Kind == "" || p.Cause.ID == "" || o.Evidence != p.IntentID {
		t.Errorf("the payment's cause is %v, its intent %s, the order's evidence %s", p.Cause, p.IntentID, o.Evidence)
	}
	refunds, err := w.Store.ListRefunds(context.Background(), w.Tenant.ID, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(refunds) != want.Refunds+want.Unposted {
		t.Errorf("there are %d refunds, want %d", len(refunds), want.Refunds+want.Unposted)
	}
	return p
}

// checkPostings holds what PortaBilling is told to what happened: each subject
// once, and in sum what the customer was credited.
func (w *World) checkPostings(o *pay.Order, p *pay.Payment, want Want) {
	t, ctx := w.T, context.Background()
	t.Helper()
	postings, err := w.Store.ListPostings(ctx, w.Tenant.ID, o.ID)
	if err != nil {
		t.Fatal(err)
	}
	count, sum := map[pay.PostingKind]int{}, int64(0)
	for _, q := range postings {
		count[q.Kind]++
		switch q.Kind {
		case pay.PostingRefund, pay.PostingDispute:
			sum -= q.Amount.Minor
		default:
			sum += q.Amount.Minor
		}
		if q.Kind == pay.PostingPayment && (p == nil || q.SubjectID != p.ID) {
			t.Errorf("a posting is for %s, which is not the order's payment", q.SubjectID)
		}
	}
	payments := 0
	if want.Paid > 0 {
		payments = 1
	}
	if count[pay.PostingPayment] != payments || count[pay.PostingRefund] != want.Refunds || count[pay.PostingReversal] != want.Reversed {
		t.Errorf("postings %v, want %d payment, %d refunds, %d reversals", count, payments, want.Refunds, want.Reversed)
	}
	if sum != want.Paid-want.Refunded-want.Lost {
		t.Errorf("the postings come to %d, want %d", sum, want.Paid-want.Refunded-want.Lost)
	}
	deliveries, err := w.Store.ListDeliveries(ctx, w.Tenant.ID, o.ID)
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, d := range deliveries {
		if d.Type == "order.paid" {
			told++
		}
	}
	if told != 1 && payments == 1 {
		t.Errorf("the portal is told %d times that the order was paid", told)
	}
}

func (w *World) checkEntries(o *pay.Order, want Want) {
	t := w.T
	t.Helper()
	entries, err := w.Store.ListEntries(context.Background(), w.Tenant.ID, o.ID)
	if err != nil {
		t.Fatal(err)
	}
	count, facts := map[pay.EntryKind]int{}, map[string]bool{}
	for _, e := range entries {
		count[e.Kind]++
		if err := e.Check(); err != nil {
			t.Errorf("entry: %v", err)
		}
		if facts[e.Fact] {
			t.Errorf("the fact %s is booked twice", e.Fact)
		}
		facts[e.Fact] = true
	}
	payments := 0
	if want.Paid > 0 {
		payments = 1
	}
	if count[pay.EntryPayment] != payments || count[pay.EntryRefund] != want.Refunds+want.Unposted+want.Returned ||
		count[pay.EntryRefundReversal] != want.Reversed+want.Unposted {
		t.Errorf("entries %v, want %d payment, %d refunds, %d reversals", count, payments, want.Refunds, want.Reversed)
	}
}

// checkBalances holds the ledger to zero, to the customer's credit and to
// Stripe's own books.
func (w *World) checkBalances(want Want) {
	t, ctx := w.T, context.Background()
	t.Helper()
	balances, err := w.Store.Balances(ctx, w.Tenant.ID)
	if err != nil {
		t.Fatal(err)
	}
	sum, gross, suspense, held := map[pay.Currency]int64{}, map[string]int64{}, int64(0), int64(0)
	for _, b := range balances {
		sum[b.Balance.Currency] += b.Balance.Minor
		switch b.Account {
		case pay.AccountStripe, pay.AccountFees, pay.AccountVAT: // before fees
			gross[b.Balance.Currency.Lower()] += b.Balance.Minor
		case pay.AccountSuspense:
			suspense -= b.Balance.Minor
		case pay.AccountDisputes:
			held += b.Balance.Minor
		}
	}
	for currency, minor := range sum {
		if minor != 0 {
			t.Errorf("the ledger in %s sums to %d, not 0", currency, minor)
		}
	}
	if held != want.Held {
		t.Errorf("%d held by disputes, want %d", held, want.Held)
	}
	if suspense != want.Suspense {
		t.Errorf("%d in suspense, want %d", suspense, want.Suspense)
	}
	if !want.Lied {
		atStripe := w.StripeGross()
		for currency := range merge(gross, atStripe) {
			if gross[currency] != atStripe[currency] {
				t.Errorf("our ledger has %d %s at Stripe, Stripe's own books have %d", gross[currency], currency, atStripe[currency])
			}
		}
	}
	credit := int64(0)
	customers, err := w.Store.CustomerBalances(ctx, w.Tenant.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range customers {
		credit += c.Credit.Minor
	}
	if credit != want.Paid-want.Refunded-want.Lost {
		t.Errorf("the customers' credit is %d, want paid − refunded − lost = %d", credit, want.Paid-want.Refunded-want.Lost)
	}
}

// checkProof lists what Stripe's balance is made of and holds that every difference has
// its cause.
func (w *World) checkProof() {
	t, ctx := w.T, context.Background()
	t.Helper()
	tenant, err := w.Store.TenantByID(ctx, w.Tenant.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Pay.SweepObjects(ctx, tenant); err != nil {
		t.Errorf("sweep before the proof: %v", err)
	}
	proof, err := w.Pay.Proof(ctx, w.Tenant.ID, time.Time{}, w.Clock.Now().AddDate(1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if !proof.Square() || inTransit(proof) {
		text, _ := json.MarshalIndent(proof, "", "  ")
		t.Errorf("the proof of books has something unexplained: %s", text)
	}
}

// inTransit reports whether something of one side has not come to the other, on
// whatever day.
func inTransit(p *pay.Proof) bool {
	sums := map[string]int64{}
	for _, r := range p.Rows {
		for _, d := range r.Differences {
			if d.Cause == "in_transit" {
				sums[r.Tenant+string(r.Currency)] += d.Minor
			}
		}
	}
	for _, minor := range sums {
		if minor != 0 {
			return true
		}
	}
	return false
}

func merge(a, b map[string]int64) map[string]bool {
	keys := map[string]bool{}
	for k := range a {
		keys[k] = true
	}
	for k := range b {
		keys[k] = true
	}
	return keys
}

func (w *World) checkStory(o *pay.Order, want Want) {
	t := w.T
	t.Helper()
	story, err := w.Store.ListStory(context.Background(), w.Tenant.ID, o.ID)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, s := range story {
		told = append(told, s.What)
		if s.Cause.Kind == "" || s.Cause.ID == "" {
			t.Errorf("the story's %s has no cause", s.What)
		}
	}
	rest := told
	for _, what := range want.Story {
		i := slices.Index(rest, what)
		if i < 0 {
			t.Errorf("the story is %v, want %v in this order", told, want.Story)
			return
		}
		rest = rest[i+1:]
	}
}

func (w *World) checkUnclaimed(want Want) {
	t := w.T
	t.Helper()
	shown, err := w.Store.ListUnclaimed(context.Background(), w.Tenant.ID)
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	for _, u := range shown {
		reasons = append(reasons, u.Reason)
	}
	slices.Sort(reasons)
	if strings.Join(reasons, " ") != strings.Join(want.Unclaimed, " ") {
		t.Errorf("shown under Unclaimed: %v, want %v", reasons, want.Unclaimed)
	}
}
