package handlers

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/internal/tenantset"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// tenantSections are the forms of a tenant's page. Keys, secrets and branding have
// pages of their own.
var tenantSections = []struct {
	section     tenantset.Section
	title, lead string
}{
	{tenantset.Identity, "Identity", "Who the reseller is."},
	{tenantset.Prices, "Currencies and VAT", "What its prices are in. Orders that are there keep what they were made with."},
	{tenantset.Returns, "Return origins", "Where customers may be sent back to."},
	{tenantset.Policies, "Policies", "The tenant's choices where the product leaves one."},
	{tenantset.Mails, "Mail", "What its customers and administrators are written, when the till has an SMTP server."},
	{tenantset.Outbound, "Outbound webhook", "The tenant's own system hears of payments. Its secret is under Keys and secrets."},
	{tenantset.Porta, "PortaBilling", "Where its customers are billed, and as whom we log in there."},
}

// onTenantPage reports whether a property has its field in a section of that page: the
// state is changed with a question of its own, and so are keys, secrets and branding.
func onTenantPage(p tenantset.Property, s tenantset.Section) bool {
	return p.Section == s && p.Name != "state" && p.Name != "outbound-secret" && s != tenantset.StripeKey && s != tenantset.Branding
}

// showOwnTenantPage is a tenant's people's own tenant; operators have the list.
func (h *Handlers) showOwnTenantPage(c echo.Context) error {
	if tenantScope(c) == "" {
		return c.Redirect(http.StatusSeeOther, "/admin/tenants")
	}
	t, err := h.Pay.Store.TenantByID(c.Request().Context(), tenantScope(c))
	if err != nil {
		return err
	}
	return h.tenantPage(c, http.StatusOK, t, "", nil, nil)
}

func (h *Handlers) showTenantPage(c echo.Context) error {
	t, err := h.tenantAsked(c)
	if err != nil {
		return err
	}
	return h.tenantPage(c, http.StatusOK, t, "", nil, nil)
}

// tenantPage shows a tenant's properties; at is the section whose form was not taken,
// with what was typed into it.
func (h *Handlers) tenantPage(c echo.Context, status int, t *pay.Tenant, at tenantset.Section, typed map[string]string, faults tenantset.Faults) error {
	v := views.TenantView{AdminFrame: h.tenantsFrame(c), Head: h.tenantsHead(c, t)}
	for _, s := range tenantSections {
		section := views.TenantsSection{ID: string(s.section), Title: s.title, Lead: s.lead, MayChange: v.Head.MayChange}
		var shown []string
		for _, p := range tenantset.Properties {
			if !onTenantPage(p, s.section) {
				continue
			}
			shown = append(shown, p.Name)
			if s.section == at {
				section.Fields = append(section.Fields, tenantsField(c, p, t, typed, faults))
			} else {
				section.Fields = append(section.Fields, tenantsField(c, p, t, nil, nil))
			}
		}
		if s.section == at && len(faults) > 0 {
			section.Message = strings.TrimSpace("Nothing was stored. " + otherFaults(faults, func(name string) bool { return slices.Contains(shown, name) }))
		}
		v.Sections = append(v.Sections, section)
	}
	return page(c, status, views.TenantPage(v))
}

// setTenant stores one section of a tenant's page.
func (h *Handlers) setTenant(c echo.Context) error {
	t, err := h.tenantAsked(c)
	if err != nil {
		return err
	}
	at := tenantset.Section(c.FormValue("section"))
	change := newChange()
	for _, p := range tenantset.Properties {
		if onTenantPage(p, at) {
			typedInto(c, change, p)
		}
	}
	if len(change.Texts)+len(change.Secrets)+len(change.Faults) == 0 {
		return pay.Errorf(pay.CodeBadRequest, "", "The form names no property of the tenant. Open its page and send the form there.")
	}
	done, err := h.Tenants.Set(c.Request().Context(), t.Slug, change)
	if faults, ok := tenantFaults(err); ok {
		auditOf(c).After = short(string(at) + ": " + faultNames(faults))
		return h.tenantPage(c, http.StatusUnprocessableEntity, t, at, change.Texts, faults)
	}
	if err != nil {
		return err
	}
	e := auditOf(c)
	e.Before, e.After = whatChanged(t, done.Tenant)
	if change.Secrets["porta-token"] != "" {
		e.After = strings.TrimPrefix(e.After+", porta-token changed", ", ")
	}
	if done.OutboundSecret != "" {
		return h.keysPage(c, http.StatusOK, done.Tenant, views.TenantsKeysView{New: []views.TenantsSecret{{Label: "Outbound secret", Value: done.OutboundSecret.Reveal()}}, Notes: done.Notes})
	}
	if e.After == "" {
		h.say(c, "Nothing was different from what is stored.")
	} else {
		h.say(c, strings.Join(append([]string{"Saved."}, done.Notes...), " "))
	}
	return c.Redirect(http.StatusSeeOther, tenantURL(t)+"#"+string(at))
}

// faultNames are the names of what is wrong, without what was typed.
func faultNames(faults tenantset.Faults) string {
	var names []string
	for _, f := range faults {
		if !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	return strings.Join(names, ", ")
}

func (h *Handlers) showSuspendPage(c echo.Context) error {
	return h.statePage(c, pay.TenantSuspended)
}
func (h *Handlers) showResumePage(c echo.Context) error { return h.statePage(c, pay.TenantActive) }

// statePage asks before a tenant is suspended or resumed, and says what would follow.
func (h *Handlers) statePage(c echo.Context, state pay.TenantState) error {
	t, err := h.tenantAsked(c)
	if err != nil {
		return err
	}
	then := *t
	then.State = state
	notes, err := h.Tenants.StateNotes(c.Request().Context(), &then)
	if err != nil {
		return err
	}
	v := views.TenantsConfirmView{AdminFrame: h.tenantsFrame(c), Title: "Suspend " + t.Name + "?", Lead: "It takes no new payments until it is resumed.", Points: notes,
		Action: tenantURL(t) + "/suspend", Button: "Suspend", Danger: true, BackURL: tenantURL(t), AgainURL: h.againFirst(c, staff.ChangeTenants)}
	if state == pay.TenantActive {
		v.Title, v.Lead, v.Action, v.Button, v.Danger = "Resume "+t.Name+"?", "It takes payments again.", tenantURL(t)+"/resume", "Resume", false
	}
	return page(c, http.StatusOK, views.TenantsConfirmPage(v))
}

func (h *Handlers) suspendTenant(c echo.Context) error { return h.setState(c, pay.TenantSuspended) }
func (h *Handlers) resumeTenant(c echo.Context) error  { return h.setState(c, pay.TenantActive) }

func (h *Handlers) setState(c echo.Context, state pay.TenantState) error {
	t, err := h.tenantAsked(c)
	if err != nil {
		return err
	}
	_, changed, notes, err := h.Tenants.SetState(c.Request().Context(), t.Slug, state)
	if err != nil {
		return err
	}
	auditOf(c).Before, auditOf(c).After = string(t.State), string(state)
	said := t.Name + " is " + string(state)
	if !changed {
		said += " already"
	}
	h.say(c, strings.Join(append([]string{said + "."}, notes...), " "))
	return c.Redirect(http.StatusSeeOther, tenantURL(t))
}
