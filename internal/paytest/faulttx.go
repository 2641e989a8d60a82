package paytest

import (
	"context"
	"time"

	"github.com/portatill/portatill/pay"
)

// tx fails what is done within a transaction.
type tx struct {
	reader
	in pay.Tx
}

func (x *tx) InsertTenant(ctx context.Context, t *pay.Tenant) error {
	if err := x.faults.next("InsertTenant"); err != nil {
		return err
	}
	return x.in.InsertTenant(ctx, t)
}

func (x *tx) UpdateTenant(ctx context.Context, t *pay.Tenant) error {
	if err := x.faults.next("UpdateTenant"); err != nil {
		return err
	}
	return x.in.UpdateTenant(ctx, t)
}

func (x *tx) InsertLicense(ctx context.Context, l *pay.License) error {
	if err := x.faults.next("InsertLicense"); err != nil {
		return err
	}
	return x.in.InsertLicense(ctx, l)
}

func (x *tx) RevokeLicenses(ctx context.Context, tenantID string, exceptID string, at time.Time) (int, error) {
	if err := x.faults.next("RevokeLicenses"); err != nil {
		return 0, err
	}
	return x.in.RevokeLicenses(ctx, tenantID, exceptID, at)
}

func (x *tx) SaveCustomer(ctx context.Context, c *pay.Customer) error {
	if err := x.faults.next("SaveCustomer"); err != nil {
		return err
	}
	return x.in.SaveCustomer(ctx, c)
}

func (x *tx) BindStripeCustomer(ctx context.Context, tenantID, customerID, account string, livemode bool, stripeCustomer string, at time.Time) (string, error) {
	if err := x.faults.next("BindStripeCustomer"); err != nil {
		return "", err
	}
	return x.in.BindStripeCustomer(ctx, tenantID, customerID, account, livemode, stripeCustomer, at)
}

func (x *tx) ClaimStripeAccount(ctx context.Context, account string, livemode bool, tenantID, from string) (bool, error) {
	if err := x.faults.next("ClaimStripeAccount"); err != nil {
		return false, err
	}
	return x.in.ClaimStripeAccount(ctx, account, livemode, tenantID, from)
}

func (x *tx) SetStripeAccount(ctx context.Context, tenantID, account string, livemode bool) error {
	if err := x.faults.next("SetStripeAccount"); err != nil {
		return err
	}
	return x.in.SetStripeAccount(ctx, tenantID, account, livemode)
}

func (x *tx) InsertOrder(ctx context.Context, o *pay.Order) error {
	if err := x.faults.next("InsertOrder"); err != nil {
		return err
	}
	return x.in.InsertOrder(ctx, o)
}

func (x *tx) MoveOrder(ctx context.Context, tenantID, id string, from, to pay.OrderState, reason string, at time.Time) (bool, error) {
	if err := x.faults.next("MoveOrder"); err != nil {
		return false, err
	}
	return x.in.MoveOrder(ctx, tenantID, id, from, to, reason, at)
}

func (x *tx) MarkOrderPaid(ctx context.Context, tenantID, id string, from pay.OrderState, evidence string, at time.Time) (bool, error) {
	if err := x.faults.next("MarkOrderPaid"); err != nil {
		return false, err
	}
	return x.in.MarkOrderPaid(ctx, tenantID, id, from, evidence, at)
}

func (x *tx) InsertAttempt(ctx context.Context, a *pay.Attempt) error {
	if err := x.faults.next("InsertAttempt"); err != nil {
		return err
	}
	return x.in.InsertAttempt(ctx, a)
}

func (x *tx) BindAttempt(ctx context.Context, a *pay.Attempt) (bool, error) {
	if err := x.faults.next("BindAttempt"); err != nil {
		return false, err
	}
	return x.in.BindAttempt(ctx, a)
}

func (x *tx) MoveAttempt(ctx context.Context, a *pay.Attempt, to pay.AttemptState) (bool, error) {
	if err := x.faults.next("MoveAttempt"); err != nil {
		return false, err
	}
	return x.in.MoveAttempt(ctx, a, to)
}

