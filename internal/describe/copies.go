package describe

import "github.com/portatill/portatill/internal/wire"

// Copies are the documents as they are committed under docs/reference, by file name.
func Copies() map[string][]byte {
	o := Options{BaseURL: "https://pay.example.com", Version: "0"}
	out := map[string][]byte{
		"types.ts":   []byte(TypeScript(o, false)),
		"types.d.ts": []byte(TypeScript(o, true)),
		"types.cs":   []byte(CSharp(o)),
	}
	for name, document := range map[string]any{"openapi.json": OpenAPI(o), "metadata.json": MetadataOf(o)} {
		text, err := JSON(document)
		if err != nil {
			panic("describe: a document of ours is not JSON: " + err.Error())
		}
		out[name] = text
	}
	for _, f := range Formats() {
		out["sample."+f.String()] = append(wire.Sample(f, wire.StripePaymentRequest{}), '\n')
	}
	return out
}
