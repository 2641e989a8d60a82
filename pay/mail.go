package pay

import (
	"context"
	"slices"
	"strings"
	"time"
)

// MailKind says which mail it is. The texts are those of a tenant's property `mails`.
type MailKind string

const (
	// MailReceipt: the order is paid.
	MailReceipt MailKind = "receipt"
	// MailFailed: a bank refused a debit days after its customer had left.
	MailFailed MailKind = "payment_failed"
	// MailAuthentication: a saved card was charged, and its bank wants the customer.
	MailAuthentication MailKind = "authentication"
	// MailDaily is the daily letter to the staff.
	MailDaily MailKind = "daily"
)

// MailKinds are all of them; those about an order come first.
var MailKinds = []MailKind{MailReceipt, MailFailed, MailAuthentication, MailDaily}

// MailState is where one mail stands.
type MailState string

const (
	MailPending MailState = "pending"
	MailSent    MailState = "sent"    // the SMTP server took it
	MailUnsent  MailState = "failed"  // it was refused for good, or given up
	MailSkipped MailState = "skipped" // there was no address, or no need any more
)

// Mail is one mail that is to be sent, made in the transaction of the fact that it
// tells of. It has neither address nor text of a customer: both are read when it is
// sent.
type Mail struct {
	ID       string // eml_…; the Message-ID is made of it
	TenantID string // "" for an operator's daily letter
	OrderID  string // "" for the daily letter
	PersonID string // whose daily letter it is, "" for a customer's mail
	Kind     MailKind
	Fact     string // unique: one mail for a fact
	// Content is what the daily letter says, as JSON without personal data.
	Content   string
	State     MailState
	Outcome   string // what became of it, in words for staff; "" while it is pending
	Tries     int
	CreatedAt time.Time
	UpdatedAt time.Time
}

// MailJob asks for one mail to be sent.
type MailJob struct {
	MailID string
	// At is when; zero means at once.
	At time.Time
}

// JobKind names the job in the queue.
func (MailJob) JobKind() string { return "mail" }

// authenticationWait is how long a customer who may be on the way to the page, because
// the portal sent them there, is not written to.
const authenticationWait = 5 * time.Minute

// Sends reports whether the tenant wants mails of this kind to be sent.
func (t *Tenant) Sends(kind MailKind) bool {
	return t.Policies.Mails == "" || slices.Contains(strings.Split(t.Policies.Mails, ","), string(kind))
}

// mailsFault says what is wrong with the property `mails`.
func mailsFault(mails string) string {
	if mails == "" || mails == "none" {
		return ""
	}
	for kind := range strings.SplitSeq(mails, ",") {
		if !slices.Contains(MailKinds, MailKind(kind)) {
			return "must be all, none, or some of receipt, payment_failed, authentication and daily, separated by commas"
		}
	}
	return ""
}

// makeMail makes the mail of a fact about an order, and the job that sends it.
func (s *Service) makeMail(ctx context.Context, tx Tx, t *Tenant, o *Order, kind MailKind, fact string, now time.Time) error {
	if !s.Mails || !t.Sends(kind) {
		return nil
	}
	m := &Mail{ID: NewID("eml", now), TenantID: t.ID, OrderID: o.ID, Kind: kind, Fact: fact + ":" + string(kind), State: MailPending, CreatedAt: now, UpdatedAt: now}
	fresh, err := tx.InsertMail(ctx, m)
	if err != nil || !fresh {
		return err
	}
	job := MailJob{MailID: m.ID}
	if kind == MailAuthentication {
		job.At = now.Add(authenticationWait)
	}
	return tx.Enqueue(ctx, job)
}

// mail is makeMail for the order of a booking.
func (b *booking) mail(kind MailKind, fact string) error {
	return b.service.makeMail(b.ctx, b.tx, b.tenant, b.order, kind, fact, b.now)
}
