package wire

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// measuredBody is from where on memory is counted: counting stops the world, and a shorter body cannot reach the limit.
const measuredBody = 2 << 10

// fuzzDecode seeds with the vectors of a format and checks, for any bytes: no panic, no message with internals, no more
// than 64 times their size in memory, and that what is accepted survives being written and read again in every format
// with the same digest. Time is not judged here but shown by BenchmarkHostileBodies.
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
		if len(body) >= measuredBody {
			checkMemory(t, format, true, body)
			checkMemory(t, format, false, body)
		}
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
			err := Decode(other, written, &again)
			if refusal := new(Error); errors.As(err, &refusal) && strings.Contains(refusal.Message, tooSparse) {
				continue // thousands of nulls are so much shorter in JSV that they exceed what its length allows
			}
			if err != nil {
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

// FuzzMemory looks for what costs more than 64 times its size when it is repeated. It is given the few bytes to repeat
// rather than a long body, because the fuzzer is lost in long ones: shortening one takes it a minute.
func FuzzMemory(f *testing.F) {
	for _, hostile := range hostileBodies(smallBody) {
		if b := hostile.body; b.unit != "" && len(b.head) < smallBody/4 {
			f.Add(uint8(hostile.format-JSON), hostile.batch, b.head, b.unit, b.tail)
		}
	}
	f.Fuzz(func(t *testing.T, format uint8, batch bool, head, unit, tail string) {
		if unit == "" {
			return
		}
		body := stretch(smallBody, head, unit, tail).text
		checkMemory(t, JSON+Format(format)%Form, batch, []byte(body))
	})
}

func FuzzDecodeJSON(f *testing.F) { fuzzDecode(f, JSON) }
func FuzzDecodeJSV(f *testing.F)  { fuzzDecode(f, JSV) }
func FuzzDecodeCSV(f *testing.F)  { fuzzDecode(f, CSV) }
func FuzzDecodeXML(f *testing.F)  { fuzzDecode(f, XML) }
func FuzzDecodeForm(f *testing.F) { fuzzDecode(f, Form) }
