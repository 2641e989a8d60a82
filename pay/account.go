package pay

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// accountLife is how long a link to a customer's own page is good (product.md
// section 2, operation 2).
const accountLife = time.Hour

// AccountPage is a customer's own page, as a link leads to it.
type AccountPage struct {
	Tenant    *Tenant
	Customer  *Customer
	ReturnURL string // the portal's SuccessUrl
	ExpiresAt time.Time
}

// AccountURL is the address of a customer's own page: cards and payments, for an
// hour, leading back to the portal. It is signed with the tenant's signing secret
// and holds no personal data.
func (s *Service) AccountURL(t *Tenant, c *Customer, returnURL string) (string, time.Time) {
	expires := s.Now().Add(accountLife).Truncate(time.Second)
	signed := strings.Join([]string{"ac1", t.Slug, c.ID, strconv.FormatInt(expires.Unix(), 10), base64.RawURLEncoding.EncodeToString([]byte(returnURL))}, ".")
	return s.BaseURL + "/account/" + signed + "." + base64.RawURLEncoding.EncodeToString(accountMAC(t, signed)), expires
}

// accountMAC is not what a pass is signed with: neither may stand for the other.
func accountMAC(t *Tenant, signed string) []byte {
	mac := hmac.New(sha256.New, []byte(t.SigningSecret.Reveal()))
	mac.Write([]byte("account page\n" + signed))
	return mac.Sum(nil)
}

// OpenAccount finds the customer of a link's last part. A link that is not ours, or
// not any more, is CodeNotFound; one that is over is CodeInvalidPass, with the
// AccountPage still given so that the page can say where to go.
func (s *Service) OpenAccount(ctx context.Context, link string) (*AccountPage, error) {
	none := Errorf(CodeNotFound, "", "no such page")
	parts := strings.Split(link, ".")
	if len(link) > 4096 || len(parts) != 6 || parts[0] != "ac1" || !slugPattern.MatchString(parts[1]) || !strings.HasPrefix(parts[2], "cus_") {
		return nil, none
	}
	mac, err := base64.RawURLEncoding.Strict().DecodeString(parts[5])
	if err != nil {
		return nil, none
	}
	t, err := s.Store.TenantBySlug(ctx, parts[1])
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(mac, accountMAC(t, strings.Join(parts[:5], "."))) {
		return nil, none
	}
	unix, err := strconv.ParseInt(parts[3], 10, 64)
	if err != nil {
		return nil, none
	}
	back, err := base64.RawURLEncoding.Strict().DecodeString(parts[4])
	if err != nil {
		return nil, none
	}
	a := &AccountPage{Tenant: t, ReturnURL: string(back), ExpiresAt: time.Unix(unix, 0).UTC()}
	// The tenant may have taken the origin off its list since.
	if t.CheckReturnURL("SuccessUrl", a.ReturnURL, CanonicalOrigin(s.BaseURL)) != nil {
		a.ReturnURL = ""
	}
	if !s.Now().Before(a.ExpiresAt) {
		return a, Errorf(CodeInvalidPass, "", "This link is no longer good. Open the page again from the shop.")
	}
	a.Customer, err = s.Store.CustomerByID(ctx, t.ID, parts[2])
	return a, err
}
