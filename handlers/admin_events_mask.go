package handlers

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/portatill/portatill/pay"
)

// masked stands in place of a text that may name a person or open something.
const masked = "•••"

// shownKeys are the fields of Stripe's objects whose texts are nobody's: what is not named
// here is masked, so that a field of tomorrow's is, too.
var shownKeys = map[string]bool{"object": true, "type": true, "status": true, "currency": true, "api_version": true, "mode": true, "payment_status": true, "brand": true, "network": true,
	"country": true, "funding": true, "reason": true, "failure_code": true, "decline_code": true, "code": true, "outcome": true, "risk_level": true, "network_status": true,
	"capture_method": true, "confirmation_method": true, "cancellation_reason": true, "balance_type": true, "reporting_category": true, "exchange_rate": true, "ui_mode": true, "usage": true,
	"setup_future_usage": true, "submit_type": true, "payment_method_collection": true, "customer_creation": true, "billing_address_collection": true, "source_type": true, "method": true}

// stripeIDs is what an id of Stripe's or ours looks like. A client secret begins with one
// and goes on.
var stripeIDs = regexp.MustCompile(`^[a-z]{2,8}_((test|live)_)?[A-Za-z0-9]{6,80}$`)

// secretPrefixes begin keys, which look like ids.
var secretPrefixes = []string{"sk_", "rk_", "pk_", "whsec_", "ek_", "tok_"}

// maskedPayload is an event's payload for staff to read: its structure, numbers, states
// and ids, without names, addresses, links and secrets.
func maskedPayload(raw []byte) string {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // an amount is shown as it came
	var v any
	if d.Decode(&v) != nil {
		return "The payload is no JSON; it is not shown."
	}
	text, err := json.MarshalIndent(mask("", v), "", "  ")
	if err != nil {
		return "The payload cannot be shown."
	}
	return string(text)
}

func mask(key string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, inner := range v {
			switch {
			case key == "metadata" && !ourMark(k): // whoever wrote it chose the name, too
				out[masked] = masked
			case key == "metadata":
				out[k] = inner
			case k == "address" || k == "phone" || k == "last4" || k == "exp_month" || k == "exp_year" || k == "fingerprint" || k == "ip":
				out[k] = masked
			default:
				out[k] = mask(k, inner)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = mask(key, inner)
		}
		return out
	case string:
		if v == "" || shownKeys[key] || harmlessID(v) {
			return v
		}
		return masked
	}
	return v
}

func ourMark(k string) bool {
	return k == pay.MetaOrder || k == pay.MetaAttempt || k == pay.MetaTenant || k == pay.MetaCustomer || k == pay.MetaICustomer
}

func harmlessID(s string) bool {
	if !stripeIDs.MatchString(s) {
		return false
	}
	for _, p := range secretPrefixes {
		if strings.HasPrefix(s, p) {
			return false
		}
	}
	return true
}
