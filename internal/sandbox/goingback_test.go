package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// paidBy charges £50.00 and returns the ids of intent and charge.
func (b *bench) paidBy(method string) (intent, charge string) {
	b.t.Helper()
	a := b.raw(http.MethodPost, "/v1/payment_intents", "amount=5000&currency=gbp&payment_method_types[]=card&confirm=true&payment_method="+method)
	if a.status != http.StatusOK {
		b.t.Fatalf("%s", a.body)
	}
	return a.field(b.t, "id").(string), a.field(b.t, "latest_charge").(string)
}

// act does an action that must be taken.
func (b *bench) act(name string, body map[string]any) rawAnswer {
	b.t.Helper()
	a := b.sandboxPost("/_sandbox/actions/"+name, body)
	if a.status != http.StatusOK {
		b.t.Fatalf("%s %v: %d %s", name, body, a.status, a.body)
	}
	return a
}

// balance sums what all balance transactions leave, in minor units.
func (b *bench) balance() (sum int64) {
	b.t.Helper()
	list, _ := b.raw(http.MethodGet, "/v1/balance_transactions?limit=100", "").field(b.t, "data").([]any)
	for _, v := range list {
		net, err := v.(map[string]any)["net"].(json.Number).Int64()
		if err != nil {
			b.t.Fatal(err)
		}
		sum += net
	}
	return sum
}

const paidNet = 5000 - 95 // £50.00 less the fee of 1.5 % and 20p

