package pay

import "context"

// PostingFilter narrows ListPostingsPage. Zero values but TenantID's do not narrow.
type PostingFilter struct {
	TenantID string // required
	State    PostingState
	Kind     PostingKind
	OrderID  string
	// SubjectID is the payment, refund, dispute or case that PortaBilling is told of.
	SubjectID string
	After     string // the last id of the page before; newest first
	Limit     int    // 1 to 1,000; 0 means 50
}

// PostingStates are all states, those that need a person first.
var PostingStates = []PostingState{PostingNeedsReview, PostingRefused, PostingUnknown, PostingHeld, PostingPending, PostingSending, PostingPosted}

// PostingKinds are all kinds.
var PostingKinds = []PostingKind{PostingPayment, PostingRefund, PostingReversal, PostingDispute}

// NeedsPerson reports whether nothing goes on by itself: PortaBilling refused, its answer
// was lost, or nobody but a person can say how it is to be told.
func (s PostingState) NeedsPerson() bool {
	return s == PostingNeedsReview || s == PostingRefused || s == PostingUnknown
}

// Markable reports whether a person may say that PortaBilling has it: not while it is
// being sent, when the answer is to come, and not while nobody owns the money.
func (s PostingState) Markable() bool { return s.NeedsPerson() || s == PostingPending }

// MarkPosted says that PortaBilling has what a posting tells, because somebody entered it
// there by hand.
type MarkPosted struct {
	TenantID string
	ID       string // pst_…
	// From is the state that the person saw; when it is another by now nothing is done.
	From   PostingState
	Reason string
	Cause  Cause
}

// MarkPosted closes a posting that was entered in PortaBilling by hand: it is posted from
// then on, counts as such in the proof of books, and is never sent. The order's story
// tells who said so, and why. It is safe to call again.
//
// Errors: CodeNotFound; CodeNotEmpty and CodeTooLong for the reason; CodeConflict when it
// is being sent, has no owner, or is no longer in the state From.
func (s *Service) MarkPosted(ctx context.Context, in MarkPosted) (*Posting, error) {
	reason, err := checkReason(in.Reason)
	if err != nil {
		return nil, err
	}
	var p *Posting
	err = s.Store.InTx(ctx, func(tx Tx) (err error) {
		if p, err = tx.PostingByID(ctx, in.TenantID, in.ID); err != nil {
			if IsNotFound(err) {
				err = Errorf(CodeNotFound, "", "there is no posting %s", clip(in.ID, 60))
			}
			return err
		}
		now := s.Now()
		switch {
		case p.State == PostingPosted:
			return nil
		case in.From != "" && in.From != p.State:
			return Errorf(CodeConflict, "", "%s is %s by now, not %s; look at it again before you decide", p.ID, p.State, in.From)
		case p.State == PostingHeld:
			return Errorf(CodeConflict, "", "the money of %s has no owner yet: assign it under Unclaimed", p.ID)
		case !p.State.Markable():
			return Errorf(CodeConflict, "", "%s is being sent; its answer is to come", p.ID)
		}
		from := p.State
		p.State, p.UpdatedAt = PostingPosted, now
		if moved, err := tx.MovePosting(ctx, p, from); err != nil || !moved {
			return orElse(err, unlessMoved(moved, p.ID))
		}
		return tellOrder(ctx, tx, p.TenantID, p.OrderID, now, "posting.marked", in.Cause, p.ID+" "+string(from)+" → posted: "+reason)
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}
