package pay_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// in makes a cart's currency another.
func in(currency string) func(*pay.CheckoutInput) {
	return func(c *pay.CheckoutInput) {
		for i := range c.Items {
			c.Items[i].Currency = currency
		}
	}
}

// numbered tells one request from another of the same cart.
func numbered(n int64) func(*pay.CheckoutInput) {
	return func(c *pay.CheckoutInput) { c.ContentID = n }
}

// untaxed makes the second line one without VAT.
func untaxed(c *pay.CheckoutInput) { c.Items[1].VATApplicable = false }

// sale is an order that is paid and booked.
func sale(w *paytest.World, changes ...func(*pay.CheckoutInput)) *pay.Order {
	w.T.Helper()
	o := bought(w, changes...)
	w.Return(o)
	return w.Order(o.ID)
}

func refundPart(w *paytest.World, o *pay.Order, minor int64) {
	w.T.Helper()
	if _, err := w.Pay.Refund(context.Background(), pay.RefundOrder{TenantID: w.Tenant.ID, OrderID: o.ID, Key: fmt.Sprint(o.ID, minor),
		Amount: pay.Money{Minor: minor, Currency: o.Cart.Currency}, Cause: byStaff}); err != nil {
		w.T.Fatalf("refund %d of %s: %v", minor, o.ID, err)
	}
}

// sweptAll lists what Stripe has.
func sweptAll(w *paytest.World) {
	w.T.Helper()
	ctx := context.Background()
	tenant, err := w.Store.TenantByID(ctx, w.Tenant.ID)
	if err != nil {
		w.T.Fatal(err)
	}
	if done, err := w.Pay.SweepObjects(ctx, tenant); err != nil || done.Failed > 0 {
		w.T.Fatalf("sweep: %+v %v", done, err)
	}
}

// settlesIn turns the double's dial.
func settlesIn(w *paytest.World, currency string) {
	w.T.Helper()
	res, err := http.Post(w.SandboxURL+"/_sandbox/dials", "application/json", strings.NewReader(`{"settlement_currency":"`+currency+`"}`))
	if err != nil {
		w.T.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		w.T.Fatalf("the dial answered %d", res.StatusCode)
	}
}

// quarter is four days of a tenant's business, with all that happens to money: refunds
// whole, partial and failed, disputes won, lost and open, Stripe's own fee, money without
// an order, a payout that came back, currencies that Stripe keeps apart and, later, ones
// that it converts. It returns the orders by what became of them.
func quarter(w *paytest.World) map[string]*pay.Order {
	w.T.Helper()
	ctx := context.Background()
	intentOf := func(o *pay.Order) string { return w.Attempts(o.ID)[0].IntentID }
	o := map[string]*pay.Order{"partly": sale(w, numbered(1), untaxed), "euros": sale(w, numbered(2), in("EUR")), "lost": sale(w, numbered(3)), "won": sale(w, numbered(4)), "back": sale(w, numbered(5))}
	refundPart(w, o["partly"], 5000)
	refundPart(w, o["partly"], 3001)
	w.ActWith("dispute", map[string]any{"id": intentOf(o["lost"])})
	w.ActWith("dispute", map[string]any{"id": w.DisputeAtStripe(), "outcome": "lost"})
	w.DeliverAll()
	w.ActWith("dispute", map[string]any{"id": intentOf(o["won"])})
	w.ActWith("fee", map[string]any{"id": account(w), "amount": 777, "currency": "gbp"})
	refundPart(w, o["back"], 1234)
	w.DeliverAll()
	sweptAll(w)

	w.Clock.Add(24 * time.Hour)
	w.ActWith("dispute", map[string]any{"id": w.DisputeAtStripe(), "outcome": "won"})
	w.Act("fail_refund", w.RefundAtStripe(), 0)
	w.DeliverAll()
	_, u := found(w)
	if _, err := w.Pay.AssignUnclaimed(ctx, pay.AssignUnclaimed{TenantID: w.Tenant.ID, ID: u.ID, OrderID: o["won"].ID, Reason: "rang us", Cause: byStaff}); err != nil {
		w.T.Fatal(err)
	}
	w.ActWith("payout", map[string]any{"id": account(w)})
	sweptAll(w)

	w.Clock.Add(24 * time.Hour)
	w.Act("fail_payout", payoutAtStripe(w, "gbp"), 0)
	settlesIn(w, "gbp")
	o["converted"] = sale(w, numbered(6), in("EUR"))
	refundPart(w, o["converted"], 999)
	o["yen"] = sale(w, numbered(7), func(c *pay.CheckoutInput) {
		c.Items = []pay.CartItem{{Title: "Number", Quantity: 1, SetupFee: "1001", Currency: "JPY", VATApplicable: true}}
	})
	w.DeliverAll()
	sweptAll(w)

	w.Clock.Add(24 * time.Hour)
	w.ActWith("payout", map[string]any{"id": account(w)})
	sweptAll(w)
	return o
}

