package pay

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// booking is one settle's transaction: what Stripe says beside what we have.
type booking struct {
	service *Service
	ctx     context.Context
	tx      Tx
	tenant  *Tenant
	facts   stripeFacts
	cause   Cause
	now     time.Time
	attempt *Attempt
	order   *Order
	note    string
	outcome Outcome
}

// load reads attempt and order inside the transaction, so that decisions are made
// on what is there now.
func (b *booking) load(attemptID string) (err error) {
	if b.attempt, err = b.tx.AttemptByID(b.ctx, b.tenant.ID, attemptID); err != nil {
		return err
	}
	if b.order, err = b.tx.OrderByID(b.ctx, b.tenant.ID, b.attempt.OrderID); err != nil {
		return err
	}
	// What Stripe made though its answer is not stored: lost, or not here yet.
	a := *b.attempt
	s, i := b.facts.session, b.facts.intent
	switch {
	case a.Kind == AttemptCheckout && a.SessionID == "" && s != nil:
		a.SessionID, a.IntentID, a.URL, a.ExpiresAt = s.ID, s.IntentID, s.URL, s.ExpiresAt
	case a.Kind == AttemptIntent && a.IntentID == "" && i != nil:
		a.IntentID = i.ID
	default:
		return nil
	}
	if a.State != AttemptCreated { // given up, and nobody had its page; but Stripe's word counts
		b.attempt = &a
		return nil
	}
	a.UpdatedAt, a.CheckAt = b.now, nextCheck(&a, b.now)
	bound, err := b.tx.BindAttempt(b.ctx, &a)
	if err != nil || !bound {
		return orElse(err, unlessMoved(bound, a.ID))
	}
	a.State = AttemptOpen
	b.attempt = &a
	if b.order.State == OrderDraft || b.order.State == OrderExpired {
		return b.moveOrder(OrderOpen, "")
	}
	return nil
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// apply decides what the facts mean and books it.
func (b *booking) apply() error {
	if b.attempt.State == AttemptMismatch || b.attempt.State == AttemptOverpaid {
		b.note = "waits for a person: " + string(b.attempt.State)
		return b.holdMoney()
	}
	if why := b.disagreement(); why != "" {
		return b.bookMismatch(why)
	}
	if b.order.Kind == OrderSetup {
		return b.applySetup()
	}
	intentStatus := ""
	if b.facts.intent != nil {
		intentStatus = b.facts.intent.Status
	}
	if b.attempt.Kind == AttemptIntent && (intentStatus == "requires_payment_method" || intentStatus == "canceled") {
		// Nobody can pay it any more: only we confirm it, and once.
		return b.bookRefusal(cmp.Or(b.facts.intent.Failure, failureAuthentication), OrderFailed)
	}
	sessionStatus, paymentStatus := "complete", ""
	if b.facts.session != nil {
		sessionStatus, paymentStatus = b.facts.session.Status, b.facts.session.PaymentStatus
	}
	switch {
	case intentStatus == "succeeded" && sessionStatus == "complete" && (paymentStatus == "" || paymentStatus == "paid"):
		if err := b.bookPayment(); err != nil {
			return err
		}
		return b.bookMoneyBack()
	case intentStatus == "processing":
		return b.bookProcessing()
	case sessionStatus == "expired" && intentStatus == "succeeded":
		return b.bookMismatch("Stripe's payment intent succeeded, but its session is expired")
	case sessionStatus == "expired":
		return b.bookEnd(AttemptExpired, OrderExpired, "expired")
	case sessionStatus == "complete" && intentStatus == "requires_payment_method" && !b.attempt.State.Final():
		// A debit that the bank refused, also one that nobody saw processing.
		if err := b.bookProcessing(); err != nil {
			return err
		}
		return b.bookEnd(AttemptFailed, OrderFailed, cmp.Or(b.facts.intent.Failure, intentStatus))
	case intentStatus == "canceled", b.attempt.State == AttemptProcessing && intentStatus == "requires_payment_method":
		return b.bookEnd(AttemptFailed, OrderFailed, cmp.Or(b.facts.intent.Failure, intentStatus))
	}
	b.note = "not paid yet"
	if b.attempt.State.Final() {
		return nil
	}
	return b.tx.RescheduleAttempt(b.ctx, b.tenant.ID, b.attempt.ID, nextCheck(b.attempt, b.now))
}

// disagreement compares Stripe's object with what was bound before the redirect
// and says what differs, "" when nothing does (safety.md I-09).
func (b *booking) disagreement() string {
	a, o, t := b.attempt, b.order, b.tenant
	if a.StripeAccount != "" && t.StripeAccount != "" && a.StripeAccount != t.StripeAccount {
		return "the attempt was made in another Stripe account than the tenant's present one"
	}
	if s := b.facts.session; s != nil {
		switch {
		case s.ID != a.SessionID:
			return "Stripe's session is not the one that was bound"
		case s.ClientReferenceID != o.ID || s.Metadata[MetaOrder] != o.ID:
			return "Stripe's session names another order"
		case s.Metadata[MetaTenant] != t.ID:
			return "Stripe's session names another tenant"
		case s.Livemode != t.StripeLivemode:
			return "Stripe's session is of the other mode (test or live)"
		case (s.Mode == "setup") != (o.Kind == OrderSetup):
			return "Stripe's session is of another mode (payment or setup) than the order"
		case o.Kind == OrderPayment && s.AmountTotal != a.Amount:
			return fmt.Sprintf("Stripe's session is for %s, the order for %s", s.AmountTotal, a.Amount)
		}
	}
	if i := b.facts.intent; i != nil {
		switch {
		case a.IntentID != "" && i.ID != a.IntentID:
			return "Stripe's payment intent is not the one that was bound"
		case a.Kind == AttemptIntent && i.Metadata[MetaOrder] != o.ID:
			return "Stripe's payment intent names another order"
		case a.Kind == AttemptIntent && i.Metadata[MetaTenant] != t.ID:
			return "Stripe's payment intent names another tenant"
		case i.Livemode != t.StripeLivemode:
			return "Stripe's payment intent is of the other mode (test or live)"
		case i.Amount != a.Amount:
			return fmt.Sprintf("Stripe's payment intent is for %s, the order for %s", i.Amount, a.Amount)
		case i.Status == "succeeded" && i.AmountReceived != a.Amount:
			return fmt.Sprintf("Stripe received %s, the order is for %s", i.AmountReceived, a.Amount)
		}
	}
	return ""
}

// bookMismatch stops the order for a person and keeps the money, if any, in
// suspense.
func (b *booking) bookMismatch(why string) error {
	b.note = why
	if b.order.State.MayMove(OrderMismatch) {
		if err := b.moveOrder(OrderMismatch, why); err != nil {
			return err
		}
		if err := notify(b.ctx, b.tx, b.order, "order.mismatch", b.order.ID+":mismatch", b.now); err != nil {
			return err
		}
	}
	if err := b.moveAttempt(AttemptMismatch, "mismatch"); err != nil {
		return err
	}
	if err := b.unclaimed("mismatch", why); err != nil {
		return err
	}
	return b.tell("mismatch", why)
}

// holdMoney keeps money that came in, or went back, after the attempt was stopped
// for a person.
func (b *booking) holdMoney() error {
	i := b.facts.intent
	if i == nil || i.Status != "succeeded" || i.Livemode != b.tenant.StripeLivemode {
		return nil
	}
	_, err := b.tx.PaymentByIntent(b.ctx, b.tenant.ID, i.ID)
	// What is shown already, or was booked before the disagreement was found, needs no
	// second line under Unclaimed.
	if err == nil || b.attempt.State == AttemptOverpaid {
		return b.bookHeld()
	}
	if !IsNotFound(err) {
		return err
	}
	return b.unclaimed("mismatch", "it was paid although Stripe's facts disagree with the order")
}

// unclaimed shows this attempt's money to a person and puts it in suspense.
func (b *booking) unclaimed(reason, detail string) error {
	u := &Unclaimed{ID: NewID("unc", b.now), TenantID: b.tenant.ID, ObjectID: cmp.Or(b.attempt.SessionID, b.attempt.IntentID),
		OrderID: b.order.ID, Amount: Money{0, b.attempt.Amount.Currency}, Reason: reason, Detail: detail, State: UnclaimedOpen,
		CreatedAt: b.now, UpdatedAt: b.now}
	i := b.facts.intent
	took := i != nil && i.Status == "succeeded"
	if took {
		u.ObjectID, u.Amount = i.ID, i.AmountReceived
	}
	var err error
	if u.Evidence, err = gatherEvidence(b.ctx, b.tx, b.tenant.ID, b.facts, false); err != nil {
		return err
	}
	if err := b.tx.InsertUnclaimed(b.ctx, u); err != nil || !took || i.Livemode != b.tenant.StripeLivemode {
		return err
	}
	return b.bookHeld()
}

// bookHeld keeps the books of money that waits for a person: refunded at Stripe, it
// leaves suspense; had the payment been booked before the mismatch was found, it is
// that payment which is refunded.
func (b *booking) bookHeld() error {
	_, err := b.tx.PaymentByIntent(b.ctx, b.tenant.ID, b.facts.intent.ID)
	if IsNotFound(err) {
		if err := bookSuspense(b.ctx, b.tx, b.tenant.ID, b.order.ID, b.facts.intent, b.cause, b.now); err != nil {
			return err
		}
		u, err := b.tx.UnclaimedByID(b.ctx, b.tenant.ID, b.facts.intent.ID)
		if err == nil && u.State != UnclaimedOpen {
			b.note = u.ID + " was decided: " + string(u.State)
		}
		return err
	}
	if err != nil {
		return err
	}
	return b.bookMoneyBack()
}

// bookPayment books captured money: once per order and once per intent.
func (b *booking) bookPayment() error {
	paid, err := b.tx.PaymentByOrder(b.ctx, b.tenant.ID, b.order.ID)
	switch {
	case err == nil && paid.IntentID == b.facts.intent.ID:
		b.note = "paid, and booked before"
		return nil
	case err == nil:
		return b.bookOverpaid()
	case !IsNotFound(err):
		return err
	}
	if b.order.State == OrderMismatch {
		return b.bookMismatch("paid while the order waits for a person")
	}
	// Late success beats expiry, cancel and failure (I-14): the order opens again and
	// is paid in the same transaction.
	if b.order.State.MayMove(OrderOpen) && b.order.State != OrderDraft {
		if err := b.moveOrder(OrderOpen, "paid after all"); err != nil {
			return err
		}
	}
	moved, err := b.tx.MarkOrderPaid(b.ctx, b.tenant.ID, b.order.ID, b.order.State, b.facts.intent.ID, b.now)
	if err != nil || !moved {
		return orElse(err, unlessMoved(moved, b.order.ID))
	}
	b.order.State, b.order.PaidAt, b.order.Evidence, b.order.UpdatedAt = OrderPaid, b.now, b.facts.intent.ID, b.now
	if err := b.moveAttempt(AttemptSucceeded, ""); err != nil {
		return err
	}
	p := b.payment()
	if err := b.tx.InsertPayment(b.ctx, p); err != nil {
		return err
	}
	if err := b.entry(EntryPayment, p.IntentID+":captured", p.Amount.Currency, "paid by "+p.Method,
		LedgerLine{Account: AccountStripe, AmountMinor: p.Amount.Minor},
		LedgerLine{Account: AccountCustomer, CustomerID: p.CustomerID, AmountMinor: -p.Amount.Minor}); err != nil {
		return err
	}
	if err := b.post(PostingPayment, p.ID, p.Amount); err != nil {
		return err
	}
	if err := notify(b.ctx, b.tx, b.order, "order.paid", b.order.ID+":paid", b.now); err != nil {
		return err
	}
	if err := b.mail(MailReceipt, b.order.ID); err != nil {
		return err
	}
	if s := b.facts.session; s != nil && b.attempt.SaveCard && s.CustomerID != "" {
		if err := lookAtCards(b.ctx, b.tx, b.tenant.ID, s.CustomerID, b.cause); err != nil {
			return err
		}
	}
	b.note = "paid " + p.Amount.String()
	return b.tell("paid", p.Amount.String()+" by "+p.Method)
}

func (b *booking) payment() *Payment {
	i := b.facts.intent
	p := &Payment{
		ID: NewID("pay", b.now), TenantID: b.tenant.ID, OrderID: b.order.ID, AttemptID: b.attempt.ID,
		CustomerID: b.order.CustomerID, StripeAccount: cmp.Or(b.attempt.StripeAccount, b.tenant.StripeAccount), IntentID: i.ID,
		SessionID: b.attempt.SessionID, Amount: i.AmountReceived, VATMinor: b.order.Cart.VATMinor, Cause: b.cause,
		PaidAt: b.now, CreatedAt: b.now, UpdatedAt: b.now,
	}
	if c := i.Charge; c != nil {
		p.ChargeID, p.Method, p.ReceiptURL = c.ID, c.Method, c.ReceiptURL
		if !c.CreatedAt.IsZero() {
			p.PaidAt = c.CreatedAt
		}
	}
	return p
}

// bookOverpaid keeps a second success of an order that is paid: for a person to
// refund or credit, never both silently.
func (b *booking) bookOverpaid() error {
	if err := b.moveAttempt(AttemptOverpaid, "overpaid"); err != nil {
		return err
	}
	why := "a second attempt of a paid order succeeded too; refund it or credit it"
	if err := b.unclaimed("overpaid", why); err != nil {
		return err
	}
	if err := notifyAmount(b.ctx, b.tx, b.order, "order.overpaid", b.facts.intent.ID+":overpaid", b.facts.intent.ID,
		b.facts.intent.AmountReceived, b.now); err != nil {
		return err
	}
	b.note = why
	return b.tell("overpaid", b.facts.intent.AmountReceived.String())
}

func (b *booking) bookProcessing() error {
	b.note = "the bank has been asked"
	if b.attempt.State == AttemptProcessing {
		return b.tx.RescheduleAttempt(b.ctx, b.tenant.ID, b.attempt.ID, nextCheck(b.attempt, b.now))
	}
	if b.attempt.State.Final() {
		return nil
	}
	if err := b.moveAttempt(AttemptProcessing, ""); err != nil {
		return err
	}
	if b.order.State == OrderExpired {
		if err := b.moveOrder(OrderOpen, "a payment is on its way after all"); err != nil {
			return err
		}
	}
	if b.order.State != OrderOpen {
		return nil // another attempt decides, or a person
	}
	if err := b.moveOrder(OrderProcessing, ""); err != nil {
		return err
	}
	if err := notify(b.ctx, b.tx, b.order, "order.processing", b.order.ID+":processing", b.now); err != nil {
		return err
	}
	return b.tell("processing", "")
}

// bookEnd closes an attempt that took no money, and its order when no other
// attempt of it is alive.
func (b *booking) bookEnd(attempt AttemptState, order OrderState, why string) error {
	b.note = why
	if b.attempt.State.Final() {
		return nil
	}
	if err := b.moveAttempt(attempt, why); err != nil {
		return err
	}
	others, err := b.tx.ListAttempts(b.ctx, b.tenant.ID, b.order.ID)
	if err != nil {
		return err
	}
	for _, a := range others {
		if a.ID != b.attempt.ID && !a.State.Final() {
			return b.tell("attempt_"+string(attempt), why)
		}
	}
	if !b.order.State.MayMove(order) {
		return b.tell("attempt_"+string(attempt), why)
	}
	left := b.order.State == OrderProcessing // the customer was told that it is on its way
	if err := b.moveOrder(order, why); err != nil {
		return err
	}
	if err := notify(b.ctx, b.tx, b.order, "order."+string(order), b.attempt.ID+":"+string(order), b.now); err != nil {
		return err
	}
	if left && order == OrderFailed && b.order.Kind == OrderPayment {
		if err := b.mail(MailFailed, b.attempt.ID); err != nil {
			return err
		}
	}
	return b.tell(string(order), why)
}

func (b *booking) moveOrder(to OrderState, reason string) error {
	moved, err := b.tx.MoveOrder(b.ctx, b.tenant.ID, b.order.ID, b.order.State, to, reason, b.now)
	if err != nil || !moved {
		return orElse(err, unlessMoved(moved, b.order.ID))
	}
	b.order.State, b.order.StateReason, b.order.UpdatedAt = to, reason, b.now
	return nil
}

// moveAttempt stores what Stripe told of the attempt with its new state.
func (b *booking) moveAttempt(to AttemptState, failure string) error {
	if b.attempt.State == to {
		return nil
	}
	a := *b.attempt
	if b.facts.intent != nil {
		a.IntentID = b.facts.intent.ID
	}
	after := a
	after.State = to
	a.Failure, a.UpdatedAt, a.CheckAt = failure, b.now, nextCheck(&after, b.now)
	moved, err := b.tx.MoveAttempt(b.ctx, &a, to)
	if err != nil || !moved {
		return orElse(err, unlessMoved(moved, a.ID))
	}
	a.State = to
	b.attempt = &a
	return nil
}

func (b *booking) entry(kind EntryKind, fact string, c Currency, memo string, lines ...LedgerLine) error {
	booked, err := b.tx.InsertEntry(b.ctx, &LedgerEntry{ID: NewID("led", b.now), TenantID: b.tenant.ID, Kind: kind, Fact: fact,
		Currency: c, Cause: b.cause, OrderID: b.order.ID, Memo: memo, At: b.now, Lines: lines})
	if err == nil && !booked && kind == EntryPayment { // it is held, or a person gave it to a customer: never both
		return fmt.Errorf("book payment of %s: the ledger has %s already", b.order.ID, fact)
	}
	return err
}

func (b *booking) post(kind PostingKind, subject string, amount Money) error {
	return b.tx.InsertPosting(b.ctx, &Posting{ID: NewID("pst", b.now), TenantID: b.tenant.ID, OrderID: b.order.ID,
		CustomerID: b.order.CustomerID, Kind: kind, SubjectID: subject, Amount: amount, State: PostingPending,
		CreatedAt: b.now, UpdatedAt: b.now})
}

func (b *booking) tell(what, detail string) error {
	return tell(b.ctx, b.tx, b.order, b.now, what, b.cause, detail)
}
