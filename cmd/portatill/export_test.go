package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/portatill/portatill/internal/csvout"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// act does something at the double, such as a payout.
func (r *running) act(name, body string) {
	r.t.Helper()
	res, err := browser.Post(r.ready.SandboxURL+"/_sandbox/actions/"+name, "application/json", strings.NewReader(body))
	if status, answer := r.read(res, err); status != http.StatusOK {
		r.t.Fatalf("%s: %d %s", name, status, answer)
	}
}

// rows reads a CSV by the names of its columns, and the JSON of the same export, which must
// say the same.
func (s *shell) rows(args ...string) []map[string]string {
	s.t.Helper()
	text := s.ok(args...)
	if !strings.HasSuffix(text, "\r\n") || strings.Contains(strings.ReplaceAll(text, "\r\n", ""), "\n") {
		s.t.Errorf("%v: lines do not end in CRLF: %q", args, text)
	}
	all, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(all) == 0 {
		s.t.Fatalf("%v: %v: %s", args, err, text)
	}
	var rows []map[string]string
	for _, record := range all[1:] {
		row := map[string]string{}
		for i, name := range all[0] {
			row[name] = record[i]
		}
		rows = append(rows, row)
	}
	var asJSON struct{ Lines []map[string]any }
	s.json(&asJSON, append(slices.Clone(args), "--json")...)
	if len(asJSON.Lines) != len(rows) {
		s.t.Fatalf("%v: %d lines of JSON, %d of CSV", args, len(asJSON.Lines), len(rows))
	}
	for i, l := range asJSON.Lines {
		if len(l) != len(all[0]) {
			s.t.Errorf("%v: JSON has %v", args, l)
		}
		for name, v := range l {
			text, _ := v.(string)
			if n, ok := v.(float64); ok && n != 0 {
				text = strconv.FormatInt(int64(n), 10)
			}
			if rows[i][name] != text {
				s.t.Errorf("%v: %s is %q in JSON, %q in CSV", args, name, text, rows[i][name])
			}
		}
	}
	return rows
}

// pence reads decimal text of two decimals.
func (s *shell) pence(text string) int64 {
	s.t.Helper()
	if text == "" {
		return 0
	}
	m, err := pay.ParseMoney("amount", text, "GBP")
	if err != nil {
		s.t.Fatalf("%q: %v", text, err)
	}
	return m.Minor
}

