// Package sandbox is Stripe in a box: a stateful double of the part of Stripe's API (version 2023-10-16) that a till
// needs, with the hosted Checkout page, saved cards (also the legacy card_… and src_…), 3-D Secure, bank debits, PayPal
// and Link, refunds, disputes, payouts and signed webhooks.
//
// It stands on the other side of a network: callers reach it over HTTP with an ordinary Stripe client whose base address
// points here, so that what works against it also works against Stripe. It therefore imports nothing of this project and
// must know nothing about it: no orders, no tenants, no shop. What Stripe documents, it does; where it knowingly differs
// the reason stands beside the code ("At Stripe …").
//
// How it is put together. A request is authenticated (auth.go), its form is parsed (form.go) and checked against
// Stripe's own list of parameters (schema.go, params.json), and a handler then works on the objects of one account
// (store.go) under one lock. What changed is written to the journal (journal.go) before the answer leaves. Objects are
// plain JSON maps in Stripe's shape; a key that begins with "_" is the sandbox's own note on an object and is never
// shown. The hosted page (hosted.go), time (clock.go) and the actions of /_sandbox (actions.go) drive the same
// functions as the API does. Events (events.go) are delivered by Run (delivery.go), where the dials lose, double and
// reorder them.
//
// What a person does in Stripe's dashboard, or a bank does, is POST /_sandbox/actions/NAME with a JSON object: refund {id,
// amount, reason, status: pending}, settle_refund {id}, fail_refund {id, reason}, dispute {id, amount, reason, status:
// warning_needs_response for an inquiry} of a payment, dispute {id, outcome: won, lost, warning_closed or needs_response}
// of a dispute, settle_debits {id}, fail_debits {id, reason}, delete_customer {id}, detach {id}, payout {id, status: manual}
// of an account or all, fail_payout {id, reason}, fee {id, amount, currency} by which Stripe charges an account itself,
// foreign_charge {id, amount, currency} by which another integration takes a payment on it, without an intent, resend
// {id}, expire {id}, rename {id, name}. The answer is the object; the console has a button for each.
//
// What moves money has its balance transaction, of Stripe's type and category (balance.go), and an automatic payout
// contains all that came since the last one. Each payment settles in its own currency, until the dial
// settlement_currency names one: from then on everything is converted to it, at invented rates that change a little every
// day (rates.go). What is in the balance already stays as it is.
//
// Known differences from Stripe. Fees are 1.5 % and 20 minor units of the currency of settlement for everything, a
// dispute costs 2000 of them, a conversion nothing. Payouts are made when someone asks for them, and never from a
// negative balance. Webhooks are retried ten times within minutes, not for days. What Stripe calls days (debits) or
// minutes (asynchronous refunds, evidence) are seconds. Test keys need no registration: each is an account. Bank debits
// ask for no mandate, and their disputes can be answered like those of cards; a debit has no balance transaction before
// it has settled. Parameters of parts that are not in the box (Connect, subscriptions, tax, coupons, charges without an
// intent, manual capture …) get a 400 with the code sandbox_unsupported instead of being taken without effect.
// Everything listed is kept for good.
//
// It holds no real secret and takes no live key: a key that could move money gets a 401.
package sandbox
