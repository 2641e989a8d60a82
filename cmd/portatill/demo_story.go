package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/internal/config"
	"github.com/portatill/portatill/internal/demo"
	"github.com/portatill/portatill/internal/sandbox"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
)

// demoCommand is a command of this binary, and not a program of its own, because what it
// does is `serve --sandbox` with months that have passed: one wiring, and the double, whose
// state is in its process, lives on. It is not listed: nobody needs it to run a till.
func (a *app) demoCommand() *cobra.Command {
	var listen, readyFile, until string
	var orders int
	var seed uint64
	cmd := &cobra.Command{
		Use: "demo", Short: "Serve a sandbox in which six months of business have passed", Hidden: true,
		Long: "Fill a new sandbox installation with six months of three resellers' business, through the till itself, and\n" +
			"serve it. The database must be new: nothing is ever added to one that has tenants.",
		Example: "  portatill demo --orders 500", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			override := map[string]string{"PORTATILL_SANDBOX": "1"}
			if cmd.Flags().Changed("listen") {
				override["PORTATILL_LISTEN"] = listen
			}
			c, err := a.settings(override)
			if err != nil {
				return err
			}
			end := now()
			if until != "" {
				if end, err = time.Parse(time.RFC3339, until); err != nil || end.After(now()) {
					return usagef("portatill demo: --until must be a time that has passed, such as 2026-06-30T15:00:00Z")
				}
			}
			if orders < 1 || orders > 100_000 {
				return usagef("portatill demo: --orders must be from 1 to 100000")
			}
			level := new(slog.LevelVar)
			level.Set(max(c.LogLevel, slog.LevelError)) // what is seen of it while it is filled is told by us
			// Its customers are made up, and nobody wants their receipts.
			c.Mail = config.Mail{}
			s := &server{app: a, config: c, readyFile: readyFile, log: slog.New(slog.NewJSONHandler(a.errOut, &slog.HandlerOptions{Level: level})),
				story: &story{orders: orders, seed: seed, until: end.UTC(), fixed: until != "", clock: demo.NewClock(end.AddDate(0, -demo.Months, 0)),
					jobs: &demo.Jobs{}, level: level, client: &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}}
			defer s.story.client.CloseIdleConnections()
			return s.serve(cmd.Context())
		},
	}
	cmd.Flags().IntVar(&orders, "orders", 5_000, "how many requests for money there were")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "which story is told")
	cmd.Flags().StringVar(&until, "until", "", "when the story ends, and the clock goes on; now when not given")
	cmd.Flags().StringVar(&listen, "listen", "", "host:port to listen on (PORTATILL_LISTEN)")
	cmd.Flags().StringVar(&readyFile, "ready-file", "", "write addresses and demo credentials here once requests are accepted (mode 0600)")
	return cmd
}

// story is the demo while it is made.
type story struct {
	orders  int
	seed    uint64
	until   time.Time
	fixed   bool // until is not the present
	clock   *demo.Clock
	jobs    *demo.Jobs
	weather *demo.Weather
	box     *runningSandbox
	client  *http.Client // delivers webhooks
	level   *slog.LevelVar
}

// double is a double with the story's clock. It keeps its state in memory until the
// story is told: a sync for each of a hundred thousand changes takes longer than all else.
func (y *story) double(o sandbox.Options) sandbox.Options {
	o.Now, o.StateFile, o.HTTPClient = y.clock.Now, "", y.client
	return o
}

// beginStory refuses what is not new, and puts the story's parts into the wiring.
func (s *server) beginStory(ctx context.Context) error {
	tenants, err := s.opened.store.ListTenants(ctx)
	if err != nil {
		return err
	}
	if len(tenants) > 0 {
		return usagef("portatill demo: this database has tenants already; name a new one in PORTATILL_DATABASE_URL")
	}
	if state := s.sandboxState(); state != "" {
		if _, err := os.Lstat(state); !errors.Is(err, fs.ErrNotExist) {
			return usagef("portatill demo: the Stripe double has been used with this database (%s); name a new one in PORTATILL_DATABASE_URL", state)
		}
	}
	s.story.weather = &demo.Weather{Gateway: s.opened.gate}
	s.opened.pay.Gateway = s.story.weather
	s.opened.store.SetEnqueuer(func(ctx context.Context, tx *sql.Tx, j pay.Job) error {
		if s.story.jobs.Take(j) {
			return nil
		}
		return s.opened.queue.Enqueue(ctx, tx, j)
	})
	return nil
}

