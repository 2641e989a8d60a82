package wire

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestWhatIsWrittenIsReadBackInEveryFormat(t *testing.T) {
	t.Parallel()
	hostileFormats(t, func(t *testing.T, format Format) {
		rapid.Check(t, func(t *rapid.T) {
			request := anyRequest(t)
			body := Encode(format, request)
			var got StripePaymentRequest
			if err := Decode(format, body, &got); err != nil {
				t.Fatalf("%v\n%s", err, body)
			}
			keepWhatFormatKeeps(format, request)
			if diff := cmp.Diff(*request, got); diff != "" {
				t.Fatalf("-sent +read:\n%s\n%s", diff, body)
			}
			if diff := cmp.Diff(string(Canonical(request)), string(Canonical(&got))); diff != "" {
				t.Fatalf("the scale of a decimal is lost, -sent +read:\n%s", diff)
			}
		})
	})
}

func keepWhatFormatKeeps(format Format, request *StripePaymentRequest) {
	v, s := target(request)
	switch format {
	case JSV:
		asJSVKeeps(v, s)
	case CSV, Form:
		asCSVKeeps(v, s)
	}
}

func TestABatchIsReadBackInOrder(t *testing.T) {
	t.Parallel()
	for _, format := range []Format{JSON, JSV, CSV, XML} {
		t.Run(format.String(), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				batch := []StripePaymentRequest{}
				for range rapid.IntRange(0, 3).Draw(t, "requests") {
					batch = append(batch, *anyRequest(t))
				}
				var got []StripePaymentRequest
				if err := DecodeBatch(format, Encode(format, batch), &got); err != nil {
					t.Fatal(err)
				}
				for i := range batch {
					keepWhatFormatKeeps(format, &batch[i])
				}
				if diff := cmp.Diff(batch, got); diff != "" {
					t.Fatalf("-sent +read:\n%s", diff)
				}
			})
		})
	}
}

func TestResponsesAreReadBackInEveryFormat(t *testing.T) {
	t.Parallel()
	for _, format := range []Format{JSON, JSV, XML} {
		t.Run(format.String(), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				response := new(StripePaymentResponse)
				v, s := target(response)
				fill(t, v, s)
				body := Encode(format, response)
				var got StripePaymentResponse
				if err := Decode(format, body, &got); err != nil {
					t.Fatalf("%v\n%s", err, body)
				}
				if diff := cmp.Diff(*response, got); diff != "" {
					t.Fatalf("-sent +read:\n%s\n%s", diff, body)
				}
			})
		})
	}
}

func TestOneRequestHasOneDigestInAllFormats(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		request := anyRequest(t)
		want := Digest(request)
		for _, format := range []Format{JSON, JSV, CSV, XML, Form} {
			var got StripePaymentRequest
			if err := Decode(format, Encode(format, request), &got); err != nil {
				t.Fatal(err)
			}
			if digest := Digest(&got); digest != want {
				t.Fatalf("%s has digest %s, the request itself %s:\n%s", format, digest, want, Encode(format, request))
			}
		}
	})
}

func TestDigest(t *testing.T) {
	t.Parallel()
	base := func() *StripePaymentRequest {
		return &StripePaymentRequest{
			Customer: &Customer{
				PersonalInformation: &PersonalInformation{LastName: Str("Neil")},
				CustomerStatus: &CustomerStatus{ServiceFeatures: []ServiceFeature{{
					ServiceAttributes: Attributes{{"k", []String{Str("v")}}, {"a", nil}},
				}}},
			},
			ICustomer:           7,
			ShoppingInformation: []ShoppingItem{{Title: Str("a"), Quantity: 1, MonthlyFee: MustDecimal("9.90")}},
			License:             Str("lic"),
		}
	}
	want := Digest(base())
	same := map[string]func(r *StripePaymentRequest){
		"TheLicenceIsNoPartOfIt":  func(r *StripePaymentRequest) { r.License = Str("rotated") },
		"ThePasswordIsNoPartOfIt": func(r *StripePaymentRequest) { r.Customer.PersonalInformation.Password = Str("p") },
		"DecimalsCountByValue":    func(r *StripePaymentRequest) { r.ShoppingInformation[0].MonthlyFee = MustDecimal("9.9") },
		"AnEmptyStringIsNull":     func(r *StripePaymentRequest) { r.CardInfo = Str("") },
		"AnEmptyListIsNull":       func(r *StripePaymentRequest) { r.ShoppingInformation[0].AdditionalInformation = []String{} },
		"TheOrderOfADictionaryMeansNothing": func(r *StripePaymentRequest) {
			d := r.Customer.CustomerStatus.ServiceFeatures[0].ServiceAttributes
			d[0], d[1] = d[1], d[0]
		},
		"AListOfOneEmptyTextIsEmpty": func(r *StripePaymentRequest) { r.ShoppingInformation[0].AdditionalInformation = []String{{}} },
	}
	for name, change := range same {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := base()
			change(r)
			if got := Digest(r); got != want {
				t.Errorf("digest %s, want %s", got, want)
			}
		})
	}
	others := map[string]func(r *StripePaymentRequest){
		"AnotherAmountIsAnotherRequest":   func(r *StripePaymentRequest) { r.ShoppingInformation[0].MonthlyFee = MustDecimal("9.91") },
		"AnotherCustomerIsAnotherRequest": func(r *StripePaymentRequest) { r.ICustomer = 8 },
		"AnotherNameIsAnotherRequest":     func(r *StripePaymentRequest) { r.Customer.PersonalInformation.LastName = Str("O") },
		"TwoTextsAreNotOneJoinedText": func(r *StripePaymentRequest) {
			r.ShoppingInformation[0].AdditionalInformation = []String{Str("a"), Str("b")}
		},
		"ASecondLineIsAnotherRequest": func(r *StripePaymentRequest) {
			r.ShoppingInformation = append(r.ShoppingInformation, ShoppingItem{})
		},
	}
	seen := map[string]string{want: "the request itself"}
	for name, change := range others {
		r := base()
		change(r)
		digest := Digest(r)
		if other, ok := seen[digest]; ok {
			t.Errorf("%s: same digest as %s", name, other)
		}
		seen[digest] = name
	}
}
