package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/pay"
)

func (a *app) ordersShowCommand() *cobra.Command {
	var tenant string
	var link, asJSON bool
	cmd := &cobra.Command{
		Use: "show ORDER", Short: "Show one order with all that happened to it",
		Long: "Show an order's lines, attempts, payment, refunds, disputes, ledger entries, postings, notices and story. The link with\n" +
			"which its customer pays is shown with --link only: whoever has it can pay the order and read it.",
		Example: "  portatill orders show ord_01jd…\n  portatill orders show ord_01jd… --link", Args: oneArg("order's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withStore(cmd.Context(), func(o *opened) error {
				t, order, err := findOrder(cmd.Context(), o, tenant, args[0])
				if err != nil {
					return err
				}
				whole, err := readOrder(cmd.Context(), o, t, order)
				if err != nil {
					return err
				}
				if link {
					whole.Link = o.pay.PayURL(order, "")
				}
				return a.print(asJSON, whole, whole.write)
			})
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "only if it is this tenant's, by its slug")
	cmd.Flags().BoolVar(&link, "link", false, "show the link with which the customer pays, a credential")
	jsonFlag(cmd, &asJSON)
	return cmd
}

// wholeOrder is all that we know of an order but what is secret or a credential:
// the links to pay it and to receipts, the portal's addresses, and contact details.
type wholeOrder struct {
	shownOrder
	Link           string           `json:"link,omitempty"`
	Evidence       string           `json:"evidence"`
	IdempotencyKey string           `json:"idempotency_key"`
	PaymentMethods []string         `json:"payment_methods"`
	VAT            string           `json:"vat"`
	Lines          []shownLine      `json:"lines"`
	Attempts       []shownAttempt   `json:"attempts"`
	Payment        *shownPayment    `json:"payment"` // null until it is paid
	RefundRequests []shownRequest   `json:"refund_requests"`
	Refunds        []shownMoneyBack `json:"refunds"`
	Disputes       []shownMoneyBack `json:"disputes"`
	Entries        []shownEntry     `json:"ledger_entries"`
	Postings       []shownPosting   `json:"postings"`
	Deliveries     []shownDelivery  `json:"deliveries"`
	Story          []shownStory     `json:"story"`
}

type shownLine struct {
	Key         string `json:"key"`
	Title       string `json:"title"`
	Quantity    int64  `json:"quantity"`
	Subtotal    string `json:"subtotal"`
	VAT         string `json:"vat"`
	Total       string `json:"total"`
	Explanation string `json:"explanation"`
}

type shownAttempt struct {
	ID        string `json:"id"`
	Number    int    `json:"number"`
	Kind      string `json:"kind"`
	State     string `json:"state"`
	Account   string `json:"stripe_account"`
	SessionID string `json:"session_id"`
	IntentID  string `json:"intent_id"`
	Failure   string `json:"failure"`
	CreatedAt string `json:"created_at"`
	StartedAt string `json:"started_at"`
	ExpiresAt string `json:"expires_at"`
}

type shownPayment struct {
	ID                 string `json:"id"`
	Amount             string `json:"amount"`
	Refunded           string `json:"refunded"`
	Fee                string `json:"fee"` // "" until Stripe has said it
	Method             string `json:"method"`
	Account            string `json:"stripe_account"`
	IntentID           string `json:"intent_id"`
	ChargeID           string `json:"charge_id"`
	BalanceTransaction string `json:"balance_transaction"`
	Cause              string `json:"cause"`
	PaidAt             string `json:"paid_at"`
}

type shownRequest struct {
	ID             string `json:"id"`
	State          string `json:"state"`
	Amount         string `json:"amount"`
	Reason         string `json:"reason"`
	Key            string `json:"key"`
	StripeRefundID string `json:"stripe_refund_id"`
	Failure        string `json:"failure"`
	Cause          string `json:"cause"`
	CreatedAt      string `json:"created_at"`
}

// shownMoneyBack is a refund or a dispute.
type shownMoneyBack struct {
	ID        string `json:"id"`
	StripeID  string `json:"stripe_id"`
	State     string `json:"state"`
	Amount    string `json:"amount"`
	Reason    string `json:"reason"`
	DueBy     string `json:"due_by,omitempty"` // a dispute's, until when evidence can be given
	Cause     string `json:"cause"`
	CreatedAt string `json:"created_at"`
	UpdatedAt string `json:"updated_at"`
}

type shownEntry struct {
	ID    string          `json:"id"`
	Kind  string          `json:"kind"`
	Fact  string          `json:"fact"`
	Memo  string          `json:"memo"`
	Cause string          `json:"cause"`
	At    string          `json:"at"`
	Lines []shownBookLine `json:"lines"`
}

type shownBookLine struct {
	Account string `json:"account"`
	Amount  string `json:"amount"` // debits positive
}

