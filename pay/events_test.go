package pay_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/portatill/portatill/internal/paytest"
)

func replaceOnce(s, old, with string) string { return strings.Replace(s, old, with, 1) }

var made atomic.Int64

// madeEvent is an event that claims that a session was paid, whatever is true.
func madeEvent(object, id string) paytest.Event {
	n := made.Add(1)
	body, err := json.Marshal(map[string]any{
		"id": fmt.Sprintf("evt_made%d", n), "object": "event", "type": "checkout.session.completed", "api_version": "2023-10-16",
		"data": map[string]any{"object": map[string]any{"id": id, "object": object, "status": "complete", "payment_status": "paid", "amount_total": 1}},
	})
	if err != nil {
		panic(err)
	}
	return paytest.Event{ID: fmt.Sprintf("evt_made%d", n), Type: "checkout.session.completed", Body: body}
}

// deliverMade delivers such an event and runs its job.
func deliverMade(t *testing.T, w *paytest.World, object, id string) {
	t.Helper()
	if status := w.Deliver(madeEvent(object, id)); status != http.StatusOK {
		t.Errorf("answered %d", status)
	}
	if err := w.RunJobs(); err != nil {
		t.Errorf("run the jobs: %v", err)
	}
}

// unpaidIntent makes an intent at Stripe that takes no money.
func unpaidIntent(w *paytest.World, metadata map[string]string) string {
	w.T.Helper()
	form := url.Values{"amount": {"500"}, "currency": {"gbp"}, "payment_method_types[]": {"card"}}
	for k, v := range metadata {
		form.Set("metadata["+k+"]", v)
	}
	var intent struct {
		ID string `json:"id"`
	}
	w.API(http.MethodPost, "/v1/payment_intents", form, &intent)
	return intent.ID
}

// atOnce runs n of the same at once and fails the test when one fails.
func atOnce(t *testing.T, n int, do func(i int) error) {
	t.Helper()
	var all sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		all.Go(func() { errs[i] = do(i) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Errorf("one of %d at once: %v", n, err)
	}
}

func containsText(s, part string) bool { return strings.Contains(s, part) }
