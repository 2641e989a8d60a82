package year

import (
	"fmt"
	"time"

	"github.com/portatill/portatill/pay"
)

// sale is one payment and what becomes of it.
type sale struct {
	*tenant
	order, customer, payment, intent, event string
	paid                                    pay.Money
	converted                               bool // what it moves at Stripe is settled in another currency
}

// The shares of payments, per thousand or per ten thousand.
const (
	refundsPerThousand  = 30
	disputesPerThousand = 2
	failedRefunds       = 100 // of a thousand refunds
	unpostedPerTenThou  = 2
)

// failsAfter is how many days after it was made a refund fails.
const failsAfter = 5

// sell makes one payment, from its order to its posting, and decides what becomes of
// it.
func (m *maker) sell(at time.Time) {
	t := m.tenants[m.rng.IntN(len(m.tenants))]
	s := &sale{tenant: t, customer: t.customers[m.rng.IntN(len(t.customers))], order: m.id("ord", at), payment: m.id("pay", at),
		intent: m.stripeID("pi", t, at), event: m.stripeID("evt", t, at)}
	s.paid = pay.Money{Minor: int64(500 + m.rng.IntN(20_000)), Currency: t.sells[m.rng.IntN(len(t.sells))]}
	s.converted = s.paid.Currency != t.DefaultCurrency && m.rng.IntN(2) == 0
	refunded := m.decide(s, at)
	attempt, session, txn := m.id("att", at), m.stripeID("cs_test", t, at), m.stripeID("txn", t, at)
	now, asked, cause := micros(at), micros(at.Add(-time.Minute)), pay.Cause{Kind: pay.CauseWebhook, ID: s.event}
	m.row("events", m.id("evn", at), t.ID, s.event, "payment_intent.succeeded", s.intent, "2023-10-16", false, []byte(`{"object":"event"}`), "applied", "paid", now, now)
	m.row("orders", s.order, t.ID, s.customer, m.id("tok", at), "payment", "paid", "", string(s.paid.Currency), s.paid.Minor, cart(s.paid),
		"https://shop.example/paid", "https://shop.example/cart", `["card"]`, "", int64(0), "", "", "", fmt.Sprintf("%064x", m.rng.Uint64()), nil, "{}", asked, now, now, s.intent)
	m.row("attempts", attempt, t.ID, s.order, int64(1), "checkout", "succeeded", s.order+"/1", string(s.paid.Currency), s.paid.Minor, t.StripeAccount, session, s.intent,
		"", "", false, "", "", micros(at.Add(time.Hour)), asked, asked, now, nil)
	b := balance{id: txn, kind: "charge", source: m.stripeID("ch", t, at), fact: s.intent + ":captured", moved: s.paid, fee: s.paid.Minor*15/1000 + 20}
	fee := m.balance(s, b, at)
	m.row("payments", s.payment, t.ID, s.order, attempt, s.customer, t.StripeAccount, s.intent, b.source, session, string(s.paid.Currency), s.paid.Minor, vatWithin(s.paid.Minor), refunded,
		string(fee.Currency), fee.Minor, txn, "visa •••• 4242 exp 12/2030", "", string(cause.Kind), cause.ID, now, now, now)
	m.entry(s.tenant, s.order, at, cause, pay.EntryPayment, b.fact, s.paid.Currency, "paid by visa •••• 4242",
		pay.LedgerLine{Account: pay.AccountStripe, AmountMinor: s.paid.Minor}, pay.LedgerLine{Account: pay.AccountCustomer, CustomerID: s.customer, AmountMinor: -s.paid.Minor})
	state := pay.PostingPosted
	switch {
	case at.After(End.Add(-24 * time.Hour)):
		state = pay.PostingPending
	case m.rng.IntN(10_000) < unpostedPerTenThou:
		state = pay.PostingNeedsReview
	}
	m.posting(s, pay.PostingPayment, s.payment, s.paid.Minor, state, at)
	m.notice(s, "order.paid", s.order+":paid", at)
	m.tell(s, "paid", cause, at)
}

// notice is what the tenant's own system is told.
func (m *maker) notice(s *sale, kind, fact string, at time.Time) {
	m.row("deliveries", m.id("dlv", at), s.ID, s.order, kind, fact, `{"type":"`+kind+`"}`, "delivered", micros(at), micros(at))
}

