package handlers

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/doctor"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// Examiner makes the doctor's checks.
type Examiner interface {
	Examine(ctx context.Context, in Examination) []doctor.Check
	// Connect makes those of a tenant's Stripe account alone, stored or not.
	Connect(ctx context.Context, t *pay.Tenant) []doctor.Check
}

// Examination says what is looked at.
type Examination struct {
	Tenant     string // a slug; "" for all
	TenantOnly bool   // without the installation
	Fix        bool   // mend the webhook endpoint
	Progress   func(doctor.Check)
}

// examineWithin is how long the checks of a page may take; a ledger of millions of
// lines takes minutes to verify.
const examineWithin = 10 * time.Minute

// doctorRuns are the latest runs of this process, one for each thing that is looked at:
// a slug, or "" for everything. A page shows what it finds here and never waits.
type doctorRuns struct {
	mu   sync.Mutex
	runs map[string]*doctorRun
}

type doctorRun struct {
	started, finished time.Time // finished is zero while it runs
	checks            []doctor.Check
}

// look returns a copy of the latest run, nil when there was none.
func (d *doctorRuns) look(at string) *doctorRun {
	d.mu.Lock()
	defer d.mu.Unlock()
	run := d.runs[at]
	if run == nil {
		return nil
	}
	shown := *run
	shown.checks = slices.Clone(run.checks)
	return &shown
}

// begin starts a run unless one is under way, and reports whether it did.
func (d *doctorRuns) begin(at string, now func() time.Time, examine func(progress func(doctor.Check))) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if run := d.runs[at]; run != nil && run.finished.IsZero() {
		return false
	}
	if d.runs == nil {
		d.runs = map[string]*doctorRun{}
	}
	run := &doctorRun{started: now()}
	d.runs[at] = run
	go func() {
		examine(func(c doctor.Check) {
			d.mu.Lock()
			defer d.mu.Unlock()
			run.checks = append(run.checks, c)
		})
		d.mu.Lock()
		defer d.mu.Unlock()
		run.finished = now()
	}()
	return true
}

// doctorScope is which tenant is looked at: who belongs to one has no choice.
func (h *Handlers) doctorScope(c echo.Context, asked string) (*pay.Tenant, error) {
	if own := tenantScope(c); own != "" && asked == "" {
		return h.Pay.Store.TenantByID(c.Request().Context(), own)
	}
	if asked == "" {
		return nil, nil
	}
	return h.tenantSeen(c, asked)
}

func (h *Handlers) showDoctorPage(c echo.Context) error {
	t, err := h.doctorScope(c, c.QueryParam("tenant"))
	if err != nil {
		return err
	}
	v := views.DoctorView{AdminFrame: h.tenantsFrame(c), MayRun: staffOf(c).Role.May(staff.Work)}
	at := ""
	if t != nil {
		at, v.Tenant = t.Slug, t.Slug
		v.Whose = "The checks of " + t.Name + " and its Stripe account."
	}
	if tenantScope(c) == "" {
		tenants, err := h.Pay.Store.ListTenants(c.Request().Context())
		if err != nil {
			return err
		}
		for _, one := range tenants {
			v.Tenants = append(v.Tenants, views.StaffTenant{ID: one.Slug, Name: one.Name})
		}
	}
	if run := h.doctorRuns.look(at); run != nil {
		v.Ran, v.Running = true, run.finished.IsZero()
		v.Started, v.Finished = tenantsTime(run.started), tenantsTime(run.finished)
		h.doctorGroups(c, &v, run.checks)
	}
	if v.Running {
		c.Response().Header().Set("Refresh", "2")
	}
	return page(c, http.StatusOK, views.DoctorPage(v))
}

// doctorGroups sorts the checks by whose they are, and counts them.
func (h *Handlers) doctorGroups(c echo.Context, v *views.DoctorView, checks []doctor.Check) {
	for _, x := range checks {
		switch x.State {
		case doctor.OK:
			v.OK++
		case doctor.Warn:
			v.Warn++
		case doctor.Fail:
			v.Fail++
		}
		title, at := "Installation", ""
		if x.Tenant != "" {
			title, at = x.Tenant, "/admin/tenants/"+x.Tenant
		}
		if n := len(v.Groups); n == 0 || v.Groups[n-1].Title != title {
			v.Groups = append(v.Groups, views.DoctorGroup{Title: title, URL: at})
		}
		last := &v.Groups[len(v.Groups)-1]
		if x.State == doctor.OK {
			last.Fine = append(last.Fine, h.doctorCheck(c, x))
		} else {
			last.Bad = append(last.Bad, h.doctorCheck(c, x))
		}
	}
}

