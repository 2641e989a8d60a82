package storetest

import (
	"time"

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
	"MailsAreListedNewestFirstAndByPages": func(b *bench) {
		o := Order(b, b.s, b.customer)
		first := b.mail(o)
		second := b.mail(o, func(m *pay.Mail) { m.ID, m.State = pay.NewID("eml", Now.Add(time.Second)), pay.MailUnsent })
		other := Tenant(b, b.s)
		for what, c := range map[string]struct {
			f    pay.MailFilter
			want []*pay.Mail
		}{
			"all": {pay.MailFilter{TenantID: b.tenant.ID}, []*pay.Mail{second, first}}, "older": {pay.MailFilter{Before: second.ID}, []*pay.Mail{first}},
			"failed": {pay.MailFilter{State: pay.MailUnsent}, []*pay.Mail{second}}, "one": {pay.MailFilter{Limit: 1}, []*pay.Mail{second}},
			"another's": {pay.MailFilter{TenantID: other.ID}, nil}, "failed of one": {pay.MailFilter{TenantID: b.tenant.ID, State: pay.MailUnsent, Before: first.ID}, nil},
		} {
			b.same(what, c.want, must(b.s.ListMails(b.ctx, c.f)))
		}
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