// tell adds to the order's story.
func (m *maker) tell(s *sale, what string, cause pay.Cause, at time.Time) {
	m.row("story", m.id("sto", at), s.ID, s.order, micros(at), what, string(cause.Kind), cause.ID, "")
}

// decide says what becomes of a payment, and returns how much of it is refunded and
// stays refunded within the year.
func (m *maker) decide(s *sale, at time.Time) (refundedMinor int64) {
	fate := m.rng.IntN(1000)
	switch {
	case fate < refundsPerThousand:
		minor, days, fails := s.paid.Minor, 1+m.rng.IntN(20), m.rng.IntN(1000) < failedRefunds
		if m.rng.IntN(2) == 0 {
			minor /= 2
		}
		fails = fails && at.AddDate(0, 0, days+failsAfter).Before(End)
		made := m.afterDays(at, days, func(then time.Time) { m.refund(s, minor, fails, then) })
		if made && !fails {
			return minor
		}
	case fate < refundsPerThousand+disputesPerThousand && !s.converted:
		decided := m.rng.IntN(5) // two of five are lost, two won, one is not decided yet
		m.afterDays(at, 5+m.rng.IntN(30), func(then time.Time) { m.dispute(s, decided, then) })
	}
	return 0
}

// refund gives money back; one that fails comes back to the balance later.
func (m *maker) refund(s *sale, minor int64, fails bool, at time.Time) {
	id, own, state := m.stripeID("re", s.tenant, at), m.id("ref", at), "succeeded"
	cause := pay.Cause{Kind: pay.CauseSweep, ID: id}
	if fails {
		state = "failed"
	}
	m.row("refunds", own, s.ID, s.payment, s.order, id, state, string(s.paid.Currency), minor, "requested_by_customer", string(cause.Kind), cause.ID, micros(at), micros(at))
	move := func(kind pay.EntryKind, bookedAs, fact string, minor int64, at time.Time) {
		m.balance(s, balance{id: m.stripeID("txn", s.tenant, at), kind: bookedAs, source: id, fact: id + fact, moved: pay.Money{Minor: -minor, Currency: s.paid.Currency}}, at)
		m.entry(s.tenant, s.order, at, cause, kind, id+fact, s.paid.Currency, "",
			pay.LedgerLine{Account: pay.AccountCustomer, CustomerID: s.customer, AmountMinor: minor}, pay.LedgerLine{Account: pay.AccountRefunds, AmountMinor: -minor},
			pay.LedgerLine{Account: pay.AccountRefunds, AmountMinor: minor}, pay.LedgerLine{Account: pay.AccountStripe, AmountMinor: -minor})
	}
	move(pay.EntryRefund, "refund", ":refunded", minor, at)
	m.posting(s, pay.PostingRefund, own, minor, pay.PostingPosted, at)
	m.notice(s, "refund.created", id+":succeeded", at)
	m.tell(s, "refund.created", cause, at)
	if fails {
		m.afterDays(at, failsAfter, func(then time.Time) {
			move(pay.EntryRefundReversal, "refund_failure", ":reversed", -minor, then)
			m.posting(s, pay.PostingReversal, own, minor, pay.PostingPosted, then)
			m.notice(s, "refund.failed", id+":failed", then)
			m.tell(s, "refund.failed", cause, then)
		})
	}
}

// disputeFee is what Stripe keeps of a dispute, in minor units.
const disputeFee = 1500

