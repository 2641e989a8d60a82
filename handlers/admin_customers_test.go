package handlers_test

import (
	"context"
	"encoding/csv"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
)

func TestACustomersPageHasTheirLedgerCardsAndOrders(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.saveCard("tok_visa", labelled("Card of the office <i>"))
	order := o.settledOrder()
	euros := o.settledOrder(func(r *wire.StripePaymentRequest) { r.ShoppingInformation[0].Currency = wire.Str("EUR") })
	if _, err := o.pay.Refund(context.Background(), pay.RefundOrder{TenantID: o.tenant.ID, OrderID: order.ID, Amount: pay.Money{Minor: 1000, Currency: "GBP"}, Cause: pay.Cause{Kind: pay.CauseCLI, ID: "x"}}); err != nil {
		t.Fatal(err)
	}
	b, _ := o.in(staff.TenantAdmin)
	at := "/admin/customers/" + order.CustomerID
	ledger := func(path string) [][]string {
		page := b.get(path)
		page.want(http.StatusOK, path)
		var out [][]string
		for _, tr := range page.document().Find(`.ledger-card [data-testid=row]`).EachIter() {
			cells := tr.Find("td")
			out = append(out, []string{strings.TrimSpace(cells.Eq(2).Text()), strings.TrimSpace(cells.Eq(3).Text())})
		}
		return out
	}
	if d := cmp.Diff([][]string{{"−£10.00", "£100.40"}, {"£110.40", "£110.40"}}, ledger(at+"?currency=GBP")); d != "" {
		t.Errorf("the ledger in pounds, newest first: %s", d)
	}
	if d := cmp.Diff([][]string{{"€110.40", "€110.40"}}, ledger(at)); d != "" {
		t.Errorf("the ledger in the first currency: %s", d)
	}
	page := b.get(at)
	doc := page.document()
	if got := doc.Find(`[data-testid=card]`).Text(); !strings.Contains(got, "Visa ••••\u00a04242") && !strings.Contains(got, "Visa •••• 4242") || !strings.Contains(got, "<i>") {
		t.Errorf("the card is %q", got)
	}
	if n := doc.Find(`[data-testid=customer-order]`).Length(); n != 2 || !strings.Contains(page.body, euros.ID) {
		t.Errorf("%d orders", n)
	}
	page.tellsNothing()
	b.get(at+"?currency=JPY").want(http.StatusBadRequest, "a currency without bookings")
	t.Run("TheStatementIsAFileOfAllOfIt", func(t *testing.T) {
		file := b.get(at + "/statement.csv?currency=GBP")
		file.want(http.StatusOK, "the statement")
		rows, err := csv.NewReader(strings.NewReader(file.body)).ReadAll()
		if err != nil || len(rows) != 3 || rows[1][6] != "110.40" || rows[2][6] != "-10.00" || rows[2][7] != "100.40" || rows[1][8] != order.ID {
			t.Errorf("%v %q", err, rows)
		}
	})
	t.Run("ALinkToTheirOwnPageIsMadeForWhoAsks", func(t *testing.T) {
		o.entries()
		shown := b.post(at + "/link")
		shown.want(http.StatusOK, "the link")
		link, _ := shown.document().Find("[data-copy^='" + baseURL + "/account/']").Attr("data-copy")
		o.get(strings.TrimPrefix(link, baseURL)).want(http.StatusOK, "the customer's page")
		if e := o.entries(); len(e) != 1 || e[0].What != "account_link" || e[0].Subject != order.CustomerID || strings.Contains(e[0].After, "ac1.") {
			t.Errorf("the audit log: %+v", e)
		}
	})
	t.Run("ACardIsRemovedAfterAQuestionAndAFreshSignIn", func(t *testing.T) {
		remove, _ := doc.Find(`[data-testid=delete-card]`).Attr("href")
		b.get(remove).want(http.StatusOK, "the question")
		o.pass(staff.FreshFor + time.Minute)
		b.get(remove).want(http.StatusForbidden, "the question without a fresh sign-in")
		b.post(remove).want(http.StatusForbidden, "the form without a fresh sign-in")
		b.post("/admin/again", "password", goodPassword).want(http.StatusSeeOther, "the password")
		o.stripe.breakWith(&pay.StripeFault{Kind: pay.FaultUnavailable})
		b.post(remove).want(http.StatusBadGateway, "without Stripe")
		o.stripe.breakWith(nil)
		o.entries()
		b.post(remove).want(http.StatusSeeOther, "the removal")
		if got := b.get(at).document(); got.Find(`[data-testid=card]`).Length() != 0 || !strings.Contains(got.Find(".flash").Text(), "The card is removed") {
			t.Errorf("the page says %q", got.Find(".flash").Text())
		}
		if e := o.entries(); len(e) != 1 || e[0].What != "remove_card" || e[0].Subject != order.CustomerID || e[0].After != "removed" {
			t.Errorf("the audit log: %+v", e)
		}
		b.get(remove).want(http.StatusNotFound, "a card that is gone")
	})
}

