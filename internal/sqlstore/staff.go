package sqlstore

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
)

var _ staff.Store = (*Store)(nil)

// staffTx is staff.Tx: the same transaction as pay's, with the staff's statements.
type staffTx struct{ *tx }

var _ staff.Tx = staffTx{}

// InStaffTx implements staff.Store, under the same rules as InTx.
func (s *Store) InStaffTx(ctx context.Context, fn func(staff.Tx) error) error {
	return s.InTx(ctx, func(t pay.Tx) error { return fn(staffTx{t.(*tx)}) })
}

const personColumns = `id, email, name, role, COALESCE(tenant_id, ''), state, password_hash, totp_secret, totp_pending, last_totp_step, openid_issuer, openid_subject, created_at, updated_at, signed_in_at`

// The places of the staff's sealed texts; see place.
const (
	sealedTOTP        = "staff.totp_secret"
	sealedTOTPPending = "staff.totp_pending"
)

func (r reader) scanPerson(w row, p *staff.Person) error {
	var secret, pending string
	if err := w.Scan(&p.ID, &p.Email, &p.Name, &p.Role, &p.TenantID, &p.State, &p.PasswordHash, &secret, &pending, &p.LastTOTPStep,
		&p.OpenIDIssuer, &p.OpenIDSubject, at(&p.CreatedAt), at(&p.UpdatedAt), at(&p.SignedInAt)); err != nil {
		return err
	}
	var err error
	if p.TOTPSecret, err = r.keys.open(sealedTOTP, p.ID, secret); err != nil {
		return err
	}
	p.TOTPPending, err = r.keys.open(sealedTOTPPending, p.ID, pending)
	return err
}

// sealedStaff are the people's sealed texts; the row's name is no personal data.
func (r reader) sealedStaff(ctx context.Context) ([]*sealedRow, error) {
	return many(ctx, r, "staff's secrets", func(w row, s *sealedRow) error {
		s.columns, s.texts = []string{sealedTOTP, sealedTOTPPending}, make([]string, 2)
		err := w.Scan(&s.id, &s.texts[0], &s.texts[1])
		s.slug = s.id
		return err
	}, `SELECT id, totp_secret, totp_pending FROM staff WHERE totp_secret <> '' OR totp_pending <> '' ORDER BY id`)
}

// resealStaff is Reseal's part for the staff.
func (x *tx) resealStaff(ctx context.Context, found *Seals) error {
	if _, err := x.exec(ctx, "lock staff", `UPDATE staff SET updated_at = updated_at WHERE totp_secret <> '' OR totp_pending <> ''`); err != nil {
		return err
	}
	people, err := x.sealedStaff(ctx)
	if err != nil {
		return err
	}
	for _, p := range people {
		for column, plain := range x.keys.inspect(p, found) {
			if err := x.must(ctx, "encrypt "+column+" of "+p.id+" anew", "person", `UPDATE staff SET `+strings.TrimPrefix(column, "staff.")+` = $2 WHERE id = $1`,
				p.id, x.keys.seal(column, p.id, plain)); err != nil {
				return err
			}
		}
	}
	return nil
}

// ForgetLostTOTP empties an authenticator app's secret that no key opens, without
// which nothing else about the person can be read.
func (s *Store) ForgetLostTOTP(ctx context.Context, email string) error {
	return s.InTx(ctx, func(t pay.Tx) error {
		x := t.(*tx)
		people, err := x.sealedStaff(ctx)
		if err != nil {
			return err
		}
		for _, p := range people {
			var found Seals
			if x.keys.inspect(p, &found); len(found.Lost) == 0 {
				continue
			}
			if _, err := x.exec(ctx, "forget TOTP", `UPDATE staff SET totp_secret = '', totp_pending = '' WHERE id = $1 AND email = $2`, p.id, email); err != nil {
				return err
			}
		}
		return nil
	})
}

// StaffByID implements staff.Reader.
func (r reader) StaffByID(ctx context.Context, id string) (*staff.Person, error) {
	return one(ctx, r, "person", r.scanPerson, `SELECT `+personColumns+` FROM staff WHERE id = $1`, id)
}

// StaffByEmail implements staff.Reader.
func (r reader) StaffByEmail(ctx context.Context, email string) (*staff.Person, error) {
	return one(ctx, r, "person", r.scanPerson, `SELECT `+personColumns+` FROM staff WHERE email = $1`, email)
}

// StaffByOpenID implements staff.Reader and staff.Tx.
func (r reader) StaffByOpenID(ctx context.Context, issuer, subject string) (*staff.Person, error) {
	return one(ctx, r, "person", r.scanPerson, `SELECT `+personColumns+` FROM staff WHERE openid_issuer = $1 AND openid_subject = $2 AND openid_subject <> ''`, issuer, subject)
}

