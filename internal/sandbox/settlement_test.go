package sandbox_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/portatill/portatill/internal/sandbox"
)

// dial sets one dial, which must be taken.
func (b *bench) dial(name string, v any) {
	b.t.Helper()
	if a := b.sandboxPost("/_sandbox/dials", map[string]any{name: v}); a.status != http.StatusOK {
		b.t.Fatalf("%s: %d %s", name, a.status, a.body)
	}
}

// lines are all balance transactions that a query finds, newest first, by pages of the given length.
func (b *bench) lines(query string, perPage int) (out []map[string]any) {
	b.t.Helper()
	after := ""
	for {
		a := b.raw(http.MethodGet, fmt.Sprintf("/v1/balance_transactions?limit=%d&expand[]=data.source%s%s", perPage, query, after), "")
		if a.status != http.StatusOK {
			b.t.Fatalf("%s: %s", query, a.body)
		}
		for _, v := range a.field(b.t, "data").([]any) {
			out = append(out, v.(map[string]any))
		}
		if a.field(b.t, "has_more") != true {
			return out
		}
		after = "&starting_after=" + out[len(out)-1]["id"].(string)
	}
}

// lineOf is the balance transaction with the id, as an object or its own route shows it.
func (b *bench) lineOf(id any) map[string]any {
	b.t.Helper()
	v, err := decodeJSON(b.raw(http.MethodGet, fmt.Sprintf("/v1/balance_transactions/%v?expand[]=source", id), "").body)
	if err != nil {
		b.t.Fatal(err)
	}
	return v.(map[string]any)
}

func (b *bench) chargeLine(charge string) map[string]any {
	return b.lineOf(b.raw(http.MethodGet, "/v1/charges/"+charge, "").field(b.t, "balance_transaction"))
}

// converted is an amount times the rate of a line, rounded half up, computed from the line's own JSON.
func converted(t *testing.T, amount int64, line map[string]any) int64 {
	t.Helper()
	rate, ok := new(big.Rat).SetString(fmt.Sprint(line["exchange_rate"]))
	if !ok {
		t.Fatalf("no rate in %v", line)
	}
	exact := rate.Mul(rate, big.NewRat(amount, 1))
	exact.Add(exact, big.NewRat(1, 2))
	return new(big.Int).Quo(exact.Num(), exact.Denom()).Int64()
}

