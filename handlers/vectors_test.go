package handlers_test

import (
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
)

// wireFolder holds the recorded exchanges with real ServiceStack servers and clients, and the codecs' test of them.
const wireFolder = "../internal/wire/"

// recorded is one vector (wire.md section 8). Each request goes over a real connection, because Transfer-Encoding and
// Expect are the connection's business. The recorded licences are nobody's. Hence a request that the protocol accepts
// is sent three times: as it was (all is well up to the licence), with a good key in the header (a licence in the
// body contradicts it, so the body was read) and with a good body in place of its own (the whole answer).
type recorded struct {
	Name, Format, Direction, Bytes string
	Decoded                        json.RawMessage
	Deviation                      bool
	Observed                       json.RawMessage
	Request                        struct {
		Method, Path string
		Headers      map[string]string
	}
	Expect struct {
		Status                 int
		ErrorCode, ContentType string
	}
}

// keyInAddress are the vectors with a licence in the query string of a POST, which we refuse because addresses are
// kept by logs and browsers (docs/divergences.md). Without it they are judged as recorded.
var keyInAddress = []string{"query-ignored-on-predefined-route", "form-overrides-query-on-user-route", "query-only-on-user-route", "client-ts2-api-postbody-str"}

// voids are the two responses that no codec writes.
var voids = []string{"void-reply", "void-oneway"}

// declined is what the recorded service's FeatureName made it throw; here Stripe says it.
const declined = "HttpError402"

// contentTypes are those of wire.md 1.3, by the formats' names in paths.
var contentTypes = map[string]string{"json": "application/json; charset=utf-8", "jsv": "application/jsv", "csv": "text/csv", "xml": "application/xml"}

