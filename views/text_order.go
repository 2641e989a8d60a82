package views

// notice says where an order stands that is no longer simply open; nil when it is.
func (v OrderView) notice() *message {
	if v.Paused && (v.State == StateOpen || v.State == StateDraft || v.State == StateExpired) {
		return &message{toneWarning, v.say("order.paused.title"), v.tells("order.paused.text")}
	}
	switch v.State {
	case StateOpen, StateDraft:
		switch hint := plain(v.DeclineHint); {
		case v.confirms():
			return &message{toneWarning, v.say("order.confirm.title"), sentences(hint, v.say("order.confirm.text", "Amount", plain(v.Totals.Total)))}
		case hint == "", v.declinedBesideCards():
			return nil
		default:
			return v.declined(hint)
		}
	case StatePaid:
		if v.Setup {
			return &message{toneGood, v.say("order.saved.title"), sentences(v.say("order.saved.text"), v.closing())}
		}
		return &message{toneGood, v.say("order.paid.title"), sentences(v.say("order.paid.text"), v.closing())}
	case StateProcessing:
		if v.Setup {
			return &message{toneCalm, v.say("order.saving.title"), sentences(v.say("order.saved.text"), v.closing())}
		}
		m := v.processing(v.ExpectedBy)
		m.Text = sentences(m.Text, v.closing())
		return &m
	case StateExpired:
		return &message{toneWarning, v.say("order.expired.title"), sentences(v.nothingHappened(), v.again())}
	case StateCancelled:
		if v.Setup {
			return &message{toneCalm, v.say("order.no_card.title"), sentences(v.say("order.no_card.text"), v.closing())}
		}
		return &message{toneCalm, v.say("order.cancelled.title"), sentences(v.say("order.nothing_taken"), v.closing())}
	case StateFailed:
		return v.declined(sentences(or(plain(v.DeclineHint), sentences(v.say("order.not_accepted"), v.nothingHappened())), v.closing()))
	default:
		m := v.checking(v.say("order.checking.title"))
		return &m
	}
}

func (v OrderView) declined(text string) *message {
	if v.Setup {
		return &message{toneBad, v.say("order.declined.setup"), text}
	}
	return &message{toneBad, v.say("order.declined.title"), text}
}

func (v OrderView) nothingHappened() string {
	if v.Setup {
		return v.say("order.no_card.sentence")
	}
	return v.say("order.nothing_taken")
}

func (v OrderView) again() string {
	switch {
	case !v.payable():
		return v.closing()
	case v.Setup:
		return v.say("order.expired.again_setup")
	default:
		return v.say("order.expired.again")
	}
}

// closing says that the page may be closed, where it is the end of the road: no button and no way on.
func (v OrderView) closing() string {
	if v.payable() || v.cancellable() || v.done() && v.ContinueURL != "" {
		return ""
	}
	return v.say("layout.close")
}

// confirms reports whether the page asks for the confirmation that a bank wants.
func (v OrderView) confirms() bool {
	return v.NeedsCustomer && v.payable() && !v.Setup && !v.Free && (v.State == StateOpen || v.State == StateDraft)
}

// declinedBesideCards reports whether a refusal is told beside the cards, where the next choice is made.
func (v OrderView) declinedBesideCards() bool {
	return v.DeclineHint != "" && v.offersCards() && (v.State == StateOpen || v.State == StateDraft)
}

// toldChoices is for how many choices the stylesheet can tell which one is made (build/css/order.css).
const toldChoices = 8

// tellsCard reports whether the pay bar says what the button charges. Where it does not, it does not stay
// at the lower edge either: nobody is to press it before having seen the cards.
func (v OrderView) tellsCard() bool {
	return v.offersCards() && len(v.SavedCards)+1 <= toldChoices
}

// offersSave reports whether the page asks to keep a new card.
func (v OrderView) offersSave() bool {
	return v.OfferSave && v.payable() && !v.Setup && !v.Free && !v.confirms()
}

// payable reports whether the page offers to pay. Paid, processing and unclear orders never do,
// whatever the handler set: the page must not be the place where somebody pays twice.
func (v OrderView) payable() bool {
	return v.PayURL != "" && v.State.unpaid()
}

// unpaid reports whether it is certain that no money has moved or is on its way.
func (s OrderState) unpaid() bool {
	switch s {
	case StateDraft, StateOpen, StateExpired, StateCancelled, StateFailed:
		return true
	default:
		return false
	}
}

// ended reports whether nothing more comes of the order, so that a word about the months after today
// would promise what nobody bought.
func (s OrderState) ended() bool { return s == StateFailed || s == StateCancelled }

// done reports whether the money is settled or under way, so that only the way back is left.
func (v OrderView) done() bool { return v.State == StatePaid || v.State == StateProcessing }

// cancellable reports whether leaving still means leaving unpaid.
func (v OrderView) cancellable() bool { return v.CancelURL != "" && v.State.unpaid() }

func (v OrderView) hasDetails() bool {
	return v.CustomerName != "" || v.CustomerEmail != "" || v.ContentID != "" || v.OrderID != ""
}

// offersCards reports whether there is a choice of how to pay: not when nothing is taken.
func (v OrderView) offersCards() bool {
	return v.payable() && len(v.SavedCards) > 0 && !v.Setup && !v.Free && !v.confirms()
}

func (v OrderView) hasActions() bool {
	return v.payable() || v.cancellable() || v.done() && (v.ContinueURL != "" || v.showsReceipt())
}

// showsReceipt: a card that was saved has none, since nothing was paid.
func (v OrderView) showsReceipt() bool { return v.ReceiptURL != "" && !v.Setup }

// payLabel is what the button says; the amount is on it so that nobody presses it unsure.
func (v OrderView) payLabel() string {
	switch {
	case v.State == StateExpired, v.State == StateCancelled:
		return v.say("order.button.again")
	case v.State == StateFailed:
		return v.say("order.button.retry")
	case v.Setup:
		return v.say("order.button.setup")
	case v.Free:
		return v.say("order.button.free")
	case v.confirms():
		return v.say("order.button.confirm")
	default:
		return v.say("order.button.pay", "Amount", plain(v.Totals.Total))
	}
}

func (v OrderView) cancelLabel() string {
	if v.State == StateOpen || v.State == StateDraft {
		return v.tells("order.cancel")
	}
	return v.tells("order.return")
}

func (v OrderView) heading() string {
	switch {
	case v.Setup:
		return v.tells("order.heading.setup")
	case v.State.unpaid():
		return v.tells("order.heading.pay")
	default:
		return v.tells("order.heading.other")
	}
}

// totalLabel says "due" only while something is.
func (f Frame) totalLabel(s OrderState) string {
	switch s {
	case StatePaid:
		return f.say("order.total.paid")
	case StateOpen, StateDraft, StateExpired:
		return f.say("order.total.due")
	default:
		return f.say("order.total.plain")
	}
}

func (v OrderView) cardName(c SavedCard) string { return v.Frame.cardName(c.Brand, c.Last4) }
