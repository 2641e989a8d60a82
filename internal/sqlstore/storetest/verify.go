package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/pay"
)

// limits are those of a check that runs at the fixtures' time.
var limits = pay.VerifyLimits{Received: Now.Add(-time.Hour), Due: Now.Add(-time.Hour), Asked: Now.Add(-time.Hour), Future: Now.Add(time.Hour)}

// settled is a sale with everything that pay.Settle writes besides: its story and the
// event that told of it, whose money a refund has given back in part.
func (b *bench) settled() (*Sale, *pay.Refund) {
	b.Helper()
	sale := b.sold()
	r := refund(sale, 400)
	r.State = pay.RefundSucceeded
	entry := b.entry(r.StripeRefundID+":refunded", -400)
	entry.Kind, entry.OrderID = pay.EntryRefund, sale.Order.ID
	b.write(func(tx pay.Tx) error {
		_, err := tx.InsertEntry(b.ctx, entry)
		_, event := tx.InsertEvent(b.ctx, &pay.Event{ID: pay.NewID("evn", Now), TenantID: b.tenant.ID, StripeID: "evt_1", Type: "checkout.session.completed",
			ObjectID: sale.Attempt.SessionID, APIVersion: "2023-10-16", Payload: []byte("{}"), State: pay.EventReceived, ReceivedAt: Now})
		return errors.Join(err, event, tx.InsertRefund(b.ctx, r), tx.SetRefunded(b.ctx, r.TenantID, r.PaymentID, 400, Now),
			tx.InsertPosting(b.ctx, &pay.Posting{ID: pay.NewID("pst", Now), TenantID: b.tenant.ID, OrderID: sale.Order.ID, CustomerID: sale.Order.CustomerID,
				Kind: pay.PostingRefund, SubjectID: r.ID, Amount: r.Amount, State: pay.PostingPending, CreatedAt: Now, UpdatedAt: Now}),
			tx.InsertDelivery(b.ctx, &pay.Delivery{ID: pay.NewID("dlv", Now), TenantID: b.tenant.ID, OrderID: sale.Order.ID, Type: "refund.created",
				Fact: r.StripeRefundID + ":succeeded", Payload: "{}", State: pay.DeliveryPending, CreatedAt: Now, UpdatedAt: Now}),
			tx.InsertStory(b.ctx, &pay.StoryLine{ID: pay.NewID("sty", Now), TenantID: b.tenant.ID, OrderID: sale.Order.ID, At: Now, What: "paid",
				Cause: sale.Payment.Cause}))
	})
	return sale, r
}

const rawLost = `; INSERT INTO ledger_entries (id, tenant_id, kind, fact, currency, cause_kind, cause_id, order_id, memo, at, hash)
	SELECT 'led_' || f.fact, p.tenant_id, f.kind, f.fact, 'GBP', 'staff', 'u', p.order_id, '', 1, '0000000000000000000000000000000000000000000000000000000000000000'
	FROM payments p, (SELECT 'dp_1:withdrawn' AS fact, 'dispute' AS kind `

// rawTold is the notice of a dispute that is lost.
const rawTold = `; INSERT INTO deliveries (id, tenant_id, type, fact, payload, state, created_at, updated_at)
	SELECT 'dlv_d' || f.state, tenant_id, 'dispute', 'dp_1:' || f.state, '{}', 'pending', 1, 1 FROM payments, (SELECT 'lost' AS state UNION ALL SELECT 'needs_response') f`

// rawHeld has the entry of rawLost hold what the payment is.
const rawHeld = `; INSERT INTO ledger_lines (tenant_id, entry_id, number, account, amount_minor)
	SELECT p.tenant_id, 'led_dp_1:withdrawn', f.n, f.account, p.amount_minor * f.sign
	FROM payments p, (SELECT 1 AS n, 'disputes' AS account, 1 AS sign UNION ALL SELECT 2, 'stripe_balance', -1) f`

