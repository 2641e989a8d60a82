package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/portatill/portatill/pay"
)

// Readers is the pool that reads, for tests outside the package.
func Readers(s *Store) *sql.DB { return s.readers }

func migrated(t *testing.T) *Store {
	t.Helper()
	ctx := context.Background()
	s, err := Open(ctx, Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "x.db"), SecretKey: "a key of at least thirty-two characters"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheSchemasVersionIsThatOfTheNewestMigration(t *testing.T) {
	t.Parallel()
	for _, dialect := range []string{SQLite, Postgres} {
		files, err := fs.Glob(migrations, "migrations/"+dialect+"/*.sql")
		if err != nil || len(files) != schemaVersion-firstVersion+1 || !strings.Contains(files[len(files)-1], fmt.Sprintf("/%05d_", schemaVersion)) {
			t.Errorf("%s: version %d, files %v (%v)", dialect, schemaVersion, files, err)
		}
	}
}

func TestEveryBookViewIsVerified(t *testing.T) {
	t.Parallel()
	rows, err := migrated(t).writer.Query("SELECT name FROM sqlite_master WHERE type = 'view'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var views []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		views = append(views, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	listed := slices.Sorted(slices.Values(slices.Concat(bookViews, verifyViews)))
	slices.Sort(views)
	if d := cmp.Diff(views, listed); d != "" {
		t.Errorf("views − listed +:\n%s", d)
	}
}

// recorder notes the statements that go through it.
type recorder struct {
	conn
	seen []statement
}

type statement struct {
	query string
	args  []any
}

func (r *recorder) note(query string, args []any) { r.seen = append(r.seen, statement{query, args}) }

func (r *recorder) ExecContext(ctx context.Context, q string, args ...any) (sql.Result, error) {
	r.note(q, args)
	return r.conn.ExecContext(ctx, q, args...)
}

func (r *recorder) QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	r.note(q, args)
	return r.conn.QueryContext(ctx, q, args...)
}

func (r *recorder) QueryRowContext(ctx context.Context, q string, args ...any) *sql.Row {
	r.note(q, args)
	return r.conn.QueryRowContext(ctx, q, args...)
}

// TestEveryLookupUsesAnIndex calls every method of pay.Tx with values of its
// argument types, and asks SQLite how it would run the statements. What reads
// all rows by its nature is named here.
func TestEveryLookupUsesAnIndex(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := migrated(t)
	whole := map[string]bool{"ListTenants": true, "Balances": true, "VerifyBooks": true, "VerifyMore": true, "ReadProof": true, "ReadVAT": true, "LockLedger": true, "Enqueue": true}
	kind := reflect.TypeFor[pay.Tx]()
	checked := 0
	for i := range kind.NumMethod() {
		name := kind.Method(i).Name
		if whole[name] {
			continue
		}
		t.Run(name, func(t *testing.T) {
			raw, err := s.writer.BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = raw.Rollback() }()
			x := s.newTx(raw)
			rec := &recorder{conn: raw}
			x.c = rec
			callAll(ctx, x, name)
			if len(rec.seen) == 0 {
				t.Fatal("no statement was seen")
			}
			for _, st := range rec.seen {
				for _, step := range plan(t, raw, st) {
					if strings.HasPrefix(step, "SCAN ") && !strings.HasPrefix(step, "SCAN CONSTANT") && !strings.HasPrefix(step, "SCAN (") {
						t.Errorf("%s\n  in %s", step, st.query)
					}
				}
				checked++
			}
		})
	}
	if checked < 50 {
		t.Errorf("only %d statements were looked at", checked)
	}
}

