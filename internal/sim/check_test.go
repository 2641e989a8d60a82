package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/portatill/portatill/pay"
)

func asFault(err error, to **pay.StripeFault) bool { return errors.As(err, to) }

// checkStep is what holds at every moment.
func (w *world) checkStep() {
	if text := w.log.take(); text != "" {
		if strings.Contains(text, "kestrel") || strings.Contains(text, "@example.com") {
			w.fail("I-24: the log has a customer's data in it: %s", w.plain(oneLine(text)))
		}
		for _, t := range w.tenants {
			for _, secret := range []string{t.license, t.row.StripeKey.Reveal(), t.row.StripeWebhookSecrets[0].Reveal()} {
				if strings.Contains(text, secret) {
					w.fail("I-24: the log has a secret in it")
				}
			}
		}
	}
	if len(w.trace)%8 == 0 {
		w.checkBooks()
	}
}

// checkBooks runs the invariants that are SQL views.
func (w *world) checkBooks() {
	broken, err := w.till.store.VerifyBooks(context.Background())
	w.must(err, "verify the books")
	for _, line := range broken {
		w.fail("the books are broken: %s", w.plain(line))
	}
}

// checkAfterCrash is what holds when the till starts on what a crash left: whatever
// was answered for good is there (I-27).
func (w *world) checkAfterCrash() {
	w.checkBooks()
	for _, o := range w.orders {
		w.checkDurable(o, nil)
	}
	stored := w.column("SELECT stripe_id FROM events")
	for id, l := range w.acked {
		if !slices.Contains(stored, id) {
			w.fail("I-27: event %d was answered 200 and is not stored", l.n)
		}
	}
}

// checkDurable holds an order that a portal was told of to the database.
func (w *world) checkDurable(o *order, r *reply) {
	stored, err := w.till.store.OrderByID(context.Background(), o.c.t.row.ID, o.id)
	if err != nil {
		w.fail("I-27: order %d was answered 200 and cannot be read: %v", o.n, err)
		return
	}
	if total := stored.Cart.Total(); r != nil && total.Minor != 0 && (total.Text() != r.Amount.String() || string(total.Currency) != r.Currency) {
		w.fail("order %d was told as %s %s and is stored as %s", o.n, r.Amount, r.Currency, total)
	}
	if o.token == "" {
		o.token = stored.PayToken
	}
}

// checkProof holds that everything in Stripe's, our and PortaBilling's books has its
// cause and has come to the other side, that no closed day was changed, and that each
// payout is what it contains.
func (w *world) checkProof() {
	proof, err := w.till.pay.Proof(context.Background(), "", time.Time{}, w.clock.till().AddDate(0, 0, 2))
	w.must(err, "prove the books")
	for _, line := range proof.Broken {
		w.fail("the proof is broken: %s", w.plain(line))
	}
	for _, t := range w.tenants {
		broken, err := w.till.pay.Verify(context.Background(), t.row.ID)
		w.must(err, "verify the books")
		for _, line := range broken {
			w.fail("books --verify: %s", w.plain(line))
		}
	}
	transit := map[string]int64{}
	for _, r := range proof.Rows {
		w.reach("proof: a day")
		for _, d := range r.Differences {
			w.reach("proof: " + d.Between + " " + d.Cause)
			switch d.Cause {
			case pay.CauseUnexplained:
				w.fail("%s: %s %s are unexplained: %s", d.Between, d.Amount, r.Currency, w.plain(strings.Join(d.Objects, " ")))
			case "in_transit":
				transit[r.Tenant+" "+string(r.Currency)] += d.Minor
			}
		}
	}
	for at, minor := range transit {
		if minor != 0 {
			w.fail("%d of %s never came to the other side", minor, w.plain(at))
		}
	}
	for _, sum := range proof.Unexplained {
		if strings.Trim(sum.Amount, "0.") != "" {
			w.fail("%s %s are unexplained", sum.Amount, sum.Currency)
		}
	}
	for range w.column("SELECT id FROM payouts WHERE automatic = 1 AND matched_at IS NULL") {
		w.fail("a payout was not matched to what it contains")
	}
}

// column reads the first column of a query's rows.
func (w *world) column(query string, args ...any) []string {
	rows, err := w.till.store.DB().QueryContext(context.Background(), query, args...)
	w.must(err, query)
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		w.must(rows.Scan(&s), query)
		out = append(out, s)
	}
	w.must(rows.Err(), query)
	return out
}

