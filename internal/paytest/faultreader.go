package paytest

import (
	"context"
	"time"

	"github.com/portatill/portatill/pay"
)

// reader fails reads, of the store and of a transaction alike.
type reader struct {
	in     pay.Reader
	faults *Faults
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

func (r reader) PostingByID(ctx context.Context, tenantID, id string) (*pay.Posting, error) {
	if err := r.faults.next("PostingByID"); err != nil {
		return nil, err
	}
	return r.in.PostingByID(ctx, tenantID, id)
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

func (r reader) EventByStripeID(ctx context.Context, tenantID, stripeID string) (*pay.Event, error) {
	if err := r.faults.next("EventByStripeID"); err != nil {
		return nil, err
	}
	return r.in.EventByStripeID(ctx, tenantID, stripeID)
}

func (r reader) ListEvents(ctx context.Context, f pay.EventFilter) ([]*pay.Event, error) {
	if err := r.faults.next("ListEvents"); err != nil {
		return nil, err
	}
	return r.in.ListEvents(ctx, f)
}

func (r reader) UnclaimedByID(ctx context.Context, tenantID, id string) (*pay.Unclaimed, error) {
	if err := r.faults.next("UnclaimedByID"); err != nil {
		return nil, err
	}
	return r.in.UnclaimedByID(ctx, tenantID, id)
}

func (r reader) FactBooked(ctx context.Context, tenantID, fact string) (bool, error) {
	if err := r.faults.next("FactBooked"); err != nil {
		return false, err
	}
	return r.in.FactBooked(ctx, tenantID, fact)
}

func (r reader) CustomersByEmail(ctx context.Context, tenantID, email string, limit int) ([]string, error) {
	if err := r.faults.next("CustomersByEmail"); err != nil {
		return nil, err
	}
	return r.in.CustomersByEmail(ctx, tenantID, email, limit)
}

func (r reader) OpenOrdersOver(ctx context.Context, tenantID string, amount pay.Money, since time.Time, limit int) ([]*pay.Order, error) {
	if err := r.faults.next("OpenOrdersOver"); err != nil {
		return nil, err
	}
	return r.in.OpenOrdersOver(ctx, tenantID, amount, since, limit)
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

func (r reader) ChargeByDigest(ctx context.Context, tenantID, digest string, since time.Time, exceptID string) (*pay.Order, error) {
	if err := r.faults.next("ChargeByDigest"); err != nil {
		return nil, err
	}
	return r.in.ChargeByDigest(ctx, tenantID, digest, since, exceptID)
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

func (r reader) KnownObjects(ctx context.Context, tenantID string, kind pay.ListKind, objects []pay.Listed) (map[string]string, error) {
	if err := r.faults.next("KnownObjects"); err != nil {
		return nil, err
	}
	return r.in.KnownObjects(ctx, tenantID, kind, objects)
}

func (r reader) StripeAccountOwner(ctx context.Context, account string, livemode bool) (string, error) {
	if err := r.faults.next("StripeAccountOwner"); err != nil {
		return "", err
	}
	return r.in.StripeAccountOwner(ctx, account, livemode)
}

func (r reader) KnownElsewhere(ctx context.Context, tenantID string, ids []string) (map[string]bool, error) {
	if err := r.faults.next("KnownElsewhere"); err != nil {
		return nil, err
	}
	return r.in.KnownElsewhere(ctx, tenantID, ids)
}

func (r reader) SweepMark(ctx context.Context, tenantID string, kind pay.ListKind) (pay.SweepMark, error) {
	if err := r.faults.next("SweepMark"); err != nil {
		return pay.SweepMark{}, err
	}
	return r.in.SweepMark(ctx, tenantID, kind)
}
