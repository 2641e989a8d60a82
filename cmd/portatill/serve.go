package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/handlers"
	"github.com/portatill/portatill/internal/config"
	"github.com/portatill/portatill/internal/metrics"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/webhooks"
)

// stopWithin is how long a shutdown may take: requests and jobs that run are
// finished within it.
const stopWithin = 12 * time.Second

func (a *app) serveCommand() *cobra.Command {
	var sandboxFlag, listen, readyFile string
	cmd := &cobra.Command{
		Use: "serve", Short: "Serve pages, portals and webhooks",
		Long: "Serve pages, portals and webhooks. With --sandbox a double of Stripe is started beside it (or, with\n" +
			"--sandbox=URL, one that runs elsewhere is used) and a demo tenant is made: no Stripe account is needed.",
		Example: "  portatill serve --sandbox\n  portatill serve --listen 0.0.0.0:8080",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			override := map[string]string{}
			if cmd.Flags().Changed("sandbox") {
				override["PORTATILL_SANDBOX"] = sandboxFlag
			}
			if cmd.Flags().Changed("listen") {
				override["PORTATILL_LISTEN"] = listen
			}
			c, err := a.settings(override)
			if err != nil {
				return err
			}
			s := &server{app: a, config: c, override: override, readyFile: readyFile,
				log: slog.New(slog.NewJSONHandler(a.errOut, &slog.HandlerOptions{Level: c.LogLevel}))}
			return s.serve(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&sandboxFlag, "sandbox", "", "use a double of Stripe: start one, or the one at this URL")
	cmd.Flags().Lookup("sandbox").NoOptDefVal = "1"
	cmd.Flags().StringVar(&listen, "listen", "", "host:port to listen on (PORTATILL_LISTEN)")
	cmd.Flags().StringVar(&readyFile, "ready-file", "", "write addresses and demo credentials here once requests are accepted (mode 0600)")
	return cmd
}

// server is one run of `serve`.
type server struct {
	*app
	config    config.Config
	override  map[string]string // settings that the command line gave
	readyFile string
	log       *slog.Logger
	metrics   *metrics.Metrics
	opened    *opened
	working   atomic.Bool // the queue runs
	ready     readyInfo
	// stopSandbox ends our own double, if there is one; it may be called twice.
	stopSandbox func()
	// story fills the installation before anybody is told that it is there; nil but for
	// the demo.
	story *story
}

// readyInfo is the ready file.
type readyInfo struct {
	BaseURL       string `json:"base_url"`
	SandboxURL    string `json:"sandbox_url,omitempty"`
	MetricsURL    string `json:"metrics_url"`
	Tenant        string `json:"tenant,omitempty"`
	License       string `json:"license,omitempty"`
	SigningSecret string `json:"signing_secret,omitempty"`
	WebhookSecret string `json:"webhook_secret,omitempty"`
	StripeKey     string `json:"stripe_key,omitempty"` // good at the double only
	ICustomer     int64  `json:"i_customer,omitempty"`
	AdminEmail    string `json:"admin_email,omitempty"`
	AdminPassword string `json:"admin_password,omitempty"`
}

func (s *server) serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	parts, ctx := newGroup(ctx)
	s.stopSandbox = func() {}
	err := s.begin(ctx, parts)
	if err != nil { // what a failed start has begun ends too
		cancel()
		s.stopSandbox()
	}
	err = errors.Join(err, parts.Wait())
	if s.opened != nil {
		err = errors.Join(err, s.opened.close())
	}
	return err
}

// begin starts everything. The database comes before the double: a second till on
// the same SQLite file must be refused before it touches the double's state beside it.
func (s *server) begin(ctx context.Context, parts *group) (err error) {
	listener, err := listenOn(ctx, "PORTATILL_LISTEN", s.config.Listen)
	if err != nil {
		return err
	}
	defer closeOnFailure(&err, listener)
	s.ready.BaseURL = cmp.Or(s.config.BaseURL, "http://"+listener.Addr().String())
	s.metrics = metrics.New(versionText())
	double, err := s.listenSandbox(ctx)
	if err != nil {
		return err
	}
	defer closeOnFailure(&err, double)
	how := openOptions{baseURL: s.ready.BaseURL, exclusive: true, migrate: true, log: s.log, observe: s.metrics.Job}
	if s.story != nil {
		how.now = s.story.clock.Now
	}
	s.opened, err = s.open(ctx, s.config, how)
	if err != nil {
		return err
	}
	if s.story != nil {
		if err := s.beginStory(ctx); err != nil {
			return err
		}
	}
	if err := s.checkSecretKey(ctx); err != nil {
		return err
	}
	if err := s.refuseLiveKeys(ctx); err != nil {
		return err
	}
	if err := s.startSandbox(ctx, parts, double); err != nil {
		return err
	}
	if s.config.Sandbox {
		if err := s.makeDemo(ctx); err != nil {
			return fmt.Errorf("make the demo tenant: %w", err)
		}
	}
	if err := s.serveMetrics(ctx, parts); err != nil {
		return err
	}
	main := newHTTPServer(s.handler())
	if s.story != nil {
		parts.Go(func() error { return serveOn(main, listener) })
		if err := s.tellStory(ctx); err != nil {
			s.stopSandbox()
			return errors.Join(err, main.Close())
		}
	}
	// The queue stops with a shutdown of its own, so that jobs can finish.
	if err := s.opened.queue.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	s.working.Store(true)
	if s.story == nil {
		parts.Go(func() error { return serveOn(main, listener) })
	}
	parts.Go(func() error { <-ctx.Done(); return s.stop(ctx, main) })
	return s.announce()
}