func TestAnAccountantTakesTheBooksAway(t *testing.T) {
	t.Parallel()
	s, r := till(t)
	first, second := r.request(1), r.request(2)
	r.pay(first)
	r.pay(second)
	r.until("both are booked", func() bool { return len(s.orders("--state", "paid")) == 2 })
	s.ok("refund", first.OrderId, "--amount", "5.00", "--key", "k")
	s.ok("sweep")
	var before []shownPayout
	if s.json(&before, "payouts", "list", "--tenant", "demo", "--json"); len(before) != 0 || !strings.Contains(s.ok("payouts", "list", "--tenant", "demo"), "no such payouts") {
		t.Errorf("payouts %v", before)
	}
	r.act("payout", `{}`)
	s.ok("sweep")
	span := []string{"--tenant", "demo", "--from", now().AddDate(0, 0, -1).Format(time.DateOnly)}

	var payouts []shownPayout
	s.json(&payouts, "payouts", "list", "--tenant", "demo", "--json")
	if len(payouts) != 1 || payouts[0].State != "paid" || payouts[0].MatchedAt == "" || payouts[0].Difference != "0.00" || payouts[0].Ledger != payouts[0].Amount || payouts[0].Transactions != 3 {
		t.Fatalf("got %+v", payouts)
	}
	p := payouts[0]
	if out := s.ok("payouts", "list", "--tenant", "demo", "--limit", "1"); !strings.Contains(out, p.ID+"  paid   "+p.Amount+" GBP") || !strings.Contains(out, "--after "+p.ID) || !strings.Contains(out, "0.00\n") {
		t.Errorf("got %s", out)
	}

	sum, debits, credits := int64(0), int64(0), int64(0)
	for _, row := range s.rows("export", "journal", "--tenant", "demo", "--payout", p.ID) {
		if row["account"] == "stripe_balance" {
			sum += s.pence(row["debit"]) - s.pence(row["credit"])
		}
		if row["payout"] != p.ID || row["tenant"] != "demo" {
			t.Errorf("got %v", row)
		}
	}
	if sum != s.pence(p.Amount) {
		t.Errorf("the payout's journal sums to %d, the payout is %s", sum, p.Amount)
	}
	if got := s.run("export", "journal", "--tenant", "demo", "--payout", p.ID); !strings.Contains(got.err, "3 balance transactions, whose lines on stripe_balance sum to "+p.Amount+" GBP: the payout's amount.") {
		t.Errorf("it says %q", got.err)
	}
	accounts := map[string]int64{}
	for _, row := range s.rows(append([]string{"export", "journal"}, span...)...) {
		debits, credits = debits+s.pence(row["debit"]), credits+s.pence(row["credit"])
		accounts[row["account"]] += s.pence(row["debit"]) - s.pence(row["credit"])
	}
	var books pay.Books
	s.json(&books, "books", "--tenant", "demo", "--json")
	for account, text := range books.Tenants[0].Accounts {
		if accounts[account] != s.pence(text) {
			t.Errorf("%s is %d in the journal, %s in the books", account, accounts[account], text)
		}
	}
	if debits != credits || debits == 0 || len(accounts) != len(books.Tenants[0].Accounts) {
		t.Errorf("debits %d, credits %d, accounts %v", debits, credits, accounts)
	}

	statement := s.rows("export", "statement", "--tenant", "demo", "--customer", strconv.Itoa(demoICustomer))
	if len(statement) != 5 || statement[0]["what"] != "opening_balance" || statement[0]["balance"] != "0.00" || statement[4]["what"] != "closing_balance" {
		t.Fatalf("got %v", statement)
	}
	if end := statement[4]["balance"]; end != statement[3]["balance"] || end+" GBP" != s.credit() || statement[3]["what"] != "refund" || statement[3]["amount"] != "-5.00" || statement[1]["feature"] != "Basket" {
		t.Errorf("it closes with %s, the books have %s: %v", end, s.credit(), statement)
	}
	if empty := s.rows("export", "statement", "--tenant", "demo", "--customer", strconv.Itoa(demoICustomer), "--currency", "EUR"); len(empty) != 2 || empty[1]["balance"] != "0.00" {
		t.Errorf("in euros: %v", empty)
	}
	gross := int64(0)
	for _, row := range s.rows(append([]string{"export", "vat"}, span...)...) {
		if row["line"] == "total" {
			gross += s.pence(row["gross"])
		}
	}
	if text := (pay.Money{Minor: gross, Currency: "GBP"}).String(); text != s.credit() {
		t.Errorf("the VAT summary is of %s, the books have %s", text, s.credit())
	}
	if got := s.run("export", "vat", "--tenant", "demo", "--day", "2001-01-01"); got.code != 0 || !strings.HasPrefix(got.out, "tenant,from,until,currency,line,") || !strings.Contains(got.err, "Nothing was paid") {
		t.Errorf("long ago: %+v", got)
	}
	if out := s.ok("export", "journal", "--tenant", "demo", "--day", "2001-01-01", "--json"); !json.Valid([]byte(out)) || !strings.Contains(out, `"lines": []`) {
		t.Errorf("long ago: %s", out)
	}
	exportsToFiles(t, s, span)
	exportOfAFalsePayout(t, s, p)
}

