package sandbox_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/portatill/portatill/internal/sandbox"
	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/form"
)

func newServer(t *testing.T, take func(body []byte, signature string)) string {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		take(body, r.Header.Get("Stripe-Signature"))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestForms(t *testing.T) {
	t.Parallel()
	t.Run("WhatStripesClientWritesIsRead", func(t *testing.T) {
		t.Parallel()
		values := &form.Values{}
		form.AppendTo(values, sessionParams())
		have, err := sandbox.ParseForm(values.Encode())
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{}
		for name, list := range values.ToValues() {
			want[name] = list[0]
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Error(diff)
		}
		if err := sandbox.CheckForm("POST /v1/checkout/sessions", values.Encode()); err != nil {
			t.Error(err)
		}
	})
	t.Run("EmptyBracketsAppend", func(t *testing.T) {
		t.Parallel()
		have, err := sandbox.ParseForm("a[]=x&a[]=y&b[0][c]=z")
		if diff := cmp.Diff(map[string]string{"a[0]": "x", "a[1]": "y", "b[0][c]": "z"}, have); err != nil || diff != "" {
			t.Error(err, diff)
		}
	})
	t.Run("BrokenNamesAreRefused", func(t *testing.T) {
		t.Parallel()
		for _, bad := range []string{"a[=1", "a[b=1", "a[b]c=1", "[a]=1", "a=1&a[b]=2", "a[b]=2&a=1", "%=1", "a" + strings.Repeat("[b]", 40) + "=1", strings.Repeat("a=1&", 20000)} {
			if _, err := sandbox.ParseForm(bad); err == nil {
				t.Errorf("%.40s is taken", bad)
			}
		}
	})
	t.Run("ALongListIsRead", func(t *testing.T) {
		t.Parallel()
		params := &stripe.CustomerParams{}
		for range 60 {
			params.PreferredLocales = append(params.PreferredLocales, stripe.String("en"))
		}
		values := &form.Values{}
		form.AppendTo(values, params)
		if err := sandbox.CheckForm("POST /v1/customers", values.Encode()); err != nil {
			t.Error(err)
		}
	})
}

// FuzzParseForm looks for a form that breaks the parser, the check, or the agreement with net/url about flat forms.
func FuzzParseForm(f *testing.F) {
	for _, seed := range []string{"a=1", "a[b][0][c]=%C3%A9&a[b][1][c]=2", "a[]=1&a[]=2", "expand[]=data.x", oneItem, "a[[b]]=1", "a=1&a[b]=2", "%zz=1", "a[0]=1&a[2]=3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		have, err := sandbox.ParseForm(text)
		for _, route := range []string{"POST /v1/checkout/sessions", "POST /v1/customers", "GET /v1/charges"} {
			_ = sandbox.CheckForm(route, text) // must not panic, whatever it says
		}
		if err != nil || strings.ContainsAny(text, "[]%;") {
			return
		}
		flat, err := url.ParseQuery(text)
		if err != nil {
			t.Fatalf("taken, but not by net/url: %v", err)
		}
		for name, values := range flat {
			if last := values[len(values)-1]; have[name] != last {
				t.Errorf("%q is %q, want %q", name, have[name], last)
			}
		}
	})
}