func TestPaymentsRefundsAndDisputesAreListed(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	order := o.settledOrder()
	b, _ := o.in(staff.Operator)
	text := func(path string) string {
		page := b.get(path)
		page.want(http.StatusOK, path)
		return strings.Join(strings.Fields(page.document().Find("main").Text()), " ")
	}
	for path, says := range map[string]string{"/admin/refunds": "No refunds yet", "/admin/disputes": "No open disputes", "/admin/payments?state=refunded": "None match", "/admin/payments?q=" + order.ID: "£110.40"} {
		if got := text(path); !strings.Contains(got, says) {
			t.Errorf("%s does not say %q: %s", path, says, got)
		}
	}
	payments := text("/admin/payments")
	for _, want := range []string{"£110.40", "Ada Lovelace", "Visa ••••", "not yet"} {
		if !strings.Contains(payments, want) {
			t.Errorf("payments do not tell %q: %s", want, payments)
		}
	}
	ctx, now := context.Background(), o.pay.Now()
	payment, err := o.store.PaymentByOrder(ctx, o.tenant.ID, order.ID)
	if err != nil {
		t.Fatal(err)
	}
	cause := pay.Cause{Kind: pay.CauseWebhook, ID: "evt_1"}
	dispute := func(id string, state pay.DisputeState, due time.Time) *pay.Dispute {
		return &pay.Dispute{ID: pay.NewID("dsp", now), TenantID: o.tenant.ID, PaymentID: payment.ID, OrderID: order.ID, StripeDisputeID: id, State: state, Amount: payment.Amount,
			Reason: "product_not_received", DueBy: due, Cause: cause, CreatedAt: now, UpdatedAt: now}
	}
	storetest.Write(t, o.store, func(ctx context.Context, tx pay.Tx) error {
		for _, d := range []*pay.Dispute{dispute("dp_week", pay.DisputeNeedsResponse, now.Add(8*24*time.Hour-time.Hour)), dispute("dp_day", pay.DisputeNeedsResponse, now.Add(26*time.Hour)),
			dispute("dp_over", pay.DisputeNeedsResponse, now.Add(-time.Hour)), dispute("dp_won", pay.DisputeWon, time.Time{}), dispute("dp_new", "of_a_later_release", time.Time{})} {
			if err := tx.InsertDispute(ctx, d); err != nil {
				return err
			}
		}
		return tx.InsertRefundRequest(ctx, &pay.RefundRequest{ID: pay.NewID("rfr", now), TenantID: o.tenant.ID, PaymentID: payment.ID, OrderID: order.ID, Amount: pay.Money{Minor: 700, Currency: "GBP"},
			IdempotencyKey: "k", State: pay.RefundRequested, Cause: pay.Cause{Kind: pay.CauseCLI, ID: "x"}, CreatedAt: now, UpdatedAt: now})
	})
	t.Run("TheMostUrgentDisputeIsFirstAndSaysWhatToDo", func(t *testing.T) {
		var urgent []string
		for _, tr := range b.get("/admin/disputes").document().Find(`[data-testid=row]`).EachIter() {
			urgent = append(urgent, strings.TrimSpace(tr.Find("td").Eq(4).Find("code").Text())+": "+strings.TrimSpace(tr.Find("td").Eq(0).Find(".pill").Text()))
		}
		if d := cmp.Diff([]string{"dp_over: over", "dp_day: 1 day left", "dp_week: 7 days left", "dp_new: "}, urgent); d != "" {
			t.Error(d)
		}
		if got := text("/admin/disputes"); !strings.Contains(got, "unanswered, it is lost") || !strings.Contains(got, "of a later release") || strings.Contains(got, "dp_won") {
			t.Errorf("the list says %s", got)
		}
		if got := text("/admin/disputes?state=all"); !strings.Contains(got, "dp_won") {
			t.Errorf("all of them: %s", got)
		}
		if got := text("/admin/orders/" + order.ID); !strings.Contains(got, "waits for an answer") {
			t.Errorf("the order says %s", got)
		}
		file := b.get("/admin/disputes.csv")
		if strings.Count(file.body, "\n") != 5 || strings.Contains(file.body, "dp_won") {
			t.Errorf("the file of the open ones: %s", file.body)
		}
	})
	t.Run("ARefundThatStripeHasNotAnsweredIsShown", func(t *testing.T) {
		if got := text("/admin/refunds"); !strings.Contains(got, "Waiting for Stripe's answer") || !strings.Contains(got, "£7.00the command line") {
			t.Errorf("the list says %s", got)
		}
		if got := text("/admin/orders/" + order.ID); !strings.Contains(got, "Stripe has not answered about the refund of £7.00") {
			t.Errorf("the order says %s", got)
		}
	})
}
