package mail

import (
	"fmt"
	"time"

	"github.com/portatill/portatill/pay"
)

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
