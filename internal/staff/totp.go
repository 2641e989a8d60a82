package staff

import (
	"context"
	"crypto/subtle"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"github.com/portatill/portatill/pay"
)

// Codes as authenticator apps make them when nothing else is said: SHA-1, six
// digits, 30 seconds (RFC 6238; github.com/google/google-authenticator/wiki/Key-Uri-Format).
const (
	totpDigits = 6
	totpPeriod = 30
	// totpSkew is how many steps a clock may be off: one (RFC 6238, section 5.2).
	totpSkew = 1
)

// recoveryCodes is how many there are; each is 80 random bits, so that a plain
// SHA-256 of it can be stored.
const recoveryCodes = 10

// foldCode takes out what people type between the groups of a code.
func foldCode(code string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimSpace(code)))
}

// matchTOTP returns the time step whose code this is, the latest when several fit.
func matchTOTP(secret pay.Secret, code string, now time.Time) (step int64, good bool) {
	if secret == "" {
		return 0, false
	}
	at := now.Unix() / totpPeriod
	for s := at - totpSkew; s <= at+totpSkew; s++ {
		want, err := hotp.GenerateCodeCustom(secret.Reveal(), uint64(s), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step, good = s, true
		}
	}
	return step, good
}

// Enrolment is what an authenticator app needs to know.
type Enrolment struct {
	Secret pay.Secret // base32, to type
	URL    pay.Secret // otpauth://…, to scan
}

// enrolment describes a secret to an app.
func enrolment(issuer string, p *Person) Enrolment {
	url := "otpauth://totp/" + queryEscape(issuer) + ":" + queryEscape(p.Email) + "?secret=" + p.TOTPPending.Reveal() + "&issuer=" + queryEscape(issuer)
	return Enrolment{Secret: p.TOTPPending, URL: pay.Secret(url)}
}

// queryEscape writes a space as %20: apps show a plus as a plus.
func queryEscape(s string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '_', c == '~', c == '@':
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		}
	}
	return b.String()
}

// OfferTOTP returns the secret that waits for its first code, a new one when there
// is none; nothing changes for the sign-in until ConfirmTOTP. issuer is shown by the
// app.
func (s *Service) OfferTOTP(ctx context.Context, personID, issuer string) (Enrolment, error) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: personID, Period: totpPeriod, SecretSize: 20})
	if err != nil {
		return Enrolment{}, err
	}
	var out Enrolment
	err = s.Store.InStaffTx(ctx, func(tx Tx) error {
		p, err := tx.LockStaff(ctx, personID)
		if err != nil {
			return err
		}
		if p.TOTPPending == "" {
			p.TOTPPending = pay.Secret(key.Secret())
			if err := tx.UpdateStaff(ctx, p); err != nil {
				return err
			}
		}
		out = enrolment(issuer, p)
		return nil
	})
	return out, err
}

// ConfirmTOTP takes the first code of an offered secret: from now on signing in
// takes a code. It returns the recovery codes, which are shown this once, and ends
// the person's other sessions. CodeForbidden when the code is not right.
func (s *Service) ConfirmTOTP(ctx context.Context, by By, session *Session, code string) ([]pay.Secret, error) {
	p, err := s.Store.StaffByID(ctx, session.PersonID)
	if err != nil {
		return nil, err
	}
	if err := s.admit(ctx, by, p, p.Email, "own_totp_on"); err != nil {
		return nil, err
	}
	codes, hashes := newRecoveryCodes()
	_, err = s.change(ctx, by, "own_totp_on", p.ID, session.IDHash, func(tx Tx, p *Person) error {
		step, good := matchTOTP(p.TOTPPending, foldCode(code), s.Now())
		if !good {
			return pay.Errorf(pay.CodeForbidden, "code", "The code is not right. Is the clock of your phone set by itself? Type the code that is shown now.")
		}
		if _, err := tx.TakeTOTPStep(ctx, p.ID, step); err != nil {
			return err
		}
		p.TOTPSecret, p.TOTPPending = p.TOTPPending, ""
		return tx.ReplaceRecoveryCodes(ctx, p.ID, hashes, s.Now())
	})
	if err != nil {
		return nil, err
	}
	s.guard().forget(p.Email)
	return codes, nil
}

// DropTOTP is a person's own act: the password alone signs in again.
func (s *Service) DropTOTP(ctx context.Context, by By, session *Session, password pay.Secret) error {
	if _, err := s.checkOwn(ctx, by, session, password, "own_totp_off"); err != nil {
		return err
	}
	_, err := s.change(ctx, by, "own_totp_off", session.PersonID, session.IDHash, func(tx Tx, p *Person) error {
		p.TOTPSecret, p.TOTPPending = "", ""
		return tx.ReplaceRecoveryCodes(ctx, p.ID, nil, s.Now())
	})
	return err
}

// RenewRecoveryCodes makes ten new codes and forgets the old ones.
func (s *Service) RenewRecoveryCodes(ctx context.Context, by By, session *Session, password pay.Secret) ([]pay.Secret, error) {
	if _, err := s.checkOwn(ctx, by, session, password, "own_recovery_codes"); err != nil {
		return nil, err
	}
	codes, hashes := newRecoveryCodes()
	_, err := s.change(ctx, by, "own_recovery_codes", session.PersonID, session.IDHash, func(tx Tx, p *Person) error {
		if !p.HasTOTP() {
			return pay.Errorf(pay.CodeConflict, "", "There is no authenticator app to recover from.")
		}
		return tx.ReplaceRecoveryCodes(ctx, p.ID, hashes, s.Now())
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

func newRecoveryCodes() (codes []pay.Secret, hashes []string) {
	for range recoveryCodes {
		code := groups(16, 4)
		codes, hashes = append(codes, pay.Secret(code)), append(hashes, hashOf(foldCode(code)))
	}
	return codes, hashes
}
