package pay

import "cmp"

// bookRefusal closes an off-session charge that took nothing. An order whose
// customer has a page, or must have one because the bank wants them present, can
// still be paid there; any other is over: failed when the bank said no, cancelled
// when Stripe refused the request.
func (b *booking) bookRefusal(failure string, end OrderState) error {
	b.note = failure
	if b.attempt.State.Final() {
		return nil
	}
	if err := b.moveAttempt(AttemptFailed, failure); err != nil {
		return err
	}
	attempts, err := b.tx.ListAttempts(b.ctx, b.tenant.ID, b.order.ID)
	if err != nil {
		return err
	}
	present, paged, last := failure == failureAuthentication, false, 0
	for _, a := range attempts {
		if a.ID != b.attempt.ID && !a.State.Final() {
			return b.tell("attempt_failed", failure)
		}
		paged = paged || a.Kind == AttemptCheckout
		last = max(last, a.Number)
	}
	present = present || paged
	if !present || b.order.State == OrderProcessing { // a debit that came back, days after its customer left
		return b.endCharge(end, failure)
	}
	if b.order.State == OrderDraft || b.order.State == OrderExpired {
		if err := b.moveOrder(OrderOpen, ""); err != nil {
			return err
		}
	}
	if b.order.State != OrderOpen {
		return b.tell("attempt_failed", failure)
	}
	if err := b.insertAttempt(last+1, func(next *Attempt) *Attempt { return next }); err != nil {
		return err
	}
	if failure != failureAuthentication {
		return b.tell("declined", failure)
	}
	if err := notify(b.ctx, b.tx, b.order, "order.requires_action", b.attempt.ID+":requires_action", b.now); err != nil {
		return err
	}
	if !paged { // whoever chose the card on our page is there
		if err := b.mail(MailAuthentication, b.attempt.ID); err != nil {
			return err
		}
	}
	return b.tell("requires_action", "the bank wants the customer present")
}

// endCharge ends an order that only its card could have paid.
func (b *booking) endCharge(end OrderState, failure string) error {
	left := b.order.State == OrderProcessing
	if end == OrderFailed { // as the graph has it: the bank was asked, and said no
		for _, step := range []OrderState{OrderOpen, OrderProcessing} {
			if b.order.State.MayMove(step) && b.order.State != OrderFailed {
				if err := b.moveOrder(step, ""); err != nil {
					return err
				}
			}
		}
	}
	if !b.order.State.MayMove(end) {
		return b.tell("attempt_failed", failure)
	}
	if err := b.moveOrder(end, failure); err != nil {
		return err
	}
	if err := notify(b.ctx, b.tx, b.order, "order."+string(end), b.attempt.ID+":"+string(end), b.now); err != nil {
		return err
	}
	if left && end == OrderFailed {
		if err := b.mail(MailFailed, b.attempt.ID); err != nil {
			return err
		}
	}
	return b.tell(string(end), failure)
}

// replaceAttempt gives up an attempt whose key Stripe answers with an error of its
// own for good, and makes the next one of the same kind.
func (b *booking) replaceAttempt(failure string) error {
	if b.attempt.State.Final() {
		return nil
	}
	number, card := b.attempt.Number+1, b.attempt.CardID
	if err := b.moveAttempt(AttemptFailed, failure); err != nil {
		return err
	}
	if err := b.insertAttempt(number, func(next *Attempt) *Attempt { return chargeAttempt(next, card, b.now) }); err != nil {
		return err
	}
	return b.tell("refused_by_stripe", failure)
}

// insertAttempt makes the order's next attempt.
func (b *booking) insertAttempt(number int, shape func(*Attempt) *Attempt) error {
	c, err := b.tx.CustomerByID(b.ctx, b.tenant.ID, b.order.CustomerID)
	if err != nil {
		return err
	}
	return b.tx.InsertAttempt(b.ctx, shape(nextAttempt(b.tenant, b.order, number, b.attempt.Language, c.StripeCustomer, b.now)))
}

// applySetup decides what the facts of a session in mode setup mean: no money, but a
// card that may be kept.
func (b *booking) applySetup() error {
	s := b.facts.session
	if s == nil {
		b.note = "no session to look at"
		return nil
	}
	status, failure := "", ""
	if s.Setup != nil {
		status, failure = s.Setup.Status, s.Setup.Failure
	}
	switch {
	case s.Status == "complete" && status == "succeeded":
		return b.bookSaved()
	case s.Status == "complete" && status == "processing":
		return b.bookProcessing()
	case s.Status == "expired":
		return b.bookEnd(AttemptExpired, OrderExpired, "expired")
	case s.Status == "complete" && (status == "requires_payment_method" || status == "canceled") && !b.attempt.State.Final():
		if err := b.bookProcessing(); err != nil {
			return err
		}
		return b.bookEnd(AttemptFailed, OrderFailed, cmp.Or(failure, status))
	}
	b.note = "no card saved yet"
	if b.attempt.State.Final() {
		return nil
	}
	return b.tx.RescheduleAttempt(b.ctx, b.tenant.ID, b.attempt.ID, nextCheck(b.attempt, b.now))
}

// bookSaved closes an order for saving a card; its state is paid, as of an order
// with nothing due, and its evidence the setup intent.
func (b *booking) bookSaved() error {
	if err := lookAtCards(b.ctx, b.tx, b.tenant.ID, b.facts.session.CustomerID, b.cause); err != nil {
		return err
	}
	if b.order.State == OrderPaid {
		b.note = "a card was saved, and noted before"
		return b.moveAttempt(AttemptSucceeded, "")
	}
	if b.order.State.MayMove(OrderOpen) && b.order.State != OrderDraft {
		if err := b.moveOrder(OrderOpen, "a card was saved after all"); err != nil {
			return err
		}
	}
	moved, err := b.tx.MarkOrderPaid(b.ctx, b.tenant.ID, b.order.ID, b.order.State, b.facts.session.Setup.ID, b.now)
	if err != nil || !moved {
		return orElse(err, unlessMoved(moved, b.order.ID))
	}
	b.order.State, b.order.PaidAt, b.order.Evidence, b.order.UpdatedAt = OrderPaid, b.now, b.facts.session.Setup.ID, b.now
	if err := b.moveAttempt(AttemptSucceeded, ""); err != nil {
		return err
	}
	if err := notify(b.ctx, b.tx, b.order, "card.saved", b.order.ID+":saved", b.now); err != nil {
		return err
	}
	b.note = "a card was saved"
	return b.tell("saved", "")
}
