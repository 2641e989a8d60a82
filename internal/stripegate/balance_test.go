package stripegate

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/portatill/portatill/pay"
)

// lineText is a balance transaction as Stripe sends it, with the fields of more in the place of its own.
func lineText(t interface{ Fatal(...any) }, more map[string]any) string {
	o := map[string]any{"id": "txn_1", "object": "balance_transaction", "amount": 1088, "available_on": 1711200000, "created": 1711000000, "currency": "eur",
		"exchange_rate": 1.16905, "fee": 37, "fee_details": []any{map[string]any{"amount": 7, "currency": "eur", "type": "tax"}, map[string]any{"amount": 30, "currency": "eur", "type": "stripe_fee"}},
		"net": 1051, "reporting_category": "charge", "status": "pending", "type": "charge", "description": "person@mail.example",
		"source": map[string]any{"id": "ch_1", "object": "charge", "amount": 1000, "amount_captured": 931, "currency": "gbp", "payment_intent": "pi_1"}}
	for k, v := range more {
		o[k] = v
	}
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const onePayout = `{"id":"po_1","object":"payout","amount":9000,"arrival_date":1711300000,"automatic":true,"created":1711100000,"currency":"eur","destination":"ba_1",` +
	`"reconciliation_status":"completed","status":"paid","balance_transaction":"txn_9"}`

func eur(minor int64) pay.Money { return pay.Money{Minor: minor, Currency: "EUR"} }
func gbp(minor int64) pay.Money { return pay.Money{Minor: minor, Currency: "GBP"} }

func (d *double) onlyLine(t *testing.T) (*pay.StripeBalanceTransaction, error) {
	t.Helper()
	page, err := gateTo(t, d).ListBalance(t.Context(), testTenant(), pay.BalanceInput{})
	if err != nil {
		return nil, err
	}
	if len(page.Transactions) != 1 {
		t.Fatalf("%d transactions, want 1", len(page.Transactions))
	}
	return page.Transactions[0], nil
}

func TestABalanceLineSaysWhatStripeSays(t *testing.T) {
	t.Parallel()
	whole := pay.StripeBalanceTransaction{ID: "txn_1", Amount: eur(1088), Fee: eur(37), TaxFee: eur(7), Net: eur(1051), Type: "charge", Category: "charge", ExchangeRate: "1.16905",
		SourceID: "ch_1", IntentID: "pi_1", ChargeID: "ch_1", SourceAmount: gbp(931), CreatedAt: time.Unix(1711000000, 0).UTC(), AvailableAt: time.Unix(1711200000, 0).UTC()}
	source := func(id, intent string, amount pay.Money) func(*pay.StripeBalanceTransaction) {
		return func(w *pay.StripeBalanceTransaction) {
			w.SourceID, w.IntentID, w.ChargeID, w.SourceAmount = id, intent, "", amount
			if prefix, _, _ := strings.Cut(id, "_"); amount.Currency != "" && (prefix == "ch" || prefix == "py") {
				w.ChargeID = id
			}
		}
	}
	for sentence, c := range map[string]struct {
		more map[string]any
		want func(w *pay.StripeBalanceTransaction)
	}{
		"AConvertedChargeWithItsPart":  {nil, func(*pay.StripeBalanceTransaction) {}},
		"AChargeThatWasNotCapturedYet": {map[string]any{"source": map[string]any{"id": "py_1", "object": "charge", "amount": 1000, "amount_captured": 0, "currency": "gbp", "payment_intent": "pi_1"}}, source("py_1", "pi_1", gbp(1000))},
		"AnExpandedIntentIsItsID":      {map[string]any{"source": map[string]any{"id": "ch_1", "object": "charge", "amount": 931, "amount_captured": 931, "currency": "gbp", "payment_intent": map[string]any{"id": "pi_2", "object": "payment_intent"}}}, source("ch_1", "pi_2", gbp(931))},
		"APaymentOfAnotherIntegration": {map[string]any{"source": map[string]any{"id": "ch_2", "object": "charge", "amount": 5, "amount_captured": 5, "currency": "gbp", "payment_intent": nil}}, source("ch_2", "", gbp(5))},
		"ARefund":                      {map[string]any{"source": map[string]any{"id": "re_1", "object": "refund", "amount": 50, "currency": "gbp", "payment_intent": "pi_1"}}, source("re_1", "pi_1", gbp(50))},
		"ARefundOfAChargeWithoutAnIntent": {map[string]any{"source": map[string]any{"id": "re_1", "object": "refund", "amount": 50, "currency": "gbp", "payment_intent": nil, "charge": "ch_7"}}, func(w *pay.StripeBalanceTransaction) {
			w.SourceID, w.IntentID, w.ChargeID, w.SourceAmount = "re_1", "", "ch_7", gbp(50)
		}},
		"ADisputeOfAChargeWithoutAnIntent": {map[string]any{"source": map[string]any{"id": "dp_1", "object": "dispute", "amount": 60, "currency": "gbp", "payment_intent": nil, "charge": "ch_7"}}, func(w *pay.StripeBalanceTransaction) {
			w.SourceID, w.IntentID, w.ChargeID, w.SourceAmount = "dp_1", "", "ch_7", gbp(60)
		}},
		"ADispute":                         {map[string]any{"source": map[string]any{"id": "dp_1", "object": "dispute", "amount": 60, "currency": "gbp", "payment_intent": "pi_1"}}, source("dp_1", "pi_1", gbp(60))},
		"APayout":                          {map[string]any{"source": map[string]any{"id": "po_1", "object": "payout", "amount": 70, "currency": "eur"}}, source("po_1", "", eur(70))},
		"APayoutThatTookFromTheBank":       {map[string]any{"source": map[string]any{"id": "po_1", "object": "payout", "amount": -70, "currency": "eur"}}, source("po_1", "", eur(70))},
		"ASourceThatIsOnlyAnID":            {map[string]any{"source": "ch_9"}, source("ch_9", "", pay.Money{})},
		"ASourceOfAKindThatWeDoNotUse":     {map[string]any{"source": map[string]any{"id": "tr_1", "object": "transfer", "amount": 1, "currency": "gbp"}}, source("tr_1", "", pay.Money{})},
		"ASourceOfAKindFromAFutureRelease": {map[string]any{"source": map[string]any{"id": "zz_1", "object": "zeppelin", "amount": "much"}}, source("zz_1", "", pay.Money{})},
		"AFeeThatBelongsToNothing": {map[string]any{"source": nil, "type": "stripe_fee", "reporting_category": "fee", "exchange_rate": nil}, func(w *pay.StripeBalanceTransaction) {
			w.ChargeID = ""
			w.SourceID, w.IntentID, w.SourceAmount, w.Type, w.Category, w.ExchangeRate = "", "", pay.Money{}, "stripe_fee", "fee", ""
		}},
		"ATypeFromAFutureReleaseIsPassedOn": {map[string]any{"type": "zeppelin", "reporting_category": "airship"}, func(w *pay.StripeBalanceTransaction) { w.Type, w.Category = "zeppelin", "airship" }},
		"AFeeGivenBackIsNegative": {map[string]any{"amount": 0, "fee": -37, "net": 37, "fee_details": []any{}}, func(w *pay.StripeBalanceTransaction) {
			w.Amount, w.Fee, w.Net, w.TaxFee = eur(0), eur(-37), eur(37), eur(0)
		}},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			want := whole
			c.want(&want)
			got, err := always(200, listOf(false, lineText(t, c.more))).onlyLine(t)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestABalanceThatCannotBeReadIsNoFact(t *testing.T) {
	t.Parallel()
	charge := func(k string, v any) map[string]any {
		o := map[string]any{"id": "ch_1", "object": "charge", "amount": 1000, "amount_captured": 1000, "currency": "gbp", "payment_intent": "pi_1"}
		o[k] = v
		return map[string]any{"source": o}
	}
	answers := map[string]string{"NoList": `{"object":"list"}`, "ANullList": `{"object":"list","data":null}`, "ANullInTheList": listOf(false, "null"), "AnEmptyObject": listOf(false, "{}"),
		"AnIDInTheList": listOf(false, `"txn_1"`), "Null": "null"}
	for sentence, more := range map[string]map[string]any{
		"AnotherKind": {"object": "charge"}, "NoID": {"id": ""}, "NoCurrency": {"currency": nil}, "ASumThatIsNotOne": {"net": 1052},
		"ASumThatOverflows": {"amount": int64(-9223372036854775808), "fee": 1, "net": int64(9223372036854775807)},
		"NoTime":            {"created": 0}, "NoDayOfAvailability": {"available_on": nil}, "NoType": {"type": nil}, "NoCategory": {"reporting_category": ""},
		"ANegativeRate": {"exchange_rate": -1.5}, "ARateLargerThanAny": {"exchange_rate": 1e30}, "ASourceWithoutAnID": charge("id", nil),
		"ASourceWithoutACurrency": charge("currency", nil), "ASourceOfANegativeAmount": charge("amount_captured", -5), "ASourceThatIsAList": {"source": []any{}}, "ASourceThatIsANumber": {"source": 7},
	} {
		answers[sentence] = listOf(false, lineText(t, more))
	}
	for sentence, text := range answers {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			_, err := always(200, text).onlyLine(t)
			if f := faultOf(t, err); f.Kind != pay.FaultUnavailable {
				t.Errorf("got %v", f)
			} else if strings.Contains(f.Error()+f.Message, "person@mail") {
				t.Errorf("the fault quotes the answer: %v", f)
			}
		})
	}
	for sentence, text := range map[string]string{"NoPayouts": `{"object":"list"}`, "ANullPayout": listOf(false, "null"), "APayoutWithoutCurrency": listOf(false, strings.Replace(onePayout, `"eur"`, "null", 1)),
		"APayoutWithoutStatus": listOf(false, strings.Replace(onePayout, `"paid"`, `""`, 1)), "APayoutWithoutID": listOf(false, strings.Replace(onePayout, `"po_1"`, `""`, 1)), "NoPayoutAtAll": listOf(false, `{"id":"po_1","object":"transfer"}`)} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			_, err := gateTo(t, always(200, text)).ListPayouts(t.Context(), testTenant(), time.Time{}, "")
			if f := faultOf(t, err); f.Kind != pay.FaultUnavailable || f.Code != "answer_unreadable" {
				t.Errorf("got %v", f)
			}
		})
	}
}

