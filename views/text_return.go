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
		return v.say("return.saved_card")
	case v.moneyMoves():
		return v.say("return.paid_with")
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
		return message{toneGood, v.say("return.paid.title"), v.tells("return.paid.text")}
	case OutcomeOnItsWay:
		return v.processing(v.ExpectedBy)
	case OutcomeNeedsYou:
		return message{toneWarning, v.say("return.needs_you.title"), v.say("return.needs_you.text")}
	case OutcomeNotPaid:
		return v.notPaid()
	default:
		if v.State == StateMismatch {
			return v.checking(v.say("return.checking.title"))
		}
		return message{toneCalm, v.say("return.checking.title"), v.say("return.checking.text")}
	}
}

func (v ReturnView) notPaid() message {
	hint, nothing := plain(v.DeclineHint), v.say("order.nothing_taken")
	switch {
	case v.State == StateCancelled:
		return message{toneCalm, v.say("return.cancelled.title"), or(hint, nothing)}
	case v.State == StateExpired:
		return message{toneCalm, v.say("return.expired.title"), or(hint, nothing)}
	case v.State == StateFailed || hint != "":
		return message{toneBad, v.say("order.declined.title"), or(hint, sentences(v.say("order.not_accepted"), nothing))}
	default:
		return message{toneCalm, v.say("return.not_paid.title"), v.say("return.not_paid.text")}
	}
}

// setupMessage speaks of the card only: where nothing was to be paid, a word about money would worry.
func (v ReturnView) setupMessage() message {
	hint := plain(v.DeclineHint)
	switch v.outcome() {
	case OutcomePaid:
		return message{toneGood, v.say("order.saved.title"), v.tells("return.setup.saved")}
	case OutcomeOnItsWay:
		return message{toneCalm, v.say("order.saving.title"), v.say("return.setup.on_its_way")}
	case OutcomeNeedsYou:
		return message{toneWarning, v.say("return.needs_you.title"), v.say("return.setup.needs_you")}
	case OutcomeNotPaid:
		switch {
		case v.State == StateExpired:
			return message{toneCalm, v.say("order.no_card.title"), or(hint, v.say("return.setup.expired"))}
		case v.State == StateFailed || hint != "":
			return message{toneBad, v.say("order.declined.setup"), or(hint, v.say("return.setup.failed"))}
		default:
			return message{toneCalm, v.say("order.no_card.title"), v.say("return.setup.left")}
		}
	default:
		if v.State == StateMismatch {
			return message{toneCalm, v.say("return.setup.checking"), v.tells("return.setup.person")}
		}
		return message{toneCalm, v.say("return.setup.checking"), v.say("return.setup.asking")}
	}
}

// waiting reports whether the page should look alive: it asks again by itself.
func (v ReturnView) waiting() bool {
	return v.outcome() == OutcomeChecking && v.State != StateMismatch
}
