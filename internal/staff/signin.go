package staff

import (
	"cmp"
	"context"
	"slices"

	"github.com/portatill/portatill/pay"
)

// errSignIn is the one answer to a wrong address, a wrong password and a suspended
// account.
func errSignIn() error {
	return pay.Errorf(pay.CodeForbidden, "", "The e-mail address or the password is not right.")
}

// SignedIn is a fresh session. Token is what the browser's cookie holds; it is
// nowhere else.
type SignedIn struct {
	Token   pay.Secret
	Session *Session
	Person  *Person
}

// SignIn begins a session for whoever knows the password. With an authenticator app
// the session AwaitsTOTP: GiveCode makes it one that is good for something.
// CodeForbidden when address or password are wrong or the account is suspended,
// which is not told apart; CodeTooManyRequests after too many tries.
func (s *Service) SignIn(ctx context.Context, email string, password pay.Secret, address string) (*SignedIn, error) {
	by := By{Address: address}
	account := FoldEmail(email)
	p, err := s.Store.StaffByEmail(ctx, account)
	if err != nil && !pay.IsNotFound(err) {
		return nil, err
	}
	if err := s.admit(ctx, by, p, account, "sign_in"); err != nil {
		return nil, err
	}
	hash := nobody()
	if p != nil {
		hash = p.PasswordHash
	}
	good, stale := checkPassword(hash, password)
	if p == nil || !good || p.State != Active {
		return nil, s.refuse(ctx, s.entry(by, "sign_in", p), errSignIn())
	}
	by.Actor = p.ID
	in := s.begin(p, address)
	in.Session.AwaitsTOTP = p.HasTOTP()
	fresh := ""
	if stale {
		fresh = hashPassword(password)
	}
	return in, s.store(ctx, in, s.entry(by, "sign_in", p), func(tx Tx, now *Person) error {
		if now.State != Active || now.PasswordHash != hash {
			return errSignIn() // changed while the password was looked at
		}
		in.Session.AwaitsTOTP = now.HasTOTP()
		if fresh != "" {
			now.PasswordHash = fresh
		}
		return nil
	})
}

// begin makes a session with a cookie of its own: 256 random bits.
func (s *Service) begin(p *Person, address string) *SignedIn {
	token, now := pay.NewSecret(""), s.Now()
	return &SignedIn{Token: token, Person: p, Session: &Session{IDHash: hashOf(token.Reveal()), PersonID: p.ID,
		SignedInAt: now, FreshAt: now, LastSeenAt: now, Address: address}}
}

// store keeps a fresh session, in one transaction with what look changes.
func (s *Service) store(ctx context.Context, in *SignedIn, e *Entry, look func(tx Tx, p *Person) error) error {
	now := s.Now()
	err := s.Store.InStaffTx(ctx, func(tx Tx) error {
		p, err := tx.LockStaff(ctx, in.Person.ID)
		if err != nil {
			return err
		}
		if err := look(tx, p); err != nil {
			return err
		}
		if in.Session.AwaitsTOTP {
			e.After = cmp.Or(e.After, "password right") + ", code asked"
		} else {
			p.SignedInAt = now
		}
		if err := tx.UpdateStaff(ctx, p); err != nil {
			return err
		}
		if err := tx.ForgetStaffSessions(ctx, now.Add(-IdleFor), now.Add(-AbsoluteFor)); err != nil {
			return err
		}
		if err := tx.InsertStaffSession(ctx, in.Session); err != nil {
			return err
		}
		in.Person = p
		return tx.AppendAudit(ctx, e)
	})
	if err != nil && pay.CodeOf(err) == pay.CodeForbidden {
		e.After = ""
		return s.refuse(ctx, e, err)
	}
	if err == nil && !in.Session.AwaitsTOTP {
		s.guard().forget(in.Person.Email)
	}
	return err
}

// GiveCode turns a session that awaits the code into a signed-in one with another
// cookie. The code is one of the authenticator app or a recovery code, each good
// once. CodeForbidden when it is not good, CodeTooManyRequests after too many tries.
func (s *Service) GiveCode(ctx context.Context, session *Session, code, address string) (*SignedIn, error) {
	p, err := s.Store.StaffByID(ctx, session.PersonID)
	if err != nil {
		return nil, err
	}
	by := By{Actor: p.ID, Address: address}
	if err := s.admit(ctx, by, p, p.Email, "sign_in_code"); err != nil {
		return nil, err
	}
	in := s.begin(p, address)
	in.Session.FreshAt = session.FreshAt
	e := s.entry(by, "sign_in_code", p)
	return in, s.store(ctx, in, e, func(tx Tx, p *Person) error {
		if p.State != Active {
			return errSignIn()
		}
		how, err := s.takeCode(ctx, tx, p, code)
		if err != nil {
			return err
		}
		e.After = how
		return tx.EndStaffSession(ctx, session.IDHash)
	})
}

