package sandbox_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/portatill/portatill/internal/sandbox"
)

func TestWhatMovesTheBalanceWithoutAnOrder(t *testing.T) {
	t.Parallel()
	account := sandbox.AccountID(testKey)
	t.Run("AFeeOfStripesBelongsToNothing", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.raw(http.MethodGet, "/v1/account", "")
		id := b.act("fee", map[string]any{"amount": 1500}).field(t, "id")
		l := b.lineOf(id)
		if l["type"] != "stripe_fee" || l["reporting_category"] != "fee" || l["source"] != nil || minor(l, "amount") != -1500 || minor(l, "fee") != 0 || minor(l, "net") != -1500 || l["currency"] != "gbp" {
			t.Errorf("%v", l)
		}
		b.dial("settlement_currency", "eur")
		if l = b.lineOf(b.act("fee", map[string]any{"id": account, "amount": 700}).field(t, "id")); l["currency"] != "eur" || minor(l, "amount") != -700 || l["exchange_rate"] != nil {
			t.Errorf("%v", l)
		}
		if l = b.lineOf(b.act("fee", map[string]any{"amount": 700, "currency": "usd"}).field(t, "id")); l["currency"] != "usd" {
			t.Errorf("%v", l)
		}
	})
	t.Run("AFailedPayoutComesBackAndGoesWithTheNext", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.paidBy("pm_card_visa")
		first := b.act("payout", nil).field(t, "payouts").([]any)[0].(string)
		b.dial("settlement_currency", "eur") // what came out of pounds goes back to them
		failed := b.act("fail_payout", map[string]any{"id": first, "reason": "no_account"})
		l := b.lineOf(failed.field(t, "failure_balance_transaction"))
		if failed.field(t, "status") != "failed" || failed.field(t, "failure_code") != "no_account" || l["type"] != "payout_failure" || l["reporting_category"] != "payout_reversal" ||
			l["source"].(map[string]any)["id"] != first || minor(l, "amount") != paidNet || minor(l, "fee") != 0 {
			t.Errorf("%s with %v", failed.body, l)
		}
		if !slices.Contains(b.eventTypes(), "payout.failed") {
			t.Errorf("events %v", b.eventTypes())
		}
		if n := len(b.lines("&payout="+first, 100)); n != 2 {
			t.Errorf("the failed payout contains %d lines, want its charge and itself", n)
		}
		second := b.act("payout", nil).field(t, "payouts").([]any)[0].(string)
		again := b.lines("&payout="+second, 100)
		if len(again) != 2 || again[1]["id"] != l["id"] || minor(again[0], "amount") != -paidNet || b.balance() != 0 {
			t.Errorf("the next payout contains %v", again)
		}
		if a := b.sandboxPost("/_sandbox/actions/fail_payout", map[string]any{"id": first}); a.status != http.StatusConflict {
			t.Errorf("it failed twice: %d %s", a.status, a.body)
		}
	})
	t.Run("AManualPayoutCannotBeTakenApart", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.paidBy("pm_card_visa")
		manual := b.act("payout", map[string]any{"status": "manual"}).field(t, "payouts").([]any)[0].(string)
		a := b.raw(http.MethodGet, "/v1/payouts/"+manual, "")
		if a.field(t, "automatic") != false || a.field(t, "reconciliation_status") != "not_applicable" || a.field(t, "status") != "paid" || b.balance() != 0 {
			t.Errorf("%s, the balance is %d", a.body, b.balance())
		}
		if a := b.raw(http.MethodGet, "/v1/balance_transactions?payout="+manual, ""); a.status != 400 || a.field(t, "error", "param") != "payout" {
			t.Errorf("%d %s", a.status, a.body)
		}
		if a := b.sandboxPost("/_sandbox/actions/payout", map[string]any{}); a.status != http.StatusConflict {
			t.Errorf("the same money was paid out again: %d %s", a.status, a.body)
		}
		b.paidBy("pm_card_visa")
		automatic := b.act("payout", map[string]any{"status": "automatic"}).field(t, "payouts").([]any)[0].(string)
		if a := b.raw(http.MethodGet, "/v1/payouts/"+automatic, ""); fmt.Sprint(a.field(t, "amount")) != fmt.Sprint(paidNet) || len(b.lines("&payout="+automatic, 100)) != 4 {
			t.Errorf("the automatic one after it is %s", a.body)
		}
	})
	t.Run("AChargeOfAnotherIntegrationHasNoIntent", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.raw(http.MethodGet, "/v1/account", "")
		made := b.act("foreign_charge", map[string]any{"amount": 5000})
		id := made.field(t, "id").(string)
		l := b.chargeLine(id)
		if made.field(t, "payment_intent") != nil || made.field(t, "status") != "succeeded" || l["type"] != "charge" || minor(l, "net") != paidNet || l["source"].(map[string]any)["payment_intent"] != nil {
			t.Errorf("%s with %v", made.body, l)
		}
		if n := len(b.objects("payment_intent")); n != 0 {
			t.Errorf("%d intents", n)
		}
		refund := b.act("refund", map[string]any{"id": id, "amount": 1000})
		dispute := b.act("dispute", map[string]any{"id": id, "amount": 4000})
		if refund.field(t, "payment_intent") != nil || dispute.field(t, "payment_intent") != nil || b.balance() != paidNet-1000-4000-2000 {
			t.Errorf("%s %s %d", refund.body, dispute.body, b.balance())
		}
		for _, path := range []string{"/v1/charges/" + id, "/v1/charges", "/v1/refunds?charge=" + id, "/v1/disputes?charge=" + id} {
			if a := b.raw(http.MethodGet, path, ""); a.status != 200 {
				t.Errorf("%s: %s", path, a.body)
			}
		}
	})
	t.Run("WhatIsWrongIsSaid", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		refused := func(action string, body map[string]any, status int, field string) {
			t.Helper()
			if a := b.sandboxPost("/_sandbox/actions/"+action, body); a.status != status || field != "" && a.field(t, "error", "field") != field || a.field(t, "error", "message") == "" {
				t.Errorf("%s %v: %d %s", action, body, a.status, a.body)
			}
		}
		refused("fee", map[string]any{"amount": 5}, 409, "id") // there is no account yet
		b.paidBy("pm_card_visa")
		payout := b.act("payout", nil).field(t, "payouts").([]any)[0]
		for _, action := range []string{"fee", "foreign_charge"} {
			refused(action, map[string]any{"id": "acct_none", "amount": 500}, 404, "id")
			refused(action, map[string]any{"amount": 0}, 400, "amount")
			refused(action, map[string]any{"amount": -5}, 400, "amount")
			refused(action, map[string]any{"amount": 100_000_000}, 400, "amount")
			refused(action, map[string]any{"amount": 500, "currency": "xyz"}, 400, "currency")
		}
		refused("foreign_charge", map[string]any{"amount": 29}, 400, "amount")
		refused("fail_payout", map[string]any{"id": "po_none"}, 404, "id")
		refused("fail_payout", map[string]any{"id": payout, "reason": "full_moon"}, 400, "reason")
		refused("payout", map[string]any{"status": "sometimes"}, 400, "status")
		b.raw(http.MethodGet, "/v1/account", "", "Authorization", "Bearer sk_test_yetanotherreseller1")
		refused("fee", map[string]any{"amount": 500}, 409, "id") // there are two
		b.act("fee", map[string]any{"id": account, "amount": 500})
	})
	t.Run("ThePageHasAFormForEach", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.paidBy("pm_card_visa")
		b.act("payout", nil)
		page := b.get("/_sandbox").text()
		for _, action := range []string{"fee", "foreign_charge", "fail_payout"} {
			if !strings.Contains(page, `action="/_sandbox/actions/`+action+`"`) {
				t.Errorf("there is no form for %s", action)
			}
		}
		if a := b.submit("/_sandbox/actions/fee", url.Values{"id": {account}, "amount": {"123456"}, "currency": {""}}); a.status != http.StatusSeeOther || b.balance() != -123456 {
			t.Errorf("%d %s, the balance is %d", a.status, a.body, b.balance())
		}
		if a := b.submit("/_sandbox/actions/fee", url.Values{"id": {account}, "amount": {"lots"}}); a.status != 400 {
			t.Errorf("an amount in words: %d %s", a.status, a.body)
		}
	})
}

