package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

const nextKey pay.Secret = "another secret key of at least 32 characters"

// everySecret gives a tenant all the secrets that one can have.
func everySecret(t *pay.Tenant) {
	t.StripeWebhookSecrets = append(t.StripeWebhookSecrets, "whsec_the_old_one_of_a_rotation")
	t.PortaBilling = pay.PortaBilling{URL: "https://billing.example.net", Login: "till", Token: "canary token of PortaBilling"}
}

func TestSecretKey(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("OnlyTheNewKeyOpensWhatWasResealed", func(t *testing.T) {
		t.Parallel()
		url := "sqlite:" + storetest.NewSQLiteFile(t)
		tenant := storetest.Tenant(t, open(t, sqlstore.Options{URL: url}), everySecret)
		fails := func(o sqlstore.Options) {
			t.Helper()
			s := open(t, o)
			if _, err := s.TenantByID(ctx, tenant.ID); err == nil || !strings.Contains(err.Error(), "PORTATILL_SECRET_KEY") {
				t.Errorf("with the wrong key: %v", err)
			}
			err := s.CheckSecretKey(ctx)
			wrong, ok := errors.AsType[*sqlstore.KeyError](err)
			if !ok || len(wrong.Seals.Lost) != 5 || !strings.Contains(err.Error(), tenant.Slug+": the secret stripe_key") {
				t.Errorf("the check: %v", err)
			}
		}
		seals := func(s *sqlstore.Store) sqlstore.Seals {
			t.Helper()
			found, err := s.Seals(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
		fails(sqlstore.Options{URL: url, SecretKey: nextKey})
		both := open(t, sqlstore.Options{URL: url, SecretKey: nextKey, OlderKeys: []pay.Secret{storetest.SecretKey}})
		if err := both.CheckSecretKey(ctx); err != nil {
			t.Errorf("with both keys: %v", err)
		}
		before := sqlstore.Seals{Secrets: 5, Older: 5}
		if d := cmp.Diff(before, seals(both)); d != "" {
			t.Errorf("before:\n%s", d)
		}
		for _, want := range []sqlstore.Seals{before, {Secrets: 5, Current: 5}} { // the second time there is nothing to do
			if got, err := both.Reseal(ctx); err != nil || !cmp.Equal(got, want) {
				t.Errorf("Reseal: %+v, %v", got, err)
			}
		}
		fails(sqlstore.Options{URL: url})
		got, err := open(t, sqlstore.Options{URL: url, SecretKey: nextKey}).TenantByID(ctx, tenant.ID)
		if d := cmp.Diff(tenant, got); err != nil || d != "" {
			t.Errorf("after the rotation: %v\n%s", err, d)
		}
	})
	t.Run("AShortKeyIsRefusedByTheNameOfItsSetting", func(t *testing.T) {
		t.Parallel()
		url := "sqlite:" + storetest.NewSQLiteFile(t)
		if _, err := sqlstore.Open(ctx, sqlstore.Options{URL: url, SecretKey: "short"}); err == nil || strings.Contains(err.Error(), "short") {
			t.Errorf("got %v", err)
		}
		_, err := sqlstore.Open(ctx, sqlstore.Options{URL: url, SecretKey: nextKey, OlderKeys: []pay.Secret{"short"}})
		if err == nil || !strings.Contains(err.Error(), "PORTATILL_OLD_SECRET_KEYS") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("WhatNoKeyOpensIsLeftAndNamed", func(t *testing.T) {
		t.Parallel()
		s := open(t, sqlstore.Options{URL: "sqlite:" + storetest.NewSQLiteFile(t)})
		sound, damaged := storetest.Tenant(t, s), storetest.Tenant(t, s)
		// A key moved to another tenant's row, which someone could do who writes to the database.
		if _, err := s.DB().ExecContext(ctx, `UPDATE tenants SET stripe_key = (SELECT stripe_key FROM tenants WHERE id = $1) WHERE id = $2`, sound.ID, damaged.ID); err != nil {
			t.Fatal(err)
		}
		found, err := s.Reseal(ctx)
		if err != nil || len(found.Lost) != 1 || found.Current != 7 || !strings.HasPrefix(found.Lost[0], damaged.Slug+": the secret stripe_key") {
			t.Errorf("got %+v, %v", found, err)
		}
	})
}

// TestResealOnBothDatabases has what depends on the database.
func TestResealOnBothDatabases(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, dialect := range []string{sqlstore.SQLite, sqlstore.Postgres} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			if dialect == sqlstore.Postgres {
				storetest.NeedPostgres(t)
			}
			url := address(t, dialect)
			old := open(t, sqlstore.Options{URL: url, OlderKeys: []pay.Secret{nextKey}})
			if err := old.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
			next := open(t, sqlstore.Options{URL: url, SecretKey: nextKey, OlderKeys: []pay.Secret{storetest.SecretKey}})
			t.Run("NothingIsSealedOutsideTheListedColumns", func(t *testing.T) { nothingElseIsSealed(t, old) })
			t.Run("HalfAResealIsNone", func(t *testing.T) { halfAReseal(t, old, next) })
			t.Run("AResealDoesNotBringBackWhatIsBeingReplaced", func(t *testing.T) { resealWaits(t, old, next) })
			t.Run("TwoProcessesReadEachOthersSecretsDuringTheOverlap", func(t *testing.T) { overlap(t, old, next) })
		})
	}
}

// nothingElseIsSealed stores all that is sealed and looks for its form in every
// text of the database; what Reseal does not know of would be lost with the old key.
func nothingElseIsSealed(t *testing.T, s *sqlstore.Store) {
	ctx := context.Background()
	storetest.Tenant(t, s, everySecret)
	query := `SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND c.type = 'TEXT'`
	if s.Dialect() == sqlstore.Postgres {
		query = `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema() AND data_type = 'text'
			AND table_name IN (SELECT tablename FROM pg_tables WHERE schemaname = current_schema())`
	}
	rows, err := s.DB().QueryContext(ctx, query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var columns [][2]string
	for rows.Next() {
		var c [2]string
		if err := rows.Scan(&c[0], &c[1]); err != nil {
			t.Fatal(err)
		}
		columns = append(columns, c)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	var sealed []string
	for _, c := range columns {
		var n int
		if err := s.DB().QueryRowContext(ctx, fmt.Sprintf(`SELECT COUNT(*) FROM %s WHERE %s LIKE 'v1.________.%%'`, c[0], c[1])).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			sealed = append(sealed, c[0]+"."+c[1])
		}
	}
	slices.Sort(sealed)
	want := []string{"tenants.outbound_secret", "tenants.porta_token", "tenants.signing_secret", "tenants.stripe_key", "tenants.stripe_webhook_secrets"}
	if d := cmp.Diff(want, sealed); d != "" {
		t.Errorf("of %d columns:\n%s", len(columns), d)
	}
}

// halfAReseal makes the database refuse a later tenant's update: the earlier ones
// must be as they were.
func halfAReseal(t *testing.T, old, next *sqlstore.Store) {
	ctx := context.Background()
	storetest.Tenant(t, old, everySecret)
	last := storetest.Tenant(t, old, everySecret, func(t *pay.Tenant) { t.Slug = "zzz-last" })
	before, err := next.Seals(ctx)
	if err != nil || before.Older == 0 {
		t.Fatalf("%+v, %v", before, err)
	}
	guard, drop := `CREATE TRIGGER refuse BEFORE UPDATE OF porta_token ON tenants WHEN NEW.id = '`+last.ID+`' BEGIN SELECT RAISE(ABORT, 'the disk is gone'); END`, `DROP TRIGGER refuse`
	if next.Dialect() == sqlstore.Postgres {
		guard = `CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'the disk is gone'; END $$ LANGUAGE plpgsql;
			CREATE TRIGGER refuse BEFORE UPDATE OF porta_token ON tenants FOR EACH ROW WHEN (NEW.id = '` + last.ID + `') EXECUTE FUNCTION refuse()`
		drop = `DROP TRIGGER refuse ON tenants`
	}
	if _, err := next.DB().ExecContext(ctx, guard); err != nil {
		t.Fatal(err)
	}
	if _, err := next.Reseal(ctx); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("the refused update: %v", err)
	}
	if after, err := next.Seals(ctx); err != nil || !cmp.Equal(before, after) {
		t.Errorf("%+v became %+v, %v", before, after, err)
	}
	if _, err := next.DB().ExecContext(ctx, drop); err != nil {
		t.Fatal(err)
	}
	if found, err := next.Reseal(ctx); err != nil || found.Older != before.Older {
		t.Errorf("again: %+v, %v", found, err)
	}
}

// overlap runs what docs/operations.md says of several instances: one still writes
// with the old key, one with the new, while the secrets are encrypted anew.
func overlap(t *testing.T, old, next *sqlstore.Store) {
	ctx := context.Background()
	tenant := storetest.Tenant(t, old, everySecret)
	var wg sync.WaitGroup
	const changes = 8
	for i, s := range []*sqlstore.Store{old, next} {
		wg.Go(func() {
			for n := range changes {
				_, err := s.ChangeTenant(ctx, tenant.Slug, func(t *pay.Tenant) error {
					t.ReturnOrigins = append(t.ReturnOrigins, fmt.Sprintf("https://shop%d-%d.example", i, n))
					t.StripeKey = pay.Secret(fmt.Sprintf("sk_test_0123456789_%d_%d", i, n))
					return nil
				})
				if err != nil {
					t.Errorf("process %d, change %d: %v", i, n, err)
				}
			}
		})
	}
	wg.Go(func() {
		for range 4 {
			if _, err := next.Reseal(ctx); err != nil {
				t.Errorf("reseal: %v", err)
			}
		}
	})
	wg.Wait()
	if found, err := next.Reseal(ctx); err != nil || len(found.Lost) > 0 {
		t.Errorf("the last reseal: %+v, %v", found, err)
	}
	for i, s := range []*sqlstore.Store{old, next} {
		got, err := s.TenantByID(ctx, tenant.ID)
		if err != nil {
			t.Fatalf("process %d: %v", i, err)
		}
		if len(got.ReturnOrigins) != 1+2*changes || got.SigningSecret != tenant.SigningSecret || got.PortaBilling != tenant.PortaBilling {
			t.Errorf("process %d reads %d origins", i, len(got.ReturnOrigins))
		}
	}
}

// resealWaits begins a reseal while a change of a key is stored but not committed: a
// reseal that read the key before would write it over the new one.
func resealWaits(t *testing.T, old, next *sqlstore.Store) {
	ctx := context.Background()
	tenant := storetest.Tenant(t, old, everySecret)
	const changed pay.Secret = "sk_test_the_key_that_counts"
	var wg sync.WaitGroup
	var once sync.Once
	_, err := old.ChangeTenant(ctx, tenant.Slug, func(t2 *pay.Tenant) error {
		once.Do(func() {
			wg.Go(func() {
				if _, err := next.Reseal(ctx); err != nil {
					t.Errorf("reseal: %v", err)
				}
			})
			for waits := next.Dialect() == sqlstore.SQLite; !waits; { // SQLite has one writer anyway
				if err := old.DB().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM pg_stat_activity
					WHERE datname = current_database() AND wait_event_type = 'Lock')`).Scan(&waits); err != nil {
					t.Error(err)
					return
				}
				runtime.Gosched()
			}
		})
		t2.StripeKey = changed
		return nil
	})
	wg.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := next.TenantByID(ctx, tenant.ID); err != nil || got.StripeKey != changed {
		t.Errorf("the key before came back: %v", err)
	}
}
