package paytest

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/portatill/portatill/pay"
)

// Card saves a card for the customer of Request and returns it.
func (w *World) Card(token string) *pay.Card {
	w.T.Helper()
	list, err := w.Pay.SaveCard(context.Background(), w.Cards(func(in *pay.CardsInput) { in.Token = token }))
	if err != nil {
		w.T.Fatalf("save %s: %v", token, err)
	}
	return list.Card
}

// Cards is a portal's request about the cards of the customer of Request.
func (w *World) Cards(changes ...func(*pay.CardsInput)) pay.CardsInput {
	w.T.Helper()
	r := w.Request()
	in := pay.CardsInput{Tenant: r.Tenant, ICustomer: r.ICustomer, Customer: r.Customer}
	for _, change := range changes {
		change(&in)
	}
	in.Digest = "digest of " + in.Token + in.CardInfo
	return in
}

// Charge charges a saved card for the cart of Request.
func (w *World) Charge(card string, changes ...func(*pay.CheckoutInput)) (*pay.Checkout, error) {
	w.T.Helper()
	return w.Pay.ChargeCard(context.Background(), w.Request(append([]func(*pay.CheckoutInput){func(in *pay.CheckoutInput) { in.CardID = card }}, changes...)...))
}

// Choose presses the order page's button with a choice and returns where it leads.
func (w *World) Choose(o *pay.Order, choice pay.Choice) string {
	w.T.Helper()
	to, err := w.Pay.StartPayment(context.Background(), o.PayToken, choice)
	if err != nil {
		w.T.Fatalf("press pay: %v", err)
	}
	return to
}

// ActWith is Act with a body of one's own.
func (w *World) ActWith(name string, body map[string]any) {
	w.T.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		w.T.Fatal(err)
	}
	if page := w.do(http.MethodPost, w.SandboxURL+"/_sandbox/actions/"+name, "application/json", bytes.NewReader(raw)); page.Status != http.StatusOK {
		w.T.Fatalf("%s %s answered %d: %s", name, raw, page.Status, page.doc.Text())
	}
}

// SettleIn lets Stripe convert all that moves from now on to a currency such as "usd",
// "" for none.
func (w *World) SettleIn(currency string) {
	w.T.Helper()
	raw, err := json.Marshal(map[string]string{"settlement_currency": currency})
	if err != nil {
		w.T.Fatal(err)
	}
	if page := w.do(http.MethodPost, w.SandboxURL+"/_sandbox/dials", "application/json", bytes.NewReader(raw)); page.Status != http.StatusOK {
		w.T.Fatalf("dials answered %d: %s", page.Status, page.doc.Text())
	}
}

// PayOut lets Stripe pay the tenant's whole balance out to its bank.
func (w *World) PayOut() { w.ActWith("payout", map[string]any{"id": w.account()}) }

// account is the tenant's at Stripe.
func (w *World) account() string {
	w.T.Helper()
	t, err := w.Store.TenantByID(context.Background(), w.Tenant.ID)
	if err != nil {
		w.T.Fatal(err)
	}
	return t.StripeAccount
}

// ChargeFee lets Stripe charge the account itself, and TakeForeign another integration
// take a payment on it without an intent.
func (w *World) ChargeFee(minor int64) {
	w.ActWith("fee", map[string]any{"id": w.account(), "amount": minor, "currency": "gbp"})
}

// TakeForeign is told of with ChargeFee.
func (w *World) TakeForeign(minor int64) {
	w.ActWith("foreign_charge", map[string]any{"id": w.account(), "amount": minor, "currency": "gbp"})
}

// FirstAtStripe is the id of the newest object of a list such as /v1/payouts.
func (w *World) FirstAtStripe(path string) string {
	w.T.Helper()
	type object struct {
		ID string `json:"id"`
	}
	found := list(w, path, func(o object) string { return o.ID })
	if len(found) == 0 {
		w.T.Fatalf("Stripe has nothing in %s", path)
	}
	return found[0].ID
}

// DisputeAtStripe is the id of the newest dispute of the tenant's account.
func (w *World) DisputeAtStripe() string {
	w.T.Helper()
	type object struct {
		ID string `json:"id"`
	}
	found := list(w, "/v1/disputes", func(o object) string { return o.ID })
	if len(found) == 0 {
		w.T.Fatal("Stripe has no dispute")
	}
	return found[0].ID
}

// Token is what Stripe.js makes of a typed card: an id that works once.
func (w *World) Token(number string) string {
	w.T.Helper()
	var token struct {
		ID string `json:"id"`
	}
	w.API(http.MethodPost, "/v1/tokens", url.Values{"card[number]": {number}, "card[exp_month]": {"12"}, "card[exp_year]": {"2040"}, "card[cvc]": {"123"}}, &token)
	return token.ID
}

// StripeCustomer is the cus_… that we hold for the customer of Request.
func (w *World) StripeCustomer() string {
	w.T.Helper()
	c, err := w.Store.CustomerByICustomer(context.Background(), w.Tenant.ID, ICustomer)
	if err != nil || c.StripeCustomer == "" {
		w.T.Fatalf("the customer is %+v, %v", c, err)
	}
	return c.StripeCustomer
}

// Attach saves a payment method for the customer of Request past the till, as another
// integration does, and returns its id. The till must know the customer.
func (w *World) Attach(method string) string {
	w.T.Helper()
	var saved struct {
		ID string `json:"id"`
	}
	w.API(http.MethodPost, "/v1/payment_methods/"+method+"/attach", url.Values{"customer": {w.StripeCustomer()}}, &saved)
	return saved.ID
}

// RefundAtStripe is the id of the newest refund of the tenant's account.
func (w *World) RefundAtStripe() string {
	w.T.Helper()
	type object struct {
		ID string `json:"id"`
	}
	found := list(w, "/v1/refunds", func(o object) string { return o.ID })
	if len(found) == 0 {
		w.T.Fatal("Stripe has no refund")
	}
	return found[0].ID
}
