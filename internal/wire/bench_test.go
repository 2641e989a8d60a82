package wire

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// The plain twin of the request for encoding/json, the yardstick of the benchmarks: same shape, no nulls.
type plainRequest struct {
	Customer                   *plainCustomer
	ApiSingleUseToken          string `json:"apiSingleUseToken"`
	ICustomer                  int32
	StripeSourceId             string
	ShoppingInformation        []plainItem
	GetCustomerCardInformation bool
	CustomerId, CardInfo       string
	IsDelete                   bool
	SuccessUrl, CancelUrl      string
	PaymentMethod, License     string
	ContentId                  int32
	FeatureName                string
}

type plainCustomer struct {
	CustomerAddress *struct {
		Address1, Address2, Address3, Address4, City, Region, Postcode, Country, Town string
	}
	CustomerContact *struct{ Email, BCC, EmailFrom, Phone1, Phone2, Contact1, Contact2, Fax string }
	CustomerStatus  *struct {
		OpeningBalance, Balance, CreditLimit, DiscountRate json.Number
		ServiceFeatures                                    []struct {
			Name, FlagValue   string
			ServiceAttributes map[string][]string
		}
		BillStatus, BilledTo, CreditLimitWarning, ISO4217 string
	}
	Preferences *struct {
		SendStatistics                                                              string
		MaxAbbreviatedLength                                                        int32
		OutDateFormat, OutDateTimeFormat, OutTimeFormat, InDateFormat, InTimeFormat string
		DiallingRule                                                                *struct {
			CC, AC                string
			IA                    int32
			OP, DP, IP, EM, EX    string
			NL, CT, CS, CSDR, CSS int32
			CSP, CSPS, CSL, NEX   string
		}
		IMoh                                                   int32
		SendInvoices                                           string
		ITimeZone, IUITimeZone, CustomerType, IVDPlan          int32
		CldTranslationRule, MapSendInvoices, MapSendStatistics string
	}
	PersonalInformation *struct {
		FirstName, MiddleInitials, LastName, Salutation, Company, Login, Password, Name, TaxId string
		IMoh                                                                                   int32
	}
	ICustomer, IParent int32
	Notes              string
}

type plainItem struct {
	Title                 string
	Quantity              int32
	MonthlyFee, SetupFee  json.Number
	DisplayIndex          int32
	Key                   string
	AdditionalInformation []string
	PartId                int32
	VatApplicable         bool
	Currency              string
	TransactionCharge     json.Number
	VoucherCredit         json.Number
	AdvancePeriod         int32
	ItemSubTotal          json.Number
}

// benchmarkRequest is the metadata page's sample with a second line in the cart, about 3 KB of JSON.
func benchmarkRequest(b testing.TB) *StripePaymentRequest {
	b.Helper()
	for _, v := range vectors(b) {
		if v.Name == "seed-json" {
			request := new(StripePaymentRequest)
			if err := Decode(JSON, []byte(v.Bytes), request); err != nil {
				b.Fatal(err)
			}
			item := request.ShoppingInformation[0]
			item.Title, item.MonthlyFee, item.SetupFee = Str("Hosted PBX, 10 seats"), MustDecimal("9.90"), MustDecimal("25.00")
			request.ShoppingInformation = append(request.ShoppingInformation, item, item)
			return request
		}
	}
	b.Fatal("no seed")
	return nil
}

func benchmarkDecode(b *testing.B, format Format) {
	body := Encode(format, benchmarkRequest(b))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var request StripePaymentRequest
		if err := Decode(format, body, &request); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeJSON(b *testing.B) { benchmarkDecode(b, JSON) }
func BenchmarkDecodeJSV(b *testing.B)  { benchmarkDecode(b, JSV) }
func BenchmarkDecodeCSV(b *testing.B)  { benchmarkDecode(b, CSV) }
func BenchmarkDecodeXML(b *testing.B)  { benchmarkDecode(b, XML) }
func BenchmarkDecodeForm(b *testing.B) { benchmarkDecode(b, Form) }

// BenchmarkDecodeSizes shows that the time of decoding is linear in the size: the MB/s of a format stay about the same
// from 4 KB to the limit of a body.
func BenchmarkDecodeSizes(b *testing.B) {
	names := map[Format]string{JSON: "JSON", JSV: "JSV", CSV: "CSV", XML: "XML", Form: "Form"}
	sizes := []struct {
		name  string
		bytes int
	}{{"4KB", 4 << 10}, {"16KB", 16 << 10}, {"64KB", 64 << 10}, {"256KB", 256 << 10}, {"1MB", mebibyte}}
	for _, format := range []Format{JSON, JSV, CSV, XML, Form} {
		for _, size := range sizes {
			b.Run(names[format]+"/"+size.name, func(b *testing.B) {
				body := cartOfSize(b, format, size.bytes)
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					var request StripePaymentRequest
					if err := Decode(format, body, &request); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// cartOfSize writes a cart with as many lines as go into size bytes of the format.
func cartOfSize(t testing.TB, format Format, size int) []byte {
	t.Helper()
	body := func(lines int) []byte {
		request := StripePaymentRequest{License: Str("L-1"), ICustomer: 7, SuccessUrl: Str("https://portal.example/paid?a=b"), CancelUrl: Str("https://portal.example/")}
		for i := range lines {
			request.ShoppingInformation = append(request.ShoppingInformation, ShoppingItem{
				Title: Str("Hosted PBX, 10 seats"), Quantity: 2, MonthlyFee: MustDecimal("9.90"), SetupFee: MustDecimal("25.00"),
				Key: Str(fmt.Sprintf("line-%05d", i)), Currency: Str("GBP"), VatApplicable: true,
				AdditionalInformation: []String{Str(`a "quoted" text, with a comma`), {}, Str(strings.Repeat("more to say, ", 5))},
			})
		}
		return Encode(format, &request)
	}
	empty := len(body(0))
	cart := body((size - empty) / (len(body(1)) - empty))
	if len(cart) > size || len(cart) < size*3/4 {
		t.Fatalf("the cart for %d bytes of %s is %d bytes long", size, format, len(cart))
	}
	return cart
}

// BenchmarkDecodeYardstick is encoding/json on the plain twin.
func BenchmarkDecodeYardstick(b *testing.B) {
	body := Encode(JSON, benchmarkRequest(b))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var request plainRequest
		if err := json.Unmarshal(body, &request); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeJSON(b *testing.B) { benchmarkEncode(b, JSON) }
func BenchmarkEncodeJSV(b *testing.B)  { benchmarkEncode(b, JSV) }
func BenchmarkEncodeCSV(b *testing.B)  { benchmarkEncode(b, CSV) }
func BenchmarkEncodeXML(b *testing.B)  { benchmarkEncode(b, XML) }

func benchmarkEncode(b *testing.B, format Format) {
	request := benchmarkRequest(b)
	b.ReportAllocs()
	for b.Loop() {
		Encode(format, request)
	}
}

func BenchmarkDigest(b *testing.B) {
	request := benchmarkRequest(b)
	b.ReportAllocs()
	for b.Loop() {
		Digest(request)
	}
}
