// Package pay is the money: the types and rules by which a portal's request
// becomes an order, an order becomes a payment, and a payment becomes ledger
// entries, a posting for PortaBilling and a notice for the portal. It imports
// the standard library only and knows nothing of HTTP, SQL or Stripe's SDK;
// those plug into the interfaces of service.go.
//
// # How money flows
//
//	request ── OpenCheckout ──► order (draft) ── Stripe session ──► order (open)
//	customer pays on Stripe's page
//	webhook · return page · sweep · staff ── Settle ──► payment + ledger + posting + delivery
//	charge of a saved card ── ChargeCard ──► order + intent ── Settle ──► the same
//	refund asked for ── Refund ──► request + Stripe's refund ── Settle ──► ledger + posting + delivery
//
// Settle is the only code that moves an order because of money. It asks Stripe
// for the object, compares it with what was bound before the redirect, and in
// one transaction makes the guarded state change and everything that follows
// from it. Webhooks are hints: a lost, late, doubled or reordered one costs
// nothing.
//
// # States
//
//	order     draft → open → paid
//	          open  → processing → paid | failed     (bank debits settle days later)
//	          open  → expired | cancelled            (a new attempt may reopen it: expired → open)
//	          any   → mismatch                       (Stripe's facts disagree: a person must look)
//	attempt   created → open → processing → succeeded | failed
//	          open → expired;  created → failed;  any → overpaid | mismatch
//	posting   pending → sending → posted, … (see PostingState)
//
// # Money
//
// Every amount is a Money: an int64 count of the currency's minor units, as
// Stripe counts them, with its currency. There is no floating point anywhere in
// this package.
package pay
