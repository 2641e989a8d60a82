package pay

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// AssignUnclaimed gives unclaimed money to one customer: ICustomer, or whose OrderID is.
type AssignUnclaimed struct {
	TenantID  string
	ID        string // unc_…, or Stripe's object
	ICustomer int64
	OrderID   string
	Reason    string
	Cause     Cause
}

// RefundUnclaimed gives unclaimed money back to whoever paid it.
type RefundUnclaimed struct {
	TenantID string
	ID       string
	Amount   Money  // zero: all that is left
	Reason   string // duplicate, fraudulent, requested_by_customer, "" for none
	Key      string // as in RefundOrder
	Cause    Cause
}

// IgnoreUnclaimed closes a case.
type IgnoreUnclaimed struct {
	TenantID string
	ID       string
	Reason   string
	Cause    Cause
}

// maxReason bounds a decision's reason, in characters.
const maxReason = 500

// checkReason wants words that a later reader understands.
func checkReason(reason string) (string, error) {
	reason = strings.TrimSpace(reason)
	switch {
	case reason == "":
		return "", Errorf(CodeNotEmpty, "reason", "is needed: say in a few words why, for whoever reads the books later")
	case utf8.RuneCountInString(reason) > maxReason:
		return "", Errorf(CodeTooLong, "reason", "is longer than %d characters", maxReason)
	}
	return reason, nil
}

// AssignUnclaimed credits a customer with all that is held of a case, tells
// PortaBilling and the tenant's own system, and closes the case. An order that is named
// says whose the money is and is not changed: it stays as it is (docs/adr/0008-unclaimed-money-is-a-customers-credit.md). It is
// safe to call again with the same customer.
//
// Errors: CodeNotFound for the case, customer or order; CodeBadRequest unless one of
// customer and order is named; CodeNotEmpty and CodeTooLong for the reason;
// CodeInvalidAmount when nothing is held; CodeConflict when it was decided otherwise, or
// a refund of it is on its way.
func (s *Service) AssignUnclaimed(ctx context.Context, in AssignUnclaimed) (*Unclaimed, error) {
	reason, err := checkReason(in.Reason)
	if err != nil {
		return nil, err
	}
	if (in.ICustomer > 0) == (in.OrderID != "") {
		return nil, Errorf(CodeBadRequest, "customer", "name a customer or an order, one of the two")
	}
	return s.decide(ctx, in.TenantID, in.ID, func(tx Tx, u *Unclaimed, now time.Time) error {
		c, err := assignee(ctx, tx, &in)
		if err != nil {
			return err
		}
		if u.State == UnclaimedAssigned && u.CustomerID == c.ID {
			return nil
		}
		if err := undecided(ctx, tx, u); err != nil {
			return err
		}
		if u.HeldMinor <= 0 {
			return Errorf(CodeInvalidAmount, "", "no money is held for %s, so there is nothing to assign; see why with portatill unclaimed list, and close it with ignore", u.ID)
		}
		amount := Money{u.HeldMinor, u.Amount.Currency}
		u.State, u.CustomerID, u.AssignedMinor, u.HeldMinor, u.UpdatedAt = UnclaimedAssigned, c.ID, u.HeldMinor, 0, now
		u.OrderID, u.Decision = cmp.Or(u.OrderID, in.OrderID), Decision{Reason: reason, Cause: in.Cause, At: now}
		if moved, err := tx.MoveUnclaimed(ctx, u, UnclaimedOpen); err != nil || !moved {
			return orElse(err, unlessMoved(moved, u.ID))
		}
		return assign(ctx, tx, u, c, amount, in.OrderID)
	})
}

// assignee is the customer that money is given to.
func assignee(ctx context.Context, tx Tx, in *AssignUnclaimed) (*Customer, error) {
	if in.OrderID == "" {
		c, err := tx.CustomerByICustomer(ctx, in.TenantID, in.ICustomer)
		if IsNotFound(err) {
			err = Errorf(CodeNotFound, "customer", "this tenant has no customer with the ICustomer %d; a customer exists from their first request on", in.ICustomer)
		}
		return c, err
	}
	o, err := tx.OrderByID(ctx, in.TenantID, in.OrderID)
	if IsNotFound(err) {
		return nil, Errorf(CodeNotFound, "order", "this tenant has no order %s", clip(in.OrderID, 60))
	}
	if err != nil {
		return nil, err
	}
	return tx.CustomerByID(ctx, in.TenantID, o.CustomerID)
}

