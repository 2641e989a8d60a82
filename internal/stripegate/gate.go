package stripegate

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/form"

	"github.com/portatill/portatill/pay"
)

const (
	// defaultTimeout is what a call may take with its retries. A customer waits for it, so it is far below the SDK's 80 s.
	defaultTimeout = 15 * time.Second
	// networkRetries of one call, by the SDK, which waits 0.5 to 1 s between them. They are safe for writes as well,
	// since each carries an idempotency key.
	networkRetries = 2
	// maxKeyLength leaves room, within Stripe's 255 characters, for what is derived from an idempotency key.
	maxKeyLength = 200
)

// Options are what a Gate is made from. The zero value calls Stripe itself.
type Options struct {
	// APIBase is the address of a double of Stripe's API, such as http://127.0.0.1:4242; "" is Stripe's own.
	APIBase string
	// Timeout bounds one call together with its retries; 0 means 15 s.
	Timeout time.Duration
	// HTTPClient supplies the Transport; nil means one of our own with many idle connections.
	HTTPClient *http.Client
	// Log gets one debug line per request, with neither bodies nor queries; nil discards it.
	Log *slog.Logger
	// Version of the till, which Stripe sees in the User-Agent; "" leaves it out.
	Version string
}

// Gate implements pay.Gateway. It is safe for concurrent use by any number of tenants.
type Gate struct {
	backend stripe.Backend
	client  *http.Client
	timeout time.Duration
	double  bool // the address is not Stripe's: no live key goes there
}

var _ pay.Gateway = (*Gate)(nil)

var introduce sync.Once

// New makes a Gate. It makes no call; a bad APIBase shows as pay.FaultUnavailable at the first one.
func New(o Options) *Gate {
	// AppInfo is global to the SDK and not guarded by it, so it is set once (https://stripe.com/docs/building-plugins).
	introduce.Do(func() {
		stripe.SetAppInfo(&stripe.AppInfo{Name: "Portatill", Version: o.Version, URL: "https://github.com/portatill/portatill"})
	})
	var base http.RoundTripper
	if o.HTTPClient != nil {
		base = cmp.Or(o.HTTPClient.Transport, http.DefaultTransport)
	} else {
		base = newTransport()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	client := &http.Client{Transport: &transport{base: base, log: o.Log, agent: clientAgent(o.Version)}}
	config := &stripe.BackendConfig{
		EnableTelemetry:   stripe.Bool(false),
		HTTPClient:        client,
		MaxNetworkRetries: stripe.Int64(networkRetries),
		// The SDK's log lines quote whole bodies, with names and addresses; ours are written by transport.
		LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
	}
	if o.APIBase != "" {
		config.URL = stripe.String(strings.TrimRight(o.APIBase, "/"))
	}
	return &Gate{
		backend: stripe.GetBackendWithConfig(stripe.APIBackend, config),
		client:  client,
		timeout: cmp.Or(max(o.Timeout, 0), defaultTimeout),
		double:  o.APIBase != "" && !stripesOwn(o.APIBase),
	}
}

// Close lets go of idle connections. Calls after it open new ones.
func (g *Gate) Close() { g.client.CloseIdleConnections() }

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:       http.ProxyFromEnvironment,
		DialContext: (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		// All calls go to one host; with Go's default of two idle connections most would begin with a handshake.
		MaxIdleConns:        512,
		MaxIdleConnsPerHost: 256,
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: 5 * time.Second,
		ForceAttemptHTTP2:   true,
	}
}

// stripesOwn reports whether the address is Stripe's API over TLS.
func stripesOwn(base string) bool {
	u, err := url.Parse(base)
	return err == nil && u.Scheme == "https" && u.Host == "api.stripe.com"
}

// conn is one call's way to Stripe: a tenant's key and a deadline.
type conn struct {
	ctx     context.Context
	backend stripe.Backend
	key     string
}

