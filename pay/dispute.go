package pay

// bookDisputes books what banks took back of a payment, or may take: the dispute
// itself, what left the balance for it, Stripe's fee, what came back when it was won,
// and when it was lost what the customer is no longer credited with. Each is a fact of
// its own, so the order in which they are learnt does not matter.
func (b *booking) bookDisputes(p *Payment, disputes []StripeDispute) error {
	if len(disputes) == 0 {
		return nil
	}
	known, err := b.tx.ListDisputes(b.ctx, b.tenant.ID, p.ID)
	if err != nil {
		return err
	}
	stored := make(map[string]*Dispute, len(known))
	for _, d := range known {
		stored[d.StripeDisputeID] = d
	}
	taken := p.RefundedMinor
	for _, at := range disputes {
		d := stored[at.ID]
		if d != nil && at.Status.rank() < d.State.rank() {
			continue // an older fact than the one we have
		}
		if d, err = b.noteDispute(p, d, at); err != nil {
			return err
		}
		if err := b.disputeEntries(p, d, at); err != nil {
			return err
		}
		if at.Withdrawn != nil && at.Reinstated == nil {
			taken += disputed(at, at.Withdrawn).Minor
		}
	}
	if taken <= p.Amount.Minor {
		return nil
	}
	return b.tx.InsertUnclaimed(b.ctx, &Unclaimed{ID: NewID("unc", b.now), TenantID: p.TenantID, ObjectID: disputes[len(disputes)-1].ID, OrderID: p.OrderID,
		Amount: Money{taken - p.Amount.Minor, p.Amount.Currency}, Reason: "refunded_and_disputed", State: UnclaimedOpen, CreatedAt: b.now, UpdatedAt: b.now,
		Detail: "More of this payment went back than came in: it was refunded, and the bank took it back as well. Answer the dispute at Stripe with the refund as evidence."})
}

// rank orders a dispute's states: one that is decided does not become undecided, and
// a lost one may be won yet (docs.stripe.com/disputes/how-disputes-work).
func (s DisputeState) rank() int {
	switch s {
	case DisputeLost, DisputeWarningClosed, DisputePrevented:
		return 1
	case DisputeWon:
		return 2
	}
	return 0
}

// noteDispute stores a dispute, or its new state, and tells of it.
func (b *booking) noteDispute(p *Payment, d *Dispute, at StripeDispute) (*Dispute, error) {
	what := "dispute.created"
	switch {
	case d == nil:
		d = &Dispute{ID: NewID("dsp", b.now), TenantID: p.TenantID, PaymentID: p.ID, OrderID: p.OrderID, StripeDisputeID: at.ID,
			State: at.Status, Amount: at.Amount, Reason: at.Reason, DueBy: at.DueBy, Cause: b.cause, CreatedAt: b.now, UpdatedAt: b.now}
		if err := b.tx.InsertDispute(b.ctx, d); err != nil {
			return nil, err
		}
		if at.Status.Closed() { // opened and decided before we heard of it: both are told
			if err := notifyAmount(b.ctx, b.tx, b.order, what, at.ID+":created", at.ID, at.Amount, b.now); err != nil {
				return nil, err
			}
			if err := b.tell(what, at.Amount.String()+" "+at.Reason); err != nil {
				return nil, err
			}
			what = "dispute." + string(at.Status)
		}
	case d.State == at.Status && d.Amount == at.Amount && d.DueBy.Equal(at.DueBy):
		return d, nil
	default:
		from, moved := d.State, *d
		moved.State, moved.Amount, moved.Reason, moved.DueBy, moved.UpdatedAt = at.Status, at.Amount, at.Reason, at.DueBy, b.now
		if ok, err := b.tx.MoveDispute(b.ctx, &moved, from); err != nil || !ok {
			return nil, orElse(err, unlessMoved(ok, d.ID))
		}
		d = &moved
		if from == at.Status {
			return d, nil
		}
		what = "dispute." + string(at.Status)
	}
	b.note = what + " " + at.Amount.String()
	if err := notifyAmount(b.ctx, b.tx, b.order, what, at.ID+":"+string(at.Status), at.ID, at.Amount, b.now); err != nil {
		return nil, err
	}
	return d, b.tell(what, at.Amount.String()+" "+at.Reason)
}