func recordedVectors(t *testing.T) []recorded {
	t.Helper()
	file, err := os.ReadFile(wireFolder + "testdata/wire-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []recorded
	if err := json.Unmarshal(file, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTheServerAnswersEveryRecordedRequest(t *testing.T) {
	t.Parallel()
	for _, v := range recordedVectors(t) {
		if v.Direction != "request" {
			continue
		}
		if v.Request.Path == "" { // a text that a client made, recorded without its route
			v.Request.Method, v.Request.Path = http.MethodPost, "/"+v.Format+"/reply/StripePaymentRequest"
		}
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			k := setup(t)
			if slices.Contains(keyInAddress, v.Name) {
				v.refused(k, k.exchange(v, v.Bytes), http.StatusBadRequest, "RequestBindingException")
				k.untouched()
				v.Request.Path = withoutKey(t, v.Request.Path)
			}
			switch status, code := v.Expect.Status, v.Expect.ErrorCode; {
			case status == 0 || status == http.StatusOK: // 0: a real client's request, which no server refused
				v.judgeAccepted(k)
			case status == http.StatusBadRequest && code != "":
				v.refused(k, k.exchange(v, v.Bytes), status, code)
				k.untouched()
			case status == http.StatusPaymentRequired:
				v.judgeDeclined(k)
			case status == http.StatusNotFound:
				v.judgeNotFound(k)
				k.untouched()
			case status == http.StatusMethodNotAllowed:
				v.refused(k, k.exchange(v, v.Bytes), status, "NotImplementedException")
				k.untouched()
			default:
				t.Fatalf("this test does not know how to judge a request that expects %d %q", status, code)
			}
		})
	}
}

// judgeAccepted sends what the protocol accepts: as it was, with a key beside it, and with a good body.
func (v recorded) judgeAccepted(k *till) {
	k.t.Helper()
	items := v.items(k.t)
	a := k.exchange(v, v.Bytes)
	if items == 0 {
		if a.status != http.StatusOK || a.body != "[]" {
			k.t.Errorf("want 200 and an empty array, got %d %.200s", a.status, a.body)
		}
		v.typed(a)
		k.untouched()
		return
	}
	v.refused(k, a, http.StatusUnauthorized, "InvalidLicense")
	if batch := v.batch(); batch && a.header.Get("X-AutoBatch-Completed") != "0" {
		k.t.Errorf("X-AutoBatch-Completed: %q before any was done", a.header.Get("X-AutoBatch-Completed"))
	}
	k.untouched()
	v.judgeReading(k)
	v.judgeAnswer(k, items)
}

// judgeNotFound: the original's answer is the text 404; whoever asks for JSON may get a ResponseStatus (wire.md 1.6),
// because clients make more of it.
func (v recorded) judgeNotFound(k *till) {
	k.t.Helper()
	plain := func(a answer) {
		k.t.Helper()
		if a.status != http.StatusNotFound || a.body != "404" || !sameType(a.header.Get("Content-Type"), "text/plain") {
			k.t.Errorf("want 404 in plain text, got %d %s %.200q", a.status, a.header.Get("Content-Type"), a.body)
		}
		a.tellsNothing()
	}
	a := k.exchange(v, v.Bytes)
	if a.header.Get("Content-Type") != contentTypes["json"] || v.Request.Headers["Accept"] != "application/json" {
		plain(a)
	} else if f := v.fault(a); a.status != http.StatusNotFound || f.ErrorCode != "NotFound" {
		k.t.Errorf("want 404 NotFound, got %d %s: %s", a.status, f.ErrorCode, f.Message)
	}
	a.tellsNothing()
	plain(k.exchange(v, v.Bytes, "Accept", "*/*"))
}

// judgeReading finds out whether the server read the body, or the query string, that the recorded server decoded.
func (v recorded) judgeReading(k *till) {
	k.t.Helper()
	if string(v.Decoded) == "null" || v.generic() {
		return
	}
	a := k.exchange(v, v.Bytes, "Authorization", "Bearer "+k.license)
	f := v.fault(a)
	if v.hasLicense(k.t) {
		if a.status != http.StatusUnauthorized || f.ErrorCode != "InvalidLicense" {
			k.t.Errorf("the licence in the body contradicts the header's, but the answer is %d %s: %s", a.status, f.ErrorCode, f.Message)
		}
		return
	}
	if a.status == http.StatusUnauthorized || a.status == http.StatusNotFound || f.ErrorCode == "SerializationException" || f.ErrorCode == "RequestBindingException" {
		k.t.Errorf("the header's key is good, but the answer is %d %s: %s", a.status, f.ErrorCode, f.Message)
	}
}

// judgeAnswer sends a good request in the vector's format to its route.
func (v recorded) judgeAnswer(k *till, items int) {
	k.t.Helper()
	all := make([]wire.StripePaymentRequest, items)
	for i := range all {
		all[i] = *k.request(func(r *wire.StripePaymentRequest) { r.ContentId = int32(100 + i) })
	}
	a := v.sendGood(k, all)
	if n := k.rows("orders"); n != items {
		k.t.Errorf("%d orders of %d", n, items)
	}
	if v.batch() && a.header.Get("X-AutoBatch-Completed") != strconv.Itoa(items) {
		k.t.Errorf("X-AutoBatch-Completed: %q of %d", a.header.Get("X-AutoBatch-Completed"), items)
	}
	if v.oneWay() { // the recorded service answered; ours accepts durably and says nothing (docs/divergences.md)
		isVoid(a)
		return
	}
	if a.status != http.StatusOK {
		k.t.Fatalf("a good request: %d %s", a.status, a.body)
	}
	format, body := v.typed(a), []byte(v.unwrapped(a))
	answers := make([]wire.StripePaymentResponse, 1)
	var err error
	if v.batch() {
		err = wire.DecodeBatch(format, body, &answers)
	} else {
		err = wire.Decode(format, body, &answers[0])
	}
	if err != nil || len(answers) != items {
		k.t.Fatalf("%d answers to %d, %v: %s", len(answers), items, err, a.body)
	}
	for i, got := range answers {
		if !got.Success || got.ContentId != all[i].ContentId || k.order(got.OrderId).ContentID != int64(got.ContentId) {
			k.t.Errorf("answer %d is %+v", i, got)
		}
	}
	want := v.seen(k.t, "Content-Disposition")
	if format == wire.CSV {
		want = "attachment;filename=StripePaymentRequest.csv"
	}
	if got := a.header.Get("Content-Disposition"); got != want {
		k.t.Errorf("Content-Disposition %q, want %q", got, want)
	}
	if strings.Contains(a.body, k.license) || strings.Contains(a.body, canaryPassword) { // tellsNothing would trip over random ids
		k.t.Error("the answer tells the key or the password")
	}
}

// judgeDeclined replays the recorded service's declined card: Stripe declines the items that the vector says, the
// answer is that of the first, and nothing after it runs.
func (v recorded) judgeDeclined(k *till) {
	k.t.Helper()
	k.pay.Gateway = declining{k.stripe}
	var asked []wire.StripePaymentRequest
	if err := wire.DecodeBatch(wire.JSON, []byte(v.Bytes), &asked); err != nil {
		k.t.Fatal(err)
	}
	first := slices.IndexFunc(asked, func(r wire.StripePaymentRequest) bool { return r.FeatureName.Value == declined })
	if first < 0 {
		k.t.Fatal("the vector expects 402 for a reason that this test does not know")
	}
	all := make([]wire.StripePaymentRequest, len(asked))
	for i := range asked {
		all[i] = *k.request(func(r *wire.StripePaymentRequest) { r.ContentId, r.FeatureName = int32(i+1), asked[i].FeatureName })
	}
	a := v.sendGood(k, all)
	v.refused(k, a, http.StatusPaymentRequired, "CardDeclined")
	if want := v.seen(k.t, "X-AutoBatch-Completed"); a.header.Get("X-AutoBatch-Completed") != want {
		k.t.Errorf("X-AutoBatch-Completed: %q, want %q", a.header.Get("X-AutoBatch-Completed"), want)
	}
	if n := k.rows("orders"); n != first+1 {
		k.t.Errorf("%d orders, but number %d was declined", n, first+1)
	}
}

// declining is Stripe declining what the recorded service was told to decline.
type declining struct{ pay.Gateway }

func (d declining) CreateSession(ctx context.Context, t *pay.Tenant, in pay.SessionInput, key string) (*pay.StripeSession, error) {
	if in.Order.FeatureName == declined {
		return nil, &pay.StripeFault{Kind: pay.FaultDeclined, DeclineCode: "generic_decline"}
	}
	return d.Gateway.CreateSession(ctx, t, in, key)
}

// TestAServiceThatReturnsNothingIsAnsweredWith204 is the recorded pair of empty responses. Ours returns nothing on
// the one-way routes alone: its reply always has something to say (wire.md section 4).
func TestAServiceThatReturnsNothingIsAnsweredWith204(t *testing.T) {
	t.Parallel()
	for _, v := range recordedVectors(t) {
		if !slices.Contains(voids, v.Name) {
			continue
		}
		action, found := strings.CutPrefix(v.Name, "void-")
		if !found || v.Direction != "response" || v.Expect.Status != http.StatusNoContent || v.Bytes != "" {
			t.Errorf("this test does not know how to judge %+v", v)
		}
		for _, format := range slices.Sorted(maps.Keys(contentTypes)) {
			t.Run(v.Name+"-"+format, func(t *testing.T) {
				t.Parallel()
				k := setup(t)
				v.Format, v.Request.Method, v.Request.Path = format, http.MethodPost, "/"+format+"/"+action+"/StripePaymentRequest"
				v.judgeAnswer(k, 1)
			})
		}
	}
}

func isVoid(a answer) {
	a.t.Helper()
	if a.status != http.StatusNoContent || a.body != "" || a.header.Get("Content-Type") != "" {
		a.t.Errorf("want 204 and nothing, got %d %q %.200s", a.status, a.header.Get("Content-Type"), a.body)
	}
}

// TestEveryVectorHasAnOwner: the requests and the void responses are judged here, all other responses are the codecs';
// and what the codecs' test leaves to the handlers is judged here.
func TestEveryVectorHasAnOwner(t *testing.T) {
	t.Parallel()
	left := leftToTheHandlers(t)
	byName := map[string]recorded{}
	here, codecs := 0, 0
	for _, v := range recordedVectors(t) {
		byName[v.Name] = v
		_, codec := wire.ParseFormat(v.Format)
		switch {
		case v.Direction == "request" || slices.Contains(voids, v.Name):
			here++
		case v.Direction == "response" && codec && !slices.Contains(left, v.Name):
			codecs++
		default:
			t.Errorf("nobody judges %s", v.Name)
		}
	}
	if len(byName) < 238 || here+codecs != len(byName) {
		t.Errorf("%d judged here and %d by the codecs' test, of %d vectors; there were 238", here, codecs, len(byName))
	}
	for _, name := range slices.Concat(left, keyInAddress, voids) {
		if _, ok := byName[name]; !ok {
			t.Errorf("%s is listed and does not exist", name)
		}
	}
}

// leftToTheHandlers reads the list httpVectors of the codecs' test from its source.
func leftToTheHandlers(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), wireFolder+"vectors_test.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Names[0].Name != "httpVectors" {
			return true
		}
		ast.Inspect(spec, func(n ast.Node) bool {
			if text, ok := n.(*ast.BasicLit); ok {
				name, err := strconv.Unquote(text.Value)
				if err != nil {
					t.Fatal(err)
				}
				names = append(names, name)
			}
			return true
		})
		return false
	})
	if len(names) == 0 {
		t.Fatal("the codecs' test has no list httpVectors; say here what it leaves to the handlers")
	}
	return names
}

