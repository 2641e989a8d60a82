package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/portatill/portatill/handlers"
	"github.com/portatill/portatill/internal/config"
	"github.com/portatill/portatill/internal/doctor"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/stripegate"
	"github.com/portatill/portatill/pay"
)

// office is what the staff's pages ask of the program around them.
type office struct {
	*server
	startedAt time.Time
}

// Examine implements handlers.Examiner, with the same checks as `doctor`.
func (f office) Examine(ctx context.Context, in handlers.Examination) []doctor.Check {
	options := f.doctorOptions(f.config, f.opened)
	options.Tenant, options.TenantOnly, options.Fix, options.Progress = in.Tenant, in.TenantOnly, in.Fix, in.Progress
	return doctor.Examine(ctx, options)
}

// Connect implements handlers.Examiner.
func (f office) Connect(ctx context.Context, t *pay.Tenant) []doctor.Check {
	return doctor.Connect(ctx, f.doctorOptions(f.config, f.opened), t)
}

// Installation implements handlers.InstallationReader.
func (f office) Installation(ctx context.Context) (handlers.Installation, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	i := handlers.Installation{Version: versionText(), GoVersion: runtime.Version(), StripeAPIVersion: stripegate.APIVersion, StartedAt: f.startedAt, Host: host,
		Settings: config.Describe(f.env, f.override, f.config), Schema: sqlstore.SchemaVersion}
	look, err := f.opened.store.Look(ctx)
	if err != nil {
		return i, err
	}
	i.DatabaseKind, i.DatabaseVersion = map[string]string{sqlstore.Postgres: "PostgreSQL"}[look.Dialect], look.Version
	if i.DatabaseKind == "" {
		i.DatabaseKind = "SQLite"
	}
	if file := sqlstore.Path(f.config.DatabaseURL); file != "" {
		if free, of, err := doctor.Disk(filepath.Dir(file)); err == nil {
			i.DiskFree, i.DiskOf = free, of
		}
	}
	sizes, err := f.opened.store.Sizes(ctx)
	if err != nil {
		return i, err
	}
	i.DatabaseBytes, i.Orders, i.Tenants, i.FirstAt = sizes.Bytes, sizes.Orders, sizes.Tenants, sizes.FirstAt
	backlog, err := f.opened.queue.Backlog(ctx, now())
	if err != nil {
		return i, err
	}
	i.JobsDue, i.DueSince, i.JobsRetrying, i.OldestRetry, i.JobsGaveUp = backlog.Due, backlog.DueSince, backlog.Retrying, backlog.OldestRetry, backlog.GaveUp
	return i, nil
}
