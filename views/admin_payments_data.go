package views

// PaymentsView is the list of payments.
type PaymentsView struct {
	ListFrame
	Rows []PaymentRow
}

// PaymentRow is a payment in a list.
type PaymentRow struct {
	OrderURL string
	Amount   string
	Fee      string // "" until Stripe has said it
	Net      string // "" while it is not known, or in another currency
	Back     AdminPill
	Method   string
	Customer CustomerLink
	Tenant   string
	Paid     Moment
	Payout   string // po_…; "" while it is not paid out
	PayoutAt Moment
	Intent   StripeLink
}

// RefundsView is the list of refunds.
type RefundsView struct {
	ListFrame
	Rows    []RefundRow
	Waiting []RefundRow // asked for, and not answered by Stripe
}

// RefundRow is a refund in a list.
type RefundRow struct {
	OrderURL string
	Amount   string
	State    AdminPill
	Reason   string
	Method   string
	Customer CustomerLink
	Tenant   string
	Made     Moment
	Learnt   string // who gave it back, or how we came to know
	Stripe   StripeLink
}

// DisputesView is the list of disputes.
type DisputesView struct {
	ListFrame
	Rows []DisputeRow
}

// DisputeRow is a dispute in a list.
type DisputeRow struct {
	OrderURL  string
	Amount    string
	State     AdminPill
	Reason    string
	Customer  CustomerLink
	Tenant    string
	Due       Moment
	DueText   string // such as "in 3 days"; "" when nothing is due
	DueTone   string
	Todo      string // what to do now
	Stripe    StripeLink
	AnswerURL string // where it is answered; "" in the sandbox
}
