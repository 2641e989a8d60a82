package storetest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/pay"
)

var orderStates = []pay.OrderState{pay.OrderDraft, pay.OrderOpen, pay.OrderProcessing, pay.OrderPaid, pay.OrderFailed,
	pay.OrderExpired, pay.OrderCancelled, pay.OrderMismatch}

var orderCases = map[string]func(b *bench){
	"EveryFieldComesBack": func(b *bench) {
		o := Order(b, b.s, b.customer, func(o *pay.Order) { o.IdempotencyKey, o.StateReason = "key-1", "words" })
		b.same("by id", o, got(b, b.s.OrderByID, o.ID))
		b.same("by token", o, must(b.s.OrderByPayToken(b.ctx, o.PayToken)))
		b.same("by key", o, got(b, b.s.OrderByIdempotencyKey, "key-1"))
		_, err := b.s.OrderByIdempotencyKey(b.ctx, b.tenant.ID, "")
		b.code(pay.CodeNotFound, err)
	},
	"ARepeatedRequestIsAConflictWhileItsOrderIsLive": func(b *bench) {
		first := Order(b, b.s, b.customer)
		twin := NewOrder(b.customer, func(o *pay.Order) { o.Digest = first.Digest })
		b.write(func(tx pay.Tx) error {
			b.code(pay.CodeConflict, tx.InsertOrder(b.ctx, twin))
			live, err := tx.LiveOrderByDigest(b.ctx, b.tenant.ID, first.Digest) // the transaction is still good
			b.same("the live order", first.ID, live.ID)
			return err
		})
		keyed := NewOrder(b.customer, func(o *pay.Order) { o.Digest, o.IdempotencyKey = first.Digest, "key-1" })
		b.write(func(tx pay.Tx) error { return tx.InsertOrder(b.ctx, keyed) })
		b.same("the live order besides a keyed one", first.ID, got(b, b.s.LiveOrderByDigest, first.Digest).ID)
		move(b, first, pay.OrderOpen, pay.OrderExpired)
		_, err := b.s.LiveOrderByDigest(b.ctx, b.tenant.ID, first.Digest)
		b.code(pay.CodeNotFound, err)
		b.write(func(tx pay.Tx) error { return tx.InsertOrder(b.ctx, twin) })
	},
	"AKeyOrTokenIsTakenForGood": func(b *bench) {
		first := Order(b, b.s, b.customer, func(o *pay.Order) { o.IdempotencyKey = "key-1" })
		move(b, first, pay.OrderOpen, pay.OrderCancelled)
		b.write(func(tx pay.Tx) error {
			b.code(pay.CodeConflict, tx.InsertOrder(b.ctx, NewOrder(b.customer, func(o *pay.Order) { o.IdempotencyKey = "key-1" })))
			b.code(pay.CodeConflict, tx.InsertOrder(b.ctx, NewOrder(b.customer, func(o *pay.Order) { o.PayToken = first.PayToken })))
			return nil
		})
	},
	"OnlyTheGraphsEdgesMoveAnOrder": func(b *bench) {
		for _, from := range orderStates {
			for _, to := range orderStates {
				o := NewOrder(b.customer, func(o *pay.Order) {
					if o.State = from; from == pay.OrderPaid {
						o.PaidAt, o.Evidence = Now, "pi_1"
					}
				})
				b.write(func(tx pay.Tx) error { return tx.InsertOrder(b.ctx, o) })
				var moved bool
				err := b.s.InTx(b.ctx, func(tx pay.Tx) (err error) {
					moved, err = tx.MoveOrder(b.ctx, o.TenantID, o.ID, from, to, "a reason", Now.Add(time.Minute))
					return err
				})
				allowed := from.MayMove(to) && to != pay.OrderPaid
				after := got(b, b.s.OrderByID, o.ID)
				if moved != allowed || (err == nil) != allowed || (after.State == to && after.StateReason == "a reason") != allowed {
					b.Errorf("%s → %s: moved %v, error %v, now %s", from, to, moved, err, after.State)
				}
				if after.Evidence != o.Evidence {
					b.Errorf("%s → %s lost the evidence", from, to)
				}
			}
		}
	},
	"AnOrderInAnotherStateIsNotMoved": func(b *bench) {
		o := Order(b, b.s, b.customer)
		b.write(func(tx pay.Tx) error {
			moved, err := tx.MoveOrder(b.ctx, o.TenantID, o.ID, pay.OrderProcessing, pay.OrderFailed, "", Now)
			b.same("moved", false, moved)
			if err != nil {
				return err
			}
			moved, err = tx.MarkOrderPaid(b.ctx, o.TenantID, o.ID, pay.OrderProcessing, "pi_1", Now)
			b.same("paid", false, moved)
			return err
		})
		b.same("unchanged", o, got(b, b.s.OrderByID, o.ID))
	},
	"PaidNeedsEvidence": func(b *bench) {
		o := Order(b, b.s, b.customer)
		for _, evidence := range []string{"", "pi_1"} {
			err := b.s.InTx(b.ctx, func(tx pay.Tx) error {
				_, err := tx.MarkOrderPaid(b.ctx, o.TenantID, o.ID, pay.OrderOpen, evidence, Now)
				return err
			})
			if (err == nil) != (evidence != "") {
				b.Errorf("evidence %q: %v", evidence, err)
			}
		}
		after := got(b, b.s.OrderByID, o.ID)
		if after.State != pay.OrderPaid || after.Evidence != "pi_1" || !after.PaidAt.Equal(Now) {
			b.Errorf("after payment: %s, evidence %q, at %s", after.State, after.Evidence, after.PaidAt)
		}
		b.refused("a paid order without evidence", `UPDATE orders SET evidence = '' WHERE id = $1`, o.ID)
		b.refused("an open order with evidence", `UPDATE orders SET state = 'open' WHERE id = $1`, o.ID)
	},
	"ListsAreFilteredAndPagedNewestFirst": listOrders,
	"OfManyMoversOneWins":                 raceMovers,
}

