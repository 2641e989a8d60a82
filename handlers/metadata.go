package handlers

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/describe"
	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// developerPaths are the addresses of this file that have no parameter.
var developerPaths = []string{"/metadata", "/types", "/openapi.json", "/reference"}

// foldDeveloperPath folds the case of developers' addresses, which ServiceStack
// ignores, and drops a slash at the end.
func foldDeveloperPath(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		u := c.Request().URL
		path := strings.ToLower(strings.TrimSuffix(u.Path, "/"))
		first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		_, isFormat := wire.ParseFormat(first)
		if slices.Contains(developerPaths, path) || isFormat && rest == "metadata" || first == "types" && rest != "" {
			u.Path, u.RawPath = path, ""
		}
		return next(c)
	}
}

// showOperationsPage is /metadata, the list of operations.
func (h *Handlers) showOperationsPage(c echo.Context) error {
	v := views.OperationsView{Frame: h.englishFrame(), Service: describe.ServiceName, Operation: describe.Operation}
	for _, f := range describe.Formats() {
		v.Formats = append(v.Formats, strings.ToUpper(f.String()))
	}
	return page(c, http.StatusOK, views.OperationsPage(v))
}

// showOperationPage is /{format}/metadata?op=…, the sample of one operation. The
// original refuses an unknown operation with 403 and shows nothing for one in
// another case; here it is 404, and case does not matter (wire.md section 5).
func (h *Handlers) showOperationPage(c echo.Context) error {
	format, ok := wire.ParseFormat(c.Param("format"))
	if !ok || format == wire.Form {
		return echo.ErrNotFound
	}
	op := queryValue(c, "op")
	if op == "" {
		return h.showOperationsPage(c)
	}
	if !strings.EqualFold(op, describe.Operation) {
		return echo.ErrNotFound
	}
	v := views.OperationView{
		Frame: h.englishFrame(), Service: describe.ServiceName, Operation: describe.Operation, Route: describe.Route,
		Format: format.String(), Label: strings.ToUpper(format.String()), MediaType: describe.SampleType(format), Sample: describe.Sample(format),
	}
	if base, err := url.Parse(h.Pay.BaseURL); err == nil {
		v.Host = base.Host
	}
	return page(c, http.StatusOK, views.OperationPage(v))
}

// typeLink is an entry of the map of links.
type typeLink = describe.Named[string]

// showTypeLinks is /types: where the typed clients are.
func (h *Handlers) showTypeLinks(c echo.Context) error {
	base := h.Pay.BaseURL
	return answerDocument(c, describe.Ordered[string]{
		typeLink{Name: "typescript", Value: base + "/types/typescript"},
		typeLink{Name: "typescript.d", Value: base + "/types/typescript.d"},
		typeLink{Name: "csharp", Value: base + "/types/csharp"},
		typeLink{Name: "metadata", Value: base + "/types/metadata.json"},
		typeLink{Name: "openapi", Value: base + "/openapi.json"},
	})
}

// showTypes is /types/{language}. ServiceStack's tools send the options of the
// file's first comment back as parameters, among them some that only other
// versions know; those are ignored, as there.
func (h *Handlers) showTypes(c echo.Context) error {
	o, err := h.describeOptions(c)
	if err != nil {
		return err
	}
	switch c.Param("language") {
	case "typescript":
		return c.String(http.StatusOK, describe.TypeScript(o, false))
	case "typescript.d":
		return c.String(http.StatusOK, describe.TypeScript(o, true))
	case "csharp":
		return c.String(http.StatusOK, describe.CSharp(o))
	case "metadata.json":
		return answerDocument(c, describe.MetadataOf(o))
	}
	return echo.ErrNotFound
}

// aNamespace is what may become a namespace of generated source, and nothing that
// could end one.
var aNamespace = regexp.MustCompile(`^[A-Za-z_$][\w$]{0,63}(\.[A-Za-z_$][\w$]{0,63}){0,7}$`)

func (h *Handlers) describeOptions(c echo.Context) (describe.Options, error) {
	o := describe.Options{BaseURL: h.Pay.BaseURL, Version: h.Version, Date: h.Pay.Now(), Namespace: queryValue(c, "GlobalNamespace"),
		NoComments: strings.EqualFold(queryValue(c, "AddDescriptionAsComments"), "false")}
	if o.Namespace != "" && !aNamespace.MatchString(o.Namespace) {
		c.Set(answerFormatKey, wire.JSON)
		return o, pay.Errorf("RequestBindingException", "GlobalNamespace", "GlobalNamespace must be names of letters, digits and _ joined by dots, such as Shop.Till.")
	}
	return o, nil
}

// showOpenAPI is /openapi.json.
func (h *Handlers) showOpenAPI(c echo.Context) error {
	return answerDocument(c, describe.OpenAPI(describe.Options{BaseURL: h.Pay.BaseURL, Version: h.Version}))
}

func answerDocument(c echo.Context, document any) error {
	text, err := describe.JSON(document)
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, wire.JSON.ContentType(), text)
}
