// Package sim is the simulator: one seed plans a few dozen steps of portals,
// customers' browsers, banks, Stripe's dashboard, the mail between Stripe and us,
// staff and the clock, and the faults that befall each of them; the real handlers,
// rules, gate, webhook receiver and SQLite carry them out against the sandbox, in
// one process, without a network and without real time. Then the faults stop,
// everything comes to rest, and the books are proved (safety.md section 2).
//
// A seed always gives the same schedule and the same result: nothing in it depends
// on time, on random ids or on the order in which goroutines run. There is
// concurrency all the same, where it matters: while one step waits for Stripe,
// another may run from beginning to end.
//
// The package has tests only. It drives and looks; it must not know a rule of the
// money, but for what safety.md says must always hold. docs/simulator.md tells how
// to run it.
package sim
