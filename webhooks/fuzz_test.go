package webhooks

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// FuzzSignatureHeader: whatever a header says, it verifies only when it holds the MAC of exactly this body under the
// secret, with a time that is near.
func FuzzSignatureHeader(f *testing.F) {
	const body, secret = `{"id":"evt_1"}`, "whsec_0123456789abcdef0123"
	at := fmt.Sprint(clockNow.Unix())
	good := mac(at+"."+body, secret)
	for _, seed := range []string{"t=" + at + ",v1=" + good, "v1=" + good + ",t=" + at, "t=" + at + ",v1=00,v1=" + good, "t=" + at + ",v0=" + good,
		"t=" + at + ",t=1,v1=" + good, " t=" + at + ",v1=" + good, "t=" + at + " ,v1=" + good, "t=+" + at + ",v1=" + good, "t=0" + at + ",v1=" + good,
		"", ",", "=", "t=", "t=,v1=", "t=" + at + ",v1=" + strings.ToUpper(good), "t=9223372036854775807,v1=" + good, "t=-1,v1=x", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		fault := Verify([]byte(body), header, []pay.Secret{secret}, clockNow)
		if strings.Contains(fault, secret) {
			t.Fatal("the fault names the secret")
		}
		if again := Verify([]byte(body), header, []pay.Secret{secret}, clockNow); again != fault {
			t.Fatalf("%q, then %q", fault, again)
		}
		if Verify([]byte(body), header, []pay.Secret{""}, clockNow) == "" || Verify([]byte(body), header, nil, clockNow) == "" {
			t.Fatal("an empty secret verified it")
		}
		if fault != "" {
			return
		}
		when, ok := signedAt(header)
		if !ok || when.Before(clockNow.Add(-300*time.Second)) || when.After(clockNow.Add(300*time.Second)) {
			t.Fatalf("accepted with the time %v", when)
		}
		if !strings.Contains(strings.ToLower(header), mac(fmt.Sprint(when.Unix())+"."+body, secret)) {
			t.Fatal("accepted without the MAC")
		}
	})
}

// FuzzReadEvent: a verified body never panics, and what is taken from it can be stored and settled.
func FuzzReadEvent(f *testing.F) {
	f.Add([]byte(completed("evt_1", "cs_test_1")))
	for _, seed := range []string{`{"id":"evt_1","type":"charge.refunded","data":{"object":{"id":"ch_1","object":"charge","payment_intent":{"id":"pi_1"}}}}`,
		`{"id":"evt_1","object":"v2.core.event","type":"x","related_object":{"id":"pi_1"}}`, `{"id":"evt_1","type":"x","data":[]}`, `null`, `{}`,
		`{"id":"evt_\u0000","type":"\ud800","data":{"object":{"id":"cs_\u0000"}}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := readEvent(body)
		if err != nil {
			return
		}
		for _, text := range []string{e.StripeID, e.Type, e.APIVersion, e.ObjectID} {
			if len(text) > 255 || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Fatalf("%q cannot be stored on both databases", text)
			}
		}
		if !strings.HasPrefix(e.StripeID, "evt_") || e.Type == "" {
			t.Fatalf("accepted with the id %q and the type %q", e.StripeID, e.Type)
		}
		if e.ObjectID != "" && !settles(e.ObjectID) {
			t.Fatalf("%q would be settled", e.ObjectID)
		}
	})
}

// BenchmarkReceive is one delivery: verify, store durably with its job, answer.
func BenchmarkReceive(b *testing.B) {
	k := setup(b, storetest.OpenSQLite(b))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		if w := k.send(completed(fmt.Sprintf("evt_%d", n), "cs_test_1")); w.Code != http.StatusOK {
			b.Fatalf("got %d %s", w.Code, w.Body)
		}
	}
}
