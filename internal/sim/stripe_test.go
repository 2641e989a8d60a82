package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/portatill/portatill/internal/sandbox"
	"github.com/portatill/portatill/internal/stripegate"
)

// letter is one event on its way from Stripe to us.
type letter struct {
	n     int
	t     *tenant
	id    string
	kind  string
	body  []byte
	after time.Time // it does not arrive before
	copy  bool
}

// collect takes from Stripe's outbox what is new, and decides each event's fate by
// its number; and the jobs that were committed.
func (w *world) collect() {
	for _, t := range w.tenants {
		for _, l := range w.newEvents(t) {
			l.n = len(w.sent)
			w.sent = append(w.sent, l)
			w.post1(l)
		}
	}
	w.collectJobs()
}

// post1 puts an event into the mail, or loses it.
func (w *world) post1(l *letter) {
	o, dice := w.options, (l.n*7919+len(l.kind)*31)%100
	if w.resting && o.Lose < 100 { // webhooks that are off stay off: the sweep alone has to find out
		w.mail = append(w.mail, l)
		return
	}
	if dice < o.Lose {
		w.reach("mail: lost")
		return
	}
	if (l.n*104729+13)%100 < o.Late {
		l.after = w.clock.stripe().Add(hours(l.n * 31))
	}
	w.mail = append(w.mail, l)
	if (l.n*15485863+7)%100 < o.Repeat {
		again := *l
		again.copy, again.after = true, w.clock.stripe().Add(hours(l.n*17))
		w.mail = append(w.mail, &again)
	}
}

// newEvents lists what Stripe has for a tenant's endpoint since the last time,
// oldest first.
func (w *world) newEvents(t *tenant) []*letter {
	var out []*letter
	for {
		address := stripeURL + "/v1/events?limit=100"
		if t.lastEvent != "" {
			address += "&ending_before=" + t.lastEvent
		}
		var page struct {
			Data []json.RawMessage `json:"data"`
		}
		w.read(t, address, &page)
		for _, raw := range slices.Backward(page.Data) {
			var e struct{ ID, Type string }
			w.must(json.Unmarshal(raw, &e), "read an event")
			t.lastEvent = e.ID
			if slices.Contains(stripegate.WebhookEvents, e.Type) {
				out = append(out, &letter{t: t, id: e.ID, kind: e.Type, body: raw})
			}
		}
		if len(page.Data) < 100 {
			return out
		}
	}
}

// read asks Stripe as the tenant, past the gate.
func (w *world) read(t *tenant, address string, into any) {
	rec := w.stripe(http.MethodGet, address, t.row.StripeKey.Reveal(), "", nil)
	if rec.Code != http.StatusOK {
		w.must(fmt.Errorf("%d %s", rec.Code, rec.Body), "ask Stripe for "+shape(address))
	}
	w.must(json.Unmarshal(rec.Body.Bytes(), into), "read Stripe's answer to "+shape(address))
}

// deliverSome delivers a few letters that have arrived.
func (w *world) deliverSome(s step) {
	for i := range 1 + s.b%4 {
		now := w.clock.stripe()
		var here []int
		for k, l := range w.mail {
			if !l.after.After(now) {
				here = append(here, k)
			}
		}
		if len(here) == 0 {
			return
		}
		k := 0
		if w.options.Shuffle {
			k = (s.a + i*(1+s.c)) % len(here)
		}
		w.deliver(w.mail[here[k]])
	}
}

// deliver is one delivery: what is not answered 200 comes again.
func (w *world) deliver(l *letter) {
	r := httptest.NewRequest(http.MethodPost, tillURL+"/webhooks/stripe/"+l.t.row.Slug, strings.NewReader(string(l.body)))
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("Stripe-Signature", sandbox.Signature(l.body, l.t.row.StripeWebhookSecrets[0].Reveal(), w.clock.stripe()))
	rec := w.visit(r, l.t, nil)
	w.reach(fmt.Sprintf("mail: %d", rec.Code))
	w.say("mail: event %d %s: %d", l.n, l.kind, rec.Code)
	skewed := w.clock.off().Abs() > 290*time.Second
	switch {
	case rec.Code == http.StatusOK:
		w.acked[l.id] = l
		if at := slices.Index(w.mail, l); at >= 0 {
			w.mail = slices.Delete(w.mail, at, at+1)
		}
	case rec.Code == http.StatusServiceUnavailable && w.fault.kind != "":
	case rec.Code == http.StatusBadRequest && skewed:
	default:
		w.fail("event %d %s was answered %d %s", l.n, l.kind, rec.Code, oneLine(rec.Body.String()))
	}
}

// forge posts an event that Stripe never sent, or one of another tenant's.
func (w *world) forge(s step) {
	if len(w.sent) == 0 {
		return
	}
	l := w.sent[s.a%len(w.sent)]
	other := w.tenants[(l.t.n+s.b)%len(w.tenants)]
	secret, when := other.row.StripeWebhookSecrets[0].Reveal(), w.clock.stripe()
	switch s.c % 4 {
	case 0:
		secret = "whsec_"
	case 1:
		secret = "whsec_forged"
	case 2:
		when = when.Add(-24 * time.Hour)
	case 3:
		when = when.Add(24 * time.Hour)
	}
	r := httptest.NewRequest(http.MethodPost, tillURL+"/webhooks/stripe/"+other.row.Slug, strings.NewReader(string(l.body)))
	r.Header.Set("Stripe-Signature", sandbox.Signature(l.body, secret, when))
	rec := w.visit(r, other, nil)
	w.reach("forger")
	w.say("forger: event %d to tenant %d: %d", l.n, other.n, rec.Code)
	// A clock that is wrong by a day may believe a signature of that day.
	if rec.Code < 300 && w.clock.off().Abs() < time.Hour {
		w.fail("a forged event was answered %d", rec.Code)
	}
}

