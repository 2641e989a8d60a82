// Package stripegate is pay.Gateway on stripe-go: it turns what the till wants of Stripe into calls, and Stripe's
// answers and failures into the till's own words. Apart from the webhooks' signature check and the sandbox it is the
// only place that knows Stripe's SDK.
//
// It holds no state but connections. Every call uses the key of the tenant it is for (never the SDK's global one), the
// API version that the SDK pins (2023-10-16), one shared pool of connections and one deadline for the call with its
// retries. Whatever changes something carries the caller's idempotency key, so that the SDK's own retries, and ours
// after a crash, meet the same object (https://stripe.com/docs/api/idempotent_requests).
//
// It decides nothing about orders and books nothing: it must not know the database, HTTP handlers or what an amount is
// for. Three checks are made here all the same, because later is too late: a Checkout session whose sum is not the
// order's is withdrawn before anyone sees its address, a charge of a saved card whose amount or marks are not the
// attempt's is cancelled before it is given out, and a live key never goes to an address that is not Stripe's.
//
// Answers are read with distrust (nulls, ids where objects were asked for, values this release has never heard of, half
// a body): what cannot be read is a pay.FaultUnavailable, never a panic and never a fact made of zeros. Error texts are
// cleaned of keys and personal data, of which Stripe's messages quote parts.
package stripegate
