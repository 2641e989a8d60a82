package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// page is an answer to a browser, a portal or another integration.
type page struct {
	status   int
	location string // absolute; "" when it leads nowhere
	body     []byte
}

// send makes one request and reads the answer whole.
func (w *world) send(ctx context.Context, method, address, contentType string, header map[string]string, body []byte) (*page, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	answer, err := w.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	p := &page{status: answer.StatusCode}
	if p.body, err = io.ReadAll(answer.Body); err != nil {
		return nil, err
	}
	if to := answer.Header.Get("Location"); to != "" {
		u, err := r.URL.Parse(to)
		if err != nil {
			return nil, err
		}
		p.location = u.String()
	}
	return p, nil
}

// get opens an address in a browser.
func (w *world) get(ctx context.Context, address string) (*page, error) {
	return w.send(ctx, http.MethodGet, address, "", nil, nil)
}

// submit posts a form.
func (w *world) submit(ctx context.Context, address string, fields map[string]string) (*page, error) {
	form := url.Values{}
	for name, value := range fields {
		form.Set(name, value)
	}
	return w.send(ctx, http.MethodPost, address, "application/x-www-form-urlencoded", nil, []byte(form.Encode()))
}

// api calls Stripe as an integration that is not the till.
func (w *world) api(ctx context.Context, s *shop, method, path string, fields map[string]string, into any) error {
	form := url.Values{}
	for name, value := range fields {
		form.Set(name, value)
	}
	address, body := w.StripeURL+path, []byte(nil)
	if method == http.MethodPost {
		body = []byte(form.Encode())
	} else if len(form) > 0 {
		address += "?" + form.Encode()
	}
	p, err := w.send(ctx, method, address, "application/x-www-form-urlencoded", map[string]string{"Authorization": "Bearer " + s.tenant.StripeKey.Reveal()}, body)
	if err != nil {
		return err
	}
	if p.status != http.StatusOK {
		return fmt.Errorf("%s %s answered %d: %s", method, path, p.status, brief(p.body))
	}
	return json.Unmarshal(p.body, into)
}

// dashboard does what a person does in Stripe's dashboard, or a bank, and returns the id of what came of it.
func (w *world) dashboard(ctx context.Context, action string, fields map[string]any) (string, error) {
	body, err := json.Marshal(fields)
	if err != nil {
		return "", err
	}
	p, err := w.send(ctx, http.MethodPost, w.StripeURL+"/_sandbox/actions/"+action, "application/json", nil, body)
	if err != nil {
		return "", err
	}
	if p.status != http.StatusOK {
		return "", fmt.Errorf("%s %v answered %d: %s", action, fields, p.status, brief(p.body))
	}
	var made struct{ ID string }
	err = json.Unmarshal(p.body, &made)
	return made.ID, err
}

// brief is the beginning of an answer, for an error's text.
func brief(body []byte) string {
	text := strings.Join(strings.Fields(string(body)), " ")
	if len(text) > 300 {
		text = text[:300] + " …"
	}
	return text
}
