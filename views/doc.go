// Package views draws what a customer sees: the order, the way back from Stripe, the receipt, the
// customer's own cards and payments, the errors and the front page. It turns display text into HTML
// and decides nothing about money: every amount, date and link arrives finished from a handler, in
// the types of data.go.
//
// The pages work without JavaScript and under a content security policy that knows neither inline
// styles nor inline scripts, so a tenant's colour comes as a stylesheet of its own
// (Frame.BrandCSS). Whatever a portal or a customer typed goes through plain and, in running text,
// into a <bdi>: see text.go for why.
//
// The stylesheet is built from build/css/app.css by `npm run build` into static/css/app.css; the
// *_templ.go files are made by `go tool templ generate -path views`. Both are committed.
package views

//go:generate go tool templ generate
