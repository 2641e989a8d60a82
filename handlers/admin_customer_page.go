package handlers

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/backoffice"
	"github.com/portatill/portatill/internal/csvout"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

const (
	// ledgerLines is how many movements of a customer's credit their page shows, and
	// ledgerMonths how far it looks back for them. The file has all.
	ledgerLines  = 100
	ledgerMonths = 12
	// customerRows is how many orders and payments it shows.
	customerRows = 10
)

// findCustomer is the customer of the address, if the person may see them.
func (h *Handlers) findCustomer(c echo.Context) (*pay.Customer, *pay.Tenant, error) {
	ctx, id := c.Request().Context(), c.Param("customer")
	if !rowID(id, "cus") {
		return nil, nil, pay.Errorf(pay.CodeNotFound, "", "no such customer")
	}
	tenantID, err := h.Backoffice.CustomerTenant(ctx, tenantScope(c), id)
	if err != nil {
		return nil, nil, err
	}
	t, err := h.Pay.Store.TenantByID(ctx, tenantID)
	if err != nil {
		return nil, nil, err
	}
	customer, err := h.Pay.Store.CustomerByID(ctx, tenantID, id)
	return customer, t, err
}

func (h *Handlers) showCustomerPage(c echo.Context) error {
	customer, t, err := h.findCustomer(c)
	if err != nil {
		return err
	}
	return h.customerPage(c, http.StatusOK, customer, t, "", time.Time{})
}

// customerPage shows a customer; link is their account page's, for who asked for it.
func (h *Handlers) customerPage(c echo.Context, status int, customer *pay.Customer, t *pay.Tenant, link string, until time.Time) error {
	ctx, now := c.Request().Context(), h.Pay.Now()
	v := views.CustomerView{AdminFrame: h.adminFrame(c), URL: "/admin/customers/" + customer.ID, ICustomer: strconv.FormatInt(customer.ICustomer, 10),
		Title: firstOf(customer.Name, customer.Company, "Customer "+strconv.FormatInt(customer.ICustomer, 10)), CanWork: staffOf(c).Role.May(staff.Work),
		AccountLink: link, OrdersURL: "/admin/orders?customer=" + customer.ID, PaymentsURL: "/admin/payments?q=" + customer.ID}
	v.ScriptURLs = append(v.ScriptURLs, listScript()...)
	if tenantScope(c) == "" {
		v.Tenant = t.Name
	}
	if link != "" {
		v.LinkUntil = staffMoment(until, now).Full
	}
	v.Contact = contactOf(customer, now)
	cards, err := h.Pay.Store.ListCards(ctx, t.ID, customer.ID)
	if err != nil {
		return err
	}
	for _, card := range cards {
		shown := views.CustomerCard{Name: firstOf(card.Brand, card.Type) + " •••• " + card.Last4, Expires: expiry(card), Label: card.Label, Default: card.IsDefault, Expired: card.Expired(now)}
		if v.CanWork {
			shown.DeleteURL = v.URL + "/cards/" + card.ID + "/delete"
		}
		v.Cards = append(v.Cards, shown)
	}
	if err := h.addLedger(ctx, c, &v, customer, now); err != nil {
		return err
	}
	q := &listQuery{now: now}
	mine := backoffice.Filter{Tenants: []string{t.ID}, Paging: backoffice.Paging{Limit: customerRows}}
	orders, err := h.Backoffice.PageOrders(ctx, backoffice.OrderFilter{Filter: mine, CustomerID: customer.ID})
	if err != nil {
		return err
	}
	for _, o := range orders.Rows {
		v.Orders = append(v.Orders, q.orderRow(o))
	}
	payments, err := h.Backoffice.PagePayments(ctx, backoffice.PaymentFilter{Filter: mine, CustomerID: customer.ID})
	if err != nil {
		return err
	}
	for _, p := range payments.Rows {
		v.Payments = append(v.Payments, h.paymentRow(q, p))
	}
	return page(c, status, views.CustomerPage(v))
}

// contactOf is what the portal told of a customer.
func contactOf(c *pay.Customer, now time.Time) []views.Fact {
	a := c.Address
	out := []views.Fact{}
	for _, f := range [][2]string{{"Name", c.Name}, {"Company", c.Company}, {"E-mail", c.Email}, {"Telephone", c.Phone},
		{"Address", joinNonEmpty(", ", a.Line1, a.Line2, joinNonEmpty(" ", a.PostalCode, a.City), a.State, a.Country)}} {
		if f[1] != "" {
			out = append(out, views.Fact{Label: f[0], Text: f[1]})
		}
	}
	out = append(out, views.Fact{Label: "First seen", Text: staffMoment(c.CreatedAt, now).Full})
	return append(out, facts("Customer", c.ID, "At Stripe", c.StripeCustomer)...)
}