func TestDisputes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sentence, method, reason, status string
		after                            int64
	}{
		{"FraudTakesTheMoney", "pm_card_createDispute", "fraudulent", "needs_response", paidNet - 7000},
		{"GoodsNotReceivedTakesTheMoney", "pm_card_createDisputeProductNotReceived", "product_not_received", "needs_response", paidNet - 7000},
		{"AnInquiryTakesNothing", "pm_card_createDisputeInquiry", "fraudulent", "warning_needs_response", paidNet},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			_, charge := b.paidBy(c.method)
			list, _ := b.raw(http.MethodGet, "/v1/disputes?charge="+charge, "").field(t, "data").([]any)
			if len(list) != 1 {
				t.Fatalf("%d disputes", len(list))
			}
			d := list[0].(map[string]any)
			if d["reason"] != c.reason || d["status"] != c.status || b.balance() != c.after || b.raw(http.MethodGet, "/v1/charges/"+charge, "").field(t, "disputed") != true {
				t.Errorf("balance %d, dispute %v", b.balance(), d)
			}
			due, err := d["evidence_details"].(map[string]any)["due_by"].(json.Number).Int64()
			if err != nil || due <= b.clock.Now().Unix() {
				t.Errorf("due by %d", due)
			}
			refund := b.raw(http.MethodPost, "/v1/refunds", "charge="+charge+"&amount=100")
			if c.status == "needs_response" {
				refund.refused(t, 400, "charge_disputed", "")
				moves := d["balance_transactions"].([]any)
				if m := moves[0].(map[string]any); len(moves) != 1 || fmt.Sprintf("%v %v %v", m["amount"], m["fee"], m["net"]) != "-5000 2000 -7000" {
					t.Errorf("moves %v", moves)
				}
			} else if refund.status != 200 {
				t.Errorf("refunding during an inquiry: %s", refund.body)
			}
		})
	}
	for _, c := range []struct {
		outcome string
		after   int64
		moves   int
	}{{"won", paidNet - 2000, 2}, {"lost", paidNet - 7000, 1}} {
		t.Run("ADisputeIs"+strings.ToUpper(c.outcome[:1])+c.outcome[1:], func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			intent, charge := b.paidBy("pm_card_visa")
			id := b.act("dispute", map[string]any{"id": intent}).field(t, "id").(string)
			a := b.act("dispute", map[string]any{"id": id, "outcome": c.outcome})
			if moves := a.field(t, "balance_transactions").([]any); a.field(t, "status") != c.outcome || len(moves) != c.moves || b.balance() != c.after {
				t.Errorf("balance %d, %s", b.balance(), a.body)
			}
			refund := b.raw(http.MethodPost, "/v1/refunds", "charge="+charge)
			if c.outcome == "won" && refund.status != 200 {
				t.Errorf("refunding after winning: %s", refund.body)
			} else if c.outcome == "lost" {
				refund.refused(t, 400, "charge_disputed", "")
			}
			b.raw(http.MethodPost, "/v1/disputes/"+id+"/close", "").refused(t, 400, "dispute_closed", "")
			if types := b.eventTypes(); slices.Contains(types, "charge.dispute.funds_reinstated") != (c.outcome == "won") || !slices.Contains(types, "charge.dispute.closed") {
				t.Errorf("events %v", types)
			}
		})
	}
	t.Run("PartOfAPaymentIsDisputed", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, charge := b.paidBy("pm_card_visa")
		b.act("dispute", map[string]any{"id": charge, "amount": 1500})
		if b.balance() != paidNet-1500-2000 {
			t.Errorf("balance %d", b.balance())
		}
	})
	t.Run("AnInquiryIsClosedOrBecomesADispute", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		first, _ := b.paidBy("pm_card_visa")
		second, _ := b.paidBy("pm_card_visa")
		inquiry := map[string]any{"id": first, "status": "warning_needs_response", "reason": "product_not_received"}
		closed := b.act("dispute", inquiry).field(t, "id")
		inquiry["id"] = second
		grown := b.act("dispute", inquiry).field(t, "id")
		if b.balance() != 2*paidNet {
			t.Fatalf("an inquiry moved money: %d", b.balance())
		}
		if a := b.act("dispute", map[string]any{"id": closed, "outcome": "warning_closed"}); a.field(t, "status") != "warning_closed" || b.balance() != 2*paidNet {
			t.Errorf("closed: %s", a.body)
		}
		if a := b.act("dispute", map[string]any{"id": grown, "outcome": "needs_response"}); a.field(t, "status") != "needs_response" || a.field(t, "is_charge_refundable") != false || b.balance() != 2*paidNet-7000 {
			t.Errorf("grown: %s", a.body)
		}
		for id, want := range map[any]int{closed: 409, grown: 409} {
			if a := b.sandboxPost("/_sandbox/actions/dispute", map[string]any{"id": id, "outcome": "warning_closed"}); a.status != want {
				t.Errorf("closing %v as an inquiry: %d", id, a.status)
			}
		}
		if a := b.sandboxPost("/_sandbox/actions/dispute", map[string]any{"id": grown, "outcome": "perhaps"}); a.status != 400 || a.field(t, "error", "field") != "outcome" {
			t.Errorf("%d %s", a.status, a.body)
		}
		if a := b.act("dispute", map[string]any{"id": grown, "outcome": "won"}); a.field(t, "status") != "won" || b.balance() != 2*paidNet-2000 {
			t.Errorf("won: %s", a.body)
		}
	})
	t.Run("AFullRefundEndsAnInquiry", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, charge := b.paidBy("pm_card_createDisputeInquiry")
		b.made("/v1/refunds", "charge="+charge+"&amount=1000")
		status := func() any {
			return b.raw(http.MethodGet, "/v1/disputes", "").field(t, "data").([]any)[0].(map[string]any)["status"]
		}
		if status() != "warning_needs_response" {
			t.Errorf("after a part: %v", status())
		}
		b.made("/v1/refunds", "charge="+charge)
		if status() != "warning_closed" {
			t.Errorf("after all of it: %v", status())
		}
	})
	t.Run("EvidenceIsKeptAndTold", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		intent, _ := b.paidBy("pm_card_visa")
		id := b.act("dispute", map[string]any{"id": intent}).field(t, "id").(string)
		a := b.raw(http.MethodPost, "/v1/disputes/"+id, "evidence[uncategorized_text]=losing_evidence&submit=true")
		if a.field(t, "status") != "under_review" || a.field(t, "evidence_details", "has_evidence") != true {
			t.Errorf("%s", a.body)
		}
		b.clock.Add(time.Minute)
		if a = b.raw(http.MethodGet, "/v1/disputes/"+id, ""); a.field(t, "status") != "lost" {
			t.Errorf("%s", a.body)
		}
		if types := b.eventTypes(); !slices.Contains(types, "charge.dispute.updated") {
			t.Errorf("events %v", types)
		}
	})
}

