package wire

import (
	"encoding/json"
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