// tellStory fills the installation; the till serves already, and nobody knows of it yet.
func (s *server) tellStory(ctx context.Context) error {
	y, began := s.story, time.Now()
	line(s.out, "Six months of business: %d orders until %s. This takes a minute or three.", y.orders, y.until.Format("2 January 2006"))
	// The double's half year stays in memory, and is not to be looked through again and again while it grows.
	defer debug.FreeOSMemory()
	defer debug.SetGCPercent(debug.SetGCPercent(250))
	if err := s.synced(ctx, false); err != nil {
		return err
	}
	tenants, err := s.makeShops(ctx)
	if err != nil {
		return fmt.Errorf("make the demo's tenants: %w", err)
	}
	operator, err := s.opened.store.StaffByEmail(ctx, demoOperatorEmail)
	if err != nil {
		return err
	}
	report, err := demo.Fill(ctx, demo.Options{BaseURL: s.ready.BaseURL, StripeURL: s.ready.SandboxURL, Pay: s.opened.pay, Store: s.opened.store,
		Staff: s.opened.staffService(), Weather: y.weather, Clock: y.clock, Jobs: y.jobs, Deliver: y.box.box.Deliver, Operator: operator.ID, Tenants: tenants,
		Orders: y.orders, Seed: y.seed, Until: y.until, Progress: func(month time.Time, orders int) {
			line(s.out, "  %s  %6d orders", month.Format("2006-01"), orders)
		}})
	if err != nil {
		return fmt.Errorf("fill the demo: %w", err)
	}
	if err := s.synced(ctx, true); err != nil {
		return err
	}
	if state := s.sandboxState(); state != "" {
		if err := y.box.box.KeepIn(state); err != nil {
			return fmt.Errorf("keep the double's state: %w", err)
		}
	}
	left := y.jobs.Release()
	err = s.opened.store.InTx(ctx, func(tx pay.Tx) error {
		for _, j := range left {
			if err := tx.Enqueue(ctx, j); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	from := y.until
	if !y.fixed {
		from = now()
	}
	y.clock.Release(from)
	y.box.run()
	y.level.Set(s.config.LogLevel)
	line(s.out, "  %d requests for money, %d of them while Stripe was down and %d refused while a tenant was suspended; %d refunds, %d disputes. It took %s.",
		report.Orders, report.Unavailable, report.Refused, report.Refunds, report.Disputes, time.Since(began).Round(time.Second))
	return nil
}

// synced says whether SQLite waits for the disk at every commit. A demo that a power cut
// spoils while it is made is made again.
func (s *server) synced(ctx context.Context, on bool) error {
	if s.opened.store.Dialect() != sqlstore.SQLite {
		return nil
	}
	pragma := "PRAGMA synchronous = OFF"
	if on {
		pragma = "PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)"
	}
	_, err := s.opened.store.DB().ExecContext(ctx, pragma)
	return err
}

// makeShops sets the story's tenants up, as an operator would; the first is there.
func (s *server) makeShops(ctx context.Context) ([]demo.Tenant, error) {
	var all []demo.Tenant
	for i := range demo.Shops {
		shop := &demo.Shops[i]
		made := demo.Tenant{License: s.ready.License}
		if i > 0 {
			var raw [16]byte
			_, _ = rand.Read(raw[:]) // never fails since Go 1.24
			t := pay.NewTenant(shop.Slug, shop.Name, shop.Currency, s.opened.now())
			t.StripeKey = pay.Secret("sk_test_" + hex.EncodeToString(raw[:]))
			key, license := pay.NewLicense(t.ID, s.opened.now())
			made.License = key.Reveal()
			err := s.opened.store.InTx(ctx, func(tx pay.Tx) error { return errors.Join(tx.InsertTenant(ctx, t), tx.InsertLicense(ctx, license)) })
			if err == nil {
				err = s.nameMerchant(ctx, t, shop.Name)
			}
			if err == nil {
				err = s.demoWebhook(ctx, t)
			}
			if err != nil {
				return nil, err
			}
		}
		t, err := s.opened.store.ChangeTenant(ctx, shop.Slug, func(t *pay.Tenant) error {
			shop.Configure(t)
			return nil
		})
		if err != nil {
			return nil, err
		}
		made.Tenant = t
		if made.Admin, err = s.demoPeople(ctx, shop, t); err != nil {
			return nil, err
		}
		all = append(all, made)
	}
	return all, nil
}

// demoPeople adds a tenant's own people, who sign in with the operator's password: what a
// tenant's people see is worth showing too. It returns the admin's id.
func (s *server) demoPeople(ctx context.Context, shop *demo.Shop, t *pay.Tenant) (string, error) {
	people, password := s.opened.staffService(), pay.Secret(s.ready.AdminPassword)
	admin, _, err := people.Add(ctx, atCommand, staff.AddInput{Email: shop.AdminEmail, Name: shop.AdminName, Role: staff.TenantAdmin, TenantID: t.ID, Password: password})
	if err != nil {
		return "", err
	}
	_, _, err = people.Add(ctx, atCommand, staff.AddInput{Email: shop.ViewerEmail, Name: shop.ViewerName, Role: staff.TenantViewer, TenantID: t.ID, Password: password})
	return admin.ID, err
}
