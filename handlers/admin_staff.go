package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

func (h *Handlers) showStaffPage(c echo.Context) error {
	return h.staffPage(c, http.StatusOK, views.StaffView{})
}

// staffPage fills in what v does not say yet.
func (h *Handlers) staffPage(c echo.Context, status int, v views.StaffView) error {
	ctx := c.Request().Context()
	v.AdminFrame = h.adminFrame(c)
	for _, r := range staff.Roles {
		v.Roles = append(v.Roles, views.StaffRole{Role: string(r), Name: roleNames[r]})
	}
	tenants, err := h.Pay.Store.ListTenants(ctx)
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, t := range tenants {
		names[t.ID] = t.Name
		v.Tenants = append(v.Tenants, views.StaffTenant{ID: t.ID, Name: t.Name})
	}
	people, err := h.Staff.Store.ListStaff(ctx)
	if err != nil {
		return err
	}
	for _, p := range people {
		v.People = append(v.People, views.StaffPerson{ID: p.ID, Email: p.Email, Name: p.Name, Role: string(p.Role), TenantID: p.TenantID,
			RoleName: roleNames[p.Role], TenantName: names[p.TenantID], Suspended: p.State == staff.Suspended, HasApp: p.HasTOTP(), HasOpenID: p.HasOpenID(),
			SignedInAt: staffTime(p.SignedInAt), Self: p.ID == staffOf(c).ID})
	}
	return page(c, status, views.StaffPage(v))
}

// tenantExists refuses a tenant that is none, before the database does.
func (h *Handlers) tenantExists(c echo.Context, id string) error {
	if id == "" {
		return nil
	}
	_, err := h.Pay.Store.TenantByID(c.Request().Context(), id)
	if pay.IsNotFound(err) {
		return h.refused(c, staff.ChangeStaff, pay.Errorf(pay.CodeBadRequest, "tenant", "There is no such tenant."), "no such tenant")
	}
	return err
}

func (h *Handlers) addStaff(c echo.Context) error {
	ctx := c.Request().Context()
	form := views.StaffForm{Email: storable(c.FormValue("email")), Name: storable(c.FormValue("name")), Role: storable(c.FormValue("role")), TenantID: storable(c.FormValue("tenant"))}
	err := h.tenantExists(c, form.TenantID)
	var p *staff.Person
	var password pay.Secret
	if err == nil {
		p, password, err = h.Staff.Add(ctx, byOf(c), staff.AddInput{Email: form.Email, Name: form.Name, Role: staff.Role(form.Role), TenantID: form.TenantID})
	}
	if f, ok := formFault(c, err); ok {
		return h.staffPage(c, f.status, views.StaffView{Form: form, Message: f.message})
	}
	if err != nil {
		return err
	}
	// The answer to the form itself: the password is nowhere else.
	return h.staffPage(c, http.StatusOK, views.StaffView{Added: p.Email, AddedPassword: password.Reveal()})
}

func (h *Handlers) setStanding(c echo.Context) error {
	ctx, tenant := c.Request().Context(), storable(c.FormValue("tenant"))
	err := h.tenantExists(c, tenant)
	var p *staff.Person
	if err == nil {
		p, err = h.Staff.SetStanding(ctx, byOf(c), storable(c.Param("person")), staff.Role(c.FormValue("role")), tenant, staff.State(c.FormValue("state")))
	}
	return h.staffChanged(c, p, err)
}

// staffChanged leads back to the list and says what came of the form.
func (h *Handlers) staffChanged(c echo.Context, p *staff.Person, err error) error {
	if f, ok := formFault(c, err); ok {
		return h.staffPage(c, f.status, views.StaffView{Message: f.message})
	}
	if err != nil {
		return err
	}
	h.say(c, p.Name+" was changed and is signed out everywhere.")
	return c.Redirect(http.StatusSeeOther, "/admin/staff")
}

func (h *Handlers) setStaffPassword(c echo.Context) error {
	ctx, id := c.Request().Context(), storable(c.Param("person"))
	p, err := h.Staff.Store.StaffByID(ctx, id)
	if err != nil {
		return err
	}
	password, err := h.Staff.SetPassword(ctx, byOf(c), id, "")
	if err != nil {
		return err
	}
	return h.staffPage(c, http.StatusOK, views.StaffView{Added: p.Email, AddedPassword: password.Reveal()})
}

func (h *Handlers) resetStaffApp(c echo.Context) error {
	ctx, id := c.Request().Context(), storable(c.Param("person"))
	p, err := h.Staff.Store.StaffByID(ctx, id)
	if err == nil {
		err = h.Staff.ResetTOTP(ctx, byOf(c), id)
	}
	return h.staffChanged(c, p, err)
}
