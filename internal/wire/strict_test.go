package wire

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// amountSpellings are ways to write an amount that some parser somewhere reads as another (safety AM-07).
var amountSpellings = []string{
	"1e2", "1E-2", "0x10", "+5", " 5", "5 ", "1_000", "1,000.00", "1.000,00", "NaN", "Infinity", "-Infinity", "٣", "５", "5.", ".5", "5.5.5",
	"--5", "5-", "1e400", strings.Repeat("9", 30), strings.Repeat("9", 400), "0." + strings.Repeat("0", 28) + "1", "5\t", "5\u00a0", "$5", "abc",
}

// withFee writes a request whose first item has the given text where its monthly fee should be.
func withFee(format Format, fee string) []byte {
	quoted := string(appendQuoted(nil, fee))
	switch format {
	case JSON:
		return fmt.Appendf(nil, `{"ShoppingInformation":[{"MonthlyFee":%s}]}`, appendJSONString(nil, fee))
	case JSV:
		return []byte("{ShoppingInformation:[{MonthlyFee:" + quoted + "}]}")
	case CSV:
		return append(appendQuoted([]byte("ShoppingInformation\r\n"), "[{MonthlyFee:"+quoted+"}]"), "\r\n"...)
	case XML:
		return []byte(`<StripePaymentRequest xmlns="` + nsDTO + `"><ShoppingInformation><Item><MonthlyFee>` + fee +
			`</MonthlyFee></Item></ShoppingInformation></StripePaymentRequest>`)
	default:
		return []byte("ShoppingInformation=" + url.QueryEscape("[{MonthlyFee:"+quoted+"}]"))
	}
}

func TestAnAmountHasOneSpellingInEveryFormat(t *testing.T) {
	t.Parallel()
	hostileFormats(t, func(t *testing.T, format Format) {
		for _, fee := range amountSpellings {
			refusal := refused(t, format, withFee(format, fee))
			if refusal != nil && refusal.FieldName != "ShoppingInformation[0].MonthlyFee" {
				t.Errorf("%q: the fault is said to be in %q", fee, refusal.FieldName)
			}
		}
		var request StripePaymentRequest
		if err := Decode(format, withFee(format, "4.35"), &request); err != nil {
			t.Fatal(err)
		}
		if got := request.ShoppingInformation[0].MonthlyFee.String(); got != "4.35" {
			t.Errorf("4.35 became %s", got)
		}
	})
}

// refused reads a body that must be refused and checks the error.
func refused(t *testing.T, format Format, body []byte) *Error {
	t.Helper()
	var request StripePaymentRequest
	err := Decode(format, body, &request)
	shown := string(body)
	if len(shown) > 200 {
		shown = shown[:200] + "…"
	}
	var refusal *Error
	if !errors.As(err, &refusal) {
		t.Errorf("%s: accepted %q", format, shown)
		return nil
	}
	checkRefusal(t, err, shown)
	return refusal
}

const xmlHead = `<StripePaymentRequest xmlns="` + nsDTO + `" xmlns:i="` + nsXSI + `">`
const xmlTail = `</StripePaymentRequest>`

