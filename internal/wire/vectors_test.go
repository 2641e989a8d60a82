package wire

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A vector of testdata/wire-vectors.json: bytes observed on real ServiceStack servers and clients, and what they mean.
type vector struct {
	Name, Format, Direction, Bytes string
	Decoded                        json.RawMessage
	Request                        struct {
		Method, Path string
		Headers      map[string]string
	}
	Expect struct {
		Status    int
		ErrorCode string
	}
}

// httpVectors are about routes, verbs and content negotiation; the tests of the HTTP handlers own them. A vector that
// is neither here nor understood by the codecs fails the test below.
var httpVectors = []string{
	"route-suffix-csv", "route-suffix-beats-format-parameter", "route-accept-ignored-on-predefined", "route-jsonp",
	"route-jsonp-error", "http-get-on-predefined", "http-get-on-predefined-csv", "http-method-override-header",
	"http-unknown-operation", "http-unknown-format", "http-unknown-suffix", "accept-star", "accept-text-csv",
	"accept-application-jsv", "accept-text-html-application-xhtml-xml-application-xml-q-q", "accept-none",
	"void-reply", "void-oneway", "client-ts2-api-get", "no-content-type-on-user-route", "batch-one-fails",
}

func vectors(t testing.TB) []vector {
	t.Helper()
	file, err := os.ReadFile("testdata/wire-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(file, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestVectors(t *testing.T) {
	t.Parallel()
	all := vectors(t)
	if len(all) < 238 {
		t.Errorf("only %d vectors are left of 238", len(all))
	}
	byName := map[string]vector{}
	for _, v := range all {
		byName[v.Name] = v
	}
	for _, name := range httpVectors {
		if _, ok := byName[name]; !ok {
			t.Errorf("the list of HTTP vectors names %s, which does not exist", name)
		}
	}
	for _, v := range all {
		if slices.Contains(httpVectors, v.Name) {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			if v.Direction == "response" {
				checkWriting(t, v, byName)
				return
			}
			checkReading(t, v)
		})
	}
}

// generic is the DTO of the vectors about a client's JSV.stringify, which have one of their own.
type generic struct {
	A  String   `wire:"a"`
	B  String   `wire:"b"`
	N  int32    `wire:"n"`
	T  bool     `wire:"t"`
	F  bool     `wire:"f"`
	AB []String `wire:"a:b"`
}

func checkReading(t *testing.T, v vector) {
	t.Helper()
	format, ok := ParseFormat(v.Format)
	if !ok {
		t.Fatalf("format %q is not a codec's and the vector is not in the list of HTTP vectors", v.Format)
	}
	wantError := v.Expect.ErrorCode == CodeSerialization
	if string(v.Decoded) == "null" && !wantError {
		t.Fatal("the vector neither decodes nor expects a SerializationException; list it with the HTTP vectors")
	}
	var dto any = new(StripePaymentRequest)
	var err error
	path, query, _ := strings.Cut(v.Request.Path, "?")
	switch {
	case strings.HasPrefix(v.Name, "client-ts2-jsv-stringify"):
		dto = new(generic)
		err = Decode(format, []byte(v.Bytes), dto)
	case strings.HasSuffix(path, "[]"):
		dto = new([]StripePaymentRequest)
		err = DecodeBatch(format, []byte(v.Bytes), dto)
	case format == Form:
		err = bindQueryAndForm(t, query, v, dto)
	default:
		err = Decode(format, []byte(v.Bytes), dto)
	}
	if wantError {
		checkRefusal(t, err, v.Bytes)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tree(t, v.Decoded), tree(t, Canonical(dto)), ignoreAbsent(v)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", v.Bytes, diff)
	}
}

// ignoreAbsent lets the generic vectors, which are about a client that has no defaults, pass members not in them.
func ignoreAbsent(v vector) cmp.Option {
	return cmp.FilterPath(func(p cmp.Path) bool {
		index, ok := p.Last().(cmp.MapIndex)
		if !ok || !strings.HasPrefix(v.Name, "client-ts2-jsv-stringify") {
			return false
		}
		want, _ := index.Values()
		return !want.IsValid()
	}, cmp.Ignore())
}

