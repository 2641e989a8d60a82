package handlers

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/doctor"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/internal/tenantset"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

func (h *Handlers) showTenantKeysPage(c echo.Context) error {
	t, err := h.tenantAsked(c)
	if err != nil {
		return err
	}
	return h.keysPage(c, http.StatusOK, t, views.TenantsKeysView{})
}

// keysPage fills in what v does not say yet.
func (h *Handlers) keysPage(c echo.Context, status int, t *pay.Tenant, v views.TenantsKeysView) error {
	licenses, err := h.Pay.Store.ListLicenses(c.Request().Context(), t.ID)
	if err != nil {
		return err
	}
	v.AdminFrame, v.Head, v.MayLicense = h.tenantsFrame(c), h.tenantsHead(c, t), staffOf(c).Role.May(staff.ChangeTenants)
	for i := range v.Head.Tabs { // also where the form of another tab led here
		v.Head.Tabs[i].Current = strings.HasSuffix(v.Head.Tabs[i].URL, "/keys")
	}
	slices.Reverse(licenses)
	for _, l := range licenses {
		shown := views.TenantsLicense{ID: l.ID, Hint: l.Hint, Made: tenantsTime(l.CreatedAt), Revoked: tenantsTime(l.RevokedAt)}
		if l.RevokedAt.IsZero() {
			v.GoodLicenses++
			if v.MayLicense {
				shown.RevokeURL = tenantURL(t) + "/keys/license/" + l.ID
			}
		}
		v.Licenses = append(v.Licenses, shown)
	}
	v.StripeKey, v.StripeMode, v.StripeAccount = tenantset.Masked(t.StripeKey), modeName(t), t.StripeAccount
	v.MayTellAccount = tenantScope(c) == ""
	for _, s := range t.StripeWebhookSecrets {
		v.WebhookSecrets = append(v.WebhookSecrets, tenantset.Masked(s))
	}
	v.Signing, v.Outbound, v.OutboundURL = tenantset.Masked(t.SigningSecret), tenantset.Masked(t.OutboundSecret), t.OutboundURL
	return page(c, status, views.TenantsKeysPage(v))
}

func (h *Handlers) makeLicense(c echo.Context) error { return h.newLicense(c, false) }

func (h *Handlers) replaceLicenses(c echo.Context) error { return h.newLicense(c, true) }

func (h *Handlers) newLicense(c echo.Context, revokeOthers bool) error {
	t, err := h.tenantAsked(c)
	if err != nil {
		return err
	}
	key, license, revoked, err := h.Tenants.NewLicense(c.Request().Context(), t, revokeOthers)
	if err != nil {
		return err
	}
	auditOf(c).After = "made " + license.ID
	v := views.TenantsKeysView{New: []views.TenantsSecret{{Label: "New licence key", Value: key.Reveal()}}}
	if revoked > 0 {
		auditOf(c).After += ", revoked all others"
		v.Notes = []string{"All older keys are revoked: the portal's requests with them are refused from now on."}
	}
	// The answer to the form itself: the key is nowhere else.
	return h.keysPage(c, http.StatusOK, t, v)
}

// keyConfirm asks before something that ends a key or a secret.
func (h *Handlers) keyConfirm(c echo.Context, t *pay.Tenant, may staff.Action, v views.TenantsConfirmView) error {
	v.AdminFrame, v.BackURL, v.AgainURL, v.Danger = h.tenantsFrame(c), tenantURL(t)+"/keys", h.againFirst(c, may), true
	v.Action = c.Request().URL.Path
	return page(c, http.StatusOK, views.TenantsConfirmPage(v))
}

func (h *Handlers) showReplacePage(c echo.Context) error {
	t, err := h.tenantAsked(c)
	if err != nil {
		return err
	}
	return h.keyConfirm(c, t, staff.ChangeTenants, views.TenantsConfirmView{Title: "Replace all licence keys?", Lead: "For a key that somebody has seen.", Button: "Make a new key and revoke all others",
		Points: []string{"All keys that are good now are revoked at once.", "The portal is refused with 401 InvalidLicense until it has the new key, which is shown once."}})
}

// licenseAsked is the licence of the address, one of the tenant's.
func (h *Handlers) licenseAsked(c echo.Context) (*pay.Tenant, *pay.License, error) {
	t, err := h.tenantAsked(c)
	if err != nil {
		return nil, nil, err
	}
	all, err := h.Pay.Store.ListLicenses(c.Request().Context(), t.ID)
	if err != nil {
		return nil, nil, err
	}
	for _, l := range all {
		if l.ID == c.Param("license") {
			return t, l, nil
		}
	}
	return nil, nil, pay.Errorf(pay.CodeNotFound, "", "There is no such licence key.")
}

