package wire

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
	"testing"
)

// fuzzDecode seeds with the vectors of a format and checks, for any bytes: no panic, no message with internals, and
// that what is accepted survives being written and read again in every format with the same digest.
func fuzzDecode(f *testing.F, format Format) {
	for _, v := range vectors(f) {
		if v.Format == format.String() {
			f.Add([]byte(v.Bytes))
		}
	}
	for _, spelling := range amountSpellings {
		if len(spelling) < 64 {
			f.Add(withFee(format, spelling))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var batch []StripePaymentRequest
		if err := DecodeBatch(format, body, &batch); err != nil {
			checkRefusal(t, err, string(body))
		}
		var request StripePaymentRequest
		if err := Decode(format, body, &request); err != nil {
			checkRefusal(t, err, string(body))
			return
		}
		checkAgainstStandardLibrary(t, format, body)
		want := Digest(&request)
		for _, other := range []Format{JSON, JSV, CSV, XML, Form} {
			var again StripePaymentRequest
			written := Encode(other, &request)
			if err := Decode(other, written, &again); err != nil {
				t.Fatalf("%s cannot be read back: %v\n%s", other, err, written)
			}
			if got := Digest(&again); got != want {
				t.Fatalf("the digest changes in %s:\n%s\n%s", other, Canonical(&request), Canonical(&again))
			}
		}
		if strings.ContainsRune(string(Canonical(&request)), 0) {
			t.Fatal("a NUL got through")
		}
	})
}

// checkAgainstStandardLibrary lets encoding/json and encoding/xml judge what was accepted: no grammar may be laxer than
// theirs.
func checkAgainstStandardLibrary(t *testing.T, format Format, body []byte) {
	t.Helper()
	body = bytes.TrimPrefix(body, []byte(byteOrderMark))
	switch {
	case len(body) == 0:
	case format == JSON:
		if !json.Valid(body) {
			t.Fatalf("accepted what is no JSON: %q", body)
		}
	case format == XML:
		decoder := xml.NewDecoder(bytes.NewReader(body))
		decoder.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
		for {
			_, err := decoder.Token()
			if err == io.EOF {
				return
			}
			if err == nil {
				continue
			}
			// We read references to control characters because .NET writes them, and take any letter in a name, while
			// encoding/xml knows those of XML's fourth edition.
			if !strings.Contains(err.Error(), "illegal character code") && !strings.Contains(err.Error(), "invalid XML name") {
				t.Fatalf("accepted what is no XML: %v: %q", err, body)
			}
			return
		}
	}
}

func FuzzDecodeJSON(f *testing.F) { fuzzDecode(f, JSON) }
func FuzzDecodeJSV(f *testing.F)  { fuzzDecode(f, JSV) }
func FuzzDecodeCSV(f *testing.F)  { fuzzDecode(f, CSV) }
func FuzzDecodeXML(f *testing.F)  { fuzzDecode(f, XML) }
func FuzzDecodeForm(f *testing.F) { fuzzDecode(f, Form) }