type shownPosting struct {
	ID        string `json:"id"`
	Kind      string `json:"kind"`
	State     string `json:"state"`
	Amount    string `json:"amount"`
	SubjectID string `json:"subject_id"`
	UpdatedAt string `json:"updated_at"`
}

type shownDelivery struct {
	ID        string `json:"id"`
	Type      string `json:"type"`
	State     string `json:"state"`
	Fact      string `json:"fact"`
	UpdatedAt string `json:"updated_at"`
}

type shownStory struct {
	At     string `json:"at"`
	What   string `json:"what"`
	Cause  string `json:"cause"`
	Detail string `json:"detail"`
}

// listed converts a list; none is an empty list for machines.
func listed[F, T any](from []F, convert func(F) T) []T {
	out := make([]T, 0, len(from))
	for _, f := range from {
		out = append(out, convert(f))
	}
	return out
}

func causeText(c pay.Cause) string { return string(c.Kind) + " " + c.ID }

func readOrder(ctx context.Context, o *opened, t *pay.Tenant, order *pay.Order) (*wholeOrder, error) {
	base, err := newLookup(o).order(ctx, order)
	if err != nil {
		return nil, err
	}
	money := func(minor int64) string { return pay.Money{Minor: minor, Currency: order.Cart.Currency}.Text() }
	w := &wholeOrder{shownOrder: base, Evidence: order.Evidence, IdempotencyKey: order.IdempotencyKey, PaymentMethods: append([]string{}, order.PaymentMethods...), VAT: money(order.Cart.VATMinor)}
	w.Lines = listed(order.Cart.Lines, func(l pay.Line) shownLine {
		return shownLine{l.Key, l.Title, l.Quantity, money(l.SubtotalMinor), money(l.VATMinor), money(l.TotalMinor), l.Explanation}
	})
	attempts, err := o.store.ListAttempts(ctx, t.ID, order.ID)
	if err != nil {
		return nil, err
	}
	w.Attempts = listed(attempts, func(a *pay.Attempt) shownAttempt {
		return shownAttempt{a.ID, a.Number, string(a.Kind), string(a.State), a.StripeAccount, a.SessionID, a.IntentID, a.Failure, moment(a.CreatedAt), moment(a.StartedAt), moment(a.ExpiresAt)}
	})
	if err := w.readPayment(ctx, o, t, order); err != nil {
		return nil, err
	}
	entries, err := o.store.ListEntries(ctx, t.ID, order.ID)
	if err != nil {
		return nil, err
	}
	w.Entries = listed(entries, func(e *pay.LedgerEntry) shownEntry {
		return shownEntry{e.ID, string(e.Kind), e.Fact, e.Memo, causeText(e.Cause), moment(e.At), listed(e.Lines, func(l pay.LedgerLine) shownBookLine {
			return shownBookLine{string(l.Account), pay.Money{Minor: l.AmountMinor, Currency: e.Currency}.String()}
		})}
	})
	postings, err := o.store.ListPostings(ctx, t.ID, order.ID)
	if err != nil {
		return nil, err
	}
	w.Postings = listed(postings, func(p *pay.Posting) shownPosting {
		return shownPosting{p.ID, string(p.Kind), string(p.State), p.Amount.String(), p.SubjectID, moment(p.UpdatedAt)}
	})
	deliveries, err := o.store.ListDeliveries(ctx, t.ID, order.ID)
	if err != nil {
		return nil, err
	}
	w.Deliveries = listed(deliveries, func(d *pay.Delivery) shownDelivery {
		return shownDelivery{d.ID, d.Type, string(d.State), d.Fact, moment(d.UpdatedAt)}
	})
	story, err := o.store.ListStory(ctx, t.ID, order.ID)
	w.Story = listed(story, func(s *pay.StoryLine) shownStory {
		return shownStory{moment(s.At), s.What, causeText(s.Cause), s.Detail}
	})
	return w, err
}

// readPayment reads the payment and what went back of it.
func (w *wholeOrder) readPayment(ctx context.Context, o *opened, t *pay.Tenant, order *pay.Order) error {
	w.RefundRequests, w.Refunds, w.Disputes = []shownRequest{}, []shownMoneyBack{}, []shownMoneyBack{}
	p, err := o.store.PaymentByOrder(ctx, t.ID, order.ID)
	if pay.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	w.Payment = &shownPayment{ID: p.ID, Amount: p.Amount.String(), Refunded: pay.Money{Minor: p.RefundedMinor, Currency: p.Amount.Currency}.String(), Method: p.Method,
		Account: p.StripeAccount, IntentID: p.IntentID, ChargeID: p.ChargeID, BalanceTransaction: p.BalanceTransaction, Cause: causeText(p.Cause), PaidAt: moment(p.PaidAt)}
	if p.Fee.Currency != "" {
		w.Payment.Fee = p.Fee.String()
	}
	requests, err := o.store.ListRefundRequests(ctx, t.ID, p.ID)
	if err != nil {
		return err
	}
	w.RefundRequests = listed(requests, showRequest)
	refunds, err := o.store.ListRefunds(ctx, t.ID, p.ID)
	if err != nil {
		return err
	}
	w.Refunds = listed(refunds, func(r *pay.Refund) shownMoneyBack {
		return shownMoneyBack{r.ID, r.StripeRefundID, string(r.State), r.Amount.String(), r.Reason, "", causeText(r.Cause), moment(r.CreatedAt), moment(r.UpdatedAt)}
	})
	disputes, err := o.store.ListDisputes(ctx, t.ID, p.ID)
	w.Disputes = listed(disputes, func(d *pay.Dispute) shownMoneyBack {
		return shownMoneyBack{d.ID, d.StripeDisputeID, string(d.State), d.Amount.String(), d.Reason, moment(d.DueBy), causeText(d.Cause), moment(d.CreatedAt), moment(d.UpdatedAt)}
	})
	return err
}

