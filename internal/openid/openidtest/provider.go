// Package openidtest is an OpenID provider for tests, as an HTTP handler: discovery, keys
// that can be changed, an authorization endpoint at which whoever is set signs in at once,
// and a token endpoint that checks the code, the client and its PKCE verifier. Its dials
// make it lie, one lie at a time; each is something that a relying party must notice.
//
// It shares no code with internal/openid, so that a mistake there is not made here too.
package openidtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// What the provider calls the till.
const (
	ClientID     = "till"
	ClientSecret = "client-secret-that-is-a-canary"
)

// Lie is what the provider does wrong.
type Lie string

// The lies.
const (
	None          Lie = ""
	WrongNonce    Lie = "nonce"
	NoNonce       Lie = "no nonce"
	WrongAudience Lie = "aud"
	TwoAudiences  Lie = "two audiences without azp"
	WrongParty    Lie = "azp"
	WrongIssuer   Lie = "iss"
	Expired       Lie = "exp"
	FromFuture    Lie = "iat"
	AlgNone       Lie = "alg none"
	HS256         Lie = "HS256 with the public key"
	HS256Secret   Lie = "HS256 with the client's secret"
	OtherKey      Lie = "signed with a key that is not in the set"
	Changed       Lie = "claims changed after signing"
	NoToken       Lie = "no id_token"
	NoSubject     Lie = "no sub"
	LongSubject   Lie = "a sub of 256 characters"
	NulSubject    Lie = "a sub with a NUL"
)

// Account is who signs in.
type Account struct {
	Subject       string
	Email         string
	EmailVerified any       // as it stands in the token: true, "true", false, or nil for none
	AuthTime      time.Time // zero: not told, unless max_age asks for it
}

// Provider is the whole of it. Its fields may be changed between requests with Set.
type Provider struct {
	URL string // the issuer, once it is known
	Now func() time.Time

	mu       sync.Mutex
	account  Account
	lie      Lie
	fail     map[string]int // by path: the status to answer with
	errorTo  string         // the error to send browsers back with
	es256    bool
	userInfo bool // e-mail is at the userinfo endpoint and not in the token
	post     bool // the secret is taken in the form only
	lazy     bool // max_age is not minded
	keys     int
	rsaKey   *rsa.PrivateKey
	ecKey    *ecdsa.PrivateKey
	codes    map[string]grant
	asked    []url.Values // of the authorization endpoint
	requests map[string]int
}

type grant struct {
	account          Account
	nonce, challenge string
	redirect         string
	authTime         time.Time
	used             bool
}

// New returns a provider with fresh keys. URL must be set before it is asked.
func New(now func() time.Time) *Provider {
	p := &Provider{Now: now, fail: map[string]int{}, codes: map[string]grant{}, requests: map[string]int{}}
	p.RotateKeys()
	return p
}

// RotateKeys signs with new keys from now on, and forgets the old ones.
func (p *Provider) RotateKeys() {
	p.mu.Lock()
	defer p.mu.Unlock()
	var err error
	if p.rsaKey, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		panic(err) // only without randomness
	}
	if p.ecKey, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		panic(err)
	}
	p.keys++
}

// Be sets who signs in.
func (p *Provider) Be(a Account) { p.set(func() { p.account = a }) }

// Lie sets what is done wrong.
func (p *Provider) Lie(l Lie) { p.set(func() { p.lie = l }) }

// Fail answers a path, such as "/token", with a status; 0 ends that.
func (p *Provider) Fail(path string, status int) { p.set(func() { p.fail[path] = status }) }

// SendBack sends browsers back with an error; "" ends that.
func (p *Provider) SendBack(code string) { p.set(func() { p.errorTo = code }) }

// SignES256 signs with the elliptic key.
func (p *Provider) SignES256() { p.set(func() { p.es256 = true }) }

// TellEmailByUserInfo leaves the address out of the token.
func (p *Provider) TellEmailByUserInfo() { p.set(func() { p.userInfo = true }) }

// TakeSecretInForm refuses it in the header.
func (p *Provider) TakeSecretInForm() { p.set(func() { p.post = true }) }

// IgnoreMaxAge lets people through without asking again.
func (p *Provider) IgnoreMaxAge() { p.set(func() { p.lazy = true }) }

func (p *Provider) set(change func()) { p.mu.Lock(); defer p.mu.Unlock(); change() }

// Asked are the queries that browsers came with.
func (p *Provider) Asked() []url.Values { p.mu.Lock(); defer p.mu.Unlock(); return p.asked }

// Requests counts the requests for a path.
func (p *Provider) Requests(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests[path]
}

