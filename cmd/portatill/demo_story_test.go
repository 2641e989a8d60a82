package main

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/demo"
	"github.com/portatill/portatill/pay"
)

// tell starts `demo` and waits until it serves.
func (s *shell) tell(args ...string) *running {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), "ready.json")
	return s.startWithin(20*time.Minute, func(r *running) bool {
		content, err := os.ReadFile(path)
		return err == nil && json.Unmarshal(content, &r.ready) == nil
	}, append([]string{"demo", "--ready-file", path}, args...)...)
}

// TestSixMonthsOfBusiness is a small demo: as many kinds of trouble as the large one, on fewer orders.
func TestSixMonthsOfBusiness(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	r := s.tell("--orders", "60", "--until", "2026-06-30T15:00:00Z")
	s.env["PORTATILL_SANDBOX"] = r.ready.SandboxURL
	store := s.openStore()
	ctx := context.Background()
	tenants, err := store.ListTenants(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("EndSquare", func(t *testing.T) {
		if out := s.ok("books", "--proof", "--from", "2025-12-01", "--until", "2026-06-30"); strings.Count(out, "unexplained = 0") != len(demo.Shops) {
			t.Errorf("the proof says %s", out)
		}
		var books pay.Books
		s.json(&books, "books", "--verify", "--json")
		if len(books.Broken) > 0 || len(books.Tenants) < len(demo.Shops) {
			t.Errorf("broken: %v, of %d tenants", books.Broken, len(books.Tenants))
		}
	})
	t.Run("HaveEveryKindOfTrouble", func(t *testing.T) {
		found := map[string]bool{}
		for _, tenant := range tenants {
			cases, err := store.ListUnclaimed(ctx, tenant.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range cases {
				found["unclaimed "+u.Reason+" "+string(u.State)] = true
			}
			orders, err := store.ListOrders(ctx, pay.OrderFilter{TenantID: tenant.ID, Limit: 1000})
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range orders {
				found["order "+string(o.State)] = true
				trouble(t, store, o, found)
			}
			events, err := store.ListEvents(ctx, pay.EventFilter{TenantID: tenant.ID, State: pay.EventFailed})
			if err != nil {
				t.Fatal(err)
			}
			found["event failed"] = found["event failed"] || len(events) > 0
			days, err := store.ListClosedDays(ctx, tenant.ID)
			if err != nil || len(days) == 0 {
				t.Errorf("%s has %d closed days, %v", tenant.Slug, len(days), err)
			}
		}
		want := []string{"dispute lost", "dispute needs_response", "dispute won", "event failed", "order expired", "order mismatch", "order paid", "refund failed", "refund succeeded",
			"unclaimed mismatch open", "unclaimed no_order assigned", "unclaimed no_order ignored", "unclaimed no_order open", "unclaimed no_order refunded", "unclaimed overpaid open"}
		for _, kind := range want {
			if !found[kind] {
				t.Errorf("there is no %s among %v", kind, slices.Sorted(maps.Keys(found)))
			}
		}
	})
	t.Run("RefuseASuspendedTenantsPortal", func(t *testing.T) {
		m := regexp.MustCompile(`(\d+) refused while a tenant was suspended`).FindStringSubmatch(r.out.String())
		if m == nil || m[1] == "0" {
			t.Errorf("it printed %s", r.out)
		}
	})
	t.Run("AreOfTheDaysTheyAreSaidToBe", func(t *testing.T) {
		end := time.Date(2026, 6, 30, 15, 0, 0, 0, time.UTC)
		for _, tenant := range tenants {
			orders, err := store.ListOrders(ctx, pay.OrderFilter{TenantID: tenant.ID, Limit: 1000})
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range orders {
				if o.CreatedAt.After(end) || o.CreatedAt.Before(end.AddDate(0, -demo.Months, 0)) || o.CreatedAt.Before(tenant.CreatedAt) {
					t.Errorf("%s is of %s", o.ID, o.CreatedAt)
				}
			}
		}
	})
	t.Run("LetTheTenantsPeopleIn", func(t *testing.T) {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Jar: jar}
		res, err := client.PostForm(r.ready.BaseURL+"/admin/sign-in", url.Values{"email": {demo.Shops[1].ViewerEmail}, "password": {r.ready.AdminPassword}})
		if status, body := r.read(res, err); status != http.StatusOK || !strings.Contains(body, demo.Shops[1].ViewerName) {
			t.Errorf("%d %.400s", status, body)
		}
	})
	t.Run("GoOn", func(t *testing.T) {
		o := r.request(1)
		r.pay(o)
		r.until("the webhook books the payment", func() bool {
			order, err := store.OrderByID(ctx, tenants[slices.IndexFunc(tenants, func(t *pay.Tenant) bool { return t.Slug == demoSlug })].ID, o.OrderId)
			return err == nil && order.State == pay.OrderPaid
		})
	})
	delete(s.env, "PORTATILL_SANDBOX")
	t.Run("AreNotAddedToWhatIsThere", func(t *testing.T) {
		if code := r.stop(); code != 0 {
			t.Fatalf("exit code %d: %s", code, r.errOut)
		}
		before, err := store.ListTenants(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if again := s.run("demo", "--orders", "1"); again.code != exitUsage || !strings.Contains(again.err, "has tenants already") {
			t.Errorf("exit code %d: %s", again.code, again.err)
		}
		after, err := store.ListTenants(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("the refused demo changed something: %s", diff)
		}
	})
}

// trouble notes what became of an order's payment.
func trouble(t *testing.T, store pay.Reader, o *pay.Order, found map[string]bool) {
	t.Helper()
	p, err := store.PaymentByOrder(context.Background(), o.TenantID, o.ID)
	if pay.IsNotFound(err) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	refunds, err := store.ListRefunds(context.Background(), o.TenantID, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range refunds {
		found["refund "+string(x.State)] = true
	}
	disputes, err := store.ListDisputes(context.Background(), o.TenantID, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range disputes {
		found["dispute "+string(x.State)] = true
	}
}

func TestADemoIsRefusedWhatItCannotDo(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	for _, args := range [][]string{{"--orders", "0"}, {"--orders", "100001"}, {"--until", "tomorrow"}, {"--until", "2999-01-01T00:00:00Z"}} {
		if r := s.run(append([]string{"demo"}, args...)...); r.code != exitUsage || !strings.Contains(r.err, args[0]) {
			t.Errorf("%v: exit code %d: %s", args, r.code, r.err)
		}
	}
	s.env["PORTATILL_DATABASE_URL"] = "sqlite:" + filepath.Join(t.TempDir(), "till.db")
	path := strings.TrimPrefix(s.env["PORTATILL_DATABASE_URL"], "sqlite:") + ".stripe.json"
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := s.run("demo"); r.code != exitUsage || !strings.Contains(r.err, "double has been used") {
		t.Errorf("with a double that has a state: exit code %d: %s", r.code, r.err)
	}
}