const rawOther = `INSERT INTO customers (id, tenant_id, i_customer, i_parent, name, email, phone, company, address, record, created_at, updated_at)
	SELECT 'cst_other', tenant_id, 999999, 0, '', '', '', '', '{}', '{}', 1, 1 FROM payments; `

const rawBalance = `INSERT INTO balance_transactions (id, tenant_id, type, category, source_id, intent_id, fact, source_currency, source_minor, currency,
		amount_minor, fee_minor, tax_minor, exchange_rate, created_at, learnt_at)
	SELECT 'txn_1', tenant_id, 'charge', 'charge', charge_id, intent_id, intent_id || ':captured', currency, amount_minor, currency, amount_minor, 40, 0, '', 1, 1 FROM payments`

// rawPayout is a payout that was booked, and that a listing an hour later has seen; its
// status follows.
const rawPayout = `INSERT INTO balance_transactions (id, tenant_id, type, category, source_id, intent_id, fact, source_currency, source_minor, currency,
		amount_minor, fee_minor, tax_minor, exchange_rate, created_at, learnt_at)
	SELECT 'txn_po', tenant_id, 'payout', 'payout', 'po_1', '', 'po_1:paid', 'GBP', -100, 'GBP', -100, 0, 0, '', 1, 1 FROM payments;
	INSERT INTO ledger_entries (id, tenant_id, kind, fact, currency, cause_kind, cause_id, memo, at, hash)
	SELECT 'led_po', tenant_id, 'payout', 'po_1:paid', 'GBP', 'sweep', 'txn_po', '', 1, '0000000000000000000000000000000000000000000000000000000000000000' FROM payments;
	INSERT INTO payouts (id, tenant_id, status, currency, amount_minor, automatic, foreign_minor, created_at, updated_at)
	SELECT 'po_1', tenant_id, 'paid', 'GBP', 100, FALSE, 0, 1, 1 FROM payments;
	INSERT INTO sweep_marks (tenant_id, kind, through_at, deep_at, updated_at)
	SELECT tenant_id, 'payout', 3600000002, 3600000002, 1 FROM payments;
	INSERT INTO sweep_marks (tenant_id, kind, through_at, deep_at, updated_at)
	SELECT tenant_id, 'balance_transaction', 3600000002, 3600000002, 1 FROM payments;
	UPDATE payouts SET status = `

