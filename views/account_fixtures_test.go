package views_test

import (
	"strings"

	"github.com/portatill/portatill/views"
)

func account() views.AccountView {
	return views.AccountView{
		Frame:        frame(),
		CustomerName: "Ada Lovelace",
		Cards: []views.AccountCard{
			{ID: "pm_1", Brand: "visa", Last4: "4242", Expires: "12/2030", Default: true, DeleteURL: "/account/tok/cards/pm_1/delete", LabelURL: "/account/tok/cards/pm_1/label"},
			{ID: "pm_2", Brand: "mastercard", Last4: "4444", Expires: "03/2028", Label: "Company card", DeleteURL: "/account/tok/cards/pm_2/delete", LabelURL: "/account/tok/cards/pm_2/label"},
			{ID: "pm_3", Brand: "amex", Last4: "0005", Expires: "01/2024", Expired: true, DeleteURL: "/account/tok/cards/pm_3/delete", LabelURL: "/account/tok/cards/pm_3/label"},
			{ID: "pm_4", Brand: "bacs_debit", Last4: "2345"},
		},
		Payments: []views.AccountPayment{
			{OrderID: "ord_5", At: "22 November 2026", What: "Broadband and a second number", Amount: "£28.80", Status: views.PaymentPaid, PaidWith: "visa •••• 4242", ReceiptURL: "/pay/t5/receipt"},
			{OrderID: "ord_4", At: "20 November 2026", What: "Top-up", Amount: "£50.00", Status: views.PaymentProcessing, PaidWith: "Bacs Direct Debit •••• 2345"},
			{OrderID: "ord_3", At: "3 October 2026", What: "Router", Amount: "£60.00", Refunded: "£12.50", Status: views.PaymentPartlyRefunded, PaidWith: "mastercard •••• 4444", ReceiptURL: "/pay/t3/receipt"},
			{OrderID: "ord_2", At: "9 September 2026", Amount: "£14.40", Status: views.PaymentDisputed, PaidWith: "visa •••• 4242", ReceiptURL: "/pay/t2/receipt"},
			{OrderID: "ord_1", At: "2 August 2026", What: "Number porting", Amount: "£1,204.00", Refunded: "£1,204.00", Status: views.PaymentRefunded, ReceiptURL: "/pay/t1/receipt"},
		},
		MorePaymentsURL: "/account/tok?before=ord_1",
		BackURL:         "https://portal.example/account",
		ExpiresAt:       "20:15 GMT",
	}
}

func hostileAccount() views.AccountView {
	v := account()
	v.Tenant.Name = "Acme " + bidi + hostile
	v.CustomerName, v.ExpiresAt, v.Notice = hostile, hostile, hostile
	for i := range v.Cards {
		v.Cards[i].Brand, v.Cards[i].Last4, v.Cards[i].Expires, v.Cards[i].Label = hostile, hostile, bidi, hostile
	}
	v.Cards[1].Label = strings.Repeat("Donaudampfschifffahrt", 5)
	for i := range v.Payments {
		v.Payments[i].What, v.Payments[i].At, v.Payments[i].PaidWith = hostile, bidi, hostile
	}
	v.Payments[1].What = strings.Repeat("Donaudampfschifffahrt", 12)
	v.Payments[2].Status = hostile
	return v
}

func notices() []views.AccountNotice {
	return []views.AccountNotice{
		views.AccountCardRemoved, views.AccountCardKept, views.AccountCardGone,
		views.AccountLabelSaved, views.AccountLabelNotSaved, views.AccountLabelTooLong,
	}
}

// setups are the ways in which saving a card can end.
func setups() map[string]views.ReturnView {
	setup := func(state views.OrderState, outcome views.Outcome) views.ReturnView {
		return with(returned(state, outcome), func(v *views.ReturnView) { v.Setup = true })
	}
	return map[string]views.ReturnView{
		"saved":      setup(views.StatePaid, ""),
		"on-its-way": setup(views.StateProcessing, ""),
		"needs-you":  setup(views.StateOpen, views.OutcomeNeedsYou),
		"left":       setup(views.StateOpen, ""),
		"cancelled":  setup(views.StateCancelled, ""),
		"expired":    setup(views.StateExpired, ""),
		"failed":     setup(views.StateFailed, ""),
		"checking":   setup(views.StateOpen, views.OutcomeChecking),
		"mismatch":   setup(views.StateMismatch, ""),
	}
}