func (h *Handlers) showRevokePage(c echo.Context) error {
	t, l, err := h.licenseAsked(c)
	if err != nil {
		return err
	}
	good, err := h.Tenants.GoodLicenses(c.Request().Context(), t)
	if err != nil {
		return err
	}
	v := views.TenantsConfirmView{Title: "Revoke the key that ends in " + l.Hint + "?", Lead: "This cannot be undone.", Button: "Revoke",
		Points: []string{"Requests with it are refused with 401 InvalidLicense from then on. Orders that it made stay as they are."}}
	if len(good) == 1 && good[0].ID == l.ID {
		v.Points = append(v.Points, "It is the only good key: the portal is refused until another one is made.")
	}
	return h.keyConfirm(c, t, staff.ChangeTenants, v)
}

func (h *Handlers) revokeLicense(c echo.Context) error {
	t, l, err := h.licenseAsked(c)
	if err != nil {
		return err
	}
	revoked, err := h.Tenants.Store.RevokeLicense(c.Request().Context(), t.ID, l.ID, h.Pay.Now())
	if err != nil {
		return err
	}
	auditOf(c).After = "revoked " + l.ID
	if revoked {
		h.say(c, "The key that ends in "+l.Hint+" is revoked.")
	} else {
		h.say(c, "The key that ends in "+l.Hint+" was revoked already.")
	}
	return c.Redirect(http.StatusSeeOther, tenantURL(t)+"/keys")
}

func (h *Handlers) showSigningPage(c echo.Context) error {
	t, err := h.tenantAsked(c)
	if err != nil {
		return err
	}
	return h.keyConfirm(c, t, staff.ChangeSettings, views.TenantsConfirmView{Title: "Make a new signing secret?", Lead: "There is one at a time: the old one ends at once.", Button: "Make a new signing secret",
		Points: []string{"Passes that the portal signed with the old one are refused.", "Links to customers' own pages stop working; the portal gets new ones.",
			"The portal must check the return to SuccessUrl with the new one."}})
}

func (h *Handlers) rotateSigning(c echo.Context) error {
	change := newChange()
	change.NewSigningSecret = true
	return h.rotate(c, change, "signing secret made anew", func(r *tenantset.Result) views.TenantsSecret {
		return views.TenantsSecret{Label: "New signing secret", Value: r.SigningSecret.Reveal()}
	})
}

func (h *Handlers) showOutboundPage(c echo.Context) error {
	t, err := h.tenantAsked(c)
	if err != nil {
		return err
	}
	return h.keyConfirm(c, t, staff.ChangeSettings, views.TenantsConfirmView{Title: "Make a new outbound secret?", Lead: "There is one at a time: the old one ends at once.", Button: "Make a new outbound secret",
		Points: []string{"What the tenant's own system is told from now on is signed with the new one. It must have it, or it refuses what it is told."}})
}

func (h *Handlers) rotateOutbound(c echo.Context) error {
	change := newChange()
	change.NewOutboundSecret = true
	return h.rotate(c, change, "outbound secret made anew", func(r *tenantset.Result) views.TenantsSecret {
		return views.TenantsSecret{Label: "New outbound secret", Value: r.OutboundSecret.Reveal()}
	})
}

// rotate makes a secret and shows it, once.
func (h *Handlers) rotate(c echo.Context, change *tenantset.Change, what string, made func(*tenantset.Result) views.TenantsSecret) error {
	t, err := h.tenantAsked(c)
	if err != nil {
		return err
	}
	done, err := h.Tenants.Set(c.Request().Context(), t.Slug, change)
	if faults, ok := tenantFaults(err); ok {
		return pay.Errorf(pay.CodeConflict, "", "Nothing was changed, because the tenant has faults that must be mended first. %s", otherFaults(faults, func(string) bool { return false }))
	}
	if err != nil {
		return err
	}
	auditOf(c).After = what
	return h.keysPage(c, http.StatusOK, done.Tenant, views.TenantsKeysView{New: []views.TenantsSecret{made(done)}, Notes: done.Notes})
}

// addWebhookSecret stores a webhook secret beside the newest.
func (h *Handlers) addWebhookSecret(c echo.Context) error {
	t, err := h.tenantAsked(c)
	if err != nil {
		return err
	}
	change := newChange()
	p, _ := tenantset.ByName("stripe-webhook-secret")
	typedInto(c, change, p)
	if change.Secrets[p.Name] == "" && len(change.Faults) == 0 {
		change.Faults = tenantset.Faults{{Name: p.Name, Problem: "must be given, as Stripe shows it: whsec_…"}}
	}
	done, err := h.Tenants.Set(c.Request().Context(), t.Slug, change)
	if faults, ok := tenantFaults(err); ok {
		return h.keysPage(c, http.StatusUnprocessableEntity, t, views.TenantsKeysView{WebhookProblem: "Nothing was stored. " + otherFaults(faults, func(string) bool { return false })})
	}
	if err != nil {
		return err
	}
	auditOf(c).After = "webhook secret added"
	h.say(c, strings.Join(append([]string{"The webhook secret is stored; the one before stays good beside it."}, done.Notes...), " "))
	return c.Redirect(http.StatusSeeOther, tenantURL(t)+"/keys#webhook")
}

