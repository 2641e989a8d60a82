// Package tenantset is how people change tenants: the one list of what can be set, how
// each property is read from text, shown and explained, and the changes that go with
// them (licence keys, secrets, suspension) with what follows from each in words. The
// command line and the staff's pages both use it, so that neither has a rule of its own.
//
// What a good tenant is says pay.Tenant.Validate; here is how one comes about. It must
// not know flags, forms or HTML, nor what a database is.
package tenantset

import (
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portatill/portatill/pay"
)

// Kind says how a property is typed in and shown.
type Kind string

// The kinds.
const (
	Line     Kind = "line"     // a line of text
	Number   Kind = "number"   // a whole number
	Percent  Kind = "percent"  // 20 or 17.5
	Window   Kind = "window"   // a time span, such as 10m
	OneOf    Kind = "one of"   // one of Choices
	Colour   Kind = "colour"   // #rrggbb
	Email    Kind = "e-mail"   // one address
	Address  Kind = "address"  // an https address
	List     Kind = "list"     // several, separated by commas or line ends
	Hidden   Kind = "secret"   // written and never shown; see Change.Secrets
	Picture  Kind = "picture"  // see Change.Logo
	Currency Kind = "currency" // three letters
)

// Section is where a property stands on a page.
type Section string

// The sections, in the order of Sections.
const (
	Identity  Section = "identity"
	Prices    Section = "prices"
	Returns   Section = "returns"
	Policies  Section = "policies"
	Branding  Section = "branding"
	Mails     Section = "mail"
	StripeKey Section = "stripe"
	Outbound  Section = "outbound"
	Porta     Section = "portabilling"
)

// Choice is a value that a property may have.
type Choice struct{ Value, Label string }

// Property is something of a tenant that can be set.
type Property struct {
	// Name is the property's name everywhere: in faults, in forms, and as a flag.
	Name    string
	Section Section
	Kind    Kind
	Label   string // what a page calls it
	Usage   string // one line for the command line
	Help    string // a sentence or two for a page
	Choices []Choice
	// OperatorOnly keeps a tenant's own people from changing it: it says whose customers
	// are theirs, or whether they may work at all.
	OperatorOnly bool

	get func(t *pay.Tenant) string
	// set reads the text into t and says what is wrong with it, "" when nothing is that
	// can be seen in the text alone.
	set func(t *pay.Tenant, text string) (problem string)
}

// Show is the property's value as its form and its flag take it; "" of secrets and
// pictures.
func (p Property) Show(t *pay.Tenant) string {
	if p.get == nil {
		return ""
	}
	return p.get(t)
}

// Flag is the property's name on the command line, where secrets come in files.
func (p Property) Flag() string {
	if p.Kind == Hidden {
		return p.Name + "-file"
	}
	return p.Name
}

// textOf is get and set of a property that is a text of the tenant's.
func textOf(field func(*pay.Tenant) *string) (func(*pay.Tenant) string, func(*pay.Tenant, string) string) {
	return func(t *pay.Tenant) string { return *field(t) }, func(t *pay.Tenant, text string) string { *field(t) = text; return "" }
}

// line makes a property of a text field.
func line(p Property, field func(*pay.Tenant) *string) Property {
	p.get, p.set = textOf(field)
	return p
}

