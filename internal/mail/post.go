package mail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/portatill/portatill/internal/i18n"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
)

// Rows keeps the mails.
type Rows interface {
	pay.Store
	MailByID(ctx context.Context, id string) (*pay.Mail, error)
	// FinishMail stores state, outcome, tries and UpdatedAt of a mail that is pending, with
	// the line that its order's story gets (nil: none), and reports whether it was pending.
	FinishMail(ctx context.Context, m *pay.Mail, told *pay.StoryLine) (bool, error)
	// NeedsPerson counts what waits for a person; what failed counts since a time.
	NeedsPerson(ctx context.Context, tenantID string, since time.Time) (*pay.Attention, error)
}

// Post sends what pay and the calendar ask for. Its fields are set once, at wiring; its
// methods are safe for concurrent use.
type Post struct {
	Rows   Rows
	People staff.Reader
	Sender *Sender // nil: mails were turned off, and those that wait are not sent
	// Examine looks at the installation and all tenants for the daily letter, as
	// `portatill doctor` does; nil leaves it out.
	Examine func(ctx context.Context) []Finding
	BaseURL string // of all links, without a trailing slash
	Now     func() time.Time
}

// host is what Message-IDs end in.
func (p *Post) host() string {
	if u, err := url.Parse(p.BaseURL); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return "portatill.invalid"
}

// skipped is why a mail need not, or cannot, be sent.
type skipped string

func (s skipped) Error() string { return string(s) }

// Why a mail was not sent.
const (
	noAddress  skipped = "there is no e-mail address"
	badAddress skipped = "the e-mail address is none"
	turnedOff  skipped = "mails are turned off"
	paidSince  skipped = "the order is paid"
	overSince  skipped = "the order can no longer be paid"
	leftSince  skipped = "the person is no longer on the staff"
)

// Deliver sends one mail and stores what became of it. Call it any number of times: a mail
// that is not pending is left alone. An error, a *Refusal that is not final among them,
// means to call again later; with lastTry it is stored as given up.
//
// A process that dies between the server's answer and our commit sends the mail again,
// with the same Message-ID.
func (p *Post) Deliver(ctx context.Context, id string, tries int, lastTry bool) error {
	m, err := p.Rows.MailByID(ctx, id)
	if err != nil {
		return fmt.Errorf("deliver mail %s: %w", id, err)
	}
	if m.State != pay.MailPending {
		return nil
	}
	m.Tries = tries
	msg, err := p.message(ctx, m)
	answer := ""
	if err == nil {
		answer, err = p.Sender.Send(ctx, msg)
	}
	why, skip := errors.AsType[skipped](err)
	refusal, refused := errors.AsType[*Refusal](err)
	switch {
	case err == nil:
		m.State, m.Outcome = pay.MailSent, cmp.Or(answer, "taken by the server")
	case skip && why == badAddress:
		m.State, m.Outcome = pay.MailUnsent, string(why)
	case skip:
		m.State, m.Outcome = pay.MailSkipped, string(why)
	case refused && refusal.Final:
		m.State, m.Outcome = pay.MailUnsent, refusal.Tell()
	case lastTry && refused:
		m.State, m.Outcome = pay.MailUnsent, "given up: "+refusal.Tell()
	case lastTry:
		m.State, m.Outcome = pay.MailUnsent, "given up: an error that the log has"
	default:
		return fmt.Errorf("deliver mail %s: %w", id, err)
	}
	// It is sent: a shutdown must not keep that from being stored.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if storeErr := p.finish(ctx, m); storeErr != nil {
		return storeErr
	}
	if m.State == pay.MailUnsent && !skip && !refusal.finally() {
		return fmt.Errorf("deliver mail %s: %w", id, err)
	}
	return nil
}

// finally reports a refusal for good, which no job needs to repeat; nil is none.
func (r *Refusal) finally() bool { return r != nil && r.Final }

