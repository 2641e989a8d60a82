package handlers_test

import (
	"fmt"
	"net/http"
	"testing"
)

func TestAnAddressThatGuessesKeysIsSlowedDown(t *testing.T) {
	t.Parallel()
	k := setup(t)
	limited := 0
	for i := range 300 {
		// A caller who writes another address into a header is still the same caller.
		a := k.sendJSON(`{"License":"guess"}`, "X-Forwarded-For", fmt.Sprintf("198.51.100.%d", i), "X-Real-IP", fmt.Sprintf("198.51.100.%d", i))
		switch a.status {
		case http.StatusTooManyRequests:
			limited++
			a.refused(http.StatusTooManyRequests, "TooManyRequests", "")
			if a.header.Get("Retry-After") == "" {
				t.Fatal("no Retry-After")
			}
		case http.StatusUnauthorized:
		default:
			t.Fatalf("answered %d", a.status)
		}
	}
	if limited == 0 {
		t.Error("three hundred guesses were let through")
	}
	if a := k.send(1, k.request()); a.status != http.StatusOK {
		t.Errorf("a good key was held up: %d", a.status)
	}
}
