package sandbox_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/portatill/portatill/internal/sandbox"
)

const listedObjects = 10_000

// ask sends a request to the handler itself, so that the figures are the sandbox's and not the network's.
func ask(b *testing.B, h http.Handler, method, path, form string) []byte {
	request := httptest.NewRequest(method, path, strings.NewReader(form))
	request.Header.Set("Authorization", "Bearer "+testKey)
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, request)
	if recorder.Code != http.StatusOK {
		b.Fatalf("%s %s: %d %s", method, path, recorder.Code, recorder.Body)
	}
	return recorder.Body.Bytes()
}

// BenchmarkListWhole lists 10,000 objects of a kind by pages of 100, as a sweep does; one operation is the whole list.
func BenchmarkListWhole(b *testing.B) {
	s, err := sandbox.New(sandbox.Options{})
	if err != nil {
		b.Fatal(err)
	}
	h := s.Handler()
	for range listedObjects {
		ask(b, h, http.MethodPost, "/v1/payment_intents", "amount=5000&currency=gbp&payment_method=pm_card_visa&payment_method_types[]=card&confirm=true")
		ask(b, h, http.MethodPost, "/v1/checkout/sessions", oneItem)
	}
	ask(b, h, http.MethodPost, "/_sandbox/actions/payout", "{}")
	var payouts struct{ Data []struct{ ID string } }
	if err := json.Unmarshal(ask(b, h, http.MethodGet, "/v1/payouts", ""), &payouts); err != nil || len(payouts.Data) != 1 {
		b.Fatalf("%d payouts, %v", len(payouts.Data), err)
	}
	for name, c := range map[string]struct {
		query string
		want  int
	}{
		"BalanceTransactions":      {"/v1/balance_transactions?limit=100", listedObjects + 1},
		"BalanceTransactionsWhole": {"/v1/balance_transactions?limit=100&created[gte]=1&expand[]=data.source", listedObjects + 1},
		"OfAPayout":                {"/v1/balance_transactions?limit=100&expand[]=data.source&payout=" + payouts.Data[0].ID, listedObjects + 1},
		"Sessions":                 {"/v1/checkout/sessions?limit=100&created[gte]=1", listedObjects},
		"Intents":                  {"/v1/payment_intents?limit=100&created[gte]=1", listedObjects},
		"IntentsWithRefunds":       {"/v1/payment_intents?limit=100&expand[]=data.latest_charge.refunds", listedObjects},
		"Charges":                  {"/v1/charges?limit=100", listedObjects},
		"NothingInTheRange":        {"/v1/balance_transactions?limit=100&created[gte]=4000000000", 0},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				seen, after := 0, ""
				for more := true; more; {
					var page struct {
						Data    []struct{ ID string }
						HasMore bool `json:"has_more"`
					}
					if err := json.Unmarshal(ask(b, h, http.MethodGet, c.query+after, ""), &page); err != nil {
						b.Fatal(err)
					}
					if seen += len(page.Data); len(page.Data) > 0 {
						after = "&starting_after=" + page.Data[len(page.Data)-1].ID
					}
					more = page.HasMore
				}
				if seen != c.want {
					b.Fatalf("%d objects, want %d", seen, c.want)
				}
			}
		})
	}
}