func showRequest(r *pay.RefundRequest) shownRequest {
	return shownRequest{r.ID, string(r.State), r.Amount.String(), r.Reason, r.Key, r.StripeRefundID, r.Failure, causeText(r.Cause), moment(r.CreatedAt)}
}

// write prints the order for people, empty parts left out.
func (w *wholeOrder) write(out io.Writer) {
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	row := func(columns ...string) {
		for i, c := range columns {
			columns[i] = printable(c)
		}
		line(table, "  %s", strings.Join(columns, "\t"))
	}
	head := func(n int, title string) bool {
		if n > 0 {
			table.Flush() //nolint:errcheck // nothing to be done about a closed terminal
			line(out, "%s", title)
		}
		return n > 0
	}
	line(out, "%s", w.ID)
	for _, r := range [][2]string{{"tenant", w.Tenant}, {"state", strings.TrimSpace(w.State + "  " + w.Reason)}, {"amount", w.Amount + " " + w.Currency + ", VAT " + w.VAT}, {"kind", w.Kind},
		{"customer", fmt.Sprint(w.ICustomer)}, {"feature", w.FeatureName}, {"content", fmt.Sprint(w.ContentID)}, {"licence key", w.License}, {"idempotency key", w.IdempotencyKey},
		{"made", w.CreatedAt}, {"paid", w.PaidAt}, {"evidence", w.Evidence}, {"payment methods", strings.Join(w.PaymentMethods, ", ")}} {
		row(r[0], r[1])
	}
	if w.Link != "" {
		row("link", w.Link)
	}
	if head(len(w.Lines), "Lines") {
		for _, l := range w.Lines {
			row(fmt.Sprintf("%d ×", l.Quantity), l.Title, l.Total, l.Explanation)
		}
	}
	if head(len(w.Attempts), "Attempts") {
		for _, a := range w.Attempts {
			row(fmt.Sprint(a.Number), a.State, a.Kind, cmp.Or(a.SessionID, a.IntentID), a.Account, a.CreatedAt, a.Failure)
		}
	}
	if p := w.Payment; p != nil && head(1, "Payment") {
		row(p.Amount, p.Method, p.IntentID, p.ChargeID, "fee "+cmp.Or(p.Fee, "not known yet"), "refunded "+p.Refunded, p.PaidAt)
	}
	if head(len(w.RefundRequests), "Refunds asked for") {
		for _, r := range w.RefundRequests {
			row(r.State, r.Amount, r.Reason, r.StripeRefundID, r.Failure, r.CreatedAt, r.Cause)
		}
	}
	if head(len(w.Refunds), "Refunds") {
		for _, r := range w.Refunds {
			row(r.State, r.Amount, r.Reason, r.StripeID, r.UpdatedAt)
		}
	}
	if head(len(w.Disputes), "Disputes") {
		for _, d := range w.Disputes {
			row(d.State, d.Amount, d.Reason, d.StripeID, d.UpdatedAt, d.DueBy)
		}
	}
	w.writeBooks(head, row)
	table.Flush() //nolint:errcheck // as above
}

func (w *wholeOrder) writeBooks(head func(int, string) bool, row func(...string)) {
	if head(len(w.Entries), "Ledger (debits positive)") {
		for _, e := range w.Entries {
			for _, l := range e.Lines {
				row(e.At, e.Kind, l.Account, l.Amount, e.Fact)
			}
		}
	}
	if head(len(w.Postings), "PortaBilling postings") {
		for _, p := range w.Postings {
			row(p.State, p.Kind, p.Amount, p.ID, p.UpdatedAt)
		}
	}
	if head(len(w.Deliveries), "Notices to the portal") {
		for _, d := range w.Deliveries {
			row(d.State, d.Type, d.ID, d.UpdatedAt)
		}
	}
	if head(len(w.Story), "Story") {
		for _, s := range w.Story {
			row(s.At, s.What, s.Cause, s.Detail)
		}
	}
}
