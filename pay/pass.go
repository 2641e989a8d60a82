package pay

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxPassLife is how far ahead a pass may expire.
const maxPassLife = 24 * time.Hour

// PassField is one field of the form that a pass is for.
type PassField struct{ Name, Value string }

// Pass is a portal's signed permission for a browser to post one request
// (product.md section 5). It is not yet believed; Check decides that.
type Pass struct {
	Slug    string
	Expires time.Time
	Nonce   string
	signed  string // pt1.<slug>.<expiry>.<nonce>
	mac     []byte
}

var passPattern = regexp.MustCompile(`^(pt1\.([a-z0-9-]{2,40})\.([0-9]{1,12})\.([A-Za-z0-9_-]{16,128}))\.([A-Za-z0-9_-]{43})$`)

// ParsePass reads the text of a pass. CodeInvalidPass says only that it is not
// one.
func ParsePass(token string) (*Pass, error) {
	m := passPattern.FindStringSubmatch(token)
	if m == nil {
		return nil, badPass("The payment link is not complete.")
	}
	unix, err := strconv.ParseInt(m[3], 10, 64)
	if err != nil {
		return nil, badPass("The payment link is not complete.")
	}
	mac, err := base64.RawURLEncoding.Strict().DecodeString(m[5])
	if err != nil {
		return nil, badPass("The payment link is not complete.")
	}
	return &Pass{Slug: m[2], Expires: time.Unix(unix, 0), Nonce: m[4], signed: m[1], mac: mac}, nil
}

func badPass(message string) error {
	return &Error{Code: CodeInvalidPass, Field: "apiSingleUseToken",
		Message: message}
}

// Check verifies the pass over the form's other fields with the tenant's signing
// secret. expired is true for one that is genuine but no longer good: it may lead to
// the order that it made, but make none.
func (p *Pass) Check(t *Tenant, fields []PassField, now time.Time) (expired bool, err error) {
	message, err := passMessage(p.signed, fields)
	if err != nil {
		return false, err
	}
	if !hmac.Equal(p.mac, passMAC(t.SigningSecret, message)) {
		return false, badPass("The payment details do not fit their signature: they were changed on the way.")
	}
	if p.Expires.After(now.Add(maxPassLife)) {
		return false, badPass("The payment link says that it is good for more than 24 hours.")
	}
	return !now.Before(p.Expires), nil
}

// IdempotencyKey is the key of the one order that the pass can make: the unique
// rule on it is what claims the pass.
func (p *Pass) IdempotencyKey() string { return "pt1:" + p.Nonce }

// SignPass makes a pass, as a portal does; nonce has at least 16 base64url
// characters and is used once.
func SignPass(slug string, secret Secret, expires time.Time, nonce string, fields []PassField) (string, error) {
	signed := "pt1." + slug + "." + strconv.FormatInt(expires.Unix(), 10) + "." + nonce
	message, err := passMessage(signed, fields)
	if err != nil {
		return "", err
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(passMAC(secret, message)), nil
}

func passMAC(secret Secret, message string) []byte {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte(message))
	return mac.Sum(nil)
}

// passMessage is what is signed: the pass's own parts, a newline, and the fields
// sorted by name, each name=value percent-encoded (RFC 3986, upper-case hex),
// joined by &.
func passMessage(signed string, fields []PassField) (string, error) {
	sorted := slices.Clone(fields)
	slices.SortFunc(sorted, func(a, b PassField) int { return cmp.Compare(a.Name, b.Name) })
	var b strings.Builder
	b.WriteString(signed)
	b.WriteByte('\n')
	for i, f := range sorted {
		if i > 0 {
			if sorted[i-1].Name == f.Name {
				return "", badPass("The form has a field twice.")
			}
			b.WriteByte('&')
		}
		percentEncode(&b, f.Name)
		b.WriteByte('=')
		percentEncode(&b, f.Value)
	}
	return b.String(), nil
}

// percentEncode writes all but RFC 3986's unreserved characters as %XX.
func percentEncode(b *strings.Builder, s string) {
	const hex = "0123456789ABCDEF"
	for i := 0; i < len(s); i++ {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~' {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
}
