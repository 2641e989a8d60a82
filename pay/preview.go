package pay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Preview is what a Settle changed, or would change.
type Preview struct {
	Settlement
	// Changes tells each change of our database in one line, in the order of booking:
	// "order ord_… open → paid", "book pi_…:captured: stripe_balance +14.40 GBP,
	// customer −14.40 GBP". None means that nothing changes.
	Changes []string
	// AtStripe tells what a Settle would do at Stripe first, and a preview does not; the
	// Changes are then those that follow when Stripe does it.
	AtStripe []string
}

// Preview tells what Settle would change for an object or order now, without changing
// it: Stripe is asked, and Settle's own code books the answer in a transaction that is
// rolled back. It may be called at any time. Errors are those of Settle.
func (s *Service) Preview(ctx context.Context, tenantID, objectID string) (Preview, error) {
	return s.recorded(ctx, tenantID, objectID, Cause{CauseCLI, objectID}, false)
}

// recorded settles an object and tells what it changes: for good with apply, else in
// transactions that are rolled back and without a call that changes anything at Stripe.
func (s *Service) recorded(ctx context.Context, tenantID, objectID string, cause Cause, apply bool) (Preview, error) {
	p := &Preview{}
	try := *s
	try.Store = &recordingStore{Store: s.Store, apply: apply, to: p}
	if !apply {
		try.Gateway = &previewGateway{Gateway: s.Gateway, to: p}
	}
	done, err := try.Settle(ctx, tenantID, objectID, cause)
	p.Settlement = done
	return *p, err
}

// errPreview rolls a previewed transaction back.
var errPreview = errors.New("rolled back: a preview")

// recordingStore tells what its transactions change, and keeps them only with apply.
type recordingStore struct {
	Store
	apply bool
	to    *Preview
}

// InTx implements Store. What is told is that of the run that was the last: fn may be
// run again, and a run that fails changes nothing.
func (r *recordingStore) InTx(ctx context.Context, fn func(tx Tx) error) error {
	var lines []string
	err := r.Store.InTx(ctx, func(tx Tx) error {
		x := &recordingTx{Tx: tx}
		if err := fn(x); err != nil {
			return err
		}
		lines = x.lines
		if !r.apply {
			return errPreview
		}
		return nil
	})
	if err != nil && !errors.Is(err, errPreview) {
		return err
	}
	r.to.Changes = append(r.to.Changes, lines...)
	return nil
}

// recordingTx notes in words what goes through it. What is left out are times at which
// the sweep looks again, and the story, which tells the same in other words.
type recordingTx struct {
	Tx
	lines []string
}

func (x *recordingTx) tell(format string, args ...any) {
	x.lines = append(x.lines, fmt.Sprintf(format, args...))
}

// moved tells of a guarded change that found its row.
func (x *recordingTx) moved(ok bool, err error, format string, args ...any) (bool, error) {
	if ok && err == nil {
		x.tell(format, args...)
	}
	return ok, err
}

// done tells of a change that had no error.
func (x *recordingTx) done(err error, format string, args ...any) error {
	_, err = x.moved(true, err, format, args...)
	return err
}

// MoveOrder implements Tx, as do the others.
func (x *recordingTx) MoveOrder(ctx context.Context, tenantID, id string, from, to OrderState, reason string, at time.Time) (bool, error) {
	ok, err := x.Tx.MoveOrder(ctx, tenantID, id, from, to, reason, at)
	return x.moved(ok, err, "order %s %s → %s%s", id, from, to, inBrackets(reason))
}

func (x *recordingTx) MarkOrderPaid(ctx context.Context, tenantID, id string, from OrderState, evidence string, at time.Time) (bool, error) {
	ok, err := x.Tx.MarkOrderPaid(ctx, tenantID, id, from, evidence, at)
	return x.moved(ok, err, "order %s %s → %s (%s)", id, from, OrderPaid, evidence)
}

func (x *recordingTx) InsertAttempt(ctx context.Context, a *Attempt) error {
	return x.done(x.Tx.InsertAttempt(ctx, a), "attempt %d of %s is made", a.Number, a.OrderID)
}

func (x *recordingTx) BindAttempt(ctx context.Context, a *Attempt) (bool, error) {
	ok, err := x.Tx.BindAttempt(ctx, a)
	return x.moved(ok, err, "attempt %d of %s is bound to %s", a.Number, a.OrderID, cmp.Or(a.SessionID, a.IntentID))
}

