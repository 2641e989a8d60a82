package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/portatill/portatill/pay"
)

// verifyViews are the invariants that VerifyMore reads besides bookViews. A test holds
// both lists to the schema.
var verifyViews = []string{
	"v_captured_twice", "v_evidence_differs", "v_payment_unlike_attempt", "v_attempt_unlike_order", "v_case_refunded_held",
	"v_state_untold", "v_paid_once_told", "v_success_of_unpaid", "v_captured_of_ended",
	"v_refund_unlike_entry", "v_refund_back", "v_refund_entry_alone", "v_dispute_differs", "v_dispute_lost_unbooked", "v_dispute_won_debited",
	"v_amount_out_of_range", "v_licence_of_another", "v_refund_without_posting", "v_posting_alone", "v_state_unnoticed", "v_attempt_unwatched",
	"v_posting_drift", "v_refund_untold", "v_refund_request_gone", "v_dispute_untold", "v_dispute_undecided_booked", "v_dispute_unlike_entry",
	"v_payment_unlike_balance", "v_payout_unlike_entry", "v_payout_gone", "v_case_unlike_entry", "v_case_held_differs", "v_case_reason",
}

// verifyLate are the questions whose answer depends on the time, each with one
// parameter: rows of the views' form.
var verifyLate = []struct {
	query string
	limit func(pay.VerifyLimits) time.Time
}{
	{`SELECT tenant_id, stripe_id AS subject, 'I-07: the event ' || type || ' was taken in, but has no outcome: its job is gone, replay it' AS fault
		FROM events WHERE state = 'received' AND received_at < $1`, func(l pay.VerifyLimits) time.Time { return l.Received }},
	{`SELECT tenant_id, id AS subject, 'I-28: the attempt is ' || state || ' and due, but nobody asked Stripe about it: does the sweep run?' AS fault
		FROM attempts WHERE state IN ('created', 'open', 'processing') AND check_at < $1`, func(l pay.VerifyLimits) time.Time { return l.Due }},
	{`SELECT tenant_id, id AS subject, 'I-28: the refund was asked for, but Stripe has not answered' AS fault
		FROM refund_requests WHERE state = 'requested' AND created_at < $1`, func(l pay.VerifyLimits) time.Time { return l.Asked }},
	{`SELECT tenant_id, fact AS subject, 'I-31: ledger entry ' || id || ' was booked in the future: the clock was wrong then, or is now' AS fault
		FROM ledger_entries WHERE at > $1`, func(l pay.VerifyLimits) time.Time { return l.Future }},
}

// VerifyMore implements pay.Reader.
func (r reader) VerifyMore(ctx context.Context, l pay.VerifyLimits) ([]string, error) {
	faults, err := r.verifyViews(ctx, verifyViews)
	if err != nil {
		return nil, err
	}
	for _, late := range verifyLate {
		lines, err := r.faults(ctx, "("+late.query+")", micros(late.limit(l)))
		if err != nil {
			return nil, err
		}
		faults = append(faults, lines...)
	}
	return faults, nil
}

func (r reader) verifyViews(ctx context.Context, views []string) ([]string, error) {
	var faults []string
	for _, view := range views {
		lines, err := r.faults(ctx, view)
		if err != nil {
			return nil, err
		}
		faults = append(faults, lines...)
	}
	return faults, nil
}

// faults reads the rows of a view or query that has a fault in each of them, as lines
// such as "acme: pay_01…: I-15: refunds of 900 exceed …".
func (r reader) faults(ctx context.Context, from string, args ...any) ([]string, error) {
	lines, err := many(ctx, r, "faults", func(w row, s *string) error { return w.Scan(s) },
		`SELECT COALESCE(t.slug, v.tenant_id) || ': ' || v.subject || ': ' || v.fault
		FROM `+from+` v LEFT JOIN tenants t ON t.id = v.tenant_id ORDER BY 1`, args...)
	return values(lines), err
}

// WalkCarts implements pay.Reader.
func (r reader) WalkCarts(ctx context.Context, tenantID string, fn func(*pay.StoredCart) error) error {
	return each(ctx, r, "carts", func(w row) error {
		var c pay.StoredCart
		if err := w.Scan(&c.OrderID, &c.Kind, &c.Total.Currency, &c.Total.Minor, doc{&c.Cart}, &c.PaidVATMinor); err != nil {
			return r.fail("list carts", err)
		}
		return fn(&c)
	}, `SELECT o.id, o.kind, o.currency, o.total_minor, o.cart, p.vat_minor
		FROM orders o LEFT JOIN payments p ON p.tenant_id = o.tenant_id AND p.order_id = o.id WHERE o.tenant_id = $1`, tenantID)
}

// guards are the triggers that hold I-01 and I-03, by dialect and table.
var guards = map[string]map[string][]string{
	SQLite: {
		"ledger_entries": {"ledger_entries_open", "ledger_entries_no_update", "ledger_entries_no_delete"},
		"ledger_lines":   {"ledger_lines_close", "ledger_lines_no_update", "ledger_lines_no_delete"},
		"story":          {"story_no_update", "story_no_delete"},
		"closed_days":    {"closed_days_no_update", "closed_days_no_delete"},
		"audit_log":      {"audit_log_no_update", "audit_log_no_delete"},
	},
	Postgres: {
		"ledger_entries": {"ledger_entries_balance", "ledger_entries_append_only", "ledger_entries_no_truncate"},
		"ledger_lines":   {"ledger_lines_balance", "ledger_lines_append_only", "ledger_lines_no_truncate"},
		"story":          {"story_append_only", "story_no_truncate"},
		"closed_days":    {"closed_days_append_only", "closed_days_no_truncate"},
		"audit_log":      {"audit_log_append_only", "audit_log_no_truncate"},
	},
}

// MissingGuards returns the triggers of the ledger, the story, the closed days and the audit log that
// are not there, are turned off, or no longer do what they are for.
func (s *Store) MissingGuards(ctx context.Context) ([]string, error) {
	// tgenabled: O is "origin and local", A "always" (postgresql.org/docs/current/catalog-pg-trigger.html).
	query := `SELECT c.relname, t.tgname FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_proc f ON f.oid = t.tgfoid
		WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND c.relnamespace = to_regnamespace(current_schema()::text)
			AND f.proname IN ('append_only', 'ledger_entry_balances') AND f.prosrc LIKE '%RAISE EXCEPTION%'`
	if s.dialect == SQLite {
		query = `SELECT tbl_name, name FROM sqlite_master
			WHERE type = 'trigger' AND (sql LIKE '%RAISE(ABORT%' OR sql LIKE '%ledger_open%') AND sql NOT LIKE '% WHEN %'`
	}
	there := map[string][]string{}
	err := each(ctx, reader{c: s.readers, keys: s.keys}, "triggers", func(w row) error {
		var table, name string
		if err := w.Scan(&table, &name); err != nil {
			return classify("list triggers", err)
		}
		there[table] = append(there[table], name)
		return nil
	}, query)
	if err != nil {
		return nil, err
	}
	var missing []string
	for table, names := range guards[s.dialect] {
		for _, name := range names {
			if !slices.Contains(there[table], name) {
				missing = append(missing, fmt.Sprintf("%s on %s", name, table))
			}
		}
	}
	slices.Sort(missing)
	return missing, nil
}
