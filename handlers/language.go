package handlers

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/i18n"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// langParam is the part of a customer page's address that says its language. It stays
// in the addresses that the page leads to, so that the choice needs no cookie.
const langParam = "lang"

// askedLanguage is the one that the address names; nil when it names none of ours.
func askedLanguage(c echo.Context) *i18n.Language { return i18n.ByTag(c.QueryParam(langParam)) }

// languageOf is what a customer's page is said in: what the address asks for, else what
// the browser prefers, else the tenant's own, else English. The request of the portal
// has no field for it.
func languageOf(c echo.Context, t *pay.Tenant) *i18n.Language {
	if l := askedLanguage(c); l != nil {
		return l
	}
	if l := i18n.Accepted(c.Request().Header.Get("Accept-Language")); l != nil {
		return l
	}
	if t != nil {
		if l := i18n.ByTag(t.Branding.Language); l != nil {
			return l
		}
	}
	return i18n.English()
}

// speak puts the language on the frame and says in the headers what the answer depends
// on (RFC 9110, sections 8.5 and 12.5.5).
func speak(c echo.Context, f *views.Frame, l *i18n.Language) {
	f.Language = l
	head := c.Response().Header()
	head.Set("Content-Language", l.Tag)
	if !strings.Contains(strings.Join(head.Values("Vary"), ","), "Accept-Language") {
		head.Add("Vary", "Accept-Language")
	}
	// A form's answer has an address that cannot be opened, but for the order page's own.
	if m := c.Request().Method; m != http.MethodGet && m != http.MethodHead && c.Path() != "/pay/:token" {
		return
	}
	for _, other := range i18n.Languages() {
		query := url.Values{langParam: {other.Tag}}
		if before := storable(c.QueryParam("before")); before != "" {
			query.Set("before", before)
		}
		f.Languages = append(f.Languages, views.LanguageLink{Tag: other.Tag, Name: other.Name, URL: "?" + query.Encode(), Current: other == l})
	}
}

// local is one of our addresses in the language that was asked for.
func local(c echo.Context, address string) string {
	l := askedLanguage(c)
	if l == nil {
		return address
	}
	if strings.Contains(address, "?") {
		return address + "&" + langParam + "=" + l.Tag
	}
	return address + "?" + langParam + "=" + l.Tag
}
