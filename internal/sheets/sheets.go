// Package sheets is what the books look like in a file: the rows of the journal, of
// customers' statements, of the VAT summary and of the proof, with their columns as
// docs/exports.md describes them. The command line and the staff's pages write the same
// rows, so that an accountant gets one file whoever made it.
//
// It reads nothing: rows are made of what pay gives.
package sheets

import (
	"io"
	"strings"
	"time"

	"github.com/portatill/portatill/internal/csvout"
	"github.com/portatill/portatill/pay"
)

// The names of the columns, documented in docs/exports.md.
var (
	JournalHeader = []string{"tenant", "at", "entry", "kind", "fact", "account", "i_customer", "debit", "credit", "currency", "order", "stripe_object",
		"balance_transaction", "payout", "memo", "cause"}
	StatementHeader = []string{"tenant", "i_customer", "name", "currency", "date", "what", "amount", "balance", "order", "content_id", "feature", "memo", "fact", "entry"}
	VATHeader       = []string{"tenant", "from", "until", "currency", "line", "vat_mode", "vat_rate", "net", "vat", "gross"}
)

// JournalRow is a ledger line.
type JournalRow struct {
	Tenant             string `json:"tenant"`
	At                 string `json:"at"`
	Entry              string `json:"entry"`
	Kind               string `json:"kind"`
	Fact               string `json:"fact"`
	Account            string `json:"account"`
	ICustomer          int64  `json:"i_customer"`
	Debit              string `json:"debit"`
	Credit             string `json:"credit"`
	Currency           string `json:"currency"`
	Order              string `json:"order"`
	Object             string `json:"stripe_object"`
	BalanceTransaction string `json:"balance_transaction"`
	Payout             string `json:"payout"`
	Memo               string `json:"memo"`
	Cause              string `json:"cause"`
}

// Cells is the row in the order of its header.
func (r JournalRow) Cells() []csvout.Cell {
	return []csvout.Cell{csvout.Text(r.Tenant), csvout.Text(r.At), csvout.Text(r.Entry), csvout.Text(r.Kind), csvout.Text(r.Fact), csvout.Text(r.Account), csvout.Count(r.ICustomer),
		csvout.Number(r.Debit), csvout.Number(r.Credit), csvout.Text(r.Currency), csvout.Text(r.Order), csvout.Text(r.Object), csvout.Text(r.BalanceTransaction),
		csvout.Text(r.Payout), csvout.Text(r.Memo), csvout.Text(r.Cause)}
}

// StatementRow is a movement of a customer's credit, or the balance before or after.
type StatementRow struct {
	Tenant    string `json:"tenant"`
	ICustomer int64  `json:"i_customer"`
	Name      string `json:"name"`
	Currency  string `json:"currency"`
	Date      string `json:"date"`
	What      string `json:"what"`
	Amount    string `json:"amount"`
	Balance   string `json:"balance"`
	Order     string `json:"order"`
	ContentID int64  `json:"content_id"`
	Feature   string `json:"feature"`
	Memo      string `json:"memo"`
	Fact      string `json:"fact"`
	Entry     string `json:"entry"`
}

// Cells is the row in the order of its header.
func (r StatementRow) Cells() []csvout.Cell {
	return []csvout.Cell{csvout.Text(r.Tenant), csvout.Int(r.ICustomer), csvout.Text(r.Name), csvout.Text(r.Currency), csvout.Text(r.Date), csvout.Text(r.What),
		csvout.Number(r.Amount), csvout.Number(r.Balance), csvout.Text(r.Order), csvout.Count(r.ContentID), csvout.Text(r.Feature), csvout.Text(r.Memo),
		csvout.Text(r.Fact), csvout.Text(r.Entry)}
}

// VATRow is a sum of the VAT summary.
type VATRow struct {
	Tenant string `json:"tenant"`
	From   string `json:"from"`
	Until  string `json:"until"`
	pay.VATRow
}

// Cells is the row in the order of its header.
func (r VATRow) Cells() []csvout.Cell {
	return []csvout.Cell{csvout.Text(r.Tenant), csvout.Text(r.From), csvout.Text(r.Until), csvout.Text(string(r.Currency)), csvout.Text(string(r.Line)),
		csvout.Text(string(r.Mode)), csvout.Number(r.Rate), csvout.Number(r.Net), csvout.Number(r.VAT), csvout.Number(r.Gross)}
}

// Journal is a ledger line of a tenant, by its slug, as it is exported.
func Journal(slug string, l *pay.JournalLine) JournalRow {
	r := JournalRow{Tenant: slug, At: moment(l.At), Entry: l.EntryID, Kind: string(l.Kind), Fact: l.Fact, Account: string(l.Account), ICustomer: l.ICustomer,
		Currency: string(l.Amount.Currency), Order: l.OrderID, Object: l.Object, BalanceTransaction: l.BalanceTransaction, Payout: l.PayoutID, Memo: l.Memo,
		Cause: strings.TrimSuffix(string(l.Cause.Kind)+" "+l.Cause.ID, " ")}
	if l.Amount.Minor < 0 {
		r.Credit = pay.Money{Minor: -l.Amount.Minor, Currency: l.Amount.Currency}.Text()
	} else {
		r.Debit = l.Amount.Text()
	}
	return r
}

// Of is a movement's row.
func (r StatementRow) Of(l *pay.StatementLine) StatementRow {
	r.Date, r.What, r.Amount, r.Balance = moment(l.At), string(l.Kind), l.Amount.Text(), l.Balance.Text()
	r.Order, r.ContentID, r.Feature, r.Memo, r.Fact, r.Entry = l.OrderID, l.ContentID, l.FeatureName, l.Memo, l.Fact, l.EntryID
	return r
}

// Edge is the row of the opening or the closing balance.
func (r StatementRow) Edge(what string, at time.Time, balance pay.Money) StatementRow {
	r.Date, r.What, r.Balance = moment(at), what, balance.Text()
	return r
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// WriteProof writes a line for each of the sides of a day and for each difference.
func WriteProof(w io.Writer, p *pay.Proof) error {
	out := csvout.NewWriter(w, "day", "tenant", "currency", "line", "amount", "count", "objects", "command")
	for _, r := range p.Rows {
		row := func(what, amount string, count csvout.Cell, objects, mend string) {
			_ = out.Write(csvout.Text(r.Day), csvout.Text(r.Tenant), csvout.Text(string(r.Currency)), csvout.Text(what), csvout.Number(amount), count,
				csvout.Text(objects), csvout.Text(mend)) // the writer keeps its first error
		}
		none := csvout.Cell{}
		row("stripe", r.Stripe, none, "", "")
		row("ledger", r.Ledger, none, "", "")
		row("customers", r.Customers, none, "", "")
		row("portabilling", r.PortaBilling, none, "", "")
		for _, d := range r.Differences {
			row(d.Between+": "+d.Cause, d.Amount, csvout.Int(d.Count), strings.Join(d.Objects, " "), d.Mend)
		}
		row("unexplained", r.Unexplained, none, "", "")
	}
	return out.Err()
}