// account is the tenant's at Stripe.
func account(w *paytest.World) string {
	w.T.Helper()
	t, err := w.Store.TenantByID(context.Background(), w.Tenant.ID)
	if err != nil {
		w.T.Fatal(err)
	}
	return t.StripeAccount
}

type stripePayout struct {
	ID, Currency, Status string
	Amount               int64
}

func payoutsAtStripe(w *paytest.World) []stripePayout {
	w.T.Helper()
	var page struct{ Data []stripePayout }
	w.API(http.MethodGet, "/v1/payouts?limit=100", nil, &page)
	return page.Data
}

func payoutAtStripe(w *paytest.World, currency string) string {
	w.T.Helper()
	all := payoutsAtStripe(w)
	at := slices.IndexFunc(all, func(p stripePayout) bool { return p.Currency == currency })
	if at < 0 {
		w.T.Fatalf("no payout in %s: %v", currency, all)
	}
	return all[at].ID
}

func TestTheBooksAreExported(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		w := paytest.Setup(t, open(t))
		orders := quarter(w)
		ctx, all := context.Background(), pay.Days(w.Tenant.ID, time.Time{}, w.Clock.Now())
		// Of the same database, with the same customer's number: whatever it has is in no export above.
		other := w.Another()
		sale(other, numbered(9))

		t.Run("AndAPayoutsLinesSumToThePayoutToTheCent", func(t *testing.T) { testPayouts(t, w) })
		t.Run("AndADaysJournalIsWhatBooksShow", func(t *testing.T) { testJournalDays(t, w) })
		t.Run("AndAStatementClosesWithTheCreditInTheBooks", func(t *testing.T) { testStatements(t, w) })
		t.Run("AndTheVATSummaryIsWhatCustomersWereCredited", func(t *testing.T) { testVAT(t, w, orders) })
		t.Run("AndNothingOfATenantIsAnothers", func(t *testing.T) {
			mine := map[string]bool{}
			for _, l := range journal(t, w, all) {
				mine[l.EntryID] = true
			}
			theirs := journal(t, other, pay.Days(other.Tenant.ID, time.Time{}, w.Clock.Now()))
			if len(theirs) < 2 || slices.ContainsFunc(theirs, func(l pay.JournalLine) bool { return mine[l.EntryID] }) {
				t.Errorf("the other's journal is %+v", theirs)
			}
			payout := payoutAtStripe(w, "gbp")
			if _, err := other.Pay.PayoutJournal(ctx, other.Tenant.ID, payout, func(*pay.JournalLine) error { t.Error("a line"); return nil }); pay.CodeOf(err) != pay.CodeNotFound || !strings.Contains(err.Error(), "portatill payouts list") {
				t.Errorf("another's payout: %v", err)
			}
			if list, err := other.Pay.Payouts(ctx, pay.PayoutFilter{TenantID: other.Tenant.ID}); err != nil || len(list) != 0 {
				t.Errorf("another's payouts: %v %v", list, err)
			}
			rows, err := other.Pay.VATSummary(ctx, pay.Days(other.Tenant.ID, time.Time{}, w.Clock.Now()))
			if err != nil || len(rows) == 0 || rows[0].Gross != "408.60" {
				t.Errorf("the other's VAT is %v %v", rows, err)
			}
			c, err := w.Store.CustomerByICustomer(ctx, w.Tenant.ID, paytest.ICustomer)
			if err != nil {
				t.Fatal(err)
			}
			if st := statement(t, other, pay.StatementQuery{ExportSpan: pay.Days(other.Tenant.ID, time.Time{}, w.Clock.Now()), CustomerID: c.ID, Currency: "GBP"}); st.Lines != 0 || st.Closing.Minor != 0 {
				t.Errorf("another's customer: %+v", st)
			}
		})
		t.Run("AndAnErrorOfTheReaderEndsIt", func(t *testing.T) {
			full := errors.New("the disk is full")
			calls := 0
			if _, err := w.Pay.Journal(ctx, all, func(*pay.JournalLine) error { calls++; return full }); !errors.Is(err, full) || calls != 1 {
				t.Errorf("%v after %d lines", err, calls)
			}
			if _, err := w.Pay.PayoutJournal(ctx, w.Tenant.ID, payoutAtStripe(w, "gbp"), func(*pay.JournalLine) error { return full }); !errors.Is(err, full) {
				t.Errorf("got %v", err)
			}
		})
		t.Run("AndABalanceTransactionThatTheLedgerDoesNotHaveIsNamed", func(t *testing.T) { testMissing(t, w) })
	})
}