func move(b *bench, o *pay.Order, from, to pay.OrderState) {
	b.Helper()
	b.write(func(tx pay.Tx) error {
		moved, err := tx.MoveOrder(b.ctx, o.TenantID, o.ID, from, to, "", Now)
		b.same("moved", true, moved)
		return err
	})
}

func listOrders(b *bench) {
	other := Customer(b, b.s, b.tenant.ID)
	var all []string
	for i := range 7 {
		o := NewOrder(b.customer, func(o *pay.Order) {
			o.CreatedAt = Now.Add(time.Duration(i) * time.Minute)
			o.ID = pay.NewID("ord", o.CreatedAt)
			if i%2 == 1 {
				o.State, o.FeatureName, o.ContentID, o.CustomerID = pay.OrderExpired, "roaming", 99, other.ID
			}
		})
		b.write(func(tx pay.Tx) error { return tx.InsertOrder(b.ctx, o) })
		all = append(all, o.ID)
	}
	Order(b, b.s, Customer(b, b.s, Tenant(b, b.s).ID)) // another tenant's
	slices.Reverse(all)
	odd := []string{all[1], all[3], all[5]}
	for name, c := range map[string]struct {
		f    pay.OrderFilter
		want []string
	}{
		"all":        {pay.OrderFilter{}, all},
		"first page": {pay.OrderFilter{Limit: 3}, all[:3]},
		"next page":  {pay.OrderFilter{Limit: 3, After: all[2]}, all[3:6]},
		"state":      {pay.OrderFilter{State: pay.OrderExpired}, odd},
		"feature":    {pay.OrderFilter{FeatureName: "roaming"}, odd},
		"content":    {pay.OrderFilter{ContentID: 99}, odd},
		"customer":   {pay.OrderFilter{CustomerID: other.ID, After: all[1]}, odd[1:]},
		"since":      {pay.OrderFilter{Since: Now.Add(5 * time.Minute)}, all[:2]},
	} {
		c.f.TenantID = b.tenant.ID
		var ids []string
		for _, o := range must(b.s.ListOrders(b.ctx, c.f)) {
			ids = append(ids, o.ID)
		}
		b.same(name, c.want, ids)
	}
}

