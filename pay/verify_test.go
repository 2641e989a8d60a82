package pay_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// broken is what Verify finds, without what it finds in other tenants.
func broken(w *paytest.World) []string {
	w.T.Helper()
	faults, err := w.Pay.Verify(w.T.Context(), w.Tenant.ID)
	if err != nil {
		w.T.Fatal(err)
	}
	return faults
}

// raw runs SQL as someone would who can change the schema, past the triggers too.
func raw(w *paytest.World, query string, args ...any) {
	w.T.Helper()
	before, after := "SET session_replication_role = replica", "SET session_replication_role = DEFAULT"
	if w.Store.Dialect() == sqlstore.SQLite {
		before, after = `DROP TRIGGER ledger_entries_no_update; DROP TRIGGER ledger_lines_no_update; DROP TRIGGER closed_days_no_update`, ""
	}
	c, err := w.Store.DB().Conn(w.T.Context())
	if err != nil {
		w.T.Fatal(err)
	}
	defer c.Close()
	for _, q := range []struct {
		query string
		args  []any
	}{{before, nil}, {query, args}, {after, nil}} {
		if _, err := c.ExecContext(w.T.Context(), q.query, q.args...); err != nil {
			w.T.Fatalf("%s: %v", q.query, err)
		}
	}
}

// TestACartThatDoesNotAddUpIsFound is I-17: what was priced once is computed again.
func TestACartThatDoesNotAddUpIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*pay.Cart)
		says   string
	}{
		"ALinesSubtotal":    {func(c *pay.Cart) { c.Lines[0].SubtotalMinor++ }, "I-17: item 0 of the cart: its subtotal is 9201, its fields come to 9200"},
		"ALinesVAT":         {func(c *pay.Cart) { c.Lines[1].VATMinor-- }, "I-17: item 1 of the cart: its VAT is 4969, 20 % of it come to 4970"},
		"VATWhereNoneIsDue": {func(c *pay.Cart) { c.Lines[0].VATApplicable = false }, "of it come to 0"},
		"ALinesTotal":       {func(c *pay.Cart) { c.Lines[0].TotalMinor-- }, "I-17: item 0 of the cart: its total is 11039"},
		"AVoucherBeyondTheLine": {func(c *pay.Cart) {
			l := &c.Lines[0]
			l.VoucherMinor += 10_000
			l.SubtotalMinor -= 10_000
			l.VATMinor, l.TotalMinor = 0, l.SubtotalMinor
			c.VATBasisPoints = 0
		}, "I-17: item 0 of the cart: its total is -800"},
		"TheSubtotal":   {func(c *pay.Cart) { c.SubtotalMinor++ }, "I-17: the cart's subtotal is 34051, its lines come to 34050"},
		"TheVAT":        {func(c *pay.Cart) { c.VATMinor++ }, "I-17: the cart's VAT is 6811, its lines come to 6810"},
		"TheTotal":      {func(c *pay.Cart) { c.TotalMinor++ }, "I-17: the cart's total is 40861, its lines come to 40860"},
		"TheVATMode":    {func(c *pay.Cart) { c.VATMode = pay.VATInclusive }, "I-17: item 0"},
		"AMissingLine":  {func(c *pay.Cart) { c.Lines = c.Lines[:1] }, "I-17: the cart's subtotal is 34050, its lines come to 9200"},
		"TheCurrency":   {func(c *pay.Cart) { c.Currency = "EUR" }, "I-17: the order is over 408.60 GBP, its cart over 408.60 EUR"},
		"AnotherAmount": {nil, "I-17: the order is over 408.61 GBP, its cart over 408.60 GBP"},
		"AStatedSubtotalIsTakenAsItIs": {func(c *pay.Cart) {
			c.Lines[0].Stated, c.Lines[0].SetupMinor = true, 7
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
				w := paytest.Setup(t, open(t))
				o := w.Open().Order
				if c.change == nil {
					raw(w, "UPDATE orders SET total_minor = total_minor + 1")
				} else {
					c.change(&o.Cart)
					text, err := json.Marshal(o.Cart)
					if err != nil {
						t.Fatal(err)
					}
					raw(w, "UPDATE orders SET cart = $1", string(text))
				}
				faults := slices.DeleteFunc(broken(w), func(f string) bool { return !strings.Contains(f, "I-17") })
				switch {
				case c.says == "" && len(faults) > 0:
					t.Errorf("faults were found: %q", faults)
				case c.says != "" && (len(faults) != 1 || !strings.HasPrefix(faults[0], w.Tenant.Slug+": "+o.ID+": ") || !strings.Contains(faults[0], c.says)):
					t.Errorf("found %q, want one that says %q", faults, c.says)
				}
			})
		})
	}
}

