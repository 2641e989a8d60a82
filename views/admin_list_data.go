package views

// Moment is a time as staff read it, in UTC. The zero Moment is none.
type Moment struct {
	Short string // 23 Nov, 05:38; with the year when it is another one
	Full  string // 23 Nov 2026, 05:38:07 UTC
	ISO   string // RFC 3339, for machines
}

// AdminPill is a state in a word and a colour.
type AdminPill struct {
	Text string
	Tone string // good, calm, warning, bad; "" is neither
}

// ListFilter is what a list can be narrowed by: tabs, a search and fields behind it. Without
// a script its form is an address, as every link of it is.
type ListFilter struct {
	Action      string // the list's address
	Tabs        []ListTab
	Kept        []FilterOption // what the tabs say, kept when the form is sent
	Search      string         // as it was typed
	SearchLabel string
	SearchHint  string // what can be searched for
	Fields      []FilterField
	Message     string // what is wrong with what was asked for
	ClearURL    string // the same without filters; "" when nothing is narrowed
}

// ListTab is one of the views that a list has.
type ListTab struct {
	Label   string
	URL     string
	Current bool
}

// FilterField is one field of a filter. With Options it is a choice of them.
type FilterField struct {
	Name, Label, Value string
	Kind               string // text, date; of no meaning with Options
	Options            []FilterOption
}

// FilterOption is a value and its name.
type FilterOption struct{ Value, Label string }

// active reports whether one of the fields behind the search narrows the list, so that they
// are shown open.
func (f ListFilter) active() bool {
	for _, field := range f.Fields {
		if field.Value != "" {
			return true
		}
	}
	return f.Message != ""
}

// ListPager leads to the rest of a list. Empty addresses are not there.
type ListPager struct {
	NewerURL, OlderURL string
	CSVURL             string // all that the filter leaves, as a file
}

// EmptyList is said in the place of a list without rows.
type EmptyList struct{ Title, Text, URL, Link string }

// ListFrame is what every list has around its rows.
type ListFrame struct {
	AdminFrame
	Filter ListFilter
	Pager  ListPager
	Empty  EmptyList
	// Tenants says that rows of several tenants are shown, each with its name.
	Tenants bool
}

// CustomerLink is a customer in a row.
type CustomerLink struct {
	URL       string
	Name      string
	ICustomer string
}

// StripeLink is a Stripe object: its id, and where Stripe's dashboard shows it.
type StripeLink struct {
	ID  string
	URL string // "" in the sandbox, whose objects Stripe does not have
}

// Fact is a line of a list of facts.
type Fact struct {
	Label string
	Text  string
	URL   string // where it leads; "" for nowhere
	Code  bool   // an id, to be copied
	Money bool
	Away  bool // URL is another site's
}
