package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/internal/sheets"
	"github.com/portatill/portatill/pay"
)

func (a *app) exportCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "export", Short: "Write the books for an accountant: journal, statements, VAT",
		Long: "Write CSV (or, with --json, JSON) from the ledger. The numbers are those that portatill books shows; every column is\n" +
			"documented in docs/exports.md. Days are UTC. No cell is a formula, whatever names customers and portals send.",
		Example: "  portatill export journal --tenant acme --day 2026-11-22", Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(a.exportJournalCommand(), a.exportStatementCommand(), a.exportVATCommand())
	return cmd
}

// exportFlags are those that every export has.
type exportFlags struct {
	path               string // of the command, for errors
	tenant             string
	day, from, until   string
	out                string
	force, asJSON, all bool // all: without a first day everything is meant
}

func (f *exportFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.tenant, "tenant", "", "whose books, by the tenant's slug; needed")
	cmd.Flags().StringVar(&f.day, "day", "", "one day (UTC), such as 2026-11-22")
	cmd.Flags().StringVar(&f.from, "from", "", "the first of several days (UTC)")
	cmd.Flags().StringVar(&f.until, "until", "", "the last of several days (UTC), included; today when not given")
	cmd.Flags().StringVar(&f.out, "out", "", "write to this file, readable by you alone, instead of standard output; it appears when it is whole and right, or not at all")
	cmd.Flags().BoolVar(&f.force, "force", false, "with --out: replace a file that is there")
	jsonFlag(cmd, &f.asJSON)
}

func (f *exportFlags) wrong(format string, args ...any) error {
	return usagef("%s: %s; see %s --help", f.path, fmt.Sprintf(format, args...), f.path)
}

// check finds what is wrong before anything is opened, and what days are meant.
func (f *exportFlags) check(cmd *cobra.Command) (pay.ExportSpan, error) {
	f.path = cmd.CommandPath()
	switch {
	case f.tenant == "":
		return pay.ExportSpan{}, f.wrong("--tenant is needed: whose books")
	case f.force && f.out == "":
		return pay.ExportSpan{}, f.wrong("--force is for --out")
	case cmd.Flags().Changed("out") && f.out == "":
		return pay.ExportSpan{}, f.wrong("--out: must be a file's name")
	}
	return f.span()
}

func (f *exportFlags) span() (span pay.ExportSpan, err error) {
	read := func(flag, text string) (at time.Time) {
		if text == "" || err != nil {
			return at
		}
		if at, err = time.Parse(time.DateOnly, text); err != nil {
			err = f.wrong("--%s must be a day such as 2026-11-22, not %q", flag, text)
		}
		return at
	}
	day, from, until := read("day", f.day), read("from", f.from), read("until", f.until)
	switch {
	case err != nil:
		return span, err
	case f.day != "" && (f.from != "" || f.until != ""):
		return span, f.wrong("--day is one day, --from and --until are several; give one or the other")
	case f.day != "":
		return pay.Days("", day, day), nil
	case f.from == "" && !f.all:
		return span, f.wrong("which days? Give --day, or --from and --until")
	case f.until == "":
		until = now()
	}
	if until.Before(from) {
		return span, f.wrong("--until is before --from")
	}
	return pay.Days("", from, until), nil
}

// withTenant runs an export of one tenant's books.
func (a *app) withTenant(ctx context.Context, f *exportFlags, work func(o *opened, t *pay.Tenant) error) error {
	return a.withStore(ctx, func(o *opened) error {
		t, err := findTenant(ctx, o, f.tenant)
		if err != nil {
			return err
		}
		return exportError(work(o, t))
	})
}

// exportError names the flag that an error is about.
func exportError(err error) error {
	e, ok := errors.AsType[*pay.Error](err)
	switch {
	case !ok || e.Err != nil:
		return err
	case e.Field != "":
		return fmt.Errorf("--%s: %s", e.Field, e.Message)
	}
	return errors.New(e.Message)
}

func (a *app) exportJournalCommand() *cobra.Command {
	var f exportFlags
	var payout string
	cmd := &cobra.Command{
		Use: "journal", Short: "Write every line of the ledger, of days or of a payout",
		Long: "Write every ledger line with its entry, one line each. Of days: what was booked in them, debits equal to credits. Of a\n" +
			"payout: what it contains; the lines on stripe_balance in its currency sum to its amount to the cent, or the exit code is 1\n" +
			"and the error names the difference.",
		Example: "  portatill export journal --tenant acme --day 2026-11-22\n" +
			"  portatill export journal --tenant acme --from 2026-11-01 --until 2026-11-30 --out november.csv\n" +
			"  portatill export journal --tenant acme --payout po_1abc… --out payout.csv", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ofPayout := cmd.Flags().Changed("payout")
			f.all = ofPayout
			span, err := f.check(cmd)
			switch {
			case err != nil:
				return err
			case ofPayout && (f.day != "" || f.from != "" || f.until != ""):
				return f.wrong("--payout is of all days; give it or days")
			case ofPayout && !strings.HasPrefix(payout, "po_"):
				return f.wrong("--payout must be a payout's id, such as po_1abc…, not %q", payout)
			}
			return a.withTenant(cmd.Context(), &f, func(o *opened, t *pay.Tenant) error {
				if ofPayout {
					return a.exportPayout(cmd.Context(), o, t, &f, payout)
				}
				span.TenantID = t.ID
				return a.exportJournal(cmd.Context(), o, t, &f, span)
			})
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&payout, "payout", "", "a payout instead of days; portatill payouts list has them")
	return cmd
}