// callAll calls a method of pay.Tx with plausible arguments; ListOrders with each
// of its filters. Errors do not matter here: the statements were seen.
func callAll(ctx context.Context, x *tx, name string) {
	if name == "ListOrders" {
		for _, f := range []pay.OrderFilter{{TenantID: "t"}, {TenantID: "t", CustomerID: "c"}, {TenantID: "t", State: pay.OrderOpen, After: "o"},
			{TenantID: "t", FeatureName: "f"}, {TenantID: "t", ContentID: 7}} {
			_, _ = x.ListOrders(ctx, f)
		}
		return
	}
	if name == "KnownObjects" {
		for kind := range knownQueries {
			_, _ = x.KnownObjects(ctx, "t", kind, []pay.Listed{{ID: "a", IntentID: "pi"}, {ID: "b", IntentID: "pi"}})
		}
		return
	}
	method := reflect.ValueOf(x).MethodByName(name)
	args := []reflect.Value{reflect.ValueOf(ctx)}
	for i := 1; i < method.Type().NumIn(); i++ {
		args = append(args, sample(method.Type().In(i)))
	}
	if name == "MoveOrder" {
		args[3], args[4] = reflect.ValueOf(pay.OrderOpen), reflect.ValueOf(pay.OrderExpired)
	}
	if name == "MarkOrderPaid" {
		args[3] = reflect.ValueOf(pay.OrderOpen)
	}
	method.Call(args)
}

// sample is a value of a type that is not zero.
func sample(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = time.Now()
		return v
	case **pay.LedgerEntry:
		*x = &pay.LedgerEntry{ID: "l", TenantID: "t", Kind: pay.EntryFee, Fact: "f", Currency: "GBP", Cause: pay.Cause{Kind: "k", ID: "i"}, At: time.Now(),
			Lines: []pay.LedgerLine{{Account: pay.AccountFees, AmountMinor: 1}, {Account: pay.AccountStripe, AmountMinor: -1}}}
		return v
	}
	switch t.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Func:
		v.Set(reflect.MakeFunc(t, func([]reflect.Value) []reflect.Value { // takes everything
			out := make([]reflect.Value, t.NumOut())
			for i := range out {
				out[i] = reflect.Zero(t.Out(i))
			}
			return out
		}))
	case reflect.Slice:
		v.Set(reflect.Append(v, sample(t.Elem())))
	case reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		for i := range t.Elem().NumField() {
			if f := v.Elem().Field(i); f.Kind() == reflect.String {
				f.SetString("x")
			}
		}
	}
	return v
}

// TestAnOrdersStoryIsFoundByItsIndexes: SQLite, left to choose, read all of a tenant's ledger lines, and all of its
// events, for the page of one order.
func TestAnOrdersStoryIsFoundByItsIndexes(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := migrated(t)
	raw, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Rollback() }()
	rec := &recorder{conn: raw}
	r := reader{c: rec, keys: s.keys}
	if _, err := r.EventsAbout(ctx, "ten_x", []string{"pi_1", "cs_1"}, 200); err != nil {
		t.Fatal(err)
	}
	if err := r.addLines(ctx, []*pay.LedgerEntry{{Seq: 1}}, " WHERE e.tenant_id = $1 AND e.order_id = $2", "ten_x", "ord_x"); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"events_object (tenant_id=? AND object_id=?)", "ledger_entries_order (tenant_id=? AND order_id=?)"} {
		if steps := strings.Join(plan(t, raw, rec.seen[i]), "; "); !strings.Contains(steps, want) || strings.Contains(steps, "(tenant_id=?)") {
			t.Errorf("%s", steps)
		}
	}
}

func plan(t *testing.T, raw *sql.Tx, st statement) []string {
	t.Helper()
	rows, err := raw.Query("EXPLAIN QUERY PLAN "+st.query, st.args...)
	if err != nil {
		t.Fatalf("%v\n  in %s", err, st.query)
	}
	defer rows.Close()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}

func TestDriversErrorsAreRecognisedByNumber(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]fault{"40001": faultRetry, "40P01": faultRetry, "23505": faultRetry, "57P01": faultUnavailable, "53300": faultUnavailable,
		"08006": faultUnavailable, "57014": faultUnavailable, "25006": faultUnavailable, "23514": faultInternal, "42601": faultInternal} {
		err := fmt.Errorf("wrapped: %w", &pgconn.PgError{Code: code})
		if got := faultOf(err); got != want {
			t.Errorf("%s is %d, want %d", code, got, want)
		}
		if unavailable := pay.CodeOf(classify("step", err)) == pay.CodeUnavailable; unavailable != (want != faultInternal) {
			t.Errorf("%s: CodeUnavailable is %v", code, unavailable)
		}
	}
	if classify("step", nil) != nil || faultOf(errors.New("x")) != faultInternal {
		t.Error("no error, or an unknown one, is classified")
	}
}

