package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

func TestEventsAreListedByTypeStateAndTime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		s, ctx := open(t), context.Background()
		tenant, other := storetest.Tenant(t, s), storetest.Tenant(t, s)
		ids := map[string]string{}
		add := func(tenantID, name, kind string, state pay.EventState, at time.Time) {
			e := &pay.Event{ID: pay.NewID("evn", at), TenantID: tenantID, StripeID: "evt_" + name, Type: kind, ObjectID: "pi_1", APIVersion: "2023-10-16",
				Payload: []byte("{}"), State: state, ReceivedAt: at}
			if state != pay.EventReceived {
				e.DoneAt = at
			}
			ids[e.ID] = name
			storetest.Write(t, s, func(ctx context.Context, tx pay.Tx) error { _, err := tx.InsertEvent(ctx, e); return err })
		}
		now := storetest.Now
		add(tenant.ID, "a", "charge.refunded", pay.EventFailed, now.Add(-48*time.Hour))
		add(tenant.ID, "b", "charge.refunded", pay.EventApplied, now.Add(-2*time.Hour))
		add(tenant.ID, "c", "charge.succeeded", pay.EventFailed, now.Add(-time.Hour))
		add(tenant.ID, "d", "charge.succeeded", pay.EventReceived, now)
		add(other.ID, "a", "charge.refunded", pay.EventFailed, now)
		for name, c := range map[string]struct {
			f    pay.EventFilter
			want string
		}{
			"All":         {pay.EventFilter{}, "d c b a"},
			"ByType":      {pay.EventFilter{Type: "charge.refunded"}, "b a"},
			"ByState":     {pay.EventFilter{State: pay.EventFailed}, "c a"},
			"ByBoth":      {pay.EventFilter{Type: "charge.refunded", State: pay.EventFailed}, "a"},
			"Since":       {pay.EventFilter{Since: now.Add(-time.Hour)}, "d c"},
			"SinceLater":  {pay.EventFilter{Since: now.Add(-time.Hour + time.Microsecond)}, "d"},
			"SinceAll":    {pay.EventFilter{Since: now.Add(-50 * time.Hour), Type: "charge.refunded"}, "b a"},
			"FirstPage":   {pay.EventFilter{Limit: 1}, "d"},
			"NobodysType": {pay.EventFilter{Type: "charge"}, ""},
		} {
			c.f.TenantID = tenant.ID
			found, err := s.ListEvents(ctx, c.f)
			if err != nil {
				t.Fatal(err)
			}
			names := []string{}
			for _, e := range found {
				names = append(names, ids[e.ID])
			}
			if got := strings.Join(names, " "); got != c.want {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
		pages := ""
		for after := ""; ; {
			page, err := s.ListEvents(ctx, pay.EventFilter{TenantID: tenant.ID, After: after, Limit: 3})
			if err != nil {
				t.Fatal(err)
			}
			pages += fmt.Sprint(len(page))
			if len(page) < 3 {
				break
			}
			after = page[2].ID
		}
		if pages != "31" {
			t.Errorf("pages of %s", pages)
		}
		mine, err := s.EventByStripeID(ctx, tenant.ID, "evt_a")
		if err != nil || ids[mine.ID] != "a" || mine.TenantID != tenant.ID {
			t.Errorf("%+v, %v", mine, err)
		}
		same, err := s.EventByID(ctx, tenant.ID, mine.ID)
		if diff := cmp.Diff(mine, same); diff != "" || err != nil {
			t.Errorf("by the two ids: %v %s", err, diff)
		}
		if _, err := s.EventByStripeID(ctx, other.ID, "evt_b"); !pay.IsNotFound(err) {
			t.Errorf("another tenant's event: %v", err)
		}
	})
}

// TestPostgreSQLFindsEventsByAnIndex: among thousands, of which few are of a type or failed.
func TestPostgreSQLFindsEventsByAnIndex(t *testing.T) {
	t.Parallel()
	storetest.NeedPostgres(t)
	s, ctx := storetest.OpenPostgres(t), context.Background()
	tenant := storetest.Tenant(t, s)
	tx, err := s.DB().BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	for _, statement := range []string{`INSERT INTO events (id, tenant_id, stripe_id, type, object_id, api_version, livemode, payload, state, note, received_at, done_at)
		SELECT 'evn_' || to_char(n, 'FM00000'), '` + tenant.ID + `', 'evt_' || n, CASE WHEN n % 100 = 7 THEN 'rare' ELSE 'usual' END, 'pi_1', '2023-10-16', false, '',
			CASE WHEN n % 100 = 9 THEN 'failed' ELSE 'applied' END, '', n, n
		FROM generate_series(1, 5000) AS n`, "ANALYZE events"} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	for where, want := range map[string]string{"type = 'rare'": "events_type", "type = 'rare' AND id < 'evn_04000'": "events_type", "state = 'failed' AND id > 'evn_00100'": "events_state",
		"id > 'evn_04900'": "events_pkey", "stripe_id = 'evt_1'": "events_tenant_id_stripe_id_key"} {
		lines, err := explained(ctx, tx, "SELECT id FROM events WHERE tenant_id = '"+tenant.ID+"' AND "+where+" ORDER BY id DESC LIMIT 50")
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(lines, "\n"); !strings.Contains(text, want) {
			t.Errorf("%s is found by\n%s", where, text)
		}
	}
}

