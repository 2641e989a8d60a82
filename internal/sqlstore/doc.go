// Package sqlstore is pay.Store on SQLite and on PostgreSQL: one hand-written SQL
// text for both, one migration file each. It holds rows, guards and uniqueness,
// and knows nothing of prices, Stripe or pages; which state may follow which it
// asks pay.
//
// What the text relies on, in both databases: $1 placeholders, ON CONFLICT,
// RETURNING, partial indexes, row by row FOREIGN KEYs of two columns
// (tenant_id, id), so that no row can refer to another tenant's. Ids are TEXT and
// sort by the time they were made; times are microseconds since 1970 UTC in
// columns …_at, NULL for the zero time; amounts are minor units in columns
// …_minor with a currency beside them; lists and small records (cart lines,
// branding, address) are JSON texts that no query looks into.
//
// A tenant's secrets are encrypted before they reach the database (secrets.go).
// Drivers' errors are recognised by number in errors.go and nowhere else.
package sqlstore
