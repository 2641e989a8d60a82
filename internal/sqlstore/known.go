package sqlstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/portatill/portatill/pay"
)

// knownQueries tell what our books have of Stripe's objects: id and state. %[1]s is the
// list of ids (%[2]s and %[3]s of the facts of a refund). What was booked to suspense is known by its facts alone.
var knownQueries = map[pay.ListKind]string{
	pay.ListSessions: `SELECT session_id, state FROM attempts WHERE tenant_id = $1 AND session_id IN (%[1]s)`,
	pay.ListIntents: `SELECT intent_id, 'booked' FROM payments WHERE tenant_id = $1 AND intent_id IN (%[1]s)
		UNION SELECT object_id, 'booked' FROM unclaimed WHERE tenant_id = $1 AND object_id IN (%[1]s)`,
	pay.ListRefunds: `SELECT stripe_refund_id, state FROM refunds WHERE tenant_id = $1 AND stripe_refund_id IN (%[1]s)
		UNION SELECT SUBSTR(fact, 1, LENGTH(fact) - 9), 'succeeded' FROM ledger_entries e WHERE tenant_id = $1 AND fact IN (%[2]s)
			AND NOT EXISTS (SELECT 1 FROM ledger_entries r WHERE r.tenant_id = e.tenant_id AND r.fact = SUBSTR(e.fact, 1, LENGTH(e.fact) - 9) || ':reversed')
			AND NOT EXISTS (SELECT 1 FROM refunds f WHERE f.tenant_id = e.tenant_id AND f.stripe_refund_id = SUBSTR(e.fact, 1, LENGTH(e.fact) - 9))
		UNION SELECT SUBSTR(fact, 1, LENGTH(fact) - 9), 'failed' FROM ledger_entries e WHERE tenant_id = $1 AND fact IN (%[3]s)
			AND NOT EXISTS (SELECT 1 FROM refunds f WHERE f.tenant_id = e.tenant_id AND f.stripe_refund_id = SUBSTR(e.fact, 1, LENGTH(e.fact) - 9))`,
	pay.ListDisputes: `SELECT stripe_dispute_id, state FROM disputes WHERE tenant_id = $1 AND stripe_dispute_id IN (%[1]s)`,
}

// KnownObjects implements pay.Reader.
func (r reader) KnownObjects(ctx context.Context, tenantID string, kind pay.ListKind, objects []pay.Listed) (map[string]string, error) {
	known := map[string]string{}
	if len(objects) == 0 {
		return known, nil
	}
	args, lists := []any{tenantID}, make([]strings.Builder, 3)
	add := func(list int, value string) {
		args = append(args, value)
		if lists[list].Len() > 0 {
			lists[list].WriteString(", ")
		}
		fmt.Fprintf(&lists[list], "$%d", len(args))
	}
	for _, o := range objects {
		add(0, o.ID)
	}
	if kind == pay.ListRefunds {
		for _, o := range objects {
			add(1, o.ID+":refunded")
			add(2, o.ID+":reversed")
		}
	}
	type pair struct{ id, state string }
	pairs, err := many(ctx, r, "known objects", func(w row, p *pair) error { return w.Scan(&p.id, &p.state) },
		strings.NewReplacer("%[1]s", lists[0].String(), "%[2]s", lists[1].String(), "%[3]s", lists[2].String()).Replace(knownQueries[kind]), args...)
	if err != nil {
		return nil, err
	}
	for _, p := range pairs {
		known[p.id] = p.state
	}
	if kind == pay.ListRefunds || kind == pay.ListDisputes {
		return known, r.knownByIntent(ctx, tenantID, kind, objects, known)
	}
	return known, nil
}

// knownByIntent adds refunds and disputes of money that is not this ledger's, and
// disputes of money without an owner, whose state only their entries tell.
func (r reader) knownByIntent(ctx context.Context, tenantID string, kind pay.ListKind, objects []pay.Listed, known map[string]string) error {
	for _, o := range objects {
		if _, ok := known[o.ID]; ok || o.IntentID == "" {
			continue
		}
		type found struct{ reason string }
		u, err := one(ctx, r, "unclaimed money", func(w row, f *found) error { return w.Scan(&f.reason) },
			`SELECT reason FROM unclaimed WHERE tenant_id = $1 AND object_id = $2`, tenantID, o.IntentID)
		if pay.IsNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		if u.reason == "other_tenant" || u.reason == "wrong_mode" {
			known[o.ID] = o.Status
			continue
		}
		if kind != pay.ListDisputes {
			continue
		}
		fact := map[string]string{"won": ":reinstated", "lost": ":lost"}[o.Status]
		if fact == "" {
			fact = ":withdrawn"
		}
		type counted struct{ n int }
		c, err := one(ctx, r, "ledger entry", func(w row, c *counted) error { return w.Scan(&c.n) },
			`SELECT COUNT(*) FROM ledger_entries WHERE tenant_id = $1 AND fact = $2`, tenantID, o.ID+fact)
		if err != nil {
			return err
		}
		if c.n > 0 {
			known[o.ID] = o.Status
		}
	}
	return nil
}

// SweepMark implements pay.Reader.
func (r reader) SweepMark(ctx context.Context, tenantID string, kind pay.ListKind) (pay.SweepMark, error) {
	m, err := one(ctx, r, "sweep mark", func(w row, m *pay.SweepMark) error { return w.Scan(at(&m.Through), at(&m.DeepAt)) },
		`SELECT through_at, deep_at FROM sweep_marks WHERE tenant_id = $1 AND kind = $2`, tenantID, kind)
	if pay.IsNotFound(err) {
		return pay.SweepMark{}, nil
	}
	if err != nil {
		return pay.SweepMark{}, err
	}
	return *m, nil
}

// SetSweepMark implements pay.Tx. Two sweeps at once leave the later mark.
func (x *tx) SetSweepMark(ctx context.Context, tenantID string, kind pay.ListKind, m pay.SweepMark, when time.Time) error {
	_, err := x.exec(ctx, "set sweep mark", `INSERT INTO sweep_marks (tenant_id, kind, through_at, deep_at, updated_at)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (tenant_id, kind) DO UPDATE SET through_at = excluded.through_at, deep_at = excluded.deep_at, updated_at = excluded.updated_at
		WHERE sweep_marks.through_at <= excluded.through_at`, tenantID, kind, micros(m.Through), micros(m.DeepAt), micros(when))
	return err
}
