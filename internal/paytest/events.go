package paytest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"

	"github.com/portatill/portatill/internal/sandbox"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/internal/stripegate"
	"github.com/portatill/portatill/pay"
)

// Event is one of Stripe's, as it would be delivered.
type Event struct {
	ID   string
	Type string
	Body []byte
}

// Events are those that an endpoint made by the gate hears, oldest first.
func (w *World) Events() []Event {
	w.T.Helper()
	type event struct {
		ID   string `json:"id"`
		Type string `json:"type"`
	}
	read := func(raw json.RawMessage) event {
		var e event
		if err := json.Unmarshal(raw, &e); err != nil {
			w.T.Fatal(err)
		}
		return e
	}
	var out []Event
	for _, raw := range slices.Backward(list(w, "/v1/events", func(raw json.RawMessage) string { return read(raw).ID })) {
		if e := read(raw); slices.Contains(stripegate.WebhookEvents, e.Type) {
			out = append(out, Event{ID: e.ID, Type: e.Type, Body: raw})
		}
	}
	return out
}

// EventOf returns the newest event of a type.
func (w *World) EventOf(kind string) Event {
	w.T.Helper()
	for _, e := range slices.Backward(w.Events()) {
		if e.Type == kind {
			return e
		}
	}
	w.T.Fatalf("Stripe has no event %s", kind)
	return Event{}
}

// Deliver sends an event, signed, to the receiver and returns its answer.
func (w *World) Deliver(e Event) int {
	w.T.Helper()
	return w.DeliverSigned(e, w.Tenant.StripeWebhookSecrets[0].Reveal())
}

// DeliverSigned is Deliver with any secret.
func (w *World) DeliverSigned(e Event, secret string) int {
	w.T.Helper()
	req := httptest.NewRequest(http.MethodPost, "/webhooks/stripe/"+w.Tenant.Slug, bytes.NewReader(e.Body))
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Stripe-Signature", sandbox.Signature(e.Body, secret, w.Clock.Now()))
	answer := httptest.NewRecorder()
	w.hook.ServeHTTP(answer, req)
	return answer.Code
}

// DeliverAll delivers every event there is, oldest first, and runs the jobs.
func (w *World) DeliverAll() {
	w.T.Helper()
	for _, e := range w.Events() {
		if status := w.Deliver(e); status != http.StatusOK {
			w.T.Fatalf("%s (%s) was answered %d", e.ID, e.Type, status)
		}
	}
	if err := w.RunJobs(); err != nil {
		w.T.Fatalf("run the jobs: %v", err)
	}
}

// Jobs are the committed jobs of this tenant that have not been done.
func (w *World) Jobs() []pay.SettleJob {
	w.T.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []pay.SettleJob
	seen := map[pay.SettleJob]int{}
	for _, j := range storetest.Jobs[pay.SettleJob](w.T, w.Store) {
		if seen[j]++; j.TenantID == w.Tenant.ID && seen[j] > w.ran[j] {
			out = append(out, j)
		}
	}
	return out
}

// Run does one job, which stays in the queue when it fails.
func (w *World) Run(j pay.SettleJob) error {
	err := w.Pay.SettleEvent(context.Background(), j, false)
	if err == nil {
		w.mu.Lock()
		w.ran[j]++
		w.mu.Unlock()
	}
	return err
}

// RunJobs does every waiting job once; those that fail stay in the queue.
func (w *World) RunJobs() error {
	w.T.Helper()
	var errs []error
	for _, j := range w.Jobs() {
		errs = append(errs, w.Run(j))
	}
	return errors.Join(errs...)
}
