package handlers

import (
	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/staff"
)

// tenantRoutes is every address of the pages about tenants and the installation, one
// line each, as in adminRoutes. A role of a tenant's that may change settings may so
// for its own tenant, which the handlers see to by tenantAsked.
func (h *Handlers) tenantRoutes(get func(string, staff.Action, echo.HandlerFunc), post func(string, staff.Action, string, echo.HandlerFunc), e *echo.Echo) {
	get("/admin/tenants", staff.SeeTenants, h.showTenantsPage)
	get("/admin/tenants.csv", staff.SeeTenants, h.exportTenants)
	get("/admin/tenants/new", staff.ChangeTenants, h.showAddTenantPage)
	post("/admin/tenants", staff.ChangeTenants, "tenant_add", h.addTenant)
	get("/admin/tenant", staff.SeeSettings, h.showOwnTenantPage)

	get("/admin/tenants/:tenant", staff.SeeSettings, h.showTenantPage)
	post("/admin/tenants/:tenant", staff.ChangeSettings, "tenant_set", h.setTenant)
	get("/admin/tenants/:tenant/suspend", staff.ChangeTenants, h.showSuspendPage)
	post("/admin/tenants/:tenant/suspend", staff.ChangeTenants, "tenant_suspend", h.suspendTenant)
	get("/admin/tenants/:tenant/resume", staff.ChangeTenants, h.showResumePage)
	post("/admin/tenants/:tenant/resume", staff.ChangeTenants, "tenant_resume", h.resumeTenant)

	get("/admin/tenants/:tenant/keys", staff.SeeSettings, h.showTenantKeysPage)
	post("/admin/tenants/:tenant/keys/license", staff.ChangeTenants, "license_make", h.makeLicense)
	get("/admin/tenants/:tenant/keys/replace", staff.ChangeTenants, h.showReplacePage)
	post("/admin/tenants/:tenant/keys/replace", staff.ChangeTenants, "license_replace", h.replaceLicenses)
	get("/admin/tenants/:tenant/keys/license/:license", staff.ChangeTenants, h.showRevokePage)
	post("/admin/tenants/:tenant/keys/license/:license", staff.ChangeTenants, "license_revoke", h.revokeLicense)
	get("/admin/tenants/:tenant/keys/signing", staff.SeeSettings, h.showSigningPage)
	post("/admin/tenants/:tenant/keys/signing", staff.ChangeSettings, "signing_secret", h.rotateSigning)
	get("/admin/tenants/:tenant/keys/outbound", staff.SeeSettings, h.showOutboundPage)
	post("/admin/tenants/:tenant/keys/outbound", staff.ChangeSettings, "outbound_secret", h.rotateOutbound)
	post("/admin/tenants/:tenant/keys/webhook", staff.ChangeSettings, "webhook_secret", h.addWebhookSecret)
	get("/admin/tenants/:tenant/keys/webhook/drop", staff.SeeSettings, h.showDropWebhookPage)
	post("/admin/tenants/:tenant/keys/webhook/drop", staff.ChangeSettings, "webhook_secret_drop", h.dropWebhookSecret)
	post("/admin/tenants/:tenant/keys/stripe", staff.ChangeSettings, "stripe_key", h.setStripeKey)

	get("/admin/tenants/:tenant/branding", staff.SeeSettings, h.showBrandingPage)
	get("/admin/tenants/:tenant/branding/preview.css", staff.SeeSettings, h.previewCSS)
	e.POST("/admin/tenants/:tenant/branding", h.setBranding, h.adminDoor, h.mustSignIn, h.permit(staff.ChangeSettings), readUpload, h.audited("tenant_branding"))

	get("/admin/doctor", staff.SeeSettings, h.showDoctorPage)
	post("/admin/doctor", staff.Work, "doctor", h.runDoctor)
	get("/admin/doctor/fix", staff.SeeSettings, h.showFixPage)
	post("/admin/doctor/fix", staff.ChangeSettings, "webhook_endpoint", h.fixEndpoint)
	get("/admin/settings", staff.SeeInstallation, h.showSettingsPage)
}