// further is a fault that someone makes past the Go code in settled books, and the line
// of VerifyMore that must show it.
var further = map[string]struct{ says, query string }{
	"MoneyThatTwoTenantsHaveBooked": {"I-06: 2 tenants", `INSERT INTO tenants (id, slug, name, state, i_parent, default_currency, currencies, vat_basis_points, vat_mode,
			return_origins, loopback_returns, branding, policies, signing_secret, stripe_key, stripe_webhook_secrets, stripe_account, stripe_livemode,
			outbound_url, outbound_secret, porta_url, porta_login, porta_token, logo_type, created_at, updated_at)
		SELECT 'ten_copy', 'zz-copy', name, state, i_parent, default_currency, currencies, vat_basis_points, vat_mode,
			return_origins, loopback_returns, branding, policies, signing_secret, stripe_key, stripe_webhook_secrets, stripe_account, stripe_livemode,
			outbound_url, outbound_secret, porta_url, porta_login, porta_token, logo_type, created_at, updated_at FROM tenants;
		INSERT INTO ledger_entries (id, tenant_id, kind, fact, currency, cause_kind, cause_id, memo, at, hash)
		SELECT id, 'ten_copy', kind, fact, currency, cause_kind, cause_id, memo, at, hash FROM ledger_entries WHERE kind = 'payment'`},
	"EvidenceThatIsAnotherIntent":     {"I-09: the order was paid by pi_other", `UPDATE orders SET evidence = 'pi_other'`},
	"APaymentOfAnotherIntent":         {"of pi_other", `UPDATE attempts SET intent_id = 'pi_other'`},
	"APaymentUnlikeItsAttempt":        {"its attempt 1441 GBP", `UPDATE attempts SET amount_minor = amount_minor + 1`},
	"APaymentOfAnotherAccount":        {"I-09", `UPDATE payments SET stripe_account = 'acct_other'`},
	"APaymentInAnotherCurrency":       {"its attempt 1440 EUR", `UPDATE attempts SET currency = 'EUR'`},
	"AnAttemptForAnotherAmount":       {"I-09: the attempt is for 1439 GBP", `UPDATE attempts SET amount_minor = 1439`},
	"ARefundedCaseThatHoldsMoney":     {"I-10: the case is closed as refunded", rawCase + `'refunded', 5, 0, NULL, 1 FROM payments`},
	"APaidOrderThatNothingTellsOf":    {"I-12: the order is paid, but its story", `DELETE FROM story`},
	"APaidOrderThatBecameOpen":        {"I-12: the story tells", `UPDATE orders SET state = 'open', paid_at = NULL, evidence = ''`},
	"ASuccessOfAnOrderThatExpired":    {"I-14: the attempt is succeeded", `UPDATE orders SET state = 'expired', paid_at = NULL, evidence = ''`},
	"ASecondSuccessOfAnOpenOrder":     {"I-14: the attempt is overpaid", `UPDATE attempts SET state = 'overpaid'; UPDATE orders SET state = 'open', paid_at = NULL, evidence = ''`},
	"MoneyOfAnExpiredAttempt":         {"I-14: money of the attempt is booked", `UPDATE attempts SET state = 'expired'`},
	"ARefundUnlikeItsEntry":           {"I-15: the refund is 399 GBP, but its ledger entry takes 400 GBP", `UPDATE refunds SET amount_minor = 399`},
	"ARefundInAnotherCurrencyThanIts": {"I-15: the refund is 400 EUR", `UPDATE refunds SET currency = 'EUR'`},
	"AFailedRefundThatGaveNothing":    {"was not booked back", `UPDATE refunds SET state = 'failed'`},
	"ARefundThatWasBookedBack":        {"but its money was booked back", `UPDATE ledger_entries SET fact = 're_x:reversed' WHERE kind = 'payment'; UPDATE refunds SET stripe_refund_id = 're_x'`},
	"ARefundEntryAlone":               {"there is no such refund", `DELETE FROM refunds`},
	"ADisputeInAnotherCurrency":       {"I-16: the dispute is in EUR", rawDispute + `; UPDATE disputes SET currency = 'EUR'`},
	"ALostDisputeThatIsNotDebited":    {"still credited", rawDispute + rawLost + `) f`},
	"AWonDisputeThatIsStillDebited": {"still debited", rawDispute + rawLost + `UNION ALL SELECT 'dp_1:lost', 'dispute_lost'
		UNION ALL SELECT 'dp_1:reinstated', 'dispute_reversal') f`},
	"AnAmountOfNineDigits":          {"I-18: 100000000 GBP", `UPDATE payments SET amount_minor = 100000000`},
	"ALastDigitThatStripeRefuses":   {"I-18: 1441 KWD", `UPDATE attempts SET amount_minor = 1441, currency = 'KWD'`},
	"AnOrderTotalOfNineDigits":      {"I-18: 100000000 GBP", `UPDATE orders SET total_minor = 100000000`},
	"AnOrderOfAnotherTenantsKey":    {"I-23: the order came with licence lic_other", `UPDATE orders SET license_id = 'lic_other'`},
	"ARefundThatNobodyPosts":        {"I-25: nothing tells PortaBilling of the refund", `DELETE FROM postings WHERE kind = 'refund'`},
	"APostingOfNothing":             {"I-25: PortaBilling is told of the refund ref_gone", `UPDATE postings SET subject_id = 'ref_gone' WHERE kind = 'refund'`},
	"APostingOfAnotherKind":         {"I-25: PortaBilling is told of the dispute", `UPDATE postings SET kind = 'dispute' WHERE kind = 'refund'`},
	"APaidOrderThatNoNoticeTellsOf": {"I-26: the order is paid", `UPDATE deliveries SET fact = id`},
	"AnAttemptThatNobodyAsksAbout":  {"I-28: the attempt is open, but the sweep", `UPDATE attempts SET state = 'open', check_at = NULL`},
	"APostingOfAnotherCustomer":     {"PortaBilling is to be told of 1040 GBP of the customer, the ledger credits 0", rawOther + `UPDATE postings SET customer_id = 'cst_other'`},
	"APostingThatIsGone":            {"of the customer, the ledger credits 1040", `DELETE FROM postings WHERE kind = 'payment'`},
	"ARefundThatBecamePending":      {"I-15: the refund is pending, which no notice tells", `UPDATE refunds SET state = 'pending'`},
	"ARefundThatBecamePendingAgain": {"or a notice tells that it went on from there", `UPDATE refunds SET state = 'pending';
		INSERT INTO deliveries (id, tenant_id, type, fact, payload, state, created_at, updated_at)
		SELECT 'dlv_p', tenant_id, 'refund.created', stripe_refund_id || ':pending', '{}', 'pending', 1, 1 FROM refunds`},
	"ARefundThatWasAskedForAndIsGone": {"I-15: the story tells that 1 refunds were asked for, 0 requests", `INSERT INTO story (id, tenant_id, order_id, at, what, cause_kind, cause_id, detail)
		SELECT 'sto_r', tenant_id, id, 1, 'refund.requested', 'staff', 'u', '' FROM orders`},
	"ADisputeWhoseStateNobodyTold": {"I-16: the dispute is lost, which no notice tells", rawDispute},
	"ALostDisputeThatBecameOpen":   {"or a notice tells that it went on from there", rawDispute + rawTold + `; UPDATE disputes SET state = 'needs_response'`},
	"AWonDisputeThatBecameLost": {"or a notice tells that it went on from there", rawDispute + rawTold + `; INSERT INTO deliveries (id, tenant_id, type, fact, payload, state, created_at, updated_at)
		SELECT 'dlv_w', tenant_id, 'dispute.won', 'dp_1:won', '{}', 'pending', 1, 1 FROM payments`},
	"AnOpenDisputeThatIsBookedLost":    {"I-16: the dispute is under_review, but the ledger has it as lost", rawDispute + `; UPDATE disputes SET state = 'under_review'` + rawLost + `UNION ALL SELECT 'dp_1:lost', 'dispute_lost') f`},
	"ADisputeOverAnotherAmount":        {"I-16: the dispute is over 1441 GBP, but the ledger says that the bank took 1440 GBP", rawDispute + `; UPDATE disputes SET amount_minor = 1441` + rawLost + `) f` + rawHeld},
	"ADisputeInAnotherCurrencyThanIts": {"I-16: the dispute is over 1440 EUR", rawDispute + `; UPDATE disputes SET currency = 'EUR'` + rawLost + `) f` + rawHeld},
	"APaymentOfAnotherCharge":          {"I-10: the payment is charge ch_other", rawBalance + `; UPDATE payments SET charge_id = 'ch_other'`},
	"APaymentOfAnotherFee":             {"fee 41 GBP of txn_1", rawBalance + `; UPDATE payments SET fee_minor = 41, fee_currency = 'GBP', balance_transaction = 'txn_1'`},
	"APayoutThatFailedAndIsNotBack":    {"I-10: the payout is failed, but the ledger does not say", rawPayout + `'failed'`},
	"APayoutThatCameBackAndIsPaid": {"I-10: the payout is paid, but the ledger says that its money came back", rawPayout + `'paid';
		UPDATE ledger_entries SET fact = 'po_1:returned', kind = 'payout_return' WHERE fact = 'po_1:paid'`},
	"APayoutThatIsGone":             {"I-10: ledger entry led_po is a payout, but there is no such payout", rawPayout + `'paid'; DELETE FROM payouts`},
	"APayoutThatIsGoneFromItsLines": {"I-10: balance transaction txn_1 is in this payout", rawBalance + `; UPDATE balance_transactions SET payout_id = 'po_gone'`},
	"ACaseOverAnotherAmount": {"I-10: the case is 9 GBP, but its ledger entry took in 1440 GBP", rawCase + `'open', 1440, 0, NULL, NULL FROM payments;
		UPDATE ledger_lines SET account = 'suspense', customer_id = NULL WHERE account = 'customer' AND amount_minor < 0;
		UPDATE ledger_entries SET kind = 'suspense', fact = 'pi_1:captured', unclaimed_id = 'unc_1' WHERE kind = 'payment'`},
	"AMovementThatNoEntryMoves": {"but no ledger entry of it moves that", rawCase + `'open', 0, 0, NULL, NULL FROM payments; UPDATE unclaimed SET reason = 'other_movement', object_id = 'txn_1'`},
	"ACaseThatHoldsMore": {"I-10: the case holds 1441 GBP, its ledger entries say 1440", rawCase + `'open', 1441, 0, NULL, NULL FROM payments;
		UPDATE ledger_lines SET account = 'suspense', customer_id = NULL WHERE account = 'customer' AND amount_minor < 0;
		UPDATE ledger_entries SET unclaimed_id = 'unc_1' WHERE kind = 'payment'`},
	"ACaseThatIsNoSecondPayment": {"I-10: the reason of the case is overpaid", rawCase + `'open', 0, 0, NULL, NULL FROM payments; UPDATE unclaimed SET reason = 'overpaid'`},
	"ACaseThatIsNoDispute":       {"I-10: the reason of the case is refunded_and_disputed", rawCase + `'open', 0, 0, NULL, NULL FROM payments; UPDATE unclaimed SET reason = 'refunded_and_disputed'`},
	"ACaseThatIsADispute":        {"I-10: the reason of the case is no_order", rawDispute + `; ` + rawCase + `'open', 0, 0, NULL, NULL FROM payments; UPDATE unclaimed SET object_id = 'dp_1'`},
	"AnIntentThatIsNoMovement":   {"I-10: the reason of the case is other_movement", rawCase + `'open', 0, 0, NULL, NULL FROM payments; UPDATE unclaimed SET reason = 'other_movement'`},
	"AnEventThatNobodyWorksOn":   {"I-07: the event checkout.session.completed", `UPDATE events SET received_at = 1`},
	"AnAttemptThatIsDueForDays":  {"I-28: the attempt is open and due", `UPDATE attempts SET state = 'open', check_at = 1`},
	"ARefundWithoutAnswer": {"I-28: the refund was asked for", `INSERT INTO refund_requests (id, tenant_id, payment_id, order_id, currency, amount_minor, reason, key,
			idempotency_key, state, stripe_refund_id, failure, cause_kind, cause_id, created_at, updated_at)
		SELECT 'rfr_1', tenant_id, id, order_id, currency, 1, '', '', 'rfr_1', 'requested', '', '', 'staff', 'u', 1, 1 FROM payments`},
	"AnEntryOfTheFuture": {"I-31: ledger entry", `UPDATE ledger_entries SET at = 9000000000000000`},
}