// takeCode accepts a code once and says which kind it was.
func (s *Service) takeCode(ctx context.Context, tx Tx, p *Person, code string) (how string, err error) {
	wrong := pay.Errorf(pay.CodeForbidden, "code", "The code is not right, or was used before. Wait for the next one.")
	code = foldCode(code)
	if len(code) != totpDigits {
		good, err := tx.TakeRecoveryCode(ctx, p.ID, hashOf(code), s.Now())
		if err == nil && !good {
			err = wrong
		}
		return "recovery code", err
	}
	step, good := matchTOTP(p.TOTPSecret, code, s.Now())
	if !good {
		return "", wrong
	}
	taken, err := tx.TakeTOTPStep(ctx, p.ID, step)
	if err == nil && !taken {
		err = wrong
	}
	return "authenticator app", err
}

// Session returns the session of a cookie and its person; CodeNotFound when it is
// unknown, over, or the person was suspended. A session that AwaitsTOTP is returned
// too.
func (s *Service) Session(ctx context.Context, token pay.Secret) (*Session, *Person, error) {
	return s.session(ctx, hashOf(token.Reveal()))
}

// alive is a session that somebody is signed in with, by its hash; CodeNotFound as Session.
func (s *Service) alive(ctx context.Context, hash string) (*Session, *Person, error) {
	session, p, err := s.session(ctx, hash)
	if err == nil && session.AwaitsTOTP {
		err = pay.Errorf(pay.CodeNotFound, "", "The session still awaits its code.")
	}
	return session, p, err
}

func (s *Service) session(ctx context.Context, hash string) (*Session, *Person, error) {
	session, err := s.Store.StaffSession(ctx, hash)
	if err != nil {
		return nil, nil, err
	}
	now := s.Now()
	over := now.Sub(session.LastSeenAt) >= IdleFor || now.Sub(session.SignedInAt) >= AbsoluteFor ||
		session.AwaitsTOTP && now.Sub(session.SignedInAt) >= CodeFor
	p, err := s.Store.StaffByID(ctx, session.PersonID)
	if err != nil {
		return nil, nil, err
	}
	if over || p.State != Active {
		return nil, nil, pay.Errorf(pay.CodeNotFound, "", "The session is over.")
	}
	if now.Sub(session.LastSeenAt) >= seenEvery {
		if err := s.Store.SeeStaffSession(ctx, session.IDHash, now); err != nil {
			return nil, nil, err
		}
		session.LastSeenAt = now
	}
	return session, p, nil
}

// Fresh reports whether the password was given lately enough for dangerous actions.
func (s *Service) Fresh(session *Session) bool { return s.Now().Sub(session.FreshAt) < FreshFor }

// Refresh asks for the password again and makes the session fresh. CodeForbidden
// when it is not right.
func (s *Service) Refresh(ctx context.Context, by By, session *Session, password pay.Secret) error {
	p, err := s.checkOwn(ctx, by, session, password, "sign_in_again")
	if err != nil {
		return err
	}
	return s.Store.InStaffTx(ctx, func(tx Tx) error {
		if err := tx.RefreshStaffSession(ctx, session.IDHash, s.Now()); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, s.entry(by, "sign_in_again", p))
	})
}

// SignOut ends the session; everywhere ends all of the person's.
func (s *Service) SignOut(ctx context.Context, by By, session *Session, everywhere bool) error {
	p, err := s.Store.StaffByID(ctx, session.PersonID)
	if err != nil {
		return err
	}
	e := s.entry(by, "sign_out", p)
	return s.Store.InStaffTx(ctx, func(tx Tx) error {
		if everywhere {
			e.After = "everywhere"
			if err := tx.EndStaffSessions(ctx, p.ID, ""); err != nil {
				return err
			}
		}
		if err := tx.EndStaffSession(ctx, session.IDHash); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, e)
	})
}

// Sessions are a person's sessions that are not over.
func (s *Service) Sessions(ctx context.Context, personID string) ([]*Session, error) {
	all, err := s.Store.ListStaffSessions(ctx, personID)
	now := s.Now()
	return slices.DeleteFunc(all, func(x *Session) bool {
		return x.AwaitsTOTP || now.Sub(x.LastSeenAt) >= IdleFor || now.Sub(x.SignedInAt) >= AbsoluteFor
	}), err
}