func TestRefundsThatTakeTheirTime(t *testing.T) {
	t.Parallel()
	t.Run("APendingOneSucceeds", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		intent, charge := b.paidBy("pm_card_pendingRefund")
		a := b.raw(http.MethodPost, "/v1/refunds", "payment_intent="+intent+"&reason=requested_by_customer&metadata[order]=7")
		id, _ := a.field(t, "id").(string)
		if a.field(t, "status") != "pending" || b.balance() != -95 {
			t.Fatalf("%s", a.body)
		}
		b.raw(http.MethodPost, "/v1/refunds", "payment_intent="+intent).refused(t, 400, "charge_already_refunded", "")
		b.clock.Add(time.Minute)
		a = b.raw(http.MethodGet, "/v1/refunds/"+id, "")
		if a.field(t, "status") != "succeeded" || a.field(t, "reason") != "requested_by_customer" || a.field(t, "metadata", "order") != "7" || b.balance() != -95 {
			t.Errorf("later: %s", a.body)
		}
		if b.raw(http.MethodGet, "/v1/charges/"+charge, "").field(t, "refunded") != true {
			t.Error("the charge is not refunded")
		}
		types := b.eventTypes()
		for _, want := range []string{"refund.created", "charge.refunded", "refund.updated", "charge.refund.updated"} {
			if !slices.Contains(types, want) {
				t.Errorf("no %s in %v", want, types)
			}
		}
	})
	t.Run("APersonSettlesOrFailsOne", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		intent, charge := b.paidBy("pm_card_visa")
		first := b.act("refund", map[string]any{"id": intent, "amount": 1000, "status": "pending"}).field(t, "id").(string)
		second := b.act("refund", map[string]any{"id": intent, "amount": 500, "status": "pending"}).field(t, "id").(string)
		b.clock.Add(time.Hour)
		if a := b.raw(http.MethodGet, "/v1/refunds/"+first, ""); a.field(t, "status") != "pending" {
			t.Fatalf("by itself it became %v", a.field(t, "status"))
		}
		if a := b.act("settle_refund", map[string]any{"id": first}); a.field(t, "status") != "succeeded" {
			t.Errorf("settled: %s", a.body)
		}
		a := b.act("fail_refund", map[string]any{"id": second})
		if a.field(t, "status") != "failed" || a.field(t, "failure_reason") != "lost_or_stolen_card" {
			t.Errorf("failed: %s", a.body)
		}
		back, _ := a.field(t, "failure_balance_transaction").(string)
		if txn := b.raw(http.MethodGet, "/v1/balance_transactions/"+back, ""); txn.field(t, "type") != "refund_failure" || fmt.Sprint(txn.field(t, "amount")) != "500" || txn.field(t, "source") != second {
			t.Errorf("the money's way back: %s", txn.body)
		}
		// A bank can send back what had succeeded.
		b.act("fail_refund", map[string]any{"id": first, "reason": "expired_or_canceled_card"})
		c := b.raw(http.MethodGet, "/v1/charges/"+charge, "")
		if fmt.Sprint(c.field(t, "amount_refunded")) != "0" || c.field(t, "refunded") != false || b.balance() != paidNet {
			t.Errorf("balance %d, charge %s", b.balance(), c.body)
		}
		for _, action := range []string{"settle_refund", "fail_refund"} {
			if a := b.sandboxPost("/_sandbox/actions/"+action, map[string]any{"id": first}); a.status != 409 {
				t.Errorf("%s once more: %d", action, a.status)
			}
			if a := b.sandboxPost("/_sandbox/actions/"+action, map[string]any{"id": "re_nothing"}); a.status != 404 {
				t.Errorf("%s of nothing: %d", action, a.status)
			}
		}
		third := b.act("refund", map[string]any{"id": intent}).field(t, "id")
		if a := b.sandboxPost("/_sandbox/actions/fail_refund", map[string]any{"id": third, "reason": "bad_mood"}); a.status != 400 {
			t.Errorf("an unknown reason: %d", a.status)
		}
		if a := b.sandboxPost("/_sandbox/actions/refund", map[string]any{"id": intent, "status": "lost"}); a.status != 400 && a.status != 409 {
			t.Errorf("an unknown status: %d", a.status)
		}
	})
	t.Run("OneCanBeCanceledWhileItIsPending", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		intent, _ := b.paidBy("pm_card_pendingRefund")
		id := b.made("/v1/refunds", "payment_intent="+intent)
		a := b.raw(http.MethodPost, "/v1/refunds/"+id+"/cancel", "")
		if a.field(t, "status") != "canceled" || a.field(t, "failure_balance_transaction") == nil || b.balance() != paidNet {
			t.Errorf("balance %d, %s", b.balance(), a.body)
		}
		b.clock.Add(time.Minute)
		if a = b.raw(http.MethodGet, "/v1/refunds/"+id, ""); a.field(t, "status") != "canceled" || b.balance() != paidNet {
			t.Errorf("later: %s", a.body)
		}
		if a = b.raw(http.MethodPost, "/v1/refunds/"+id+"/cancel", ""); a.status != 400 {
			t.Errorf("canceled twice: %d", a.status)
		}
	})
	t.Run("NeitherADeclinedNorAnOpenPaymentIsRefunded", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		failed := b.raw(http.MethodPost, "/v1/payment_intents", "amount=5000&currency=gbp&payment_method_types[]=card&confirm=true&payment_method=pm_card_chargeDeclined").field(t, "error", "charge").(string)
		open := b.made("/v1/payment_intents", "amount=5000&currency=gbp")
		debit := b.made("/v1/payment_intents", "amount=5000&currency=gbp&payment_method_types[]=bacs_debit&confirm=true&payment_method=pm_bacsDebit_success")
		for _, form := range []string{"charge=" + failed, "payment_intent=" + open, "payment_intent=" + debit, "charge=ch_nothing", ""} {
			if a := b.raw(http.MethodPost, "/v1/refunds", form); a.status != 400 {
				t.Errorf("%q: %d %s", form, a.status, a.body)
			}
		}
	})
}