func TestSettlementInAnotherCurrency(t *testing.T) {
	t.Parallel()
	t.Run("TheDialConvertsWhatComesAfterItAndNothingBefore", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, before := b.paidBy("pm_card_visa")
		b.dial("settlement_currency", "eur")
		_, after := b.paidBy("pm_card_visa")
		if l := b.chargeLine(before); l["currency"] != "gbp" || minor(l, "amount") != 5000 || l["exchange_rate"] != nil {
			t.Errorf("what was there has changed: %v", l)
		}
		l := b.chargeLine(after)
		amount := converted(t, 5000, l)
		fee := (amount*150+5000)/10000 + 20
		if l["currency"] != "eur" || minor(l, "amount") != amount || amount <= 5000 || minor(l, "fee") != fee || minor(l, "net") != amount-fee {
			t.Errorf("£50.00 settled as %v", l)
		}
		if details := l["fee_details"].([]any)[0].(map[string]any); details["currency"] != "eur" || minor(details, "amount") != fee {
			t.Errorf("the fee is %v", details)
		}
		if c := b.raw(http.MethodGet, "/v1/charges/"+after, ""); c.field(t, "currency") != "gbp" {
			t.Error("the charge itself was converted")
		}
		if a := b.raw(http.MethodGet, "/v1/account", ""); a.field(t, "default_currency") != "eur" {
			t.Errorf("the account has %v", a.field(t, "default_currency"))
		}
		a := b.raw(http.MethodPost, "/v1/payment_intents", "amount=5000&currency=eur&payment_method_types[]=card&confirm=true&payment_method=pm_card_visa")
		if l := b.chargeLine(a.field(t, "latest_charge").(string)); l["exchange_rate"] != nil || minor(l, "amount") != 5000 {
			t.Errorf("euros were converted to euros: %v", l)
		}
		b.dial("settlement_currency", "")
		_, last := b.paidBy("pm_card_visa")
		if l := b.chargeLine(last); l["currency"] != "gbp" || l["exchange_rate"] != nil {
			t.Errorf("with the dial back at nothing: %v", l)
		}
		if a := b.raw(http.MethodGet, "/v1/account", ""); a.field(t, "default_currency") != "gbp" {
			t.Errorf("the account has %v", a.field(t, "default_currency"))
		}
		if currencies := len(b.act("payout", nil).field(t, "payouts").([]any)); currencies != 2 {
			t.Errorf("%d payouts, want one of pounds and one of euros", currencies)
		}
	})
	t.Run("ARefundIsConvertedAtTheRateOfItsOwnDay", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.dial("settlement_currency", "eur")
		_, charge := b.paidBy("pm_card_visa")
		_, other := b.paidBy("pm_card_visa")
		in := b.chargeLine(charge)
		refund := b.act("refund", map[string]any{"id": charge})
		if same := b.lineOf(refund.field(t, "balance_transaction")); minor(same, "amount") != -minor(in, "amount") || same["currency"] != "eur" || minor(same, "fee") != 0 {
			t.Errorf("on the same day %v came in and %v went out", in, same)
		}
		b.clock.Add(24 * time.Hour)
		refund = b.act("refund", map[string]any{"id": other})
		out := b.lineOf(refund.field(t, "balance_transaction"))
		if minor(out, "amount") == -minor(in, "amount") || minor(out, "amount") != -converted(t, 5000, out) || fmt.Sprint(out["exchange_rate"]) == fmt.Sprint(in["exchange_rate"]) {
			t.Errorf("a day later %v went out of %v", out, in)
		}
		b.clock.Add(24 * time.Hour)
		b.act("fail_refund", map[string]any{"id": refund.field(t, "id")})
		back := b.lineOf(b.raw(http.MethodGet, "/v1/refunds/"+refund.field(t, "id").(string), "").field(t, "failure_balance_transaction"))
		if minor(back, "amount") != converted(t, 5000, back) || minor(back, "amount") == -minor(out, "amount") || back["type"] != "refund_failure" || back["reporting_category"] != "refund_failure" ||
			back["source"].(map[string]any)["id"] != refund.field(t, "id") {
			t.Errorf("the failed refund brought back %v", back)
		}
	})
	t.Run("ADisputeAndItsReversalAreConverted", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.dial("settlement_currency", "usd")
		_, charge := b.paidBy("pm_card_createDispute")
		b.clock.Add(24 * time.Hour)
		id := b.ids("/v1/disputes?charge=" + charge)[0]
		b.act("dispute", map[string]any{"id": id, "outcome": "won"})
		moves := b.raw(http.MethodGet, "/v1/disputes/"+id, "").field(t, "balance_transactions").([]any)
		if len(moves) != 2 {
			t.Fatalf("%d balance transactions", len(moves))
		}
		for i, want := range []struct {
			sign, fee int64
			category  string
		}{{-1, 2000, "dispute"}, {1, 0, "dispute_reversal"}} {
			m := moves[i].(map[string]any)
			if m["currency"] != "usd" || minor(m, "amount") != want.sign*converted(t, 5000, m) || minor(m, "fee") != want.fee || m["type"] != "adjustment" || m["reporting_category"] != want.category || m["source"] != id {
				t.Errorf("%v", m)
			}
		}
	})
	t.Run("BetweenUnlikeDecimalsTheRateIsOfMinorUnits", func(t *testing.T) {
		t.Parallel()
		for _, c := range []struct {
			from, into string
			low, high  int64 // what 10,000 minor units of from are about worth
		}{{"jpy", "usd", 6000, 7200}, {"usd", "jpy", 14000, 16500}, {"kwd", "usd", 3000, 3500}, {"usd", "kwd", 28000, 33000}, {"gbp", "eur", 11000, 12500}} {
			got, rate := sandbox.Convert(c.from, c.into, 1_700_000_000, 10_000)
			if got < c.low || got > c.high {
				t.Errorf("10000 %s are %d %s (rate %v), want %d to %d", c.from, got, c.into, rate, c.low, c.high)
			}
		}
	})
	t.Run("ItOutlivesARestartAndCountsForNewAccounts", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "state")
		b := setupWith(t, path)
		b.paidBy("pm_card_visa")
		b.dial("settlement_currency", "eur")
		_, first := b.paidBy("pm_card_visa")
		payout := b.act("payout", nil).field(t, "payouts").([]any)[0].(string)
		contained := len(b.lines("&payout="+payout, 1))
		b.server.Close()
		if err := b.sandbox.Close(); err != nil {
			t.Fatal(err)
		}
		again := setupWith(t, path)
		if l := again.chargeLine(first); l["currency"] != "eur" {
			t.Errorf("the old payment settled as %v", l)
		}
		if n := len(again.lines("&payout="+payout, 1)); n != contained || n < 2 {
			t.Errorf("the payout contains %d lines, and contained %d", n, contained)
		}
		_, second := again.paidBy("pm_card_visa")
		if l := again.chargeLine(second); l["currency"] != "eur" {
			t.Errorf("after the restart %v", l)
		}
		if a := again.raw(http.MethodGet, "/v1/account", "", "Authorization", "Bearer sk_test_yetanotherreseller1"); a.field(t, "default_currency") != "eur" {
			t.Errorf("a new account settles in %v", a.field(t, "default_currency"))
		}
	})
	t.Run("OnlyACurrencysCodeIsTaken", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for _, bad := range []any{"EUR", "xyz", "eu", 7, nil, true, []any{"eur"}} {
			a := b.sandboxPost("/_sandbox/dials", map[string]any{"settlement_currency": bad})
			if a.status != 400 || a.field(t, "error", "field") != "settlement_currency" || b.get("/_sandbox/dials").field(t, "settlement_currency") != "" {
				t.Errorf("%v: %d %s", bad, a.status, a.body)
			}
		}
	})
	t.Run("ThePageSetsItAndTakesItBack", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for _, want := range []string{"eur", ""} {
			b.submit("/_sandbox/dials", url.Values{"settlement_currency": {want}, "drop": {"0"}})
			if a := b.get("/_sandbox/dials"); a.field(t, "settlement_currency") != want || !strings.Contains(b.get("/_sandbox").text(), `name="settlement_currency" value="`+want+`"`) {
				t.Errorf("%s, want %q", a.body, want)
			}
		}
		b.dial("settlement_currency", "eur")
		b.submit("/_sandbox/dials", url.Values{"drop": {"0.5"}})
		if a := b.get("/_sandbox/dials"); a.field(t, "settlement_currency") != "eur" {
			t.Errorf("a form without the field has set it: %s", a.body)
		}
	})
}

