package views

// outcome is the face to show: the handler's word, else what follows from the state.
func (v ReturnView) outcome() Outcome {
	if v.Outcome != OutcomeByState {
		return v.Outcome
	}
	switch v.State {
	case StatePaid:
		return OutcomePaid
	case StateProcessing:
		return OutcomeOnItsWay
	case StateOpen, StateDraft, StateExpired, StateCancelled, StateFailed:
		return OutcomeNotPaid
	default:
		return OutcomeChecking
	}
}

// moneyMoves reports whether the amount may be shown large and with what it was paid. Beside bad
// or unclear news a large amount would read as if it had been taken.
func (v ReturnView) moneyMoves() bool {
	return !v.Setup && (v.outcome() == OutcomePaid || v.outcome() == OutcomeOnItsWay)
}

// withLabel heads what was paid with, or the card that was saved; empty: neither is shown.
func (v ReturnView) withLabel() string {
	switch {
	case v.PaidWith == "":
		return ""
	case v.Setup && v.outcome() == OutcomePaid:
		return "Saved card"
	case v.moneyMoves():
		return "Paid with"
	default:
		return ""
	}
}

func (v ReturnView) hasFacts() bool {
	return v.OrderID != "" || v.Reference != "" || v.withLabel() != "" ||
		!v.Setup && !v.moneyMoves() && v.Amount != ""
}

// closes reports whether the page is the end of the road: all is said, and nothing leads anywhere.
func (v ReturnView) closes() bool {
	switch v.outcome() {
	case OutcomePaid, OutcomeOnItsWay:
		return v.ContinueURL == ""
	case OutcomeNeedsYou:
		return v.ActionURL == "" && v.RetryURL == "" && v.CancelURL == ""
	case OutcomeNotPaid:
		return v.RetryURL == "" && v.CancelURL == ""
	default:
		return false
	}
}

func (v ReturnView) message() message {
	if v.Setup {
		return v.setupMessage()
	}
	switch v.outcome() {
	case OutcomePaid:
		return message{toneGood, "Payment received", "Thank you. Your order with " + v.seller() + " is paid."}
	case OutcomeOnItsWay:
		return message{toneCalm, "Your payment is on its way",
			"Your bank is sending the money; " + dueBy(v.ExpectedBy) + ". There is nothing more to do; please do not pay again."}
	case OutcomeNeedsYou:
		return message{toneWarning, "Your bank needs you to confirm",
			"Nothing has been taken yet. Confirm the payment with your bank to finish it."}
	case OutcomeNotPaid:
		return v.notPaid()
	default:
		if v.State == StateMismatch {
			return message{toneCalm, "Your payment is being checked",
				"A person at " + v.seller() + " is looking at it. Please do not pay again; you will hear from them."}
		}
		return message{toneCalm, "Your payment is being checked",
			"We are asking Stripe how it went. This usually takes a few seconds. Please do not pay again."}
	}
}

func (v ReturnView) notPaid() message {
	hint := plain(v.DeclineHint)
	switch {
	case v.State == StateCancelled:
		return message{toneCalm, "You cancelled the payment", or(hint, "Nothing was taken.")}
	case v.State == StateExpired:
		return message{toneCalm, "The time to pay ran out", or(hint, "Nothing was taken.")}
	case v.State == StateFailed || hint != "":
		return message{toneBad, "The payment did not go through", or(hint, "It was not accepted. Nothing was taken.")}
	default:
		return message{toneCalm, "Not paid yet", "You left before it was finished. Nothing was taken."}
	}
}

// setupMessage speaks of the card only: where nothing was to be paid, a word about money would worry.
func (v ReturnView) setupMessage() message {
	hint := plain(v.DeclineHint)
	switch v.outcome() {
	case OutcomePaid:
		return message{toneGood, "Your card is saved",
			"Stripe keeps it for your next payments to " + v.seller() + ". Nothing was charged."}
	case OutcomeOnItsWay:
		return message{toneCalm, "Your card is being saved", "Your bank is still confirming it. There is nothing more to do."}
	case OutcomeNeedsYou:
		return message{toneWarning, "Your bank needs you to confirm", "The card is not saved yet. Confirm it with your bank to finish."}
	case OutcomeNotPaid:
		switch {
		case v.State == StateExpired:
			return message{toneCalm, "No card was saved", or(hint, "The time to do so ran out. Nothing was charged.")}
		case v.State == StateFailed || hint != "":
			return message{toneBad, "The card was not saved", or(hint, "Your bank did not accept it. Nothing was charged.")}
		default:
			return message{toneCalm, "No card was saved", "You left before it was finished. Nothing was charged."}
		}
	default:
		if v.State == StateMismatch {
			return message{toneCalm, "Your card is being checked",
				"A person at " + v.seller() + " is looking at it; you will hear from them."}
		}
		return message{toneCalm, "Your card is being checked", "We are asking Stripe whether it is saved. This usually takes a few seconds."}
	}
}

// waiting reports whether the page should look alive: it asks again by itself.
func (v ReturnView) waiting() bool {
	return v.outcome() == OutcomeChecking && v.State != StateMismatch
}
