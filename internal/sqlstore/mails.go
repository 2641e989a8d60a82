package sqlstore

import (
	"context"

	"github.com/portatill/portatill/pay"
)

const mailColumns = `id, COALESCE(tenant_id, ''), COALESCE(order_id, ''), COALESCE(person_id, ''), kind, fact, content, state, outcome, tries,
	created_at, updated_at`

func scanMail(w row, m *pay.Mail) error {
	return w.Scan(&m.ID, &m.TenantID, &m.OrderID, &m.PersonID, &m.Kind, &m.Fact, &m.Content, &m.State, &m.Outcome, &m.Tries, at(&m.CreatedAt), at(&m.UpdatedAt))
}

// InsertMail implements pay.Tx.
func (x *tx) InsertMail(ctx context.Context, m *pay.Mail) (bool, error) {
	return x.moved(ctx, "insert mail", `INSERT INTO mails (id, tenant_id, order_id, person_id, kind, fact, content, state, outcome, tries, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING`,
		m.ID, text(m.TenantID), text(m.OrderID), text(m.PersonID), m.Kind, m.Fact, m.Content, m.State, m.Outcome, m.Tries, micros(m.CreatedAt), micros(m.UpdatedAt))
}

// MailByID reads one mail.
func (r reader) MailByID(ctx context.Context, id string) (*pay.Mail, error) {
	return one(ctx, r, "mail", scanMail, `SELECT `+mailColumns+` FROM mails WHERE id = $1`, id)
}

// FinishMail stores what became of a mail that is pending, with the line that its order's
// story gets (nil: none), and reports whether it was still pending.
func (s *Store) FinishMail(ctx context.Context, m *pay.Mail, told *pay.StoryLine) (moved bool, err error) {
	err = s.InTx(ctx, func(t pay.Tx) error {
		x := t.(*tx)
		moved, err = x.moved(ctx, "finish mail", `UPDATE mails SET state = $2, outcome = $3, tries = $4, updated_at = $5 WHERE id = $1 AND state = 'pending'`,
			m.ID, m.State, m.Outcome, m.Tries, micros(m.UpdatedAt))
		if err != nil || !moved || told == nil {
			return err
		}
		return x.InsertStory(ctx, told)
	})
	return moved, err
}
