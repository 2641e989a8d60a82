package pay_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/portatill/portatill/pay"
)

// checkLink is the check that portals are told to make (product.md section 4),
// written from the documentation alone: it takes the parameters as they stand in
// the address, and gives their values when the signature fits.
func checkLink(link, secret string) (url.Values, bool) {
	u, err := url.Parse(link)
	if err != nil {
		return nil, false
	}
	raw := map[string]string{}
	for _, part := range strings.Split(u.RawQuery, "&") {
		name, value, _ := strings.Cut(part, "=")
		raw[name] = value
	}
	message := "order=" + raw["order"] + "&status=" + raw["status"] + "&amount=" + raw["amount"] + "&currency=" + raw["currency"] + "&ts=" + raw["ts"]
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(message))
	given, err := base64.RawURLEncoding.DecodeString(raw["sig"])
	return u.Query(), err == nil && hmac.Equal(given, mac.Sum(nil))
}

func paidOrder(success string) *pay.Order {
	return &pay.Order{ID: "ord_01", State: pay.OrderPaid, SuccessURL: success,
		Cart: pay.Cart{Currency: "GBP", TotalMinor: 1440}}
}

// TestSuccessLink: what the customer brings to the portal.
func TestSuccessLink(t *testing.T) {
	t.Parallel()
	tenant := shop()
	at := time.Unix(1_700_000_000, 999)
	t.Run("TheDocumentedCheckAcceptsIt", func(t *testing.T) {
		t.Parallel()
		link := pay.SuccessLink(tenant, paidOrder("https://shop.example/paid"), at)
		got, ok := checkLink(link, tenant.SigningSecret.Reveal())
		if !ok || got.Get("order") != "ord_01" || got.Get("status") != "paid" || got.Get("amount") != "14.40" || got.Get("currency") != "GBP" || got.Get("ts") != "1700000000" {
			t.Errorf("%s is checked %t with %v", link, ok, got)
		}
	})
	t.Run("AKnownVectorStaysTheSame", func(t *testing.T) {
		t.Parallel()
		fixed := shop(func(s *pay.Tenant) { s.SigningSecret = "sig_0123456789abcdef0123456789abcdef" })
		mac := hmac.New(sha256.New, []byte("sig_0123456789abcdef0123456789abcdef"))
		mac.Write([]byte("order=ord_01&status=paid&amount=14.40&currency=GBP&ts=1700000000"))
		want := "https://shop.example/paid?order=ord_01&status=paid&amount=14.40&currency=GBP&ts=1700000000&sig=" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
		if got := pay.SuccessLink(fixed, paidOrder("https://shop.example/paid"), at); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
	t.Run("AnyChangeIsNoticed", func(t *testing.T) {
		t.Parallel()
		link := pay.SuccessLink(tenant, paidOrder("https://shop.example/paid"), at)
		for old, with := range map[string]string{"ord_01": "ord_02", "status=paid": "status=processing", "14.40": "14.41", "GBP": "USD", "1700000000": "1700000001", "sig=": "sig=A"} {
			if _, ok := checkLink(strings.Replace(link, old, with, 1), tenant.SigningSecret.Reveal()); ok {
				t.Errorf("%s changed to %s passes", old, with)
			}
		}
		if _, ok := checkLink(link, shop().SigningSecret.Reveal()); ok {
			t.Error("another tenant's secret fits")
		}
	})
	t.Run("OwnQueryAndFragmentAreKeptAndOurNamesReplaced", func(t *testing.T) {
		t.Parallel()
		for _, c := range []struct{ success, begins, ends string }{
			{"https://shop.example/paid?basket=42&x=a%20b", "https://shop.example/paid?basket=42&x=a%20b&order=", ""},
			{"https://shop.example/paid?order=mine&sig=evil&keep=1&status=paid&amount=0&currency=X&ts=9", "https://shop.example/paid?keep=1&order=", ""},
			{"https://shop.example/paid?%6Frder=mine&s%69g=evil&keep=1", "https://shop.example/paid?keep=1&order=", ""},
			{"https://shop.example/#/paid", "https://shop.example/?order=", "#/paid"},
			{"https://shop.example/paid?a=1#part?b=2", "https://shop.example/paid?a=1&order=", "#part?b=2"},
			{"https://shop.example/paid?", "https://shop.example/paid?order=", ""},
			{"https://shop.example/paid?&&a=1&", "https://shop.example/paid?a=1&order=", ""},
		} {
			link := pay.SuccessLink(tenant, paidOrder(c.success), at)
			if !strings.HasPrefix(link, c.begins) || !strings.HasSuffix(link, c.ends) {
				t.Errorf("%s became %s", c.success, link)
			}
			got, ok := checkLink(link, tenant.SigningSecret.Reveal())
			if !ok {
				t.Errorf("%s is not accepted", link)
			}
			for _, name := range []string{"order", "status", "amount", "currency", "ts", "sig"} {
				if len(got[name]) != 1 {
					t.Errorf("%s has %d values of %s", link, len(got[name]), name)
				}
			}
		}
	})
	t.Run("AnyQueryOfThePortalSurvives", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			own := url.Values{}
			for _, name := range rapid.SliceOfN(rapid.StringMatching(`[a-z]{1,6}`), 0, 5).Draw(t, "names") {
				own.Set("q"+name, rapid.String().Draw(t, "value"))
			}
			link := pay.SuccessLink(tenant, paidOrder("https://shop.example/paid?"+own.Encode()), at)
			got, ok := checkLink(link, tenant.SigningSecret.Reveal())
			if !ok {
				t.Fatalf("%s is not accepted", link)
			}
			for name, values := range own {
				if !slices.Equal(got[name], values) {
					t.Fatalf("%s is %q, was %q", name, got[name], values)
				}
			}
		})
	})
}