// act1 presses a button of Stripe's dashboard, or does what a bank does.
func (w *world) act1(name string, body map[string]any) (int, string) {
	text, err := json.Marshal(body)
	w.must(err, "write an action")
	rec := w.stripe(http.MethodPost, stripeURL+"/_sandbox/actions/"+name, "", "application/json", text)
	return rec.Code, rec.Body.String()
}

// objects lists what a tenant has of a kind at Stripe, newest first.
func (w *world) objects(t *tenant, path string) []map[string]any {
	var all []map[string]any
	for after := ""; ; {
		var page struct {
			Data    []map[string]any `json:"data"`
			HasMore bool             `json:"has_more"`
		}
		w.read(t, stripeURL+path+"?limit=100"+after, &page)
		all = append(all, page.Data...)
		if !page.HasMore {
			return all
		}
		after = "&starting_after=" + text(page.Data[len(page.Data)-1], "id")
	}
}

func text(o map[string]any, key string) string { s, _ := o[key].(string); return s }

// number reads a whole number of JSON's.
func number(o map[string]any, key string) int64 { f, _ := o[key].(float64); return int64(f) }

// choose picks one of a tenant's objects, "" when it has none that fits.
func (w *world) choose(s step, path string, fits func(o map[string]any) bool) (*tenant, map[string]any) {
	t := w.tenants[s.a%len(w.tenants)]
	list := slices.DeleteFunc(w.objects(t, path), func(o map[string]any) bool { return !fits(o) })
	if len(list) == 0 {
		return t, nil
	}
	return t, list[s.b%len(list)]
}

// atStripe is what people do in Stripe's dashboard, and banks.
func (w *world) atStripe(what string, s step) {
	paid := func(o map[string]any) bool { return text(o, "status") == "succeeded" }
	name, path, fits, body := what, "/v1/payment_intents", paid, map[string]any{}
	switch what {
	case "refund":
		if s.c%2 == 0 {
			body["amount"] = int64(1 + s.c%50*10)
		}
	case "dispute":
		if s.c%3 == 0 {
			body["amount"] = int64(100 + s.c%50*10)
		}
	case "verdict":
		name, path = "dispute", "/v1/disputes"
		fits = func(o map[string]any) bool {
			return !slices.Contains([]string{"won", "warning_closed"}, text(o, "status")) // a lost one may be won yet
		}
		body["status"] = []string{"won", "lost"}[s.c%2]
	case "expire":
		path, fits = "/v1/checkout/sessions", func(o map[string]any) bool { return text(o, "status") == "open" }
	case "settle", "fail":
		name, fits = what+"_debits", func(o map[string]any) bool { return text(o, "status") == "processing" }
	case "fail_payout":
		path, fits = "/v1/payouts", func(o map[string]any) bool { return text(o, "status") != "failed" }
	case "payout", "fee", "foreign_charge":
		t := w.tenants[s.a%len(w.tenants)]
		body["id"] = t.row.StripeAccount
		if what != "payout" {
			body["amount"], body["currency"] = int64(500+s.b%5000), []string{"gbp", "eur"}[s.c%2]
		}
		w.pressed(what, t, body)
		return
	case "convert":
		body, err := json.Marshal(map[string]any{"settlement_currency": []string{"", "usd", "eur"}[s.a%3]})
		w.must(err, "write a dial")
		rec := w.stripe(http.MethodPost, stripeURL+"/_sandbox/dials", "", "application/json", body)
		w.say("at Stripe: settlement in %q: %d", []string{"", "usd", "eur"}[s.a%3], rec.Code)
		return
	case "stranger":
		w.stranger(s)
		return
	case "forget":
		w.forget(s)
		return
	}
	t, o := w.choose(s, path, fits)
	if o == nil {
		return
	}
	body["id"] = o["id"]
	w.pressed(name, t, body)
}

// pressed is a button of the dashboard's, with what came of it.
func (w *world) pressed(name string, t *tenant, body map[string]any) {
	status, answer := w.act1(name, body)
	w.reach(fmt.Sprintf("at Stripe: %s: %d", name, status))
	w.say("at Stripe: %s of tenant %d: %d %s", name, t.n, status, w.refusal(status, answer))
}

func (w *world) refusal(status int, answer string) string {
	if status == http.StatusOK {
		return ""
	}
	return w.plain(oneLine(answer))
}

// stranger takes money in the tenant's account without the till, as another
// integration does.
func (w *world) stranger(s step) {
	t := w.tenants[s.a%len(w.tenants)]
	form := url.Values{"amount": {fmt.Sprint(500 + s.b%1000)}, "currency": {"gbp"}, "payment_method": {"pm_card_visa"}, "confirm": {"true"},
		"payment_method_types[]": {"card"}, "description": {"stranger"}}
	rec := w.stripe(http.MethodPost, stripeURL+"/v1/payment_intents", t.row.StripeKey.Reveal(), "application/x-www-form-urlencoded", []byte(form.Encode()))
	w.say("at Stripe: somebody else takes %s of tenant %d's customer: %d", form.Get("amount"), t.n, rec.Code)
}

// forget deletes a customer at Stripe.
func (w *world) forget(s step) {
	t, o := w.choose(s, "/v1/customers", func(map[string]any) bool { return true })
	if o == nil {
		return
	}
	rec := w.stripe(http.MethodDelete, stripeURL+"/v1/customers/"+text(o, "id"), t.row.StripeKey.Reveal(), "", nil)
	w.say("at Stripe: a customer of tenant %d is deleted: %d", t.n, rec.Code)
}
