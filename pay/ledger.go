package pay

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
)

// Account is a ledger account. Each exists per tenant and currency; customer
// also per customer.
type Account string

const (
	// AccountCustomer is what the tenant owes a customer: a payment credits it.
	AccountCustomer Account = "customer"
	// AccountStripe is the tenant's balance at Stripe: money that came in debits it.
	AccountStripe Account = "stripe_balance"
	// AccountFees is what Stripe kept.
	AccountFees Account = "fees"
	// AccountRefunds clears refunds: what is on its way back to customers.
	AccountRefunds Account = "refunds"
	// AccountDisputes holds what a bank took back until the dispute is decided.
	AccountDisputes Account = "disputes"
	// AccountPayouts is what Stripe paid out to the tenant's bank.
	AccountPayouts Account = "payouts"
	// AccountVAT is the tax that Stripe charged on its fees (fee_details of type
	// tax). VAT within a payment is part of what the customer is credited, because
	// PortaBilling is told the gross amount; the payment's row has it (VATMinor).
	AccountVAT Account = "vat"
	// AccountSuspense holds money that cannot be matched, until a person decides.
	AccountSuspense Account = "suspense"
	// AccountConversion is where money changes its currency: what Stripe converted left
	// one and came into another. Its balances are positions, not gains.
	AccountConversion Account = "conversion"
)

// Cause says who taught us a fact. It is kept with everything the fact changed.
type Cause struct {
	Kind CauseKind
	ID   string // the event's, job's, person's or order's id
}

// CauseKind names the doors to Settle, and the doors to orders.
type CauseKind string

const (
	CauseWebhook CauseKind = "webhook"
	CauseReturn  CauseKind = "return_page"
	CauseSweep   CauseKind = "sweep"
	CauseStaff   CauseKind = "staff"
	CauseCLI     CauseKind = "command_line"
	CauseRequest CauseKind = "request"
	CauseBrowser CauseKind = "browser"
	CauseMail    CauseKind = "mail" // of a line of an order's story, never of a settle
)

// EntryKind says what a ledger entry records.
type EntryKind string

const (
	EntryPayment        EntryKind = "payment"
	EntryFee            EntryKind = "fee"
	EntryRefund         EntryKind = "refund"
	EntryRefundReversal EntryKind = "refund_reversal" // a refund that failed or was cancelled
	EntrySuspense       EntryKind = "suspense"        // money without an owner
	EntryAssignment     EntryKind = "assignment"      // and a person gave it one

	EntryDispute         EntryKind = "dispute"          // a bank took money back
	EntryDisputeReversal EntryKind = "dispute_reversal" // and gave it back again
	EntryDisputeLost     EntryKind = "dispute_lost"     // it is lost: the owner is no longer credited

	EntryPayout       EntryKind = "payout"        // Stripe paid the balance out to the bank
	EntryPayoutReturn EntryKind = "payout_return" // and the bank sent it back
	EntryConversion   EntryKind = "conversion"    // one of the two entries of what Stripe converted
)

// LedgerEntry is a balanced set of lines in one currency. Entries are never
// changed or deleted; a correction is a new entry.
type LedgerEntry struct {
	ID       string
	TenantID string
	Kind     EntryKind
	// Fact is the payment fact the entry records, such as pi_1:captured; unique per
	// tenant, so that one fact books once whatever told us of it.
	Fact     string
	Currency Currency
	Cause    Cause
	OrderID  string // "" when the money has no order
	// UnclaimedID is the case whose money it moves, "" for money that has its order.
	UnclaimedID string
	Memo        string
	At          time.Time
	Lines       []LedgerLine
	// Seq and Hash are the database's: its place, and the Sum that was stored with it.
	Seq  int64
	Hash string
}

// Sum is the SHA-256, in hex, of everything that was booked: what the stored hash must
// be as long as nobody has changed the entry.
func (e *LedgerEntry) Sum() string {
	b := make([]byte, 0, 512)
	field := func(s string) {
		b = strconv.AppendInt(b, int64(len(s)), 10)
		b = append(append(append(b, ':'), s...), ',')
	}
	for _, s := range []string{"1", e.ID, e.TenantID, string(e.Kind), e.Fact, string(e.Currency), string(e.Cause.Kind), e.Cause.ID, e.OrderID, e.UnclaimedID, e.Memo} {
		field(s)
	}
	b = strconv.AppendInt(b, e.At.UnixMicro(), 10)
	for _, l := range e.Lines {
		b = append(b, ';')
		field(string(l.Account))
		field(l.CustomerID)
		b = strconv.AppendInt(b, l.AmountMinor, 10)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// LedgerLine is one side: positive is a debit, negative a credit, in minor units
// of the entry's currency.
type LedgerLine struct {
	Account     Account
	CustomerID  string // for AccountCustomer
	AmountMinor int64
}

// Check refuses an entry that does not balance or lacks its cause, before the
// database is asked to.
func (e *LedgerEntry) Check() error {
	var sum int64
	for _, l := range e.Lines {
		if l.AmountMinor == 0 {
			return fmt.Errorf("ledger entry %s: a line of zero on %s", e.Fact, l.Account)
		}
		if (l.Account == AccountCustomer) != (l.CustomerID != "") {
			return fmt.Errorf("ledger entry %s: customer account without a customer, or the other way round", e.Fact)
		}
		sum += l.AmountMinor
	}
	switch {
	case len(e.Lines) < 2:
		return fmt.Errorf("ledger entry %s: needs at least two lines", e.Fact)
	case sum != 0:
		return fmt.Errorf("ledger entry %s: lines sum to %d, not 0", e.Fact, sum)
	case e.Fact == "" || e.Cause.Kind == "" || e.Cause.ID == "":
		return fmt.Errorf("ledger entry %s: no fact or no cause", e.Fact)
	}
	return nil
}

// Movement is the sum of an account's lines within a time, per customer where the
// account has customers; a debit is positive.
type Movement struct {
	TenantID  string
	Tenant    string // slug
	Account   Account
	ICustomer int64 // 0 for accounts without customers
	Name      string
	Sum       Money
}

// AccountBalance is the sum of one account's lines; a debit balance is positive.
type AccountBalance struct {
	TenantID string
	Tenant   string // slug
	Account  Account
	Balance  Money
}
