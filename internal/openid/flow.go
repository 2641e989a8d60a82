package openid

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/portatill/portatill/pay"
)

// FlowFor is how long a person may take at the provider.
const FlowFor = 10 * time.Minute

// Purpose is what a round is for.
type Purpose string

// The purposes.
const (
	SignIn Purpose = "sign_in"
	// Again shows that whoever is signed in is still there; the provider is told to ask.
	Again Purpose = "again"
	// Link notes for a signed-in person who they are at the provider.
	Link Purpose = "link"
)

// Flow is one round to the provider and back. The browser that began it keeps it, sealed:
// nothing is stored for strangers who only begin.
type Flow struct {
	Purpose  Purpose   `json:"p"`
	Next     string    `json:"n"`           // where it leads in the end
	Session  string    `json:"s,omitempty"` // the session that the browser had, by its hash
	BegunAt  time.Time `json:"t"`
	State    string    `json:"a"` // ties the way back to this browser
	Nonce    string    `json:"b"` // ties the token to this round
	Verifier string    `json:"c"` // ties the code to it (RFC 7636)
}

// Begin makes a new round.
func (c *Client) Begin(p Purpose, next, session string) Flow {
	return Flow{Purpose: p, Next: next, Session: session, BegunAt: c.Now(), State: pay.NewSecret("").Reveal(), Nonce: pay.NewSecret("").Reveal(), Verifier: oauth2.GenerateVerifier()}
}

// Address is where the browser goes. another asks the provider to let the person choose
// between accounts. The error is a *Fault.
func (c *Client) Address(ctx context.Context, f Flow, another bool) (string, error) {
	p, err := c.discover(ctx)
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(f.Verifier), oidc.Nonce(f.Nonce)}
	switch {
	case f.Purpose == Again:
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	case another:
		options = append(options, oauth2.SetAuthURLParam("prompt", "select_account"))
	}
	return c.oauth2(p).AuthCodeURL(f.State, options...), nil
}

// sealedFor keeps what is sealed here from being taken for something else.
const sealedFor = "portatill openid flow"

// newAEAD is AES-256-GCM with a key of its own.
func newAEAD(secret pay.Secret) cipher.AEAD {
	key, err := hkdf.Key(sha256.New, []byte(secret.Reveal()), nil, sealedFor, 32)
	if err != nil {
		panic("openid: " + err.Error()) // 32 bytes can always be derived
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("openid: " + err.Error())
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("openid: " + err.Error())
	}
	return aead
}

// Seal writes a flow as the browser keeps it: it can neither be read nor changed there.
func (c *Client) Seal(f Flow) (string, error) {
	plain, err := json.Marshal(f)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(c.aead.Seal(nil, nil, plain, []byte(sealedFor))), nil
}

// What is wrong with a flow that came back.
var (
	ErrForeign = errors.New("the way back does not belong to a round that this browser began")
	ErrOver    = errors.New("the round took too long, or came back before")
)

// Return opens the flow that a browser kept and takes it, once: ErrForeign when state is
// not its own, ErrOver when it was taken before or is older than FlowFor. That it was
// taken is remembered by this process only; everywhere else, the provider takes a code but
// once (RFC 6749, section 4.1.2), and the browser has forgotten the flow.
func (c *Client) Return(sealed, state string) (Flow, error) {
	var f Flow
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || sealed == "" {
		return f, ErrForeign
	}
	plain, err := c.aead.Open(nil, nil, raw, []byte(sealedFor))
	if err != nil || json.Unmarshal(plain, &f) != nil || f.State == "" || subtle.ConstantTimeCompare([]byte(f.State), []byte(state)) != 1 {
		return Flow{}, ErrForeign
	}
	now := c.Now()
	if now.Sub(f.BegunAt) >= FlowFor {
		return f, ErrOver
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for s, at := range c.taken {
		if now.Sub(at) >= FlowFor {
			delete(c.taken, s)
		}
	}
	if _, twice := c.taken[f.State]; twice {
		return f, ErrOver
	}
	c.taken[f.State] = now
	return f, nil
}
