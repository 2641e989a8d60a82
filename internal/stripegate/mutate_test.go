package stripegate

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

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
	if data, ok := o["data"].([]any); ok {
		roots = append(roots, data[0].(map[string]any))
	}
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
	setup := openSession(t, func(o map[string]any) {
		o["setup_intent"] = map[string]any{"id": "seti_1", "object": "setup_intent", "status": "succeeded", "payment_method": "pm_1", "last_setup_error": map[string]any{"code": "x"}}
	})
	rapid.Check(t, func(rt *rapid.T) {
		session := disturbed(rt, rapid.SampledFrom([]string{sessionPaid, open, setup}).Draw(rt, "answer"))
		other := disturbed(rt, part(t, "payment_intent"))
		saved := method(aCard, customerObject, 1711000000)
		dispute := `{"id":"dp_1","object":"dispute","amount":1440,"currency":"gbp","status":"lost","evidence_details":{"due_by":1},"balance_transactions":[` +
			part(t, "payment_intent", "latest_charge", "balance_transaction") + `]}`
		answers := map[string]string{}
		for kind, text := range map[string]string{"method": saved, "methods": listOf(false, saved), "disputes": listOf(false, dispute), "refund": refundObject("re_1", "rfr_01", ""),
			"lines": listOf(false, lineText(t, nil)), "payouts": listOf(false, onePayout),
			"setup": `{"id":"seti_1","object":"setup_intent","status":"succeeded","payment_method":"pm_1"}`} {
			if answers[kind] = text; rapid.Bool().Draw(rt, "disturb "+kind) {
				answers[kind] = disturbed(rt, text)
			}
		}
		d := &double{answer: func(r request) (int, string) {
			switch {
			case strings.HasPrefix(r.Path, "/v1/checkout/sessions"):
				return 200, session
			case strings.HasSuffix(r.Path, "/payment_methods") && r.Method == "GET":
				return 200, answers["methods"]
			case strings.Contains(r.Path, "/payment_methods"):
				return 200, answers["method"]
			case r.Path == "/v1/balance_transactions":
				return 200, answers["lines"]
			case r.Path == "/v1/payouts":
				return 200, answers["payouts"]
			case r.Path == "/v1/disputes":
				return 200, answers["disputes"]
			case r.Path == "/v1/refunds" && r.Method == "POST":
				return 200, answers["refund"]
			case strings.HasPrefix(r.Path, "/v1/setup_intents"):
				return 200, answers["setup"]
			}
			return 200, other
		}}
		readEverything(rt, t, gateTo(t, d), in)
	})
}