// TestALedgerThatWasChangedIsFound is I-04, and that Verify asks for it.
func TestALedgerThatWasChangedIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ query, says string }{
		"AnEntrysMemo":           {`UPDATE ledger_entries SET memo = 'x' WHERE kind = 'payment'`, "is not what was booked"},
		"AnEntrysTime":           {`UPDATE ledger_entries SET at = at + 1 WHERE kind = 'payment'`, "is not what was booked"},
		"ALinesAmount":           {`UPDATE ledger_lines SET amount_minor = amount_minor * 2 WHERE entry_id = (SELECT id FROM ledger_entries WHERE kind = 'payment')`, "is not what was booked"},
		"AnEntryThatCameLate":    {`UPDATE closed_days SET entries = entries - 1`, "I-04: the closed day has"},
		"AHashThatWasWrittenNew": {`UPDATE ledger_entries SET hash = '` + strings.Repeat("0", 64) + `' WHERE kind = 'payment'`, "is not what was booked"},
		"ADaysHash":              {`UPDATE closed_days SET hash = '` + strings.Repeat("0", 64) + `'`, "are not those that it was closed with"},
		"ADaysLastEntry":         {`UPDATE closed_days SET last_seq = last_seq + 1`, "I-04: the closed day ends with entry no. "},
		"ADaysTime":              {`UPDATE closed_days SET closed_at = closed_at + 1`, "or its time was changed"},
		"ADayBeforeTheFirst":     {`UPDATE closed_days SET previous = 'x'`, "does not follow the one before"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
				w := paytest.Setup(t, open(t))
				settled(w)
				w.Clock.Add(24 * time.Hour)
				if err := w.Pay.CloseDays(t.Context()); err != nil {
					t.Fatal(err)
				}
				if faults := broken(w); len(faults) > 0 {
					t.Fatalf("faults before anything was done: %q", faults)
				}
				raw(w, c.query)
				if faults := broken(w); !slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, c.says) }) {
					t.Errorf("found %q, want one that says %q", faults, c.says)
				}
			})
		})
	}
}

// TestAClosedDayThatIsGoneIsFound is I-04 where nothing is left that the chain could miss:
// the newest day, or all of them. That a day is open is no fault as long as no sweep that
// ended well had the time to close it.
func TestAClosedDayThatIsGoneIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		gone string
		want int
	}{"NoneIs": {"FALSE", 0}, "TheNewestIs": {"day = '2026-03-05'", 1}, "AllAre": {"TRUE", 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
				ctx := t.Context()
				w := paytest.Setup(t, open(t))
				settled(w)
				for n := range 2 {
					w.Clock.Add(24 * time.Hour)
					w.Return(bought(w, func(in *pay.CheckoutInput) { in.ContentID = int64(n + 2) }))
				}
				w.Clock.Add(time.Hour)
				for _, closes := range []bool{false, true} {
					listed(t, w)
					if faults := broken(w); len(faults) > 0 {
						t.Errorf("days that a sweep closes next are faults: %q", faults)
					}
					if closes {
						if err := w.Pay.CloseDays(ctx); err != nil {
							t.Fatal(err)
						}
					}
				}
				w.Clock.Add(2 * time.Hour)
				listed(t, w)
				statement := "DELETE FROM closed_days WHERE " + c.gone
				if w.Store.Dialect() == sqlstore.SQLite {
					if _, err := w.Store.DB().ExecContext(ctx, "DROP TRIGGER closed_days_no_delete; "+statement); err != nil {
						t.Fatal(err)
					}
				} else {
					raw(w, statement)
				}
				faults, err := w.Pay.VerifyLedger(ctx, w.Tenant)
				if err != nil || len(faults) != c.want || c.want > 0 && !strings.Contains(faults[0], "I-04: the day is not closed") {
					t.Errorf("found %q, %v", faults, err)
				}
				if err := w.Pay.CloseDays(ctx); err != nil {
					t.Fatal(err)
				}
				if faults, err := w.Pay.VerifyLedger(ctx, w.Tenant); err != nil || len(faults) > 0 {
					t.Errorf("after the next sweep: %q, %v", faults, err)
				}
			})
		})
	}
}

// TestAPaymentsVATIsItsCarts is I-17, on the row that accountants' exports read.
func TestAPaymentsVATIsItsCarts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		w := paytest.Setup(t, open(t))
		o := settled(w)
		raw(w, "UPDATE payments SET vat_minor = vat_minor - 1")
		want := w.Tenant.Slug + ": " + o.ID + ": I-17: the payment has a VAT of 6809, the cart 6810"
		if faults := broken(w); !slices.Contains(faults, want) {
			t.Errorf("found %q, want %q", faults, want)
		}
	})
}

// TestAGuardThatIsGoneIsFound is I-03; the store's own tests take each of them away.
func TestAGuardThatIsGoneIsFound(t *testing.T) {
	t.Parallel()
	w := paytest.Setup(t, storetest.OpenSQLite(t))
	raw(w, "SELECT 1")
	faults := broken(w)
	if len(faults) != 3 || !strings.HasPrefix(faults[0], "database: closed_days_no_update on closed_days: I-03: ") {
		t.Errorf("with three triggers dropped: %q", faults)
	}
}

// TestWhatWaitsTooLongIsFound is I-07 and I-28, by the limits that Verify sets.
func TestWhatWaitsTooLongIsFound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		w := paytest.Setup(t, open(t))
		w.Open()
		for _, step := range []struct {
			after time.Duration
			want  int
		}{{47 * time.Hour, 0}, {2 * time.Hour, 1}} {
			w.Clock.Add(step.after)
			if faults := broken(w); len(faults) != step.want {
				t.Errorf("after %s more nobody asked about the attempt: %q", step.after, faults)
			}
		}
		w.Sweep()
		if faults := broken(w); len(faults) > 0 {
			t.Errorf("after the sweep: %q", faults)
		}
	})
}

// TestVerifyTellsOfADatabaseThatFails fails each of its reads.
func TestVerifyTellsOfADatabaseThatFails(t *testing.T) {
	t.Parallel()
	w := paytest.Setup(t, storetest.OpenSQLite(t))
	settled(w)
	store := w.WrapStore()
	for n := 1; ; n++ {
		store.Arm(n, paytest.DatabaseGone())
		_, err := w.Pay.Verify(t.Context(), "")
		failed := store.Disarm()
		if failed == "" {
			if err != nil || n < 6 {
				t.Errorf("with nothing failing: %v, after %d reads", err, n-1)
			}
			return
		}
		if pay.CodeOf(err) != pay.CodeUnavailable {
			t.Errorf("%s failed: %v", failed, err)
		}
	}
}
