package storetest

import (
	"strconv"
	"strings"
	"time"

	"github.com/portatill/portatill/internal/backoffice"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
)

// mail stores a receipt of an order of the case's, or a daily letter when o is nil.
func (b *bench) mail(o *pay.Order, changes ...func(*pay.Mail)) *pay.Mail {
	b.Helper()
	m := &pay.Mail{ID: pay.NewID("eml", Now), TenantID: b.tenant.ID, Kind: pay.MailReceipt, State: pay.MailPending, CreatedAt: Now, UpdatedAt: Now}
	if o != nil {
		m.OrderID = o.ID
	}
	for _, change := range changes {
		change(m)
	}
	if m.Fact == "" {
		m.Fact = m.ID
	}
	b.write(func(tx pay.Tx) error {
		fresh, err := tx.InsertMail(b.ctx, m)
		b.same("stored", true, fresh)
		return err
	})
	return m
}

var mailCases = map[string]func(b *bench){
	"EveryFieldOfAMailComesBack": func(b *bench) {
		o := Order(b, b.s, b.customer)
		want := b.mail(o)
		b.same("by id", want, must(b.s.MailByID(b.ctx, want.ID)))
		p := b.person(func(p *staff.Person) { p.Role, p.TenantID = staff.TenantAdmin, b.tenant.ID })
		letter := b.mail(nil, func(m *pay.Mail) { m.Kind, m.PersonID, m.Content, m.Tries = pay.MailDaily, p.ID, `{"findings":[]}`, 3 })
		b.same("a letter", letter, must(b.s.MailByID(b.ctx, letter.ID)))
		operator := b.person()
		own := b.mail(nil, func(m *pay.Mail) { m.Kind, m.PersonID, m.TenantID = pay.MailDaily, operator.ID, "" })
		b.same("an operator's", own, must(b.s.MailByID(b.ctx, own.ID)))
		_, err := b.s.MailByID(b.ctx, "eml_none")
		b.code(pay.CodeNotFound, err)
	},
	"AFactHasOneMail": func(b *bench) {
		m := b.mail(Order(b, b.s, b.customer))
		again := *m
		again.ID = pay.NewID("eml", Now)
		b.write(func(tx pay.Tx) error {
			fresh, err := tx.InsertMail(b.ctx, &again)
			b.same("stored again", false, fresh)
			return err
		})
	},
	"AMailEndsOnceAndItsOrdersStoryTellsIt": func(b *bench) {
		o := Order(b, b.s, b.customer)
		m := b.mail(o)
		m.State, m.Outcome, m.Tries, m.UpdatedAt = pay.MailSent, "250 ok", 2, Now.Add(time.Minute)
		story := func() *pay.StoryLine {
			return &pay.StoryLine{ID: pay.NewID("sto", Now), TenantID: b.tenant.ID, OrderID: o.ID, At: Now, What: "mail_sent", Cause: pay.Cause{Kind: pay.CauseMail, ID: m.ID}}
		}
		for i, want := range []bool{true, false} {
			again := *m
			if i > 0 {
				again.State, again.Outcome = pay.MailUnsent, "too late"
			}
			b.same("ended", want, must(b.s.FinishMail(b.ctx, &again, story())))
		}
		b.same("stored", m, must(b.s.MailByID(b.ctx, m.ID)))
		if lines := must(b.s.ListStory(b.ctx, b.tenant.ID, o.ID)); len(lines) != 1 {
			b.Errorf("the story has %d lines", len(lines))
		}
	},
	"MailsAreListedNewestFirstByPagesAndFound": func(b *bench) {
		o := Order(b, b.s, b.customer)
		operator := b.person()
		at := func(n int) string { return pay.NewID("eml", Now.Add(time.Duration(n)*time.Hour)) }
		first := b.mail(o, func(m *pay.Mail) { m.ID = at(0) })
		second := b.mail(o, func(m *pay.Mail) { m.ID, m.State = at(1), pay.MailUnsent })
		letter := b.mail(nil, func(m *pay.Mail) { m.ID, m.Kind, m.PersonID, m.TenantID = at(2), pay.MailDaily, operator.ID, "" })
		other := Tenant(b, b.s)
		theirOrder := Order(b, b.s, Customer(b, b.s, other.ID))
		theirs := b.mail(theirOrder, func(m *pay.Mail) { m.ID, m.TenantID = at(3), other.ID })
		mine, all := []string{b.tenant.ID}, []string{b.tenant.ID, other.ID}
		type f = backoffice.MailFilter
		filter := func(tenants []string, changes ...func(*f)) f {
			f := f{Filter: backoffice.Filter{Tenants: tenants}}
			for _, change := range changes {
				change(&f)
			}
			return f
		}
		find := func(text string) func(*f) { return func(f *f) { f.Search = text } }
		operators := func(f *f) { f.Operators = true }
		for what, c := range map[string]struct {
			f    f
			want []*pay.Mail
		}{
			"nobody's": {filter(nil), nil}, "mine": {filter(mine), []*pay.Mail{second, first}}, "everybody's": {filter(all, operators), []*pay.Mail{theirs, letter, second, first}},
			"of all tenants": {filter(all), []*pay.Mail{theirs, second, first}}, "operators' alone": {filter(nil, operators), []*pay.Mail{letter}},
			"failed": {filter(mine, func(f *f) { f.State = pay.MailUnsent }), []*pay.Mail{second}}, "failed of all": {filter(all, operators, func(f *f) { f.State = pay.MailUnsent }), []*pay.Mail{second}},
			"by order": {filter(all, operators, find(o.ID)), []*pay.Mail{second, first}}, "by another's order": {filter(mine, find(theirOrder.ID)), nil},
			"by id": {filter(all, operators, find(letter.ID)), []*pay.Mail{letter}}, "another's id": {filter(mine, find(theirs.ID)), nil},
			"by number": {filter(mine, find(strconv.FormatInt(b.customer.ICustomer, 10))), []*pay.Mail{second, first}}, "by nobody's number": {filter(all, find("0")), nil},
			"by address": {filter(mine, find(strings.ToUpper(b.customer.Email))), []*pay.Mail{second, first}}, "by no address": {filter(all, operators, find("' OR 1=1 --")), nil},
			"since":   {filter(all, operators, func(f *f) { f.From = Now.Add(2 * time.Hour) }), []*pay.Mail{theirs, letter}},
			"until":   {filter(mine, func(f *f) { f.Until = Now.Add(time.Hour) }), []*pay.Mail{first}},
			"of none": {filter(mine, func(f *f) { f.State, f.Search = pay.MailSent, o.ID }), nil},
		} {
			b.same(what, backoffice.Page[pay.Mail]{Rows: c.want}, must(b.s.PageMails(b.ctx, c.f)))
		}
		page := func(p backoffice.Paging) backoffice.Page[pay.Mail] {
			return must(b.s.PageMails(b.ctx, filter(all, operators, func(f *f) { f.Paging = p })))
		}
		type mails = backoffice.Page[pay.Mail]
		b.same("the newest", mails{Rows: []*pay.Mail{theirs, letter}, Older: true}, page(backoffice.Paging{Limit: 2}))
		b.same("older", mails{Rows: []*pay.Mail{second, first}, Newer: true}, page(backoffice.Paging{Limit: 2, After: letter.ID}))
		b.same("newer", mails{Rows: []*pay.Mail{letter, second}, Newer: true, Older: true}, page(backoffice.Paging{Limit: 2, Before: first.ID}))
		b.same("back at the top", mails{Rows: []*pay.Mail{theirs, letter}, Older: true}, page(backoffice.Paging{Limit: 2, Before: second.ID}))
	},
	"WhatNeedsAPersonIsCountedPerTenant": func(b *bench) {
		o := Order(b, b.s, b.customer)
		b.same("nothing", &pay.Attention{}, must(b.s.NeedsPerson(b.ctx, b.tenant.ID, Now)))
		b.mail(o, func(m *pay.Mail) { m.State = pay.MailUnsent })
		b.write(func(tx pay.Tx) error {
			if moved, err := tx.MoveOrder(b.ctx, b.tenant.ID, o.ID, o.State, pay.OrderMismatch, "differs", Now); err != nil || !moved {
				b.Fatalf("move the order: %v, %v", moved, err)
			}
			return tx.InsertUnclaimed(b.ctx, &pay.Unclaimed{ID: pay.NewID("unc", Now), TenantID: b.tenant.ID, ObjectID: "pi_stray", Amount: pay.Money{Currency: "GBP"}, Reason: "no_order",
				State: pay.UnclaimedOpen, CreatedAt: Now, UpdatedAt: Now})
		})
		b.same("counted", &pay.Attention{Unclaimed: 1, Mismatches: 1, MailsFailed: 1}, must(b.s.NeedsPerson(b.ctx, b.tenant.ID, Now)))
		b.same("what failed is forgotten in time", &pay.Attention{Unclaimed: 1, Mismatches: 1}, must(b.s.NeedsPerson(b.ctx, b.tenant.ID, Now.Add(time.Hour))))
		b.same("another's", &pay.Attention{}, must(b.s.NeedsPerson(b.ctx, Tenant(b, b.s).ID, Now)))
	},
}
