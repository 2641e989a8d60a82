// Package mail writes the till's mails and hands them to an SMTP server: receipts, what a
// customer must know of a payment that did not go through, and the daily letter to the
// staff. What is to be sent is decided in pay, in the transaction of the fact; here a mail
// gets its words (internal/i18n for customers, text_en.go for staff), its two forms (templates), its addresses and its outcome.
//
// Names and addresses come from requests and are hostile: no text of theirs reaches a
// header but through address and plain. Neither an address nor a server's words reach the
// log. The package must not know SQL, HTTP, or a rule about money.
package mail