func TestExchangeRates(t *testing.T) {
	t.Parallel()
	all := sandbox.Currencies()
	if rated := sandbox.RatedCurrencies(); !slices.Equal(slices.Sorted(slices.Values(rated)), slices.Sorted(slices.Values(all))) {
		t.Error("the table of rates is not of the sandbox's currencies, or has one twice")
	}
	const day = 24 * 60 * 60
	rapid.Check(t, func(r *rapid.T) {
		from, into := rapid.SampledFrom(all).Draw(r, "from"), rapid.SampledFrom(all).Draw(r, "into")
		now, amount := rapid.Int64Range(0, 1<<32).Draw(r, "now"), rapid.Int64Range(0, 99_999_999).Draw(r, "amount")
		got, shown := sandbox.Convert(from, into, now, amount)
		text, err := json.Marshal(shown)
		if err != nil {
			r.Fatal(err)
		}
		rate, ok := new(big.Rat).SetString(string(text))
		if !ok || rate.Sign() <= 0 {
			r.Fatalf("the rate %s is none", text)
		}
		// got - 1/2 <= amount*rate < got + 1/2
		twice := rate.Mul(rate, big.NewRat(2*amount, 1))
		if twice.Cmp(big.NewRat(2*got-1, 1)) < 0 || twice.Cmp(big.NewRat(2*got+1, 1)) >= 0 {
			r.Fatalf("%d %s at %s are not %d %s", amount, from, text, got, into)
		}
		if back, _ := sandbox.Convert(from, into, now, -amount); back != -got {
			r.Fatalf("%d %s come in as %d and leave as %d", amount, from, got, back)
		}
		if _, same := sandbox.Convert(from, into, now/day*day, amount); same != shown {
			r.Fatalf("the rate changed within a day from %v to %v", same, shown)
		}
		if _, next := sandbox.Convert(from, into, now+day, amount); next == shown || next < shown*0.99 || next > shown*1.01 {
			r.Fatalf("the next day's rate is %v after %v", next, shown)
		}
	})
}
