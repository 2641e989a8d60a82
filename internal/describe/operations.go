package describe

import (
	"encoding/json"
	"strings"
)

// Asked is one of the things that a request can ask for (product.md section 2). Which one follows from its fields.
type Asked struct {
	Name    string // of the example: one word
	Summary string // what is done
	When    string // the fields that ask for it
	Status  string // of the answer, when all goes well
	Example string // a request in JSON, without the licence key
}

// Operations are what a request can ask for, the most used one first. Their examples name a card pm_1NXWPnLkdIwHu7ix.
func Operations() []Asked {
	return []Asked{
		{"checkout", "Take a payment; the customer pays on a page.", "A cart, SuccessUrl and CancelUrl.", "open", example},
		{"chargeCard", "Charge a saved card, or what Stripe.js made a token of, while the customer is away.",
			"A cart, with StripeSourceId or with a Stripe token in apiSingleUseToken.", "paid", `{
  "ICustomer": 12345,
  "StripeSourceId": "pm_1NXWPnLkdIwHu7ix",
  "ShoppingInformation": [{"Title": "SIP trunk", "Quantity": 1, "MonthlyFee": "12.00", "AdvancePeriod": 1, "Currency": "GBP"}],
  "SuccessUrl": "https://shop.example.com/paid",
  "CancelUrl": "https://shop.example.com/basket"
}`},
		{"listCards", "List the customer's saved cards, and make a link to the customer's own page.",
			"GetCustomerCardInformation, and SuccessUrl for the link, which leads back there.", "listed", `{
  "ICustomer": 12345,
  "GetCustomerCardInformation": true,
  "SuccessUrl": "https://shop.example.com/account"
}`},
		{"saveCard", "Save a card that Stripe.js made a token of.", "A Stripe token in apiSingleUseToken, without a cart.", "saved", `{
  "ICustomer": 12345,
  "apiSingleUseToken": "tok_visa",
  "CardInfo": "Company card"
}`},
		{"saveCardOnPage", "Let the customer save a card on Stripe's page; nothing is charged.", "SuccessUrl and CancelUrl, without a cart.", "open", `{
  "ICustomer": 12345,
  "SuccessUrl": "https://shop.example.com/account",
  "CancelUrl": "https://shop.example.com/account"
}`},
		{"deleteCard", "Delete a saved card; the answer lists those that remain.", "IsDelete and StripeSourceId.", "deleted", `{
  "ICustomer": 12345,
  "StripeSourceId": "pm_1NXWPnLkdIwHu7ix",
  "IsDelete": true
}`},
	}
}

// operationsText tells in prose what the examples show.
func operationsText() string {
	var b strings.Builder
	b.WriteString("What is asked for follows from the fields; a request that asks for two things, or for none, is refused with ConflictingOperations. ")
	for _, o := range Operations() {
		b.WriteString(strings.TrimSuffix(o.When, ".") + ": " + strings.ToLower(o.Summary[:1]) + o.Summary[1:] + " ")
	}
	b.WriteString("Success says that the request was carried out, Status whether money came.")
	return b.String()
}

// operationExamples are the examples as OpenAPI has them.
func operationExamples() Ordered[Example] {
	var out Ordered[Example]
	for _, o := range Operations() {
		out = append(out, Named[Example]{o.Name, Example{Summary: o.Summary, Value: json.RawMessage(o.Example)}})
	}
	return out
}
