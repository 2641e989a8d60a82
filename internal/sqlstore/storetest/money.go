package storetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/portatill/portatill/pay"
)

// sold is a paid order of the case's customer.
func (b *bench) sold() *Sale {
	b.Helper()
	o := Order(b, b.s, b.customer)
	return Pay(b, b.s, o, Attempt(b, b.s, o))
}

// refund stores a refund of a sale.
func refund(s *Sale, minor int64) *pay.Refund {
	n := next()
	return &pay.Refund{ID: pay.NewID("ref", Now), TenantID: s.Order.TenantID, PaymentID: s.Payment.ID, OrderID: s.Order.ID,
		StripeRefundID: fmt.Sprintf("re_%d", n), State: pay.RefundPending, Amount: pay.Money{Minor: minor, Currency: "GBP"},
		Reason: "requested_by_customer", Cause: pay.Cause{Kind: pay.CauseStaff, ID: "usr_1"}, CreatedAt: Now, UpdatedAt: Now}
}

var moneyCases = map[string]func(b *bench){
	"APaymentComesBackByOrderAndByIntent": func(b *bench) {
		sale := b.sold()
		b.same("by order", sale.Payment, got(b, b.s.PaymentByOrder, sale.Order.ID))
		b.same("by intent", sale.Payment, got(b, b.s.PaymentByIntent, sale.Payment.IntentID))
		_, err := b.s.PaymentByOrder(b.ctx, b.tenant.ID, "ord_none")
		b.code(pay.CodeNotFound, err)
		p := *sale.Payment
		p.Fee, p.BalanceTransaction, p.UpdatedAt = pay.Money{Minor: 41, Currency: "EUR"}, "txn_1", Now.Add(time.Minute)
		b.write(func(tx pay.Tx) error { return tx.SetPaymentFee(b.ctx, &p) })
		b.same("with its fee", &p, got(b, b.s.PaymentByOrder, sale.Order.ID))
	},
	"AnOrderAndAnIntentHaveOnePayment": func(b *bench) {
		sale, other := b.sold(), Order(b, b.s, b.customer)
		Attempt(b, b.s, other)
		b.write(func(tx pay.Tx) error {
			again := *sale.Payment
			again.ID, again.IntentID = pay.NewID("pay", Now), "pi_other"
			b.code(pay.CodeConflict, tx.InsertPayment(b.ctx, &again))
			again = *sale.Payment
			again.ID, again.OrderID = pay.NewID("pay", Now), other.ID
			b.code(pay.CodeConflict, tx.InsertPayment(b.ctx, &again))
			return nil
		})
		b.same("books", []string(nil), must(b.s.VerifyBooks(b.ctx)))
	},
	"NoMoreIsRefundedThanWasPaid": func(b *bench) {
		sale := b.sold()
		for minor, ok := range map[int64]bool{1440: true, 0: true, 1441: false, -1: false} {
			err := b.s.InTx(b.ctx, func(tx pay.Tx) error {
				return tx.SetRefunded(b.ctx, b.tenant.ID, sale.Payment.ID, minor, Now)
			})
			if (err == nil) != ok {
				b.Errorf("refunded sum %d: %v", minor, err)
			}
		}
		b.refused("a payment of 0", `UPDATE payments SET amount_minor = 0 WHERE id = $1`, sale.Payment.ID)
	},
	"ARefundIsStoredOnceAndMovesFromItsState": func(b *bench) {
		sale := b.sold()
		r := refund(sale, 500)
		b.write(func(tx pay.Tx) error { return tx.InsertRefund(b.ctx, r) })
		b.write(func(tx pay.Tx) error {
			again := *r
			again.ID = pay.NewID("ref", Now)
			b.code(pay.CodeConflict, tx.InsertRefund(b.ctx, &again))
			moved, err := tx.MoveRefund(b.ctx, b.tenant.ID, r.ID, pay.RefundPending, pay.RefundSucceeded, Now.Add(time.Minute))
			b.same("moved", true, moved)
			return err
		})
		b.write(func(tx pay.Tx) error {
			moved, err := tx.MoveRefund(b.ctx, b.tenant.ID, r.ID, pay.RefundPending, pay.RefundFailed, Now)
			b.same("moved", false, moved)
			return err
		})
		r.State, r.UpdatedAt = pay.RefundSucceeded, Now.Add(time.Minute)
		b.same("list", []*pay.Refund{r}, must(b.s.ListRefunds(b.ctx, b.tenant.ID, sale.Payment.ID)))
	},
}

