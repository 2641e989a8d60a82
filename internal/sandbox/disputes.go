package sandbox

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// disputeFeeMinor is what a dispute costs, whether it is won or not.
const disputeFeeMinor = 2000

// reviewMs is how long the bank takes over submitted evidence; at Stripe's test mode it is about as short.
const reviewMs = 1000

var disputeReasons = []string{"bank_cannot_process", "check_returned", "credit_not_processed", "customer_initiated", "debit_not_authorized", "duplicate", "fraudulent",
	"general", "incorrect_account_details", "insufficient_funds", "product_not_received", "product_unacceptable", "subscription_canceled", "unrecognized"}

var evidenceFields = []string{"access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure", "cancellation_rebuttal",
	"customer_communication", "customer_email_address", "customer_name", "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation",
	"duplicate_charge_explanation", "duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
	"refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier", "shipping_date", "shipping_documentation",
	"shipping_tracking_number", "uncategorized_file", "uncategorized_text"}

// openDispute lets the customer's bank take the money back. An inquiry asks first and takes nothing yet.
func (c *call) openDispute(charge *record, amount int64, reason string, inquiry bool) *record {
	o := charge.obj
	evidence := object{}
	for _, field := range evidenceFields {
		evidence[field] = nil
	}
	status := "needs_response"
	if inquiry {
		status = "warning_needs_response"
	}
	due := time.Unix(c.now+7*daySeconds, 0).UTC().Truncate(24 * time.Hour).Add(24*time.Hour - time.Second).Unix()
	dispute := object{
		"id": newID("dp"), "object": "dispute", "amount": amount, "balance_transactions": []any{}, "charge": charge.id, "created": c.now,
		"currency": str(o, "currency"), "evidence": evidence,
		"evidence_details":     object{"due_by": due, "has_evidence": false, "past_due": false, "submission_count": int64(0)},
		"is_charge_refundable": inquiry, "livemode": false, "metadata": object{}, "payment_intent": o["payment_intent"], "reason": reason, "status": status,
	}
	if details := sub(o, "payment_method_details"); str(details, "type") == "card" {
		dispute["payment_method_details"] = object{"type": "card", "card": object{"brand": str(sub(details, "card"), "brand"), "network_reason_code": "10.4"}}
	}
	r := c.add(c.account, dispute)
	o["disputed"], o["_refundable_dispute"] = true, inquiry
	c.touch(charge)
	c.emit("charge.dispute.created", dispute, nil)
	if !inquiry {
		c.bookDispute(r, -1, disputeFeeMinor)
		c.emit("charge.dispute.funds_withdrawn", dispute, nil)
	}
	c.emit("charge.updated", o, object{"disputed": false})
	return r
}

// bookDispute moves the disputed amount out of (sign -1) or back into (sign 1) the balance.
func (c *call) bookDispute(r *record, sign, fee int64) {
	id := c.book(entry{kind: "adjustment", category: map[int64]string{-1: "dispute", 1: "dispute_reversal"}[sign], amount: sign * num(r.obj, "amount"), fee: fee,
		currency: str(r.obj, "currency"), source: r.id, description: map[int64]string{-1: "Chargeback withdrawal for ", 1: "Chargeback reversal for "}[sign] + str(r.obj, "charge"), availableOn: c.now, feeText: "Dispute fee"})
	// The dispute shows whole balance transactions, not their ids.
	r.obj["balance_transactions"] = append(slices.Clone(items(r.obj, "balance_transactions")), clone(visible(c.records[id].obj)))
	c.touch(r)
}

// isInquiry says whether the bank only asks so far and has taken nothing.
func isInquiry(dispute object) bool {
	return strings.HasPrefix(str(dispute, "status"), "warning_")
}

// escalateDispute turns an inquiry into a dispute: now the bank takes the money.
func (c *call) escalateDispute(r *record) {
	changed := maps.Clone(r.obj)
	changed["status"], changed["is_charge_refundable"] = "needs_response", false
	delete(changed, "_verdict")
	delete(changed, "_settle_at_ms")
	c.replace(r, changed, "charge.dispute.updated")
	if charge := c.getKind(c.account, "charge", str(r.obj, "charge")); charge != nil {
		charge.obj["_refundable_dispute"] = false
		c.touch(charge)
	}
	c.bookDispute(r, -1, disputeFeeMinor)
	c.emit("charge.dispute.funds_withdrawn", r.obj, nil)
}