// disputeEntries books the money of a dispute.
func (b *booking) disputeEntries(p *Payment, d *Dispute, at StripeDispute) error {
	owner := LedgerLine{Account: AccountCustomer, CustomerID: p.CustomerID}
	lost, err := bookDispute(at, owner, func(kind EntryKind, fact, memo string, c Currency, lines ...LedgerLine) (bool, error) {
		return b.tx.InsertEntry(b.ctx, &LedgerEntry{ID: NewID("led", b.now), TenantID: b.tenant.ID, Kind: kind, Fact: fact,
			Currency: c, Cause: b.cause, OrderID: b.order.ID, Memo: memo, At: b.now, Lines: lines})
	})
	if err != nil {
		return err
	}
	if at.Reinstated != nil {
		return b.undoLost(owner, d, at)
	}
	if !lost {
		return nil
	}
	// PortaBilling's documents do not say how a chargeback is to be posted: a person
	// decides (portabilling.md section 8.2).
	return b.tx.InsertPosting(b.ctx, &Posting{ID: NewID("pst", b.now), TenantID: b.tenant.ID, OrderID: b.order.ID, CustomerID: b.order.CustomerID,
		Kind: PostingDispute, SubjectID: d.ID, Amount: disputed(at, at.Withdrawn), State: PostingNeedsReview, CreatedAt: b.now, UpdatedAt: b.now})
}

// undoLost credits the owner again when a dispute is won that was booked as lost. What
// PortaBilling is told of it a person decides, as with the loss.
func (b *booking) undoLost(owner LedgerLine, d *Dispute, at StripeDispute) error {
	lost, err := b.tx.FactBooked(b.ctx, b.tenant.ID, at.ID+":lost")
	if err != nil || !lost {
		return err
	}
	amount := disputed(at, at.Reinstated)
	owner.AmountMinor = -amount.Minor
	won, err := b.tx.InsertEntry(b.ctx, &LedgerEntry{ID: NewID("led", b.now), TenantID: b.tenant.ID, Kind: EntryDisputeReversal, Fact: at.ID + ":lost_reversed",
		Currency: amount.Currency, Cause: b.cause, OrderID: b.order.ID, Memo: "the dispute was won after all", At: b.now,
		Lines: []LedgerLine{{Account: AccountDisputes, AmountMinor: amount.Minor}, owner}})
	if err != nil || !won {
		return err
	}
	return b.tx.InsertPosting(b.ctx, &Posting{ID: NewID("pst", b.now), TenantID: b.tenant.ID, OrderID: b.order.ID, CustomerID: b.order.CustomerID,
		Kind: PostingReversal, SubjectID: d.ID, Amount: amount, State: PostingNeedsReview, CreatedAt: b.now, UpdatedAt: b.now})
}

// bookDispute makes the entries of a dispute against whoever has the money, the
// customer or suspense, and reports whether it was found to be lost now.
func bookDispute(at StripeDispute, owner LedgerLine, entry func(kind EntryKind, fact, memo string, c Currency, lines ...LedgerLine) (bool, error)) (lost bool, err error) {
	move := func(kind EntryKind, fact, memo string, m Money, debit, credit LedgerLine) (bool, error) {
		if m.Minor == 0 {
			return false, nil
		}
		debit.AmountMinor, credit.AmountMinor = m.Minor, -m.Minor
		return entry(kind, fact, memo, m.Currency, debit, credit)
	}
	stripe, held, fees := LedgerLine{Account: AccountStripe}, LedgerLine{Account: AccountDisputes}, LedgerLine{Account: AccountFees}
	if w := at.Withdrawn; w != nil {
		if _, err := move(EntryDispute, at.ID+":withdrawn", "the bank took it back", disputed(at, w), held, stripe); err != nil {
			return false, err
		}
		if _, err := move(EntryFee, w.ID+":fee", "Stripe's dispute fee", w.Fee, fees, stripe); err != nil {
			return false, err
		}
	}
	if r := at.Reinstated; r != nil {
		if _, err := move(EntryDisputeReversal, at.ID+":reinstated", "the bank gave it back", disputed(at, r), stripe, held); err != nil {
			return false, err
		}
		back := r.Fee
		back.Minor = -back.Minor
		if back.Minor < 0 { // a fee for a dispute that was won, where Stripe takes one
			_, err := move(EntryFee, r.ID+":fee", "Stripe's dispute fee", r.Fee, fees, stripe)
			return false, err
		}
		_, err := move(EntryFee, r.ID+":fee", "Stripe's dispute fee given back", back, stripe, fees)
		return false, err
	}
	if at.Status != DisputeLost || at.Withdrawn == nil {
		return false, nil
	}
	return move(EntryDisputeLost, at.ID+":lost", "the dispute was lost", disputed(at, at.Withdrawn), owner, held)
}

// disputed is what a balance transaction moved of a dispute, in the charge's currency:
// where Stripe converted, the dispute's own amount.
func disputed(at StripeDispute, bt *StripeBalanceTransaction) Money {
	if bt.Amount.Currency == at.Amount.Currency {
		return bt.Amount
	}
	return at.Amount
}
