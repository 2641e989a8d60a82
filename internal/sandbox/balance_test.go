package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// minor reads an amount of an object from the state.
func minor(o map[string]any, field string) int64 {
	n, err := o[field].(json.Number).Int64()
	if err != nil {
		panic(err)
	}
	return n
}

// objects are everything of a kind, as /_sandbox/state shows it.
func (b *bench) objects(kind string) (out []map[string]any) {
	b.t.Helper()
	list, _ := b.get("/_sandbox/state").field(b.t, "objects", kind).([]any)
	for _, v := range list {
		out = append(out, v.(map[string]any))
	}
	return out
}

// Whatever happens to payments, the balance is what the charges, refunds and disputes say, and nothing is refunded that
// was not taken.
func TestEveryPennyOfTheBalanceIsExplained(t *testing.T) {
	t.Parallel()
	methods := []string{"pm_card_visa", "pm_card_pendingRefund", "pm_card_refundFail", "pm_card_createDispute", "pm_card_createDisputeInquiry", "pm_card_chargeDeclined", "pm_bacsDebit_success", "pm_bacsDebit_insufficientFunds", "pm_bacsDebit_dispute"}
	rapid.Check(t, func(r *rapid.T) {
		b := setup(t)
		pick := func(kind string) string {
			list := b.objects(kind)
			if len(list) == 0 {
				return "nothing"
			}
			return fmt.Sprint(list[rapid.IntRange(0, len(list)-1).Draw(r, kind)]["id"])
		}
		act := func(name string, body map[string]any) {
			if a := b.sandboxPost("/_sandbox/actions/"+name, body); a.status != 200 && a.status != 409 && a.status != 404 && a.status != 400 {
				r.Fatalf("%s %v: %d %s", name, body, a.status, a.body)
			}
		}
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
			switch rapid.IntRange(0, 7).Draw(r, "step") {
			case 0, 1, 2:
				b.raw(http.MethodPost, "/v1/payment_intents", fmt.Sprintf("amount=%d&currency=gbp&payment_method_types[]=card&payment_method_types[]=bacs_debit&confirm=true&payment_method=%s",
					rapid.Int64Range(30, 100000).Draw(r, "amount"), rapid.SampledFrom(methods).Draw(r, "method")))
			case 3, 4:
				act("refund", map[string]any{"id": pick("charge"), "amount": rapid.Int64Range(0, 50000).Draw(r, "refund"), "status": rapid.SampledFrom([]string{"", "pending"}).Draw(r, "status")})
			case 5:
				act(rapid.SampledFrom([]string{"settle_refund", "fail_refund"}).Draw(r, "end"), map[string]any{"id": pick("refund")})
			case 6:
				if rapid.Bool().Draw(r, "new") {
					act("dispute", map[string]any{"id": pick("charge"), "status": rapid.SampledFrom([]string{"", "warning_needs_response"}).Draw(r, "kind")})
				} else {
					act("dispute", map[string]any{"id": pick("dispute"), "outcome": rapid.SampledFrom([]string{"won", "lost", "warning_closed", "needs_response"}).Draw(r, "outcome")})
				}
			case 7:
				b.clock.Add(time.Duration(rapid.IntRange(1, 60).Draw(r, "seconds")) * time.Second)
			}
		}
		var want int64
		refunded := map[string]int64{}
		for _, o := range b.objects("refund") {
			if o["status"] == "pending" || o["status"] == "succeeded" {
				want -= minor(o, "amount")
				refunded[fmt.Sprint(o["charge"])] += minor(o, "amount")
			}
		}
		for _, o := range b.objects("charge") {
			amount := minor(o, "amount")
			if o["status"] == "succeeded" {
				want += amount - (amount*150+5000)/10000 - 20
			} else {
				amount = 0
			}
			if have := minor(o, "amount_refunded"); have != refunded[fmt.Sprint(o["id"])] || have > amount || o["refunded"] != (have > 0 && have == amount) {
				r.Fatalf("charge %v: refunded %d of %d, refunds say %d", o["id"], have, amount, refunded[fmt.Sprint(o["id"])])
			}
		}
		for _, o := range b.objects("dispute") {
			switch o["status"] {
			case "needs_response", "under_review", "lost":
				want -= minor(o, "amount") + 2000
			case "won":
				want -= 2000
			}
		}
		if have := b.balance(); have != want {
			r.Fatalf("the balance is %d, the objects explain %d", have, want)
		}
	})
}
