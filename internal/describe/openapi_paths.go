package describe

import (
	"strings"

	"github.com/portatill/portatill/internal/wire"
)

// paths are the addresses of wire.md section 1.1 under the names that new portals should use; the old ones, syncreply
// and asynconeway, are answered too but not advertised.
func paths() Ordered[PathItem] {
	one := "/{format}/reply/" + Operation
	many := func(p string) string { return p + "[]" }
	silent := strings.Replace(one, "reply", "oneway", 1)
	return Ordered[PathItem]{
		{Route, PathItem{&Call{OperationID: "charge", Summary: "Take a payment, or list, save, charge and delete saved cards",
			Description: "The body is read as its Content-Type says. The answer is in the format that Accept names, or ?format=, or a suffix of the address such as " +
				Route + ".csv; else in the body's own.",
			Parameters: shared("Idempotency-Key", "format"), RequestBody: everyOperation(), Responses: replies(false, true)}}},
		{"/api/" + Operation, PathItem{&Call{OperationID: "api", Summary: "The same in JSON, as current ServiceStack clients call it",
			Description: "One-way calls of these clients come here too and are answered like any other.",
			Parameters:  shared("Idempotency-Key"), RequestBody: jsonBody(false), Responses: replies(false, false)}}},
		{many("/api/" + Operation), PathItem{&Call{OperationID: "apiBatch", Summary: "Several requests in JSON, one after the other", Description: batchWords,
			Parameters: shared("Idempotency-Key"), RequestBody: jsonBody(true), Responses: replies(true, false)}}},
		{one, PathItem{&Call{OperationID: "reply", Summary: "The same with the format in the address",
			Description: "Body and answer are in the format that the address names, whatever Content-Type and Accept say; forms are read as forms.",
			Parameters:  shared("pathFormat", "Idempotency-Key"), RequestBody: requestBody(false, true), Responses: replies(false, true)}}},
		{silent, PathItem{&Call{OperationID: "oneway", Summary: "The same without an answer",
			Description: "Answered with 204 once the order is durable, or the card is charged, saved or deleted. Errors are reported like any other.",
			Parameters:  shared("pathFormat", "Idempotency-Key"), RequestBody: requestBody(false, true), Responses: silence(false)}}},
		{many(one), PathItem{&Call{OperationID: "replyBatch", Summary: "Several requests, one after the other", Description: batchWords,
			Parameters: shared("pathFormat", "Idempotency-Key"), RequestBody: requestBody(true, false), Responses: replies(true, true)}}},
		{many(silent), PathItem{&Call{OperationID: "onewayBatch", Summary: "Several requests without an answer", Description: batchWords,
			Parameters: shared("pathFormat", "Idempotency-Key"), RequestBody: requestBody(true, false), Responses: silence(true)}}},
	}
}

// everyOperation is a body with an example of each operation.
func everyOperation() Body {
	b := requestBody(false, true)
	b.Content[0].Value.Example, b.Content[0].Value.Examples = nil, operationExamples()
	return b
}

const batchWords = "The first request that fails ends the batch: the answer is its error, the header X-AutoBatch-Completed says how many were done before it, " +
	"nothing is undone and later ones are not run. A batch that would charge cards needs an Idempotency-Key; its requests use key:index."

func parameters() Ordered[Parameter] {
	formats := make([]string, 0, 4)
	for _, f := range Formats() {
		formats = append(formats, f.String())
	}
	return Ordered[Parameter]{
		{"Idempotency-Key", Parameter{Name: "Idempotency-Key", In: "header", Example: "basket-20817",
			Description: "The same key with the same request is the same order, or the same saved card, for good, and the answer says Replayed; with another request it is a 409 " +
				"IdempotencyConflict. Without one a repeated charge is the same for the tenant's duplicate window, ten minutes unless it is set otherwise.",
			Schema: &Schema{Type: "string", MaxLength: 255}}},
		{"format", Parameter{Name: "format", In: "query", Description: "The format of the answer; wins over Accept.", Schema: &Schema{Type: "string", Enum: formats}}},
		{"pathFormat", Parameter{Name: "format", In: "path", Required: true, Description: "The format of the body and of the answer.", Schema: &Schema{Type: "string", Enum: formats}}},
	}
}

func shared(names ...string) []Parameter {
	out := make([]Parameter, len(names))
	for i, name := range names {
		out[i] = Parameter{Ref: "#/components/parameters/" + name}
	}
	return out
}

// mediaType is the Content-Type of a format on the wire, without parameters.
func mediaType(f wire.Format) string {
	name, _, _ := strings.Cut(f.ContentType(), ";")
	return name
}

// bodyFormats begins with what most will use.
var bodyFormats = []wire.Format{wire.JSON, wire.XML, wire.JSV, wire.CSV}

func media(f wire.Format, dto any, schema *Schema) Named[Media] {
	m := Media{Schema: schema}
	if f == wire.JSON {
		m.Example = wire.Encode(f, dto)
	} else {
		// What is not JSON is text to a JSON Schema; the example shows its form.
		m.Schema = &Schema{Type: "string", MediaType: mediaType(f)}
		m.Example, _ = marshal(string(wire.Encode(f, dto)), "") // a string can be marshalled
	}
	return Named[Media]{mediaType(f), m}
}

func jsonBody(batch bool) Body {
	b := requestBody(batch, false)
	b.Content = b.Content[:1]
	return b
}

func requestBody(batch, forms bool) Body {
	b := Body{Required: true}
	request := ExampleRequest()
	schema, dto := reference(Operation), any(request)
	if batch {
		schema, dto = &Schema{Type: "array", Items: schema}, []wire.StripePaymentRequest{*request}
	}
	for _, f := range bodyFormats {
		m := media(f, dto, schema)
		if f == wire.JSON {
			m.Value.Example = exampleJSON(batch)
		}
		b.Content = append(b.Content, m)
	}
	if forms {
		b.Content = append(b.Content, media(wire.Form, dto, nil))
	}
	return b
}

func replies(batch, allFormats bool) Ordered[Response] {
	ok := Response{Description: "Carried out. Status says what became of it, and whether money came; Url, where there is one, is where to send the customer's browser."}
	response := exampleResponse()
	schema, dto := reference("StripePaymentResponse"), any(response)
	if batch {
		ok.Description = "Every request was carried out; the answers are in the order of the requests."
		ok.Headers = batchHeaders
		schema, dto = &Schema{Type: "array", Items: schema}, []wire.StripePaymentResponse{*response}
	}
	for _, f := range bodyFormats {
		if allFormats || f == wire.JSON {
			ok.Content = append(ok.Content, media(f, dto, schema))
		}
	}
	return append(Ordered[Response]{{"200", ok}}, refusals()...)
}

func silence(batch bool) Ordered[Response] {
	done := Response{Description: "Carried out; there is no body."}
	if batch {
		done.Headers = batchHeaders
	}
	return append(Ordered[Response]{{"204", done}}, refusals()...)
}

var batchHeaders = Ordered[Header]{{"X-AutoBatch-Completed", Header{Description: "How many requests were carried out.", Schema: &Schema{Type: "integer"}}}}
