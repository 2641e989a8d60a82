package year_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/sandbox"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/internal/stripegate"
	"github.com/portatill/portatill/pay"
)

// sweptObjects is how many objects a sweep lists: half of them intents, half the
// balance transactions of these.
const sweptObjects = 10_000

// doubleVariable makes this program the double of Stripe, until its input ends: in a
// process of its own its memory is not taken for the till's.
const doubleVariable = "PORTATILL_BENCH_DOUBLE"

func TestMain(m *testing.M) {
	if os.Getenv(doubleVariable) == "" {
		os.Exit(m.Run())
	}
	double, err := sandbox.New(sandbox.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	server := httptest.NewServer(double.Handler())
	fmt.Println(server.URL)
	_, _ = io.Copy(io.Discard, os.Stdin)
	server.Close()
}

// startDouble starts the double and returns its address.
func startDouble(b *testing.B) string {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), doubleVariable+"=1")
	input, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = input.Close()
		_ = cmd.Wait()
	})
	address, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		b.Fatalf("the double did not start: %v", err)
	}
	return strings.TrimSpace(address)
}

// counting counts requests.
type counting struct {
	http.RoundTripper
	n atomic.Int64
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return c.RoundTripper.RoundTrip(r)
}

// BenchmarkSweep lists what a tenant's Stripe account has, over HTTP at Stripe's page
// size, when the books have it all already: what a till does every few minutes.
func BenchmarkSweep(b *testing.B) {
	ctx := context.Background()
	double, transport := startDouble(b), &counting{RoundTripper: &http.Transport{MaxIdleConnsPerHost: 8}}
	client := &http.Client{Transport: transport}
	gate := stripegate.New(stripegate.Options{APIBase: double, HTTPClient: client})
	b.Cleanup(gate.Close)
	store := storetest.OpenSQLite(b)
	tenant := storetest.Tenant(b, store, func(t *pay.Tenant) { t.StripeAccount, t.CreatedAt = "", time.Now().Add(-time.Hour) })
	for range sweptObjects / 2 {
		req, err := http.NewRequest(http.MethodPost, double+"/v1/payment_intents",
			strings.NewReader("amount=1234&currency=gbp&payment_method=pm_card_visa&payment_method_types[]=card&confirm=true"))
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+tenant.StripeKey.Reveal())
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := client.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		if res.Body.Close(); res.StatusCode != http.StatusOK {
			b.Fatalf("the double answers %d", res.StatusCode)
		}
	}
	service := &pay.Service{Store: store, Gateway: gate, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	if done, err := service.SweepObjects(ctx, tenant); err != nil || done.Failed > 0 || done.Settled < sweptObjects/2 {
		b.Fatalf("the first sweep: %+v, %v", done, err)
	}
	transport.n.Store(0)
	b.ResetTimer()
	measured(b, func() {
		done, err := service.SweepObjects(ctx, tenant)
		if err != nil || done.Failed > 0 || done.Settled > 0 || done.Listed < sweptObjects {
			b.Fatalf("the sweep: %+v, %v", done, err)
		}
	})
	b.ReportMetric(float64(transport.n.Load())/float64(b.N), "calls/op")
}
