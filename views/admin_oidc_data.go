package views

import "net/url"

// OpenIDView is a station on the way to a provider and back: one that leads on by itself,
// or one that says why it came to nothing.
type OpenIDView struct {
	AdminFrame
	Title string
	Text  string
	Ways  []OpenIDWay
	// RequestID is what to quote when asking for help; empty: nothing to ask about.
	RequestID string
}

// OpenIDWay is a way on.
type OpenIDWay struct {
	Label string
	URL   string
	Main  bool
}

// openIDStart is where the sign-in page's button leads.
func openIDStart(next string) string { return "/admin/sign-in/oidc?next=" + url.QueryEscape(next) }

// openIDAgain is where the button beside the password leads.
func openIDAgain(next string) string { return "/admin/again/oidc?next=" + url.QueryEscape(next) }
