package handlers

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/branding"
	"github.com/portatill/portatill/internal/tenantset"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/static"
	"github.com/portatill/portatill/views"
)

// readUpload reads a form with a picture: the file, one that was uploaded before in
// base64, and the texts.
func readUpload(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		r.Body = http.MaxBytesReader(c.Response(), r.Body, branding.MaxUpload+512<<10+maxForm)
		err := r.ParseMultipartForm(branding.MaxUpload + 512<<10 + maxForm)
		if errors.Is(err, http.ErrNotMultipart) {
			err = r.ParseForm()
		}
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return pay.Errorf(codeTooLarge, "", "The picture is larger than %d MB. Go back and choose a smaller one; nothing was stored.", branding.MaxUpload>>20)
		}
		if err != nil {
			return &echo.HTTPError{Code: http.StatusBadRequest, Internal: err}
		}
		if r.MultipartForm != nil {
			defer r.MultipartForm.RemoveAll() //nolint:errcheck // nothing is on the disk: the limits are the same
		}
		return next(c)
	}
}

func (h *Handlers) showBrandingPage(c echo.Context) error {
	t, err := h.tenantAsked(c)
	if err != nil {
		return err
	}
	return h.brandingPage(c, http.StatusOK, t, brandingForm{shown: t})
}

// brandingForm is what was typed into the form for the branding, and the tenant as it
// would be.
type brandingForm struct {
	change  *tenantset.Change
	shown   *pay.Tenant
	faults  tenantset.Faults
	message string
	remove  bool
}

// brandingPage shows the form and the preview.
func (h *Handlers) brandingPage(c echo.Context, status int, t *pay.Tenant, f brandingForm) error {
	v := views.TenantsBrandingView{AdminFrame: h.tenantsFrame(c), Head: h.tenantsHead(c, t), Action: tenantURL(t) + "/branding", Message: f.message,
		HasLogo: t.Branding.LogoType != "", RemoveLogo: f.remove}
	v.ScriptURLs = append(v.ScriptURLs, static.URL("js/admin_branding.js"))
	var typed map[string]string
	if f.change != nil {
		typed = f.change.Texts
	}
	shown := []string{}
	for _, p := range tenantset.Properties {
		if p.Section == tenantset.Branding {
			shown = append(shown, p.Name)
			v.Fields = append(v.Fields, tenantsField(c, p, t, typed, f.faults))
		}
	}
	for _, fault := range f.faults {
		if fault.Name == "logo-file" {
			v.LogoProblem = fault.Problem
		}
	}
	if other := otherFaults(f.faults, func(name string) bool { return slices.Contains(shown, name) }); other != "" {
		v.Message = strings.TrimSpace(v.Message + " " + other)
	}
	b := f.shown.Branding
	v.Preview = views.TenantsPreview{Name: b.DisplayName, SupportEmail: b.SupportEmail, StyleURL: v.Action + "/preview.css", LogoURL: logoURL(f.shown)}
	if f.change != nil && f.change.Logo != nil && len(f.change.Logo.Bytes) > 0 {
		v.LogoData = base64.StdEncoding.EncodeToString(f.change.Logo.Bytes)
		v.Preview.LogoURL = "data:" + f.change.Logo.MediaType + ";base64," + v.LogoData
	}
	v.StyleURLs = append(v.StyleURLs, v.Preview.StyleURL+"?accent="+strings.TrimPrefix(accentOf(b.AccentColour), "#"))
	if accent, ok := branding.ParseColour(b.AccentColour); ok {
		light, dark := branding.Light(accent), branding.Dark(accent)
		v.Contrasts = []views.TenantsContrast{
			{What: "Text on the button", Ratio: ratio(branding.Contrast(light.Content, light.Surface))},
			{What: "Links on light pages", Ratio: ratio(lowest(light.Text, branding.LightPages))},
			{What: "Links on dark pages", Ratio: ratio(lowest(dark.Text, branding.DarkPages))},
		}
	}
	// Pictures that are not stored yet are in the page itself, or in the browser.
	head := c.Response().Header()
	head.Set("Content-Security-Policy", strings.Replace(head.Get("Content-Security-Policy"), "img-src 'self'", "img-src 'self' data: blob:", 1))
	return page(c, status, views.TenantsBrandingPage(v))
}

