package paytest

import (
	"context"
	"time"

	"github.com/portatill/portatill/pay"
)

// What the proof of books reads and writes.

func (r reader) KnownBalance(ctx context.Context, tenantID string, ids []string) (map[string]bool, error) {
	if err := r.faults.next("KnownBalance"); err != nil {
		return nil, err
	}
	return r.in.KnownBalance(ctx, tenantID, ids)
}

func (r reader) KnownPayouts(ctx context.Context, tenantID string, payouts []*pay.StripePayout) (map[string]*pay.Payout, error) {
	if err := r.faults.next("KnownPayouts"); err != nil {
		return nil, err
	}
	return r.in.KnownPayouts(ctx, tenantID, payouts)
}

func (r reader) ListClosedDays(ctx context.Context, tenantID string) ([]*pay.ClosedDay, error) {
	if err := r.faults.next("ListClosedDays"); err != nil {
		return nil, err
	}
	return r.in.ListClosedDays(ctx, tenantID)
}

func (r reader) WalkLedger(ctx context.Context, tenantID string, after, until int64, fn func(*pay.LedgerEntry) error) error {
	if err := r.faults.next("WalkLedger"); err != nil {
		return err
	}
	return r.in.WalkLedger(ctx, tenantID, after, until, fn)
}

func (r reader) LastSeqBefore(ctx context.Context, tenantID string, after int64, before time.Time) (int64, error) {
	if err := r.faults.next("LastSeqBefore"); err != nil {
		return 0, err
	}
	return r.in.LastSeqBefore(ctx, tenantID, after, before)
}

func (r reader) RefundPending(ctx context.Context, tenantID, stripeRefundID string) (bool, error) {
	if err := r.faults.next("RefundPending"); err != nil {
		return false, err
	}
	return r.in.RefundPending(ctx, tenantID, stripeRefundID)
}

func (r reader) ReadProof(ctx context.Context, q pay.ProofQuery, to pay.ProofSides) error {
	if err := r.faults.next("ReadProof"); err != nil {
		return err
	}
	return r.in.ReadProof(ctx, q, to)
}

func (r reader) VerifyMore(ctx context.Context, l pay.VerifyLimits) ([]string, error) {
	if err := r.faults.next("VerifyMore"); err != nil {
		return nil, err
	}
	return r.in.VerifyMore(ctx, l)
}

func (r reader) WalkCarts(ctx context.Context, tenantID string, fn func(*pay.StoredCart) error) error {
	if err := r.faults.next("WalkCarts"); err != nil {
		return err
	}
	return r.in.WalkCarts(ctx, tenantID, fn)
}

func (r reader) WalkJournal(ctx context.Context, span pay.ExportSpan, fn func(*pay.JournalLine) error) error {
	if err := r.faults.next("WalkJournal"); err != nil {
		return err
	}
	return r.in.WalkJournal(ctx, span, fn)
}

func (r reader) WalkPayout(ctx context.Context, tenantID, payoutID string, fn func(*pay.PayoutLine) error) error {
	if err := r.faults.next("WalkPayout"); err != nil {
		return err
	}
	return r.in.WalkPayout(ctx, tenantID, payoutID, fn)
}

func (r reader) PayoutByID(ctx context.Context, tenantID, id string) (*pay.Payout, error) {
	if err := r.faults.next("PayoutByID"); err != nil {
		return nil, err
	}
	return r.in.PayoutByID(ctx, tenantID, id)
}

func (r reader) ListPayouts(ctx context.Context, f pay.PayoutFilter) ([]*pay.PayoutCheck, error) {
	if err := r.faults.next("ListPayouts"); err != nil {
		return nil, err
	}
	return r.in.ListPayouts(ctx, f)
}

func (r reader) ReadStatement(ctx context.Context, q pay.StatementQuery, begin func(openingMinor int64) error, fn func(*pay.StatementLine) error) error {
	if err := r.faults.next("ReadStatement"); err != nil {
		return err
	}
	return r.in.ReadStatement(ctx, q, begin, fn)
}

func (r reader) CustomerCurrencies(ctx context.Context, tenantID, customerID string) ([]pay.Currency, error) {
	if err := r.faults.next("CustomerCurrencies"); err != nil {
		return nil, err
	}
	return r.in.CustomerCurrencies(ctx, tenantID, customerID)
}

func (r reader) ReadVAT(ctx context.Context, span pay.ExportSpan, to pay.VATSides) error {
	if err := r.faults.next("ReadVAT"); err != nil {
		return err
	}
	return r.in.ReadVAT(ctx, span, to)
}

func (x *tx) InsertBalanceTransaction(ctx context.Context, b *pay.BalanceTransaction) (bool, error) {
	if err := x.faults.next("InsertBalanceTransaction"); err != nil {
		return false, err
	}
	return x.in.InsertBalanceTransaction(ctx, b)
}

func (x *tx) SavePayout(ctx context.Context, p *pay.Payout) error {
	if err := x.faults.next("SavePayout"); err != nil {
		return err
	}
	return x.in.SavePayout(ctx, p)
}

func (x *tx) SetPayoutOf(ctx context.Context, tenantID, payoutID string, ids []string) error {
	if err := x.faults.next("SetPayoutOf"); err != nil {
		return err
	}
	return x.in.SetPayoutOf(ctx, tenantID, payoutID, ids)
}

func (x *tx) LockLedger(ctx context.Context) error {
	if err := x.faults.next("LockLedger"); err != nil {
		return err
	}
	return x.in.LockLedger(ctx)
}

func (x *tx) InsertClosedDay(ctx context.Context, d *pay.ClosedDay) error {
	if err := x.faults.next("InsertClosedDay"); err != nil {
		return err
	}
	return x.in.InsertClosedDay(ctx, d)
}