// assign books what an assignment means.
func assign(ctx context.Context, tx Tx, u *Unclaimed, c *Customer, amount Money, orderID string) error {
	now, cause := u.UpdatedAt, u.Decision.Cause
	h := &holding{ctx: ctx, tx: tx, u: u, customer: c, orderID: u.OrderID, cause: cause, now: now}
	booked, err := h.entry(EntryAssignment, u.ID+":assigned", u.Decision.Reason, amount, LedgerLine{Account: AccountSuspense}, h.owner())
	if err != nil || !booked {
		return orElse(err, unlessMoved(booked, u.ID))
	}
	if err := tx.InsertPosting(ctx, &Posting{ID: NewID("pst", now), TenantID: u.TenantID, OrderID: u.OrderID, CustomerID: c.ID, Kind: PostingPayment,
		SubjectID: u.ID, Amount: amount, State: PostingPending, CreatedAt: now, UpdatedAt: now}); err != nil {
		return err
	}
	if err := h.notify("unclaimed.assigned", u.ID+":assigned", u.ObjectID, amount); err != nil {
		return err
	}
	stories := []string{u.OrderID}
	if orderID != "" && orderID != u.OrderID {
		stories = append(stories, orderID)
	}
	for _, id := range stories {
		if err := tellOrder(ctx, tx, u.TenantID, id, now, "unclaimed.assigned", cause,
			amount.String()+" of "+u.ID+" to customer "+strconv.FormatInt(c.ICustomer, 10)+": "+u.Decision.Reason); err != nil {
			return err
		}
	}
	return nil
}

// IgnoreUnclaimed closes a case with a reason. Money that is held stays in suspense,
// where the books show it. It is safe to call again.
//
// Errors: CodeNotFound; CodeNotEmpty and CodeTooLong for the reason; CodeConflict when
// it was decided otherwise, or a refund of it is on its way.
func (s *Service) IgnoreUnclaimed(ctx context.Context, in IgnoreUnclaimed) (*Unclaimed, error) {
	reason, err := checkReason(in.Reason)
	if err != nil {
		return nil, err
	}
	return s.decide(ctx, in.TenantID, in.ID, func(tx Tx, u *Unclaimed, now time.Time) error {
		if u.State == UnclaimedIgnored {
			return nil
		}
		if err := undecided(ctx, tx, u); err != nil {
			return err
		}
		u.State, u.Decision, u.UpdatedAt = UnclaimedIgnored, Decision{Reason: reason, Cause: in.Cause, At: now}, now
		if moved, err := tx.MoveUnclaimed(ctx, u, UnclaimedOpen); err != nil || !moved {
			return orElse(err, unlessMoved(moved, u.ID))
		}
		return tellOrder(ctx, tx, u.TenantID, u.OrderID, now, "unclaimed.ignored", in.Cause, u.ID+": "+reason)
	})
}