// TestCheckReturnURL has RD-01 to RD-07 of safety.md.
func TestCheckReturnURL(t *testing.T) {
	t.Parallel()
	tenant := shop(func(s *pay.Tenant) {
		s.ReturnOrigins = []string{"https://good.example", "https://portal.example:8443", "http://localhost:3000"}
	})
	const own = "https://till.example:443"
	for _, good := range []string{"https://good.example", "https://good.example/", "https://good.example/paid?x=1#f", "https://GOOD.example/paid", "https://good.example:443/p",
		"https://portal.example:8443/a", "http://localhost:3000/back", "HTTPS://good.example/x", "https://good.example/%2e%2e/?u=https://evil.example"} {
		if err := tenant.CheckReturnURL("SuccessUrl", good, own); err != nil {
			t.Errorf("%s is refused: %v", good, err)
		}
	}
	for _, bad := range []string{
		"https://evil.example/", "//evil.example", "/\\evil.example", "/paid", "https:evil.example", "https:///evil.example", "\t//evil.example", "https://good.example\t.evil.example/",
		"https://good.example@evil.example/", "https://good.example:443@evil.example/", "https://user@good.example/", "https://good.example.evil.example/",
		"https://good%2eexample/", "https://good.example%2eevil.example/", "https://good。example/", "https://gооd.example/", "https://xn--god-jua.example/",
		"https://good.example:8443/", "https://portal.example/", "https://portal.example:443/", "http://good.example/", "http://good.example:443/", "https://localhost:3000/", "http://127.0.0.1:3000/",
		"http://localhost:3001/", "javascript:alert(1)", "data:text/html,x", "ftp://good.example/", "https://good.example\\@evil.example/", "https://good.example/ x", " https://good.example/",
		"https://good.example/\r\nLocation: https://evil.example", "https://good.example\x00/", "https://good.example./", "https://[::1]/", "https://good.example:0443x/", "https://", "https://:443/", "?x=1", "https://till.example/pay",
		"https://TILL.example:443/", "https://good.example/é",
	} {
		if err := tenant.CheckReturnURL("CancelUrl", bad, own); pay.CodeOf(err) != pay.CodeOriginNotAllowed {
			t.Errorf("%q: %v, want OriginNotAllowed", bad, err)
		}
	}
	if err := tenant.CheckReturnURL("SuccessUrl", "", own); pay.CodeOf(err) != pay.CodeNotEmpty {
		t.Errorf("empty: %v", err)
	}
	if err := tenant.CheckReturnURL("SuccessUrl", "https://good.example/"+strings.Repeat("a", 10_000), own); pay.CodeOf(err) != pay.CodeOriginNotAllowed {
		t.Errorf("10,000 characters: %v", err)
	}
	t.Run("OurOwnOriginIsRefusedAlsoWhenAllowed", func(t *testing.T) {
		t.Parallel()
		careless := shop(func(s *pay.Tenant) { s.ReturnOrigins = []string{"https://till.example"} })
		if err := careless.CheckReturnURL("SuccessUrl", "https://till.example/x", own); pay.CodeOf(err) != pay.CodeOriginNotAllowed {
			t.Errorf("got %v", err)
		}
	})
	t.Run("TheDemoTenantMayUseAnyLoopbackPort", func(t *testing.T) {
		t.Parallel()
		demo := shop(func(s *pay.Tenant) { s.LoopbackReturns = true })
		for address, ok := range map[string]bool{"http://127.0.0.1:9999/x": true, "http://localhost/": true, "http://[::1]:80/": true,
			"http://192.168.0.1/": false, "http://localhost.evil.example/": false, "http://127.0.0.1.evil.example/": false, "http://0.0.0.0/": false, "ftp://localhost/": false} {
			if err := demo.CheckReturnURL("SuccessUrl", address, own); (err == nil) != ok {
				t.Errorf("%s: %v", address, err)
			}
		}
	})
}

