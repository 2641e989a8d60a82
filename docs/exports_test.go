package docs

import (
	"context"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// TestTheDocumentedExports runs the commands of exports.md on a database in which is what
// the page shows.
func TestTheDocumentedExports(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("exports.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	if err := build(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	env := []string{"PORTATILL_DATABASE_URL=sqlite:" + booksToExport(t), "PORTATILL_SECRET_KEY=" + storetest.SecretKey.Reveal()}
	t.Run("AreWhatThePageShows", func(t *testing.T) {
		blocks := commandBlock.FindAllStringSubmatch(page, -1)
		if len(blocks) != strings.Count(page, "```sh\n") || len(blocks) < 5 {
			t.Fatalf("%d blocks of commands", len(blocks))
		}
		for _, m := range blocks {
			got := start(t, dir, env, "sh", "-eu", "-c", m[1])
			if m[2] == "" || got.code != 0 || !matches(m[2], got.out) {
				t.Errorf("%s\n\nended with %d and printed\n%s\n%s\nthe page promises\n%s", m[1], got.code, got.out, got.errOut, m[2])
			}
		}
		if info, err := os.Stat(filepath.Join(dir, "payout.csv")); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the payout's file: %v %v", info, err)
		}
	})
	t.Run("HaveTheColumnsThatAreDocumented", func(t *testing.T) {
		for heading, command := range map[string]string{
			"## The journal\n":            "portatill export journal --tenant acme --day 2026-03-04",
			"## A customer's statement\n": "portatill export statement --tenant acme --customer 12345",
			"## The VAT summary\n":        "portatill export vat --tenant acme --day 2026-03-04",
		} {
			_, rest, found := strings.Cut(page, heading)
			_, table, columns := strings.Cut(rest, "| column | what |\n|---|---|\n")
			table, _, _ = strings.Cut(table, "\n\n")
			if !found || !columns {
				t.Fatalf("no table of columns below %s", heading)
			}
			var names []string
			for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| .+ \\|$").FindAllStringSubmatch(table, -1) {
				names = append(names, m[1])
			}
			header, err := csv.NewReader(strings.NewReader(start(t, dir, env, "sh", "-c", command).out)).Read()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(header, names); diff != "" {
				t.Errorf("%s: the command's − the page's +:\n%s", command, diff)
			}
		}
	})
}

// booksToExport is a database with one sale, its fee, a refund of it, and the payout in which
// they are.
func booksToExport(t *testing.T) string {
	t.Helper()
	path := storetest.NewSQLiteFile(t)
	ctx := context.Background()
	store, err := sqlstore.Open(ctx, sqlstore.Options{URL: "sqlite:" + path, SecretKey: storetest.SecretKey})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	store.SetEnqueuer(storetest.Record)
	tenant := storetest.Tenant(t, store, func(t *pay.Tenant) { t.Slug = "acme" })
	customer := storetest.Customer(t, store, tenant.ID, func(c *pay.Customer) { c.ICustomer, c.Name = 12345, "Ada Lovelace" })
	order := storetest.Order(t, store, customer, func(o *pay.Order) { o.ContentID, o.FeatureName = 42, "Basket" })
	sale := storetest.Pay(t, store, order, storetest.Attempt(t, store, order))
	gbp := func(minor int64) pay.Money { return pay.Money{Minor: minor, Currency: "GBP"} }
	txn := func(id, kind, source, fact string, amount, fee int64) *pay.BalanceTransaction {
		b := &pay.BalanceTransaction{TenantID: tenant.ID, Fact: fact, Source: gbp(amount), LearntAt: storetest.Now}
		b.ID, b.Type, b.Category, b.SourceID, b.Amount, b.Fee, b.TaxFee, b.CreatedAt = id, kind, kind, source, gbp(amount), gbp(fee), gbp(fee/6), storetest.Now
		return b
	}
	entry := func(after time.Duration, kind pay.EntryKind, fact, memo string, cause pay.Cause, lines ...pay.LedgerLine) *pay.LedgerEntry {
		return &pay.LedgerEntry{ID: pay.NewID("led", storetest.Now), TenantID: tenant.ID, Kind: kind, Fact: fact, Currency: "GBP", Cause: cause, OrderID: order.ID,
			Memo: memo, At: storetest.Now.Add(after), Lines: lines}
	}
	paid := storetest.Now.AddDate(0, 0, 2)
	storetest.Write(t, store, func(ctx context.Context, tx pay.Tx) error {
		var errs []error
		for _, e := range []*pay.LedgerEntry{
			entry(time.Second, pay.EntryFee, "txn_1charge:fee", "Stripe's fee", pay.Cause{Kind: pay.CauseSweep, ID: "txn_1charge"}, pay.LedgerLine{Account: pay.AccountStripe, AmountMinor: -42},
				pay.LedgerLine{Account: pay.AccountFees, AmountMinor: 35}, pay.LedgerLine{Account: pay.AccountVAT, AmountMinor: 7}),
			entry(2*time.Second, pay.EntryRefund, "re_1example:refunded", "", pay.Cause{Kind: pay.CauseStaff, ID: "ada"}, pay.LedgerLine{Account: pay.AccountCustomer, CustomerID: customer.ID, AmountMinor: 500},
				pay.LedgerLine{Account: pay.AccountRefunds, AmountMinor: -500}, pay.LedgerLine{Account: pay.AccountRefunds, AmountMinor: 500}, pay.LedgerLine{Account: pay.AccountStripe, AmountMinor: -500}),
		} {
			_, err := tx.InsertEntry(ctx, e)
			errs = append(errs, err)
		}
		for _, b := range []*pay.BalanceTransaction{txn("txn_1charge", "charge", "ch_1example", sale.Entry.Fact, 1440, 42), txn("txn_1refund", "refund", "re_1example", "re_1example:refunded", -500, 0),
			txn("txn_1payout", "payout", "po_1example", "po_1example:paid", -898, 0)} {
			_, err := tx.InsertBalanceTransaction(ctx, b)
			errs = append(errs, err)
		}
		errs = append(errs, tx.SavePayout(ctx, &pay.Payout{TenantID: tenant.ID, MatchedAt: paid, UpdatedAt: paid, StripePayout: pay.StripePayout{ID: "po_1example", Status: "paid",
			Amount: gbp(898), Automatic: true, CreatedAt: storetest.Now.AddDate(0, 0, 1), ArrivalAt: paid}}),
			tx.SetPayoutOf(ctx, tenant.ID, "po_1example", []string{"txn_1charge", "txn_1refund", "txn_1payout"}))
		return errors.Join(errs...)
	})
	return path
}
