package openid

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Skew is how far the provider's clock may be from ours.
const Skew = 2 * time.Minute

// Identity is who the provider says somebody is; it was verified.
type Identity struct {
	Issuer  string
	Subject string // never given to anybody else by this issuer; at most 255 ASCII characters
	// Email is "" when none was told. EmailVerified says that the provider saw the person
	// read mail there; without it the address may be anybody's.
	Email         string
	EmailVerified bool
	AuthTime      time.Time // when the person last showed who they are; zero: not told
}

// claims are those that go-oidc does not read.
type claims struct {
	Email         any         `json:"email"`
	EmailVerified any         `json:"email_verified"`
	AuthTime      json.Number `json:"auth_time"`
	Party         string      `json:"azp"`
}

// text is a claim that must be a text; anything else is none.
func text(claim any) string {
	s, _ := claim.(string)
	return s
}

// yes takes "true" too, as Amazon Cognito writes it.
func yes(claim any) bool { return claim == true || claim == "true" }

// Identify hands in the code that a browser came back with, and returns who the token
// says it is. The error is a *Fault.
func (c *Client) Identify(ctx context.Context, f Flow, code string) (*Identity, error) {
	p, err := c.discover(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, c.http), 2*answerWithin)
	defer cancel()
	token, err := c.oauth2(p).Exchange(ctx, code, oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return nil, exchangeFault(err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok || raw == "" {
		return nil, misset("the token endpoint's answer has no id_token")
	}
	verified, says, err := c.verify(ctx, p, f, raw)
	if err != nil {
		return nil, err
	}
	id := &Identity{Issuer: c.Issuer, Subject: verified.Subject, Email: text(says.Email), EmailVerified: yes(says.EmailVerified)}
	if says.AuthTime != "" {
		at, err := says.AuthTime.Int64()
		if err != nil {
			return nil, unproven("the token's auth_time is no time")
		}
		id.AuthTime = time.Unix(at, 0).UTC()
	}
	if id.Email == "" && p.oidc.UserInfoEndpoint() != "" && c.mayUse(p.oidc.UserInfoEndpoint()) {
		c.askEmail(ctx, p, token, id)
	}
	return id, nil
}

// verify checks the token as Core, section 3.1.3.7, wants it.
func (c *Client) verify(ctx context.Context, p *provider, f Flow, raw string) (*oidc.IDToken, *claims, error) {
	keys := &watchedKeys{KeySet: p.keys}
	now := c.Now()
	verifier := oidc.NewVerifier(c.Issuer, keys, &oidc.Config{ClientID: c.ClientID, SupportedSigningAlgs: p.algs,
		Now: func() time.Time { return now.Add(-Skew) }}) // for the expiry; go-oidc has more patience with nbf
	verified, err := verifier.Verify(ctx, raw)
	if err != nil {
		return nil, nil, tokenFault(keys.err, err)
	}
	var says claims
	if err := verified.Claims(&says); err != nil {
		return nil, nil, unproven("the token's claims cannot be read")
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(verified.Nonce), []byte(f.Nonce)) != 1:
		return nil, nil, unproven("the token has another round's nonce")
	case says.Party != "" && says.Party != c.ClientID, says.Party == "" && len(verified.Audience) > 1:
		return nil, nil, unproven("the token was made for another party")
	case verified.IssuedAt.After(now.Add(Skew)):
		return nil, nil, fault(ClockOff, "the token was issued %s in our future", verified.IssuedAt.Sub(now).Round(time.Second))
	case !subject(verified.Subject):
		return nil, nil, unproven("the token's subject is not one")
	}
	return verified, &says, nil
}

// subject: at most 255 ASCII characters (Core, section 2).
func subject(s string) bool {
	return s != "" && len(s) <= 255 && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// watchedKeys remembers why a signature could not be checked, which go-oidc makes a text of.
type watchedKeys struct {
	oidc.KeySet
	err error
}

// VerifySignature implements oidc.KeySet.
func (k *watchedKeys) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, jwt)
	k.err = err
	return payload, err
}

// tokenFault tells what is wrong with a token, in words of our own: the libraries' may
// quote it.
func tokenFault(keys, err error) error {
	if f := networkFault(keys); f != nil {
		return f
	}
	if errors.Is(keys, context.DeadlineExceeded) || errors.Is(keys, context.Canceled) {
		return unavailable("the provider's keys do not come in time")
	}
	if late, ok := errors.AsType[*oidc.TokenExpiredError](err); ok {
		return fault(ClockOff, "the token was over at %s", late.Expiry.UTC().Format(time.RFC3339))
	}
	for begins, what := range map[string]string{
		"oidc: id token issued by": "the token is another issuer's", "oidc: expected audience": "the token is for another client",
		"oidc: malformed jwt": "the token is not signed as it must be", "oidc: current time": "the token is not good yet",
		"failed to verify signature": "the token's signature is wrong",
	} {
		if strings.HasPrefix(err.Error(), begins) {
			return unproven("%s", what)
		}
	}
	return unproven("the token cannot be verified")
}

// askEmail asks the userinfo endpoint for an address that the token does not have, as is a
// provider's choice (Core, section 5.4). It is for a first sign-in only, so without an
// answer there is none.
func (c *Client) askEmail(ctx context.Context, p *provider, token *oauth2.Token, id *Identity) {
	info, err := p.oidc.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil || info.Subject != id.Subject {
		return
	}
	id.Email, id.EmailVerified = info.Email, info.EmailVerified
}