// exchange sends the vector's request with a body over a real connection; more headers replace the vector's.
func (k *till) exchange(v recorded, body string, more ...string) answer {
	k.t.Helper()
	server := httptest.NewServer(k.http)
	defer server.Close()
	client := server.Client()
	transport := client.Transport.(*http.Transport)
	transport.DisableCompression, transport.ExpectContinueTimeout = true, time.Minute
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	r, err := http.NewRequestWithContext(k.t.Context(), v.Request.Method, server.URL+v.Request.Path, strings.NewReader(body))
	if err != nil {
		k.t.Fatal(err)
	}
	for name, value := range v.Request.Headers {
		if strings.EqualFold(name, "Transfer-Encoding") { // net/http sends it by itself for a body of unknown length
			r.TransferEncoding, r.ContentLength = []string{value}, -1
			continue
		}
		r.Header.Set(name, value)
	}
	for i := 0; i+1 < len(more); i += 2 {
		r.Header.Set(more[i], more[i+1])
	}
	response, err := client.Do(r)
	if err != nil {
		k.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		k.t.Fatal(err)
	}
	return answer{k.t, response.StatusCode, response.Header, string(text)}
}

// sendGood sends good requests as the vector would have: in its format, by its route, with its headers, except that
// a key of ours stands where it has one.
func (v recorded) sendGood(k *till, all []wire.StripePaymentRequest) answer {
	k.t.Helper()
	key := []string{"Authorization", "Bearer " + k.license}
	format, ok := wire.ParseFormat(v.Format)
	if !ok {
		if format, ok = wire.FormatOfContentType(v.Request.Headers["Content-Type"]); !ok {
			k.t.Fatalf("this test does not know in which format %s sends", v.Name)
		}
	}
	switch {
	case v.batch():
		return k.exchange(v, string(wire.Encode(format, all)), key...)
	case format == wire.Form && v.Bytes == "": // all is in the query string, but never the key
		all[0].License = wire.String{}
		v.Request.Path, _, _ = strings.Cut(v.Request.Path, "?")
		v.Request.Path += "?" + string(wire.Encode(format, &all[0]))
		return k.exchange(v, "", key...)
	}
	body := string(wire.Encode(format, &all[0]))
	if strings.HasPrefix(v.Request.Headers["Content-Type"], "multipart/form-data") {
		body = multipartOf(k.t, body)
	}
	// A user's name and password are a proxy's business and stay; any other credential is replaced.
	for name, value := range v.Request.Headers {
		if strings.EqualFold(name, "Authorization") && strings.HasPrefix(value, "Bearer ") {
			return k.exchange(v, body, key...)
		}
	}
	return k.exchange(v, body)
}