// ListStaff implements staff.Reader.
func (r reader) ListStaff(ctx context.Context) ([]*staff.Person, error) {
	return many(ctx, r, "staff", r.scanPerson, `SELECT `+personColumns+` FROM staff ORDER BY email`)
}

const staffSessionColumns = `hash, person_id, awaits_totp, signed_in_at, fresh_at, last_seen_at, address`

func scanStaffSession(w row, s *staff.Session) error {
	return w.Scan(&s.IDHash, &s.PersonID, &s.AwaitsTOTP, at(&s.SignedInAt), at(&s.FreshAt), at(&s.LastSeenAt), &s.Address)
}

// StaffSession implements staff.Reader.
func (r reader) StaffSession(ctx context.Context, idHash string) (*staff.Session, error) {
	return one(ctx, r, "session", scanStaffSession, `SELECT `+staffSessionColumns+` FROM staff_sessions WHERE hash = $1`, idHash)
}

// ListStaffSessions implements staff.Reader.
func (r reader) ListStaffSessions(ctx context.Context, personID string) ([]*staff.Session, error) {
	return many(ctx, r, "sessions", scanStaffSession,
		`SELECT `+staffSessionColumns+` FROM staff_sessions WHERE person_id = $1 ORDER BY signed_in_at DESC, hash`, personID)
}

// RecoveryCodesLeft implements staff.Reader.
func (r reader) RecoveryCodesLeft(ctx context.Context, personID string) (int, error) {
	n, err := one(ctx, r, "recovery codes", func(w row, n *int) error { return w.Scan(n) },
		`SELECT COUNT(*) FROM staff_recovery_codes WHERE person_id = $1 AND used_at IS NULL`, personID)
	if err != nil {
		return 0, err
	}
	return *n, nil
}

// ListAudit implements staff.Reader. Ids sort by the time they were made.
func (r reader) ListAudit(ctx context.Context, f staff.EntryFilter) ([]*staff.Entry, error) {
	var w where
	if f.Actor != "" {
		w.and("actor = $%d", f.Actor)
	}
	if f.What != "" {
		w.and("what = $%d", f.What)
	}
	if f.TenantID != "" {
		w.and("tenant_id = $%d", f.TenantID)
	}
	// Ids begin with the time of their entry, so that a span is sought and not walked to.
	if !f.From.IsZero() {
		w.and("at >= $%d", micros(f.From))
		w.and("id >= $%d", pay.NewID("aud", f.From)[:len("aud_")+idTime])
	}
	if !f.Until.IsZero() {
		w.and("at < $%d", micros(f.Until))
		w.and("id < $%d", pay.NewID("aud", f.Until.Add(time.Millisecond))[:len("aud_")+idTime])
	}
	if f.Before != "" {
		w.and("id < $%d", f.Before)
	}
	w.args = append(w.args, clampLimit(f.Limit, 50, 1000))
	return many(ctx, r, "audit log", func(w row, e *staff.Entry) error {
		return w.Scan(&e.ID, at(&e.At), &e.Actor, &e.TenantID, &e.What, &e.Subject, &e.Refused, &e.Before, &e.After, &e.Address)
	}, `SELECT id, at, actor, COALESCE(tenant_id, ''), what, subject, refused, before, after, address FROM audit_log`+w.String()+
		` ORDER BY id DESC LIMIT $`+strconv.Itoa(len(w.args)), w.args...)
}

// SeeStaffSession implements staff.Store.
func (s *Store) SeeStaffSession(ctx context.Context, idHash string, when time.Time) error {
	_, err := s.writer.ExecContext(ctx, `UPDATE staff_sessions SET last_seen_at = $2 WHERE hash = $1 AND last_seen_at < $2`, idHash, micros(when))
	return classify("see staff session", err)
}

// LockStaff implements staff.Tx. The update that changes nothing locks the row on
// PostgreSQL; on SQLite the transaction is alone anyway.
func (x staffTx) LockStaff(ctx context.Context, id string) (*staff.Person, error) {
	if err := x.must(ctx, "lock person", "person", `UPDATE staff SET updated_at = updated_at WHERE id = $1`, id); err != nil {
		return nil, err
	}
	return x.StaffByID(ctx, id)
}

// InsertStaff implements staff.Tx.
func (x staffTx) InsertStaff(ctx context.Context, p *staff.Person) error {
	return x.insert(ctx, "person", `INSERT INTO staff (id, email, name, role, tenant_id, state, password_hash, totp_secret, totp_pending,
			last_totp_step, created_at, updated_at, signed_in_at, openid_issuer, openid_subject)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING`,
		p.ID, p.Email, p.Name, p.Role, text(p.TenantID), p.State, p.PasswordHash, x.keys.seal(sealedTOTP, p.ID, p.TOTPSecret),
		x.keys.seal(sealedTOTPPending, p.ID, p.TOTPPending), p.LastTOTPStep, micros(p.CreatedAt), micros(p.UpdatedAt), micros(p.SignedInAt),
		p.OpenIDIssuer, p.OpenIDSubject)
}

