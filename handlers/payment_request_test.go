package handlers_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
)

func TestAGoodRequestIsPricedAndAnsweredInFull(t *testing.T) {
	t.Parallel()
	k := setup(t)
	r := k.send(wire.JSON, k.request()).accepted()
	if r.Status != "open" || r.Amount != "110.40" || r.Currency != "GBP" || r.ICustomer != 12345 || r.ContentId != 42 || r.FeatureName != "Basket" || r.Replayed {
		t.Errorf("got %+v", r)
	}
	if !strings.HasPrefix(r.SessionId, "cs_") || !strings.HasPrefix(r.CustomerId, "cus_") || r.ExpiresAt == "" || r.License != "" {
		t.Errorf("got %+v", r)
	}
	if len(r.Lines) != 1 || r.Lines[0].SubTotal != "92.00" || r.Lines[0].Vat != "18.40" || r.Lines[0].Total != "110.40" || r.Lines[0].Quantity != 2 ||
		!strings.Contains(r.Lines[0].Explanation, "2 × (£10.00 setup + £12.00 a month × 3 months) = £92.00") {
		t.Errorf("lines %+v", r.Lines)
	}
	o := k.order(r.OrderId)
	if r.Url != baseURL+"/pay/"+o.PayToken || o.State != pay.OrderOpen {
		t.Errorf("url %s, state %s", r.Url, o.State)
	}
}

// TestTheSameRequestInEveryFormatIsOneOrder is CN-03: one record, one digest, whatever it came as.
func TestTheSameRequestInEveryFormatIsOneOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		k := setupOn(t, open(t))
		first := k.send(wire.JSON, k.request()).accepted()
		for _, f := range formats {
			routes := []string{userRoute + ".json", "/" + f.String() + "/reply/StripePaymentRequest?format=json"}
			if f == wire.Form {
				routes[1] = "/csv/reply/StripePaymentRequest?format=json"
			}
			for _, route := range routes {
				r := k.do(http.MethodPost, route, string(wire.Encode(f, k.request())), "Content-Type", f.ContentType()).accepted()
				if r.OrderId != first.OrderId || !r.Replayed || r.Url != first.Url || r.SessionId != first.SessionId {
					t.Errorf("%s to %s: %+v", f, route, r)
				}
			}
		}
		if n := k.rows("orders"); n != 1 {
			t.Errorf("%d orders", n)
		}
	})
}

func TestARequestOnOneWayIsDurableAndAnswered204(t *testing.T) {
	t.Parallel()
	for _, f := range formats {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			k := setup(t)
			path := f.String()
			if f == wire.Form {
				path = "json"
			}
			a := k.do(http.MethodPost, "/"+path+"/oneway/StripePaymentRequest", string(wire.Encode(f, k.request())), "Content-Type", f.ContentType())
			if a.status != http.StatusNoContent || a.body != "" || a.header.Get("Content-Type") != "" {
				t.Errorf("got %d %q %q", a.status, a.header.Get("Content-Type"), a.body)
			}
			orders, err := k.store.ListOrders(t.Context(), pay.OrderFilter{TenantID: k.tenant.ID})
			if err != nil || len(orders) != 1 || orders[0].State != pay.OrderOpen {
				t.Errorf("orders %v, %v", orders, err)
			}
		})
	}
}

func TestAddressesAreReadAsServiceStackReadsThem(t *testing.T) {
	t.Parallel()
	k := setup(t)
	body := string(wire.Encode(wire.JSON, k.request()))
	for _, path := range []string{"/ChargeStripeCustomerCard", "/ChargeStripeCustomerCard/", "/chargestripecustomercard", "/CHARGESTRIPECUSTOMERCARD/",
		"/json/reply/StripePaymentRequest", "/JSON/Reply/stripepaymentrequest", "/json/reply/StripePaymentRequest/", "/ChargeStripeCustomerCard.json", "/chargestripecustomercard.JSON"} {
		k.do(http.MethodPost, path, body, "Content-Type", "application/json").accepted()
	}
	a := k.do(http.MethodPost, "/JSV/ONEWAY/STRIPEPAYMENTREQUEST", string(wire.Encode(wire.JSV, k.request())), "Content-Type", "application/json")
	if a.status != http.StatusNoContent {
		t.Errorf("the path names the format, whatever Content-Type says: %d %s", a.status, a.body)
	}
}

func TestTheAnswersFormatIsTheOneAskedFor(t *testing.T) {
	t.Parallel()
	const json, csv, jsv, xml = "application/json; charset=utf-8", "text/csv", "application/jsv", "application/xml"
	cases := []struct{ name, path, contentType, accept, want string }{
		{"TheSuffixBeatsEverything", "/ChargeStripeCustomerCard.xml?format=csv", "application/json", "application/json", xml},
		{"CSVSuffix", "/ChargeStripeCustomerCard.csv", "application/json", "", csv},
		{"JSVSuffix", "/ChargeStripeCustomerCard.jsv", "application/json", "", jsv},
		{"FormatBeatsAccept", "/ChargeStripeCustomerCard?format=csv", "application/json", "application/xml", csv},
		{"FormatInAnyCase", "/ChargeStripeCustomerCard?Format=CSV", "application/json", "", csv},
		{"AnUnknownFormatIsIgnored", "/ChargeStripeCustomerCard?format=yaml", "application/json", "application/xml", xml},
		{"FormatBeatsThePath", "/json/reply/StripePaymentRequest?format=xml", "application/json", "", xml},
		{"ThePathBeatsAccept", "/json/reply/StripePaymentRequest", "application/json", "application/xml", json},
		{"Accept", "/ChargeStripeCustomerCard", "application/json", "text/csv", csv},
		{"AcceptOfAnOldName", "/ChargeStripeCustomerCard", "application/json", "text/xml", xml},
		{"TheFirstOfEqualOnes", "/ChargeStripeCustomerCard", "application/json", "application/jsv, application/xml", jsv},
		{"TheBestQuality", "/ChargeStripeCustomerCard", "application/json", "text/csv;q=0.3, application/xml;q=0.9, */*;q=0.1", xml},
		{"AnythingIsTheBodysOwn", "/ChargeStripeCustomerCard", "application/json", "*/*", json},
		{"NothingUsableIsJSON", "/ChargeStripeCustomerCard", "application/json", "image/png", json},
		{"ABrowsersAcceptIsNotAPage", "/ChargeStripeCustomerCard", "application/json", "text/html", json},
		{"WhatIsExcludedIsNotSent", "/ChargeStripeCustomerCard", "application/json", "application/xml;q=0", json},
	}
	k := setup(t)
	body := string(wire.Encode(wire.JSON, k.request()))
	for _, c := range cases {
		for name, text := range map[string]string{"accepted": body, "refused": "{", "unlicensed": "{}"} {
			headers := []string{"Content-Type", c.contentType}
			if c.accept != "" {
				headers = append(headers, "Accept", c.accept)
			}
			a := k.do(http.MethodPost, c.path, text, headers...)
			if got := a.header.Get("Content-Type"); got != c.want {
				t.Errorf("%s, %s: want %s, got %d %s", c.name, name, c.want, a.status, got)
			}
			if !strings.Contains(strings.Join(a.header.Values("Vary"), ","), "Accept") {
				t.Errorf("%s, %s: Vary is %v", c.name, name, a.header.Values("Vary"))
			}
		}
	}
	if a := k.do(http.MethodPost, userRoute, string(wire.Encode(wire.XML, k.request())), "Content-Type", "application/xml", "Accept", "*/*"); a.header.Get("Content-Type") != xml {
		t.Errorf("an XML body with any answer accepted: %s", a.header.Get("Content-Type"))
	}
}

