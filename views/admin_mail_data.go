package views

// MailView is how mails are sent and what became of the last ones.
type MailView struct {
	AdminFrame
	On       bool   // there is a server
	Operator bool   // who looks sees how the installation is set
	Server   string // for operators
	From     string
	FromName string // the tenant's
	ReplyTo  string
	Tenants  []StaffTenant // to choose from, by slug; empty: there is no choice
	Tenant   string        // the slug that the page is about; empty: all
	Kinds    []MailKind
	States   []MailState
	State    string // the filter
	Message  string // what is wrong with the filter
	Mails    []MailRow
	Newest   bool   // the list begins with the newest
	OlderURL string // empty: there are no older ones
}

// MailKind is one of the mails.
type MailKind struct {
	Name, When, URL string
	Off             bool // the tenant does not send it
	Current         bool
}

// MailState is what a mail can have become.
type MailState struct{ State, Name string }

// MailRow is one mail.
type MailRow struct {
	ID, At, Time, Kind, OrderID, State, StateName, Outcome string
	Tries                                                  int
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

// mailTone is the class of a state's pill.
func mailTone(state string) string {
	switch state {
	case "sent":
		return "mail-pill good"
	case "failed":
		return "mail-pill bad"
	case "pending":
		return "mail-pill wait"
	}
	return "mail-pill"
}
