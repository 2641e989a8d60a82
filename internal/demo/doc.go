// Package demo fills a sandbox installation with months of plausible life, so that whoever looks at Portatill for the
// first time sees it as it is in use: three resellers, their customers, what those bought, and all that goes wrong with
// money now and then.
//
// Nothing is written past the product. Portals post their requests to the till over HTTP, customers press its buttons and
// fill in the double's pages, the double sends signed webhooks, jobs settle, sweeps sweep, staff act through pay.Service;
// only time is ours: a Clock that the till and the double share runs through the months in minutes. What happens is drawn
// from a seed, so that the same seed tells the same story; ids are random all the same.
//
// The package must not know a rule of the money, and reaches the installation by what Options hand it. The wiring, which
// refuses every database but a new one, is in cmd/portatill.
package demo
