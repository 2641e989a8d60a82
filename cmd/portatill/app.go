package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/internal/config"
	"github.com/portatill/portatill/internal/jobs"
	"github.com/portatill/portatill/internal/mail"
	"github.com/portatill/portatill/internal/openid"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/stripegate"
	"github.com/portatill/portatill/pay"
)

// app is the program's surroundings.
type app struct {
	env         func(string) (string, bool)
	in          io.Reader
	out, errOut io.Writer
}

// settings loads the settings, or lists all their faults, one line each.
func (a *app) settings(override map[string]string) (config.Config, error) {
	c, faults := config.Load(a.env, override)
	if len(faults) == 0 {
		return c, nil
	}
	lines := make([]string, len(faults))
	for i, f := range faults {
		lines[i] = f.String()
	}
	return c, usagef("%s", strings.Join(lines, "\n"))
}

// opened is an open database with the rules on top, for commands that do not serve.
type opened struct {
	store *sqlstore.Store
	queue *jobs.Queue
	pay   *pay.Service
	gate  *stripegate.Gate
	mail  *mail.Post
	// openID is the provider that the staff may sign in with; nil: there is none.
	openID *openid.Client
	// sandbox says that Stripe is a double here.
	sandbox bool
	now     func() time.Time
}

func (o *opened) close() error {
	o.gate.Close()
	return o.store.Close()
}

// openOptions says what open needs beyond the settings.
type openOptions struct {
	baseURL   string
	exclusive bool
	migrate   bool
	log       *slog.Logger
	observe   func(string, time.Duration, error)
	// fill makes the tables of a database that is empty.
	fill bool
	// now is another clock than the machine's.
	now func() time.Time
}

// open opens the database and wires the rules. The caller closes it.
func (a *app) open(ctx context.Context, c config.Config, o openOptions) (*opened, error) {
	if o.now == nil {
		o.now = now
	}
	if o.log == nil {
		o.log = slog.New(slog.NewJSONHandler(a.errOut, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	older := make([]pay.Secret, len(c.OldSecretKeys))
	for i, k := range c.OldSecretKeys {
		older[i] = pay.Secret(k)
	}
	store, err := sqlstore.Open(ctx, sqlstore.Options{URL: c.DatabaseURL, SecretKey: pay.Secret(c.SecretKey), OlderKeys: older, Exclusive: o.exclusive})
	if err != nil {
		return nil, err
	}
	fail := func(err error) (*opened, error) { return nil, errors.Join(err, store.Close()) }
	if o.migrate {
		if err := migrate(ctx, store); err != nil {
			return fail(err)
		}
	} else if err := store.Ping(ctx); errors.Is(err, sqlstore.ErrSchemaEmpty) && o.fill {
		if err := migrate(ctx, store); err != nil {
			return fail(err)
		}
	} else if err != nil {
		return fail(err)
	}
	gate := stripegate.New(stripegate.Options{APIBase: c.SandboxURL, Log: o.log, Version: versionText()})
	service := &pay.Service{Store: store, Gateway: gate, Now: o.now, Log: o.log, BaseURL: cmp.Or(o.baseURL, c.BaseURL, "http://"+c.Listen),
		Mails: c.Mail.Address != ""}
	done := &opened{store: store, pay: service, gate: gate, sandbox: c.Sandbox, mail: newPost(store, c.Mail, service.BaseURL, o.now), now: o.now}
	done.mail.Examine = func(ctx context.Context) []mail.Finding { return a.findings(ctx, c, done) }
	queue, err := jobs.New(jobs.Options{DB: store.DB(), Dialect: store.Dialect(), Pay: service, Log: o.log,
		SweepInterval: c.SweepInterval, Mailer: done.mail, LettersAt: lettersAt(c.Mail), Observe: o.observe})
	if err != nil {
		gate.Close()
		return fail(err)
	}
	store.SetEnqueuer(queue.Enqueue)
	done.queue, done.openID = queue, newOpenID(c, service)
	return done, nil
}

func migrate(ctx context.Context, store *sqlstore.Store) error {
	if err := store.Migrate(ctx); err != nil {
		return err
	}
	return jobs.Migrate(ctx, store.DB(), store.Dialect())
}

// now is the clock in UTC with the microseconds that the database keeps.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// withStore runs a command on the open database.
func (a *app) withStore(ctx context.Context, work func(o *opened) error) error {
	return a.withStoreAs(ctx, openOptions{}, work)
}

func (a *app) withStoreAs(ctx context.Context, how openOptions, work func(o *opened) error) (err error) {
	c, err := a.settings(nil)
	if err != nil {
		return err
	}
	if c.Sandbox && c.SandboxURL == "" {
		c.SandboxURL = "http://" + c.SandboxListen
	}
	o, err := a.open(ctx, c, how)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	return work(o)
}

// print writes a command's result: JSON for machines, or text.
func (a *app) print(asJSON bool, value any, text func(w io.Writer)) error {
	if !asJSON {
		text(a.out)
		return nil
	}
	e := json.NewEncoder(a.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(value)
}

func line(w io.Writer, format string, args ...any) {
	fmt.Fprintf(w, format+"\n", args...) //nolint:errcheck // nothing to be done about a closed terminal
}

func jsonFlag(cmd *cobra.Command, to *bool) {
	cmd.Flags().BoolVar(to, "json", false, "print JSON")
}

func noArgs(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) > 0 && cmd.HasSubCommands():
		return usagef("%s has no command %q; see %s --help", cmd.CommandPath(), args[0], cmd.CommandPath())
	case len(args) > 0:
		return usagef("%s takes no arguments; see %s --help", cmd.CommandPath(), cmd.CommandPath())
	}
	return nil
}

// idText is what follows the prefix of an id of ours (pay.NewID).
var idText = regexp.MustCompile(`^_[0-9a-hjkmnp-tv-z]{26}$`)

func isID(text, prefix string) bool {
	rest, ok := strings.CutPrefix(text, prefix)
	return ok && idText.MatchString(rest)
}

func oneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usagef("%s takes one %s; see %s --help", cmd.CommandPath(), what, cmd.CommandPath())
		}
		return nil
	}
}