// kindOf is what the line of an object must be, by the object's kind.
var kindOf = map[string][]string{"charge": {"charge/charge", "payment/charge"}, "refund": {"refund/refund", "payment_refund/refund", "refund_failure/refund_failure"},
	"dispute": {"adjustment/dispute", "adjustment/dispute_reversal"}, "payout": {"payout/payout", "payout_failure/payout_reversal"}, "": {"stripe_fee/fee"}}

// Whatever happens, in whatever currency it settles: each line adds up and says what it is of, and each payout is the sum
// of what it contains.
func TestEveryPayoutIsTheSumOfWhatItContains(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		b := setup(t)
		b.raw(http.MethodGet, "/v1/account", "")
		pick := func(kind string) string {
			list := b.objects(kind)
			if len(list) == 0 {
				return "nothing"
			}
			return fmt.Sprint(list[rapid.IntRange(0, len(list)-1).Draw(r, kind)]["id"])
		}
		act := func(name string, body map[string]any) {
			if a := b.sandboxPost("/_sandbox/actions/"+name, body); a.status >= 500 {
				r.Fatalf("%s %v: %d %s", name, body, a.status, a.body)
			}
		}
		currency := rapid.SampledFrom([]string{"gbp", "eur", "usd", "jpy", "kwd"})
		amount := rapid.Int64Range(100, 9000)
		for range rapid.IntRange(1, 16).Draw(r, "steps") {
			switch rapid.IntRange(0, 8).Draw(r, "step") {
			case 0, 1:
				b.raw(http.MethodPost, "/v1/payment_intents", fmt.Sprintf("amount=%d0&currency=%s&payment_method_types[]=card&confirm=true&payment_method=%s", amount.Draw(r, "amount"), currency.Draw(r, "currency"),
					rapid.SampledFrom([]string{"pm_card_visa", "pm_card_createDispute", "pm_card_refundFail"}).Draw(r, "method")))
			case 2:
				act("foreign_charge", map[string]any{"amount": amount.Draw(r, "amount") * 10, "currency": currency.Draw(r, "currency")})
			case 3:
				act("refund", map[string]any{"id": pick("charge"), "amount": rapid.Int64Range(0, 500).Draw(r, "refund")})
			case 4:
				act("fail_refund", map[string]any{"id": pick("refund")})
			case 5:
				act("dispute", map[string]any{"id": pick("dispute"), "outcome": rapid.SampledFrom([]string{"won", "lost"}).Draw(r, "outcome")})
			case 6:
				act("payout", map[string]any{"status": rapid.SampledFrom([]string{"", "", "manual"}).Draw(r, "status")})
			case 7:
				act(rapid.SampledFrom([]string{"fail_payout", "fee"}).Draw(r, "other"), map[string]any{"id": pick("payout"), "amount": 5})
				act("fee", map[string]any{"amount": amount.Draw(r, "fee"), "currency": currency.Draw(r, "currency")})
			case 8:
				b.dial("settlement_currency", rapid.SampledFrom([]string{"", "eur", "jpy", "gbp"}).Draw(r, "settles"))
				b.clock.Add(time.Duration(rapid.IntRange(1, 60).Draw(r, "hours")) * time.Hour)
			}
		}
		perPage := rapid.IntRange(1, 7).Draw(r, "per page")
		all := b.lines("", perPage)
		if len(all) != len(b.objects("balance_transaction")) {
			r.Fatalf("%d lines by pages of %d, of %d", len(all), perPage, len(b.objects("balance_transaction")))
		}
		for _, l := range all {
			source, _ := l["source"].(map[string]any)
			kind, _ := source["object"].(string)
			if got := fmt.Sprintf("%v/%v", l["type"], l["reporting_category"]); minor(l, "amount")-minor(l, "fee") != minor(l, "net") || !slices.Contains(kindOf[kind], got) {
				r.Fatalf("a line of a %q: %v", kind, l)
			}
			if converted := l["exchange_rate"] != nil; source != nil && converted != (source["currency"] != l["currency"]) || kind == "payout" && converted {
				r.Fatalf("the rate of %v", l)
			}
		}
		for _, p := range b.objects("payout") {
			if p["automatic"] != true {
				continue
			}
			sum := int64(0)
			for _, l := range b.lines(fmt.Sprintf("&payout=%v", p["id"]), perPage) {
				if sum += minor(l, "net"); l["currency"] != p["currency"] {
					r.Fatalf("%v is in a payout of %v", l, p)
				}
			}
			if sum != 0 { // the payout's own line is one of them
				r.Fatalf("of %v %d are unexplained", p, sum)
			}
		}
	})
}

