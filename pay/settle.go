package pay

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Outcome says what a Settle found.
type Outcome string

const (
	// OutcomeApplied: the object is ours, and the books agree with it now.
	OutcomeApplied Outcome = "applied"
	// OutcomeUnmatched: money or a claim that fits nothing; it is under Unclaimed.
	OutcomeUnmatched Outcome = "unmatched"
	// OutcomeNotOurs: an object of another integration on the same account.
	OutcomeNotOurs Outcome = "not_ours"
)

// Settlement is what Settle answers.
type Settlement struct {
	Outcome Outcome
	Order   *Order // the order after settling; nil when there is none
	Note    string // one line for staff
}

// stripeFacts is what Stripe says, fetched outside any transaction.
type stripeFacts struct {
	session *StripeSession
	intent  *StripeIntent
}

// Settle asks Stripe about an object (cs_, pi_, ch_, py_, re_, pyr_, dp_, du_) or
// an order (ord_) of ours and makes the books agree; about a customer (cus_), and
// our copy of their cards agrees. It is the only code that
// moves an order because of money. Call it any number of times, at once, with
// anything that might concern us: the facts decide, not the caller.
//
// In one transaction it makes the guarded state change, the payment, the ledger
// entries, the posting, the outbound notice and the story. A failed call to
// Stripe is returned as a *StripeFault in the chain and changes nothing.
func (s *Service) Settle(ctx context.Context, tenantID, objectID string, cause Cause) (Settlement, error) {
	t, err := s.Store.TenantByID(ctx, tenantID)
	if err != nil {
		return Settlement{}, fmt.Errorf("settle %s: %w", objectID, err)
	}
	switch prefix, _, _ := strings.Cut(objectID, "_"); prefix {
	case "ord":
		return s.settleOrder(ctx, t, objectID, cause)
	case "cus":
		return s.settleCards(ctx, t, objectID)
	}
	for try := 0; ; try++ {
		done, err := s.settleObject(ctx, t, objectID, cause)
		// Somebody else settled the same fact meanwhile: look again, so that the
		// answer tells what is true now.
		if CodeOf(err) == CodeConflict && try < 4 {
			continue
		}
		if err != nil {
			err = fmt.Errorf("settle %s: %w", objectID, err)
		}
		return done, err
	}
}

// settleOrder settles every attempt of an order that Stripe may still have news
// about, the latest last.
func (s *Service) settleOrder(ctx context.Context, t *Tenant, orderID string, cause Cause) (Settlement, error) {
	o, err := s.Store.OrderByID(ctx, t.ID, orderID)
	if err != nil {
		return Settlement{}, err
	}
	attempts, err := s.Store.ListAttempts(ctx, t.ID, orderID)
	if err != nil {
		return Settlement{}, err
	}
	last := Settlement{Outcome: OutcomeApplied, Order: o, Note: "nothing to ask Stripe about"}
	for _, a := range attempts {
		object := cmp.Or(a.SessionID, a.IntentID)
		if object == "" {
			continue
		}
		if last, err = s.Settle(ctx, t.ID, object, cause); err != nil {
			return last, err
		}
	}
	return last, nil
}

func (s *Service) settleObject(ctx context.Context, t *Tenant, objectID string, cause Cause) (Settlement, error) {
	facts, attempt, err := s.fetchFacts(ctx, t, objectID)
	if f := faultOf(err); f != nil && f.Kind == FaultNotFound && attempt == nil {
		if cause.Kind != CauseWebhook { // a person's slip, not a claim that somebody signed
			return Settlement{}, Errorf(CodeNotFound, "", "Stripe does not know this object for the tenant's key")
		}
		return s.shelve(ctx, t, objectID, stripeFacts{}, cause, "not_at_stripe", "Stripe does not know this object for the tenant's key")
	}
	if err != nil {
		return Settlement{}, err
	}
	if attempt == nil {
		return s.settleStranger(ctx, t, objectID, facts, cause)
	}
	if facts, err = s.beforeBooking(ctx, t, attempt, facts); err != nil {
		return Settlement{}, err
	}
	var done Settlement
	err = s.Store.InTx(ctx, func(tx Tx) error {
		b := &booking{service: s, ctx: ctx, tx: tx, tenant: t, facts: facts, cause: cause, now: s.Now(), outcome: OutcomeApplied}
		if err := b.load(attempt.ID); err != nil {
			return err
		}
		if err := b.apply(); err != nil {
			return err
		}
		done = Settlement{Outcome: b.outcome, Order: b.order, Note: b.note}
		return nil
	})
	return done, err
}

