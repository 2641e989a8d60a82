package stripegate

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portatill/portatill/pay"
)

func TestAnEndpointIsShownMendedReplacedAndDeleted(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	ctx, address := t.Context(), "https://till.example/webhooks/stripe/acme"
	id, secret, err := b.gate.CreateEndpoint(ctx, b.tenant, address)
	if err != nil || !strings.HasPrefix(id, "we_") || !strings.HasPrefix(secret.Reveal(), "whsec_") {
		t.Fatalf("%s, %v", id, err)
	}
	another, anothers, err := b.gate.CreateEndpoint(ctx, b.tenant, address)
	if err != nil || another == id || anothers == secret {
		t.Fatalf("another is %s, %v", another, err)
	}
	found := func(id string) *Endpoint {
		t.Helper()
		all, err := b.gate.Endpoints(ctx, b.tenant)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range all {
			if e.ID == id {
				return &e
			}
		}
		return nil
	}
	want := slices.Sorted(slices.Values(WebhookEvents))
	if e := found(id); e == nil || e.URL != address || !e.Enabled || e.APIVersion != APIVersion || !slices.Equal(e.Events, want) {
		t.Errorf("made: %+v", e)
	}
	// Somebody changed it in the dashboard.
	err = b.gate.call(ctx, b.tenant, func(c conn) error { return c.updateEndpoint(id, []string{"invoice.paid", "charge.refunded"}) })
	if e := found(id); err != nil || !slices.Equal(e.Events, []string{"charge.refunded", "invoice.paid"}) {
		t.Errorf("changed: %+v, %v", e, err)
	}
	for range 2 {
		if err := b.gate.MendEndpoint(ctx, b.tenant, id); err != nil {
			t.Error(err)
		}
		if e := found(id); !e.Enabled || !slices.Equal(e.Events, want) {
			t.Errorf("mended: %+v", e)
		}
	}
	for range 2 { // gone already is gone
		if err := b.gate.DeleteEndpoint(ctx, b.tenant, id); err != nil {
			t.Error(err)
		}
	}
	if found(id) != nil || found(another) == nil {
		t.Error("the wrong endpoint was deleted")
	}
	for _, bad := range []string{"", "we_", "cus_1", "we_1/../cus"} {
		if err := b.gate.DeleteEndpoint(ctx, b.tenant, bad); faultOf(t, err).Code != "id_malformed" {
			t.Errorf("delete %q: %v", bad, err)
		}
		if err := b.gate.MendEndpoint(ctx, b.tenant, bad); faultOf(t, err).Code != "id_malformed" {
			t.Errorf("mend %q: %v", bad, err)
		}
	}
}

// dated answers with an empty list and a Date.
type dated func() string

func (d dated) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Date": {d()}}, Request: r,
		Body: io.NopCloser(strings.NewReader(`{"object":"list","data":[]}`))}, nil
}

func TestStripesDateTellsHowFarOurClockIsOff(t *testing.T) {
	t.Parallel()
	for _, behind := range []time.Duration{0, time.Hour, -10 * time.Minute} {
		d := dated(func() string { return time.Now().Add(-behind).UTC().Format(http.TimeFormat) })
		ahead, err := gateTo(t, d).ClockAhead(t.Context(), testTenant())
		// Half a second because a Date has whole seconds; the rest is for a busy machine.
		if off := ahead - behind; err != nil || off.Abs() > 30*time.Second {
			t.Errorf("Stripe's clock is %s behind ours, and we are %s ahead, %v", behind, ahead, err)
		}
	}
	for _, text := range []string{"", "yesterday", "1711000000"} {
		_, err := gateTo(t, dated(func() string { return text })).ClockAhead(t.Context(), testTenant())
		if f := faultOf(t, err); f.Kind != pay.FaultUnavailable {
			t.Errorf("a Date of %q: %v", text, err)
		}
	}
	b := newBox(t)
	if ahead, err := b.gate.ClockAhead(t.Context(), b.tenant); err != nil || ahead.Abs() > 30*time.Second {
		t.Errorf("of our own machine's: %s, %v", ahead, err)
	}
}
