package handlers

import (
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/views"
)

// plainList is what a list is made of that is not about orders or the books: the tenants
// and the audit log, which read their own filters.
type plainList struct {
	path     string
	frame    views.AdminFrame
	message  string     // what is wrong with the question
	narrowed url.Values // the filters that are set
	cursor   string     // the name of the place in the address
	at       string     // where the page begins; "" at the beginning
	more     string     // where the next page begins; "" for no next one

	searchName, search string
	label, look        string // of the search, and what it is for
	tabs               []views.FilterOption
	fields             []views.FilterField
	none, why          string // said of a list that is empty by itself
}

// narrow keeps a filter that is set for the links.
func (l *plainList) narrow(name, value string) {
	if value != "" {
		l.narrowed.Set(name, value)
	}
}

// link is the list's address with its filters and one more value, "" to leave it out.
func (l *plainList) link(path, name, value string) string {
	v := url.Values{}
	for k, values := range l.narrowed {
		v[k] = values
	}
	if v.Del(name); value != "" {
		v.Set(name, value)
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

// made is what is around the rows.
func (l *plainList) made(c echo.Context) views.ListFrame {
	v := views.ListFrame{AdminFrame: l.frame}
	v.ScriptURLs = append(v.ScriptURLs, listScript()...)
	v.Filter = views.ListFilter{Action: l.path, Search: l.search, SearchName: l.searchName, SearchLabel: l.label, SearchHint: l.look, Fields: l.fields, Message: l.message}
	state := l.narrowed.Get("state")
	for _, t := range l.tabs {
		v.Filter.Tabs = append(v.Filter.Tabs, views.ListTab{Label: t.Label, URL: l.link(l.path, "state", t.Value), Current: t.Value == state})
	}
	if len(l.tabs) > 0 && state != "" {
		v.Filter.Kept = []views.FilterOption{{Value: "state", Label: state}}
	}
	if len(l.narrowed) > 0 || l.message != "" {
		v.Filter.ClearURL = l.path
	}
	if staffOf(c).Role.May(staff.Export) && l.message == "" {
		v.Filter.CSVURL = l.link(l.path+".csv", l.cursor, "")
	}
	if l.at != "" {
		v.Pager.NewestURL = l.link(l.path, l.cursor, "")
	}
	if l.more != "" {
		v.Pager.OlderURL = l.link(l.path, l.cursor, l.more)
	}
	switch {
	case l.message != "":
		v.Empty = views.EmptyList{Title: "Nothing was looked for", Text: "Mend what is said above, or begin again.", URL: l.path, Link: "Begin again"}
	case len(l.narrowed) > 0:
		v.Empty = views.EmptyList{Title: "None match", Text: "No row is as the filters say.", URL: l.path, Link: "Show all"}
	case l.at != "":
		v.Empty = views.EmptyList{Title: "No more", Text: "There are no rows beyond this one.", URL: l.path, Link: "Begin again"}
	default:
		v.Empty = views.EmptyList{Title: l.none, Text: l.why}
	}
	return v
}
