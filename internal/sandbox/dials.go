package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Dials make the sandbox as unpleasant as the real world.
type Dials struct {
	Duplicate    float64 `json:"duplicate"`      // share of events that are delivered twice, 0..1
	Drop         float64 `json:"drop"`           // share of deliveries that are lost for good
	Reorder      float64 `json:"reorder"`        // share of deliveries that later ones may overtake
	DelayMs      int64   `json:"delay_ms"`       // every delivery waits this long
	APIErrorRate float64 `json:"api_error_rate"` // share of API requests that fail, before or after their effect
	APIDelayMs   int64   `json:"api_delay_ms"`   // every API request takes this much longer
	DebitSettleS float64 `json:"debit_settle_s"` // seconds until a bank debit is settled
	// SettlementCurrency is what payments are converted to from now on, lower-case; "" leaves each in its own.
	SettlementCurrency string `json:"settlement_currency"`
}

func defaultDials() Dials { return Dials{DebitSettleS: 60} }

const (
	longestDelayMs  = 10 * 60 * 1000
	longestDebitS   = 30 * daySeconds
	biggestDialText = 64 << 10
)

var dialNames = []string{"duplicate", "drop", "reorder", "delay_ms", "api_error_rate", "api_delay_ms", "debit_settle_s", "settlement_currency"}

type dialFault struct{ Field, Message string }

// with returns the dials with the given ones changed; unknown names and values out of range change nothing.
func (d Dials) with(changes map[string]json.RawMessage) (Dials, *dialFault) {
	share := func(target *float64) func(v float64) bool {
		return func(v float64) bool { *target = v; return v >= 0 && v <= 1 }
	}
	delay := func(target *int64) func(v float64) bool {
		return func(v float64) bool {
			*target = int64(v)
			return v >= 0 && v <= longestDelayMs && v == math.Trunc(v)
		}
	}
	number := func(set func(v float64) bool) func(raw json.RawMessage) bool {
		return func(raw json.RawMessage) bool {
			var v *float64
			return json.Unmarshal(raw, &v) == nil && v != nil && set(*v)
		}
	}
	currency := func(raw json.RawMessage) bool {
		var v *string
		if json.Unmarshal(raw, &v) != nil || v == nil || *v != "" && !slices.Contains(currencies, *v) {
			return false
		}
		d.SettlementCurrency = *v
		return true
	}
	setters := map[string]struct {
		set  func(raw json.RawMessage) bool
		rule string
	}{
		"duplicate": {number(share(&d.Duplicate)), "a number from 0 to 1"}, "drop": {number(share(&d.Drop)), "a number from 0 to 1"},
		"reorder": {number(share(&d.Reorder)), "a number from 0 to 1"}, "api_error_rate": {number(share(&d.APIErrorRate)), "a number from 0 to 1"},
		"delay_ms":            {number(delay(&d.DelayMs)), "a whole number of milliseconds from 0 to 600000"},
		"api_delay_ms":        {number(delay(&d.APIDelayMs)), "a whole number of milliseconds from 0 to 600000"},
		"debit_settle_s":      {number(func(v float64) bool { d.DebitSettleS = v; return v >= 0 && v <= longestDebitS }), "a number of seconds from 0 to 2592000"},
		"settlement_currency": {currency, `a currency's lower-case code such as "eur", or "" to settle each currency as itself`},
	}
	for name, raw := range changes {
		setter, known := setters[name]
		if !known {
			return d, &dialFault{name, "there is no dial of this name; the dials are " + strings.Join(dialNames, ", ")}
		}
		if !setter.set(raw) {
			return d, &dialFault{name, "must be " + setter.rule + ", not " + cut(string(raw))}
		}
	}
	return d, nil
}

func (s *Server) showDials(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	d := s.dials
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, d)
}