// raceMovers has eight goroutines pay one order at once, round after round: one
// wins, and what it wrote is there once.
func raceMovers(b *bench) {
	for range 10 {
		o := Order(b, b.s, b.customer)
		a := Attempt(b, b.s, o)
		wins := make(chan *Sale, 8)
		together(b.T, 8, func(int) {
			sale := &Sale{Order: o, Attempt: a}
			won := false
			err := b.s.InTx(b.ctx, func(tx pay.Tx) (err error) {
				// Everyone comes with what they read before: the state was open.
				if won, err = tx.MarkOrderPaid(b.ctx, o.TenantID, o.ID, pay.OrderOpen, "pi_1", Now); err != nil || !won {
					return err
				}
				return sale.book(b.ctx, tx)
			})
			if err != nil {
				b.Errorf("a mover failed: %v", err)
			}
			if won {
				wins <- sale
			}
		})
		if n := len(wins); n != 1 {
			b.Fatalf("%d movers won", n)
		}
	}
	b.same("books", []string(nil), must(b.s.VerifyBooks(b.ctx)))
	b.same("credit", []pay.CustomerBalance{{TenantID: b.tenant.ID, CustomerID: b.customer.ID, ICustomer: b.customer.ICustomer, Name: b.customer.Name,
		Credit: pay.Money{Minor: 14_400, Currency: "GBP"}}}, must(b.s.CustomerBalances(b.ctx, b.tenant.ID)))
}

// together runs n goroutines that start at the same moment and waits for them.
func together(t *testing.T, n int, fn func(i int)) {
	t.Helper()
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	wg.Wait()
}

