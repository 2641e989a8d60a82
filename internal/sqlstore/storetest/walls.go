package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/pay"
)

var txCases = map[string]func(b *bench){
	"AConflictDoesNotSpoilTheTransaction": func(b *bench) {
		sale := b.sold()
		var late *pay.Order
		b.write(func(tx pay.Tx) error {
			for range 3 {
				clone := *sale.Payment
				clone.ID = pay.NewID("pay", Now)
				b.code(pay.CodeConflict, tx.InsertPayment(b.ctx, &clone))
			}
			late = NewOrder(b.customer)
			return tx.InsertOrder(b.ctx, late)
		})
		b.same("written after the conflicts", late, got(b, b.s.OrderByID, late.ID))
	},
	"APanicRollsBackAndGoesOn": func(b *bench) {
		o := NewOrder(b.customer)
		func() {
			defer func() {
				if v := recover(); v != "boom" {
					b.Errorf("recovered %v", v)
				}
			}()
			_ = b.s.InTx(b.ctx, func(tx pay.Tx) error {
				if err := tx.InsertOrder(b.ctx, o); err != nil {
					b.Error(err)
				}
				panic("boom")
			})
		}()
		_, err := b.s.OrderByID(b.ctx, o.TenantID, o.ID)
		b.code(pay.CodeNotFound, err)
		Order(b, b.s, b.customer) // the store still writes
	},
	"AnErrorRollsBackEverything": func(b *bench) {
		o := NewOrder(b.customer)
		err := b.s.InTx(b.ctx, func(tx pay.Tx) error {
			if err := tx.InsertOrder(b.ctx, o); err != nil {
				return err
			}
			if _, err := tx.OrderByID(b.ctx, o.TenantID, o.ID); err != nil {
				return fmt.Errorf("a transaction does not read its own write: %w", err)
			}
			if _, err := b.s.OrderByID(b.ctx, o.TenantID, o.ID); !pay.IsNotFound(err) {
				return fmt.Errorf("others read what is not committed: %w", err)
			}
			return errUndo
		})
		if !errors.Is(err, errUndo) {
			b.Error(err)
		}
		_, err = b.s.OrderByID(b.ctx, o.TenantID, o.ID)
		b.code(pay.CodeNotFound, err)
	},
	"ManyAtOnceFailAloneAndCommitAlone": func(b *bench) {
		orders := make([]*pay.Order, 40)
		together(b.T, len(orders), func(i int) {
			orders[i] = NewOrder(b.customer, func(o *pay.Order) { o.State = pay.OrderExpired })
			defer func() {
				if v := recover(); (v != nil) != (i%8 == 7) {
					b.Errorf("transaction %d: recovered %v", i, v)
				}
			}()
			err := b.s.InTx(b.ctx, func(tx pay.Tx) error {
				if err := tx.InsertOrder(b.ctx, orders[i]); err != nil {
					return err
				}
				switch i % 8 {
				case 3:
					return errUndo
				case 5: // the database refuses this at the commit
					return rawUnbalanced(b, tx, i)
				case 7:
					panic("boom")
				}
				return nil
			})
			if (err != nil) != (i%8 == 3 || i%8 == 5) {
				b.Errorf("transaction %d: %v", i, err)
			}
		})
		for i, o := range orders {
			_, err := b.s.OrderByID(b.ctx, o.TenantID, o.ID)
			if stored := err == nil; stored != (i%8 != 3 && i%8 != 5 && i%8 != 7) {
				b.Errorf("order %d: stored is %v", i, stored)
			}
		}
		b.same("books", []string(nil), must(b.s.VerifyBooks(b.ctx)))
	},
	"AContextThatEndsEndsTheTransaction": func(b *bench) {
		o := NewOrder(b.customer)
		ctx, cancel := context.WithCancel(b.ctx)
		err := b.s.InTx(ctx, func(tx pay.Tx) error {
			if err := tx.InsertOrder(ctx, o); err != nil {
				return err
			}
			cancel()
			_, err := tx.OrderByID(ctx, o.TenantID, o.ID)
			return err
		})
		if !errors.Is(err, context.Canceled) {
			b.Errorf("got %v", err)
		}
		_, err = b.s.OrderByID(b.ctx, o.TenantID, o.ID)
		b.code(pay.CodeNotFound, err)
		Order(b, b.s, b.customer)
	},
	"LocksTakenInOppositeOrderBothEndWell": func(b *bench) {
		other := Customer(b, b.s, b.tenant.ID)
		pair := []*pay.Customer{b.customer, other}
		together(b.T, 2, func(i int) {
			err := b.s.InTx(b.ctx, func(tx pay.Tx) error {
				for j := range 2 {
					c := *pair[(i+j)%2]
					c.Phone = fmt.Sprint(i)
					if err := tx.SaveCustomer(b.ctx, &c); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Errorf("transaction %d: %v", i, err)
			}
		})
		if x, y := got(b, b.s.CustomerByID, b.customer.ID), got(b, b.s.CustomerByID, other.ID); x.Phone != y.Phone {
			b.Errorf("half of one transaction and half of the other: %s, %s", x.Phone, y.Phone)
		}
	},
}

// rawUnbalanced books half an entry past the Go code's checks: the job recorder
// is the suite's door to the transaction.
func rawUnbalanced(b *bench, tx pay.Tx, i int) error {
	return tx.Enqueue(b.ctx, RawSQL{Query: `INSERT INTO ledger_entries (id, tenant_id, kind, fact, currency, cause_kind, cause_id, memo, at)
		VALUES ($1, $2, 'suspense', $1, 'GBP', 'staff', 'usr_1', '', 1)`, Args: []any{fmt.Sprintf("led_raw_%d", i), b.tenant.ID}})
}

// elsewhere is a second tenant with rows of its own.
func (b *bench) elsewhere() *bench {
	tenant := Tenant(b, b.s)
	return &bench{T: b.T, ctx: b.ctx, s: b.s, tenant: tenant, customer: Customer(b, b.s, tenant.ID)}
}

var wallCases = map[string]func(b *bench){
	"AnotherTenantsIdsAreNotFound": func(b *bench) {
		sale, other := b.sold(), b.elsewhere()
		a, t := sale.Attempt, other.tenant.ID
		b.write(func(tx pay.Tx) error {
			_, err := tx.BindStripeCustomer(b.ctx, b.tenant.ID, b.customer.ID, b.tenant.StripeAccount, false, "cus_1", Now)
			return err
		})
		keyed := Order(b, b.s, b.customer, func(o *pay.Order) { o.IdempotencyKey = "key-1" })
		live := Order(b, b.s, b.customer)
		for name, err := range map[string]error{
			"customer":          second(b.s.CustomerByID(b.ctx, t, b.customer.ID)),
			"ICustomer":         second(b.s.CustomerByICustomer(b.ctx, t, b.customer.ICustomer)),
			"Stripe customer":   second(b.s.CustomerByStripeID(b.ctx, t, "cus_1")),
			"order":             second(b.s.OrderByID(b.ctx, t, sale.Order.ID)),
			"key":               second(b.s.OrderByIdempotencyKey(b.ctx, t, keyed.IdempotencyKey)),
			"digest":            second(b.s.LiveOrderByDigest(b.ctx, t, live.Digest)),
			"attempt":           second(b.s.AttemptByID(b.ctx, t, a.ID)),
			"session":           second(b.s.AttemptBySession(b.ctx, t, a.SessionID)),
			"intent":            second(b.s.AttemptByIntent(b.ctx, t, sale.Payment.IntentID)),
			"payment":           second(b.s.PaymentByOrder(b.ctx, t, sale.Order.ID)),
			"payment by intent": second(b.s.PaymentByIntent(b.ctx, t, sale.Payment.IntentID)),
		} {
			if !pay.IsNotFound(err) {
				b.Errorf("%s of another tenant: %v", name, err)
			}
		}
		for name, n := range map[string]int{
			"attempts":   len(must(b.s.ListAttempts(b.ctx, t, sale.Order.ID))),
			"refunds":    len(must(b.s.ListRefunds(b.ctx, t, sale.Payment.ID))),
			"postings":   len(must(b.s.ListPostings(b.ctx, t, sale.Order.ID))),
			"deliveries": len(must(b.s.ListDeliveries(b.ctx, t, sale.Order.ID))),
			"entries":    len(must(b.s.ListEntries(b.ctx, t, sale.Order.ID))),
			"orders":     len(must(b.s.ListOrders(b.ctx, pay.OrderFilter{TenantID: t}))),
			"balances":   len(must(b.s.Balances(b.ctx, t))),
			"credits":    len(must(b.s.CustomerBalances(b.ctx, t))),
			"licences":   len(must(b.s.ListLicenses(b.ctx, t))),
		} {
			if n != 0 {
				b.Errorf("%d %s of another tenant are listed", n, name)
			}
		}
	},
	"AnotherTenantMovesNothing": func(b *bench) {
		o, other := Order(b, b.s, b.customer), b.elsewhere()
		a := Attempt(b, b.s, o)
		foreign := *a
		foreign.TenantID = other.tenant.ID
		b.write(func(tx pay.Tx) error {
			m1, err1 := tx.MoveOrder(b.ctx, other.tenant.ID, o.ID, pay.OrderOpen, pay.OrderExpired, "", Now)
			m2, err2 := tx.MarkOrderPaid(b.ctx, other.tenant.ID, o.ID, pay.OrderOpen, "pi_1", Now)
			m3, err3 := tx.MoveAttempt(b.ctx, &foreign, pay.AttemptExpired)
			b.same("moved", []bool{false, false, false}, []bool{m1, m2, m3})
			return errors.Join(err1, err2, err3, tx.StartAttempt(b.ctx, other.tenant.ID, a.ID, Now))
		})
		b.same("order", o, got(b, b.s.OrderByID, o.ID))
		b.same("attempt", a, got(b, b.s.AttemptByID, a.ID))
	},
	"ARowCannotReferToAnotherTenantsRow": func(b *bench) {
		o, other := Order(b, b.s, b.customer), b.elsewhere()
		stranger := NewOrder(b.customer, func(o *pay.Order) { o.TenantID = other.tenant.ID })
		attempt := NewAttempt(o, func(a *pay.Attempt) { a.TenantID = other.tenant.ID })
		line := b.entry("pi_1:captured", 5)
		line.TenantID = other.tenant.ID
		for name, fn := range map[string]func(tx pay.Tx) error{
			"order":   func(tx pay.Tx) error { return tx.InsertOrder(b.ctx, stranger) },
			"attempt": func(tx pay.Tx) error { return tx.InsertAttempt(b.ctx, attempt) },
			"ledger line": func(tx pay.Tx) error {
				_, err := tx.InsertEntry(b.ctx, line)
				return err
			},
		} {
			if err := b.s.InTx(b.ctx, fn); err == nil {
				b.Errorf("an %s was stored that refers to another tenant's row", name)
			}
		}
	},
	"TwoTenantsMayUseTheSameStripeIdsAndKeys": func(b *bench) {
		other := b.elsewhere()
		for _, x := range []*bench{b, other} {
			o := Order(b, b.s, x.customer, func(o *pay.Order) { o.IdempotencyKey = "key-1" })
			Pay(b, b.s, o, Attempt(b, b.s, o, func(a *pay.Attempt) { a.SessionID = "cs_same" }))
		}
		b.same("books", []string(nil), must(b.s.VerifyBooks(b.ctx)))
	},
}

func second[T any](_ T, err error) error { return err }

// damage is a fault that someone makes past the Go code, and the view that must
// show it.
var damage = map[string]struct{ view, query string }{
	"AnEntryThatDoesNotBalance": {"I-01", `INSERT INTO ledger_lines (tenant_id, entry_id, number, account, amount_minor)
		SELECT tenant_id, id, 9, 'suspense', 7 FROM ledger_entries`},
	"ATenantsSum": {"I-02", `INSERT INTO ledger_lines (tenant_id, entry_id, number, account, amount_minor)
		SELECT tenant_id, id, 9, 'suspense', 7 FROM ledger_entries`},
	"ABalanceThatDrifted":          {"I-05", `UPDATE customer_balances SET credit_minor = credit_minor + 1`},
	"APaymentWithoutEntry":         {"I-06", `UPDATE ledger_entries SET order_id = NULL`},
	"AnEntryWithoutPayment":        {"records a payment", `UPDATE ledger_entries SET order_id = NULL`},
	"APaymentUnlikeItsEntry":       {"credits the customer", `UPDATE payments SET amount_minor = amount_minor + 1`},
	"APaymentOfAnUnpaidOrder":      {"is expired", `UPDATE orders SET state = 'expired', paid_at = NULL, evidence = ''`},
	"APaymentUnlikeItsOrder":       {"I-09", `UPDATE orders SET total_minor = total_minor + 1`},
	"APaymentOfAnOpenAttempt":      {"I-12", `UPDATE attempts SET state = 'open'`},
	"AnEntryWithoutItsEvent":       {"I-11", `UPDATE ledger_entries SET cause_kind = 'webhook', cause_id = 'evt_gone'`},
	"AProcessingOrderAlone":        {"I-12", `UPDATE orders SET state = 'processing', paid_at = NULL, evidence = ''`},
	"ARefundedSumThatDrifted":      {"I-15", `UPDATE payments SET refunded_minor = 5`},
	"APaymentThatNobodyPosts":      {"I-25", `DELETE FROM postings`},
	"APostingUnlikeItsPayment":     {"I-25", `UPDATE postings SET amount_minor = amount_minor + 1`},
	"APostingOfAnotherOrder":       {"and no order, the payment 1440 GBP", `UPDATE postings SET order_id = NULL`},
	"APostingOfNobody":             {"of nobody and ord_", `UPDATE postings SET customer_id = NULL`},
	"APostingUnlikeItsRefund":      {"GBP of cus_", rawRefund + `, 5, 'GBP'); UPDATE postings SET kind = 'refund', subject_id = 'ref_1'`},
	"APostingUnlikeItsDispute":     {"for the dispute of ord_", rawDispute + `; UPDATE ledger_entries SET fact = 'dp_1:lost'; UPDATE postings SET kind = 'dispute', subject_id = 'dsp_1', amount_minor = 7`},
	"APostingUnlikeItsCase":        {"the case 5 GBP of cus_", rawCase + `'assigned', 0, 5, customer_id, 1 FROM payments; UPDATE postings SET subject_id = 'unc_1'`},
	"APaymentThatNobodyHearsOf":    {"I-26", `DELETE FROM deliveries`},
	"APaidOrderWithoutItsPayment":  {"has no payment", `DELETE FROM payments`},
	"RefundsBeyondThePayment":      {"exceed", rawRefund + `, 2000, 'GBP')`},
	"ARefundInAnotherCurrency":     {"is in EUR", rawRefund + `, 5, 'EUR')`},
	"ARefundWithoutItsEntry":       {"no ledger entry", rawRefund + `, 5, 'GBP')`},
	"TwoAttemptsThatCanBothBePaid": {"I-21", rawAttempts},
	"AnOrderThatNothingCanEnd":     {"has no attempt", `UPDATE orders SET state = 'open', paid_at = NULL, evidence = ''`},
	"RefundsAskedBeyondThePayment": {"we asked for refunds", `INSERT INTO refund_requests (id, tenant_id, payment_id, order_id, currency, amount_minor, reason, key,
			idempotency_key, state, stripe_refund_id, failure, cause_kind, cause_id, created_at, updated_at)
		SELECT 'rfr_1', tenant_id, id, order_id, currency, amount_minor + 1, '', '', 'rfr_1', 'requested', '', '', 'staff', 'u', 1, 1 FROM payments`},
	"ALostDisputeThatIsStillHeld":      {"I-16", rawDispute + `; UPDATE ledger_lines SET account = 'disputes', customer_id = NULL WHERE account = 'customer'`},
	"HeldMoneyThatIsNotInSuspense":     {"hold 5, the suspense account has 0", rawCase + `'open', 5, 0, NULL, NULL FROM payments`},
	"AnAssignmentThatIsNotInTheLedger": {"the ledger says 0", rawCase + `'assigned', 0, 5, customer_id, 1 FROM payments`},
	"AnAssignmentThatNobodyPosts":      {"nothing tells PortaBilling of the 5 GBP", rawCase + `'assigned', 0, 5, customer_id, 1 FROM payments`},
	"AnAssignmentWithoutItsCase":       {"I-10: 0 GBP is assigned", `UPDATE ledger_entries SET kind = 'assignment'`},
	"ALostDisputeThatNobodyPosts":      {"I-25", `UPDATE ledger_entries SET kind = 'dispute_lost'`},
}

const rawDispute = `INSERT INTO disputes (id, tenant_id, payment_id, order_id, stripe_dispute_id, state, currency, amount_minor, reason,
		due_by, cause_kind, cause_id, created_at, updated_at)
	SELECT 'dsp_1', tenant_id, id, order_id, 'dp_1', 'lost', currency, amount_minor, '', NULL, 'staff', 'u', 1, 1 FROM payments`

const rawCase = `INSERT INTO unclaimed (id, tenant_id, object_id, currency, amount_minor, reason, detail, evidence, decided_reason, decided_cause_kind,
		decided_cause_id, created_at, updated_at, state, held_minor, assigned_minor, customer_id, decided_at)
	SELECT 'unc_1', tenant_id, 'pi_1', currency, 9, 'no_order', '', '{}', '', '', '', 1, 1, `

const rawRefund = `INSERT INTO refunds (id, tenant_id, payment_id, order_id, stripe_refund_id, state, reason, cause_kind, cause_id,
		created_at, updated_at, amount_minor, currency)
	VALUES ('ref_1', (SELECT tenant_id FROM payments), (SELECT id FROM payments), (SELECT order_id FROM payments), 're_1', 'succeeded', '', 'staff', 'u', 1, 1`

const rawAttempts = `INSERT INTO attempts (id, tenant_id, order_id, number, kind, state, idempotency_key, stripe_account, currency, amount_minor, stripe_customer, card_id, save_card, url, failure, created_at, updated_at)
	SELECT 'att_' || n.n, a.tenant_id, a.order_id, n.n, 'checkout', 'open', 'raw' || n.n, 'acct_1', 'GBP', 1, '', '', FALSE, '', '', 1, 1
	FROM attempts a, (SELECT 2 AS n UNION ALL SELECT 3) n`

var bookCases = bookTable()

// bookTable makes a case of every damage, and one of none.
func bookTable() map[string]func(b *bench) {
	cases := map[string]func(b *bench){
		"SoundBooksHaveNoFaults": func(b *bench) {
			b.sold()
			b.elsewhere().sold()
			b.same("faults", []string(nil), must(b.s.VerifyBooks(b.ctx)))
		},
		"AVoucherThatCoversAllNeedsNoPayment": func(b *bench) {
			o := Order(b, b.s, b.customer, func(o *pay.Order) { o.State, o.Cart.TotalMinor = pay.OrderDraft, 0 })
			b.write(func(tx pay.Tx) error {
				_, err := tx.MarkOrderPaid(b.ctx, o.TenantID, o.ID, pay.OrderDraft, "voucher", Now)
				return err
			})
			b.same("faults", []string(nil), must(b.s.VerifyBooks(b.ctx)))
		},
		"ARefundOfOldStandsBesideThePayment": func(b *bench) {
			sale := b.sold()
			r := refund(sale, 400)
			entry := b.entry(r.StripeRefundID+":refunded", -400)
			entry.Kind, entry.OrderID, entry.At = pay.EntryRefund, sale.Order.ID, Now.Add(time.Hour)
			b.write(func(tx pay.Tx) error {
				_, err := tx.InsertEntry(b.ctx, entry)
				return errors.Join(err, tx.InsertRefund(b.ctx, r), tx.SetRefunded(b.ctx, r.TenantID, r.PaymentID, 400, Now))
			})
			b.same("faults", []string(nil), must(b.s.VerifyBooks(b.ctx)))
		},
	}
	for name, d := range damage {
		cases[name+"IsFound"] = func(b *bench) {
			b.sold()
			b.withoutGuards(d.query)
			faults := must(b.s.VerifyBooks(b.ctx))
			for _, f := range faults {
				if strings.HasPrefix(f, b.tenant.Slug+": ") && strings.Contains(f, d.view) {
					return
				}
			}
			b.Errorf("no fault says %q, but:\n%s", d.view, strings.Join(faults, "\n"))
		}
	}
	return cases
}

// withoutGuards runs a statement as someone would who can change the schema.
func (b *bench) withoutGuards(query string) {
	b.Helper()
	before := "SET session_replication_role = replica"
	after := "SET session_replication_role = DEFAULT"
	if b.s.Dialect() == sqlstore.SQLite {
		before = `PRAGMA foreign_keys = 0; DROP TRIGGER ledger_entries_no_update; DROP TRIGGER ledger_lines_no_update; DROP TRIGGER ledger_lines_close;
			DROP TRIGGER ledger_entries_open; DROP TRIGGER story_no_delete`
		after = "PRAGMA foreign_keys = 1"
	}
	c, err := b.s.DB().Conn(b.ctx)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	for _, q := range []string{before, query, after} {
		if _, err := c.ExecContext(b.ctx, q); err != nil {
			b.Fatalf("%s: %v", q, err)
		}
	}
}