func (x *recordingTx) MoveAttempt(ctx context.Context, a *Attempt, to AttemptState) (bool, error) {
	from := a.State
	ok, err := x.Tx.MoveAttempt(ctx, a, to)
	return x.moved(ok, err, "attempt %d of %s %s → %s%s", a.Number, a.OrderID, from, to, inBrackets(a.Failure))
}

func (x *recordingTx) InsertPayment(ctx context.Context, p *Payment) error {
	return x.done(x.Tx.InsertPayment(ctx, p), "payment of %s for %s (%s)", p.Amount, p.OrderID, p.IntentID)
}

func (x *recordingTx) SetPaymentFee(ctx context.Context, p *Payment) error {
	return x.done(x.Tx.SetPaymentFee(ctx, p), "fee of %s: %s", p.IntentID, p.Fee)
}

func (x *recordingTx) InsertRefund(ctx context.Context, r *Refund) error {
	return x.done(x.Tx.InsertRefund(ctx, r), "refund %s of %s for %s (%s)", r.StripeRefundID, r.Amount, r.OrderID, r.State)
}

func (x *recordingTx) MoveRefund(ctx context.Context, tenantID, id string, from, to RefundState, at time.Time) (bool, error) {
	ok, err := x.Tx.MoveRefund(ctx, tenantID, id, from, to, at)
	return x.moved(ok, err, "refund %s %s → %s", id, from, to)
}

func (x *recordingTx) MoveRefundRequest(ctx context.Context, r *RefundRequest, to RefundRequestState) (bool, error) {
	from := r.State
	ok, err := x.Tx.MoveRefundRequest(ctx, r, to)
	return x.moved(ok, err, "asked refund %s %s → %s", r.ID, from, to)
}

func (x *recordingTx) InsertDispute(ctx context.Context, d *Dispute) error {
	return x.done(x.Tx.InsertDispute(ctx, d), "dispute %s of %s for %s (%s)", d.StripeDisputeID, d.Amount, d.OrderID, d.State)
}

func (x *recordingTx) MoveDispute(ctx context.Context, d *Dispute, from DisputeState) (bool, error) {
	ok, err := x.Tx.MoveDispute(ctx, d, from)
	return x.moved(ok, err, "dispute %s %s → %s, %s", d.StripeDisputeID, from, d.State, d.Amount)
}

func (x *recordingTx) InsertEntry(ctx context.Context, e *LedgerEntry) (bool, error) {
	booked, err := x.Tx.InsertEntry(ctx, e)
	lines := make([]string, len(e.Lines))
	for i, l := range e.Lines {
		sign, minor := "+", l.AmountMinor
		if minor < 0 {
			sign, minor = "−", -minor
		}
		lines[i] = fmt.Sprintf("%s %s%s", l.Account, sign, Money{minor, e.Currency})
	}
	return x.moved(booked, err, "book %s: %s", e.Fact, strings.Join(lines, ", "))
}

func (x *recordingTx) InsertPosting(ctx context.Context, p *Posting) error {
	return x.done(x.Tx.InsertPosting(ctx, p), "PortaBilling is to be told: %s of %s for %s (%s)", p.Kind, p.Amount, cmp.Or(p.OrderID, p.CustomerID), p.State)
}

func (x *recordingTx) MovePosting(ctx context.Context, p *Posting, from PostingState) (bool, error) {
	ok, err := x.Tx.MovePosting(ctx, p, from)
	return x.moved(ok, err, "posting %s %s → %s", p.ID, from, p.State)
}

func (x *recordingTx) InsertDelivery(ctx context.Context, d *Delivery) error {
	before, err := x.ListDeliveries(ctx, d.TenantID, d.OrderID)
	if err != nil {
		return err
	}
	err = x.Tx.InsertDelivery(ctx, d)
	fresh := !slices.ContainsFunc(before, func(b *Delivery) bool { return b.Fact == d.Fact })
	_, err = x.moved(fresh, err, "the portal is to be told: %s", d.Type)
	return err
}

func (x *recordingTx) InsertUnclaimed(ctx context.Context, u *Unclaimed) error {
	_, known := x.UnclaimedByID(ctx, u.TenantID, u.ObjectID)
	if known != nil && !IsNotFound(known) {
		return known
	}
	err := x.Tx.InsertUnclaimed(ctx, u)
	_, err = x.moved(known != nil, err, "to Unclaimed: %s, %s (%s)", u.ObjectID, u.Amount, u.Reason)
	return err
}