// shownSum is what a journal sums to in one currency.
type shownSum struct {
	Currency string `json:"currency"`
	Lines    int64  `json:"lines"`
	Debits   string `json:"debits"`
	Credits  string `json:"credits"`
}

// showSums also fails when debits and credits differ, which the database does not allow.
func showSums(sums []pay.JournalSum) (shown []shownSum, notes []string, err error) {
	shown = []shownSum{}
	for _, s := range sums {
		debits, credits := pay.Money{Minor: s.DebitMinor, Currency: s.Currency}.Text(), pay.Money{Minor: s.CreditMinor, Currency: s.Currency}.Text()
		shown = append(shown, shownSum{string(s.Currency), s.Lines, debits, credits})
		notes = append(notes, fmt.Sprintf("%s: %d lines, debits %s, credits %s", s.Currency, s.Lines, debits, credits))
		if s.DebitMinor != s.CreditMinor {
			err = &checkError{fmt.Sprintf("the journal's debits of %s %s are not its credits of %s; portatill books --verify looks for the reason", debits, s.Currency, credits)}
		}
	}
	if len(sums) == 0 {
		notes = []string{"Nothing was booked in these days."}
	}
	return shown, notes, err
}

func (a *app) exportJournal(ctx context.Context, o *opened, t *pay.Tenant, f *exportFlags, span pay.ExportSpan) error {
	return a.write(f, journalHeader, func(emit func(exportRow) error) (exportEnd, error) {
		sums, err := o.pay.Journal(ctx, span, func(l *pay.JournalLine) error { return emit(sheets.Journal(t.Slug, l)) })
		if err != nil {
			return exportEnd{}, err
		}
		shown, notes, err := showSums(sums)
		return exportEnd{summary: map[string]any{"sums": shown}, notes: notes}, err
	})
}

func (a *app) exportPayout(ctx context.Context, o *opened, t *pay.Tenant, f *exportFlags, id string) error {
	return a.write(f, journalHeader, func(emit func(exportRow) error) (exportEnd, error) {
		check, err := o.pay.PayoutJournal(ctx, t.ID, id, func(l *pay.JournalLine) error { return emit(sheets.Journal(t.Slug, l)) })
		if err != nil {
			return exportEnd{}, err
		}
		shown, _, err := showSums(check.Sums)
		end := exportEnd{summary: map[string]any{"sums": shown, "payout": showPayout(t, check)}}
		if err != nil {
			return end, err
		}
		if !check.Square() {
			return end, &checkError{notSquare(check)}
		}
		note := fmt.Sprintf("%s: %d balance transactions, whose lines on stripe_balance sum to %s: the payout's amount", id, check.Transactions, check.Ledger)
		if check.Payout.ForeignMinor != 0 {
			note += fmt.Sprintf(" of %s, less %s that is another tenant's with the same Stripe account", check.Payout.Amount, pay.Money{Minor: check.Payout.ForeignMinor, Currency: check.Payout.Amount.Currency})
		}
		end.notes = []string{note + "."}
		return end, nil
	})
}

// notSquare says how far a payout and the ledger are apart.
func notSquare(c *pay.PayoutCheck) string {
	text := fmt.Sprintf("payout %s is %s, but the lines on stripe_balance of its %d balance transactions sum to %s: a difference of %s",
		c.Payout.ID, c.Payout.Amount, c.Transactions, c.Ledger, c.Difference)
	if c.Payout.ForeignMinor != 0 {
		text += fmt.Sprintf(", when %s is another tenant's", pay.Money{Minor: c.Payout.ForeignMinor, Currency: c.Payout.Amount.Currency})
	}
	if len(c.Objects) > 0 {
		text += "; not in the ledger as Stripe has them: " + strings.Join(c.Objects, " ")
	}
	return text + "; portatill books --proof names the cause, and the command that mends it"
}

