package pay

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// returnParams are what SuccessLink adds; a portal's own parameters of these
// names are replaced, so that there is one of each.
var returnParams = []string{"order", "status", "amount", "currency", "ts", "sig"}

// SuccessLink is the order's SuccessUrl with order, status, amount, currency, ts
// and sig added to its own query. sig is base64url without padding of
// HMAC-SHA256, with the tenant's signing secret, over exactly
// "order=…&status=…&amount=…&currency=…&ts=…", values percent-encoded as in the
// address. ts is Unix seconds; status is paid or processing.
func SuccessLink(t *Tenant, o *Order, at time.Time) string {
	message := "order=" + url.QueryEscape(o.ID) + "&status=" + url.QueryEscape(string(o.State)) +
		"&amount=" + url.QueryEscape(o.Cart.Total().Text()) + "&currency=" + url.QueryEscape(string(o.Cart.Currency)) +
		"&ts=" + strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(t.SigningSecret.Reveal()))
	mac.Write([]byte(message))
	signed := message + "&sig=" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))

	address, fragment, _ := strings.Cut(o.SuccessURL, "#")
	base, query, _ := strings.Cut(address, "?")
	var keep []string
	for part := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(part, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain // whoever reads the address sees s%69g as sig
		}
		if part != "" && !slices.Contains(returnParams, name) {
			keep = append(keep, part)
		}
	}
	link := base + "?" + strings.Join(append(keep, signed), "&")
	if fragment != "" {
		link += "#" + fragment
	}
	return link
}