func TestPayoutsSayWhatStripeSays(t *testing.T) {
	t.Parallel()
	whole := pay.StripePayout{ID: "po_1", Status: "paid", Amount: eur(9000), Automatic: true, Reconciled: true, CreatedAt: time.Unix(1711100000, 0).UTC(), ArrivalAt: time.Unix(1711300000, 0).UTC()}
	for sentence, c := range map[string]struct {
		old, new string
		want     func(w *pay.StripePayout)
	}{
		"AnAutomaticOne":                         {"", "", func(*pay.StripePayout) {}},
		"OneThatIsNotTakenApartYet":              {`"completed"`, `"in_progress"`, func(w *pay.StripePayout) { w.Reconciled = false }},
		"AManualOneCanNeverBeTakenApart":         {`"automatic":true`, `"automatic":false`, func(w *pay.StripePayout) { w.Automatic, w.Reconciled = false, false }},
		"OneThatFailed":                          {`"paid"`, `"failed"`, func(w *pay.StripePayout) { w.Status = "failed" }},
		"OneThatTookFromTheBank":                 {`9000`, `-9000`, func(w *pay.StripePayout) { w.Amount = eur(-9000) }},
		"AStatusFromAFutureReleaseIsPassedOn":    {`"paid"`, `"lost"`, func(w *pay.StripePayout) { w.Status = "lost" }},
		"ADestinationThatCameWholeIsOfNoConcern": {`"ba_1"`, `{"id":"ba_1","object":"bank_account"}`, func(*pay.StripePayout) {}},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			want := whole
			c.want(&want)
			page, err := gateTo(t, always(200, listOf(true, strings.Replace(onePayout, c.old, c.new, 1)))).ListPayouts(t.Context(), testTenant(), time.Time{}, "")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&pay.PayoutPage{Payouts: []*pay.StripePayout{&want}, More: true}, page); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	t.Run("AnEmptyPageIsTheLast", func(t *testing.T) {
		t.Parallel()
		g := gateTo(t, always(200, listOf(true)))
		payouts, err := g.ListPayouts(t.Context(), testTenant(), time.Time{}, "")
		if err != nil || payouts.More || len(payouts.Payouts) != 0 {
			t.Errorf("%+v, %v", payouts, err)
		}
		lines, err := g.ListBalance(t.Context(), testTenant(), pay.BalanceInput{})
		if err != nil || lines.More || len(lines.Transactions) != 0 {
			t.Errorf("%+v, %v", lines, err)
		}
	})
}

