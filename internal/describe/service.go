package describe

import (
	"slices"
	"time"

	"github.com/portatill/portatill/internal/wire"
)

// ServiceName heads the metadata pages. It is the name of the service that portals call today, because its pages are
// what their developers, and tools that read such pages, know.
const ServiceName = "Porta Plus 2 Web Services"

// Operation is the one operation, Route its address of its own; both are those of the original's page.
const (
	Operation = "StripePaymentRequest"
	Route     = "/ChargeStripeCustomerCard"
)

// baseType names the original's base class of requests; its real name is not public, and no format writes it.
const baseType = "RequestBase"

// Options are what differs from one till, or one caller, to the next.
type Options struct {
	BaseURL string    // of the till, without a slash at its end
	Version string    // of the till
	Date    time.Time // when the text is made; zero: not said, for copies that must not change by themselves
	// Namespace puts the TypeScript types into a namespace; empty: into the module itself.
	Namespace string
	// NoComments leaves the descriptions out of typed clients.
	NoComments bool
}

// Formats are the formats in the order of the original's list of operations.
func Formats() []wire.Format { return []wire.Format{wire.XML, wire.JSON, wire.JSV, wire.CSV} }

// SampleType is the Content-Type on the sample pages. For JSV it is not the one of the wire, application/jsv, but the
// one that the original's pages show (wire.md section 5).
func SampleType(format wire.Format) string {
	switch format {
	case wire.JSV:
		return "text/jsv"
	case wire.CSV:
		return "text/csv"
	case wire.XML:
		return "application/xml"
	}
	return "application/json"
}

// Sample is the sample request of a format.
func Sample(format wire.Format) string {
	return string(wire.Sample(format, wire.StripePaymentRequest{}))
}

func requestType() *wire.Type  { return wire.Describe(wire.StripePaymentRequest{}) }
func responseType() *wire.Type { return wire.Describe(wire.StripePaymentResponse{}) }

// typesOf lists the types that a type is made of, each once, those it needs before itself.
func typesOf(roots ...*wire.Type) []*wire.Type {
	var all []*wire.Type
	var add func(t *wire.Type)
	add = func(t *wire.Type) {
		if slices.ContainsFunc(all, func(known *wire.Type) bool { return known.Name == t.Name }) {
			return
		}
		for i := range t.Members {
			if t.Members[i].Type != nil {
				add(t.Members[i].Type)
			}
		}
		all = append(all, t)
	}
	for _, root := range roots {
		add(root)
	}
	return all
}

// split divides a type's members into its own and those of the base class.
func split(t *wire.Type) (own, base []wire.Member) {
	for _, m := range t.Members {
		if m.Base {
			base = append(base, m)
			continue
		}
		own = append(own, m)
	}
	return own, base
}
