// Package wire speaks the ServiceStack protocol of StripePaymentRequest: it turns bodies of five formats (JSON, JSV,
// CSV, XML and forms) into Go values and back, and writes errors the way ServiceStack's clients expect to read them.
//
// One description of a type drives all of it. The DTOs in request.go and response.go are plain structs with tags;
// shape.go reads a struct once by reflection and keeps the plan, and each format walks that plan. A new DTO therefore
// gets five formats, a digest and a place on the metadata pages by being declared.
//
// The readers are stricter than ServiceStack's own, which turn a bad amount into 0 and accept a body that was cut off:
// a payment request that is not entirely understood is refused with an Error that names the field. They read each byte
// a bounded number of times, never recurse deeper than 32 levels, and account for what they allocate, so that no body
// can cost more than a small multiple of its size.
//
// The package must not know what a request means: prices, tenants, routes and HTTP are other people's business. It
// imports the standard library only.
package wire
