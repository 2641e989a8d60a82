package views

// title is said first when the page opens. After a form it begins with how that went, so that whoever
// listens to the page need not search for it.
func (v AccountView) title() string {
	if n := v.notice(); n != nil {
		return n.Title + " · Your cards and payments"
	}
	return "Your cards and payments"
}

// notice says how the form that was just sent went; nil when there is nothing to say.
func (v AccountView) notice() *message {
	switch v.Notice {
	case AccountCardRemoved:
		return &message{toneGood, "Card removed", "Stripe no longer keeps it for " + v.seller() + "."}
	case AccountCardKept:
		return &message{toneBad, "The card could not be removed", "It is still saved. Wait a minute, then try again."}
	case AccountCardGone:
		return &message{toneCalm, "This card is no longer saved", "It was removed already; there is nothing more to do."}
	case AccountLabelSaved:
		return &message{toneGood, "Label saved", "The card is shown with it from now on."}
	case AccountLabelNotSaved:
		return &message{toneBad, "The label could not be saved", "The card is as it was. Wait a minute, then try again."}
	case AccountLabelTooLong:
		return &message{toneBad, "The label is too long", "It may have 100 characters at most. The card is as it was."}
	default:
		return nil
	}
}

// name is what the card is called everywhere.
func (c AccountCard) name() string { return SavedCard{Brand: c.Brand, Last4: c.Last4}.name() }

// spoken is the card's name where only screen readers come: without bullets, and with what tells it
// apart from another of the same brand.
func (c AccountCard) spoken() string {
	s := or(cardBrand(c.Brand), "Card")
	if c.Last4 != "" {
		s += " ending in " + plain(c.Last4)
	}
	if c.Label != "" {
		s += ", " + plain(c.Label)
	}
	if c.Expires != "" {
		s += ", expires " + plain(c.Expires)
	}
	return s
}

// name is what the payment was for, or the order's id.
func (p AccountPayment) name() string {
	if p.What == "" {
		return "Order " + p.OrderID
	}
	return p.What
}

// badge is the payment's status in two words at most, and how it feels.
func (p AccountPayment) badge() message {
	switch p.Status {
	case PaymentPaid:
		return message{toneGood, "Paid", ""}
	case PaymentProcessing:
		return message{toneCalm, "On its way", ""}
	case PaymentRefunded:
		return message{toneCalm, "Refunded", ""}
	case PaymentPartlyRefunded:
		return message{toneCalm, "Partly refunded", ""}
	case PaymentDisputed:
		return message{toneWarning, "Disputed", ""}
	case PaymentFailed:
		return message{toneBad, "Not paid", ""}
	default:
		return message{toneCalm, "Being checked", ""}
	}
}

// validUntil says how long the page is good and how to get another.
func (v AccountView) validUntil() string {
	return "This page is good until " + plain(v.ExpiresAt) + ". After that, open it again from " + v.seller() + "."
}
