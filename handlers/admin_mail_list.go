package handlers

import (
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/backoffice"
	"github.com/portatill/portatill/internal/csvout"
	"github.com/portatill/portatill/internal/mail"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// mailStates are what can have become of a mail, in the order of the tabs.
var mailStates = []struct {
	state pay.MailState
	pill  views.AdminPill
}{{pay.MailUnsent, views.AdminPill{Text: "Failed", Tone: "bad"}}, {pay.MailPending, views.AdminPill{Text: "Waiting", Tone: "warning"}},
	{pay.MailSent, views.AdminPill{Text: "Sent", Tone: "good"}}, {pay.MailSkipped, views.AdminPill{Text: "Not needed"}}}

func mailPill(s pay.MailState) views.AdminPill {
	for _, known := range mailStates {
		if known.state == s {
			return known.pill
		}
	}
	return views.AdminPill{Text: inWords(string(s))}
}

// mailQuery reads what the list of mails is asked for. The letters to operators are seen by
// operators, who look at no one tenant.
func (h *Handlers) mailQuery(c echo.Context) (*listQuery, backoffice.MailFilter, error) {
	q, err := h.readListQuery(c, "/admin/mail", "eml")
	if err != nil {
		return nil, backoffice.MailFilter{}, err
	}
	var states []string
	for _, s := range mailStates {
		states = append(states, string(s.state))
	}
	f := backoffice.MailFilter{State: pay.MailState(q.known(states...)), Operators: tenantScope(c) == "" && q.values.Get("tenant") == ""}
	f.Filter = q.filter
	return q, f, nil
}

func mailID(m *pay.Mail) string { return m.ID }

// showMailPage shows how mails are sent, which there are, and what became of them.
func (h *Handlers) showMailPage(c echo.Context) error {
	q, f, err := h.mailQuery(c)
	if err != nil {
		return err
	}
	var found backoffice.Page[pay.Mail]
	if q.message == "" {
		if found, err = h.Backoffice.PageMails(c.Request().Context(), f); err != nil {
			return err
		}
	}
	first, last := ends(found.Rows, mailID)
	v := views.MailView{ListFrame: q.frame(h, c, found.Newer, found.Older, first, last)}
	var t *pay.Tenant
	if len(f.Tenants) == 1 && !f.Operators {
		if t, err = h.Pay.Store.TenantByID(c.Request().Context(), f.Tenants[0]); err != nil {
			return err
		}
	}
	h.mailServer(c, t, &v)
	for _, kind := range pay.MailKinds {
		v.Kinds = append(v.Kinds, views.MailKind{Name: mail.KindNames[kind], When: mail.KindWhen[kind], Off: t != nil && !t.Sends(kind), URL: (&mailExample{tenant: t}).url(kind, "")})
	}
	v.Filter.SearchHint = "Order, customer's number or whole e-mail"
	tabs := []views.FilterOption{{Label: "All"}}
	for _, s := range mailStates {
		tabs = append(tabs, views.FilterOption{Value: string(s.state), Label: s.pill.Text})
	}
	q.tabs(&v.Filter, tabs...)
	q.fields(&v.Filter, "Written")
	v.Filter.Fields = slices.DeleteFunc(v.Filter.Fields, func(f views.FilterField) bool { return f.Name == "currency" })
	v.Empty = q.empty("No mail was written yet", "The first is the receipt of the next paid order.")
	for _, m := range found.Rows {
		row := views.MailRow{Made: staffMoment(m.CreatedAt, q.now), Kind: mail.KindNames[m.Kind], OrderID: m.OrderID, State: mailPill(m.State), Outcome: m.Outcome,
			Tenant: q.tenantName(m.TenantID), Tries: m.Tries}
		if m.OrderID != "" {
			row.OrderURL = "/admin/orders/" + m.OrderID
		}
		v.Rows = append(v.Rows, row)
	}
	return page(c, q.status(), views.MailPage(v))
}

var mailColumns = []string{"mail", "tenant", "written_at", "mail_kind", "state", "outcome", "tries", "order", "changed_at"}

func (h *Handlers) exportMails(c echo.Context) error {
	q, f, err := h.mailQuery(c)
	if err != nil {
		return err
	}
	return exportList(h, c, q, "mail", mailColumns, func(p backoffice.Paging) (backoffice.Page[pay.Mail], error) {
		f.Paging = p
		return h.Backoffice.PageMails(c.Request().Context(), f)
	}, mailID, func(m *pay.Mail) []csvout.Cell {
		return []csvout.Cell{csvout.Text(m.ID), csvout.Text(q.slug(m.TenantID)), isoTime(m.CreatedAt), csvout.Text(string(m.Kind)), csvout.Text(string(m.State)),
			csvout.Text(m.Outcome), csvout.Int(int64(m.Tries)), csvout.Text(m.OrderID), isoTime(m.UpdatedAt)}
	})
}