// beforeBooking does at Stripe what must be done before the facts are booked. An
// off-session intent that waits for its customer is ended, so that it cannot be paid
// beside the page that they get; and a card that was saved gets its label.
func (s *Service) beforeBooking(ctx context.Context, t *Tenant, a *Attempt, f stripeFacts) (stripeFacts, error) {
	if i := f.intent; a.Kind == AttemptIntent && i != nil {
		switch i.Status {
		case "requires_action", "requires_confirmation", "requires_capture":
			ended, err := s.Gateway.CancelIntent(ctx, t, i.ID, a.IdempotencyKey+":cancel")
			return stripeFacts{intent: ended}, err
		}
	}
	if x := f.session; x != nil && x.Setup != nil && x.Setup.Status == "succeeded" && !a.State.Final() {
		if label := x.Metadata[MetaCardInfo]; label != "" && x.Setup.CardID != "" {
			err := s.Gateway.LabelCard(ctx, t, x.Setup.CardID, label, a.IdempotencyKey+":label")
			if fault := faultOf(err); fault == nil || fault.Kind == FaultUnavailable {
				return f, err
			}
		}
	}
	return f, nil
}

// fetchFacts asks Stripe for the object, as far up as it leads (a refund to its
// intent, an intent to its session), and finds the attempt it belongs to; nil
// when it belongs to none of ours.
func (s *Service) fetchFacts(ctx context.Context, t *Tenant, objectID string) (stripeFacts, *Attempt, error) {
	switch prefix, _, _ := strings.Cut(objectID, "_"); prefix {
	case "cs":
		return s.fetchSession(ctx, t, objectID)
	case "pi":
		return s.fetchIntent(ctx, t, objectID)
	case "ch", "py", "re", "pyr", "dp", "du":
		intentID, err := s.Gateway.IntentOf(ctx, t, objectID)
		if err != nil || intentID == "" {
			return stripeFacts{}, nil, err
		}
		return s.fetchIntent(ctx, t, intentID)
	}
	return stripeFacts{}, nil, Errorf(CodeNotFound, "", "%s is not the id of an order, session, intent, charge, refund, dispute or customer", clip(objectID, 60))
}

func (s *Service) fetchSession(ctx context.Context, t *Tenant, id string) (stripeFacts, *Attempt, error) {
	attempt, err := s.attempt(s.Store.AttemptBySession(ctx, t.ID, id))
	if err != nil {
		return stripeFacts{}, nil, err
	}
	session, err := s.Gateway.Session(ctx, t, id)
	if err != nil {
		return stripeFacts{}, attempt, err
	}
	facts := stripeFacts{session: session, intent: session.Intent}
	// The webhook may be here before the answer to our own creation is stored.
	if marked := session.Metadata[MetaAttempt]; attempt == nil && marked != "" && session.Metadata[MetaTenant] == t.ID {
		attempt, err = s.attempt(s.Store.AttemptByID(ctx, t.ID, marked))
		if err == nil && attempt != nil && attempt.SessionID != "" {
			attempt = nil // it has a session, and it is not this one
		}
	}
	return facts, attempt, err
}

func (s *Service) fetchIntent(ctx context.Context, t *Tenant, id string) (stripeFacts, *Attempt, error) {
	attempt, err := s.attempt(s.Store.AttemptByIntent(ctx, t.ID, id))
	if err != nil {
		return stripeFacts{}, nil, err
	}
	if attempt != nil && attempt.SessionID != "" {
		return s.fetchSession(ctx, t, attempt.SessionID)
	}
	intent, err := s.Gateway.Intent(ctx, t, id)
	if err != nil {
		return stripeFacts{}, attempt, err
	}
	if attempt != nil {
		return stripeFacts{intent: intent}, attempt, nil
	}
	if facts, attempt, err := s.fetchMarked(ctx, t, intent); err != nil || attempt != nil {
		return facts, attempt, err
	}
	sessionID, err := s.Gateway.SessionOf(ctx, t, id)
	if err != nil {
		return stripeFacts{intent: intent}, nil, err
	}
	if sessionID != "" {
		return s.fetchSession(ctx, t, sessionID)
	}
	return stripeFacts{intent: intent}, nil, nil
}

