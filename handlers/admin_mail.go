package handlers

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/i18n"
	"github.com/portatill/portatill/internal/mail"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// testWithin is how long a test mail may take: somebody waits for the page.
const testWithin = 20 * time.Second

// mailServer says how mails leave: the server itself to operators only. t is the one
// tenant that the page is about, nil for several.
func (h *Handlers) mailServer(c echo.Context, t *pay.Tenant, v *views.MailView) {
	s := h.Mail.Sender
	v.Operator = staffOf(c).Role == staff.Operator
	if s == nil {
		return
	}
	v.On, v.From = true, s.From()
	if t != nil {
		v.FromName, v.ReplyTo = firstOf(t.Branding.MailName, t.Branding.DisplayName), firstOf(t.Branding.MailReplyTo, t.Branding.SupportEmail)
	}
	if v.Operator {
		f := s.Server()
		v.Server = f.Address + ", " + map[string]string{"starttls": "STARTTLS", "tls": "TLS", "none": "in the clear"}[f.TLS]
		if f.SignedIn {
			v.Server += ", signed in"
		}
	}
}

// mailTenant is the tenant that the page is about: one's own, or for an operator the one
// that the address names, nil for none. Another's is as unknown as none.
func (h *Handlers) mailTenant(c echo.Context) (*pay.Tenant, []views.StaffTenant, error) {
	ctx, slug := c.Request().Context(), storable(c.QueryParam("tenant"))
	if c.Request().Method == http.MethodPost {
		slug = storable(c.FormValue("tenant"))
	}
	if scope := tenantScope(c); scope != "" {
		t, err := h.Pay.Store.TenantByID(ctx, scope)
		if err == nil && slug != "" && slug != t.Slug {
			err = pay.Errorf(pay.CodeNotFound, "", "There is no such tenant.")
		}
		return t, nil, err
	}
	tenants, err := h.Pay.Store.ListTenants(ctx)
	if err != nil {
		return nil, nil, err
	}
	var at *pay.Tenant
	var all []views.StaffTenant
	for _, t := range tenants {
		all = append(all, views.StaffTenant{ID: t.Slug, Name: t.Name})
		if t.Slug == slug {
			at = t
		}
	}
	if slug != "" && at == nil {
		return nil, nil, pay.Errorf(pay.CodeNotFound, "", "There is no such tenant.")
	}
	return at, all, nil
}

// mailExample is what an address, or a form, asks an example of.
type mailExample struct {
	kind     pay.MailKind
	tenant   *pay.Tenant // nil for an example's branding, and an operator's letter
	tenants  []views.StaffTenant
	language *i18n.Language // nil for the tenant's own
}

// url is an example's address, or one below it.
func (m *mailExample) url(kind pay.MailKind, below string) string {
	query := url.Values{}
	if m.tenant != nil {
		query.Set("tenant", m.tenant.Slug)
	}
	if m.language != nil {
		query.Set("lang", m.language.Tag)
	}
	at := "/admin/mail/" + string(kind) + below
	if len(query) > 0 {
		at += "?" + query.Encode()
	}
	return at
}

func (h *Handlers) mailExample(c echo.Context) (*mailExample, error) {
	m := &mailExample{kind: pay.MailKind(c.Param("kind"))}
	if !slices.Contains(pay.MailKinds, m.kind) {
		return nil, pay.Errorf(pay.CodeNotFound, "", "There is no such mail.")
	}
	lang := c.QueryParam("lang")
	if c.Request().Method == http.MethodPost {
		lang = c.FormValue("lang")
	}
	if m.language = i18n.ByTag(lang); m.language == nil && lang != "" {
		return nil, pay.Errorf(pay.CodeBadRequest, "lang", "Mails are not written in that language. Go back and choose one of the list.")
	}
	var err error
	m.tenant, m.tenants, err = h.mailTenant(c)
	return m, err
}

// showMailExamplePage shows a mail with example data, as it is read with pictures of its
// own and as text.
func (h *Handlers) showMailExamplePage(c echo.Context) error {
	m, err := h.mailExample(c)
	if err != nil {
		return err
	}
	letter, err := h.Mail.Example(m.tenant, m.kind, m.language)
	if err != nil {
		return err
	}
	v := views.MailExampleView{AdminFrame: h.adminFrame(c), Name: mail.KindNames[m.kind], When: mail.KindWhen[m.kind], Subject: letter.Subject, Text: letter.Text,
		TextLang: letter.Lang, TextDir: letter.Dir,
		FrameURL: m.url(m.kind, "/html"), TestURL: "/admin/mail/" + string(m.kind) + "/test", ListURL: "/admin/mail", Tenants: m.tenants, On: h.Mail.Sender != nil,
		MayTest: staffOf(c).Role.May(staff.Work), To: staffOf(c).Email}
	if m.tenant != nil {
		v.Tenant, v.Off = m.tenant.Slug, !m.tenant.Sends(m.kind)
	}
	if m.language != nil {
		v.Language = m.language.Tag
	}
	if m.kind != pay.MailDaily { // the staff's letter is English, as their pages are
		for _, l := range i18n.Languages() {
			v.Languages = append(v.Languages, views.LanguageLink{Tag: l.Tag, Name: l.Name})
		}
	}
	for _, k := range pay.MailKinds {
		v.Kinds = append(v.Kinds, views.MailKind{Name: mail.KindNames[k], URL: m.url(k, ""), Current: k == m.kind})
	}
	head := c.Response().Header()
	head.Set("Content-Security-Policy", head.Get("Content-Security-Policy")+"; frame-src 'self'")
	return page(c, http.StatusOK, views.MailExamplePage(v))
}

// showMailHTML is the mail by itself, for the frame of its page: without scripts, an
// origin, or anything to load, and with no style but its own.
func (h *Handlers) showMailHTML(c echo.Context) error {
	m, err := h.mailExample(c)
	if err != nil {
		return err
	}
	letter, err := h.Mail.Example(m.tenant, m.kind, m.language)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(letter.Style))
	head := c.Response().Header()
	head.Set("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'")
	head.Set("X-Frame-Options", "SAMEORIGIN")
	return c.HTML(http.StatusOK, letter.HTML)
}

// sendTestMail sends an example to whoever asks, and to nobody else, and tells what the
// server answered.
func (h *Handlers) sendTestMail(c echo.Context) error {
	m, err := h.mailExample(c)
	if err != nil {
		return err
	}
	auditOf(c).Subject = string(m.kind)
	ctx, cancel := context.WithTimeout(c.Request().Context(), testWithin)
	defer cancel()
	to := staffOf(c).Email
	answer, err := h.Mail.SendTest(ctx, m.tenant, m.kind, m.language, to)
	refusal, refused := errors.AsType[*mail.Refusal](err)
	e, ours := errors.AsType[*pay.Error](err)
	switch {
	case err == nil:
		h.say(c, "The server took the mail to "+to+". It said: "+answer)
	case refused:
		auditOf(c).Refused, auditOf(c).After = true, refusal.Error()
		h.sayNot(c, "The mail was not taken. "+refusal.Tell())
	case ours:
		auditOf(c).Refused, auditOf(c).After = true, string(e.Code)
		h.sayNot(c, e.Message)
	case errors.Is(err, context.DeadlineExceeded):
		auditOf(c).Refused, auditOf(c).After = true, "no answer in time"
		h.sayNot(c, "The server did not answer within 20 seconds. Whether the mail was sent is not known.")
	default:
		return err
	}
	return c.Redirect(http.StatusSeeOther, m.url(m.kind, ""))
}
