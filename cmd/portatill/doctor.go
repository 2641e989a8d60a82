package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/internal/config"
	"github.com/portatill/portatill/internal/doctor"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/stripegate"
	"github.com/portatill/portatill/pay"
)

// diagnosis is `doctor`'s answer.
type diagnosis struct {
	Checks []doctor.Check `json:"checks"`
	OK     int            `json:"ok"`
	Warn   int            `json:"warn"`
	Fail   int            `json:"fail"`
}

func (a *app) doctorCommand() *cobra.Command {
	var tenant string
	var fix, asJSON bool
	cmd := &cobra.Command{
		Use: "doctor", Short: "Look for what is wrong with the installation and its tenants",
		Long: "Look at the settings, the database, the queue, the books, and each tenant's key, clock, webhook endpoint and events,\n" +
			"one line each: ok, warn or fail, and what to do. It changes nothing; with --fix it makes or mends the webhook endpoint\n" +
			"at Stripe and keeps its secret. Exit code 1 when a check failed, for monitoring; warnings alone are 0.",
		Example: "  portatill doctor\n  portatill doctor --tenant acme --fix\n  portatill doctor --json", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.settings(nil)
			if err != nil {
				return err
			}
			if c.Sandbox && c.SandboxURL == "" {
				c.SandboxURL = "http://" + c.SandboxListen
			}
			checks, err := a.examine(cmd.Context(), c, tenant, fix)
			if err != nil {
				return err
			}
			d := diagnosis{Checks: checks}
			for _, check := range checks {
				switch check.State {
				case doctor.OK:
					d.OK++
				case doctor.Warn:
					d.Warn++
				case doctor.Fail:
					d.Fail++
				}
			}
			if err := a.print(asJSON, d, func(w io.Writer) { writeDiagnosis(w, d) }); err != nil {
				return err
			}
			if d.Fail > 0 {
				return fmt.Errorf("%s", count(d.Fail, "check failed", "checks failed"))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "only this tenant, by its slug, beside the installation")
	cmd.Flags().BoolVar(&fix, "fix", false, "make or mend the webhook endpoint at Stripe")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func writeDiagnosis(w io.Writer, d diagnosis) {
	for _, c := range d.Checks {
		where := ""
		if c.Tenant != "" {
			where = c.Tenant + ": "
		}
		todo := ""
		if c.Do != "" {
			todo = ". To do: " + c.Do
		}
		line(w, "%-4s  %s%s: %s%s", c.State, where, c.Name, c.What, todo)
	}
	line(w, "%s, %s, %s.", count(d.OK, "check is fine", "checks are fine"), count(d.Warn, "warning", "warnings"), count(d.Fail, "failure", "failures"))
}

// examine makes the checks. A database that cannot be opened is a check that failed: it
// is what monitoring must see.
func (a *app) examine(ctx context.Context, c config.Config, tenant string, fix bool) (checks []doctor.Check, err error) {
	closed := func(what string) []doctor.Check {
		return []doctor.Check{{Name: "database", State: doctor.Fail, What: what, Do: "mend it, then run portatill doctor again: nothing else was looked at"}}
	}
	file := sqlstore.Path(c.DatabaseURL)
	if file != "" {
		if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) { // opening it would make it
			return closed("there is no file " + file + " (PORTATILL_DATABASE_URL); portatill serve or migrate makes it"), nil
		}
	}
	o, err := a.open(ctx, c, openOptions{})
	if err != nil {
		return closed(err.Error()), nil
	}
	defer func() { err = errors.Join(err, o.close()) }()
	if tenant != "" {
		if _, err := findTenant(ctx, o, tenant); err != nil {
			return nil, err
		}
	}
	options := a.doctorOptions(c, o)
	options.Tenant, options.Fix = tenant, fix
	return doctor.Examine(ctx, options), nil
}

// doctorOptions are what the doctor looks at in an opened installation.
func (a *app) doctorOptions(c config.Config, o *opened) doctor.Options {
	return doctor.Options{
		Store: o.store, Stripe: examinedStripe{o.gate}, SecretKey: o.store.CheckSecretKey, Disk: doctor.Disk,
		Database: func(ctx context.Context) (doctor.Database, error) {
			l, err := o.store.Look(ctx)
			d := doctor.Database{Kind: l.Dialect, Version: l.Version, TooOld: l.TooOld, Journal: l.Journal, Durable: l.Durable, Schema: sqlstore.SchemaVersion}
			if file := sqlstore.Path(c.DatabaseURL); file != "" {
				d.Dir = filepath.Dir(file)
			}
			return d, err
		},
		Backlog: func(ctx context.Context, at time.Time) (doctor.Backlog, error) {
			b, err := o.queue.Backlog(ctx, at)
			return doctor.Backlog(b), err
		},
		SMTP: o.examineSMTP, OpenID: o.examineOpenID,
		Proof: o.pay.Proof, KeepSecret: o.tenants().KeepWebhookSecret, Now: now, BaseURL: o.pay.BaseURL, Sandbox: c.Sandbox,
		Events: stripegate.WebhookEvents, APIVersion: stripegate.APIVersion, Permissions: stripegate.Permissions,
	}
}

// examinedStripe is the gate in the doctor's words.
type examinedStripe struct{ *stripegate.Gate }

// Endpoints implements doctor.Stripe.
func (s examinedStripe) Endpoints(ctx context.Context, t *pay.Tenant) ([]doctor.Endpoint, error) {
	found, err := s.Gate.Endpoints(ctx, t)
	all := make([]doctor.Endpoint, len(found))
	for i, e := range found {
		all[i] = doctor.Endpoint(e)
	}
	return all, err
}