// TestTenantValidate: every fault at once, by the field's name on the command line.
func TestTenantValidate(t *testing.T) {
	t.Parallel()
	if faults := shop().Validate(); len(faults) != 0 {
		t.Fatalf("a fresh tenant has faults: %v", faults)
	}
	for field, break1 := range map[string]func(*pay.Tenant){
		"slug":                  func(s *pay.Tenant) { s.Slug = "Acme Telecom" },
		"name":                  func(s *pay.Tenant) { s.Name = " " },
		"state":                 func(s *pay.Tenant) { s.State = "gone" },
		"i-parent":              func(s *pay.Tenant) { s.IParent = -1 },
		"currency":              func(s *pay.Tenant) { s.DefaultCurrency = "XXX" },
		"currencies":            func(s *pay.Tenant) { s.Currencies = []pay.Currency{"GBP", "gbp"} },
		"vat-rate":              func(s *pay.Tenant) { s.VATBasisPoints = 10_001 },
		"vat-mode":              func(s *pay.Tenant) { s.VATMode = "none" },
		"return-origins":        func(s *pay.Tenant) { s.ReturnOrigins = []string{"https://shop.example/path"} },
		"accent":                func(s *pay.Tenant) { s.Branding.AccentColour = "red;}" },
		"review":                func(s *pay.Tenant) { s.Policies.Review = "" },
		"first-month":           func(s *pay.Tenant) { s.Policies.FirstMonth = "excluded" },
		"subtotal":              func(s *pay.Tenant) { s.Policies.Subtotal = "" },
		"stripe-key":            func(s *pay.Tenant) { s.StripeKey = "pk_test_publishable000" },
		"stripe-webhook-secret": func(s *pay.Tenant) { s.StripeWebhookSecrets = []pay.Secret{"whsec_"} },
		"signing-secret":        func(s *pay.Tenant) { s.SigningSecret = "short" },
		"display-name":          func(s *pay.Tenant) { s.Branding.DisplayName = "Acme\r\nTelecom" },
		"support-email":         func(s *pay.Tenant) { s.Branding.SupportEmail = "help@acme@example" },
		"logo-file":             func(s *pay.Tenant) { s.Branding.Logo, s.Branding.LogoType = []byte("<svg/>"), "image/png" },
		"save-card":             func(s *pay.Tenant) { s.Policies.SaveCard = "" },
		"duplicate-window":      func(s *pay.Tenant) { s.Policies.DuplicateWindow = 24*time.Hour + 1 },
		"outbound-url":          func(s *pay.Tenant) { s.OutboundURL = "https://user:password@hooks.example/" },
		"outbound-secret":       func(s *pay.Tenant) { s.OutboundSecret = "short" },
		"porta-url": func(s *pay.Tenant) {
			s.PortaBilling = pay.PortaBilling{URL: "http://127.0.0.1/", Login: "till", Token: "t"}
		},
		"porta-login": func(s *pay.Tenant) { s.PortaBilling = pay.PortaBilling{URL: "https://b.example", Token: "t"} },
		"porta-token": func(s *pay.Tenant) { s.PortaBilling = pay.PortaBilling{URL: "https://b.example", Login: "till"} },
	} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			faults := shop(break1).Validate()
			if len(faults) != 1 || faults[0].Field != field || faults[0].Code != pay.CodeInvalidTenant || faults[0].Message == "" {
				t.Errorf("faults %v", faults)
			}
		})
	}
	t.Run("AllFaultsAtOnce", func(t *testing.T) {
		t.Parallel()
		bad := &pay.Tenant{StripeKey: "sk_live_…", VATBasisPoints: -1}
		var fields []string
		for _, f := range bad.Validate() {
			fields = append(fields, f.Field)
			if strings.Contains(f.Error(), "sk_live_…") {
				t.Errorf("a fault prints the key: %v", f)
			}
		}
		for _, want := range []string{"slug", "name", "state", "currency", "vat-rate", "vat-mode", "review", "subtotal", "stripe-key", "signing-secret"} {
			if !slices.Contains(fields, want) {
				t.Errorf("no fault names %s: %v", want, fields)
			}
		}
	})
	for _, origin := range []string{"shop.example", "http://shop.example", "https://user@shop.example", "https://shop.example?x", "https://shop.example#f", "https://", "*", "https://*", "https://*.shop.example", "ftp://shop.example"} {
		if faults := shop(func(s *pay.Tenant) { s.ReturnOrigins = []string{origin} }).Validate(); len(faults) == 0 {
			t.Errorf("the return origin %s is taken", origin)
		}
	}
	t.Run("AnUnknownDefaultCurrencyIsOneFault", func(t *testing.T) {
		t.Parallel()
		faults := shop(func(s *pay.Tenant) { s.DefaultCurrency, s.Currencies = "XXX", []pay.Currency{"XXX", "GBP"} }).Validate()
		if len(faults) != 1 || faults[0].Field != "currency" {
			t.Errorf("faults %v", faults)
		}
	})
	t.Run("EverythingAtItsBestHasNoFault", func(t *testing.T) {
		t.Parallel()
		faults := shop(func(s *pay.Tenant) {
			s.PortaBilling = pay.PortaBilling{URL: "https://billing.example.net:8442/", Login: "till", Token: "t"}
			s.OutboundURL, s.OutboundSecret = "https://hooks.example/x?y=1", pay.NewOutboundSecret()
			s.Policies.DuplicateWindow, s.Policies.SaveCard = 24*time.Hour, "always"
			s.Branding.SupportEmail, s.Branding.LogoType = "help@acme.example", "image/png" // the bytes were not read
		}).Validate()
		if len(faults) != 0 {
			t.Errorf("faults %v", faults)
		}
	})
	t.Run("NotReadyWithoutKeyOrSecretOrOfTheOtherMode", func(t *testing.T) {
		t.Parallel()
		ready := func(s *pay.Tenant) {
			s.StripeKey, s.StripeWebhookSecrets = "sk_test_0123456789", []pay.Secret{"whsec_0123456789abcdef"}
		}
		if fault := shop(ready).ReadyFault(); fault != "" {
			t.Errorf("not ready: %s", fault)
		}
		for i, change := range []func(*pay.Tenant){
			func(s *pay.Tenant) { s.StripeKey = "" }, func(s *pay.Tenant) { s.StripeWebhookSecrets = nil },
			func(s *pay.Tenant) { s.StripeLivemode = true }, func(s *pay.Tenant) { s.StripeKey = "sk_live_0123456789" },
		} {
			if shop(ready, change).ReadyFault() == "" {
				t.Errorf("case %s is ready", strconv.Itoa(i))
			}
		}
	})
}