// fetchMarked finds the session of an intent by our mark on the intent: until a
// session is complete Stripe need not show its intent, and a declined card is no
// money without an owner. An intent that carries the mark, but is not the
// session's, is nobody's.
func (s *Service) fetchMarked(ctx context.Context, t *Tenant, intent *StripeIntent) (stripeFacts, *Attempt, error) {
	marked := intent.Metadata[MetaAttempt]
	if marked == "" || intent.Metadata[MetaTenant] != t.ID {
		return stripeFacts{}, nil, nil
	}
	attempt, err := s.attempt(s.Store.AttemptByID(ctx, t.ID, marked))
	if err == nil && attempt != nil && attempt.Kind == AttemptIntent && (attempt.IntentID == "" || attempt.IntentID == intent.ID) {
		return stripeFacts{intent: intent}, attempt, nil // its own answer is lost, or was stored since it was looked for
	}
	if err != nil || attempt == nil || attempt.SessionID == "" {
		return stripeFacts{}, nil, err
	}
	facts, attempt, err := s.fetchSession(ctx, t, attempt.SessionID)
	if err != nil || attempt == nil {
		return facts, attempt, err
	}
	took := intent.Status == "succeeded" || intent.Status == "processing"
	switch {
	case facts.session.IntentID == intent.ID, facts.session.IntentID == "" && !took:
		return facts, attempt, nil
	case facts.session.IntentID == "" && facts.session.Status == "open":
		// Stripe may be between taking the money and completing the session.
		return stripeFacts{}, attempt, &StripeFault{Kind: FaultUnavailable, Code: "session_not_complete",
			Message: "the intent has taken money, but its session does not show it yet"}
	}
	return stripeFacts{}, nil, nil
}

// attempt turns "not found" into nil.
func (s *Service) attempt(a *Attempt, err error) (*Attempt, error) {
	if IsNotFound(err) {
		return nil, nil
	}
	return a, err
}

// settleStranger decides about an object that no attempt claims. Money that came
// in is booked to suspense and shown; what carries our mark but fits nothing is
// shown; the rest is another integration's business.
func (s *Service) settleStranger(ctx context.Context, t *Tenant, objectID string, f stripeFacts, cause Cause) (Settlement, error) {
	id, meta, livemode := objectID, map[string]string{}, t.StripeLivemode
	if f.intent != nil {
		id, meta, livemode = f.intent.ID, f.intent.Metadata, f.intent.Livemode
	}
	if f.session != nil {
		meta, livemode = f.session.Metadata, f.session.Livemode
		if f.intent == nil {
			id = f.session.ID
		}
	}
	other, err := s.otherTenant(ctx, t, meta[MetaTenant])
	if err != nil {
		return Settlement{}, err
	}
	took := f.intent != nil && f.intent.Status == "succeeded"
	elders := false
	if took && meta[MetaTenant] == "" {
		owner, err := s.ownsAccount(ctx, t)
		if err != nil {
			return Settlement{}, err
		}
		elsewhere, err := s.Store.KnownElsewhere(ctx, t.ID, []string{id})
		if err != nil {
			return Settlement{}, err
		}
		elders = !owner || elsewhere[id]
	}
	switch {
	case livemode != t.StripeLivemode:
		return s.shelve(ctx, t, id, f, cause, "wrong_mode", "the object is of Stripe's other mode (test or live) than the tenant")
	case other:
		return s.shelve(ctx, t, id, f, cause, "other_tenant", "it belongs to another tenant of this installation, who uses the same Stripe account")
	case elders:
		return s.shelve(ctx, t, id, f, cause, "other_tenant", "no order asked for it, and another tenant here had this Stripe account first: it is kept there")
	case took:
		return s.shelve(ctx, t, id, f, cause, "no_order", "money came in at Stripe that no order of ours asked for")
	case meta[MetaTenant] != "" || meta[MetaOrder] != "":
		return s.shelve(ctx, t, id, f, cause, "no_order", "it carries Portatill's mark, but no order of this tenant has it")
	}
	if f.intent == nil && f.session == nil {
		return Settlement{Outcome: OutcomeNotOurs, Note: "of no payment intent: money in it is booked from Stripe's balance by the sweep"}, nil
	}
	return Settlement{Outcome: OutcomeNotOurs, Note: "not made by Portatill, and no money in it"}, nil
}