// exportsToFiles looks at what --out leaves behind.
func exportsToFiles(t *testing.T, s *shell, span []string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "journal.csv")
	export := append([]string{"export", "journal", "--out", path}, span...)
	if got := s.run(export...); got.code != 0 || got.out != "" || !strings.Contains(got.err, "GBP: ") {
		t.Fatalf("got %+v", got)
	}
	wanted := s.ok(append([]string{"export", "journal"}, span...)...)
	content, err := os.ReadFile(path)
	if err != nil || string(content) != wanted {
		t.Errorf("the file is not what is printed: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := s.run(export...); got.code != 1 || !strings.Contains(got.err, path+" is there already; --force replaces it") {
		t.Errorf("got %+v", got)
	}
	if content, _ := os.ReadFile(path); string(content) != "mine" {
		t.Error("it was replaced")
	}
	s.ok(append(export, "--force")...)
	if content, _ := os.ReadFile(path); string(content) != wanted {
		t.Error("it was not replaced")
	}
	for says, out := range map[string]string{"is a directory": dir, "no such file or directory": filepath.Join(dir, "not", "there.csv")} {
		if got := s.run(append([]string{"export", "vat", "--out", out}, span...)...); got.code != 1 || !strings.Contains(got.err, "--out: ") || !strings.Contains(got.err, says) {
			t.Errorf("%s: %+v", out, got)
		}
	}
	if names := files(t, dir); !slices.Equal(names, []string{"journal.csv"}) {
		t.Errorf("there are %v", names)
	}
}

func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		names = append(names, f.Name())
	}
	return names
}

// exportOfAFalsePayout makes a payout say another amount than its contents have.
func exportOfAFalsePayout(t *testing.T, s *shell, p shownPayout) {
	t.Helper()
	store := s.openStore()
	if _, err := store.DB().ExecContext(t.Context(), `UPDATE payouts SET amount_minor = amount_minor + 123 WHERE id = $1`, p.ID); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	args := []string{"export", "journal", "--tenant", "demo", "--payout", p.ID}
	got := s.run(args...)
	if got.code != 1 || !strings.Contains(got.err, "a difference of 1.23 GBP") || !strings.Contains(got.err, "portatill books --proof") || !strings.HasPrefix(got.out, "tenant,at,") || strings.Contains(got.err, "the payout's amount.") {
		t.Errorf("got %+v", got)
	}
	if got := s.run(append(args, "--json")...); got.code != 1 || !json.Valid([]byte(got.out)) || !strings.Contains(got.out, `"difference":"1.23"`) {
		t.Errorf("got %+v", got)
	}
	if got := s.run(append(args, "--out", filepath.Join(dir, "p.csv"))...); got.code != 1 || !strings.Contains(got.err, "was not written") || len(files(t, dir)) != 0 {
		t.Errorf("got %+v and %v", got, files(t, dir))
	}
	if out := s.ok("payouts", "list", "--tenant", "demo"); !strings.Contains(out, "1.23") {
		t.Errorf("got %s", out)
	}
}