func (x *recordingTx) MoveUnclaimed(ctx context.Context, u *Unclaimed, from UnclaimedState) (bool, error) {
	ok, err := x.Tx.MoveUnclaimed(ctx, u, from)
	what := string(u.State)
	if from != u.State {
		what = string(from) + " → " + what
	}
	return x.moved(ok, err, "unclaimed %s (%s): %s in suspense", u.ObjectID, what, Money{u.HeldMinor, u.Amount.Currency})
}

func (x *recordingTx) ReplaceCards(ctx context.Context, tenantID, customerID string, cards []*Card, at time.Time) error {
	before, err := x.ListCards(ctx, tenantID, customerID)
	if err != nil {
		return err
	}
	if err := x.Tx.ReplaceCards(ctx, tenantID, customerID, cards, at); err != nil {
		return err
	}
	after, err := x.ListCards(ctx, tenantID, customerID)
	same := slices.EqualFunc(before, after, func(a, b *Card) bool { return *a == *b })
	_, err = x.moved(!same, err, "our copy of %s's cards (%d before, %d now)", customerID, len(before), len(after))
	return err
}

func (x *recordingTx) UnbindStripeCustomer(ctx context.Context, tenantID, customerID, stripeCustomer string) error {
	return x.done(x.Tx.UnbindStripeCustomer(ctx, tenantID, customerID, stripeCustomer), "customer %s is no longer %s, which was deleted at Stripe", customerID, stripeCustomer)
}

func (x *recordingTx) InsertMail(ctx context.Context, m *Mail) (bool, error) {
	fresh, err := x.Tx.InsertMail(ctx, m)
	return x.moved(fresh, err, "a mail to the customer: %s", m.Kind)
}

func (x *recordingTx) Enqueue(ctx context.Context, j Job) error {
	what := j.JobKind()
	if settle, ok := j.(SettleJob); ok {
		what += " " + settle.ObjectID
	}
	return x.done(x.Tx.Enqueue(ctx, j), "then a job: %s", what)
}

func inBrackets(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}

// previewGateway lets reads through. Of what changes something at Stripe it knows the
// two calls that Settle makes before booking; any other is refused.
type previewGateway struct {
	Gateway
	to *Preview
}

// CancelIntent answers with what Stripe would: the intent as it is, and cancelled.
func (g *previewGateway) CancelIntent(ctx context.Context, t *Tenant, id, _ string) (*StripeIntent, error) {
	now, err := g.Intent(ctx, t, id)
	if err != nil {
		return nil, err
	}
	if now.Status == "succeeded" || now.Status == "canceled" {
		return now, nil
	}
	g.tell("cancel %s, which waits for its customer", id)
	ended := *now
	ended.Status = "canceled"
	return &ended, nil
}

// LabelCard implements Gateway.
func (g *previewGateway) LabelCard(_ context.Context, _ *Tenant, id, _, _ string) error {
	g.tell("label the card %s", id)
	return nil
}

func (g *previewGateway) tell(format string, args ...any) {
	g.to.AtStripe = append(g.to.AtStripe, fmt.Sprintf(format, args...))
}

// errPreviewWrites refuses what a preview has no words for.
func errPreviewWrites() error {
	return &StripeFault{Kind: FaultRejected, Code: "preview_only", Message: "a preview changes nothing at Stripe"}
}

func (g *previewGateway) CreateCustomer(context.Context, *Tenant, *Customer, string) (string, error) {
	return "", errPreviewWrites()
}

func (g *previewGateway) CreateSession(context.Context, *Tenant, SessionInput, string) (*StripeSession, error) {
	return nil, errPreviewWrites()
}

func (g *previewGateway) ExpireSession(context.Context, *Tenant, string, string) (*StripeSession, error) {
	return nil, errPreviewWrites()
}

func (g *previewGateway) SaveCard(context.Context, *Tenant, CardToken, string) (*Card, error) {
	return nil, errPreviewWrites()
}

func (g *previewGateway) DeleteCard(context.Context, *Tenant, string, string, string) error {
	return errPreviewWrites()
}

func (g *previewGateway) ChargeCard(context.Context, *Tenant, ChargeInput, string) (*StripeIntent, error) {
	return nil, errPreviewWrites()
}

func (g *previewGateway) CreateRefund(context.Context, *Tenant, RefundInput, string) (*StripeRefund, error) {
	return nil, errPreviewWrites()
}