func (s *Server) setDials(w http.ResponseWriter, r *http.Request) {
	changes := map[string]json.RawMessage{}
	fromPage, err := readBody(r, &changes, func() {
		for _, name := range dialNames {
			v := r.PostFormValue(name)
			switch {
			case name == "settlement_currency" && r.PostForm.Has(name):
				changes[name] = encode(strings.TrimSpace(v))
			case v != "":
				if _, err := strconv.ParseFloat(v, 64); err != nil {
					v = strconv.Quote(v)
				}
				changes[name] = json.RawMessage(v)
			}
		}
	})
	if err != nil {
		writeFault(w, http.StatusBadRequest, "", "The body must be a JSON object such as {\"drop\": 0.5}.")
		return
	}
	var result Dials
	var fault *dialFault
	err = s.do(func() {
		if result, fault = s.dials.with(changes); fault == nil {
			s.dials = result
			for _, a := range s.accountOrder {
				if a.settlesIn() != result.SettlementCurrency {
					s.settle(a, result.SettlementCurrency)
				}
			}
			s.pendingLines = append(s.pendingLines, journalLine{Kind: "dials", Value: encode(result)})
		}
	})
	switch {
	case err != nil:
		writeFault(w, http.StatusInternalServerError, "", "The sandbox cannot write its state file; see its log.")
	case fault != nil:
		writeFault(w, http.StatusBadRequest, fault.Field, fmt.Sprintf("%s: %s", fault.Field, fault.Message))
	case fromPage:
		http.Redirect(w, r, "/_sandbox", http.StatusSeeOther)
	default:
		writeJSON(w, http.StatusOK, result)
	}
}

// readBody reads JSON into v, or, when the body is a form, lets form read it. What it is shows in its first character
// rather than in Content-Type, because curl -d calls everything a form.
func readBody(r *http.Request, v any, form func()) (fromPage bool, err error) {
	text, err := io.ReadAll(io.LimitReader(r.Body, biggestDialText))
	if err != nil {
		return false, err
	}
	if text = bytes.TrimSpace(text); len(text) > 0 && text[0] != '{' && text[0] != '[' && r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
		r.Body = io.NopCloser(bytes.NewReader(text))
		form()
		return true, nil
	}
	if len(text) == 0 {
		return r.Header.Get("Content-Type") == "application/x-www-form-urlencoded", nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return false, decoder.Decode(v)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(encode(v), '\n'))
}

func writeFault(w http.ResponseWriter, status int, field, message string) {
	fault := object{"message": message}
	if field != "" {
		fault["field"] = field
	}
	writeJSON(w, status, object{"error": fault})
}

// mishap is how a request fails on purpose.
type mishap int

const (
	noMishap   mishap = iota
	failBefore        // 500 and nothing was done
	failAfter         // 500 although it was done; a POST's key keeps answering 500
	resetAfter        // it was done, and the connection breaks before the answer; the key keeps the real one for a retry without a mishap
)

func (s *Server) rollMishap(safe bool) mishap {
	s.mu.Lock()
	rate := s.dials.APIErrorRate
	s.mu.Unlock()
	if rate == 0 || rand.Float64() >= rate {
		return noMishap
	}
	kinds := []mishap{failBefore, failAfter, resetAfter}
	if safe {
		kinds = []mishap{failBefore, resetAfter}
	}
	return kinds[rand.IntN(len(kinds))]
}

// spoil does to an answer that changes nothing (a refusal, the kept answer of a key) what the mishap does. Asking again
// is always right then, and rolls again: otherwise the retry after a reset would get through whatever the rate.
func (m mishap) spoil(a answer, requestID string) answer {
	switch m {
	case noMishap:
		return a
	case resetAfter:
		return answer{reset: true}
	}
	a = failure(injected(), requestID)
	a.retry = "true"
	return a
}

func injected() *apiError {
	return &apiError{status: http.StatusInternalServerError, kind: "api_error", message: "An unknown error occurred. (The sandbox's api_error_rate dial did this.)"}
}

func (s *Server) apiDelay(ctx context.Context) {
	s.mu.Lock()
	d := time.Duration(s.dials.APIDelayMs) * time.Millisecond
	s.mu.Unlock()
	if d == 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