// finish stores an outcome and tells the order's story of it.
func (p *Post) finish(ctx context.Context, m *pay.Mail) error {
	m.UpdatedAt = p.Now()
	var told *pay.StoryLine
	if m.OrderID != "" {
		told = &pay.StoryLine{ID: pay.NewID("sto", m.UpdatedAt), TenantID: m.TenantID, OrderID: m.OrderID, At: m.UpdatedAt, What: "mail_" + string(m.State),
			Cause: pay.Cause{Kind: pay.CauseMail, ID: m.ID}, Detail: KindNames[m.Kind] + ": " + m.Outcome}
	}
	if _, err := p.Rows.FinishMail(ctx, m, told); err != nil {
		return fmt.Errorf("finish mail %s: %w", m.ID, err)
	}
	return nil
}

// message writes a stored mail as things are now.
func (p *Post) message(ctx context.Context, m *pay.Mail) (Message, error) {
	if p.Sender == nil {
		return Message{}, turnedOff
	}
	msg := Message{ID: m.ID, Host: p.host(), Date: m.CreatedAt}
	if m.Kind == pay.MailDaily {
		return msg, p.writeDaily(ctx, m, &msg)
	}
	sale, err := p.sale(ctx, m)
	if err != nil {
		return msg, err
	}
	switch state := sale.Order.State; {
	case sale.Customer.Email == "":
		return msg, noAddress
	case m.Kind == pay.MailReceipt:
	case state == pay.OrderPaid:
		return msg, paidSince
	case m.Kind == pay.MailAuthentication && state != pay.OrderOpen && state != pay.OrderExpired:
		return msg, overSince
	}
	if _, ok := address(sale.Customer.Email); !ok {
		return msg, badAddress
	}
	msg.To, msg.FromName, msg.ReplyTo = sale.Customer.Email, fromName(sale.Tenant), replyTo(sale.Tenant)
	msg.Letter, err = Write(m.Kind, sale, languageOf(sale.Tenant, sale.Language))
	return msg, err
}

// sale reads what a mail about an order is written from.
func (p *Post) sale(ctx context.Context, m *pay.Mail) (Sale, error) {
	var s Sale
	var err error
	if s.Tenant, err = p.Rows.TenantByID(ctx, m.TenantID); err != nil {
		return s, err
	}
	if s.Order, err = p.Rows.OrderByID(ctx, m.TenantID, m.OrderID); err != nil {
		return s, err
	}
	if s.Customer, err = p.Rows.CustomerByID(ctx, m.TenantID, s.Order.CustomerID); err != nil {
		return s, err
	}
	if s.Payment, err = p.Rows.PaymentByOrder(ctx, m.TenantID, m.OrderID); pay.IsNotFound(err) {
		s.Payment, err = nil, nil
	}
	if err != nil {
		return s, err
	}
	attempts, err := p.Rows.ListAttempts(ctx, m.TenantID, m.OrderID)
	for _, a := range attempts {
		s.Language = cmp.Or(a.Language, s.Language)
	}
	page, asked := p.BaseURL+"/pay/"+s.Order.PayToken, ""
	if s.Language != "" {
		asked = "?lang=" + url.QueryEscape(s.Language)
	}
	s.PageURL, s.ReceiptURL = page+asked, page+"/receipt"+asked
	return s, err
}

// languageOf is what a mail of a tenant's is said in: what the customer asked for on the
// order's pages, else the tenant's own, else English.
func languageOf(t *pay.Tenant, asked string) *i18n.Language {
	return cmp.Or(i18n.ByTag(asked), i18n.ByTag(t.Branding.Language), i18n.English())
}

// SendTest sends an example, as Example writes it, to somebody now and returns the
// server's answer. The error is a *pay.Error for an address that is none, a *Refusal, or ctx's.
func (p *Post) SendTest(ctx context.Context, t *pay.Tenant, kind pay.MailKind, l *i18n.Language, to string) (answer string, err error) {
	if p.Sender == nil {
		return "", pay.Errorf(pay.CodeConflict, "", "No mail can be sent: PORTATILL_SMTP_ADDRESS is not set.")
	}
	if err := CheckAddress(to); err != nil {
		return "", err
	}
	letter, err := p.Example(t, kind, l)
	if err != nil {
		return "", err
	}
	letter.Subject = "[Test] " + letter.Subject
	now := p.Now()
	msg := Message{ID: pay.NewID("test", now), Host: p.host(), To: to, FromName: "Portatill", Date: now, Letter: letter}
	if t != nil {
		msg.FromName, msg.ReplyTo = fromName(t), replyTo(t)
	}
	return p.Sender.Send(ctx, msg)
}