func TestErrorsComeInTheCallersFormat(t *testing.T) {
	t.Parallel()
	k := setup(t)
	for path, want := range map[string][]string{
		"/json/reply/StripePaymentRequest":  {`{"ResponseStatus":{"ErrorCode":"InvalidLicense","Message":"`, `"FieldName":"License"`},
		"/jsv/reply/StripePaymentRequest":   {"{ResponseStatus:{ErrorCode:InvalidLicense,Message:"},
		"/csv/reply/StripePaymentRequest":   {"ResponseStatus\r\n", "InvalidLicense"},
		"/xml/reply/StripePaymentRequest":   {`<ErrorResponse xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns="http://schemas.servicestack.net/types"><ResponseStatus><ErrorCode>InvalidLicense</ErrorCode>`},
		"/json/oneway/StripePaymentRequest": {`"ErrorCode":"InvalidLicense"`},
	} {
		a := k.do(http.MethodPost, path, "")
		if a.status != http.StatusUnauthorized || a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
		for _, text := range want {
			if !strings.Contains(a.body, text) {
				t.Errorf("%s: %q is not in %s", path, text, a.body)
			}
		}
		a.tellsNothing()
	}
	k.untouched()
}

// money sets a member of the only item of a good JSON request to a raw JSON text.
func money(member, raw string) string {
	return `{"License":"KEY","ICustomer":1,"SuccessUrl":"https://shop.example/a","CancelUrl":"https://shop.example/b","ShoppingInformation":[{"Title":"T","Quantity":1,"SetupFee":10,"Currency":"GBP","` + member + `":` + raw + `}]}`
}

