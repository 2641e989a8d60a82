package storetest

import (
	"context"
	"time"

	"github.com/portatill/portatill/pay"
)

// pageCases are what the staff's pages of the books read beside pay.Reader.
var pageCases = map[string]func(b *bench){
	"ADaySumsUpItsOrdersAndItsPayments": func(b *bench) {
		o := Order(b, b.s, b.customer)
		Pay(b, b.s, o, Attempt(b, b.s, o))
		Order(b, b.s, b.customer)
		Order(b, b.s, b.customer, func(o *pay.Order) { o.Kind = pay.OrderSetup })
		Order(b, b.s, b.customer, func(o *pay.Order) { o.CreatedAt = Now.AddDate(0, 0, 1) })
		other := b.elsewhere()
		Order(b, b.s, other.customer)
		day := Now.Truncate(24 * time.Hour)
		made := map[pay.OrderState]pay.DayCount{}
		for _, d := range must(b.s.OrdersMade(b.ctx, b.tenant.ID, day, day.AddDate(0, 0, 1))) {
			made[d.State] = *d
		}
		b.same("made", map[pay.OrderState]pay.DayCount{pay.OrderPaid: {Currency: "GBP", State: pay.OrderPaid, Count: 1, Minor: 1440},
			pay.OrderOpen: {Currency: "GBP", State: pay.OrderOpen, Count: 1, Minor: 1440}}, made)
		b.same("taken", []*pay.DayTaken{{Currency: "GBP", Count: 1, Minor: 1440}}, must(b.s.MoneyTaken(b.ctx, b.tenant.ID, day, day.AddDate(0, 0, 1))))
		b.same("taken elsewhere", 0, len(must(b.s.MoneyTaken(b.ctx, other.tenant.ID, day, day.AddDate(0, 0, 1)))))
		b.same("waiting", []*pay.Waiting{{Currency: "GBP", State: pay.OrderOpen, Count: 3}}, must(b.s.OrdersWaiting(b.ctx, b.tenant.ID)))
	},
	"WhatNeedsAPersonIsCountedPerTenant": func(b *bench) {
		b.unclaimed("pi_1")
		b.elsewhere().unclaimed("pi_1")
		b.posting("a", pay.PostingRefused, pay.PostingPayment)
		b.posting("b", pay.PostingPosted, pay.PostingPayment)
		b.same("counts", &pay.Attention{Unclaimed: 1, Postings: 1}, must(b.s.NeedsPerson(b.ctx, b.tenant.ID, Now)))
		n, err := b.s.UnclaimedMade(b.ctx, b.tenant.ID, Now.Add(-time.Minute), Now.Add(time.Minute))
		b.same("made", int64(1), n)
		b.code("", err)
		n, err = b.s.UnclaimedMade(b.ctx, b.tenant.ID, Now.Add(time.Minute), Now.Add(time.Hour))
		b.same("made later", int64(0), n)
		b.code("", err)
	},
	"PostingsAndCasesArePagedById": func(b *bench) {
		for _, s := range []string{"a", "b", "c"} {
			b.posting(s, pay.PostingRefused, pay.PostingPayment)
		}
		b.posting("d", pay.PostingPosted, pay.PostingRefund)
		first := must(b.s.ListPostingsPage(b.ctx, pay.PostingFilter{TenantID: b.tenant.ID, State: pay.PostingRefused, Limit: 2}))
		if len(first) != 2 || first[0].ID < first[1].ID {
			b.Fatalf("the first page is %v", first)
		}
		rest := must(b.s.ListPostingsPage(b.ctx, pay.PostingFilter{TenantID: b.tenant.ID, State: pay.PostingRefused, Kind: pay.PostingPayment, After: first[1].ID}))
		b.same("the second page", 1, len(rest))
		b.same("by subject", 1, len(must(b.s.ListPostingsPage(b.ctx, pay.PostingFilter{TenantID: b.tenant.ID, SubjectID: "pay_d"}))))
		b.same("of another tenant", 0, len(must(b.s.ListPostingsPage(b.ctx, pay.PostingFilter{TenantID: b.elsewhere().tenant.ID}))))
		u := b.unclaimed("pi_1")
		b.same("open cases", []*pay.Unclaimed{u}, must(b.s.ListUnclaimedPage(b.ctx, pay.UnclaimedFilter{TenantID: b.tenant.ID, State: pay.UnclaimedOpen})))
		b.same("older cases", 0, len(must(b.s.ListUnclaimedPage(b.ctx, pay.UnclaimedFilter{TenantID: b.tenant.ID, After: u.ID}))))
	},
	"APostingMovesFromTheStateThatWasRead": func(b *bench) {
		p := b.posting("a", pay.PostingRefused, pay.PostingPayment)
		_, err := b.s.PostingByID(b.ctx, b.elsewhere().tenant.ID, p.ID)
		b.code(pay.CodeNotFound, err)
		moved := *p
		moved.State, moved.UpdatedAt = pay.PostingPosted, Now.Add(time.Minute)
		b.write(func(tx pay.Tx) error {
			ok, err := tx.MovePosting(b.ctx, &moved, pay.PostingPending)
			b.same("from another state", false, ok)
			return err
		})
		b.write(func(tx pay.Tx) error {
			ok, err := tx.MovePosting(b.ctx, &moved, pay.PostingRefused)
			b.same("moved", true, ok)
			return err
		})
		b.same("read", &moved, got(b, b.s.PostingByID, p.ID))
	},
	"ListingsTellWhichKindIsFurthestBehind": func(b *bench) {
		b.write(func(tx pay.Tx) error {
			if err := tx.SetSweepMark(b.ctx, b.tenant.ID, pay.ListBalance, pay.SweepMark{Through: Now}, Now); err != nil {
				return err
			}
			return tx.SetSweepMark(b.ctx, b.tenant.ID, pay.ListPayouts, pay.SweepMark{Through: Now.Add(-time.Hour)}, Now)
		})
		b.same("listings", []*pay.OldestListing{{TenantID: b.tenant.ID, Kinds: 2, Through: Now.Add(-time.Hour)}}, must(b.s.OldestListings(b.ctx)))
	},
}

// posting stores a posting about a subject of that name.
func (b *bench) posting(subject string, state pay.PostingState, kind pay.PostingKind) *pay.Posting {
	b.Helper()
	p := &pay.Posting{ID: pay.NewID("pst", Now), TenantID: b.tenant.ID, CustomerID: b.customer.ID, Kind: kind, SubjectID: "pay_" + subject,
		Amount: pay.Money{Minor: 500, Currency: "GBP"}, State: state, CreatedAt: Now, UpdatedAt: Now}
	Write(b, b.s, func(ctx context.Context, tx pay.Tx) error { return tx.InsertPosting(ctx, p) })
	return p
}
