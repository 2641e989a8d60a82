package storetest

import (
	"fmt"
	"time"

	"github.com/portatill/portatill/pay"
)

// unclaimed stores an open case over 9.00 GBP of which 9.00 are held.
func (b *bench) unclaimed(object string) *pay.Unclaimed {
	b.Helper()
	u := &pay.Unclaimed{ID: pay.NewID("unc", Now), TenantID: b.tenant.ID, ObjectID: object, Amount: pay.Money{Minor: 900, Currency: "GBP"}, Reason: "no_order",
		Detail: "nobody asked for it", State: pay.UnclaimedOpen, CreatedAt: Now, UpdatedAt: Now,
		Evidence: pay.Evidence{SessionID: "cs_1", IntentID: object, ChargeID: "ch_1", StripeCustomer: "cus_1", ClientReference: "order 7",
			Metadata: map[string]string{pay.MetaICustomer: "7"}, Email: "a…@example.com", Name: "A… B…", Method: "visa •••• 4242 exp 12/2030", At: Now,
			SameEmail: []string{b.customer.ID}}}
	b.write(func(tx pay.Tx) error {
		if err := tx.InsertUnclaimed(b.ctx, u); err != nil {
			return err
		}
		u.HeldMinor = 900
		moved, err := tx.MoveUnclaimed(b.ctx, u, pay.UnclaimedOpen)
		b.same("moved", true, moved)
		return err
	})
	return u
}