var attemptCases = map[string]func(b *bench){
	"EveryFieldComesBack": func(b *bench) {
		o := Order(b, b.s, b.customer)
		a := Attempt(b, b.s, o, func(a *pay.Attempt) { a.IntentID, a.Failure, a.StartedAt = "pi_1", "card_declined", Now })
		b.same("by id", a, got(b, b.s.AttemptByID, a.ID))
		b.same("by session", a, got(b, b.s.AttemptBySession, a.SessionID))
		b.same("by intent", a, got(b, b.s.AttemptByIntent, "pi_1"))
		second := Attempt(b, b.s, o, func(a *pay.Attempt) {
			a.Number, a.SessionID, a.ExpiresAt, a.CheckAt = 2, "", time.Time{}, time.Time{}
		})
		b.same("list", []*pay.Attempt{a, second}, must(b.s.ListAttempts(b.ctx, b.tenant.ID, o.ID)))
	},
	"ACreatedAttemptIsBoundOnce": func(b *bench) {
		o := Order(b, b.s, b.customer)
		a := Attempt(b, b.s, o, func(a *pay.Attempt) { a.State, a.SessionID, a.URL = pay.AttemptCreated, "", "" })
		for _, want := range []bool{true, false} {
			b.write(func(tx pay.Tx) error {
				bound := *a
				bound.SessionID, bound.URL, bound.ExpiresAt = "cs_1", "https://checkout.stripe.com/1", Now.Add(time.Hour)
				moved, err := tx.BindAttempt(b.ctx, &bound)
				b.same("bound", want, moved)
				return err
			})
		}
		after := got(b, b.s.AttemptBySession, "cs_1")
		if after.ID != a.ID || after.State != pay.AttemptOpen || after.URL == "" {
			b.Errorf("bound as %s, %s, %q", after.ID, after.State, after.URL)
		}
	},
	"AStripeObjectBelongsToOneAttempt": func(b *bench) {
		o := Order(b, b.s, b.customer)
		first := Attempt(b, b.s, o, func(a *pay.Attempt) { a.IntentID = "pi_1" })
		second := Attempt(b, b.s, o, func(a *pay.Attempt) { a.Number, a.State, a.SessionID = 2, pay.AttemptCreated, "" })
		b.write(func(tx pay.Tx) error {
			bad := *second
			bad.SessionID = first.SessionID
			_, err := tx.BindAttempt(b.ctx, &bad)
			b.code(pay.CodeConflict, err)
			bad = *second
			bad.IntentID = "pi_1"
			_, err = tx.MoveAttempt(b.ctx, &bad, pay.AttemptFailed)
			b.code(pay.CodeConflict, err)
			b.code(pay.CodeConflict, tx.InsertAttempt(b.ctx, NewAttempt(o))) // number 1 again
			_, err = tx.OrderByID(b.ctx, o.TenantID, o.ID)
			return err
		})
		b.same("unchanged", second, got(b, b.s.AttemptByID, second.ID))
	},
	"AMoveStoresWhatStripeSaid": func(b *bench) {
		a := Attempt(b, b.s, Order(b, b.s, b.customer))
		want := *a
		want.IntentID, want.Failure, want.CheckAt, want.UpdatedAt = "pi_9", "insufficient_funds", time.Time{}, Now.Add(time.Minute)
		for _, moves := range []bool{true, false} {
			b.write(func(tx pay.Tx) error {
				moved, err := tx.MoveAttempt(b.ctx, &want, pay.AttemptFailed)
				b.same("moved", moves, moved)
				return err
			})
		}
		want.State = pay.AttemptFailed
		b.same("moved", &want, got(b, b.s.AttemptByID, a.ID))
	},
	"OnlyTheFirstStartIsKept": func(b *bench) {
		a := Attempt(b, b.s, Order(b, b.s, b.customer))
		b.write(func(tx pay.Tx) error { return tx.StartAttempt(b.ctx, a.TenantID, a.ID, Now) })
		b.write(func(tx pay.Tx) error { return tx.StartAttempt(b.ctx, a.TenantID, a.ID, Now.Add(time.Hour)) })
		if s := got(b, b.s.AttemptByID, a.ID).StartedAt; !s.Equal(Now) {
			b.Errorf("started at %s", s)
		}
	},
	"DueAttemptsComeOldestFirstAndOnlyOpenOnes": dueAttempts,
}

func dueAttempts(b *bench) {
	add := func(s *sqlstore.Store, due time.Duration, state pay.AttemptState) string {
		return Attempt(b, s, Order(b, s, b.customer), func(a *pay.Attempt) { a.CheckAt, a.State = Now.Add(due), state }).ID
	}
	late, early := add(b.s, -time.Minute, pay.AttemptOpen), add(b.s, -time.Hour, pay.AttemptCreated)
	add(b.s, time.Minute, pay.AttemptOpen)
	add(b.s, -time.Hour, pay.AttemptExpired)
	later := add(b.s, time.Hour, pay.AttemptProcessing)
	due := func(limit int) []string {
		var ids []string
		for _, a := range must(b.s.AttemptsDue(b.ctx, Now, limit)) {
			ids = append(ids, a.ID)
		}
		return ids
	}
	b.same("due", []string{early, late}, due(10))
	b.same("one", []string{early}, due(1))
	b.write(func(tx pay.Tx) error { return tx.RescheduleAttempt(b.ctx, b.tenant.ID, later, Now) })
	b.write(func(tx pay.Tx) error { return tx.RescheduleAttempt(b.ctx, b.tenant.ID, early, time.Time{}) })
	b.same("rescheduled", []string{late, later}, due(10))
	b.code(pay.CodeNotFound, b.s.InTx(b.ctx, func(tx pay.Tx) error { return tx.RescheduleAttempt(b.ctx, b.tenant.ID, "att_none", Now) }))
}