// dispute has the bank take a payment back, and three weeks later decide: 0 and 1 are
// lost, 2 and 3 won, 4 is not decided within the year.
func (m *maker) dispute(s *sale, decided int, at time.Time) {
	id, own, minor := m.stripeID("dp", s.tenant, at), m.id("dsp", at), s.paid.Minor
	decides, state := at.AddDate(0, 0, 21), "needs_response"
	if decides.Before(End) && decided < 4 {
		state = []string{"lost", "lost", "won", "won"}[decided]
	}
	cause := pay.Cause{Kind: pay.CauseSweep, ID: id}
	m.row("disputes", own, s.ID, s.payment, s.order, id, state, string(s.paid.Currency), minor, "fraudulent", nil, string(cause.Kind), cause.ID, micros(at), micros(at))
	held, stripe := pay.LedgerLine{Account: pay.AccountDisputes, AmountMinor: minor}, pay.LedgerLine{Account: pay.AccountStripe, AmountMinor: -minor}
	m.balance(s, balance{id: m.stripeID("txn", s.tenant, at), kind: "adjustment", source: id, fact: id + ":withdrawn",
		moved: pay.Money{Minor: -minor, Currency: s.paid.Currency}, fee: disputeFee}, at)
	m.entry(s.tenant, s.order, at, cause, pay.EntryDispute, id+":withdrawn", s.paid.Currency, "the bank took it back", held, stripe)
	m.notice(s, "dispute.created", id+":needs_response", at)
	m.tell(s, "dispute.created", cause, at)
	if state == "needs_response" {
		return
	}
	m.afterDays(at, 21, func(then time.Time) {
		held.AmountMinor, stripe.AmountMinor = -minor, minor
		m.notice(s, "dispute."+state, id+":"+state, then)
		m.tell(s, "dispute."+state, cause, then)
		if state == "lost" {
			m.entry(s.tenant, s.order, then, cause, pay.EntryDisputeLost, id+":lost", s.paid.Currency, "the dispute was lost",
				pay.LedgerLine{Account: pay.AccountCustomer, CustomerID: s.customer, AmountMinor: minor}, held)
			m.posting(s, pay.PostingDispute, own, minor, pay.PostingNeedsReview, then)
			return
		}
		m.balance(s, balance{id: m.stripeID("txn", s.tenant, then), kind: "adjustment", source: id, fact: id + ":reinstated",
			moved: s.paid, fee: -disputeFee}, then)
		m.entry(s.tenant, s.order, then, cause, pay.EntryDisputeReversal, id+":reinstated", s.paid.Currency, "the bank gave it back", stripe, held)
	})
}

func (m *maker) posting(s *sale, kind pay.PostingKind, subject string, minor int64, state pay.PostingState, at time.Time) {
	m.row("postings", m.id("pst", at), s.ID, s.order, s.customer, string(kind), subject, string(s.paid.Currency), minor, string(state), micros(at), micros(at))
}

// balance is a balance transaction in the making.
type balance struct {
	id, kind, source, fact string
	moved                  pay.Money // what the fact moves, in the sale's currency
	fee                    int64     // in the currency of settlement
}

// balance writes a balance transaction, the entries of its fee and of what Stripe
// converted, and has it in the day's payout. It returns the fee.
func (m *maker) balance(s *sale, b balance, at time.Time) pay.Money {
	amount, rate, now := b.moved, "", micros(at)
	if s.converted {
		amount, rate = pay.Money{Minor: b.moved.Minor * 85 / 100, Currency: s.DefaultCurrency}, "0.85"
	}
	line := []any{b.id, s.ID, b.kind, b.kind, b.source, s.intent, b.fact, string(b.moved.Currency), b.moved.Minor, string(amount.Currency), amount.Minor, b.fee, int64(0), rate, nil, now, now, now}
	m.rows["balance_transactions"] = append(m.rows["balance_transactions"], line)
	m.inPayout(s.tenant, amount.Currency, amount.Minor-b.fee, line)
	cause := pay.Cause{Kind: pay.CauseSweep, ID: b.id}
	fee := pay.Money{Minor: b.fee, Currency: amount.Currency}
	if fee.Minor != 0 {
		m.entry(s.tenant, s.order, at, cause, pay.EntryFee, b.id+":fee", fee.Currency, "Stripe's fee",
			pay.LedgerLine{Account: pay.AccountStripe, AmountMinor: -fee.Minor}, pay.LedgerLine{Account: pay.AccountFees, AmountMinor: fee.Minor})
	}
	if s.converted {
		memo := b.moved.String() + " became " + amount.String() + " at " + rate
		m.entry(s.tenant, "", at, cause, pay.EntryConversion, b.id+":converted_from", b.moved.Currency, memo, pair(pay.AccountConversion, pay.AccountStripe, b.moved.Minor)...)
		m.entry(s.tenant, "", at, cause, pay.EntryConversion, b.id+":converted_to", amount.Currency, memo, pair(pay.AccountStripe, pay.AccountConversion, amount.Minor)...)
	}
	return fee
}