// explained is how PostgreSQL would run a statement.
func explained(ctx context.Context, tx *sql.Tx, query string) (lines []string, err error) {
	rows, err := tx.QueryContext(ctx, "EXPLAIN "+query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, rows.Err()
}

func TestTheDatabasesSettingsAreWhatDurabilityNeeds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		l, err := open(t).Look(context.Background())
		if err != nil || l.Version == "" || l.TooOld {
			t.Fatalf("%+v, %v", l, err)
		}
		if l.Dialect == sqlstore.SQLite && (l.Journal != "wal" || l.Durable != "full") || l.Dialect == sqlstore.Postgres && l.Durable == "off" {
			t.Errorf("%+v", l)
		}
	})
}

// TestTheListsOfTheBooksAreReadByAnIndex: none of the questions that the staff's pages ask
// of a large table may walk it or sort it.
func TestTheListsOfTheBooksAreReadByAnIndex(t *testing.T) {
	t.Parallel()
	s := storetest.OpenSQLite(t)
	for name, query := range map[string]string{
		"OrdersOfADay":      `SELECT currency, state, COUNT(*), CAST(SUM(total_minor) AS BIGINT) FROM orders WHERE tenant_id = 't' AND kind = 'payment' AND created_at >= 1 AND created_at < 2 GROUP BY currency, state`,
		"PaymentsOfADay":    `SELECT currency, COUNT(*), CAST(SUM(amount_minor) AS BIGINT) FROM payments WHERE tenant_id = 't' AND paid_at >= 1 AND paid_at < 2 GROUP BY currency`,
		"OrdersWaiting":     `SELECT currency, state, COUNT(*) FROM orders WHERE tenant_id = 't' AND state IN ('open', 'processing') GROUP BY currency, state`,
		"PostingsOfAState":  `SELECT id FROM postings WHERE tenant_id = 't' AND state = 'refused' AND kind = 'payment' AND id < 'pst_x' ORDER BY id DESC LIMIT 51`,
		"UnclaimedToDecide": `SELECT id FROM unclaimed WHERE tenant_id = 't' AND state = 'open' AND id < 'unc_x' ORDER BY id DESC LIMIT 51`,
		"EventsOfAnObject":  `SELECT id FROM events WHERE tenant_id = 't' AND object_id IN ('pi_1') AND object_id <> '' ORDER BY id DESC LIMIT 51`,
		"FailedEvents":      `SELECT id FROM events WHERE tenant_id = 't' AND COALESCE(type, '') = 'charge.refunded' AND state = 'failed' AND id < 'evn_x' ORDER BY id DESC LIMIT 51`,
		"DisputesWaiting":   `SELECT MIN(due_by) FROM disputes WHERE tenant_id = 't' AND state IN ('needs_response', 'warning_needs_response')`,
		"DeliveriesFailed":  `SELECT 1 FROM deliveries WHERE tenant_id = 't' AND state = 'failed' AND updated_at >= 1`,
		"MailsFailed":       `SELECT 1 FROM mails WHERE tenant_id = 't' AND state = 'failed' AND updated_at >= 1`,
		"RefundsFailed":     `SELECT 1 FROM refunds WHERE tenant_id = 't' AND state = 'failed' AND updated_at >= 1`,
	} {
		rows, err := s.DB().QueryContext(context.Background(), "EXPLAIN QUERY PLAN "+query)
		if err != nil {
			t.Fatal(name, err)
		}
		plan := planOf(t, rows)
		grouped := strings.Contains(query, "GROUP BY") // of the few rows that a day's groups are
		if !strings.Contains(plan, "USING") || !strings.Contains(plan, "INDEX") || strings.Contains(plan, "SCAN") || (strings.Contains(plan, "TEMP B-TREE") && !grouped) {
			t.Errorf("%s: %s", name, plan)
		}
		if (grouped || name == "PaymentsOfADay") && !strings.Contains(plan, "COVERING INDEX") {
			t.Errorf("%s reads the rows, too: %s", name, plan)
		}
	}
}

// planOf reads a plan's steps.
func planOf(t *testing.T, rows *sql.Rows) (plan string) {
	t.Helper()
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		plan += detail + "; "
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan
}
