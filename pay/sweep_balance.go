package pay

import (
	"context"
	"fmt"
	"time"
)

// sweepBalance lists what moved the balance at Stripe and books what the books do not
// have.
func (s *Service) sweepBalance(ctx context.Context, t *Tenant) (ListingResult, error) {
	owner, err := s.ownsAccount(ctx, t)
	if err != nil {
		return ListingResult{}, err
	}
	return s.sweepWindow(ctx, t, ListBalance, func(from time.Time, after string) (pageSwept, error) {
		var page *BalancePage
		err := s.patiently(ctx, func() (err error) {
			page, err = s.Gateway.ListBalance(ctx, t, BalanceInput{From: from, After: after})
			return err
		})
		if err != nil || len(page.Transactions) == 0 {
			return pageSwept{}, err
		}
		done, _, err := s.takeBalance(ctx, t, page.Transactions, owner)
		return pageSwept{done, page.Transactions[len(page.Transactions)-1].ID, page.More}, err
	})
}

// takeBalance brings one page of balance transactions into the books and returns the
// sum, in minor units, of those that are another tenant's.
func (s *Service) takeBalance(ctx context.Context, t *Tenant, page []*StripeBalanceTransaction, owner bool) (done ListingResult, foreignMinor int64, err error) {
	done.Listed = len(page)
	ids := make([]string, len(page))
	for i, bt := range page {
		ids[i] = bt.ID
	}
	known, err := s.Store.KnownBalance(ctx, t.ID, ids)
	if err != nil {
		return done, 0, err
	}
	elsewhere, err := s.Store.KnownElsewhere(ctx, t.ID, ids)
	if err != nil {
		return done, 0, err
	}
	var fresh []*balanceLine
	for _, bt := range page {
		switch {
		case known[bt.ID]:
			continue
		case elsewhere[bt.ID]:
			foreignMinor += bt.Net.Minor
			continue
		}
		l := readBalance(t.ID, bt, s.Now())
		ours, err := s.oursBeforeBooking(ctx, t, l, owner)
		switch {
		case ctx.Err() != nil:
			return done, 0, ctx.Err()
		case err != nil:
			done.Failed++
			s.Log.WarnContext(ctx, "sweep: will look again", "object", bt.ID, "tenant", t.ID, "error", err)
		case ours:
			fresh = append(fresh, l)
		default:
			foreignMinor += bt.Net.Minor
		}
	}
	if len(fresh) == 0 {
		return done, foreignMinor, nil
	}
	if err := s.bookBalance(ctx, fresh); err != nil {
		return done, foreignMinor, fmt.Errorf("book balance transactions: %w", err)
	}
	done.Settled += len(fresh)
	return done, foreignMinor, nil
}

// oursBeforeBooking settles the fact behind a balance transaction, when the ledger does
// not have it, and reports whether the line is this tenant's.
func (s *Service) oursBeforeBooking(ctx context.Context, t *Tenant, l *balanceLine, owner bool) (bool, error) {
	if !l.settles {
		return owner, nil
	}
	booked, err := s.Store.FactBooked(ctx, t.ID, l.Fact)
	if err != nil || booked {
		return true, err
	}
	if _, err := s.Settle(ctx, t.ID, l.IntentID, Cause{CauseSweep, l.ID}); err != nil {
		return false, err
	}
	u, err := s.Store.UnclaimedByID(ctx, t.ID, l.IntentID)
	if IsNotFound(err) {
		return true, nil
	}
	return err == nil && u.Reason != "other_tenant" && u.Reason != "wrong_mode", err
}

// sweepPayouts lists payouts, and of each that Stripe has reconciled the balance
// transactions in it.
func (s *Service) sweepPayouts(ctx context.Context, t *Tenant) (ListingResult, error) {
	owner, err := s.ownsAccount(ctx, t)
	if err != nil || !owner {
		return ListingResult{}, err
	}
	return s.sweepWindow(ctx, t, ListPayouts, func(from time.Time, after string) (pageSwept, error) {
		var page *PayoutPage
		err := s.patiently(ctx, func() (err error) {
			page, err = s.Gateway.ListPayouts(ctx, t, from, after)
			return err
		})
		if err != nil || len(page.Payouts) == 0 {
			return pageSwept{}, err
		}
		done := ListingResult{Listed: len(page.Payouts)}
		known, err := s.Store.KnownPayouts(ctx, t.ID, page.Payouts)
		if err != nil {
			return pageSwept{}, err
		}
		ids := make([]string, len(page.Payouts))
		for i, p := range page.Payouts {
			ids[i] = p.ID
		}
		elsewhere, err := s.Store.KnownElsewhere(ctx, t.ID, ids)
		if err != nil {
			return pageSwept{}, err
		}
		for _, p := range page.Payouts {
			if elsewhere[p.ID] {
				continue
			}
			changed, err := s.takePayout(ctx, t, p, known[p.ID])
			if err != nil {
				return pageSwept{}, fmt.Errorf("payout %s: %w", p.ID, err)
			}
			if changed {
				done.Settled++
			}
		}
		return pageSwept{done, page.Payouts[len(page.Payouts)-1].ID, page.More}, nil
	})
}

// takePayout stores a payout's news, and which balance transactions are in it once
// Stripe can tell. have is what is stored, nil for nothing.
func (s *Service) takePayout(ctx context.Context, t *Tenant, p *StripePayout, have *Payout) (changed bool, err error) {
	now := &Payout{StripePayout: *p, TenantID: t.ID, UpdatedAt: s.Now()}
	if have != nil {
		now.ForeignMinor, now.MatchedAt = have.ForeignMinor, have.MatchedAt
	}
	match := p.Reconciled && now.MatchedAt.IsZero()
	if have != nil && !match && have.Status == p.Status && have.ArrivalAt.Equal(p.ArrivalAt) {
		return false, nil
	}
	var contains []string
	if match {
		if contains, now.ForeignMinor, err = s.contentsOf(ctx, t, p.ID); err != nil {
			return false, err
		}
		now.MatchedAt = s.Now()
	}
	return true, s.Store.InTx(ctx, func(tx Tx) error {
		if err := tx.SavePayout(ctx, now); err != nil {
			return err
		}
		return tx.SetPayoutOf(ctx, t.ID, p.ID, contains)
	})
}

// contentsOf lists the balance transactions of a payout, brings those into the books
// that are not there, and returns their ids and what of it is another tenant's.
func (s *Service) contentsOf(ctx context.Context, t *Tenant, payoutID string) (ids []string, foreignMinor int64, err error) {
	for after := ""; ; {
		var page *BalancePage
		if err := s.patiently(ctx, func() (err error) {
			page, err = s.Gateway.ListBalance(ctx, t, BalanceInput{Payout: payoutID, After: after})
			return err
		}); err != nil {
			return nil, 0, err
		}
		done, foreign, err := s.takeBalance(ctx, t, page.Transactions, true)
		switch {
		case err != nil:
			return nil, 0, err
		case done.Failed > 0:
			return nil, 0, fmt.Errorf("%d of its balance transactions could not be settled", done.Failed)
		}
		foreignMinor += foreign
		for _, bt := range page.Transactions {
			ids = append(ids, bt.ID)
		}
		if !page.More || len(page.Transactions) == 0 {
			return ids, foreignMinor, nil
		}
		after = page.Transactions[len(page.Transactions)-1].ID
	}
}