func (x *tx) StartAttempt(ctx context.Context, tenantID, id string, at time.Time) error {
	if err := x.faults.next("StartAttempt"); err != nil {
		return err
	}
	return x.in.StartAttempt(ctx, tenantID, id, at)
}

func (x *tx) RescheduleAttempt(ctx context.Context, tenantID, id string, at time.Time) error {
	if err := x.faults.next("RescheduleAttempt"); err != nil {
		return err
	}
	return x.in.RescheduleAttempt(ctx, tenantID, id, at)
}

func (x *tx) InsertPayment(ctx context.Context, p *pay.Payment) error {
	if err := x.faults.next("InsertPayment"); err != nil {
		return err
	}
	return x.in.InsertPayment(ctx, p)
}

func (x *tx) SetPaymentFee(ctx context.Context, p *pay.Payment) error {
	if err := x.faults.next("SetPaymentFee"); err != nil {
		return err
	}
	return x.in.SetPaymentFee(ctx, p)
}

func (x *tx) LockPayment(ctx context.Context, tenantID, intentID string) (*pay.Payment, error) {
	if err := x.faults.next("LockPayment"); err != nil {
		return nil, err
	}
	return x.in.LockPayment(ctx, tenantID, intentID)
}

func (x *tx) SetRefunded(ctx context.Context, tenantID, paymentID string, minor int64, at time.Time) error {
	if err := x.faults.next("SetRefunded"); err != nil {
		return err
	}
	return x.in.SetRefunded(ctx, tenantID, paymentID, minor, at)
}

func (x *tx) InsertRefund(ctx context.Context, r *pay.Refund) error {
	if err := x.faults.next("InsertRefund"); err != nil {
		return err
	}
	return x.in.InsertRefund(ctx, r)
}

func (x *tx) MoveRefund(ctx context.Context, tenantID, id string, from, to pay.RefundState, at time.Time) (bool, error) {
	if err := x.faults.next("MoveRefund"); err != nil {
		return false, err
	}
	return x.in.MoveRefund(ctx, tenantID, id, from, to, at)
}

func (x *tx) InsertEntry(ctx context.Context, e *pay.LedgerEntry) (bool, error) {
	if err := x.faults.next("InsertEntry"); err != nil {
		return false, err
	}
	return x.in.InsertEntry(ctx, e)
}

func (x *tx) InsertPosting(ctx context.Context, p *pay.Posting) error {
	if err := x.faults.next("InsertPosting"); err != nil {
		return err
	}
	return x.in.InsertPosting(ctx, p)
}

func (x *tx) InsertDelivery(ctx context.Context, d *pay.Delivery) error {
	if err := x.faults.next("InsertDelivery"); err != nil {
		return err
	}
	return x.in.InsertDelivery(ctx, d)
}

func (x *tx) InsertUnclaimed(ctx context.Context, u *pay.Unclaimed) error {
	if err := x.faults.next("InsertUnclaimed"); err != nil {
		return err
	}
	return x.in.InsertUnclaimed(ctx, u)
}

func (x *tx) LockUnclaimed(ctx context.Context, tenantID, id string) (*pay.Unclaimed, error) {
	if err := x.faults.next("LockUnclaimed"); err != nil {
		return nil, err
	}
	return x.in.LockUnclaimed(ctx, tenantID, id)
}

func (x *tx) MoveUnclaimed(ctx context.Context, u *pay.Unclaimed, from pay.UnclaimedState) (bool, error) {
	if err := x.faults.next("MoveUnclaimed"); err != nil {
		return false, err
	}
	return x.in.MoveUnclaimed(ctx, u, from)
}

func (x *tx) InsertEvent(ctx context.Context, e *pay.Event) (bool, error) {
	if err := x.faults.next("InsertEvent"); err != nil {
		return false, err
	}
	return x.in.InsertEvent(ctx, e)
}

func (x *tx) FinishEvent(ctx context.Context, tenantID, id string, state pay.EventState, note string, at time.Time) error {
	if err := x.faults.next("FinishEvent"); err != nil {
		return err
	}
	return x.in.FinishEvent(ctx, tenantID, id, state, note, at)
}