func journal(t *testing.T, w *paytest.World, span pay.ExportSpan) (lines []pay.JournalLine) {
	t.Helper()
	if _, err := w.Pay.Journal(context.Background(), span, func(l *pay.JournalLine) error { lines = append(lines, *l); return nil }); err != nil {
		t.Fatal(err)
	}
	return lines
}

func statement(t *testing.T, w *paytest.World, q pay.StatementQuery) *pay.Statement {
	t.Helper()
	st, err := w.Pay.Statement(context.Background(), q, func(pay.Money) error { return nil }, func(*pay.StatementLine) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// testPayouts holds each payout to Stripe's own list of payouts.
func testPayouts(t *testing.T, w *paytest.World) {
	ctx, states, currencies := context.Background(), map[string]int{}, map[string]int{}
	atStripe := payoutsAtStripe(w)
	kinds := map[pay.EntryKind]bool{}
	for _, p := range atStripe {
		states[p.Status]++
		currencies[p.Currency]++
		sum, foreign, seen := int64(0), map[pay.Currency]int64{}, map[string]bool{}
		check, err := w.Pay.PayoutJournal(ctx, w.Tenant.ID, p.ID, func(l *pay.JournalLine) error {
			kinds[l.Kind] = true
			if l.PayoutID != p.ID || l.BalanceTransaction == "" || l.Fact == p.ID+":paid" {
				t.Errorf("%s has the line %+v", p.ID, l)
			}
			if l.Account == pay.AccountStripe { // of which an entry has one line
				if seen[l.EntryID] {
					t.Errorf("%s has a line twice: %+v", p.ID, l)
				}
				seen[l.EntryID] = true
				if l.Amount.Currency.Lower() == p.Currency {
					sum += l.Amount.Minor
				} else {
					foreign[l.Amount.Currency] += l.Amount.Minor
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if sum != p.Amount || !check.Square() || check.Ledger.Minor != p.Amount || check.Transactions == 0 {
			t.Errorf("%+v: the lines sum to %d, the check says %+v", p, sum, check)
		}
		for c, minor := range foreign {
			if minor != 0 {
				t.Errorf("%s: %d %s was not converted", p.ID, minor, c)
			}
		}
		for _, s := range check.Sums {
			if s.DebitMinor != s.CreditMinor || s.DebitMinor == 0 {
				t.Errorf("%s: %+v", p.ID, s)
			}
		}
	}
	if states["failed"] != 1 || states["paid"] != 2 || currencies["gbp"] != 2 || currencies["eur"] != 1 {
		t.Errorf("the story's payouts are %v %v", states, currencies)
	}
	for _, kind := range []pay.EntryKind{pay.EntryPayment, pay.EntryFee, pay.EntryRefund, pay.EntryRefundReversal, pay.EntrySuspense, pay.EntryDispute, pay.EntryDisputeReversal, pay.EntryPayoutReturn, pay.EntryConversion} {
		if !kinds[kind] {
			t.Errorf("no payout has a %s: the story is too simple", kind)
		}
	}
	list, err := w.Pay.Payouts(ctx, pay.PayoutFilter{TenantID: w.Tenant.ID})
	if err != nil || len(list) != len(atStripe) {
		t.Fatalf("%d payouts, want %d: %v", len(list), len(atStripe), err)
	}
	var ids []string
	for _, c := range list {
		whole, err := w.Pay.PayoutJournal(ctx, w.Tenant.ID, c.Payout.ID, func(*pay.JournalLine) error { return nil })
		if err != nil || whole.Ledger != c.Ledger || whole.Transactions != c.Transactions || c.Difference != (pay.Money{Currency: c.Payout.Amount.Currency}) {
			t.Errorf("the list has %+v, the journal %+v (%v)", c, whole, err)
		}
		ids = append(ids, c.Payout.ID)
	}
	var paged []string
	for after := ""; len(paged) < len(ids); after = paged[len(paged)-1] {
		page, err := w.Pay.Payouts(ctx, pay.PayoutFilter{TenantID: w.Tenant.ID, After: after, Limit: 1})
		if err != nil || len(page) != 1 {
			t.Fatalf("the page after %q: %d, %v", after, len(page), err)
		}
		paged = append(paged, page[0].Payout.ID)
	}
	if diff := cmp.Diff(ids, paged); diff != "" {
		t.Errorf("by pages:\n%s", diff)
	}
}

// testJournalDays compares each day, and all of them, with DayBooks and Books.
func testJournalDays(t *testing.T, w *paytest.World) {
	ctx := context.Background()
	accounts := func(span pay.ExportSpan) map[string]int64 {
		sums := map[string]int64{}
		for _, l := range journal(t, w, span) {
			sums[fmt.Sprint(l.Amount.Currency, " ", l.Account)] += l.Amount.Minor
			if l.ICustomer != 0 {
				sums[fmt.Sprint(l.Amount.Currency, " customer ", l.ICustomer)] -= l.Amount.Minor
			}
		}
		return sums
	}
	shown := func(b *pay.Books) map[string]int64 {
		sums := map[string]int64{}
		for _, tenant := range b.Tenants {
			if tenant.Tenant != w.Tenant.Slug {
				continue
			}
			put := func(what, text string) {
				m, err := pay.ParseMoney("amount", text, tenant.Currency)
				if err != nil {
					t.Fatal(err)
				}
				sums[fmt.Sprint(tenant.Currency, " ", what)] = m.Minor
			}
			for account, text := range tenant.Accounts {
				put(account, text)
			}
			for _, c := range tenant.Customers {
				put(fmt.Sprint("customer ", c.ICustomer), c.Credit)
			}
		}
		return sums
	}
	lines := 0
	for day := paytest.Start; !day.After(w.Clock.Now()); day = day.AddDate(0, 0, 1) {
		books, err := w.Pay.DayBooks(ctx, w.Tenant.ID, day)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(shown(books), accounts(pay.Days(w.Tenant.ID, day, day))); diff != "" {
			t.Errorf("%s: books − journal +:\n%s", day.Format(time.DateOnly), diff)
		}
		lines += len(journal(t, w, pay.Days(w.Tenant.ID, day, day)))
	}
	all := pay.Days(w.Tenant.ID, time.Time{}, w.Clock.Now())
	books, err := w.Pay.Books(ctx, w.Tenant.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(shown(books), accounts(all)); diff != "" {
		t.Errorf("all days: books − journal +:\n%s", diff)
	}
	if got := len(journal(t, w, all)); got != lines || lines < 40 {
		t.Errorf("%d lines in all, %d by days", got, lines)
	}
	for _, l := range journal(t, w, all) {
		root, suffix, _ := strings.Cut(l.Fact, ":")
		switch {
		case suffix == "assigned":
			if !strings.HasPrefix(l.Object, "pi_") || l.OrderID == "" {
				t.Errorf("an assignment is %+v", l)
			}
		case strings.HasPrefix(root, "txn_"):
			if l.BalanceTransaction != root {
				t.Errorf("a balance transaction's line is %+v", l)
			}
		case suffix != "lost" && l.BalanceTransaction == "" || l.Object != root:
			t.Errorf("%+v", l)
		}
		if l.Cause.Kind == "" || l.At.IsZero() || l.EntryID == "" {
			t.Errorf("%+v", l)
		}
	}
}

func testStatements(t *testing.T, w *paytest.World) {
	ctx := context.Background()
	c, err := w.Store.CustomerByICustomer(ctx, w.Tenant.ID, paytest.ICustomer)
	if err != nil {
		t.Fatal(err)
	}
	currencies, err := w.Store.CustomerCurrencies(ctx, w.Tenant.ID, c.ID)
	if err != nil || !slices.Equal(currencies, []pay.Currency{"EUR", "GBP", "JPY"}) {
		t.Fatalf("the customer's currencies: %v %v", currencies, err)
	}
	balances, err := w.Store.CustomerBalances(ctx, w.Tenant.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range balances {
		q := pay.StatementQuery{ExportSpan: pay.Days(w.Tenant.ID, time.Time{}, w.Clock.Now()), CustomerID: c.ID, Currency: b.Credit.Currency}
		whole := statement(t, w, q)
		if whole.Opening.Minor != 0 || whole.Closing != b.Credit || whole.Lines == 0 {
			t.Errorf("%s: the statement is %+v, the books have %s", b.Credit.Currency, whole, b.Credit)
		}
		// What was booked in the first moment of a span is in it, not before it.
		q.From = paytest.Start
		if st := statement(t, w, q); st.Opening.Minor != 0 || st.Closing != b.Credit || st.Lines != whole.Lines {
			t.Errorf("%s: from the first moment on it is %+v", b.Credit.Currency, st)
		}
		// Day by day each opens with what the one before closed with.
		balance, lines := pay.Money{Currency: q.Currency}, int64(0)
		for day := paytest.Start; !day.After(w.Clock.Now()); day = day.AddDate(0, 0, 1) {
			q.ExportSpan = pay.Days(w.Tenant.ID, day, day)
			opening, running := int64(-1), balance.Minor
			st, err := w.Pay.Statement(ctx, q, func(m pay.Money) error { opening = m.Minor; return nil }, func(l *pay.StatementLine) error {
				running += l.Amount.Minor
				if l.Balance.Minor != running || l.Amount.Minor == 0 {
					t.Errorf("%+v, want a balance of %d", l, running)
				}
				if l.Kind == pay.EntryPayment && (l.Amount.Minor < 0 || l.FeatureName != "Basket" || l.ContentID == 0) || l.Kind == pay.EntryRefund && l.Amount.Minor > 0 {
					t.Errorf("a movement is %+v", l)
				}
				return nil
			})
			if err != nil || st.Opening != balance || opening != balance.Minor || st.Closing.Minor != running {
				t.Errorf("%s: %+v after %s: %v", day.Format(time.DateOnly), st, balance, err)
			}
			balance, lines = st.Closing, lines+st.Lines
		}
		if balance != b.Credit || lines != whole.Lines {
			t.Errorf("by days it closes with %s after %d movements", balance, lines)
		}
	}
}

// testVAT compares the summary with the story, and its sums with the books'.
func testVAT(t *testing.T, w *paytest.World, orders map[string]*pay.Order) {
	ctx := context.Background()
	all := pay.Days(w.Tenant.ID, time.Time{}, w.Clock.Now())
	rows, err := w.Pay.VATSummary(ctx, all)
	if err != nil {
		t.Fatal(err)
	}
	minor := func(c pay.Currency, text string) int64 {
		if text == "" {
			return 0
		}
		m, err := pay.ParseMoney("amount", text, c)
		if err != nil {
			t.Fatal(err)
		}
		return m.Minor
	}
	gross := map[pay.Currency]int64{}
	find := map[string]pay.VATRow{}
	for _, r := range rows {
		if r.Line == pay.VATTotal || r.Line == pay.VATNoOrder {
			gross[r.Currency] += minor(r.Currency, r.Gross)
		}
		if r.Line != pay.VATNoOrder && r.Line != pay.VATOnFees && minor(r.Currency, r.Net)+minor(r.Currency, r.VAT) != minor(r.Currency, r.Gross) {
			t.Errorf("net and VAT are not gross: %+v", r)
		}
		find[fmt.Sprint(r.Currency, " ", r.Line, " ", r.Mode, r.Rate)] = r
	}
	balances, err := w.Store.CustomerBalances(ctx, w.Tenant.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range balances {
		if gross[b.Credit.Currency] != b.Credit.Minor {
			t.Errorf("the summary comes to %d %s, the customer's credit is %s", gross[b.Credit.Currency], b.Credit.Currency, b.Credit)
		}
	}
	// Four whole carts, of 340.50 net, and the taxed line, 92.00, of the one that has another
	// without VAT, of 248.50. Of that one 80.01 went back: 92.00 × 1.2 of 358.90 had VAT.
	partly := orders["partly"].Cart
	if partly.TotalMinor != 11040+24850 || partly.VATMinor != 1840 {
		t.Fatalf("the cart is %+v", partly)
	}
	const taxed, vat = 1538 + 923, 256 + 154 // 50.00 × 110.40 ÷ 358.90 = 15.38…, 30.01 × … = 9.23…; of 18.40: 2.56…, 1.54…
	want := []pay.VATRow{
		{Currency: "GBP", Line: pay.VATPayments, Mode: pay.VATExclusive, Rate: "20", Net: "1113.50", VAT: "222.70", Gross: "1336.20"},
		{Currency: "GBP", Line: pay.VATRefunds, Mode: pay.VATExclusive, Rate: "20", Net: money(-(taxed - vat)), VAT: money(-vat), Gross: money(-taxed)},
		{Currency: "GBP", Line: pay.VATLost, Mode: pay.VATExclusive, Rate: "20", Net: "-340.50", VAT: "-68.10", Gross: "-408.60"},
		{Currency: "GBP", Line: pay.VATRefunds, Mode: pay.VATNone, Rate: "0", Net: money(-(8001 - taxed)), VAT: "0.00", Gross: money(-(8001 - taxed))},
		{Currency: "GBP", Line: pay.VATNoOrder, Gross: "42.00"},
		{Currency: "EUR", Line: pay.VATPayments, Mode: pay.VATExclusive, Rate: "20", Net: "681.00", VAT: "136.20", Gross: "817.20"},
		{Currency: "EUR", Line: pay.VATRefunds, Mode: pay.VATExclusive, Rate: "20", Net: "-8.32", VAT: "-1.67", Gross: "-9.99"}, // 9.99 ÷ 6 = 1.665
		{Currency: "JPY", Line: pay.VATTotal, Mode: pay.VATExclusive, Rate: "20", Net: "1001", VAT: "200", Gross: "1201"},
	}
	for _, r := range want {
		if diff := cmp.Diff(r, find[fmt.Sprint(r.Currency, " ", r.Line, " ", r.Mode, r.Rate)]); diff != "" {
			t.Errorf("want − got +:\n%s", diff)
		}
	}
	// Each day alone: the days together are the whole, and a refund finds what went before it.
	sums := map[string]int64{}
	for day := paytest.Start; !day.After(w.Clock.Now()); day = day.AddDate(0, 0, 1) {
		rows, err := w.Pay.VATSummary(ctx, pay.Days(w.Tenant.ID, day, day))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			key := fmt.Sprint(r.Currency, " ", r.Line, " ", r.Mode, r.Rate)
			sums[key+" vat"] += minor(r.Currency, r.VAT)
			sums[key+" gross"] += minor(r.Currency, r.Gross)
		}
	}
	for key, r := range find {
		if sums[key+" vat"] != minor(r.Currency, r.VAT) || sums[key+" gross"] != minor(r.Currency, r.Gross) {
			t.Errorf("%s: by days %d of %d, in all %+v", key, sums[key+" vat"], sums[key+" gross"], r)
		}
	}
	before, err := w.Pay.VATSummary(ctx, pay.Days(w.Tenant.ID, paytest.Start.AddDate(0, 0, -9), paytest.Start.AddDate(0, 0, -1)))
	if err != nil || len(before) != 0 {
		t.Errorf("before the first sale: %v %v", before, err)
	}
}

func money(pence int64) string { return pay.Money{Minor: pence, Currency: "GBP"}.Text() }

// testMissing puts a balance transaction into a payout behind our back.
func testMissing(t *testing.T, w *paytest.World) {
	ctx := context.Background()
	payout := payoutAtStripe(w, "eur")
	storetest.Write(t, w.Store, func(ctx context.Context, tx pay.Tx) error {
		b := &pay.BalanceTransaction{TenantID: w.Tenant.ID, Fact: "re_missing:refunded", Source: pay.Money{Minor: -250, Currency: "EUR"}, LearntAt: w.Clock.Now()}
		b.ID, b.Type, b.SourceID, b.Amount, b.Fee, b.CreatedAt = "txn_missing", "refund", "re_missing", b.Source, pay.Money{Currency: "EUR"}, w.Clock.Now()
		if _, err := tx.InsertBalanceTransaction(ctx, b); err != nil {
			return err
		}
		return tx.SetPayoutOf(ctx, w.Tenant.ID, payout, []string{b.ID})
	})
	// Its sum is right, because the ledger has nothing of it: what is not there is found all the same.
	check, err := w.Pay.PayoutJournal(ctx, w.Tenant.ID, payout, func(*pay.JournalLine) error { return nil })
	if err != nil || check.Square() || !slices.Equal(check.Objects, []string{"txn_missing"}) || check.Difference.Minor != 0 {
		t.Errorf("%+v, %v", check, err)
	}
	for name, c := range map[string]struct {
		payout pay.StripePayout
		says   string
	}{
		"Unmatched": {pay.StripePayout{ID: "po_young", Status: "in_transit", Amount: pay.Money{Minor: 100, Currency: "GBP"}, Automatic: true, CreatedAt: w.Clock.Now()}, "portatill sweep"},
		"Manual":    {pay.StripePayout{ID: "po_manual", Status: "paid", Amount: pay.Money{Minor: 100, Currency: "GBP"}, CreatedAt: w.Clock.Now()}, "was not an automatic payout"},
	} {
		storetest.Write(t, w.Store, func(ctx context.Context, tx pay.Tx) error {
			return tx.SavePayout(ctx, &pay.Payout{StripePayout: c.payout, TenantID: w.Tenant.ID, UpdatedAt: w.Clock.Now()})
		})
		if _, err := w.Pay.PayoutJournal(ctx, w.Tenant.ID, c.payout.ID, func(*pay.JournalLine) error { t.Error("a line"); return nil }); pay.CodeOf(err) != pay.CodeConflict || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