// call runs work with the tenant's key under one deadline and makes a *pay.StripeFault of its error. Without a usable
// key there is no network call at all.
func (g *Gate) call(ctx context.Context, t *pay.Tenant, work func(c conn) error) error {
	key := t.StripeKey.Reveal()
	if f := g.keyFault(t, key); f != nil {
		return f
	}
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	last := &exchange{}
	err := work(conn{ctx: context.WithValue(ctx, exchangeKey{}, last), backend: g.backend, key: key})
	if err != nil {
		return faultFrom(err, last, key)
	}
	return nil
}

// keyPattern is narrower than what a header may carry; the SDK would put anything into it.
var keyPattern = regexp.MustCompile(`^(sk|rk)_(test|live)_[A-Za-z0-9_]+$`)

func (g *Gate) keyFault(t *pay.Tenant, key string) *pay.StripeFault {
	refuse := func(code, message string) *pay.StripeFault {
		return &pay.StripeFault{Kind: pay.FaultCredentials, Code: code, Message: message}
	}
	switch {
	case key == "":
		return refuse("key_missing", "the tenant has no Stripe key; set one with `portatill tenant set --stripe-key`")
	case !keyPattern.MatchString(key):
		return refuse("key_malformed", "the tenant's Stripe key must begin with sk_test_, sk_live_, rk_test_ or rk_live_")
	case g.double && pay.LiveKey(t.StripeKey):
		return refuse("live_key_to_double", "the tenant's Stripe key is a live one, and this installation talks to a double of Stripe; nothing was sent")
	}
	return nil
}

// params are the common ones of a single-object call; key "" is for reads only.
func (c conn) params(key string) stripe.Params {
	p := stripe.Params{Context: c.ctx}
	if key != "" {
		p.IdempotencyKey = stripe.String(key)
	}
	return p
}

func (c conn) listParams() stripe.ListParams {
	return stripe.ListParams{Context: c.ctx, Limit: stripe.Int64(100)}
}

func (c conn) get(path string, params stripe.ParamsContainer, out stripe.LastResponseSetter) error {
	return c.backend.Call(http.MethodGet, path, c.key, params, out)
}

// list is get for collections. The SDK's own iterators are not used: they panic on a null in a list, and its Call does on
// list parameters.
func (c conn) list(path string, params stripe.ListParamsContainer, out stripe.LastResponseSetter) error {
	values := &form.Values{}
	form.AppendTo(values, params)
	return c.backend.CallRaw(http.MethodGet, path, c.key, values, params.GetListParams().ToParams(), out)
}

func (c conn) post(path string, params stripe.ParamsContainer, out stripe.LastResponseSetter) error {
	return c.backend.Call(http.MethodPost, path, c.key, params, out)
}

func (c conn) delete(path string, params stripe.ParamsContainer, out stripe.LastResponseSetter) error {
	return c.backend.Call(http.MethodDelete, path, c.key, params, out)
}

// checkKey refuses a write without a stored idempotency key. The SDK would invent one, and a second call would then be
// a second object.
func checkKey(key string) error {
	if key == "" || len(key) > maxKeyLength || strings.TrimSpace(key) != key {
		return &pay.StripeFault{Kind: pay.FaultRejected, Code: "idempotency_key_invalid",
			Message: "a call that changes something needs an idempotency key of 1 to 200 characters; nothing was sent"}
	}
	return nil
}

var idPattern = regexp.MustCompile(`^[a-z]{2,12}_[A-Za-z0-9_]{1,200}$`)

// checkID keeps text that is no Stripe id out of request paths, where "" would turn one object into a list.
func checkID(id string, prefixes ...string) error {
	if idPattern.MatchString(id) {
		for _, p := range prefixes {
			if strings.HasPrefix(id, p) {
				return nil
			}
		}
	}
	return &pay.StripeFault{Kind: pay.FaultNotFound, Code: "id_malformed",
		Message: "the id must begin with " + strings.Join(prefixes, " or ") + "; nothing was sent"}
}