// guarded are statements that take away or switch off what guards the ledger, by
// dialect, the trigger that is missed then, and how to put it back, because a database of
// PostgreSQL serves more than one test.
var guarded = map[string][]struct{ query, misses, undo string }{
	sqlstore.SQLite: {
		{`DROP TRIGGER ledger_lines_no_update`, "ledger_lines_no_update on ledger_lines", ""},
		{`DROP TRIGGER ledger_entries_open`, "ledger_entries_open on ledger_entries", ""},
		{`DROP TRIGGER story_no_delete; CREATE TRIGGER story_no_delete BEFORE DELETE ON story BEGIN SELECT 1; END`, "story_no_delete on story", ""},
		{`DROP TRIGGER closed_days_no_update; CREATE TRIGGER closed_days_no_update BEFORE UPDATE ON closed_days WHEN FALSE BEGIN SELECT RAISE(ABORT, 'x'); END`,
			"closed_days_no_update on closed_days", ""},
	},
	sqlstore.Postgres: {
		{`ALTER TABLE ledger_lines RENAME TO gone`, "ledger_lines_append_only on ledger_lines", `ALTER TABLE gone RENAME TO ledger_lines`},
		{`ALTER TABLE ledger_entries DISABLE TRIGGER ledger_entries_balance`, "ledger_entries_balance on ledger_entries",
			`ALTER TABLE ledger_entries ENABLE TRIGGER ledger_entries_balance`},
		{`ALTER TABLE story ENABLE REPLICA TRIGGER story_no_truncate`, "story_no_truncate on story", `ALTER TABLE story ENABLE TRIGGER story_no_truncate`},
		{`ALTER FUNCTION append_only RENAME TO append_anything`, "closed_days_append_only on closed_days", `ALTER FUNCTION append_anything RENAME TO append_only`},
	},
}

