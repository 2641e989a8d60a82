// Package staff knows the people who may look after the books: who they are, how
// they sign in (a password kept as argon2id, optionally a code of an authenticator
// app), for how long they stay signed in, what each role may do, and the audit log
// of what they did. It holds the rules and asks for its rows through Store; it must
// not know SQL, HTTP, or anything about money.
package staff

import (
	"context"
	"net/mail"
	"strings"
	"time"

	"github.com/portatill/portatill/pay"
)

// Role says what a person may do; see Role.May.
type Role string

// The roles. Operators run the till and see every tenant; the others belong to one
// tenant and see nothing else.
const (
	Operator     Role = "operator"
	TenantAdmin  Role = "tenant_admin"
	TenantViewer Role = "tenant_viewer"
)

// Roles are all roles, the mightiest first.
var Roles = []Role{Operator, TenantAdmin, TenantViewer}

// State says whether a person may sign in.
type State string

// The states of a person. Nobody is ever removed, because the audit log names them.
const (
	Active    State = "active"
	Suspended State = "suspended"
)

// Person is one of the staff.
type Person struct {
	ID       string // stf_…
	Email    string // as FoldEmail writes it; unique
	Name     string
	Role     Role
	TenantID string // "" for operators, and only for them
	State    State
	// PasswordHash is in PHC form.
	PasswordHash string
	// TOTPSecret is the base32 secret of the authenticator app, "" without one;
	// TOTPPending is one that was offered and not yet confirmed. Both are encrypted at
	// rest.
	TOTPSecret  pay.Secret
	TOTPPending pay.Secret
	// LastTOTPStep is the time step of the last code that was taken: no code is taken
	// twice (RFC 6238, section 5.2).
	LastTOTPStep int64
	// OpenIDIssuer and OpenIDSubject are the person's account at an OpenID provider, both
	// "" without one; together they are unique.
	OpenIDIssuer  string
	OpenIDSubject string
	CreatedAt     time.Time
	UpdatedAt     time.Time
	SignedInAt    time.Time // the last time; zero: never
}

// HasTOTP reports whether signing in takes a code.
func (p *Person) HasTOTP() bool { return p.TOTPSecret != "" }

// MaySee reports whether rows of a tenant are the person's to see.
func (p *Person) MaySee(tenantID string) bool {
	return p.Role == Operator || p.TenantID != "" && p.TenantID == tenantID
}

// Session is one browser that is signed in, or that gave the password and owes the
// code.
type Session struct {
	IDHash     string // hex SHA-256 of what the cookie holds
	PersonID   string
	AwaitsTOTP bool // true: good for nothing but the code
	SignedInAt time.Time
	FreshAt    time.Time // when the password was last given
	LastSeenAt time.Time
	Address    string // of the sign-in
}

// Entry is one line of the audit log. Before and After are short texts without
// secrets or personal data, such as "role operator".
type Entry struct {
	ID       string // aud_…, in the order of time
	At       time.Time
	Actor    string // stf_…, Command for the command line, "" when nobody is known
	TenantID string // whose rows it is about; "" for the installation
	What     string // such as "sign_in" or "refund"
	Subject  string // the id of what it is about
	Refused  bool   // it was tried, and not done
	Before   string
	After    string
	Address  string // the caller's network address; "" for the command line
}

// Command is the actor of what the command line does.
const Command = "cli"

// EntryFilter picks audit entries, newest first.
type EntryFilter struct {
	Actor    string    // "" for everybody
	What     string    // "" for everything
	TenantID string    // "" for everything
	From     time.Time // inclusive; zero: no bound
	Until    time.Time // exclusive; zero: no bound
	Before   string    // entries older than this id, to page on
	Limit    int       // 0: 50
}

// Reader reads what is stored. What does not exist is pay.CodeNotFound.
type Reader interface {
	StaffByID(ctx context.Context, id string) (*Person, error)
	StaffByEmail(ctx context.Context, email string) (*Person, error)
	// StaffByOpenID finds whose account of an OpenID provider it is.
	StaffByOpenID(ctx context.Context, issuer, subject string) (*Person, error)
	// ListStaff gives everybody by e-mail.
	ListStaff(ctx context.Context) ([]*Person, error)
	StaffSession(ctx context.Context, idHash string) (*Session, error)
	// ListStaffSessions gives a person's sessions, the latest sign-in first.
	ListStaffSessions(ctx context.Context, personID string) ([]*Session, error)
	// RecoveryCodesLeft counts the codes that are not used.
	RecoveryCodesLeft(ctx context.Context, personID string) (int, error)
	ListAudit(ctx context.Context, f EntryFilter) ([]*Entry, error)
}

