package views

// TenantsListView is the list of the tenants.
type TenantsListView struct {
	ListFrame
	Rows   []TenantsRow
	MayAdd bool
}

// TenantsRow is one tenant in the list.
type TenantsRow struct {
	Slug, Name, URL string
	Suspended       bool
	Mode            string // "Live" or "Test"; empty: there is no key
	NotReady        string // why it cannot take money; empty: it can
	Currency        string
	OrdersToday     string
	LastWebhook     Moment
}

// TenantsHead is what stands above every page of one tenant.
type TenantsHead struct {
	Name, Slug, URL string
	Suspended       bool
	Mode            string
	NotReady        string
	MayChange       bool // its settings
	MaySuspend      bool
	// AgainURL leads to the password page and back, while the sign-in is too old to save anything; empty: it is
	// not.
	AgainURL string
	Tabs     []AdminNavItem
}

// TenantView is a tenant's properties.
type TenantView struct {
	AdminFrame
	Head     TenantsHead
	Sections []TenantsSection
}

// TenantsSection is a form with some of the properties.
type TenantsSection struct {
	ID, Title, Lead string
	Fields          []TenantsField
	Message         string // why the form was not taken
	MayChange       bool
}

// TenantsField is one property in a form. Kind is tenantset's.
type TenantsField struct {
	Name, Label, Help string
	Kind              string
	Value             string // as it is stored, or was typed; empty of secrets
	Stored            string // of a secret: whether there is one
	Choices           []TenantsChoice
	Problem           string // what is wrong with what was typed; empty: nothing
	ReadOnly          bool
}

// TenantsChoice is a value to choose.
type TenantsChoice struct{ Value, Label string }

// TenantsAddView is the form for a new tenant, or what came of it.
type TenantsAddView struct {
	AdminFrame
	Fields   []TenantsField
	Message  string
	AgainURL string
	// Added is set once the tenant is there.
	Added   string // its name
	URL     string
	Secrets []TenantsSecret
	Notes   []string
}

// TenantsSecret is a secret that is shown once.
type TenantsSecret struct{ Label, Value string }

// TenantsKeysView is a tenant's keys and secrets.
type TenantsKeysView struct {
	AdminFrame
	Head           TenantsHead
	MayLicense     bool
	Licenses       []TenantsLicense
	GoodLicenses   int
	StripeKey      string // masked
	StripeMode     string
	StripeAccount  string
	MayTellAccount bool     // whose the key is, when Stripe does not say
	TypedAccount   string   // that was not stored
	WebhookSecrets []string // masked, newest first
	Signing        string   // masked
	Outbound       string   // masked
	OutboundURL    string
	// New are secrets made just now, and Notes what follows.
	New   []TenantsSecret
	Notes []string
	// KeyProblem and WebhookProblem say why a form was not taken; Checks are those of the key that was tried.
	KeyProblem     string
	WebhookProblem string
	Checks         []DoctorCheck
	MayForce       bool // the key may be stored in spite of the checks
}

// TenantsLicense is a licence key, without the key.
type TenantsLicense struct {
	ID, Hint, RevokeURL string
	Made, Revoked       Moment
}

// TenantsConfirmView asks before something that cannot simply be undone.
type TenantsConfirmView struct {
	AdminFrame
	Title, Lead string
	Points      []string
	Action      string // where the form goes
	Button      string
	Danger      bool
	BackURL     string
	AgainURL    string
	Name, Value string // a hidden field; an empty name: none
}

// TenantsBrandingView is how a tenant looks to customers, with a preview.
type TenantsBrandingView struct {
	AdminFrame
	Head    TenantsHead
	Action  string
	Fields  []TenantsField
	Message string
	HasLogo bool
	// LogoData is an uploaded picture that is not stored yet, in base64, to be sent along with the next form.
	LogoData    string
	LogoProblem string
	RemoveLogo  bool
	Preview     TenantsPreview
	Contrasts   []TenantsContrast
}

// TenantsPreview is what customers would see.
type TenantsPreview struct {
	Name, SupportEmail string
	LogoURL            string // of our own, or a data: address of what is not stored yet; empty: the letter
	StyleURL           string // of the preview's colours, up to the colour's six digits
}

// TenantsContrast is how well something can be read.
type TenantsContrast struct{ What, Ratio string }

// DoctorView is what the doctor found.
type DoctorView struct {
	AdminFrame
	Running        bool
	Started        Moment
	Finished       Moment
	Ran            bool // there are checks, of this run or the last
	Groups         []DoctorGroup
	OK, Warn, Fail int
	Tenants        []StaffTenant // to choose from; ID is the slug; empty: there is no choice
	Tenant         string        // the slug that is looked at; empty: everything
	MayRun         bool
	Whose          string // whose checks these are; empty: the installation's and all tenants'
}

// DoctorGroup is the checks of the installation or of a tenant.
type DoctorGroup struct {
	Title string
	URL   string        // the tenant's page; empty: none
	Bad   []DoctorCheck // what failed or is to be looked at
	Fine  []DoctorCheck
}

// DoctorCheck is what was found about one thing. State is ok, warn or fail.
type DoctorCheck struct {
	Name, State, What, Do string
	FixURL                string // where it can be mended; empty: not by us
	KeysURL               string // where the keys are that it is about; empty: it is not
}

// SettingsView is what the installation is set to.
type SettingsView struct {
	AdminFrame
	Groups   []SettingsGroup
	Settings []SettingsRow
}

// SettingsGroup is facts that belong together.
type SettingsGroup struct {
	Title string
	Facts []SettingsFact
}

// SettingsFact is a fact; Bad marks one to look at.
type SettingsFact struct {
	Name, Value, Note string
	Bad               bool
}

// SettingsRow is one setting.
type SettingsRow struct{ Name, Value, Source, Doc string }

// tenantsTone is the class of a check's pill.
func tenantsTone(state string) string {
	switch state {
	case "ok":
		return "good"
	case "warn":
		return "warning"
	}
	return "bad"
}

// tenantsInput is the type of a property's input, and how it is typed on a phone.
func tenantsInput(kind string) (inputType, mode string) {
	switch kind {
	case "e-mail":
		return "email", "email"
	case "address":
		return "url", "url"
	case "number":
		return "text", "numeric"
	case "percent":
		return "text", "decimal"
	}
	return "text", "text"
}

func tenantsInputType(kind string) string { t, _ := tenantsInput(kind); return t }
func tenantsInputMode(kind string) string { _, m := tenantsInput(kind); return m }

// tenantsDescribedBy names what is said about a field.
func tenantsDescribedBy(f TenantsField) string {
	ids := ""
	if f.Problem != "" {
		ids = f.Name + "-problem "
	}
	if f.Help != "" {
		ids += f.Name + "-help"
	}
	return ids
}