func (h *Handlers) showDropWebhookPage(c echo.Context) error {
	t, err := h.tenantAsked(c)
	if err != nil {
		return err
	}
	return h.keyConfirm(c, t, staff.ChangeSettings, views.TenantsConfirmView{Title: "End the older webhook secret?", Lead: "Only the newest is good then.", Button: "End the older one",
		Points: []string{"Deliveries that Stripe signs with the older secret are refused. Nothing is lost: the sweep finds what they would have told."}})
}

func (h *Handlers) dropWebhookSecret(c echo.Context) error {
	t, err := h.tenantAsked(c)
	if err != nil {
		return err
	}
	change := newChange()
	change.DropOldWebhookSecret = true
	if _, err := h.Tenants.Set(c.Request().Context(), t.Slug, change); err != nil {
		if faults, ok := tenantFaults(err); ok {
			return pay.Errorf(pay.CodeConflict, "", "Nothing was changed. %s", otherFaults(faults, func(string) bool { return false }))
		}
		return err
	}
	auditOf(c).After = "older webhook secret ended"
	h.say(c, "Only the newest webhook secret is good now.")
	return c.Redirect(http.StatusSeeOther, tenantURL(t)+"/keys#webhook")
}

// connectWithin is how long a page waits for Stripe's answers about a key.
const connectWithin = 20 * time.Second

// setStripeKey tries a Stripe key with the doctor's checks, and stores it when it
// works: do says which of both.
func (h *Handlers) setStripeKey(c echo.Context) error {
	t, err := h.tenantAsked(c)
	if err != nil {
		return err
	}
	if c.FormValue("do") == "present" {
		auditOf(c).After = "present key tested"
		return h.keysPage(c, http.StatusOK, t, views.TenantsKeysView{Checks: h.connect(c, t)})
	}
	change := newChange()
	p, _ := tenantset.ByName("stripe-key")
	typedInto(c, change, p)
	if account, _ := tenantset.ByName("stripe-account"); c.FormValue(account.Name) != "" {
		typedInto(c, change, account)
	}
	if change.Secrets[p.Name] == "" && len(change.Faults) == 0 {
		change.Faults = tenantset.Faults{{Name: p.Name, Problem: "must be given: Stripe's dashboard has it under Developers, API keys"}}
	}
	trial, err := h.Tenants.Try(t, change)
	if faults, ok := tenantFaults(err); ok {
		return h.keysPage(c, http.StatusUnprocessableEntity, t, views.TenantsKeysView{TypedAccount: change.Texts["stripe-account"], KeyProblem: "Nothing was stored. " + otherFaults(faults, func(string) bool { return false })})
	}
	checks := h.connect(c, trial)
	works := !slices.ContainsFunc(checks, func(x views.DoctorCheck) bool { return x.Name == doctor.KeyCheck && x.State == string(doctor.Fail) })
	if c.FormValue("do") == "test" {
		auditOf(c).After = "key tested"
		return h.keysPage(c, http.StatusOK, t, views.TenantsKeysView{Checks: checks})
	}
	if !works && c.FormValue("force") == "" {
		auditOf(c).After = "the key does not work"
		return h.keysPage(c, http.StatusUnprocessableEntity, t, views.TenantsKeysView{TypedAccount: change.Texts["stripe-account"], KeyProblem: "Nothing was stored, because the key does not work.", Checks: checks, MayForce: true})
	}
	done, err := h.Tenants.Set(c.Request().Context(), t.Slug, change)
	if err != nil {
		return err
	}
	auditOf(c).Before, auditOf(c).After = tenantset.Mode(t)+" key", tenantset.Mode(done.Tenant)+" key stored"
	return h.keysPage(c, http.StatusOK, done.Tenant, views.TenantsKeysView{Notes: append([]string{"The Stripe key is stored."}, done.Notes...), Checks: checks})
}

// connect makes the doctor's checks of a tenant's Stripe account.
func (h *Handlers) connect(c echo.Context, t *pay.Tenant) []views.DoctorCheck {
	ctx, cancel := context.WithTimeout(c.Request().Context(), connectWithin)
	defer cancel()
	if t.StripeKey == "" {
		return []views.DoctorCheck{{Name: doctor.KeyCheck, State: string(doctor.Fail), What: "there is none", Do: "store one below"}}
	}
	var shown []views.DoctorCheck
	for _, x := range h.Examine.Connect(ctx, t) {
		shown = append(shown, h.doctorCheck(c, x))
	}
	return shown
}