func TestAmountsAreRefusedAsByStripe(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, c := range []struct{ sentence, amount, currency, code string }{
		{"FortyNineYenAreTooFew", "49", "jpy", "amount_too_small"},
		{"FiftyYenAreEnough", "50", "jpy", ""},
		{"FortyNineCentsAreTooFew", "49", "usd", "amount_too_small"},
		{"ThirtyPenceAreEnough", "30", "gbp", ""},
		{"NothingIsTooLittle", "0", "chf", "amount_too_small"},
		{"ANegativeAmountIsNone", "-100", "gbp", "parameter_invalid_integer"},
		{"EightDigitsAreTheMost", "99999999", "eur", ""},
		{"NineDigitsAreTooMany", "100000000", "jpy", "amount_too_large"},
		{"DinarsEndInZero", "12345", "kwd", "parameter_invalid_integer"},
		{"DinarsThatEndInZeroAreTaken", "12340", "kwd", ""},
		{"KronurHaveNoDecimals", "12345", "isk", "parameter_invalid_integer"},
		{"WholeKronurAreTaken", "12300", "isk", ""},
		{"ShillingsHaveNoDecimals", "500050", "ugx", "parameter_invalid_integer"},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			t.Parallel()
			a := b.raw(http.MethodPost, "/v1/payment_intents", "payment_method_types[]=card&amount="+c.amount+"&currency="+c.currency)
			if c.code == "" {
				if a.status != 200 {
					t.Errorf("%d %s", a.status, a.body)
				}
				return
			}
			a.refused(t, 400, c.code, "amount")
		})
	}
	t.Run("ARefundFollowsTheSameRules", func(t *testing.T) {
		t.Parallel()
		intent := b.made("/v1/payment_intents", "amount=12340&currency=kwd&payment_method_types[]=card&confirm=true&payment_method=pm_card_visa")
		b.raw(http.MethodPost, "/v1/refunds", "payment_intent="+intent+"&amount=15").refused(t, 400, "parameter_invalid_integer", "amount")
		b.raw(http.MethodPost, "/v1/refunds", "payment_intent="+intent+"&amount=12350").refused(t, 400, "", "amount")
		b.made("/v1/refunds", "payment_intent="+intent+"&amount=20")
	})
}

func TestTheConsoleOffersWhatCanBeDone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer("email=jo@example.com")
	method := b.attached("pm_card_visa", customer)
	_, disputed := b.paidBy("pm_card_createDispute")
	_, asked := b.paidBy("pm_card_createDisputeInquiry")
	intent, _ := b.paidBy("pm_card_visa")
	refund := b.act("refund", map[string]any{"id": intent, "amount": 100, "status": "pending"}).field(t, "id").(string)
	dispute, inquiry := b.ids("/v1/disputes?charge=" + disputed)[0], b.ids("/v1/disputes?charge=" + asked)[0]
	page := b.get("/_sandbox").text()
	for _, label := range []string{"Delete " + customer, "Detach " + method, "Win " + dispute, "Lose " + dispute, "Escalate " + inquiry, "Close " + inquiry, "Settle " + refund, "Fail " + refund} {
		if !strings.Contains(page, `aria-label="`+label+`"`) {
			t.Errorf("the console lacks %q", label)
		}
	}
	if a := b.submit("/_sandbox/actions/dispute", map[string][]string{"id": {dispute}, "outcome": {"won"}}); a.status != http.StatusSeeOther {
		t.Fatalf("a button answered %d", a.status)
	}
	if page = b.get("/_sandbox").text(); strings.Contains(page, "Win "+dispute) {
		t.Error("a dispute that is won can still be won")
	}
	if a := b.sandboxPost("/_sandbox/actions/steal", map[string]any{}); a.status != 404 || !strings.Contains(a.text(), "delete_customer, detach, dispute") {
		t.Errorf("%d %s", a.status, a.body)
	}
}
