package year

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/portatill/portatill/pay"
)

// entry books lines, with the hash that the store would have given them, and adds to
// the customers' credit.
func (m *maker) entry(t *tenant, orderID string, at time.Time, cause pay.Cause, kind pay.EntryKind, fact string, c pay.Currency, memo string, lines ...pay.LedgerLine) {
	e := &pay.LedgerEntry{ID: m.id("led", at), TenantID: t.ID, Kind: kind, Fact: fact, Currency: c, Cause: cause, OrderID: orderID, Memo: memo, At: at, Lines: lines}
	sum := e.Sum()
	m.row("ledger_entries", e.ID, e.TenantID, string(kind), fact, string(c), string(cause.Kind), cause.ID, orNull(orderID), nil, memo, micros(at), sum)
	m.seq++
	if t.seal == nil {
		t.seal = sha256.New()
		t.seal.Write([]byte(t.closed + " " + at.Format(time.DateOnly)))
	}
	t.seal.Write([]byte(sum))
	t.entries, t.lastSeq = t.entries+1, m.seq
	for i, l := range lines {
		m.row("ledger_lines", e.TenantID, e.ID, int64(i+1), string(l.Account), orNull(l.CustomerID), l.AmountMinor)
		if l.Account == pay.AccountCustomer {
			m.credit[creditKey{t.ID, l.CustomerID, c}] -= l.AmountMinor
		}
	}
}

// pair is the two lines of an amount that goes from one account to another.
func pair(debit, credit pay.Account, minor int64) []pay.LedgerLine {
	return []pay.LedgerLine{{Account: debit, AmountMinor: minor}, {Account: credit, AmountMinor: -minor}}
}

// payoutColumn is where a balance transaction's row names its payout.
const payoutColumn = 14

// inPayout adds a balance transaction's row to the day's payout.
func (m *maker) inPayout(t *tenant, c pay.Currency, netMinor int64, line []any) {
	k := payoutKey{t.ID, c}
	if m.payouts[k] == nil {
		m.payouts[k] = &payout{}
	}
	m.payouts[k].minor += netMinor
	m.payouts[k].lines = append(m.payouts[k].lines, line)
}

// payOut pays every balance of the day out to the bank. What a bad day leaves below
// nothing stays at Stripe, in no payout.
func (m *maker) payOut(at time.Time) {
	for _, k := range slices.SortedFunc(maps.Keys(m.payouts), func(a, b payoutKey) int {
		return cmp.Or(cmp.Compare(a.tenantID, b.tenantID), cmp.Compare(a.currency, b.currency))
	}) {
		p := m.payouts[k]
		t := m.tenants[slices.IndexFunc(m.tenants, func(t *tenant) bool { return t.ID == k.tenantID })]
		if p.minor > 0 {
			p.id = m.stripeID("po", t, at)
			for _, line := range p.lines {
				line[payoutColumn] = p.id
			}
			now, txn, fact := micros(at), m.stripeID("txn", t, at), p.id+":paid"
			m.row("payouts", p.id, t.ID, "paid", string(k.currency), p.minor, true, int64(0), now, micros(at.AddDate(0, 0, 2)), now, now)
			m.row("balance_transactions", txn, t.ID, "payout", "payout", p.id, "", fact, string(k.currency), -p.minor, string(k.currency), -p.minor, int64(0), int64(0), "", p.id, now, now, now)
			m.entry(t, "", at, pay.Cause{Kind: pay.CauseSweep, ID: txn}, pay.EntryPayout, fact, k.currency, "paid out to the bank",
				pair(pay.AccountPayouts, pay.AccountStripe, p.minor)...)
		}
		*p = payout{lines: p.lines[:0]}
	}
}

// closeDay closes a day, as pay.CloseDays does: the hash of the day before, the day, the
// hash of each of its entries, the last one's number and the time.
func (m *maker) closeDay(day time.Time) {
	for _, t := range m.tenants {
		if t.seal == nil {
			continue
		}
		previous := t.closed
		at := micros(day.Add(24 * time.Hour))
		fmt.Fprintf(t.seal, " %d %d", t.lastSeq, at) //nolint:errcheck // a hash takes everything
		t.closed = hex.EncodeToString(t.seal.Sum(nil))
		m.row("closed_days", t.ID, day.Format(time.DateOnly), t.entries, t.lastSeq, previous, t.closed, at)
		t.seal, t.entries = nil, 0
	}
}
