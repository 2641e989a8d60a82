package paytest

import (
	"context"
	"time"

	"github.com/portatill/portatill/pay"
)

// Store wraps a store and fails one call: any read, any write within a
// transaction, the beginning of a transaction, a commit that rolls back, or a
// commit that is done but whose answer is lost (safety.md F-29).
type Store struct {
	Faults

	reader
	in pay.Store
}

// WrapStore puts a Store in front of the world's and returns it.
func (w *World) WrapStore() *Store {
	s := &Store{in: w.Store}
	s.reader = reader{in: w.Store, faults: &s.Faults}
	w.Pay.Store = s
	return s
}

// WatchStore puts a Store in front of another that asks watch at every call, and
// fails the call with watch's error. Watch is called without a lock, so that it may
// end the goroutine, as a crash does, or call the store itself where no transaction
// is open, which is at "begin" and "commit's answer lost".
func WatchStore(in pay.Store, watch func(call string) error) *Store {
	s := &Store{in: in, Faults: Faults{watch: watch}}
	s.reader = reader{in: in, faults: &s.Faults}
	return s
}

// InTx implements pay.Store.
func (s *Store) InTx(ctx context.Context, fn func(tx pay.Tx) error) error {
	if err := s.next("begin"); err != nil {
		return err
	}
	err := s.in.InTx(ctx, func(inner pay.Tx) error {
		if err := fn(&tx{reader{in: inner, faults: &s.Faults}, inner}); err != nil {
			return err
		}
		return s.next("commit refused")
	})
	if err != nil {
		return err
	}
	return s.next("commit's answer lost")
}

// Ping implements pay.Store.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.next("Ping"); err != nil {
		return err
	}
	return s.in.Ping(ctx)
}

// reader fails reads, of the store and of a transaction alike.
type reader struct {
	in     pay.Reader
	faults *Faults
}

// tx fails what is done within a transaction.
type tx struct {
	reader
	in pay.Tx
}

func (r reader) TenantByID(ctx context.Context, id string) (*pay.Tenant, error) {
	if err := r.faults.next("TenantByID"); err != nil {
		return nil, err
	}
	return r.in.TenantByID(ctx, id)
}

func (r reader) TenantBySlug(ctx context.Context, slug string) (*pay.Tenant, error) {
	if err := r.faults.next("TenantBySlug"); err != nil {
		return nil, err
	}
	return r.in.TenantBySlug(ctx, slug)
}

func (r reader) TenantByLicense(ctx context.Context, hash string) (*pay.Tenant, error) {
	if err := r.faults.next("TenantByLicense"); err != nil {
		return nil, err
	}
	return r.in.TenantByLicense(ctx, hash)
}

func (r reader) ListTenants(ctx context.Context) ([]*pay.Tenant, error) {
	if err := r.faults.next("ListTenants"); err != nil {
		return nil, err
	}
	return r.in.ListTenants(ctx)
}

func (r reader) ListLicenses(ctx context.Context, tenantID string) ([]*pay.License, error) {
	if err := r.faults.next("ListLicenses"); err != nil {
		return nil, err
	}
	return r.in.ListLicenses(ctx, tenantID)
}

func (r reader) CustomerByID(ctx context.Context, tenantID, id string) (*pay.Customer, error) {
	if err := r.faults.next("CustomerByID"); err != nil {
		return nil, err
	}
	return r.in.CustomerByID(ctx, tenantID, id)
}

func (r reader) CustomerByICustomer(ctx context.Context, tenantID string, iCustomer int64) (*pay.Customer, error) {
	if err := r.faults.next("CustomerByICustomer"); err != nil {
		return nil, err
	}
	return r.in.CustomerByICustomer(ctx, tenantID, iCustomer)
}

func (r reader) CustomerByStripeID(ctx context.Context, tenantID, stripeCustomer string) (*pay.Customer, error) {
	if err := r.faults.next("CustomerByStripeID"); err != nil {
		return nil, err
	}
	return r.in.CustomerByStripeID(ctx, tenantID, stripeCustomer)
}

func (r reader) OrderByID(ctx context.Context, tenantID, id string) (*pay.Order, error) {
	if err := r.faults.next("OrderByID"); err != nil {
		return nil, err
	}
	return r.in.OrderByID(ctx, tenantID, id)
}