// closeInquiries ends the inquiries about a charge that was refunded in full: there is nothing left to ask for
// (https://stripe.com/docs/disputes/how-disputes-work#inquiries).
func (c *call) closeInquiries(charge string) {
	for _, r := range c.account.with("dispute", "charge", charge) {
		if isInquiry(r.obj) {
			c.closeDispute(r, "warning_closed")
		}
	}
}

// closeDispute ends it: won gives the money back (not the fee), lost leaves it with the customer. One that was lost may
// still be won, when the bank thinks again (https://stripe.com/docs/disputes/how-disputes-work).
func (c *call) closeDispute(r *record, verdict string) {
	status := str(r.obj, "status")
	late := status == "lost" && verdict == "won"
	if !late && slices.Contains([]string{"won", "lost", "warning_closed"}, status) {
		return
	}
	if isInquiry(r.obj) {
		verdict = "warning_closed"
	}
	r.obj["status"] = verdict
	delete(r.obj, "_verdict")
	delete(r.obj, "_settle_at_ms")
	c.touch(r)
	if verdict != "lost" {
		if charge := c.getKind(c.account, "charge", str(r.obj, "charge")); charge != nil {
			charge.obj["_refundable_dispute"] = true
			c.touch(charge)
		}
	}
	if verdict == "won" {
		c.bookDispute(r, 1, 0)
		c.emit("charge.dispute.funds_reinstated", r.obj, nil)
	}
	c.emit("charge.dispute.closed", r.obj, nil)
}

func (c *call) disputeOfPath() (*record, *apiError) {
	if r := c.getKind(c.account, "dispute", c.path("dispute")); r != nil {
		return r, nil
	}
	return nil, missing("dispute", "dispute", c.path("dispute"))
}

func getDispute(c *call) (any, *apiError) {
	r, err := c.disputeOfPath()
	if err != nil {
		return nil, err
	}
	return r.obj, nil
}

func listDisputes(c *call) (any, *apiError) {
	return c.listOf(c.among("dispute", "charge", "payment_intent"), "dispute", "/v1/disputes", c.equals("charge", "payment_intent"))
}

func updateDispute(c *call) (any, *apiError) {
	r, err := c.disputeOfPath()
	if err != nil {
		return nil, err
	}
	changed := maps.Clone(r.obj)
	if changed["metadata"], err = mergeMetadata(sub(r.obj, "metadata"), c.params); err != nil {
		return nil, err
	}
	status := str(r.obj, "status")
	evidence := sub(c.params, "evidence")
	if evidence != nil && status != "needs_response" && status != "warning_needs_response" {
		return nil, invalid("", "evidence", "This dispute is %s; evidence can only be given while a response is needed.", status)
	}
	if evidence != nil {
		merged := maps.Clone(sub(r.obj, "evidence"))
		for key := range evidence {
			merged[key] = given(evidence, key)
		}
		details := maps.Clone(sub(r.obj, "evidence_details"))
		details["has_evidence"] = true
		submit, said := c.params["submit"].(bool)
		if submit || !said {
			details["submission_count"] = num(details, "submission_count") + 1
			c.submitEvidence(changed, str(merged, "uncategorized_text"))
		}
		changed["evidence"], changed["evidence_details"] = merged, details
	}
	c.replace(r, changed, "charge.dispute.updated")
	return r.obj, nil
}

// submitEvidence hands it to the bank, which decides as https://stripe.com/docs/testing#disputes says: the texts
// winning_evidence and losing_evidence decide at once; anything else stays under review.
func (c *call) submitEvidence(dispute object, text string) {
	status := "under_review"
	if str(dispute, "status") == "warning_needs_response" {
		status = "warning_under_review"
	}
	dispute["status"] = status
	if verdict := map[string]string{"winning_evidence": "won", "losing_evidence": "lost"}[text]; verdict != "" {
		dispute["_verdict"], dispute["_settle_at_ms"] = verdict, c.Server.now().UnixMilli()+reviewMs
	}
}

func closeDisputeCall(c *call) (any, *apiError) {
	r, err := c.disputeOfPath()
	if err != nil {
		return nil, err
	}
	if status := str(r.obj, "status"); status != "needs_response" && status != "warning_needs_response" {
		return nil, invalid("dispute_closed", "", "This dispute is already %s.", status)
	}
	c.closeDispute(r, "lost")
	return r.obj, nil
}
