package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"regexp"
	"strings"
)

var testKey = regexp.MustCompile(`^(sk|rk)_test_[A-Za-z0-9_]+$`)

const shortestKey = 16

// accountOf finds whose request it is. Any well-formed secret test key is an account of its own, made on first use;
// the key itself is not kept, only an account id that is derived from it.
func (s *Server) accountOf(r *http.Request) (string, *apiError) {
	key, _, basic := r.BasicAuth()
	if !basic {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			token = ""
		}
		key = strings.TrimSpace(token)
	}
	if refusal := keyRefusal(key); refusal != nil {
		return "", refusal
	}
	id := AccountID(key)
	if asked := r.Header.Get("Stripe-Account"); asked != "" && asked != id {
		return "", &apiError{status: http.StatusForbidden, kind: "invalid_request_error", code: "account_invalid",
			message: "The provided key '" + redact(key) + "' does not have access to account '" + cut(asked) + "' (or that account does not exist). Application access may have been revoked."}
	}
	return id, nil
}

// AccountID is the id of the account that a secret test key opens: always the same for the same key.
func AccountID(key string) string {
	sum := sha256.Sum256([]byte("sandbox account " + key))
	return "acct_1" + hex.EncodeToString(sum[:])[:15]
}

func keyRefusal(key string) *apiError {
	refuse := func(code, message string) *apiError {
		return &apiError{status: http.StatusUnauthorized, kind: "invalid_request_error", code: code, message: message}
	}
	switch {
	case key == "":
		return refuse("", "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details.")
	case strings.HasPrefix(key, "sk_live_"), strings.HasPrefix(key, "rk_live_"), strings.HasPrefix(key, "pk_live_"):
		return refuse("", "This is a sandbox, it takes no live key. Use a key that begins with sk_test_ here, and roll the live key if this address is not yours.")
	case strings.HasPrefix(key, "pk_"):
		return refuse("secret_key_required", "This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list of your API keys at https://dashboard.stripe.com/account/apikeys.")
	case !testKey.MatchString(key) || len(key) < shortestKey:
		return refuse("", "Invalid API Key provided: "+redact(key))
	}
	return nil
}

// redact shows of a key what Stripe shows: its kind and its last four characters.
func redact(key string) string {
	if len(key) < shortestKey {
		return strings.Repeat("*", len(key))
	}
	head := 0
	if testKey.MatchString(key) {
		head = len("sk_test_")
	}
	return key[:head] + strings.Repeat("*", len(key)-head-4) + key[len(key)-4:]
}