func (r reader) OrderByPayToken(ctx context.Context, token string) (*pay.Order, error) {
	if err := r.faults.next("OrderByPayToken"); err != nil {
		return nil, err
	}
	return r.in.OrderByPayToken(ctx, token)
}

func (r reader) OrderByIdempotencyKey(ctx context.Context, tenantID, key string) (*pay.Order, error) {
	if err := r.faults.next("OrderByIdempotencyKey"); err != nil {
		return nil, err
	}
	return r.in.OrderByIdempotencyKey(ctx, tenantID, key)
}

func (r reader) LiveOrderByDigest(ctx context.Context, tenantID, digest string) (*pay.Order, error) {
	if err := r.faults.next("LiveOrderByDigest"); err != nil {
		return nil, err
	}
	return r.in.LiveOrderByDigest(ctx, tenantID, digest)
}

func (r reader) ListOrders(ctx context.Context, f pay.OrderFilter) ([]*pay.Order, error) {
	if err := r.faults.next("ListOrders"); err != nil {
		return nil, err
	}
	return r.in.ListOrders(ctx, f)
}

func (r reader) AttemptByID(ctx context.Context, tenantID, id string) (*pay.Attempt, error) {
	if err := r.faults.next("AttemptByID"); err != nil {
		return nil, err
	}
	return r.in.AttemptByID(ctx, tenantID, id)
}

func (r reader) AttemptBySession(ctx context.Context, tenantID, sessionID string) (*pay.Attempt, error) {
	if err := r.faults.next("AttemptBySession"); err != nil {
		return nil, err
	}
	return r.in.AttemptBySession(ctx, tenantID, sessionID)
}

func (r reader) AttemptByIntent(ctx context.Context, tenantID, intentID string) (*pay.Attempt, error) {
	if err := r.faults.next("AttemptByIntent"); err != nil {
		return nil, err
	}
	return r.in.AttemptByIntent(ctx, tenantID, intentID)
}

func (r reader) ListAttempts(ctx context.Context, tenantID, orderID string) ([]*pay.Attempt, error) {
	if err := r.faults.next("ListAttempts"); err != nil {
		return nil, err
	}
	return r.in.ListAttempts(ctx, tenantID, orderID)
}

func (r reader) AttemptsDue(ctx context.Context, t time.Time, limit int) ([]*pay.Attempt, error) {
	if err := r.faults.next("AttemptsDue"); err != nil {
		return nil, err
	}
	return r.in.AttemptsDue(ctx, t, limit)
}

func (r reader) PaymentByOrder(ctx context.Context, tenantID, orderID string) (*pay.Payment, error) {
	if err := r.faults.next("PaymentByOrder"); err != nil {
		return nil, err
	}
	return r.in.PaymentByOrder(ctx, tenantID, orderID)
}

func (r reader) PaymentByIntent(ctx context.Context, tenantID, intentID string) (*pay.Payment, error) {
	if err := r.faults.next("PaymentByIntent"); err != nil {
		return nil, err
	}
	return r.in.PaymentByIntent(ctx, tenantID, intentID)
}

func (r reader) ListRefunds(ctx context.Context, tenantID, paymentID string) ([]*pay.Refund, error) {
	if err := r.faults.next("ListRefunds"); err != nil {
		return nil, err
	}
	return r.in.ListRefunds(ctx, tenantID, paymentID)
}

func (r reader) ListPostings(ctx context.Context, tenantID, orderID string) ([]*pay.Posting, error) {
	if err := r.faults.next("ListPostings"); err != nil {
		return nil, err
	}
	return r.in.ListPostings(ctx, tenantID, orderID)
}

func (r reader) ListDeliveries(ctx context.Context, tenantID, orderID string) ([]*pay.Delivery, error) {
	if err := r.faults.next("ListDeliveries"); err != nil {
		return nil, err
	}
	return r.in.ListDeliveries(ctx, tenantID, orderID)
}

func (r reader) ListStory(ctx context.Context, tenantID, orderID string) ([]*pay.StoryLine, error) {
	if err := r.faults.next("ListStory"); err != nil {
		return nil, err
	}
	return r.in.ListStory(ctx, tenantID, orderID)
}

func (r reader) ListEntries(ctx context.Context, tenantID, orderID string) ([]*pay.LedgerEntry, error) {
	if err := r.faults.next("ListEntries"); err != nil {
		return nil, err
	}
	return r.in.ListEntries(ctx, tenantID, orderID)
}