// decide makes one decision in one transaction, under a lock on the case.
func (s *Service) decide(ctx context.Context, tenantID, id string, how func(tx Tx, u *Unclaimed, now time.Time) error) (*Unclaimed, error) {
	var u *Unclaimed
	err := s.Store.InTx(ctx, func(tx Tx) (err error) {
		if u, err = tx.LockUnclaimed(ctx, tenantID, id); err != nil {
			return noCase(id, err)
		}
		return how(tx, u, s.Now())
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}

func noCase(id string, err error) error {
	if IsNotFound(err) {
		return Errorf(CodeNotFound, "", "this tenant has no case %s; see portatill unclaimed list --all", clip(id, 60))
	}
	return err
}

// undecided refuses a case that somebody decided, or of which a refund is on its way.
func undecided(ctx context.Context, tx Tx, u *Unclaimed) error {
	if u.State != UnclaimedOpen {
		return decided(u)
	}
	requests, err := tx.ListRefundRequests(ctx, u.TenantID, u.ID)
	if err != nil {
		return err
	}
	asked, err := unbooked(ctx, tx, requests)
	if err == nil && asked > 0 {
		err = Errorf(CodeConflict, "", "a refund of %s of %s is on its way; decide about the rest when it is booked (portatill sweep asks Stripe at once)",
			Money{asked, u.Amount.Currency}, u.ID)
	}
	return err
}

// decided is the error of a decision that came too late.
func decided(u *Unclaimed) error {
	e := Errorf(CodeConflict, "", "%s was decided already: %s (%s)", u.ID, u.State, u.Decision.Reason)
	e.Meta = map[string]string{"state": string(u.State)}
	return e
}

// unbooked is what was asked for and is not booked yet, in minor units.
func unbooked(ctx context.Context, r Reader, requests []*RefundRequest) (int64, error) {
	asked := int64(0)
	for _, q := range requests {
		switch q.State {
		case RefundRefused:
			continue
		case RefundMade:
			booked, err := r.FactBooked(ctx, q.TenantID, q.StripeRefundID+":refunded")
			if err != nil {
				return 0, err
			}
			if booked {
				continue
			}
		}
		asked += q.Amount.Minor
	}
	return asked, nil
}

// RefundUnclaimed gives back what is held of a case, or a part of it, at Stripe. The
// request is stored before Stripe is asked, and Settle books what Stripe made: from
// suspense to Stripe's balance. A case of which nothing is left is closed by that. It
// is safe to call again with the same Key, and for all that is left without one.
//
// Errors: those of Refund, and CodeConflict when it was decided otherwise.
func (s *Service) RefundUnclaimed(ctx context.Context, in RefundUnclaimed) (*RefundRequest, error) {
	if !slices.Contains(refundReasons, in.Reason) {
		return nil, Errorf(CodeBadRequest, "reason", "must be duplicate, fraudulent or requested_by_customer, or none")
	}
	if len(in.Key) > maxKey {
		return nil, Errorf(CodeBadRequest, "key", "is longer than %d characters", maxKey)
	}
	t, err := s.Store.TenantByID(ctx, in.TenantID)
	if err != nil {
		return nil, err
	}
	u, err := s.Store.UnclaimedByID(ctx, in.TenantID, in.ID)
	if err != nil {
		return nil, noCase(in.ID, err)
	}
	if u.HeldMinor > 0 && !u.Refundable() {
		return nil, Errorf(CodeConflict, "", "%s is of no payment intent, so it cannot be refunded from here: refund %s in Stripe's dashboard, and the sweep books it", u.ID, u.ObjectID)
	}
	if err := s.ready(ctx, t); err != nil {
		return nil, err
	}
	var r *RefundRequest
	for try := 0; ; try++ {
		err = s.Store.InTx(ctx, func(tx Tx) (err error) {
			r, err = s.requestUnclaimedRefund(ctx, tx, &in)
			return err
		})
		// The key was taken at this moment, by another case's request.
		if CodeOf(err) != CodeConflict || try > 3 {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	return s.makeRefund(ctx, t, r)
}

// requestUnclaimedRefund stores the request, or finds the one that this is a repeat of.
func (s *Service) requestUnclaimedRefund(ctx context.Context, tx Tx, in *RefundUnclaimed) (*RefundRequest, error) {
	u, err := tx.LockUnclaimed(ctx, in.TenantID, in.ID)
	if err != nil {
		return nil, noCase(in.ID, err)
	}
	if in.Amount != (Money{}) && in.Amount.Currency != u.Amount.Currency {
		return nil, Errorf(CodeMixedCurrencies, "amount", "is in %s, the money in %s", in.Amount.Currency, u.Amount.Currency)
	}
	if in.Amount.Minor < 0 {
		return nil, Errorf(CodeInvalidAmount, "amount", "must be above 0")
	}
	requests, err := tx.ListRefundRequests(ctx, u.TenantID, u.ID)
	if err != nil {
		return nil, err
	}
	if r, err := repeatedRefund(ctx, tx, in, u, requests); r != nil || err != nil {
		return r, err
	}
	asked, err := unbooked(ctx, tx, requests)
	if err != nil {
		return nil, err
	}
	amount, left := in.Amount, u.HeldMinor-asked
	if amount.Minor == 0 {
		amount = Money{left, u.Amount.Currency}
	}
	switch {
	case left <= 0 && asked == 0:
		return nil, Errorf(CodeInvalidAmount, "amount", "no money is held for %s, so there is nothing to give back", u.ID)
	case left <= 0:
		return nil, Errorf(CodeInvalidAmount, "amount", "all of it is on its way back")
	case amount.Minor > left:
		return nil, Errorf(CodeAmountTooLarge, "amount", "is more than the %s that is left to give back", Money{left, u.Amount.Currency})
	}
	now := s.Now()
	r := &RefundRequest{ID: NewID("rfr", now), TenantID: u.TenantID, UnclaimedID: u.ID, OrderID: u.OrderID, Amount: amount, Reason: in.Reason,
		Key: in.Key, State: RefundRequested, Cause: in.Cause, CreatedAt: now, UpdatedAt: now}
	r.IdempotencyKey = "portatill-" + r.ID
	if err := tx.InsertRefundRequest(ctx, r); err != nil {
		return nil, err
	}
	return r, tellOrder(ctx, tx, u.TenantID, u.OrderID, now, "refund.requested", in.Cause, amount.String()+" of "+u.ID)
}

// repeatedRefund finds the request that this one repeats: by its key; without one, an
// equal one that Stripe has not answered, or the last one of a case that is given back.
func repeatedRefund(ctx context.Context, tx Tx, in *RefundUnclaimed, u *Unclaimed, requests []*RefundRequest) (*RefundRequest, error) {
	if in.Key != "" {
		known, err := tx.RefundRequestByKey(ctx, u.TenantID, in.Key)
		switch {
		case err == nil && (known.UnclaimedID != u.ID || known.Reason != in.Reason || (in.Amount.Minor != 0 && in.Amount != known.Amount)):
			return nil, Errorf(CodeIdempotencyConflict, "key", "came before with another refund; use a new key for a new one")
		case !IsNotFound(err):
			return known, err
		}
	}
	asked, err := unbooked(ctx, tx, requests)
	if err != nil {
		return nil, err
	}
	gone := u.State == UnclaimedRefunded || (asked > 0 && u.HeldMinor == asked)
	for _, r := range slices.Backward(requests) {
		if in.Key != "" || r.Key != "" || r.Reason != in.Reason || r.State == RefundRefused {
			continue
		}
		if (r.State == RefundRequested && r.Amount == in.Amount) || (gone && in.Amount.Minor == 0) {
			return r, nil
		}
	}
	if u.State != UnclaimedOpen {
		return nil, decided(u)
	}
	return nil, nil
}