func (x *tx) InsertStory(ctx context.Context, s *pay.StoryLine) error {
	if err := x.faults.next("InsertStory"); err != nil {
		return err
	}
	return x.in.InsertStory(ctx, s)
}

func (x *tx) Enqueue(ctx context.Context, j pay.Job) error {
	if err := x.faults.next("Enqueue"); err != nil {
		return err
	}
	return x.in.Enqueue(ctx, j)
}

func (x *tx) UnbindStripeCustomer(ctx context.Context, tenantID, customerID, stripeCustomer string) error {
	if err := x.faults.next("UnbindStripeCustomer"); err != nil {
		return err
	}
	return x.in.UnbindStripeCustomer(ctx, tenantID, customerID, stripeCustomer)
}

func (x *tx) ReplaceCards(ctx context.Context, tenantID, customerID string, cards []*pay.Card, at time.Time) error {
	if err := x.faults.next("ReplaceCards"); err != nil {
		return err
	}
	return x.in.ReplaceCards(ctx, tenantID, customerID, cards, at)
}

func (x *tx) InsertTokenUse(ctx context.Context, u *pay.TokenUse) error {
	if err := x.faults.next("InsertTokenUse"); err != nil {
		return err
	}
	return x.in.InsertTokenUse(ctx, u)
}

func (x *tx) SetTokenCard(ctx context.Context, tenantID, claim, cardID string, at time.Time) error {
	if err := x.faults.next("SetTokenCard"); err != nil {
		return err
	}
	return x.in.SetTokenCard(ctx, tenantID, claim, cardID, at)
}

func (x *tx) SetAttemptCard(ctx context.Context, tenantID, id, cardID string, at time.Time) error {
	if err := x.faults.next("SetAttemptCard"); err != nil {
		return err
	}
	return x.in.SetAttemptCard(ctx, tenantID, id, cardID, at)
}

func (x *tx) LockPaymentByOrder(ctx context.Context, tenantID, orderID string) (*pay.Payment, error) {
	if err := x.faults.next("LockPaymentByOrder"); err != nil {
		return nil, err
	}
	return x.in.LockPaymentByOrder(ctx, tenantID, orderID)
}

func (x *tx) InsertRefundRequest(ctx context.Context, r *pay.RefundRequest) error {
	if err := x.faults.next("InsertRefundRequest"); err != nil {
		return err
	}
	return x.in.InsertRefundRequest(ctx, r)
}

func (x *tx) MoveRefundRequest(ctx context.Context, r *pay.RefundRequest, to pay.RefundRequestState) (bool, error) {
	if err := x.faults.next("MoveRefundRequest"); err != nil {
		return false, err
	}
	return x.in.MoveRefundRequest(ctx, r, to)
}

func (x *tx) InsertDispute(ctx context.Context, d *pay.Dispute) error {
	if err := x.faults.next("InsertDispute"); err != nil {
		return err
	}
	return x.in.InsertDispute(ctx, d)
}

func (x *tx) MoveDispute(ctx context.Context, d *pay.Dispute, from pay.DisputeState) (bool, error) {
	if err := x.faults.next("MoveDispute"); err != nil {
		return false, err
	}
	return x.in.MoveDispute(ctx, d, from)
}

func (x *tx) SetSweepMark(ctx context.Context, tenantID string, kind pay.ListKind, m pay.SweepMark, at time.Time) error {
	if err := x.faults.next("SetSweepMark"); err != nil {
		return err
	}
	return x.in.SetSweepMark(ctx, tenantID, kind, m, at)
}

func (x *tx) InsertMail(ctx context.Context, m *pay.Mail) (bool, error) {
	if err := x.faults.next("InsertMail"); err != nil {
		return false, err
	}
	return x.in.InsertMail(ctx, m)
}

func (x *tx) MovePosting(ctx context.Context, p *pay.Posting, from pay.PostingState) (bool, error) {
	if err := x.faults.next("MovePosting"); err != nil {
		return false, err
	}
	return x.in.MovePosting(ctx, p, from)
}