func (a *app) exportStatementCommand() *cobra.Command {
	f := exportFlags{all: true}
	var customer int64
	var currency string
	cmd := &cobra.Command{
		Use: "statement", Short: "Write a customer's statement: opening balance, movements, closing balance",
		Long: "Write what a customer was credited and what was taken back, with the balance after each; one statement per currency. A\n" +
			"positive balance is the customer's credit, as portatill books shows it. Without days it is everything until today.",
		Example: "  portatill export statement --tenant acme --customer 12345\n  portatill export statement --tenant acme --customer 12345 --currency EUR --from 2026-11-01 --until 2026-11-30", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			span, err := f.check(cmd)
			if err == nil && customer <= 0 {
				err = f.wrong("--customer is needed: the customer's ICustomer, above 0")
			}
			if err != nil {
				return err
			}
			var only pay.Currency
			if cmd.Flags().Changed("currency") {
				if only, err = pay.ParseCurrency("currency", currency); err != nil {
					return f.wrong("--currency must be the three-letter code of a currency, such as GBP, not %q", currency)
				}
			}
			return a.withTenant(cmd.Context(), &f, func(o *opened, t *pay.Tenant) error {
				span.TenantID = t.ID
				return a.exportStatement(cmd.Context(), o, t, &f, span, customer, only)
			})
		},
	}
	f.add(cmd)
	cmd.Flags().Int64Var(&customer, "customer", 0, "the customer's ICustomer; needed")
	cmd.Flags().StringVar(&currency, "currency", "", "only this currency")
	return cmd
}

// shownStatement is what one statement begins and ends with.
type shownStatement struct {
	Currency  string `json:"currency"`
	Opening   string `json:"opening"`
	Movements int64  `json:"movements"`
	Closing   string `json:"closing"`
}

func (a *app) exportStatement(ctx context.Context, o *opened, t *pay.Tenant, f *exportFlags, span pay.ExportSpan, iCustomer int64, only pay.Currency) error {
	c, err := o.store.CustomerByICustomer(ctx, t.ID, iCustomer)
	if pay.IsNotFound(err) {
		return fmt.Errorf("--customer: tenant %s has no customer with the ICustomer %d", t.Slug, iCustomer)
	}
	if err != nil {
		return err
	}
	currencies := []pay.Currency{only}
	if only == "" {
		if currencies, err = o.store.CustomerCurrencies(ctx, t.ID, c.ID); err != nil {
			return err
		}
	}
	if len(currencies) == 0 {
		currencies = []pay.Currency{t.DefaultCurrency}
	}
	return a.write(f, statementHeader, func(emit func(exportRow) error) (exportEnd, error) {
		shown, notes := []shownStatement{}, []string{}
		for _, currency := range currencies {
			row := statementRow{Tenant: t.Slug, ICustomer: c.ICustomer, Name: c.Name, Currency: string(currency)}
			st, err := o.pay.Statement(ctx, pay.StatementQuery{ExportSpan: span, CustomerID: c.ID, Currency: currency},
				func(opening pay.Money) error { return emit(row.Edge("opening_balance", span.From, opening)) },
				func(l *pay.StatementLine) error { return emit(row.Of(l)) })
			if err != nil {
				return exportEnd{}, err
			}
			if err := emit(row.Edge("closing_balance", span.Until.Add(-time.Second), st.Closing)); err != nil {
				return exportEnd{}, err
			}
			shown = append(shown, shownStatement{string(currency), st.Opening.Text(), st.Lines, st.Closing.Text()})
			notes = append(notes, fmt.Sprintf("%s: opening balance %s, %d movements, closing balance %s", currency, st.Opening.Text(), st.Lines, st.Closing.Text()))
		}
		return exportEnd{summary: map[string]any{"statements": shown}, notes: notes}, nil
	})
}

func (a *app) exportVATCommand() *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use: "vat", Short: "Write the VAT summary: payments and what went back, per rate",
		Long: "Write what was paid in a span of days and what went back by refunds and lost disputes, with the VAT in it, per currency,\n" +
			"VAT mode and rate, and the tax on Stripe's fees. Rates are those of the orders' carts, as they were priced.",
		Example: "  portatill export vat --tenant acme --from 2026-10-01 --until 2026-12-31 --out q4.csv", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			span, err := f.check(cmd)
			if err != nil {
				return err
			}
			return a.withTenant(cmd.Context(), &f, func(o *opened, t *pay.Tenant) error {
				span.TenantID = t.ID
				return a.write(&f, vatHeader, func(emit func(exportRow) error) (exportEnd, error) {
					rows, err := o.pay.VATSummary(cmd.Context(), span)
					if err != nil {
						return exportEnd{}, err
					}
					first := ""
					if !span.From.IsZero() {
						first = span.From.Format(time.DateOnly)
					}
					for _, r := range rows {
						if err := emit(vatRow{Tenant: t.Slug, From: first, Until: span.Until.AddDate(0, 0, -1).Format(time.DateOnly), VATRow: r}); err != nil {
							return exportEnd{}, err
						}
					}
					if len(rows) == 0 {
						return exportEnd{notes: []string{"Nothing was paid or given back in these days."}}, nil
					}
					return exportEnd{}, nil
				})
			})
		},
	}
	f.add(cmd)
	return cmd
}