// TestWhatIsWrongIsNamedAndNothingIsKept is the table of safety.md section 4 for amounts, currencies, addresses,
// operations and customers. Each is sent in all five formats.
func TestWhatIsWrongIsNamedAndNothingIsKept(t *testing.T) {
	t.Parallel()
	only := func(change func(*wire.ShoppingItem)) func(*wire.StripePaymentRequest) {
		return func(r *wire.StripePaymentRequest) { r.ShoppingInformation = []wire.ShoppingItem{item(change)} }
	}
	d := wire.MustDecimal
	long := strings.Repeat("a", 10_000)
	cases := []struct {
		name, code, field string
		change            func(*wire.StripePaymentRequest)
	}{
		{"ANegativeSetupFee", "InvalidAmount", "ShoppingInformation[0].SetupFee", only(func(i *wire.ShoppingItem) { i.SetupFee = d("-10.00") })},
		{"ANegativeMonthlyFee", "InvalidAmount", "ShoppingInformation[0].MonthlyFee", only(func(i *wire.ShoppingItem) { i.MonthlyFee = d("-0.01") })},
		{"ANegativeCharge", "InvalidAmount", "ShoppingInformation[0].TransactionCharge", only(func(i *wire.ShoppingItem) { i.TransactionCharge = d("-1") })},
		{"ANegativeVoucher", "InvalidAmount", "ShoppingInformation[0].VoucherCredit", only(func(i *wire.ShoppingItem) { i.VoucherCredit = d("-1") })},
		{"AVoucherAboveItsLine", "InvalidAmount", "ShoppingInformation[0].VoucherCredit", only(func(i *wire.ShoppingItem) { i.VoucherCredit = d("92.01") })},
		{"AQuantityOf0", "InvalidAmount", "ShoppingInformation[0].Quantity", only(func(i *wire.ShoppingItem) { i.Quantity = 0 })},
		{"ANegativeQuantity", "InvalidAmount", "ShoppingInformation[0].Quantity", only(func(i *wire.ShoppingItem) { i.Quantity = -2 })},
		{"NegativeMonths", "InvalidAmount", "ShoppingInformation[0].AdvancePeriod", only(func(i *wire.ShoppingItem) { i.AdvancePeriod = -1 })},
		{"MoreDecimalsThanTheCurrencyHas", "InvalidAmount", "ShoppingInformation[0].SetupFee", only(func(i *wire.ShoppingItem) { i.SetupFee = d("10.001") })},
		{"ATotalOfNineDigits", "AmountTooLarge", "ShoppingInformation", only(func(i *wire.ShoppingItem) { i.SetupFee = d("1000000.00") })},
		{"ATotalThatOverflows", "AmountTooLarge", "ShoppingInformation[0]", only(func(i *wire.ShoppingItem) { i.SetupFee, i.Quantity = d("9999999999999999"), 2147483647 })},
		{"MonthsThatOverflow", "AmountTooLarge", "ShoppingInformation[0]", only(func(i *wire.ShoppingItem) { i.MonthlyFee, i.AdvancePeriod = d("9999999999999999"), 2147483647 })},
		{"ATotalBelowStripesLeast", "AmountTooSmall", "ShoppingInformation", only(func(i *wire.ShoppingItem) {
			i.SetupFee, i.MonthlyFee, i.Quantity, i.VatApplicable = d("0.29"), d("0"), 1, false
		})},
		{"ASubTotalThatDiffers", "SubTotalMismatch", "ShoppingInformation[0].ItemSubTotal", only(func(i *wire.ShoppingItem) { i.ItemSubTotal = d("92.01") })},
		{"NoTitle", "NotEmpty", "ShoppingInformation[0].Title", only(func(i *wire.ShoppingItem) { i.Title = wire.String{} })},
		{"ACurrencyInNumbers", "CurrencyNotAllowed", "ShoppingInformation[0].Currency", only(func(i *wire.ShoppingItem) { i.Currency = wire.Str("840") })},
		{"ACurrencyWithABlank", "CurrencyNotAllowed", "ShoppingInformation[0].Currency", only(func(i *wire.ShoppingItem) { i.Currency = wire.Str(" usd") })},
		{"ACurrencyWithASymbol", "CurrencyNotAllowed", "ShoppingInformation[0].Currency", only(func(i *wire.ShoppingItem) { i.Currency = wire.Str("US$") })},
		{"NoCurrencyAtAll", "CurrencyNotAllowed", "ShoppingInformation[0].Currency", only(func(i *wire.ShoppingItem) { i.Currency = wire.Str("XXX") })},
		{"ACurrencyOfNobody", "CurrencyNotAllowed", "ShoppingInformation[0].Currency", only(func(i *wire.ShoppingItem) { i.Currency = wire.Str("XBT") })},
		{"ACurrencyThisTenantDoesNotTake", "CurrencyNotAllowed", "ShoppingInformation[0].Currency", only(func(i *wire.ShoppingItem) { i.Currency = wire.Str("CHF") })},
		{"AKWDAmountWhoseLastDigitIsNot0", "InvalidAmount", "ShoppingInformation[0].SetupFee", only(func(i *wire.ShoppingItem) { i.Currency, i.SetupFee = wire.Str("KWD"), d("5.124") })},
		{"YenWithDecimals", "InvalidAmount", "ShoppingInformation[0].SetupFee", only(func(i *wire.ShoppingItem) { i.Currency, i.SetupFee = wire.Str("JPY"), d("5.5") })},
		{"TwoCurrencies", "MixedCurrencies", "ShoppingInformation[1].Currency", func(r *wire.StripePaymentRequest) {
			r.ShoppingInformation = append(r.ShoppingInformation, item(func(i *wire.ShoppingItem) { i.Currency, i.Key = wire.Str("EUR"), wire.Str("b") }))
		}},
		{"AKeyTwice", "DuplicateKey", "ShoppingInformation[1].Key", func(r *wire.StripePaymentRequest) {
			r.ShoppingInformation = append(r.ShoppingInformation, item())
		}},
		{"101Items", "TooManyItems", "ShoppingInformation", func(r *wire.StripePaymentRequest) {
			for n := range 100 {
				r.ShoppingInformation = append(r.ShoppingInformation, item(func(i *wire.ShoppingItem) { i.Key = wire.Str(fmt.Sprint(n)) }))
			}
		}},
		{"NoSuccessUrl", "NotEmpty", "SuccessUrl", func(r *wire.StripePaymentRequest) { r.SuccessUrl = wire.String{} }},
		{"NoCancelUrl", "NotEmpty", "CancelUrl", func(r *wire.StripePaymentRequest) { r.CancelUrl = wire.String{} }},
		{"AnotherOrigin", "OriginNotAllowed", "SuccessUrl", func(r *wire.StripePaymentRequest) { r.SuccessUrl = wire.Str("https://evil.example/") }},
		{"AnotherOriginToCancelTo", "OriginNotAllowed", "CancelUrl", func(r *wire.StripePaymentRequest) { r.CancelUrl = wire.Str("https://evil.example/") }},
		{"AVeryLongAddress", "OriginNotAllowed", "SuccessUrl", func(r *wire.StripePaymentRequest) { r.SuccessUrl = wire.Str("https://shop.example/" + long) }},
		{"OurOwnAddress", "OriginNotAllowed", "SuccessUrl", func(r *wire.StripePaymentRequest) { r.SuccessUrl = wire.Str(baseURL + "/") }},
		{"AnUnknownPaymentMethod", "UnknownPaymentMethod", "PaymentMethod", func(r *wire.StripePaymentRequest) { r.PaymentMethod = wire.Str("card, cheque") }},
		{"NoCustomer", "NotEmpty", "ICustomer", func(r *wire.StripePaymentRequest) { r.ICustomer, r.Customer.ICustomer = 0, 0 }},
		{"ANegativeCustomer", "CustomerMismatch", "ICustomer", func(r *wire.StripePaymentRequest) { r.ICustomer = -1 }},
		{"TwoCustomers", "CustomerMismatch", "Customer.ICustomer", func(r *wire.StripePaymentRequest) { r.Customer.ICustomer = 54321 }},
		{"AnotherResellersCustomer", "CustomerMismatch", "Customer.IParent", func(r *wire.StripePaymentRequest) { r.Customer.IParent = 8 }},
		{"DeleteAndList", "ConflictingOperations", "IsDelete", func(r *wire.StripePaymentRequest) {
			r.IsDelete, r.GetCustomerCardInformation, r.ShoppingInformation = true, true, nil
		}},
		{"DeleteAndCart", "ConflictingOperations", "IsDelete", func(r *wire.StripePaymentRequest) { r.IsDelete, r.StripeSourceId = true, wire.Str("pm_1") }},
		{"ListAndCart", "ConflictingOperations", "GetCustomerCardInformation", func(r *wire.StripePaymentRequest) { r.GetCustomerCardInformation = true }},
		{"SavedCardAndToken", "ConflictingOperations", "StripeSourceId", func(r *wire.StripePaymentRequest) {
			r.StripeSourceId, r.ApiSingleUseToken = wire.Str("pm_1"), wire.Str("tok_visa")
		}},
		{"SavedCardAndNothingElse", "ConflictingOperations", "StripeSourceId", func(r *wire.StripePaymentRequest) {
			r.StripeSourceId, r.ShoppingInformation = wire.Str("pm_1"), nil
		}},
		{"NothingAtAll", "ConflictingOperations", "", func(r *wire.StripePaymentRequest) {
			r.ShoppingInformation, r.SuccessUrl, r.CancelUrl = nil, wire.String{}, wire.String{}
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			k := setup(t)
			for _, f := range formats {
				k.send(f, k.request(c.change)).refused(http.StatusBadRequest, c.code, c.field)
			}
			k.untouched()
		})
	}
}

