package sqlstore_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/internal/tenantset"
	"github.com/portatill/portatill/pay"
)

func TestTenantsInAList(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		s, ctx := open(t), context.Background()
		var all []*pay.Tenant
		for i, name := range []string{"Alpha", "Béta 100%", "gamma_x", `back\slash`, "Delta"} {
			all = append(all, storetest.Tenant(t, s, func(x *pay.Tenant) {
				x.Slug, x.Name = fmt.Sprintf("list-%d", i), name
				if i == 4 {
					x.State = pay.TenantSuspended
				}
			}))
		}
		day := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC) // storetest.Now is in it
		storetest.Order(t, s, storetest.Customer(t, s, all[1].ID))
		storetest.Order(t, s, storetest.Customer(t, s, all[1].ID))
		slugs := func(f tenantset.ListFilter) []string {
			t.Helper()
			f.Day = day
			rows, err := s.ListTenantRows(ctx, f)
			if err != nil {
				t.Fatal(err)
			}
			out := []string{}
			for _, r := range rows {
				out = append(out, r.Tenant.Slug)
			}
			return out
		}
		for name, c := range map[string]struct {
			filter tenantset.ListFilter
			want   []string
		}{
			"BySlug":            {tenantset.ListFilter{}, []string{"list-0", "list-1", "list-2", "list-3", "list-4"}},
			"APage":             {tenantset.ListFilter{Limit: 2, After: "list-1"}, []string{"list-2", "list-3"}},
			"OfAState":          {tenantset.ListFilter{State: pay.TenantSuspended}, []string{"list-4"}},
			"OfOneTenant":       {tenantset.ListFilter{TenantID: all[2].ID}, []string{"list-2"}},
			"ByAPartOfTheName":  {tenantset.ListFilter{Search: "ALPH"}, []string{"list-0"}},
			"APercentIsNoWild":  {tenantset.ListFilter{Search: "%"}, []string{"list-1"}},
			"AnUnderscoreToo":   {tenantset.ListFilter{Search: "a_x"}, []string{"list-2"}},
			"AndABackslash":     {tenantset.ListFilter{Search: `\`}, []string{"list-3"}},
			"ByTheSlug":         {tenantset.ListFilter{Search: "list-"}, []string{"list-0", "list-1", "list-2", "list-3", "list-4"}},
			"WhatIsNotThere":    {tenantset.ListFilter{Search: "' OR 1=1 --"}, []string{}},
			"OfAnUnknownTenant": {tenantset.ListFilter{TenantID: "ten_none"}, []string{}},
		} {
			t.Run(name, func(t *testing.T) {
				if d := cmp.Diff(c.want, slugs(c.filter)); d != "" {
					t.Errorf("want − got +\n%s", d)
				}
			})
		}
		rows, err := s.ListTenantRows(ctx, tenantset.ListFilter{Day: day, Search: "list-1"})
		if err != nil || len(rows) != 1 || rows[0].OrdersToday != 2 || !rows[0].LastWebhookAt.IsZero() {
			t.Fatalf("%+v, %v", rows, err)
		}
		if d := cmp.Diff(all[1], rows[0].Tenant); d != "" {
			t.Errorf("the tenant in the list is another one:\n%s", d)
		}
		if rows, err := s.ListTenantRows(ctx, tenantset.ListFilter{Day: day.AddDate(0, 0, 1), Search: "list-1"}); err != nil || rows[0].OrdersToday != 0 {
			t.Errorf("tomorrow: %+v, %v", rows, err)
		}
	})
}

func TestTheSizeOfADatabaseIsAskedAndNotCounted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		s := open(t)
		if z, err := s.Sizes(context.Background()); err != nil || !z.FirstAt.IsZero() || z.Tenants != 0 {
			t.Errorf("an empty one: %+v, %v", z, err)
		}
		tenant := storetest.Tenant(t, s)
		storetest.Order(t, s, storetest.Customer(t, s, tenant.ID))
		z, err := s.Sizes(context.Background())
		if err != nil || z.Bytes < 10_000 || z.Tenants != 1 || !z.FirstAt.Equal(storetest.Now) || z.Orders < -1 {
			t.Errorf("%+v, %v", z, err)
		}
		// PostgreSQL's is the estimate of the last time that it looked, here that of a test before.
		if s.Dialect() == sqlstore.SQLite && z.Orders > 1 {
			t.Errorf("%+v, %v", z, err)
		}
	})
}

func TestTheAuditLogIsSoughtByActAndTime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		s, ctx := open(t), context.Background()
		first := time.Date(2026, 3, 4, 23, 59, 59, 999_000_000, time.UTC)
		for i, what := range []string{"sign_in", "refund", "sign_in", "refund"} {
			at := first.Add(time.Duration(i) * time.Millisecond)
			if err := s.InStaffTx(ctx, func(tx staff.Tx) error {
				return tx.AppendAudit(ctx, &staff.Entry{ID: pay.NewID("aud", at), At: at, What: what, Subject: fmt.Sprint(i)})
			}); err != nil {
				t.Fatal(err)
			}
		}
		midnight := time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)
		for name, c := range map[string]struct {
			filter staff.EntryFilter
			want   string
		}{
			"AnAct":           {staff.EntryFilter{What: "refund"}, "3 1"},
			"SinceMidnight":   {staff.EntryFilter{From: midnight}, "3 2 1"},
			"BeforeMidnight":  {staff.EntryFilter{Until: midnight}, "0"},
			"AnActOfThatDay":  {staff.EntryFilter{What: "sign_in", From: midnight, Until: midnight.AddDate(0, 0, 1)}, "2"},
			"AnActNobodyDid":  {staff.EntryFilter{What: "none"}, ""},
			"OneMillisecond":  {staff.EntryFilter{From: midnight.Add(time.Millisecond), Until: midnight.Add(2 * time.Millisecond)}, "2"},
			"OfAnotherTenant": {staff.EntryFilter{What: "refund", TenantID: "ten_none"}, ""},
		} {
			t.Run(name, func(t *testing.T) {
				entries, err := s.ListAudit(ctx, c.filter)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, e := range entries {
					got = append(got, e.Subject)
				}
				if strings.Join(got, " ") != c.want || !slices.IsSortedFunc(entries, func(a, b *staff.Entry) int { return strings.Compare(b.ID, a.ID) }) {
					t.Errorf("got %v, want %s", got, c.want)
				}
			})
		}
	})
}
