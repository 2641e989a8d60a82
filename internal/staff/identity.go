package staff

import (
	"context"
	"net/mail"
	"time"

	"github.com/portatill/portatill/pay"
)

// Identity is who an OpenID provider says somebody is. It was verified elsewhere: the
// rules here begin with believing the provider, and decide whether that lets anybody in.
type Identity struct {
	Issuer, Subject string // together one account there, for good
	// Email is "" when none was told; it counts only when EmailVerified, and only to find
	// somebody the first time.
	Email         string
	EmailVerified bool
	AuthTime      time.Time // when they last showed the provider who they are; zero: not told
}

// What the audit log says of sign-ins by a provider.
const (
	byOpenID     = "openid"
	openIDLinked = "staff_openid_link"
)

// HasOpenID reports whether an account of a provider belongs to the person.
func (p *Person) HasOpenID() bool { return p.OpenIDSubject != "" }

// is reports whether it is this account of the provider.
func (p *Person) is(who Identity) bool {
	return p.HasOpenID() && p.OpenIDIssuer == who.Issuer && p.OpenIDSubject == who.Subject
}

// stranger is the one answer to somebody unknown, somebody suspended, and somebody whose
// address belongs to another account: who is on the staff is not told to whoever has an
// account at the provider.
func stranger() error {
	return pay.Errorf(pay.CodeForbidden, "", "Nobody on the staff of this till can sign in with that account. If you should, ask an operator: the audit log says why not.")
}

// AdmitReturn counts somebody who comes back from the provider, before anything is asked
// there. CodeTooManyRequests after too many, as with passwords.
func (s *Service) AdmitReturn(ctx context.Context, address string) error {
	return s.admit(ctx, By{Address: address}, nil, "", "sign_in")
}

// SignInWith begins a session for whoever the provider says it is, if they are on the
// staff already: by the account that was linked, and the first time by a verified e-mail
// address, which links it. The session is one of a password's in every respect, and
// AwaitsTOTP with an authenticator app; it is fresh when they showed who they are lately.
// CodeForbidden, whose message may be shown, when it lets nobody in.
func (s *Service) SignInWith(ctx context.Context, who Identity, address string) (*SignedIn, error) {
	by := By{Address: address}
	p, short, err := s.find(ctx, s.Store, who)
	if err != nil {
		if short == "" {
			return nil, err
		}
		e := s.entry(by, "sign_in", p)
		e.After = byOpenID + ": " + short
		return nil, s.refuse(ctx, e, err)
	}
	by.Actor = p.ID
	in := s.begin(p, address)
	in.Session.FreshAt = freshSince(who.AuthTime, in.Session.SignedInAt)
	e := s.entry(by, "sign_in", p)
	e.After = byOpenID
	return in, s.store(ctx, in, e, func(tx Tx, now *Person) error {
		found, _, err := s.find(ctx, tx, who)
		if err != nil {
			return err // changed meanwhile
		}
		if found.ID != now.ID {
			return stranger()
		}
		in.Session.AwaitsTOTP = now.HasTOTP()
		if now.is(who) {
			return nil
		}
		now.OpenIDIssuer, now.OpenIDSubject = who.Issuer, who.Subject
		link := s.entry(by, openIDLinked, now)
		link.After = "by e-mail address"
		return tx.AppendAudit(ctx, link)
	})
}

// freshSince is when a session counts as fresh from: the time that the provider vouches
// for, and without one not at all. A sign-in there may be days old.
func freshSince(authTime, now time.Time) time.Time {
	switch {
	case authTime.IsZero():
		return now.Add(-FreshFor)
	case authTime.After(now):
		return now
	}
	return authTime
}

// finder is the part of Reader and Tx that find needs.
type finder interface {
	StaffByEmail(ctx context.Context, email string) (*Person, error)
	StaffByOpenID(ctx context.Context, issuer, subject string) (*Person, error)
}

// find returns who of the staff it is. short is why it is nobody, for the audit log, and p
// then who it is about, if anybody.
func (s *Service) find(ctx context.Context, r finder, who Identity) (p *Person, short string, err error) {
	p, err = r.StaffByOpenID(ctx, who.Issuer, who.Subject)
	if pay.IsNotFound(err) {
		p, short, err = s.findByEmail(ctx, r, who)
	}
	if err == nil && p.State != Active {
		short, err = "suspended", stranger()
	}
	return p, short, err
}