var verifyCases = verifyTable()

// verifyTable makes a case of every fault, and one of none.
func verifyTable() map[string]func(b *bench) {
	cases := map[string]func(b *bench){
		"SettledBooksHaveNoFaults": func(b *bench) {
			b.settled()
			b.elsewhere().settled()
			b.same("faults", []string(nil), slices.Concat(must(b.s.VerifyBooks(b.ctx)), must(b.s.VerifyMore(b.ctx, limits)), must(b.s.MissingGuards(b.ctx))))
		},
		"WhatIsNotDueYetIsNoFault": func(b *bench) {
			b.settled()
			Attempt(b, b.s, Order(b, b.s, b.customer), func(a *pay.Attempt) { a.CheckAt = limits.Due })
			b.same("faults", []string(nil), must(b.s.VerifyMore(b.ctx, limits)))
		},
		"AGuardThatIsGoneIsMissed": func(b *bench) {
			for _, g := range guarded[b.s.Dialect()] {
				if _, err := b.s.DB().ExecContext(b.ctx, g.query); err != nil {
					b.Fatalf("%s: %v", g.query, err)
				}
				missing, err := b.s.MissingGuards(b.ctx)
				if _, undo := b.s.DB().ExecContext(b.ctx, g.undo); err != nil || undo != nil {
					b.Fatalf("%v, %v", err, undo)
				}
				if !slices.Contains(missing, g.misses) {
					b.Errorf("after %s the missing guards are %q", g.query, missing)
				}
			}
		},
		"ACartComesWithTheAmountBesideIt": func(b *bench) {
			o := Order(b, b.s, b.customer)
			Order(b, b.s, b.elsewhere().customer)
			var carts []*pay.StoredCart
			if err := b.s.WalkCarts(b.ctx, b.tenant.ID, func(c *pay.StoredCart) error {
				carts = append(carts, c)
				return nil
			}); err != nil {
				b.Fatal(err)
			}
			b.same("carts", []*pay.StoredCart{{OrderID: o.ID, Kind: o.Kind, Total: o.Cart.Total(), Cart: o.Cart}}, carts)
		},
		"AWalkEndsWithTheError": func(b *bench) {
			Order(b, b.s, b.customer)
			if err := b.s.WalkCarts(b.ctx, b.tenant.ID, func(*pay.StoredCart) error { return errUndo }); !errors.Is(err, errUndo) {
				b.Errorf("the walk ended with %v", err)
			}
			ctx, cancel := context.WithCancel(b.ctx)
			cancel()
			if err := b.s.WalkCarts(ctx, b.tenant.ID, func(*pay.StoredCart) error { return nil }); err == nil {
				b.Error("a walk that was cancelled ended without an error")
			}
		},
	}
	for name, f := range further {
		cases[name+"IsFound"] = func(b *bench) {
			b.settled()
			b.withoutGuards(f.query)
			faults := must(b.s.VerifyMore(b.ctx, limits))
			if !slices.ContainsFunc(faults, func(line string) bool {
				return strings.HasPrefix(line, b.tenant.Slug+": ") && strings.Contains(line, f.says)
			}) {
				b.Errorf("no fault says %q, but:\n%s", f.says, strings.Join(faults, "\n"))
			}
		}
	}
	return cases
}
