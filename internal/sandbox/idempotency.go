package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Rules of https://stripe.com/docs/api/idempotent_requests: the first answer of a key is kept for 24 hours, whether it
// was a success or a failure, also a 500; the same key with other parameters is refused; answers to requests that
// failed validation, or met another that was being worked on, are not kept.
const (
	idempotencySeconds   = 24 * 60 * 60
	longestIdempotentKey = 255
)

type idemEntry struct {
	Path      string `json:"path"`
	Hash      string `json:"hash"`
	Status    int    `json:"status"` // 0 while the first request is being worked on
	Body      []byte `json:"body"`
	RequestID string `json:"request"`
	Created   int64  `json:"created"`
}

func (e *idemEntry) done() bool               { return e.Status != 0 }
func (e *idemEntry) outdated(now int64) bool  { return e.Created+idempotencySeconds <= now }
func (e *idemEntry) fits(path, h string) bool { return e.Path == path && e.Hash == h }

// hashForm is the same for the same parameters in any order.
func hashForm(body string) string {
	pairs := strings.Split(body, "&")
	slices.Sort(pairs)
	sum := sha256.Sum256([]byte(strings.Join(pairs, "&")))
	return hex.EncodeToString(sum[:16])
}

// claimKey reserves the key for this request, or returns the kept answer, or says why there is none.
func (a *account) claimKey(key, path, hash string, now int64) (*idemEntry, *apiError) {
	if len(key) > longestIdempotentKey {
		return nil, invalid("", "", "Idempotency keys can have at most %d characters; this one has %d.", longestIdempotentKey, len(key))
	}
	entry := a.idem[key]
	if entry == nil || entry.done() && entry.outdated(now) {
		if len(a.idem) >= a.sweep {
			maps.DeleteFunc(a.idem, func(_ string, e *idemEntry) bool { return e.done() && e.outdated(now) })
			a.sweep = 2*len(a.idem) + 1000
		}
		a.idem[key] = &idemEntry{Path: path, Hash: hash, Created: now}
		return nil, nil
	}
	refuse := func(status int, code, message string) *apiError {
		return &apiError{status: status, kind: "idempotency_error", code: code, message: message}
	}
	switch {
	case entry.Path != path:
		return nil, refuse(http.StatusBadRequest, "", "Keys for idempotent requests can only be used for the same endpoint they were first used for ('"+entry.Path+"' vs '"+path+"'). Try using a key other than '"+cut(key)+"' if you meant to execute a different request.")
	case !entry.fits(path, hash):
		return nil, refuse(http.StatusBadRequest, "", "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '"+cut(key)+"' if you meant to execute a different request.")
	case !entry.done():
		return nil, refuse(http.StatusConflict, "idempotency_key_in_use", "There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): "+cut(key)+". Please try again later.")
	}
	return entry, nil
}