func TestWhatIsNotTheObjectAskedForIsUnreadable(t *testing.T) {
	t.Parallel()
	ctx, tenant, in := t.Context(), testTenant(), chargeInput(t)
	cards := func(g *Gate) error { _, err := g.Cards(ctx, tenant, aCustomer); return err }
	card := func(g *Gate) error { _, err := g.Card(ctx, tenant, aCustomer, aCard); return err }
	save := func(token string) func(g *Gate) error {
		return func(g *Gate) error {
			_, err := g.SaveCard(ctx, tenant, pay.CardToken{Token: token, StripeCustomer: aCustomer}, "k")
			return err
		}
	}
	for name, call := range map[string]func(g *Gate) error{
		"Cards": cards, "Card": card, "SaveCardOfAToken": save("tok_1"), "SaveCardOfAMethod": save(aCard), "SaveCardOfASource": save("src_1"),
		"LabelCard":    func(g *Gate) error { return g.LabelCard(ctx, tenant, aCard, "Home", "k") },
		"DeleteCard":   func(g *Gate) error { return g.DeleteCard(ctx, tenant, aCustomer, aCard, "k") },
		"ChargeCard":   func(g *Gate) error { _, err := g.ChargeCard(ctx, tenant, in, "k"); return err },
		"CancelIntent": func(g *Gate) error { _, err := g.CancelIntent(ctx, tenant, paidIntent, "k"); return err },
		"IntentMade": func(g *Gate) error {
			_, err := g.IntentMade(ctx, tenant, aCustomer, &pay.Attempt{ID: "att_01", CreatedAt: time.Unix(1_700_000_000, 0)})
			return err
		},
		"ListBalance":  func(g *Gate) error { _, err := g.ListBalance(ctx, tenant, pay.BalanceInput{}); return err },
		"ListPayouts":  func(g *Gate) error { _, err := g.ListPayouts(ctx, tenant, time.Time{}, ""); return err },
		"CreateRefund": func(g *Gate) error { _, err := g.CreateRefund(ctx, tenant, refundInput(), "k"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, text := range []string{"null", "{}", `{"object":"list"}`, `{"object":"list","data":null}`, listOf(false, "null"), listOf(false, "{}"), listOf(false, `"pm_1"`),
				listOf(false, `{"object":"payment_method"}`), `{"object":"payment_intent"}`, `{"id":"ch_1","object":"charge"}`, `{"id":"","object":"payment_method"}`, `{"id":null,"object":"refund"}`} {
				f := faultOf(t, call(gateTo(t, always(200, text))))
				if f.Kind != pay.FaultUnavailable || f.Code != "answer_unreadable" {
					t.Errorf("%s gave %v", text, f)
				}
			}
		})
	}
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
	_, err = g.Cards(ctx, tenant, aCustomer)
	checked("Cards", true, err)
	card, err := g.Card(ctx, tenant, aCustomer, aCard)
	checked("Card", card != nil && card.ID == aCard, err)
	for _, token := range []string{"tok_1", aCard, "src_1"} {
		card, err = g.SaveCard(ctx, tenant, pay.CardToken{Token: token, StripeCustomer: aCustomer, Label: "Home"}, "k")
		checked("SaveCard "+token, card != nil && card.ID != "", err)
	}
	checked("LabelCard", true, g.LabelCard(ctx, tenant, aCard, "Home", "k"))
	checked("DeleteCard", true, g.DeleteCard(ctx, tenant, aCustomer, aCard, "k"))
	charge := chargeInput(t)
	i, err = g.ChargeCard(ctx, tenant, charge, "k")
	checked("ChargeCard", i != nil && i.ID != "", err)
	if err == nil && (i.Amount != charge.Attempt.Amount || i.Livemode || i.Metadata[pay.MetaAttempt] != "att_01") {
		rt.Fatalf("an intent was given out that is not the attempt's: %+v", i)
	}
	i, err = g.CancelIntent(ctx, tenant, paidIntent, "k")
	checked("CancelIntent", i != nil && i.ID == paidIntent, err)
	_, err = g.IntentMade(ctx, tenant, aCustomer, &pay.Attempt{ID: "att_01", CreatedAt: time.Unix(1_700_000_000, 0)})
	checked("IntentMade", true, err)
	refund, err := g.CreateRefund(ctx, tenant, refundInput(), "k")
	checked("CreateRefund", refund != nil && refund.ID != "" && refund.Amount == refundInput().Amount, err)
	_, _, err = g.EnsureWebhookEndpoint(ctx, tenant, "https://till.example/w")
	checked("EnsureWebhookEndpoint", true, err)
	_, err = g.DeleteWebhookEndpoint(ctx, tenant, "https://till.example/w")
	checked("DeleteWebhookEndpoint", true, err)
	_, err = g.Endpoints(ctx, tenant)
	checked("Endpoints", true, err)
	id, secret, err := g.CreateEndpoint(ctx, tenant, "https://till.example/w")
	checked("CreateEndpoint", id != "" && secret != "", err)
	checked("MendEndpoint", true, g.MendEndpoint(ctx, tenant, "we_1"))
	checked("DeleteEndpoint", true, g.DeleteEndpoint(ctx, tenant, "we_1"))
	_, err = g.ClockAhead(ctx, tenant)
	checked("ClockAhead", true, err)
	lines, err := g.ListBalance(ctx, tenant, pay.BalanceInput{Payout: "po_1"})
	checked("ListBalance", lines != nil, err)
	for _, l := range linesOf(lines, err) {
		if l.ID == "" || l.Amount.Currency == "" || l.Amount.Minor-l.Fee.Minor != l.Net.Minor || l.SourceAmount.Minor < 0 || l.SourceAmount.Minor != 0 && l.SourceAmount.Currency == "" {
			rt.Fatalf("a balance transaction was given out that does not add up: %+v", l)
		}
	}
	payouts, err := g.ListPayouts(ctx, tenant, time.Time{}, "")
	checked("ListPayouts", payouts != nil, err)
}

func linesOf(page *pay.BalancePage, err error) []*pay.StripeBalanceTransaction {
	if err != nil || page == nil {
		return nil
	}
	return page.Transactions
}

func FuzzAnyAnswerIsReadWithoutPanic(f *testing.F) {
	for _, text := range []string{sessionPaid, "null", "{}", `{"error":{}}`, `{"object":"list","data":[null],"has_more":true}`,
		`{"object":"list","data":["re_1"]}`, `{"id":"` + paidIntent + `","object":"payment_intent","latest_charge":{"id":"ch_1","object":"charge"}}`,
		`{"id":"` + paidSession + `","object":"checkout.session","payment_intent":{}}`, `{"id":"we_1","object":"webhook_endpoint","url":"https://till.example/w"}`,
		method(aCard, customerObject, 1), listOf(false, method(aCard, customerObject, 1)), refundObject("re_1", "rfr_01", ""), listOf(false, lineText(f, nil)), listOf(false, onePayout), `{"error":{"payment_intent":{"id":"pi_1"}}}`} {
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
