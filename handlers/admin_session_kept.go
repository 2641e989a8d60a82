package handlers

import (
	"maps"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/branding"
	"github.com/portatill/portatill/internal/tenantset"
	"github.com/portatill/portatill/views"
)

// Between a form and the deed the password may be asked for again. What was typed goes along
// in the pages meanwhile, and the person sends it once more with a button: nothing of it is
// stored, and nothing is done before.

// keptMost bounds what is kept of a form, in bytes; the form that carries it on has names
// and encoding besides and must stay below maxForm.
const keptMost = maxForm / 4

// keptForm is the form of a request that was not carried out, without its secrets; a zero
// one when there is nothing to keep.
func keptForm(c echo.Context) views.KeptForm {
	r := c.Request()
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	out := views.KeptForm{Action: r.URL.EscapedPath()}
	switch kind {
	case "application/x-www-form-urlencoded":
		r.Body = http.MaxBytesReader(c.Response(), r.Body, maxForm)
		if r.ParseForm() != nil {
			return views.KeptForm{}
		}
	case "multipart/form-data":
		r.Body = http.MaxBytesReader(c.Response(), r.Body, branding.MaxUpload+512<<10+maxForm)
		if r.ParseMultipartForm(branding.MaxUpload+512<<10+maxForm) != nil {
			return views.KeptForm{}
		}
		defer r.MultipartForm.RemoveAll() //nolint:errcheck // nothing is on the disk: the limits are the same
		out.Lost = len(r.MultipartForm.File) > 0
	default:
		return views.KeptForm{}
	}
	size := 0
	for _, name := range slices.Sorted(maps.Keys(r.PostForm)) {
		for _, value := range r.PostForm[name] {
			size += len(name) + len(value)
			if secretField(name) || name == "logo-data" {
				out.Lost = out.Lost || value != ""
				continue
			}
			if size > keptMost || storable(name) != name || storable(value) != value {
				return views.KeptForm{}
			}
			out.Fields = append(out.Fields, views.HiddenField{Name: name, Value: value})
		}
	}
	return out
}

// secretField reports whether a form's field is a secret: those of tenants by their kind,
// all others by their names.
func secretField(name string) bool {
	if p, ok := tenantset.ByName(name); ok && p.Kind == tenantset.Hidden {
		return true
	}
	return strings.Contains(name, "password") || strings.Contains(name, "secret") || strings.Contains(name, "token") || name == "stripe-key" || name == "code"
}

// keptAgain is the form that came along while the password was asked for. It is no more to
// be trusted than any form of a browser: it leads to a page of ours, and there everything
// is checked as if it had been typed now.
func keptAgain(c echo.Context) views.KeptForm {
	form := c.Request().PostForm
	action := form.Get("kept")
	if at := ownPage(action); action == "" || at != action || at == "/admin" || path.Clean(action) != action { // browsers follow dot segments
		return views.KeptForm{}
	}
	out := views.KeptForm{Action: action, Lost: form.Get("kept-lost") != ""}
	for _, key := range slices.Sorted(maps.Keys(form)) {
		name, ok := strings.CutPrefix(key, "kept.")
		if !ok || secretField(name) {
			continue
		}
		for _, value := range form[key] {
			out.Fields = append(out.Fields, views.HiddenField{Name: name, Value: storable(value)})
		}
	}
	return out
}

// typedFacts shows a person what they are about to send.
func typedFacts(f views.KeptForm) []views.Fact {
	var out []views.Fact
	for _, x := range f.Fields {
		if x.Value != "" && x.Name != "key" { // a refund's own name says nothing to anybody
			out = append(out, views.Fact{Label: sentenceCase(strings.NewReplacer("-", " ", "_", " ").Replace(x.Name)), Text: x.Value})
		}
	}
	return out
}
