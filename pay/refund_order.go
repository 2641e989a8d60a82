package pay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// RefundOrder asks to give money of an order back.
type RefundOrder struct {
	TenantID string
	OrderID  string
	Amount   Money  // zero: all that is left
	Reason   string // duplicate, fraudulent, requested_by_customer, "" for none
	// Key makes a repeated call the same refund; without one a call continues a
	// request for the same amount that Stripe has not answered, or is a new one.
	Key   string
	Cause Cause
}

// refundReasons are those that Stripe knows (docs.stripe.com/api/refunds/create).
var refundReasons = []string{"", "duplicate", "fraudulent", "requested_by_customer"}

// Refund gives money back, at most what was captured and is not given back yet or on
// its way. The request is stored before Stripe is asked; the books follow Stripe, by
// Settle. It is safe to call again with the same Key.
//
// Errors: CodeNotFound; CodeInvalidAmount when there is nothing to give back;
// CodeAmountTooLarge with what is left; CodeMixedCurrencies; CodeBadRequest for a
// reason that Stripe does not have; CodeIdempotencyConflict for a key that came with
// something else; CodeStripeError when Stripe refuses (nothing went back);
// CodeStripeUnavailable when it does not answer: the request is kept, and the sweep
// sends it again.
func (s *Service) Refund(ctx context.Context, in RefundOrder) (*RefundRequest, error) {
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
	if _, err := s.Store.OrderByID(ctx, in.TenantID, in.OrderID); err != nil {
		return nil, err
	}
	if err := s.ready(ctx, t); err != nil {
		return nil, err
	}
	var r *RefundRequest
	for try := 0; ; try++ {
		err = s.Store.InTx(ctx, func(tx Tx) (err error) {
			r, err = s.requestRefund(ctx, tx, &in)
			return err
		})
		if CodeOf(err) != CodeConflict || try > 3 {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	return s.makeRefund(ctx, t, r)
}

// requestRefund stores the request, or finds the one that this is a repeat of.
func (s *Service) requestRefund(ctx context.Context, tx Tx, in *RefundOrder) (*RefundRequest, error) {
	p, err := tx.LockPaymentByOrder(ctx, in.TenantID, in.OrderID)
	if IsNotFound(err) {
		return nil, Errorf(CodeInvalidAmount, "amount", "nothing was paid for this order, so there is nothing to give back")
	}
	if err != nil {
		return nil, err
	}
	if in.Amount != (Money{}) && in.Amount.Currency != p.Amount.Currency {
		return nil, Errorf(CodeMixedCurrencies, "amount", "is in %s, the payment in %s", in.Amount.Currency, p.Amount.Currency)
	}
	if in.Amount.Minor < 0 {
		return nil, Errorf(CodeInvalidAmount, "amount", "must be above 0")
	}
	requests, err := tx.ListRefundRequests(ctx, in.TenantID, p.ID)
	if err != nil {
		return nil, err
	}
	if in.Key != "" {
		known, err := tx.RefundRequestByKey(ctx, in.TenantID, in.Key)
		switch {
		case err == nil && (known.OrderID != in.OrderID || known.UnclaimedID != "" || known.Reason != in.Reason || (in.Amount.Minor != 0 && in.Amount != known.Amount)):
			return nil, Errorf(CodeIdempotencyConflict, "key", "came before with another refund; use a new key for a new one")
		case !IsNotFound(err):
			return known, err
		}
	}
	left, err := refundable(ctx, tx, p, requests)
	if err != nil {
		return nil, err
	}
	for _, r := range requests {
		if in.Key == "" && r.Key == "" && r.State == RefundRequested && r.Reason == in.Reason && (r.Amount == in.Amount || (in.Amount.Minor == 0 && left == 0)) {
			return r, nil
		}
	}
	amount := in.Amount
	if amount.Minor == 0 {
		amount = Money{left, p.Amount.Currency}
	}
	switch {
	case left <= 0:
		return nil, Errorf(CodeInvalidAmount, "amount", "all of this payment was given back, or is on its way back")
	case amount.Minor > left:
		return nil, Errorf(CodeAmountTooLarge, "amount", "is more than the %s that is left to give back", Money{left, p.Amount.Currency})
	}
	now := s.Now()
	r := &RefundRequest{ID: NewID("rfr", now), TenantID: in.TenantID, PaymentID: p.ID, OrderID: in.OrderID, Amount: amount, Reason: in.Reason,
		Key: in.Key, State: RefundRequested, Cause: in.Cause, CreatedAt: now, UpdatedAt: now}
	r.IdempotencyKey = "portatill-" + r.ID
	if err := tx.InsertRefundRequest(ctx, r); err != nil {
		return nil, err
	}
	return r, tx.InsertStory(ctx, &StoryLine{ID: NewID("sto", now), TenantID: r.TenantID, OrderID: r.OrderID, At: now,
		What: "refund.requested", Cause: in.Cause, Detail: amount.String()})
}

// Refundable returns the payment of an order and what can be given back of it now: what was
// captured, less what went back or is on its way. It may be more than a Refund a moment
// later finds. CodeNotFound when the tenant has no such order, or nothing was paid for it.
func (s *Service) Refundable(ctx context.Context, tenantID, orderID string) (*Payment, Money, error) {
	p, err := s.Store.PaymentByOrder(ctx, tenantID, orderID)
	if err != nil {
		return nil, Money{}, err
	}
	requests, err := s.Store.ListRefundRequests(ctx, tenantID, p.ID)
	if err != nil {
		return nil, Money{}, err
	}
	left, err := refundable(ctx, s.Store, p, requests)
	return p, Money{max(left, 0), p.Amount.Currency}, err
}

// refundable is what a payment has left to give back, in minor units: what was
// captured, less what went back, less what we asked for and the books do not show yet.
func refundable(ctx context.Context, r Reader, p *Payment, requests []*RefundRequest) (int64, error) {
	refunds, err := r.ListRefunds(ctx, p.TenantID, p.ID)
	if err != nil {
		return 0, err
	}
	left, booked := p.Amount.Minor, map[string]bool{}
	for _, f := range refunds {
		booked[f.StripeRefundID] = true
		if f.State.GivesBack() {
			left -= f.Amount.Minor
		}
	}
	for _, q := range requests {
		if q.State == RefundRequested || (q.State == RefundMade && !booked[q.StripeRefundID]) {
			left -= q.Amount.Minor
		}
	}
	return left, nil
}

// makeRefund asks Stripe for a stored request's refund and settles it. It goes on
// from wherever the request stands.
func (s *Service) makeRefund(ctx context.Context, t *Tenant, r *RefundRequest) (*RefundRequest, error) {
	if r.State != RefundRequested {
		return r, refusedRefund(r)
	}
	intentID, err := s.intentOfRequest(ctx, r)
	if err != nil {
		return r, err
	}
	// By then Stripe may have forgotten the key: what it made is found by our mark.
	if s.Now().Sub(r.CreatedAt) > time.Hour {
		if _, err := s.Settle(ctx, t.ID, intentID, r.Cause); err != nil {
			return r, stripeError("look for refund "+r.ID, err)
		}
		if r, err = s.Store.RefundRequestByID(ctx, t.ID, r.ID); err != nil || r.State != RefundRequested {
			return r, errors.Join(err, refusedRefund(r))
		}
	}
	metadata := map[string]string{MetaRefund: r.ID, MetaTenant: t.ID}
	if r.OrderID != "" {
		metadata[MetaOrder] = r.OrderID
	}
	made, err := s.Gateway.CreateRefund(ctx, t, RefundInput{IntentID: intentID, Amount: r.Amount, Reason: r.Reason, Metadata: metadata}, r.IdempotencyKey)
	if f := faultOf(err); f != nil && (f.Kind == FaultRejected || f.Kind == FaultNotFound || f.Kind == FaultDeclined) {
		return s.refuseRefund(ctx, r, cmp.Or(f.Code, string(f.Kind)))
	}
	if err != nil {
		return r, stripeError("refund "+r.OrderID, err)
	}
	after := *r
	after.StripeRefundID, after.UpdatedAt = made.ID, s.Now()
	if err := s.Store.InTx(ctx, func(tx Tx) error {
		if _, err := tx.MoveRefundRequest(ctx, &after, RefundMade); err != nil { // a settle may have been quicker
			return err
		}
		return tx.Enqueue(ctx, SettleJob{TenantID: t.ID, ObjectID: intentID, Cause: r.Cause}) // should we die before the next line
	}); err != nil {
		return r, err
	}
	if _, err := s.Settle(ctx, t.ID, intentID, r.Cause); err != nil {
		s.Log.WarnContext(ctx, "refund made; its job or its webhook books it", "refund", made.ID, "error", err)
	}
	return s.Store.RefundRequestByID(ctx, t.ID, r.ID)
}

// intentOfRequest is the intent whose money a request gives back.
func (s *Service) intentOfRequest(ctx context.Context, r *RefundRequest) (string, error) {
	if r.UnclaimedID != "" {
		u, err := s.Store.UnclaimedByID(ctx, r.TenantID, r.UnclaimedID)
		if err != nil {
			return "", err
		}
		return u.ObjectID, nil
	}
	p, err := s.Store.PaymentByOrder(ctx, r.TenantID, r.OrderID)
	if err != nil {
		return "", err
	}
	return p.IntentID, nil
}

func (s *Service) refuseRefund(ctx context.Context, r *RefundRequest, code string) (*RefundRequest, error) {
	gone, moved := *r, false
	gone.Failure, gone.UpdatedAt = code, s.Now()
	err := s.Store.InTx(ctx, func(tx Tx) (err error) {
		if moved, err = tx.MoveRefundRequest(ctx, &gone, RefundRefused); err != nil || !moved {
			return err
		}
		return tellOrder(ctx, tx, r.TenantID, r.OrderID, gone.UpdatedAt, "refund.refused", r.Cause, code)
	})
	switch {
	case err != nil:
		return r, err
	case moved:
		gone.State = RefundRefused
		return &gone, refusedRefund(&gone)
	}
	// Another call sent the same request and was quicker to write down what Stripe said.
	now, err := s.Store.RefundRequestByID(ctx, r.TenantID, r.ID)
	if err != nil {
		return r, err
	}
	return now, refusedRefund(now)
}

func refusedRefund(r *RefundRequest) error {
	if r.State != RefundRefused {
		return nil
	}
	return &Error{Code: CodeStripeError, Meta: map[string]string{"stripe_code": r.Failure},
		Message: fmt.Sprintf("Stripe refused the refund (%s). Nothing was given back by it.", r.Failure)}
}

// sweepRefunds sends again what Stripe has not answered.
func (s *Service) sweepRefunds(ctx context.Context, limit int) (asked, failed int, err error) {
	due, err := s.Store.RefundRequestsDue(ctx, s.Now().Add(-time.Minute), limit)
	if err != nil {
		return 0, 0, err
	}
	silent := map[string]bool{} // tenants whose Stripe does not answer, or refuses their key
	for _, r := range due {
		if silent[r.TenantID] {
			continue
		}
		t, err := s.Store.TenantByID(ctx, r.TenantID)
		if err == nil {
			_, err = s.makeRefund(ctx, t, r)
		}
		asked++
		if f := faultOf(err); f != nil && (f.Kind == FaultUnavailable || f.Kind == FaultCredentials) {
			silent[r.TenantID] = true
		}
		if err != nil && CodeOf(err) != CodeStripeError {
			failed++
			s.Log.WarnContext(ctx, "sweep: a refund will be sent again", "refund", r.ID, "tenant", r.TenantID, "error", err)
		}
	}
	return asked, failed, nil
}
