package mail

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
)

// Finding is one thing that needs a person. It has no personal data: it is stored with the
// letter.
type Finding struct {
	TenantID string `json:"-"`                // "" for the installation's
	Tenant   string `json:"tenant,omitempty"` // the tenant's name, where the letter is about several
	What     string `json:"what"`
	Do       string `json:"do,omitempty"`
	Path     string `json:"path"` // of the staff page, such as /admin/unclaimed
	// OperatorsOnly is what a tenant's people could not mend.
	OperatorsOnly bool `json:"-"`
}

// Daily is what a daily letter says. No findings: all is square.
type Daily struct {
	Place    string    `json:"place,omitempty"` // whose letter it is; "" for the whole installation
	Findings []Finding `json:"findings"`
}

// failedWithin is how long a failure that nobody can undo is told again.
const failedWithin = 3 * 24 * time.Hour

// WriteLetters makes the daily letters of a day (2026-11-23) for the staff, each with its
// job, in one transaction. Call it any number of times: each person gets one letter a day.
func (p *Post) WriteLetters(ctx context.Context, day string) error {
	if p.Sender == nil {
		return nil
	}
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return fmt.Errorf("write the letters of %q: %w", day, err)
	}
	readers, tenants, err := p.readers(ctx)
	if err != nil || len(readers) == 0 {
		return err
	}
	all, err := p.findings(ctx, tenants)
	if err != nil {
		return err
	}
	now := p.Now()
	var mails []*pay.Mail
	for _, person := range readers {
		letter := Daily{Findings: []Finding{}}
		for _, f := range all {
			switch {
			case person.Role == staff.Operator:
				letter.Findings = append(letter.Findings, f)
			case f.TenantID == person.TenantID && !f.OperatorsOnly:
				f.Tenant = ""
				letter.Findings = append(letter.Findings, f)
			}
		}
		if t := tenants[person.TenantID]; t != nil {
			letter.Place = t.Name
		}
		content, err := json.Marshal(letter)
		if err != nil {
			return fmt.Errorf("write the letters of %s: %w", day, err)
		}
		mails = append(mails, &pay.Mail{ID: pay.NewID("eml", now), TenantID: person.TenantID, PersonID: person.ID, Kind: pay.MailDaily,
			Fact: person.ID + ":" + day, Content: string(content), State: pay.MailPending, CreatedAt: now, UpdatedAt: now})
	}
	err = p.Rows.InTx(ctx, func(tx pay.Tx) error {
		for _, m := range mails {
			fresh, err := tx.InsertMail(ctx, m)
			if err != nil {
				return err
			}
			if !fresh {
				continue
			}
			if err := tx.Enqueue(ctx, pay.MailJob{MailID: m.ID}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write the letters of %s: %w", day, err)
	}
	return nil
}

// readers are who gets a letter: operators, and the administrators of tenants that want
// it. Tenants come by id.
func (p *Post) readers(ctx context.Context) ([]*staff.Person, map[string]*pay.Tenant, error) {
	people, err := p.People.ListStaff(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("write the letters: %w", err)
	}
	list, err := p.Rows.ListTenants(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("write the letters: %w", err)
	}
	tenants := map[string]*pay.Tenant{}
	for _, t := range list {
		tenants[t.ID] = t
	}
	var readers []*staff.Person
	for _, person := range people {
		if getsLetter(person, tenants[person.TenantID]) {
			readers = append(readers, person)
		}
	}
	return readers, tenants, nil
}

func getsLetter(person *staff.Person, t *pay.Tenant) bool {
	switch {
	case person.State != staff.Active:
		return false
	case person.Role == staff.Operator:
		return true
	}
	return person.Role == staff.TenantAdmin && t != nil && t.Sends(pay.MailDaily)
}

// findings are everything that needs somebody, tenant by tenant, the installation's first.
func (p *Post) findings(ctx context.Context, tenants map[string]*pay.Tenant) ([]Finding, error) {
	var all []Finding
	examined := map[string][]Finding{}
	if p.Examine != nil {
		for _, f := range p.Examine(ctx) {
			if t := tenants[f.TenantID]; t != nil {
				f.Tenant = t.Name
			}
			examined[f.TenantID] = append(examined[f.TenantID], f)
		}
	}
	all = append(all, examined[""]...)
	list, err := p.Rows.ListTenants(ctx)
	if err != nil {
		return nil, fmt.Errorf("write the letters: %w", err)
	}
	for _, t := range list {
		n, err := p.Rows.NeedsPerson(ctx, t.ID, p.Now().Add(-failedWithin))
		if err != nil {
			return nil, fmt.Errorf("write the letters: %w", err)
		}
		for _, f := range waiting(n, p.Now()) {
			f.TenantID, f.Tenant = t.ID, t.Name
			all = append(all, f)
		}
		all = append(all, examined[t.ID]...)
	}
	return all, nil
}

// waiting puts counts into words.
func waiting(n *pay.Attention, now time.Time) []Finding {
	var all []Finding
	add := func(count int, one, many, path string) {
		switch {
		case count == 1:
			all = append(all, Finding{What: "1 " + one, Path: path})
		case count >= pay.AttentionMost: // where the counting stops
			all = append(all, Finding{What: fmt.Sprintf("%d or more %s", count, many), Path: path})
		case count > 1:
			all = append(all, Finding{What: fmt.Sprintf("%d %s", count, many), Path: path})
		}
	}
	add(n.Unclaimed, "case of unclaimed money is open", "cases of unclaimed money are open", "/admin/unclaimed?state=open")
	add(n.Mismatches, "order does not agree with Stripe", "orders do not agree with Stripe", "/admin/orders?state=mismatch")
	add(n.Postings, "posting to PortaBilling needs review", "postings to PortaBilling need review", "/admin/postings?state=attention")
	add(n.RefundsFailed, "refund failed in the last three days", "refunds failed in the last three days", "/admin/refunds?state=failed")
	add(n.Disputes, "dispute waits for an answer", "disputes wait for an answer", "/admin/disputes")
	if n.Disputes > 0 && !n.DisputeDue.IsZero() {
		due := &all[len(all)-1]
		due.Do = "The first is due on " + n.DisputeDue.UTC().Format("2 January 2006, 15:04") + " UTC."
		if n.DisputeDue.Before(now) {
			due.Do = "The first was due on " + n.DisputeDue.UTC().Format("2 January 2006") + "."
		}
	}
	add(n.EventsFailed, "event of Stripe's was given up", "events of Stripe's were given up", "/admin/events?state=failed")
	add(n.DeliveriesFailed, "notice to the portal was given up in the last three days", "notices to the portal were given up in the last three days", "/admin/orders")
	add(n.MailsFailed, "mail could not be sent in the last three days", "mails could not be sent in the last three days", "/admin/mail?state=failed")
	return all
}

// writeDaily writes a stored letter for its person.
func (p *Post) writeDaily(ctx context.Context, m *pay.Mail, msg *Message) error {
	person, err := p.People.StaffByID(ctx, m.PersonID)
	if err != nil {
		return err
	}
	// Somebody who changed tenants meanwhile must not get the old one's letter.
	if person.State != staff.Active || person.TenantID != m.TenantID || person.Role == staff.TenantViewer {
		return leftSince
	}
	var l Daily
	if err := json.Unmarshal([]byte(m.Content), &l); err != nil {
		return fmt.Errorf("read letter %s: %w", m.ID, err)
	}
	accent := ""
	if m.TenantID != "" {
		t, err := p.Rows.TenantByID(ctx, m.TenantID)
		if err != nil {
			return err
		}
		accent = t.Branding.AccentColour
	}
	msg.To, msg.FromName = person.Email, "Portatill"
	msg.Letter, err = writeLetter(l, m.CreatedAt, p.BaseURL, accent)
	return err
}
