package staff

// Action is something a person may or may not do. Each /admin route names one.
type Action string

// The actions. Those of a tenant's person reach that tenant's rows only, which is
// not said here but by Person.MaySee.
const (
	// Own is what everybody may do with their own account.
	Own Action = "own"
	// See reads orders, customers, payments, postings, unclaimed money and the proof.
	See Action = "see"
	// Export takes rows away as files.
	Export Action = "export"
	// Work asks Stripe or PortaBilling again and moves no money: recheck, post again,
	// redeliver, close.
	Work Action = "work"
	// Refund gives money back, credits what was unclaimed, answers disputes.
	Refund Action = "refund"
	// SeeEvents reads Stripe's deliveries and ours, with their raw bytes.
	SeeEvents Action = "see_events"
	// Replay takes an event again.
	Replay Action = "replay"
	// Sweep asks Stripe what nobody told us, of every tenant.
	Sweep Action = "sweep"
	// SeeSettings reads a tenant's settings.
	SeeSettings Action = "see_settings"
	// ChangeSettings changes them: keys, webhook secrets, return origins.
	ChangeSettings Action = "change_settings"
	// SeeTenants lists all tenants.
	SeeTenants Action = "see_tenants"
	// ChangeTenants adds and suspends tenants and makes licence keys.
	ChangeTenants Action = "change_tenants"
	// SeeInstallation reads how the till itself is set and does: what is no tenant's.
	SeeInstallation Action = "see_installation"
	// SeeAudit reads the audit log.
	SeeAudit Action = "see_audit"
	// SeeStaff and ChangeStaff are about other people.
	SeeStaff    Action = "see_staff"
	ChangeStaff Action = "change_staff"
)

// Actions are all of them.
var Actions = []Action{Own, See, Export, Work, Refund, SeeEvents, Replay, Sweep, SeeSettings, ChangeSettings, SeeTenants, ChangeTenants, SeeInstallation, SeeAudit, SeeStaff, ChangeStaff}

// permitted is the whole table; what is not in it is refused.
var permitted = map[Role]map[Action]bool{
	Operator: {Own: true, See: true, Export: true, Work: true, Refund: true, SeeEvents: true, Replay: true, Sweep: true, SeeSettings: true,
		ChangeSettings: true, SeeTenants: true, ChangeTenants: true, SeeInstallation: true, SeeAudit: true, SeeStaff: true, ChangeStaff: true},
	TenantAdmin: {Own: true, See: true, Export: true, Work: true, Refund: true, SeeEvents: true, Replay: true, SeeSettings: true,
		ChangeSettings: true, SeeAudit: true},
	TenantViewer: {Own: true, See: true, Export: true},
}

// May reports whether the role allows the action. An unknown role may do nothing.
func (r Role) May(a Action) bool { return permitted[r][a] }

// dangerous are the actions for which the password must have been given within
// FreshFor: they move money, or who may.
var dangerous = map[Action]bool{Refund: true, ChangeSettings: true, ChangeTenants: true, ChangeStaff: true}

// Dangerous reports whether the action needs a fresh sign-in.
func (a Action) Dangerous() bool { return dangerous[a] }
