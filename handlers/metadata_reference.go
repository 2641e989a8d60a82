package handlers

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/describe"
	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/views"
)

// showReferencePage is /reference: the OpenAPI document for people.
func (h *Handlers) showReferencePage(c echo.Context) error {
	v := referenceView(describe.OpenAPI(describe.Options{BaseURL: h.Pay.BaseURL, Version: h.Version}))
	v.Frame = h.englishFrame()
	return page(c, http.StatusOK, views.ReferencePage(v))
}

func referenceView(d *describe.Document) views.ReferenceView {
	v := views.ReferenceView{Title: d.Info.Title, Version: d.Info.Version, Summary: d.Info.Summary, Description: d.Info.Description,
		BaseURL: d.Servers[0].URL, Auth: d.Components.SecuritySchemes[0].Value.Description}
	for _, p := range d.Paths {
		v.Calls = append(v.Calls, referenceCall(d, p.Name, p.Value.Post))
	}
	for _, f := range describe.Failures() {
		v.Failures = append(v.Failures, views.ReferenceFailure{Status: f.Status, Words: f.Words, Codes: f.Codes})
	}
	for _, s := range d.Components.Schemas {
		t := views.ReferenceType{ID: s.Name, Name: s.Name, Words: s.Value.Description}
		for _, p := range s.Value.Properties {
			t.Members = append(t.Members, referenceMember(p.Name, p.Value.Description, p.Value))
		}
		v.Types = append(v.Types, t)
	}
	return v
}

func referenceCall(d *describe.Document, path string, call *describe.Call) views.ReferenceCall {
	v := views.ReferenceCall{ID: call.OperationID, Method: http.MethodPost, Path: path, Summary: call.Summary, Description: call.Description}
	for _, p := range call.Parameters {
		p = d.Components.Parameters.Get(afterSlash(p.Ref))
		m := referenceMember(p.Name, p.Description, p.Schema)
		m.Type += ", in the " + p.In
		v.Parameters = append(v.Parameters, m)
	}
	var response describe.Response
	for _, r := range call.Responses {
		if r.Value.Ref != "" {
			continue
		}
		response = r.Value
		m := views.ReferenceMember{Name: r.Name, Type: "no body", Words: r.Value.Description}
		if body := r.Value.Content.Get("application/json").Schema; body != nil {
			m = referenceMember(r.Name, r.Value.Description, body)
		}
		v.Answers = append(v.Answers, m)
	}
	for _, m := range call.RequestBody.Content {
		for _, o := range m.Value.Examples {
			v.Samples = append(v.Samples, views.ReferenceSample{Title: "Request as " + m.Name + ": " + o.Value.Summary, Text: describe.Pretty(o.Value.Value)})
		}
		if len(m.Value.Examples) > 0 {
			continue
		}
		v.Samples = append(v.Samples, views.ReferenceSample{Title: "Request as " + m.Name, Text: sampleText(m)})
	}
	for _, m := range response.Content {
		v.Samples = append(v.Samples, views.ReferenceSample{Title: "Answer as " + m.Name, Text: sampleText(m)})
	}
	return v
}

// referenceMember says a schema in a word or two, with a link to the type it
// is made of.
func referenceMember(name, words string, s *describe.Schema) views.ReferenceMember {
	m := views.ReferenceMember{Name: name, Words: words}
	switch {
	case s.Ref != "":
		m.Link = afterSlash(s.Ref)
		m.Type = m.Link
	case s.Items != nil && s.Items.Ref != "":
		m.Link = afterSlash(s.Items.Ref)
		m.Type = m.Link + "[]"
	case s.Items != nil:
		m.Type = "string[]"
	case s.Additional != nil && s.Additional.Items != nil:
		m.Type = "string → string[]"
	case s.Additional != nil:
		m.Type = "string → string"
	case len(s.Enum) > 0:
		m.Type = strings.Join(s.Enum, " | ")
	case s.Pattern != "":
		m.Type = "decimal"
	default:
		m.Type, _ = s.Type.(string)
	}
	return m
}

func afterSlash(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

// sampleText is an example as it goes over the wire, JSON laid out for reading.
func sampleText(m describe.Named[describe.Media]) string {
	var text string
	if format, _ := wire.FormatOfContentType(m.Name); format != wire.JSON && json.Unmarshal(m.Value.Example, &text) == nil {
		return text
	}
	return describe.Pretty(m.Value.Example)
}
