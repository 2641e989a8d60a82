package mail

import (
	"fmt"
	"time"

	"github.com/portatill/portatill/pay"
)

// words are the texts of the mails in one language; all of them are here. Values come in
// as they are to be shown.
type words struct {
	lang, dir string
	day       func(t time.Time) string

	receiptSubject, receiptHeading, receiptLead func(shop, amount string) string
	receiptNothing                              string
	failedSubject, failedHeading                func(shop string) string
	failedLead                                  func(shop, amount string) string
	failedAgain                                 string
	confirmSubject, confirmLead                 func(shop, amount string) string
	confirmHeading                              string
	confirmSafe                                 func(host string) string

	lines, total, vatAdded, vatIn   string
	order, reference, paidOn, by    string
	seeReceipt, seeOrder, toConfirm string
	why                             func(shop string) string
	questions                       func(address string) string
	quantity                        func(n int64, title string) string
}

// wordsOf are the words of a language, English where there are none.
func wordsOf(string) words { return english }

var english = words{
	lang: "en", dir: "ltr",
	day: func(t time.Time) string { return t.UTC().Format("2 January 2006") },

	receiptSubject: func(shop, amount string) string { return fmt.Sprintf("Your receipt from %s: %s", shop, amount) },
	receiptHeading: func(_, amount string) string { return "You paid " + amount },
	receiptLead:    func(shop, _ string) string { return shop + " has your payment. Thank you." },
	receiptNothing: "Nothing was due: your voucher covers the whole order.",

	failedSubject: func(shop string) string { return "Your payment to " + shop + " did not go through" },
	failedHeading: func(string) string { return "Your payment did not go through" },
	failedLead: func(shop, amount string) string {
		return fmt.Sprintf("Your bank refused the payment of %s to %s. Nothing was taken for this order.", amount, shop)
	},
	failedAgain: "To pay again, open the order below and go back to the shop from there, or ask your bank why it refused.",

	confirmSubject: func(shop, amount string) string {
		return fmt.Sprintf("Please confirm your payment of %s to %s", amount, shop)
	},
	confirmHeading: "Your bank wants to hear from you",
	confirmLead: func(shop, amount string) string {
		return fmt.Sprintf("%s tried to charge your saved card with %s. Your bank asks you to confirm it. Until you do, nothing is taken.", shop, amount)
	},
	confirmSafe: func(host string) string { return "The link leads to " + host + ", and nowhere else." },

	lines: "What you bought", total: "Total", vatAdded: "VAT", vatIn: "VAT, contained",
	order: "Order", reference: "Reference", paidOn: "Paid on", by: "Paid with",
	seeReceipt: "See your receipt", seeOrder: "See your order", toConfirm: "Confirm the payment",
	why: func(shop string) string {
		return "You get this mail because " + shop + " has this address for you. It is sent by a machine."
	},
	questions: func(address string) string { return "Questions? Write to " + address + "." },
	quantity: func(n int64, title string) string {
		if n == 1 {
			return title
		}
		return fmt.Sprintf("%d × %s", n, title)
	},
}

// KindNames are the mails in words for staff.
var KindNames = map[pay.MailKind]string{
	pay.MailReceipt: "Receipt", pay.MailFailed: "Payment failed", pay.MailAuthentication: "Confirmation needed", pay.MailDaily: "Daily letter",
}

// KindWhen says when each is sent.
var KindWhen = map[pay.MailKind]string{
	pay.MailReceipt:        "To the customer, when an order is paid.",
	pay.MailFailed:         "To the customer, when a bank refuses a debit days after the order.",
	pay.MailAuthentication: "To the customer, when a saved card is charged and its bank wants them to confirm. Sent after five minutes, unless they did.",
	pay.MailDaily:          "To each administrator of the tenant, once a day; operators get one about the whole installation.",
}

// The letter to the staff, which is in English as the staff pages are.

func letterSubject(n int, place string, day time.Time) string {
	when := day.Format("2 January 2006")
	switch n {
	case 0:
		return fmt.Sprintf("All square: %s, %s", place, when)
	case 1:
		return fmt.Sprintf("1 thing needs you: %s, %s", place, when)
	}
	return fmt.Sprintf("%d things need you: %s, %s", n, place, when)
}

const (
	letterSquare  = "All square"
	letterLead    = "Every payment is booked, the books are verified, and nothing waits for a person."
	letterWaiting = "This waits for a person. What waited yesterday and still does is here again."
	letterOpen    = "Open the staff pages"
	letterWhy     = "You get this letter once a day because you look after these books. An operator sets when, with PORTATILL_MAIL_LETTER_AT; a tenant without it leaves daily out of its property mails."
	everything    = "the whole installation"
)