// Properties are all properties, in the order in which they are applied.
var Properties = []Property{
	{Name: "name", Section: Identity, Kind: Line, Label: "Name", Usage: "the reseller's name", Help: "The reseller's name, for staff.",
		get: func(t *pay.Tenant) string { return t.Name }, set: setName},
	{Name: "state", Section: Identity, Kind: OneOf, Label: "State", Usage: "active or suspended", OperatorOnly: true,
		Help:    "A suspended tenant takes no new payments; what was begun is still booked.",
		Choices: []Choice{{"active", "Active"}, {"suspended", "Suspended"}},
		get:     func(t *pay.Tenant) string { return string(t.State) },
		set:     func(t *pay.Tenant, text string) string { t.State = pay.TenantState(text); return "" }},
	{Name: "i-parent", Section: Identity, Kind: Number, Label: "PortaBilling id", Usage: "the reseller's own PortaBilling id, 0 for none", OperatorOnly: true,
		Help: "The reseller's own PortaBilling id (IParent): its customers carry it. 0 when there is none.",
		get:  func(t *pay.Tenant) string { return strconv.FormatInt(t.IParent, 10) }, set: setParent},

	{Name: "currency", Section: Prices, Kind: Currency, Label: "Default currency", Usage: "default currency, such as GBP", Help: "What a cart without a currency is in.",
		get: func(t *pay.Tenant) string { return string(t.DefaultCurrency) },
		set: func(t *pay.Tenant, text string) string {
			t.DefaultCurrency = pay.Currency(strings.ToUpper(strings.TrimSpace(text)))
			return ""
		}},
	{Name: "currencies", Section: Prices, Kind: List, Label: "Allowed currencies", Usage: "all allowed currencies, separated by commas", Help: "A cart in any other currency is refused. The default is always one of them.",
		get: showCurrencies, set: setCurrencies},
	{Name: "vat-rate", Section: Prices, Kind: Percent, Label: "VAT rate", Usage: "VAT in per cent, such as 20 or 17.5", Help: "In per cent, for the items that say that VAT applies.",
		get: func(t *pay.Tenant) string { return pay.Percent(t.VATBasisPoints) }, set: setVATRate},
	{Name: "vat-mode", Section: Prices, Kind: OneOf, Label: "Prices", Usage: "exclusive (added) or inclusive (contained)", Help: "Whether the portal's prices contain VAT.",
		Choices: []Choice{{"exclusive", "Without VAT: it is added"}, {"inclusive", "With VAT: it is shown, not added"}},
		get:     func(t *pay.Tenant) string { return string(t.VATMode) },
		set:     func(t *pay.Tenant, text string) string { t.VATMode = pay.VATMode(text); return "" }},

	{Name: "return-origins", Section: Returns, Kind: List, Label: "Allowed return origins", Usage: "where SuccessUrl and CancelUrl may lead, separated by commas",
		Help: "One a line, scheme, host and port exactly, such as https://shop.example. There are no wildcards: a customer is sent to no other place.",
		get:  func(t *pay.Tenant) string { return strings.Join(t.ReturnOrigins, "\n") }, set: setOrigins},

	line(Property{Name: "display-name", Section: Branding, Kind: Line, Label: "Name on pages", Usage: "what customers see", Help: "What customers see on the order page, the receipt and their own page."},
		func(t *pay.Tenant) *string { return &t.Branding.DisplayName }),
	{Name: "logo-file", Section: Branding, Kind: Picture, Label: "Logo", Usage: "file with a logo for customers' pages: PNG or JPEG, at most 2 MB; '' removes it",
		Help: "A PNG or JPEG picture of at most 2 MB and 4,096 pixels a side. It is made anew, at most 512 pixels wide, without whatever else is in the file."},
	line(Property{Name: "accent", Section: Branding, Kind: Colour, Label: "Accent colour", Usage: "accent colour, such as #0f766e; '' for ours",
		Help: "Such as #0f766e; empty for ours. Texts on it and links are made readable, whatever it is."},
		func(t *pay.Tenant) *string { return &t.Branding.AccentColour }),
	line(Property{Name: "support-email", Section: Branding, Kind: Email, Label: "Support e-mail", Usage: "where customers ask for help", Help: "Stands at the foot of every page; empty for none."},
		func(t *pay.Tenant) *string { return &t.Branding.SupportEmail }),
	line(Property{Name: "language", Section: Branding, Kind: OneOf, Label: "Language", Usage: "of customers' pages where their browser wants none of ours: " + strings.Join(pay.Languages, ", ") + "; '' for English",
		Help: "What customers read when neither the address nor their browser asks for one of our languages.", Choices: languages()}, func(t *pay.Tenant) *string { return &t.Branding.Language }),
	{Name: "seller-lines", Section: Branding, Kind: List, Label: "Seller on receipts", Usage: "legal name, address and VAT number for receipts, lines separated by semicolons; '' for none",
		Help: "Legal name, address and VAT number, one line each, as they stand on receipts; empty for none.",
		get:  func(t *pay.Tenant) string { return strings.Join(t.Branding.SellerLines, "\n") }, set: setSellerLines},

	line(Property{Name: "review", Section: Policies, Kind: OneOf, Label: "Order page", Usage: "page (our order page first) or direct (Stripe's page at once)", Help: "Where a new order's address leads.",
		Choices: []Choice{{"page", "Our order page first"}, {"direct", "Stripe's page at once"}}}, func(t *pay.Tenant) *string { return &t.Policies.Review }),
	line(Property{Name: "first-month", Section: Policies, Kind: OneOf, Label: "First month", Usage: "included: an AdvancePeriod of 0 counts as 1; '' otherwise", Help: "What an AdvancePeriod of 0 means.",
		Choices: []Choice{{"", "0 means that no month is paid now"}, {"included", "0 counts as 1: the first month is paid now"}}}, func(t *pay.Tenant) *string { return &t.Policies.FirstMonth }),
	line(Property{Name: "subtotal", Section: Policies, Kind: OneOf, Label: "Stated subtotals", Usage: "check or trust a stated ItemSubTotal", Help: "What is done with an ItemSubTotal that the portal states.",
		Choices: []Choice{{"check", "Refuse one that differs from ours"}, {"trust", "Take it instead of ours"}}}, func(t *pay.Tenant) *string { return &t.Policies.Subtotal }),
	line(Property{Name: "save-card", Section: Policies, Kind: OneOf, Label: "Keep cards", Usage: "keep the card that is paid with: off, ask or always", Help: "Whether the card that is paid with on Stripe's page is kept for later charges.",
		Choices: []Choice{{"off", "Never"}, {"ask", "Ask the customer"}, {"always", "Always"}}}, func(t *pay.Tenant) *string { return &t.Policies.SaveCard }),
	{Name: "duplicate-window", Section: Policies, Kind: Window, Label: "Duplicate window", Usage: "how long a repeated card charge without an Idempotency-Key is the same one, 0 to 24h, such as 10m",
		Help: "How long a repeated card charge without an Idempotency-Key counts as the same one: 0 to 24h, such as 10m.",
		get:  func(t *pay.Tenant) string { return ShortDuration(t.Policies.DuplicateWindow) }, set: setWindow},

	line(Property{Name: "mail-name", Section: Mails, Kind: Line, Label: "Sender's name", Usage: "whom customers' mails come from; '' for the display name",
		Help: "Whom customers' mails come from; empty for the name on pages."}, func(t *pay.Tenant) *string { return &t.Branding.MailName }),
	line(Property{Name: "mail-reply-to", Section: Mails, Kind: Email, Label: "Answers go to", Usage: "where answers to mails go; '' for the support e-mail",
		Help: "Where a customer's answer to a mail goes; empty for the support e-mail."}, func(t *pay.Tenant) *string { return &t.Branding.MailReplyTo }),
	{Name: "mails", Section: Mails, Kind: Line, Label: "Which are sent", Usage: "which mails are sent: all, none, or some of receipt, payment_failed, authentication and daily, separated by commas",
		Help: "all, none, or some of receipt, payment_failed, authentication and daily (the letter to your administrators), separated by commas.", get: showMails, set: setMails},

	{Name: "stripe-key", Section: StripeKey, Kind: Hidden, Label: "Stripe key", Usage: "file with the Stripe secret key, - for standard input, '' removes it",
		Help: "A secret or, better, a restricted key of the reseller's Stripe account."},
	{Name: "stripe-account", Section: StripeKey, Kind: Line, Label: "Stripe account", OperatorOnly: true,
		Usage: "the Stripe account of the key, acct_…; only for a restricted key that may not ask Stripe for it, '' for asking",
		Help:  "The account of the key. Stripe is asked for it; only the account of a restricted key that may not ask must be told here.",
		get:   func(t *pay.Tenant) string { return t.StripeAccount }, set: setAccount},
	{Name: "stripe-webhook-secret", Section: StripeKey, Kind: Hidden, Label: "Webhook secret",
		Usage: "file with a new webhook secret (the last one stays good beside it), - for standard input", Help: "What Stripe signs its deliveries with, whsec_…; the last one stays good beside a new one."},

	line(Property{Name: "outbound-url", Section: Outbound, Kind: Address, Label: "Address", Usage: "where the tenant's own system hears of payments, https; '' removes it",
		Help: "Where the reseller's own system hears of payments, https; empty for nowhere."}, func(t *pay.Tenant) *string { return &t.OutboundURL }),
	{Name: "outbound-secret", Section: Outbound, Kind: Hidden, Label: "Secret",
		Usage: "file with the secret that signs what is sent there (without it one is made and printed, once), - for standard input", Help: "Signs what is sent there. One is made, and shown once, when there is none."},

	{Name: "porta-url", Section: Porta, Kind: Address, Label: "API address", Usage: "the tenant's PortaBilling API, https; '' removes it with its login and token",
		Help: "The address of the PortaBilling API, https; empty removes it with its login and token.",
		get:  func(t *pay.Tenant) string { return t.PortaBilling.URL },
		set: func(t *pay.Tenant, text string) string {
			if t.PortaBilling.URL = text; text == "" {
				t.PortaBilling = pay.PortaBilling{}
			}
			return ""
		}},
	line(Property{Name: "porta-login", Section: Porta, Kind: Line, Label: "User", Usage: "the PortaBilling user that posts payments", Help: "The user that posts payments."},
		func(t *pay.Tenant) *string { return &t.PortaBilling.Login }),
	{Name: "porta-token", Section: Porta, Kind: Hidden, Label: "API token", Usage: "file with that user's API token, - for standard input", Help: "That user's API token; empty keeps the one that is stored."},
}