func TestAddressesThatABrowserMightReadDifferentlyAreRefused(t *testing.T) {
	t.Parallel()
	k := setup(t)
	for _, address := range []string{"//evil.example", `/\evil.example`, "https:evil.example", "https:///evil.example", "\t//evil.example", "https://shop.example@evil.example",
		"https://shop.example.evil.example", "https://shop%2eexample/", "https://shop。example/", "https://shоp.example/", "https://xn--shp-hmc.example/", "https://shop.example:443@evil.example/",
		"https://shop.example:444/", "http://shop.example/", "http://127.0.0.1/", "https://user@shop.example/", "javascript:alert(1)", "data:text/html,x", "https://shop.example\\@evil.example",
		"https://shop.example\n.evil.example", "/paid", "shop.example/paid", "https://", "ftp://shop.example/", " https://shop.example/", "https://shop.example /", "https://[::1]/"} {
		for _, field := range []string{"SuccessUrl", "CancelUrl"} {
			a := k.send(wire.JSON, k.request(func(r *wire.StripePaymentRequest) {
				if field == "SuccessUrl" {
					r.SuccessUrl = wire.Str(address)
				} else {
					r.CancelUrl = wire.Str(address)
				}
			}))
			if a.status != http.StatusBadRequest || a.json().ResponseStatus.ErrorCode != "OriginNotAllowed" {
				t.Errorf("%s %q: %d %.200s", field, address, a.status, a.body)
			}
		}
	}
	k.untouched()
	for _, address := range []string{"https://shop.example", "https://SHOP.example/paid", "https://shop.example:443/a?b=c#d"} {
		k.send(wire.JSON, k.request(func(r *wire.StripePaymentRequest) { r.SuccessUrl = wire.Str(address) })).accepted()
	}
}

// TestAmountsAreReadExactly is AM-07 and AM-09: a spelling is either exactly that amount or refused.
func TestAmountsAreReadExactly(t *testing.T) {
	t.Parallel()
	k := setup(t)
	for _, raw := range []string{`"0x10"`, `"1_000"`, `"1,000.00"`, `"1.000,00"`, `"NaN"`, `"Infinity"`, `"-Infinity"`, `NaN`, `"٣"`, `"３"`, `"five"`, `"1e999999999"`, `1e400`, `[]`, `{}`, `"5p"`, `"--5"`, `"5-"`, `"."`, `"1e"`, `+5`, `05`, `.5`, `5.`} {
		a := k.sendJSON(strings.Replace(money("MonthlyFee", raw), "KEY", k.license, 1))
		if a.status != http.StatusBadRequest {
			t.Errorf("%s: %d %.200s", raw, a.status, a.body)
		}
		a.tellsNothing()
	}
	k.untouched()
	for text, want := range map[string]string{"4.35": "4.35", "1.15": "1.15", "0.35": "0.35", "9999.99": "9999.99", "1.10": "1.10"} {
		r := k.send(wire.JSON, k.request(func(r *wire.StripePaymentRequest) {
			r.ShoppingInformation = []wire.ShoppingItem{{Title: wire.Str("T"), Quantity: 1, SetupFee: wire.MustDecimal(text)}}
		})).accepted()
		if r.Amount.String() != want {
			t.Errorf("%s became %s", text, r.Amount)
		}
	}
	for text, want := range map[string]string{"0.07": "0.21", "1.1": "3.30", "33.33": "99.99"} {
		a := k.send(wire.JSON, k.request(func(r *wire.StripePaymentRequest) {
			r.ShoppingInformation = []wire.ShoppingItem{{Title: wire.Str("T"), Quantity: 3, SetupFee: wire.MustDecimal(text), TransactionCharge: wire.MustDecimal("1.00")}}
		})).accepted()
		if got := a.Lines[0].SubTotal.String(); got != addPound(want) {
			t.Errorf("3 × %s + 1.00 became %s", text, got)
		}
	}
}

func addPound(text string) string {
	m, _ := pay.ParseMoney("", text, "GBP")
	return pay.Money{Minor: m.Minor + 100, Currency: "GBP"}.Text()
}

func TestCurrenciesInAnyCaseAreOne(t *testing.T) {
	t.Parallel()
	k := setup(t)
	for text, want := range map[string]string{"USD": "USD", "usd": "USD", "UsD": "USD", "": "GBP"} {
		r := k.send(wire.JSON, k.request(func(r *wire.StripePaymentRequest) { r.ShoppingInformation[0].Currency = wire.NullIfEmpty(text) })).accepted()
		if r.Currency != want {
			t.Errorf("%q became %s", text, r.Currency)
		}
	}
	r := k.send(wire.JSON, k.request(func(r *wire.StripePaymentRequest) {
		r.ShoppingInformation = []wire.ShoppingItem{{Title: wire.Str("T"), Quantity: 1, SetupFee: wire.MustDecimal("5.120"), Currency: wire.Str("KWD")}}
	})).accepted()
	if r.Amount != "5.120" {
		t.Errorf("5.120 KWD became %s", r.Amount)
	}
}

