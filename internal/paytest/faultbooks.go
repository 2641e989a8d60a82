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
