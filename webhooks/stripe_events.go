package webhooks

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/portatill/portatill/pay"
)

// received is a verified event with what only the door needs to know.
type received struct {
	pay.Event
	account string // acct_… of a connected account; "" for the tenant's own
}

// readEvent takes from an event's bytes the few fields we use. Everything else in
// it is kept but never believed. Only what has no event's id and type is refused:
// a retry could not mend a field whose shape a later API version changed, so such
// an event is kept, and its object is left to the sweep. The error says what is
// missing.
func readEvent(body []byte) (*received, error) {
	var e struct {
		ID         string `json:"id"`
		Object     string `json:"object"`
		Type       string `json:"type"`
		APIVersion string `json:"api_version"`
		Account    string `json:"account"`
		Livemode   bool   `json:"livemode"`
		Data       struct {
			Object struct {
				ID            string `json:"id"`
				Object        string `json:"object"`
				PaymentIntent idOf   `json:"payment_intent"`
				Charge        idOf   `json:"charge"`
				Customer      idOf   `json:"customer"`
			} `json:"object"`
			// A payment method that was detached names its customer only here.
			Previous struct {
				Customer idOf `json:"customer"`
			} `json:"previous_attributes"`
		} `json:"data"`
		// A thin event ("v2.core.event") names its object here.
		RelatedObject struct {
			ID string `json:"id"`
		} `json:"related_object"`
	}
	// A field of another type is skipped and the rest is read all the same
	// (encoding/json, Unmarshal).
	if err := json.Unmarshal(body, &e); err != nil {
		if _, shape := errors.AsType[*json.UnmarshalTypeError](err); !shape {
			return nil, errors.New("it is not JSON")
		}
	}
	switch {
	case !strings.HasPrefix(e.ID, "evt_") || !stripeID(e.ID):
		return nil, errors.New("its id is not evt_ and letters or digits")
	case e.Type == "" || len(e.Type) > 255:
		return nil, errors.New("it has no type")
	}
	object := e.Data.Object
	r := &received{account: e.Account, Event: pay.Event{StripeID: e.ID, Type: storable(e.Type), APIVersion: storable(e.APIVersion),
		Livemode: e.Livemode, Payload: body}}
	switch object.Object {
	case "checkout.session", "payment_intent":
		r.ObjectID = object.ID
	case "charge", "refund", "dispute":
		// All facts about a payment are settled through its intent, so that two events
		// about one payment ask for the same thing.
		r.ObjectID = firstOf(string(object.PaymentIntent), string(object.Charge), object.ID)
	case "payment_method":
		r.ObjectID = firstOf(string(object.Customer), string(e.Data.Previous.Customer))
	case "customer":
		if e.Type == "customer.deleted" {
			r.ObjectID = object.ID
		}
	}
	if r.ObjectID == "" && e.Object == "v2.core.event" {
		r.ObjectID = e.RelatedObject.ID
	}
	// An intent that was only just made has no news in it.
	if !settles(r.ObjectID) || e.Type == "payment_intent.created" {
		r.ObjectID = ""
	}
	return r, nil
}

// stripeID reports whether the text can be an id of Stripe's: they are "opaque
// strings" of at most 255 characters (docs.stripe.com/upgrades), all of letters,
// digits and underscores, with something behind the prefix.
func stripeID(id string) bool {
	_, rest, _ := strings.Cut(id, "_")
	return rest != "" && len(id) <= 255 && !strings.ContainsFunc(id, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// storable is a text that both databases take: PostgreSQL's has no NUL.
func storable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
	return strings.ToValidUTF8(s[:min(len(s), 255)], "")
}

// settles reports whether pay.Settle takes the object.
func settles(id string) bool {
	prefix, _, ok := strings.Cut(id, "_")
	if !ok || !stripeID(id) {
		return false
	}
	switch prefix {
	case "cs", "pi", "ch", "py", "re", "pyr", "dp", "du", "cus":
		return true
	}
	return false
}

func firstOf(ids ...string) string {
	for _, id := range ids {
		if id != "" {
			return id
		}
	}
	return ""
}

// idOf reads a field that is an id, an expanded object with one, or null.
type idOf string

func (i *idOf) UnmarshalJSON(raw []byte) error {
	var id string
	if json.Unmarshal(raw, &id) == nil {
		*i = idOf(id)
		return nil
	}
	var object struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(raw, &object) == nil {
		*i = idOf(object.ID)
	}
	return nil // of another shape: of no use to us, and no reason to lose the event
}
