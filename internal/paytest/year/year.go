// Package year makes a year of business for tests that need much of it: the rows that
// pay would have written for some number of payments of three tenants, with their
// refunds, disputes, conversions, daily payouts and closed days. The books they make
// are in order, so that what a measurement reads is what a healthy till has. The same
// seed makes the same year.
//
// The rows are written in bulk, as SQL, because a million settles take hours; the
// databases' constraints and triggers stay on, and the package's own test asks pay
// whether the books are square. Nothing but tests may import it, and it must not be
// taken for a description of the rules: those are in pay.
package year

import (
	"cmp"
	"container/heap"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/pay"
)

// The year begins at Start and ends before End; Now is a time after it at which all
// that Stripe made has been listed and every day can be closed.
var (
	Start = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	End   = Start.AddDate(1, 0, 0)
	Now   = End.Add(30 * time.Hour)
)

// Size is how much a year has.
type Size struct {
	Payments int
	Seed     uint64
}

// Rows is how many rows of a table were written.
type Rows map[string]int

// tenant is a tenant with its customers and the ids that Stripe would give it.
type tenant struct {
	*pay.Tenant
	account   string // what Stripe's ids of one account have in common
	customers []string
	sells     []pay.Currency
	seal      hash.Hash // of the day, as pay.ClosedDay has it
	entries   int64     // that are in it
	lastSeq   int64
	closed    string // the hash of the day before
}

// maker writes one year, day by day.
type maker struct {
	ctx     context.Context
	rng     *rand.Rand
	out     bulk
	rows    map[string][][]any // of the day, by table
	written Rows
	tenants []*tenant
	later   queue
	credit  map[creditKey]int64
	payouts map[payoutKey]*payout // of the day
	events  int
	seq     int64 // of the entry that was written last
}

type creditKey struct {
	tenantID, customerID string
	currency             pay.Currency
}

// payoutKey is a balance at Stripe: each currency in which an account is settled is
// paid out by itself.
type payoutKey struct {
	tenantID string
	currency pay.Currency
}

type payout struct {
	id    string
	minor int64
	lines [][]any // the balance transactions that are in it
}

// Fill writes a year into a store that is migrated and empty, and closes its days.
func Fill(ctx context.Context, s *sqlstore.Store, size Size) (Rows, error) {
	out, err := openBulk(ctx, s)
	if err != nil {
		return nil, err
	}
	first, err := out.firstSeq()
	if err != nil {
		return nil, errors.Join(err, out.close())
	}
	m := &maker{seq: first - 1, ctx: ctx, rng: rand.New(rand.NewPCG(size.Seed, 2025)), out: out, rows: map[string][][]any{}, written: Rows{},
		credit: map[creditKey]int64{}, payouts: map[payoutKey]*payout{}}
	if err := errors.Join(m.fill(s, size.Payments), out.close()); err != nil {
		return nil, fmt.Errorf("fill a year of %d payments: %w", size.Payments, err)
	}
	return m.written, nil
}

// daysOf is how many days a year of business has.
const daysOf = 365