// However it is cut, filtered and wherever the clock went, a list is every object once, newest first.
func TestPagesAreTheWholeList(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		b := setup(t)
		b.raw(http.MethodGet, "/v1/account", "")
		start := b.clock.Now().Unix()
		type made struct {
			id string
			at int64
		}
		var all []made
		back := rapid.Bool().Draw(r, "clock goes back")
		for range rapid.IntRange(1, 20).Draw(r, "objects") {
			low := 0
			if back {
				low = -3
			}
			b.clock.Add(time.Duration(rapid.IntRange(low, 3).Draw(r, "seconds")) * time.Second)
			all = append(all, made{b.act("fee", map[string]any{"amount": 1}).field(t, "id").(string), b.clock.Now().Unix()})
		}
		slices.Reverse(all)
		filter, want := "", []string{}
		bounds := map[string]int64{}
		for _, name := range []string{"gt", "gte", "lt", "lte"} {
			if rapid.IntRange(0, 3).Draw(r, name) == 0 {
				bounds[name] = start + rapid.Int64Range(-5, 30).Draw(r, "bound")
				filter += fmt.Sprintf("&created[%s]=%d", name, bounds[name])
			}
		}
		within := func(at int64) bool {
			for name, bound := range bounds {
				if map[string]bool{"gt": at <= bound, "gte": at < bound, "lt": at >= bound, "lte": at > bound}[name] {
					return false
				}
			}
			return true
		}
		for _, m := range all {
			if within(m.at) {
				want = append(want, m.id)
			}
		}
		limit := rapid.IntRange(1, 6).Draw(r, "limit")
		got := []string{}
		for _, l := range b.lines(filter, limit) {
			got = append(got, l["id"].(string))
		}
		if !slices.Equal(got, want) {
			r.Fatalf("forwards %v, want %v", got, want)
		}
		// Backwards from any object, in the range or not, comes what is newer than it.
		cursor := rapid.IntRange(0, len(all)-1).Draw(r, "cursor")
		newer := []string{}
		for _, m := range all[:cursor] {
			if within(m.at) {
				newer = append(newer, m.id)
			}
		}
		a := b.raw(http.MethodGet, fmt.Sprintf("/v1/balance_transactions?limit=%d%s&ending_before=%s", limit, filter, all[cursor].id), "")
		page := []string{}
		for _, v := range a.field(t, "data").([]any) {
			page = append(page, v.(map[string]any)["id"].(string))
		}
		if !slices.Equal(page, newer[max(0, len(newer)-limit):]) || a.field(t, "has_more") != (len(newer) > limit) {
			r.Fatalf("before %s come %v (more: %v), want the last %d of %v", all[cursor].id, page, a.field(t, "has_more"), limit, newer)
		}
	})
}