func TestWhatIsAskedOfTheBalance(t *testing.T) {
	t.Parallel()
	ctx, tenant, from := t.Context(), testTenant(), time.Unix(1711000000, 0)
	t.Run("StripesContractAcceptsIt", func(t *testing.T) {
		t.Parallel()
		f, g := newReferee(t)
		for _, in := range []pay.BalanceInput{{}, {From: from, After: "txn_7"}, {Payout: "po_1"}} {
			page, err := g.ListBalance(ctx, tenant, in)
			if err != nil || len(page.Transactions) == 0 {
				t.Errorf("%+v: %v %v", in, page, err)
			}
		}
		if page, err := g.ListPayouts(ctx, tenant, from, "po_7"); err != nil || len(page.Payouts) == 0 {
			t.Errorf("%v %v", page, err)
		}
		f.accepted(t, "GET /v1/balance_transactions", "GET /v1/payouts")
		for i, want := range []map[string]string{
			{"limit": "100", "expand[0]": "data.source", "created[gte]": "", "starting_after": "", "payout": ""},
			{"limit": "100", "expand[0]": "data.source", "created[gte]": "1711000000", "starting_after": "txn_7", "payout": ""},
			{"limit": "100", "expand[0]": "data.source", "created[gte]": "", "starting_after": "", "payout": "po_1"},
			{"limit": "100", "created[gte]": "1711000000", "starting_after": "po_7"},
		} {
			for name, value := range want {
				if got := f.seen[i].value(name); got != value {
					t.Errorf("request %d: %s is %q, want %q", i, name, got, value)
				}
			}
		}
	})
	t.Run("WhatIsNoPayoutsIDIsNotSent", func(t *testing.T) {
		t.Parallel()
		d := always(200, listOf(false))
		_, err := gateTo(t, d).ListBalance(ctx, tenant, pay.BalanceInput{Payout: "po_1&source=ch_1"})
		if f := faultOf(t, err); f.Kind != pay.FaultNotFound || len(d.requests()) != 0 {
			t.Errorf("got %v and %d requests", f, len(d.requests()))
		}
	})
}