func (m *maker) fill(s *sqlstore.Store, payments int) error {
	if err := m.openShops(s, max(payments/20, 6)); err != nil {
		return err
	}
	made := 0
	for day := range daysOf {
		midnight := Start.AddDate(0, 0, day)
		// Nothing happens in the last two minutes but the payouts: a payout has the
		// balance transactions that Stripe made before it.
		today := (day+1)*payments/daysOf - made
		for i := range today {
			at := midnight.Add(time.Duration(i) * (24*time.Hour - 2*time.Minute) / time.Duration(today)).Truncate(time.Microsecond)
			m.runUntil(at)
			m.sell(at)
		}
		made += today
		m.runUntil(midnight.Add(24*time.Hour - 2*time.Minute))
		m.payOut(midnight.Add(24*time.Hour - 30*time.Second))
		m.closeDay(midnight)
		if len(m.rows["ledger_entries"]) > 5000 || day == daysOf-1 {
			if err := m.flush(); err != nil {
				return err
			}
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(m.credit), func(a, b creditKey) int {
		return cmp.Or(cmp.Compare(a.tenantID, b.tenantID), cmp.Compare(a.customerID, b.customerID), cmp.Compare(a.currency, b.currency))
	}) {
		m.row("customer_balances", k.tenantID, k.customerID, string(k.currency), m.credit[k])
	}
	return m.flush()
}

// openShops makes the tenants and their customers. The third sells in two currencies
// and has half of what comes in euros converted.
func (m *maker) openShops(s *sqlstore.Store, customers int) error {
	shops := []struct {
		slug     string
		currency pay.Currency
		sells    []pay.Currency
	}{{"north", "GBP", []pay.Currency{"GBP"}}, {"south", "EUR", []pay.Currency{"EUR"}}, {"west", "GBP", []pay.Currency{"GBP", "EUR"}}}
	for i, shop := range shops {
		t := pay.NewTenant(shop.slug, "Telecom "+shop.slug, shop.currency, Start)
		t.ID, t.Currencies = fmt.Sprintf("tnt_year%022d", i), shop.sells
		t.StripeAccount = fmt.Sprintf("acct_1YEAR%d", i)
		if err := s.InTx(m.ctx, func(tx pay.Tx) error {
			if err := tx.InsertTenant(m.ctx, t); err != nil {
				return err
			}
			for _, kind := range []pay.ListKind{pay.ListBalance, pay.ListPayouts} {
				if err := tx.SetSweepMark(m.ctx, t.ID, kind, pay.SweepMark{Through: Now, DeepAt: Now}, Now); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
		shop := &tenant{Tenant: t, account: fmt.Sprintf("LkdIwHu7i%d", i), sells: shop.sells}
		for n := range customers / len(shops) {
			id := m.id("cst", Start)
			shop.customers = append(shop.customers, id)
			m.row("customers", id, t.ID, int64(n+1), int64(0), fmt.Sprintf("Customer %d", n), fmt.Sprintf("c%d@%s.example", n, t.Slug), "", "",
				`{"Line1":"1 High Street","City":"London","Country":"GB"}`, "{}", micros(Start), micros(Start))
		}
		m.tenants = append(m.tenants, shop)
	}
	return m.flush()
}

// action is something that happens later than what caused it.
type action struct {
	at time.Time
	n  int // actions of the same moment keep their order
	do func(at time.Time)
}

type queue []action

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at.Before(q[j].at) || q[i].at.Equal(q[j].at) && q[i].n < q[j].n
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(a any)   { *q = append(*q, a.(action)) }
func (q *queue) Pop() any {
	old := *q
	a := old[len(old)-1]
	*q = old[:len(old)-1]
	return a
}

// afterDays has something happen some days later at the same time of day, and reports
// whether that is within the year; what is not never happens.
func (m *maker) afterDays(at time.Time, days int, do func(at time.Time)) bool {
	then := at.AddDate(0, 0, days)
	if !then.Before(End) {
		return false
	}
	m.events++
	heap.Push(&m.later, action{then, m.events, do})
	return true
}

func (m *maker) runUntil(at time.Time) {
	for len(m.later) > 0 && m.later[0].at.Before(at) {
		a := heap.Pop(&m.later).(action)
		a.do(a.at)
	}
}

// The alphabets of our ids (pay.NewID) and of Stripe's.
const (
	crockford = "0123456789abcdefghjkmnpqrstvwxyz"
	base62    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// id is like pay.NewID's: it sorts by time.
func (m *maker) id(prefix string, at time.Time) string {
	b := make([]byte, 26)
	ms := uint64(at.UnixMilli())
	for i := 9; i >= 0; i-- {
		b[i], ms = crockford[ms&31], ms>>5
	}
	for i := 10; i < 26; i++ {
		b[i] = crockford[m.rng.Uint64()&31]
	}
	return prefix + "_" + string(b)
}

// stripeID is like Stripe's: a part that grows with time, one of the account, a random
// one, as in pi_3MtwBwLkdIwHu7ix28a3tqPa.
func (m *maker) stripeID(prefix string, t *tenant, at time.Time) string {
	b := make([]byte, 6, 24)
	seconds := at.Unix()
	for i := 5; i >= 0; i-- {
		b[i], seconds = base62[seconds%62], seconds/62
	}
	b = append(b, t.account...)
	for range 8 {
		b = append(b, base62[m.rng.IntN(62)])
	}
	return prefix + "_3" + string(b)
}

func micros(t time.Time) int64 { return t.UnixMicro() }

// orNull is the value of a column that is NULL rather than empty.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// row adds a row to the day's.
func (m *maker) row(table string, values ...any) { m.rows[table] = append(m.rows[table], values) }

// flush writes the day, rows that others refer to first.
func (m *maker) flush() error {
	for _, t := range tables {
		rows := m.rows[t.name]
		if len(rows) == 0 {
			continue
		}
		if err := m.out.write(t, rows); err != nil {
			return fmt.Errorf("write %s: %w", t.name, err)
		}
		m.written[t.name] += len(rows)
		m.rows[t.name] = rows[:0]
	}
	return m.out.commit()
}

// vatWithin is the VAT of 20 % that an amount contains, rounded half up as pay does.
func vatWithin(minor int64) int64 { return (minor + 3) / 6 }

// cart is what an order of one line over an amount, 20 % VAT contained, is stored as.
func cart(total pay.Money) string {
	vat := vatWithin(total.Minor)
	body, err := json.Marshal(pay.Cart{Currency: total.Currency, VATMode: pay.VATInclusive, VATBasisPoints: 2000, SubtotalMinor: total.Minor, VATMinor: vat, TotalMinor: total.Minor,
		Lines: []pay.Line{{Title: "Top-up", Quantity: 1, SetupMinor: total.Minor, SubtotalMinor: total.Minor, VATMinor: vat, TotalMinor: total.Minor, VATApplicable: true}}})
	if err != nil {
		panic("year: a cart does not marshal: " + err.Error()) // it has texts and numbers only
	}
	return string(body)
}