// multipartOf writes a form's fields as multipart/form-data with the boundary that the vectors use.
func multipartOf(t testing.TB, form string) string {
	t.Helper()
	fields, err := url.ParseQuery(form)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	w := multipart.NewWriter(&text)
	if err := w.SetBoundary("XX"); err != nil {
		t.Fatal(err)
	}
	for name := range fields {
		if err := w.WriteField(name, fields.Get(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// withoutKey takes the licence out of a path's query string.
func withoutKey(t testing.TB, path string) string {
	t.Helper()
	u, err := url.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	for name := range query {
		if strings.EqualFold(name, "License") {
			query.Del(name)
		}
	}
	if u.RawQuery == query.Encode() {
		t.Fatalf("%s has no licence in its address", path)
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// refused checks an error's status, code and content type.
func (v recorded) refused(k *till, a answer, status int, code string) {
	k.t.Helper()
	f := v.fault(a)
	if a.status != status || f.ErrorCode != code {
		k.t.Errorf("want %d %s, got %d %s: %s", status, code, a.status, f.ErrorCode, f.Message)
	}
	if f.Message == "" || f.StackTrace != "" || len(f.Message) > 300 {
		k.t.Errorf("the refusal is %+v", f)
	}
	v.typed(a)
	a.tellsNothing()
}

// fault reads the ResponseStatus of an answer in whatever format it came; it is empty in a good answer.
func (v recorded) fault(a answer) wire.ResponseStatus {
	a.t.Helper()
	format, ok := wire.FormatOfContentType(a.header.Get("Content-Type"))
	if strings.Contains(v.Request.Path, "callback=") {
		format, ok = wire.JSON, true
	}
	if a.status == http.StatusOK || a.status == http.StatusNoContent {
		return wire.ResponseStatus{}
	}
	var e wire.ErrorResponse
	if err := wire.Decode(format, []byte(v.unwrapped(a)), &e); !ok || err != nil || e.ResponseStatus == nil {
		a.t.Fatalf("%d %s is no ResponseStatus: %v: %.300s", a.status, a.header.Get("Content-Type"), err, a.body)
	}
	return *e.ResponseStatus
}

// unwrapped is the body without the JSONP function that the vector asks for.
func (v recorded) unwrapped(a answer) string {
	a.t.Helper()
	_, callback, asked := strings.Cut(v.Request.Path, "callback=")
	if !asked {
		return a.body
	}
	inner, open := strings.CutPrefix(a.body, callback+"(")
	inner, closed := strings.CutSuffix(inner, ")")
	if !open || !closed {
		a.t.Errorf("not wrapped in %s(…): %.200s", callback, a.body)
	}
	return inner
}

// typed checks the answer's Content-Type and returns its format.
func (v recorded) typed(a answer) wire.Format {
	a.t.Helper()
	got, want := a.header.Get("Content-Type"), v.wantType(a.t)
	if !sameType(got, want) {
		a.t.Errorf("the answer is %s, want %s", got, want)
	}
	if want == "text/javascript" {
		return wire.JSON
	}
	format, _ := wire.FormatOfContentType(got)
	return format
}

// sameType lets plain text and scripts name their charset; ServiceStack's own formats have exactly what is recorded.
func sameType(got, want string) bool {
	if want == "text/plain" || want == "text/javascript" {
		got, _, _ = strings.Cut(got, ";")
	}
	return got == want
}

// wantType is what the vector expects, or what the real server sent, or what the route gives (wire.md 1.3).
func (v recorded) wantType(t testing.TB) string {
	if v.Expect.ContentType != "" {
		return v.Expect.ContentType
	}
	if seen := v.seen(t, "Content-Type"); seen != "" && !v.Deviation {
		return seen
	}
	route := strings.ToLower(strings.Split(strings.Trim(v.Request.Path, "/"), "/")[0])
	if want, ok := contentTypes[route]; ok {
		return want
	}
	for name, accept := range v.Request.Headers {
		for _, want := range contentTypes {
			if media, _, _ := strings.Cut(want, ";"); strings.EqualFold(name, "Accept") && accept == media {
				return want
			}
		}
	}
	return contentTypes["json"]
}

// seen is a header of the answer of the newest recorded server, "" where none was kept.
func (v recorded) seen(t testing.TB, header string) string {
	t.Helper()
	var servers map[string]struct{ Headers map[string]string }
	if len(v.Observed) == 0 || v.Observed[0] != '{' { // a list: the servers that agreed
		return ""
	}
	if err := json.Unmarshal(v.Observed, &servers); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(servers))) {
		if value := servers[name].Headers[header]; value != "" {
			return value
		}
	}
	return ""
}

func (v recorded) batch() bool {
	path, _, _ := strings.Cut(v.Request.Path, "?")
	return strings.HasSuffix(path, "[]")
}

func (v recorded) oneWay() bool { return strings.Contains(strings.ToLower(v.Request.Path), "oneway/") }

// generic are a client's texts of an object that is not ours; all its members are unknown to us.
func (v recorded) generic() bool { return strings.HasPrefix(v.Name, "client-ts2-jsv-stringify") }

// items is how many requests the recorded server decoded.
func (v recorded) items(t testing.TB) int {
	t.Helper()
	var all []json.RawMessage
	if !v.batch() {
		return 1
	}
	if err := json.Unmarshal(v.Decoded, &all); err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// hasLicense reports whether the recorded server decoded a licence, the first one's in a batch.
func (v recorded) hasLicense(t testing.TB) bool {
	t.Helper()
	if v.Bytes == "" { // it was in the address, if anywhere
		return false
	}
	text := v.Decoded
	if v.batch() {
		var all []json.RawMessage
		if err := json.Unmarshal(text, &all); err != nil {
			t.Fatal(err)
		}
		text = all[0]
	}
	var one struct{ License string }
	if err := json.Unmarshal(text, &one); err != nil {
		t.Fatal(err)
	}
	return one.License != ""
}
