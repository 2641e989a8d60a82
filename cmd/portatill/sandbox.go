package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/internal/sandbox"
)

func (a *app) sandboxCommand() *cobra.Command {
	var listen, state string
	cmd := &cobra.Command{
		Use: "sandbox", Short: "Run the Stripe double alone",
		Long:    "Run the double of Stripe's API alone, so that the till (serve --sandbox=URL) and Stripe can be stopped apart.",
		Example: "  portatill sandbox --listen 127.0.0.1:4242 --state stripe.json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			override := map[string]string{"PORTATILL_SANDBOX": "1"}
			if cmd.Flags().Changed("listen") {
				override["PORTATILL_SANDBOX_LISTEN"] = listen
			}
			c, err := a.settings(override)
			if err != nil {
				return err
			}
			log := slog.New(slog.NewJSONHandler(a.errOut, &slog.HandlerOptions{Level: c.LogLevel}))
			parts, ctx := newGroup(cmd.Context())
			box, err := startSandbox(ctx, parts, c.SandboxListen, state, log)
			if err != nil {
				return err
			}
			box.run()
			line(a.out, "The Stripe double is ready at %s (dials and objects: %s/_sandbox)", box.url, box.url)
			parts.Go(func() error { <-ctx.Done(); box.stop(); return nil })
			return parts.Wait()
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "", "host:port to listen on (PORTATILL_SANDBOX_LISTEN)")
	cmd.Flags().StringVar(&state, "state", "", "file that keeps the state over a restart")
	return cmd
}

// runningSandbox is a double that accepts requests.
type runningSandbox struct {
	url  string
	stop func()
	box  *sandbox.Server
	// run lets it send webhooks and time pass.
	run func()
}

func startSandbox(ctx context.Context, parts *group, listen, state string, log *slog.Logger) (*runningSandbox, error) {
	l, err := listenOn(ctx, "PORTATILL_SANDBOX_LISTEN", listen)
	if err != nil {
		return nil, err
	}
	return startSandboxOn(ctx, parts, l, sandbox.Options{StateFile: state, Log: log})
}

func startSandboxOn(ctx context.Context, parts *group, l net.Listener, o sandbox.Options) (*runningSandbox, error) {
	o.BaseURL = "http://" + l.Addr().String()
	box, err := sandbox.New(o)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	server := newHTTPServer(box.Handler())
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	parts.Go(func() error { return serveOn(server, l) })
	run := func() {
		parts.Go(func() error {
			if err := box.Run(running); !errors.Is(err, context.Canceled) {
				return err
			}
			return nil
		})
	}
	var once sync.Once
	return &runningSandbox{url: o.BaseURL, box: box, run: run, stop: func() {
		once.Do(func() {
			cancel()
			if err := errors.Join(server.Close(), box.Close()); err != nil {
				o.Log.Warn("sandbox did not stop cleanly", "error", err)
			}
		})
	}}, nil
}

// listenSandbox takes the address of our own double when one is asked for and none
// runs elsewhere; nil otherwise. From here on only its address is known to the rest.
func (s *server) listenSandbox(ctx context.Context) (l net.Listener, err error) {
	if s.config.Sandbox && s.config.SandboxURL == "" {
		if l, err = listenOn(ctx, "PORTATILL_SANDBOX_LISTEN", s.config.SandboxListen); err != nil {
			return nil, err
		}
		s.config.SandboxURL = "http://" + l.Addr().String()
	}
	s.ready.SandboxURL = s.config.SandboxURL
	return l, nil
}

// startSandbox starts our own double on its listener, when there is one. Beside a
// SQLite database it keeps its state too, so that a restart finds both sides as
// they were.
func (s *server) startSandbox(ctx context.Context, parts *group, l net.Listener) error {
	if l == nil {
		return nil
	}
	o := sandbox.Options{StateFile: s.sandboxState(), Log: s.log.With("part", "sandbox")}
	if s.story != nil {
		o = s.story.double(o)
	}
	box, err := startSandboxOn(ctx, parts, l, o)
	if err != nil {
		return err
	}
	s.stopSandbox = box.stop
	if s.story == nil {
		box.run()
		return nil
	}
	s.story.box = box
	return nil
}

// sandboxState is where our own double keeps its state, "" for nowhere.
func (s *server) sandboxState() string {
	if path, ok := strings.CutPrefix(s.config.DatabaseURL, "sqlite:"); ok {
		return path + ".stripe.json"
	}
	return ""
}