// ByName finds a property; ok is false when there is none of the name.
func ByName(name string) (p Property, ok bool) {
	i := slices.IndexFunc(Properties, func(p Property) bool { return p.Name == name })
	if i < 0 {
		return Property{}, false
	}
	return Properties[i], true
}

var accountID = regexp.MustCompile(`^acct_[A-Za-z0-9]{1,64}$`)

// setAccount is undone by a new key, unless both are given (applySecrets).
func setAccount(t *pay.Tenant, text string) string {
	if t.StripeAccount = strings.TrimSpace(text); text != "" && !accountID.MatchString(t.StripeAccount) {
		return "is no id of a Stripe account, which is acct_ and letters and digits, as Stripe's dashboard shows it under Settings"
	}
	return ""
}

// setName also renames what customers see, while that is the old name.
func setName(t *pay.Tenant, text string) string {
	if slices.Contains([]string{t.Slug, t.Name}, t.Branding.DisplayName) {
		t.Branding.DisplayName = text
	}
	t.Name = text
	return ""
}

func setParent(t *pay.Tenant, text string) string {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < 0 {
		return "must be 0 (not set) or the reseller's PortaBilling id"
	}
	t.IParent = n
	return ""
}

func showCurrencies(t *pay.Tenant) string {
	codes := make([]string, len(t.Currencies))
	for i, c := range t.Currencies {
		codes[i] = string(c)
	}
	return strings.Join(codes, ", ")
}

