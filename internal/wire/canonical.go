package wire

import (
	"crypto/sha256"
	"encoding/hex"
)

// Canonical is the JSON that shows what was understood: declared names in declared order, nulls left out, the defaults
// of numbers and bools written, decimals with their scale.
func Canonical(v any) []byte { return Encode(JSON, v) }

// Digest identifies a request by what it asks for: the lower-case hexadecimal SHA-256 of a canonical form in which the
// licence and the customer's password do not occur, null, "" and an empty list are the same, and decimals count by
// value. One request has one digest in all formats, including CSV and forms, which cannot tell "" from null.
func Digest(request *StripePaymentRequest) string {
	value, s := source(request)
	w := jsonWriter{b: make([]byte, 0, 1024), digest: true}
	w.value(value, s)
	sum := sha256.Sum256(w.b)
	return hex.EncodeToString(sum[:])
}