// TestARaceThatTheDatabaseAsksToRepeatIsRepeatedFiveTimes lets a transaction
// report what PostgreSQL reports, also when its caller swallows it.
func TestARaceThatTheDatabaseAsksToRepeatIsRepeatedFiveTimes(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	ctx := context.Background()
	for _, lost := range []int{1, 4, 99} {
		runs := 0
		err := s.InTx(ctx, func(p pay.Tx) error {
			if runs++; runs <= lost {
				x := p.(*tx)
				_ = x.fail("step", &pgconn.PgError{Code: "40001"})
			}
			return nil
		})
		if want := min(lost+1, maxTries); runs != want || (err == nil) != (lost < maxTries) {
			t.Errorf("%d lost races: %d runs, %v", lost, runs, err)
		}
		if err != nil && pay.CodeOf(err) != pay.CodeUnavailable {
			t.Errorf("gave up with %v", err)
		}
	}
}

func TestVersionsAreComparedAsNumbers(t *testing.T) {
	t.Parallel()
	for have, older := range map[string]bool{"3.51.3": false, "3.51.2": true, "3.51.10": false, "3.9.9": true, "4.0.0": false, "3.52": false, "3.51": true} {
		if olderVersion(have, "3.51.3") != older {
			t.Errorf("%s: older is %v", have, !older)
		}
	}
}

// TestMembersOfOneBatchDoNotTouchEachOther makes each transaction wait until the
// next one waits behind it, so that all four share one commit.
func TestMembersOfOneBatchDoNotTouchEachOther(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	s.group.longest = time.Hour
	ctx := context.Background()
	undo := errors.New("undo")
	names := []string{"fine", "undone", "good", "cancelled", "last"}
	errs := make([]error, len(names))
	var wg sync.WaitGroup
	var earlier pay.Tx
	var member func(i int)
	member = func(i int) {
		defer wg.Done()
		mine, cancel := context.WithCancel(ctx)
		defer cancel()
		errs[i] = s.InTx(mine, func(x pay.Tx) error {
			if i+1 < len(names) {
				wg.Add(1)
				go member(i + 1)
				for s.group.waiting.Load() == 0 {
					runtime.Gosched()
				}
			}
			if earlier != nil {
				if _, err := earlier.ListTenants(ctx); !errors.Is(err, sql.ErrTxDone) {
					t.Errorf("a transaction that has ended still reads: %v", err)
				}
			}
			earlier = x
			if err := x.InsertTenant(ctx, pay.NewTenant(names[i], names[i], "GBP", time.Now())); err != nil {
				return err
			}
			switch names[i] {
			case "undone":
				return undo
			case "cancelled":
				cancel()
				_, err := x.TenantBySlug(mine, names[i])
				return err
			}
			return nil
		})
	}
	wg.Add(1)
	member(0)
	wg.Wait()
	for i, want := range []error{nil, undo, nil, context.Canceled, nil} {
		_, err := s.TenantBySlug(ctx, names[i])
		if !errors.Is(errs[i], want) || pay.IsNotFound(err) != (want != nil) {
			t.Errorf("%s: ended with %v, read gives %v", names[i], errs[i], err)
		}
	}
}

func TestASchemaFromBeforeTheFirstReleaseIsRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s, err := Open(ctx, Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "old.db"), SecretKey: "a key of at least thirty-two characters"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.DB().ExecContext(ctx, "CREATE TABLE "+versionTable+" (version_id INTEGER); INSERT INTO "+versionTable+" VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(ctx); !errors.Is(err, ErrSchemaUnreleased) {
		t.Errorf("migrate: %v", err)
	}
	if err := s.Ping(ctx); !errors.Is(err, ErrSchemaUnreleased) {
		t.Errorf("ping: %v", err)
	}
}