// Tx changes rows in one transaction.
type Tx interface {
	// LockStaff reads a person and keeps others from changing the row meanwhile.
	LockStaff(ctx context.Context, id string) (*Person, error)
	StaffByEmail(ctx context.Context, email string) (*Person, error)
	StaffByOpenID(ctx context.Context, issuer, subject string) (*Person, error)
	// InsertStaff is pay.CodeConflict when the e-mail is taken.
	InsertStaff(ctx context.Context, p *Person) error
	// UpdateStaff stores every field but ID, Email, LastTOTPStep and CreatedAt.
	UpdateStaff(ctx context.Context, p *Person) error
	// TakeTOTPStep moves LastTOTPStep forward and reports whether it did: of two that
	// bring the same code, one is refused.
	TakeTOTPStep(ctx context.Context, personID string, step int64) (bool, error)
	// ReplaceRecoveryCodes forgets the codes of a person and stores the hashes of new
	// ones, or of none.
	ReplaceRecoveryCodes(ctx context.Context, personID string, hashes []string, at time.Time) error
	// TakeRecoveryCode marks a code as used and reports whether it was good.
	TakeRecoveryCode(ctx context.Context, personID, hash string, at time.Time) (bool, error)
	InsertStaffSession(ctx context.Context, s *Session) error
	// RefreshStaffSession stores FreshAt.
	RefreshStaffSession(ctx context.Context, idHash string, freshAt time.Time) error
	// EndStaffSession ends one session; one that is over already is no error.
	EndStaffSession(ctx context.Context, idHash string) error
	// EndStaffSessions ends all sessions of a person but one ("" for all).
	EndStaffSessions(ctx context.Context, personID, exceptHash string) error
	// ForgetStaffSessions removes those that nobody used since, or whose sign-in is
	// older than signedIn.
	ForgetStaffSessions(ctx context.Context, lastSeen, signedIn time.Time) error
	AppendAudit(ctx context.Context, e *Entry) error
}

// Store keeps the staff.
type Store interface {
	Reader
	// InStaffTx runs fn in one transaction; it may run more than once.
	InStaffTx(ctx context.Context, fn func(Tx) error) error
	// SeeStaffSession stores LastSeenAt, of a session that is still there.
	SeeStaffSession(ctx context.Context, idHash string, at time.Time) error
}

// FoldEmail writes an address as it is stored and compared: trimmed, in lower case.
func FoldEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// maxEmail is the longest address SMTP carries (RFC 5321, section 4.5.3.1.3).
const maxEmail, maxName = 254, 100

// Validate says what is wrong with a person, a *pay.Error with CodeBadRequest.
func (p *Person) Validate() error {
	bad := func(field, format string, args ...any) error {
		return pay.Errorf(pay.CodeBadRequest, field, format, args...)
	}
	if a, err := mail.ParseAddress(p.Email); err != nil || a.Address != p.Email || len(p.Email) > maxEmail || p.Email != FoldEmail(p.Email) {
		return bad("email", "The e-mail address is none; write it as name@example.com.")
	}
	if p.Name == "" || len(p.Name) > maxName {
		return bad("name", "The name must have 1 to %d bytes.", maxName)
	}
	switch p.Role {
	case Operator:
		if p.TenantID != "" {
			return bad("tenant", "An operator belongs to no tenant: leave it out, or choose another role.")
		}
	case TenantAdmin, TenantViewer:
		if p.TenantID == "" {
			return bad("tenant", "A person with the role %s needs a tenant.", p.Role)
		}
	default:
		return bad("role", "The role %q is none of operator, tenant_admin and tenant_viewer.", string(p.Role))
	}
	if p.State != Active && p.State != Suspended {
		return bad("state", "The state %q is none of active and suspended.", string(p.State))
	}
	return nil
}