// ServeHTTP implements http.Handler.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests[r.URL.Path]++
	if status := p.fail[r.URL.Path]; status != 0 {
		http.Error(w, `{"error":"broken","error_description":"body-canary"}`, status)
		return
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		p.discovery(w)
	case "/keys":
		p.keySet(w)
	case "/authorize":
		p.authorize(w, r)
	case "/token":
		p.token(w, r)
	case "/userinfo":
		answer(w, http.StatusOK, map[string]any{"sub": strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer at-"), "email": p.account.Email, "email_verified": p.account.EmailVerified})
	default:
		http.NotFound(w, r)
	}
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // a client that went away is not our trouble
}

func (p *Provider) discovery(w http.ResponseWriter) {
	says := map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		// More than a client should take: what it trusts is for it to say.
		"id_token_signing_alg_values_supported": []string{"RS256", "ES256", "HS256", "none"}}
	if p.userInfo {
		says["userinfo_endpoint"] = p.URL + "/userinfo"
	}
	if p.post {
		says["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"}
	}
	answer(w, http.StatusOK, says)
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (p *Provider) keySet(w http.ResponseWriter) {
	point, err := p.ecKey.PublicKey.Bytes() // 4, x, y
	if err != nil {
		panic(err)
	}
	n := strconv.Itoa(p.keys)
	answer(w, http.StatusOK, map[string]any{"keys": []map[string]string{
		{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "rsa" + n, "n": b64(p.rsaKey.N.Bytes()), "e": "AQAB"},
		{"kty": "EC", "use": "sig", "alg": "ES256", "kid": "ec" + n, "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])},
	}})
}

func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	p.asked = append(p.asked, q)
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || q.Get("client_id") != ClientID || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" ||
		!strings.Contains(q.Get("scope"), "openid") {
		http.Error(w, "the request is not a good one", http.StatusBadRequest)
		return
	}
	query := url.Values{"state": {q.Get("state")}}
	if p.errorTo != "" {
		query.Set("error", p.errorTo)
		query.Set("error_description", "description-canary")
	} else {
		g := grant{account: p.account, nonce: q.Get("nonce"), challenge: q.Get("code_challenge"), redirect: q.Get("redirect_uri"), authTime: p.account.AuthTime}
		if q.Get("max_age") != "" && !p.lazy {
			g.authTime = p.Now()
		}
		code := "code-canary-" + strconv.Itoa(len(p.codes)) + rand.Text()
		p.codes[code] = g
		query.Set("code", code)
	}
	back.RawQuery = query.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	if p.post {
		id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
	}
	if id != ClientID || secret != ClientSecret || p.post && basic {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client", "error_description": "description-canary"})
		return
	}
	code := r.PostFormValue("code")
	g, known := p.codes[code]
	proof := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !known || g.used || r.PostFormValue("grant_type") != "authorization_code" || r.PostFormValue("redirect_uri") != g.redirect || b64(proof[:]) != g.challenge {
		g.used = true // whoever tried it with a wrong proof has spoilt it (RFC 6749, section 10.5)
		p.codes[code] = g
		answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant", "error_description": "description-canary"})
		return
	}
	g.used = true
	p.codes[code] = g
	says := map[string]any{"access_token": "at-" + g.account.Subject, "token_type": "Bearer", "expires_in": 300}
	if p.lie != NoToken {
		says["id_token"] = p.idToken(g)
	}
	answer(w, http.StatusOK, says)
}

func (p *Provider) idToken(g grant) string {
	now := p.Now()
	claims := map[string]any{"iss": p.URL, "sub": g.account.Subject, "aud": ClientID, "nonce": g.nonce, "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix()}
	if !p.userInfo && g.account.Email != "" {
		claims["email"] = g.account.Email
		if g.account.EmailVerified != nil {
			claims["email_verified"] = g.account.EmailVerified
		}
	}
	if !g.authTime.IsZero() {
		claims["auth_time"] = g.authTime.Unix()
	}
	maps.Copy(claims, map[Lie]map[string]any{
		WrongNonce: {"nonce": "another round's"}, NoNonce: {"nonce": ""}, WrongAudience: {"aud": "another till"}, TwoAudiences: {"aud": []string{ClientID, "another till"}},
		WrongParty: {"azp": "another till"}, WrongIssuer: {"iss": "https://another.example"}, Expired: {"iat": now.Add(-time.Hour).Unix(), "exp": now.Add(-30 * time.Minute).Unix()},
		FromFuture: {"iat": now.Add(time.Hour).Unix(), "exp": now.Add(2 * time.Hour).Unix()}, NoSubject: {"sub": ""}, LongSubject: {"sub": strings.Repeat("s", 256)}, NulSubject: {"sub": "a\x00b"},
	}[p.lie])
	return p.sign(claims)
}

// sign makes a token (RFC 7515, section 3.1).
func (p *Provider) sign(claims map[string]any) string {
	alg, kid := "RS256", "rsa"+strconv.Itoa(p.keys)
	if p.es256 {
		alg, kid = "ES256", "ec"+strconv.Itoa(p.keys)
	}
	switch p.lie {
	case AlgNone:
		alg = "none"
	case HS256, HS256Secret:
		alg = "HS256"
	}
	part := func(v any) string {
		raw, err := json.Marshal(v)
		if err != nil {
			panic(err) // maps of texts and numbers
		}
		return b64(raw)
	}
	signed := part(map[string]string{"alg": alg, "kid": kid, "typ": "JWT"}) + "." + part(claims)
	token := signed + "." + b64(p.signature(alg, []byte(signed)))
	if p.lie == Changed {
		claims["email"] = "operator@example.com"
		head, _, _ := strings.Cut(signed, ".")
		token = head + "." + part(claims) + "." + b64(p.signature(alg, []byte(signed)))
	}
	return token
}

func (p *Provider) signature(alg string, text []byte) []byte {
	digest := sha256.Sum256(text)
	key := p.rsaKey
	var err error
	switch {
	case alg == "none":
		return nil
	case alg == "HS256":
		secret := []byte(ClientSecret)
		if p.lie == HS256 {
			if secret, err = x509.MarshalPKIXPublicKey(&p.rsaKey.PublicKey); err != nil {
				panic(err)
			}
		}
		mac := hmac.New(sha256.New, secret)
		mac.Write(text)
		return mac.Sum(nil)
	case alg == "ES256":
		r, s, err := ecdsa.Sign(rand.Reader, p.ecKey, digest[:])
		if err != nil {
			panic(err)
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	case p.lie == OtherKey:
		if key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			panic(err)
		}
	}
	raw, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	return raw
}
