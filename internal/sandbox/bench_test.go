package sandbox_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/portatill/portatill/internal/sandbox"
)

// benchmarkSessions measures creating sessions of 14 line items over HTTP, as a till under load does.
func benchmarkSessions(b *testing.B, stateFile string) {
	s, err := sandbox.New(sandbox.Options{StateFile: stateFile})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	var form strings.Builder
	form.WriteString("mode=payment&success_url=https%3A%2F%2Fa.example%2Fok&cancel_url=https%3A%2F%2Fa.example%2Fno&payment_intent_data[metadata][order]=ord_1")
	for i := range 14 {
		at := "&line_items[" + strconv.Itoa(i) + "]"
		form.WriteString(at + "[quantity]=2" + at + "[price_data][currency]=gbp" + at + "[price_data][unit_amount]=1250" + at + "[price_data][product_data][name]=Unlimited+Mobile+" + strconv.Itoa(i))
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	client := &http.Client{Transport: transport}
	b.ReportAllocs()
	b.SetParallelism(8)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			request, err := http.NewRequest(http.MethodPost, server.URL+"/v1/checkout/sessions", strings.NewReader(form.String()))
			if err != nil {
				b.Error(err)
				return
			}
			request.Header.Set("Authorization", "Bearer "+testKey)
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			response, err := client.Do(request)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
			if response.StatusCode != http.StatusOK {
				b.Errorf("status %d", response.StatusCode)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sessions/s")
}

func BenchmarkCreateSessionInMemory(b *testing.B) { benchmarkSessions(b, "") }

func BenchmarkCreateSessionWithStateFile(b *testing.B) {
	benchmarkSessions(b, filepath.Join(b.TempDir(), "state"))
}