func (r reader) EventByID(ctx context.Context, tenantID, id string) (*pay.Event, error) {
	if err := r.faults.next("EventByID"); err != nil {
		return nil, err
	}
	return r.in.EventByID(ctx, tenantID, id)
}

func (r reader) ListEvents(ctx context.Context, tenantID string, state pay.EventState, limit int) ([]*pay.Event, error) {
	if err := r.faults.next("ListEvents"); err != nil {
		return nil, err
	}
	return r.in.ListEvents(ctx, tenantID, state, limit)
}

func (r reader) ListUnclaimed(ctx context.Context, tenantID string) ([]*pay.Unclaimed, error) {
	if err := r.faults.next("ListUnclaimed"); err != nil {
		return nil, err
	}
	return r.in.ListUnclaimed(ctx, tenantID)
}

func (r reader) Balances(ctx context.Context, tenantID string) ([]pay.AccountBalance, error) {
	if err := r.faults.next("Balances"); err != nil {
		return nil, err
	}
	return r.in.Balances(ctx, tenantID)
}

func (r reader) Movements(ctx context.Context, tenantID string, from, until time.Time) ([]pay.Movement, error) {
	if err := r.faults.next("Movements"); err != nil {
		return nil, err
	}
	return r.in.Movements(ctx, tenantID, from, until)
}

func (r reader) CustomerBalances(ctx context.Context, tenantID string) ([]pay.CustomerBalance, error) {
	if err := r.faults.next("CustomerBalances"); err != nil {
		return nil, err
	}
	return r.in.CustomerBalances(ctx, tenantID)
}

func (r reader) VerifyBooks(ctx context.Context) ([]string, error) {
	if err := r.faults.next("VerifyBooks"); err != nil {
		return nil, err
	}
	return r.in.VerifyBooks(ctx)
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

var (
	_ pay.Store = (*Store)(nil)
	_ pay.Tx    = (*tx)(nil)
)

func (r reader) ChargeByDigest(ctx context.Context, tenantID, digest string, since time.Time) (*pay.Order, error) {
	if err := r.faults.next("ChargeByDigest"); err != nil {
		return nil, err
	}
	return r.in.ChargeByDigest(ctx, tenantID, digest, since)
}

func (r reader) ListCards(ctx context.Context, tenantID, customerID string) ([]*pay.Card, error) {
	if err := r.faults.next("ListCards"); err != nil {
		return nil, err
	}
	return r.in.ListCards(ctx, tenantID, customerID)
}

func (r reader) TokenUse(ctx context.Context, tenantID, claim string) (*pay.TokenUse, error) {
	if err := r.faults.next("TokenUse"); err != nil {
		return nil, err
	}
	return r.in.TokenUse(ctx, tenantID, claim)
}

func (r reader) ListDisputes(ctx context.Context, tenantID, paymentID string) ([]*pay.Dispute, error) {
	if err := r.faults.next("ListDisputes"); err != nil {
		return nil, err
	}
	return r.in.ListDisputes(ctx, tenantID, paymentID)
}

func (r reader) RefundRequestByID(ctx context.Context, tenantID, id string) (*pay.RefundRequest, error) {
	if err := r.faults.next("RefundRequestByID"); err != nil {
		return nil, err
	}
	return r.in.RefundRequestByID(ctx, tenantID, id)
}

func (r reader) RefundRequestByKey(ctx context.Context, tenantID, key string) (*pay.RefundRequest, error) {
	if err := r.faults.next("RefundRequestByKey"); err != nil {
		return nil, err
	}
	return r.in.RefundRequestByKey(ctx, tenantID, key)
}

func (r reader) ListRefundRequests(ctx context.Context, tenantID, paymentID string) ([]*pay.RefundRequest, error) {
	if err := r.faults.next("ListRefundRequests"); err != nil {
		return nil, err
	}
	return r.in.ListRefundRequests(ctx, tenantID, paymentID)
}

func (r reader) RefundRequestsDue(ctx context.Context, t time.Time, limit int) ([]*pay.RefundRequest, error) {
	if err := r.faults.next("RefundRequestsDue"); err != nil {
		return nil, err
	}
	return r.in.RefundRequestsDue(ctx, t, limit)
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
