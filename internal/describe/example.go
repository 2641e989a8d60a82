package describe

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/portatill/portatill/internal/wire"
)

// example is the first payment of docs/api.md; the other formats' examples are made from it.
const example = `{
  "ICustomer": 12345,
  "Customer": {
    "PersonalInformation": {"Name": "Ada Lovelace"},
    "CustomerContact": {"Email": "ada@example.com"}
  },
  "ShoppingInformation": [
    {
      "Title": "SIP trunk", "Quantity": 1, "SetupFee": "10.00", "MonthlyFee": "12.00", "AdvancePeriod": 1,
      "Key": "trunk", "VatApplicable": true, "Currency": "GBP"
    }
  ],
  "SuccessUrl": "https://shop.example.com/paid",
  "CancelUrl": "https://shop.example.com/basket"
}`

// ExampleText is the example request as a person writes it, in JSON.
func ExampleText() string { return example }

// ExampleRequest is the example request. A text of ours that we cannot read is a programming error and panics.
func ExampleRequest() *wire.StripePaymentRequest {
	request := new(wire.StripePaymentRequest)
	if err := wire.Decode(wire.JSON, []byte(example), request); err != nil {
		panic(fmt.Sprintf("describe: the example is not a request: %v", err))
	}
	return request
}

func exampleJSON(batch bool) json.RawMessage {
	if batch {
		return json.RawMessage("[" + example + "]")
	}
	return json.RawMessage(example)
}

// exampleResponse is the till's answer to the example.
func exampleResponse() *wire.StripePaymentResponse {
	d := wire.MustDecimal
	return &wire.StripePaymentResponse{
		Success: true, Status: "open", OrderId: "ord_01k9zq3m5x", Url: "https://pay.example.com/pay/9ZcMbhN2vJ0m4nHjTz1yGg",
		ExpiresAt: "2026-11-23T20:15:00Z", ICustomer: 12345, Amount: d("26.40"), Currency: "GBP",
		Lines: []wire.Line{{Key: "trunk", Title: "SIP trunk", Quantity: 1, SubTotal: d("22.00"), Vat: d("4.40"), Total: d("26.40"),
			Explanation: "1 × (£10.00 setup + £12.00 a month × 1 month) = £22.00; plus VAT 20 % (£4.40) = £26.40"}},
	}
}

// Pretty indents compact JSON without changing a number or the order of its members.
func Pretty(text []byte) string {
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return string(text)
	}
	return b.String()
}