// ledgerCurrency is the currency whose ledger is shown: the one asked for, or the first.
func (h *Handlers) ledgerCurrency(ctx context.Context, c echo.Context, customer *pay.Customer) (pay.Currency, []pay.Currency, error) {
	all, err := h.Pay.Store.CustomerCurrencies(ctx, customer.TenantID, customer.ID)
	if err != nil {
		return "", nil, err
	}
	asked := pay.Currency(strings.ToUpper(c.QueryParam("currency")))
	switch {
	case asked != "" && !slices.Contains(all, asked):
		return "", nil, pay.Errorf(pay.CodeBadRequest, "", "Nothing was ever booked for this customer in that currency. Open the customer's page without it.")
	case asked != "":
		return asked, all, nil
	case len(all) == 0:
		return "", nil, nil
	}
	return all[0], all, nil
}

// addLedger adds the movements of the customer's credit with the balance after each.
func (h *Handlers) addLedger(ctx context.Context, c echo.Context, v *views.CustomerView, customer *pay.Customer, now time.Time) error {
	currency, all, err := h.ledgerCurrency(ctx, c, customer)
	if err != nil || currency == "" {
		return err
	}
	for _, each := range all {
		v.Currencies = append(v.Currencies, views.ListTab{Label: string(each), URL: v.URL + "?currency=" + string(each), Current: each == currency})
	}
	if staffOf(c).Role.May(staff.Export) {
		v.StatementURL = v.URL + "/statement.csv?currency=" + string(currency)
	}
	var lines []pay.StatementLine
	span := pay.ExportSpan{TenantID: customer.TenantID, From: now.AddDate(0, -ledgerMonths, 0), Until: now.AddDate(1, 0, 0)}
	st, err := h.Pay.Statement(ctx, pay.StatementQuery{ExportSpan: span, CustomerID: customer.ID, Currency: currency}, func(pay.Money) error { return nil }, func(l *pay.StatementLine) error {
		if len(lines) == 2*ledgerLines { // the last ones are wanted, and no more are held
			lines = append(lines[:0], lines[ledgerLines:]...)
		}
		lines = append(lines, *l)
		return nil
	})
	if err != nil {
		return err
	}
	lines = lines[max(0, len(lines)-ledgerLines):]
	v.Closing = st.Closing.Display()
	opening := st.Opening
	if len(lines) > 0 {
		opening.Minor = lines[0].Balance.Minor - lines[0].Amount.Minor
	}
	if st.Opening.Minor != 0 || int64(len(lines)) < st.Lines {
		v.Opening, v.OpeningText = opening.Display(), "Balance before; the file has all that led to it"
	}
	slices.Reverse(lines)
	for _, l := range lines {
		b := views.CustomerBooking{At: staffMoment(l.At, now), What: cmp.Or(bookings[l.Kind], inWords(string(l.Kind))), Memo: joinNonEmpty(" · ", l.FeatureName, sentenceCase(l.Memo)),
			Amount: l.Amount.Display(), Balance: l.Balance.Display()}
		if l.OrderID != "" {
			b.URL = "/admin/orders/" + l.OrderID
		}
		v.Ledger = append(v.Ledger, b)
	}
	return nil
}

var statementColumns = []string{"tenant", "i_customer", "name", "currency", "at", "what", "amount", "balance", "order", "content_id", "feature", "memo", "fact", "entry"}