func ratio(contrast float64) string { return fmt.Sprintf("%.1f : 1", contrast) }

func lowest(text branding.Colour, pages []branding.Colour) float64 {
	least := 21.0
	for _, p := range pages {
		least = min(least, branding.Contrast(text, p))
	}
	return least
}

// accentOf is a colour in one form, "" for what is none.
func accentOf(text string) string {
	accent, ok := branding.ParseColour(text)
	if !ok {
		return ""
	}
	return accent.String()
}

// previewCSS is the preview's colours for any accent.
func (h *Handlers) previewCSS(c echo.Context) error {
	if _, err := h.tenantAsked(c); err != nil {
		return err
	}
	accent := accentOf("#" + strings.TrimPrefix(c.QueryParam("accent"), "#"))
	c.Response().Header().Set("Cache-Control", "private, max-age=300")
	return c.Blob(http.StatusOK, "text/css; charset=utf-8", []byte(branding.PreviewStylesheet(accent, "brand-light", "brand-dark")))
}

// setBranding previews or stores the branding.
func (h *Handlers) setBranding(c echo.Context) error {
	t, err := h.tenantAsked(c)
	if err != nil {
		return err
	}
	f := brandingForm{change: newChange(), remove: c.FormValue("remove-logo") != ""}
	for _, p := range tenantset.Properties {
		if p.Section == tenantset.Branding && p.Kind != tenantset.Picture {
			typedInto(c, f.change, p)
		}
	}
	h.readLogo(c, f.change)
	if f.remove {
		f.change.Logo = &branding.Logo{}
	}
	trial, err := h.Tenants.Try(t, f.change)
	f.shown = trial
	if faults, ok := tenantFaults(err); ok {
		f.faults, f.message = faults, "Nothing was stored."
		if accentOf(trial.Branding.AccentColour) == "" {
			f.shown.Branding.AccentColour = t.Branding.AccentColour
		}
		auditOf(c).After = short("branding: " + faultNames(faults))
		return h.brandingPage(c, http.StatusUnprocessableEntity, t, f)
	}
	if c.FormValue("do") == "preview" {
		auditOf(c).After = "branding looked at, nothing stored"
		return h.brandingPage(c, http.StatusOK, t, f)
	}
	done, err := h.Tenants.Set(c.Request().Context(), t.Slug, f.change)
	if err != nil {
		return err
	}
	e := auditOf(c)
	e.Before, e.After = whatChanged(t, done.Tenant)
	if t.Branding.LogoHash != done.Tenant.Branding.LogoHash || t.Branding.LogoType != done.Tenant.Branding.LogoType {
		e.After = strings.TrimPrefix(e.After+", logo changed", ", ")
	}
	h.say(c, "The branding is saved. Customers see it from now on.")
	return c.Redirect(http.StatusSeeOther, tenantURL(t)+"/branding")
}

// readLogo makes a logo of the file that was uploaded, or of the one that was uploaded
// before and came along: that is no more to be trusted than the first time.
func (h *Handlers) readLogo(c echo.Context, change *tenantset.Change) {
	var raw []byte
	if file, _, err := c.Request().FormFile("logo"); err == nil {
		defer file.Close()
		if raw, err = io.ReadAll(io.LimitReader(file, branding.MaxUpload+1)); err != nil {
			change.Faults = append(change.Faults, tenantset.Fault{Name: "logo-file", Problem: "did not arrive whole: send it again"})
			return
		}
	}
	if len(raw) == 0 {
		data := c.FormValue("logo-data")
		if data == "" {
			return
		}
		var err error
		if raw, err = base64.StdEncoding.DecodeString(data); err != nil {
			change.Faults = append(change.Faults, tenantset.Fault{Name: "logo-file", Problem: "did not arrive whole: choose it again"})
			return
		}
	}
	logo, problem := branding.MakeLogo(raw)
	if problem != "" {
		change.Faults = append(change.Faults, tenantset.Fault{Name: "logo-file", Problem: problem})
		return
	}
	change.Logo = &logo
}
