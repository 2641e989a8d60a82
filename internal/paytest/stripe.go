package paytest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// API calls the double as the tenant, past the gate, and decodes the answer.
func (w *World) API(method, path string, form url.Values, into any) {
	w.T.Helper()
	req, err := http.NewRequest(method, w.SandboxURL+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.T.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.Tenant.StripeKey.Reveal())
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := w.client.Do(req)
	if err != nil {
		w.T.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		w.T.Fatalf("%s %s answered %d, %v: %s", method, path, res.StatusCode, err, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		w.T.Fatalf("%s %s: %v", method, path, err)
	}
}

// list reads a whole list of the double's, newest first.
func list[T any](w *World, path string, id func(T) string) []T {
	w.T.Helper()
	var all []T
	for after := ""; ; {
		var page struct {
			Data    []T  `json:"data"`
			HasMore bool `json:"has_more"`
		}
		query := "?limit=100"
		if after != "" {
			query += "&starting_after=" + after
		}
		w.API(http.MethodGet, path+query, nil, &page)
		all = append(all, page.Data...)
		if !page.HasMore || len(page.Data) == 0 {
			return all
		}
		after = id(page.Data[len(page.Data)-1])
	}
}

// CountAtStripe says how many objects the tenant's account has, such as
// CountAtStripe("/v1/checkout/sessions").
func (w *World) CountAtStripe(path string) int {
	w.T.Helper()
	type object struct {
		ID string `json:"id"`
	}
	return len(list(w, path, func(o object) string { return o.ID }))
}

// StripeGross is what Stripe's own books hold for the tenant before fees, per
// lower-case currency: payments less refunds, failed refunds given back.
func (w *World) StripeGross() map[string]int64 {
	w.T.Helper()
	type line struct {
		ID       string `json:"id"`
		Amount   int64  `json:"amount"`
		Currency string `json:"currency"`
	}
	gross := map[string]int64{}
	for _, l := range list(w, "/v1/balance_transactions", func(l line) string { return l.ID }) {
		gross[l.Currency] += l.Amount
	}
	return gross
}

// PayDirectly takes money in the tenant's account without the till, as another
// integration does, and returns the intent's id.
func (w *World) PayDirectly(minor string, metadata map[string]string) string {
	w.T.Helper()
	form := url.Values{"amount": {minor}, "currency": {"gbp"}, "payment_method": {"pm_card_visa"}, "confirm": {"true"},
		"payment_method_types[]": {"card"}}
	for k, v := range metadata {
		form.Set("metadata["+k+"]", v)
	}
	var intent struct {
		ID     string `json:"id"`
		Status string `json:"status"`
	}
	w.API(http.MethodPost, "/v1/payment_intents", form, &intent)
	if intent.Status != "succeeded" {
		w.T.Fatalf("the direct payment is %s", intent.Status)
	}
	return intent.ID
}