// doctorCheck is a check for a page: what the endpoint needs can be done from there.
func (h *Handlers) doctorCheck(c echo.Context, x doctor.Check) views.DoctorCheck {
	shown := views.DoctorCheck{Name: x.Name, State: string(x.State), What: x.What, Do: x.Do}
	if x.Tenant != "" && x.Name == doctor.EndpointCheck && x.State != doctor.OK && staffOf(c).Role.May(staff.ChangeSettings) {
		shown.FixURL = "/admin/doctor/fix?" + url.Values{"tenant": {x.Tenant}}.Encode()
		if strings.HasPrefix(x.Do, "portatill doctor ") {
			shown.Do = ""
		}
	}
	if x.Tenant != "" && x.State == doctor.Fail && (x.Name == doctor.KeyCheck || x.Name == doctor.ReadyCheck) {
		shown.KeysURL = "/admin/tenants/" + x.Tenant + "/keys"
	}
	return shown
}

func (h *Handlers) runDoctor(c echo.Context) error { return h.examine(c, c.FormValue("tenant"), false) }

// examine starts the checks and leads to the page that shows how far they are.
func (h *Handlers) examine(c echo.Context, asked string, fix bool) error {
	t, err := h.doctorScope(c, asked)
	if err != nil {
		return err
	}
	in, back := Examination{Fix: fix}, "/admin/doctor"
	if t != nil {
		in.Tenant, in.TenantOnly = t.Slug, true
		back += "?" + url.Values{"tenant": {t.Slug}}.Encode()
		auditOf(c).Subject, auditOf(c).TenantID = t.ID, t.ID
	}
	// It goes on when the browser does not wait, and ends at the latest with the limit.
	ctx := context.WithoutCancel(c.Request().Context())
	began := h.doctorRuns.begin(in.Tenant, h.Pay.Now, func(progress func(doctor.Check)) {
		ctx, cancel := context.WithTimeout(ctx, examineWithin)
		defer cancel()
		defer func() {
			if r := recover(); r != nil {
				h.Log.ErrorContext(ctx, "the doctor panicked", "panic", r)
				progress(doctor.Check{Tenant: in.Tenant, Name: "doctor", State: doctor.Fail, What: "it broke off", Do: "see the log for \"the doctor panicked\""})
			}
		}()
		in.Progress = progress
		h.Examine.Examine(ctx, in)
	})
	if !began {
		if fix {
			return pay.Errorf(pay.CodeConflict, "", "The doctor is looking at this tenant just now. Wait until it is done, and mend the endpoint then.")
		}
		h.say(c, "The doctor was looking already; here is how far it is.")
	}
	return c.Redirect(http.StatusSeeOther, back)
}

func (h *Handlers) showFixPage(c echo.Context) error {
	t, err := h.doctorScope(c, c.QueryParam("tenant"))
	if err != nil {
		return err
	}
	if t == nil {
		return pay.Errorf(pay.CodeBadRequest, "", "The address does not say whose endpoint is meant. Go to the doctor and choose it there.")
	}
	return page(c, http.StatusOK, views.TenantsConfirmPage(views.TenantsConfirmView{AdminFrame: h.tenantsFrame(c), Title: "Mend the webhook endpoint of " + t.Name + "?",
		Lead: "It is made or changed in the tenant's Stripe account.", Points: []string{
			"An endpoint that leads here, in our API version and for our events, is there afterwards: changed when that is enough, made anew when not.",
			"A new endpoint's secret is stored beside the newest one; then the endpoints in whose place it is are deleted.",
			"Nothing is lost meanwhile: an event that comes twice counts once, and the sweep finds one that does not come."},
		Action: "/admin/doctor/fix", Button: "Mend it", BackURL: "/admin/doctor?" + url.Values{"tenant": {t.Slug}}.Encode(), AgainURL: h.againFirst(c, staff.ChangeSettings), Name: "tenant", Value: t.Slug}))
}

func (h *Handlers) fixEndpoint(c echo.Context) error {
	slug := c.FormValue("tenant")
	if slug == "" && tenantScope(c) == "" {
		return pay.Errorf(pay.CodeBadRequest, "", "The form does not say whose endpoint is meant. Go to the doctor and choose it there.")
	}
	auditOf(c).After = "webhook endpoint mended where it has faults"
	return h.examine(c, slug, true)
}
