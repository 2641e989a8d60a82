package wire

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestErrorAnswers(t *testing.T) {
	t.Parallel()
	fieldError := ResponseStatus{
		ErrorCode: "NotEmpty", Message: "'License' must not be empty.",
		Errors: []ResponseError{{ErrorCode: "NotEmpty", FieldName: "License", Message: "'License' must not be empty."}},
	}
	withMeta := ResponseStatus{
		ErrorCode: "CardDeclined", Message: "Declined: <b>", Errors: []ResponseError{}, Meta: map[string]string{"decline_code": "generic_decline", "a": "b"},
	}
	early := ResponseStatus{ErrorCode: CodeSerialization, Message: "No."}
	for _, test := range []struct {
		name   string
		format Format
		status ResponseStatus
		want   string
	}{
		{"AFieldsErrorInJSON", JSON, fieldError, `{"ResponseStatus":{"ErrorCode":"NotEmpty","Message":"'License' must not be empty.","Errors":[{"ErrorCode":"NotEmpty","FieldName":"License","Message":"'License' must not be empty."}]}}`},
		{"AFieldsErrorInJSV", JSV, fieldError, `{ResponseStatus:{ErrorCode:NotEmpty,Message:'License' must not be empty.,Errors:[{ErrorCode:NotEmpty,FieldName:License,Message:'License' must not be empty.}]}}`},
		{"AFieldsErrorInCSV", CSV, fieldError, "ResponseStatus\r\n\"{ErrorCode:NotEmpty,Message:'License' must not be empty.,Errors:[{ErrorCode:NotEmpty,FieldName:License,Message:'License' must not be empty.}]}\"\r\n"},
		{"AFieldsErrorInXML", XML, fieldError, `<?xml version="1.0" encoding="utf-8"?><ErrorResponse xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns="http://schemas.servicestack.net/types"><ResponseStatus><ErrorCode>NotEmpty</ErrorCode><Message>'License' must not be empty.</Message><StackTrace i:nil="true" /><Errors><ResponseError><ErrorCode>NotEmpty</ErrorCode><FieldName>License</FieldName><Message>'License' must not be empty.</Message></ResponseError></Errors><Meta xmlns:d3p1="http://schemas.microsoft.com/2003/10/Serialization/Arrays" i:nil="true" /></ResponseStatus></ErrorResponse>`},
		{"MetaInJSON", JSON, withMeta, `{"ResponseStatus":{"ErrorCode":"CardDeclined","Message":"Declined: <b>","Errors":[],"Meta":{"a":"b","decline_code":"generic_decline"}}}`},
		{"MetaInJSV", JSV, withMeta, `{ResponseStatus:{ErrorCode:CardDeclined,Message:"Declined: <b>",Errors:[],Meta:{a:b,decline_code:generic_decline}}}`},
		{"MetaInXML", XML, withMeta, `<?xml version="1.0" encoding="utf-8"?><ErrorResponse xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns="http://schemas.servicestack.net/types"><ResponseStatus><ErrorCode>CardDeclined</ErrorCode><Message>Declined: &lt;b&gt;</Message><StackTrace i:nil="true" /><Errors /><Meta xmlns:d3p1="http://schemas.microsoft.com/2003/10/Serialization/Arrays"><d3p1:KeyValueOfstringstring><d3p1:Key>a</d3p1:Key><d3p1:Value>b</d3p1:Value></d3p1:KeyValueOfstringstring><d3p1:KeyValueOfstringstring><d3p1:Key>decline_code</d3p1:Key><d3p1:Value>generic_decline</d3p1:Value></d3p1:KeyValueOfstringstring></Meta></ResponseStatus></ErrorResponse>`},
		{"AnErrorBeforeTheServiceRanHasNoErrors", JSON, early, `{"ResponseStatus":{"ErrorCode":"SerializationException","Message":"No."}}`},
		{"AnEarlyErrorInCSV", CSV, early, "ResponseStatus\r\n\"{ErrorCode:SerializationException,Message:No.}\"\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, string(EncodeError(test.format, test.status))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestAPaidResponseInJSON(t *testing.T) {
	t.Parallel()
	response := StripePaymentResponse{
		Success: true, Status: "open", OrderId: "ord_1", Url: "https://till.example/pay/x", ExpiresAt: FormatTime(time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600))),
		ICustomer: 7, Amount: MustDecimal("24.00"), Currency: "gbp",
		Lines: []Line{{Key: "k", Title: "Line", Quantity: 2, SubTotal: MustDecimal("20.00"), Vat: MustDecimal("4.00"), Total: MustDecimal("24.00")}},
		Cards: []Card{},
	}
	want := `{"Success":true,"Status":"open","OrderId":"ord_1","Url":"https://till.example/pay/x","ExpiresAt":"2026-01-02T02:04:05Z","ICustomer":7,"Cards":[],"Amount":24.00,"Currency":"gbp","Lines":[{"Key":"k","Title":"Line","Quantity":2,"SubTotal":20.00,"Vat":4.00,"Total":24.00}],"Replayed":false,"ContentId":0}`
	if diff := cmp.Diff(want, string(Encode(JSON, response))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestSamplesAreThoseOfTheMetadataPages(t *testing.T) {
	t.Parallel()
	pages := map[string]Format{"seed-csv-crlf": CSV, "seed-json": JSON, "seed-jsv-pretty": JSV, "seed-xml-pretty": XML}
	for _, v := range vectors(t) {
		if format, ok := pages[v.Name]; ok {
			delete(pages, v.Name)
			if diff := cmp.Diff(v.Bytes, string(Sample(format, StripePaymentRequest{}))); diff != "" {
				t.Errorf("%s, -want +got:\n%s", format, diff)
			}
		}
	}
	if len(pages) > 0 {
		t.Errorf("no vector for %v", pages)
	}
}

func TestADescriptionHasTheDeclaredMembers(t *testing.T) {
	t.Parallel()
	request := Describe(&StripePaymentRequest{})
	var names []string
	for _, m := range request.Members {
		names = append(names, m.Name)
	}
	header, _, _ := strings.Cut(string(Encode(CSV, StripePaymentRequest{})), "\r\n")
	if got := strings.Join(names, ","); got != header || request.Name != "StripePaymentRequest" {
		t.Errorf("%s has %s", request.Name, got)
	}
	item := request.Members[4]
	if item.Kind != KindObjects || item.Type.Name != "ShoppingItem" || item.Type.Members[2] != (Member{Name: "MonthlyFee", Kind: KindDecimal}) {
		t.Errorf("%+v", item)
	}
	if license := request.Members[12]; !license.Base || license.Kind != KindString {
		t.Errorf("%+v", license)
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	for contentType, want := range map[string]Format{
		"application/json; charset=utf-8": JSON, "text/JSON": JSON, "application/jsv": JSV, "text/jsv": JSV, "Text/Xml;x=y": XML, "application/xml": XML,
		"text/csv": CSV, "application/x-www-form-urlencoded": Form, "multipart/form-data; boundary=x": Form, "text/plain": 0, "": 0, "application/jsonp": 0,
	} {
		if got, ok := FormatOfContentType(contentType); got != want || ok != (want != 0) {
			t.Errorf("%q is %s", contentType, got)
		}
	}
	for f := JSON; f <= Form; f++ {
		if got, ok := ParseFormat(strings.ToUpper(f.String())); !ok || got != f {
			t.Errorf("%s is %s", f, got)
		}
		if got, ok := FormatOfContentType(f.ContentType()); !ok || got != f {
			t.Errorf("%s answers as %s", f, f.ContentType())
		}
	}
	if _, ok := ParseFormat("html"); ok {
		t.Error("html is a format")
	}
}

func TestALoggedRequestShowsNoSecret(t *testing.T) {
	t.Parallel()
	request := StripePaymentRequest{
		License: Str("s3cr3t"), ApiSingleUseToken: Str("s3cr3t"), ICustomer: 7,
		Customer: &Customer{PersonalInformation: &PersonalInformation{Password: Str("s3cr3t")}},
	}
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.Info("x", "request", request, "pointer", &request)
	if strings.Contains(log.String(), "s3cr3t") || !strings.Contains(log.String(), `"ICustomer":7`) {
		t.Error(log.String())
	}
	request.DropPassword()
	if !request.Customer.PersonalInformation.Password.IsEmpty() {
		t.Error("the password is still there")
	}
	(&StripePaymentRequest{}).DropPassword()
}