// TestNobodyLearnsWhyAKeyIsNotGood is LK-01 and LK-05.
func TestNobodyLearnsWhyAKeyIsNotGood(t *testing.T) {
	t.Parallel()
	k := setup(t)
	other, foreign := k.addTenant()
	revokedTenant, revoked := k.addTenant()
	storetest.Write(t, k.store, func(ctx ctx, tx pay.Tx) error {
		_, err := tx.RevokeLicenses(ctx, revokedTenant.ID, "", k.pay.Now())
		return err
	})
	first := ""
	for name, key := range map[string]string{"missing": "", "wrong": "ptl_wrong", "revoked": revoked, "the tenant's slug": other.Slug, "its hash": pay.HashLicense(k.license),
		"SQL": "' OR '1'='1", "a wildcard": "%", "another": "_", "a star": "*", "a blank more": k.license + " ", "upper case": strings.ToUpper(k.license),
		"cut": k.license[:len(k.license)-1], "very long": strings.Repeat("k", 1<<19)} {
		a := k.send(wire.JSON, k.request(func(r *wire.StripePaymentRequest) { r.License = wire.Str(key) }))
		if first == "" {
			first = a.body
		}
		if a.status != http.StatusUnauthorized || a.body != first {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		a.refused(http.StatusUnauthorized, "InvalidLicense", "License")
	}
	if n := k.rows("orders"); n != 0 {
		t.Errorf("%d orders", n)
	}
	// Another tenant's key is that tenant's request: its customers are its own.
	r := k.send(wire.JSON, k.request(func(r *wire.StripePaymentRequest) { r.License = wire.Str(foreign) })).accepted()
	if o, err := k.store.OrderByID(t.Context(), other.ID, r.OrderId); err != nil || o.TenantID != other.ID {
		t.Errorf("the order is %v's: %v", o, err)
	}
}

func TestALicenceKeyMayComeAsABearer(t *testing.T) {
	t.Parallel()
	k := setup(t)
	none := func(r *wire.StripePaymentRequest) { r.License = wire.String{} }
	k.send(wire.JSON, k.request(none), "Authorization", "Bearer "+k.license).accepted()
	k.send(wire.JSON, k.request(none), "Authorization", "bearer  "+k.license).accepted()
	if r := k.send(wire.JSON, k.request(), "Authorization", "Bearer "+k.license).accepted(); !r.Replayed {
		t.Error("the key in both places is another request")
	}
	_, foreign := k.addTenant()
	for _, header := range []string{"Bearer " + foreign, "Bearer", "Bearer "} {
		k.send(wire.JSON, k.request(), "Authorization", header).refused(http.StatusUnauthorized, "InvalidLicense", "License")
	}
}

func TestASecretInTheAddressIsRefused(t *testing.T) {
	t.Parallel()
	k := setup(t)
	for _, name := range []string{"License", "license", "LICENSE", "apikey", "api_key", "apiSingleUseToken", "Licence"} {
		query := "?" + name + "=" + url.QueryEscape(k.license)
		for _, path := range []string{userRoute + ".json", "/json/reply/StripePaymentRequest", "/json/oneway/StripePaymentRequest"} {
			a := k.do(http.MethodPost, path+query, string(wire.Encode(wire.JSON, k.request())), "Content-Type", "application/json")
			a.refused(http.StatusBadRequest, "RequestBindingException", "License")
		}
	}
	k.untouched()
	if strings.Contains(k.log.String(), k.license) {
		t.Error("the key is in the log")
	}
}

func TestASuspendedTenantTakesNoNewPayment(t *testing.T) {
	t.Parallel()
	k := setup(t, func(t *pay.Tenant) { t.State = pay.TenantSuspended })
	k.send(wire.JSON, k.request()).refused(http.StatusForbidden, "TenantSuspended", "")
	k.untouched()
}

func TestATenantThatIsNotReadyTakesNoPayment(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*pay.Tenant){
		"NoStripeKey": func(t *pay.Tenant) { t.StripeKey = "" }, "NoWebhookSecret": func(t *pay.Tenant) { t.StripeWebhookSecrets = nil },
		"TheOtherMode": func(t *pay.Tenant) { t.StripeLivemode = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := setup(t, change)
			k.send(wire.JSON, k.request()).refused(http.StatusBadGateway, "StripeError", "")
			k.untouched()
		})
	}
}

// TestATokenThatIsNoneOfStripesIsNoCredential: nothing is taken for something else.
func TestATokenThatIsNoneOfStripesIsNoCredential(t *testing.T) {
	t.Parallel()
	k := setup(t)
	for _, token := range []string{"abc", " tok_visa", "tok_visa ", "TOK_visa", "tok_", "tok_vis\u0430", "tok_%76isa", "' OR 1=1"} {
		k.send(wire.JSON, k.request(func(r *wire.StripePaymentRequest) { r.ApiSingleUseToken = wire.Str(token) })).refused(http.StatusUnauthorized, "InvalidLicense", "apiSingleUseToken")
	}
	k.untouched()
}