// exportStatement sends all movements of a customer's credit in a currency, oldest first.
func (h *Handlers) exportStatement(c echo.Context) error {
	customer, t, err := h.findCustomer(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	currency, _, err := h.ledgerCurrency(ctx, c, customer)
	if err != nil {
		return err
	}
	if currency == "" {
		return pay.Errorf(pay.CodeBadRequest, "", "Nothing was booked for this customer yet, so there is no statement.")
	}
	var file *csvFile
	written := 0
	_, err = h.Pay.Statement(ctx, pay.StatementQuery{ExportSpan: pay.ExportSpan{TenantID: t.ID, Until: h.Pay.Now().AddDate(1, 0, 0)}, CustomerID: customer.ID, Currency: currency}, func(pay.Money) error {
		file, err = h.beginCSV(c, fmt.Sprintf("statement-%s-%d-%s", t.Slug, customer.ICustomer, currency), customer.ID, statementColumns...)
		return err
	}, func(l *pay.StatementLine) error {
		if written++; written%exportAtOnce == 0 {
			if err := file.flush(); err != nil {
				return err
			}
		}
		return file.csv.Write(csvout.Text(t.Slug), csvout.Int(customer.ICustomer), csvout.Text(customer.Name), csvout.Text(string(currency)), isoTime(l.At), csvout.Text(string(l.Kind)),
			csvout.Number(l.Amount.Text()), csvout.Number(l.Balance.Text()), csvout.Text(l.OrderID), csvout.Count(l.ContentID), csvout.Text(l.FeatureName), csvout.Text(l.Memo),
			csvout.Text(l.Fact), csvout.Text(l.EntryID))
	})
	if file == nil {
		return err
	}
	if err == nil {
		err = file.flush()
	}
	if err != nil {
		h.cutOff(c, err)
	}
	return nil
}

// showAccountLink makes a link to the customer's own page. It is a credential, so it is in
// the answer to this form only, and the audit log has who asked for it.
func (h *Handlers) showAccountLink(c echo.Context) error {
	customer, t, err := h.findCustomer(c)
	if err != nil {
		return err
	}
	h.acted(c, t.ID, customer.ID, "")
	link, until := h.Pay.AccountURL(t, customer, "")
	return h.customerPage(c, http.StatusOK, customer, t, link, until)
}

// findCard is the card of the address, as our copy has it.
func (h *Handlers) findCard(c echo.Context, customer *pay.Customer) (*pay.Card, error) {
	cards, err := h.Pay.Store.ListCards(c.Request().Context(), customer.TenantID, customer.ID)
	if err != nil {
		return nil, err
	}
	for _, card := range cards {
		if card.ID == c.Param("card") {
			return card, nil
		}
	}
	return nil, pay.Errorf(pay.CodeNotFound, "", "no such card")
}

func (h *Handlers) showDropCardPage(c echo.Context) error {
	customer, _, err := h.findCustomer(c)
	if err != nil {
		return err
	}
	card, err := h.findCard(c, customer)
	if err != nil {
		return err
	}
	if asked, err := h.freshFirst(c, c.Request().URL.RequestURI()); asked {
		return err
	}
	return h.dropCardPage(c, http.StatusOK, customer, card, "")
}

func (h *Handlers) dropCardPage(c echo.Context, status int, customer *pay.Customer, card *pay.Card, message string) error {
	back := "/admin/customers/" + customer.ID
	v := views.ConfirmView{AdminFrame: h.adminFrame(c), Title: "Remove this card?", BackURL: back, Back: "Back to the customer", Action: back + "/cards/" + card.ID + "/delete",
		Button: "Remove the card", Message: message, TestName: "confirm-card",
		Text: []string{"It cannot be charged any more, and cannot be brought back: the customer would have to enter it again. Payments that were made with it stay as they are."},
		Facts: []views.Fact{{Label: "Card", Text: views.MethodName(card.Info())}, {Label: "Customer", Text: firstOf(customer.Name, customer.Company, strconv.FormatInt(customer.ICustomer, 10))},
			{Label: "At Stripe", Text: card.ID, Code: true}}}
	if card.Label != "" {
		v.Facts = append(v.Facts, views.Fact{Label: "Label", Text: card.Label})
	}
	return page(c, status, views.ConfirmPage(v))
}

// dropCard detaches a saved card from its customer.
func (h *Handlers) dropCard(c echo.Context) error {
	customer, t, err := h.findCustomer(c)
	if err != nil {
		return err
	}
	card, err := h.findCard(c, customer)
	if err != nil {
		return err
	}
	back := "/admin/customers/" + customer.ID
	if asked, err := h.freshFirst(c, back+"/cards/"+card.ID+"/delete"); asked {
		return err
	}
	h.acted(c, t.ID, customer.ID, card.ID)
	ctx, cancel := detached(c)
	defer cancel()
	err = h.Pay.RemoveCard(ctx, t, customer, card.ID)
	if pay.CodeOf(err) == pay.CodeCardNotFound { // somebody else was quicker, or Stripe's own page
		auditOf(c).After = "gone already"
		h.say(c, "The card was removed before.")
		return c.Redirect(http.StatusSeeOther, back)
	}
	if text, ok := plainly(err); ok {
		auditOf(c).After = string(pay.CodeOf(err))
		return h.dropCardPage(c, http.StatusBadGateway, customer, card, text+" The card is as it was.")
	}
	if err != nil {
		return err
	}
	auditOf(c).After = "removed"
	h.say(c, "The card is removed.")
	return c.Redirect(http.StatusSeeOther, back)
}
