// Package openid is the till's side of signing in with an OpenID provider: OpenID
// Connect Core 1.0, section 3.1, the authorization code with PKCE (RFC 7636). It finds
// the provider's addresses, makes the one that a browser is sent to, and turns what the
// browser brings back into an Identity that was verified.
//
// It must not know who of the staff that is or whether they may come in (internal/staff),
// nor what a session or a page is (handlers). No error of it holds a code, a token, or
// what the provider says about a person, so that every one of them may be logged.
package openid

import (
	"context"
	"crypto/cipher"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/portatill/portatill/pay"
)

// How long the provider may take for one answer, how long what it says of itself is
// believed, and how long it is left alone after it failed.
const (
	answerWithin = 10 * time.Second
	keepFor      = time.Hour
	restFor      = 5 * time.Second
)

// Options wires a Client.
type Options struct {
	// Issuer is the provider as it calls itself, to the letter.
	Issuer       string
	ClientID     string
	ClientSecret pay.Secret
	// RedirectURL is where the provider sends browsers back to; it is registered there.
	RedirectURL string
	// SecretKey is the installation's; what a browser keeps of a Flow is sealed with a key
	// that is derived from it, so that every instance can open it.
	SecretKey pay.Secret
	Now       func() time.Time
}

// Client speaks to one provider. Its methods are safe for concurrent use. It asks the
// provider nothing before somebody signs in: a till starts also when the provider is away.
type Client struct {
	Options
	http *http.Client
	aead cipher.AEAD

	mu       sync.Mutex
	asking   chan struct{} // closed when the question that is out is answered; nil: none is
	found    *provider
	foundAt  time.Time
	fault    error // of the last try, if it failed
	failedAt time.Time
	taken    map[string]time.Time // flows that came back, by their state
}

// New returns a client.
func New(o Options) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = 64 << 10
	return &Client{Options: o, aead: newAEAD(o.SecretKey), taken: map[string]time.Time{},
		http: &http.Client{Timeout: answerWithin, Transport: guarded{transport},
			// None of these addresses has a reason to lead elsewhere, and a secret must not follow.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// provider is what discovery found.
type provider struct {
	oidc     *oidc.Provider
	keys     oidc.KeySet
	algs     []string
	endpoint oauth2.Endpoint
}

// signing are the signatures that are taken: those with a public key, so that neither
// "none" nor one made with something public passes, whatever the provider says it supports.
var signing = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}

// discover returns the provider's addresses and keys: those found within the hour, or
// asked for now. One that was found once and is away now is used as it was.
func (c *Client) discover(ctx context.Context) (*provider, error) {
	now := c.Now()
	c.mu.Lock()
	found, fresh := c.found, c.found != nil && now.Sub(c.foundAt) < keepFor
	fault := c.fault
	if now.Sub(c.failedAt) >= restFor {
		fault = nil
	}
	c.mu.Unlock()
	switch {
	case fresh || found != nil && fault != nil:
		return found, nil
	case fault != nil:
		return nil, fault
	}
	select {
	case <-ctx.Done():
		return nil, unavailable("whoever asked went away before the provider answered")
	case <-c.discoverOnce(ctx):
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.found != nil {
		return c.found, nil
	}
	return nil, c.fault
}

// discoverOnce asks on behalf of everybody who waits meanwhile; the question goes on when
// one of them leaves.
func (c *Client) discoverOnce(ctx context.Context) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asking == nil {
		done := make(chan struct{})
		c.asking = done
		go func() {
			_ = c.Discover(context.WithoutCancel(ctx)) // kept as c.fault
			c.mu.Lock()
			defer c.mu.Unlock()
			c.asking = nil
			close(done)
		}()
	}
	return c.asking
}

// Discover asks the provider for its addresses now and keeps them. Its error is a *Fault.
func (c *Client) Discover(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	p, err := c.ask(ctx)
	now := c.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fault = err; err != nil {
		c.failedAt = now
		return err
	}
	// A key set that is there already has its keys, and asks for new ones by itself.
	if c.found != nil && c.found.endpoint == p.endpoint {
		p.keys = c.found.keys
	}
	c.found, c.foundAt = p, now
	return nil
}

// ask makes the request of OpenID Connect Discovery 1.0, section 4.
func (c *Client) ask(ctx context.Context) (*provider, error) {
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, c.http), c.Issuer)
	if err != nil {
		return nil, discoveryFault(err)
	}
	var says struct {
		KeysURL string   `json:"jwks_uri"`
		Algs    []string `json:"id_token_signing_alg_values_supported"`
		Auth    []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := found.Claims(&says); err != nil {
		return nil, misset("what the provider says of itself cannot be read")
	}
	p := &provider{oidc: found, endpoint: found.Endpoint()}
	for name, address := range map[string]string{"authorization_endpoint": p.endpoint.AuthURL, "token_endpoint": p.endpoint.TokenURL, "jwks_uri": says.KeysURL} {
		if !c.mayUse(address) {
			return nil, misset("the provider's %s is no https address", name)
		}
	}
	for _, a := range says.Algs {
		if slices.Contains(signing, a) {
			p.algs = append(p.algs, a)
		}
	}
	if len(p.algs) == 0 {
		p.algs = []string{oidc.RS256} // which every provider has (Core, section 15.1)
	}
	// The default is client_secret_basic (Discovery, section 3). Not left to be found out: a
	// wrong guess would use up the code.
	p.endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if len(says.Auth) > 0 && !slices.Contains(says.Auth, "client_secret_basic") {
		p.endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	p.keys = oidc.NewRemoteKeySet(oidc.ClientContext(context.WithoutCancel(ctx), c.http), says.KeysURL)
	return p, nil
}

// mayUse allows http only where the issuer itself has it, which is on this machine.
func (c *Client) mayUse(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && strings.HasPrefix(c.Issuer, "http://"))
}

// oauth2 is the provider as x/oauth2 wants it.
func (c *Client) oauth2(p *provider) *oauth2.Config {
	return &oauth2.Config{ClientID: c.ClientID, ClientSecret: c.ClientSecret.Reveal(), Endpoint: p.endpoint, RedirectURL: c.RedirectURL,
		Scopes: []string{oidc.ScopeOpenID, oidc.ScopeEmail}}
}