func setCurrencies(t *pay.Tenant, text string) string {
	t.Currencies = nil
	for _, code := range split(text) {
		if code := pay.Currency(strings.ToUpper(code)); !slices.Contains(t.Currencies, code) {
			t.Currencies = append(t.Currencies, code)
		}
	}
	return ""
}

// languages are the customers' pages' own, each by its own name.
func languages() []Choice {
	names := map[string]string{"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español", "it": "Italiano", "nl": "Nederlands", "pt": "Português", "pl": "Polski", "ar": "العربية"}
	out := []Choice{{"", "English, unless the browser wants another"}}
	for _, code := range pay.Languages {
		out = append(out, Choice{code, names[code]})
	}
	return out
}

// setSellerLines parts at line ends and semicolons: an address has commas.
func setSellerLines(t *pay.Tenant, text string) string {
	t.Branding.SellerLines = nil
	for _, l := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' || r == ';' }) {
		if l = strings.TrimSpace(l); l != "" {
			t.Branding.SellerLines = append(t.Branding.SellerLines, l)
		}
	}
	return ""
}

func showMails(t *pay.Tenant) string {
	if t.Policies.Mails == "" {
		return "all"
	}
	return strings.ReplaceAll(t.Policies.Mails, ",", ", ")
}

// setMails refuses an empty text: it could mean all of them or none.
func setMails(t *pay.Tenant, text string) string {
	t.Policies.Mails = strings.ToLower(strings.Join(split(text), ","))
	switch t.Policies.Mails {
	case "":
		return "must be all, none, or some of receipt, payment_failed, authentication and daily, separated by commas"
	case "all":
		t.Policies.Mails = ""
	}
	return ""
}

func setVATRate(t *pay.Tenant, text string) string {
	points, problem := basisPoints(strings.TrimSpace(text))
	t.VATBasisPoints = points
	return problem
}

func setWindow(t *pay.Tenant, text string) string {
	d, err := time.ParseDuration(strings.TrimSpace(text))
	if err != nil || d < 0 || d > 24*time.Hour {
		return "must be between 0 and 24h, such as 10m"
	}
	t.Policies.DuplicateWindow = d
	return ""
}

func setOrigins(t *pay.Tenant, text string) string {
	t.ReturnOrigins = nil
	addOrigins(t, split(text))
	return ""
}

// basisPoints reads a percentage exactly: hundredths of a per cent.
func basisPoints(text string) (points int64, problem string) {
	r, ok := new(big.Rat).SetString(text)
	if !ok || strings.Trim(strings.TrimPrefix(text, "-"), "0123456789.") != "" { // big.Rat reads fractions and exponents too
		return 0, "must be a percentage such as 20 or 17.5"
	}
	r.Mul(r, big.NewRat(100, 1))
	if !r.IsInt() || r.Sign() < 0 || !r.Num().IsInt64() {
		return 0, "has at most two decimals and is not negative"
	}
	return r.Num().Int64(), ""
}

// split reads a list: commas, as a flag has them, or line ends, as a form has them.
func split(text string) []string {
	var out []string
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// ShortDuration writes 10m0s as 10m, as the property takes it.
func ShortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// NotSet is what Masked says of a secret that is not there.
const NotSet = "not set"

// Masked says whether a secret is set, with its last four characters to tell it from
// another: they give nothing away of one that is long enough.
func Masked(s pay.Secret) string {
	text := s.Reveal()
	switch {
	case text == "":
		return NotSet
	case len(text) < 20 || strings.ContainsFunc(text[len(text)-4:], func(r rune) bool { return r <= ' ' || r > '~' }):
		return "set"
	}
	return "set (…" + text[len(text)-4:] + ")"
}