// entry makes a balanced one: money in, owed to the customer.
func (b *bench) entry(fact string, minor int64) *pay.LedgerEntry {
	return &pay.LedgerEntry{ID: pay.NewID("led", Now), TenantID: b.tenant.ID, Kind: pay.EntrySuspense, Fact: fact, Currency: "GBP",
		Cause: pay.Cause{Kind: pay.CauseSweep, ID: "job_1"}, At: Now, Lines: []pay.LedgerLine{
			{Account: pay.AccountStripe, AmountMinor: minor},
			{Account: pay.AccountCustomer, CustomerID: b.customer.ID, AmountMinor: -minor}}}
}

var ledgerCases = map[string]func(b *bench){
	"AFactBooksOnceWhoeverTells": func(b *bench) {
		booked := make(chan bool, 8)
		together(b.T, 8, func(int) {
			var now bool
			if err := b.s.InTx(b.ctx, func(tx pay.Tx) (err error) {
				now, err = tx.InsertEntry(b.ctx, b.entry("pi_1:captured", 700))
				return err
			}); err != nil {
				b.Errorf("insert entry: %v", err)
			}
			booked <- now
		})
		n := 0
		for range 8 {
			if <-booked {
				n++
			}
		}
		b.same("booked", 1, n)
		b.same("balances", []pay.AccountBalance{
			{TenantID: b.tenant.ID, Tenant: b.tenant.Slug, Account: pay.AccountCustomer, Balance: pay.Money{Minor: -700, Currency: "GBP"}},
			{TenantID: b.tenant.ID, Tenant: b.tenant.Slug, Account: pay.AccountStripe, Balance: pay.Money{Minor: 700, Currency: "GBP"}},
		}, must(b.s.Balances(b.ctx, "")))
	},
	"FiftyCreditsAtOnceAddUp": func(b *bench) {
		want := int64(0)
		for i := range 50 {
			want += int64(i + 1)
		}
		together(b.T, 50, func(i int) {
			if err := b.s.InTx(b.ctx, func(tx pay.Tx) error {
				_, err := tx.InsertEntry(b.ctx, b.entry(fmt.Sprintf("pi_%d:captured", i), int64(i+1)))
				return err
			}); err != nil {
				b.Errorf("credit %d: %v", i, err)
			}
		})
		list := must(b.s.CustomerBalances(b.ctx, b.tenant.ID))
		if len(list) != 1 || list[0].Credit.Minor != want {
			b.Errorf("the credit is %v, want %d", list, want)
		}
		b.same("books", []string(nil), must(b.s.VerifyBooks(b.ctx)))
	},
	"AnEntryComesBackWithItsLinesInOrder": func(b *bench) {
		sale := b.sold()
		fee := b.entry("txn_1:fee", 3)
		fee.Kind, fee.OrderID, fee.Lines = pay.EntryFee, sale.Order.ID, []pay.LedgerLine{
			{Account: pay.AccountFees, AmountMinor: 40}, {Account: pay.AccountVAT, AmountMinor: 8}, {Account: pay.AccountStripe, AmountMinor: -48}}
		b.write(func(tx pay.Tx) error {
			_, err := tx.InsertEntry(b.ctx, fee)
			return err
		})
		list := must(b.s.ListEntries(b.ctx, b.tenant.ID, sale.Order.ID))
		for i, e := range []*pay.LedgerEntry{sale.Entry, fee} { // the database's own columns; a database that was used before counts on
			e.Seq, e.Hash = list[0].Seq+int64(i), e.Sum()
		}
		b.same("entries", []*pay.LedgerEntry{sale.Entry, fee}, list)
	},
	// An id begins with its time. Whoever walks the ledger from the two on that were booked last, which a clock had made
	// the first and the last of all, gets their lines and no other's, also where all others lie between them.
	"ALedgerBookedWhileTheClockJumpedIsWalkedInItsOrder": func(b *bench) {
		var booked []*pay.LedgerEntry
		book := func(fact string, made time.Time) {
			e := b.entry(fact, int64(100+len(booked)))
			e.ID = pay.NewID("led", made)
			b.write(func(tx pay.Tx) error {
				_, err := tx.InsertEntry(b.ctx, e)
				return err
			})
			booked = append(booked, e)
		}
		for i := range 20 {
			book(fmt.Sprintf("pi_%d:captured", i), Now.Add(-time.Duration(i)*time.Second)) // backwards
		}
		book("pi_early:captured", Now.Add(-time.Hour))
		book("pi_late:captured", Now.Add(time.Hour))
		var walked []*pay.LedgerEntry
		walk := func(after int64) []*pay.LedgerEntry {
			walked = nil
			if err := b.s.WalkLedger(b.ctx, b.tenant.ID, after, 0, func(e *pay.LedgerEntry) error {
				walked = append(walked, e)
				return nil
			}); err != nil {
				b.Fatal(err)
			}
			return walked
		}
		all := walk(0)
		for i, e := range booked {
			e.Seq, e.Hash = all[i].Seq, e.Sum() // the database's own columns
		}
		b.same("all", booked, all)
		b.same("the last two", booked[20:], walk(booked[19].Seq))
		b.same("all but one", booked[1:], walk(booked[0].Seq))
	},
	"AnEntryThatDoesNotBalanceIsRefused": func(b *bench) {
		bad := b.entry("pi_1:captured", 700)
		bad.Lines[0].AmountMinor = 699
		err := b.s.InTx(b.ctx, func(tx pay.Tx) error {
			_, err := tx.InsertEntry(b.ctx, bad)
			return err
		})
		if err == nil {
			b.Error("it was booked")
		}
	},
	"TheDatabaseItselfRefusesAnEntryThatDoesNotBalance": func(b *bench) {
		for name, lines := range map[string][]int64{"off by one": {700, -699}, "one line": {700}, "no lines": {}} {
			err := rawEntry(b, "raw "+name, lines)
			if err == nil {
				b.Errorf("%s was booked", name)
			}
		}
		if err := rawEntry(b, "raw balanced", []int64{700, 100, -800}); err != nil {
			b.Errorf("a balanced entry was refused: %v", err)
		}
		b.same("books", []string(nil), must(b.s.VerifyBooks(b.ctx)))
	},
	"LedgerAndStoryAreAppendOnly": func(b *bench) {
		sale := b.sold()
		b.write(func(tx pay.Tx) error {
			return tx.InsertStory(b.ctx, &pay.StoryLine{ID: pay.NewID("sty", Now), TenantID: b.tenant.ID, OrderID: sale.Order.ID, At: Now, What: "paid"})
		})
		for _, q := range []string{
			`UPDATE ledger_entries SET memo = 'x'`, `DELETE FROM ledger_entries`,
			`UPDATE ledger_lines SET amount_minor = amount_minor * 2`, `DELETE FROM ledger_lines`,
			`UPDATE story SET detail = 'x'`, `DELETE FROM story`,
		} {
			if words := b.refused(q, q); !strings.Contains(words, "append-only") {
				b.Errorf("%s was refused for another reason: %s", q, words)
			}
		}
	},
}