// UpdateStaff implements staff.Tx.
func (x staffTx) UpdateStaff(ctx context.Context, p *staff.Person) error {
	return x.must(ctx, "update person", "person", `UPDATE staff SET name = $2, role = $3, tenant_id = $4, state = $5, password_hash = $6,
			totp_secret = $7, totp_pending = $8, updated_at = $9, signed_in_at = $10, openid_issuer = $11,
			openid_subject = $12 WHERE id = $1`,
		p.ID, p.Name, p.Role, text(p.TenantID), p.State, p.PasswordHash, x.keys.seal(sealedTOTP, p.ID, p.TOTPSecret),
		x.keys.seal(sealedTOTPPending, p.ID, p.TOTPPending), micros(p.UpdatedAt), micros(p.SignedInAt), p.OpenIDIssuer, p.OpenIDSubject)
}

// TakeTOTPStep implements staff.Tx.
func (x staffTx) TakeTOTPStep(ctx context.Context, personID string, step int64) (bool, error) {
	return x.moved(ctx, "take TOTP step", `UPDATE staff SET last_totp_step = $2 WHERE id = $1 AND last_totp_step < $2`, personID, step)
}

// ReplaceRecoveryCodes implements staff.Tx.
func (x staffTx) ReplaceRecoveryCodes(ctx context.Context, personID string, hashes []string, when time.Time) error {
	if _, err := x.exec(ctx, "forget recovery codes", `DELETE FROM staff_recovery_codes WHERE person_id = $1`, personID); err != nil {
		return err
	}
	for _, hash := range hashes {
		if err := x.insert(ctx, "recovery code", `INSERT INTO staff_recovery_codes (person_id, hash, created_at) VALUES ($1, $2, $3)
			ON CONFLICT DO NOTHING`, personID, hash, micros(when)); err != nil {
			return err
		}
	}
	return nil
}

// TakeRecoveryCode implements staff.Tx.
func (x staffTx) TakeRecoveryCode(ctx context.Context, personID, hash string, when time.Time) (bool, error) {
	return x.moved(ctx, "take recovery code", `UPDATE staff_recovery_codes SET used_at = $3
		WHERE person_id = $1 AND hash = $2 AND used_at IS NULL`, personID, hash, micros(when))
}

// InsertStaffSession implements staff.Tx.
func (x staffTx) InsertStaffSession(ctx context.Context, s *staff.Session) error {
	return x.insert(ctx, "session", `INSERT INTO staff_sessions (`+staffSessionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		s.IDHash, s.PersonID, s.AwaitsTOTP, micros(s.SignedInAt), micros(s.FreshAt), micros(s.LastSeenAt), s.Address)
}

// RefreshStaffSession implements staff.Tx.
func (x staffTx) RefreshStaffSession(ctx context.Context, idHash string, freshAt time.Time) error {
	return x.must(ctx, "refresh session", "session", `UPDATE staff_sessions SET fresh_at = $2 WHERE hash = $1`, idHash, micros(freshAt))
}

// EndStaffSession implements staff.Tx.
func (x staffTx) EndStaffSession(ctx context.Context, idHash string) error {
	_, err := x.exec(ctx, "end session", `DELETE FROM staff_sessions WHERE hash = $1`, idHash)
	return err
}

// EndStaffSessions implements staff.Tx.
func (x staffTx) EndStaffSessions(ctx context.Context, personID, exceptHash string) error {
	_, err := x.exec(ctx, "end sessions", `DELETE FROM staff_sessions WHERE person_id = $1 AND hash <> $2`, personID, exceptHash)
	return err
}

// ForgetStaffSessions implements staff.Tx.
func (x staffTx) ForgetStaffSessions(ctx context.Context, lastSeen, signedIn time.Time) error {
	_, err := x.exec(ctx, "forget sessions", `DELETE FROM staff_sessions WHERE last_seen_at <= $1 OR signed_in_at <= $2`, micros(lastSeen), micros(signedIn))
	return err
}

// AppendAudit implements staff.Tx.
func (x staffTx) AppendAudit(ctx context.Context, e *staff.Entry) error {
	return x.insert(ctx, "audit entry", `INSERT INTO audit_log (id, at, actor, tenant_id, what, subject, refused, before, after, address)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
		e.ID, micros(e.At), e.Actor, text(e.TenantID), e.What, e.Subject, e.Refused, e.Before, e.After, e.Address)
}
