package describe

import (
	"strings"

	"github.com/portatill/portatill/internal/wire"
)

const contractPrefix = "http://schemas.datacontract.org/2004/07/"

// CSharp is the typed client for .NET. The namespaces are those of the original's data contracts and the base class is
// one of its own, so that an XmlServiceClient writes and reads the XML of wire.md section 2.5 without attributes
// (https://learn.microsoft.com/dotnet/framework/wcf/feature-details/data-contract-names). ResponseStatus is
// ServiceStack's own class.
func CSharp(o Options) string {
	w := new(writer)
	w.header(o, o.commentOption())
	for _, name := range []string{"System", "System.Collections.Generic", "ServiceStack", "PortaPlus2.Common.Models", "PortaPlus2.API.Web.Dto"} {
		w.line("using %s;", name)
	}
	request := requestType()
	_, base := split(request)
	all := append([]*wire.Type{{Name: baseType, Namespace: request.Namespace, Members: base}}, typesOf(responseType(), request)...)
	for _, namespace := range []string{"PortaPlus2.Common.Models", "PortaPlus2.API.Web.Dto"} {
		w.line("")
		w.line("namespace %s", namespace)
		w.open("{")
		first := true
		for _, t := range all {
			if t.Namespace != contractPrefix+namespace {
				continue
			}
			if !first {
				w.line("")
			}
			first = false
			w.class(o, t)
		}
		w.close("}")
	}
	return w.String()
}

func (w *writer) class(o Options, t *wire.Type) {
	w.xmldoc(o, aboutTypes[t.Name])
	own, _ := split(t)
	switch t.Name {
	case Operation:
		w.line(`[Route(%q, "POST")]`, Route)
		w.line("public partial class %s : %s, IReturn<StripePaymentResponse>", t.Name, baseType)
	case "StripePaymentResponse":
		w.line("public partial class %s : IHasResponseStatus", t.Name)
	default:
		w.line("public partial class %s", t.Name)
	}
	if t.Name == baseType {
		own = t.Members
	}
	w.open("{")
	for _, m := range own {
		w.xmldoc(o, about(t.Name, m.Name))
		w.line("public virtual %s %s { get; set; }", csharpType(m), m.Name)
	}
	w.close("}")
}

func (w *writer) xmldoc(o Options, words string) {
	if words == "" || o.NoComments {
		return
	}
	w.line("/// <summary>%s</summary>", strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(words))
}

func csharpType(m wire.Member) string {
	switch m.Kind {
	case wire.KindBool:
		return "bool"
	case wire.KindInt:
		return "int"
	case wire.KindDecimal:
		return "decimal"
	case wire.KindObject:
		return m.Type.Name
	case wire.KindObjects:
		return "List<" + m.Type.Name + ">"
	case wire.KindStrings:
		return "List<string>"
	case wire.KindDictionary:
		return "Dictionary<string, string[]>"
	case wire.KindMap:
		return "Dictionary<string, string>"
	}
	return "string"
}