func bindQueryAndForm(t *testing.T, query string, v vector, dto any) error {
	t.Helper()
	fields, err := QueryFields(query)
	if err != nil {
		return err
	}
	if err := BindForm(fields, dto); err != nil {
		return err
	}
	if fields, err = FormFields(v.Request.Headers["Content-Type"], []byte(v.Bytes)); err != nil {
		return err
	}
	return BindForm(fields, dto)
}

// checkRefusal demands an error for the caller's eyes: the code, a message, and nothing of what was sent.
func checkRefusal(t *testing.T, err error, body string) {
	t.Helper()
	refusal, ok := err.(*Error)
	if !ok {
		t.Fatalf("%s was accepted: %v", body, err)
	}
	if refusal.ErrorCode != CodeSerialization || refusal.Message == "" || len(refusal.Message) > 200 {
		t.Errorf("the refusal is %+v", refusal)
	}
	for _, secret := range []string{"wire.", "reflect", "int32", "Go ", "0x"} {
		if strings.Contains(refusal.Message, secret) {
			t.Errorf("the message shows internals: %s", refusal.Message)
		}
	}
}

func checkWriting(t *testing.T, v vector, byName map[string]vector) {
	t.Helper()
	format, ok := ParseFormat(v.Format)
	if !ok {
		t.Fatalf("format %q is not a codec's and the vector is not in the list of HTTP vectors", v.Format)
	}
	dto := newDTO(v.Name)
	// The numbers in decoded have lost their scale; the JSON twin of the vector has not.
	from := []byte(v.Decoded)
	if twin, ok := byName[strings.TrimSuffix(v.Name, "-"+v.Format)+"-json"]; ok {
		from = []byte(twin.Bytes)
	}
	if err := decodeInto(JSON, from, dto); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(v.Bytes, string(Encode(format, dto))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	again := newDTO(v.Name)
	if err := decodeInto(format, []byte(v.Bytes), again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(v.Bytes, string(Encode(format, again))); diff != "" {
		t.Errorf("read and written again, -want +got:\n%s", diff)
	}
}

func newDTO(vector string) any {
	switch {
	case strings.HasPrefix(vector, "error-"):
		return new(ErrorResponse)
	case vector == "write-list-of-rows-csv":
		return new([]ShoppingItem)
	}
	return new(StripePaymentRequest)
}

func decodeInto(format Format, body []byte, dto any) error {
	if reflect.TypeOf(dto).Elem().Kind() == reflect.Slice {
		return DecodeBatch(format, body, dto)
	}
	return Decode(format, body, dto)
}

// tree parses JSON with numbers as numbers of equal value, since the vectors' decoded values have lost their scale.
func tree(t *testing.T, text []byte) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return byValue(t, value)
}

func byValue(t *testing.T, value any) any {
	t.Helper()
	switch value := value.(type) {
	case json.Number:
		number, err := strconv.ParseFloat(value.String(), 64)
		if err != nil {
			t.Fatal(err)
		}
		return number
	case []any:
		for i := range value {
			value[i] = byValue(t, value[i])
		}
	case map[string]any:
		// The readers drop what the original's readers drop, and the writers leave nulls out.
		for name := range value {
			value[name] = byValue(t, value[name])
		}
	}
	return value
}

func TestTheMetadataPagesSampleIsReadFromItsCSV(t *testing.T) {
	t.Parallel()
	var seed, fromJSON StripePaymentRequest
	for _, v := range vectors(t) {
		switch v.Name {
		case "seed-csv-lf-no-final-eol":
			if err := Decode(CSV, []byte(v.Bytes), &seed); err != nil {
				t.Fatal(err)
			}
		case "seed-json":
			if err := Decode(JSON, []byte(v.Bytes), &fromJSON); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(v.Bytes, string(Encode(JSON, &fromJSON))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		}
	}
	if diff := cmp.Diff(fromJSON, seed); diff != "" {
		t.Errorf("-json +csv:\n%s", diff)
	}
}
