package staff

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"

	"github.com/portatill/portatill/pay"
)

// How long a sign-in lasts. OWASP's Session Management Cheat Sheet gives 15 to 30
// minutes of idleness for applications of low risk and wants an end that no activity
// moves; a working day and a bit is ours.
const (
	IdleFor     = 30 * time.Minute
	AbsoluteFor = 12 * time.Hour
	// FreshFor is how long after the password was given dangerous actions are taken.
	FreshFor = 10 * time.Minute
	// CodeFor is how long the password counts while the code is owed.
	CodeFor = 5 * time.Minute
	// seenEvery is how exact LastSeenAt is: a write for every request would be waste.
	seenEvery = time.Minute
)

// Service is the rules of signing in. Its methods are safe for concurrent use.
type Service struct {
	Store Store
	Now   func() time.Time

	once     sync.Once
	throttle *throttle
}

func (s *Service) guard() *throttle {
	s.once.Do(func() { s.throttle = newThrottle() })
	return s.throttle
}

// By is who does something and from where, for the audit log.
type By struct {
	Actor   string // stf_…, Command, or "" when nobody is known
	Address string // the caller's network address; "" for the command line
}

// entry begins an audit entry.
func (s *Service) entry(by By, what string, about *Person) *Entry {
	now := s.Now()
	e := &Entry{ID: pay.NewID("aud", now), At: now, Actor: by.Actor, Address: by.Address, What: what}
	if about != nil {
		e.Subject, e.TenantID = about.ID, about.TenantID
	}
	return e
}

// Record appends to the audit log what somebody did elsewhere, or was refused; ID
// and At are filled in.
func (s *Service) Record(ctx context.Context, e *Entry) error {
	e.At = s.Now()
	e.ID = pay.NewID("aud", e.At)
	return s.Store.InStaffTx(ctx, func(tx Tx) error { return tx.AppendAudit(ctx, e) })
}

// refuse records that something was not done, and returns why.
func (s *Service) refuse(ctx context.Context, e *Entry, why error) error {
	e.Refused = true
	if e.After == "" {
		e.After = string(pay.CodeOf(why))
	}
	if err := s.Store.InStaffTx(ctx, func(tx Tx) error { return tx.AppendAudit(ctx, e) }); err != nil {
		return err
	}
	return why
}

// AddInput is a new person. An empty Password is made up and returned.
type AddInput struct {
	Email, Name string
	Role        Role
	TenantID    string
	Password    pay.Secret
}

// Add stores a new person and returns the password that was made up, "" when one was
// given. CodeConflict when the e-mail is taken, CodeBadRequest when a field cannot
// be used.
func (s *Service) Add(ctx context.Context, by By, in AddInput) (*Person, pay.Secret, error) {
	now := s.Now()
	p := &Person{ID: pay.NewID("stf", now), Email: FoldEmail(in.Email), Name: in.Name, Role: in.Role, TenantID: in.TenantID,
		State: Active, CreatedAt: now, UpdatedAt: now}
	if p.Name == "" {
		p.Name = p.Email
	}
	e := s.entry(by, "staff_add", nil)
	err := p.Validate()
	var made pay.Secret
	password := in.Password
	if password == "" {
		made = GeneratePassword()
		password = made
	} else if err == nil {
		err = checkNewPassword(p, password)
	}
	if err != nil {
		return nil, "", s.refuse(ctx, e, err)
	}
	p.PasswordHash = hashPassword(password)
	e.Subject, e.TenantID, e.After = p.ID, p.TenantID, standing(p)
	err = s.Store.InStaffTx(ctx, func(tx Tx) error {
		if err := tx.InsertStaff(ctx, p); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, e)
	})
	if pay.CodeOf(err) == pay.CodeConflict {
		e.Subject, e.After = "", ""
		return nil, "", s.refuse(ctx, e, pay.Errorf(pay.CodeConflict, "email", "Somebody with this e-mail address is there already."))
	}
	if err != nil {
		return nil, "", err
	}
	return p, made, nil
}

// standing is what of a person the audit log keeps.
func standing(p *Person) string {
	text := "role " + string(p.Role) + ", " + string(p.State)
	if p.TenantID != "" {
		text += ", tenant " + p.TenantID
	}
	return text
}