func nest(open, close string, levels int) string {
	return strings.Repeat(open, levels) + strings.Repeat(close, levels)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		format Format
		bodies []string
	}{
		"ASecondValueForMoneyIsRefused": {JSON, []string{
			`{"ICustomer":1,"ICustomer":2}`, `{"ICustomer":1,"icustomer":2}`, `{"SuccessUrl":"a","SuccessUrl":"b"}`,
			`{"ShoppingInformation":[],"ShoppingInformation":[]}`, `{"ShoppingInformation":[{"Quantity":1,"Quantity":2}]}`,
			`{"Customer":{},"customer":{}}`, `{"apiSingleUseToken":"a","ApiSingleUseToken":"b"}`, `{"ICustomer":1,"\u0049Customer":2}`,
		}},
		"ASecondValueForMoneyIsRefusedInJSV": {JSV, []string{
			`{ICustomer:1,ICustomer:2}`, `{ShoppingInformation:[{MonthlyFee:1,monthlyfee:2}]}`, `{ICustomer:1,"ICustomer":2}`,
		}},
		"ASecondColumnOfOneNameIsRefused": {CSV, []string{"ICustomer,ICustomer\r\n1,2\r\n", "License,license\r\na,b\r\n"}},
		"ASecondElementForMoneyIsRefused": {XML, []string{
			xmlHead + `<ICustomer>1</ICustomer><ICustomer>2</ICustomer>` + xmlTail,
			xmlHead + `<Customer><IParent>1</IParent><IParent>2</IParent></Customer>` + xmlTail,
			xmlHead + `<ICustomer>1</ICustomer><p:ICustomer xmlns:p="http://x">2</p:ICustomer>` + xmlTail,
		}},
		"ASecondFieldForMoneyIsRefused": {Form, []string{"ICustomer=1&ICustomer=2", "SuccessUrl=a&successurl=b", "ContentId=1&ContentId=2"}},
		"AnythingAfterTheEndIsRefused": {JSON, []string{
			`{"License":"L"}{"License":"M"}`, `{"License":"L"}]`, `{"License":"L"},`, "{}\x01", `{} null`,
		}},
		"AnythingAfterTheEndIsRefusedInJSV": {JSV, []string{"{License:L}{License:M}", "{License:L} ", "{License:L}\n", "{License:L}}"}},
		"AnythingAroundTheRootIsRefused": {XML, []string{
			`{"a":1}` + xmlHead + xmlTail, xmlHead + xmlTail + "x", xmlHead + xmlTail + xmlHead + xmlTail, "x" + xmlHead + xmlTail,
			xmlHead + xmlTail + "<!-- open", " <?xml version=\"1.0\"?>" + xmlHead + xmlTail, xmlHead + xmlTail + `<?xml version="1.0"?>`,
		}},
		"NumbersAreNotGuessed": {JSON, []string{
			`{"ICustomer":1.0}`, `{"ICustomer":1e2}`, `{"ICustomer":2147483648}`, `{"ICustomer":-2147483649}`, `{"ICustomer":true}`,
			`{"ICustomer":""}`, `{"ICustomer":[]}`, `{"ICustomer":{}}`, `{"IsDelete":2}`, `{"IsDelete":"yes"}`, `{"IsDelete":"falſe"}`,
			`{"ICustomer":"1 2"}`, `{"ICustomer":"٣"}`, `{"ICustomer":` + strings.Repeat("9", 400) + `}`,
			`{"ShoppingInformation":[{"MonthlyFee":1e400}]}`, `{"ShoppingInformation":[{"MonthlyFee":1e1000000000}]}`,
			`{"ShoppingInformation":[{"MonthlyFee":true}]}`, `{"ShoppingInformation":[{"MonthlyFee":` + strings.Repeat("9", 400) + `}]}`,
		}},
		"JSONHasOneGrammar": {JSON, []string{
			`{"ContentId":01}`, `{"ContentId":+1}`, `{"ContentId":.5}`, `{"ContentId":1.}`, `{"ContentId":0x1}`, `{"ContentId":NaN}`,
			`{'License':'L'}`, `{License:"L"}`, `{"License":"L",}`, `{,}`, `{"License"}`, `{"License":}`, `{"License":"L" "ContentId":1}`,
			`{"License":"\x41"}`, `{"License":"\u12"}`, `{"License":"\u+123"}`, "{\"License\":\"a\nb\"}", "{\"License\":\"a\tb\"}", `{"License":"`,
			`{"License":tru}`, `{"License":nul}`, `{"Nope":[1,]}`, `{"Nope":01}`, `{"Nope":{"a":1,}}`, `{"Nope":"\ud800"}`, `[{}]`, `[]`, ` `,
			"\ufeff", `1`, `true`, `{"License":"L"/**/}`, "{\"License\":\u00a0\"L\"}", `{"Nope":-}`, `{"Nope":1e}`, "\ufeff\ufeff{}",
		}},
		"HalfASurrogatePairIsRefused": {JSON, []string{
			`{"License":"\ud800"}`, `{"License":"\udc00"}`, `{"License":"\ud800\ud800"}`, `{"License":"\ud83dx"}`, `{"License":"\ud83d\n"}`,
		}},
		"NULIsRefused":       {JSON, []string{`{"License":"a\u0000b"}`, "{\"License\":\"a\x00b\"}", `{"a\u0000b":1}`}},
		"NULIsRefusedInJSV":  {JSV, []string{"{License:a\x00b}"}},
		"NULIsRefusedInCSV":  {CSV, []string{"License\r\na\x00b\r\n"}},
		"NULIsRefusedInXML":  {XML, []string{xmlHead + "<License>a\x00b</License>" + xmlTail, xmlHead + "<License>a&#0;b</License>" + xmlTail}},
		"NULIsRefusedInForm": {Form, []string{"License=a%00b", "License=a\x00b", "a%00=1", "Customer=" + "%7BNotes%3A%00%7D"}},
		"OtherEncodingsAreRefused": {JSON, []string{
			"{\"License\":\"\xe9\"}", "{\"License\":\"\xed\xa0\x80\"}", "{\"License\":\"\xc0\xaf\"}", "\xff\xfe{\x00}\x00", "{\x00}\x00", "\xfe\xff\x00{\x00}",
		}},
		"OtherEncodingsAreRefusedInForm": {Form, []string{"License=%E9", "License=%ED%A0%80", "%FF=1"}},
		"OtherEncodingsAreRefusedInXML":  {XML, []string{`<?xml version="1.0" encoding="utf-16"?>` + xmlHead + xmlTail, `<?xml version="1.0" encoding='latin1'?>` + xmlHead + xmlTail}},
		"TheXMLDeclarationIsRead": {XML, []string{
			`<?xml version="1.1"?>` + xmlHead + xmlTail, `<?xml ?>` + xmlHead + xmlTail, `<?xml encoding="utf-8"?>` + xmlHead + xmlTail, `<?xml version="1.0"`,
			`<?xml version="1.0" x="y"?>` + xmlHead + xmlTail, `<?xml version="1.0" standalone="x"?>` + xmlHead + xmlTail, `<?xml version="1.0"encoding="utf-8"?>` + xmlHead + xmlTail,
		}},
		"WrongTypesAreRefused": {JSON, []string{
			`{"Customer":7}`, `{"Customer":[]}`, `{"Customer":true}`, `{"ShoppingInformation":"x"}`, `{"ShoppingInformation":7}`,
			`{"ShoppingInformation":[7]}`, `{"ShoppingInformation":[[]]}`, `{"License":[]}`, `{"License":["L"]}`,
			`{"ShoppingInformation":[{"AdditionalInformation":{}}]}`, `{"ShoppingInformation":[{"AdditionalInformation":[{}]}]}`,
			`{"ShoppingInformation":[{"AdditionalInformation":[["x"]]}]}`,
			`{"Customer":{"CustomerStatus":{"ServiceFeatures":[{"ServiceAttributes":[]}]}}}`,
			`{"Customer":{"CustomerStatus":{"ServiceFeatures":[{"ServiceAttributes":{"k":{}}}]}}}`,
		}},
		"DeepNestingIsRefused": {JSON, []string{
			`{"Nope":` + nest("[", "]", 32) + `}`, `{"Nope":` + nest("[", "]", 100000) + `}`, strings.Repeat(`{"a":`, 100000),
		}},
		"DeepNestingIsRefusedInJSV": {JSV, []string{
			"{Nope:" + nest("[", "]", 32) + "}", "{License:" + nest("{", "}", 100000) + "}", strings.Repeat("{a:", 100000),
		}},
		"DeepNestingIsRefusedInXML": {XML, []string{
			xmlHead + nest("<a>", "</a>", 32) + xmlTail, xmlHead + nest("<a>", "</a>", 100000) + xmlTail, xmlHead + strings.Repeat("<a>", 100000),
		}},
		"DeepNestingIsRefusedInCSV":  {CSV, []string{"Customer\r\n{Nope:" + nest("[", "]", 32) + "}\r\n", "Customer,License\r\n" + strings.Repeat("{,", 100000)}},
		"DeepNestingIsRefusedInForm": {Form, []string{"Customer={Nope:" + nest("[", "]", 32) + "}"}},
		"JSVHasOneGrammar": {JSV, []string{
			"{", "}", "{License:", `{License:"L}`, `{License:"L"x}`, "{License:L,}", "{,License:L}", "{:L}", "{License:{a}", "{License:[a}",
			`{"License:L}`, `{"License"x:L}`, "{License:L,,ContentId:7}", "[{License:L}]", "{ShoppingInformation:[{Title:a}}", "{Nope:{a:1}",
			"{ShoppingInformation:[{Title:a}{Title:b}]}", "{ShoppingInformation:[x]}", "{ShoppingInformation:x}", "{Customer:x}", "{Customer:[]}",
			"{Customer:{CustomerStatus:{ServiceFeatures:[{ServiceAttributes:x}]}}}", `{ContentId:{a:1}}`, "{ContentId:[1]}", "{\n", "{\nLicense:a",
		}},
		"CSVHasOneGrammar": {CSV, []string{
			"\r\n", "Nope\r\nx\r\n", "License\r\n", "License\r\n\"a\"b\r\n", "License\r\n\"a\r\n", "\"License\r\na\r\n", "License\r\na,b\r\n",
			"License \r\na\r\n", "License\r\na\r\nb\r\n", "License\rContentId\r\na\r\n", "Customer\r\n{Notes:a}x\r\n", "Customer\r\n{Notes:a\r\n",
			"ContentId,License\r\n1,000.00,L\r\n", "Customer,ContentId\r\n{Notes:a,b,c},7,8\r\n", "Customer\r\nx\r\n", "ContentId\r\n\"\"\r\n",
		}},
		"CSVHasAThousandColumnsAtMost": {CSV, []string{
			"License" + strings.Repeat(",", 1000) + "\r\nL\r\n", "License" + strings.Repeat(",", 99999) + "\r\nL\r\n", strings.Repeat(",", 1000) + "License\r\n",
		}},
		"XMLHasNoDOCTYPE": {XML, []string{
			`<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/hostname'>]>` + xmlHead + `<License>&x;</License>` + xmlTail,
			`<!DOCTYPE r>` + xmlHead + xmlTail, "<!-- a -- b -->" + xmlHead + xmlTail, "<?$?>" + xmlHead + xmlTail, "<?a" + xmlHead + xmlTail, "<?a$?>" + xmlHead + xmlTail, xmlHead + `<!DOCTYPE r>` + xmlTail, `<?xml version="1.0"?><!doctype r>` + xmlHead + xmlTail,
			xmlHead + xmlTail + `<!DOCTYPE r>`, xmlHead + `<License>&x;</License>` + xmlTail, xmlHead + `<!ENTITY x "y">` + xmlTail,
		}},
		"XMLHasOneGrammar": {XML, []string{
			"<", "<a", xmlHead, xmlHead + "<License>L" + xmlTail, xmlHead + "<License>L</Licence>" + xmlTail, xmlHead + "<License>L</License" + xmlTail,
			xmlHead + "<p:License>L</p:License>" + xmlTail, xmlHead + `<License p:x="1">L</License>` + xmlTail, xmlHead + "<License>a & b</License>" + xmlTail,
			xmlHead + "<License>&lt</License>" + xmlTail, xmlHead + "<License>&nbsp;</License>" + xmlTail, xmlHead + "<License>&#xD800;</License>" + xmlTail,
			xmlHead + "<License>&#x110000;</License>" + xmlTail, xmlHead + "<License>&#99999999999;</License>" + xmlTail, xmlHead + "<License>]]></License>" + xmlTail,
			xmlHead + "<License><![CDATA[L</License>" + xmlTail, xmlHead + "<License><!-- L</License>" + xmlTail, xmlHead + "<License>\x01</License>" + xmlTail,
			xmlHead + `<License a="1" a="2">L</License>` + xmlTail, xmlHead + `<License a=1>L</License>` + xmlTail, xmlHead + `<License a="<">L</License>` + xmlTail,
			xmlHead + `<License a="1"b="2">L</License>` + xmlTail, xmlHead + "<1>x</1>" + xmlTail, xmlHead + "< License>L</License>" + xmlTail,
			xmlHead + "<License><b>L</b></License>" + xmlTail, xmlHead + "<Customer>hello</Customer>" + xmlTail, xmlHead + "hello" + xmlTail,
			xmlHead + "<ShoppingInformation>1</ShoppingInformation>" + xmlTail, xmlHead + "<ContentId></ContentId>" + xmlTail, xmlHead + "<ContentId/>" + xmlTail,
			xmlHead + `<ContentId i:nil="true"/>` + xmlTail, xmlHead + `<IsDelete i:nil="1"/>` + xmlTail, xmlHead + `<License i:nil="true">L</License>` + xmlTail,
			xmlHead + "<IsDelete>TRUE</IsDelete>" + xmlTail, xmlHead + "<IsDelete>on</IsDelete>" + xmlTail, xmlHead + "<a:b:c/>" + xmlTail, xmlHead + "<:a/>" + xmlTail,
			`<StripePaymentRequest xmlns="` + nsDTO + `" xmlns:i="` + nsXSI + `" i:nil="true"/>`, "<StripePaymentRequest/>", xmlHead + `<a xmlns:p=""/>` + xmlTail,
			xmlHead + `<Customer><CustomerStatus><ServiceFeatures><F><ServiceAttributes><E><Value/></E></ServiceAttributes></F></ServiceFeatures></CustomerStatus></Customer>` + xmlTail,
			`<stripePaymentRequest xmlns="` + nsDTO + `"/>`, `<ArrayOfStripePaymentRequest xmlns="` + nsDTO + `"/>`,
		}},
		"AFormIsDecodedStrictly": {Form, []string{
			"License=%", "License=%4", "License=%zz", "Customer=hello", "Customer={Notes:n", "Customer=%5Bobject%20Object%5D", "ShoppingInformation=x",
			"IsDelete=maybe", "ContentId=1.5", strings.Repeat("a=1&", 1001),
		}},
		"AnotherFormatThanSaidIsRefused": {JSON, []string{xmlHead + xmlTail, "{License:L}", "License\r\nL\r\n", "License=L"}},
		"XMLBodiesAreNotCSV":             {CSV, []string{xmlHead + xmlTail, `{"License":"L"}`, "{License:L}"}},
		"JSONBodiesAreNotXML":            {XML, []string{`{"License":"L"}`, "{License:L}", "License\r\nL\r\n"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, body := range test.bodies {
				_ = refused(t, test.format, []byte(body))
			}
		})
	}
}