// checkMoney compares our ledger with Stripe's own books, per tenant and currency,
// to the minor unit (I-10).
func (w *world) checkMoney() {
	for _, t := range w.tenants {
		atStripe, ours := map[string]int64{}, map[string]int64{}
		for _, o := range w.objects(t, "/v1/balance_transactions") {
			atStripe[strings.ToUpper(text(o, "currency"))] += number(o, "net")
		}
		balances, err := w.till.store.Balances(context.Background(), t.row.ID)
		w.must(err, "read the balances")
		for _, b := range balances {
			if b.Account == pay.AccountStripe {
				ours[string(b.Balance.Currency)] += b.Balance.Minor
			}
		}
		for currency := range merged(atStripe, ours) {
			if atStripe[currency] != ours[currency] {
				w.fail("I-10: Stripe holds %d %s for tenant %d, our ledger says %d", atStripe[currency], currency, t.n, ours[currency])
			}
		}
	}
}

func merged(a, b map[string]int64) map[string]int64 {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

// checkIntents holds every intent that took money to having an owner in our books:
// the payment of its order, or a line under Unclaimed; and every order to one
// payment (F-08).
func (w *world) checkIntents() {
	ctx := context.Background()
	for _, t := range w.tenants {
		unclaimed, err := w.till.store.ListUnclaimed(ctx, t.row.ID)
		w.must(err, "list what is unclaimed")
		shown := map[string]string{}
		for _, u := range unclaimed {
			shown[u.ObjectID] = u.Reason
			if u.Reason == "overpaid" && w.reached["a page that nobody was given"] == 0 {
				w.fail("pay once: an order was paid twice on pages that its customer was given")
			}
		}
		took := map[string]int{}
		for _, i := range w.objects(t, "/v1/payment_intents") {
			if text(i, "status") != "succeeded" {
				continue
			}
			meta, _ := i["metadata"].(map[string]any)
			order := text(meta, pay.MetaOrder)
			took[order]++
			p, err := w.till.store.PaymentByIntent(ctx, t.row.ID, text(i, "id"))
			switch {
			case err == nil && p.OrderID != order:
				w.fail("an intent made for %s is the payment of %s", w.plain(order), w.plain(p.OrderID))
			case err == nil && p.Amount.Minor != number(i, "amount_received"):
				w.fail("a payment is %s, Stripe took %d", p.Amount, number(i, "amount_received"))
			case err != nil && shown[text(i, "id")] == "":
				w.fail("I-10: Stripe took %d %s for %s, which is neither a payment nor under Unclaimed (%v)", number(i, "amount_received"), text(i, "currency"), w.plain(order), err)
			}
		}
		for order, n := range took {
			if order == "" {
				continue
			}
			if payments := w.column("SELECT id FROM payments WHERE order_id = $1", order); len(payments) > 1 || len(payments) == 0 && n > 0 && w.state(t, order) != pay.OrderMismatch {
				w.fail("an order that Stripe took money for %d times has %d payments and is %s", n, len(payments), w.state(t, order))
			}
		}
	}
}

// checkOpenSessions holds each order to one page at a time that can be paid (I-21): one
// that our books have as over, and that its customer was given, is over at Stripe.
func (w *world) checkOpenSessions() {
	over := map[string]string{}
	for _, row := range w.column("SELECT session_id || ' ' || state FROM attempts WHERE session_id <> '' AND started_at IS NOT NULL AND state NOT IN ('created', 'open', 'processing')") {
		id, state, _ := strings.Cut(row, " ")
		over[id] = state
	}
	for _, t := range w.tenants {
		for _, o := range w.objects(t, "/v1/checkout/sessions") {
			if text(o, "status") == "open" && over[text(o, "id")] != "" {
				w.fail("I-21: a page can be paid that our books have as %s", over[text(o, "id")])
			}
		}
	}
}

// checkRequests holds each request to one payment, however often it was sent: but for
// those times when it was allowed to be a new one.
func (w *world) checkRequests() {
	for _, q := range w.requests {
		paid := w.column("SELECT p.id FROM payments p JOIN orders o ON o.tenant_id = p.tenant_id AND o.id = p.order_id WHERE o.tenant_id = $1 AND o.content_id = $2", q.c.t.row.ID, q.body.ContentId)
		if len(paid) > 0 && q.nothing {
			w.fail("request %d was told that nothing was taken, and there is a payment", q.serial)
		}
		if len(paid) > 1+q.renewals {
			w.fail("pay once: request %d was paid %d times (sent as a new one %d times)", q.serial, len(paid), 1+q.renewals)
		}
	}
}

func (w *world) state(t *tenant, id string) pay.OrderState {
	o, err := w.till.store.OrderByID(context.Background(), t.row.ID, id)
	if err != nil {
		return pay.OrderState("unreadable: " + err.Error())
	}
	return o.State
}

// checkEvents holds every event that was answered 200 to one row with an outcome
// (I-07).
func (w *world) checkEvents() {
	states := map[string]string{}
	for _, row := range w.column("SELECT tenant_id || ' ' || stripe_id || ' ' || state FROM events") {
		part := strings.Fields(row)
		id, state := part[0]+part[1], part[2]
		if _, twice := states[id]; twice {
			w.fail("I-07: an event is stored twice")
		}
		states[id] = state
	}
	for id, l := range w.acked {
		id = l.t.row.ID + id
		switch states[id] {
		case "":
			w.fail("I-07: event %d %s was answered 200 and is not stored", l.n, l.kind)
		case string(pay.EventReceived), string(pay.EventFailed):
			w.fail("I-07: event %d %s has come to rest as %s", l.n, l.kind, states[id])
		}
	}
}

// checkOneEach holds Stripe's objects to one for each of our attempts (I-22). A key
// under which Stripe keeps an error excuses a second.
func (w *world) checkOneEach() {
	for _, t := range w.tenants {
		for _, path := range []string{"/v1/checkout/sessions", "/v1/payment_intents", "/v1/refunds"} {
			made := map[string]int{}
			for _, o := range w.objects(t, path) {
				meta, _ := o["metadata"].(map[string]any)
				mark := text(meta, pay.MetaAttempt)
				if path == "/v1/refunds" {
					mark = text(meta, pay.MetaRefund)
				}
				if mark != "" {
					made[mark]++
				}
			}
			for _, mark := range slices.Sorted(maps.Keys(made)) {
				if made[mark] > 1 && !w.net.keptEver(path) {
					w.fail("I-22: %d objects of %s were made for one %s", made[mark], path, w.plain(mark))
				}
			}
		}
	}
}

func (n *network) keptEver(path string) bool {
	for _, k := range n.kept {
		if k.path == path {
			return true
		}
	}
	return false
}

// dump is everything in the database that a further sweep or delivery must not
// change (I-29), without the times at which something was looked at.
func (w *world) dump() string {
	var out []string
	for _, q := range []string{
		"SELECT 'order ' || id || ' ' || state FROM orders", "SELECT 'attempt ' || id || ' ' || state FROM attempts",
		"SELECT 'payment ' || id || ' ' || refunded_minor || ' ' || fee_minor FROM payments",
		"SELECT 'refund ' || id || ' ' || state FROM refunds", "SELECT 'event ' || id || ' ' || state FROM events",
		"SELECT 'entry ' || id || ' ' || fact FROM ledger_entries", "SELECT 'posting ' || id || ' ' || state FROM postings",
		"SELECT 'delivery ' || id || ' ' || fact FROM deliveries", "SELECT 'unclaimed ' || id || ' ' || state FROM unclaimed",
		"SELECT 'story ' || id || ' ' || what FROM story", "SELECT 'payout ' || id || ' ' || status || ' ' || foreign_minor FROM payouts",
		"SELECT 'balance transaction ' || id || ' ' || fact || ' ' || COALESCE(payout_id, '') FROM balance_transactions", "SELECT 'closed ' || tenant_id || ' ' || day || ' ' || hash FROM closed_days", "SELECT 'balance ' || customer_id || ' ' || credit_minor FROM customer_balances",
	} {
		rows := w.column(q)
		slices.Sort(rows)
		out = append(out, rows...)
	}
	return strings.Join(out, "\n")
}

// difference is what two dumps do not share.
func difference(before, after string) string {
	old, fresh := strings.Split(before, "\n"), strings.Split(after, "\n")
	var out []string
	for _, line := range fresh {
		if !slices.Contains(old, line) {
			out = append(out, "+ "+line)
		}
	}
	for _, line := range old {
		if !slices.Contains(fresh, line) {
			out = append(out, "- "+line)
		}
	}
	return fmt.Sprint(out)
}