// change changes a person in one transaction and ends their other sessions, all but
// keep ("" for all): whoever holds an old cookie of them is out.
func (s *Service) change(ctx context.Context, by By, what, id, keep string, fn func(tx Tx, p *Person) error) (*Person, error) {
	var changed *Person
	e := s.entry(by, what, nil)
	e.Subject = id
	err := s.Store.InStaffTx(ctx, func(tx Tx) error {
		p, err := tx.LockStaff(ctx, id)
		if err != nil {
			return err
		}
		e.TenantID, e.Before, e.After = p.TenantID, standing(p), ""
		if err := fn(tx, p); err != nil {
			return err
		}
		p.UpdatedAt = s.Now()
		if err := p.Validate(); err != nil {
			return err
		}
		if err := tx.UpdateStaff(ctx, p); err != nil {
			return err
		}
		if err := tx.EndStaffSessions(ctx, id, keep); err != nil {
			return err
		}
		if e.After = standing(p); e.After == e.Before {
			e.Before, e.After = "", ""
		}
		changed = p
		return tx.AppendAudit(ctx, e)
	})
	if err != nil && pay.CodeOf(err) != "" && pay.CodeOf(err) != pay.CodeUnavailable {
		e.Before, e.After = "", ""
		return nil, s.refuse(ctx, e, err)
	}
	return changed, err
}

// SetPassword gives a person another password, made up when empty, and ends all
// their sessions. It is an operator's act; see ChangePassword for one's own.
func (s *Service) SetPassword(ctx context.Context, by By, id string, password pay.Secret) (made pay.Secret, err error) {
	p, err := s.Store.StaffByID(ctx, id)
	if err != nil {
		return "", err
	}
	if password == "" {
		made = GeneratePassword()
		password = made
	} else if err := checkNewPassword(p, password); err != nil {
		return "", s.refuse(ctx, s.entry(by, "staff_password", p), err)
	}
	hash := hashPassword(password)
	_, err = s.change(ctx, by, "staff_password", id, "", func(_ Tx, p *Person) error { p.PasswordHash = hash; return nil })
	return made, err
}

// SetStanding changes role, tenant or state and ends the person's sessions. Nobody
// changes their own: so the last operator cannot lock everybody out but at the
// command line, which can undo it. CodeForbidden then.
func (s *Service) SetStanding(ctx context.Context, by By, id string, role Role, tenantID string, state State) (*Person, error) {
	return s.change(ctx, by, "staff_standing", id, "", func(_ Tx, p *Person) error {
		if p.ID == by.Actor {
			return pay.Errorf(pay.CodeForbidden, "", "You cannot change your own role or state; another operator can.")
		}
		p.Role, p.TenantID, p.State = role, tenantID, state
		return nil
	})
}

// ResetTOTP takes a person's authenticator app and recovery codes away, for one who
// lost both, and ends their sessions.
func (s *Service) ResetTOTP(ctx context.Context, by By, id string) error {
	_, err := s.change(ctx, by, "staff_reset_totp", id, "", func(tx Tx, p *Person) error {
		p.TOTPSecret, p.TOTPPending = "", ""
		return tx.ReplaceRecoveryCodes(ctx, id, nil, s.Now())
	})
	return err
}

// PasswordIs reports whether a person's password is this one; it is for the sandbox,
// whose operator's password is printed.
func (s *Service) PasswordIs(p *Person, password pay.Secret) bool {
	good, _ := checkPassword(p.PasswordHash, password)
	return good
}

// ChangePassword is a person's own act: the present password is asked, and every
// other session ends.
func (s *Service) ChangePassword(ctx context.Context, by By, session *Session, present, wanted pay.Secret) error {
	p, err := s.checkOwn(ctx, by, session, present, "own_password")
	if err != nil {
		return err
	}
	if err := checkNewPassword(p, wanted); err != nil {
		return s.refuse(ctx, s.entry(by, "own_password", p), err)
	}
	hash := hashPassword(wanted)
	_, err = s.change(ctx, by, "own_password", p.ID, session.IDHash, func(_ Tx, p *Person) error { p.PasswordHash = hash; return nil })
	return err
}

// checkOwn asks a signed-in person for the password again, throttled as a sign-in
// is: a browser left open must not become a place to guess at.
func (s *Service) checkOwn(ctx context.Context, by By, session *Session, password pay.Secret, what string) (*Person, error) {
	p, err := s.Store.StaffByID(ctx, session.PersonID)
	if err != nil {
		return nil, err
	}
	if err := s.admit(ctx, by, p, p.Email, what); err != nil {
		return nil, err
	}
	if good, _ := checkPassword(p.PasswordHash, password); !good {
		return nil, s.refuse(ctx, s.entry(by, what, p), pay.Errorf(pay.CodeForbidden, "password", "The password is not right."))
	}
	s.guard().forget(p.Email)
	return p, nil
}

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