func (s *Service) findByEmail(ctx context.Context, r finder, who Identity) (p *Person, short string, err error) {
	email := FoldEmail(who.Email)
	if a, err := mail.ParseAddress(email); err != nil || a.Address != email || len(email) > maxEmail {
		return nil, "no e-mail address", pay.Errorf(pay.CodeForbidden, "",
			"The provider did not tell your e-mail address, which finds you at a first sign-in. Sign in with your password, and link the account under \"Your account\".")
	}
	if !who.EmailVerified {
		return nil, "e-mail address not verified", pay.Errorf(pay.CodeForbidden, "",
			"The provider has not verified your e-mail address. Verify it there; or sign in with your password, and link the account under \"Your account\".")
	}
	p, err = r.StaffByEmail(ctx, email)
	if pay.IsNotFound(err) {
		return nil, "nobody has the e-mail address", stranger()
	}
	if err == nil && p.HasOpenID() && p.OpenIDIssuer == who.Issuer {
		// The address was given to somebody else there, or somebody says so.
		return p, "another account of the provider has the e-mail address", stranger()
	}
	return p, "", err
}

// RefreshWith makes a session fresh for whoever showed the provider again that they are
// its person. asked is when the provider was told to ask. CodeForbidden when it is another
// account, or when the provider did not ask; CodeNotFound when the session is over.
func (s *Service) RefreshWith(ctx context.Context, sessionHash string, who Identity, asked time.Time, address string) error {
	session, p, err := s.alive(ctx, sessionHash)
	if err != nil {
		return err
	}
	by := By{Actor: p.ID, Address: address}
	e := s.entry(by, "sign_in_again", p)
	switch {
	case !p.is(who):
		e.After = byOpenID + ": another account"
		return s.refuse(ctx, e, pay.Errorf(pay.CodeForbidden, "", "That is not the account that is linked to yours here."))
	case who.AuthTime.IsZero():
		e.After = byOpenID + ": no auth_time"
		return s.refuse(ctx, e, pay.Errorf(pay.CodeForbidden, "", "The provider does not say when you last showed who you are. Give your password here instead."))
	case who.AuthTime.Before(asked.Add(-openIDSkew)):
		e.After = byOpenID + ": not asked again"
		return s.refuse(ctx, e, pay.Errorf(pay.CodeForbidden, "", "The provider let you through without asking who you are. Give your password here instead."))
	}
	e.After = byOpenID
	return s.Store.InStaffTx(ctx, func(tx Tx) error {
		if err := tx.RefreshStaffSession(ctx, session.IDHash, s.Now()); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, e)
	})
}

// openIDSkew is how far the provider's clock may be behind ours.
const openIDSkew = 2 * time.Minute

// LinkOpenID notes that an account of the provider is a signed-in person's, and ends their
// other sessions. The session must be fresh, or whoever finds a browser open makes
// themselves a way in: CodeForbidden. CodeConflict when either of the two is linked
// already, CodeNotFound when the session is over. It may be called again.
func (s *Service) LinkOpenID(ctx context.Context, sessionHash string, who Identity, address string) error {
	session, p, err := s.alive(ctx, sessionHash)
	if err != nil {
		return err
	}
	by := By{Actor: p.ID, Address: address}
	if p.is(who) {
		return nil
	}
	_, err = s.change(ctx, by, openIDLinked, p.ID, session.IDHash, func(tx Tx, p *Person) error {
		if s.Now().Sub(session.FreshAt) >= FreshFor+linkWithin {
			return pay.Errorf(pay.CodeForbidden, "", "That took too long. Begin again under \"Your account\".")
		}
		if p.HasOpenID() && p.OpenIDIssuer == who.Issuer {
			return pay.Errorf(pay.CodeConflict, "", "Another account of the provider is linked to yours. An operator can unlink it.")
		}
		switch other, err := tx.StaffByOpenID(ctx, who.Issuer, who.Subject); {
		case err == nil && other.ID != p.ID:
			return pay.Errorf(pay.CodeConflict, "", "That account of the provider is linked to somebody else here.")
		case err != nil && !pay.IsNotFound(err):
			return err
		}
		p.OpenIDIssuer, p.OpenIDSubject = who.Issuer, who.Subject
		return nil
	})
	return err
}

// linkWithin is how long a round that began with a fresh session may take at the provider.
const linkWithin = 10 * time.Minute

// UnlinkOpenID takes a person's account of the provider away and ends their sessions. A
// next sign-in may link another one, by its e-mail address. CodeConflict without one.
func (s *Service) UnlinkOpenID(ctx context.Context, by By, id string) error {
	_, err := s.change(ctx, by, "staff_openid_unlink", id, "", func(_ Tx, p *Person) error {
		if !p.HasOpenID() {
			return pay.Errorf(pay.CodeConflict, "", "No account of a provider is linked to this person.")
		}
		p.OpenIDIssuer, p.OpenIDSubject = "", ""
		return nil
	})
	return err
}