// TestLogoType never panics and never takes what a browser could run.
func TestLogoType(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		head := rapid.SampledFrom([]string{"", "\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "RIFF\x10\x00\x00\x00WEBPVP8 ", "<svg", "GIF89a"}).Draw(t, "head")
		raw := append([]byte(head), rapid.SliceOfN(rapid.Byte(), 0, 64).Draw(t, "rest")...)
		mediaType, fault := pay.LogoType(raw)
		if (mediaType == "") == (fault == "") {
			t.Fatalf("%q is %q and %q", raw, mediaType, fault)
		}
		if mediaType != "" && !slices.Contains([]string{"\x89PNG\r\n\x1a\n", "\xff\xd8\xff"}, head) && !bytes.HasPrefix(raw, []byte("\xff\xd8")) {
			t.Fatalf("%q is taken as %s", raw, mediaType)
		}
	})
}

// TestAnOutboundSecretIsWhatStandardWebhooksReads: whsec_ and base64 of 24 to 64 bytes.
func TestAnOutboundSecretIsWhatStandardWebhooksReads(t *testing.T) {
	t.Parallel()
	a, b := pay.NewOutboundSecret().Reveal(), pay.NewOutboundSecret().Reveal()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(a, "whsec_"))
	if !strings.HasPrefix(a, "whsec_") || err != nil || len(key) != 32 || a == b {
		t.Errorf("%d bytes, %v", len(key), err)
	}
}

// TestOrdersMoveAlongTheWrittenGraph is I-12: every pair that is not drawn in
// product.md section 4 is refused.
func TestOrdersMoveAlongTheWrittenGraph(t *testing.T) {
	t.Parallel()
	allowed := map[string]bool{"draft open": true, "draft paid": true, "draft cancelled": true, "open paid": true, "open processing": true, "open expired": true,
		"open cancelled": true, "processing paid": true, "processing failed": true, "expired open": true, "cancelled open": true, "failed open": true}
	states := []pay.OrderState{pay.OrderDraft, pay.OrderOpen, pay.OrderProcessing, pay.OrderPaid, pay.OrderFailed, pay.OrderExpired, pay.OrderCancelled, pay.OrderMismatch}
	for _, from := range states {
		for _, to := range states {
			want := allowed[string(from)+" "+string(to)] || (to == pay.OrderMismatch && from != pay.OrderMismatch)
			if from.MayMove(to) != want {
				t.Errorf("%s → %s is %t", from, to, !want)
			}
		}
	}
}
