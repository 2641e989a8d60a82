// Package describe writes down what package wire speaks, for the people and tools that speak it with us: clients with
// types (TypeScript, C#, ServiceStack's metadata.json), an OpenAPI document and the sample pages' texts.
//
// All of it is made from the DTOs themselves by wire.Describe, so that a member that is added to a DTO is in every
// document at once; only the sentences about the members stand here, in words.go. Copies of the documents are kept
// under docs/reference, for reading without a running till, and a test holds that they are what the code says.
//
// The package must not know how a request is carried out, and nothing of HTTP beyond the names that documents need.
package describe

//go:generate go run ./copies ../../docs/reference
