package describe

import (
	"strings"

	"github.com/portatill/portatill/internal/wire"
)

// Metadata is the description of ServiceStack's own tools, /types/metadata.json, as far as they need it to generate
// clients (https://docs.servicestack.net/add-servicestack-reference). Marshalled as JSON it has the original's names.
type Metadata struct {
	Config     MetadataConfig
	Namespaces []string
	Types      []MetadataType
	Operations []MetadataOperation
}

// MetadataConfig says where the service is.
type MetadataConfig struct {
	BaseUrl string
	Name    string
	Version string
}

// MetadataOperation is an operation with its types and verbs.
type MetadataOperation struct {
	Request    MetadataType
	Response   *MetadataType
	Actions    []string
	Method     string
	ReturnType MetadataName
}

// MetadataName names a type.
type MetadataName struct {
	Name      string
	Namespace string
}

// MetadataType is a class with its properties.
type MetadataType struct {
	Name        string
	Namespace   string
	Description string          `json:",omitempty"`
	Inherits    *MetadataName   `json:",omitempty"`
	Routes      []MetadataRoute `json:",omitempty"`
	Properties  []MetadataProperty
}

// MetadataRoute is an address of an operation.
type MetadataRoute struct {
	Path  string
	Verbs string
}

// MetadataProperty is a property with its .NET type.
type MetadataProperty struct {
	Name          string
	Type          string
	TypeNamespace string
	GenericArgs   []string `json:",omitempty"`
	IsValueType   bool     `json:",omitempty"`
	Description   string   `json:",omitempty"`
}

// MetadataOf describes the service for ServiceStack's tools.
func MetadataOf(o Options) Metadata {
	request, response := requestType(), responseType()
	_, base := split(request)
	m := Metadata{
		Config:     MetadataConfig{BaseUrl: o.BaseURL, Name: ServiceName, Version: o.Version},
		Namespaces: []string{"System", "System.Collections.Generic", "ServiceStack", dotnetNamespace(request), "PortaPlus2.Common.Models"},
		Types:      []MetadataType{metadataType(&wire.Type{Name: baseType, Namespace: request.Namespace, Members: base})},
	}
	for _, t := range typesOf(response, request) {
		if t.Name != request.Name && t.Name != response.Name {
			m.Types = append(m.Types, metadataType(t))
		}
	}
	own, _ := split(request)
	requestMeta := metadataType(&wire.Type{Name: request.Name, Namespace: request.Namespace, Members: own})
	requestMeta.Inherits = &MetadataName{Name: baseType, Namespace: dotnetNamespace(request)}
	requestMeta.Routes = []MetadataRoute{{Path: Route, Verbs: "POST"}}
	responseMeta := metadataType(response)
	m.Operations = []MetadataOperation{{
		Request: requestMeta, Response: &responseMeta, Actions: []string{"POST"}, Method: "POST",
		ReturnType: MetadataName{Name: response.Name, Namespace: dotnetNamespace(response)},
	}}
	return m
}

func metadataType(t *wire.Type) MetadataType {
	out := MetadataType{Name: t.Name, Namespace: dotnetNamespace(t), Description: aboutTypes[t.Name]}
	for _, m := range t.Members {
		p := MetadataProperty{Name: m.Name, Description: about(t.Name, m.Name)}
		p.Type, p.TypeNamespace, p.GenericArgs = dotnetType(m)
		switch m.Kind {
		case wire.KindBool, wire.KindInt, wire.KindDecimal:
			p.IsValueType = true
		}
		out.Properties = append(out.Properties, p)
	}
	return out
}

// dotnetNamespace is the namespace whose data contract the type has; ServiceStack's own types keep theirs.
func dotnetNamespace(t *wire.Type) string {
	if name, ok := strings.CutPrefix(t.Namespace, contractPrefix); ok {
		return name
	}
	return "ServiceStack"
}

// dotnetType names a member's type as .NET's reflection does: List`1 and its arguments apart.
func dotnetType(m wire.Member) (name, namespace string, args []string) {
	const generic = "System.Collections.Generic"
	switch m.Kind {
	case wire.KindBool:
		return "Boolean", "System", nil
	case wire.KindInt:
		return "Int32", "System", nil
	case wire.KindDecimal:
		return "Decimal", "System", nil
	case wire.KindObject:
		return m.Type.Name, dotnetNamespace(m.Type), nil
	case wire.KindObjects:
		return "List`1", generic, []string{m.Type.Name}
	case wire.KindStrings:
		return "List`1", generic, []string{"String"}
	case wire.KindDictionary:
		return "Dictionary`2", generic, []string{"String", "String[]"}
	case wire.KindMap:
		return "Dictionary`2", generic, []string{"String", "String"}
	}
	return "String", "System", nil
}
