package stripegate

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/pay"
)

func refundInput() pay.RefundInput {
	return pay.RefundInput{IntentID: paidIntent, Amount: pay.Money{Minor: 500, Currency: "GBP"}, Reason: "duplicate",
		Metadata: map[string]string{pay.MetaRefund: "rfr_01", pay.MetaTenant: "ten_01"}}
}

// refundObject is refundInput as Stripe answers it; more follows its fields.
func refundObject(id, request, more string) string {
	return fmt.Sprintf(`{"id":%q,"object":"refund","amount":500,"currency":"gbp","status":"pending","reason":"duplicate","created":1711000300,
		"payment_intent":%q,"metadata":{"portatill_refund":%q}%s}`, id, paidIntent, request, more)
}

func TestMoneyIsGivenBack(t *testing.T) {
	t.Parallel()

	t.Run("AsItWasAsked", func(t *testing.T) {
		t.Parallel()
		d := always(200, refundObject("re_1", "rfr_01", ""))
		got, err := gateTo(t, d).CreateRefund(t.Context(), testTenant(), refundInput(), "k")
		if err != nil {
			t.Fatal(err)
		}
		want := &pay.StripeRefund{ID: "re_1", Status: pay.RefundPending, Amount: pay.Money{Minor: 500, Currency: "GBP"}, Reason: "duplicate", Request: "rfr_01",
			CreatedAt: time.Unix(1711000300, 0).UTC()}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		r := d.requests()[0]
		for name, want := range map[string]string{"payment_intent": paidIntent, "amount": "500", "reason": "duplicate", "metadata[portatill_refund]": "rfr_01", "currency": ""} {
			if got := r.value(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if r.IdempotencyKey != "k" {
			t.Errorf("the key is %q", r.IdempotencyKey)
		}
		in := refundInput()
		in.Reason = ""
		if _, err := gateTo(t, d).CreateRefund(t.Context(), testTenant(), in, "k"); err != nil {
			t.Fatal(err)
		}
		if _, sent := d.requests()[1].Form["reason"]; sent {
			t.Error("an empty reason was sent")
		}
	})

	t.Run("StripesCapIsARefusalWithItsCode", func(t *testing.T) {
		t.Parallel()
		for text, want := range map[string]pay.StripeFault{
			`"code":"charge_already_refunded"`: {Code: "charge_already_refunded"},
			`"param":"amount"`:                 {Code: "invalid_request_error", Param: "amount"},
		} {
			d := always(400, `{"error":{"type":"invalid_request_error","message":"Canary",`+text+`}}`)
			_, err := gateTo(t, d).CreateRefund(t.Context(), testTenant(), refundInput(), "k")
			if f := faultOf(t, err); f.Kind != pay.FaultRejected || f.Code != want.Code || f.Param != want.Param {
				t.Errorf("%s gave %+v", text, f)
			}
		}
	})

	t.Run("AnotherRefundThanAskedForIsNoAnswer", func(t *testing.T) {
		t.Parallel()
		for _, text := range []string{refundObject("re_1", "rfr_99", ""), refundObject("re_1", "rfr_01", `,"amount":501`), refundObject("re_1", "rfr_01", `,"currency":"usd"`),
			refundObject("re_1", "rfr_01", `,"payment_intent":"pi_other"`), refundObject("xx_1", "rfr_01", ""), "{}", "null", `"re_1"`} {
			_, err := gateTo(t, always(200, text)).CreateRefund(t.Context(), testTenant(), refundInput(), "k")
			if f := faultOf(t, err); f.Kind != pay.FaultUnavailable {
				t.Errorf("%s gave %v", text, f)
			}
		}
	})

	t.Run("WhatCouldNotBeFoundAgainIsNotSent", func(t *testing.T) {
		t.Parallel()
		for name, change := range map[string]func(in *pay.RefundInput){
			"no amount":   func(in *pay.RefundInput) { in.Amount.Minor = 0 },
			"less":        func(in *pay.RefundInput) { in.Amount.Minor = -5 },
			"no currency": func(in *pay.RefundInput) { in.Amount.Currency = "" },
			"no mark":     func(in *pay.RefundInput) { in.Metadata = nil },
			"no intent":   func(in *pay.RefundInput) { in.IntentID = "ch_1" },
		} {
			d, in := always(200, refundObject("re_1", "rfr_01", "")), refundInput()
			change(&in)
			if _, err := gateTo(t, d).CreateRefund(t.Context(), testTenant(), in, "k"); err == nil || len(d.requests()) != 0 {
				t.Errorf("%s: got %v after %d calls", name, err, len(d.requests()))
			}
		}
	})

	t.Run("AChargeNamesTheRequestOfItsRefund", func(t *testing.T) {
		t.Parallel()
		text := edit(t, part(t, "payment_intent"), func(o map[string]any) {
			in(o, "latest_charge", "refunds")["data"].([]any)[0].(map[string]any)["metadata"] = map[string]any{pay.MetaRefund: "rfr_01"}
		})
		i, err := gateTo(t, always(200, text)).Intent(t.Context(), testTenant(), paidIntent)
		if err != nil || i.Charge.Refunds[1].Request != "rfr_01" || i.Charge.Refunds[0].Request != "" {
			t.Errorf("got %+v, %v", i.Charge.Refunds, err)
		}
	})
}

func TestDisputesOfAChargeAreRead(t *testing.T) {
	t.Parallel()
	disputed := edit(t, part(t, "payment_intent"), func(o map[string]any) {
		in(o, "latest_charge")["disputed"], in(o, "latest_charge")["payment_intent"] = true, paidIntent
	})
	move := func(id string, amount, fee int) string {
		return fmt.Sprintf(`{"id":%q,"object":"balance_transaction","amount":%d,"fee":%d,"net":%d,"currency":"eur","fee_details":[]}`, id, amount, fee, amount-fee)
	}
	dispute := func(id, status string, created int, moves string) string {
		return fmt.Sprintf(`{"id":%q,"object":"dispute","amount":1440,"currency":"gbp","reason":"fraudulent","status":%q,"created":%d,"charge":%q,
			"evidence_details":{"due_by":1712000000},"balance_transactions":[%s]}`, id, status, created, paidCharge, moves)
	}
	gbp := pay.Money{Minor: 1440, Currency: "GBP"}
	eur := func(minor int64) pay.Money { return pay.Money{Minor: minor, Currency: "EUR"} }
	at := func(unix int64) time.Time { return time.Unix(unix, 0).UTC() }
	read := func(t *testing.T, d *double) ([]pay.StripeDispute, error) {
		i, err := gateTo(t, d).Intent(t.Context(), testTenant(), paidIntent)
		if err != nil {
			return nil, err
		}
		return i.Charge.Disputes, nil
	}

	t.Run("OldestFirstWithWhatLeftAndWhatCameBack", func(t *testing.T) {
		t.Parallel()
		d := &double{answer: func(r request) (int, string) {
			switch {
			case r.Path == oneIntent:
				return 200, disputed
			case r.Path != "/v1/disputes" || r.value("payment_intent") != paidIntent || r.value("charge") != "" || r.value("limit") != "100":
				return 404, notFound
			case r.value("starting_after") == "":
				return 200, listOf(true, dispute("du_3", "a_new_status", 20, ""), dispute("dp_2", "won", 20, move("txn_2", -1690, 2000)+","+move("txn_3", 1690, -2000)))
			case r.value("starting_after") == "dp_2":
				return 200, listOf(false, dispute("dp_1", "lost", 10, move("txn_1", -1690, 2000)))
			}
			return 404, notFound
		}}
		got, err := read(t, d)
		if err != nil {
			t.Fatal(err)
		}
		taken := func(id string) *pay.StripeBalanceTransaction {
			return &pay.StripeBalanceTransaction{ID: id, Amount: eur(1690), Fee: eur(2000), TaxFee: eur(0), Net: eur(3690)}
		}
		want := []pay.StripeDispute{
			{ID: "dp_1", Status: pay.DisputeLost, Amount: gbp, Reason: "fraudulent", DueBy: at(1712000000), Withdrawn: taken("txn_1"), CreatedAt: at(10)},
			{ID: "dp_2", Status: pay.DisputeWon, Amount: gbp, Reason: "fraudulent", DueBy: at(1712000000), Withdrawn: taken("txn_2"), CreatedAt: at(20),
				Reinstated: &pay.StripeBalanceTransaction{ID: "txn_3", Amount: eur(1690), Fee: eur(-2000), TaxFee: eur(0), Net: eur(3690)}},
			{ID: "du_3", Status: "a_new_status", Amount: gbp, Reason: "fraudulent", DueBy: at(1712000000), CreatedAt: at(20)},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})

	t.Run("OnlyWhereThereAreAny", func(t *testing.T) {
		t.Parallel()
		d := always(200, part(t, "payment_intent"))
		if got, err := read(t, d); err != nil || got != nil || len(d.requests()) != 1 {
			t.Errorf("got %v, %v after %v", got, err, callsOf(d))
		}
	})

	t.Run("ABrokenListIsNoFact", func(t *testing.T) {
		t.Parallel()
		for _, broken := range []string{"{}", "null", listOf(false, "null"), listOf(false, `"dp_1"`), listOf(false, `{"object":"dispute"}`), listOf(false, `{"id":"dp_1","object":"charge"}`),
			listOf(false, dispute("dp_1", "lost", 1, "null")), listOf(false, dispute("dp_1", "lost", 1, "{}")), listOf(true, dispute("dp_1", "lost", 1, ""))} {
			_, err := read(t, script(map[string]string{"GET " + oneIntent: disputed, "GET /v1/disputes": broken}))
			if f := faultOf(t, err); f.Kind != pay.FaultUnavailable || f.Code != "answer_unreadable" {
				t.Errorf("%s gave %v", broken, f)
			}
		}
	})

	t.Run("AChargeWithoutAnIntentIsAskedForItself", func(t *testing.T) {
		t.Parallel()
		bare := edit(t, disputed, func(o map[string]any) { delete(in(o, "latest_charge"), "payment_intent") })
		d := script(map[string]string{"GET " + oneIntent: bare, "GET /v1/disputes": listOf(false, dispute("dp_1", "lost", 1, ""))})
		got, err := read(t, d)
		if err != nil || len(got) != 1 || got[0].Withdrawn != nil || d.requests()[1].value("charge") != paidCharge {
			t.Errorf("got %v, %v", got, err)
		}
	})
}
