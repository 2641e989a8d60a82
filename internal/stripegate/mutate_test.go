package stripegate

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/portatill/portatill/pay"
)

// strange values stand where Stripe's documentation promises others. They are texts,
// decoded anew for each draw: a shared map could be changed to hold itself.
var strange = []string{`null`, `true`, `false`, `""`, `"x"`, `"a_new_value"`, `"pi_1"`, `-1`, `0`, `1e30`, `9223372036854775807`, `99999999999999999999`,
	`[]`, `[null]`, `[{}]`, `["re_1"]`, `{}`, `{"id":null}`, `{"id":""}`, `{"id":"x","object":"y"}`, `{"object":"list"}`,
	`{"object":"list","data":null,"has_more":true}`}

func drawStrange(rt *rapid.T) any {
	decoder := json.NewDecoder(strings.NewReader(rapid.SampledFrom(strange).Draw(rt, "value")))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		rt.Fatal(err)
	}
	return v
}

// disturb replaces, or removes, something at a random depth of a decoded JSON value.
func disturb(rt *rapid.T, v any) any {
	if rapid.IntRange(0, 3).Draw(rt, "stop") == 0 {
		return drawStrange(rt)
	}
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			break
		}
		key := rapid.SampledFrom(slices.Sorted(maps.Keys(v))).Draw(rt, "key")
		if rapid.IntRange(0, 9).Draw(rt, "remove") == 0 {
			delete(v, key)
			return v
		}
		v[key] = disturb(rt, v[key])
		return v
	case []any:
		if len(v) == 0 {
			break
		}
		i := rapid.IntRange(0, len(v)-1).Draw(rt, "index")
		v[i] = disturb(rt, v[i])
		return v
	}
	return drawStrange(rt)
}

// disturbed is text with one to four changes below its top level.
func disturbed(rt *rapid.T, text string) string {
	var o map[string]any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&o); err != nil {
		rt.Fatal(err)
	}
	// The interesting branches are deep; a walk from the top would seldom get there.
	roots := []map[string]any{o}
	for at := o; ; {
		next, ok := at["payment_intent"].(map[string]any)
		if !ok {
			if next, ok = at["latest_charge"].(map[string]any); !ok {
				break
			}
		}
		roots, at = append(roots, next), next
	}
	for range rapid.IntRange(1, 4).Draw(rt, "changes") {
		root := rapid.SampledFrom(roots).Draw(rt, "root")
		key := rapid.SampledFrom(slices.Sorted(maps.Keys(root))).Draw(rt, "root key")
		root[key] = disturb(rt, root[key])
		if len(root) == 0 {
			break
		}
	}
	out, err := json.Marshal(o)
	if err != nil {
		rt.Fatal(err)
	}
	return string(out)
}

func TestNoAnswerMakesTheGatePanic(t *testing.T) {
	t.Parallel()
	in := paymentInput(t)
	open := openSession(t, nil)
	rapid.Check(t, func(rt *rapid.T) {
		session := disturbed(rt, rapid.SampledFrom([]string{sessionPaid, open}).Draw(rt, "answer"))
		other := disturbed(rt, part(t, "payment_intent"))
		d := &double{answer: func(r request) (int, string) {
			if strings.HasPrefix(r.Path, "/v1/checkout/sessions") {
				return 200, session
			}
			return 200, other
		}}
		readEverything(rt, t, gateTo(t, d), in)
	})
}

func TestHalfAnAnswerIsNeverAFact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := strings.TrimSpace(sessionPaid)
		text = text[:rapid.IntRange(0, len(text)-1).Draw(rt, "length")]
		_, err := gateTo(t, always(200, text)).Session(t.Context(), testTenant(), paidSession)
		f, ok := errors.AsType[*pay.StripeFault](err)
		if !ok || f.Kind != pay.FaultUnavailable {
			rt.Fatalf("%d characters gave %v, want unavailable", len(text), err)
		}
	})
}

// readEverything makes every call and checks what holds for any answer whatever.
func readEverything(rt interface{ Fatalf(string, ...any) }, t testing.TB, g *Gate, in pay.SessionInput) {
	ctx, tenant := t.Context(), testTenant()
	checked := func(what string, whole bool, err error) {
		if _, ok := errors.AsType[*pay.StripeFault](err); err != nil && !ok {
			rt.Fatalf("%s: error %T is no StripeFault: %v", what, err, err)
		}
		if err == nil && !whole {
			rt.Fatalf("%s: neither an object nor an error", what)
		}
	}
	s, err := g.Session(ctx, tenant, paidSession)
	checked("Session", s != nil && s.ID == paidSession, err)
	s, err = g.ExpireSession(ctx, tenant, paidSession, "k")
	checked("ExpireSession", s != nil && s.ID == paidSession, err)
	i, err := g.Intent(ctx, tenant, paidIntent)
	checked("Intent", i != nil && i.ID == paidIntent, err)
	s, err = g.CreateSession(ctx, tenant, in, "k")
	checked("CreateSession", s != nil && s.ID != "", err)
	if err == nil && (s.AmountTotal != in.Order.Cart.Total() || s.ClientReferenceID != in.Order.ID || s.Livemode || s.Mode != "payment") {
		rt.Fatalf("a session was given out that is not the order's: %+v", s)
	}
	for _, id := range []string{paidCharge, "re_3OLD", "dp_1"} {
		_, err = g.IntentOf(ctx, tenant, id)
		checked("IntentOf", true, err)
	}
	_, err = g.SessionOf(ctx, tenant, paidIntent)
	checked("SessionOf", true, err)
	cu, err := g.Customer(ctx, tenant, "cus_1")
	checked("Customer", cu != nil && cu.ID == "cus_1", err)
	id, err := g.CreateCustomer(ctx, tenant, testCustomer(), "k")
	checked("CreateCustomer", id != "", err)
	a, err := g.Account(ctx, tenant)
	checked("Account", a.ID != "", err)
	_, _, err = g.EnsureWebhookEndpoint(ctx, tenant, "https://till.example/w")
	checked("EnsureWebhookEndpoint", true, err)
	_, err = g.DeleteWebhookEndpoint(ctx, tenant, "https://till.example/w")
	checked("DeleteWebhookEndpoint", true, err)
}

func FuzzAnyAnswerIsReadWithoutPanic(f *testing.F) {
	for _, text := range []string{sessionPaid, "null", "{}", `{"error":{}}`, `{"object":"list","data":[null],"has_more":true}`,
		`{"object":"list","data":["re_1"]}`, `{"id":"` + paidIntent + `","object":"payment_intent","latest_charge":{"id":"ch_1","object":"charge"}}`,
		`{"id":"` + paidSession + `","object":"checkout.session","payment_intent":{}}`, `{"id":"we_1","object":"webhook_endpoint","url":"https://till.example/w"}`} {
		for _, status := range []int{200, 400, 402} {
			f.Add(text, status)
		}
	}
	in := paymentInput(f)
	f.Fuzz(func(t *testing.T, text string, status int) {
		if status < 200 || status > 599 {
			t.Skip("no final status of HTTP")
		}
		readEverything(t, t, gateTo(t, always(status, text)), in)
	})
}