// TestABodyThatIsNotExactlyRightIsRefused is safety.md's json, xml, csv, jsv and content-negotiation, as far as this
// door has it; the codecs have their own suite.
func TestABodyThatIsNotExactlyRightIsRefused(t *testing.T) {
	t.Parallel()
	k := setup(t)
	good := strings.Replace(money("Key", `"a"`), "KEY", k.license, 1)
	csv := string(wire.Encode(wire.CSV, k.request()))
	jsv := string(wire.Encode(wire.JSV, k.request()))
	xml := string(wire.Encode(wire.XML, k.request()))
	cases := []struct{ name, contentType, body, field string }{
		{"ADuplicateMember", "application/json", strings.Replace(good, `"ICustomer":1`, `"ICustomer":1,"ICustomer":2`, 1), "ICustomer"},
		{"ADuplicateMemberInAnotherCase", "application/json", strings.Replace(good, `"SetupFee":10`, `"SetupFee":10,"setupfee":1`, 1), "ShoppingInformation[0].SetupFee"},
		{"TwoObjects", "application/json", good + "{}", ""},
		{"GarbageBehind", "application/json", good + "x", ""},
		{"CutOff", "application/json", good[:len(good)-2], ""},
		{"AListAtTheTop", "application/json", "[" + good + "]", ""},
		{"ANumberAtTheTop", "application/json", "7", ""},
		{"UTF16", "application/json", "\xff\xfe{\x00}\x00", ""},
		{"InvalidUTF8", "application/json", strings.Replace(good, `"T"`, "\"\xff\"", 1), ""},
		{"NUL", "application/json", strings.Replace(good, `"T"`, "\"\x00\"", 1), ""},
		{"ATextForTheCart", "application/json", `{"License":"` + k.license + `","ShoppingInformation":"many"}`, "ShoppingInformation"},
		{"ANumberForTheCustomer", "application/json", `{"License":"` + k.license + `","Customer":7}`, "Customer"},
		{"AListForTheCustomer", "application/json", `{"License":"` + k.license + `","Customer":[]}`, "Customer"},
		{"AFractionForAWholeNumber", "application/json", strings.Replace(good, `"Quantity":1`, `"Quantity":0.1`, 1), "ShoppingInformation[0].Quantity"},
		{"AWholeNumberThatOverflows", "application/json", strings.Replace(good, `"Quantity":1`, `"Quantity":2147483648`, 1), "ShoppingInformation[0].Quantity"},
		{"400Digits", "application/json", strings.Replace(good, `"Quantity":1`, `"Quantity":`+strings.Repeat("9", 400), 1), "ShoppingInformation[0].Quantity"},
		{"NestedTooDeep", "application/json", `{"x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "}", ""},
		{"XMLInJSON", "application/json", xml, ""},
		{"JSONInXML", "application/xml", good, ""},
		{"JSONInCSV", "text/csv", good, ""},
		{"CSVInJSV", "application/jsv", csv, ""},
		{"JSVCutOff", "application/jsv", jsv[:len(jsv)-1], ""},
		{"JSVWithGarbageBehind", "application/jsv", jsv + "x", ""},
		{"CSVWithTwoRows", "text/csv", csv + strings.SplitN(csv, "\r\n", 2)[1], ""},
		{"CSVWithoutARow", "text/csv", strings.SplitN(csv, "\r\n", 2)[0] + "\r\n", ""},
		{"CSVWithAnOpenQuote", "text/csv", "License,ICustomer\r\n\"abc,1\r\n", ""},
		{"CSVWithTooManyCells", "text/csv", "License,ICustomer\r\nabc,1,2\r\n", ""},
		{"CSVWithoutAKnownColumn", "text/csv", "a,b\r\n1,2\r\n", ""},
		{"ADocumentType", "application/xml", `<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]>` + xml, ""},
		{"XMLWithGarbageBefore", "application/xml", "x" + xml, ""},
		{"XMLWithGarbageBehind", "application/xml", xml + "x", ""},
		{"XMLOfAnotherRoot", "application/xml", "<a/>", ""},
		{"AFormWithABadNumber", "application/x-www-form-urlencoded", "License=" + k.license + "&ICustomer=abc", "ICustomer"},
		{"AFormWithObjectObject", "application/x-www-form-urlencoded", "License=" + k.license + "&Customer=" + url.QueryEscape("[object Object]"), "Customer"},
		{"AFormWithABadEscape", "application/x-www-form-urlencoded", "License=%zz", ""},
	}
	for _, c := range cases {
		a := k.do(http.MethodPost, userRoute+".json", c.body, "Content-Type", c.contentType)
		r := a.json()
		if a.status != http.StatusBadRequest || r.ResponseStatus == nil || r.ResponseStatus.ErrorCode != "SerializationException" {
			t.Errorf("%s: %d %.300s", c.name, a.status, a.body)
			continue
		}
		if got := r.ResponseStatus.Errors; c.field != "" && (len(got) != 1 || got[0].FieldName != c.field) {
			t.Errorf("%s: fields %+v", c.name, got)
		}
		a.tellsNothing()
		if strings.Contains(a.body, k.license) {
			t.Errorf("%s: the key is echoed", c.name)
		}
	}
	for _, contentType := range []string{"", "text/plain", "application/foo", "application/octet-stream", "multipart/mixed"} {
		k.do(http.MethodPost, userRoute+".json", good, "Content-Type", contentType).refused(http.StatusBadRequest, "RequestBindingException", "")
	}
	k.untouched()
}

func TestAnEncodedBodyIsRefused(t *testing.T) {
	t.Parallel()
	k := setup(t)
	for _, encoding := range []string{"gzip", "deflate", "br", "zstd", "gzip, gzip", "x"} {
		k.send(wire.JSON, k.request(), "Content-Encoding", encoding).refused(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "")
	}
	k.untouched()
	k.send(wire.JSON, k.request(), "Content-Encoding", "identity").accepted()
}

func TestABodyAboveTheLimitIsRefused(t *testing.T) {
	t.Parallel()
	k := setup(t)
	for _, path := range []string{userRoute + ".json", "/json/reply/StripePaymentRequest", "/json/oneway/StripePaymentRequest"} {
		body := &countingReader{from: io.LimitReader(blanks{}, 10<<20)}
		a := k.doFrom(http.MethodPost, path, body, "Content-Type", "application/json")
		a.refused(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "")
		if body.read > 1<<20+1 {
			t.Errorf("%s: %d bytes were read", path, body.read)
		}
	}
	k.untouched()
	text := string(wire.Encode(wire.JSON, k.request()))
	k.do(http.MethodPost, userRoute, text+strings.Repeat(" ", 1<<20-len(text)), "Content-Type", "application/json").accepted()
}

type blanks struct{}

func (blanks) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

type countingReader struct {
	from io.Reader
	read int
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.read += n
	return n, err
}

func TestOtherMethodsAndAddressesAreRefusedAsServiceStackDoes(t *testing.T) {
	t.Parallel()
	k := setup(t)
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodHead, http.MethodPatch} {
		if a := k.do(method, userRoute, ""); a.status != http.StatusNotFound {
			t.Errorf("%s on the user route: %d", method, a.status)
		}
		a := k.do(method, "/json/reply/StripePaymentRequest", "")
		if a.status != http.StatusMethodNotAllowed {
			t.Errorf("%s on the pre-defined route: %d", method, a.status)
		}
		if method != http.MethodHead && a.json().ResponseStatus.ErrorCode != "NotImplementedException" {
			t.Errorf("%s on the pre-defined route: %s", method, a.body)
		}
		if a := k.do(method, "/webhooks/stripe/"+k.tenant.Slug, ""); a.status != http.StatusMethodNotAllowed {
			t.Errorf("%s on the webhook: %d", method, a.status)
		}
	}
	k.do(http.MethodPost, "/json/reply/Nope", "{}").refused(http.StatusMethodNotAllowed, "NotImplementedException", "")
	k.do(http.MethodPost, "/json/oneway/Nope", "{}").refused(http.StatusMethodNotAllowed, "NotImplementedException", "")
	for _, path := range []string{"/foo/reply/StripePaymentRequest", "/html/reply/StripePaymentRequest", "/form/reply/StripePaymentRequest", "/json/foo/StripePaymentRequest",
		"/ChargeStripeCustomerCard.yaml", "/ChargeStripeCustomerCard.form", "/soap11", "/nope"} {
		if a := k.do(http.MethodPost, path, "{}", "Content-Type", "application/json"); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.status)
		} else {
			a.tellsNothing()
		}
	}
	for _, path := range []string{"/webhooks/stripe/" + k.tenant.Slug, "/StripeWebHook/" + k.tenant.Slug} {
		if a := k.do(http.MethodPost, path, "{}"); a.body != "stored" {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	// A method in the address or the body must not become one (wire.md 1.5).
	if a := k.do(http.MethodGet, userRoute+"?X-HTTP-Method-Override=POST", ""); a.status != http.StatusNotFound {
		t.Errorf("a link that wants to be a POST: %d", a.status)
	}
	k.untouched()
}

func TestARepeatedRequestIsTheSameOrder(t *testing.T) {
	t.Parallel()
	t.Run("ByItsIdempotencyKey", func(t *testing.T) {
		t.Parallel()
		k := setup(t)
		first := k.send(wire.JSON, k.request(), "Idempotency-Key", "k-1").accepted()
		if again := k.send(wire.CSV, k.request(), "Idempotency-Key", " k-1 ").accepted(); again.OrderId != first.OrderId || !again.Replayed {
			t.Errorf("again: %+v", again)
		}
		if other := k.send(wire.JSON, k.request(), "Idempotency-Key", "k-2").accepted(); other.OrderId == first.OrderId || other.Replayed {
			t.Errorf("with another key: %+v", other)
		}
		k.send(wire.JSON, k.request(func(r *wire.StripePaymentRequest) { r.ContentId++ }), "Idempotency-Key", "k-1").
			refused(http.StatusConflict, "IdempotencyConflict", "Idempotency-Key")
		if n := k.rows("orders"); n != 2 {
			t.Errorf("%d orders", n)
		}
	})
	t.Run("AKeyIsItsTenantsOwn", func(t *testing.T) {
		t.Parallel()
		k := setup(t)
		_, foreign := k.addTenant()
		first := k.send(wire.JSON, k.request(), "Idempotency-Key", "k-1").accepted()
		other := k.send(wire.JSON, k.request(func(r *wire.StripePaymentRequest) { r.License, r.ContentId = wire.Str(foreign), 9 }), "Idempotency-Key", "k-1").accepted()
		if other.OrderId == first.OrderId || other.Replayed {
			t.Errorf("got %+v", other)
		}
	})
	t.Run("ByItsDigestWhileTheOrderIsOpen", func(t *testing.T) {
		t.Parallel()
		k := setup(t)
		first, page := k.paid()
		if a := k.do(http.MethodGet, page+"/return", ""); !strings.Contains(a.body, `data-status="paid"`) {
			t.Fatalf("not paid: %d", a.status)
		}
		if again := k.send(wire.JSON, k.request()).accepted(); again.OrderId == first.OrderId || again.Replayed {
			t.Errorf("after it was paid: %+v", again)
		}
	})
	t.Run("AnotherPasswordOrKeyIsNotAnotherRequest", func(t *testing.T) {
		t.Parallel()
		k := setup(t)
		first := k.send(wire.JSON, k.request()).accepted()
		again := k.send(wire.JSON, k.request(func(r *wire.StripePaymentRequest) { r.Customer.PersonalInformation.Password = wire.Str("other") })).accepted()
		if again.OrderId != first.OrderId {
			t.Errorf("got %+v", again)
		}
	})
	t.Run("ManyAtOnceAreOneOrder", func(t *testing.T) {
		t.Parallel()
		storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
			for _, key := range []string{"", "k-1"} {
				k := setupOn(t, open(t))
				ids := make([]string, 16)
				var wait sync.WaitGroup
				for n := range ids {
					wait.Go(func() {
						headers := []string{}
						if key != "" {
							headers = []string{"Idempotency-Key", key}
						}
						a := k.send(formats[n%len(formats)], k.request(), headers...)
						if a.status != http.StatusOK {
							t.Errorf("got %d %s", a.status, a.body)
							return
						}
						ids[n] = a.json().OrderId
					})
				}
				wait.Wait()
				for _, id := range ids {
					if id != ids[0] {
						t.Errorf("%s and %s", id, ids[0])
					}
				}
				if n, sessions := k.rows("orders"), k.rows("attempts"); n != 1 || sessions != 1 {
					t.Errorf("%d orders, %d attempts", n, sessions)
				}
			}
		})
	})
}

func TestStripesFaultsBecomeHonestAnswers(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, code string
		status     int
		fault      *pay.StripeFault
		again      bool // whether Retry-After is said
	}{
		{"Unavailable", "StripeUnavailable", http.StatusServiceUnavailable, &pay.StripeFault{Kind: pay.FaultUnavailable, Message: "canary-stripe-text"}, true},
		{"Rejected", "StripeError", http.StatusBadGateway, &pay.StripeFault{Kind: pay.FaultRejected, Code: "parameter_invalid", Message: "canary-stripe-text"}, false},
		{"BadKey", "StripeError", http.StatusBadGateway, &pay.StripeFault{Kind: pay.FaultCredentials, Message: "canary-stripe-text"}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			k := setup(t, func(t *pay.Tenant) { t.StripeAccount = "acct_known" })
			k.stripe.breakWith(c.fault)
			a := k.send(wire.JSON, k.request())
			a.refused(c.status, c.code, "")
			if (a.header.Get("Retry-After") != "") != c.again || strings.Contains(a.body, "canary-stripe-text") {
				t.Errorf("Retry-After %q: %s", a.header.Get("Retry-After"), a.body)
			}
			k.stripe.breakWith(nil)
			k.send(wire.JSON, k.request()).accepted()
			if n := k.rows("orders"); n != 1 {
				t.Errorf("%d orders after it was sent again", n)
			}
		})
	}
}

// TestSecretsAndPersonalDataStayWhereTheyBelong looks for the request's canaries in the log and in every column.
func TestSecretsAndPersonalDataStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	k := setup(t)
	for _, f := range formats {
		k.send(f, k.request())
		k.send(f, k.request(func(r *wire.StripePaymentRequest) { r.ShoppingInformation[0].Quantity = -1 }))
	}
	_, page := k.paid()
	for _, below := range []string{"", "/return", "/receipt", "/cancel"} {
		k.do(http.MethodGet, page+below, "")
	}
	k.stripe.breakWith(fmt.Errorf("an internal fault"))
	k.send(wire.JSON, k.request(func(r *wire.StripePaymentRequest) { r.ContentId = 9 }))
	token := strings.TrimPrefix(page, "/pay/")
	for _, canary := range []string{k.license, canaryPassword, canaryEmail, canaryPhone, "Lovelace", "Exchange Street", token, k.tenant.StripeKey.Reveal(), k.tenant.SigningSecret.Reveal()} {
		if strings.Contains(k.log.String(), canary) {
			t.Errorf("%q is in the log", canary)
		}
	}
	if !strings.Contains(k.log.String(), `"route":"/pay/:token/return"`) {
		t.Error("the log has no line for the return page")
	}
	allowed := map[string][]string{
		k.license: {}, canaryPassword: {}, k.tenant.StripeKey.Reveal(): {}, k.tenant.SigningSecret.Reveal(): {},
		canaryEmail: {"customers.email", "customers.record", "orders.request"}, "Lovelace": {"customers.name", "customers.record", "orders.request"},
		"Exchange Street": {"customers.address", "customers.record", "orders.request"},
	}
	for place, text := range columns(t, k.store) {
		for canary, places := range allowed {
			if strings.Contains(text, canary) && !contains(places, place) {
				t.Errorf("%q is in %s", canary, place)
			}
		}
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// TestTextsThatOneDatabaseCannotStoreAreRefusedOnBoth is JS-07: whatever way a NUL or a byte that is not UTF-8 comes in,
// the answer is the same on both databases and never a 5xx.
func TestTextsThatOneDatabaseCannotStoreAreRefusedOnBoth(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		k := setupOn(t, open(t))
		body := string(wire.Encode(wire.JSON, k.request()))
		form := string(wire.Encode(wire.Form, k.request()))
		multipart := "--x\r\nContent-Disposition: form-data; name=\"FeatureName\"\r\n\r\na\x00b\r\n--x--\r\n"
		for _, c := range []struct{ name, target, contentType, body, key string }{
			{"AnEscapedNULInJSON", userRoute, "application/json", strings.Replace(body, `"Basket"`, `"a\u0000b"`, 1), ""},
			{"ALoneSurrogateInJSON", userRoute, "application/json", strings.Replace(body, `"Basket"`, `"a\ud800b"`, 1), ""},
			{"AnEscapedNULInATitle", userRoute, "application/json", strings.Replace(body, `"SIP trunk`, `"\u0000`, 1), ""},
			{"NULInAForm", userRoute, "application/x-www-form-urlencoded", strings.Replace(form, "FeatureName=Basket", "FeatureName=a%00b", 1), ""},
			{"InvalidUTF8InAForm", userRoute, "application/x-www-form-urlencoded", strings.Replace(form, "FeatureName=Basket", "FeatureName=%ff", 1), ""},
			{"NULInAMultipartForm", userRoute, "multipart/form-data; boundary=x", multipart, ""},
			{"NULInXML", userRoute, "application/xml", strings.Replace(string(wire.Encode(wire.XML, k.request())), ">Basket<", ">&#0;<", 1), ""},
			{"NULInTheAddress", userRoute + "?FeatureName=a%00b", "application/json", body, ""},
			{"InvalidUTF8InTheAddress", userRoute + "?FeatureName=%ff", "application/json", body, ""},
			{"InvalidUTF8InTheIdempotencyKey", userRoute, "application/json", body, "k\xff"},
			{"AnIdempotencyKeyThatIsTooLong", userRoute, "application/json", body, strings.Repeat("k", 256)},
			{"NULInTheBearer", userRoute, "application/json", strings.Replace(body, k.license, "", 1), ""},
		} {
			headers := []string{"Content-Type", c.contentType, "Accept", "application/json"}
			if c.key != "" {
				headers = append(headers, "Idempotency-Key", c.key)
			}
			if c.name == "NULInTheBearer" {
				headers = append(headers, "Authorization", "Bearer \x00\xff")
			}
			a := k.do(http.MethodPost, c.target, c.body, headers...)
			if a.status != http.StatusBadRequest && a.status != http.StatusUnauthorized {
				t.Errorf("%s: %d %.300s", c.name, a.status, a.body)
			}
			a.tellsNothing()
		}
		k.untouched()
	})
}

func TestAMultipartFormIsAForm(t *testing.T) {
	t.Parallel()
	k := setup(t)
	first := k.send(wire.JSON, k.request()).accepted()
	fields, err := url.ParseQuery(string(wire.Encode(wire.Form, k.request())))
	if err != nil {
		t.Fatal(err)
	}
	var body strings.Builder
	for name, values := range fields {
		fmt.Fprintf(&body, "--x\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", name, values[0])
	}
	body.WriteString("--x--\r\n")
	for _, path := range []string{userRoute + ".json", "/json/reply/StripePaymentRequest"} {
		if r := k.do(http.MethodPost, path, body.String(), "Content-Type", "multipart/form-data; boundary=x").accepted(); r.OrderId != first.OrderId || !r.Replayed {
			t.Errorf("%s: %+v", path, r)
		}
	}
	for _, bad := range []string{"", "--x", "--x\r\n\r\n", strings.Repeat("--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n", 10_000) + "--x--\r\n"} {
		if a := k.do(http.MethodPost, userRoute+".json", bad, "Content-Type", "multipart/form-data; boundary=x"); a.status < 400 || a.status >= 500 {
			t.Errorf("%.40q: %d", bad, a.status)
		}
	}
}

// TestStripesOwnParametersAreNotPassedOn is AM-15: what the contract does not have never reaches Stripe.
func TestStripesOwnParametersAreNotPassedOn(t *testing.T) {
	t.Parallel()
	k := setup(t)
	first := k.send(wire.JSON, k.request()).accepted()
	body := string(wire.Encode(wire.JSON, k.request()))
	body = `{"price":"price_1","application_fee_amount":1,"transfer_data":{"destination":"acct_evil"},"on_behalf_of":"acct_evil","mode":"subscription","Amount":"1.00",` + body[1:]
	if r := k.sendJSON(body).accepted(); r.OrderId != first.OrderId || r.Amount != "110.40" {
		t.Errorf("got %+v", r)
	}
}