var unclaimedCases = map[string]func(b *bench){
	"ACaseIsFoundByItsIdAndByStripesObject": func(b *bench) {
		u, other := b.unclaimed("pi_1"), b.elsewhere()
		theirs := other.unclaimed("pi_1")
		b.same("by id", u, got(b, b.s.UnclaimedByID, u.ID))
		b.same("by object", u, got(b, b.s.UnclaimedByID, "pi_1"))
		b.same("another tenant's by object", theirs, got(other, b.s.UnclaimedByID, "pi_1"))
		b.write(func(tx pay.Tx) error {
			locked, err := tx.LockUnclaimed(b.ctx, b.tenant.ID, "pi_1")
			b.same("locked", u, locked)
			return err
		})
		_, err := b.s.UnclaimedByID(b.ctx, other.tenant.ID, u.ID)
		b.code(pay.CodeNotFound, err)
		b.write(func(tx pay.Tx) error {
			_, err := tx.LockUnclaimed(b.ctx, other.tenant.ID, u.ID)
			b.code(pay.CodeNotFound, err)
			return nil
		})
	},
	"OfManyDecisionsOneIsMade": func(b *bench) {
		u := b.unclaimed("pi_1")
		won := make(chan int, 8)
		together(b.T, 8, func(i int) {
			mine := *u
			mine.State, mine.Decision = pay.UnclaimedIgnored, pay.Decision{Reason: fmt.Sprint(i), Cause: pay.Cause{Kind: pay.CauseStaff, ID: "usr_1"}, At: Now}
			if err := b.s.InTx(b.ctx, func(tx pay.Tx) error {
				moved, err := tx.MoveUnclaimed(b.ctx, &mine, pay.UnclaimedOpen)
				if moved && err == nil {
					won <- i
				}
				return err
			}); err != nil {
				b.Errorf("decide: %v", err)
			}
		})
		b.same("won", 1, len(won))
		b.same("the reason", fmt.Sprint(<-won), got(b, b.s.UnclaimedByID, u.ID).Decision.Reason)
	},
	"AnAssignmentIsStoredWhole": func(b *bench) {
		u, o := b.unclaimed("pi_1"), Order(b, b.s, b.customer)
		u.State, u.HeldMinor, u.AssignedMinor, u.CustomerID, u.OrderID, u.UpdatedAt = pay.UnclaimedAssigned, 0, 900, b.customer.ID, o.ID, Now.Add(time.Hour)
		u.Decision = pay.Decision{Reason: "they called", Cause: pay.Cause{Kind: pay.CauseCLI, ID: "grace"}, At: Now.Add(time.Hour)}
		b.write(func(tx pay.Tx) error {
			_, err := tx.MoveUnclaimed(b.ctx, u, pay.UnclaimedOpen)
			return err
		})
		b.same("read", u, got(b, b.s.UnclaimedByID, u.ID))
		for what, change := range map[string]string{
			"without a customer":         `customer_id = NULL`,
			"of nothing":                 `assigned_minor = 0`,
			"of more than came in":       `assigned_minor = 901`,
			"while suspense has it too":  `held_minor = 1`,
			"without a time":             `decided_at = NULL`,
			"to another tenant's person": `customer_id = '` + b.elsewhere().customer.ID + `'`,
			"in no state":                `state = 'lost'`,
		} {
			b.refused("an assignment "+what, `UPDATE unclaimed SET `+change)
		}
	},
	"ARefundIsOfAPaymentOrOfACase": func(b *bench) {
		sale, u := b.sold(), b.unclaimed("pi_1")
		r := &pay.RefundRequest{ID: pay.NewID("rfr", Now), TenantID: b.tenant.ID, UnclaimedID: u.ID, Amount: pay.Money{Minor: 5, Currency: "GBP"}, Key: "k", IdempotencyKey: "i1",
			State: pay.RefundRequested, Cause: pay.Cause{Kind: pay.CauseCLI, ID: "k"}, CreatedAt: Now, UpdatedAt: Now}
		b.write(func(tx pay.Tx) error { return tx.InsertRefundRequest(b.ctx, r) })
		b.same("of the case", []*pay.RefundRequest{r}, must(b.s.ListRefundRequests(b.ctx, b.tenant.ID, u.ID)))
		b.same("of the payment", 0, len(must(b.s.ListRefundRequests(b.ctx, b.tenant.ID, sale.Payment.ID))))
		b.same("due", []*pay.RefundRequest{r}, must(b.s.RefundRequestsDue(b.ctx, Now.Add(time.Hour), 10)))
		for name, change := range map[string]func(*pay.RefundRequest){
			"both":    func(r *pay.RefundRequest) { r.PaymentID, r.OrderID = sale.Payment.ID, sale.Order.ID },
			"neither": func(r *pay.RefundRequest) { r.UnclaimedID = "" },
		} {
			bad := *r
			bad.ID, bad.Key, bad.IdempotencyKey = pay.NewID("rfr", Now), "", "i-"+name
			change(&bad)
			if err := b.s.InTx(b.ctx, func(tx pay.Tx) error { return tx.InsertRefundRequest(b.ctx, &bad) }); err == nil {
				b.Errorf("a refund of %s was stored", name)
			}
		}
	},
	"AFactIsBookedForItsTenant": func(b *bench) {
		sale := b.sold()
		for fact, want := range map[string]bool{sale.Entry.Fact: true, "re_none:refunded": false} {
			booked, err := b.s.FactBooked(b.ctx, b.tenant.ID, fact)
			b.code("", err)
			b.same(fact, want, booked)
		}
		booked, err := b.s.FactBooked(b.ctx, b.elsewhere().tenant.ID, sale.Entry.Fact)
		b.code("", err)
		b.same("another tenant's", false, booked)
	},
	"CustomersAreFoundByTheirAddressWhateverItsCase": func(b *bench) {
		second := Customer(b, b.s, b.tenant.ID, func(c *pay.Customer) { c.Email = "ANN@example.com" })
		Customer(b, b.s, b.tenant.ID, func(c *pay.Customer) { c.Email = "" })
		Customer(b, b.s, b.tenant.ID, func(c *pay.Customer) { c.Email = "jo-ann@example.com" })
		b.elsewhere()
		found := must(b.s.CustomersByEmail(b.ctx, b.tenant.ID, "Ann@Example.com", 5))
		if len(found) != 2 || !(found[0] == b.customer.ID && found[1] == second.ID || found[1] == b.customer.ID && found[0] == second.ID) {
			b.Errorf("found %v, want %s and %s", found, b.customer.ID, second.ID)
		}
		b.same("one of them", 1, len(must(b.s.CustomersByEmail(b.ctx, b.tenant.ID, "ann@example.com", 1))))
		b.same("of no address", 0, len(must(b.s.CustomersByEmail(b.ctx, b.tenant.ID, "", 5))))
	},
	"OpenOrdersAreFoundByTheirAmount": func(b *bench) {
		o := Order(b, b.s, b.customer)
		bank := Order(b, b.s, b.customer, func(o *pay.Order) { o.State, o.ID = pay.OrderProcessing, pay.NewID("ord", Now.Add(time.Second)) })
		Order(b, b.s, b.customer, func(o *pay.Order) { o.Cart.TotalMinor++ })
		Order(b, b.s, b.customer, func(o *pay.Order) { o.Cart.Currency = "EUR" })
		Order(b, b.s, b.customer, func(o *pay.Order) { o.State = pay.OrderExpired })
		Order(b, b.s, b.customer, func(o *pay.Order) { o.CreatedAt = Now.Add(-time.Hour) })
		b.sold()
		Order(b, b.s, b.elsewhere().customer)
		b.same("open", []*pay.Order{bank, o}, must(b.s.OpenOrdersOver(b.ctx, b.tenant.ID, o.Cart.Total(), Now, 5)))
		b.same("the newest", []*pay.Order{bank}, must(b.s.OpenOrdersOver(b.ctx, b.tenant.ID, o.Cart.Total(), Now, 1)))
	},
}
