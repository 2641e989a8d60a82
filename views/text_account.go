package views

// title is said first when the page opens. After a form it begins with how that went, so that whoever
// listens to the page need not search for it.
func (v AccountView) title() string {
	if n := v.notice(); n != nil {
		return n.Title + " · " + v.say("account.title")
	}
	return v.say("account.title")
}

// notice says how the form that was just sent went; nil when there is nothing to say.
func (v AccountView) notice() *message {
	switch v.Notice {
	case AccountCardRemoved:
		return &message{toneGood, v.say("account.removed.title"), v.tells("account.removed.text")}
	case AccountCardKept:
		return &message{toneBad, v.say("account.kept.title"), v.say("account.kept.text")}
	case AccountCardGone:
		return &message{toneCalm, v.say("account.gone.title"), v.say("account.gone.text")}
	case AccountLabelSaved:
		return &message{toneGood, v.say("account.labelled.title"), v.say("account.labelled.text")}
	case AccountLabelNotSaved:
		return &message{toneBad, v.say("account.not_labelled.title"), v.say("account.not_labelled.text")}
	case AccountLabelTooLong:
		return &message{toneBad, v.say("account.too_long.title"), v.say("account.too_long.text")}
	default:
		return nil
	}
}

// name is what the card is called everywhere.
func (c AccountCard) name(f Frame) string { return f.cardName(c.Brand, c.Last4) }

// spoken is the card's name where only screen readers come: without bullets, and with what tells it
// apart from another of the same brand.
func (c AccountCard) spoken(f Frame) string {
	s := or(f.cardBrand(c.Brand), f.say("method.card"))
	if c.Last4 != "" {
		s = f.say("account.ending", "Brand", s, "Last4", plain(c.Last4))
	}
	if c.Label != "" {
		s += ", " + plain(c.Label)
	}
	if c.Expires != "" {
		s += ", " + f.say("order.card_expires", "Date", plain(c.Expires))
	}
	return s
}

// expiry says until when the card is good, or was.
func (c AccountCard) expiry(f Frame) string {
	if c.Expired {
		return f.say("account.expired_on", "Date", plain(c.Expires))
	}
	return f.say("account.expires_on", "Date", plain(c.Expires))
}

// name is what the payment was for, or the order's id.
func (p AccountPayment) name(f Frame) string {
	if p.What == "" {
		return f.say("account.order", "Order", plain(p.OrderID))
	}
	return p.What
}

// badge is the payment's status in two words at most, and how it feels.
func (p AccountPayment) badge(f Frame) message {
	switch p.Status {
	case PaymentPaid:
		return message{toneGood, f.say("account.status.paid"), ""}
	case PaymentProcessing:
		return message{toneCalm, f.say("account.status.processing"), ""}
	case PaymentRefunded:
		return message{toneCalm, f.say("account.status.refunded"), ""}
	case PaymentPartlyRefunded:
		return message{toneCalm, f.say("account.status.partly_refunded"), ""}
	case PaymentDisputed:
		return message{toneWarning, f.say("account.status.disputed"), ""}
	case PaymentFailed:
		return message{toneBad, f.say("account.status.failed"), ""}
	default:
		return message{toneCalm, f.say("account.status.checking"), ""}
	}
}

// validUntil says how long the page is good and how to get another.
func (v AccountView) validUntil() string {
	return v.say("account.valid_until", "Time", plain(v.ExpiresAt), "Seller", v.seller())
}