// rawEntry books an entry by SQL of its own, past the Go code's checks.
func rawEntry(b *bench, fact string, lines []int64) error {
	t, err := b.s.DB().BeginTx(b.ctx, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = t.Rollback() }()
	id := pay.NewID("led", Now)
	if _, err := t.ExecContext(b.ctx, `INSERT INTO ledger_entries (id, tenant_id, kind, fact, currency, cause_kind, cause_id, memo, at, hash)
		VALUES ($1, $2, 'fee', $3, 'GBP', 'staff', 'usr_1', '', 1, $4)`, id, b.tenant.ID, fact, strings.Repeat("0", 64)); err != nil {
		b.Fatal(err)
	}
	for i, minor := range lines {
		if _, err := t.ExecContext(b.ctx, `INSERT INTO ledger_lines (tenant_id, entry_id, number, account, amount_minor)
			VALUES ($1, $2, $3, 'fees', $4)`, b.tenant.ID, id, i+1, minor); err != nil {
			b.Fatal(err)
		}
	}
	return t.Commit()
}

var outboxCases = map[string]func(b *bench){
	"APaymentHasOnePosting": func(b *bench) {
		sale := b.sold()
		b.write(func(tx pay.Tx) error {
			again := *sale.Posting
			again.ID = pay.NewID("pst", Now)
			b.code(pay.CodeConflict, tx.InsertPosting(b.ctx, &again))
			return nil
		})
		b.same("list", []*pay.Posting{sale.Posting}, must(b.s.ListPostings(b.ctx, b.tenant.ID, sale.Order.ID)))
	},
	"MoneyWithoutAnOwnerIsHeld": func(b *bench) {
		b.write(func(tx pay.Tx) error {
			return tx.InsertPosting(b.ctx, &pay.Posting{ID: pay.NewID("pst", Now), TenantID: b.tenant.ID, Kind: pay.PostingPayment, SubjectID: "pay_x",
				Amount: pay.Money{Minor: 5, Currency: "GBP"}, State: pay.PostingHeld, CreatedAt: Now, UpdatedAt: Now})
		})
	},
	"AFactIsNotifiedOnce": func(b *bench) {
		sale := b.sold()
		b.write(func(tx pay.Tx) error {
			again := *sale.Delivery
			again.ID, again.Payload = pay.NewID("dlv", Now), "other"
			return tx.InsertDelivery(b.ctx, &again)
		})
		b.same("list", []*pay.Delivery{sale.Delivery}, must(b.s.ListDeliveries(b.ctx, b.tenant.ID, sale.Order.ID)))
	},
	"UnclaimedMoneyIsShownOnce": func(b *bench) {
		o := Order(b, b.s, b.customer)
		first := &pay.Unclaimed{ID: pay.NewID("unc", Now), TenantID: b.tenant.ID, ObjectID: "pi_1", OrderID: o.ID,
			Amount: pay.Money{Minor: 900, Currency: "GBP"}, Reason: "overpaid", Detail: "a second payment", State: "open", CreatedAt: Now, UpdatedAt: Now}
		again := *first
		again.ID = pay.NewID("unc", Now)
		unknown := &pay.Unclaimed{ID: pay.NewID("unc", Now.Add(time.Second)), TenantID: b.tenant.ID, ObjectID: "evt_2", Reason: "no_order", State: "open",
			CreatedAt: Now, UpdatedAt: Now}
		for _, u := range []*pay.Unclaimed{first, &again, unknown} {
			b.write(func(tx pay.Tx) error { return tx.InsertUnclaimed(b.ctx, u) })
		}
		b.same("list", []*pay.Unclaimed{unknown, first}, must(b.s.ListUnclaimed(b.ctx, b.tenant.ID)))
	},
	"AnEventIsStoredOnceAndFinishedUntilApplied": events,
	"TheStoryIsToldInOrder": func(b *bench) {
		o := Order(b, b.s, b.customer)
		var want []*pay.StoryLine
		b.write(func(tx pay.Tx) error {
			for i, what := range []string{"requested", "session_opened", "sent_to_stripe", "paid"} {
				l := &pay.StoryLine{ID: pay.NewID("sty", Now), TenantID: b.tenant.ID, OrderID: o.ID, At: Now.Add(time.Duration(i/2) * time.Second),
					What: what, Cause: pay.Cause{Kind: pay.CauseRequest, ID: o.ID}, Detail: "d"}
				want = append(want, l)
				if err := tx.InsertStory(b.ctx, l); err != nil {
					return err
				}
			}
			return nil
		})
		b.same("story", want, must(b.s.ListStory(b.ctx, b.tenant.ID, o.ID)))
	},
	"AJobIsThereExactlyWhenItsChangeIs": func(b *bench) {
		job := pay.SettleJob{TenantID: b.tenant.ID, ObjectID: "cs_1", Cause: pay.Cause{Kind: pay.CauseWebhook, ID: "evt_1"}, EventID: "evt_x", At: Now}
		b.write(func(tx pay.Tx) error { return tx.Enqueue(b.ctx, job) })
		if err := b.s.InTx(b.ctx, func(tx pay.Tx) error {
			if err := tx.Enqueue(b.ctx, pay.SettleJob{ObjectID: "cs_2"}); err != nil {
				return err
			}
			return errUndo
		}); err != errUndo { //nolint:errorlint // the very error must come back
			b.Errorf("the caller's error came back as %v", err)
		}
		b.same("jobs", []pay.SettleJob{job}, Jobs[pay.SettleJob](b, b.s))
	},
}