func TestAWrongExportSaysWhatAndWhere(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	s.ok("tenant", "add", "a1")
	store := s.openStore()
	other := storetest.Tenant(t, store)
	customer := storetest.Customer(t, store, other.ID)
	storetest.Write(t, store, func(ctx context.Context, tx pay.Tx) error {
		return tx.SavePayout(ctx, &pay.Payout{TenantID: other.ID, UpdatedAt: now(), StripePayout: pay.StripePayout{ID: "po_other", Status: "paid", Automatic: true,
			Amount: pay.Money{Minor: 100, Currency: "GBP"}, CreatedAt: now()}})
	})
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{2, "--tenant is needed", []string{"export", "journal", "--day", "2026-11-22"}},
		{2, "which days?", []string{"export", "journal", "--tenant", "a1"}},
		{2, "which days?", []string{"export", "vat", "--tenant", "a1", "--until", "2026-11-22"}},
		{2, `--day must be a day such as 2026-11-22, not "yesterday"`, []string{"export", "journal", "--tenant", "a1", "--day", "yesterday"}},
		{2, `--until must be a day such as 2026-11-22, not "2026-02-30"`, []string{"export", "vat", "--tenant", "a1", "--from", "2026-02-01", "--until", "2026-02-30"}},
		{2, "--until is before --from", []string{"export", "vat", "--tenant", "a1", "--from", "2026-02-02", "--until", "2026-02-01"}},
		{2, "--until is before --from", []string{"export", "journal", "--tenant", "a1", "--from", "2999-01-01"}},
		{2, "--day is one day", []string{"export", "vat", "--tenant", "a1", "--day", "2026-02-02", "--from", "2026-02-01"}},
		{2, "--payout must be a payout's id", []string{"export", "journal", "--tenant", "a1", "--payout", "pi_1"}},
		{2, "--payout: is empty", []string{"export", "journal", "--tenant", "a1", "--payout", ""}},
		{2, "--payout is of all days", []string{"export", "journal", "--tenant", "a1", "--payout", "po_1", "--day", "2026-11-22"}},
		{2, "--customer is needed", []string{"export", "statement", "--tenant", "a1"}},
		{2, "--customer is needed", []string{"export", "statement", "--tenant", "a1", "--customer", "-5"}},
		{2, "--currency must be", []string{"export", "statement", "--tenant", "a1", "--customer", "5", "--currency", "pounds"}},
		{2, "--force is for --out", []string{"export", "vat", "--tenant", "a1", "--day", "2026-11-22", "--force"}},
		{2, "--out: is empty", []string{"export", "vat", "--tenant", "a1", "--day", "2026-11-22", "--out", ""}},
		{2, "--help", []string{"export", "vat", "x"}},
		{2, `no command "nope"`, []string{"export", "nope"}},
		{2, `no command "lst"`, []string{"payouts", "lst"}},
		{2, `"--customer" flag: that is not of the kind it must be`, []string{"export", "statement", "--tenant", "a1", "--customer", "abc"}},
		{2, `"--limit" flag: that number is too large`, []string{"payouts", "list", "--tenant", "a1", "--limit", "99999999999999999999"}},
		{2, "--after: must be", []string{"events", "list", "--after", "evn_x"}},
		{2, "--after: must be", []string{"orders", "list", "--after", "ord_x"}},
		{1, "/nowhere/x.csv cannot be written: no such file", []string{"export", "vat", "--tenant", "a1", "--day", "2026-11-22", "--out", "/nowhere/x.csv"}},
		{2, "--tenant is needed", []string{"payouts", "list"}},
		{2, "--limit must be", []string{"payouts", "list", "--tenant", "a1", "--limit", "0"}},
		{2, "--after must be", []string{"payouts", "list", "--tenant", "a1", "--after", "42"}},
		{1, "no such payout", []string{"payouts", "list", "--tenant", "a1", "--after", "po_other"}},
		{1, `there is no tenant "b1"`, []string{"export", "vat", "--tenant", "b1", "--day", "2026-11-22"}},
		{1, "--customer: tenant a1 has no customer", []string{"export", "statement", "--tenant", "a1", "--customer", strconv.FormatInt(customer.ICustomer, 10)}},
		{1, "--payout: this tenant has no payout po_other", []string{"export", "journal", "--tenant", "a1", "--payout", "po_other"}},
		{1, "--payout: po_other is not matched yet", []string{"export", "journal", "--tenant", other.Slug, "--payout", "po_other"}},
	} {
		got := s.run(c.args...)
		if got.code != c.code || !strings.Contains(got.err, c.says) || got.out != "" || c.code == 2 && !strings.Contains(got.err, "--help") {
			t.Errorf("%v: exit code %d, %q, %q", c.args, got.code, got.out, got.err)
		}
	}
	if out := s.ok("payouts", "list", "--tenant", other.Slug); !strings.Contains(out, "not yet") {
		t.Errorf("got %s", out)
	}
}