// otherTenant reports whether the mark is that of another tenant here: with two
// tenants on one Stripe account each hears of the other's payments, and the owner's
// ledger alone may have the money.
func (s *Service) otherTenant(ctx context.Context, t *Tenant, marked string) (bool, error) {
	if marked == "" || marked == t.ID {
		return false, nil
	}
	_, err := s.Store.TenantByID(ctx, marked)
	if IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// shelve puts something under Unclaimed, with its money in suspense when there is
// any of the tenant's own mode.
func (s *Service) shelve(ctx context.Context, t *Tenant, id string, f stripeFacts, cause Cause, reason, detail string) (Settlement, error) {
	now := s.Now()
	done := Settlement{Outcome: OutcomeUnmatched, Note: reason + ": " + detail}
	err := s.Store.InTx(ctx, func(tx Tx) (err error) {
		u := &Unclaimed{ID: NewID("unc", now), TenantID: t.ID, ObjectID: id, Amount: Money{0, t.DefaultCurrency},
			Reason: reason, Detail: detail, State: UnclaimedOpen, CreatedAt: now, UpdatedAt: now}
		if u.Evidence, err = gatherEvidence(ctx, tx, t.ID, f, reason == "other_tenant"); err != nil {
			return err
		}
		took := f.intent != nil && f.intent.Status == "succeeded"
		if took {
			u.Amount = f.intent.AmountReceived
		}
		if err := tx.InsertUnclaimed(ctx, u); err != nil {
			return err
		}
		// Another mode's money is not this ledger's, another tenant's is in theirs.
		if took && reason == "no_order" {
			if err := bookSuspense(ctx, tx, t.ID, "", f.intent, cause, now); err != nil {
				return err
			}
		}
		if u, err = tx.UnclaimedByID(ctx, t.ID, id); err != nil {
			return err
		}
		if reason == "other_tenant" && u.Reason == reason { // nothing that a person here could decide
			done = Settlement{Outcome: OutcomeNotOurs, Note: detail}
			if u.State == UnclaimedOpen {
				u.State, u.Decision, u.UpdatedAt = UnclaimedIgnored, Decision{Reason: detail, Cause: cause, At: now}, now
				_, err = tx.MoveUnclaimed(ctx, u, UnclaimedOpen)
			}
			return err
		}
		if u.State != UnclaimedOpen {
			done = Settlement{Outcome: OutcomeApplied, Note: u.ID + " was decided: " + string(u.State)}
		}
		return err
	})
	return done, err
}

// notice is what a tenant's own system is told of a fact about an order. Amount is
// the fact's: a refund's notice has what was refunded, and order_amount beside it.
type notice struct {
	Type        string     `json:"type"`
	Object      string     `json:"object,omitempty"` // Stripe's id, where the fact has one of its own
	Amount      string     `json:"amount"`
	Currency    Currency   `json:"currency"`
	Order       string     `json:"order"`
	Status      OrderState `json:"status"`
	OrderAmount string     `json:"order_amount"`
	ContentID   int64      `json:"content_id"`
	FeatureName string     `json:"feature_name"`
	At          int64      `json:"at"` // Unix seconds
}

// notify makes the outbound notice of a fact about a whole order.
func notify(ctx context.Context, tx Tx, o *Order, kind, fact string, now time.Time) error {
	return notifyAmount(ctx, tx, o, kind, fact, "", o.Cart.Total(), now)
}

// notifyAmount makes the notice of a fact with an amount and an object of its own.
func notifyAmount(ctx context.Context, tx Tx, o *Order, kind, fact, object string, amount Money, now time.Time) error {
	payload, err := json.Marshal(notice{Type: kind, Object: object, Amount: amount.Text(), Currency: amount.Currency, Order: o.ID,
		Status: o.State, OrderAmount: o.Cart.Total().Text(), ContentID: o.ContentID, FeatureName: o.FeatureName, At: now.Unix()})
	if err != nil {
		return errors.Join(errors.New("write the notice of "+fact), err)
	}
	return tx.InsertDelivery(ctx, &Delivery{ID: NewID("dlv", now), TenantID: o.TenantID, OrderID: o.ID, Type: kind,
		Fact: fact, Payload: string(payload), State: DeliveryPending, CreatedAt: now, UpdatedAt: now})
}
