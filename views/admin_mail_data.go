package views

// MailView is how mails are sent and what became of them.
type MailView struct {
	ListFrame
	On       bool   // there is a server
	Operator bool   // who looks sees how the installation is set
	Server   string // for operators
	From     string
	FromName string // the tenant's, where the page is about one
	ReplyTo  string
	Kinds    []MailKind
	Rows     []MailRow
}

// MailKind is one of the mails.
type MailKind struct {
	Name, When, URL string
	Off             bool // the tenant does not send it
	Current         bool
}

// MailRow is a mail in a list.
type MailRow struct {
	Made     Moment
	Kind     string
	OrderID  string // "" for a letter to staff
	OrderURL string
	Tenant   string // "" for an operator's letter
	State    AdminPill
	Outcome  string
	Tries    int
}

// MailExampleView is a mail with example data.
type MailExampleView struct {
	AdminFrame
	Name, When, Subject, Text string
	FrameURL, TestURL         string
	ListURL                   string
	Kinds                     []MailKind
	TextLang, TextDir         string // of Subject and Text
	Tenants                   []StaffTenant
	Tenant                    string
	Languages                 []LanguageLink // to choose from; empty: there is no choice
	Language                  string         // empty: the tenant's own
	Off                       bool
	On                        bool // a test can be sent
	MayTest                   bool
	To                        string
}