// TestNoCellOfAnExportIsAFormula stores what customers, portals and staff could write, and
// reads it back as a spreadsheet would.
func TestNoCellOfAnExportIsAFormula(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	store := s.openStore()
	tenant := storetest.Tenant(t, store)
	const attack = "=HYPERLINK(\"http://evil.example\",\"x\")\r\n;=1+1"
	customer := storetest.Customer(t, store, tenant.ID, func(c *pay.Customer) { c.Name = "@SUM(1+1)" })
	o := storetest.Order(t, store, customer, func(o *pay.Order) { o.FeatureName = "\t=cmd|' /C calc'!A0" })
	storetest.Pay(t, store, o, storetest.Attempt(t, store, o))
	storetest.Write(t, store, func(ctx context.Context, tx pay.Tx) error {
		_, err := tx.InsertEntry(ctx, &pay.LedgerEntry{ID: pay.NewID("led", storetest.Now), TenantID: tenant.ID, Kind: pay.EntryRefund, Fact: "re_1:refunded", Currency: "GBP",
			Cause: pay.Cause{Kind: pay.CauseStaff, ID: "+1"}, OrderID: o.ID, Memo: attack, At: storetest.Now, Lines: []pay.LedgerLine{
				{Account: pay.AccountCustomer, CustomerID: customer.ID, AmountMinor: 500}, {Account: pay.AccountStripe, AmountMinor: -500}}})
		return err
	})
	found := 0
	for _, args := range [][]string{
		{"export", "statement", "--tenant", tenant.Slug, "--customer", strconv.FormatInt(customer.ICustomer, 10)},
		{"export", "journal", "--tenant", tenant.Slug, "--from", "2026-01-01"},
		{"export", "vat", "--tenant", tenant.Slug, "--from", "2026-01-01"},
		{"books", "--proof", "--csv", "--tenant", tenant.Slug, "--from", "2026-03-01", "--until", "2026-03-05"},
	} {
		all, err := csv.NewReader(strings.NewReader(s.run(args...).out)).ReadAll()
		if err != nil || len(all) < 2 {
			t.Fatalf("%v: %v %v", args, err, all)
		}
		for _, record := range all {
			for _, cell := range record {
				if cell == "'@SUM(1+1)" || cell == "'"+strings.ReplaceAll(attack, "\r\n", "\n") || cell == "'\t=cmd|' /C calc'!A0" {
					found++
				}
				if cell == "" || !strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
					continue
				}
				if _, err := pay.ParseMoney("cell", cell, "GBP"); err != nil { // a negative amount stays one
					t.Errorf("%v has the formula %q", args, cell)
				}
			}
		}
	}
	if found < 9 {
		t.Errorf("the texts were found %d times", found)
	}
	t.Run("WhateverTheyAreCalled", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			name := rapid.OneOf(rapid.String(), rapid.StringMatching(`[=+\-@\t\r\n;," ＝＋－＠]{1,3}[a-z0-9()!|'";,\r\n]{0,12}`)).Draw(t, "name")
			row := statementRow{Tenant: "acme", ICustomer: 1, Name: name, Feature: name, Memo: name, Amount: "-5.00", Balance: "-1.00", What: "refund"}
			var file bytes.Buffer
			if _, err := writeExport(&file, false, statementHeader, func(emit func(exportRow) error) (exportEnd, error) { return exportEnd{}, emit(row) }); err != nil {
				t.Fatal(err)
			}
			all, err := csv.NewReader(&file).ReadAll()
			if err != nil || len(all) != 2 || !slices.Equal(all[0], statementHeader) {
				t.Fatalf("%v %q", err, all)
			}
			want := csvout.Text(name).String()
			if got := all[1]; got[2] != want || got[10] != want || got[11] != want || got[6] != "-5.00" || got[7] != "-1.00" {
				t.Fatalf("%q became %q", name, got)
			}
			if want != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(want)[0]) {
				t.Fatalf("%q became the formula %q", name, want)
			}
		})
	})
}

// TestTheColumnsAreTheSameInCSVAndJSON holds each header to the names of the JSON.
func TestTheColumnsAreTheSameInCSVAndJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		row    exportRow
		header []string
	}{{journalRow{}, journalHeader}, {statementRow{}, statementHeader}, {vatRow{}, vatHeader}} {
		var names []string
		for _, f := range reflect.VisibleFields(reflect.TypeOf(c.row)) {
			if !f.Anonymous {
				names = append(names, f.Tag.Get("json"))
			}
		}
		if diff := cmp.Diff(c.header, names); diff != "" {
			t.Errorf("%T: header − JSON +:\n%s", c.row, diff)
		}
		if len(c.row.Cells()) != len(c.header) {
			t.Errorf("%T has %d cells for %d columns", c.row, len(c.row.Cells()), len(c.header))
		}
	}
}
