package pay

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Authenticate finds the tenant of a licence key. Every key that is not good gets
// the same CodeInvalidLicense; a good key of a suspended tenant CodeTenantSuspended.
func (s *Service) Authenticate(ctx context.Context, key string) (*Tenant, error) {
	if key == "" || len(key) > 200 {
		return nil, Errorf(CodeInvalidLicense, "License", "The licence key is missing or not valid")
	}
	t, err := s.Store.TenantByLicense(ctx, HashLicense(key))
	if IsNotFound(err) {
		return nil, Errorf(CodeInvalidLicense, "License", "The licence key is missing or not valid")
	}
	if err != nil {
		return nil, fmt.Errorf("authenticate: %w", err)
	}
	if t.State == TenantSuspended {
		return nil, Errorf(CodeTenantSuspended, "", "This tenant is suspended and takes no new payments")
	}
	return t, nil
}

// StartPayment is the pay button: it returns the page of Stripe's where the
// customer pays, or our own return page when there is nothing (more) to pay. It
// may be pressed any number of times, in any number of tabs: an order has one
// open session at a time, and one that may have been paid already is settled
// before the customer is sent there again.
func (s *Service) StartPayment(ctx context.Context, token string) (string, error) {
	for try := 0; ; try++ {
		to, err := s.startPayment(ctx, token)
		if CodeOf(err) == CodeConflict && try < 4 {
			continue
		}
		return to, err
	}
}

func (s *Service) startPayment(ctx context.Context, token string) (string, error) {
	o, err := s.Store.OrderByPayToken(ctx, token)
	if err != nil {
		return "", err
	}
	t, err := s.Store.TenantByID(ctx, o.TenantID)
	if err != nil {
		return "", err
	}
	c, err := s.loadCheckout(ctx, s.Store, o)
	if err != nil {
		return "", err
	}
	if a := c.Attempt; o.State == OrderOpen && a != nil && a.State == AttemptOpen && (!a.StartedAt.IsZero() || !a.ExpiresAt.After(s.Now())) {
		if _, err := s.Settle(ctx, t.ID, a.SessionID, Cause{CauseBrowser, o.ID}); err != nil {
			return "", stripeError("start payment", err)
		}
		if c, err = s.reload(ctx, t.ID, o.ID); err != nil {
			return "", err
		}
	}
	if o = c.Order; o.State != OrderOpen && o.State != OrderDraft && o.State != OrderExpired {
		return s.PayURL(o, "/return"), nil
	}
	if t.State == TenantSuspended {
		return "", Errorf(CodeTenantSuspended, "", "%s takes no payments at the moment", t.Branding.DisplayName)
	}
	if err := s.ready(ctx, t); err != nil {
		return "", err
	}
	if c.Attempt == nil || c.Attempt.State.Final() {
		if c.Attempt, err = s.addAttempt(ctx, t, c); err != nil {
			return "", err
		}
	}
	if err := s.openSession(ctx, t, c); err != nil {
		return "", err
	}
	if c.Attempt.State != AttemptOpen {
		return s.PayURL(o, "/return"), nil
	}
	return c.Attempt.URL, s.noteStart(ctx, c)
}

func (s *Service) reload(ctx context.Context, tenantID, orderID string) (*Checkout, error) {
	o, err := s.Store.OrderByID(ctx, tenantID, orderID)
	if err != nil {
		return nil, err
	}
	return s.loadCheckout(ctx, s.Store, o)
}

// addAttempt stores the next attempt of an order whose earlier ones are over.
func (s *Service) addAttempt(ctx context.Context, t *Tenant, c *Checkout) (*Attempt, error) {
	number := 1
	if c.Attempt != nil {
		number = c.Attempt.Number + 1
	}
	a := newAttempt(t, c.Order, number, s.Now())
	return a, s.Store.InTx(ctx, func(tx Tx) error { return tx.InsertAttempt(ctx, a) })
}

func (s *Service) noteStart(ctx context.Context, c *Checkout) error {
	if !c.Attempt.StartedAt.IsZero() {
		return nil
	}
	return s.Store.InTx(ctx, func(tx Tx) error {
		now := s.Now()
		if err := tx.StartAttempt(ctx, c.Order.TenantID, c.Attempt.ID, now); err != nil {
			return err
		}
		return tell(ctx, tx, c.Order, now, "sent_to_stripe", Cause{CauseBrowser, c.Attempt.ID}, c.Attempt.SessionID)
	})
}

// NoteReturn adds to the order's story that the customer came back, paid or not.
func (s *Service) NoteReturn(ctx context.Context, o *Order, what string) error {
	return s.Store.InTx(ctx, func(tx Tx) error {
		return tell(ctx, tx, o, s.Now(), what, Cause{CauseBrowser, o.ID}, "")
	})
}

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
