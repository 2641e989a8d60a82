package views

// AdminFrame is what surrounds the content of every staff page. handlers fills it with
// adminFrame; a page embeds it in its own view and is written inside AdminLayout.
type AdminFrame struct {
	StyleURLs []string // the built stylesheets, in order
	IconURL   string   // the favicon
	// ScriptURLs are scripts of our own that the page can do without; empty: none.
	ScriptURLs []string
	Sandbox    bool // true: the page says that no real money moves

	// PersonName is who is signed in; empty: nobody is, and there is neither navigation nor menu.
	PersonName  string
	PersonEmail string
	RoleName    string // such as "Operator"
	TenantName  string // whose rows the person sees; empty: everybody's

	// OpenIDLabel is what the staff may sign in with beside a password; empty: nothing else.
	// OpenIDLinked says that the person can.
	OpenIDLabel  string
	OpenIDLinked bool

	Nav   []AdminNavItem
	Flash []AdminFlash
}

// AdminNavItem is one entry of the navigation.
type AdminNavItem struct {
	Group   string // the heading above it, if it is the first of its kind
	Label   string
	URL     string
	Current bool
}

// AdminFlash is what came of the form that was sent last.
type AdminFlash struct {
	Text string
	Bad  bool // it was not done
}

// adminPlace says in which capacity somebody is here.
func adminPlace(f AdminFrame) string {
	if f.TenantName == "" {
		return f.RoleName
	}
	return f.RoleName + " · " + f.TenantName
}

// SignInView is the way in.
type SignInView struct {
	AdminFrame
	Email   string // what was typed; may be empty
	Next    string // where it leads, a path of ours
	Message string // why the last try did not work; empty: there was none
}

// CodeView asks for the authenticator app's code.
type CodeView struct {
	AdminFrame
	Next    string
	Message string
}

// AgainView asks a signed-in person for the password again.
type AgainView struct {
	AdminFrame
	Next    string
	Message string
	Kept    KeptForm // what was sent when the password was asked for; its Action is empty when nothing was
}

// KeptForm is a form that was sent too late after the sign-in: nothing of it was done, and
// what was typed is kept.
type KeptForm struct {
	Action string
	Fields []HiddenField
	Lost   bool // it had secrets or a picture, which are not kept
}

// KeptView offers to send a form that was kept.
type KeptView struct {
	AdminFrame
	Form    KeptForm
	Typed   []Fact // its fields, for the eye
	BackURL string
}

// AdminErrorView is what staff see instead of a page. Message reaches a person.
type AdminErrorView struct {
	AdminFrame
	Status    int
	Message   string
	RequestID string
}

// StaffAccountView is a person's own account.
type StaffAccountView struct {
	AdminFrame
	HasApp    bool // signing in takes a code of an authenticator app
	CodesLeft int  // recovery codes that are not used
	Sessions  []StaffSession
	// PasswordMessage and CodesMessage say why a form of the page was not taken.
	PasswordMessage string
	CodesMessage    string
}

// StaffSession is a browser that is signed in.
type StaffSession struct {
	SignedInAt string
	LastSeenAt string
	Address    string
	Current    bool
}

// StaffAppView pairs an authenticator app.
type StaffAppView struct {
	AdminFrame
	Secret  string // base32, in groups
	QRSize  int    // modules, with the quiet zone
	QRPath  string // the dark modules, as an SVG path
	Message string
}

// StaffCodesView shows recovery codes, once.
type StaffCodesView struct {
	AdminFrame
	Codes []string
}

// StaffView is the list of the staff.
type StaffView struct {
	AdminFrame
	People  []StaffPerson
	Tenants []StaffTenant
	Roles   []StaffRole
	// Added and AddedPassword are an account that was just made or got a password, shown once; empty: none.
	Added         string
	AddedPassword string
	// Form is what was typed into the form for a new person, Message why it was not taken.
	Form    StaffForm
	Message string
}

// StaffForm is the form for a new person.
type StaffForm struct{ Email, Name, Role, TenantID string }

// StaffPerson is one of the staff.
type StaffPerson struct {
	ID, Email, Name string
	Role, TenantID  string // the role as the form sends it
	RoleName        string
	TenantName      string // empty: an operator
	Suspended       bool
	HasApp          bool
	HasOpenID       bool   // an account of a provider is linked
	SignedInAt      string // empty: never
	Self            bool   // who looks; cannot be changed here
}

// StaffTenant and StaffRole are what the forms offer.
type StaffTenant struct{ ID, Name string }

// StaffRole is a role and its name.
type StaffRole struct{ Role, Name string }

// AuditView is the audit log.
type AuditView struct {
	ListFrame
	Entries []AuditEntry
}

// AuditEntry is one line of it.
type AuditEntry struct {
	ID, Who, What, Subject, Address string
	At                              Moment
	Change                          string // what it was and became; may be empty
	Refused                         bool
}
