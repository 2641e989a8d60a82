package openid_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/openid"
)

func client(issuer string) *openid.Client {
	return openid.New(openid.Options{Issuer: issuer, ClientID: "till", ClientSecret: "canary", RedirectURL: "https://till.example/back",
		SecretKey: "a secret key of 32 characters or more", Now: time.Now})
}

// serving is a provider whose discovery document is this text; ISSUER in it is its address.
func serving(t *testing.T, says string) string {
	t.Helper()
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(strings.ReplaceAll(says, "ISSUER", server.URL)))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestDiscoveryThatFailsSaysWhatAnOperatorCanDo(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, c := range map[string]struct {
		issuer string
		kind   openid.Kind
		says   string
	}{
		"NobodyListens":   {gone.URL, openid.Unavailable, "cannot be reached"},
		"NothingIsThere":  {serving(t, "") + "/realms/none", openid.Misset, "not an OpenID provider's"},
		"NotJSON":         {serving(t, "<html>canary</html>"), openid.Misset, "not an OpenID provider's"},
		"AnotherIssuer":   {serving(t, `{"issuer":"https://login.example/"}`), openid.Misset, `"https://login.example/"`},
		"NoEndpoints":     {serving(t, `{"issuer":"ISSUER"}`), openid.Misset, "is no https address"},
		"ScriptAsAddress": {serving(t, `{"issuer":"ISSUER","authorization_endpoint":"javascript:alert(1)","token_endpoint":"ISSUER/t","jwks_uri":"ISSUER/k"}`), openid.Misset, "authorization_endpoint is no https address"},
		"TooLong":         {serving(t, `{"issuer":"ISSUER","x":"`+strings.Repeat("x", 2<<20)+`"}`), openid.Misset, "not an OpenID provider's"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := client(c.issuer).Discover(t.Context())
			f, ok := errors.AsType[*openid.Fault](err)
			if !ok || f.Kind != c.kind || !strings.Contains(f.What, c.says) || strings.Contains(f.What, "canary") {
				t.Errorf("got %#v", err)
			}
		})
	}
}

func TestAFlowIsSealed(t *testing.T) {
	t.Parallel()
	c := client("https://login.example")
	f := c.Begin(openid.SignIn, "/admin/orders", "hash-canary")
	sealed, err := c.Seal(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{f.State, f.Nonce, f.Verifier, "hash-canary"} {
		if strings.Contains(sealed, secret) {
			t.Error("what the browser keeps can be read")
		}
	}
	again, err := c.Seal(f)
	if err != nil || again == sealed {
		t.Error("the same flow is sealed alike twice")
	}
	t.Run("AnotherInstanceWithTheKeyOpensItAndOneWithAnotherKeyDoesNot", func(t *testing.T) {
		t.Parallel()
		got, err := client("https://login.example").Return(sealed, f.State)
		if err != nil || got.Verifier != f.Verifier || got.Next != "/admin/orders" || got.Session != "hash-canary" {
			t.Errorf("%+v, %v", got, err)
		}
		stranger := openid.New(openid.Options{SecretKey: "another key of 32 characters or more", Now: time.Now})
		if _, err := stranger.Return(sealed, f.State); !errors.Is(err, openid.ErrForeign) {
			t.Errorf("with another key: %v", err)
		}
	})
	t.Run("ItIsTakenOnceHoweverManyAtOnce", func(t *testing.T) {
		t.Parallel()
		c := client("https://login.example")
		taken := make(chan error)
		for range 8 {
			go func() { _, err := c.Return(sealed, f.State); taken <- err }()
		}
		good := 0
		for range 8 {
			if err := <-taken; err == nil {
				good++
			} else if !errors.Is(err, openid.ErrOver) {
				t.Error(err)
			}
		}
		if good != 1 {
			t.Errorf("it was taken %d times", good)
		}
	})
}