// closeOnFailure closes a listener, if there is one, when the start failed.
func closeOnFailure(err *error, l net.Listener) {
	if *err != nil && l != nil {
		l.Close() //nolint:errcheck // a server may have closed it already
	}
}

// stop finishes what runs: first no new requests, then the queue.
func (s *server) stop(ctx context.Context, main *http.Server) error {
	s.working.Store(false)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	err := errors.Join(main.Shutdown(ctx), s.opened.queue.Stop(ctx))
	s.stopSandbox()
	return err
}

func listenOn(ctx context.Context, setting, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, usagef("%s cannot listen on %s: %v", setting, address, errors.Unwrap(err))
	}
	return l, nil
}

func (s *server) handler() http.Handler {
	hook := &webhooks.Stripe{Pay: s.opened.pay, Log: s.log, Count: func(t string, a webhooks.Answer) { s.metrics.Webhook(t, string(a)) }}
	staffs := office{s, now()}
	o := handlers.Options{
		Tenants: s.opened.tenants(), Examine: staffs, Installation: staffs,
		Pay: s.opened.pay, Log: s.log, Version: versionText(), Sandbox: s.config.Sandbox, SandboxURL: s.ready.SandboxURL,
		TrustedProxies: s.config.TrustedProxies, CORSOrigins: s.config.CORSOrigins, Sessions: s.opened.store, Logos: s.opened.store, Staff: s.opened.staffService(), Backoffice: s.opened.store, Mail: s.opened.mail, StripeWebhook: hook.Receive, Observe: s.metrics.Request,
		Books: s.opened.store, Runs: s.opened.queue,
		OpenID: s.opened.openID, OpenIDLabel: s.config.OIDC.Label,
		Ready: func(r *http.Request) error {
			if !s.working.Load() {
				return errors.New("the worker does not run")
			}
			return s.opened.store.Ping(r.Context())
		},
	}
	if s.config.Sandbox {
		o.Curl = s.demoCurl()
	}
	return handlers.New(o)
}

// newHTTPServer has limits against clients that are slow on purpose.
func newHTTPServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 60 * time.Second, IdleTimeout: 90 * time.Second, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
}

func serveOn(server *http.Server, l net.Listener) error {
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (s *server) serveMetrics(ctx context.Context, parts *group) error {
	if s.config.MetricsListen == "" {
		return nil
	}
	l, err := listenOn(ctx, "PORTATILL_METRICS_LISTEN", s.config.MetricsListen)
	if err != nil {
		return err
	}
	s.ready.MetricsURL = "http://" + l.Addr().String() + "/metrics"
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.metrics.Handler())
	server := newHTTPServer(mux)
	parts.Go(func() error { return serveOn(server, l) })
	parts.Go(func() error { <-ctx.Done(); return server.Close() })
	return nil
}

// checkSecretKey refuses to start with keys that do not open the database's secrets:
// every payment would fail, and what was stored meanwhile would have another key.
func (s *server) checkSecretKey(ctx context.Context) error {
	err := s.opened.store.CheckSecretKey(ctx)
	if wrong, ok := errors.AsType[*sqlstore.KeyError](err); ok {
		return usagef("%v", wrong)
	}
	return err
}

// refuseLiveKeys keeps real money away from a double.
func (s *server) refuseLiveKeys(ctx context.Context) error {
	if !s.config.Sandbox {
		return nil
	}
	tenants, err := s.opened.store.ListTenants(ctx)
	if err != nil {
		return err
	}
	for _, t := range tenants {
		if pay.LiveKey(t.StripeKey) || t.StripeLivemode {
			return usagef("PORTATILL_SANDBOX cannot be used with this database: tenant %s has a live Stripe key", t.Slug)
		}
	}
	return nil
}

// announce tells people and, by the ready file, programs that requests are
// accepted.
func (s *server) announce() error {
	s.log.Info("ready", "base_url", s.ready.BaseURL, "metrics_url", s.ready.MetricsURL, "version", versionText(), "sandbox", s.config.Sandbox)
	if s.config.Sandbox {
		s.printDemo()
	} else {
		line(s.out, "Portatill %s is ready at %s", versionText(), s.ready.BaseURL)
	}
	if s.readyFile == "" {
		return nil
	}
	content, err := json.MarshalIndent(s.ready, "", "  ")
	if err != nil {
		return err
	}
	return writePrivate(s.readyFile, append(content, '\n'))
}

// writePrivate writes a file with mode 0600 so that a reader sees all of it or
// none.
func writePrivate(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".portatill-*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