func TestTheLimitOfColumnsIsTold(t *testing.T) {
	t.Parallel()
	refusal := refused(t, CSV, []byte("License"+strings.Repeat(",", 1000)+"\r\nL\r\n"))
	if refusal == nil || !strings.Contains(refusal.Message, "more than 1000 columns") {
		t.Errorf("%v", refusal)
	}
}

// accepts reads a body that must be accepted and gives its canonical form without the members at their default.
func accepts(t *testing.T, format Format, body string) StripePaymentRequest {
	t.Helper()
	var request StripePaymentRequest
	if err := Decode(format, []byte(body), &request); err != nil {
		t.Errorf("%s: refused %q: %v", format, body, err)
	}
	return request
}

func TestLeniencyIsDeliberate(t *testing.T) {
	t.Parallel()
	t.Run("TheDeepestAllowedNestingIsRead", func(t *testing.T) {
		t.Parallel()
		accepts(t, JSON, `{"Nope":`+nest("[", "]", 31)+`}`)
		accepts(t, JSV, "{Nope:"+nest("[", "]", 31)+"}")
		accepts(t, XML, xmlHead+nest("<a>", "</a>", 31)+xmlTail)
	})
	t.Run("UnknownColumnsOfCSVArePassedOverWhereverTheyStand", func(t *testing.T) {
		t.Parallel()
		for _, body := range []string{
			strings.Repeat("x,", 998) + "License,ContentId\r\n" + strings.Repeat("\"a,\"\"\",", 998) + "L,7\r\n",
			"ContentId" + strings.Repeat(",", 998) + ",License\r\n7" + strings.Repeat(",{", 998) + ",L\r\n",
			"x,License,y,ContentId,z\r\n1,L,2,7\r\n",
		} {
			if r := accepts(t, CSV, body); r.License != Str("L") || r.ContentId != 7 {
				t.Errorf("License %v, ContentId %d", r.License, r.ContentId)
			}
		}
	})
	t.Run("OneNumberForAListOfTextsIsAListOfOne", func(t *testing.T) {
		t.Parallel()
		for _, body := range []string{`{"ShoppingInformation":[{"AdditionalInformation":7}]}`, `{"ShoppingInformation":{"AdditionalInformation":["7"]}}`} {
			r := accepts(t, JSON, body)
			if got := r.ShoppingInformation[0].AdditionalInformation; len(got) != 1 || got[0] != Str("7") {
				t.Errorf("%s gives %v", body, got)
			}
		}
	})
	t.Run("TheLastOfRepeatedNotesWinsButInXMLTheFirst", func(t *testing.T) {
		t.Parallel()
		if r := accepts(t, JSON, `{"Customer":{"Notes":"a","notes":"b"}}`); r.Customer.Notes != Str("b") {
			t.Errorf("JSON gives %v", r.Customer.Notes)
		}
		if r := accepts(t, JSON, `{"Customer":{"CustomerAddress":{"City":"a"},"CustomerAddress":{"Town":"b"}}}`); !r.Customer.CustomerAddress.City.IsEmpty() {
			t.Error("a repeated object is merged with the first instead of replacing it")
		}
		if r := accepts(t, XML, xmlHead+"<License>a</License><License>b</License>"+xmlTail); r.License != Str("a") {
			t.Errorf("XML gives %v", r.License)
		}
		if r := accepts(t, Form, "CardInfo=a&CardInfo=b"); r.CardInfo != Str("a,b") {
			t.Errorf("a form gives %v", r.CardInfo)
		}
	})
	t.Run("NothingQuotesOrNullForAJSVNumberIsItsDefault", func(t *testing.T) {
		t.Parallel()
		for _, value := range []string{"", `""`, "null"} {
			r := accepts(t, JSV, "{ContentId:"+value+",IsDelete:"+value+",ShoppingInformation:[{MonthlyFee:"+value+",Quantity: +2 }],License:L}")
			if r.ContentId != 0 || r.IsDelete || len(r.ShoppingInformation) != 1 || r.ShoppingInformation[0].Quantity != 2 || r.License != Str("L") {
				t.Errorf("%s: %+v", value, r)
			}
		}
		_ = refused(t, JSV, []byte(`{ContentId:"null"}`))
	})
	t.Run("OneTextForAJSVListOfTextsIsAListOfOne", func(t *testing.T) {
		t.Parallel()
		for value, want := range map[string]string{"x": "x", `"x,y"`: "x,y", "{x:y}": "{x:y}"} {
			r := accepts(t, JSV, "{ShoppingInformation:[{AdditionalInformation:"+value+",PartId:7}]}")
			item := r.ShoppingInformation[0]
			if len(item.AdditionalInformation) != 1 || item.AdditionalInformation[0] != Str(want) || item.PartId != 7 {
				t.Errorf("%s: %+v", value, item)
			}
		}
	})
	t.Run("TheIndentedFormOfJSVIsReadWithItsNulls", func(t *testing.T) {
		t.Parallel()
		r := accepts(t, JSV, "{\n License : \" L \" ,\r\n\tCardInfo: , \"CustomerId\" : a b ,\n ShoppingInformation: [ { AdditionalInformation: [ x , , \"\" ] } , ] ,\n Nope: { a : \"}\" } }\n")
		if r.License != Str(" L ") || r.CardInfo != (String{}) || r.CustomerId != Str("a b") || len(r.ShoppingInformation) != 1 {
			t.Errorf("%+v", r)
		}
		if diff := cmp.Diff([]String{Str("x"), {}, Str("")}, r.ShoppingInformation[0].AdditionalInformation); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("AnUnknownMemberOfJSVEndsWhereItsValueEnds", func(t *testing.T) {
		t.Parallel()
		for _, value := range []string{"", "x", `"},{"`, "{}", "[]", "{x}", "[[a],{b:c}]", `{a:"}"}`, `{"}":a}`, `{a:b"c}`, `[a"b]`, `{a:b:"c}`, "{a:b]}", `["a""]b"]`} {
			if r := accepts(t, JSV, "{Nope:"+value+",ContentId:7}"); r.ContentId != 7 {
				t.Errorf("%s swallows what follows", value)
			}
		}
	})
	t.Run("OneRequestForABatchIsABatchOfOne", func(t *testing.T) {
		t.Parallel()
		for format, bodies := range map[Format][]string{
			JSON: {`{"License":"L"}`, `[{"License":"L"}]`}, JSV: {"{License:L}", "[{License:L}]", "[\n {License:L},\n]\n"}, CSV: {"License\r\nL"},
			XML: {xmlHead + "<License>L</License>" + xmlTail}, Form: {"License=L"},
		} {
			for _, body := range bodies {
				var batch []StripePaymentRequest
				if err := DecodeBatch(format, []byte(body), &batch); err != nil || len(batch) != 1 || batch[0].License != Str("L") {
					t.Errorf("%s %s: %+v, %v", format, body, batch, err)
				}
			}
		}
		for format, body := range map[Format]string{JSON: "[]", JSV: "[]", CSV: "License\r\n", XML: `<ArrayOfStripePaymentRequest xmlns="` + nsDTO + `"/>`, Form: ""} {
			var batch []StripePaymentRequest
			if err := DecodeBatch(format, []byte(body), &batch); err != nil || batch == nil || len(batch) != 0 {
				t.Errorf("%s %s: %+v, %v", format, body, batch, err)
			}
		}
		for format, body := range map[Format]string{JSON: `"x"`, JSV: "x", CSV: "Nope\r\n1\r\n", XML: `<ArrayOfStripePaymentRequest/>`, Form: "ContentId=x"} {
			var batch []StripePaymentRequest
			if err := DecodeBatch(format, []byte(body), &batch); err == nil {
				t.Errorf("%s: accepted %s", format, body)
			}
		}
	})
	t.Run("AnEmptyBodyIsAnEmptyRequest", func(t *testing.T) {
		t.Parallel()
		for format := JSON; format <= Form; format++ {
			if r := accepts(t, format, ""); r.License.Valid || r.Customer != nil {
				t.Errorf("%s: %+v", format, r)
			}
		}
	})
	t.Run("AnEmptyFormValueLeavesItsMemberAlone", func(t *testing.T) {
		t.Parallel()
		request := StripePaymentRequest{License: Str("L"), ContentId: 7, ShoppingInformation: []ShoppingItem{{}}}
		if err := BindForm([]FormField{{"License", ""}, {"contentid", ""}, {"ShoppingInformation", "[]"}, {"IsDelete", "on"}}, &request); err != nil {
			t.Fatal(err)
		}
		if request.License != Str("L") || request.ContentId != 7 || len(request.ShoppingInformation) != 0 || !request.IsDelete {
			t.Errorf("%+v", request)
		}
	})
	t.Run("JSONSentAsJSVIsRead", func(t *testing.T) {
		t.Parallel()
		if r := accepts(t, JSV, `{"License":"L","ContentId":7}`); r.License != Str("L") || r.ContentId != 7 {
			t.Errorf("%+v", r)
		}
	})
	t.Run("SpecialCharactersOfJSVCannotReachOtherFields", func(t *testing.T) {
		t.Parallel()
		for _, title := range []string{"a,Quantity:1,", "a}", "a},{Quantity:9", `",Quantity:1,"`, "]", "a\r\n,Quantity:1"} {
			request := StripePaymentRequest{ShoppingInformation: []ShoppingItem{{Title: Str(title)}}}
			for _, format := range []Format{JSV, CSV, Form} {
				r := accepts(t, format, string(Encode(format, request)))
				if len(r.ShoppingInformation) != 1 || r.ShoppingInformation[0].Title != Str(title) || r.ShoppingInformation[0].Quantity != 0 {
					t.Errorf("%s: %q became %+v", format, title, r.ShoppingInformation)
				}
			}
		}
	})
	t.Run("ATypeHintIsIgnored", func(t *testing.T) {
		t.Parallel()
		accepts(t, JSV, `{__type:"System.Diagnostics.Process, System",License:L}`)
		accepts(t, JSON, `{"__type":"System.Diagnostics.Process, System"}`)
	})
	t.Run("XMLInAnyOrderAndSpellingMeansTheSame", func(t *testing.T) {
		t.Parallel()
		for _, fee := range []string{"100.00", "1<!-- -->00.00", "<![CDATA[100]]>.00", "1<?x?>00.0<![CDATA[0]]>", "&#49;00.00"} {
			r := accepts(t, XML, xmlHead+`<License>L</License><ShoppingInformation><x xmlns="urn:x"><SetupFee>`+fee+
				`</SetupFee><Nope><SetupFee>7</SetupFee></Nope></x></ShoppingInformation><ContentId> 7 </ContentId>`+xmlTail)
			if got := r.ShoppingInformation[0].SetupFee.String(); got != "100.00" || r.ContentId != 7 {
				t.Errorf("%s became %s, ContentId %d", fee, got, r.ContentId)
			}
		}
		accepts(t, XML, `<?xml  version='1.0' encoding="UTF-8" standalone = "yes" ?>`+"\r\n<!-- x -->"+xmlHead+xmlTail+"\n<!-- y --><?z?>\n")
		accepts(t, XML, `<?xml version="1.0" standalone="no"?>`+xmlHead+xmlTail)
		accepts(t, XML, `<?xml-stylesheet href="http://evil.example"?>`+xmlHead+`<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="x"/>`+xmlTail)
	})
	t.Run("LineEndsInXMLAreNormalizedUnlessEscaped", func(t *testing.T) {
		t.Parallel()
		r := accepts(t, XML, xmlHead+"<License>a\r\nb\rc&#xD;&#x1;</License>"+xmlTail)
		if r.License.Value != "a\nb\nc\r\x01" {
			t.Errorf("%q", r.License.Value)
		}
	})
	t.Run("AMultipartFormIsReadWithoutFiles", func(t *testing.T) {
		t.Parallel()
		part := func(disposition, value string) string {
			return "--XX\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + value + "\r\n"
		}
		fields, err := FormFields("multipart/form-data; boundary=XX", []byte(part(`name="License"`, "L")+part(`name="CardInfo"`, "a\r\nb")+"--XX--\r\n"))
		if err != nil || len(fields) != 2 || fields[1] != (FormField{"CardInfo", "a\r\nb"}) {
			t.Errorf("%v, %v", fields, err)
		}
		for _, body := range []string{
			part(`name="License"; filename="x"`, "L") + "--XX--\r\n", part(`x="License"`, "L") + "--XX--\r\n", part(`name="License"`, "L"),
			strings.Repeat(part(`name="a"`, "1"), 10000) + "--XX--\r\n", "hello", "", part(`name="License"`, "\x00") + "--XX--\r\n",
		} {
			if _, err := FormFields("multipart/form-data; boundary=XX", []byte(body)); err == nil {
				t.Errorf("accepted %.80q", body)
			}
		}
		if _, err := FormFields("multipart/form-data", []byte("x")); err == nil {
			t.Error("accepted a form without boundary")
		}
	})
}

func TestErrorsSayWhereTheFaultIs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		format      Format
		body, field string
	}{
		{JSON, `{"ShoppingInformation":[{},{"Quantity":"x"}]}`, "ShoppingInformation[1].Quantity"},
		{JSON, `{"customer":{"customerStatus":{"serviceFeatures":[{"serviceAttributes":7}]}}}`, "Customer.CustomerStatus.ServiceFeatures[0].ServiceAttributes"},
		{JSON, `{"ShoppingInformation":[{"AdditionalInformation":["a",{}]}]}`, "ShoppingInformation[0].AdditionalInformation[1]"},
		{JSV, `{ShoppingInformation:[{},{Quantity:x}]}`, "ShoppingInformation[1].Quantity"},
		{CSV, "ShoppingInformation\r\n\"[{},{Quantity:x}]\"\r\n", "ShoppingInformation[1].Quantity"},
		{XML, xmlHead + `<ShoppingInformation><a/><a><Quantity>x</Quantity></a></ShoppingInformation>` + xmlTail, "ShoppingInformation[1].Quantity"},
		{Form, "ShoppingInformation=[{},{Quantity:x}]", "ShoppingInformation[1].Quantity"},
		{JSON, `{"License":`, "License"},
	} {
		refusal := refused(t, test.format, []byte(test.body))
		if refusal.FieldName != test.field {
			t.Errorf("%s: the fault is said to be in %q, not %q", test.body, refusal.FieldName, test.field)
		}
		status := refusal.Status()
		if len(status.Errors) != 1 || status.Errors[0].FieldName != test.field || status.ErrorCode != CodeSerialization {
			t.Errorf("status %+v", status)
		}
	}
	refusal := refused(t, Form, []byte("ContentId=a&IsDelete=b&License=L&Customer=c"))
	var names []string
	for _, fault := range refusal.Status().Errors {
		names = append(names, fault.FieldName)
	}
	if got := strings.Join(names, " "); got != "Customer IsDelete ContentId" {
		t.Errorf("a form's errors name %s", got)
	}
	var batch []StripePaymentRequest
	err := DecodeBatch(JSON, []byte(`[{},{"ICustomer":"x"}]`), &batch)
	if refusal, ok := err.(*Error); !ok || refusal.FieldName != "[1].ICustomer" || refusal.Message != "[1].ICustomer "+wantInt+"." {
		t.Errorf("%v", err)
	}
}

func TestASecretIsNeverInAnError(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t"
	for format, bodies := range map[Format][]string{
		JSON: {`{"ContentId":"s3cr3t"}`, `{"s3cr3t":}`, `{"License":"s3cr3t`, `s3cr3t`, `{"Customer":"s3cr3t"}`},
		JSV:  {`{ContentId:s3cr3t}`, `{s3cr3t}`, `{License:s3cr3t`, `s3cr3t`, `{License:"s3cr3t"x}`},
		CSV:  {"ContentId\r\ns3cr3t\r\n", "s3cr3t\r\n", "License\r\n\"s3cr3t"},
		XML:  {xmlHead + "<ContentId>s3cr3t</ContentId>" + xmlTail, "<s3cr3t/>", xmlHead + "<s3cr3t>", "s3cr3t", xmlHead + "<a>&s3cr3t;</a>"},
		Form: {"ContentId=s3cr3t", "s3cr3t=%", "Customer={s3cr3t"},
	} {
		for _, body := range bodies {
			if refusal := refused(t, format, []byte(body)); refusal != nil && strings.Contains(refusal.Error()+refusal.FieldName, secret) {
				t.Errorf("%s: %v", body, refusal)
			}
		}
	}
}
