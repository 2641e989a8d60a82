package describe

import "encoding/json"

// Document is an OpenAPI 3.1 document, as much of one as ours needs
// (https://spec.openapis.org/oas/v3.1.0). JSON writes it; the reference page is made of it.
type Document struct {
	OpenAPI    string                `json:"openapi"`
	Info       Info                  `json:"info"`
	Servers    []Server              `json:"servers"`
	Security   []map[string][]string `json:"security"`
	Paths      Ordered[PathItem]     `json:"paths"`
	Components Components            `json:"components"`
}

// Info names the API.
type Info struct {
	Title       string  `json:"title"`
	Version     string  `json:"version"`
	Summary     string  `json:"summary"`
	Description string  `json:"description"`
	License     License `json:"license"`
}

// License is the licence of the software.
type License struct {
	Name       string `json:"name"`
	Identifier string `json:"identifier"`
}

// Server is where the API is.
type Server struct {
	URL string `json:"url"`
}

// PathItem is an address; all of ours take POST.
type PathItem struct {
	Post *Call `json:"post"`
}

// Call is OpenAPI's Operation Object.
type Call struct {
	OperationID string            `json:"operationId"`
	Summary     string            `json:"summary"`
	Description string            `json:"description"`
	Parameters  []Parameter       `json:"parameters,omitempty"`
	RequestBody Body              `json:"requestBody"`
	Responses   Ordered[Response] `json:"responses"`
}

// Parameter is a parameter of an address, or a header.
type Parameter struct {
	Ref         string  `json:"$ref,omitempty"`
	Name        string  `json:"name,omitempty"`
	In          string  `json:"in,omitempty"`
	Required    bool    `json:"required,omitempty"`
	Description string  `json:"description,omitempty"`
	Schema      *Schema `json:"schema,omitempty"`
	Example     string  `json:"example,omitempty"`
}

// Body is what is sent.
type Body struct {
	Required bool           `json:"required"`
	Content  Ordered[Media] `json:"content"`
}

// Media is a body in one format, with one example or with several.
type Media struct {
	Schema   *Schema          `json:"schema"`
	Example  json.RawMessage  `json:"example,omitempty"`
	Examples Ordered[Example] `json:"examples,omitempty"`
}

// Example is one of several.
type Example struct {
	Summary string          `json:"summary"`
	Value   json.RawMessage `json:"value"`
}

// Response is an answer.
type Response struct {
	Ref         string          `json:"$ref,omitempty"`
	Description string          `json:"description,omitempty"`
	Headers     Ordered[Header] `json:"headers,omitempty"`
	Content     Ordered[Media]  `json:"content,omitempty"`
}

// Header is a header of an answer.
type Header struct {
	Description string  `json:"description"`
	Schema      *Schema `json:"schema"`
}

// Schema is a JSON Schema of draft 2020-12, the dialect of OpenAPI 3.1. Type is a string or a []string.
type Schema struct {
	Ref         string           `json:"$ref,omitempty"`
	Type        any              `json:"type,omitempty"`
	Format      string           `json:"format,omitempty"`
	Description string           `json:"description,omitempty"`
	Enum        []string         `json:"enum,omitempty"`
	Pattern     string           `json:"pattern,omitempty"`
	MaxLength   int              `json:"maxLength,omitempty"`
	MaxItems    int              `json:"maxItems,omitempty"`
	MediaType   string           `json:"contentMediaType,omitempty"`
	Items       *Schema          `json:"items,omitempty"`
	Properties  Ordered[*Schema] `json:"properties,omitempty"`
	Additional  *Schema          `json:"additionalProperties,omitempty"`
	Required    []string         `json:"required,omitempty"`
	XML         *XMLName         `json:"xml,omitempty"`
}

// XMLName is the element of a type in XML.
type XMLName struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}

// Components holds what the calls refer to.
type Components struct {
	SecuritySchemes Ordered[SecurityScheme] `json:"securitySchemes"`
	Parameters      Ordered[Parameter]      `json:"parameters"`
	Responses       Ordered[Response]       `json:"responses"`
	Schemas         Ordered[*Schema]        `json:"schemas"`
}

// SecurityScheme is a way to say who calls.
type SecurityScheme struct {
	Type        string `json:"type"`
	Scheme      string `json:"scheme"`
	Description string `json:"description"`
}

// OpenAPI describes the portals' API.
func OpenAPI(o Options) *Document {
	return &Document{
		OpenAPI: "3.1.0",
		Info: Info{Title: "Portatill", Version: o.Version,
			Summary: "The portals' API: take payments from customers, and keep their cards.",
			Description: "A portal posts a StripePaymentRequest and, where the answer has a Url, sends the customer's browser there. " +
				operationsText() + " " +
				"The same request may be sent in JSON, XML, JSV, CSV or as a form; names of members match in any case (in XML exactly). " +
				"Amounts are decimals with no more decimals than their currency has; send them as text where numbers are binary. " +
				"A body that is not entirely understood is refused with the path of the field at fault.",
			License: License{Name: "Apache License 2.0", Identifier: "Apache-2.0"}},
		Servers:  []Server{{URL: o.BaseURL}},
		Security: []map[string][]string{{"license": {}}, {}},
		Paths:    paths(),
		Components: Components{
			SecuritySchemes: Ordered[SecurityScheme]{{"license", SecurityScheme{Type: "http", Scheme: "bearer",
				Description: "The tenant's licence key, as Authorization: Bearer. It may be in the body's License instead; given in both, both must agree. " +
					"A key in an address is refused. A browser must never see it."}}},
			Parameters: parameters(),
			Responses:  failures(),
			Schemas:    schemas(),
		},
	}
}