func events(b *bench) {
	e := &pay.Event{ID: pay.NewID("evn", Now), TenantID: b.tenant.ID, StripeID: "evt_1", Type: "checkout.session.completed", ObjectID: "cs_1",
		APIVersion: "2023-10-16", Livemode: true, Payload: []byte("{\"id\":\"evt_1\"}\x00\xff"), State: pay.EventReceived, ReceivedAt: Now}
	stored := make(chan bool, 8)
	together(b.T, 8, func(i int) {
		mine := *e
		mine.ID = fmt.Sprintf("%s%d", e.ID, i)
		var now bool
		if err := b.s.InTx(b.ctx, func(tx pay.Tx) (err error) {
			now, err = tx.InsertEvent(b.ctx, &mine)
			return err
		}); err != nil {
			b.Errorf("insert event: %v", err)
		}
		stored <- now
	})
	n := 0
	for range 8 {
		if <-stored {
			n++
		}
	}
	b.same("stored", 1, n)
	list := must(b.s.ListEvents(b.ctx, pay.EventFilter{TenantID: b.tenant.ID, State: pay.EventReceived, Limit: 10}))
	e.ID = list[0].ID
	b.same("received", []*pay.Event{e}, list)
	finish := func(state pay.EventState) *pay.Event {
		b.write(func(tx pay.Tx) error { return tx.FinishEvent(b.ctx, b.tenant.ID, e.ID, state, "n:"+string(state), Now) })
		return got(b, b.s.EventByID, e.ID)
	}
	b.same("gave up", pay.EventFailed, finish(pay.EventFailed).State)
	if again := finish(pay.EventReceived); again.State != pay.EventReceived || !again.DoneAt.IsZero() {
		b.Errorf("replayed: %s, done %s", again.State, again.DoneAt)
	}
	b.same("applied", pay.EventApplied, finish(pay.EventApplied).State)
	after := finish(pay.EventFailed)
	b.same("stays applied", "n:applied", after.Note)
	b.same("none is received", 0, len(must(b.s.ListEvents(b.ctx, pay.EventFilter{TenantID: b.tenant.ID, State: pay.EventReceived, Limit: 10}))))
	b.same("all", 1, len(must(b.s.ListEvents(b.ctx, pay.EventFilter{TenantID: b.tenant.ID}))))
	b.code(pay.CodeNotFound, b.s.InTx(b.ctx, func(tx pay.Tx) error {
		return tx.FinishEvent(b.ctx, b.tenant.ID, "evn_none", pay.EventApplied, "", Now)
	}))
}