func TestAnExchangeRateIsTheSameNumberAsText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		rate := rapid.Float64Range(smallestRate, largestRate).Draw(rt, "rate")
		text, err := rateText(rate)
		if err != nil {
			rt.Fatal(err)
		}
		if back, err := strconv.ParseFloat(text, 64); err != nil || back != rate || strings.Trim(text, "0123456789.") != "" {
			rt.Fatalf("%v became %s, which is %v (%v)", rate, text, back, err)
		}
	})
	for rate, want := range map[float64]string{0: "", 1: "1", 1.1: "1.1", 0.00612: "0.00612", 3.94e-05: "0.0000394", 152.44: "152.44"} {
		if got, err := rateText(rate); got != want || err != nil {
			t.Errorf("%v is %q, want %q (%v)", rate, got, want, err)
		}
	}
}

func TestTheBalanceOfStripeInABox(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	ctx := t.Context()
	if status, text := b.post("/_sandbox/dials", "application/json", `{"settlement_currency":"eur"}`); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	s := b.checkout("key-1", nil)
	b.pay(s.ID, nil)
	s = b.session(s.ID)
	b.act("refund", `{"id":"`+s.IntentID+`","amount":40}`)
	refund := b.session(s.ID).Intent.Charge.Refunds[0]
	b.act("fail_refund", `{"id":"`+refund.ID+`"}`)
	b.act("foreign_charge", `{"amount":2500,"currency":"usd"}`)
	b.act("fee", `{"amount":99}`)
	b.act("payout", `{}`)
	b.act("dispute", `{"id":"`+s.ID+`"}`)
	dispute := b.session(s.ID).Intent.Charge.Disputes[0]
	b.act("dispute", `{"id":"`+dispute.ID+`","outcome":"won"}`)
	payouts, err := b.gate.ListPayouts(ctx, b.tenant, time.Time{}, "")
	if err != nil || len(payouts.Payouts) != 1 || !payouts.Payouts[0].Automatic || !payouts.Payouts[0].Reconciled || payouts.More {
		t.Fatalf("%+v, %v", payouts, err)
	}
	po := payouts.Payouts[0]
	b.act("fail_payout", `{"id":"`+po.ID+`"}`)

	page, err := b.gate.ListBalance(ctx, b.tenant, pay.BalanceInput{From: s.CreatedAt})
	if err != nil {
		t.Fatal(err)
	}
	sum, got := int64(0), []string{}
	for _, l := range page.Transactions {
		sum += l.Net.Minor
		got = append(got, fmt.Sprintf("%s/%s %s %s %t %t", l.Type, l.Category, l.SourceID, l.SourceAmount, l.IntentID == s.IntentID, l.ExchangeRate != ""))
		if l.Amount.Currency != "EUR" || l.CreatedAt.IsZero() || l.AvailableAt.Before(l.CreatedAt) {
			t.Errorf("%+v", l)
		}
	}
	foreign := page.Transactions[len(page.Transactions)-4]
	want := []string{"payout_failure/payout_reversal " + po.ID + " " + po.Amount.String() + " false false", "adjustment/dispute_reversal " + dispute.ID + " " + gbp(1440).String() + " true true",
		"adjustment/dispute " + dispute.ID + " " + gbp(1440).String() + " true true", "payout/payout " + po.ID + " " + po.Amount.String() + " false false", "stripe_fee/fee  " + pay.Money{}.String() + " false false",
		"charge/charge " + foreign.SourceID + " " + pay.Money{Minor: 2500, Currency: "USD"}.String() + " false true",
		"refund_failure/refund_failure " + refund.ID + " " + gbp(40).String() + " true true", "refund/refund " + refund.ID + " " + gbp(40).String() + " true true",
		"charge/charge " + s.Intent.Charge.ID + " " + gbp(1440).String() + " true true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}

	inside, err := b.gate.ListBalance(ctx, b.tenant, pay.BalanceInput{Payout: po.ID})
	if err != nil || len(inside.Transactions) != 6 {
		t.Fatalf("the payout contains %d, %v", len(inside.Transactions), err)
	}
	contained := int64(0)
	for _, l := range inside.Transactions {
		if l.Type != "payout" {
			contained += l.Net.Minor
		}
	}
	if po.Amount != eur(contained) {
		t.Errorf("a payout of %s contains %d", po.Amount, contained)
	}
	if rest := sum - contained; rest != -2000 {
		t.Errorf("beside what was paid out %d are in the balance; a won dispute costs 20.00", rest)
	}

	b.act("payout", `{"status":"manual"}`)
	payouts, err = b.gate.ListPayouts(ctx, b.tenant, po.CreatedAt, "")
	if err != nil || len(payouts.Payouts) != 2 || payouts.Payouts[0].Automatic || payouts.Payouts[1].Status != "failed" {
		t.Fatalf("%+v, %v", payouts, err)
	}
	_, err = b.gate.ListBalance(ctx, b.tenant, pay.BalanceInput{Payout: payouts.Payouts[0].ID})
	if f := faultOf(t, err); f.Kind != pay.FaultRejected {
		t.Errorf("taking a manual payout apart gave %v", f)
	}
	older, err := b.gate.ListPayouts(ctx, b.tenant, time.Time{}, payouts.Payouts[0].ID)
	if err != nil || len(older.Payouts) != 1 || older.Payouts[0].ID != po.ID {
		t.Errorf("after the newest payout come %+v, %v", older, err)
	}
}

func TestTheWholeBalanceIsReadByPages(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	if _, err := b.gate.Account(t.Context(), b.tenant); err != nil { // makes the account
		t.Fatal(err)
	}
	for range 230 {
		b.act("fee", `{"amount":1,"currency":"gbp"}`)
	}
	seen, after, pages := map[string]bool{}, "", 0
	for more := true; more; pages++ {
		page, err := b.gate.ListBalance(t.Context(), b.tenant, pay.BalanceInput{After: after})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range page.Transactions {
			seen[l.ID], after = true, l.ID
		}
		more = page.More
	}
	if len(seen) != 230 || pages != 3 {
		t.Errorf("%d lines on %d pages, want 230 on 3", len(seen), pages)
	}
}
